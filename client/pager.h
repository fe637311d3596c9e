/*
 * Long results a page at a time: $PAGER or less, fed by a pipe, where a
 * person sits at a terminal.  What is shown goes nowhere else: less keeps no
 * history and starts no other program.
 */
#ifndef CDOP_CLIENT_PAGER_H
#define CDOP_CLIENT_PAGER_H

#include "client/cmd.h"

/*
 * From here on the result goes to a pager; call it when nobody will be asked
 * any more.  Nothing happens with --json, --no-pager, --out, without a
 * terminal or without a pager.
 */
void pager_start(struct cmd_ctx *ctx);

bool pager_is_on(void);

/*
 * Is there no use in printing more?  The person has left it, or whoever reads
 * the pipe, or the disk is full.
 */
bool pager_is_left(void);

/* Waits until the person has read it; nothing to do without one. */
void pager_stop(void);

#endif
