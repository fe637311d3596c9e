/* cdop key remove-slot: one of what opens the registry goes. */
#include <errno.h>
#include <stdlib.h>

#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"

#define SLOT_MAX 65535

static enum exit_code
slot_of(struct cmd_ctx *ctx, uint32_t *ret_slot)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(ctx->pos[0], &end, 10);
	if (ctx->pos[0][0] < '0' || ctx->pos[0][0] > '9' || *end != '\0' ||
	    errno != 0 || n == 0 || n > SLOT_MAX)
		return cmd_fail(ctx, EXIT_USAGE, "slot",
		    "cdop custodian list shows the numbers",
		    "\"%s\" is not the number of a slot", ctx->pos[0]);
	*ret_slot = (uint32_t)n;
	return EXIT_OK;
}

static enum exit_code
run_remove(struct cmd_ctx *ctx)
{
	Cdop__SlotRemoveRequest request;
	Cdop__SlotRemoveReply *reply;
	const char *reason;
	enum exit_code code;

	cdop__slot_remove_request__init(&request);
	if ((code = slot_of(ctx, &request.slot)) != EXIT_OK ||
	    (code = people_reason(ctx, &reason)) != EXIT_OK ||
	    (code = session_open(ctx)) != EXIT_OK)
		return code;
	request.reason = cdop_arena_strdup(ctx->arena, reason);
	request.has_one_kind = cmd_flag(ctx, "--one-kind");
	request.one_kind = request.has_one_kind;
	if (!ctx->g.json)
		print_mode(ctx);
	code = prompt_agree(ctx,
	    cdop_arena_printf(
		ctx->arena, "Ask to remove slot %u", request.slot));
	if (code != EXIT_OK)
		return code;
	code = call_slot_remove(ctx, &request, &reply);
	if (code != EXIT_OK || !ctx->g.json)
		return code;
	json_line(ctx, "key.remove-slot", &reply->base);
	return EXIT_OK;
}

static const struct cmd_opt remove_opts[] = {
    {"--reason", "TEXT", "why", false},
    {"--one-kind", NULL, "though slots of one kind alone are left", false},
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_slot_rows[] = {
    {"key remove-slot", "SLOT", "ask to remove a slot; takes two people",
	"Never the last one.  A copy of the database from before still opens "
	"with it until the root is another.",
	"  cdop key remove-slot 2 --reason \"the passphrase was seen\"",
	remove_opts, 1, 1, 0, NULL, run_remove},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
