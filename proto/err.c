/* Names of results, and the end of an impossible state. */
#include "cdop/err.h"

#include <stdio.h>
#include <stdlib.h>

const char *
cdop_err_name(enum cdop_err err)
{
	switch (err) {
	case CDOP_OK:
		return "OK";
	case CDOP_INVALID_ARGUMENT:
		return "INVALID_ARGUMENT";
	case CDOP_DEADLINE_EXCEEDED:
		return "DEADLINE_EXCEEDED";
	case CDOP_NOT_FOUND:
		return "NOT_FOUND";
	case CDOP_ALREADY_EXISTS:
		return "ALREADY_EXISTS";
	case CDOP_PERMISSION_DENIED:
		return "PERMISSION_DENIED";
	case CDOP_RESOURCE_EXHAUSTED:
		return "RESOURCE_EXHAUSTED";
	case CDOP_FAILED_PRECONDITION:
		return "FAILED_PRECONDITION";
	case CDOP_ABORTED:
		return "ABORTED";
	case CDOP_UNIMPLEMENTED:
		return "UNIMPLEMENTED";
	case CDOP_INTERNAL:
		return "INTERNAL";
	case CDOP_UNAVAILABLE:
		return "UNAVAILABLE";
	case CDOP_DATA_LOSS:
		return "DATA_LOSS";
	case CDOP_UNAUTHENTICATED:
		return "UNAUTHENTICATED";
	}
	return "UNKNOWN";
}

void
cdop_assert_failed(const char *cond, const char *file, int line)
{
	fprintf(
	    stderr, "cdop: impossible state: %s (%s:%d)\n", cond, file, line);
	abort();
}
