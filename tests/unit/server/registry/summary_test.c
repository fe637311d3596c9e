/* What a case is found by, whatever it was called before. */
#include "server/registry/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The record says so many names, one after the other. */
static void
take(Cdop__StoredSummary *summary, struct cdop_arena *arena, unsigned from,
    unsigned to)
{
	Cdop__StoredForm form;
	Cdop__Child child;
	Cdop__Form said;
	unsigned i;

	for (i = from; i < to; i++) {
		cdop__stored_form__init(&form);
		cdop__form__init(&said);
		cdop__child__init(&child);
		child.family_name = cdop_arena_printf(arena, "Name%u", i);
		said.child = &child;
		form.form = &said;
		form.version = i + 1;
		assert_int_equal(
		    summary_take_form(summary, &form, arena), CDOP_OK);
	}
}

/* Else a case that was renamed often could not be found any more. */
static void
the_newest_name_is_always_among_them(void **state)
{
	Cdop__StoredSummary *summary;
	struct cdop_arena *arena;

	(void)state;
	assert_int_equal(cdop_arena_new(1 << 24, &arena), CDOP_OK);
	summary = summary_new(arena);
	assert_non_null(summary);
	take(summary, arena, 0, SUMMARY_LIST_MAX);
	assert_int_equal(summary->n_family_name, SUMMARY_LIST_MAX);
	assert_string_equal(
	    summary->family_name[SUMMARY_LIST_MAX - 1], "Name0");
	take(summary, arena, SUMMARY_LIST_MAX, SUMMARY_LIST_MAX + 1);
	assert_int_equal(summary->n_family_name, SUMMARY_LIST_MAX);
	assert_string_equal(summary->family_name[0], "Name400");
	assert_string_equal(
	    summary->family_name[SUMMARY_LIST_MAX - 1], "Name1");
	assert_string_equal(summary->shown_name, "Name400");
	cdop_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_newest_name_is_always_among_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
