/*
 * The Noise handshake XK and XKpsk3 with 25519, ChaChaPoly and SHA512, and
 * the transport ciphers it ends in (Noise Protocol Framework, revision 34).
 * It knows no socket, no frame and nothing of what it carries (link.h).
 *
 * The states are plain memory: a copy is a copy of the secrets in it and is
 * wiped by whoever made it.  Any failure but a call out of turn wipes the
 * state it happened in and stays: every later call on it says
 * CDOP_FAILED_PRECONDITION.
 */
#ifndef CDOP_NOISE_H
#define CDOP_NOISE_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "cdop/secret.h"

#define CDOP_NOISE_HASH_LEN  64
#define CDOP_NOISE_MAX       65535 /* bytes of one Noise message */
#define CDOP_NOISE_PLAIN_MAX (CDOP_NOISE_MAX - CDOP_TAG_LEN)

enum cdop_noise_pattern {
	CDOP_NOISE_XK,     /* here for its public test vectors only */
	CDOP_NOISE_XKPSK3, /* the link's */
};

/* One direction of a session: key and next nonce. */
struct cdop_noise_cipher {
	uint8_t key[CDOP_KEY_LEN];
	uint64_t n;
	bool ready; /* false before a key and after a failure */
};

/* A handshake under way.  Look at it through the functions below. */
struct cdop_noise {
	uint8_t ck[CDOP_NOISE_HASH_LEN]; /* chaining key */
	uint8_t h[CDOP_NOISE_HASH_LEN];  /* hash of all so far */
	struct cdop_noise_cipher cipher;
	uint8_t s[CDOP_KEY_LEN];     /* own static secret, */
	uint8_t s_pub[CDOP_KEY_LEN]; /* its public key */
	uint8_t e[CDOP_KEY_LEN];     /* own ephemeral secret, */
	uint8_t e_pub[CDOP_KEY_LEN]; /* its public key */
	uint8_t rs[CDOP_KEY_LEN];    /* the other's static, */
	uint8_t re[CDOP_KEY_LEN];    /* and ephemeral public key */
	uint8_t psk[CDOP_KEY_LEN];
	enum cdop_noise_pattern pattern;
	unsigned message; /* whose turn: 0, 1, 2; 3 is done */
	unsigned token;   /* next one of this message */
	bool initiator;
	bool fixed_e; /* e was given, not made */
	bool have_rs;
	bool have_psk;
	bool reading; /* between read_begin and read_finish */
	bool failed;
};

/* Everything is copied; nothing here has to live on. */
struct cdop_noise_args {
	enum cdop_noise_pattern pattern;
	bool initiator;
	struct cdop_bytes prologue;
	const uint8_t *s;     /* own static secret: CDOP_KEY_LEN */
	const uint8_t *s_pub; /* its public key; NULL: it is worked out */
	const uint8_t *rs;    /* initiator: the responder's public key */
	const uint8_t *psk;   /* NULL under XK, and for a responder that gives
				 it to read_finish */
	const uint8_t *e;     /* NULL; a fixed ephemeral is for vectors only */
};

/*
 * Sets a handshake up.  CDOP_INVALID_ARGUMENT for a key that is missing, not
 * wanted by this pattern and side, or zero.
 */
CDOP_MUST enum cdop_err cdop_noise_init(
    struct cdop_noise *noise, const struct cdop_noise_args *args);

/* Wipes; the state is then a failed one. */
void cdop_noise_wipe(struct cdop_noise *noise);

/*
 * Our turn: the next handshake message with payload in it, into out.
 * CDOP_FAILED_PRECONDITION when it is not our turn or the state has failed,
 * CDOP_RESOURCE_EXHAUSTED when it is longer than max or CDOP_NOISE_MAX,
 * CDOP_UNAUTHENTICATED for a weak key of the other side.
 */
CDOP_MUST enum cdop_err cdop_noise_write(struct cdop_noise *noise,
    struct cdop_bytes payload, uint8_t *out, size_t max, size_t *ret_len);

/*
 * Their turn: takes a whole handshake message, its payload into out.
 * CDOP_UNAUTHENTICATED for whatever does not authenticate, is too short or
 * uses a weak key; the others as for write.
 */
CDOP_MUST enum cdop_err cdop_noise_read(struct cdop_noise *noise,
    struct cdop_bytes message, uint8_t *out, size_t max, size_t *ret_len);

/*
 * The same in two steps.  begin works through the tokens up to the
 * pre-shared key (or to the last one) and gives what is left of the
 * message, its sealed payload; the other's static key is known then and the
 * PSK can be looked up.  finish takes that rest and the key (NULL for the
 * one given to init, or where none is needed).  A key of zeros never fits.
 */
CDOP_MUST enum cdop_err cdop_noise_read_begin(struct cdop_noise *noise,
    struct cdop_bytes message, struct cdop_bytes *ret_rest);
CDOP_MUST enum cdop_err cdop_noise_read_finish(struct cdop_noise *noise,
    struct cdop_bytes rest, const uint8_t *psk, uint8_t *out, size_t max,
    size_t *ret_len);

/* Keys to try, 1 to CDOP_NOISE_PSKS_MAX. */
#define CDOP_NOISE_PSKS_MAX 4

struct cdop_noise_psks {
	const uint8_t (*keys)[CDOP_KEY_LEN];
	size_t n;
};

/*
 * finish with the first of several keys that fits.  Every key is tried, on a
 * copy, whether or not an earlier one fitted, so that work and time do not
 * tell which it was, or none (TRUST S22).  CDOP_UNAUTHENTICATED, a failed
 * state and zeros in out when none fits.
 */
CDOP_MUST enum cdop_err cdop_noise_read_finish_any(struct cdop_noise *noise,
    struct cdop_bytes rest, struct cdop_noise_psks psks, uint8_t *out,
    size_t max, size_t *ret_len, size_t *ret_which);

/*
 * The other's static public key; NULL as long as it is not known.  After
 * read_begin of message 3 it is decrypted and proved to be in hand (se), but
 * the PSK is not yet proved.
 */
const uint8_t *cdop_noise_remote(const struct cdop_noise *noise);

/* All three messages are through. */
bool cdop_noise_is_done(const struct cdop_noise *noise);

/*
 * Ends a handshake that is done: what we send goes under tx, what we get
 * under rx, and hash names the session.  The handshake state is wiped.
 * CDOP_FAILED_PRECONDITION before that.
 */
CDOP_MUST enum cdop_err cdop_noise_split(struct cdop_noise *noise,
    struct cdop_noise_cipher *ret_tx, struct cdop_noise_cipher *ret_rx,
    uint8_t ret_hash[static CDOP_NOISE_HASH_LEN]);

/*
 * One transport message, plain.len + CDOP_TAG_LEN bytes into out, which may
 * be plain.data.  CDOP_RESOURCE_EXHAUSTED: longer than CDOP_NOISE_MAX, or
 * the nonces are used up (2^64 - 1 is never used); CDOP_FAILED_PRECONDITION
 * on a failed cipher.
 */
CDOP_MUST enum cdop_err cdop_noise_seal(
    struct cdop_noise_cipher *cipher, struct cdop_bytes plain, uint8_t *out);

/*
 * One transport message back, message.len - CDOP_TAG_LEN bytes into out,
 * which may be message.data.  CDOP_UNAUTHENTICATED wipes the cipher and out.
 */
CDOP_MUST enum cdop_err cdop_noise_open(
    struct cdop_noise_cipher *cipher, struct cdop_bytes message, uint8_t *out);

void cdop_noise_cipher_wipe(struct cdop_noise_cipher *cipher);

#endif
