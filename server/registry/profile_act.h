/*
 * The profile in force: loaded, compared with a proposal, replaced by an
 * act of two people (RECORDS M14).  A file is only ever a proposal; what a
 * profile may say stands in cdop/profile.h.
 */
#ifndef CDOP_REGISTRY_PROFILE_ACT_H
#define CDOP_REGISTRY_PROFILE_ACT_H

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/profile.h"
#include "server/registry/registry.h"

/* A proposal, read and compared; everything lies in the arena given. */
struct profile_act_proposal {
	struct cdop_bytes text;
	uint8_t hash[32];                   /* BLAKE2b-256 of text */
	const struct cdop_profile *profile; /* NULL: it cannot be read, */
	struct cdop_profile_error error;    /* and why */
	struct cdop_profile_diff diff;
};

/* Who asked, who approved and why. */
struct profile_act_by {
	uint32_t person[2]; /* 0: nobody, at init */
	const char *reason;
	uint64_t now_ms;
};

/*
 * A version, while the registry is opened: the newest is in force.
 * CDOP_DATA_LOSS.
 */
CDOP_MUST enum cdop_err profile_act_load(
    struct registry *reg, uint64_t row, const Cdop__StoredProfile *stored);

/*
 * The row of a version, with its text, in arena; within a batch.
 * CDOP_NOT_FOUND: none of that number is kept.
 */
CDOP_MUST enum cdop_err profile_act_stored(struct registry *reg,
    uint64_t version, struct cdop_arena *arena,
    Cdop__StoredProfile **ret_stored);

/* BLAKE2b-256 of a profile's text. */
void profile_act_hash(struct cdop_bytes text, uint8_t out[static 32]);

/*
 * Reads a proposal.  CDOP_INVALID_ARGUMENT: *ret_proposal has the error;
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err profile_act_read(struct registry *reg,
    struct cdop_bytes text, struct cdop_arena *arena,
    struct profile_act_proposal *ret_proposal);

/*
 * Puts a proposal without refusals in force, in the open transaction: its
 * row, an epoch key for each area that has none, and reg->profile.  The
 * old profile's memory lives until the batch is committed.
 */
CDOP_MUST enum cdop_err profile_act_apply(struct registry *reg,
    struct cdop_arena *arena, const struct profile_act_proposal *proposal,
    const struct profile_act_by *by);

/* What a change of the profile is bound to. */
void profile_act_target(const struct registry *reg, uint8_t out[static 32]);

#endif
