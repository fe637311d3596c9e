/* Civil dates: days counted over the proleptic Gregorian calendar. */
#include "cdop/date.h"

#include <stdio.h>
#include <string.h>

#include "cdop/text.h"

#define ESTIMATED_DAYS 31 /* either side of a whole day that is estimated */
#define MONTHS         12
#define WEEKDAYS       7
#define NAME_SHORT     3 /* letters that a month or weekday may be cut to */

static const char *const month_names[MONTHS + 1] = {"", "January", "February",
    "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"};

/* 1970-01-01 was a Thursday. */
static const char *const weekday_names[WEEKDAYS] = {"Thursday", "Friday",
    "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"};

static const char guessed[] = "estimated, "; /* in words what ~ is in text */

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const uint8_t days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month == 2 && is_leap(year))
		return 29;
	return days[month - 1];
}

bool
cdop_date_is_valid(const struct cdop_date *date)
{
	if (date->year < CDOP_DATE_YEAR_MIN || date->year > CDOP_DATE_YEAR_MAX)
		return false;
	if (date->month > 12 || (date->month == 0 && date->day != 0))
		return false;
	if (date->month == 0)
		return true;
	return date->day <= month_days(date->year, date->month);
}

/* Howard Hinnant's days_from_civil: years begin in March, eras are 400. */
static int32_t
days_of(int year, int month, int day)
{
	int era;
	int yoe;
	int doy;
	int doe;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	yoe = year - era * 400;
	doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

int32_t
cdop_date_days(const struct cdop_date *date)
{
	return days_of(date->year, date->month, date->day);
}

struct cdop_date
cdop_date_from_days(int32_t days)
{
	struct cdop_date date = {0};
	int z = days + 719468;
	int era = (z >= 0 ? z : z - 146096) / 146097;
	int doe = z - era * 146097;
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;
	int month = mp + (mp < 10 ? 3 : -9);

	date.day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1);
	date.month = (uint8_t)month;
	date.year = (uint16_t)(yoe + era * 400 + (month <= 2));
	return date;
}

struct cdop_date
cdop_date_utc(uint64_t ms)
{
	uint64_t days = ms / 86400000;
	uint64_t last = (uint64_t)days_of(9999, 12, 31);

	return cdop_date_from_days((int32_t)(days < last ? days : last));
}

/* ---- reading ----------------------------------------------------------- */

/* min to max digits; returns how many, 0 for a number of another length. */
static size_t
digits(const char *s, size_t min, size_t max, unsigned *ret_value)
{
	unsigned value = 0;
	size_t n = 0;

	while (s[n] >= '0' && s[n] <= '9') {
		if (n == max)
			return 0;
		value = value * 10 + (unsigned)(s[n] - '0');
		n++;
	}
	if (n < min)
		return 0;
	*ret_value = value;
	return n;
}

/* 2026, 2026-05, 2026-11-20; everything has to be used up. */
static bool
read_iso(const char *s, unsigned part[3])
{
	size_t n;

	if ((n = digits(s, 4, 4, &part[0])) == 0)
		return false;
	s += n;
	if (*s == '\0')
		return true;
	if (*s != '-' || (n = digits(s + 1, 2, 2, &part[1])) == 0)
		return false;
	if (part[1] == 0)
		return false;
	s += n + 1;
	if (*s == '\0')
		return true;
	if (*s != '-' || (n = digits(s + 1, 2, 2, &part[2])) == 0)
		return false;
	return part[2] != 0 && s[n + 1] == '\0';
}

/* 20/11/2026, 05/2026: one separator throughout. */
static bool
read_british(const char *s, unsigned part[3])
{
	unsigned number[3];
	char separator = '\0';
	size_t count = 0;
	size_t n = 0;

	while (count < 3) {
		n = digits(s, 1, 4, &number[count]);
		if (n == 0)
			return false;
		count++;
		s += n;
		if (*s == '\0')
			break;
		if (*s != '/' && *s != '.' && *s != '-')
			return false;
		if (separator != '\0' && *s != separator)
			return false;
		separator = *s++;
		if (n > 2)
			return false; /* the year comes last */
	}
	if (*s != '\0' || count < 2 || n != 4)
		return false; /* years have four digits */
	part[0] = number[count - 1];
	part[1] = number[count - 2];
	part[2] = count == 3 ? number[0] : 0;
	return part[1] != 0 && (count == 2 || part[2] != 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *
behind_blanks(const char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* The place of a name that is typed whole or cut short; count: it is none. */
static size_t
name_of(const char *word, size_t len, const char *const *names, size_t count)
{
	char typed[10], name[10];
	size_t i;

	if (len < NAME_SHORT || len >= sizeof(typed))
		return count;
	memcpy(typed, word, len);
	typed[len] = '\0';
	for (i = 0; i < count; i++) {
		if (len > NAME_SHORT && strlen(names[i]) != len)
			continue;
		(void)snprintf(name, len + 1, "%s", names[i]);
		if (cdop_text_same(typed, name))
			return i;
	}
	return count;
}

/* November 2026, Nov 2026: the month and what stands behind it. */
static bool
read_month(const char *s, unsigned part[3])
{
	size_t len = strcspn(s, " \t");
	size_t month = name_of(s, len, month_names, MONTHS + 1);
	size_t n;

	if (month == 0 || month > MONTHS)
		return false;
	part[1] = (unsigned)month;
	s = behind_blanks(s + len);
	n = digits(s, 4, 4, &part[0]);
	return n > 0 && s[n] == '\0';
}

/* 20 November 2026, 20 Nov 2026 */
static bool
read_named(const char *s, unsigned part[3])
{
	size_t n;

	if ((n = digits(s, 1, 2, &part[2])) == 0 || !is_blank(s[n]))
		return false;
	return part[2] != 0 && read_month(behind_blanks(s + n), part);
}

/* Year, month, day as they were read. */
static bool
take_parts(const unsigned part[static 3], struct cdop_date *date)
{
	if (part[1] > 12 || part[2] > 31)
		return false;
	date->year = (uint16_t)part[0];
	date->month = (uint8_t)part[1];
	date->day = (uint8_t)part[2];
	return cdop_date_is_valid(date);
}

static size_t
weekday_of(const struct cdop_date *date)
{
	int32_t day = cdop_date_days(date) % WEEKDAYS;

	return (size_t)(day < 0 ? day + WEEKDAYS : day);
}

/* Fri 20 November 2026: a day that is another weekday is a slip. */
static bool
read_weekday(const char *s, unsigned part[3])
{
	size_t len = strcspn(s, " \t");
	size_t weekday = name_of(s, len, weekday_names, WEEKDAYS);
	struct cdop_date date = {0};

	return weekday < WEEKDAYS && read_named(behind_blanks(s + len), part) &&
	    take_parts(part, &date) && weekday_of(&date) == weekday;
}

/* What stands behind the mark of an estimate, ~ or the word; else s. */
static const char *
behind_guess(const char *s, bool *ret_estimated)
{
	size_t len = strlen(guessed) - 1; /* its blank may be left out */

	*ret_estimated = true;
	if (*s == '~')
		return behind_blanks(s + 1);
	if (strncmp(s, guessed, len) == 0)
		return behind_blanks(s + len);
	*ret_estimated = false;
	return s;
}

/* A copy without blanks at the ends; false when it does not fit. */
static bool
trimmed(const char *text, char *out, size_t size)
{
	size_t len;

	text = behind_blanks(text);
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	if (len == 0 || len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/*
 * A spreadsheet writes a day as its midnight: that is cut off.  Another time,
 * or one with a zone, says more than the day, and is not dropped.
 */
static bool
cut_midnight(char *text)
{
	static const char *const ways[] = {
	    "00:00", "00:00:00", "00:00:00.000", "0:00", "0:00:00"};
	char *at = strrchr(text, ' ');
	size_t i;

	if (at == NULL)
		at = strchr(text, 'T');
	if (at == NULL || at == text || at[-1] < '0' || at[-1] > '9')
		return false;
	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (strcmp(at + 1, ways[i]) != 0)
			continue;
		*at = '\0';
		return true;
	}
	return false;
}

enum cdop_err
cdop_date_parse(const char *text, struct cdop_date *ret_date)
{
	static bool (*const ways[])(const char *, unsigned[3]) = {
	    read_iso, read_british, read_named, read_month, read_weekday};
	struct cdop_date date = {0};
	unsigned part[3];
	char buf[CDOP_DATE_WORDS_MAX];
	bool midnight;
	const char *s;
	size_t i;

	if (!trimmed(text, buf, sizeof(buf)))
		return CDOP_INVALID_ARGUMENT;
	midnight = cut_midnight(buf);
	s = behind_guess(buf, &date.estimated);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		memset(part, 0, sizeof(part));
		if (ways[i](s, part))
			break;
	}
	if (i == sizeof(ways) / sizeof(ways[0]))
		return CDOP_INVALID_ARGUMENT;
	if (!take_parts(part, &date) || (midnight && date.day == 0))
		return CDOP_INVALID_ARGUMENT;
	*ret_date = date;
	return CDOP_OK;
}

enum cdop_err
cdop_date_parse_day(const char *text, int32_t *ret_days)
{
	struct cdop_date date = {0};
	unsigned part[3] = {0, 0, 0};

	if (!read_iso(text, part) || part[2] == 0 || !take_parts(part, &date))
		return CDOP_INVALID_ARGUMENT;
	*ret_days = cdop_date_days(&date);
	return CDOP_OK;
}

enum cdop_err
cdop_date_time_parse(const char *text, unsigned *ret_minutes)
{
	unsigned hour;
	unsigned minute;
	char buf[16];
	const char *s = buf;
	size_t n;

	if (!trimmed(text, buf, sizeof(buf)))
		return CDOP_INVALID_ARGUMENT;
	n = digits(s, 1, 4, &hour);
	if (n == 4 && s[n] == '\0') {
		minute = hour % 100;
		hour /= 100;
	} else {
		if (n == 0 || n > 2 || (s[n] != ':' && s[n] != '.'))
			return CDOP_INVALID_ARGUMENT;
		s += n + 1;
		n = digits(s, 2, 2, &minute);
		/* Seconds that are none say nothing that would be lost. */
		if (n == 0 ||
		    (s[n] != '\0' &&
			(s[-1] != ':' || strcmp(s + n, ":00") != 0)))
			return CDOP_INVALID_ARGUMENT;
	}
	if (hour > 23 || minute > 59)
		return CDOP_INVALID_ARGUMENT;
	*ret_minutes = hour * 60 + minute;
	return CDOP_OK;
}

/* ---- writing ----------------------------------------------------------- */

static char *
put_digits(char *out, unsigned number, unsigned first)
{
	for (; first > 0; first /= 10)
		*out++ = (char)('0' + number / first % 10);
	return out;
}

/* Without printf: a form has five, and each is written several times. */
void
cdop_date_write(
    const struct cdop_date *date, char out[static CDOP_DATE_TEXT_MAX])
{
	if (date->estimated)
		*out++ = '~';
	out = put_digits(out, date->year, 1000);
	if (date->month != 0) {
		*out++ = '-';
		out = put_digits(out, date->month, 10);
	}
	if (date->month != 0 && date->day != 0) {
		*out++ = '-';
		out = put_digits(out, date->day, 10);
	}
	*out = '\0';
}

void
cdop_date_words(
    const struct cdop_date *date, char out[static CDOP_DATE_WORDS_MAX])
{
	const char *guess = date->estimated ? guessed : "";

	if (date->month == 0) {
		(void)snprintf(out, CDOP_DATE_WORDS_MAX, "%s%u", guess,
		    (unsigned)date->year);
	} else if (date->day == 0) {
		(void)snprintf(out, CDOP_DATE_WORDS_MAX, "%s%s %u", guess,
		    month_names[date->month % (MONTHS + 1)],
		    (unsigned)date->year);
	} else {
		(void)snprintf(out, CDOP_DATE_WORDS_MAX, "%s%.*s %u %s %u",
		    guess, NAME_SHORT, weekday_names[weekday_of(date)],
		    (unsigned)date->day,
		    month_names[date->month % (MONTHS + 1)],
		    (unsigned)date->year);
	}
}

/* ---- reckoning --------------------------------------------------------- */

struct cdop_span
cdop_date_span(const struct cdop_date *date)
{
	struct cdop_span span;
	int year = date->year;
	int guess = date->estimated ? 1 : 0;

	if (date->month == 0) {
		span.first = days_of(year - guess, 1, 1);
		span.last = days_of(year + guess, 12, 31);
	} else if (date->day == 0) {
		span.first = days_of(year, date->month, 1);
		span.last = cdop_date_add_months(span.first, 1 + guess) - 1;
		span.first = cdop_date_add_months(span.first, -guess);
	} else {
		span.first = cdop_date_days(date) - guess * ESTIMATED_DAYS;
		span.last = cdop_date_days(date) + guess * ESTIMATED_DAYS;
	}
	return span;
}

int32_t
cdop_date_add_months(int32_t days, int months)
{
	struct cdop_date date = cdop_date_from_days(days);
	int count = date.year * 12 + date.month - 1 + months;
	int year = count / 12;
	int month = count % 12;
	int day = date.day;

	if (month < 0) {
		month += 12;
		year--;
	}
	if (day > month_days(year, month + 1))
		day = month_days(year, month + 1);
	return days_of(year, month + 1, day);
}

int32_t
cdop_date_birthday(int32_t born, int years, bool feb29_early)
{
	struct cdop_date date = cdop_date_from_days(born);
	int year = date.year + years;

	if (date.month == 2 && date.day == 29 && !is_leap(year))
		return feb29_early ? days_of(year, 2, 28) : days_of(year, 3, 1);
	return days_of(year, date.month, date.day);
}

int
cdop_date_age(int32_t born, int32_t on, bool feb29_early)
{
	int years =
	    cdop_date_from_days(on).year - cdop_date_from_days(born).year;

	if (on < born)
		return -1;
	if (cdop_date_birthday(born, years, feb29_early) > on)
		years--;
	return years;
}
