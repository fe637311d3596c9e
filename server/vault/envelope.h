/*
 * The sealed row of format 1 and the wrapped key: bytes in, bytes out, as
 * server/DESIGN.md, "Rows", lays them down.  No store, no clock, no table
 * of keys.
 */
#ifndef CDOP_VAULT_ENVELOPE_H
#define CDOP_VAULT_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define ENVELOPE_KEY      32
#define ENVELOPE_REGISTRY 16
#define ENVELOPE_OVERHEAD 73      /* format, nonce, head, length, tag */
#define ENVELOPE_ROW_MAX  1048560 /* the largest size class */
#define ENVELOPE_DATA_MAX (ENVELOPE_ROW_MAX - ENVELOPE_OVERHEAD)
#define ENVELOPE_WRAP     104 /* nonce 24, sealed key 48, commitment 32 */

/* What became of a row; every finding has its own words. */
enum envelope_verdict {
	ENVELOPE_FINE = 0,
	ENVELOPE_DAMAGED,       /* head, seal, length or padding is wrong */
	ENVELOPE_MISPLACED,     /* whole, but under another number */
	ENVELOPE_UNKNOWN_KEY,   /* whole head, no such key in the key table */
	ENVELOPE_UNKNOWN_KIND,  /* whole head, no such kind, or not its scope */
	ENVELOPE_UNKNOWN_FORMAT /* its first byte is none that there is */
};

/* "fine", "damaged", "misplaced", "under an unknown key" ... */
const char *envelope_verdict_name(enum envelope_verdict verdict);

/* What the masked head says. */
struct envelope_head {
	uint8_t kind;
	uint8_t schema;
	uint8_t check[4]; /* as it was parsed; nobody else sets it */
	uint64_t key_id;
	uint32_t version;
	uint64_t number;
};

enum envelope_use {
	ENVELOPE_SEAL,
	ENVELOPE_NONCE,
	ENVELOPE_WRAPS,
	ENVELOPE_BOX,
	ENVELOPE_USES
};

/*
 * A key as it is used.  Each subkey is made when it is first wanted: a start
 * and a copy open each case with one of four.  Locked memory.
 */
struct envelope_key {
	uint8_t raw[ENVELOPE_KEY];
	uint8_t sub[ENVELOPE_USES][ENVELOPE_KEY]; /* envelope.c's alone */
	bool made[ENVELOPE_USES];
};

/* What all rows of a registry share.  Locked memory. */
struct envelope_ring {
	uint8_t registry[ENVELOPE_REGISTRY];
	uint8_t header[ENVELOPE_KEY];
	uint8_t digest[ENVELOPE_KEY];
};

void envelope_key_init(
    struct envelope_key *key, const uint8_t k[static ENVELOPE_KEY]);

/*
 * A new key that stays secret where the random source fails (TRUST S17):
 * BLAKE2b-256 keyed with the nonce subkey of the key above it over
 * "cdop-key/1" || 32 random bytes || context.
 */
void envelope_fresh(struct envelope_key *above, struct cdop_bytes context,
    uint8_t out[static ENVELOPE_KEY]);

/*
 * The key of an id, made from the 32 secret bytes of a copy (adr/0019):
 * BLAKE2b-256 keyed with them over "cdop-key/1" || id.
 */
void envelope_renewed(const uint8_t secret[static ENVELOPE_KEY], uint64_t id,
    uint8_t out[static ENVELOPE_KEY]);

/* Bytes of the row that holds data_len bytes; 0: too large. */
size_t envelope_row_len(size_t data_len);

/* Is it one of the size classes?  Asked before a byte of the row is read. */
bool envelope_is_row_len(size_t row_len);

/*
 * Seals data into row, which holds envelope_row_len(data.len) bytes.  data
 * may not overlap row.
 */
void envelope_seal(const struct envelope_ring *ring, struct envelope_key *key,
    const struct envelope_head *head, struct cdop_bytes data, uint8_t *row);

/* ENVELOPE_FINE, _DAMAGED or _MISPLACED; number is the key in the table. */
enum envelope_verdict envelope_head_parse(const struct envelope_ring *ring,
    struct cdop_bytes row, uint64_t number, struct envelope_head *ret_head);

/*
 * Opens a row whose head was parsed.  out holds row.len bytes; *ret_data
 * points into it and is followed by a zero byte.  ENVELOPE_FINE or _DAMAGED
 * (then out is wiped).
 */
enum envelope_verdict envelope_unseal(const struct envelope_ring *ring,
    struct envelope_key *key, const struct envelope_head *head,
    struct cdop_bytes row, uint8_t *out, struct cdop_bytes *ret_data);

/*
 * Wrap(key, x) of DESIGN.md.  label is every byte before the first Wrap of
 * the row plus its ordinal, or the words of a key row.
 */
void envelope_wrap(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes label,
    const uint8_t x[static ENVELOPE_KEY], uint8_t out[static ENVELOPE_WRAP]);

/*
 * CDOP_UNAUTHENTICATED: another key or another label (the commitment does
 * not fit).  CDOP_DATA_LOSS: the right key, but damaged.
 */
CDOP_MUST enum cdop_err envelope_unwrap(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes label,
    const uint8_t in[static ENVELOPE_WRAP], uint8_t ret_x[static ENVELOPE_KEY]);

/*
 * A few bytes under a key of the table inside a row of another scope (the
 * case box of a leaf): nonce 24 || sealed (length u32 || data || zeros to a
 * multiple of 64).  context, at most 128 bytes, binds it to its place.
 * envelope_box_len() is the length of a box, 0: too large.
 */
size_t envelope_box_len(size_t data_len);
void envelope_box_seal(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes context,
    struct cdop_bytes data, uint8_t *out);
/* out holds box.len bytes.  ENVELOPE_FINE or _DAMAGED. */
enum envelope_verdict envelope_box_unseal(struct envelope_key *key,
    const uint8_t registry[static ENVELOPE_REGISTRY], struct cdop_bytes context,
    struct cdop_bytes box, uint8_t *out, struct cdop_bytes *ret_data);

/*
 * What a row adds to the state digest: BLAKE2b-256 keyed with the digest key
 * over number || its last 16 bytes (format 2: all of it).
 */
void envelope_digest(const struct envelope_ring *ring, uint64_t number,
    struct cdop_bytes row, uint8_t out[static 32]);

#endif
