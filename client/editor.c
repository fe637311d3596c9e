/* An editor on a file in memory. */
#include "client/editor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/file.h"
#include "client/print.h"

#define FOLDER "cdop-text."
#define NAME   "text.txt"
#define PLACES 2

/* A vimrc that names a file for it takes -i back; some know no such option. */
#define VIM                                                                    \
	" -n -i NONE -c 'set nobackup nowritebackup noundofile'"               \
	" -c 'silent! set viminfo='"

/*
 * Editors that keep copies and histories elsewhere, and how they do not; as
 * their program is called, whatever name leads there.
 */
static const struct {
	const char *name;
	const char *options;
} known[] = {
    {"vim", VIM},
    {"vim.tiny", VIM},
    {"vim.basic", VIM},
    {"vim.nox", VIM},
    {"vim.gtk3", VIM},
    {"nvim", VIM},
    {"nano", " --ignorercfiles"},
    {"ed", ""},
};

static const char *
chosen(void)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};
	const char *value;
	size_t i;

	for (i = 0; i < 2; i++) {
		value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return value;
	}
	return NULL;
}

/* The program that a word leads to, without its folder; NULL: none. */
static const char *
program(struct cmd_ctx *ctx, const char *word)
{
	const char *path = strchr(word, '/') != NULL ? "" : getenv("PATH");
	const char *file = word, *name = NULL;
	char *real = NULL;
	size_t len;

	for (; path != NULL && real == NULL; path += len + 1) {
		len = strcspn(path, ":");
		if (len > 0)
			file = cdop_arena_printf(
			    ctx->arena, "%.*s/%s", (int)len, path, word);
		if (file != NULL && access(file, X_OK) == 0)
			real = realpath(file, NULL);
		if (path[len] == '\0')
			break;
	}
	if (real != NULL)
		name = cdop_arena_strdup(ctx->arena, strrchr(real, '/') + 1);
	free(real);
	return name;
}

/*
 * The command with what it needs to keep nothing of its own.  It is run where
 * the text is: what an editor saves when its terminal goes away (ed.hup) lies
 * in its folder.  One whose name begins here is looked for here.
 */
static const char *
command(struct cmd_ctx *ctx, const char *editor)
{
	size_t len = strcspn(editor, " "), i;
	const char *word = cdop_arena_strndup(ctx->arena, editor, len);
	const char *name = word != NULL ? program(ctx, word) : NULL;
	/* The shell makes a whole path of what these begin. */
	const bool from_here = memchr(editor, '/', len) != NULL &&
	    strchr("/~$\"'", editor[0]) == NULL;
	const char *go = from_here ? "cd \"${1%/*}\" && exec \"$OLDPWD\"/"
				   : "cd \"${1%/*}\" && exec ";

	for (i = 0; name != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i].name) == 0)
			return cdop_arena_printf(ctx->arena, "%s%s%s \"$1\"",
			    go, editor, known[i].options);
	print_note(ctx,
	    "the text is in memory only; what %.*s keeps of it by itself "
	    "(history, backups) is not known here",
	    (int)len, editor);
	return cdop_arena_printf(ctx->arena, "%s%s \"$1\"", go, editor);
}

/* ---- the file ---------------------------------------------------- */

static bool
is_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	    (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* One of the two that folders are made in; NULL: it is not in memory. */
static const char *
place(size_t i)
{
	const char *path = i == 0 ? getenv("XDG_RUNTIME_DIR") : "/dev/shm";

	return path != NULL && path[0] == '/' && is_memory(path) ? path : NULL;
}

/*
 * Held by cdop, and by the editor that has it from cdop: what nobody holds
 * was left behind by a cdop that was killed.  -1: not held, or gone.
 */
static int
hold(int at, const char *path)
{
	int fd =
	    openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
	    st.st_nlink > 0 && st.st_uid == geteuid())
		return fd;
	(void)close(fd);
	return -1;
}

/* A new folder in memory, held; NULL: there is none. */
static char *
make_folder(struct cmd_ctx *ctx, int *ret_held)
{
	char *path;
	size_t i;

	for (i = 0; i < PLACES; i++) {
		if (place(i) == NULL)
			continue;
		path = cdop_arena_printf(
		    ctx->arena, "%s/" FOLDER "XXXXXX", place(i));
		if (path == NULL || mkdtemp(path) == NULL)
			continue;
		if ((*ret_held = hold(AT_FDCWD, path)) >= 0)
			return path;
		(void)rmdir(path);
	}
	return NULL;
}

/* Zeros over what is there; then the file goes. */
static void
wipe_file(int dir, const char *name)
{
	static const char zeros[4096];
	struct stat st;
	off_t left;
	/* A pipe that an editor left has nobody who reads it. */
	int fd =
	    openat(dir, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		for (left = st.st_size; left > 0; left -= (off_t)sizeof(zeros))
			if (write(fd, zeros, sizeof(zeros)) < 0)
				break;
	if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(dir, name, 0);
}

/* Whatever the editor left there, too; of the folder that is held. */
static void
remove_folder(struct cmd_ctx *ctx, int held, int at, const char *path)
{
	int fd = openat(held, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			wipe_file(fd, d->d_name);
	if (dir != NULL)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	if (unlinkat(at, path, AT_REMOVEDIR) != 0)
		print_note(ctx, "%s could not be removed: remove it", path);
	(void)close(held);
}

/* Anybody may put folders of that name there: they take no memory of ours. */
void
editor_remove_left(struct cmd_ctx *ctx)
{
	struct dirent *d;
	DIR *dir;
	size_t i;
	int held;

	for (i = 0; i < PLACES; i++) {
		if (place(i) == NULL || (dir = opendir(place(i))) == NULL)
			continue;
		while ((d = readdir(dir)) != NULL)
			if (strncmp(d->d_name, FOLDER, strlen(FOLDER)) == 0 &&
			    (held = hold(dirfd(dir), d->d_name)) >= 0)
				remove_folder(ctx, held, dirfd(dir), d->d_name);
		(void)closedir(dir);
	}
}

/* ---- the editor -------------------------------------------------- */

/* Ctrl-C is the editor's while it runs. */
static void
ignore_stop(struct sigaction old[static 2], bool ignore)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(
	    SIGINT, ignore ? &sa : &old[0], ignore ? &old[0] : NULL);
	(void)sigaction(
	    SIGQUIT, ignore ? &sa : &old[1], ignore ? &old[1] : NULL);
}

static bool
run(const char *command_line, const char *path, int held)
{
	struct sigaction old[2], usual;
	int status = -1;
	pid_t pid;

	ignore_stop(old, true);
	pid = fork();
	if (pid == 0) {
		memset(&usual, 0, sizeof(usual));
		usual.sa_handler = SIG_DFL;
		(void)sigaction(SIGINT, &usual, NULL);
		(void)sigaction(SIGQUIT, &usual, NULL);
		(void)sigaction(SIGPIPE, &usual, NULL);
		(void)umask(077);
		(void)fcntl(held, F_SETFD, 0);
		(void)execl("/bin/sh", "sh", "-c", command_line, "sh", path,
		    (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	ignore_stop(old, false);
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Lines end as ours do; none stands behind the last one. */
static const char *
tidy(char *text)
{
	char *from, *to = text;

	for (from = text; *from != '\0'; from++)
		if (from[0] != '\r' || from[1] != '\n')
			*to++ = *from;
	while (to > text && to[-1] == '\n')
		to--;
	*to = '\0';
	return text;
}

static enum exit_code
take(struct cmd_ctx *ctx, const char *path, size_t max, const char **ret_text)
{
	struct cdop_bytes text;
	enum cdop_err err = file_read(path, max, ctx->arena, &text);
	char *copy;

	if (err == CDOP_RESOURCE_EXHAUSTED)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "the text is longer than the %zu bytes that fit", max);
	if (err != CDOP_OK || memchr(text.data, '\0', text.len) != NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "what the editor left is no text");
	copy =
	    cdop_arena_strndup(ctx->arena, (const char *)text.data, text.len);
	if (copy == NULL)
		return cmd_no_memory(ctx);
	*ret_text = tidy(copy);
	return EXIT_OK;
}

enum exit_code
editor_text(
    struct cmd_ctx *ctx, const char *before, size_t max, const char **ret_text)
{
	const char *editor = chosen(), *line, *path;
	struct cdop_bytes text = {(const uint8_t *)before, strlen(before)};
	enum exit_code code = EXIT_OK;
	char *folder;
	int held;

	if (editor == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "set EDITOR",
		    "no editor is named: VISUAL and EDITOR are empty");
	if ((folder = make_folder(ctx, &held)) == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "type the text here, or give it with --from FILE",
		    "there is no folder in memory to edit in");
	path = cdop_arena_printf(ctx->arena, "%s/%s", folder, NAME);
	line = command(ctx, editor);
	if (path == NULL || line == NULL ||
	    file_create(path, &text, 1) != CDOP_OK)
		code = cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the text cannot be put into %s", folder);
	else if (!run(line, path, held))
		code = cmd_fail(ctx, EXIT_STOPPED, NULL,
		    strchr(editor, ' ') == NULL
			? NULL
			: "it runs in the folder of the text: give files "
			  "behind its name with their whole paths",
		    "the editor ended with an error: nothing was taken");
	else
		code = take(ctx, path, max, ret_text);
	remove_folder(ctx, held, AT_FDCWD, folder);
	return code;
}
