/*
 * The time that leaves get (TRUST S10).  It never goes back, whatever the
 * wall clock does: once a leaf has told a time, nothing that ended by then
 * lives again.  While the wall clock is behind the last leaf, time goes on
 * from that one at half the speed: what is to end ends, and a wrong clock
 * that was mended meets it again.
 */
#ifndef CDOP_SERVER_REGISTRY_LEAF_CLOCK_H
#define CDOP_SERVER_REGISTRY_LEAF_CLOCK_H

#include <stdint.h>

struct leaf_clock {
	uint64_t last_ms; /* time of the last leaf */
	/* While the wall clock is behind: from when on, or 0; and what the
	 * clock that counts up said then. */
	uint64_t slow_ms;
	uint64_t slow_boot_ms;
};

/* boot_ms counts up; *ret_behind_ms is by how much wall_ms is behind. */
uint64_t leaf_clock_now(struct leaf_clock *clock, uint64_t wall_ms,
    uint64_t boot_ms, uint64_t *ret_behind_ms);

#endif
