/*
 * A disk that fills up under the store, and the reserve for the log.
 *
 * pwrite and fstatvfs of this program stand before those of the C library:
 * the disk holds `capacity` bytes, and LMDB and the store share it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/vault/copy.h"
#include "server/vault/rows_room.h"
#include "tests/unit/server/vault/store_fixture.h"

#define MIB     ((uint64_t)1 << 20)
#define RESERVE (4 * MIB)
#define FOREVER 100000 /* leaves */

static struct store_fixture f;
static uint64_t capacity; /* 0: as large as it is */

/* ---- the disk ---------------------------------------------------------- */

static uint64_t
size_of(const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", f.dir, name);
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static uint64_t
used(void)
{
	return size_of("data.mdb") + size_of("reserve") + size_of("copy.mdb");
}

typedef ssize_t pwrite_fn(int fd, const void *buf, size_t len, off_t at);
typedef int fstatvfs_fn(int fd, struct statvfs *fs);

static void
next(const char *name, void *ret_fn)
{
	void *p;

	p = dlsym(RTLD_NEXT, name);
	memcpy(ret_fn, &p, sizeof(p));
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	pwrite_fn *fn;
	struct stat st;
	uint64_t end = (uint64_t)at + len;

	if (capacity != 0 && fstat(fd, &st) == 0 &&
	    end > (uint64_t)st.st_size &&
	    used() + end - (uint64_t)st.st_size > capacity) {
		errno = ENOSPC;
		return -1;
	}
	next("pwrite", &fn);
	return fn(fd, buf, len, at);
}

int
fstatvfs(int fd, struct statvfs *fs)
{
	fstatvfs_fn *fn;

	next("fstatvfs", &fn);
	if (fn(fd, fs) != 0)
		return -1;
	if (capacity == 0)
		return 0;
	fs->f_frsize = 4096;
	fs->f_bavail = used() < capacity ? (capacity - used()) / 4096 : 0;
	return 0;
}

/* ---- a store on it ----------------------------------------------------- */

static int
setup(void **state)
{
	(void)state;
	capacity = 0;
	store_fixture_make(&f);
	store_fixture_close(&f);
	f.reserve_bytes = RESERVE;
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	capacity = 0;
	store_fixture_end(&f);
	return 0;
}

static uint64_t
have(void)
{
	uint64_t bytes, want;

	rows_room_reserve(f.rows, &bytes, &want);
	assert_true(bytes <= want);
	if (bytes > 0)
		assert_int_equal(size_of("reserve"), bytes);
	return bytes;
}

static void
fill_up(void)
{
	while (have() < RESERVE)
		assert_int_equal(rows_room_fill(f.rows), CDOP_OK);
	assert_int_equal(rows_room_fill(f.rows), CDOP_OK);
	assert_int_equal(have(), RESERVE);
}

/* One batch of ten leaves with a long text; what stopped it. */
static enum cdop_err
ten_leaves(bool last)
{
	static char text[3000];
	enum cdop_err err;
	int i;

	memset(text, 'x', sizeof(text) - 1);
	undo_begin(f.undo);
	err = last ? rows_begin_last(f.rows, 1u << 15, 16)
		   : rows_begin(f.rows, 1u << 15, 16);
	for (i = 0; err == CDOP_OK && i < 10; i++)
		(void)store_fixture_leaf(&f, text);
	if (err == CDOP_OK)
		err = rows_commit(f.rows);
	if (err == CDOP_OK)
		undo_commit(f.undo);
	else
		undo_rollback(f.undo);
	return err;
}

/* As many as go; how many leaves there are then. */
static uint64_t
until_full(bool last)
{
	enum cdop_err err;

	do
		err = ten_leaves(last);
	while (err == CDOP_OK && rows_next_leaf(f.rows) < FOREVER);
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	return rows_next_leaf(f.rows);
}

static enum cdop_err
count_leaf(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct cdop_bytes data;
	uint64_t *n = ctx;

	(void)ret_stop;
	cdop_arena_reset(f.arena);
	assert_int_equal(rows_item_open(item, f.arena, &data), CDOP_OK);
	*n += head->kind == SCHEMA_KIND_LEAF;
	return CDOP_OK;
}

/* After a start: every acknowledged leaf is there and opens. */
static void
expect_leaves(uint64_t n)
{
	uint64_t found = 0;

	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(rows_next_leaf(f.rows), n);
	assert_int_equal(rows_scan_log(f.rows, 0, count_leaf, &found), CDOP_OK);
	assert_int_equal(found, n);
}

/* ---- the reserve ------------------------------------------------------- */

static void
the_log_goes_on_out_of_the_reserve(void **state)
{
	uint64_t full, spent;

	(void)state;
	fill_up();
	capacity = used() + 3 * MIB;
	full = until_full(false);
	assert_true(full > 100);
	assert_int_equal(have(), RESERVE);
	assert_int_equal(ten_leaves(true), CDOP_OK);
	assert_true(have() < RESERVE);
	/* To others there is still no room, however much was given back. */
	assert_int_equal(until_full(false), full + 10);
	spent = until_full(true);
	assert_true(spent > full + 100);
	assert_int_equal(have(), 0);
	assert_int_equal(ten_leaves(false), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(ten_leaves(true), CDOP_RESOURCE_EXHAUSTED);
	expect_leaves(spent);
	assert_int_equal(ten_leaves(true), CDOP_RESOURCE_EXHAUSTED);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
}

static void
it_is_filled_again_when_there_is_room(void **state)
{
	uint64_t n;

	(void)state;
	fill_up();
	capacity = used() + MIB;
	(void)until_full(false);
	n = until_full(true);
	/* Not from the last of it: that is for those who work. */
	capacity += 4 * MIB;
	assert_int_equal(rows_room_fill(f.rows), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(have(), 0);
	assert_int_equal(ten_leaves(false), CDOP_OK);
	capacity += 8 * MIB;
	fill_up();
	expect_leaves(n + 10);
	assert_int_equal(have(), RESERVE);
}

/* What is there is not made anew; what was cut off in a step is cut. */
static void
a_start_takes_what_is_there(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(have(), 0);
	assert_int_equal(rows_room_fill(f.rows), CDOP_OK);
	assert_int_equal(rows_room_fill(f.rows), CDOP_OK);
	store_fixture_close(&f);
	(void)snprintf(path, sizeof(path), "%s/reserve", f.dir);
	assert_int_equal(truncate(path, 2 * (off_t)MIB - 1), 0);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(have(), MIB);
	/* A smaller one is wanted. */
	fill_up();
	store_fixture_close(&f);
	f.reserve_bytes = 2 * MIB;
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(have(), 2 * MIB);
	/* None, and then one on a disk that is full. */
	store_fixture_close(&f);
	assert_int_equal(unlink(path), 0);
	f.reserve_bytes = 0;
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(size_of("reserve"), 0);
	assert_int_equal(rows_room_fill(f.rows), CDOP_OK);
	assert_int_equal(size_of("reserve"), 0);
	store_fixture_close(&f);
	f.reserve_bytes = RESERVE;
	capacity = used();
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(rows_room_fill(f.rows), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(have(), 0);
}

/* A commit that finds no room although it was promised. */
static void
a_step_is_given_back_by_hand(void **state)
{
	(void)state;
	fill_up();
	rows_room_give(f.rows);
	assert_int_equal(have(), RESERVE - MIB);
	while (have() > 0)
		rows_room_give(f.rows);
	rows_room_give(f.rows);
	assert_int_equal(have(), 0);
}

/* The file may not grow: to give room back would not help. */
static void
a_limit_of_the_file_spends_nothing(void **state)
{
	struct rlimit old, limit;
	uint64_t n;

	(void)state;
	fill_up();
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = size_of("data.mdb") + MIB / 2;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	n = until_full(true);
	assert_int_equal(have(), RESERVE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(ten_leaves(false), CDOP_OK);
	expect_leaves(n + 10);
}

/* The map is a disk too: the last of it is for the log. */
static void
the_map_has_a_reserve_as_well(void **state)
{
	uint64_t full, map, bytes;

	(void)state;
	store_fixture_close(&f);
	f.reserve_bytes = STORE_FIXTURE_MAP - 4 * MIB;
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	full = until_full(false);
	rows_usage(f.rows, &bytes, &map);
	assert_true(bytes < 4 * MIB);
	assert_int_equal(ten_leaves(true), CDOP_OK);
	assert_int_equal(rows_next_leaf(f.rows), full + 10);
	assert_int_equal(ten_leaves(false), CDOP_RESOURCE_EXHAUSTED);
	expect_leaves(full + 10);
}

/* ---- a copy beside it -------------------------------------------------- */

static const struct copy_plan plain;

static enum cdop_err
copy_all(struct copy *copy)
{
	const struct walk_budget budget = {.rows = 40, .bytes = SIZE_MAX};
	enum copy_state now = COPY_MORE;
	enum cdop_err err = CDOP_OK;

	while (err == CDOP_OK && now == COPY_MORE)
		err = copy_step(copy, &budget, &now);
	return err;
}

static void
a_copy_asks_for_room_first(void **state)
{
	struct copy *copy;
	uint64_t n, bytes, map;
	int i;

	(void)state;
	fill_up();
	for (i = 0; i < 60; i++)
		assert_int_equal(ten_leaves(false), CDOP_OK);
	n = rows_next_leaf(f.rows);
	rows_usage(f.rows, &bytes, &map);
	/* What is in use once more, and 8 MiB for the log beside it. */
	capacity = used() + bytes + 8 * MIB - 4096;
	assert_int_equal(
	    copy_begin(f.rows, &plain, &copy), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(size_of("copy.mdb"), 0);
	capacity += 4096;
	assert_int_equal(copy_begin(f.rows, &plain, &copy), CDOP_OK);
	copy_free(copy);
	capacity += 2 * MIB;
	assert_int_equal(copy_begin(f.rows, &plain, &copy), CDOP_OK);
	assert_int_equal(copy_all(copy), CDOP_OK);
	assert_int_equal(copy_finish(copy), COPY_SWITCHED);
	copy_free(copy);
	assert_int_equal(have(), RESERVE);
	assert_int_equal(ten_leaves(false), CDOP_OK);
	expect_leaves(n + 10);
}

/* Somebody else fills the disk meanwhile: the store has the rest. */
static void
a_copy_gives_way_before_the_store_does(void **state)
{
	const struct walk_budget budget = {.rows = 100, .bytes = SIZE_MAX};
	enum copy_state now;
	struct copy *copy;
	uint64_t n;
	int i;

	(void)state;
	fill_up();
	for (i = 0; i < 60; i++)
		assert_int_equal(ten_leaves(false), CDOP_OK);
	n = rows_next_leaf(f.rows);
	capacity = used() + 100 * MIB;
	assert_int_equal(copy_begin(f.rows, &plain, &copy), CDOP_OK);
	assert_int_equal(copy_step(copy, &budget, &now), CDOP_OK);
	capacity = used() + 8 * MIB;
	assert_int_equal(copy_all(copy), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(copy_error(copy), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(size_of("copy.mdb"), 0);
	assert_int_equal(copy_finish(copy), COPY_KEPT);
	copy_free(copy);
	assert_int_equal(have(), RESERVE);
	assert_int_equal(ten_leaves(false), CDOP_OK);
	expect_leaves(n + 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_log_goes_on_out_of_the_reserve),
	    TEST(it_is_filled_again_when_there_is_room),
	    TEST(a_start_takes_what_is_there),
	    TEST(a_step_is_given_back_by_hand),
	    TEST(a_limit_of_the_file_spends_nothing),
	    TEST(the_map_has_a_reserve_as_well),
	    TEST(a_copy_asks_for_room_first),
	    TEST(a_copy_gives_way_before_the_store_does),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
