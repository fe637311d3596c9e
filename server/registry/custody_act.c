/* Adding, removing and testing slots offline; see custody_act.h. */
#include "server/registry/custody_act.h"

#include <string.h>

#include "server/registry/audit.h"
#include "server/vault/rows_slots.h"

#define BYTES_MAX (256u << 10)
#define ROWS_MAX  16

struct act {
	struct registry *reg;
	struct cdop_arena *arena;
	const struct custody_act_new *new; /* of an addition */
	const struct custody_proof *proofs;
	size_t n_proofs;
	uint16_t number;
	const char *by;
	const char *reason;
	uint64_t now_ms;
	struct cdop_share *shares;
	bool degraded;
};

static enum cdop_err
leaf(const struct act *act, enum audit_event event)
{
	struct audit_entry entry = {
	    .call = event,
	    .time_ms = act->now_ms,
	    .count = act->number,
	    .keep_reason = act->by != NULL,
	};

	if (act->by != NULL) {
		entry.reason_text = cdop_arena_printf(act->arena, "%s: %s",
		    act->by, act->reason != NULL ? act->reason : "");
		if (entry.reason_text == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	return audit_append(act->reg->audit, act->arena, &entry, NULL);
}

static enum cdop_err
run(struct act *act, enum cdop_err (*fn)(struct act *act))
{
	struct registry *reg = act->reg;
	enum cdop_err err;

	act->now_ms = audit_time(reg->audit, act->now_ms, 0);
	err = registry_begin(reg, BYTES_MAX, ROWS_MAX);
	return err == CDOP_OK ? registry_end(reg, fn(act)) : err;
}

/* Said where a key was put beside the data; status repeats it for ever. */
static enum cdop_err
mark(const struct act *act)
{
	Cdop__StoredConfig *config;
	enum cdop_err err;

	if (!act->degraded || act->reg->degraded)
		return CDOP_OK;
	err = registry_edit_config(act->reg, act->arena, &config);
	if (err != CDOP_OK)
		return err;
	config->has_degraded = config->degraded = true;
	return registry_put_config(act->reg, act->arena, config);
}

/* ---- adding ------------------------------------------------------------- */

static enum cdop_err
add(struct act *act)
{
	const struct custody_act_new *new = act->new;
	struct custody_proof proof = {
	    .how = CDOP__PROOF__ADDED, .at_ms = act->now_ms};
	enum cdop_err err;

	if (new->slot.kind == SLOTS_KIND_SHARES)
		err = rows_slots_add_set(act->reg->rows, new->slot.label,
		    new->plan, &act->number, act->shares);
	else
		err = rows_slots_add(act->reg->rows, &new->slot, &act->number);
	if (err != CDOP_OK)
		return err;
	if (new->prove != NULL && !new->prove(new->ctx, act->number))
		return CDOP_ABORTED;
	proof.slot = act->number;
	err = custody_note(act->reg->custody, act->arena, &proof, 1);
	if (err == CDOP_OK)
		err = mark(act);
	return err == CDOP_OK ? leaf(act, AUDIT_EVENT_SLOT_ADDED) : err;
}

enum cdop_err
custody_act_add(struct registry *reg, struct cdop_arena *arena,
    const struct custody_act_new *new, uint16_t *ret_number,
    struct cdop_share ret_shares[static SHAMIR_MAX])
{
	struct act act = {
	    .reg = reg,
	    .arena = arena,
	    .new = new,
	    .by = new->by,
	    .reason = new->reason,
	    .now_ms = new->now_ms,
	    .shares = ret_shares,
	    .degraded = new->degraded,
	};
	enum cdop_err err;

	if ((err = run(&act, add)) == CDOP_OK)
		*ret_number = act.number;
	return err;
}

/* ---- removing ----------------------------------------------------------- */

static enum cdop_err
take_away(struct act *act)
{
	enum cdop_err err;

	err = rows_slots_remove(act->reg->rows, act->number);
	if (err == CDOP_OK)
		err = custody_note(act->reg->custody, act->arena, NULL, 0);
	return err == CDOP_OK ? leaf(act, AUDIT_EVENT_SLOT_REMOVED) : err;
}

enum cdop_err
custody_act_remove(struct registry *reg, struct cdop_arena *arena,
    uint16_t number, const char *by, const char *reason, uint64_t now_ms)
{
	struct act act = {
	    .reg = reg,
	    .arena = arena,
	    .number = number,
	    .by = by,
	    .reason = reason,
	    .now_ms = now_ms,
	};

	return run(&act, take_away);
}

/* ---- testing ------------------------------------------------------------ */

static enum cdop_err
tested(struct act *act)
{
	enum cdop_err err;

	err = custody_note(
	    act->reg->custody, act->arena, act->proofs, act->n_proofs);
	if (err == CDOP_OK)
		err = mark(act);
	return err == CDOP_OK ? leaf(act, AUDIT_EVENT_SLOT_TESTED) : err;
}

enum cdop_err
custody_act_tested(struct registry *reg, struct cdop_arena *arena,
    const struct custody_proof *proofs, size_t n, bool degraded)
{
	struct act act = {
	    .reg = reg,
	    .arena = arena,
	    .proofs = proofs,
	    .n_proofs = n,
	    .degraded = degraded,
	};

	if (n == 0)
		return CDOP_OK;
	act.number = proofs[0].slot;
	act.now_ms = proofs[0].at_ms;
	return run(&act, tested);
}

/* ---- the sheet ---------------------------------------------------------- */

static enum cdop_err
written(struct act *act)
{
	enum cdop_err err;

	err = custody_note_sheet(act->reg->custody, act->arena, act->now_ms);
	return err == CDOP_OK ? leaf(act, AUDIT_EVENT_SHEET) : err;
}

enum cdop_err
custody_act_sheet(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms)
{
	struct act act = {.reg = reg, .arena = arena, .now_ms = now_ms};

	return run(&act, written);
}
