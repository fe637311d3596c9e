/*
 * Postcodes and the ZZ99 pseudo-codes of the NHS.
 *
 * It knows the form of a postcode, not whether it exists or whose it is: a
 * borough is never inferred from it.
 */
#ifndef CDOP_POSTCODE_H
#define CDOP_POSTCODE_H

#include <stdbool.h>

#include "cdop/err.h"

#define CDOP_POSTCODE_TEXT_MAX 9 /* "SW1A 1AA" and NUL */

enum cdop_postcode {
	CDOP_POSTCODE_ORDINARY = 1,
	CDOP_POSTCODE_NO_FIXED_ABODE,   /* ZZ99 3VZ */
	CDOP_POSTCODE_NOT_KNOWN,        /* ZZ99 3WZ */
	CDOP_POSTCODE_UNSPECIFIED,      /* ZZ99 3CZ: England, UK */
	CDOP_POSTCODE_SCOTLAND,         /* ZZ99 1WZ */
	CDOP_POSTCODE_NORTHERN_IRELAND, /* ZZ99 2WZ */
	CDOP_POSTCODE_WALES,            /* ZZ99 3GZ */
	CDOP_POSTCODE_COUNTRY,          /* other ZZ99 n?Z: a country */
	CDOP_POSTCODE_PSEUDO_UNKNOWN,   /* ZZ99, but none of these */
};

/*
 * Reads a typed postcode in any case, with or without its space, into the
 * form with one.  CDOP_INVALID_ARGUMENT: not the form of a postcode.
 */
CDOP_MUST enum cdop_err cdop_postcode_parse(
    const char *text, char out[static CDOP_POSTCODE_TEXT_MAX]);

/* What a parsed postcode stands for. */
enum cdop_postcode cdop_postcode_kind(const char *postcode);

#endif
