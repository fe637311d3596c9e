/*
 * The time that leaves get (TRUST S10).  It never goes back, whatever the
 * wall clock does: once a leaf has told a time, nothing that ended by then
 * lives again.  While the wall clock is behind the last leaf, time goes on
 * from that one at half the speed: what is to end ends, and a wrong clock
 * that was mended meets it again.
 *
 * Nor does it leap: one leaf of a wrong year would be the time of all to
 * come.  A wall clock over CDOP_CLOCK_LEAP_DAYS ahead of the last leaf is not
 * believed, and time goes on from the last leaf at its usual speed, until the
 * clock is put right or somebody has said from which day on it is.
 */
#ifndef CDOP_SERVER_REGISTRY_LEAF_CLOCK_H
#define CDOP_SERVER_REGISTRY_LEAF_CLOCK_H

#include <stdint.h>

/* People are told of a wall clock that is more than this behind. */
#define LEAF_CLOCK_BEHIND_MS 60000

struct leaf_clock {
	uint64_t last_ms; /* time of the last leaf */
	uint64_t said_ms; /* somebody said: by now it is that late; or 0 */
	/* While the wall clock is not gone by: from when on, or 0; and what
	 * the clock that counts up said then. */
	uint64_t own_ms;
	uint64_t own_boot_ms;
	/* As last asked: by how much it is off, where it is not gone by. */
	uint64_t behind_ms;
	uint64_t ahead_ms;
};

/* boot_ms counts up. */
uint64_t leaf_clock_now(
    struct leaf_clock *clock, uint64_t wall_ms, uint64_t boot_ms);

#endif
