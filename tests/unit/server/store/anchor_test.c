/* The anchor file: replaced whole or not at all. */
#include "server/store/anchor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/server/scratch.h"

static char dir[64];

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
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	note('n');
	return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

static int
make(void **state)
{
	(void)state;
	scratch_dir(dir, sizeof(dir), "anchor");
	return 0;
}

static int
end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static struct cdop_bytes
text(const char *words)
{
	return (struct cdop_bytes){(const uint8_t *)words, strlen(words)};
}

static void
what_was_written_is_read(void **state)
{
	uint8_t room[64];
	char path[128];
	struct stat st;
	size_t len;

	(void)state;
	assert_int_equal(
	    anchor_read(dir, room, sizeof(room), &len), CDOP_NOT_FOUND);
	assert_int_equal(anchor_write(dir, text("the first one")), CDOP_OK);
	assert_int_equal(anchor_write(dir, text("second")), CDOP_OK);
	assert_int_equal(anchor_read(dir, room, sizeof(room), &len), CDOP_OK);
	assert_int_equal(len, 6);
	assert_memory_equal(room, "second", 6);
	snprintf(path, sizeof(path), "%s/anchor", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/anchor.new", dir);
	assert_int_not_equal(stat(path, &st), 0);
}

/* Or a power cut leaves none, or one of long ago, beside what was answered. */
static void
it_is_on_the_disk_when_it_is_said_to_be(void **state)
{
	(void)state;
	memset(calls, 0, sizeof(calls));
	assert_int_equal(anchor_write(dir, text("x")), CDOP_OK);
	assert_string_equal(calls, "fnd");
}

/* Nobody mistakes a directory that is gone for a registry without one. */
static void
what_cannot_be_read_is_not_missing(void **state)
{
	uint8_t room[64];
	char path[128];
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/gone", dir);
	assert_int_equal(
	    anchor_read(path, room, sizeof(room), &len), CDOP_DATA_LOSS);
	assert_int_equal(anchor_write(path, text("x")), CDOP_NOT_FOUND);
	assert_int_equal(anchor_write(dir, text("longer than room")), CDOP_OK);
	assert_int_equal(anchor_read(dir, room, 16, &len), CDOP_DATA_LOSS);
	snprintf(path, sizeof(path), "%s/anchor", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(
	    anchor_read(dir, room, sizeof(room), &len), CDOP_DATA_LOSS);
}

/* Whoever may write there could have the vault wait for ever. */
static void
a_pipe_is_not_waited_for(void **state)
{
	uint8_t room[64];
	char path[128];
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/anchor", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(anchor_read(dir, room, sizeof(room), &len), CDOP_OK);
	assert_int_equal(len, 0); /* as of an empty one */
	snprintf(path, sizeof(path), "%s/anchor.new", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_not_equal(anchor_write(dir, text("x")), CDOP_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(anchor_write(dir, text("x")), CDOP_OK);
}

/* Nothing of it is lost: whoever has room again writes it. */
static void
without_descriptors_it_is_room_that_is_missing(void **state)
{
	struct rlimit before, none;
	enum cdop_err err;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = anchor_write(dir, text("x"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(anchor_write(dir, text("x")), CDOP_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_was_written_is_read, make, end),
	    cmocka_unit_test_setup_teardown(
		it_is_on_the_disk_when_it_is_said_to_be, make, end),
	    cmocka_unit_test_setup_teardown(
		what_cannot_be_read_is_not_missing, make, end),
	    cmocka_unit_test_setup_teardown(
		a_pipe_is_not_waited_for, make, end),
	    cmocka_unit_test_setup_teardown(
		without_descriptors_it_is_room_that_is_missing, make, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
