/* Notices that were shown. */
#include "client/notices.h"

#include <string.h>

#include "client.pb-c.h"
#include "client/file.h"
#include "client/print.h"
#include "client/sealed.h"
#include "client/session.h"

#define HASH_LEN 32

static const struct sealed_kind kind = {"cdop-notices/1\n\0",
    "cdop-spool/1 notices", &cdop__client_notices__descriptor};

static bool
was_shown(const Cdop__ClientNotices *kept, const uint8_t *hash)
{
	size_t i;

	for (i = 0; kept != NULL && i < kept->n_shown; i++)
		if (kept->shown[i].len == HASH_LEN &&
		    memcmp(kept->shown[i].data, hash, HASH_LEN) == 0)
			return true;
	return false;
}

/* What is remembered is what the registry still says: it does not grow. */
static void
show_new(struct cmd_ctx *ctx, const Cdop__ClientNotices *kept, bool here,
    Cdop__ClientNotices *next)
{
	const Cdop__Welcome *w = ctx->session->welcome;
	struct cdop_bytes text;
	uint8_t *hash;
	size_t i;

	for (i = 0; i < w->n_notice; i++) {
		hash = cdop_arena_alloc(ctx->arena, HASH_LEN);
		if (hash == NULL)
			return;
		text.data = (const uint8_t *)w->notice[i];
		text.len = strlen(w->notice[i]);
		cdop_secret_hash(hash, HASH_LEN, NULL, "", &text, 1);
		if (!here && !was_shown(kept, hash))
			print_note(ctx, "NOTICE  %s", w->notice[i]);
		next->shown[next->n_shown].data = hash;
		next->shown[next->n_shown++].len = HASH_LEN;
	}
}

void
notices_show(struct cmd_ctx *ctx, bool here)
{
	const Cdop__Welcome *w = ctx->session->welcome;
	ProtobufCMessage *message = NULL;
	Cdop__ClientNotices next;
	const char *path;

	if (ctx->g.json || w->n_notice == 0)
		return;
	cdop__client_notices__init(&next);
	next.shown =
	    cdop_arena_calloc(ctx->arena, w->n_notice, sizeof(*next.shown));
	path = cdop_arena_printf(
	    ctx->arena, "%s/notices", ctx->session->context.state);
	if (next.shown == NULL || path == NULL)
		return;
	if (sealed_read(ctx, &kind, path, &message) != CDOP_OK)
		message = NULL; /* none was: shown again */
	show_new(ctx, (const Cdop__ClientNotices *)message, here, &next);
	if (file_make_dir(ctx->session->context.state) != CDOP_OK ||
	    sealed_write(ctx, &kind, path, &next.base) != CDOP_OK)
		print_note(ctx,
		    "that it was shown cannot be remembered on this computer");
}
