/* Listening: addresses as text, modes of sockets, what is left of the dead. */
#include "server/base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/server/scratch.h"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	scratch_dir(dir, sizeof(dir), "address");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void
port_zero_is_chosen_and_told(void **state)
{
	static const char *const texts[] = {"tcp 127.0.0.1:0", "tcp [::1]:0"};
	struct address address;
	char text[ADDRESS_TEXT_MAX];
	enum cdop_err err;
	size_t i;
	int fd, twin;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    address_parse(texts[i], dir, &address), CDOP_OK);
		err = address_listen(&address, 0, &fd);
		if (i == 1 && err == CDOP_UNAVAILABLE)
			continue; /* a machine without IPv6 */
		assert_int_equal(err, CDOP_OK);
		address_text(fd, text);
		assert_memory_equal(text, texts[i], strlen(texts[i]) - 1);
		assert_string_not_equal(text, texts[i]);
		/* What is told is read back, and is taken. */
		assert_int_equal(address_parse(text, dir, &address), CDOP_OK);
		assert_int_equal(
		    address_listen(&address, 0, &twin), CDOP_ALREADY_EXISTS);
		close(fd);
	}
}

static void
a_socket_has_its_mode_and_umask_is_put_back(void **state)
{
	static const uint32_t modes[] = {0600, 0660, 0666, 0};
	const struct sockaddr_un *un;
	struct address address;
	struct stat st;
	mode_t old = umask(0027);
	size_t i;
	int fd;

	(void)state;
	assert_int_equal(address_parse("unix s", dir, &address), CDOP_OK);
	un = (const void *)&address.sa;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(
		    address_listen(&address, modes[i], &fd), CDOP_OK);
		assert_int_equal(stat(un->sun_path, &st), 0);
		assert_int_equal(st.st_mode & 0777, modes[i]);
		close(fd);
		address_unlink(&address);
		assert_int_equal(access(un->sun_path, F_OK), -1);
	}
	assert_int_equal(umask(old), 0027);
}

static void
a_dead_socket_is_replaced_a_live_one_is_not(void **state)
{
	const struct sockaddr_un *un;
	struct address address;
	FILE *out;
	int fd, twin;

	(void)state;
	assert_int_equal(address_parse("unix s", dir, &address), CDOP_OK);
	un = (const void *)&address.sa;
	assert_int_equal(address_listen(&address, 0600, &fd), CDOP_OK);
	assert_int_equal(
	    address_listen(&address, 0600, &twin), CDOP_ALREADY_EXISTS);
	close(fd); /* as by SIGKILL: the path stays */
	assert_int_equal(access(un->sun_path, F_OK), 0);
	assert_int_equal(address_listen(&address, 0600, &fd), CDOP_OK);
	close(fd);
	address_unlink(&address);
	/* A file that is no socket is somebody's. */
	assert_non_null(out = fopen(un->sun_path, "w"));
	fclose(out);
	assert_int_equal(
	    address_listen(&address, 0600, &fd), CDOP_ALREADY_EXISTS);
	assert_int_equal(access(un->sun_path, F_OK), 0);
	unlink(un->sun_path);
}

static void
a_relative_path_lies_in_run_dir(void **state)
{
	const struct sockaddr_un *un;
	struct address address;
	char big[200];

	(void)state;
	un = (const void *)&address.sa;
	assert_int_equal(
	    address_parse("unix a/b", "/run/x", &address), CDOP_OK);
	assert_string_equal(un->sun_path, "/run/x/a/b");
	assert_int_equal(
	    address_parse("unix /a/b", "/run/x", &address), CDOP_OK);
	assert_string_equal(un->sun_path, "/a/b");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(
	    address_parse("unix x", big, &address), CDOP_INVALID_ARGUMENT);
	assert_string_equal(un->sun_path, "/a/b");
}

static void
a_directory_that_is_missing_is_an_error(void **state)
{
	struct address address;
	int fd = -7;

	(void)state;
	assert_int_equal(
	    address_parse("unix s", "/nowhere/at/all", &address), CDOP_OK);
	assert_int_equal(address_listen(&address, 0600, &fd), CDOP_UNAVAILABLE);
	assert_int_equal(fd, -7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(port_zero_is_chosen_and_told),
	    cmocka_unit_test(a_socket_has_its_mode_and_umask_is_put_back),
	    cmocka_unit_test(a_dead_socket_is_replaced_a_live_one_is_not),
	    cmocka_unit_test(a_relative_path_lies_in_run_dir),
	    cmocka_unit_test(a_directory_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
