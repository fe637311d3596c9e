/* The boot set: opened under its key and no other, of one length always. */
#include "server/vault/boot_set.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/slots.h"

static const uint8_t registry[16] = {4, 2};
static const uint8_t k[32] = {7};

static struct boot_set
sample(uint16_t n)
{
	struct boot_set set;
	size_t i;

	memset(&set, 0, sizeof(set));
	set.mode = 2;
	set.n_keys = 2;
	set.n = n;
	memset(set.link[0], 0x11, 32);
	memset(set.link[1], 0x22, 32);
	for (i = 0; i < n; i++) {
		set.entry[i].device = (uint32_t)i + 1;
		set.entry[i].person = (uint32_t)i + 100;
		memset(set.entry[i].public_key, (int)i, 32);
		memset(set.entry[i].psk, 0xa0 + (int)i, 32);
	}
	return set;
}

static void
what_is_sealed_opens_and_tells_nothing_by_its_length(void **state)
{
	uint8_t row[BOOT_SET_ROW_MAX];
	struct boot_set set, got;
	size_t len, first = 0;
	size_t n;

	(void)state;
	for (n = 0; n <= BOOT_SET_ENTRIES; n += 16) {
		set = sample((uint16_t)n);
		boot_set_seal(&set, registry, k, row, &len);
		assert_true(first == 0 || first == len);
		first = len;
		assert_true(boot_set_is_row((struct cdop_bytes){row, len}));
		assert_int_equal(boot_set_open((struct cdop_bytes){row, len},
				     registry, k, &got),
		    CDOP_OK);
		assert_memory_equal(&got, &set, sizeof(got));
	}
}

static void
another_key_another_registry_or_a_flipped_bit_open_nothing(void **state)
{
	static const uint8_t other[32] = {8};
	uint8_t row[BOOT_SET_ROW_MAX];
	struct boot_set set = sample(3), got;
	struct cdop_bytes bytes = {row, 0};
	size_t bit;

	(void)state;
	boot_set_seal(&set, registry, k, row, &bytes.len);
	assert_int_equal(
	    boot_set_open(bytes, registry, other, &got), CDOP_DATA_LOSS);
	assert_int_equal(boot_set_open(bytes, other, k, &got), CDOP_DATA_LOSS);
	for (bit = 0; bit < bytes.len * 8; bit += 3) {
		row[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    boot_set_open(bytes, registry, k, &got), CDOP_DATA_LOSS);
		row[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(boot_set_open(bytes, registry, k, &got), CDOP_OK);
	bytes.len--;
	assert_int_equal(
	    boot_set_open(bytes, registry, k, &got), CDOP_DATA_LOSS);
}

static void
a_boot_key_is_no_slots_key(void **state)
{
	uint8_t file[32], boot[32], slot[32];
	struct cdop_bytes bytes = {file, sizeof(file)};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)(i + 1);
	assert_int_equal(boot_set_key(bytes, boot), CDOP_OK);
	assert_int_equal(slots_derive_keyfile(bytes, slot), CDOP_OK);
	assert_memory_not_equal(boot, slot, 32);
	bytes.len = 31;
	assert_int_equal(boot_set_key(bytes, boot), CDOP_INVALID_ARGUMENT);
	memset(file, 5, sizeof(file));
	bytes.len = 32;
	assert_int_equal(boot_set_key(bytes, boot), CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		what_is_sealed_opens_and_tells_nothing_by_its_length),
	    cmocka_unit_test(
		another_key_another_registry_or_a_flipped_bit_open_nothing),
	    cmocka_unit_test(a_boot_key_is_no_slots_key),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
