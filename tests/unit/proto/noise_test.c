/* The Noise machine: the public vectors, and everything that must fail. */
#include "cdop/noise.h"

#include <jansson.h>
#include <stdlib.h>

#include "tests/unit/proto/pair.h"

#define WHERE_DEFAULT "../shared/vectors"
#define TEXT_MAX      2048

static const struct cdop_bytes none = {NULL, 0};

/* ---- the public vectors ------------------------------------------------ */

static json_t *
load_vectors(void)
{
	const char *where;
	json_t *root;
	char path[512];

	where = getenv("CDOP_VECTORS");
	(void)snprintf(path, sizeof(path), "%s/noise-xk-sha512.json",
	    where == NULL ? WHERE_DEFAULT : where);
	root = json_load_file(path, 0, NULL);
	if (root == NULL)
		printf("SKIP noise-xk-sha512.json\n");
	return root;
}

static size_t
field(const json_t *object, const char *name, uint8_t *out, size_t max)
{
	const char *hex;
	size_t len;

	hex = json_string_value(json_object_get(object, name));
	if (hex == NULL)
		return 0;
	len = strlen(hex) / 2;
	assert_true(len <= max);
	unhex(hex, out, len);
	return len;
}

static void
init_end(struct cdop_noise *noise, const json_t *vector, bool initiator,
    enum cdop_noise_pattern pattern)
{
	uint8_t prologue[64], s[32], rs[32], e[32], psk[32];
	struct cdop_noise_args args = {
	    .pattern = pattern, .initiator = initiator, .s = s, .e = e};
	const char *side;
	char name[64];

	side = initiator ? "init" : "resp";
	(void)snprintf(name, sizeof(name), "%s_prologue", side);
	args.prologue.data = prologue;
	args.prologue.len = field(vector, name, prologue, sizeof(prologue));
	(void)snprintf(name, sizeof(name), "%s_static", side);
	assert_int_equal(field(vector, name, s, 32), 32);
	(void)snprintf(name, sizeof(name), "%s_ephemeral", side);
	assert_int_equal(field(vector, name, e, 32), 32);
	if (field(vector, "init_remote_static", rs, 32) == 32 && initiator)
		args.rs = rs;
	(void)snprintf(name, sizeof(name), "%s_psks", side);
	if (pattern == CDOP_NOISE_XKPSK3) {
		unhex(json_string_value(
			  json_array_get(json_object_get(vector, name), 0)),
		    psk, 32);
		args.psk = psk;
	}
	assert_int_equal(cdop_noise_init(noise, &args), CDOP_OK);
}

struct step {
	uint8_t plain[TEXT_MAX], sealed[TEXT_MAX];
	struct cdop_bytes payload, message;
};

static void
load_step(struct step *step, const json_t *message)
{
	step->payload.data = step->plain;
	step->payload.len =
	    field(message, "payload", step->plain, sizeof(step->plain));
	step->message.data = step->sealed;
	step->message.len =
	    field(message, "ciphertext", step->sealed, sizeof(step->sealed));
}

static void
check_handshake_step(
    struct cdop_noise *from, struct cdop_noise *to, const struct step *step)
{
	uint8_t out[TEXT_MAX];
	size_t len;

	assert_int_equal(
	    cdop_noise_write(from, step->payload, out, sizeof(out), &len),
	    CDOP_OK);
	assert_int_equal(len, step->message.len);
	assert_memory_equal(out, step->sealed, len);
	assert_int_equal(
	    cdop_noise_read(to, step->message, out, sizeof(out), &len),
	    CDOP_OK);
	assert_int_equal(len, step->payload.len);
	assert_memory_equal(out, step->plain, len);
}

static void
check_transport_step(struct cdop_noise_cipher *tx, struct cdop_noise_cipher *rx,
    const struct step *step)
{
	uint8_t out[TEXT_MAX];

	assert_int_equal(cdop_noise_seal(tx, step->payload, out), CDOP_OK);
	assert_int_equal(step->payload.len + CDOP_TAG_LEN, step->message.len);
	assert_memory_equal(out, step->sealed, step->message.len);
	assert_int_equal(cdop_noise_open(rx, step->message, out), CDOP_OK);
	assert_memory_equal(out, step->plain, step->payload.len);
}

static void
check_vector(const json_t *vector, enum cdop_noise_pattern pattern)
{
	/* [0] is the initiator's. */
	struct cdop_noise_cipher tx[2], rx[2];
	uint8_t hash[2][CDOP_NOISE_HASH_LEN], want[CDOP_NOISE_HASH_LEN];
	struct cdop_noise ends[2];
	static struct step step;
	const json_t *messages;
	size_t i, n;

	init_end(&ends[0], vector, true, pattern);
	init_end(&ends[1], vector, false, pattern);
	messages = json_object_get(vector, "messages");
	n = json_array_size(messages);
	assert_true(n > 3);
	for (i = 0; i < n; i++) {
		load_step(&step, json_array_get(messages, i));
		if (i < 3)
			check_handshake_step(
			    &ends[i % 2], &ends[1 - i % 2], &step);
		else
			check_transport_step(&tx[i % 2], &rx[1 - i % 2], &step);
		if (i != 2)
			continue;
		assert_int_equal(
		    cdop_noise_split(&ends[0], &tx[0], &rx[0], hash[0]),
		    CDOP_OK);
		assert_int_equal(
		    cdop_noise_split(&ends[1], &tx[1], &rx[1], hash[1]),
		    CDOP_OK);
	}
	assert_int_equal(field(vector, "handshake_hash", want, sizeof(want)),
	    CDOP_NOISE_HASH_LEN);
	assert_memory_equal(hash[0], want, sizeof(want));
	assert_memory_equal(hash[1], want, sizeof(want));
}

static void
check_named(const char *protocol, enum cdop_noise_pattern pattern)
{
	const char *name;
	json_t *root, *vector;
	size_t i, found;

	root = load_vectors();
	if (root == NULL)
		skip();
	found = 0;
	json_array_foreach(json_object_get(root, "vectors"), i, vector)
	{
		name =
		    json_string_value(json_object_get(vector, "protocol_name"));
		if (name == NULL || strcmp(name, protocol) != 0)
			continue;
		check_vector(vector, pattern);
		found++;
	}
	json_decref(root);
	assert_true(found > 0);
}

static void
public_vectors_of_xk_match_byte_for_byte(void **state)
{
	(void)state;
	check_named("Noise_XK_25519_ChaChaPoly_SHA512", CDOP_NOISE_XK);
}

static void
public_vectors_of_xkpsk3_match_byte_for_byte(void **state)
{
	(void)state;
	check_named("Noise_XKpsk3_25519_ChaChaPoly_SHA512", CDOP_NOISE_XKPSK3);
}

/* ---- damage ------------------------------------------------------------ */

/* A pair before message i is read, and a changed copy of that message. */
static void
expect_refused(struct pair *pair, size_t i, const uint8_t *bytes, size_t len)
{
	struct pair copy;

	copy = *pair;
	assert_int_not_equal(pair_read(&copy, i, bytes, len), CDOP_OK);
	assert_dead(pair_reader(&copy, i));
}

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
			expect_refused(&pair, i, pair.message[i], len);
		memcpy(longer, pair.message[i], pair.len[i]);
		longer[pair.len[i]] = 0;
		expect_refused(&pair, i, longer, pair.len[i] + 1);
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
			expect_refused(&pair, i, pair.message[i], pair.len[i]);
			pair.message[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

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

static void
another_registry_fails_at_message_1(void **state)
{
	struct cdop_link_args args;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.keys.registry[3] ^= 1;
	args = (struct cdop_link_args){.s = pair.keys.client_s,
	    .server = pair.keys.server,
	    .psk = pair.keys.psk,
	    .registry = pair.keys.registry};
	assert_int_equal(cdop_link_client(&pair.client, &args), CDOP_OK);
	pair_write(&pair, 0);
	assert_int_equal(pair_read(&pair, 0, pair.message[0], pair.len[0]),
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
			expect_refused(&pair, i, pair.message[i], pair.len[i]);
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
		expect_refused(&b, i, a.message[i], a.len[i]);
		expect_refused(&a, i, b.message[i], b.len[i]);
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
				expect_refused(
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
				(const uint8_t(*)[CDOP_KEY_LEN])psks, n, out,
				sizeof(out), &len, &which),
			    CDOP_OK);
			assert_int_equal(which, i);
			assert_int_equal(len, 256);
			assert_memory_equal(out, "\x02\x08\x01\x00", 4);
			assert_true(cdop_noise_is_done(&pair.server));
		}
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
			     (const uint8_t(*)[CDOP_KEY_LEN])psks, 2, out,
			     sizeof(out), &len, &which),
	    CDOP_UNAUTHENTICATED);
	assert_int_equal(which, 99);
	assert_memory_equal(out, zero, sizeof(out));
	assert_dead(&pair.server);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_vectors_of_xk_match_byte_for_byte),
	    cmocka_unit_test(public_vectors_of_xkpsk3_match_byte_for_byte),
	    cmocka_unit_test(truncated_at_every_byte_every_message_fails),
	    cmocka_unit_test(truncated_below_the_link_every_message_fails),
	    cmocka_unit_test(every_single_bit_flip_of_every_message_fails),
	    cmocka_unit_test(wrong_server_key_fails_at_message_1),
	    cmocka_unit_test(another_registry_fails_at_message_1),
	    cmocka_unit_test(wrong_psk_fails_at_message_3_and_not_before),
	    cmocka_unit_test(
		impostor_without_the_server_secret_fails_at_message_2),
	    cmocka_unit_test(without_the_psk_every_key_is_another),
	    cmocka_unit_test(weak_ephemerals_are_refused),
	    cmocka_unit_test(weak_static_of_the_client_is_refused),
	    cmocka_unit_test(weak_static_of_the_server_is_refused),
	    cmocka_unit_test(init_wants_exactly_the_keys_of_its_side),
	    cmocka_unit_test(messages_of_another_session_fail),
	    cmocka_unit_test(messages_in_another_order_fail),
	    cmocka_unit_test(calls_out_of_turn_are_refused_and_harm_nothing),
	    cmocka_unit_test(the_caller_is_known_before_the_psk_is_used),
	    cmocka_unit_test(any_of_several_psks_fits),
	    cmocka_unit_test(no_psk_fits_ends_like_a_wrong_one),
	    cmocka_unit_test(a_psk_of_zeros_never_fits),
	    cmocka_unit_test(ephemerals_are_never_the_same),
	    cmocka_unit_test(transport_goes_both_ways_and_only_in_order),
	    cmocka_unit_test(a_failed_cipher_is_wiped),
	    cmocka_unit_test(the_last_nonce_is_never_used),
	    cmocka_unit_test(the_longest_message_is_65535_bytes),
	    cmocka_unit_test(a_handshake_message_that_does_not_fit_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
