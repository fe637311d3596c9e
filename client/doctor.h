/* cdop doctor: looks at files, keys, clock and link; changes nothing. */
#ifndef CDOP_CLIENT_DOCTOR_H
#define CDOP_CLIENT_DOCTOR_H

#include "client/cmd.h"

/* EXIT_FINDINGS when something is not well. */
enum exit_code doctor_run(struct cmd_ctx *ctx);

#endif
