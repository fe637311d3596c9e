/*
 * Reasons and sources come from people like the values of a form, and are
 * kept by the same rule (cdop/text.h): one line, nothing that steers a
 * terminal, no line of another's making in what somebody reads later.
 */
#ifndef CDOP_RPC_TIDY_H
#define CDOP_RPC_TIDY_H

#include "server/rpc/ctx.h"

/*
 * Cleans every `reason`, `source` and `owner_reason` of a request, also
 * those of its overrides and decisions; a form has its own way.
 * CDOP_INVALID_ARGUMENT, with a violation: one has a character that text
 * does not have.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err tidy_request(
    struct rpc_ctx *ctx, ProtobufCMessage *request);

#endif
