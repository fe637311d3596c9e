/* What a version of a case's state changed. */
#ifndef CDOP_REGISTRY_CASES_DETAIL_H
#define CDOP_REGISTRY_CASES_DETAIL_H

#include "server/registry/cases_history.h"

/*
 * Fills the details of an event with what is in a state and not in the one
 * before it (NULL: it is the first).  Of a case that the caller may not see
 * nothing is said: a link to it is left out, a move names no case.
 *
 * Everything is copied into act's arena.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_detail(struct cases_act *act,
    const Cdop__StoredCase *was, const Cdop__StoredCase *is,
    struct cases_event *event, struct cases_named *named);

#endif
