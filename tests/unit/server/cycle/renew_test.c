/*
 * Long work between batches: old summaries are renewed while nobody waits,
 * and not in everybody's way while somebody does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/cases_renew.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/rpc/calls.h"

#define OLD     (6 * CASES_RENEW_STEP)
#define BUSY_MS 250 /* who has called calls again */

static struct fixture f;

/* Registered and aged before the cycle knows the registry. */
static int
setup(void **state)
{
	char *reference;
	unsigned i;

	(void)state;
	fixture_start(&f, false, 0);
	for (i = 0; i < OLD; i++) {
		reference = calls_new(&f.world, WORLD_COORDINATOR,
		    world_form(&f.world, i, "wirral"));
		calls_old_summary(&f.world, reference);
	}
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

static void
they_are_renewed_while_nobody_waits(void **state)
{
	(void)state;
	fixture_turn(&f); /* that it was opened is logged first */
	fixture_turn(&f);
	assert_int_equal(calls_old_left(&f.world), OLD - CASES_RENEW_STEP);
	/* It does not sleep before it is done. */
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_settle(&f);
	assert_int_equal(calls_old_left(&f.world), 0);
	assert_true(cycle_sleep_ms(f.cycle) > 0);
}

static void
calls_go_first(void **state)
{
	struct fixture_client *client;
	size_t before, i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	before = calls_old_left(&f.world);
	for (i = 0; before > 0 && i < 9; i++) {
		uint64_t id = fixture_call(client, CDOP_CALL_Status, NULL);

		fixture_send(&f, client);
		fixture_turn(&f);
		fixture_answers(&f, client, id, 1);
	}
	/* Nine batches with a call in them, and one step at most. */
	assert_true(before - calls_old_left(&f.world) <= CASES_RENEW_STEP);
	fixture_pass(BUSY_MS);
	fixture_settle(&f);
	assert_int_equal(calls_old_left(&f.world), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(they_are_renewed_while_nobody_waits),
	    TEST(calls_go_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
