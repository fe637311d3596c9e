/* The parent: who answers, who is silent, and what a manager is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/parent.h"
#include "tests/unit/server/base/parent_fixture.h"

#define PATIENCE_S 10

/* The manager's socket, at which a tenth of a second is a tick. */
static int
start_under_a_manager(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval tv = {PATIENCE_S, 0};
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	snprintf(
	    un.sun_path, sizeof(un.sun_path), "%s/notify", parent_fixture_dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	setenv("NOTIFY_SOCKET", un.sun_path, 1);
	setenv("WATCHDOG_USEC", "200000", 1);
	parent_fixture_start();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	return fd;
}

static void
the_service_manager_is_told(void **state)
{
	char got[600];
	bool ready = false, watchdog = false;
	ssize_t n;
	int fd;

	(void)state;
	fd = start_under_a_manager();
	while (!ready || !watchdog) {
		n = recv(fd, got, sizeof(got) - 1, 0);
		assert_true(n > 0);
		got[n] = '\0';
		ready = ready || strcmp(got, "READY=1\nSTATUS=open") == 0;
		watchdog = watchdog || strcmp(got, "WATCHDOG=1") == 0;
	}
	assert_int_equal(parent_fixture_stop(), 0);
	do
		n = recv(fd, got, sizeof(got) - 1, 0);
	while (n > 0 && memcmp(got, "STOPPING=1", 10) != 0);
	assert_int_equal(n, 10);
	close(fd);
}

/* Of two that live, one is silent: that is for the manager to end. */
static void
silence(const char *file, const char *other)
{
	char got[600];
	ssize_t n;
	int fd;

	parent_fixture_put_file(file, "", 0600);
	fd = start_under_a_manager();
	parent_fixture_wait_ready();
	/* A start that takes its time is no silence. */
	while (recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0)
		;
	parent_fixture_wait_for(other, "ping", 5);
	while ((n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT)) > 0) {
		got[n] = '\0';
		assert_string_not_equal(got, "WATCHDOG=1");
	}
	assert_int_equal(parent_fixture_stop(), 0);
	close(fd);
}

static void
the_watchdog_is_fed_while_the_vault_answers(void **state)
{
	(void)state;
	silence("vault.silent", "gate.log");
}

static void
the_watchdog_is_fed_while_the_gate_answers(void **state)
{
	(void)state;
	silence("gate.silent", "vault.log");
}

/* It hears the order to stop only when it has read its rows. */
static void
a_vault_that_reads_its_rows_is_not_taken_for_hung(void **state)
{
	char got[600];
	unsigned fed = 0;
	ssize_t n;
	int fd;

	(void)state;
	parent_fixture_put_conf("stop_s = 1\n");
	parent_fixture_put_file("vault.opening", "", 0600);
	fd = start_under_a_manager();
	parent_fixture_wait_ready();
	parent_fixture_wait_for("vault.log", "opening", 1);
	while (recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0)
		;
	/* Some pings later. */
	while (fed < 5) {
		n = recv(fd, got, sizeof(got) - 1, 0);
		assert_true(n > 0);
		got[n] = '\0';
		fed += strcmp(got, "WATCHDOG=1") == 0;
	}
	assert_int_equal(parent_fixture_stop(), 0);
	assert_int_equal(parent_fixture_count("vault.log", "ping"), 1);
	close(fd);
}

static void
one_that_is_ready_and_never_answers_is_ended(void **state)
{
	(void)state;
	/* The other may be too late for a millisecond, and is ended, too. */
	parent_fixture_hang_ms = 1;
	parent_fixture_put_conf("restarts = 100\n");
	parent_fixture_put_file("vault.silent", "", 0600);
	close(start_under_a_manager());
	parent_fixture_wait_ready();
	parent_fixture_wait_for("err", "child.hangs child=vault", 1);
	parent_fixture_wait_for("vault.log", "start", 2);
	assert_int_equal(parent_fixture_stop(), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(                                       \
	    name, parent_fixture_setup, parent_fixture_teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_service_manager_is_told),
	    TEST(the_watchdog_is_fed_while_the_vault_answers),
	    TEST(the_watchdog_is_fed_while_the_gate_answers),
	    TEST(a_vault_that_reads_its_rows_is_not_taken_for_hung),
	    TEST(one_that_is_ready_and_never_answers_is_ended),
	};

	if (argc == 2 && strcmp(argv[0], "cdopd") == 0)
		return parent_fixture_child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
