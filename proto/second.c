/* The hash that binds a second person to a request; see cdop/second.h. */
#include "cdop/second.h"

#include <sodium.h>
#include <string.h>

static const char label[] = "cdop-second/1";

void
cdop_second_hash(
    uint8_t out[static CDOP_SECOND_LEN], const struct cdop_second *second)
{
	uint8_t request[crypto_hash_sha256_BYTES];
	uint8_t numbers[8];
	crypto_hash_sha256_state state;

	crypto_hash_sha256(request, second->request.data, second->request.len);
	cdop_put32(numbers, second->method);
	cdop_put32(numbers + 4, second->requester);
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(
	    &state, (const uint8_t *)label, strlen(label));
	crypto_hash_sha256_update(&state, second->registry, 16);
	crypto_hash_sha256_update(&state, numbers, sizeof(numbers));
	crypto_hash_sha256_update(&state, second->request_key, 16);
	crypto_hash_sha256_update(&state, request, sizeof(request));
	crypto_hash_sha256_update(&state, second->target_version, 32);
	crypto_hash_sha256_final(&state, out);
}
