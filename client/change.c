/* Which version a change goes by, and what came of it. */
#include "client/change.h"

#include <string.h>

#include "client/call.h"
#include "client/json.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/reference.h"
#include "client/session.h"
#include "client/show.h"

enum exit_code
change_words(struct cmd_ctx *ctx, struct change *ret_change)
{
	const char *reason;
	enum exit_code code;

	memset(ret_change, 0, sizeof(*ret_change));
	code = reference_read(ctx, ctx->pos[0], &ret_change->reference);
	if (code != EXIT_OK || (code = people_reason(ctx, &reason)) != EXIT_OK)
		return code;
	ret_change->reason = cdop_arena_strdup(ctx->arena, reason);
	return EXIT_OK;
}

enum exit_code
change_look(struct cmd_ctx *ctx, struct change *change)
{
	const struct cdop_profile *profile;
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;
	enum exit_code code;

	if (change->now != NULL)
		return EXIT_OK;
	cdop__case_show_request__init(&request);
	request.reference = change->reference;
	request.has_notifications = change->part == SEEN_NOTIFICATION;
	request.notifications = request.has_notifications;
	if ((code = call_case_show(ctx, &request, &reply)) != EXIT_OK)
		return code;
	if (session_profile(ctx, &profile) != EXIT_OK)
		ctx->error.message = NULL; /* codes instead of labels */
	change->now = reply->case_;
	return EXIT_OK;
}

const Cdop__FormInstance *
change_form_now(const struct change *change)
{
	const Cdop__Case *now = change->now;
	size_t i;

	if (change->part != SEEN_NOTIFICATION)
		return change->part == SEEN_RECORD ? now->record : NULL;
	for (i = 0; i < now->n_notification; i++)
		if (now->notification[i]->number == change->notification)
			return now->notification[i];
	return NULL;
}

uint64_t
change_version_now(const struct change *change)
{
	const Cdop__FormInstance *form;

	if (change->part == SEEN_STATE)
		return change->now->version;
	form = change_form_now(change);
	return form != NULL ? form->version : 0;
}

/* It was never shown here: then it is now, and somebody says yes to it. */
static enum exit_code
show_first(struct cmd_ctx *ctx, struct change *change)
{
	const char *which = "", *what = "";
	enum exit_code code;
	bool yes;

	if (change->part == SEEN_NOTIFICATION) {
		which = cdop_arena_printf(
		    ctx->arena, " --notification %u", change->notification);
		what = cdop_arena_printf(
		    ctx->arena, "notification %u of ", change->notification);
	}
	if (!prompt_is_possible(ctx))
		return cmd_fail(ctx, EXIT_USAGE, "not_seen",
		    cdop_arena_printf(ctx->arena,
			"cdop case show %s%s, then this again; or --seen N",
			change->reference, which),
		    "%s%s was not shown on this computer: a change names the "
		    "version it goes by",
		    what, change->reference);
	if ((code = change_look(ctx, change)) != EXIT_OK)
		return code;
	change->version = change_version_now(change);
	if (change->version == 0)
		return cmd_fail(ctx, EXIT_NOT_FOUND, NULL,
		    "cdop case show REF --notifications",
		    "the case has no notification of that number");
	show_case(ctx, change->now);
	seen_case(ctx, change->now, true);
	code = prompt_yes(
	    ctx, "It was not shown here before.  Change it", false, &yes);
	return code == EXIT_OK && !yes ? EXIT_STOPPED : code;
}

enum exit_code
change_begin(struct cmd_ctx *ctx, enum seen_part part, uint32_t notification,
    struct change *ret_change)
{
	const char *given = cmd_value(ctx, "--seen");
	enum exit_code code;

	if ((code = change_words(ctx, ret_change)) != EXIT_OK)
		return code;
	ret_change->part = part;
	ret_change->notification = notification;
	if (given != NULL)
		return cmd_number(
		    ctx, "--seen", given, UINT64_MAX / 2, &ret_change->version);
	if ((code = session_unlock(ctx)) != EXIT_OK)
		return code;
	ret_change->version =
	    seen_version(ctx, ret_change->reference, part, notification);
	return ret_change->version > 0 ? EXIT_OK : show_first(ctx, ret_change);
}

/* What somebody has to look at although it was done. */
static void
show_found(struct cmd_ctx *ctx, const Cdop__ChangeReply *reply)
{
	const Cdop__Candidate *c;
	size_t i;

	if (reply->to_reference != NULL)
		print_out(ctx, "  now notification %u of %s",
		    reply->to_notification, reply->to_reference);
	if (reply->n_difference > 0)
		print_out(ctx, "  it differs in: %s",
		    show_joined(
			ctx, reply->difference, reply->n_difference, ", "));
	for (i = 0; i < reply->n_candidate; i++) {
		c = reply->candidate[i];
		print_out(ctx, "  it may be a child we know: %s  %s%s",
		    c->reference,
		    show_joined(ctx, c->reason, c->n_reason, "; "),
		    c->has_withdrawn && c->withdrawn ? "  (entered in error)"
						     : "");
	}
	if (reply->n_candidate > 0)
		print_out(ctx,
		    "  say what they are: cdop case link %s OTHER --kind "
		    "not_duplicate, siblings, ...; or withdraw one",
		    reply->to_reference != NULL ? reply->to_reference
						: reply->reference);
}

/* A change that carries no decision, such as taking a case up again. */
static void
undecided(struct cmd_ctx *ctx, const Cdop__ChangeReply *reply)
{
	ctx->error.next = "say what they are (cdop case link --kind "
			  "not_duplicate, siblings, ...), then this again";
	if (reply != NULL)
		show_candidates(ctx, reply->candidate, reply->n_candidate);
}

enum exit_code
change_end(struct cmd_ctx *ctx, enum exit_code code,
    const Cdop__ChangeReply *reply, const char *what)
{
	const struct cdop_profile *profile;
	size_t i;

	if (code != EXIT_OK) {
		ctx->error.body = reply != NULL ? &reply->base : NULL;
		if (code == EXIT_DUPLICATE && ctx->error.next == NULL)
			undecided(ctx, reply);
		return code;
	}
	(void)session_profile(ctx, &profile);
	if (ctx->g.json) {
		json_line(ctx, "change", &reply->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(ctx, "%s: %s, version %llu", what, reply->reference,
	    (unsigned long long)reply->version);
	for (i = 0; i < reply->n_word; i++)
		print_out(ctx, "  %s", reply->word[i]);
	show_found(ctx, reply);
	show_missing(ctx, reply->missing, reply->n_missing);
	return EXIT_OK;
}
