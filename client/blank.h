/* The paper form, printed from the dictionary; needs no registry. */
#ifndef CDOP_CLIENT_BLANK_H
#define CDOP_CLIENT_BLANK_H

#include "client/cmd.h"

enum exit_code blank_print(struct cmd_ctx *ctx);

#endif
