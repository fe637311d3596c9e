/*
 * Reading the store at a start: every live row outside the log, in order,
 * and the last of the log, backwards.  Passes over the rest of the log by
 * its directory rows (adr/0003).
 */
#ifndef CDOP_VAULT_ROWS_SCAN_H
#define CDOP_VAULT_ROWS_SCAN_H

#include "server/store/schema.h"
#include "server/vault/rows_item.h"

/*
 * One row.  What it returns other than CDOP_OK ends the scan, and
 * rows_scan() returns it.
 */
typedef enum cdop_err rows_scan_fn(
    void *ctx, const struct rows_head *head, struct rows_item *item);

/*
 * One log row, newest first; *ret_stop ends the walk without an error.
 */
typedef enum cdop_err rows_scan_log_fn(void *ctx, const struct rows_head *head,
    struct rows_item *item, bool *ret_stop);

/*
 * After rows_unseal(), once: fills the key table and calls fn for every
 * live row of the kinds a start reads, except HEAD, DIRECTORY, EPOCH_KEY and
 * CASE_KEY.  The order is that of row numbers, except that rows of a case
 * whose key row stands behind them come last.  At the end the state digest
 * is compared: CDOP_DATA_LOSS, "a row is missing or an old one is back".
 * What fn was given is not to be believed before this returned CDOP_OK.
 */
CDOP_MUST enum cdop_err rows_scan(
    struct rows *rows, rows_scan_fn *fn, void *ctx);

/*
 * Log rows (LEAF and TILE) from the newest backwards until fn says stop;
 * before not 0: only rows of a lower number, so that a walk goes on where it
 * stopped.  After rows_scan(), within a batch or outside.
 */
CDOP_MUST enum cdop_err rows_scan_log(
    struct rows *rows, uint64_t before, rows_scan_log_fn *fn, void *ctx);

/*
 * TERMS rows from row number *at on, oldest first, which fn may delete; looks
 * at no more than `budget` rows of any kind.  *at becomes where to go on: the
 * row at which fn said stop, or behind all; then *ret_end.  Like the above.
 */
CDOP_MUST enum cdop_err rows_walk_terms(struct rows *rows, uint64_t *at,
    size_t budget, rows_scan_log_fn *fn, void *ctx, bool *ret_end);

/*
 * Rows of a scope among the few right behind row `number`, until fn says
 * stop: what was put down with a leaf.  Like the above.
 */
CDOP_MUST enum cdop_err rows_walk_beside(struct rows *rows,
    enum schema_scope scope, uint64_t number, rows_scan_log_fn *fn, void *ctx);

/*
 * The log forwards, from row number `from` on.  What fn puts is met as well.
 */
CDOP_MUST enum cdop_err rows_walk_log(
    struct rows *rows, uint64_t from, rows_scan_log_fn *fn, void *ctx);

#endif
