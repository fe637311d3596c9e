/*
 * Who comes while a small batch is run is in it; what could end a session
 * that the batch names waits until it is committed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/cycle/cycle_state.h"
#include "server/registry/audit.h"
#include "server/registry/cases_renew.h"
#include "server/registry/copying.h"
#include "server/registry/registry.h"
#include "tests/unit/server/cycle/cycle_fixture.h"
#include "tests/unit/server/rpc/calls.h"

#define FEW     8
#define OLD     (3 * CASES_RENEW_STEP)
#define BUSY_MS 250 /* who has called calls again */

static struct fixture f;
static struct fixture_client *first, *other;
static void (*meanwhile)(void); /* once, when the batch first writes */
static bool fail_next;          /* what is written after that */

/* In place of LMDB's. */
int mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags);

int
mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags)
{
	int (*real)(void *, unsigned, void *, void *, unsigned);
	void (*now)(void) = meanwhile;
	void *p;

	meanwhile = NULL;
	if (now != NULL) {
		now();
	} else if (fail_next) {
		fail_next = false;
		return EINVAL;
	}
	p = dlsym(RTLD_NEXT, "mdb_put");
	memcpy(&real, &p, sizeof(real));
	return real(txn, table, key, data, flags);
}

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	first = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	return 0;
}

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
teardown(void **state)
{
	(void)state;
	fixture_tick(0);
	fixture_end(&f);
	return 0;
}

static void
ask(struct fixture_client *client, size_t n)
{
	while (n-- > 0)
		(void)fixture_call(client, FIXTURE_STATUS, NULL);
	fixture_send(&f, client);
}

static void
other_asks(void)
{
	ask(other, 1);
}

static void
first_asks(void)
{
	ask(first, 1);
}

static void
who_comes_while_it_is_run_is_in_it(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	ask(first, 1);
	meanwhile = other_asks;
	fixture_turn(&f);
	assert_null(meanwhile);
	fixture_answers(&f, first, 1, 1);
	fixture_answers(&f, other, 1, 1);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 2);
}

/* Each alone then, and both are answered. */
static void
who_came_and_failed_is_run_again(void **state)
{
	uint64_t leaves = audit_size(f.world.reg->audit);

	(void)state;
	ask(first, 1);
	meanwhile = other_asks;
	fail_next = true;
	fixture_turn(&f);
	assert_false(fail_next);
	fixture_answers(&f, first, 1, 1);
	fixture_answers(&f, other, 1, 1);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 2);
}

/* Of those who are answered now some are back while the next one waits. */
static void
a_batch_of_many_takes_nobody_in(void **state)
{
	(void)state;
	ask(first, FEW);
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
	ask(other, FEW + 1);
}

/* Then nobody waits longer than for a few. */
static void
it_grows_to_a_few_and_no_more(void **state)
{
	size_t n = 0;

	(void)state;
	ask(first, 1);
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
	ask(first, 1);
	meanwhile = other_asks_at_length;
	fixture_turn(&f);
	fixture_answers(&f, first, 1, 1);
	assert_null(fixture_reply(&f, other));
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_turn(&f);
	assert_non_null(fixture_reply(&f, other));
}

static void
other_asks_short_long_and_short(void)
{
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
	ask(first, 1);
	meanwhile = other_asks_short_long_and_short;
	fixture_turn(&f);
	assert_int_equal(next_ids(other, 1), 2);
	fixture_settle(&f);
	assert_int_equal(next_ids(other, 2), 4);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 4);
}

static void
somebody_connects(void)
{
	(void)fixture_greet(
	    &f, WORLD_PARTNER_WIRRAL, world_keys(WORLD_PARTNER_WIRRAL).psk);
	other_asks();
}

/* Nothing else wakes the cycle: it was received already. */
static void
a_handshake_and_what_is_behind_it_wait(void **state)
{
	(void)state;
	ask(first, 1);
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
	ask(first, 2);
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
	ask(first, 1);
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
	ask(other, 1);
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	ask(first, 1);
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
	ask(first, 1);
	meanwhile = the_gate_is_gone;
	assert_int_equal(cycle_turn(f.cycle), CDOP_OK);
	assert_int_equal(cycle_link(f.cycle), -1);
	assert_int_equal(audit_size(f.world.reg->audit), leaves + 1);
	f.link = -1;
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
	ask(first, 1);
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
	ask(other, FEW - 1);
	fixture_tick(4);
}

/* A batch of one may take 25. */
static void
with_those_who_join_it_takes_ten(void **state)
{
	size_t n = 0;

	(void)state;
	ask(first, 1);
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

static size_t
how_many_old(void)
{
	const struct index *index = cases_index(f.world.reg->cases);
	uint32_t i;
	size_t n = 0;

	for (i = 0; i < index_count(index); i++)
		n += index_at(index, i)->is_old;
	return n;
}

/* It is known that somebody calls, although no batch began with a call. */
static void
who_joins_the_vaults_own_work_does_not_meet_it_again(void **state)
{
	size_t before = how_many_old();

	(void)state;
	assert_true(before > CASES_RENEW_STEP);
	fixture_pass(BUSY_MS);
	meanwhile = other_asks;
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	assert_int_equal(how_many_old(), before - CASES_RENEW_STEP);
	fixture_turn(&f);
	assert_int_equal(how_many_old(), before - CASES_RENEW_STEP);
	assert_true(cycle_sleep_ms(f.cycle) > 0);
	fixture_pass(BUSY_MS);
	fixture_settle(&f);
	assert_int_equal(how_many_old(), 0);
}

static uint64_t
copied(void)
{
	const struct copy *copy = copying_copy(f.world.reg->copying);
	struct copy_progress progress;

	copy_progress(copy, &progress);
	return progress.rows + progress.opened;
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
	ask(first, 1);
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
	(void)fixture_call(other, FIXTURE_SUSPEND, &request.base);
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
	    TEST(nobody_is_taken_in_after_ten_milliseconds),
	    TEST(with_those_who_join_it_takes_ten),
	    cmocka_unit_test_setup_teardown(
		who_joins_the_vaults_own_work_does_not_meet_it_again, setup_old,
		teardown),
	    cmocka_unit_test_setup_teardown(
		a_copy_makes_way_for_what_waits, setup_old, teardown),
	    TEST(who_is_suspended_in_it_joins_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
