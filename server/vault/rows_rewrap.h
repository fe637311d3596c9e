/*
 * What is wrapped by an epoch key that is not the newest of its area any
 * more: how much, and wrapping it by the newest, a few keys at a time.
 *
 * The key table is the whole state of it.  A key that is made or moved
 * meanwhile is under the newest at once, so what is left only grows less,
 * and a vault that was killed goes on with what it finds.
 */
#ifndef CDOP_VAULT_ROWS_REWRAP_H
#define CDOP_VAULT_ROWS_REWRAP_H

#include "server/store/schema.h"
#include "server/vault/rows.h"

/* An epoch key, as it may be shown. */
struct rows_rewrap_epoch {
	uint64_t key;
	enum schema_scope scope;
	const char *area; /* "" but for AREA */
	uint64_t wraps;   /* case keys */
	bool newest;      /* of its scope and area */
};

/* Epoch key i that there is, in no order; false: there are no more. */
bool rows_rewrap_epoch(
    const struct rows *rows, size_t i, struct rows_rewrap_epoch *ret_epoch);

/* Area i that ever had a key, from 0 on; NULL: there are no more. */
const char *rows_rewrap_area(const struct rows *rows, size_t i);

/* The newest key of an area; 0: it has none. */
uint64_t rows_rewrap_newest(const struct rows *rows, const char *area);

/* There is such a key, and it is not destroyed. */
bool rows_rewrap_has(const struct rows *rows, uint64_t key);

/*
 * Some case of these areas (n 0: of any) has a key with an id below floor.
 */
bool rows_rewrap_has_case(
    const struct rows *rows, const char *const *area, size_t n, uint64_t floor);

/* The id that the next key of any kind gets. */
uint64_t rows_rewrap_next(const struct rows *rows);

/* Case keys under an epoch key that is not the newest of its area. */
uint64_t rows_rewrap_left(const struct rows *rows);

/*
 * Within a batch: wraps at most n of them anew, from place *at of the key
 * table on, where 0 is the first; looks at no more than `look` places.  *at
 * becomes where to go on, 0 behind the last; *ret_n: how many it were.
 * CDOP_DATA_LOSS: the row of one cannot be read, rows_finding() says which.
 */
CDOP_MUST enum cdop_err rows_rewrap_some(
    struct rows *rows, size_t *at, size_t n, size_t look, size_t *ret_n);

#endif
