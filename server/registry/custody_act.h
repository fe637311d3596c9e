/*
 * What is done about slots on the host, with the root open: each act a batch
 * of its own, with its leaf.  Files and prompts are the command's
 * (server/cmd_slot.c).
 */
#ifndef CDOP_REGISTRY_CUSTODY_ACT_H
#define CDOP_REGISTRY_CUSTODY_ACT_H

#include "server/registry/custody.h"
#include "server/vault/slots_set.h"

/* One to be added: either k, or a plan of shares. */
struct custody_act_new {
	struct slots_new slot;            /* kind SHARES: label alone counts */
	const struct slots_set_new *plan; /* of SHARES */
	const char *by;                   /* who does it, and why */
	const char *reason;
	uint64_t now_ms;
	bool degraded; /* a key file beside the data: remembered for ever */
	/*
	 * Whether what was kept of it outside opens slot number, asked before
	 * it is one: the shares are those that custody_act_add() returns.
	 * NULL: not asked.
	 */
	bool (*prove)(void *ctx, uint16_t number);
	void *ctx;
};

/*
 * Durable when it returns.  CDOP_INVALID_ARGUMENT: label or plan;
 * CDOP_RESOURCE_EXHAUSTED: as many as can be; CDOP_ABORTED: it was not proved.
 */
CDOP_MUST enum cdop_err custody_act_add(struct registry *reg,
    struct cdop_arena *arena, const struct custody_act_new *new,
    uint16_t *ret_number, struct cdop_share ret_shares[static SHAMIR_MAX]);

/* As rows_slots_remove(). */
CDOP_MUST enum cdop_err custody_act_remove(struct registry *reg,
    struct cdop_arena *arena, uint16_t number, const char *by,
    const char *reason, uint64_t now_ms);

/* A recovery sheet was written of what there is now. */
CDOP_MUST enum cdop_err custody_act_sheet(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms);

/*
 * What was tried on the host and was good: slot, or slot and shares.
 * degraded: as of custody_act_new.
 */
CDOP_MUST enum cdop_err custody_act_tested(struct registry *reg,
    struct cdop_arena *arena, const struct custody_proof *proofs, size_t n,
    bool degraded);

#endif
