/* What happened to a case: every version of everything, in order. */
#ifndef CDOP_REGISTRY_CASES_HISTORY_H
#define CDOP_REGISTRY_CASES_HISTORY_H

#include "server/registry/cases.h"

struct cases_event {
	uint64_t at_ms;
	uint32_t person;
	const char *what;
	const char *reason; /* or NULL */
	const char *source; /* or NULL */
	uint64_t version;
	struct cdop_paths path; /* what changed, of a form */
	uint32_t instance;
	bool is_form; /* instance says which */
};

/*
 * Oldest first.  Opens every row of the case, one at a time.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_history(struct cases_act *act, uint32_t slot,
    struct cases_event **ret_event, size_t *ret_n);

#endif
