/* The duplicate rule. */
#include "server/registry/duplicates.h"

#include <string.h>

#include "cdop/fold.h"

/* ---- what is compared -------------------------------------------------- */

/* A folded name onto a list, where there is room and the name is one. */
static enum cdop_err
add_folded(
    const char *folded, struct cdop_arena *arena, const char **list, size_t *n)
{
	if (*n == DUPLICATES_NAMES || *folded == '\0')
		return CDOP_OK;
	list[*n] = cdop_arena_strdup(arena, folded);
	if (list[*n] == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	(*n)++;
	return CDOP_OK;
}

/* The parts of a name of several, as the index keeps them. */
static enum cdop_err
add_parts(const char *name, const char *whole, struct cdop_arena *arena,
    const char **list, size_t *n)
{
	char part[CDOP_FOLD_MAX];
	const char *rest = name;
	enum cdop_err err = CDOP_OK;
	size_t i;

	for (i = 0; err == CDOP_OK && i < INDEX_PARTS_MAX &&
	     (rest = cdop_fold_part(rest, part)) != NULL;
	     i++)
		if (strcmp(part, whole) != 0 &&
		    cdop_fold_letters(part) >= INDEX_PART_LETTERS)
			err = add_folded(part, arena, list, n);
	return err;
}

/* A family name (NULL: none), whole and in parts, onto two lists. */
static enum cdop_err
add_family(const char *name, struct cdop_arena *arena, const char **whole,
    size_t *n_whole, const char **part, size_t *n_part)
{
	char folded[CDOP_FOLD_MAX];
	enum cdop_err err;

	if (name == NULL)
		return CDOP_OK;
	(void)cdop_fold_name(name, folded);
	err = add_folded(folded, arena, whole, n_whole);
	return err != CDOP_OK ? err
			      : add_parts(name, folded, arena, part, n_part);
}

/* The child's number and names: those it has, and others it is known by. */
static enum cdop_err
add_child(const Cdop__Form *form, struct cdop_arena *arena,
    struct duplicates_child *c)
{
	const Cdop__Child *child = form->child;
	char folded[CDOP_FOLD_MAX];
	enum cdop_err err = CDOP_OK;
	size_t i;

	if (child != NULL && child->nhs_number != NULL) {
		(void)cdop_fold_name(child->nhs_number, folded);
		err = add_folded(folded, arena, c->nhs, &c->n_nhs);
	}
	c->nameless = child == NULL || child->family_name == NULL;
	if (err == CDOP_OK && !c->nameless)
		err = add_family(child->family_name, arena, c->family,
		    &c->n_family, c->part, &c->n_part);
	for (i = 0; err == CDOP_OK && i < form->n_other_name; i++)
		err = add_family(form->other_name[i]->family_name, arena,
		    c->family, &c->n_family, c->part, &c->n_part);
	return err;
}

static void
add_date(const Cdop__Form *form, const char *path, bool death,
    struct duplicates_child *child)
{
	struct index_date *to = &child->date[child->n_date];
	struct cdop_date date;

	if (!cdop_form_date(form, path, &date))
		return;
	to->span = cdop_date_span(&date);
	to->death = death;
	to->exact = date.day != 0 && !date.estimated;
	child->n_date++;
}

enum cdop_err
duplicates_of_form(const Cdop__Form *form, struct cdop_arena *arena,
    struct duplicates_child *ret_child)
{
	struct duplicates_child *c = ret_child;
	enum cdop_err err;

	memset(c, 0, sizeof(*c));
	err = add_child(form, arena, c);
	if (err == CDOP_OK && form->mother != NULL)
		err = add_family(form->mother->family_name, arena, c->mother,
		    &c->n_mother, c->mother_part, &c->n_mother_part);
	if (err != CDOP_OK)
		return err;
	add_date(form, "birth.date", false, c);
	add_date(form, "death.date", true, c);
	return CDOP_OK;
}

static void
add_terms(const struct index_post *post, enum index_kind kind,
    const char **list, size_t *n)
{
	struct index_term term = {.text = NULL};

	while (*n < DUPLICATES_NAMES && index_post_term(post, &term))
		if (term.kind == kind)
			list[(*n)++] = term.text;
}

void
duplicates_of_post(
    const struct index_post *post, struct duplicates_child *ret_child)
{
	struct duplicates_child *c = ret_child;
	size_t i;

	memset(c, 0, sizeof(*c));
	add_terms(post, INDEX_NHS, c->nhs, &c->n_nhs);
	add_terms(post, INDEX_FAMILY, c->family, &c->n_family);
	add_terms(post, INDEX_MOTHER, c->mother, &c->n_mother);
	add_terms(post, INDEX_PART, c->part, &c->n_part);
	add_terms(post, INDEX_MOTHER_PART, c->mother_part, &c->n_mother_part);
	for (i = 0; i < post->n_date && i < DUPLICATES_NAMES; i++)
		c->date[c->n_date++] = index_post_dates(post)[i];
	c->nameless = post->nameless;
}

/* ---- comparing --------------------------------------------------------- */

static bool
shares(const char *const *list, size_t n, const struct index_post *post,
    enum index_kind kind)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (index_post_has(post, kind, list[i]))
			return true;
	return false;
}

/* How near dates of one kind come: 0 the same day, 1 a day off, 2 no. */
static int
distance(const struct duplicates_child *child, const struct index_post *post,
    bool death)
{
	int best = 2, here;
	size_t i;

	for (i = 0; i < child->n_date; i++) {
		if (child->date[i].death != death)
			continue;
		here = 2;
		if (index_post_fit(post, death, child->date[i].span, 0) >=
		    INDEX_FIT_MAYBE)
			here = 0;
		else if (index_post_fit(post, death, child->date[i].span, 1) >=
		    INDEX_FIT_MAYBE)
			here = 1;
		if (here < best)
			best = here;
	}
	return best;
}

/* Whose name it is, and whether the whole of it; in the order of words[]. */
enum shared {
	SHARED_FAMILY,
	SHARED_FAMILY_PART,
	SHARED_MOTHER,
	SHARED_MOTHER_PART,
	SHARED_NONE,
};

/* Is a whole name of one a part of the other's? */
static bool
shares_part(const char *const *whole, size_t n_whole, const char *const *part,
    size_t n_part, const struct index_post *post, enum index_kind kind,
    enum index_kind part_kind)
{
	return shares(whole, n_whole, post, part_kind) ||
	    shares(part, n_part, post, kind);
}

static enum shared
shared_mother(const struct duplicates_child *c, const struct index_post *post)
{
	if (shares(c->mother, c->n_mother, post, INDEX_MOTHER) ||
	    (c->nameless &&
		shares(c->mother, c->n_mother, post, INDEX_FAMILY)) ||
	    (post->nameless &&
		shares(c->family, c->n_family, post, INDEX_MOTHER)))
		return SHARED_MOTHER;
	if (shares_part(c->mother, c->n_mother, c->mother_part,
		c->n_mother_part, post, INDEX_MOTHER, INDEX_MOTHER_PART) ||
	    (c->nameless &&
		shares_part(c->mother, c->n_mother, c->mother_part,
		    c->n_mother_part, post, INDEX_FAMILY, INDEX_PART)) ||
	    (post->nameless &&
		shares_part(c->family, c->n_family, c->part, c->n_part, post,
		    INDEX_MOTHER, INDEX_MOTHER_PART)))
		return SHARED_MOTHER_PART;
	return SHARED_NONE;
}

static enum shared
shared_name(const struct duplicates_child *c, const struct index_post *post)
{
	if (shares(c->family, c->n_family, post, INDEX_FAMILY))
		return SHARED_FAMILY;
	if (shares_part(c->family, c->n_family, c->part, c->n_part, post,
		INDEX_FAMILY, INDEX_PART))
		return SHARED_FAMILY_PART;
	if (!c->nameless && !post->nameless)
		return SHARED_NONE;
	return shared_mother(c, post);
}

#define DAYS(name)                                                             \
	{                                                                      \
		{name ", date of birth +0", name ", date of birth +1"},        \
		{                                                              \
			name ", date of death +0", name ", date of death +1"   \
		}                                                              \
	}

bool
duplicates_compare(const struct duplicates_child *child,
    const struct index_post *post, struct duplicates_hit *hit)
{
	static const char *const words[SHARED_NONE][2][2] = {
	    DAYS("family name"),
	    DAYS("part of the family name"),
	    DAYS("mother's name"),
	    DAYS("part of the mother's name"),
	};
	enum shared name;
	int days, death;

	hit->n_reason = 0;
	if (shares(child->nhs, child->n_nhs, post, INDEX_NHS))
		hit->reason[hit->n_reason++] = DUPLICATES_SAME_NUMBER;
	name = shared_name(child, post);
	for (death = 0; name != SHARED_NONE && death < 2; death++) {
		days = distance(child, post, death != 0);
		if (days < 2)
			hit->reason[hit->n_reason++] = words[name][death][days];
	}
	return hit->n_reason > 0;
}

/* ---- finding ----------------------------------------------------------- */

struct search {
	const struct index *index;
	const struct duplicates_child *child;
	uint64_t self;
	struct cdop_arena *arena;
	struct duplicates_list list;
	size_t cap;
};

static enum cdop_err
add_hit(struct search *s, const struct duplicates_hit *hit)
{
	struct duplicates_hit *more;
	size_t i;

	for (i = 0; i < s->list.n; i++)
		if (s->list.hit[i].slot == hit->slot)
			return CDOP_OK;
	if (s->list.n == s->cap) {
		s->cap = s->cap == 0 ? 8 : s->cap * 2;
		more = cdop_arena_calloc(s->arena, s->cap, sizeof(*more));
		if (more == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (s->list.n > 0)
			memcpy(more, s->list.hit, s->list.n * sizeof(*more));
		s->list.hit = more;
	}
	s->list.hit[s->list.n++] = *hit;
	return CDOP_OK;
}

static enum cdop_err
search_terms(
    struct search *s, enum index_kind kind, const char *const *list, size_t n)
{
	struct duplicates_hit hit;
	const struct index_post *post;
	enum cdop_err err;
	uint32_t at;
	size_t i;

	for (i = 0; i < n; i++) {
		at = 0;
		while (index_find(s->index, kind, list[i], &at, &hit.slot)) {
			post = index_at(s->index, hit.slot);
			if (post->case_id == s->self ||
			    !duplicates_compare(s->child, post, &hit))
				continue;
			if ((err = add_hit(s, &hit)) != CDOP_OK)
				return err;
		}
	}
	return CDOP_OK;
}

/* Names that are looked for, each once: mother and child often share one. */
struct wanted {
	const char *name[4 * DUPLICATES_NAMES];
	size_t n;
};

static void
want(struct wanted *wanted, const char *const *list, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < wanted->n; k++)
			if (strcmp(wanted->name[k], list[i]) == 0)
				break;
		if (k == wanted->n)
			wanted->name[wanted->n++] = list[i];
	}
}

enum cdop_err
duplicates_find(const struct index *index, const struct duplicates_child *child,
    uint64_t self, struct cdop_arena *arena, struct duplicates_list *ret_list)
{
	/* Whole names are looked for everywhere, parts among whole names. */
	static const struct {
		enum index_kind kind;
		bool parts;
	} look[] = {
	    {INDEX_FAMILY, true},
	    {INDEX_MOTHER, true},
	    {INDEX_PART, false},
	    {INDEX_MOTHER_PART, false},
	};
	struct search s = {
	    .index = index, .child = child, .self = self, .arena = arena};
	struct wanted wanted;
	size_t n_whole, i;
	enum cdop_err err;

	wanted.n = 0;
	want(&wanted, child->family, child->n_family);
	want(&wanted, child->mother, child->n_mother);
	n_whole = wanted.n;
	want(&wanted, child->part, child->n_part);
	want(&wanted, child->mother_part, child->n_mother_part);
	err = search_terms(&s, INDEX_NHS, child->nhs, child->n_nhs);
	for (i = 0; err == CDOP_OK && i < sizeof(look) / sizeof(*look); i++)
		err = search_terms(&s, look[i].kind, wanted.name,
		    look[i].parts ? wanted.n : n_whole);
	if (err != CDOP_OK)
		return err;
	*ret_list = s.list;
	return CDOP_OK;
}
