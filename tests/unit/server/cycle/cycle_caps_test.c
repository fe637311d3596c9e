/*
 * The vault's own bounds, which believe nothing of a gate: how many, how
 * often, how much at a time (TRUST M15).  Timers are in cycle_end_test.c.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "server/vault/rows.h"
#include "tests/unit/server/cycle/cycle_fixture.h"

#define GROUP 8 /* clients that shake hands at a time */

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

/* A connection that says its preamble and nothing more; its id. */
static uint64_t
announce(void)
{
	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];

	cdop_link_preamble(preamble);
	fixture_say(&f, ++f.last_conn, IPC_OPEN, preamble, sizeof(preamble));
	return f.last_conn;
}

static bool
is_closed(uint64_t conn)
{
	return fixture_find(&f, conn, IPC_CLOSE) != SIZE_MAX;
}

/* The fixture's places are free again; the sessions stay. */
static void
free_clients(void)
{
	size_t i;

	for (i = 0; i < f.n_client; i++) {
		cdop_stream_free(f.client[i].in);
		cdop_stream_free(f.client[i].out);
	}
	memset(f.client, 0, sizeof(f.client));
	f.n_client = 0;
}

static void
forget_clients(void)
{
	free_clients();
	f.n_event = 0;
}

/* ---- how many ---------------------------------------------------------- */

static void
so_many_are_half_open_and_no_more(void **state)
{
	uint64_t first, conn;
	size_t i;

	(void)state;
	fixture_turn(&f);
	first = f.last_conn + 1;
	for (i = 0; i < CDOP_VAULT_HALF_OPEN_MAX; i++) {
		(void)announce();
		if (i % 32 == 31)
			fixture_turn(&f);
	}
	assert_int_equal(f.n_event, 2); /* the keys */
	conn = announce();
	fixture_turn(&f);
	assert_true(is_closed(conn));
	/* One that goes makes room for one. */
	fixture_say(&f, first, IPC_CLOSED, NULL, 0);
	conn = announce();
	fixture_turn(&f);
	assert_false(is_closed(conn));
	conn = announce();
	fixture_turn(&f);
	assert_true(is_closed(conn));
}

static void
sign_in_group(enum world_who who, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		(void)fixture_greet(&f, who, world_keys(who).psk);
	fixture_turn(&f);
	for (i = 0; i < n; i++)
		fixture_prove(&f, &f.client[i]);
	fixture_turn(&f);
	for (i = 0; i < n; i++)
		assert_non_null(fixture_welcome(&f, &f.client[i]));
	cdop_arena_reset(f.world.arena);
}

static void
so_many_sessions_and_no_more(void **state)
{
	enum world_who who = WORLD_ADMIN_1;
	uint64_t conn;
	size_t i;

	(void)state;
	for (i = 0; i + GROUP < CDOP_VAULT_SESSIONS_MAX; i += GROUP) {
		sign_in_group(who, GROUP);
		forget_clients();
		fixture_pass(1000); /* for the budget of handshakes */
		who = who == WORLD_PENDING ? WORLD_ADMIN_1 : who + 1;
	}
	sign_in_group(who, CDOP_VAULT_SESSIONS_MAX - i);
	conn = announce();
	fixture_turn(&f);
	assert_true(is_closed(conn));
	fixture_say(&f, f.client[0].conn, IPC_CLOSED, NULL, 0);
	conn = announce();
	fixture_turn(&f);
	assert_false(is_closed(conn));
}

static void
sign_in_and_stay(size_t n)
{
	free_clients();
	fixture_pass(1000);
	sign_in_group(WORLD_COORDINATOR, n);
}

static void
assert_open(uint64_t from, uint64_t to)
{
	uint64_t conn;

	for (conn = from; conn <= to; conn++)
		assert_false(is_closed(conn));
}

static void
of_a_device_so_many_and_then_its_oldest_goes(void **state)
{
	uint64_t other, first;
	size_t i;

	(void)state;
	other = fixture_sign_in(&f, WORLD_ADMIN_1)->conn;
	first = f.last_conn + 1;
	for (i = 0; i < CDOP_DEVICE_SESSIONS_MAX; i += 8)
		sign_in_and_stay(8);
	assert_open(other, first + CDOP_DEVICE_SESSIONS_MAX - 1);
	sign_in_and_stay(2);
	assert_true(is_closed(first));
	assert_true(is_closed(first + 1));
	assert_open(first + 2, f.last_conn);
	assert_false(is_closed(other));
}

static Cdop__InviteReply *
invite(void)
{
	struct fixture_client *admin = fixture_sign_in(&f, WORLD_ADMIN_1);
	char label[] = "another laptop";
	Cdop__DeviceInviteRequest request;
	const Cdop__Reply *reply;

	cdop__device_invite_request__init(&request);
	request.person = WORLD_COORDINATOR;
	request.label = label;
	(void)fixture_call(admin, CDOP_CALL_DeviceInvite, &request.base);
	fixture_send(&f, admin);
	fixture_turn(&f);
	reply = fixture_reply(&f, admin);
	assert_non_null(reply);
	assert_int_equal(reply->status, CDOP_OK);
	return cdop__invite_reply__unpack(
	    NULL, reply->body.len, reply->body.data);
}

/* Nobody has activated whoever holds it. */
static void
of_an_invitation_no_more_than_of_a_device(void **state)
{
	Cdop__InviteReply *invitation;
	uint64_t first;
	size_t i, k;

	(void)state;
	assert_non_null(invitation = invite());
	first = f.last_conn + 1;
	for (i = 0; i <= CDOP_DEVICE_SESSIONS_MAX; i += k) {
		free_clients();
		fixture_pass(1000);
		for (k = 0; k < 8; k++)
			(void)fixture_greet_invited(&f, invitation);
		fixture_turn(&f);
		for (k = 0; k < 8; k++)
			fixture_prove(&f, &f.client[k]);
		fixture_turn(&f);
	}
	assert_true(is_closed(first));
	assert_true(is_closed(first + 7));
	assert_open(first + 8, f.last_conn);
	cdop__invite_reply__free_unpacked(invitation, NULL);
}

/* ---- how often --------------------------------------------------------- */

/* Message 1 costs two Diffie-Hellman and a key pair, whoever sends it. */
static void
so_many_handshakes_a_second_and_no_more(void **state)
{
	const enum world_who who = WORLD_COORDINATOR;
	struct fixture_client *client;
	size_t i, k;

	(void)state;
	fixture_turn(&f);
	for (i = 0; i < CDOP_VAULT_HANDSHAKES_S; i += GROUP) {
		for (k = 0; k < GROUP; k++)
			(void)fixture_greet(&f, who, world_keys(who).psk);
		fixture_turn(&f);
		for (k = 0; k < GROUP; k++) {
			assert_false(fixture_is_closed(&f, &f.client[k]));
			fixture_say(&f, f.client[k].conn, IPC_CLOSED, NULL, 0);
		}
		forget_clients();
	}
	client = fixture_greet(&f, who, world_keys(who).psk);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
	assert_int_equal(fixture_find(&f, client->conn, IPC_FRAME), SIZE_MAX);
	fixture_pass(1000);
	fixture_turn(&f);
	(void)fixture_sign_in(&f, who);
}

/* ---- how much at a time ------------------------------------------------ */

static size_t
count_replies(struct fixture_client *client)
{
	size_t n = 0;

	while (fixture_reply(&f, client) != NULL)
		n++;
	return n;
}

static void
a_batch_has_so_many_items(void **state)
{
	struct fixture_client *client[5];
	size_t i, k, n = 0;

	(void)state;
	for (i = 0; i < 5; i++)
		client[i] = fixture_sign_in(&f, WORLD_COORDINATOR);
	for (i = 0; i < 5; i++) {
		for (k = 0; k < 64; k++)
			(void)fixture_call(client[i], CDOP_CALL_Status, NULL);
		fixture_send(&f, client[i]);
	}
	fixture_turn(&f);
	for (i = 0; i < 5; i++)
		n += count_replies(client[i]);
	assert_int_equal(n, CDOP_BATCH_REQUESTS_MAX);
}

/* The largest calls of nine sessions become whole in one turn. */
static void
a_batch_has_so_many_bytes(void **state)
{
	struct fixture_client *client[9];
	size_t i, n, turns = 0;

	(void)state;
	for (i = 0; i < 9; i++)
		client[i] = fixture_sign_in(&f, WORLD_COORDINATOR);
	for (i = 0; i < 9; i++) {
		(void)fixture_call_of(client[i], CDOP_MESSAGE_MAX);
		fixture_send(&f, client[i]);
	}
	do {
		assert_true(++turns < 50);
		fixture_turn(&f);
		for (n = 0, i = 0; i < 9; i++)
			n += count_replies(client[i]);
	} while (n == 0);
	assert_int_equal(n, CDOP_BATCH_BYTES_MAX / CDOP_MESSAGE_MAX);
	fixture_turn(&f);
	for (n = 0, i = 0; i < 9; i++)
		n += count_replies(client[i]);
	assert_int_equal(n, 1);
}

/* With eight streams under way no further call of the session is begun. */
static void
streams_are_calls_in_flight(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply;
	size_t i, ended = 0, streams = 9;
	uint64_t id, last;

	(void)state;
	client = fixture_sign_in(&f, WORLD_AUDITOR);
	for (i = 0; i < 250; i++)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_settle(&f);
	fixture_answers(&f, client, 1, 250);
	for (i = 0; i < streams; i++)
		(void)fixture_call(client, CDOP_CALL_AuditList, NULL);
	last = client->last_id;
	fixture_send(&f, client);
	fixture_turn(&f);
	id = fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_settle(&f);
	while ((reply = fixture_reply(&f, client)) != NULL) {
		if (reply->id == id)
			break;
		assert_true(reply->id <= last);
		ended += reply->last ? 1 : 0;
	}
	assert_non_null(reply);
	/* Eight are still too many. */
	assert_in_range(ended, streams - 7, streams);
}

/* ---- a link that takes nothing ----------------------------------------- */

/* What waits for a gate is bounded too, and to wait is no offence. */
static void
a_full_link_ends_nobody(void **state)
{
	struct fixture_client *client;
	int small = 65536;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	assert_int_equal(setsockopt(cycle_link(f.cycle), SOL_SOCKET, SO_SNDBUF,
			     &small, sizeof(small)),
	    0);
	for (i = 0; i < 400; i++)
		(void)fixture_call(client, CDOP_CALL_ProfileGet, NULL);
	fixture_send(&f, client);
	for (i = 0; i < 20; i++)
		assert_int_equal(cycle_turn(f.cycle), CDOP_OK);
	for (i = 0; i < 400 && !fixture_is_closed(&f, client); i++) {
		f.n_event = 0;
		fixture_turn(&f);
		fixture_sent(&f, client);
	}
	assert_false(fixture_is_closed(&f, client));
	fixture_answers(&f, client, 1, 400);
}

/* ---- requests that fail half-way --------------------------------------- */

static int fail_puts;         /* the next so many */
static int skip_puts;         /* but not the first of them */
static uint64_t then_tick_ms; /* what takes long comes behind them */

/* In place of LMDB's. */
int mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags);

int
mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags)
{
	int (*real)(void *, unsigned, void *, void *, unsigned);
	void *p;

	if (skip_puts > 0) {
		skip_puts--;
	} else if (fail_puts > 0) {
		fail_puts--;
		fixture_tick(then_tick_ms);
		return EINVAL;
	}
	p = dlsym(RTLD_NEXT, "mdb_put");
	memcpy(&real, &p, sizeof(real));
	return real(txn, table, key, data, flags);
}

/* Of the batch, and then alone; its neighbours are answered. */
static void
three_failures_end_a_session(void **state)
{
	struct fixture_client *client, *other;
	const Cdop__Reply *reply;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	for (i = 0; i < 3; i++) {
		assert_false(fixture_is_closed(&f, client));
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
		fixture_send(&f, client);
		fail_puts = 2;
		fixture_turn(&f);
		reply = fixture_reply(&f, client);
		assert_non_null(reply);
		assert_int_equal(reply->status, CDOP_INTERNAL);
		assert_string_equal(reply->reason, "failed");
	}
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
	(void)fixture_call(other, CDOP_CALL_Status, NULL);
	fixture_send(&f, other);
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
}

/* Those before it are run again, a commit each: not all in one turn. */
static void
a_failure_keeps_nobody_waiting_for_all_before_it(void **state)
{
	struct fixture_client *client, *other;
	size_t n = 0;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	for (n = 0; n < 64; n++)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	skip_puts = 40;
	fail_puts = 1;
	then_tick_ms = 5;
	fixture_turn(&f);
	assert_int_equal(fail_puts, 0);
	for (n = 0; fixture_reply(&f, client) != NULL; n++)
		;
	assert_in_range(n, 1, 8);
	(void)fixture_call(other, CDOP_CALL_Status, NULL);
	fixture_send(&f, other);
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	fixture_settle(&f);
	for (; fixture_reply(&f, client) != NULL; n++)
		;
	assert_int_equal(n, 64);
	assert_false(fixture_is_closed(&f, client));
}

/* What failed took its time, too: it is no reason for a longer turn. */
static void
who_fails_has_no_more_of_a_turn(void **state)
{
	struct fixture_client *client, *other;
	size_t i, n = 0;

	(void)state;
	fixture_tick(5);
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fail_puts = 2;
	then_tick_ms = 5;
	fixture_turn(&f);
	assert_int_equal(fail_puts, 0);
	assert_non_null(fixture_reply(&f, client));
	/* Now the other one was served last, and this one comes first. */
	(void)fixture_call(other, CDOP_CALL_Status, NULL);
	fixture_send(&f, other);
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
	for (i = 0; i < 32; i++)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	(void)fixture_call(other, CDOP_CALL_Status, NULL);
	fixture_send(&f, other);
	fixture_turn(&f);
	fixture_answers(&f, other, 2, 1);
	for (; fixture_reply(&f, client) != NULL; n++)
		;
	assert_in_range(n, 1, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(so_many_are_half_open_and_no_more),
	    TEST(so_many_sessions_and_no_more),
	    TEST(of_a_device_so_many_and_then_its_oldest_goes),
	    TEST(of_an_invitation_no_more_than_of_a_device),
	    TEST(so_many_handshakes_a_second_and_no_more),
	    TEST(a_batch_has_so_many_items),
	    TEST(a_batch_has_so_many_bytes),
	    TEST(streams_are_calls_in_flight),
	    TEST(a_full_link_ends_nobody),
	    TEST(three_failures_end_a_session),
	    TEST(a_failure_keeps_nobody_waiting_for_all_before_it),
	    TEST(who_fails_has_no_more_of_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
