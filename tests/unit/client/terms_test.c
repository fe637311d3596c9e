/* Search terms from a file, so that nothing of a child stands in argv. */
#include "client/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static enum exit_code
from(struct fixture *f, const char *text, struct terms *terms)
{
	f->ctx.n_values = 0;
	memset(terms, 0, sizeof(*terms));
	fixture_option(
	    f, "--from", fixture_file(f, "terms", text, strlen(text)));
	return terms_read(&f->ctx, true, terms);
}

static void
an_object_has_the_terms(void **state)
{
	struct fixture *f = *state;
	struct terms terms;

	f->ctx.mode = "live"; /* where the command line is refused */
	assert_int_equal(
	    from(f,
		"{\"nhs_number\": \"999 000 0018\", \"family_name\": "
		"\"Tarrant\", \"birth_date\": \"14/05/2024\", "
		"\"mother_name\": \"Oyelaran\", \"first_name\": \"\"}",
		&terms),
	    EXIT_OK);
	assert_string_equal(terms.nhs_number, "9990000018");
	assert_string_equal(terms.family_name, "Tarrant");
	assert_string_equal(terms.birth_date, "2024-05-14");
	assert_string_equal(terms.mother_name, "Oyelaran");
	assert_null(terms.first_name);
	assert_null(terms.death_date);
	assert_false(terms_are_short(&terms));
}

static void
what_is_no_term_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct terms terms;

	assert_int_equal(
	    from(f, "{\"nhs_number\": \"9990000019\"}", &terms), EXIT_INVALID);
	assert_string_equal(f->ctx.error.reason, "nhs");
	assert_int_equal(
	    from(f, "{\"birth_date\": \"31/02/2024\"}", &terms), EXIT_INVALID);
	assert_string_equal(f->ctx.error.reason, "date");
	assert_int_equal(
	    from(f, "{\"death_date\": \"2199-01-01\"}", &terms), EXIT_INVALID);
	assert_string_equal(f->ctx.error.reason, "date");
	assert_int_equal(from(f, "[]", &terms), EXIT_INVALID);
	assert_int_equal(from(f, "{\"family_name\"", &terms), EXIT_INVALID);
	f->ctx.n_values = 0;
	fixture_option(f, "--from", "/nowhere/at/all");
	assert_int_equal(terms_read(&f->ctx, true, &terms), EXIT_USAGE);
}

/* Before 1970 all that there is has come since. */
static void
a_day_begins_by_the_panels_clock(void **state)
{
	static const struct {
		const char *day;
		int later;
		uint64_t seconds;
	} days[] = {{"1970-01-02", 0, 86400}, {"1970-01-02", 1, 172800},
	    {"1969-12-30", 0, 0}};
	struct fixture *f = *state;
	uint64_t ms;
	size_t i;
	bool has;

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	for (i = 0; i < sizeof(days) / sizeof(*days); i++) {
		has = false;
		ms = 1;
		f->ctx.n_values = 0;
		assert_int_equal(terms_day_begins(&f->ctx, "--since",
				     days[i].later, &has, &ms),
		    EXIT_OK);
		assert_false(has);
		fixture_option(f, "--since", days[i].day);
		assert_int_equal(terms_day_begins(&f->ctx, "--since",
				     days[i].later, &has, &ms),
		    EXIT_OK);
		assert_true(has);
		assert_int_equal(ms, days[i].seconds * 1000);
	}
	f->ctx.n_values = 0;
	fixture_option(f, "--until", "31/12/1969");
	assert_int_equal(
	    terms_day_begins(&f->ctx, "--until", 1, &has, &ms), EXIT_USAGE);
	/* Not where this computer stands, once the panel is known. */
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	(void)fixture_profile(f);
	f->ctx.n_values = 0;
	fixture_option(f, "--since", "1/7/2026");
	assert_int_equal(
	    terms_day_begins(&f->ctx, "--since", 0, &has, &ms), EXIT_OK);
	assert_int_equal(ms, UINT64_C(1782860400000));
	f->ctx.n_values = 0;
	fixture_option(f, "--since", "2026-11");
	assert_int_equal(
	    terms_day_begins(&f->ctx, "--since", 0, &has, &ms), EXIT_USAGE);
}

/* Passed over, they would leave a wider question than was meant. */
static void
no_term_is_passed_over(void **state)
{
	struct fixture *f = *state;
	struct terms terms;

	assert_int_equal(from(f,
			     "{\"family_name\": \"Tarrant\", "
			     "\"Orlantha\": \"first\"}",
			     &terms),
	    EXIT_INVALID);
	assert_null(strstr(f->ctx.error.message, "Orlantha"));
	assert_non_null(strstr(f->ctx.error.next, "first_name, birth_date"));
	assert_int_equal(
	    from(f, "{\"nhs_number\": 9990000018}", &terms), EXIT_INVALID);
	assert_string_equal(f->ctx.error.message, "nhs_number is a text");
	assert_int_equal(
	    from(f, "{\"family_name\": \"A\", \"family_name\": \"B\"}", &terms),
	    EXIT_INVALID);
	assert_int_equal(
	    from(f, "{\"family_name\": \"A\", \"first_name\": null}", &terms),
	    EXIT_OK);
	assert_null(terms.first_name);
	/* A partner is not asked for the mother. */
	assert_int_equal(terms_read(&f->ctx, false, &terms), EXIT_OK);
	assert_int_equal(
	    from(f, "{\"mother_name\": \"Oyelaran\"}", &terms), EXIT_OK);
	assert_int_equal(terms_read(&f->ctx, false, &terms), EXIT_INVALID);
	assert_null(strstr(f->ctx.error.next, "mother_name"));
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(an_object_has_the_terms),
	    WITH(what_is_no_term_is_refused_by_name),
	    WITH(a_day_begins_by_the_panels_clock),
	    WITH(no_term_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
