/*
 * The tree at a start: out of the newest tile and the leaves behind it, so
 * that no more of the log is read than that.  And once, where a registry was
 * made before there was a tree, out of all its leaves.
 */
#ifndef CDOP_REGISTRY_TREE_LOAD_H
#define CDOP_REGISTRY_TREE_LOAD_H

#include "cdop/bytes.h"
#include "cdop/err.h"

struct cdop_arena;
struct registry;

/*
 * After rows_scan(), outside a batch; uses the arena for itself.
 * CDOP_DATA_LOSS: the end of the log is not what the head row says; *ret_why
 * says what in words, or is NULL where rows_finding() does.  What building
 * writes can fail as any batch can, and goes on at the next start.
 */
CDOP_MUST enum cdop_err tree_load(
    struct registry *reg, struct cdop_arena *arena, const char **ret_why);

/* SHA-256(0x00 || leaf) of a LEAF row's data, and the index in it. */
CDOP_MUST enum cdop_err tree_load_leaf(struct cdop_bytes data,
    struct cdop_arena *arena, uint64_t *ret_index, uint8_t ret_hash[static 32]);

#endif
