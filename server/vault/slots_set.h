/*
 * A share set: the row of format 2 beside a slot of shares, which says what
 * a sealed vault needs to take them one by one.
 *
 *     set     2 u8 || 3 u8 || slot number u16 || k u8 || n u8 || 0 u16 ||
 *             registry id 16 || 16 of (commitment 32 || holder 40) || seal 32
 *     seal    BLAKE2b-256 keyed with S over "cdop-slot/1 set" || all before
 *
 * A commitment (cdop/share.h) names a bad share before others are given, and
 * says nothing of S to whoever has fewer than k: it hashes 32 bytes of which
 * nothing is known.  holder is text as a slot's label is, and stands in the
 * clear.  Entries behind n are zero.
 */
#ifndef CDOP_VAULT_SLOTS_SET_H
#define CDOP_VAULT_SLOTS_SET_H

#include "cdop/share.h"
#include "server/vault/shamir.h"
#include "server/vault/slots.h"

#define SLOTS_SET       1208
#define SLOTS_SET_K_MIN 2
#define SLOTS_SET_SPARE 2 /* n is at least so many over k */

struct slots_set {
	uint16_t number; /* of the slot */
	uint8_t k;
	uint8_t n;
	uint8_t registry[16];
	uint8_t commit[SHAMIR_MAX][CDOP_SHARE_COMMIT];
	char holder[SHAMIR_MAX][SLOTS_LABEL + 1];
};

/* What a new one is to be. */
struct slots_set_new {
	uint8_t k;
	uint8_t n;
	const char *holder[SHAMIR_MAX]; /* of each share; NULL: "share 3" */
};

/* 2 <= k, k + 2 <= n <= 16. */
bool slots_set_is_plan(size_t k, size_t n);

/*
 * The shares of the S of a slot, and the row that goes with them; whoever
 * gets the shares wipes them.  CDOP_INVALID_ARGUMENT: no such plan, or a
 * holder that is no label.  CDOP_DATA_LOSS: the slot is not this root's.
 */
CDOP_MUST enum cdop_err slots_set_make(struct cdop_bytes slot,
    const uint8_t root[static 32], const struct slots_set_new *plan,
    uint8_t ret_row[static SLOTS_SET],
    struct cdop_share ret_shares[static SHAMIR_MAX]);

/* Checked before anything is used.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err slots_set_parse(
    struct cdop_bytes row, struct slots_set *ret_set);

/* Is the row the one that was made for the slot?  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err slots_set_check(struct cdop_bytes row,
    struct cdop_bytes slot, const uint8_t root[static 32]);

/* Is it the share that was given out under its number? */
bool slots_set_fits(
    const struct slots_set *set, const struct cdop_share *share);

/* Does whoever shows this have share x? */
bool slots_set_proves(const struct slots_set *set, uint8_t x,
    const uint8_t proof[static CDOP_SHARE_COMMIT]);

/*
 * S out of k shares or more, all of one set.  CDOP_INVALID_ARGUMENT: too few
 * to be a scheme at all, one twice, of two sets.
 */
CDOP_MUST enum cdop_err slots_set_combine(
    const struct cdop_share *shares, size_t n, uint8_t ret_s[static 32]);

#endif
