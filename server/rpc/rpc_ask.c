/* The partner's question: three answers of one size. */
#include <string.h>

#include "cdop/profile.h"
#include "server/registry/cases_ask.h"
#include "server/registry/cases_time.h"
#include "server/rpc/rpc_case.h"

/* Every answer, packed.  Longer than the longest: see contact(). */
#define SIZE        1024u
#define CONTACT_MAX 120u

static void
keep_terms(struct rpc_ctx *ctx, const Cdop__AskRequest *req)
{
	if (req->nhs_number != NULL)
		rpc_term(ctx, "child.nhs_number", req->nhs_number);
	if (req->family_name != NULL)
		rpc_term(ctx, "child.family_name", req->family_name);
	if (req->first_name != NULL)
		rpc_term(ctx, "child.first_names", req->first_name);
	if (req->birth_date != NULL)
		rpc_term(ctx, "birth.date", req->birth_date);
	if (req->death_date != NULL)
		rpc_term(ctx, "death.date", req->death_date);
}

/* Whom to ring, bounded, so that every answer fits. */
static char *
contact(struct rpc_ctx *ctx, bool *failed)
{
	const struct cdop_profile *profile = ctx->reg->profile;
	char *text;
	size_t len = CONTACT_MAX;

	text = rpc_case_text(ctx,
	    profile->office_phone == NULL ? "" : profile->office_phone, failed);
	if (text == NULL || strlen(text) <= CONTACT_MAX)
		return text;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	text[len] = '\0';
	return text;
}

/* A known child: reference, status, day it was registered, what matched. */
static void
fill_known(struct rpc_ctx *ctx, struct cases_act *act,
    const struct cases_ask *ask, Cdop__AskReply *rep, bool *failed)
{
	const struct index_post *post = index_at(act->index, ask->slot);
	char day[CDOP_DATE_TEXT_MAX];
	struct cdop_date date;
	const char *reference = cases_reference_text(act, post->case_id);

	date = cdop_date_from_days(cases_time_day(
	    cases_owner_zone(act, index_word_text(act->index, post->owner)),
	    post->registered_ms));
	cdop_date_write(&date, day);
	rep->reference = rpc_case_text(ctx, reference, failed);
	rep->status = rpc_case_text(
	    ctx, index_word_text(act->index, post->status_word), failed);
	rep->registered_on = rpc_case_text(ctx, day, failed);
	rep->n_matched_on = ask->n_matched;
	rep->matched_on =
	    rpc_case_texts(ctx, ask->matched, ask->n_matched, failed);
	rep->owed = rpc_case_text(ctx, "NOT_KEPT_YET", failed);
	if (reference == NULL)
		*failed = true;
	rpc_case_release(ctx, act, ask->slot, 0);
}

/* The pad field takes its tag, a length of one or two bytes, and zeros. */
static enum cdop_err
pad(struct rpc_ctx *ctx, Cdop__AskReply *rep)
{
	size_t size = cdop__ask_reply__get_packed_size(rep);

	/* 131: from there on the length takes two bytes. */
	if (size + 131 > SIZE)
		return CDOP_INTERNAL;
	rep->has_pad = true;
	rep->pad.len = SIZE - size - 3;
	rep->pad.data = cdop_arena_alloc(ctx->arena, rep->pad.len);
	return rep->pad.data == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/*
 * The three answers.  The reply has the same reason for each, none: it would
 * give their sizes away; the log has a word of its own.
 */
static void
fill_answer(struct rpc_ctx *ctx, enum cases_answer answer, Cdop__AskReply *rep)
{
	switch (answer) {
	case CASES_KNOWN:
		rep->answer = CDOP__ANSWER__KNOWN;
		ctx->log_reason = "known";
		return;
	case CASES_NOT_KNOWN:
		rep->answer = CDOP__ANSWER__NOT_KNOWN_TO_YOU;
		ctx->log_reason = "not_known";
		return;
	case CASES_NOT_ENOUGH:
		rep->answer = CDOP__ANSWER__NOT_ENOUGH;
		ctx->log_reason = "not_enough";
	}
}

enum cdop_err
rpc_ask(struct rpc_ctx *ctx, const Cdop__AskRequest *req, Cdop__AskReply *rep)
{
	struct cases_ask ask;
	struct cases_act act;
	bool failed = false;
	enum cdop_err err;

	rpc_case_act(ctx, &act);
	memset(&ask, 0, sizeof(ask));
	ask.typed.nhs_number = req->nhs_number;
	ask.typed.family_name = req->family_name;
	ask.typed.first_name = req->first_name;
	ask.typed.birth_date = req->birth_date;
	ask.typed.death_date = req->death_date;
	err = cases_ask(&act, &ask);
	if (err != CDOP_INVALID_ARGUMENT)
		keep_terms(ctx, req);
	if (err != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	fill_answer(ctx, ask.answer, rep);
	rep->understood = rpc_case_text(ctx, ask.understood, &failed);
	rep->office_contact = contact(ctx, &failed);
	if (ask.answer == CASES_KNOWN)
		fill_known(ctx, &act, &ask, rep, &failed);
	if (failed)
		return CDOP_RESOURCE_EXHAUSTED;
	(void)rpc_case_end(ctx, &act, CDOP_OK);
	return pad(ctx, rep);
}
