/* What typed text means, kind by kind; and why it means nothing. */
#include <stdio.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/nhs.h"
#include "cdop/postcode.h"
#include "cdop/text.h"
#include "proto/form_inner.h"

#define CHOICES_SHOWN 14 /* longer lists are looked up, not read out */

struct reader {
	const struct cdop_field *field;
	const char *where;
	const struct cdop_profile *profile; /* or NULL */
	struct cdop_arena *arena;
	struct cdop_violations *violations;
};

static enum cdop_err
refuse(struct reader *r, const char *rule, const char *message)
{
	enum cdop_err err;

	err = cdop_violation_add(r->violations, r->arena, CDOP_SEVERITY_ERROR,
	    r->where, rule, message);
	return err == CDOP_OK ? CDOP_INVALID_ARGUMENT : err;
}

/* ---- plain kinds ------------------------------------------------------- */

static enum cdop_err
read_line(struct reader *r, const char *text, struct form_reading *ret)
{
	/* No text has more characters than bytes. */
	if (strlen(text) > CDOP_TEXT_MAX &&
	    cdop_text_length(text) > CDOP_TEXT_MAX)
		return refuse(r, "text.too_long",
		    "longer than 200 characters: shorten it, or put it into "
		    "the narrative");
	ret->text = text;
	return CDOP_OK;
}

static enum cdop_err
read_narrative(struct reader *r, const char *text, struct form_reading *ret)
{
	if (strlen(text) > CDOP_NARRATIVE_MAX)
		return refuse(r, "text.too_long",
		    "longer than 32 KiB: keep what matters for the review");
	ret->text = text;
	return CDOP_OK;
}

static enum cdop_err
read_date(struct reader *r, const char *text, struct form_reading *ret)
{
	if (cdop_date_parse(text, &ret->date) != CDOP_OK)
		return refuse(r, "date.form",
		    "not a date: type 20/11/2026, 20 Nov 2026, 05/2026 or "
		    "2026, the year with four digits, ~ before it for an "
		    "estimate, or #nk; a weekday has to be that day's, and "
		    "the time stands in a field of its own");
	return CDOP_OK;
}

static enum cdop_err
read_time(struct reader *r, const char *text, struct form_reading *ret)
{
	unsigned minutes, hours;
	char time[] = "00:00";

	if (cdop_date_time_parse(text, &minutes) != CDOP_OK)
		return refuse(r, "time.form",
		    "not a time of day: type 17:40, without seconds; midnight "
		    "is 00:00");
	hours = minutes / 60;
	minutes %= 60;
	time[0] = (char)('0' + hours / 10);
	time[1] = (char)('0' + hours % 10);
	time[3] = (char)('0' + minutes / 10);
	time[4] = (char)('0' + minutes % 10);
	ret->text = cdop_arena_strdup(r->arena, time);
	return ret->text == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

static enum cdop_err
read_nhs(struct reader *r, const char *text, struct form_reading *ret)
{
	char number[CDOP_NHS_TEXT_MAX];

	switch (cdop_nhs_parse(text, number)) {
	case CDOP_NHS_OK:
		ret->text = cdop_arena_strdup(r->arena, number);
		return ret->text == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
	case CDOP_NHS_SPREADSHEET:
		return refuse(r, "nhs.spreadsheet",
		    "spreadsheet damage: the number was rounded or lost a "
		    "zero; take it from the source again, as text");
	case CDOP_NHS_CHECK_DIGIT:
		return refuse(r, "nhs.check_digit",
		    "the check digit is wrong: read the number again");
	case CDOP_NHS_REPEATED:
		return refuse(r, "nhs.repeated",
		    "one digit ten times is no NHS number: leave it empty, "
		    "or #nk with the reason");
	case CDOP_NHS_FORM:
		break;
	}
	return refuse(r, "nhs.form",
	    "an NHS number has ten digits, such as 999 000 0018");
}

static enum cdop_err
read_postcode(struct reader *r, const char *text, struct form_reading *ret)
{
	char postcode[CDOP_POSTCODE_TEXT_MAX];

	if (cdop_postcode_parse(text, postcode) != CDOP_OK)
		return refuse(r, "postcode.form",
		    "not a postcode: such as L1 8JQ; ZZ99 3VZ for no fixed "
		    "abode, #nk where it is not known");
	/* One spelling of "not known", whoever's code it was. */
	if (cdop_postcode_kind(postcode) == CDOP_POSTCODE_NOT_KNOWN) {
		ret->state = CDOP_VALUE_NOT_KNOWN;
		return CDOP_OK;
	}
	ret->text = cdop_arena_strdup(r->arena, postcode);
	return ret->text == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

static enum cdop_err
read_yes_no(struct reader *r, const char *text, struct form_reading *ret)
{
	static const char *const yes[] = {"yes", "y", "true", "1"};
	static const char *const no[] = {"no", "n", "false", "0"};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (cdop_text_same(text, yes[i]) ||
		    cdop_text_same(text, no[i])) {
			ret->number = cdop_text_same(text, yes[i]);
			return CDOP_OK;
		}
	}
	return refuse(r, "yes_no.form", "yes or no, or #nk");
}

static enum cdop_err
read_integer(struct reader *r, const char *text, struct form_reading *ret)
{
	const struct cdop_field *field = r->field;
	uint32_t number = 0;
	char message[96];
	const char *s;

	for (s = text; *s >= '0' && *s <= '9' && number < 1000000; s++)
		number = number * 10 + (uint32_t)(*s - '0');
	if (*s != '\0')
		return refuse(r, "number.form",
		    "a whole number, in digits alone, or #nk");
	if (field->unknown != 0 && number == field->unknown) {
		ret->state = CDOP_VALUE_NOT_KNOWN;
		return CDOP_OK;
	}
	if (number < field->min || number > field->max) {
		(void)snprintf(message, sizeof(message),
		    "a number from %u to %u, or #nk", (unsigned)field->min,
		    (unsigned)field->max);
		return refuse(r, "number.range", message);
	}
	ret->number = number;
	return CDOP_OK;
}

/* ---- words of a list --------------------------------------------------- */

/* Equal but for case and for what stands between the words. */
static bool
same_word(const char *typed, const char *word)
{
	size_t i;
	char c;

	for (i = 0; typed[i] != '\0' && word[i] != '\0'; i++) {
		c = typed[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == ' ' || c == '-')
			c = '_';
		if (c != word[i])
			return false;
	}
	return typed[i] == word[i];
}

static const ProtobufCEnumDescriptor *
choices_of(const struct cdop_field *field)
{
	const ProtobufCFieldDescriptor *fd;
	const ProtobufCMessageDescriptor *group;

	fd = protobuf_c_message_descriptor_get_field(
	    &cdop__form__descriptor, field->group_tag);
	CDOP_ASSERT(fd != NULL);
	group = fd->descriptor;
	fd = protobuf_c_message_descriptor_get_field(group, field->tag);
	CDOP_ASSERT(fd != NULL && fd->type == PROTOBUF_C_TYPE_ENUM);
	return fd->descriptor;
}

size_t
cdop_form_choices(
    const struct cdop_field *field, struct cdop_choice out[CDOP_CHOICES_MAX])
{
	static const struct {
		const char *word;
		const char *label;
	} labels[] = {
	    {"known", "known"},
	    {"one_only", "one name only"},
	    {"baby_of", "baby of (not named)"},
	    {"unknown", "unknown"},
	    {"in", "in scope"},
	    {"enquiry", "to be looked into"},
	    {"out", "out of scope"},
	};

	const ProtobufCEnumDescriptor *choices = choices_of(field);
	unsigned i;
	size_t j;

	CDOP_ASSERT(choices->n_values <= CDOP_CHOICES_MAX);
	for (i = 0; i < choices->n_values; i++) {
		cdop_form_choice_word(
		    &choices->values[i], out[i].word, sizeof(out[i].word));
		out[i].number = (uint32_t)choices->values[i].value;
		for (j = 0; strcmp(labels[j].word, out[i].word) != 0; j++)
			CDOP_ASSERT(j + 1 < sizeof(labels) / sizeof(*labels));
		out[i].label = labels[j].label;
	}
	return choices->n_values;
}

static enum cdop_err
read_choice(struct reader *r, const char *text, struct form_reading *ret)
{
	struct cdop_choice choice[CDOP_CHOICES_MAX];
	size_t n = cdop_form_choices(r->field, choice), i;
	const char *message = "one of:";

	for (i = 0; i < n; i++) {
		if (same_word(text, choice[i].word) ||
		    cdop_text_same(text, choice[i].label)) {
			ret->number = choice[i].number;
			return CDOP_OK;
		}
	}
	for (i = 0; i < n && message != NULL; i++)
		message = cdop_arena_printf(
		    r->arena, "%s %s", message, choice[i].word);
	return message == NULL ? CDOP_RESOURCE_EXHAUSTED
			       : refuse(r, "choice.unknown", message);
}

static enum cdop_err
refuse_code(struct reader *r, const struct cdop_code_list *list)
{
	char *message;
	size_t shown = 0;
	size_t i;

	message = cdop_arena_printf(
	    r->arena, "not a code of the list %s", r->field->list);
	for (i = 0; list != NULL && i < list->n; i++) {
		if (message == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (list->code[i].when.last != CDOP_PROFILE_EVER)
			continue;
		if (++shown > CHOICES_SHOWN)
			break;
		message = cdop_arena_printf(r->arena, "%s%s %s (%s)", message,
		    shown == 1 ? ":" : ",", list->code[i].code,
		    list->code[i].label);
	}
	if (message == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (shown > CHOICES_SHOWN)
		message = cdop_arena_printf(r->arena, "%s ...", message);
	return message == NULL ? CDOP_RESOURCE_EXHAUSTED
			       : refuse(r, "code.unknown", message);
}

/*
 * By code, then by label.  A code may stand in several rows with different
 * dates; the open one speaks for it.
 */
static const struct cdop_code *
find_code(const struct cdop_code_list *list, const char *text)
{
	const struct cdop_code *found = NULL;
	const struct cdop_code *code;
	size_t i;
	int by_label;

	for (by_label = 0; by_label < 2 && found == NULL; by_label++) {
		for (i = 0; i < list->n; i++) {
			code = &list->code[i];
			if (!cdop_text_same(
				text, by_label ? code->label : code->code))
				continue;
			if (found == NULL ||
			    code->when.last == CDOP_PROFILE_EVER)
				found = code;
		}
	}
	return found;
}

static enum cdop_err
read_code(struct reader *r, const char *text, struct form_reading *ret)
{
	const struct cdop_code_list *list;
	const struct cdop_code *code;

	ret->text = text;
	if (r->profile == NULL)
		return CDOP_OK;
	list = cdop_profile_list(r->profile, r->field->list);
	code = list == NULL ? NULL : find_code(list, text);
	if (code == NULL)
		return refuse_code(r, list);
	ret->text = code->code;
	if (code->means != CDOP_CODE_VALUE)
		ret->state = (enum cdop_value_state)code->means;
	return CDOP_OK;
}

static enum cdop_err
read_area(struct reader *r, const char *text, struct form_reading *ret)
{
	const struct cdop_profile *p = r->profile;
	const struct cdop_code_list *other;
	const struct cdop_code *code;
	size_t i;

	ret->text = text;
	if (p == NULL)
		return CDOP_OK;
	for (i = 0; i < p->n_area; i++) {
		if (p->area[i].holding)
			continue; /* nobody lives there */
		ret->text = p->area[i].id;
		if (cdop_text_same(text, p->area[i].id) ||
		    cdop_text_same(text, p->area[i].code) ||
		    cdop_text_same(text, p->area[i].name))
			return CDOP_OK;
	}
	for (i = 0; i < p->n_neighbour; i++) {
		ret->text = p->neighbour[i].id;
		if (cdop_text_same(text, p->neighbour[i].id) ||
		    cdop_text_same(text, p->neighbour[i].code) ||
		    cdop_text_same(text, p->neighbour[i].name))
			return CDOP_OK;
	}
	other = cdop_profile_list(p, "area_other");
	code = other == NULL ? NULL : find_code(other, text);
	if (code == NULL)
		return refuse(r, "area.unknown",
		    "not an area, a neighbour or another place of the "
		    "profile; #nk where it is not known");
	ret->text = code->code;
	if (code->means != CDOP_CODE_VALUE)
		ret->state = (enum cdop_value_state)code->means;
	return CDOP_OK;
}

static enum cdop_err
read_agency(struct reader *r, const char *text, struct form_reading *ret)
{
	const struct cdop_profile *p = r->profile;
	size_t i;
	int by;

	ret->text = text;
	if (p == NULL)
		return CDOP_OK;
	/* An id wins over a code, and a code over a name. */
	for (by = 0; by < 3; by++) {
		for (i = 0; i < p->n_agency; i++) {
			ret->text = p->agency[i].id;
			if (cdop_text_same(text,
				by == 0       ? p->agency[i].id
				    : by == 1 ? p->agency[i].code
					      : p->agency[i].name))
				return CDOP_OK;
		}
	}
	return refuse(r, "agency.unknown",
	    "not an agency of the profile: choose one, or name it in words "
	    "in the field beside it");
}

static enum cdop_err
read_group(struct reader *r, const char *text, struct form_reading *ret)
{
	(void)text;
	(void)ret;
	return refuse(r, "value.group",
	    "this is a group: give fields of its entries, or #na for none, "
	    "or #nk");
}

/* ---- all kinds --------------------------------------------------------- */

typedef enum cdop_err read_fn(
    struct reader *r, const char *text, struct form_reading *ret);

static read_fn *const readers[] = {
    [CDOP_KIND_NAME] = read_line,
    [CDOP_KIND_TEXT] = read_line,
    [CDOP_KIND_ADDRESS] = read_line,
    [CDOP_KIND_NARRATIVE] = read_narrative,
    [CDOP_KIND_DATE] = read_date,
    [CDOP_KIND_TIME] = read_time,
    [CDOP_KIND_NHS_NUMBER] = read_nhs,
    [CDOP_KIND_POSTCODE] = read_postcode,
    [CDOP_KIND_CODE] = read_code,
    [CDOP_KIND_CHOICE] = read_choice,
    [CDOP_KIND_YES_NO] = read_yes_no,
    [CDOP_KIND_INTEGER] = read_integer,
    [CDOP_KIND_PHONE] = read_line,
    [CDOP_KIND_EMAIL] = read_line,
    [CDOP_KIND_AREA] = read_area,
    [CDOP_KIND_AGENCY] = read_agency,
    [CDOP_KIND_ENTRY] = read_group,
};

/* NA, None, Null and Unknown are names: only these three are not. */
static enum cdop_value_state
absence_word(const char *text)
{
	if (*text != '#')
		return CDOP_VALUE_GIVEN;
	if (cdop_text_same(text, "#nk"))
		return CDOP_VALUE_NOT_KNOWN;
	if (cdop_text_same(text, "#na"))
		return CDOP_VALUE_NOT_APPLICABLE;
	if (cdop_text_same(text, "#ws"))
		return CDOP_VALUE_WITHHELD;
	return CDOP_VALUE_GIVEN;
}

static enum cdop_text_shape
shape_of(enum cdop_kind kind)
{
	if (kind == CDOP_KIND_NARRATIVE)
		return CDOP_TEXT_LINES;
	if (kind == CDOP_KIND_ADDRESS)
		return CDOP_TEXT_ADDRESS;
	return CDOP_TEXT_LINE;
}

enum cdop_err
cdop_form_read(const struct cdop_field *field, const char *where,
    const char *typed, const struct cdop_profile *profile,
    struct cdop_arena *arena, struct cdop_violations *violations,
    struct form_reading *ret_reading)
{
	struct reader r = {.field = field,
	    .where = where,
	    .profile = profile,
	    .arena = arena,
	    .violations = violations};
	struct form_reading reading = {0};
	enum cdop_text_fault fault = CDOP_TEXT_FINE;
	enum cdop_err err = CDOP_OK;
	const char *text = typed;

	if (!cdop_text_is_clean(typed, shape_of(field->kind)))
		err = cdop_text_clean(
		    typed, shape_of(field->kind), arena, &text, &fault);
	if (err == CDOP_INVALID_ARGUMENT && fault == CDOP_TEXT_CONTROL)
		return refuse(&r, "text.control",
		    "control characters: paste it again as plain text");
	if (err == CDOP_INVALID_ARGUMENT)
		return refuse(&r, "text.utf8",
		    "not UTF-8: say in which encoding the text is");
	if (err != CDOP_OK)
		return err;
	reading.state =
	    *text == '\0' ? CDOP_VALUE_NOT_ASKED : absence_word(text);
	if (reading.state == CDOP_VALUE_GIVEN) {
		err = readers[field->kind](&r, text, &reading);
		if (err != CDOP_OK)
			return err;
	}
	*ret_reading = reading;
	return CDOP_OK;
}
