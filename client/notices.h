/*
 * What every client has to show once: that somebody was let in on the host,
 * that a key lies where it should not.  Shown on the first command that
 * meets it on this device, and by cdop status always.
 *
 *	STATE/notices	hashes of those that were shown, sealed
 */
#ifndef CDOP_CLIENT_NOTICES_H
#define CDOP_CLIENT_NOTICES_H

#include "client/cmd.h"

/*
 * Those of the Welcome that were not shown on this device yet, as remarks;
 * with --json nobody sees them, and they wait.  here: the command shows all
 * of them itself.
 */
void notices_show(struct cmd_ctx *ctx, bool here);

#endif
