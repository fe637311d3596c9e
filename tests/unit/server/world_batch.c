/* A batch of a test's own; see world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/world.h"

void
world_begin(struct world *world, size_t bytes, size_t rows)
{
	undo_begin(world->undo);
	assert_int_equal(rows_begin(world->rows, bytes, rows), CDOP_OK);
}

void
world_commit(struct world *world)
{
	assert_int_equal(registry_commit(world->reg), CDOP_OK);
}

void
world_roll_back(struct world *world)
{
	rows_abort(world->rows);
	undo_rollback(world->undo);
}

void
world_share(struct world *world)
{
	const struct slots_set_new plan = {.k = 2, .n = 4};
	struct cdop_share share[SHAMIR_MAX];
	uint16_t number;

	world_begin(world, 1u << 20, 64);
	assert_int_equal(
	    rows_slots_add_set(world->rows, "people", &plan, &number, share),
	    CDOP_OK);
	world_commit(world);
}
