/* The hash that binds a second person to a request; see cdop/second.h. */
#include "cdop/second.h"

#include <string.h>

#include "cdop/sha256.h"

static const char label[] = "cdop-second/1";

void
cdop_second_hash(
    uint8_t out[static CDOP_SECOND_LEN], const struct cdop_second *second)
{
	uint8_t request[CDOP_SHA256_LEN];
	uint8_t numbers[8];
	struct cdop_sha256 hash;

	cdop_sha256(request, second->request);
	cdop_put32(numbers, second->method);
	cdop_put32(numbers + 4, second->requester);
	cdop_sha256_init(&hash);
	cdop_sha256_update(&hash, label, strlen(label));
	cdop_sha256_update(&hash, second->registry, 16);
	cdop_sha256_update(&hash, numbers, sizeof(numbers));
	cdop_sha256_update(&hash, second->request_key, 16);
	cdop_sha256_update(&hash, request, sizeof(request));
	cdop_sha256_update(&hash, second->target_version, 32);
	cdop_sha256_final(&hash, out);
}
