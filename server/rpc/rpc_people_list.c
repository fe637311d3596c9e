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

/* A page's persons cannot have more that wait than a message takes. */
_Static_assert(PAGE *PEOPLE_INVITATIONS_EACH <= CDOP_LIST_MAX, "page");

static bool
in_turn(const struct rpc_ctx *ctx, const struct people_invitation *invitation,
    bool waiting)
{
	return waiting ==
	    (strcmp(invitations_state(invitation, ctx->now_ms), "waiting") ==
		0);
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
		    !in_turn(ctx, invitation, waiting))
			continue;
		if (!of->all && !waiting &&
		    invitation->state !=
			CDOP__INVITATION_STATE__INVITATION_FLAGGED)
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
	uint32_t i;
	enum cdop_err err;

	rep->person =
	    cdop_arena_calloc(ctx->arena, PAGE, sizeof(Cdop__Person *));
	if (rep->person == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	of.last = of.after;
	for (i = of.after; i < people_last_person(people); i++) {
		if (rep->n_person == PAGE) {
			rep->has_more = true;
			rep->more = true;
			break;
		}
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
	return list_invitations(ctx, &of, rep);
}
