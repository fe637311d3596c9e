/*
 * The panel's clock.  A time without a zone is one of this clock to the
 * registry, wherever the computer stands at which it is typed.
 */
#ifndef CDOP_CLIENT_CLOCK_H
#define CDOP_CLIENT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cdop/date.h"
#include "cdop/profile.h"

/* What it shows at that instant; false: that cannot be said. */
bool clock_of_panel(
    const struct cdop_profile *profile, time_t instant, struct tm *ret_tm);

/*
 * When the day begins that is so many days later than a whole one.  profile
 * NULL: by this computer's clock.
 */
time_t clock_day_begins(
    const struct cdop_profile *profile, const struct cdop_date *day, int later);

/* The day it shows now, days since 1970. */
int32_t clock_today(const struct cdop_profile *profile);

#endif
