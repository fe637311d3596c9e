/*
 * A leaf of the audit log: what the tree hashes, what a receipt hands out
 * and an export holds.  Its bytes stand in proto/PROTOCOL.md, "Leaves"; what
 * is committed to, and with which salts, is server/registry/audit.h's.
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

/* Whether the leaf is of this statement, a signed note. */
bool cdop_leaf_is_of_statement(
    const struct cdop_leaf *leaf, struct cdop_bytes note);

/* Whether the leaf is of this request. */
bool cdop_leaf_is_of(const struct cdop_leaf *leaf,
    const uint8_t salt[static CDOP_LEAF_SALT_LEN], struct cdop_bytes request);

#endif
