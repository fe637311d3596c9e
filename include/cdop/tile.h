/*
 * The tiles of a log (c2sp.org/tlog-tiles): 256 consecutive hashes of a
 * level in a row, of which the last tile of a level may have fewer; a hash
 * of level n + 1 is the root of a complete tile of level n, and level 0 are
 * the hashes of the leaves.  The entries themselves come in bundles, one for
 * each tile of level 0.  Names and arithmetic only: where the bytes lie is
 * the caller's.
 */
#ifndef CDOP_TILE_H
#define CDOP_TILE_H

#include "cdop/merkle.h"

#define CDOP_TILE_WIDTH     256
#define CDOP_TILE_HEIGHT    8 /* of the subtree over a complete tile */
#define CDOP_TILE_LEN       (CDOP_TILE_WIDTH * CDOP_MERKLE_HASH)
#define CDOP_TILE_LEVELS    8 /* enough for CDOP_MERKLE_SIZE_MAX */
#define CDOP_TILE_ENTRY_MAX 65535
#define CDOP_TILE_PATH_MAX  64 /* with a NUL */

/* Hashes in the tile of this level and number; 0 where the tree has none. */
unsigned cdop_tile_width(unsigned level, uint64_t tile, uint64_t size);

/*
 * "tile/0/x001/x234/067", with ".p/12" behind it for a tile of 12 hashes;
 * width is 1 to CDOP_TILE_WIDTH.
 */
void cdop_tile_path(unsigned level, uint64_t tile, unsigned width,
    char out[static CDOP_TILE_PATH_MAX]);

/* "tile/entries/x001/x234/067", likewise. */
void cdop_tile_entries_path(
    uint64_t tile, unsigned width, char out[static CDOP_TILE_PATH_MAX]);

/* Where the tiles have the subtree that cdop_merkle_fetch asks for. */
struct cdop_tile_place {
	unsigned level;
	uint64_t tile;
	unsigned first;  /* hash of the tile it begins with */
	unsigned height; /* 0 to 7: made of 2^height hashes */
};

void cdop_tile_find(
    unsigned height, uint64_t index, struct cdop_tile_place *ret_place);

/*
 * The root over 2^height consecutive hashes, 0 to CDOP_TILE_HEIGHT; hashes
 * are so many in a row.
 */
void cdop_tile_hash(const uint8_t *hashes, unsigned height,
    uint8_t out[static CDOP_MERKLE_HASH]);

/* ---- entry bundles ------------------------------------------------------- */

/* Length u16 big-endian, then the entry; again and again. */
#define CDOP_TILE_ENTRY_HEAD 2

/*
 * Puts an entry behind the *len bytes of a bundle and adds to them.
 * CDOP_INVALID_ARGUMENT: longer than CDOP_TILE_ENTRY_MAX.
 * CDOP_RESOURCE_EXHAUSTED: over max.
 */
CDOP_MUST enum cdop_err cdop_tile_entry_write(
    struct cdop_bytes entry, uint8_t *bundle, size_t max, size_t *len);

/*
 * Takes the next entry off *rest, which is not empty.  CDOP_INVALID_ARGUMENT:
 * the bundle is cut.
 */
CDOP_MUST enum cdop_err cdop_tile_entry_next(
    struct cdop_bytes *rest, struct cdop_bytes *ret_entry);

#endif
