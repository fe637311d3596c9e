/*
 * What happened to a case: every version of everything, in order, a page at
 * a time.
 */
#ifndef CDOP_REGISTRY_CASES_HISTORY_H
#define CDOP_REGISTRY_CASES_HISTORY_H

#include "cdop/limits.h"
#include "server/registry/cases_page.h"

struct cases_event {
	/* Where it stands: all events of a case are in the order of these. */
	uint64_t at_ms;
	bool is_form; /* else of the state */
	uint32_t instance;
	uint32_t version;

	uint32_t person;
	const char *what;
	const char *reason;           /* or NULL */
	const char *source;           /* or NULL */
	struct cdop_paths path;       /* what changed, of a form */
	struct cdop_paths decided;    /* of a form: named, left as it was */
	Cdop__HistoryDetail **detail; /* what changed, of the state */
	size_t n_detail;
};

/* Cases that events name: slots, each once; the caller may see them. */
struct cases_named {
	uint32_t slot[CDOP_LIST_MAX];
	size_t n;
};

struct cases_history {
	/* What is asked for. */
	uint32_t slot;
	struct cdop_bytes page; /* token of the page before, or empty */
	uint32_t limit;         /* 0: as many as a page has */

	/* What came of it, oldest first. */
	struct cases_event *event;
	size_t n;
	struct cases_named named;
	bool more;
	uint8_t next[CASES_PAGE_LEN]; /* where more */
};

/*
 * Opens the rows of this page and a few more for each notification, however
 * long the history is.  CDOP_INVALID_ARGUMENT: a token that is not of this
 * history and session.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_history(
    struct cases_act *act, struct cases_history *history);

#endif
