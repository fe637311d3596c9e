/* Connecting: which of the addresses and keys of a device opens. */
#ifndef CDOP_CLIENT_SESSION_DIAL_H
#define CDOP_CLIENT_SESSION_DIAL_H

#include "client/session.h"

/* Which PSK it was; from 0 on one of those of before, by its place. */
enum {
	SESSION_DIAL_NEXT = -2,
	SESSION_DIAL_CURRENT = -1,
};

/*
 * All addresses, with each key that is pinned of the server and each PSK;
 * those of before only where session.earlier says so.  args has what each
 * attempt has in common.  CONN_OK: session.conn is open, under *ret_psk.
 */
enum conn_end session_dial(
    struct cmd_ctx *ctx, struct conn_args *args, int *ret_psk);

#endif
