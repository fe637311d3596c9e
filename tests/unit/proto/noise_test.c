/* The Noise machine: damage, replay, order, and the transport. */
#include "cdop/noise.h"

#include "tests/unit/proto/pair.h"

static const struct cdop_bytes none = {NULL, 0};

/* ---- damage ------------------------------------------------------------ */

static void
truncated_at_every_byte_every_message_fails(void **state)
{
	uint8_t longer[CDOP_LINK_MESSAGE3_LEN + 1];
	struct pair pair;
	size_t i, len;

	(void)state;
	for (i = 0; i < 3; i++) {
		pair_init(&pair);
		pair_run_to(&pair, i);
		pair_write(&pair, i);
		for (len = 0; len < pair.len[i]; len++)
			pair_refuses(&pair, i, pair.message[i], len);
		memcpy(longer, pair.message[i], pair.len[i]);
		longer[pair.len[i]] = 0;
		pair_refuses(&pair, i, longer, pair.len[i] + 1);
		assert_int_equal(
		    pair_read(&pair, i, pair.message[i], pair.len[i]), CDOP_OK);
	}
}

/* The same below link.c, which looks at the length first. */
static void
truncated_below_the_link_every_message_fails(void **state)
{
	uint8_t out[CDOP_LINK_MESSAGE3_LEN];
	struct cdop_bytes message;
	struct cdop_noise copy;
	struct pair pair;
	size_t i, len, got;

	(void)state;
	for (i = 0; i < 3; i++) {
		pair_init(&pair);
		pair_run_to(&pair, i);
		pair_write(&pair, i);
		memcpy(pair.server.psk, pair.keys.psk, CDOP_KEY_LEN);
		pair.server.have_psk = true;
		for (len = 0; len < pair.len[i]; len++) {
			copy = *pair_reader(&pair, i);
			message = (struct cdop_bytes){pair.message[i], len};
			assert_int_equal(cdop_noise_read(&copy, message, out,
					     sizeof(out), &got),
			    CDOP_UNAUTHENTICATED);
			assert_dead(&copy);
		}
	}
}

static void
every_single_bit_flip_of_every_message_fails(void **state)
{
	struct pair pair;
	size_t i, bit;

	(void)state;
	for (i = 0; i < 3; i++) {
		pair_init(&pair);
		pair_run_to(&pair, i);
		pair_write(&pair, i);
		for (bit = 0; bit < 8 * pair.len[i]; bit++) {
			pair.message[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
			pair_refuses(&pair, i, pair.message[i], pair.len[i]);
			pair.message[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

/* ---- replay and order -------------------------------------------------- */

/* Two pairs whose ephemerals differ, run up to message i and with it. */
static void
two_sessions(struct pair *a, struct pair *b, size_t i)
{
	pair_init(a);
	pair_init(b);
	b->client.fixed_e = false;
	b->server.fixed_e = false;
	pair_run_to(a, i);
	pair_run_to(b, i);
	pair_write(a, i);
	pair_write(b, i);
}

static void
messages_of_another_session_fail(void **state)
{
	struct pair a, b;
	size_t i;

	(void)state;
	for (i = 1; i < 3; i++) {
		two_sessions(&a, &b, i);
		assert_memory_not_equal(a.message[i], b.message[i], a.len[i]);
		pair_refuses(&b, i, a.message[i], a.len[i]);
		pair_refuses(&a, i, b.message[i], b.len[i]);
	}
}

static void
messages_in_another_order_fail(void **state)
{
	struct pair pair, done;
	size_t i, j;

	(void)state;
	pair_init(&done);
	pair_run_to(&done, 3);
	for (i = 0; i < 3; i++) {
		pair_init(&pair);
		pair_run_to(&pair, i);
		for (j = 0; j < 3; j++)
			if (j != i)
				pair_refuses(
				    &pair, i, done.message[j], done.len[j]);
	}
}

static void
calls_out_of_turn_are_refused_and_harm_nothing(void **state)
{
	struct cdop_noise_cipher tx, rx;
	uint8_t hash[CDOP_NOISE_HASH_LEN], out[600];
	struct cdop_bytes rest;
	struct pair pair;
	size_t len;

	(void)state;
	pair_init(&pair);
	assert_int_equal(
	    cdop_noise_write(&pair.server, none, out, sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(
	    cdop_noise_read(&pair.client, none, out, sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(cdop_noise_split(&pair.client, &tx, &rx, hash),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(cdop_noise_read_finish(
			     &pair.server, none, NULL, out, sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	pair_run_to(&pair, 2);
	pair_write(&pair, 2);
	assert_int_equal(
	    cdop_noise_read_begin(&pair.server,
		(struct cdop_bytes){pair.message[2], pair.len[2]}, &rest),
	    CDOP_OK);
	assert_int_equal(cdop_noise_read_begin(&pair.server, rest, &rest),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(cdop_noise_read_finish(&pair.server, rest,
			     pair.keys.psk, out, sizeof(out), &len),
	    CDOP_OK);
	assert_int_equal(
	    cdop_noise_write(&pair.client, none, out, sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	assert_true(cdop_noise_is_done(&pair.client));
	assert_true(cdop_noise_is_done(&pair.server));
}

/* ---- transport --------------------------------------------------------- */

static void
transport_goes_both_ways_and_only_in_order(void **state)
{
	uint8_t sealed[3][CDOP_TAG_LEN + 5], out[5];
	struct cdop_noise_cipher rx;
	struct cdop_bytes m[3];
	struct pair pair;
	size_t i;

	(void)state;
	pair_init(&pair);
	pair_run(&pair);
	for (i = 0; i < 3; i++) {
		m[i] = (struct cdop_bytes){sealed[i], sizeof(sealed[i])};
		assert_int_equal(
		    cdop_noise_seal(&pair.client_tx,
			(struct cdop_bytes){(const uint8_t *)"hello", 5},
			sealed[i]),
		    CDOP_OK);
	}
	/* Skipped, replayed, sent back to its sender. */
	rx = pair.server_rx;
	assert_int_equal(cdop_noise_open(&rx, m[1], out), CDOP_UNAUTHENTICATED);
	assert_int_equal(
	    cdop_noise_open(&rx, m[0], out), CDOP_FAILED_PRECONDITION);
	rx = pair.server_rx;
	assert_int_equal(cdop_noise_open(&rx, m[0], out), CDOP_OK);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(cdop_noise_open(&rx, m[0], out), CDOP_UNAUTHENTICATED);
	rx = pair.client_rx;
	assert_int_equal(cdop_noise_open(&rx, m[0], out), CDOP_UNAUTHENTICATED);
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    cdop_noise_open(&pair.server_rx, m[i], out), CDOP_OK);
	assert_int_equal(
	    cdop_noise_seal(&pair.server_tx, none, sealed[0]), CDOP_OK);
	assert_int_equal(cdop_noise_open(&pair.client_rx,
			     (struct cdop_bytes){sealed[0], CDOP_TAG_LEN}, out),
	    CDOP_OK);
}

static void
a_failed_cipher_is_wiped(void **state)
{
	static const struct cdop_noise_cipher wiped;
	uint8_t sealed[CDOP_TAG_LEN] = {0};
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair_run(&pair);
	assert_int_equal(
	    cdop_noise_open(&pair.server_rx,
		(struct cdop_bytes){sealed, sizeof(sealed)}, sealed),
	    CDOP_UNAUTHENTICATED);
	assert_memory_equal(&pair.server_rx, &wiped, sizeof(wiped));
	assert_int_equal(cdop_noise_seal(&pair.server_rx, none, sealed),
	    CDOP_FAILED_PRECONDITION);
	/* Too short to hold a tag. */
	assert_int_equal(
	    cdop_noise_open(&pair.client_rx,
		(struct cdop_bytes){sealed, CDOP_TAG_LEN - 1}, sealed),
	    CDOP_UNAUTHENTICATED);
	assert_false(pair.client_rx.ready);
}

static void
the_last_nonce_is_never_used(void **state)
{
	uint8_t sealed[CDOP_TAG_LEN];
	struct cdop_bytes m = {sealed, sizeof(sealed)};
	struct pair pair;
	uint8_t out[1];

	(void)state;
	pair_init(&pair);
	pair_run(&pair);
	pair.client_tx.n = pair.server_rx.n = UINT64_MAX - 1;
	assert_int_equal(
	    cdop_noise_seal(&pair.client_tx, none, sealed), CDOP_OK);
	assert_int_equal(cdop_noise_open(&pair.server_rx, m, out), CDOP_OK);
	assert_int_equal(cdop_noise_seal(&pair.client_tx, none, sealed),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(
	    cdop_noise_open(&pair.server_rx, m, out), CDOP_RESOURCE_EXHAUSTED);
}

static void
the_longest_message_is_65535_bytes(void **state)
{
	static uint8_t buffer[CDOP_NOISE_MAX + 1];
	struct cdop_noise_cipher rx;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair_run(&pair);
	assert_int_equal(
	    cdop_noise_seal(&pair.client_tx,
		(struct cdop_bytes){buffer, CDOP_NOISE_PLAIN_MAX + 1}, buffer),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(
	    cdop_noise_seal(&pair.client_tx,
		(struct cdop_bytes){buffer, CDOP_NOISE_PLAIN_MAX}, buffer),
	    CDOP_OK);
	rx = pair.server_rx;
	assert_int_equal(
	    cdop_noise_open(
		&rx, (struct cdop_bytes){buffer, CDOP_NOISE_MAX + 1}, buffer),
	    CDOP_UNAUTHENTICATED);
	assert_int_equal(
	    cdop_noise_open(&pair.server_rx,
		(struct cdop_bytes){buffer, CDOP_NOISE_MAX}, buffer),
	    CDOP_OK);
}

static void
a_handshake_message_that_does_not_fit_fails(void **state)
{
	static uint8_t payload[CDOP_NOISE_MAX], out[CDOP_NOISE_MAX];
	size_t max, len;
	struct pair pair, copy;

	(void)state;
	pair_init(&pair);
	for (max = 0; max < 32 + CDOP_TAG_LEN + 4; max++) {
		copy = pair;
		assert_int_equal(
		    cdop_noise_write(&copy.client,
			(struct cdop_bytes){payload, 4}, out, max, &len),
		    CDOP_RESOURCE_EXHAUSTED);
		assert_dead(&copy.client);
	}
	copy = pair;
	assert_int_equal(
	    cdop_noise_write(&copy.client,
		(struct cdop_bytes){payload, CDOP_NOISE_MAX - 32 - 15}, out,
		sizeof(out), &len),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(
	    cdop_noise_write(&pair.client,
		(struct cdop_bytes){payload, CDOP_NOISE_MAX - 32 - 16}, out,
		sizeof(out), &len),
	    CDOP_OK);
	assert_int_equal(len, CDOP_NOISE_MAX);
	/* And the reader has less room than that. */
	assert_int_equal(cdop_noise_read(&pair.server,
			     (struct cdop_bytes){out, len}, payload, 100, &len),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_dead(&pair.server);
}

static void
what_is_longer_than_any_message_is_none(void **state)
{
	static uint8_t big[CDOP_NOISE_MAX + 1], out[CDOP_NOISE_MAX + 1];
	const struct cdop_bytes all = {big, sizeof(big)};
	struct cdop_bytes rest;
	struct pair pair;
	size_t len;

	(void)state;
	pair_init(&pair);
	assert_int_equal(
	    cdop_noise_write(&pair.client, all, out, sizeof(out), &len),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_dead(&pair.client);
	pair_init(&pair);
	assert_int_equal(cdop_noise_read_begin(&pair.server, all, &rest),
	    CDOP_UNAUTHENTICATED);
	assert_dead(&pair.server);
	/* And none comes behind the last. */
	pair_init(&pair);
	pair_run_to(&pair, 3);
	assert_int_equal(
	    cdop_noise_read_begin(&pair.server,
		(struct cdop_bytes){pair.message[2], pair.len[2]}, &rest),
	    CDOP_FAILED_PRECONDITION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(truncated_at_every_byte_every_message_fails),
	    cmocka_unit_test(truncated_below_the_link_every_message_fails),
	    cmocka_unit_test(every_single_bit_flip_of_every_message_fails),
	    cmocka_unit_test(messages_of_another_session_fail),
	    cmocka_unit_test(messages_in_another_order_fail),
	    cmocka_unit_test(calls_out_of_turn_are_refused_and_harm_nothing),
	    cmocka_unit_test(transport_goes_both_ways_and_only_in_order),
	    cmocka_unit_test(a_failed_cipher_is_wiped),
	    cmocka_unit_test(the_last_nonce_is_never_used),
	    cmocka_unit_test(the_longest_message_is_65535_bytes),
	    cmocka_unit_test(a_handshake_message_that_does_not_fit_fails),
	    cmocka_unit_test(what_is_longer_than_any_message_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
