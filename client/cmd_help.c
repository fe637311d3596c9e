/* cdop help and version, and the list that tests and completion read. */
#include "client/commands.h"
#include "client/families.h"
#include "client/help.h"

static enum exit_code
run_help(struct cmd_ctx *ctx)
{
	const struct cmd *cmd;
	size_t used;

	if (cmd_flag(ctx, "--list")) {
		help_list(ctx);
		return EXIT_OK;
	}
	cmd = commands_find(ctx->pos, ctx->n_pos, &used);
	if (cmd != NULL)
		help_command(ctx, cmd);
	else if (ctx->n_pos == 0 || commands_is_noun(ctx->pos[0]))
		help_short(ctx, ctx->n_pos > 0 ? ctx->pos[0] : NULL);
	else
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop help",
		    "no such command: %s", ctx->pos[0]);
	return EXIT_OK;
}

static enum exit_code
run_version(struct cmd_ctx *ctx)
{
	help_version(ctx);
	return EXIT_OK;
}

static const struct cmd_opt help_opts[] = {
    {"--list", NULL, "every command and option, one a line", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_help_rows[] = {
    {"help", "[COMMAND]", "help on a command", NULL, "  cdop help case show",
	help_opts, 0, 2, CMD_PLAIN, NULL, run_help},
    {"version", "", "print the version", NULL, NULL, NULL, 0, 0, CMD_PLAIN,
	NULL, run_version},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
