/* The file of a backup: what was written comes back, in a new database. */
#include "server/store/backup_load.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/db.h"
#include "tests/unit/server/scratch.h"

#define MAP ((uint64_t)64 << 20)

static const uint8_t registry[16] = {1, 2, 3, 4, 5, 6, 7, 8};

struct fixture {
	char top[64];
	char path[96];
	char dir[96];
	FILE *file;
	struct cdop_arena *arena;
};

static struct fixture fix;

static int
setup(void **state)
{
	(void)state;
	scratch_dir(fix.top, sizeof(fix.top), "backup");
	(void)snprintf(fix.path, sizeof(fix.path), "%s/file", fix.top);
	(void)snprintf(fix.dir, sizeof(fix.dir), "%s/data", fix.top);
	return cdop_arena_new(1u << 20, &fix.arena) == CDOP_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	static const char *const names[] = {
	    "data/data.mdb", "data/lock.mdb", "file"};
	char path[128];
	size_t i;

	(void)state;
	cdop_arena_free(fix.arena);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", fix.top, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(fix.dir);
	return rmdir(fix.top);
}

/* ---- making files -------------------------------------------------------- */

static void
write_bytes(const void *bytes, size_t len)
{
	assert_int_equal(fwrite(bytes, 1, len, fix.file), len);
}

static void
write_record(
    enum cdop_backup_type type, uint64_t number, const void *bytes, size_t len)
{
	const struct cdop_backup_record record = {
	    .type = type, .number = number, .bytes = {bytes, len}};
	uint8_t head[CDOP_BACKUP_RECORD];

	cdop_backup_record_write(&record, head);
	write_bytes(head, sizeof(head));
	if (len > 0)
		write_bytes(bytes, len);
}

static void
write_row(uint64_t number, const char *row)
{
	write_record(CDOP_BACKUP_ROW, number, row, strlen(row));
}

static void
begin(void)
{
	uint8_t head[CDOP_BACKUP_HEAD];

	fix.file = fopen(fix.path, "wb");
	assert_non_null(fix.file);
	cdop_backup_head_write(registry, head);
	write_bytes(head, sizeof(head));
}

static void
finish(void)
{
	write_record(CDOP_BACKUP_END, 0, "manifest", 8);
	assert_int_equal(fclose(fix.file), 0);
}

/* Rows in order, one that went, and two that come late, as a daemon does. */
static void
write_example(void)
{
	const uint64_t high = UINT64_C(1) << 48;

	begin();
	write_row(high + 1, "one");
	write_row(high + 2, "two");
	write_row(high + 3, "three");
	write_record(CDOP_BACKUP_GONE, high + 2, NULL, 0);
	write_row(1, "slot");
	write_row(2, "ring");
	write_row(high + 9, "head");
	finish();
}

/* ---- reading ------------------------------------------------------------- */

static enum cdop_err
load(struct backup_loaded *ret_loaded)
{
	const struct backup_load_args args = {.dir = fix.dir, .map_bytes = MAP};
	struct cdop_backup *backup;
	enum cdop_err err;

	if ((err = cdop_backup_open(fix.path, &backup)) != CDOP_OK)
		return err;
	err = backup_load(backup, &args, fix.arena, ret_loaded);
	cdop_backup_close(backup);
	return err;
}

static void
is_row(struct db_txn *txn, uint64_t number, const char *wanted)
{
	struct cdop_bytes row;

	assert_int_equal(db_get(txn, number, &row), CDOP_OK);
	assert_int_equal(row.len, strlen(wanted));
	assert_memory_equal(row.data, wanted, row.len);
}

static void
what_was_written_is_a_database_again(void **state)
{
	const struct db_args args = {.dir = fix.dir, .map_bytes = MAP};
	const uint64_t high = UINT64_C(1) << 48;
	struct backup_loaded loaded;
	struct cdop_bytes row;
	struct db_txn *txn;
	struct db *db;

	(void)state;
	write_example();
	assert_int_equal(load(&loaded), CDOP_OK);
	assert_int_equal(loaded.rows, 5);
	assert_int_equal(loaded.manifest.len, 8);
	assert_memory_equal(loaded.manifest.data, "manifest", 8);
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	is_row(txn, 1, "slot");
	is_row(txn, 2, "ring");
	is_row(txn, high + 1, "one");
	is_row(txn, high + 3, "three");
	is_row(txn, high + 9, "head");
	assert_int_equal(db_get(txn, high + 2, &row), CDOP_NOT_FOUND);
	db_abort(txn);
	db_close(db);
}

static void
the_hash_is_of_all_that_stands_before_the_end(void **state)
{
	uint8_t bytes[512], hash[crypto_hash_sha256_BYTES];
	struct cdop_backup_record record;
	struct cdop_backup *backup;
	size_t len;
	FILE *file;

	(void)state;
	write_example();
	file = fopen(fix.path, "rb");
	assert_non_null(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	len -= CDOP_BACKUP_RECORD + 8;
	crypto_hash_sha256(hash, bytes, len);
	assert_int_equal(cdop_backup_open(fix.path, &backup), CDOP_OK);
	assert_memory_equal(cdop_backup_registry(backup), registry, 16);
	do
		assert_int_equal(cdop_backup_next(backup, &record), CDOP_OK);
	while (record.type != CDOP_BACKUP_END);
	assert_int_equal(cdop_backup_length(backup), len);
	assert_memory_equal(cdop_backup_sha256(backup), hash, sizeof(hash));
	cdop_backup_close(backup);
}

static void
many_rows_take_several_transactions_and_are_all_there(void **state)
{
	const struct db_args args = {.dir = fix.dir, .map_bytes = MAP};
	static char row[40000];
	struct backup_loaded loaded;
	struct cdop_bytes got;
	struct db_txn *txn;
	struct db *db;
	uint64_t i;

	(void)state;
	begin();
	memset(row, 'r', sizeof(row));
	for (i = 1; i <= 400; i++) {
		cdop_put64((uint8_t *)row, i);
		write_record(CDOP_BACKUP_ROW, i * 3, row, sizeof(row));
	}
	finish();
	assert_int_equal(load(&loaded), CDOP_OK);
	assert_int_equal(loaded.rows, 400);
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	for (i = 1; i <= 400; i++) {
		assert_int_equal(db_get(txn, i * 3, &got), CDOP_OK);
		assert_int_equal(got.len, sizeof(row));
		assert_int_equal(cdop_get64(got.data), i);
	}
	db_abort(txn);
	db_close(db);
}

/* Reads all of it and keeps nothing. */
static enum cdop_err
read_all(void)
{
	struct cdop_backup_record record;
	struct cdop_backup *backup;
	enum cdop_err err;

	if ((err = cdop_backup_open(fix.path, &backup)) != CDOP_OK)
		return err;
	do
		err = cdop_backup_next(backup, &record);
	while (err == CDOP_OK && record.type != CDOP_BACKUP_END);
	cdop_backup_close(backup);
	return err;
}

static void
a_backup_that_is_cut_anywhere_is_not_whole(void **state)
{
	struct backup_loaded loaded;
	long len;

	(void)state;
	write_example();
	fix.file = fopen(fix.path, "ab");
	assert_non_null(fix.file);
	len = ftell(fix.file);
	(void)fclose(fix.file);
	assert_int_equal(read_all(), CDOP_OK);
	assert_int_equal(truncate(fix.path, len - 1), 0);
	assert_int_equal(load(&loaded), CDOP_DATA_LOSS);
	for (len -= 2; len >= 0; len--) {
		assert_int_equal(truncate(fix.path, len), 0);
		assert_int_equal(read_all(),
		    len < CDOP_BACKUP_HEAD ? CDOP_INVALID_ARGUMENT
					   : CDOP_DATA_LOSS);
	}
}

static void
what_is_no_record_is_refused(void **state)
{
	static const uint8_t bad[][CDOP_BACKUP_RECORD] = {
	    {0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1},
	    {4, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1},
	    {CDOP_BACKUP_ROW, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0},
	    {CDOP_BACKUP_ROW, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0x10, 0, 1},
	    {CDOP_BACKUP_GONE, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1},
	    {CDOP_BACKUP_END, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
	};
	struct cdop_backup_record record;
	struct cdop_backup *backup;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		write_bytes(bad[i], sizeof(bad[i]));
		write_bytes("x", 1);
		assert_int_equal(fclose(fix.file), 0);
		assert_int_equal(cdop_backup_open(fix.path, &backup), CDOP_OK);
		assert_int_equal(
		    cdop_backup_next(backup, &record), CDOP_DATA_LOSS);
		cdop_backup_close(backup);
	}
}

static void
rows_that_contradict_each_other_are_refused(void **state)
{
	struct backup_loaded loaded;
	char path[128];
	int which;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fix.dir);
	for (which = 0; which < 3; which++) {
		begin();
		write_row(5, "five");
		write_row(7, "seven");
		if (which == 0)
			write_row(5, "five");
		if (which == 1)
			write_row(7, "seven");
		if (which == 2)
			write_record(CDOP_BACKUP_GONE, 6, NULL, 0);
		finish();
		assert_int_equal(load(&loaded), CDOP_DATA_LOSS);
		(void)unlink(path);
	}
}

static void
something_behind_the_end_is_refused(void **state)
{
	struct backup_loaded loaded;

	(void)state;
	write_example();
	fix.file = fopen(fix.path, "ab");
	assert_non_null(fix.file);
	write_bytes("x", 1);
	assert_int_equal(fclose(fix.file), 0);
	assert_int_equal(load(&loaded), CDOP_DATA_LOSS);
}

static void
other_files_and_later_formats_are_called_so(void **state)
{
	struct cdop_backup *backup;

	(void)state;
	assert_int_equal(cdop_backup_open(fix.path, &backup), CDOP_NOT_FOUND);
	write_example();
	fix.file = fopen(fix.path, "r+b");
	assert_non_null(fix.file);
	write_bytes("cdop-backup/2", 13);
	assert_int_equal(fclose(fix.file), 0);
	assert_int_equal(
	    cdop_backup_open(fix.path, &backup), CDOP_UNIMPLEMENTED);
	fix.file = fopen(fix.path, "r+b");
	assert_non_null(fix.file);
	write_bytes("PK", 2);
	assert_int_equal(fclose(fix.file), 0);
	assert_int_equal(
	    cdop_backup_open(fix.path, &backup), CDOP_INVALID_ARGUMENT);
}

static void
a_registry_that_is_there_is_left_alone(void **state)
{
	struct backup_loaded loaded;

	(void)state;
	write_example();
	assert_int_equal(load(&loaded), CDOP_OK);
	assert_int_equal(load(&loaded), CDOP_ALREADY_EXISTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_written_is_a_database_again),
	    TEST(the_hash_is_of_all_that_stands_before_the_end),
	    TEST(many_rows_take_several_transactions_and_are_all_there),
	    TEST(a_backup_that_is_cut_anywhere_is_not_whole),
	    TEST(what_is_no_record_is_refused),
	    TEST(rows_that_contradict_each_other_are_refused),
	    TEST(something_behind_the_end_is_refused),
	    TEST(other_files_and_later_formats_are_called_so),
	    TEST(a_registry_that_is_there_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
