/*
 * The gate under load and malice: what strangers may take, deadlines, floods,
 * descriptors that run out.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
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
#include "server/base/clock.h"
#include "server/gate/gate.h"
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
strangers_make_room_for_strangers_not_for_sessions(void **state)
{
	int fd[8], session;
	uint64_t conn;
	size_t i;

	(void)state;
	f.conf.gate_half_open = 4;
	gate_fixture_begin(&f);
	session = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, session);
	for (i = 0; i < 8; i++) {
		fd[i] = gate_fixture_connect(&f);
		usleep(20000); /* accepted in this order */
	}
	for (i = 0; i < 4; i++)
		assert_true(gate_fixture_is_closed(fd[i], 5000));
	for (i = 4; i < 8; i++)
		assert_false(gate_fixture_is_closed(fd[i], 20));
	gate_fixture_send(session, 100, 9);
	gate_fixture_expect(&f, IPC_FRAME, conn);
	for (i = 0; i < 8; i++)
		close(fd[i]);
	close(session);
	gate_fixture_stop(&f);
}

static void
one_source_has_so_many_connections(void **state)
{
	int fd[4];
	size_t i;

	(void)state;
	f.conf.gate_source_connections = 3;
	gate_fixture_begin(&f);
	for (i = 0; i < 3; i++) {
		fd[i] = gate_fixture_connect(&f);
		gate_fixture_handshake(&f, fd[i]);
	}
	fd[3] = gate_fixture_connect(&f);
	assert_true(gate_fixture_is_closed(fd[3], 5000));
	close(fd[3]);
	/* Another source is not concerned; a place that is left is free. */
	fd[3] = gate_fixture_connect_unix(&f);
	gate_fixture_handshake(&f, fd[3]);
	close(fd[0]);
	assert_int_equal(gate_fixture_next(&f)->kind, IPC_CLOSED);
	fd[0] = gate_fixture_connect(&f);
	gate_fixture_handshake(&f, fd[0]);
	for (i = 0; i < 4; i++)
		close(fd[i]);
	gate_fixture_stop(&f);
}

static void
at_the_cap_nobody_is_accepted_until_one_leaves(void **state)
{
	int fd[3];

	(void)state;
	f.conf.gate_connections = 2;
	gate_fixture_begin(&f);
	fd[0] = gate_fixture_connect(&f);
	gate_fixture_handshake(&f, fd[0]);
	fd[1] = gate_fixture_connect(&f);
	gate_fixture_handshake(&f, fd[1]);
	fd[2] = gate_fixture_connect(&f); /* by the kernel's backlog */
	gate_fixture_greet(&f, fd[2], 0);
	gate_fixture_expect_silence(&f, 100);
	close(fd[0]);
	assert_int_equal(gate_fixture_next(&f)->kind, IPC_CLOSED);
	assert_int_equal(gate_fixture_next(&f)->kind, IPC_OPEN);
	close(fd[1]);
	close(fd[2]);
	gate_fixture_stop(&f);
}

/* Another protocol, a wrong mac1, a wrong length, nothing more in time. */
static void
send_garbage(int fd, size_t kind)
{
	uint8_t bytes[CDOP_LINK_FIRST_LEN] = {0};
	size_t len = kind == 3 ? 8 : sizeof(bytes);

	cdop_link_preamble(bytes);
	cdop_put16(bytes + 8, CDOP_LINK_FRAME1_LEN - (kind == 2));
	if (kind == 0)
		memcpy(bytes, "garbage!", 8);
	assert_int_equal(send(fd, bytes, len, 0), len);
}

static void
a_source_of_garbage_is_refused_for_a_while(void **state)
{
	size_t i;
	int fd;

	(void)state;
	f.conf.gate_source_garbage = 3;
	f.conf.gate_penalty_s = 1;
	f.conf.handshake_s = 1;
	gate_fixture_begin(&f);
	for (i = 0; i < 4; i++) {
		fd = gate_fixture_connect(&f);
		send_garbage(fd, i);
		assert_true(gate_fixture_is_closed(fd, 5000));
		close(fd);
	}
	/* Now its good handshakes are refused too; other sources' are not. */
	fd = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd, 0);
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	fd = gate_fixture_connect_unix(&f);
	gate_fixture_handshake(&f, fd);
	close(fd);
	assert_int_equal(gate_fixture_next(&f)->kind, IPC_CLOSED);
	usleep(1100000);
	fd = gate_fixture_connect(&f);
	gate_fixture_handshake(&f, fd);
	close(fd);
	gate_fixture_stop(&f);
}

static void
a_source_has_so_many_handshakes_a_minute(void **state)
{
	size_t i;
	int fd;

	(void)state;
	f.conf.gate_source_handshakes = 3;
	gate_fixture_begin(&f);
	for (i = 0; i < 3; i++) {
		fd = gate_fixture_connect(&f);
		gate_fixture_handshake(&f, fd);
		close(fd);
		assert_int_equal(gate_fixture_next(&f)->kind, IPC_CLOSED);
	}
	fd = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd, 0);
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	gate_fixture_expect_silence(&f, 50);
	gate_fixture_stop(&f);
}

/* Clock ticks of CPU the gate has used. */
static unsigned long
cpu_of_gate(void)
{
	unsigned long user = 0, sys = 0;
	char path[64];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)f.pid);
	assert_non_null(in = fopen(path, "r"));
	assert_int_equal(fscanf(in,
			     "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u "
			     "%*u %*u %*u %lu %lu",
			     &user, &sys),
	    2);
	fclose(in);
	return user + sys;
}

static void
out_of_descriptors_it_rests_and_comes_back(void **state)
{
	int fd[40];
	unsigned long before;
	uint64_t conn;
	size_t i;

	(void)state;
	f.max_fds = 32;
	gate_fixture_begin(&f);
	fd[0] = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd[0]);
	for (i = 1; i < 40; i++)
		fd[i] = gate_fixture_connect(&f);
	usleep(200000);
	before = cpu_of_gate();
	usleep(500000);
	/* A loop that spins would have used about 50 ticks. */
	assert_in_range(cpu_of_gate() - before, 0, 10);
	gate_fixture_send(fd[0], 100, 1);
	gate_fixture_expect(&f, IPC_FRAME, conn);
	for (i = 1; i < 40; i++)
		close(fd[i]);
	fd[1] = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd[1], 0);
	assert_int_equal(gate_fixture_next(&f)->kind, IPC_OPEN);
	close(fd[0]);
	close(fd[1]);
	gate_fixture_stop(&f);
}

/* Resident pages of the gate. */
static unsigned long
memory_of_gate(void)
{
	unsigned long pages = 0;
	char path[64];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)f.pid);
	assert_non_null(in = fopen(path, "r"));
	assert_int_equal(fscanf(in, "%*u %lu", &pages), 1);
	fclose(in);
	return pages;
}

static void
a_flood_of_garbage_leaves_sessions_and_memory_alone(void **state)
{
	static const char *const junk[] = {"", "C", "CDOP\x01\x01", "GET /\r\n",
	    "CDOP\x01\x01\x00\x00\x00\x51zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"};
	unsigned long before = 0;
	uint64_t conn;
	size_t i;
	int fd, session;

	(void)state;
	gate_fixture_begin(&f);
	session = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, session);
	for (i = 0; i < 2000; i++) {
		fd = gate_fixture_connect(&f);
		send(fd, junk[i % 5], strlen(junk[i % 5]), MSG_NOSIGNAL);
		close(fd);
		if (i == 500)
			before = memory_of_gate();
		if (i % 100 != 0)
			continue;
		gate_fixture_send(session, 64, (uint8_t)i);
		gate_fixture_expect(&f, IPC_FRAME, conn);
	}
	/* 4 MB; under ASan what is freed stays for a while. */
	if (before < 20000)
		assert_true(memory_of_gate() < before + 1024 + before / 2);
	close(session);
	gate_fixture_stop(&f);
}

static void
a_client_that_drips_is_cut_at_the_handshake_deadline(void **state)
{
	static const char drops[] = "CDOP\x01\x01\0\0\0\x51";
	uint64_t begun, took;
	size_t i;
	int fd;

	(void)state;
	f.conf.handshake_s = 1;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect(&f);
	begun = clock_ms();
	for (i = 0; i < 200 && !gate_fixture_is_closed(fd, 50); i++)
		send(fd, &drops[i < 9 ? i : 9], 1, MSG_NOSIGNAL);
	took = clock_ms() - begun;
	assert_true(took >= 900);
	assert_true(i < 200);
	close(fd);
	/* Silence is no better, nor is a handshake left half done. */
	fd = gate_fixture_connect(&f);
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	fd = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd, 0);
	gate_fixture_next(&f);
	gate_fixture_next(&f);
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	assert_int_equal(gate_fixture_next(&f)->kind, IPC_CLOSED);
	gate_fixture_stop(&f);
}

static void
a_silent_session_is_closed(void **state)
{
	uint64_t conn;
	int fd;

	(void)state;
	f.conf.idle_s = 1;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd);
	gate_fixture_expect(&f, IPC_CLOSED, conn);
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	gate_fixture_stop(&f);
}

static void
a_client_that_does_not_read_is_dropped(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX];
	const struct ipc_packet *packet;
	uint64_t slow, other;
	uint8_t got[4];
	int fd[2];
	size_t i;

	(void)state;
	gate_fixture_begin(&f);
	fd[0] = gate_fixture_connect_unix(&f);
	slow = gate_fixture_handshake(&f, fd[0]);
	fd[1] = gate_fixture_connect_unix(&f);
	other = gate_fixture_handshake(&f, fd[1]);
	for (i = 0; i < 200; i++) /* 13 MB */
		gate_fixture_say(&f, slow, IPC_FRAME, big, sizeof(big));
	while ((packet = gate_fixture_next(&f))->kind == IPC_SENT)
		assert_true(packet->conn == slow);
	assert_int_equal(packet->kind, IPC_CLOSED);
	assert_true(packet->conn == slow);
	/* Nobody else notices. */
	gate_fixture_say(&f, other, IPC_FRAME, "ok", 2);
	gate_fixture_read(fd[1], got, 4);
	assert_memory_equal(got, "\x00\x02ok", 4);
	close(fd[0]);
	close(fd[1]);
	gate_fixture_stop(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(strangers_make_room_for_strangers_not_for_sessions),
	    TEST(one_source_has_so_many_connections),
	    TEST(at_the_cap_nobody_is_accepted_until_one_leaves),
	    TEST(a_source_of_garbage_is_refused_for_a_while),
	    TEST(a_source_has_so_many_handshakes_a_minute),
	    TEST(out_of_descriptors_it_rests_and_comes_back),
	    TEST(a_flood_of_garbage_leaves_sessions_and_memory_alone),
	    TEST(a_client_that_drips_is_cut_at_the_handshake_deadline),
	    TEST(a_silent_session_is_closed),
	    TEST(a_client_that_does_not_read_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
