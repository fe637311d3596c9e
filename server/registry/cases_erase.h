/*
 * Erasing a case: its key and all its rows go in one batch, and nothing finds
 * it any more.  That alone proves nothing: old bytes stay in free pages until
 * the rotation that begins with it has ended (certificates.h, TRUST M3).
 */
#ifndef CDOP_REGISTRY_CASES_ERASE_H
#define CDOP_REGISTRY_CASES_ERASE_H

#include "server/registry/cases.h"

struct cases_erase {
	/* What is asked for. */
	const char *reference; /* as typed */
	uint64_t version;      /* of the state, as seen */

	/* What is to be erased; good after it was, too. */
	uint32_t slot;
	uint64_t case_id;
	uint64_t key_id;
	const char *text;  /* the reference */
	const char *area;  /* that owns it */
	uint64_t since_ms; /* it was nowhere before; 0: parts of it were */
	uint64_t rows;
};

/*
 * May it be erased?  CDOP_INVALID_ARGUMENT, CDOP_NOT_FOUND,
 * CDOP_RESOURCE_EXHAUSTED as for every case; CDOP_ABORTED "changed";
 * CDOP_FAILED_PRECONDITION "on_hold".
 */
CDOP_MUST enum cdop_err cases_erase_check(
    struct cases_act *act, struct cases_erase *erase);

/* Erases what was checked in this batch. */
CDOP_MUST enum cdop_err cases_erase_apply(
    struct cases_act *act, const struct cases_erase *erase);

#endif
