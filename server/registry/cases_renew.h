/*
 * Summaries that an earlier version wrote are made again from their cases,
 * a few at a time between batches (RECORDS M18).  Until then the index has
 * of such a case what stood in the old one.
 */
#ifndef CDOP_REGISTRY_CASES_RENEW_H
#define CDOP_REGISTRY_CASES_RENEW_H

#include "server/registry/cases.h"

/* Cases that one step makes again. */
#define CASES_RENEW_STEP 8

/*
 * Is there something to do?  Looks at a bounded number of cases, outside a
 * transaction, and goes on from there at the next call.
 */
bool cases_renew_due(struct cases *cases);

/*
 * One step, in the open transaction.  *ret_left: how many had to be left as
 * they are, because a row of theirs cannot be read; that is no failure.
 * Errors of the store: nothing of the step counts.
 */
CDOP_MUST enum cdop_err cases_renew(struct cases *cases,
    struct cdop_arena *arena, uint64_t now_ms, size_t *ret_left);

#endif
