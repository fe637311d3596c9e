/*
 * Looking at the pages of a database file before anybody maps it: is it the
 * tree it says it is?  It reads the file by itself (the page format of LMDB
 * 0.9 on a 64-bit little-endian machine), with every bound checked, and
 * knows nothing of what is in a row.
 */
#ifndef CDOP_STORE_PAGES_H
#define CDOP_STORE_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"

/* One finding, in words. */
typedef void pages_fn(void *ctx, const char *finding);

/*
 * The two meta pages alone: cheap enough for every start.  CDOP_DATA_LOSS:
 * opening the file would not be safe.
 *
 * after_failure: the last commit failed and its process left (dir_mark).
 * LMDB has then put back what it could, and the unacknowledged state behind
 * the older meta page is no sign of damage.
 */
CDOP_MUST enum cdop_err pages_roots(const char *path, bool after_failure);

/*
 * Every page of the table and of the free list: numbers, kinds, bounds,
 * order of keys, and no page used twice.  fn hears of each damage; a file
 * with findings must not be written to.  CDOP_OK: the walk came to its end.
 * CDOP_NOT_FOUND, CDOP_PERMISSION_DENIED, CDOP_RESOURCE_EXHAUSTED: no walk.
 */
CDOP_MUST enum cdop_err pages_check(const char *path, bool after_failure,
    pages_fn *fn, void *ctx, uint64_t *ret_pages);

#endif
