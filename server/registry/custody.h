/*
 * When each slot, and each share of a set, was last proved to be good, and
 * by what: one row, so that status can say what nobody has tried for long.
 */
#ifndef CDOP_REGISTRY_CUSTODY_H
#define CDOP_REGISTRY_CUSTODY_H

#include "cdop/arena.h"
#include "server/registry/registry.h"

#define CUSTODY_MAX 256 /* slots and shares */

struct custody;

struct custody_proof {
	uint16_t slot;
	uint8_t share;   /* its number; 0: the slot as a whole */
	Cdop__Proof how; /* PROOF_ADDED ... */
	uint32_t person; /* who showed it over the link last; 0: nobody */
	uint64_t at_ms;  /* leaf time */
};

CDOP_MUST enum cdop_err custody_new(
    struct registry *reg, struct custody **ret_custody);
void custody_free(struct custody *custody);

/* Takes the row while the registry is opened.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err custody_load(
    struct custody *custody, uint64_t row, const Cdop__StoredCustody *stored);

/*
 * Within a batch: takes what was proved now, forgets slots that are gone,
 * and writes the row.  n may be 0.
 */
CDOP_MUST enum cdop_err custody_note(struct custody *custody,
    struct cdop_arena *arena, const struct custody_proof *proofs, size_t n);

/* The last proof; share 0: of the slot.  NULL: none is known of. */
const struct custody_proof *custody_proof(
    const struct custody *custody, uint16_t slot, uint8_t share);

/* When a share was last proved by its holder, of any set; 0: never. */
uint64_t custody_drilled_ms(const struct custody *custody);

/* The newest recovery sheet, held against what there is now. */
enum custody_sheet {
	CUSTODY_SHEET_UNKNOWN, /* none was noted: from before it was */
	CUSTODY_SHEET_CURRENT,
	CUSTODY_SHEET_OLD, /* slots, holders or link key are others now */
};
enum custody_sheet custody_sheet(
    const struct custody *custody, uint64_t *ret_ms);

/* Within a batch: one is written that says what there is now. */
CDOP_MUST enum cdop_err custody_note_sheet(
    struct custody *custody, struct cdop_arena *arena, uint64_t now_ms);

/* "opened it", "in a drill": for people. */
const char *custody_how(Cdop__Proof how);

#endif
