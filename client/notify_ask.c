/* The prompts of a notification. */
#include "client/notify_ask.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/choices.h"
#include "client/clock.h"
#include "client/notify_when.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"

#define LIST_SHOWN 24 /* longer lists are narrowed by letters first */
#define ROUNDS     8

struct asking {
	struct cmd_ctx *ctx;
	const struct cdop_profile *profile;
	struct notify *n;
	bool *asked; /* by place in the dictionary */
	/* A finding is looked at: Enter keeps what stands there, and a path
	 * that was typed is the field to change instead. */
	bool mending;
	bool changed;
	struct cdop_path elsewhere; /* field NULL: none was typed */
};

/* ---- one value ------------------------------------------------------------
 */

/*
 * Now, for when we were told; the first of the list, for how: most ring.
 * Nothing about a child has a usual answer.
 */
static const char *
usual_of(struct asking *a, const struct cdop_path *path,
    const struct prompt_option *option, size_t n)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;
	bool date;

	if (a->mending)
		return NULL;
	if (strcmp(path->field->path, "received.channel") == 0)
		return n > 0 ? option[0].code : NULL;
	date = strcmp(path->field->path, "received.notified_date") == 0;
	if (!date && strcmp(path->field->path, "received.notified_time") != 0)
		return strcmp(path->field->path, "child.name_kind") == 0
		    ? "known"
		    : NULL;
	if (!clock_of_panel(a->profile, now, &tm) ||
	    strftime(text, sizeof(text), date ? "%d/%m/%Y" : "%H:%M", &tm) == 0)
		return NULL;
	return cdop_arena_strdup(a->ctx->arena, text);
}

static void
show_options(struct asking *a, const struct prompt_option *o, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		print_note(a->ctx, "  %2zu  %s", i + 1, o[i].label);
}

/*
 * What a typed word stands for among the options; NULL when it has to be
 * asked again.  Several that fit are shown, and numbers then count those.
 */
static const char *
chosen(struct asking *a, struct prompt_option *o, size_t *n, const char *typed)
{
	struct prompt_option *some;
	size_t i, left;

	if (typed[0] == '#' || typed[0] == '\0' || *n == 0)
		return typed;
	i = prompt_match(o, *n, typed);
	if (i < *n)
		return o[i].code;
	some = cdop_arena_calloc(a->ctx->arena, *n, sizeof(*some));
	if (some == NULL)
		return NULL;
	memcpy(some, o, *n * sizeof(*some));
	left = choices_narrow(some, *n, typed);
	if (left == 1)
		return some[0].code;
	if (left == 0) {
		print_note(a->ctx, "none is like that; ? shows all");
		return NULL;
	}
	memcpy(o, some, left * sizeof(*o));
	*n = left;
	show_options(a, o, left);
	return NULL;
}

static void
help(struct asking *a, const struct cdop_field *f, struct prompt_option *o,
    size_t n)
{
	print_note(a->ctx, "%s%s%s  (%s)", f->label,
	    f->help != NULL ? ": " : "", f->help != NULL ? f->help : "",
	    f->path);
	print_note(a->ctx, "#nk not known, #na not applicable, #ws withheld%s",
	    f->need == CDOP_NEED_ACCEPT || f->need == CDOP_NEED_ANSWERED
		? ""
		: ", Enter skips");
	show_options(a, o, n);
}

static void
show_findings(struct asking *a, const struct cdop_violations *v)
{
	const struct cmd_finding *f = notify_findings(a->ctx, v);
	size_t i;

	for (i = 0; f != NULL && i < v->n; i++)
		print_note(a->ctx, "  %s", f[i].message);
}

void
notify_ask_echo(struct cmd_ctx *ctx, const Cdop__Form *form,
    const struct cdop_path *path, const struct cdop_profile *profile,
    const char *typed)
{
	const char *words;

	if (cdop_form_state(form, path) == CDOP_VALUE_NOT_ASKED)
		return;
	words = cdop_form_words(form, path, profile, ctx->arena);
	if (words != NULL && strcmp(words, typed) != 0 &&
	    path->field->kind != CDOP_KIND_NARRATIVE)
		print_note(ctx, "  -> %s", words);
}

static enum exit_code
read_value(struct asking *a, const struct cdop_path *path, const char *usual,
    const char **ret_typed)
{
	const char *question = path->field->label;

	if (path->entry != 0)
		question = cdop_arena_printf(
		    a->ctx->arena, "%s (%u)", question, path->entry);
	if (path->field->kind == CDOP_KIND_NARRATIVE)
		return prompt_lines(a->ctx, question, NULL, ret_typed);
	return prompt_line(a->ctx, question, usual, ret_typed);
}

/*
 * Postcode and area are looked at together when the second of them was
 * given, whichever that is.  Nothing is inferred from it.
 */
static void
compare(struct asking *a, const struct cdop_field *f)
{
	const char *areas;

	if (strcmp(f->path, "area.residence") != 0 &&
	    strcmp(f->path, "child.postcode") != 0)
		return;
	areas = notify_when_elsewhere(a->n->form, a->profile, a->ctx->arena);
	if (areas != NULL)
		print_note(a->ctx,
		    "  that postcode may lie in %s: look at the area of "
		    "residence again",
		    areas);
}

/* Was another field named, rather than a value of this one? */
static bool
turns_away(struct asking *a, const char *typed)
{
	return a->mending && strchr(typed, '.') != NULL &&
	    cdop_form_path_parse(typed, &a->elsewhere) == CDOP_OK;
}

/* May it stay as it is? */
static bool
is_kept(const struct asking *a, const struct cdop_path *path)
{
	return !notify_when_needed(a->n->form, path->field) ||
	    (a->mending &&
		cdop_form_state(a->n->form, path) != CDOP_VALUE_NOT_ASKED);
}

/* Asks until it is a value, an absence, or skipped where that is allowed. */
static enum exit_code
ask_field(struct asking *a, const struct cdop_path *path)
{
	const struct cdop_field *f = path->field;
	struct prompt_option *option = NULL;
	const char *typed, *value, *usual;
	struct cdop_violations v;
	enum exit_code code;
	size_t n;

	n = choices_of(a->ctx, a->profile, f, &option);
	usual = usual_of(a, path, option, n);
	if (n > LIST_SHOWN)
		print_note(
		    a->ctx, "  one of %zu: some letters of it, ? for all", n);
	else if (n > 0)
		show_options(a, option, n);
	for (;;) {
		code = read_value(a, path, usual, &typed);
		if (code != EXIT_OK)
			return code;
		if (strcmp(typed, "?") == 0) {
			n = choices_of(a->ctx, a->profile, f, &option);
			help(a, f, option, n);
			continue;
		}
		if (turns_away(a, typed))
			return EXIT_OK;
		value = chosen(a, option, &n, typed);
		if (value == NULL)
			continue;
		if (value[0] == '\0') {
			if (is_kept(a, path))
				return EXIT_OK;
			print_note(a->ctx,
			    "  it is needed; #nk if nobody "
			    "knows, ? for help");
			continue;
		}
		memset(&v, 0, sizeof(v));
		if (cdop_form_set(a->n->form, path, value, a->profile,
			a->ctx->arena, &v) == CDOP_OK)
			break;
		show_findings(a, &v);
	}
	a->changed = true;
	notify_ask_echo(a->ctx, a->n->form, path, a->profile, typed);
	compare(a, f);
	return EXIT_OK;
}

/* ---- a stage --------------------------------------------------------------
 */

/* A draft in which nobody has said anything is none. */
static enum exit_code
keep(struct asking *a)
{
	struct cdop_form_iter iter = {.form = a->n->form};
	struct cdop_path path;

	if (a->n->draft == 0 && !cdop_form_next_said(&iter, &path))
		return EXIT_OK;
	return notify_keep(a->ctx, a->n);
}

static enum exit_code
ask_stage(struct asking *a, enum cdop_stage stage)
{
	const struct cdop_field *f;
	struct cdop_path path;
	const char *group = "";
	enum exit_code code;
	size_t i;

	for (i = 0; i < cdop_fields_count; i++) {
		f = &cdop_fields[i];
		path.field = f;
		path.entry = 0;
		if (f->stage != stage || f->kind == CDOP_KIND_ENTRY ||
		    f->group_max > 0 || a->asked[i] ||
		    cdop_form_state(a->n->form, &path) !=
			CDOP_VALUE_NOT_ASKED ||
		    !notify_when_asked(a->n->form, f))
			continue;
		if (strcmp(group, f->group) != 0) {
			group = f->group;
			print_note(a->ctx, "-- %s", f->group_label);
			if ((code = keep(a)) != EXIT_OK)
				return code;
		}
		a->asked[i] = true;
		if ((code = ask_field(a, &path)) != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

static enum exit_code
ask_entry(struct asking *a, const struct cdop_field *group, uint32_t number)
{
	enum cdop_stage last =
	    cmd_flag(a->ctx, "--all") ? CDOP_STAGE_LATER : CDOP_STAGE_SAMEDAY;
	struct cdop_path path = {group, number};
	enum exit_code code;
	size_t i;

	for (i = 0; i < cdop_fields_count; i++) {
		path.field = &cdop_fields[i];
		if (strcmp(path.field->group, group->group) != 0 ||
		    path.field->kind == CDOP_KIND_ENTRY ||
		    path.field->stage > last)
			continue;
		if ((code = ask_field(a, &path)) != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

static enum exit_code
ask_group(struct asking *a, const struct cdop_field *group)
{
	const char *question =
	    cdop_arena_printf(a->ctx->arena, "Add: %s", group->group_label);
	enum exit_code code;
	uint32_t number;
	bool more;

	for (;;) {
		code = prompt_yes(a->ctx, question, false, &more);
		if (code != EXIT_OK || !more)
			return code;
		if (cdop_form_entry_add(a->n->form, group->group, a->ctx->arena,
			&number) != CDOP_OK)
			return EXIT_OK; /* full */
		code = ask_entry(a, group, number);
		if (code == EXIT_OK)
			code = keep(a);
		if (code != EXIT_OK)
			return code;
	}
}

/* Parents, household, professionals, agencies, ...: as often as wanted. */
static enum exit_code
ask_groups(struct asking *a)
{
	const struct cdop_field *f;
	enum exit_code code;
	const char *last = "";
	size_t i;

	for (i = 0; i < cdop_fields_count; i++) {
		f = &cdop_fields[i];
		if (f->group_max == 0 || strcmp(last, f->group) == 0)
			continue;
		last = f->group;
		if (!notify_when_group(last, cmd_flag(a->ctx, "--all")))
			continue;
		if ((code = ask_group(a, f)) != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

/* ---- the whole, before it is sent -------------------------------- */

static enum exit_code
check(struct asking *a, struct cdop_violations *v)
{
	struct cdop_check c;

	memset(&c, 0, sizeof(c));
	memset(v, 0, sizeof(*v));
	c.profile = a->profile;
	c.override = a->n->overrides.list;
	c.n_override = a->n->overrides.n;
	c.today = clock_today(a->profile);
	c.training = session_is_training(a->ctx);
	c.use = CDOP_FORM_NOTIFICATION;
	if (cdop_form_check(a->n->form, &c, a->ctx->arena, v) != CDOP_OK)
		return cmd_no_memory(a->ctx);
	return EXIT_OK;
}

/* The field where a finding stands, or another that is typed instead. */
static enum exit_code
mend_field(struct asking *a, struct cdop_path path)
{
	const char *words;
	enum exit_code code;
	int round;

	a->mending = true;
	for (round = 0; round < ROUNDS && path.field != NULL; round++) {
		words = cdop_form_words(
		    a->n->form, &path, a->profile, a->ctx->arena);
		print_note(a->ctx,
		    "  now: %s   (Enter leaves it; or type the path of the "
		    "field that is wrong)",
		    words != NULL && words[0] != '\0' ? words : "-");
		a->elsewhere.field = NULL;
		if ((code = ask_field(a, &path)) != EXIT_OK)
			return code;
		path = a->elsewhere;
	}
	a->mending = false;
	return EXIT_OK;
}

/* Asks the fields of these findings again. */
static enum exit_code
mend_fields(struct asking *a, const struct cdop_violations *v,
    enum cdop_severity severity)
{
	const char *path_text;
	struct cdop_path path;
	enum exit_code code;
	size_t i;

	a->changed = false;
	for (i = 0; i < v->n; i++) {
		if (v->v[i].severity != severity)
			continue;
		print_note(a->ctx, "%s: %s", v->v[i].path, v->v[i].message);
		path_text = v->v[i].path;
		if (path_text[0] == '\0')
			code = prompt_line(a->ctx,
			    "Which field do you want to change", NULL,
			    &path_text);
		else
			code = EXIT_OK;
		if (code != EXIT_OK)
			return code;
		if (!choices_field(a->ctx, path_text, &path))
			continue;
		if ((code = mend_field(a, path)) != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

/*
 * Errors first, then warnings: the same rules that the registry will apply,
 * so that it seldom has anything to add.
 */
static enum exit_code
settle(struct asking *a)
{
	struct cdop_violations v;
	enum exit_code code;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		if ((code = check(a, &v)) != EXIT_OK || v.n == 0)
			return code;
		a->changed = true;
		if (cdop_violation_has_error(&v))
			code = mend_fields(a, &v, CDOP_SEVERITY_ERROR);
		else
			code = overrides_ask(a->ctx, &a->n->overrides,
			    a->n->form, notify_findings(a->ctx, &v), v.n);
		/* Nobody goes on with it: then it is said anew. */
		if (code == EXIT_INVALID && check(a, &v) == EXIT_OK)
			code = mend_fields(a, &v, CDOP_SEVERITY_WARNING);
		if (code != EXIT_OK || !a->changed)
			return code; /* all is to stay as it is */
		overrides_prune(a->ctx, &a->n->overrides, a->n->form);
	}
	return EXIT_OK; /* the registry has the last word */
}

/* What was answered wrongly is mended here, not in the registry. */
static enum exit_code
look_over(struct asking *a)
{
	struct cdop_path path;
	enum exit_code code;
	const char *typed;

	for (;;) {
		code = prompt_line(a->ctx,
		    "Anything to change first? Its label (Enter: no)", NULL,
		    &typed);
		if (code != EXIT_OK || typed[0] == '\0')
			return code;
		if (!choices_field(a->ctx, typed, &path))
			continue;
		/* Another answer may bring other questions. */
		if ((code = mend_field(a, path)) != EXIT_OK ||
		    (code = ask_stage(a, CDOP_STAGE_ACCEPT)) != EXIT_OK ||
		    (code = ask_stage(a, CDOP_STAGE_FIRST)) != EXIT_OK)
			return code;
	}
}

static enum exit_code
ask_all(struct asking *a)
{
	enum exit_code code;
	bool more = cmd_flag(a->ctx, "--all");

	/* Once more for what only later answers made worth asking. */
	if ((code = ask_stage(a, CDOP_STAGE_ACCEPT)) != EXIT_OK ||
	    (code = ask_stage(a, CDOP_STAGE_ACCEPT)) != EXIT_OK ||
	    (code = ask_stage(a, CDOP_STAGE_FIRST)) != EXIT_OK)
		return code;
	if (!more)
		code = prompt_yes(a->ctx,
		    "Go on with what is asked the same day", false, &more);
	if (code == EXIT_OK && more)
		code = ask_stage(a, CDOP_STAGE_SAMEDAY);
	if (code == EXIT_OK && more)
		code = ask_groups(a);
	if (code == EXIT_OK && cmd_flag(a->ctx, "--all"))
		code = ask_stage(a, CDOP_STAGE_LATER);
	if (code == EXIT_OK)
		code = look_over(a);
	return code == EXIT_OK ? settle(a) : code;
}

enum exit_code
notify_ask(
    struct cmd_ctx *ctx, const struct cdop_profile *profile, struct notify *n)
{
	struct asking a = {.ctx = ctx, .profile = profile, .n = n};
	enum exit_code code;

	a.asked =
	    cdop_arena_calloc(ctx->arena, cdop_fields_count, sizeof(*a.asked));
	if (a.asked == NULL)
		return cmd_no_memory(ctx);
	code = ask_all(&a);
	if (code != EXIT_STOPPED || n->dry_run)
		return code;
	if (keep(&a) != EXIT_OK)
		return EXIT_UNEXPECTED;
	if (n->draft == 0)
		return code;
	return cmd_fail(ctx, EXIT_STOPPED, NULL,
	    cdop_arena_printf(ctx->arena, "cdop notify --resume %u", n->draft),
	    "stopped; kept sealed on this computer as draft %u", n->draft);
}
