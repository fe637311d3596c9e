/*
 * The boot set: what a sealed vault needs to let custodians in, and nothing
 * that opens the registry.  A row of format 2, sealed under a boot key that
 * comes from a file outside the data directory (TRUST M6).
 *
 *     boot    2 u8 || 4 u8 || 0 u16 || 0 u32 || registry id 16 ||
 *             box (envelope.h) of the set, with the context "cdop-boot/1"
 *     set     mode u8 || keys u8 || entries u16 || 0 u32 || 2 of link key 32 ||
 *             64 of (device u32 || person u32 || public key 32 || PSK 32)
 *     K       BLAKE2b-256 keyed with the 32 bytes of the file over
 *             "cdop-boot/1"
 *
 * What is not used is zero: its length tells nothing.  The PSK is the one of
 * a boot session (cdop_link_boot()), from which that of the device does not
 * follow.
 */
#ifndef CDOP_VAULT_BOOT_SET_H
#define CDOP_VAULT_BOOT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define BOOT_SET_ENTRIES 64
#define BOOT_SET_PLAIN   (8 + 2 * 32 + BOOT_SET_ENTRIES * 72)
#define BOOT_SET_HEAD    24
#define BOOT_SET_BOX_MAX (BOOT_SET_PLAIN + 128)
#define BOOT_SET_ROW_MAX (BOOT_SET_HEAD + BOOT_SET_BOX_MAX)

struct boot_set_entry {
	uint32_t device;
	uint32_t person;
	uint8_t public_key[32];
	uint8_t psk[32];
};

/* Holds secrets: in locked memory. */
struct boot_set {
	uint8_t mode;   /* enum registry_mode */
	uint8_t n_keys; /* 1 or 2 */
	uint16_t n;
	uint8_t link[2][32];
	struct boot_set_entry entry[BOOT_SET_ENTRIES];
};

/* K of a boot key file.  As slots_derive_keyfile(). */
CDOP_MUST enum cdop_err boot_set_key(
    struct cdop_bytes file, uint8_t ret_k[static 32]);

/* Is it a row of this type, by what stands in the clear? */
bool boot_set_is_row(struct cdop_bytes row);

/* The row, sealed; *ret_len of it. */
void boot_set_seal(const struct boot_set *set,
    const uint8_t registry[static 16], const uint8_t k[static 32],
    uint8_t ret_row[static BOOT_SET_ROW_MAX], size_t *ret_len);

/* CDOP_DATA_LOSS: damaged, of another registry, or not under this key. */
CDOP_MUST enum cdop_err boot_set_open(struct cdop_bytes row,
    const uint8_t registry[static 16], const uint8_t k[static 32],
    struct boot_set *ret_set);

/* BLAKE2b-256 keyed with k over the set: to see whether it changed. */
void boot_set_hash(const struct boot_set *set, const uint8_t k[static 32],
    uint8_t ret_hash[static 32]);

#endif
