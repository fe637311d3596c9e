/* libsodium, as both programs use it; noise.c has its own part. */
#include "cdop/secret.h"

#include <sodium.h>
#include <string.h>

#include "cdop/limits.h"

_Static_assert(CDOP_KEY_LEN == crypto_scalarmult_curve25519_BYTES, "X25519");
_Static_assert(
    CDOP_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "AEAD");
_Static_assert(
    CDOP_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(
    CDOP_XNONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(CDOP_SHA512_LEN == crypto_hash_sha512_BYTES, "SHA512");
_Static_assert(CDOP_SHA512_LEN == crypto_auth_hmacsha512_BYTES, "HMAC");
_Static_assert(
    CDOP_KEY_LEN == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "Noise key");
_Static_assert(
    CDOP_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "Noise tag");
_Static_assert(CDOP_SALT_LEN == crypto_pwhash_argon2id_SALTBYTES, "salt");

enum cdop_err
cdop_secret_init(void)
{
	return sodium_init() < 0 ? CDOP_INTERNAL : CDOP_OK;
}

void
cdop_secret_wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

bool
cdop_secret_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

bool
cdop_secret_is_zero(const void *p, size_t len)
{
	return sodium_is_zero(p, len) == 1;
}

void
cdop_secret_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

void
cdop_secret_hedged(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t key[static CDOP_KEY_LEN], const char *label,
    struct cdop_bytes context)
{
	uint8_t fresh[32];
	struct cdop_bytes parts[2] = {{fresh, sizeof(fresh)}, context};

	randombytes_buf(fresh, sizeof(fresh));
	cdop_secret_hash(out, CDOP_KEY_LEN, key, label, parts, 2);
	sodium_memzero(fresh, sizeof(fresh));
}

void
cdop_secret_hash(uint8_t *out, size_t out_len, const uint8_t *key,
    const char *label, const struct cdop_bytes *parts, size_t n)
{
	crypto_generichash_state state;
	size_t i;
	int bad;

	bad = crypto_generichash_init(
	    &state, key, key == NULL ? 0 : CDOP_KEY_LEN, out_len);
	bad |= crypto_generichash_update(
	    &state, (const unsigned char *)label, strlen(label));
	for (i = 0; i < n; i++)
		bad |= crypto_generichash_update(
		    &state, parts[i].data, parts[i].len);
	bad |= crypto_generichash_final(&state, out, out_len);
	/* Only a length out of range fails, and that is in our own code. */
	CDOP_ASSERT(bad == 0);
	sodium_memzero(&state, sizeof(state));
}

void
cdop_secret_public(
    uint8_t out[static CDOP_KEY_LEN], const uint8_t secret[static CDOP_KEY_LEN])
{
	CDOP_ASSERT(crypto_scalarmult_curve25519_base(out, secret) == 0);
}

void
cdop_secret_seal(const uint8_t key[static CDOP_KEY_LEN],
    const uint8_t nonce[static CDOP_XNONCE_LEN], struct cdop_bytes ad,
    struct cdop_bytes plain, uint8_t *out)
{
	CDOP_ASSERT(
	    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain.data,
		plain.len, ad.data, ad.len, NULL, nonce, key) == 0);
}

enum cdop_err
cdop_secret_unseal(const uint8_t key[static CDOP_KEY_LEN],
    const uint8_t nonce[static CDOP_XNONCE_LEN], struct cdop_bytes ad,
    struct cdop_bytes sealed, uint8_t *out)
{
	if (sealed.len < CDOP_TAG_LEN)
		return CDOP_DATA_LOSS;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
		sealed.data, sealed.len, ad.data, ad.len, nonce, key) != 0) {
		sodium_memzero(out, sealed.len - CDOP_TAG_LEN);
		return CDOP_DATA_LOSS;
	}
	return CDOP_OK;
}

enum cdop_err
cdop_secret_dh(uint8_t out[static CDOP_KEY_LEN],
    const uint8_t secret[static CDOP_KEY_LEN],
    const uint8_t public[static CDOP_KEY_LEN])
{
	if (crypto_scalarmult_curve25519(out, secret, public) == 0)
		return CDOP_OK;
	sodium_memzero(out, CDOP_KEY_LEN);
	return CDOP_UNAUTHENTICATED;
}

void
cdop_secret_sha512(uint8_t out[static CDOP_SHA512_LEN],
    const struct cdop_bytes *parts, size_t n)
{
	crypto_hash_sha512_state state;
	size_t i;

	crypto_hash_sha512_init(&state);
	for (i = 0; i < n; i++)
		crypto_hash_sha512_update(&state, parts[i].data, parts[i].len);
	crypto_hash_sha512_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

/* The key goes in once: that is half of what a short HMAC takes. */
void
cdop_secret_hkdf(uint8_t out[][CDOP_SHA512_LEN], size_t n,
    const uint8_t ck[static CDOP_SHA512_LEN], struct cdop_bytes ikm)
{
	crypto_auth_hmacsha512_state keyed, state;
	uint8_t temp[CDOP_SHA512_LEN], counter;
	size_t i;

	crypto_auth_hmacsha512_init(&state, ck, CDOP_SHA512_LEN);
	crypto_auth_hmacsha512_update(&state, ikm.data, ikm.len);
	crypto_auth_hmacsha512_final(&state, temp);
	crypto_auth_hmacsha512_init(&keyed, temp, sizeof(temp));
	for (i = 0; i < n; i++) {
		counter = (uint8_t)(i + 1);
		state = keyed;
		if (i > 0)
			crypto_auth_hmacsha512_update(
			    &state, out[i - 1], CDOP_SHA512_LEN);
		crypto_auth_hmacsha512_update(&state, &counter, 1);
		crypto_auth_hmacsha512_final(&state, out[i]);
	}
	sodium_memzero(&keyed, sizeof(keyed));
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(temp, sizeof(temp));
}

/* Four zero bytes and the counter, little-endian (Noise, section 12.3). */
static void
noise_nonce(
    uint8_t out[static crypto_aead_chacha20poly1305_ietf_NPUBBYTES], uint64_t n)
{
	size_t i;

	memset(out, 0, 4);
	for (i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(n >> (8 * i));
}

void
cdop_secret_noise_seal(const uint8_t key[static CDOP_KEY_LEN], uint64_t n,
    struct cdop_bytes ad, struct cdop_bytes plain, uint8_t *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	noise_nonce(nonce, n);
	CDOP_ASSERT(
	    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data,
		plain.len, ad.data, ad.len, NULL, nonce, key) == 0);
}

enum cdop_err
cdop_secret_noise_unseal(const uint8_t key[static CDOP_KEY_LEN], uint64_t n,
    struct cdop_bytes ad, struct cdop_bytes sealed, uint8_t *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (sealed.len < CDOP_TAG_LEN)
		return CDOP_UNAUTHENTICATED;
	noise_nonce(nonce, n);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL,
		sealed.data, sealed.len, ad.data, ad.len, nonce, key) == 0)
		return CDOP_OK;
	sodium_memzero(out, sealed.len - CDOP_TAG_LEN);
	return CDOP_UNAUTHENTICATED;
}

enum cdop_err
cdop_secret_password(uint8_t ret_key[static CDOP_KEY_LEN],
    struct cdop_bytes password, const uint8_t salt[static CDOP_SALT_LEN],
    uint32_t passes, uint32_t memory_kib)
{
	uint8_t key[CDOP_KEY_LEN];

	if (passes < 1 || passes > CDOP_ARGON2_PASSES_MAX ||
	    memory_kib < CDOP_ARGON2_KIB_MIN ||
	    memory_kib > CDOP_ARGON2_KIB_MAX)
		return CDOP_INVALID_ARGUMENT;
	if (crypto_pwhash_argon2id(key, sizeof(key),
		(const char *)password.data, password.len, salt, passes,
		(size_t)memory_kib * 1024,
		crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(ret_key, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	return CDOP_OK;
}

void
cdop_secret_hex(struct cdop_bytes in, char *out)
{
	sodium_bin2hex(out, 2 * in.len + 1, in.data, in.len);
}

enum cdop_err
cdop_secret_unhex(const char *hex, uint8_t *ret_out, size_t len)
{
	size_t got;

	/* Judged before it is decoded: the output stays untouched. */
	if (strlen(hex) != 2 * len ||
	    strspn(hex, "0123456789abcdefABCDEF") != 2 * len)
		return CDOP_INVALID_ARGUMENT;
	if (sodium_hex2bin(ret_out, len, hex, 2 * len, NULL, &got, NULL) != 0)
		return CDOP_INVALID_ARGUMENT;
	CDOP_ASSERT(got == len);
	return CDOP_OK;
}

/* A to Z, 2 to 7, without a table: an invitation's PSK goes through here. */
static char
base32_char(unsigned v)
{
	return (char)('A' + v - (((25 - v) >> 8) & 41));
}

static bool
base32_value(char c, unsigned *ret_v)
{
	unsigned v;

	if (c >= 'A' && c <= 'Z')
		v = (unsigned)(c - 'A');
	else if (c >= 'a' && c <= 'z')
		v = (unsigned)(c - 'a');
	else if (c >= '2' && c <= '7')
		v = (unsigned)(c - '2') + 26;
	else
		return false;
	*ret_v = v;
	return true;
}

void
cdop_secret_base32(struct cdop_bytes in, char *out)
{
	unsigned bits, acc;
	size_t i;

	acc = 0;
	bits = 0;
	for (i = 0; i < in.len; i++) {
		acc = (acc << 8 | in.data[i]) & 0xfff;
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			*out++ = base32_char(acc >> bits & 31);
		}
	}
	if (bits > 0)
		*out++ = base32_char(acc << (5 - bits) & 31);
	*out = '\0';
}

enum cdop_err
cdop_secret_unbase32(
    const char *text, uint8_t *ret_out, size_t max, size_t *ret_len)
{
	unsigned bits, acc, v;
	size_t len, chars;

	acc = 0;
	bits = 0;
	len = 0;
	chars = 0;
	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '-')
			continue;
		if (!base32_value(*text, &v))
			return CDOP_INVALID_ARGUMENT;
		chars++;
		acc = (acc << 5 | v) & 0xfff;
		bits += 5;
		if (bits < 8)
			continue;
		if (len == max)
			return CDOP_INVALID_ARGUMENT;
		bits -= 8;
		ret_out[len++] = (uint8_t)(acc >> bits);
	}
	/* One text for one run of bytes: no odd length, no stray bits. */
	if (chars != CDOP_BASE32_LEN(len) || (acc & ((1u << bits) - 1)) != 0)
		return CDOP_INVALID_ARGUMENT;
	*ret_len = len;
	return CDOP_OK;
}

void
cdop_secret_base64(struct cdop_bytes in, char *out)
{
	(void)sodium_bin2base64(out, CDOP_BASE64_LEN(in.len) + 1, in.data,
	    in.len, sodium_base64_VARIANT_ORIGINAL);
}

enum cdop_err
cdop_secret_unbase64(
    struct cdop_bytes text, uint8_t *ret_out, size_t max, size_t *ret_len)
{
	size_t i, len;

	/* To libsodium 1.0.18, 0xab is a '+' and 0xaf is a '/'. */
	for (i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			return CDOP_INVALID_ARGUMENT;
	if (sodium_base642bin(ret_out, max, (const char *)text.data, text.len,
		NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return CDOP_INVALID_ARGUMENT;
	*ret_len = len;
	return CDOP_OK;
}
