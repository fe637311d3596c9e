/* Changes of a case: its record, owner, status, interest, links. */
#include <string.h>

#include "server/registry/cases_state.h"
#include "server/rpc/rpc_case.h"

/* ---- the record -------------------------------------------------------- */

enum cdop_err
rpc_case_amend(struct rpc_ctx *ctx, const Cdop__CaseAmendRequest *req,
    Cdop__ChangeReply *rep)
{
	struct cases_edit edit;
	struct cases_act act;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return rpc_case_change_again(ctx, rep);
	rpc_case_act(ctx, &act);
	act.dry = req->has_dry_run && req->dry_run;
	memset(&edit, 0, sizeof(edit));
	edit.reference = req->reference;
	edit.version = req->version;
	edit.reason = req->reason;
	edit.form.form = req->form;
	edit.form.override = req->override;
	edit.form.n_override = req->n_override;
	edit.form.source = req->source;
	edit.clear = req->clear;
	edit.n_clear = req->n_clear;
	edit.question.n_decision = req->n_decision;
	edit.question.decision =
	    rpc_case_decisions(ctx, req->decision, req->n_decision);
	if (edit.question.decision == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_form_tidy(req->form, ctx->reg->profile, ctx->arena);
	if (err == CDOP_OK)
		err = cases_edit_amend(&act, &edit);
	/* What the record says is looked for as well as what is typed now. */
	if (edit.sought != NULL)
		rpc_case_terms(ctx, &edit.question.child, edit.sought);
	return rpc_case_edit_end(ctx, &act, &edit, rep, err);
}

/* ---- the state --------------------------------------------------------- */

typedef enum cdop_err alter_fn(
    struct cases_act *act, struct cases_alter *alter);

/* One change of a state, from the act to the reply. */
static enum cdop_err
run(struct rpc_ctx *ctx, alter_fn *fn, struct cases_alter *alter,
    Cdop__ChangeReply *rep)
{
	struct cases_act act;
	const char *text;
	bool failed = false;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return rpc_case_change_again(ctx, rep);
	rpc_case_act(ctx, &act);
	ctx->audit_reason = alter->reason;
	err = fn(&act, alter);
	if (alter->sought != NULL)
		rpc_case_terms(ctx, &alter->question.child, alter->sought);
	if (err != CDOP_OK && err != CDOP_ABORTED &&
	    alter->question.n_named == 0)
		return rpc_case_end(ctx, &act, err);
	text = cases_reference_text(
	    &act, index_at(act.index, alter->slot)->case_id);
	failed = text == NULL;
	rep->reference = rpc_case_text(ctx, text, &failed);
	rep->version = alter->new_version;
	if (alter->word != NULL) {
		rep->n_word = 1;
		rep->word = rpc_case_texts(ctx, &alter->word, 1, &failed);
	}
	rep->n_candidate = alter->question.n_named;
	rep->candidate =
	    rpc_case_candidates(ctx, &act, &alter->question, &failed);
	rpc_case_about(ctx, &act, alter->slot);
	rpc_case_release(ctx, &act, alter->slot, 0);
	if (alter->other != NULL)
		rpc_case_release(ctx, &act, alter->other_slot, 0);
	if (err == CDOP_OK)
		rpc_case_applied(ctx, &act, alter->slot, alter->new_version, 0);
	if (failed)
		err = CDOP_RESOURCE_EXHAUSTED;
	ctx->with_reply = !failed;
	return rpc_case_end(ctx, &act, err);
}

/* Withdrawn and back, linked and unlinked: one request for both ways. */
static struct cases_alter
state_alter(const Cdop__CaseWithdrawRequest *req)
{
	return (struct cases_alter){
	    .reference = req->reference,
	    .version = req->version,
	    .reason = req->reason,
	};
}

static struct cases_alter
link_alter(const Cdop__CaseLinkRequest *req)
{
	return (struct cases_alter){
	    .reference = req->reference,
	    .reason = req->reason,
	    .other = req->other,
	    .kind = req->kind,
	};
}

enum cdop_err
rpc_case_withdraw(struct rpc_ctx *ctx, const Cdop__CaseWithdrawRequest *req,
    Cdop__ChangeReply *rep)
{
	struct cases_alter alter = state_alter(req);

	return run(ctx, cases_state_withdraw, &alter, rep);
}

enum cdop_err
rpc_case_reinstate(struct rpc_ctx *ctx, const Cdop__CaseWithdrawRequest *req,
    Cdop__ChangeReply *rep)
{
	struct cases_alter alter = state_alter(req);

	return run(ctx, cases_state_reinstate, &alter, rep);
}

enum cdop_err
rpc_case_owner(struct rpc_ctx *ctx, const Cdop__CaseOwnerRequest *req,
    Cdop__ChangeReply *rep)
{
	struct cases_alter alter = {
	    .reference = req->reference,
	    .version = req->version,
	    .reason = req->reason,
	    .source = req->source,
	    .area = req->area,
	};

	return run(ctx, cases_state_owner, &alter, rep);
}

enum cdop_err
rpc_case_interest(struct rpc_ctx *ctx, const Cdop__CaseInterestRequest *req,
    Cdop__ChangeReply *rep)
{
	struct cases_alter alter = {
	    .reference = req->reference,
	    .version = req->version,
	    .reason = req->reason,
	    .area = req->area,
	    .known = req->known,
	    .remove = req->has_remove && req->remove,
	};

	return run(ctx, cases_state_interest, &alter, rep);
}

enum cdop_err
rpc_case_responsible(struct rpc_ctx *ctx,
    const Cdop__CaseResponsibleRequest *req, Cdop__ChangeReply *rep)
{
	struct cases_alter alter = {
	    .reference = req->reference,
	    .version = req->version,
	    .person = req->has_person ? req->person : 0,
	    .reason = req->reason,
	};

	return run(ctx, cases_state_responsible, &alter, rep);
}

enum cdop_err
rpc_case_link_add(struct rpc_ctx *ctx, const Cdop__CaseLinkRequest *req,
    Cdop__ChangeReply *rep)
{
	struct cases_alter alter = link_alter(req);

	return run(ctx, cases_state_link, &alter, rep);
}

enum cdop_err
rpc_case_link_end(struct rpc_ctx *ctx, const Cdop__CaseLinkRequest *req,
    Cdop__ChangeReply *rep)
{
	struct cases_alter alter = link_alter(req);

	return run(ctx, cases_state_unlink, &alter, rep);
}
