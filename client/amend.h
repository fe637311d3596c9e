/* Changing the case record, and mending a notification. */
#ifndef CDOP_CLIENT_AMEND_H
#define CDOP_CLIENT_AMEND_H

#include "client/cmd.h"

extern const struct cmd_opt amend_opts[];
extern const struct cmd_opt amend_correct_opts[];
enum exit_code amend_run(struct cmd_ctx *ctx);
enum exit_code amend_correct_run(struct cmd_ctx *ctx);

#endif
