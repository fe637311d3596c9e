/*
 * T6: a random source that gives the same byte for ever, from the making of
 * the registry on.  No key has a nonce twice for different input.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/rows_core.h"
#include "tests/unit/server/vault/store_fixture.h"

#define SEALS_MAX 2048
#define NONCE     24

static const char *
stuck_name(void)
{
	return "stuck";
}

static uint32_t
stuck_random(void)
{
	return 0x5a5a5a5a;
}

static void
stuck_buf(void *const buf, const size_t len)
{
	memset(buf, 0x5a, len);
}

static struct randombytes_implementation stuck = {
    .implementation_name = stuck_name,
    .random = stuck_random,
    .buf = stuck_buf,
};

/* Everything that was ever sealed: its nonce and what came out. */
struct seal {
	uint8_t nonce[NONCE];
	uint8_t hash[32];
};

static struct seal seals[SEALS_MAX];
static size_t n_seals;

static void
take(const uint8_t *nonce, const uint8_t *sealed, size_t len)
{
	struct seal *seal;

	assert_true(n_seals < SEALS_MAX);
	seal = &seals[n_seals];
	memcpy(seal->nonce, nonce, NONCE);
	(void)crypto_generichash(seal->hash, 32, sealed, len, NULL, 0);
	n_seals++;
}

/* All rows that stand now; those of format 2 are three or two wraps. */
static void
take_rows(struct store_fixture *f)
{
	struct cdop_bytes row;
	uint64_t number;
	size_t at;

	assert_int_equal(db_begin_read(f->rows->db, &f->rows->txn), CDOP_OK);
	number = 0;
	while (db_next(f->rows->txn, number, &number, &row) == CDOP_OK) {
		if (row.data[0] == 1)
			take(row.data + 1, row.data + 1 + NONCE,
			    row.len - 1 - NONCE);
		for (at = row.len == SLOTS_ROW ? 88 : 24;
		     row.data[0] == 2 && at < row.len; at += ENVELOPE_WRAP)
			take(row.data + at, row.data + at + NONCE,
			    ENVELOPE_WRAP - NONCE);
		number++;
	}
	db_abort(f->rows->txn);
	f->rows->txn = NULL;
}

static void
a_registry_without_randomness_repeats_no_nonce(void **state)
{
	struct rows_new row = {.kind = SCHEMA_KIND_PERSON, .schema = 1};
	struct store_fixture f;
	uint64_t key[2], person;
	size_t i, j;

	(void)state;
	store_fixture_make(&f);
	take_rows(&f);
	store_fixture_begin(&f);
	person = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "person");
	key[0] = store_fixture_case(&f, 1, "wirral");
	key[1] = store_fixture_case(&f, 2, "wirral");
	store_fixture_commit(&f);
	assert_memory_not_equal(keystore_raw(f.ks, layout_number(1, 1)),
	    keystore_raw(f.ks, layout_number(1, 2)), 32);
	take_rows(&f);
	for (i = 0; i < 20; i++) {
		store_fixture_begin(&f);
		assert_int_equal(
		    rows_replace(f.rows, person, &row, &person), CDOP_OK);
		(void)store_fixture_put(
		    &f, SCHEMA_KIND_FORM, key[i % 2], "the same form");
		(void)store_fixture_leaf(&f, "the same leaf");
		if (i == 10)
			assert_int_equal(rows_keys_root_turn(f.rows), CDOP_OK);
		store_fixture_commit(&f);
		take_rows(&f);
	}
	for (i = 0; i < n_seals; i++)
		for (j = 0; j < i; j++)
			if (memcmp(seals[i].nonce, seals[j].nonce, NONCE) == 0)
				assert_memory_equal(
				    seals[i].hash, seals[j].hash, 32);
	store_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_registry_without_randomness_repeats_no_nonce),
	};

	(void)randombytes_set_implementation(&stuck);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
