/* The row store: batches, starts, keys. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/rows_core.h"
#include "tests/unit/server/vault/store_fixture.h"

static struct rows_new
row_of(uint8_t kind, uint64_t key, const char *text)
{
	return (struct rows_new){.kind = kind,
	    .schema = 1,
	    .version = 1,
	    .key_id = key,
	    .data = {(const uint8_t *)text, strlen(text)}};
}

static void
expect_none(struct store_fixture *f, uint64_t number)
{
	struct cdop_bytes data;

	assert_int_equal(
	    rows_get(f->rows, number, f->arena, NULL, &data), CDOP_NOT_FOUND);
}

static void
a_new_store_opens_through_each_slot(void **state)
{
	struct store_fixture f;

	(void)state;
	store_fixture_make(&f);
	assert_int_equal(rows_prove(f.rows, 0, f.k[0]), CDOP_OK);
	assert_int_equal(rows_prove(f.rows, 0, f.k[1]), CDOP_UNAUTHENTICATED);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(rows_slots(f.rows), 2);
	assert_string_equal(rows_slot(f.rows, 1)->label, "passphrase");
	assert_int_equal(rows_slot(f.rows, 1)->number, 2);
	assert_int_equal(rows_incarnation(f.rows), 1);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 1), CDOP_OK);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
a_wrong_key_leaves_the_store_sealed(void **state)
{
	struct store_fixture f;

	(void)state;
	store_fixture_make(&f);
	store_fixture_close(&f);
	f.k[0][0] ^= 1;
	assert_int_equal(store_fixture_open(&f, 0), CDOP_UNAUTHENTICATED);
	assert_false(keystore_is_open(f.ks));
	undo_begin(f.undo);
	assert_int_equal(rows_begin(f.rows, 100, 1), CDOP_FAILED_PRECONDITION);
	undo_rollback(f.undo);
	f.k[0][0] ^= 1;
	assert_int_equal(rows_unseal(f.rows, 0, f.k[0]), CDOP_OK);
	store_fixture_end(&f);
}

static void
what_was_committed_is_there_after_a_start(void **state)
{
	uint64_t person, form, key, leaf;
	struct store_fixture f;
	uint8_t hash[32];

	(void)state;
	memset(hash, 0xab, sizeof(hash));
	store_fixture_make(&f);
	store_fixture_begin(&f);
	person = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "a person");
	key = store_fixture_case(&f, 4242, "wirral");
	form = store_fixture_put(&f, SCHEMA_KIND_FORM, key, "another form");
	leaf = store_fixture_leaf(&f, "a leaf");
	rows_set_leaf_hash(f.rows, hash);
	store_fixture_expect(
	    &f, form, "another form"); /* a batch sees its own */
	store_fixture_commit(&f);
	store_fixture_expect(
	    &f, form, "another form"); /* and outside a batch */
	store_fixture_close(&f);

	assert_int_equal(store_fixture_open(&f, 1), CDOP_OK);
	store_fixture_expect(&f, person, "a person");
	store_fixture_expect(&f, form, "another form");
	store_fixture_expect(&f, leaf, "a leaf");
	assert_int_equal(rows_next_leaf(f.rows), 2);
	assert_memory_equal(rows_leaf_hash(f.rows), hash, sizeof(hash));
	assert_int_equal(keystore_find(f.ks, key)->case_id, 4242);
	assert_string_equal(
	    keystore_area(f.ks, keystore_find(f.ks, key)->area), "wirral");
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
a_replaced_row_is_gone_under_its_old_number(void **state)
{
	struct rows_new row = row_of(SCHEMA_KIND_PERSON, 0, "second");
	struct store_fixture f;
	uint64_t old, new;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	old = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "first");
	store_fixture_commit(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_replace(f.rows, old, &row, &new), CDOP_OK);
	assert_true(new > old);
	expect_none(&f, old);
	store_fixture_commit(&f);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	expect_none(&f, old);
	store_fixture_expect(&f, new, "second");
	store_fixture_begin(&f);
	assert_int_equal(rows_del(f.rows, new), CDOP_OK);
	store_fixture_commit(&f);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	expect_none(&f, new);
	store_fixture_end(&f);
}

static void
rows_of_every_size_come_back(void **state)
{
	static const size_t lens[] = {
	    0, 181, 182, 4007, 4008, 100000, ROWS_DATA_MAX};
	struct rows_new row = row_of(SCHEMA_KIND_FORM, 0, "");
	static uint8_t data[ROWS_DATA_MAX + 1];
	uint64_t numbers[7];
	struct store_fixture f;
	struct cdop_bytes got;
	size_t i;

	(void)state;
	randombytes_buf(data, sizeof(data));
	store_fixture_make(&f);
	undo_begin(f.undo);
	assert_int_equal(rows_begin(f.rows, 2u << 20, 20), CDOP_OK);
	assert_int_equal(rows_keys_area(f.rows, "sefton"), CDOP_OK);
	assert_int_equal(
	    rows_keys_case_new(f.rows, 1, "sefton", &row.key_id), CDOP_OK);
	for (i = 0; i < 7; i++) {
		row.data = (struct cdop_bytes){data, lens[i]};
		assert_int_equal(rows_put(f.rows, &row, &numbers[i]), CDOP_OK);
	}
	store_fixture_commit(&f);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	for (i = 0; i < 7; i++) {
		cdop_arena_reset(f.arena);
		assert_int_equal(
		    rows_get(f.rows, numbers[i], f.arena, NULL, &got), CDOP_OK);
		assert_int_equal(got.len, lens[i]);
		assert_memory_equal(got.data, data, lens[i]);
	}
	store_fixture_begin(&f);
	row.data = (struct cdop_bytes){data, ROWS_DATA_MAX + 1};
	assert_int_equal(
	    rows_put(f.rows, &row, &numbers[0]), CDOP_INVALID_ARGUMENT);
	store_fixture_abort(&f);
	store_fixture_end(&f);
}

static void
the_first_error_of_a_batch_stays(void **state)
{
	struct rows_new good = row_of(SCHEMA_KIND_PERSON, 0, "x");
	struct rows_new bad[] = {row_of(99, 0, "no such kind"),
	    row_of(SCHEMA_KIND_HEAD, 0, "the vault's own"),
	    row_of(SCHEMA_KIND_CASE_KEY, 0, "the vault's own"),
	    row_of(SCHEMA_KIND_FORM, 0, "a case row without its key"),
	    row_of(SCHEMA_KIND_FORM, 1, "no such key"),
	    row_of(SCHEMA_KIND_PERSON, 0, "under the key of another scope"),
	    row_of(SCHEMA_KIND_LEAF, 0, "a wrong index")};
	struct store_fixture f;
	uint64_t number, log;
	size_t i;

	(void)state;
	store_fixture_make(&f);
	assert_true(keystore_epoch(f.ks, SCHEMA_LOG, NULL, &log));
	bad[5].key_id = log;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		store_fixture_begin(&f);
		assert_int_equal(rows_put(f.rows, &good, &number), CDOP_OK);
		assert_int_equal(
		    rows_put(f.rows, &bad[i], &number), CDOP_INVALID_ARGUMENT);
		assert_int_equal(
		    rows_put(f.rows, &good, &number), CDOP_INVALID_ARGUMENT);
		assert_int_equal(rows_commit(f.rows), CDOP_INVALID_ARGUMENT);
		undo_rollback(f.undo);
	}
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	store_fixture_end(&f);
}

/* ---- Abort ---- */

struct memory {
	struct rows_core_state s;
	size_t keys;
	struct rows_core_slot slots[2];
};

static void
remember(const struct store_fixture *f, struct memory *m)
{
	memset(m, 0, sizeof(*m));
	m->s = f->rows->s;
	m->keys = keystore_count(f->ks);
	memcpy(m->slots, f->rows->slots, sizeof(m->slots));
}

static void
expect_same(const struct memory *a, const struct memory *b)
{
	uint8_t x[LAYOUT_HEAD], y[LAYOUT_HEAD];

	layout_head_write(&a->s.head, x);
	layout_head_write(&b->s.head, y);
	assert_memory_equal(x, y, sizeof(x));
	assert_int_equal(a->s.head_row, b->s.head_row);
	assert_memory_equal(&a->s.dir, &b->s.dir, sizeof(a->s.dir));
	assert_int_equal(a->keys, b->keys);
	assert_memory_equal(a->slots, b->slots, sizeof(a->slots));
}

struct day {
	uint64_t person;
	uint64_t key;
	uint64_t form;
	uint64_t epoch;
};

/* Step i of a scripted day; false: the day is over. */
static bool
step(struct store_fixture *f, struct day *day, unsigned int i)
{
	struct rows_new row = row_of(SCHEMA_KIND_PERSON, 0, "changed");
	uint64_t number;

	switch (i) {
	case 0:
		day->key = store_fixture_case(f, 7, "liverpool");
		return true;
	case 1:
		assert_int_equal(
		    rows_replace(f->rows, day->person, &row, &number), CDOP_OK);
		day->person = number;
		return true;
	case 2:
		assert_int_equal(rows_keys_area(f->rows, "knowsley"), CDOP_OK);
		assert_int_equal(
		    rows_keys_case_move(f->rows, day->key, "knowsley"),
		    CDOP_OK);
		return true;
	case 3:
		day->form =
		    store_fixture_put(f, SCHEMA_KIND_FORM, day->key, "form");
		return true;
	case 4:
		assert_int_equal(rows_keys_epoch_new(
				     f->rows, SCHEMA_SEARCH, NULL, &day->epoch),
		    CDOP_OK);
		(void)store_fixture_put(f, SCHEMA_KIND_TERMS, 0, "terms");
		return true;
	case 5:
		assert_int_equal(rows_del(f->rows, day->form), CDOP_OK);
		return true;
	case 6:
		assert_int_equal(rows_keys_root_turn(f->rows), CDOP_OK);
		return true;
	case 7:
		(void)store_fixture_leaf(f, "after the root turned");
		return true;
	case 8:
		assert_int_equal(
		    rows_keys_epoch_destroy(
			f->rows, layout_number(1, 3)), /* the first SEARCH */
		    CDOP_OK);
		return true;
	default:
		return false;
	}
}

/* M11: abort a batch after each step; memory is what a start rebuilds. */
static void
an_abort_at_any_point_leaves_memory_as_the_disk_has_it(void **state)
{
	struct memory before, after;
	struct day day, morning;
	struct store_fixture f;
	unsigned int upto, i;
	bool more;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	memset(&day, 0, sizeof(day));
	day.person = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "person");
	store_fixture_commit(&f);
	morning = day;
	more = true;
	for (upto = 1; more; upto++) {
		remember(&f, &before);
		day = morning;
		store_fixture_begin(&f);
		for (i = 0; i < upto; i++)
			more = step(&f, &day, i);
		store_fixture_abort(&f);
		remember(&f, &after);
		expect_same(&before, &after);
		assert_null(keystore_find(f.ks, day.key));
		store_fixture_expect(&f, morning.person, "person");
		store_fixture_close(&f);
		assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
		remember(&f, &after);
		expect_same(&before, &after);
	}
	store_fixture_end(&f);
}

static void
a_start_rebuilds_the_memory_that_the_day_left(void **state)
{
	struct memory before, after;
	struct store_fixture f;
	struct day day;
	unsigned int i;

	(void)state;
	store_fixture_make(&f);
	memset(&day, 0, sizeof(day));
	store_fixture_begin(&f);
	day.person = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "person");
	store_fixture_commit(&f);
	for (i = 0; i < 9; i++) {
		store_fixture_begin(&f);
		assert_true(step(&f, &day, i));
		store_fixture_commit(&f);
		remember(&f, &before);
		store_fixture_close(&f);
		assert_int_equal(store_fixture_open(&f, i % 2), CDOP_OK);
		remember(&f, &after);
		expect_same(&before, &after);
	}
	store_fixture_close(&f);
	/* The terms of the destroyed epoch were in none: it had no rows. */
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

/* ---- Starts ---- */

/* Every one, each behind the next. */
static enum cdop_err
take_leaf(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	uint64_t *left = ctx;

	(void)item;
	assert_int_equal(head->kind, SCHEMA_KIND_LEAF);
	assert_int_equal(head->version, --*left);
	*ret_stop = false;
	return CDOP_OK;
}

static void
expect_leaves(const struct store_fixture *f)
{
	uint64_t left = rows_next_leaf(f->rows);

	assert_int_equal(rows_scan_log(f->rows, 0, take_leaf, &left), CDOP_OK);
	assert_int_equal(left, 0);
}

/* Three directories' worth of log with a person here and there. */
static void
a_start_passes_over_the_log_and_finds_the_rest(void **state)
{
	struct memory before, after;
	struct store_fixture f;
	unsigned int i, j;
	struct store_fixture_seen seen;

	(void)state;
	store_fixture_make(&f);
	for (i = 0; i < 40; i++) {
		undo_begin(f.undo);
		assert_int_equal(rows_begin(f.rows, 320 * 564, 320), CDOP_OK);
		for (j = 0; j < 310; j++)
			(void)store_fixture_leaf(&f, "a look");
		if (i % 4 == 0)
			(void)store_fixture_put(
			    &f, SCHEMA_KIND_PERSON, 0, "person");
		store_fixture_commit(&f);
	}
	assert_true(layout_counter(f.rows->s.head_row) > 3 * 4096);
	expect_leaves(&f);
	remember(&f, &before);
	store_fixture_close(&f);
	memset(&seen, 0, sizeof(seen));
	seen.f = &f;
	assert_int_equal(
	    store_fixture_open_with(&f, 0, store_fixture_see, &seen), CDOP_OK);
	assert_int_equal(seen.n, 10);
	remember(&f, &after);
	expect_same(&before, &after);
	expect_leaves(&f);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
numbers_go_on_under_the_next_incarnation(void **state)
{
	struct memory before, after;
	struct store_fixture f;
	uint64_t old, new, key;
	struct store_fixture_seen seen;

	(void)state;
	store_fixture_make(&f);
	store_fixture_begin(&f);
	(void)store_fixture_case(&f, 1, "wirral");
	old = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "old");
	store_fixture_commit(&f);
	remember(&f, &before);
	store_fixture_begin(&f);
	assert_int_equal(rows_next_incarnation(f.rows), CDOP_OK);
	store_fixture_abort(&f);
	remember(&f, &after);
	expect_same(&before, &after);
	store_fixture_begin(&f);
	assert_int_equal(rows_next_incarnation(f.rows), CDOP_OK);
	new = store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "new");
	key = store_fixture_case(&f, 2, "sefton");
	store_fixture_commit(&f);
	assert_int_equal(new, layout_number(2, 1));
	assert_int_equal(layout_incarnation(key), 2);
	remember(&f, &before);
	store_fixture_close(&f);
	memset(&seen, 0, sizeof(seen));
	seen.f = &f;
	assert_int_equal(
	    store_fixture_open_with(&f, 0, store_fixture_see, &seen), CDOP_OK);
	assert_int_equal(seen.n, 8);
	remember(&f, &after);
	expect_same(&before, &after);
	store_fixture_expect(&f, old, "old");
	store_fixture_expect(&f, new, "new");
	assert_int_equal(rows_incarnation(f.rows), 2);
	assert_int_equal(rows_next_leaf(f.rows), 2);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

static void
two_processes_never_meet_in_a_directory(void **state)
{
	struct rows_args args;
	struct store_fixture f;
	struct rows *rows;

	(void)state;
	store_fixture_make(&f);
	args = (struct rows_args){
	    .dir = f.dir, .ks = f.ks, .undo = f.undo, .read_only = true};
	assert_int_equal(rows_open(&args, &rows), CDOP_FAILED_PRECONDITION);
	assert_int_equal(store_fixture_verify(&f), -1);
	assert_int_equal(f.last, CDOP_FAILED_PRECONDITION);
	store_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_store_opens_through_each_slot),
	    cmocka_unit_test(a_wrong_key_leaves_the_store_sealed),
	    cmocka_unit_test(what_was_committed_is_there_after_a_start),
	    cmocka_unit_test(a_replaced_row_is_gone_under_its_old_number),
	    cmocka_unit_test(rows_of_every_size_come_back),
	    cmocka_unit_test(the_first_error_of_a_batch_stays),
	    cmocka_unit_test(
		an_abort_at_any_point_leaves_memory_as_the_disk_has_it),
	    cmocka_unit_test(a_start_rebuilds_the_memory_that_the_day_left),
	    cmocka_unit_test(a_start_passes_over_the_log_and_finds_the_rest),
	    cmocka_unit_test(numbers_go_on_under_the_next_incarnation),
	    cmocka_unit_test(two_processes_never_meet_in_a_directory),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
