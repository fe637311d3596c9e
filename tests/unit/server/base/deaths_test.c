/* The window that decides when the parent gives up. */
#include "server/base/deaths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
only_the_last_minute_counts(void **state)
{
	struct deaths deaths = {.n = 0};
	uint64_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		assert_int_equal(deaths_count(&deaths, 1000 + i), i + 1);
	assert_int_equal(deaths_count(&deaths, 60999), 7);
	assert_int_equal(deaths_count(&deaths, 61003), 4); /* 1004, 1005 */
	/* Slow but steady never adds up. */
	for (i = 2; i < 100; i++)
		assert_true(deaths_count(&deaths, i * 61000) <= 3);
}

static void
more_than_can_be_kept_is_still_many(void **state)
{
	struct deaths deaths = {.n = 0};
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		(void)deaths_count(&deaths, 5);
	assert_int_equal(deaths_count(&deaths, 6), DEATHS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_last_minute_counts),
	    cmocka_unit_test(more_than_can_be_kept_is_still_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
