/* cdop approve: what waits for a second person, and the second person. */
#include <string.h>
#include <strings.h>

#include "cdop/scan.h"
#include "cdop/second.h"
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/paged.h"
#include "client/pager.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"

#define LONG_HEX 80

static const char *
number_of(struct cmd_ctx *ctx, const Cdop__Approval *a)
{
	struct cdop_bytes n = {a->number.data, a->number.len};

	return print_hex(ctx->arena, n);
}

/* The request itself, read here from its bytes: not the server's words. */
static json_t *
request_json(struct cmd_ctx *ctx, const Cdop__Approval *a)
{
	const struct call_method *method = call_method(a->method);
	struct cdop_bytes body = {a->request.data, a->request.len};
	ProtobufCMessage *message = NULL;

	if (method != NULL &&
	    cdop_scan_message(method->request, body, CDOP_SCAN_STRICT, NULL) ==
		CDOP_OK)
		message = protobuf_c_message_unpack(method->request,
		    cdop_arena_allocator(ctx->arena), body.len, body.data);
	return message != NULL ? json_message(ctx, message) : json_null();
}

/* Long runs of bytes are named, not printed. */
static void
shorten(struct cmd_ctx *ctx, json_t *request)
{
	const char *key, *text;
	json_t *value;
	void *tmp;

	json_object_foreach_safe(request, tmp, key, value)
	{
		text = json_string_value(value);
		if (text == NULL || strlen(text) <= LONG_HEX ||
		    strspn(text, "0123456789abcdef") != strlen(text))
			continue;
		text = cdop_arena_printf(
		    ctx->arena, "(%zu bytes)", strlen(text) / 2);
		(void)json_object_set_new(request, key, json_string(text));
	}
}

/* What a new profile changes, as this program reads it. */
static void
show_profile(struct cmd_ctx *ctx, const Cdop__Approval *a)
{
	const struct cdop_profile *now;
	Cdop__ProfileApplyRequest *request;
	struct cdop_profile_error error;
	struct cdop_profile_diff diff;
	struct cdop_profile *next;
	size_t i;

	request = cdop__profile_apply_request__unpack(
	    cdop_arena_allocator(ctx->arena), a->request.len, a->request.data);
	if (request == NULL || session_profile(ctx, &now) != EXIT_OK ||
	    cdop_profile_parse((const char *)request->text.data,
		request->text.len, ctx->arena, &next, &error) != CDOP_OK ||
	    cdop_profile_diff(now, next, ctx->arena, &diff) != CDOP_OK)
		return;
	print_out(ctx, "  read here, it changes:");
	for (i = 0; i < diff.n_change; i++)
		print_out(ctx, "    %s", diff.change[i]);
}

static void
show(struct cmd_ctx *ctx, const Cdop__Approval *a)
{
	const struct call_method *method = call_method(a->method);
	json_t *request = request_json(ctx, a);
	char *text;
	size_t i;

	print_out(ctx, "%s  %s  asked by %s (person %u) %s, until %s%s",
	    number_of(ctx, a), method != NULL ? method->name : "?",
	    print_one_line(ctx->arena, a->requester_name), a->requester,
	    print_time(ctx->arena, a->asked_ms),
	    print_time(ctx->arena, a->expires_ms),
	    a->you_may ? "" : "  (not yours to approve)");
	for (i = 0; i < a->n_words; i++)
		print_out(
		    ctx, "    %s", print_one_line(ctx->arena, a->words[i]));
	if (a->method == CDOP_CALL_ProfileApply)
		show_profile(ctx, a);
	shorten(ctx, request);
	text = json_dumps(request, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text != NULL)
		print_out(ctx, "  the request as it stands: %s", text);
	json_decref(request);
}

static void
show_json(struct cmd_ctx *ctx, const Cdop__Approval *a)
{
	const struct call_method *method = call_method(a->method);
	json_t *object = print_envelope(ctx, "approve.list", true);
	json_t *fields = json_message(ctx, &a->base);

	/* The request of the envelope is the number of this call. */
	(void)json_object_del(fields, "request");
	(void)json_object_update_new(object, fields);
	(void)json_object_set_new(
	    object, "call", json_string(method != NULL ? method->name : "?"));
	(void)json_object_set_new(object, "asked", request_json(ctx, a));
	print_json(object);
}

/* A page; asks for the next one where there is one. */
static enum exit_code
next_page(struct cmd_ctx *ctx, Cdop__ApprovalListRequest *request,
    Cdop__ApprovalListReply **ret_list, bool *ret_more)
{
	enum exit_code code;

	code = call_approval_list(ctx, request, ret_list);
	if (code != EXIT_OK)
		return code;
	*ret_more = (*ret_list)->has_next_page;
	request->has_page = *ret_more;
	request->page = (*ret_list)->next_page;
	return EXIT_OK;
}

static enum exit_code
list_all(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__ApprovalListRequest request;
	Cdop__ApprovalListReply *list;
	enum exit_code code;
	bool more = true;
	size_t i, n = 0, used = 0;

	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	(void)session_profile(ctx, &profile); /* or ids instead of names */
	pager_start(ctx);
	cdop__approval_list_request__init(&request);
	while (more) {
		code = next_page(ctx, &request, &list, &more);
		if (code != EXIT_OK)
			return code;
		for (i = 0; i < list->n_approval; i++, n++) {
			if (ctx->g.json)
				show_json(ctx, list->approval[i]);
			else
				show(ctx, list->approval[i]);
		}
		paged_pass(ctx, &used, &request.page);
	}
	if (ctx->g.json)
		print_end(ctx, "approve.list", n);
	else if (n == 0)
		print_out(ctx, "Nothing waits for a second person.");
	else
		print_out(ctx, "\nto approve: cdop approve NUMBER");
	return EXIT_OK;
}

static enum exit_code
find(struct cmd_ctx *ctx, const char *number, const Cdop__Approval **ret_a)
{
	Cdop__ApprovalListRequest request;
	Cdop__ApprovalListReply *list;
	enum exit_code code;
	size_t i, used = 0;
	bool more = true;

	cdop__approval_list_request__init(&request);
	while (more) {
		code = next_page(ctx, &request, &list, &more);
		if (code != EXIT_OK)
			return code;
		for (i = 0; i < list->n_approval; i++) {
			*ret_a = list->approval[i];
			if (strcasecmp(number_of(ctx, *ret_a), number) == 0)
				return EXIT_OK;
		}
		paged_pass(ctx, &used, &request.page);
	}
	return cmd_fail(ctx, EXIT_NOT_FOUND, NULL, "cdop approve",
	    "nothing of that number waits");
}

/* It is gone; what is next is for whoever asked for it. */
static enum exit_code
is_void(struct cmd_ctx *ctx, const Cdop__Approval *a, enum exit_code code)
{
	const char *words = cdop_arena_printf(ctx->arena,
	    "the request is void, and nothing was done: %s",
	    ctx->error.message);

	if (words != NULL)
		ctx->error.message = words;
	ctx->error.next = cdop_arena_printf(ctx->arena,
	    "tell %s (person %u), who may look again and ask anew",
	    print_one_line(ctx->arena, a->requester_name), a->requester);
	return code;
}

/* Exactly what was shown is what is signed up to. */
static enum exit_code
send(struct cmd_ctx *ctx, const Cdop__Approval *a, bool approve)
{
	uint8_t hash[CDOP_SECOND_LEN];
	struct cdop_second second;
	Cdop__ApproveRequest request;
	Cdop__ApproveReply *reply = NULL;
	enum exit_code code;
	json_t *object;

	if (a->request_key.len != 16 || a->target_version.len != 32)
		return cmd_fail(
		    ctx, EXIT_INTEGRITY, NULL, NULL, "what waits is not whole");
	memset(&second, 0, sizeof(second));
	second.registry = ctx->session->identity.open->registry_id.data;
	second.method = a->method;
	second.requester = a->requester;
	second.request_key = a->request_key.data;
	second.request.data = a->request.data;
	second.request.len = a->request.len;
	second.target_version = a->target_version.data;
	cdop_second_hash(hash, &second);
	cdop__approve_request__init(&request);
	request.number = a->number;
	request.hash.data = hash;
	request.hash.len = sizeof(hash);
	request.approve = approve;
	if (cmd_value(ctx, "--reason") != NULL)
		request.reason =
		    cdop_arena_strdup(ctx->arena, cmd_value(ctx, "--reason"));
	code = call_approve(ctx, &request, &reply);
	if (code != EXIT_OK && reply != NULL && reply->has_voided &&
	    reply->voided)
		return is_void(ctx, a, code);
	if (code != EXIT_OK)
		return code;
	if (!ctx->g.json) {
		print_mode(ctx);
		print_out(ctx, "%s",
		    reply->applied ? "Approved and done."
				   : "Declined; it is gone.");
		return EXIT_OK;
	}
	object = print_envelope(ctx, "approve", true);
	(void)json_object_set_new(
	    object, "applied", json_boolean(reply->applied));
	print_json(object);
	return EXIT_OK;
}

static enum exit_code
confirm(struct cmd_ctx *ctx, const Cdop__Approval *a, bool approve)
{
	const char *given = cmd_value(ctx, "--confirm");
	enum exit_code code;
	bool yes;

	if (given != NULL) {
		if (strcasecmp(given, number_of(ctx, a)) == 0)
			return EXIT_OK;
		return cmd_fail(ctx, EXIT_STOPPED, NULL, NULL,
		    "--confirm names another number: nothing was done");
	}
	if (approve && !a->you_may) /* nobody is asked for a vain yes */
		return cmd_fail(ctx, EXIT_FORBIDDEN, NULL,
		    "another person, in a role that may: cdop approve",
		    "it is not yours to approve");
	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, "your yes", "--confirm NUMBER");
	code = prompt_yes(ctx,
	    approve ? "Approve exactly this" : "Decline this", false, &yes);
	if (code == EXIT_OK && !yes)
		code = EXIT_STOPPED;
	return code;
}

static enum exit_code
run_approve(struct cmd_ctx *ctx)
{
	bool approve = !cmd_flag(ctx, "--decline");
	const Cdop__Approval *a = NULL;
	enum exit_code code;

	if (ctx->n_pos == 0 &&
	    (!approve || cmd_flag(ctx, "--reason") ||
		cmd_flag(ctx, "--confirm")))
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop approve lists them",
		    "say the NUMBER of what is approved or declined");
	if (ctx->n_pos == 0)
		return list_all(ctx);
	if ((code = find(ctx, ctx->pos[0], &a)) != EXIT_OK)
		return code;
	if (!ctx->g.json)
		show(ctx, a);
	if ((code = confirm(ctx, a, approve)) != EXIT_OK)
		return code;
	return send(ctx, a, approve);
}

static const struct cmd_opt approve_opts[] = {
    {"--decline", NULL, "refuse it; it is gone then", false},
    {"--reason", "TEXT", "why; not with the approval of an erasure", false},
    {"--confirm", "NUMBER", "the number again, instead of a yes", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_approve_rows[] = {
    {"approve", "[NUMBER]", "list what waits for a second person; approve it",
	"What is approved is the hash of exactly the request that was shown.",
	"  cdop approve\n  cdop approve 0123456789abcdef", approve_opts, 0, 1,
	0, NULL, run_approve},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
