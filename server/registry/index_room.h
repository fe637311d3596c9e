/*
 * How the arrays of the index grow: by a quarter.  They hold something of
 * every case, so what is reserved and not used is memory of every case.
 */
#ifndef CDOP_REGISTRY_INDEX_ROOM_H
#define CDOP_REGISTRY_INDEX_ROOM_H

#include <stdint.h>

#define INDEX_ROOM_MIN 64u
#define INDEX_ROOM_MAX (UINT32_MAX / 4) /* entries of one array */

/* The next size of an array of cap entries that is to have want. */
static inline uint32_t
index_room(uint32_t cap, uint32_t want)
{
	while (cap < want)
		cap += cap / 4 + INDEX_ROOM_MIN;
	return cap;
}

#endif
