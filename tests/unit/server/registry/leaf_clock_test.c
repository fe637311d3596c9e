/* A wall clock that is put far ahead, and what is believed of it. */
#include "server/registry/leaf_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY   86400000ull
#define YEARS (3650 * DAY)
#define START (20000 * DAY)

/* A leaf at that time, as its clock says it. */
static uint64_t
leaf(struct leaf_clock *clock, uint64_t wall_ms, uint64_t boot_ms)
{
	clock->last_ms = leaf_clock_now(clock, wall_ms, boot_ms);
	return clock->last_ms;
}

/*
 * One leaf of a wrong year would be the time of all to come: ten years in
 * which nothing expires as it should, and what is kept for years is gone.
 */
static void
a_clock_that_leaps_ahead_is_not_gone_by(void **state)
{
	struct leaf_clock clock = {0};

	(void)state;
	assert_int_equal(leaf(&clock, START, 1000), START);
	/* As long as a registry may stand still. */
	assert_int_equal(
	    leaf_clock_now(&clock, START + 90 * DAY, 2000), START + 90 * DAY);
	/* Further ahead: from the last leaf on, at the usual speed. */
	assert_int_equal(leaf_clock_now(&clock, START + YEARS, 3000), START);
	assert_int_equal(clock.ahead_ms, YEARS);
	assert_int_equal(leaf(&clock, START + YEARS + 500, 3500), START + 500);
	assert_int_equal(leaf(&clock, START + YEARS + 700, 3700), START + 700);
	/* Put right, it is gone by again. */
	assert_int_equal(leaf(&clock, START + 900, 3900), START + 900);
	assert_int_equal(clock.ahead_ms, 0);
	assert_int_equal(clock.behind_ms, 0);
}

static void
somebody_may_say_that_it_is_right(void **state)
{
	struct leaf_clock clock = {0};

	(void)state;
	assert_int_equal(leaf(&clock, START, 1000), START);
	clock.said_ms = START + YEARS;
	/* It is not that day yet, by this clock. */
	assert_int_equal(
	    leaf_clock_now(&clock, START + YEARS - DAY, 2000), START);
	/* Nor does one word count for ever. */
	assert_int_equal(
	    leaf_clock_now(&clock, START + 2 * YEARS, 3000), START + 1000);
	assert_int_equal(
	    leaf(&clock, START + YEARS + DAY, 4000), START + YEARS + DAY);
	/* What was said before the last leaf says nothing. */
	assert_int_equal(leaf_clock_now(&clock, START + 2 * YEARS, 5000),
	    START + YEARS + DAY);
}

/* There is nothing to go by. */
static void
the_first_leaf_has_the_time_there_is(void **state)
{
	struct leaf_clock clock = {0};

	(void)state;
	assert_int_equal(leaf(&clock, START + YEARS, 1000), START + YEARS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_clock_that_leaps_ahead_is_not_gone_by),
	    cmocka_unit_test(somebody_may_say_that_it_is_right),
	    cmocka_unit_test(the_first_leaf_has_the_time_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
