/*
 * Several devices that all have more than a batch takes: whose calls are in
 * it, and how long the others wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/server/cycle/cycle_fixture.h"

#define SESSIONS 9 /* of one device */
#define TICK_MS  5 /* that a call takes */

static struct fixture f;

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static size_t
answered(struct fixture_client *client)
{
	size_t n = 0;

	while (fixture_reply(&f, client) != NULL)
		n++;
	return n;
}

/* ---- by device, not by session ----------------------------------------- */

/* Half of the 256 of a batch is this one's, and not a tenth. */
static void
sessions_give_a_device_no_more_turns(void **state)
{
	struct fixture_client *many[SESSIONS], *one;
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < SESSIONS; i++)
		many[i] = fixture_sign_in(&f, WORLD_COORDINATOR);
	one = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	for (i = 0; i < SESSIONS; i++)
		fixture_ask(&f, many[i], 64);
	fixture_ask(&f, one, 64);
	fixture_turn(&f);
	assert_int_equal(answered(one), 64);
	for (i = 0; i < SESSIONS; i++)
		n += answered(many[i]);
	assert_int_equal(n, CDOP_BATCH_REQUESTS_MAX - 64);
	fixture_settle(&f);
	for (i = 0; i < SESSIONS; i++)
		n += answered(many[i]);
	assert_int_equal(n, SESSIONS * 64);
}

/* Within a device it is sessions that have turns. */
static void
sessions_of_a_device_have_turns_among_themselves(void **state)
{
	struct fixture_client *first, *second;

	(void)state;
	first = fixture_sign_in(&f, WORLD_COORDINATOR);
	second = fixture_sign_in(&f, WORLD_COORDINATOR);
	fixture_ask(&f, first, 64);
	fixture_ask(&f, second, 1);
	fixture_tick(TICK_MS);
	fixture_turn(&f);
	assert_in_range(answered(first), 1, 8);
	assert_int_equal(answered(second), 1);
}

/* ---- when each call takes long ----------------------------------------- */

/* What was there before it, and not begun, is behind it now. */
static void
who_comes_later_does_not_wait_for_all_that_was_there(void **state)
{
	struct fixture_client *long_one, *other;
	size_t i;

	(void)state;
	long_one = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	fixture_ask(&f, long_one, 200);
	fixture_tick(TICK_MS);
	for (i = 0; i < 8; i++) {
		fixture_turn(&f);
		assert_in_range(answered(long_one), 1, 8);
		assert_int_equal(cycle_sleep_ms(f.cycle), 0);
		fixture_ask(&f, other, 1);
		fixture_turn(&f);
		assert_int_equal(answered(other), 1);
	}
	fixture_tick(0);
	fixture_settle(&f);
	(void)answered(long_one);
	assert_false(fixture_is_closed(&f, long_one));
	fixture_ask(&f, long_one, 1);
	fixture_settle(&f);
	assert_int_equal(answered(long_one), 1);
}

/* Ten milliseconds where others are in it, and 25 for oneself. */
static void
a_batch_of_several_is_a_shorter_one(void **state)
{
	struct fixture_client *long_one, *other;
	size_t alone, n;

	(void)state;
	long_one = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	fixture_ask(&f, long_one, 200);
	fixture_tick(TICK_MS);
	fixture_turn(&f);
	alone = answered(long_one);
	fixture_ask(&f, other, 1);
	fixture_turn(&f);
	n = answered(long_one);
	assert_int_equal(answered(other), 1);
	assert_in_range(n, 1, alone / 2);
}

/* There is time for two of five at once: each has its turn all the same. */
static void
nobody_is_left_out_when_time_is_short(void **state)
{
	static const enum world_who who[] = {WORLD_COORDINATOR, WORLD_ADMIN_1,
	    WORLD_PARTNER_WIRRAL, WORLD_AUDITOR, WORLD_CUSTODIAN};
	struct fixture_client *client[5];
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		client[i] = fixture_sign_in(&f, who[i]);
	for (i = 0; i < 5; i++)
		fixture_ask(&f, client[i], 64);
	fixture_tick(TICK_MS);
	for (i = 0; i < 25; i++)
		fixture_turn(&f);
	for (i = 0; i < 5; i++)
		assert_in_range(answered(client[i]), 8, 13);
}

/* And nothing of what was looked at and not done is done twice, or lost. */
static void
what_waits_is_answered_once_and_in_order(void **state)
{
	struct fixture_client *one, *other;
	const Cdop__Reply *reply;
	uint64_t first = 0, n;

	(void)state;
	one = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	fixture_ask(&f, one, 150);
	fixture_ask(&f, other, 3);
	fixture_tick(TICK_MS);
	first = one->last_id - 149;
	for (n = 0; n < 150; n++) {
		while ((reply = fixture_reply(&f, one)) == NULL)
			fixture_turn(&f);
		assert_int_equal(reply->id, first + n);
	}
	assert_int_equal(answered(other), 3);
	fixture_settle(&f);
	assert_null(fixture_reply(&f, one));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sessions_give_a_device_no_more_turns),
	    TEST(sessions_of_a_device_have_turns_among_themselves),
	    TEST(who_comes_later_does_not_wait_for_all_that_was_there),
	    TEST(a_batch_of_several_is_a_shorter_one),
	    TEST(nobody_is_left_out_when_time_is_short),
	    TEST(what_waits_is_answered_once_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
