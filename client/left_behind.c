/* Names of files and their times: no key is needed for them. */
#include "client/left_behind.h"

#include "client/file.h"
#include "client/print.h"

/* What is in a folder of another context: without its keys, when. */
static size_t
tell_kept(struct cmd_ctx *ctx, const struct context *old, const char *folder,
    const char *suffix, const char *what)
{
	const char *dir, **name;
	size_t n, i;

	dir = cdop_arena_printf(ctx->arena, "%s/%s", old->state, folder);
	if (dir == NULL ||
	    file_list(dir, suffix, ctx->arena, &name, &n) != CDOP_OK)
		return 0;
	for (i = 0; i < n; i++)
		print_note(ctx, "  %s of %s, kept under the key of '%s'", what,
		    print_time(ctx->arena,
			(uint64_t)file_time(cdop_arena_printf(
			    ctx->arena, "%s/%s", dir, name[i])) *
			    1000),
		    old->name);
	return n;
}

size_t
left_behind_tell(struct cmd_ctx *ctx, const struct context *context)
{
	return tell_kept(ctx, context, "requests", ".request",
		   "an entry that is not acknowledged") +
	    tell_kept(ctx, context, "drafts", ".draft", "a draft");
}
