/* A batch of a test's own; see world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/vault/rows.h"
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
