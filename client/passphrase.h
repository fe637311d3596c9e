/* Where a passphrase comes from: a terminal, a file or a descriptor; never
 * argv, never the value of a variable. */
#ifndef CDOP_CLIENT_PASSPHRASE_H
#define CDOP_CLIENT_PASSPHRASE_H

#include "cdop/bytes.h"
#include "client/cmd.h"

#define PASSPHRASE_MAX 1024
#define PASSPHRASE_MIN 12 /* of a new one */

/* The passphrase of an identity, in the arena.  EXIT_AUTH; EXIT_STOPPED. */
enum exit_code passphrase_get(
    struct cmd_ctx *ctx, const char *what, struct cdop_bytes *ret_passphrase);

/* Will it be typed, so that a slip may be mended? */
bool passphrase_is_typed(const struct cmd_ctx *ctx);

/* A new one, typed twice where it is typed.  EXIT_USAGE: too short. */
enum exit_code passphrase_new(
    struct cmd_ctx *ctx, const char *what, struct cdop_bytes *ret_passphrase);

#endif
