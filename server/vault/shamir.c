/* Polynomials over GF(2^8), without a table and without a branch. */
#include "server/vault/shamir.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define REDUCE 0x1b /* x^8 = x^4 + x^3 + x + 1 */

/* All bits of the lowest one; its caller's byte is a secret. */
static uint8_t
mask_of(uint8_t bit)
{
	return (uint8_t)(0u - (bit & 1u));
}

uint8_t
shamir_mul(uint8_t a, uint8_t b)
{
	uint8_t product = 0;
	int i;

	for (i = 0; i < 8; i++) {
		product ^= a & mask_of(b);
		a = (uint8_t)((uint8_t)(a << 1) ^ (REDUCE & mask_of(a >> 7)));
		b >>= 1;
	}
	return product;
}

/* a^254: 254 = 2 + 4 + 8 + 16 + 32 + 64 + 128. */
uint8_t
shamir_inv(uint8_t a)
{
	uint8_t power = a, inverse = 1;
	int i;

	for (i = 0; i < 7; i++) {
		power = shamir_mul(power, power);
		inverse = shamir_mul(inverse, power);
	}
	return inverse;
}

enum cdop_err
shamir_split(const uint8_t secret[static SHAMIR_SECRET], const uint8_t *random,
    size_t k, size_t n, struct shamir_share *ret_shares)
{
	struct shamir_share *share;
	size_t i, byte, term;

	if (k < 2 || k > n || n > SHAMIR_MAX)
		return CDOP_INVALID_ARGUMENT;
	for (i = 0; i < n; i++) {
		share = &ret_shares[i];
		share->x = (uint8_t)(i + 1);
		memset(share->y, 0, sizeof(share->y));
		/* Horner, from the highest coefficient down to the secret. */
		for (term = k - 1; term > 0; term--)
			for (byte = 0; byte < SHAMIR_SECRET; byte++)
				share->y[byte] = shamir_mul(share->x,
				    share->y[byte] ^
					random[(term - 1) * SHAMIR_SECRET +
					    byte]);
		for (byte = 0; byte < SHAMIR_SECRET; byte++)
			share->y[byte] ^= secret[byte];
	}
	return CDOP_OK;
}

static bool
are_distinct(const struct shamir_share *shares, size_t k)
{
	size_t i, j;

	for (i = 0; i < k; i++) {
		if (shares[i].x == 0)
			return false;
		for (j = 0; j < i; j++)
			if (shares[i].x == shares[j].x)
				return false;
	}
	return true;
}

/* What share i counts for at 0 (Lagrange); of the numbers alone. */
static uint8_t
weight(const struct shamir_share *shares, size_t k, size_t i)
{
	uint8_t above = 1, below = 1;
	size_t j;

	for (j = 0; j < k; j++) {
		if (j == i)
			continue;
		above = shamir_mul(above, shares[j].x);
		below = shamir_mul(below, shares[j].x ^ shares[i].x);
	}
	return shamir_mul(above, shamir_inv(below));
}

enum cdop_err
shamir_combine(const struct shamir_share *shares, size_t k,
    uint8_t ret_secret[static SHAMIR_SECRET])
{
	uint8_t secret[SHAMIR_SECRET] = {0}, w;
	size_t i, byte;

	if (k < 2 || k > SHAMIR_MAX || !are_distinct(shares, k))
		return CDOP_INVALID_ARGUMENT;
	for (i = 0; i < k; i++) {
		w = weight(shares, k, i);
		for (byte = 0; byte < SHAMIR_SECRET; byte++)
			secret[byte] ^= shamir_mul(w, shares[i].y[byte]);
	}
	memcpy(ret_secret, secret, sizeof(secret));
	sodium_memzero(secret, sizeof(secret));
	return CDOP_OK;
}
