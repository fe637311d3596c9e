/*
 * A small process that holds the key of an unlocked identity in locked
 * memory for a while, so that not every command asks for the passphrase
 * (RECORDS S1).  One a context and login session; nothing of it is on disk
 * but its socket under XDG_RUNTIME_DIR.
 */
#ifndef CDOP_CLIENT_AGENT_H
#define CDOP_CLIENT_AGENT_H

#include "cdop/secret.h"
#include "client/cmd.h"

/* Starts one for the context of the session, which is unlocked. */
enum exit_code agent_start(struct cmd_ctx *ctx, unsigned seconds);

/*
 * The key for the identity of this salt, from an agent of the same user.
 * False: there is none, or it holds another.
 */
bool agent_key(struct cmd_ctx *ctx, const uint8_t salt[static CDOP_SALT_LEN],
    uint8_t ret_key[static CDOP_KEY_LEN]);

/* Makes it forget and end.  False: there was none. */
bool agent_stop(struct cmd_ctx *ctx);

#endif
