/* The parent: starts, deaths, restarts, stops, and who may talk to it. */
#include "server/base/parent.h"

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
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/sandbox.h"
#include "tests/unit/server/base/parent_fixture.h"

#define PATIENCE_S 10

static void
it_says_ready_once_and_stops_in_order(void **state)
{
	const char *line;
	pid_t gate, vault;

	(void)state;
	parent_fixture_start();
	line = parent_fixture_wait_ready();
	assert_ptr_equal(
	    strstr(line, "cdopd: ready state=open listen=\"tcp 127.0.0.1:"),
	    line);
	assert_non_null(strstr(line, "link.sock\"\n"));
	assert_null(strstr(line, ":0\""));
	assert_int_equal(parent_fixture_mode_of("run"), 0750);
	assert_int_equal(parent_fixture_mode_of("run/link.sock"), 0660);
	assert_int_equal(parent_fixture_mode_of("run/control.sock"), 0600);
	assert_non_null(
	    strstr(parent_fixture_get_file("gate.log"), "listen=2 first=1\n"));
	gate = parent_fixture_pid_of("gate", 1);
	vault = parent_fixture_pid_of("vault", 1);
	assert_int_equal(parent_fixture_stop(), 0);
	assert_non_null(
	    strstr(parent_fixture_get_file("gate.log"), "message 3"));
	assert_non_null(
	    strstr(parent_fixture_get_file("vault.log"), "message 3"));
	assert_false(parent_fixture_is_running(gate));
	assert_false(parent_fixture_is_running(vault));
	assert_int_equal(parent_fixture_mode_of("run/link.sock"), 0);
	assert_int_equal(parent_fixture_mode_of("run/control.sock"), 0);
}

static void
a_gate_that_is_killed_comes_back(void **state)
{
	(void)state;
	parent_fixture_start();
	parent_fixture_wait_ready();
	assert_int_equal(kill(parent_fixture_pid_of("gate", 1), SIGKILL), 0);
	parent_fixture_wait_for("gate.log", "listen=2 first=2\n", 1);
	parent_fixture_wait_for("vault.log", "message 4\n", 1); /* a new link */
	parent_fixture_pid_of("gate", 2);
	assert_int_equal(kill(parent_fixture_pid_of("gate", 2), SIGKILL), 0);
	parent_fixture_wait_for("gate.log", "listen=2 first=3\n", 1);
	assert_int_equal(parent_fixture_stop(), 0);
	assert_int_equal(parent_fixture_count("vault.log", "start"), 1);
}

static void
a_gate_that_the_vault_gives_up_is_made_anew_once(void **state)
{
	(void)state;
	parent_fixture_put_file("vault.lost", "", 0600);
	parent_fixture_start();
	parent_fixture_wait_for("err", "gate.broken", 1);
	parent_fixture_wait_for("gate.log", "listen=2 first=2\n", 1);
	parent_fixture_wait_for("vault.log", "message 4\n", 1);
	parent_fixture_wait_for("err", "child.ready child=gate", 2);
	/* It has said so again, of the link that is gone: nobody cares. */
	assert_int_equal(kill(parent_fixture_pid_of("gate", 2), SIGKILL), 0);
	parent_fixture_wait_for("gate.log", "listen=2 first=3\n", 1);
	assert_int_equal(parent_fixture_stop(), 0);
	assert_int_equal(parent_fixture_count("err", "gate.broken"), 1);
	assert_int_equal(parent_fixture_count("vault.log", "start"), 1);
}

static void
a_vault_that_is_killed_comes_back_and_nobody_is_to_blame(void **state)
{
	(void)state;
	parent_fixture_start();
	parent_fixture_wait_ready();
	assert_int_equal(kill(parent_fixture_pid_of("vault", 1), SIGKILL), 0);
	parent_fixture_wait_for("gate.log", "message 4\n", 1);
	parent_fixture_wait_for("vault.log", "held=0\n", 2);
	parent_fixture_wait_for("err", "child.ready child=vault", 2);
	assert_int_equal(parent_fixture_stop(), 0);
}

static void
the_request_a_vault_died_of_is_told_to_the_next(void **state)
{
	(void)state;
	parent_fixture_put_file("vault.aborts", "", 0600);
	parent_fixture_start();
	parent_fixture_wait_ready();
	parent_fixture_wait_for("vault.log", "held=42\n", 1);
	parent_fixture_wait_for("err", "credential.held credential=42", 1);
	assert_int_equal(parent_fixture_stop(), 0);
}

static void
too_many_deaths_end_it_with_70(void **state)
{
	pid_t gate;

	(void)state;
	parent_fixture_put_conf("restarts = 3\n");
	parent_fixture_put_file("vault.dies", "", 0600);
	parent_fixture_start();
	gate = parent_fixture_pid_of("gate", 1);
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_RESTARTS);
	/* Started once, and again three times. */
	assert_int_equal(parent_fixture_count("vault.log", "start"), 4);
	parent_fixture_wait_for(
	    "err", "child.restarts child=vault deaths=4", 1);
	parent_fixture_wait_gone(gate);
}

static void
a_child_that_says_it_is_useless_is_believed(void **state)
{
	(void)state;
	parent_fixture_put_file("vault.refuses", "", 0600);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_DATA);
	parent_fixture_wait_for(
	    "err", "child.refused child=vault status=65", 1);
	assert_int_equal(parent_fixture_count("vault.log", "start"), 1);
}

static void
a_child_without_walls_ends_it(void **state)
{
	(void)state;
	parent_fixture_put_file("vault.open", "", 0600);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), 71);
	parent_fixture_wait_for("err", "sandbox.missing child=vault", 1);
}

static void
children_do_not_outlive_the_parent(void **state)
{
	pid_t gate, vault;

	(void)state;
	parent_fixture_start();
	parent_fixture_wait_ready();
	gate = parent_fixture_pid_of("gate", 1);
	vault = parent_fixture_pid_of("vault", 1);
	assert_int_equal(kill(parent_fixture_pid, SIGKILL), 0);
	assert_int_equal(
	    waitpid(parent_fixture_pid, NULL, 0), parent_fixture_pid);
	parent_fixture_pid = 0;
	close(parent_fixture_out);
	parent_fixture_wait_gone(gate);
	parent_fixture_wait_gone(vault);
	/* What is left of it is no obstacle. */
	parent_fixture_start();
	parent_fixture_wait_ready();
	assert_int_equal(parent_fixture_stop(), 0);
}

static void
a_child_that_does_not_stop_is_stopped(void **state)
{
	uint64_t begun;

	(void)state;
	parent_fixture_put_conf("stop_s = 1\n");
	parent_fixture_put_file("vault.deaf", "", 0600);
	parent_fixture_start();
	parent_fixture_wait_ready();
	begun = clock_ms();
	assert_int_equal(parent_fixture_stop(), 0);
	assert_true(clock_ms() - begun >= 900);
	parent_fixture_wait_for("err", "stop.deadline child=vault", 1);
}

static void
a_reload_reaches_the_children_and_a_bad_one_nobody(void **state)
{
	(void)state;
	parent_fixture_start();
	parent_fixture_wait_ready();
	parent_fixture_put_conf("idle_s = 7\nmap_size_gib = 3\n");
	assert_int_equal(kill(parent_fixture_pid, SIGHUP), 0);
	parent_fixture_wait_for("gate.log", "message 2\n", 1);
	parent_fixture_wait_for("vault.log", "message 2\n", 1);
	parent_fixture_wait_for(
	    "err", "reload.done wait_for_restart=map_size_gib", 1);
	parent_fixture_put_conf("nonsense = 7\n");
	assert_int_equal(kill(parent_fixture_pid, SIGHUP), 0);
	parent_fixture_wait_for("err", "reload.refused", 1);
	assert_non_null(strstr(parent_fixture_text, "unknown key"));
	assert_int_equal(parent_fixture_stop(), 0);
	assert_int_equal(parent_fixture_count("gate.log", "message 2"), 1);
}

static void
the_key_file_is_opened_and_not_read(void **state)
{
	char more[160];

	(void)state;
	snprintf(more, sizeof(more), "key_file = %s/key\n", parent_fixture_dir);
	parent_fixture_put_conf(more);
	parent_fixture_put_file("key", "from the start", 0400);
	parent_fixture_start();
	parent_fixture_wait_ready();
	parent_fixture_wait_for("vault.log", "key from the start\n", 1);
	assert_int_equal(parent_fixture_stop(), 0);
	/* Readable by others: no. */
	parent_fixture_put_file("key", "x", 0640);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "others can read it (mode 0640", 1);
	snprintf(
	    more, sizeof(more), "key_file = %s/nokey\n", parent_fixture_dir);
	parent_fixture_put_conf(more);
	/* Not there: it starts, and waits for another way to be opened. */
	parent_fixture_start();
	parent_fixture_wait_ready();
	parent_fixture_wait_for("err", "key.missing", 1);
	assert_int_equal(parent_fixture_stop(), 0);
	/* A pipe: nobody waits for who writes into it. */
	snprintf(more, sizeof(more), "%s/nokey", parent_fixture_dir);
	assert_int_equal(mkfifo(more, 0400), 0);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "not a regular file", 1);
	assert_int_equal(unlink(more), 0);
}

static void
anchor_in_the_data_is_refused(const char *path)
{
	char more[300];

	snprintf(more, sizeof(more), "anchor_dir = %s\n", path);
	parent_fixture_put_conf(more);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "anchor_dir: it lies in data_dir", 1);
}

static void
directories_that_are_missing_or_open_are_refused(void **state)
{
	char path[200], link[200], more[300];

	(void)state;
	parent_fixture_put_conf("anchor_dir = /nowhere/at/all\n");
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "anchor_dir: No such file", 1);
	anchor_in_the_data_is_refused(parent_fixture_dir);
	snprintf(path, sizeof(path), "%s/anchor", parent_fixture_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	anchor_in_the_data_is_refused(path);
	snprintf(link, sizeof(link), "%s.link", parent_fixture_dir);
	assert_int_equal(symlink(path, link), 0);
	anchor_in_the_data_is_refused(link);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(path), 0);
	/* Its name begins with the other's, and is another's. */
	assert_int_equal(mkdir(link, 0700), 0);
	snprintf(more, sizeof(more), "anchor_dir = %s\n", link);
	parent_fixture_put_conf(more);
	parent_fixture_start();
	parent_fixture_wait_ready();
	assert_int_equal(parent_fixture_stop(), 0);
	assert_int_equal(rmdir(link), 0);
	parent_fixture_put_conf("");
	assert_int_equal(chmod(parent_fixture_dir, 0750), 0);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "others can enter it (mode 0750", 1);
	assert_int_equal(chmod(parent_fixture_dir, 0700), 0);
	/* root gets in wherever it is. */
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(parent_fixture_dir, 65534, 65534), 0);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "data_dir: it belongs to somebody", 1);
}

/* Else the next who unseals tells the passphrase to a socket of theirs. */
static void
a_run_dir_that_others_write_in_does_not_start(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/run", parent_fixture_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0770), 0);
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "others can write in it (mode 0770", 1);
}

static void
two_in_one_run_dir_do_not_start(void **state)
{
	pid_t first;
	int first_out;

	(void)state;
	parent_fixture_start();
	parent_fixture_wait_ready();
	first = parent_fixture_pid;
	first_out = parent_fixture_out;
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_pid = first;
	parent_fixture_out = first_out;
	/* And the first has lost nothing. */
	assert_int_equal(parent_fixture_mode_of("run/link.sock"), 0660);
	assert_int_equal(parent_fixture_stop(), 0);
}

static int
connect_control(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval tv = {PATIENCE_S, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/run/control.sock",
	    parent_fixture_dir);
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Asks with a passphrase of one byte. */
static int
ask(uint8_t byte)
{
	uint8_t request[4] = {UNSEAL_VERB, 0, 1, byte};
	int fd = connect_control();

	assert_true(fd >= 0);
	/* A refusal may be quicker. */
	(void)send(fd, request, sizeof(request), MSG_NOSIGNAL);
	return fd;
}

/* The answer. */
static const char *
answer(int fd)
{
	ssize_t n;

	n = recv(fd, parent_fixture_text, sizeof(parent_fixture_text) - 1, 0);
	parent_fixture_text[n > 0 ? n : 0] = '\0';
	close(fd);
	return parent_fixture_text;
}

/* Children of the parent that have a filter of calls. */
static int
walled(void)
{
	char path[64], text[256] = "";
	const char *at = text;
	int fd, n = 0;
	ssize_t len;
	char *end;
	long pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)parent_fixture_pid, (int)parent_fixture_pid);
	assert_true((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0);
	len = read(fd, text, sizeof(text) - 1);
	assert_true(len >= 0);
	close(fd);
	while ((pid = strtol(at, &end, 10)) > 0) {
		n += !sandbox_is_off((pid_t)pid);
		at = end;
	}
	return n;
}

static void
a_passphrase_goes_by_a_child_to_the_vault(void **state)
{
	struct pollfd pfd = {.events = POLLIN};
	int busy;

	(void)state;
	parent_fixture_put_file("vault.sealed", "", 0600);
	parent_fixture_start();
	parent_fixture_wait_ready();
	assert_string_equal(answer(ask(7)), "no 9\n");
	parent_fixture_wait_for(
	    "vault.log", "offer slot=3 byte=7\noffer slot=9 byte=7\n", 1);
	assert_string_equal(answer(ask(9)), "ok slot 9\n");
	/* One at a time; who comes second waits. */
	assert_true((busy = connect_control()) >= 0);
	usleep(50000);
	pfd.fd = ask(3);
	assert_int_equal(poll(&pfd, 1, 200), 0);
	/* Gate, vault, and the one that hears the passphrase. */
	assert_int_equal(walled(), 3);
	close(busy);
	assert_string_equal(answer(pfd.fd), "ok slot 3\n");
	assert_int_equal(parent_fixture_stop(), 0);
}

static void
nothing_to_unseal_is_said(void **state)
{
	(void)state;
	parent_fixture_start();
	parent_fixture_wait_ready();
	assert_string_equal(
	    answer(ask(1)), "error it is open: there is nothing to unseal\n");
	assert_int_equal(parent_fixture_stop(), 0);
}

/* As somebody else, the path and the socket are refused. */
static void
the_control_socket_is_not_for_others(void **state)
{
	static const uint8_t request[4] = {UNSEAL_VERB, 0, 1, 9};
	char path[96], c;
	pid_t pid;
	int st, fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	parent_fixture_put_file("vault.sealed", "", 0600);
	parent_fixture_start();
	parent_fixture_wait_ready();
	/* Open the way to it, so that only the peer's uid protects. */
	assert_int_equal(chmod(parent_fixture_dir, 0711), 0);
	snprintf(path, sizeof(path), "%s/run", parent_fixture_dir);
	assert_int_equal(chmod(path, 0711), 0);
	snprintf(path, sizeof(path), "%s/run/control.sock", parent_fixture_dir);
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit(setuid(65534) == 0 && connect_control() < 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_true((fd = connect_control()) >= 0);
	close(fd);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		/* In, if the way there is open, and out: it is not heard. */
		fd = setuid(65534) == 0 ? connect_control() : -1;
		(void)send(fd, request, sizeof(request), MSG_NOSIGNAL);
		_exit(fd < 0 || recv(fd, &c, 1, 0) <= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), 0);
	assert_int_equal(parent_fixture_stop(), 0);
}

/* In a root directory of 0700, say, nobody else can be anywhere. */
static bool
another_user_comes_here(void)
{
	pid_t pid = fork();
	int st;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(setgid(65534) != 0 || setuid(65534) != 0 ||
		    access(parent_fixture_dir, X_OK) != 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return st == 0;
}

static void
it_becomes_another_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	parent_fixture_put_conf("user = nobody\n");
	assert_int_equal(chown(parent_fixture_dir, 65534, 65534), 0);
	if (!another_user_comes_here())
		skip();
	parent_fixture_start();
	parent_fixture_wait_ready();
	parent_fixture_wait_for("gate.log", "uid=65534", 1);
	parent_fixture_wait_for("vault.log", "uid=65534", 1);
	assert_int_equal(parent_fixture_stop(), 0);
	parent_fixture_put_conf("user = nobody-at-all\n");
	parent_fixture_start();
	assert_int_equal(parent_fixture_wait_end(), CONTROL_EXIT_CONFIG);
	parent_fixture_wait_for("err", "user: there is no nobody-at-all", 1);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(                                       \
	    name, parent_fixture_setup, parent_fixture_teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_says_ready_once_and_stops_in_order),
	    TEST(a_gate_that_is_killed_comes_back),
	    TEST(a_gate_that_the_vault_gives_up_is_made_anew_once),
	    TEST(a_vault_that_is_killed_comes_back_and_nobody_is_to_blame),
	    TEST(the_request_a_vault_died_of_is_told_to_the_next),
	    TEST(too_many_deaths_end_it_with_70),
	    TEST(a_child_that_says_it_is_useless_is_believed),
	    TEST(a_child_without_walls_ends_it),
	    TEST(children_do_not_outlive_the_parent),
	    TEST(a_child_that_does_not_stop_is_stopped),
	    TEST(a_reload_reaches_the_children_and_a_bad_one_nobody),
	    TEST(the_key_file_is_opened_and_not_read),
	    TEST(directories_that_are_missing_or_open_are_refused),
	    TEST(a_run_dir_that_others_write_in_does_not_start),
	    TEST(two_in_one_run_dir_do_not_start),
	    TEST(a_passphrase_goes_by_a_child_to_the_vault),
	    TEST(nothing_to_unseal_is_said),
	    TEST(the_control_socket_is_not_for_others),
	    TEST(it_becomes_another_user),
	};

	if (argc == 2 && strcmp(argv[0], "cdopd") == 0)
		return parent_fixture_child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
