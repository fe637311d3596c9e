/*
 * The leaves as they are hashed, for whoever checks the log elsewhere: no
 * secret that opens a commitment, and no word beside it.
 */
#ifndef CDOP_REGISTRY_AUDIT_EXPORT_H
#define CDOP_REGISTRY_AUDIT_EXPORT_H

#include "server/registry/audit.h"

/* What a bundle of n leaves takes. */
#define AUDIT_EXPORT_ENTRY (2u + CDOP_LEAF_LEN)

/*
 * n leaves from index `first` on as entries of c2sp.org/tlog-tiles, into out
 * of n * AUDIT_EXPORT_ENTRY bytes.  *cursor is where their rows are looked
 * for, 0 at first, and afterwards where those of the next leaves are.
 * CDOP_DATA_LOSS: one is missing or does not stand in its order.
 */
CDOP_MUST enum cdop_err audit_export(struct registry *reg, uint64_t *cursor,
    uint64_t first, size_t n, uint8_t *out);

#endif
