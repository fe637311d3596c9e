/*
 * What changes in a case's state alone: owner, interest, status, who is
 * responsible, links to other cases.  Each is a new version with a reason.
 */
#ifndef CDOP_REGISTRY_CASES_STATE_H
#define CDOP_REGISTRY_CASES_STATE_H

#include "server/registry/cases.h"
#include "server/registry/cases_question.h"

struct cases_alter {
	/* What is asked for. */
	const char *reference; /* as typed */
	uint64_t version;      /* of the state, as seen; links name none */
	const char *reason;
	const char *source; /* owner; or NULL */
	const char *area;   /* owner, interest */
	bool known;         /* interest */
	bool remove;        /* interest */
	uint32_t person;    /* responsible; 0: nobody */
	const char *other;  /* link: reference */
	const char *kind;   /* link */

	/* What came of it. */
	struct cases_question question; /* reinstate */
	const Cdop__Form *sought; /* reinstate: the record; NULL: not asked */
	uint32_t slot;
	uint32_t other_slot; /* link */
	uint64_t new_version;
	const char *word; /* or NULL */
};

/*
 * All: CDOP_INVALID_ARGUMENT, CDOP_NOT_FOUND, CDOP_RESOURCE_EXHAUSTED, and
 * CDOP_ABORTED "changed" where the state is not the one that was seen.
 */

/* One re-wrap of the case key; the new owner's area sees it from now on. */
CDOP_MUST enum cdop_err cases_state_owner(
    struct cases_act *act, struct cases_alter *alter);

CDOP_MUST enum cdop_err cases_state_interest(
    struct cases_act *act, struct cases_alter *alter);

/*
 * Entered in error: out of lists, counts and the duplicate stop, never
 * deleted; and back, after the duplicate question: the child may have been
 * registered anew meanwhile.  CDOP_FAILED_PRECONDITION: it is so already, or
 * "possible_duplicate" of the cases in alter->question (link them first).
 */
CDOP_MUST enum cdop_err cases_state_withdraw(
    struct cases_act *act, struct cases_alter *alter);
CDOP_MUST enum cdop_err cases_state_reinstate(
    struct cases_act *act, struct cases_alter *alter);

/* An active coordinator who may see this case. */
bool cases_state_may_respond(const struct cases_act *act,
    const struct index_post *post, uint32_t number);
CDOP_MUST enum cdop_err cases_state_responsible(
    struct cases_act *act, struct cases_alter *alter);

/* Two-sided.  CDOP_ALREADY_EXISTS: linked like that. */
CDOP_MUST enum cdop_err cases_state_link(
    struct cases_act *act, struct cases_alter *alter);

/*
 * A link that was wrong: kept, with why, and silent from now on.  Where the
 * two may be one child it is a question again.  CDOP_FAILED_PRECONDITION
 * "not_linked".
 */
CDOP_MUST enum cdop_err cases_state_unlink(
    struct cases_act *act, struct cases_alter *alter);

/* ---- for cases_state.c, cases_hold.c and cases_erase.c only ---- */

/* The case, its state as it was seen and, where it takes one, why. */
CDOP_MUST enum cdop_err cases_state_begin(struct cases_act *act,
    struct cases_alter *alter, bool reason, Cdop__StoredCase **ret_state);
CDOP_MUST enum cdop_err cases_state_store(struct cases_act *act,
    struct cases_alter *alter, const Cdop__StoredCase *state);

#endif
