/*
 * A root that somebody had: nothing of what it led to may open anything of
 * the store any more (adr/0025).
 *
 * Two people say so over the link, and the rotation waits for the holders of
 * slots; on the host, with them there, `cdopd renew-root` makes a copy that
 * has another root, ring, slots, epoch keys and case keys.  The file that it
 * ends with says by itself that it was made: no key of the registry is older
 * than the rotation.
 */
#ifndef CDOP_REGISTRY_ROTATION_RENEW_H
#define CDOP_REGISTRY_ROTATION_RENEW_H

#include "server/registry/rotation.h"

/* The store is one that was made for the rotation that waits. */
bool rotation_renew_stands(const struct rotation *rotation);

struct rotation_renew_new {
	const char *by;
	const char *reason; /* or NULL */
	const char *slots;  /* what is to be made, for whoever reads the log */
};

/*
 * On the host, with the registry open, before the copy: who does it, with
 * which slots, which keys it is to do without.  A batch of its own.
 * CDOP_FAILED_PRECONDITION: no root waits for its holders, and the registry is
 * not in setup, where one person decides; then it has begun one.
 */
CDOP_MUST enum cdop_err rotation_renew_begin(struct registry *reg,
    struct cdop_arena *arena, const struct rotation_renew_new *new,
    uint64_t now_ms);

#endif
