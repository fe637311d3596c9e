/* Time that goes neither back nor far ahead at once. */
#include "server/registry/leaf_clock.h"

#include <stdbool.h>

#include "cdop/limits.h"

#define LEAP_MS (CDOP_CLOCK_LEAP_DAYS * 24ull * 3600ull * 1000ull)

/* From the last leaf on, by the clock that counts up. */
static uint64_t
go_on(struct leaf_clock *clock, uint64_t boot_ms, unsigned slower)
{
	uint64_t now_ms;

	now_ms = clock->own_ms + (boot_ms - clock->own_boot_ms) / slower;
	if (clock->own_ms != 0 && now_ms >= clock->last_ms)
		return now_ms;
	clock->own_ms = clock->last_ms;
	clock->own_boot_ms = boot_ms;
	return clock->last_ms;
}

static bool
is_leap(const struct leaf_clock *clock, uint64_t wall_ms)
{
	uint64_t from_ms = clock->last_ms;

	if (from_ms < clock->said_ms && clock->said_ms <= wall_ms)
		from_ms = clock->said_ms;
	/* The first leaf of all has nothing to go by. */
	return clock->last_ms != 0 && wall_ms - from_ms > LEAP_MS;
}

uint64_t
leaf_clock_now(struct leaf_clock *clock, uint64_t wall_ms, uint64_t boot_ms)
{
	clock->behind_ms = 0;
	clock->ahead_ms = 0;
	if (wall_ms < clock->last_ms) {
		clock->behind_ms = clock->last_ms - wall_ms;
		return go_on(clock, boot_ms, 2);
	}
	if (is_leap(clock, wall_ms)) {
		clock->ahead_ms = wall_ms - clock->last_ms;
		return go_on(clock, boot_ms, 1);
	}
	clock->own_ms = 0;
	return wall_ms;
}
