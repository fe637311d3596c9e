/* cdop hold: cases that must not be erased. */
#include <string.h>

#include "client/call.h"
#include "client/change.h"
#include "client/families.h"

static enum exit_code
run_hold(struct cmd_ctx *ctx)
{
	bool lifts = strcmp(ctx->cmd->words, "hold lift") == 0;
	Cdop__ChangeReply *reply = NULL;
	Cdop__HoldRequest request;
	struct change change;
	enum exit_code code;

	if ((code = change_begin(ctx, SEEN_STATE, 0, &change)) != EXIT_OK)
		return code;
	cdop__hold_request__init(&request);
	request.reference = change.reference;
	request.reason = change.reason;
	do {
		request.version = change.version;
		code = lifts ? call_hold_lift(ctx, &request, &reply)
			     : call_hold_set(ctx, &request, &reply);
	} while (change_again(ctx, &change, &code, reply));
	return change_end(
	    ctx, code, reply, lifts ? "Hold lifted" : "On legal hold");
}

static const struct cmd_opt hold_opts[] = {{"--reason", "TEXT", "why", false},
    {"--seen", "N", "the version you saw (of the last case show)", false},
    {NULL, NULL, NULL, false}};

const struct cmd cmd_hold_rows[] = {
    {"hold set", "REF", "put a case on legal hold",
	"It can be amended and read, and not erased; no notification leaves "
	"it.",
	"  cdop hold set K7M4-QX2Q --reason \"inquest opened\"", hold_opts, 1,
	1, 0, "case", run_hold},
    {"hold lift", "REF", "lift a legal hold; takes a second coordinator",
	"Another coordinator who may see the case approves it (cdop "
	"approve).",
	"  cdop hold lift K7M4-QX2Q --reason \"inquest concluded\"", hold_opts,
	1, 1, 0, "case", run_hold},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
