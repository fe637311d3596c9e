/* Blocks, padding and keys around the one inner function. */
#include "cdop/sha256.h"

#include <sodium.h>
#include <string.h>

#include "proto/sha256_ni.h"

#define BLOCK  SHA256_BLOCK
#define LENGTH 8 /* bytes that end the last block */

_Static_assert(CDOP_SHA256_LEN == crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(CDOP_SHA256_KEY_LEN == crypto_auth_hmacsha256_KEYBYTES, "HMAC");

struct run {
	uint32_t state[8];
	uint64_t len;
	size_t held; /* of block; never all of it */
	uint8_t block[BLOCK];
};

static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
    0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static bool is_slow;

void
cdop_sha256_set_slow(bool slow)
{
	is_slow = slow;
}

bool
cdop_sha256_is_fast(void)
{
	static int known; /* 1: it is, -1: it is not */

	if (known == 0)
		known = cdop_sha256_ni_is_there() ? 1 : -1;
	return known > 0 && !is_slow;
}

/* ---- by the processor -------------------------------------------------- */

static void
begin(struct run *run)
{
	memcpy(run->state, first, sizeof(first));
	run->len = 0;
	run->held = 0;
}

static void
take(struct run *run, struct cdop_bytes part)
{
	size_t room = BLOCK - run->held, whole;

	run->len += part.len;
	if (part.len < room) {
		if (part.len > 0)
			memcpy(run->block + run->held, part.data, part.len);
		run->held += part.len;
		return;
	}
	if (run->held > 0) {
		memcpy(run->block + run->held, part.data, room);
		cdop_sha256_ni_blocks(run->state, run->block, 1);
		part.data += room;
		part.len -= room;
	}
	whole = part.len / BLOCK;
	cdop_sha256_ni_blocks(run->state, part.data, whole);
	run->held = part.len - whole * BLOCK;
	memcpy(run->block, part.data + whole * BLOCK, run->held);
}

static void
end(struct run *run, uint8_t *out)
{
	size_t i;

	run->block[run->held++] = 0x80;
	memset(run->block + run->held, 0, BLOCK - run->held);
	if (run->held > BLOCK - LENGTH) {
		cdop_sha256_ni_blocks(run->state, run->block, 1);
		memset(run->block, 0, BLOCK);
	}
	cdop_put64(run->block + BLOCK - LENGTH, run->len * 8);
	cdop_sha256_ni_blocks(run->state, run->block, 1);
	for (i = 0; i < 8; i++)
		cdop_put32(out + 4 * i, run->state[i]);
}

/* A key's block, with each byte of it turned by mask. */
static void
take_key(struct run *run, const uint8_t *key, uint8_t mask)
{
	uint8_t block[BLOCK];
	size_t i;

	begin(run);
	for (i = 0; i < BLOCK; i++)
		block[i] =
		    (uint8_t)((i < CDOP_SHA256_KEY_LEN ? key[i] : 0) ^ mask);
	take(run, (struct cdop_bytes){block, sizeof(block)});
	sodium_memzero(block, sizeof(block));
}

static void
fast_mac(
    uint8_t *out, const uint8_t *key, const struct cdop_bytes *parts, size_t n)
{
	uint8_t inner[CDOP_SHA256_LEN];
	struct run run, outer;
	size_t i;

	take_key(&outer, key, 0x5c);
	take_key(&run, key, 0x36);
	for (i = 0; i < n; i++)
		take(&run, parts[i]);
	end(&run, inner);
	take(&outer, (struct cdop_bytes){inner, sizeof(inner)});
	end(&outer, out);
	sodium_memzero(&run, sizeof(run));
	sodium_memzero(&outer, sizeof(outer));
	sodium_memzero(inner, sizeof(inner));
}

/* ---- whichever it is --------------------------------------------------- */

void
cdop_sha256(uint8_t out[static CDOP_SHA256_LEN], const struct cdop_bytes *parts,
    size_t n)
{
	crypto_hash_sha256_state state;
	struct run run;
	size_t i;

	if (cdop_sha256_is_fast()) {
		begin(&run);
		for (i = 0; i < n; i++)
			take(&run, parts[i]);
		end(&run, out);
		return;
	}
	(void)crypto_hash_sha256_init(&state);
	for (i = 0; i < n; i++)
		if (parts[i].len > 0)
			(void)crypto_hash_sha256_update(
			    &state, parts[i].data, parts[i].len);
	(void)crypto_hash_sha256_final(&state, out);
}

void
cdop_sha256_mac(uint8_t out[static CDOP_SHA256_LEN],
    const uint8_t key[static CDOP_SHA256_KEY_LEN],
    const struct cdop_bytes *parts, size_t n)
{
	crypto_auth_hmacsha256_state state;
	size_t i;

	if (cdop_sha256_is_fast()) {
		fast_mac(out, key, parts, n);
		return;
	}
	(void)crypto_auth_hmacsha256_init(&state, key, CDOP_SHA256_KEY_LEN);
	for (i = 0; i < n; i++)
		if (parts[i].len > 0)
			(void)crypto_auth_hmacsha256_update(
			    &state, parts[i].data, parts[i].len);
	(void)crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}
