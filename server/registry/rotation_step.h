/*
 * What a rotation has to do next, a few rows at a time between batches.
 *
 *	HOLDERS  a compromised root waits until it is made anew on the host
 *	         (rotation_renew.h), or is given up; COPY follows
 *	TURN     every area that is meant gets a new epoch key; the root
 *	         turns whole, and COPY follows
 *	REWRAP   case keys under an old one are wrapped by the newest
 *	DESTROY  old epoch keys, which wrap nothing any more
 *	COPY     into a new file, with --reseal under new case keys; what is
 *	         done of it between batches stands in rotation_copy.h
 *	DONE     the census of the new file
 *
 * Each step is a transaction's, or goes back with it; where a vault was
 * killed the next one goes on.  Each phase that ends has a leaf.
 */
#ifndef CDOP_REGISTRY_ROTATION_STEP_H
#define CDOP_REGISTRY_ROTATION_STEP_H

#include "server/registry/rotation.h"

/* There is something to do in a batch: one is under way and not paused. */
bool rotation_step_due(const struct rotation *rotation);

/* Rows that the next step writes whatever n is: there has to be room. */
size_t rotation_step_rows(const struct rotation *rotation);

/*
 * A step, in the open transaction: at most n rows or keys.  *ret_n: how many
 * it were; less than n where a phase has ended.  CDOP_DATA_LOSS: something
 * cannot be read, rows_finding() says what.
 */
CDOP_MUST enum cdop_err rotation_step_run(struct rotation *rotation,
    struct cdop_arena *arena, uint64_t now_ms, size_t n, size_t *ret_n);

/* How far the one under way is. */
struct rotation_step_progress {
	uint64_t done;
	uint64_t total;
	uint64_t rows_done; /* COPY: copied, and opened */
	uint64_t rows_total;
	bool verifies;   /* all are copied */
	uint64_t per_s;  /* keys or rows; 0: not known yet */
	uint64_t left_s; /* with per_s alone */
};
struct rotation_step_progress rotation_step_progress(
    struct rotation *rotation, uint64_t now_ms);

#endif
