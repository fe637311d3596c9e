/*
 * Slots and the ring: the rows of format 2, which a sealed vault reads
 * without a key.  Bytes in, bytes out; no store, no prompt, no file.
 *
 *     slot = head || Wrap(K, S) || Wrap(S, root) || Wrap(root, S)
 *
 * K comes from a key file or a passphrase and may be derived in another
 * process: slots_parse() gives what that needs, slots_open() takes the 32
 * bytes back.  S, the slot's own secret, stays when the root turns, so a
 * rotation needs no holder (slots_turn).  Shares are shares of S itself: then
 * there is no Wrap(K, S) but zeros, and K is S (slots_set.h).
 */
#ifndef CDOP_VAULT_SLOTS_H
#define CDOP_VAULT_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define SLOTS_ROW        400
#define SLOTS_RING       232
#define SLOTS_LABEL      40 /* bytes of UTF-8, at most */
#define SLOTS_SALT       16
#define SLOTS_KEYFILE    32         /* bytes of a key file */
#define SLOTS_MEMORY_MAX (1u << 20) /* KiB: 1 GiB */
#define SLOTS_MEMORY_MIN (1u << 13) /* KiB: 8 MiB */
#define SLOTS_PASSES_MAX 8
/* Of a passphrase, where nobody says otherwise: init, slot add, renew-root. */
#define SLOTS_PASSES 4
#define SLOTS_MEMORY 262144 /* KiB */
#define SLOTS_MAX    64     /* in one registry */

enum slots_kind {
	SLOTS_KIND_KEYFILE = 1,
	SLOTS_KIND_PASSPHRASE = 2,
	SLOTS_KIND_CREDENTIAL = 3, /* of the service manager: as a key file */
	SLOTS_KIND_SHARES = 4,     /* k of n people together */
};

/* The type byte of format 2. */
enum slots_type {
	SLOTS_TYPE_SLOT = 1,
	SLOTS_TYPE_RING = 2,
	SLOTS_TYPE_SET = 3,  /* slots_set.h */
	SLOTS_TYPE_BOOT = 4, /* boot_set.h */
};

struct slots_kdf {
	uint8_t salt[SLOTS_SALT];
	uint32_t passes;
	uint32_t memory_kib;
};

/* What stands in the clear. */
struct slots_info {
	uint16_t number; /* never used again */
	uint8_t kind;    /* enum slots_kind */
	uint8_t state;   /* 1: in use */
	uint8_t registry[16];
	struct slots_kdf kdf; /* zeros but for a passphrase */
	char label[SLOTS_LABEL + 1];
};

/* The new slot of an init or an enrolment. */
struct slots_new {
	enum slots_kind kind;
	const char *label;
	struct slots_kdf kdf; /* for a passphrase: from slots_kdf_new() */
	const uint8_t *k;     /* 32 bytes in locked memory; of shares: none */
};

/*
 * A label or a holder as a person may see it: these stand unsealed, so whoever
 * writes on the disk can put anything there.
 */
const char *slots_shown(const char *label, char out[static SLOTS_LABEL + 1]);

/* "key file", "passphrase", "credential", "shares": for people. */
const char *slots_kind_name(uint8_t kind);

/* It is opened with the 32 bytes of a file. */
bool slots_kind_is_file(uint8_t kind);

/* A fresh salt and the given cost.  CDOP_INVALID_ARGUMENT: out of bounds. */
CDOP_MUST enum cdop_err slots_kdf_new(
    uint32_t passes, uint32_t memory_kib, struct slots_kdf *ret_kdf);

/*
 * Checked before anything is used: lengths, kind, state, cost, label.
 * CDOP_DATA_LOSS.
 */
CDOP_MUST enum cdop_err slots_parse(
    struct cdop_bytes row, struct slots_info *ret_info);

/*
 * K of a passphrase: Argon2id at the slot's cost, bounded first.  Takes
 * seconds and up to 1 GiB: not in the vault.  CDOP_INVALID_ARGUMENT: cost
 * out of bounds.  CDOP_RESOURCE_EXHAUSTED: no memory.
 */
CDOP_MUST enum cdop_err slots_derive_passphrase(const struct slots_kdf *kdf,
    struct cdop_bytes passphrase, uint8_t ret_k[static 32]);

/* K of a key file.  CDOP_INVALID_ARGUMENT: not 32 bytes, or all the same. */
CDOP_MUST enum cdop_err slots_derive_keyfile(
    struct cdop_bytes file, uint8_t ret_k[static 32]);

/* A slot row for root.  CDOP_INVALID_ARGUMENT: label or cost. */
CDOP_MUST enum cdop_err slots_make(const uint8_t registry[static 16],
    uint16_t number, const struct slots_new *slot,
    const uint8_t root[static 32], uint8_t ret_row[static SLOTS_ROW]);

/*
 * The root.  CDOP_UNAUTHENTICATED: not the K of this slot (wrong passphrase
 * or key file).  CDOP_DATA_LOSS: the right K, but damaged.
 */
CDOP_MUST enum cdop_err slots_open(struct cdop_bytes row,
    const uint8_t k[static 32], uint8_t ret_root[static 32]);

/*
 * Is the slot whole and for this root?  Everything but Wrap(K, S), which only
 * its holder can try.  CDOP_DATA_LOSS.
 */
CDOP_MUST enum cdop_err slots_check(
    struct cdop_bytes row, const uint8_t root[static 32]);

/* S, for whoever has the root.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err slots_secret(struct cdop_bytes row,
    const uint8_t root[static 32], uint8_t ret_s[static 32]);

/* The same slot for another root; the holder is not needed. */
CDOP_MUST enum cdop_err slots_turn(struct cdop_bytes row,
    const uint8_t old_root[static 32], const uint8_t new_root[static 32],
    uint8_t ret_row[static SLOTS_ROW]);

/* The ring row: header key and digest key under the root. */
void slots_ring_make(const uint8_t registry[static 16],
    const uint8_t root[static 32], const uint8_t header[static 32],
    const uint8_t digest[static 32], uint8_t ret_row[static SLOTS_RING]);

/* The registry id of a ring row; CDOP_DATA_LOSS: it is none. */
CDOP_MUST enum cdop_err slots_ring_parse(
    struct cdop_bytes row, uint8_t ret_registry[static 16]);

/* As slots_open(). */
CDOP_MUST enum cdop_err slots_ring_open(struct cdop_bytes row,
    const uint8_t root[static 32], uint8_t ret_header[static 32],
    uint8_t ret_digest[static 32]);

#endif
