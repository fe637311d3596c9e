/*
 * The inside of the tree, shared by tree.c and tree_load.c and nobody else.
 */
#ifndef CDOP_REGISTRY_TREE_CORE_H
#define CDOP_REGISTRY_TREE_CORE_H

#include "cdop/arena.h"
#include "server/registry/tree.h"
#include "server/registry/tree_row.h"
#include "server/vault/rows.h"

/*
 * A tile and the hashes over its own: row r of them, for r from 1 to 7, has
 * 256 >> r, and they stand one row behind the other.
 */
struct tree_level {
	struct tree_row_tile tile;
	uint8_t over[TREE_ROW_WIDTH - 2][CDOP_MERKLE_HASH];
};

/* A complete tile that was asked for; it never changes again. */
struct tree_kept {
	bool is_there;
	uint64_t index;
	struct tree_level level;
};

struct tree {
	struct rows *rows;
	struct undo *undo;
	struct cdop_arena *arena; /* a row on its way in */
	uint64_t size;            /* what is valid below follows from it */
	struct tree_level level[TREE_ROW_LEVELS];
	struct tree_kept kept[TREE_ROW_LEVELS];
	uint8_t out[TREE_ROW_MAX]; /* a row on its way out */
};

/*
 * Hash number i of a level's incomplete tile, of which those before it are
 * there, and what is complete over it.  Errors of the undo log.
 */
CDOP_MUST enum cdop_err tree_core_set(struct tree *tree, unsigned level,
    unsigned i, const uint8_t hash[static CDOP_MERKLE_HASH]);

/* The root of a complete tile. */
void tree_core_top(
    struct tree_level *level, uint8_t ret_hash[static CDOP_MERKLE_HASH]);

/*
 * A TILE row, opened into the tree's arena, where it is good until the next.
 * CDOP_DATA_LOSS: missing, damaged or not a tile.
 */
CDOP_MUST enum cdop_err tree_core_read(
    struct tree *tree, uint64_t number, struct tree_row *ret_row);

/* Keeps a complete tile. */
void tree_core_keep(struct tree *tree, const struct tree_row *row);

#endif
