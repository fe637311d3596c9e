/* cdop people invite: the file that lets a device enrol. */
#ifndef CDOP_CLIENT_INVITE_H
#define CDOP_CLIENT_INVITE_H

#include "client/cmd.h"

extern const struct cmd_opt invite_opts[];
enum exit_code invite_run(struct cmd_ctx *ctx);

#endif
