/*
 * The rows that a start needs before all others: ring, slots, epoch keys,
 * head row.  For rows.c and verify; the transaction is theirs.
 */
#ifndef CDOP_VAULT_ROWS_START_H
#define CDOP_VAULT_ROWS_START_H

#include "server/vault/rows_core.h"

/*
 * The rows that need no key.  A slot that does not parse is left out.
 * CDOP_DATA_LOSS: no ring, or no slot.
 */
CDOP_MUST enum cdop_err rows_start_slots(struct rows *rows);

/* Root, header key and digest key into the keystore, as rows_unseal(). */
CDOP_MUST enum cdop_err rows_start_root(
    struct rows *rows, size_t slot, const uint8_t k[static 32]);

/* Every epoch key, out of incarnation 0 (adr/0003). */
CDOP_MUST enum cdop_err rows_start_epochs(struct rows *rows);

/* The head row: the highest number of the table. */
CDOP_MUST enum cdop_err rows_start_head(struct rows *rows);

/* A new root and its ring, in memory. */
void rows_start_make(struct rows *rows, const uint8_t registry[static 16]);

/* Ring, slots and the three first epoch keys as rows. */
CDOP_MUST enum cdop_err rows_start_first(
    struct rows *rows, const struct slots_new *slots, size_t n);

#endif
