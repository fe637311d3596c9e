/*
 * The vault's cycle as gate and clients see it: what comes first, what
 * waits, who is cut off and what a broken gate gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/varint.h"
#include "server/base/fds.h"
#include "server/registry/people.h"
#include "server/vault/rows.h"
#include "tests/unit/server/cycle/cycle_fixture.h"

#define UNCONFIRMED_MAX (4u << 20)

static struct fixture f;

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	return 0;
}

static int
setup_sealed(void **state)
{
	(void)state;
	fixture_start(&f, false, 0);
	return 0;
}

static int
setup_held_back(void **state)
{
	(void)state;
	fixture_start(&f, true, WORLD_COORDINATOR);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static uint64_t
leaves(void)
{
	return rows_next_leaf(f.world.rows);
}

static bool
is_closed(const struct fixture_client *client)
{
	return fixture_find(&f, client->conn, IPC_CLOSE) != SIZE_MAX;
}

/* Queues and sends n calls; the answers, which have to be in order. */
static void
assert_answers(struct fixture_client *client, uint64_t first, size_t n)
{
	const Cdop__Reply *reply;
	size_t i;

	for (i = 0; i < n; i++) {
		reply = fixture_reply(&f, client);
		assert_non_null(reply);
		assert_int_equal(reply->id, first + i);
		assert_int_equal(reply->status, CDOP_OK);
		assert_true(reply->last);
		assert_int_equal(reply->count, 1);
	}
	assert_null(fixture_reply(&f, client));
}

/* ---- the beginning ----------------------------------------------------- */

static void
keys_are_the_first_word_of_a_link(void **state)
{
	(void)state;
	fixture_turn(&f);
	/* Of the link, still sealed, and of the registry that then opened. */
	assert_int_equal(f.n_event, 2);
	assert_int_equal(f.event[0].kind, IPC_KEYS);
	assert_int_equal(f.event[0].arg, 0);
	assert_int_equal(f.event[1].kind, IPC_KEYS);
	assert_int_equal(f.event[1].arg, 1);
	assert_int_equal(f.event[1].len, IPC_KEY_LEN);
}

/* A client need not wait for Welcome, and gets it first all the same. */
static void
welcome_comes_before_any_answer(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;
	Cdop__Welcome *welcome;
	uint64_t before = leaves();

	(void)state;
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	(void)fixture_call(client, FIXTURE_STATUS, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	welcome = fixture_welcome(&f, client);
	assert_non_null(welcome);
	assert_memory_equal(welcome->registry_id.data, f.world.reg->id, 16);
	assert_int_equal(welcome->mode, CDOP__MODE__TRAINING);
	assert_int_equal(welcome->state, CDOP__STATE__OPEN);
	assert_false(welcome->credential_pending);
	assert_answers(client, 1, 1);
	/* The handshake has a leaf of its own. */
	assert_int_equal(leaves(), before + 2);
}

static void
a_sealed_registry_hints_and_closes(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;
	size_t hint;

	(void)state;
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	hint = fixture_find(&f, client->conn, IPC_FRAME);
	assert_int_not_equal(hint, SIZE_MAX);
	assert_int_equal(f.event[hint].len, 1);
	assert_int_equal(f.event[hint].first, CDOP_LINK_HINT_SEALED);
	assert_int_equal(f.event[hint + 1].kind, IPC_CLOSE);
	assert_int_equal(f.event[hint + 1].conn, client->conn);
	assert_int_equal(f.n_event, hint + 2);
}

static void
a_wrong_psk_is_closed_without_a_word(void **state)
{
	static const uint8_t psk[32] = {1};
	struct fixture_client *client;
	uint64_t before = leaves();
	size_t n;

	(void)state;
	client = fixture_greet(&f, WORLD_COORDINATOR, psk);
	fixture_turn(&f);
	n = f.n_event;
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_int_equal(f.n_event, n + 1);
	assert_true(is_closed(client));
	/* Counted, and said once a minute. */
	assert_int_equal(leaves(), before);
	fixture_pass(60000);
	fixture_turn(&f);
	assert_int_equal(leaves(), before + 1);
}

static void
who_ended_the_last_vault_waits_a_minute(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;

	(void)state;
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_true(is_closed(client));
	(void)fixture_sign_in(&f, WORLD_ADMIN_1);
	fixture_pass(60000);
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
}

/* ---- calls ------------------------------------------------------------- */

static void
sixty_four_calls_are_answered_in_one_turn(void **state)
{
	struct fixture_client *client;
	uint64_t before;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	before = leaves();
	for (i = 0; i < 70; i++)
		(void)fixture_call(client, FIXTURE_STATUS, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	assert_answers(client, 1, 64);
	assert_int_equal(leaves(), before + 64);
	/* The rest is not forgotten, and not slept on. */
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_turn(&f);
	assert_answers(client, 65, 6);
	assert_int_equal(cycle_sleep_ms(f.cycle), 1000);
}

static void
a_stream_ends_with_last_and_its_count(void **state)
{
	struct fixture_client *client;
	Cdop__AuditListRequest request;
	const Cdop__AuditListReply *body;
	const Cdop__Reply *reply;
	uint64_t id, n = 0, next, before;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_AUDITOR);
	for (i = 0; i < 350; i++)
		(void)fixture_call(client, FIXTURE_STATUS, NULL);
	fixture_send(&f, client);
	fixture_settle(&f);
	assert_answers(client, 1, 350);

	cdop__audit_list_request__init(&request);
	id = fixture_call(client, FIXTURE_AUDIT_LIST, &request.base);
	fixture_send(&f, client);
	before = leaves();
	next = before - 1;
	fixture_settle(&f);
	for (;;) {
		reply = fixture_reply(&f, client);
		assert_non_null(reply);
		assert_int_equal(reply->id, id);
		assert_int_equal(reply->status, CDOP_OK);
		n++;
		body = cdop__audit_list_reply__unpack(
		    cdop_arena_allocator(f.world.arena), reply->body.len,
		    reply->body.data);
		assert_non_null(body);
		for (i = 0; i < body->n_entry; i++)
			assert_int_equal(body->entry[i]->index, next--);
		if (reply->last)
			break;
		assert_false(reply->has_count);
	}
	assert_int_equal(next, UINT64_MAX); /* down to leaf 0 */
	assert_int_equal(n, 4);
	assert_int_equal(reply->count, n);
	assert_null(fixture_reply(&f, client));
	/* Every part that left has its leaf. */
	assert_int_equal(leaves(), before + n);
}

/* 22 KiB a call, and nothing is ever written to the client's socket. */
static void
a_slow_reader_is_not_worked_for_over_4_MiB(void **state)
{
	struct fixture_client *slow, *other;
	uint64_t done, got;
	size_t i;

	(void)state;
	slow = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	for (i = 0; i < 400; i++)
		(void)fixture_call(slow, FIXTURE_PROFILE_GET, NULL);
	fixture_send(&f, slow);
	fixture_settle(&f);
	done = leaves();
	got = slow->got;
	assert_in_range(got, UNCONFIRMED_MAX, UNCONFIRMED_MAX + 64 * 32768);
	for (i = 0; i < 3; i++)
		fixture_turn(&f);
	assert_int_equal(leaves(), done);

	/* That is its own affair. */
	(void)fixture_call(other, FIXTURE_STATUS, NULL);
	fixture_send(&f, other);
	fixture_settle(&f);
	assert_answers(other, 1, 1);

	fixture_sent(&f, slow);
	fixture_settle(&f);
	assert_true(slow->got > 0);
	fixture_sent(&f, slow);
	fixture_settle(&f);
	assert_answers(slow, 1, 400);
}

/* ---- ending the sessions of others ------------------------------------- */

struct suspended {
	struct fixture_client *admin;
	struct fixture_client *partner;
};

/* A suspension whose subject has a call in the same batch. */
static struct suspended
suspend(void)
{
	char reason[] = "left";
	Cdop__SuspendRequest request;
	struct suspended s;

	s.admin = fixture_sign_in(&f, WORLD_ADMIN_1);
	s.partner = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	cdop__suspend_request__init(&request);
	request.person = WORLD_PARTNER_WIRRAL;
	request.reason = reason;
	(void)fixture_call(s.admin, FIXTURE_SUSPEND, &request.base);
	(void)fixture_call(s.partner, FIXTURE_STATUS, NULL);
	fixture_send(&f, s.partner);
	fixture_send(&f, s.admin);
	f.n_event = 0;
	fixture_turn(&f);
	return s;
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
	assert_answers(s.admin, 1, 1);
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
	assert_answers(s.admin, 1, 1);
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
	assert_true(is_closed(client));
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
	assert_false(is_closed(client));
	fixture_pass(1000);
	fixture_turn(&f);
	assert_true(is_closed(client));
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
		assert_false(is_closed(client));
		fixture_pass(6000);
		fixture_send_plain(&f, client, "x", 1);
	}
	fixture_turn(&f);
	assert_false(is_closed(client));
	fixture_pass(1000);
	fixture_turn(&f);
	assert_true(is_closed(client));
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
		(void)fixture_call(busy, FIXTURE_STATUS, NULL);
		fixture_send(&f, busy);
		fixture_turn(&f);
		assert_int_equal(is_closed(idle), i >= 15);
		assert_false(is_closed(busy));
	}
	fixture_pass(1000);
	fixture_turn(&f);
	assert_true(is_closed(busy));
}

static void
after_an_hour_no_new_call_is_taken(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	for (i = 0; i < 6; i++) {
		fixture_pass(600000 + (i == 5));
		(void)fixture_call(client, FIXTURE_STATUS, NULL);
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
	assert_true(is_closed(client));
	assert_false(is_closed(other));
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
no_session_outlives_its_gate(void **state)
{
	struct fixture_client *client;
	int fds[2];

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	assert_int_equal(ipc_pair(fds), CDOP_OK);
	cycle_set_link(f.cycle, fds[0]);
	fds_close(f.link);
	f.link = fds[1];
	f.n_event = 0;
	(void)fixture_call(client, FIXTURE_STATUS, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	assert_int_equal(f.n_event, 1);
	assert_int_equal(f.event[0].kind, IPC_KEYS);
	assert_int_equal(f.event[0].arg, 1);
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
}

/* ---- the PSK turns ----------------------------------------------------- */

static void
the_next_psk_becomes_current_when_it_was_proved(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	const struct people_device *device =
	    people_device(f.world.reg->people, WORLD_COORDINATOR);
	struct fixture_client *client;
	Cdop__PskTurnRequest request;
	Cdop__PskTurnReply *body;
	const Cdop__Reply *reply;
	uint8_t random[32] = {9}, next[32];

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	cdop__psk_turn_request__init(&request);
	request.client_random = (ProtobufCBinaryData){32, random};
	(void)fixture_call(client, FIXTURE_PSK_TURN, &request.base);
	fixture_send(&f, client);
	fixture_turn(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	assert_int_equal(reply->status, CDOP_OK);
	body = cdop__psk_turn_reply__unpack(cdop_arena_allocator(f.world.arena),
	    reply->body.len, reply->body.data);
	assert_non_null(body);
	cdop_link_psk_next(
	    next, keys.psk, random, body->server_random.data, client->hash);
	assert_true(device->has_next);
	assert_memory_equal(device->psk, keys.psk, 32);

	/* The old one lets in until the new one was used. */
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
	client = fixture_greet(&f, WORLD_COORDINATOR, next);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_non_null(fixture_welcome(&f, client));
	assert_false(device->has_next);
	assert_memory_equal(device->psk, next, 32);

	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_true(is_closed(client));

	/* On the disk too. */
	cycle_free(f.cycle);
	f.cycle = NULL;
	world_reopen(&f.world);
	device = people_device(f.world.reg->people, WORLD_COORDINATOR);
	assert_memory_equal(device->psk, next, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(keys_are_the_first_word_of_a_link),
	    TEST(welcome_comes_before_any_answer),
	    cmocka_unit_test_setup_teardown(
		a_sealed_registry_hints_and_closes, setup_sealed, teardown),
	    TEST(a_wrong_psk_is_closed_without_a_word),
	    cmocka_unit_test_setup_teardown(
		who_ended_the_last_vault_waits_a_minute, setup_held_back,
		teardown),
	    TEST(sixty_four_calls_are_answered_in_one_turn),
	    TEST(a_stream_ends_with_last_and_its_count),
	    TEST(a_slow_reader_is_not_worked_for_over_4_MiB),
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
	    TEST(the_next_psk_becomes_current_when_it_was_proved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
