/* Cases together: lists and find. */
#include <string.h>

#include "cdop/fields.h"
#include "server/registry/cases_list.h"
#include "server/rpc/rpc_case.h"

/* Each is named as left.  NULL: no memory. */
static Cdop__CaseSummary **
summaries(struct rpc_ctx *ctx, struct cases_act *act, const uint32_t *slot,
    size_t n, bool names)
{
	Cdop__CaseSummary **list;
	size_t i;

	list = cdop_arena_calloc(ctx->arena, n, sizeof(*list));
	for (i = 0; list != NULL && i < n; i++) {
		list[i] = rpc_case_summary(ctx, act, slot[i], names);
		if (list[i] == NULL)
			return NULL;
	}
	return list;
}

enum cdop_err
rpc_case_list(struct rpc_ctx *ctx, const Cdop__CaseListRequest *req,
    Cdop__CaseListReply *rep)
{
	struct cases_list list;
	struct cases_act act;
	bool failed = false;
	enum cdop_err err;

	rpc_case_act(ctx, &act);
	memset(&list, 0, sizeof(list));
	list.area = req->area;
	list.status = req->status;
	list.since = req->since;
	list.until = req->until;
	list.mine = req->has_mine && req->mine;
	list.handover = req->has_handover && req->handover;
	if (req->has_page) {
		list.page.data = req->page.data;
		list.page.len = req->page.len;
	}
	list.limit = req->has_limit ? req->limit : 0;
	if ((err = cases_list(&act, &list)) != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	rep->case_ = summaries(
	    ctx, &act, list.slot, list.n, req->has_names && req->names);
	if (rep->case_ == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rep->n_case_ = list.n;
	if (list.more)
		rep->has_next_page =
		    rpc_case_page(ctx, list.next, &rep->next_page, &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/* ---- find -------------------------------------------------------------- */

static enum cdop_err
take_terms(struct rpc_ctx *ctx, struct cases_act *act,
    const Cdop__CaseFindRequest *req, struct cases_find *find)
{
	const char *const term[][3] = {
	    {"nhs_number", "child.nhs_number", req->nhs_number},
	    {"family_name", "child.family_name", req->family_name},
	    {"first_name", "child.first_names", req->first_name},
	    {"birth_date", "birth.date", req->birth_date},
	    {"death_date", "death.date", req->death_date},
	    {"mother_name", "mother.family_name", req->mother_name},
	};
	enum cdop_err err;
	size_t i;

	for (i = 0; i < sizeof(term) / sizeof(*term); i++) {
		err = cases_check_line(act, term[i][0], term[i][2]);
		if (err != CDOP_OK)
			return err;
		if (term[i][2] != NULL)
			rpc_term(ctx, term[i][1], term[i][2]);
	}
	memset(find, 0, sizeof(*find));
	find->nhs_number = req->nhs_number;
	find->family_name = req->family_name;
	find->first_name = req->first_name;
	find->birth_date = req->birth_date;
	find->death_date = req->death_date;
	find->mother_name = req->mother_name;
	return CDOP_OK;
}

static bool
is_typed(const char *term)
{
	return term != NULL && *term != '\0';
}

/* What matched is told with every case that was found, shown or not. */
static void
tell_matches(struct rpc_ctx *ctx, const Cdop__CaseFindRequest *req)
{
	static const struct cdop_living mother = {"mother", 1};
	struct rpc_released *released;
	uint32_t classes = 0;
	size_t i;

	if (is_typed(req->nhs_number) || is_typed(req->family_name) ||
	    is_typed(req->first_name))
		classes |= CDOP_CLASS_CHILD_IDENTITY;
	if (is_typed(req->mother_name))
		classes |= CDOP_CLASS_FAMILY_IDENTITY;
	for (i = 0; i < ctx->n_released; i++) {
		released = &ctx->released[i];
		released->classes |= classes;
		if (!is_typed(req->mother_name) || released->n_living > 0)
			continue;
		released->living = &mother;
		released->n_living = 1;
	}
}

enum cdop_err
rpc_case_find(struct rpc_ctx *ctx, const Cdop__CaseFindRequest *req,
    Cdop__CaseFindReply *rep)
{
	struct cases_find find;
	struct cases_act act;
	bool failed = false;
	enum cdop_err err;

	rpc_case_act(ctx, &act);
	err = take_terms(ctx, &act, req, &find);
	if (err == CDOP_OK)
		err = cases_find(&act, &find);
	if (err != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	rep->understood = rpc_case_text(ctx, find.understood, &failed);
	rep->case_ = summaries(
	    ctx, &act, find.slot, find.n, req->has_names && req->names);
	if (failed || rep->case_ == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	tell_matches(ctx, req);
	rep->n_case_ = find.n;
	rep->has_more = true;
	rep->more = find.more;
	return CDOP_OK;
}
