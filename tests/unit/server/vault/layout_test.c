/* The vault's own rows: there and back, and nothing that does not fit. */
#include "server/vault/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/store/schema.h"

static void
numbers_are_incarnation_and_counter(void **state)
{
	(void)state;
	assert_int_equal(layout_number(1, 4711), 0x0001000000001267);
	assert_int_equal(layout_incarnation(0x0203000000001267), 0x0203);
	assert_int_equal(layout_counter(0x0203000000001267), 4711);
	assert_int_equal(layout_counter(layout_number(7, LAYOUT_COUNTER_MAX)),
	    LAYOUT_COUNTER_MAX);
}

static void
a_head_row_comes_back(void **state)
{
	struct layout_head head, back;
	uint8_t data[LAYOUT_HEAD];

	(void)state;
	memset(&head, 0, sizeof(head));
	head.next_row = 1000001;
	head.next_slot_row = 7;
	head.next_leaf = UINT64_C(1) << 40;
	head.next_key = 77;
	head.incarnation = 2;
	head.next_slot = 3;
	memset(head.digest, 1, 32);
	memset(head.log_digest, 2, 32);
	memset(head.leaf_hash, 3, 32);
	layout_head_write(&head, data);
	/* It stays in the smallest size class. */
	assert_int_equal(envelope_row_len(LAYOUT_HEAD), 254);
	assert_int_equal(
	    layout_head_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_OK);
	assert_int_equal(back.next_row, head.next_row);
	assert_int_equal(back.next_slot_row, head.next_slot_row);
	assert_int_equal(back.next_leaf, head.next_leaf);
	assert_int_equal(back.next_key, head.next_key);
	assert_int_equal(back.incarnation, 2);
	assert_int_equal(back.next_slot, 3);
	assert_memory_equal(back.digest, head.digest, 32);
	assert_memory_equal(back.log_digest, head.log_digest, 32);
	assert_memory_equal(back.leaf_hash, head.leaf_hash, 32);

	assert_int_equal(
	    layout_head_parse(
		(struct cdop_bytes){data, sizeof(data) - 1}, &back),
	    CDOP_DATA_LOSS);
	cdop_put64(data, LAYOUT_COUNTER_MAX + 1);
	assert_int_equal(
	    layout_head_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_DATA_LOSS);
}

static void
a_directory_has_a_bit_for_every_number(void **state)
{
	struct layout_dir dir, back;
	uint8_t data[LAYOUT_DIR];
	uint64_t i;

	(void)state;
	memset(&dir, 0, sizeof(dir));
	dir.first = layout_number(1, 8192);
	dir.next_leaf = 99;
	for (i = 0; i < LAYOUT_DIR_ROWS; i += 3)
		layout_dir_set(&dir, dir.first + i);
	layout_dir_write(&dir, data);
	assert_int_equal(
	    layout_dir_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_OK);
	assert_int_equal(back.first, dir.first);
	assert_int_equal(back.next_leaf, 99);
	for (i = 0; i < LAYOUT_DIR_ROWS; i++)
		assert_int_equal(
		    layout_dir_has(&back, dir.first + i), i % 3 == 0);
	cdop_put64(data, dir.first + 1);
	assert_int_equal(
	    layout_dir_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_DATA_LOSS);
}

static void
a_key_row_names_an_area_where_there_is_one(void **state)
{
	struct layout_key key, back;
	uint8_t data[LAYOUT_EPOCH];

	(void)state;
	memset(&key, 0, sizeof(key));
	key.id = layout_number(1, 5);
	key.scope = SCHEMA_AREA;
	memset(key.area, 'a', KEYSTORE_AREA_MAX);
	memset(key.wrap, 9, sizeof(key.wrap));
	layout_epoch_write(&key, data);
	assert_int_equal(
	    layout_epoch_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_OK);
	assert_string_equal(back.area, key.area);
	assert_memory_equal(back.wrap, key.wrap, sizeof(key.wrap));
	data[8] = SCHEMA_LOG; /* that has no area */
	assert_int_equal(
	    layout_epoch_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_DATA_LOSS);
	data[8] = SCHEMA_CASE;
	assert_int_equal(
	    layout_epoch_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_DATA_LOSS);
	memset(&key, 0, sizeof(key));
	key.id = layout_number(1, 6);
	key.scope = SCHEMA_AREA; /* without its area */
	layout_epoch_write(&key, data);
	assert_int_equal(
	    layout_epoch_parse((struct cdop_bytes){data, sizeof(data)}, &back),
	    CDOP_DATA_LOSS);
}

static void
a_digest_is_a_sum_that_can_be_taken_back(void **state)
{
	uint8_t a[32], b[32], sum[32], zero[32];

	(void)state;
	memset(zero, 0, sizeof(zero));
	memset(a, 0xff, sizeof(a));
	memset(b, 0, sizeof(b));
	b[0] = 1;
	memcpy(sum, a, sizeof(sum));
	layout_digest_add(sum, b); /* modulo 2^256 */
	assert_memory_equal(sum, zero, sizeof(sum));
	layout_digest_sub(sum, b);
	assert_memory_equal(sum, a, sizeof(sum));
	memset(b, 0x83, sizeof(b));
	layout_digest_add(sum, b);
	layout_digest_add(sum, a);
	layout_digest_sub(sum, b);
	layout_digest_sub(sum, a);
	assert_memory_equal(sum, a, sizeof(sum));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_incarnation_and_counter),
	    cmocka_unit_test(a_head_row_comes_back),
	    cmocka_unit_test(a_directory_has_a_bit_for_every_number),
	    cmocka_unit_test(a_key_row_names_an_area_where_there_is_one),
	    cmocka_unit_test(a_digest_is_a_sum_that_can_be_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
