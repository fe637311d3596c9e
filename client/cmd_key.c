/* cdop key: keys that turn. */
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/statement.h"

static enum exit_code
run_rotate(struct cmd_ctx *ctx)
{
	Cdop__LogKeyRotateRequest request;
	Cdop__StatementReply *reply;
	const char *reason;
	enum exit_code code;

	if (!cmd_flag(ctx, "--log"))
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "which key: --log, the key that signs the audit log");
	cdop__log_key_rotate_request__init(&request);
	if ((code = people_reason(ctx, &reason)) != EXIT_OK ||
	    (code = session_open(ctx)) != EXIT_OK)
		return code;
	request.reason = cdop_arena_strdup(ctx->arena, reason);
	if (!ctx->g.json)
		print_mode(ctx);
	code = prompt_agree(
	    ctx, "Ask for a new log key (every client is shown the reason)");
	if (code != EXIT_OK)
		return code;
	code = call_log_key_rotate(ctx, &request, &reply);
	if (code == EXIT_OK)
		statement_print(ctx, "key.rotate", reply);
	return code;
}

static const struct cmd_opt rotate_opts[] = {
    {"--log", NULL, "the key that signs the audit log", false},
    {"--reason", "TEXT", "why; every client is shown it", false},
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_key_rows[] = {
    {"key rotate", "", "ask for a new key; takes two people",
	"The log goes on under a new key that the old one vouches for, and "
	"every client follows it by itself.",
	"  cdop key rotate --log --reason \"once a year\"", rotate_opts, 0, 0,
	0, NULL, run_rotate},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
