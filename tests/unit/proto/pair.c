/* Two ends of a handshake, joined in memory. */
#include "tests/unit/proto/pair.h"

#include "cdop/secret.h"

static const struct cdop_bytes none = {NULL, 0};

static void
count_up(uint8_t *out, size_t len, uint8_t first)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = (uint8_t)(first + i);
}

void
pair_keys(struct pair_keys *keys)
{
	assert_int_equal(cdop_secret_init(), CDOP_OK);
	count_up(keys->client_s, CDOP_KEY_LEN, 0x10);
	count_up(keys->server_s, CDOP_KEY_LEN, 0x30);
	count_up(keys->client_e, CDOP_KEY_LEN, 0x50);
	count_up(keys->server_e, CDOP_KEY_LEN, 0x70);
	count_up(keys->psk, CDOP_KEY_LEN, 0x90);
	count_up(keys->registry, CDOP_LINK_REGISTRY_LEN, 0xb0);
	cdop_secret_public(keys->client, keys->client_s);
	cdop_secret_public(keys->server, keys->server_s);
}

void
pair_init(struct pair *pair)
{
	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];
	struct cdop_link_args client, server;

	memset(pair, 0, sizeof(*pair));
	pair_keys(&pair->keys);
	cdop_link_preamble(preamble);
	client = (struct cdop_link_args){.s = pair->keys.client_s,
	    .server = pair->keys.server,
	    .psk = pair->keys.psk,
	    .registry = pair->keys.registry,
	    .e = pair->keys.client_e};
	server = (struct cdop_link_args){.s = pair->keys.server_s,
	    .registry = pair->keys.registry,
	    .preamble = preamble,
	    .e = pair->keys.server_e};
	assert_int_equal(cdop_link_client(&pair->client, &client), CDOP_OK);
	assert_int_equal(cdop_link_server(&pair->server, &server), CDOP_OK);
}

struct cdop_noise *
pair_reader(struct pair *pair, size_t i)
{
	return i == 1 ? &pair->client : &pair->server;
}

void
pair_write(struct pair *pair, size_t i)
{
	struct cdop_link_opening opening = {.kind = CDOP_LINK_ENROLLED};
	const uint8_t hello[2] = {0x08, 0x01};
	uint8_t first[CDOP_LINK_FIRST_LEN];

	if (i == 0) {
		assert_int_equal(
		    cdop_link_write1(&pair->client, &opening, first), CDOP_OK);
		pair->len[0] = CDOP_LINK_MESSAGE1_LEN;
		memcpy(pair->message[0], first + CDOP_LINK_PREAMBLE_LEN + 2,
		    pair->len[0]);
	} else if (i == 1) {
		pair->len[1] = CDOP_LINK_MESSAGE2_LEN;
		assert_int_equal(
		    cdop_link_write2(&pair->server, pair->message[1]), CDOP_OK);
	} else {
		pair->len[2] = CDOP_LINK_MESSAGE3_LEN;
		assert_int_equal(
		    cdop_link_write3(&pair->client,
			(struct cdop_bytes){hello, 2}, pair->message[2]),
		    CDOP_OK);
	}
}

static enum cdop_err
read_last(struct pair *pair, struct cdop_bytes message)
{
	uint8_t psks[2][CDOP_KEY_LEN], out[CDOP_LINK_HELLO_LEN];
	struct cdop_bytes rest, hello;
	const uint8_t *credential;
	enum cdop_err err;
	size_t which;

	memset(psks[0], 0xdd, CDOP_KEY_LEN);
	memcpy(psks[1], pair->keys.psk, CDOP_KEY_LEN);
	err = cdop_link_read3_begin(&pair->server, message, &rest, &credential);
	if (err != CDOP_OK)
		return err;
	return cdop_link_read3_finish(&pair->server, rest,
	    (const uint8_t(*)[CDOP_KEY_LEN])psks, out, &hello, &which);
}

enum cdop_err
pair_read(struct pair *pair, size_t i, const uint8_t *bytes, size_t len)
{
	struct cdop_bytes message = {bytes, len};
	struct cdop_link_opening opening;

	if (i == 0)
		return cdop_link_read1(&pair->server, message, &opening);
	if (i == 1)
		return cdop_link_read2(&pair->client, message);
	return read_last(pair, message);
}

void
pair_run_to(struct pair *pair, size_t to)
{
	size_t i;

	for (i = 0; i < to; i++) {
		pair_write(pair, i);
		assert_int_equal(
		    pair_read(pair, i, pair->message[i], pair->len[i]),
		    CDOP_OK);
	}
}

void
pair_run(struct pair *pair)
{
	uint8_t hash[CDOP_NOISE_HASH_LEN];

	pair_run_to(pair, 3);
	assert_int_equal(cdop_noise_split(&pair->client, &pair->client_tx,
			     &pair->client_rx, pair->hash),
	    CDOP_OK);
	assert_int_equal(cdop_noise_split(&pair->server, &pair->server_tx,
			     &pair->server_rx, hash),
	    CDOP_OK);
	assert_memory_equal(hash, pair->hash, sizeof(hash));
}

void
assert_dead(struct cdop_noise *noise)
{
	struct cdop_noise_cipher tx, rx;
	uint8_t hash[CDOP_NOISE_HASH_LEN], out[600];
	struct cdop_noise wiped;
	struct cdop_bytes rest;
	size_t len;

	memset(&wiped, 0, sizeof(wiped));
	cdop_noise_wipe(&wiped);
	assert_memory_equal(noise, &wiped, sizeof(wiped));
	assert_int_equal(cdop_noise_write(noise, none, out, sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(
	    cdop_noise_read(noise, (struct cdop_bytes){out, sizeof(out)}, out,
		sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(cdop_noise_read_begin(noise, none, &rest),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(
	    cdop_noise_read_finish(noise, none, NULL, out, sizeof(out), &len),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(
	    cdop_noise_split(noise, &tx, &rx, hash), CDOP_FAILED_PRECONDITION);
	assert_null(cdop_noise_remote(noise));
	assert_false(cdop_noise_is_done(noise));
}

void
pair_refuses(struct pair *pair, size_t i, const uint8_t *bytes, size_t len)
{
	struct pair copy;

	copy = *pair;
	assert_int_not_equal(pair_read(&copy, i, bytes, len), CDOP_OK);
	assert_dead(pair_reader(&copy, i));
}

void
unhex(const char *hex, uint8_t *out, size_t len)
{
	assert_int_equal(cdop_secret_unhex(hex, out, len), CDOP_OK);
}
