/*
 * One process at a time: a lock on a file of its own, waited for a while.
 * The kernel drops it when its holder dies, however that ends.
 */
#ifndef CDOP_CLIENT_LOCK_H
#define CDOP_CLIENT_LOCK_H

#include "client/cmd.h"

struct lock {
	int fd;
	const char *path;
};

#define LOCK_WAIT_MS 20000 /* usually; a connection may take so long */

/*
 * Takes the lock whose file is path, which is made where it is not there.
 * Waits for another process so long, and says so on the way.
 * EXIT_UNREACHABLE, reason "busy": it did not end; what names what it does.
 */
enum exit_code lock_take(struct cmd_ctx *ctx, const char *path,
    const char *what, unsigned wait_ms, struct lock *ret_lock);

/* Gives it back.  gone: its file goes, too. */
void lock_drop(struct lock *lock, bool gone);

#endif
