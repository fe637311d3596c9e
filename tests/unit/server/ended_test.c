/*
 * A signal to a command that has made its files and changed nothing yet: they
 * are gone, and the registry is as it was.
 */
#include "server/ended.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/cmd.h"
#include "server/prompt.h"
#include "tests/unit/server/scratch.h"

#define PROFILE "packaging/profiles/merseyside.conf"
#define ARGS    40

static char top[64];
static char path[8][96];
static char told[4096]; /* by the last command */

static const char *
at(size_t i, const char *name)
{
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", top, name);
	return path[i];
}

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(at(7, name), &st) == 0;
}

/* A command with what it says kept in told. */
static int
run(cmd_fn *fn, const char *const *words)
{
	char *argv[ARGS] = {NULL};
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	int fd =
	    open(at(6, "told"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int argc, status;
	ssize_t n;

	for (argc = 0; words[argc] != NULL; argc++)
		argv[argc] = strdup(words[argc]);
	(void)fflush(stdout);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	status = fn(argc, argv);
	(void)fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)close(out);
	(void)close(err);
	n = pread(fd, told, sizeof(told) - 1, 0);
	told[n > 0 ? n : 0] = '\0';
	(void)close(fd);
	while (argc > 0)
		free(argv[--argc]);
	return status;
}

static int
init(const char *data, const char *key, const char *out)
{
	return run(cmd_init,
	    (const char *[]){"init", data, "--mode", "training", "--profile",
		PROFILE, "--slot", key, "--slot", "passphrase",
		"--passphrase-file", at(5, "words"), "--degraded",
		"--kdf-memory", "8", "--kdf-passes", "1", "--admin", "Ada",
		"--admin", "Bob", "--address", "127.0.0.1:4433", "--out", out,
		"--confirm", "I understand", NULL});
}

/* Two registries' worth of commands; the signal comes between. */
static int
setup(void **state)
{
	char key[128];
	FILE *f;

	(void)state;
	scratch_dir(top, sizeof(top), "ended");
	f = fopen(at(5, "words"), "we");
	if (f == NULL || fputs("four plain words here\n", f) < 0 ||
	    fclose(f) != 0)
		return -1;
	(void)snprintf(key, sizeof(key), "keyfile:%s/key", top);
	if (init(at(0, "data"), key, at(1, "out")) != CMD_OK) {
		print_message("%s\n", told);
		return -1;
	}
	assert_false(ended_was());
	ended_begin();
	return raise(SIGTERM);
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void
says(const char *words)
{
	if (strstr(told, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, told);
}

static void
a_slot_leaves_no_file(void **state)
{
	(void)state;
	assert_true(ended_was());
	assert_int_equal(
	    run(cmd_slot,
		(const char *[]){"slot", "add", at(0, "data"), "--by", "Olga",
		    "--degraded", "--new-key-file", at(1, "new.key"),
		    "--key-file", at(2, "key"), NULL}),
	    CMD_FAILED);
	says("made, 32 random bytes");
	says("ended by a signal: the registry is as it was");
	assert_false(is_there("new.key"));
	assert_int_equal(
	    run(cmd_slot,
		(const char *[]){"slot", "add", at(0, "data"), "--by", "Olga",
		    "--new-shares", "2/4", "--out", at(1, "sheets"),
		    "--key-file", at(2, "key"), NULL}),
	    CMD_FAILED);
	says("ended by a signal: the registry is as it was");
	assert_false(is_there("sheets"));
}

static void
nor_does_who_invites_administrators(void **state)
{
	(void)state;
	assert_int_equal(
	    run(cmd_recover,
		(const char *[]){"recover-people", at(0, "data"), "--by",
		    "Olga", "--by", "Otto", "--reason", "gone", "--admin",
		    "Dan", "--address", "127.0.0.1:4433", "--out", top,
		    "--key-file", at(2, "key"), NULL}),
	    CMD_FAILED);
	says("ended by a signal: the registry is as it was");
	assert_false(is_there("recovery-invitation-1.txt"));
}

static void
nor_an_init_its_registry(void **state)
{
	char key[128];

	(void)state;
	(void)snprintf(key, sizeof(key), "keyfile:%s/another.key", top);
	assert_int_equal(
	    init(at(0, "another"), key, at(1, "another-out")), CMD_FAILED);
	says("ended by a signal: there is no registry");
	assert_false(is_there("another"));
	assert_false(is_there("another.key"));
	assert_false(is_there("another-out"));
}

/* It changes nothing that somebody could miss, and is written whole. */
static void
the_recovery_sheet_is_written_all_the_same(void **state)
{
	(void)state;
	assert_int_equal(
	    run(cmd_slot,
		(const char *[]){"slot", "sheet", at(0, "data"), "--out",
		    at(1, "sheet.txt"), "--key-file", at(2, "key"), NULL}),
	    CMD_OK);
	assert_true(is_there("sheet.txt"));
	assert_int_equal(run(cmd_slot,
			     (const char *[]){"slot", "list", at(0, "data"),
				 "--key-file", at(2, "key"), NULL}),
	    CMD_OK);
	says("passphrase");
	assert_null(strstr(told, "shares"));
}

/* The signal came before the question: nobody has to answer it first. */
static void
nobody_is_asked_any_more(void **state)
{
	static const char line[] = "four plain words here\n";
	uint8_t text[64], first = 0;
	int in = dup(STDIN_FILENO), ends[2];
	size_t len = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(
	    write(ends[1], line, sizeof(line) - 1), sizeof(line) - 1);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(prompt_stdin(text, sizeof(text), &len), CDOP_ABORTED);
	assert_int_equal(read(ends[0], &first, 1), 1);
	assert_int_equal(first, 'f');
	(void)dup2(in, STDIN_FILENO);
	(void)close(in);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
what_nohup_ignores_ends_nothing(void **state)
{
	(void)state;
	assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	ended_begin();
	assert_true(signal(SIGHUP, SIG_DFL) == SIG_IGN);
	ended_begin();
	assert_true(signal(SIGHUP, SIG_DFL) != SIG_DFL);
}

/* Also where somebody sends it to a command that hangs. */
static void
what_ends_it_is_explained_and_ends_it(void **state)
{
	const int fd =
	    open(at(6, "told"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const pid_t pid = fork();
	int status;
	ssize_t n;

	(void)state;
	assert_true(fd >= 0 && pid >= 0);
	if (pid == 0) {
		(void)dup2(fd, STDERR_FILENO);
		ended_explain();
		(void)raise(SIGABRT);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	n = pread(fd, told, sizeof(told) - 1, 0);
	told[n > 0 ? n : 0] = '\0';
	(void)close(fd);
	says("cdopd verify DIR says where");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_nohup_ignores_ends_nothing),
	    cmocka_unit_test(a_slot_leaves_no_file),
	    cmocka_unit_test(nor_does_who_invites_administrators),
	    cmocka_unit_test(nor_an_init_its_registry),
	    cmocka_unit_test(nobody_is_asked_any_more),
	    cmocka_unit_test(what_ends_it_is_explained_and_ends_it),
	    cmocka_unit_test(the_recovery_sheet_is_written_all_the_same),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
