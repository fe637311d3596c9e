/* Notifications: registering, correcting, moving them. */
#include <string.h>

#include "cdop/profile.h"
#include "server/rpc/rpc_case.h"

/* ---- register ---------------------------------------------------------- */

static enum cdop_err
take_request(struct rpc_ctx *ctx, const Cdop__NotificationRegisterRequest *req,
    struct cases_register *reg)
{
	memset(reg, 0, sizeof(*reg));
	reg->form.form = req->form;
	reg->form.override = req->override;
	reg->form.n_override = req->n_override;
	reg->form.kind = req->form_kind;
	reg->form.source = req->source;
	reg->owner_area = req->owner_area;
	reg->owner_reason = req->owner_reason;
	reg->question.n_decision = req->n_decision;
	reg->question.decision =
	    rpc_case_decisions(ctx, req->decision, req->n_decision);
	return reg->question.decision == NULL ? CDOP_RESOURCE_EXHAUSTED
					      : CDOP_OK;
}

/* Everything but the reference, which a dry run does not have. */
static enum cdop_err
fill(struct rpc_ctx *ctx, const struct cases_act *act,
    const struct cases_register *reg, bool hidden,
    Cdop__NotificationRegisterReply *rep)
{
	bool failed = false;

	rep->owner_area = rpc_case_text(ctx, reg->owner.area, &failed);
	rep->owner_words = rpc_case_text(ctx, reg->owner.words, &failed);
	rep->n_missing = reg->missing.n;
	rep->missing = rpc_case_missing(ctx, &reg->missing, &failed);
	rep->n_difference = reg->difference.n;
	rep->difference = rpc_case_texts(
	    ctx, reg->difference.path, reg->difference.n, &failed);
	if (reg->told != NULL && *reg->told != '\0')
		rep->timing = rpc_case_text(ctx, reg->told, &failed);
	rep->has_joined = true;
	rep->joined = reg->question.join;
	rep->n_forward_to = reg->owner.n_forward;
	rep->forward_to = rpc_case_texts(
	    ctx, reg->owner.forward, reg->owner.n_forward, &failed);
	if (hidden) {
		rep->has_out_of_sight = true;
		rep->out_of_sight = true;
	}
	rep->n_candidate = reg->question.n_named;
	rep->candidate = rpc_case_candidates(ctx, act, &reg->question, &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

static enum cdop_err
fill_reference(struct rpc_ctx *ctx, struct cases_act *act,
    const struct cases_register *reg, Cdop__NotificationRegisterReply *rep)
{
	bool failed = false;
	const char *text = cases_reference_text(act, reg->case_id);

	rep->reference = rpc_case_text(ctx, text, &failed);
	rep->has_notification = true;
	rep->notification = reg->notification;
	rep->has_version = true;
	rep->version = reg->version;
	return failed || text == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/* Is the case, as it is or would be, one that the caller may not see? */
static bool
is_hidden(const struct cases_act *act, const struct cases_register *reg)
{
	const struct cdop_area *area =
	    cdop_profile_area(act->reg->profile, reg->owner.area);

	return !reg->question.join && area != NULL &&
	    !access_may_see_area(&act->access, area, act->actor->person);
}

static enum cdop_err
register_again(struct rpc_ctx *ctx, struct cases_act *act,
    struct cases_register *reg, Cdop__NotificationRegisterReply *rep)
{
	const Cdop__StoredOutcome *was = ctx->replay;
	bool joined, seen = false, failed = false;
	enum cdop_err err;

	joined =
	    was->has_extra && was->extra.len > 0 && was->extra.data[0] != 0;
	(void)rpc_case_replayed(ctx, act, &reg->slot, &seen);
	reg->notification = was->number;
	err = cases_register_again(act, reg, seen, joined);
	if (err != CDOP_OK)
		return rpc_case_end(ctx, act, err);
	reg->question.join = joined;
	rep->reference = rpc_case_text(ctx, was->reference, &failed);
	rep->has_notification = true;
	rep->notification = was->number;
	rep->has_version = true;
	rep->version = was->version;
	return failed ? CDOP_RESOURCE_EXHAUSTED
		      : fill(ctx, act, reg, !seen, rep);
}

static enum cdop_err
applied(struct rpc_ctx *ctx, struct cases_act *act,
    const struct cases_register *reg, Cdop__NotificationRegisterReply *rep)
{
	const struct rpc_case_left left = {
	    .instance = &reg->notification, .n_instance = 1};
	size_t i;

	rpc_case_applied(ctx, act, reg->slot, reg->version, reg->notification);
	ctx->out_extra[0] = reg->question.join ? 1 : 0;
	ctx->out_extra_len = 1;
	rpc_case_about(ctx, act, reg->slot);
	rpc_case_release_forms(ctx, act, reg->slot, &left);
	for (i = 0; i < reg->question.n_tie; i++)
		rpc_case_release(ctx, act, reg->question.tie[i].slot, 0);
	return fill_reference(ctx, act, reg, rep);
}

enum cdop_err
rpc_notification_register(struct rpc_ctx *ctx,
    const Cdop__NotificationRegisterRequest *req,
    Cdop__NotificationRegisterReply *rep)
{
	struct cases_register reg;
	struct cases_act act;
	enum cdop_err err, more;

	rpc_case_act(ctx, &act);
	act.dry = req->has_dry_run && req->dry_run;
	if ((err = take_request(ctx, req, &reg)) != CDOP_OK)
		return err;
	err = cdop_form_tidy(req->form, ctx->reg->profile, ctx->arena);
	if (err != CDOP_OK)
		return err;
	if (ctx->replay != NULL)
		return register_again(ctx, &act, &reg, rep);
	err = cases_register(&act, &reg);
	rpc_case_terms(ctx, &reg.question.child, req->form);
	ctx->audit_reason = reg.question.join_reason;
	if (err != CDOP_OK && cases_question_stops(&act)) {
		more = fill(ctx, &act, &reg, false, rep);
		ctx->with_reply = more == CDOP_OK;
		return rpc_case_end(ctx, &act, more == CDOP_OK ? err : more);
	}
	if (err != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	rep->has_dry_run = act.dry;
	rep->dry_run = act.dry;
	if (!act.dry)
		err = applied(ctx, &act, &reg, rep);
	else if (reg.question.join)
		rpc_case_release(ctx, &act, reg.slot, 0);
	if (err == CDOP_OK)
		err = fill(ctx, &act, &reg, is_hidden(&act, &reg), rep);
	return rpc_case_end(ctx, &act, err);
}

/* ---- correct ----------------------------------------------------------- */

enum cdop_err
rpc_notification_correct(struct rpc_ctx *ctx,
    const Cdop__NotificationCorrectRequest *req, Cdop__ChangeReply *rep)
{
	struct cases_edit edit;
	struct cases_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return rpc_case_change_again(ctx, rep);
	rpc_case_act(ctx, &act);
	memset(&edit, 0, sizeof(edit));
	edit.reference = req->reference;
	edit.notification = req->notification;
	edit.instance = req->notification;
	edit.version = req->version;
	edit.reason = req->reason;
	edit.form.form = req->form;
	edit.form.override = req->override;
	edit.form.n_override = req->n_override;
	err = cdop_form_tidy(req->form, ctx->reg->profile, ctx->arena);
	if (err == CDOP_OK)
		err = cases_edit_correct(&act, &edit);
	rpc_case_terms(ctx, &edit.question.child, req->form);
	return rpc_case_edit_end(ctx, &act, &edit, rep, err);
}

/* ---- move -------------------------------------------------------------- */

/* Where it went, for whom may see that case. */
static enum cdop_err
fill_target(struct rpc_ctx *ctx, struct cases_act *act, uint32_t slot,
    uint32_t number, Cdop__ChangeReply *rep)
{
	bool failed = false;
	const char *text =
	    cases_reference_text(act, index_at(act->index, slot)->case_id);

	rep->to_reference = rpc_case_text(ctx, text, &failed);
	rep->has_to_notification = true;
	rep->to_notification = number;
	rpc_case_release(ctx, act, slot, 0);
	return failed || text == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

static enum cdop_err
move_again(struct rpc_ctx *ctx, Cdop__ChangeReply *rep)
{
	const Cdop__StoredOutcome *was = ctx->replay;
	struct cases_act act;
	uint32_t slot;
	enum cdop_err err;

	rpc_case_act(ctx, &act);
	if ((err = rpc_case_change_again(ctx, rep)) != CDOP_OK ||
	    !was->has_extra || was->extra.len != sizeof(uint64_t) ||
	    !index_by_case(act.index, cdop_get64(was->extra.data), &slot) ||
	    !access_may_see(&act.access, index_at(act.index, slot)))
		return err;
	return fill_target(ctx, &act, slot, was->number, rep);
}

/* Said, and remembered for the same request key. */
static enum cdop_err
moved(struct rpc_ctx *ctx, struct cases_act *act, const struct cases_edit *edit,
    Cdop__ChangeReply *rep)
{
	enum cdop_err err;

	err = fill_target(ctx, act, edit->to_slot, edit->instance, rep);
	if (err != CDOP_OK)
		return err;
	cdop_put64(
	    ctx->out_extra, index_at(act->index, edit->to_slot)->case_id);
	ctx->out_extra_len = sizeof(uint64_t);
	return CDOP_OK;
}

enum cdop_err
rpc_notification_move(struct rpc_ctx *ctx,
    const Cdop__NotificationMoveRequest *req, Cdop__ChangeReply *rep)
{
	struct cases_edit edit;
	struct cases_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return move_again(ctx, rep);
	rpc_case_act(ctx, &act);
	memset(&edit, 0, sizeof(edit));
	edit.reference = req->reference;
	edit.notification = req->notification;
	edit.version = req->version;
	edit.reason = req->reason;
	edit.to = req->to_reference;
	err = cases_edit_move(&act, &edit);
	if (err == CDOP_OK)
		err = moved(ctx, &act, &edit, rep);
	return rpc_case_edit_end(ctx, &act, &edit, rep, err);
}
