/*
 * A leaf of the audit log: what the tree hashes, what a receipt hands out
 * and an export holds.  256 bytes, numbers big-endian:
 *
 *	  0  version u8 (1)
 *	  1  kind u8 (1 call, 2 event, 3 statement)
 *	  2  answered u16: the status the asker saw, so that "not yours" and
 *	     "no such case" are the same bytes
 *	  4  call u32: method id, or event number
 *	  8  index u64, from 0
 *	 16  time u64: milliseconds since 1970, UTC, never before the last leaf
 *	 24  tree size u64 before this leaf
 *	 32  actor 32: fingerprint of the device's public key, or zeros
 *	 64  session 16: BLAKE2b of the handshake hash, or zeros
 *	 80  commitment to the request bytes 32
 *	112  commitment to the case 32
 *	144  commitment to the true outcome 32
 *	176  commitment to the counts 32
 *	208  commitment to the reason 32
 *	240  zeros 16
 *
 * A commitment is HMAC-SHA256(salt, value): without its salt nobody can test
 * a guess.  Salts and values are server/registry/audit.h's.  A statement has
 * SHA-256 of the whole signed note (cdop/statement.h) in the first of them
 * and zeros in the other four.
 */
#ifndef CDOP_LEAF_H
#define CDOP_LEAF_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define CDOP_LEAF_LEN      256
#define CDOP_LEAF_SALT_LEN 32

/* A receipt is a logproof with this `extra`: leaf, and the request's salt;
 * the salt is left out where the receipt is only kept. */
#define CDOP_LEAF_RECEIPT_LEN (CDOP_LEAF_LEN + CDOP_LEAF_SALT_LEN)

enum cdop_leaf_kind {
	CDOP_LEAF_CALL = 1,
	CDOP_LEAF_EVENT = 2,
	CDOP_LEAF_STATEMENT = 3,
};

/* The commitments in their order. */
enum cdop_leaf_field {
	CDOP_LEAF_REQUEST,
	CDOP_LEAF_CASE,
	CDOP_LEAF_OUTCOME,
	CDOP_LEAF_COUNTS,
	CDOP_LEAF_REASON,
	CDOP_LEAF_FIELDS,
};

struct cdop_leaf {
	enum cdop_leaf_kind kind;
	uint16_t answered;
	uint32_t call;
	uint64_t index;
	uint64_t time_ms;
	uint64_t size_before;
	uint8_t actor[32];
	uint8_t session[16];
	uint8_t commitment[CDOP_LEAF_FIELDS][32];
};

/* CDOP_INVALID_ARGUMENT: no leaf of this version. */
CDOP_MUST enum cdop_err cdop_leaf_parse(
    struct cdop_bytes bytes, struct cdop_leaf *ret_leaf);
void cdop_leaf_write(
    const struct cdop_leaf *leaf, uint8_t out[static CDOP_LEAF_LEN]);

/* The commitment to n values in a row. */
void cdop_leaf_commit(uint8_t out[static 32],
    const uint8_t salt[static CDOP_LEAF_SALT_LEN],
    const struct cdop_bytes *values, size_t n);

/* Whether the leaf is of this request. */
bool cdop_leaf_is_of(const struct cdop_leaf *leaf,
    const uint8_t salt[static CDOP_LEAF_SALT_LEN], struct cdop_bytes request);

#endif
