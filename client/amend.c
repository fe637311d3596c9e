/* cdop case amend and correct. */
#include "client/amend.h"

#include <errno.h>
#include <string.h>

#include "client/call.h"
#include "client/change.h"
#include "client/choices.h"
#include "client/decide.h"
#include "client/file.h"
#include "client/json.h"
#include "client/notify.h"
#include "client/notify_ask.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/raise.h"
#include "client/session.h"

#define CLEAR_MAX 64
#define FILE_MAX  ((size_t)1 << 20)
#define ROUNDS    6

const struct cmd_opt amend_opts[] = {
    {"--set", "PATH=VALUE", "a field; identity in training only", true},
    {"--clear", "PATH", "empty a field: not asked", true},
    RAISE_OPT,
    {"--from", "FILE", "the changes as a JSON object, - for stdin", false},
    {"--source", "TEXT", "\"notification 2\", \"telephone, GP\"", false},
    {"--reason", "TEXT", "why", false},
    {"--seen", "N", "the version you saw (of the last case show)", false},
    {"--accept-warning", "RULE: REASON", "go on with this warning", true},
    DECIDE_OPTS,
    {"--dry-run", NULL, "every check of the registry, nothing written", false},
    {NULL, NULL, NULL, false},
};

const struct cmd_opt amend_correct_opts[] = {
    {"--set", "PATH=VALUE", "a field; identity in training only", true},
    {"--clear", "PATH", "empty a field: it was never said", true},
    {"--from", "FILE", "the changes as a JSON object, - for stdin", false},
    {"--reason", "TEXT", "why", false},
    {"--seen", "N", "the version you saw (of the last case show)", false},
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
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "%s cannot be read: %s", path, strerror(errno));
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

/* What was said of the field before does not hold any more. */
static enum exit_code
clear_one(struct cmd_ctx *ctx, struct amendment *a, const char *name)
{
	struct cdop_path path;

	if (cdop_form_path_parse(name, &path) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop notify --blank --json: the path of each field",
		    "--clear: there is no field %s", name);
	if (a->n_clear == CLEAR_MAX)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "--clear: at most %d fields at a time", CLEAR_MAX);
	a->clear[a->n_clear++] = cdop_arena_strdup(ctx->arena, name);
	return EXIT_OK;
}

/* Whoever types something else after it does not want it any more. */
static void
clear_not(struct amendment *a, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < a->n_clear; i++)
		if (strcmp(a->clear[i], name) != 0)
			a->clear[n++] = a->clear[i];
	a->n_clear = n;
}

/* One of the two would be passed over without a word. */
static enum exit_code
check_clear(struct cmd_ctx *ctx, const struct amendment *a)
{
	struct cdop_path path;
	size_t i;

	for (i = 0; i < a->n_clear; i++)
		if (cdop_form_path_parse(a->clear[i], &path) == CDOP_OK &&
		    cdop_form_state(a->n.form, &path) != CDOP_VALUE_NOT_ASKED)
			return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
			    "%s is given and cleared", a->clear[i]);
	return EXIT_OK;
}

static enum exit_code
take_clear(struct cmd_ctx *ctx, struct amendment *a)
{
	enum exit_code code = EXIT_OK;
	const char *given;

	while (code == EXIT_OK &&
	    (given = cmd_value_at(ctx, "--clear", a->n_clear)) != NULL)
		code = clear_one(ctx, a, given);
	return code;
}

/* One field after the other, with what stands there now. */
static enum exit_code
ask(struct cmd_ctx *ctx, struct amendment *a, const Cdop__Form *now)
{
	struct cdop_violations v;
	struct cdop_path path;
	char path_text[CDOP_FORM_PATH_MAX];
	const char *name, *typed, *words;
	enum exit_code code;

	for (;;) {
		code = prompt_line(
		    ctx, "Field to change (Enter when done)", NULL, &name);
		if (code != EXIT_OK || name[0] == '\0')
			return code;
		if (!choices_field(ctx, name, &path))
			continue;
		words = now == NULL
		    ? NULL
		    : cdop_form_words(now, &path, a->profile, ctx->arena);
		if (words != NULL && words[0] == '\0')
			words = NULL;
		print_note(ctx, "  now: %s%s", words != NULL ? words : "-",
		    words != NULL ? "   (#clear empties it)" : "");
		if (now == NULL ||
		    cdop_form_state(now, &path) != CDOP_VALUE_GIVEN)
			words = NULL; /* nothing to edit */
		code = path.field->kind == CDOP_KIND_NARRATIVE
		    ? prompt_lines(ctx, path.field->label, words, &typed)
		    : prompt_line(ctx, path.field->label, NULL, &typed);
		if (code != EXIT_OK)
			return code;
		cdop_form_path_write(&path, path_text);
		clear_not(a, path_text);
		if (strcmp(typed, "#clear") == 0) {
			cdop_form_clear(a->n.form, &path);
			code = clear_one(ctx, a, path_text);
			if (code != EXIT_OK)
				return code;
			continue;
		}
		memset(&v, 0, sizeof(v));
		if (cdop_form_set(a->n.form, &path, typed, a->profile,
			ctx->arena, &v) != CDOP_OK &&
		    v.n > 0)
			print_note(ctx, "  %s", v.v[0].message);
		else if (typed[0] == '\0')
			print_note(ctx, "  it stays as it is now");
		else
			notify_ask_echo(
			    ctx, a->n.form, &path, a->profile, typed);
	}
}

/*
 * Somebody is about to type: the values that stand there now are shown, so
 * what has changed since is told first, and not after all the typing.
 */
static enum exit_code
look_first(
    struct cmd_ctx *ctx, struct amendment *a, const Cdop__Form **ret_form)
{
	const Cdop__FormInstance *form;
	enum exit_code code;

	if ((code = change_look(ctx, &a->change)) != EXIT_OK)
		return code;
	if (change_version_now(&a->change) != a->change.version) {
		code = cmd_fail(ctx, EXIT_CONFLICT, "changed",
		    "look again (cdop case show) and repeat",
		    "somebody changed it since you read it");
		if (!change_again(ctx, &a->change, &code, NULL))
			return code;
	}
	form = change_form_now(&a->change);
	*ret_form = form != NULL ? form->form : NULL;
	return EXIT_OK;
}

static enum exit_code
read_changes(struct cmd_ctx *ctx, struct amendment *a)
{
	const char *from = cmd_value(ctx, "--from");
	const Cdop__Form *now = NULL;
	enum exit_code code;

	if ((code = session_open(ctx)) != EXIT_OK ||
	    (code = session_profile(ctx, &a->profile)) != EXIT_OK ||
	    (code = notify_set(ctx, a->profile, &a->n)) != EXIT_OK ||
	    (code = take_clear(ctx, a)) != EXIT_OK ||
	    (code = raise_argv(ctx, a->n.form, false)) != EXIT_OK)
		return code;
	if (from != NULL && (code = from_file(ctx, a, from)) != EXIT_OK)
		return code;
	if ((code = check_clear(ctx, a)) != EXIT_OK || from != NULL)
		return code;
	if (cmd_value(ctx, "--set") != NULL || a->n_clear > 0 ||
	    a->n.form->n_raised > 0)
		return EXIT_OK;
	if (!prompt_is_possible(ctx))
		return prompt_impossible(
		    ctx, "what is to change", "--set PATH=VALUE");
	if ((code = look_first(ctx, a, &now)) != EXIT_OK)
		return code;
	return ask(ctx, a, now);
}

static enum exit_code
once_more(struct cmd_ctx *ctx)
{
	memset(&ctx->error, 0, sizeof(ctx->error));
	return EXIT_PARTIAL;
}

/*
 * What can be answered is asked about, and then it is sent again under the
 * same key: EXIT_PARTIAL.
 */
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
	if (code == EXIT_DUPLICATE && message != NULL) {
		code = decide_ask(ctx, &a->n, (*ret_reply)->candidate,
		    (*ret_reply)->n_candidate, false);
		return code == EXIT_OK ? once_more(ctx) : code;
	}
	if (code != EXIT_INVALID || ctx->error.n_findings == 0)
		return code;
	error = ctx->error;
	code = overrides_ask(
	    ctx, &a->n.overrides, a->n.form, error.finding, error.n_findings);
	if (code == EXIT_OK)
		return once_more(ctx);
	if (code == EXIT_INVALID)
		ctx->error = error;
	return code;
}

static enum exit_code
asked_enough(struct cmd_ctx *ctx)
{
	return cmd_fail(ctx, EXIT_INVALID, NULL, NULL,
	    "each answer brought another question: nothing was written");
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

static enum exit_code
read_source(struct cmd_ctx *ctx, struct amendment *a)
{
	enum exit_code code;
	const char *source;

	if (a->n.source != NULL)
		return EXIT_OK;
	code = prompt_need(ctx, "Source", "--source TEXT", &source);
	if (code == EXIT_OK)
		a->n.source = cdop_arena_strdup(ctx->arena, source);
	return code;
}

enum exit_code
amend_run(struct cmd_ctx *ctx)
{
	Cdop__CaseAmendRequest request;
	Cdop__ChangeReply *reply = NULL;
	struct amendment a;
	enum exit_code code;
	int round;

	memset(&a, 0, sizeof(a));
	if ((code = notify_look(ctx)) != EXIT_OK ||
	    (code = change_begin(ctx, SEEN_RECORD, 0, &a.change)) != EXIT_OK ||
	    (code = notify_new(ctx, &a.n)) != EXIT_OK ||
	    (code = decide_argv(ctx, &a.n)) != EXIT_OK ||
	    (code = read_changes(ctx, &a)) != EXIT_OK ||
	    (code = read_source(ctx, &a)) != EXIT_OK)
		return code;
	for (round = 0; round < ROUNDS; round++) {
		fill(&a, &request);
		code =
		    send(ctx, &a, CDOP_CALL_CaseAmend, &request.base, &reply);
		if (code != EXIT_PARTIAL &&
		    !change_again(ctx, &a.change, &code, reply))
			break;
	}
	if (code == EXIT_PARTIAL)
		return asked_enough(ctx);
	return change_end(ctx, code, reply,
	    a.n.dry_run ? "Every check passed, nothing written" : "Amended");
}

/* The notification as it is, with the slip mended, goes back whole. */
static enum exit_code
whole_form(struct cmd_ctx *ctx, const struct amendment *a,
    const Cdop__FormInstance *instance, const Cdop__Form *mended,
    Cdop__Form **ret_form)
{
	Cdop__Form *form = cdop_form_copy(instance->form, ctx->arena);
	struct cdop_path path;
	size_t i;

	for (i = 0; form != NULL && i < a->n_clear; i++)
		if (cdop_form_path_parse(a->clear[i], &path) == CDOP_OK)
			cdop_form_clear(form, &path);
	if (form == NULL ||
	    cdop_form_merge(form, mended, ctx->arena) != CDOP_OK)
		return cmd_no_memory(ctx);
	*ret_form = form;
	return EXIT_OK;
}

/* The notification as it stands, whichever version was seen. */
static enum exit_code
find_instance(struct cmd_ctx *ctx, struct amendment *a,
    const Cdop__FormInstance **ret_instance)
{
	enum exit_code code;

	if ((code = change_look(ctx, &a->change)) != EXIT_OK)
		return code;
	*ret_instance = change_form_now(&a->change);
	if (*ret_instance != NULL && (*ret_instance)->form != NULL)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_NOT_FOUND, NULL,
	    "cdop case show REF --notifications",
	    "the case has no notification of that number");
}

/* What is mended, put into the whole of what stands there. */
static enum exit_code
send_whole(struct cmd_ctx *ctx, struct amendment *a, const Cdop__Form *mended,
    Cdop__ChangeReply **ret_reply)
{
	const Cdop__FormInstance *instance = NULL;
	Cdop__NotificationCorrectRequest request;
	enum exit_code code;

	if ((code = find_instance(ctx, a, &instance)) != EXIT_OK)
		return code;
	cdop__notification_correct_request__init(&request);
	code = whole_form(ctx, a, instance, mended, &request.form);
	if (code != EXIT_OK)
		return code;
	a->n.form = request.form; /* warnings are about the whole */
	request.reference = a->change.reference;
	request.notification = a->change.notification;
	request.version = a->change.version;
	request.reason = a->change.reason;
	request.override = a->n.overrides.list;
	request.n_override = a->n.overrides.n;
	return send(
	    ctx, a, CDOP_CALL_NotificationCorrect, &request.base, ret_reply);
}

enum exit_code
amend_correct_run(struct cmd_ctx *ctx)
{
	const Cdop__FormInstance *instance = NULL;
	const Cdop__Form *mended;
	Cdop__ChangeReply *reply = NULL;
	struct amendment a;
	enum exit_code code;
	uint64_t number = 0;
	int round;

	memset(&a, 0, sizeof(a));
	if ((code = cmd_number(ctx, "NOTIFICATION", ctx->pos[1], UINT32_MAX,
		 &number)) != EXIT_OK ||
	    (code = notify_look(ctx)) != EXIT_OK ||
	    (code = change_begin(ctx, SEEN_NOTIFICATION, (uint32_t)number,
		 &a.change)) != EXIT_OK ||
	    (code = notify_new(ctx, &a.n)) != EXIT_OK ||
	    (code = find_instance(ctx, &a, &instance)) != EXIT_OK ||
	    (code = read_changes(ctx, &a)) != EXIT_OK)
		return code;
	mended = a.n.form;
	for (round = 0; round < ROUNDS; round++) {
		code = send_whole(ctx, &a, mended, &reply);
		if (code != EXIT_PARTIAL &&
		    !change_again(ctx, &a.change, &code, reply))
			break;
	}
	if (code == EXIT_PARTIAL)
		return asked_enough(ctx);
	return change_end(ctx, code, reply, "Corrected");
}
