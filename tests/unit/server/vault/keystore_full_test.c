/*
 * The key table with no room: in its undo log, in locked memory, in what it
 * has places for.  Whatever fails leaves it as it was.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/vault/keystore.h"
#include "server/vault/keystore_inner.h"
#include "server/vault/lockmem.h"

#define LOCKED   (256u << 10)
#define EPOCH    7u
#define CASE_ID  9u
#define UNDO_MAX 4096u

static struct lockmem *mem;
static struct undo *undo;
static struct keystore *ks;

static void
make(size_t locked, size_t undo_bytes)
{
	struct envelope_ring ring;
	const char *why;

	memset(&ring, 7, sizeof(ring));
	assert_int_equal(lockmem_new(locked, &mem, &why), CDOP_OK);
	assert_int_equal(undo_new(undo_bytes, &undo), CDOP_OK);
	assert_int_equal(keystore_new(mem, undo, &ks), CDOP_OK);
	keystore_open(ks, ring.header, &ring);
}

static void
end(void)
{
	keystore_free(ks);
	assert_int_equal(lockmem_used(mem), 0);
	undo_free(undo);
	lockmem_destroy(mem);
}

static enum cdop_err
put(uint64_t id, enum schema_scope scope, uint16_t area, uint64_t by)
{
	const struct keystore_entry entry = {.id = id,
	    .wrapped_by = by,
	    .row = id + 100,
	    .scope = (uint8_t)scope,
	    .area = area};

	return keystore_put(ks, &entry);
}

/* Each thing that can be done to it, until one fails. */
static enum cdop_err
do_all(void)
{
	static const uint8_t k[32] = {3};
	enum cdop_err err;
	uint16_t area;

	if ((err = keystore_area_add(ks, "north", &area)) != CDOP_OK ||
	    (err = put(EPOCH + 1, SCHEMA_AREA, area, 0)) != CDOP_OK ||
	    (err = keystore_hold(ks, EPOCH + 1, k)) != CDOP_OK ||
	    (err = put(CASE_ID + 1, SCHEMA_CASE, 0, EPOCH + 1)) != CDOP_OK ||
	    (err = put(CASE_ID, SCHEMA_CASE, 0, EPOCH + 1)) != CDOP_OK ||
	    (err = keystore_del(ks, CASE_ID)) != CDOP_OK)
		return err;
	return keystore_turn(ks, k);
}

static void
no_room_in_the_undo_log_anywhere(void **state)
{
	const struct keystore_entry *entry;
	enum cdop_err err = CDOP_INTERNAL;
	unsigned failed = 0;
	size_t room;

	(void)state;
	for (room = 8; room < UNDO_MAX && err != CDOP_OK; room += 8) {
		make(LOCKED, room);
		assert_int_equal(put(EPOCH, SCHEMA_LOG, 0, 0), CDOP_OK);
		assert_int_equal(put(CASE_ID, SCHEMA_CASE, 0, EPOCH), CDOP_OK);
		undo_begin(undo);
		err = do_all();
		undo_rollback(undo);
		failed += err == CDOP_RESOURCE_EXHAUSTED;
		assert_int_equal(keystore_count(ks), 2);
		assert_int_equal(keystore_areas(ks), 0);
		assert_null(keystore_find(ks, EPOCH + 1));
		entry = keystore_find(ks, CASE_ID);
		assert_non_null(entry);
		assert_int_equal(entry->wrapped_by, EPOCH);
		assert_int_equal(keystore_find(ks, EPOCH)->wraps, 1);
		end();
	}
	assert_int_equal(err, CDOP_OK);
	assert_true(failed > 10);
}

static void
no_locked_memory(void **state)
{
	static const uint8_t k[32] = {3};
	struct keystore *none;
	enum cdop_err err = CDOP_OK;
	const char *why;
	uint64_t id;

	(void)state;
	make(LOCKED, UNDO_MAX);
	for (id = 1; id < KEYSTORE_EPOCHS_MAX && err == CDOP_OK; id++)
		err = keystore_hold(ks, id, k);
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_null(keystore_key(ks, id - 1));
	assert_non_null(keystore_key(ks, id - 2));
	end();
	assert_int_equal(lockmem_new(4096, &mem, &why), CDOP_OK);
	assert_int_equal(undo_new(UNDO_MAX, &undo), CDOP_OK);
	assert_int_equal(
	    keystore_new(mem, undo, &none), CDOP_RESOURCE_EXHAUSTED);
	undo_free(undo);
	lockmem_destroy(mem);
}

static void
as_many_epoch_keys_and_areas_as_there_are_places_for(void **state)
{
	static const uint8_t k[32] = {3};
	char name[32];
	uint16_t area;
	uint64_t id;
	unsigned i;

	(void)state;
	make(LOCKMEM_MAX, UNDO_MAX);
	for (id = 1; id <= KEYSTORE_EPOCHS_MAX; id++)
		assert_int_equal(keystore_hold(ks, id, k), CDOP_OK);
	assert_int_equal(keystore_hold(ks, id, k), CDOP_RESOURCE_EXHAUSTED);
	for (i = 0; i < KEYSTORE_AREAS; i++) {
		(void)snprintf(name, sizeof(name), "area-%u", i);
		assert_int_equal(keystore_area_add(ks, name, &area), CDOP_OK);
		assert_int_equal(area, i + 1);
	}
	assert_int_equal(
	    keystore_area_add(ks, "one more", &area), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(keystore_area_add(ks, "area-5", &area), CDOP_OK);
	assert_int_equal(area, 6);
	end();
}

static void
what_is_not_there_has_no_place(void **state)
{
	size_t place;

	(void)state;
	make(LOCKED, UNDO_MAX);
	assert_false(keystore_place(ks, CASE_ID, &place));
	assert_int_equal(keystore_del(ks, CASE_ID), CDOP_NOT_FOUND);
	assert_int_equal(put(CASE_ID, SCHEMA_CASE, 0, EPOCH), CDOP_OK);
	assert_true(keystore_place(ks, CASE_ID, &place));
	assert_false(keystore_place(ks, CASE_ID + 1, &place));
	assert_int_equal(keystore_del(ks, CASE_ID + 1), CDOP_NOT_FOUND);
	assert_int_equal(keystore_del(ks, CASE_ID), CDOP_OK);
	assert_false(keystore_place(ks, CASE_ID, &place));
	end();
}

static void
stay(void *ctx, size_t place, struct keystore_entry *entry)
{
	(void)ctx;
	(void)place;
	(void)entry;
}

/* What wraps it is not there any more, or not yet. */
static void
a_key_under_nobody_counts_for_nobody(void **state)
{
	(void)state;
	make(LOCKED, UNDO_MAX);
	assert_int_equal(put(EPOCH, SCHEMA_LOG, 0, 0), CDOP_OK);
	assert_int_equal(put(CASE_ID, SCHEMA_CASE, 0, EPOCH), CDOP_OK);
	assert_int_equal(put(CASE_ID + 1, SCHEMA_CASE, 0, 12345), CDOP_OK);
	keystore_renew(ks, stay, NULL);
	assert_int_equal(keystore_find(ks, EPOCH)->wraps, 1);
	end();
}

/* Ids of no order: places that several want. */
static void
keys_that_want_one_place_come_and_go(void **state)
{
	uint64_t id[3000];
	size_t i, round;

	(void)state;
	make(LOCKED, 1u << 20);
	randombytes_buf(id, sizeof(id));
	for (i = 0; i < 400; i++)
		assert_int_equal(
		    put(id[i] | 1, SCHEMA_CASE, 0, EPOCH), CDOP_OK);
	for (round = 0; round < 5; round++) {
		undo_begin(undo);
		for (i = 400; i < 3000; i++)
			assert_int_equal(
			    put(id[i] | 1, SCHEMA_CASE, 0, EPOCH), CDOP_OK);
		undo_rollback(undo);
		assert_int_equal(keystore_count(ks), 400);
		for (i = 0; i < 3000; i++)
			assert_int_equal(
			    keystore_find(ks, id[i] | 1) != NULL, i < 400);
	}
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_room_in_the_undo_log_anywhere),
	    cmocka_unit_test(no_locked_memory),
	    cmocka_unit_test(
		as_many_epoch_keys_and_areas_as_there_are_places_for),
	    cmocka_unit_test(what_is_not_there_has_no_place),
	    cmocka_unit_test(a_key_under_nobody_counts_for_nobody),
	    cmocka_unit_test(keys_that_want_one_place_come_and_go),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
