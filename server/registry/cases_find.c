/* Find: few cases by enough terms. */
#include <string.h>

#include "cdop/profile.h"
#include "server/registry/cases_list.h"
#include "server/registry/cases_terms.h"

struct search {
	struct cases_act *act;
	struct cases_find *find;
	struct cases_terms terms;
	size_t max;
};

/* At least one date fits and none speaks against it. */
static bool
dates_fit(const struct cases_terms *terms, const struct index_post *post)
{
	enum index_fit birth = INDEX_FIT_NONE, death = INDEX_FIT_NONE;

	if (terms->birth.given)
		birth = index_post_fit(post, false, terms->birth.span, 0);
	if (terms->death.given)
		death = index_post_fit(post, true, terms->death.span, 0);
	if (birth == INDEX_FIT_NO || death == INDEX_FIT_NO)
		return false;
	return birth >= INDEX_FIT_MAYBE || death >= INDEX_FIT_MAYBE;
}

static void
take(struct search *s, uint32_t slot)
{
	struct cases_find *find = s->find;
	size_t i;

	for (i = 0; i < find->n; i++)
		if (find->slot[i] == slot)
			return;
	if (find->n == s->max)
		find->more = true;
	else
		find->slot[find->n++] = slot;
}

/* Also of a case whose name fits: do its dates and first name? */
static bool
rest_fits(const struct search *s, const struct index_post *post)
{
	return dates_fit(&s->terms, post) &&
	    cases_terms_first(&s->terms, post) != CASES_FIRST_OTHER;
}

/* What a case that a term finds has to have besides. */
enum besides {
	NOTHING,       /* a number decides */
	REST,          /* dates and a first name that fit */
	REST_NAMELESS, /* and no name of its own: its mother's stands for it */
};

static void
look(struct search *s, enum index_kind kind, const char *text,
    enum besides besides)
{
	const struct index_post *post;
	uint32_t at = 0, slot;

	if (*text == '\0')
		return;
	while (!s->find->more &&
	    index_find(s->act->index, kind, text, &at, &slot)) {
		post = index_at(s->act->index, slot);
		if (!access_may_see(&s->act->access, post))
			continue;
		if (besides == REST_NAMELESS && !post->nameless)
			continue;
		if (besides != NOTHING && !rest_fits(s, post))
			continue;
		take(s, slot);
	}
}

/* The beginning of a name, with its length; 0: it is too short for one. */
struct beginning {
	const char *text;
	size_t len;
};

static struct beginning
beginning_of(const struct search *s, const struct cases_name *name)
{
	size_t min = s->act->reg->profile->find_minimum;
	struct beginning with = {.text = name->folded};

	if (cdop_fold_letters(name->folded) >= min)
		with.len = strlen(name->folded);
	return with;
}

static bool
begins(const char *text, const struct beginning *with)
{
	return with->len > 0 && strncmp(text, with->text, with->len) == 0;
}

static bool
name_begins(const struct index_post *post, const struct beginning *family,
    const struct beginning *mother)
{
	struct index_term term = {.text = NULL};
	bool is_mother;

	while (index_post_term(post, &term)) {
		is_mother =
		    term.kind == INDEX_MOTHER || term.kind == INDEX_MOTHER_PART;
		if (is_mother && begins(term.text, mother))
			return true;
		if ((term.kind == INDEX_FAMILY || term.kind == INDEX_PART ||
			(is_mother && post->nameless)) &&
		    begins(term.text, family))
			return true;
	}
	return false;
}

/*
 * What was typed may be the beginning of a name.  Every case is looked at,
 * which the table of terms is no help with: only where nothing else fits.
 */
static void
look_through(struct search *s)
{
	const struct beginning family = beginning_of(s, &s->terms.family);
	const struct beginning mother = beginning_of(s, &s->terms.mother);
	const struct access *access = &s->act->access;
	const struct index *index = s->act->index;
	const struct index_post *post;
	uint32_t slot;

	for (slot = 0; slot < index_count(index) && !s->find->more; slot++) {
		if (!access_may_see_some(
			access, index_glance(index, slot)->owner))
			continue;
		post = index_at(index, slot);
		if (access_may_see(access, post) && rest_fits(s, post) &&
		    name_begins(post, &family, &mother))
			take(s, slot);
	}
}

static enum cdop_err
bad_date(
    struct cases_act *act, const char *field, const struct cases_when *when)
{
	return when->ahead ? cases_bad_field(act, field, "date.future",
				 "in the future: check day, month and year, "
				 "or what day the registry goes by: cdop "
				 "status")
			   : cases_bad_field(act, field, "date.form",
				 "not a date: 20/11/2026, 05/2026, 2026");
}

static enum cdop_err
check_terms(struct search *s)
{
	const struct cases_terms *t = &s->terms;
	size_t min = s->act->reg->profile->find_minimum;

	if (t->nhs_wrong)
		return cases_bad_field(s->act, "nhs_number", "nhs.wrong",
		    "not a valid NHS number: look at the digits again");
	if (t->birth.wrong)
		return bad_date(s->act, "birth_date", &t->birth);
	if (t->death.wrong)
		return bad_date(s->act, "death_date", &t->death);
	if (t->nhs[0] != '\0')
		return CDOP_OK;
	if (t->family.folded[0] == '\0' && t->mother.folded[0] == '\0')
		return cases_bad_field(s->act, "family_name", "find.minimum",
		    "give an NHS number, or a family name or the mother's, "
		    "with one date");
	/* Na, Li and Ng are names too: they want a whole date. */
	if (!t->birth.full && !t->death.full &&
	    cdop_fold_letters(t->family.folded) < min &&
	    cdop_fold_letters(t->mother.folded) < min)
		return cases_bad_field(s->act, "family_name", "find.minimum",
		    "a name that short is looked for with a whole date of "
		    "birth or of death");
	if (!t->birth.given && !t->death.given)
		return cases_bad_field(s->act, "birth_date", "find.minimum",
		    "give a date of birth or of death too, the year at least");
	return CDOP_OK;
}

enum cdop_err
cases_find(struct cases_act *act, struct cases_find *find)
{
	struct cases_typed typed = {
	    .nhs_number = find->nhs_number,
	    .family_name = find->family_name,
	    .first_name = find->first_name,
	    .birth_date = find->birth_date,
	    .death_date = find->death_date,
	    .mother_name = find->mother_name,
	};
	struct search s = {.act = act, .find = find};
	enum cdop_err err;

	s.max = act->reg->profile->find_results_max;
	if (s.max == 0 || s.max > CASES_FIND_MAX)
		s.max = CASES_FIND_MAX;
	cases_terms_read(&typed, &s.terms);
	cases_terms_past(&s.terms, act->now_ms);
	find->understood =
	    cases_terms_words(&s.terms, CDOP_FOLD_MAX, act->arena);
	if (find->understood == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = check_terms(&s)) != CDOP_OK)
		return err;

	look(&s, INDEX_NHS, s.terms.nhs, NOTHING);
	if (!s.terms.birth.given && !s.terms.death.given)
		return CDOP_OK;
	look(&s, INDEX_FAMILY, s.terms.family.folded, REST);
	look(&s, INDEX_MOTHER, s.terms.family.folded, REST_NAMELESS);
	look(&s, INDEX_MOTHER, s.terms.mother.folded, REST);
	look(&s, INDEX_SOUND, s.terms.family.sound, REST);
	look(&s, INDEX_MOTHER_SOUND, s.terms.family.sound, REST_NAMELESS);
	look(&s, INDEX_MOTHER_SOUND, s.terms.mother.sound, REST);
	look(&s, INDEX_PART, s.terms.family.folded, REST);
	look(&s, INDEX_MOTHER_PART, s.terms.family.folded, REST_NAMELESS);
	look(&s, INDEX_MOTHER_PART, s.terms.mother.folded, REST);
	if (find->n == 0)
		look_through(&s);
	return CDOP_OK;
}
