/* Options of the commands about the log, and the call they all make. */
#include "client/audit_ask.h"

#include <string.h>

#include "cdop/call.h"
#include "cdop/fold.h"
#include "client/paged.h"
#include "client/pager.h"
#include "client/session.h"
#include "client/terms.h"

#define SAME_MAX 8 /* persons of one name that are listed */

enum exit_code
audit_ask_begin(struct cmd_ctx *ctx, Cdop__AuditListRequest *ret_request)
{
	bool since = false, until = false;
	enum exit_code code;

	cdop__audit_list_request__init(ret_request);
	code =
	    terms_day_begins(ctx, "--since", 0, &since, &ret_request->since_ms);
	if (code == EXIT_OK)
		code = terms_day_begins(
		    ctx, "--until", 1, &until, &ret_request->until_ms);
	if (code == EXIT_OK && since && until &&
	    ret_request->until_ms <= ret_request->since_ms)
		code = terms_backwards(ctx);
	ret_request->has_since_ms = since;
	ret_request->has_until_ms = until;
	return code;
}

enum exit_code
audit_ask_format(struct cmd_ctx *ctx, enum audit_format *ret_format)
{
	static const char *const words[] = {"text", "csv", "json"};
	const char *word = cmd_value(ctx, "--format");
	size_t i;

	*ret_format = ctx->g.json ? AUDIT_JSON : AUDIT_TEXT;
	if (word == NULL)
		return EXIT_OK;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], word) == 0)
			break;
	if (i == sizeof(words) / sizeof(words[0]) ||
	    (ctx->g.json && i != AUDIT_JSON))
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "--format: text, csv or json, and --json is the last");
	*ret_format = (enum audit_format)i;
	ctx->g.json = i == AUDIT_JSON;
	return EXIT_OK;
}

/* ---- persons ------------------------------------------------------------ */

/* Who has this name, of one page of people. */
static void
take_named(const Cdop__PeopleListReply *reply, const char *folded,
    const Cdop__Person **found, size_t *n)
{
	char name[CDOP_FOLD_MAX];
	size_t i;

	for (i = 0; i < reply->n_person && *n < SAME_MAX; i++) {
		(void)cdop_fold_name(reply->person[i]->name, name);
		if (strcmp(name, folded) == 0)
			found[(*n)++] = reply->person[i];
	}
}

static enum exit_code
which(struct cmd_ctx *ctx, const char *typed, const Cdop__Person *const *found,
    size_t n, uint32_t *ret_person)
{
	const char *all = "";
	size_t i;

	if (n == 0)
		return cmd_fail(ctx, EXIT_NOT_FOUND, "no_such_person",
		    "cdop people list --all", "nobody is called that: %s",
		    typed);
	*ret_person = found[0]->number;
	if (n == 1)
		return EXIT_OK;
	for (i = 0; i < n && all != NULL; i++)
		all = cdop_arena_printf(ctx->arena, "%s%sperson %u", all,
		    i > 0 ? ", " : "", found[i]->number);
	return cmd_fail(ctx, EXIT_USAGE, "several_persons", "give the number",
	    "more than one is called that: %s", all != NULL ? all : "");
}

/* Revoked ones too: what they read, they read. */
static enum exit_code
by_name(struct cmd_ctx *ctx, const char *typed, uint32_t *ret_person)
{
	const Cdop__Person *found[SAME_MAX];
	Cdop__PeopleListRequest request;
	Cdop__PeopleListReply *reply;
	char folded[CDOP_FOLD_MAX];
	enum exit_code code;
	size_t n = 0;

	if (cdop_fold_name(typed, folded) == 0)
		return which(ctx, typed, found, 0, ret_person);
	cdop__people_list_request__init(&request);
	request.has_all = true;
	request.all = true;
	do {
		code = call_people_list(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		take_named(reply, folded, found, &n);
		request.has_after = true;
		if (reply->n_person > 0)
			request.after =
			    reply->person[reply->n_person - 1]->number;
	} while (reply->has_more && reply->more && reply->n_person > 0);
	return which(ctx, typed, found, n, ret_person);
}

enum exit_code
audit_ask_person(struct cmd_ctx *ctx, const char *typed, uint32_t *ret_person)
{
	enum exit_code code;
	uint64_t n = 0;

	if (typed[strspn(typed, "0123456789")] != '\0' || *typed == '\0')
		return by_name(ctx, typed, ret_person);
	code = cmd_number(ctx, "PERSON", typed, UINT32_MAX, &n);
	*ret_person = (uint32_t)n;
	return code;
}

/* ---- the call ----------------------------------------------------------- */

enum exit_code
audit_ask(struct cmd_ctx *ctx, const Cdop__AuditListRequest *request,
    call_part_fn *fn, void *arg)
{
	const struct cdop_profile *profile;
	enum exit_code code;

	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	if (session_profile(ctx, &profile) != EXIT_OK)
		ctx->error.message = NULL; /* codes instead of labels */
	code = call_stream(ctx, CDOP_CALL_AuditList, &request->base, fn, arg);
	if (code == EXIT_STOPPED && pager_is_left()) {
		session_hang_up(ctx); /* the rest would still come */
		return EXIT_OK;
	}
	return code;
}

void
audit_ask_passed(struct cmd_ctx *ctx, size_t *used)
{
	paged_pass(ctx, used, NULL);
}
