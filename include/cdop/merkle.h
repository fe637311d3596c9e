/*
 * The Merkle tree of RFC 6962 (2.1) and RFC 9162 (2.1) over SHA-256: hashes,
 * roots, and proofs made and checked.  Pure: where the hashes of a tree lie
 * is the caller's, who hands them in one at a time; nothing is allocated.
 * What tiles look like is tile.h's, what a signed root looks like note.h's.
 */
#ifndef CDOP_MERKLE_H
#define CDOP_MERKLE_H

#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_MERKLE_HASH      32
#define CDOP_MERKLE_PROOF_MAX 64
/* Leaves of the largest tree here: no proof of it is longer than that. */
#define CDOP_MERKLE_SIZE_MAX (UINT64_C(1) << 62)

/* From the leaf (or the old root) up. */
struct cdop_merkle_proof {
	uint8_t hash[CDOP_MERKLE_PROOF_MAX][CDOP_MERKLE_HASH];
	size_t n;
};

/* SHA-256(0x00 || leaf). */
void cdop_merkle_leaf(
    uint8_t out[static CDOP_MERKLE_HASH], struct cdop_bytes leaf);

/* SHA-256(0x01 || left || right); out may be one of them. */
void cdop_merkle_node(uint8_t out[static CDOP_MERKLE_HASH],
    const uint8_t left[static CDOP_MERKLE_HASH],
    const uint8_t right[static CDOP_MERKLE_HASH]);

/* The root of the tree without leaves: SHA-256(""). */
void cdop_merkle_empty(uint8_t out[static CDOP_MERKLE_HASH]);

/*
 * Whether leaf number index, of this hash, is in the tree of size leaves
 * with this root.  CDOP_DATA_LOSS when the proof does not show it, whatever
 * is the matter with it.
 */
CDOP_MUST enum cdop_err cdop_merkle_check_inclusion(uint64_t index,
    uint64_t size, const uint8_t leaf_hash[static CDOP_MERKLE_HASH],
    const struct cdop_merkle_proof *proof,
    const uint8_t root[static CDOP_MERKLE_HASH]);

/*
 * Whether the tree of size leaves begins with the one of old_size leaves.
 * CDOP_DATA_LOSS as above.  Every tree begins with the empty one, which
 * therefore proves nothing: an old_size of 0 is refused.  With equal sizes
 * the roots are equal and the proof is empty.
 */
CDOP_MUST enum cdop_err cdop_merkle_check_consistency(uint64_t old_size,
    const uint8_t old_root[static CDOP_MERKLE_HASH], uint64_t size,
    const uint8_t root[static CDOP_MERKLE_HASH],
    const struct cdop_merkle_proof *proof);

/*
 * Gives the hash of the complete subtree of 2^height leaves that begins at
 * leaf index << height.  Only subtrees that lie within the size handed in
 * are asked for.  What it returns besides CDOP_OK goes to the caller below.
 */
typedef enum cdop_err (*cdop_merkle_fetch)(void *ctx, unsigned height,
    uint64_t index, uint8_t ret_hash[static CDOP_MERKLE_HASH]);

/*
 * The root of the first size leaves, in one fetch for each bit set in size;
 * the root of no leaves in none.  CDOP_INVALID_ARGUMENT above
 * CDOP_MERKLE_SIZE_MAX.
 */
CDOP_MUST enum cdop_err cdop_merkle_root(uint64_t size, cdop_merkle_fetch fetch,
    void *ctx, uint8_t ret_root[static CDOP_MERKLE_HASH]);

/*
 * The proof that check_inclusion takes, in at most 2 log2(size) fetches.
 * CDOP_INVALID_ARGUMENT unless index < size.
 */
CDOP_MUST enum cdop_err cdop_merkle_prove_inclusion(uint64_t index,
    uint64_t size, cdop_merkle_fetch fetch, void *ctx,
    struct cdop_merkle_proof *ret_proof);

/*
 * The proof that check_consistency takes, likewise; empty between equal
 * sizes.  CDOP_INVALID_ARGUMENT unless 0 < old_size <= size.
 */
CDOP_MUST enum cdop_err cdop_merkle_prove_consistency(uint64_t old_size,
    uint64_t size, cdop_merkle_fetch fetch, void *ctx,
    struct cdop_merkle_proof *ret_proof);

#endif
