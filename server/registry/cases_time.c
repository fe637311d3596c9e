/* Civil time in the British Isles, and the one line about timeliness. */
#include "server/registry/cases_time.h"

#include <string.h>

#define MINUTE_MS 60000
#define DAY_MS    86400000
#define HOUR_MS   3600000

/* The end of 9999-12-31, in winter. */
#define LAST_MS ((uint64_t)2932897 * DAY_MS - 1)

/* Longer than this nobody counts in hours. */
#define IN_HOURS_MS ((int64_t)14 * DAY_MS)

static bool
keeps_british_time(const char *zone)
{
	static const char *const zones[] = {"Europe/London",
	    "Europe/Isle_of_Man", "Europe/Belfast", "Europe/Jersey",
	    "Europe/Guernsey", "GB"};
	size_t i;

	for (i = 0; i < sizeof(zones) / sizeof(*zones); i++)
		if (strcmp(zone, zones[i]) == 0)
			return true;
	return false;
}

/* Days are floored, also before 1970. */
static int32_t
day_of(int64_t ms)
{
	return (int32_t)((ms >= 0 ? ms : ms - DAY_MS + 1) / DAY_MS);
}

/* 01:00 UTC on the last Sunday of a month with 31 days. */
static int64_t
last_sunday(uint16_t year, uint8_t month)
{
	struct cdop_date date = {year, month, 31, false};
	int32_t day = cdop_date_days(&date);

	/* 1970-01-01 was a Thursday, so day 3 was a Sunday. */
	day -= (int32_t)(((int64_t)day - 3 + 7000000) % 7);
	return (int64_t)day * DAY_MS + HOUR_MS;
}

int
cases_time_offset(const char *zone, int64_t utc_ms)
{
	uint16_t year = cdop_date_from_days(day_of(utc_ms)).year;

	if (!keeps_british_time(zone) || year < 1996)
		return 0;
	if (utc_ms >= last_sunday(year, 3) && utc_ms < last_sunday(year, 10))
		return 60;
	return 0;
}

int32_t
cases_time_day(const char *zone, uint64_t utc_ms)
{
	/* Cut to an int32_t it would be a day that somebody chose. */
	int64_t ms = (int64_t)(utc_ms < LAST_MS ? utc_ms : LAST_MS);

	return day_of(ms + (int64_t)cases_time_offset(zone, ms) * MINUTE_MS);
}

int64_t
cases_time_instant(const char *zone, int32_t day, unsigned minutes)
{
	int64_t local = (int64_t)day * DAY_MS + (int64_t)minutes * MINUTE_MS;
	int offset = cases_time_offset(zone, local);

	/* Once more from the right side of the change. */
	offset = cases_time_offset(zone, local - (int64_t)offset * MINUTE_MS);
	return local - (int64_t)offset * MINUTE_MS;
}

/* A whole, certain day of a date field. */
static bool
whole_day(const Cdop__Form *form, const char *path, int32_t *ret_day)
{
	struct cdop_date date;

	if (!cdop_form_date(form, path, &date) || date.day == 0 ||
	    date.estimated)
		return false;
	*ret_day = cdop_date_days(&date);
	return true;
}

static bool
time_of(const Cdop__Form *form, const char *path, struct cdop_arena *arena,
    unsigned *ret_minutes)
{
	const char *text = cdop_form_value(form, path, arena);

	return text != NULL &&
	    cdop_date_time_parse(text, ret_minutes) == CDOP_OK;
}

/* Clocks abroad are not ours: only days are compared then. */
static bool
was_abroad(const Cdop__Form *form, const struct cdop_profile *profile,
    int32_t day, struct cdop_arena *arena)
{
	const char *area = cdop_form_text(form, "area.death", arena);
	const struct cdop_code *code;

	if (area == NULL || *area == '\0')
		return false;
	code = cdop_profile_code(profile, "area_other", area, day);
	return code != NULL && (code->flags & CDOP_CODE_ABROAD) != 0;
}

static const char *
in_days(struct cdop_arena *arena, int32_t days, const char *what)
{
	if (days == 0)
		return cdop_arena_printf(arena, "told on the day %s", what);
	return cdop_arena_printf(arena, "told %d day%s after %s", (int)days,
	    days == 1 ? "" : "s", what);
}

const char *
cases_time_told(const Cdop__Form *form, const struct cdop_profile *profile,
    const char *zone, struct cdop_arena *arena)
{
	bool found = form->death != NULL && form->death->has_date_is_found &&
	    form->death->date_is_found;
	const char *told_zone = zone;
	unsigned died_min, told_min;
	int32_t died, told;
	int64_t ms;

	if (!whole_day(form, "death.date", &died) ||
	    !whole_day(form, "received.notified_date", &told) || told < died)
		return "";
	if (!time_of(form, "death.time", arena, &died_min) ||
	    !time_of(form, "received.notified_time", arena, &told_min) ||
	    was_abroad(form, profile, died, arena))
		return in_days(arena, told - died,
		    found              ? "the child was found"
			: told == died ? "of the death"
				       : "death");
	if (form->received->time_zone != NULL)
		told_zone = form->received->time_zone;
	ms = cases_time_instant(told_zone, told, told_min) -
	    cases_time_instant(zone, died, died_min);
	if (ms < 0)
		return "";
	if (ms > IN_HOURS_MS)
		return in_days(arena, told - died,
		    found ? "the child was found" : "death");
	return cdop_arena_printf(arena,
	    "told %lld h %02lld min after %s (%u h asked, %u h limit in "
	    "this profile)",
	    (long long)(ms / HOUR_MS), (long long)(ms % HOUR_MS / MINUTE_MS),
	    found ? "the child was found" : "death",
	    profile->notify_asked_hours, profile->notify_limit_hours);
}
