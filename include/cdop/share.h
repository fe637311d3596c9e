/*
 * A share as text: what a custodian keeps on paper and types to open a
 * registry together with others.
 *
 *	bytes   1 u8 || registry 8 || set u16 || x u8 || y 32 || check 6
 *	text    the 50 bytes in base32 (RFC 4648): 80 characters, in groups
 *	check   the first 6 bytes of BLAKE2b-256 over "cdop-share/1 check" ||
 *		the 44 bytes before it
 *
 * registry is the first 8 bytes of the registry's id, set the number of the
 * slot.  In a file, lines that begin with '#' are for people.  The check finds
 * a slip of the pen before anything is sent; whether it is the share that was
 * given out, the commitment says, which the registry has of each.
 */
#ifndef CDOP_SHARE_H
#define CDOP_SHARE_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_SHARE_REGISTRY 8
#define CDOP_SHARE_SECRET   32
#define CDOP_SHARE_LEN      50
#define CDOP_SHARE_COMMIT   32
#define CDOP_SHARE_GROUP    5 /* characters */
#define CDOP_SHARE_ROW      4 /* groups on a line */
#define CDOP_SHARE_CHARS    80
#define CDOP_SHARE_LINE     20 /* characters of a line */
/* Of cdop_share_write: 80 characters, a blank or a line end behind each
 * group, and a NUL. */
#define CDOP_SHARE_TEXT 97

struct cdop_share {
	uint8_t registry[CDOP_SHARE_REGISTRY];
	uint16_t set;
	uint8_t x; /* 1 and more */
	uint8_t y[CDOP_SHARE_SECRET];
};

/* Four lines of four groups; the caller wipes them. */
void cdop_share_write(
    const struct cdop_share *share, char ret_text[static CDOP_SHARE_TEXT]);

/*
 * Out of a file or of what was typed: either case, blanks, hyphens and line
 * ends do not count, and lines that begin with '#' are passed over.
 * CDOP_INVALID_ARGUMENT: not 80 characters of base32, or another version.
 * CDOP_DATA_LOSS: the check differs, there is a slip in it.
 */
CDOP_MUST enum cdop_err cdop_share_parse(
    struct cdop_bytes text, struct cdop_share *ret_share);

/*
 * How many characters that count there are in text; what is missing is said
 * to people with it.
 */
size_t cdop_share_count(struct cdop_bytes text);

/* Those characters, at most 80 of them, and a NUL; how many there are. */
size_t cdop_share_letters(
    struct cdop_bytes text, char ret_letters[static CDOP_SHARE_CHARS + 1]);

/*
 * Where a slip is that cdop_share_parse() found, if it is one letter or two
 * neighbours that changed places: with that put right the check fits.  Line
 * and group are counted from 1.  false: it is more than that.
 */
bool cdop_share_slip(
    struct cdop_bytes text, unsigned *ret_line, unsigned *ret_group);

/* The bytes alone, as they travel, and back.  As cdop_share_parse(). */
void cdop_share_pack(
    const struct cdop_share *share, uint8_t ret_bytes[static CDOP_SHARE_LEN]);
CDOP_MUST enum cdop_err cdop_share_unpack(
    struct cdop_bytes bytes, struct cdop_share *ret_share);

/*
 * What shows that somebody has a share without giving it away, for a drill:
 * BLAKE2b-256 over "cdop-share/1 proof" || registry id 16 || set u16 ||
 * x u8 || y 32.
 */
void cdop_share_proof(const struct cdop_share *share,
    const uint8_t registry[static 16],
    uint8_t ret_proof[static CDOP_SHARE_COMMIT]);

/*
 * What a registry keeps of a share, in the clear: BLAKE2b-256 over
 * "cdop-share/1 commit" || proof.
 */
void cdop_share_commit(const uint8_t proof[static CDOP_SHARE_COMMIT],
    uint8_t ret_commit[static CDOP_SHARE_COMMIT]);

#endif
