/*
 * The row store: sealed rows under growing numbers, as the registry uses
 * them.  It seals and opens, numbers, keeps the state digest, the directory
 * and the head row.  It does not know what is in a row.
 *
 * A batch is
 *
 *     undo_begin(undo);
 *     rows_begin(rows, bytes, n);          room is checked here
 *     rows_put, rows_get, rows_replace ... sticky: the first error stays
 *     rows_commit(rows);                   or rows_abort(rows)
 *     undo_commit(undo);                   or undo_rollback(undo)
 *
 * rows_commit() and rows_abort() end the transaction and wipe the case keys
 * in use; they never touch the undo log.  Whoever began it ends it: after
 * rows_abort(), and after a rows_commit() that did not succeed, with
 * undo_rollback().  After CDOP_DATA_LOSS from rows_commit() nothing is known
 * and the process leaves.
 */
#ifndef CDOP_VAULT_ROWS_H
#define CDOP_VAULT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"
#include "server/vault/slots.h"

struct keystore;
struct rows;
struct undo;

#define ROWS_DATA_MAX    1048487 /* bytes of one row's data */
#define ROWS_CONTEXT_MAX 128     /* bytes that bind a box to its place */

struct rows_args {
	const char *dir;
	uint64_t map_bytes;     /* 0: the default, 16 GiB */
	uint64_t reserve_bytes; /* whole MiB, for rows_begin_last() */
	struct keystore *ks;
	struct undo *undo;
	bool read_only;
};

/* What is known of a row before it is opened. */
struct rows_head {
	uint64_t number;
	uint64_t key_id;
	uint64_t case_id; /* of a CASE row: from its key; else 0 */
	uint32_t version; /* LEAF: its index, modulo 2^32 */
	uint8_t kind;     /* SCHEMA_KIND_* */
	uint8_t schema;
};

/* What rows_put() writes. */
struct rows_new {
	uint8_t kind;
	uint8_t schema;
	uint32_t version;
	uint64_t key_id; /* 0: the newest epoch key of the kind's scope */
	struct cdop_bytes data;
};

/*
 * A new registry in args->dir: ring, slots, epoch keys of REGISTRY, LOG and
 * SEARCH, head row; durable, and each slot opened again from the disk before
 * this returns.  The store is open.  CDOP_ALREADY_EXISTS, CDOP_INVALID_
 * ARGUMENT (no slot, a bad label), and what db_open() says.
 */
CDOP_MUST enum cdop_err rows_create(const struct rows_args *args,
    const uint8_t registry[static 16], const struct slots_new *slots, size_t n,
    struct rows **ret_rows);

/* Sealed: reads the slots and no more.  As db_open(). */
CDOP_MUST enum cdop_err rows_open(
    const struct rows_args *args, struct rows **ret_rows);

/* Ends a transaction that is open, locks the keystore.  NULL is fine. */
void rows_close(struct rows *rows);

/* The registry id, as the ring row says. */
const uint8_t *rows_registry(const struct rows *rows);

/* Slot i of rows_slots(); the order is that of their row numbers. */
size_t rows_slots(const struct rows *rows);
const struct slots_info *rows_slot(const struct rows *rows, size_t i);
/* Is there a slot that shares open? */
bool rows_has_shares(const struct rows *rows);

/*
 * Opens the root through slot i with its K, then ring, epoch keys and head
 * row.  CDOP_UNAUTHENTICATED: not this slot's K.  CDOP_DATA_LOSS: a row on
 * the way is damaged; rows_finding() says which.
 */
CDOP_MUST enum cdop_err rows_unseal(
    struct rows *rows, size_t slot, const uint8_t k[static 32]);

/* Only opens the root and forgets it again: proves a slot. */
CDOP_MUST enum cdop_err rows_prove(
    struct rows *rows, size_t slot, const uint8_t k[static 32]);

/*
 * After CDOP_DATA_LOSS: what was found, in words for an operator, and never
 * content ("row 1/4711 is damaged").  "" where there is nothing to say.
 */
const char *rows_finding(const struct rows *rows);

/* Row numbers for people: "incarnation/counter" in buf of 32 bytes. */
const char *rows_number_text(uint64_t number, char buf[static 32]);

/* ---- A batch ---- */

/*
 * For at most n changes with max_bytes of data in all; there must be room
 * for them before anything is applied.  CDOP_RESOURCE_EXHAUSTED: disk or map
 * is full; nothing began.  CDOP_FAILED_PRECONDITION: not unsealed and
 * scanned.
 */
CDOP_MUST enum cdop_err rows_begin(
    struct rows *rows, size_t max_bytes, size_t n);

/*
 * The same on the last room there is, for what has to be logged when the
 * disk is full (TRUST M16).  CDOP_RESOURCE_EXHAUSTED: that is spent too.
 */
CDOP_MUST enum cdop_err rows_begin_last(
    struct rows *rows, size_t max_bytes, size_t n);

/*
 * Writes directory rows that are due and the head row, and commits.  Ends
 * the batch whatever it returns (see the top).
 */
CDOP_MUST enum cdop_err rows_commit(struct rows *rows);

/* Ends the batch; what was put is gone.  Outside a batch: nothing. */
void rows_abort(struct rows *rows);

/*
 * A new row.  A LEAF gets the next leaf index: row->version has to be its low
 * 32 bits and rows_next_leaf() moves on.  CDOP_INVALID_ARGUMENT: too large, no
 * such kind, or a key of another scope.
 */
CDOP_MUST enum cdop_err rows_put(
    struct rows *rows, const struct rows_new *row, uint64_t *ret_number);

/* The row is gone and row stands in its place under a new number. */
CDOP_MUST enum cdop_err rows_replace(struct rows *rows, uint64_t old,
    const struct rows_new *row, uint64_t *ret_number);

/* CDOP_NOT_FOUND, CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err rows_del(struct rows *rows, uint64_t number);

/*
 * A row, opened; the data lies in arena, followed by a zero byte.  Within a
 * batch or a scan.  ret_head may be NULL.  CDOP_NOT_FOUND: no such row;
 * CDOP_DATA_LOSS: it does not authenticate, rows_finding() says how.
 */
CDOP_MUST enum cdop_err rows_get(struct rows *rows, uint64_t number,
    struct cdop_arena *arena, struct rows_head *ret_head,
    struct cdop_bytes *ret_data);

/*
 * How many rows were put and deleted since it was opened.  Two looks that
 * differ: something was changed between them, and an error leaves half of it.
 */
uint64_t rows_changes(const struct rows *rows);

/* ---- What the head row carries for the audit log ---- */

/* Index of the next leaf: the size of the tree. */
uint64_t rows_next_leaf(const struct rows *rows);

/* Hash of the last leaf, 32 bytes, zeros before the first. */
const uint8_t *rows_leaf_hash(const struct rows *rows);
/* Within a batch, after the leaf was put. */
void rows_set_leaf_hash(struct rows *rows, const uint8_t hash[static 32]);

/* Root of the tree over the leaves, 32 bytes; zeros: there is no tree yet. */
const uint8_t *rows_tree_root(const struct rows *rows);
/* Number of the TILE row that was put last; 0: none was. */
uint64_t rows_tree_tile(const struct rows *rows);
/* Within a batch. */
void rows_set_tree_root(struct rows *rows, const uint8_t root[static 32]);
void rows_set_tree_tile(struct rows *rows, uint64_t number);

uint16_t rows_incarnation(const struct rows *rows);

/*
 * Within a batch: numbers of rows and keys go on under the next incarnation,
 * so that none of a lost timeline ever comes back (TRUST M7).
 * CDOP_RESOURCE_EXHAUSTED: there is none left.
 */
CDOP_MUST enum cdop_err rows_next_incarnation(struct rows *rows);

/* Bytes of the map in use and in all. */
void rows_usage(const struct rows *rows, uint64_t *ret_used, uint64_t *ret_map);

/* ---- Boxes: a few bytes under a case key inside another row ---- */

/*
 * Seals data under key_id, bound to context (the leaf index, say).  The box
 * lies in arena.
 */
CDOP_MUST enum cdop_err rows_box_seal(struct rows *rows, uint64_t key_id,
    struct cdop_bytes context, struct cdop_bytes data, struct cdop_arena *arena,
    struct cdop_bytes *ret_box);

/* CDOP_NOT_FOUND: the key is destroyed.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err rows_box_open(struct rows *rows, uint64_t key_id,
    struct cdop_bytes context, struct cdop_bytes box, struct cdop_arena *arena,
    struct cdop_bytes *ret_data);

#endif
