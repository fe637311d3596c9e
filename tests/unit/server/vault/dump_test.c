/*
 * What leaves a store for a backup: it is a store again elsewhere, as it was
 * at the last commit before its end, and opens with shares alone.
 */
#include "server/vault/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/backup_load.h"
#include "server/store/db.h"
#include "server/vault/layout.h"
#include "server/vault/rows_core.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/vault/store_fixture.h"

#define K    2
#define N    4
#define ROOM 4096

static struct store_fixture f;
static struct cdop_share share[SHAMIR_MAX];
static char path[96];
static char place[64];

static void
deal(void)
{
	const struct slots_set_new plan = {.k = K, .n = N};
	uint16_t number;

	store_fixture_begin(&f);
	assert_int_equal(
	    rows_slots_add_set(f.rows, "custodians", &plan, &number, share),
	    CDOP_OK);
	store_fixture_commit(&f);
}

static int
setup(void **state)
{
	(void)state;
	store_fixture_make(&f);
	(void)snprintf(path, sizeof(path), "%s.file", f.dir);
	(void)snprintf(place, sizeof(place), "%.50s.new", f.dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_fixture_end(&f);
	(void)unlink(path);
	return 0;
}

static void
add_case(uint64_t case_id)
{
	store_fixture_begin(&f);
	(void)store_fixture_case(&f, case_id, "north");
	store_fixture_commit(&f);
}

/* Writes what waits. */
static void
empty(struct dump *dump, FILE *file)
{
	static uint8_t out[ROOM];
	size_t len;

	while ((len = dump_copy(dump, out, sizeof(out))) > 0) {
		assert_int_equal(fwrite(out, 1, len, file), len);
		dump_drop(dump, len);
	}
}

/* A backup with something done to the store before each step. */
static void
take(void (*meanwhile)(unsigned), struct cdop_manifest *manifest)
{
	const struct walk_budget budget = {.rows = 3, .bytes = SIZE_MAX};
	struct dump *dump;
	unsigned i = 0;
	bool end;
	FILE *file;

	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(dump_begin(f.rows, &dump), CDOP_OK);
	do {
		if (meanwhile != NULL)
			meanwhile(i++);
		assert_int_equal(dump_fill(dump, ROOM, &budget, &end), CDOP_OK);
		empty(dump, file);
	} while (!end);
	assert_int_equal(dump_last(dump), CDOP_OK);
	memset(manifest, 0, sizeof(*manifest));
	assert_int_equal(dump_describe(dump, f.arena, manifest), CDOP_OK);
	assert_int_equal(
	    dump_end(dump, (struct cdop_bytes){(const uint8_t *)"end", 3}),
	    CDOP_OK);
	empty(dump, file);
	dump_free(dump);
	assert_int_equal(fclose(file), 0);
}

static void
load(struct backup_loaded *ret_loaded)
{
	const struct backup_load_args args = {
	    .dir = place, .map_bytes = STORE_FIXTURE_MAP};
	struct cdop_backup *backup;

	assert_int_equal(cdop_backup_open(path, &backup), CDOP_OK);
	assert_int_equal(
	    backup_load(backup, &args, f.arena, ret_loaded), CDOP_OK);
	cdop_backup_close(backup);
}

/* ---- row by row ---------------------------------------------------------- */

/* A number that is taken over byte for byte: all but slots and head row. */
static bool
is_taken_over(struct cdop_bytes row, uint64_t number, uint64_t head)
{
	return number != head &&
	    (layout_incarnation(number) != 0 || row.data[0] == 1);
}

/* The next of them behind number; false: there are no more. */
static bool
next_row(struct db_txn *txn, uint64_t head, uint64_t *number,
    struct cdop_bytes *ret_row)
{
	do
		if (db_next(txn, *number + 1, number, ret_row) != CDOP_OK)
			return false;
	while (!is_taken_over(*ret_row, *number, head));
	return true;
}

static uint64_t
head_of(struct db_txn *txn)
{
	struct cdop_bytes row;
	uint64_t number;

	assert_int_equal(db_previous(txn, UINT64_MAX, &number, &row), CDOP_OK);
	return number;
}

/* Nothing of the running store is missing in the loaded one, nothing more is
 * there, and no byte is another; how many rows that is. */
static uint64_t
expect_same_rows(void)
{
	const struct db_args args = {
	    .dir = place, .map_bytes = STORE_FIXTURE_MAP, .read_only = true};
	struct db_txn *was, *is;
	struct cdop_bytes a, b;
	uint64_t i = 0, k = 0, n = 0, head;
	struct db *db;
	bool more;

	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_begin_read(f.rows->db, &was), CDOP_OK);
	assert_int_equal(db_begin_read(db, &is), CDOP_OK);
	head = head_of(was);
	assert_int_equal(head_of(is), head);
	do {
		more = next_row(was, head, &i, &a);
		assert_int_equal(next_row(is, head, &k, &b), more);
		if (!more)
			break;
		assert_int_equal(i, k);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		n++;
	} while (more);
	db_abort(is);
	db_abort(was);
	db_close(db);
	return n;
}

/* Opens what was loaded in the place of the old store, which goes. */
static enum cdop_err
open_loaded(const uint8_t k[static 32])
{
	struct store_fixture old = f;

	store_fixture_close(&f);
	(void)snprintf(f.dir, sizeof(f.dir), "%s", place);
	memcpy(f.k[0], k, sizeof(f.k[0]));
	f.last = store_fixture_open(&f, 0);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", old.dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/lock.mdb", old.dir);
	(void)unlink(path);
	(void)rmdir(old.dir);
	(void)snprintf(path, sizeof(path), "%s.file", old.dir);
	return f.last;
}

static void
it_opens_with_shares_and_every_row_is_fine(void **state)
{
	struct cdop_manifest manifest;
	struct backup_loaded loaded;
	uint8_t s[32];

	(void)state;
	deal();
	add_case(1);
	add_case(2);
	take(NULL, &manifest);
	load(&loaded);
	assert_int_equal(loaded.rows, manifest.rows);
	assert_true(expect_same_rows() > 10);
	assert_int_equal(manifest.cases, 2);
	assert_int_equal(slots_set_combine(share, K, s), CDOP_OK);
	assert_int_equal(open_loaded(s), CDOP_OK);
	assert_int_equal(rows_slots(f.rows), 1);
	assert_int_equal(rows_slot(f.rows, 0)->kind, SLOTS_KIND_SHARES);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
}

static void
work_on(unsigned i)
{
	uint64_t key;

	if (i >= 10)
		return; /* more rows a step than the walk takes */
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_area(f.rows, "south"), CDOP_OK);
	key = store_fixture_case(&f, 100 + i, i % 2 == 0 ? "north" : "south");
	if (i % 2 == 0)
		assert_int_equal(
		    rows_keys_case_move(f.rows, key, "south"), CDOP_OK);
	if (i == 2)
		assert_int_equal(rows_keys_root_turn(f.rows), CDOP_OK);
	store_fixture_commit(&f);
}

static void
what_happens_meanwhile_is_in_it_to_the_last_commit(void **state)
{
	struct cdop_manifest manifest;
	struct backup_loaded loaded;
	uint64_t leaves;
	uint8_t s[32];

	(void)state;
	deal();
	add_case(1);
	take(work_on, &manifest);
	leaves = rows_next_leaf(f.rows);
	load(&loaded);
	assert_int_equal(loaded.rows, manifest.rows);
	assert_true(expect_same_rows() > 20);
	assert_true(manifest.cases > 3);
	assert_int_equal(slots_set_combine(share + 1, K, s), CDOP_OK);
	assert_int_equal(open_loaded(s), CDOP_OK);
	assert_int_equal(rows_next_leaf(f.rows), leaves);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
}

#define NOTES 12
static uint64_t note[NOTES];

/* Every other of them goes once all of them were handed out. */
static void
delete_some(unsigned i)
{
	unsigned k;

	if (i != 10)
		return;
	store_fixture_begin(&f);
	for (k = 0; k < NOTES; k += 2)
		assert_int_equal(rows_del(f.rows, note[k]), CDOP_OK);
	store_fixture_commit(&f);
}

static void
what_goes_meanwhile_is_not_in_it(void **state)
{
	struct cdop_manifest manifest;
	struct backup_loaded loaded;
	uint8_t s[32];
	unsigned k;

	(void)state;
	deal();
	store_fixture_begin(&f);
	for (k = 0; k < NOTES; k++)
		note[k] =
		    store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "a note");
	store_fixture_commit(&f);
	for (k = 1; k < 5; k++)
		add_case(k);
	take(delete_some, &manifest);
	load(&loaded);
	assert_int_equal(loaded.rows, manifest.rows);
	assert_true(expect_same_rows() > 20);
	assert_int_equal(slots_set_combine(share, K, s), CDOP_OK);
	assert_int_equal(open_loaded(s), CDOP_OK);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
}

/* Longer than the room it begins with, and one row more than all of that. */
static void
the_largest_rows_are_in_it(void **state)
{
	static char text[ENVELOPE_DATA_MAX + 1];
	struct cdop_manifest manifest;
	struct backup_loaded loaded;
	unsigned i;

	(void)state;
	deal();
	memset(text, 'x', sizeof(text) - 1);
	for (i = 0; i < 3; i++) {
		undo_begin(f.undo);
		assert_int_equal(rows_begin(f.rows, 2u << 20, 64), CDOP_OK);
		(void)store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, text);
		store_fixture_commit(&f);
	}
	add_case(1);
	take(NULL, &manifest);
	assert_true(manifest.bytes > 3 * (uint64_t)ENVELOPE_ROW_MAX);
	load(&loaded);
	assert_int_equal(loaded.rows, manifest.rows);
	assert_true(expect_same_rows() > 10);
}

static void
without_shares_there_is_none(void **state)
{
	struct dump *dump;

	(void)state;
	assert_int_equal(dump_begin(f.rows, &dump), CDOP_FAILED_PRECONDITION);
}

static void
fewer_shares_open_nothing(void **state)
{
	struct cdop_manifest manifest;
	struct backup_loaded loaded;
	uint8_t s[32];

	(void)state;
	deal();
	take(NULL, &manifest);
	load(&loaded);
	memcpy(s, share[0].y, sizeof(s));
	assert_int_equal(open_loaded(s), CDOP_UNAUTHENTICATED);
	store_fixture_close(&f);
	assert_int_equal(slots_set_combine(share, K, f.k[0]), CDOP_OK);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
}

static void
epochs_and_their_cases_are_counted(void **state)
{
	struct cdop_manifest manifest;
	uint64_t areas = 0;
	size_t i;

	(void)state;
	deal();
	for (i = 1; i <= 5; i++)
		add_case(i);
	take(NULL, &manifest);
	assert_int_equal(manifest.cases, 5);
	for (i = 0; i < manifest.n_epochs; i++) {
		if (strcmp(manifest.epoch[i].scope, "area") == 0)
			areas += manifest.epoch[i].cases;
		else
			assert_int_equal(manifest.epoch[i].cases, 0);
	}
	assert_int_equal(areas, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_opens_with_shares_and_every_row_is_fine),
	    TEST(what_happens_meanwhile_is_in_it_to_the_last_commit),
	    TEST(what_goes_meanwhile_is_not_in_it),
	    TEST(the_largest_rows_are_in_it),
	    TEST(without_shares_there_is_none),
	    TEST(fewer_shares_open_nothing),
	    TEST(epochs_and_their_cases_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
