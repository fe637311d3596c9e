/* cdop-link/1: what is ours around Noise, byte by byte. */
#include "cdop/link.h"

#include "cdop/compare.h"
#include "cdop/limits.h"
#include "cdop/secret.h"
#include "tests/unit/proto/pair.h"

static const struct cdop_link_opening enrolled = {CDOP_LINK_ENROLLED, {0}};

/* ---- preamble and mac1 ------------------------------------------------- */

static void
the_preamble_names_version_and_suite(void **state)
{
	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];
	enum cdop_err want;
	size_t bit;

	(void)state;
	cdop_link_preamble(preamble);
	assert_memory_equal(preamble, "CDOP\x01\x01\x00\x00", 8);
	assert_int_equal(cdop_link_preamble_check(preamble), CDOP_OK);
	for (bit = 0; bit < 64; bit++) {
		want = bit < 32 ? CDOP_INVALID_ARGUMENT : CDOP_UNIMPLEMENTED;
		preamble[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(cdop_link_preamble_check(preamble), want);
		preamble[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
mac1_fails_for_every_bit_and_length(void **state)
{
	uint8_t first[CDOP_LINK_FIRST_LEN], key[CDOP_KEY_LEN];
	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];
	struct cdop_bytes body;
	struct pair pair;
	size_t bit;

	(void)state;
	pair_init(&pair);
	assert_int_equal(
	    cdop_link_write1(&pair.client, &enrolled, first), CDOP_OK);
	assert_memory_equal(first + 8, "\x00\x51", 2);
	body = (struct cdop_bytes){first + 10, CDOP_LINK_FRAME1_LEN};
	memcpy(preamble, first, sizeof(preamble));
	cdop_link_mac1_key(key, pair.keys.server);
	assert_true(cdop_link_mac1_check(key, preamble, body));
	for (bit = 0; bit < 8 * CDOP_LINK_FRAME1_LEN; bit++) {
		first[10 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(cdop_link_mac1_check(key, preamble, body));
		first[10 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	preamble[7] ^= 1;
	assert_false(cdop_link_mac1_check(key, preamble, body));
	preamble[7] ^= 1;
	for (body.len = 0; body.len < CDOP_LINK_FRAME1_LEN; body.len++)
		assert_false(cdop_link_mac1_check(key, preamble, body));
	cdop_link_mac1_key(key, pair.keys.client);
	body.len = CDOP_LINK_FRAME1_LEN;
	assert_false(cdop_link_mac1_check(key, preamble, body));
}

/* ---- message 1 --------------------------------------------------------- */

/* What the server makes of a message 1 with this payload. */
static enum cdop_err
read1_of(const uint8_t *payload, size_t len, struct cdop_link_opening *opening)
{
	uint8_t out[CDOP_LINK_MESSAGE1_LEN + 8];
	enum cdop_err err;
	struct pair pair;
	size_t out_len;

	pair_init(&pair);
	assert_int_equal(
	    cdop_noise_write(&pair.client, (struct cdop_bytes){payload, len},
		out, sizeof(out), &out_len),
	    CDOP_OK);
	err = cdop_link_read1(
	    &pair.server, (struct cdop_bytes){out, out_len}, opening);
	if (err != CDOP_OK)
		assert_dead(&pair.server);
	return err;
}

static void
message_1_says_who_in_17_bytes(void **state)
{
	uint8_t payload[CDOP_LINK_OPENING_LEN + 1] = {0};
	struct cdop_link_opening opening;

	(void)state;
	assert_int_equal(read1_of(payload, 17, &opening), CDOP_OK);
	assert_int_equal(opening.kind, CDOP_LINK_ENROLLED);
	assert_int_equal(read1_of(payload, 16, &opening), CDOP_UNAUTHENTICATED);
	assert_int_equal(read1_of(payload, 18, &opening), CDOP_UNAUTHENTICATED);
	payload[0] = 3;
	assert_int_equal(read1_of(payload, 17, &opening), CDOP_UNAUTHENTICATED);
	payload[0] = 0;
	payload[16] = 1;
	assert_int_equal(read1_of(payload, 17, &opening), CDOP_UNAUTHENTICATED);
	payload[0] = 1;
	assert_int_equal(read1_of(payload, 17, &opening), CDOP_OK);
	assert_int_equal(opening.kind, CDOP_LINK_INVITATION);
	assert_memory_equal(opening.invitation, payload + 1, 16);
	payload[0] = 2;
	assert_int_equal(read1_of(payload, 17, &opening), CDOP_OK);
	assert_int_equal(opening.kind, CDOP_LINK_BOOT);
	assert_memory_equal(opening.invitation, payload + 1, 16);
}

/* ---- message 2 --------------------------------------------------------- */

static void
the_hint_of_a_sealed_registry_is_told_apart(void **state)
{
	const uint8_t hint[2] = {CDOP_LINK_HINT_SEALED, 0};
	const uint8_t other = 0x02;
	struct pair pair, copy;

	(void)state;
	pair_init(&pair);
	pair_run_to(&pair, 1);
	copy = pair;
	assert_int_equal(
	    cdop_link_read2(&copy.client, (struct cdop_bytes){hint, 1}),
	    CDOP_UNAVAILABLE);
	assert_dead(&copy.client);
	copy = pair;
	assert_int_equal(
	    cdop_link_read2(&copy.client, (struct cdop_bytes){hint, 2}),
	    CDOP_UNAUTHENTICATED);
	copy = pair;
	assert_int_equal(
	    cdop_link_read2(&copy.client, (struct cdop_bytes){&other, 1}),
	    CDOP_UNAUTHENTICATED);
}

/* ---- message 3 --------------------------------------------------------- */

static void
hello_is_delimited_and_zero_padded(void **state)
{
	uint8_t hello[CDOP_LINK_HELLO_MAX + 1], payload[CDOP_LINK_HELLO_LEN];
	struct cdop_bytes got;
	size_t len;

	(void)state;
	memset(hello, 'h', sizeof(hello));
	for (len = 0; len <= CDOP_LINK_HELLO_MAX; len++) {
		assert_int_equal(cdop_link_hello_write(
				     (struct cdop_bytes){hello, len}, payload),
		    CDOP_OK);
		assert_int_equal(cdop_link_hello_parse(payload, &got), CDOP_OK);
		assert_int_equal(got.len, len);
		assert_memory_equal(got.data, hello, len);
		assert_ptr_equal(got.data, payload + (len < 128 ? 1 : 2));
	}
	assert_int_equal(
	    cdop_link_hello_write((struct cdop_bytes){hello, len}, payload),
	    CDOP_RESOURCE_EXHAUSTED);
}

static void
a_malformed_hello_is_refused(void **state)
{
	static const uint8_t heads[][3] = {{0x80, 0x00}, {0x81, 0x00},
	    {0xff, 0x01}, {0x80, 0x80, 0x01}, {0xff, 0xff, 0xff}};
	uint8_t payload[CDOP_LINK_HELLO_LEN];
	struct cdop_bytes got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		memset(payload, 0, sizeof(payload));
		memcpy(payload, heads[i], 3);
		assert_int_equal(cdop_link_hello_parse(payload, &got),
		    CDOP_INVALID_ARGUMENT);
	}
	/* Something behind it, at each place. */
	for (i = 3; i < CDOP_LINK_HELLO_LEN; i++) {
		memset(payload, 0, sizeof(payload));
		payload[0] = 2;
		payload[i] = 1;
		assert_int_equal(cdop_link_hello_parse(payload, &got),
		    CDOP_INVALID_ARGUMENT);
	}
}

/* Message 3 with this payload, read by the server. */
static enum cdop_err
read3_of(const uint8_t *payload, size_t len)
{
	uint8_t out[CDOP_LINK_MESSAGE3_LEN + 8];
	enum cdop_err err;
	struct pair pair;
	size_t out_len;

	pair_init(&pair);
	pair_run_to(&pair, 2);
	assert_int_equal(
	    cdop_noise_write(&pair.client, (struct cdop_bytes){payload, len},
		out, sizeof(out), &out_len),
	    CDOP_OK);
	err = pair_read(&pair, 2, out, out_len);
	if (err != CDOP_OK)
		assert_dead(&pair.server);
	return err;
}

static void
a_genuine_message_3_with_a_bad_payload_is_refused(void **state)
{
	uint8_t payload[CDOP_LINK_HELLO_LEN + 1] = {2, 8, 1};

	(void)state;
	assert_int_equal(read3_of(payload, 256), CDOP_OK);
	assert_int_equal(read3_of(payload, 255), CDOP_UNAUTHENTICATED);
	assert_int_equal(read3_of(payload, 257), CDOP_UNAUTHENTICATED);
	payload[255] = 1;
	assert_int_equal(read3_of(payload, 256), CDOP_UNAUTHENTICATED);
}

static void
either_of_two_psks_opens_message_3(void **state)
{
	uint8_t psks[CDOP_LINK_PSKS][CDOP_KEY_LEN], out[CDOP_LINK_HELLO_LEN];
	struct cdop_bytes rest, hello;
	const uint8_t *credential;
	struct pair pair;
	size_t i, which;

	(void)state;
	for (i = 0; i < CDOP_LINK_PSKS; i++) {
		pair_init(&pair);
		pair_run_to(&pair, 2);
		pair_write(&pair, 2);
		cdop_secret_random(psks, sizeof(psks));
		memcpy(psks[i], pair.keys.psk, CDOP_KEY_LEN);
		assert_int_equal(cdop_link_read3_begin(&pair.server,
				     (struct cdop_bytes){pair.message[2],
					 CDOP_LINK_MESSAGE3_LEN},
				     &rest, &credential),
		    CDOP_OK);
		assert_memory_equal(credential, pair.keys.client, CDOP_KEY_LEN);
		assert_int_equal(cdop_link_read3_finish(&pair.server, rest,
				     (const uint8_t(*)[CDOP_KEY_LEN])psks, out,
				     &hello, &which),
		    CDOP_OK);
		assert_int_equal(which, i);
		assert_int_equal(hello.len, 2);
		assert_memory_equal(hello.data, "\x08\x01", 2);
	}
}

/* ---- the stream under the cipher --------------------------------------- */

static void
sealed_frames_carry_the_stream(void **state)
{
	static uint8_t message[100000], frame[CDOP_LINK_FRAME_ROOM];
	struct cdop_stream *out, *in;
	struct cdop_bytes got;
	struct pair pair;
	size_t len;

	(void)state;
	pair_init(&pair);
	pair_run(&pair);
	assert_int_equal(cdop_stream_new(1u << 20, &out), CDOP_OK);
	assert_int_equal(cdop_stream_new(1u << 20, &in), CDOP_OK);
	assert_int_equal(
	    cdop_link_seal(&pair.client_tx, out, frame, &len), CDOP_OK);
	assert_int_equal(len, 0);
	assert_int_equal(
	    cdop_stream_put(out, (struct cdop_bytes){message, sizeof(message)}),
	    CDOP_OK);
	for (;;) {
		assert_int_equal(
		    cdop_link_seal(&pair.client_tx, out, frame, &len), CDOP_OK);
		if (len == 0)
			break;
		assert_int_equal(cdop_get16(frame), len - 2);
		assert_int_equal((len - 2 - CDOP_TAG_LEN) % CDOP_PAD_STEP, 0);
		assert_int_equal(
		    cdop_link_open(&pair.server_rx,
			(struct cdop_bytes){frame + 2, len - 2}, in),
		    CDOP_OK);
	}
	assert_int_equal(cdop_stream_next(in, &got), CDOP_OK);
	assert_int_equal(got.len, sizeof(message));
	cdop_stream_consume(in);
	/* A frame again: it is not genuine any more. */
	assert_int_equal(
	    cdop_stream_put(out, (struct cdop_bytes){message, 1}), CDOP_OK);
	assert_int_equal(
	    cdop_link_seal(&pair.client_tx, out, frame, &len), CDOP_OK);
	frame[len - 1] ^= 1;
	assert_int_equal(cdop_link_open(&pair.server_rx,
			     (struct cdop_bytes){frame + 2, len - 2}, in),
	    CDOP_UNAUTHENTICATED);
	assert_false(pair.server_rx.ready);
	assert_int_equal(cdop_stream_held(in), 0);
	cdop_stream_free(out);
	cdop_stream_free(in);
}

static void
a_frame_too_short_for_a_tag_ends_the_cipher(void **state)
{
	uint8_t frame[CDOP_TAG_LEN - 1] = {0};
	struct cdop_stream *in;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair_run(&pair);
	assert_int_equal(cdop_stream_new(1000, &in), CDOP_OK);
	assert_int_equal(cdop_link_open(&pair.server_rx,
			     (struct cdop_bytes){frame, sizeof(frame)}, in),
	    CDOP_UNAUTHENTICATED);
	assert_false(pair.server_rx.ready);
	cdop_stream_free(in);
}

/* ---- derived ----------------------------------------------------------- */

static void
the_psk_turns_by_all_four_inputs(void **state)
{
	uint8_t in[4][CDOP_NOISE_HASH_LEN] = {{1}, {2}, {3}, {4}};
	uint8_t first[CDOP_KEY_LEN], next[CDOP_KEY_LEN];
	size_t i;

	(void)state;
	cdop_link_psk_next(first, in[0], in[1], in[2], in[3]);
	for (i = 0; i < 4; i++) {
		in[i][31] ^= 1;
		cdop_link_psk_next(next, in[0], in[1], in[2], in[3]);
		assert_memory_not_equal(first, next, sizeof(next));
		in[i][31] ^= 1;
	}
	cdop_link_psk_next(next, in[0], in[1], in[2], in[3]);
	assert_memory_equal(first, next, sizeof(next));
}

static void
a_comparison_string_is_read_as_people_type_it(void **state)
{
	static const char *const same[] = {"AAAQ-EAYE-AUDA-OCAJ",
	    "aaaqeayeaudaocaj", " AAAQ EAYE-AUDA OCAJ ", "AAAQ-EAYE-AUDA-0CAJ"};
	static const char *const bad[] = {"", "AAAQ-EAYE-AUDA-OCA",
	    "AAAQ-EAYE-AUDA-OCAJA", "AAAQ-EAYE-AUDA-OCA9",
	    "AAAQ_EAYE-AUDA-OCAJ"};
	uint8_t bytes[CDOP_COMPARE_LEN], got[CDOP_COMPARE_LEN];
	char text[CDOP_COMPARE_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	cdop_compare_text(text, bytes);
	assert_string_equal(text, same[0]);
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		memset(got, 0xff, sizeof(got));
		assert_int_equal(cdop_compare_parse(same[i], got), CDOP_OK);
		assert_memory_equal(got, bytes, sizeof(got));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    cdop_compare_parse(bad[i], got), CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_preamble_names_version_and_suite),
	    cmocka_unit_test(mac1_fails_for_every_bit_and_length),
	    cmocka_unit_test(message_1_says_who_in_17_bytes),
	    cmocka_unit_test(the_hint_of_a_sealed_registry_is_told_apart),
	    cmocka_unit_test(hello_is_delimited_and_zero_padded),
	    cmocka_unit_test(a_malformed_hello_is_refused),
	    cmocka_unit_test(a_genuine_message_3_with_a_bad_payload_is_refused),
	    cmocka_unit_test(either_of_two_psks_opens_message_3),
	    cmocka_unit_test(sealed_frames_carry_the_stream),
	    cmocka_unit_test(a_frame_too_short_for_a_tag_ends_the_cipher),
	    cmocka_unit_test(the_psk_turns_by_all_four_inputs),
	    cmocka_unit_test(a_comparison_string_is_read_as_people_type_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
