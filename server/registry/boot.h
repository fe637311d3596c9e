/*
 * Keeps the boot set as the registry is: at each commit it looks whether
 * link keys and custodians are still those of the row, and writes it anew
 * where they are not.  Of a daemon without a boot key it takes the row away.
 */
#ifndef CDOP_REGISTRY_BOOT_H
#define CDOP_REGISTRY_BOOT_H

#include "server/registry/registry.h"

struct boot;

/* k: of the boot key, 32 bytes, copied; NULL: there is none. */
CDOP_MUST enum cdop_err boot_new(
    struct registry *reg, const uint8_t *k, struct boot **ret_boot);
void boot_free(struct boot *boot);

/* Within a batch, at its end; now_ms: leaf time.  Errors of rows. */
CDOP_MUST enum cdop_err boot_renew(struct boot *boot, uint64_t now_ms);

/*
 * So many keys of custodians' devices had no place at the last commit: with
 * them nobody comes in while it is sealed.  NULL is fine: 0.
 */
unsigned boot_left_out(const struct boot *boot);

#endif
