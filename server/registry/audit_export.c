/* Leaves out of their rows, in the order of both. */
#include "server/registry/audit_export.h"

#include "cdop/tile.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"
#include "server/vault/rows_scan.h"

#define ARENA_MAX ((size_t)4 << 20) /* one row, opened and unpacked */

struct export
{
	struct cdop_arena *arena;
	uint64_t cursor;
	uint64_t next; /* index that has to come */
	size_t left;
	uint8_t *out;
	size_t len;
	size_t max;
};

static enum cdop_err
take_leaf(struct export *export, struct rows_item *item)
{
	const Cdop__StoredLeaf *stored;
	struct cdop_bytes data, leaf;
	enum cdop_err err;

	cdop_arena_reset(export->arena);
	if ((err = rows_item_open(item, export->arena, &data)) != CDOP_OK)
		return err;
	stored = cdop__stored_leaf__unpack(
	    cdop_arena_allocator(export->arena), data.len, data.data);
	if (stored == NULL || stored->leaf.len != CDOP_LEAF_LEN)
		return CDOP_DATA_LOSS;
	leaf = (struct cdop_bytes){stored->leaf.data, stored->leaf.len};
	if (cdop_get64(leaf.data + 8) != export->next)
		return CDOP_DATA_LOSS;
	export->next++;
	export->left--;
	return cdop_tile_entry_write(
	    leaf, export->out, export->max, &export->len);
}

static enum cdop_err
take_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct export *export = ctx;
	enum cdop_err err = CDOP_OK;

	export->cursor = head->number + 1;
	if (head->kind == SCHEMA_KIND_LEAF)
		err = take_leaf(export, item);
	*ret_stop = export->left == 0;
	return err;
}

enum cdop_err
audit_export(struct registry *reg, uint64_t *cursor, uint64_t first, size_t n,
    uint8_t *out)
{
	struct export export = {
	    .cursor = *cursor,
	    .next = first,
	    .left = n,
	    .out = out,
	    .max = n * AUDIT_EXPORT_ENTRY,
	};
	enum cdop_err err;

	if (n == 0)
		return CDOP_OK;
	if ((err = cdop_arena_new(ARENA_MAX, &export.arena)) != CDOP_OK)
		return err;
	err = rows_walk_log(reg->rows, *cursor, take_row, &export);
	cdop_arena_free(export.arena);
	if (err == CDOP_OK && export.left > 0)
		err = CDOP_DATA_LOSS;
	if (err == CDOP_OK)
		*cursor = export.cursor;
	return err;
}
