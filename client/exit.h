/*
 * Exit codes of cdop: published, never renumbered, and the one map from what
 * the registry answered to what a script sees.
 */
#ifndef CDOP_CLIENT_EXIT_H
#define CDOP_CLIENT_EXIT_H

#include <stdbool.h>
#include <stdint.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_UNEXPECTED = 1,
	EXIT_USAGE = 2,
	EXIT_STOPPED = 3,
	EXIT_AUTH = 4,
	EXIT_FORBIDDEN = 5,
	EXIT_NOT_FOUND = 6,
	EXIT_INVALID = 7,
	EXIT_CONFLICT = 8,
	EXIT_DUPLICATE = 9,
	EXIT_PARTIAL = 10,
	EXIT_SECOND = 11,
	EXIT_SEALED = 12,
	EXIT_INTEGRITY = 13,
	EXIT_UNREACHABLE = 14,
	EXIT_OUTCOME = 15,
	EXIT_FINDINGS = 16,
	EXIT_SUPPRESSED = 17,
	EXIT_VERSION = 18,
};

#define EXIT_CODES 19

/* What a code means, for --exit-codes and the man page; NULL: no such code. */
const char *exit_words(unsigned code);

/* The stable word of a code in JSON, "not_found"; "unexpected" for others. */
const char *exit_reason(enum exit_code code);

/*
 * The code for a status of the registry (include/cdop/err.h) and its reason
 * word, which may be NULL.  change: the call changes something, so that no
 * answer means "outcome unknown".
 */
enum exit_code exit_code_of(uint32_t status, const char *reason, bool change);

#endif
