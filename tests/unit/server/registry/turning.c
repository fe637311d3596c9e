/* Steps of a rotation; see turning.h. */
#include "tests/unit/server/registry/turning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/cases.h"
#include "server/registry/copying.h"
#include "server/registry/rotation_copy.h"
#include "server/registry/rotation_renew.h"
#include "server/registry/rotation_step.h"
#include "server/vault/rows.h"
#include "server/vault/rows_rewrap.h"

#define STEPS_MAX 10000

static void
begin(struct world *world)
{
	world_begin(world, 1u << 20, 256);
}

uint32_t
turning_begin(struct world *world, const char *area)
{
	return turning_begin_with(world, area, false);
}

static uint32_t
begin_new(struct world *world, struct rotation_new new)
{
	uint32_t number;

	new.reason = "a test";
	new.requester = WORLD_ADMIN_1;
	new.approver = WORLD_ADMIN_2;
	new.now_ms = world->now_ms;
	begin(world);
	assert_int_equal(
	    rotation_begin(world->reg->rotation, world->arena, &new, &number),
	    CDOP_OK);
	assert_int_equal(registry_commit(world->reg), CDOP_OK);
	return number;
}

uint32_t
turning_begin_with(struct world *world, const char *area, bool reseal)
{
	char *areas[1] = {(char *)(uintptr_t)area};

	return begin_new(world,
	    (struct rotation_new){
		.what = area == NULL ? CDOP__KEY_WHAT__KEY_ALL
				     : CDOP__KEY_WHAT__KEY_AREAS,
		.area = areas,
		.n_area = area != NULL,
		.reseal = reseal,
	    });
}

uint32_t
turning_begin_compromised(struct world *world, const char *area)
{
	char *areas[1] = {(char *)(uintptr_t)area};

	return begin_new(world,
	    (struct rotation_new){
		.what = area == NULL ? CDOP__KEY_WHAT__KEY_ALL
				     : CDOP__KEY_WHAT__KEY_AREAS,
		.area = areas,
		.n_area = area != NULL,
		.reseal = true,
		.compromised = true,
	    });
}

uint32_t
turning_begin_renewal(struct world *world)
{
	return begin_new(world,
	    (struct rotation_new){
		.what = CDOP__KEY_WHAT__KEY_ROOT, .compromised = true});
}

enum cdop_err
turning_begin_renew(struct world *world, const char *reason)
{
	const struct rotation_renew_new new = {
	    .by = "Olga",
	    .reason = reason,
	    .slots = "key file, shares 2/3",
	};

	return rotation_renew_begin(
	    world->reg, world->arena, &new, world->now_ms);
}

void
turning_renew(struct world *world)
{
	const struct walk_budget budget = {.rows = 50, .bytes = 1u << 20};
	const struct copy_slot slots[2] = {
	    {.slot = {.kind = SLOTS_KIND_KEYFILE,
		 .label = "another",
		 .k = world->k}},
	    {.slot = {.kind = SLOTS_KIND_CREDENTIAL,
		 .label = "another, too",
		 .k = world->k}},
	};
	const struct copy_plan plan = {
	    .all_areas = true, .slots = slots, .n_slots = 2};
	struct registry *reg = world->reg;

	memset(world->k, world->k[0] + 1, sizeof(world->k));
	assert_int_equal(turning_begin_renew(world, "a test"), CDOP_OK);
	assert_int_equal(copying_begin(reg->copying, &plan), CDOP_OK);
	while (copying_state(reg->copying) == COPYING_RUNS)
		assert_int_equal(copying_step(reg->copying, &budget), CDOP_OK);
	assert_int_equal(copying_state(reg->copying), COPYING_DONE);
	copying_clear(reg->copying);
	world_close(world);
}

uint32_t
turning_begin_root(struct world *world)
{
	return begin_new(
	    world, (struct rotation_new){.what = CDOP__KEY_WHAT__KEY_ROOT});
}

enum cdop_err
turning_step(struct world *world, size_t n)
{
	size_t done;
	enum cdop_err err;

	undo_begin(world->undo);
	err = world->room == 0
	    ? rows_begin(world->rows, 1u << 20, 256)
	    : rows_begin(world->rows, world->room, WORLD_ROOM_ROWS);
	if (err != CDOP_OK) {
		undo_rollback(world->undo);
		return err;
	}
	err = rotation_step_run(
	    world->reg->rotation, world->arena, world->now_ms, n, &done);
	if (err == CDOP_OK)
		return registry_commit(world->reg);
	rows_abort(world->rows);
	undo_rollback(world->undo);
	return err;
}

enum cdop_err
turning_pump(struct world *world, size_t n)
{
	const struct walk_budget budget = {.rows = 50, .bytes = 1u << 20};
	enum cdop_err err;

	if (rotation_step_due(world->reg->rotation))
		return turning_step(world, n);
	err = rotation_copy_tend(world->reg->rotation, world->now_ms);
	return err == CDOP_OK ? copying_step(world->reg->copying, &budget)
			      : err;
}

void
turning_to_copy(struct world *world, size_t n)
{
	size_t steps;

	for (steps = 0; rotation_step_due(world->reg->rotation); steps++) {
		assert_true(steps < STEPS_MAX);
		assert_int_equal(turning_step(world, n), CDOP_OK);
	}
}

size_t
turning_finish(struct world *world, size_t n)
{
	size_t steps;

	for (steps = 0; rotation_running(world->reg->rotation) != NULL;
	     steps++) {
		assert_true(steps < STEPS_MAX);
		assert_int_equal(turning_pump(world, n), CDOP_OK);
	}
	/* The copy is let go of. */
	assert_int_equal(
	    rotation_copy_tend(world->reg->rotation, world->now_ms), CDOP_OK);
	return steps;
}

uint64_t
turning_newest(const struct world *world, const char *area)
{
	return rows_rewrap_newest(world->rows, area);
}

/* The area behind one in the order of their names; NULL: there is none. */
static const char *
area_behind(const struct world *world, const char *last)
{
	const char *area, *next = NULL;
	size_t i;

	for (i = 0; (area = rows_rewrap_area(world->rows, i)) != NULL; i++)
		if (strcmp(area, last) > 0 &&
		    (next == NULL || strcmp(area, next) < 0))
			next = area;
	return next;
}

void
turning_census(const struct world *world, char out[static TURNING_TEXT])
{
	struct rows_rewrap_epoch epoch;
	const char *area = "";
	uint64_t all, old;
	size_t i, n, len = 0;

	while ((area = area_behind(world, area)) != NULL) {
		n = 0;
		all = 0;
		old = 0;
		for (i = 0; rows_rewrap_epoch(world->rows, i, &epoch); i++) {
			if (strcmp(epoch.area, area) != 0)
				continue;
			n++;
			all += epoch.wraps;
			old += epoch.newest ? 0 : epoch.wraps;
		}
		len += (size_t)snprintf(out + len, TURNING_TEXT - len,
		    "%s: %zu keys, %llu cases, %llu old\n", area, n,
		    (unsigned long long)all, (unsigned long long)old);
		assert_true(len < TURNING_TEXT);
	}
}

void
turning_all_readable(struct world *world)
{
	const struct index *index = cases_index(world->reg->cases);
	const struct index_row *row;
	struct cdop_bytes data;
	size_t k, n, mark = cdop_arena_used(world->arena);
	uint32_t i;

	for (i = 0; i < index_count(index); i++) {
		if (index_at(index, i)->status == INDEX_ERASED)
			continue;
		row = index_rows(index, i, &n);
		assert_true(n > 0);
		for (k = 0; k < n; k++)
			assert_int_equal(rows_get(world->rows, row[k].number,
					     world->arena, NULL, &data),
			    CDOP_OK);
	}
	cdop_arena_rewind(world->arena, mark);
}
