/*
 * The disk under the store: each write of a day cut off, dropped or torn,
 * and every way in which a commit can fail.
 *
 * pwrite, writev and fdatasync of this program stand before those of the C
 * library, so that LMDB calls them too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/db.h"
#include "tests/unit/server/vault/store_fixture.h"

#define META       8192 /* bytes of both meta pages */
#define EVENTS_MAX 4096
#define BATCHES    6
#define IMAGES     120

/* ---- The recorder ---- */

struct event {
	off_t at;
	size_t len;
	uint8_t *data; /* NULL: a sync */
	bool meta;
	bool durable;  /* by itself: written with O_DSYNC */
	uint64_t said; /* leaves acknowledged before it */
};

static struct event events[EVENTS_MAX];
static size_t n_events;
static uint64_t said;
static ino_t watched; /* inode of data.mdb; 0: nothing is recorded */

/* What the next write or sync of its kind is to do instead. */
static int fail_page;
static int fail_meta;
static int fail_sync;

static bool
is_watched(int fd)
{
	struct stat st;

	return watched != 0 && fstat(fd, &st) == 0 && st.st_ino == watched;
}

static void
record(int fd, const void *data, size_t len, off_t at)
{
	struct event *e;

	if (!is_watched(fd))
		return;
	assert_true(n_events < EVENTS_MAX);
	e = &events[n_events];
	*e = (struct event){.at = at, .len = len, .said = said};
	e->meta = at < META;
	e->durable = data != NULL && (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
	if (data != NULL) {
		e->data = malloc(len);
		assert_non_null(e->data);
		memcpy(e->data, data, len);
	}
	n_events++;
}

/* True, with errno, where this write is the one that has to fail. */
static bool
fails(int fd, off_t at)
{
	int *code;

	code = at < META ? &fail_meta : &fail_page;
	if (*code == 0 || !is_watched(fd))
		return false;
	errno = *code;
	*code = 0;
	return true;
}

typedef ssize_t pwrite_fn(int fd, const void *buf, size_t len, off_t at);
typedef ssize_t writev_fn(int fd, const struct iovec *iov, int n);
typedef int fdatasync_fn(int fd);

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

	if (fails(fd, at))
		return -1;
	record(fd, buf, len, at);
	next("pwrite", &fn);
	return fn(fd, buf, len, at);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	writev_fn *fn;
	off_t at, where;
	int i;

	at = is_watched(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
	if (fails(fd, at))
		return -1;
	where = at;
	for (i = 0; i < n; i++) {
		record(fd, iov[i].iov_base, iov[i].iov_len, where);
		where += (off_t)iov[i].iov_len;
	}
	next("writev", &fn);
	return fn(fd, iov, n);
}

int
fdatasync(int fd)
{
	fdatasync_fn *fn;

	if (fail_sync != 0 && is_watched(fd)) {
		errno = fail_sync;
		fail_sync = 0;
		return -1;
	}
	next("fdatasync", &fn);
	if (fn(fd) != 0)
		return -1;
	record(fd, NULL, 0, META);
	return 0;
}

static void
watch(const struct store_fixture *f)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	assert_int_equal(stat(path, &st), 0);
	watched = st.st_ino;
}

static void
forget(void)
{
	size_t i;

	watched = 0;
	for (i = 0; i < n_events; i++)
		free(events[i].data);
	n_events = 0;
	said = 0;
	fail_page = 0;
	fail_meta = 0;
	fail_sync = 0;
}

/* ---- Crashes ---- */

struct image {
	uint8_t *data;
	size_t len;
	size_t max;
};

/* A part of a write arrives: all of it, or only its first bytes. */
static void
apply(struct image *image, const struct event *e, size_t len)
{
	if (e->data == NULL || len == 0)
		return;
	assert_true((size_t)e->at + len <= image->max);
	memcpy(image->data + e->at, e->data, len);
	if ((size_t)e->at + len > image->len)
		image->len = (size_t)e->at + len;
}

static void
image_of(struct image *image, const uint8_t *start, size_t len)
{
	image->max = len + (8u << 20);
	image->data = calloc(1, image->max);
	assert_non_null(image->data);
	memcpy(image->data, start, len);
	image->len = len;
}

/* A start after the crash: nothing acknowledged is missing. */
static void
expect_start(
    struct store_fixture *f, const struct image *image, uint64_t at_least)
{
	store_fixture_write(f, image->data, image->len);
	assert_int_equal(store_fixture_open(f, 0), CDOP_OK);
	assert_in_range(rows_next_leaf(f->rows), at_least, at_least + 1);
	store_fixture_close(f);
}

/* A day of batches, one leaf each; leaves the store closed. */
static void
live(struct store_fixture *f)
{
	uint64_t person, key;
	unsigned int i;

	person = 0;
	for (i = 0; i < BATCHES; i++) {
		store_fixture_begin(f);
		if (person != 0)
			assert_int_equal(rows_del(f->rows, person), CDOP_OK);
		person = store_fixture_put(f, SCHEMA_KIND_PERSON, 0, "person");
		if (i == 2)
			assert_int_equal(
			    rows_keys_area(f->rows, "wirral"), CDOP_OK);
		if (i > 2)
			assert_int_equal(
			    rows_keys_case_new(f->rows, i, "wirral", &key),
			    CDOP_OK);
		(void)store_fixture_leaf(f, "leaf");
		store_fixture_commit(f);
		said = rows_next_leaf(f->rows);
	}
	store_fixture_close(f);
}

static void
a_crash_at_any_write_loses_nothing_acknowledged(void **state)
{
	struct store_fixture f;
	struct image image;
	uint8_t *start;
	size_t i, len;

	(void)state;
	store_fixture_make(&f);
	start = store_fixture_file(&f, &len);
	watch(&f);
	live(&f);
	watched = 0;
	assert_true(n_events > 4 * BATCHES);
	image_of(&image, start, len);
	for (i = 0; i < n_events; i++) {
		expect_start(&f, &image, events[i].said);
		/* Meta pages are smaller than a sector: they do not tear. */
		if (events[i].data != NULL && !events[i].meta) {
			apply(&image, &events[i], events[i].len / 3);
			expect_start(&f, &image, events[i].said);
		}
		apply(&image, &events[i], events[i].len);
	}
	expect_start(&f, &image, said);
	free(image.data);
	free(start);
	forget();
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

/* The first event behind the last sync before upto. */
static size_t
synced(size_t upto)
{
	size_t i, last;

	last = 0;
	for (i = 0; i < upto; i++)
		if (events[i].data == NULL)
			last = i + 1;
	return last;
}

/* What was not yet synced arrives in part and in any order. */
static void
writes_that_were_not_synced_may_be_lost_in_any_order(void **state)
{
	struct store_fixture f;
	struct image image;
	uint8_t *start;
	size_t i, j, len, upto, safe;

	(void)state;
	store_fixture_make(&f);
	start = store_fixture_file(&f, &len);
	watch(&f);
	live(&f);
	watched = 0;
	for (i = 0; i < IMAGES; i++) {
		upto = randombytes_uniform((uint32_t)n_events);
		safe = synced(upto);
		image_of(&image, start, len);
		for (j = 0; j < upto; j++)
			if (j < safe || events[j].durable ||
			    randombytes_uniform(2) == 0)
				apply(&image, &events[j], events[j].len);
		expect_start(&f, &image, upto == 0 ? 0 : events[upto - 1].said);
		free(image.data);
	}
	free(start);
	forget();
	store_fixture_end(&f);
}

/* ---- Commits that fail ---- */

/* One batch of one leaf; what its commit said. */
static enum cdop_err
one_leaf(struct store_fixture *f)
{
	enum cdop_err err;

	undo_begin(f->undo);
	err = rows_begin(f->rows, 1000, 4);
	if (err == CDOP_OK) {
		(void)store_fixture_leaf(f, "leaf");
		err = rows_commit(f->rows);
	}
	if (err == CDOP_OK)
		undo_commit(f->undo);
	else
		undo_rollback(f->undo);
	return err;
}

static void
no_room_before_the_meta_page_changes_nothing(void **state)
{
	struct store_fixture f;

	(void)state;
	store_fixture_make(&f);
	watch(&f);
	assert_int_equal(one_leaf(&f), CDOP_OK);
	fail_page = ENOSPC;
	assert_int_equal(one_leaf(&f), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(rows_next_leaf(f.rows), 1);
	fail_sync = ENOSPC;
	assert_int_equal(one_leaf(&f), CDOP_RESOURCE_EXHAUSTED);
	/* And on again. */
	assert_int_equal(one_leaf(&f), CDOP_OK);
	assert_int_equal(rows_next_leaf(f.rows), 2);
	forget();
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(rows_next_leaf(f.rows), 2);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
any_other_failure_of_a_commit_is_for_leaving(void **state)
{
	static int *const where[] = {
	    &fail_page, &fail_sync, &fail_meta, &fail_meta};
	static const int codes[] = {EIO, EIO, EIO, ENOSPC};
	struct store_fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		store_fixture_make(&f);
		watch(&f);
		assert_int_equal(one_leaf(&f), CDOP_OK);
		*where[i] = codes[i];
		assert_int_equal(one_leaf(&f), CDOP_DATA_LOSS);
		/* After a failed meta write there is no going on at all. */
		if (where[i] == &fail_meta)
			assert_int_equal(one_leaf(&f), CDOP_DATA_LOSS);
		forget();
		store_fixture_close(&f);
		assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
		assert_in_range(rows_next_leaf(f.rows), 1, 2);
		assert_int_equal(one_leaf(&f), CDOP_OK);
		assert_int_equal(one_leaf(&f), CDOP_OK);
		store_fixture_close(&f);
		assert_int_equal(store_fixture_verify(&f), 0);
		assert_string_equal(f.lines, ""); /* the mark is gone */
		store_fixture_end(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_crash_at_any_write_loses_nothing_acknowledged),
	    cmocka_unit_test(
		writes_that_were_not_synced_may_be_lost_in_any_order),
	    cmocka_unit_test(no_room_before_the_meta_page_changes_nothing),
	    cmocka_unit_test(any_other_failure_of_a_commit_is_for_leaving),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
