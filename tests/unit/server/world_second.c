/* The second person of an act, as an approver's client is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cdop/second.h"
#include "tests/unit/server/world.h"

void
world_hash(const struct world *world, const Cdop__Approval *approval,
    uint8_t out[static 32])
{
	const struct cdop_second second = {
	    .registry = world->reg->id,
	    .method = approval->method,
	    .requester = approval->requester,
	    .request_key = approval->request_key.data,
	    .request = {approval->request.data, approval->request.len},
	    .target_version = approval->target_version.data,
	};

	cdop_second_hash(out, &second);
}

void
world_decide(struct world *world, enum world_who who,
    const Cdop__Approval *approval, bool yes, char *reason,
    struct world_answer *ret_answer)
{
	Cdop__ApproveRequest request;
	uint8_t hash[32];

	world_hash(world, approval, hash);
	cdop__approve_request__init(&request);
	request.number = approval->number;
	request.hash = (ProtobufCBinaryData){sizeof(hash), hash};
	request.approve = yes;
	request.reason = reason;
	world_call(world, who, CDOP_CALL_Approve, &request.base, ret_answer);
	assert_int_equal(ret_answer->failed, CDOP_OK);
}
