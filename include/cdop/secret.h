/*
 * The few primitives both programs share: random, hashes, keys, wiping,
 * and bytes as text.  It is not the Noise machine (noise.h) and knows no
 * format but the ones named here.
 *
 * Every function that takes a secret leaves no copy behind.
 */
#ifndef CDOP_SECRET_H
#define CDOP_SECRET_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_KEY_LEN    32 /* of every key in the project, X25519 too */
#define CDOP_TAG_LEN    16 /* of an AEAD */
#define CDOP_SHA512_LEN 64
#define CDOP_SALT_LEN   16 /* of Argon2id */
#define CDOP_XNONCE_LEN 24 /* of XChaCha20-Poly1305 */

/* Once, before anything else here.  CDOP_INTERNAL: no random source. */
CDOP_MUST enum cdop_err cdop_secret_init(void);

/* Overwrites; the compiler does not leave it out. */
void cdop_secret_wipe(void *p, size_t len);

/* In a time that depends on len alone. */
bool cdop_secret_equal(const void *a, const void *b, size_t len);
bool cdop_secret_is_zero(const void *p, size_t len);

/* len bytes of the system's random source. */
void cdop_secret_random(void *out, size_t len);

/*
 * A fresh secret that stays secret if the random source fails: BLAKE2b-256
 * keyed with key over label || 32 random bytes || context (TRUST S17).
 */
void cdop_secret_hedged(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t key[static CDOP_KEY_LEN], const char *label,
    struct cdop_bytes context);

/*
 * BLAKE2b of out_len bytes (16 to 64) over label || parts in a row.  key
 * is NULL or CDOP_KEY_LEN bytes.  label is a NUL-ended word that goes in
 * without its NUL; "" for none.
 */
void cdop_secret_hash(uint8_t *out, size_t out_len, const uint8_t *key,
    const char *label, const struct cdop_bytes *parts, size_t n);

/* The X25519 public key of a secret one. */
void cdop_secret_public(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t secret[static CDOP_KEY_LEN]);

/*
 * XChaCha20-Poly1305 for files of the client (identity, spool).  out holds
 * plain.len + CDOP_TAG_LEN bytes and may be plain.data.
 */
void cdop_secret_seal(const uint8_t key[static CDOP_KEY_LEN],
    const uint8_t nonce[static CDOP_XNONCE_LEN], struct cdop_bytes ad,
    struct cdop_bytes plain, uint8_t *out);

/*
 * The opposite; out holds sealed.len - CDOP_TAG_LEN bytes and is wiped when
 * the tag is wrong.  CDOP_DATA_LOSS.
 */
CDOP_MUST enum cdop_err cdop_secret_unseal(
    const uint8_t key[static CDOP_KEY_LEN],
    const uint8_t nonce[static CDOP_XNONCE_LEN], struct cdop_bytes ad,
    struct cdop_bytes sealed, uint8_t *out);

/*
 * What the Noise suite is made of, for noise.c alone.
 *
 * X25519: CDOP_UNAUTHENTICATED for a point of small order and for a result
 * of zeros.
 */
CDOP_MUST enum cdop_err cdop_secret_dh(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t secret[static CDOP_KEY_LEN],
    const uint8_t public[static CDOP_KEY_LEN]);

/* SHA-512 over the parts in a row; out may be one of them. */
void cdop_secret_sha512(uint8_t out[static CDOP_SHA512_LEN],
    const struct cdop_bytes *parts, size_t n);

/* HKDF of the framework's section 4.3 with HMAC-SHA512: n outputs, 2 or 3. */
void cdop_secret_hkdf(uint8_t out[][CDOP_SHA512_LEN], size_t n,
    const uint8_t ck[static CDOP_SHA512_LEN], struct cdop_bytes ikm);

/*
 * ChaCha20-Poly1305 (RFC 8439) with Noise's 64-bit nonce; out may be the
 * input.  unseal: CDOP_UNAUTHENTICATED, and zeros in out.
 */
void cdop_secret_noise_seal(const uint8_t key[static CDOP_KEY_LEN], uint64_t n,
    struct cdop_bytes ad, struct cdop_bytes plain, uint8_t *out);
CDOP_MUST enum cdop_err cdop_secret_noise_unseal(
    const uint8_t key[static CDOP_KEY_LEN], uint64_t n, struct cdop_bytes ad,
    struct cdop_bytes sealed, uint8_t *out);

/*
 * Argon2id (RFC 9106), one lane.  The cost may come out of a file, so it is
 * bounded first by limits.h: CDOP_INVALID_ARGUMENT.  CDOP_RESOURCE_EXHAUSTED
 * where memory is short.
 */
CDOP_MUST enum cdop_err cdop_secret_password(
    uint8_t ret_key[static CDOP_KEY_LEN], struct cdop_bytes password,
    const uint8_t salt[static CDOP_SALT_LEN], uint32_t passes,
    uint32_t memory_kib);

/* Lower-case hex and a NUL: out holds 2 * in.len + 1. */
void cdop_secret_hex(struct cdop_bytes in, char *out);

/*
 * Exactly len bytes out of hex of either case, nothing else around it.
 * CDOP_INVALID_ARGUMENT.
 */
CDOP_MUST enum cdop_err cdop_secret_unhex(
    const char *hex, uint8_t *ret_out, size_t len);

/*
 * RFC 4648 base32, upper case, no padding, and a NUL: out holds
 * CDOP_BASE32_LEN(in.len) + 1.
 */
#define CDOP_BASE32_LEN(len) (((len)*8 + 4) / 5)
void cdop_secret_base32(struct cdop_bytes in, char *out);

/*
 * The bytes of base32 in either case; blanks and hyphens between characters
 * do not count.  Left-over bits must be zero.  ret_out holds max.
 * CDOP_INVALID_ARGUMENT.
 */
CDOP_MUST enum cdop_err cdop_secret_unbase32(
    const char *text, uint8_t *ret_out, size_t max, size_t *ret_len);

/*
 * RFC 4648 base64 of section 4, padded, and a NUL: out holds
 * CDOP_BASE64_LEN(in.len) + 1.
 */
#define CDOP_BASE64_LEN(len) (((len) + 2) / 3 * 4)
void cdop_secret_base64(struct cdop_bytes in, char *out);

/*
 * The opposite, of the one text that base64() writes and of no other: whole
 * groups, no blank, no stray bits.  ret_out holds max, and anything after a
 * failure.  CDOP_INVALID_ARGUMENT.
 */
CDOP_MUST enum cdop_err cdop_secret_unbase64(
    struct cdop_bytes text, uint8_t *ret_out, size_t max, size_t *ret_len);

#endif
