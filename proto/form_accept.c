/*
 * The minimum to accept a notification, and what is still wanted after
 * that.  Nobody is turned away for what can be asked later.
 */
#include <string.h>

#include "proto/form_inner.h"

/* ---- the minimum ------------------------------------------------------- */

static enum cdop_value_state
state_of(const Cdop__Form *form, const char *path)
{
	struct cdop_path at;

	if (cdop_form_path_parse(path, &at) != CDOP_OK)
		return CDOP_VALUE_NOT_ASKED;
	return cdop_form_state(form, &at);
}

static bool
is_given(const Cdop__Form *form, const char *path)
{
	return state_of(form, path) == CDOP_VALUE_GIVEN;
}

/* An answer is a value, "not known" or "withheld"; not "does not apply". */
static bool
is_answered(const Cdop__Form *form, const char *path)
{
	enum cdop_value_state state = state_of(form, path);

	return state == CDOP_VALUE_GIVEN || state == CDOP_VALUE_NOT_KNOWN ||
	    state == CDOP_VALUE_WITHHELD;
}

/* Any of them answered; the list ends with NULL. */
static bool
is_any_answered(const Cdop__Form *form, const char *const *paths)
{
	for (; *paths != NULL; paths++) {
		if (is_answered(form, *paths))
			return true;
	}
	return false;
}

static bool
is_any_given(const Cdop__Form *form, const char *const *paths)
{
	for (; *paths != NULL; paths++) {
		if (is_given(form, *paths))
			return true;
	}
	return false;
}

static void
want(struct form_run *run, const char *path, const char *rule,
    const char *message)
{
	cdop_form_find(run, CDOP_SEVERITY_ERROR, path, rule, message);
}

/* Questions that want an answer, which may be "not known". */
static const struct {
	const char *path;
	const char *rule;
	const char *message;
	const char *any[5];
} questions[] = {
    {"child.family_name", "accept.name",
	"ask for the child's name: family and first names, one name only, "
	"baby of the mother, or unknown",
	{"child.name_kind", "child.family_name", "child.first_names", NULL}},
    {"birth.date", "accept.birth",
	"ask for the date of birth or an estimated age; #nk where nobody "
	"knows",
	{"birth.date", "child.estimated_age", NULL}},
    {"death.date", "accept.death",
	"ask for the date of death, or the date found; #nk where nobody "
	"knows",
	{"death.date", NULL}},
    {"child.sex", "accept.sex",
	"ask for the sex of the child; #nk where nobody knows",
	{"child.sex", NULL}},
    {"area.residence", "accept.residence",
	"ask where the child normally lived; #nk where it is not settled",
	{"area.residence", NULL}},
    {"place.type", "accept.place",
	"ask for the place or area of death; #nk where nobody knows",
	{"place.type", "place.agency", "place.name", "area.death", NULL}},
};

/* Things by which a child is known again; two have to be there. */
static const struct {
	const char *words;
	const char *any[5];
} identifiers[] = {
    {"NHS number", {"child.nhs_number", NULL}},
    {"a name", {"child.family_name", "child.first_names", NULL}},
    {"mother's name", {"mother.family_name", "mother.first_names", NULL}},
    {"date of birth", {"birth.date", NULL}},
    {"date of death", {"death.date", NULL}},
    {"place of death",
	{"place.type", "place.agency", "place.name", "place.address", NULL}},
};

static void
check_identifiers(struct form_run *run)
{
	const char *message = "two of these have to be known; ask for";
	size_t n = sizeof(identifiers) / sizeof(*identifiers);
	size_t given = 0;
	size_t listed = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (is_any_given(run->form, identifiers[i].any)) {
			given++;
			continue;
		}
		message = cdop_arena_printf(run->arena, "%s%s %s", message,
		    listed++ == 0 ? ":" : ",", identifiers[i].words);
		if (message == NULL) {
			run->err = CDOP_RESOURCE_EXHAUSTED;
			return;
		}
	}
	if (given < 2)
		want(run, "", "accept.identifiers", message);
}

/* Does the profile know how to reach this kind of notifier? */
static bool
has_known_contact(struct form_run *run)
{
	const struct cdop_profile *profile = run->check->profile;
	const Cdop__Form *form = run->form;
	const struct cdop_agency *agency;
	const struct cdop_code *code = NULL;

	if (profile == NULL)
		return false;
	if (form->notifier != NULL && form->notifier->agency != NULL) {
		agency = cdop_profile_agency(profile, form->notifier->agency);
		if (agency != NULL)
			code = cdop_profile_code(profile, "agency_kind",
			    agency->kind, run->check->today);
		if (code != NULL && (code->flags & CDOP_CODE_CALLBACK) != 0)
			return true;
	}
	if (form->received == NULL || form->received->channel == NULL)
		return false;
	code = cdop_profile_code(
	    profile, "channel", form->received->channel, run->check->today);
	return code != NULL && (code->flags & CDOP_CODE_CALLBACK) != 0;
}

static void
check_notifier(struct form_run *run)
{
	static const char *const who[] = {
	    "notifier.agency", "notifier.agency_name", "notifier.name", NULL};
	static const char *const way_back[] = {
	    "notifier.phone", "notifier.email", NULL};
	const Cdop__Form *form = run->form;

	if (!is_given(form, "received.channel"))
		want(run, "received.channel", "accept.channel",
		    "say how it reached us");
	if (!is_given(form, "received.notified_date"))
		want(run, "received.notified_date", "accept.notified",
		    "say when the notifier told us: the date, not today's if "
		    "it is typed in later");
	else if (!is_answered(form, "received.notified_time"))
		want(run, "received.notified_time", "accept.notified",
		    "say at what time the notifier told us; #nk where nobody "
		    "wrote it down");
	if (!is_any_given(form, who))
		want(run, "notifier.agency", "accept.notifier",
		    "say who told us: an agency, or a person by name");
	if (!is_any_given(form, way_back) && !has_known_contact(run))
		want(run, "notifier.phone", "accept.way_back",
		    "ask how the notifier can be reached: telephone or "
		    "e-mail");
}

void
cdop_form_check_accept(struct form_run *run)
{
	static const char *const baby[] = {"mother.family_name",
	    "mother.first_names", "child.family_name", NULL};
	const Cdop__Child *child = run->form->child;
	size_t i;

	check_notifier(run);
	for (i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		if (!is_any_answered(run->form, questions[i].any))
			want(run, questions[i].path, questions[i].rule,
			    questions[i].message);
	}
	if (child != NULL && child->has_name_kind &&
	    child->name_kind == CDOP__NAME_KIND__NAME_BABY_OF &&
	    !is_any_given(run->form, baby))
		want(run, "mother.family_name", "accept.baby_of",
		    "baby of whom: ask for the mother's name");
	check_identifiers(run);
}

/* ---- what is still wanted ---------------------------------------------- */

/* Asked for only when another field has this value. */
static const struct {
	const char *path;
	const char *other;
	const char *value;
} conditions[] = {
    {"circumstances.children_at_risk", "circumstances.other_children", "yes"},
};

static bool
is_wanted(const Cdop__Form *form, const struct cdop_field *field)
{
	struct cdop_path other;
	struct form_slot slot;
	const char *text = "";
	size_t i;

	for (i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		if (strcmp(conditions[i].path, field->path) != 0)
			continue;
		/* Yes and no are literals: no arena is needed. */
		if (cdop_form_path_parse(conditions[i].other, &other) ==
			CDOP_OK &&
		    cdop_form_slot(form, &other, &slot) &&
		    cdop_form_slot_has(&slot))
			text = cdop_form_slot_text(&slot, NULL);
		return strcmp(text, conditions[i].value) == 0;
	}
	/* The reason stands for the number. */
	if (strcmp(field->path, "child.nhs_number") == 0)
		return !is_given(form, "child.nhs_number_absent_reason");
	return true;
}

/* Lived less than seven days, so far as the dates say: hours count. */
static bool
is_time_of_birth_wanted(const Cdop__Form *form)
{
	struct cdop_span born;
	struct cdop_span died;

	return cdop_form_span(form, "birth.date", &born) &&
	    cdop_form_span(form, "death.date", &died) &&
	    died.first - born.last < 7;
}

static void
add(struct cdop_missing_list *list, const char *path, const char *label,
    enum cdop_need need)
{
	list->v[list->n++] =
	    (struct cdop_missing){.path = path, .label = label, .need = need};
}

static void
add_field(const Cdop__Form *form, const struct cdop_field *field,
    struct cdop_missing_list *list)
{
	struct cdop_path path = {.field = field};

	if (field->group_max > 0) {
		/* One line for the group: any entry will do. */
		path.field = &cdop_fields[field->first];
		if (cdop_form_entries(form, field->group) == 0 &&
		    cdop_form_state(form, &path) == CDOP_VALUE_NOT_ASKED)
			add(list, field->group, field->group_label,
			    field->need);
		return;
	}
	if (cdop_form_state(form, &path) == CDOP_VALUE_NOT_ASKED &&
	    is_wanted(form, field))
		add(list, field->path, field->label, field->need);
}

/* In the order in which it is wanted; each kind in that of the dictionary. */
static void
put_in_order(
    const struct cdop_missing_list *found, struct cdop_missing_list *list)
{
	static const enum cdop_need order[] = {
	    CDOP_NEED_TODAY, CDOP_NEED_AGENCIES, CDOP_NEED_RETURN};

	size_t k;
	size_t i;

	for (k = 0; k < sizeof(order) / sizeof(*order); k++)
		for (i = 0; i < found->n; i++)
			if (found->v[i].need == order[k])
				list->v[list->n++] = found->v[i];
}

static bool
is_asked_later(enum cdop_need need)
{
	return need == CDOP_NEED_TODAY || need == CDOP_NEED_AGENCIES ||
	    need == CDOP_NEED_RETURN;
}

enum cdop_err
cdop_form_missing(const Cdop__Form *form, struct cdop_arena *arena,
    struct cdop_missing_list *ret_missing)
{
	const struct cdop_field *time = cdop_fields_find("birth.time");
	struct cdop_missing_list found = {0}, list = {0};
	size_t i;

	found.v =
	    cdop_arena_calloc(arena, cdop_fields_count + 1, sizeof(*found.v));
	if (found.v == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < cdop_fields_count; i++)
		if (is_asked_later(cdop_fields[i].need))
			add_field(form, &cdop_fields[i], &found);
	if (time != NULL &&
	    state_of(form, time->path) == CDOP_VALUE_NOT_ASKED &&
	    is_time_of_birth_wanted(form))
		add(&found, time->path, time->label, CDOP_NEED_RETURN);
	list.v = cdop_arena_calloc(arena, found.n, sizeof(*list.v));
	if (list.v == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	put_in_order(&found, &list);
	*ret_missing = list;
	return CDOP_OK;
}
