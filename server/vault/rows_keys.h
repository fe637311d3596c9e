/*
 * Keys as rows: making, moving and destroying the keys of areas and cases,
 * within a batch.  The bytes of a key never leave vault/.
 */
#ifndef CDOP_VAULT_ROWS_KEYS_H
#define CDOP_VAULT_ROWS_KEYS_H

#include "server/store/schema.h"
#include "server/vault/rows.h"

/*
 * A new epoch key of scope REGISTRY, LOG, SEARCH or AREA (then with the
 * area's id in the profile, 1 to 47 bytes).  It is the newest of its scope
 * from now on.  CDOP_INVALID_ARGUMENT.
 */
CDOP_MUST enum cdop_err rows_keys_epoch_new(struct rows *rows,
    enum schema_scope scope, const char *area, uint64_t *ret_key);

/* Makes an epoch key for the area unless it has one. */
CDOP_MUST enum cdop_err rows_keys_area(struct rows *rows, const char *area);

/*
 * Destroys an epoch key that is not the newest of its scope: what only it
 * opens is gone, and has to be deleted in the same batch.
 * CDOP_FAILED_PRECONDITION: it is the newest, or still wraps a key.
 */
CDOP_MUST enum cdop_err rows_keys_epoch_destroy(
    struct rows *rows, uint64_t key);

/* The oldest epoch key of a scope that has no areas; false: none. */
bool rows_keys_oldest(
    const struct rows *rows, enum schema_scope scope, uint64_t *ret_key);

/*
 * A random key for a case, wrapped by the owner area's epoch key.
 * CDOP_FAILED_PRECONDITION: the area has none.
 */
CDOP_MUST enum cdop_err rows_keys_case_new(
    struct rows *rows, uint64_t case_id, const char *area, uint64_t *ret_key);

/* The case goes to another area: one re-wrap, its rows stay as they are. */
CDOP_MUST enum cdop_err rows_keys_case_move(
    struct rows *rows, uint64_t key, const char *area);

/*
 * Deletes the key's row and forgets it; the case's rows have to go in the
 * same batch, or the next start refuses them as under an unknown key.  This
 * alone does not erase: the old bytes stay in freed pages and backups until the
 * area's epoch turns and the file is copied (TRUST M3).
 */
CDOP_MUST enum cdop_err rows_keys_case_destroy(struct rows *rows, uint64_t key);

/*
 * A new root: slots, ring and epoch keys are wrapped anew in this batch, no
 * holder is needed, every slot opens the new one.
 */
CDOP_MUST enum cdop_err rows_keys_root_turn(struct rows *rows);

/* ---- For the other files of vault/ only ---- */

struct envelope_head;

/* Reads a key row and enters its key in the table, at a start. */
CDOP_MUST enum cdop_err rows_keys_epoch_load(
    struct rows *rows, uint64_t number);
CDOP_MUST enum cdop_err rows_keys_case_load(
    struct rows *rows, const struct envelope_head *head, struct cdop_bytes row);

#endif
