/* SHA-256 and its HMAC; see cdop/sha256.h. */
#include "cdop/sha256.h"

#include <nettle/hmac.h>
#include <sodium.h>

void
cdop_sha256_init(struct cdop_sha256 *hash)
{
	sha256_init(&hash->state);
}

void
cdop_sha256_update(struct cdop_sha256 *hash, const void *data, size_t len)
{
	if (len > 0)
		sha256_update(&hash->state, len, data);
}

void
cdop_sha256_final(struct cdop_sha256 *hash, uint8_t out[static CDOP_SHA256_LEN])
{
	sha256_digest(&hash->state, CDOP_SHA256_LEN, out);
	/* nettle begins anew, and leaves the last bytes where they are. */
	sodium_memzero(hash->state.block, sizeof(hash->state.block));
}

void
cdop_sha256(uint8_t out[static CDOP_SHA256_LEN], struct cdop_bytes bytes)
{
	struct cdop_sha256 hash;

	cdop_sha256_init(&hash);
	cdop_sha256_update(&hash, bytes.data, bytes.len);
	cdop_sha256_final(&hash, out);
}

void
cdop_sha256_hmac(uint8_t out[static CDOP_SHA256_LEN],
    const uint8_t key[static CDOP_SHA256_LEN], const struct cdop_bytes *parts,
    size_t n)
{
	struct hmac_sha256_ctx state;
	size_t i;

	hmac_sha256_set_key(&state, CDOP_SHA256_LEN, key);
	for (i = 0; i < n; i++)
		if (parts[i].len > 0)
			hmac_sha256_update(&state, parts[i].len, parts[i].data);
	hmac_sha256_digest(&state, CDOP_SHA256_LEN, out);
	sodium_memzero(&state, sizeof(state));
}
