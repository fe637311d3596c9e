/* The shared primitives, against published values where there are any. */
#include "cdop/secret.h"

#include "cdop/limits.h"
#include "tests/unit/proto/pair.h"

#define TEXT(s) ((struct cdop_bytes){(const uint8_t *)(s), sizeof(s) - 1})

static const struct cdop_bytes none = {NULL, 0};

static int
setup(void **state)
{
	(void)state;
	return cdop_secret_init() == CDOP_OK ? 0 : -1;
}

static void
hash_is_blake2b(void **state)
{
	struct cdop_bytes parts[2] = {TEXT("b"), TEXT("c")};
	uint8_t want[64], out[64], key[CDOP_KEY_LEN];

	(void)state;
	/* RFC 7693, appendix A: "abc". */
	unhex("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b7"
	      "4b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc95"
	      "18d38aa8dbf1925ab92386edd4009923",
	    want, 64);
	cdop_secret_hash(out, 64, NULL, "a", parts, 2);
	assert_memory_equal(out, want, 64);
	cdop_secret_hash(out, 64, NULL, "abc", NULL, 0);
	assert_memory_equal(out, want, 64);
	/* Keyed is another function, and so is another length. */
	memset(key, 1, sizeof(key));
	cdop_secret_hash(out, 64, key, "a", parts, 2);
	assert_memory_not_equal(out, want, 64);
	cdop_secret_hash(out, 32, NULL, "a", parts, 2);
	assert_memory_not_equal(out, want, 32);
}

static void
x25519_is_rfc_7748(void **state)
{
	uint8_t a[CDOP_KEY_LEN], b[CDOP_KEY_LEN], want[CDOP_KEY_LEN];
	uint8_t out[CDOP_KEY_LEN], a_pub[CDOP_KEY_LEN];

	(void)state;
	/* Section 6.1. */
	unhex("77076d0a7318a57d3c16c17251b26645"
	      "df4c2f87ebc0992ab177fba51db92c2a",
	    a, sizeof(a));
	unhex("5dab087e624a8a4b79e17f8b83800ee6"
	      "6f3bb1292618b6fd1c2f8b27ff88e0eb",
	    b, sizeof(b));
	unhex("8520f0098930a754748b7ddcb43ef75a"
	      "0dbf3a0d26381af4eba4a98eaa9b4e6a",
	    want, sizeof(want));
	cdop_secret_public(a_pub, a);
	assert_memory_equal(a_pub, want, sizeof(want));
	unhex("4a5d9d5ba4ce2de1728e3bf480350f25"
	      "e07e21c947d19e3376f09b3c1e161742",
	    want, sizeof(want));
	assert_int_equal(cdop_secret_dh(out, b, a_pub), CDOP_OK);
	assert_memory_equal(out, want, sizeof(want));
	memset(a_pub, 0, sizeof(a_pub));
	assert_int_equal(cdop_secret_dh(out, b, a_pub), CDOP_UNAUTHENTICATED);
	assert_true(cdop_secret_is_zero(out, sizeof(out)));
}

static void
hkdf_is_hmac_sha512(void **state)
{
	uint8_t ck[CDOP_SHA512_LEN], two[2][CDOP_SHA512_LEN];
	uint8_t three[3][CDOP_SHA512_LEN], want[CDOP_SHA512_LEN];
	const struct cdop_bytes abc = TEXT("abc");

	(void)state;
	memset(ck, 7, sizeof(ck));
	cdop_secret_hkdf(two, 2, ck, TEXT("input"));
	cdop_secret_hkdf(three, 3, ck, TEXT("input"));
	assert_memory_equal(two, three, sizeof(two));
	assert_memory_not_equal(three[1], three[2], sizeof(want));
	/* FIPS 180, "abc". */
	unhex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"
	      "0a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
	      "454d4423643ce80e2a9ac94fa54ca49f",
	    want, sizeof(want));
	cdop_secret_sha512(ck, &abc, 1);
	assert_memory_equal(ck, want, sizeof(want));
}

static void
hedged_is_never_the_same(void **state)
{
	uint8_t key[CDOP_KEY_LEN] = {1}, a[CDOP_KEY_LEN], b[CDOP_KEY_LEN];

	(void)state;
	cdop_secret_hedged(a, key, "label", none);
	cdop_secret_hedged(b, key, "label", none);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void
sealed_opens_and_nothing_else_does(void **state)
{
	uint8_t key[CDOP_KEY_LEN] = {1}, nonce[CDOP_XNONCE_LEN] = {2};
	uint8_t sealed[5 + CDOP_TAG_LEN], out[5];
	struct cdop_bytes in = {sealed, sizeof(sealed)};
	size_t bit;

	(void)state;
	cdop_secret_seal(key, nonce, TEXT("ad"), TEXT("plain"), sealed);
	assert_int_equal(
	    cdop_secret_unseal(key, nonce, TEXT("ad"), in, out), CDOP_OK);
	assert_memory_equal(out, "plain", 5);
	assert_int_equal(cdop_secret_unseal(key, nonce, TEXT("da"), in, out),
	    CDOP_DATA_LOSS);
	assert_true(cdop_secret_is_zero(out, sizeof(out)));
	for (bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(
		    cdop_secret_unseal(key, nonce, TEXT("ad"), in, out),
		    CDOP_DATA_LOSS);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (in.len = 0; in.len < sizeof(sealed); in.len++)
		assert_int_equal(
		    cdop_secret_unseal(key, nonce, TEXT("ad"), in, out),
		    CDOP_DATA_LOSS);
}

static void
password_cost_is_bounded(void **state)
{
	const uint8_t salt[CDOP_SALT_LEN] = {1};
	uint8_t a[CDOP_KEY_LEN], b[CDOP_KEY_LEN];

	(void)state;
	assert_int_equal(
	    cdop_secret_password(a, TEXT("pass"), salt, 1, 64), CDOP_OK);
	assert_int_equal(
	    cdop_secret_password(b, TEXT("pass"), salt, 1, 64), CDOP_OK);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(
	    cdop_secret_password(b, TEXT("pass"), salt, 2, 64), CDOP_OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(cdop_secret_password(b, TEXT("pass"), salt, 0, 64),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_secret_password(b, TEXT("pass"), salt,
			     CDOP_ARGON2_PASSES_MAX + 1, 64),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_secret_password(b, TEXT("pass"), salt, 1, 7),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_secret_password(
			     b, TEXT("pass"), salt, 1, CDOP_ARGON2_KIB_MAX + 1),
	    CDOP_INVALID_ARGUMENT);
}

static void
hex_goes_both_ways(void **state)
{
	static const char *const bad[] = {
	    "", "0", "00f", "00fffg", "00ff ", " 00ff", "00ff00", "0x00"};
	uint8_t out[2] = {9, 9};
	char text[5];
	size_t i;

	(void)state;
	cdop_secret_hex((struct cdop_bytes){(uint8_t[]){0, 255}, 2}, text);
	assert_string_equal(text, "00ff");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    cdop_secret_unhex(bad[i], out, 2), CDOP_INVALID_ARGUMENT);
		assert_int_equal(out[0], 9);
		assert_int_equal(out[1], 9);
	}
	assert_int_equal(cdop_secret_unhex("00Ff", out, 2), CDOP_OK);
	assert_memory_equal(out, "\x00\xff", 2);
}

static void
base32_is_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *text;
	} known[] = {{"", ""}, {"f", "MY"}, {"fo", "MZXQ"}, {"foo", "MZXW6"},
	    {"foob", "MZXW6YQ"}, {"fooba", "MZXW6YTB"},
	    {"foobar", "MZXW6YTBOI"}};

	uint8_t bytes[256], out[256];
	char text[CDOP_BASE32_LEN(256) + 1];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		cdop_secret_base32(
		    (struct cdop_bytes){(const uint8_t *)known[i].plain,
			strlen(known[i].plain)},
		    text);
		assert_string_equal(text, known[i].text);
		assert_int_equal(
		    cdop_secret_unbase32(text, out, sizeof(out), &len),
		    CDOP_OK);
		assert_int_equal(len, i);
		assert_memory_equal(out, known[i].plain, len);
	}
	for (i = 0; i < 256; i++)
		bytes[i] = (uint8_t)(i * 37);
	for (i = 0; i <= 256; i++) {
		cdop_secret_base32((struct cdop_bytes){bytes, i}, text);
		assert_int_equal(strlen(text), CDOP_BASE32_LEN(i));
		assert_int_equal(
		    cdop_secret_unbase32(text, out, sizeof(out), &len),
		    CDOP_OK);
		assert_int_equal(len, i);
		assert_memory_equal(out, bytes, len);
	}
}

static void
base32_has_one_text_for_one_value(void **state)
{
	/* Lone characters, stray bits, not in the alphabet, too long. */
	static const char *const bad[] = {
	    "M", "MZX", "MZXW6Y", "MZ", "MY=", "0A", "1A", "M8", "MZXW6YTBM"};
	uint8_t out[5];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    cdop_secret_unbase32(bad[i], out, sizeof(out), &len),
		    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_secret_unbase32("mz-xw 6Y-tb", out, sizeof(out), &len),
	    CDOP_OK);
	assert_int_equal(len, 5);
	assert_memory_equal(out, "fooba", 5);
}

static void
base64_is_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *text;
	} known[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"}};

	char text[16];
	uint8_t out[8];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		cdop_secret_base64(
		    (struct cdop_bytes){(const uint8_t *)known[i].plain, i},
		    text);
		assert_string_equal(text, known[i].text);
		assert_int_equal(
		    cdop_secret_unbase64(
			(struct cdop_bytes){(uint8_t *)text, strlen(text)}, out,
			i, &len),
		    CDOP_OK);
		assert_int_equal(len, i);
		assert_memory_equal(out, known[i].plain, len);
		if (i > 0)
			assert_int_equal(cdop_secret_unbase64(
					     (struct cdop_bytes){
						 (uint8_t *)text, strlen(text)},
					     out, i - 1, &len),
			    CDOP_INVALID_ARGUMENT);
	}
}

/* Every byte at every place: what is taken is written back the same. */
static void
base64_has_one_text_for_one_value(void **state)
{
	uint8_t text[8], out[6];
	size_t at, len, taken;
	char back[9];
	unsigned c;

	(void)state;
	for (at = 0, taken = 0; at < 8; at++)
		for (c = 0; c < 256; c++) {
			memcpy(text, "+/9vYg==", 8);
			text[at] = (uint8_t)c;
			if (cdop_secret_unbase64((struct cdop_bytes){text, 8},
				out, sizeof(out), &len) != CDOP_OK)
				continue;
			cdop_secret_base64((struct cdop_bytes){out, len}, back);
			assert_memory_equal(back, text, 8);
			taken++;
		}
	/* Any of 64 at five places; 4 at the next, for the bits left over; 16
	 * or "=" at the one behind; and "=" at the last. */
	assert_int_equal(taken, 5 * 64 + 4 + 17 + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hash_is_blake2b),
	    cmocka_unit_test(x25519_is_rfc_7748),
	    cmocka_unit_test(hkdf_is_hmac_sha512),
	    cmocka_unit_test(hedged_is_never_the_same),
	    cmocka_unit_test(sealed_opens_and_nothing_else_does),
	    cmocka_unit_test(password_cost_is_bounded),
	    cmocka_unit_test(hex_goes_both_ways),
	    cmocka_unit_test(base32_is_rfc_4648),
	    cmocka_unit_test(base32_has_one_text_for_one_value),
	    cmocka_unit_test(base64_is_rfc_4648),
	    cmocka_unit_test(base64_has_one_text_for_one_value),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
