/* From argv to a command's function, and from its failure to words. */
#include "client/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/inherited.h"
#include "cdop/limits.h"
#include "cdop/secret.h"
#include "client/commands.h"
#include "client/editor.h"
#include "client/help.h"
#include "client/json.h"
#include "client/pager.h"
#include "client/paper.h"
#include "client/print.h"
#include "client/purpose.h"
#include "client/receipt.h"
#include "client/session.h"
#include "client/spool.h"
#include "client/term.h"
#include "client/turn.h"

#define ARENA_MAX ((size_t)512 << 20) /* touched only where used */
#define TIMEOUT_S 20

const struct cmd_opt cmd_globals_opts[] = {
    {"--context", "NAME", "which registry and identity to use", false},
    {"--json", NULL, "answer in JSON, lists line by line", false},
    {"--no-input", NULL, "never ask; fail and name what is missing", false},
    {"--no-color", NULL, "no colour, also by NO_COLOR or TERM=dumb", false},
    {"--no-pager", NULL, "print long results at once", false},
    {"--purpose", "CODE", "why, a code or label of the profile's list", false},
    {"--purpose-text", "TEXT", "why, in words, where the code asks for it",
	false},
    {"--use", "WORD", "screen, print, file or program: where the answer goes",
	false},
    {"--as", "ROLE", "act in this role, where you have several", false},
    {"--timeout", "SECONDS", "how long to wait for an answer (20)", false},
    {"--receipt", "FILE", "write the whole receipt of the answer", false},
    {"--passphrase-file", "FILE", "read the passphrase from a file", false},
    {"--passphrase-fd", "N", "read the passphrase from a descriptor", false},
    {"--exit-codes", NULL, "alone: print the exit codes", false},
    {"--help", NULL, "help on this command", false},
    {"--version", NULL, "alone: print the version", false},
    {NULL, NULL, NULL, false},
};

enum exit_code
cmd_fail(struct cmd_ctx *ctx, enum exit_code code, const char *reason,
    const char *next, const char *fmt, ...)
{
	/* Where there is no memory, the only place. */
	static char text[1024], then[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctx->error.reason = reason;
	ctx->error.leaf = 0;
	ctx->error.next =
	    next == NULL ? NULL : cdop_arena_strdup(ctx->arena, next);
	ctx->error.message = cdop_arena_strdup(ctx->arena, text);
	if (ctx->error.message == NULL)
		ctx->error.message = text;
	if (next != NULL && ctx->error.next == NULL) {
		(void)snprintf(then, sizeof(then), "%s", next);
		ctx->error.next = then;
	}
	return code;
}

enum exit_code
cmd_no_memory(struct cmd_ctx *ctx)
{
	return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL, "out of memory");
}

const char *
cmd_value_at(const struct cmd_ctx *ctx, const char *name, size_t i)
{
	size_t k;

	for (k = 0; k < ctx->n_values; k++)
		if (strcmp(ctx->opt[k]->name, name) == 0 && i-- == 0)
			return ctx->value[k];
	return NULL;
}

const char *
cmd_value(const struct cmd_ctx *ctx, const char *name)
{
	return cmd_value_at(ctx, name, 0);
}

bool
cmd_flag(const struct cmd_ctx *ctx, const char *name)
{
	return cmd_value_at(ctx, name, 0) != NULL;
}

/* Where the numbers are that a command wants. */
static const char *
where_numbers_are(const char *what)
{
	static const char *const lists[][2] = {
	    {"DEVICE", "cdop people list"},
	    {"PERSON", "cdop people list"},
	    {"--device", "cdop people list"},
	    {"--device-for", "cdop people list"},
	    {"NOTIFICATION", "cdop case show REF --notifications"},
	    {"DRAFT", "cdop retry --list"},
	};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i][0], what) == 0)
			return lists[i][1];
	return NULL;
}

enum exit_code
cmd_number(struct cmd_ctx *ctx, const char *what, const char *text,
    uint64_t max, uint64_t *ret_n)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
	    n <= max) {
		*ret_n = n;
		return EXIT_OK;
	}
	if (max >= UINT32_MAX) /* nobody is to count so far */
		return cmd_fail(ctx, EXIT_USAGE, NULL, where_numbers_are(what),
		    "%s: a number is wanted", what);
	return cmd_fail(ctx, EXIT_USAGE, NULL, where_numbers_are(what),
	    "%s: a number up to %llu is wanted", what, (unsigned long long)max);
}

enum exit_code
cmd_numbered(struct cmd_ctx *ctx, const char *what, const char *text,
    uint64_t max, uint64_t *ret_n)
{
	enum exit_code code = cmd_number(ctx, what, text, max, ret_n);

	if (code == EXIT_OK && *ret_n == 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL, where_numbers_are(what),
		    "%s: they are numbered from 1", what);
	return code;
}

static const struct cmd_opt *
find_opt(const struct cmd_opt *opts, const char *arg, size_t len)
{
	for (; opts != NULL && opts->name != NULL; opts++)
		if (strlen(opts->name) == len &&
		    strncmp(opts->name, arg, len) == 0)
			return opts;
	return NULL;
}

static const char *
its_help(struct cmd_ctx *ctx)
{
	return ctx->cmd == NULL
	    ? "cdop --help"
	    : cdop_arena_printf(ctx->arena, "cdop %s --help", ctx->cmd->words);
}

/* Takes the option at argv[*i] and its value. */
static enum exit_code
take_opt(struct cmd_ctx *ctx, int argc, char **argv, int *i)
{
	const char *arg = argv[*i], *eq = strchr(arg, '=');
	size_t len = eq != NULL ? (size_t)(eq - arg) : strlen(arg);
	const struct cmd_opt *opt = find_opt(cmd_globals_opts, arg, len);
	const char *value = eq != NULL ? eq + 1 : NULL;

	if (opt == NULL && ctx->cmd != NULL)
		opt = find_opt(ctx->cmd->opts, arg, len);
	if (opt == NULL && ctx->cmd != NULL &&
	    (opt = commands_near_opt(ctx->cmd, arg, len)) != NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, its_help(ctx),
		    "no such option: %.*s (the nearest is: %s)", (int)len, arg,
		    opt->name);
	if (opt == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, its_help(ctx),
		    "no such option: %.*s", (int)len, arg);
	if (!opt->many && cmd_flag(ctx, opt->name))
		return cmd_fail(ctx, EXIT_USAGE, NULL, its_help(ctx),
		    "%s stands twice", opt->name);
	if (opt->arg == NULL && value != NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, its_help(ctx),
		    "%s takes no value", opt->name);
	if (opt->arg != NULL && value == NULL) {
		if (*i + 1 >= argc)
			return cmd_fail(ctx, EXIT_USAGE, NULL, its_help(ctx),
			    "%s wants a value: %s", opt->name, opt->arg);
		value = argv[++*i];
	}
	if (ctx->n_values == CMD_VALUES_MAX)
		return cmd_fail(
		    ctx, EXIT_USAGE, NULL, NULL, "too many options");
	ctx->opt[ctx->n_values] = opt;
	ctx->value[ctx->n_values++] = value != NULL ? value : "";
	return EXIT_OK;
}

/* next: what stands behind a single word, or NULL: "cas" of "cas list". */
static enum exit_code
no_such_command(
    struct cmd_ctx *ctx, const char *const *words, size_t n, const char *next)
{
	const char *second = n > 1 ? words[1] : next;
	const struct cmd *near = NULL;
	char typed[128];

	if (second != NULL && second[0] != '-') {
		(void)snprintf(typed, sizeof(typed), "%s %s", words[0], second);
		near = commands_near(typed);
	}
	if (near == NULL && n == 1) {
		(void)snprintf(typed, sizeof(typed), "%s", words[0]);
		near = commands_near(typed);
	}
	if (near == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    commands_is_noun(words[0])
			? cdop_arena_printf(ctx->arena, "cdop %s", words[0])
			: commands_with_verb(ctx->arena, words[0]),
		    "no such command: %s", typed);
	return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
	    "no such command: %s (the nearest is: cdop %s)", typed,
	    near->words);
}

/* Words in front of options decide the command; the rest is its. */
static enum exit_code
find_command(struct cmd_ctx *ctx, const char *word, const char *next)
{
	size_t used;

	if (ctx->n_pos == CMD_POS_MAX)
		return cmd_fail(
		    ctx, EXIT_USAGE, NULL, NULL, "too many words: %s", word);
	ctx->pos[ctx->n_pos++] = word;
	if (ctx->cmd != NULL)
		return EXIT_OK;
	ctx->cmd = commands_find(ctx->pos, ctx->n_pos, &used);
	if (ctx->cmd != NULL) {
		ctx->n_pos = 0;
		return EXIT_OK;
	}
	if (ctx->n_pos == 1 && commands_is_noun(word))
		return EXIT_OK;
	return no_such_command(ctx, ctx->pos, ctx->n_pos, next);
}

static enum exit_code
parse(struct cmd_ctx *ctx, int argc, char **argv)
{
	bool options = true;
	enum exit_code code;
	int i;

	for (i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			continue;
		}
		if (options && strncmp(argv[i], "--", 2) == 0)
			code = take_opt(ctx, argc, argv, &i);
		else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
			code = cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
			    "no such option: %s", argv[i]);
		else
			code = find_command(ctx, argv[i], argv[i + 1]);
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

static enum exit_code
take_globals(struct cmd_ctx *ctx)
{
	struct cmd_globals *g = &ctx->g;
	uint64_t seconds = TIMEOUT_S;
	const char *accessible;
	enum exit_code code;
	Cdop__Role role;

	g->context = cmd_value(ctx, "--context");
	g->purpose = cmd_value(ctx, "--purpose");
	g->purpose_text = cmd_value(ctx, "--purpose-text");
	g->use = cmd_value(ctx, "--use");
	g->as = cmd_value(ctx, "--as");
	g->passphrase_file = cmd_value(ctx, "--passphrase-file");
	g->passphrase_fd = cmd_value(ctx, "--passphrase-fd");
	g->timeout = cmd_value(ctx, "--timeout");
	g->receipt = cmd_value(ctx, "--receipt");
	g->no_input = cmd_flag(ctx, "--no-input");
	g->no_pager = cmd_flag(ctx, "--no-pager");
	accessible = getenv("ACCESSIBLE");
	g->accessible = accessible != NULL && strcmp(accessible, "1") == 0;
	if (g->timeout != NULL) {
		code = cmd_number(ctx, "--timeout", g->timeout,
		    CDOP_DEADLINE_MS_MAX / 1000, &seconds);
		if (code != EXIT_OK)
			return code;
	}
	g->timeout_ms = (uint32_t)(seconds > 0 ? seconds : 1) * 1000;
	if (g->as != NULL &&
	    (code = purpose_role(ctx, g->as, &role)) != EXIT_OK)
		return code;
	return purpose_check_use(ctx);
}

static enum exit_code
check_words(struct cmd_ctx *ctx)
{
	const struct cmd *cmd = ctx->cmd;

	if (ctx->n_pos < cmd->min_pos) {
		if (!ctx->g.json)
			help_usage(ctx, cmd);
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL, "%s wants: %s",
		    cmd->words, cmd->args);
	}
	if (ctx->n_pos > cmd->max_pos)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    strncmp(cmd->args, "REF", 3) == 0
			? "a reference is one word: K7M4-QX2Q"
			: its_help(ctx),
		    "%s: a word too many: %s", cmd->words,
		    ctx->pos[cmd->max_pos]);
	return EXIT_OK;
}

/*
 * These two are the program's, and stand alone: beside a command somebody
 * means a version of a case, which would not be shown.
 */
static enum exit_code
of_the_program(struct cmd_ctx *ctx, const char *name)
{
	const struct cmd_opt *opt = ctx->cmd != NULL ? ctx->cmd->opts : NULL;

	if (ctx->n_pos == 0 && ctx->cmd == NULL) {
		if (strcmp(name, "--version") == 0)
			help_version(ctx);
		else
			help_exit_codes(ctx);
		return EXIT_OK;
	}
	while (opt != NULL && opt->name != NULL &&
	    strstr(opt->name, name + 1) == NULL)
		opt++;
	return cmd_fail(ctx, EXIT_USAGE, NULL,
	    opt == NULL || opt->name == NULL
		? cdop_arena_printf(ctx->arena, "cdop %s", name)
		: cdop_arena_printf(
		      ctx->arena, "%s %s: %s", opt->name, opt->arg, opt->help),
	    "%s is the program's own, and stands alone", name);
}

/* Help comes before anything else. */
static bool
is_help(struct cmd_ctx *ctx, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ctx->g.json = true;
		else if (strcmp(argv[i], "--no-color") == 0)
			ctx->g.no_color = true;
		else if (strcmp(argv[i], "--no-pager") == 0)
			ctx->g.no_pager = true;
	}
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0) {
			help_words(ctx, argc - 1, argv + 1);
			return true;
		}
	}
	return false;
}

static enum exit_code
run(struct cmd_ctx *ctx, int argc, char **argv)
{
	enum exit_code code;

	if ((code = parse(ctx, argc, argv)) != EXIT_OK)
		return code;
	if (cmd_flag(ctx, "--version"))
		return of_the_program(ctx, "--version");
	if (cmd_flag(ctx, "--exit-codes"))
		return of_the_program(ctx, "--exit-codes");
	if ((code = take_globals(ctx)) != EXIT_OK)
		return code;
	if (ctx->cmd == NULL && ctx->g.json)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop help",
		    "there is no command%s%s", ctx->n_pos > 0 ? " behind " : "",
		    ctx->n_pos > 0 ? ctx->pos[0] : "");
	if (ctx->cmd == NULL) {
		help_short(ctx, ctx->n_pos > 0 ? ctx->pos[0] : NULL);
		return EXIT_OK;
	}
	if ((code = check_words(ctx)) != EXIT_OK)
		return code;
	if (cdop_secret_init() != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the system gives no random numbers");
	editor_remove_left(ctx);
	code = receipt_begin(ctx);
	return code == EXIT_OK ? ctx->cmd->run(ctx) : code;
}

int
cmd_main(int argc, char **argv)
{
	static struct cmd_ctx ctx; /* over the limit of a frame */
	enum exit_code code;

	memset(&ctx, 0, sizeof(ctx));
	if (cdop_inherited_settle() != CDOP_OK)
		return EXIT_UNEXPECTED; /* and nowhere to say so */
	if (cdop_arena_new(ARENA_MAX, &ctx.arena) != CDOP_OK) {
		(void)fputs("cdop: not enough memory\n", stderr);
		return EXIT_UNEXPECTED;
	}
	json_start(ctx.arena);
	term_start();
	if (is_help(&ctx, argc, argv))
		code = EXIT_OK;
	else
		code = run(&ctx, argc, argv);
	pager_stop();
	/* What was printed may lack what there was no memory for. */
	if (code == EXIT_OK && cdop_arena_was_spent(ctx.arena))
		code = cmd_fail(&ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "out of memory: what was shown may not be all of it");
	code = receipt_finish(&ctx, code);
	paper_finish(&ctx, code);
	if (code == EXIT_STOPPED && ctx.error.message == NULL)
		(void)cmd_fail(&ctx, code, NULL, NULL, "stopped");
	if (code == EXIT_OK && ctx.session != NULL) {
		turn_if_due(&ctx);
		spool_tidy(&ctx);
	}
	/* Who has read enough, as head has, misses nothing. */
	if (code == EXIT_OK && !print_flush() && errno != EPIPE)
		code = cmd_fail(&ctx, EXIT_UNEXPECTED, NULL,
		    "what was asked for is done: look before it is said again",
		    "the answer cannot be written to standard output: %s",
		    strerror(errno));
	if (ctx.error.message != NULL)
		print_failure(&ctx, code);
	session_close(&ctx);
	cdop_arena_free(ctx.arena);
	return (int)code;
}
