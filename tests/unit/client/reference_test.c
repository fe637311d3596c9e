/* A reference that is none of this registry, and what is said to it. */
#include "client/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/reference.h"
#include "tests/unit/client/fixture.h"

static void
refused(struct fixture *f, const char *typed, const char *next)
{
	char *reference = NULL;

	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	assert_int_equal(
	    reference_read(&f->ctx, typed, &reference), EXIT_USAGE);
	assert_null(reference);
	assert_non_null(strstr(f->ctx.error.next, next));
}

static void
it_is_said_what_is_wrong_with_it(void **state)
{
	struct fixture *f = *state;
	char training[CDOP_REFERENCE_TEXT], live[CDOP_REFERENCE_TEXT];
	char *reference;

	assert_true(cdop_reference_make(4711, true, training));
	assert_true(cdop_reference_make(4711, false, live));
	assert_int_equal(
	    reference_read(&f->ctx, training, &reference), EXIT_OK);
	assert_string_equal(reference, training);
	refused(f, training + strlen("T-"), training);
	refused(f, live, "of a live registry");
	refused(f, "T-2222-2222", "one letter or figure");
	refused(f, "Zebedee", "one letter or figure");

	f->ctx.mode = "live";
	assert_int_equal(reference_read(&f->ctx, live, &reference), EXIT_OK);
	refused(f, training, "of a training registry");
	refused(f, training + strlen("T-"), "one letter or figure");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_is_said_what_is_wrong_with_it,
		fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
