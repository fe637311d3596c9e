/*
 * A copy of the store between batches: in everybody's pauses, a share of the
 * time while somebody waits, and the daemon goes on in the new file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "server/cycle/cycle_state.h"
#include "server/registry/copying.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/rpc/calls.h"

static const struct copy_plan plain;

static struct fixture f;

static int
setup(void **state)
{
	unsigned i;

	(void)state;
	fixture_start(&f, false, 0);
	for (i = 0; i < 150; i++)
		(void)calls_new(&f.world, WORLD_COORDINATOR,
		    world_form(&f.world, i, "wirral"));
	fixture_restart(&f);
	fixture_settle(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_tick(0);
	fixture_end(&f);
	return 0;
}

static ino_t
inode(void)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f.world.dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static struct copying *
begin(void)
{
	struct copying *copying = f.world.reg->copying;

	assert_int_equal(copying_begin(copying, &plain), CDOP_OK);
	return copying;
}

static uint64_t
copied(void)
{
	const struct copy *copy = copying_copy(f.world.reg->copying);
	struct copy_progress progress;

	copy_progress(copy, &progress);
	return progress.rows + progress.opened;
}

static void
it_is_made_while_nobody_waits(void **state)
{
	struct copying *copying = begin();
	ino_t old = inode();

	(void)state;
	fixture_pass(1000);
	fixture_turn(&f);
	assert_int_equal(copying_state(copying), COPYING_RUNS);
	assert_true(copied() > 0);
	/* It does not sleep before it is done. */
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_settle(&f);
	assert_int_equal(copying_state(copying), COPYING_DONE);
	assert_true(cycle_sleep_ms(f.cycle) > 0);
	assert_int_not_equal(inode(), old);
	copying_clear(copying);
}

/* A slice of it while a call waits; the clock goes on with each look. */
static bool
goes_on_although(struct fixture_client *client)
{
	struct copying *copying = f.world.reg->copying;
	uint64_t id = fixture_call(client, CDOP_CALL_Status, NULL);
	uint64_t before = copied();
	bool did;

	fixture_send(&f, client);
	fixture_tick(1);
	assert_int_equal(cycle_copy(f.cycle), CDOP_OK);
	fixture_tick(0);
	did = copied() > before;
	/* What it has is a millisecond, and not all there is to be done. */
	assert_true(copied() - before < 100);
	copying_hold(copying, true);
	fixture_turn(&f);
	fixture_answers(&f, client, id, 1);
	copying_hold(copying, false);
	return did;
}

static void
calls_go_first(void **state)
{
	struct fixture_client *client;
	struct copying *copying;
	uint64_t before;
	size_t i, slices = 0;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	copying = begin();
	for (i = 0; i < 40; i++)
		slices += goes_on_although(client) ? 1 : 0;
	/* One part in four of the time, at the most, and it has that. */
	assert_in_range(slices, 5, 20);
	assert_int_equal(copying_state(copying), COPYING_RUNS);
	fixture_settle(&f);
	assert_int_equal(copying_state(copying), COPYING_DONE);
	/* The session outlives the switch. */
	before = fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	fixture_answers(&f, client, before, 1);
	copying_clear(copying);
}

/* What it did while nobody called is not owed again at once. */
static void
after_a_pause_it_waits(void **state)
{
	struct fixture_client *client;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	(void)begin();
	fixture_tick(3);
	fixture_turn(&f);
	fixture_tick(0);
	assert_false(goes_on_although(client));
	copying_clear(f.world.reg->copying);
}

/* The clock goes on by more than a slice between any two looks at it. */
static void
a_slice_ends_in_time(void **state)
{
	uint64_t before;

	(void)state;
	(void)begin();
	fixture_tick(3);
	before = copied();
	fixture_turn(&f);
	assert_in_range(copied() - before, 1, 128);
	fixture_tick(0);
	before = copied();
	fixture_turn(&f);
	assert_in_range(copied() - before, 129, 8192);
	copying_clear(f.world.reg->copying);
}

static void
held_it_lets_the_cycle_sleep(void **state)
{
	struct copying *copying = begin();
	uint64_t before;

	(void)state;
	fixture_turn(&f);
	copying_hold(copying, true);
	before = copied();
	fixture_settle(&f);
	assert_int_equal(copied(), before);
	assert_true(cycle_sleep_ms(f.cycle) > 0);
	copying_hold(copying, false);
	fixture_settle(&f);
	assert_int_equal(copying_state(copying), COPYING_DONE);
	copying_clear(copying);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_is_made_while_nobody_waits),
	    TEST(calls_go_first),
	    TEST(after_a_pause_it_waits),
	    TEST(a_slice_ends_in_time),
	    TEST(held_it_lets_the_cycle_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
