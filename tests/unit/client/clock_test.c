/* The panel's clock, seen from computers elsewhere. */
#include "client/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static void
it_is_the_panels_wherever_one_stands(void **state)
{
	static const char *const zones[] = {
	    "UTC", "Asia/Tokyo", "Europe/London", NULL};
	/* 1 July 2026 23:30 and 1 December 2026 23:30, UTC. */
	static const time_t summer = 1782948600, winter = 1796167800;
	struct fixture *f = *state;
	const struct cdop_profile *p = fixture_profile(f);
	struct tm tm;
	size_t i;

	for (i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		if (zones[i] != NULL)
			assert_int_equal(setenv("TZ", zones[i], 1), 0);
		else
			assert_int_equal(unsetenv("TZ"), 0);
		assert_true(clock_of_panel(p, summer, &tm));
		assert_int_equal(tm.tm_mday, 2);
		assert_int_equal(tm.tm_hour, 0);
		assert_int_equal(tm.tm_min, 30);
		assert_true(clock_of_panel(p, winter, &tm));
		assert_int_equal(tm.tm_mday, 1);
		assert_int_equal(tm.tm_hour, 23);
		/* And the computer's is what it was. */
		if (zones[i] != NULL)
			assert_string_equal(getenv("TZ"), zones[i]);
		else
			assert_null(getenv("TZ"));
	}
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	assert_true(clock_of_panel(p, summer, &tm));
	assert_non_null(localtime_r(&summer, &tm));
	assert_int_equal(tm.tm_hour, 8);
}

static void
a_day_begins_when_it_does_there(void **state)
{
	/* 1 July 2026 00:00 in London is an hour earlier in UTC. */
	static const struct cdop_date july = {2026, 7, 1, false};
	static const struct cdop_date december = {2026, 12, 31, false};
	struct fixture *f = *state;
	const struct cdop_profile *p = fixture_profile(f);

	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	assert_int_equal(clock_day_begins(p, &july, 0), 1782860400);
	assert_int_equal(clock_day_begins(p, &july, 1), 1782860400 + 86400);
	assert_int_equal(clock_day_begins(p, &december, 1), 1798761600);
	/* Here, where the panel's is not known. */
	assert_int_equal(
	    clock_day_begins(NULL, &december, 1), 1798761600 - 9 * 3600);
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
}

static void
today_is_a_day_of_it(void **state)
{
	struct fixture *f = *state;
	int32_t utc = (int32_t)(time(NULL) / 86400);
	int32_t today = clock_today(fixture_profile(f));

	assert_in_range(today - utc + 1, 1, 2);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(it_is_the_panels_wherever_one_stands),
	    WITH(a_day_begins_when_it_does_there),
	    WITH(today_is_a_day_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
