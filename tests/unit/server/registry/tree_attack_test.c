/*
 * Whoever can write to the disk, against the log: bytes flipped, leaves and
 * tiles deleted, swapped, duplicated, the end cut off, an old head row put
 * back.  The name of each test says who notices: a start, `cdopd verify`, or
 * the next client, which holds a checkpoint.
 *
 * The log has two tiles and 88 leaves behind them: its end.  A start reads
 * that, the newest tile, and (below the tree, registry_load) the leaves of
 * the last 30 days; verify reads everything.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/registry/tree_core.h"
#include "server/registry/tree_verify.h"
#include "server/vault/rows_core.h"
#include "tests/unit/server/registry/tree_fixture.h"
#include "tests/unit/server/vault/raw.h"

#define LEAVES 600
#define END    512 /* the first leaf behind the tiles */

static struct tree_fixture t;
static struct raw_table now, old;
static uint64_t leaf_row[LEAVES + 1];
static uint64_t tile_row[2];
static size_t n_tiles;

/* ---- a log with a past ------------------------------------------------- */

static enum cdop_err
note_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	(void)ctx;
	(void)item;
	(void)ret_stop;
	if (head->kind == SCHEMA_KIND_LEAF)
		leaf_row[head->version] = head->number;
	else
		tile_row[n_tiles++] = head->number;
	return CDOP_OK;
}

/* old has the rows of ten leaves ago. */
static int
make(void **state)
{
	(void)state;
	tree_fixture_make(&t, LEAVES + 10);
	tree_fixture_grow(&t, LEAVES - 10, 0);
	store_fixture_close(&t.f);
	raw_read(&t.f, &old);
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	tree_fixture_grow(&t, 10, 0);
	n_tiles = 0;
	assert_int_equal(rows_walk_log(t.f.rows, 0, note_row, NULL), CDOP_OK);
	assert_int_equal(n_tiles, 2);
	store_fixture_close(&t.f);
	raw_read(&t.f, &now);
	return 0;
}

/* Every test begins with the log as it is now. */
static int
setup(void **state)
{
	(void)state;
	store_fixture_close(&t.f);
	raw_write(&t.f, &now);
	t.n = LEAVES;
	t.flavour = 0;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	raw_free(&now);
	raw_free(&old);
	tree_fixture_end(&t);
	return 0;
}

static enum cdop_err
start(void)
{
	enum cdop_err err = tree_fixture_reopen(&t);

	store_fixture_close(&t.f);
	return err;
}

static int
verify(void)
{
	struct tree_verify *tree;
	struct verify_log log;
	int findings;

	assert_int_equal(tree_verify_new(&tree), CDOP_OK);
	log = tree_verify_log(tree);
	t.f.log = &log;
	findings = store_fixture_verify(&t.f);
	t.f.log = NULL;
	tree_verify_free(tree);
	return findings;
}

static void
expect_refused(void)
{
	assert_int_not_equal(start(), CDOP_OK);
	assert_int_not_equal(verify(), 0);
}

static void
expect_found(const char *words)
{
	assert_int_equal(start(), CDOP_OK);
	assert_true(verify() > 0);
	if (strstr(t.f.lines, words) == NULL)
		fail_msg("said: %s", t.f.lines);
}

static const struct raw *
raw_of(uint64_t number)
{
	const struct raw *raw = raw_find(&now, number);

	assert_non_null(raw);
	return raw;
}

/* ---- bytes ------------------------------------------------------------- */

static int
open_file(void)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", t.f.dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* Where a row lies in the file; its bytes stand there in one piece. */
static off_t
place_of(const struct raw *raw)
{
	uint8_t *file, *at;
	size_t len;
	off_t place;

	file = store_fixture_file(&t.f, &len);
	at = memmem(file, len, raw->data, raw->len);
	assert_non_null(at);
	place = at - file;
	free(file);
	return place;
}

static void
flip(int fd, off_t at)
{
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* The store is open, and sees in its map what is written to the file. */
static void
flip_all(uint64_t number)
{
	const struct raw *raw = raw_of(number);
	off_t place = place_of(raw);
	struct cdop_bytes data;
	int fd = open_file();
	size_t i;

	for (i = 0; i < raw->len; i++) {
		flip(fd, place + (off_t)i);
		cdop_arena_reset(t.f.arena);
		assert_int_equal(
		    rows_get(t.f.rows, number, t.f.arena, NULL, &data),
		    CDOP_DATA_LOSS);
		assert_string_not_equal(rows_finding(t.f.rows), "");
		flip(fd, place + (off_t)i);
	}
	cdop_arena_reset(t.f.arena);
	assert_int_equal(
	    rows_get(t.f.rows, number, t.f.arena, NULL, &data), CDOP_OK);
	close(fd);
}

static void
no_byte_of_a_leaf_or_a_tile_can_change_and_be_read(void **state)
{
	(void)state;
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	flip_all(leaf_row[100]);
	flip_all(leaf_row[LEAVES - 1]);
	flip_all(tile_row[0]);
	store_fixture_close(&t.f);
}

/* One byte of each part of a row: format, nonce, head, text, tag. */
static void
flip_some(uint64_t number, bool at_end)
{
	const struct raw *raw = raw_of(number);
	const size_t at[] = {0, 1, 25, 53, raw->len / 2, raw->len - 1};
	off_t place = place_of(raw);
	int fd = open_file();
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		flip(fd, place + (off_t)at[i]);
		if (at_end)
			expect_refused();
		else if (start() == CDOP_OK)
			assert_true(verify() > 0);
		flip(fd, place + (off_t)at[i]);
	}
	close(fd);
	assert_int_equal(start(), CDOP_OK);
}

static void
a_flipped_byte_at_the_end_is_refused_at_start(void **state)
{
	(void)state;
	flip_some(leaf_row[END], true);
	flip_some(leaf_row[LEAVES - 1], true);
	flip_some(tile_row[1], true);
	assert_int_equal(verify(), 0);
}

static void
a_flipped_byte_further_back_is_found_by_verify(void **state)
{
	(void)state;
	flip_some(leaf_row[0], false);
	flip_some(leaf_row[END - 1], false);
	flip_some(tile_row[0], false);
	assert_int_equal(verify(), 0);
}

/* ---- rows -------------------------------------------------------------- */

static void
a_deleted_row_at_the_end_is_refused_at_start(void **state)
{
	size_t i;

	(void)state;
	for (i = END; i < LEAVES; i += 29) {
		raw_tamper(&t.f, &now, raw_of(leaf_row[i]), NULL);
		expect_refused();
		assert_non_null(strstr(t.f.lines, "1 leaves are missing"));
	}
	raw_tamper(&t.f, &now, raw_of(tile_row[1]), NULL);
	expect_refused();
	assert_non_null(strstr(t.f.lines, "tile 0/1 is missing"));
}

static void
a_deleted_row_further_back_is_found_by_verify(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < END; i += 101) {
		raw_tamper(&t.f, &now, raw_of(leaf_row[i]), NULL);
		expect_found("1 leaves are missing");
	}
	raw_tamper(&t.f, &now, raw_of(tile_row[0]), NULL);
	expect_found("tile 0/0 is missing");
	raw_tamper(&t.f, &now, NULL, NULL);
	assert_int_equal(start(), CDOP_OK);
	assert_int_equal(verify(), 0);
}

static size_t
at(uint64_t number)
{
	return (size_t)(raw_of(number) - now.rows);
}

static void
swapped_rows_at_the_end_are_refused_at_start(void **state)
{
	(void)state;
	raw_swap(&t.f, &now, at(leaf_row[END]), at(leaf_row[LEAVES - 1]));
	expect_refused();
	assert_non_null(strstr(t.f.lines, ": misplaced"));
	raw_swap(&t.f, &now, at(leaf_row[0]), at(leaf_row[LEAVES - 1]));
	expect_refused();
	raw_swap(&t.f, &now, at(tile_row[0]), at(tile_row[1]));
	expect_refused();
}

/* A start looks at the place of each row in its last 4,096 numbers. */
static void
swapped_rows_further_back_are_found(void **state)
{
	(void)state;
	raw_swap(&t.f, &now, at(leaf_row[3]), at(leaf_row[4]));
	expect_refused();
	assert_non_null(strstr(t.f.lines, ": misplaced"));
	raw_swap(&t.f, &now, at(leaf_row[3]), at(tile_row[0]));
	expect_refused();
	assert_non_null(strstr(t.f.lines, ": misplaced"));
}

/* Under a number that nobody has: between the batches a head row was. */
static void
a_row_that_is_there_twice_is_found(void **state)
{
	struct raw copy = *raw_of(leaf_row[LEAVES - 1]);
	size_t i;

	(void)state;
	for (i = 0; i + 1 < now.n; i++)
		if (now.rows[i].number >> 48 != 0 &&
		    now.rows[i + 1].number - now.rows[i].number > 1)
			break;
	assert_true(i + 1 < now.n);
	copy.number = now.rows[i].number + 1;
	raw_tamper(&t.f, &now, NULL, &copy);
	expect_refused();
	assert_non_null(strstr(t.f.lines, ": misplaced"));
	/* Behind the head row nothing can stand. */
	copy.number = now.rows[now.n - 1].number + 1;
	raw_tamper(&t.f, &now, NULL, &copy);
	expect_refused();
}

static void
a_log_whose_end_is_cut_is_refused_at_start(void **state)
{
	static struct raw_table cut;
	const uint64_t from[] = {LEAVES - 1, END + 1, END, 300, 1, 0};
	size_t i, j;

	(void)state;
	for (j = 0; j < sizeof(from) / sizeof(from[0]); j++) {
		cut.n = 0;
		for (i = 0; i < now.n; i++)
			if (i == now.n - 1 ||
			    now.rows[i].number < leaf_row[from[j]])
				cut.rows[cut.n++] = now.rows[i];
		raw_write(&t.f, &cut);
		expect_refused();
		assert_non_null(strstr(t.f.lines, "leaves are missing"));
	}
}

/* ---- the head row ------------------------------------------------------ */

static void
an_old_head_row_in_place_of_the_new_one_is_refused_at_start(void **state)
{
	const struct raw *head = &old.rows[old.n - 1];

	(void)state;
	raw_tamper(&t.f, &now, &now.rows[now.n - 1], head);
	expect_refused();
	/* And under the number of the new one. */
	raw_tamper(&t.f, &now, &now.rows[now.n - 1],
	    &(struct raw){now.rows[now.n - 1].number, head->len, head->data});
	expect_refused();
}

/*
 * All of the file as it was is a whole registry: nothing in it says that there
 * was more.  Whoever saw the larger tree does: a client, or the anchor.
 */
static void
the_whole_file_of_yesterday_stops_the_next_client_alone(void **state)
{
	uint8_t root[CDOP_MERKLE_HASH], seen[CDOP_MERKLE_HASH];
	struct cdop_merkle_proof proof;

	(void)state;
	raw_write(&t.f, &old);
	assert_int_equal(verify(), 0);
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	assert_int_equal(tree_size(t.reg.tree), LEAVES - 10);
	assert_int_equal(
	    cdop_merkle_prove_consistency(
		LEAVES, tree_size(t.reg.tree), tree_fetch, t.reg.tree, &proof),
	    CDOP_INVALID_ARGUMENT);
	/* Nor can it go on to the size that was seen, with other leaves. */
	t.n = LEAVES - 10;
	t.flavour = 9;
	tree_fixture_root(&t, 0, LEAVES, seen);
	tree_fixture_grow(&t, 20, 0);
	tree_fixture_root(&t, 0, t.n, root);
	assert_int_equal(cdop_merkle_prove_consistency(
			     LEAVES, t.n, tree_fetch, t.reg.tree, &proof),
	    CDOP_OK);
	assert_int_equal(
	    cdop_merkle_check_consistency(LEAVES, seen, t.n, root, &proof),
	    CDOP_DATA_LOSS);
	store_fixture_close(&t.f);
}

/* ---- whoever has the keys too ------------------------------------------ */

/* Another leaf in the place of one, as the vault itself would seal it. */
static void
replace_leaf(uint64_t index)
{
	uint64_t n = t.n;

	tree_fixture_begin(&t);
	assert_int_equal(rows_del(t.f.rows, leaf_row[index]), CDOP_OK);
	t.f.rows->s.head.next_leaf = index;
	t.flavour = 9;
	t.n = index;
	tree_fixture_put_leaf(&t, index);
	t.n = n;
	t.flavour = 0;
	t.f.rows->s.head.next_leaf = n;
	store_fixture_commit(&t.f);
}

static void
a_leaf_forged_with_the_keys_is_not_in_the_tree(void **state)
{
	(void)state;
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	replace_leaf(300);
	store_fixture_close(&t.f);
	expect_found(": tile 0/1 has another hash for leaf 300");
	assert_int_equal(tree_fixture_reopen(&t), CDOP_OK);
	replace_leaf(LEAVES - 1);
	store_fixture_close(&t.f);
	expect_refused();
	assert_non_null(strstr(t.f.lines, "its root is another"));
}

#define TEST(fn) cmocka_unit_test_setup(fn, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_byte_of_a_leaf_or_a_tile_can_change_and_be_read),
	    TEST(a_flipped_byte_at_the_end_is_refused_at_start),
	    TEST(a_flipped_byte_further_back_is_found_by_verify),
	    TEST(a_deleted_row_at_the_end_is_refused_at_start),
	    TEST(a_deleted_row_further_back_is_found_by_verify),
	    TEST(swapped_rows_at_the_end_are_refused_at_start),
	    TEST(swapped_rows_further_back_are_found),
	    TEST(a_row_that_is_there_twice_is_found),
	    TEST(a_log_whose_end_is_cut_is_refused_at_start),
	    TEST(an_old_head_row_in_place_of_the_new_one_is_refused_at_start),
	    TEST(a_leaf_forged_with_the_keys_is_not_in_the_tree),
	    /* Last: its leaves are others. */
	    TEST(the_whole_file_of_yesterday_stops_the_next_client_alone),
	};

	return cmocka_run_group_tests(tests, make, end);
}
