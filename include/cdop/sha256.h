/*
 * SHA-256 and HMAC-SHA-256 over parts that lie in memory: what leaves and
 * trees are made of.  By the processor's own instructions where it has them,
 * five times as fast as by libsodium, which does it where it has not.  Which
 * of the two it is nobody can tell from the result.
 */
#ifndef CDOP_SHA256_H
#define CDOP_SHA256_H

#include <stdbool.h>

#include "cdop/bytes.h"

#define CDOP_SHA256_LEN     32
#define CDOP_SHA256_KEY_LEN 32

/* Of the parts one behind the other; out may be in one of them. */
void cdop_sha256(uint8_t out[static CDOP_SHA256_LEN],
    const struct cdop_bytes *parts, size_t n);
void cdop_sha256_mac(uint8_t out[static CDOP_SHA256_LEN],
    const uint8_t key[static CDOP_SHA256_KEY_LEN],
    const struct cdop_bytes *parts, size_t n);

/* Has the processor the instructions?  For tests: take it to have none. */
bool cdop_sha256_is_fast(void);
void cdop_sha256_set_slow(bool slow);

#endif
