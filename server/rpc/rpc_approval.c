/*
 * What waits for a second person, and the second person's word.
 *
 * At approval everything is looked at again: that it is another person, in
 * a role that may; that the requester still may ask; and, in the handler
 * that runs then, everything it checked the first time and the target's
 * version (TRUST M13).
 */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "cdop/text.h"
#include "server/registry/actor.h"
#include "server/registry/approvals.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/rpc/dispatch.h"
#include "server/rpc/rpc_hold.h"
#include "server/rpc/typed.h"

/* Requests are up to a megabyte; a message takes as many as fit. */
#define LIST_BYTES_MAX ((size_t)512 << 10)
#define LIST_MAX       50
#define PAGE_LEN       16

static const char *
no_approval(void)
{
	return "nothing waits under that number: it was decided, has expired, "
	       "or is not for you";
}

/* The caller can be the second person of this one. */
static bool
may_approve(const struct rpc_ctx *ctx, const struct approval *approval)
{
	const struct rpc_method *method = rpc_method_find(approval->method);

	return method != NULL && approval->requester != ctx->actor->person &&
	    (ctx->actor->roles & method->second) != 0 &&
	    rpc_hold_may_second(ctx, approval);
}

/* Who may see that it waits, and end it: either of the two. */
static bool
is_concerned(const struct rpc_ctx *ctx, const struct approval *approval)
{
	return approval->requester == ctx->actor->person ||
	    may_approve(ctx, approval);
}

/* ---- list -------------------------------------------------------------- */

static enum cdop_err
fill(struct rpc_ctx *ctx, const struct approval *from, Cdop__Approval **ret_out)
{
	const struct people_person *requester;
	Cdop__Approval *out;

	requester = people_person(ctx->reg->people, from->requester);
	out = cdop_arena_alloc(ctx->arena, sizeof(*out));
	if (out == NULL || requester == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__approval__init(out);
	out->number.data = (uint8_t *)(uintptr_t)from->number;
	out->number.len = sizeof(from->number);
	out->method = from->method;
	out->requester = from->requester;
	out->asked_ms = from->asked_ms;
	out->expires_ms = from->expires_ms;
	out->words = (char **)(uintptr_t)from->words;
	out->n_words = from->n_words;
	out->request.data = (uint8_t *)(uintptr_t)from->request.data;
	out->request.len = from->request.len;
	out->request_key.data = (uint8_t *)(uintptr_t)from->request_key;
	out->request_key.len = sizeof(from->request_key);
	out->target_version.data = (uint8_t *)(uintptr_t)from->target_version;
	out->target_version.len = sizeof(from->target_version);
	out->requester_name = (char *)(uintptr_t)requester->name;
	out->you_may = may_approve(ctx, from);
	*ret_out = out;
	return CDOP_OK;
}

/* What one takes of a message, words and all. */
static size_t
size_of(const struct approval *approval)
{
	size_t size = approval->request.len, i;

	for (i = 0; i < approval->n_words; i++)
		size += strlen(approval->words[i]);
	return size;
}

/* A page goes on behind this place, whatever was decided meanwhile. */
struct place {
	uint64_t asked_ms;
	uint8_t number[8];
};

static enum cdop_err
read_page(struct rpc_ctx *ctx, const Cdop__ApprovalListRequest *req,
    struct place *ret_place)
{
	memset(ret_place, 0, sizeof(*ret_place));
	if (!req->has_page)
		return CDOP_OK;
	if (req->page.len != PAGE_LEN) {
		rpc_violation(ctx, "page", "page.unknown",
		    CDOP__SEVERITY__ERROR, "not a page of this list");
		return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_field",
		    "begin again without a page");
	}
	ret_place->asked_ms = cdop_get64(req->page.data);
	memcpy(ret_place->number, req->page.data + 8, 8);
	return CDOP_OK;
}

static enum cdop_err
fill_page(
    struct rpc_ctx *ctx, const struct place *last, Cdop__ApprovalListReply *rep)
{
	uint8_t *page = cdop_arena_alloc(ctx->arena, PAGE_LEN);

	if (page == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_put64(page, last->asked_ms);
	memcpy(page + 8, last->number, 8);
	rep->has_next_page = true;
	rep->next_page = (ProtobufCBinaryData){PAGE_LEN, page};
	return CDOP_OK;
}

/* The next that concerns the caller. */
static const struct approval *
next_of(struct rpc_ctx *ctx, const struct place *place)
{
	const struct approval *a;

	a = approvals_next(
	    ctx->reg->approvals, place->asked_ms, place->number, ctx->now_ms);
	while (a != NULL && !is_concerned(ctx, a))
		a = approvals_next(
		    ctx->reg->approvals, a->asked_ms, a->number, ctx->now_ms);
	return a;
}

enum cdop_err
rpc_approval_list(struct rpc_ctx *ctx, const Cdop__ApprovalListRequest *req,
    Cdop__ApprovalListReply *rep)
{
	const struct approval *a;
	struct place place;
	size_t bytes = 0;
	enum cdop_err err;

	if ((err = read_page(ctx, req, &place)) != CDOP_OK)
		return err;
	rep->approval =
	    cdop_arena_calloc(ctx->arena, LIST_MAX, sizeof(Cdop__Approval *));
	if (rep->approval == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	while ((a = next_of(ctx, &place)) != NULL) {
		bytes += size_of(a);
		if (rep->n_approval == LIST_MAX ||
		    (rep->n_approval > 0 && bytes > LIST_BYTES_MAX))
			return fill_page(ctx, &place, rep);
		err = fill(ctx, a, &rep->approval[rep->n_approval]);
		if (err == CDOP_OK)
			err = rpc_hold_release(ctx, a);
		if (err != CDOP_OK)
			return err;
		rep->n_approval++;
		place.asked_ms = a->asked_ms;
		memcpy(place.number, a->number, sizeof(place.number));
	}
	return CDOP_OK;
}

/* ---- approve ----------------------------------------------------------- */

/* The log says which act it was, and whose, whatever comes of it. */
static enum cdop_err
name_act(struct rpc_ctx *ctx, const struct approval *approval)
{
	uint8_t *number;

	number = cdop_arena_alloc(ctx->arena, sizeof(approval->number));
	if (number == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(number, approval->number, sizeof(approval->number));
	ctx->approval = number;
	ctx->approved_method = approval->method;
	ctx->subject_person = typed_subject(ctx->reg->people,
	    rpc_method_find(approval->method), approval->request);
	if (approval->requester != ctx->actor->person)
		ctx->second_person = approval->requester;
	return CDOP_OK;
}

/* The one that is meant, as it was shown.  NULL: *ret_err says why. */
static const struct approval *
find(struct rpc_ctx *ctx, const Cdop__ApproveRequest *req,
    enum cdop_err *ret_err)
{
	const struct approval *approval = NULL;

	if (req->number.len == sizeof(approval->number))
		approval = approvals_find(
		    ctx->reg->approvals, req->number.data, ctx->now_ms);
	if (approval == NULL || !is_concerned(ctx, approval)) {
		*ret_err = rpc_fail(
		    ctx, CDOP_NOT_FOUND, "no_such_approval", no_approval());
		return NULL;
	}
	if ((*ret_err = name_act(ctx, approval)) != CDOP_OK)
		return NULL;
	if (req->hash.len != sizeof(approval->hash) ||
	    !cdop_secret_equal(
		req->hash.data, approval->hash, sizeof(approval->hash))) {
		*ret_err =
		    rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "hash_differs",
			"what you were shown is not what waits here: do not go "
			"on, and tell the one who asked");
		return NULL;
	}
	return approval;
}

/*
 * Cannot be applied any more, whatever changes again: it goes, and the
 * refusal says why.
 */
static enum cdop_err
voided(struct rpc_ctx *ctx, const uint8_t *number, enum cdop_err err)
{
	enum cdop_err dropped;

	dropped = approvals_drop(ctx->reg->approvals, number);
	if (dropped != CDOP_OK)
		return dropped;
	ctx->kept = true;
	return err;
}

/* The requester as of now, in the role of then. */
static enum cdop_err
requester_now(struct rpc_ctx *ctx, const struct approval *approval,
    const struct rpc_method *method, struct actor *ret_requester)
{
	people_actor(ctx->reg->people, approval->requester_device, ctx->now_ms,
	    ret_requester);
	ret_requester->role = approval->role;
	if (ret_requester->person == approval->requester &&
	    (ret_requester->roles & approval->role & method->roles) != 0)
		return CDOP_OK;
	return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "requester_rights",
	    "whoever asked for it may not do so any more");
}

static enum cdop_err
apply(struct rpc_ctx *ctx, const struct approval *approval,
    Cdop__ApproveReply *rep)
{
	const struct rpc_method *method = rpc_method_find(approval->method);
	struct cdop_bytes body;
	struct actor requester;
	uint8_t number[8];
	uint64_t mark;
	enum cdop_err err;

	memcpy(number, approval->number, sizeof(number));
	err = requester_now(ctx, approval, method, &requester);
	if (err != CDOP_OK)
		return voided(ctx, number, err);
	mark = rpc_touched(ctx->reg);
	err = dispatch_run_approved(ctx, method, &requester, approval->request,
	    approval->request_key, approval->target_version, &body);
	if (err != CDOP_OK && rpc_touched(ctx->reg) != mark)
		return err; /* half done: the whole batch is taken back */
	if (err == CDOP_RESOURCE_EXHAUSTED || err == CDOP_INTERNAL)
		return err; /* not the request's fault: it may be tried again */
	/* Who says yes has perhaps never read it, and may not. */
	if (err == CDOP_ABORTED)
		err = rpc_fail(ctx, err, ctx->reason,
		    "it was changed since this was asked for");
	if (err != CDOP_OK)
		return voided(ctx, number, err);
	err = approvals_drop(ctx->reg->approvals, number);
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	rep->applied = true;
	rep->has_body = true;
	rep->body.data = (uint8_t *)(uintptr_t)body.data;
	rep->body.len = body.len;
	return CDOP_OK;
}

/* Outcome of an Approve, for its own request key: method, applied. */
static void
keep_outcome(struct rpc_ctx *ctx, uint32_t method, bool applied)
{
	cdop_put32(ctx->out_extra, method);
	ctx->out_extra[4] = applied;
	ctx->out_extra_len = 5;
}

static enum cdop_err
approved_before(struct rpc_ctx *ctx, Cdop__ApproveReply *rep)
{
	const ProtobufCBinaryData *extra = &ctx->replay->extra;

	if (!ctx->replay->has_extra || extra->len != 5)
		return CDOP_INTERNAL;
	rep->has_method = true;
	rep->method = cdop_get32(extra->data);
	rep->applied = extra->data[4] != 0;
	return CDOP_OK;
}

/* Words of a decision have a bound, and a place (TRUST M3). */
static enum cdop_err
check_reason(struct rpc_ctx *ctx, const char *reason)
{
	if (reason == NULL || cdop_text_length(reason) <= CDOP_REASON_MAX)
		return CDOP_OK;
	rpc_violation(ctx, "reason", "text_long", CDOP__SEVERITY__ERROR,
	    "why, in at most 500 characters");
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "text_long",
	    "a reason has at most 500 characters");
}

/* Ended; whoever asked may take it back the same way. */
static enum cdop_err
decline(struct rpc_ctx *ctx, const struct approval *approval)
{
	enum cdop_err err;

	err = rpc_hold_about(ctx, approval);
	if (err == CDOP_OK)
		err = approvals_drop(ctx->reg->approvals, approval->number);
	if (err != CDOP_OK)
		return err;
	ctx->applied = true;
	return rpc_fail(ctx, CDOP_OK, "declined", NULL);
}

/* What is said against a yes before anything is tried. */
static enum cdop_err
check_yes(struct rpc_ctx *ctx, const struct approval *approval,
    const Cdop__ApproveRequest *req)
{
	const struct rpc_method *method = rpc_method_find(approval->method);
	enum cdop_err err;

	if (approval->requester == ctx->actor->person)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "same_person",
		    "you asked for it: another person has to approve");
	if ((method->states & ctx->reg->state) == 0)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "state",
		    "not in the state the registry is in: it waits on");
	err = dispatch_check_room(ctx, method, approval->request.len);
	if (err != CDOP_OK)
		return err;
	if (req->reason == NULL || *req->reason == '\0' ||
	    rpc_hold_has_box(approval))
		return CDOP_OK;
	rpc_violation(ctx, "reason", "reason_outlives", CDOP__SEVERITY__ERROR,
	    "nothing about an erased case is kept: leave it out");
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "reason_outlives",
	    "a reason would outlive the case: approve without one");
}

enum cdop_err
rpc_approve(struct rpc_ctx *ctx, const Cdop__ApproveRequest *req,
    Cdop__ApproveReply *rep)
{
	const struct approval *approval;
	uint32_t method;
	enum cdop_err err;

	if (ctx->replay != NULL)
		return approved_before(ctx, rep);
	if ((err = check_reason(ctx, req->reason)) != CDOP_OK)
		return err;
	if ((approval = find(ctx, req, &err)) == NULL)
		return err;
	method = approval->method;
	rep->has_method = true;
	rep->method = method;
	if (!req->approve) {
		if ((err = decline(ctx, approval)) == CDOP_OK)
			keep_outcome(ctx, method, false);
		return err;
	}
	if ((err = check_yes(ctx, approval, req)) != CDOP_OK)
		return err;
	err = apply(ctx, approval, rep);
	if (err != CDOP_OK) {
		ctx->with_reply = true;
		rep->has_voided = ctx->kept;
		rep->voided = ctx->kept;
		return err;
	}
	keep_outcome(ctx, method, true);
	return CDOP_OK;
}
