/*
 * A TILE row as it lies on the disk (server/DESIGN.md, "Tiles"): 256 hashes
 * of one level, where the tiles below them lie, and, at the lowest level, the
 * edge.  Bytes in, bytes out.
 *
 * Level 0 is the leaves' hashes; hash i of level n is the root of tile i of
 * level n - 1.  The *edge* is all that was there of the incomplete tiles
 * above, so that the newest tile gives the whole frontier of the tree back.
 */
#ifndef CDOP_REGISTRY_TREE_ROW_H
#define CDOP_REGISTRY_TREE_ROW_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "cdop/merkle.h"

#define TREE_ROW_WIDTH 256u
/* A row number has 48 bits, and so has a leaf index. */
#define TREE_ROW_LEVELS 6
#define TREE_ROW_ENTRY  (CDOP_MERKLE_HASH + 8)
#define TREE_ROW_MAX                                                           \
	(16 + TREE_ROW_WIDTH * CDOP_MERKLE_HASH +                              \
	    (TREE_ROW_LEVELS - 1) *                                            \
		(1 + (TREE_ROW_WIDTH - 1) * TREE_ROW_ENTRY))

/* The incomplete tile of a level, or a complete one. */
struct tree_row_tile {
	uint8_t hash[TREE_ROW_WIDTH][CDOP_MERKLE_HASH];
	uint64_t below[TREE_ROW_WIDTH]; /* rows of those tiles; level 0: none */
};

/* A row that was parsed; all but the numbers points into it. */
struct tree_row {
	unsigned level;
	uint64_t index;
	const uint8_t *hash;  /* 256 * 32 */
	const uint8_t *below; /* 256 * 8; level 0: NULL */
	struct cdop_bytes edge;
};

/*
 * The tile of a level, complete in tiles[level]; with the edge out of the
 * tiles above where level is 0.  Its length, at most TREE_ROW_MAX.
 */
size_t tree_row_write(const struct tree_row_tile *const tiles[TREE_ROW_LEVELS],
    unsigned level, uint64_t index, uint8_t *out);

/* CDOP_DATA_LOSS: not what tree_row_write() writes. */
CDOP_MUST enum cdop_err tree_row_parse(
    struct cdop_bytes in, struct tree_row *ret_row);

/* How many entries of a level stand in the edge of tile `index`. */
unsigned tree_row_edge_count(uint64_t index, unsigned level);

/* Entry i of a level above, out of the edge of a tile of level 0. */
void tree_row_edge(const struct tree_row *row, unsigned level, unsigned i,
    uint8_t ret_hash[static CDOP_MERKLE_HASH], uint64_t *ret_below);

#endif
