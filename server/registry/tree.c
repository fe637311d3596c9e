/* Appending to the tree, and finding a hash of it again. */
#include "server/registry/tree.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/registry/tree_core.h"
#include "server/store/schema.h"

/* One row, sealed and opened. */
#define ARENA_MAX ((size_t)256 << 10)

enum cdop_err
tree_new(struct rows *rows, struct undo *undo, struct tree **ret_tree)
{
	struct tree *tree;
	enum cdop_err err;

	tree = calloc(1, sizeof(*tree));
	if (tree == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = cdop_arena_new(ARENA_MAX, &tree->arena)) != CDOP_OK) {
		free(tree);
		return err;
	}
	tree->rows = rows;
	tree->undo = undo;
	*ret_tree = tree;
	return CDOP_OK;
}

void
tree_free(struct tree *tree)
{
	if (tree == NULL)
		return;
	cdop_arena_free(tree->arena);
	free(tree);
}

uint64_t
tree_size(const struct tree *tree)
{
	return tree->size;
}

/* ---- one tile ---------------------------------------------------------- */

/* Hash i of row r of a tile, r from 0 (the tile's own) to 7. */
static uint8_t *
node_of(struct tree_level *level, unsigned r, uint64_t i)
{
	if (r == 0)
		return level->tile.hash[i];
	return level->over[TREE_ROW_WIDTH - (2u * TREE_ROW_WIDTH >> r) + i];
}

static enum cdop_err
set_node(struct tree *tree, uint8_t *node, const uint8_t *hash)
{
	enum cdop_err err;

	err = undo_save(tree->undo, node, CDOP_MERKLE_HASH);
	if (err == CDOP_OK)
		memcpy(node, hash, CDOP_MERKLE_HASH);
	return err;
}

enum cdop_err
tree_core_set(struct tree *tree, unsigned level, unsigned i,
    const uint8_t hash[static CDOP_MERKLE_HASH])
{
	struct tree_level *tile = &tree->level[level];
	uint8_t over[CDOP_MERKLE_HASH];
	unsigned r;
	enum cdop_err err;

	err = set_node(tree, node_of(tile, 0, i), hash);
	for (r = 0; err == CDOP_OK && r < 7 && (i >> r & 1) != 0; r++) {
		cdop_merkle_node(over, node_of(tile, r, (i >> r) - 1),
		    node_of(tile, r, i >> r));
		err = set_node(tree, node_of(tile, r + 1, i >> (r + 1)), over);
	}
	return err;
}

void
tree_core_top(
    struct tree_level *level, uint8_t ret_hash[static CDOP_MERKLE_HASH])
{
	cdop_merkle_node(ret_hash, node_of(level, 7, 0), node_of(level, 7, 1));
}

/* ---- appending --------------------------------------------------------- */

/* It was of a batch that is taken back. */
static void
forget(void *ctx, uint64_t level)
{
	struct tree *tree = ctx;

	tree->kept[level].is_there = false;
}

/* The full tile goes down, and is kept: its leaves are asked for first. */
static enum cdop_err
put_tile(struct tree *tree, unsigned level, uint64_t index, uint64_t *ret_row)
{
	const struct tree_row_tile *tiles[TREE_ROW_LEVELS];
	struct rows_new row = {
	    .kind = SCHEMA_KIND_TILE,
	    .schema = 1,
	    .version = (uint32_t)index,
	};
	unsigned i;
	enum cdop_err err;

	for (i = 0; i < TREE_ROW_LEVELS; i++)
		tiles[i] = &tree->level[i].tile;
	row.data.data = tree->out;
	row.data.len = tree_row_write(tiles, level, index, tree->out);
	if ((err = rows_put(tree->rows, &row, ret_row)) != CDOP_OK)
		return err;
	rows_set_tree_tile(tree->rows, *ret_row);
	if ((err = undo_call(tree->undo, forget, tree, level)) != CDOP_OK)
		return err;
	tree->kept[level].is_there = true;
	tree->kept[level].index = index;
	tree->kept[level].level = tree->level[level];
	return CDOP_OK;
}

static enum cdop_err
set_below(struct tree *tree, unsigned level, unsigned i, uint64_t row)
{
	uint64_t *below = &tree->level[level].tile.below[i];
	enum cdop_err err;

	if ((err = undo_save(tree->undo, below, sizeof(*below))) == CDOP_OK)
		*below = row;
	return err;
}

enum cdop_err
tree_append(struct tree *tree, const uint8_t leaf_hash[static CDOP_MERKLE_HASH])
{
	uint8_t hash[CDOP_MERKLE_HASH];
	uint64_t at = tree->size, row = 0;
	unsigned level, i;
	enum cdop_err err;

	if ((at + 1) >> 8 * TREE_ROW_LEVELS != 0)
		return CDOP_RESOURCE_EXHAUSTED;
	err = undo_save(tree->undo, &tree->size, sizeof(tree->size));
	if (err != CDOP_OK)
		return err;
	memcpy(hash, leaf_hash, sizeof(hash));
	for (level = 0;; level++, at >>= 8) {
		i = (unsigned)(at % TREE_ROW_WIDTH);
		if ((err = tree_core_set(tree, level, i, hash)) != CDOP_OK)
			return err;
		if (level > 0 &&
		    (err = set_below(tree, level, i, row)) != CDOP_OK)
			return err;
		if (i != TREE_ROW_WIDTH - 1)
			break;
		err = put_tile(tree, level, at / TREE_ROW_WIDTH, &row);
		if (err != CDOP_OK)
			return err;
		tree_core_top(&tree->level[level], hash);
	}
	tree->size++;
	return CDOP_OK;
}

/* ---- complete tiles ---------------------------------------------------- */

enum cdop_err
tree_core_read(struct tree *tree, uint64_t number, struct tree_row *ret_row)
{
	struct cdop_bytes data;
	struct rows_head head;
	enum cdop_err err;

	cdop_arena_reset(tree->arena);
	err = rows_get(tree->rows, number, tree->arena, &head, &data);
	if (err == CDOP_NOT_FOUND)
		return CDOP_DATA_LOSS;
	if (err != CDOP_OK)
		return err;
	if (head.kind != SCHEMA_KIND_TILE ||
	    tree_row_parse(data, ret_row) != CDOP_OK)
		return CDOP_DATA_LOSS;
	return CDOP_OK;
}

void
tree_core_keep(struct tree *tree, const struct tree_row *row)
{
	struct tree_kept *kept = &tree->kept[row->level];
	struct tree_level *level = &kept->level;
	unsigned r, i;

	memcpy(level->tile.hash, row->hash, sizeof(level->tile.hash));
	for (i = 0; row->below != NULL && i < TREE_ROW_WIDTH; i++)
		level->tile.below[i] = cdop_get64(row->below + 8 * (size_t)i);
	for (r = 1; r < 8; r++)
		for (i = 0; i < TREE_ROW_WIDTH >> r; i++)
			cdop_merkle_node(node_of(level, r, i),
			    node_of(level, r - 1, 2ull * i),
			    node_of(level, r - 1, 2ull * i + 1));
	kept->index = row->index;
	kept->is_there = true;
}

/* The tile of a level that is not complete yet. */
static uint64_t
open_tile(const struct tree *tree, unsigned level)
{
	return tree->size >> 8 * (level + 1);
}

/* A tile, from its parent, which is in memory. */
static enum cdop_err
keep_child(struct tree *tree, unsigned level, uint64_t index)
{
	const struct tree_row_tile *parent;
	struct tree_kept *kept = &tree->kept[level];
	uint64_t above = index / TREE_ROW_WIDTH;
	uint8_t top[CDOP_MERKLE_HASH];
	size_t i = index % TREE_ROW_WIDTH;
	struct tree_row row;
	enum cdop_err err;

	parent = above == open_tile(tree, level + 1)
	    ? &tree->level[level + 1].tile
	    : &tree->kept[level + 1].level.tile;
	kept->is_there = false;
	err = tree_core_read(tree, parent->below[i], &row);
	if (err != CDOP_OK)
		return err;
	if (row.level != level || row.index != index)
		return CDOP_DATA_LOSS;
	tree_core_keep(tree, &row);
	tree_core_top(&kept->level, top);
	if (memcmp(top, parent->hash[i], sizeof(top)) == 0)
		return CDOP_OK;
	kept->is_there = false;
	return CDOP_DATA_LOSS;
}

static bool
is_in_memory(const struct tree *tree, unsigned level, uint64_t index)
{
	const struct tree_kept *kept = &tree->kept[level];

	return index == open_tile(tree, level) ||
	    (kept->is_there && kept->index == index);
}

/* Up to the first that is in memory, and down again. */
static enum cdop_err
keep_tile(struct tree *tree, unsigned level, uint64_t index)
{
	unsigned top = level;
	enum cdop_err err;

	while (!is_in_memory(tree, top, index >> 8 * (top - level)))
		top++;
	while (top > level) {
		top--;
		err = keep_child(tree, top, index >> 8 * (top - level));
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

enum cdop_err
tree_fetch(void *ctx, unsigned height, uint64_t index,
    uint8_t ret_hash[static CDOP_MERKLE_HASH])
{
	struct tree *tree = ctx;
	struct tree_level *at;
	unsigned level = height / 8, r = height % 8;
	uint64_t tile;
	enum cdop_err err;

	if (level >= TREE_ROW_LEVELS || index >= tree->size >> height)
		return CDOP_INVALID_ARGUMENT;
	tile = index >> (8 - r);
	at = &tree->level[level];
	if (tile != open_tile(tree, level)) {
		if ((err = keep_tile(tree, level, tile)) != CDOP_OK)
			return err;
		at = &tree->kept[level].level;
	}
	memcpy(ret_hash, node_of(at, r, index % (TREE_ROW_WIDTH >> r)),
	    CDOP_MERKLE_HASH);
	return CDOP_OK;
}

enum cdop_err
tree_root(struct tree *tree, uint8_t ret_root[static CDOP_MERKLE_HASH])
{
	return cdop_merkle_root(tree->size, tree_fetch, tree, ret_root);
}

enum cdop_err
tree_seal(struct tree *tree)
{
	uint8_t root[CDOP_MERKLE_HASH];
	enum cdop_err err;

	if (tree->size == 0)
		return CDOP_OK;
	if ((err = tree_root(tree, root)) == CDOP_OK)
		rows_set_tree_root(tree->rows, root);
	return err;
}
