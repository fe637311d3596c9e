/*
 * A notification comes in: a case of its own, or another one of a case
 * that is there.
 */
#ifndef CDOP_REGISTRY_CASES_REGISTER_H
#define CDOP_REGISTRY_CASES_REGISTER_H

#include "server/registry/cases_form.h"
#include "server/registry/cases_owner.h"
#include "server/registry/cases_question.h"

struct cases_register {
	/* What is asked for. */
	struct cases_form_args form;
	const char *owner_area;
	const char *owner_reason;
	struct cases_question question; /* decisions */
	/* A case made of a notification that was elsewhere: its versions,
	 * oldest first, and the case it was in.  Else NULL and zeros. */
	Cdop__StoredForm *const *moved;
	size_t n_moved;
	uint64_t moved_from;

	/* What came of it; also after a dry run, as far as it goes. */
	uint64_t case_id; /* 0: a dry run of a new case */
	uint32_t slot;    /* of the case, once it is there */
	uint32_t notification;
	uint64_t version; /* of the case record */
	struct cases_owner owner;
	struct cdop_missing_list missing;
	struct cdop_paths difference;
	const char *told;
};

/*
 * CDOP_INVALID_ARGUMENT, CDOP_FAILED_PRECONDITION (possible_duplicate:
 * question says which), CDOP_NOT_FOUND, CDOP_RESOURCE_EXHAUSTED, and what
 * the store says.
 */
CDOP_MUST enum cdop_err cases_register(
    struct cases_act *act, struct cases_register *reg);

/*
 * The same answer once more, for a request that was applied: notification
 * n of the case in slot, or of a case the caller may not see (seen false).
 * The owner is the one there is now; of a case that it was joined to and
 * that went to where the caller may not see it, nothing is said.
 */
CDOP_MUST enum cdop_err cases_register_again(
    struct cases_act *act, struct cases_register *reg, bool seen, bool joined);

/*
 * A new case around one notification whose owner is decided and whose
 * question is answered: used by cases_register() and for one that moves
 * out.  Sets case_id, slot, notification and version.
 */
CDOP_MUST enum cdop_err cases_register_new(
    struct cases_act *act, struct cases_register *reg, const char *what);

/*
 * A notification belongs to a case from now on; moved_from: the case it was
 * in before, or 0.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_register_add(struct cases_act *act,
    Cdop__StoredCase *state, uint32_t number, uint64_t moved_from);

#endif
