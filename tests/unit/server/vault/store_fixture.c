/* A store to break. */
#include "tests/unit/server/vault/store_fixture.h"

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

#include "tests/unit/server/scratch.h"

static const uint8_t registry[16] = "registry-of-test";

static void
tools_make(struct store_fixture *f)
{
	const char *why;

	assert_int_equal(lockmem_new(512u << 10, &f->mem, &why), CDOP_OK);
	assert_int_equal(undo_new(4u << 20, &f->undo), CDOP_OK);
	assert_int_equal(keystore_new(f->mem, f->undo, &f->ks), CDOP_OK);
}

static void
tools_end(struct store_fixture *f)
{
	keystore_free(f->ks);
	undo_free(f->undo);
	lockmem_destroy(f->mem);
	f->ks = NULL;
}

static struct rows_args
args_of(struct store_fixture *f)
{
	return (struct rows_args){.dir = f->dir,
	    .reserve_bytes = f->reserve_bytes,
	    .map_bytes = STORE_FIXTURE_MAP,
	    .ks = f->ks,
	    .undo = f->undo};
}

void
store_fixture_make(struct store_fixture *f)
{
	struct slots_new slots[2] = {
	    {.kind = SLOTS_KIND_KEYFILE, .label = "key file"},
	    {.kind = SLOTS_KIND_PASSPHRASE, .label = "passphrase"}};
	struct rows_args args;
	size_t i;

	memset(f, 0, sizeof(*f));
	scratch_dir(f->dir, sizeof(f->dir), "store");
	assert_int_equal(cdop_arena_new(8u << 20, &f->arena), CDOP_OK);
	tools_make(f);
	for (i = 0; i < sizeof(f->file); i++)
		f->file[i] = (uint8_t)(i * 7 + 1);
	assert_int_equal(
	    slots_derive_keyfile(
		(struct cdop_bytes){f->file, sizeof(f->file)}, f->k[0]),
	    CDOP_OK);
	/* The cost of a passphrase is slots_test.c's matter. */
	assert_int_equal(
	    slots_kdf_new(1, SLOTS_MEMORY_MIN, &slots[1].kdf), CDOP_OK);
	memset(f->k[1], 0x5a, sizeof(f->k[1]));
	slots[0].k = f->k[0];
	slots[1].k = f->k[1];
	args = args_of(f);
	assert_int_equal(
	    rows_create(&args, registry, slots, 2, &f->rows), CDOP_OK);
}

void
store_fixture_close(struct store_fixture *f)
{
	if (f->ks == NULL)
		return;
	rows_close(f->rows);
	f->rows = NULL;
	tools_end(f);
}

void
store_fixture_end(struct store_fixture *f)
{
	static const char *const names[] = {
	    "data.mdb", "lock.mdb", "commit-failed", "reserve"};
	char path[128];
	size_t i;

	store_fixture_close(f);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	cdop_arena_free(f->arena);
}

static enum cdop_err
nothing(void *ctx, const struct rows_head *head, struct rows_item *item)
{
	struct store_fixture *f;
	struct cdop_bytes data;

	(void)head;
	f = ctx;
	cdop_arena_reset(f->arena);
	return rows_item_open(item, f->arena, &data);
}

enum cdop_err
store_fixture_open_with(
    struct store_fixture *f, size_t slot, rows_scan_fn *fn, void *ctx)
{
	struct rows_args args;
	enum cdop_err err;

	tools_make(f);
	args = args_of(f);
	err = rows_open(&args, &f->rows);
	if (err == CDOP_OK && slot < rows_slots(f->rows))
		err = rows_unseal(f->rows, slot, f->k[slot]);
	if (err == CDOP_OK)
		err = rows_scan(f->rows, fn, ctx);
	f->last = err;
	return err;
}

enum cdop_err
store_fixture_open(struct store_fixture *f, size_t slot)
{
	return store_fixture_open_with(f, slot, nothing, f);
}

void
store_fixture_begin(struct store_fixture *f)
{
	undo_begin(f->undo);
	assert_int_equal(rows_begin(f->rows, 1u << 16, 64), CDOP_OK);
}

void
store_fixture_commit(struct store_fixture *f)
{
	assert_int_equal(rows_commit(f->rows), CDOP_OK);
	undo_commit(f->undo);
}

void
store_fixture_abort(struct store_fixture *f)
{
	rows_abort(f->rows);
	undo_rollback(f->undo);
}

uint64_t
store_fixture_put(
    struct store_fixture *f, uint8_t kind, uint64_t key, const char *text)
{
	struct rows_new row = {.kind = kind,
	    .schema = 1,
	    .version = 1,
	    .key_id = key,
	    .data = {(const uint8_t *)text, strlen(text)}};
	uint64_t number;

	assert_int_equal(rows_put(f->rows, &row, &number), CDOP_OK);
	return number;
}

uint64_t
store_fixture_leaf(struct store_fixture *f, const char *text)
{
	struct rows_new row = {.kind = SCHEMA_KIND_LEAF,
	    .schema = 1,
	    .version = (uint32_t)rows_next_leaf(f->rows),
	    .data = {(const uint8_t *)text, strlen(text)}};
	uint64_t number;

	assert_int_equal(rows_put(f->rows, &row, &number), CDOP_OK);
	return number;
}

uint64_t
store_fixture_case(struct store_fixture *f, uint64_t case_id, const char *area)
{
	uint64_t key;

	assert_int_equal(rows_keys_area(f->rows, area), CDOP_OK);
	assert_int_equal(
	    rows_keys_case_new(f->rows, case_id, area, &key), CDOP_OK);
	(void)store_fixture_put(f, SCHEMA_KIND_CASE, key, "a case");
	(void)store_fixture_put(f, SCHEMA_KIND_FORM, key, "a form");
	(void)store_fixture_put(f, SCHEMA_KIND_SUMMARY, key, "a summary");
	(void)store_fixture_leaf(f, "registered");
	return key;
}

/* ---- Verify ---- */

static void
on_line(void *ctx, const char *line)
{
	struct store_fixture *f;
	size_t used;

	f = ctx;
	(void)snprintf(f->line, sizeof(f->line), "%s", line);
	used = strlen(f->lines);
	(void)snprintf(f->lines + used, sizeof(f->lines) - used, "%s\n", line);
}

static enum cdop_err
on_unlock(void *ctx, const struct slots_info *slots, size_t n, size_t *ret_slot,
    uint8_t ret_k[static 32])
{
	struct store_fixture *f;
	size_t i;

	f = ctx;
	for (i = 0; i < n; i++)
		if (slots[i].kind == SLOTS_KIND_KEYFILE)
			break;
	*ret_slot = i < n ? i : 0; /* a backup has no key file */
	memcpy(ret_k, f->k[0], 32);
	return CDOP_OK;
}

int
store_fixture_verify(struct store_fixture *f)
{
	struct verify_args args = {.dir = f->dir,
	    .map_bytes = STORE_FIXTURE_MAP,
	    .unlock = on_unlock,
	    .line = on_line,
	    .ctx = f,
	    .log = f->log};
	struct verify_result result;

	f->lines[0] = '\0';
	f->last = verify_dir(&args, &result);
	return f->last == CDOP_OK ? (int)result.findings : -1;
}

/* ---- The file ---- */

uint8_t *
store_fixture_file(const struct store_fixture *f, size_t *ret_len)
{
	char path[128];
	struct stat st;
	uint8_t *data;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	(void)close(fd);
	*ret_len = (size_t)st.st_size;
	return data;
}

void
store_fixture_write(
    const struct store_fixture *f, const uint8_t *data, size_t len)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	(void)close(fd);
}

void
store_fixture_expect(struct store_fixture *f, uint64_t number, const char *text)
{
	struct cdop_bytes data;
	struct rows_head head;

	cdop_arena_reset(f->arena);
	assert_int_equal(
	    rows_get(f->rows, number, f->arena, &head, &data), CDOP_OK);
	assert_int_equal(head.number, number);
	assert_int_equal(data.len, strlen(text));
	assert_memory_equal(data.data, text, data.len);
}

enum cdop_err
store_fixture_see(
    void *ctx, const struct rows_head *head, struct rows_item *item)
{
	struct cdop_bytes data;
	struct store_fixture_seen *seen;

	seen = ctx;
	assert_true(seen->n < sizeof(seen->kinds));
	seen->kinds[seen->n] = head->kind;
	seen->n++;
	if (head->kind == SCHEMA_KIND_SUMMARY)
		seen->cases[head->case_id]++;
	cdop_arena_reset(seen->f->arena);
	return rows_item_open(item, seen->f->arena, &data);
}
