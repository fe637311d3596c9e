/* Exit codes: their words, and how a status becomes one. */
#include "client/exit.h"

#include <string.h>

#include "cdop/err.h"

static const struct {
	const char *reason;
	const char *words;
} codes[EXIT_CODES] = {
    [EXIT_OK] = {"ok", "ok"},
    [EXIT_UNEXPECTED] = {"unexpected", "unexpected failure"},
    [EXIT_USAGE] = {"usage",
	"usage: the command line, a reference or the context is wrong"},
    [EXIT_STOPPED] = {"stopped", "stopped by the person at the terminal"},
    [EXIT_AUTH] = {"authentication",
	"authentication needed, wrong passphrase, or access expired"},
    [EXIT_FORBIDDEN] = {"forbidden", "forbidden for this role"},
    [EXIT_NOT_FOUND] = {"not_found",
	"not found, or not in an area that you work for"},
    [EXIT_INVALID] = {"invalid", "validation failed, nothing written"},
    [EXIT_CONFLICT] = {"conflict",
	"conflict: changed since read, or not possible in this state"},
    [EXIT_DUPLICATE] = {"possible_duplicate",
	"possible duplicate, nothing written"},
    [EXIT_PARTIAL] = {"partial", "partial: some rows were rejected"},
    [EXIT_SECOND] = {"second_person",
	"a second person is needed, the request is filed"},
    [EXIT_SEALED] = {"sealed",
	"the registry is closed or its key is not there"},
    [EXIT_INTEGRITY] = {"integrity",
	"decryption or integrity failure, also a forked log"},
    [EXIT_UNREACHABLE] = {"unreachable",
	"registry unreachable or too slow; nothing was done"},
    [EXIT_OUTCOME] = {"outcome_unknown",
	"outcome unknown, safe to retry (cdop retry)"},
    [EXIT_FINDINGS] = {"findings", "a check found problems"},
    [EXIT_SUPPRESSED] = {"suppressed", "suppressed by the disclosure rule"},
    [EXIT_VERSION] = {"version", "program versions do not fit"},
};

/* Reason words that say more than their status does. */
static const struct {
	const char *reason;
	enum exit_code code;
} reasons[] = {
    {"ask_limit", EXIT_CONFLICT},
    {"bad_reference", EXIT_USAGE},
    {"duplicate", EXIT_DUPLICATE},
    {"expired", EXIT_AUTH},
    {"forbidden", EXIT_FORBIDDEN},
    {"log_forked", EXIT_INTEGRITY},
    {"miss_limit", EXIT_CONFLICT},
    {"mode_mismatch", EXIT_USAGE},
    {"outcome_unknown", EXIT_OUTCOME},
    {"possible_duplicate", EXIT_DUPLICATE},
    {"sealed", EXIT_SEALED},
    {"second_person", EXIT_SECOND},
    {"suppressed", EXIT_SUPPRESSED},
    {"too_large", EXIT_INVALID},
    {"version", EXIT_VERSION},
};

const char *
exit_words(unsigned code)
{
	return code < EXIT_CODES ? codes[code].words : NULL;
}

const char *
exit_reason(enum exit_code code)
{
	unsigned n = (unsigned)code;

	return codes[n < EXIT_CODES ? n : EXIT_UNEXPECTED].reason;
}

static enum exit_code
of_status(uint32_t status, bool change)
{
	switch (status) {
	case CDOP_OK:
		return EXIT_OK;
	case CDOP_INVALID_ARGUMENT:
		return EXIT_INVALID;
	case CDOP_DEADLINE_EXCEEDED:
	case CDOP_RESOURCE_EXHAUSTED:
		return EXIT_UNREACHABLE;
	case CDOP_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case CDOP_PERMISSION_DENIED:
		return EXIT_FORBIDDEN;
	case CDOP_ALREADY_EXISTS:
	case CDOP_FAILED_PRECONDITION:
	case CDOP_ABORTED:
		return EXIT_CONFLICT;
	case CDOP_UNIMPLEMENTED:
		return EXIT_VERSION;
	case CDOP_UNAVAILABLE:
		return change ? EXIT_OUTCOME : EXIT_UNREACHABLE;
	case CDOP_DATA_LOSS:
		return EXIT_INTEGRITY;
	case CDOP_UNAUTHENTICATED:
		return EXIT_AUTH;
	default:
		return EXIT_UNEXPECTED;
	}
}

enum exit_code
exit_code_of(uint32_t status, const char *reason, bool change)
{
	size_t i;

	if (status == CDOP_OK || reason == NULL)
		return of_status(status, change);
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reason, reasons[i].reason) == 0)
			return reasons[i].code;
	return of_status(status, change);
}
