/*
 * A rotation between batches: as fast as it can while nobody calls, and a
 * slice in five milliseconds while somebody does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/rotation_step.h"
#include "server/vault/rows_rewrap.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/registry/turning.h"

#define CASES   300
#define BUSY_MS 250 /* who has called calls again */
#define ALONE   1000
#define FLOOD   5 /* sessions, of 64 calls each */

static struct fixture f;

static int
setup(void **state)
{
	unsigned i;

	(void)state;
	fixture_start(&f, false, 0);
	for (i = 0; i < CASES; i++)
		free(world_register(&f.world, i, "wirral"));
	(void)turning_begin(&f.world, "wirral");
	fixture_restart(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static bool
is_done(void)
{
	return rotation_running(f.world.reg->rotation) == NULL;
}

static void
it_ends_by_itself_while_nobody_waits(void **state)
{
	size_t turns;

	(void)state;
	fixture_pass(ALONE);
	for (turns = 0; !is_done(); turns++) {
		assert_true(turns < 20);
		/* It does not sleep before it is done. */
		fixture_turn(&f);
	}
	fixture_settle(&f);
	assert_true(cycle_sleep_ms(f.cycle) > 100);
	assert_int_equal(rows_rewrap_left(f.world.rows), 0);
	turning_all_readable(&f.world);
}

static void
a_call_seldom_waits_for_it(void **state)
{
	struct fixture_client *client;
	const struct rotation_job *job;
	size_t i, n, moved = 0;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	job = rotation_running(f.world.reg->rotation);
	for (i = 0; i < 20 && !is_done(); i++) {
		uint64_t id = fixture_call(client, CDOP_CALL_Status, NULL);
		uint64_t before = job->row;

		n = (size_t)rows_rewrap_left(f.world.rows);
		fixture_send(&f, client);
		fixture_pass(1);
		fixture_turn(&f);
		fixture_answers(&f, client, id, 1);
		moved +=
		    job->row != before || n != rows_rewrap_left(f.world.rows);
	}
	assert_in_range(moved, 1, 4);
	assert_true(i >= 9);
}

/* Between the calls of a client that is at work there is a slice, seldom. */
static void
who_is_about_to_call_again_finds_it_seldom(void **state)
{
	struct fixture_client *client;
	const struct rotation_job *job;
	uint64_t before;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	job = rotation_running(f.world.reg->rotation);
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	/* A step takes as long as a slice has. */
	fixture_tick(2);
	fixture_pass(30);
	fixture_turn(&f);
	fixture_tick(0);
	assert_int_equal(job->phase, CDOP__KEY_PHASE__KEY_REWRAP);
	fixture_turn(&f);
	before = rows_rewrap_left(f.world.rows);
	assert_true(before > 0);
	fixture_turn(&f);
	fixture_turn(&f);
	assert_int_equal(rows_rewrap_left(f.world.rows), before);
	/* And it is not forgotten. */
	assert_in_range(cycle_sleep_ms(f.cycle), 1, 20);
	fixture_pass(30);
	fixture_turn(&f);
	assert_true(rows_rewrap_left(f.world.rows) < before);
	fixture_pass(BUSY_MS);
	fixture_settle(&f);
	assert_true(is_done());
}

/* Who asks for more than a batch holds leaves it no place but its own. */
static void
a_flood_leaves_it_its_slice(void **state)
{
	struct fixture_client *client[FLOOD];
	uint64_t before;
	size_t i, k;

	(void)state;
	for (i = 0; i < FLOOD; i++)
		client[i] = fixture_sign_in(&f, WORLD_COORDINATOR);
	fixture_turn(&f);
	before = rows_rewrap_left(f.world.rows);
	assert_true(before > 0);
	for (i = 0; i < FLOOD; i++) {
		for (k = 0; k < CDOP_PIPELINE_MAX; k++)
			(void)fixture_call(client[i], CDOP_CALL_Status, NULL);
		fixture_send(&f, client[i]);
	}
	fixture_pass(5);
	fixture_turn(&f);
	assert_true(rows_rewrap_left(f.world.rows) < before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_ends_by_itself_while_nobody_waits),
	    TEST(a_call_seldom_waits_for_it),
	    TEST(who_is_about_to_call_again_finds_it_seldom),
	    TEST(a_flood_leaves_it_its_slice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
