/* Notes that contradict each other, kept for ever. */
#include <string.h>

#include "cdop/secret.h"
#include "client/file.h"
#include "client/print.h"
#include "client/session.h"
#include "client/witness.h"

#define PAIRS_MAX 100 /* more of them prove nothing more */
#define NAME_LEN  8

static const char *
folder(struct cmd_ctx *ctx)
{
	return cdop_arena_printf(
	    ctx->arena, "%s/log", ctx->session->context.state);
}

struct cdop_bytes
witness_mine(struct cmd_ctx *ctx, const struct witness *w)
{
	char root[CDOP_BASE64_LEN(CDOP_MERKLE_HASH) + 1];
	struct cdop_bytes text = w->note;
	const char *words;

	if (text.len > 0)
		return text;
	cdop_secret_base64(
	    (struct cdop_bytes){w->seen.root, CDOP_MERKLE_HASH}, root);
	words = w->has_seen
	    ? cdop_arena_printf(ctx->arena, "%s\n%llu\n%s\n(not signed)\n",
		  w->seen.origin, (unsigned long long)w->seen.size, root)
	    : "(none was seen)\n";
	text.data = (const uint8_t *)words;
	text.len = words != NULL ? strlen(words) : 0;
	return text;
}

enum exit_code
witness_kept(struct cmd_ctx *ctx, const char *suffix, const char ***ret_names,
    size_t *ret_n)
{
	const char *dir = folder(ctx);

	if (dir == NULL ||
	    file_list(dir, suffix, ctx->arena, ret_names, ret_n) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the folder of kept notes cannot be read");
	return EXIT_OK;
}

static bool
put(struct cmd_ctx *ctx, const char *path, const char *suffix,
    struct cdop_bytes text)
{
	const char *name = cdop_arena_printf(ctx->arena, "%s.%s", path, suffix);
	enum cdop_err err;

	if (name == NULL)
		return false;
	err = file_create(name, &text, 1);
	return err == CDOP_OK || err == CDOP_ALREADY_EXISTS;
}

const char *
witness_keep(struct cmd_ctx *ctx, const char *what, struct cdop_bytes mine,
    struct cdop_bytes theirs)
{
	bool fork = strcmp(what, "fork") == 0;
	const char *dir = folder(ctx), *path, **names;
	struct cdop_bytes id;
	uint8_t hash[NAME_LEN];
	size_t n = 0;

	cdop_secret_hash(hash, sizeof(hash), NULL, "", &theirs, 1);
	id.data = hash;
	id.len = sizeof(hash);
	path = cdop_arena_printf(
	    ctx->arena, "%s/%s-%s", dir, what, print_hex(ctx->arena, id));
	if (dir == NULL || path == NULL || file_make_dir(dir) != CDOP_OK ||
	    witness_kept(ctx, ".mine", &names, &n) != EXIT_OK || n >= PAIRS_MAX)
		return n >= PAIRS_MAX ? dir : NULL;
	return put(ctx, path, "mine", mine) &&
		put(ctx, path, fork ? "theirs" : "statement", theirs)
	    ? path
	    : NULL;
}
