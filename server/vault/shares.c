/* Shares as they come in; see shares.h. */
#include "server/vault/shares.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/vault/lockmem.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"

/* Of one set. */
struct shares_pile {
	uint16_t set; /* 0: free */
	uint16_t given;
	uint8_t have;
	uint8_t need;
	uint64_t last_ms;
	struct cdop_share share[SHAMIR_MAX];
};

struct shares {
	struct lockmem *mem;
	struct shares_pile *pile; /* ROWS_SLOTS_SETS of them, locked */
};

#define PILES_LEN (ROWS_SLOTS_SETS * sizeof(struct shares_pile))

enum cdop_err
shares_new(struct lockmem *mem, struct shares **ret_shares)
{
	struct shares *shares;

	shares = calloc(1, sizeof(*shares));
	if (shares == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	shares->mem = mem;
	shares->pile = lockmem_alloc(mem, PILES_LEN);
	if (shares->pile == NULL) {
		free(shares);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	sodium_memzero(shares->pile, PILES_LEN);
	*ret_shares = shares;
	return CDOP_OK;
}

void
shares_free(struct shares *shares)
{
	if (shares == NULL)
		return;
	lockmem_free(shares->mem, shares->pile, PILES_LEN);
	free(shares);
}

size_t
shares_expire(struct shares *shares, uint64_t boot_ms)
{
	struct shares_pile *pile;
	size_t i, n = 0;

	for (i = 0; i < ROWS_SLOTS_SETS; i++) {
		pile = &shares->pile[i];
		if (pile->set == 0 || boot_ms - pile->last_ms <= SHARES_KEPT_MS)
			continue;
		n += pile->have;
		sodium_memzero(pile, sizeof(*pile));
	}
	return n;
}

static struct shares_pile *
pile_of(const struct shares *shares, uint16_t set)
{
	size_t i;

	for (i = 0; i < ROWS_SLOTS_SETS; i++)
		if (shares->pile[i].set == set)
			return &shares->pile[i];
	return NULL;
}

enum shares_verdict
shares_look(const struct rows *rows, const struct cdop_share *share)
{
	const struct slots_set *set;

	if (memcmp(share->registry, rows_registry(rows), CDOP_SHARE_REGISTRY) !=
	    0)
		return SHARES_OTHER;
	set = rows_slots_set(rows, share->set);
	if (set == NULL)
		return SHARES_NO_SET;
	return slots_set_fits(set, share) ? SHARES_TAKEN : SHARES_WRONG;
}

enum shares_verdict
shares_add(struct shares *shares, const struct rows *rows,
    const struct cdop_share *share, uint64_t boot_ms,
    struct shares_count *ret_count)
{
	uint16_t bit = (uint16_t)(1u << (share->x - 1) % SHAMIR_MAX);
	enum shares_verdict verdict;
	struct shares_pile *pile;

	(void)shares_expire(shares, boot_ms);
	verdict = shares_look(rows, share);
	if (verdict != SHARES_TAKEN)
		return verdict;
	pile = pile_of(shares, share->set);
	if (pile == NULL)
		pile = pile_of(shares, 0);
	/* There are as many places as sets; one that went leaves its place. */
	if (pile == NULL)
		return SHARES_NO_SET;
	pile->set = share->set;
	pile->need = rows_slots_set(rows, share->set)->k;
	pile->last_ms = boot_ms;
	if ((pile->given & bit) != 0) {
		verdict = SHARES_TWICE;
	} else {
		pile->given |= bit;
		pile->share[pile->have++] = *share;
	}
	if (pile->have >= pile->need)
		verdict = SHARES_ENOUGH;
	*ret_count =
	    (struct shares_count){pile->set, share->x, pile->have, pile->need};
	return verdict;
}

enum cdop_err
shares_secret(
    const struct shares *shares, uint16_t set, uint8_t ret_s[static 32])
{
	const struct shares_pile *pile = pile_of(shares, set);

	if (set == 0 || pile == NULL || pile->have < pile->need)
		return CDOP_FAILED_PRECONDITION;
	return slots_set_combine(pile->share, pile->have, ret_s);
}

uint16_t
shares_given(const struct shares *shares, uint16_t set)
{
	const struct shares_pile *pile = pile_of(shares, set);

	return set == 0 || pile == NULL ? 0 : pile->given;
}

const char *
shares_verdict_words(enum shares_verdict verdict)
{
	switch (verdict) {
	case SHARES_TAKEN:
		return "good";
	case SHARES_ENOUGH:
		return "good, and there are enough";
	case SHARES_TWICE:
		return "good, and was given before";
	case SHARES_OTHER:
		return "of another registry";
	case SHARES_NO_SET:
		return "of a set that this registry does not have (any more)";
	case SHARES_WRONG:
		return "not the share that was given out under its number";
	}
	return "";
}
