/* Records as text. */
#include "client/show.h"

#include <string.h>
#include <time.h>

#include "client/clock.h"
#include "client/print.h"
#include "client/purpose.h"
#include "client/session.h"

static const struct cdop_profile *
profile_of(const struct cmd_ctx *ctx)
{
	return ctx->session != NULL ? ctx->session->profile : NULL;
}

const char *
show_person(struct cmd_ctx *ctx, const char *name, uint32_t number)
{
	if (name == NULL || *name == '\0')
		return cdop_arena_printf(
		    ctx->arena, "person %u", (unsigned)number);
	return cdop_arena_printf(ctx->arena, "%s (person %u)",
	    print_one_line(ctx->arena, name), (unsigned)number);
}

static const char *
value_words(
    struct cmd_ctx *ctx, const Cdop__Form *form, const struct cdop_path *path)
{
	const char *words = NULL;
	struct cdop_value value;

	if (profile_of(ctx) != NULL)
		words =
		    cdop_form_words(form, path, profile_of(ctx), ctx->arena);
	if (words == NULL &&
	    cdop_form_get(form, path, ctx->arena, &value) == CDOP_OK)
		words = value.text;
	return words != NULL ? words : "?";
}

void
show_value(struct cmd_ctx *ctx, const char *label, const char *words)
{
	const char *line = words != NULL ? words : "?", *end;
	const char *left = label;

	for (;;) {
		end = strchr(line, '\n');
		print_out(ctx, "  %-34s %.*s", left,
		    (int)(end != NULL ? (size_t)(end - line) : strlen(line)),
		    line);
		if (end == NULL)
			return;
		line = end + 1;
		left = "";
	}
}

/* What the value was raised to, besides its field's own class. */
static const char *
raised_words(
    struct cmd_ctx *ctx, const Cdop__Form *form, const struct cdop_path *path)
{
	char text[CDOP_FORM_PATH_MAX];
	const char *all = "";
	unsigned class;
	size_t i;

	cdop_form_path_write(path, text);
	for (i = 0; i < form->n_raised; i++) {
		class = (unsigned)form->raised[i]->data_class;
		if (class < 32 && strcmp(form->raised[i]->path, text) == 0)
			all = cdop_arena_printf(ctx->arena, "%s  [%s]", all,
			    cdop_fields_class_name(1u << class));
	}
	return all != NULL ? all : "";
}

const char *
show_by_whom(struct cmd_ctx *ctx, const Cdop__FormInstance *f, const char *path)
{
	const Cdop__ValueSource *v;
	size_t i;

	for (i = 0; i < f->n_value_source; i++) {
		v = f->value_source[i];
		if (strcmp(v->path, path) == 0)
			return cdop_arena_printf(ctx->arena,
			    "%s, %s, from %s%s%s",
			    show_person(ctx, v->person_name, v->person),
			    print_time(ctx->arena, v->at_ms),
			    print_one_line(ctx->arena, v->source),
			    v->reason != NULL ? ": " : "",
			    v->reason != NULL
				? print_one_line(ctx->arena, v->reason)
				: "");
	}
	return NULL;
}

/* The line of a value, and who gave it where that is asked for. */
static void
show_sourced(struct cmd_ctx *ctx, const Cdop__Form *form,
    const struct cdop_path *path, const Cdop__FormInstance *sources)
{
	char text[CDOP_FORM_PATH_MAX];
	const char *by;

	show_value(ctx, path->field->label,
	    cdop_arena_printf(ctx->arena, "%s%s", value_words(ctx, form, path),
		raised_words(ctx, form, path)));
	if (sources == NULL)
		return;
	cdop_form_path_write(path, text);
	if ((by = show_by_whom(ctx, sources, text)) != NULL)
		show_value(ctx, "", cdop_arena_printf(ctx->arena, "(%s)", by));
}

void
show_form(struct cmd_ctx *ctx, const Cdop__Form *form,
    const Cdop__FormInstance *sources)
{
	struct cdop_form_iter iter = {.form = form};
	const char *group = "";
	struct cdop_path path;
	uint32_t entry = 0;

	while (cdop_form_next(&iter, &path)) {
		if (path.field->kind == CDOP_KIND_ENTRY ||
		    cdop_form_state(form, &path) == CDOP_VALUE_NOT_ASKED)
			continue;
		if (strcmp(group, path.field->group) != 0 ||
		    entry != path.entry) {
			group = path.field->group;
			entry = path.entry;
			if (entry != 0)
				print_out(ctx, "%s %u", path.field->group_label,
				    entry);
			else
				print_out(ctx, "%s", path.field->group_label);
		}
		show_sourced(ctx, form, &path, sources);
	}
}

const char *
show_text(struct cmd_ctx *ctx, const struct cdop_path *path, const char *text)
{
	struct cdop_violations ignored = {0};
	Cdop__Form *form = cdop_form_new(ctx->arena);

	if (form == NULL ||
	    cdop_form_set(form, path, text, NULL, ctx->arena, &ignored) !=
		CDOP_OK)
		return text;
	return value_words(ctx, form, path);
}

static const struct {
	const char *when;
	const char *words;
} groups[] = {
    {"today", "Today"},
    {"agencies", "To ask the agencies"},
    {"return", "For the national return"},
};

void
show_missing(struct cmd_ctx *ctx, Cdop__Missing *const *missing, size_t n)
{
	const char *line;
	size_t g, i;

	for (g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		line = NULL;
		for (i = 0; i < n; i++) {
			if (strcmp(missing[i]->when, groups[g].when) != 0)
				continue;
			line = line == NULL
			    ? missing[i]->label
			    : cdop_arena_printf(ctx->arena, "%s; %s", line,
				  missing[i]->label);
		}
		if (line != NULL)
			print_out(ctx, "%s: %s", groups[g].words, line);
	}
}

void
show_candidates(
    struct cmd_ctx *ctx, Cdop__Candidate *const *candidate, size_t n)
{
	const Cdop__Candidate *c;
	size_t i;

	for (i = 0; i < n; i++) {
		c = candidate[i];
		print_note(ctx, "  %zu  %s  %s%s", i + 1, c->reference,
		    show_joined(ctx, c->reason, c->n_reason, "; "),
		    c->has_withdrawn && c->withdrawn
			? "  (entered in error: does not stop)"
			: "");
	}
}

const char *
show_area(struct cmd_ctx *ctx, const char *id)
{
	const char *label = NULL;

	if (profile_of(ctx) != NULL)
		label = cdop_profile_area_label(profile_of(ctx), id);
	return label != NULL ? label : id;
}

const char *
show_code(struct cmd_ctx *ctx, const char *list, const char *code)
{
	const struct cdop_code *row = NULL;

	if (profile_of(ctx) != NULL)
		row = cdop_profile_code(
		    profile_of(ctx), list, code, CDOP_PROFILE_EVER);
	return row != NULL ? row->label : code;
}

const char *
show_joined(
    struct cmd_ctx *ctx, char *const *word, size_t n, const char *between)
{
	const size_t gap = strlen(between);
	size_t i, len, size = 1;
	char *all, *at;

	for (i = 0; i < n; i++)
		size += strlen(word[i]) + gap;
	at = all = cdop_arena_alloc(ctx->arena, size);
	if (all == NULL)
		return "";
	for (i = 0; i < n; i++) {
		len = i > 0 ? gap : 0;
		memcpy(at, between, len);
		at += len;
		len = strlen(word[i]);
		memcpy(at, word[i], len);
		at += len;
	}
	*at = '\0';
	return all;
}

const char *
show_areas(struct cmd_ctx *ctx, char *const *area, size_t n)
{
	char **word = cdop_arena_calloc(ctx->arena, n + 1, sizeof(*word));
	size_t i;

	for (i = 0; word != NULL && i < n; i++)
		word[i] = (char *)(uintptr_t)show_area(ctx, area[i]);
	return word != NULL ? show_joined(ctx, word, n, ", ") : "";
}

/* " from 1 Jan 2027": a day by the panel's clock. */
static const char *
day_of(struct cmd_ctx *ctx, const char *before, uint64_t ms)
{
	const time_t at = (time_t)(ms / 1000);
	char day[32] = "?";
	struct tm tm;

	if ((profile_of(ctx) != NULL &&
		clock_of_panel(profile_of(ctx), at, &tm)) ||
	    localtime_r(&at, &tm) != NULL)
		(void)strftime(day, sizeof(day), "%e %b %Y", &tm);
	return cdop_arena_printf(
	    ctx->arena, "%s%s", before, day + strspn(day, " "));
}

/* Of the instant behind it. */
static const char *
last_day(struct cmd_ctx *ctx, const char *before, uint64_t until_ms)
{
	return day_of(ctx, before, until_ms > 0 ? until_ms - 1 : 0);
}

const char *
show_last_day(struct cmd_ctx *ctx, uint64_t until_ms)
{
	const char *day = last_day(ctx, "", until_ms);

	return day != NULL ? day : "?";
}

const char *
show_roles(struct cmd_ctx *ctx, Cdop__RoleGrant *const *grant, size_t n)
{
	const char *all = "", *from, *until;
	size_t i;

	for (i = 0; i < n && all != NULL; i++) {
		from = until = "";
		if (grant[i]->has_from_ms &&
		    grant[i]->from_ms / 1000 > (uint64_t)time(NULL))
			from = day_of(ctx, " from ", grant[i]->from_ms);
		if (grant[i]->has_until_ms)
			until = last_day(ctx, " until ", grant[i]->until_ms);
		all = cdop_arena_printf(ctx->arena, "%s%s%s%s%s", all,
		    i > 0 ? ", " : "",
		    purpose_role_word(ctx->arena, grant[i]->role),
		    from != NULL ? from : "", until != NULL ? until : "");
	}
	return all != NULL ? all : "";
}

const char *
show_state(
    struct cmd_ctx *ctx, const ProtobufCEnumDescriptor *desc, unsigned value)
{
	const ProtobufCEnumValue *v =
	    protobuf_c_enum_descriptor_get_value(desc, (int)value);
	const char *word;
	char *out, *p;

	if (v == NULL)
		return "?";
	word = strchr(v->name, '_');
	out = cdop_arena_strdup(ctx->arena, word != NULL ? word + 1 : v->name);
	for (p = out; p != NULL && *p != '\0'; p++)
		*p = *p == '_' ? ' ' : (char)(*p | 0x20);
	return out != NULL ? out : "?";
}
