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

static void
assert_list(char *const *list, size_t n, const char *const *wanted)
{
	size_t i;

	for (i = 0; i < n && wanted[i] != NULL; i++)
		assert_string_equal(list[i], wanted[i]);
	assert_int_equal(i, n);
	assert_null(wanted[i]);
}

/* Each field in which somebody may have written what is searched for. */
static void
every_name_and_place_is_among_them(void **state)
{
	static const char *const family[] = {"Family", "Other family", NULL},
				 *const first[] = {"First", "Known as",
				     "Other first", NULL},
				 *const mother[] = {"Mother", "Former", NULL},
				 *const postcode[] = {"L1 1AA", "L2 2AA",
				     "L3 3AA", NULL},
				 *const number[] = {"9990000018", NULL};
	Cdop__OtherAddress address, *addresses[1];
	Cdop__OtherName name, *names[1];
	Cdop__Mother parent;
	Cdop__Child child;
	Cdop__StoredForm form;
	Cdop__Form said;
	Cdop__StoredSummary *summary;
	struct cdop_arena *arena;

	(void)state;
	assert_int_equal(cdop_arena_new(1 << 20, &arena), CDOP_OK);
	cdop__other_address__init(&address);
	cdop__other_name__init(&name);
	cdop__mother__init(&parent);
	cdop__child__init(&child);
	cdop__stored_form__init(&form);
	cdop__form__init(&said);
	child.family_name = cdop_arena_strdup(arena, "Family");
	child.first_names = cdop_arena_strdup(arena, "First");
	child.known_as = cdop_arena_strdup(arena, "Known as");
	child.nhs_number = cdop_arena_strdup(arena, "9990000018");
	child.postcode = cdop_arena_strdup(arena, "L1 1AA");
	parent.family_name = cdop_arena_strdup(arena, "Mother");
	parent.former_names = cdop_arena_strdup(arena, "Former");
	parent.postcode = cdop_arena_strdup(arena, "L2 2AA");
	address.postcode = cdop_arena_strdup(arena, "L3 3AA");
	name.family_name = cdop_arena_strdup(arena, "Other family");
	name.first_names = cdop_arena_strdup(arena, "Other first");
	addresses[0] = &address;
	names[0] = &name;
	said.child = &child;
	said.mother = &parent;
	said.n_other_address = said.n_other_name = 1;
	said.other_address = addresses;
	said.other_name = names;
	form.form = &said;
	form.version = 1;
	assert_non_null(summary = summary_new(arena));
	assert_int_equal(summary_take_form(summary, &form, arena), CDOP_OK);
	assert_list(summary->family_name, summary->n_family_name, family);
	assert_list(summary->first_name, summary->n_first_name, first);
	assert_list(summary->mother_name, summary->n_mother_name, mother);
	assert_list(summary->postcode, summary->n_postcode, postcode);
	assert_list(summary->nhs_number, summary->n_nhs_number, number);
	cdop_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_and_place_is_among_them),
	    cmocka_unit_test(the_newest_name_is_always_among_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
