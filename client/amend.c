/* cdop case amend and correct. */
#include "client/amend.h"

#include <string.h>

#include "client/call.h"
#include "client/change.h"
#include "client/choices.h"
#include "client/file.h"
#include "client/json.h"
#include "client/notify.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/show.h"

#define CLEAR_MAX 64
#define FILE_MAX  ((size_t)1 << 20)
#define ROUNDS    6

const struct cmd_opt amend_opts[] = {
    {"--set", "PATH=VALUE", "a field; identity in training only", true},
    {"--clear", "PATH", "empty a field: not asked", true},
    {"--from", "FILE", "the changes as a JSON object, - for stdin", false},
    {"--source", "TEXT", "\"notification 2\", \"telephone, GP\"", false},
    {"--reason", "TEXT", "why", false},
    {"--seen", "N", "the version you saw (looked up)", false},
    {"--accept-warning", "RULE: REASON", "go on with this warning", true},
    {"--dry-run", NULL, "every check of the registry, nothing written", false},
    {NULL, NULL, NULL, false},
};

const struct cmd_opt amend_correct_opts[] = {
    {"--set", "PATH=VALUE", "a field; identity in training only", true},
    {"--from", "FILE", "the changes as a JSON object, - for stdin", false},
    {"--reason", "TEXT", "why", false},
    {"--accept-warning", "RULE: REASON", "go on with this warning", true},
    {NULL, NULL, NULL, false},
};

struct amendment {
	struct change change;
	struct notify n; /* form: only what changes */
	char *clear[CLEAR_MAX];
	size_t n_clear;
	const struct cdop_profile *profile;
};

static enum exit_code
from_file(struct cmd_ctx *ctx, struct amendment *a, const char *path)
{
	struct cdop_violations v = {NULL, 0, 0};
	struct cdop_bytes text;
	enum exit_code code;
	json_t *object;

	if (file_read(path, FILE_MAX, ctx->arena, &text) != CDOP_OK)
		return cmd_fail(
		    ctx, EXIT_USAGE, NULL, NULL, "%s cannot be read", path);
	object = json_loadb(
	    (const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	code = json_read_form(ctx, object, a->profile, a->n.form, &v);
	json_decref(object);
	if (code != EXIT_OK || v.n == 0)
		return code;
	(void)cmd_fail(
	    ctx, EXIT_INVALID, NULL, NULL, "%s holds what is no value", path);
	ctx->error.finding = notify_findings(ctx, &v);
	ctx->error.n_findings = v.n;
	return EXIT_INVALID;
}

static enum exit_code
take_clear(struct cmd_ctx *ctx, struct amendment *a)
{
	struct cdop_path path;
	const char *given;

	while ((given = cmd_value_at(ctx, "--clear", a->n_clear)) != NULL) {
		if (a->n_clear == CLEAR_MAX ||
		    cdop_form_path_parse(given, &path) != CDOP_OK)
			return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
			    "--clear: there is no field %s", given);
		a->clear[a->n_clear++] = cdop_arena_strdup(ctx->arena, given);
	}
	return EXIT_OK;
}

/* One field after the other, with what stands there now. */
static enum exit_code
ask(struct cmd_ctx *ctx, struct amendment *a, const Cdop__Form *now)
{
	struct cdop_violations v;
	struct cdop_path path;
	const char *name, *typed, *words;
	enum exit_code code;

	for (;;) {
		code = prompt_line(ctx,
		    "Field to change (its path, Enter when done)", NULL, &name);
		if (code != EXIT_OK || name[0] == '\0')
			return code;
		if (cdop_form_path_parse(name, &path) != CDOP_OK) {
			print_note(ctx,
			    "there is no such field; the paths "
			    "stand in the man page");
			continue;
		}
		words = now == NULL
		    ? NULL
		    : cdop_form_words(now, &path, a->profile, ctx->arena);
		print_note(ctx, "  now: %s", words != NULL ? words : "-");
		code = path.field->kind == CDOP_KIND_NARRATIVE
		    ? prompt_lines(ctx, path.field->label, &typed)
		    : prompt_line(ctx, path.field->label, NULL, &typed);
		if (code != EXIT_OK)
			return code;
		memset(&v, 0, sizeof(v));
		if (cdop_form_set(a->n.form, &path, typed, a->profile,
			ctx->arena, &v) != CDOP_OK &&
		    v.n > 0)
			print_note(ctx, "  %s", v.v[0].message);
	}
}

static enum exit_code
read_changes(struct cmd_ctx *ctx, struct amendment *a, const Cdop__Form *now)
{
	const char *from = cmd_value(ctx, "--from");
	enum exit_code code;

	if ((code = session_open(ctx)) != EXIT_OK ||
	    (code = session_profile(ctx, &a->profile)) != EXIT_OK ||
	    (code = notify_set(ctx, a->profile, &a->n)) != EXIT_OK ||
	    (code = take_clear(ctx, a)) != EXIT_OK)
		return code;
	if (from != NULL)
		return from_file(ctx, a, from);
	if (cmd_value(ctx, "--set") != NULL || a->n_clear > 0)
		return EXIT_OK;
	if (!prompt_is_possible(ctx))
		return prompt_impossible(
		    ctx, "what is to change", "--set PATH=VALUE");
	return ask(ctx, a, now);
}

/* Warnings are asked about and sent again under the same key. */
static enum exit_code
send(struct cmd_ctx *ctx, struct amendment *a, uint32_t method,
    const ProtobufCMessage *request, Cdop__ChangeReply **ret_reply)
{
	ProtobufCMessage *message = NULL;
	struct cmd_error error;
	enum exit_code code;

	code = a->n.dry_run
	    ? call_dry(ctx, method, request, a->n.key, &message)
	    : call_change(ctx, method, request, a->n.key, &message);
	*ret_reply = (Cdop__ChangeReply *)message;
	if (code != EXIT_INVALID || ctx->error.n_findings == 0)
		return code;
	error = ctx->error;
	code = overrides_ask(
	    ctx, &a->n.overrides, a->n.form, error.finding, error.n_findings);
	if (code == EXIT_OK) {
		ctx->error.message = NULL;
		return EXIT_PARTIAL; /* answered: once more */
	}
	if (code == EXIT_INVALID)
		ctx->error = error;
	return code;
}

static void
fill(struct amendment *a, Cdop__CaseAmendRequest *request)
{
	cdop__case_amend_request__init(request);
	request->reference = a->change.reference;
	request->version = a->change.version;
	request->form = a->n.form;
	request->clear = a->clear;
	request->n_clear = a->n_clear;
	request->reason = a->change.reason;
	request->source = a->n.source;
	request->override = a->n.overrides.list;
	request->n_override = a->n.overrides.n;
	request->has_dry_run = a->n.dry_run;
	request->dry_run = a->n.dry_run;
	request->decision = a->n.decision;
	request->n_decision = a->n.n_decisions;
}

enum exit_code
amend_run(struct cmd_ctx *ctx)
{
	Cdop__CaseAmendRequest request;
	Cdop__ChangeReply *reply = NULL;
	const Cdop__FormInstance *record = NULL;
	struct amendment a;
	enum exit_code code;
	const char *source;
	int round;

	memset(&a, 0, sizeof(a));
	if ((code = change_begin(ctx, &a.change)) != EXIT_OK ||
	    (code = notify_new(ctx, &a.n)) != EXIT_OK)
		return code;
	if (a.change.seen != NULL && a.change.seen->record != NULL) {
		record = a.change.seen->record;
		a.change.version = record->version;
	}
	code = read_changes(ctx, &a, record != NULL ? record->form : NULL);
	if (code != EXIT_OK)
		return code;
	if (a.n.source == NULL) {
		code = prompt_need(ctx, "Source", "--source TEXT", &source);
		if (code != EXIT_OK)
			return code;
		a.n.source = cdop_arena_strdup(ctx->arena, source);
	}
	for (round = 0; round < ROUNDS; round++) {
		fill(&a, &request);
		code = send(ctx, &a, 46, &request.base, &reply);
		if (code != EXIT_PARTIAL)
			break;
	}
	return change_end(ctx, code, reply,
	    a.n.dry_run ? "Every check passed, nothing written" : "Amended");
}

/* The notification as it is, with the slip mended, goes back whole. */
static enum exit_code
whole_form(struct cmd_ctx *ctx, struct amendment *a,
    const Cdop__FormInstance *instance, Cdop__Form **ret_form)
{
	Cdop__Form *form = cdop_form_copy(instance->form, ctx->arena);

	if (form == NULL ||
	    cdop_form_merge(form, a->n.form, ctx->arena) != CDOP_OK)
		return cmd_fail(
		    ctx, EXIT_UNEXPECTED, NULL, NULL, "out of memory");
	*ret_form = form;
	return EXIT_OK;
}

static enum exit_code
find_instance(struct cmd_ctx *ctx, struct amendment *a, uint64_t number,
    const Cdop__FormInstance **ret_instance)
{
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;
	enum exit_code code;
	size_t i;

	cdop__case_show_request__init(&request);
	request.reference = a->change.reference;
	request.has_notifications = true;
	request.notifications = true;
	code = call_case_show(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	for (i = 0; i < reply->case_->n_notification; i++)
		if (reply->case_->notification[i]->number == number &&
		    reply->case_->notification[i]->form != NULL) {
			*ret_instance = reply->case_->notification[i];
			return EXIT_OK;
		}
	return cmd_fail(ctx, EXIT_NOT_FOUND, NULL,
	    "cdop case show REF --notifications",
	    "the case has no notification of that number");
}

enum exit_code
amend_correct_run(struct cmd_ctx *ctx)
{
	const Cdop__FormInstance *instance = NULL;
	Cdop__NotificationCorrectRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct amendment a;
	enum exit_code code;
	uint64_t number = 0;
	int round;

	memset(&a, 0, sizeof(a));
	if ((code = cmd_number(ctx, "NOTIFICATION", ctx->pos[1], UINT32_MAX,
		 &number)) != EXIT_OK ||
	    (code = change_words(ctx, &a.change)) != EXIT_OK ||
	    (code = notify_new(ctx, &a.n)) != EXIT_OK ||
	    (code = find_instance(ctx, &a, number, &instance)) != EXIT_OK ||
	    (code = read_changes(ctx, &a, instance->form)) != EXIT_OK)
		return code;
	cdop__notification_correct_request__init(&request);
	request.reference = a.change.reference;
	request.notification = (uint32_t)number;
	request.version = instance->version;
	request.reason = a.change.reason;
	code = whole_form(ctx, &a, instance, &request.form);
	a.n.form = request.form; /* warnings are about the whole */
	for (round = 0; code == EXIT_OK && round < ROUNDS; round++) {
		request.override = a.n.overrides.list;
		request.n_override = a.n.overrides.n;
		code = send(ctx, &a, 41, &request.base, &reply);
		if (code != EXIT_PARTIAL)
			break;
		code = EXIT_OK;
	}
	return change_end(ctx, code, reply, "Corrected");
}
