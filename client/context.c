/* Where the files of a context lie, and which context is meant. */
#include "client/context.h"

#include <stdlib.h>
#include <string.h>

#include "client/file.h"

/* $var, or the usual place under the home folder. */
static const char *
base_dir(struct cmd_ctx *ctx, const char *var, const char *usual)
{
	const char *dir = getenv(var), *home = getenv("HOME");

	if (dir != NULL && dir[0] == '/')
		return cdop_arena_printf(ctx->arena, "%s/cdop", dir);
	if (home == NULL || home[0] != '/')
		return NULL;
	return cdop_arena_printf(ctx->arena, "%s/%s/cdop", home, usual);
}

static enum exit_code
config_dir(struct cmd_ctx *ctx, const char **ret_dir)
{
	*ret_dir = base_dir(ctx, "XDG_CONFIG_HOME", ".config");
	if (*ret_dir == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "set HOME or XDG_CONFIG_HOME", "no folder for contexts");
	return EXIT_OK;
}

/* Lower case, digits and dashes: a name that is a folder and a word. */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= CONTEXT_NAME_MAX && name[0] != '-' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

enum exit_code
context_of(struct cmd_ctx *ctx, const char *name, struct context *ret_context)
{
	const char *config, *state;
	struct context c;
	enum exit_code code;

	if (!is_name(name))
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "a context's name is lower case letters, digits, dashes");
	if ((code = config_dir(ctx, &config)) != EXIT_OK)
		return code;
	state = base_dir(ctx, "XDG_STATE_HOME", ".local/state");
	if (state == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "set HOME or XDG_STATE_HOME", "no folder for drafts");
	c.name = cdop_arena_strdup(ctx->arena, name);
	c.dir = cdop_arena_printf(ctx->arena, "%s/contexts/%s", config, name);
	c.identity = cdop_arena_printf(ctx->arena, "%s/identity", c.dir);
	c.state = cdop_arena_printf(ctx->arena, "%s/%s", state, name);
	if (c.name == NULL || c.identity == NULL || c.state == NULL)
		return cmd_no_memory(ctx);
	*ret_context = c;
	return EXIT_OK;
}

enum exit_code
context_list(struct cmd_ctx *ctx, const char ***ret_names, size_t *ret_n)
{
	const char *config, *dir;
	enum exit_code code;

	if ((code = config_dir(ctx, &config)) != EXIT_OK)
		return code;
	dir = cdop_arena_printf(ctx->arena, "%s/contexts", config);
	if (dir == NULL ||
	    file_list(dir, "", ctx->arena, ret_names, ret_n) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "cannot read the folder of contexts");
	return EXIT_OK;
}

const char *
context_current(struct cmd_ctx *ctx)
{
	struct cdop_bytes text;
	const char *config, *path;

	if (config_dir(ctx, &config) != EXIT_OK)
		return NULL;
	path = cdop_arena_printf(ctx->arena, "%s/current", config);
	if (path == NULL ||
	    file_read(path, CONTEXT_NAME_MAX + 2, ctx->arena, &text) != CDOP_OK)
		return NULL;
	return cdop_arena_strndup(ctx->arena, (const char *)text.data,
	    strcspn((const char *)text.data, "\n"));
}

enum exit_code
context_set_current(struct cmd_ctx *ctx, const char *name)
{
	struct cdop_bytes part[2] = {{NULL, 0}, {(const uint8_t *)"\n", 1}};
	const char *config, *path;
	enum exit_code code;
	enum cdop_err err;

	if ((code = config_dir(ctx, &config)) != EXIT_OK)
		return code;
	path = cdop_arena_printf(ctx->arena, "%s/current", config);
	if (path == NULL || file_make_dir(config) != CDOP_OK)
		err = CDOP_UNAVAILABLE;
	else if (name == NULL)
		err = file_remove(path);
	else {
		part[0] =
		    (struct cdop_bytes){(const uint8_t *)name, strlen(name)};
		err = file_replace(path, part, 2);
	}
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "cannot write the current context");
	return EXIT_OK;
}

enum exit_code
context_choose(struct cmd_ctx *ctx, struct context *ret_context)
{
	const char *name = ctx->g.context, **names;
	enum exit_code code;
	size_t n;

	if (name == NULL)
		name = getenv("CDOP_CONTEXT");
	if (name == NULL || *name == '\0')
		name = context_current(ctx);
	if (name == NULL) {
		code = context_list(ctx, &names, &n);
		if (code != EXIT_OK)
			return code;
		if (n == 0)
			return cmd_fail(ctx, EXIT_AUTH, NULL,
			    "cdop enrol FILE, with the invitation you got",
			    "this computer is enrolled nowhere");
		if (n > 1)
			return cmd_fail(ctx, EXIT_USAGE, NULL,
			    "--context NAME, or: cdop context use NAME",
			    "there are %zu contexts; say which", n);
		name = names[0];
	}
	code = context_of(ctx, name, ret_context);
	if (code == EXIT_OK && !file_exists(ret_context->identity))
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop context list",
		    "there is no context '%s'", name);
	return code;
}
