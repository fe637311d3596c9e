/* The running log, looked through: all of it, and what it comes to. */
#include "server/registry/scrub.h"

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
#include "server/vault/rows_core.h"
#include "tests/unit/server/registry/tree_fixture.h"

#define LEAVES 600

static struct tree_fixture t;
static struct scrub *scrub;
static uint64_t leaf_row[LEAVES + 300];

static int
setup(void **state)
{
	(void)state;
	tree_fixture_make(&t, LEAVES + 300);
	tree_fixture_grow(&t, LEAVES, 0);
	assert_int_equal(scrub_new(&t.reg, &scrub), CDOP_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scrub_free(scrub);
	tree_fixture_end(&t);
	return 0;
}

/* Steps until the round ends; how many there were. */
static unsigned
round_of(size_t rows, struct scrub_end *end)
{
	unsigned steps = 1;

	while (!scrub_step(scrub, rows, end))
		assert_true(++steps < 1000);
	return steps;
}

static void
expect(uint64_t leaves, const char *fault)
{
	struct scrub_end end;

	(void)round_of(100, &end);
	assert_int_equal(end.leaves, leaves);
	if (fault == NULL) {
		assert_null(end.fault);
		assert_string_equal(scrub_finding(scrub), "");
		return;
	}
	assert_string_equal(end.fault, fault);
	assert_non_null(strstr(scrub_finding(scrub), fault));
}

static enum cdop_err
note_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	(void)ctx;
	(void)item;
	(void)ret_stop;
	if (head->kind == SCHEMA_KIND_LEAF)
		leaf_row[head->version] = head->number;
	return CDOP_OK;
}

static void
note_rows(void)
{
	assert_int_equal(rows_walk_log(t.f.rows, 0, note_row, NULL), CDOP_OK);
}

static void
del(uint64_t number)
{
	tree_fixture_begin(&t);
	assert_int_equal(rows_del(t.f.rows, number), CDOP_OK);
	tree_fixture_commit(&t);
}

static void
every_row_is_looked_at_in_bounded_steps(void **state)
{
	struct scrub_end end;

	(void)state;
	/* 600 leaves and two tiles, and a step that finds the end. */
	assert_int_equal(round_of(100, &end), 7);
	assert_int_equal(end.leaves, LEAVES);
	assert_null(end.fault);
	assert_int_equal(round_of(1, &end), 603);
	assert_int_equal(round_of(10000, &end), 1);
	assert_string_equal(scrub_finding(scrub), "");
}

static void
what_is_appended_meanwhile_belongs_to_the_round(void **state)
{
	struct scrub_end end;

	(void)state;
	assert_false(scrub_step(scrub, 300, &end));
	tree_fixture_grow(&t, 290, 0);
	expect(LEAVES + 290, NULL);
}

/* One bit of the row, in the file under the open store. */
static void
flip(uint64_t number)
{
	uint8_t *file, *at, byte;
	struct cdop_bytes row;
	struct db_txn *txn;
	char path[128];
	size_t len;
	int fd;

	file = store_fixture_file(&t.f, &len);
	assert_int_equal(db_begin_read(t.f.rows->db, &txn), CDOP_OK);
	assert_int_equal(db_get(txn, number, &row), CDOP_OK);
	at = memmem(file, len, row.data, row.len);
	db_abort(txn);
	assert_non_null(at);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", t.f.dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	byte = at[60] ^ 1;
	assert_int_equal(pwrite(fd, &byte, 1, at + 60 - file), 1);
	close(fd);
	free(file);
}

static void
a_row_that_was_changed_on_the_disk_is_found_while_it_runs(void **state)
{
	(void)state;
	note_rows();
	flip(leaf_row[300]);
	expect(300, "damaged");
	assert_non_null(strstr(scrub_finding(scrub), "row 1/"));
	flip(leaf_row[300]);
	expect(LEAVES, NULL);
	flip(t.reg.tree->level[1].tile.below[1]);
	t.reg.tree->kept[0].is_there = false;
	expect(256, "tile");
}

/* Forged with the keys: it stands behind the others. */
static void
a_leaf_in_another_place_is_found(void **state)
{
	(void)state;
	note_rows();
	tree_fixture_begin(&t);
	assert_int_equal(rows_del(t.f.rows, leaf_row[300]), CDOP_OK);
	t.f.rows->s.head.next_leaf = 300;
	tree_fixture_put_leaf(&t, 300);
	t.f.rows->s.head.next_leaf = LEAVES;
	store_fixture_commit(&t.f);
	expect(300, "missing");
}

static void
a_leaf_that_differs_is_found(void **state)
{
	(void)state;
	t.reg.tree->level[0].tile.hash[40][0] ^= 1;
	expect(512 + 40, "differs");
	t.reg.tree->level[0].tile.hash[40][0] ^= 1;
	/* A whole round that is fine takes it back. */
	expect(LEAVES, NULL);
}

static void
a_leaf_that_is_missing_is_found(void **state)
{
	(void)state;
	note_rows();
	del(leaf_row[LEAVES - 1]);
	expect(LEAVES - 1, "missing");
	del(leaf_row[0]);
	expect(0, "missing");
}

static void
a_tile_that_is_missing_is_found(void **state)
{
	(void)state;
	del(t.reg.tree->level[1].tile.below[0]);
	t.reg.tree->kept[0].is_there = false;
	expect(0, "tile");
}

static void
rows_that_are_none_are_found(void **state)
{
	(void)state;
	store_fixture_begin(&t.f);
	(void)store_fixture_leaf(&t.f, "no leaf");
	store_fixture_commit(&t.f);
	expect(LEAVES, "no_leaf");
	store_fixture_begin(&t.f);
	(void)store_fixture_put(&t.f, SCHEMA_KIND_TILE, 0, "no tile");
	store_fixture_commit(&t.f);
	expect(LEAVES, "no_leaf");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_row_is_looked_at_in_bounded_steps),
	    TEST(what_is_appended_meanwhile_belongs_to_the_round),
	    TEST(a_row_that_was_changed_on_the_disk_is_found_while_it_runs),
	    TEST(a_leaf_in_another_place_is_found),
	    TEST(a_leaf_that_differs_is_found),
	    TEST(a_leaf_that_is_missing_is_found),
	    TEST(a_tile_that_is_missing_is_found),
	    TEST(rows_that_are_none_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
