/* One process at a time, and none that waits for ever. */
#include "client/lock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/file.h"
#include "client/session.h"
#include "client/spool.h"
#include "tests/unit/client/fixture.h"

#define LONG_MS 60000

static const char *
path_of(struct fixture *f, const char *name)
{
	return cdop_arena_printf(f->ctx.arena, "%s/%s", f->dir, name);
}

static int
status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* The other one gets it only after the mark was made, however it is run. */
static void
the_second_has_to_wait(void **state)
{
	struct fixture *f = *state;
	const char *path = path_of(f, "lock"), *mark = path_of(f, "mark");
	struct lock lock;
	pid_t pid;

	assert_int_equal(lock_take(&f->ctx, path, "waits", 0, &lock), EXIT_OK);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(lock.fd);
		if (lock_take(&f->ctx, path, "waits", LONG_MS, &lock) !=
		    EXIT_OK)
			_exit(1);
		_exit(file_exists(mark) ? 0 : 2);
	}
	(void)fixture_file(f, "mark", "", 0);
	lock_drop(&lock, false);
	assert_int_equal(status_of(pid), 0);
}

static void
nobody_waits_for_ever(void **state)
{
	struct fixture *f = *state;
	const char *path = path_of(f, "lock");
	struct lock lock, other;
	struct stat st;

	assert_int_equal(
	    lock_take(&f->ctx, path, "is at work", 0, &lock), EXIT_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(lock_take(&f->ctx, path, "is at work", 0, &other),
	    EXIT_UNREACHABLE);
	assert_string_equal(f->ctx.error.reason, "busy");
	assert_non_null(
	    strstr(f->ctx.error.message, "another cdop on this computer"));
	lock_drop(&lock, false);
	assert_int_equal(
	    lock_take(&f->ctx, path, "is at work", 0, &other), EXIT_OK);
	lock_drop(&other, true);
	assert_false(file_exists(path));
	assert_int_equal(lock_take(&f->ctx, path_of(f, "no/such/lock"),
			     "is at work", 0, &other),
	    EXIT_UNEXPECTED);
}

static void
a_holder_that_dies_holds_nothing(void **state)
{
	struct fixture *f = *state;
	const char *path = path_of(f, "lock");
	struct lock lock;
	int told[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		c = lock_take(&f->ctx, path, "dies", 0, &lock) == EXIT_OK;
		(void)!write(told[1], &c, 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(c, 1);
	assert_int_equal(
	    lock_take(&f->ctx, path, "dies", 0, &lock), EXIT_UNREACHABLE);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)status_of(pid);
	assert_int_equal(lock_take(&f->ctx, path, "dies", 0, &lock), EXIT_OK);
	lock_drop(&lock, false);
	(void)close(told[0]);
	(void)close(told[1]);
}

/* Adds one to a number in the identity file, again and again. */
static void
count_up(struct fixture *f, unsigned times)
{
	struct identity *id = &f->session.identity;

	while (times-- > 0) {
		if (session_hold(&f->ctx) != EXIT_OK)
			_exit(1);
		id->secret->has_turned_ms = true;
		id->secret->turned_ms++;
		if (identity_save(id, f->ctx.arena) != CDOP_OK)
			_exit(2);
		session_release(&f->ctx);
	}
	_exit(0);
}

static void
two_that_write_the_identity_lose_nothing(void **state)
{
	struct fixture *f = *state;
	struct identity *id = &f->session.identity;
	pid_t pid[2];
	size_t i;

	assert_int_equal(identity_save(id, f->ctx.arena), CDOP_OK);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			count_up(f, 40);
	}
	for (i = 0; i < 2; i++)
		assert_int_equal(status_of(pid[i]), 0);
	/* Held, it is as it is on disk, and not as it was read. */
	assert_int_equal(session_hold(&f->ctx), EXIT_OK);
	assert_int_equal(session_hold(&f->ctx), EXIT_OK);
	assert_int_equal(id->secret->turned_ms, 80);
	session_release(&f->ctx);
	assert_int_equal(f->session.holds, 1);
	session_release(&f->ctx);
}

static void
two_that_keep_drafts_lose_none(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientDraft draft;
	struct spool_list list;
	uint8_t key[16] = {1};
	unsigned number, k;
	pid_t pid[2];
	size_t i;

	cdop__client_draft__init(&draft);
	draft.form = cdop_arena_alloc(f->ctx.arena, sizeof(*draft.form));
	cdop__form__init(draft.form);
	draft.request_key.data = key;
	draft.request_key.len = sizeof(key);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		for (k = 0; pid[i] == 0 && k < 20; k++) {
			number = 0;
			if (spool_put_draft(&f->ctx, &draft, &number, NULL) !=
			    EXIT_OK)
				_exit(1);
		}
		if (pid[i] == 0)
			_exit(0);
	}
	for (i = 0; i < 2; i++)
		assert_int_equal(status_of(pid[i]), 0);
	assert_int_equal(spool_drafts(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 40);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(the_second_has_to_wait),
	    WITH(nobody_waits_for_ever),
	    WITH(a_holder_that_dies_holds_nothing),
	    WITH(two_that_write_the_identity_lose_nothing),
	    WITH(two_that_keep_drafts_lose_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
