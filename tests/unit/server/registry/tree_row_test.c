/* The layout of a TILE row: there and back, and nothing that does not fit. */
#include "server/registry/tree_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tree_row_tile tile[TREE_ROW_LEVELS];
static const struct tree_row_tile *tiles[TREE_ROW_LEVELS];
static uint8_t out[TREE_ROW_MAX + 1];

static int
setup(void **state)
{
	unsigned level, i;

	(void)state;
	for (level = 0; level < TREE_ROW_LEVELS; level++) {
		tiles[level] = &tile[level];
		for (i = 0; i < TREE_ROW_WIDTH; i++) {
			memset(tile[level].hash[i], (int)(level * 16 + i), 32);
			tile[level].below[i] = level * 1000u + i;
		}
	}
	return 0;
}

/* index, and the length that follows from it. */
static void
an_edge_has_what_is_incomplete_above(void **state)
{
	static const struct {
		uint64_t index;
		size_t len;
	} cases[] = {
	    {0, 8208},
	    {1, 8208 + 1 + 40},
	    {255, 8208 + 1 + 255 * 40},
	    {256, 8208 + 1 + 1 + 40},
	    {0x0203, 8208 + 1 + 3 * 40 + 1 + 2 * 40},
	    {0x010000, 8208 + 1 + 1 + 1 + 40},
	    {0xffffffffff, TREE_ROW_MAX},
	};
	struct tree_row row;
	uint8_t hash[32];
	uint64_t below;
	unsigned level, n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tree_row_write(tiles, 0, cases[i].index, out),
		    cases[i].len);
		assert_int_equal(
		    tree_row_parse(
			(struct cdop_bytes){out, cases[i].len}, &row),
		    CDOP_OK);
		assert_int_equal(row.level, 0);
		assert_int_equal(row.index, cases[i].index);
		assert_memory_equal(row.hash, tile[0].hash, 8192);
		assert_null(row.below);
		for (level = 1; level < TREE_ROW_LEVELS; level++) {
			n = tree_row_edge_count(cases[i].index, level);
			if (n == 0)
				continue;
			tree_row_edge(&row, level, n - 1, hash, &below);
			assert_memory_equal(hash, tile[level].hash[n - 1], 32);
			assert_int_equal(below, tile[level].below[n - 1]);
		}
	}
}

static void
a_tile_above_names_the_rows_below(void **state)
{
	struct tree_row row;
	unsigned i;

	(void)state;
	assert_int_equal(tree_row_write(tiles, 2, 7, out), 8208 + 2048);
	assert_int_equal(
	    tree_row_parse((struct cdop_bytes){out, 8208 + 2048}, &row),
	    CDOP_OK);
	assert_int_equal(row.level, 2);
	assert_int_equal(row.index, 7);
	assert_int_equal(row.edge.len, 0);
	for (i = 0; i < TREE_ROW_WIDTH; i++)
		assert_int_equal(
		    cdop_get64(row.below + 8 * (size_t)i), 2000 + i);
}

/* Bytes as they stand in DESIGN.md. */
static void
the_layout_is_the_one_that_is_written_down(void **state)
{
	static const uint8_t head[16] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1};
	const uint8_t *edge = out + 8208;

	(void)state;
	(void)tree_row_write(tiles, 0, 0x0201, out);
	assert_memory_equal(out, head, sizeof(head));
	assert_memory_equal(out + 16 + 32, tile[0].hash[1], 32);
	assert_int_equal(edge[0], 1);
	assert_memory_equal(edge + 1, tile[1].hash[0], 32);
	assert_int_equal(cdop_get64(edge + 33), 1000);
	assert_int_equal(edge[41], 2);
	assert_int_equal(cdop_get64(edge + 42 + 40 + 32), 2001);
}

static void
refuse(size_t len, size_t at, uint8_t flip)
{
	struct tree_row row;

	out[at] ^= flip;
	assert_int_equal(tree_row_parse((struct cdop_bytes){out, len}, &row),
	    CDOP_DATA_LOSS);
	out[at] ^= flip;
}

static void
what_is_no_tile_is_refused(void **state)
{
	size_t len = tree_row_write(tiles, 0, 0x0203, out), i;

	(void)state;
	refuse(len, 0, 1);    /* another level has no edge */
	refuse(len, 0, 0x80); /* no such level */
	for (i = 1; i < 8; i++)
		refuse(len, i, 1); /* zeros */
	for (i = 8; i < 16; i++)
		refuse(len, i, 0x10); /* no tile of that index has the edge */
	refuse(len, 8208, 1);         /* a count that the index does not say */
	refuse(len - 1, 0, 0);
	refuse(len + 1, 0, 0);
	refuse(15, 0, 0);
	refuse(0, 0, 0);
	len = tree_row_write(tiles, 5, 0, out);
	refuse(len, 15, 1); /* beyond all leaves there can be */
	refuse(len + 1, 0, 0);
	refuse(len - 1, 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_edge_has_what_is_incomplete_above),
	    cmocka_unit_test(a_tile_above_names_the_rows_below),
	    cmocka_unit_test(the_layout_is_the_one_that_is_written_down),
	    cmocka_unit_test(what_is_no_tile_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
