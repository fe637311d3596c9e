/* Slots and ring: every way to open them, and every way not to. */
#include "server/vault/slots.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/vectors/rows.h"

static const uint8_t registry[16] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct cdop_bytes
row_of(const uint8_t *row)
{
	return (struct cdop_bytes){row, SLOTS_ROW};
}

static void
key_of_file(uint8_t k[static 32])
{
	uint8_t file[SLOTS_KEYFILE];
	size_t i;

	for (i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)(i + 1);
	assert_int_equal(
	    slots_derive_keyfile((struct cdop_bytes){file, sizeof(file)}, k),
	    CDOP_OK);
}

static void
a_slot_and_a_ring_of_the_second_implementation_open(void **state)
{
	uint8_t k[32], root[32], header[32], digest[32];
	struct slots_info info;

	(void)state;
	key_of_file(k);
	assert_int_equal(slots_parse(row_of(rows_slot), &info), CDOP_OK);
	assert_int_equal(info.number, 2);
	assert_int_equal(info.kind, SLOTS_KIND_KEYFILE);
	assert_string_equal(info.label, "key file");
	assert_memory_equal(info.registry, registry, sizeof(registry));
	assert_int_equal(slots_open(row_of(rows_slot), k, root), CDOP_OK);
	assert_memory_equal(root, rows_root, 32);
	assert_int_equal(slots_check(row_of(rows_slot), root), CDOP_OK);
	assert_int_equal(
	    slots_ring_open((struct cdop_bytes){rows_ring, SLOTS_RING}, root,
		header, digest),
	    CDOP_OK);
	assert_memory_equal(header, rows_header, 32);
	assert_memory_equal(digest, rows_digest, 32);
}

static void
every_flipped_bit_of_a_slot_is_refused(void **state)
{
	uint8_t row[SLOTS_ROW], k[32], root[32];
	enum cdop_err open, check;
	size_t i;

	(void)state;
	key_of_file(k);
	for (i = 0; i < sizeof(row) * 8; i++) {
		memcpy(row, rows_slot, sizeof(row));
		row[i / 8] ^= (uint8_t)(1u << i % 8);
		open = slots_open(row_of(row), k, root);
		check = slots_check(row_of(row), rows_root);
		/* Each sees what it can: the last Wrap is the vault's only. */
		assert_true(open != CDOP_OK || check != CDOP_OK);
		if (i / 8 < 88 + 2 * 104)
			assert_int_not_equal(open, CDOP_OK);
		if (i / 8 >= 88 + 104 || i / 8 < 88)
			assert_int_equal(check, CDOP_DATA_LOSS);
	}
	for (i = 0; i < sizeof(row); i++)
		assert_int_equal(
		    slots_open((struct cdop_bytes){rows_slot, i}, k, root),
		    CDOP_DATA_LOSS);
}

static void
the_wrong_key_is_told_from_damage(void **state)
{
	uint8_t row[SLOTS_ROW], k[32], root[32];

	(void)state;
	key_of_file(k);
	k[0] ^= 1;
	assert_int_equal(
	    slots_open(row_of(rows_slot), k, root), CDOP_UNAUTHENTICATED);
	k[0] ^= 1;
	memcpy(row, rows_slot, sizeof(row));
	row[88 + 30] ^= 1; /* in the sealed part of Wrap(K, S) */
	assert_int_equal(slots_open(row_of(row), k, root), CDOP_DATA_LOSS);
}

static void
a_passphrase_opens_its_slot_and_another_does_not(void **state)
{
	static const char good[] = "correct horse battery staple";
	static const char bad[] = "correct horse battery stable";
	struct slots_new slot = {
	    .kind = SLOTS_KIND_PASSPHRASE, .label = "passphrase"};
	uint8_t row[SLOTS_ROW], k[32], again[32], root[32];
	struct slots_info info;

	(void)state;
	assert_int_equal(
	    slots_kdf_new(1, SLOTS_MEMORY_MIN, &slot.kdf), CDOP_OK);
	assert_int_equal(
	    slots_derive_passphrase(&slot.kdf,
		(struct cdop_bytes){(const uint8_t *)good, strlen(good)}, k),
	    CDOP_OK);
	slot.k = k;
	assert_int_equal(
	    slots_make(registry, 7, &slot, rows_root, row), CDOP_OK);
	/* K can be derived elsewhere, from what stands in the clear. */
	assert_int_equal(slots_parse(row_of(row), &info), CDOP_OK);
	assert_int_equal(
	    slots_derive_passphrase(&info.kdf,
		(struct cdop_bytes){(const uint8_t *)good, strlen(good)},
		again),
	    CDOP_OK);
	assert_int_equal(slots_open(row_of(row), again, root), CDOP_OK);
	assert_memory_equal(root, rows_root, 32);
	assert_int_equal(
	    slots_derive_passphrase(&info.kdf,
		(struct cdop_bytes){(const uint8_t *)bad, strlen(bad)}, again),
	    CDOP_OK);
	assert_int_equal(
	    slots_open(row_of(row), again, root), CDOP_UNAUTHENTICATED);
}

static void
a_cost_out_of_bounds_is_refused_before_it_is_paid(void **state)
{
	static const struct slots_kdf costs[] = {
	    {{1}, 0, SLOTS_MEMORY_MIN},
	    {{1}, SLOTS_PASSES_MAX + 1, SLOTS_MEMORY_MIN},
	    {{1}, UINT32_MAX, SLOTS_MEMORY_MIN},
	    {{1}, 1, 0},
	    {{1}, 1, SLOTS_MEMORY_MIN - 1},
	    {{1}, 1, SLOTS_MEMORY_MAX + 1},
	    {{1}, 1, UINT32_MAX},
	};
	struct slots_new slot = {
	    .kind = SLOTS_KIND_PASSPHRASE, .label = "x", .k = rows_key};
	uint8_t k[32], row[SLOTS_ROW];
	struct slots_info info;
	struct slots_kdf kdf;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		slot.kdf = costs[i];
		assert_int_equal(
		    slots_kdf_new(costs[i].passes, costs[i].memory_kib, &kdf),
		    CDOP_INVALID_ARGUMENT);
		assert_int_equal(
		    slots_derive_passphrase(&costs[i],
			(struct cdop_bytes){(const uint8_t *)"x", 1}, k),
		    CDOP_INVALID_ARGUMENT);
		assert_int_equal(slots_make(registry, 1, &slot, rows_root, row),
		    CDOP_INVALID_ARGUMENT);
	}
	/* As it would come from a hostile disk. */
	assert_int_equal(
	    slots_kdf_new(1, SLOTS_MEMORY_MIN, &slot.kdf), CDOP_OK);
	assert_int_equal(
	    slots_make(registry, 1, &slot, rows_root, row), CDOP_OK);
	cdop_put32(row + 44, SLOTS_MEMORY_MAX + 1);
	assert_int_equal(slots_parse(row_of(row), &info), CDOP_DATA_LOSS);
}

static void
a_key_file_has_32_bytes_that_are_not_all_the_same(void **state)
{
	uint8_t file[33], k[32];

	(void)state;
	memset(file, 9, sizeof(file));
	assert_int_equal(slots_derive_keyfile((struct cdop_bytes){file, 32}, k),
	    CDOP_INVALID_ARGUMENT);
	file[31] = 8;
	assert_int_equal(slots_derive_keyfile((struct cdop_bytes){file, 31}, k),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(slots_derive_keyfile((struct cdop_bytes){file, 33}, k),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    slots_derive_keyfile((struct cdop_bytes){file, 32}, k), CDOP_OK);
}

static void
a_label_is_short_text(void **state)
{
	static const char *const bad[] = {
	    "", "a\nb", "\x7f", "12345678901234567890123456789012345678901"};
	struct slots_new slot = {.kind = SLOTS_KIND_KEYFILE, .k = rows_key};
	uint8_t row[SLOTS_ROW];
	char shown[SLOTS_LABEL + 1];
	struct slots_info info;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		slot.label = bad[i];
		assert_int_equal(slots_make(registry, 1, &slot, rows_root, row),
		    CDOP_INVALID_ARGUMENT);
	}
	slot.label = "1234567890123456789012345678901234567890";
	assert_int_equal(
	    slots_make(registry, 1, &slot, rows_root, row), CDOP_OK);
	assert_int_equal(slots_parse(row_of(row), &info), CDOP_OK);
	assert_string_equal(info.label, slot.label);
	/* On the disk anybody may write one; it is shown without its teeth. */
	slot.label = "key\xc2\x9b"
		     "2J\xe9";
	assert_int_equal(
	    slots_make(registry, 1, &slot, rows_root, row), CDOP_OK);
	assert_int_equal(slots_parse(row_of(row), &info), CDOP_OK);
	assert_string_equal(slots_shown(info.label, shown), "key??2J?");
	slot.kind = (enum slots_kind)5; /* of a later program */
	assert_int_equal(slots_make(registry, 1, &slot, rows_root, row),
	    CDOP_INVALID_ARGUMENT);
}

static void
the_root_turns_without_the_holder(void **state)
{
	uint8_t k[32], row[SLOTS_ROW], again[SLOTS_ROW], root[32], next[32];

	(void)state;
	key_of_file(k);
	memset(next, 0x77, sizeof(next));
	assert_int_equal(
	    slots_turn(row_of(rows_slot), rows_root, next, row), CDOP_OK);
	assert_int_equal(slots_open(row_of(row), k, root), CDOP_OK);
	assert_memory_equal(root, next, 32);
	assert_int_equal(slots_check(row_of(row), next), CDOP_OK);
	assert_int_equal(slots_check(row_of(row), rows_root), CDOP_DATA_LOSS);
	/* Only whoever has the root can turn it. */
	assert_int_equal(
	    slots_turn(row_of(row), rows_root, next, again), CDOP_DATA_LOSS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_slot_and_a_ring_of_the_second_implementation_open),
	    cmocka_unit_test(every_flipped_bit_of_a_slot_is_refused),
	    cmocka_unit_test(the_wrong_key_is_told_from_damage),
	    cmocka_unit_test(a_passphrase_opens_its_slot_and_another_does_not),
	    cmocka_unit_test(a_cost_out_of_bounds_is_refused_before_it_is_paid),
	    cmocka_unit_test(a_key_file_has_32_bytes_that_are_not_all_the_same),
	    cmocka_unit_test(a_label_is_short_text),
	    cmocka_unit_test(the_root_turns_without_the_holder),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
