/* From a request message to its answer, over the session. */
#include "client/call.h"

#include <string.h>
#include <time.h>

#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/scan.h"
#include "client/answered.h"
#include "client/print.h"
#include "client/purpose.h"
#include "client/receipt.h"
#include "client/seen.h"
#include "client/session.h"
#include "client/spool.h"
#include "client/term.h"

#define OPENS_MS 900000 /* as long as the daemon has for it */

#define GRACE_MS 2000 /* beyond the deadline that the registry keeps */

static const struct call_method methods[] = {
#define RPC(Name, name, Req, Rep, req, rep, id, roles, scope, states, purpose, \
    txn, audit, second, ttl, use)                                              \
	{#Name, (id), (purpose), (use), (txn) == CDOP_TXN_WRITE,               \
	    ((states)&CDOP_STATE_RESTORED) != 0, &req##__descriptor,           \
	    &rep##__descriptor},
#include "rpc_table.inc"
#undef RPC
};

const struct call_method *
call_method(uint32_t id)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].id == id)
			return &methods[i];
	return NULL;
}

static enum exit_code
pack(struct cmd_ctx *ctx, const ProtobufCMessage *m, struct cdop_bytes *ret)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *out = cdop_arena_alloc(ctx->arena, len);

	if (out == NULL)
		return cmd_no_memory(ctx);
	if (len > CDOP_MESSAGE_MAX - 1024)
		return cmd_fail(ctx, EXIT_INVALID, NULL, NULL,
		    "this is too much for one request");
	ret->len = protobuf_c_message_pack(m, out);
	ret->data = out;
	return EXIT_OK;
}

enum exit_code
call_prepare(struct cmd_ctx *ctx, struct call_send *send)
{
	enum exit_code code;

	if (send->role == 0 && ctx->g.as != NULL) {
		code = purpose_role(ctx, ctx->g.as, &send->role);
		if (code != EXIT_OK)
			return code;
	}
	if (!send->method->purpose || send->purpose != NULL)
		return EXIT_OK;
	return purpose_choose(ctx, &send->purpose, &send->purpose_text);
}

enum conn_end
call_begin(struct cmd_ctx *ctx, struct call_send *send)
{
	struct cdop_bytes packed;
	Cdop__Call call;

	if (ctx->session->welcome->state == CDOP__STATE__RESTORED &&
	    !send->method->restored)
		return CONN_UNSEEN;
	cdop__call__init(&call);
	call.id = ctx->session->next_id++;
	call.method = send->method->id;
	if (send->request_key != NULL) {
		call.has_request_key = true;
		call.request_key.len = CDOP_REQUEST_KEY_LEN;
		/* Read only: it is packed and forgotten. */
		memcpy(&call.request_key.data, &send->request_key,
		    sizeof(call.request_key.data));
	}
	call.has_deadline_ms = true;
	call.deadline_ms = ctx->g.timeout_ms;
	memcpy(&call.purpose, &send->purpose, sizeof(call.purpose));
	memcpy(
	    &call.purpose_text, &send->purpose_text, sizeof(call.purpose_text));
	call.has_use = send->method->use;
	call.use = purpose_use(ctx);
	call.has_role = send->role != 0;
	call.role = send->role != 0 ? send->role : CDOP__ROLE__COORDINATOR;
	call.has_receipt = receipt_is_wanted(ctx, send);
	call.receipt = call.has_receipt;
	call.has_body = true;
	call.body.len = send->body.len;
	memcpy(&call.body.data, &send->body.data, sizeof(call.body.data));
	if (pack(ctx, &call.base, &packed) != EXIT_OK)
		return CONN_MEMORY;
	send->id = call.id;
	ctx->session->used_ms = conn_now_ms();
	ctx->request = call.id;
	return conn_send(ctx->session->conn, packed);
}

enum conn_end
call_next(struct cmd_ctx *ctx, uint64_t deadline_ms, Cdop__Reply **ret_reply)
{
	struct cdop_bytes message;
	enum conn_end end;

	end = conn_next(ctx->session->conn, deadline_ms, &message);
	if (end != CONN_OK)
		return end;
	*ret_reply = NULL;
	if (cdop_scan_message(&cdop__reply__descriptor, message,
		CDOP_SCAN_LENIENT, NULL) == CDOP_OK)
		*ret_reply =
		    cdop__reply__unpack(cdop_arena_allocator(ctx->arena),
			message.len, message.data);
	conn_done(ctx->session->conn);
	return *ret_reply != NULL ? CONN_OK : CONN_BROKEN;
}

ProtobufCMessage *
call_body(struct cmd_ctx *ctx, const struct call_method *method,
    const Cdop__Reply *reply)
{
	struct cdop_bytes body = {reply->body.data, reply->body.len};

	if (!reply->has_body ||
	    cdop_scan_message(method->reply, body, CDOP_SCAN_LENIENT, NULL) !=
		CDOP_OK)
		return NULL;
	return protobuf_c_message_unpack(method->reply,
	    cdop_arena_allocator(ctx->arena), body.len, body.data);
}

static void
take_findings(struct cmd_ctx *ctx, const Cdop__Reply *reply)
{
	struct cmd_finding *list;
	const Cdop__Violation *v;
	size_t i;

	list = cdop_arena_calloc(
	    ctx->arena, reply->n_violation + 1, sizeof(*list));
	if (list == NULL)
		return;
	for (i = 0; i < reply->n_violation; i++) {
		v = reply->violation[i];
		list[i].path = v->path != NULL ? v->path : "";
		list[i].rule = v->rule;
		list[i].message = v->message != NULL ? v->message : "";
		list[i].warning = v->severity == CDOP__SEVERITY__WARNING;
	}
	ctx->error.finding = list;
	ctx->error.n_findings = reply->n_violation;
}

/* Where what was named wrongly, or is not allowed, is to be looked up. */
static const struct {
	const char *reason, *next;
} lists[] = {
    {"area_unknown", "cdop profile show"},
    {"no_next_key", "cdop key rotate --link --reason TEXT"},
    {"no_rotation", "cdop key status"},
    {"no_such_backup", "cdop backup list"},
    {"no_such_case", "is every letter of the reference right?"},
    {"no_such_certificate", "cdop certificate list"},
    {"no_such_device", "cdop people list"},
    {"no_such_invitation", "cdop people list"},
    {"no_such_notification", "cdop case show REF --notifications"},
    {"no_such_person", "cdop people list --all"},
    {"no_such_slot", "cdop custodian list"},
    {"no_such_version", "cdop case history REF"},
    {"not_suspended", "cdop people list"},
    {"owner.unknown", "cdop profile show"},
    {"person.unknown", CALL_COLLEAGUES},
    {"role", "cdop whoami"},
    {"role_needed", "--as ROLE: cdop whoami shows yours"},
    {"state", "cdop status"},
};

static const char *
where_listed(const char *reason)
{
	size_t i;

	for (i = 0; reason != NULL && i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i].reason, reason) == 0)
			return lists[i].next;
	return NULL;
}

static const char *
next_step(const Cdop__Reply *reply, enum exit_code code)
{
	const char *next = where_listed(reply->reason);

	if (next == NULL && reply->n_violation > 0)
		next = where_listed(reply->violation[0]->rule);
	if (next != NULL)
		return next;
	if (reply->status == CDOP_ABORTED)
		return "look again (cdop case show) and repeat";
	if (code == EXIT_VERSION)
		return "install the same release on both sides";
	return NULL;
}

/*
 * It took what we sent apart, and there is something in it that it does not
 * know: an older release, and no slip of the person's.
 */
static bool
is_older(const Cdop__Reply *reply)
{
	const char *rule =
	    reply->n_violation > 0 ? reply->violation[0]->rule : "";

	return reply->status == CDOP_INVALID_ARGUMENT &&
	    (strcmp(rule, "wire.unknown_field") == 0 ||
		strcmp(rule, "wire.enum") == 0);
}

enum exit_code
call_judge(struct cmd_ctx *ctx, const struct call_method *method,
    const Cdop__Reply *reply)
{
	enum exit_code code;
	const char *words;

	ctx->leaf = reply->has_leaf_index ? reply->leaf_index + 1 : 0;
	ctx->replayed = reply->has_replayed && reply->replayed;
	code = is_older(reply)
	    ? EXIT_VERSION
	    : exit_code_of(reply->status, reply->reason, method->change);
	if (reply->has_approval) {
		struct cdop_bytes n = {
		    reply->approval.data, reply->approval.len};

		return cmd_fail(ctx, EXIT_SECOND, "second_person",
		    "another person: cdop approve",
		    "filed as %s: it waits for a second person",
		    print_hex(ctx->arena, n));
	}
	if (code == EXIT_OK)
		return EXIT_OK;
	words = reply->message != NULL && reply->message[0] != '\0' &&
		code != EXIT_VERSION
	    ? reply->message
	    : exit_words((unsigned)code);
	(void)cmd_fail(
	    ctx, code, reply->reason, next_step(reply, code), "%s", words);
	ctx->error.leaf = ctx->leaf;
	take_findings(ctx, reply);
	return code;
}

enum exit_code
call_lost(
    struct cmd_ctx *ctx, const struct call_method *method, enum conn_end end)
{
	if (end == CONN_BROKEN)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		    method->change ? "cdop retry, when it is clear why" : NULL,
		    "what came back is not what the registry sends");
	if (end == CONN_MEMORY)
		return cmd_no_memory(ctx);
	if (end == CONN_UNSEEN)
		return cmd_fail(ctx,
		    exit_code_of(CDOP_FAILED_PRECONDITION, "state", false),
		    "state", "two administrators: cdop restore show",
		    "not sent: the registry says that it was restored, and "
		    "shows no log until that is accepted");
	if (method->change)
		return cmd_fail(ctx, EXIT_OUTCOME, NULL, "cdop retry",
		    "the connection ended before the answer: outcome "
		    "unknown, safe to retry");
	if (term_is_stopped())
		return EXIT_STOPPED;
	return cmd_fail(ctx, EXIT_UNREACHABLE, NULL,
	    "cdop status: it may be reading its cases",
	    "no answer from the registry in time");
}

uint64_t
call_patience_ms(const struct cmd_ctx *ctx, const struct call_method *method)
{
	if (method->id == CDOP_CALL_ShareSubmit && ctx->g.timeout == NULL)
		return OPENS_MS;
	return (uint64_t)ctx->g.timeout_ms + GRACE_MS;
}

/* The next answer to this call; others came to what was given up. */
static enum conn_end
next_of(struct cmd_ctx *ctx, const struct call_send *send, Cdop__Reply **ret)
{
	uint64_t by = conn_now_ms() + call_patience_ms(ctx, send->method);
	enum conn_end end;

	for (;;) {
		end = call_next(ctx, by, ret);
		if (end != CONN_OK || (*ret)->id == send->id)
			return end;
		/* Those to what was not asked come without an end. */
		if (conn_now_ms() >= by)
			return CONN_TIMEOUT;
	}
}

enum exit_code
call_raw(
    struct cmd_ctx *ctx, struct call_send *send, ProtobufCMessage **ret_message)
{
	Cdop__Reply *reply;
	enum conn_end end;
	enum exit_code code, taken;

	if ((end = call_begin(ctx, send)) != CONN_OK)
		return call_lost(ctx, send->method, end);
	if ((end = next_of(ctx, send, &reply)) != CONN_OK) {
		session_hang_up(ctx);
		return call_lost(ctx, send->method, end);
	}
	if (ret_message != NULL)
		*ret_message = call_body(ctx, send->method, reply);
	code = call_judge(ctx, send->method, reply);
	if (code != EXIT_OK && code != EXIT_SECOND) {
		receipt_of_refusal(ctx, send, reply);
		return code;
	}
	/* That it waits for a second person is a change, too. */
	taken = receipt_take(ctx, send, reply);
	return taken != EXIT_OK ? taken : code;
}

/* Outcomes after which there is nothing to send again. */
static bool
is_settled(enum exit_code code)
{
	return code != EXIT_OUTCOME && code != EXIT_INTEGRITY &&
	    code != EXIT_UNREACHABLE && code != EXIT_SEALED &&
	    code != EXIT_UNEXPECTED && code != EXIT_VERSION;
}

static enum exit_code
spool(struct cmd_ctx *ctx, const struct call_send *send, bool sent)
{
	Cdop__ClientRequest r;
	uint8_t key[CDOP_REQUEST_KEY_LEN];

	cdop__client_request__init(&r);
	memcpy(key, send->request_key, sizeof(key));
	r.method = send->method->id;
	r.request_key.data = key;
	r.request_key.len = sizeof(key);
	memcpy(&r.body.data, &send->body.data, sizeof(r.body.data));
	r.body.len = send->body.len;
	memcpy(&r.purpose, &send->purpose, sizeof(r.purpose));
	memcpy(&r.purpose_text, &send->purpose_text, sizeof(r.purpose_text));
	r.has_role = send->role != 0;
	r.role = send->role != 0 ? send->role : CDOP__ROLE__COORDINATOR;
	r.at_ms = (uint64_t)time(NULL) * 1000;
	memcpy(&r.words, &ctx->cmd->words, sizeof(r.words));
	r.has_sent = true;
	r.sent = sent;
	return spool_put(ctx, &r);
}

/* What waits under it has one date, whichever process gives it that. */
static enum exit_code
date_and_keep(struct cmd_ctx *ctx, const struct call_send *send, uint8_t *key)
{
	enum exit_code code;

	if ((code = session_hold(ctx)) != EXIT_OK)
		return code;
	if ((code = spool_date_key(ctx, key)) == EXIT_OK)
		code = spool(ctx, send, true);
	session_release(ctx);
	return code;
}

static enum exit_code
change(struct cmd_ctx *ctx, uint32_t method, const ProtobufCMessage *request,
    uint8_t *key, bool keep, ProtobufCMessage **ret_message)
{
	struct call_send send;
	enum exit_code code;

	memset(&send, 0, sizeof(send));
	send.method = call_method(method);
	send.request_key = key;
	send.dry = !keep;
	if ((code = session_open(ctx)) != EXIT_OK ||
	    (code = call_prepare(ctx, &send)) != EXIT_OK ||
	    (code = pack(ctx, request, &send.body)) != EXIT_OK)
		return code;
	code = keep ? date_and_keep(ctx, &send, key) : spool_date_key(ctx, key);
	if (code != EXIT_OK)
		return code;
	code = call_raw(ctx, &send, ret_message);
	/* Done, it says, and shows nothing of it: that is no answer. */
	if (code == EXIT_OK && *ret_message == NULL)
		code = call_lost(ctx, send.method, CONN_BROKEN);
	if (code == EXIT_OK)
		code = answered_about(ctx, request, *ret_message);
	if (!keep)
		return code;
	if (code == EXIT_OK) {
		spool_applied(ctx, key);
		seen_applied(ctx, method, send.body, *ret_message);
	} else if (is_settled(code)) {
		spool_drop(ctx, key);
	}
	return code;
}

enum exit_code
call_keep(struct cmd_ctx *ctx, uint32_t method, const ProtobufCMessage *request,
    const uint8_t *key)
{
	struct call_send send;
	enum exit_code code;

	memset(&send, 0, sizeof(send));
	send.method = call_method(method);
	send.request_key = key;
	if ((code = call_prepare(ctx, &send)) != EXIT_OK ||
	    (code = pack(ctx, request, &send.body)) != EXIT_OK)
		return code;
	return spool(ctx, &send, false);
}

enum exit_code
call_change(struct cmd_ctx *ctx, uint32_t method,
    const ProtobufCMessage *request, uint8_t *key,
    ProtobufCMessage **ret_message)
{
	return change(ctx, method, request, key, true, ret_message);
}

enum exit_code
call_dry(struct cmd_ctx *ctx, uint32_t method, const ProtobufCMessage *request,
    uint8_t *key, ProtobufCMessage **ret_message)
{
	return change(ctx, method, request, key, false, ret_message);
}

/* What every stub does. */
static enum exit_code
call_typed(struct cmd_ctx *ctx, uint32_t method,
    const ProtobufCMessage *request, ProtobufCMessage **ret_message)
{
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	struct call_send send;
	enum exit_code code;

	*ret_message = NULL;
	memset(&send, 0, sizeof(send));
	send.method = call_method(method);
	spool_new_key(ctx, key);
	/* These have their own way of being repeated. */
	if (send.method->change && method != CDOP_CALL_Enrol &&
	    method != CDOP_CALL_PskTurn)
		return call_change(ctx, method, request, key, ret_message);
	if (send.method->change)
		send.request_key = key;
	/* An enrolment speaks on the connection of its invitation. */
	if ((ctx->session == NULL || ctx->session->conn == NULL ||
		method != CDOP_CALL_Enrol) &&
	    (code = session_open(ctx)) != EXIT_OK)
		return code;
	if ((code = call_prepare(ctx, &send)) != EXIT_OK ||
	    (code = pack(ctx, request, &send.body)) != EXIT_OK)
		return code;
	code = call_raw(ctx, &send, ret_message);
	if (code == EXIT_OK && *ret_message == NULL)
		return call_lost(ctx, send.method, CONN_BROKEN);
	return code == EXIT_OK ? answered_about(ctx, request, *ret_message)
			       : code;
}

enum exit_code
call_stream_raw(
    struct cmd_ctx *ctx, struct call_send *send, call_part_fn *fn, void *arg)
{
	Cdop__Reply *reply = NULL;
	ProtobufCMessage *part;
	enum exit_code code;
	enum conn_end end;
	bool last, missing;
	uint32_t n = 0;

	end = call_begin(ctx, send);
	for (;;) {
		if (end == CONN_OK)
			end = next_of(ctx, send, &reply);
		if (end != CONN_OK) {
			session_hang_up(ctx);
			return call_lost(ctx, send->method, end);
		}
		code = call_judge(ctx, send->method, reply);
		if (code == EXIT_OK)
			code = receipt_take(ctx, send, reply);
		if (code != EXIT_OK)
			return code;
		part = call_body(ctx, send->method, reply);
		n += part != NULL;
		last = reply->last;
		missing = last && reply->has_count && reply->count != n;
		if (part != NULL && (code = fn(ctx, part, arg)) != EXIT_OK)
			return code;
		if (last)
			break;
	}
	if (missing)
		return call_lost(ctx, send->method, CONN_BROKEN);
	return EXIT_OK;
}

enum exit_code
call_stream(struct cmd_ctx *ctx, uint32_t method,
    const ProtobufCMessage *request, call_part_fn *fn, void *arg)
{
	struct call_send send;
	enum exit_code code;

	memset(&send, 0, sizeof(send));
	send.method = call_method(method);
	if ((code = session_open(ctx)) != EXIT_OK ||
	    (code = call_prepare(ctx, &send)) != EXIT_OK ||
	    (code = pack(ctx, request, &send.body)) != EXIT_OK)
		return code;
	return call_stream_raw(ctx, &send, fn, arg);
}

#define RPC(Name, name, Req, Rep, req, rep, id, ...)                           \
	enum exit_code call_##name(struct cmd_ctx *ctx,                        \
	    const Cdop__##Req *request, Cdop__##Rep **ret_reply)               \
	{                                                                      \
		ProtobufCMessage *message = NULL;                              \
		enum exit_code code;                                           \
                                                                               \
		code = call_typed(ctx, (id), &request->base, &message);        \
		*ret_reply = (Cdop__##Rep *)message;                           \
		return code;                                                   \
	}
#include "rpc_table.inc"
#undef RPC
