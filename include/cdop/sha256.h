/*
 * SHA-256 (FIPS 180-4) and its HMAC (RFC 2104), of nettle: it takes the
 * processor's instructions for it where there are any, which libsodium's does
 * not, and each call has some thirty blocks to hash (adr/0031).
 */
#ifndef CDOP_SHA256_H
#define CDOP_SHA256_H

#include <nettle/sha2.h>

#include "cdop/bytes.h"

#define CDOP_SHA256_LEN 32

struct cdop_sha256 {
	struct sha256_ctx state;
};

void cdop_sha256_init(struct cdop_sha256 *hash);
void cdop_sha256_update(struct cdop_sha256 *hash, const void *data, size_t len);
/* Wiped, and ready for the next as after cdop_sha256_init(). */
void cdop_sha256_final(
    struct cdop_sha256 *hash, uint8_t out[static CDOP_SHA256_LEN]);

void cdop_sha256(uint8_t out[static CDOP_SHA256_LEN], struct cdop_bytes bytes);

/* Of n parts, one after the other. */
void cdop_sha256_hmac(uint8_t out[static CDOP_SHA256_LEN],
    const uint8_t key[static CDOP_SHA256_LEN], const struct cdop_bytes *parts,
    size_t n);

#endif
