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

/* The text of a value that was typed in a file. */
static const char *
taken(struct fixture *f, const struct cdop_path *path, const char *typed)
{
	Cdop__Form *form = cdop_form_new(f->ctx.arena);
	char where[CDOP_FORM_PATH_MAX];
	struct cdop_violations v = {NULL, 0, 0};

	cdop_form_path_write(path, where);
	if (cdop_form_put(form, where, typed, fixture_profile(f), f->ctx.arena,
		&v) != CDOP_OK)
		fail_msg("%s: not taken: %s", where, typed);
	return cdop_form_text(form, where, f->ctx.arena);
}

static void
what_a_menu_shows_is_taken_in_a_file(void **state)
{
	struct fixture *f = *state;
	struct prompt_option *option;
	struct cdop_path path;
	size_t i, j, n, lists = 0;

	for (i = 0; i < cdop_fields_count; i++) {
		path.field = &cdop_fields[i];
		path.entry = path.field->group_max > 0 ? 1 : 0;
		n = choices_of(
		    &f->ctx, fixture_profile(f), path.field, &option);
		lists += n > 0;
		for (j = 0; j < n; j++)
			assert_string_equal(taken(f, &path, option[j].label),
			    taken(f, &path, option[j].code));
	}
	assert_true(lists > 20);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_field_is_named_by_path_or_label),
	    WITH(what_names_none_or_several_is_no_field),
	    WITH(what_a_menu_shows_is_taken_in_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
