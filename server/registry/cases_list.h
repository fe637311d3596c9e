/*
 * Cases together: pages of a list, what find finds, and pairs that may be
 * the same child.  Everything passes access.h; what is left out leaves no
 * trace, not in counts and not in page tokens.
 */
#ifndef CDOP_REGISTRY_CASES_LIST_H
#define CDOP_REGISTRY_CASES_LIST_H

#include "server/registry/cases_page.h"
#include "server/registry/duplicates.h"

#define CASES_FIND_MAX 20

struct cases_list {
	/* What is asked for; NULL or 0: any. */
	const char *area;
	const char *status;
	const char *since; /* ISO days */
	const char *until;
	bool mine;
	bool handover; /* whose responsible person does not work it any more */
	struct cdop_bytes page; /* token of the page before, or empty */
	uint32_t limit;

	/* What came of it. */
	uint32_t *slot;
	size_t n;
	bool more;
	uint8_t next[CASES_PAGE_LEN]; /* where more */
};

/* CDOP_INVALID_ARGUMENT: a date, or a token that is not this session's. */
CDOP_MUST enum cdop_err cases_list(
    struct cases_act *act, struct cases_list *list);

/* "28-364 days", "1-4 years"; NULL: not to be said from what is known. */
const char *cases_list_age(
    const struct index_post *post, const struct cdop_profile *profile);

struct cases_find {
	/* What is asked for, as typed; NULL: not given. */
	const char *nhs_number;
	const char *family_name;
	const char *first_name;
	const char *birth_date;
	const char *death_date;
	const char *mother_name;

	/* What came of it. */
	uint32_t slot[CASES_FIND_MAX];
	size_t n;
	bool more;
	const char *understood;
};

/* CDOP_INVALID_ARGUMENT: a term is none, or they are not enough. */
CDOP_MUST enum cdop_err cases_find(
    struct cases_act *act, struct cases_find *find);

struct cases_pair {
	uint32_t one;
	uint32_t other;
	struct duplicates_hit why;
};

#define CASES_PAIRS_MAX 50 /* on a page: each names two cases as left */

struct cases_pairs {
	struct cdop_bytes page; /* token of the page before, or empty */

	/* What came of it. */
	struct cases_pair *pair;
	size_t n;
	bool more;
	uint8_t next[CASES_PAGE_LEN]; /* where more */
};

/*
 * Pairs of which the caller sees both, not decided yet, each once.
 * CDOP_INVALID_ARGUMENT: not a token of this session.
 */
CDOP_MUST enum cdop_err cases_list_pairs(
    struct cases_act *act, struct cases_pairs *pairs);

#endif
