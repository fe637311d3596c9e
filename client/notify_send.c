/* Sending a notification, and the questions that come back. */
#include <string.h>
#include <time.h>

#include "client/call.h"
#include "client/clock.h"
#include "client/decide.h"
#include "client/json.h"
#include "client/notify.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/show.h"
#include "client/spool.h"

#define ROUNDS 12

const char *
notify_verb(const Cdop__NotificationRegisterReply *reply)
{
	return reply->has_joined && reply->joined ? "Joined to" : "Registered";
}

const char *
notify_owner(const Cdop__NotificationRegisterReply *reply)
{
	if (reply->owner_words != NULL)
		return reply->owner_words;
	return reply->has_joined && reply->joined
	    ? "   you may not see that case now"
	    : "";
}

const char *
notify_withdrawn(
    struct cmd_ctx *ctx, const Cdop__NotificationRegisterReply *reply)
{
	const Cdop__Candidate *c;
	const char *all = "", *first;
	size_t i;

	for (i = 0; i < reply->n_candidate; i++) {
		c = reply->candidate[i];
		first = all[0] == '\0'
		    ? "Entered in error, perhaps this child: "
		    : ", ";
		if (c->has_withdrawn && c->withdrawn)
			all = cdop_arena_printf(ctx->arena, "%s%s%s (%s)", all,
			    first, c->reference,
			    show_joined(ctx, c->reason, c->n_reason, "; "));
		if (all == NULL)
			return "";
	}
	return all;
}

/* What a registration was answered, for people. */
static void
show_reply(struct cmd_ctx *ctx, const Cdop__NotificationRegisterReply *reply,
    bool replayed)
{
	const char *withdrawn = notify_withdrawn(ctx, reply);
	bool has_timing = reply->timing != NULL && reply->timing[0] != '\0';
	size_t i;

	if (reply->has_dry_run && reply->dry_run)
		print_out(ctx, "Every check passed; nothing was written.");
	else
		print_out(ctx, "%s %s%s%s%s%s", notify_verb(reply),
		    reply->reference != NULL ? reply->reference : "?",
		    reply->owner_words != NULL ? "   owner: " : "",
		    notify_owner(reply), has_timing ? "   " : "",
		    has_timing ? reply->timing : "");
	if (replayed)
		print_out(ctx, "(it had arrived)");
	if (withdrawn[0] != '\0')
		print_out(ctx, "%s", withdrawn);
	if (reply->n_difference > 0)
		print_out(ctx, "The notifications differ, to be decided: %s",
		    show_joined(
			ctx, reply->difference, reply->n_difference, ", "));
	show_missing(ctx, reply->missing, reply->n_missing);
	if (reply->has_out_of_sight && reply->out_of_sight)
		print_out(ctx,
		    "The owner's coordinators go on with it: you may not "
		    "see the case.");
	for (i = 0; i < reply->n_forward_to; i++)
		print_out(ctx, "To forward to: %s", reply->forward_to[i]);
	if (reply->reference != NULL && !(reply->has_dry_run && reply->dry_run))
		print_out(ctx, "Give the notifier this reference: %s",
		    reply->reference);
}

static enum exit_code
show(struct cmd_ctx *ctx, const Cdop__NotificationRegisterReply *reply)
{
	if (reply == NULL)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, "cdop retry",
		    "the answer carries no reply");
	if (!ctx->g.json) {
		print_mode(ctx);
		show_reply(ctx, reply, ctx->replayed);
		return EXIT_OK;
	}
	json_line(ctx, "notify", &reply->base);
	return EXIT_OK;
}

static bool
only_warnings(const struct cmd_error *e)
{
	size_t i;

	for (i = 0; i < e->n_findings; i++)
		if (!e->finding[i].warning)
			return false;
	return e->n_findings > 0;
}

/* After a refusal: is there something a person can still say? */
static enum exit_code
mend(struct cmd_ctx *ctx, struct notify *n, enum exit_code code,
    const ProtobufCMessage *message)
{
	const Cdop__NotificationRegisterReply *reply;
	struct cmd_error error = ctx->error;
	enum exit_code next;

	if (code == EXIT_DUPLICATE && message != NULL) {
		reply = (const Cdop__NotificationRegisterReply *)message;
		ctx->error.body = message;
		return decide_ask(
		    ctx, n, reply->candidate, reply->n_candidate, true);
	}
	if (code != EXIT_INVALID || !only_warnings(&error))
		return code;
	next = overrides_ask(
	    ctx, &n->overrides, n->form, error.finding, error.n_findings);
	if (next == EXIT_INVALID) {
		ctx->error = error;
		ctx->error.next = "answer each: --accept-warning \"RULE: "
				  "reason\"";
	}
	return next;
}

/* A whole one waits for cdop retry, one that is not settled as a draft. */
static enum exit_code
keep_somehow(struct cmd_ctx *ctx, struct notify *n, enum exit_code code,
    const char **ret_where, const char **ret_next)
{
	Cdop__NotificationRegisterRequest request;

	notify_request(n, &request);
	if (code != EXIT_STOPPED && code != EXIT_AUTH &&
	    call_keep(ctx, CDOP_CALL_NotificationRegister, &request.base,
		n->key) == EXIT_OK) {
		spool_drop_draft(ctx, n->draft);
		*ret_where = "";
		*ret_next = "when the registry is back: cdop retry";
		return EXIT_OK;
	}
	if (notify_keep(ctx, n) != EXIT_OK)
		return EXIT_UNEXPECTED;
	*ret_where = cdop_arena_printf(ctx->arena, " as draft %u", n->draft);
	*ret_next =
	    cdop_arena_printf(ctx->arena, "cdop notify --resume %u", n->draft);
	return EXIT_OK;
}

/* Now, by the clock that the form goes by. */
static const char *
clock_words(struct cmd_ctx *ctx)
{
	char words[16] = "?";
	struct tm tm;

	/* Nothing is typed without a profile. */
	if (ctx->session->profile != NULL &&
	    clock_of_panel(ctx->session->profile, time(NULL), &tm))
		(void)strftime(words, sizeof(words), "%H:%M", &tm);
	return cdop_arena_strdup(ctx->arena, words);
}

/* There was no answer: what was typed is kept, and somebody is told how. */
static enum exit_code
keep(struct cmd_ctx *ctx, struct notify *n, enum exit_code code)
{
	struct cmd_error error = ctx->error;
	const char *where, *next;

	if (code == EXIT_OUTCOME || n->dry_run)
		return code; /* the request itself is kept */
	if (keep_somehow(ctx, n, code, &where, &next) != EXIT_OK)
		return EXIT_UNEXPECTED;
	return cmd_fail(ctx, code, error.reason, next,
	    "%s. Kept sealed on this computer%s. Tell the notifier: noted at "
	    "%s, the reference follows",
	    error.message, where, clock_words(ctx));
}

/* What was copied from another case belongs to it: offered, not done. */
static enum exit_code
offer_link(struct cmd_ctx *ctx, struct notify *n, const char *reference)
{
	static const struct prompt_option kinds[] = {
	    {"multiple_birth", "twin, or of a multiple birth"},
	    {"siblings", "brother or sister"},
	    {"same_incident", "the same incident"},
	    {"same_mother", "the same mother"},
	    {"no", "do not link them"},
	};
	Cdop__CaseLinkRequest request;
	Cdop__ChangeReply *reply;
	enum exit_code code;
	const char *reason;
	size_t kind;

	if (n->like == NULL || reference == NULL || n->dry_run)
		return EXIT_OK;
	if (!prompt_is_possible(ctx)) {
		print_note(ctx, "to link them: cdop case link %s %s", reference,
		    n->like);
		return EXIT_OK;
	}
	code = prompt_choice(
	    ctx, "Link it to the other case as", kinds, 5, 5, &kind);
	if (code != EXIT_OK || kind == 4)
		return EXIT_OK; /* it is registered whatever is said here */
	code = prompt_need(ctx, "Why", "case link --reason", &reason);
	if (code != EXIT_OK)
		return EXIT_OK;
	cdop__case_link_request__init(&request);
	request.reference = cdop_arena_strdup(ctx->arena, reference);
	request.other = cdop_arena_strdup(ctx->arena, n->like);
	request.kind = cdop_arena_strdup(ctx->arena, kinds[kind].code);
	request.reason = cdop_arena_strdup(ctx->arena, reason);
	code = call_case_link_add(ctx, &request, &reply);
	if (code == EXIT_OK)
		print_out(ctx, "Linked to %s.", n->like);
	return code;
}

/* Refused for good: what was typed at the prompts is a draft. */
static enum exit_code
refused(struct cmd_ctx *ctx, struct notify *n, enum exit_code code)
{
	struct cmd_error error = ctx->error;

	if (n->draft == 0 || n->dry_run)
		return code;
	if (notify_keep(ctx, n) != EXIT_OK)
		return EXIT_UNEXPECTED;
	ctx->error = error;
	ctx->error.next = cdop_arena_printf(ctx->arena,
	    "kept as draft %u: cdop notify --resume %u%s%s", n->draft, n->draft,
	    error.next != NULL ? "; " : "",
	    error.next != NULL ? error.next : "");
	return code;
}

enum exit_code
notify_send(struct cmd_ctx *ctx, struct notify *n)
{
	Cdop__NotificationRegisterRequest request;
	ProtobufCMessage *message = NULL;
	enum exit_code code = EXIT_OK;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		overrides_prune(ctx, &n->overrides, n->form);
		notify_request(n, &request);
		message = NULL;
		code = session_open(ctx);
		if (code == EXIT_OK)
			code = n->dry_run
			    ? call_dry(ctx, CDOP_CALL_NotificationRegister,
				  &request.base, n->key, &message)
			    : call_change(ctx, CDOP_CALL_NotificationRegister,
				  &request.base, n->key, &message);
		if (code == EXIT_UNREACHABLE || code == EXIT_SEALED ||
		    code == EXIT_OUTCOME || code == EXIT_AUTH)
			return keep(ctx, n, code);
		if (code == EXIT_OK)
			break;
		code = mend(ctx, n, code, message);
		if (code == EXIT_STOPPED) {
			(void)cmd_fail(ctx, code, NULL, NULL, "stopped");
			return keep(ctx, n, code);
		}
		if (code != EXIT_OK)
			return refused(ctx, n, code);
		ctx->error.message = NULL;
	}
	if (code != EXIT_OK)
		return refused(ctx, n, code);
	spool_drop_draft(ctx, n->draft);
	code = show(ctx, (const Cdop__NotificationRegisterReply *)message);
	if (code != EXIT_OK)
		return code;
	return offer_link(ctx, n,
	    ((const Cdop__NotificationRegisterReply *)message)->reference);
}
