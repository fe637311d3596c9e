/* Wrong keys, weak keys, PSKs: what a handshake must not accept. */
#include <dlfcn.h>
#include <sodium.h>

#include "cdop/noise.h"
#include "tests/unit/proto/pair.h"

static const struct cdop_bytes none = {NULL, 0};

/* ---- wrong keys -------------------------------------------------------- */

static void
wrong_server_key_fails_at_message_1(void **state)
{
	uint8_t other[CDOP_KEY_LEN];
	struct cdop_link_args args;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	cdop_secret_public(other, pair.keys.client_e);
	args = (struct cdop_link_args){.s = pair.keys.client_s,
	    .server = other,
	    .psk = pair.keys.psk,
	    .registry = pair.keys.registry};
	assert_int_equal(cdop_link_client(&pair.client, &args), CDOP_OK);
	pair_write(&pair, 0);
	assert_int_equal(pair_read(&pair, 0, pair.message[0], pair.len[0]),
	    CDOP_UNAUTHENTICATED);
	assert_dead(&pair.server);
}

/* Message 1 of a client to the registry whose id is turned by so much. */
static void
begin_turned(struct pair *pair, uint8_t turned)
{
	struct cdop_link_args args;

	pair_init(pair);
	pair->keys.registry[3] ^= turned;
	args = (struct cdop_link_args){.s = pair->keys.client_s,
	    .server = pair->keys.server,
	    .psk = pair->keys.psk,
	    .registry = pair->keys.registry};
	assert_int_equal(cdop_link_client(&pair->client, &args), CDOP_OK);
	pair_write(pair, 0);
}

static void
another_registry_fails_at_message_1(void **state)
{
	struct pair pair;

	(void)state;
	begin_turned(&pair, 1);
	assert_int_equal(pair_read(&pair, 0, pair.message[0], pair.len[0]),
	    CDOP_UNAUTHENTICATED);
	assert_dead(&pair.server);
}

/* Both ends anew, and their public keys given. */
static void
give_publics(struct pair *pair, const uint8_t *client, const uint8_t *server)
{
	const struct pair_keys *keys = &pair->keys;
	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];
	struct cdop_link_args args = {.s = keys->client_s,
	    .s_pub = client,
	    .server = keys->server,
	    .psk = keys->psk,
	    .registry = keys->registry,
	    .e = keys->client_e};

	assert_int_equal(cdop_link_client(&pair->client, &args), CDOP_OK);
	cdop_link_preamble(preamble);
	args = (struct cdop_link_args){.s = keys->server_s,
	    .s_pub = server,
	    .registry = keys->registry,
	    .preamble = preamble,
	    .e = keys->server_e};
	assert_int_equal(cdop_link_server(&pair->server, &args), CDOP_OK);
}

static void
a_public_key_that_is_given_changes_no_byte(void **state)
{
	struct pair plain, given;

	(void)state;
	pair_init(&plain);
	pair_run(&plain);
	pair_init(&given);
	give_publics(&given, given.keys.client, given.keys.server);
	pair_run(&given);
	assert_memory_equal(
	    given.message, plain.message, sizeof(plain.message));
	assert_memory_equal(given.hash, plain.hash, sizeof(plain.hash));
}

static void
a_public_key_of_another_secret_is_refused(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	give_publics(&pair, pair.keys.client, pair.keys.client);
	pair_write(&pair, 0);
	assert_int_equal(pair_read(&pair, 0, pair.message[0], pair.len[0]),
	    CDOP_UNAUTHENTICATED);
	assert_dead(&pair.server);
	give_publics(&pair, pair.keys.server, pair.keys.server);
	pair_run_to(&pair, 2);
	pair_write(&pair, 2);
	assert_int_equal(pair_read(&pair, 2, pair.message[2], pair.len[2]),
	    CDOP_UNAUTHENTICATED);
	assert_dead(&pair.server);
}

static void
wrong_psk_fails_at_message_3_and_not_before(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair_run_to(&pair, 2);
	pair_write(&pair, 2);
	pair.keys.psk[31] ^= 1;
	assert_int_equal(pair_read(&pair, 2, pair.message[2], pair.len[2]),
	    CDOP_UNAUTHENTICATED);
	assert_dead(&pair.server);
}

static void
impostor_without_the_server_secret_fails_at_message_2(void **state)
{
	struct pair pair, evil;
	uint8_t out[64];
	size_t len;

	(void)state;
	pair_init(&pair);
	pair_write(&pair, 0);
	/* He skips message 1, which he cannot read, and answers all the
	 * same with whatever state he can have. */
	pair_init(&evil);
	pair_run_to(&evil, 1);
	evil.server.h[0] ^= 1;
	assert_int_equal(
	    cdop_noise_write(&evil.server, none, out, sizeof(out), &len),
	    CDOP_OK);
	assert_int_equal(pair_read(&pair, 1, out, len), CDOP_UNAUTHENTICATED);
	assert_dead(&pair.client);
}

static void
without_the_psk_every_key_is_another(void **state)
{
	uint8_t psk[CDOP_KEY_LEN];
	struct pair a, b;

	(void)state;
	pair_init(&a);
	pair_run(&a);
	/* The same static and ephemeral keys, so every DH output is known. */
	pair_init(&b);
	memset(psk, 0x77, sizeof(psk));
	memcpy(b.keys.psk, psk, sizeof(psk));
	memcpy(b.client.psk, psk, sizeof(psk));
	pair_run(&b);
	assert_memory_not_equal(a.hash, b.hash, sizeof(a.hash));
	assert_memory_not_equal(a.client_tx.key, b.client_tx.key, CDOP_KEY_LEN);
	assert_memory_not_equal(a.client_rx.key, b.client_rx.key, CDOP_KEY_LEN);
}

/* ---- weak points ------------------------------------------------------- */

/* Every encoding of a point of order 1, 2, 4 or 8, but for the top bit. */
static const char *const weak_points[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

#define WEAK_POINTS (2 * sizeof(weak_points) / sizeof(weak_points[0]))

static void
weak_point(size_t i, uint8_t out[static CDOP_KEY_LEN])
{
	unhex(weak_points[i / 2], out, CDOP_KEY_LEN);
	if (i % 2 == 1)
		out[31] |= 0x80;
}

static void
weak_ephemerals_are_refused(void **state)
{
	struct pair pair;
	size_t i, n;

	(void)state;
	for (i = 0; i < 2; i++) {
		pair_init(&pair);
		pair_run_to(&pair, i);
		pair_write(&pair, i);
		for (n = 0; n < WEAK_POINTS; n++) {
			weak_point(n, pair.message[i]);
			pair_refuses(&pair, i, pair.message[i], pair.len[i]);
		}
	}
}

static void
weak_static_of_the_client_is_refused(void **state)
{
	struct pair pair, copy;
	size_t n;

	(void)state;
	pair_init(&pair);
	pair_run_to(&pair, 2);
	for (n = 0; n < WEAK_POINTS; n++) {
		/* Sealed properly, by somebody who lies about his key. */
		copy = pair;
		weak_point(n, copy.client.s_pub);
		pair_write(&copy, 2);
		assert_int_equal(
		    pair_read(&copy, 2, copy.message[2], copy.len[2]),
		    CDOP_UNAUTHENTICATED);
		assert_dead(&copy.server);
	}
}

static void
weak_static_of_the_server_is_refused(void **state)
{
	uint8_t weak[CDOP_KEY_LEN], out[64];
	struct cdop_noise_args args = {
	    .pattern = CDOP_NOISE_XKPSK3, .initiator = true, .rs = weak};
	struct cdop_noise noise;
	struct pair pair;
	size_t n, len;

	(void)state;
	pair_init(&pair);
	args.s = pair.keys.client_s;
	args.psk = pair.keys.psk;
	for (n = 0; n < WEAK_POINTS; n++) {
		weak_point(n, weak);
		if (n == 0) {
			assert_int_equal(cdop_noise_init(&noise, &args),
			    CDOP_INVALID_ARGUMENT);
			continue;
		}
		assert_int_equal(cdop_noise_init(&noise, &args), CDOP_OK);
		assert_int_equal(
		    cdop_noise_write(&noise, none, out, sizeof(out), &len),
		    CDOP_UNAUTHENTICATED);
		assert_dead(&noise);
	}
}

static void
init_wants_exactly_the_keys_of_its_side(void **state)
{
	static const uint8_t zero[CDOP_KEY_LEN];
	struct cdop_noise_args good, args;
	struct cdop_noise noise;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	good = (struct cdop_noise_args){.pattern = CDOP_NOISE_XKPSK3,
	    .initiator = true,
	    .s = pair.keys.client_s,
	    .rs = pair.keys.server,
	    .psk = pair.keys.psk};
	args = good;
	args.s = NULL;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	args.s = zero;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	assert_dead(&noise);
	args = good;
	args.s_pub = zero;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	args = good;
	args.rs = NULL;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	args = good;
	args.psk = NULL;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	args.psk = zero;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	args = good;
	args.pattern = CDOP_NOISE_XK;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	args = good;
	args.initiator = false;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	args = good;
	args.e = zero;
	assert_int_equal(cdop_noise_init(&noise, &args), CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_noise_init(&noise, &good), CDOP_OK);
}

/* ---- the pre-shared keys ----------------------------------------------- */

/* The server's state and the rest of message 3 from a client with psk. */
static void
at_message_3(struct pair *pair, const uint8_t *psk, struct cdop_bytes *rest)
{
	pair_init(pair);
	memcpy(pair->client.psk, psk, CDOP_KEY_LEN);
	pair_run_to(pair, 2);
	pair_write(pair, 2);
	assert_null(cdop_noise_remote(&pair->server));
	assert_int_equal(
	    cdop_noise_read_begin(&pair->server,
		(struct cdop_bytes){pair->message[2], pair->len[2]}, rest),
	    CDOP_OK);
}

static void
the_caller_is_known_before_the_psk_is_used(void **state)
{
	struct cdop_bytes rest;
	uint8_t out[256];
	struct pair pair;
	size_t len;

	(void)state;
	pair_init(&pair);
	at_message_3(&pair, pair.keys.psk, &rest);
	assert_non_null(cdop_noise_remote(&pair.server));
	assert_memory_equal(
	    cdop_noise_remote(&pair.server), pair.keys.client, CDOP_KEY_LEN);
	assert_int_equal(rest.len, 256 + CDOP_TAG_LEN);
	/* With no PSK at hand there is no way on. */
	assert_int_equal(cdop_noise_read_finish(
			     &pair.server, rest, NULL, out, sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	assert_dead(&pair.server);
}

static void
any_of_several_psks_fits(void **state)
{
	uint8_t psks[CDOP_NOISE_PSKS_MAX][CDOP_KEY_LEN], out[256];
	struct cdop_bytes rest;
	size_t i, n, len, which;
	struct pair pair;

	(void)state;
	for (n = 1; n <= CDOP_NOISE_PSKS_MAX; n++)
		for (i = 0; i < n; i++) {
			memset(psks, 0xaa, sizeof(psks));
			memset(psks[i], 0xbb, CDOP_KEY_LEN);
			at_message_3(&pair, psks[i], &rest);
			assert_int_equal(
			    cdop_noise_read_finish_any(&pair.server, rest,
				(struct cdop_noise_psks){
				    (const uint8_t(*)[CDOP_KEY_LEN])psks, n},
				out, sizeof(out), &len, &which),
			    CDOP_OK);
			assert_int_equal(which, i);
			assert_int_equal(len, 256);
			assert_memory_equal(out, "\x02\x08\x01\x00", 4);
			assert_true(cdop_noise_is_done(&pair.server));
		}
	/* Where several do, the first. */
	memset(psks, 0xbb, sizeof(psks));
	at_message_3(&pair, psks[0], &rest);
	assert_int_equal(
	    cdop_noise_read_finish_any(&pair.server, rest,
		(struct cdop_noise_psks){
		    (const uint8_t(*)[CDOP_KEY_LEN])psks, CDOP_NOISE_PSKS_MAX},
		out, sizeof(out), &len, &which),
	    CDOP_OK);
	assert_int_equal(which, 0);
}

static void
no_psk_fits_ends_like_a_wrong_one(void **state)
{
	static const uint8_t zero[256];
	uint8_t psks[2][CDOP_KEY_LEN], out[256];
	struct cdop_bytes rest;
	struct pair pair;
	size_t len, which;

	(void)state;
	pair_init(&pair);
	memset(psks, 0xaa, sizeof(psks));
	memset(out, 0x55, sizeof(out));
	at_message_3(&pair, pair.keys.psk, &rest);
	which = 99;
	assert_int_equal(cdop_noise_read_finish_any(&pair.server, rest,
			     (struct cdop_noise_psks){
				 (const uint8_t(*)[CDOP_KEY_LEN])psks, 2},
			     out, sizeof(out), &len, &which),
	    CDOP_UNAUTHENTICATED);
	assert_int_equal(which, 99);
	assert_memory_equal(out, zero, sizeof(out));
	assert_dead(&pair.server);
}

/* ---- what a refusal costs ---------------------------------------------- */

/*
 * These two stand before libsodium's own, so that the work of a handshake can
 * be counted and not timed.
 */
static struct work {
	unsigned dh, hmac;
} work;

static void
real(const char *name, void *ret_function)
{
	void *found;

	found = dlsym(RTLD_NEXT, name);
	assert_non_null(found);
	memcpy(ret_function, &found, sizeof(found));
}

int
crypto_scalarmult_curve25519(
    unsigned char *q, const unsigned char *n, const unsigned char *p)
{
	int (*next)(
	    unsigned char *, const unsigned char *, const unsigned char *);

	work.dh++;
	real("crypto_scalarmult_curve25519", &next);
	return next(q, n, p);
}

int
crypto_auth_hmacsha512_final(
    crypto_auth_hmacsha512_state *state, unsigned char *out)
{
	int (*next)(crypto_auth_hmacsha512_state *, unsigned char *);

	work.hmac++;
	real("crypto_auth_hmacsha512_final", &next);
	return next(state, out);
}

/* Message 3 read with the true PSK at place fits of two, or nowhere. */
static struct work
work_of_message_3(size_t fits)
{
	uint8_t psks[2][CDOP_KEY_LEN], out[256];
	struct cdop_bytes message, rest;
	struct pair pair;
	size_t len, which;
	enum cdop_err err;

	pair_init(&pair);
	pair_run_to(&pair, 2);
	pair_write(&pair, 2);
	memset(psks, 0xaa, sizeof(psks));
	if (fits < 2)
		memcpy(psks[fits], pair.keys.psk, CDOP_KEY_LEN);
	work = (struct work){0, 0};
	message = (struct cdop_bytes){pair.message[2], pair.len[2]};
	assert_int_equal(
	    cdop_noise_read_begin(&pair.server, message, &rest), CDOP_OK);
	err = cdop_noise_read_finish_any(&pair.server, rest,
	    (struct cdop_noise_psks){(const uint8_t(*)[CDOP_KEY_LEN])psks, 2},
	    out, sizeof(out), &len, &which);
	assert_int_equal(err, fits < 2 ? CDOP_OK : CDOP_UNAUTHENTICATED);
	return work;
}

static void
no_psk_costs_as_much_as_the_right_one(void **state)
{
	struct work first, second, nowhere;

	(void)state;
	first = work_of_message_3(0);
	second = work_of_message_3(1);
	nowhere = work_of_message_3(2);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_memory_equal(&first, &nowhere, sizeof(first));
	/* se with 3 of HKDF; a PSK with 4, for each try and for good. */
	assert_int_equal(first.dh, 1);
	assert_int_equal(first.hmac, 3 + 3 * 4);
}

static void
a_psk_of_zeros_never_fits(void **state)
{
	static const uint8_t zero[256];
	struct cdop_bytes rest;
	uint8_t out[256];
	struct pair pair;
	size_t len;

	(void)state;
	memset(out, 0x55, sizeof(out));
	at_message_3(&pair, zero, &rest);
	assert_int_equal(cdop_noise_read_finish(
			     &pair.server, rest, zero, out, sizeof(out), &len),
	    CDOP_UNAUTHENTICATED);
	assert_memory_equal(out, zero, sizeof(out));
	assert_dead(&pair.server);
}

/* ---- ephemerals -------------------------------------------------------- */

static void
ephemerals_are_never_the_same(void **state)
{
	struct pair a, b;

	(void)state;
	pair_init(&a);
	pair_init(&b);
	a.client.fixed_e = b.client.fixed_e = false;
	pair_write(&a, 0);
	pair_write(&b, 0);
	assert_memory_not_equal(a.message[0], b.message[0], CDOP_KEY_LEN);
	assert_memory_not_equal(a.client.e, a.client.s, CDOP_KEY_LEN);
}

/* ---- a random source that is stuck -------------------------------------- */

static void
stuck_buf(void *const buf, const size_t len)
{
	memset(buf, 0xa5, len);
}

static struct randombytes_implementation stuck = {.buf = stuck_buf};

/* With the registry's id turned by so much. */
static void
first_ephemeral(uint8_t turned, uint8_t out[static CDOP_KEY_LEN])
{
	struct pair pair;

	begin_turned(&pair, turned);
	memcpy(out, pair.message[0], CDOP_KEY_LEN);
}

static void
a_stuck_random_source_gives_each_conversation_its_key(void **state)
{
	uint8_t one[CDOP_KEY_LEN], again[CDOP_KEY_LEN], two[CDOP_KEY_LEN];

	(void)state;
	assert_int_equal(randombytes_set_implementation(&stuck), 0);
	first_ephemeral(0, one);
	first_ephemeral(0, again);
	first_ephemeral(1, two);
	(void)randombytes_set_implementation(
	    &randombytes_sysrandom_implementation);
	assert_memory_equal(one, again, sizeof(one));
	assert_memory_not_equal(one, two, sizeof(one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_server_key_fails_at_message_1),
	    cmocka_unit_test(another_registry_fails_at_message_1),
	    cmocka_unit_test(a_public_key_that_is_given_changes_no_byte),
	    cmocka_unit_test(a_public_key_of_another_secret_is_refused),
	    cmocka_unit_test(wrong_psk_fails_at_message_3_and_not_before),
	    cmocka_unit_test(
		impostor_without_the_server_secret_fails_at_message_2),
	    cmocka_unit_test(without_the_psk_every_key_is_another),
	    cmocka_unit_test(weak_ephemerals_are_refused),
	    cmocka_unit_test(weak_static_of_the_client_is_refused),
	    cmocka_unit_test(weak_static_of_the_server_is_refused),
	    cmocka_unit_test(init_wants_exactly_the_keys_of_its_side),
	    cmocka_unit_test(the_caller_is_known_before_the_psk_is_used),
	    cmocka_unit_test(any_of_several_psks_fits),
	    cmocka_unit_test(no_psk_fits_ends_like_a_wrong_one),
	    cmocka_unit_test(a_psk_of_zeros_never_fits),
	    cmocka_unit_test(no_psk_costs_as_much_as_the_right_one),
	    cmocka_unit_test(ephemerals_are_never_the_same),
	    cmocka_unit_test(
		a_stuck_random_source_gives_each_conversation_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
