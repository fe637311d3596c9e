/* What came of a call: first in the log, then for the one who asked. */
#include "server/rpc/answer.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/reference.h"
#include "cdop/role.h"
#include "cdop/text.h"
#include "server/registry/audit.h"
#include "server/registry/registry.h"
#include "server/rpc/typed.h"

/* A message, without the envelope around it and a receipt behind it. */
#define BODY_MAX (CDOP_MESSAGE_MAX - 8192u)

/* ---- 5: leaf ----------------------------------------------------------- */

static const Cdop__StoredOutcome *
stored_outcome(struct work *work, uint8_t *hash)
{
	Cdop__StoredOutcome *out = &work->stored;
	const struct rpc_ctx *ctx = &work->ctx;

	if (!ctx->applied || ctx->request_key == NULL || ctx->replay != NULL)
		return NULL;
	cdop__stored_outcome__init(out);
	out->request_key = work->call->request_key;
	audit_request_hash(hash, ctx->method->id, ctx->request);
	out->request_hash.data = hash;
	out->request_hash.len = 32;
	if (ctx->out_reference != NULL)
		out->reference =
		    cdop_arena_strdup(work->arena, ctx->out_reference);
	out->has_version = ctx->out_version != 0;
	out->version = ctx->out_version;
	out->has_number = ctx->out_number != 0;
	out->number = ctx->out_number;
	if (ctx->out_extra_len > 0) {
		out->has_extra = true;
		out->extra.data = work->ctx.out_extra;
		out->extra.len = ctx->out_extra_len;
	}
	if (work->filed) {
		out->has_approval = true;
		out->approval.data = work->approval;
		out->approval.len = sizeof(work->approval);
	}
	return out;
}

/* A success that changed nothing does not look like the change. */
static const char *
leaf_reason(const struct work *work, enum cdop_err status)
{
	const struct rpc_ctx *ctx = &work->ctx;

	if (work->filed)
		return "second_person";
	if (ctx->log_reason != NULL)
		return ctx->log_reason;
	if (status != CDOP_OK || ctx->reason != NULL ||
	    ctx->method->txn != CDOP_TXN_WRITE)
		return ctx->reason;
	if (ctx->replay != NULL)
		return "replayed";
	return ctx->applied ? NULL : "dry_run";
}

/*
 * The case that a refused call was about, in `text`: the one that it was
 * refused for, where it names several.  Whoever asks who tried to see a case
 * has only this: nothing of it left.  A case that is there and one that is not
 * are named alike, and only what is a reference is.
 */
static const char *
named_case(
    struct work *work, enum cdop_err status, char text[CDOP_REFERENCE_TEXT])
{
	const struct rpc_ctx *ctx = &work->ctx;
	struct cdop_bytes typed;
	char copy[64];
	uint64_t number;

	if (status == CDOP_OK || ctx->method == NULL ||
	    ctx->method->scope != CDOP_SCOPE_AREA)
		return NULL;
	if (ctx->nowhere != NULL)
		typed = (struct cdop_bytes){
		    (const uint8_t *)ctx->nowhere, strlen(ctx->nowhere)};
	else if (ctx->n_released == 0)
		typed = typed_reference(ctx->method, ctx->request);
	else
		return NULL;
	if (typed.len == 0 || typed.len >= sizeof(copy))
		return NULL;
	memcpy(copy, typed.data, typed.len);
	copy[typed.len] = '\0';
	if (cdop_reference_parse(copy, work->reg->mode == REGISTRY_TRAINING,
		text, &number) != CDOP_OK)
		return NULL;
	return text;
}

/*
 * Why, as it was typed, of a change that is about people or the registry and
 * was made or filed; NULL: none.  A refusal keeps no row of anybody's words.
 */
static const char *
act_reason(const struct work *work)
{
	const struct rpc_ctx *ctx = &work->ctx;
	const ProtobufCFieldDescriptor *field;
	enum cdop_text_fault fault;
	const char *text, *clean;

	if (!ctx->applied || work->req == NULL ||
	    (ctx->method->scope != CDOP_SCOPE_PEOPLE &&
		ctx->method->scope != CDOP_SCOPE_REGISTRY))
		return NULL;
	field = protobuf_c_message_descriptor_get_field_by_name(
	    ctx->method->request, "reason");
	if (field == NULL || field->type != PROTOBUF_C_TYPE_STRING)
		return NULL;
	memcpy(&text, (const uint8_t *)work->req + field->offset, sizeof(text));
	if (text == NULL ||
	    cdop_text_clean(
		text, CDOP_TEXT_LINE, work->arena, &clean, &fault) != CDOP_OK ||
	    cdop_text_length(clean) > CDOP_REASON_MAX)
		return NULL;
	return clean;
}

/* Whom it was done to, or would have been. */
static uint32_t
subject(const struct work *work)
{
	const struct rpc_ctx *ctx = &work->ctx;

	return ctx->subject_person != 0
	    ? ctx->subject_person
	    : typed_subject(work->reg->people, ctx->method, ctx->request);
}

/* A decision on an act about a case: the words go where the case's go. */
static bool
is_about_case(const struct rpc_ctx *ctx)
{
	const struct rpc_method *method = rpc_method_find(ctx->approved_method);

	return method != NULL && method->scope == CDOP_SCOPE_AREA;
}

/* Of the case that the words belong to; 0 where none, or several, left. */
static uint64_t
case_key(const struct rpc_ctx *ctx)
{
	if (ctx->n_released == 0)
		return 0;
	if (ctx->about_key != 0)
		return ctx->about_key;
	return ctx->n_released == 1 ? ctx->released[0].case_key : 0;
}

static enum cdop_err
append_leaf(
    struct work *work, enum cdop_err status, struct audit_receipt *ret_receipt)
{
	struct rpc_ctx *ctx = &work->ctx;
	struct audit_released *released;
	struct audit_term *terms;
	struct audit_entry entry;
	const char *reason;
	char named[CDOP_REFERENCE_TEXT];
	uint8_t hash[32];
	size_t i;

	released =
	    cdop_arena_calloc(work->arena, ctx->n_released, sizeof(*released));
	terms = cdop_arena_calloc(work->arena, ctx->n_terms, sizeof(*terms));
	if (released == NULL || terms == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < ctx->n_released; i++) {
		released[i].reference = ctx->released[i].reference;
		released[i].classes = ctx->released[i].classes;
		released[i].owner_area = ctx->released[i].owner_area;
		released[i].jurisdiction = ctx->released[i].jurisdiction;
		released[i].instances = ctx->released[i].instances;
		released[i].n_instances = ctx->released[i].n_instances;
		released[i].living = ctx->released[i].living;
		released[i].n_living = ctx->released[i].n_living;
	}
	for (i = 0; i < ctx->n_terms; i++) {
		terms[i].kind = ctx->terms[i].kind;
		terms[i].value = ctx->terms[i].value;
	}
	memset(&entry, 0, sizeof(entry));
	/* Only a call there is: other numbers are those of events. */
	entry.call = ctx->method == NULL ? 0 : ctx->method->id;
	entry.time_ms = ctx->now_ms;
	entry.actor = &work->actor;
	entry.request = ctx->request;
	entry.answered = status;
	entry.outcome =
	    ctx->true_outcome != CDOP_OK ? ctx->true_outcome : status;
	entry.reason = leaf_reason(work, status);
	entry.purpose = ctx->purpose;
	entry.use = ctx->use;
	entry.released = released;
	entry.n_released = ctx->n_released;
	entry.named = named_case(work, status, named);
	entry.case_key = case_key(ctx);
	entry.purpose_text = ctx->purpose_text;
	entry.reason_text = ctx->audit_reason;
	if ((reason = act_reason(work)) != NULL) {
		entry.reason_text = reason;
		entry.keep_reason = !is_about_case(ctx);
	}
	entry.terms = terms;
	entry.n_terms = ctx->n_terms;
	entry.subject_person = subject(work);
	entry.second_person = ctx->second_person;
	entry.count = status == CDOP_OK ? ctx->count : 0;
	entry.approved_method = ctx->approved_method;
	entry.approval = ctx->approval;
	entry.digest = ctx->digest;
	entry.stored = stored_outcome(work, hash);
	entry.said_by_gate = work->request->peer->said_by_gate;
	return audit_append(work->reg->audit, work->arena, &entry, ret_receipt);
}

/* ---- 6: reply ---------------------------------------------------------- */

/* A refusal that asks something back carries what it asks about. */
static bool
has_body(const struct work *work, enum cdop_err status)
{
	if (work->rep == NULL || work->filed)
		return false;
	return status == CDOP_OK || work->ctx.with_reply;
}

/*
 * The size of the reply, which a handler has filled in; it is not asked for
 * twice.  CDOP_INTERNAL: it cannot be packed.
 */
static enum cdop_err
measure_body(struct work *work)
{
	if (work->is_measured)
		return CDOP_OK;
	if (!protobuf_c_message_check(work->rep))
		return CDOP_INTERNAL;
	work->body_len = protobuf_c_message_get_packed_size(work->rep);
	work->is_measured = true;
	return CDOP_OK;
}

static enum cdop_err
pack_body(struct work *work, Cdop__Reply *reply)
{
	enum cdop_err err;

	if ((err = measure_body(work)) != CDOP_OK)
		return err;
	reply->body.data = cdop_arena_alloc(work->arena, work->body_len);
	if (reply->body.data == NULL || work->body_len > BODY_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	reply->body.len = protobuf_c_message_pack(work->rep, reply->body.data);
	reply->has_body = true;
	return CDOP_OK;
}

static void
fill_stream(
    struct work *work, Cdop__Reply *reply, struct dispatch_result *result)
{
	result->next = work->ctx.next;
	result->stream_count = work->request->stream_count + 1;
	reply->last = reply->status != CDOP_OK || result->next.at == 0;
	if (reply->last) {
		result->next.at = 0;
		reply->has_count = true;
		reply->count = result->stream_count;
	}
}

/* What failed deep down has no words of its own. */
static const char *
message_of(const struct rpc_ctx *ctx, enum cdop_err status)
{
	if (ctx->message != NULL)
		return ctx->message;
	return status == CDOP_RESOURCE_EXHAUSTED
	    ? "there is no room for it now: send it again"
	    : "it was not applied: a fault of the server";
}

static enum cdop_err
pack_reply(struct work *work, enum cdop_err status, uint64_t index,
    struct dispatch_result *result)
{
	struct rpc_ctx *ctx = &work->ctx;
	Cdop__Reply reply;
	uint8_t *data;
	enum cdop_err err;

	cdop__reply__init(&reply);
	reply.id = work->call == NULL ? 0 : work->call->id;
	reply.status = (uint32_t)status;
	if (has_body(work, status) &&
	    (err = pack_body(work, &reply)) != CDOP_OK)
		return err;
	reply.reason = cdop_arena_strdup(work->arena,
	    work->filed       ? "second_person"
		: ctx->reason ? ctx->reason
			      : "");
	if (reply.reason == NULL || *reply.reason == '\0')
		reply.reason = NULL;
	if (ctx->message != NULL || status != CDOP_OK)
		reply.message =
		    cdop_arena_strdup(work->arena, message_of(ctx, status));
	reply.n_violation = ctx->n_violations;
	reply.violation = ctx->violations;
	reply.has_leaf_index = true;
	reply.leaf_index = index;
	reply.has_replayed = ctx->replay != NULL;
	reply.replayed = ctx->replay != NULL;
	if (work->filed) {
		reply.has_approval = true;
		reply.approval.data = work->approval;
		reply.approval.len = sizeof(work->approval);
	}
	fill_stream(work, &reply, result);
	data =
	    cdop_arena_alloc(work->arena, cdop__reply__get_packed_size(&reply));
	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	result->reply.len = cdop__reply__pack(&reply, data);
	result->reply.data = data;
	return CDOP_OK;
}

/* For what is made of it once the leaf is durable. */
static enum cdop_err
keep_receipt(struct work *work, const struct audit_receipt *receipt,
    struct dispatch_result *result)
{
	struct audit_receipt *kept;

	if (work->call == NULL || !work->call->has_receipt ||
	    !work->call->receipt)
		return CDOP_OK;
	kept = cdop_arena_alloc(work->arena, sizeof(*kept));
	if (kept == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*kept = *receipt;
	result->receipt = kept;
	return CDOP_OK;
}

/* What was only read and is too much for a message does not leave. */
static enum cdop_err
check_size(struct work *work, enum cdop_err status)
{
	struct rpc_ctx *ctx = &work->ctx;
	const char *message;

	if (!has_body(work, status) || ctx->applied || ctx->kept ||
	    measure_body(work) != CDOP_OK || work->body_len <= BODY_MAX)
		return status;
	ctx->n_released = 0;
	message = cdop_arena_printf(work->arena, "too much for one answer: %s",
	    ctx->ask_instead == NULL ? "ask for less" : ctx->ask_instead);
	return rpc_fail(ctx, CDOP_RESOURCE_EXHAUSTED, "too_large",
	    message == NULL ? "too much for one answer" : message);
}

enum cdop_err
answer_work(
    struct work *work, enum cdop_err status, struct dispatch_result *ret_result)
{
	struct dispatch_result result;
	struct audit_receipt receipt;
	bool covered;
	enum cdop_err err;

	memset(&result, 0, sizeof(result));
	/* Whatever the call has used up, there is evidence and an answer. */
	cdop_arena_set_budget(work->arena, CDOP_ANSWER_ARENA);
	status = check_size(work, status);
	covered = work->ctx.is_covered && status == CDOP_OK;
	receipt.index = work->ctx.stream.leaf;
	if (!covered && (err = append_leaf(work, status, &receipt)) != CDOP_OK)
		return err;
	work->ctx.next.leaf = receipt.index;
	err = pack_reply(work, status, receipt.index, &result);
	if (err == CDOP_OK && !covered)
		err = keep_receipt(work, &receipt, &result);
	if (err != CDOP_OK)
		return err;
	if (status == CDOP_OK) {
		result.end_person = work->ctx.end_person;
		result.end_device = work->ctx.end_device;
	}
	result.close = work->close;
	*ret_result = result;
	return CDOP_OK;
}
