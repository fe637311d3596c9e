/*
 * The log for an auditor who checks it elsewhere: what the checkpoint of the
 * first message covers, and no leaf more, however long the stream takes.
 */
#include <inttypes.h>
#include <string.h>

#include "cdop/tile.h"
#include "server/registry/audit_export.h"
#include "server/registry/checkpoints.h"
#include "server/registry/statements.h"
#include "server/registry/tree.h"
#include "server/rpc/ctx.h"

/* Tiles of level 0 in a message: it keeps others waiting while it is made. */
#define TILES_PER_MESSAGE 4
/*
 * And under one leaf, of which a stream has one a second at most: else an
 * export of a long log would write a good part of the next one (TRUST S6).
 */
#define TILES_PER_LEAF 256
/* With those above that they complete, or end. */
#define TILES_MAX (TILES_PER_MESSAGE + CDOP_TILE_LEVELS)

static uint8_t *
copy_bytes(struct rpc_ctx *ctx, struct cdop_bytes from)
{
	uint8_t *copy = cdop_arena_alloc(ctx->arena, from.len);

	if (copy != NULL)
		memcpy(copy, from.data, from.len);
	return copy;
}

/* What all of it is of.  The leaf of this call is not in it. */
static enum cdop_err
begin(struct rpc_ctx *ctx, Cdop__AuditExportReply *rep, uint64_t *ret_size)
{
	const struct statements *all = ctx->reg->statements;
	struct cdop_bytes note = checkpoints_note(ctx->reg->checkpoints);
	size_t i, n = all == NULL ? 0 : all->n;

	rep->has_checkpoint = true;
	rep->checkpoint.len = note.len;
	rep->checkpoint.data = copy_bytes(ctx, note);
	rep->statement =
	    cdop_arena_calloc(ctx->arena, n, sizeof(*rep->statement));
	if (rep->checkpoint.data == NULL || rep->statement == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++) {
		rep->statement[i].len = all->note[i].len;
		rep->statement[i].data = copy_bytes(ctx, all->note[i]);
		if (rep->statement[i].data == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	rep->n_statement = n;
	*ret_size = checkpoints_size(ctx->reg->checkpoints);
	return CDOP_OK;
}

static enum cdop_err
add_tile(struct rpc_ctx *ctx, Cdop__AuditExportReply *rep, unsigned level,
    uint64_t number, unsigned width)
{
	Cdop__AuditTile *tile;
	unsigned i;
	enum cdop_err err;

	tile = cdop_arena_alloc(ctx->arena, sizeof(*tile));
	if (tile == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__audit_tile__init(tile);
	tile->level = level;
	tile->number = number;
	tile->hashes.len = (size_t)width * CDOP_MERKLE_HASH;
	tile->hashes.data = cdop_arena_alloc(ctx->arena, tile->hashes.len);
	if (tile->hashes.data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < width; i++) {
		err = tree_fetch(ctx->reg->tree, level * CDOP_TILE_HEIGHT,
		    number * CDOP_TILE_WIDTH + i,
		    tile->hashes.data + (size_t)i * CDOP_MERKLE_HASH);
		if (err != CDOP_OK)
			return err;
	}
	rep->tile[rep->n_tile++] = tile;
	return CDOP_OK;
}

/*
 * A tile of level 0, and those above it that have no further one below them:
 * they are full, or this is the last.
 */
static enum cdop_err
add_tiles(struct rpc_ctx *ctx, Cdop__AuditExportReply *rep, uint64_t number,
    uint64_t size)
{
	bool last = (number + 1) * CDOP_TILE_WIDTH >= size;
	uint64_t at = number;
	unsigned level, width;
	enum cdop_err err = CDOP_OK;

	for (level = 0; err == CDOP_OK && level < CDOP_TILE_LEVELS; level++) {
		width = cdop_tile_width(level, at, size);
		if (level > 0 && !last && width < CDOP_TILE_WIDTH)
			break;
		if (width > 0)
			err = add_tile(ctx, rep, level, at, width);
		if (!last && (at + 1) % CDOP_TILE_WIDTH != 0)
			break;
		at /= CDOP_TILE_WIDTH;
	}
	return err;
}

static enum cdop_err
add_bundle(struct rpc_ctx *ctx, Cdop__AuditExportReply *rep, uint64_t number,
    unsigned width, uint64_t *cursor)
{
	Cdop__AuditBundle *bundle;

	bundle = cdop_arena_alloc(ctx->arena, sizeof(*bundle));
	if (bundle == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__audit_bundle__init(bundle);
	bundle->number = number;
	bundle->entries.len = (size_t)width * AUDIT_EXPORT_ENTRY;
	bundle->entries.data =
	    cdop_arena_alloc(ctx->arena, bundle->entries.len);
	if (bundle->entries.data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rep->bundle[rep->n_bundle++] = bundle;
	return audit_export(ctx->reg, cursor, number * CDOP_TILE_WIDTH, width,
	    bundle->entries.data);
}

/* What may leave from here on, before there is another leaf. */
static enum cdop_err
cover(struct rpc_ctx *ctx, uint64_t size)
{
	uint64_t first = (uint64_t)ctx->stream.given * CDOP_TILE_WIDTH;
	uint64_t end = first + TILES_PER_LEAF * CDOP_TILE_WIDTH;

	ctx->is_covered = rpc_cursor_is_covered(&ctx->stream);
	ctx->next.covered = ctx->stream.covered;
	if (ctx->is_covered)
		return CDOP_OK;
	ctx->next.covered = ctx->stream.given + TILES_PER_LEAF;
	ctx->count = (end < size ? end : size) - first;
	if (ctx->count == 0)
		return CDOP_OK;
	ctx->log_reason = cdop_arena_printf(
	    ctx->arena, "%" PRIu64 "-%" PRIu64, first, first + ctx->count - 1);
	return ctx->log_reason == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/* Tiles of the log from ctx->stream.given on. */
static enum cdop_err
fill(struct rpc_ctx *ctx, Cdop__AuditExportReply *rep, uint64_t size)
{
	uint64_t number = ctx->stream.given, cursor = ctx->stream.at;
	unsigned width = CDOP_TILE_WIDTH, i;
	enum cdop_err err;

	if ((err = cover(ctx, size)) != CDOP_OK)
		return err;
	for (i = 0; i < TILES_PER_MESSAGE; i++, number++) {
		width = cdop_tile_width(0, number, size);
		if (width == 0)
			break;
		err = add_bundle(ctx, rep, number, width, &cursor);
		if (err == CDOP_OK)
			err = add_tiles(ctx, rep, number, size);
		if (err != CDOP_OK)
			return err;
	}
	ctx->next.given = (uint32_t)number;
	ctx->next.pause = number >= ctx->next.covered;
	ctx->next.end = size;
	if (number * CDOP_TILE_WIDTH < size)
		ctx->next.at = cursor;
	return CDOP_OK;
}

enum cdop_err
rpc_audit_export(struct rpc_ctx *ctx, const Cdop__AuditExportRequest *req,
    Cdop__AuditExportReply *rep)
{
	uint64_t size = ctx->stream.end;
	enum cdop_err err = CDOP_OK;

	(void)req;
	rep->tile =
	    cdop_arena_calloc(ctx->arena, TILES_MAX, sizeof(*rep->tile));
	rep->bundle = cdop_arena_calloc(
	    ctx->arena, TILES_PER_MESSAGE, sizeof(*rep->bundle));
	if (rep->tile == NULL || rep->bundle == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (ctx->stream.at == 0)
		err = begin(ctx, rep, &size);
	return err == CDOP_OK ? fill(ctx, rep, size) : err;
}
