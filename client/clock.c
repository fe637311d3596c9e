/* See clock.h. */
#include "client/clock.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/date.h"

/* The C library converts to the zone of TZ alone; NULL: to the computer's. */
static void
set_zone(const char *zone)
{
	if (zone != NULL)
		(void)setenv("TZ", zone, 1);
	else
		(void)unsetenv("TZ");
	tzset();
}

/* Converts in one direction, in the zone that is set. */
static bool
convert(bool forth, time_t *instant, struct tm *tm)
{
	if (forth)
		return localtime_r(instant, tm) != NULL;
	*instant = mktime(tm);
	return true;
}

static bool
in_zone_of_panel(const struct cdop_profile *profile, bool forth,
    time_t *instant, struct tm *tm)
{
	const struct cdop_area *area = cdop_profile_holding(profile);
	const char *own = getenv("TZ");
	char *kept = NULL;
	bool good;

	if (area == NULL || (own != NULL && (kept = strdup(own)) == NULL))
		return false;
	set_zone(area->time_zone);
	good = convert(forth, instant, tm);
	set_zone(kept);
	free(kept);
	return good;
}

bool
clock_of_panel(
    const struct cdop_profile *profile, time_t instant, struct tm *ret_tm)
{
	return in_zone_of_panel(profile, true, &instant, ret_tm);
}

time_t
clock_day_begins(
    const struct cdop_profile *profile, const struct cdop_date *day, int later)
{
	struct tm tm = {.tm_isdst = -1};
	time_t at = 0;

	tm.tm_year = day->year - 1900;
	tm.tm_mon = day->month - 1;
	tm.tm_mday = day->day + later;
	if (profile == NULL || !in_zone_of_panel(profile, false, &at, &tm))
		(void)convert(false, &at, &tm);
	return at;
}

int32_t
clock_today(const struct cdop_profile *profile)
{
	time_t now = time(NULL);
	struct cdop_date day = cdop_date_utc((uint64_t)now * 1000);
	struct tm tm;

	if (clock_of_panel(profile, now, &tm)) {
		day.year = (uint16_t)(tm.tm_year + 1900);
		day.month = (uint8_t)(tm.tm_mon + 1);
		day.day = (uint8_t)tm.tm_mday;
	}
	return cdop_date_days(&day);
}
