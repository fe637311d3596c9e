/* One process at a time over the files of a device. */
#include <string.h>

#include "client/file.h"
#include "client/session.h"

#define WHAT "is at work with the keys of this device"

/* Another process may have written it since: keys of before open no door. */
static enum exit_code
refresh(struct cmd_ctx *ctx)
{
	struct identity *id = &ctx->session->identity, fresh;
	enum cdop_err err;

	if (id->secret == NULL || id->path == NULL || !file_exists(id->path))
		return EXIT_OK; /* it is being made, or still locked */
	err = identity_load(id->path, ctx->arena, &fresh);
	if (err == CDOP_OK &&
	    memcmp(fresh.nonce, id->nonce, sizeof(fresh.nonce)) == 0)
		return EXIT_OK;
	if (err == CDOP_OK)
		err = memcmp(fresh.salt, id->salt, sizeof(fresh.salt)) == 0
		    ? identity_unlock_key(&fresh, id->key, ctx->arena)
		    : CDOP_UNAUTHENTICATED;
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_AUTH, NULL, "run it again",
		    "the identity file was changed by another process (%s)",
		    cdop_err_name(err));
	identity_wipe(id);
	*id = fresh;
	return EXIT_OK;
}

enum exit_code
session_hold(struct cmd_ctx *ctx)
{
	struct session *s = ctx->session;
	enum exit_code code;
	const char *path;

	if (s->holds > 0) {
		s->holds++;
		return EXIT_OK;
	}
	path = cdop_arena_printf(ctx->arena, "%s/lock", s->context.dir);
	if (path == NULL || file_make_dir(s->context.dir) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the folder of the context cannot be written");
	if ((code = lock_take(ctx, path, WHAT, LOCK_WAIT_MS, &s->lock)) !=
	    EXIT_OK)
		return code;
	s->holds = 1;
	if ((code = refresh(ctx)) != EXIT_OK)
		session_release(ctx);
	return code;
}

void
session_release(struct cmd_ctx *ctx)
{
	struct session *s = ctx->session;

	if (--s->holds == 0)
		lock_drop(&s->lock, false);
}
