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

/* Packs in this order, so that everything is aligned. */
struct packer {
	uint8_t *at;
	char *text;
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

static void *
pack(struct packer *p, const void *from, size_t n, size_t size)
{
	void *to = p->at;

	if (n > 0)
		memcpy(to, from, n * size);
	p->at += n * size;
	return to;
}

static const char *
pack_text(struct packer *p, const char *s)
{
	size_t len = strlen(s) + 1;
	char *to = p->text;

	memcpy(to, s, len);
	p->text += len;
	return to;
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
	post->case_version = s->case_version;
	post->record_version = s->record_version;
	post->responsible = s->has_responsible ? s->responsible : 0;
	post->registered_by = s->has_registered_by ? s->registered_by : 0;
	post->nameless = s->has_nameless && s->nameless;
	post->status = status_of(s->status);
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
	    g->n_term * sizeof(struct index_term) +
	    g->n_date * sizeof(struct index_date) +
	    s->n_interested * sizeof(struct index_interest) + g->text +
	    strlen(s->status) + 1 + strlen(or_empty(s->scope)) + 1 +
	    strlen(or_empty(s->shown_name)) + 1;
}

/* Everything behind the struct, the widest alignment first. */
static enum cdop_err
pack_all(struct index_post *post, const struct gather *g,
    const Cdop__StoredSummary *s, index_post_word_fn *word, void *ctx)
{
	struct packer p = {(uint8_t *)(post + 1), NULL};
	struct index_interest *interest;
	struct index_term *term;
	enum cdop_err err;
	size_t i;

	post->decided =
	    pack(&p, s->not_duplicate, s->n_not_duplicate, sizeof(uint64_t));
	post->n_decided = s->n_not_duplicate;
	post->pair = pack(&p, s->open_pair, s->n_open_pair, sizeof(uint64_t));
	post->n_pair = s->n_open_pair;
	term = pack(&p, g->term, g->n_term, sizeof(*term));
	post->term = term;
	post->n_term = g->n_term;
	post->date = pack(&p, g->date, g->n_date, sizeof(*g->date));
	post->n_date = g->n_date;
	interest = (struct index_interest *)(void *)p.at;
	p.at += s->n_interested * sizeof(*interest);
	post->interest = interest;
	post->n_interest = s->n_interested;

	p.text = (char *)p.at;
	for (i = 0; i < g->n_term; i++)
		term[i].text = pack_text(&p, g->term[i].text);
	post->status_text = pack_text(&p, s->status);
	post->scope = pack_text(&p, or_empty(s->scope));
	post->name = pack_text(&p, or_empty(s->shown_name));

	if ((err = word(ctx, s->owner_area, &post->owner)) != CDOP_OK)
		return err;
	post->jurisdiction = INDEX_NO_WORD;
	if (s->jurisdiction != NULL &&
	    (err = word(ctx, s->jurisdiction, &post->jurisdiction)) != CDOP_OK)
		return err;
	for (i = 0; i < s->n_interested; i++) {
		err = word(ctx, s->interested[i]->area, &interest[i].area);
		if (err != CDOP_OK)
			return err;
		interest[i].known = s->interested[i]->known;
	}
	return CDOP_OK;
}

enum cdop_err
index_post_new(const Cdop__StoredSummary *summary, uint64_t key_id,
    index_post_word_fn *word, void *ctx, struct cdop_arena *scratch,
    struct index_post **ret_post)
{
	struct gather g = {.arena = scratch};
	struct index_post *post;
	enum cdop_err err;
	size_t size;

	gather_all(&g, summary);
	if (g.err != CDOP_OK)
		return g.err;
	size = size_of(&g, summary);
	post = calloc(1, size);
	if (post == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	post->size = size;
	post->key_id = key_id;
	fill(post, summary);
	if ((err = pack_all(post, &g, summary, word, ctx)) != CDOP_OK) {
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

bool
index_post_has(
    const struct index_post *post, enum index_kind kind, const char *text)
{
	size_t i;

	for (i = 0; i < post->n_term; i++)
		if (post->term[i].kind == kind &&
		    strcmp(post->term[i].text, text) == 0)
			return true;
	return false;
}

bool
index_post_knows(const struct index_post *post, enum index_kind kind)
{
	size_t i;

	for (i = 0; i < post->n_term; i++)
		if (post->term[i].kind == kind)
			return true;
	return false;
}

bool
index_post_decided(const struct index_post *post, uint64_t case_id)
{
	size_t i;

	for (i = 0; i < post->n_decided; i++)
		if (post->decided[i] == case_id)
			return true;
	return false;
}

enum index_fit
index_post_fit(const struct index_post *post, bool death, struct cdop_span span,
    int32_t slack)
{
	enum index_fit best = INDEX_FIT_NONE, fit;
	const struct index_date *date;
	size_t i;

	for (i = 0; i < post->n_date; i++) {
		date = &post->date[i];
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
