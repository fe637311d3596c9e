/* Each finding about leaves and tiles, alone, in words of its own. */
#include "server/registry/tree_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/tree_row.h"
#include "server/store/schema.h"
#include "stored.pb-c.h"
#include "tests/unit/server/registry/tree_fixture.h"

/* A tile as verify is handed it. */
struct tile {
	struct rows_head head;
	size_t len;
	uint8_t *data;
};

#define TILES_MAX 300

static struct tree_fixture t;
static struct tile tiles[TILES_MAX];
static size_t n_tiles;
static struct verify_tree head;

static char lines[1024];
static unsigned findings;

static enum cdop_err
take_tile(void *ctx, const struct rows_head *row, struct rows_item *item,
    bool *ret_stop)
{
	struct cdop_arena *arena = ctx;
	struct cdop_bytes data;

	(void)ret_stop;
	assert_true(n_tiles < TILES_MAX - 1);
	cdop_arena_reset(arena);
	assert_int_equal(rows_item_open(item, arena, &data), CDOP_OK);
	tiles[n_tiles].head = *row;
	tiles[n_tiles].len = data.len;
	tiles[n_tiles].data = malloc(data.len);
	assert_non_null(tiles[n_tiles].data);
	memcpy(tiles[n_tiles++].data, data.data, data.len);
	return CDOP_OK;
}

/* A log of n leaves; the rows of leaves are made when they are handed over. */
static void
make(uint64_t n)
{
	n_tiles = 0;
	tree_fixture_make(&t, n);
	tree_fixture_grow(&t, n, UINT64_MAX);
	assert_int_equal(
	    rows_walk_log(t.f.rows, 0, take_tile, t.f.arena), CDOP_OK);
	head.size = n;
	memcpy(head.root, rows_tree_root(t.f.rows), sizeof(head.root));
	head.tile_row = rows_tree_tile(t.f.rows);
}

static void
end(void)
{
	while (n_tiles > 0)
		free(tiles[--n_tiles].data);
	tree_fixture_end(&t);
}

static void
on_line(void *ctx, bool is_finding, const char *line)
{
	size_t used = strlen(lines), len = strlen(line);

	(void)ctx;
	findings += is_finding;
	assert_true(used + len + 2 <= sizeof(lines));
	memcpy(lines + used, line, len);
	memcpy(lines + used + len, "\n", 2);
}

/* A leaf that is not the one it was; UINT64_MAX: none is. */
struct lie {
	uint64_t leaf;
	uint8_t flavour;  /* another leaf */
	size_t cut;       /* bytes that the row lacks */
	uint32_t version; /* added to that of its head */
	bool gone;
};

static size_t
leaf_row(uint64_t index, uint8_t flavour, uint8_t *packed)
{
	uint8_t leaf[256], secret[32] = {7};
	Cdop__StoredWords words;
	Cdop__StoredLeaf stored;

	tree_fixture_make_leaf(flavour, index, leaf);
	cdop__stored_words__init(&words);
	cdop__stored_leaf__init(&stored);
	stored.leaf = (ProtobufCBinaryData){sizeof(leaf), leaf};
	stored.secret = (ProtobufCBinaryData){sizeof(secret), secret};
	stored.words = &words;
	return cdop__stored_leaf__pack(&stored, packed);
}

/* Leaves, then tiles: verify does not mind the order. */
static unsigned
look(const struct lie *lie)
{
	struct rows_head row = {.kind = SCHEMA_KIND_LEAF};
	struct tree_verify *verify;
	struct verify_log log;
	uint8_t packed[512];
	struct cdop_bytes data = {packed, 0};
	bool is_lie;
	uint64_t i;
	size_t n;

	lines[0] = '\0';
	findings = 0;
	assert_int_equal(tree_verify_new(&verify), CDOP_OK);
	log = tree_verify_log(verify);
	assert_int_equal(log.begin(log.ctx, &head, on_line, NULL), CDOP_OK);
	for (i = 0; i < t.n; i++) {
		is_lie = lie != NULL && lie->leaf == i;
		row.number = (UINT64_C(1) << 48) + i;
		row.version = (uint32_t)i + (is_lie ? lie->version : 0);
		data.len = leaf_row(i, is_lie ? lie->flavour : 0, packed) -
		    (is_lie ? lie->cut : 0);
		if (!is_lie || !lie->gone)
			assert_int_equal(log.row(log.ctx, &row, data), CDOP_OK);
	}
	for (n = 0; n < n_tiles; n++)
		assert_int_equal(
		    log.row(log.ctx, &tiles[n].head,
			(struct cdop_bytes){tiles[n].data, tiles[n].len}),
		    CDOP_OK);
	log.end(log.ctx);
	tree_verify_free(verify);
	return findings;
}

static void
expect(const struct lie *lie, unsigned n, const char *words)
{
	assert_int_equal(look(lie), n);
	if (strstr(lines, words) == NULL)
		fail_msg("said: %s", lines);
}

static void
what_was_written_is_fine(void **state)
{
	static const uint64_t sizes[] = {1, 255, 256, 257, 600};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make(sizes[i]);
		expect(NULL, 0, "");
		assert_string_equal(lines, "");
		end();
	}
}

static void
a_leaf_that_is_another_is_found_in_its_tile_or_in_the_root(void **state)
{
	const struct lie in_tile = {.leaf = 300, .flavour = 9};
	const struct lie at_end = {.leaf = 599, .flavour = 9};

	(void)state;
	make(600);
	expect(&in_tile, 1, ": tile 0/1 has another hash for leaf 300");
	expect(&at_end, 1, "the log: its root is another than the head row's");
	end();
}

static void
rows_that_are_none_are_found(void **state)
{
	const struct lie no_leaf = {.leaf = 300, .cut = 1};
	const struct lie of_another = {.leaf = 300, .version = 1};

	(void)state;
	make(600);
	expect(&no_leaf, 1, "row 1/300: not a leaf");
	expect(&of_another, 1, "row 1/300: a leaf under the number of another");
	tiles[1].len--;
	expect(NULL, 2, ": not a tile");
	assert_non_null(strstr(lines, "the log: tile 0/1 is missing"));
	end();
}

/* The rows say themselves that it is missing; a root needs all of them. */
static void
a_leaf_that_is_gone_is_no_wrong_root(void **state)
{
	const struct lie in_tile = {.leaf = 300, .gone = true};
	const struct lie at_end = {.leaf = 599, .gone = true};

	(void)state;
	make(600);
	expect(&in_tile, 0, "");
	expect(&at_end, 0, "");
	end();
}

static void
a_tile_that_is_gone_or_there_twice_is_found(void **state)
{
	struct tile gone;

	(void)state;
	make(600);
	gone = tiles[0];
	tiles[0] = tiles[--n_tiles];
	expect(NULL, 1, "the log: tile 0/0 is missing");
	tiles[n_tiles++] = gone;
	expect(NULL, 0, "");
	tiles[n_tiles++] = gone;
	expect(NULL, 1, ": tile 0/0 is there twice");
	n_tiles--;
	end();
}

static void
a_tile_beyond_the_log_is_found(void **state)
{
	(void)state;
	make(600);
	head.size = 300;
	t.n = 300;
	expect(NULL, 3, ": a tile that this log does not have");
	assert_non_null(
	    strstr(lines, "the head row names another tile as the newest"));
	assert_non_null(strstr(lines, "its root is another"));
	end();
}

static void
the_newest_tile_and_the_head_row_go_together(void **state)
{
	(void)state;
	make(600);
	tiles[1].data[8208 + 1 + 5] ^= 1; /* a hash of the edge */
	expect(NULL, 1, ": the newest tile has another edge than the tree");
	tiles[1].data[8208 + 1 + 5] ^= 1;
	tiles[1].data[8208 + 1 + 39] ^= 1; /* and a row number */
	expect(NULL, 1, ": the newest tile has another edge than the tree");
	tiles[1].data[8208 + 1 + 39] ^= 1;
	head.tile_row--;
	expect(NULL, 1, "the head row names another tile as the newest");
	head.tile_row++;
	head.root[0] ^= 1;
	expect(NULL, 1, "the log: its root is another than the head row's");
	end();
}

/* Tile 256 is the one of level 1: it was put behind tile 255 of level 0. */
static void
a_tile_above_has_the_hashes_and_rows_of_those_below(void **state)
{
	struct tile *above;

	(void)state;
	make(65536); /* the newest tile is the one of level 1 */
	expect(NULL, 0, "");
	end();
	make(65836);
	above = &tiles[256];
	assert_int_equal(above->data[0], 1);
	above->data[16 + 17 * 32] ^= 1;
	expect(NULL, 1, ": tile 1/0 has another hash for tile 0/17");
	above->data[16 + 17 * 32] ^= 1;
	above->data[16 + 8192 + 17 * 8 + 7] ^= 1;
	expect(NULL, 1, ": tile 1/0 names another row for tile 0/17");
	above->data[16 + 8192 + 17 * 8 + 7] ^= 1;
	/* One below, and what stands on it. */
	tiles[17].data[16 + 5 * 32] ^= 1;
	expect(NULL, 2, ": tile 0/17 has another hash for leaf 4357");
	assert_non_null(
	    strstr(lines, ": tile 1/0 has another hash for tile 0/17"));
	tiles[17].data[16 + 5 * 32] ^= 1;
	expect(NULL, 0, "");
	end();
}

static void
a_log_from_before_the_tree_is_said_to_be_one(void **state)
{
	(void)state;
	make(600);
	memset(head.root, 0, sizeof(head.root));
	expect(NULL, 0, "the log has no tree yet");
	head.size = UINT64_C(1) << 32;
	head.root[0] = 1;
	expect(NULL, 1, "too long to be looked at");
	end();
}

/* Slots and keys of an init that was killed before its one entry. */
static void
a_log_without_any_entry_is_no_registry(void **state)
{
	static const struct verify_tree none;
	struct tree_verify *v;
	struct verify_log log;

	(void)state;
	lines[0] = '\0';
	findings = 0;
	assert_int_equal(tree_verify_new(&v), CDOP_OK);
	log = tree_verify_log(v);
	assert_int_equal(log.begin(log.ctx, &none, on_line, NULL), CDOP_OK);
	log.end(log.ctx);
	tree_verify_free(v);
	assert_int_equal(findings, 1);
	assert_non_null(strstr(lines, "init was cut off"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_written_is_fine),
	    cmocka_unit_test(
		a_leaf_that_is_another_is_found_in_its_tile_or_in_the_root),
	    cmocka_unit_test(rows_that_are_none_are_found),
	    cmocka_unit_test(a_leaf_that_is_gone_is_no_wrong_root),
	    cmocka_unit_test(a_tile_that_is_gone_or_there_twice_is_found),
	    cmocka_unit_test(a_tile_beyond_the_log_is_found),
	    cmocka_unit_test(the_newest_tile_and_the_head_row_go_together),
	    cmocka_unit_test(
		a_tile_above_has_the_hashes_and_rows_of_those_below),
	    cmocka_unit_test(a_log_from_before_the_tree_is_said_to_be_one),
	    cmocka_unit_test(a_log_without_any_entry_is_no_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
