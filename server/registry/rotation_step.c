/* The phases of a rotation; see rotation_step.h. */
#include "server/registry/rotation_step.h"

#include <string.h>

#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/certificates.h"
#include "server/registry/rotation_copy.h"
#include "server/registry/rotation_renew.h"
#include "server/vault/rows.h"
#include "server/vault/rows_keys.h"
#include "server/vault/rows_rewrap.h"

#define EPOCHS_EACH 8     /* made or destroyed in one step */
#define LOOK_EACH   65536 /* places of the key table */

bool
rotation_step_due(const struct rotation *rotation)
{
	const struct rotation_job *job = rotation_running(rotation);

	if (job == NULL || rotation_is_held(rotation))
		return false;
	if (job->phase == CDOP__KEY_PHASE__KEY_HOLDERS)
		return rotation_is_late(rotation) ||
		    rotation_renew_stands(rotation);
	return job->phase != CDOP__KEY_PHASE__KEY_COPY ||
	    rotation_copy_ended(rotation);
}

/* Epoch keys that there are: all that the root wraps beside the ring. */
static size_t
count_epochs(const struct rows *rows)
{
	struct rows_rewrap_epoch epoch;
	size_t n = 0;

	while (rows_rewrap_epoch(rows, n, &epoch))
		n++;
	return n;
}

static bool
turns_root(const struct rotation_job *job)
{
	return job->phase == CDOP__KEY_PHASE__KEY_TURN &&
	    job->what == CDOP__KEY_WHAT__KEY_ROOT;
}

size_t
rotation_step_rows(const struct rotation *rotation)
{
	const struct rotation_job *job = rotation_running(rotation);
	const struct rows *rows;

	if (job == NULL || !turns_root(job))
		return 0;
	rows = rotation_registry((struct rotation *)(uintptr_t)rotation)->rows;
	/* Slots are as large as two key rows; so is the ring. */
	return count_epochs(rows) + 2 * (rows_slots(rows) + 1);
}

static enum cdop_err
enter(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, Cdop__KeyPhase phase)
{
	stored->phase = phase;
	return rotation_put(rotation, arena, stored);
}

/* The copy is the last of it, and begins where no batch is open. */
static enum cdop_err
to_copy(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored)
{
	struct registry *reg = rotation_registry(rotation);
	struct rotation_pace *pace = rotation_pace(rotation);
	enum cdop_err err;

	err = undo_save(reg->undo, pace, sizeof(*pace));
	if (err != CDOP_OK)
		return err;
	pace->since_ms = 0;
	stored->has_copy_floor = true;
	stored->copy_floor = rows_rewrap_next(reg->rows);
	return enter(rotation, arena, stored, CDOP__KEY_PHASE__KEY_COPY);
}

/* ---- TURN -------------------------------------------------------------- */

/* Area i that is meant; NULL: there are no more. */
static const char *
area_at(struct rotation *rotation, const Cdop__StoredRotation *stored, size_t i)
{
	if (stored->what == CDOP__KEY_WHAT__KEY_ALL)
		return rows_rewrap_area(rotation_registry(rotation)->rows, i);
	return i < stored->n_area ? stored->area[i] : NULL;
}

static enum cdop_err
pair_up(struct rows *rows, struct cdop_arena *arena, enum schema_scope scope,
    uint64_t from, Cdop__StoredRotation *stored)
{
	Cdop__StoredKeyPair *pair = cdop_arena_alloc(arena, sizeof(*pair)),
			    **all;
	size_t n = stored->n_pair;

	all = cdop_arena_calloc(arena, n + 1, sizeof(pair));
	if (pair == NULL || all == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (n > 0)
		memcpy(all, stored->pair, n * sizeof(pair));
	cdop__stored_key_pair__init(pair);
	pair->from = from;
	all[n] = pair;
	stored->pair = all;
	stored->n_pair = n + 1;
	return rows_keys_epoch_new(rows, scope, NULL, &pair->to);
}

/* The oldest key of a scope from an id on; false: there is none. */
static bool
next_key(const struct rows *rows, enum schema_scope scope, uint64_t from,
    uint64_t *ret_key)
{
	struct rows_rewrap_epoch epoch;
	bool found = false;
	size_t i;

	for (i = 0; rows_rewrap_epoch(rows, i, &epoch); i++)
		if (epoch.scope == scope && epoch.key >= from &&
		    (!found || epoch.key < *ret_key)) {
			*ret_key = epoch.key;
			found = true;
		}
	return found;
}

/*
 * The keys of the registry, of the log and of each quarter of searches: in
 * the order of the quarters, so that the newest stays that of this one.
 */
static enum cdop_err
turn_others(
    struct rows *rows, struct cdop_arena *arena, Cdop__StoredRotation *stored)
{
	static const enum schema_scope scopes[] = {
	    SCHEMA_REGISTRY, SCHEMA_LOG, SCHEMA_SEARCH};

	uint64_t key = 0;
	enum cdop_err err;
	size_t i;

	if (!stored->reseal || stored->what != CDOP__KEY_WHAT__KEY_ALL)
		return CDOP_OK;
	for (i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		key = 0;
		while (next_key(rows, scopes[i], key, &key) &&
		    key < stored->floor) {
			err = pair_up(rows, arena, scopes[i], key++, stored);
			if (err != CDOP_OK)
				return err;
		}
	}
	return CDOP_OK;
}

static enum cdop_err
turn(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, uint64_t now_ms, size_t *ret_n)
{
	struct rows *rows = rotation_registry(rotation)->rows;
	const char *area;
	uint64_t key;
	enum cdop_err err;
	size_t i;

	for (i = 0; (area = area_at(rotation, stored, i)) != NULL; i++) {
		key = rows_rewrap_newest(rows, area);
		if (key == 0 || key >= stored->floor)
			continue; /* there is none, or it is turned */
		if (*ret_n == EPOCHS_EACH)
			return CDOP_OK;
		err = rows_keys_epoch_new(rows, SCHEMA_AREA, area, &key);
		if (err != CDOP_OK)
			return err;
		(*ret_n)++;
	}
	if ((err = turn_others(rows, arena, stored)) != CDOP_OK)
		return err;
	stored->has_total = true;
	stored->total = rows_rewrap_left(rows);
	err = enter(rotation, arena, stored, CDOP__KEY_PHASE__KEY_REWRAP);
	if (err != CDOP_OK)
		return err;
	return rotation_leaf(rotation, arena, AUDIT_EVENT_KEYS,
	    stored->compromised ? "compromised" : "turned", stored->total,
	    now_ms);
}

/*
 * The root turns with the phase: slots, ring and epoch keys are under the new
 * one at once.  No case key was under it.
 */
static enum cdop_err
turn_root(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, uint64_t now_ms)
{
	struct rows *rows = rotation_registry(rotation)->rows;
	enum cdop_err err;

	if ((err = rows_keys_root_turn(rows)) != CDOP_OK)
		return err;
	stored->has_total = true;
	err = rotation_leaf(rotation, arena, AUDIT_EVENT_KEYS, "root",
	    count_epochs(rows), now_ms);
	return err == CDOP_OK ? to_copy(rotation, arena, stored) : err;
}

/* ---- HOLDERS ----------------------------------------------------------- */

/*
 * Made on the host, or not in time.  What is left is a copy that counts what
 * is under what: the file that was switched to has nothing of the old one.
 */
static enum cdop_err
wait_ends(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, uint64_t now_ms)
{
	enum cdop_err err;

	if (!rotation_renew_stands(rotation))
		return rotation_give_up(rotation, arena, now_ms);
	stored->has_total = true;
	err = rotation_leaf(rotation, arena, AUDIT_EVENT_KEYS, "renewed",
	    count_epochs(rotation_registry(rotation)->rows), now_ms);
	return err == CDOP_OK ? to_copy(rotation, arena, stored) : err;
}

/* ---- REWRAP ------------------------------------------------------------ */

static enum cdop_err
rewrap(struct rotation *rotation, struct cdop_arena *arena, uint64_t now_ms,
    size_t n, size_t *ret_n)
{
	struct rows *rows = rotation_registry(rotation)->rows;
	struct rotation_pace *pace = rotation_pace(rotation);
	Cdop__StoredRotation *stored;
	enum cdop_err err;

	err = undo_save(rotation_registry(rotation)->undo, pace, sizeof(*pace));
	if (err != CDOP_OK)
		return err;
	if (pace->since_ms == 0)
		pace->since_ms = now_ms;
	err = rows_rewrap_some(rows, &pace->at, n, LOOK_EACH, ret_n);
	if (err != CDOP_OK)
		return err;
	pace->worked += *ret_n;
	if (rows_rewrap_left(rows) > 0)
		return CDOP_OK;
	err =
	    rotation_read(rotation, rotation_running(rotation), arena, &stored);
	if (err == CDOP_OK)
		err = enter(
		    rotation, arena, stored, CDOP__KEY_PHASE__KEY_DESTROY);
	if (err != CDOP_OK)
		return err;
	return rotation_leaf(rotation, arena, AUDIT_EVENT_KEYS, "rewrapped",
	    stored->total, now_ms);
}

/* ---- DESTROY ----------------------------------------------------------- */

static enum cdop_err
append_key(Cdop__StoredRotation *stored, struct cdop_arena *arena, uint64_t key)
{
	size_t n = stored->n_destroyed;
	uint64_t *all = cdop_arena_calloc(arena, n + 1, sizeof(*all));

	if (all == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (n > 0)
		memcpy(all, stored->destroyed, n * sizeof(*all));
	all[n] = key;
	stored->destroyed = all;
	stored->n_destroyed = n + 1;
	return CDOP_OK;
}

/* With what the key in its place wraps, or seals, by now. */
static enum cdop_err
gone_leaf(struct rotation *rotation, struct cdop_arena *arena, const char *of,
    uint64_t key, uint64_t count, uint64_t now_ms)
{
	char number[32];
	const char *reason;

	reason = cdop_arena_printf(
	    arena, "%s:%s", of, rows_number_text(key, number));
	if (reason == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return rotation_leaf(
	    rotation, arena, AUDIT_EVENT_KEY_GONE, reason, count, now_ms);
}

/* An area's key that is not its newest; false: there is none left. */
static bool
find_old(const struct rows *rows, struct rows_rewrap_epoch *ret_epoch)
{
	size_t i;

	for (i = 0; rows_rewrap_epoch(rows, i, ret_epoch); i++)
		if (ret_epoch->scope == SCHEMA_AREA && !ret_epoch->newest)
			return true;
	return false;
}

/* Case keys under an epoch key. */
static uint64_t
wraps(const struct rows *rows, uint64_t key)
{
	struct rows_rewrap_epoch epoch;
	size_t i;

	for (i = 0; rows_rewrap_epoch(rows, i, &epoch); i++)
		if (epoch.key == key)
			return epoch.wraps;
	return 0;
}

static enum cdop_err
destroy_one(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, const struct rows_rewrap_epoch *epoch,
    uint64_t now_ms)
{
	struct rows *rows = rotation_registry(rotation)->rows;
	enum cdop_err err;

	if ((err = rows_keys_epoch_destroy(rows, epoch->key)) != CDOP_OK)
		return err;
	if ((err = append_key(stored, arena, epoch->key)) != CDOP_OK)
		return err;
	return gone_leaf(rotation, arena, epoch->area, epoch->key,
	    wraps(rows, rows_rewrap_newest(rows, epoch->area)), now_ms);
}

static enum cdop_err
destroy(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, uint64_t now_ms, size_t *ret_n)
{
	struct rows *rows = rotation_registry(rotation)->rows;
	struct rows_rewrap_epoch epoch;
	enum cdop_err err;

	for (; *ret_n < EPOCHS_EACH && find_old(rows, &epoch); (*ret_n)++) {
		err = destroy_one(rotation, arena, stored, &epoch, now_ms);
		if (err != CDOP_OK)
			return err;
	}
	if (find_old(rows, &epoch))
		return rotation_put(rotation, arena, stored);
	return to_copy(rotation, arena, stored);
}

/* ---- COPY -------------------------------------------------------------- */

/* Rows of the new file under a key. */
static uint64_t
seals(const Cdop__StoredRotation *stored, uint64_t key)
{
	size_t i;

	for (i = 0; i < stored->n_census; i++)
		if (stored->census[i]->key == key)
			return stored->census[i]->rows;
	return 0;
}

/* What a key of no area is for. */
static const char *
scope_word(const struct rows *rows, uint64_t key)
{
	struct rows_rewrap_epoch epoch;
	size_t i;

	for (i = 0; rows_rewrap_epoch(rows, i, &epoch); i++)
		if (epoch.key == key)
			return epoch.scope == SCHEMA_LOG   ? "log"
			    : epoch.scope == SCHEMA_SEARCH ? "search"
							   : "registry";
	return "registry";
}

/* Keys that stayed behind in the old file. */
static enum cdop_err
name_gone(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, uint64_t now_ms)
{
	enum cdop_err err;
	size_t i;

	for (i = 0; i < stored->n_pair; i++) {
		err = append_key(stored, arena, stored->pair[i]->from);
		if (err == CDOP_OK)
			err = gone_leaf(rotation, arena,
			    scope_word(rotation_registry(rotation)->rows,
				stored->pair[i]->to),
			    stored->pair[i]->from,
			    seals(stored, stored->pair[i]->to), now_ms);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* The old root, with what it led to. */
static enum cdop_err
name_root(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, uint64_t now_ms)
{
	const char *reason;
	enum cdop_err err;
	size_t i;

	err = rotation_leaf(rotation, arena, AUDIT_EVENT_KEY_GONE, "root",
	    count_epochs(rotation_registry(rotation)->rows), now_ms);
	if (err != CDOP_OK || !stored->compromised)
		return err;
	for (i = 0; i < stored->n_leaving; i++) {
		err = append_key(stored, arena, stored->leaving[i]);
		if (err != CDOP_OK)
			return err;
	}
	err = rotation_leaf(
	    rotation, arena, AUDIT_EVENT_KEY_GONE, "ring", 0, now_ms);
	if (err != CDOP_OK)
		return err;
	reason = cdop_arena_printf(arena, "epochs:%zu", stored->n_leaving);
	if (reason == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return rotation_leaf(
	    rotation, arena, AUDIT_EVENT_KEY_GONE, reason, 0, now_ms);
}

/* The new file stands: what it is, and the end. */
static enum cdop_err
end_copy(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored, uint64_t now_ms)
{
	enum cdop_err err;

	if ((err = rotation_copy_count(rotation, arena, stored)) != CDOP_OK)
		return err;
	err = rotation_leaf(rotation, arena, AUDIT_EVENT_KEYS,
	    stored->reseal ? "resealed" : "copied", stored->rows, now_ms);
	if (err == CDOP_OK && stored->what == CDOP__KEY_WHAT__KEY_ROOT)
		err = name_root(rotation, arena, stored, now_ms);
	if (err == CDOP_OK)
		err = name_gone(rotation, arena, stored, now_ms);
	if (err != CDOP_OK)
		return err;
	stored->has_ended_ms = true;
	stored->ended_ms = now_ms;
	err = enter(rotation, arena, stored, CDOP__KEY_PHASE__KEY_DONE);
	if (err == CDOP_OK)
		err = certificates_rotation_ended(
		    rotation_registry(rotation)->certificates, arena, stored,
		    now_ms);
	if (err != CDOP_OK)
		return err;
	return rotation_leaf(
	    rotation, arena, AUDIT_EVENT_KEYS, "done", stored->total, now_ms);
}

/* ---- all --------------------------------------------------------------- */

enum cdop_err
rotation_step_run(struct rotation *rotation, struct cdop_arena *arena,
    uint64_t now_ms, size_t n, size_t *ret_n)
{
	const struct rotation_job *job = rotation_running(rotation);
	Cdop__StoredRotation *stored;
	enum cdop_err err;

	*ret_n = 0;
	/* It may have been paused in this very batch. */
	if (!rotation_step_due(rotation))
		return CDOP_OK;
	if (job->phase == CDOP__KEY_PHASE__KEY_REWRAP)
		return rewrap(rotation, arena, now_ms, n, ret_n);
	err = rotation_read(rotation, job, arena, &stored);
	if (err != CDOP_OK)
		return err;
	if (turns_root(job))
		return turn_root(rotation, arena, stored, now_ms);
	if (job->phase == CDOP__KEY_PHASE__KEY_HOLDERS)
		return wait_ends(rotation, arena, stored, now_ms);
	if (job->phase == CDOP__KEY_PHASE__KEY_TURN)
		return turn(rotation, arena, stored, now_ms, ret_n);
	if (job->phase == CDOP__KEY_PHASE__KEY_COPY)
		return end_copy(rotation, arena, stored, now_ms);
	return destroy(rotation, arena, stored, now_ms, ret_n);
}

/* Rate and time left of so many that are done since the phase began here. */
static void
set_pace(struct rotation_step_progress *progress,
    const struct rotation_pace *pace, uint64_t worked, uint64_t left,
    uint64_t now_ms)
{
	if (pace->since_ms == 0 || now_ms <= pace->since_ms)
		return;
	progress->per_s = worked * 1000 / (now_ms - pace->since_ms);
	if (progress->per_s > 0)
		progress->left_s = left / progress->per_s;
}

struct rotation_step_progress
rotation_step_progress(struct rotation *rotation, uint64_t now_ms)
{
	const struct rotation_job *job = rotation_running(rotation);
	const struct rotation_pace *pace = rotation_pace(rotation);
	struct rotation_step_progress progress = {0};
	uint64_t left;

	if (job == NULL)
		return progress;
	left = rows_rewrap_left(rotation_registry(rotation)->rows);
	progress.total = job->total;
	progress.done = job->total > left ? job->total - left : 0;
	if (job->phase == CDOP__KEY_PHASE__KEY_REWRAP)
		set_pace(&progress, pace, pace->worked, left, now_ms);
	if (job->phase != CDOP__KEY_PHASE__KEY_COPY)
		return progress;
	rotation_copy_progress(rotation, &progress.rows_done,
	    &progress.rows_total, &progress.verifies);
	set_pace(&progress, pace, progress.rows_done,
	    progress.rows_total - progress.rows_done, now_ms);
	return progress;
}
