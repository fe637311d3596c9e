/*
 * A child of the parent, from fork to its first message; and the start of
 * the child itself, which is the same program executed again.
 */
#ifndef CDOP_BASE_CHILD_H
#define CDOP_BASE_CHILD_H

#include <sys/types.h>

#include "cdop/err.h"
#include "server/base/control.h"

#define CHILD_FDS_MAX (CONTROL_LISTEN_FD - CONTROL_FD + CONFIG_LISTEN_MAX)

/* What is started; nothing in it changes hands. */
struct child_args {
	const char *role; /* argv[1]: "gate" or "vault" */
	const struct control_start *start;
	int fds[CHILD_FDS_MAX]; /* in place from CONTROL_LINK_FD on; -1: none */
	size_t n_fds;
};

/*
 * Forks, executes /proc/self/exe with that role and sends it its start, so
 * that each child has an address layout of its own.  The child dies with
 * this process.  *ret_control is the parent's end of a new control pair.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err child_spawn(
    const struct child_args *args, pid_t *ret_pid, int *ret_control);

/*
 * Child: receives the start; false where this process is no child of ours
 * or the parent is gone.
 */
bool child_start(struct control_start *ret_start);

#endif
