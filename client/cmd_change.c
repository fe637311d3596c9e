/* cdop case withdraw, reinstate, owner, interest, ...: acts on a case. */
#include <string.h>

#include "client/amend.h"
#include "client/area.h"
#include "client/call.h"
#include "client/change.h"
#include "client/families.h"
#include "client/reference.h"
#include "client/terms.h"

static enum exit_code
run_withdraw(struct cmd_ctx *ctx)
{
	Cdop__CaseWithdrawRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct change change;
	enum exit_code code;
	bool back = strcmp(ctx->cmd->words, "case reinstate") == 0;

	if ((code = change_begin(ctx, SEEN_STATE, 0, &change)) != EXIT_OK)
		return code;
	cdop__case_withdraw_request__init(&request);
	request.reference = change.reference;
	request.reason = change.reason;
	do {
		request.version = change.version;
		code = back ? call_case_reinstate(ctx, &request, &reply)
			    : call_case_withdraw(ctx, &request, &reply);
	} while (change_again(ctx, &change, &code, reply));
	return change_end(ctx, code, reply,
	    back ? "Taken up again" : "Marked as entered in error");
}

static enum exit_code
run_owner(struct cmd_ctx *ctx)
{
	Cdop__CaseOwnerRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct change change;
	enum exit_code code;

	cdop__case_owner_request__init(&request);
	if ((code = area_read(ctx, ctx->pos[1], &request.area)) != EXIT_OK ||
	    (code = change_begin(ctx, SEEN_STATE, 0, &change)) != EXIT_OK)
		return code;
	request.reference = change.reference;
	request.reason = change.reason;
	request.source = terms_copy(ctx, "--source");
	do {
		request.version = change.version;
		code = call_case_owner(ctx, &request, &reply);
	} while (change_again(ctx, &change, &code, reply));
	return change_end(ctx, code, reply, "Owner changed");
}

static enum exit_code
run_interest(struct cmd_ctx *ctx)
{
	Cdop__CaseInterestRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct change change;
	enum exit_code code;

	cdop__case_interest_request__init(&request);
	if (cmd_flag(ctx, "--known") && cmd_flag(ctx, "--remove"))
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "one of these: --known, or --remove");
	if ((code = area_read(ctx, ctx->pos[1], &request.area)) != EXIT_OK ||
	    (code = change_begin(ctx, SEEN_STATE, 0, &change)) != EXIT_OK)
		return code;
	request.reference = change.reference;
	request.known = cmd_flag(ctx, "--known");
	request.has_remove = true;
	request.remove = cmd_flag(ctx, "--remove");
	request.reason = change.reason;
	do {
		request.version = change.version;
		code = call_case_interest(ctx, &request, &reply);
	} while (change_again(ctx, &change, &code, reply));
	return change_end(ctx, code, reply, "Interested areas changed");
}

static enum exit_code
run_responsible(struct cmd_ctx *ctx)
{
	Cdop__CaseResponsibleRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct change change;
	enum exit_code code;
	uint64_t person = 0;

	if (ctx->n_pos > 1 &&
	    (code = cmd_numbered(
		 ctx, "PERSON", ctx->pos[1], UINT32_MAX, &person)) != EXIT_OK) {
		ctx->error.next = CALL_COLLEAGUES;
		return code;
	}
	if ((code = change_begin(ctx, SEEN_STATE, 0, &change)) != EXIT_OK)
		return code;
	cdop__case_responsible_request__init(&request);
	request.reference = change.reference;
	request.has_person = ctx->n_pos > 1;
	request.person = (uint32_t)person;
	request.reason = change.reason;
	do {
		request.version = change.version;
		code = call_case_responsible(ctx, &request, &reply);
	} while (change_again(ctx, &change, &code, reply));
	return change_end(ctx, code, reply, "Responsible person changed");
}

static const char *const link_kinds[] = {"not_duplicate", "multiple_birth",
    "siblings", "same_incident", "same_mother"};

static enum exit_code
run_link(struct cmd_ctx *ctx)
{
	const char *kind = cmd_value(ctx, "--kind");
	Cdop__CaseLinkRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct change change;
	enum exit_code code;
	size_t i, n = sizeof(link_kinds) / sizeof(link_kinds[0]);
	bool ends = strcmp(ctx->cmd->words, "case unlink") == 0;

	for (i = 0; kind != NULL && i < n; i++)
		if (strcmp(kind, link_kinds[i]) == 0)
			break;
	if (kind == NULL || i == n)
		return cmd_fail(ctx, EXIT_USAGE, "input_needed",
		    "not_duplicate, multiple_birth, siblings, same_incident "
		    "or same_mother",
		    "--kind says what links the two");
	cdop__case_link_request__init(&request);
	if ((code = change_words(ctx, &change)) != EXIT_OK ||
	    (code = reference_read(ctx, ctx->pos[1], &request.other)) !=
		EXIT_OK)
		return code;
	request.reference = change.reference;
	request.kind = cdop_arena_strdup(ctx->arena, kind);
	request.reason = change.reason;
	code = ends ? call_case_link_end(ctx, &request, &reply)
		    : call_case_link_add(ctx, &request, &reply);
	return change_end(
	    ctx, code, reply, ends ? "Link taken back" : "Linked");
}

static enum exit_code
run_move(struct cmd_ctx *ctx)
{
	Cdop__NotificationMoveRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct change change;
	enum exit_code code;
	uint64_t number;

	cdop__notification_move_request__init(&request);
	code =
	    cmd_number(ctx, "NOTIFICATION", ctx->pos[1], UINT32_MAX, &number);
	if (code == EXIT_OK && cmd_value(ctx, "--to") != NULL)
		code = reference_read(
		    ctx, cmd_value(ctx, "--to"), &request.to_reference);
	if (code != EXIT_OK ||
	    (code = change_begin(ctx, SEEN_STATE, 0, &change)) != EXIT_OK)
		return code;
	request.reference = change.reference;
	request.notification = (uint32_t)number;
	request.reason = change.reason;
	do {
		request.version = change.version;
		code = call_notification_move(ctx, &request, &reply);
	} while (change_again(ctx, &change, &code, reply));
	return change_end(ctx, code, reply, "Notification moved");
}

#define REASON                                                                 \
	{                                                                      \
		"--reason", "TEXT", "why", false                               \
	}
#define VERSION                                                                \
	{                                                                      \
		"--seen", "N", "the version you saw (of the last case show)",  \
		    false                                                      \
	}

static const struct cmd_opt change_opts[] = {
    REASON, VERSION, {NULL, NULL, NULL, false}};

static const struct cmd_opt owner_opts[] = {
    {"--source", "TEXT", "who says so: \"telephone, school\"", false}, REASON,
    VERSION, {NULL, NULL, NULL, false}};

static const struct cmd_opt interest_opts[] = {
    {"--known", NULL, "its partner is told \"known to you\"", false},
    {"--remove", NULL, "it is not interested any more", false}, REASON, VERSION,
    {NULL, NULL, NULL, false}};

static const struct cmd_opt link_opts[] = {
    {"--kind", "WORD", "siblings, multiple_birth, not_duplicate, ...", false},
    REASON, {NULL, NULL, NULL, false}};

static const struct cmd_opt move_opts[] = {
    {"--to", "REF", "the right case; without it one of its own", false}, REASON,
    VERSION, {NULL, NULL, NULL, false}};

const struct cmd cmd_change_rows[] = {
    {"case amend", "REF", "change the case record, with reason and source",
	"Names the version it saw: what somebody else changed meanwhile is "
	"never\nwritten over (exit 8).",
	"  cdop case amend K7M4-QX2Q\n"
	"  cdop case amend K7M4-QX2Q --set death.expected=no --source "
	"\"telephone, GP\" --reason \"GP rang\"",
	amend_opts, 1, 1, 0, "case", amend_run},
    {"case correct", "REF NOTIFICATION",
	"mend a slip of the pen in a notification as received", NULL,
	"  cdop case correct K7M4-QX2Q 1 --set received.channel=email "
	"--reason \"typed wrongly\"",
	amend_correct_opts, 2, 2, 0, "case", amend_correct_run},
    {"case withdraw", "REF", "mark a case as entered in error", NULL,
	"  cdop case withdraw K7M4-QX2Q --reason \"typed as a test\"",
	change_opts, 1, 1, 0, "case", run_withdraw},
    {"case reinstate", "REF", "take a withdrawn case up again", NULL,
	"  cdop case reinstate K7M4-QX2Q --reason \"was right\"", change_opts,
	1, 1, 0, "case", run_withdraw},
    {"case owner", "REF AREA", "give a case to another area", NULL,
	"  cdop case owner K7M4-QX2Q wirral --reason \"lived there\" "
	"--source \"telephone, school\"",
	owner_opts, 2, 2, 0, "case", run_owner},
    {"case interest", "REF AREA", "note that an area is interested", NULL,
	"  cdop case interest K7M4-QX2Q wirral --known --reason \"placed "
	"there\"",
	interest_opts, 2, 2, 0, "case", run_interest},
    {"case responsible", "REF [PERSON]", "who works this case; none: nobody",
	"A coordinator who works for the owner of the case.  case show says "
	"where\nthat person is gone and nobody works it.",
	"  cdop case responsible K7M4-QX2Q 12 --reason \"takes over\"",
	change_opts, 1, 2, 0, "case", run_responsible},
    {"case link", "REF OTHER", "link two cases, or say they are two", NULL,
	"  cdop case link K7M4-QX2Q W3HD-9KP8 --kind siblings --reason "
	"\"same mother\"",
	link_opts, 2, 2, 0, "case", run_link},
    {"case unlink", "REF OTHER", "take back a link that was wrong",
	"It stays in the history, and says no more that they are two "
	"children: where\nthey may be one, that is a question again (cdop "
	"case pairs).",
	"  cdop case unlink K7M4-QX2Q W3HD-9KP8 --kind siblings --reason "
	"\"other mother\"",
	link_opts, 2, 2, 0, "case", run_link},
    {"case move-notification", "REF NOTIFICATION",
	"take a notification out of a case it does not belong to", NULL,
	"  cdop case move-notification K7M4-QX2Q 2 --to W3HD-9KP8 --reason "
	"\"joined wrongly\"",
	move_opts, 2, 2, 0, "case", run_move},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
