/* What happened to a case, a page at a time. */
#include <string.h>

#include "cdop/fields.h"
#include "server/registry/cases_history.h"
#include "server/registry/people.h"
#include "server/rpc/rpc_case.h"

static Cdop__HistoryEntry *
entry_of(struct rpc_ctx *ctx, const struct cases_event *event, bool *failed)
{
	const struct people_person *person =
	    people_person(ctx->reg->people, event->person);
	Cdop__HistoryEntry *entry;

	entry = cdop_arena_alloc(ctx->arena, sizeof(*entry));
	if (entry == NULL) {
		*failed = true;
		return NULL;
	}
	cdop__history_entry__init(entry);
	entry->at_ms = event->at_ms;
	entry->person = event->person;
	if (person != NULL)
		entry->person_name = rpc_case_text(ctx, person->name, failed);
	entry->what = rpc_case_text(ctx, event->what, failed);
	entry->reason = rpc_case_text(ctx, event->reason, failed);
	entry->source = rpc_case_text(ctx, event->source, failed);
	entry->has_version = true;
	entry->version = event->version;
	entry->n_path = event->path.n;
	entry->path =
	    rpc_case_texts(ctx, event->path.path, event->path.n, failed);
	entry->n_decided = event->decided.n;
	entry->decided =
	    rpc_case_texts(ctx, event->decided.path, event->decided.n, failed);
	entry->detail = event->detail;
	entry->n_detail = event->n_detail;
	entry->has_instance = event->is_form;
	entry->instance = event->instance;
	return entry;
}

enum cdop_err
rpc_case_history(struct rpc_ctx *ctx, const Cdop__CaseHistoryRequest *req,
    Cdop__CaseHistoryReply *rep)
{
	struct cases_history history = {0};
	struct cases_act act;
	bool failed = false;
	const char *text;
	enum cdop_err err;
	size_t i;

	rpc_case_act(ctx, &act);
	if (req->has_page)
		history.page = (struct cdop_bytes){
		    .data = req->page.data, .len = req->page.len};
	history.limit = req->has_limit ? req->limit : 0;
	err = cases_find_reference(&act, req->reference, &history.slot);
	if (err == CDOP_OK)
		err = cases_history(&act, &history);
	if (err != CDOP_OK)
		return rpc_case_end(ctx, &act, err);
	text = cases_reference_text(
	    &act, index_at(act.index, history.slot)->case_id);
	rep->reference = rpc_case_text(ctx, text, &failed);
	rep->entry =
	    cdop_arena_calloc(ctx->arena, history.n, sizeof(*rep->entry));
	if (failed || text == NULL || rep->entry == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < history.n; i++)
		rep->entry[rep->n_entry++] =
		    entry_of(ctx, &history.event[i], &failed);
	if (history.more)
		rep->has_next_page =
		    rpc_case_page(ctx, history.next, &rep->next_page, &failed);
	rpc_case_release(ctx, &act, history.slot,
	    CDOP_CLASS_ADMINISTRATIVE | CDOP_CLASS_NARRATIVE);
	for (i = 0; i < history.named.n; i++)
		if (history.named.slot[i] != history.slot)
			rpc_case_release(ctx, &act, history.named.slot[i],
			    CDOP_CLASS_ADMINISTRATIVE);
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}
