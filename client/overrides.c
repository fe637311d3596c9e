/* Warnings that are answered. */
#include "client/overrides.h"

#include <string.h>

#include "client/print.h"
#include "client/prompt.h"

enum exit_code
overrides_add(struct cmd_ctx *ctx, struct overrides *o, const Cdop__Form *form,
    const struct cmd_finding *finding, const char *reason)
{
	Cdop__Override *item;
	size_t i;

	for (i = 0; i < o->n; i++)
		if (strcmp(o->list[i]->path, finding->path) == 0 &&
		    strcmp(o->list[i]->rule, finding->rule) == 0)
			break;
	if (i == OVERRIDES_MAX)
		return cmd_fail(
		    ctx, EXIT_INVALID, NULL, NULL, "too many warnings");
	item = cdop_arena_alloc(ctx->arena, sizeof(*item));
	if (item == NULL)
		return cmd_no_memory(ctx);
	cdop__override__init(item);
	item->path = cdop_arena_strdup(ctx->arena, finding->path);
	item->rule = cdop_arena_strdup(ctx->arena, finding->rule);
	item->reason = cdop_arena_strdup(ctx->arena, reason);
	item->value = cdop_arena_printf(
	    ctx->arena, "%s", cdop_form_text(form, finding->path, ctx->arena));
	o->list[i] = item;
	o->n += i == o->n;
	return EXIT_OK;
}

void
overrides_prune(
    struct cmd_ctx *ctx, struct overrides *o, const Cdop__Form *form)
{
	const char *value;
	size_t i, n = 0;

	for (i = 0; i < o->n; i++) {
		value = cdop_form_text(form, o->list[i]->path, ctx->arena);
		if (value != NULL && strcmp(value, o->list[i]->value) == 0)
			o->list[n++] = o->list[i];
	}
	o->n = n;
}

const char *
overrides_reason(struct cmd_ctx *ctx, const char *accepted, const char *rule)
{
	size_t len = strlen(rule), end;
	const char *at = accepted;

	while (at != NULL && *at != '\0') {
		at += strspn(at, " \t\r\n;");
		end = strcspn(at, ";\n");
		if (end > len && strncmp(at, rule, len) == 0 &&
		    at[len] == ':') {
			at += len + 1;
			end -= len + 1;
			while (end > 0 && *at == ' ') {
				at++;
				end--;
			}
			return end > 0 ? cdop_arena_strndup(ctx->arena, at, end)
				       : NULL;
		}
		at += end;
	}
	return NULL;
}

/* From --accept-warning "RULE: reason". */
static const char *
given(struct cmd_ctx *ctx, const char *rule)
{
	const char *value, *reason = NULL;
	size_t i;

	for (i = 0; reason == NULL &&
	     (value = cmd_value_at(ctx, "--accept-warning", i)) != NULL;
	     i++)
		reason = overrides_reason(ctx, value, rule);
	return reason;
}

static enum exit_code
ask_one(struct cmd_ctx *ctx, struct overrides *o, const Cdop__Form *form,
    const struct cmd_finding *finding)
{
	const char *reason = given(ctx, finding->rule);
	enum exit_code code;
	bool go_on;

	if (reason != NULL)
		return overrides_add(ctx, o, form, finding, reason);
	if (!prompt_is_possible(ctx))
		return EXIT_INVALID;
	print_finding(ctx, finding);
	code = prompt_yes(ctx, "Go on with it", false, &go_on);
	if (code != EXIT_OK || !go_on)
		return code != EXIT_OK ? code : EXIT_INVALID;
	code = prompt_need(ctx, "Why", "--accept-warning", &reason);
	if (code != EXIT_OK)
		return code;
	return overrides_add(ctx, o, form, finding, reason);
}

enum exit_code
overrides_ask(struct cmd_ctx *ctx, struct overrides *o, const Cdop__Form *form,
    const struct cmd_finding *finding, size_t n)
{
	enum exit_code code;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!finding[i].warning)
			return EXIT_INVALID;
		code = ask_one(ctx, o, form, &finding[i]);
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}
