/* cdop case show, list, find, history: looking at cases. */
#include <string.h>

#include "client/area.h"
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/paged.h"
#include "client/pager.h"
#include "client/paper.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/reference.h"
#include "client/seen.h"
#include "client/session.h"
#include "client/show.h"
#include "client/terms.h"

#define COLUMNS 6

/* ---- show -------------------------------------------------------- */

/* What of the case: all of it, or one version of one form. */
static enum exit_code
show_request(struct cmd_ctx *ctx, Cdop__CaseShowRequest *request)
{
	const char *notification = cmd_value(ctx, "--notification");
	const char *version = cmd_value(ctx, "--form-version");
	const char *after = cmd_value(ctx, "--links-after");
	enum exit_code code = EXIT_OK;
	uint64_t n = 0;

	cdop__case_show_request__init(request);
	request->has_notifications = true;
	request->notifications = cmd_flag(ctx, "--notifications");
	if (notification != NULL) {
		code = cmd_numbered(
		    ctx, "--notification", notification, UINT32_MAX, &n);
		request->has_instance = true;
		request->instance = (uint32_t)n;
	}
	if (code == EXIT_OK && version != NULL) {
		code = cmd_number(ctx, "--form-version", version,
		    UINT64_MAX / 2, &request->version);
		request->has_version = true;
	}
	if (code == EXIT_OK && after != NULL) {
		code = cmd_number(ctx, "--links-after", after, UINT32_MAX, &n);
		request->has_links_after = true;
		request->links_after = (uint32_t)n;
	}
	return code != EXIT_OK
	    ? code
	    : reference_read(ctx, ctx->pos[0], &request->reference);
}

static enum exit_code
run_show(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;
	enum exit_code code;
	json_t *object;

	if ((code = show_request(ctx, &request)) != EXIT_OK ||
	    (code = paper_begin(ctx)) != EXIT_OK ||
	    (code = call_case_show(ctx, &request, &reply)) != EXIT_OK)
		return code;
	(void)session_profile(ctx, &profile);
	seen_case(ctx, reply->case_, !request.has_version);
	if (!ctx->g.json) {
		print_mode(ctx);
		pager_start(ctx);
		paper_head(ctx);
		show_case(ctx, reply->case_);
		return EXIT_OK;
	}
	object = print_envelope(ctx, "case.show", true);
	(void)json_object_set_new(
	    object, "case", json_message(ctx, &reply->case_->base));
	print_json(object);
	return EXIT_OK;
}

/* ---- list and find ----------------------------------------------- */

static void
summary_cells(
    struct cmd_ctx *ctx, const Cdop__CaseSummary *s, const char **cell)
{
	cell[0] = s->reference;
	cell[1] = show_area(ctx, s->owner_area);
	cell[2] = s->age_band;
	cell[3] = s->death_date;
	cell[4] = s->has_hold && s->hold
	    ? cdop_arena_printf(ctx->arena, "%s, ON HOLD", s->status)
	    : s->status;
	if (cmd_flag(ctx, "--names"))
		cell[5] = s->name;
}

static void
show_summaries(struct cmd_ctx *ctx, const char *schema,
    Cdop__CaseSummary *const *list, size_t n)
{
	static const char *const head[COLUMNS] = {
	    "REFERENCE", "OWNER", "AGE", "DEATH", "STATUS", "NAME"};
	const char **cell =
	    cdop_arena_calloc(ctx->arena, n * COLUMNS + 1, sizeof(*cell));
	/* The name stands last, where it was asked for. */
	size_t columns = cmd_flag(ctx, "--names") ? COLUMNS : COLUMNS - 1, i;

	if (cell == NULL)
		return;
	for (i = 0; i < n; i++) {
		if (ctx->g.json)
			json_line(ctx, schema, &list[i]->base);
		else
			summary_cells(ctx, list[i], cell + i * columns);
	}
	if (!ctx->g.json && n > 0)
		print_table(ctx, head, cell, columns, n);
}

static enum exit_code
list_request(struct cmd_ctx *ctx, Cdop__CaseListRequest *request)
{
	uint64_t limit = 100;
	enum exit_code code;
	size_t n;

	cdop__case_list_request__init(request);
	if ((code = area_read_all(ctx, &request->area, 1, &n)) != EXIT_OK)
		return code;
	request->status = terms_copy(ctx, "--status");
	request->has_names = true;
	request->names = cmd_flag(ctx, "--names");
	request->has_mine = true;
	request->mine = cmd_flag(ctx, "--mine");
	request->has_handover = cmd_flag(ctx, "--handover");
	request->handover = request->has_handover;
	if ((code = terms_day(ctx, "--since", &request->since)) != EXIT_OK ||
	    (code = terms_day(ctx, "--until", &request->until)) != EXIT_OK)
		return code;
	if (request->since != NULL && request->until != NULL &&
	    strcmp(request->until, request->since) < 0)
		return terms_backwards(ctx);
	if (cmd_value(ctx, "--limit") != NULL)
		code = cmd_number(
		    ctx, "--limit", cmd_value(ctx, "--limit"), 100000, &limit);
	if (code == EXIT_OK && limit == 0)
		return cmd_fail(
		    ctx, EXIT_USAGE, NULL, NULL, "--limit: one at least");
	request->has_limit = true;
	request->limit = (uint32_t)limit;
	return code;
}

/* Page after page, until the limit or the end. */
static enum exit_code
run_list(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__CaseListRequest request;
	Cdop__CaseListReply *reply;
	enum exit_code code;
	size_t total = 0, used = 0, n;
	uint32_t limit;

	code = list_request(ctx, &request);
	if (code != EXIT_OK)
		return code;
	limit = request.limit;
	do {
		request.limit =
		    limit - total > 100 ? 100 : (uint32_t)(limit - total);
		code = call_case_list(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		(void)session_profile(ctx, &profile);
		pager_start(ctx);
		show_summaries(ctx, "case.list", reply->case_, reply->n_case_);
		n = reply->n_case_;
		total += n;
		request.has_page = reply->has_next_page;
		request.page = reply->next_page;
		paged_pass(ctx, &used, &request.page);
	} while (
	    request.has_page && n > 0 && total < limit && !pager_is_left());
	if (ctx->g.json)
		print_end_of(ctx, "case.list", total, request.has_page);
	else
		print_note(ctx, "%zu case%s%s", total, total == 1 ? "" : "s",
		    request.has_page ? ", and more (--limit)" : "");
	return EXIT_OK;
}

static enum exit_code
run_find(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__CaseFindRequest request;
	Cdop__CaseFindReply *reply;
	struct terms terms;
	enum exit_code code;
	bool more;

	if ((code = terms_read(ctx, true, &terms)) != EXIT_OK)
		return code;
	cdop__case_find_request__init(&request);
	request.nhs_number = terms.nhs_number;
	request.family_name = terms.family_name;
	request.first_name = terms.first_name;
	request.birth_date = terms.birth_date;
	request.death_date = terms.death_date;
	request.mother_name = terms.mother_name;
	request.has_names = true;
	request.names = cmd_flag(ctx, "--names");
	if ((code = call_case_find(ctx, &request, &reply)) != EXIT_OK)
		return code;
	(void)session_profile(ctx, &profile);
	pager_start(ctx);
	show_summaries(ctx, "case.find", reply->case_, reply->n_case_);
	more = reply->has_more && reply->more;
	if (ctx->g.json) {
		print_end_of(ctx, "case.find", reply->n_case_, more);
		return EXIT_OK;
	}
	print_note(ctx, "%zu found.  Understood as: %s%s", reply->n_case_,
	    reply->understood,
	    more ? ".  There are more: say more of the child" : "");
	return EXIT_OK;
}

/* ---- history ----------------------------------------------------- */

/* Page after page, to the end. */
static enum exit_code
run_history(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__CaseHistoryRequest request;
	Cdop__CaseHistoryReply *reply;
	enum exit_code code;
	size_t total = 0, used = 0, n, i;

	cdop__case_history_request__init(&request);
	code = reference_read(ctx, ctx->pos[0], &request.reference);
	if (code != EXIT_OK || (code = paper_begin(ctx)) != EXIT_OK)
		return code;
	do {
		code = call_case_history(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		if (total == 0) {
			(void)session_profile(ctx, &profile);
			pager_start(ctx);
			paper_head(ctx);
		}
		for (i = 0; i < reply->n_entry; i++) {
			if (ctx->g.json)
				json_line(ctx, "case.history",
				    &reply->entry[i]->base);
			else
				show_case_event(ctx, reply->entry[i]);
		}
		n = reply->n_entry;
		total += n;
		request.has_page = reply->has_next_page;
		request.page = reply->next_page;
		paged_pass(ctx, &used, &request.page);
	} while (request.has_page && n > 0 && !pager_is_left());
	if (ctx->g.json)
		print_end(ctx, "case.history", total);
	return EXIT_OK;
}

/* ---- pairs ------------------------------------------------------- */

static void
show_pair(struct cmd_ctx *ctx, const Cdop__DuplicatePair *pair)
{
	if (ctx->g.json)
		json_line(ctx, "case.pairs", &pair->base);
	else
		print_out(ctx, "%s  %s  %s", pair->one, pair->other,
		    show_joined(ctx, pair->reason, pair->n_reason, "; "));
}

/* Pairs of cases that may be one child, for those who see both areas. */
static enum exit_code
run_pairs(struct cmd_ctx *ctx)
{
	Cdop__DuplicatePairsRequest request;
	Cdop__DuplicatePairsReply *reply;
	enum exit_code code;
	size_t total = 0, used = 0, n, i;

	cdop__duplicate_pairs_request__init(&request);
	do {
		code = call_duplicate_pairs(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		pager_start(ctx);
		n = reply->n_pair;
		for (i = 0; i < n; i++)
			show_pair(ctx, reply->pair[i]);
		total += n;
		request.has_page = reply->has_next_page;
		request.page = reply->next_page;
		paged_pass(ctx, &used, &request.page);
	} while (request.has_page && n > 0 && !pager_is_left());
	if (ctx->g.json)
		print_end_of(ctx, "case.pairs", total, request.has_page);
	else
		print_note(ctx, "%zu pair%s to decide (cdop case link)%s",
		    total, total == 1 ? "" : "s",
		    request.has_page ? ", and more" : "");
	return EXIT_OK;
}

static const struct cmd_opt show_opts[] = {
    {"--notifications", NULL, "the notifications as received, too", false},
    {"--notification", "N", "one notification alone", false},
    {"--form-version", "N",
	"an older version of that notification, or of the case record", false},
    {"--links-after", "N", "more of many links, as it says", false},
    {"--sources", NULL, "who gave each value, when and why", false},
    PAPER_OPTS,
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt history_opts[] = {
    PAPER_OPTS,
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt list_opts[] = {
    {"--area", "AREA", "owned by this area", false},
    {"--status", "WORD", "received, entered-in-error", false},
    {"--since", "DATE", "died, or if that is not known registered, on or after",
	false},
    {"--until", "DATE", "and up to", false},
    {"--names", NULL, "show names; the log says so", false},
    {"--mine", NULL, "those you are responsible for", false},
    {"--handover", NULL, "whose responsible person is gone", false},
    {"--limit", "N", "at most so many (100)", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_case_rows[] = {
    {"case show", "REF", "show one case", NULL,
	"  cdop case show K7M4-QX2Q\n"
	"  cdop case show K7M4-QX2Q --notifications --json\n"
	"  cdop case show K7M4-QX2Q --sources\n"
	"  cdop case show K7M4-QX2Q --notification 2 --form-version 1",
	show_opts, 1, 1, 0, "case", run_show},
    {"case list", "", "list cases, names only where asked for",
	"An area that the panel has not and a status that no case has are "
	"refused.",
	"  cdop case list --since 2026-11-01\n"
	"  cdop case list --area wirral --names",
	list_opts, 0, 0, 0, "case", run_list},
    {"case find", "", "find a child by number, or by name and date",
	"Terms are asked for; in a live registry they are never taken from "
	"the\ncommand line.  At least an NHS number, or a name with one date; "
	"a short\nname (Na, Li) wants a whole date.  One part of a family name "
	"of several is "
	"enough:\nJones finds Smith-Jones.  Where nothing fits, the first "
	"letters "
	"of a name\nare: Tarr finds Tarrant.  A baby without a name has its "
	"mother's.",
	"  cdop case find", terms_find_opts, 0, 0, 0, "case", run_find},
    {"case history", "REF", "who did what to a case, and why", NULL,
	"  cdop case history K7M4-QX2Q", history_opts, 1, 1, 0, "case",
	run_history},
    {"case pairs", "", "pairs of cases that may be one child", NULL,
	"  cdop case pairs", NULL, 0, 0, 0, "case", run_pairs},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
