/*
 * Slots and share sets as rows: the table of those there are, and adding and
 * removing one within a batch.  The bytes of the root never leave vault/.
 */
#ifndef CDOP_VAULT_ROWS_SLOTS_H
#define CDOP_VAULT_ROWS_SLOTS_H

#include "server/vault/rows.h"
#include "server/vault/slots_set.h"

#define ROWS_SLOTS_SETS 8 /* share sets in one registry */

/* The set of a slot of shares; NULL: none.  Good until the batch ends. */
const struct slots_set *rows_slots_set(
    const struct rows *rows, uint16_t number);

/* The place of a slot by its number (rows_slot()); false: none. */
bool rows_slots_find(
    const struct rows *rows, uint16_t number, size_t *ret_slot);

/* How many kinds there are, without the slot of that number (0: with all). */
size_t rows_slots_kinds(const struct rows *rows, uint16_t without);

/*
 * A slot for the root that is open.  CDOP_INVALID_ARGUMENT: its label or
 * cost.  CDOP_RESOURCE_EXHAUSTED: there are as many as there can be.
 */
CDOP_MUST enum cdop_err rows_slots_add(
    struct rows *rows, const struct slots_new *slot, uint16_t *ret_number);

/*
 * A slot of shares, with its set.  The shares are the caller's to give out
 * and to wipe.  As rows_slots_add().
 */
CDOP_MUST enum cdop_err rows_slots_add_set(struct rows *rows, const char *label,
    const struct slots_set_new *plan, uint16_t *ret_number,
    struct cdop_share ret_shares[static SHAMIR_MAX]);

/*
 * The slot and its set are gone.  CDOP_NOT_FOUND; CDOP_FAILED_PRECONDITION:
 * it is the last one.
 */
CDOP_MUST enum cdop_err rows_slots_remove(struct rows *rows, uint16_t number);

/* The row of the boot set; len 0: there is none. */
struct cdop_bytes rows_slots_boot(const struct rows *rows);

/* Within a batch: this one in its place; len 0: none. */
CDOP_MUST enum cdop_err rows_slots_put_boot(
    struct rows *rows, struct cdop_bytes row);

/* ---- For the other files of vault/ only ---- */

/* A slot row under the next slot number; rows->slots does not change. */
CDOP_MUST enum cdop_err rows_slots_write(struct rows *rows,
    const struct slots_new *slot, uint64_t *ret_row,
    uint8_t ret_bytes[static SLOTS_ROW]);

/* At a start: a slot, set or boot set row; any other is passed over. */
void rows_slots_take(struct rows *rows, uint64_t number, struct cdop_bytes row);

/*
 * Is it whole and for the root that is open?  Slot or set; a boot set is
 * under a key that is not here, and is looked at by its digest alone.
 */
bool rows_slots_is_fine(const struct rows *rows, struct cdop_bytes row);

#endif
