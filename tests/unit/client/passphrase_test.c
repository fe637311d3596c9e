/* A passphrase that no person types: from a file, from a descriptor. */
#include "client/passphrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static const char line[] = "four plain words here\n";

static void
is_line(const struct cdop_bytes *got)
{
	assert_int_equal(got->len, strlen(line) - 1);
	assert_memory_equal(got->data, line, got->len);
}

static const char *
file(struct fixture *f, const char *text)
{
	const char *path = fixture_file(f, "pass", text, strlen(text));

	f->ctx.g.passphrase_file = path;
	return path;
}

static void
the_first_line_of_a_file_counts(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes got;

	(void)file(f, line);
	assert_false(passphrase_is_typed(&f->ctx));
	assert_int_equal(passphrase_get(&f->ctx, "test", &got), EXIT_OK);
	is_line(&got);
	(void)file(f, "four plain words here\nand no more");
	assert_int_equal(passphrase_new(&f->ctx, "test", &got), EXIT_OK);
	is_line(&got);
	f->ctx.g.passphrase_file = "/nowhere/at/all";
	assert_int_not_equal(passphrase_get(&f->ctx, "test", &got), EXIT_OK);
	assert_non_null(f->ctx.error.message);
}

/* What is cut would be another one, that nobody ever typed. */
static void
a_line_that_is_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[PASSPHRASE_MAX + 3];
	struct cdop_bytes got;

	memset(text, 'x', sizeof(text));
	text[PASSPHRASE_MAX + 1] = '\n';
	text[PASSPHRASE_MAX + 2] = '\0';
	(void)file(f, text);
	assert_int_equal(passphrase_get(&f->ctx, "test", &got), EXIT_AUTH);
	assert_non_null(strstr(f->ctx.error.message, "longer than"));
	text[PASSPHRASE_MAX] = '\n';
	(void)file(f, text);
	assert_int_equal(passphrase_get(&f->ctx, "test", &got), EXIT_OK);
	assert_int_equal(got.len, PASSPHRASE_MAX);
}

static void
the_variable_names_a_file_and_is_none(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes got;
	const char *path = file(f, line);

	f->ctx.g.passphrase_file = NULL;
	assert_int_equal(setenv("CDOP_PASSPHRASE_FILE", path, 1), 0);
	assert_false(passphrase_is_typed(&f->ctx));
	assert_int_equal(passphrase_get(&f->ctx, "test", &got), EXIT_OK);
	is_line(&got);
	assert_int_equal(setenv("CDOP_PASSPHRASE_FILE", "", 1), 0);
	assert_int_equal(passphrase_get(&f->ctx, "test", &got), EXIT_AUTH);
	assert_int_equal(unsetenv("CDOP_PASSPHRASE_FILE"), 0);
}

static void
a_descriptor_is_read_once(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes got;
	char number[16];
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(
	    write(fds[1], line, strlen(line)), (ssize_t)strlen(line));
	assert_int_equal(close(fds[1]), 0);
	(void)snprintf(number, sizeof(number), "%d", fds[0]);
	f->ctx.g.passphrase_fd = number;
	assert_false(passphrase_is_typed(&f->ctx));
	assert_int_equal(passphrase_get(&f->ctx, "test", &got), EXIT_OK);
	is_line(&got);
	f->ctx.g.passphrase_fd = "-1";
	assert_int_equal(passphrase_get(&f->ctx, "test", &got), EXIT_USAGE);
	f->ctx.g.passphrase_fd = "60000";
	assert_int_not_equal(passphrase_get(&f->ctx, "test", &got), EXIT_OK);
	(void)close(fds[0]);
}

static void
a_new_one_is_long_enough(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes got;

	(void)file(f, "eleven char\n");
	assert_int_equal(passphrase_new(&f->ctx, "test", &got), EXIT_USAGE);
	(void)file(f, "twelve chars\n");
	assert_int_equal(passphrase_new(&f->ctx, "test", &got), EXIT_OK);
	/* Nobody to ask is no passphrase. */
	f->ctx.g.passphrase_file = NULL;
	assert_int_equal(passphrase_new(&f->ctx, "test", &got), EXIT_AUTH);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_line_that_is_too_long_is_refused),
	    WITH(the_first_line_of_a_file_counts),
	    WITH(the_variable_names_a_file_and_is_none),
	    WITH(a_descriptor_is_read_once),
	    WITH(a_new_one_is_long_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
