/* Merkle trees after RFC 6962 and RFC 9162; see cdop/merkle.h. */
#include "cdop/merkle.h"

#include <stdbool.h>
#include <string.h>

#include "cdop/sha256.h"

_Static_assert(CDOP_MERKLE_HASH == CDOP_SHA256_LEN, "SHA-256");

/* ---- hashes ------------------------------------------------------------ */

void
cdop_merkle_leaf(uint8_t out[static CDOP_MERKLE_HASH], struct cdop_bytes leaf)
{
	static const uint8_t prefix = 0x00;
	struct cdop_sha256 hash;

	cdop_sha256_init(&hash);
	cdop_sha256_update(&hash, &prefix, 1);
	cdop_sha256_update(&hash, leaf.data, leaf.len);
	cdop_sha256_final(&hash, out);
}

void
cdop_merkle_node(uint8_t out[static CDOP_MERKLE_HASH],
    const uint8_t left[static CDOP_MERKLE_HASH],
    const uint8_t right[static CDOP_MERKLE_HASH])
{
	static const uint8_t prefix = 0x01;
	struct cdop_sha256 hash;

	cdop_sha256_init(&hash);
	cdop_sha256_update(&hash, &prefix, 1);
	cdop_sha256_update(&hash, left, CDOP_MERKLE_HASH);
	cdop_sha256_update(&hash, right, CDOP_MERKLE_HASH);
	cdop_sha256_final(&hash, out);
}

void
cdop_merkle_empty(uint8_t out[static CDOP_MERKLE_HASH])
{
	cdop_sha256(out, (struct cdop_bytes){NULL, 0});
}

static bool
same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, CDOP_MERKLE_HASH) == 0;
}

/* ---- checking ---------------------------------------------------------- */

/*
 * A way up the tree: the number of a node in its level, and of the last node
 * there is in it.  They are fn and sn of RFC 9162.
 */
struct climb {
	uint64_t node;
	uint64_t last;
};

static void
up(struct climb *climb)
{
	climb->node >>= 1;
	climb->last >>= 1;
}

/*
 * Whether the next hash of the proof stands to the left of the node.  A node
 * that is the last of its level without a sibling is its own parent: levels
 * are passed over until it is a right child.
 */
static bool
left_is_next(struct climb *climb)
{
	if ((climb->node & 1) == 0 && climb->node != climb->last)
		return false;
	while ((climb->node & 1) == 0 && climb->node != 0)
		up(climb);
	return true;
}

enum cdop_err
cdop_merkle_check_inclusion(uint64_t index, uint64_t size,
    const uint8_t leaf_hash[static CDOP_MERKLE_HASH],
    const struct cdop_merkle_proof *proof,
    const uint8_t root[static CDOP_MERKLE_HASH])
{
	struct climb climb = {index, size - 1};
	uint8_t hash[CDOP_MERKLE_HASH];
	size_t i;

	if (index >= size || proof->n > CDOP_MERKLE_PROOF_MAX)
		return CDOP_DATA_LOSS;
	memcpy(hash, leaf_hash, sizeof(hash));
	for (i = 0; i < proof->n; i++) {
		if (climb.last == 0)
			return CDOP_DATA_LOSS; /* too long */
		if (left_is_next(&climb))
			cdop_merkle_node(hash, proof->hash[i], hash);
		else
			cdop_merkle_node(hash, hash, proof->hash[i]);
		up(&climb);
	}
	return climb.last == 0 && same(hash, root) ? CDOP_OK : CDOP_DATA_LOSS;
}

/* Both roots out of the proof, from `first` on; old_size < size. */
static enum cdop_err
climb_both(struct climb climb, const uint8_t *first,
    const struct cdop_merkle_proof *proof, size_t i, uint8_t *old, uint8_t *new)
{
	memcpy(old, first, CDOP_MERKLE_HASH);
	memcpy(new, first, CDOP_MERKLE_HASH);
	for (; i < proof->n; i++) {
		if (climb.last == 0)
			return CDOP_DATA_LOSS; /* too long */
		if (left_is_next(&climb)) {
			cdop_merkle_node(old, proof->hash[i], old);
			cdop_merkle_node(new, proof->hash[i], new);
		} else {
			cdop_merkle_node(new, new, proof->hash[i]);
		}
		up(&climb);
	}
	return climb.last == 0 ? CDOP_OK : CDOP_DATA_LOSS;
}

enum cdop_err
cdop_merkle_check_consistency(uint64_t old_size,
    const uint8_t old_root[static CDOP_MERKLE_HASH], uint64_t size,
    const uint8_t root[static CDOP_MERKLE_HASH],
    const struct cdop_merkle_proof *proof)
{
	struct climb climb = {old_size - 1, size - 1};
	uint8_t old[CDOP_MERKLE_HASH], new[CDOP_MERKLE_HASH];
	bool whole;
	enum cdop_err err;

	if (old_size == 0 || old_size > size ||
	    proof->n > CDOP_MERKLE_PROOF_MAX)
		return CDOP_DATA_LOSS;
	if (old_size == size)
		return proof->n == 0 && same(old_root, root) ? CDOP_OK
							     : CDOP_DATA_LOSS;
	if (proof->n == 0)
		return CDOP_DATA_LOSS;
	/* The largest subtree that ends where the old tree does. */
	while ((climb.node & 1) != 0)
		up(&climb);
	/* A complete old tree is that subtree, and its root is left out. */
	whole = (old_size & (old_size - 1)) == 0;
	err = climb_both(climb, whole ? old_root : proof->hash[0], proof,
	    whole ? 0 : 1, old, new);
	if (err != CDOP_OK)
		return err;
	return same(old, old_root) && same(new, root) ? CDOP_OK
						      : CDOP_DATA_LOSS;
}

/* ---- making ------------------------------------------------------------ */

/* Leaves from lo to before hi, out of somewhere. */
struct range {
	cdop_merkle_fetch fetch;
	void *ctx;
	uint64_t lo;
	uint64_t hi;
};

/*
 * MTH of the range, which is not empty and begins where a subtree that holds
 * all of it would.  It is made of complete subtrees, one for each bit of its
 * size, the smallest at the right end.
 */
static enum cdop_err
range_root(const struct range *r, uint8_t *ret_root)
{
	uint64_t size = r->hi - r->lo, start;
	uint8_t root[CDOP_MERKLE_HASH], left[CDOP_MERKLE_HASH];
	enum cdop_err err;
	unsigned height;
	bool begun = false;

	for (height = 0; size >> height != 0; height++) {
		if ((size >> height & 1) == 0)
			continue;
		start = r->lo + (size >> height >> 1 << 1 << height);
		err = r->fetch(
		    r->ctx, height, start >> height, begun ? left : root);
		if (err != CDOP_OK)
			return err;
		if (begun)
			cdop_merkle_node(root, left, root);
		begun = true;
	}
	memcpy(ret_root, root, sizeof(root));
	return CDOP_OK;
}

static enum cdop_err
push(struct cdop_merkle_proof *proof, const struct range *range)
{
	CDOP_ASSERT(proof->n < CDOP_MERKLE_PROOF_MAX);
	return range_root(range, proof->hash[proof->n++]);
}

/*
 * One step down towards leaf `to`: the other half of the range goes into the
 * proof.  The left half is the largest complete subtree smaller than all.
 */
static enum cdop_err
descend(struct range *range, uint64_t to, struct cdop_merkle_proof *proof)
{
	struct range other = *range;
	uint64_t half = 1;

	while (half < range->hi - range->lo - half)
		half <<= 1;
	if (to < range->lo + half)
		other.lo = range->hi = range->lo + half;
	else
		other.hi = range->lo = range->lo + half;
	return push(proof, &other);
}

/* Found from the root down, used from the leaf up. */
static void
turn_round(
    const struct cdop_merkle_proof *proof, struct cdop_merkle_proof *ret_proof)
{
	size_t i;

	for (i = 0; i < proof->n; i++)
		memcpy(ret_proof->hash[i], proof->hash[proof->n - 1 - i],
		    CDOP_MERKLE_HASH);
	ret_proof->n = proof->n;
}

enum cdop_err
cdop_merkle_root(uint64_t size, cdop_merkle_fetch fetch, void *ctx,
    uint8_t ret_root[static CDOP_MERKLE_HASH])
{
	struct range range = {fetch, ctx, 0, size};

	if (size > CDOP_MERKLE_SIZE_MAX)
		return CDOP_INVALID_ARGUMENT;
	if (size > 0)
		return range_root(&range, ret_root);
	cdop_merkle_empty(ret_root);
	return CDOP_OK;
}

enum cdop_err
cdop_merkle_prove_inclusion(uint64_t index, uint64_t size,
    cdop_merkle_fetch fetch, void *ctx, struct cdop_merkle_proof *ret_proof)
{
	struct range range = {fetch, ctx, 0, size};
	struct cdop_merkle_proof proof;
	enum cdop_err err;

	if (index >= size || size > CDOP_MERKLE_SIZE_MAX)
		return CDOP_INVALID_ARGUMENT;
	proof.n = 0;
	while (range.hi - range.lo > 1) {
		err = descend(&range, index, &proof);
		if (err != CDOP_OK)
			return err;
	}
	turn_round(&proof, ret_proof);
	return CDOP_OK;
}

enum cdop_err
cdop_merkle_prove_consistency(uint64_t old_size, uint64_t size,
    cdop_merkle_fetch fetch, void *ctx, struct cdop_merkle_proof *ret_proof)
{
	struct range range = {fetch, ctx, 0, size};
	struct cdop_merkle_proof proof;
	enum cdop_err err = CDOP_OK;

	if (old_size == 0 || old_size > size || size > CDOP_MERKLE_SIZE_MAX)
		return CDOP_INVALID_ARGUMENT;
	proof.n = 0;
	/* SUBPROOF of RFC 6962: down to the subtree with which the old tree
	 * ends.  Where that is the old tree itself, its root is known. */
	while (err == CDOP_OK && range.hi != old_size)
		err = descend(&range, old_size - 1, &proof);
	if (err == CDOP_OK && range.lo > 0)
		err = push(&proof, &range);
	if (err != CDOP_OK)
		return err;
	turn_round(&proof, ret_proof);
	return CDOP_OK;
}
