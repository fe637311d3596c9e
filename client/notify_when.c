/* Questions that hang on answers; a table, and the age of a newborn. */
#include "client/notify_when.h"

#include <string.h>

#include "cdop/profile.h"

#define HINTS_SHOWN 4

#define DAYS_OF_HOURS 7 /* under so many days the time of birth counts */

enum when {
	IF_YES,     /* other is yes */
	IF_GIVEN,   /* other has a value */
	IF_NOT,     /* other has none */
	IF_ABSENT,  /* other was asked, and there is none */
	IF_NOT_IN,  /* other is another word than "in" */
	IF_NEWBORN, /* lived less than a week, or that is not known */
};

static const struct {
	const char *path;
	enum when when;
	const char *other;
} rows[] = {
    {"notifier.agency_name", IF_NOT, "notifier.agency"},
    {"notifier.email", IF_NOT, "notifier.phone"},
    {"child.nhs_number_absent_reason", IF_NOT, "child.nhs_number"},
    {"child.estimated_age", IF_ABSENT, "birth.date"},
    {"birth.time", IF_NEWBORN, NULL},
    {"birth.unattended", IF_NEWBORN, NULL},
    {"birth.possible_stillbirth", IF_NEWBORN, NULL},
    {"birth.order", IF_GIVEN, "birth.multiplicity"},
    {"circumstances.children_at_risk", IF_YES, "circumstances.other_children"},
    {"jar.reason", IF_YES, "jar.started"},
    {"jar.date", IF_YES, "jar.started"},
    {"jar.lead", IF_YES, "jar.started"},
    {"coroner.office", IF_YES, "coroner.told"},
    {"coroner.told_date", IF_YES, "coroner.told"},
    {"coroner.accepted", IF_YES, "coroner.told"},
    {"coroner.post_mortem_type", IF_YES, "coroner.post_mortem"},
    {"scope.reason", IF_NOT_IN, "scope.decision"},
    {"place.agency", IF_NOT, "place.name"},
};

static bool
is_newborn(const Cdop__Form *form)
{
	struct cdop_date born, died;

	if (!cdop_form_date(form, "birth.date", &born) ||
	    !cdop_form_date(form, "death.date", &died))
		return false;
	return cdop_date_span(&died).first - cdop_date_span(&born).last <
	    DAYS_OF_HOURS;
}

static const char *
text_of(const Cdop__Form *form, const char *path, char *out, size_t max)
{
	struct cdop_arena *arena;
	const char *text;

	out[0] = '\0';
	if (cdop_arena_new(4096, &arena) != CDOP_OK)
		return out;
	text = cdop_form_text(form, path, arena);
	if (text != NULL && strlen(text) < max)
		memcpy(out, text, strlen(text) + 1);
	cdop_arena_free(arena);
	return out;
}

static bool
holds(const Cdop__Form *form, enum when when, const char *other)
{
	char word[16];

	switch (when) {
	case IF_YES:
		return strcmp(text_of(form, other, word, sizeof(word)),
			   "yes") == 0;
	case IF_GIVEN:
		return cdop_form_has(form, other);
	case IF_NOT:
		return !cdop_form_has(form, other);
	case IF_ABSENT:
		return text_of(form, other, word, sizeof(word))[0] == '#';
	case IF_NOT_IN:
		return cdop_form_has(form, other) &&
		    strcmp(text_of(form, other, word, sizeof(word)), "in") != 0;
	case IF_NEWBORN:
	default:
		return is_newborn(form);
	}
}

static bool
name_is(const Cdop__Form *form, const char *kind)
{
	char word[16];

	return strcmp(text_of(form, "child.name_kind", word, sizeof(word)),
		   kind) == 0;
}

bool
notify_when_asked(const Cdop__Form *form, const struct cdop_field *field)
{
	size_t i;

	/* A baby without a name has its mother's. */
	if (strcmp(field->path, "child.family_name") == 0 ||
	    strcmp(field->path, "child.first_names") == 0)
		return !name_is(form, "baby_of") && !name_is(form, "unknown");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].path, field->path) == 0)
			return holds(form, rows[i].when, rows[i].other);
	return true;
}

bool
notify_when_needed(const Cdop__Form *form, const struct cdop_field *field)
{
	if (strncmp(field->path, "mother.family_name", 18) == 0)
		return name_is(form, "baby_of");
	/* The notifier is an agency, or a person who can be reached. */
	if (strcmp(field->path, "notifier.agency") == 0)
		return false;
	if (strcmp(field->path, "notifier.name") == 0 ||
	    strcmp(field->path, "notifier.phone") == 0)
		return false;
	if (strcmp(field->path, "child.first_names") == 0)
		return !name_is(form, "one_only");
	return field->need == CDOP_NEED_ACCEPT ||
	    field->need == CDOP_NEED_ANSWERED;
}

bool
notify_when_group(const char *group, bool all)
{
	static const char *const groups[] = {
	    "parent", "household", "professional", "agency"};
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(group, groups[i]) == 0)
			return true;
	return all;
}

const char *
notify_when_elsewhere(const Cdop__Form *form,
    const struct cdop_profile *profile, struct cdop_arena *arena)
{
	const struct cdop_area *area[HINTS_SHOWN];
	const char *postcode, *residence, *all = NULL;
	size_t n, i;

	postcode = cdop_form_text(form, "child.postcode", arena);
	residence = cdop_form_text(form, "area.residence", arena);
	if (postcode == NULL || residence == NULL || postcode[0] == '\0' ||
	    postcode[0] == '#')
		return NULL;
	n = cdop_profile_suggest(profile, postcode, area, HINTS_SHOWN);
	for (i = 0; i < n && i < HINTS_SHOWN; i++) {
		if (strcmp(area[i]->id, residence) == 0)
			return NULL;
		all = all == NULL
		    ? area[i]->name
		    : cdop_arena_printf(arena, "%s or %s", all, area[i]->name);
	}
	return all;
}
