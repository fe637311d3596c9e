/* What a killed one has left goes, and nothing of anybody else's. */
#include "server/workplace.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/server/scratch.h"

#define OLD_S 90
#define NEW_S 30

static char top[64];

static const char *
at(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

static void
file(const char *name)
{
	const int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static void
folder(const char *name)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
}

/* So many seconds ago was the last thing made in it. */
static void
age(const char *name, time_t seconds)
{
	const struct timespec when[2] = {
	    {.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};

	assert_int_equal(utimensat(AT_FDCWD, at(name), when, 0), 0);
}

static int
setup(void **state)
{
	(void)state;
	scratch_dir(top, sizeof(top), "workplace");
	return 0;
}

static void
what_nobody_holds_goes(void **state)
{
	int held;

	(void)state;
	folder("cdopd-restore.aB3xY9");
	file("cdopd-restore.aB3xY9/held");
	file("cdopd-restore.aB3xY9/data.mdb");
	folder("cdopd-restore.begun1");
	age("cdopd-restore.begun1", OLD_S);
	folder("cdopd-restore.begun2");
	age("cdopd-restore.begun2", NEW_S);
	folder("cdopd-restore.inWork");
	file("cdopd-restore.inWork/held");
	age("cdopd-restore.inWork", OLD_S);
	held = open(at("cdopd-restore.inWork/held"), O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(held, LOCK_EX), 0);
	workplace_sweep(top, "restore");
	assert_false(is_there("cdopd-restore.aB3xY9"));
	assert_false(is_there("cdopd-restore.begun1"));
	assert_true(is_there("cdopd-restore.begun2"));
	assert_true(is_there("cdopd-restore.inWork/held"));
	(void)close(held);
}

static void
what_is_somebody_elses_stays(void **state)
{
	static const char *const empty[] = {"cdopd-restore.",
	    "cdopd-restore.of-june", "cdopd-restore.old",
	    "cdopd-restore.2026-6", "cdopd-verify.aB3xY9", "restore.aB3xY9"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(empty) / sizeof(*empty); i++) {
		folder(empty[i]);
		age(empty[i], OLD_S);
	}
	folder("cdopd-restore.of-may");
	file("cdopd-restore.of-may/held");
	file("cdopd-restore.of-may/data.mdb");
	folder("cdopd-restore.filled");
	file("cdopd-restore.filled/letter.txt");
	age("cdopd-restore.filled", OLD_S);
	folder("elsewhere");
	file("elsewhere/held");
	file("elsewhere/data.mdb");
	assert_int_equal(symlink("elsewhere", at("cdopd-restore.linked")), 0);
	workplace_sweep(top, "restore");
	for (i = 0; i < sizeof(empty) / sizeof(*empty); i++)
		assert_true(is_there(empty[i]));
	assert_true(is_there("cdopd-restore.of-may/data.mdb"));
	assert_true(is_there("cdopd-restore.filled/letter.txt"));
	assert_true(is_there("elsewhere/data.mdb"));
}

static void
what_is_made_is_one(void **state)
{
	const char *name;

	(void)state;
	assert_int_equal(workplace_make(top, "restore"), CDOP_OK);
	name = strrchr(workplace_path(), '/') + 1;
	assert_true(workplace_is_one(name, "restore"));
	assert_false(workplace_is_one(name, "verify"));
	workplace_remove();
	assert_false(is_there(name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(what_nobody_holds_goes, setup),
	    cmocka_unit_test_setup(what_is_somebody_elses_stays, setup),
	    cmocka_unit_test_setup(what_is_made_is_one, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
