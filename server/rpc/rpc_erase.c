/*
 * Erasing a case: asked by a coordinator who may read it, approved by a
 * custodian who may not; and the certificates of what is gone.
 */
#include <string.h>

#include "cdop/secret.h"
#include "server/registry/actor.h"
#include "server/registry/approvals.h"
#include "server/registry/backups.h"
#include "server/registry/cases_erase.h"
#include "server/registry/certificates.h"
#include "server/registry/rotation.h"
#include "server/rpc/rpc_case.h"
#include "server/rpc/rpc_hold.h"

/* In KeyStatus, where no reference has to stand. */
static const char rotation_why[] = "a case is erased";

static const char *
ground_words(Cdop__ErasureGround ground)
{
	switch (ground) {
	case CDOP__ERASURE_GROUND__COURT_ORDER:
		return "a court has ordered it";
	case CDOP__ERASURE_GROUND__SUBJECT_REQUEST:
		return "somebody whom the data is about has asked for it";
	case CDOP__ERASURE_GROUND__RETENTION_ENDED:
		return "it has been kept as long as it has to be";
	case CDOP__ERASURE_GROUND__NOT_A_CASE:
		return "it never was a case of this registry";
	case CDOP__ERASURE_GROUND__OTHER_GROUND:
	case _CDOP__ERASURE_GROUND_IS_INT_SIZE:
		break;
	}
	return "another one: ask the coordinator";
}

static void
say(struct rpc_ctx *ctx, const char *words)
{
	if (words != NULL)
		rpc_second_words(ctx, words);
	else
		ctx->lost = true;
}

/* All that a custodian is told of a case. */
static void
say_erase(struct rpc_ctx *ctx, const struct cases_erase *erase,
    Cdop__ErasureGround ground)
{
	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"erase case %s for ever: its key and every row of it",
		erase->text));
	say(ctx, "it is not on legal hold");
	say(ctx,
	    cdop_arena_printf(
		ctx->arena, "on the ground: %s", ground_words(ground)));
	say(ctx,
	    "then the area's key turns, the old one is destroyed and the "
	    "store is copied; only then there is a certificate");
	say(ctx,
	    cdop_arena_printf(ctx->arena,
		"backups begun until now, which are not touched: %zu",
		backups_count(ctx->reg->backups)));
}

/* This case as it is. */
static void
target_of(const struct cases_act *act, const struct cases_erase *erase,
    uint8_t target[static 32])
{
	const struct index_post *post = index_at(act->index, erase->slot);
	uint8_t bytes[16];
	struct cdop_bytes part = {bytes, sizeof(bytes)};

	cdop_put64(bytes, erase->case_id);
	cdop_put32(bytes + 8, post->case_version);
	cdop_put32(bytes + 12, post->record_version);
	cdop_secret_hash(target, 32, NULL, "cdop-target/1 erase", &part, 1);
}

/* What waits about the case waits for nothing any more. */
static enum cdop_err
drop_others(struct rpc_ctx *ctx, const struct cases_erase *erase)
{
	struct approvals *approvals = ctx->reg->approvals;
	const struct approval *a;
	enum cdop_err err;
	size_t i = 0;
	bool is;

	while (i < approvals_count(approvals, ctx->now_ms)) {
		a = approvals_at(approvals, i++, ctx->now_ms);
		err = rpc_hold_is_about(ctx, a, erase->case_id, &is);
		if (err != CDOP_OK)
			return err;
		if (!is ||
		    (ctx->approval != NULL &&
			memcmp(a->number, ctx->approval, sizeof(a->number)) ==
			    0))
			continue;
		err = approvals_drop(approvals, a->number);
		if (err != CDOP_OK)
			return err;
		i = 0;
	}
	return CDOP_OK;
}

/* The rotation that makes it true, and what is to be proved at its end. */
static enum cdop_err
begin_rotation(struct rpc_ctx *ctx, const struct cases_erase *erase,
    Cdop__ErasureGround ground, uint32_t *ret_number)
{
	char *area = cdop_arena_strdup(ctx->arena, erase->area);
	const struct rotation_new rotation = {
	    .what = CDOP__KEY_WHAT__KEY_AREAS,
	    .area = &area,
	    .n_area = 1,
	    .reason = rotation_why,
	    .requester = ctx->actor->person,
	    .approver = ctx->second_person,
	    .now_ms = ctx->now_ms,
	};
	struct certificates_new new = {
	    .case_id = erase->case_id,
	    .reference = erase->text,
	    .area = erase->area,
	    .ground = ground,
	    .requester = ctx->actor->person,
	    .approver = ctx->second_person,
	    .now_ms = ctx->now_ms,
	    .since_ms = erase->since_ms,
	    .rows = erase->rows,
	    .case_key = erase->key_id,
	};
	enum cdop_err err;

	if (area == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = rotation_begin(
	    ctx->reg->rotation, ctx->arena, &rotation, &new.rotation);
	return err != CDOP_OK ? err
			      : certificates_begin(ctx->reg->certificates,
				    ctx->arena, &new, ret_number);
}

static enum cdop_err
apply(struct rpc_ctx *ctx, struct cases_act *act,
    const struct cases_erase *erase, const Cdop__CaseEraseRequest *req,
    Cdop__CaseEraseReply *rep)
{
	enum cdop_err err;

	/* No box can be sealed under its key any more. */
	ctx->about_key = 0;
	ctx->released[ctx->n_released - 1].case_key = 0;
	err = drop_others(ctx, erase);
	if (err == CDOP_OK)
		err = cases_erase_apply(act, erase);
	if (err == CDOP_OK)
		err =
		    begin_rotation(ctx, erase, req->ground, &rep->certificate);
	if (err != CDOP_OK)
		return err;
	rep->has_certificate = true;
	ctx->applied = true;
	ctx->out_reference = erase->text;
	ctx->out_number = rep->certificate;
	return CDOP_OK;
}

/* The same again: it waits, or has its number. */
static enum cdop_err
again(struct rpc_ctx *ctx, Cdop__CaseEraseReply *rep)
{
	const struct certificates_entry *entry;
	char text[CDOP_REFERENCE_TEXT];
	Cdop__CaseEraseRequest *req;
	uint64_t number;

	req = cdop__case_erase_request__unpack(cdop_arena_allocator(ctx->arena),
	    ctx->request.len, ctx->request.data);
	if (req == NULL ||
	    cdop_reference_parse(req->reference,
		ctx->reg->mode == REGISTRY_TRAINING, text, &number) != CDOP_OK)
		return CDOP_OK;
	entry = certificates_of_case(ctx->reg->certificates, number + 1);
	rep->has_certificate = entry != NULL;
	rep->certificate = entry != NULL ? entry->number : 0;
	return CDOP_OK;
}

/* Why it is not done now, and who ends that. */
static const char *
running_words(const struct rotation *rotation)
{
	return rotation_waits(rotation)
	    ? "a new root waits for cdopd renew-root on the host: a case is "
	      "erased when that is done, or was given up after 72 hours"
	    : "keys are being turned: a case is erased when that has ended";
}

enum cdop_err
rpc_case_erase(struct rpc_ctx *ctx, const Cdop__CaseEraseRequest *req,
    Cdop__CaseEraseReply *rep)
{
	struct cases_erase erase = {
	    .reference = req->reference,
	    .version = req->version,
	};
	struct cases_act act;
	uint8_t target[32];
	enum cdop_err err;

	if (ctx->replay != NULL)
		return again(ctx, rep);
	rpc_case_act(ctx, &act);
	if ((err = cases_erase_check(&act, &erase)) != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	rpc_case_about(ctx, &act, erase.slot);
	rpc_case_release(ctx, &act, erase.slot, 0);
	if (rotation_running(ctx->reg->rotation) != NULL)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION,
		    "rotation_running", running_words(ctx->reg->rotation));
	say_erase(ctx, &erase, req->ground);
	target_of(&act, &erase, target);
	if (!rpc_second_may_apply(ctx, target))
		return CDOP_OK;
	return apply(ctx, &act, &erase, req, rep);
}
