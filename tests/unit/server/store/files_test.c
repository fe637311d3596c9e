/* What stands in the place of a file of the daemon's, and what is next. */
#include "server/store/files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/db.h"
#include "tests/unit/server/scratch.h"

#define SOMEBODY 65534

static char dir[64];
static char path[128];
static struct files_found found;

static int
setup(void **state)
{
	(void)state;
	scratch_dir(dir, sizeof(dir), "files");
	memset(&found, 0, sizeof(found));
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static const char *
at(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
make(const char *name, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
found_is(const char *words, const char *next)
{
	assert_string_equal(found.words, words);
	if (strstr(found.next, next) == NULL)
		fail_msg("\"%s\" is not in: %s", next, found.next);
}

static void
files_of_ones_own_are_fine(void **state)
{
	(void)state;
	assert_int_equal(files_data(dir, &found), FILES_FINE);
	assert_int_equal(files_data("/nowhere/at/all", &found), FILES_FINE);
	make("data.mdb", 0600);
	make("lock.mdb", 0600);
	make("reserve", 0600);
	make("copy.mdb", 0644);
	make("commit-failed", 0644);
	make("somebody-elses", 0666);
	assert_int_equal(files_data(dir, &found), FILES_FINE);
	make("anchor", 0644); /* it is no secret */
	assert_int_equal(files_anchor(dir, &found), FILES_FINE);
	assert_string_equal(found.words, "");
}

static void
the_worst_is_told_and_of_that_the_first(void **state)
{
	(void)state;
	make("data.mdb", 0640);
	assert_int_equal(files_data(dir, &found), FILES_OPEN);
	found_is("data.mdb is open to others (mode 0640)", "chmod 0600");
	make("lock.mdb", 0400);
	assert_int_equal(files_data(dir, &found), FILES_NOT_OURS);
	found_is("lock.mdb may not be read and written by its owner (mode "
		 "0400)",
	    "chmod 0600");
	assert_int_equal(symlink("/etc/passwd", at("reserve")), 0);
	assert_int_equal(mkdir(at("copy.mdb"), 0700), 0);
	assert_int_equal(files_data(dir, &found), FILES_WRONG);
	found_is("reserve is a symbolic link", "made anew");
	assert_int_equal(unlink(at("reserve")), 0);
	assert_int_equal(files_data(dir, &found), FILES_WRONG);
	found_is("copy.mdb is a directory", "nothing in it is needed");
}

/* No start goes through one, even where it is not waited for. */
static void
what_is_no_file_is_not_opened(void **state)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "reserve"};
	const struct db_args args = {
	    .dir = dir, .reserve_bytes = 1 << 20, .create = true};
	struct db *db = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(mkfifo(at(names[i]), 0600), 0);
		assert_int_equal(files_data(dir, &found), FILES_WRONG);
		assert_non_null(strstr(found.words, " is a pipe"));
		assert_int_equal(db_open(&args, &db), CDOP_PERMISSION_DENIED);
		assert_int_equal(unlink(at(names[i])), 0);
	}
	/* A marker and a copy that was not finished are taken away. */
	assert_int_equal(symlink("/etc/passwd", at("copy.mdb")), 0);
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_true(db_left_over(db));
	db_close(db);
}

static void
an_anchor_that_is_none_is_told(void **state)
{
	(void)state;
	make("anchor", 0666);
	assert_int_equal(files_anchor(dir, &found), FILES_OPEN);
	found_is("anchor is open to others (mode 0666)", "chmod");
	assert_int_equal(mkdir(at("anchor.new"), 0700), 0);
	assert_int_equal(files_anchor(dir, &found), FILES_WRONG);
	found_is("anchor.new is a directory", "made anew");
	assert_int_equal(unlink(at("anchor")), 0);
	assert_int_equal(mknod(at("anchor"), S_IFSOCK | 0600, 0), 0);
	assert_int_equal(files_anchor(dir, &found), FILES_WRONG);
	found_is("anchor is no file", "find out who put it there");
	assert_int_equal(unlink(at("anchor")), 0);
	assert_int_equal(symlink("/dev/null", at("anchor")), 0);
	assert_int_equal(files_anchor(dir, &found), FILES_WRONG);
	found_is("anchor is a symbolic link", "find out who put it there");
}

static void
one_that_is_another_users_is_told(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make("data.mdb", 0600);
	make("lock.mdb", 0600);
	assert_int_equal(chown(at("lock.mdb"), SOMEBODY, SOMEBODY), 0);
	assert_int_equal(files_data(dir, &found), FILES_NOT_OURS);
	found_is("lock.mdb belongs to user 65534, and its directory to 0",
	    "chown it");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(files_of_ones_own_are_fine),
	    TEST(the_worst_is_told_and_of_that_the_first),
	    TEST(what_is_no_file_is_not_opened),
	    TEST(an_anchor_that_is_none_is_told),
	    TEST(one_that_is_another_users_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
