/* The pager and the pipe to it. */
#include "client/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/print.h"

#define USUAL "less"

static struct {
	pid_t pid; /* 0: none runs */
	int out;   /* stdout as it was */
} pager;

static bool
is_in_path(struct cmd_ctx *ctx, const char *name)
{
	const char *path = getenv("PATH"), *file;
	size_t len;

	while (path != NULL && *path != '\0') {
		len = strcspn(path, ":");
		file = cdop_arena_printf(
		    ctx->arena, "%.*s/%s", (int)len, path, name);
		if (file != NULL && access(file, X_OK) == 0)
			return true;
		path += path[len] == ':' ? len + 1 : len;
	}
	return false;
}

/* NULL: none is wanted, or there is none. */
static const char *
chosen(struct cmd_ctx *ctx)
{
	const char *command = getenv("PAGER");

	if (command == NULL)
		return is_in_path(ctx, USUAL) ? USUAL : NULL;
	return command[0] == '\0' || strcmp(command, "cat") == 0 ? NULL
								 : command;
}

/* An editor in its place, "vim -R -", puts what it shows into files. */
static void
tell_unknown(struct cmd_ctx *ctx, const char *command)
{
	static const char *const known[] = {"less", "more", "most", "pager"};
	size_t len = strcspn(command, " "), i;
	const char *name = cdop_arena_strndup(ctx->arena, command, len);
	const char *slash = name != NULL ? strrchr(name, '/') : NULL;

	name = slash != NULL ? slash + 1 : name;
	for (i = 0; name != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i]) == 0)
			return;
	print_note(ctx,
	    "what %.*s keeps of this by itself (copies, history) is not known "
	    "here: --no-pager",
	    (int)len, command);
}

static bool
is_wanted(const struct cmd_ctx *ctx)
{
	const char *term = getenv("TERM");

	return !ctx->g.json && !ctx->g.no_pager && pager.pid == 0 &&
	    cmd_value(ctx, "--out") == NULL && term != NULL &&
	    strcmp(term, "dumb") != 0 && isatty(STDIN_FILENO) == 1 &&
	    isatty(STDOUT_FILENO) == 1;
}

/* It never returns. */
static void
run(const char *command, int in)
{
	struct sigaction usual;

	memset(&usual, 0, sizeof(usual));
	usual.sa_handler = SIG_DFL;
	(void)sigaction(SIGINT, &usual, NULL);
	(void)sigaction(SIGHUP, &usual, NULL);
	(void)sigaction(SIGTERM, &usual, NULL);
	(void)sigaction(SIGPIPE, &usual, NULL);
	/* Quits when it fits on a page; leaves colour and the screen be. */
	(void)setenv("LESS", "FRX", 0);
	(void)setenv("LESSHISTFILE", "-", 1);
	(void)setenv("LESSCHARSET", "utf-8", 0); /* ours, in any locale */
	(void)setenv("LESSSECURE", "1", 1);
	if (dup2(in, STDIN_FILENO) >= 0)
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void
pager_start(struct cmd_ctx *ctx)
{
	const char *command;
	int pipes[2];

	if (!is_wanted(ctx) || (command = chosen(ctx)) == NULL ||
	    fflush(stdout) != 0 || pipe2(pipes, O_CLOEXEC) != 0)
		return;
	pager.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	pager.pid = pager.out < 0 ? -1 : fork();
	if (pager.pid == 0)
		run(command, pipes[0]);
	(void)close(pipes[0]);
	if (pager.pid > 0)
		(void)dup2(pipes[1], STDOUT_FILENO);
	else
		pager.pid = 0;
	(void)close(pipes[1]);
	/* Help is nobody's secret. */
	if (pager.pid > 0 && ctx->session != NULL)
		tell_unknown(ctx, command);
}

bool
pager_is_on(void)
{
	return pager.pid > 0;
}

bool
pager_is_left(void)
{
	return ferror(stdout) != 0 || (pager.pid > 0 && fflush(stdout) != 0);
}

void
pager_stop(void)
{
	if (pager.pid == 0)
		return;
	(void)fflush(stdout);
	clearerr(stdout); /* to leave before the end is no failure */
	(void)dup2(pager.out, STDOUT_FILENO);
	(void)close(pager.out);
	while (waitpid(pager.pid, NULL, 0) < 0 && errno == EINTR)
		;
	pager.pid = 0;
}
