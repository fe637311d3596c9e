/* The agent gives its key to its own user, for its identity, for its time. */
#include "client/agent.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static bool cannot_lock;
static unsigned *slept_s; /* shared with the agent: how long the computer has */

/* In the place of the C library's. */
int
mlock(const void *addr, size_t len)
{
	return cannot_lock ? -1 : (int)syscall(SYS_mlock, addr, len);
}

static bool *is_closed; /* shared too: nobody looks into its memory */

int
prctl(int option, ...)
{
	unsigned long value;
	va_list args;

	va_start(args, option);
	value = va_arg(args, unsigned long);
	va_end(args);
	if (option == PR_SET_DUMPABLE && is_closed != NULL)
		*is_closed = value == 0;
	return (int)syscall(SYS_prctl, option, value, 0, 0, 0);
}

/* The clock that counts sleep. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (id == CLOCK_BOOTTIME && slept_s != NULL)
		ts->tv_sec += *slept_s;
	return rc;
}

static int
setup(void **state)
{
	struct fixture *f;

	if (fixture_setup(state) != 0)
		return -1;
	f = *state;
	return setenv("XDG_RUNTIME_DIR", f->dir, 1);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)agent_stop(&f->ctx);
	return fixture_teardown(state);
}

/* An agent needs a moment to listen or to go. */
static bool
asked(struct fixture *f, bool wanted, uint8_t *key)
{
	const struct timespec pause = {0, 20000000};
	int i;

	for (i = 0; i < 250; i++) {
		if (agent_key(&f->ctx, f->session.identity.salt, key) == wanted)
			return wanted;
		(void)nanosleep(&pause, NULL);
	}
	return !wanted;
}

static void
it_gives_the_key_until_it_is_locked(void **state)
{
	struct fixture *f = *state;
	uint8_t key[32] = {0}, salt[16] = {0};
	struct stat st;

	assert_false(agent_key(&f->ctx, f->session.identity.salt, key));
	assert_int_equal(agent_start(&f->ctx, 60), EXIT_OK);
	assert_true(asked(f, true, key));
	assert_memory_equal(key, f->session.identity.key, 32);
	/* Another identity gets nothing. */
	assert_false(agent_key(&f->ctx, salt, key));
	assert_int_equal(
	    stat(cdop_arena_printf(f->ctx.arena, "%s/cdop/test.agent", f->dir),
		&st),
	    0);
	assert_int_equal(st.st_mode & 077, 0);
	assert_true(agent_stop(&f->ctx));
	assert_false(asked(f, false, key));
	assert_false(agent_stop(&f->ctx));
}

static void
its_time_ends(void **state)
{
	struct fixture *f = *state;
	uint8_t key[32];

	assert_int_equal(agent_start(&f->ctx, 1), EXIT_OK);
	assert_true(asked(f, true, key));
	assert_false(asked(f, false, key));
}

static void *
shared_with_agent(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* A laptop is shut, stolen, and opened elsewhere. */
static void
its_time_passes_while_the_computer_sleeps(void **state)
{
	const struct timespec pause = {0, 100000000};
	struct fixture *f = *state;
	uint8_t key[32];

	slept_s = shared_with_agent(sizeof(*slept_s));
	assert_int_equal(agent_start(&f->ctx, 900), EXIT_OK);
	assert_true(asked(f, true, key));
	(void)nanosleep(&pause, NULL); /* it waits for the next */
	*slept_s = 901;
	/* Already the first who asks gets nothing. */
	assert_false(agent_key(&f->ctx, f->session.identity.salt, key));
	assert_false(agent_stop(&f->ctx));
	*slept_s = 0;
}

/* The one before goes before the next one listens, and takes nothing along. */
static void
the_next_one_takes_its_place(void **state)
{
	struct fixture *f = *state;
	uint8_t key[32];
	int i;

	for (i = 0; i < 200; i++) {
		assert_int_equal(agent_start(&f->ctx, 60), EXIT_OK);
		assert_true(agent_key(&f->ctx, f->session.identity.salt, key));
	}
	assert_true(agent_stop(&f->ctx));
	assert_false(agent_stop(&f->ctx));
}

/* A lock of a script, a file that the passphrase was read from. */
static void
it_keeps_open_nothing_that_it_was_given(void **state)
{
	struct fixture *f = *state;
	uint8_t key[32];
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(agent_start(&f->ctx, 60), EXIT_OK);
	assert_true(asked(f, true, key));
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	assert_int_equal(close(ends[0]), 0);
}

/* That it holds the key is not said before it does. */
static void
what_cannot_be_locked_is_not_held(void **state)
{
	struct fixture *f = *state;
	uint8_t key[32];

	cannot_lock = true;
	assert_int_equal(agent_start(&f->ctx, 60), EXIT_UNEXPECTED);
	cannot_lock = false;
	assert_non_null(strstr(f->ctx.error.message, "nothing is held"));
	assert_false(agent_key(&f->ctx, f->session.identity.salt, key));
	assert_int_equal(access(cdop_arena_printf(
				    f->ctx.arena, "%s/cdop/test.agent", f->dir),
			     F_OK),
	    -1);
}

/* Nor does a core tell it. */
static void
nobody_looks_into_its_memory(void **state)
{
	struct fixture *f = *state;
	uint8_t key[32];

	is_closed = shared_with_agent(sizeof(*is_closed));
	assert_int_equal(agent_start(&f->ctx, 60), EXIT_OK);
	assert_true(asked(f, true, key));
	assert_true(*is_closed);
}

/* What one of another number is told who asks for the key, in bytes; 100: he
 * could not ask. */
static int
told_to_another(struct fixture *f, const char *dir)
{
	struct sockaddr_un addr = {AF_UNIX, "test.agent"};
	uint8_t request[17] = {'K'}, key[32];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ssize_t n;

	memcpy(request + 1, f->session.identity.salt, 16);
	/* What is above the folder may be closed to him. */
	if (chdir(dir) != 0 || setresuid(65534, 65534, 65534) != 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return 100;
	/* It may have hung up already. */
	(void)!send(fd, request, sizeof(request), MSG_NOSIGNAL);
	n = recv(fd, key, sizeof(key), MSG_WAITALL);
	return n < 0 ? 0 : (int)n;
}

static void
it_tells_nobody_else(void **state)
{
	struct fixture *f = *state;
	const char *dir = cdop_arena_printf(f->ctx.arena, "%s/cdop", f->dir);
	const char *path =
	    cdop_arena_printf(f->ctx.arena, "%s/test.agent", dir);
	uint8_t key[32];
	pid_t pid;
	int status;

	if (geteuid() != 0)
		skip();
	assert_int_equal(agent_start(&f->ctx, 60), EXIT_OK);
	assert_true(asked(f, true, key));
	/* Whatever the modes are. */
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path, 0777), 0);
	if ((pid = fork()) == 0)
		_exit(told_to_another(f, dir));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
without_a_login_session_there_is_none(void **state)
{
	struct fixture *f = *state;

	(void)unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(agent_start(&f->ctx, 60), EXIT_USAGE);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(it_gives_the_key_until_it_is_locked),
	    WITH(its_time_ends),
	    WITH(its_time_passes_while_the_computer_sleeps),
	    WITH(the_next_one_takes_its_place),
	    WITH(it_keeps_open_nothing_that_it_was_given),
	    WITH(what_cannot_be_locked_is_not_held),
	    WITH(nobody_looks_into_its_memory),
	    WITH(it_tells_nobody_else),
	    WITH(without_a_login_session_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
