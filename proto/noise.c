/*
 * The Noise state machine: SymmetricState and HandshakeState of the
 * framework's section 5, run over a table of tokens.
 */
#include "cdop/noise.h"

#include <string.h>

#define MESSAGES   3
#define TOKENS_MAX 4 /* of one message, with the END */

enum token {
	END,
	E,
	S,
	EE,
	ES,
	SE,
	PSK
};

/* Section 7.5 and 9.4 of the framework, to be read side by side with them. */
static const struct pattern {
	const char *name;
	bool psk;
	enum token messages[MESSAGES][TOKENS_MAX];
} patterns[] = {
    [CDOP_NOISE_XK] =
	{
	    "Noise_XK_25519_ChaChaPoly_SHA512",
	    false,
	    /* <- s, ... */
	    {{E, ES}, {E, EE}, {S, SE}},
	},
    [CDOP_NOISE_XKPSK3] =
	{
	    "Noise_XKpsk3_25519_ChaChaPoly_SHA512",
	    true,
	    /* <- s, ... */
	    {{E, ES}, {E, EE}, {S, SE, PSK}},
	},
};

/* ---- CipherState (section 5.1) ----------------------------------------- */

void
cdop_noise_cipher_wipe(struct cdop_noise_cipher *cipher)
{
	cdop_secret_wipe(cipher, sizeof(*cipher));
}

/* The nonce 2^64 - 1 is reserved and never used. */
static bool
cipher_is_spent(const struct cdop_noise_cipher *cipher)
{
	return cipher->n == UINT64_MAX;
}

/* sealed.len - CDOP_TAG_LEN bytes into out; false when it is not genuine. */
static bool
cipher_decrypt(struct cdop_noise_cipher *cipher, struct cdop_bytes ad,
    struct cdop_bytes sealed, uint8_t *out)
{
	if (cdop_secret_noise_unseal(cipher->key, cipher->n, ad, sealed, out) !=
	    CDOP_OK)
		return false;
	cipher->n++;
	return true;
}

enum cdop_err
cdop_noise_seal(
    struct cdop_noise_cipher *cipher, struct cdop_bytes plain, uint8_t *out)
{
	if (!cipher->ready)
		return CDOP_FAILED_PRECONDITION;
	if (plain.len > CDOP_NOISE_PLAIN_MAX || cipher_is_spent(cipher))
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_secret_noise_seal(
	    cipher->key, cipher->n++, (struct cdop_bytes){NULL, 0}, plain, out);
	return CDOP_OK;
}

enum cdop_err
cdop_noise_open(
    struct cdop_noise_cipher *cipher, struct cdop_bytes message, uint8_t *out)
{
	if (!cipher->ready)
		return CDOP_FAILED_PRECONDITION;
	if (cipher_is_spent(cipher))
		return CDOP_RESOURCE_EXHAUSTED;
	if (message.len < CDOP_TAG_LEN || message.len > CDOP_NOISE_MAX ||
	    !cipher_decrypt(
		cipher, (struct cdop_bytes){NULL, 0}, message, out)) {
		cdop_noise_cipher_wipe(cipher);
		return CDOP_UNAUTHENTICATED;
	}
	return CDOP_OK;
}

/* ---- SymmetricState (section 5.2) -------------------------------------- */

static void
cipher_key(struct cdop_noise_cipher *cipher, const uint8_t *key)
{
	memcpy(cipher->key, key, CDOP_KEY_LEN);
	cipher->n = 0;
	cipher->ready = true;
}

static void
mix_hash(struct cdop_noise *noise, struct cdop_bytes data)
{
	struct cdop_bytes parts[2] = {{noise->h, sizeof(noise->h)}, data};

	cdop_secret_sha512(noise->h, parts, 2);
}

static void
mix_key(struct cdop_noise *noise, const uint8_t ikm[static CDOP_KEY_LEN])
{
	uint8_t out[2][CDOP_NOISE_HASH_LEN];

	cdop_secret_hkdf(
	    out, 2, noise->ck, (struct cdop_bytes){ikm, CDOP_KEY_LEN});
	memcpy(noise->ck, out[0], sizeof(noise->ck));
	cipher_key(&noise->cipher, out[1]);
	cdop_secret_wipe(out, sizeof(out));
}

static void
mix_key_and_hash(
    struct cdop_noise *noise, const uint8_t ikm[static CDOP_KEY_LEN])
{
	uint8_t out[3][CDOP_NOISE_HASH_LEN];

	cdop_secret_hkdf(
	    out, 3, noise->ck, (struct cdop_bytes){ikm, CDOP_KEY_LEN});
	memcpy(noise->ck, out[0], sizeof(noise->ck));
	mix_hash(noise, (struct cdop_bytes){out[1], sizeof(out[1])});
	cipher_key(&noise->cipher, out[2]);
	cdop_secret_wipe(out, sizeof(out));
}

/* Bytes still to be written to or read from. */
struct cursor {
	uint8_t *out;         /* writing */
	struct cdop_bytes in; /* reading */
	size_t left;          /* of out */
};

/*
 * In both patterns the first text of each message stands behind a
 * Diffie-Hellman: there is a key, and no text goes out in the clear.
 */
static enum cdop_err
encrypt_and_hash(
    struct cdop_noise *noise, struct cdop_bytes plain, struct cursor *cur)
{
	size_t len;

	CDOP_ASSERT(noise->cipher.ready);
	if (plain.len > CDOP_NOISE_PLAIN_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	len = plain.len + CDOP_TAG_LEN;
	if (len > cur->left)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_secret_noise_seal(noise->cipher.key, noise->cipher.n++,
	    (struct cdop_bytes){noise->h, sizeof(noise->h)}, plain, cur->out);
	mix_hash(noise, (struct cdop_bytes){cur->out, len});
	cur->out += len;
	cur->left -= len;
	return CDOP_OK;
}

/* Takes len bytes and their tag from the cursor. */
static enum cdop_err
decrypt_and_hash(
    struct cdop_noise *noise, struct cursor *cur, uint8_t *out, size_t len)
{
	struct cdop_bytes sealed;

	CDOP_ASSERT(noise->cipher.ready);
	sealed = (struct cdop_bytes){cur->in.data, len + CDOP_TAG_LEN};
	if (sealed.len > cur->in.len ||
	    !cipher_decrypt(&noise->cipher,
		(struct cdop_bytes){noise->h, sizeof(noise->h)}, sealed, out))
		return CDOP_UNAUTHENTICATED;
	mix_hash(noise, sealed);
	cur->in.data += sealed.len;
	cur->in.len -= sealed.len;
	return CDOP_OK;
}

/* ---- HandshakeState (section 5.3) -------------------------------------- */

void
cdop_noise_wipe(struct cdop_noise *noise)
{
	cdop_secret_wipe(noise, sizeof(*noise));
	noise->failed = true;
}

static enum cdop_err
fail(struct cdop_noise *noise, enum cdop_err err)
{
	cdop_noise_wipe(noise);
	return err;
}

static bool
is_bad_key(const uint8_t *key)
{
	return key == NULL || cdop_secret_is_zero(key, CDOP_KEY_LEN);
}

/* An ephemeral secret key, and its public key. */
static void
take_e(struct cdop_noise *noise, const uint8_t e[static CDOP_KEY_LEN])
{
	memcpy(noise->e, e, CDOP_KEY_LEN);
	cdop_secret_public(noise->e_pub, e);
}

/* A public key that is not of this secret authenticates nobody. */
static void
take_s(struct cdop_noise *noise, const struct cdop_noise_args *args)
{
	memcpy(noise->s, args->s, CDOP_KEY_LEN);
	if (args->s_pub != NULL)
		memcpy(noise->s_pub, args->s_pub, CDOP_KEY_LEN);
	else
		cdop_secret_public(noise->s_pub, args->s);
}

static bool
are_good_args(const struct cdop_noise_args *args)
{
	bool psk;

	psk = patterns[args->pattern].psk;
	if (is_bad_key(args->s) || (args->initiator && is_bad_key(args->rs)))
		return false;
	if (args->s_pub != NULL && is_bad_key(args->s_pub))
		return false;
	if (!args->initiator && args->rs != NULL)
		return false;
	if (args->psk != NULL && (!psk || is_bad_key(args->psk)))
		return false;
	/* The responder learns who calls before it needs a PSK. */
	if (args->psk == NULL && psk && args->initiator)
		return false;
	return args->e == NULL || !is_bad_key(args->e);
}

enum cdop_err
cdop_noise_init(struct cdop_noise *noise, const struct cdop_noise_args *args)
{
	const char *name;
	const uint8_t *known;

	cdop_noise_wipe(noise);
	if (!are_good_args(args))
		return CDOP_INVALID_ARGUMENT;
	noise->failed = false;
	noise->pattern = args->pattern;
	noise->initiator = args->initiator;

	/* A name shorter than a hash is padded with zeros, not hashed. */
	name = patterns[args->pattern].name;
	CDOP_ASSERT(strlen(name) <= sizeof(noise->h));
	memcpy(noise->h, name, strlen(name));
	memcpy(noise->ck, noise->h, sizeof(noise->ck));
	mix_hash(noise, args->prologue);

	take_s(noise, args);
	if (args->rs != NULL) {
		memcpy(noise->rs, args->rs, CDOP_KEY_LEN);
		noise->have_rs = true;
	}
	if (args->psk != NULL) {
		memcpy(noise->psk, args->psk, CDOP_KEY_LEN);
		noise->have_psk = true;
	}
	if (args->e != NULL) {
		take_e(noise, args->e);
		noise->fixed_e = true;
	}

	/* The pre-message of XK: "<- s". */
	known = noise->initiator ? noise->rs : noise->s_pub;
	mix_hash(noise, (struct cdop_bytes){known, CDOP_KEY_LEN});
	return CDOP_OK;
}

/* secret times public into the chain. */
static enum cdop_err
mix_dh(struct cdop_noise *noise, const uint8_t secret[static CDOP_KEY_LEN],
    const uint8_t public[static CDOP_KEY_LEN])
{
	uint8_t shared[CDOP_KEY_LEN];
	enum cdop_err err;

	if ((err = cdop_secret_dh(shared, secret, public)) == CDOP_OK)
		mix_key(noise, shared);
	cdop_secret_wipe(shared, sizeof(shared));
	return err;
}

/* The Diffie-Hellman tokens are the same for who writes and who reads. */
static enum cdop_err
run_dh(struct cdop_noise *noise, enum token token)
{
	bool own_e;

	if (token == EE)
		return mix_dh(noise, noise->e, noise->re);
	/* "es" is the initiator's e and the responder's s; "se" the other. */
	own_e = (token == ES) == noise->initiator;
	return own_e ? mix_dh(noise, noise->e, noise->rs)
		     : mix_dh(noise, noise->s, noise->re);
}

static enum cdop_err
run_psk(struct cdop_noise *noise)
{
	if (!noise->have_psk)
		return CDOP_FAILED_PRECONDITION;
	mix_key_and_hash(noise, noise->psk);
	return CDOP_OK;
}

/* An ephemeral key goes into the key too where there is a PSK (9.2). */
static void
mix_e(struct cdop_noise *noise, const uint8_t e[static CDOP_KEY_LEN])
{
	mix_hash(noise, (struct cdop_bytes){e, CDOP_KEY_LEN});
	if (patterns[noise->pattern].psk)
		mix_key(noise, e);
}

static enum cdop_err
write_e(struct cdop_noise *noise, struct cursor *cur)
{
	uint8_t e[CDOP_KEY_LEN];

	if (cur->left < CDOP_KEY_LEN)
		return CDOP_RESOURCE_EXHAUSTED;
	if (!noise->fixed_e) {
		/* With the transcript in it, a stuck random source still
		 * gives another key to another conversation. */
		cdop_secret_hedged(e, noise->s, "cdop-ephemeral/1",
		    (struct cdop_bytes){noise->h, sizeof(noise->h)});
		take_e(noise, e);
		cdop_secret_wipe(e, sizeof(e));
	}
	memcpy(cur->out, noise->e_pub, CDOP_KEY_LEN);
	cur->out += CDOP_KEY_LEN;
	cur->left -= CDOP_KEY_LEN;
	mix_e(noise, noise->e_pub);
	return CDOP_OK;
}

static enum cdop_err
read_e(struct cdop_noise *noise, struct cursor *cur)
{
	if (cur->in.len < CDOP_KEY_LEN || is_bad_key(cur->in.data))
		return CDOP_UNAUTHENTICATED;
	memcpy(noise->re, cur->in.data, CDOP_KEY_LEN);
	cur->in.data += CDOP_KEY_LEN;
	cur->in.len -= CDOP_KEY_LEN;
	mix_e(noise, noise->re);
	return CDOP_OK;
}

static enum cdop_err
write_s(struct cdop_noise *noise, struct cursor *cur)
{
	return encrypt_and_hash(
	    noise, (struct cdop_bytes){noise->s_pub, CDOP_KEY_LEN}, cur);
}

static enum cdop_err
read_s(struct cdop_noise *noise, struct cursor *cur)
{
	enum cdop_err err;

	err = decrypt_and_hash(noise, cur, noise->rs, CDOP_KEY_LEN);
	if (err == CDOP_OK && is_bad_key(noise->rs))
		err = CDOP_UNAUTHENTICATED;
	noise->have_rs = err == CDOP_OK;
	return err;
}

static enum cdop_err
run_token(
    struct cdop_noise *noise, enum token token, struct cursor *cur, bool write)
{
	if (token == E)
		return write ? write_e(noise, cur) : read_e(noise, cur);
	if (token == S)
		return write ? write_s(noise, cur) : read_s(noise, cur);
	return token == PSK ? run_psk(noise) : run_dh(noise, token);
}

/*
 * The interpreter: works through this message's tokens, up to the PSK if
 * that is where to stop, else to the end.
 */
static enum cdop_err
run_tokens(
    struct cdop_noise *noise, struct cursor *cur, bool write, bool stop_at_psk)
{
	const enum token *tokens;
	enum cdop_err err;

	tokens = patterns[noise->pattern].messages[noise->message];
	while (tokens[noise->token] != END) {
		if (stop_at_psk && tokens[noise->token] == PSK)
			break;
		err = run_token(noise, tokens[noise->token], cur, write);
		if (err != CDOP_OK)
			return err;
		noise->token++;
	}
	return CDOP_OK;
}

static bool
is_our_turn(const struct cdop_noise *noise)
{
	return (noise->message % 2 == 0) == noise->initiator;
}

static void
next_message(struct cdop_noise *noise)
{
	noise->message++;
	noise->token = 0;
	noise->reading = false;
}

enum cdop_err
cdop_noise_write(struct cdop_noise *noise, struct cdop_bytes payload,
    uint8_t *out, size_t max, size_t *ret_len)
{
	struct cursor cur;
	enum cdop_err err;

	if (noise->failed || cdop_noise_is_done(noise) || !is_our_turn(noise))
		return CDOP_FAILED_PRECONDITION;
	memset(&cur, 0, sizeof(cur));
	cur.out = out;
	cur.left = max < CDOP_NOISE_MAX ? max : CDOP_NOISE_MAX;
	if ((err = run_tokens(noise, &cur, true, false)) != CDOP_OK ||
	    (err = encrypt_and_hash(noise, payload, &cur)) != CDOP_OK)
		return fail(noise, err);
	next_message(noise);
	*ret_len = (size_t)(cur.out - out);
	return CDOP_OK;
}

enum cdop_err
cdop_noise_read_begin(struct cdop_noise *noise, struct cdop_bytes message,
    struct cdop_bytes *ret_rest)
{
	struct cursor cur = {.in = message};
	enum cdop_err err;

	if (noise->failed || cdop_noise_is_done(noise) || is_our_turn(noise) ||
	    noise->reading)
		return CDOP_FAILED_PRECONDITION;
	if (message.len > CDOP_NOISE_MAX)
		return fail(noise, CDOP_UNAUTHENTICATED);
	if ((err = run_tokens(noise, &cur, false, true)) != CDOP_OK)
		return fail(noise, err);
	noise->reading = true;
	*ret_rest = cur.in;
	return CDOP_OK;
}

enum cdop_err
cdop_noise_read_finish(struct cdop_noise *noise, struct cdop_bytes rest,
    const uint8_t *psk, uint8_t *out, size_t max, size_t *ret_len)
{
	struct cursor cur = {.in = rest};
	enum cdop_err err;
	bool zero_psk;
	size_t len;

	if (noise->failed || !noise->reading)
		return CDOP_FAILED_PRECONDITION;
	/* A field that nobody set must not open a door: it does all the work
	 * and fails at the end. */
	zero_psk = psk != NULL && is_bad_key(psk);
	if (psk != NULL) {
		memcpy(noise->psk, psk, CDOP_KEY_LEN);
		noise->have_psk = true;
	}
	if ((err = run_tokens(noise, &cur, false, false)) != CDOP_OK)
		return fail(noise, err);
	if (cur.in.len < CDOP_TAG_LEN)
		return fail(noise, CDOP_UNAUTHENTICATED);
	len = cur.in.len - CDOP_TAG_LEN;
	if (len > max)
		return fail(noise, CDOP_RESOURCE_EXHAUSTED);
	err = decrypt_and_hash(noise, &cur, out, len);
	if (err == CDOP_OK && zero_psk) {
		cdop_secret_wipe(out, len);
		err = CDOP_UNAUTHENTICATED;
	}
	if (err != CDOP_OK)
		return fail(noise, err);
	next_message(noise);
	*ret_len = len;
	return CDOP_OK;
}

enum cdop_err
cdop_noise_read(struct cdop_noise *noise, struct cdop_bytes message,
    uint8_t *out, size_t max, size_t *ret_len)
{
	struct cdop_bytes rest;
	enum cdop_err err;

	if ((err = cdop_noise_read_begin(noise, message, &rest)) != CDOP_OK)
		return err;
	return cdop_noise_read_finish(noise, rest, NULL, out, max, ret_len);
}

enum cdop_err
cdop_noise_read_finish_any(struct cdop_noise *noise, struct cdop_bytes rest,
    struct cdop_noise_psks psks, uint8_t *out, size_t max, size_t *ret_len,
    size_t *ret_which)
{
	struct cdop_noise copy;
	enum cdop_err err;
	size_t i, fits, len;

	CDOP_ASSERT(psks.n >= 1 && psks.n <= CDOP_NOISE_PSKS_MAX);
	fits = psks.n;
	for (i = 0; i < psks.n; i++) {
		copy = *noise;
		err = cdop_noise_read_finish(
		    &copy, rest, psks.keys[i], out, max, &len);
		if (err == CDOP_OK && fits == psks.n)
			fits = i;
		cdop_noise_wipe(&copy);
	}
	/* Once more for good, also when nothing fits: n + 1 times always. */
	err = cdop_noise_read_finish(noise, rest,
	    psks.keys[fits < psks.n ? fits : 0], out, max, ret_len);
	if (err == CDOP_OK)
		*ret_which = fits;
	return err;
}

const uint8_t *
cdop_noise_remote(const struct cdop_noise *noise)
{
	return noise->have_rs ? noise->rs : NULL;
}

bool
cdop_noise_is_done(const struct cdop_noise *noise)
{
	return !noise->failed && noise->message == MESSAGES;
}

enum cdop_err
cdop_noise_split(struct cdop_noise *noise, struct cdop_noise_cipher *ret_tx,
    struct cdop_noise_cipher *ret_rx,
    uint8_t ret_hash[static CDOP_NOISE_HASH_LEN])
{
	uint8_t out[2][CDOP_NOISE_HASH_LEN];
	size_t tx;

	if (!cdop_noise_is_done(noise))
		return CDOP_FAILED_PRECONDITION;
	cdop_secret_hkdf(out, 2, noise->ck, (struct cdop_bytes){NULL, 0});
	tx = noise->initiator ? 0 : 1;
	cipher_key(ret_tx, out[tx]);
	cipher_key(ret_rx, out[1 - tx]);
	memcpy(ret_hash, noise->h, CDOP_NOISE_HASH_LEN);
	cdop_secret_wipe(out, sizeof(out));
	cdop_noise_wipe(noise);
	return CDOP_OK;
}
