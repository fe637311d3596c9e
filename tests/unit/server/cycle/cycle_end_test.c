/*
 * What ends a session: another's act, time, a client that is wrong, a gate
 * that is broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/varint.h"
#include "server/base/fds.h"
#include "server/registry/people.h"
#include "tests/unit/server/cycle/cycle_fixture.h"

#define AFTER_PAUSE_MS 1500 /* a stream that has paused goes on */

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

/* ---- what a session leaves ----------------------------------------------- */

static void
ask_for_backup(struct fixture_client *client)
{
	char label[] = "nightly";
	Cdop__BackupCreateRequest request;

	cdop__backup_create_request__init(&request);
	request.label = label;
	(void)fixture_call(client, CDOP_CALL_BackupCreate, &request.base);
	fixture_send(&f, client);
	fixture_turn(&f);
}

/* Nobody waits for a client that was interrupted. */
static void
a_backup_ends_with_its_session(void **state)
{
	struct fixture_client *one, *two;

	(void)state;
	world_share(&f.world);
	one = fixture_sign_in(&f, WORLD_ADMIN_1);
	two = fixture_sign_in(&f, WORLD_ADMIN_2);
	ask_for_backup(one);
	assert_int_equal(fixture_reply(&f, one)->status, CDOP_OK);
	/* Nothing but its number was taken yet. */
	fixture_say(&f, one->conn, IPC_CLOSED, NULL, 0);
	ask_for_backup(two);
	assert_int_equal(fixture_reply(&f, two)->status, CDOP_OK);
}

/* The rest of it is in the batch that ends the session. */
static void
a_backup_ends_with_its_device(void **state)
{
	struct fixture_client *one, *two;
	Cdop__SuspendRequest request;
	char reason[] = "left";

	(void)state;
	world_share(&f.world);
	one = fixture_sign_in(&f, WORLD_ADMIN_1);
	two = fixture_sign_in(&f, WORLD_ADMIN_2);
	ask_for_backup(one);
	assert_int_equal(fixture_reply(&f, one)->status, CDOP_OK);
	cdop__suspend_request__init(&request);
	request.person = WORLD_ADMIN_1;
	request.reason = reason;
	(void)fixture_call(two, CDOP_CALL_Suspend, &request.base);
	fixture_send(&f, two);
	fixture_pass(AFTER_PAUSE_MS);
	fixture_turn(&f);
	fixture_say(&f, one->conn, IPC_DISCARDED, NULL, 0);
	fixture_turn(&f);
	assert_int_equal(fixture_reply(&f, two)->status, CDOP_OK);
	ask_for_backup(two);
	assert_int_equal(fixture_reply(&f, two)->status, CDOP_OK);
}

/* ---- ending the sessions of others ------------------------------------- */

struct suspended {
	struct fixture_client *admin;
	struct fixture_client *partner;
};

/* A suspension whose subject has a call in the same batch; 0: all of them. */
static struct suspended
suspend_device(uint32_t device)
{
	char reason[] = "left";
	Cdop__SuspendRequest request;
	struct suspended s;

	s.admin = fixture_sign_in(&f, WORLD_ADMIN_1);
	s.partner = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	cdop__suspend_request__init(&request);
	request.person = WORLD_PARTNER_WIRRAL;
	request.has_device = device != 0;
	request.device = device;
	request.reason = reason;
	(void)fixture_call(s.admin, CDOP_CALL_Suspend, &request.base);
	(void)fixture_call(s.partner, CDOP_CALL_Status, NULL);
	fixture_send(&f, s.partner);
	fixture_send(&f, s.admin);
	f.n_event = 0;
	fixture_turn(&f);
	return s;
}

static struct suspended
suspend(void)
{
	return suspend_device(0);
}

/* That of the coordinator is the partner's, too. */
static struct fixture_client *
second_laptop(void)
{
	struct people_device *device =
	    (struct people_device *)(uintptr_t)people_device(
		f.world.reg->people, WORLD_COORDINATOR);

	device->person = WORLD_PARTNER_WIRRAL;
	return fixture_sign_in(&f, WORLD_COORDINATOR);
}

static void
who_is_suspended_is_out_with_every_laptop(void **state)
{
	struct fixture_client *second = second_laptop();
	struct suspended s = suspend();

	(void)state;
	assert_int_not_equal(
	    fixture_find(&f, second->conn, IPC_DISCARD), SIZE_MAX);
	assert_int_not_equal(
	    fixture_find(&f, s.partner->conn, IPC_DISCARD), SIZE_MAX);
}

static void
a_laptop_that_is_suspended_is_out_alone(void **state)
{
	struct fixture_client *second = second_laptop();
	struct suspended s = suspend_device(WORLD_COORDINATOR);

	(void)state;
	assert_int_not_equal(
	    fixture_find(&f, second->conn, IPC_DISCARD), SIZE_MAX);
	assert_int_equal(
	    fixture_find(&f, s.partner->conn, IPC_DISCARD), SIZE_MAX);
}

static void
the_answer_waits_for_the_gates_word(void **state)
{
	struct suspended s = suspend();

	(void)state;
	assert_int_equal(f.n_event, 1);
	assert_int_equal(f.event[0].kind, IPC_DISCARD);
	assert_int_equal(f.event[0].conn, s.partner->conn);
	fixture_turn(&f);
	assert_int_equal(f.n_event, 1);
	assert_null(fixture_reply(&f, s.admin));

	fixture_say(&f, s.partner->conn, IPC_DISCARDED, NULL, 0);
	fixture_turn(&f);
	fixture_answers(&f, s.admin, 1, 1);
	/* The one who was ended hears nothing, not even the answer he had. */
	assert_int_equal(
	    fixture_find(&f, s.partner->conn, IPC_FRAME), SIZE_MAX);
}

static void
the_answer_waits_100_ms_at_most(void **state)
{
	struct suspended s = suspend();

	(void)state;
	fixture_pass(99);
	fixture_turn(&f);
	assert_null(fixture_reply(&f, s.admin));
	/* It is woken in time. */
	assert_in_range(cycle_sleep_ms(f.cycle), 0, 100);
	fixture_pass(1);
	fixture_turn(&f);
	fixture_answers(&f, s.admin, 1, 1);
	assert_int_equal(
	    fixture_find(&f, s.partner->conn, IPC_FRAME), SIZE_MAX);
}

static void
a_suspended_device_gets_no_further(void **state)
{
	struct world_keys keys = world_keys(WORLD_PARTNER_WIRRAL);
	struct fixture_client *client;

	(void)state;
	(void)suspend();
	client = fixture_greet(&f, WORLD_PARTNER_WIRRAL, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
}

/* ---- time -------------------------------------------------------------- */

static void
a_handshake_takes_ten_seconds_at_most(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;

	(void)state;
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_pass(CDOP_HANDSHAKE_S * 1000);
	fixture_turn(&f);
	assert_false(fixture_is_closed(&f, client));
	fixture_pass(1000);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
}

/* The clock of a call runs from its first byte, whatever else comes. */
static void
a_drip_is_cut_off(void **state)
{
	struct fixture_client *client;
	uint8_t head[CDOP_VARINT_MAX];
	size_t len, i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	len = cdop_varint_write(head, 100);
	fixture_send_plain(&f, client, head, len);
	for (i = 0; i < 5; i++) {
		fixture_turn(&f);
		assert_false(fixture_is_closed(&f, client));
		fixture_pass(6000);
		fixture_send_plain(&f, client, "x", 1);
	}
	fixture_turn(&f);
	assert_false(fixture_is_closed(&f, client));
	fixture_pass(1000);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
}

static void
an_idle_session_is_closed_and_a_busy_one_too_in_the_end(void **state)
{
	struct fixture_client *idle, *busy;
	size_t i;

	(void)state;
	idle = fixture_sign_in(&f, WORLD_COORDINATOR);
	busy = fixture_sign_in(&f, WORLD_ADMIN_1);
	for (i = 0; i < 65; i++) {
		fixture_pass(60000);
		(void)fixture_call(busy, CDOP_CALL_Status, NULL);
		fixture_send(&f, busy);
		fixture_turn(&f);
		assert_int_equal(fixture_is_closed(&f, idle), i >= 15);
		assert_false(fixture_is_closed(&f, busy));
	}
	fixture_pass(1000);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, busy));
}

static void
after_an_hour_no_new_call_is_taken(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply = NULL;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	for (i = 0; i < 6; i++) {
		fixture_pass(600000 + (i == 5));
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
		fixture_send(&f, client);
		fixture_turn(&f);
		reply = fixture_reply(&f, client);
		assert_non_null(reply);
		assert_int_equal(
		    reply->status, i < 5 ? CDOP_OK : CDOP_UNAUTHENTICATED);
	}
	assert_string_equal(reply->reason, "session_expired");
}

/* ---- what is not as it should be --------------------------------------- */

static void
a_frame_that_does_not_open_ends_its_session(void **state)
{
	static const uint8_t junk[64] = {7};
	struct fixture_client *client, *other;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	fixture_say(&f, client->conn, IPC_FRAME, junk, sizeof(junk));
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
	assert_false(fixture_is_closed(&f, other));
	assert_true(cycle_link(f.cycle) >= 0);
}

/* No id can be answered to: it is said, and the session is over. */
static void
a_call_that_is_none_is_answered_and_closed(void **state)
{
	static const uint8_t junk[] = {3, 0xff, 0xff, 0xff};
	struct fixture_client *client;
	const Cdop__Reply *reply;
	size_t close_at;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	f.n_event = 0;
	fixture_send_plain(&f, client, junk, sizeof(junk));
	fixture_turn(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	assert_int_equal(reply->status, CDOP_INVALID_ARGUMENT);
	assert_string_equal(reply->reason, "bad_envelope");
	close_at = fixture_find(&f, client->conn, IPC_CLOSE);
	assert_int_not_equal(close_at, SIZE_MAX);
	assert_true(fixture_find(&f, client->conn, IPC_FRAME) < close_at);
}

static void
a_connection_id_that_was_used_drops_the_link(void **state)
{
	struct fixture_client *client;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	f.last_conn = client->conn - 1;
	(void)fixture_greet(
	    &f, WORLD_COORDINATOR, world_keys(WORLD_COORDINATOR).psk);
	assert_int_equal(cycle_turn(f.cycle), CDOP_OK);
	assert_int_equal(cycle_link(f.cycle), -1);
}

static void
a_packet_of_the_vaults_own_kind_drops_the_link(void **state)
{
	struct fixture_client *client;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	fixture_say(&f, client->conn, IPC_DISCARD, NULL, 0);
	assert_int_equal(cycle_turn(f.cycle), CDOP_OK);
	assert_int_equal(cycle_link(f.cycle), -1);
}

static void
another_gate_comes(void)
{
	int fds[2];

	assert_int_equal(ipc_pair(fds), CDOP_OK);
	cycle_set_link(f.cycle, fds[0]);
	fds_close(f.link);
	f.link = fds[1];
	f.n_event = 0;
}

static void
no_session_outlives_its_gate(void **state)
{
	struct fixture_client *client;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	another_gate_comes();
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	assert_int_equal(f.n_event, 1);
	assert_int_equal(f.event[0].kind, IPC_KEYS);
	assert_int_equal(f.event[0].arg, 1);
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
}

/* Else each gate after it would be broken, until the parent gives up. */
static void
a_gate_uses_up_no_id_of_the_next(void **state)
{
	(void)state;
	f.last_conn = UINT64_MAX - 1;
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
	assert_int_equal(f.last_conn, UINT64_MAX);
	another_gate_comes();
	f.last_conn = 2ull << 40;
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
	assert_true(cycle_link(f.cycle) >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_backup_ends_with_its_session),
	    TEST(a_backup_ends_with_its_device),
	    TEST(who_is_suspended_is_out_with_every_laptop),
	    TEST(a_laptop_that_is_suspended_is_out_alone),
	    TEST(the_answer_waits_for_the_gates_word),
	    TEST(the_answer_waits_100_ms_at_most),
	    TEST(a_suspended_device_gets_no_further),
	    TEST(a_handshake_takes_ten_seconds_at_most),
	    TEST(a_drip_is_cut_off),
	    TEST(an_idle_session_is_closed_and_a_busy_one_too_in_the_end),
	    TEST(after_an_hour_no_new_call_is_taken),
	    TEST(a_frame_that_does_not_open_ends_its_session),
	    TEST(a_call_that_is_none_is_answered_and_closed),
	    TEST(a_connection_id_that_was_used_drops_the_link),
	    TEST(a_packet_of_the_vaults_own_kind_drops_the_link),
	    TEST(no_session_outlives_its_gate),
	    TEST(a_gate_uses_up_no_id_of_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
