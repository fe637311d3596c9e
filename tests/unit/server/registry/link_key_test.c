/* The server's link key: a next one, who knows it, and its turn. */
#include "server/registry/link_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/vault/rows.h"
#include "tests/unit/server/world.h"

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void
begin(void)
{
	world_begin(&w, 1u << 20, 256);
}

static void
back(void)
{
	rows_abort(w.rows);
	undo_rollback(w.undo);
}

static void
make(void)
{
	begin();
	assert_int_equal(link_key_make(w.reg, w.arena, w.now_ms), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
}

static void
says(uint32_t device, const uint8_t key[static 32])
{
	begin();
	assert_int_equal(link_key_known(w.reg, w.arena, device, key), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
}

static bool
waits_for(uint32_t device)
{
	return link_key_waits_for(
	    w.reg, people_device(w.reg->people, device), w.now_ms);
}

/* What is kept of them is of the secrets that are in force. */
static void
publics(uint8_t out[static 2][32], size_t n)
{
	uint8_t key[32];

	assert_int_equal(link_key_publics(w.reg, out), n);
	cdop_secret_public(key, w.reg->link_secret);
	assert_memory_equal(out[0], key, sizeof(key));
	if (n == 1)
		return;
	cdop_secret_public(key, w.reg->link_secret_next);
	assert_memory_equal(out[1], key, sizeof(key));
}

static void
the_next_one_becomes_the_current_one(void **state)
{
	uint8_t first[2][32], both[2][32], after[2][32];

	(void)state;
	publics(first, 1);
	make();
	publics(both, 2);
	assert_memory_equal(both[0], first[0], 32);
	assert_memory_not_equal(both[1], first[0], 32);
	begin();
	assert_int_equal(
	    link_key_make(w.reg, w.arena, w.now_ms), CDOP_FAILED_PRECONDITION);
	back();
	world_reopen(&w);
	publics(after, 2);
	assert_memory_equal(after, both, sizeof(both));
	assert_int_equal(w.reg->link_next_ms, w.now_ms);
	begin();
	assert_int_equal(link_key_turn(w.reg, w.arena), CDOP_OK);
	assert_int_equal(
	    link_key_turn(w.reg, w.arena), CDOP_FAILED_PRECONDITION);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	publics(after, 1);
	assert_memory_equal(after[0], both[1], 32);
	world_reopen(&w);
	publics(after, 1);
	assert_memory_equal(after[0], both[1], 32);
}

static void
a_batch_that_fails_takes_it_back(void **state)
{
	uint8_t before[2][32], after[2][32];

	(void)state;
	begin();
	assert_int_equal(link_key_make(w.reg, w.arena, w.now_ms), CDOP_OK);
	back();
	publics(before, 1);
	assert_int_equal(w.reg->link_next_ms, 0);
	make();
	publics(before, 2);
	begin();
	assert_int_equal(link_key_turn(w.reg, w.arena), CDOP_OK);
	assert_int_equal(link_key_make(w.reg, w.arena, w.now_ms), CDOP_OK);
	back();
	publics(after, 2);
	assert_memory_equal(after, before, sizeof(before));
}

static void
who_has_said_it_is_known(void **state)
{
	uint8_t key[2][32], target[2][32];

	(void)state;
	link_key_target(w.reg, target[0]);
	make();
	link_key_target(w.reg, target[1]);
	assert_memory_not_equal(target[0], target[1], 32);
	assert_int_equal(link_key_publics(w.reg, key), 2);
	assert_true(waits_for(WORLD_COORDINATOR));
	assert_true(waits_for(WORLD_PENDING));
	assert_false(waits_for(WORLD_REVOKED));
	says(WORLD_COORDINATOR, key[0]); /* the old one: nothing new */
	assert_true(waits_for(WORLD_COORDINATOR));
	says(WORLD_COORDINATOR, key[1]);
	assert_false(waits_for(WORLD_COORDINATOR));
	assert_true(waits_for(WORLD_AUDITOR));
	world_reopen(&w);
	assert_false(waits_for(WORLD_COORDINATOR));
	assert_true(waits_for(WORLD_AUDITOR));
	/* The one after it is another one. */
	begin();
	assert_int_equal(link_key_turn(w.reg, w.arena), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	make();
	assert_true(waits_for(WORLD_COORDINATOR));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    test(the_next_one_becomes_the_current_one),
	    test(a_batch_that_fails_takes_it_back),
	    test(who_has_said_it_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
