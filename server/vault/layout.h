/*
 * What stands inside the rows that the vault writes for itself: head row,
 * directory row, key rows.  Fixed layouts (server/DESIGN.md), so that they
 * can be read with nothing but that page.  Bytes in, bytes out.
 */
#ifndef CDOP_VAULT_LAYOUT_H
#define CDOP_VAULT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "server/vault/envelope.h"
#include "server/vault/keystore.h"

#define LAYOUT_SCHEMA   1 /* of all four */
#define LAYOUT_HEAD     176
#define LAYOUT_DIR      528
#define LAYOUT_EPOCH    168
#define LAYOUT_CASE     120
#define LAYOUT_DIR_ROWS 4096 /* numbers that one directory row tells of */

/* Row numbers: incarnation u16 || counter u48. */
#define LAYOUT_COUNTER_MAX ((UINT64_C(1) << 48) - 1)

/* The head row: what every commit replaces. */
struct layout_head {
	uint64_t next_row; /* counters */
	uint64_t next_slot_row;
	uint64_t next_leaf;
	uint64_t next_key;
	uint16_t incarnation;
	uint16_t next_slot;     /* slot numbers are never used again */
	uint8_t digest[32];     /* of the rows that a start reads */
	uint8_t log_digest[32]; /* of the others */
	uint8_t leaf_hash[32];
	/* Zeros: no leaf yet, or leaves from before there was a tree. */
	uint8_t root[32];
	uint64_t tile_row; /* of the tile that was put last; 0: none */
};

/* A directory row. */
struct layout_dir {
	uint64_t first;                    /* number of bit 0 */
	uint64_t next_leaf;                /* when it was written */
	uint8_t bits[LAYOUT_DIR_ROWS / 8]; /* set: nothing for a start */
};

/* A key row, EPOCH_KEY or CASE_KEY. */
struct layout_key {
	uint64_t id;
	uint8_t scope;
	uint64_t case_id;                 /* CASE */
	char area[KEYSTORE_AREA_MAX + 1]; /* AREA */
	uint8_t wrap[ENVELOPE_WRAP];
};

/* The number of a counter, and back. */
uint64_t layout_number(uint16_t incarnation, uint64_t counter);
uint16_t layout_incarnation(uint64_t number);
uint64_t layout_counter(uint64_t number);

void layout_head_write(
    const struct layout_head *head, uint8_t out[static LAYOUT_HEAD]);
CDOP_MUST enum cdop_err layout_head_parse(
    struct cdop_bytes in, struct layout_head *ret_head);

void layout_dir_write(
    const struct layout_dir *dir, uint8_t out[static LAYOUT_DIR]);
CDOP_MUST enum cdop_err layout_dir_parse(
    struct cdop_bytes in, struct layout_dir *ret_dir);

/* Bit of a number in a directory. */
bool layout_dir_has(const struct layout_dir *dir, uint64_t number);
void layout_dir_set(struct layout_dir *dir, uint64_t number);

void layout_epoch_write(
    const struct layout_key *key, uint8_t out[static LAYOUT_EPOCH]);
CDOP_MUST enum cdop_err layout_epoch_parse(
    struct cdop_bytes in, struct layout_key *ret_key);
void layout_case_write(
    const struct layout_key *key, uint8_t out[static LAYOUT_CASE]);
CDOP_MUST enum cdop_err layout_case_parse(
    struct cdop_bytes in, struct layout_key *ret_key);

/* "key" || key id || wrapping key id || scope: the label of a key's Wrap. */
#define LAYOUT_LABEL 20
void layout_label(uint64_t key, uint64_t wrapped_by, uint8_t scope,
    uint8_t out[static LAYOUT_LABEL]);

/* a += b and a -= b, modulo 2^256, as little-endian numbers. */
void layout_digest_add(uint8_t a[static 32], const uint8_t b[static 32]);
void layout_digest_sub(uint8_t a[static 32], const uint8_t b[static 32]);

#endif
