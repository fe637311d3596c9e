/* A notification: made, filled from the command line, turned to a request. */
#include "client/notify.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/session.h"
#include "client/spool.h"
#include "client/terms.h"

/* Classes that never stand on the command line of a live registry. */
#define PRIVATE                                                                \
	(CDOP_CLASS_IDENTITY | CDOP_CLASS_NARRATIVE | CDOP_CLASS_EXACT_DATE)

enum exit_code
notify_new(struct cmd_ctx *ctx, struct notify *n)
{
	memset(n, 0, sizeof(*n));
	n->form = cdop_form_new(ctx->arena);
	if (n->form == NULL)
		return cmd_no_memory(ctx);
	n->hold.fd = -1;
	spool_new_key(ctx, n->key);
	n->form_kind = terms_copy(ctx, "--form-kind");
	n->source = terms_copy(ctx, "--source");
	n->owner_area = terms_copy(ctx, "--owner");
	n->owner_reason = terms_copy(ctx, "--owner-reason");
	n->dry_run = cmd_flag(ctx, "--dry-run");
	return EXIT_OK;
}

struct cmd_finding *
notify_findings(struct cmd_ctx *ctx, const struct cdop_violations *v)
{
	struct cmd_finding *list =
	    cdop_arena_calloc(ctx->arena, v->n + 1, sizeof(*list));
	size_t i;

	for (i = 0; list != NULL && i < v->n; i++) {
		list[i].path = v->v[i].path;
		list[i].rule = v->v[i].rule;
		list[i].message = v->v[i].message;
		list[i].warning = v->v[i].severity == CDOP_SEVERITY_WARNING;
	}
	return list;
}

/*
 * Codes, counts and yes or no may stand there, and what is about the paper
 * and not about anybody (RECORDS M12).
 */
static bool
is_private(const struct cdop_field *field)
{
	if ((field->class & PRIVATE) != 0)
		return true;
	switch ((int)field->kind) {
	case CDOP_KIND_CODE:
	case CDOP_KIND_CHOICE:
	case CDOP_KIND_YES_NO:
	case CDOP_KIND_INTEGER:
	case CDOP_KIND_AREA:
	case CDOP_KIND_AGENCY:
		return false;
	default:
		return field->class != CDOP_CLASS_ADMINISTRATIVE;
	}
}

/* "path=value": the path, its name and the value. */
static enum exit_code
take_apart(struct cmd_ctx *ctx, const char *given, struct cdop_path *ret_path,
    const char **ret_name, const char **ret_value)
{
	const char *eq = strchr(given, '=');
	const char *name;

	name = eq == NULL
	    ? NULL
	    : cdop_arena_strndup(ctx->arena, given, (size_t)(eq - given));
	if (name == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "--set child.sex=1",
		    "--set wants path=value");
	if (cdop_form_path_parse(name, ret_path) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop notify --blank --json: the path of each field",
		    "--set: there is no field %s", name);
	*ret_name = name;
	*ret_value = eq + 1;
	return EXIT_OK;
}

static enum exit_code
set_one(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    struct notify *n, const char *given)
{
	struct cdop_violations v = {NULL, 0, 0};
	struct cdop_path path;
	const char *name, *value;
	enum exit_code code;
	enum cdop_err err;

	code = take_apart(ctx, given, &path, &name, &value);
	if (code != EXIT_OK)
		return code;
	if (!session_is_training(ctx) && is_private(path.field))
		return cmd_fail(ctx, EXIT_USAGE, "identity_in_argv",
		    "give it at the prompt, or with --from FILE|-",
		    "%s does not stand on the command line of a live registry",
		    name);
	err = cdop_form_set(n->form, &path, value, profile, ctx->arena, &v);
	if (err == CDOP_OK)
		return EXIT_OK;
	if (err == CDOP_RESOURCE_EXHAUSTED)
		return cmd_no_memory(ctx);
	(void)cmd_fail(ctx, EXIT_INVALID, NULL, NULL, "not a value");
	ctx->error.finding = notify_findings(ctx, &v);
	ctx->error.n_findings = v.n;
	return EXIT_INVALID;
}

enum exit_code
notify_set(
    struct cmd_ctx *ctx, const struct cdop_profile *profile, struct notify *n)
{
	const char *given;
	enum exit_code code;
	size_t i;

	for (i = 0; (given = cmd_value_at(ctx, "--set", i)) != NULL; i++) {
		code = set_one(ctx, profile, n, given);
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

enum exit_code
notify_look(struct cmd_ctx *ctx)
{
	const char *from = cmd_value(ctx, "--from"), *given, *name, *value;
	enum exit_code code = EXIT_OK;
	struct cdop_path path[CMD_VALUES_MAX];
	size_t i, k;

	for (i = 0;
	     code == EXIT_OK && (given = cmd_value_at(ctx, "--set", i)) != NULL;
	     i++) {
		code = take_apart(ctx, given, &path[i], &name, &value);
		for (k = 0; k < i && code == EXIT_OK; k++)
			if (path[k].field == path[i].field &&
			    path[k].entry == path[i].entry)
				code = cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
				    "--set: %s stands twice", name);
	}
	if (code == EXIT_OK && from != NULL && strcmp(from, "-") != 0 &&
	    access(from, R_OK) != 0)
		code = cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "%s cannot be read: %s", from, strerror(errno));
	return code;
}

void
notify_request(struct notify *n, Cdop__NotificationRegisterRequest *ret_request)
{
	cdop__notification_register_request__init(ret_request);
	ret_request->form = n->form;
	ret_request->override = n->overrides.list;
	ret_request->n_override = n->overrides.n;
	ret_request->decision = n->decision;
	ret_request->n_decision = n->n_decisions;
	ret_request->has_dry_run = n->dry_run;
	ret_request->dry_run = n->dry_run;
	ret_request->form_kind = n->form_kind;
	ret_request->source = n->source;
	ret_request->owner_area = n->owner_area;
	ret_request->owner_reason = n->owner_reason;
}

enum exit_code
notify_decide(struct cmd_ctx *ctx, struct notify *n, const char *reference,
    Cdop__Decision decision, const char *reason)
{
	Cdop__DuplicateDecision *d;
	size_t i;

	for (i = 0; i < n->n_decisions; i++)
		if (strcmp(n->decision[i]->reference, reference) == 0)
			break;
	if (i == NOTIFY_DECISIONS_MAX)
		return cmd_fail(
		    ctx, EXIT_INVALID, NULL, NULL, "too many decisions");
	d = cdop_arena_alloc(ctx->arena, sizeof(*d));
	if (d == NULL)
		return cmd_no_memory(ctx);
	cdop__duplicate_decision__init(d);
	d->reference = cdop_arena_strdup(ctx->arena, reference);
	d->decision = decision;
	d->reason = cdop_arena_strdup(ctx->arena, reason);
	n->decision[i] = d;
	n->n_decisions += i == n->n_decisions;
	return EXIT_OK;
}

enum exit_code
notify_keep(struct cmd_ctx *ctx, struct notify *n)
{
	Cdop__ClientDraft draft;

	if (n->dry_run)
		return EXIT_OK;
	cdop__client_draft__init(&draft);
	draft.form = n->form;
	draft.override = n->overrides.list;
	draft.n_override = n->overrides.n;
	draft.at_ms = (uint64_t)time(NULL) * 1000;
	draft.request_key.data = n->key;
	draft.request_key.len = sizeof(n->key);
	draft.source = n->source;
	draft.form_kind = n->form_kind;
	draft.owner_area = n->owner_area;
	draft.owner_reason = n->owner_reason;
	draft.decision = n->decision;
	draft.n_decision = n->n_decisions;
	return spool_put_draft(ctx, &draft, &n->draft, &n->hold);
}

void
notify_end(struct notify *n)
{
	if (n->hold.fd >= 0)
		lock_drop(&n->hold, true);
}

/* The command line goes before what the draft says. */
static void
take(char **mine, char *kept)
{
	if (*mine == NULL)
		*mine = kept;
}

void
notify_take(struct notify *n, const Cdop__ClientDraft *draft)
{
	size_t i;

	n->form = draft->form;
	take(&n->form_kind, draft->form_kind);
	take(&n->source, draft->source);
	/* An owner and why belong together. */
	if (n->owner_area == NULL) {
		n->owner_area = draft->owner_area;
		take(&n->owner_reason, draft->owner_reason);
	}
	if (draft->request_key.len == sizeof(n->key))
		memcpy(n->key, draft->request_key.data, sizeof(n->key));
	for (i = 0; i < draft->n_override && i < OVERRIDES_MAX; i++)
		n->overrides.list[n->overrides.n++] = draft->override[i];
	for (i = 0; i < draft->n_decision && i < NOTIFY_DECISIONS_MAX; i++)
		n->decision[n->n_decisions++] = draft->decision[i];
}
