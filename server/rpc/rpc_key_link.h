/* KeyRotate and KeyStatus of the server's link key; for rpc_key.c alone. */
#ifndef CDOP_RPC_KEY_LINK_H
#define CDOP_RPC_KEY_LINK_H

#include "server/rpc/ctx.h"

/* KEY_LINK and KEY_LINK_TURN, whose reason has been looked at. */
CDOP_MUST enum cdop_err rpc_key_link(
    struct rpc_ctx *ctx, const Cdop__KeyRotateRequest *req);

/* Which keys there are, and which devices have not learnt the next one. */
CDOP_MUST enum cdop_err rpc_key_link_status(
    struct rpc_ctx *ctx, Cdop__KeyLink **ret_link);

#endif
