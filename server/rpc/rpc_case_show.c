/* One case: its record and its notifications, or one version of one form. */
#include <stdio.h>
#include <string.h>

#include "cdop/fields.h"
#include "cdop/limits.h"
#include "server/registry/cases_state.h"
#include "server/registry/people.h"
#include "server/rpc/rpc_case.h"

#define DIFFERING_MAX 1000 /* bytes of a value that is shown beside another */
/* Of all of them: a case is shown, however much is said of it otherwise. */
#define DIFFERENCES_MAX (CDOP_MESSAGE_MAX / 4)

/* What a reply is made from. */
struct show {
	struct rpc_ctx *ctx;
	struct cases_act act;
	uint32_t slot;
	Cdop__StoredCase *state;
	Cdop__StoredForm *record;
	Cdop__Case *out;
	uint32_t *instance; /* that were opened */
	size_t n_instance;
	size_t links_after; /* those that the caller has had */
	size_t room;        /* for differences */
	size_t bytes;       /* of them, about */
	uint32_t classes;
	struct cdop_living living[CDOP_LIVING_MAX];
	size_t n_living;
	bool failed;
};

/* By name, for whoever reads it years later; NULL: nobody of that number. */
static char *
person_name(struct show *s, uint32_t number)
{
	const struct people_person *person =
	    people_person(s->ctx->reg->people, number);

	return person == NULL ? NULL
			      : rpc_case_text(s->ctx, person->name, &s->failed);
}

/* ---- form instances ---------------------------------------------------- */

/*
 * Who lives and is named by what leaves.  Forms of one case name the same
 * people, so the most that one of them names counts; but who told us is
 * another one each time.
 */
static void
add_living(struct show *s, const Cdop__Form *form)
{
	struct cdop_living more[CDOP_LIVING_MAX], *to;
	size_t n = cdop_form_living(form, more), i, k;
	char group[CDOP_FORM_PATH_MAX];

	for (i = 0; i < n; i++) {
		(void)snprintf(group, sizeof(group), "%s.", more[i].kind);
		for (k = 0; k < s->n_living; k++)
			if (strcmp(s->living[k].kind, more[i].kind) == 0)
				break;
		if (k == CDOP_LIVING_MAX)
			return;
		to = &s->living[k];
		if (k == s->n_living)
			s->living[s->n_living++] = more[i];
		else if (cases_form_is_received(group))
			to->n += more[i].n;
		else if (to->n < more[i].n)
			to->n = more[i].n;
	}
}

/* Free text that belongs to no field of a form: reasons, sources. */
static char *
said(struct show *s, char *text)
{
	if (text != NULL && *text != '\0')
		s->classes |= CDOP_CLASS_NARRATIVE;
	return text;
}

static Cdop__FormInstance *
instance(struct show *s, const Cdop__StoredForm *stored, bool whole)
{
	Cdop__FormInstance *to;

	to = cdop_arena_alloc(s->ctx->arena, sizeof(*to));
	if (to == NULL) {
		s->failed = true;
		return NULL;
	}
	cdop__form_instance__init(to);
	to->number = stored->number;
	to->form_set = stored->form_set;
	to->form_id = stored->form_id;
	to->form_version = stored->form_version;
	to->kind = stored->kind;
	to->version = stored->version;
	to->at_ms = stored->at_ms;
	to->person = stored->person;
	to->person_name = person_name(s, stored->person);
	to->source = said(s, stored->source);
	to->reason = said(s, stored->reason);
	to->zone = stored->zone;
	to->has_device = true;
	to->device = stored->device;
	to->source_agency = stored->source_agency;
	if (!whole)
		return to;
	to->form = stored->form;
	to->override = stored->override;
	to->n_override = stored->n_override;
	s->classes |= cdop_form_classes(stored->form);
	add_living(s, stored->form);
	s->instance[s->n_instance++] = stored->number;
	return to;
}

/* ---- notifications ----------------------------------------------------- */

/* One value of either side; NULL: it has none. */
static char *
text_at(struct show *s, const Cdop__Form *form, const char *path)
{
	const char *text = cdop_form_text(form, path, s->ctx->arena);

	if (text == NULL)
		s->failed = true;
	return text == NULL || *text == '\0'
	    ? NULL
	    : rpc_case_text(s->ctx, text, &s->failed);
}

/* Both values where neither is long, and into part what left. */
static void
add_values(struct show *s, const Cdop__StoredForm *stored, const char *path,
    Cdop__Form *part)
{
	struct cdop_violations ignored = {0};
	struct cdop_path at;
	Cdop__Difference *d;

	d = cdop_arena_alloc(s->ctx->arena, sizeof(*d));
	if (d == NULL || cdop_form_path_parse(path, &at) != CDOP_OK) {
		s->failed = true;
		return;
	}
	cdop__difference__init(d);
	d->notification = stored->number;
	d->path = rpc_case_text(s->ctx, path, &s->failed);
	d->record = text_at(s, s->record->form, path);
	d->given = text_at(s, stored->form, path);
	if (d->given == NULL || strlen(d->given) > DIFFERING_MAX ||
	    (d->record != NULL && strlen(d->record) > DIFFERING_MAX))
		return;
	s->out->differing[s->out->n_differing++] = d;
	s->bytes += strlen(path) + strlen(d->given);
	s->bytes += d->record != NULL ? strlen(d->record) : 0;
	s->classes |= cdop_form_class(stored->form, &at);
	s->classes |= cdop_form_class(s->record->form, &at);
	if (cdop_form_set(part, &at, d->given, NULL, s->ctx->arena, &ignored) ==
	    CDOP_RESOURCE_EXHAUSTED)
		s->failed = true;
}

/* Room for n more in both lists; what they had is left to the arena. */
static bool
grow_differences(struct show *s, size_t n)
{
	Cdop__Case *out = s->out;
	Cdop__Difference **values;
	size_t room = out->n_difference + n;
	char **words;

	if (room <= s->room)
		return true;
	room += s->room; /* twice as much, or 500 such copies fill it */
	words = cdop_arena_calloc(s->ctx->arena, room, sizeof(*words));
	values = cdop_arena_calloc(s->ctx->arena, room, sizeof(*values));
	if (words == NULL || values == NULL)
		return false;
	if (out->n_difference > 0) {
		memcpy(
		    words, out->difference, out->n_difference * sizeof(*words));
		memcpy(
		    values, out->differing, out->n_differing * sizeof(*values));
	}
	out->difference = words;
	out->differing = values;
	s->room = room;
	return true;
}

/* One of them, in words and, where it is short, as it is. */
static void
add_difference(struct show *s, const Cdop__StoredForm *stored, const char *path,
    Cdop__Form *part)
{
	Cdop__Case *out = s->out;
	char *words;

	if (s->bytes > DIFFERENCES_MAX) {
		out->has_more_differences = true;
		out->more_differences++;
		return;
	}
	words = cdop_arena_printf(
	    s->ctx->arena, "notification %u %s", stored->number, path);
	if (words == NULL) {
		s->failed = true;
		return;
	}
	s->bytes += strlen(words);
	out->difference[out->n_difference++] = words;
	add_values(s, stored, path, part);
}

/* Where the notification itself does not leave, a part of it does. */
static void
add_differences(struct show *s, const Cdop__StoredForm *stored,
    const struct cdop_paths *paths, bool whole)
{
	Cdop__Form *part = cdop_form_new(s->ctx->arena);
	Cdop__Case *out = s->out;
	size_t had = out->n_differing, i;

	if (paths->n == 0)
		return;
	if (part == NULL || !grow_differences(s, paths->n)) {
		s->failed = true;
		return;
	}
	for (i = 0; i < paths->n && !s->failed; i++)
		add_difference(s, stored, paths->path[i], part);
	if (whole || s->failed || out->n_differing == had)
		return;
	add_living(s, part);
	s->instance[s->n_instance++] = stored->number;
}

static enum cdop_err
fill_notifications(struct show *s, bool whole)
{
	Cdop__Case *out = s->out;
	struct cdop_paths paths;
	Cdop__StoredForm *form;
	enum cdop_err err;
	size_t i;

	out->notification = cdop_arena_calloc(
	    s->ctx->arena, s->state->n_instance, sizeof(*out->notification));
	if (out->notification == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < s->state->n_instance && !s->failed; i++) {
		if (!s->state->instance[i]->belongs)
			continue;
		err = cases_read_form(
		    &s->act, s->slot, s->state->instance[i]->number, 0, &form);
		if (err != CDOP_OK)
			return err == CDOP_NOT_FOUND ? CDOP_DATA_LOSS : err;
		/* Of an older record there is nothing to decide. */
		if (s->record->version ==
		    index_at(s->act.index, s->slot)->record_version) {
			err = cases_form_differences(
			    &s->act, s->record, form, &paths);
			if (err != CDOP_OK)
				return err;
			add_differences(s, form, &paths, whole);
		}
		out->notification[out->n_notification++] =
		    instance(s, form, whole);
	}
	return CDOP_OK;
}

/* ---- the case ---------------------------------------------------------- */

/* A question that has been answered by a link of another kind. */
static bool
is_answered(const Cdop__StoredCase *state, const Cdop__StoredCaseLink *link)
{
	size_t i;

	if (strcmp(link->kind, "possible_duplicate") != 0)
		return false;
	for (i = 0; i < state->n_link; i++)
		if (state->link[i]->other == link->other &&
		    !state->link[i]->has_ended_ms &&
		    strcmp(state->link[i]->kind, link->kind) != 0)
			return true;
	return false;
}

/* A link as it is sent. */
static Cdop__CaseLink *
link_of(struct show *s, const Cdop__StoredCaseLink *from)
{
	const char *text = cases_reference_text(&s->act, from->other);
	Cdop__CaseLink *to;

	to = cdop_arena_alloc(s->ctx->arena, sizeof(*to));
	if (to == NULL || text == NULL) {
		s->failed = true;
		return NULL;
	}
	cdop__case_link__init(to);
	to->kind = from->kind;
	to->reference = rpc_case_text(s->ctx, text, &s->failed);
	to->reason = said(s, from->reason);
	to->has_ended_ms = from->has_ended_ms;
	to->ended_ms = from->ended_ms;
	to->ended_reason = said(s, from->ended_reason);
	return to;
}

/* Each case that is named is named once as left. */
static void
release_other(struct show *s, uint32_t slot)
{
	uint64_t id = index_at(s->act.index, slot)->case_id;
	size_t i;

	for (i = 0; i < s->ctx->n_released; i++)
		if (s->ctx->released[i].case_id == id)
			return;
	rpc_case_release(s->ctx, &s->act, slot, CDOP_CLASS_ADMINISTRATIVE);
}

/* Links lead only to where the caller may go. */
static bool
shows_link(
    const struct show *s, const Cdop__StoredCaseLink *link, uint32_t *ret_slot)
{
	return !is_answered(s->state, link) &&
	    index_by_case(s->act.index, link->other, ret_slot) &&
	    access_may_see(&s->act.access, index_at(s->act.index, *ret_slot));
}

/* The other cases are named as left, for which a leaf has so much room. */
static void
add_link(struct show *s, const Cdop__StoredCaseLink *link, uint32_t slot)
{
	Cdop__Case *out = s->out;

	if (s->ctx->n_released == CDOP_LIST_MAX) {
		out->has_more_links = out->has_links_after = true;
		out->more_links++;
		return;
	}
	if (link->has_ended_ms)
		out->ended_link[out->n_ended_link++] = link_of(s, link);
	else
		out->link[out->n_link++] = link_of(s, link);
	release_other(s, slot);
}

static void
fill_links(struct show *s)
{
	Cdop__Case *out = s->out;
	size_t seen = 0, i;
	uint32_t slot;

	out->link = cdop_arena_calloc(
	    s->ctx->arena, s->state->n_link, sizeof(*out->link));
	out->ended_link = cdop_arena_calloc(
	    s->ctx->arena, s->state->n_link, sizeof(*out->ended_link));
	if (out->link == NULL || out->ended_link == NULL) {
		s->failed = true;
		return;
	}
	for (i = 0; i < s->state->n_link && !s->failed; i++)
		if (shows_link(s, s->state->link[i], &slot) &&
		    seen++ >= s->links_after)
			add_link(s, s->state->link[i], slot);
	if (out->has_links_after)
		out->links_after = (uint32_t)seen - out->more_links;
}

/* A value of the record, or NULL where it has none. */
static char *
form_text(struct show *s, const char *path)
{
	const char *text;

	if (!cdop_form_has(s->record->form, path))
		return NULL;
	text = cdop_form_text(s->record->form, path, s->ctx->arena);
	if (text == NULL)
		s->failed = true;
	return rpc_case_text(s->ctx, text, &s->failed);
}

/* By name; and whether the case has to be handed over. */
static void
fill_responsible(struct show *s)
{
	s->out->responsible_name = person_name(s, s->state->responsible);
	s->out->has_responsible_gone = true;
	s->out->responsible_gone = !cases_state_may_respond(
	    &s->act, index_at(s->act.index, s->slot), s->state->responsible);
}

/* What is the case's own, and no field of a form. */
static void
fill_head(struct show *s)
{
	const Cdop__StoredCase *state = s->state;
	Cdop__Case *out = s->out;
	size_t i;

	for (i = 0; i < state->n_interested; i++)
		(void)said(s, state->interested[i]->reason);
	out->reference = state->reference;
	out->status = state->status;
	out->owner_area = state->owner_area;
	out->owner_reason = said(s, state->owner_reason);
	out->hold = said(s, state->hold);
	out->n_interested = state->n_interested;
	out->interested = state->interested;
	out->version = state->version;
	out->registered_ms = state->registered_ms;
	out->has_responsible = state->has_responsible;
	out->responsible = state->responsible;
	if (state->has_responsible)
		fill_responsible(s);
	out->review_basis = state->review_basis;
	out->jurisdiction = rpc_case_text(
	    s->ctx, cases_owner_jurisdiction(&s->act, s->slot), &s->failed);
}

static enum cdop_err
fill_case(struct show *s)
{
	struct cdop_missing_list missing;
	Cdop__Case *out = s->out;
	struct rpc_ctx *ctx = s->ctx;
	enum cdop_err err;

	fill_head(s);
	out->scope = form_text(s, "scope.decision");
	/* A state of an earlier version keeps none: only the record may say. */
	if (out->review_basis == NULL)
		out->review_basis = form_text(s, "scope.review_basis");
	err = cases_owner_still_missing(
	    &s->act, s->record->form, s->slot, &missing);
	if (err != CDOP_OK)
		return err;
	out->n_missing = missing.n;
	out->missing = rpc_case_missing(ctx, &missing, &s->failed);
	out->record = instance(s, s->record, true);
	if (out->record != NULL)
		rpc_case_sources(ctx, s->record, out->record, &s->failed);
	fill_links(s);
	return CDOP_OK;
}

/* A form of the case in the version that is asked for. */
static enum cdop_err
open_form(struct show *s, const Cdop__CaseShowRequest *req, uint32_t number,
    Cdop__StoredForm **ret_form)
{
	uint64_t version = req->has_version ? req->version : 0;
	enum cdop_err err = CDOP_NOT_FOUND;

	if (cases_form_version(&s->act, s->slot, number) == 0)
		return cases_refuse(&s->act, CDOP_NOT_FOUND,
		    "no_such_notification",
		    "this case has no such notification");
	if (!req->has_version ||
	    (version != 0 && version <= INDEX_FORM_VERSIONS))
		err = cases_read_form(
		    &s->act, s->slot, number, (uint32_t)version, ret_form);
	return err != CDOP_NOT_FOUND
	    ? err
	    : cases_refuse(&s->act, CDOP_NOT_FOUND, "no_such_version",
		  "there is no such version");
}

static enum cdop_err
open_case(struct show *s, const Cdop__CaseShowRequest *req)
{
	enum cdop_err err;

	err = cases_find_reference(&s->act, req->reference, &s->slot);
	if (err == CDOP_OK)
		err = cases_read_state(&s->act, s->slot, &s->state);
	if (err != CDOP_OK)
		return err;
	s->instance = cdop_arena_calloc(
	    s->ctx->arena, s->state->n_instance + 1, sizeof(*s->instance));
	return s->instance == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/* The record with everything around it. */
static enum cdop_err
show_whole(struct show *s, const Cdop__CaseShowRequest *req)
{
	enum cdop_err err;

	err = open_form(s, req, 0, &s->record);
	if (err == CDOP_OK)
		err = fill_case(s);
	if (err != CDOP_OK)
		return err;
	return fill_notifications(
	    s, req->has_notifications && req->notifications);
}

/*
 * One notification, and of the case no more than whose it is: who checks how
 * a value was received looks at that, and the log says so.
 */
static enum cdop_err
show_instance(struct show *s, const Cdop__CaseShowRequest *req)
{
	Cdop__StoredForm *form;
	enum cdop_err err;

	err = open_form(s, req, req->instance, &form);
	if (err != CDOP_OK)
		return err;
	fill_head(s);
	s->out->notification =
	    cdop_arena_calloc(s->ctx->arena, 1, sizeof(*s->out->notification));
	if (s->out->notification == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	s->out->notification[s->out->n_notification++] =
	    instance(s, form, true);
	return CDOP_OK;
}

enum cdop_err
rpc_case_show(struct rpc_ctx *ctx, const Cdop__CaseShowRequest *req,
    Cdop__CaseShowReply *rep)
{
	struct show s = {.ctx = ctx, .classes = CDOP_CLASS_ADMINISTRATIVE};
	struct rpc_case_left left;
	enum cdop_err err;

	rpc_case_act(ctx, &s.act);
	s.act.looks = true;
	s.links_after = req->has_links_after ? req->links_after : 0;
	s.out = cdop_arena_alloc(ctx->arena, sizeof(*s.out));
	if (s.out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__case__init(s.out);
	if ((err = open_case(&s, req)) == CDOP_OK)
		err = req->has_instance && req->instance != 0
		    ? show_instance(&s, req)
		    : show_whole(&s, req);
	if (err == CDOP_OK && s.failed)
		err = CDOP_RESOURCE_EXHAUSTED;
	if (err != CDOP_OK) {
		ctx->n_released = 0; /* of the links: nothing leaves */
		return rpc_case_end(ctx, &s.act, err);
	}
	left = (struct rpc_case_left){
	    s.classes, s.instance, s.n_instance, s.living, s.n_living};
	rep->case_ = s.out;
	ctx->ask_instead = "ask without the notifications";
	rpc_case_about(ctx, &s.act, s.slot);
	rpc_case_release_forms(ctx, &s.act, s.slot, &left);
	return CDOP_OK;
}
