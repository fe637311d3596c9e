/* Status and ShareSubmit of a sealed registry; see sealed.h. */
#include "server/rpc/sealed.h"

#include <string.h>

#include "cdop/call.h"
#include "cdop/scan.h"
#include "cdop/secret.h"
#include "cdop/version.h"
#include "server/registry/registry.h"
#include "server/rpc/ctx.h"

static enum cdop_err
pack(struct cdop_arena *arena, const ProtobufCMessage *message,
    struct cdop_bytes *ret_bytes)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *data = cdop_arena_alloc(arena, len);

	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_bytes->data = data;
	ret_bytes->len = protobuf_c_message_pack(message, data);
	return CDOP_OK;
}

static Cdop__Mode
mode_of(const struct sealed *sealed)
{
	return sealed->mode == REGISTRY_LIVE ? CDOP__MODE__LIVE
					     : CDOP__MODE__TRAINING;
}

enum cdop_err
sealed_welcome(const struct sealed *sealed, struct cdop_arena *arena,
    struct cdop_bytes *ret_message)
{
	static uint8_t no_profile[32];
	char server[] = "cdopd " CDOP_VERSION, panel[] = "";
	Cdop__Welcome welcome;

	cdop__welcome__init(&welcome);
	welcome.schema_level = 1;
	welcome.server = server;
	welcome.registry_id.data = (uint8_t *)(uintptr_t)sealed->registry;
	welcome.registry_id.len = 16;
	welcome.mode = mode_of(sealed);
	welcome.state = CDOP__STATE__SEALED;
	welcome.now_ms = sealed->now_ms;
	welcome.panel = panel;
	welcome.profile_hash.data = no_profile;
	welcome.profile_hash.len = sizeof(no_profile);
	return pack(arena, &welcome.base, ret_message);
}

/* ---- calls -------------------------------------------------------------- */

/* On its way. */
struct work {
	const struct sealed *sealed;
	struct cdop_arena *arena;
	const Cdop__Call *call;
	Cdop__Reply *reply;
	struct sealed_shared *shared;
};

static void
refuse(struct work *work, enum cdop_err err, const char *reason,
    const char *message)
{
	work->reply->status = (uint32_t)err;
	work->reply->reason = cdop_arena_strdup(work->arena, reason);
	work->reply->message = cdop_arena_strdup(work->arena, message);
}

static enum cdop_err
body(struct work *work, const ProtobufCMessage *message)
{
	struct cdop_bytes bytes;
	enum cdop_err err;

	if ((err = pack(work->arena, message, &bytes)) != CDOP_OK)
		return err;
	work->reply->has_body = true;
	work->reply->body.data = (uint8_t *)(uintptr_t)bytes.data;
	work->reply->body.len = bytes.len;
	return CDOP_OK;
}

static enum cdop_err
status(struct work *work)
{
	char server[] = "cdopd " CDOP_VERSION;
	Cdop__StatusReply reply;

	cdop__status_reply__init(&reply);
	reply.state = CDOP__STATE__SEALED;
	reply.mode = mode_of(work->sealed);
	reply.now_ms = work->sealed->now_ms;
	reply.server = server;
	return body(work, &reply.base);
}

static enum cdop_err
take(struct work *work, const Cdop__ShareSubmitRequest *request)
{
	const struct cdop_bytes packed = {
	    request->share.data, request->share.len};
	struct sealed_shared *shared = work->shared;
	Cdop__ShareSubmitReply reply;
	struct cdop_share share;

	if (cdop_share_unpack(packed, &share) != CDOP_OK) {
		refuse(work, CDOP_INVALID_ARGUMENT, "share_wrong",
		    "not a share, or there is a slip in it");
		return CDOP_OK;
	}
	shared->set = share.set;
	shared->x = share.x;
	work->sealed->share(work->sealed->ctx, &share, shared);
	cdop_secret_wipe(&share, sizeof(share));
	if (!shared->taken) {
		refuse(
		    work, CDOP_INVALID_ARGUMENT, "share_wrong", shared->words);
		return CDOP_OK;
	}
	cdop__share_submit_reply__init(&reply);
	reply.set = shared->set;
	reply.share = shared->x;
	reply.have = shared->have;
	reply.need = shared->need;
	reply.opened = shared->opened;
	return body(work, &reply.base);
}

static enum cdop_err
submit(struct work *work)
{
	const struct cdop_bytes in = {
	    work->call->body.data, work->call->body.len};
	Cdop__ShareSubmitRequest *request = NULL;

	if (work->call->has_body &&
	    cdop_scan_message(&cdop__share_submit_request__descriptor, in,
		CDOP_SCAN_STRICT, NULL) == CDOP_OK)
		request = cdop__share_submit_request__unpack(
		    cdop_arena_allocator(work->arena), in.len, in.data);
	if (request != NULL)
		return take(work, request);
	refuse(work, CDOP_INVALID_ARGUMENT, "bad_request",
	    "the message does not follow the protocol");
	return CDOP_OK;
}

enum cdop_err
sealed_call(const struct sealed *sealed, struct cdop_arena *arena,
    struct cdop_bytes message, struct cdop_bytes *ret_reply,
    struct sealed_shared *ret_shared)
{
	Cdop__Reply reply;
	struct work work = {
	    .sealed = sealed,
	    .arena = arena,
	    .reply = &reply,
	    .shared = ret_shared,
	};
	enum cdop_err err = CDOP_OK;

	memset(ret_shared, 0, sizeof(*ret_shared));
	if (cdop_scan_message(&cdop__call__descriptor, message,
		CDOP_SCAN_STRICT, NULL) != CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	work.call = cdop__call__unpack(
	    cdop_arena_allocator(arena), message.len, message.data);
	if (work.call == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__reply__init(&reply);
	reply.id = work.call->id;
	reply.last = true;
	if (work.call->method == CDOP_CALL_Status)
		err = status(&work);
	else if (work.call->method == CDOP_CALL_ShareSubmit)
		err = submit(&work);
	else
		refuse(&work, CDOP_FAILED_PRECONDITION, "state",
		    "the registry is sealed");
	return err == CDOP_OK ? pack(arena, &reply.base, ret_reply) : err;
}
