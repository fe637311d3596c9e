/*
 * Who kept the file of before an erasure has nothing that opens it when there
 * is a certificate, and the file of then has no byte of the case (TRUST M3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/audit.h"
#include "server/registry/cases.h"
#include "server/registry/certificates.h"
#include "server/store/db.h"
#include "server/vault/rows_core.h"
#include "server/vault/rows_rewrap.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

#define ROWS_MAX 16

static struct world w;
static char *gone;
static uint64_t gone_key;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	gone = world_register(&w, 1, "sefton");
	free(world_register(&w, 2, "sefton"));
	free(world_register(&w, 3, "wirral"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(gone);
	world_end(&w);
	return 0;
}

struct kept {
	uint8_t *bytes;
	size_t len;
	uint64_t number;
};

static struct kept kept[ROWS_MAX]; /* rows */
static size_t n_kept;
static struct kept box[ROWS_MAX]; /* of leaves; number: the leaf's index */
static size_t n_box;

static void
keep_row(uint64_t number, struct cdop_bytes row)
{
	assert_true(n_kept < ROWS_MAX);
	kept[n_kept].bytes = malloc(row.len);
	assert_non_null(kept[n_kept].bytes);
	memcpy(kept[n_kept].bytes, row.data, row.len);
	kept[n_kept].len = row.len;
	kept[n_kept++].number = number;
}

/* The next row under incarnation 1; false: there are no more. */
static bool
next_row(uint64_t *number, struct envelope_head *head, struct cdop_bytes *row)
{
	do
		if (db_next(w.rows->txn, *number + 1, number, row) != CDOP_OK)
			return false;
	while (layout_incarnation(*number) == 0);
	assert_int_equal(
	    envelope_head_parse(keystore_ring(w.ks), *row, *number, head),
	    ENVELOPE_FINE);
	return true;
}

/* A case key's row, read as the vault reads it. */
static void
open_key(const struct envelope_head *head, struct cdop_bytes row,
    struct layout_key *parsed)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	struct cdop_bytes data;

	assert_int_equal(
	    envelope_unseal(keystore_ring(w.ks),
		keystore_key(w.ks, head->key_id), head, row, out, &data),
	    ENVELOPE_FINE);
	assert_int_equal(layout_case_parse(data, parsed), CDOP_OK);
}

/* The rows of the case, and what wraps its key. */
static void
keep_rows(uint64_t key_id)
{
	struct envelope_head head;
	struct layout_key parsed;
	struct cdop_bytes row;
	uint64_t number = 0;

	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	while (next_row(&number, &head, &row)) {
		if (head.key_id == key_id)
			keep_row(number, row);
		if (head.kind != SCHEMA_KIND_CASE_KEY)
			continue;
		open_key(&head, row, &parsed);
		if (parsed.id == key_id)
			keep_row(number, row);
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
}

/* A leaf's box that lies under the case key in ctx. */
static bool
keep_box(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredLeaf *stored = leaf->stored;
	const uint64_t *key = ctx;

	if (!stored->has_case_box || stored->case_box_key != *key)
		return true;
	assert_true(n_box < ROWS_MAX);
	box[n_box].len = stored->case_box.len;
	box[n_box].bytes = malloc(stored->case_box.len);
	assert_non_null(box[n_box].bytes);
	memcpy(box[n_box].bytes, stored->case_box.data, stored->case_box.len);
	box[n_box++].number = leaf->index;
	return true;
}

static void
keep_boxes(uint64_t key)
{
	uint64_t cursor = 0;

	do
		assert_int_equal(audit_walk(w.reg->audit, w.arena, &cursor, 256,
				     keep_box, &key),
		    CDOP_OK);
	while (cursor != 0);
}

/* The kept boxes that lie in the log as they were. */
static size_t
boxes_in_log(void)
{
	struct kept before[ROWS_MAX];
	const size_t n = n_box;
	size_t i, k, same = 0;

	memcpy(before, box, sizeof(before));
	n_box = 0;
	keep_boxes(gone_key);
	for (i = 0; i < n_box; i++) {
		for (k = 0; k < n; k++)
			same += before[k].number == box[i].number &&
			    before[k].len == box[i].len &&
			    memcmp(before[k].bytes, box[i].bytes, box[i].len) ==
				0;
		free(box[i].bytes);
	}
	memcpy(box, before, sizeof(before));
	n_box = n;
	return same;
}

static size_t
boxes_opened_by(struct envelope_key *key)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	struct cdop_bytes context, data;
	uint8_t index[8];
	size_t i, n = 0;

	context = (struct cdop_bytes){index, sizeof(index)};
	for (i = 0; i < n_box; i++) {
		cdop_put64(index, box[i].number);
		n += envelope_box_unseal(key, w.rows->registry, context,
			 (struct cdop_bytes){box[i].bytes, box[i].len}, out,
			 &data) == ENVELOPE_FINE;
	}
	return n;
}

/* How many of the kept rows and boxes this key opens. */
static size_t
opened_by(struct envelope_key *key)
{
	const struct envelope_ring *ring = keystore_ring(w.ks);
	static uint8_t out[ENVELOPE_ROW_MAX];
	struct envelope_head head;
	struct cdop_bytes row, data;
	size_t i, n = 0;

	for (i = 0; i < n_kept; i++) {
		row = (struct cdop_bytes){kept[i].bytes, kept[i].len};
		assert_int_equal(
		    envelope_head_parse(ring, row, kept[i].number, &head),
		    ENVELOPE_FINE);
		n += envelope_unseal(ring, key, &head, row, out, &data) ==
		    ENVELOPE_FINE;
	}
	return n + boxes_opened_by(key);
}

/* By every case key that there is. */
static size_t
opened_by_cases(void)
{
	uint8_t label[LAYOUT_LABEL], k[32];
	struct envelope_head head;
	struct layout_key parsed;
	struct envelope_key key;
	struct cdop_bytes row;
	uint64_t number = 0;
	size_t n = 0;

	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	while (next_row(&number, &head, &row)) {
		if (head.kind != SCHEMA_KIND_CASE_KEY)
			continue;
		open_key(&head, row, &parsed);
		layout_label(parsed.id, head.key_id, SCHEMA_CASE, label);
		assert_int_equal(
		    envelope_unwrap(keystore_key(w.ks, head.key_id),
			w.rows->registry,
			(struct cdop_bytes){label, sizeof(label)}, parsed.wrap,
			k),
		    CDOP_OK);
		envelope_key_init(&key, k);
		n += opened_by(&key);
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
	return n;
}

static size_t
opened_by_any(void)
{
	struct rows_rewrap_epoch epoch;
	size_t i, n = opened_by_cases();

	for (i = 0; rows_rewrap_epoch(w.rows, i, &epoch); i++)
		if (epoch.scope != 0)
			n += opened_by(keystore_key(w.ks, epoch.key));
	return n;
}

/* How many of them have their ciphertext, or nonce, in the file. */
static size_t
found_in_file(void)
{
	char path[128];
	uint8_t *data;
	FILE *file;
	size_t i, n = 0;
	long len;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	len = ftell(file);
	assert_true(len > 0);
	rewind(file);
	data = malloc((size_t)len);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)len, file), len);
	(void)fclose(file);
	for (i = 0; i < n_kept; i++)
		n +=
		    memmem(data, (size_t)len, kept[i].bytes + 53, 32) != NULL ||
		    memmem(data, (size_t)len, kept[i].bytes + 1, 24) != NULL;
	free(data);
	return n;
}

static bool
is_certified(void)
{
	return certificates_at(w.reg->certificates, 0)->issued;
}

static void
after_the_copy_there_is_no_byte_and_no_key(void **state)
{
	const struct index *index = cases_index(w.reg->cases);
	size_t i;

	(void)state;
	n_kept = n_box = 0;
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_OK);
	gone_key = index_at(index, calls_slot(&w, gone))->key_id;
	keep_rows(gone_key);
	keep_boxes(gone_key);
	assert_true(n_kept >= 4); /* state, notification, summary, key */
	assert_true(n_box >= 2);  /* registered, shown */
	assert_int_equal(found_in_file(), n_kept);
	assert_int_equal(opened_by_any(), n_kept + n_box);

	calls_erase(&w, gone);
	/* Its key is gone; its wrapped key opens still, and so all of it. */
	assert_int_equal(opened_by_any(), 1);
	assert_true(found_in_file() > 0);
	assert_false(is_certified());
	turning_to_copy(&w, 8);
	assert_int_equal(opened_by_any(), 0);
	assert_false(is_certified());
	(void)turning_finish(&w, 8);
	assert_int_equal(opened_by_any(), 0);
	assert_int_equal(found_in_file(), 0);
	assert_true(is_certified());
	/* The leaves keep their boxes, which nothing opens, whatever turns. */
	assert_int_equal(boxes_in_log(), n_box);
	(void)turning_begin_with(&w, NULL, true);
	(void)turning_finish(&w, 8);
	assert_int_equal(boxes_in_log(), n_box);
	assert_int_equal(opened_by_any(), 0);
	for (i = 0; i < n_kept; i++)
		free(kept[i].bytes);
	for (i = 0; i < n_box; i++)
		free(box[i].bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		after_the_copy_there_is_no_byte_and_no_key, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
