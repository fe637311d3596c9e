/* The envelope against vectors made elsewhere, against damage, and blind. */
#include "server/vault/envelope.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/fresh.h"
#include "tests/vectors/rows.h"

#define NUMBER ((UINT64_C(1) << 48) + 4711)
#define CASES  200

static const char *const text = "Aoife Test, 999 000 0018";

/* A random source that is stuck: rows.py uses the same byte. */
static const char *
stuck_name(void)
{
	return "stuck";
}

static uint32_t
stuck_random(void)
{
	return 0xa5a5a5a5;
}

static void
stuck_buf(void *const buf, const size_t len)
{
	memset(buf, 0xa5, len);
}

static struct randombytes_implementation stuck = {
    .implementation_name = stuck_name,
    .random = stuck_random,
    .buf = stuck_buf,
};

struct fixture {
	struct envelope_ring ring;
	struct envelope_key key;
	struct envelope_head head;
	struct cdop_bytes data;
};

static void
make(struct fixture *f)
{
	size_t i;

	for (i = 0; i < sizeof(f->ring.registry); i++)
		f->ring.registry[i] = (uint8_t)i;
	memcpy(f->ring.header, rows_header, 32);
	memcpy(f->ring.digest, rows_digest, 32);
	envelope_key_init(&f->key, rows_key);
	f->head = (struct envelope_head){.kind = 13,
	    .schema = 1,
	    .key_id = (UINT64_C(1) << 48) + 9,
	    .version = 3,
	    .number = NUMBER};
	f->data = (struct cdop_bytes){(const uint8_t *)text, strlen(text)};
}

static struct cdop_bytes
bytes(const char *s)
{
	return (struct cdop_bytes){(const uint8_t *)s, strlen(s)};
}

static void
rows_wraps_and_boxes_are_those_of_the_second_implementation(void **state)
{
	uint8_t row[2022], data[700], digest[32];
	struct fixture f;
	size_t i;

	(void)state;
	make(&f);
	envelope_seal(&f.ring, &f.key, &f.head, f.data, row);
	assert_memory_equal(row, rows_short, sizeof(rows_short));
	envelope_digest(&f.ring, NUMBER,
	    (struct cdop_bytes){row, sizeof(rows_short)}, digest);
	assert_memory_equal(digest, rows_short_digest, 32);
	envelope_digest(&f.ring, 2,
	    (struct cdop_bytes){rows_slot, sizeof(rows_slot)}, digest);
	assert_memory_equal(digest, rows_slot_digest, 32);

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 % 251);
	f.data = (struct cdop_bytes){data, sizeof(data)};
	assert_int_equal(envelope_row_len(sizeof(data)), sizeof(rows_long));
	envelope_seal(&f.ring, &f.key, &f.head, f.data, row);
	assert_memory_equal(row, rows_long, sizeof(rows_long));

	envelope_wrap(&f.key, f.ring.registry, bytes("label"), rows_root, row);
	assert_memory_equal(row, rows_wrap, sizeof(rows_wrap));

	assert_int_equal(envelope_box_len(strlen(text)), sizeof(rows_box));
	envelope_box_seal(
	    &f.key, f.ring.registry, bytes("leaf 7"), bytes(text), row);
	assert_memory_equal(row, rows_box, sizeof(rows_box));
}

static void
a_row_opens_to_what_was_sealed(void **state)
{
	static const size_t lens[] = {
	    0, 1, 181, 182, 491, 4007, 4008, 70000, ENVELOPE_DATA_MAX};
	struct envelope_head head;
	struct cdop_bytes row, got;
	struct fixture f;
	uint8_t *buf, *out, *data;
	size_t i;

	(void)state;
	make(&f);
	buf = malloc(ENVELOPE_ROW_MAX);
	out = malloc(ENVELOPE_ROW_MAX);
	data = calloc(1, ENVELOPE_DATA_MAX);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		randombytes_buf(data, lens[i]);
		f.data = (struct cdop_bytes){data, lens[i]};
		row = (struct cdop_bytes){buf, envelope_row_len(lens[i])};
		envelope_seal(&f.ring, &f.key, &f.head, f.data, buf);
		assert_int_equal(
		    envelope_head_parse(&f.ring, row, NUMBER, &head),
		    ENVELOPE_FINE);
		assert_int_equal(head.kind, f.head.kind);
		assert_int_equal(head.schema, f.head.schema);
		assert_int_equal(head.key_id, f.head.key_id);
		assert_int_equal(head.version, f.head.version);
		assert_int_equal(head.number, f.head.number);
		assert_int_equal(
		    envelope_unseal(&f.ring, &f.key, &head, row, out, &got),
		    ENVELOPE_FINE);
		assert_int_equal(got.len, lens[i]);
		assert_memory_equal(got.data, data, lens[i]);
		assert_int_equal(got.data[got.len], 0);
	}
	free(buf);
	free(out);
	free(data);
}

static void
sizes_are_the_classes_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(envelope_row_len(0), 254);
	assert_int_equal(envelope_row_len(181), 254);
	assert_int_equal(envelope_row_len(182), 564);
	assert_int_equal(envelope_row_len(ENVELOPE_DATA_MAX), ENVELOPE_ROW_MAX);
	assert_int_equal(envelope_row_len(ENVELOPE_DATA_MAX + 1), 0);
	assert_true(envelope_is_row_len(1342));
	assert_false(envelope_is_row_len(255));
	assert_false(envelope_is_row_len(0));
}

/* Parses and opens; the worst of what was said. */
static enum envelope_verdict
open_row(struct fixture *f, struct cdop_bytes row, uint64_t number)
{
	struct envelope_head head;
	struct cdop_bytes got;
	enum envelope_verdict verdict;
	uint8_t out[2022];

	verdict = envelope_head_parse(&f->ring, row, number, &head);
	if (verdict == ENVELOPE_FINE)
		verdict =
		    envelope_unseal(&f->ring, &f->key, &head, row, out, &got);
	return verdict;
}

static void
every_flipped_bit_of_a_row_is_damage(void **state)
{
	uint8_t row[254];
	struct fixture f;
	size_t i;

	(void)state;
	make(&f);
	for (i = 0; i < sizeof(row) * 8; i++) {
		memcpy(row, rows_short, sizeof(row));
		row[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(
		    open_row(&f, (struct cdop_bytes){row, sizeof(row)}, NUMBER),
		    row[0] > 2 ? ENVELOPE_UNKNOWN_FORMAT : ENVELOPE_DAMAGED);
	}
	for (i = 0; i < sizeof(row); i++)
		assert_int_equal(
		    open_row(&f, (struct cdop_bytes){rows_short, i}, NUMBER),
		    ENVELOPE_DAMAGED);
}

/* T4: with the key of the row alone it opens at no other place. */
static void
the_text_is_bound_to_its_head(void **state)
{
	struct cdop_bytes row = {rows_short, sizeof(rows_short)}, got;
	struct envelope_head head, other;
	struct fixture f;
	uint8_t out[254];

	(void)state;
	make(&f);
	assert_int_equal(
	    envelope_head_parse(&f.ring, row, NUMBER, &head), ENVELOPE_FINE);
	assert_int_equal(
	    envelope_unseal(&f.ring, &f.key, &head, row, out, &got),
	    ENVELOPE_FINE);
	other = head;
	other.number++;
	assert_int_equal(
	    envelope_unseal(&f.ring, &f.key, &other, row, out, &got),
	    ENVELOPE_DAMAGED);
	other = head;
	other.key_id++;
	assert_int_equal(
	    envelope_unseal(&f.ring, &f.key, &other, row, out, &got),
	    ENVELOPE_DAMAGED);
	other = head;
	other.kind++;
	assert_int_equal(
	    envelope_unseal(&f.ring, &f.key, &other, row, out, &got),
	    ENVELOPE_DAMAGED);
	other = head;
	other.version++;
	assert_int_equal(
	    envelope_unseal(&f.ring, &f.key, &other, row, out, &got),
	    ENVELOPE_DAMAGED);
}

static void
each_failure_has_its_own_finding(void **state)
{
	struct cdop_bytes row = {rows_short, sizeof(rows_short)};
	struct fixture f;

	(void)state;
	make(&f);
	assert_int_equal(open_row(&f, row, NUMBER), ENVELOPE_FINE);
	assert_int_equal(open_row(&f, row, NUMBER + 1), ENVELOPE_MISPLACED);
	f.ring.header[0] ^= 1;
	assert_int_equal(open_row(&f, row, NUMBER), ENVELOPE_DAMAGED);
	make(&f);
	f.ring.registry[0] ^= 1;
	assert_int_equal(open_row(&f, row, NUMBER), ENVELOPE_DAMAGED);
	make(&f);
	f.key.raw[0] ^= 1;
	assert_int_equal(open_row(&f, row, NUMBER), ENVELOPE_DAMAGED);
}

static void
a_wrap_tells_another_key_from_damage(void **state)
{
	uint8_t wrap[ENVELOPE_WRAP], x[32];
	struct fixture f;
	size_t i;

	(void)state;
	make(&f);
	assert_int_equal(envelope_unwrap(&f.key, f.ring.registry,
			     bytes("label"), rows_wrap, x),
	    CDOP_OK);
	assert_memory_equal(x, rows_root, 32);
	assert_int_equal(envelope_unwrap(&f.key, f.ring.registry,
			     bytes("labem"), rows_wrap, x),
	    CDOP_UNAUTHENTICATED);
	for (i = 0; i < sizeof(wrap) * 8; i++) {
		memcpy(wrap, rows_wrap, sizeof(wrap));
		wrap[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(envelope_unwrap(&f.key, f.ring.registry,
				     bytes("label"), wrap, x),
		    i / 8 >= 24 && i / 8 < 72 ? CDOP_DATA_LOSS
					      : CDOP_UNAUTHENTICATED);
	}
	make(&f);
	f.key.raw[0] ^= 1;
	assert_int_equal(envelope_unwrap(&f.key, f.ring.registry,
			     bytes("label"), rows_wrap, x),
	    CDOP_UNAUTHENTICATED);
}

static void
a_box_is_bound_to_its_place(void **state)
{
	uint8_t box[sizeof(rows_box)], out[sizeof(rows_box)];
	struct cdop_bytes got;
	struct fixture f;
	size_t i;

	(void)state;
	make(&f);
	assert_int_equal(
	    envelope_box_unseal(&f.key, f.ring.registry, bytes("leaf 7"),
		(struct cdop_bytes){rows_box, sizeof(rows_box)}, out, &got),
	    ENVELOPE_FINE);
	assert_int_equal(got.len, strlen(text));
	assert_memory_equal(got.data, text, got.len);
	assert_int_equal(
	    envelope_box_unseal(&f.key, f.ring.registry, bytes("leaf 8"),
		(struct cdop_bytes){rows_box, sizeof(rows_box)}, out, &got),
	    ENVELOPE_DAMAGED);
	for (i = 0; i < sizeof(box) * 8; i++) {
		memcpy(box, rows_box, sizeof(box));
		box[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(
		    envelope_box_unseal(&f.key, f.ring.registry,
			bytes("leaf 7"), (struct cdop_bytes){box, sizeof(box)},
			out, &got),
		    ENVELOPE_DAMAGED);
	}
}

/*
 * T6: with a random source that gives one byte for ever, different input
 * still has different nonces: by number, version, kind, key id or text.
 */
static void
a_stuck_random_source_repeats_no_nonce(void **state)
{
	static uint8_t nonces[CASES * 3][24];
	uint8_t row[254], wrap[ENVELOPE_WRAP], data[32];
	struct fixture f;
	size_t i, j;

	(void)state;
	make(&f);
	memset(data, 0, sizeof(data));
	for (i = 0; i < CASES; i++) {
		make(&f);
		f.head.number += i;
		envelope_seal(&f.ring, &f.key, &f.head, f.data, row);
		memcpy(nonces[i], row + 1, 24);
		make(&f);
		cdop_put32(data, (uint32_t)i);
		f.data = (struct cdop_bytes){data, sizeof(data)};
		envelope_seal(&f.ring, &f.key, &f.head, f.data, row);
		memcpy(nonces[CASES + i], row + 1, 24);
		envelope_wrap(
		    &f.key, f.ring.registry, bytes("label"), data, wrap);
		memcpy(nonces[2 * CASES + i], wrap, 24);
	}
	for (i = 0; i < CASES * 3; i++)
		for (j = 0; j < i; j++)
			assert_memory_not_equal(nonces[i], nonces[j], 24);
}

static void
a_row_sealed_twice_differs(void **state)
{
	uint8_t drawn[FRESH_LEN];
	uint8_t a[254], b[254];
	struct fixture f;

	(void)state;
	make(&f);
	(void)randombytes_set_implementation(
	    &randombytes_sysrandom_implementation);
	/* What was drawn before is used first. */
	do
		fresh_take(drawn);
	while (drawn[0] == drawn[1] && drawn[1] == drawn[2]);
	envelope_seal(&f.ring, &f.key, &f.head, f.data, a);
	envelope_seal(&f.ring, &f.key, &f.head, f.data, b);
	(void)randombytes_set_implementation(&stuck);
	assert_memory_not_equal(a + 1, b + 1, 24);
	/* The check at its end differs by itself; the rest is masked. */
	assert_memory_not_equal(a + 25, b + 25, 24);
	assert_memory_not_equal(a + 53, b + 53, 201);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		rows_wraps_and_boxes_are_those_of_the_second_implementation),
	    cmocka_unit_test(a_row_opens_to_what_was_sealed),
	    cmocka_unit_test(sizes_are_the_classes_and_nothing_else),
	    cmocka_unit_test(every_flipped_bit_of_a_row_is_damage),
	    cmocka_unit_test(the_text_is_bound_to_its_head),
	    cmocka_unit_test(each_failure_has_its_own_finding),
	    cmocka_unit_test(a_wrap_tells_another_key_from_damage),
	    cmocka_unit_test(a_box_is_bound_to_its_place),
	    cmocka_unit_test(a_stuck_random_source_repeats_no_nonce),
	    cmocka_unit_test(a_row_sealed_twice_differs),
	};

	(void)randombytes_set_implementation(&stuck);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
