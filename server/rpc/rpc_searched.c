/*
 * Was this child searched for?  Asked by an auditor and approved by another
 * person, who is shown the terms; then the same request under the same key
 * gets the answer, as often as it is sent (RECORDS M11).
 *
 * The answer is what stands in the log before the approval, newest first.
 * The walk meets the approval on its way: what was not approved meets the
 * request itself first, and is refused.
 */
#include <string.h>

#include "cdop/call.h"
#include "cdop/limits.h"
#include "server/registry/approvals.h"
#include "server/registry/audit_searched.h"
#include "server/registry/registry.h"
#include "server/rpc/rpc_audit.h"

#define NONCE_LEN 16

struct looking {
	struct rpc_ctx *ctx;
	const Cdop__AuditSearchedRequest *req;
	Cdop__AuditSearchedReply *rep;
	struct cases_typed asked;
	uint64_t approver; /* of the request; 0: not met yet */
	bool refused;      /* the request was met before its approval */
	bool past;         /* nothing more will come */
	enum cdop_err err;
};

/* ---- the request ------------------------------------------------------- */

static enum cdop_err
bad_term(struct rpc_ctx *ctx, const char *message)
{
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_field", message);
}

static enum cdop_err
check_terms(struct rpc_ctx *ctx, const Cdop__AuditSearchedRequest *req,
    const struct cases_terms *asked)
{
	if (req->nonce.len != NONCE_LEN) {
		rpc_violation(ctx, "nonce", "nonce.length",
		    CDOP__SEVERITY__ERROR, "16 random bytes");
		return bad_term(ctx, "the nonce has 16 bytes");
	}
	if (asked->nhs_wrong) {
		rpc_violation(ctx, "nhs_number", "nhs.wrong",
		    CDOP__SEVERITY__ERROR, "look at the digits again");
		return bad_term(ctx, "not a valid NHS number");
	}
	if (asked->birth.wrong || asked->death.wrong) {
		rpc_violation(ctx,
		    asked->birth.wrong ? "birth_date" : "death_date",
		    "date.form", CDOP__SEVERITY__ERROR,
		    "20/11/2026, 05/2026, 2026");
		return bad_term(ctx, "not a date");
	}
	if (!audit_searched_enough(asked)) {
		rpc_violation(ctx, "family_name", "searched.minimum",
		    CDOP__SEVERITY__ERROR, "too little to compare");
		return bad_term(ctx,
		    "give an NHS number, or a family name or the mother's");
	}
	return CDOP_OK;
}

static void
read_terms(const Cdop__AuditSearchedRequest *req, struct cases_typed *ret_typed)
{
	*ret_typed = (struct cases_typed){
	    .nhs_number = req->nhs_number,
	    .family_name = req->family_name,
	    .first_name = req->first_name,
	    .birth_date = req->birth_date,
	    .death_date = req->death_date,
	    .mother_name = req->mother_name,
	};
}

/* That it was asked is logged like any search. */
static void
keep_terms(struct rpc_ctx *ctx, const Cdop__AuditSearchedRequest *req)
{
	const char *const term[][2] = {
	    {"child.nhs_number", req->nhs_number},
	    {"child.family_name", req->family_name},
	    {"child.first_names", req->first_name},
	    {"birth.date", req->birth_date},
	    {"death.date", req->death_date},
	    {"mother.family_name", req->mother_name},
	};
	size_t i;

	for (i = 0; i < sizeof(term) / sizeof(*term); i++)
		if (term[i][1] != NULL && *term[i][1] != '\0')
			rpc_term(ctx, term[i][0], term[i][1]);
}

/* ---- the answer -------------------------------------------------------- */

static bool
is_of(const ProtobufCBinaryData *number, const Cdop__StoredOutcome *filed)
{
	return number->len == filed->approval.len &&
	    memcmp(number->data, filed->approval.data, number->len) == 0;
}

/* Is this the leaf of its approval, or of the request itself? */
static void
look_for_approval(struct looking *looking, const Cdop__StoredWords *words)
{
	const Cdop__StoredOutcome *filed = looking->ctx->replay;

	if (words->has_approval && is_of(&words->approval, filed) &&
	    words->has_approved_method &&
	    words->approved_method == CDOP_CALL_AuditSearched &&
	    words->outcome == CDOP_OK && words->has_person &&
	    (words->reason == NULL || strcmp(words->reason, "declined") != 0))
		looking->approver = words->person;
	else if (words->call == CDOP_CALL_AuditSearched &&
	    words->stored != NULL && words->stored->has_approval &&
	    is_of(&words->stored->approval, filed))
		looking->refused = true;
}

/* A search of this call is none: it would find itself. */
static bool
is_search(const Cdop__StoredWords *words)
{
	return words->n_term_kind > 0 && words->call != CDOP_CALL_AuditSearched;
}

static bool
visit(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	struct looking *looking = ctx;
	Cdop__AuditSearchedReply *rep = looking->rep;
	struct rpc_ctx *rpc = looking->ctx;
	bool fits;

	if (looking->approver == 0) {
		look_for_approval(looking, words);
		return !looking->refused;
	}
	looking->past =
	    looking->req->has_since_ms && words->at_ms < looking->req->since_ms;
	if (looking->past)
		return false;
	if (!is_search(words) ||
	    (looking->req->has_until_ms &&
		words->at_ms > looking->req->until_ms))
		return true;
	looking->err = audit_searched_leaf(
	    rpc->reg->rows, rpc->arena, leaf, &looking->asked, &fits);
	if (looking->err == CDOP_OK && fits)
		looking->err =
		    rpc_audit_entry(rpc, leaf, &rep->entry[rep->n_entry++]);
	return looking->err == CDOP_OK && rep->n_entry < CDOP_LIST_MAX;
}

static enum cdop_err
walk(struct looking *looking)
{
	struct rpc_ctx *ctx = looking->ctx;
	uint64_t cursor = ctx->stream.at;
	enum cdop_err err;

	looking->approver = ctx->stream.end;
	err = audit_walk(ctx->reg->audit, ctx->arena, &cursor, RPC_AUDIT_ROWS,
	    visit, looking);
	if (err == CDOP_OK)
		err = looking->err;
	if (err != CDOP_OK)
		return err;
	if (looking->refused || (cursor == 0 && looking->approver == 0))
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "not_approved",
		    "nobody has approved it: it was declined, or has expired");
	ctx->second_person = (uint32_t)looking->approver;
	ctx->next.end = looking->approver;
	ctx->next.given = ctx->stream.given + (uint32_t)looking->rep->n_entry;
	if (!looking->past)
		ctx->next.at = cursor;
	ctx->log_reason = "answered";
	return CDOP_OK;
}

/* The same request again: it waits, or here is what was asked for. */
static enum cdop_err
answer(struct looking *looking)
{
	struct rpc_ctx *ctx = looking->ctx;
	const Cdop__StoredOutcome *filed = ctx->replay;

	if (!filed->has_approval || filed->approval.len != 8)
		return CDOP_INTERNAL;
	if (approvals_find(
		ctx->reg->approvals, filed->approval.data, ctx->now_ms) != NULL)
		return CDOP_OK;
	looking->rep->entry = cdop_arena_calloc(
	    ctx->arena, CDOP_LIST_MAX, sizeof(*looking->rep->entry));
	return looking->rep->entry == NULL ? CDOP_RESOURCE_EXHAUSTED
					   : walk(looking);
}

/* What the second person reads, and gives a second time by saying yes. */
static enum cdop_err
say_terms(struct rpc_ctx *ctx, const char *understood)
{
	const char *words;

	words = cdop_arena_printf(ctx->arena,
	    "tell the one who asks who has searched for this child: %s",
	    understood);
	if (words == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rpc_second_words(ctx, words);
	return CDOP_OK;
}

enum cdop_err
rpc_audit_searched(struct rpc_ctx *ctx, const Cdop__AuditSearchedRequest *req,
    Cdop__AuditSearchedReply *rep)
{
	/* It is about nothing that changes. */
	static const uint8_t target[32] = "the log";
	struct looking looking = {.ctx = ctx, .req = req, .rep = rep};
	struct cases_terms asked;
	const char *understood;
	enum cdop_err err;

	read_terms(req, &looking.asked);
	cases_terms_read(&looking.asked, &asked);
	if ((err = check_terms(ctx, req, &asked)) != CDOP_OK)
		return err;
	understood = cases_terms_words(&asked, CDOP_FOLD_MAX, ctx->arena);
	if (understood == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rep->understood = (char *)(uintptr_t)understood;
	if (ctx->replay != NULL)
		return answer(&looking);
	if ((err = say_terms(ctx, understood)) != CDOP_OK)
		return err;
	if (!rpc_second_may_apply(ctx, target)) {
		keep_terms(ctx, req);
		return CDOP_OK;
	}
	ctx->applied = true;
	return CDOP_OK;
}
