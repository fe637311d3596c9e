/* How the pre-shared key of this device turns without locking it out. */
#ifndef CDOP_CLIENT_TURN_H
#define CDOP_CLIENT_TURN_H

#include "client/cmd.h"

/*
 * The session was made under the next key: it is the current one now, and the
 * one before is kept among those of before.
 */
enum exit_code turn_adopt(struct cmd_ctx *ctx);

/*
 * The session was made under the i-th of those of before, as the registry was
 * restored from a day when that was in use: it is the current one again, and
 * those that came after it are kept, should the registry of then come back.
 */
enum exit_code turn_back(struct cmd_ctx *ctx, size_t i);

/*
 * The server's keys as this session's Welcome has them are those that the
 * next one takes for its own; nothing where they are.  The server has proved
 * one of them, and the handshake that nobody else speaks.
 */
enum exit_code turn_pin(struct cmd_ctx *ctx);

/* Makes a next key with the registry and keeps it beside the current one. */
enum exit_code turn_now(struct cmd_ctx *ctx);

/* The same once a day, after a command; says nothing when it fails. */
void turn_if_due(struct cmd_ctx *ctx);

#endif
