/*
 * Protobuf's variable-length numbers, minimal form only: a number has one
 * spelling on our wire.
 */
#ifndef CDOP_VARINT_H
#define CDOP_VARINT_H

#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_VARINT_MAX 10 /* bytes of a 64-bit one */

/*
 * The number at the front of in, of at most max_len bytes; *ret_len is how
 * many it takes, 0 when its end is not here yet.  CDOP_INVALID_ARGUMENT: too
 * long, over 64 bits, or not minimal.
 */
CDOP_MUST enum cdop_err cdop_varint_parse(
    struct cdop_bytes in, size_t max_len, uint64_t *ret_value, size_t *ret_len);

/* Writes value and gives its length. */
size_t cdop_varint_write(uint8_t out[static CDOP_VARINT_MAX], uint64_t value);

#endif
