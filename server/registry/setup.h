/*
 * A registry's first contents, and new administrators for one that has lost
 * its own.  Both are done offline, with the root open, in a batch of their
 * own; files and prompts are the commands' (server/cmd_init.c,
 * cmd_recover.c).
 */
#ifndef CDOP_REGISTRY_SETUP_H
#define CDOP_REGISTRY_SETUP_H

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "server/registry/registry.h"

#define SETUP_ADMINS_MAX 4

struct people_invitation;

struct setup_args {
	enum registry_mode mode; /* for setup_found() */
	bool degraded;
	struct cdop_bytes profile;
	const char *admin[SETUP_ADMINS_MAX]; /* names, as they are known */
	size_t n_admin;
	const char *by[2];  /* for setup_recover(): who does it, */
	const char *reason; /* and why */
	uint64_t now_ms;
};

/* What was made, or why it was not. */
struct setup_result {
	const struct people_invitation *invitation[SETUP_ADMINS_MAX];
	const char *why; /* a sentence; set when something is refused */
};

/*
 * Into an empty registry over a store that was just made: configuration
 * with fresh link and log keys, the profile with a key for each area, an
 * invitation for each administrator (two at least), the first leaf.  It is
 * durable when this returns.  CDOP_INVALID_ARGUMENT: result->why.
 */
CDOP_MUST enum cdop_err setup_found(struct registry *reg,
    struct cdop_arena *arena, const struct setup_args *args,
    struct setup_result *ret_result);

/*
 * Into a loaded registry: invitations for new administrators, a notice that
 * every client shows, a leaf.  Numbers go on under the next incarnation, as
 * after a restore, and the registry is in setup until the new ones are
 * active.  A restore that waits for being accepted is, by those who do this:
 * there may be no two administrators any more who could. CDOP_INVALID_ARGUMENT,
 * CDOP_FAILED_PRECONDITION: result->why.
 */
CDOP_MUST enum cdop_err setup_recover(struct registry *reg,
    struct cdop_arena *arena, const struct setup_args *args,
    struct setup_result *ret_result);

#endif
