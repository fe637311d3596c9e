/* Keys as rows: moved, destroyed, turned. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/vault/store_fixture.h"

static void
the_root_turns_and_every_slot_still_opens(void **state)
{
	struct store_fixture f;
	uint64_t key, form;
	uint8_t root[32];

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	key = store_fixture_case(&f, 9, "isle of man");
	form = store_fixture_put(&f, SCHEMA_KIND_FORM, key, "form");
	store_fixture_commit(&f);
	memcpy(root, keystore_raw(f.ks, 0), sizeof(root));
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_root_turn(f.rows), CDOP_OK);
	store_fixture_abort(&f);
	assert_memory_equal(keystore_raw(f.ks, 0), root, sizeof(root));
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_root_turn(f.rows), CDOP_OK);
	store_fixture_commit(&f);
	assert_memory_not_equal(keystore_raw(f.ks, 0), root, sizeof(root));
	store_fixture_expect(&f, form, "form");
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	store_fixture_expect(&f, form, "form");
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 1), CDOP_OK);
	assert_memory_not_equal(keystore_raw(f.ks, 0), root, sizeof(root));
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
the_newest_epoch_cannot_be_destroyed(void **state)
{
	struct store_fixture f;
	uint64_t old, new;

	(void)state;
	store_fixture_make(&f);
	assert_true(keystore_epoch(f.ks, SCHEMA_SEARCH, NULL, &old));
	store_fixture_begin(&f);
	assert_int_equal(
	    rows_keys_epoch_destroy(f.rows, old), CDOP_FAILED_PRECONDITION);
	store_fixture_abort(&f);
	store_fixture_begin(&f);
	assert_int_equal(
	    rows_keys_epoch_new(f.rows, SCHEMA_SEARCH, NULL, &new), CDOP_OK);
	assert_true(new > old);
	assert_int_equal(rows_keys_epoch_destroy(f.rows, old), CDOP_OK);
	store_fixture_commit(&f);
	assert_null(keystore_find(f.ks, old));
	assert_null(keystore_key(f.ks, old));
	assert_non_null(keystore_key(f.ks, new));
	store_fixture_end(&f);
}

static void
a_box_under_a_case_key_dies_with_it(void **state)
{
	const struct cdop_bytes text = {(const uint8_t *)"reason", 6};
	const struct cdop_bytes place = {(const uint8_t *)"leaf 1", 6};
	struct cdop_bytes box, got;
	struct store_fixture f;
	uint64_t key;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	key = store_fixture_case(&f, 1, "wirral");
	store_fixture_commit(&f);
	store_fixture_begin(&f);
	assert_int_equal(
	    rows_box_seal(f.rows, key, place, text, f.arena, &box), CDOP_OK);
	store_fixture_commit(&f);
	assert_int_equal(
	    rows_box_open(f.rows, key, place, box, f.arena, &got), CDOP_OK);
	assert_memory_equal(got.data, "reason", 6);
	assert_int_equal(rows_box_open(f.rows, key, text, box, f.arena, &got),
	    CDOP_DATA_LOSS);
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_case_destroy(f.rows, key), CDOP_OK);
	assert_int_equal(rows_box_open(f.rows, key, place, box, f.arena, &got),
	    CDOP_NOT_FOUND);
	store_fixture_abort(&f);
	assert_int_equal(
	    rows_box_open(f.rows, key, place, box, f.arena, &got), CDOP_OK);
	store_fixture_end(&f);
}

static void
a_destroyed_case_key_opens_nothing_any_more(void **state)
{
	struct cdop_bytes data;
	struct store_fixture f;
	uint64_t key, form;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_area(f.rows, "wirral"), CDOP_OK);
	assert_int_equal(
	    rows_keys_case_new(f.rows, 1, "wirral", &key), CDOP_OK);
	form = store_fixture_put(&f, SCHEMA_KIND_FORM, key, "form");
	store_fixture_commit(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_case_destroy(f.rows, key), CDOP_OK);
	assert_int_equal(
	    rows_get(f.rows, form, f.arena, NULL, &data), CDOP_DATA_LOSS);
	assert_string_equal(
	    strstr(rows_finding(f.rows), "is"), "is under an unknown key");
	assert_int_equal(rows_del(f.rows, form), CDOP_OK);
	store_fixture_commit(&f);
	assert_null(keystore_find(f.ks, key));
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_null(keystore_find(f.ks, key));
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
a_moved_case_is_read_though_its_key_row_comes_later(void **state)
{
	struct store_fixture f;
	struct store_fixture_seen seen;
	uint64_t key;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	key = store_fixture_case(&f, 3, "wirral");
	(void)store_fixture_case(&f, 4, "wirral");
	assert_int_equal(rows_keys_area(f.rows, "sefton"), CDOP_OK);
	store_fixture_commit(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_case_move(f.rows, key, "sefton"), CDOP_OK);
	assert_int_equal(rows_keys_case_move(f.rows, key, "no such area"),
	    CDOP_FAILED_PRECONDITION);
	store_fixture_abort(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_case_move(f.rows, key, "sefton"), CDOP_OK);
	store_fixture_commit(&f);
	store_fixture_close(&f);

	memset(&seen, 0, sizeof(seen));
	seen.f = &f;
	assert_int_equal(
	    store_fixture_open_with(&f, 0, store_fixture_see, &seen), CDOP_OK);
	assert_int_equal(seen.cases[3], 1);
	assert_int_equal(seen.cases[4], 1);
	assert_int_equal(seen.n, 6); /* no key, log or head rows */
	assert_string_equal(
	    keystore_area(f.ks, keystore_find(f.ks, key)->area), "sefton");
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_root_turns_and_every_slot_still_opens),
	    cmocka_unit_test(the_newest_epoch_cannot_be_destroyed),
	    cmocka_unit_test(a_box_under_a_case_key_dies_with_it),
	    cmocka_unit_test(a_destroyed_case_key_opens_nothing_any_more),
	    cmocka_unit_test(
		a_moved_case_is_read_though_its_key_row_comes_later),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
