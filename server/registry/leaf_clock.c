/* Time that does not go back. */
#include "server/registry/leaf_clock.h"

uint64_t
leaf_clock_now(struct leaf_clock *clock, uint64_t wall_ms, uint64_t boot_ms,
    uint64_t *ret_behind_ms)
{
	uint64_t now_ms;

	*ret_behind_ms = 0;
	if (wall_ms >= clock->last_ms) {
		clock->slow_ms = 0;
		return wall_ms;
	}
	*ret_behind_ms = clock->last_ms - wall_ms;
	now_ms = clock->slow_ms + (boot_ms - clock->slow_boot_ms) / 2;
	if (clock->slow_ms != 0 && now_ms >= clock->last_ms)
		return now_ms;
	clock->slow_ms = clock->last_ms;
	clock->slow_boot_ms = boot_ms;
	return clock->last_ms;
}
