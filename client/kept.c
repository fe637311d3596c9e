/* Kept changes: their words, and what becomes of them. */
#include "client/kept.h"

#include <string.h>
#include <time.h>

#include "client/call.h"
#include "client/print.h"

#define DIGITS_MIN 6

const char *
kept_name(struct cmd_ctx *ctx, const Cdop__ClientRequest *r)
{
	struct cdop_bytes key = {r->request_key.data, KEPT_DIGITS / 2};

	return print_hex(ctx->arena, key);
}

/* Its field "reference", where it has one. */
static const char *
reference_of(struct cmd_ctx *ctx, const Cdop__ClientRequest *r)
{
	const struct call_method *method = call_method(r->method);
	const ProtobufCFieldDescriptor *field;
	ProtobufCMessage *m;
	const char *reference;

	if (method == NULL)
		return NULL;
	field = protobuf_c_message_descriptor_get_field_by_name(
	    method->request, "reference");
	if (field == NULL || field->type != PROTOBUF_C_TYPE_STRING ||
	    field->label == PROTOBUF_C_LABEL_REPEATED)
		return NULL;
	m = protobuf_c_message_unpack(method->request,
	    cdop_arena_allocator(ctx->arena), r->body.len, r->body.data);
	if (m == NULL)
		return NULL;
	memcpy(&reference, (const char *)m + field->offset, sizeof(reference));
	return reference;
}

const char *
kept_words(struct cmd_ctx *ctx, const Cdop__ClientRequest *r)
{
	const char *reference = reference_of(ctx, r);

	if (reference == NULL)
		return r->words;
	return cdop_arena_printf(ctx->arena, "%s %s", r->words, reference);
}

enum exit_code
kept_find(
    struct cmd_ctx *ctx, const char *digits, Cdop__ClientRequest **ret_request)
{
	struct spool_list list = {NULL, 0};
	size_t len = strlen(digits), i, n = 0, at = 0;
	enum exit_code code;

	if (len < DIGITS_MIN || strspn(digits, "0123456789abcdef") != len)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop retry --list",
		    "a kept request is named by the first digits of its key");
	if ((code = spool_requests(ctx, &list)) != EXIT_OK)
		return code;
	for (i = 0; i < list.n; i++)
		if (strncmp(strrchr(list.path[i], '/') + 1, digits, len) == 0) {
			at = i;
			n++;
		}
	if (n > 1)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "give more digits: cdop retry --list --json has them all",
		    "several requests begin like that");
	if (n == 0)
		return cmd_fail(ctx, EXIT_NOT_FOUND, NULL, "cdop retry --list",
		    "no request of that name is kept on this computer");
	return spool_get(ctx, list.path[at], ret_request);
}

bool
kept_is_open(const struct cmd_ctx *ctx, enum exit_code code)
{
	static const char *const later[] = {"no_room", "deadline", "miss_limit",
	    "failed", "state", "busy", "disk_full"};
	const char *reason = ctx->error.reason;
	size_t i;

	switch ((int)code) {
	case EXIT_OUTCOME:
	case EXIT_SEALED:
	case EXIT_AUTH:
	case EXIT_INTEGRITY:
	case EXIT_UNEXPECTED:
	case EXIT_VERSION:
	case EXIT_STOPPED:
		return true;
	default:
		break;
	}
	if (reason == NULL)
		return code == EXIT_UNREACHABLE;
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (strcmp(reason, later[i]) == 0)
			return true;
	return false;
}

/* ---- what the answer means --------------------------------------- */

/* A notification that was refused, so that the question can be answered. */
static bool
make_draft(struct cmd_ctx *ctx, const Cdop__ClientRequest *r)
{
	Cdop__NotificationRegisterRequest *request;
	Cdop__ClientDraft draft;
	unsigned number = 0;

	if (r->method != CDOP_CALL_NotificationRegister)
		return false;
	request = cdop__notification_register_request__unpack(
	    cdop_arena_allocator(ctx->arena), r->body.len, r->body.data);
	if (request == NULL || request->form == NULL)
		return false;
	cdop__client_draft__init(&draft);
	draft.form = request->form;
	draft.override = request->override;
	draft.n_override = request->n_override;
	draft.at_ms = r->at_ms;
	draft.request_key = r->request_key;
	draft.source = request->source;
	draft.form_kind = request->form_kind;
	draft.owner_area = request->owner_area;
	draft.owner_reason = request->owner_reason;
	draft.decision = request->decision;
	draft.n_decision = request->n_decision;
	if (spool_put_draft(ctx, &draft, &number, NULL) != EXIT_OK)
		return false;
	print_note(
	    ctx, "kept as draft %u: cdop notify --resume %u", number, number);
	return true;
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
		    spool_is_same(draft->request_key.data, r->request_key.data))
			spool_drop_draft(ctx, spool_draft_number(list.path[i]));
}

/* It stays as it was typed, and is not sent by itself any more. */
static void
mark(struct cmd_ctx *ctx, Cdop__ClientRequest *r, enum exit_code code)
{
	const char *words = ctx->error.message;

	r->has_refused_ms = true;
	r->refused_ms = (uint64_t)time(NULL) * 1000;
	r->has_refused_exit = true;
	r->refused_exit = (uint32_t)code;
	r->refused_words = cdop_arena_strdup(
	    ctx->arena, words != NULL ? words : exit_words((unsigned)code));
	if (spool_put(ctx, r) == EXIT_OK)
		print_note(ctx, "kept: cdop retry --again %s, or --drop %s",
		    kept_name(ctx, r), kept_name(ctx, r));
}

void
kept_settle(struct cmd_ctx *ctx, Cdop__ClientRequest *r, enum exit_code code)
{
	struct cmd_error error = ctx->error;

	if (kept_is_open(ctx, code))
		return;
	if (code == EXIT_OK || code == EXIT_SECOND ||
	    r->method == CDOP_CALL_NotificationRegister)
		drop_draft(ctx, r);
	if (code == EXIT_OK)
		spool_applied(ctx, r->request_key.data);
	else if (code == EXIT_SECOND || make_draft(ctx, r))
		spool_drop(ctx, r->request_key.data);
	else
		mark(ctx, r, code);
	ctx->error = error;
}
