/*
 * What leaves a running store for a backup: its rows as they lie there, as
 * records of cdop/backup.h, in a buffer that somebody else empties.
 *
 *     dump_begin(rows, &dump);
 *     dump_fill(dump, room, &budget, &end);   between batches, until end
 *     dump_last(dump);                        between batches, once
 *     dump_describe(dump, ...);               for the manifest
 *     dump_end(dump, manifest);
 *
 * dump_copy() at any time.  Of the slots only those of shares go along: who
 * knows the passphrase of the day, or has the key file, cannot open a backup
 * with it (TRUST S13).  Neither does what lets custodians in while the
 * registry is sealed.
 */
#ifndef CDOP_VAULT_DUMP_H
#define CDOP_VAULT_DUMP_H

#include "cdop/arena.h"
#include "cdop/manifest.h"
#include "server/vault/walk.h"

struct dump;

/*
 * CDOP_FAILED_PRECONDITION: there is no slot of shares, so that nothing could
 * open the backup.
 */
CDOP_MUST enum cdop_err dump_begin(struct rows *rows, struct dump **ret_dump);

/* NULL is fine. */
void dump_free(struct dump *dump);

/*
 * A step, unless room bytes are waiting already; what waits may become
 * longer than that by one row.  *ret_end: dump_last() is due.  After an error
 * the dump is of no more use.
 */
CDOP_MUST enum cdop_err dump_fill(struct dump *dump, size_t room,
    const struct walk_budget *budget, bool *ret_end);

/* All that is left, as it stands at this commit, whatever waits. */
CDOP_MUST enum cdop_err dump_last(struct dump *dump);

/*
 * After dump_last(): rows, cases, bytes, hash and epochs; the epochs lie in
 * arena.  The checkpoint and the time are the caller's.
 * CDOP_RESOURCE_EXHAUSTED: more epoch keys than a manifest has lines, or no
 * memory.
 */
CDOP_MUST enum cdop_err dump_describe(const struct dump *dump,
    struct cdop_arena *arena, struct cdop_manifest *manifest);

/* The last record. */
CDOP_MUST enum cdop_err dump_end(struct dump *dump, struct cdop_bytes manifest);

/*
 * What shows that a backup was opened, for only its rows, unsealed, and the
 * registry that it is of give it: the first bytes of BLAKE2b-256 under the
 * digest key over "cdop-proof/1" || cdop_manifest_hash() of its manifest.
 */
void dump_proof(const struct rows *rows, struct cdop_bytes manifest,
    uint8_t ret_proof[static CDOP_MANIFEST_PROOF]);

/*
 * Bytes that wait; a copy of the first of them, at most max: how many.  They
 * wait until they are dropped.
 */
size_t dump_waiting(const struct dump *dump);
size_t dump_copy(const struct dump *dump, uint8_t *out, size_t max);
void dump_drop(struct dump *dump, size_t len);

#endif
