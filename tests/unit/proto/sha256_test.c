/* SHA-256 and its HMAC: published values, and libsodium's for each length. */
#include "cdop/sha256.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LONGEST 300 /* four blocks and a part */

static uint8_t data[LONGEST];

static int
setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 1);
	return sodium_init() < 0 ? -1 : 0;
}

static struct cdop_bytes
words(const char *text)
{
	return (struct cdop_bytes){(const uint8_t *)text, strlen(text)};
}

static void
is_hex(const uint8_t got[static 32], const char *want)
{
	char hex[2 * CDOP_SHA256_LEN + 1];

	sodium_bin2hex(hex, sizeof(hex), got, CDOP_SHA256_LEN);
	assert_string_equal(hex, want);
}

/* FIPS 180-4, the examples of one block and of two. */
static void
a_hash_is_that_of_the_standard(void **state)
{
	uint8_t got[CDOP_SHA256_LEN];

	(void)state;
	cdop_sha256(got, (struct cdop_bytes){NULL, 0});
	is_hex(got,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	cdop_sha256(got, words("abc"));
	is_hex(got,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	cdop_sha256(got,
	    words("abcdbcdecdefdefgefghfghighijhijk"
		  "ijkljklmklmnlmnomnopnopq"));
	is_hex(got,
	    "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231, test case 1 with its key of 20 bytes filled up by zeros. */
static void
an_hmac_is_that_of_the_rfc(void **state)
{
	uint8_t key[32] = {0}, got[CDOP_SHA256_LEN];
	const struct cdop_bytes parts[] = {
	    words("Hi "), {NULL, 0}, words("There")};

	(void)state;
	memset(key, 0x0b, 20);
	cdop_sha256_hmac(got, key, parts, 3);
	is_hex(got,
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
}

static void
a_hash_of_any_length_is_libsodiums(void **state)
{
	uint8_t got[CDOP_SHA256_LEN], want[CDOP_SHA256_LEN];
	size_t len;

	(void)state;
	for (len = 0; len <= LONGEST; len++) {
		crypto_hash_sha256(want, data, len);
		cdop_sha256(got, (struct cdop_bytes){data, len});
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
an_hmac_of_any_length_is_libsodiums(void **state)
{
	uint8_t got[CDOP_SHA256_LEN], want[CDOP_SHA256_LEN];
	size_t len;

	(void)state;
	for (len = 0; len <= LONGEST; len++) {
		const struct cdop_bytes parts[] = {
		    {data, len / 3}, {data + len / 3, len - len / 3}};

		crypto_auth_hmacsha256(want, data, len, data + 100);
		cdop_sha256_hmac(got, data + 100, parts, 2);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
pieces_are_the_whole_and_a_hash_can_be_used_again(void **state)
{
	struct cdop_sha256 hash;
	uint8_t got[CDOP_SHA256_LEN], want[CDOP_SHA256_LEN];
	size_t cut;

	(void)state;
	cdop_sha256(want, (struct cdop_bytes){data, LONGEST});
	cdop_sha256_init(&hash);
	for (cut = 0; cut <= LONGEST; cut++) {
		cdop_sha256_update(&hash, data, cut);
		cdop_sha256_update(&hash, NULL, 0);
		cdop_sha256_update(&hash, data + cut, LONGEST - cut);
		cdop_sha256_final(&hash, got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
nothing_is_left_of_what_was_hashed(void **state)
{
	static const char secret[] = "what is said of a child";
	uint8_t got[CDOP_SHA256_LEN];
	struct cdop_sha256 hash;
	const uint8_t *at;

	(void)state;
	memset(&hash, 0, sizeof(hash));
	cdop_sha256_init(&hash);
	cdop_sha256_update(&hash, secret, sizeof(secret));
	assert_non_null(memmem(&hash, sizeof(hash), secret, sizeof(secret)));
	cdop_sha256_final(&hash, got);
	for (at = (const uint8_t *)&hash;
	     at + 4 <= (const uint8_t *)(&hash + 1); at++)
		assert_memory_not_equal(at, secret, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_hash_is_that_of_the_standard),
	    cmocka_unit_test(an_hmac_is_that_of_the_rfc),
	    cmocka_unit_test(a_hash_of_any_length_is_libsodiums),
	    cmocka_unit_test(an_hmac_of_any_length_is_libsodiums),
	    cmocka_unit_test(pieces_are_the_whole_and_a_hash_can_be_used_again),
	    cmocka_unit_test(nothing_is_left_of_what_was_hashed),
	};

	return cmocka_run_group_tests_name("proto/sha256", tests, setup, NULL);
}
