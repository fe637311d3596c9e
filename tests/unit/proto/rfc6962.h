/*
 * The tree of RFC 6962, 2.1, written down as it stands there: recursive,
 * slow, and not how proto/merkle.c does it.  Leaf i is the two bytes of its
 * number.
 */
#ifndef CDOP_TESTS_PROTO_RFC6962_H
#define CDOP_TESTS_PROTO_RFC6962_H

#include <stdbool.h>

#include "cdop/merkle.h"

#define RFC6962_MOST 300 /* leaves */

/* MTH(D[lo:hi]), remembered. */
const uint8_t *rfc6962_mth(uint64_t lo, uint64_t hi);

/* PATH(m, D[lo:hi]), with m counted from lo, behind what is in the proof. */
void rfc6962_path(
    uint64_t m, uint64_t lo, uint64_t hi, struct cdop_merkle_proof *proof);

/* SUBPROOF(m, D[lo:hi], b), likewise. */
void rfc6962_subproof(uint64_t m, uint64_t lo, uint64_t hi, bool b,
    struct cdop_merkle_proof *proof);

#endif
