/* Fields that a person names. */
#include "client/choices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static void
names_a_field(struct fixture *f, const char *typed, const char *path)
{
	char text[CDOP_FORM_PATH_MAX];
	struct cdop_path got;

	if (!choices_field(&f->ctx, typed, &got))
		fail_msg("no field: %s", typed);
	cdop_form_path_write(&got, text);
	assert_string_equal(text, path);
}

static void
a_field_is_named_by_path_or_label(void **state)
{
	struct fixture *f = *state;

	names_a_field(f, "birth.date", "birth.date");
	names_a_field(f, "parent.2.family_name", "parent.2.family_name");
	/* As a case is shown; a parent's has the same label. */
	names_a_field(f, "Family name", "child.family_name");
	names_a_field(f, "date of birth", "birth.date");
	names_a_field(f, "Mother's family name", "mother.family_name");
}

static void
what_names_none_or_several_is_no_field(void **state)
{
	static const char *const typed[] = {"Address is protected", "name",
	    "Family nam", "colour of the eyes", "parent.family_name", ""};
	struct fixture *f = *state;
	struct cdop_path got;
	size_t i;

	for (i = 0; i < sizeof(typed) / sizeof(*typed); i++)
		if (choices_field(&f->ctx, typed[i], &got))
			fail_msg("a field: %s", typed[i]);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_field_is_named_by_path_or_label),
	    WITH(what_names_none_or_several_is_no_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
