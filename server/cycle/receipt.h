/*
 * The receipt of an answer: a proof that its leaf is in the log, for the one
 * who asked.  It is made when the leaf is durable, and stands behind the
 * packed reply as one more field of it.
 */
#ifndef CDOP_CYCLE_RECEIPT_H
#define CDOP_CYCLE_RECEIPT_H

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

struct audit_receipt;
struct registry;

/*
 * Puts Reply.receipt behind *reply, which is then another copy in arena;
 * outside a batch.  Where a tile on the way is damaged that is logged, and
 * the reply stays as it is: the act is done, and the client sees that nothing
 * proves it.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err receipt_append(struct registry *reg,
    struct cdop_arena *arena, const struct audit_receipt *receipt,
    struct cdop_bytes *reply);

#endif
