/* A value is raised by name, and lowered by nothing. */
#include "client/raise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/json.h"
#include "tests/unit/client/fixture.h"

static Cdop__Form *
form_with(struct fixture *f, const char *path, const char *typed)
{
	Cdop__Form *form = cdop_form_new(f->ctx.arena);
	struct cdop_violations v = {NULL, 0, 0};

	assert_int_equal(
	    cdop_form_put(form, path, typed, NULL, f->ctx.arena, &v), CDOP_OK);
	return form;
}

static uint32_t
class_at(const Cdop__Form *form, const char *path)
{
	struct cdop_path at;

	assert_int_equal(cdop_form_path_parse(path, &at), CDOP_OK);
	return cdop_form_class(form, &at);
}

static enum exit_code
argv(struct fixture *f, Cdop__Form *form, const char *given, bool early)
{
	f->ctx.n_values = 0;
	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	fixture_option(f, "--raise", given);
	return raise_argv(&f->ctx, form, early);
}

static void
a_class_is_added_to_that_of_the_field(void **state)
{
	struct fixture *f = *state;
	Cdop__Form *form = form_with(f, "child.address", "1 Example Road");

	assert_int_equal(
	    argv(f, form, "child.address=safeguarding", false), EXIT_OK);
	assert_int_equal(class_at(form, "child.address"),
	    CDOP_CLASS_LOCATION | CDOP_CLASS_SAFEGUARDING);
	/* As people write it; twice is once. */
	assert_int_equal(
	    argv(f, form, "child.address=Police-Coroner", false), EXIT_OK);
	assert_int_equal(
	    argv(f, form, "child.address=POLICE_CORONER", false), EXIT_OK);
	assert_int_equal(form->n_raised, 2);
	assert_int_equal(class_at(form, "child.address"),
	    CDOP_CLASS_LOCATION | CDOP_CLASS_SAFEGUARDING |
		CDOP_CLASS_POLICE_CORONER);
}

static void
nothing_lowers_a_value(void **state)
{
	static const char *const lower[] = {
	    "child.address=", "child.address=none",
	    "child.address=administrative", "child.address=location"};
	struct fixture *f = *state;
	Cdop__Form *form = form_with(f, "child.address", "1 Example Road");
	size_t i;

	for (i = 0; i < sizeof(lower) / sizeof(*lower); i++) {
		assert_int_equal(argv(f, form, lower[i], false), EXIT_USAGE);
		assert_int_equal(f->ctx.error.n_findings, 1);
		assert_string_equal(
		    f->ctx.error.finding[0].rule, "raised.lowered");
	}
	assert_non_null(
	    strstr(f->ctx.error.finding[0].message, "it is location already"));
	assert_int_equal(form->n_raised, 0);
}

static void
what_is_no_path_or_class_is_said(void **state)
{
	static const struct {
		const char *given, *rule;
	} wrong[] = {
	    {"child.address", "raised.path"},
	    {"child.nonsense=safeguarding", "raised.path"},
	    {"parent=safeguarding", "raised.path"},
	    {"child.address=secret", "raised.class"},
	    {"child.address=a-word-that-is-longer-than-any-class-is",
		"raised.class"},
	};
	struct fixture *f = *state;
	Cdop__Form *form = form_with(f, "child.address", "1 Example Road");
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(
		    argv(f, form, wrong[i].given, false), EXIT_USAGE);
		assert_string_equal(
		    f->ctx.error.finding[0].rule, wrong[i].rule);
	}
	assert_int_equal(form->n_raised, 0);
}

static void
an_entry_that_comes_later_is_waited_for(void **state)
{
	struct fixture *f = *state;
	Cdop__Form *form = form_with(f, "child.address", "1 Example Road");
	const char *given = "parent.2.family_name=safeguarding";
	struct cdop_violations v = {NULL, 0, 0};

	assert_int_equal(argv(f, form, given, true), EXIT_OK);
	assert_int_equal(form->n_raised, 0);
	assert_int_equal(cdop_form_entries(form, "parent"), 0);
	assert_int_equal(argv(f, form, given, false), EXIT_OK);
	assert_int_equal(form->n_raised, 1);
	assert_int_equal(raise_check(&f->ctx, form, &v), EXIT_OK);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.v[0].rule, "raised.nothing");
	v.n = 0;
	assert_int_equal(cdop_form_put(form, "parent.2.family_name", "Second",
			     NULL, f->ctx.arena, &v),
	    CDOP_OK);
	assert_int_equal(raise_check(&f->ctx, form, &v), EXIT_OK);
	assert_int_equal(v.n, 0);
}

static void
a_column_holds_several(void **state)
{
	struct fixture *f = *state;
	Cdop__Form *form = form_with(f, "child.address", "1 Example Road");
	struct cdop_violations v = {NULL, 0, 0};

	assert_int_equal(
	    raise_text(&f->ctx,
		" child.address=safeguarding ; notifier.name=police_coroner;",
		form, &v),
	    EXIT_OK);
	assert_int_equal(v.n, 0);
	assert_int_equal(form->n_raised, 2);
	assert_int_equal(
	    raise_text(&f->ctx, "child.address=secret; nonsense", form, &v),
	    EXIT_OK);
	assert_int_equal(v.n, 2);
}

static void
json_comes_back_as_it_went(void **state)
{
	struct fixture *f = *state;
	Cdop__Form *form = form_with(f, "child.address", "1 Example Road");
	Cdop__Form *back = cdop_form_new(f->ctx.arena);
	struct cdop_violations v = {NULL, 0, 0};
	json_t *object, *mark;

	assert_int_equal(
	    argv(f, form, "child.address=safeguarding", false), EXIT_OK);
	object = json_form(&f->ctx, form);
	mark = json_array_get(json_object_get(object, "raised"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(mark, "path")), "child.address");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(mark, "class"), "label")),
	    "safeguarding and social care");
	assert_int_equal(
	    json_read_form(&f->ctx, object, fixture_profile(f), back, &v),
	    EXIT_OK);
	assert_int_equal(v.n, 0);
	assert_int_equal(class_at(back, "child.address"),
	    CDOP_CLASS_LOCATION | CDOP_CLASS_SAFEGUARDING);
	object = json_loads("{\"raised\": 7}", 0, NULL);
	assert_int_equal(
	    json_read_form(&f->ctx, object, fixture_profile(f), back, &v),
	    EXIT_OK);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.v[0].rule, "raised.path");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_class_is_added_to_that_of_the_field),
	    WITH(nothing_lowers_a_value),
	    WITH(what_is_no_path_or_class_is_said),
	    WITH(an_entry_that_comes_later_is_waited_for),
	    WITH(a_column_holds_several),
	    WITH(json_comes_back_as_it_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
