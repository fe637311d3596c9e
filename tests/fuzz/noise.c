/*
 * The handshake from both sides.  The input is laid over a genuine message,
 * so that it is not stopped at the first tag: nothing but the genuine bytes
 * may be taken, and a refusal leaves nothing behind.  Or it is what a
 * genuine peer puts into a message.
 */
#include <string.h>

#include "cdop/link.h"
#include "cdop/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct ends {
	struct cdop_noise client, server;
	uint8_t message[3][CDOP_LINK_MESSAGE3_LEN];
	size_t len[3];
};

/* Both ends before message i is written, and after that. */
static struct ends before[3], written[3];

static const uint8_t psks[CDOP_LINK_PSKS][CDOP_KEY_LEN] = {{7}, {9}};

static enum cdop_err
read_message(struct ends *ends, size_t i, struct cdop_bytes message)
{
	struct cdop_link_opening opening;
	struct cdop_bytes rest, hello;
	uint8_t out[CDOP_LINK_HELLO_LEN];
	const uint8_t *credential;
	enum cdop_err err;
	size_t which;

	if (i == 0)
		return cdop_link_read1(&ends->server, message, &opening);
	if (i == 1)
		return cdop_link_read2(&ends->client, message);
	err = cdop_link_read3_begin(&ends->server, message, &rest, &credential);
	if (err != CDOP_OK)
		return err;
	err = cdop_link_read3_finish(
	    &ends->server, rest, psks, out, &hello, &which);
	if (err == CDOP_OK) {
		CDOP_ASSERT(which == 0 && hello.data >= out);
		CDOP_ASSERT(hello.data + hello.len <= out + sizeof(out));
	}
	return err;
}

static void
must_be_dead(const struct ends *ends, size_t i)
{
	const struct cdop_noise *noise;
	struct cdop_noise wiped;

	noise = i == 1 ? &ends->client : &ends->server;
	memset(&wiped, 0, sizeof(wiped));
	cdop_noise_wipe(&wiped);
	CDOP_ASSERT(memcmp(noise, &wiped, sizeof(wiped)) == 0);
}

static void
must_write(struct ends *ends, size_t i)
{
	const struct cdop_link_opening opening = {.kind = CDOP_LINK_ENROLLED};
	uint8_t first[CDOP_LINK_FIRST_LEN];
	enum cdop_err err;

	if (i == 0) {
		err = cdop_link_write1(&ends->client, &opening, first);
		ends->len[0] = CDOP_LINK_MESSAGE1_LEN;
		memcpy(ends->message[0], first + CDOP_LINK_PREAMBLE_LEN + 2,
		    CDOP_LINK_MESSAGE1_LEN);
	} else if (i == 1) {
		err = cdop_link_write2(&ends->server, ends->message[1]);
		ends->len[1] = CDOP_LINK_MESSAGE2_LEN;
	} else {
		err = cdop_link_write3(&ends->client,
		    (struct cdop_bytes){(const uint8_t *)"\x08\x01", 2},
		    ends->message[2]);
		ends->len[2] = CDOP_LINK_MESSAGE3_LEN;
	}
	CDOP_ASSERT(err == CDOP_OK);
}

static void
prepare(void)
{
	const uint8_t client_s[32] = {1}, server_s[32] = {2};
	const uint8_t client_e[32] = {3}, server_e[32] = {4};
	const uint8_t registry[CDOP_LINK_REGISTRY_LEN] = {5};
	uint8_t server[32], preamble[CDOP_LINK_PREAMBLE_LEN];
	struct cdop_link_args c = {.s = client_s,
	    .server = server,
	    .psk = psks[0],
	    .registry = registry,
	    .e = client_e};
	struct cdop_link_args s = {.s = server_s,
	    .registry = registry,
	    .preamble = preamble,
	    .e = server_e};
	struct ends ends;
	size_t i;

	CDOP_ASSERT(cdop_secret_init() == CDOP_OK);
	memset(&ends, 0, sizeof(ends));
	cdop_secret_public(server, server_s);
	cdop_link_preamble(preamble);
	CDOP_ASSERT(cdop_link_client(&ends.client, &c) == CDOP_OK);
	CDOP_ASSERT(cdop_link_server(&ends.server, &s) == CDOP_OK);
	for (i = 0; i < 3; i++) {
		before[i] = ends;
		must_write(&ends, i);
		written[i] = ends;
		CDOP_ASSERT(read_message(&ends, i,
				(struct cdop_bytes){
				    ends.message[i], ends.len[i]}) == CDOP_OK);
	}
}

/* The input over the genuine message: longer, shorter, changed. */
static void
try_changed(size_t i, const uint8_t *data, size_t len)
{
	uint8_t message[CDOP_LINK_MESSAGE3_LEN + 64];
	enum cdop_err err;
	struct ends ends;
	bool same;
	size_t j;

	ends = written[i];
	len = len > sizeof(message) ? sizeof(message) : len;
	memset(message, 0, sizeof(message));
	memcpy(message, ends.message[i], ends.len[i]);
	for (j = 0; j < len; j++)
		message[j] ^= data[j];
	same = len == ends.len[i] && memcmp(message, ends.message[i], len) == 0;
	err = read_message(&ends, i, (struct cdop_bytes){message, len});
	CDOP_ASSERT((err == CDOP_OK) == same);
	if (!same)
		must_be_dead(&ends, i);
}

/* The input as the payload of a genuine message, 1 or 3. */
static void
try_payload(size_t i, const uint8_t *data, size_t len)
{
	uint8_t message[CDOP_LINK_MESSAGE3_LEN + 64];
	struct ends ends;
	size_t out_len;

	ends = before[i];
	len = len > CDOP_LINK_HELLO_LEN + 32 ? CDOP_LINK_HELLO_LEN + 32 : len;
	if (cdop_noise_write(&ends.client, (struct cdop_bytes){data, len},
		message, sizeof(message), &out_len) != CDOP_OK)
		return;
	if (read_message(&ends, i, (struct cdop_bytes){message, out_len}) !=
	    CDOP_OK)
		must_be_dead(&ends, i);
}

/* What is said in message 3, by itself. */
static void
try_hello(const uint8_t *data, size_t len)
{
	uint8_t payload[CDOP_LINK_HELLO_LEN] = {0}, again[CDOP_LINK_HELLO_LEN];
	struct cdop_bytes hello;

	memcpy(payload, data, len < sizeof(payload) ? len : sizeof(payload));
	if (cdop_link_hello_parse(payload, &hello) != CDOP_OK)
		return;
	CDOP_ASSERT(hello.data >= payload &&
	    hello.data + hello.len <= payload + sizeof(payload));
	CDOP_ASSERT(cdop_link_hello_write(hello, again) == CDOP_OK);
	CDOP_ASSERT(memcmp(payload, again, sizeof(payload)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool ready;

	if (!ready)
		prepare();
	ready = true;
	if (len < 1)
		return 0;
	try_hello(data, len);
	if (data[0] % 5 < 3)
		try_changed(data[0] % 5, data + 1, len - 1);
	else
		try_payload(data[0] % 5 == 3 ? 0 : 2, data + 1, len - 1);
	return 0;
}
