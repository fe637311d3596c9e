/*
 * Civil days and times where a panel is: what "today" means to it, and how
 * long after a death it was told.  No clock and no zone files: the rule of
 * summer time in the British Isles stands here, and every other zone counts
 * as UTC until the registry keeps cases there.
 */
#ifndef CDOP_REGISTRY_CASES_TIME_H
#define CDOP_REGISTRY_CASES_TIME_H

#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/form.h"
#include "cdop/profile.h"

/*
 * Minutes that clocks in the zone are ahead of UTC at an instant: summer
 * time from the last Sunday of March to that of October, 01:00 UTC
 * (Summer Time Order 2002, the islands' orders alike).
 */
int cases_time_offset(const char *zone, int64_t utc_ms);

/* The civil day there, days since 1970-01-01; 9999-12-31 at the latest. */
int32_t cases_time_day(const char *zone, uint64_t utc_ms);

/* The instant of a day and minutes on that zone's clock. */
int64_t cases_time_instant(const char *zone, int32_t day, unsigned minutes);

/*
 * "told 26 h 10 min after death (24 h asked, 48 h limit in this profile)";
 * in days where it is long ago, a time is not known or the death was abroad.
 * "" where it cannot be said; NULL: no memory.
 */
const char *cases_time_told(const Cdop__Form *form,
    const struct cdop_profile *profile, const char *zone,
    struct cdop_arena *arena);

#endif
