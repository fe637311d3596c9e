/* The grammar: rows are whole, words find them, slips are named. */
#include "client/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/help.h"

/* Bare verbs that the grammar allows; everything else is noun and verb. */
static const char *const bare[] = {"notify", "ask", "retry", "approve",
    "status", "whoami", "doctor", "enrol", "unlock", "lock", "help", "version"};

static bool
is_bare(const char *words)
{
	size_t i;

	for (i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
		if (strcmp(bare[i], words) == 0)
			return true;
	return false;
}

/* Runs the program's main with its output thrown away. */
static int
run(int argc, const char *const *words)
{
	char *argv[16] = {NULL};
	int i, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), code;
	FILE *null = fopen("/dev/null", "w");

	for (i = 0; i < argc; i++)
		argv[i] = strdup(words[i]);
	(void)fflush(stdout);
	(void)dup2(fileno(null), STDOUT_FILENO);
	(void)dup2(fileno(null), STDERR_FILENO);
	code = cmd_main(argc, argv);
	(void)fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)close(out);
	(void)close(err);
	(void)fclose(null);
	for (i = 0; i < argc; i++)
		free(argv[i]);
	return code;
}

#define RUN(...)                                                               \
	run((int)(sizeof((const char *[]){"cdop", __VA_ARGS__}) /              \
		sizeof(char *)),                                               \
	    (const char *[]){"cdop", __VA_ARGS__})

static void
every_row_is_whole_and_follows_the_grammar(void **state)
{
	const struct cmd *cmd, *other;
	const struct cmd_opt *opt;
	const char *blank;
	size_t i, k;

	(void)state;
	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		blank = strchr(cmd->words, ' ');
		assert_true(blank != NULL || is_bare(cmd->words));
		assert_non_null(cmd->summary);
		assert_non_null(cmd->run);
		assert_non_null(cmd->args);
		assert_true(cmd->min_pos <= cmd->max_pos);
		assert_true(cmd->max_pos <= CMD_POS_MAX);
		for (opt = cmd->opts; opt != NULL && opt->name != NULL; opt++) {
			assert_int_equal(strncmp(opt->name, "--", 2), 0);
			assert_non_null(opt->help);
		}
		for (k = 0; k < i; k++) {
			other = commands_at(k);
			assert_string_not_equal(cmd->words, other->words);
		}
	}
	assert_true(i > 30);
}

static void
no_option_of_a_command_hides_one_of_all(void **state)
{
	const struct cmd_opt *opt, *global;
	const struct cmd *cmd;
	size_t i;

	(void)state;
	for (i = 0; (cmd = commands_at(i)) != NULL; i++)
		for (opt = cmd->opts; opt != NULL && opt->name != NULL; opt++)
			for (global = cmd_globals_opts; global->name != NULL;
			     global++)
				assert_string_not_equal(
				    opt->name, global->name);
}

static void
words_find_their_command(void **state)
{
	const char *show[] = {"case", "show"}, *ask[] = {"ask", "me"};
	const char *half[] = {"case"};
	size_t used = 0;

	(void)state;
	assert_string_equal(commands_find(show, 2, &used)->words, "case show");
	assert_int_equal(used, 2);
	assert_string_equal(commands_find(ask, 2, &used)->words, "ask");
	assert_int_equal(used, 1);
	assert_null(commands_find(half, 1, &used));
	assert_true(commands_is_noun("case"));
	assert_false(commands_is_noun("cas"));
	assert_false(commands_is_noun("ask"));
}

static void
a_slip_is_named_and_never_run(void **state)
{
	(void)state;
	assert_string_equal(commands_near("case shwo")->words, "case show");
	assert_string_equal(commands_near("notfy")->words, "notify");
	assert_string_equal(commands_near("find")->words, "case find");
	assert_null(commands_near("list")); /* which one? */
	assert_null(commands_near("make me a sandwich"));
	assert_int_equal(RUN("notfy"), EXIT_USAGE);
	assert_int_equal(RUN("case", "shwo", "T-1"), EXIT_USAGE);
	/* No guessing at the beginnings of words either. */
	assert_int_equal(RUN("stat"), EXIT_USAGE);
}

static void
help_and_version_need_nothing(void **state)
{
	(void)state;
	assert_int_equal(run(1, (const char *[]){"cdop"}), EXIT_OK);
	assert_int_equal(RUN("--help"), EXIT_OK);
	assert_int_equal(RUN("--version"), EXIT_OK);
	assert_int_equal(RUN("--exit-codes"), EXIT_OK);
	assert_int_equal(RUN("--exit-codes", "--json"), EXIT_OK);
	assert_int_equal(RUN("case"), EXIT_OK);
	assert_int_equal(RUN("case", "show", "--help"), EXIT_OK);
	assert_int_equal(RUN("case", "--help", "show", "nonsense"), EXIT_OK);
	assert_int_equal(RUN("help", "people", "invite"), EXIT_OK);
	assert_int_equal(RUN("help", "nothing"), EXIT_USAGE);
	assert_int_equal(RUN("help", "--list"), EXIT_OK);
	assert_int_equal(RUN("notify", "--blank"), EXIT_OK);
}

/* They would be taken for the version of a case, say, and tell another. */
static void
version_and_codes_stand_alone(void **state)
{
	(void)state;
	assert_int_equal(RUN("--version", "--json"), EXIT_OK);
	assert_int_equal(RUN("--context", "a", "--version"), EXIT_OK);
	assert_int_equal(
	    RUN("case", "show", "T-2222-2222", "--version", "9"), EXIT_USAGE);
	assert_int_equal(
	    RUN("case", "show", "T-2222-2222", "--version"), EXIT_USAGE);
	assert_int_equal(RUN("case", "list", "--version"), EXIT_USAGE);
	assert_int_equal(RUN("case", "--version"), EXIT_USAGE);
	assert_int_equal(RUN("status", "--exit-codes"), EXIT_USAGE);
	assert_int_equal(RUN("lock", "--version"), EXIT_USAGE);
}

static void
wrong_lines_are_usage_errors(void **state)
{
	(void)state;
	assert_int_equal(RUN("case", "show"), EXIT_USAGE);
	assert_int_equal(RUN("case", "show", "A", "B"), EXIT_USAGE);
	assert_int_equal(RUN("case", "list", "--nonsense"), EXIT_USAGE);
	assert_int_equal(RUN("case", "list", "-x"), EXIT_USAGE);
	assert_int_equal(RUN("case", "list", "--area"), EXIT_USAGE);
	assert_int_equal(RUN("case", "list", "--names=yes"), EXIT_USAGE);
	assert_int_equal(
	    RUN("case", "list", "--area", "a", "--area", "b"), EXIT_USAGE);
	assert_int_equal(RUN("status", "--timeout", "soon"), EXIT_USAGE);
	assert_int_equal(RUN("status", "--timeout", "99999"), EXIT_USAGE);
	assert_int_equal(RUN("--json", "--nonsense", "status"), EXIT_USAGE);
}

static void
without_an_identity_there_is_a_next_step(void **state)
{
	(void)state;
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)unsetenv("CDOP_CONTEXT");
	assert_int_equal(RUN("status"), EXIT_AUTH);
	assert_int_equal(RUN("--context", "none", "status"), EXIT_USAGE);
	assert_int_equal(RUN("--context", "../x", "status"), EXIT_USAGE);
	assert_int_equal(RUN("enrol", "/nonexistent"), EXIT_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_whole_and_follows_the_grammar),
	    cmocka_unit_test(no_option_of_a_command_hides_one_of_all),
	    cmocka_unit_test(words_find_their_command),
	    cmocka_unit_test(a_slip_is_named_and_never_run),
	    cmocka_unit_test(help_and_version_need_nothing),
	    cmocka_unit_test(version_and_codes_stand_alone),
	    cmocka_unit_test(wrong_lines_are_usage_errors),
	    cmocka_unit_test(without_an_identity_there_is_a_next_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
