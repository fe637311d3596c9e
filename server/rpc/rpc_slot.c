/* What opens the registry: the list, a drill, and removing one. */
#include <string.h>

#include "cdop/secret.h"
#include "server/registry/actor.h"
#include "server/registry/custody.h"
#include "server/registry/registry.h"
#include "server/rpc/rpc_person.h"
#include "server/rpc/rpc_reason.h"
#include "server/rpc/slots_say.h"
#include "server/vault/rows_slots.h"

/* ---- list --------------------------------------------------------------- */

static enum cdop_err
fill_share(struct rpc_ctx *ctx, const struct slots_set *set, uint8_t x,
    Cdop__SlotShare **ret_share)
{
	const struct custody_proof *proof =
	    custody_proof(ctx->reg->custody, set->number, x);
	Cdop__SlotShare *share;

	share = cdop_arena_alloc(ctx->arena, sizeof(*share));
	if (share == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__slot_share__init(share);
	share->number = x;
	share->holder = slots_say_text(ctx, set->holder[x - 1]);
	if (share->holder == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_share = share;
	if (proof == NULL)
		return CDOP_OK;
	share->has_how = share->has_proved_ms = true;
	share->how = proof->how;
	share->proved_ms = proof->at_ms;
	if (proof->person == 0)
		return CDOP_OK;
	share->has_person = true;
	share->person = proof->person;
	share->person_name =
	    cdop_arena_strdup(ctx->arena, rpc_person_name(ctx, proof->person));
	return share->person_name == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

static enum cdop_err
fill_set(struct rpc_ctx *ctx, const struct slots_set *set, Cdop__Slot *slot)
{
	enum cdop_err err;
	uint8_t x;

	slot->has_need = true;
	slot->need = set->k;
	slot->share =
	    cdop_arena_calloc(ctx->arena, set->n, sizeof(*slot->share));
	if (slot->share == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (x = 1; x <= set->n; x++) {
		err = fill_share(ctx, set, x, &slot->share[x - 1]);
		if (err != CDOP_OK)
			return err;
	}
	slot->n_share = set->n;
	return CDOP_OK;
}

static enum cdop_err
fill_slot(struct rpc_ctx *ctx, size_t i, Cdop__Slot **ret_slot)
{
	const struct slots_info *info = rows_slot(ctx->reg->rows, i);
	const struct slots_set *set =
	    rows_slots_set(ctx->reg->rows, info->number);
	const struct custody_proof *proof =
	    custody_proof(ctx->reg->custody, info->number, 0);
	Cdop__Slot *slot;

	slot = cdop_arena_alloc(ctx->arena, sizeof(*slot));
	if (slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__slot__init(slot);
	slot->number = info->number;
	slot->kind = cdop_arena_strdup(ctx->arena, slots_kind_name(info->kind));
	slot->label = slots_say_text(ctx, info->label);
	if (slot->kind == NULL || slot->label == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (proof != NULL) {
		slot->has_how = slot->has_proved_ms = true;
		slot->how = proof->how;
		slot->proved_ms = proof->at_ms;
	}
	*ret_slot = slot;
	return set == NULL ? CDOP_OK : fill_set(ctx, set, slot);
}

enum cdop_err
rpc_slot_list(struct rpc_ctx *ctx, const Cdop__SlotListRequest *req,
    Cdop__SlotListReply *rep)
{
	size_t i, n = rows_slots(ctx->reg->rows);
	enum cdop_err err;

	(void)req;
	rep->slot = cdop_arena_calloc(ctx->arena, n, sizeof(*rep->slot));
	if (rep->slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++)
		if ((err = fill_slot(ctx, i, &rep->slot[i])) != CDOP_OK)
			return err;
	rep->n_slot = n;
	rep->drilled_ms = custody_drilled_ms(ctx->reg->custody);
	rep->has_drilled_ms = rep->drilled_ms != 0;
	return CDOP_OK;
}

/* ---- removing ----------------------------------------------------------- */

static enum cdop_err
no_such_slot(struct rpc_ctx *ctx)
{
	return rpc_fail(ctx, CDOP_NOT_FOUND, "no_such_slot",
	    "there is no slot of that number");
}

/* Number, kind and label of all there are: what is approved is all of it. */
static enum cdop_err
version_of(struct rpc_ctx *ctx, uint8_t ret_version[static 32])
{
	const struct rows *rows = ctx->reg->rows;
	size_t i, n = rows_slots(rows);
	const struct slots_info *info;
	struct cdop_bytes all;
	uint8_t *out;

	out = cdop_arena_calloc(ctx->arena, n, SLOTS_LABEL + 3);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	all = (struct cdop_bytes){out, n * (SLOTS_LABEL + 3)};
	for (i = 0; i < n; i++, out += SLOTS_LABEL + 3) {
		info = rows_slot(rows, i);
		cdop_put16(out, info->number);
		out[2] = info->kind;
		memcpy(out + 3, info->label, SLOTS_LABEL);
	}
	cdop_secret_hash(ret_version, 32, NULL, "cdop-slots/1", &all, 1);
	return CDOP_OK;
}

static void
say(struct rpc_ctx *ctx, const char *words)
{
	rpc_second_words(ctx, words != NULL ? words : "(out of memory)");
}

static void
say_removal(struct rpc_ctx *ctx, const Cdop__SlotRemoveRequest *req)
{
	const struct rows *rows = ctx->reg->rows;
	const char *left = "";
	size_t i;

	for (i = 0; i < rows_slots(rows); i++) {
		if (rows_slot(rows, i)->number == req->slot)
			say(ctx,
			    cdop_arena_printf(ctx->arena, "remove %s",
				slots_say_line(ctx, i)));
		else if (left != NULL)
			left = cdop_arena_printf(ctx->arena, "%s%s%u %s", left,
			    *left != '\0' ? ", " : "",
			    rows_slot(rows, i)->number,
			    slots_kind_name(rows_slot(rows, i)->kind));
	}
	say(ctx,
	    left == NULL
		? NULL
		: cdop_arena_printf(ctx->arena, "left then: slots %s", left));
	if (slots_say_has_shares(ctx, 0) &&
	    !slots_say_has_shares(ctx, req->slot))
		say(ctx,
		    "these are the last shares: no backup can be taken then, "
		    "and nobody opens the registry but on its host (cdopd slot "
		    "add --new-shares)");
	say(ctx,
	    "a copy of the database from before still opens with it, until "
	    "the root is another (cdop key rotate --root)");
	say(ctx, cdop_arena_printf(ctx->arena, "reason: %s", req->reason));
}

static enum cdop_err
check_removal(struct rpc_ctx *ctx, const Cdop__SlotRemoveRequest *req)
{
	const struct rows *rows = ctx->reg->rows;
	enum cdop_err err;
	size_t slot;

	err = rpc_reason_check(ctx, req->reason, "it needs a reason");
	if (err != CDOP_OK)
		return err;
	if (req->slot > UINT16_MAX ||
	    !rows_slots_find(rows, (uint16_t)req->slot, &slot))
		return no_such_slot(ctx);
	if (rows_slots(rows) == 1)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "last_slot",
		    "it is the last slot: nothing would open the registry");
	if (!req->one_kind &&
	    rows_slots_kinds(rows, (uint16_t)req->slot) < SLOTS_SAY_KINDS)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "one_kind",
		    "slots of one kind alone would be left: what is lost with "
		    "one may be lost with all");
	return CDOP_OK;
}

enum cdop_err
rpc_slot_remove(struct rpc_ctx *ctx, const Cdop__SlotRemoveRequest *req,
    Cdop__SlotRemoveReply *rep)
{
	uint8_t version[32];
	enum cdop_err err;

	rep->slot = req->slot;
	if (ctx->replay != NULL)
		return CDOP_OK;
	if ((err = check_removal(ctx, req)) != CDOP_OK)
		return err;
	if ((err = version_of(ctx, version)) != CDOP_OK)
		return err;
	ctx->audit_reason = req->reason;
	ctx->count = req->slot;
	say_removal(ctx, req);
	if (!rpc_second_may_apply(ctx, version))
		return CDOP_OK;
	err = rows_slots_remove(ctx->reg->rows, (uint16_t)req->slot);
	if (err == CDOP_OK)
		err = custody_note(ctx->reg->custody, ctx->arena, NULL, 0);
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	rep->has_left = true;
	rep->left = (uint32_t)rows_slots(ctx->reg->rows);
	return CDOP_OK;
}

/* ---- a drill ------------------------------------------------------------ */

static enum cdop_err
check_drill(struct rpc_ctx *ctx, const Cdop__CustodianDrillRequest *req,
    const struct slots_set **ret_set)
{
	const struct slots_set *set = NULL;

	if (req->set <= UINT16_MAX)
		set = rows_slots_set(ctx->reg->rows, (uint16_t)req->set);
	if (set == NULL)
		return rpc_fail(ctx, CDOP_NOT_FOUND, "no_such_slot",
		    "this registry does not have that share set (any more)");
	if (req->share == 0 || req->share > set->n ||
	    req->proof.len != CDOP_SHARE_COMMIT ||
	    !slots_set_proves(set, (uint8_t)req->share, req->proof.data))
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "share_wrong",
		    "that is not the share that was given out under its "
		    "number");
	*ret_set = set;
	return CDOP_OK;
}

enum cdop_err
rpc_custodian_drill(struct rpc_ctx *ctx, const Cdop__CustodianDrillRequest *req,
    Cdop__CustodianDrillReply *rep)
{
	struct custody_proof proof = {
	    .how = CDOP__PROOF__DRILLED,
	    .person = ctx->actor->person,
	    .at_ms = ctx->now_ms,
	};
	const struct slots_set *set;
	enum cdop_err err;

	if ((err = check_drill(ctx, req, &set)) != CDOP_OK)
		return err;
	proof.slot = set->number;
	proof.share = (uint8_t)req->share;
	if (ctx->replay == NULL) {
		err = custody_note(ctx->reg->custody, ctx->arena, &proof, 1);
		if (err != CDOP_OK)
			return err;
		ctx->applied = true;
	}
	ctx->count = req->share;
	rep->set = req->set;
	rep->share = req->share;
	rep->holder = slots_say_text(ctx, set->holder[req->share - 1]);
	rep->at_ms =
	    custody_proof(ctx->reg->custody, proof.slot, proof.share)->at_ms;
	return rep->holder == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/* A sealed registry has no dispatch: there it is sealed.c's. */
enum cdop_err
rpc_share_submit(struct rpc_ctx *ctx, const Cdop__ShareSubmitRequest *req,
    Cdop__ShareSubmitReply *rep)
{
	(void)req;
	(void)rep;
	return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "not_sealed",
	    "the registry is open");
}
