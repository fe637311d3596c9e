/*
 * The file DIR/reserve: zeros that take room on the disk, so that there is
 * some to give back when it is full.  It knows bytes and files, and nothing
 * of what the room is for.
 */
#ifndef CDOP_STORE_RESERVE_H
#define CDOP_STORE_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/err.h"

struct reserve;

#define RESERVE_STEP ((size_t)1 << 20)

/*
 * Opens it, or makes it with nothing in it.  want: its size when it is whole,
 * a multiple of RESERVE_STEP; what is more is given back at once.  Errors of
 * the directory, and CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err reserve_open(
    const char *dir, uint64_t want, struct reserve **ret_reserve);
/* NULL is fine. */
void reserve_close(struct reserve *reserve);

/* What it holds now, and when it is whole.  NULL: 0. */
uint64_t reserve_have(const struct reserve *reserve);
uint64_t reserve_want(const struct reserve *reserve);

/*
 * It is not whole, and the file system has less than `keep` bytes left to
 * make it so.
 */
bool reserve_is_owed(const struct reserve *reserve, uint64_t keep);

/*
 * Gives len bytes, rounded up to steps, back to the file system.
 * CDOP_RESOURCE_EXHAUSTED: it has not so many, and gave none.
 * CDOP_DATA_LOSS: the disk failed.
 */
CDOP_MUST enum cdop_err reserve_give(struct reserve *reserve, size_t len);

/*
 * One step more, synced, unless it is whole or the file system would have
 * less than `keep` bytes left.  CDOP_RESOURCE_EXHAUSTED: that is so.
 */
CDOP_MUST enum cdop_err reserve_fill(struct reserve *reserve, uint64_t keep);

/*
 * Lets the file fd, of `size` bytes, grow to `end` or behind it, in steps.
 * Written, not only allocated, and only at or behind its end, where LMDB has
 * never been (TRUST S4).  last: where there is no room the reserve gives it;
 * NULL gives nothing.  CDOP_RESOURCE_EXHAUSTED, CDOP_DATA_LOSS.
 */
CDOP_MUST enum cdop_err reserve_extend(
    struct reserve *reserve, int fd, size_t size, size_t end, bool last);

#endif
