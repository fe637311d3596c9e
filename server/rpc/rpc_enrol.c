/*
 * Inviting, enrolling, activating, and the PSK that turns.  The rules stand
 * in registry/invitations.h and people_enrol.h.
 */
#include <string.h>

#include "cdop/role.h"
#include "server/registry/actor.h"
#include "server/registry/checkpoints.h"
#include "server/registry/invitations.h"
#include "server/registry/link_key.h"
#include "server/registry/people_enrol.h"
#include "server/registry/registry.h"
#include "server/registry/statements.h"
#include "server/rpc/rpc_person.h"

/* ---- what the replies share -------------------------------------------- */

static enum cdop_err
fill_bytes(struct rpc_ctx *ctx, const uint8_t *bytes, ProtobufCBinaryData *out)
{
	out->data = cdop_arena_alloc(ctx->arena, 32);
	if (out->data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(out->data, bytes, 32);
	out->len = 32;
	return CDOP_OK;
}

static enum cdop_err
check_random(struct rpc_ctx *ctx, const ProtobufCBinaryData *random)
{
	if (random->len == 32)
		return CDOP_OK;
	rpc_violation(
	    ctx, "client_random", "length", CDOP__SEVERITY__ERROR, "32 bytes");
	return rpc_fail(
	    ctx, CDOP_INVALID_ARGUMENT, "length", "client_random has 32 bytes");
}

/* ---- invite ------------------------------------------------------------ */

static enum cdop_err
fill_invite(struct rpc_ctx *ctx, const struct people_invitation *invitation,
    Cdop__InviteReply *rep)
{
	rep->invitation_id.len = sizeof(invitation->invitation_id);
	rep->invitation_id.data =
	    (uint8_t *)(uintptr_t)invitation->invitation_id;
	rep->psk.len = sizeof(invitation->psk);
	rep->psk.data = cdop_arena_alloc(ctx->arena, sizeof(invitation->psk));
	if (rep->psk.data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(rep->psk.data, invitation->psk, sizeof(invitation->psk));
	rep->expires_ms = invitation->expires_ms;
	rep->person = invitation->person;
	rep->n_similar =
	    rpc_person_similar(ctx, invitation->person, &rep->similar);
	return link_key_fill(
	    ctx->reg, ctx->arena, &rep->n_server_key, &rep->server_key);
}

/* The reply was lost: made again from what the key made the first time. */
static enum cdop_err
invite_again(struct rpc_ctx *ctx, Cdop__InviteReply *rep)
{
	const struct people_invitation *invitation = NULL;

	if (ctx->replay->has_extra && ctx->replay->extra.len == 16)
		invitation = people_invitation(
		    ctx->reg->people, ctx->replay->extra.data);
	if (invitation == NULL ||
	    invitation->state != CDOP__INVITATION_STATE__INVITATION_WAITING ||
	    !people_rule_is_usable(invitation, ctx->now_ms))
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION,
		    "invitation_ended",
		    "that invitation was used, cancelled or has expired");
	return fill_invite(ctx, invitation, rep);
}

static enum cdop_err
invited(struct rpc_ctx *ctx, const struct people_invitation *invitation,
    Cdop__InviteReply *rep)
{
	ctx->applied = true;
	ctx->subject_person = invitation->person;
	ctx->out_number = invitation->person;
	memcpy(ctx->out_extra, invitation->invitation_id,
	    sizeof(invitation->invitation_id));
	ctx->out_extra_len = sizeof(invitation->invitation_id);
	return fill_invite(ctx, invitation, rep);
}

enum cdop_err
rpc_person_invite(struct rpc_ctx *ctx, const Cdop__PersonInviteRequest *req,
    Cdop__InviteReply *rep)
{
	const struct invitations_device device = {
	    .label = req->label,
	    .expires_ms = req->has_device_expires_ms ? req->device_expires_ms
						     : UINT64_MAX,
	};
	struct people_change change = {
	    .name = req->name,
	    .job_title = req->job_title,
	    .agency = req->agency,
	    .areas_set = true,
	    .areas = req->area,
	    .n_areas = req->n_area,
	    .all_areas_set = true,
	    .all_areas = req->has_all_areas && req->all_areas,
	    .grants_set = true,
	    .n_grants = req->n_grant,
	};
	const struct people_invitation *invitation;
	struct people_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return invite_again(ctx, rep);
	err = rpc_person_grants(ctx, req->grant, req->n_grant, &change.grants);
	if (err != CDOP_OK)
		return err;
	rpc_person_act(ctx, &act);
	err = invitations_person(&act, &change, &device, &invitation);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	return invited(ctx, invitation, rep);
}

enum cdop_err
rpc_device_invite(struct rpc_ctx *ctx, const Cdop__DeviceInviteRequest *req,
    Cdop__InviteReply *rep)
{
	const struct invitations_device device = {
	    .label = req->label,
	    .expires_ms = req->has_device_expires_ms ? req->device_expires_ms
						     : UINT64_MAX,
	};
	const struct people_invitation *invitation;
	struct people_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return invite_again(ctx, rep);
	rpc_person_act(ctx, &act);
	err = invitations_more(&act, req->person, &device, &invitation);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	return invited(ctx, invitation, rep);
}

enum cdop_err
rpc_invitation_cancel(struct rpc_ctx *ctx,
    const Cdop__InvitationCancelRequest *req, Cdop__PersonReply *rep)
{
	const struct people_invitation *invitation;
	struct people_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return rpc_person_fill(ctx, ctx->replay->number, &rep->person);
	if (req->invitation_id.len != 16) {
		rpc_violation(ctx, "invitation_id", "length",
		    CDOP__SEVERITY__ERROR, "16 bytes");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "length",
		    "an invitation id has 16 bytes");
	}
	rpc_person_act(ctx, &act);
	err = invitations_cancel(&act, req->invitation_id.data, req->reason);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	invitation =
	    people_invitation(ctx->reg->people, req->invitation_id.data);
	ctx->applied = true;
	ctx->subject_person = invitation->person;
	ctx->out_number = invitation->person;
	ctx->end_device = invitation->device;
	return rpc_person_fill(ctx, invitation->person, &rep->person);
}

/* ---- enrol and turn ---------------------------------------------------- */

static enum cdop_err
fill_roles(struct rpc_ctx *ctx, const struct people_person *person,
    Cdop__EnrolReply *rep)
{
	uint32_t roles, i;

	roles = people_rule_granted(ctx->reg->people, person, ctx->now_ms);
	rep->role = cdop_arena_calloc(ctx->arena, 32, sizeof(*rep->role));
	if (rep->role == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 1; i < 28; i++)
		if ((roles & (1u << i)) != 0)
			rep->role[rep->n_role++] = (Cdop__Role)i;
	return CDOP_OK;
}

static enum cdop_err
fill_enrol(struct rpc_ctx *ctx, uint32_t number, const uint8_t *random,
    Cdop__EnrolReply *rep)
{
	const struct people_device *device;
	const struct people_person *person;
	enum cdop_err err;

	device = people_device(ctx->reg->people, number);
	person = people_person(ctx->reg->people, device->person);
	rep->person = person->number;
	rep->device = device->number;
	rep->name = cdop_arena_strdup(ctx->arena, person->name);
	if (rep->name == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = fill_bytes(ctx, random, &rep->server_random);
	if (err == CDOP_OK)
		err = fill_roles(ctx, person, rep);
	if (err == CDOP_OK)
		err = fill_bytes(ctx, checkpoints_key(ctx->reg->checkpoints),
		    &rep->checkpoint_key);
	rep->has_checkpoint_key = err == CDOP_OK;
	rep->has_statements = true;
	rep->statements = (uint32_t)ctx->reg->statements->n;
	if (err == CDOP_OK)
		err = link_key_fill(
		    ctx->reg, ctx->arena, &rep->n_server_key, &rep->server_key);
	return err;
}

enum cdop_err
rpc_enrol(
    struct rpc_ctx *ctx, const Cdop__EnrolRequest *req, Cdop__EnrolReply *rep)
{
	const struct people_enrol_args args = {
	    .invitation_id = ctx->actor->invitation,
	    .public_key = ctx->actor->public_key,
	    .handshake = ctx->actor->handshake,
	    .client_random = req->client_random.data,
	    .label = req->label,
	};
	const struct people_invitation *invitation =
	    people_invitation(ctx->reg->people, ctx->actor->invitation);
	uint8_t random[32];
	struct people_act act;
	uint32_t device;
	enum cdop_err err;

	/* A second key is refused, and ends what it was to be. */
	if (invitation != NULL)
		ctx->subject_person = invitation->person;
	if ((err = check_random(ctx, &req->client_random)) != CDOP_OK)
		return err;
	rpc_person_act(ctx, &act);
	err = people_enrol_device(&act, &args, random, &device);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	ctx->applied = true;
	ctx->out_number = device;
	return fill_enrol(ctx, device, random, rep);
}

enum cdop_err
rpc_psk_turn(struct rpc_ctx *ctx, const Cdop__PskTurnRequest *req,
    Cdop__PskTurnReply *rep)
{
	const struct people_enrol_turn_args args = {
	    .psk_id = ctx->actor->psk_id,
	    .handshake = ctx->actor->handshake,
	    .client_random = req->client_random.data,
	};
	uint8_t random[32];
	struct people_act act;
	enum cdop_err err;

	if ((err = check_random(ctx, &req->client_random)) != CDOP_OK)
		return err;
	rpc_person_act(ctx, &act);
	err = people_enrol_turn(&act, &args, random);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	ctx->applied = true;
	ctx->subject_person = ctx->actor->person;
	return fill_bytes(ctx, random, &rep->server_random);
}

/* ---- activate ---------------------------------------------------------- */

static enum cdop_err
fill_activate(
    struct rpc_ctx *ctx, uint32_t number, Cdop__PersonActivateReply *rep)
{
	const struct people_device *device;

	device = people_device(ctx->reg->people, number);
	if (device == NULL)
		return CDOP_NOT_FOUND;
	rep->device = number;
	rep->person = device->person;
	rep->device_state = device->state;
	rep->person_state =
	    people_person(ctx->reg->people, device->person)->state;
	rep->n_similar = rpc_person_similar(ctx, device->person, &rep->similar);
	return CDOP_OK;
}

enum cdop_err
rpc_person_activate(struct rpc_ctx *ctx, const Cdop__PersonActivateRequest *req,
    Cdop__PersonActivateReply *rep)
{
	struct people_act act;
	uint32_t device = req->device;
	bool opened;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return fill_activate(ctx, ctx->replay->number, rep);
	if (device == 0 && req->has_person)
		device = people_enrol_waiting(ctx->reg->people, req->person);
	rpc_person_act(ctx, &act);
	act.pending = (ctx->actor->roles & CDOP_ROLE_PENDING) != 0;
	err = people_enrol_activate(&act, device, req->comparison, &opened);
	if (err != CDOP_OK)
		return rpc_person_end(ctx, &act, err);
	ctx->applied = true;
	ctx->out_number = device;
	if ((err = fill_activate(ctx, device, rep)) != CDOP_OK)
		return err;
	ctx->subject_person = rep->person;
	return CDOP_OK;
}
