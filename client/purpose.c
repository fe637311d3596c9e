/* Purpose, use and role of a call. */
#include "client/purpose.h"

#include <string.h>
#include <unistd.h>

#include "cdop/text.h"
#include "client/clock.h"
#include "client/pager.h"
#include "client/prompt.h"
#include "client/session.h"

#define LIST        "purpose"
#define OPTIONS_MAX 64

static const struct {
	const char *word;
	Cdop__Role role;
} roles[] = {
    {"coordinator", CDOP__ROLE__COORDINATOR},
    {"partner", CDOP__ROLE__PARTNER},
    {"panel-member", CDOP__ROLE__PANEL_MEMBER},
    {"analyst", CDOP__ROLE__ANALYST},
    {"administrator", CDOP__ROLE__ADMINISTRATOR},
    {"custodian", CDOP__ROLE__CUSTODIAN},
    {"auditor", CDOP__ROLE__AUDITOR},
};

#define ROLES (sizeof(roles) / sizeof(roles[0]))

static const struct {
	const char *word;
	Cdop__Use use;
} uses[] = {
    {"screen", CDOP__USE__SCREEN},
    {"print", CDOP__USE__PRINT},
    {"file", CDOP__USE__FILE},
    {"program", CDOP__USE__PROGRAM},
};

#define USES (sizeof(uses) / sizeof(uses[0]))

Cdop__Use
purpose_use(const struct cmd_ctx *ctx)
{
	size_t i;

	for (i = 0; ctx->g.use != NULL && i < USES; i++)
		if (strcmp(uses[i].word, ctx->g.use) == 0)
			return uses[i].use;
	if (ctx->g.json)
		return CDOP__USE__PROGRAM;
	return isatty(STDOUT_FILENO) == 1 || pager_is_on() ? CDOP__USE__SCREEN
							   : CDOP__USE__FILE;
}

enum exit_code
purpose_check_use(struct cmd_ctx *ctx)
{
	size_t i;

	if (ctx->g.use == NULL)
		return EXIT_OK;
	for (i = 0; i < USES; i++)
		if (strcmp(uses[i].word, ctx->g.use) == 0)
			return EXIT_OK;
	return cmd_fail(ctx, EXIT_USAGE, NULL, "screen, print, file or program",
	    "--use: no such word");
}

enum exit_code
purpose_role(struct cmd_ctx *ctx, const char *word, Cdop__Role *ret_role)
{
	size_t i;

	for (i = 0; i < ROLES; i++) {
		if (strcmp(roles[i].word, word) == 0) {
			*ret_role = roles[i].role;
			return EXIT_OK;
		}
	}
	return cmd_fail(ctx, EXIT_USAGE, NULL,
	    "coordinator, partner, panel-member, analyst, administrator, "
	    "custodian, auditor",
	    "no such role: %s", word);
}

const char *
purpose_role_word(struct cdop_arena *arena, Cdop__Role role)
{
	size_t i;

	for (i = 0; i < ROLES; i++)
		if (roles[i].role == role)
			return roles[i].word;
	return cdop_arena_printf(arena, "role %d", (int)role);
}

/* Codes that hold today. */
static size_t
options(const struct cdop_profile *profile, struct prompt_option *out)
{
	const struct cdop_code_list *list = cdop_profile_list(profile, LIST);
	int32_t today = clock_today(profile);
	size_t i, n = 0;

	for (i = 0; list != NULL && i < list->n && n < OPTIONS_MAX; i++) {
		if (!cdop_span_holds(list->code[i].when, today))
			continue;
		out[n].code = list->code[i].code;
		out[n++].label = list->code[i].label;
	}
	return n;
}

static enum exit_code
no_such_code(struct cmd_ctx *ctx, const struct prompt_option *option, size_t n)
{
	const char *all = "";
	size_t i;

	for (i = 0; i < n; i++)
		all = cdop_arena_printf(ctx->arena, "%s%s%s", all,
		    i > 0 ? ", " : "", option[i].code);
	return cmd_fail(ctx, EXIT_USAGE, NULL, all, "--purpose: no such code");
}

/* What the profile has for "case show", or for "case". */
static const struct cdop_code *
usual_code(struct cmd_ctx *ctx, const struct cdop_profile *profile)
{
	const char *command =
	    ctx->cmd->purpose != NULL ? ctx->cmd->purpose : ctx->cmd->words;
	const struct cdop_code *code;
	const char *noun;

	code = cdop_profile_purpose_for(profile, command, clock_today(profile));
	if (code != NULL)
		return code;
	noun = cdop_arena_strndup(ctx->arena, command, strcspn(command, " "));
	if (noun == NULL)
		return NULL;
	return cdop_profile_purpose_for(profile, noun, clock_today(profile));
}

/* By its code, or by a code or label that no other one has; n: none. */
static size_t
find_typed(const struct prompt_option *option, size_t n, const char *typed)
{
	size_t i, found = n, alike = 0;

	for (i = 0; i < n; i++) {
		if (strcmp(option[i].code, typed) == 0)
			return i;
		if (!cdop_text_same(option[i].code, typed) &&
		    !cdop_text_same(option[i].label, typed))
			continue;
		found = i;
		alike++;
	}
	return alike == 1 ? found : n;
}

static enum exit_code
find_code(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    const char **ret_code)
{
	struct prompt_option option[OPTIONS_MAX];
	const struct cdop_code *usual;
	size_t n = options(profile, option), i;
	enum exit_code code;

	if (ctx->g.purpose != NULL) {
		if ((i = find_typed(option, n, ctx->g.purpose)) == n)
			return no_such_code(ctx, option, n);
		*ret_code = option[i].code;
		return EXIT_OK;
	}
	usual = usual_code(ctx, profile);
	if (usual != NULL) {
		*ret_code = usual->code;
		return EXIT_OK;
	}
	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, "the purpose", "--purpose CODE");
	code = prompt_choice(ctx, "Purpose", option, n, n, &i);
	if (code == EXIT_OK)
		*ret_code = option[i].code;
	return code;
}

enum exit_code
purpose_choose(
    struct cmd_ctx *ctx, const char **ret_code, const char **ret_text)
{
	const struct cdop_profile *profile;
	const struct cdop_code *row;
	enum exit_code code;

	if ((code = session_profile(ctx, &profile)) != EXIT_OK ||
	    (code = find_code(ctx, profile, ret_code)) != EXIT_OK)
		return code;
	row = cdop_profile_code(profile, LIST, *ret_code, clock_today(profile));
	*ret_text = ctx->g.purpose_text;
	if (row != NULL && (row->flags & CDOP_CODE_NEEDS_TEXT) != 0 &&
	    *ret_text == NULL)
		code = prompt_need(
		    ctx, "Purpose, in words", "--purpose-text TEXT", ret_text);
	/* Chosen once: the same for every call of this command. */
	ctx->g.purpose = *ret_code;
	ctx->g.purpose_text = *ret_text;
	return code;
}
