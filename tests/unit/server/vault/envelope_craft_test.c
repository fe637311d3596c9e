/*
 * Rows and boxes as nobody but a holder of the keys can make them, and as no
 * program of ours does: they open to nothing.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/envelope.h"

#define NUMBER 4711u
#define NONCE  24u
#define HEAD   28u
#define TEXT   (1 + NONCE + HEAD)
#define TAG    16u
#define STEP   64u

static const uint8_t k[32] = "one key for everything, in here";
static struct envelope_ring ring;
static struct envelope_key key;

static int
setup(void **state)
{
	(void)state;
	memset(&ring, 5, sizeof(ring));
	envelope_key_init(&key, k);
	return sodium_init() < 0 ? -1 : 0;
}

static void
subkey(const char *word, uint8_t out[static 32])
{
	assert_int_equal(crypto_generichash(out, 32, (const uint8_t *)word,
			     strlen(word), k, sizeof(k)),
	    0);
}

/* The head of a row as it is under its mask, and back: the same. */
static void
mask(uint8_t *row)
{
	assert_int_equal(crypto_stream_xchacha20_xor(row + 1 + NONCE,
			     row + 1 + NONCE, HEAD, row + 1, ring.header),
	    0);
}

static size_t
genuine(uint8_t *row)
{
	const struct envelope_head head = {.kind = 9, .number = NUMBER};
	const struct cdop_bytes data = {(const uint8_t *)"some data", 9};

	envelope_seal(&ring, &key, &head, data, row);
	return envelope_row_len(data.len);
}

/* Another text under the seal of a genuine row. */
static enum envelope_verdict
open_with(uint32_t said, size_t dirty)
{
	uint8_t row[4096], out[4096], aad[256], seal[32];
	const size_t len = genuine(row), text_len = len - TEXT - TAG;
	uint8_t text[4096] = {0};
	struct envelope_head head;
	struct cdop_bytes whole = {row, len}, got;

	cdop_put32(text, said);
	if (dirty > 0)
		text[dirty] = 1;
	memcpy(aad, "cdop-row/1", 10);
	memcpy(aad + 10, ring.registry, 16);
	aad[26] = row[0];
	mask(row);
	memcpy(aad + 27, row + 1 + NONCE, HEAD);
	mask(row);
	subkey("cdop-row/1 seal", seal);
	assert_int_equal(
	    crypto_aead_xchacha20poly1305_ietf_encrypt(row + TEXT, NULL, text,
		text_len, aad, 27 + HEAD, NULL, row + 1, seal),
	    0);
	assert_int_equal(
	    envelope_head_parse(&ring, whole, NUMBER, &head), ENVELOPE_FINE);
	return envelope_unseal(&ring, &key, &head, whole, out, &got);
}

static void
a_text_of_another_shape_is_damage(void **state)
{
	const size_t text_len = envelope_row_len(9) - TEXT - TAG;

	(void)state;
	/* By hand it is as by the program: the harness does not lie. */
	assert_int_equal(open_with(9, 0), ENVELOPE_FINE);
	assert_int_equal(open_with((uint32_t)text_len - 4, 0), ENVELOPE_FINE);
	assert_int_equal(
	    open_with((uint32_t)text_len - 3, 0), ENVELOPE_DAMAGED);
	assert_int_equal(open_with(UINT32_MAX, 0), ENVELOPE_DAMAGED);
	assert_int_equal(open_with(9, 4 + 9), ENVELOPE_DAMAGED);
	assert_int_equal(open_with(9, text_len - 1), ENVELOPE_DAMAGED);
}

static void
a_head_whose_reserved_bits_are_set_is_damage(void **state)
{
	uint8_t row[4096], seen[NONCE + HEAD], check[32];
	struct cdop_bytes whole = {row, genuine(row)};
	struct envelope_head head;

	(void)state;
	mask(row);
	row[1 + NONCE + 2] = 1;
	memcpy(seen, row + 1, NONCE + HEAD);
	assert_int_equal(crypto_generichash(check, sizeof(check), seen,
			     NONCE + HEAD - 4, ring.header, 32),
	    0);
	memcpy(row + 1 + NONCE + HEAD - 4, check, 4);
	mask(row);
	assert_int_equal(
	    envelope_head_parse(&ring, whole, NUMBER, &head), ENVELOPE_DAMAGED);
	/* The same without the bit is a row. */
	mask(row);
	row[1 + NONCE + 2] = seen[NONCE + 2] = 0;
	assert_int_equal(crypto_generichash(check, sizeof(check), seen,
			     NONCE + HEAD - 4, ring.header, 32),
	    0);
	memcpy(row + 1 + NONCE + HEAD - 4, check, 4);
	mask(row);
	assert_int_equal(
	    envelope_head_parse(&ring, whole, NUMBER, &head), ENVELOPE_FINE);
}

static void
what_has_no_length_of_a_row_is_not_looked_at(void **state)
{
	uint8_t row[4096], out[4096];
	struct cdop_bytes whole = {row, genuine(row)}, got;
	struct envelope_head head;

	(void)state;
	assert_int_equal(
	    envelope_head_parse(&ring, whole, NUMBER, &head), ENVELOPE_FINE);
	whole.len--;
	assert_int_equal(envelope_unseal(&ring, &key, &head, whole, out, &got),
	    ENVELOPE_DAMAGED);
}

static enum envelope_verdict
open_box(uint32_t said, size_t dirty)
{
	const struct cdop_bytes context = {(const uint8_t *)"place", 5};
	uint8_t box[NONCE + STEP + TAG] = {7}, out[sizeof(box)], seal[32];
	uint8_t text[STEP] = {0}, aad[64];
	struct cdop_bytes got;

	cdop_put32(text, said);
	if (dirty > 0)
		text[dirty] = 1;
	memcpy(aad, "cdop-box/1", 10);
	memcpy(aad + 10, ring.registry, 16);
	memcpy(aad + 26, context.data, context.len);
	subkey("cdop-box/1 seal", seal);
	assert_int_equal(
	    crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE, NULL, text,
		sizeof(text), aad, 26 + context.len, NULL, box, seal),
	    0);
	return envelope_box_unseal(&key, ring.registry, context,
	    (struct cdop_bytes){box, sizeof(box)}, out, &got);
}

static void
a_box_of_another_shape_is_damage(void **state)
{
	const struct cdop_bytes none = {NULL, 0};
	uint8_t box[NONCE + STEP + TAG], out[sizeof(box)];
	struct cdop_bytes got;

	(void)state;
	assert_int_equal(open_box(9, 0), ENVELOPE_FINE);
	assert_int_equal(open_box(STEP - 4, 0), ENVELOPE_FINE);
	assert_int_equal(open_box(STEP - 3, 0), ENVELOPE_DAMAGED);
	assert_int_equal(open_box(9, STEP - 1), ENVELOPE_DAMAGED);
	assert_int_equal(open_box(9, 13), ENVELOPE_DAMAGED);
	/* Nothing in it, too short, and longer than there are. */
	envelope_box_seal(&key, ring.registry, none, none, box);
	assert_int_equal(envelope_box_unseal(&key, ring.registry, none,
			     (struct cdop_bytes){box, sizeof(box)}, out, &got),
	    ENVELOPE_FINE);
	assert_int_equal(got.len, 0);
	assert_int_equal(
	    envelope_box_unseal(&key, ring.registry, none,
		(struct cdop_bytes){box, sizeof(box) - 1}, out, &got),
	    ENVELOPE_DAMAGED);
	assert_int_equal(envelope_box_unseal(&key, ring.registry, none,
			     (struct cdop_bytes){box, STEP}, out, &got),
	    ENVELOPE_DAMAGED);
	assert_int_equal(envelope_box_len(ENVELOPE_DATA_MAX + 1), 0);
}

static void
each_verdict_has_a_name_of_its_own(void **state)
{
	enum envelope_verdict a, b;

	(void)state;
	for (a = ENVELOPE_FINE; a <= ENVELOPE_UNKNOWN_KIND; a++)
		for (b = ENVELOPE_FINE; b < a; b++)
			assert_string_not_equal(
			    envelope_verdict_name(a), envelope_verdict_name(b));
	assert_string_equal(
	    envelope_verdict_name(ENVELOPE_UNKNOWN_FORMAT + 1), "unknown");
}

static void
a_short_row_adds_to_the_digest_whole(void **state)
{
	static const uint8_t a[2][20] = {{1, 1}, {1, 2}};
	uint8_t one[32], two[32];

	(void)state;
	envelope_digest(&ring, 1, (struct cdop_bytes){a[0], 15}, one);
	envelope_digest(&ring, 1, (struct cdop_bytes){a[1], 15}, two);
	assert_memory_not_equal(one, two, sizeof(one));
	envelope_digest(&ring, 1, (struct cdop_bytes){NULL, 0}, two);
	assert_memory_not_equal(one, two, sizeof(one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_text_of_another_shape_is_damage),
	    cmocka_unit_test(a_head_whose_reserved_bits_are_set_is_damage),
	    cmocka_unit_test(what_has_no_length_of_a_row_is_not_looked_at),
	    cmocka_unit_test(a_box_of_another_shape_is_damage),
	    cmocka_unit_test(each_verdict_has_a_name_of_its_own),
	    cmocka_unit_test(a_short_row_adds_to_the_digest_whole),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
