/* The one rule for a reason; see rpc_reason.h. */
#include "server/rpc/rpc_reason.h"

#include "cdop/limits.h"
#include "cdop/text.h"

enum cdop_err
rpc_reason_check(struct rpc_ctx *ctx, const char *reason, const char *says)
{
	/* It came as one line: dispatch has cleaned it. */
	if (*reason != '\0' && cdop_text_length(reason) <= CDOP_REASON_MAX)
		return CDOP_OK;
	rpc_violation(ctx, "reason", "text_needed", CDOP__SEVERITY__ERROR,
	    "why, in one line of at most 500 characters");
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "text_needed", says);
}
