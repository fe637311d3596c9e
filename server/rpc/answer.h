/*
 * The second half of a call: its audit leaf, and then the bytes of its
 * reply.  For dispatch.c only.
 */
#ifndef CDOP_RPC_ANSWER_H
#define CDOP_RPC_ANSWER_H

#include "server/registry/actor.h"
#include "server/rpc/dispatch.h"

/* One call on its way. */
struct work {
	struct registry *reg;
	struct cdop_arena *arena;
	const struct dispatch_request *request;
	const Cdop__Call *call; /* NULL: the envelope itself was wrong */
	struct actor actor;
	struct rpc_ctx ctx;
	void *req;
	void *rep;
	Cdop__StoredOutcome stored;
	size_t body_len; /* of rep, where it is measured */
	bool is_measured;
	bool filed; /* waits for a second person */
	uint8_t approval[8];
	bool close;
};

/*
 * Puts the leaf down and packs the reply.  Where this fails there is no
 * answer, and the batch has to be aborted.
 */
CDOP_MUST enum cdop_err answer_work(struct work *work, enum cdop_err status,
    struct dispatch_result *ret_result);

#endif
