/* One question, three answers. */
#include "server/registry/cases_ask.h"

#include <string.h>

#include "cdop/profile.h"
#include "server/registry/cases_inner.h"

/* How one case answers the terms. */
enum fit {
	FIT_NO,
	FIT_MAYBE, /* something is not certain or speaks against it */
	FIT_YES,
};

struct search {
	struct cases_act *act;
	struct cases_terms terms;
	uint32_t yes[2]; /* slots; two are as good as many */
	size_t n_yes;
	size_t n_maybe;
	bool foreign; /* there is one that is not theirs to know */
};

/* ---- one case ---------------------------------------------------------- */

static enum fit
fit_dates(const struct cases_terms *terms, const struct index_post *post)
{
	const struct cases_when *when[] = {&terms->birth, &terms->death};
	size_t yes = 0, maybe = 0, no = 0, i;
	enum index_fit fit;

	for (i = 0; i < 2; i++) {
		if (!when[i]->given)
			continue;
		fit = index_post_fit(post, i == 1, when[i]->span, 0);
		yes += fit == INDEX_FIT_YES;
		maybe += fit == INDEX_FIT_MAYBE;
		no += fit == INDEX_FIT_NO;
	}
	if (yes + maybe == 0)
		return FIT_NO;
	return yes > 0 && no == 0 ? FIT_YES : FIT_MAYBE;
}

/* Of a case whose name matches. */
static enum fit
fit_rest(const struct cases_terms *terms, const struct index_post *post)
{
	enum fit fit = fit_dates(terms, post);

	if (fit != FIT_YES)
		return fit;
	if (cases_terms_first(terms, post) == CASES_FIRST_OTHER)
		return FIT_MAYBE;
	if (terms->nhs[0] != '\0' && index_post_knows(post, INDEX_NHS))
		return FIT_MAYBE;
	return FIT_YES;
}

static void
count(struct search *s, uint32_t slot, enum fit fit)
{
	bool known =
	    access_may_know(&s->act->access, index_at(s->act->index, slot));

	if (fit == FIT_NO || (s->n_yes > 0 && s->yes[0] == slot))
		return;
	if (!known) {
		s->foreign = true;
		return;
	}
	if (fit == FIT_MAYBE)
		s->n_maybe++;
	else if (s->n_yes < 2)
		s->yes[s->n_yes++] = slot;
}

/* ---- all cases --------------------------------------------------------- */

static void
by_nhs(struct search *s)
{
	uint32_t at = 0, slot;

	while (index_find(s->act->index, INDEX_NHS, s->terms.nhs, &at, &slot))
		count(s, slot, FIT_YES);
}

/* One kind of term; of a mother's name only where it stands for the child. */
static void
look(struct search *s, enum index_kind kind, const char *text, bool nameless)
{
	const struct index_post *post;
	uint32_t at = 0, slot;

	while (index_find(s->act->index, kind, text, &at, &slot)) {
		post = index_at(s->act->index, slot);
		if (!nameless || post->nameless)
			count(s, slot, fit_rest(&s->terms, post));
	}
}

/* Names that fold alike sound alike or have no sound. */
static void
by_name(struct search *s)
{
	const struct cases_name *name = &s->terms.family;
	bool sound = name->sound[0] != '\0';
	const char *text = sound ? name->sound : name->folded;

	look(s, sound ? INDEX_SOUND : INDEX_FAMILY, text, false);
	look(s, INDEX_PART, name->folded, false);
	look(s, sound ? INDEX_MOTHER_SOUND : INDEX_MOTHER, text, true);
	look(s, INDEX_MOTHER_PART, name->folded, true);
}

static bool
has_names(const struct cases_terms *terms)
{
	return terms->family.folded[0] != '\0' && !terms->birth.wrong &&
	    !terms->death.wrong && (terms->birth.full || terms->death.full);
}

/* ---- the answer -------------------------------------------------------- */

static void
match(struct cases_ask *ask, const char *what)
{
	if (ask->n_matched < CASES_MATCHED_MAX)
		ask->matched[ask->n_matched++] = what;
}

/*
 * The record's number stands first (summary.c).  Another one was corrected,
 * or stands in a notification alone: it may have been an error.
 */
static bool
is_first_number(const struct index_post *post, const char *number)
{
	struct index_term term = {.text = NULL};

	while (index_post_term(post, &term))
		if (term.kind == INDEX_NHS)
			return strcmp(term.text, number) == 0;
	return false;
}

static void
say_matched(const struct search *s, struct cases_ask *ask)
{
	const struct index_post *post = index_at(s->act->index, ask->slot);
	const struct cases_terms *t = &s->terms;

	if (t->nhs[0] != '\0' && index_post_has(post, INDEX_NHS, t->nhs))
		match(ask,
		    is_first_number(post, t->nhs)
			? "NHS number"
			: "earlier or other NHS number");
	if (index_post_has(post, INDEX_FAMILY, t->family.folded))
		match(ask, "family name");
	else if (index_post_has(post, INDEX_PART, t->family.folded))
		match(ask, "part of the family name");
	else if (index_post_has(post, INDEX_SOUND, t->family.sound))
		match(ask, "family name by sound");
	else if (index_post_has(post, INDEX_MOTHER, t->family.folded) ||
	    index_post_has(post, INDEX_MOTHER_PART, t->family.folded) ||
	    index_post_has(post, INDEX_MOTHER_SOUND, t->family.sound))
		match(ask, "mother's name");
	if (cases_terms_first(t, post) == CASES_FIRST_SAME)
		match(ask, "first name");
	if (t->birth.given &&
	    index_post_fit(post, false, t->birth.span, 0) == INDEX_FIT_YES)
		match(ask, "date of birth");
	if (t->death.given &&
	    index_post_fit(post, true, t->death.span, 0) == INDEX_FIT_YES)
		match(ask, "date of death");
}

static enum cdop_err
check_terms(struct cases_act *act, const struct cases_typed *typed)
{
	enum cdop_err err;

	err = cases_check_line(act, "nhs_number", typed->nhs_number);
	if (err == CDOP_OK)
		err = cases_check_line(act, "family_name", typed->family_name);
	if (err == CDOP_OK)
		err = cases_check_line(act, "first_name", typed->first_name);
	if (err == CDOP_OK)
		err = cases_check_line(act, "birth_date", typed->birth_date);
	if (err == CDOP_OK)
		err = cases_check_line(act, "death_date", typed->death_date);
	return err;
}

/*
 * Whoever works for no area may know of no child: to say "not known" of
 * every one there is would be a false comfort.
 */
static enum cdop_err
check_area(struct cases_act *act)
{
	const struct cdop_profile *profile = act->reg->profile;
	const struct cdop_area *holding = cdop_profile_holding(profile);
	size_t i;

	if (act->actor->all_areas)
		return CDOP_OK;
	for (i = 0; i < act->actor->n_areas; i++)
		if (holding == NULL ||
		    strcmp(act->actor->areas[i], holding->id) != 0)
			return CDOP_OK;
	return cases_refuse(act, CDOP_FAILED_PRECONDITION, "no_area",
	    "you work for no area, so nothing can be answered: ring the panel "
	    "office");
}

enum cdop_err
cases_ask(struct cases_act *act, struct cases_ask *ask)
{
	struct search s = {.act = act};
	enum cdop_err err;

	if ((err = check_area(act)) != CDOP_OK)
		return err;
	if ((err = check_terms(act, &ask->typed)) != CDOP_OK)
		return err;
	if (!access_limits_ask(cases_inner_limits(act->cases),
		act->actor->person, act->now_ms,
		act->reg->profile->asks_per_day))
		return cases_refuse(act, CDOP_RESOURCE_EXHAUSTED, "ask_limit",
		    "you have asked as often as this registry allows in a "
		    "day: ring the panel office");
	cases_terms_read(&ask->typed, &s.terms);
	cases_terms_past(&s.terms, act->now_ms);
	ask->understood =
	    cases_terms_words(&s.terms, CASES_ASK_ECHO, act->arena);
	if (ask->understood == NULL)
		return CDOP_RESOURCE_EXHAUSTED;

	ask->answer = CASES_NOT_ENOUGH;
	if (s.terms.nhs[0] == '\0' && !has_names(&s.terms))
		return CDOP_OK;
	if (s.terms.nhs[0] != '\0')
		by_nhs(&s);
	if (s.n_yes == 0 && has_names(&s.terms))
		by_name(&s);
	if (s.n_yes == 1) {
		ask->answer = CASES_KNOWN;
		ask->slot = s.yes[0];
		say_matched(&s, ask);
	} else if (s.n_yes == 0 && s.n_maybe == 0) {
		ask->answer = CASES_NOT_KNOWN;
		act->true_outcome =
		    s.foreign ? CDOP_PERMISSION_DENIED : CDOP_NOT_FOUND;
	}
	return CDOP_OK;
}
