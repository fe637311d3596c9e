/* One backup at a time, read between batches; see backups.h. */
#include "server/registry/backups.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/checkpoints.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/dump.h"

#define AHEAD_BYTES (512u << 10) /* read ahead of what was sent */
#define STEP_ROWS   512
#define GIVEN_UP_MS (120 * 1000) /* nobody has taken anything for so long */
#define MANIFEST_ROOM                                                          \
	(3 * CDOP_NOTE_MAX +                                                   \
	    CDOP_MANIFEST_EPOCHS_MAX * sizeof(struct cdop_manifest_epoch))

enum run_state {
	RUN_NONE,
	RUN_ASKED,
	RUN_WALKS,
	RUN_WHOLE, /* the manifest stands behind what waits */
	RUN_FAILED,
};

/* The one that is being taken. */
struct run {
	enum run_state state;
	uint32_t number;
};

struct backups {
	struct registry *reg;
	struct backups_entry *list;
	size_t n;
	size_t room;
	struct run run; /* changes in batches through the undo log */

	/* Of the run; changed between batches, or by a commit. */
	struct dump *dump;
	uint64_t moved_ms; /* when something was last taken */
	size_t waiting;    /* bytes, then */
	struct cdop_bytes manifest;
	char finding[160];
	bool news; /* which nobody was told yet */
};

enum cdop_err
backups_new(struct registry *reg, struct backups **ret_backups)
{
	struct backups *backups = calloc(1, sizeof(*backups));

	if (backups == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	backups->reg = reg;
	*ret_backups = backups;
	return CDOP_OK;
}

static void
free_entry(struct backups_entry *entry)
{
	free(entry->label);
	free((uint8_t *)(uintptr_t)entry->manifest.data);
}

void
backups_free(struct backups *backups)
{
	size_t i;

	if (backups == NULL)
		return;
	dump_free(backups->dump);
	free((uint8_t *)(uintptr_t)backups->manifest.data);
	for (i = 0; i < backups->n; i++)
		free_entry(&backups->list[i]);
	free(backups->list);
	free(backups);
}

size_t
backups_count(const struct backups *backups)
{
	return backups->n;
}

const struct backups_entry *
backups_at(const struct backups *backups, size_t i)
{
	return &backups->list[i];
}

const char *
backups_news(struct backups *backups)
{
	bool news = backups->news;

	backups->news = false;
	return news ? backups->finding : NULL;
}

const struct backups_entry *
backups_find(const struct backups *backups, uint32_t number)
{
	size_t i;

	for (i = 0; i < backups->n; i++)
		if (backups->list[i].number == number)
			return &backups->list[i];
	return NULL;
}

const struct backups_entry *
backups_newest(const struct backups *backups)
{
	size_t i;

	for (i = backups->n; i > 0; i--)
		if (backups->list[i - 1].ended_ms != 0)
			return &backups->list[i - 1];
	return NULL;
}

const struct backups_entry *
backups_proved(const struct backups *backups)
{
	const struct backups_entry *last = NULL, *entry;
	size_t i;

	for (i = 0; i < backups->n; i++) {
		entry = &backups->list[i];
		if (entry->proved_ms != 0 &&
		    (last == NULL || entry->proved_ms >= last->proved_ms))
			last = entry;
	}
	return last;
}

/* ---- entries ------------------------------------------------------------- */

static enum cdop_err
copy_bytes(struct cdop_bytes from, struct cdop_bytes *ret_copy)
{
	uint8_t *copy = malloc(from.len);

	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(copy, from.data, from.len);
	*ret_copy = (struct cdop_bytes){copy, from.len};
	return CDOP_OK;
}

/* Room for one more.  Between batches: the undo log saves places of it. */
static enum cdop_err
grow(struct backups *backups)
{
	size_t room = backups->room == 0 ? 16 : 2 * backups->room;
	struct backups_entry *list;

	if (backups->n < backups->room)
		return CDOP_OK;
	list = reallocarray(backups->list, room, sizeof(*list));
	if (list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	backups->list = list;
	backups->room = room;
	return CDOP_OK;
}

static enum cdop_err
fill_entry(
    struct backups_entry *entry, uint64_t row, const Cdop__StoredBackup *stored)
{
	*entry = (struct backups_entry){
	    .number = stored->number,
	    .person = stored->person,
	    .device = stored->device,
	    .row = row,
	    .begun_ms = stored->begun_ms,
	    .ended_ms = stored->has_ended_ms ? stored->ended_ms : 0,
	    .proved_ms = stored->has_proved_ms ? stored->proved_ms : 0,
	    .proved_by = stored->has_proved_by ? stored->proved_by : 0,
	    .version = stored->has_version ? stored->version : 1,
	    .label = strdup(stored->label),
	};
	if (entry->label == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (!stored->has_manifest)
		return CDOP_OK;
	return copy_bytes(
	    (struct cdop_bytes){stored->manifest.data, stored->manifest.len},
	    &entry->manifest);
}

enum cdop_err
backups_load(
    struct backups *backups, uint64_t row, const Cdop__StoredBackup *stored)
{
	struct backups_entry *entry;
	enum cdop_err err;
	size_t at;

	if ((err = grow(backups)) != CDOP_OK)
		return err;
	/* One that became whole late lies behind later ones. */
	for (at = backups->n; at > 0; at--) {
		if (backups->list[at - 1].number < stored->number)
			break;
		if (backups->list[at - 1].number == stored->number)
			return CDOP_DATA_LOSS;
	}
	entry = &backups->list[at];
	memmove(entry + 1, entry, (backups->n - at) * sizeof(*entry));
	backups->n++;
	return fill_entry(entry, row, stored);
}

static enum cdop_err
put(struct backups *backups, struct cdop_arena *arena,
    const struct backups_entry *entry, uint64_t *ret_row)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_BACKUP,
	    .schema = 1,
	    .version = entry->version,
	};
	Cdop__StoredBackup stored;

	cdop__stored_backup__init(&stored);
	stored.number = entry->number;
	stored.label = entry->label;
	stored.person = entry->person;
	stored.device = entry->device;
	stored.begun_ms = entry->begun_ms;
	stored.has_ended_ms = entry->ended_ms != 0;
	stored.ended_ms = entry->ended_ms;
	stored.has_proved_ms = entry->proved_ms != 0;
	stored.proved_ms = entry->proved_ms;
	stored.has_proved_by = entry->proved_by != 0;
	stored.proved_by = entry->proved_by;
	stored.has_version = true;
	stored.version = entry->version;
	stored.has_manifest = entry->manifest.len > 0;
	stored.manifest.data = (uint8_t *)(uintptr_t)entry->manifest.data;
	stored.manifest.len = entry->manifest.len;
	return message_put(
	    backups->reg->rows, arena, &row, entry->row, &stored.base, ret_row);
}

/* ---- begin --------------------------------------------------------------- */

static enum cdop_err
refuse(enum backups_fault fault, enum backups_fault *ret_fault)
{
	*ret_fault = fault;
	if (fault == BACKUPS_FULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return fault == BACKUPS_FAILED ? CDOP_DATA_LOSS
				       : CDOP_FAILED_PRECONDITION;
}

static bool
has_shares(const struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows_slots(rows); i++)
		if (rows_slot(rows, i)->kind == SLOTS_KIND_SHARES)
			return true;
	return false;
}

/* Takes the last entry back. */
static void
forget_last(void *ctx, uint64_t arg)
{
	struct backups *backups = ctx;

	(void)arg;
	free_entry(&backups->list[--backups->n]);
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
	return put(backups, arena, entry, &entry->row);
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
	if (!has_shares(backups->reg->rows))
		return refuse(BACKUPS_NO_SHARES, ret_fault);
	if (backups->run.state != RUN_NONE)
		return refuse(BACKUPS_BUSY, ret_fault);
	if (new.number > BACKUPS_MAX || backups->n == backups->room)
		return refuse(BACKUPS_FULL, ret_fault);
	err =
	    undo_save(backups->reg->undo, &backups->run, sizeof(backups->run));
	if (err == CDOP_OK)
		err = add(backups, arena, &new);
	if (err != CDOP_OK)
		return err;
	backups->run = (struct run){.state = RUN_ASKED, .number = new.number};
	*ret_number = new.number;
	return CDOP_OK;
}

/* ---- take ---------------------------------------------------------------- */

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

static void
drop(void *ctx, uint64_t arg)
{
	struct backups *backups = ctx;

	dump_drop(backups->dump, (size_t)arg);
}

/* Its row says that all of it was taken. */
static enum cdop_err
end(struct backups *backups, struct cdop_arena *arena, uint64_t now_ms)
{
	struct backups_entry *entry = current(backups);
	struct undo *undo = backups->reg->undo;
	struct backups_entry whole = *entry;
	enum cdop_err err;

	whole.ended_ms = now_ms;
	whole.version++;
	whole.manifest = backups->manifest;
	err = undo_save(undo, entry, sizeof(*entry));
	if (err == CDOP_OK)
		err = undo_save(undo, &backups->run, sizeof(backups->run));
	if (err == CDOP_OK)
		err = undo_save(
		    undo, &backups->manifest, sizeof(backups->manifest));
	if (err == CDOP_OK)
		err = put(backups, arena, &whole, &whole.row);
	if (err != CDOP_OK)
		return err;
	*entry = whole;
	backups->manifest = (struct cdop_bytes){NULL, 0};
	backups->run.state = RUN_NONE;
	return CDOP_OK;
}

enum cdop_err
backups_take(struct backups *backups, struct cdop_arena *arena, uint32_t number,
    uint64_t now_ms, struct backups_piece *piece, enum backups_fault *ret_fault)
{
	const struct run *run = &backups->run;
	enum cdop_err err;

	*ret_fault = BACKUPS_FINE;
	piece->len = 0;
	piece->end = false;
	if (run->state == RUN_NONE || run->number != number)
		return refuse(BACKUPS_OVER, ret_fault);
	if (run->state == RUN_FAILED)
		return refuse(BACKUPS_FAILED, ret_fault);
	if (backups->dump == NULL)
		return CDOP_OK;
	piece->len = dump_copy(backups->dump, piece->out, piece->max);
	err = undo_defer(backups->reg->undo, drop, backups, piece->len);
	if (err != CDOP_OK)
		return err;
	piece->end = run->state == RUN_WHOLE &&
	    piece->len == dump_waiting(backups->dump);
	return piece->end ? end(backups, arena, now_ms) : CDOP_OK;
}

enum cdop_err
backups_prove(struct backups *backups, struct cdop_arena *arena,
    const struct actor *actor, uint32_t number, uint64_t now_ms)
{
	const struct backups_entry *found = backups_find(backups, number);
	struct backups_entry *entry, proved;
	enum cdop_err err;

	if (found == NULL)
		return CDOP_NOT_FOUND;
	if (found->ended_ms == 0)
		return CDOP_FAILED_PRECONDITION;
	entry = &backups->list[found - backups->list];
	proved = *entry;
	proved.proved_ms = now_ms;
	proved.proved_by = actor->person;
	proved.version++;
	err = undo_save(backups->reg->undo, entry, sizeof(*entry));
	if (err == CDOP_OK)
		err = put(backups, arena, &proved, &proved.row);
	if (err == CDOP_OK)
		*entry = proved;
	return err;
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
		err = copy_bytes(note, &backups->manifest);
	return err == CDOP_OK ? dump_end(backups->dump, note) : err;
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

	if (err != CDOP_DATA_LOSS || *why == '\0')
		why = cdop_err_name(err);
	len = strnlen(why, sizeof(backups->finding) - 1);
	memcpy(backups->finding, why, len);
	backups->finding[len] = '\0';
	backups->news = true;
	give_up(backups);
	backups->run.state = RUN_FAILED;
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

	if (run->state != RUN_NONE && is_given_up(backups, boot_ms))
		run->state = RUN_NONE;
	if (run->state == RUN_NONE) {
		give_up(backups);
		backups->moved_ms = 0;
		(void)!grow(backups); /* whoever begins one is told */
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
