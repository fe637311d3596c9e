/* The profile in force, a proposal, and the change that takes two people. */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/text.h"
#include "server/registry/actor.h"
#include "server/registry/people.h"
#include "server/registry/profile_act.h"
#include "server/registry/registry.h"
#include "server/rpc/ctx.h"

#define TOLD_NAMES                                                             \
	(CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_COORDINATOR | CDOP_ROLE_AUDITOR)

/*
 * Of those who brought it into force; for those who are told names of staff
 * elsewhere, and not for everybody who needs the profile.
 */
static enum cdop_err
fill_names(struct rpc_ctx *ctx, Cdop__ProfileGetReply *rep)
{
	const struct people_person *person;
	size_t i;

	if (rep->n_person == 0 || (ctx->actor->roles & TOLD_NAMES) == 0)
		return CDOP_OK;
	rep->person_name = cdop_arena_calloc(
	    ctx->arena, rep->n_person, sizeof(*rep->person_name));
	if (rep->person_name == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < rep->n_person; i++) {
		person = people_person(ctx->reg->people, rep->person[i]);
		rep->person_name[i] = cdop_arena_strdup(
		    ctx->arena, person != NULL ? person->name : "");
		if (rep->person_name[i] == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	rep->n_person_name = rep->n_person;
	return CDOP_OK;
}

enum cdop_err
rpc_profile_get(struct rpc_ctx *ctx, const Cdop__ProfileGetRequest *req,
    Cdop__ProfileGetReply *rep)
{
	uint64_t version =
	    req->has_version ? req->version : ctx->reg->profile_version;
	Cdop__StoredProfile *stored;
	uint8_t *hash;
	enum cdop_err err;

	err = profile_act_stored(ctx->reg, version, ctx->arena, &stored);
	if (err == CDOP_NOT_FOUND)
		return rpc_fail(ctx, CDOP_NOT_FOUND, "no_such_version",
		    "no profile of that number is kept");
	if (err != CDOP_OK)
		return err;
	if ((hash = cdop_arena_alloc(ctx->arena, 32)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	profile_act_hash(
	    (struct cdop_bytes){stored->text.data, stored->text.len}, hash);
	rep->text = stored->text;
	rep->hash.data = hash;
	rep->hash.len = 32;
	rep->version = stored->version;
	rep->has_at_ms = true;
	rep->at_ms = stored->at_ms;
	rep->n_person = stored->n_person;
	rep->person = stored->person;
	rep->reason = stored->reason;
	return fill_names(ctx, rep);
}

/* ---- a proposal -------------------------------------------------------- */

/* A file that cannot be read is refused with its line. */
static enum cdop_err
read_proposal(struct rpc_ctx *ctx, const ProtobufCBinaryData *text,
    struct profile_act_proposal *ret_proposal)
{
	const struct cdop_bytes bytes = {text->data, text->len};
	const char *words;
	enum cdop_err err;

	err = profile_act_read(ctx->reg, bytes, ctx->arena, ret_proposal);
	if (err != CDOP_INVALID_ARGUMENT)
		return err;
	words = cdop_arena_printf(ctx->arena, "line %u: %s",
	    ret_proposal->error.line, ret_proposal->error.text);
	if (words == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rpc_violation(
	    ctx, "text", "profile.read", CDOP__SEVERITY__ERROR, words);
	return rpc_fail(
	    ctx, CDOP_INVALID_ARGUMENT, "profile_unreadable", words);
}

enum cdop_err
rpc_profile_diff(struct rpc_ctx *ctx, const Cdop__ProfileDiffRequest *req,
    Cdop__ProfileDiffReply *rep)
{
	struct profile_act_proposal *proposal;
	enum cdop_err err;

	proposal = cdop_arena_alloc(ctx->arena, sizeof(*proposal));
	if (proposal == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = read_proposal(ctx, &req->text, proposal);
	if (err != CDOP_OK)
		return err;
	rep->change = (char **)(uintptr_t)proposal->diff.change;
	rep->n_change = proposal->diff.n_change;
	rep->refusal = (char **)(uintptr_t)proposal->diff.refusal;
	rep->n_refusal = proposal->diff.n_refusal;
	rep->hash.data = proposal->hash;
	rep->hash.len = sizeof(proposal->hash);
	rep->version = ctx->reg->profile_version;
	return CDOP_OK;
}

/* ---- apply ------------------------------------------------------------- */

static enum cdop_err
check_apply(struct rpc_ctx *ctx, const Cdop__ProfileApplyRequest *req,
    const struct profile_act_proposal *proposal)
{
	size_t i;

	if (*req->reason == '\0' ||
	    cdop_text_length(req->reason) > CDOP_REASON_MAX) {
		rpc_violation(ctx, "reason", "text_needed",
		    CDOP__SEVERITY__ERROR, "why, in at most 500 characters");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "text_needed",
		    "a change of the profile needs a reason");
	}
	if (req->version != ctx->reg->profile_version)
		return rpc_fail(ctx, CDOP_ABORTED, "version",
		    "the profile was changed since it was compared: compare "
		    "again");
	if (memcmp(proposal->hash, ctx->reg->profile_hash,
		sizeof(proposal->hash)) == 0)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "no_change",
		    "that profile is in force already");
	for (i = 0; i < proposal->diff.n_refusal; i++)
		rpc_violation(ctx, "text", "profile.change",
		    CDOP__SEVERITY__ERROR, proposal->diff.refusal[i]);
	if (proposal->diff.n_refusal > 0)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION,
		    "profile_refused",
		    "what was in force is ended, never taken away");
	return CDOP_OK;
}

/* The approver has the whole text too; these are the first changes. */
static void
say_changes(struct rpc_ctx *ctx, const Cdop__ProfileApplyRequest *req,
    const struct profile_act_proposal *proposal)
{
	const size_t room = RPC_WORDS_MAX - 3;
	const char *words;
	size_t i, n = proposal->diff.n_change;

	words = cdop_arena_printf(ctx->arena,
	    "change the profile: %zu changes to version %llu", n,
	    (unsigned long long)req->version);
	rpc_second_words(ctx, words != NULL ? words : "change the profile");
	for (i = 0; i < n && i < room; i++)
		rpc_second_words(ctx, proposal->diff.change[i]);
	if (n > room)
		rpc_second_words(
		    ctx, "and more: compare the proposal (cdop profile diff)");
	words = cdop_arena_printf(ctx->arena, "reason: %s", req->reason);
	rpc_second_words(ctx, words != NULL ? words : "reason");
}

enum cdop_err
rpc_profile_apply(struct rpc_ctx *ctx, const Cdop__ProfileApplyRequest *req,
    Cdop__ProfileApplyReply *rep)
{
	struct profile_act_proposal *proposal;
	const struct profile_act_by by = {
	    .person = {ctx->actor->person, ctx->second_person},
	    .reason = req->reason,
	    .now_ms = ctx->now_ms,
	};
	uint8_t target[32];
	enum cdop_err err;

	rep->version = ctx->reg->profile_version;
	if (ctx->replay != NULL)
		return CDOP_OK;
	proposal = cdop_arena_alloc(ctx->arena, sizeof(*proposal));
	if (proposal == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = read_proposal(ctx, &req->text, proposal);
	if (err != CDOP_OK)
		return err;
	ctx->digest = proposal->hash;
	if ((err = check_apply(ctx, req, proposal)) != CDOP_OK)
		return err;
	say_changes(ctx, req, proposal);
	profile_act_target(ctx->reg, target);
	if (!rpc_second_may_apply(ctx, target))
		return CDOP_OK;
	err = profile_act_apply(ctx->reg, ctx->arena, proposal, &by);
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	ctx->out_version = ctx->reg->profile_version;
	rep->version = ctx->reg->profile_version;
	return CDOP_OK;
}
