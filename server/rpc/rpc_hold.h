/* Acts of two people about one case: who may hear that it waits. */
#ifndef CDOP_RPC_RPC_HOLD_H
#define CDOP_RPC_RPC_HOLD_H

#include "server/registry/approvals.h"
#include "server/rpc/ctx.h"

/*
 * The second person of an act about a case whose policy line wants a
 * coordinator is one who may see the case, and nobody else hears of it.
 * True for every other act.  Where it cannot be told, nobody does.
 */
bool rpc_hold_may_second(
    const struct rpc_ctx *ctx, const struct approval *approval);

/*
 * Is this act of two people about this case?  CDOP_RESOURCE_EXHAUSTED, as for
 * the others here: there is no memory to tell.
 */
CDOP_MUST enum cdop_err rpc_hold_is_about(const struct rpc_ctx *ctx,
    const struct approval *approval, uint64_t case_id, bool *ret_is);

/*
 * Whether words about its approval have a place that goes with the case.
 * What ends the case itself has none: its key is gone with the yes.
 */
bool rpc_hold_has_box(const struct approval *approval);

/* The words of the one who declines it belong to its case. */
CDOP_MUST enum cdop_err rpc_hold_about(
    struct rpc_ctx *ctx, const struct approval *approval);

/* Names the case that such an act, which leaves with a list, is about. */
CDOP_MUST enum cdop_err rpc_hold_release(
    struct rpc_ctx *ctx, const struct approval *approval);

#endif
