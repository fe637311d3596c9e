/*
 * The walk of verify over every row, in the process that may die of it.
 * What it finds goes to a callback; what is in a row goes nowhere.
 */
#ifndef CDOP_VAULT_VERIFY_WALK_H
#define CDOP_VAULT_VERIFY_WALK_H

#include "server/vault/verify.h"

/*
 * Every row of a store that was opened and whose root is in the keystore
 * (rows_start_root).  log may be NULL.  CDOP_RESOURCE_EXHAUSTED; damage is no
 * error.
 */
CDOP_MUST enum cdop_err verify_walk(struct rows *rows, verify_walk_fn *fn,
    void *ctx, const struct verify_log *log, uint64_t *ret_rows,
    uint64_t *ret_fine);

#endif
