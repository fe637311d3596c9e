/* The copy of a rotation; see rotation_copy.h. */
#include "server/registry/rotation_copy.h"

#include "server/registry/copying.h"
#include "server/vault/rows_rewrap.h"

#define ARENA ((size_t)2 << 20)

static struct copying *
copying_of(const struct rotation *rotation)
{
	return rotation_registry((struct rotation *)(uintptr_t)rotation)
	    ->copying;
}

static bool
is_phase(const struct rotation *rotation)
{
	const struct rotation_job *job = rotation_running(rotation);

	return job != NULL && job->phase == CDOP__KEY_PHASE__KEY_COPY;
}

bool
rotation_copy_ended(const struct rotation *rotation)
{
	return is_phase(rotation) && rotation_copies(rotation) &&
	    copying_state(copying_of(rotation)) == COPYING_DONE;
}

void
rotation_copy_progress(const struct rotation *rotation, uint64_t *ret_done,
    uint64_t *ret_total, bool *ret_verifies)
{
	const struct copy *copy = copying_copy(copying_of(rotation));
	struct copy_progress progress = {0};

	if (copy != NULL && rotation_copies(rotation))
		copy_progress(copy, &progress);
	*ret_done = progress.rows + progress.opened;
	*ret_total = 2 * progress.total;
	if (*ret_total < *ret_done)
		*ret_total = *ret_done;
	*ret_verifies = progress.opened > 0;
}

/* ---- beginning --------------------------------------------------------- */

/* What the switch of an earlier start has done is not in it. */
static enum cdop_err
take_pairs(struct rotation *rotation, const Cdop__StoredRotation *stored,
    struct cdop_arena *arena, struct copy_plan *plan)
{
	const struct rows *rows = rotation_registry(rotation)->rows;
	struct copy_epoch *epochs;
	const Cdop__StoredKeyPair *pair;
	size_t i;

	epochs = cdop_arena_calloc(arena, stored->n_pair, sizeof(*epochs));
	if (epochs == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < stored->n_pair; i++) {
		pair = stored->pair[i];
		if (!rows_rewrap_has(rows, pair->from) ||
		    !rows_rewrap_has(rows, pair->to))
			continue;
		epochs[plan->n_epochs].from = pair->from;
		epochs[plan->n_epochs++].to = pair->to;
	}
	plan->epochs = epochs;
	return CDOP_OK;
}

static void
take_areas(struct rotation *rotation, const Cdop__StoredRotation *stored,
    struct copy_plan *plan)
{
	/* A case that was moved since has the key that somebody may have. */
	const bool all =
	    stored->what == CDOP__KEY_WHAT__KEY_ALL || stored->compromised;

	if (!rows_rewrap_has_case(rotation_registry(rotation)->rows,
		(const char *const *)stored->area, all ? 0 : stored->n_area,
		stored->copy_floor))
		return;
	plan->all_areas = all;
	plan->areas = (const char *const *)stored->area;
	plan->n_areas = all ? 0 : stored->n_area;
}

static enum cdop_err
begin(struct rotation *rotation, const struct rotation_job *job,
    struct cdop_arena *arena)
{
	struct copy_plan plan = {0};
	Cdop__StoredRotation *stored;
	enum cdop_err err;

	err = rotation_read(rotation, job, arena, &stored);
	if (err == CDOP_OK && stored->reseal) {
		take_areas(rotation, stored, &plan);
		err = take_pairs(rotation, stored, arena, &plan);
	}
	return err == CDOP_OK ? copying_begin(copying_of(rotation), &plan)
			      : err;
}

static enum cdop_err
begin_in(struct rotation *rotation, uint64_t now_ms)
{
	struct cdop_arena *arena;
	enum cdop_err err;

	if ((err = cdop_arena_new(ARENA, &arena)) != CDOP_OK)
		return err;
	err = begin(rotation, rotation_running(rotation), arena);
	cdop_arena_free(arena);
	if (err != CDOP_OK)
		return err;
	rotation_set_copies(rotation, true);
	rotation_pace(rotation)->since_ms = now_ms;
	return CDOP_OK;
}

static void
let_go(struct rotation *rotation)
{
	copying_clear(copying_of(rotation));
	rotation_set_copies(rotation, false);
}

enum cdop_err
rotation_copy_tend(struct rotation *rotation, uint64_t now_ms)
{
	const struct rotation_job *job = rotation_running(rotation);
	struct copying *copying = copying_of(rotation);
	enum copying_state state = copying_state(copying);

	rotation_set_now(rotation, now_ms);
	rotation_set_late(
	    rotation, rotation_waits(rotation) && now_ms >= job->until_ms);
	if (rotation_copies(rotation) &&
	    (!is_phase(rotation) || state == COPYING_FAILED)) {
		let_go(rotation);
		return state == COPYING_FAILED ? CDOP_INTERNAL : CDOP_OK;
	}
	if (!is_phase(rotation))
		return CDOP_OK;
	if (rotation_copies(rotation)) {
		copying_hold(copying, rotation_is_held(rotation));
		return CDOP_OK;
	}
	/* Somebody else's has to end first. */
	if (rotation_is_held(rotation) || state != COPYING_NONE)
		return CDOP_OK;
	return begin_in(rotation, now_ms);
}

/* ---- the end ----------------------------------------------------------- */

static size_t
census_of(const struct copy *copy)
{
	struct copy_count count;
	size_t n = 0;

	while (copy_census(copy, n, &count))
		n++;
	return n;
}

enum cdop_err
rotation_copy_count(struct rotation *rotation, struct cdop_arena *arena,
    Cdop__StoredRotation *stored)
{
	const struct copy *copy = copying_copy(copying_of(rotation));
	const size_t n = census_of(copy);
	struct copy_progress progress;
	struct copy_count count;
	Cdop__KeyCount *out;
	size_t i;

	stored->census = cdop_arena_calloc(arena, n, sizeof(out));
	out = cdop_arena_calloc(arena, n, sizeof(*out));
	if (stored->census == NULL || out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; copy_census(copy, i, &count); i++) {
		cdop__key_count__init(&out[i]);
		out[i].key = count.key;
		out[i].has_rows = count.scope != SCHEMA_AREA;
		if (count.scope == SCHEMA_AREA)
			out[i].case_keys = count.rows;
		else
			out[i].rows = count.rows;
		stored->census[i] = &out[i];
	}
	stored->n_census = n;
	copy_progress(copy, &progress);
	stored->has_rows = true;
	stored->rows = progress.rows;
	return CDOP_OK;
}
