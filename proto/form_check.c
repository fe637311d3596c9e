/* A run of all rules over a form, and what overrides answer. */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/text.h"
#include "proto/form_inner.h"

#define E CDOP_SEVERITY_ERROR
#define W CDOP_SEVERITY_WARNING

/* Permanent: an id that goes is never used for something else. */
const struct cdop_rule cdop_form_rules[] = {
    {"path.unknown", E, "the path names no field of the dictionary"},
    {"entry.number", E, "entries are numbered from 1, each differently"},
    {"entry.too_many", E, "more entries than the group takes"},
    {"absent.path", E, "an absence names a field that is there"},
    {"absent.twice", E, "a field is listed as absent once"},
    {"absent.with_value", E, "a value, or an absence, not both"},
    {"absent.kind", E, "not known, not applicable or withheld"},
    {"absent.as_value", E, "an absence stands in the list of absences"},
    {"absent.reason_missing", W, "why there is no NHS number"},
    {"raised.path", E, "a raised class names a field and a class"},
    {"value.empty", E, "an empty text is no value: leave it out"},
    {"value.group", E, "a group takes #nk, #na or #ws, no value"},
    {"value.canonical", E, "a value comes in its canonical text"},
    {"text.utf8", E, "text is UTF-8"},
    {"text.control", E, "text holds no control characters"},
    {"text.too_long", E, "text keeps to its longest length"},
    {"date.form", E, "a date of the calendar, perhaps partial"},
    {"date.future", E, "nothing has happened tomorrow"},
    {"date.order", E, "what comes first comes first"},
    {"time.form", E, "a time of day, hh:mm"},
    {"time.order", E, "what comes first on a day comes first"},
    {"nhs.form", E, "ten digits"},
    {"nhs.spreadsheet", E, "the number was damaged by a spreadsheet"},
    {"nhs.check_digit", E, "the check digit is right"},
    {"nhs.repeated", E, "not one digit ten times"},
    {"nhs.training_range", E, "training takes numbers from 999 alone"},
    {"nhs.live_range", E, "a live registry takes none from 999"},
    {"nhs.sequence", W, "digits that only count look made up"},
    {"nhs.looks_like_chi", W, "begins with the date of birth, as CHI does"},
    {"nhs.reason_with_number", W, "a number, and a reason for having none"},
    {"postcode.form", E, "the form of a postcode"},
    {"postcode.pseudo_unknown", W, "a ZZ99 code that is not in use"},
    {"postcode.pseudo_retired", W, "a ZZ99 code that is not used any more"},
    {"code.unknown", E, "a code of its list"},
    {"code.retired", E, "a code that is in force"},
    {"choice.unknown", E, "one of the words"},
    {"area.unknown", E, "an area, a neighbour or another place"},
    {"area.retired", E, "an area that is in force"},
    {"agency.unknown", E, "an agency of the profile"},
    {"agency.retired", E, "an agency that is in force"},
    {"yes_no.form", E, "yes or no"},
    {"number.form", E, "a whole number in digits"},
    {"number.range", E, "a number in its range"},
    {"phone.form", W, "looks like a telephone number"},
    {"email.form", W, "looks like an e-mail address"},
    {"age.over_18", E, "under 18 at death, where it is in scope"},
    {"age.uncertain", W, "perhaps 18 or older at death"},
    {"age.conflict", W, "the estimated age agrees with the dates"},
    {"name.kind", W, "the name agrees with what is known of it"},
    {"birth.order", E, "birth order up to how many were born"},
    {"gestation.range", W, "20 to 43 weeks"},
    {"gestation.age", W, "under 24 weeks, and lived over 28 days"},
    {"weight.range", W, "300 to 6000 grams"},
    {"scope.reason_missing", E, "why it is out of scope"},
    {"scope.enquiry", W, "a possible stillbirth is an enquiry first"},
    {"accept.channel", E, "how it reached us"},
    {"accept.notified", E, "when the notifier told us"},
    {"accept.notifier", E, "who told us"},
    {"accept.way_back", E, "how to reach the notifier"},
    {"accept.name", E, "what is known of the name"},
    {"accept.baby_of", E, "whose baby it is"},
    {"accept.birth", E, "date of birth or estimated age"},
    {"accept.death", E, "date of death, or found"},
    {"accept.sex", E, "the sex, or that nobody knows it"},
    {"accept.residence", E, "area of residence"},
    {"accept.place", E, "place or area of death"},
    {"accept.identifiers", E, "two things by which to know the child"},
    {NULL, E, NULL},
};

#undef E
#undef W

/* Does an override speak of this finding, this value, and say why? */
static bool
is_answered(struct form_run *run, const char *path, const char *rule)
{
	const Cdop__Override *override;
	const char *value = NULL;
	size_t i;

	for (i = 0; i < run->check->n_override; i++) {
		override = run->check->override[i];
		if (strcmp(override->path, path) != 0 ||
		    strcmp(override->rule, rule) != 0)
			continue;
		if (value == NULL)
			value = cdop_form_text(run->form, path, run->arena);
		if (value == NULL) {
			run->err = CDOP_RESOURCE_EXHAUSTED;
			return false;
		}
		/* Another value now: the override is void. */
		if (strcmp(override->value, value) == 0 &&
		    override->reason[strspn(override->reason, " ")] != '\0' &&
		    cdop_text_length(override->reason) <= CDOP_REASON_MAX)
			return true;
	}
	return false;
}

void
cdop_form_find(struct form_run *run, enum cdop_severity severity,
    const char *path, const char *rule, const char *message)
{
	if (run->err != CDOP_OK)
		return;
	if (severity == CDOP_SEVERITY_WARNING && is_answered(run, path, rule))
		return;
	if (run->err == CDOP_OK)
		run->err = cdop_violation_add(
		    run->list, run->arena, severity, path, rule, message);
}

bool
cdop_form_span(
    const Cdop__Form *form, const char *path, struct cdop_span *ret_span)
{
	struct cdop_date date;

	if (!cdop_form_date(form, path, &date))
		return false;
	*ret_span = cdop_date_span(&date);
	return true;
}

enum cdop_err
cdop_form_check(const Cdop__Form *form, const struct cdop_check *check,
    struct cdop_arena *arena, struct cdop_violations *violations)
{
	struct form_run run = {
	    .form = form, .check = check, .arena = arena, .list = violations};
	size_t before = violations->n;
	enum cdop_err err;

	if ((err = cdop_form_shape(form, arena, violations)) != CDOP_OK)
		return err;
	/* The rest believes in the shape. */
	if (violations->n > before)
		return CDOP_OK;
	cdop_form_check_values(&run);
	cdop_form_check_dates(&run);
	cdop_form_check_child(&run);
	if (check->use == CDOP_FORM_NOTIFICATION)
		cdop_form_check_accept(&run);
	return run.err;
}
