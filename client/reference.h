/* A case reference on a command line: checked here, before anything is sent. */
#ifndef CDOP_CLIENT_REFERENCE_H
#define CDOP_CLIENT_REFERENCE_H

#include "client/cmd.h"

/* Canonical text of what was typed.  EXIT_USAGE: not a reference. */
enum exit_code reference_read(
    struct cmd_ctx *ctx, const char *typed, char **ret_reference);

#endif
