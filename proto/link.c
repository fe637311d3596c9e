/* cdop-link/1 around a Noise handshake; every number is in PROTOCOL.md. */
#include "cdop/link.h"

#include <string.h>

#include "cdop/frame.h"
#include "cdop/secret.h"
#include "cdop/varint.h"

#define PROLOGUE_LEN (12 + CDOP_LINK_PREAMBLE_LEN + CDOP_LINK_REGISTRY_LEN)

static const uint8_t preamble_v1[CDOP_LINK_PREAMBLE_LEN] = {
    'C', 'D', 'O', 'P', 0x01, 0x01, 0x00, 0x00};

_Static_assert(CDOP_LINK_MESSAGE1_LEN ==
	CDOP_KEY_LEN + CDOP_LINK_OPENING_LEN + CDOP_TAG_LEN,
    "e, sealed opening");
_Static_assert(
    CDOP_LINK_FRAME1_LEN == CDOP_LINK_MESSAGE1_LEN + CDOP_LINK_MAC1_LEN,
    "mac1 is behind it");
_Static_assert(
    CDOP_LINK_MESSAGE2_LEN == CDOP_KEY_LEN + CDOP_TAG_LEN, "e, sealed nothing");
_Static_assert(CDOP_LINK_MESSAGE3_LEN ==
	CDOP_KEY_LEN + CDOP_TAG_LEN + CDOP_LINK_HELLO_LEN + CDOP_TAG_LEN,
    "sealed s, sealed hello");

void
cdop_link_preamble(uint8_t out[static CDOP_LINK_PREAMBLE_LEN])
{
	memcpy(out, preamble_v1, CDOP_LINK_PREAMBLE_LEN);
}

enum cdop_err
cdop_link_preamble_check(const uint8_t preamble[static CDOP_LINK_PREAMBLE_LEN])
{
	if (memcmp(preamble, preamble_v1, 4) != 0)
		return CDOP_INVALID_ARGUMENT;
	if (memcmp(preamble, preamble_v1, CDOP_LINK_PREAMBLE_LEN) != 0)
		return CDOP_UNIMPLEMENTED;
	return CDOP_OK;
}

void
cdop_link_mac1_key(
    uint8_t out[static CDOP_KEY_LEN], const uint8_t server[static CDOP_KEY_LEN])
{
	struct cdop_bytes part = {server, CDOP_KEY_LEN};

	cdop_secret_hash(out, CDOP_KEY_LEN, NULL, "cdop-mac1", &part, 1);
}

void
cdop_link_mac1(uint8_t out[static CDOP_LINK_MAC1_LEN],
    const uint8_t mac1_key[static CDOP_KEY_LEN],
    const uint8_t preamble[static CDOP_LINK_PREAMBLE_LEN],
    const uint8_t message1[static CDOP_LINK_MESSAGE1_LEN])
{
	struct cdop_bytes parts[2] = {{preamble, CDOP_LINK_PREAMBLE_LEN},
	    {message1, CDOP_LINK_MESSAGE1_LEN}};

	cdop_secret_hash(out, CDOP_LINK_MAC1_LEN, mac1_key, "", parts, 2);
}

bool
cdop_link_mac1_check(const uint8_t mac1_key[static CDOP_KEY_LEN],
    const uint8_t preamble[static CDOP_LINK_PREAMBLE_LEN],
    struct cdop_bytes body)
{
	uint8_t mac1[CDOP_LINK_MAC1_LEN];

	if (body.len != CDOP_LINK_FRAME1_LEN)
		return false;
	cdop_link_mac1(mac1, mac1_key, preamble, body.data);
	return cdop_secret_equal(
	    mac1, body.data + CDOP_LINK_MESSAGE1_LEN, sizeof(mac1));
}

static enum cdop_err
link_init(struct cdop_noise *noise, const struct cdop_link_args *args,
    bool initiator, const uint8_t *preamble)
{
	uint8_t prologue[PROLOGUE_LEN];
	struct cdop_noise_args noise_args = {
	    .pattern = CDOP_NOISE_XKPSK3,
	    .initiator = initiator,
	    .prologue = {prologue, sizeof(prologue)},
	    .s = args->s,
	    .s_pub = args->s_pub,
	    .rs = args->server,
	    .psk = args->psk,
	    .e = args->e,
	};

	/* The NUL of the string is part of the prologue. */
	memcpy(prologue, "cdop-link/1", 12);
	memcpy(prologue + 12, preamble, CDOP_LINK_PREAMBLE_LEN);
	memcpy(prologue + 12 + CDOP_LINK_PREAMBLE_LEN, args->registry,
	    CDOP_LINK_REGISTRY_LEN);
	return cdop_noise_init(noise, &noise_args);
}

enum cdop_err
cdop_link_client(struct cdop_noise *noise, const struct cdop_link_args *args)
{
	return link_init(noise, args, true, preamble_v1);
}

enum cdop_err
cdop_link_server(struct cdop_noise *noise, const struct cdop_link_args *args)
{
	return link_init(noise, args, false, args->preamble);
}

/* A message that is genuine and yet not what belongs here. */
static enum cdop_err
refuse(struct cdop_noise *noise)
{
	cdop_noise_wipe(noise);
	return CDOP_UNAUTHENTICATED;
}

enum cdop_err
cdop_link_write1(struct cdop_noise *noise,
    const struct cdop_link_opening *opening,
    uint8_t out[static CDOP_LINK_FIRST_LEN])
{
	uint8_t payload[CDOP_LINK_OPENING_LEN], mac1_key[CDOP_KEY_LEN];
	uint8_t *message;
	enum cdop_err err;
	size_t len;

	if (cdop_noise_remote(noise) == NULL)
		return CDOP_FAILED_PRECONDITION;
	cdop_link_mac1_key(mac1_key, cdop_noise_remote(noise));
	payload[0] = (uint8_t)opening->kind;
	memcpy(payload + 1, opening->invitation, CDOP_LINK_INVITATION_LEN);
	message = out + CDOP_LINK_PREAMBLE_LEN + CDOP_FRAME_HEAD;
	err = cdop_noise_write(noise,
	    (struct cdop_bytes){payload, sizeof(payload)}, message,
	    CDOP_LINK_MESSAGE1_LEN, &len);
	if (err != CDOP_OK)
		return err;
	CDOP_ASSERT(len == CDOP_LINK_MESSAGE1_LEN);
	memcpy(out, preamble_v1, CDOP_LINK_PREAMBLE_LEN);
	cdop_frame_head(out + CDOP_LINK_PREAMBLE_LEN, CDOP_LINK_FRAME1_LEN);
	cdop_link_mac1(
	    message + CDOP_LINK_MESSAGE1_LEN, mac1_key, preamble_v1, message);
	return CDOP_OK;
}

enum cdop_err
cdop_link_read1(struct cdop_noise *noise, struct cdop_bytes message,
    struct cdop_link_opening *ret_opening)
{
	uint8_t payload[CDOP_LINK_OPENING_LEN];
	const uint8_t *invitation;
	enum cdop_err err;
	size_t len;

	if (message.len != CDOP_LINK_MESSAGE1_LEN)
		return refuse(noise);
	err = cdop_noise_read(noise, message, payload, sizeof(payload), &len);
	if (err != CDOP_OK)
		return err;
	invitation = payload + 1;
	if (payload[0] > CDOP_LINK_BOOT)
		return refuse(noise);
	if (payload[0] == CDOP_LINK_ENROLLED &&
	    !cdop_secret_is_zero(invitation, CDOP_LINK_INVITATION_LEN))
		return refuse(noise);
	ret_opening->kind = (enum cdop_link_kind)payload[0];
	memcpy(ret_opening->invitation, invitation, CDOP_LINK_INVITATION_LEN);
	return CDOP_OK;
}

enum cdop_err
cdop_link_write2(
    struct cdop_noise *noise, uint8_t out[static CDOP_LINK_MESSAGE2_LEN])
{
	size_t len;

	return cdop_noise_write(noise, (struct cdop_bytes){NULL, 0}, out,
	    CDOP_LINK_MESSAGE2_LEN, &len);
}

enum cdop_err
cdop_link_read2(struct cdop_noise *noise, struct cdop_bytes body)
{
	uint8_t nothing[1];
	size_t len;

	if (body.len == 1 && body.data[0] == CDOP_LINK_HINT_SEALED) {
		cdop_noise_wipe(noise);
		return CDOP_UNAVAILABLE;
	}
	if (body.len != CDOP_LINK_MESSAGE2_LEN)
		return refuse(noise);
	return cdop_noise_read(noise, body, nothing, 0, &len);
}

enum cdop_err
cdop_link_hello_write(
    struct cdop_bytes hello, uint8_t out[static CDOP_LINK_HELLO_LEN])
{
	uint8_t head[CDOP_VARINT_MAX];
	size_t len;

	if (hello.len > CDOP_LINK_HELLO_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	memset(out, 0, CDOP_LINK_HELLO_LEN);
	len = cdop_varint_write(head, hello.len);
	memcpy(out, head, len);
	if (hello.len > 0)
		memcpy(out + len, hello.data, hello.len);
	return CDOP_OK;
}

enum cdop_err
cdop_link_hello_parse(const uint8_t payload[static CDOP_LINK_HELLO_LEN],
    struct cdop_bytes *ret_hello)
{
	struct cdop_bytes in = {payload, CDOP_LINK_HELLO_LEN};
	uint64_t len;
	size_t head, end;

	if (cdop_varint_parse(in, 2, &len, &head) != CDOP_OK ||
	    len > CDOP_LINK_HELLO_LEN - head)
		return CDOP_INVALID_ARGUMENT;
	end = head + (size_t)len;
	if (!cdop_secret_is_zero(payload + end, CDOP_LINK_HELLO_LEN - end))
		return CDOP_INVALID_ARGUMENT;
	*ret_hello = (struct cdop_bytes){payload + head, (size_t)len};
	return CDOP_OK;
}

enum cdop_err
cdop_link_write3(struct cdop_noise *noise, struct cdop_bytes hello,
    uint8_t out[static CDOP_LINK_MESSAGE3_LEN])
{
	uint8_t payload[CDOP_LINK_HELLO_LEN];
	enum cdop_err err;
	size_t len;

	if ((err = cdop_link_hello_write(hello, payload)) != CDOP_OK)
		return err;
	err = cdop_noise_write(noise,
	    (struct cdop_bytes){payload, sizeof(payload)}, out,
	    CDOP_LINK_MESSAGE3_LEN, &len);
	cdop_secret_wipe(payload, sizeof(payload));
	return err;
}

enum cdop_err
cdop_link_read3_begin(struct cdop_noise *noise, struct cdop_bytes message,
    struct cdop_bytes *ret_rest, const uint8_t **ret_credential)
{
	enum cdop_err err;

	if (message.len != CDOP_LINK_MESSAGE3_LEN)
		return refuse(noise);
	if ((err = cdop_noise_read_begin(noise, message, ret_rest)) != CDOP_OK)
		return err;
	*ret_credential = cdop_noise_remote(noise);
	return CDOP_OK;
}

enum cdop_err
cdop_link_read3_finish(struct cdop_noise *noise, struct cdop_bytes rest,
    const uint8_t (*psks)[CDOP_KEY_LEN],
    uint8_t out[static CDOP_LINK_HELLO_LEN], struct cdop_bytes *ret_hello,
    size_t *ret_which)
{
	struct cdop_bytes hello;
	enum cdop_err err;
	size_t len, which;

	err = cdop_noise_read_finish_any(noise, rest,
	    (struct cdop_noise_psks){psks, CDOP_LINK_PSKS}, out,
	    CDOP_LINK_HELLO_LEN, &len, &which);
	if (err != CDOP_OK)
		return err;
	if (len != CDOP_LINK_HELLO_LEN ||
	    cdop_link_hello_parse(out, &hello) != CDOP_OK)
		return refuse(noise);
	*ret_hello = hello;
	*ret_which = which;
	return CDOP_OK;
}

enum cdop_err
cdop_link_seal(struct cdop_noise_cipher *tx, struct cdop_stream *stream,
    uint8_t *out, size_t *ret_len)
{
	enum cdop_err err;
	uint8_t *body;
	size_t len;

	body = out + CDOP_FRAME_HEAD;
	len = cdop_stream_take(stream, body);
	if (len == 0) {
		*ret_len = 0;
		return CDOP_OK;
	}
	err = cdop_noise_seal(tx, (struct cdop_bytes){body, len}, body);
	if (err != CDOP_OK) {
		cdop_secret_wipe(body, len);
		return err;
	}
	cdop_frame_head(out, len + CDOP_TAG_LEN);
	*ret_len = CDOP_FRAME_HEAD + len + CDOP_TAG_LEN;
	return CDOP_OK;
}

enum cdop_err
cdop_link_open(struct cdop_noise_cipher *rx, struct cdop_bytes body,
    struct cdop_stream *stream)
{
	enum cdop_err err;
	uint8_t *room;
	size_t len;

	if (body.len < CDOP_TAG_LEN) {
		cdop_noise_cipher_wipe(rx);
		return CDOP_UNAUTHENTICATED;
	}
	len = body.len - CDOP_TAG_LEN;
	if ((err = cdop_stream_room(stream, len, &room)) != CDOP_OK)
		return err;
	err = cdop_noise_open(rx, body, room);
	cdop_stream_fill(stream, err == CDOP_OK ? len : 0);
	return err;
}

void
cdop_link_session_id(uint8_t out[static CDOP_LINK_SESSION_LEN],
    const uint8_t hash[static CDOP_NOISE_HASH_LEN])
{
	struct cdop_bytes part = {hash, CDOP_NOISE_HASH_LEN};
	uint8_t full[32];

	cdop_secret_hash(full, sizeof(full), NULL, "cdop-session", &part, 1);
	memcpy(out, full, CDOP_LINK_SESSION_LEN);
}

void
cdop_link_psk_next(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t current[static CDOP_KEY_LEN],
    const uint8_t client_random[static 32],
    const uint8_t server_random[static 32],
    const uint8_t hash[static CDOP_NOISE_HASH_LEN])
{
	struct cdop_bytes parts[3] = {{client_random, 32}, {server_random, 32},
	    {hash, CDOP_NOISE_HASH_LEN}};

	cdop_secret_hash(out, CDOP_KEY_LEN, current, "cdop-psk/1", parts, 3);
}

void
cdop_link_boot_psk(
    uint8_t out[static CDOP_KEY_LEN], const uint8_t psk[static CDOP_KEY_LEN])
{
	cdop_secret_hash(out, CDOP_KEY_LEN, psk, "cdop-boot/1 psk", NULL, 0);
}

void
cdop_link_boot_name(uint8_t out[static CDOP_LINK_INVITATION_LEN],
    const uint8_t boot_psk[static CDOP_KEY_LEN])
{
	cdop_secret_hash(out, CDOP_LINK_INVITATION_LEN, boot_psk,
	    "cdop-boot/1 name", NULL, 0);
}
