/*
 * What the second person of an act signs up to: one hash over exactly what
 * was asked (PROTOCOL.md, "Acts of two people").  The approver's client
 * makes it from what it was sent and has shown; the daemon from what it
 * keeps.
 */
#ifndef CDOP_SECOND_H
#define CDOP_SECOND_H

#include "cdop/bytes.h"

#define CDOP_SECOND_LEN 32

struct cdop_second {
	const uint8_t *registry; /* 16 */
	uint32_t method;
	uint32_t requester;         /* person */
	const uint8_t *request_key; /* 16 */
	struct cdop_bytes request;
	const uint8_t *target_version; /* 32 */
};

/*
 * SHA-256("cdop-second/1" || registry id || method u32 || requester u32 ||
 * request key || SHA-256(request bytes) || target version), big-endian.
 */
void cdop_second_hash(
    uint8_t out[static CDOP_SECOND_LEN], const struct cdop_second *second);

#endif
