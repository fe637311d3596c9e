/*
 * Who comes while a small batch is run is in it; what could end a session
 * that the batch names waits until it is committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/cycle/cycle_state.h"
#include "server/registry/audit.h"
#include "server/registry/cases.h"
#include "server/registry/index.h"
#include "server/registry/registry.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/cycle/cycle_meanwhile.h"

#define FEW 8

static struct fixture f;
static struct fixture_client *first, *other;

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	first = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
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

static void
first_asks(void)
{
	fixture_ask(&f, first, 1);
}

static void
who_comes_while_it_is_run_is_in_it(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = other_asks;
	fixture_turn(&f);
	assert_null(meanwhile);
	fixture_answers(&f, first, 1, 1);
	fixture_answers(&f, other, 1, 1);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 2);
}

static bool
at_once(void)
{
	return true;
}

/* Each alone then, and both are answered. */
static void
who_came_and_failed_is_run_again(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = other_asks;
	meanwhile_fails = at_once;
	fixture_turn(&f);
	assert_null(meanwhile_fails);
	fixture_answers(&f, first, 1, 1);
	fixture_answers(&f, other, 1, 1);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 2);
}

/* Of those who are answered now some are back while the next one waits. */
static void
a_batch_of_many_takes_nobody_in(void **state)
{
	(void)state;
	fixture_ask(&f, first, FEW);
	meanwhile = other_asks;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, FEW);
	assert_null(fixture_reply(&f, other));
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
}

static void
other_asks_for_much(void)
{
	fixture_ask(&f, other, FEW + 1);
}

/* Then nobody waits longer than for a few. */
static void
it_grows_to_a_few_and_no_more(void **state)
{
	size_t n = 0;

	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = other_asks_for_much;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	while (fixture_reply(&f, other) != NULL)
		n++;
	assert_int_equal(n, FEW - 1);
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_turn(&f);
	fixture_answers(&f, other, FEW, 2);
}

static void
other_asks_at_length(void)
{
	(void)fixture_call_of(other, 16384);
	fixture_send(&f, other);
}

/* The room of a batch was asked for before it was known. */
static void
a_long_call_waits_for_the_next(void **state)
{
	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = other_asks_at_length;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	assert_null(fixture_reply(&f, other));
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_turn(&f);
	assert_non_null(fixture_reply(&f, other));
}

/* While the one who joined is worked for: then it is looked once more. */
static void
first_asks_again(void)
{
	if (batch_count(f.cycle->batch) > 1)
		fixture_ask(&f, first, 1);
	else
		meanwhile = first_asks_again;
}

static void
other_asks_short_long_and_short(void)
{
	meanwhile = first_asks_again;
	(void)fixture_call_of(other, 64);
	(void)fixture_call_of(other, 16384);
	(void)fixture_call_of(other, 64);
	fixture_send(&f, other);
}

/* Answers with ids from this on, whatever they say; the next id. */
static uint64_t
next_ids(struct fixture_client *client, uint64_t id)
{
	const Cdop__Reply *reply;

	for (; (reply = fixture_reply(&f, client)) != NULL; id++)
		assert_int_equal(reply->id, id);
	return id;
}

/* None is passed over, nor done twice. */
static void
what_is_behind_a_long_call_stays_behind_it(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = other_asks_short_long_and_short;
	fixture_turn(&f);
	assert_null(meanwhile);
	assert_int_equal(next_ids(other, 1), 2);
	fixture_settle(&f);
	assert_int_equal(next_ids(other, 2), 4);
	fixture_answers(&f, first, 1, 2);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 5);
}

static void
somebody_connects_only(void)
{
	(void)fixture_greet(
	    &f, WORLD_PARTNER_WIRRAL, world_keys(WORLD_PARTNER_WIRRAL).psk);
}

static void
somebody_connects(void)
{
	somebody_connects_only();
	other_asks();
}

/* Nothing else wakes the cycle: it was received already. */
static void
a_handshake_and_what_is_behind_it_wait(void **state)
{
	(void)state;
	fixture_ask(&f, first, 1);
	f.n_event = 0;
	meanwhile = somebody_connects;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	assert_int_equal(fixture_find(&f, f.last_conn, IPC_FRAME), SIZE_MAX);
	assert_null(fixture_reply(&f, other));
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_turn(&f);
	assert_int_not_equal(
	    fixture_find(&f, f.last_conn, IPC_FRAME), SIZE_MAX);
	fixture_answers(&f, other, 1, 1);
}

static void
first_leaves(void)
{
	fixture_say(&f, first->conn, IPC_CLOSED, NULL, 0);
	other_asks();
}

/* Its items are in the batch. */
static void
who_leaves_meanwhile_is_let_go_after_it(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	fixture_ask(&f, first, 2);
	meanwhile = first_leaves;
	fixture_turn(&f);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 2);
	f.n_event = 0;
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	assert_int_equal(fixture_find(&f, first->conn, IPC_FRAME), SIZE_MAX);
	assert_int_equal(fixture_find(&f, first->conn, IPC_CLOSE), SIZE_MAX);
}

static void
first_sends_junk(void)
{
	static const uint8_t junk[64] = {7};

	fixture_say(&f, first->conn, IPC_FRAME, junk, sizeof(junk));
	other_asks();
}

static void
a_frame_that_does_not_open_ends_its_session_after_it(void **state)
{
	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = first_sends_junk;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	assert_false(fixture_is_closed(&f, first));
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, first));
	fixture_answers(&f, other, 1, 1);
}

static void
other_reads_and_asks(void)
{
	fixture_sent(&f, other);
	other_asks();
}

/* The gate says first what it has written. */
static void
what_was_written_is_counted(void **state)
{
	(void)state;
	fixture_ask(&f, other, 1);
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	fixture_ask(&f, first, 1);
	meanwhile = other_reads_and_asks;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	fixture_answers(&f, other, 2, 1);
}

static void
the_gate_is_gone(void)
{
	close(f.link);
}

/* What it could have been told is not lost: it is in the log. */
static void
a_gate_that_ends_meanwhile_takes_no_leaf_along(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = the_gate_is_gone;
	assert_int_equal(cycle_turn(f.cycle), CDOP_OK);
	assert_int_equal(cycle_link(f.cycle), -1);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 1);
	f.link = -1;
}

static void
the_gate_breaks_the_rules(void)
{
	fixture_say(&f, first->conn, IPC_SENT, "\xff\xff\xff\xff", 4);
	fixture_say(&f, first->conn, IPC_CLOSE, NULL, 0);
}

static void
a_gate_that_breaks_the_rules_meanwhile_is_left_after_it(void **state)
{
	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = the_gate_breaks_the_rules;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	assert_int_not_equal(cycle_link(f.cycle), -1);
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_turn(&f);
	assert_int_equal(cycle_link(f.cycle), -1);
}

/* It was the old one's word. */
static void
what_waits_goes_with_its_gate(void **state)
{
	int fds[2];

	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = somebody_connects_only;
	fixture_turn(&f);
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	close(f.link);
	assert_int_equal(ipc_pair(fds), CDOP_OK);
	f.link = fds[1];
	cycle_set_link(f.cycle, fds[0]);
	assert_true(cycle_sleep_ms(f.cycle) > 0);
	f.n_event = 0;
	fixture_turn(&f);
	assert_int_equal(f.n_event, 1);
	assert_int_equal(f.event[0].kind, IPC_KEYS);
}

/* ---- anything, at any time ----------------------------------------------- */

static uint32_t dice_at = 1;

static uint32_t
dice(uint32_t n)
{
	dice_at = dice_at * 1664525u + 1013904223u;
	return (dice_at >> 16) % n;
}

/* Short, long, and what has just room or just none. */
static void
anybody_asks(void)
{
	static const size_t lens[] = {64, 64, 200, 4000, 8192, 8193, 20000};
	struct fixture_client *client = dice(2) == 0 ? first : other;
	uint32_t n;

	if (dice(3) != 0)
		return;
	for (n = 1 + dice(4); n > 0; n--)
		(void)fixture_call_of(
		    client, lens[dice(sizeof(lens) / sizeof(lens[0]))]);
	fixture_send(&f, client);
	if (dice(8) == 0)
		fixture_sent(&f, client);
	if (dice(64) == 0 && f.n_client < FIXTURE_CLIENTS)
		somebody_connects_only();
}

static void
each_call_is_answered_once_and_in_its_place(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);
	uint64_t ids[2] = {1, 1};
	size_t i;

	(void)state;
	for (i = 0; i < 300; i++) {
		meanwhile_always = NULL;
		anybody_asks();
		meanwhile_always = anybody_asks;
		f.n_event = 0;
		fixture_turn(&f);
		ids[0] = next_ids(first, ids[0]);
		ids[1] = next_ids(other, ids[1]);
	}
	meanwhile_always = NULL;
	f.n_event = 0;
	fixture_settle(&f);
	assert_int_equal(next_ids(first, ids[0]), first->last_id + 1);
	assert_int_equal(next_ids(other, ids[1]), other->last_id + 1);
	assert_int_equal(audit_size(f.world.reg->audit),
	    leaves + first->last_id + other->last_id);
	assert_true(first->last_id > 300 && other->last_id > 300);
}

/* ---- how long it takes -------------------------------------------------- */

static void
other_asks_late(void)
{
	fixture_pass(10);
	other_asks();
}

static void
nobody_is_taken_in_after_ten_milliseconds(void **state)
{
	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = other_asks_late;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	assert_null(fixture_reply(&f, other));
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
}

static void
other_asks_for_what_takes_long(void)
{
	fixture_ask(&f, other, FEW - 1);
	fixture_tick(4);
}

/* A batch of one may take 25. */
static void
with_those_who_join_it_takes_ten(void **state)
{
	size_t n = 0;

	(void)state;
	fixture_ask(&f, first, 1);
	meanwhile = other_asks_for_what_takes_long;
	fixture_turn(&f);
	fixture_tick(0);
	fixture_answers(&f, first, 1, 1);
	while (fixture_reply(&f, other) != NULL)
		n++;
	assert_int_equal(n, 1);
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_settle(&f);
	fixture_answers(&f, other, 2, FEW - 2);
}

/* ---- who is ended ------------------------------------------------------- */

/* He is in the batch that suspends him, and hears nothing of it. */
static void
who_is_suspended_in_it_joins_in_vain(void **state)
{
	Cdop__SuspendRequest request;
	char reason[] = "left";

	(void)state;
	cdop__suspend_request__init(&request);
	request.person = WORLD_COORDINATOR;
	request.reason = reason;
	(void)fixture_call(other, CDOP_CALL_Suspend, &request.base);
	fixture_send(&f, other);
	f.n_event = 0;
	meanwhile = first_asks;
	fixture_turn(&f);
	assert_null(meanwhile);
	assert_int_equal(f.n_event, 1);
	assert_int_equal(f.event[0].kind, IPC_DISCARD);
	assert_int_equal(f.event[0].conn, first->conn);
	fixture_say(&f, first->conn, IPC_DISCARDED, NULL, 0);
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	assert_null(fixture_reply(&f, first));
}

static struct fixture_client *second; /* whose child it is, too */

static void
registers(struct fixture_client *client)
{
	Cdop__NotificationRegisterRequest request;

	cdop__notification_register_request__init(&request);
	request.form = world_form(&f.world, 1, "wirral");
	(void)fixture_call(
	    client, CDOP_CALL_NotificationRegister, &request.base);
	fixture_send(&f, client);
}

static void
second_registers(void)
{
	registers(second);
}

/* Together or, where what is written fails, each alone: there is one case. */
static void
one_child_becomes_one_case(bool (*fails)(void))
{
	size_t before = index_count(cases_index(f.world.reg->cases));
	const Cdop__Reply *reply;

	second = fixture_sign_in(&f, WORLD_COORDINATOR_WIRRAL);
	registers(first);
	reply = meanwhile_joined(&f, first, second, second_registers, fails);
	assert_int_equal(reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(reply->reason, "possible_duplicate");
	assert_int_equal(
	    index_count(cases_index(f.world.reg->cases)), before + 1);
}

static void
a_child_that_two_register_at_once_is_one_case(void **state)
{
	(void)state;
	one_child_becomes_one_case(NULL);
}

static bool
with_the_second(void)
{
	return batch_count(f.cycle->batch) > 1;
}

static void
and_is_one_where_both_are_run_again(void **state)
{
	(void)state;
	one_child_becomes_one_case(with_the_second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_comes_while_it_is_run_is_in_it),
	    TEST(who_came_and_failed_is_run_again),
	    TEST(a_batch_of_many_takes_nobody_in),
	    TEST(it_grows_to_a_few_and_no_more),
	    TEST(a_long_call_waits_for_the_next),
	    TEST(what_is_behind_a_long_call_stays_behind_it),
	    TEST(a_handshake_and_what_is_behind_it_wait),
	    TEST(who_leaves_meanwhile_is_let_go_after_it),
	    TEST(a_frame_that_does_not_open_ends_its_session_after_it),
	    TEST(what_was_written_is_counted),
	    TEST(a_gate_that_ends_meanwhile_takes_no_leaf_along),
	    TEST(a_gate_that_breaks_the_rules_meanwhile_is_left_after_it),
	    TEST(what_waits_goes_with_its_gate),
	    TEST(each_call_is_answered_once_and_in_its_place),
	    TEST(nobody_is_taken_in_after_ten_milliseconds),
	    TEST(with_those_who_join_it_takes_ten),
	    TEST(who_is_suspended_in_it_joins_in_vain),
	    TEST(a_child_that_two_register_at_once_is_one_case),
	    TEST(and_is_one_where_both_are_run_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
