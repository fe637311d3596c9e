/* Rules about one value at a time: its form, its list, its look. */
#include <string.h>

#include "cdop/nhs.h"
#include "cdop/postcode.h"
#include "proto/form_inner.h"

struct value {
	const struct cdop_path *path;
	const char *where;
	const char *text;
};

/* Did the same value stand there before?  Then it may be an old code. */
static bool
stood_before(struct form_run *run, const struct value *value)
{
	const char *before;

	if (run->check->before == NULL)
		return false;
	before = cdop_form_text(run->check->before, value->where, run->arena);
	if (before == NULL) {
		run->err = CDOP_RESOURCE_EXHAUSTED;
		return false;
	}
	return strcmp(before, value->text) == 0;
}

static void
check_in_force(struct form_run *run, const struct value *value,
    struct cdop_span when, const char *rule)
{
	if (cdop_span_holds(when, run->check->today) ||
	    stood_before(run, value))
		return;
	cdop_form_find(run, CDOP_SEVERITY_ERROR, value->where, rule,
	    "not in force today: it can be read, but not entered any more; "
	    "choose the one that took its place");
}

static void
check_code(struct form_run *run, const struct value *value)
{
	const struct cdop_code *code;

	code = cdop_profile_code(run->check->profile, value->path->field->list,
	    value->text, run->check->today);
	if (code != NULL)
		check_in_force(run, value, code->when, "code.retired");
}

static void
check_area(struct form_run *run, const struct value *value)
{
	const struct cdop_profile *profile = run->check->profile;
	const struct cdop_area *area;
	const struct cdop_neighbour *neighbour;
	const struct cdop_code *code;

	if ((area = cdop_profile_area(profile, value->text)) != NULL) {
		check_in_force(run, value, area->when, "area.retired");
		return;
	}
	neighbour = cdop_profile_neighbour(profile, value->text);
	if (neighbour != NULL) {
		check_in_force(run, value, neighbour->when, "area.retired");
		return;
	}
	code = cdop_profile_code(
	    profile, "area_other", value->text, run->check->today);
	if (code != NULL)
		check_in_force(run, value, code->when, "area.retired");
}

static void
check_agency(struct form_run *run, const struct value *value)
{
	const struct cdop_agency *agency;

	agency = cdop_profile_agency(run->check->profile, value->text);
	if (agency != NULL)
		check_in_force(run, value, agency->when, "agency.retired");
}

static void
check_nhs(struct form_run *run, const struct value *value)
{
	bool is_test = cdop_nhs_is_test(value->text);

	if (run->check->training && !is_test)
		cdop_form_find(run, CDOP_SEVERITY_ERROR, value->where,
		    "nhs.training_range",
		    "this is a training registry: it takes only numbers that "
		    "begin with 999, and no real child");
	if (!run->check->training && is_test)
		cdop_form_find(run, CDOP_SEVERITY_ERROR, value->where,
		    "nhs.live_range",
		    "numbers that begin with 999 are for training: take the "
		    "number from the source again");
	if (cdop_nhs_is_sequence(value->text))
		cdop_form_find(run, CDOP_SEVERITY_WARNING, value->where,
		    "nhs.sequence",
		    "the digits only count up or down: is it the true number?");
}

static void
check_postcode(struct form_run *run, const struct value *value)
{
	const struct cdop_code *code;

	if (cdop_postcode_kind(value->text) == CDOP_POSTCODE_PSEUDO_UNKNOWN)
		cdop_form_find(run, CDOP_SEVERITY_WARNING, value->where,
		    "postcode.pseudo_unknown",
		    "a ZZ99 code that is not in use: ZZ99 3VZ is no fixed "
		    "abode, ZZ99 3CZ is England unspecified");
	if (cdop_postcode_kind(value->text) == CDOP_POSTCODE_ORDINARY ||
	    run->check->profile == NULL)
		return;
	code = cdop_profile_code(run->check->profile, "pseudo_postcode",
	    value->text, run->check->today);
	if (code != NULL && !cdop_span_holds(code->when, run->check->today) &&
	    !stood_before(run, value))
		cdop_form_find(run, CDOP_SEVERITY_WARNING, value->where,
		    "postcode.pseudo_retired",
		    "a ZZ99 code that is not used any more: look up the one "
		    "that took its place");
}

/* The 0 in front is gone, or most of the digits: 1514960000, 1.51496E+09. */
static bool
is_spreadsheet_phone(const char *text)
{
	return (text[0] != '0' && strlen(text) == 10 &&
		   strspn(text, "0123456789") == 10) ||
	    strstr(text, "E+") != NULL;
}

static void
check_phone(struct form_run *run, const struct value *value)
{
	size_t digits = 0;
	const char *s;

	if (is_spreadsheet_phone(value->text)) {
		cdop_form_find(run, CDOP_SEVERITY_WARNING, value->where,
		    "phone.form",
		    "spreadsheet damage: the 0 in front or some digits are "
		    "lost; take it from the source again, as text");
		return;
	}

	for (s = value->text; *s != '\0'; s++) {
		if (*s >= '0' && *s <= '9')
			digits++;
		else if (strchr(" ()+-./extEXT,", *s) == NULL)
			break;
	}
	if (*s != '\0' || digits < 5 || digits > 20)
		cdop_form_find(run, CDOP_SEVERITY_WARNING, value->where,
		    "phone.form",
		    "does not look like a telephone number: is it the way to "
		    "reach them?");
}

static void
check_email(struct form_run *run, const struct value *value)
{
	const char *at = strchr(value->text, '@');

	if (at == NULL || at == value->text || strchr(at + 1, '@') != NULL ||
	    strchr(at, '.') == NULL || at[strlen(at) - 1] == '.' ||
	    strchr(value->text, ' ') != NULL)
		cdop_form_find(run, CDOP_SEVERITY_WARNING, value->where,
		    "email.form",
		    "does not look like an e-mail address: is it the way to "
		    "reach them?");
}

/* ---- dates ------------------------------------------------------------- */

/* Where clocks are ahead of ours, it can be tomorrow already. */
static bool
is_abroad(struct form_run *run)
{
	static const struct {
		const char *path;
		const char *list;
	} places[] = {
	    {"area.death", "area_other"},
	    {"place.type", "place_of_death"},
	};
	const struct cdop_code *code;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (run->check->profile == NULL)
			return false;
		text = cdop_form_text(run->form, places[i].path, run->arena);
		if (text == NULL)
			return false;
		code = cdop_profile_code(run->check->profile, places[i].list,
		    text, run->check->today);
		if (code != NULL && (code->flags & CDOP_CODE_ABROAD) != 0)
			return true;
	}
	return false;
}

static bool
may_be_ahead(const struct cdop_field *field)
{
	return strcmp(field->path, "follow_up.appointment_date") == 0;
}

static void
check_date(struct form_run *run, const struct value *value,
    const struct cdop_date *date)
{
	const struct cdop_field *field = value->path->field;
	struct cdop_span span = cdop_date_span(date);

	if (field->group_max == 0) {
		CDOP_ASSERT(run->n_date < FORM_DATES);
		run->date[run->n_date++] = (struct form_date){
		    .field = field, .date = *date, .span = span};
	}
	if (span.first > run->check->today && !may_be_ahead(field) &&
	    (span.first > run->check->today + 1 || !is_abroad(run)))
		cdop_form_find(run, CDOP_SEVERITY_ERROR, value->where,
		    "date.future",
		    "in the future: check day, month and year, or what day "
		    "the registry goes by: cdop status");
}

/* ---- each value -------------------------------------------------------- */

static void
check_look(struct form_run *run, const struct value *value,
    const struct form_reading *reading)
{
	enum cdop_kind kind = value->path->field->kind;

	if (kind == CDOP_KIND_DATE)
		check_date(run, value, &reading->date);
	else if (kind == CDOP_KIND_NHS_NUMBER)
		check_nhs(run, value);
	else if (kind == CDOP_KIND_POSTCODE)
		check_postcode(run, value);
	else if (kind == CDOP_KIND_PHONE)
		check_phone(run, value);
	else if (kind == CDOP_KIND_EMAIL)
		check_email(run, value);
	if (run->check->profile == NULL)
		return;
	if (kind == CDOP_KIND_CODE)
		check_code(run, value);
	else if (kind == CDOP_KIND_AREA)
		check_area(run, value);
	else if (kind == CDOP_KIND_AGENCY)
		check_agency(run, value);
}

/* Text of a value, as a reading of it would be written. */
static bool
is_canonical(const struct value *value, const struct form_reading *reading)
{
	/* Dates, numbers and choices have no other spelling in a message. */
	return reading->text == NULL || reading->text == value->text ||
	    strcmp(reading->text, value->text) == 0;
}

static void
check_value(struct form_run *run, const struct value *value)
{
	struct form_reading reading;
	enum cdop_err err;

	if (*value->text == '\0') {
		cdop_form_find(run, CDOP_SEVERITY_ERROR, value->where,
		    "value.empty", "an empty text is no value: leave it out");
		return;
	}
	err = cdop_form_read(value->path->field, value->where, value->text,
	    run->check->profile, run->arena, run->list, &reading);
	if (err == CDOP_INVALID_ARGUMENT)
		return;
	if (err != CDOP_OK)
		run->err = err;
	else if (reading.state != CDOP_VALUE_GIVEN)
		cdop_form_find(run, CDOP_SEVERITY_ERROR, value->where,
		    "absent.as_value",
		    "this says that there is no value: it belongs into the "
		    "list of absences");
	else if (!is_canonical(value, &reading))
		cdop_form_find(run, CDOP_SEVERITY_ERROR, value->where,
		    "value.canonical",
		    "not in its canonical text: see PROTOCOL.md, Values");
	else
		check_look(run, value, &reading);
}

void
cdop_form_check_values(struct form_run *run)
{
	struct cdop_form_iter iter = {.form = run->form};
	char where[CDOP_FORM_PATH_MAX];
	struct cdop_path path;
	struct form_slot slot;
	struct value value = {.path = &path, .where = where};

	while (
	    run->err == CDOP_OK && cdop_form_next_value(&iter, &path, &slot)) {
		value.text = cdop_form_slot_text(&slot, run->arena);
		if (value.text == NULL) {
			run->err = CDOP_RESOURCE_EXHAUSTED;
			return;
		}
		cdop_form_path_write(&path, where);
		check_value(run, &value);
	}
}
