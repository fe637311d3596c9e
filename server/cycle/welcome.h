/*
 * The server's first message on a session: what registry this is, in which
 * mode and state, and how its log stands (TRUST M10).  It is made when the
 * leaf of the session is durable, and its checkpoint covers that leaf.
 */
#ifndef CDOP_CYCLE_WELCOME_H
#define CDOP_CYCLE_WELCOME_H

#include <stdbool.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

struct registry;

#define WELCOME_SCHEMA_LEVEL 1

struct welcome_to {
	bool pending;             /* the device waits for its activation */
	uint64_t seen_size;       /* of its last checkpoint; 0: it has none */
	uint64_t receipt_size;    /* of a later one out of a receipt; or 0 */
	uint32_t seen_statements; /* that it has followed */
	uint64_t now_ms;
};

/* Packed, in the arena; outside a batch. */
CDOP_MUST enum cdop_err welcome_pack(struct registry *reg,
    struct cdop_arena *arena, const struct welcome_to *to,
    struct cdop_bytes *ret_message);

#endif
