/* Pairs that may be the same child, for those who work for both areas. */
#include "cdop/fields.h"
#include "server/registry/cases_list.h"
#include "server/rpc/rpc_case.h"

static bool
is_released(const struct rpc_ctx *ctx, uint64_t case_id)
{
	size_t i;

	for (i = 0; i < ctx->n_released; i++)
		if (ctx->released[i].case_id == case_id)
			return true;
	return false;
}

static char *
name_case(
    struct rpc_ctx *ctx, struct cases_act *act, uint32_t slot, bool *failed)
{
	uint64_t case_id = index_at(act->index, slot)->case_id;
	const char *text = cases_reference_text(act, case_id);

	if (text == NULL)
		*failed = true;
	if (!is_released(ctx, case_id))
		rpc_case_release(ctx, act, slot,
		    CDOP_CLASS_CHILD_IDENTITY | CDOP_CLASS_EXACT_DATE);
	return rpc_case_text(ctx, text, failed);
}

enum cdop_err
rpc_duplicate_pairs(struct rpc_ctx *ctx, const Cdop__DuplicatePairsRequest *req,
    Cdop__DuplicatePairsReply *rep)
{
	struct cases_pairs pairs = {.n = 0};
	const struct cases_pair *pair;
	struct cases_act act;
	Cdop__DuplicatePair *one;
	bool failed = false;
	enum cdop_err err;
	size_t i;

	rpc_case_act(ctx, &act);
	if (req->has_page)
		pairs.page = (struct cdop_bytes){req->page.data, req->page.len};
	if ((err = cases_list_pairs(&act, &pairs)) != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	rep->has_more = pairs.more;
	rep->more = pairs.more;
	if (pairs.more)
		rep->has_next_page =
		    rpc_case_page(ctx, pairs.next, &rep->next_page, &failed);
	rep->pair = cdop_arena_calloc(ctx->arena, pairs.n, sizeof(*rep->pair));
	one = cdop_arena_calloc(ctx->arena, pairs.n, sizeof(*one));
	if (rep->pair == NULL || one == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < pairs.n; i++, one++) {
		pair = &pairs.pair[i];
		cdop__duplicate_pair__init(one);
		one->one = name_case(ctx, &act, pair->one, &failed);
		one->other = name_case(ctx, &act, pair->other, &failed);
		one->n_reason = pair->why.n_reason;
		one->reason = rpc_case_texts(
		    ctx, pair->why.reason, pair->why.n_reason, &failed);
		rep->pair[rep->n_pair++] = one;
	}
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}
