/* The row of a share set, and the shares of its secret. */
#include "server/vault/slots_set.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "server/vault/envelope.h"

#define FORMAT    2
#define TOP       24
#define ENTRY     (CDOP_SHARE_COMMIT + SLOTS_LABEL)
#define SEALED    (TOP + SHAMIR_MAX * ENTRY)
#define SEAL      32
#define HOLDER_AT CDOP_SHARE_COMMIT

_Static_assert(SEALED + SEAL == SLOTS_SET, "the layout of a set");
_Static_assert(SHAMIR_SECRET == CDOP_SHARE_SECRET, "one secret");

bool
slots_set_is_plan(size_t k, size_t n)
{
	return k >= SLOTS_SET_K_MIN && n <= SHAMIR_MAX &&
	    n >= k + SLOTS_SET_SPARE;
}

static void
seal_of(const uint8_t *row, const uint8_t s[static 32],
    uint8_t ret_seal[static SEAL])
{
	static const char word[] = "cdop-slot/1 set";
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, s, 32, SEAL);
	(void)crypto_generichash_update(
	    &state, (const uint8_t *)word, sizeof(word) - 1);
	(void)crypto_generichash_update(&state, row, SEALED);
	(void)crypto_generichash_final(&state, ret_seal, SEAL);
	sodium_memzero(&state, sizeof(state));
}

/* ---- reading ------------------------------------------------------------ */

/* Text up to its zeros, without control characters, and not empty. */
static bool
holder_is_good(const uint8_t *holder)
{
	size_t len, i;

	len = strnlen((const char *)holder, SLOTS_LABEL);
	for (i = 0; i < len; i++)
		if (holder[i] < 0x20 || holder[i] == 0x7f)
			return false;
	return len > 0 && sodium_is_zero(holder + len, SLOTS_LABEL - len);
}

enum cdop_err
slots_set_parse(struct cdop_bytes row, struct slots_set *ret_set)
{
	const uint8_t *p = row.data, *entry;
	struct slots_set set;
	size_t i;

	if (row.len != SLOTS_SET || p[0] != FORMAT || p[1] != SLOTS_TYPE_SET ||
	    cdop_get16(p + 6) != 0 || !slots_set_is_plan(p[4], p[5]))
		return CDOP_DATA_LOSS;
	memset(&set, 0, sizeof(set));
	set.number = cdop_get16(p + 2);
	set.k = p[4];
	set.n = p[5];
	memcpy(set.registry, p + 8, sizeof(set.registry));
	for (i = 0, entry = p + TOP; i < set.n; i++, entry += ENTRY) {
		if (!holder_is_good(entry + HOLDER_AT))
			return CDOP_DATA_LOSS;
		memcpy(set.commit[i], entry, CDOP_SHARE_COMMIT);
		memcpy(set.holder[i], entry + HOLDER_AT, SLOTS_LABEL);
	}
	if (!sodium_is_zero(entry, (size_t)(SHAMIR_MAX - set.n) * ENTRY))
		return CDOP_DATA_LOSS;
	*ret_set = set;
	return CDOP_OK;
}

enum cdop_err
slots_set_check(struct cdop_bytes row, struct cdop_bytes slot,
    const uint8_t root[static 32])
{
	uint8_t s[ENVELOPE_KEY], seal[SEAL];
	struct slots_info info;
	struct slots_set set;
	enum cdop_err err;

	if (slots_set_parse(row, &set) != CDOP_OK ||
	    slots_parse(slot, &info) != CDOP_OK ||
	    info.kind != SLOTS_KIND_SHARES || info.number != set.number)
		return CDOP_DATA_LOSS;
	if ((err = slots_secret(slot, root, s)) != CDOP_OK)
		return err;
	seal_of(row.data, s, seal);
	sodium_memzero(s, sizeof(s));
	return sodium_memcmp(seal, row.data + SEALED, SEAL) == 0
	    ? CDOP_OK
	    : CDOP_DATA_LOSS;
}

bool
slots_set_proves(const struct slots_set *set, uint8_t x,
    const uint8_t proof[static CDOP_SHARE_COMMIT])
{
	uint8_t commit[CDOP_SHARE_COMMIT];

	if (x == 0 || x > set->n)
		return false;
	cdop_share_commit(proof, commit);
	return sodium_memcmp(commit, set->commit[x - 1], sizeof(commit)) == 0;
}

bool
slots_set_fits(const struct slots_set *set, const struct cdop_share *share)
{
	uint8_t proof[CDOP_SHARE_COMMIT];

	if (share->set != set->number ||
	    memcmp(share->registry, set->registry, CDOP_SHARE_REGISTRY) != 0)
		return false;
	cdop_share_proof(share, set->registry, proof);
	return slots_set_proves(set, share->x, proof);
}

enum cdop_err
slots_set_combine(
    const struct cdop_share *shares, size_t n, uint8_t ret_s[static 32])
{
	struct shamir_share points[SHAMIR_MAX];
	enum cdop_err err;
	size_t i;

	if (n > SHAMIR_MAX)
		return CDOP_INVALID_ARGUMENT;
	for (i = 0; i < n; i++) {
		if (shares[i].set != shares[0].set)
			return CDOP_INVALID_ARGUMENT;
		points[i].x = shares[i].x;
		memcpy(points[i].y, shares[i].y, SHAMIR_SECRET);
	}
	err = shamir_combine(points, n, ret_s);
	sodium_memzero(points, sizeof(points));
	return err;
}

/* ---- making ------------------------------------------------------------- */

/* Coefficients that a random source that fails does not give away. */
static void
random_of(const uint8_t s[static 32], const uint8_t *row, size_t n,
    uint8_t *ret_random)
{
	uint8_t context[TOP + 1];
	struct envelope_key above;
	size_t i;

	memcpy(context, row, TOP);
	envelope_key_init(&above, s);
	for (i = 0; i < n; i++) {
		context[TOP] = (uint8_t)i;
		envelope_fresh(&above,
		    (struct cdop_bytes){context, sizeof(context)},
		    ret_random + i * SHAMIR_SECRET);
	}
	sodium_memzero(&above, sizeof(above));
}

/* False: a name that is too long. */
static bool
holder_write(const struct slots_set_new *plan, size_t i, uint8_t *holder)
{
	char name[SLOTS_LABEL + 2];
	int len;

	if (plan->holder[i] == NULL)
		len = snprintf(name, sizeof(name), "share %zu", i + 1);
	else
		len = snprintf(name, sizeof(name), "%s", plan->holder[i]);
	if (len < 0 || len > SLOTS_LABEL)
		return false;
	memcpy(holder, name, (size_t)len);
	return true;
}

static enum cdop_err
split(const struct slots_set_new *plan, const uint8_t s[static 32],
    uint8_t *row, struct cdop_share *ret_shares)
{
	uint8_t random[SHAMIR_MAX * SHAMIR_SECRET];
	struct shamir_share points[SHAMIR_MAX];
	uint8_t proof[CDOP_SHARE_COMMIT];
	enum cdop_err err;
	size_t i;

	random_of(s, row, (size_t)plan->k - 1, random);
	err = shamir_split(s, random, plan->k, plan->n, points);
	for (i = 0; err == CDOP_OK && i < plan->n; i++) {
		memcpy(ret_shares[i].registry, row + 8, CDOP_SHARE_REGISTRY);
		ret_shares[i].set = cdop_get16(row + 2);
		ret_shares[i].x = points[i].x;
		memcpy(ret_shares[i].y, points[i].y, SHAMIR_SECRET);
		cdop_share_proof(&ret_shares[i], row + 8, proof);
		cdop_share_commit(proof, row + TOP + i * ENTRY);
	}
	sodium_memzero(random, sizeof(random));
	sodium_memzero(points, sizeof(points));
	return err;
}

enum cdop_err
slots_set_make(struct cdop_bytes slot, const uint8_t root[static 32],
    const struct slots_set_new *plan, uint8_t ret_row[static SLOTS_SET],
    struct cdop_share ret_shares[static SHAMIR_MAX])
{
	uint8_t row[SLOTS_SET] = {0}, s[ENVELOPE_KEY];
	struct slots_info info;
	struct slots_set set;
	enum cdop_err err;
	size_t i;

	if (!slots_set_is_plan(plan->k, plan->n))
		return CDOP_INVALID_ARGUMENT;
	if ((err = slots_parse(slot, &info)) != CDOP_OK)
		return err;
	row[0] = FORMAT;
	row[1] = SLOTS_TYPE_SET;
	cdop_put16(row + 2, info.number);
	row[4] = plan->k;
	row[5] = plan->n;
	memcpy(row + 8, info.registry, sizeof(info.registry));
	for (i = 0; i < plan->n; i++)
		if (!holder_write(plan, i, row + TOP + i * ENTRY + HOLDER_AT))
			return CDOP_INVALID_ARGUMENT;
	/* What could not be read back is not written. */
	if (slots_set_parse((struct cdop_bytes){row, sizeof(row)}, &set) !=
	    CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	if ((err = slots_secret(slot, root, s)) != CDOP_OK)
		return err;
	err = split(plan, s, row, ret_shares);
	if (err == CDOP_OK) {
		seal_of(row, s, row + SEALED);
		memcpy(ret_row, row, sizeof(row));
	}
	sodium_memzero(s, sizeof(s));
	return err;
}
