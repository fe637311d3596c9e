/* The table of rotations, and its rows; see rotation.h. */
#include "server/registry/rotation.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"
#include "server/vault/rows_rewrap.h"
#include "server/vault/rows_slots.h"

#define SCHEMA     1
#define SLOT_BYTES 5 /* of one, in a target */

/* In the order of numbers. */
struct table {
	struct rotation_job job[ROTATION_KEPT];
	size_t n;
};

struct rotation {
	struct registry *reg;
	struct table table;
	struct rotation_pace pace;
	uint64_t now_ms;
	bool stalled;
	bool copies;
	bool late;
};

enum cdop_err
rotation_new(struct registry *reg, struct rotation **ret_rotation)
{
	struct rotation *rotation;

	rotation = calloc(1, sizeof(*rotation));
	if (rotation == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rotation->reg = reg;
	*ret_rotation = rotation;
	return CDOP_OK;
}

void
rotation_free(struct rotation *rotation)
{
	free(rotation);
}

struct registry *
rotation_registry(struct rotation *rotation)
{
	return rotation->reg;
}

struct rotation_pace *
rotation_pace(struct rotation *rotation)
{
	return &rotation->pace;
}

void
rotation_set_stalled(struct rotation *rotation, bool stalled)
{
	rotation->stalled = stalled;
}

bool
rotation_is_stalled(const struct rotation *rotation)
{
	return rotation->stalled;
}

void
rotation_set_now(struct rotation *rotation, uint64_t now_ms)
{
	rotation->now_ms = now_ms;
}

/* How long it was held in all by then. */
static uint64_t
held(const struct rotation_job *job, uint64_t now_ms)
{
	return job->held_ms +
	    (job->paused && now_ms > job->paused_ms ? now_ms - job->paused_ms
						    : 0);
}

bool
rotation_is_held(const struct rotation *rotation)
{
	const struct rotation_job *job = rotation_running(rotation);

	return job != NULL && job->paused &&
	    held(job, rotation->now_ms) < ROTATION_HELD_MS;
}

void
rotation_set_copies(struct rotation *rotation, bool copies)
{
	rotation->copies = copies;
}

bool
rotation_copies(const struct rotation *rotation)
{
	return rotation->copies;
}

void
rotation_set_late(struct rotation *rotation, bool late)
{
	rotation->late = late;
}

bool
rotation_is_late(const struct rotation *rotation)
{
	return rotation->late;
}

/* ---- the table --------------------------------------------------------- */

static void
take(struct rotation_job *job, uint64_t row, const Cdop__StoredRotation *stored)
{
	job->row = row;
	job->floor = stored->floor;
	job->until_ms = stored->has_until_ms ? stored->until_ms : 0;
	job->number = stored->number;
	job->what = stored->what;
	job->phase = stored->phase;
	job->paused = stored->has_paused && stored->paused;
	job->paused_ms = stored->paused_ms;
	job->held_ms = stored->held_ms;
	job->total = stored->total;
	job->ended_ms = stored->has_ended_ms ? stored->ended_ms : 0;
	job->compromised = stored->has_compromised && stored->compromised;
	job->given_up = stored->has_given_up && stored->given_up;
}

enum cdop_err
rotation_load(
    struct rotation *rotation, uint64_t row, const Cdop__StoredRotation *stored)
{
	struct table *table = &rotation->table;
	size_t i = table->n;

	if (table->n == ROTATION_KEPT || stored->number == 0)
		return CDOP_DATA_LOSS;
	/* Rows come in the order in which they were put last. */
	for (; i > 0 && table->job[i - 1].number >= stored->number; i--)
		if (table->job[i - 1].number == stored->number)
			return CDOP_DATA_LOSS;
	memmove(&table->job[i + 1], &table->job[i],
	    (table->n - i) * sizeof(table->job[0]));
	memset(&table->job[i], 0, sizeof(table->job[i]));
	take(&table->job[i], row, stored);
	table->n++;
	return CDOP_OK;
}

const struct rotation_job *
rotation_at(const struct rotation *rotation, size_t i)
{
	const struct table *table = &rotation->table;

	return i < table->n ? &table->job[table->n - 1 - i] : NULL;
}

const struct rotation_job *
rotation_running(const struct rotation *rotation)
{
	const struct rotation_job *newest = rotation_at(rotation, 0);

	return newest != NULL && newest->phase != CDOP__KEY_PHASE__KEY_DONE
	    ? newest
	    : NULL;
}

bool
rotation_waits(const struct rotation *rotation)
{
	const struct rotation_job *job = rotation_running(rotation);

	return job != NULL && job->phase == CDOP__KEY_PHASE__KEY_HOLDERS;
}

const struct rotation_job *
rotation_root_had(const struct rotation *rotation)
{
	const struct rotation_job *job;
	size_t i;

	for (i = 0; (job = rotation_at(rotation, i)) != NULL; i++)
		if (job->what == CDOP__KEY_WHAT__KEY_ROOT && job->compromised)
			break;
	return job != NULL &&
		(job->given_up || job->phase == CDOP__KEY_PHASE__KEY_HOLDERS)
	    ? job
	    : NULL;
}

/* It has turned the root, and is perhaps still at the copy. */
static bool
has_turned(const struct rotation_job *job)
{
	return job->what == CDOP__KEY_WHAT__KEY_ROOT && !job->given_up &&
	    job->phase != CDOP__KEY_PHASE__KEY_HOLDERS &&
	    job->phase != CDOP__KEY_PHASE__KEY_TURN;
}

uint32_t
rotation_root(const struct rotation *rotation)
{
	const struct rotation_job *job;
	size_t i;

	for (i = 0; (job = rotation_at(rotation, i)) != NULL; i++)
		if (has_turned(job))
			return job->number;
	return 0;
}

const struct rotation_job *
rotation_root_renewed(const struct rotation *rotation)
{
	const struct rotation_job *job;
	size_t i;

	for (i = 0; (job = rotation_at(rotation, i)) != NULL; i++)
		if (has_turned(job) && job->compromised)
			return job;
	return NULL;
}

enum cdop_err
rotation_read(const struct rotation *rotation, const struct rotation_job *job,
    struct cdop_arena *arena, Cdop__StoredRotation **ret_stored)
{
	struct cdop_bytes data;
	enum cdop_err err;

	err = rows_get(rotation->reg->rows, job->row, arena, NULL, &data);
	if (err != CDOP_OK)
		return err;
	*ret_stored = cdop__stored_rotation__unpack(
	    cdop_arena_allocator(arena), data.len, data.data);
	return *ret_stored == NULL ? CDOP_DATA_LOSS : CDOP_OK;
}

/* Number, kind, and k and n of shares; a number is never used again. */
static size_t
describe_slots(
    const struct rows *rows, uint8_t out[static SLOTS_MAX * SLOT_BYTES])
{
	const struct slots_info *info;
	const struct slots_set *set;
	size_t i, n = rows_slots(rows);

	for (i = 0; i < n; i++) {
		info = rows_slot(rows, i);
		set = rows_slots_set(rows, info->number);
		out[0] = (uint8_t)(info->number >> 8);
		out[1] = (uint8_t)info->number;
		out[2] = info->kind;
		out[3] = set != NULL ? set->k : 0;
		out[4] = set != NULL ? set->n : 0;
		out += SLOT_BYTES;
	}
	return n * SLOT_BYTES;
}

/* Whoever has a slot makes the new root: a slot more is another act. */
void
rotation_target(const struct rotation *rotation, const struct rotation_new *new,
    uint8_t out[static 32])
{
	const struct rotation_job *newest = rotation_at(rotation, 0);
	const bool renews =
	    new->what == CDOP__KEY_WHAT__KEY_ROOT &&new->compromised;
	uint8_t number[4], slots[SLOTS_MAX * SLOT_BYTES];
	struct cdop_bytes part[2] = {{number, sizeof(number)}, {slots, 0}};

	cdop_put32(number, newest != NULL ? newest->number : 0);
	if (renews)
		part[1].len = describe_slots(rotation->reg->rows, slots);
	cdop_secret_hash(
	    out, 32, NULL, "cdop-target/1 keys", part, renews ? 2 : 1);
}

/* ---- changes ----------------------------------------------------------- */

static enum cdop_err
put(struct rotation *rotation, struct cdop_arena *arena,
    const Cdop__StoredRotation *stored, uint64_t old, uint64_t *ret_row)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_ROTATION,
	    .schema = SCHEMA,
	    .version = stored->number,
	};

	return message_put(
	    rotation->reg->rows, arena, &row, old, &stored->base, ret_row);
}

enum cdop_err
rotation_put(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored)
{
	struct table *table = &rotation->table;
	struct rotation_job *job = &table->job[table->n - 1];
	uint64_t row = 0;
	enum cdop_err err;

	CDOP_ASSERT(table->n > 0 && job->number == stored->number);
	err = undo_save(rotation->reg->undo, job, sizeof(*job));
	if (err == CDOP_OK)
		err = put(rotation, arena, stored, job->row, &row);
	if (err == CDOP_OK)
		take(job, row, stored);
	return err;
}

enum cdop_err
rotation_leaf(struct rotation *rotation, struct cdop_arena *arena,
    uint32_t event, const char *reason, uint64_t count, uint64_t now_ms)
{
	const struct audit_entry entry = {
	    .call = event,
	    .time_ms = now_ms,
	    .reason = reason,
	    .count = count,
	};

	return audit_append(rotation->reg->audit, arena, &entry, NULL);
}

enum cdop_err
rotation_give_up(
    struct rotation *rotation, struct cdop_arena *arena, uint64_t now_ms)
{
	Cdop__StoredRotation *stored;
	enum cdop_err err;

	CDOP_ASSERT(rotation_waits(rotation));
	err =
	    rotation_read(rotation, rotation_running(rotation), arena, &stored);
	if (err != CDOP_OK)
		return err;
	stored->has_given_up = true;
	stored->given_up = true;
	stored->has_ended_ms = true;
	stored->ended_ms = now_ms;
	stored->phase = CDOP__KEY_PHASE__KEY_DONE;
	if ((err = rotation_put(rotation, arena, stored)) != CDOP_OK)
		return err;
	return rotation_leaf(
	    rotation, arena, AUDIT_EVENT_KEYS, "given_up", 0, now_ms);
}

/*
 * The oldest but for those of which something is said for ever: a root that
 * somebody had and still is the root, the one that was renewed, with which he
 * had the link key and the log's, and the one that made the root.
 */
static size_t
oldest(const struct rotation *rotation)
{
	const struct rotation_job *had = rotation_root_had(rotation);
	const struct rotation_job *renewed = rotation_root_renewed(rotation);
	const uint32_t root = rotation_root(rotation);
	const struct table *table = &rotation->table;
	size_t i = 0;

	while (i + 1 < table->n &&
	    (&table->job[i] == had || &table->job[i] == renewed ||
		table->job[i].number == root))
		i++;
	return i;
}

/* The oldest makes room for the next. */
static enum cdop_err
make_room(struct rotation *rotation)
{
	struct table *table = &rotation->table;
	enum cdop_err err;
	size_t at;

	err = undo_save(rotation->reg->undo, table, sizeof(*table));
	if (err != CDOP_OK || table->n < ROTATION_KEPT)
		return err;
	at = oldest(rotation);
	err = rows_del(rotation->reg->rows, table->job[at].row);
	if (err != CDOP_OK)
		return err;
	table->n--;
	memmove(&table->job[at], &table->job[at + 1],
	    (table->n - at) * sizeof(table->job[0]));
	return CDOP_OK;
}

/* A compromised root is made on the host, with those there who open it. */
static void
set_phase(Cdop__StoredRotation *stored, const struct rotation_new *new)
{
	stored->phase = CDOP__KEY_PHASE__KEY_TURN;
	stored->has_compromised = new->compromised;
	stored->compromised = new->compromised;
	if (new->what != CDOP__KEY_WHAT__KEY_ROOT || !new->compromised)
		return;
	stored->phase = CDOP__KEY_PHASE__KEY_HOLDERS;
	stored->has_until_ms = true;
	stored->until_ms = new->now_ms + ROTATION_WAIT_MS;
}

enum cdop_err
rotation_begin(struct rotation *rotation, struct cdop_arena *arena,
    const struct rotation_new *new, uint32_t *ret_number)
{
	struct registry *reg = rotation->reg;
	const struct rotation_job *newest;
	struct table *table = &rotation->table;
	Cdop__StoredRotation stored;
	uint64_t row = 0;
	enum cdop_err err;

	if (rotation_waits(rotation) &&
	    (err = rotation_give_up(rotation, arena, new->now_ms)) != CDOP_OK)
		return err;
	if (rotation_running(rotation) != NULL)
		return CDOP_FAILED_PRECONDITION;
	newest = rotation_at(rotation, 0);
	cdop__stored_rotation__init(&stored);
	stored.number = newest != NULL ? newest->number + 1 : 1;
	stored.what = new->what;
	stored.area = new->area;
	stored.n_area = new->n_area;
	stored.reason = (char *)(uintptr_t) new->reason;
	stored.has_reseal = new->reseal;
	stored.reseal = new->reseal;
	stored.requester = new->requester;
	stored.approver = new->approver;
	stored.started_ms = new->now_ms;
	set_phase(&stored, new);
	stored.floor = rows_rewrap_next(reg->rows);
	err = undo_save(reg->undo, &rotation->pace, sizeof(rotation->pace));
	if (err == CDOP_OK)
		err = make_room(rotation);
	if (err == CDOP_OK)
		err = put(rotation, arena, &stored, 0, &row);
	if (err != CDOP_OK)
		return err;
	take(&table->job[table->n], row, &stored);
	table->n++;
	memset(&rotation->pace, 0, sizeof(rotation->pace));
	*ret_number = stored.number;
	return CDOP_OK;
}

enum cdop_err
rotation_pause(struct rotation *rotation, struct cdop_arena *arena, bool paused,
    uint64_t now_ms)
{
	const struct rotation_job *job = rotation_running(rotation);
	struct rotation_pace *pace = &rotation->pace;
	Cdop__StoredRotation *stored = NULL;
	enum cdop_err err;

	if (job == NULL)
		return CDOP_FAILED_PRECONDITION;
	if (paused && held(job, now_ms) >= ROTATION_HELD_MS)
		return CDOP_RESOURCE_EXHAUSTED;
	if (job->paused == paused)
		return CDOP_OK;
	err = undo_save(rotation->reg->undo, pace, sizeof(*pace));
	if (err == CDOP_OK)
		err = rotation_read(rotation, job, arena, &stored);
	if (err != CDOP_OK)
		return err;
	/* The rate is that of work, not of waiting. */
	pace->since_ms = 0;
	pace->worked = 0;
	stored->has_held_ms = true;
	stored->held_ms = held(job, now_ms);
	stored->has_paused = true;
	stored->paused = paused;
	stored->has_paused_ms = true;
	stored->paused_ms = now_ms;
	rotation->now_ms = now_ms;
	return rotation_put(rotation, arena, stored);
}
