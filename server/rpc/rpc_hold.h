/* Acts of two people about one case: who may hear that it waits. */
#ifndef CDOP_RPC_RPC_HOLD_H
#define CDOP_RPC_RPC_HOLD_H

#include "server/registry/approvals.h"
#include "server/rpc/ctx.h"

/*
 * The second person of an act about a case whose policy line wants a
 * coordinator is one who may see the case, and nobody else hears of it.
 * True for every other act.
 */
bool rpc_hold_may_second(
    const struct rpc_ctx *ctx, const struct approval *approval);

/* Is this act of two people about this case? */
bool rpc_hold_is_about(const struct rpc_ctx *ctx,
    const struct approval *approval, uint64_t case_id);

/* Names the case that such an act, which leaves with a list, is about. */
void rpc_hold_release(struct rpc_ctx *ctx, const struct approval *approval);

#endif
