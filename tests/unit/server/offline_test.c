/*
 * What init takes as an address: a client takes it apart in the same way.  And
 * what stays of a file that cannot be written.
 */
#include "server/offline.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/server/scratch.h"

static bool
takes(const char *address)
{
	return offline_addresses(&address, 1);
}

static void
addresses_that_a_client_can_reach(void **state)
{
	static const char *const good[] = {"registry.example:4433",
	    "192.0.2.1:1", "192.0.2.1:65535", "[2001:db8::1]:4433",
	    "unix:/run/cdopd/link.sock"};

	(void)state;
	assert_true(offline_addresses(good, sizeof(good) / sizeof(*good)));
}

static void
addresses_that_none_can(void **state)
{
	static const char *const bad[] = {"", "registry.example", ":4433",
	    "registry.example:", "registry.example:0", "registry.example:65536",
	    "registry.example:123456", "registry.example:44a3",
	    "registry example:4433", "registry\x7f:4433", "2001:db8::1:4433",
	    "[]:4433", "[2001:db8::1:4433", "unix:link.sock", "unix:"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(takes(bad[i]));
}

static void
no_longer_than_an_invitation_has_room_for(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 6, ":4433", 6);
	assert_false(takes(text));
	assert_true(takes(text + 300));
	memcpy(text + 200, "unix:/", 6);
	assert_false(takes(text + 200));
}

static void
one_that_is_wrong_is_enough(void **state)
{
	static const char *const mixed[] = {
	    "registry.example:4433", "registry.example"};

	(void)state;
	assert_true(offline_addresses(mixed, 1));
	assert_false(offline_addresses(mixed, 2));
}

/* As on a full disk: files end after so many bytes. */
static bool
write_within(const char *path, rlim_t room, struct cdop_bytes bytes)
{
	struct rlimit before, now;
	bool good;
	int fd;

	fd = offline_create(path);
	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	now = before;
	now.rlim_cur = room;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	good = offline_write(fd, path, bytes);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	return good;
}

static void
half_a_file_does_not_stay(void **state)
{
	static const uint8_t text[100];
	const struct cdop_bytes bytes = {text, sizeof(text)};
	char dir[200], path[220];
	struct stat st;

	(void)state;
	scratch_dir(dir, sizeof(dir), "offline");
	(void)snprintf(path, sizeof(path), "%s/sheet", dir);
	assert_false(write_within(path, sizeof(text) / 2, bytes));
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(errno, ENOENT);
	assert_true(write_within(path, sizeof(text), bytes));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, sizeof(text));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_that_a_client_can_reach),
	    cmocka_unit_test(addresses_that_none_can),
	    cmocka_unit_test(no_longer_than_an_invitation_has_room_for),
	    cmocka_unit_test(one_that_is_wrong_is_enough),
	    cmocka_unit_test(half_a_file_does_not_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
