/* Calls about people; see people_calls.h. */
#include "tests/unit/server/rpc/people_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void
people_calls_fill(Cdop__PersonInviteRequest *request, Cdop__RoleGrant *grant,
    Cdop__RoleGrant **grants, Cdop__Role role)
{
	static char name[] = "Cora Example", label[] = "office laptop";

	cdop__role_grant__init(grant);
	grant->role = role;
	grants[0] = grant;
	cdop__person_invite_request__init(request);
	request->name = name;
	request->label = label;
	request->has_all_areas = true;
	request->all_areas = true;
	request->grant = grants;
	request->n_grant = 1;
}

Cdop__InviteReply *
people_calls_invite(struct world *world, enum world_who by, Cdop__Role role)
{
	Cdop__PersonInviteRequest request;
	Cdop__RoleGrant grant, *grants[1];
	struct world_answer answer;

	people_calls_fill(&request, &grant, grants, role);
	world_call(world, by, CDOP_CALL_PersonInvite, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return world_body(world, &answer, &cdop__invite_reply__descriptor);
}

void
people_calls_revoke(
    struct world *world, enum world_who who, struct world_answer *ret_answer)
{
	static char why[] = "has left";
	Cdop__RevokeRequest request;

	cdop__revoke_request__init(&request);
	request.person = WORLD_ADMIN_3;
	request.reason = why;
	world_call(world, who, CDOP_CALL_AdministratorRevoke, &request.base,
	    ret_answer);
	assert_int_equal(ret_answer->failed, CDOP_OK);
}

const Cdop__Reply *
people_calls_as(struct world *world, const struct dispatch_peer *peer,
    const Cdop__Call *call)
{
	struct dispatch_request request;
	struct dispatch_result result;
	const Cdop__Reply *reply;
	uint8_t *packed;

	packed =
	    cdop_arena_alloc(world->arena, cdop__call__get_packed_size(call));
	memset(&request, 0, sizeof(request));
	request.peer = peer;
	request.message.len = cdop__call__pack(call, packed);
	request.message.data = packed;
	request.now_ms = world->now_ms;
	world_begin(world, 1u << 20, 64);
	assert_int_equal(
	    dispatch_call(world->reg, world->arena, &request, &result),
	    CDOP_OK);
	assert_int_equal(registry_commit(world->reg), CDOP_OK);
	reply = cdop__reply__unpack(cdop_arena_allocator(world->arena),
	    result.reply.len, result.reply.data);
	assert_non_null(reply);
	return reply;
}
