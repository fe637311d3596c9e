/*
 * A plain copy: the same rows in a new file, while life goes on, and what is
 * left where it comes to nothing.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/db_core.h"
#include "server/vault/rows_core.h"
#include "tests/unit/server/vault/copy_fixture.h"

static const struct copy_plan plain;

static struct copy_fixture c;

static int
setup(void **state)
{
	(void)state;
	copy_fixture_make(&c);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	copy_fixture_end(&c);
	return 0;
}

static struct copy *
begin(void)
{
	struct copy *copy;

	assert_int_equal(copy_begin(c.f.rows, &plain, &copy), CDOP_OK);
	return copy;
}

static void
expect_same(
    const struct copy_fixture_image *a, const struct copy_fixture_image *b)
{
	size_t i;

	assert_int_equal(a->n, b->n);
	for (i = 0; i < a->n; i++) {
		assert_int_equal(a->row[i].number, b->row[i].number);
		assert_int_equal(a->row[i].len, b->row[i].len);
		assert_memory_equal(
		    a->row[i].bytes, b->row[i].bytes, a->row[i].len);
	}
}

static bool
is_there(const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", c.f.dir, name);
	return stat(path, &st) == 0;
}

static ino_t
inode(void)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", c.f.dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void
copy_whole(void)
{
	struct copy *copy = begin();

	assert_int_equal(copy_fixture_ready(&c, copy, 1000, false), CDOP_OK);
	copy_fixture_finish(copy);
	copy_free(copy);
}

/* ---- what it is for ---------------------------------------------------- */

static void
a_copy_at_rest_is_the_same_row_by_row(void **state)
{
	struct copy_fixture_image before, after;
	struct copy_progress progress;
	struct copy *copy = begin();
	ino_t old = inode();
	uint64_t rows, keys;

	(void)state;
	copy_fixture_read(&c, &before);
	assert_int_equal(copy_fixture_ready(&c, copy, 100, false), CDOP_OK);
	copy_progress(copy, &progress);
	assert_int_equal(progress.rows, progress.opened);
	copy_fixture_finish(copy);
	copy_cases(copy, &rows, &keys);
	assert_int_equal(keys, COPY_FIXTURE_CASES / 2);
	assert_int_equal(rows, 3 * keys + 1);
	copy_free(copy);
	assert_int_not_equal(inode(), old);
	assert_false(is_there("copy.mdb"));
	copy_fixture_read(&c, &after);
	expect_same(&before, &after);
	copy_fixture_live(&c);
	copy_fixture_whole(&c);
	copy_fixture_drop(&before);
	copy_fixture_drop(&after);
}

/* Every day deletes and moves what lies behind the walk. */
static void
life_goes_on_beside_a_copy(void **state)
{
	static const size_t steps[] = {1, 7, 40, 1000};
	struct copy_fixture_image before, after;
	struct copy *copy;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		copy = begin();
		c.lived = (uint32_t)i * 100;
		assert_int_equal(
		    copy_fixture_ready(&c, copy, steps[i], true), CDOP_OK);
		/* And since it was ready. */
		copy_fixture_live(&c);
		copy_fixture_read(&c, &before);
		copy_fixture_finish(copy);
		copy_free(copy);
		copy_fixture_read(&c, &after);
		expect_same(&before, &after);
		copy_fixture_drop(&before);
		copy_fixture_drop(&after);
		copy_fixture_live(&c);
	}
	copy_fixture_whole(&c);
}

static uint64_t
file_size(void)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", c.f.dir);
	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

/* The old file has no name any more, and goes in steps. */
static void
the_old_file_goes_back_in_steps(void **state)
{
	const struct walk_budget one = copy_fixture_budget(1);
	struct copy *copy = begin();
	uint64_t before = file_size();
	struct stat st;
	size_t i;

	(void)state;
	assert_int_equal(copy_fixture_ready(&c, copy, 1000, false), CDOP_OK);
	assert_int_equal(c.f.rows->db->old_fd, -1);
	copy_fixture_finish(copy);
	for (i = 0; copy_give_back(copy, &one); i++) {
		assert_int_equal(fstat(c.f.rows->db->old_fd, &st), 0);
		assert_int_equal(st.st_nlink, 0);
		assert_true((uint64_t)st.st_size < before);
		before = (uint64_t)st.st_size;
		copy_fixture_live(&c);
	}
	assert_true(i > 0);
	assert_int_equal(c.f.rows->db->old_fd, -1);
	copy_free(copy);
	copy_fixture_whole(&c);
}

static void
a_copy_gives_the_room_of_deleted_rows_back(void **state)
{
	static char text[30000];
	uint64_t row[60], before;
	size_t i;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	for (i = 0; i < 60; i++) {
		undo_begin(c.f.undo);
		assert_int_equal(rows_begin(c.f.rows, 1u << 16, 4), CDOP_OK);
		row[i] = store_fixture_put(&c.f, SCHEMA_KIND_REASON, 0, text);
		store_fixture_commit(&c.f);
	}
	for (i = 0; i < 60; i++) {
		store_fixture_begin(&c.f);
		assert_int_equal(rows_del(c.f.rows, row[i]), CDOP_OK);
		store_fixture_commit(&c.f);
	}
	before = file_size();
	copy_whole();
	assert_true(file_size() < before - (1u << 20));
	copy_fixture_whole(&c);
}

/* What the old root and a destroyed epoch key wrap lies in free pages. */
static void
no_old_wrap_is_left_by_a_copy(void **state)
{
	struct copy_fixture_image before;
	const struct copy_fixture_row *row;
	uint64_t old, key;
	uint8_t *file;
	size_t i, len, low = 0, found = 0;

	(void)state;
	assert_true(
	    keystore_epoch(c.f.ks, SCHEMA_AREA, copy_fixture_areas[0], &old));
	copy_fixture_read(&c, &before);
	store_fixture_begin(&c.f);
	assert_int_equal(rows_keys_root_turn(c.f.rows), CDOP_OK);
	assert_int_equal(rows_keys_epoch_new(c.f.rows, SCHEMA_AREA,
			     copy_fixture_areas[0], &key),
	    CDOP_OK);
	for (i = 0; i < COPY_FIXTURE_CASES / 2; i += COPY_FIXTURE_AREAS)
		assert_int_equal(rows_keys_case_move(c.f.rows, c.case_key[i],
				     copy_fixture_areas[0]),
		    CDOP_OK);
	assert_int_equal(rows_keys_epoch_destroy(c.f.rows, old), CDOP_OK);
	store_fixture_commit(&c.f);
	file = store_fixture_file(&c.f, &len);
	for (i = 0; i < before.n; i++) {
		row = &before.row[i];
		if (layout_incarnation(row->number) != 0)
			continue;
		low++;
		found +=
		    memmem(file, len, row->bytes + row->len - 48, 48) != NULL;
	}
	free(file);
	assert_true(low > 5 && found > 0);
	copy_whole();
	file = store_fixture_file(&c.f, &len);
	for (i = 0; i < low; i++) {
		row = &before.row[i];
		assert_null(memmem(file, len, row->bytes + row->len - 48, 48));
	}
	free(file);
	copy_fixture_drop(&before);
	copy_fixture_whole(&c);
}

static void
a_step_ends_when_its_budget_is_spent(void **state)
{
	struct walk_budget budget = copy_fixture_budget(10);
	struct copy_progress progress;
	struct copy *copy = begin();
	enum copy_state now;

	(void)state;
	assert_int_equal(copy_step(copy, &budget, &now), CDOP_OK);
	assert_int_equal(now, COPY_MORE);
	copy_progress(copy, &progress);
	assert_int_equal(progress.rows, 10);
	assert_true(progress.total > LAYOUT_DIR_ROWS);
	budget = (struct walk_budget){.rows = SIZE_MAX, .bytes = 1};
	assert_int_equal(copy_step(copy, &budget, &now), CDOP_OK);
	copy_progress(copy, &progress);
	assert_int_equal(progress.rows, 11);
	copy_free(copy);
}

/* ---- what becomes of one that fails ------------------------------------ */

static void
a_copy_that_is_given_up_leaves_nothing(void **state)
{
	struct copy_fixture_image before, after;
	struct copy *copy = begin(), *other;
	ino_t old = inode();

	(void)state;
	copy_fixture_read(&c, &before);
	assert_int_equal(
	    copy_begin(c.f.rows, &plain, &other), CDOP_ALREADY_EXISTS);
	assert_int_equal(copy_fixture_ready(&c, copy, 500, false), CDOP_OK);
	assert_true(is_there("copy.mdb"));
	copy_free(copy);
	assert_false(is_there("copy.mdb"));
	assert_int_equal(inode(), old);
	copy_fixture_read(&c, &after);
	expect_same(&before, &after);
	copy_free(begin());
	copy_fixture_drop(&before);
	copy_fixture_drop(&after);
	copy_fixture_live(&c);
	copy_fixture_whole(&c);
}

static void
what_a_dead_process_left_is_removed_by_a_start(void **state)
{
	char path[128];
	int fd;

	(void)state;
	assert_false(db_left_over(c.f.rows->db));
	store_fixture_close(&c.f);
	(void)snprintf(path, sizeof(path), "%s/copy.mdb", c.f.dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "half", 4), 4);
	(void)close(fd);
	/* Whoever only looks leaves it. */
	assert_int_equal(store_fixture_verify(&c.f), 0);
	assert_true(is_there("copy.mdb"));
	assert_int_equal(store_fixture_open(&c.f, 0), CDOP_OK);
	assert_true(db_left_over(c.f.rows->db));
	assert_false(is_there("copy.mdb"));
}

/* A bit of one row, in the live file, behind the store's back. */
static void
damage(uint64_t number, size_t at)
{
	struct cdop_bytes row;
	struct db_txn *txn;
	uint8_t bytes[4096];

	assert_int_equal(db_begin(c.f.rows->db, &txn), CDOP_OK);
	assert_int_equal(db_get(txn, number, &row), CDOP_OK);
	assert_true(row.len <= sizeof(bytes));
	memcpy(bytes, row.data, row.len);
	bytes[row.len - at] ^= 1;
	assert_int_equal(
	    db_overwrite(txn, number, (struct cdop_bytes){bytes, row.len}),
	    CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
}

/* Sealed text, tag, head: a copy opens every row. */
static void
a_damaged_row_stops_it_and_is_named(void **state)
{
	static const size_t where[] = {100, 1, 230};
	char number[32];
	struct copy *copy;
	ino_t old = inode();
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		damage(c.summary[3], where[i]);
		copy = begin();
		assert_int_equal(
		    copy_fixture_ready(&c, copy, 1000, false), CDOP_DATA_LOSS);
		assert_int_equal(copy_error(copy), CDOP_DATA_LOSS);
		assert_non_null(strstr(copy_finding(copy),
		    rows_number_text(c.summary[3], number)));
		assert_int_equal(copy_finish(copy), COPY_KEPT);
		copy_free(copy);
		damage(c.summary[3], where[i]);
	}
	assert_int_equal(inode(), old);
	assert_false(is_there("copy.mdb"));
	/* Two commits as the store makes them. */
	copy_fixture_live(&c);
	copy_fixture_live(&c);
	copy_fixture_whole(&c);
}

/* A row that went behind the store's back is not blessed by a new digest. */
static void
a_missing_row_stops_it(void **state)
{
	struct db_txn *txn;
	struct cdop_bytes row;
	uint8_t bytes[4096];
	struct copy *copy;

	(void)state;
	assert_int_equal(db_begin(c.f.rows->db, &txn), CDOP_OK);
	assert_int_equal(db_get(txn, c.summary[3], &row), CDOP_OK);
	memcpy(bytes, row.data, row.len);
	row.data = bytes;
	assert_int_equal(db_del(txn, c.summary[3]), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	copy = begin();
	assert_int_equal(copy_fixture_ready(&c, copy, 1000, false), CDOP_OK);
	assert_int_equal(copy_finish(copy), COPY_KEPT);
	assert_int_equal(copy_error(copy), CDOP_DATA_LOSS);
	assert_non_null(strstr(copy_finding(copy), "state digest"));
	copy_free(copy);
	assert_int_equal(db_begin(c.f.rows->db, &txn), CDOP_OK);
	assert_int_equal(db_put(txn, c.summary[3], row), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	copy_whole();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_copy_at_rest_is_the_same_row_by_row, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		life_goes_on_beside_a_copy, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_old_file_goes_back_in_steps, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_copy_gives_the_room_of_deleted_rows_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		no_old_wrap_is_left_by_a_copy, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_step_ends_when_its_budget_is_spent, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_copy_that_is_given_up_leaves_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_a_dead_process_left_is_removed_by_a_start, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		a_damaged_row_stops_it_and_is_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_missing_row_stops_it, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
