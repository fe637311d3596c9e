/* What root gives away in a directory that another user may write in. */
#include "server/store/dir.h"

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

#include "tests/unit/server/scratch.h"

#define SOMEBODY 65534

static char dir[64];
static char path[3][96];

static int
setup(void **state)
{
	static const char *const name[] = {"copy.mdb", "other", "link"};
	size_t i;

	(void)state;
	scratch_dir(dir, sizeof(dir), "dir");
	for (i = 0; i < 3; i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name[i]);
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		(void)unlink(path[i]);
	return rmdir(dir);
}

static void
make(const char *at)
{
	FILE *f = fopen(at, "w");

	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
}

static uid_t
owner(const char *at)
{
	struct stat st;

	assert_int_equal(lstat(at, &st), 0);
	return st.st_uid;
}

static void
what_root_has_made_is_given_to_whose_the_directory_is(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make(path[0]);
	assert_int_equal(dir_give(dir, -1, "copy.mdb"), CDOP_OK);
	assert_int_equal(owner(path[0]), 0); /* it is root's own */
	assert_int_equal(chown(dir, SOMEBODY, SOMEBODY), 0);
	assert_int_equal(dir_give(dir, -1, "nothing"), CDOP_OK);
	assert_int_equal(dir_give(dir, -1, "copy.mdb"), CDOP_OK);
	assert_int_equal(owner(path[0]), SOMEBODY);
	assert_int_equal(
	    dir_give("/nowhere/at/all", -1, "x"), CDOP_PERMISSION_DENIED);
}

/* Which that user may have put there meanwhile. */
static void
nothing_else_is_given_away(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(dir, SOMEBODY, SOMEBODY), 0);
	make(path[1]);
	assert_int_equal(link(path[1], path[0]), 0);
	assert_int_equal(dir_give(dir, -1, "copy.mdb"), CDOP_PERMISSION_DENIED);
	assert_int_equal(unlink(path[0]), 0);
	assert_int_equal(symlink(path[1], path[0]), 0);
	assert_int_equal(dir_give(dir, -1, "copy.mdb"), CDOP_PERMISSION_DENIED);
	assert_int_equal(owner(path[1]), 0);
	assert_int_equal(unlink(path[0]), 0);
	assert_int_equal(mkdir(path[0], 0700), 0);
	assert_int_equal(dir_give(dir, -1, "copy.mdb"), CDOP_PERMISSION_DENIED);
	assert_int_equal(rmdir(path[0]), 0);
	make(path[0]);
	assert_int_equal(chown(path[0], 1, 1), 0);
	assert_int_equal(dir_give(dir, -1, "copy.mdb"), CDOP_PERMISSION_DENIED);
	assert_int_equal(owner(path[0]), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_root_has_made_is_given_to_whose_the_directory_is, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		nothing_else_is_given_away, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
