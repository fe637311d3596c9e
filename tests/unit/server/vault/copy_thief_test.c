/*
 * Somebody who kept the old keys, and has both files: the old one is open to
 * him, and nothing of it is in the new one.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/rows_core.h"
#include "tests/unit/server/vault/copy_fixture.h"

#define KEYS_MAX 256

static struct copy_fixture c;
static struct copy_epoch epochs[COPY_FIXTURE_EPOCHS];

static int
setup(void **state)
{
	(void)state;
	copy_fixture_make_small(&c);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	copy_fixture_end(&c);
	return 0;
}

/* ---- who kept a key ---------------------------------------------------- */

/* Somebody with keys, the ring, and a file. */
struct thief {
	struct envelope_key key[KEYS_MAX];
	size_t n;
	bool has_cases[COPY_FIXTURE_CASES + 1]; /* took their keys */
};

static struct thief thief;

static void
take_key(const uint8_t k[static 32])
{
	assert_true(thief.n < KEYS_MAX);
	envelope_key_init(&thief.key[thief.n++], k);
}

/* The old epoch keys, as somebody saved them before. */
static void
take_old_keys(void)
{
	size_t i;

	memset(&thief, 0, sizeof(thief));
	for (i = 0; i < COPY_FIXTURE_EPOCHS; i++)
		take_key(keystore_raw(c.f.ks, epochs[i].from));
}

/* Under any key that he has, whatever the row says. */
static bool
opens(const struct copy_fixture_row *row, size_t *ret_key, uint8_t *out,
    struct envelope_head *ret_head, struct cdop_bytes *ret_data)
{
	const struct envelope_ring *ring = keystore_ring(c.f.ks);
	struct cdop_bytes bytes = {row->bytes, row->len};
	size_t i;

	if (row->bytes[0] != 1 ||
	    envelope_head_parse(ring, bytes, row->number, ret_head) !=
		ENVELOPE_FINE)
		return false;
	for (i = 0; i < thief.n; i++) {
		*ret_key = i;
		if (envelope_unseal(ring, &thief.key[i], ret_head, bytes, out,
			ret_data) == ENVELOPE_FINE)
			return true;
	}
	return false;
}

/* A key row that he opened gives him one more. */
static void
take_wrapped(const struct copy_fixture_row *row, size_t with)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	uint8_t label[LAYOUT_LABEL], k[32];
	struct envelope_head head;
	struct layout_key key;
	struct cdop_bytes data;

	assert_true(opens(row, &with, out, &head, &data));
	assert_int_equal(layout_case_parse(data, &key), CDOP_OK);
	layout_label(key.id, head.key_id, SCHEMA_CASE, label);
	assert_int_equal(
	    envelope_unwrap(&thief.key[with], c.f.rows->registry,
		(struct cdop_bytes){label, sizeof(label)}, key.wrap, k),
	    CDOP_OK);
	if (!thief.has_cases[key.case_id])
		take_key(k);
	thief.has_cases[key.case_id] = true;
}

/* How many rows of a file he opens, also with the keys that he finds. */
static size_t
steal(const struct copy_fixture_image *image)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	struct envelope_head head;
	struct cdop_bytes data;
	size_t i, n, with;

	for (i = 0; i < image->n; i++)
		if (opens(&image->row[i], &with, out, &head, &data) &&
		    head.kind == SCHEMA_KIND_CASE_KEY)
			take_wrapped(&image->row[i], with);
	for (n = 0, i = 0; i < image->n; i++)
		n += opens(&image->row[i], &with, out, &head, &data);
	return n;
}

/* ---- what is left of the old file ---------------------------------------- */

static void
expect_absent(
    const struct copy_fixture_row *row, const uint8_t *file, size_t len)
{
	/* Behind nonce and head: what is sealed; and the nonce itself. */
	assert_null(memmem(file, len, row->bytes + 53, 32));
	assert_null(memmem(file, len, row->bytes + 1, 24));
}

static void
nothing_of_the_old_file_is_in_the_new_one(void **state)
{
	struct copy_fixture_image before, after;
	const struct copy_plan plan = copy_fixture_plan(&c, epochs);
	char *texts, *again;
	uint8_t *file;
	size_t i, len, n = 0, boxes, keys;
	bool *resealed;

	(void)state;
	copy_fixture_live(&c);
	copy_fixture_turn(&c, epochs);
	take_old_keys();
	copy_fixture_read(&c, &before);
	resealed = calloc(before.n, sizeof(*resealed));
	assert_non_null(resealed);
	for (i = 0; i < before.n; i++)
		n += resealed[i] =
		    copy_fixture_is_sealed_anew(&c, &before.row[i]);
	texts = copy_fixture_texts(&c);
	boxes = copy_fixture_boxes(&c);
	keys = keystore_count(c.f.ks);
	assert_true(boxes > 10);
	/* Before: everything of REGISTRY, LOG, SEARCH and of the area. The
	 * head row is under the new key already. */
	assert_int_equal(steal(&before), n - 1);
	copy_fixture_copy(&c, &plan, false);
	copy_fixture_read(&c, &after);
	/* With all that he has found in the old file. */
	assert_int_equal(steal(&after), 0);
	again = copy_fixture_texts(&c);
	assert_string_equal(texts, again);
	assert_int_equal(copy_fixture_boxes(&c), boxes);
	file = store_fixture_file(&c.f, &len);
	for (i = 0; i < before.n; i++)
		if (resealed[i])
			expect_absent(&before.row[i], file, len);
	for (i = 0; i < COPY_FIXTURE_EPOCHS; i++) {
		assert_null(keystore_find(c.f.ks, epochs[i].from));
		assert_null(keystore_raw(c.f.ks, epochs[i].from));
	}
	assert_int_equal(keystore_count(c.f.ks), keys - COPY_FIXTURE_EPOCHS);
	copy_fixture_whole(&c);
	free(file);
	free(texts);
	free(again);
	free(resealed);
	copy_fixture_drop(&before);
	copy_fixture_drop(&after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		nothing_of_the_old_file_is_in_the_new_one, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
