/*
 * Legal hold: a case that somebody outside has a claim on.  While it is on
 * hold nothing erases or retires it, and no notification leaves it.  It is
 * kept in the state of the case, version by version (RECORDS S8).
 */
#ifndef CDOP_REGISTRY_CASES_HOLD_H
#define CDOP_REGISTRY_CASES_HOLD_H

#include "server/registry/cases_state.h"

/*
 * reference, version and reason of alter.  Beside the errors of every such
 * change CDOP_FAILED_PRECONDITION: "already_so", it is on hold or is not.
 */
CDOP_MUST enum cdop_err cases_hold_set(
    struct cases_act *act, struct cases_alter *alter);

/* With act->dry it is only checked. */
CDOP_MUST enum cdop_err cases_hold_lift(
    struct cases_act *act, struct cases_alter *alter);

#endif
