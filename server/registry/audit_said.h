/*
 * What somebody typed with a call, found again beside its leaf: none of it
 * lies under the key of the log (TRUST M3, adr/0020).
 */
#ifndef CDOP_REGISTRY_AUDIT_SAID_H
#define CDOP_REGISTRY_AUDIT_SAID_H

#include "cdop/arena.h"
#include "cdop/err.h"
#include "stored.pb-c.h"

struct audit_leaf;
struct rows;

/*
 * As far as it may leave with the log: NULL where nothing was said, or where
 * it went with its case or its quarter.  A reason about a case is the case's,
 * and is not read here.
 */
struct audit_said {
	const char *purpose;
	const char *reason;
};

/*
 * Of a leaf that a walk has come to, in arena.  CDOP_DATA_LOSS,
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err audit_said_read(struct rows *rows,
    struct cdop_arena *arena, const struct audit_leaf *leaf,
    struct audit_said *ret_said);

/*
 * What was searched for, for the daemon alone to compare with; NULL where
 * nothing was, or where it is forgotten.  *ret_terms is NULL on an error.
 */
CDOP_MUST enum cdop_err audit_said_terms(struct rows *rows,
    struct cdop_arena *arena, const struct audit_leaf *leaf,
    Cdop__StoredTerms **ret_terms);

#endif
