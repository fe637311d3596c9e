/* Help made from the table of commands; it touches no key and no network. */
#ifndef CDOP_CLIENT_HELP_H
#define CDOP_CLIENT_HELP_H

#include "client/cmd.h"

/* What cdop can do, or the verbs of one noun. */
void help_short(struct cmd_ctx *ctx, const char *noun);

/* Usage and examples of one command, on stderr. */
void help_usage(struct cmd_ctx *ctx, const struct cmd *cmd);

/* Everything about one command. */
void help_command(struct cmd_ctx *ctx, const struct cmd *cmd);

/* Help on the words of a command line that holds --help. */
void help_words(struct cmd_ctx *ctx, int argc, char **argv);

void help_exit_codes(struct cmd_ctx *ctx);
void help_version(struct cmd_ctx *ctx);

/* Every command and option, one a line, for completion and tests. */
void help_list(struct cmd_ctx *ctx);

#endif
