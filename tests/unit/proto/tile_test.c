/* Tiles: their names, how wide they are, and the roots over them. */
#include "cdop/tile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/proto/rfc6962.h"

#define HASH CDOP_MERKLE_HASH

/* ---- names --------------------------------------------------------------- */

static void
path_is(unsigned level, uint64_t tile, unsigned width, const char *want)
{
	char path[CDOP_TILE_PATH_MAX];

	cdop_tile_path(level, tile, width, path);
	assert_string_equal(path, want);
}

static void
entries_path_is(uint64_t tile, unsigned width, const char *want)
{
	char path[CDOP_TILE_PATH_MAX];

	cdop_tile_entries_path(tile, width, path);
	assert_string_equal(path, want);
}

static void
paths_are_those_of_the_specification(void **state)
{
	(void)state;
	path_is(0, 1234067, 256, "tile/0/x001/x234/067");
	path_is(0, 0, 256, "tile/0/000");
	path_is(1, 0, 17, "tile/1/000.p/17");
	path_is(0, 273, 112, "tile/0/273.p/112");
	path_is(3, 999, 1, "tile/3/999.p/1");
	path_is(0, 1000, 255, "tile/0/x001/000.p/255");
	path_is(0, 1000000, 256, "tile/0/x001/x000/000");
	entries_path_is(1234067, 256, "tile/entries/x001/x234/067");
	entries_path_is(273, 112, "tile/entries/273.p/112");
}

static void
the_longest_path_fits(void **state)
{
	(void)state;
	entries_path_is(CDOP_MERKLE_SIZE_MAX / CDOP_TILE_WIDTH, 255,
	    "tile/entries/x018/x014/x398/x509/x481/984.p/255");
	entries_path_is(UINT64_MAX, 255,
	    "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255");
}

/* ---- widths -------------------------------------------------------------- */

static void
a_tree_of_70000_has_the_tiles_of_the_specification(void **state)
{
	(void)state;
	assert_int_equal(cdop_tile_width(0, 0, 70000), 256);
	assert_int_equal(cdop_tile_width(0, 272, 70000), 256);
	assert_int_equal(cdop_tile_width(0, 273, 70000), 112);
	assert_int_equal(cdop_tile_width(0, 274, 70000), 0);
	assert_int_equal(cdop_tile_width(1, 0, 70000), 256);
	assert_int_equal(cdop_tile_width(1, 1, 70000), 17);
	assert_int_equal(cdop_tile_width(1, 2, 70000), 0);
	assert_int_equal(cdop_tile_width(2, 0, 70000), 1);
	assert_int_equal(cdop_tile_width(2, 1, 70000), 0);
	assert_int_equal(cdop_tile_width(3, 0, 70000), 0);
}

static void
a_tree_of_256_has_one_hash_above_its_complete_tile(void **state)
{
	(void)state;
	assert_int_equal(cdop_tile_width(0, 0, 256), 256);
	assert_int_equal(cdop_tile_width(0, 1, 256), 0);
	assert_int_equal(cdop_tile_width(1, 0, 256), 1);
	assert_int_equal(cdop_tile_width(2, 0, 256), 0);
	assert_int_equal(cdop_tile_width(0, 0, 255), 255);
	assert_int_equal(cdop_tile_width(1, 0, 255), 0);
	assert_int_equal(cdop_tile_width(0, 0, 0), 0);
}

/* Each level's tiles hold floor(size / 256^level) hashes, all of them. */
static void
tiles_hold_every_hash_once(void **state)
{
	uint64_t size, tile, sum, want;
	unsigned level, width, last;

	(void)state;
	for (size = 0; size < 200000; size += 1 + size / 50)
		for (level = 0, want = size; level < 4; level++, want /= 256) {
			sum = 0;
			last = 256;
			for (tile = 0;; tile++, last = width) {
				width = cdop_tile_width(level, tile, size);
				assert_true(width == 0 || last == 256);
				sum += width;
				if (width == 0)
					break;
			}
			assert_int_equal(sum, want);
		}
}

static void
what_is_too_large_has_no_tiles(void **state)
{
	const uint64_t most = CDOP_MERKLE_SIZE_MAX;

	(void)state;
	assert_int_equal(cdop_tile_width(0, 0, most), 256);
	assert_int_equal(cdop_tile_width(0, most / 256 - 1, most), 256);
	assert_int_equal(cdop_tile_width(0, most / 256, most), 0);
	assert_int_equal(cdop_tile_width(7, 0, most), 64);
	assert_int_equal(cdop_tile_width(0, 0, most + 1), 0);
	assert_int_equal(cdop_tile_width(8, 0, most), 0);
	assert_int_equal(cdop_tile_width(0, UINT64_MAX, most), 0);
}

/* ---- hashes -------------------------------------------------------------- */

static void
the_root_over_a_tile_is_that_of_the_definition(void **state)
{
	static uint8_t tile[CDOP_TILE_LEN];
	uint8_t got[HASH];
	uint64_t i, n;
	unsigned height;

	(void)state;
	for (i = 0; i < CDOP_TILE_WIDTH; i++)
		memcpy(tile + i * HASH, rfc6962_mth(i, i + 1), HASH);
	for (height = 0; height <= CDOP_TILE_HEIGHT; height++) {
		n = UINT64_C(1) << height;
		for (i = 0; i + n <= CDOP_TILE_WIDTH; i += n) {
			cdop_tile_hash(tile + i * HASH, height, got);
			assert_memory_equal(got, rfc6962_mth(i, i + n), HASH);
		}
	}
}

/* Whatever merkle.h asks for lies within one tile that the tree has. */
static enum cdop_err
fetch(void *ctx, unsigned height, uint64_t index, uint8_t *ret_hash)
{
	const uint64_t *size = ctx;
	struct cdop_tile_place place;
	uint64_t begins;
	unsigned shift;

	cdop_tile_find(height, index, &place);
	assert_true(place.height < CDOP_TILE_HEIGHT);
	assert_true(place.first + (1u << place.height) <=
	    cdop_tile_width(place.level, place.tile, *size));
	shift = CDOP_TILE_HEIGHT * place.level;
	begins = place.tile * CDOP_TILE_WIDTH + place.first;
	assert_int_equal(begins << shift, index << height);
	assert_int_equal(shift + place.height, height);
	memset(ret_hash, 0, HASH);
	return CDOP_OK;
}

static void
all_that_a_proof_needs_is_in_the_tiles(void **state)
{
	static const uint64_t sizes[] = {1, 255, 256, 257, 65535, 65536, 65537,
	    70000, 16777217, 999999999999, CDOP_MERKLE_SIZE_MAX - 1};
	struct cdop_merkle_proof proof;
	uint64_t size, index;
	uint8_t root[HASH];
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size = sizes[i];
		assert_int_equal(
		    cdop_merkle_root(size, fetch, &size, root), CDOP_OK);
		for (k = 0; k < 64; k++) {
			index = size - 1 - (size - 1) / 64 * k;
			assert_int_equal(cdop_merkle_prove_inclusion(
					     index, size, fetch, &size, &proof),
			    CDOP_OK);
			assert_int_equal(
			    cdop_merkle_prove_consistency(
				index + 1, size, fetch, &size, &proof),
			    CDOP_OK);
		}
	}
}

/* ---- bundles ------------------------------------------------------------- */

static void
bundles_go_both_ways(void **state)
{
	static uint8_t bundle[1 << 17], entry[CDOP_TILE_ENTRY_MAX + 1];
	const size_t lens[] = {0, 1, 256, CDOP_TILE_ENTRY_MAX};
	struct cdop_bytes one = {entry, 0}, rest = {bundle, 0};
	size_t i;

	(void)state;
	memset(entry, 'e', sizeof(entry));
	for (i = 0; i < 4; i++) {
		one.len = lens[i];
		assert_int_equal(cdop_tile_entry_write(
				     one, bundle, sizeof(bundle), &rest.len),
		    CDOP_OK);
	}
	assert_memory_equal(bundle, "\0\0\0\1e\1\0eee", 10);
	assert_int_equal(rest.len, 8 + 257 + CDOP_TILE_ENTRY_MAX);
	for (i = 0; i < 4; i++) {
		assert_int_equal(cdop_tile_entry_next(&rest, &one), CDOP_OK);
		assert_int_equal(one.len, lens[i]);
		assert_memory_equal(one.data, entry, one.len);
	}
	assert_int_equal(rest.len, 0);
}

static void
a_bundle_that_is_cut_or_full_is_refused(void **state)
{
	uint8_t bundle[8] = {0, 3, 'a', 'b', 'c'};
	struct cdop_bytes rest, entry = {bundle, 3};
	static uint8_t longer[CDOP_TILE_ENTRY_MAX + 1];
	size_t len;

	(void)state;
	for (len = 1; len < 5; len++) {
		rest = (struct cdop_bytes){bundle, len};
		assert_int_equal(
		    cdop_tile_entry_next(&rest, &entry), CDOP_INVALID_ARGUMENT);
		assert_int_equal(rest.len, len);
	}
	entry = (struct cdop_bytes){(const uint8_t *)"xyz", 3};
	len = 4;
	assert_int_equal(cdop_tile_entry_write(entry, bundle, 8, &len),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(len, 4);
	len = 9; /* behind its end already */
	assert_int_equal(cdop_tile_entry_write(entry, bundle, 8, &len),
	    CDOP_RESOURCE_EXHAUSTED);
	len = 3;
	assert_int_equal(
	    cdop_tile_entry_write(entry, bundle, 8, &len), CDOP_OK);
	assert_int_equal(len, 8);
	len = 0;
	entry = (struct cdop_bytes){longer, sizeof(longer)};
	assert_int_equal(cdop_tile_entry_write(entry, bundle, 1u << 20, &len),
	    CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_are_those_of_the_specification),
	    cmocka_unit_test(the_longest_path_fits),
	    cmocka_unit_test(
		a_tree_of_70000_has_the_tiles_of_the_specification),
	    cmocka_unit_test(
		a_tree_of_256_has_one_hash_above_its_complete_tile),
	    cmocka_unit_test(tiles_hold_every_hash_once),
	    cmocka_unit_test(what_is_too_large_has_no_tiles),
	    cmocka_unit_test(the_root_over_a_tile_is_that_of_the_definition),
	    cmocka_unit_test(all_that_a_proof_needs_is_in_the_tiles),
	    cmocka_unit_test(bundles_go_both_ways),
	    cmocka_unit_test(a_bundle_that_is_cut_or_full_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
