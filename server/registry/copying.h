/*
 * The one copy of the store that may be under way, as the registry has it:
 * begun by whoever needs one, moved on by the cycle between two batches, and
 * looked at by the other when it has ended.  Nothing of it outlives the
 * process: who needs one has to say so in a row, and begin again.
 */
#ifndef CDOP_REGISTRY_COPYING_H
#define CDOP_REGISTRY_COPYING_H

#include "server/vault/copy.h"

struct copying;
struct registry;

enum copying_state {
	COPYING_NONE,
	COPYING_RUNS,
	COPYING_HELD, /* it would go on, but for copying_hold() */
	/* The new file is the store, the old one is gone: there are counts. */
	COPYING_DONE,
	COPYING_FAILED, /* the old one is: copying_copy() has what was found */
};

/* reg is borrowed.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err copying_new(
    struct registry *reg, struct copying **ret_copying);
/* NULL is fine; gives up one that runs. */
void copying_free(struct copying *copying);

enum copying_state copying_state(const struct copying *copying);

/*
 * Between batches.  What the plan says about keys counts; who opens leaves
 * and renames keys is filled in here.  Errors of copy_begin(): then there is
 * none.
 */
CDOP_MUST enum cdop_err copying_begin(
    struct copying *copying, const struct copy_plan *plan);

/* It stands still, or goes on; nothing where none is under way. */
void copying_hold(struct copying *copying, bool held);

/*
 * One that runs: a step, between batches, and at the end the switch.  What
 * comes of it says copying_state().  CDOP_DATA_LOSS: the file was renamed and
 * could not be opened: the process has to leave.
 */
CDOP_MUST enum cdop_err copying_step(
    struct copying *copying, const struct walk_budget *budget);

/* The one that runs or has ended; NULL: none. */
const struct copy *copying_copy(const struct copying *copying);

/* Forgets one, whatever it came to; between batches. */
void copying_clear(struct copying *copying);

#endif
