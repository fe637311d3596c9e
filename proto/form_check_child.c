/* Rules about the child: age, NHS number, name, birth, scope. */
#include <string.h>

#include "cdop/nhs.h"
#include "proto/form_inner.h"

#define ADULT 18

static void
warn(struct form_run *run, const char *path, const char *rule,
    const char *message)
{
	cdop_form_find(run, CDOP_SEVERITY_WARNING, path, rule, message);
}

static bool
is_in_scope(const Cdop__Form *form)
{
	return form->scope == NULL || !form->scope->has_decision ||
	    form->scope->decision == CDOP__SCOPE__SCOPE_IN;
}

/* ---- age --------------------------------------------------------------- */

static void
find_age(struct form_run *run, const char *path, bool always, bool perhaps)
{
	if (!is_in_scope(run->form))
		return; /* recorded with its scope, not refused */
	if (always)
		cdop_form_find(run, CDOP_SEVERITY_ERROR, path, "age.over_18",
		    "18 or older at death: check the dates, or record it with "
		    "scope enquiry or out and the reason");
	else if (perhaps)
		warn(run, path, "age.uncertain",
		    "may have been 18 or older at death: can a date be had "
		    "more exactly? if not, say why it is taken as in scope");
}

/* Completed years at death, least and most, by the dates; false: unknown. */
static bool
age_range(struct form_run *run, int *ret_least, int *ret_most)
{
	const Cdop__Death *death = run->form->death;
	bool early =
	    run->check->profile != NULL && run->check->profile->feb29_early;
	struct cdop_span born;
	struct cdop_span died;

	if (!cdop_form_span(run->form, "birth.date", &born) ||
	    !cdop_form_span(run->form, "death.date", &died))
		return false;
	/* Found on that day: the death may lie anywhere before. */
	if (death != NULL && death->has_date_is_found && death->date_is_found)
		died.first = born.last < died.first ? born.last : died.first;
	/* The youngest reading: born last, died first. */
	*ret_least = cdop_date_age(born.last, died.first, early);
	*ret_most = cdop_date_age(born.first, died.last, early);
	return true;
}

static void
check_age(struct form_run *run)
{
	const Cdop__Child *child = run->form->child;
	bool has_guess = child != NULL && child->has_estimated_age &&
	    child->estimated_age <= 200;
	int guess = has_guess ? (int)child->estimated_age : 0;
	int least;
	int most;

	if (age_range(run, &least, &most)) {
		find_age(run, "birth.date", least >= ADULT, most >= ADULT);
		if (has_guess && (guess + 1 < least || guess - 1 > most))
			warn(run, "child.estimated_age", "age.conflict",
			    "the estimated age does not agree with the dates: "
			    "which is right?");
	} else if (has_guess) {
		/* An estimate counts a year either way. */
		find_age(run, "child.estimated_age", guess - 1 >= ADULT,
		    guess + 1 >= ADULT);
	}
}

/* ---- NHS number -------------------------------------------------------- */

static void
check_nhs(struct form_run *run)
{
	const Cdop__Child *child = run->form->child;
	struct cdop_path number;
	struct cdop_date birth;
	enum cdop_value_state state;

	if (child == NULL ||
	    cdop_form_path_parse("child.nhs_number", &number) != CDOP_OK)
		return;
	state = cdop_form_state(run->form, &number);
	if (state == CDOP_VALUE_NOT_ASKED)
		return;
	if (state != CDOP_VALUE_GIVEN) {
		if (child->nhs_number_absent_reason == NULL)
			warn(run, "child.nhs_number", "absent.reason_missing",
			    "say why there is no NHS number, or leave it "
			    "empty until it is asked");
		return;
	}
	if (child->nhs_number_absent_reason != NULL)
		warn(run, "child.nhs_number_absent_reason",
		    "nhs.reason_with_number",
		    "there is an NHS number, and a reason for having none: "
		    "which is right?");
	if (cdop_form_date(run->form, "birth.date", &birth) &&
	    cdop_nhs_looks_like_chi(child->nhs_number, &birth))
		warn(run, "child.nhs_number", "nhs.looks_like_chi",
		    "begins with the date of birth, as a Scottish CHI number "
		    "does: is it an NHS number?");
}

/* ---- name -------------------------------------------------------------- */

static void
check_name(struct form_run *run)
{
	const Cdop__Child *child = run->form->child;
	bool family;
	bool first;
	bool odd = false;

	if (child == NULL || !child->has_name_kind)
		return;
	family = child->family_name != NULL;
	first = child->first_names != NULL;
	switch (child->name_kind) {
	case CDOP__NAME_KIND__NAME_KNOWN:
		odd = !family || !first;
		break;
	case CDOP__NAME_KIND__NAME_ONE_ONLY:
		odd = family == first;
		break;
	case CDOP__NAME_KIND__NAME_BABY_OF:
		odd = first;
		break;
	case CDOP__NAME_KIND__NAME_UNKNOWN:
		odd = family || first;
		break;
	case _CDOP__NAME_KIND_IS_INT_SIZE:
		break;
	}
	if (odd)
		warn(run, "child.name_kind", "name.kind",
		    "the names that are given do not agree with what is said "
		    "to be known of the name");
}

/* ---- birth ------------------------------------------------------------- */

static void
check_birth(struct form_run *run)
{
	const Cdop__Birth *birth = run->form->birth;
	struct cdop_span born;
	struct cdop_span died;

	if (birth == NULL)
		return;
	if (birth->has_order && birth->has_multiplicity &&
	    birth->order > birth->multiplicity)
		cdop_form_find(run, CDOP_SEVERITY_ERROR, "birth.order",
		    "birth.order",
		    "birth order is higher than how many were born");
	if (birth->has_weight_grams &&
	    (birth->weight_grams < 300 || birth->weight_grams > 6000))
		warn(run, "birth.weight_grams", "weight.range",
		    "outside 300 to 6000 grams: are these grams?");
	if (!birth->has_gestation_weeks)
		return;
	if (birth->gestation_weeks < 20 || birth->gestation_weeks > 43)
		warn(run, "birth.gestation_weeks", "gestation.range",
		    "outside 20 to 43 completed weeks: is it so?");
	if (birth->gestation_weeks < 24 &&
	    cdop_form_span(run->form, "birth.date", &born) &&
	    cdop_form_span(run->form, "death.date", &died) &&
	    died.first - born.last > 28)
		warn(run, "birth.gestation_weeks", "gestation.age",
		    "born before 24 weeks and lived over 28 days: is it so?");
}

/* ---- scope ------------------------------------------------------------- */

static void
check_scope(struct form_run *run)
{
	const Cdop__ScopeDecision *scope = run->form->scope;
	const Cdop__Birth *birth = run->form->birth;

	if (scope != NULL && scope->has_decision &&
	    scope->decision == CDOP__SCOPE__SCOPE_OUT && scope->reason == NULL)
		cdop_form_find(run, CDOP_SEVERITY_ERROR, "scope.reason",
		    "scope.reason_missing", "say why it is out of scope");
	if (is_in_scope(run->form) && birth != NULL &&
	    birth->has_possible_stillbirth && birth->possible_stillbirth)
		warn(run, "birth.possible_stillbirth", "scope.enquiry",
		    "a possible stillbirth is recorded with scope enquiry "
		    "until a live birth is shown; or say why it is in scope");
}

void
cdop_form_check_child(struct form_run *run)
{
	check_age(run);
	check_nhs(run);
	check_name(run);
	check_birth(run);
	check_scope(run);
}
