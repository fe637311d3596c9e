/* cdop notify: one notification at the prompt, or a file of them. */
#include <string.h>

#include "client/blank.h"
#include "client/call.h"
#include "client/decide.h"
#include "client/families.h"
#include "client/file.h"
#include "client/import.h"
#include "client/notify.h"
#include "client/notify_ask.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/raise.h"
#include "client/reference.h"
#include "client/session.h"
#include "client/show.h"
#include "client/spool.h"

/* A number says nothing of when: one that is free is given again. */
static bool
is_meant(uint64_t number, const char *path, const char *so_far)
{
	if (number != 0)
		return spool_draft_number(path) == number;
	return so_far == NULL || file_time(path) >= file_time(so_far);
}

/* Picks up a draft: the newest, or the one whose number is given. */
static enum exit_code
resume(struct cmd_ctx *ctx, struct notify *n)
{
	struct spool_list list = {NULL, 0};
	const char *path = NULL;
	Cdop__ClientDraft *draft;
	enum exit_code code;
	uint64_t number = 0;
	size_t i;

	if (ctx->n_pos > 0) {
		code = cmd_numbered(ctx, "DRAFT", ctx->pos[0], 9999, &number);
		if (code != EXIT_OK)
			return code;
	}
	if ((code = spool_drafts(ctx, &list)) != EXIT_OK)
		return code;
	for (i = 0; i < list.n; i++)
		if (is_meant(number, list.path[i], path))
			path = list.path[i];
	if (path == NULL)
		return spool_no_draft(ctx);
	n->draft = spool_draft_number(path);
	if ((code = spool_hold_draft(ctx, n->draft, &n->hold)) != EXIT_OK ||
	    (code = spool_get_draft(ctx, path, &draft)) != EXIT_OK)
		return code;
	notify_take(n, draft);
	/* Whose it is: what was typed before is not asked again. */
	if (prompt_is_possible(ctx) && !ctx->g.json) {
		print_note(ctx, "draft %u, kept %s:", n->draft,
		    print_time(ctx->arena, draft->at_ms));
		show_form(ctx, n->form, NULL);
	}
	return EXIT_OK;
}

/* Groups that a sibling or a shared incident has in common. */
static const char *const like_groups[] = {"notifier", "mother", "parent",
    "household", "circumstances", "event", "area"};
static const char *const like_fields[] = {
    "child.address", "child.postcode", "child.country", "received.channel"};

static bool
is_shared(const struct cdop_path *path)
{
	size_t i;

	for (i = 0; i < sizeof(like_groups) / sizeof(like_groups[0]); i++)
		if (strcmp(path->field->group, like_groups[i]) == 0)
			return true;
	for (i = 0; i < sizeof(like_fields) / sizeof(like_fields[0]); i++)
		if (strcmp(path->field->path, like_fields[i]) == 0)
			return true;
	return false;
}

/* Never name, NHS number or birth order of the other child. */
static enum exit_code
copy_like(struct cmd_ctx *ctx, struct notify *n)
{
	struct cdop_form_iter iter = {.form = NULL};
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;
	struct cdop_path path;
	enum exit_code code;
	bool yes = true;

	cdop__case_show_request__init(&request);
	code =
	    reference_read(ctx, cmd_value(ctx, "--like"), &request.reference);
	if (code != EXIT_OK ||
	    (code = call_case_show(ctx, &request, &reply)) != EXIT_OK)
		return code;
	if (reply->case_->record == NULL || reply->case_->record->form == NULL)
		return EXIT_OK;
	n->like = request.reference;
	n->form = cdop_form_copy(reply->case_->record->form, ctx->arena);
	if (n->form == NULL)
		return cmd_no_memory(ctx);
	for (iter.form = n->form; cdop_form_next(&iter, &path);)
		if (path.field->kind != CDOP_KIND_ENTRY && !is_shared(&path))
			cdop_form_clear(n->form, &path);
	/* Nothing is above all classes: marks of what is gone go with it. */
	cdop_form_redact(n->form, CDOP_CLASS_ALL);
	if (!ctx->g.json)
		show_form(ctx, n->form, NULL);
	if (prompt_is_possible(ctx))
		code = prompt_yes(ctx, "Copy all this", true, &yes);
	return code == EXIT_OK && !yes ? EXIT_STOPPED : code;
}

/* Without the panel's lists nothing can be asked or kept; that is said. */
static enum exit_code
nothing_kept(struct cmd_ctx *ctx, enum exit_code code)
{
	if (code != EXIT_UNREACHABLE && code != EXIT_SEALED)
		return code;
	return cmd_fail(ctx, code, ctx->error.reason,
	    "take it down on paper: cdop notify --blank shows the form; then "
	    "the same again, when cdop status answers",
	    "%s. Nothing is kept: this computer has not had the panel's lists "
	    "yet, and cannot take a notification without them",
	    ctx->error.message);
}

/* The profile, from the copy on this computer where there is one. */
static enum exit_code
prepare(struct cmd_ctx *ctx, const struct cdop_profile **ret_profile)
{
	enum exit_code code;

	if ((code = session_unlock(ctx)) != EXIT_OK)
		return code;
	if (session_profile(ctx, ret_profile) == EXIT_OK)
		return EXIT_OK;
	ctx->error.message = NULL;
	if ((code = session_open(ctx)) != EXIT_OK)
		return nothing_kept(ctx, code);
	code = session_profile(ctx, ret_profile);
	if (prompt_is_possible(ctx))
		session_hang_up(ctx); /* typing takes its time */
	return code;
}

/* What was raised has to be there by now. */
static enum exit_code
raise_rest(struct cmd_ctx *ctx, struct notify *n)
{
	struct cdop_violations v = {NULL, 0, 0};
	enum exit_code code;

	if ((code = raise_argv(ctx, n->form, false)) != EXIT_OK ||
	    (code = raise_check(ctx, n->form, &v)) != EXIT_OK || v.n == 0)
		return code;
	(void)cmd_fail(
	    ctx, EXIT_INVALID, NULL, NULL, "there is nothing to be raised");
	ctx->error.finding = notify_findings(ctx, &v);
	ctx->error.n_findings = v.n;
	return EXIT_INVALID;
}

/* What is one notification's: in a file each row has its own. */
static enum exit_code
look_at_options(struct cmd_ctx *ctx)
{
	static const struct {
		const char *option, *column;
	} of_one[] = {
	    {"--decision", "decision"},
	    {"--decision-reason", "decision_reason"},
	    {"--accept-warning", "warnings_accepted"},
	    {"--form-kind", "form_kind"},
	    {"--source", "source"},
	    {"--owner", "owner_area"},
	    {"--owner-reason", "owner_reason"},
	    {"--raise", "raised"},
	    {"--set", "of that path"},
	    {"--like", NULL},
	    {"--resume", NULL},
	};

	size_t i;

	for (i = 0; i < sizeof(of_one) / sizeof(*of_one); i++)
		if (cmd_value(ctx, of_one[i].option) != NULL)
			return cmd_fail(ctx, EXIT_USAGE, NULL,
			    of_one[i].column == NULL
				? NULL
				: cdop_arena_printf(ctx->arena, "the column %s",
				      of_one[i].column),
			    "%s is for one notification, not for a file of "
			    "rows",
			    of_one[i].option);
	if (ctx->g.receipt != NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "that of each row is kept on this computer",
		    "--receipt is for one answer, not for a file of rows");
	return EXIT_OK;
}

static enum exit_code
run_one(
    struct cmd_ctx *ctx, const struct cdop_profile *profile, struct notify *n)
{
	enum exit_code code = EXIT_OK;

	if (cmd_flag(ctx, "--resume"))
		code = resume(ctx, n);
	else if (cmd_value(ctx, "--like") != NULL)
		code = copy_like(ctx, n);
	if (code != EXIT_OK ||
	    (code = notify_set(ctx, profile, n)) != EXIT_OK ||
	    (code = raise_argv(ctx, n->form, true)) != EXIT_OK ||
	    (code = decide_argv(ctx, n)) != EXIT_OK)
		return code;
	if (prompt_is_possible(ctx))
		code = notify_ask(ctx, profile, n);
	if (code != EXIT_OK || (code = raise_rest(ctx, n)) != EXIT_OK)
		return code;
	return notify_send(ctx, n);
}

static enum exit_code
run_notify(struct cmd_ctx *ctx)
{
	const char *from = cmd_value(ctx, "--from");
	const struct cdop_profile *profile;
	enum exit_code code;
	struct notify n;

	if (cmd_flag(ctx, "--blank"))
		return blank_print(ctx);
	if (ctx->n_pos > 0 && !cmd_flag(ctx, "--resume"))
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop notify --from FILE, or --resume DRAFT",
		    "notify takes no word");
	if (from != NULL && (code = look_at_options(ctx)) != EXIT_OK)
		return code;
	if (cmd_flag(ctx, "--resume") && cmd_value(ctx, "--like") != NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "a draft goes on as it is: --resume or --like");
	if ((code = notify_look(ctx)) != EXIT_OK ||
	    (code = prepare(ctx, &profile)) != EXIT_OK)
		return code;
	if (from != NULL)
		return import_run(ctx, profile, from);
	if ((code = notify_new(ctx, &n)) != EXIT_OK)
		return code;
	code = run_one(ctx, profile, &n);
	notify_end(&n);
	return code;
}

static const struct cmd_opt notify_opts[] = {
    {"--from", "FILE", "rows of a CSV or JSON file, - for stdin", false},
    {"--encoding", "NAME", "of the file: utf-8 (usual), windows-1252", false},
    {"--dry-run", NULL, "every check of the registry, nothing written", false},
    {"--set", "PATH=VALUE", "a field; identity in training only", true},
    RAISE_OPT,
    {"--accept-warning", "RULE: REASON", "go on with this warning", true},
    DECIDE_OPTS,
    {"--like", "REF", "copy what a sibling's case has in common", false},
    {"--resume", NULL, "go on with a draft: the newest, or DRAFT", false},
    {"--all", NULL, "ask also what is wanted later", false},
    {"--blank", NULL, "print the paper form, without a registry", false},
    {"--form-kind", "WORD", "new, correction, no-liability, coroner, other",
	false},
    {"--source", "TEXT", "what it is taken from: \"portal row 7\"", false},
    {"--owner", "AREA", "owner, where residence does not settle it", false},
    {"--owner-reason", "TEXT", "why", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_notify_rows[] = {
    {"notify", "[DRAFT]", "register the death of a child",
	"Asks what is missing; Enter skips, #nk not known, #na not "
	"applicable,\n#ws withheld, ? help.  With --from a file goes in row "
	"by row; rows\nthat are not accepted go to a rejects file that only "
	"you can read.",
	"  cdop notify\n"
	"  cdop notify --from portal.csv\n"
	"  cdop notify --from portal.csv --dry-run\n"
	"  cdop notify --resume",
	notify_opts, 0, 1, 0, "notify", run_notify},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
