/* Imports that are too much at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/limits.h"
#include "client/import_read.h"
#include "tests/unit/client/fixture.h"

/* What does not fit is not begun: no row of it was sent. */
static void
too_much(struct fixture *f, const char *path, size_t budget, const char *words)
{
	struct import_file file;

	f->ctx.error.message = NULL;
	cdop_arena_set_budget(f->ctx.arena, budget);
	assert_int_equal(import_read(&f->ctx, path, &file), EXIT_INVALID);
	cdop_arena_set_budget(f->ctx.arena, 0);
	assert_string_equal(f->ctx.error.reason, "too_large");
	assert_non_null(strstr(f->ctx.error.message, words));
	assert_non_null(strstr(f->ctx.error.message, "nothing was sent"));
	assert_non_null(strstr(f->ctx.error.next, "split it"));
}

static void
a_file_that_does_not_fit_is_refused_before_a_row_is_sent(void **state)
{
	static char zeros[4u << 20] = "{\"x\":[0";
	struct fixture *f = *state;
	const char *path;
	size_t at;

	/* No room to send in; and not even to be read. */
	path = fixture_file(f, "a.json", "{\"a\":1}", 7);
	too_much(f, path, (size_t)16 << 20, "1 rows");
	for (at = strlen(zeros); at + 4 < sizeof(zeros); at += 2)
		memcpy(zeros + at, ",0", 2);
	memcpy(zeros + at, "]}", 2);
	path = fixture_file(f, "z.json", zeros, at + 2);
	too_much(f, path, (size_t)16 << 20, "too much at once");
	path = fixture_file(f, "long.csv", "", 0);
	assert_int_equal(truncate(path, CDOP_IMPORT_FILE_MAX + 1), 0);
	too_much(f, path, 0, "longer than 64 MiB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_file_that_does_not_fit_is_refused_before_a_row_is_sent,
		fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
