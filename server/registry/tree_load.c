/* The frontier of the tree from the disk, and the first building of it. */
#include "server/registry/tree_load.h"

#include <string.h>

#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/registry.h"
#include "server/registry/tree_core.h"
#include "server/store/schema.h"
#include "server/vault/rows_scan.h"

/* Leaves taken in one transaction when the tree is built. */
#define BUILD_LEAVES (16u * TREE_ROW_WIDTH)

struct load {
	struct tree *tree;
	struct cdop_arena *arena;
	const char *why;
	uint64_t size; /* what the head row says */
	/* Of the leaves behind the newest tile. */
	bool seen[TREE_ROW_WIDTH];
	unsigned missing;
	/* Building. */
	uint64_t from; /* row to go on with */
	unsigned left; /* leaves until the next commit */
};

static enum cdop_err
refuse(struct load *load, const char *why)
{
	load->why = why;
	return CDOP_DATA_LOSS;
}

enum cdop_err
tree_load_leaf(struct cdop_bytes data, struct cdop_arena *arena,
    uint64_t *ret_index, uint8_t ret_hash[static 32])
{
	const Cdop__StoredLeaf *stored;
	struct cdop_bytes leaf;

	stored = cdop__stored_leaf__unpack(
	    cdop_arena_allocator(arena), data.len, data.data);
	if (stored == NULL || stored->leaf.len != CDOP_LEAF_LEN)
		return CDOP_DATA_LOSS;
	leaf = (struct cdop_bytes){stored->leaf.data, stored->leaf.len};
	*ret_index = cdop_get64(leaf.data + 8);
	cdop_merkle_leaf(ret_hash, leaf);
	return CDOP_OK;
}

/* ---- the newest tile --------------------------------------------------- */

static uint8_t
last_byte(uint64_t v)
{
	return (uint8_t)(v & 0xff);
}

/* The tiles that became complete with tile `index` of level 0, that too. */
static unsigned
levels_of(uint64_t index)
{
	unsigned level = 0;

	while (level < TREE_ROW_LEVELS - 1 &&
	    last_byte(index >> 8 * level) == 0xff)
		level++;
	return level;
}

/* What there was of the tiles above before this tile. */
static enum cdop_err
take_edge(struct tree *tree, const struct tree_row *row)
{
	uint8_t hash[CDOP_MERKLE_HASH];
	unsigned level, i, n;
	enum cdop_err err;

	for (level = 1; level < TREE_ROW_LEVELS; level++) {
		n = tree_row_edge_count(row->index, level);
		for (i = 0; i < n; i++) {
			tree_row_edge(row, level, i, hash,
			    &tree->level[level].tile.below[i]);
			err = tree_core_set(tree, level, i, hash);
			if (err != CDOP_OK)
				return err;
		}
	}
	return CDOP_OK;
}

/* And the tile itself, with those that it made complete. */
static enum cdop_err
carry(struct tree *tree, uint64_t index, const uint64_t *rows, unsigned top)
{
	uint8_t hash[CDOP_MERKLE_HASH];
	unsigned level, i;
	enum cdop_err err;

	tree_core_top(&tree->kept[0].level, hash);
	for (level = 1; level <= top + 1 && level < TREE_ROW_LEVELS; level++) {
		i = last_byte(index >> 8 * (level - 1));
		tree->level[level].tile.below[i] = rows[level - 1];
		err = tree_core_set(tree, level, i, hash);
		if (err != CDOP_OK)
			return err;
		tree_core_top(&tree->level[level], hash);
	}
	return CDOP_OK;
}

/*
 * The head row has the tile that was put last: of the highest level that
 * became complete.  From there the last of each level below.
 */
static enum cdop_err
load_tiles(struct load *load, uint64_t index)
{
	uint64_t rows[TREE_ROW_LEVELS];
	struct tree *tree = load->tree;
	unsigned top = levels_of(index), level;
	struct tree_row row;
	enum cdop_err err;

	rows[top] = rows_tree_tile(tree->rows);
	for (level = top;; level--) {
		err = tree_core_read(tree, rows[level], &row);
		if (err != CDOP_OK)
			return err;
		if (row.level != level || row.index != index >> 8 * level)
			return CDOP_DATA_LOSS;
		if (level == 0)
			break;
		rows[level - 1] =
		    cdop_get64(row.below + 8 * ((size_t)TREE_ROW_WIDTH - 1));
	}
	if ((err = take_edge(tree, &row)) != CDOP_OK)
		return err;
	tree_core_keep(tree, &row);
	if ((err = carry(tree, index, rows, top)) != CDOP_OK)
		return err;
	tree->size = (index + 1) * TREE_ROW_WIDTH;
	return CDOP_OK;
}

/* ---- the leaves behind it ---------------------------------------------- */

static enum cdop_err
take_leaf(struct load *load, struct rows_item *item)
{
	struct cdop_bytes data;
	uint8_t hash[CDOP_MERKLE_HASH];
	uint64_t index, i;
	enum cdop_err err;

	cdop_arena_reset(load->arena);
	if ((err = rows_item_open(item, load->arena, &data)) != CDOP_OK)
		return err;
	err = tree_load_leaf(data, load->arena, &index, hash);
	if (err != CDOP_OK)
		return refuse(load, "a log row is not a leaf");
	i = index - load->tree->size;
	if (i >= load->size - load->tree->size)
		return refuse(load, "a leaf is not the one its row says");
	if (load->seen[i])
		return refuse(load, "a leaf is there twice");
	memcpy(load->tree->level[0].tile.hash[i], hash, sizeof(hash));
	load->seen[i] = true;
	load->missing--;
	return CDOP_OK;
}

/* Rows are in no order of leaves once some were sealed anew. */
static enum cdop_err
find_leaf(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct load *load = ctx;
	enum cdop_err err;

	if (head->kind != SCHEMA_KIND_LEAF ||
	    head->version - (uint32_t)load->tree->size >=
		load->size - load->tree->size)
		return CDOP_OK;
	err = take_leaf(load, item);
	*ret_stop = load->missing == 0;
	return err;
}

static enum cdop_err
load_tail(struct load *load)
{
	struct tree *tree = load->tree;
	uint8_t hash[CDOP_MERKLE_HASH];
	unsigned i, n = (unsigned)(load->size - tree->size);
	enum cdop_err err;

	load->missing = n;
	if (n > 0) {
		err = rows_scan_log(tree->rows, 0, find_leaf, load);
		if (err != CDOP_OK)
			return err;
	}
	if (load->missing > 0)
		return refuse(load, "a leaf at the end of the log is missing");
	for (i = 0; i < n; i++) {
		memcpy(hash, tree->level[0].tile.hash[i], sizeof(hash));
		err = tree_core_set(tree, 0, i, hash);
		if (err != CDOP_OK)
			return err;
	}
	tree->size = load->size;
	return CDOP_OK;
}

static enum cdop_err
load_tree(struct load *load)
{
	uint8_t root[CDOP_MERKLE_HASH];
	uint64_t tiles = load->size / TREE_ROW_WIDTH;
	enum cdop_err err;

	if (tiles >> 8 * (TREE_ROW_LEVELS - 1) != 0)
		return refuse(load, "no log can be that long");
	if (tiles > 0) {
		err = load_tiles(load, tiles - 1);
		if (err == CDOP_DATA_LOSS &&
		    *rows_finding(load->tree->rows) == '\0')
			return refuse(load,
			    "the newest tile of the log is missing, or "
			    "another stands in its place");
		if (err != CDOP_OK)
			return err;
	}
	if ((err = load_tail(load)) != CDOP_OK)
		return err;
	if ((err = tree_root(load->tree, root)) != CDOP_OK)
		return err;
	if (memcmp(root, rows_tree_root(load->tree->rows), sizeof(root)) != 0)
		return refuse(load,
		    "the log's root differs: a leaf at its end is not the one "
		    "that was written");
	return CDOP_OK;
}

/* ---- a registry from before the tree ----------------------------------- */

/* Up to the tile that was put last, in a building that was cut off. */
static enum cdop_err
load_part(struct load *load)
{
	uint64_t number = rows_tree_tile(load->tree->rows);
	struct tree_row row;
	enum cdop_err err;

	if (number == 0)
		return CDOP_OK;
	if ((err = tree_core_read(load->tree, number, &row)) != CDOP_OK)
		return err;
	return load_tiles(load, ((row.index + 1) << 8 * row.level) - 1);
}

static enum cdop_err
build_leaf(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct load *load = ctx;
	struct tree *tree = load->tree;
	uint8_t hash[CDOP_MERKLE_HASH];
	struct cdop_bytes data;
	uint64_t index;
	enum cdop_err err;

	load->from = head->number + 1;
	if (head->kind != SCHEMA_KIND_LEAF)
		return CDOP_OK;
	cdop_arena_reset(load->arena);
	if ((err = rows_item_open(item, load->arena, &data)) != CDOP_OK)
		return err;
	err = tree_load_leaf(data, load->arena, &index, hash);
	if (err != CDOP_OK)
		return refuse(load, "a log row is not a leaf");
	if (index < tree->size)
		return CDOP_OK; /* it was taken before the cut */
	if (index != tree->size)
		return refuse(load, "a leaf of the log is missing");
	if ((err = tree_append(tree, hash)) != CDOP_OK)
		return err;
	*ret_stop = --load->left == 0 || tree->size == load->size;
	return CDOP_OK;
}

static enum cdop_err
build_some(struct load *load)
{
	struct tree *tree = load->tree;
	enum cdop_err err;

	load->left = BUILD_LEAVES;
	err = rows_walk_log(tree->rows, load->from, build_leaf, load);
	if (err != CDOP_OK)
		return err;
	if (tree->size < load->size)
		return load->left > 0
		    ? refuse(load, "a leaf at the end of the log is missing")
		    : CDOP_OK;
	return tree_seal(tree);
}

static enum cdop_err
build_step(struct load *load)
{
	const size_t tiles = BUILD_LEAVES / TREE_ROW_WIDTH + TREE_ROW_LEVELS;
	struct tree *tree = load->tree;
	enum cdop_err err;

	undo_begin(tree->undo);
	err = rows_begin(tree->rows, tiles * TREE_ROW_MAX, tiles);
	if (err == CDOP_OK && (err = build_some(load)) != CDOP_OK)
		rows_abort(tree->rows);
	if (err == CDOP_OK)
		err = rows_commit(tree->rows);
	if (err == CDOP_OK)
		undo_commit(tree->undo);
	else
		undo_rollback(tree->undo);
	return err;
}

/* The root is set with the last leaf: until then this is not done. */
static enum cdop_err
build_tree(struct load *load)
{
	enum cdop_err err;

	err = load_part(load);
	while (err == CDOP_OK && load->tree->size < load->size)
		err = build_step(load);
	return err;
}

enum cdop_err
tree_load(struct registry *reg, struct cdop_arena *arena, const char **ret_why)
{
	static const uint8_t none[CDOP_MERKLE_HASH];
	struct load load = {
	    .tree = reg->tree,
	    .arena = arena,
	    .size = rows_next_leaf(reg->rows),
	};
	enum cdop_err err;

	if (memcmp(rows_tree_root(reg->rows), none, sizeof(none)) != 0)
		err = load_tree(&load);
	else
		err = build_tree(&load);
	*ret_why = load.why;
	return err;
}
