/* Form instances: the rows' side of them. */
#include "server/registry/cases_form.h"

#include <string.h>

#include "cdop/profile.h"
#include "server/registry/cases_owner.h"

#define FORM_VERSION  1
#define EARLIER_ARENA ((size_t)8 << 20) /* one form, and a comparison */

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

bool
cases_form_is_received(const char *path)
{
	return begins(path, "received.") || begins(path, "notifier.");
}

bool
cases_form_has_identity(const struct cdop_paths *paths)
{
	static const char *const some[] = {"child.family_name",
	    "child.nhs_number", "other_name.", "mother.family_name",
	    "birth.date", "death.date"};
	size_t i, k;

	for (i = 0; i < paths->n; i++)
		for (k = 0; k < sizeof(some) / sizeof(*some); k++)
			if (begins(paths->path[i], some[k]))
				return true;
	return false;
}

enum cdop_err
cases_form_check(struct cases_act *act, const struct cases_form_args *args,
    const Cdop__Form *before, enum cdop_form_use use)
{
	struct cdop_check check = {
	    .profile = act->reg->profile,
	    .before = before,
	    .override = args->override,
	    .n_override = args->n_override,
	    .today = cases_owner_today(act),
	    .training = act->reg->mode == REGISTRY_TRAINING,
	    .use = use,
	};
	enum cdop_err err;

	err = cdop_form_check(args->form, &check, act->arena, &act->violations);
	if (err != CDOP_OK)
		return err;
	if (cdop_violation_has_error(&act->violations))
		return cases_refuse(act, CDOP_INVALID_ARGUMENT, "bad_field",
		    "some fields are not as they have to be");
	if (act->violations.n > 0)
		return cases_refuse(act, CDOP_INVALID_ARGUMENT, "warnings",
		    "warnings have to be looked at, and overridden with a "
		    "reason or mended");
	return CDOP_OK;
}

/* ---- making ------------------------------------------------------------ */

/*
 * A form of the same groups, with lists of its own; unknown fields are the
 * other's.  NULL: no memory.
 */
static Cdop__Form *
share_form(const Cdop__Form *form, struct cdop_arena *arena)
{
	Cdop__Form *to = cdop_form_new(arena);
	Cdop__Absent **absent;
	Cdop__Raised **raised;

	absent = cdop_arena_calloc(arena, form->n_absent, sizeof(*absent));
	raised = cdop_arena_calloc(arena, form->n_raised, sizeof(*raised));
	if (to == NULL || absent == NULL || raised == NULL)
		return NULL;
	*to = *form;
	if (form->n_absent > 0)
		memcpy(absent, form->absent, form->n_absent * sizeof(*absent));
	if (form->n_raised > 0)
		memcpy(raised, form->raised, form->n_raised * sizeof(*raised));
	to->absent = absent;
	to->raised = raised;
	return to;
}

enum cdop_err
cases_form_make(struct cases_act *act, const struct cases_form_args *args,
    uint64_t case_id, uint32_t number, uint64_t version,
    Cdop__StoredForm **ret_form)
{
	Cdop__StoredForm *form;
	const char *zone = NULL;
	bool failed = false;

	form = cdop_arena_alloc(act->arena, sizeof(*form));
	if (form == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__stored_form__init(form);
	if (args->form->received != NULL)
		zone = args->form->received->time_zone;
	if (zone == NULL)
		zone = cases_owner_zone(act, "");
	form->case_id = case_id;
	form->number = number;
	form->version = version;
	form->form_set = cases_text(act, act->reg->profile->form_set, &failed);
	form->form_id = cases_text(
	    act, number == 0 ? "CASE_RECORD" : "NOTIFICATION", &failed);
	form->form_version = FORM_VERSION;
	form->kind =
	    cases_text(act, args->kind == NULL ? "new" : args->kind, &failed);
	form->at_ms = act->now_ms;
	form->person = act->actor->person;
	form->device = act->actor->device;
	form->source = cases_text(act, args->source, &failed);
	if (args->form->notifier != NULL)
		form->source_agency =
		    cases_text(act, args->form->notifier->agency, &failed);
	form->reason = cases_text(act, args->reason, &failed);
	form->zone = cases_text(act, zone, &failed);
	form->form = act->looks ? share_form(args->form, act->arena)
				: cdop_form_copy(args->form, act->arena);
	form->n_override = args->n_override;
	form->override = cdop_arena_calloc(
	    act->arena, args->n_override, sizeof(*form->override));
	if (failed || form->form == NULL || form->override == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (args->n_override > 0)
		memcpy(form->override, args->override,
		    args->n_override * sizeof(*form->override));
	*ret_form = form;
	return CDOP_OK;
}

/* Takes out of a form what is about how it reached us. */
static void
strip_received(Cdop__Form *form)
{
	size_t i, n;

	form->received = NULL;
	form->notifier = NULL;
	for (i = n = 0; i < form->n_absent; i++)
		if (!cases_form_is_received(form->absent[i]->path))
			form->absent[n++] = form->absent[i];
	form->n_absent = n;
	for (i = n = 0; i < form->n_raised; i++)
		if (!cases_form_is_received(form->raised[i]->path))
			form->raised[n++] = form->raised[i];
	form->n_raised = n;
}

enum cdop_err
cases_form_record(struct cases_act *act, const Cdop__StoredForm *notification,
    Cdop__StoredForm **ret_record)
{
	struct cases_form_args args = {
	    .form = notification->form,
	    .override = notification->override,
	    .n_override = notification->n_override,
	};
	Cdop__ValueSource *origin;
	Cdop__StoredForm *record;
	const char *source;
	enum cdop_err err;

	err = cases_form_make(act, &args, notification->case_id, 0, 1, &record);
	if (err != CDOP_OK)
		return err;
	strip_received(record->form);
	record->source_agency = NULL;
	record->form_set = notification->form_set;
	record->at_ms = notification->at_ms;
	record->person = notification->person;
	record->device = notification->device;
	source = cdop_arena_printf(
	    act->arena, "notification %u", notification->number);
	if (source == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cases_form_add_source(act, record, "", source, NULL);
	if (err != CDOP_OK)
		return err;
	origin = record->value_source[record->n_value_source - 1];
	origin->person = notification->person;
	origin->at_ms = notification->at_ms;
	*ret_record = record;
	return CDOP_OK;
}

enum cdop_err
cases_form_add_source(struct cases_act *act, Cdop__StoredForm *record,
    const char *path, const char *source, const char *reason)
{
	Cdop__ValueSource *entry, **list;
	bool failed = false;
	size_t i, n = 0;

	entry = cdop_arena_alloc(act->arena, sizeof(*entry));
	list = cdop_arena_calloc(
	    act->arena, record->n_value_source + 1, sizeof(*list));
	if (entry == NULL || list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__value_source__init(entry);
	entry->path = cases_text(act, path, &failed);
	entry->source = cases_text(act, source, &failed);
	entry->person = act->actor->person;
	entry->at_ms = act->now_ms;
	entry->reason = cases_text(act, reason, &failed);
	if (failed)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < record->n_value_source; i++)
		if (strcmp(record->value_source[i]->path, path) != 0)
			list[n++] = record->value_source[i];
	list[n++] = entry;
	record->value_source = list;
	record->n_value_source = n;
	return CDOP_OK;
}

/* ---- comparing --------------------------------------------------------- */

/*
 * A notification as it stood at an earlier moment.  Its versions are opened
 * in an arena of their own, so that many corrections take no room from the
 * answer; most cases never need one.
 */
struct earlier {
	struct cases_act act; /* the caller's, with that arena */
	const Cdop__StoredForm *newest;
	uint32_t slot;
	uint64_t from_ms;          /* from then on ... */
	uint64_t until_ms;         /* ... and before then; 0: none yet */
	uint32_t version;          /* this one stood; 0: none */
	struct cdop_paths changed; /* from that to the newest */
};

static enum cdop_err
earlier_start(struct earlier *e, const struct cases_act *act,
    const Cdop__StoredForm *newest)
{
	e->act = *act;
	e->act.looks = false; /* its arena is wiped in between */
	e->newest = newest;
	if (!index_by_case(act->index, newest->case_id, &e->slot))
		return CDOP_INTERNAL;
	return cdop_arena_new(EARLIER_ARENA, &e->act.arena);
}

/*
 * The last version that was there at that moment, which is before the newest
 * came; 0: none had come yet.
 */
static enum cdop_err
earlier_version(struct earlier *e, uint64_t at_ms)
{
	uint32_t low = 0, high = (uint32_t)e->newest->version, middle;
	Cdop__StoredForm *form;
	enum cdop_err err;

	e->from_ms = 0;
	e->until_ms = e->newest->at_ms;
	/* low was there, high was not. */
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		cdop_arena_reset(e->act.arena);
		err = cases_read_form(
		    &e->act, e->slot, e->newest->number, middle, &form);
		if (err != CDOP_OK)
			return err;
		if (form->at_ms <= at_ms) {
			low = middle;
			e->from_ms = form->at_ms;
		} else {
			high = middle;
			e->until_ms = form->at_ms;
		}
	}
	e->version = low;
	return CDOP_OK;
}

static enum cdop_err
earlier_compare(struct earlier *e, uint64_t at_ms)
{
	Cdop__StoredForm *form;
	enum cdop_err err;

	if ((err = earlier_version(e, at_ms)) != CDOP_OK)
		return err;
	cdop_arena_reset(e->act.arena);
	if (e->version == 0)
		return CDOP_OK;
	err = cases_read_form(
	    &e->act, e->slot, e->newest->number, e->version, &form);
	return err != CDOP_OK ? err
			      : cdop_form_diff(form->form, e->newest->form,
				    e->act.arena, &e->changed);
}

/* What is said at path now: was it said so at that moment? */
static enum cdop_err
earlier_said(
    struct earlier *e, uint64_t at_ms, const char *path, bool *ret_said)
{
	enum cdop_err err;
	size_t i;

	/* However many decisions there are, there are few versions. */
	if ((at_ms < e->from_ms || at_ms >= e->until_ms) &&
	    (err = earlier_compare(e, at_ms)) != CDOP_OK)
		return err;
	*ret_said = e->version != 0;
	for (i = 0; *ret_said && i < e->changed.n; i++)
		if (strcmp(e->changed.path[i], path) == 0)
			*ret_said = false;
	return CDOP_OK;
}

/*
 * Has somebody named this path in the record since the notification said
 * there what it says now?
 */
static enum cdop_err
is_decided(const struct cases_act *act, const Cdop__StoredForm *record,
    const char *path, struct earlier *e, bool *ret_decided)
{
	const Cdop__StoredForm *newest = e->newest;
	const Cdop__ValueSource *entry = NULL;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < record->n_value_source && entry == NULL; i++)
		if (strcmp(record->value_source[i]->path, path) == 0)
			entry = record->value_source[i];
	*ret_decided = entry != NULL && entry->at_ms >= newest->at_ms;
	if (entry == NULL || *ret_decided || newest->version < 2)
		return CDOP_OK;
	if (e->act.arena == NULL &&
	    (err = earlier_start(e, act, newest)) != CDOP_OK)
		return err;
	return earlier_said(e, entry->at_ms, path, ret_decided);
}

static bool
says_something(const Cdop__Form *form, const char *text)
{
	struct cdop_path path;

	return cdop_form_path_parse(text, &path) == CDOP_OK &&
	    cdop_form_state(form, &path) != CDOP_VALUE_NOT_ASKED;
}

enum cdop_err
cases_form_differences(struct cases_act *act, const Cdop__StoredForm *record,
    const Cdop__StoredForm *notification, struct cdop_paths *ret_paths)
{
	struct earlier earlier = {.newest = notification};
	struct cdop_paths paths;
	bool decided;
	enum cdop_err err;
	size_t i, n = 0;

	err = cdop_form_diff(
	    record->form, notification->form, act->arena, &paths);
	for (i = 0; err == CDOP_OK && i < paths.n; i++) {
		if (cases_form_is_received(paths.path[i]) ||
		    !says_something(notification->form, paths.path[i]))
			continue;
		err =
		    is_decided(act, record, paths.path[i], &earlier, &decided);
		if (err == CDOP_OK && !decided)
			paths.path[n++] = paths.path[i];
	}
	cdop_arena_free(earlier.act.arena);
	if (err != CDOP_OK)
		return err;
	paths.n = n;
	*ret_paths = paths;
	return CDOP_OK;
}
