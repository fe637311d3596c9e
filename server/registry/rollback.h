/*
 * Whether a database is older than its anchor, or another one (threat T5).
 * It knows no file: the anchor is bytes here.
 *
 * The anchor is not believed, only compared: whoever can write it can also
 * take it away.  What it says either is a part of this log or is not.
 */
#ifndef CDOP_REGISTRY_ROLLBACK_H
#define CDOP_REGISTRY_ROLLBACK_H

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "server/registry/registry.h"

enum rollback {
	ROLLBACK_NONE,    /* the anchor's log is the beginning of this one */
	ROLLBACK_OLDER,   /* this database is older than the anchor */
	ROLLBACK_FORKED,  /* as long, and another log */
	ROLLBACK_FOREIGN, /* the anchor is another registry's, or no anchor */
};

/*
 * Compares a loaded registry with an anchor.  Errors of the tree:
 * CDOP_DATA_LOSS, a row of it does not authenticate.
 */
CDOP_MUST enum cdop_err rollback_check(
    struct registry *reg, struct cdop_bytes anchor, enum rollback *ret_found);

/* In words for an operator; "" for none. */
const char *rollback_words(enum rollback found);

#endif
