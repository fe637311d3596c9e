/*
 * The vault's anchor: compared before anything is served, written lazily
 * behind the commits (TRUST S5).  What was logged in the last seconds before
 * a crash can be missing in it; that never looks like a rollback.
 */
#ifndef CDOP_CYCLE_ANCHORING_H
#define CDOP_CYCLE_ANCHORING_H

#include <stdbool.h>
#include <stdint.h>

#define ANCHORING_MS 10000 /* at most so often */

struct registry;

struct anchoring {
	const char *dir; /* "": none is configured */
	uint64_t size;   /* of the log as it was written; 0: not yet */
	uint64_t next_ms;
};

/*
 * Whether this registry may be served.  false: said why, and what to do.
 * The first anchor of a registry is written when it has something to say.
 */
bool anchoring_check(struct anchoring *anchoring, struct registry *reg);

/* Writes it when it is due.  reg NULL: nothing. */
void anchoring_turn(
    struct anchoring *anchoring, struct registry *reg, uint64_t boot_ms);

/* Writes it now: at an orderly stop. */
void anchoring_stop(struct anchoring *anchoring, struct registry *reg);

#endif
