/*
 * A call from its bytes to its reply: the steps of dispatch_call(), in
 * order.  What a call may do stands in its policy line (table.c), what it
 * does in its handler; this file holds the rules that are the same for all.
 */
#include "server/rpc/dispatch.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/role.h"
#include "cdop/scan.h"
#include "cdop/text.h"
#include "server/registry/actor.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/rpc/answer.h"
#include "server/rpc/tidy.h"

/* A call that may be worked on while the disk is full, envelope and all. */
#define FULL_REQUEST_MAX 16384

/* ---- 1: the envelope --------------------------------------------------- */

static enum cdop_err
unpack(struct work *work, const ProtobufCMessageDescriptor *desc,
    struct cdop_bytes in, const char *what, void **ret_message)
{
	struct cdop_scan_fault fault;
	ProtobufCMessage *message;

	if (cdop_scan_message(desc, in, CDOP_SCAN_STRICT, &fault) != CDOP_OK) {
		rpc_violation(&work->ctx, fault.path, fault.rule,
		    CDOP__SEVERITY__ERROR, "not as PROTOCOL.md has it");
		return rpc_fail(&work->ctx, CDOP_INVALID_ARGUMENT, what,
		    "the message does not follow the protocol");
	}
	message = protobuf_c_message_unpack(
	    desc, cdop_arena_allocator(work->arena), in.len, in.data);
	if (message == NULL)
		return rpc_fail(&work->ctx, CDOP_RESOURCE_EXHAUSTED,
		    "too_large", "the message takes too much memory");
	*ret_message = message;
	return CDOP_OK;
}

/* It goes into a row of the log, whatever becomes of the call. */
static enum cdop_err
open_purpose_text(struct work *work)
{
	struct rpc_ctx *ctx = &work->ctx;
	enum cdop_text_fault fault;
	const char *text;
	enum cdop_err err;

	if (cdop_text_length(work->call->purpose_text) > CDOP_REASON_MAX)
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "purpose_text_long",
		    "a purpose is said in at most 500 characters");
	err = cdop_text_clean(work->call->purpose_text, CDOP_TEXT_LINE,
	    work->arena, &text, &fault);
	if (err == CDOP_INVALID_ARGUMENT)
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT,
		    "purpose_text_control", "a purpose is one line of text");
	if (err == CDOP_OK)
		ctx->purpose_text = text;
	return err;
}

static enum cdop_err
open_envelope(struct work *work)
{
	struct rpc_ctx *ctx = &work->ctx;
	enum cdop_err err;
	void *call;

	err = unpack(work, &cdop__call__descriptor, work->request->message,
	    "bad_envelope", &call);
	if (err != CDOP_OK) {
		/* No id to answer to: nothing more to say on this session. */
		work->close = true;
		return err;
	}
	work->call = call;
	/* The leaf of a refusal says of what, whatever it is refused for. */
	ctx->method = rpc_method_find(work->call->method);
	if (work->call->has_body) {
		ctx->request.data = work->call->body.data;
		ctx->request.len = work->call->body.len;
	}
	if (work->call->has_use)
		ctx->use = work->call->use;
	if (work->call->purpose_text != NULL &&
	    (err = open_purpose_text(work)) != CDOP_OK)
		return err;
	if (!work->call->has_request_key)
		return CDOP_OK;
	if (work->call->request_key.len != CDOP_REQUEST_KEY_LEN)
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_request_key",
		    "a request key has 16 bytes");
	ctx->request_key = work->call->request_key.data;
	return CDOP_OK;
}

/* ---- 2: policy --------------------------------------------------------- */

/* Which role the call is made in; the policy line decides which may. */
static enum cdop_err
choose_role(struct work *work)
{
	uint32_t may;
	uint32_t named;

	may = work->actor.roles & work->ctx.method->roles;
	if (may == 0)
		return rpc_fail(&work->ctx, CDOP_PERMISSION_DENIED, "role",
		    "your role may not do this");
	named = may & ~(CDOP_ROLE_ANY | CDOP_ROLE_PENDING | CDOP_ROLE_INVITED);
	if (work->call->has_role) {
		/* Where anybody may, the word only says as whom. */
		if ((may & CDOP_ROLE_ANY) != 0)
			named |= work->actor.roles;
		named &= 1u << (uint32_t)work->call->role;
		if (named == 0)
			return rpc_fail(&work->ctx, CDOP_PERMISSION_DENIED,
			    "role", "you do not have that role for this call");
	}
	if ((named & (named - 1)) != 0)
		return rpc_fail(&work->ctx, CDOP_INVALID_ARGUMENT,
		    "role_needed", "say in which of your roles");
	work->actor.role = named != 0 ? named : may;
	return CDOP_OK;
}

static enum cdop_err
check_purpose(struct work *work)
{
	const char *code = work->call->purpose;
	const char *text = work->ctx.purpose_text;
	const struct cdop_code *purpose;
	int32_t day = (int32_t)(work->request->now_ms / 86400000u);

	if (code == NULL && work->ctx.method->purpose)
		return rpc_fail(&work->ctx, CDOP_INVALID_ARGUMENT,
		    "purpose_needed",
		    "say what it is for: a code of the profile's purposes");
	if (code == NULL)
		return CDOP_OK;
	purpose = cdop_profile_purpose(work->reg->profile, code, day);
	if (purpose == NULL)
		return rpc_fail(&work->ctx, CDOP_INVALID_ARGUMENT,
		    "purpose_unknown",
		    "not a purpose of this registry's profile");
	if ((purpose->flags & CDOP_CODE_NEEDS_TEXT) != 0 &&
	    (text == NULL || *text == '\0'))
		return rpc_fail(&work->ctx, CDOP_INVALID_ARGUMENT,
		    "purpose_text_needed", "this purpose is said in words too");
	work->ctx.purpose = code;
	return CDOP_OK;
}

/* Why it is not served now. */
static const char *
state_words(uint32_t state)
{
	if (state == CDOP_STATE_SETUP)
		return "the registry is in setup: it takes cases once two "
		       "administrators are active";
	if (state == CDOP_STATE_RESTORED)
		return "the registry was restored: it serves again once two "
		       "administrators have accepted that (cdop restore "
		       "accept)";
	return "the registry is open: this is for one that is in setup or was "
	       "restored";
}

/*
 * On a full disk the reserve is for the log, and for who may come in: no case
 * work, reading neither, and nothing large (TRUST M16).
 */
enum cdop_err
dispatch_check_room(
    struct rpc_ctx *ctx, const struct rpc_method *method, size_t len)
{
	if (ctx->reg->room == REGISTRY_ROOM ||
	    (method->scope != CDOP_SCOPE_AREA &&
		method->scope != CDOP_SCOPE_ASK && len <= FULL_REQUEST_MAX))
		return CDOP_OK;
	return rpc_fail(ctx, CDOP_RESOURCE_EXHAUSTED, "disk_full",
	    "the server's disk is full: nothing was applied, and what is on "
	    "the disk is not touched");
}

static enum cdop_err
check_policy(struct work *work)
{
	const struct dispatch_request *request = work->request;
	struct rpc_ctx *ctx = &work->ctx;
	uint64_t deadline_ms;
	enum cdop_err err;

	if (ctx->method == NULL)
		return rpc_fail(ctx, CDOP_UNIMPLEMENTED, "no_such_call",
		    "this registry does not have that call");
	if (work->actor.roles == 0) {
		work->close = true;
		return rpc_fail(ctx, CDOP_UNAUTHENTICATED, "ended",
		    "this device is not active any more");
	}
	if ((ctx->method->states & work->reg->state) == 0)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "state",
		    state_words(work->reg->state));
	if ((err = choose_role(work)) != CDOP_OK)
		return err;
	if ((err = check_purpose(work)) != CDOP_OK)
		return err;
	if (ctx->method->use && !work->call->has_use)
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "use_needed",
		    "say where the answer goes: screen, print, file or "
		    "program");
	if (request->expired_session)
		return rpc_fail(ctx, CDOP_UNAUTHENTICATED, "session_expired",
		    "this session is over an hour old: connect again");
	deadline_ms = work->call->has_deadline_ms ? work->call->deadline_ms
						  : CDOP_DEADLINE_MS_MAX;
	if (deadline_ms > CDOP_DEADLINE_MS_MAX)
		deadline_ms = CDOP_DEADLINE_MS_MAX;
	if (request->boot_ms - request->arrived_ms > deadline_ms)
		return rpc_fail(ctx, CDOP_DEADLINE_EXCEEDED, "deadline",
		    "not begun in time and not applied");
	return dispatch_check_room(ctx, ctx->method, request->message.len);
}

/* ---- 3: the request key (TRUST M8, M12) -------------------------------- */

static enum cdop_err
check_key_age(struct work *work)
{
	const uint8_t *key = work->ctx.request_key;
	uint64_t now_ms = work->request->now_ms;
	uint64_t key_ms;

	key_ms = (uint64_t)cdop_get32(key) << 16 | cdop_get16(key + 4);
	if (key_ms > now_ms + CDOP_REQUEST_KEY_AHEAD_S * 1000ull)
		return rpc_fail(&work->ctx, CDOP_FAILED_PRECONDITION,
		    "request_key_ahead",
		    "the request is dated over a day ahead: set the clock of "
		    "this computer");
	if (key_ms + CDOP_REQUEST_KEY_DAYS * 86400000ull < now_ms)
		return rpc_fail(&work->ctx, CDOP_FAILED_PRECONDITION,
		    "request_key_old",
		    "the request is over 30 days old and was not applied now: "
		    "look whether it arrived then");
	return CDOP_OK;
}

static enum cdop_err
check_key(struct work *work)
{
	struct rpc_ctx *ctx = &work->ctx;
	const Cdop__StoredOutcome *stored;
	uint8_t hash[32];
	enum cdop_err err;

	/* What one does to one's own device is repeatable by its nature. */
	if (ctx->method->txn != CDOP_TXN_WRITE ||
	    ctx->method->scope == CDOP_SCOPE_SELF)
		return CDOP_OK;
	if (ctx->request_key == NULL)
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT,
		    "request_key_needed", "a change carries a request key");
	if ((err = check_key_age(work)) != CDOP_OK)
		return err;
	err = audit_outcome(work->reg->audit, work->actor.person,
	    ctx->request_key, work->arena, &stored);
	if (err != CDOP_OK || stored == NULL)
		return err;
	audit_request_hash(hash, ctx->method->id, ctx->request);
	if (stored->request_hash.len != sizeof(hash) ||
	    memcmp(stored->request_hash.data, hash, sizeof(hash)) != 0)
		return rpc_fail(ctx, CDOP_ALREADY_EXISTS, "request_key_reused",
		    "this request key was used for something else");
	ctx->replay = stored;
	return CDOP_OK;
}

/* ---- 4: body and handler ----------------------------------------------- */

static enum cdop_err
open_body(struct work *work)
{
	const struct rpc_method *method = work->ctx.method;
	enum cdop_err err;

	work->rep =
	    cdop_arena_alloc(work->arena, method->reply->sizeof_message);
	if (work->rep == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	method->reply_init(work->rep);
	err = unpack(work, method->request, work->ctx.request, "bad_request",
	    &work->req);
	/* People have a rule of their own, and words for what breaks it. */
	if (err != CDOP_OK || method->scope == CDOP_SCOPE_PEOPLE)
		return err;
	return tidy_request(&work->ctx, work->req);
}

/* A change has to say what it changed, or it is not made. */
static bool
names_its_subject(const struct rpc_ctx *ctx)
{
	if (!ctx->applied)
		return true;
	switch ((enum cdop_scope)ctx->method->scope) {
	case CDOP_SCOPE_AREA:
	case CDOP_SCOPE_ASK:
		return ctx->n_released > 0;
	case CDOP_SCOPE_PEOPLE:
		return ctx->subject_person != 0;
	case CDOP_SCOPE_NONE:
	case CDOP_SCOPE_SELF:
	case CDOP_SCOPE_REGISTRY:
	case CDOP_SCOPE_LOG:
		break;
	}
	return true;
}

static enum cdop_err
check_subject(struct rpc_ctx *ctx)
{
	if (names_its_subject(ctx))
		return CDOP_OK;
	return rpc_fail(ctx, CDOP_INTERNAL, "no_subject",
	    "a change did not say what it changed");
}

/* Checked in full; now it waits for another person (TRUST M13). */
static enum cdop_err
file_for_second(struct work *work)
{
	struct rpc_ctx *ctx = &work->ctx;
	struct approval_ask ask = {
	    .method = ctx->method->id,
	    .actor = &work->actor,
	    .request_key = ctx->request_key,
	    .request = ctx->request,
	    .target_version = ctx->target_version,
	    .words = ctx->words,
	    .n_words = ctx->n_words,
	    .purpose = ctx->purpose,
	    .now_ms = ctx->now_ms,
	    .ttl_s = ctx->method->ttl_s,
	};
	enum cdop_err err;

	if (ctx->replay != NULL) {
		if (ctx->replay->has_approval &&
		    ctx->replay->approval.len == sizeof(work->approval)) {
			memcpy(work->approval, ctx->replay->approval.data,
			    sizeof(work->approval));
			/* Decided by now: the handler has said how it is. */
			work->filed = approvals_find(work->reg->approvals,
					  work->approval, ctx->now_ms) != NULL;
		}
		return CDOP_OK;
	}
	err = approvals_file(
	    work->reg->approvals, work->arena, &ask, work->approval);
	if (err == CDOP_FAILED_PRECONDITION)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION,
		    "too_many_waiting",
		    "too many acts wait for their second person: have some of "
		    "them decided, or take one back");
	if (err == CDOP_ALREADY_EXISTS)
		return rpc_fail(ctx, CDOP_ALREADY_EXISTS, "request_key_reused",
		    "this request key was used for something else");
	if (err != CDOP_OK)
		return err;
	work->filed = true;
	ctx->applied = true;
	return CDOP_OK;
}

/* The log gets a budget of its own: it would be written, with a gap. */
static enum cdop_err
check_told(struct rpc_ctx *ctx, enum cdop_err err)
{
	if (!ctx->lost || (err != CDOP_OK && !ctx->with_reply))
		return err;
	ctx->with_reply = false;
	ctx->n_released = 0;
	ctx->reason = NULL;
	return CDOP_RESOURCE_EXHAUSTED;
}

static enum cdop_err
run_handler(struct work *work)
{
	struct rpc_ctx *ctx = &work->ctx;
	enum cdop_err err;

	ctx->apply = ctx->method->second == 0;
	err = ctx->method->handler(ctx, work->req, work->rep);
	if ((err = check_told(ctx, err)) != CDOP_OK)
		return err;
	if (ctx->method->second != 0)
		return file_for_second(work);
	return check_subject(ctx);
}

/* ---- the steps together ------------------------------------------------ */

static void
work_init(struct work *work, struct registry *reg, struct cdop_arena *arena,
    const struct dispatch_request *request)
{
	const struct dispatch_peer *peer = request->peer;
	struct rpc_ctx *ctx = &work->ctx;

	/* It is zero: it has just come out of the arena. */
	work->reg = reg;
	work->arena = arena;
	work->request = request;
	ctx->reg = reg;
	ctx->arena = arena;
	ctx->actor = &work->actor;
	ctx->now_ms = request->now_ms;
	ctx->stream = request->stream;
	if (peer->device != 0) {
		people_actor(
		    reg->people, peer->device, request->now_ms, &work->actor);
	} else {
		work->actor.roles = CDOP_ROLE_INVITED;
		memcpy(work->actor.invitation, peer->invitation,
		    sizeof(work->actor.invitation));
		/* Not a device yet, and its leaf names the key all the same. */
		people_fingerprint(work->actor.fingerprint, peer->public_key);
	}
	memcpy(work->actor.public_key, peer->public_key,
	    sizeof(work->actor.public_key));
	memcpy(work->actor.handshake, peer->handshake,
	    sizeof(work->actor.handshake));
	memcpy(work->actor.psk_id, peer->psk_id, sizeof(work->actor.psk_id));
	memcpy(work->actor.session, peer->session, sizeof(work->actor.session));
}

enum cdop_err
dispatch_call(struct registry *reg, struct cdop_arena *arena,
    const struct dispatch_request *request, struct dispatch_result *ret_result)
{
	struct work *work;
	enum cdop_err err;
	uint64_t mark;

	work = cdop_arena_alloc(arena, sizeof(*work));
	if (work == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	work_init(work, reg, arena, request);
	err = open_envelope(work);
	if (err == CDOP_OK)
		err = check_policy(work);
	if (err == CDOP_OK)
		err = check_key(work);
	if (err == CDOP_OK)
		err = open_body(work);
	if (err == CDOP_OK) {
		mark = rpc_touched(reg);
		err = run_handler(work);
		/* Half a change cannot be taken back alone. */
		if (err != CDOP_OK && !work->ctx.kept &&
		    rpc_touched(reg) != mark)
			return err;
	}
	if (err == CDOP_RESOURCE_EXHAUSTED && work->ctx.reason == NULL)
		err = rpc_fail(&work->ctx, err, "too_large",
		    "it takes too much memory: do less at a time");
	return answer_work(work, err, ret_result);
}

enum cdop_err
dispatch_refuse(struct registry *reg, struct cdop_arena *arena,
    const struct dispatch_request *request, enum cdop_err status,
    struct dispatch_result *ret_result)
{
	struct work *work;

	work = cdop_arena_alloc(arena, sizeof(*work));
	if (work == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	work_init(work, reg, arena, request);
	(void)open_envelope(work);
	work->ctx.reason =
	    status == CDOP_RESOURCE_EXHAUSTED ? "no_room" : "failed";
	work->ctx.message = "it was not applied";
	return answer_work(work, status, ret_result);
}

enum cdop_err
dispatch_run_approved(struct rpc_ctx *outer, const struct rpc_method *method,
    const struct actor *requester, struct cdop_bytes request,
    const uint8_t *request_key, const uint8_t expected_target[static 32],
    struct cdop_bytes *ret_reply)
{
	struct work *work;
	struct rpc_ctx *ctx;
	uint8_t *data;
	enum cdop_err err;

	work = cdop_arena_alloc(outer->arena, sizeof(*work));
	if (work == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	work->reg = outer->reg;
	work->arena = outer->arena;
	work->actor = *requester;
	ctx = &work->ctx;
	*ctx = *outer;
	ctx->actor = &work->actor;
	ctx->method = method;
	ctx->request = request;
	ctx->request_key = request_key;
	ctx->replay = NULL;
	ctx->apply = true;
	ctx->n_words = 0;
	ctx->second_person = outer->actor->person;
	memcpy(ctx->target_version, expected_target, 32);
	if ((err = open_body(work)) != CDOP_OK)
		return err;
	err = method->handler(ctx, work->req, work->rep);
	err = check_told(ctx, err);
	if (err == CDOP_OK && ctx->target_changed)
		err = rpc_fail(ctx, CDOP_ABORTED, "target_changed",
		    "it is not what it was when this was asked");
	/* What the act said about itself stands in the approver's leaf. */
	outer->reason = ctx->reason;
	outer->message = ctx->message;
	outer->subject_person = ctx->subject_person;
	outer->second_person = requester->person;
	outer->digest = ctx->digest;
	outer->count = ctx->count;
	memcpy(outer->released, ctx->released, sizeof(ctx->released));
	outer->n_released = ctx->n_released;
	memcpy(outer->violations, ctx->violations, sizeof(ctx->violations));
	outer->n_violations = ctx->n_violations;
	outer->end_person = ctx->end_person;
	outer->end_device = ctx->end_device;
	if (err != CDOP_OK)
		return err;
	if ((err = check_subject(ctx)) != CDOP_OK)
		return err;
	data = cdop_arena_alloc(
	    outer->arena, protobuf_c_message_get_packed_size(work->rep));
	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_reply->len = protobuf_c_message_pack(work->rep, data);
	ret_reply->data = data;
	return CDOP_OK;
}
