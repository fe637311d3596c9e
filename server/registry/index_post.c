/* Posts of the index: folded terms, dates and what a list shows. */
#include "server/registry/index_post.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/fold.h"
#include "cdop/secret.h"

#define DAY_MS 86400000u

/* Terms and dates are gathered in the scratch arena, then packed. */
struct gather {
	struct cdop_arena *arena;
	struct index_term *term;
	size_t n_term, cap_term;
	struct index_date *date;
	size_t n_date, cap_date;
	size_t text;       /* bytes of all texts */
	enum cdop_err err; /* the first one */
};

static void *
grow(struct gather *g, const void *old, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? 16 : *cap * 2;
	void *v;

	v = cdop_arena_calloc(g->arena, more, size);
	if (v == NULL) {
		g->err = CDOP_RESOURCE_EXHAUSTED;
		return NULL;
	}
	if (n > 0)
		memcpy(v, old, n * size);
	*cap = more;
	return v;
}

static void
add_term(struct gather *g, enum index_kind kind, const char *text)
{
	struct index_term *v;
	size_t i;

	if (g->err != CDOP_OK || *text == '\0')
		return;
	for (i = 0; i < g->n_term; i++)
		if (g->term[i].kind == kind &&
		    strcmp(g->term[i].text, text) == 0)
			return;
	if (g->n_term == g->cap_term) {
		v = grow(g, g->term, g->n_term, &g->cap_term, sizeof(*v));
		if (v == NULL)
			return;
		g->term = v;
	}
	text = cdop_arena_strdup(g->arena, text);
	if (text == NULL) {
		g->err = CDOP_RESOURCE_EXHAUSTED;
		return;
	}
	g->term[g->n_term].kind = kind;
	g->term[g->n_term++].text = text;
	g->text += strlen(text) + 1;
}

/* Whole names, and how they sound. */
static void
add_names(struct gather *g, char *const *names, size_t n, enum index_kind kind,
    enum index_kind sound)
{
	char folded[CDOP_FOLD_MAX], key[CDOP_SOUND_MAX];
	size_t i;

	for (i = 0; i < n; i++) {
		(void)cdop_fold_name(names[i], folded);
		add_term(g, kind, folded);
		if (cdop_fold_sound(folded, key) > 0)
			add_term(g, sound, key);
	}
}

/* One name of several parts is found by each of them. */
static void
add_parts(struct gather *g, const char *name, enum index_kind kind,
    enum index_kind sound)
{
	char part[CDOP_FOLD_MAX], key[CDOP_SOUND_MAX], whole[CDOP_FOLD_MAX];
	const char *rest = name;
	size_t n;

	(void)cdop_fold_name(name, whole);
	for (n = 0;
	     n < INDEX_PARTS_MAX && (rest = cdop_fold_part(rest, part)) != NULL;
	     n++) {
		if (strcmp(part, whole) == 0 ||
		    cdop_fold_letters(part) < INDEX_PART_LETTERS)
			continue;
		add_term(g, kind, part);
		if (cdop_fold_letters(part) >= INDEX_SOUND_LETTERS &&
		    cdop_fold_sound(part, key) > 0)
			add_term(g, sound, key);
	}
}

static void
add_family_names(struct gather *g, const Cdop__StoredSummary *s)
{
	size_t i;

	add_names(
	    g, s->family_name, s->n_family_name, INDEX_FAMILY, INDEX_SOUND);
	add_names(g, s->mother_name, s->n_mother_name, INDEX_MOTHER,
	    INDEX_MOTHER_SOUND);
	for (i = 0; i < s->n_family_name; i++)
		add_parts(g, s->family_name[i], INDEX_PART, INDEX_SOUND);
	for (i = 0; i < s->n_mother_name; i++)
		add_parts(g, s->mother_name[i], INDEX_MOTHER_PART,
		    INDEX_MOTHER_SOUND);
}

/* "Anna Maria" is compared with either, and as one word. */
static void
add_first_names(struct gather *g, const Cdop__StoredSummary *s)
{
	char folded[CDOP_FOLD_MAX];
	const char *rest;
	size_t i, n;

	for (i = 0; i < s->n_first_name; i++) {
		(void)cdop_fold_name(s->first_name[i], folded);
		add_term(g, INDEX_FIRST, folded);
		rest = s->first_name[i];
		for (n = 0; n < INDEX_PARTS_MAX &&
		     (rest = cdop_fold_part(rest, folded)) != NULL;
		     n++)
			add_term(g, INDEX_FIRST, folded);
	}
}

static void
add_dates(struct gather *g, char *const *dates, size_t n, bool death)
{
	struct index_date *v;
	struct cdop_date date;
	size_t i;

	for (i = 0; i < n && g->err == CDOP_OK; i++) {
		if (cdop_date_parse(dates[i], &date) != CDOP_OK) {
			g->err = CDOP_DATA_LOSS;
			return;
		}
		if (g->n_date == g->cap_date) {
			v = grow(
			    g, g->date, g->n_date, &g->cap_date, sizeof(*v));
			if (v == NULL)
				return;
			g->date = v;
		}
		v = &g->date[g->n_date++];
		v->span = cdop_date_span(&date);
		v->death = death;
		v->exact = date.day != 0 && !date.estimated;
	}
}

static void
gather_all(struct gather *g, const Cdop__StoredSummary *s)
{
	size_t i;

	for (i = 0; i < s->n_nhs_number; i++)
		add_term(g, INDEX_NHS, s->nhs_number[i]);
	add_family_names(g, s);
	add_first_names(g, s);
	add_dates(g, s->birth_date, s->n_birth_date, false);
	add_dates(g, s->death_date, s->n_death_date, true);
}

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

/* ---- behind the struct, the widest alignment first --------------------- */

/* First those decided about, then the pairs. */
const uint64_t *
index_post_others(const struct index_post *post)
{
	return (const uint64_t *)(const void *)(post + 1);
}

const uint64_t *
index_post_pairs(const struct index_post *post)
{
	return index_post_others(post) + post->n_decided;
}

const struct index_date *
index_post_dates(const struct index_post *post)
{
	return (
	    const struct index_date *)(const void *)(index_post_pairs(post) +
	    post->n_pair);
}

const struct index_interest *
index_post_interests(const struct index_post *post)
{
	return (const struct index_interest *)(const void *)(index_post_dates(
								 post) +
	    post->n_date);
}

const char *
index_post_name(const struct index_post *post)
{
	return (const char *)(const void *)(index_post_interests(post) +
	    post->n_interest);
}

/* Where the first term's kind stands; the post's end where it has none. */
static const char *
terms_of(const struct index_post *post)
{
	const char *name = index_post_name(post);

	return name + strlen(name) + 1;
}

static const char *
end_of(const struct index_post *post)
{
	return (const char *)(const void *)post + post->size;
}

/* Behind the name, to the end: kind, text and its NUL. */
bool
index_post_term(const struct index_post *post, struct index_term *term)
{
	const char *at = term->text == NULL
	    ? terms_of(post)
	    : term->text + strlen(term->text) + 1;

	if (at == end_of(post))
		return false;
	term->kind = (enum index_kind) * at;
	term->text = at + 1;
	return true;
}

/* ---- making one -------------------------------------------------------- */

static uint8_t *
pack(uint8_t *at, const void *from, size_t size)
{
	if (size > 0)
		memcpy(at, from, size);
	return at + size;
}

static enum index_status
status_of(const char *text)
{
	if (strcmp(text, "received") == 0)
		return INDEX_RECEIVED;
	if (strcmp(text, "entered-in-error") == 0)
		return INDEX_WITHDRAWN;
	return INDEX_OTHER;
}

static void
fill(struct index_post *post, const Cdop__StoredSummary *s)
{
	struct cdop_date date;

	post->case_id = s->case_id;
	post->registered_ms = s->registered_ms;
	post->case_version = (uint32_t)s->case_version;
	post->record_version = (uint32_t)s->record_version;
	post->responsible = s->has_responsible ? s->responsible : 0;
	post->registered_by = s->has_registered_by ? s->registered_by : 0;
	post->nameless = s->has_nameless && s->nameless;
	post->shows_mother = s->has_shows_mother && s->shows_mother;
	post->held = s->has_hold && s->hold;
	post->status = (uint8_t)status_of(s->status);
	post->day = (int32_t)(s->registered_ms / DAY_MS);
	if (s->record_birth != NULL &&
	    cdop_date_parse(s->record_birth, &date) == CDOP_OK)
		post->birth = date;
	if (s->record_death != NULL &&
	    cdop_date_parse(s->record_death, &date) == CDOP_OK) {
		post->death = date;
		post->day = cdop_date_span(&date).last;
	}
}

static size_t
size_of(const struct gather *g, const Cdop__StoredSummary *s)
{
	return sizeof(struct index_post) +
	    (s->n_not_duplicate + s->n_open_pair) * sizeof(uint64_t) +
	    g->n_date * sizeof(struct index_date) +
	    s->n_interested * sizeof(struct index_interest) +
	    strlen(or_empty(s->shown_name)) + 1 + g->n_term + g->text;
}

struct words {
	index_post_word_fn *number;
	void *ctx;
	enum cdop_err err;
};

static uint16_t
number_of(struct words *words, const char *word)
{
	uint16_t number = INDEX_NO_WORD;

	if (words->err == CDOP_OK && word != NULL)
		words->err = words->number(words->ctx, word, &number);
	return number;
}

static uint8_t *
pack_interests(uint8_t *at, const Cdop__StoredSummary *s, struct words *words)
{
	struct index_interest interest;
	size_t i;

	for (i = 0; i < s->n_interested; i++) {
		memset(&interest, 0, sizeof(interest));
		interest.area = number_of(words, s->interested[i]->area);
		interest.known = s->interested[i]->known;
		at = pack(at, &interest, sizeof(interest));
	}
	return at;
}

static enum cdop_err
pack_all(struct index_post *post, const struct gather *g,
    const Cdop__StoredSummary *s, struct words *words)
{
	const char *name = or_empty(s->shown_name);
	uint8_t *at = (uint8_t *)(post + 1), kind;
	size_t i;

	post->n_decided = (uint32_t)s->n_not_duplicate;
	post->n_pair = (uint32_t)s->n_open_pair;
	post->n_date = (uint16_t)g->n_date;
	post->n_interest = (uint16_t)s->n_interested;
	post->n_term = (uint16_t)g->n_term;
	at = pack(at, s->not_duplicate, s->n_not_duplicate * sizeof(uint64_t));
	at = pack(at, s->open_pair, s->n_open_pair * sizeof(uint64_t));
	at = pack(at, g->date, g->n_date * sizeof(*g->date));
	at = pack_interests(at, s, words);
	at = pack(at, name, strlen(name) + 1);
	for (i = 0; i < g->n_term; i++) {
		kind = (uint8_t)g->term[i].kind;
		at = pack(at, &kind, 1);
		at = pack(at, g->term[i].text, strlen(g->term[i].text) + 1);
	}
	CDOP_ASSERT(at == (uint8_t *)post + post->size);
	post->owner = number_of(words, s->owner_area);
	post->jurisdiction = number_of(words, s->jurisdiction);
	post->status_word = number_of(words, s->status);
	post->scope = number_of(words, s->scope);
	return words->err;
}

/* A summary comes from the disk: more than is ever written is refused. */
static bool
fits(const struct gather *g, const Cdop__StoredSummary *s)
{
	return g->n_term <= UINT16_MAX && g->n_date <= UINT16_MAX &&
	    s->n_interested <= UINT16_MAX && s->case_version <= UINT32_MAX &&
	    s->record_version <= UINT32_MAX && size_of(g, s) <= UINT32_MAX;
}

enum cdop_err
index_post_new(const Cdop__StoredSummary *summary, uint64_t key_id,
    index_post_word_fn *word, void *ctx, struct cdop_arena *scratch,
    struct index_post **ret_post)
{
	struct gather g = {.arena = scratch};
	struct words words = {.number = word, .ctx = ctx};
	struct index_post *post;
	enum cdop_err err;

	gather_all(&g, summary);
	if (g.err != CDOP_OK)
		return g.err;
	if (!fits(&g, summary))
		return CDOP_DATA_LOSS;
	post = calloc(1, size_of(&g, summary));
	if (post == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	post->size = (uint32_t)size_of(&g, summary);
	post->key_id = key_id;
	fill(post, summary);
	if ((err = pack_all(post, &g, summary, &words)) != CDOP_OK) {
		index_post_free(post);
		return err;
	}
	*ret_post = post;
	return CDOP_OK;
}

void
index_post_free(struct index_post *post)
{
	if (post == NULL)
		return;
	cdop_secret_wipe(post, post->size);
	free(post);
}

/* ---- questions --------------------------------------------------------- */

bool
index_post_same_terms(const struct index_post *a, const struct index_post *b)
{
	const char *in_a = terms_of(a), *in_b = terms_of(b);
	size_t len = (size_t)(end_of(a) - in_a);

	return len == (size_t)(end_of(b) - in_b) &&
	    memcmp(in_a, in_b, len) == 0;
}

bool
index_post_has(
    const struct index_post *post, enum index_kind kind, const char *text)
{
	struct index_term term = {.text = NULL};

	while (index_post_term(post, &term))
		if (term.kind == kind && strcmp(term.text, text) == 0)
			return true;
	return false;
}

bool
index_post_knows(const struct index_post *post, enum index_kind kind)
{
	struct index_term term = {.text = NULL};

	while (index_post_term(post, &term))
		if (term.kind == kind)
			return true;
	return false;
}

bool
index_post_decided(const struct index_post *post, uint64_t case_id)
{
	const uint64_t *id = index_post_others(post);
	size_t i;

	for (i = 0; i < post->n_decided; i++)
		if (id[i] == case_id)
			return true;
	return false;
}

enum index_fit
index_post_fit(const struct index_post *post, bool death, struct cdop_span span,
    int32_t slack)
{
	enum index_fit best = INDEX_FIT_NONE, fit;
	const struct index_date *date = index_post_dates(post);
	size_t i;

	for (i = 0; i < post->n_date; i++, date++) {
		if (date->death != death)
			continue;
		if (date->span.first > span.last + slack ||
		    date->span.last < span.first - slack)
			fit = INDEX_FIT_NO;
		else if (date->exact && span.first == span.last)
			fit = INDEX_FIT_YES;
		else
			fit = INDEX_FIT_MAYBE;
		if (fit > best)
			best = fit;
	}
	return best;
}
