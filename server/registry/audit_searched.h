/*
 * Whether a child was searched for: what somebody typed, found again beside a
 * leaf and compared with what two people give (RECORDS M11).  The terms
 * themselves do not leave.
 */
#ifndef CDOP_REGISTRY_AUDIT_SEARCHED_H
#define CDOP_REGISTRY_AUDIT_SEARCHED_H

#include "cdop/arena.h"
#include "cdop/err.h"
#include "server/registry/cases_terms.h"

struct audit_leaf;
struct rows;

/* Is there enough to compare: an NHS number, or a family name? */
bool audit_searched_enough(const struct cases_terms *asked);

/*
 * Could these terms have meant that child?  The same NHS number; or a name
 * that is the same or sounds alike, the child's or the mother's, with a date
 * of birth or of death that fits a whole day that was typed, or with no first
 * name and no date that speak against it.
 */
bool audit_searched_fits(
    const struct cases_typed *asked, const struct cases_typed *typed);

/*
 * The same of the terms beside a leaf that a walk has come to; false where
 * they are forgotten.  CDOP_DATA_LOSS, CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err audit_searched_leaf(struct rows *rows,
    struct cdop_arena *arena, const struct audit_leaf *leaf,
    const struct cases_typed *asked, bool *ret_fits);

#endif
