/*
 * The walls: each forbidden call ends the process, what a role needs still
 * works.  Every try is made in a forked child that shuts itself in first.
 */
#include "server/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "server/base/log.h"
#include "tests/unit/server/base/tries.h"
#include "tests/unit/server/scratch.h"

static char dir[64];
static int sockets[2];
static int polling;
static bool has_landlock;

/* Exit statuses of a child. */
enum {
	CAME_BACK = 50, /* the call was let through and did something */
	REFUSED = 51,   /* it failed with EACCES or EPERM */
	WORKED = 52,
	NO_WALLS = 53,
	DID_NOT_WORK = 54,
};

static void
shut_in(enum sandbox_role role)
{
	const char *dirs[] = {dir};
	size_t n = role == SANDBOX_VAULT ? 1 : 0;
	bool landlock;
	int null;

	/* What the children say is not for the reader of a test. */
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(NO_WALLS);
	if (sandbox_enter(role, dirs, n, &landlock) != CDOP_OK)
		_exit(NO_WALLS);
}

/* The status of a child that enters role and tries. */
static int
try_in(enum sandbox_role role, try_fn *try)
{
	pid_t pid = fork();
	long r;
	int st;

	assert_true(pid >= 0);
	if (pid == 0) {
		shut_in(role);
		/* The first line of a process is the one that needs more. */
		log_error("test", "role=%d", (int)role);
		errno = 0;
		r = try();
		if (r < 0 && (errno == EACCES || errno == EPERM))
			_exit(REFUSED);
		_exit(CAME_BACK);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return st;
}

static bool
is_killed(int st)
{
	if (WIFSIGNALED(st))
		return WTERMSIG(st) == SIGSYS;
	/* The trap logs the number and leaves. */
	return WIDE && WIFEXITED(st) && WEXITSTATUS(st) == 128 + SIGSYS;
}

static void
each_forbidden_call_ends_the_process(void **state)
{
	enum sandbox_role role;
	size_t i;
	int st;

	(void)state;
	for (i = 0; i < tries_n_forbidden; i++) {
		if (WIDE && tries_forbidden[i].wide)
			continue;
		for (role = SANDBOX_GATE; role <= SANDBOX_KDF; role++) {
			if ((tries_forbidden[i].roles & 1U << role) == 0)
				continue;
			st = try_in(role, tries_forbidden[i].try);
			if (!is_killed(st))
				fail_msg("%s in role %d: status %#x",
				    tries_forbidden[i].name, (int)role,
				    (unsigned)st);
		}
	}
}

/* The vault may open files, but Landlock says which. */
static void
no_file_outside_its_directory_is_reached(void **state)
{
	size_t i;
	int st;

	(void)state;
	if (!has_landlock)
		skip();
	for (i = WIDE ? 1 : 0; i < TRIES_FILES; i++) {
		st = try_in(SANDBOX_VAULT, tries_files[i]);
		if (!WIFEXITED(st) || WEXITSTATUS(st) != REFUSED)
			fail_msg("try %zu: status %#x", i, (unsigned)st);
	}
	/* Behind the filter of the gate it stands too. */
	if (WIDE)
		assert_int_equal(
		    WEXITSTATUS(try_in(SANDBOX_GATE, tries_files[1])), REFUSED);
}

static void
must(bool ok)
{
	if (!ok)
		_exit(DID_NOT_WORK);
}

static long
gate_work(void)
{
	struct sockaddr_storage peer;
	struct epoll_event event = {.events = EPOLLIN};
	struct mmsghdr many = {0};
	struct iovec iov;
	struct timespec now;
	struct ucred ucred;
	socklen_t len = sizeof(ucred);
	uint8_t *heap, c = 'x';
	int conn, on = 1;

	must((conn = accept4(tries_world.listening, (struct sockaddr *)&peer,
		  &(socklen_t){sizeof(peer)}, SOCK_NONBLOCK)) >= 0);
	must(getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &ucred, &len) == 0);
	must(setsockopt(conn, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0);
	must(epoll_ctl(polling, EPOLL_CTL_ADD, conn, &event) == 0);
	must(send(sockets[0], &c, 1, MSG_NOSIGNAL) == 1);
	iov.iov_base = &c;
	iov.iov_len = 1;
	many.msg_hdr.msg_iov = &iov;
	many.msg_hdr.msg_iovlen = 1;
	must(recvmmsg(sockets[1], &many, 1, MSG_DONTWAIT, NULL) == 1);
	must(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	must((heap = malloc(5U << 20)) != NULL);
	memset(heap, 1, 5U << 20);
	free(heap);
	must(shutdown(conn, SHUT_WR) == 0 && close(conn) == 0);
	return 0;
}

static void
fill_database(MDB_env *env)
{
	static uint8_t value[3000];
	MDB_val k, v;
	MDB_txn *txn;
	MDB_dbi dbi;
	uint32_t i, n;

	for (n = 0; n < 20; n++) {
		must(mdb_txn_begin(env, NULL, 0, &txn) == 0);
		must(mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
		for (i = n * 50; i < n * 50 + 50; i++) {
			k.mv_data = &i;
			k.mv_size = sizeof(i);
			v.mv_data = value;
			v.mv_size = sizeof(value);
			must(mdb_put(txn, dbi, &k, &v, 0) == 0);
		}
		must(mdb_txn_commit(txn) == 0);
	}
}

static long
vault_work(void)
{
	struct statvfs fs;
	char other[96];
	MDB_env *env;
	void *locked;
	int fd;

	must(mdb_env_create(&env) == 0);
	must(mdb_env_set_mapsize(env, 64U << 20) == 0);
	must(mdb_env_open(env, dir, MDB_NOTLS, 0600) == 0);
	fill_database(env);
	mdb_env_close(env);
	must((fd = open(tries_world.inside, O_RDWR | O_CREAT | O_CLOEXEC,
		  0600)) >= 0);
	must(ftruncate(fd, 1 << 20) == 0);
	must(posix_fallocate(fd, 0, 1 << 20) == 0);
	must(pwrite(fd, "abc", 3, 9) == 3 && lseek(fd, 9, SEEK_SET) == 9);
	must(fdatasync(fd) == 0 && fsync(fd) == 0);
	must(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) == 0);
	must(fstatvfs(fd, &fs) == 0);
	must(readahead(fd, 0, 4096) == 0);
	snprintf(other, sizeof(other), "%s/other", dir);
	must(rename(tries_world.inside, other) == 0 &&
	    renameat(AT_FDCWD, other, AT_FDCWD, tries_world.inside) == 0);
	must((locked = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED);
	must(mprotect(locked, 4096, PROT_NONE) == 0);
	must(mlock((uint8_t *)locked + 4096, 4096) == 0);
	must(madvise(locked, 65536, MADV_DONTDUMP) == 0);
	must(munmap(locked, 65536) == 0);
	must(close(fd) == 0);
	return 0;
}

static long
kdf_work(void)
{
	static const uint8_t word[] = "correct horse";
	struct cdop_bytes password = {word, sizeof(word) - 1};
	uint8_t key[CDOP_KEY_LEN], salt[CDOP_SALT_LEN] = {1};
	char c;

	must(write(sockets[0], "p", 1) == 1 && read(sockets[1], &c, 1) == 1);
	must(cdop_secret_password(key, password, salt, 1, 16384) == CDOP_OK);
	must(mlock(key, sizeof(key)) == 0);
	must(shutdown(sockets[0], SHUT_RDWR) == 0);
	return 0;
}

static void
what_a_role_needs_still_works(void **state)
{
	static try_fn *const work[] = {gate_work, vault_work, kdf_work};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	enum sandbox_role role;
	int st, fd;

	(void)state;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/sock", dir);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	for (role = SANDBOX_GATE; role <= SANDBOX_KDF; role++) {
		st = try_in(role, work[role]);
		if (!WIFEXITED(st) || WEXITSTATUS(st) != CAME_BACK)
			fail_msg(
			    "role %d: status %#x", (int)role, (unsigned)st);
	}
	close(fd);
}

static void
an_assertion_still_aborts(void **state)
{
	pid_t pid;
	int st;

	(void)state;
	if (WIDE)
		skip(); /* ASan has its own way to die */
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		shut_in(SANDBOX_GATE);
		CDOP_ASSERT(pid != 0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFSIGNALED(st));
	assert_int_equal(WTERMSIG(st), SIGABRT);
}

static void
there_is_no_core_and_no_look_inside(void **state)
{
	struct rlimit limit;
	pid_t pid;
	int st;

	(void)state;
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		must(sandbox_harden() == CDOP_OK);
		must(getrlimit(RLIMIT_CORE, &limit) == 0);
		must(limit.rlim_cur == 0 && limit.rlim_max == 0);
		must(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
		must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
		_exit(WORKED);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), WORKED);
}

static void
a_process_without_walls_is_known(void **state)
{
	pid_t pid;
	int pipes[2];
	char c;

	(void)state;
	assert_true(sandbox_is_off(getpid()));
	assert_int_equal(pipe(pipes), 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		shut_in(SANDBOX_GATE);
		must(write(pipes[1], "r", 1) == 1);
		must(read(sockets[0], &c, 1) >= 0);
		_exit(WORKED);
	}
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_false(sandbox_is_off(pid));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(pipes[0]);
	close(pipes[1]);
}

static void
a_directory_that_is_missing_stops_it(void **state)
{
	const char *dirs[] = {"/nowhere/at/all"};
	bool landlock;
	pid_t pid;
	int st;

	(void)state;
	if (!has_landlock)
		skip();
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit(
		    sandbox_enter(SANDBOX_VAULT, dirs, 1, &landlock) == CDOP_OK
			? CAME_BACK
			: REFUSED);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), REFUSED);
}

static int
setup(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)state;
	has_landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
	if (!has_landlock)
		print_message("this kernel has no Landlock\n");
	assert_int_equal(cdop_secret_init(), CDOP_OK);
	scratch_dir(dir, sizeof(dir), "sandbox");
	snprintf(
	    tries_world.inside, sizeof(tries_world.inside), "%s/file", dir);
	snprintf(tries_world.outside, sizeof(tries_world.outside), "%s.outside",
	    dir);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	tries_world.listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/sock", dir);
	assert_int_equal(bind(tries_world.listening,
			     (const struct sockaddr *)&un, sizeof(un)),
	    0);
	tries_world.socket = sockets[0];
	assert_int_equal(listen(tries_world.listening, 5), 0);
	assert_true((polling = epoll_create1(EPOLL_CLOEXEC)) >= 0);
	close(open(tries_world.inside, O_RDWR | O_CREAT, 0600));
	close(open(tries_world.outside, O_RDWR | O_CREAT, 0600));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {
	    "file", "sock", "data.mdb", "lock.mdb"};
	char path[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	unlink(tries_world.outside);
	rmdir(dir);
	close(sockets[0]);
	close(sockets[1]);
	close(tries_world.listening);
	close(polling);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_forbidden_call_ends_the_process),
	    cmocka_unit_test(no_file_outside_its_directory_is_reached),
	    cmocka_unit_test(what_a_role_needs_still_works),
	    cmocka_unit_test(an_assertion_still_aborts),
	    cmocka_unit_test(there_is_no_core_and_no_look_inside),
	    cmocka_unit_test(a_process_without_walls_is_known),
	    cmocka_unit_test(a_directory_that_is_missing_stops_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
