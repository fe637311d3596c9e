/*
 * The comparison string of an enrolment: 80 bits of the enrolling session's
 * handshake hash, read out by one person and typed in by another.
 */
#ifndef CDOP_COMPARE_H
#define CDOP_COMPARE_H

#include "cdop/noise.h"

#define CDOP_COMPARE_LEN  10 /* bytes */
#define CDOP_COMPARE_TEXT 20 /* "ABCD-EFGH-IJKL-MNOP" and a NUL */

/* The bytes: first ten of BLAKE2b-256("cdop-compare/1" || hash). */
void cdop_compare_bytes(uint8_t out[static CDOP_COMPARE_LEN],
    const uint8_t hash[static CDOP_NOISE_HASH_LEN]);

/* The bytes as four groups of four base32 characters. */
void cdop_compare_text(char out[static CDOP_COMPARE_TEXT],
    const uint8_t bytes[static CDOP_COMPARE_LEN]);

/*
 * What a person typed: either case, blanks and hyphens anywhere; 0, 1 and 8
 * are taken for O, I and B.  CDOP_INVALID_ARGUMENT when it is no such
 * string at all.
 */
CDOP_MUST enum cdop_err cdop_compare_parse(
    const char *typed, uint8_t ret_bytes[static CDOP_COMPARE_LEN]);

#endif
