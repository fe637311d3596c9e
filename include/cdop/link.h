/*
 * What is special to cdop-link/1 around a Noise handshake: preamble,
 * prologue, mac1, the payloads of messages 1 and 3, the frames, and what is
 * derived from the handshake hash (proto/PROTOCOL.md).  It knows no socket
 * and no call.
 */
#ifndef CDOP_LINK_H
#define CDOP_LINK_H

#include "cdop/noise.h"
#include "cdop/stream.h"

#define CDOP_LINK_PREAMBLE_LEN   8
#define CDOP_LINK_REGISTRY_LEN   16
#define CDOP_LINK_INVITATION_LEN 16
#define CDOP_LINK_MAC1_LEN       16
#define CDOP_LINK_OPENING_LEN    17  /* payload of message 1 */
#define CDOP_LINK_HELLO_LEN      256 /* payload of message 3 */
#define CDOP_LINK_HELLO_MAX      254 /* of it, the packed Hello */
#define CDOP_LINK_SESSION_LEN    16

/* Noise messages, and the frame of the first, which has mac1 behind it. */
#define CDOP_LINK_MESSAGE1_LEN 65
#define CDOP_LINK_FRAME1_LEN   81
#define CDOP_LINK_MESSAGE2_LEN 48
#define CDOP_LINK_MESSAGE3_LEN 320
/* Room for one frame of the stream, head and all. */
#define CDOP_LINK_FRAME_ROOM (2 + CDOP_STREAM_PLAIN_MAX + CDOP_TAG_LEN)
/* What a sealed registry sends instead of message 2. */
#define CDOP_LINK_HINT_SEALED 0x01

enum cdop_link_kind {
	CDOP_LINK_ENROLLED = 0,
	CDOP_LINK_INVITATION = 1, /* may enrol and nothing else */
	CDOP_LINK_BOOT = 2,       /* a custodian at a sealed registry */
};

/* Payload of message 1. */
struct cdop_link_opening {
	enum cdop_link_kind kind;
	uint8_t invitation[CDOP_LINK_INVITATION_LEN]; /* zeros for ENROLLED; the
							 name of a BOOT */
};

/* Everything is copied; nothing here has to live on. */
struct cdop_link_args {
	const uint8_t *s;        /* own static secret: CDOP_KEY_LEN */
	const uint8_t *s_pub;    /* its public key; NULL: it is worked out */
	const uint8_t *server;   /* client: the server's public key */
	const uint8_t *psk;      /* client only */
	const uint8_t *registry; /* CDOP_LINK_REGISTRY_LEN */
	const uint8_t *preamble; /* server: as it came; client: NULL */
	const uint8_t *e;        /* NULL; fixed for vectors only */
};

/* "CDOP", wire version 1, suite 1, two zeros. */
void cdop_link_preamble(uint8_t out[static CDOP_LINK_PREAMBLE_LEN]);

/*
 * CDOP_INVALID_ARGUMENT: not ours at all; CDOP_UNIMPLEMENTED: another wire
 * version, suite or a reserved byte that is set.
 */
CDOP_MUST enum cdop_err cdop_link_preamble_check(
    const uint8_t preamble[static CDOP_LINK_PREAMBLE_LEN]);

/*
 * mac1 is checked with public data.  The key is a hash of the server's
 * public key and can be kept.
 */
void cdop_link_mac1_key(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t server[static CDOP_KEY_LEN]);
void cdop_link_mac1(uint8_t out[static CDOP_LINK_MAC1_LEN],
    const uint8_t mac1_key[static CDOP_KEY_LEN],
    const uint8_t preamble[static CDOP_LINK_PREAMBLE_LEN],
    const uint8_t message1[static CDOP_LINK_MESSAGE1_LEN]);
/* Whether body, a whole first frame, carries the right one. */
bool cdop_link_mac1_check(const uint8_t mac1_key[static CDOP_KEY_LEN],
    const uint8_t preamble[static CDOP_LINK_PREAMBLE_LEN],
    struct cdop_bytes body);

/*
 * The handshake of a client (server != NULL in args) or a server, with the
 * prologue mixed in.  Errors of cdop_noise_init.
 */
CDOP_MUST enum cdop_err cdop_link_client(
    struct cdop_noise *noise, const struct cdop_link_args *args);
CDOP_MUST enum cdop_err cdop_link_server(
    struct cdop_noise *noise, const struct cdop_link_args *args);

/*
 * The client's first bytes, complete: preamble, frame head, message 1,
 * mac1.  The errors of cdop_noise_write.
 */
#define CDOP_LINK_FIRST_LEN (CDOP_LINK_PREAMBLE_LEN + 2 + CDOP_LINK_FRAME1_LEN)
CDOP_MUST enum cdop_err cdop_link_write1(struct cdop_noise *noise,
    const struct cdop_link_opening *opening,
    uint8_t out[static CDOP_LINK_FIRST_LEN]);

/*
 * The server's side of it: message is the frame without mac1.
 * CDOP_UNAUTHENTICATED, also for a kind that does not exist and for an
 * invitation id where none belongs.
 */
CDOP_MUST enum cdop_err cdop_link_read1(struct cdop_noise *noise,
    struct cdop_bytes message, struct cdop_link_opening *ret_opening);

/*
 * Message 2, which carries nothing.  write gives the bare message; read
 * takes the body of the frame: CDOP_UNAVAILABLE for the unauthenticated
 * hint that the registry is sealed (the state has then failed).
 */
CDOP_MUST enum cdop_err cdop_link_write2(
    struct cdop_noise *noise, uint8_t out[static CDOP_LINK_MESSAGE2_LEN]);
CDOP_MUST enum cdop_err cdop_link_read2(
    struct cdop_noise *noise, struct cdop_bytes body);

/*
 * Message 3 with a packed Hello in it, without frame head.
 * CDOP_RESOURCE_EXHAUSTED when that is over CDOP_LINK_HELLO_MAX.
 */
CDOP_MUST enum cdop_err cdop_link_write3(struct cdop_noise *noise,
    struct cdop_bytes hello, uint8_t out[static CDOP_LINK_MESSAGE3_LEN]);

/*
 * The server's side.  begin gives the credential's key (inside *noise,
 * good until the next call on it) and the rest; the caller looks the PSKs
 * up, decoys where there is none, always CDOP_LINK_PSKS of them, and calls
 * finish.  out receives the payload; ret_hello lies in it.
 * CDOP_UNAUTHENTICATED for all that is wrong.
 */
#define CDOP_LINK_PSKS 2
CDOP_MUST enum cdop_err cdop_link_read3_begin(struct cdop_noise *noise,
    struct cdop_bytes message, struct cdop_bytes *ret_rest,
    const uint8_t **ret_credential);
CDOP_MUST enum cdop_err cdop_link_read3_finish(struct cdop_noise *noise,
    struct cdop_bytes rest, const uint8_t (*psks)[CDOP_KEY_LEN],
    uint8_t out[static CDOP_LINK_HELLO_LEN], struct cdop_bytes *ret_hello,
    size_t *ret_which);

/* The payload by itself, both ways; CDOP_INVALID_ARGUMENT when malformed. */
CDOP_MUST enum cdop_err cdop_link_hello_write(
    struct cdop_bytes hello, uint8_t out[static CDOP_LINK_HELLO_LEN]);
CDOP_MUST enum cdop_err cdop_link_hello_parse(
    const uint8_t payload[static CDOP_LINK_HELLO_LEN],
    struct cdop_bytes *ret_hello);

/*
 * The next frame of the stream, head and all, into out
 * (CDOP_LINK_FRAME_ROOM); *ret_len is 0 when nothing is queued.  The errors
 * of cdop_noise_seal.
 */
CDOP_MUST enum cdop_err cdop_link_seal(struct cdop_noise_cipher *tx,
    struct cdop_stream *stream, uint8_t *out, size_t *ret_len);

/*
 * The body of one frame into the stream.  CDOP_UNAUTHENTICATED (the
 * cipher is then dead) or CDOP_RESOURCE_EXHAUSTED: close.
 */
CDOP_MUST enum cdop_err cdop_link_open(struct cdop_noise_cipher *rx,
    struct cdop_bytes body, struct cdop_stream *stream);

/* The name of a session in the audit log: it is no secret. */
void cdop_link_session_id(uint8_t out[static CDOP_LINK_SESSION_LEN],
    const uint8_t hash[static CDOP_NOISE_HASH_LEN]);

/*
 * Of a boot session: its PSK, from that of the device, and the name under
 * which a sealed server finds it (PROTOCOL.md, "A sealed registry").
 */
void cdop_link_boot_psk(
    uint8_t out[static CDOP_KEY_LEN], const uint8_t psk[static CDOP_KEY_LEN]);
void cdop_link_boot_name(uint8_t out[static CDOP_LINK_INVITATION_LEN],
    const uint8_t boot_psk[static CDOP_KEY_LEN]);

/* The PSK that follows current (PROTOCOL.md, "How the PSK turns"). */
void cdop_link_psk_next(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t current[static CDOP_KEY_LEN],
    const uint8_t client_random[static 32],
    const uint8_t server_random[static 32],
    const uint8_t hash[static CDOP_NOISE_HASH_LEN]);

#endif
