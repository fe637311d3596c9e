/* Legal hold: set by one, lifted by two who may see the case. */
#include "server/rpc/rpc_hold.h"

#include <string.h>

#include "cdop/fields.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/registry/actor.h"
#include "server/registry/cases_hold.h"
#include "server/rpc/rpc_case.h"

/* ---- the act ------------------------------------------------------------ */

static enum cdop_err
end(struct rpc_ctx *ctx, struct cases_act *act, const struct cases_alter *alter,
    Cdop__ChangeReply *rep, enum cdop_err err)
{
	const char *text;
	bool failed;

	ctx->audit_reason = alter->reason;
	if (err != CDOP_OK && err != CDOP_ABORTED)
		return rpc_case_end(ctx, act, err);
	text = cases_reference_text(
	    act, index_at(act->index, alter->slot)->case_id);
	failed = text == NULL;
	rep->reference = rpc_case_text(ctx, text, &failed);
	rep->version = alter->new_version;
	rpc_case_about(ctx, act, alter->slot);
	rpc_case_release(ctx, act, alter->slot, 0);
	if (err == CDOP_OK && !act->dry)
		rpc_case_applied(ctx, act, alter->slot, alter->new_version, 0);
	ctx->with_reply = !failed;
	return rpc_case_end(ctx, act, failed ? CDOP_RESOURCE_EXHAUSTED : err);
}

enum cdop_err
rpc_hold_set(
    struct rpc_ctx *ctx, const Cdop__HoldRequest *req, Cdop__ChangeReply *rep)
{
	struct cases_alter alter = {
	    .reference = req->reference,
	    .version = req->version,
	    .reason = req->reason,
	};
	struct cases_act act;

	if (ctx->replay != NULL)
		return rpc_case_change_again(ctx, rep);
	rpc_case_act(ctx, &act);
	return end(ctx, &act, &alter, rep, cases_hold_set(&act, &alter));
}

/* This version of this case. */
static void
target_of(const struct cases_act *act, uint32_t slot, uint8_t target[static 32])
{
	const struct index_post *post = index_at(act->index, slot);
	uint8_t bytes[12];
	struct cdop_bytes part = {bytes, sizeof(bytes)};

	cdop_put64(bytes, post->case_id);
	cdop_put32(bytes + 8, post->case_version);
	cdop_secret_hash(target, 32, NULL, "cdop-target/1 hold", &part, 1);
}

enum cdop_err
rpc_hold_lift(
    struct rpc_ctx *ctx, const Cdop__HoldRequest *req, Cdop__ChangeReply *rep)
{
	struct cases_alter alter = {
	    .reference = req->reference,
	    .version = req->version,
	    .reason = req->reason,
	};
	struct cases_act act;
	uint8_t target[32];
	const char *text, *words;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return rpc_case_change_again(ctx, rep);
	rpc_case_act(ctx, &act);
	act.dry = true;
	if ((err = cases_hold_lift(&act, &alter)) != CDOP_OK)
		return end(ctx, &act, &alter, rep, err);
	text = cases_reference_text(
	    &act, index_at(act.index, alter.slot)->case_id);
	words = text == NULL ? NULL
			     : cdop_arena_printf(ctx->arena,
				   "lift the legal hold of case %s: it can be "
				   "erased then",
				   text);
	if (words == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rpc_second_words(ctx, words);
	target_of(&act, alter.slot, target);
	act.dry = !rpc_second_may_apply(ctx, target);
	if (!act.dry)
		err = cases_hold_lift(&act, &alter);
	return end(ctx, &act, &alter, rep, err);
}

/* ---- the second person -------------------------------------------------- */

static bool
is_about_case(const struct rpc_method *method)
{
	return method != NULL && method->second != 0 &&
	    method->scope == CDOP_SCOPE_AREA;
}

/*
 * Each such request names it in the field of that name; 0: it does not.
 * CDOP_RESOURCE_EXHAUSTED: it cannot be told.
 */
static enum cdop_err
case_id_of(const struct rpc_ctx *ctx, const struct approval *approval,
    uint64_t *ret_case_id)
{
	const struct rpc_method *method = rpc_method_find(approval->method);
	const ProtobufCFieldDescriptor *field;
	char text[CDOP_REFERENCE_TEXT];
	const ProtobufCMessage *request;
	const char *reference;
	uint64_t number;

	*ret_case_id = 0;
	if (!is_about_case(method))
		return CDOP_OK;
	field = protobuf_c_message_descriptor_get_field_by_name(
	    method->request, "reference");
	request = protobuf_c_message_unpack(method->request,
	    cdop_arena_allocator(ctx->arena), approval->request.len,
	    approval->request.data);
	if (request == NULL) /* it was sound when it was filed */
		return CDOP_RESOURCE_EXHAUSTED;
	if (field == NULL)
		return CDOP_OK;
	memcpy(&reference, (const uint8_t *)request + field->offset,
	    sizeof(reference));
	if (cdop_reference_parse(reference, ctx->reg->mode == REGISTRY_TRAINING,
		text, &number) == CDOP_OK)
		*ret_case_id = number + 1;
	return CDOP_OK;
}

enum cdop_err
rpc_hold_is_about(const struct rpc_ctx *ctx, const struct approval *approval,
    uint64_t case_id, bool *ret_is)
{
	uint64_t about;
	enum cdop_err err;

	err = case_id_of(ctx, approval, &about);
	*ret_is = err == CDOP_OK && about == case_id;
	return err;
}

bool
rpc_hold_may_second(const struct rpc_ctx *ctx, const struct approval *approval)
{
	const struct rpc_method *method = rpc_method_find(approval->method);
	struct actor actor = *ctx->actor;
	struct cases_act act;
	uint64_t case_id;
	uint32_t slot;

	if (!is_about_case(method) ||
	    (method->second & CDOP_ROLE_COORDINATOR) == 0)
		return true;
	/* Listed in whatever role: what counts is what the person may see. */
	actor.role = actor.roles & CDOP_ROLE_COORDINATOR;
	cases_act_init(&act, ctx->reg->cases, ctx->arena, &actor, ctx->now_ms);
	return case_id_of(ctx, approval, &case_id) == CDOP_OK &&
	    index_by_case(act.index, case_id, &slot) &&
	    access_may_see(&act.access, index_at(act.index, slot));
}

bool
rpc_hold_has_box(const struct approval *approval)
{
	const struct rpc_method *method = rpc_method_find(approval->method);

	return !is_about_case(method) ||
	    (method->second & CDOP_ROLE_COORDINATOR) != 0;
}

/* The case that it is about, where there is one still. */
static enum cdop_err
find_case(struct rpc_ctx *ctx, const struct approval *approval,
    struct cases_act *act, bool *ret_is_there, uint32_t *ret_slot)
{
	uint64_t case_id;
	enum cdop_err err;

	*ret_is_there = false;
	err = case_id_of(ctx, approval, &case_id);
	if (err != CDOP_OK || case_id == 0)
		return err;
	rpc_case_act(ctx, act);
	*ret_is_there = index_by_case(act->index, case_id, ret_slot);
	return CDOP_OK;
}

enum cdop_err
rpc_hold_about(struct rpc_ctx *ctx, const struct approval *approval)
{
	struct cases_act act;
	enum cdop_err err;
	uint32_t slot;
	bool is_there;

	err = find_case(ctx, approval, &act, &is_there, &slot);
	if (err != CDOP_OK || !is_there)
		return err;
	rpc_case_about(ctx, &act, slot);
	rpc_case_release(ctx, &act, slot, 0);
	return CDOP_OK;
}

enum cdop_err
rpc_hold_release(struct rpc_ctx *ctx, const struct approval *approval)
{
	struct cases_act act;
	enum cdop_err err;
	uint32_t slot;
	bool is_there;

	err = find_case(ctx, approval, &act, &is_there, &slot);
	if (err != CDOP_OK || !is_there)
		return err;
	/* A custodian is shown the reference and nothing of the case. */
	rpc_case_release(ctx, &act, slot,
	    (rpc_method_find(approval->method)->second &
		CDOP_ROLE_COORDINATOR) == 0
		? 0
		: CDOP_CLASS_ADMINISTRATIVE | CDOP_CLASS_NARRATIVE);
	return CDOP_OK;
}
