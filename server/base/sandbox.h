/*
 * The walls of a process: seccomp, Landlock, no core, no new rights.
 *
 * A forbidden call ends the process (SIGSYS), so that a hole is found by
 * the first test that steps into it.  Built with ASan the lists are wider
 * by what ASan itself needs, and the call's number is logged first.
 */
#ifndef CDOP_BASE_SANDBOX_H
#define CDOP_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cdop/err.h"

enum sandbox_role {
	SANDBOX_GATE,  /* sockets it has; no file, no new socket */
	SANDBOX_VAULT, /* files in the directories named; no socket but these */
	SANDBOX_KDF,   /* memory, the descriptors it has, nothing else */
};

/* Whether this kernel has Landlock. */
bool sandbox_has_landlock(void);

/*
 * Shuts the calling process in for good.  dirs are readable and writable
 * with everything beneath; n 0: no file system at all.  Where the kernel
 * has no Landlock, *ret_landlock is false and the caller says so in the
 * log; everything else is required.  CDOP_INTERNAL.
 */
CDOP_MUST enum cdop_err sandbox_enter(enum sandbox_role role,
    const char *const dirs[], size_t n, bool *ret_landlock);

/* No core dump, no ptrace by the same uid, no rights through exec. */
CDOP_MUST enum cdop_err sandbox_harden(void);

/*
 * Whether the kernel says that a process has no seccomp filter: a child
 * that claims to be ready without one is not believed.  False where the
 * kernel does not let us look.
 */
bool sandbox_is_off(pid_t pid);

#endif
