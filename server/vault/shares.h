/*
 * Shares that were given one by one, until there are enough: in locked
 * memory, wiped when they have done it, and when nobody has given one for an
 * hour.  It looks at each against its commitment as it comes.
 */
#ifndef CDOP_VAULT_SHARES_H
#define CDOP_VAULT_SHARES_H

#include "cdop/share.h"
#include "server/vault/slots_set.h"

#define SHARES_KEPT_MS (60u * 60 * 1000)

struct lockmem;
struct rows;
struct shares;

enum shares_verdict {
	SHARES_TAKEN,  /* good, and others are needed */
	SHARES_ENOUGH, /* shares_secret() gives the secret */
	SHARES_TWICE,  /* good, and was given before */
	SHARES_OTHER,  /* of another registry */
	SHARES_NO_SET, /* of a set that is not, or not any more */
	SHARES_WRONG,  /* not the share that was given out under its number */
};

/* Where a set stands. */
struct shares_count {
	uint16_t set;
	uint8_t x; /* the one that came last */
	uint8_t have;
	uint8_t need;
};

/* mem is borrowed and outlives it.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err shares_new(
    struct lockmem *mem, struct shares **ret_shares);
/* Wipes.  NULL is fine. */
void shares_free(struct shares *shares);

/*
 * Takes one.  rows need not be open.  *ret_count is set for the first three
 * verdicts.
 */
enum shares_verdict shares_add(struct shares *shares, const struct rows *rows,
    const struct cdop_share *share, uint64_t boot_ms,
    struct shares_count *ret_count);

/* One that is looked at and not kept: a drill.  As shares_add(). */
enum shares_verdict shares_look(
    const struct rows *rows, const struct cdop_share *share);

/*
 * The secret of a set of which there are enough.  CDOP_FAILED_PRECONDITION:
 * there are not.
 */
CDOP_MUST enum cdop_err shares_secret(
    const struct shares *shares, uint16_t set, uint8_t ret_s[static 32]);

/* Which of a set were given, bit x - 1 for share x. */
uint16_t shares_given(const struct shares *shares, uint16_t set);

/* "not the share that was given out ...": for people, without a secret. */
const char *shares_verdict_words(enum shares_verdict verdict);

/*
 * Wipes what is too old; all of it with boot_ms UINT64_MAX.  Whoever keeps
 * shares calls it all the time.  How many were wiped.
 */
size_t shares_expire(struct shares *shares, uint64_t boot_ms);

#endif
