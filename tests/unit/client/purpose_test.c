/* Purposes that a person names. */
#include "client/purpose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static void
is(struct fixture *f, const char *typed, const char *wanted)
{
	const char *code = NULL, *text;

	f->ctx.g.purpose = typed;
	assert_int_equal(purpose_choose(&f->ctx, &code, &text),
	    wanted != NULL ? EXIT_OK : EXIT_USAGE);
	if (wanted != NULL)
		assert_string_equal(code, wanted);
}

static void
a_purpose_is_named_by_code_or_label(void **state)
{
	struct fixture *f = *state;

	(void)fixture_profile(f);
	is(f, "living_child", "living_child");
	is(f, "Living child at risk", "living_child");
	is(f, "LIVING CHILD AT RISK", "living_child");
	is(f, "Living child", NULL);
	is(f, "", NULL);
}

/* What stands in the log is never another one than was meant. */
static void
one_is_not_taken_for_another(void **state)
{
	struct fixture *f = *state;
	struct cdop_code *code;

	code = (struct cdop_code *)(uintptr_t)cdop_profile_list(
	    fixture_profile(f), "purpose")
		   ->code;
	assert_string_equal(code[3].code, "meeting");
	code[0].label = "Meeting";
	code[1].label = "audit";
	is(f, "audit", "audit");
	is(f, "meeting", "meeting");
	is(f, "MEETING", NULL);
	is(f, "case_work", "case_work");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_purpose_is_named_by_code_or_label),
	    WITH(one_is_not_taken_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
