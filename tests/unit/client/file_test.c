/* What is no file where one was named, and files that are kept. */
#include "client/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

/* Calls to the disk: f, d: a file, a folder is synced; n: it has its name. */
static char calls[16];

static void
note(char call)
{
	size_t len = strlen(calls);

	assert_true(len + 1 < sizeof(calls));
	calls[len] = call;
}

/* In the place of the C library's. */
int
fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0)
		note(S_ISDIR(st.st_mode) ? 'd' : 'f');
	return (int)syscall(SYS_fsync, fd);
}

int
rename(const char *from, const char *to)
{
	note('n');
	return (int)syscall(SYS_rename, from, to);
}

static enum cdop_err
read_it(struct fixture *f, const char *path, struct cdop_bytes *ret)
{
	errno = 0;
	return file_read(path, 100, f->ctx.arena, ret);
}

/* Whoever wrote the folder could have us wait for ever. */
static void
a_pipe_that_lies_there_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	const char *pipe_at =
	    cdop_arena_printf(f->ctx.arena, "%s/pipe", f->dir);
	const char *link_at =
	    cdop_arena_printf(f->ctx.arena, "%s/link", f->dir);
	struct cdop_bytes bytes;

	assert_int_equal(mkfifo(pipe_at, 0600), 0);
	assert_int_equal(symlink("pipe", link_at), 0);
	assert_int_equal(read_it(f, pipe_at, &bytes), CDOP_UNAVAILABLE);
	assert_int_equal(errno, ENOTSUP);
	assert_int_equal(read_it(f, link_at, &bytes), CDOP_UNAVAILABLE);
	assert_int_equal(read_it(f, f->dir, &bytes), CDOP_UNAVAILABLE);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(read_it(f, "/nonexistent/x", &bytes), CDOP_NOT_FOUND);
}

/* <(...) of a shell is named like a file. */
static void
one_of_this_process_is_read(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes bytes;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "hello", 5), 5);
	(void)close(ends[1]);
	assert_int_equal(
	    read_it(f, cdop_arena_printf(f->ctx.arena, "/dev/fd/%d", ends[0]),
		&bytes),
	    CDOP_OK);
	assert_int_equal(bytes.len, 5);
	(void)close(ends[0]);
}

/* A receipt, a rejects file, a backup: nobody else's, and over nobody's. */
static void
a_new_file_is_its_makers_alone(void **state)
{
	struct fixture *f = *state;
	const char *path = cdop_arena_printf(f->ctx.arena, "%s/new", f->dir);
	const struct cdop_bytes part = {(const uint8_t *)"hello", 5};
	const mode_t usual = umask(0);
	struct file_new new;
	struct stat st;

	assert_int_equal(file_begin(path, &new), CDOP_OK);
	(void)umask(usual);
	assert_int_equal(file_finish(&new, &part, 1), CDOP_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(file_begin(path, &new), CDOP_ALREADY_EXISTS);
}

/* What is kept: requests, what was seen of the log, the keys. */
static void
what_is_kept_is_its_owners_alone(void **state)
{
	struct fixture *f = *state;
	const char *dir = cdop_arena_printf(f->ctx.arena, "%s/a/b", f->dir);
	const char *path = cdop_arena_printf(f->ctx.arena, "%s/kept", dir);
	const struct cdop_bytes part = {(const uint8_t *)"hello", 5};
	const mode_t usual = umask(0);
	struct stat st;

	assert_int_equal(file_make_dir(dir), CDOP_OK);
	assert_int_equal(file_put(path, &part, 1), CDOP_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_replace(path, &part, 1), CDOP_OK);
	(void)umask(usual);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	dir = cdop_arena_printf(f->ctx.arena, "%s/a", f->dir);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* Or the power that goes leaves a name with nothing in it, or the old one. */
static void
what_is_kept_is_on_the_disk_before_it_has_its_name(void **state)
{
	struct fixture *f = *state;
	const char *path = cdop_arena_printf(f->ctx.arena, "%s/kept", f->dir);
	const char *other = cdop_arena_printf(f->ctx.arena, "%s/other", f->dir);
	const struct cdop_bytes part = {(const uint8_t *)"hello", 5};

	memset(calls, 0, sizeof(calls));
	assert_int_equal(file_replace(path, &part, 1), CDOP_OK);
	assert_string_equal(calls, "fnd");
	memset(calls, 0, sizeof(calls));
	assert_int_equal(file_create(other, &part, 1), CDOP_OK);
	assert_string_equal(calls, "fd");
	memset(calls, 0, sizeof(calls));
	assert_int_equal(file_move(path, other), CDOP_OK);
	assert_string_equal(calls, "ndd");
	memset(calls, 0, sizeof(calls));
	assert_int_equal(file_remove(other), CDOP_OK);
	assert_string_equal(calls, "d");
}

/* Not all that is below /dev is the system's. */
static void
nor_is_one_that_somebody_put_below_dev(void **state)
{
	struct fixture *f = *state;
	const char *pipe_at = cdop_arena_printf(
	    f->ctx.arena, "/dev/shm/cdop-pipe.%ld", (long)getpid());
	struct cdop_bytes bytes;

	assert_int_equal(read_it(f, "/dev/null", &bytes), CDOP_OK);
	assert_int_equal(bytes.len, 0);
	/* Where there is no such folder, what is named there is not there. */
	if (mkfifo(pipe_at, 0600) != 0) {
		assert_int_equal(read_it(f, pipe_at, &bytes), CDOP_NOT_FOUND);
		return;
	}
	assert_int_equal(read_it(f, pipe_at, &bytes), CDOP_UNAVAILABLE);
	assert_int_equal(errno, ENOTSUP);
	assert_int_equal(unlink(pipe_at), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pipe_that_lies_there_is_not_waited_for),
	    TEST(nor_is_one_that_somebody_put_below_dev),
	    TEST(one_of_this_process_is_read),
	    TEST(a_new_file_is_its_makers_alone),
	    TEST(what_is_kept_is_its_owners_alone),
	    TEST(what_is_kept_is_on_the_disk_before_it_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
