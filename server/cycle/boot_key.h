/*
 * The boot key and the set that it opens: what lets custodians in while the
 * registry is sealed (TRUST M6).
 */
#ifndef CDOP_CYCLE_BOOT_KEY_H
#define CDOP_CYCLE_BOOT_KEY_H

#include "server/vault/boot_set.h"

struct lockmem;
struct rows;

struct boot_key {
	uint8_t k[32];
	bool has_set;
	struct boot_set set;
};

/*
 * The key in file fd, in mem, which outlives it, and the set of rows where
 * it opens one.  fd -1: there is none, and NULL.  What is wrong is logged.
 * CDOP_RESOURCE_EXHAUSTED; CDOP_INVALID_ARGUMENT: no key file.
 */
CDOP_MUST enum cdop_err boot_key_open(int fd, struct lockmem *mem,
    const struct rows *rows, struct boot_key **ret_boot);

/* Wipes.  NULL is fine. */
void boot_key_close(struct boot_key *boot, struct lockmem *mem);

#endif
