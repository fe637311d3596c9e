/* The tree: appended, taken back, proved, through tiles of two levels. */
#include "server/registry/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/tree_core.h"
#include "server/vault/rows_core.h"
#include "tests/unit/server/registry/tree_fixture.h"

static void
every_leaf_and_every_size_is_proved(void **state)
{
	static const uint64_t sizes[] = {
	    1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 700};
	struct tree_fixture t;
	size_t i;

	(void)state;
	tree_fixture_make(&t, 700);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		tree_fixture_grow(&t, sizes[i] - t.n, UINT64_MAX);
		tree_fixture_check(&t, i < 5 ? 1 : 13);
	}
	tree_fixture_end(&t);
}

struct count {
	unsigned n[2];
};

static enum cdop_err
count_tile(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct count *count = ctx;
	struct tree_row row;
	struct cdop_bytes data;
	struct cdop_arena *arena;

	(void)ret_stop;
	assert_int_equal(head->kind, SCHEMA_KIND_TILE);
	assert_int_equal(cdop_arena_new(1u << 18, &arena), CDOP_OK);
	assert_int_equal(rows_item_open(item, arena, &data), CDOP_OK);
	assert_int_equal(tree_row_parse(data, &row), CDOP_OK);
	assert_true(row.level < 2);
	assert_int_equal(row.index, count->n[row.level]++);
	assert_int_equal(head->version, row.index);
	cdop_arena_free(arena);
	return CDOP_OK;
}

/* 256 tiles of 256 make the first of the next level. */
static void
tiles_of_tiles_are_put_and_found_again(void **state)
{
	struct count count = {{0, 0}};
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 66000);
	tree_fixture_grow(&t, 65536 - 3, UINT64_MAX);
	tree_fixture_grow(&t, 3, UINT64_MAX);
	tree_fixture_check(&t, 9973);
	tree_fixture_grow(&t, 300, UINT64_MAX);
	tree_fixture_check(&t, 9973);
	assert_int_equal(
	    rows_walk_log(t.f.rows, 0, count_tile, &count), CDOP_OK);
	assert_int_equal(count.n[0], 65836 / 256);
	assert_int_equal(count.n[1], 1);
	tree_fixture_end(&t);
}

/* Leaves over the end of a tile, taken back; then others in their place. */
static void
a_batch_that_is_aborted_leaves_the_tree_as_it_was(void **state)
{
	uint8_t hash[CDOP_MERKLE_HASH];
	struct tree_fixture t;
	uint64_t at;

	(void)state;
	tree_fixture_make(&t, 1200);
	for (at = 250; at <= 260; at += 5) {
		tree_fixture_grow(&t, at - t.n, UINT64_MAX);
		t.flavour = 0xee;
		tree_fixture_begin(&t);
		while (t.n < at + 520)
			tree_fixture_leaf(&t, false);
		/* So that what is taken back is in every memory there is. */
		assert_int_equal(
		    tree_fetch(t.reg.tree, 0, at + 1, hash), CDOP_OK);
		assert_memory_equal(hash, t.hash[at + 1], sizeof(hash));
		assert_int_equal(tree_fetch(t.reg.tree, 8, 1, hash), CDOP_OK);
		tree_fixture_abort(&t);
		assert_int_equal(t.n, at);
		t.flavour = 0;
		tree_fixture_check(&t, 1);
		assert_int_equal(tree_fetch(t.reg.tree, 0, at + 1, hash),
		    CDOP_INVALID_ARGUMENT);
	}
	tree_fixture_grow(&t, 300, UINT64_MAX);
	tree_fixture_check(&t, 1);
	assert_int_equal(tree_fixture_reopen(&t), CDOP_DATA_LOSS);
	tree_fixture_end(&t);
}

static void
what_is_no_complete_subtree_is_refused(void **state)
{
	uint8_t hash[CDOP_MERKLE_HASH];
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 300);
	tree_fixture_grow(&t, 300, UINT64_MAX);
	assert_int_equal(tree_fetch(t.reg.tree, 0, 299, hash), CDOP_OK);
	assert_int_equal(
	    tree_fetch(t.reg.tree, 0, 300, hash), CDOP_INVALID_ARGUMENT);
	assert_int_equal(tree_fetch(t.reg.tree, 8, 0, hash), CDOP_OK);
	assert_int_equal(
	    tree_fetch(t.reg.tree, 8, 1, hash), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    tree_fetch(t.reg.tree, 9, 0, hash), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    tree_fetch(t.reg.tree, 48, 0, hash), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    tree_fetch(t.reg.tree, 63, 0, hash), CDOP_INVALID_ARGUMENT);
	tree_fixture_end(&t);
}

/* A tile of the middle is gone: what needs it fails, the rest does not. */
static void
a_tile_that_is_gone_fails_the_proofs_over_it_alone(void **state)
{
	struct cdop_merkle_proof proof;
	struct tree_fixture t;
	uint64_t row;

	(void)state;
	tree_fixture_make(&t, 1100);
	tree_fixture_grow(&t, 1100, UINT64_MAX);
	row = t.reg.tree->level[1].tile.below[1];
	tree_fixture_begin(&t);
	assert_int_equal(rows_del(t.f.rows, row), CDOP_OK);
	tree_fixture_commit(&t);
	assert_int_equal(cdop_merkle_prove_inclusion(
			     300, t.n, tree_fetch, t.reg.tree, &proof),
	    CDOP_DATA_LOSS);
	assert_int_equal(cdop_merkle_prove_inclusion(
			     200, t.n, tree_fetch, t.reg.tree, &proof),
	    CDOP_OK);
	/* And still: nothing of the failure is kept. */
	assert_int_equal(cdop_merkle_prove_inclusion(
			     300, t.n, tree_fetch, t.reg.tree, &proof),
	    CDOP_DATA_LOSS);
	/* Another tile in its place is no better. */
	t.reg.tree->level[1].tile.below[1] = t.reg.tree->level[1].tile.below[2];
	assert_int_equal(cdop_merkle_prove_inclusion(
			     300, t.n, tree_fetch, t.reg.tree, &proof),
	    CDOP_DATA_LOSS);
	tree_fixture_end(&t);
}

static void
a_tile_is_the_one_that_its_parent_has(void **state)
{
	struct cdop_merkle_proof proof;
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 1100);
	tree_fixture_grow(&t, 1100, UINT64_MAX);
	t.reg.tree->level[1].tile.hash[1][5] ^= 1;
	assert_int_equal(cdop_merkle_prove_inclusion(
			     300, t.n, tree_fetch, t.reg.tree, &proof),
	    CDOP_DATA_LOSS);
	t.reg.tree->level[1].tile.hash[1][5] ^= 1;
	tree_fixture_check(&t, 50);
	tree_fixture_end(&t);
}

static void
a_log_as_long_as_row_numbers_is_full(void **state)
{
	uint8_t hash[CDOP_MERKLE_HASH] = {0};
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 1);
	t.reg.tree->size = (UINT64_C(1) << 48) - 1;
	tree_fixture_begin(&t);
	assert_int_equal(
	    tree_append(t.reg.tree, hash), CDOP_RESOURCE_EXHAUSTED);
	t.reg.tree->size = 0;
	tree_fixture_abort(&t);
	tree_fixture_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_leaf_and_every_size_is_proved),
	    cmocka_unit_test(tiles_of_tiles_are_put_and_found_again),
	    cmocka_unit_test(a_batch_that_is_aborted_leaves_the_tree_as_it_was),
	    cmocka_unit_test(what_is_no_complete_subtree_is_refused),
	    cmocka_unit_test(
		a_tile_that_is_gone_fails_the_proofs_over_it_alone),
	    cmocka_unit_test(a_tile_is_the_one_that_its_parent_has),
	    cmocka_unit_test(a_log_as_long_as_row_numbers_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
