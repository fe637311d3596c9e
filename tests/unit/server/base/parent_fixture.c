/* A parent in a child of the test, and the two it starts. */
#include "tests/unit/server/base/parent_fixture.h"

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

#include "server/base/child.h"
#include "server/base/clock.h"
#include "server/base/fds.h"
#include "server/base/log.h"
#include "server/base/parent.h"
#include "server/base/sandbox.h"
#include "server/base/signals.h"

#define PATIENCE_MS 10000

/* ---- a child ---- */

static int child_log = -1;
static int child_link;
static bool child_opens; /* at the first ping */

__attribute__((format(printf, 1, 2))) static void
child_say(const char *format, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[len++] = '\n';
	if (write(child_log, line, (size_t)len) < 0)
		_exit(99);
}

static bool
child_is(const char *dir, const char *role, const char *mode)
{
	char path[CONFIG_PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s.%s", dir, role, mode);
	return access(path, F_OK) == 0;
}

static void
child_unseal(int channel)
{
	struct control_offered offer;
	struct pollfd pfd = {channel, POLLIN, 0};

	while (poll(&pfd, 1, PATIENCE_MS) == 1) {
		if (control_offer_recv(channel, &offer) != CDOP_OK)
			break;
		child_say("offer slot=%d byte=%d", offer.slot, offer.secret[0]);
		if (control_offer_answer(
			channel, offer.secret[0] == offer.slot) != CDOP_OK)
			break;
	}
	fds_close(channel);
}

static void
child_say_lost(uint64_t link)
{
	struct cdop_bytes number = {(const uint8_t *)&link, sizeof(link)};

	if (control_send(CONTROL_FD, CONTROL_LOST, number, -1) != CDOP_OK)
		_exit(92);
}

static void
child_ping(bool is_silent)
{
	child_say("ping");
	if (!is_silent &&
	    control_send(CONTROL_FD, CONTROL_PONG, (struct cdop_bytes){NULL, 0},
		-1) != CDOP_OK)
		_exit(91);
}

/* A vault that was given a key and reads its rows: it hears nothing. */
static void
child_open(void)
{
	struct pollfd pfd = {.fd = CONTROL_FD};

	if (control_send(CONTROL_FD, CONTROL_OPENING,
		(struct cdop_bytes){NULL, 0}, -1) != CDOP_OK)
		_exit(90);
	child_say("opening");
	(void)poll(&pfd, 1, -1); /* until the parent is gone */
	_exit(0);
}

static void
child_loop(bool is_deaf, bool is_silent, uint64_t lost)
{
	static struct control_msg msg;
	enum cdop_err err;

	for (;;) {
		err = control_wait(CONTROL_FD, PATIENCE_MS, &msg);
		if (err != CDOP_OK)
			_exit(98);
		if (msg.kind == CONTROL_PING) {
			child_ping(is_silent);
			if (child_opens)
				child_open();
			continue;
		}
		child_say("message %d", (int)msg.kind);
		if (msg.kind == CONTROL_STOP && !is_deaf)
			_exit(0);
		if (msg.kind == CONTROL_LINK) {
			close(child_link);
			child_link = msg.fd;
			/* Once more, and late. */
			if (lost != 0)
				child_say_lost(lost);
		} else if (msg.kind == CONTROL_UNSEAL) {
			child_unseal(msg.fd);
		}
	}
}

static void
child_vault(const struct control_start *start)
{
	struct control_slot slots[2] = {{.slot = 3}, {.slot = 9}};
	const char *dir = start->conf.data_dir;
	struct control_note *note;
	char key[64];
	ssize_t n;

	child_say("held=%llu", (unsigned long long)start->held_back);
	note = mmap(NULL, sizeof(*note), PROT_READ | PROT_WRITE, MAP_SHARED,
	    CONTROL_NOTE_FD, 0);
	if (note == MAP_FAILED)
		_exit(97);
	if (start->has_key != 0) {
		n = read(CONTROL_KEY_FD, key, sizeof(key));
		child_say("key %.*s", n > 0 ? (int)n : 0, key);
	}
	if (child_is(dir, "vault", "refuses"))
		_exit(CONTROL_EXIT_DATA);
	if (child_is(dir, "vault", "dies"))
		_exit(1);
	if (start->held_back == 0 && child_is(dir, "vault", "aborts")) {
		control_note_set(note, 42);
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	if (control_send_slots(CONTROL_FD, slots,
		child_is(dir, "vault", "sealed") ? 2 : 0) != CDOP_OK)
		_exit(96);
}

int
parent_fixture_child(const char *role)
{
	static struct control_start start;
	char path[CONFIG_PATH_MAX + 64];
	bool landlock, is_vault = strcmp(role, "vault") == 0;
	struct pollfd pfd = {CONTROL_LINK_FD, POLLIN, 0};
	uint64_t lost = 0;
	bool is_deaf, is_silent;

	if (!child_start(&start))
		return 95;
	signals_ignore();
	log_init(role, LOG_LEVEL_INFO);
	snprintf(path, sizeof(path), "%s/%s.log", start.conf.data_dir, role);
	child_log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	child_link = CONTROL_LINK_FD;
	child_say("start pid=%d uid=%d listen=%u first=%llu", (int)getpid(),
	    (int)getuid(), start.n_listen,
	    (unsigned long long)(start.first_conn >> 40));
	if (is_vault)
		child_vault(&start);
	is_deaf = child_is(start.conf.data_dir, role, "deaf");
	is_silent = child_is(start.conf.data_dir, role, "silent");
	child_opens = child_is(start.conf.data_dir, role, "opening");
	if (is_vault && child_is(start.conf.data_dir, role, "lost"))
		lost = start.link;
	if (!child_is(start.conf.data_dir, role, "open") &&
	    sandbox_enter(SANDBOX_VAULT, NULL, 0, &landlock) != CDOP_OK)
		return 94;
	if (control_send_state(
		CONTROL_FD, CONTROL_READY, is_vault ? "open" : "") != CDOP_OK)
		return 93;
	if (!is_vault)
		(void)!write(child_link, "", 1);
	if (lost != 0) {
		/* Of a gate that has been ready. */
		(void)poll(&pfd, 1, PATIENCE_MS);
		child_say_lost(lost);
	}
	child_loop(is_deaf, is_silent, lost);
	return 0;
}

/* ---- the test's side ---- */

char parent_fixture_dir[64];
static char conf_path[96];
static struct config conf;
pid_t parent_fixture_pid;
uint64_t parent_fixture_hang_ms;
int parent_fixture_out; /* the parent's stdout */
char parent_fixture_text[8192];

/* As kdf.c does it, without Argon2id: one byte of passphrase is the key. */
static int
test_unseal(
    int conn, int channel, const struct control_slot *slots, size_t n_slots)
{
	uint8_t head[3], secret[CONTROL_SECRET_LEN] = {0};
	struct pollfd pfd = {conn, POLLIN, 0};
	bool opened = false;
	char line[64];
	size_t i;
	int len;

	if (poll(&pfd, 1, PATIENCE_MS) != 1 || recv(conn, head, 3, 0) != 3 ||
	    recv(conn, secret, 1, 0) != 1)
		return 1;
	for (i = 0; i < n_slots && !opened; i++)
		if (control_offer(channel, slots[i].slot, secret, PATIENCE_MS,
			&opened) != CDOP_OK)
			return 1;
	len = snprintf(line, sizeof(line), opened ? "ok slot %d\n" : "no %d\n",
	    slots[i - 1].slot);
	return send(conn, line, (size_t)len, MSG_NOSIGNAL) == len ? 0 : 1;
}

void
parent_fixture_put_file(const char *name, const char *content, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", parent_fixture_dir, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

void
parent_fixture_put_conf(const char *more)
{
	char content[1024];

	snprintf(content, sizeof(content),
	    "data_dir = %s\nrun_dir = %s/run\nlisten = tcp 127.0.0.1:0\n"
	    "listen = unix link.sock\n%s",
	    parent_fixture_dir, parent_fixture_dir, more);
	parent_fixture_put_file("conf", content, 0600);
}

/* A whole file of dir, "" where there is none. */
const char *
parent_fixture_get_file(const char *name)
{
	char path[128];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", parent_fixture_dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(
		    fd, parent_fixture_text, sizeof(parent_fixture_text) - 1);
		close(fd);
	}
	parent_fixture_text[n > 0 ? n : 0] = '\0';
	return parent_fixture_text;
}

size_t
parent_fixture_count(const char *name, const char *word)
{
	const char *at = parent_fixture_get_file(name);
	size_t n = 0;

	for (; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

/* Waits until a file has a word n times, and returns the file. */
const char *
parent_fixture_wait_for(const char *name, const char *word, size_t n)
{
	uint64_t until = clock_ms() + PATIENCE_MS;

	do {
		if (parent_fixture_count(name, word) >= n)
			return parent_fixture_text;
		usleep(5000);
	} while (clock_ms() < until);
	fail_msg("%s: no %zu times \"%s\" in:\n%s", name, n, word,
	    parent_fixture_text);
	return NULL;
}

pid_t
parent_fixture_pid_of(const char *role, size_t nth)
{
	const char *at;
	char name[32];

	snprintf(name, sizeof(name), "%s.log", role);
	at = parent_fixture_wait_for(name, "pid=", nth);
	while (nth-- > 0)
		at = strstr(at, "pid=") + 4;
	return (pid_t)strtol(at, NULL, 10);
}

static void
run_parent(int stdout_fd)
{
	struct parent_args args = {
	    conf_path, &conf, test_unseal, parent_fixture_hang_ms};
	struct config_error error;
	char path[128];
	int err_fd;

	snprintf(path, sizeof(path), "%s/err", parent_fixture_dir);
	err_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (err_fd < 0 || dup2(err_fd, STDERR_FILENO) < 0 ||
	    dup2(stdout_fd, STDOUT_FILENO) < 0)
		_exit(90);
	if (config_load(conf_path, &conf, &error) != CDOP_OK)
		_exit(91);
	log_init("parent", LOG_LEVEL_INFO);
	exit(parent_run(&args));
}

void
parent_fixture_start(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fflush(NULL);
	assert_true((parent_fixture_pid = fork()) >= 0);
	if (parent_fixture_pid == 0)
		run_parent(fds[1]);
	close(fds[1]);
	parent_fixture_out = fds[0];
}

/* The ready line. */
const char *
parent_fixture_wait_ready(void)
{
	struct pollfd pfd = {parent_fixture_out, POLLIN, 0};
	ssize_t n;

	if (poll(&pfd, 1, PATIENCE_MS) != 1)
		fail_msg("not ready: %s", parent_fixture_get_file("err"));
	n = read(parent_fixture_out, parent_fixture_text,
	    sizeof(parent_fixture_text) - 1);
	if (n <= 0)
		fail_msg("ended: %s", parent_fixture_get_file("err"));
	parent_fixture_text[n > 0 ? n : 0] = '\0';
	return parent_fixture_text;
}

int
parent_fixture_wait_end(void)
{
	int st;

	assert_int_equal(
	    waitpid(parent_fixture_pid, &st, 0), parent_fixture_pid);
	parent_fixture_pid = 0;
	close(parent_fixture_out);
	assert_true(WIFEXITED(st));
	return WEXITSTATUS(st);
}

int
parent_fixture_stop(void)
{
	assert_int_equal(kill(parent_fixture_pid, SIGTERM), 0);
	return parent_fixture_wait_end();
}

bool
parent_fixture_is_running(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((in = fopen(path, "r")) == NULL)
		return false;
	if (fgets(line, sizeof(line), in) == NULL)
		line[0] = '\0';
	fclose(in);
	return strstr(line, ") Z ") == NULL && line[0] != '\0';
}

void
parent_fixture_wait_gone(pid_t pid)
{
	uint64_t until = clock_ms() + PATIENCE_MS;

	while (parent_fixture_is_running(pid) && clock_ms() < until)
		usleep(5000);
	assert_false(parent_fixture_is_running(pid));
}

int
parent_fixture_setup(void **state)
{
	(void)state;
	/* Not in TMPDIR: other users have to find the way there. */
	snprintf(parent_fixture_dir, sizeof(parent_fixture_dir),
	    "%s/cdop-parent.XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(parent_fixture_dir));
	snprintf(conf_path, sizeof(conf_path), "%s/conf", parent_fixture_dir);
	parent_fixture_put_conf("");
	return 0;
}

int
parent_fixture_teardown(void **state)
{
	static const char *const names[] = {"conf", "err", "key", "gate.log",
	    "vault.log", "vault.refuses", "vault.dies", "vault.aborts",
	    "vault.sealed", "vault.deaf", "vault.lost", "vault.open",
	    "gate.deaf", "gate.silent", "vault.silent", "vault.opening",
	    "notify", "run/link.sock", "run/control.sock"};
	char path[128];
	size_t i;

	(void)state;
	if (parent_fixture_pid > 0) {
		kill(parent_fixture_pid, SIGKILL);
		waitpid(parent_fixture_pid, NULL, 0);
	}
	parent_fixture_pid = 0;
	parent_fixture_hang_ms = 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(
		    path, sizeof(path), "%s/%s", parent_fixture_dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/run", parent_fixture_dir);
	rmdir(path);
	assert_int_equal(rmdir(parent_fixture_dir), 0);
	return 0;
}

mode_t
parent_fixture_mode_of(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", parent_fixture_dir, name);
	if (stat(path, &st) < 0)
		return 0;
	return st.st_mode & 07777;
}
