/*
 * Civil dates that may be partial or estimated, and times of day.
 *
 * A date here is what somebody said about a day at a place.  It is never
 * converted to a zone and never becomes an instant.  Rules compare the
 * earliest and the latest day that a date can mean.
 */
#ifndef CDOP_DATE_H
#define CDOP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"

#define CDOP_DATE_TEXT_MAX  16 /* "~2026-11-20" and NUL */
#define CDOP_DATE_WORDS_MAX 48 /* "estimated, Fri 20 November 2026" and NUL */
#define CDOP_DATE_YEAR_MIN  1850
#define CDOP_DATE_YEAR_MAX  2199

/* month 0: only the year is known; day 0: only year and month. */
struct cdop_date {
	uint16_t year;
	uint8_t month;
	uint8_t day;
	bool estimated;
};

/* Days since 1970-01-01, both ends included. */
struct cdop_span {
	int32_t first;
	int32_t last;
};

/* Is the day one of the span? */
static inline bool
cdop_span_holds(struct cdop_span span, int32_t day)
{
	return span.first <= day && day <= span.last;
}

/* Is there a day of both? */
static inline bool
cdop_span_meets(struct cdop_span a, struct cdop_span b)
{
	return a.first <= b.last && b.first <= a.last;
}

/* Is it a date of the calendar, in the years we take? */
bool cdop_date_is_valid(const struct cdop_date *date);

/*
 * Reads what a person types or a program sends: 20/11/2026, 20.11.2026,
 * 2026-11-20, 05/2026, 2026-05, 2026, 20 November 2026, 20 nov 2026, May 2026,
 * and everything that cdop_date_words() makes; ~ before it is "estimated".
 * Years have four digits; a month or weekday has its English name or the first
 * three letters of it, and a weekday is the date's; blanks around are passed
 * over.  Midnight behind a whole date is passed over, too, as 00:00, 00:00:00
 * or 00:00:00.000 after a blank or T: spreadsheets write days so.
 * CDOP_INVALID_ARGUMENT: also for any other time, which would be lost.
 */
CDOP_MUST enum cdop_err cdop_date_parse(
    const char *text, struct cdop_date *ret_date);

/* Canonical text: "2026-11-20" "2026-05" "~2024".  date has to be valid. */
void cdop_date_write(
    const struct cdop_date *date, char out[static CDOP_DATE_TEXT_MAX]);

/* For people: "Fri 20 November 2026" "May 2026" "estimated, 2024". */
void cdop_date_words(
    const struct cdop_date *date, char out[static CDOP_DATE_WORDS_MAX]);

/*
 * The days that a date can mean.  An estimate reaches one unit of its last
 * stated part further on both sides: a year, a month; a whole day that is
 * estimated counts 31 days to each side.
 */
struct cdop_span cdop_date_span(const struct cdop_date *date);

/* A whole, valid date to days since 1970-01-01, and back. */
int32_t cdop_date_days(const struct cdop_date *date);
struct cdop_date cdop_date_from_days(int32_t days);

/*
 * The day of an instant in UTC, milliseconds since 1970; 31 December 9999
 * stands for all behind it.  Not gmtime(): on its first call that opens the
 * time zone file, which a process behind its walls cannot.
 */
struct cdop_date cdop_date_utc(uint64_t ms);

/* "2026-11-20", whole and certain, to days.  CDOP_INVALID_ARGUMENT. */
CDOP_MUST enum cdop_err cdop_date_parse_day(
    const char *text, int32_t *ret_days);

/*
 * months later (or earlier), the day held to the length of the month: 31
 * August and six months is the last day of February.
 */
int32_t cdop_date_add_months(int32_t days, int months);

/*
 * The day somebody born on day born becomes years old.  Born on 29 February:
 * 1 March in other years, or 28 February where feb29_early says so.
 */
int32_t cdop_date_birthday(int32_t born, int years, bool feb29_early);

/* Completed years of age on day on; negative before birth. */
int cdop_date_age(int32_t born, int32_t on, bool feb29_early);

/*
 * Time of day: 17:40, 7:40, 1740, 17.40, 17:40:00.  Minutes since midnight, 0
 * to 1439 (24:00 is the next day: it is refused).  CDOP_INVALID_ARGUMENT: also
 * for seconds other than 00, which would be lost.
 */
CDOP_MUST enum cdop_err cdop_date_time_parse(
    const char *text, unsigned *ret_minutes);

#endif
