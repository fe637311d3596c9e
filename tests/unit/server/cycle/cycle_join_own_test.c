/*
 * Who comes while the vault is at work of its own joins that: rotations, old
 * summaries, copies of the store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/cycle/cycle_state.h"
#include "server/registry/audit.h"
#include "server/registry/cases_renew.h"
#include "server/registry/copying.h"
#include "server/registry/registry.h"
#include "server/registry/rotation_step.h"
#include "server/vault/rows_rewrap.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/cycle/cycle_meanwhile.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

#define OLD     (3 * CASES_RENEW_STEP)
#define TURNING 80  /* cases: more than a slice does while somebody calls */
#define BUSY_MS 250 /* who has called calls again */

static struct fixture f;
static struct fixture_client *first, *other;

/* With work of the vault's own that nobody has asked for. */
static int
setup_old(void **state)
{
	const char *reference;
	unsigned i;

	(void)state;
	fixture_start(&f, false, 0);
	for (i = 0; i < OLD; i++) {
		reference = calls_new(&f.world, WORLD_COORDINATOR,
		    world_form(&f.world, i, "wirral"));
		calls_old_summary(&f.world, reference);
	}
	fixture_restart(&f);
	first = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	return 0;
}

static int
setup_turning(void **state)
{
	unsigned i;

	(void)state;
	fixture_start(&f, false, 0);
	for (i = 0; i < TURNING; i++)
		free(world_register(&f.world, i, "wirral"));
	(void)turning_begin(&f.world, "wirral");
	fixture_restart(&f);
	first = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	assert_true(rows_rewrap_left(f.world.rows) > 0);
	fixture_pass(BUSY_MS);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	meanwhile_over();
	fixture_tick(0);
	fixture_end(&f);
	return 0;
}

static void
other_asks(void)
{
	fixture_ask(&f, other, 1);
}

/* It is known that somebody calls, although no batch began with a call. */
static void
who_joins_the_vaults_own_work_does_not_meet_it_again(void **state)
{
	size_t before = calls_old_left(&f.world);

	(void)state;
	assert_true(before > CASES_RENEW_STEP);
	fixture_pass(BUSY_MS);
	meanwhile = other_asks;
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	assert_int_equal(calls_old_left(&f.world), before - CASES_RENEW_STEP);
	fixture_turn(&f);
	assert_int_equal(calls_old_left(&f.world), before - CASES_RENEW_STEP);
	/* And it is not forgotten. */
	assert_in_range(cycle_sleep_ms(f.cycle), 1, 20);
	fixture_pass(BUSY_MS);
	fixture_settle(&f);
	assert_int_equal(calls_old_left(&f.world), 0);
}

static void
it_ends_and_all_is_readable(void)
{
	fixture_pass(BUSY_MS);
	fixture_settle(&f);
	assert_null(rotation_running(f.world.reg->rotation));
	assert_int_equal(rows_rewrap_left(f.world.rows), 0);
	turning_all_readable(&f.world);
}

static bool
behind_the_first(void)
{
	return batch_count(f.cycle->batch) > 1;
}

/* Of a rotation nothing is left that a call in its transaction took along. */
static void
a_rotation_goes_back_with_who_fails_behind_it(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	meanwhile = other_asks;
	meanwhile_fails = behind_the_first;
	fixture_turn(&f);
	assert_null(meanwhile_fails);
	assert_int_equal(rows_rewrap_left(f.world.rows), 0);
	fixture_answers(&f, other, 1, 1);
	assert_true(audit_size(f.world.reg->audit) > leaves);
	it_ends_and_all_is_readable();
}

static void
first_registers(void)
{
	Cdop__NotificationRegisterRequest request;

	cdop__notification_register_request__init(&request);
	request.form = world_form(&f.world, TURNING, "wirral");
	(void)fixture_call(
	    first, CDOP_CALL_NotificationRegister, &request.base);
	fixture_send(&f, first);
}

/* Its steps and a call of that moment are in one transaction. */
static void
who_joins_a_rotation_writes_under_its_keys(void **state)
{
	(void)state;
	meanwhile = first_registers;
	fixture_turn(&f);
	assert_int_equal(rows_rewrap_left(f.world.rows), 0);
	fixture_answers(&f, first, 1, 1);
	it_ends_and_all_is_readable();
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
somebody_connects(void)
{
	(void)fixture_greet(
	    &f, WORLD_PARTNER_WIRRAL, world_keys(WORLD_PARTNER_WIRRAL).psk);
}

/* What was received and waits is waited for as what is still in the socket. */
static void
a_copy_makes_way_for_what_waits(void **state)
{
	static const struct copy_plan plain;
	struct copying *copying = f.world.reg->copying;
	uint64_t before;

	(void)state;
	assert_int_equal(copying_begin(copying, &plain), CDOP_OK);
	fixture_tick(1);
	assert_int_equal(cycle_copy(f.cycle), CDOP_OK);
	fixture_tick(0);
	assert_int_equal(copying_state(copying), COPYING_RUNS);
	(void)fixture_call(first, CDOP_CALL_Status, NULL);
	fixture_send(&f, first);
	meanwhile = somebody_connects;
	copying_hold(copying, true);
	fixture_turn(&f);
	copying_hold(copying, false);
	before = copied();
	fixture_tick(1);
	assert_int_equal(cycle_copy(f.cycle), CDOP_OK);
	fixture_tick(0);
	assert_int_equal(copied(), before);
	copying_clear(copying);
}

#define TEST(name, with) cmocka_unit_test_setup_teardown(name, with, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_joins_the_vaults_own_work_does_not_meet_it_again,
		setup_old),
	    TEST(a_rotation_goes_back_with_who_fails_behind_it, setup_turning),
	    TEST(who_joins_a_rotation_writes_under_its_keys, setup_turning),
	    TEST(a_copy_makes_way_for_what_waits, setup_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
