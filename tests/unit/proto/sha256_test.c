/* SHA-256 and HMAC: what is published, and both ways to it. */
#include "cdop/sha256.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"

#define LONGEST 700

static uint8_t text[LONGEST];

static void
hash_is(const char *what, const char *want)
{
	struct cdop_bytes part = {(const uint8_t *)what, strlen(what)};
	uint8_t out[CDOP_SHA256_LEN];
	char hex[2 * CDOP_SHA256_LEN + 1];

	cdop_sha256(out, &part, 1);
	cdop_secret_hex((struct cdop_bytes){out, sizeof(out)}, hex);
	assert_string_equal(hex, want);
}

/* FIPS 180-4's own examples. */
static void
published(void)
{
	hash_is("",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash_is("abc",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
both_ways_give_what_is_published(void **state)
{
	(void)state;
	published();
	cdop_sha256_set_slow(true);
	assert_false(cdop_sha256_is_fast());
	published();
	cdop_sha256_set_slow(false);
}

/* len bytes in three parts, cut at a and b. */
static void
cut(size_t len, size_t a, size_t b, struct cdop_bytes parts[static 3])
{
	parts[0] = (struct cdop_bytes){a == 0 ? NULL : text, a};
	parts[1] = (struct cdop_bytes){text + a, b - a};
	parts[2] = (struct cdop_bytes){text + b, len - b};
}

static void
check_cut(size_t len, size_t a, size_t b)
{
	uint8_t want[CDOP_SHA256_LEN], out[CDOP_SHA256_LEN];
	struct cdop_bytes parts[3];

	cut(len, a, b, parts);
	crypto_hash_sha256(want, text, len);
	cdop_sha256(out, parts, 3);
	assert_memory_equal(out, want, sizeof(want));
	crypto_auth_hmacsha256(want, text, len, text + 7);
	cdop_sha256_mac(out, text + 7, parts, 3);
	assert_memory_equal(out, want, sizeof(want));
}

static void
check_all(void)
{
	size_t len;

	for (len = 0; len <= LONGEST; len++) {
		check_cut(len, 0, len);
		check_cut(len, len / 3, len / 2);
		check_cut(len, len < 64 ? len : 64, len);
		check_cut(len, len < 65 ? len : 1, len < 65 ? len : 65);
	}
}

static void
of_any_length_and_cut_anywhere_it_is_libsodiums(void **state)
{
	(void)state;
	check_all();
	cdop_sha256_set_slow(true);
	check_all();
	cdop_sha256_set_slow(false);
}

static void
the_result_may_take_the_place_of_a_part(void **state)
{
	uint8_t want[CDOP_SHA256_LEN], hash[CDOP_SHA256_LEN];
	struct cdop_bytes part = {hash, sizeof(hash)};

	(void)state;
	memcpy(hash, text, sizeof(hash));
	crypto_hash_sha256(want, hash, sizeof(hash));
	cdop_sha256(hash, &part, 1);
	assert_memory_equal(hash, want, sizeof(want));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_ways_give_what_is_published),
	    cmocka_unit_test(of_any_length_and_cut_anywhere_it_is_libsodiums),
	    cmocka_unit_test(the_result_may_take_the_place_of_a_part),
	};
	size_t i;

	if (sodium_init() < 0)
		return 1;
	for (i = 0; i < LONGEST; i++)
		text[i] = (uint8_t)(i * 7 + (i >> 8) + 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
