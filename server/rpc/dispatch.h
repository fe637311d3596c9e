/*
 * From the bytes of one Call to the bytes of its Reply, inside the batch's
 * transaction: policy first, then the request key, then everything else, and
 * an audit leaf whatever came of it.
 *
 * The steps stand in dispatch_call() in their order.  Nothing of the body is
 * looked at before the policy line has been satisfied.
 */
#ifndef CDOP_RPC_DISPATCH_H
#define CDOP_RPC_DISPATCH_H

#include "server/rpc/ctx.h"

struct audit_receipt;

/* What a session says about itself; who that is now is asked per call. */
struct dispatch_peer {
	uint32_t device; /* 0: under an invitation */
	uint8_t public_key[32];
	uint8_t handshake[64];    /* hash */
	uint8_t session[16];      /* as it stands in leaves */
	uint8_t invitation[16];   /* where device is 0 */
	uint8_t psk_id[16];       /* people_psk_id() of the PSK that fitted */
	uint8_t server_key[32];   /* newest that it keeps; zeros: not said */
	const char *said_by_gate; /* address; believed by nobody */
};

struct dispatch_request {
	const struct dispatch_peer *peer;
	struct cdop_bytes message; /* a Call; its caller's, until answered */
	uint64_t arrived_ms;       /* CLOCK_BOOTTIME */
	uint64_t boot_ms;          /* CLOCK_BOOTTIME now */
	uint64_t now_ms;           /* leaf time of the batch */
	struct rpc_cursor stream;  /* where a stream goes on; else zeros */
	uint32_t stream_count;     /* messages sent of it already */
	bool expired_session;      /* older than CDOP_SESSION_S: no new call */
};

struct dispatch_result {
	struct cdop_bytes reply; /* packed, in the arena */
	/* Of its leaf, in the arena; NULL: the caller asked for none. */
	const struct audit_receipt *receipt;
	struct rpc_cursor next; /* at not 0: call again for the next part */
	uint32_t stream_count;
	uint32_t end_person; /* sessions to end before answering; 0: none */
	uint32_t end_device;
	bool close; /* this session is beyond use */
};

/*
 * Works one call.  CDOP_OK: there is a reply to be sent once the batch is
 * durable.  Anything else: a change was begun and failed, so the whole batch
 * has to be aborted (the batch then runs each request alone, and this one is
 * refused with dispatch_refuse).
 */
CDOP_MUST enum cdop_err dispatch_call(struct registry *reg,
    struct cdop_arena *arena, const struct dispatch_request *request,
    struct dispatch_result *ret_result);

/*
 * The answer to a request whose change failed: a leaf and a reply with err,
 * nothing else.  Fails only where no leaf can be written.
 */
CDOP_MUST enum cdop_err dispatch_refuse(struct registry *reg,
    struct cdop_arena *arena, const struct dispatch_request *request,
    enum cdop_err err, struct dispatch_result *ret_result);

/*
 * May a call of this method and length be worked on, as full as the disk is?
 * Of an act that is approved it is asked, too.
 */
CDOP_MUST enum cdop_err dispatch_check_room(
    struct rpc_ctx *ctx, const struct rpc_method *method, size_t len);

/*
 * Runs an act that has found its second person, with the requester as the
 * actor.  CDOP_ABORTED when the target is no longer what was approved.
 * *ret_reply is the packed reply message of the method, in ctx->arena.
 */
CDOP_MUST enum cdop_err dispatch_run_approved(struct rpc_ctx *ctx,
    const struct rpc_method *method, const struct actor *requester,
    struct cdop_bytes request, const uint8_t *request_key,
    const uint8_t expected_target[static 32], struct cdop_bytes *ret_reply);

#endif
