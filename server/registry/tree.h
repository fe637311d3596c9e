/*
 * The Merkle tree over the leaves of the audit log (RFC 6962): appended in
 * O(log n) without looking back, its complete tiles of 256 hashes put down as
 * TILE rows in the transaction of the leaf that completes them.
 *
 * In memory are the incomplete tile of each level, with the hashes over it,
 * and the last complete one that somebody asked for.  All of it goes through
 * the undo log.  It knows hashes and rows, not what is in a leaf.
 */
#ifndef CDOP_REGISTRY_TREE_H
#define CDOP_REGISTRY_TREE_H

#include "cdop/err.h"
#include "cdop/merkle.h"

struct registry;
struct rows;
struct tree;
struct undo;

/* A tree without leaves.  Both are borrowed.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err tree_new(
    struct rows *rows, struct undo *undo, struct tree **ret_tree);

/* NULL is fine. */
void tree_free(struct tree *tree);

/* Leaves in it. */
uint64_t tree_size(const struct tree *tree);

/*
 * The next leaf, within a batch.  Errors of rows_put and of the undo log: the
 * batch has to be aborted.
 */
CDOP_MUST enum cdop_err tree_append(
    struct tree *tree, const uint8_t leaf_hash[static CDOP_MERKLE_HASH]);

/* The root of all leaves there are, into the head row; within a batch. */
CDOP_MUST enum cdop_err tree_seal(struct tree *tree);

/*
 * A cdop_merkle_fetch over rows and memory, with ctx a struct tree; within a
 * batch and outside.  CDOP_DATA_LOSS: a tile is missing, does not
 * authenticate, or is not the one the tile above it has;
 * CDOP_INVALID_ARGUMENT: not a complete subtree of this tree.
 */
CDOP_MUST enum cdop_err tree_fetch(void *ctx, unsigned height, uint64_t index,
    uint8_t ret_hash[static CDOP_MERKLE_HASH]);

/* The root of all leaves there are. */
CDOP_MUST enum cdop_err tree_root(
    struct tree *tree, uint8_t ret_root[static CDOP_MERKLE_HASH]);

#endif
