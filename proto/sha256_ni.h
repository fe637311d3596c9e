/* SHA-256's inner function by x86 instructions; for sha256.c only. */
#ifndef CDOP_PROTO_SHA256_NI_H
#define CDOP_PROTO_SHA256_NI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64

bool cdop_sha256_ni_is_there(void);

/* n whole blocks; only where the instructions are there. */
void cdop_sha256_ni_blocks(
    uint32_t state[static 8], const uint8_t *data, size_t n);

#endif
