/*
 * The partner's restricted question, decided from the index alone: for
 * somebody else's child exactly what is done is what is done for no child
 * (TRUST S7, RECORDS M13).  No row is opened here, ever.
 */
#ifndef CDOP_REGISTRY_CASES_ASK_H
#define CDOP_REGISTRY_CASES_ASK_H

#include "server/registry/cases.h"
#include "server/registry/cases_terms.h"

/* Numbers are those of Answer in registry.proto. */
enum cases_answer {
	CASES_KNOWN = 1,
	CASES_NOT_KNOWN = 2,
	CASES_NOT_ENOUGH = 3,
};

#define CASES_MATCHED_MAX 4
#define CASES_ASK_ECHO    100 /* bytes of a name that are said back */

struct cases_ask {
	struct cases_typed typed;

	enum cases_answer answer;
	uint32_t slot;                          /* where KNOWN */
	const char *matched[CASES_MATCHED_MAX]; /* literals */
	size_t n_matched;
	const char *understood;
};

/*
 * Enough is a valid NHS number, or a family name with a full date of birth
 * or death.  Names match folded or by sound; a baby without a name by its
 * mother's.  KNOWN only where exactly one case matches with nothing against
 * it; where something does (a date that is not certain, another first name,
 * another NHS number) or several match, it is NOT_ENOUGH.
 *
 * act->true_outcome says what the answer hides.  CDOP_RESOURCE_EXHAUSTED
 * "ask_limit": the person has asked as often as the profile allows in a day;
 * CDOP_INVALID_ARGUMENT: a term is too long.
 */
CDOP_MUST enum cdop_err cases_ask(struct cases_act *act, struct cases_ask *ask);

#endif
