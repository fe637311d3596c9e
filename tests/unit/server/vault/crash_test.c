/*
 * The process killed at any moment, the disk full, and what lies on it.
 *
 * CDOP_KILLS sets how often a writer is killed (default 15).
 */
#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/server/vault/store_fixture.h"

#define DISK_MIB 12

/* ---- kill -9 ---- */

/* Commits for ever; says each leaf index that is durable. */
static void
write_for_ever(struct store_fixture *f, int fd)
{
	uint64_t done, person, number;
	struct rows_new row = {.kind = SCHEMA_KIND_PERSON,
	    .schema = 1,
	    .data = {(const uint8_t *)"person", 6}};

	if (store_fixture_open(f, 0) != CDOP_OK)
		_exit(1);
	person = 0;
	for (;;) {
		undo_begin(f->undo);
		if (rows_begin(f->rows, 1u << 14, 16) != CDOP_OK)
			_exit(2);
		(void)store_fixture_leaf(f, "one leaf a commit");
		if (person == 0)
			person = store_fixture_put(
			    f, SCHEMA_KIND_PERSON, 0, "person");
		else if (rows_replace(f->rows, person, &row, &number) !=
		    CDOP_OK)
			_exit(3);
		else
			person = number;
		done = rows_next_leaf(f->rows);
		if (rows_commit(f->rows) != CDOP_OK)
			_exit(4);
		undo_commit(f->undo);
		if (write(fd, &done, sizeof(done)) != sizeof(done))
			_exit(5);
	}
}

/* Kills a writer after some microseconds; the last thing that it said. */
static uint64_t
kill_writer(struct store_fixture *f, unsigned int after_us)
{
	uint64_t said, done;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)close(fds[0]);
		write_for_ever(f, fds[1]);
	}
	(void)close(fds[1]);
	/* It has begun when it says something. */
	said = 0;
	assert_int_equal(read(fds[0], &said, sizeof(said)), sizeof(said));
	(void)usleep(after_us);
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (read(fds[0], &done, sizeof(done)) == sizeof(done))
		said = done;
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return said;
}

struct leaves {
	uint64_t n;
};

static enum cdop_err
count_leaf(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct leaves *leaves;

	(void)item;
	(void)ret_stop;
	leaves = ctx;
	leaves->n += head->kind == SCHEMA_KIND_LEAF;
	return CDOP_OK;
}

static void
what_was_acknowledged_survives_kill_9(void **state)
{
	unsigned int kills, i;
	struct store_fixture f;
	struct leaves leaves;
	const char *wanted;
	uint64_t said;

	(void)state;
	wanted = getenv("CDOP_KILLS");
	kills = wanted == NULL ? 15 : (unsigned int)strtoul(wanted, NULL, 10);
	store_fixture_make(&f);
	store_fixture_close(&f);
	for (i = 0; i < kills; i++) {
		said = kill_writer(&f, randombytes_uniform(20000));
		assert_int_equal(store_fixture_open(&f, i % 2), CDOP_OK);
		/* At most the one batch that was not yet acknowledged. */
		assert_in_range(rows_next_leaf(f.rows), said, said + 1);
		leaves.n = 0;
		assert_int_equal(
		    rows_scan_log(f.rows, 0, count_leaf, &leaves), CDOP_OK);
		assert_int_equal(leaves.n, rows_next_leaf(f.rows));
		store_fixture_close(&f);
	}
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

/* ---- A full disk ---- */

static bool begun; /* the last batch: there was room for it */

/* One batch of ten leaves; what stopped it. */
static enum cdop_err
ten_leaves(struct store_fixture *f)
{
	enum cdop_err err;
	unsigned int i;

	undo_begin(f->undo);
	err = rows_begin(f->rows, 1u << 14, 16);
	begun = err == CDOP_OK;
	for (i = 0; err == CDOP_OK && i < 10; i++)
		(void)store_fixture_leaf(f, "a leaf");
	if (err == CDOP_OK)
		err = rows_commit(f->rows);
	if (err == CDOP_OK)
		undo_commit(f->undo);
	else
		undo_rollback(f->undo);
	return err;
}

static void
fill(const char *path, size_t leave)
{
	static uint8_t block[1 << 16];
	FILE *file;

	file = fopen(path, "we");
	assert_non_null(file);
	while (fwrite(block, sizeof(block), 1, file) == 1 && fflush(file) == 0)
		continue;
	assert_int_equal(ftruncate(fileno(file), ftell(file) - (long)leave), 0);
	(void)fclose(file);
}

static void
a_full_disk_is_found_before_anything_is_applied(void **state)
{
	char options[32], ballast[128];
	struct store_fixture f;
	uint64_t leaves;
	enum cdop_err err;
	unsigned int n;

	(void)state;
	store_fixture_make(&f);
	store_fixture_close(&f);
	(void)snprintf(options, sizeof(options), "size=%dm", DISK_MIB);
	/* The store is moved onto a small file system of its own. */
	if (geteuid() != 0) {
		store_fixture_end(&f);
		skip();
		return;
	}
	{
		size_t len;
		uint8_t *file;

		file = store_fixture_file(&f, &len);
		if (mount("none", f.dir, "tmpfs", 0, options) != 0) {
			free(file);
			store_fixture_end(&f);
			skip();
			return;
		}
		assert_int_equal(chmod(f.dir, 0700), 0);
		(void)snprintf(ballast, sizeof(ballast), "%s/data.mdb", f.dir);
		assert_int_equal(
		    close(open(ballast, O_CREAT | O_WRONLY, 0600)), 0);
		store_fixture_write(&f, file, len);
		free(file);
	}
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(ten_leaves(&f), CDOP_OK);
	(void)snprintf(ballast, sizeof(ballast), "%s/ballast", f.dir);
	fill(ballast, 2u << 20);
	err = CDOP_OK;
	leaves = 0;
	for (n = 0; err == CDOP_OK && n < 10000; n++) {
		leaves = rows_next_leaf(f.rows);
		err = ten_leaves(&f);
	}
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_false(begun);
	assert_int_equal(rows_next_leaf(f.rows), leaves);
	/* Still refused, still readable, and on again when there is room. */
	assert_int_equal(ten_leaves(&f), CDOP_RESOURCE_EXHAUSTED);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(rows_next_leaf(f.rows), leaves);
	assert_int_equal(unlink(ballast), 0);
	assert_int_equal(ten_leaves(&f), CDOP_OK);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	assert_int_equal(umount(f.dir), 0);
	store_fixture_end(&f);
}

static void
a_full_map_is_found_before_anything_is_applied(void **state)
{
	struct store_fixture f;
	uint64_t leaves;

	(void)state;
	store_fixture_make(&f);
	leaves = rows_next_leaf(f.rows);
	undo_begin(f.undo);
	assert_int_equal(rows_begin(f.rows, (size_t)STORE_FIXTURE_MAP, 16),
	    CDOP_RESOURCE_EXHAUSTED);
	undo_rollback(f.undo);
	assert_int_equal(rows_next_leaf(f.rows), leaves);
	assert_int_equal(ten_leaves(&f), CDOP_OK);
	store_fixture_end(&f);
}

/* ---- What lies on the disk ---- */

static bool
contains(const uint8_t *data, size_t len, const uint8_t *what, size_t what_len)
{
	return memmem(data, len, what, what_len) != NULL;
}

/* As it is, in capitals, in UTF-16, in hex, backwards. */
static void
expect_absent(const uint8_t *data, size_t len, const char *canary)
{
	uint8_t other[256];
	size_t i, n;

	n = strlen(canary);
	assert_in_range(n, 1, sizeof(other) / 2);
	assert_false(contains(data, len, (const uint8_t *)canary, n));
	for (i = 0; i < n; i++)
		other[i] = (uint8_t)toupper((unsigned char)canary[i]);
	assert_false(contains(data, len, other, n));
	for (i = 0; i < n; i++) {
		other[2 * i] = (uint8_t)canary[i];
		other[2 * i + 1] = 0;
	}
	assert_false(contains(data, len, other, 2 * n));
	for (i = 0; i < n; i++)
		(void)snprintf((char *)other + 2 * i, 3, "%02x",
		    (unsigned int)(unsigned char)canary[i]);
	assert_false(contains(data, len, other, 2 * n));
	for (i = 0; i < n; i++)
		other[i] = (uint8_t)canary[n - 1 - i];
	assert_false(contains(data, len, other, n));
}

static void
nothing_that_was_said_is_found_on_the_disk(void **state)
{
	static const char *const canaries[] = {"Quokkatina", "9990000018",
	    "narrative of a synthetic child", "liverpool-north"};
	struct store_fixture f;
	uint8_t *file, root[32];
	uint64_t key, old;
	size_t i, len;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_area(f.rows, canaries[3]), CDOP_OK);
	key = store_fixture_case(&f, 1, canaries[3]);
	old = store_fixture_put(&f, SCHEMA_KIND_FORM, key, canaries[0]);
	(void)store_fixture_put(&f, SCHEMA_KIND_FORM, key, canaries[1]);
	(void)store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, canaries[2]);
	(void)store_fixture_put(&f, SCHEMA_KIND_TERMS, 0, canaries[1]);
	(void)store_fixture_leaf(&f, canaries[2]);
	store_fixture_commit(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_del(f.rows, old), CDOP_OK);
	store_fixture_commit(&f);
	memcpy(root, keystore_raw(f.ks, 0), sizeof(root));
	store_fixture_close(&f);
	file = store_fixture_file(&f, &len);
	for (i = 0; i < 4; i++)
		expect_absent(file, len, canaries[i]);
	assert_false(contains(file, len, root, sizeof(root)));
	assert_false(contains(file, len, f.k[0], 32));
	assert_false(contains(file, len, f.file, 32));
	free(file);
	store_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_acknowledged_survives_kill_9),
	    cmocka_unit_test(a_full_disk_is_found_before_anything_is_applied),
	    cmocka_unit_test(a_full_map_is_found_before_anything_is_applied),
	    cmocka_unit_test(nothing_that_was_said_is_found_on_the_disk),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
