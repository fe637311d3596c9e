/* Values on their way out, for a person. */
#include <string.h>

#include "cdop/nhs.h"
#include "proto/form_inner.h"

static const char *
date_words(const char *text, struct cdop_arena *arena)
{
	char words[CDOP_DATE_WORDS_MAX];
	struct cdop_date date;

	if (cdop_date_parse(text, &date) != CDOP_OK)
		return text;
	cdop_date_words(&date, words);
	return cdop_arena_strdup(arena, words);
}

static const char *
nhs_words(const char *text, struct cdop_arena *arena)
{
	char words[13];

	if (strlen(text) != 10)
		return text;
	cdop_nhs_words(text, words);
	return cdop_arena_strdup(arena, words);
}

static const char *
choice_words(const char *text, struct cdop_arena *arena)
{
	char *words = cdop_arena_strdup(arena, text);
	char *s;

	for (s = words; s != NULL && *s != '\0'; s++) {
		if (*s == '_')
			*s = ' ';
	}
	return words;
}

/* The label of a code, area or agency; the value itself if it has none. */
static const char *
label_of(const struct cdop_field *field, const char *text,
    const struct cdop_profile *profile)
{
	const struct cdop_agency *agency = NULL;
	const struct cdop_code *code = NULL;
	const char *label = NULL;

	if (profile == NULL)
		return text;
	if (field->kind == CDOP_KIND_CODE)
		code = cdop_profile_code(
		    profile, field->list, text, CDOP_PROFILE_EVER);
	else if (field->kind == CDOP_KIND_AGENCY)
		agency = cdop_profile_agency(profile, text);
	else if (field->kind == CDOP_KIND_AREA)
		label = cdop_profile_area_label(profile, text);
	if (code != NULL)
		label = code->label;
	if (agency != NULL)
		label = agency->name;
	return label == NULL ? text : label;
}

const char *
cdop_form_words(const Cdop__Form *form, const struct cdop_path *path,
    const struct cdop_profile *profile, struct cdop_arena *arena)
{
	static const char *const absences[] = {
	    [CDOP_VALUE_NOT_ASKED] = "",
	    [CDOP_VALUE_NOT_KNOWN] = "not known",
	    [CDOP_VALUE_NOT_APPLICABLE] = "not applicable",
	    [CDOP_VALUE_WITHHELD] = "withheld",
	};
	struct cdop_value value;

	if (cdop_form_get(form, path, arena, &value) != CDOP_OK)
		return NULL;
	if (value.state != CDOP_VALUE_GIVEN)
		return absences[value.state];
	if (path->field->kind == CDOP_KIND_DATE)
		return date_words(value.text, arena);
	if (path->field->kind == CDOP_KIND_NHS_NUMBER)
		return nhs_words(value.text, arena);
	if (path->field->kind == CDOP_KIND_CHOICE)
		return choice_words(value.text, arena);
	return label_of(path->field, value.text, profile);
}
