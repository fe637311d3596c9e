/* The key table: found by id, undone with its batch, wiped at its end. */
#include "server/vault/keystore.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/vault/lockmem.h"

#define MANY 20000

struct tools {
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
};

static void
make(struct tools *t)
{
	struct envelope_ring ring;
	const char *why;

	memset(&ring, 7, sizeof(ring));
	assert_int_equal(lockmem_new(256u << 10, &t->mem, &why), CDOP_OK);
	assert_int_equal(undo_new(16u << 20, &t->undo), CDOP_OK);
	assert_int_equal(keystore_new(t->mem, t->undo, &t->ks), CDOP_OK);
	keystore_open(t->ks, ring.header, &ring);
}

static void
end(struct tools *t)
{
	keystore_free(t->ks);
	assert_int_equal(lockmem_used(t->mem), 0);
	undo_free(t->undo);
	lockmem_destroy(t->mem);
}

/* The id of key i: any order, both halves in use. */
static uint64_t
id_of(uint64_t i)
{
	return (i % 3 + 1) << 48 | (i * 7 + 1);
}

static void
put_case(struct tools *t, uint64_t i)
{
	struct keystore_entry entry = {.id = id_of(i),
	    .wrapped_by = 1,
	    .row = i + 100,
	    .case_id = i,
	    .scope = SCHEMA_CASE};

	assert_int_equal(keystore_put(t->ks, &entry), CDOP_OK);
}

static void
every_key_is_found_and_no_other(void **state)
{
	struct tools t;
	uint64_t i;

	(void)state;
	make(&t);
	for (i = 0; i < MANY; i++)
		put_case(&t, i);
	assert_int_equal(keystore_count(t.ks), MANY);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(keystore_find(t.ks, id_of(i))->case_id, i);
		assert_null(keystore_find(t.ks, id_of(i) + 1));
	}
	assert_null(keystore_find(t.ks, 0));
	end(&t);
}

static void
a_rollback_brings_the_table_back(void **state)
{
	struct tools t;
	uint64_t i;

	(void)state;
	make(&t);
	for (i = 0; i < 500; i++)
		put_case(&t, i);
	undo_begin(t.undo);
	for (i = 500; i < 5000; i++)
		put_case(&t, i);
	for (i = 0; i < 5000; i += 5)
		assert_int_equal(keystore_del(t.ks, id_of(i)), CDOP_OK);
	assert_int_equal(keystore_del(t.ks, id_of(0)), CDOP_NOT_FOUND);
	assert_int_equal(keystore_count(t.ks), 4000);
	undo_rollback(t.undo);
	assert_int_equal(keystore_count(t.ks), 500);
	for (i = 0; i < 500; i++)
		assert_int_equal(keystore_find(t.ks, id_of(i))->row, i + 100);
	for (i = 500; i < 5000; i++)
		assert_null(keystore_find(t.ks, id_of(i)));
	/* And the table still takes new ones. */
	for (i = 500; i < 5000; i++)
		put_case(&t, i);
	for (i = 0; i < 5000; i++)
		assert_int_equal(keystore_find(t.ks, id_of(i))->case_id, i);
	end(&t);
}

static void
put_epoch(struct tools *t, uint64_t id, enum schema_scope scope,
    const char *area, uint8_t byte)
{
	struct keystore_entry entry = {.id = id, .scope = (uint8_t)scope};
	uint8_t k[32];

	memset(k, byte, sizeof(k));
	if (area != NULL)
		assert_int_equal(
		    keystore_area_add(t->ks, area, &entry.area), CDOP_OK);
	assert_int_equal(keystore_put(t->ks, &entry), CDOP_OK);
	assert_int_equal(keystore_hold(t->ks, id, k), CDOP_OK);
}

static void
the_newest_epoch_of_a_scope_is_the_highest_id(void **state)
{
	struct tools t;
	uint64_t id;

	(void)state;
	make(&t);
	assert_false(keystore_epoch(t.ks, SCHEMA_REGISTRY, NULL, &id));
	put_epoch(&t, 5, SCHEMA_REGISTRY, NULL, 5);
	put_epoch(&t, 3, SCHEMA_REGISTRY, NULL, 3);
	put_epoch(&t, 9, SCHEMA_AREA, "wirral", 9);
	put_epoch(&t, 10, SCHEMA_AREA, "sefton", 10);
	assert_true(keystore_epoch(t.ks, SCHEMA_REGISTRY, NULL, &id));
	assert_int_equal(id, 5);
	assert_true(keystore_epoch(t.ks, SCHEMA_AREA, "wirral", &id));
	assert_int_equal(id, 9);
	assert_false(keystore_epoch(t.ks, SCHEMA_AREA, "wirra", &id));
	undo_begin(t.undo);
	put_epoch(&t, 12, SCHEMA_AREA, "wirral", 12);
	put_epoch(&t, 13, SCHEMA_AREA, "halton", 13);
	assert_true(keystore_epoch(t.ks, SCHEMA_AREA, "wirral", &id));
	assert_int_equal(id, 12);
	undo_rollback(t.undo);
	assert_true(keystore_epoch(t.ks, SCHEMA_AREA, "wirral", &id));
	assert_int_equal(id, 9);
	assert_false(keystore_epoch(t.ks, SCHEMA_AREA, "halton", &id));
	assert_null(keystore_key(t.ks, 12));
	assert_non_null(keystore_key(t.ks, 9));
	end(&t);
}

static void
an_area_has_a_name_of_bounded_length(void **state)
{
	char name[KEYSTORE_AREA_MAX + 2];
	struct tools t;
	uint16_t area;

	(void)state;
	make(&t);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(
	    keystore_area_add(t.ks, name, &area), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    keystore_area_add(t.ks, "", &area), CDOP_INVALID_ARGUMENT);
	assert_int_equal(keystore_area_add(t.ks, name + 1, &area), CDOP_OK);
	assert_string_equal(keystore_area(t.ks, area), name + 1);
	assert_string_equal(keystore_area(t.ks, 0), "");
	assert_string_equal(keystore_area(t.ks, 9), "");
	end(&t);
}

static void
case_keys_are_wiped_at_the_end_of_a_batch(void **state)
{
	struct envelope_key *key;
	struct tools t;
	uint8_t k[32];
	uint64_t i;

	(void)state;
	make(&t);
	memset(k, 0x11, sizeof(k));
	keystore_use(t.ks, 17, k);
	key = keystore_key(t.ks, 17);
	assert_non_null(key);
	assert_false(sodium_is_zero((const uint8_t *)key, sizeof(*key)));
	for (i = 1000; i < 3000; i++) {
		keystore_use(t.ks, i, k);
		assert_non_null(keystore_key(t.ks, i));
	}
	assert_null(keystore_key(t.ks, 17)); /* its place was needed */
	keystore_use(t.ks, 17, k);
	key = keystore_key(t.ks, 17);
	keystore_rest(t.ks);
	assert_null(keystore_key(t.ks, 17));
	assert_true(sodium_is_zero((const uint8_t *)key, sizeof(*key)));
	end(&t);
}

static void
locking_forgets_everything(void **state)
{
	struct tools t;

	(void)state;
	make(&t);
	put_epoch(&t, 5, SCHEMA_REGISTRY, NULL, 5);
	put_case(&t, 3);
	assert_true(keystore_is_open(t.ks));
	assert_non_null(keystore_raw(t.ks, 0));
	keystore_lock(t.ks);
	assert_false(keystore_is_open(t.ks));
	assert_null(keystore_raw(t.ks, 0));
	assert_null(keystore_key(t.ks, 5));
	assert_null(keystore_find(t.ks, 5));
	assert_int_equal(keystore_count(t.ks), 0);
	assert_true(sodium_is_zero((const uint8_t *)keystore_ring(t.ks),
	    sizeof(struct envelope_ring)));
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_is_found_and_no_other),
	    cmocka_unit_test(a_rollback_brings_the_table_back),
	    cmocka_unit_test(the_newest_epoch_of_a_scope_is_the_highest_id),
	    cmocka_unit_test(an_area_has_a_name_of_bounded_length),
	    cmocka_unit_test(case_keys_are_wiped_at_the_end_of_a_batch),
	    cmocka_unit_test(locking_forgets_everything),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
