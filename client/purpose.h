/* Why, in which role and for what use a call is made. */
#ifndef CDOP_CLIENT_PURPOSE_H
#define CDOP_CLIENT_PURPOSE_H

#include "client/cmd.h"

/*
 * The code and text for this command: --purpose, or the one the profile has
 * for it, or asked.  EXIT_USAGE: no such code, or a text is wanted.
 */
enum exit_code purpose_choose(
    struct cmd_ctx *ctx, const char **ret_code, const char **ret_text);

/* --use, or what stdout is.  Judged by purpose_check_use before. */
Cdop__Use purpose_use(const struct cmd_ctx *ctx);
enum exit_code purpose_check_use(struct cmd_ctx *ctx);

/* "coordinator" to its number.  EXIT_USAGE. */
enum exit_code purpose_role(
    struct cmd_ctx *ctx, const char *word, Cdop__Role *ret_role);

/* "coordinator" of its number; "role 12" for one that is newer. */
const char *purpose_role_word(struct cdop_arena *arena, Cdop__Role role);

#endif
