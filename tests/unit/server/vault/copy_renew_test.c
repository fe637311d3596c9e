/*
 * A new root with all that hangs on it: whoever kept everything that the old
 * file led to opens the old one, and nothing of the new one.
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

#define KEYS_MAX 512

static struct copy_fixture c;
static struct copy_slot slots[3];

static int
setup(void **state)
{
	(void)state;
	copy_fixture_make_small(&c);
	copy_fixture_live(&c);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	copy_fixture_end(&c);
	return 0;
}

/* ---- who kept everything ------------------------------------------------ */

/* Every 32 bytes that there were, whatever they were for. */
static struct thief {
	uint8_t raw[KEYS_MAX][32];
	size_t n;
	struct envelope_ring ring;
} thief;

static void
take(const uint8_t k[static 32])
{
	assert_true(thief.n < KEYS_MAX);
	memcpy(thief.raw[thief.n++], k, 32);
}

static void
take_cases(const struct copy_fixture_image *image)
{
	const struct keystore_entry *entry;
	uint8_t *k;
	size_t i;

	(void)image;
	assert_int_equal(db_begin_read(c.f.rows->db, &c.f.rows->txn), CDOP_OK);
	for (i = 0; i < keystore_places(c.f.ks); i++) {
		entry = keystore_at(c.f.ks, i);
		if (entry->scope != SCHEMA_CASE)
			continue;
		assert_int_equal(
		    rows_core_case_key(c.f.rows, entry, &k), CDOP_OK);
		take(k);
		sodium_memzero(k, 32);
	}
	db_abort(c.f.rows->txn);
	c.f.rows->txn = NULL;
}

/* Root, ring, S and K of each slot, the keys of epochs and of cases. */
static void
take_all(const struct copy_fixture_image *image)
{
	uint8_t s[32];
	uint64_t id;
	size_t i;

	memset(&thief, 0, sizeof(thief));
	thief.ring = *keystore_ring(c.f.ks);
	take(keystore_raw(c.f.ks, 0));
	take(thief.ring.header);
	take(thief.ring.digest);
	for (i = 0; i < c.f.rows->n_slots; i++) {
		take(c.f.k[i]);
		assert_int_equal(
		    slots_secret(
			(struct cdop_bytes){c.f.rows->slots[i].row, SLOTS_ROW},
			keystore_raw(c.f.ks, 0), s),
		    CDOP_OK);
		take(s);
	}
	for (i = 0; keystore_held(c.f.ks, i, &id); i++)
		take(keystore_raw(c.f.ks, id));
	take_cases(image);
}

/* Opened by any of his keys, with heads read by this ring. */
static bool
opens(const struct copy_fixture_row *row, const struct envelope_ring *ring)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	struct cdop_bytes bytes = {row->bytes, row->len}, data;
	struct envelope_head head;
	struct envelope_key key;
	size_t i;

	if (row->bytes[0] != 1 ||
	    envelope_head_parse(ring, bytes, row->number, &head) !=
		ENVELOPE_FINE)
		return false;
	for (i = 0; i < thief.n; i++) {
		envelope_key_init(&key, thief.raw[i]);
		if (envelope_unseal(ring, &key, &head, bytes, out, &data) ==
		    ENVELOPE_FINE)
			return true;
	}
	return false;
}

/* A wrap in a row, of which only the label is known. */
static bool
unwraps(const uint8_t *wrap, struct cdop_bytes label)
{
	struct envelope_key key;
	uint8_t k[32];
	size_t i;

	for (i = 0; i < thief.n; i++) {
		envelope_key_init(&key, thief.raw[i]);
		if (envelope_unwrap(&key, c.f.rows->registry, label, wrap, k) ==
		    CDOP_OK)
			return true;
	}
	return false;
}

/* How many of the wraps of a row of format 2. */
static size_t
low_wraps(const struct copy_fixture_row *row)
{
	const size_t top = row->len == SLOTS_RING ? 24 : 88;
	const size_t n = row->len == SLOTS_RING ? 2 : 3;
	uint8_t label[89];
	size_t i, opened = 0;

	if (row->len != SLOTS_RING && row->len != SLOTS_ROW)
		return 0;
	memcpy(label, row->bytes, top);
	for (i = 0; i < n; i++) {
		label[top] = (uint8_t)i;
		opened += unwraps(row->bytes + top + i * ENVELOPE_WRAP,
		    (struct cdop_bytes){label, top + 1});
	}
	return opened;
}

/* The key in a key row of the store that is open now. */
static size_t
key_wraps(const struct copy_fixture_row *row)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	const struct cdop_bytes bytes = {row->bytes, row->len};
	uint8_t label[LAYOUT_LABEL];
	struct envelope_head head;
	struct layout_key key;
	struct cdop_bytes data;
	bool good;

	if (row->bytes[0] != 1)
		return 0;
	assert_int_equal(envelope_head_parse(
			     keystore_ring(c.f.ks), bytes, row->number, &head),
	    ENVELOPE_FINE);
	if (head.kind != SCHEMA_KIND_EPOCH_KEY &&
	    head.kind != SCHEMA_KIND_CASE_KEY)
		return 0;
	assert_int_equal(
	    envelope_unseal(keystore_ring(c.f.ks),
		keystore_key(c.f.ks, head.key_id), &head, bytes, out, &data),
	    ENVELOPE_FINE);
	good = head.kind == SCHEMA_KIND_EPOCH_KEY
	    ? layout_epoch_parse(data, &key) == CDOP_OK
	    : layout_case_parse(data, &key) == CDOP_OK;
	assert_true(good);
	layout_label(key.id, head.key_id,
	    head.kind == SCHEMA_KIND_EPOCH_KEY ? key.scope : SCHEMA_CASE,
	    label);
	return unwraps(key.wrap, (struct cdop_bytes){label, sizeof(label)});
}

struct loot {
	size_t rows;  /* with the ring that he has */
	size_t heads; /* that he can read */
	size_t given; /* rows, were he given the ring of the file */
	size_t low;   /* wraps of slots and ring */
	size_t keys;  /* wraps of key rows */
	size_t format1;
};

static struct loot
steal(const struct copy_fixture_image *image)
{
	struct envelope_head head;
	struct loot loot = {0};
	size_t i;

	for (i = 0; i < image->n; i++) {
		const struct copy_fixture_row *row = &image->row[i];

		loot.format1 += row->bytes[0] == 1;
		loot.rows += opens(row, &thief.ring);
		loot.given += opens(row, keystore_ring(c.f.ks));
		loot.low += row->bytes[0] == 2 ? low_wraps(row) : 0;
		loot.keys += key_wraps(row);
		loot.heads += row->bytes[0] == 1 &&
		    envelope_head_parse(&thief.ring,
			(struct cdop_bytes){row->bytes, row->len}, row->number,
			&head) == ENVELOPE_FINE;
	}
	return loot;
}

/* No row of the old file lies in the new one, whole or in a free page. */
static void
expect_absent(const struct copy_fixture_image *before)
{
	const struct copy_fixture_row *row;
	uint8_t *file;
	size_t i, len;

	file = store_fixture_file(&c.f, &len);
	for (i = 0; i < before->n; i++) {
		row = &before->row[i];
		if (row->bytes[0] == 1) {
			assert_null(memmem(file, len, row->bytes + 53, 32));
			assert_null(memmem(file, len, row->bytes + 1, 24));
		} else {
			assert_null(
			    memmem(file, len, row->bytes + row->len - 32, 32));
		}
	}
	free(file);
}

static void
reopen(size_t slot)
{
	store_fixture_close(&c.f);
	if (store_fixture_open(&c.f, slot) != CDOP_OK)
		fail_msg(
		    "%s: %s", cdop_err_name(c.f.last), rows_finding(c.f.rows));
	copy_fixture_find_keys(&c);
}

static void
renew(const struct copy_plan *plan)
{
	struct copy *copy;

	assert_int_equal(copy_begin(c.f.rows, plan, &copy), CDOP_OK);
	assert_int_equal(copy_fixture_ready(&c, copy, 5, false), CDOP_OK);
	copy_fixture_finish(copy);
	copy_free(copy);
}

static void
who_kept_everything_opens_nothing(void **state)
{
	const struct copy_plan plan = copy_fixture_renewal(&c, slots);
	struct copy_fixture_image before, after;
	char *texts, *again;
	struct loot loot;
	size_t boxes, keys;

	(void)state;
	copy_fixture_read(&c, &before);
	take_all(&before);
	loot = steal(&before);
	/* Before: every row, the head row with them, every wrap. */
	assert_int_equal(loot.rows, loot.format1);
	assert_int_equal(loot.heads, loot.format1);
	assert_int_equal(loot.low, 2 + 2 * 3);
	assert_true(loot.keys > COPY_FIXTURE_CASES / 2);
	texts = copy_fixture_texts(&c);
	boxes = copy_fixture_boxes(&c);
	keys = keystore_count(c.f.ks);
	renew(&plan);
	copy_fixture_swap(&c);
	reopen(0);
	copy_fixture_read(&c, &after);
	assert_int_equal(after.n, before.n);
	loot = steal(&after);
	assert_int_equal(loot.rows, 0);
	assert_int_equal(loot.heads, 0);
	assert_int_equal(loot.given, 0);
	assert_int_equal(loot.low, 0);
	assert_int_equal(loot.keys, 0);
	expect_absent(&before);
	/* And nothing is lost. */
	again = copy_fixture_texts(&c);
	assert_string_equal(texts, again);
	assert_int_equal(copy_fixture_boxes(&c), boxes);
	assert_int_equal(keystore_count(c.f.ks), keys);
	copy_fixture_whole(&c);
	copy_fixture_live(&c);
	copy_fixture_drop(&before);
	copy_fixture_drop(&after);
	free(texts);
	free(again);
}

/* ---- what opens it ------------------------------------------------------ */

static void
the_slots_of_the_plan_open_it_and_no_other(void **state)
{
	const struct copy_plan plan = copy_fixture_renewal(&c, slots);

	(void)state;
	renew(&plan);
	store_fixture_close(&c.f);
	assert_int_equal(store_fixture_open(&c.f, 0), CDOP_UNAUTHENTICATED);
	store_fixture_close(&c.f);
	assert_int_equal(store_fixture_open(&c.f, 1), CDOP_UNAUTHENTICATED);
	store_fixture_close(&c.f);
	copy_fixture_swap(&c);
	assert_int_equal(store_fixture_open(&c.f, 1), CDOP_OK);
	assert_int_equal(rows_slots(c.f.rows), 2);
	/* Numbers that no slot had before. */
	assert_int_equal(rows_slot(c.f.rows, 0)->number, 3);
	assert_string_equal(rows_slot(c.f.rows, 0)->label, "new key file");
	assert_int_equal(rows_slot(c.f.rows, 1)->number, 4);
	assert_int_equal(rows_prove(c.f.rows, 0, c.f.k[0]), CDOP_OK);
	copy_fixture_find_keys(&c);
	copy_fixture_whole(&c);
}

/* Which is newest says an id; that has to be so in the new file, too. */
static void
the_newest_key_of_a_scope_stays_the_newest(void **state)
{
	const struct copy_plan plan = copy_fixture_renewal(&c, slots);
	const struct keystore_entry *entry;
	struct copy_epoch epochs[COPY_FIXTURE_EPOCHS];
	uint64_t row[COPY_FIXTURE_EPOCHS], id;
	const char *area;
	size_t i;

	(void)state;
	copy_fixture_turn(&c, epochs);
	/* A root turn writes epoch keys in an order of its own. */
	store_fixture_begin(&c.f);
	assert_int_equal(rows_keys_root_turn(c.f.rows), CDOP_OK);
	store_fixture_commit(&c.f);
	reopen(0);
	for (i = 0; i < COPY_FIXTURE_EPOCHS; i++)
		row[i] = keystore_find(c.f.ks, epochs[i].to)->row;
	renew(&plan);
	copy_fixture_swap(&c);
	reopen(0);
	for (i = 0; i < COPY_FIXTURE_EPOCHS; i++) {
		area = i == 3 ? copy_fixture_areas[0] : NULL;
		assert_true(keystore_epoch(c.f.ks,
		    (enum schema_scope)(SCHEMA_REGISTRY + i), area, &id));
		entry = keystore_find(c.f.ks, id);
		assert_int_equal(entry->row, row[i]);
	}
	copy_fixture_whole(&c);
}

/* ---- shares ------------------------------------------------------------- */

static void
shares_of_the_new_root_are_known_before_it_stands(void **state)
{
	static const struct slots_set_new set = {.k = 2, .n = 4};
	struct copy_plan plan = copy_fixture_renewal(&c, slots);
	struct cdop_share share[SHAMIR_MAX];
	struct slots_set found;
	struct copy *copy;
	uint8_t s[32];
	size_t i, slot;

	(void)state;
	slots[2] = (struct copy_slot){
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "custodians"},
	    .set = &set,
	    .shares = share};
	plan.n_slots = 3;
	assert_int_equal(copy_begin(c.f.rows, &plan, &copy), CDOP_OK);
	assert_true(copy_slot_set(copy, 2, &found));
	for (i = 0; i < set.n; i++)
		assert_true(slots_set_fits(&found, &share[i]));
	assert_int_equal(slots_set_combine(share + 1, 2, s), CDOP_OK);
	assert_true(copy_slot_opens(copy, 2, s));
	assert_true(copy_slot_opens(copy, 0, slots[0].slot.k));
	assert_false(copy_slot_opens(copy, 1, slots[0].slot.k));
	assert_int_equal(copy_slot_number(copy, 2), found.number);
	assert_int_equal(copy_fixture_ready(&c, copy, 5, false), CDOP_OK);
	copy_fixture_finish(copy);
	copy_free(copy);
	copy_fixture_swap(&c);
	reopen(1);
	assert_true(rows_slots_find(c.f.rows, found.number, &slot));
	assert_int_equal(rows_prove(c.f.rows, slot, s), CDOP_OK);
	copy_fixture_whole(&c);
}

/* ---- what is refused ---------------------------------------------------- */

static void
half_a_plan_is_refused(void **state)
{
	struct copy_plan plan = copy_fixture_renewal(&c, slots);
	struct copy *copy;

	(void)state;
	plan.all_areas = false;
	assert_int_equal(
	    copy_begin(c.f.rows, &plan, &copy), CDOP_INVALID_ARGUMENT);
	plan.all_areas = true;
	slots[1].slot.label = "";
	assert_int_equal(
	    copy_begin(c.f.rows, &plan, &copy), CDOP_INVALID_ARGUMENT);
	copy_fixture_whole(&c);
}

static void
what_came_meanwhile_stops_it_and_the_old_file_goes_on(void **state)
{
	const struct copy_plan plan = copy_fixture_renewal(&c, slots);
	struct copy *copy;
	enum cdop_err err;

	(void)state;
	assert_int_equal(copy_begin(c.f.rows, &plan, &copy), CDOP_OK);
	copy_fixture_live(&c);
	err = copy_fixture_ready(&c, copy, 5, false);
	if (err == CDOP_OK)
		assert_int_equal(copy_finish(copy), COPY_KEPT);
	assert_int_equal(copy_error(copy), CDOP_DATA_LOSS);
	copy_free(copy);
	copy_fixture_live(&c);
	copy_fixture_whole(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		who_kept_everything_opens_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_slots_of_the_plan_open_it_and_no_other, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_newest_key_of_a_scope_stays_the_newest, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		shares_of_the_new_root_are_known_before_it_stands, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		half_a_plan_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_came_meanwhile_stops_it_and_the_old_file_goes_on, setup,
		teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
