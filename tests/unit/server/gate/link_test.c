/*
 * One connection in a loop that the test turns by hand, with deadlines that
 * come when it says so: what gate_test.c would have to wait minutes for.
 */
#include "server/gate/link.h"

#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "server/base/clock.h"
#include "server/base/fds.h"
#include "server/base/log.h"

static struct event_base *base;
static struct hub *hub;
static struct ipc_inbox *inbox;
static struct config conf;
static int vault;  /* the vault's end */
static int client; /* the client's end */
static struct link *link_under_test;
static const uint8_t server_key[IPC_KEY_LEN] = {0x33};

static void
turn(void)
{
	int i;

	for (i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
from_vault(uint64_t conn, enum ipc_kind kind, const void *data, size_t len)
{
	struct ipc_packet packet = {conn, (uint8_t)kind, 0, {data, len}};

	if (kind == IPC_KEYS)
		packet.arg = 1;
	assert_int_equal(ipc_send(vault, &packet), CDOP_OK);
	turn();
}

/* The packets that wait for the vault, of one kind. */
static size_t
count_for_vault(enum ipc_kind kind)
{
	size_t n, i, count = 0;

	do {
		assert_int_equal(
		    ipc_recv_many(vault, inbox, IPC_INBOX_MAX, &n), CDOP_OK);
		for (i = 0; i < n; i++)
			count += ipc_inbox_get(inbox, i)->kind == kind;
	} while (n > 0);
	return count;
}

static void
admit(void)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	struct limits_source *source;
	int ends[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	client = ends[0];
	assert_int_equal(
	    limits_accept(hub->limits, &peer, 7, clock_ms(), &source), CDOP_OK);
	assert_int_equal(
	    link_open(hub, ends[1], source, "unix uid=7"), CDOP_OK);
	link_under_test = TAILQ_LAST(&hub->links, hub_links);
}

static void
greet(void)
{
	uint8_t bytes[CDOP_LINK_FIRST_LEN], key[CDOP_KEY_LEN];

	cdop_link_preamble(bytes);
	cdop_put16(bytes + 8, CDOP_LINK_FRAME1_LEN);
	memset(bytes + 10, 9, CDOP_LINK_FRAME1_LEN);
	cdop_link_mac1_key(key, server_key);
	cdop_link_mac1(
	    bytes + 10 + CDOP_LINK_MESSAGE1_LEN, key, bytes, bytes + 10);
	assert_int_equal(send(client, bytes, sizeof(bytes), 0), sizeof(bytes));
	turn();
}

static void
send_frame(size_t len)
{
	static uint8_t frame[2 + CDOP_FRAME_MAX];

	cdop_put16(frame, (uint16_t)len);
	assert_int_equal(send(client, frame, 2 + len, 0), 2 + len);
	turn();
}

static int
setup(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(cdop_secret_init(), CDOP_OK);
	log_init("gate", LOG_LEVEL_ERROR);
	config_init(&conf);
	assert_non_null(base = event_base_new());
	assert_int_equal(hub_new(base, &conf, 100, &hub), CDOP_OK);
	assert_int_equal(ipc_inbox_new(&inbox), CDOP_OK);
	assert_int_equal(ipc_pair(ends), CDOP_OK);
	vault = ends[0];
	assert_int_equal(hub_attach(hub, ends[1]), CDOP_OK);
	assert_false(hub_has_room(hub));
	from_vault(0, IPC_KEYS, server_key, sizeof(server_key));
	assert_true(hub_has_room(hub));
	admit();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	hub_free(hub);
	event_base_free(base);
	ipc_inbox_free(inbox);
	close(vault);
	close(client);
	return 0;
}

static bool
is_gone(void)
{
	char rest[4096];
	ssize_t n;

	turn();
	do
		n = recv(client, rest, sizeof(rest), 0);
	while (n > 0);
	return hub->n_links == 0 &&
	    (n == 0 || fds_errno() == CDOP_UNAVAILABLE) &&
	    TAILQ_EMPTY(&hub->graves);
}

static void
a_handshake_has_an_absolute_deadline(void **state)
{
	uint64_t begun = clock_ms();

	(void)state;
	link_check(link_under_test, begun + 9000);
	assert_int_equal(hub->n_links, 1);
	assert_int_equal(hub->n_half_open, 1);
	greet();
	assert_int_equal(count_for_vault(IPC_OPEN), 1);
	/* Progress moves nothing. */
	link_check(link_under_test, begun + 10500);
	assert_true(is_gone());
	assert_int_equal(hub->n_half_open, 0);
	assert_int_equal(count_for_vault(IPC_CLOSED), 1);
}

static void
a_frame_once_begun_has_an_absolute_deadline(void **state)
{
	uint64_t now;

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	assert_int_equal(hub->n_half_open, 0);
	assert_int_equal(send(client, "\x01\x00zz", 4, 0), 4);
	turn();
	now = clock_ms();
	link_check(link_under_test, now + CDOP_REQUEST_S * 1000 - 1000);
	assert_int_equal(hub->n_links, 1);
	/* As if it had begun a second ago: a drip gives it none back. */
	link_under_test->frame_ms -= 1000;
	assert_int_equal(send(client, "zzzz", 4, 0), 4);
	turn();
	link_check(link_under_test, now + CDOP_REQUEST_S * 1000 - 1500);
	assert_int_equal(hub->n_links, 1);
	link_check(link_under_test, now + CDOP_REQUEST_S * 1000 - 500);
	assert_true(is_gone());
}

static void
a_session_ends_at_its_hard_limit(void **state)
{
	uint64_t now = clock_ms();

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	link_under_test->heard_ms = now + CDOP_SESSION_HARD_S * 1000ULL;
	link_check(link_under_test, now + (CDOP_SESSION_HARD_S - 1) * 1000ULL);
	assert_int_equal(hub->n_links, 1);
	link_check(link_under_test, now + (CDOP_SESSION_HARD_S + 1) * 1000ULL);
	assert_true(is_gone());
}

static void
a_client_that_takes_no_frame_for_a_minute_is_dropped(void **state)
{
	static uint8_t big[60000];
	size_t i;

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	for (i = 0; i < 20; i++)
		from_vault(link_under_test->conn, IPC_FRAME, big, sizeof(big));
	assert_true(hub->queued > 0);
	link_check(link_under_test, clock_ms() + 59000);
	assert_int_equal(hub->n_links, 1);
	link_check(link_under_test, clock_ms() + 61000);
	assert_int_equal(hub->n_links, 0);
	assert_int_equal(hub->queued, 0);
}

static void
read_some(size_t len)
{
	uint8_t bytes[500];
	ssize_t n;

	for (; len > 0; len -= (size_t)n) {
		n = recv(client, bytes,
		    len < sizeof(bytes) ? len : sizeof(bytes), 0);
		assert_true(n > 0);
		turn();
	}
}

/* Bytes of a frame are none: one at a time it would last for ever. */
static void
part_of_a_frame_is_no_new_minute(void **state)
{
	static uint8_t big[60000];
	const int small = 1;
	uint64_t stuck;

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	assert_int_equal(setsockopt(link_under_test->fd, SOL_SOCKET, SO_SNDBUF,
			     &small, sizeof(small)),
	    0);
	from_vault(link_under_test->conn, IPC_FRAME, big, sizeof(big));
	from_vault(link_under_test->conn, IPC_FRAME, big, sizeof(big));
	assert_int_equal(hub->queued, 2 * (2 + sizeof(big)));
	stuck = link_under_test->stuck_ms -= 30000;
	read_some(50000);
	assert_int_equal(hub->queued, 2 * (2 + sizeof(big)));
	assert_int_equal(link_under_test->stuck_ms, stuck);
	read_some(20000);
	assert_int_equal(hub->queued, 2 + sizeof(big));
	assert_true(link_under_test->stuck_ms >= stuck + 30000);
}

/* Who reads a little now and then pushes nobody out who reads. */
static void
where_all_have_too_much_the_slowest_goes(void **state)
{
	const size_t all = (size_t)64 * CDOP_GATE_OUT_MAX;
	static uint8_t big[60000];
	struct link *slow, *slower;
	int clients[2];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		if (i > 0) {
			clients[i - 1] = client;
			admit();
		}
		greet();
		send_frame(CDOP_LINK_MESSAGE3_LEN);
	}
	slower = TAILQ_FIRST(&hub->links);
	slow = TAILQ_NEXT(slower, all);
	for (i = 0; i < 20; i++) {
		from_vault(slower->conn, IPC_FRAME, big, sizeof(big));
		from_vault(slow->conn, IPC_FRAME, big, sizeof(big));
	}
	slower->stuck_ms -= 10;
	i = all - hub->queued; /* others' */
	hub->queued = all;
	from_vault(link_under_test->conn, IPC_FRAME, server_key, 32);
	assert_int_equal(hub->n_links, 2);
	assert_ptr_equal(TAILQ_FIRST(&hub->links), slow);
	assert_ptr_equal(TAILQ_NEXT(slow, all), link_under_test);
	hub->queued -= i;
	close(clients[0]);
	close(clients[1]);
}

/* Many who do not read: what waits for all of them is bounded too. */
static void
what_is_queued_for_all_is_bounded(void **state)
{
	const size_t all = (size_t)64 * CDOP_GATE_OUT_MAX;

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	hub->queued += all - 400; /* others' */
	from_vault(link_under_test->conn, IPC_FRAME, server_key, 32);
	assert_int_equal(hub->n_links, 1);
	hub->queued += 400;
	from_vault(link_under_test->conn, IPC_FRAME, server_key, 32);
	assert_int_equal(hub->n_links, 0);
	assert_int_equal(hub->queued, all);
	hub->queued = 0;
}

static void
a_close_that_the_client_does_not_take_ends_too(void **state)
{
	static uint8_t big[60000];
	size_t i;

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	for (i = 0; i < 20; i++)
		from_vault(link_under_test->conn, IPC_FRAME, big, sizeof(big));
	from_vault(link_under_test->conn, IPC_CLOSE, NULL, 0);
	assert_int_equal(link_under_test->state, LINK_CLOSING);
	link_check(link_under_test, clock_ms() + 6000);
	assert_int_equal(hub->n_links, 0);
	turn();
	assert_int_equal(count_for_vault(IPC_CLOSED), 1);
}

static void
a_client_that_never_closes_is_not_waited_for(void **state)
{
	(void)state;
	greet();
	from_vault(link_under_test->conn, IPC_CLOSE, NULL, 0);
	assert_int_equal(link_under_test->state, LINK_LINGER);
	assert_int_equal(send(client, "more", 4, 0), 4); /* thrown away */
	turn();
	assert_int_equal(hub->n_links, 1);
	link_check(link_under_test, clock_ms() + 3000);
	assert_true(is_gone());
}

/* Twice, from every state, with everything queued: the sanitizer watches. */
static void
closing_is_legal_in_every_state(void **state)
{
	enum link_state at;

	(void)state;
	for (at = LINK_WAIT_PREAMBLE; at <= LINK_LINGER; at++) {
		if (at >= LINK_WAIT_FIRST)
			send(client, "CDOP\x01\x01\0\0", 8, 0);
		turn();
		if (at >= LINK_WAIT_THIRD) {
			close(client);
			turn();
			admit();
			greet();
		}
		if (at >= LINK_STREAM)
			send_frame(CDOP_LINK_MESSAGE3_LEN);
		if (at == LINK_CLOSING)
			for (int i = 0; i < 20; i++)
				from_vault(link_under_test->conn, IPC_FRAME,
				    server_key, sizeof(server_key));
		if (at == LINK_LINGER)
			from_vault(link_under_test->conn, IPC_CLOSE, NULL, 0);
		link_queue(link_under_test,
		    (struct cdop_bytes){server_key, sizeof(server_key)});
		link_close(link_under_test, LINK_IDLE);
		link_close(link_under_test, LINK_CLIENT);
		link_discard(link_under_test);
		link_finish(link_under_test);
		link_flush(link_under_test);
		link_resume(link_under_test);
		assert_true(is_gone());
		assert_int_equal(hub->queued, 0);
		assert_int_equal(hub->n_half_open, 0);
		close(client);
		admit();
	}
}

/* No clock of a client runs while the vault is what it waits for. */
static void
a_frame_waits_for_a_full_vault_and_is_not_lost(void **state)
{
	static uint8_t big[60000];
	uint64_t now;

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	while (hub_send(
	    hub, 999, IPC_FRAME, 0, (struct cdop_bytes){big, sizeof(big)}))
		;
	assert_int_equal(send(client, "\x01\x00", 2, 0), 2);
	turn();
	assert_true(link_under_test->frame_ms > 0);
	assert_int_equal(send(client, big, 256, 0), 256);
	turn();
	assert_true(link_under_test->is_stalled);
	now = clock_ms();
	link_check(link_under_test, now + (CDOP_REQUEST_S + 1) * 1000ULL);
	assert_int_equal(hub->n_links, 1);
	/* All of it went out before the frame that waits. */
	assert_true(count_for_vault(IPC_FRAME) > 2);
	turn();
	assert_false(link_under_test->is_stalled);
	/* It, and the one that found no room in the socket. */
	assert_int_equal(count_for_vault(IPC_FRAME), 2);
}

/* What is heard in one turn of the loop costs the vault one message. */
static void
packets_of_a_turn_leave_together(void **state)
{
	size_t n;

	(void)state;
	greet();
	(void)count_for_vault(IPC_OPEN);
	assert_true(hub_send(
	    hub, 999, IPC_FRAME, 0, (struct cdop_bytes){server_key, 20}));
	hub_owe(hub, 555, IPC_DISCARDED);
	assert_int_equal(ipc_recv_many(vault, inbox, 1, &n), CDOP_OK);
	assert_int_equal(n, 0);
	turn();
	assert_int_equal(ipc_recv_many(vault, inbox, 1, &n), CDOP_OK);
	assert_int_equal(n, 2);
	assert_int_equal(ipc_inbox_get(inbox, 0)->conn, 999);
	assert_int_equal(ipc_inbox_get(inbox, 1)->conn, 555);
}

static void
a_taken_gives_no_more_than_was_given(void **state)
{
	uint8_t all[4];

	(void)state;
	greet();
	send_frame(CDOP_LINK_MESSAGE3_LEN);
	assert_int_equal(link_under_test->given, 0); /* the handshake is none */
	send_frame(1000);
	send_frame(500);
	assert_int_equal(link_under_test->given, 1500);
	cdop_put32(all, 400);
	from_vault(link_under_test->conn, IPC_TAKEN, all, sizeof(all));
	assert_int_equal(link_under_test->given, 1100);
	from_vault(link_under_test->conn, IPC_TAKEN, all, 3); /* malformed */
	assert_int_equal(link_under_test->given, 1100);
	cdop_put32(all, UINT32_MAX);
	from_vault(link_under_test->conn, IPC_TAKEN, all, sizeof(all));
	assert_int_equal(link_under_test->given, 0);
}

/* What is owed to a full vault is said once it has room, in order. */
static void
closed_and_discarded_are_never_lost(void **state)
{
	static uint8_t big[60000];
	struct ipc_packet packet = {0, IPC_FRAME, 0, {big, sizeof(big)}};
	size_t closed = 0, discarded = 0, n, i;
	uint64_t first;

	(void)state;
	greet();
	first = link_under_test->conn;
	while (hub_send(hub, 999, IPC_FRAME, 0, packet.bytes))
		;
	assert_true(hub->blocked);
	close(client);
	turn();
	assert_int_equal(hub->n_links, 0);
	hub_owe(hub, 555, IPC_DISCARDED);
	do {
		assert_int_equal(
		    ipc_recv_many(vault, inbox, IPC_INBOX_MAX, &n), CDOP_OK);
		for (i = 0; i < n; i++) {
			packet = *ipc_inbox_get(inbox, i);
			closed +=
			    packet.kind == IPC_CLOSED && packet.conn == first;
			discarded +=
			    packet.kind == IPC_DISCARDED && packet.conn == 555;
		}
		turn();
	} while (n > 0 || hub->blocked);
	assert_int_equal(closed, 1);
	assert_int_equal(discarded, 1);
	assert_true(STAILQ_EMPTY(&hub->debts));
	client = dup(vault);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_handshake_has_an_absolute_deadline),
	    TEST(a_frame_once_begun_has_an_absolute_deadline),
	    TEST(a_session_ends_at_its_hard_limit),
	    TEST(a_client_that_takes_no_frame_for_a_minute_is_dropped),
	    TEST(part_of_a_frame_is_no_new_minute),
	    TEST(where_all_have_too_much_the_slowest_goes),
	    TEST(what_is_queued_for_all_is_bounded),
	    TEST(a_close_that_the_client_does_not_take_ends_too),
	    TEST(a_client_that_never_closes_is_not_waited_for),
	    TEST(closing_is_legal_in_every_state),
	    TEST(a_frame_waits_for_a_full_vault_and_is_not_lost),
	    TEST(packets_of_a_turn_leave_together),
	    TEST(a_taken_gives_no_more_than_was_given),
	    TEST(closed_and_discarded_are_never_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
