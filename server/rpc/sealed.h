/*
 * The two calls there are while the registry is sealed, for a custodian who
 * came in through the boot set: Status and ShareSubmit.  No registry, no
 * batch, no leaf; what was submitted is logged once it is open (TRUST M6).
 */
#ifndef CDOP_RPC_SEALED_H
#define CDOP_RPC_SEALED_H

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"
#include "cdop/share.h"

/* What became of a share. */
struct sealed_shared {
	uint16_t set;
	uint8_t x;
	uint8_t have;
	uint8_t need;
	bool opened;
	bool taken;        /* it was good */
	const char *words; /* of what it was, a literal */
};

typedef void sealed_share_fn(void *ctx, const struct cdop_share *share,
    struct sealed_shared *ret_shared);

struct sealed {
	const uint8_t *registry; /* 16 */
	uint8_t mode;            /* enum registry_mode */
	uint64_t now_ms;         /* wall */
	sealed_share_fn *share;
	void *ctx; /* its */
};

/* The first message of a session.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err sealed_welcome(const struct sealed *sealed,
    struct cdop_arena *arena, struct cdop_bytes *ret_message);

/*
 * The reply to one Call.  ret_shared->x is 0 where no share came.
 * CDOP_INVALID_ARGUMENT: not a Call; close the session.
 */
CDOP_MUST enum cdop_err sealed_call(const struct sealed *sealed,
    struct cdop_arena *arena, struct cdop_bytes message,
    struct cdop_bytes *ret_reply, struct sealed_shared *ret_shared);

#endif
