/* Proofs that do not hold: no change of any part of one is let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/proto/rfc6962.h"

#define HASH CDOP_MERKLE_HASH

/* One claim and its proof, of either kind. */
struct claim {
	bool inclusion;
	uint64_t small; /* index or old size */
	uint64_t size;
	uint8_t hash[HASH]; /* of the leaf or the old tree */
	uint8_t root[HASH];
	struct cdop_merkle_proof proof;
};

static void
make_claim(struct claim *c, bool inclusion, uint64_t small, uint64_t size)
{
	memset(c, 0, sizeof(*c));
	c->inclusion = inclusion;
	c->small = small;
	c->size = size;
	memcpy(c->hash,
	    inclusion ? rfc6962_mth(small, small + 1) : rfc6962_mth(0, small),
	    HASH);
	memcpy(c->root, rfc6962_mth(0, size), HASH);
	if (inclusion)
		rfc6962_path(small, 0, size, &c->proof);
	else
		rfc6962_subproof(small, 0, size, true, &c->proof);
}

static enum cdop_err
judge(const struct claim *c)
{
	return c->inclusion ? cdop_merkle_check_inclusion(c->small, c->size,
				  c->hash, &c->proof, c->root)
			    : cdop_merkle_check_consistency(c->small, c->hash,
				  c->size, c->root, &c->proof);
}

static void
refuses(const struct claim *c)
{
	assert_int_equal(judge(c), CDOP_DATA_LOSS);
}

static void
refuses_every_flipped_bit(struct claim *c, unsigned step)
{
	uint8_t *part[CDOP_MERKLE_PROOF_MAX + 2];
	size_t n, i;
	unsigned bit;

	for (n = 0; n < c->proof.n; n++)
		part[n] = c->proof.hash[n];
	part[n++] = c->hash;
	part[n++] = c->root;
	for (i = 0; i < n; i++)
		for (bit = 0; bit < 8 * HASH; bit += step) {
			part[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
			refuses(c);
			part[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
}

/* One hash more or less, at every place. */
static void
refuses_every_other_length(const struct claim *c)
{
	const struct cdop_merkle_proof *proof = &c->proof;
	struct claim other;
	size_t i;

	for (i = 0; i <= proof->n; i++) {
		other = *c;
		memcpy(other.proof.hash[i + 1], proof->hash[i],
		    (proof->n - i) * HASH);
		memcpy(other.proof.hash[i], c->root, HASH);
		other.proof.n++;
		refuses(&other);
		memcpy(other.proof.hash[i], c->hash, HASH);
		refuses(&other);
	}
	for (i = 0; i < proof->n; i++) {
		other = *c;
		memcpy(other.proof.hash[i], proof->hash[i + 1],
		    (proof->n - i - 1) * HASH);
		other.proof.n--;
		refuses(&other);
	}
	other = *c;
	other.proof.n = CDOP_MERKLE_PROOF_MAX;
	refuses(&other);
	other.proof.n++;
	refuses(&other);
}

static void
refuses_two_exchanged(const struct claim *c)
{
	struct claim other;
	size_t i;

	for (i = 1; i < c->proof.n; i++) {
		other = *c;
		memcpy(other.proof.hash[i - 1], c->proof.hash[i], HASH);
		memcpy(other.proof.hash[i], c->proof.hash[i - 1], HASH);
		refuses(&other);
	}
}

static void
every_changed_proof_is_refused(void **state)
{
	struct claim claim;
	uint64_t size, i;

	(void)state;
	for (size = 1; size <= RFC6962_MOST; size += size < 40 ? 1 : 43)
		for (i = 0; i <= size; i++) {
			if (i < size) {
				make_claim(&claim, true, i, size);
				refuses_every_flipped_bit(
				    &claim, size < 12 ? 1 : 61);
				refuses_every_other_length(&claim);
				refuses_two_exchanged(&claim);
			}
			if (i == 0)
				continue;
			make_claim(&claim, false, i, size);
			refuses_every_flipped_bit(&claim, size < 12 ? 1 : 61);
			refuses_every_other_length(&claim);
			refuses_two_exchanged(&claim);
		}
}

/* A proof fits a small number of other (index, size) pairs by its shape, and
 * none of them by its hashes. */
static void
another_index_or_old_size_is_refused(void **state)
{
	struct claim claim;
	uint64_t size, i, other;

	(void)state;
	for (size = 1; size <= 40; size++)
		for (i = 1; i <= size; i++)
			for (other = 0; other <= size + 1; other++) {
				make_claim(&claim, true, i - 1, size);
				claim.small = other;
				if (other != i - 1)
					refuses(&claim);
				make_claim(&claim, false, i, size);
				claim.small = other;
				if (other != i)
					refuses(&claim);
			}
}

/*
 * Not every inclusion proof tells the size of its tree (the signed checkpoint
 * does), but that of the last leaf does, and so does a consistency proof.
 */
static void
another_size_is_refused(void **state)
{
	struct claim claim;
	uint64_t size, other;

	(void)state;
	for (size = 1; size <= 64; size++)
		for (other = 0; other <= 130; other++) {
			make_claim(&claim, true, size - 1, size);
			claim.size = other;
			if (other != size)
				refuses(&claim);
			make_claim(&claim, false, size, size);
			claim.size = other;
			if (other != size)
				refuses(&claim);
		}
}

static void
consistency_from_nothing_is_refused(void **state)
{
	struct cdop_merkle_proof none = {.n = 0};
	uint8_t empty[HASH];

	(void)state;
	cdop_merkle_empty(empty);
	assert_int_equal(cdop_merkle_check_consistency(
			     0, empty, 8, rfc6962_mth(0, 8), &none),
	    CDOP_DATA_LOSS);
	assert_int_equal(
	    cdop_merkle_check_consistency(0, empty, 0, empty, &none),
	    CDOP_DATA_LOSS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_changed_proof_is_refused),
	    cmocka_unit_test(another_index_or_old_size_is_refused),
	    cmocka_unit_test(another_size_is_refused),
	    cmocka_unit_test(consistency_from_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
