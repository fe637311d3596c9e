/*
 * Results of every call that can fail, and the status of every RPC.
 *
 * Names and numbers are gRPC's canonical status codes, so that one list
 * serves the code, the wire and the reader.  The numbers travel and are
 * frozen.  A code exists only where a caller acts on it differently; what
 * a person needs to know beyond that is a reason word beside it
 * (proto/registry.proto, Reply.reason).
 */
#ifndef CDOP_ERR_H
#define CDOP_ERR_H

/* The caller has to look at the result. */
#define CDOP_MUST __attribute__((warn_unused_result))

enum cdop_err {
	CDOP_OK = 0,
	CDOP_INVALID_ARGUMENT = 3,    /* the input is wrong as such */
	CDOP_DEADLINE_EXCEEDED = 4,   /* not begun in time, not applied */
	CDOP_NOT_FOUND = 5,           /* also "not yours": they read alike */
	CDOP_ALREADY_EXISTS = 6,      /* request key used for other content */
	CDOP_PERMISSION_DENIED = 7,   /* this role never may */
	CDOP_RESOURCE_EXHAUSTED = 8,  /* a bound of limits.h, memory, disk */
	CDOP_FAILED_PRECONDITION = 9, /* the state does not allow it now */
	CDOP_ABORTED = 10,            /* changed since it was read */
	CDOP_UNIMPLEMENTED = 12,      /* no such call, version or suite */
	CDOP_INTERNAL = 13,           /* our mistake */
	CDOP_UNAVAILABLE = 14,        /* no answer; outcome may be unknown */
	CDOP_DATA_LOSS = 15,          /* does not authenticate */
	CDOP_UNAUTHENTICATED = 16,    /* who are you? */
};

/* The canonical name, "NOT_FOUND"; "UNKNOWN" for a number not in the list. */
const char *cdop_err_name(enum cdop_err err);

/*
 * Impossible states end the process, in release builds too.  Running out of
 * memory or disk is not impossible: that is CDOP_RESOURCE_EXHAUSTED.
 */
#define CDOP_ASSERT(cond)                                                      \
	((cond) ? (void)0 : cdop_assert_failed(#cond, __FILE__, __LINE__))
__attribute__((noreturn)) void cdop_assert_failed(
    const char *cond, const char *file, int line);

#endif
