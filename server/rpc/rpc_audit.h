/* Entries of the log as the wire has them: what the handlers share. */
#ifndef CDOP_RPC_RPC_AUDIT_H
#define CDOP_RPC_RPC_AUDIT_H

#include "server/registry/audit.h"
#include "server/rpc/ctx.h"

/* Rows looked at for one message; a thin filter is spread over many turns. */
#define RPC_AUDIT_ROWS 2000

/* In the arena.  CDOP_RESOURCE_EXHAUSTED, CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err rpc_audit_entry(struct rpc_ctx *ctx,
    const struct audit_leaf *leaf, Cdop__AuditEntry **ret_entry);

#endif
