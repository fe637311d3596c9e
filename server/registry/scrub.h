/*
 * Looking through the running log: every leaf against its tile, a few rows
 * at a time, between batches.  A start looks at the end of the log only, and
 * `cdopd verify` only when somebody calls it (TRUST M8).
 *
 * It changes nothing.  What it found is kept until a whole round was fine.
 */
#ifndef CDOP_REGISTRY_SCRUB_H
#define CDOP_REGISTRY_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/err.h"

struct registry;
struct scrub;

/* Borrows reg.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err scrub_new(
    struct registry *reg, struct scrub **ret_scrub);

/* NULL is fine. */
void scrub_free(struct scrub *scrub);

/* How a round ended. */
struct scrub_end {
	uint64_t leaves;   /* that were fine, from the first on */
	const char *fault; /* stable word of what came then; NULL: the end */
};

/*
 * At most so many rows of the log, outside a batch; after the last the next
 * step begins again with the first.  True: a round has ended, *ret_end says
 * how.
 */
bool scrub_step(struct scrub *scrub, size_t rows, struct scrub_end *ret_end);

/* What the last whole round found, for an operator; "" where it was fine. */
const char *scrub_finding(const struct scrub *scrub);

#endif
