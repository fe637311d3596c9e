/* cdop restore: what was restored on the host, and its acceptance. */
#include <string.h>

#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/show.h"
#include "client/statement.h"
#include "client/witness.h"

static void
show_point(struct cmd_ctx *ctx, const char *what, const Cdop__LogPoint *point)
{
	const struct cdop_bytes root = {point->root.data, point->root.len};

	print_out(ctx, "%s %llu leaves, %s", what,
	    (unsigned long long)point->size, point->origin);
	print_out(ctx, "              root %s", print_hex(ctx->arena, root));
}

static enum exit_code
view(struct cmd_ctx *ctx, Cdop__RestoreViewReply **ret_view)
{
	Cdop__RestoreViewRequest request;

	cdop__restore_view_request__init(&request);
	return call_restore_view(ctx, &request, ret_view);
}

static void
show_people(struct cmd_ctx *ctx, const char *what,
    Cdop__RestorePerson *const *person, size_t n)
{
	const char *whose, *how;
	size_t i;

	for (i = 0; i < n; i++) {
		how = person[i]->revoked ? " (never active: revoked)"
		    : person[i]->before  ? " (suspended before)"
					 : "";
		whose = show_person(ctx, person[i]->name, person[i]->person);
		if (person[i]->has_device)
			print_out(ctx, "%-13s device %u of %s%s", what,
			    person[i]->device, whose, how);
		else
			print_out(ctx, "%-13s %s%s", what, whose, how);
	}
	if (n == 0)
		print_out(ctx, "%-13s nobody", what);
}

static void
show_view(struct cmd_ctx *ctx, const Cdop__RestoreViewReply *reply)
{
	print_mode(ctx);
	print_out(ctx, "restored      %s, by %s: %s",
	    print_time(ctx->arena, reply->at_ms), reply->by, reply->reason);
	if (reply->first != NULL)
		print_out(ctx, "first         %s, by %s: %s",
		    print_time(ctx->arena, reply->first->at_ms),
		    reply->first->by, reply->first->reason);
	show_point(ctx, "goes on from ", reply->from);
	if (reply->lost != NULL)
		show_point(ctx, "known lost   ", reply->lost);
	else
		print_out(ctx, "known lost    nothing");
	print_out(ctx,
	    "as it was     cases erased since, holds, people suspended or "
	    "revoked: do it again,\n"
	    "              when two have accepted it");
	print_out(
	    ctx, "dropped       what waited for a second person, invitations");
	show_people(ctx, "suspended", reply->suspended, reply->n_suspended);
	show_people(
	    ctx, "may accept", reply->administrator, reply->n_administrator);
	print_out(ctx,
	    "              If one of them was dismissed since, do not accept "
	    "it: the host leaves\n"
	    "              out more (cdopd accept-rollback DIR --suspend "
	    "PERSON).");
}

static enum exit_code
run_show(struct cmd_ctx *ctx)
{
	Cdop__RestoreViewReply *reply;
	enum exit_code code;

	if ((code = view(ctx, &reply)) != EXIT_OK)
		return code;
	if (!ctx->g.json) {
		show_view(ctx, reply);
		return EXIT_OK;
	}
	json_line(ctx, "restore.show", &reply->base);
	return EXIT_OK;
}

/*
 * The newest checkpoint that this computer has seen goes with it: the host
 * may have lost more than it knows of, and the statement is to say so.
 */
static void
say_seen(struct cmd_ctx *ctx, Cdop__RestoreAcceptRequest *request)
{
	const struct witness *w = ctx->session->witness;

	if (w == NULL || !w->has_seen || w->note.len == 0)
		return;
	request->has_seen = true;
	request->seen.len = w->note.len;
	memcpy(&request->seen.data, &w->note.data, sizeof(request->seen.data));
}

static enum exit_code
run_accept(struct cmd_ctx *ctx)
{
	Cdop__RestoreAcceptRequest request;
	Cdop__RestoreViewReply *restored;
	Cdop__StatementReply *reply;
	const char *reason;
	enum exit_code code;

	cdop__restore_accept_request__init(&request);
	if ((code = people_reason(ctx, &reason)) != EXIT_OK ||
	    (code = view(ctx, &restored)) != EXIT_OK)
		return code;
	request.reason = cdop_arena_strdup(ctx->arena, reason);
	say_seen(ctx, &request);
	if (!ctx->g.json)
		show_view(ctx, restored);
	code = prompt_agree(ctx, "Ask to go on from there");
	if (code != EXIT_OK)
		return code;
	code = call_restore_accept(ctx, &request, &reply);
	if (code == EXIT_OK)
		statement_print(ctx, "restore.accept", reply);
	return code;
}

static const struct cmd_opt accept_opts[] = {
    {"--reason", "TEXT", "why; every client is shown it", false},
    {"--yes", NULL, "do not ask", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_restore_rows[] = {
    {"restore show", "", "what was restored and waits to be accepted", NULL,
	"  cdop restore show", NULL, 0, 0, 0, NULL, run_show},
    {"restore accept", "", "ask to go on from it; takes two people",
	"Until two administrators have accepted it the registry serves "
	"nothing else.",
	"  cdop restore accept --reason \"disk failure, backup of Monday\"",
	accept_opts, 0, 0, 0, NULL, run_accept},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
