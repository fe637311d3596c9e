/* What was typed, compared with what two people give. */
#include "server/registry/audit_searched.h"

#include <string.h>

#include "cdop/fold.h"
#include "server/registry/audit_said.h"

#define NEAR       1 /* days that two dates may lie apart */
#define NUMBER     "child.nhs_number"
#define OTHER_NAME "other_name.family_name"

bool
audit_searched_enough(const struct cases_terms *asked)
{
	return asked->nhs[0] != '\0' || asked->family.folded[0] != '\0' ||
	    asked->mother.folded[0] != '\0';
}

/* ---- comparing ----------------------------------------------------------- */

/* One is a part of the other: Jones of Jones-Tarrant. */
static bool
is_part(const char *folded, const char *of)
{
	char part[CDOP_FOLD_MAX];

	while ((of = cdop_fold_part(of, part)) != NULL)
		if (cdop_fold_letters(part) >= INDEX_PART_LETTERS &&
		    strcmp(part, folded) == 0)
			return true;
	return false;
}

static bool
same_name(const char *one, const char *other)
{
	char a[CDOP_FOLD_MAX], b[CDOP_FOLD_MAX];
	char sound_a[CDOP_SOUND_MAX], sound_b[CDOP_SOUND_MAX];

	if (one == NULL || other == NULL || cdop_fold_name(one, a) == 0 ||
	    cdop_fold_name(other, b) == 0)
		return false;
	if (strcmp(a, b) == 0 || is_part(a, other) || is_part(b, one))
		return true;
	return cdop_fold_sound(a, sound_a) > 0 &&
	    cdop_fold_sound(b, sound_b) > 0 && strcmp(sound_a, sound_b) == 0;
}

/* A search takes the beginning of a name, or of one of its parts. */
static bool
begins(const char *name, const char *typed)
{
	char with[CDOP_FOLD_MAX], at[CDOP_FOLD_MAX];
	size_t len;

	if (name == NULL || typed == NULL)
		return false;
	len = cdop_fold_name(typed, with);
	if (cdop_fold_letters(with) < INDEX_PART_LETTERS)
		return false;
	(void)cdop_fold_name(name, at);
	if (strncmp(at, with, len) == 0)
		return true;
	while ((name = cdop_fold_part(name, at)) != NULL)
		if (strncmp(at, with, len) == 0)
			return true;
	return false;
}

static bool
finds(const char *name, const char *typed)
{
	return same_name(name, typed) || begins(name, typed);
}

/* A child without a name is looked for by its mother's. */
static bool
any_name(const struct cases_typed *asked, const struct cases_typed *typed)
{
	return finds(asked->family_name, typed->family_name) ||
	    finds(asked->family_name, typed->mother_name) ||
	    finds(asked->mother_name, typed->family_name) ||
	    finds(asked->mother_name, typed->mother_name);
}

static bool
is_other_day(const struct cases_when *one, const struct cases_when *other)
{
	return one->given && other->given &&
	    (one->span.last + NEAR < other->span.first ||
		other->span.last + NEAR < one->span.first);
}

static bool
is_same_day(const struct cases_when *one, const struct cases_when *other)
{
	return one->given && other->given && !is_other_day(one, other);
}

/* Compares nothing where one of the two says nothing. */
static bool
is_other_name(const char *one, const char *other)
{
	char folded[CDOP_FOLD_MAX];

	return one != NULL && other != NULL &&
	    cdop_fold_name(one, folded) > 0 &&
	    cdop_fold_name(other, folded) > 0 && !same_name(one, other);
}

bool
audit_searched_fits(
    const struct cases_typed *asked, const struct cases_typed *typed)
{
	struct cases_terms a, t;

	cases_terms_read(asked, &a);
	cases_terms_read(typed, &t);
	if (a.nhs[0] != '\0' && strcmp(a.nhs, t.nhs) == 0)
		return true;
	if (!any_name(asked, typed))
		return false;
	/* Ask tells such a child from none, whatever speaks against it. */
	if ((t.birth.full || t.death.full) &&
	    (is_same_day(&a.birth, &t.birth) ||
		is_same_day(&a.death, &t.death)))
		return true;
	return !is_other_name(asked->first_name, typed->first_name) &&
	    !is_other_day(&a.birth, &t.birth) &&
	    !is_other_day(&a.death, &t.death);
}

/* ---- beside a leaf ------------------------------------------------------- */

static struct cases_typed
read_terms(const Cdop__StoredTerms *stored)
{
	struct cases_typed typed = {.nhs_number = NULL};

	const struct {
		const char *kind;
		const char **value;
	} to[] = {
	    {NUMBER, &typed.nhs_number},
	    {"child.family_name", &typed.family_name},
	    {"child.first_names", &typed.first_name},
	    {"mother.family_name", &typed.mother_name},
	    {"birth.date", &typed.birth_date},
	    {"death.date", &typed.death_date},
	};

	size_t i, k;

	for (i = 0; i < stored->n_term; i++)
		for (k = 0; k < sizeof(to) / sizeof(*to); k++)
			if (strcmp(stored->term[i]->kind, to[k].kind) == 0)
				*to[k].value = stored->term[i]->value;
	return typed;
}

/*
 * By the name and number that the child has, or by one of the others that
 * were given.
 */
static bool
any_fits(const struct cases_typed *asked, const Cdop__StoredTerms *stored)
{
	struct cases_typed typed = read_terms(stored);
	bool fits = audit_searched_fits(asked, &typed);
	size_t i;

	for (i = 0; i < stored->n_term && !fits; i++) {
		if (strcmp(stored->term[i]->kind, NUMBER) == 0)
			typed.nhs_number = stored->term[i]->value;
		else if (strcmp(stored->term[i]->kind, OTHER_NAME) == 0)
			typed.family_name = stored->term[i]->value;
		else
			continue;
		fits = audit_searched_fits(asked, &typed);
	}
	return fits;
}

enum cdop_err
audit_searched_leaf(struct rows *rows, struct cdop_arena *arena,
    const struct audit_leaf *leaf, const struct cases_typed *asked,
    bool *ret_fits)
{
	size_t mark = cdop_arena_used(arena);
	Cdop__StoredTerms *stored;
	enum cdop_err err;

	err = audit_said_terms(rows, arena, leaf, &stored);
	*ret_fits = stored != NULL && any_fits(asked, stored);
	cdop_arena_rewind(arena, mark);
	return err;
}
