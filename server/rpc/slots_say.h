/*
 * What opens the registry in words: the lines of status, what is not well
 * about it, and a slot as the second person reads it.
 */
#ifndef CDOP_RPC_SLOTS_SAY_H
#define CDOP_RPC_SLOTS_SAY_H

#include "server/rpc/ctx.h"

#define SLOTS_SAY_KINDS 2  /* fewer, and one loss may be the loss of all */
#define SLOTS_SAY_MAX   16 /* warnings */

/*
 * A label or a holder on its way out: what was typed before it had to be
 * UTF-8 is made so, as no client takes a message with it.  NULL: no memory.
 */
char *slots_say_text(struct rpc_ctx *ctx, const char *text);

/* 'slot 3 shares "custodians" (any 3 of 5), proved ...'; NULL: no memory. */
const char *slots_say_line(struct rpc_ctx *ctx, size_t slot);

/* That custodians open it, and a backup, with; but for slot but (0: none). */
bool slots_say_has_shares(const struct rpc_ctx *ctx, uint32_t but);

/* Lines and the last drill into the reply.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err slots_say_fill(
    struct rpc_ctx *ctx, Cdop__StatusReply *rep);

/* What is not well, worst first; how many.  One may be NULL: no memory. */
size_t slots_say_warnings(
    struct rpc_ctx *ctx, const char *ret_words[static SLOTS_SAY_MAX]);

#endif
