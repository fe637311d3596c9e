/*
 * The case reference: what a notifier is given, reads out and writes down
 * for 25 years (RECORDS M15).  Random; it says nothing about the case.
 *
 *	K7M4-QX2Q     in a live registry
 *	T-K7M4-QX23   in a training one
 *
 * Eight of the 30 symbols 23456789ABCDEFGHJKMNPQRSTVWXYZ (no 0 O 1 I L U).
 * With v(i) the place of symbol i in that list, counted from 0, and weights
 * 3^i mod 31 = 1 3 9 27 19 26 16 17, a reference is valid when
 *
 *	sum of weight(i) * v(i) = 1 (live) or 2 (training)   modulo 31
 *
 * 31 is a prime and every v is below 30, so this catches every wrong
 * symbol, every exchange of two symbols wherever they stand, and every
 * doubled symbol that becomes another doubled one (aa to bb).  Of anything
 * else one in 31 passes.  A training reference without its "T-" is not a
 * live one.  The eighth symbol is the check; where it would have to have
 * the value 30, there is no such reference and another number is drawn.
 */
#ifndef CDOP_REFERENCE_H
#define CDOP_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"

#define CDOP_REFERENCE_TEXT    12             /* longest, and a NUL */
#define CDOP_REFERENCE_NUMBERS 21870000000ull /* 30 to the power of 7 */

/*
 * The reference of a number below CDOP_REFERENCE_NUMBERS.  False, and out
 * untouched, where that number has none (one in 31).
 */
bool cdop_reference_make(
    uint64_t number, bool training, char out[static CDOP_REFERENCE_TEXT]);

/*
 * What a person typed: either case; blanks and dashes of any kind do not
 * count.  Canonical text and number come back.  CDOP_INVALID_ARGUMENT: not a
 * reference, or not one of this mode.
 */
CDOP_MUST enum cdop_err cdop_reference_parse(const char *typed, bool training,
    char ret_text[static CDOP_REFERENCE_TEXT], uint64_t *ret_number);

#endif
