/* Legal hold: set by one, lifted by two who may see the case. */
#include "server/rpc/rpc_hold.h"

#include <string.h>

#include "cdop/fields.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/registry/actor.h"
#include "server/registry/cases_hold.h"
#include "server/rpc/rpc_case.h"

enum cdop_err rpc_hold_set(
    struct rpc_ctx *ctx, const Cdop__HoldRequest *req, Cdop__ChangeReply *rep);
enum cdop_err rpc_hold_lift(
    struct rpc_ctx *ctx, const Cdop__HoldRequest *req, Cdop__ChangeReply *rep);

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

/* The case that an act is about; false: there is none (any more). */
static bool
case_of(const struct rpc_ctx *ctx, const struct cases_act *act,
    const struct approval *approval, uint32_t *ret_slot)
{
	char text[CDOP_REFERENCE_TEXT];
	Cdop__HoldRequest *request;
	uint64_t number;

	request = cdop__hold_request__unpack(cdop_arena_allocator(ctx->arena),
	    approval->request.len, approval->request.data);
	return request != NULL &&
	    cdop_reference_parse(request->reference,
		ctx->reg->mode == REGISTRY_TRAINING, text,
		&number) == CDOP_OK &&
	    index_by_case(act->index, number + 1, ret_slot);
}

static bool
is_ours(const struct approval *approval)
{
	const struct rpc_method *method = rpc_method_find(approval->method);

	return method != NULL &&
	    method->request == &cdop__hold_request__descriptor;
}

bool
rpc_hold_may_second(const struct rpc_ctx *ctx, const struct approval *approval)
{
	struct actor actor = *ctx->actor;
	struct cases_act act;
	uint32_t slot;

	if (!is_ours(approval))
		return true;
	/* Listed in whatever role: what counts is what the person may see. */
	actor.role = actor.roles & CDOP_ROLE_COORDINATOR;
	cases_act_init(&act, ctx->reg->cases, ctx->arena, &actor, ctx->now_ms);
	return case_of(ctx, &act, approval, &slot) &&
	    access_may_see(&act.access, index_at(act.index, slot));
}

void
rpc_hold_release(struct rpc_ctx *ctx, const struct approval *approval)
{
	struct cases_act act;
	uint32_t slot;

	if (!is_ours(approval))
		return;
	rpc_case_act(ctx, &act);
	if (case_of(ctx, &act, approval, &slot))
		rpc_case_release(ctx, &act, slot,
		    CDOP_CLASS_ADMINISTRATIVE | CDOP_CLASS_NARRATIVE);
}
