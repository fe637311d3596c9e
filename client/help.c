/* Help, from the rows. */
#include "client/help.h"

#include <string.h>

#include "cdop/version.h"
#include "client/commands.h"
#include "client/pager.h"
#include "client/print.h"

static void
head(struct cmd_ctx *ctx, const struct cmd *cmd)
{
	print_out(ctx, "usage: cdop %s%s%s%s", cmd->words,
	    cmd->args[0] != '\0' ? " " : "", cmd->args,
	    cmd->opts != NULL && cmd->opts->name != NULL ? " [OPTIONS]" : "");
}

void
help_usage(struct cmd_ctx *ctx, const struct cmd *cmd)
{
	print_note(ctx, "usage: cdop %s %s", cmd->words, cmd->args);
	if (cmd->examples != NULL)
		print_note(ctx, "%s", cmd->examples);
}

static void
options(struct cmd_ctx *ctx, const struct cmd_opt *opts)
{
	char left[64];

	for (; opts != NULL && opts->name != NULL; opts++) {
		(void)snprintf(left, sizeof(left), "%s%s%s", opts->name,
		    opts->arg != NULL ? " " : "",
		    opts->arg != NULL ? opts->arg : "");
		print_out(ctx, "  %-26s %s", left, opts->help);
	}
}

void
help_command(struct cmd_ctx *ctx, const struct cmd *cmd)
{
	pager_start(ctx);
	head(ctx, cmd);
	print_out(ctx, "\n%s.", cmd->summary);
	if (cmd->examples != NULL)
		print_out(ctx, "\nexamples:\n%s", cmd->examples);
	if (cmd->detail != NULL)
		print_out(ctx, "\n%s", cmd->detail);
	if (cmd->opts != NULL && cmd->opts->name != NULL) {
		print_out(ctx, "\noptions:");
		options(ctx, cmd->opts);
	}
	print_out(ctx, "\noptions of every command:");
	options(ctx, cmd_globals_opts);
}

static void
one_line(struct cmd_ctx *ctx, const struct cmd *cmd)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s%s%s", cmd->words,
	    cmd->args[0] != '\0' ? " " : "", cmd->args);
	print_out(ctx, "  cdop %-30s %s", left, cmd->summary);
}

void
help_short(struct cmd_ctx *ctx, const char *noun)
{
	size_t i, len = noun != NULL ? strlen(noun) : 0;
	const struct cmd *cmd;

	pager_start(ctx);
	if (noun == NULL)
		print_out(ctx,
		    "cdop: the client of the child death case registry\n\n"
		    "  cdop notify                   register a death, asked "
		    "step by step\n"
		    "  cdop notify --from rows.csv   register a file\n"
		    "  cdop case show K7M4-QX2Q      show a case\n"
		    "  cdop ask                      a partner's question\n");
	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		if ((cmd->flags & CMD_HIDDEN) != 0)
			continue;
		if (noun != NULL &&
		    (strncmp(cmd->words, noun, len) != 0 ||
			(cmd->words[len] != ' ' && cmd->words[len] != '\0')))
			continue;
		one_line(ctx, cmd);
	}
	if (noun == NULL)
		print_out(ctx,
		    "\nhelp on one: cdop COMMAND --help.  "
		    "Exit codes: cdop --exit-codes.");
}

void
help_words(struct cmd_ctx *ctx, int argc, char **argv)
{
	const char *word[2] = {NULL, NULL};
	const struct cmd *cmd;
	size_t n = 0, used;
	int i;

	for (i = 0; i < argc && n < 2; i++)
		if (argv[i][0] != '-')
			word[n++] = argv[i];
	cmd = commands_find(word, n, &used);
	if (cmd != NULL)
		help_command(ctx, cmd);
	else
		help_short(
		    ctx, n > 0 && commands_is_noun(word[0]) ? word[0] : NULL);
}

void
help_exit_codes(struct cmd_ctx *ctx)
{
	json_t *list, *object;
	unsigned i;

	if (!ctx->g.json) {
		for (i = 0; i < EXIT_CODES; i++)
			print_out(ctx, "%2u  %s", i, exit_words(i));
		return;
	}
	list = json_array();
	for (i = 0; i < EXIT_CODES; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:i,s:s,s:s}", "exit", (int)i, "reason",
			exit_reason((enum exit_code)i), "words",
			exit_words(i)));
	object = print_envelope(ctx, "exit-codes", true);
	(void)json_object_set_new(object, "codes", list);
	print_json(object);
}

void
help_version(struct cmd_ctx *ctx)
{
	json_t *object;

	if (!ctx->g.json) {
		print_out(ctx, "cdop %s", CDOP_VERSION);
		return;
	}
	object = print_envelope(ctx, "version", true);
	(void)json_object_set_new(object, "version", json_string(CDOP_VERSION));
	print_json(object);
}

void
help_list(struct cmd_ctx *ctx)
{
	const struct cmd_opt *opt;
	const struct cmd *cmd;
	size_t i;

	for (opt = cmd_globals_opts; opt->name != NULL; opt++)
		print_out(ctx, "global\t%s\t%s", opt->name,
		    opt->arg != NULL ? opt->arg : "");
	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		if ((cmd->flags & CMD_HIDDEN) != 0)
			continue;
		print_out(ctx, "command\t%s\t%s\t%s", cmd->words, cmd->args,
		    cmd->summary);
		for (opt = cmd->opts; opt != NULL && opt->name != NULL; opt++)
			print_out(ctx, "option\t%s\t%s\t%s", cmd->words,
			    opt->name, opt->arg != NULL ? opt->arg : "");
	}
}
