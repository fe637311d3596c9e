/*
 * The gate and those it lives with: a vault that dies or goes, a parent that
 * says stop, or nothing any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/gate/gate.h"
#include "tests/unit/server/gate/gate_fixture.h"

static struct gate_fixture f;
static uint64_t *forward_s; /* the gate's clocks, and ours */

/* In place of libc's, for libevent too. */
int
clock_gettime(clockid_t id, struct timespec *ret_time)
{
	long rc = syscall(SYS_clock_gettime, id, ret_time);

	if (forward_s != NULL)
		ret_time->tv_sec += (time_t)*forward_s;
	return (int)rc;
}

static int
setup(void **state)
{
	(void)state;
	forward_s = mmap(NULL, sizeof(*forward_s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(forward_s != MAP_FAILED);
	gate_fixture_init(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gate_fixture_end(&f);
	assert_int_equal(munmap(forward_s, sizeof(*forward_s)), 0);
	forward_s = NULL;
	return 0;
}

/* It has taken what was said before. */
static void
ping(void)
{
	struct cdop_bytes none = {NULL, 0};
	struct control_msg msg;

	assert_int_equal(
	    control_send(f.control, CONTROL_PING, none, -1), CDOP_OK);
	assert_int_equal(control_wait(f.control, 5000, &msg), CDOP_OK);
	assert_int_equal(msg.kind, CONTROL_PONG);
}

static void
a_new_vault_closes_every_connection(void **state)
{
	struct cdop_bytes none = {NULL, 0};
	uint64_t conn;
	int fd[2], link[2];

	(void)state;
	gate_fixture_begin(&f);
	fd[0] = gate_fixture_connect(&f);
	gate_fixture_handshake(&f, fd[0]);
	fd[1] = gate_fixture_connect_unix(&f);
	conn = gate_fixture_handshake(&f, fd[1]);
	/* The vault dies ... */
	close(f.link);
	assert_true(gate_fixture_is_closed(fd[0], 5000));
	assert_true(gate_fixture_is_closed(fd[1], 5000));
	close(fd[0]);
	close(fd[1]);
	/* ... the parent brings another, also without a death. */
	assert_int_equal(ipc_pair(link), CDOP_OK);
	assert_int_equal(
	    control_send(f.control, CONTROL_LINK, none, link[1]), CDOP_OK);
	close(link[1]);
	f.link = link[0];
	gate_fixture_say_keys(&f, 1);
	fd[0] = gate_fixture_connect(&f);
	assert_true(gate_fixture_handshake(&f, fd[0]) == conn + 1);
	assert_int_equal(ipc_pair(link), CDOP_OK);
	assert_int_equal(
	    control_send(f.control, CONTROL_LINK, none, link[1]), CDOP_OK);
	close(link[1]);
	assert_true(gate_fixture_is_closed(fd[0], 5000));
	close(fd[0]);
	close(f.link);
	f.link = link[0];
	/* The new one has said no keys yet. */
	fd[0] = gate_fixture_connect(&f);
	gate_fixture_greet(&f, fd[0], 0);
	gate_fixture_expect_silence(&f, 100);
	close(fd[0]);
	gate_fixture_stop(&f);
}

/* A client that was not answered yet must not take it for a refusal. */
static void
a_vault_that_dies_resets_who_was_not_answered(void **state)
{
	uint8_t got[2 + 64] = {0};
	uint64_t conn;
	int fd[3];
	char c;

	(void)state;
	gate_fixture_begin(&f);
	fd[0] = gate_fixture_connect(&f);
	gate_fixture_handshake(&f, fd[0]);
	fd[1] = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd[1]);
	gate_fixture_say(&f, conn, IPC_FRAME, got, 64);
	gate_fixture_read(fd[1], got, sizeof(got));
	fd[2] = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd[2]);
	gate_fixture_say(&f, conn, IPC_CLOSE, NULL, 0);
	/* Refused: an end in order, and the other direction is open. */
	assert_true(gate_fixture_is_closed(fd[2], 5000));
	assert_int_equal(recv(fd[2], &c, 1, 0), 0);
	assert_int_equal(send(fd[2], "x", 1, MSG_NOSIGNAL), 1);
	close(fd[2]);
	close(f.link);
	assert_int_equal(recv(fd[0], &c, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(recv(fd[1], &c, 1, 0), 0);
	close(fd[0]);
	close(fd[1]);
	f.link = open("/dev/null", O_RDONLY | O_CLOEXEC);
	gate_fixture_stop(&f);
}

static void
a_stop_writes_what_is_queued_and_reads_no_more(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX], got[2 + CDOP_FRAME_MAX];
	struct cdop_bytes none = {NULL, 0};
	uint64_t conn;
	size_t i;
	int fd, st;

	(void)state;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect(&f);
	conn = gate_fixture_handshake(&f, fd);
	assert_int_equal(
	    control_send(f.control, CONTROL_STOP, none, -1), CDOP_OK);
	ping();
	gate_fixture_send(fd, 100, 1); /* too late */
	gate_fixture_expect_silence(&f, 100);
	for (i = 0; i < 10; i++)
		gate_fixture_say(&f, conn, IPC_FRAME, big, sizeof(big));
	close(f.link);
	for (i = 0; i < 10; i++)
		gate_fixture_read(fd, got, sizeof(got));
	assert_true(gate_fixture_is_closed(fd, 5000));
	close(fd);
	assert_int_equal(waitpid(f.pid, &st, 0), f.pid);
	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), 0);
	close(f.control);
	unlink(f.path);
	ipc_inbox_free(f.inbox);
}

static void
a_stop_does_not_wait_for_ever_for_who_does_not_read(void **state)
{
	static uint8_t big[CDOP_FRAME_MAX];
	struct cdop_bytes none = {NULL, 0};
	uint64_t conn;
	size_t i;
	int fd, st;

	(void)state;
	gate_fixture_begin(&f);
	fd = gate_fixture_connect_unix(&f);
	conn = gate_fixture_handshake(&f, fd);
	for (i = 0; i < 20; i++) /* more than a socket holds */
		gate_fixture_say(&f, conn, IPC_FRAME, big, sizeof(big));
	assert_int_equal(
	    control_send(f.control, CONTROL_STOP, none, -1), CDOP_OK);
	close(f.link);
	ping();
	assert_int_equal(waitpid(f.pid, &st, WNOHANG), 0);
	*forward_s = 5; /* the client has a minute, and is not what ends */
	/* Whatever wakes it: it looks at the clock. */
	assert_int_equal(
	    control_send(f.control, CONTROL_PING, none, -1), CDOP_OK);
	assert_int_equal(waitpid(f.pid, &st, 0), f.pid);
	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), 0);
	close(fd);
	close(f.control);
	unlink(f.path);
	ipc_inbox_free(f.inbox);
}

static void
a_stop_without_a_vault_does_not_wait_for_one(void **state)
{
	uint64_t begun;

	(void)state;
	gate_fixture_begin(&f);
	close(f.link);
	usleep(100000);
	f.link = open("/dev/null", O_RDONLY | O_CLOEXEC);
	begun = clock_ms();
	gate_fixture_stop(&f);
	assert_true(clock_ms() - begun < 2500); /* no deadline of a drain */
}

static void
without_a_parent_there_is_no_gate(void **state)
{
	int st;

	(void)state;
	gate_fixture_begin(&f);
	close(f.control);
	assert_int_equal(waitpid(f.pid, &st, 0), f.pid);
	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), 1);
	close(f.link);
	unlink(f.path);
	ipc_inbox_free(f.inbox);
}

static void
it_answers_pings_and_takes_a_new_configuration(void **state)
{
	static struct control_msg msg;
	struct cdop_bytes none = {NULL, 0}, body;
	int fd[2];

	(void)state;
	gate_fixture_begin(&f);
	assert_int_equal(
	    control_send(f.control, CONTROL_PING, none, -1), CDOP_OK);
	assert_int_equal(control_wait(f.control, 5000, &msg), CDOP_OK);
	assert_int_equal(msg.kind, CONTROL_PONG);
	f.conf.gate_source_connections = 1;
	body.data = (const uint8_t *)&f.conf;
	body.len = sizeof(f.conf);
	assert_int_equal(
	    control_send(f.control, CONTROL_CONFIG, body, -1), CDOP_OK);
	assert_int_equal(
	    control_send(f.control, CONTROL_PING, none, -1), CDOP_OK);
	assert_int_equal(control_wait(f.control, 5000, &msg), CDOP_OK);
	fd[0] = gate_fixture_connect(&f);
	gate_fixture_handshake(&f, fd[0]);
	fd[1] = gate_fixture_connect(&f);
	assert_true(gate_fixture_is_closed(fd[1], 5000));
	close(fd[0]);
	close(fd[1]);
	gate_fixture_stop(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_new_vault_closes_every_connection),
	    TEST(a_vault_that_dies_resets_who_was_not_answered),
	    TEST(a_stop_writes_what_is_queued_and_reads_no_more),
	    TEST(a_stop_does_not_wait_for_ever_for_who_does_not_read),
	    TEST(a_stop_without_a_vault_does_not_wait_for_one),
	    TEST(without_a_parent_there_is_no_gate),
	    TEST(it_answers_pings_and_takes_a_new_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
