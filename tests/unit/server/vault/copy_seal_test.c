/*
 * A copy that seals anew: what is in the new file, under which keys, and
 * that nothing of the old one is.
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

/* All epochs, and the cases of the first area. */
static struct copy_plan
plan_of(void)
{
	return (struct copy_plan){.epochs = epochs,
	    .n_epochs = COPY_FIXTURE_EPOCHS,
	    .areas = copy_fixture_areas,
	    .n_areas = 1,
	    .leaf = copy_fixture_leaf,
	    .turned = copy_fixture_turned,
	    .ctx = &c};
}

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

static void
finish(struct copy *copy)
{
	if (copy_finish(copy) != COPY_SWITCHED)
		fail_msg("%s: %s", cdop_err_name(copy_error(copy)),
		    copy_finding(copy));
}

static void
reseal(const struct copy_plan *plan, bool live)
{
	struct copy *copy;

	assert_int_equal(copy_begin(c.f.rows, plan, &copy), CDOP_OK);
	assert_int_equal(copy_fixture_ready(&c, copy, 5, live), CDOP_OK);
	finish(copy);
	copy_free(copy);
}

static void
expect_whole(void)
{
	store_fixture_close(&c.f);
	if (store_fixture_verify(&c.f) != 0)
		fail_msg("%s", c.f.lines);
	assert_int_equal(store_fixture_open(&c.f, 0), CDOP_OK);
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

/* ---- what is left of the old file -------------------------------------- */

/* Is this row one of those that the plan seals anew? */
static bool
is_resealed(const struct copy_fixture_row *row)
{
	const struct keystore_entry *entry;
	struct envelope_head head;

	if (row->bytes[0] != 1 ||
	    envelope_head_parse(keystore_ring(c.f.ks),
		(struct cdop_bytes){row->bytes, row->len}, row->number,
		&head) != ENVELOPE_FINE ||
	    head.kind == SCHEMA_KIND_EPOCH_KEY)
		return false;
	entry = keystore_find(c.f.ks, head.key_id);
	assert_non_null(entry);
	return (entry->scope != SCHEMA_AREA && entry->scope != SCHEMA_CASE) ||
	    strcmp(keystore_area(c.f.ks, entry->area), copy_fixture_areas[0]) ==
	    0;
}

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
	const struct copy_plan plan = plan_of();
	char *texts, *again;
	uint8_t *file;
	size_t i, len, n = 0, boxes;
	bool *resealed;

	(void)state;
	copy_fixture_live(&c);
	copy_fixture_turn(&c, epochs);
	take_old_keys();
	copy_fixture_read(&c, &before);
	resealed = calloc(before.n, sizeof(*resealed));
	assert_non_null(resealed);
	for (i = 0; i < before.n; i++)
		n += resealed[i] = is_resealed(&before.row[i]);
	texts = copy_fixture_texts(&c);
	boxes = copy_fixture_boxes(&c);
	assert_true(boxes > 10);
	/* Before: everything of REGISTRY, LOG, SEARCH and of the area. The
	 * head row is under the new key already. */
	assert_int_equal(steal(&before), n - 1);
	reseal(&plan, false);
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
	for (i = 0; i < COPY_FIXTURE_EPOCHS; i++)
		assert_null(keystore_find(c.f.ks, epochs[i].from));
	expect_whole();
	free(file);
	free(texts);
	free(again);
	free(resealed);
	copy_fixture_drop(&before);
	copy_fixture_drop(&after);
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
	reseal(&plan, false);
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
	expect_whole();
	copy_fixture_drop(&before);
	copy_fixture_drop(&after);
}

/* Moved, amended, registered while it runs: right at any moment. */
static void
life_goes_on_beside_a_reseal(void **state)
{
	struct copy_plan plan = plan_of();
	unsigned int round;
	char *texts, *again;
	size_t boxes;

	(void)state;
	for (round = 0; round < 3; round++) {
		copy_fixture_turn(&c, epochs);
		plan.all_areas = round == 2;
		c.lived = round * 100;
		reseal(&plan, true);
		texts = copy_fixture_texts(&c);
		boxes = copy_fixture_boxes(&c);
		expect_whole();
		again = copy_fixture_texts(&c);
		assert_string_equal(texts, again);
		assert_int_equal(copy_fixture_boxes(&c), boxes);
		copy_fixture_live(&c);
		free(texts);
		free(again);
	}
	expect_whole();
}

/* A case that lay there at the beginning and was moved away meanwhile. */
static void
who_moves_away_meanwhile_gets_a_new_key(void **state)
{
	const struct copy_plan plan = plan_of();
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
	finish(copy);
	copy_free(copy);
	assert_int_not_equal(c.case_key[3], old);
	entry = keystore_find(c.f.ks, c.case_key[3]);
	assert_non_null(entry);
	assert_string_equal(
	    keystore_area(c.f.ks, entry->area), copy_fixture_areas[1]);
	assert_int_equal(c.case_key[4], there);
	entry = keystore_find(c.f.ks, there);
	assert_int_equal(entry->wrapped_by, epochs[3].to);
	expect_whole();
}

/* A case destroyed behind the walk is not in the new file. */
static void
who_is_erased_meanwhile_is_gone(void **state)
{
	const struct copy_plan plan = plan_of();
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
	finish(copy);
	copy_free(copy);
	expect_whole();
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
	const struct copy_plan plan = plan_of();
	uint64_t rows, keys, wrapped;
	struct copy_count count;
	struct copy *copy;
	size_t i;

	(void)state;
	copy_fixture_turn(&c, epochs);
	assert_int_equal(copy_begin(c.f.rows, &plan, &copy), CDOP_OK);
	assert_int_equal(copy_fixture_ready(&c, copy, 50, true), CDOP_OK);
	finish(copy);
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
	struct copy_plan plan = plan_of();
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
	reseal(&plan, false);
	for (i = 0; i < COPY_FIXTURE_CASES / 2; i++)
		assert_true(c.case_key[i] > highest);
	expect_whole();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		nothing_of_the_old_file_is_in_the_new_one, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_the_plan_does_not_name_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		life_goes_on_beside_a_reseal, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		who_moves_away_meanwhile_gets_a_new_key, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		who_is_erased_meanwhile_is_gone, setup, teardown),
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
