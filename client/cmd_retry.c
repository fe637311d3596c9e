/* cdop retry: sends again what was not acknowledged, under its first key. */
#include <string.h>

#include "client/call.h"
#include "client/change.h"
#include "client/families.h"
#include "client/file.h"
#include "client/json.h"
#include "client/kept.h"
#include "client/notify.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/seen.h"
#include "client/session.h"
#include "client/spool.h"

#define DEAF 2 /* so many in a row without an answer: nobody is there */

struct tally {
	size_t told; /* lines */
	size_t sent;
	unsigned deaf; /* in a row that got no answer */
	bool alone;    /* there is no connection */
	enum exit_code worst;
};

/* What came of it, by the call's reply, without who it was about. */
static const char *
outcome(struct cmd_ctx *ctx, const struct call_method *method,
    const ProtobufCMessage *message)
{
	const Cdop__NotificationRegisterReply *r;

	if (message == NULL ||
	    method->reply != &cdop__notification_register_reply__descriptor)
		return "done";
	r = (const Cdop__NotificationRegisterReply *)message;
	return cdop_arena_printf(ctx->arena, "%s %s%s", notify_verb(r),
	    r->reference != NULL ? r->reference : "?",
	    ctx->replayed ? " (it had arrived)" : "");
}

static void
say(struct cmd_ctx *ctx, const Cdop__ClientRequest *r, enum exit_code code,
    const char *words)
{
	struct cdop_bytes key = {r->request_key.data, r->request_key.len};
	json_t *object;

	if (!ctx->g.json) {
		print_out(ctx, "%s  %s  %s: %s", kept_name(ctx, r),
		    print_time(ctx->arena, r->at_ms), kept_words(ctx, r),
		    words);
		return;
	}
	object = print_envelope(ctx, "retry", code == EXIT_OK);
	(void)json_object_update_new(object,
	    json_pack("{s:s,s:s,s:s,s:i,s:s,s:b}", "key",
		print_hex(ctx->arena, key), "command", kept_words(ctx, r), "at",
		print_utc(ctx->arena, r->at_ms), "exit", (int)code, "message",
		words, "refused", r->has_refused_ms));
	print_json(object);
}

static enum exit_code
send_one(struct cmd_ctx *ctx, Cdop__ClientRequest *r, struct tally *t)
{
	ProtobufCMessage *message = NULL;
	struct call_send send;
	enum exit_code code;

	memset(&send, 0, sizeof(send));
	send.method = call_method(r->method);
	if (send.method == NULL)
		return cmd_fail(ctx, EXIT_VERSION, NULL, NULL,
		    "a kept request is of a newer cdop");
	send.body.data = r->body.data;
	send.body.len = r->body.len;
	send.request_key = r->request_key.data;
	send.purpose = r->purpose;
	send.purpose_text = r->purpose_text;
	send.role = r->has_role ? r->role : 0;
	if ((code = session_open(ctx)) != EXIT_OK) {
		t->alone = true;
		return code;
	}
	/* Where it does not begin that is told as a refusal is. */
	if ((code = spool_begin(ctx, r, false)) == EXIT_OK) {
		code = call_raw(ctx, &send, &message);
		t->deaf = code == EXIT_OUTCOME ? t->deaf + 1 : 0;
	}
	say(ctx, r, code,
	    code == EXIT_OK ? outcome(ctx, send.method, message)
			    : ctx->error.message);
	t->told++;
	if (code == EXIT_OK) {
		seen_applied(ctx, r->method, send.body, message);
		t->sent++;
	} else if (t->worst == EXIT_OK) {
		t->worst = code;
	}
	return code;
}

/* What waits, or was refused and is not sent by itself any more. */
static void
say_state(struct cmd_ctx *ctx, const Cdop__ClientRequest *r, struct tally *t)
{
	const char *words =
	    cmd_flag(ctx, "--after-restore") ? "was sent" : "waits";
	enum exit_code code = EXIT_OK;

	if (r->has_refused_ms) {
		code = (enum exit_code)r->refused_exit;
		words = cdop_arena_printf(ctx->arena,
		    "refused %s: %s.  Kept: cdop retry --again %s, or --drop "
		    "%s",
		    print_time(ctx->arena, r->refused_ms),
		    r->refused_words != NULL ? r->refused_words : "?",
		    kept_name(ctx, r), kept_name(ctx, r));
	}
	say(ctx, r, code, words);
	t->told++;
}

/* What the arena had before a request, and what of the session lay in it. */
struct mark {
	size_t used;
	const void *welcome, *witness, *profile;
};

static struct mark
mark(const struct cmd_ctx *ctx)
{
	const struct session *s = ctx->session;

	return (struct mark){
	    cdop_arena_used(ctx->arena), s->welcome, s->witness, s->profile};
}

/*
 * There may be thousands, and each has its receipt: what it took is given
 * back, but not where the session was opened, or its profile read, meanwhile.
 */
static void
forget(struct cmd_ctx *ctx, const struct mark *before)
{
	const struct mark now = mark(ctx);

	if (now.welcome == before->welcome && now.witness == before->witness &&
	    now.profile == before->profile)
		cdop_arena_rewind(ctx->arena, before->used);
}

/*
 * One after the other.  What gets no answer is left where it is and does not
 * keep the others from being sent.
 */
static enum exit_code
send_all(struct cmd_ctx *ctx, const struct spool_list *list, struct tally *t)
{
	bool again = cmd_flag(ctx, "--after-restore");
	Cdop__ClientRequest *request;
	struct mark before;
	enum exit_code code;
	size_t i;

	for (i = 0; i < list->n; i++) {
		before = mark(ctx);
		code = spool_get(ctx, list->path[i], &request);
		if (code != EXIT_OK && !file_exists(list->path[i])) {
			memset(&ctx->error, 0, sizeof(ctx->error));
			continue; /* another cdop was done with it since */
		}
		if (code != EXIT_OK) {
			print_note(ctx, "%s, of %s", ctx->error.message,
			    print_time(ctx->arena,
				(uint64_t)file_time(list->path[i]) * 1000));
			t->worst = code;
			continue;
		}
		if (cmd_flag(ctx, "--list") || request->has_refused_ms) {
			say_state(ctx, request, t);
			continue;
		}
		code = send_one(ctx, request, t);
		if (t->alone || t->deaf == DEAF || code == EXIT_SEALED ||
		    code == EXIT_AUTH)
			return code; /* no use in trying the others */
		if (!again)
			kept_settle(ctx, request, code);
		if (code == EXIT_OK)
			forget(ctx, &before);
	}
	return t->worst;
}

/* ---- one of them ------------------------------------------------- */

/*
 * An amendment that met another one: what that changed is shown and asked
 * about, and it goes out under the version there is now, as a new request.
 */
static enum exit_code
amend_again(struct cmd_ctx *ctx, const Cdop__ClientRequest *r)
{
	Cdop__ChangeReply *reply = NULL;
	Cdop__CaseAmendRequest *request;
	struct change change;
	enum exit_code code;

	request = cdop__case_amend_request__unpack(
	    cdop_arena_allocator(ctx->arena), r->body.len, r->body.data);
	if (request == NULL)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "what is kept cannot be read");
	memset(&change, 0, sizeof(change));
	change.reference = request->reference;
	change.part = SEEN_RECORD;
	change.version = request->version;
	do {
		request->version = change.version;
		code = call_case_amend(ctx, request, &reply);
	} while (change_again(ctx, &change, &code, reply));
	if (code == EXIT_OK)
		spool_drop(ctx, r->request_key.data);
	return change_end(ctx, code, reply, "Amended");
}

/*
 * Its key is too old to be looked up, and would be refused for that whatever
 * is done.  Under another key it is another request.
 */
static enum exit_code
anew(struct cmd_ctx *ctx, Cdop__ClientRequest *r)
{
	enum exit_code code;

	if ((code = session_open(ctx)) != EXIT_OK ||
	    !spool_key_is_old(ctx, r->request_key.data))
		return code;
	code = prompt_agree(ctx,
	    cdop_arena_printf(ctx->arena,
		"%s is of %s and may have arrived then: look first. Send it "
		"as a new request",
		kept_words(ctx, r), print_time(ctx->arena, r->at_ms)));
	return code == EXIT_OK ? spool_begin(ctx, r, true) : code;
}

static enum exit_code
again(struct cmd_ctx *ctx, const char *digits)
{
	struct tally tally;
	Cdop__ClientRequest *r;
	enum exit_code code;

	memset(&tally, 0, sizeof(tally));
	if ((code = kept_find(ctx, digits, &r)) != EXIT_OK)
		return code;
	if (r->method == CDOP_CALL_CaseAmend)
		return amend_again(ctx, r);
	if ((code = anew(ctx, r)) != EXIT_OK)
		return code;
	code = send_one(ctx, r, &tally);
	kept_settle(ctx, r, code);
	return code;
}

static enum exit_code
agree_to_drop(struct cmd_ctx *ctx, const char *words)
{
	return prompt_agree(ctx,
	    cdop_arena_printf(ctx->arena,
		"Drop %s for ever; nobody can bring it back", words));
}

static void
say_dropped(struct cmd_ctx *ctx, const char *words)
{
	json_t *object;

	if (!ctx->g.json) {
		print_note(ctx, "dropped: %s", words);
		return;
	}
	object = print_envelope(ctx, "retry.drop", true);
	(void)json_object_set_new(object, "dropped", json_string(words));
	print_json(object);
}

static enum exit_code
drop_request(struct cmd_ctx *ctx, const char *digits)
{
	Cdop__ClientRequest *r;
	enum exit_code code;

	if ((code = kept_find(ctx, digits, &r)) != EXIT_OK ||
	    (code = agree_to_drop(ctx, kept_words(ctx, r))) != EXIT_OK)
		return code;
	spool_drop(ctx, r->request_key.data);
	say_dropped(ctx, kept_words(ctx, r));
	return EXIT_OK;
}

static enum exit_code
drop_draft(struct cmd_ctx *ctx, const char *digits)
{
	const char *words = cdop_arena_printf(ctx->arena, "draft %s", digits);
	struct lock hold;
	enum exit_code code;
	uint64_t draft;

	if (words == NULL)
		return cmd_no_memory(ctx);
	if ((code = cmd_number(ctx, "DRAFT", digits, 9999, &draft)) !=
		EXIT_OK ||
	    (code = spool_hold_draft(ctx, (unsigned)draft, &hold)) != EXIT_OK)
		return code;
	if ((code = agree_to_drop(ctx, words)) == EXIT_OK) {
		spool_drop_draft(ctx, (unsigned)draft);
		say_dropped(ctx, words);
	}
	lock_drop(&hold, true);
	return code;
}

/* A request by the digits of its key, a draft by its number. */
static enum exit_code
drop(struct cmd_ctx *ctx, const char *which)
{
	return strlen(which) <= 4 ? drop_draft(ctx, which)
				  : drop_request(ctx, which);
}

/* ---- all of them ------------------------------------------------- */

static void
show_draft(struct cmd_ctx *ctx, unsigned number, const Cdop__ClientDraft *draft)
{
	json_t *object;

	if (!ctx->g.json) {
		print_out(ctx,
		    "%s  draft %u, not sent: cdop notify --resume %u",
		    print_time(ctx->arena, draft->at_ms), number, number);
		return;
	}
	object = print_envelope(ctx, "retry.draft", true);
	(void)json_object_update_new(object,
	    json_pack("{s:I,s:s,s:s}", "draft", (json_int_t)number, "at",
		print_utc(ctx->arena, draft->at_ms), "next",
		"cdop notify --resume"));
	print_json(object);
}

/* How many there were. */
static size_t
show_drafts(struct cmd_ctx *ctx)
{
	struct spool_list list = {NULL, 0};
	Cdop__ClientDraft *draft;
	unsigned number;
	size_t i, n = 0;

	if (spool_drafts(ctx, &list) != EXIT_OK)
		return 0;
	for (i = 0; i < list.n; i++) {
		number = spool_draft_number(list.path[i]);
		if (spool_get_draft(ctx, list.path[i], &draft) != EXIT_OK) {
			print_note(ctx,
			    "draft %u of %s cannot be opened with this key",
			    number,
			    print_time(ctx->arena,
				(uint64_t)file_time(list.path[i]) * 1000));
			continue;
		}
		show_draft(ctx, number, draft);
		n++;
	}
	return n;
}

static enum exit_code
retry_all(struct cmd_ctx *ctx)
{
	struct spool_list list = {NULL, 0};
	struct tally tally;
	size_t drafts;
	enum exit_code code;
	struct cmd_error error;

	memset(&tally, 0, sizeof(tally));
	code = cmd_flag(ctx, "--after-restore") ? spool_sent(ctx, &list)
						: spool_requests(ctx, &list);
	if (code != EXIT_OK)
		return code;
	print_mode(ctx);
	code = send_all(ctx, &list, &tally);
	error = ctx->error;
	drafts = cmd_flag(ctx, "--after-restore") ? 0 : show_drafts(ctx);
	ctx->error = error;
	if (ctx->g.json)
		print_end(ctx, "retry", tally.told + drafts);
	else if (list.n == 0)
		print_out(ctx,
		    cmd_flag(ctx, "--after-restore")
			? "Nothing that was sent is kept on this computer."
			: "No request waits on this computer.");
	if (code == EXIT_OK)
		ctx->error.message = NULL;
	return code;
}

static enum exit_code
look_at_options(struct cmd_ctx *ctx)
{
	const int all =
	    cmd_flag(ctx, "--list") || cmd_flag(ctx, "--after-restore");

	if (all + cmd_flag(ctx, "--again") + cmd_flag(ctx, "--drop") <= 1)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop retry --help",
	    "one of these at a time: --list or --after-restore, --again KEY, "
	    "--drop KEY|DRAFT");
}

/* Two at a time would each make a draft of what is refused. */
static enum exit_code
run_retry(struct cmd_ctx *ctx)
{
	struct lock lock;
	enum exit_code code;
	const char *path;

	if ((code = look_at_options(ctx)) != EXIT_OK)
		return code;
	if ((code = session_unlock(ctx)) != EXIT_OK)
		return code;
	if (cmd_flag(ctx, "--list"))
		return retry_all(ctx);
	path = cdop_arena_printf(
	    ctx->arena, "%s/retry.lock", ctx->session->context.state);
	if (path == NULL ||
	    file_make_dir(ctx->session->context.state) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the folder of kept entries cannot be written");
	code = lock_take(ctx, path, "sends what waits", LOCK_WAIT_MS, &lock);
	if (code != EXIT_OK)
		return code;
	if (cmd_value(ctx, "--drop") != NULL)
		code = drop(ctx, cmd_value(ctx, "--drop"));
	else if (cmd_value(ctx, "--again") != NULL)
		code = again(ctx, cmd_value(ctx, "--again"));
	else
		code = retry_all(ctx);
	lock_drop(&lock, false);
	return code;
}

static const struct cmd_opt retry_opts[] = {
    {"--list", NULL, "only list what waits", false},
    {"--again", "KEY", "send one that was refused again", false},
    {"--drop", "KEY|DRAFT", "throw away a request or a draft for ever", false},
    {"--yes", NULL, "do not ask", false},
    {"--after-restore", NULL, "send again what was applied and is kept still",
	false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_retry_rows[] = {
    {"retry", "", "send again what was cut off; nothing is done twice",
	"What the registry refuses is kept as it was typed: a notification as "
	"a\ndraft, any other change under its key, until it is sent --again or "
	"thrown\naway.  KEY is the digits that stand before it in the list.\n"
	"Where the profile has clients keep what they sent for some days, "
	"it can\nbe sent again, under its first keys, when the registry had to "
	"go back to\na backup.",
	"  cdop retry\n  cdop retry --list\n"
	"  cdop retry --again 0193a5c0ffee\n"
	"  cdop retry --after-restore",
	retry_opts, 0, 0, 0, "case", run_retry},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
