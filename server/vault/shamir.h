/*
 * Shamir's scheme over GF(2^8), byte by byte: k of n shares give the secret,
 * k - 1 fit every secret alike.
 *
 * The field is that of AES (x^8 + x^4 + x^3 + x + 1).  Arithmetic takes the
 * same steps whatever the bytes are: no table, no branch, no address depends
 * on a secret (make check-ct).  The numbers of shares are no secret.
 */
#ifndef CDOP_VAULT_SHAMIR_H
#define CDOP_VAULT_SHAMIR_H

#include <stddef.h>
#include <stdint.h>

#include "cdop/err.h"

#define SHAMIR_SECRET 32
#define SHAMIR_MAX    16 /* shares of one secret */

/* Share x is the value at x, which is 1 to 255; the secret stands at 0. */
struct shamir_share {
	uint8_t x;
	uint8_t y[SHAMIR_SECRET];
};

/* In the field; the inverse of 0 is 0. */
uint8_t shamir_mul(uint8_t a, uint8_t b);
uint8_t shamir_inv(uint8_t a);

/*
 * Shares 1 to n of a secret, of which any k are enough.  random is the
 * (k - 1) * SHAMIR_SECRET bytes that the polynomials are made of, uniform and
 * never used again.  CDOP_INVALID_ARGUMENT: not 2 <= k <= n <= SHAMIR_MAX.
 */
CDOP_MUST enum cdop_err shamir_split(const uint8_t secret[static SHAMIR_SECRET],
    const uint8_t *random, size_t k, size_t n, struct shamir_share *ret_shares);

/*
 * The secret that k shares give.  Shares of different secrets, and fewer than
 * the secret was made for, give another one: whoever calls knows how many it
 * takes and proves what comes out.  CDOP_INVALID_ARGUMENT: a number is 0 or is
 * there twice, or not 2 <= k <= SHAMIR_MAX.
 */
CDOP_MUST enum cdop_err shamir_combine(const struct shamir_share *shares,
    size_t k, uint8_t ret_secret[static SHAMIR_SECRET]);

#endif
