/* A log that is exported, as files. */
#include <stdio.h>
#include <string.h>

#include "cdop/leaf.h"
#include "cdop/tile.h"
#include "client/export.h"
#include "client/file.h"

static enum exit_code
nonsense(struct cmd_ctx *ctx)
{
	return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
	    "the folder has no checkpoint and is worth nothing: remove it",
	    "what the registry sent is no export");
}

/* A file below the folder, with the folder that it lies in. */
static enum exit_code
put(struct cmd_ctx *ctx, const struct export_sink *sink, const char *path,
    struct cdop_bytes text)
{
	const char *whole =
	    cdop_arena_printf(ctx->arena, "%s/%s", sink->folder, path);
	char *dir = whole != NULL ? cdop_arena_strdup(ctx->arena, whole) : NULL;

	if (dir == NULL)
		return cmd_no_memory(ctx);
	*strrchr(dir, '/') = '\0';
	if (file_make_dir(dir) != CDOP_OK ||
	    file_put(whole, &text, 1) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
		    "is the disk full?  The folder is not whole: remove it",
		    "%s cannot be written", whole);
	return EXIT_OK;
}

static struct cdop_bytes
bytes_of(const ProtobufCBinaryData *data)
{
	return (struct cdop_bytes){data->data, data->len};
}

static enum exit_code
put_tile(struct cmd_ctx *ctx, const struct export_sink *sink,
    const Cdop__AuditTile *tile)
{
	const size_t n = tile->hashes.len / CDOP_MERKLE_HASH;
	char path[CDOP_TILE_PATH_MAX];

	if (tile->level >= CDOP_TILE_LEVELS || n == 0 || n > CDOP_TILE_WIDTH ||
	    tile->hashes.len % CDOP_MERKLE_HASH != 0 ||
	    tile->number > CDOP_MERKLE_SIZE_MAX / CDOP_TILE_WIDTH)
		return nonsense(ctx);
	cdop_tile_path(tile->level, tile->number, (unsigned)n, path);
	return put(ctx, sink, path, bytes_of(&tile->hashes));
}

static enum exit_code
put_bundle(struct cmd_ctx *ctx, const struct export_sink *sink,
    const Cdop__AuditBundle *bundle)
{
	const size_t each = CDOP_TILE_ENTRY_HEAD + CDOP_LEAF_LEN;
	const size_t n = bundle->entries.len / each;
	char path[CDOP_TILE_PATH_MAX];

	if (n == 0 || n > CDOP_TILE_WIDTH || bundle->entries.len % each != 0 ||
	    bundle->number > CDOP_MERKLE_SIZE_MAX / CDOP_TILE_WIDTH)
		return nonsense(ctx);
	cdop_tile_entries_path(bundle->number, (unsigned)n, path);
	return put(ctx, sink, path, bytes_of(&bundle->entries));
}

static enum exit_code
put_statement(struct cmd_ctx *ctx, struct export_sink *sink,
    const ProtobufCBinaryData *statement)
{
	char path[32];

	if (sink->statements == CDOP_STATEMENTS_MAX)
		return nonsense(ctx);
	(void)snprintf(path, sizeof(path), "statement/%zu", ++sink->statements);
	return put(ctx, sink, path, bytes_of(statement));
}

enum exit_code
export_begin(struct cmd_ctx *ctx, const char *folder, struct export_sink *sink)
{
	memset(sink, 0, sizeof(*sink));
	sink->folder = folder;
	if (file_exists(folder))
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "say the name of a new folder", "%s is there already",
		    folder);
	if (file_make_dir(folder) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "the folder %s cannot be made", folder);
	return EXIT_OK;
}

enum exit_code
export_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditExportReply *reply =
	    (const Cdop__AuditExportReply *)part;
	struct export_sink *sink = arg;
	enum exit_code code = EXIT_OK;
	size_t i;

	if ((sink->used == 0) != reply->has_checkpoint)
		return nonsense(ctx);
	for (i = 0; i < reply->n_statement && code == EXIT_OK; i++)
		code = put_statement(ctx, sink, &reply->statement[i]);
	for (i = 0; i < reply->n_bundle && code == EXIT_OK; i++)
		code = put_bundle(ctx, sink, reply->bundle[i]);
	for (i = 0; i < reply->n_tile && code == EXIT_OK; i++)
		code = put_tile(ctx, sink, reply->tile[i]);
	if (sink->used != 0) {
		cdop_arena_rewind(ctx->arena, sink->used);
		return code;
	}
	sink->checkpoint = bytes_of(&reply->checkpoint);
	sink->used = cdop_arena_used(ctx->arena);
	return code;
}

enum exit_code
export_end(struct cmd_ctx *ctx, struct export_sink *sink)
{
	if (sink->used == 0)
		return nonsense(ctx);
	return put(ctx, sink, "checkpoint", sink->checkpoint);
}
