/* Roots and proofs against the definitions of RFC 6962. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "tests/unit/proto/rfc6962.h"

#define HASH CDOP_MERKLE_HASH

/* ---- what the code asks for -------------------------------------------- */

struct source {
	uint64_t size;
	unsigned asked;
	unsigned fails_at; /* 0: never */
};

static enum cdop_err
fetch(void *ctx, unsigned height, uint64_t index, uint8_t *ret_hash)
{
	struct source *source = ctx;
	uint64_t lo = index << height;
	uint64_t hi = lo + (UINT64_C(1) << height);

	assert_true(hi <= source->size);
	if (++source->asked == source->fails_at)
		return CDOP_UNAVAILABLE;
	memcpy(ret_hash, rfc6962_mth(lo, hi), HASH);
	return CDOP_OK;
}

static void
assert_same_proof(
    const struct cdop_merkle_proof *a, const struct cdop_merkle_proof *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->hash, b->hash, a->n * HASH);
}

static unsigned
log2_up(uint64_t n)
{
	unsigned bits;

	for (bits = 0; UINT64_C(1) << bits < n; bits++)
		;
	return bits;
}

/* ---- hashes and roots -------------------------------------------------- */

static void
is_hex(const uint8_t *hash, const char *hex)
{
	char text[2 * HASH + 1];

	cdop_secret_hex((struct cdop_bytes){hash, HASH}, text);
	assert_string_equal(text, hex);
}

/* Of the tests of Google's certificate-transparency, known everywhere. */
static void
hashes_are_those_of_rfc_6962(void **state)
{
	uint8_t hash[HASH];

	(void)state;
	cdop_merkle_empty(hash);
	is_hex(hash,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	cdop_merkle_leaf(hash, (struct cdop_bytes){NULL, 0});
	is_hex(hash,
	    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	cdop_merkle_leaf(
	    hash, (struct cdop_bytes){(const uint8_t *)"L123456", 7});
	is_hex(hash,
	    "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

static void
a_node_is_hashed_over_its_children_in_place(void **state)
{
	uint8_t l[HASH], r[HASH], want[HASH], text[1 + 2 * HASH];

	(void)state;
	memset(l, 'l', HASH);
	memset(r, 'r', HASH);
	cdop_merkle_node(want, l, r);
	memset(text, 'l', sizeof(text));
	cdop_merkle_node(l, l, r);
	assert_memory_equal(l, want, HASH);
	memset(l, 'l', HASH);
	cdop_merkle_node(r, l, r);
	assert_memory_equal(r, want, HASH);
	/* Not a leaf of the same bytes: the prefixes are apart. */
	text[0] = 0x01;
	memset(text + 1 + HASH, 'r', HASH);
	cdop_merkle_leaf(l, (struct cdop_bytes){text + 1, 2 * HASH});
	assert_memory_not_equal(l, want, HASH);
}

static void
roots_are_those_of_the_definition(void **state)
{
	struct source source = {0};
	uint8_t root[HASH], empty[HASH];
	uint64_t size;

	(void)state;
	cdop_merkle_empty(empty);
	assert_int_equal(cdop_merkle_root(0, fetch, &source, root), CDOP_OK);
	assert_memory_equal(root, empty, HASH);
	assert_int_equal(source.asked, 0);
	for (size = 1; size <= RFC6962_MOST; size++) {
		source = (struct source){.size = size};
		assert_int_equal(
		    cdop_merkle_root(size, fetch, &source, root), CDOP_OK);
		assert_memory_equal(root, rfc6962_mth(0, size), HASH);
		assert_int_equal(source.asked, __builtin_popcountll(size));
	}
}

/* ---- proofs that hold --------------------------------------------------- */

static void
every_inclusion_proof_is_the_defined_one_and_holds(void **state)
{
	struct cdop_merkle_proof proof, want;
	struct source source;
	uint64_t size, i;

	(void)state;
	for (size = 1; size <= RFC6962_MOST; size++)
		for (i = 0; i < size; i++) {
			source = (struct source){.size = size};
			assert_int_equal(cdop_merkle_prove_inclusion(
					     i, size, fetch, &source, &proof),
			    CDOP_OK);
			assert_true(source.asked <= 2 * log2_up(size));
			want.n = 0;
			rfc6962_path(i, 0, size, &want);
			assert_same_proof(&proof, &want);
			assert_int_equal(cdop_merkle_check_inclusion(i, size,
					     rfc6962_mth(i, i + 1), &proof,
					     rfc6962_mth(0, size)),
			    CDOP_OK);
		}
}

static void
every_consistency_proof_is_the_defined_one_and_holds(void **state)
{
	struct cdop_merkle_proof proof, want;
	struct source source;
	uint64_t size, old;

	(void)state;
	for (size = 1; size <= RFC6962_MOST; size++)
		for (old = 1; old <= size; old++) {
			source = (struct source){.size = size};
			assert_int_equal(cdop_merkle_prove_consistency(
					     old, size, fetch, &source, &proof),
			    CDOP_OK);
			assert_true(source.asked <= 2 * log2_up(size) + 1);
			want.n = 0;
			rfc6962_subproof(old, 0, size, true, &want);
			assert_same_proof(&proof, &want);
			assert_int_equal(cdop_merkle_check_consistency(old,
					     rfc6962_mth(0, old), size,
					     rfc6962_mth(0, size), &proof),
			    CDOP_OK);
		}
}

static void
what_is_not_in_the_tree_is_not_proved(void **state)
{
	struct cdop_merkle_proof proof = {.n = 7};
	struct source source = {.size = 8};
	uint8_t root[HASH];

	(void)state;
	assert_int_equal(
	    cdop_merkle_prove_inclusion(8, 8, fetch, &source, &proof),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_merkle_prove_inclusion(0, 0, fetch, &source, &proof),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_merkle_prove_consistency(0, 8, fetch, &source, &proof),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_merkle_prove_consistency(9, 8, fetch, &source, &proof),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_merkle_prove_inclusion(0,
			     CDOP_MERKLE_SIZE_MAX + 1, fetch, &source, &proof),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_merkle_prove_consistency(8,
			     CDOP_MERKLE_SIZE_MAX + 1, fetch, &source, &proof),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_merkle_root(UINT64_MAX, fetch, &source, root),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(source.asked, 0);
	assert_int_equal(proof.n, 7);
}

/* ---- the source of the hashes ------------------------------------------ */

static void
a_fetch_that_fails_is_handed_on_and_nothing_else(void **state)
{
	static const uint8_t zeros[HASH];
	struct cdop_merkle_proof proof = {.n = 0};
	struct source source = {.size = 299};
	uint8_t root[HASH] = {0};
	unsigned at;

	(void)state;
	for (at = 1; at <= 5; at++) {
		source.asked = 0;
		source.fails_at = at;
		assert_int_equal(cdop_merkle_root(299, fetch, &source, root),
		    CDOP_UNAVAILABLE);
		source.asked = 0;
		assert_int_equal(cdop_merkle_prove_inclusion(
				     17, 299, fetch, &source, &proof),
		    CDOP_UNAVAILABLE);
		source.asked = 0;
		assert_int_equal(cdop_merkle_prove_consistency(
				     17, 299, fetch, &source, &proof),
		    CDOP_UNAVAILABLE);
	}
	assert_memory_equal(root, zeros, HASH);
	assert_int_equal(proof.n, 0);
}

/* Every leaf is the same, so each level has one hash. */
static enum cdop_err
fetch_uniform(void *ctx, unsigned height, uint64_t index, uint8_t *ret_hash)
{
	unsigned i;

	(void)ctx;
	(void)index;
	cdop_merkle_leaf(ret_hash, (struct cdop_bytes){NULL, 0});
	for (i = 0; i < height; i++)
		cdop_merkle_node(ret_hash, ret_hash, ret_hash);
	return CDOP_OK;
}

static void
the_largest_trees_have_proofs_too(void **state)
{
	const uint64_t sizes[] = {CDOP_MERKLE_SIZE_MAX,
	    CDOP_MERKLE_SIZE_MAX - 1, (CDOP_MERKLE_SIZE_MAX >> 1) + 1};
	uint8_t root[HASH], old[HASH], leaf[HASH];
	struct cdop_merkle_proof proof;
	uint64_t small;
	size_t i, j;

	(void)state;
	cdop_merkle_leaf(leaf, (struct cdop_bytes){NULL, 0});
	for (i = 0; i < 3; i++) {
		assert_int_equal(
		    cdop_merkle_root(sizes[i], fetch_uniform, NULL, root),
		    CDOP_OK);
		for (j = 1; j < 63; j++) {
			small = sizes[i] - (sizes[i] >> j) + (j & 1);
			if (small >= sizes[i])
				small = sizes[i] - 1;
			assert_int_equal(
			    cdop_merkle_prove_inclusion(
				small, sizes[i], fetch_uniform, NULL, &proof),
			    CDOP_OK);
			assert_int_equal(cdop_merkle_check_inclusion(small,
					     sizes[i], leaf, &proof, root),
			    CDOP_OK);
			assert_int_equal(
			    cdop_merkle_prove_consistency(
				small, sizes[i], fetch_uniform, NULL, &proof),
			    CDOP_OK);
			assert_int_equal(
			    cdop_merkle_root(small, fetch_uniform, NULL, old),
			    CDOP_OK);
			assert_int_equal(cdop_merkle_check_consistency(small,
					     old, sizes[i], root, &proof),
			    CDOP_OK);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes_are_those_of_rfc_6962),
	    cmocka_unit_test(a_node_is_hashed_over_its_children_in_place),
	    cmocka_unit_test(roots_are_those_of_the_definition),
	    cmocka_unit_test(
		every_inclusion_proof_is_the_defined_one_and_holds),
	    cmocka_unit_test(
		every_consistency_proof_is_the_defined_one_and_holds),
	    cmocka_unit_test(what_is_not_in_the_tree_is_not_proved),
	    cmocka_unit_test(a_fetch_that_fails_is_handed_on_and_nothing_else),
	    cmocka_unit_test(the_largest_trees_have_proofs_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
