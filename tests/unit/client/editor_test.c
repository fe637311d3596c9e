/* A text in an editor: in memory, private, and gone afterwards. */
#include "client/editor.h"

#include <dirent.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/file.h"
#include "tests/unit/client/fixture.h"

/* An editor that is a script; $1 is the file. */
static void
editor(struct fixture *f, const char *script)
{
	const char *path = fixture_file(f, "my-editor", script, strlen(script));

	assert_int_equal(chmod(path, 0700), 0);
	(void)unsetenv("VISUAL");
	(void)setenv("EDITOR", path, 1);
	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
}

/* A folder of this test's own in memory: others edit meanwhile. */
static char memory[] = "/dev/shm/editor-test.XXXXXX";

static int
group_setup(void **state)
{
	(void)state;
	return mkdtemp(memory) != NULL &&
	    setenv("XDG_RUNTIME_DIR", memory, 1) != 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	return file_exists(memory) && rmdir(memory) != 0;
}

/* Folders of texts that lie where texts are edited. */
static size_t
left_behind(void)
{
	DIR *dir = opendir(memory);
	struct dirent *d;
	size_t n = 0;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		n += strncmp(d->d_name, "cdop-text.", 10) == 0;
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

static bool
has_memory(void)
{
	struct statfs fs;

	return statfs(memory, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

static void
what_is_saved_is_the_text(void **state)
{
	struct fixture *f = *state;
	const char *text = NULL, *seen;
	struct cdop_bytes was;
	char script[512];

	if (!has_memory())
		skip();
	(void)snprintf(script, sizeof(script),
	    "#!/bin/sh\n"
	    "{ echo \"$1\"; stat -c %%a \"$1\" \"${1%%/*}\"; "
	    "stat -f -c %%T \"$1\"; cat \"$1\"; } >%s/was\n"
	    "printf 'one\\r\\n\\n  three\\n\\n' >\"$1\"\n"
	    "echo copy >\"$1~\"\n",
	    f->dir);
	editor(f, script);
	assert_int_equal(editor_text(&f->ctx, "before", 1000, &text), EXIT_OK);
	assert_string_equal(text, "one\n\n  three");
	seen = cdop_arena_printf(f->ctx.arena, "%s/was", f->dir);
	assert_int_equal(file_read(seen, 4096, f->ctx.arena, &was), CDOP_OK);
	seen = (const char *)was.data;
	assert_int_equal(strncmp(seen, memory, strlen(memory)), 0);
	assert_int_equal(strncmp(seen + strlen(memory), "/cdop-text.", 11), 0);
	assert_non_null(strstr(seen, "\n600\n700\ntmpfs\nbefore"));
	/* The file, the editor's copy of it and their folder are gone. */
	assert_int_equal(left_behind(), 0);
}

static void
an_editor_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const char *text = NULL;

	if (!has_memory())
		skip();
	editor(f, "#!/bin/sh\necho half >\"$1\"\nexit 1\n");
	assert_int_equal(
	    editor_text(&f->ctx, "before", 1000, &text), EXIT_STOPPED);
	assert_null(text);
	assert_int_equal(left_behind(), 0);
}

/* As ed does with ed.hup and joe with DEADJOE, when the terminal is gone. */
static void
what_an_editor_saves_beside_it_is_gone_too(void **state)
{
	struct fixture *f = *state;
	const char *text = NULL;

	if (!has_memory())
		skip();
	(void)unlink("editor-test.hup");
	editor(f, "#!/bin/sh\ncp \"$1\" editor-test.hup\n");
	assert_int_equal(editor_text(&f->ctx, "before", 100, &text), EXIT_OK);
	assert_string_equal(text, "before");
	assert_false(file_exists("editor-test.hup"));
	assert_int_equal(left_behind(), 0);
}

static void
an_editor_that_is_named_from_here_is_run_there_too(void **state)
{
	static const char *const names[] = {"./my-editor", "./my-editor -x",
	    "~/my-editor", "\"$HOME/my-editor\""};
	struct fixture *f = *state;
	const char *text, *home = getenv("HOME");
	char here[4096];
	size_t i;

	if (!has_memory())
		skip();
	home = cdop_arena_strdup(f->ctx.arena, home != NULL ? home : "/");
	editor(f, "#!/bin/sh\necho after >text.txt; : >editor-test.hup\n");
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(f->dir), 0);
	(void)setenv("HOME", f->dir, 1);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)setenv("EDITOR", names[i], 1);
		text = "";
		(void)editor_text(&f->ctx, "before", 100, &text);
		assert_string_equal(text, "after");
	}
	(void)setenv("HOME", home, 1);
	assert_false(file_exists("editor-test.hup"));
	assert_int_equal(chdir(here), 0);
	assert_int_equal(left_behind(), 0);
}

/* Its own files cannot be told from its other words. */
static void
words_behind_an_editor_are_hinted_at(void **state)
{
	struct fixture *f = *state;
	const char *text = NULL, *path;

	if (!has_memory())
		skip();
	editor(f, "#!/bin/sh\nexit 1\n");
	path = cdop_arena_strdup(f->ctx.arena, getenv("EDITOR"));
	assert_int_equal(editor_text(&f->ctx, "", 10, &text), EXIT_STOPPED);
	assert_null(f->ctx.error.next);
	(void)setenv(
	    "EDITOR", cdop_arena_printf(f->ctx.arena, "%s -c rc", path), 1);
	assert_int_equal(editor_text(&f->ctx, "", 10, &text), EXIT_STOPPED);
	assert_non_null(strstr(f->ctx.error.next, "whole paths"));
}

static void
too_much_text_is_refused_whole(void **state)
{
	struct fixture *f = *state;
	const char *text = NULL;

	if (!has_memory())
		skip();
	editor(f, "#!/bin/sh\nprintf 1234567890 >\"$1\"\n");
	assert_int_equal(editor_text(&f->ctx, "", 10, &text), EXIT_OK);
	assert_string_equal(text, "1234567890");
	assert_int_equal(editor_text(&f->ctx, "", 9, &text), EXIT_USAGE);
	editor(f, "#!/bin/sh\nprintf 'a\\0b' >\"$1\"\n");
	assert_int_equal(editor_text(&f->ctx, "", 100, &text), EXIT_USAGE);
	editor(f, "#!/bin/sh\nrm \"$1\"\n");
	assert_int_equal(editor_text(&f->ctx, "", 100, &text), EXIT_USAGE);
	assert_int_equal(left_behind(), 0);
}

/* What an editor of that name, behind a link `link`, is called with. */
static const char *
called_with(struct fixture *f, const char *name, const char *link)
{
	static const char script[] =
	    "#!/bin/sh\nprintf '%s' \"$*\" >\"$0.args\"\n";
	const char *path = fixture_file(f, name, script, strlen(script));
	const char *by = cdop_arena_printf(f->ctx.arena, "%s/%s", f->dir, link);
	const char *text = NULL;
	struct cdop_bytes args;

	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(symlink(name, by), 0);
	(void)setenv("EDITOR", link, 1);
	assert_int_equal(editor_text(&f->ctx, "x", 1000, &text), EXIT_OK);
	assert_int_equal(unlink(by), 0);
	assert_int_equal(
	    file_read(cdop_arena_printf(f->ctx.arena, "%s.args", by), 4096,
		f->ctx.arena, &args),
	    CDOP_OK);
	return (const char *)args.data;
}

/* Debian's `editor` and `vi` are links: what counts is where they lead. */
static void
what_a_name_leads_to_is_told_to_keep_nothing(void **state)
{
	struct fixture *f = *state;
	const char *path = getenv("PATH"), *args;

	if (!has_memory())
		skip();
	path = cdop_arena_strdup(f->ctx.arena, path != NULL ? path : "");
	(void)setenv("PATH",
	    cdop_arena_printf(f->ctx.arena, "%s:/usr/bin:/bin", f->dir), 1);
	(void)unsetenv("VISUAL");
	args = called_with(f, "vim.basic", "editor");
	assert_non_null(strstr(args, "-n -i NONE"));
	assert_non_null(strstr(args, "-c silent! set viminfo= /"));
	assert_non_null(
	    strstr(called_with(f, "nano", "edit"), "--ignorercfiles"));
	/* These know no such options, or it is not known what they keep. */
	assert_int_equal(
	    strncmp(called_with(f, "nvi", "vi"), "/dev/shm", 8), 0);
	assert_int_equal(
	    strncmp(called_with(f, "vis", "ed"), "/dev/shm", 8), 0);
	(void)setenv("PATH", path, 1);
}

/* What keeps it then is the shell's affair, which has ways of its own. */
static void
a_word_that_leads_nowhere_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const char *path = getenv("PATH"), *text = NULL;

	if (!has_memory())
		skip();
	path = cdop_arena_strdup(f->ctx.arena, path != NULL ? path : "");
	(void)unsetenv("VISUAL");
	(void)setenv("EDITOR", "no-such-editor", 1);
	(void)setenv("PATH", "/nonexistent::", 1);
	assert_int_equal(
	    editor_text(&f->ctx, "before", 100, &text), EXIT_STOPPED);
	(void)unsetenv("PATH");
	assert_int_equal(
	    editor_text(&f->ctx, "before", 100, &text), EXIT_STOPPED);
	assert_null(text);
	assert_int_equal(left_behind(), 0);
	(void)setenv("PATH", path, 1);
}

static void
sweep_until_gone(struct fixture *f)
{
	int i;

	for (i = 0; i < 200 && left_behind() > 0; i++) {
		editor_remove_left(&f->ctx);
		(void)usleep(50000);
	}
}

/* kill -9 of cdop: the text is its editor's, and then nobody's. */
static void
what_was_left_behind_is_removed_by_the_next(void **state)
{
	struct fixture *f = *state;
	const char *text = NULL;
	char script[256];
	int status;
	pid_t pid;

	if (!has_memory())
		skip();
	(void)snprintf(script, sizeof(script),
	    "#!/bin/sh\nkill -9 \"$PPID\"\n"
	    "while [ ! -e %s/go ]; do sleep 0.05; done\n",
	    f->dir);
	editor(f, script);
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit((int)editor_text(&f->ctx, "before", 100, &text));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	editor_remove_left(&f->ctx);
	assert_int_equal(left_behind(), 1);
	(void)fixture_file(f, "go", "", 0);
	sweep_until_gone(f);
	assert_int_equal(left_behind(), 0);
}

/* A folder that cdop left behind, and in it a pipe of the editor's. */
static void
leave(struct fixture *f, unsigned n)
{
	const char *path =
	    cdop_arena_printf(f->ctx.arena, "%s/cdop-text.%u", memory, n);

	assert_int_equal(mkdir(path, 0700), 0);
	path = cdop_arena_printf(f->ctx.arena, "%s/pipe", path);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void
nobody_waits_for_what_was_left(void **state)
{
	struct fixture *f = *state;

	if (!has_memory())
		skip();
	leave(f, 1);
	(void)alarm(30); /* not for a reader of the pipe */
	editor_remove_left(&f->ctx);
	(void)alarm(0);
	assert_int_equal(left_behind(), 0);
}

/* Whoever shares the place cannot use up the memory of others' commands. */
static void
what_lies_there_takes_no_memory(void **state)
{
	struct fixture *f = *state;
	size_t used;
	unsigned i;

	if (!has_memory())
		skip();
	for (i = 0; i < 50; i++)
		leave(f, i);
	used = cdop_arena_used(f->ctx.arena);
	editor_remove_left(&f->ctx);
	assert_int_equal(cdop_arena_used(f->ctx.arena), used);
	assert_int_equal(left_behind(), 0);
}

/* Another cdop of the same user runs while a person writes. */
static void
a_text_that_is_being_edited_stays(void **state)
{
	struct fixture *f = *state;
	char script[256];
	const char *text = NULL;
	pid_t pid;
	int i, status;

	if (!has_memory())
		skip();
	(void)snprintf(script, sizeof(script),
	    "#!/bin/sh\necho after >\"$1\"\n: >%s/begun\n"
	    "while [ ! -e %s/go ]; do sleep 0.05; done\n",
	    f->dir, f->dir);
	editor(f, script);
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit(editor_text(&f->ctx, "before", 100, &text) != EXIT_OK ||
		    strcmp(text, "after") != 0);
	for (i = 0; i < 200 &&
	     !file_exists(cdop_arena_printf(f->ctx.arena, "%s/begun", f->dir));
	     i++)
		(void)usleep(50000);
	editor_remove_left(&f->ctx);
	(void)fixture_file(f, "go", "", 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
without_an_editor_it_says_so(void **state)
{
	struct fixture *f = *state;
	const char *text = NULL;

	(void)unsetenv("VISUAL");
	(void)unsetenv("EDITOR");
	assert_int_equal(editor_text(&f->ctx, "", 100, &text), EXIT_USAGE);
	assert_string_equal(f->ctx.error.next, "set EDITOR");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(what_is_saved_is_the_text),
	    WITH(an_editor_that_fails_changes_nothing),
	    WITH(what_an_editor_saves_beside_it_is_gone_too),
	    WITH(an_editor_that_is_named_from_here_is_run_there_too),
	    WITH(words_behind_an_editor_are_hinted_at),
	    WITH(too_much_text_is_refused_whole),
	    WITH(what_a_name_leads_to_is_told_to_keep_nothing),
	    WITH(a_word_that_leads_nowhere_changes_nothing),
	    WITH(what_was_left_behind_is_removed_by_the_next),
	    WITH(nobody_waits_for_what_was_left),
	    WITH(what_lies_there_takes_no_memory),
	    WITH(a_text_that_is_being_edited_stays),
	    WITH(without_an_editor_it_says_so),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
