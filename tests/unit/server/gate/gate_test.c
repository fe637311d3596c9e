/*
 * The gate as strangers, clients and a vault see it: each test has a gate
 * of its own, shut in as in earnest.
 */
#include "server/gate/gate.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/link.h"
#include "tests/unit/server/gate/gate_fixture.h"

static struct gate_fixture f;

static int
setup(void **state)
{
	(void)state;
	gate_fixture_init(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gate_fixture_end(&f);
	return 0;
}

static void
a_right_first_frame_reaches_the_vault(void **state)
{
	const struct ipc_packet *packet;
	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];
	uint64_t conn = FIXTURE_FIRST_CONN;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	cdop_link_preamble(preamble);
	fd = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd, 0);
	packet = gate_fixture_expect(&f, IPC_OPEN, conn);
	assert_int_equal(packet->arg, 0);
	assert_memory_equal(packet->bytes.data, preamble, sizeof(preamble));
	assert_memory_equal(packet->bytes.data + 8, "127.0.0.1:", 10);
	packet = gate_fixture_expect(&f, IPC_FRAME, conn);
	assert_int_equal(packet->bytes.len, CDOP_LINK_MESSAGE1_LEN);
	assert_int_equal(packet->bytes.data[0], 0xe1);
	close(fd);
	gate_fixture_expect(&f, IPC_CLOSED, conn);
	/* The other key, the other socket, the next id. */
	fd = gate_fixture_connect_unix(&f);
	gate_fixture_greet(&f, fd, 1);
	packet = gate_fixture_expect(&f, IPC_OPEN, conn + 1);
	assert_int_equal(packet->arg, 1);
	assert_memory_equal(packet->bytes.data + 8, "unix uid=", 9);
	gate_fixture_expect(&f, IPC_FRAME, conn + 1);
	close(fd);
	gate_fixture_expect(&f, IPC_CLOSED, conn + 1);
	gate_fixture_stop(&f);
}

/* Numbers grow for the vault, which gives up a gate where they do not. */
static void
who_connects_first_may_speak_last(void **state)
{
	uint64_t conn = FIXTURE_FIRST_CONN;
	int first, last;

	(void)state;
	gate_fixture_begin(&f);
	first = gate_fixture_connect(&f);
	last = gate_fixture_connect_unix(&f);
	gate_fixture_greet(&f, last, 0);
	gate_fixture_expect(&f, IPC_OPEN, conn);
	gate_fixture_expect(&f, IPC_FRAME, conn);
	gate_fixture_greet(&f, first, 0);
	gate_fixture_expect(&f, IPC_OPEN, conn + 1);
	gate_fixture_expect(&f, IPC_FRAME, conn + 1);
	close(last);
	gate_fixture_expect(&f, IPC_CLOSED, conn);
	close(first);
	gate_fixture_expect(&f, IPC_CLOSED, conn + 1);
	gate_fixture_stop(&f);
}

static void
a_wrong_mac1_never_reaches_the_vault(void **state)
{
	uint8_t bytes[8 + 2 + CDOP_LINK_FRAME1_LEN];
	size_t i;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	cdop_link_preamble(bytes);
	cdop_put16(bytes + 8, CDOP_LINK_FRAME1_LEN);
	for (i = 0; i < 20; i++) {
		memset(bytes + 10, (int)i, CDOP_LINK_FRAME1_LEN);
		fd = gate_fixture_connect(&f);
		assert_int_equal(
		    send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
		assert_true(gate_fixture_is_closed(fd, 5000));
		close(fd);
	}
	gate_fixture_expect_silence(&f, 50);
	gate_fixture_stop(&f);
}

static void
what_is_not_our_protocol_is_closed_at_once(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"GET / HTTP/1.1\r\n", 16},
	    {"CDOP\x01\x01\x00\x01", 8},          /* reserved bits */
	    {"CDOP\x02\x01\x00\x00", 8},          /* wire version */
	    {"CDOP\x01\x02\x00\x00", 8},          /* suite */
	    {"CDOP\x01\x01\x00\x00\x00\x00", 10}, /* empty frame */
	    {"CDOP\x01\x01\x00\x00\x00\x50", 10}, /* 80 */
	    {"CDOP\x01\x01\x00\x00\x00\x52", 10}, /* 82 */
	    {"CDOP\x01\x01\x00\x00\xff\xff", 10},
	};

	size_t i;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = gate_fixture_connect(&f);
		assert_int_equal(
		    send(fd, bad[i].bytes, bad[i].len, 0), bad[i].len);
		/* The length alone is enough: nobody waits for a body. */
		if (!gate_fixture_is_closed(fd, 5000))
			fail_msg("case %zu stays open", i);
		close(fd);
	}
	gate_fixture_expect_silence(&f, 50);
	gate_fixture_stop(&f);
}

static void
the_third_message_has_one_length(void **state)
{
	static const size_t bad[] = {0, 1, 319, 321, 65535};
	uint64_t conn;
	size_t i;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = gate_fixture_connect(&f);
		gate_fixture_greet(&f, fd, 0);
		conn = gate_fixture_next(&f)->conn;
		gate_fixture_expect(&f, IPC_FRAME, conn);
		gate_fixture_send(fd, bad[i], 7);
		gate_fixture_expect(&f, IPC_CLOSED, conn);
		assert_true(gate_fixture_is_closed(fd, 5000));
		close(fd);
	}
	gate_fixture_stop(&f);
}

static void
frames_of_every_length_pass_and_an_empty_one_closes(void **state)
{
	static const size_t lens[] = {17, 18, 272, 4096, 65534, 65535};
	const struct ipc_packet *packet;
	uint64_t conn;
	size_t i, j;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		gate_fixture_send(fd, lens[i], (uint8_t)i);
		packet = gate_fixture_expect(&f, IPC_FRAME, conn);
		assert_int_equal(packet->bytes.len, lens[i]);
		for (j = 0; j < lens[i]; j++)
			assert_int_equal(packet->bytes.data[j], i);
		gate_fixture_taken(&f, conn, (uint32_t)lens[i]);
	}
	gate_fixture_send(fd, 0, 0);
	gate_fixture_expect(&f, IPC_CLOSED, conn);
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	/* What has no room for a tag would cost the vault a packet. */
	fd = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd);
	gate_fixture_send(fd, CDOP_TAG_LEN, 0);
	gate_fixture_expect(&f, IPC_CLOSED, conn);
	close(fd);
	gate_fixture_stop(&f);
}

/* A frame is cut at every byte. */
static void
a_cut_frame_is_put_together(void **state)
{
	uint8_t bytes[CDOP_LINK_FIRST_LEN], key[CDOP_KEY_LEN];
	uint64_t conn = FIXTURE_FIRST_CONN;
	size_t i;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	cdop_link_preamble(bytes);
	cdop_put16(bytes + 8, CDOP_LINK_FRAME1_LEN);
	memset(bytes + 10, 1, CDOP_LINK_FRAME1_LEN);
	cdop_link_mac1_key(key, f.keys[0]);
	cdop_link_mac1(
	    bytes + 10 + CDOP_LINK_MESSAGE1_LEN, key, bytes, bytes + 10);
	fd = gate_fixture_connect_unix(&f);
	for (i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(send(fd, bytes + i, 1, 0), 1);
		if (i % 7 == 0)
			usleep(500);
	}
	gate_fixture_expect(&f, IPC_OPEN, conn);
	gate_fixture_expect(&f, IPC_FRAME, conn);
	close(fd);
	gate_fixture_expect(&f, IPC_CLOSED, conn);
	gate_fixture_stop(&f);
}

static void
nobody_is_let_in_before_the_vault_says_its_keys(void **state)
{
	int fd;

	(void)state;
	gate_fixture_start(&f);
	fd = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd, 0);
	gate_fixture_expect_silence(&f, 100);
	gate_fixture_say_keys(&f, 1);
	gate_fixture_expect(&f, IPC_OPEN, FIXTURE_FIRST_CONN);
	close(fd);
	gate_fixture_stop(&f);
}

static void
a_sealed_vault_gets_the_first_frame_unchecked(void **state)
{
	const struct ipc_packet *packet;
	uint64_t conn = FIXTURE_FIRST_CONN;
	uint8_t got[8];
	int fd;

	(void)state;
	gate_fixture_start(&f);
	gate_fixture_say_keys(&f, 0);
	fd = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd, 0);
	packet = gate_fixture_expect(&f, IPC_OPEN, conn);
	assert_int_equal(packet->arg, IPC_MAC1_UNCHECKED);
	gate_fixture_expect(&f, IPC_FRAME, conn);
	gate_fixture_say(&f, conn, IPC_FRAME, "\x01", 1);
	gate_fixture_say(&f, conn, IPC_CLOSE, NULL, 0);
	gate_fixture_read(fd, got, 3);
	assert_memory_equal(got, "\x00\x01\x01", 3);
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	gate_fixture_expect(&f, IPC_CLOSED, conn);
	gate_fixture_stop(&f);
}

static void
sent_counts_every_byte_and_close_comes_last(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX], got[2 + CDOP_FRAME_MAX];
	const struct ipc_packet *packet;
	uint64_t conn, sum = 0;
	size_t i;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd);
	for (i = 0; i < 20; i++) {
		memset(big, (int)i, sizeof(big));
		gate_fixture_say(&f, conn, IPC_FRAME, big, sizeof(big));
	}
	gate_fixture_say(&f, conn, IPC_CLOSE, NULL, 0);
	for (i = 0; i < 20; i++) {
		gate_fixture_read(fd, got, sizeof(got));
		assert_int_equal(cdop_get16(got), CDOP_FRAME_MAX);
		memset(big, (int)i, sizeof(big));
		assert_memory_equal(got + 2, big, sizeof(big));
	}
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	while ((packet = gate_fixture_next(&f))->kind == IPC_SENT)
		sum += cdop_get32(packet->bytes.data);
	assert_int_equal(packet->kind, IPC_CLOSED);
	/* In steps; a rest that is no step is not told of. */
	assert_in_range(sum, 20 * CDOP_FRAME_MAX - 65535, 20 * CDOP_FRAME_MAX);
	gate_fixture_stop(&f);
}

static void
discard_throws_away_and_answers(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX];
	uint64_t conn, total = 0;
	ssize_t n;
	size_t i;
	int fd;

	(void)state;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd);
	for (i = 0; i < 60; i++) /* 3.9 MB: more than the kernel takes */
		gate_fixture_say(&f, conn, IPC_FRAME, big, sizeof(big));
	gate_fixture_say(&f, conn, IPC_DISCARD, NULL, 0);
	while (gate_fixture_next(&f)->kind == IPC_SENT)
		;
	f.at_inbox--; /* that last one again */
	gate_fixture_expect(&f, IPC_DISCARDED, conn);
	while ((n = recv(fd, big, sizeof(big), 0)) > 0)
		total += (uint64_t)n;
	assert_true(total < 60 * sizeof(big));
	/* Reset: what the kernel held for it is gone, too. */
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	/* Of one that is not there nothing is held either. */
	gate_fixture_say(&f, 12345, IPC_DISCARD, NULL, 0);
	gate_fixture_expect(&f, IPC_DISCARDED, 12345);
	gate_fixture_say(&f, conn, IPC_CLOSE, NULL, 0);
	gate_fixture_say(&f, conn, IPC_FRAME, "late", 4);
	gate_fixture_expect_silence(&f, 50);
	gate_fixture_stop(&f);
}

/* One frame, whole; false where the gate takes no more for 300 ms. */
static bool
send_unless_full(int fd, const uint8_t *frame, size_t len)
{
	struct pollfd pfd = {fd, POLLOUT, 0};
	size_t at;
	ssize_t n;

	for (at = 0; at < len; at += (size_t)n) {
		if (poll(&pfd, 1, 300) != 1)
			return false;
		n = send(fd, frame + at, len - at, MSG_DONTWAIT);
		assert_true(n > 0);
	}
	return true;
}

/* What the vault has not taken bounds what it is given, for each by itself. */
static void
who_sends_more_than_the_vault_takes_waits_alone(void **state)
{
	static uint8_t frame[2 + 60000];
	const size_t window = CDOP_GATE_WINDOW / 60000;
	const struct ipc_packet *packet;
	size_t sent, got;
	uint64_t conn, other;
	int fd, quiet, size = 4096;

	(void)state;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect_unix(&f);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	conn = gate_fixture_handshake(&f, fd);
	cdop_put16(frame, 60000);
	for (sent = 0; sent < 2000; sent++) {
		memset(frame + 2, (int)sent, 60000);
		if (!send_unless_full(fd, frame, sizeof(frame)))
			break; /* the gate has stopped reading */
	}
	assert_in_range(sent, window, 100); /* bounded, not swallowed */
	for (got = 0; got < window; got++)
		gate_fixture_expect(&f, IPC_FRAME, conn);
	gate_fixture_expect_silence(&f, 50);

	quiet = gate_fixture_connect_unix(&f);
	other = gate_fixture_handshake(&f, quiet);
	gate_fixture_send(quiet, 300, 9);
	gate_fixture_expect(&f, IPC_FRAME, other);
	close(quiet);
	gate_fixture_expect(&f, IPC_CLOSED, other);
	gate_fixture_expect_silence(&f, 50);

	/* Nothing is lost: each that is taken makes room for one more. */
	for (; got < sent; got++) {
		gate_fixture_taken(&f, conn, 60000);
		packet = gate_fixture_expect(&f, IPC_FRAME, conn);
		assert_int_equal(packet->bytes.len, 60000);
		assert_int_equal(packet->bytes.data[0], got & 0xff);
		assert_int_equal(packet->bytes.data[59999], got & 0xff);
		gate_fixture_expect_silence(&f, 0);
	}
	close(fd);
	gate_fixture_stop(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_right_first_frame_reaches_the_vault),
	    TEST(who_connects_first_may_speak_last),
	    TEST(a_wrong_mac1_never_reaches_the_vault),
	    TEST(what_is_not_our_protocol_is_closed_at_once),
	    TEST(the_third_message_has_one_length),
	    TEST(frames_of_every_length_pass_and_an_empty_one_closes),
	    TEST(a_cut_frame_is_put_together),
	    TEST(nobody_is_let_in_before_the_vault_says_its_keys),
	    TEST(a_sealed_vault_gets_the_first_frame_unchecked),
	    TEST(sent_counts_every_byte_and_close_comes_last),
	    TEST(discard_throws_away_and_answers),
	    TEST(who_sends_more_than_the_vault_takes_waits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
