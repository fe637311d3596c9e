/* Why: of acts that are not about a case. */
#ifndef CDOP_RPC_RPC_REASON_H
#define CDOP_RPC_RPC_REASON_H

#include "server/rpc/ctx.h"

/*
 * A reason is there, in one line of text of at most CDOP_REASON_MAX
 * characters.  CDOP_INVALID_ARGUMENT: answered with says.
 */
CDOP_MUST enum cdop_err rpc_reason_check(
    struct rpc_ctx *ctx, const char *reason, const char *says);

#endif
