/*
 * The server's first message on a session: what registry this is, in which
 * mode and state.  It goes out after the leaf of the session is durable.
 */
#ifndef CDOP_CYCLE_WELCOME_H
#define CDOP_CYCLE_WELCOME_H

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

struct actor;
struct registry;

#define WELCOME_SCHEMA_LEVEL 1

/* Packed, in the arena.  actor: whose session it is. */
CDOP_MUST enum cdop_err welcome_pack(struct registry *reg,
    struct cdop_arena *arena, const struct actor *actor, uint64_t now_ms,
    struct cdop_bytes *ret_message);

#endif
