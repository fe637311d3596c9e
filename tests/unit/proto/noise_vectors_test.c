/* The Noise machine against the public vectors, byte for byte. */
#include <jansson.h>
#include <stdlib.h>

#include "cdop/noise.h"
#include "tests/unit/proto/pair.h"

#define WHERE_DEFAULT "../shared/vectors"
#define TEXT_MAX      2048

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_vectors_of_xk_match_byte_for_byte),
	    cmocka_unit_test(public_vectors_of_xkpsk3_match_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
