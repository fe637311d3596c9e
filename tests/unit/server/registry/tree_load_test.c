/* The tree at a start, and over a log that was there before it. */
#include "server/registry/tree_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/tree_core.h"
#include "server/vault/rows_core.h"
#include "tests/unit/server/registry/tree_fixture.h"

/*
 * Only the leaves behind the newest tile have rows here: a start that read
 * more of the log would miss them.
 */
static void
start_at(struct tree_fixture *t, uint64_t size)
{
	uint64_t tail = size - size % 256;

	if (tail > t->n)
		tree_fixture_grow(t, tail - t->n, UINT64_MAX);
	tree_fixture_grow(t, size - t->n, t->n);
	if (tree_fixture_reopen(t) != CDOP_OK)
		fail_msg("%llu leaves: %s", (unsigned long long)size, t->why);
	tree_fixture_check(t, size / 5 + 1);
	/* It goes on from there. */
	tree_fixture_begin(t);
	while (t->n < size + 300)
		tree_fixture_leaf(t, false);
	assert_int_equal(tree_seal(t->reg.tree), CDOP_OK);
	tree_fixture_check(t, size / 5 + 1);
	tree_fixture_abort(t);
}

static void
a_start_reads_the_newest_tile_and_what_is_behind_it(void **state)
{
	static const uint64_t sizes[] = {1, 255, 256, 257, 600, 1024, 65535,
	    65536, 65537, 65536 + 255, 65536 + 513};
	struct tree_fixture t;
	size_t i;

	(void)state;
	tree_fixture_make(&t, 66500);
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		start_at(&t, sizes[i]);
	tree_fixture_end(&t);
}

/* Rows that were sealed anew stand in another order. */
static void
leaves_behind_the_tile_may_stand_in_any_order(void **state)
{
	struct tree_fixture t;
	struct rows_new row = {
	    .kind = SCHEMA_KIND_TILE, .schema = 1, .version = 0};
	struct cdop_bytes data;
	struct tree_row tile;
	uint64_t number;

	(void)state;
	tree_fixture_make(&t, 300);
	tree_fixture_grow(&t, 300, 0);
	tree_fixture_begin(&t);
	assert_int_equal(rows_get(t.f.rows, rows_tree_tile(t.f.rows), t.f.arena,
			     NULL, &data),
	    CDOP_OK);
	assert_int_equal(tree_row_parse(data, &tile), CDOP_OK);
	row.data = data;
	assert_int_equal(
	    rows_replace(t.f.rows, rows_tree_tile(t.f.rows), &row, &number),
	    CDOP_OK);
	rows_set_tree_tile(t.f.rows, number);
	tree_fixture_commit(&t);
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	tree_fixture_check(&t, 1);
	tree_fixture_end(&t);
}

/* ---- what a start refuses ---------------------------------------------- */

static void
refused(struct tree_fixture *t, const char *words)
{
	assert_int_equal(tree_fixture_reopen(t), CDOP_DATA_LOSS);
	if (strstr(t->why, words) == NULL)
		fail_msg("said: %s", t->why);
}

static void
a_root_that_the_leaves_do_not_have_is_refused(void **state)
{
	uint8_t root[CDOP_MERKLE_HASH];
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 300);
	tree_fixture_grow(&t, 300, 256);
	memcpy(root, rows_tree_root(t.f.rows), sizeof(root));
	root[31] ^= 1;
	tree_fixture_begin(&t);
	rows_set_tree_root(t.f.rows, root);
	store_fixture_commit(&t.f);
	refused(&t, "root differs");
	tree_fixture_end(&t);
}

struct find {
	uint32_t version;
	uint64_t number;
};

static enum cdop_err
find_leaf(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct find *find = ctx;

	(void)item;
	(void)ret_stop;
	if (head->kind == SCHEMA_KIND_LEAF && head->version == find->version)
		find->number = head->number;
	return CDOP_OK;
}

static uint64_t
row_of_leaf(struct tree_fixture *t, uint32_t index)
{
	struct find find = {index, 0};

	assert_int_equal(
	    rows_walk_log(t->f.rows, 0, find_leaf, &find), CDOP_OK);
	assert_int_not_equal(find.number, 0);
	return find.number;
}

static void
a_leaf_behind_the_tile_that_is_gone_is_refused(void **state)
{
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 300);
	tree_fixture_grow(&t, 300, 256);
	tree_fixture_begin(&t);
	assert_int_equal(rows_del(t.f.rows, row_of_leaf(&t, 299)), CDOP_OK);
	tree_fixture_commit(&t);
	refused(&t, "a leaf at the end of the log is missing");
	tree_fixture_end(&t);
}

/* Version and index of a row go together, and each is there once. */
static void
a_leaf_that_is_there_twice_or_is_another_is_refused(void **state)
{
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 300);
	tree_fixture_grow(&t, 299, 256);
	t.f.rows->s.head.next_leaf = 298;
	tree_fixture_begin(&t);
	t.n = 298;
	tree_fixture_leaf(&t, true);
	store_fixture_commit(&t.f);
	refused(&t, "a leaf is there twice");
	tree_fixture_end(&t);

	tree_fixture_make(&t, 600);
	tree_fixture_grow(&t, 299, 256);
	tree_fixture_begin(&t);
	t.n = 599;
	tree_fixture_leaf(&t, true);
	store_fixture_commit(&t.f);
	refused(&t, "a leaf is not the one its row says");
	tree_fixture_end(&t);
}

static void
a_row_that_is_no_leaf_is_refused(void **state)
{
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 300);
	tree_fixture_grow(&t, 299, 256);
	tree_fixture_begin(&t);
	(void)store_fixture_leaf(&t.f, "no leaf");
	store_fixture_commit(&t.f);
	refused(&t, "a log row is not a leaf");
	tree_fixture_end(&t);
}

static void
the_newest_tile_has_to_be_there_and_the_newest(void **state)
{
	struct tree_fixture t;
	uint64_t newest, before;

	(void)state;
	tree_fixture_make(&t, 600);
	tree_fixture_grow(&t, 300, 256);
	before = rows_tree_tile(t.f.rows);
	tree_fixture_grow(&t, 300, 512);
	newest = rows_tree_tile(t.f.rows);
	tree_fixture_begin(&t);
	rows_set_tree_tile(t.f.rows, before);
	store_fixture_commit(&t.f);
	refused(&t, "newest tile of the log is missing, or another");

	tree_fixture_begin(&t);
	rows_set_tree_tile(t.f.rows, newest);
	assert_int_equal(rows_del(t.f.rows, newest), CDOP_OK);
	store_fixture_commit(&t.f);
	refused(&t, "newest tile of the log is missing, or another");
	tree_fixture_end(&t);
}

static void
a_log_that_no_registry_can_have_is_refused(void **state)
{
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 300);
	tree_fixture_grow(&t, 299, 256);
	tree_fixture_begin(&t);
	t.f.rows->s.head.next_leaf = UINT64_MAX;
	store_fixture_commit(&t.f);
	refused(&t, "no log can be that long");
	tree_fixture_end(&t);
}

/* ---- a registry from before the tree ----------------------------------- */

static void
a_log_from_before_the_tree_gets_one_once(void **state)
{
	static const uint64_t sizes[] = {1, 256, 300, 5000};
	struct tree_fixture t;
	uint64_t rows;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		tree_fixture_make(&t, sizes[i]);
		tree_fixture_bare(&t, sizes[i]);
		assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
		tree_fixture_check(&t, sizes[i] / 7 + 1);
		rows = t.f.rows->s.head.next_row;
		assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
		assert_int_equal(t.f.rows->s.head.next_row, rows);
		tree_fixture_check(&t, sizes[i] / 7 + 1);
		tree_fixture_end(&t);
	}
}

/* Cut off after some tiles were durable: the rest is built. */
static void
a_building_that_was_cut_off_goes_on(void **state)
{
	struct tree_fixture t;
	uint64_t i;

	(void)state;
	tree_fixture_make(&t, 5000);
	tree_fixture_bare(&t, 5000);
	undo_begin(t.f.undo);
	assert_int_equal(rows_begin(t.f.rows, 1u << 20, 64), CDOP_OK);
	for (i = 0; i < 1000; i++)
		assert_int_equal(tree_append(t.reg.tree, t.hash[i]), CDOP_OK);
	store_fixture_commit(&t.f);
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	tree_fixture_check(&t, 700);
	tree_fixture_end(&t);
}

static void
a_log_with_a_gap_gets_no_tree(void **state)
{
	struct tree_fixture t;

	(void)state;
	tree_fixture_make(&t, 700);
	tree_fixture_bare(&t, 700);
	store_fixture_begin(&t.f);
	assert_int_equal(rows_del(t.f.rows, row_of_leaf(&t, 300)), CDOP_OK);
	store_fixture_commit(&t.f);
	refused(&t, "a leaf of the log is missing");
	store_fixture_begin(&t.f);
	t.f.rows->s.head.next_leaf = 300;
	store_fixture_commit(&t.f);
	t.n = 300;
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	tree_fixture_end(&t);

	tree_fixture_make(&t, 700);
	tree_fixture_bare(&t, 700);
	store_fixture_begin(&t.f);
	t.f.rows->s.head.next_leaf = 701;
	store_fixture_commit(&t.f);
	refused(&t, "a leaf at the end of the log is missing");
	tree_fixture_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_start_reads_the_newest_tile_and_what_is_behind_it),
	    cmocka_unit_test(leaves_behind_the_tile_may_stand_in_any_order),
	    cmocka_unit_test(a_root_that_the_leaves_do_not_have_is_refused),
	    cmocka_unit_test(a_leaf_behind_the_tile_that_is_gone_is_refused),
	    cmocka_unit_test(
		a_leaf_that_is_there_twice_or_is_another_is_refused),
	    cmocka_unit_test(a_row_that_is_no_leaf_is_refused),
	    cmocka_unit_test(the_newest_tile_has_to_be_there_and_the_newest),
	    cmocka_unit_test(a_log_that_no_registry_can_have_is_refused),
	    cmocka_unit_test(a_log_from_before_the_tree_gets_one_once),
	    cmocka_unit_test(a_building_that_was_cut_off_goes_on),
	    cmocka_unit_test(a_log_with_a_gap_gets_no_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
