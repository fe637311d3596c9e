/*
 * Summary rows: what the index needs to know of a case, gathered from every
 * version of everything (RECORDS M18).  A cache: taking all versions again,
 * in their order, gives the same.
 */
#ifndef CDOP_REGISTRY_SUMMARY_H
#define CDOP_REGISTRY_SUMMARY_H

#include "cdop/arena.h"
#include "cdop/err.h"
#include "stored.pb-c.h"

/*
 * What a SUMMARY row says in its head.  It grows with what a summary holds;
 * rows of an older one are renewed (cases_renew.h).
 *
 *	2	the jurisdiction of the case
 *	3	whether the name that is shown is the mother's
 */
#define SUMMARY_SCHEMA 3

/* Entries of one list; the oldest fall out.  Nobody has so many names. */
#define SUMMARY_LIST_MAX 400

/* An empty one; NULL: no memory. */
Cdop__StoredSummary *summary_new(struct cdop_arena *arena);

/*
 * Takes a version of the case's state: owner, status, links.  Everything
 * the summary holds is copied into the arena.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err summary_take_state(Cdop__StoredSummary *summary,
    const Cdop__StoredCase *state, struct cdop_arena *arena);

/*
 * Adds what a version of a form instance gives; instance 0, the case
 * record, also decides what a list shows.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err summary_take_form(Cdop__StoredSummary *summary,
    const Cdop__StoredForm *form, struct cdop_arena *arena);

#endif
