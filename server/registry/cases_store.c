/* Writing a case: rows, then summary, then index, all or an error. */
#include <string.h>

#include "cdop/limits.h"
#include "server/registry/cases.h"
#include "server/registry/message.h"
#include "server/registry/summary.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"

#define SCHEMA_VERSION 1
#define SCRATCH        (8u << 20) /* of one row */

/* The rows a case will have. */
struct list {
	struct index_row *row;
	size_t n;
	uint64_t summary; /* number of the SUMMARY row there was; 0: none */
	struct cdop_bytes *form; /* those of the change, packed */
};

void
cases_change_init(
    const struct cases_act *act, uint32_t slot, struct cases_change *change)
{
	const struct index_post *post = index_at(act->index, slot);

	memset(change, 0, sizeof(*change));
	change->case_id = post->case_id;
	change->key_id = post->key_id;
	change->slot = slot;
}

static bool
is_dropped(const struct cases_change *change, const struct index_row *row)
{
	return change->drop != 0 && row->kind == SCHEMA_KIND_FORM &&
	    row->version >> 16 == change->drop;
}

/* Everything that stays, with room for what comes. */
static enum cdop_err
list_init(
    struct cases_act *act, const struct cases_change *change, struct list *list)
{
	const struct index_row *row = NULL;
	size_t n = 0, i;

	memset(list, 0, sizeof(*list));
	if (!change->is_new)
		row = index_rows(act->index, change->slot, &n);
	list->row = cdop_arena_calloc(
	    act->arena, n + change->n_form + 2, sizeof(*list->row));
	if (list->row == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		if (row[i].kind == SCHEMA_KIND_SUMMARY)
			list->summary = row[i].number;
		else if (!is_dropped(change, &row[i]))
			list->row[list->n++] = row[i];
	}
	return CDOP_OK;
}

static struct rows_new
row_of(uint64_t key_id, const struct index_row *row)
{
	return (struct rows_new){
	    .kind = row->kind,
	    .schema = row->kind == SCHEMA_KIND_SUMMARY ? SUMMARY_SCHEMA
						       : SCHEMA_VERSION,
	    .version = row->version,
	    .key_id = key_id,
	};
}

/* Writes one message as a row; old is replaced where it is not 0. */
static enum cdop_err
put(struct cases_act *act, uint64_t key_id, struct index_row row, uint64_t old,
    const ProtobufCMessage *message, struct list *list)
{
	const struct rows_new new = row_of(key_id, &row);
	enum cdop_err err;

	err = message_put(
	    act->reg->rows, act->arena, &new, old, message, &row.number);
	if (err != CDOP_OK)
		return err;
	list->row[list->n++] = row;
	return CDOP_OK;
}

static enum cdop_err
put_form(struct cases_act *act, const struct cases_change *change, size_t i,
    struct list *list)
{
	const Cdop__StoredForm *form = change->form[i];
	struct index_row row = {.kind = SCHEMA_KIND_FORM,
	    .version = INDEX_FORM(form->number, (uint32_t)form->version)};
	struct rows_new new = row_of(change->key_id, &row);
	enum cdop_err err;

	new.data = list->form[i];
	err = rows_put(act->reg->rows, &new, &row.number);
	if (err != CDOP_OK)
		return err;
	list->row[list->n++] = row;
	return CDOP_OK;
}

/* Takes the row of a state out of the list.  0: it has none. */
static uint64_t
take_out(struct list *list, uint32_t version)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->row[i].kind != SCHEMA_KIND_CASE ||
		    list->row[i].version != version)
			continue;
		number = list->row[i].number;
		list->n--;
		memmove(&list->row[i], &list->row[i + 1],
		    (list->n - i) * sizeof(*list->row));
		return number;
	}
	return 0;
}

static enum cdop_err
put_versions(
    struct cases_act *act, const struct cases_change *change, struct list *list)
{
	struct index_row row = {.kind = SCHEMA_KIND_CASE};
	uint64_t old = 0;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < change->n_form; i++)
		if ((err = put_form(act, change, i, list)) != CDOP_OK)
			return err;
	if (change->state == NULL)
		return CDOP_OK;
	row.version = (uint32_t)change->state->version;
	if (change->keeps_version && (old = take_out(list, row.version)) == 0)
		return CDOP_DATA_LOSS;
	return put(act, change->key_id, row, old, &change->state->base, list);
}

/* Nothing here may fail for its size once a row has been written. */
static enum cdop_err
pack_forms(
    struct cases_act *act, const struct cases_change *change, struct list *list)
{
	const Cdop__StoredForm *form;
	enum cdop_err err;
	size_t i, len;

	list->form =
	    cdop_arena_calloc(act->arena, change->n_form, sizeof(*list->form));
	if (list->form == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < change->n_form; i++) {
		form = change->form[i];
		len = cdop__stored_form__get_packed_size(form);
		if (form->version > INDEX_FORM_VERSIONS ||
		    form->number > INDEX_FORM_INSTANCES || len > ROWS_DATA_MAX)
			return cases_refuse(act, CDOP_RESOURCE_EXHAUSTED,
			    "too_large", "this case has no room for more");
		err =
		    message_pack(act->arena, &form->base, len, &list->form[i]);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* ---- the summary ------------------------------------------------------- */

static enum cdop_err
take_all(struct cases_act *act, const struct cases_change *change,
    Cdop__StoredSummary *summary)
{
	enum cdop_err err;
	size_t i;

	for (i = 0; i < change->n_form; i++) {
		err = summary_take_form(summary, change->form[i], act->arena);
		if (err != CDOP_OK)
			return err;
	}
	if (change->derived != NULL) {
		err = summary_take_form(summary, change->derived, act->arena);
		if (err != CDOP_OK)
			return err;
	}
	if (change->state == NULL)
		return CDOP_OK;
	return summary_take_state(summary, change->state, act->arena);
}

/*
 * One pass over the versions that stay: the notifications', or the record's.
 * Each is opened into scratch: all of a case together may be much.
 */
static enum cdop_err
take_versions(struct cases_act *act, const struct list *list, bool record,
    Cdop__StoredSummary *summary)
{
	struct cases_act reading = *act;
	const struct index_row *row;
	Cdop__StoredForm *form;
	enum cdop_err err;
	size_t i;

	if ((err = cdop_arena_new(SCRATCH, &reading.arena)) != CDOP_OK)
		return err;
	for (i = 0; err == CDOP_OK && i < list->n; i++) {
		row = &list->row[i];
		if (row->kind != SCHEMA_KIND_FORM ||
		    (row->version >> 16 == 0) != record)
			continue;
		cdop_arena_reset(reading.arena);
		err = cases_read_row(
		    &reading, row, &cdop__stored_form__descriptor, &form);
		if (err == CDOP_OK)
			err = summary_take_form(summary, form, act->arena);
	}
	cdop_arena_free(reading.arena);
	return err;
}

/* The record last: what it says is what a list shows. */
static enum cdop_err
make_again(struct cases_act *act, const struct cases_change *change,
    const struct list *list, Cdop__StoredSummary *summary)
{
	Cdop__StoredForm *first;
	enum cdop_err err;

	err = take_versions(act, list, false, summary);
	if (err != CDOP_OK)
		return err;
	if (!cases_has_row(act, change->slot, 0, 1)) {
		err = cases_read_form(act, change->slot, 0, 1, &first);
		if (err == CDOP_OK)
			err = summary_take_form(summary, first, act->arena);
		if (err != CDOP_OK)
			return err;
	}
	return take_versions(act, list, true, summary);
}

static enum cdop_err
take_present_state(
    struct cases_act *act, uint32_t slot, Cdop__StoredSummary *summary)
{
	Cdop__StoredCase *state;
	enum cdop_err err;

	err = cases_read_state(act, slot, &state);
	return err != CDOP_OK ? err
			      : summary_take_state(summary, state, act->arena);
}

static enum cdop_err
summary_of(struct cases_act *act, const struct cases_change *change,
    const struct list *list, Cdop__StoredSummary **ret_summary)
{
	const struct index_row row = {.number = list->summary};
	bool again = change->drop != 0 ||
	    (!change->is_new && index_at(act->index, change->slot)->is_old);
	Cdop__StoredSummary *summary;
	enum cdop_err err = CDOP_OK;

	if (list->summary != 0 && !again)
		err = cases_read_row(
		    act, &row, &cdop__stored_summary__descriptor, &summary);
	else if ((summary = summary_new(act->arena)) == NULL)
		err = CDOP_RESOURCE_EXHAUSTED;
	if (err == CDOP_OK && again)
		err = make_again(act, change, list, summary);
	if (err == CDOP_OK && again && change->state == NULL)
		err = take_present_state(act, change->slot, summary);
	if (err != CDOP_OK)
		return err;
	*ret_summary = summary;
	return take_all(act, change, summary);
}

enum cdop_err
cases_summarise(
    struct cases_act *act, uint32_t slot, Cdop__StoredSummary **ret_summary)
{
	struct cases_change change;
	Cdop__StoredSummary *summary;
	struct list list;
	enum cdop_err err;

	cases_change_init(act, slot, &change);
	if ((summary = summary_new(act->arena)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = list_init(act, &change, &list);
	if (err == CDOP_OK)
		err = make_again(act, &change, &list, summary);
	if (err == CDOP_OK)
		err = take_present_state(act, slot, summary);
	if (err == CDOP_OK)
		*ret_summary = summary;
	return err;
}

/* ---- all of it --------------------------------------------------------- */

static enum cdop_err
drop_rows(struct cases_act *act, const struct cases_change *change)
{
	const struct index_row *row;
	enum cdop_err err;
	size_t n, i;

	if (change->drop == 0)
		return CDOP_OK;
	row = index_rows(act->index, change->slot, &n);
	for (i = 0; i < n; i++) {
		if (!is_dropped(change, &row[i]))
			continue;
		err = rows_del(act->reg->rows, row[i].number);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* The SUMMARY row behind the others, and the post made of it. */
static enum cdop_err
put_summary(struct cases_act *act, uint64_t key_id,
    const Cdop__StoredSummary *summary, struct list *list)
{
	struct index_row row = {.kind = SCHEMA_KIND_SUMMARY, .version = 1};
	struct index_post *post;
	enum cdop_err err;

	err = put(act, key_id, row, list->summary, &summary->base, list);
	if (err != CDOP_OK)
		return err;
	err = index_make_post(act->index, summary, key_id, act->arena, &post);
	if (err != CDOP_OK)
		return err;
	return index_put(act->index, post, list->row, list->n);
}

enum cdop_err
cases_store_summary(
    struct cases_act *act, uint32_t slot, const Cdop__StoredSummary *summary)
{
	struct cases_change change;
	struct list list;
	enum cdop_err err;

	cases_change_init(act, slot, &change);
	err = list_init(act, &change, &list);
	return err != CDOP_OK ? err
			      : put_summary(act, change.key_id, summary, &list);
}

enum cdop_err
cases_store(struct cases_act *act, const struct cases_change *change)
{
	Cdop__StoredSummary *summary;
	struct list list;
	enum cdop_err err;

	if ((err = list_init(act, change, &list)) != CDOP_OK)
		return err;
	if ((err = pack_forms(act, change, &list)) != CDOP_OK)
		return err;
	if ((err = summary_of(act, change, &list, &summary)) != CDOP_OK)
		return err;
	if ((err = drop_rows(act, change)) != CDOP_OK)
		return err;
	if ((err = put_versions(act, change, &list)) != CDOP_OK)
		return err;
	return put_summary(act, change->key_id, summary, &list);
}

/* ---- states ------------------------------------------------------------ */

char *
cases_text(struct cases_act *act, const char *text, bool *failed)
{
	char *copy;

	if (text == NULL)
		return NULL;
	copy = cdop_arena_strdup(act->arena, text);
	if (copy == NULL)
		*failed = true;
	return copy;
}

enum cdop_err
cases_next_state(struct cases_act *act, Cdop__StoredCase *state,
    const char *what, const char *reason)
{
	bool failed = false;

	state->version++;
	state->at_ms = act->now_ms;
	state->person = act->actor->person;
	state->what = cases_text(act, what, &failed);
	state->reason = cases_text(act, reason, &failed);
	state->source = NULL;
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

bool
cases_may_link(
    const struct cases_act *act, const struct index_post *post, uint64_t other)
{
	const uint64_t *id = index_post_others(post);
	uint32_t slot;
	size_t i, n = 0;

	if (index_post_decided(post, other))
		return true;
	for (i = 0; i < post->n_decided; i++)
		if (index_by_case(act->index, id[i], &slot) &&
		    access_may_see(&act->access, index_at(act->index, slot)))
			n++;
	return n < CDOP_CASE_LINKS_MAX;
}

Cdop__StoredCaseLink *
cases_link(const Cdop__StoredCase *state, const char *kind, uint64_t other)
{
	Cdop__StoredCaseLink *link;
	size_t i;

	for (i = 0; i < state->n_link; i++) {
		link = state->link[i];
		if (link->other == other && !link->has_ended_ms &&
		    strcmp(link->kind, kind) == 0)
			return link;
	}
	return NULL;
}

enum cdop_err
cases_add_link(struct cases_act *act, Cdop__StoredCase *state, const char *kind,
    uint64_t other, const char *reason)
{
	Cdop__StoredCaseLink *link, **links;
	bool failed = false;

	if (cases_link(state, kind, other) != NULL)
		return CDOP_OK;
	link = cdop_arena_alloc(act->arena, sizeof(*link));
	links =
	    cdop_arena_calloc(act->arena, state->n_link + 1, sizeof(*links));
	if (link == NULL || links == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__stored_case_link__init(link);
	link->kind = cases_text(act, kind, &failed);
	link->other = other;
	link->reason = cases_text(act, reason, &failed);
	link->person = act->actor->person;
	link->at_ms = act->now_ms;
	if (failed)
		return CDOP_RESOURCE_EXHAUSTED;
	if (state->n_link > 0)
		memcpy(links, state->link, state->n_link * sizeof(*links));
	links[state->n_link] = link;
	state->link = links;
	state->n_link++;
	return CDOP_OK;
}
