/* The walk over the pages: silent on a good file, precise on a bad one. */
#include "server/store/pages.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/db.h"
#include "tests/unit/server/scratch.h"

#define ROWS 3000

static char dir[64];
static char path[80];
static unsigned int findings;
static char last[160];
static bool twice;

static void
on_finding(void *ctx, const char *finding)
{
	(void)ctx;
	findings++;
	twice |= strstr(finding, "used twice") != NULL;
	(void)snprintf(last, sizeof(last), "%s", finding);
}

static unsigned int
check(void)
{
	uint64_t pages;

	findings = 0;
	twice = false;
	last[0] = '\0';
	assert_int_equal(
	    pages_check(path, false, on_finding, NULL, &pages), CDOP_OK);
	return findings;
}

/* Many rows of many sizes, some deleted: depth 3, overflow, free list. */
static void
make(void)
{
	struct db_args args = {
	    .dir = dir, .map_bytes = (uint64_t)64 << 20, .create = true};
	static uint8_t data[20000];
	struct db_txn *txn;
	struct db *db;
	uint64_t i;

	scratch_dir(dir, sizeof(dir), "pages");
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	for (i = 0; i < ROWS; i++)
		data[i] = (uint8_t)(i + 1);
	txn = NULL;
	for (i = 1; i <= ROWS; i++) {
		if (i % 300 == 1) {
			assert_int_equal(db_room(db, 1500), CDOP_OK);
			assert_int_equal(db_begin(db, &txn), CDOP_OK);
		}
		assert_int_equal(
		    db_put(txn, i,
			(struct cdop_bytes){
			    data, i % 50 == 0 ? 16368 : 254 + i % 4 * 300}),
		    CDOP_OK);
		if (i % 300 > 5 && i % 7 == 0)
			assert_int_equal(db_del(txn, i - 5), CDOP_OK);
		if (i % 300 == 0)
			assert_int_equal(db_commit(txn), CDOP_OK);
	}
	db_close(db);
}

static void
end(void)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void
poke(size_t page, size_t at, uint8_t bits)
{
	uint8_t byte;
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, &byte, 1, (off_t)(page * DB_PAGE + at)), 1);
	byte ^= bits;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)(page * DB_PAGE + at)), 1);
	(void)close(fd);
}

static void
a_good_file_has_no_finding(void **state)
{
	(void)state;
	make();
	assert_int_equal(pages_roots(path, false), CDOP_OK);
	assert_int_equal(check(), 0);
	end();
}

static void
a_missing_file_is_no_finding_but_an_error(void **state)
{
	uint64_t pages;

	(void)state;
	assert_int_equal(pages_roots("/nonexistent", false), CDOP_NOT_FOUND);
	assert_int_equal(
	    pages_check("/nonexistent", false, on_finding, NULL, &pages),
	    CDOP_NOT_FOUND);
}

/*
 * Bits of page headers and of node pointers, one by one over many pages.
 * Where a page is in use, nearly every one of them is a finding; none may
 * crash or hang the walk.
 */
static void
damage_in_headers_is_found_and_harms_nobody(void **state)
{
	size_t page, bit, found, tried;

	(void)state;
	make();
	found = 0;
	tried = 0;
	for (page = 2; page < 400; page += 13) {
		for (bit = 0; bit < 24 * 8; bit += 3) {
			poke(page, bit / 8, (uint8_t)(1u << bit % 8));
			tried++;
			found += check() > 0;
			poke(page, bit / 8, (uint8_t)(1u << bit % 8));
		}
	}
	assert_int_equal(check(), 0);
	assert_true(found > tried / 3);
	end();
}

/* n bytes at `at` of a page, as LMDB writes numbers. */
static uint64_t
peek(size_t page, size_t at, size_t n)
{
	uint8_t bytes[8];
	uint64_t v = 0;
	int fd;

	assert_true(n <= sizeof(bytes));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    pread(fd, bytes, n, (off_t)(page * DB_PAGE + at)), (ssize_t)n);
	(void)close(fd);
	while (n > 0)
		v = v << 8 | bytes[--n];
	return v;
}

/* The root of the table, as the newer meta page has it. */
static size_t
root(void)
{
	return (size_t)peek(
	    peek(1, 16 + 128, 8) > peek(0, 16 + 128, 8), 16 + 72 + 40, 8);
}

/* Where entry i of a page lies in it. */
static size_t
node(size_t page, size_t i)
{
	return (size_t)peek(page, 16 + 2 * i, 2);
}

/* From the root down to a leaf: the number in its head, and its kind. */
static void
a_page_is_the_one_and_the_kind_it_says(void **state)
{
	size_t page, bit, depth = 0;
	bool is_leaf;

	(void)state;
	make();
	for (page = root(), is_leaf = false; !is_leaf; depth++) {
		is_leaf = peek(page, 10, 2) == 2;
		for (bit = 0; bit < 12 * 8; bit++) {
			if (bit / 8 == 8 || bit / 8 == 9)
				continue; /* of no use */
			poke(page, bit / 8, (uint8_t)(1u << bit % 8));
			assert_int_not_equal(check(), 0);
			poke(page, bit / 8, (uint8_t)(1u << bit % 8));
		}
		page = (size_t)peek(page, node(page, 0), 6);
	}
	assert_true(depth >= 2);
	assert_int_equal(check(), 0);
	end();
}

/* The length of a row: it may not reach behind the end of its page. */
static void
a_row_lies_within_its_page(void **state)
{
	size_t page, at, bit;

	(void)state;
	make();
	page = root();
	while (peek(page, 10, 2) == 1)
		page = (size_t)peek(page, node(page, 1), 6);
	at = node(page, 0);
	assert_int_equal(peek(page, at + 4, 2), 0);
	for (bit = 12; bit < 32; bit++) {
		poke(page, at + bit / 8, (uint8_t)(1u << bit % 8));
		assert_int_not_equal(check(), 0);
		poke(page, at + bit / 8, (uint8_t)(1u << bit % 8));
	}
	assert_int_equal(check(), 0);
	end();
}

/* Two entries of the root lead to one page, the other is reached by none. */
static void
a_page_is_reached_once(void **state)
{
	size_t at, from, to, i;
	uint8_t bits;

	(void)state;
	make();
	at = root();
	assert_int_equal(peek(at, 10, 2), 1);
	from = node(at, 0);
	to = node(at, 1);
	for (i = 0; i < 6; i++) {
		bits = (uint8_t)(peek(at, from + i, 1) ^ peek(at, to + i, 1));
		poke(at, to + i, bits);
	}
	assert_int_not_equal(check(), 0);
	assert_true(twice);
	end();
}

static void
damage_in_the_meta_pages_stops_the_opening(void **state)
{
	/* Kind, magic, version, page size, flags, depth, root. */
	static const size_t at[] = {10, 16, 20, 40, 44, 92, 95, 133};
	size_t i, page;

	(void)state;
	make();
	for (page = 0; page < 2; page++) {
		for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
			poke(page, at[i], 0x40);
			assert_int_equal(
			    pages_roots(path, false), CDOP_DATA_LOSS);
			assert_int_equal(check(), 1);
			poke(page, at[i], 0x40);
		}
	}
	assert_int_equal(pages_roots(path, false), CDOP_OK);
	end();
}

static void
a_file_that_was_cut_short_is_damaged(void **state)
{
	(void)state;
	make();
	assert_int_equal(truncate(path, 100 * DB_PAGE), 0);
	assert_int_equal(pages_roots(path, false), CDOP_DATA_LOSS);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(pages_roots(path, false), CDOP_DATA_LOSS);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(pages_roots(path, false), CDOP_DATA_LOSS);
	end();
}

/* Nobody waits for who writes into it. */
static void
a_pipe_in_its_place_is_damage(void **state)
{
	(void)state;
	make();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pages_roots(path, false), CDOP_DATA_LOSS);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_file_has_no_finding),
	    cmocka_unit_test(a_missing_file_is_no_finding_but_an_error),
	    cmocka_unit_test(damage_in_headers_is_found_and_harms_nobody),
	    cmocka_unit_test(a_page_is_the_one_and_the_kind_it_says),
	    cmocka_unit_test(a_row_lies_within_its_page),
	    cmocka_unit_test(a_page_is_reached_once),
	    cmocka_unit_test(damage_in_the_meta_pages_stops_the_opening),
	    cmocka_unit_test(a_file_that_was_cut_short_is_damaged),
	    cmocka_unit_test(a_pipe_in_its_place_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
