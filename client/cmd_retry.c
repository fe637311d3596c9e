/* cdop retry: sends again what was not acknowledged, under its first key. */
#include <string.h>

#include "client/call.h"
#include "client/families.h"
#include "client/file.h"
#include "client/json.h"
#include "client/print.h"
#include "client/seen.h"
#include "client/session.h"
#include "client/spool.h"

#define REGISTER 40 /* method id of NotificationRegister */

struct tally {
	size_t told; /* lines */
	size_t sent;
	size_t open; /* still not known */
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
	return cdop_arena_printf(ctx->arena, "Registered %s%s",
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
		print_out(ctx, "%s  %s: %s", print_time(ctx->arena, r->at_ms),
		    r->words, words);
		return;
	}
	object = print_envelope(ctx, "retry", code == EXIT_OK);
	(void)json_object_update_new(object,
	    json_pack("{s:s,s:s,s:s,s:i,s:s}", "key",
		print_hex(ctx->arena, key), "command", r->words, "at",
		print_utc(ctx->arena, r->at_ms), "exit", (int)code, "message",
		words));
	print_json(object);
}

static enum exit_code
send_one(struct cmd_ctx *ctx, const Cdop__ClientRequest *r, struct tally *t)
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
	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	code = call_raw(ctx, &send, &message);
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

/*
 * A notification that was refused is not thrown away: it becomes a draft, so
 * that the question can be answered.
 */
static void
make_draft(struct cmd_ctx *ctx, const Cdop__ClientRequest *r)
{
	Cdop__NotificationRegisterRequest *request;
	Cdop__ClientDraft draft;
	unsigned number = 0;

	if (r->method != REGISTER)
		return;
	request = cdop__notification_register_request__unpack(
	    cdop_arena_allocator(ctx->arena), r->body.len, r->body.data);
	if (request == NULL || request->form == NULL)
		return;
	cdop__client_draft__init(&draft);
	draft.form = request->form;
	draft.override = request->override;
	draft.n_override = request->n_override;
	draft.at_ms = r->at_ms;
	draft.request_key = r->request_key;
	draft.source = request->source;
	if (spool_put_draft(ctx, &draft, &number) == EXIT_OK)
		print_note(ctx, "kept as draft %u", number);
}

/* The request holds all that its draft did. */
static void
drop_draft(struct cmd_ctx *ctx, const Cdop__ClientRequest *r)
{
	struct spool_list list = {NULL, 0};
	Cdop__ClientDraft *draft;
	size_t i;

	if (spool_drafts(ctx, &list) != EXIT_OK)
		return;
	for (i = 0; i < list.n; i++)
		if (spool_get_draft(ctx, list.path[i], &draft) == EXIT_OK &&
		    draft->request_key.len == r->request_key.len &&
		    memcmp(draft->request_key.data, r->request_key.data,
			r->request_key.len) == 0)
			spool_drop_draft(ctx, spool_draft_number(list.path[i]));
}

static bool
is_open(enum exit_code code)
{
	return code == EXIT_OUTCOME || code == EXIT_UNREACHABLE ||
	    code == EXIT_SEALED || code == EXIT_AUTH;
}

/*
 * What the answer means for what is kept.  A refusal is an answer, too: it
 * will not change by asking.  What had been applied before stays as it is.
 */
static void
settle(struct cmd_ctx *ctx, const Cdop__ClientRequest *r, enum exit_code code)
{
	if (cmd_flag(ctx, "--after-restore"))
		return;
	drop_draft(ctx, r);
	if (code == EXIT_OK) {
		spool_applied(ctx, r->request_key.data);
		return;
	}
	make_draft(ctx, r);
	spool_drop(ctx, r->request_key.data);
}

static enum exit_code
send_all(struct cmd_ctx *ctx, const struct spool_list *list, struct tally *t)
{
	Cdop__ClientRequest *request;
	enum exit_code code;
	size_t i;

	for (i = 0; i < list->n; i++) {
		code = spool_get(ctx, list->path[i], &request);
		if (code != EXIT_OK) {
			print_note(ctx, "%s", ctx->error.message);
			t->worst = code;
			continue;
		}
		if (cmd_flag(ctx, "--list")) {
			say(ctx, request, EXIT_OK,
			    cmd_flag(ctx, "--after-restore") ? "was sent"
							     : "waits");
			t->told++;
			continue;
		}
		code = send_one(ctx, request, t);
		if (is_open(code)) {
			t->open = list->n - i;
			return code; /* no use in trying the others */
		}
		settle(ctx, request, code);
	}
	return t->worst;
}

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
			    "draft %u cannot be opened with this key", number);
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
	struct tally tally = {0, 0, 0, EXIT_OK};
	size_t drafts;
	enum exit_code code;
	struct cmd_error error;

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

/* Two at a time would each make a draft of what is refused. */
static enum exit_code
run_retry(struct cmd_ctx *ctx)
{
	struct lock lock;
	enum exit_code code;
	const char *path;

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
	code = retry_all(ctx);
	lock_drop(&lock, false);
	return code;
}

static const struct cmd_opt retry_opts[] = {
    {"--list", NULL, "only list what waits", false},
    {"--after-restore", NULL, "send again what was applied and is kept still",
	false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_retry_rows[] = {
    {"retry", "", "send again what was cut off; nothing is done twice",
	"Where the profile has clients keep what they sent for some days, "
	"it can\nbe sent again, under its first keys, when the registry had to "
	"go back to\na backup.",
	"  cdop retry\n  cdop retry --after-restore", retry_opts, 0, 0, 0, NULL,
	run_retry},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
