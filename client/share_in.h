/*
 * A custodian's share, from a sheet or typed without echo (--show: with it); a
 * slip in it is found here, with its line where it is one, before anything is
 * sent.  Never argv.
 */
#ifndef CDOP_CLIENT_SHARE_IN_H
#define CDOP_CLIENT_SHARE_IN_H

#include "cdop/share.h"
#include "client/cmd.h"

/*
 * --from FILE ("-": stdin), or asked for.  It is of the registry of this
 * context.  The caller wipes it.
 */
enum exit_code share_in_get(struct cmd_ctx *ctx, struct cdop_share *ret_share);

#endif
