/* The definitions as they stand in the paper; see rfc6962.h. */
#include "tests/unit/proto/rfc6962.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HASH CDOP_MERKLE_HASH

static uint8_t mth_of[RFC6962_MOST + 1][RFC6962_MOST + 1][HASH];
static bool mth_known[RFC6962_MOST + 1][RFC6962_MOST + 1];

static uint64_t
largest_power_below(uint64_t n)
{
	uint64_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

/* MTH(D[lo:hi]); leaf i is the two bytes of its number. */
const uint8_t *
rfc6962_mth(uint64_t lo, uint64_t hi)
{
	uint8_t data[2];
	uint64_t k;

	if (mth_known[lo][hi])
		return mth_of[lo][hi];
	if (hi - lo == 1) {
		cdop_put16(data, (uint16_t)lo);
		cdop_merkle_leaf(
		    mth_of[lo][hi], (struct cdop_bytes){data, sizeof(data)});
	} else {
		k = largest_power_below(hi - lo);
		cdop_merkle_node(mth_of[lo][hi], rfc6962_mth(lo, lo + k),
		    rfc6962_mth(lo + k, hi));
	}
	mth_known[lo][hi] = true;
	return mth_of[lo][hi];
}

static void
append(struct cdop_merkle_proof *proof, const uint8_t *hash)
{
	assert_true(proof->n < CDOP_MERKLE_PROOF_MAX);
	memcpy(proof->hash[proof->n++], hash, HASH);
}

/* PATH(m, D[lo:hi]), with m counted from lo. */
void
rfc6962_path(
    uint64_t m, uint64_t lo, uint64_t hi, struct cdop_merkle_proof *proof)
{
	uint64_t k;

	if (hi - lo == 1)
		return;
	k = largest_power_below(hi - lo);
	if (m < k) {
		rfc6962_path(m, lo, lo + k, proof);
		append(proof, rfc6962_mth(lo + k, hi));
	} else {
		rfc6962_path(m - k, lo + k, hi, proof);
		append(proof, rfc6962_mth(lo, lo + k));
	}
}

/* SUBPROOF(m, D[lo:hi], b). */
void
rfc6962_subproof(uint64_t m, uint64_t lo, uint64_t hi, bool b,
    struct cdop_merkle_proof *proof)
{
	uint64_t k;

	if (m == hi - lo) {
		if (!b)
			append(proof, rfc6962_mth(lo, hi));
		return;
	}
	k = largest_power_below(hi - lo);
	if (m <= k) {
		rfc6962_subproof(m, lo, lo + k, b, proof);
		append(proof, rfc6962_mth(lo + k, hi));
	} else {
		rfc6962_subproof(m - k, lo + k, hi, false, proof);
		append(proof, rfc6962_mth(lo, lo + k));
	}
}
