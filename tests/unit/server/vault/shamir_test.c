/* Every k-subset opens, no smaller one says anything, and the field is one. */
#include "server/vault/shamir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SMALL 8 /* every (k, n) up to here */

/* Bytes that look random and are the same every time. */
static void
fill(uint8_t *out, size_t len, uint32_t seed)
{
	size_t i;

	for (i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		out[i] = (uint8_t)(seed >> 24);
	}
}

/* ---- the field ---------------------------------------------------------- */

/*
 * An independent table: powers of the generator 3 by carry-less school
 * multiplication on wide integers with a final division, and logarithms.
 */
static unsigned
slow_mul(unsigned a, unsigned b)
{
	unsigned product = 0, i;

	for (i = 0; i < 8; i++)
		if ((b >> i & 1) != 0)
			product ^= a << i;
	for (i = 15; i >= 8; i--)
		if ((product >> i & 1) != 0)
			product ^= 0x11bu << (i - 8);
	return product;
}

static void
all_products_are_those_of_a_table_of_logarithms(void **state)
{
	uint8_t power[255], logarithm[256] = {0};
	unsigned a, b, i, want;

	(void)state;
	for (i = 0, a = 1; i < 255; i++, a = slow_mul(a, 3)) {
		power[i] = (uint8_t)a;
		logarithm[a] = (uint8_t)i;
	}
	assert_int_equal(a, 1); /* 3 generates all of them */
	for (a = 0; a < 256; a++)
		for (b = 0; b < 256; b++) {
			want = a == 0 || b == 0
			    ? 0
			    : power[(logarithm[a] + logarithm[b]) % 255];
			assert_int_equal(
			    shamir_mul((uint8_t)a, (uint8_t)b), want);
		}
}

static void
every_byte_but_zero_has_its_inverse(void **state)
{
	unsigned a;

	(void)state;
	assert_int_equal(shamir_inv(0), 0);
	for (a = 1; a < 256; a++)
		assert_int_equal(
		    shamir_mul((uint8_t)a, shamir_inv((uint8_t)a)), 1);
}

/* The example of FIPS 197, section 4.2. */
static void
a_published_product(void **state)
{
	(void)state;
	assert_int_equal(shamir_mul(0x57, 0x83), 0xc1);
	assert_int_equal(shamir_mul(0x57, 0x13), 0xfe);
}

/* ---- subsets ------------------------------------------------------------ */

static size_t
pick(const struct shamir_share *all, size_t n, unsigned subset,
    struct shamir_share *out)
{
	size_t i, picked = 0;

	for (i = 0; i < n; i++)
		if ((subset >> i & 1) != 0)
			out[picked++] = all[i];
	return picked;
}

static void
check_subsets(size_t k, size_t n, const uint8_t *secret)
{
	uint8_t random[SHAMIR_MAX * SHAMIR_SECRET], got[SHAMIR_SECRET];
	struct shamir_share all[SHAMIR_MAX], some[SHAMIR_MAX];
	unsigned subset;
	size_t picked;

	fill(random, sizeof(random), (uint32_t)(k * 100 + n));
	assert_int_equal(shamir_split(secret, random, k, n, all), CDOP_OK);
	for (subset = 1; subset < 1u << n; subset++) {
		picked = pick(all, n, subset, some);
		if (picked < 2)
			continue;
		assert_int_equal(shamir_combine(some, picked, got), CDOP_OK);
		if (picked >= k)
			assert_memory_equal(got, secret, sizeof(got));
		else
			assert_memory_not_equal(got, secret, sizeof(got));
	}
}

static void
every_k_subset_opens_and_no_smaller_one_does(void **state)
{
	uint8_t secret[SHAMIR_SECRET];
	size_t k, n;

	(void)state;
	fill(secret, sizeof(secret), 7);
	for (n = 2; n <= SMALL; n++)
		for (k = 2; k <= n; k++)
			check_subsets(k, n, secret);
	check_subsets(3, 12, secret);
	check_subsets(9, 12, secret);
}

/*
 * Of k - 1 shares each of the 256 secrets of a byte comes out for exactly one
 * value of one more share: they say nothing of it.
 */
static void
fewer_shares_fit_every_secret_alike(void **state)
{
	uint8_t random[SHAMIR_MAX * SHAMIR_SECRET], got[SHAMIR_SECRET];
	uint8_t secret[SHAMIR_SECRET];
	struct shamir_share all[SHAMIR_MAX];
	bool seen[256];
	unsigned value;
	size_t k;

	(void)state;
	fill(secret, sizeof(secret), 11);
	for (k = 2; k <= SMALL; k++) {
		fill(random, sizeof(random), (uint32_t)k);
		assert_int_equal(
		    shamir_split(secret, random, k, k + 2, all), CDOP_OK);
		memset(seen, 0, sizeof(seen));
		for (value = 0; value < 256; value++) {
			all[k - 1].y[5] = (uint8_t)value;
			assert_int_equal(shamir_combine(all, k, got), CDOP_OK);
			assert_false(seen[got[5]]);
			seen[got[5]] = true;
		}
	}
}

/* With all random bytes there are, each share of a byte is uniform. */
static void
one_share_of_two_is_uniform_whatever_the_secret(void **state)
{
	uint8_t secret[SHAMIR_SECRET] = {0}, random[SHAMIR_SECRET] = {0};
	struct shamir_share all[4];
	bool seen[4][256];
	unsigned s, r;
	size_t i;

	(void)state;
	for (s = 0; s < 256; s += 17) {
		memset(seen, 0, sizeof(seen));
		secret[0] = (uint8_t)s;
		for (r = 0; r < 256; r++) {
			random[0] = (uint8_t)r;
			assert_int_equal(
			    shamir_split(secret, random, 2, 4, all), CDOP_OK);
			for (i = 0; i < 4; i++) {
				assert_false(seen[i][all[i].y[0]]);
				seen[i][all[i].y[0]] = true;
			}
		}
	}
}

static void
a_changed_share_gives_another_secret(void **state)
{
	uint8_t random[SHAMIR_MAX * SHAMIR_SECRET], got[SHAMIR_SECRET];
	uint8_t secret[SHAMIR_SECRET];
	struct shamir_share all[SHAMIR_MAX];
	size_t bit;

	(void)state;
	fill(secret, sizeof(secret), 3);
	fill(random, sizeof(random), 4);
	assert_int_equal(shamir_split(secret, random, 3, 5, all), CDOP_OK);
	for (bit = 0; bit < SHAMIR_SECRET * 8; bit++) {
		all[1].y[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(shamir_combine(all, 3, got), CDOP_OK);
		assert_memory_not_equal(got, secret, sizeof(got));
		all[1].y[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
what_is_no_scheme_is_refused(void **state)
{
	static const uint8_t random[SHAMIR_MAX * SHAMIR_SECRET];
	static const uint8_t secret[SHAMIR_SECRET];
	struct shamir_share all[SHAMIR_MAX];
	uint8_t got[SHAMIR_SECRET];

	(void)state;
	assert_int_equal(
	    shamir_split(secret, random, 1, 5, all), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    shamir_split(secret, random, 6, 5, all), CDOP_INVALID_ARGUMENT);
	assert_int_equal(shamir_split(secret, random, 3, SHAMIR_MAX + 1, all),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(shamir_split(secret, random, 16, 16, all), CDOP_OK);
	assert_int_equal(shamir_combine(all, 16, got), CDOP_OK);
	assert_int_equal(shamir_combine(all, 1, got), CDOP_INVALID_ARGUMENT);
	all[1].x = all[0].x;
	assert_int_equal(shamir_combine(all, 3, got), CDOP_INVALID_ARGUMENT);
	all[1].x = 0;
	assert_int_equal(shamir_combine(all, 3, got), CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_products_are_those_of_a_table_of_logarithms),
	    cmocka_unit_test(every_byte_but_zero_has_its_inverse),
	    cmocka_unit_test(a_published_product),
	    cmocka_unit_test(every_k_subset_opens_and_no_smaller_one_does),
	    cmocka_unit_test(fewer_shares_fit_every_secret_alike),
	    cmocka_unit_test(one_share_of_two_is_uniform_whatever_the_secret),
	    cmocka_unit_test(a_changed_share_gives_another_secret),
	    cmocka_unit_test(what_is_no_scheme_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
