/* Civil dates: reading, the calendar, readings of partial dates, ages. */
#include "cdop/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static struct cdop_date
date(const char *text)
{
	struct cdop_date got = {0};

	if (cdop_date_parse(text, &got) != CDOP_OK)
		fail_msg("not read: %s", text);
	return got;
}

static int32_t
day(const char *text)
{
	int32_t got = 0;

	if (cdop_date_parse_day(text, &got) != CDOP_OK)
		fail_msg("not read: %s", text);
	return got;
}

static void
what_people_type_becomes_one_canonical_text(void **state)
{
	static const char *const pairs[][2] = {
	    {"20/11/2026", "2026-11-20"},
	    {"20.11.2026", "2026-11-20"},
	    {"20-11-2026", "2026-11-20"},
	    {"1/2/2026", "2026-02-01"},
	    {" 2026-11-20 ", "2026-11-20"},
	    {"05/2026", "2026-05"},
	    {"5/2026", "2026-05"},
	    {"2026-05", "2026-05"},
	    {"2026", "2026"},
	    {"~2024", "~2024"},
	    {"~ 05/2024", "~2024-05"},
	    {"~14/05/2024", "~2024-05-14"},
	    {"29/02/2024", "2024-02-29"},
	    {"20 Nov 2026", "2026-11-20"},
	    {"20 November 2026", "2026-11-20"},
	    {"1 may 2026", "2026-05-01"},
	    {"01\tMAY  2026", "2026-05-01"},
	    {"~ 9 september 1999", "~1999-09-09"},
	    {"29 Feb 2024", "2024-02-29"},
	    {"31 Jan 2026", "2026-01-31"},
	    {"31 mar 2026", "2026-03-31"},
	    {"30 Apr 2026", "2026-04-30"},
	    {"30 Jun 2026", "2026-06-30"},
	    {"31 JULY 2026", "2026-07-31"},
	    {"31 August 2026", "2026-08-31"},
	    {"31 Oct 2026", "2026-10-31"},
	    {"31 Dec 2026", "2026-12-31"},
	    {"May 2024", "2024-05"},
	    {"sep 2026", "2026-09"},
	    {"Fri 20 November 2026", "2026-11-20"},
	    {"friday 20 nov 2026", "2026-11-20"},
	    {"Thu 1 January 1970", "1970-01-01"},
	    {"Wed 31 December 1969", "1969-12-31"},
	    {"estimated, 2024", "~2024"},
	    {"estimated, May 2024", "~2024-05"},
	    {"estimated,Fri 20 November 2026", "~2026-11-20"},
	    {"estimated, Wednesday 9 September 2026", "~2026-09-09"},
	    /* As spreadsheets and databases write a day. */
	    {"2026-04-03T00:00", "2026-04-03"},
	    {"2026-04-03T00:00:00", "2026-04-03"},
	    {"2026-04-03 00:00:00.000", "2026-04-03"},
	    {" 03/04/2026 00:00 ", "2026-04-03"},
	    {"03/04/2026 0:00", "2026-04-03"},
	    {"3/4/2026 0:00:00", "2026-04-03"},
	    {"~03/04/2026 00:00", "~2026-04-03"},
	    {"estimated, Fri 20 November 2026 00:00:00.000", "~2026-11-20"},
	};
	char text[CDOP_DATE_TEXT_MAX], words[CDOP_DATE_WORDS_MAX];
	struct cdop_date got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		got = date(pairs[i][0]);
		cdop_date_write(&got, text);
		assert_string_equal(text, pairs[i][1]);
		/* So are the words that are shown. */
		cdop_date_words(&got, words);
		got = date(words);
		cdop_date_write(&got, text);
		assert_string_equal(text, pairs[i][1]);
		/* Canonical text is read back as the same date. */
		got = date(text);
		cdop_date_write(&got, text);
		assert_string_equal(text, pairs[i][1]);
	}
}

static void
what_is_no_date_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "~", "20/11/26", "26",
	    "29/02/2026", "29/02/1900", "31/04/2026", "00/01/2026",
	    "01/00/2026", "13/2026", "0/2026", "2026-00", "2026-13",
	    "2026-02-30", "2026-1-1", "2026/11/20", "20/11-2026", "1849",
	    "2200", "02026", "11/20/2026", "today", "2026-11-20T10:00",
	    "99999999999", "1/1/99999", "2026-11-", "2026-", "/2026",
	    "20 11 2026", "2026-11-20 x", "29 Feb 2026", "31 Apr 2026",
	    "0 Nov 2026", "32 Dec 2026", "20 Nov 26", "20 Nov 02026",
	    "20 No 2026", "20 Nove 2026", "20 Sept 2026", "20 Novembre 2026",
	    "20 Septembers 2026", "Nov", "Nov 20 2026", "20Nov 2026",
	    "20 Nov2026", "20-Nov-2026", "20/Nov/2026", "20 Nov", "20 Nov ",
	    "120 Nov 2026", "20. Nov 2026", "20th Nov 2026", "Thu 20 Nov 2026",
	    "Fr 20 Nov 2026", "Fri, 20 Nov 2026", "Fri Nov 2026", "Fri 2026",
	    "Fri 31 Apr 2026", "Fri 20/11/2026", "Fri", "Nov 26", "Nov 02026",
	    "Nov 2026 x", "Nov 1849", "estimated", "estimated,", "~~2024",
	    "estimated 2024", "estimated, ~2024", "~estimated, 2024",
	    "20 Nov 2026 x", "20 Nov, 2026", "20 Nov -2026", "20  2026",
	    "20 M\xc3\xa4r 2026",
	    /* A time that is no midnight, or one in a zone, is not dropped. */
	    "2026-04-03T09:00", "2026-04-03T00:01", "03/04/2026 00:00:01",
	    "03/04/2026 24:00", "2026-04-03T00:00Z", "2026-04-03T00:00:00Z",
	    "2026-04-03T00:00:00+01:00", "2026-04-03T", "2026-04-03T00",
	    "2026-04-03T00:00:00.001", "2026-04-03 00:00 00:00",
	    "03/04/2026  00:00", "2026-04-0300:00", "T00:00", " 00:00", "00:00",
	    /* Midnight is of a day. */
	    "04/2026 00:00", "2026T00:00", "2026 00:00", "May 2026 00:00",
	    "2026                                                      x"};
	struct cdop_date got = {.year = 1};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (cdop_date_parse(bad[i], &got) != CDOP_INVALID_ARGUMENT)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(got.year, 1);
	}
}

static void
days_and_dates_agree_over_all_years(void **state)
{
	struct cdop_date d = {.year = CDOP_DATE_YEAR_MIN, .month = 1, .day = 1};
	struct cdop_date back;
	int32_t n = cdop_date_days(&d);
	int32_t last = day("2199-12-31");

	(void)state;
	assert_int_equal(day("1970-01-01"), 0);
	assert_int_equal(day("2000-03-01"), 11017);
	for (; n <= last; n++) {
		back = cdop_date_from_days(n);
		assert_true(cdop_date_is_valid(&back));
		assert_int_equal(cdop_date_days(&back), n);
	}
}

static void
words_name_the_weekday(void **state)
{
	char words[CDOP_DATE_WORDS_MAX];
	struct cdop_date d = date("20/11/2026");

	(void)state;
	cdop_date_words(&d, words);
	assert_string_equal(words, "Fri 20 November 2026");
	d = date("~05/2024");
	cdop_date_words(&d, words);
	assert_string_equal(words, "estimated, May 2024");
	d = date("1965-02-07");
	cdop_date_words(&d, words);
	assert_string_equal(words, "Sun 7 February 1965");
	d = date("~30/09/2026");
	cdop_date_words(&d, words);
	assert_string_equal(words, "estimated, Wed 30 September 2026");
	d = date("2026");
	cdop_date_words(&d, words);
	assert_string_equal(words, "2026");
}

static void
a_partial_date_means_all_its_days(void **state)
{
	static const struct {
		const char *text;
		const char *first;
		const char *last;
	} spans[] = {
	    {"20/11/2026", "2026-11-20", "2026-11-20"},
	    {"02/2024", "2024-02-01", "2024-02-29"},
	    {"02/2026", "2026-02-01", "2026-02-28"},
	    {"2026", "2026-01-01", "2026-12-31"},
	    {"~2024", "2023-01-01", "2025-12-31"},
	    {"~05/2024", "2024-04-01", "2024-06-30"},
	    {"~01/2024", "2023-12-01", "2024-02-29"},
	    {"~12/2024", "2024-11-01", "2025-01-31"},
	    {"~14/05/2024", "2024-04-13", "2024-06-14"},
	};
	struct cdop_span span;
	struct cdop_date d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		d = date(spans[i].text);
		span = cdop_date_span(&d);
		assert_int_equal(span.first, day(spans[i].first));
		assert_int_equal(span.last, day(spans[i].last));
	}
}

static void
months_are_held_to_their_length(void **state)
{
	(void)state;
	assert_int_equal(
	    cdop_date_add_months(day("2026-08-31"), 6), day("2027-02-28"));
	assert_int_equal(
	    cdop_date_add_months(day("2027-08-31"), 6), day("2028-02-29"));
	assert_int_equal(
	    cdop_date_add_months(day("2026-01-31"), 1), day("2026-02-28"));
	assert_int_equal(
	    cdop_date_add_months(day("2026-01-15"), -1), day("2025-12-15"));
	assert_int_equal(
	    cdop_date_add_months(day("2026-03-31"), -13), day("2025-02-28"));
	assert_int_equal(
	    cdop_date_add_months(day("2026-11-30"), 12), day("2027-11-30"));
}

static void
eighteen_begins_on_the_birthday(void **state)
{
	(void)state;
	assert_int_equal(
	    cdop_date_age(day("2008-11-21"), day("2026-11-20"), false), 17);
	assert_int_equal(
	    cdop_date_age(day("2008-11-21"), day("2026-11-21"), false), 18);
	assert_int_equal(
	    cdop_date_age(day("2026-11-20"), day("2026-11-20"), false), 0);
	assert_int_equal(
	    cdop_date_age(day("2026-11-21"), day("2026-11-20"), false), -1);
}

static void
a_leap_day_child_is_18_by_the_setting(void **state)
{
	int32_t born = day("2008-02-29");

	(void)state;
	/* 2026 has no 29 February. */
	assert_int_equal(cdop_date_age(born, day("2026-02-27"), false), 17);
	assert_int_equal(cdop_date_age(born, day("2026-02-28"), false), 17);
	assert_int_equal(cdop_date_age(born, day("2026-03-01"), false), 18);
	assert_int_equal(cdop_date_age(born, day("2026-02-27"), true), 17);
	assert_int_equal(cdop_date_age(born, day("2026-02-28"), true), 18);
	/* A leap year has its own. */
	assert_int_equal(cdop_date_birthday(born, 20, true), day("2028-02-29"));
	assert_int_equal(
	    cdop_date_birthday(born, 20, false), day("2028-02-29"));
}

static void
times_are_read_and_midnight_is_zero(void **state)
{
	static const struct {
		const char *text;
		unsigned minutes;
	} good[] = {{"17:40", 1060}, {"7:05", 425}, {"0740", 460},
	    {"1740", 1060}, {"17.40", 1060}, {"00:00", 0}, {"23:59", 1439},
	    {" 9:00 ", 540}, {"09:00:00", 540}, {"9:00:00", 540},
	    {"00:00:00", 0}};

	static const char *const bad[] = {"", "24:00", "17:60", "17", "174",
	    "17:4", "17:400", "25:00", "5pm", "17:40:01", "17:40:", "17:40:0",
	    "17:40:000", "17.40:00", "17.40.00", "1740:00", "24:00:00", "-1:00",
	    ":30", "99999", "1:"};
	unsigned minutes = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (cdop_date_time_parse(bad[i], &minutes) == CDOP_OK)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(minutes, 7);
	}
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(
		    cdop_date_time_parse(good[i].text, &minutes), CDOP_OK);
		assert_int_equal(minutes, good[i].minutes);
	}
}

static void
an_instant_has_a_day_in_utc_however_late(void **state)
{
	const uint64_t day_ms = 86400000;
	struct cdop_date date = cdop_date_utc(0);
	char text[CDOP_DATE_TEXT_MAX];

	(void)state;
	cdop_date_write(&date, text);
	assert_string_equal(text, "1970-01-01");
	date = cdop_date_utc((uint64_t)day("2026-11-25") * day_ms - 1);
	cdop_date_write(&date, text);
	assert_string_equal(text, "2026-11-24");
	date = cdop_date_utc(2932897 * day_ms); /* 1 January 10000 */
	cdop_date_write(&date, text);
	assert_string_equal(text, "9999-12-31");
	date = cdop_date_utc(UINT64_MAX);
	cdop_date_write(&date, text);
	assert_string_equal(text, "9999-12-31");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_people_type_becomes_one_canonical_text),
	    cmocka_unit_test(what_is_no_date_is_refused),
	    cmocka_unit_test(days_and_dates_agree_over_all_years),
	    cmocka_unit_test(words_name_the_weekday),
	    cmocka_unit_test(a_partial_date_means_all_its_days),
	    cmocka_unit_test(months_are_held_to_their_length),
	    cmocka_unit_test(eighteen_begins_on_the_birthday),
	    cmocka_unit_test(a_leap_day_child_is_18_by_the_setting),
	    cmocka_unit_test(times_are_read_and_midnight_is_zero),
	    cmocka_unit_test(an_instant_has_a_day_in_utc_however_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
