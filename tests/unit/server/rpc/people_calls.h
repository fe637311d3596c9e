/*
 * Short hands for calls about people, through dispatch, in a test's world.
 */
#ifndef CDOP_TESTS_PEOPLE_CALLS_H
#define CDOP_TESTS_PEOPLE_CALLS_H

#include "tests/unit/server/world.h"

/* An invitation of one role in all areas; grant and grants stay the
 * caller's. */
void people_calls_fill(Cdop__PersonInviteRequest *request,
    Cdop__RoleGrant *grant, Cdop__RoleGrant **grants, Cdop__Role role);

/* PersonInvite of it, which has to be done. */
Cdop__InviteReply *people_calls_invite(
    struct world *world, enum world_who by, Cdop__Role role);

/* To revoke administrator 3, which waits for another's yes. */
void people_calls_revoke(
    struct world *world, enum world_who who, struct world_answer *ret_answer);

/*
 * One call of a peer that the world does not know of, in a batch of its own;
 * call is packed as it is.
 */
const Cdop__Reply *people_calls_as(struct world *world,
    const struct dispatch_peer *peer, const Cdop__Call *call);

#endif
