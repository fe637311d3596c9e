/*
 * One request that comes twice into one batch, over two sessions of a person,
 * and what is sent ahead on a session that is not let in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/cycle/cycle_state.h"
#include "server/registry/audit.h"
#include "server/registry/cases.h"
#include "server/registry/index.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/cycle/cycle_meanwhile.h"

static struct fixture f;
static struct fixture_client *one, *two;

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	one = fixture_sign_in(&f, WORLD_COORDINATOR);
	two = fixture_sign_in(&f, WORLD_COORDINATOR);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	meanwhile_over();
	fixture_end(&f);
	return 0;
}

static size_t
cases(void)
{
	return index_count(cases_index(f.world.reg->cases));
}

/* ---- one request key ------------------------------------------------------
 */

static unsigned child; /* whom two registers */

static void
registers(struct fixture_client *client, unsigned who)
{
	Cdop__NotificationRegisterRequest request;

	cdop__notification_register_request__init(&request);
	request.form = world_form(&f.world, who, "wirral");
	client->key = 1;
	(void)fixture_call(
	    client, CDOP_CALL_NotificationRegister, &request.base);
	fixture_send(&f, client);
}

static void
two_registers(void)
{
	registers(two, child);
}

static bool
with_the_second(void)
{
	return batch_count(f.cycle->batch) > 1;
}

/* Both in one batch, or in one that is taken back and each run alone. */
static const Cdop__Reply *
both_register(bool (*fails)(void))
{
	registers(one, 1);
	return meanwhile_joined(&f, one, two, two_registers, fails);
}

static void
it_was_applied_once(bool (*fails)(void))
{
	size_t before = cases();
	const Cdop__Reply *reply;

	child = 1;
	reply = both_register(fails);
	assert_int_equal(reply->status, CDOP_OK);
	assert_true(reply->replayed);
	assert_int_equal(cases(), before + 1);
}

static void
a_request_that_comes_twice_at_once_is_applied_once(void **state)
{
	(void)state;
	it_was_applied_once(NULL);
}

static void
and_once_where_both_are_run_again(void **state)
{
	(void)state;
	it_was_applied_once(with_the_second);
}

static void
a_key_for_two_children_at_once_is_the_first_ones(void **state)
{
	size_t before = cases();
	const Cdop__Reply *reply;

	(void)state;
	child = 2;
	reply = both_register(NULL);
	assert_int_equal(reply->status, CDOP_ALREADY_EXISTS);
	assert_string_equal(reply->reason, "request_key_reused");
	assert_int_equal(cases(), before + 1);
}

/* ---- behind an opening ----------------------------------------------------
 */

static uint64_t leaves;

/* Who has the old key alone is not let in, nor is what he sent ahead. */
static void
what_is_sent_ahead_of_an_opening_goes_with_it(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *owner, *thief;
	uint8_t next[32];
	size_t before = cases();

	(void)state;
	fixture_psk_turn(&f, one, WORLD_COORDINATOR, next);
	owner = fixture_greet(&f, WORLD_COORDINATOR, next);
	thief = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, owner);
	fixture_prove(&f, thief);
	registers(thief, 1);
	f.n_event = 0;
	leaves = audit_size(f.world.reg->audit);
	fixture_settle(&f);
	assert_non_null(fixture_welcome(&f, owner));
	assert_true(fixture_is_closed(&f, thief));
	assert_int_equal(fixture_find(&f, thief->conn, IPC_FRAME), SIZE_MAX);
	assert_int_equal(cases(), before);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 1);
}

static bool
at_once(void)
{
	return true;
}

static void
and_alone_at_once(void)
{
	if (meanwhile_fails == NULL) {
		meanwhile_fails = at_once;
		meanwhile_always = NULL;
	}
}

static bool
behind_the_opening(void)
{
	return audit_size(f.world.reg->audit) > leaves;
}

/* The call fails behind its opening, and that then fails alone. */
static void
nor_is_it_run_where_the_opening_is_not_logged(void **state)
{
	struct fixture_client *client;
	size_t before = cases();

	(void)state;
	client = fixture_greet(
	    &f, WORLD_COORDINATOR, world_keys(WORLD_COORDINATOR).psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	registers(client, 1);
	f.n_event = 0;
	leaves = audit_size(f.world.reg->audit);
	meanwhile_fails = behind_the_opening;
	meanwhile_always = and_alone_at_once;
	fixture_settle(&f);
	assert_null(meanwhile_always);
	assert_null(meanwhile_fails);
	assert_true(fixture_is_closed(&f, client));
	assert_int_equal(fixture_find(&f, client->conn, IPC_FRAME), SIZE_MAX);
	assert_int_equal(cases(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_request_that_comes_twice_at_once_is_applied_once),
	    TEST(and_once_where_both_are_run_again),
	    TEST(a_key_for_two_children_at_once_is_the_first_ones),
	    TEST(what_is_sent_ahead_of_an_opening_goes_with_it),
	    TEST(nor_is_it_run_where_the_opening_is_not_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
