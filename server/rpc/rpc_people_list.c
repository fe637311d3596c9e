/* The list of people, with their invitations. */
#include <string.h>

#include "cdop/limits.h"
#include "server/registry/invitations.h"
#include "server/registry/registry.h"
#include "server/rpc/rpc_person.h"

#define PAGE 33

/* Persons of one message, and whether what is over is wanted too. */
struct span {
	uint32_t after;
	uint32_t last;
	bool all;
};

static enum cdop_err
list_invitation(struct rpc_ctx *ctx, const struct people_invitation *invitation,
    Cdop__PeopleListReply *rep)
{
	Cdop__InvitationEntry *out;

	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__invitation_entry__init(out);
	out->invitation_id.len = sizeof(invitation->invitation_id);
	out->invitation_id.data =
	    (uint8_t *)(uintptr_t)invitation->invitation_id;
	out->person = invitation->person;
	out->label = cdop_arena_strdup(ctx->arena, invitation->label);
	out->expires_ms = invitation->expires_ms;
	out->state = cdop_arena_strdup(
	    ctx->arena, invitations_state(invitation, ctx->now_ms));
	out->invited_by = invitation->invited_by;
	if (out->label == NULL || out->state == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rep->invitation[rep->n_invitation++] = out;
	return CDOP_OK;
}

static bool
is_waiting(
    const struct rpc_ctx *ctx, const struct people_invitation *invitation)
{
	return strcmp(invitations_state(invitation, ctx->now_ms), "waiting") ==
	    0;
}

/* What is over only where it is wanted, or somebody used it twice. */
static bool
is_listed(const struct rpc_ctx *ctx, const struct span *of,
    const struct people_invitation *invitation)
{
	return of->all || is_waiting(ctx, invitation) ||
	    invitation->state == CDOP__INVITATION_STATE__INVITATION_FLAGGED;
}

/* How many are listed of each person.  NULL: no memory. */
static const uint32_t *
count_all(struct rpc_ctx *ctx, const struct span *of)
{
	const struct people *people = ctx->reg->people;
	const struct people_invitation *invitation;
	uint32_t *n, i;

	n = cdop_arena_calloc(
	    ctx->arena, people_last_person(people) + 1, sizeof(*n));
	for (i = 0; n != NULL && i < people_n_invitations(people); i++) {
		invitation = people_invitation_at(people, i);
		if (is_listed(ctx, of, invitation))
			n[invitation->person]++;
	}
	return n;
}

/* Of the persons in this message, newest first, as many as there is room. */
static enum cdop_err
list_some(struct rpc_ctx *ctx, const struct span *of, bool waiting,
    Cdop__PeopleListReply *rep)
{
	const struct people *people = ctx->reg->people;
	const struct people_invitation *invitation;
	enum cdop_err err;
	uint32_t i;

	for (i = people_n_invitations(people);
	     i > 0 && rep->n_invitation < CDOP_LIST_MAX; i--) {
		invitation = people_invitation_at(people, i - 1);
		if (invitation->person <= of->after ||
		    invitation->person > of->last ||
		    is_waiting(ctx, invitation) != waiting ||
		    !is_listed(ctx, of, invitation))
			continue;
		err = list_invitation(ctx, invitation, rep);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* Those that wait first: what is over never hides one. */
static enum cdop_err
list_invitations(
    struct rpc_ctx *ctx, const struct span *of, Cdop__PeopleListReply *rep)
{
	enum cdop_err err;

	rep->invitation = cdop_arena_calloc(
	    ctx->arena, CDOP_LIST_MAX, sizeof(Cdop__InvitationEntry *));
	if (rep->invitation == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = list_some(ctx, of, true, rep);
	return err != CDOP_OK ? err : list_some(ctx, of, false, rep);
}

enum cdop_err
rpc_people_list(struct rpc_ctx *ctx, const Cdop__PeopleListRequest *req,
    Cdop__PeopleListReply *rep)
{
	const struct people *people = ctx->reg->people;
	struct span of = {
	    .after = req->has_after ? req->after : 0,
	    .all = req->has_all && req->all,
	};
	const uint32_t *count = count_all(ctx, &of);
	size_t invitations = 0;
	uint32_t i;
	enum cdop_err err;

	rep->person =
	    cdop_arena_calloc(ctx->arena, PAGE, sizeof(Cdop__Person *));
	if (rep->person == NULL || count == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	of.last = of.after;
	for (i = of.after; i < people_last_person(people); i++) {
		if (rep->n_person == PAGE ||
		    (rep->n_person > 0 &&
			invitations + count[i + 1] > CDOP_LIST_MAX)) {
			rep->has_more = true;
			rep->more = true;
			of.last = rep->person[rep->n_person - 1]->number;
			break;
		}
		invitations += count[i + 1];
		of.last = i + 1;
		if (people_person(people, of.last)->state ==
			CDOP__PERSON_STATE__PERSON_REVOKED &&
		    !of.all)
			continue;
		err =
		    rpc_person_fill(ctx, of.last, &rep->person[rep->n_person]);
		if (err != CDOP_OK)
			return err;
		rep->n_person++;
	}
	rep->has_more_invitations = invitations > CDOP_LIST_MAX;
	if (rep->has_more_invitations)
		rep->more_invitations = (uint32_t)(invitations - CDOP_LIST_MAX);
	return list_invitations(ctx, &of, rep);
}
