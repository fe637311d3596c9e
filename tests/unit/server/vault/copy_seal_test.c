/*
 * A copy that seals anew: what is in the new file, under which keys, and what
 * life beside it comes to.  What is not in it is copy_thief_test.c's.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/copy_core.h"
#include "server/vault/rows_core.h"
#include "tests/unit/server/vault/copy_fixture.h"

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

/* Cases of other areas keep keys and bytes. */
static void
what_the_plan_does_not_name_stays(void **state)
{
	struct copy_fixture_image before, after;
	const struct copy_plan plan = {.areas = copy_fixture_areas,
	    .n_areas = 1,
	    .leaf = copy_fixture_leaf,
	    .turned = copy_fixture_turned,
	    .ctx = &c};
	uint64_t key[2] = {c.case_key[0], c.case_key[1]};
	struct envelope_head head;
	size_t i, same = 0;

	(void)state;
	copy_fixture_read(&c, &before);
	copy_fixture_copy(&c, &plan, false);
	copy_fixture_read(&c, &after);
	assert_int_not_equal(c.case_key[0], key[0]);
	assert_null(keystore_find(c.f.ks, key[0]));
	assert_int_equal(c.case_key[1], key[1]);
	assert_int_equal(before.n, after.n);
	for (i = 0; i < before.n; i++) {
		assert_int_equal(before.row[i].number, after.row[i].number);
		assert_int_equal(before.row[i].len, after.row[i].len);
		if (before.row[i].bytes[0] != 1)
			continue;
		assert_int_equal(envelope_head_parse(keystore_ring(c.f.ks),
				     (struct cdop_bytes){
					 after.row[i].bytes, after.row[i].len},
				     after.row[i].number, &head),
		    ENVELOPE_FINE);
		if (head.key_id != key[1] && head.kind != SCHEMA_KIND_PERSON)
			continue;
		same++;
		assert_memory_equal(
		    before.row[i].bytes, after.row[i].bytes, before.row[i].len);
	}
	assert_int_equal(same, 4);
	copy_fixture_whole(&c);
	copy_fixture_drop(&before);
	copy_fixture_drop(&after);
}

/* Moved, amended, registered while it runs: right at any moment. */
static void
life_goes_on_beside_a_reseal(void **state)
{
	struct copy_plan plan = copy_fixture_plan(&c, epochs);
	unsigned int round;
	char *texts, *again;
	size_t boxes;

	(void)state;
	for (round = 0; round < 3; round++) {
		copy_fixture_turn(&c, epochs);
		plan.all_areas = round == 2;
		c.lived = round * 100;
		copy_fixture_copy(&c, &plan, true);
		texts = copy_fixture_texts(&c);
		boxes = copy_fixture_boxes(&c);
		copy_fixture_whole(&c);
		again = copy_fixture_texts(&c);
		assert_string_equal(texts, again);
		assert_int_equal(copy_fixture_boxes(&c), boxes);
		copy_fixture_live(&c);
		free(texts);
		free(again);
	}
	copy_fixture_whole(&c);
}

/* A case that lay there at the beginning and was moved away meanwhile. */
static void
who_moves_away_meanwhile_gets_a_new_key(void **state)
{
	const struct copy_plan plan = copy_fixture_plan(&c, epochs);
	const struct walk_budget budget = copy_fixture_budget(10);
	uint64_t old = c.case_key[3], there = c.case_key[4];
	const struct keystore_entry *entry;
	enum copy_state now;
	struct copy *copy;

	(void)state;
	copy_fixture_turn(&c, epochs);
	assert_int_equal(copy_begin(c.f.rows, &plan, &copy), CDOP_OK);
	assert_int_equal(copy_step(copy, &budget, &now), CDOP_OK);
	store_fixture_begin(&c.f);
	assert_int_equal(
	    rows_keys_case_move(c.f.rows, old, copy_fixture_areas[1]), CDOP_OK);
	/* And one that came keeps the key that it has. */
	assert_int_equal(
	    rows_keys_case_move(c.f.rows, there, copy_fixture_areas[0]),
	    CDOP_OK);
	store_fixture_commit(&c.f);
	assert_int_equal(copy_fixture_ready(&c, copy, 10, false), CDOP_OK);
	copy_fixture_finish(copy);
	copy_free(copy);
	assert_int_not_equal(c.case_key[3], old);
	entry = keystore_find(c.f.ks, c.case_key[3]);
	assert_non_null(entry);
	assert_string_equal(
	    keystore_area(c.f.ks, entry->area), copy_fixture_areas[1]);
	assert_int_equal(c.case_key[4], there);
	entry = keystore_find(c.f.ks, there);
	assert_int_equal(entry->wrapped_by, epochs[3].to);
	copy_fixture_whole(&c);
}

/* A case destroyed behind the walk is not in the new file. */
static void
who_is_erased_meanwhile_is_gone(void **state)
{
	const struct copy_plan plan = copy_fixture_plan(&c, epochs);
	const struct walk_budget budget = copy_fixture_budget(1000);
	uint64_t key, row[2];
	enum copy_state now;
	struct copy *copy;

	(void)state;
	store_fixture_begin(&c.f);
	assert_int_equal(
	    rows_keys_case_new(c.f.rows, 900, copy_fixture_areas[0], &key),
	    CDOP_OK);
	row[0] = store_fixture_put(&c.f, SCHEMA_KIND_CASE, key, "a case");
	row[1] = store_fixture_put(&c.f, SCHEMA_KIND_FORM, key, "a form");
	store_fixture_commit(&c.f);
	copy_fixture_turn(&c, epochs);
	assert_int_equal(copy_begin(c.f.rows, &plan, &copy), CDOP_OK);
	assert_int_equal(copy_step(copy, &budget, &now), CDOP_OK);
	assert_int_equal(now, COPY_READY);
	store_fixture_begin(&c.f);
	assert_int_equal(rows_del(c.f.rows, row[0]), CDOP_OK);
	assert_int_equal(rows_del(c.f.rows, row[1]), CDOP_OK);
	assert_int_equal(rows_keys_case_destroy(c.f.rows, key), CDOP_OK);
	store_fixture_commit(&c.f);
	copy_fixture_finish(copy);
	copy_free(copy);
	copy_fixture_whole(&c);
}

static enum cdop_err
ignore_row(void *ctx, const struct walk_row *row)
{
	uint64_t *n = ctx;

	(void)row;
	(*n)++;
	return CDOP_OK;
}

static enum cdop_err
ignore_gone(void *ctx, uint64_t number)
{
	uint64_t *n = ctx;

	(void)number;
	(*n)--;
	return CDOP_OK;
}

/* A backup of half old and half new ciphertext would be none. */
static void
another_walk_outlives_a_plain_copy_alone(void **state)
{
	static const struct copy_plan plain;
	const struct copy_plan plan = copy_fixture_plan(&c, epochs);
	const struct walk_budget budget = copy_fixture_budget(10);
	uint64_t n = 0;
	const struct walk_sink sink = {ignore_row, ignore_gone, &n};
	struct walk *walk;
	bool end;

	(void)state;
	assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	copy_fixture_copy(&c, &plain, true);
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	copy_fixture_turn(&c, epochs);
	copy_fixture_copy(&c, &plan, false);
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_ABORTED);
	assert_int_equal(walk_last(walk, &sink), CDOP_ABORTED);
	walk_free(walk);
	assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
	n = 0;
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	copy_fixture_copy(&c, &plain, true);
	assert_int_equal(walk_last(walk, &sink), CDOP_OK);
	walk_free(walk);
	assert_true(n > 10);
}

/* ---- a new file that is not what was put ------------------------------- */

/* All rows are in the new file, and none was opened again. */
static struct copy *
unopened(const struct copy_plan *plan)
{
	const struct walk_budget budget = copy_fixture_budget(1);
	struct copy_progress progress;
	enum copy_state now;
	struct copy *copy;

	assert_int_equal(copy_begin(c.f.rows, plan, &copy), CDOP_OK);
	do {
		assert_int_equal(copy_step(copy, &budget, &now), CDOP_OK);
		copy_progress(copy, &progress);
	} while (progress.opened == 0);
	assert_int_equal(progress.opened, 1);
	return copy;
}

static void
a_row_that_is_lost_on_the_way_is_missed(void **state)
{
	const struct copy_plan plan = copy_fixture_plan(&c, epochs);
	struct copy *copy;
	struct db_txn *txn;

	(void)state;
	copy_fixture_turn(&c, epochs);
	copy = unopened(&plan);
	assert_int_equal(db_begin(copy->to, &txn), CDOP_OK);
	assert_int_equal(db_del(txn, c.summary[5]), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	assert_int_equal(copy_fixture_ready(&c, copy, 50, false), CDOP_OK);
	assert_int_equal(copy_finish(copy), COPY_KEPT);
	assert_int_equal(copy_error(copy), CDOP_DATA_LOSS);
	assert_string_not_equal(copy_finding(copy), "");
	copy_free(copy);
	copy_fixture_whole(&c);
}

/* Rows as they lay in the old file: of a case, of LOG, of its key. */
static void
no_row_of_the_old_keys_gets_in(void **state)
{
	static const enum schema_scope scopes[] = {
	    SCHEMA_CASE, SCHEMA_LOG, SCHEMA_REGISTRY, SCHEMA_AREA};
	const struct copy_plan plan = copy_fixture_plan(&c, epochs);
	struct copy_fixture_image image;
	struct envelope_head head;
	struct db_txn *txn;
	struct copy *copy;
	size_t i, s;

	(void)state;
	copy_fixture_turn(&c, epochs);
	copy_fixture_read(&c, &image);
	for (s = 0; s < 4; s++) {
		for (i = image.n - 2;
		     !copy_fixture_is_sealed_anew(&c, &image.row[i]) ||
		     envelope_head_parse(keystore_ring(c.f.ks),
			 (struct cdop_bytes){
			     image.row[i].bytes, image.row[i].len},
			 image.row[i].number, &head) != ENVELOPE_FINE ||
		     schema_find(head.kind)->scope != scopes[s];
		     i--)
			assert_true(i > 0);
		copy = unopened(&plan);
		assert_int_equal(db_begin(copy->to, &txn), CDOP_OK);
		assert_int_equal(db_overwrite(txn, image.row[i].number,
				     (struct cdop_bytes){
					 image.row[i].bytes, image.row[i].len}),
		    CDOP_OK);
		assert_int_equal(db_commit(txn), CDOP_OK);
		assert_int_equal(
		    copy_fixture_ready(&c, copy, 50, false), CDOP_DATA_LOSS);
		assert_non_null(strstr(copy_finding(copy), "unknown key"));
		copy_free(copy);
	}
	copy_fixture_drop(&image);
	copy_fixture_whole(&c);
}

/* ---- counts ------------------------------------------------------------ */

static uint64_t
count_under(const struct copy *copy, uint64_t key)
{
	struct copy_count count;
	size_t i;

	for (i = 0; copy_census(copy, i, &count); i++)
		if (count.key == key)
			return count.rows;
	return 0;
}

static void
the_census_names_the_new_keys_alone(void **state)
{
	const struct copy_plan plan = copy_fixture_plan(&c, epochs);
	uint64_t rows, keys, wrapped;
	struct copy_count count;
	struct copy *copy;
	size_t i;

	(void)state;
	copy_fixture_turn(&c, epochs);
	assert_int_equal(copy_begin(c.f.rows, &plan, &copy), CDOP_OK);
	assert_int_equal(copy_fixture_ready(&c, copy, 50, true), CDOP_OK);
	copy_fixture_finish(copy);
	for (i = 0; i < COPY_FIXTURE_EPOCHS; i++) {
		assert_int_equal(count_under(copy, epochs[i].from), 0);
		assert_int_not_equal(count_under(copy, epochs[i].to), 0);
	}
	/* The head row is not counted, and is no part of the digest. */
	assert_int_equal(count_under(copy, epochs[0].to), 1);
	assert_int_equal(
	    count_under(copy, epochs[1].to), rows_next_leaf(c.f.rows));
	copy_cases(copy, &rows, &keys);
	for (wrapped = 0, i = 0; copy_census(copy, i, &count); i++)
		if (count.scope == SCHEMA_AREA)
			wrapped += count.rows;
	assert_int_equal(wrapped, keys);
	assert_in_range(rows, 3 * keys, 5 * keys);
	copy_free(copy);
}

/* ---- plans that make no sense ------------------------------------------ */

static void
expect_refused(const struct copy_plan *plan)
{
	struct copy *copy;

	assert_int_equal(
	    copy_begin(c.f.rows, plan, &copy), CDOP_INVALID_ARGUMENT);
}

static void
a_plan_that_makes_no_sense_is_refused(void **state)
{
	struct copy_epoch one;
	struct copy_plan plan = {.epochs = &one, .n_epochs = 1};
	struct copy_epoch two[2];

	(void)state;
	copy_fixture_turn(&c, epochs);
	one = (struct copy_epoch){epochs[0].to, epochs[0].from};
	expect_refused(&plan); /* backwards */
	one = (struct copy_epoch){epochs[0].from, epochs[1].to};
	expect_refused(&plan); /* of another scope */
	one = (struct copy_epoch){epochs[0].from, 1u << 30};
	expect_refused(&plan); /* not there */
	one = (struct copy_epoch){c.case_key[0], c.case_key[1]};
	expect_refused(&plan); /* no epoch */
	copy_fixture_turn(&c, epochs);
	two[0] = epochs[0];
	two[1] = epochs[0];
	store_fixture_begin(&c.f);
	assert_int_equal(
	    rows_keys_epoch_new(c.f.rows, SCHEMA_REGISTRY, NULL, &two[1].to),
	    CDOP_OK);
	store_fixture_commit(&c.f);
	two[1].from = epochs[0].to;
	plan = (struct copy_plan){.epochs = two, .n_epochs = 2};
	expect_refused(&plan); /* the one's new key is the other's old */
	plan = (struct copy_plan){.all_areas = true};
	expect_refused(&plan); /* nobody to open the leaves */
	copy_fixture_live(&c);
}

/* Every case gets one; ids are never used again, also after a failure. */
static void
new_ids_are_given_once(void **state)
{
	struct copy_plan plan = copy_fixture_plan(&c, epochs);
	uint64_t highest = 0, key;
	struct copy *copy;
	size_t i;

	(void)state;
	plan.n_epochs = 0;
	plan.all_areas = true;
	assert_int_equal(copy_begin(c.f.rows, &plan, &copy), CDOP_OK);
	for (i = 0; i < COPY_FIXTURE_CASES / 2; i++) {
		key = copy_key(copy, c.case_key[i]);
		assert_true(key > c.case_key[i]);
		highest = key > highest ? key : highest;
	}
	copy_free(copy);
	store_fixture_begin(&c.f);
	assert_int_equal(
	    rows_keys_case_new(c.f.rows, 901, copy_fixture_areas[0], &key),
	    CDOP_OK);
	assert_true(key > highest);
	store_fixture_abort(&c.f);
	copy_fixture_copy(&c, &plan, false);
	for (i = 0; i < COPY_FIXTURE_CASES / 2; i++)
		assert_true(c.case_key[i] > highest);
	copy_fixture_whole(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_the_plan_does_not_name_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		life_goes_on_beside_a_reseal, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		who_moves_away_meanwhile_gets_a_new_key, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		who_is_erased_meanwhile_is_gone, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		another_walk_outlives_a_plain_copy_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_row_that_is_lost_on_the_way_is_missed, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		no_row_of_the_old_keys_gets_in, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_census_names_the_new_keys_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_plan_that_makes_no_sense_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		new_ids_are_given_once, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
