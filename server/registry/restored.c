/* Going on from an earlier state; see restored.h. */
#include "server/registry/restored.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "cdop/text.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/backups.h"
#include "server/registry/people.h"
#include "server/registry/statements.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"

#define MARK_BYTES   (256u << 10)
#define MARK_ROWS    (12 + APPROVALS_MAX)
#define INVITED_ROWS 3
#define INVITED_EACH 4096
#define AHEAD_MAX    1000 /* restores that one would not know of */

/* Of one that is known to be this registry's. */
static uint16_t
incarnation_of(
    const struct registry *reg, const struct cdop_checkpoint *checkpoint)
{
	uint16_t incarnation = 0;

	CDOP_ASSERT(cdop_checkpoint_is_of(checkpoint, reg->id, &incarnation));
	return incarnation;
}

bool
restored_is_newer(const struct registry *reg, const struct cdop_checkpoint *a,
    const struct cdop_checkpoint *b)
{
	uint16_t of_a = incarnation_of(reg, a), of_b = incarnation_of(reg, b);

	return of_a != of_b ? of_a > of_b : a->size > b->size;
}

/* A note of this registry's log, whichever of its keys has signed it. */
static enum cdop_err
read_lost(const struct registry *reg, struct cdop_bytes file,
    struct cdop_checkpoint *ret_lost)
{
	struct cdop_note note;
	uint16_t incarnation;
	enum cdop_err err;

	if ((err = cdop_note_parse(file, &note)) != CDOP_OK ||
	    (err = cdop_checkpoint_parse(note.text, ret_lost)) != CDOP_OK)
		return err;
	return cdop_checkpoint_is_of(ret_lost, reg->id, &incarnation)
	    ? CDOP_OK
	    : CDOP_INVALID_ARGUMENT;
}

static void
store_checkpoint(
    const struct cdop_checkpoint *from, Cdop__StoredCheckpoint *ret_stored)
{
	cdop__stored_checkpoint__init(ret_stored);
	ret_stored->origin = (char *)(uintptr_t)from->origin;
	ret_stored->size = from->size;
	ret_stored->root.data = (uint8_t *)(uintptr_t)from->root;
	ret_stored->root.len = sizeof(from->root);
}

static enum cdop_err
load_checkpoint(const Cdop__StoredCheckpoint *stored,
    struct cdop_checkpoint *ret_checkpoint)
{
	size_t len = strlen(stored->origin);

	if (len > CDOP_NOTE_NAME_MAX ||
	    stored->root.len != sizeof(ret_checkpoint->root))
		return CDOP_DATA_LOSS;
	memset(ret_checkpoint, 0, sizeof(*ret_checkpoint));
	memcpy(ret_checkpoint->origin, stored->origin, len);
	ret_checkpoint->size = stored->size;
	memcpy(ret_checkpoint->root, stored->root.data, stored->root.len);
	return CDOP_OK;
}

/* ---- marking ----------------------------------------------------------- */

struct mark {
	struct registry *reg;
	struct cdop_arena *arena;
	const struct restored_mark_args *args;
	struct cdop_checkpoint from;
	struct cdop_checkpoint lost;
	bool has_lost;
	bool has_first; /* it was marked before */
	struct restored_said first;
	/* Who is left out: those of marks before first. */
	struct restored_out out[CDOP_LEFT_OUT_MAX];
	size_t n_out_before;
	size_t n_out;
	const char *why; /* it is refused; NULL: the error says it */
};

/* Past every incarnation that is known of. */
static enum cdop_err
move_on(const struct mark *mark)
{
	struct rows *rows = mark->reg->rows;
	uint16_t past = 0;
	enum cdop_err err;

	if (mark->has_lost)
		past = incarnation_of(mark->reg, &mark->lost);
	do {
		if ((err = rows_next_incarnation(rows)) != CDOP_OK)
			return err;
	} while (rows_incarnation(rows) <= past);
	return CDOP_OK;
}

static enum cdop_err
store_out(const struct mark *mark, Cdop__StoredRestored *restored)
{
	Cdop__StoredSuspended **all, *each;
	size_t i, n = mark->n_out;

	all = cdop_arena_calloc(mark->arena, n, sizeof(*all));
	each = cdop_arena_calloc(mark->arena, n, sizeof(*each));
	if (all == NULL || each == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		cdop__stored_suspended__init(&each[i]);
		each[i].person = mark->out[i].person;
		each[i].has_device = mark->out[i].device != 0;
		each[i].device = mark->out[i].device;
		each[i].has_before = each[i].before = mark->out[i].before;
		all[i] = &each[i];
	}
	restored->suspended = all;
	restored->n_suspended = n;
	return CDOP_OK;
}

static void
store_first(const struct restored_said *from, Cdop__StoredFirstMark *ret_stored)
{
	cdop__stored_first_mark__init(ret_stored);
	ret_stored->at_ms = from->at_ms;
	ret_stored->by = (char *)(uintptr_t)from->by;
	ret_stored->reason = (char *)(uintptr_t)from->reason;
}

static enum cdop_err
change_config(const struct mark *mark)
{
	struct registry *reg = mark->reg;
	Cdop__StoredCheckpoint from, lost;
	Cdop__StoredFirstMark first;
	Cdop__StoredRestored restored;
	Cdop__StoredConfig *config;
	enum cdop_err err;

	err = registry_edit_config(reg, mark->arena, &config);
	if (err != CDOP_OK)
		return err;
	cdop__stored_restored__init(&restored);
	store_checkpoint(&mark->from, &from);
	restored.from = &from;
	if (mark->has_lost) {
		store_checkpoint(&mark->lost, &lost);
		restored.lost = &lost;
	}
	if (mark->has_first) {
		store_first(&mark->first, &first);
		restored.first = &first;
	}
	restored.at_ms = mark->args->now_ms;
	restored.by = (char *)(uintptr_t)mark->args->by;
	restored.reason = (char *)(uintptr_t)mark->args->reason;
	restored.state =
	    config->restored != NULL ? config->restored->state : config->state;
	if ((err = store_out(mark, &restored)) != CDOP_OK)
		return err;
	config->restored = &restored;
	config->state = CDOP__STATE__RESTORED;
	return registry_put_config(reg, mark->arena, config);
}

/*
 * What waited on that day may have been declined or taken back since, which
 * nobody here knows: whoever still wants it asks again.
 */
static enum cdop_err
drop_what_waits(const struct mark *mark)
{
	struct audit_entry entry = {
	    .call = AUDIT_EVENT_DROPPED, .time_ms = mark->args->now_ms};
	enum cdop_err err;
	size_t n;

	err = approvals_drop_all(mark->reg->approvals, &n);
	if (err != CDOP_OK || n == 0)
		return err;
	entry.count = n;
	return audit_append(mark->reg->audit, mark->arena, &entry, NULL);
}

/* Likewise: whoever is to come in is invited again. */
static enum cdop_err
take_invitations_back(const struct mark *mark)
{
	struct audit_entry entry = {
	    .call = AUDIT_EVENT_TAKEN_BACK, .time_ms = mark->args->now_ms};
	enum cdop_err err;

	entry.count = restored_people_invited(mark->reg, mark->args->now_ms);
	if (entry.count == 0)
		return CDOP_OK;
	err = restored_people_uninvite(
	    mark->reg, mark->arena, mark->args->now_ms);
	if (err != CDOP_OK)
		return err;
	return audit_append(mark->reg->audit, mark->arena, &entry, NULL);
}

static enum cdop_err
leave_out(struct mark *mark)
{
	const struct restored_people_act act = {
	    .out = mark->out + mark->n_out_before,
	    .n = mark->n_out - mark->n_out_before,
	    .by = mark->args->by,
	    .reason = mark->args->reason,
	    .now_ms = mark->args->now_ms,
	};
	enum cdop_err err;

	if (act.n == 0)
		return CDOP_OK;
	/* It lets custodians in while nobody here has been read yet, and
	 * opens with the boot key alone: a daemon that has that makes it
	 * anew. */
	err =
	    rows_slots_put_boot(mark->reg->rows, (struct cdop_bytes){NULL, 0});
	if (err != CDOP_OK)
		return err;
	return restored_people_suspend(
	    mark->reg, mark->arena, &act, &mark->why);
}

static enum cdop_err
apply_mark(struct mark *mark)
{
	const struct audit_entry entry = {
	    .call = AUDIT_EVENT_RESTORED,
	    .time_ms = mark->args->now_ms,
	    .reason_text = cdop_arena_printf(
		mark->arena, "%s: %s", mark->args->by, mark->args->reason),
	    .keep_reason = true,
	    .count = mark->from.size,
	};
	enum cdop_err err;

	if (entry.reason_text == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = move_on(mark)) != CDOP_OK)
		return err;
	if ((err = change_config(mark)) != CDOP_OK)
		return err;
	if (mark->args->manifest.len > 0 &&
	    (err = backups_restored(mark->reg->backups, mark->arena,
		 mark->args->manifest, mark->args->now_ms)) != CDOP_OK)
		return err;
	err = audit_append(mark->reg->audit, mark->arena, &entry, NULL);
	if (err == CDOP_OK)
		err = leave_out(mark);
	if (err == CDOP_OK)
		err = take_invitations_back(mark);
	return err == CDOP_OK ? drop_what_waits(mark) : err;
}

static enum cdop_err
run_mark(struct mark *mark)
{
	struct registry *reg = mark->reg;
	size_t invited = restored_people_invited(reg, mark->args->now_ms);
	enum cdop_err err;

	err = registry_begin(reg,
	    MARK_BYTES + RESTORED_PEOPLE_BYTES(mark->n_out) +
		invited * INVITED_EACH,
	    MARK_ROWS + RESTORED_PEOPLE_ROWS(mark->n_out) +
		invited * INVITED_ROWS);
	return err == CDOP_OK ? registry_end(reg, apply_mark(mark)) : err;
}

/* Why it was restored is not why it was marked again. */
static void
take_first(struct mark *mark, const struct restored_view *view)
{
	mark->has_first = true;
	mark->first = view->has_first ? view->first : view->said;
}

/*
 * Marked a second time it goes on from where it was marked the first time:
 * what came since was never shown to anybody as a log.
 */
static enum cdop_err
take_from(struct mark *mark, const char **ret_why)
{
	struct restored_view view;
	enum cdop_err err;

	if (mark->reg->state != CDOP_STATE_RESTORED) {
		err = statements_from(mark->reg, &mark->from);
	} else {
		err = restored_view(mark->reg, mark->arena, &view);
		if (err == CDOP_OK)
			mark->from = view.from;
		if (err == CDOP_OK && view.has_lost &&
		    (!mark->has_lost ||
			restored_is_newer(
			    mark->reg, &view.lost, &mark->lost))) {
			mark->lost = view.lost;
			mark->has_lost = true;
		}
		if (err == CDOP_OK) {
			memcpy(mark->out, view.out, sizeof(mark->out));
			mark->n_out_before = mark->n_out = view.n_out;
			take_first(mark, &view);
		}
	}
	if (err == CDOP_DATA_LOSS)
		*ret_why = "the log cannot be read: run cdopd verify";
	return err;
}

/* Behind those that a mark before has left out. */
static enum cdop_err
take_out(struct mark *mark, const char **ret_why)
{
	if (mark->args->suspend == NULL)
		return CDOP_OK;
	return restored_people_find(mark->reg, mark->arena, mark->args->suspend,
	    mark->out, &mark->n_out, ret_why);
}

/*
 * Nobody here knows the keys of what is lost, so who has signed it cannot be
 * told.  There are 65,535 incarnations and no more: one note is not to use
 * them up, after which nothing could be restored any more.
 */
static bool
is_too_far(const struct mark *mark)
{
	return incarnation_of(mark->reg, &mark->lost) >
	    rows_incarnation(mark->reg->rows) + AHEAD_MAX;
}

/* What is said, and what the registry says of itself. */
static enum cdop_err
look(struct mark *mark, const char **ret_why)
{
	const struct restored_mark_args *args = mark->args;
	enum cdop_err err;

	*ret_why = NULL;
	/* They are going to stand in a line of a statement each. */
	if (!cdop_text_is_line(args->by, CDOP_TEXT_MAX) ||
	    !cdop_text_is_line(args->reason, CDOP_REASON_MAX)) {
		*ret_why = "who does it and why: a line of UTF-8 text each, "
			   "without control characters";
		return CDOP_INVALID_ARGUMENT;
	}
	mark->has_lost = args->lost.len > 0;
	if (mark->has_lost &&
	    read_lost(mark->reg, args->lost, &mark->lost) != CDOP_OK) {
		*ret_why = "the anchor is not a checkpoint of this registry";
		return CDOP_INVALID_ARGUMENT;
	}
	if (mark->has_lost && is_too_far(mark)) {
		*ret_why = "the anchor is of over a thousand restores later "
			   "than this registry: somebody made it up; take "
			   "another one, or none";
		return CDOP_INVALID_ARGUMENT;
	}
	if ((err = take_from(mark, ret_why)) != CDOP_OK)
		return err;
	return take_out(mark, ret_why);
}

enum cdop_err
restored_is_older(struct registry *reg, struct cdop_arena *arena,
    const struct restored_mark_args *args, bool *ret_is, const char **ret_why)
{
	struct mark mark = {.reg = reg, .arena = arena, .args = args};
	enum cdop_err err;

	if ((err = look(&mark, ret_why)) != CDOP_OK)
		return err;
	*ret_is = reg->state == CDOP_STATE_RESTORED ||
	    (mark.has_lost && restored_is_newer(reg, &mark.lost, &mark.from));
	return CDOP_OK;
}

enum cdop_err
restored_mark(struct registry *reg, struct cdop_arena *arena,
    const struct restored_mark_args *args, const char **ret_why)
{
	struct restored_mark_args timed = *args;
	struct mark mark = {.reg = reg, .arena = arena, .args = &timed};
	enum cdop_err err;

	timed.now_ms = audit_time(reg->audit, args->now_ms, 0);
	if ((err = look(&mark, ret_why)) != CDOP_OK)
		return err;
	err = run_mark(&mark);
	*ret_why = mark.why;
	return err;
}

/* ---- what is waited for ------------------------------------------------ */

static enum cdop_err
make_target(struct cdop_arena *arena, const Cdop__StoredRestored *restored,
    uint8_t out[static 32])
{
	struct cdop_bytes bytes;
	uint8_t *packed;

	packed = cdop_arena_alloc(
	    arena, cdop__stored_restored__get_packed_size(restored));
	if (packed == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	bytes.len = cdop__stored_restored__pack(restored, packed);
	bytes.data = packed;
	cdop_secret_hash(out, 32, NULL, "cdop-restored/1", &bytes, 1);
	return CDOP_OK;
}

static void
load_said(const Cdop__StoredRestored *restored, struct restored_view *view)
{
	const Cdop__StoredFirstMark *first = restored->first;

	view->said = (struct restored_said){.by = restored->by,
	    .reason = restored->reason,
	    .at_ms = restored->at_ms};
	view->has_first = first != NULL;
	if (first != NULL)
		view->first = (struct restored_said){.by = first->by,
		    .reason = first->reason,
		    .at_ms = first->at_ms};
}

static enum cdop_err
load_out(const struct registry *reg, const Cdop__StoredRestored *restored,
    struct restored_view *view)
{
	const Cdop__StoredSuspended *from;
	size_t i;

	if (restored->n_suspended > CDOP_LEFT_OUT_MAX)
		return CDOP_DATA_LOSS;
	for (i = 0; i < restored->n_suspended; i++) {
		from = restored->suspended[i];
		if (people_person(reg->people, from->person) == NULL ||
		    (from->has_device &&
			people_device(reg->people, from->device) == NULL))
			return CDOP_DATA_LOSS;
		view->out[i].person = from->person;
		view->out[i].device = from->has_device ? from->device : 0;
		view->out[i].before = from->before;
	}
	view->n_out = restored->n_suspended;
	return CDOP_OK;
}

enum cdop_err
restored_view(struct registry *reg, struct cdop_arena *arena,
    struct restored_view *ret_view)
{
	Cdop__StoredConfig *config;
	struct restored_view view;
	enum cdop_err err;

	if ((err = registry_edit_config(reg, arena, &config)) != CDOP_OK)
		return err;
	if (config->restored == NULL)
		return CDOP_FAILED_PRECONDITION;
	memset(&view, 0, sizeof(view));
	err = load_checkpoint(config->restored->from, &view.from);
	view.has_lost = config->restored->lost != NULL;
	if (err == CDOP_OK && view.has_lost)
		err = load_checkpoint(config->restored->lost, &view.lost);
	if (err == CDOP_OK)
		err = load_out(reg, config->restored, &view);
	if (err == CDOP_OK)
		err = make_target(arena, config->restored, view.target);
	if (err != CDOP_OK)
		return err;
	load_said(config->restored, &view);
	*ret_view = view;
	return CDOP_OK;
}

/* ---- accepting --------------------------------------------------------- */

static enum cdop_err
end_state(struct registry *reg, struct cdop_arena *arena,
    const struct statements_args *args, struct cdop_bytes *ret_note)
{
	Cdop__StoredConfig *config;
	enum cdop_err err;

	if ((err = registry_edit_config(reg, arena, &config)) != CDOP_OK)
		return err;
	config->state = config->restored->state;
	config->restored = NULL;
	err = statements_make(reg, arena, args, config, ret_note);
	if (err != CDOP_OK)
		return err;
	return registry_put_config(reg, arena, config);
}

enum cdop_err
restored_accept(struct registry *reg, struct cdop_arena *arena,
    const struct restored_accept_args *args, struct cdop_bytes *ret_note)
{
	struct restored_view view;
	struct statements_args statement = {
	    .kind = CDOP_STATEMENT_RESTORE,
	    .by = {args->by[0], args->by[1]},
	    .n_by = 2,
	    .reason = args->reason,
	    .now_ms = args->now_ms,
	};
	enum cdop_err err;

	if ((err = restored_view(reg, arena, &view)) != CDOP_OK)
		return err;
	statement.from = &view.from;
	if (view.has_lost)
		statement.lost = &view.lost;
	if (args->lost != NULL &&
	    (!view.has_lost || restored_is_newer(reg, args->lost, &view.lost)))
		statement.lost = args->lost;
	if (statement.lost != NULL &&
	    incarnation_of(reg, statement.lost) >= rows_incarnation(reg->rows))
		return CDOP_FAILED_PRECONDITION;
	err = end_state(reg, arena, &statement, ret_note);
	if (err != CDOP_OK)
		return err;
	return statements_leaf(reg, arena, *ret_note, args->now_ms);
}
