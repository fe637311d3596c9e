/* See clock.h. */
#include "client/clock.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/date.h"
#include "client/purpose.h"

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

bool
clock_of_panel(
    const struct cdop_profile *profile, time_t instant, struct tm *ret_tm)
{
	const struct cdop_area *area = cdop_profile_holding(profile);
	const char *own = getenv("TZ");
	char *kept = NULL;
	bool good;

	if (area == NULL || (own != NULL && (kept = strdup(own)) == NULL))
		return false;
	set_zone(area->time_zone);
	good = localtime_r(&instant, ret_tm) != NULL;
	set_zone(kept);
	free(kept);
	return good;
}

int32_t
clock_today(const struct cdop_profile *profile)
{
	struct cdop_date day = {0};
	struct tm tm;

	if (!clock_of_panel(profile, time(NULL), &tm))
		return purpose_today();
	day.year = (uint16_t)(tm.tm_year + 1900);
	day.month = (uint8_t)(tm.tm_mon + 1);
	day.day = (uint8_t)tm.tm_mday;
	return cdop_date_days(&day);
}
