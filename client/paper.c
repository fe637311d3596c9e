/* Cases that leave the screen. */
#include "client/paper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/print.h"
#include "client/session.h"

static const char *made; /* where stdout goes to */

static bool
is_paper(const struct cmd_ctx *ctx)
{
	return cmd_flag(ctx, "--print") || cmd_value(ctx, "--out") != NULL;
}

enum exit_code
paper_begin(struct cmd_ctx *ctx)
{
	const char *out = cmd_value(ctx, "--out");
	int fd;

	if (ctx->g.use == NULL && is_paper(ctx))
		ctx->g.use = cmd_flag(ctx, "--print") ? "print" : "file";
	if (out == NULL)
		return EXIT_OK;
	fd = open(
	    out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    errno == EEXIST ? "say the name of a new file"
				    : "say a file that you may write",
		    "%s cannot be made: %s", out, strerror(errno));
	if (!print_flush() || dup2(fd, STDOUT_FILENO) < 0) {
		(void)close(fd);
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the result cannot go to %s", out);
	}
	(void)close(fd);
	made = out;
	return EXIT_OK;
}

void
paper_finish(struct cmd_ctx *ctx, enum exit_code code)
{
	struct stat st;

	if (made == NULL || code == EXIT_OK)
		return;
	if (!print_flush() || fstat(STDOUT_FILENO, &st) != 0 || st.st_size > 0)
		print_note(
		    ctx, "%s: what there is in it is not all of it", made);
	else
		(void)unlink(made);
}

void
paper_head(struct cmd_ctx *ctx)
{
	const Cdop__ClientIdentity *me = ctx->session->identity.open;

	if (!is_paper(ctx) || ctx->g.json)
		return;
	print_out(ctx,
	    "%s  Taken by %s (person %u) on %s.  Keep it locked "
	    "away; destroy it when it is done with.\n",
	    session_is_training(ctx) ? "TRAINING" : "CONFIDENTIAL",
	    me->name != NULL ? me->name : "?", me->person,
	    print_time(ctx->arena, (uint64_t)time(NULL) * 1000));
}
