/* The backup that is being taken, read between batches; see backups.h. */
#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/backups_inner.h"
#include "server/registry/checkpoints.h"
#include "server/registry/rotation.h"
#include "server/vault/dump.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"

#define AHEAD_BYTES (512u << 10) /* read ahead of what was sent */
#define STEP_ROWS   512
#define GIVEN_UP_MS (120 * 1000) /* nobody has taken anything for so long */
#define DAY_MS      (24ull * 60 * 60 * 1000)
#define YEAR_MS     (366 * DAY_MS)
#define MANIFEST_ROOM                                                          \
	(3 * CDOP_NOTE_MAX +                                                   \
	    CDOP_MANIFEST_EPOCHS_MAX * sizeof(struct cdop_manifest_epoch))

const char *
backups_news(struct backups *backups)
{
	bool news = backups->news;

	backups->news = false;
	return news ? backups->finding : NULL;
}

/* ---- begin --------------------------------------------------------------- */

static enum cdop_err
refuse(enum backups_fault fault, enum backups_fault *ret_fault)
{
	*ret_fault = fault;
	if (fault == BACKUPS_FULL || fault == BACKUPS_OFTEN)
		return CDOP_RESOURCE_EXHAUSTED;
	if (fault == BACKUPS_FAILED)
		return CDOP_DATA_LOSS;
	return fault == BACKUPS_TURNED ? CDOP_ABORTED
				       : CDOP_FAILED_PRECONDITION;
}

/* Takes the last entry back. */
static void
forget_last(void *ctx, uint64_t arg)
{
	struct backups *backups = ctx;

	(void)arg;
	backups_free_entry(&backups->list[--backups->n]);
}

static enum cdop_err
add(struct backups *backups, struct cdop_arena *arena,
    const struct backups_entry *new)
{
	struct backups_entry *entry = &backups->list[backups->n];
	enum cdop_err err;

	*entry = *new;
	entry->label = strdup(new->label);
	if (entry->label == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	backups->n++;
	err = undo_call(backups->reg->undo, forget_last, backups, 0);
	if (err != CDOP_OK) {
		forget_last(backups, 0);
		return err;
	}
	return backups_put(backups, arena, entry, &entry->row);
}

/* One person in a loop uses up neither what is there for years nor the day. */
static bool
is_often(const struct backups *backups, uint32_t person, uint64_t now_ms)
{
	size_t i = backups->n, n = 0, own = 0;

	while (i > 0 && n < BACKUPS_A_DAY &&
	    backups->list[--i].begun_ms + DAY_MS > now_ms) {
		n++;
		own += backups->list[i].person == person;
	}
	return n == BACKUPS_A_DAY || own >= BACKUPS_OF_ONE;
}

/* The one that was dropped is no more: its row went with this commit. */
static void
forget_dropped(void *ctx, uint64_t arg)
{
	struct backups *backups = ctx;
	struct backups_entry *entry = backups->list;

	while (entry->number != arg)
		entry++;
	backups_free_entry(entry);
	backups->n--;
	memmove(entry, entry + 1,
	    (size_t)(backups->list + backups->n - entry) * sizeof(*entry));
}

/* Where there are as many as can be: one that nobody misses. */
static enum cdop_err
make_room(
    struct backups *backups, uint64_t now_ms, enum backups_fault *ret_fault)
{
	struct backups_entry *entry = backups->list;
	const struct backups_entry *past = backups->list + backups->n;
	struct undo *undo = backups->reg->undo;
	enum cdop_err err;

	if (backups->n < BACKUPS_MAX)
		return CDOP_OK;
	while (entry < past && entry->destroyed_ms == 0 &&
	    (entry->ended_ms != 0 || entry->begun_ms + YEAR_MS > now_ms))
		entry++;
	if (entry == past)
		return refuse(BACKUPS_FULL, ret_fault);
	err = undo_save(undo, entry, sizeof(*entry));
	if (err == CDOP_OK)
		err = undo_defer(undo, forget_dropped, backups, entry->number);
	if (err == CDOP_OK)
		err = rows_del(backups->reg->rows, entry->row);
	if (err == CDOP_OK)
		entry->dropped = true;
	return err;
}

/* The entry of the run. */
static struct backups_entry *
current(struct backups *backups)
{
	size_t i = backups->n;

	while (i > 0 && backups->list[i - 1].number != backups->run.number)
		i--;
	CDOP_ASSERT(i > 0); /* a run begins with its entry */
	return &backups->list[i - 1];
}

/* Whoever takes his own slowly, again and again, keeps no other from one. */
static bool
is_busy(struct backups *backups, const struct actor *actor, uint64_t now_ms)
{
	const struct backups_entry *entry;

	if (backups->run.state == RUN_NONE)
		return false;
	entry = current(backups);
	return entry->person == actor->person ||
	    now_ms < entry->begun_ms + BACKUPS_ALONE_MS;
}

enum cdop_err
backups_begin(struct backups *backups, struct cdop_arena *arena,
    const struct actor *actor, const char *label, uint64_t now_ms,
    uint32_t *ret_number, enum backups_fault *ret_fault)
{
	const struct backups_entry new = {
	    .number =
		backups->n == 0 ? 1 : backups->list[backups->n - 1].number + 1,
	    .person = actor->person,
	    .device = actor->device,
	    .begun_ms = now_ms,
	    .version = 1,
	    .label = (char *)(uintptr_t)label,
	};
	enum cdop_err err;

	*ret_fault = BACKUPS_FINE;
	if (!rows_has_shares(backups->reg->rows))
		return refuse(BACKUPS_NO_SHARES, ret_fault);
	if (is_busy(backups, actor, now_ms))
		return refuse(BACKUPS_BUSY, ret_fault);
	if (is_often(backups, actor->person, now_ms))
		return refuse(BACKUPS_OFTEN, ret_fault);
	if (new.number == 0 || backups->n == backups->room)
		return refuse(BACKUPS_FULL, ret_fault);
	err = make_room(backups, now_ms, ret_fault);
	if (err == CDOP_OK)
		err = undo_save(
		    backups->reg->undo, &backups->run, sizeof(backups->run));
	if (err == CDOP_OK)
		err = add(backups, arena, &new);
	if (err != CDOP_OK)
		return err;
	backups->run = (struct run){.state = RUN_ASKED, .number = new.number};
	*ret_number = new.number;
	return CDOP_OK;
}

/* ---- take ---------------------------------------------------------------- */

static void
drop(void *ctx, uint64_t arg)
{
	struct backups *backups = ctx;

	dump_drop(backups->dump, (size_t)arg);
}

/* All of it was sent, and its row has what it was: whole it is not yet. */
static enum cdop_err
end(struct backups *backups, struct cdop_arena *arena)
{
	struct backups_entry *entry = current(backups);
	struct undo *undo = backups->reg->undo;
	struct backups_entry sent = *entry;
	enum cdop_err err;

	sent.manifest = backups->manifest;
	sent.opens = backups->opens;
	sent.has_proof = true;
	memcpy(sent.proof, backups->proof, sizeof(sent.proof));
	err = undo_save(undo, &backups->run, sizeof(backups->run));
	if (err == CDOP_OK)
		err = undo_save(
		    undo, &backups->manifest, sizeof(backups->manifest));
	if (err == CDOP_OK)
		err = backups_change(backups, arena, entry, &sent);
	if (err != CDOP_OK)
		return err;
	backups->manifest = (struct cdop_bytes){NULL, 0};
	backups->run.state = RUN_NONE;
	return CDOP_OK;
}

enum cdop_err
backups_take(struct backups *backups, struct cdop_arena *arena, uint32_t number,
    struct backups_piece *piece, enum backups_fault *ret_fault)
{
	const struct run *run = &backups->run;
	enum cdop_err err;

	*ret_fault = BACKUPS_FINE;
	piece->len = 0;
	piece->end = false;
	if (run->state == RUN_NONE || run->number != number)
		return refuse(BACKUPS_OVER, ret_fault);
	if (run->state == RUN_FAILED)
		return refuse(run->fault, ret_fault);
	/* What there is before the first look is of the one before. */
	if (run->state == RUN_ASKED)
		return CDOP_OK;
	piece->len = dump_copy(backups->dump, piece->out, piece->max);
	err = undo_defer(backups->reg->undo, drop, backups, piece->len);
	if (err != CDOP_OK)
		return err;
	piece->end = run->state == RUN_WHOLE &&
	    piece->len == dump_waiting(backups->dump);
	return piece->end ? end(backups, arena) : CDOP_OK;
}

/* ---- between batches ----------------------------------------------------- */

static void
give_up(struct backups *backups)
{
	dump_free(backups->dump);
	backups->dump = NULL;
	free((uint8_t *)(uintptr_t)backups->manifest.data);
	backups->manifest = (struct cdop_bytes){NULL, 0};
	backups->waiting = 0;
}

/* The slots that go along, as they are at this commit. */
static void
note_opens(struct backups *backups)
{
	const struct rows *rows = backups->reg->rows;
	struct backups_opens *opens = &backups->opens;
	const struct slots_set *set;
	size_t i;

	memset(opens, 0, sizeof(*opens));
	opens->known = true;
	opens->root = rotation_root(backups->reg->rotation);
	for (i = 0; i < rows_slots(rows) && opens->n < BACKUPS_SLOTS; i++) {
		set = rows_slots_set(rows, rows_slot(rows, i)->number);
		if (set != NULL)
			opens->slot[opens->n++] = (struct backups_slot){
			    .number = set->number,
			    .need = set->k,
			    .of = set->n,
			};
	}
}

/* All that is left, and the manifest behind it. */
static enum cdop_err
finish(struct backups *backups, struct cdop_arena *arena)
{
	struct cdop_bytes note = {NULL, 0};
	struct cdop_manifest manifest;
	enum cdop_err err;

	memset(&manifest, 0, sizeof(manifest));
	manifest.number = backups->run.number;
	manifest.taken_ms = current(backups)->begun_ms;
	err = dump_last(backups->dump);
	if (err == CDOP_OK)
		err = dump_describe(backups->dump, arena, &manifest);
	if (err == CDOP_OK)
		err = checkpoints_manifest(
		    backups->reg->checkpoints, arena, &manifest, &note);
	if (err == CDOP_OK)
		err = backups_copy(note, &backups->manifest);
	if (err != CDOP_OK)
		return err;
	dump_proof(backups->reg->rows, note, backups->proof);
	note_opens(backups);
	return dump_end(backups->dump, note);
}

static enum cdop_err
walk(struct backups *backups, bool *ret_more)
{
	const struct walk_budget budget = {
	    .rows = STEP_ROWS, .bytes = AHEAD_BYTES};
	struct cdop_arena *arena;
	enum cdop_err err;
	bool end;

	err = dump_fill(backups->dump, AHEAD_BYTES, &budget, &end);
	*ret_more = dump_waiting(backups->dump) < AHEAD_BYTES;
	if (err != CDOP_OK || !end)
		return err;
	*ret_more = false;
	if ((err = cdop_arena_new(MANIFEST_ROOM, &arena)) != CDOP_OK)
		return err;
	err = finish(backups, arena);
	cdop_arena_free(arena);
	if (err == CDOP_OK)
		backups->run.state = RUN_WHOLE;
	return err;
}

static void
fail(struct backups *backups, enum cdop_err err)
{
	const char *why = rows_finding(backups->reg->rows);
	size_t len;

	give_up(backups);
	backups->run.state = RUN_FAILED;
	backups->run.fault = BACKUPS_TURNED;
	/* Sealed anew below the walk, as a copy does at its end: no damage. */
	if (err == CDOP_ABORTED)
		return;
	backups->run.fault = BACKUPS_FAILED;
	if (err != CDOP_DATA_LOSS || *why == '\0')
		why = cdop_err_name(err);
	len = strnlen(why, sizeof(backups->finding) - 1);
	memcpy(backups->finding, why, len);
	backups->finding[len] = '\0';
	backups->news = true;
}

void
backups_leave(struct backups *backups, uint32_t number)
{
	if (backups->run.state == RUN_NONE || backups->run.number != number)
		return;
	give_up(backups);
	backups->moved_ms = 0;
	backups->run.state = RUN_NONE;
}

/* Whether nobody takes any more of it; a reader who takes sets it back. */
static bool
is_given_up(struct backups *backups, uint64_t boot_ms)
{
	size_t waiting =
	    backups->dump == NULL ? 0 : dump_waiting(backups->dump);

	if (waiting < backups->waiting || backups->moved_ms == 0)
		backups->moved_ms = boot_ms;
	backups->waiting = waiting;
	return boot_ms - backups->moved_ms > GIVEN_UP_MS;
}

bool
backups_pump(struct backups *backups, uint64_t boot_ms)
{
	struct run *run = &backups->run;
	enum cdop_err err = CDOP_OK;
	bool more = false;

	/* What there is now is of the one whose place it took. */
	if (run->state == RUN_ASKED) {
		give_up(backups);
		backups->moved_ms = 0;
	}
	if (run->state != RUN_NONE && is_given_up(backups, boot_ms))
		run->state = RUN_NONE;
	if (run->state == RUN_NONE) {
		give_up(backups);
		backups->moved_ms = 0;
		(void)!backups_grow(backups); /* whoever begins one is told */
		return false;
	}
	if (run->state == RUN_ASKED) {
		err = dump_begin(backups->reg->rows, &backups->dump);
		if (err == CDOP_OK)
			run->state = RUN_WALKS;
	}
	if (err == CDOP_OK && run->state == RUN_WALKS)
		err = walk(backups, &more);
	if (err != CDOP_OK)
		fail(backups, err);
	backups->waiting =
	    backups->dump == NULL ? 0 : dump_waiting(backups->dump);
	return more;
}
