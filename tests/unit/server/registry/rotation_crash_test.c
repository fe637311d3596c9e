/*
 * The vault killed, and the disk failing, at each write of a rotation: every
 * one of them, and what goes on from there ends with the same census.  What
 * comes then, the copy, has tests/unit/server/vault/copy_crash_test.c.
 *
 * For the keys of an area, for the root, and for a root that was made on the
 * host, which the next start writes down; and what the host notes before.
 *
 * pwrite, writev and fdatasync of this program stand before those of the C
 * library, so that LMDB calls them too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/registry/rotation_renew.h"
#include "server/registry/rotation_step.h"
#include "server/vault/keystore.h"
#include "tests/unit/server/registry/turning.h"

#define CASES      4
#define KEYS_EACH  3
#define WRITES_MAX 256
#define TRIES_MAX  50

static struct world w;

/* ---- the disk ----------------------------------------------------------- */

/* What stands behind len is zeros: room that was taken before. */
struct image {
	uint8_t *data;
	size_t len;
	off_t size;
};

static bool watched;       /* writes to data.mdb are looked at */
static size_t n_writes;    /* and syncs, since it is watched */
static size_t fail_at;     /* the one that fails, from 1 on; 0: none */
static int fail_code;      /* how */
static struct image *keep; /* where each image goes; NULL: none is kept */

static struct image
read_image(void)
{
	struct image image;
	char path[128];
	struct stat st;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
	assert_int_equal(stat(path, &st), 0);
	image.size = st.st_size;
	image.len = (size_t)st.st_size;
	image.data = malloc(image.len);
	assert_non_null(image.data);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fread(image.data, 1, image.len, file), image.len);
	(void)fclose(file);
	while (image.len > 1 && image.data[image.len - 1] == 0)
		image.len--;
	image.data = realloc(image.data, image.len);
	assert_non_null(image.data);
	return image;
}

static void
write_image(const struct image *image)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(image->data, 1, image->len, file), image->len);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(ftruncate(fileno(file), image->size), 0);
	assert_int_equal(fclose(file), 0);
}

/* A copy puts another file in its place. */
static ino_t
data_inode(void)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void
watch(void)
{
	n_writes = 0;
	watched = true;
}

/* Whatever is about to be written: true, with errno, where it fails. */
static bool
comes(int fd)
{
	struct stat st;

	if (!watched || fstat(fd, &st) != 0 || st.st_ino != data_inode())
		return false;
	n_writes++;
	if (keep != NULL) {
		assert_true(n_writes <= WRITES_MAX);
		keep[n_writes - 1] = read_image();
	}
	if (n_writes != fail_at)
		return false;
	errno = fail_code;
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

	if (comes(fd))
		return -1;
	next("pwrite", &fn);
	return fn(fd, buf, len, at);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	writev_fn *fn;

	if (comes(fd))
		return -1;
	next("writev", &fn);
	return fn(fd, iov, n);
}

int
fdatasync(int fd)
{
	fdatasync_fn *fn;

	if (comes(fd))
		return -1;
	next("fdatasync", &fn);
	return fn(fd);
}

/* ---- the rotation ------------------------------------------------------- */

static struct image before;
static char wanted[TURNING_TEXT];
static bool of_root, of_host;
static uint8_t old_root[32];

/* A new file has none yet, and would take it in every test. */
static void
take_room(void)
{
	world_begin(&w, 1u << 20, 256);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
}

static int
setup(void **state)
{
	unsigned i;

	(void)state;
	wanted[0] = '\0';
	world_make(&w);
	for (i = 0; i < CASES; i++)
		free(
		    world_register(&w, i, i < CASES - 1 ? "wirral" : "sefton"));
	memcpy(old_root, keystore_raw(w.ks, 0), sizeof(old_root));
	if (of_host)
		(void)turning_begin_renewal(&w);
	else if (of_root)
		(void)turning_begin_root(&w);
	else
		(void)turning_begin(&w, "wirral");
	if (of_host) {
		turning_renew(&w);
		world_open(&w);
		take_room();
	}
	world_close(&w);
	before = read_image();
	return 0;
}

static int
setup_root(void **state)
{
	of_root = true;
	return setup(state);
}

static int
setup_host(void **state)
{
	of_host = true;
	return setup_root(state);
}

/* A root that waits, and nobody has come yet. */
static int
setup_waits(void **state)
{
	(void)state;
	of_host = false;
	world_make(&w);
	free(world_register(&w, 0, "wirral"));
	(void)turning_begin_renewal(&w);
	world_close(&w);
	before = read_image();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(before.data);
	world_open(&w);
	world_end(&w);
	return 0;
}

/* From whatever the disk holds to the end; it is closed again. */
static void
expect_end(void)
{
	char census[TURNING_TEXT];

	world_open(&w);
	turning_to_copy(&w, 2);
	turning_all_readable(&w);
	turning_census(&w, census);
	assert_string_equal(census, wanted);
	assert_int_equal(
	    rotation_at(w.reg->rotation, 0)->total, of_root ? 0 : CASES - 1);
	/* And it is another root, or the same, and never one between. */
	assert_int_equal(
	    memcmp(old_root, keystore_raw(w.ks, 0), sizeof(old_root)) != 0,
	    of_root);
	world_close(&w);
	cdop_arena_reset(w.arena);
}

static void
killed_at_any_write_it_ends_as_it_would_have(void **state)
{
	static struct image images[WRITES_MAX];
	char first[TURNING_TEXT];
	size_t i, n;

	(void)state;
	write_image(&before);
	world_open(&w);
	watch();
	keep = images;
	turning_to_copy(&w, KEYS_EACH);
	keep = NULL;
	watched = false;
	n = n_writes;
	turning_census(&w, first);
	world_close(&w);
	assert_non_null(strstr(first, "wirral: 1 keys, 3 cases, 0 old"));
	(void)snprintf(wanted, sizeof(wanted), "%s", first);
	/* Each commit is two writes and a sync at least: of the root one. */
	assert_true(n >= (of_root ? 3 : 12));
	for (i = 0; i < n; i++) {
		write_image(&images[i]);
		free(images[i].data);
		expect_end();
	}
}

/* As the cycle does: what found no room is tried again, else it leaves. */
static void
go_on_over(enum cdop_err err)
{
	if (err == CDOP_OK || err == CDOP_RESOURCE_EXHAUSTED)
		return;
	world_close(&w);
	world_open(&w);
}

static size_t
run_with(size_t at, int code)
{
	size_t tries;

	write_image(&before);
	world_open(&w);
	watch();
	fail_at = at;
	fail_code = code;
	for (tries = 0; rotation_step_due(w.reg->rotation); tries++) {
		assert_true(tries < TRIES_MAX);
		go_on_over(turning_step(&w, KEYS_EACH));
	}
	fail_at = 0;
	watched = false;
	world_close(&w);
	return n_writes;
}

static void
a_disk_that_fails_at_any_write_delays_it(void **state)
{
	static const int codes[] = {ENOSPC, EIO};
	size_t at, n, c;

	(void)state;
	n = run_with(0, 0);
	for (c = 0; c < sizeof(codes) / sizeof(codes[0]); c++)
		for (at = 1; at <= n; at++) {
			assert_true(run_with(at, codes[c]) >= at);
			expect_end();
		}
}

/* Once it was begun it is begun again, whatever of it was noted. */
static void
killed_on_the_host_it_waits_still(void **state)
{
	static struct image images[WRITES_MAX];
	size_t i, n;

	(void)state;
	write_image(&before);
	world_open(&w);
	watch();
	keep = images;
	assert_int_equal(turning_begin_renew(&w, "a test"), CDOP_OK);
	keep = NULL;
	watched = false;
	n = n_writes;
	assert_true(n >= 3);
	world_close(&w);
	for (i = 0; i < n; i++) {
		write_image(&images[i]);
		free(images[i].data);
		world_open(&w);
		assert_true(rotation_waits(w.reg->rotation));
		assert_false(rotation_renew_stands(w.reg->rotation));
		memset(w.k, 0x5b, sizeof(w.k));
		turning_renew(&w);
		world_open(&w);
		(void)turning_finish(&w, 2);
		turning_all_readable(&w);
		world_close(&w);
		memset(w.k, 0x5b, sizeof(w.k));
		cdop_arena_reset(w.arena);
	}
	write_image(&before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(killed_at_any_write_it_ends_as_it_would_have),
	    cmocka_unit_test(a_disk_that_fails_at_any_write_delays_it),
	};

	const struct CMUnitTest host[] = {
	    cmocka_unit_test(killed_on_the_host_it_waits_still),
	};

	return cmocka_run_group_tests_name(
		   "of an area", tests, setup, teardown) +
	    cmocka_run_group_tests_name(
		"of the root", tests, setup_root, teardown) +
	    cmocka_run_group_tests_name(
		"of a root made on the host", tests, setup_host, teardown) +
	    cmocka_run_group_tests_name(
		"on the host", host, setup_waits, teardown);
}
