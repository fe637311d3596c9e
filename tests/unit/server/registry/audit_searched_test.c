/* Which terms could have meant a child. */
#include "server/registry/audit_searched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct cases_typed child = {
    .nhs_number = "999 000 0018",
    .family_name = "Jones-Tarrant",
    .first_name = "Catherine",
    .birth_date = "2026-03-03",
    .mother_name = "Tarrant",
};

static bool
fits(const struct cases_typed *asked, const struct cases_typed *typed)
{
	bool yes = audit_searched_fits(asked, typed);

	/* It is the same the other way round. */
	assert_int_equal(audit_searched_fits(typed, asked), yes);
	return yes;
}

static void
the_same_number_decides(void **state)
{
	struct cases_typed typed = {.nhs_number = "9990000018"};

	(void)state;
	assert_true(fits(&child, &typed));
	typed.family_name = "Somebody";
	typed.birth_date = "1999-01-01";
	assert_true(fits(&child, &typed));
	/* Another number is no reason against a name. */
	typed = child;
	typed.nhs_number = "9990000026";
	assert_true(fits(&child, &typed));
	typed.family_name = typed.mother_name = "Somebody";
	assert_false(fits(&child, &typed));
}

static void
a_name_fits_by_itself_or_by_sound(void **state)
{
	struct cases_typed typed = {.family_name = "JONES TARRANT"};

	(void)state;
	assert_true(fits(&child, &typed));
	typed.family_name = "Tarant"; /* sounds like the mother's */
	assert_true(fits(&child, &typed));
	typed.family_name = NULL;
	typed.mother_name = "Tarrant";
	assert_true(fits(&child, &typed));
	typed.mother_name = "Osei";
	assert_false(fits(&child, &typed));
	typed.mother_name = "";
	assert_false(fits(&child, &typed));
	/* One part of it, as a search takes it. */
	typed.family_name = "Jones";
	assert_true(fits(&child, &typed));
}

/* Find takes it so; a beginning that is asked for is none of a name typed. */
static void
the_beginning_of_a_name_is_a_search_for_it(void **state)
{
	struct cases_typed typed = {.family_name = "Jone"};

	(void)state;
	assert_true(audit_searched_fits(&child, &typed));
	assert_false(audit_searched_fits(&typed, &child));
	typed.family_name = "jones ta";
	assert_true(audit_searched_fits(&child, &typed));
	typed.family_name = "Tarra"; /* of the second part */
	assert_true(audit_searched_fits(&child, &typed));
	typed.birth_date = "2026-05-05";
	assert_false(audit_searched_fits(&child, &typed));
	typed.birth_date = NULL;
	typed.family_name = "J";
	assert_false(audit_searched_fits(&child, &typed));
	typed.family_name = "Onesi";
	assert_false(audit_searched_fits(&child, &typed));
	typed.family_name = NULL;
	typed.mother_name = "Tarr";
	assert_true(audit_searched_fits(&child, &typed));
}

static void
what_speaks_against_it_counts(void **state)
{
	struct cases_typed typed = {.family_name = "Jones-Tarrant"};

	(void)state;
	typed.first_name = "Katherine";
	assert_true(fits(&child, &typed));
	typed.first_name = "Robert";
	assert_false(fits(&child, &typed));
	typed.first_name = NULL;
	typed.birth_date = "2026-03-04"; /* a slip of a day */
	assert_true(fits(&child, &typed));
	typed.birth_date = "2026-03-05";
	assert_false(fits(&child, &typed));
	typed.birth_date = "2026";
	assert_true(fits(&child, &typed));
	typed.birth_date = NULL;
	typed.death_date = "2026-10-01"; /* nobody gave that one */
	assert_true(fits(&child, &typed));
}

/* Ask does not say "not known" to it, and who asked wanted this child. */
static void
a_slip_beside_a_date_that_fits_hides_nothing(void **state)
{
	struct cases_typed typed = {.family_name = "Jones",
	    .first_name = "Robert",
	    .birth_date = "2026-03-03"};
	struct cases_typed asked = child;

	(void)state;
	assert_true(fits(&child, &typed));
	asked.death_date = "2026-10-01";
	typed.death_date = "2026-11-11";
	assert_true(fits(&asked, &typed));
	typed.birth_date = "2025-03-03";
	assert_false(fits(&asked, &typed));
	typed.death_date = "2026-10-01";
	assert_true(fits(&asked, &typed));
	/* A year alone is of many children: no call tells anything by it. */
	typed.birth_date = "2026";
	typed.death_date = NULL;
	assert_false(audit_searched_fits(&asked, &typed));
	typed.death_date = "2026-11-11"; /* a whole day: Ask takes the year */
	assert_true(audit_searched_fits(&asked, &typed));
}

static void
nothing_fits_nothing(void **state)
{
	const struct cases_typed none = {.nhs_number = NULL};
	const struct cases_typed day = {.birth_date = "2026-03-03"};
	struct cases_terms terms;

	(void)state;
	assert_false(fits(&none, &none));
	assert_false(fits(&day, &child));
	cases_terms_read(&day, &terms);
	assert_false(audit_searched_enough(&terms));
	cases_terms_read(&child, &terms);
	assert_true(audit_searched_enough(&terms));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_number_decides),
	    cmocka_unit_test(a_name_fits_by_itself_or_by_sound),
	    cmocka_unit_test(the_beginning_of_a_name_is_a_search_for_it),
	    cmocka_unit_test(what_speaks_against_it_counts),
	    cmocka_unit_test(a_slip_beside_a_date_that_fits_hides_nothing),
	    cmocka_unit_test(nothing_fits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
