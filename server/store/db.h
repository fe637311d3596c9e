/*
 * The only user of LMDB: one table of rows under growing numbers.
 *
 * It knows numbers and bytes, nothing of keys, kinds or meaning.  A write
 * transaction is sticky: the first error is kept, later calls return it at
 * once, and db_commit() reports it and always consumes the handle.
 *
 * Each commit raises the highest number, and db_room() comes before every
 * write transaction: opening a file relies on both.
 *
 * One process has a directory open at a time (flock on DIR).  LMDB has
 * no checksums: a damaged file can end the process that reads it with a
 * signal; verify looks with store/pages.h first and walks in a child.
 */
#ifndef CDOP_STORE_DB_H
#define CDOP_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

struct db;
struct db_txn;

#define DB_MAP_DEFAULT ((uint64_t)16 << 30) /* large and sparse */
#define DB_PAGE        4096

struct db_args {
	const char *dir;
	uint64_t map_bytes; /* 0: DB_MAP_DEFAULT */
	/* Kept for db_room_last(), on the disk and in the map; whole MiB. */
	uint64_t reserve_bytes;
	bool create;    /* the directory is made, or is empty */
	bool read_only; /* for verify: nothing is written */
};

/*
 * Opens DIR/data.mdb (0600) in DIR (0700).
 * CDOP_FAILED_PRECONDITION: another process has it open.
 * CDOP_ALREADY_EXISTS: create, and there is a registry.
 * CDOP_NOT_FOUND: not create, and there is none.
 * CDOP_PERMISSION_DENIED: the system says so, or DIR is open to others.
 * CDOP_DATA_LOSS: not an LMDB file, or damaged.
 */
CDOP_MUST enum cdop_err db_open(const struct db_args *args, struct db **ret_db);

/* A copy that was not finished (db_copy.h) lay there and was removed. */
bool db_left_over(const struct db *db);

/* No transaction may be open.  NULL is fine. */
void db_close(struct db *db);

/*
 * Before a write transaction, and only outside one: makes sure that pages
 * new pages fit into the map and the file, writing zeros behind the present
 * end of the file in steps of 1 MiB, synced.  CDOP_RESOURCE_EXHAUSTED: map
 * or disk is full; nothing was changed.  CDOP_DATA_LOSS: the disk failed.
 */
CDOP_MUST enum cdop_err db_room(struct db *db, size_t pages);

/*
 * The same for what has to go on when the disk is full: takes from the
 * reserve what is missing.  CDOP_RESOURCE_EXHAUSTED: that is spent too.
 */
CDOP_MUST enum cdop_err db_room_last(struct db *db, size_t pages);

/*
 * A step of filling the reserve up again, outside a transaction.
 * CDOP_RESOURCE_EXHAUSTED: the disk has not enough room for that yet.
 */
CDOP_MUST enum cdop_err db_reserve_fill(struct db *db);

/* A step of it back to the file system, if it has one. */
void db_reserve_give(struct db *db);

/* What the reserve has, and when it is whole, in bytes. */
void db_reserve(const struct db *db, uint64_t *ret_have, uint64_t *ret_want);

/* Bytes of the map in use and in all: the alarm is at half. */
void db_usage(struct db *db, uint64_t *ret_used, uint64_t *ret_map);

/*
 * A write transaction; one at a time, never nested.  CDOP_DATA_LOSS: the
 * environment failed before and must be opened again.
 */
CDOP_MUST enum cdop_err db_begin(struct db *db, struct db_txn **ret_txn);

/* A snapshot for reading. */
CDOP_MUST enum cdop_err db_begin_read(struct db *db, struct db_txn **ret_txn);

/*
 * Always consumes txn.  CDOP_OK: durable.  CDOP_RESOURCE_EXHAUSTED: no room,
 * found before the meta page was written: nothing happened.  Any other
 * result of a transaction that was well until now is CDOP_DATA_LOSS: what is
 * on disk is not known, and the process has to leave.
 */
CDOP_MUST enum cdop_err db_commit(struct db_txn *txn);

/* Consumes txn; NULL is fine.  Ends a snapshot too. */
void db_abort(struct db_txn *txn);

/*
 * The bytes of a row, in LMDB's map: read-only, and dead at the next put or
 * del of this transaction.  CDOP_NOT_FOUND does not stick.
 */
CDOP_MUST enum cdop_err db_get(
    struct db_txn *txn, uint64_t number, struct cdop_bytes *ret_row);

/* A new row; appended where number is the highest.  A number in use is
 * CDOP_INTERNAL. */
CDOP_MUST enum cdop_err db_put(
    struct db_txn *txn, uint64_t number, struct cdop_bytes row);

/* The same row with other bytes.  CDOP_NOT_FOUND sticks. */
CDOP_MUST enum cdop_err db_overwrite(
    struct db_txn *txn, uint64_t number, struct cdop_bytes row);

/* CDOP_NOT_FOUND sticks. */
CDOP_MUST enum cdop_err db_del(struct db_txn *txn, uint64_t number);

/*
 * Walking: the first row at or above from, the last at or below.  They name
 * the number they found.  CDOP_NOT_FOUND: none, does not stick.
 * CDOP_DATA_LOSS: a key that is no number, or out of order.
 */
CDOP_MUST enum cdop_err db_next(struct db_txn *txn, uint64_t from,
    uint64_t *ret_number, struct cdop_bytes *ret_row);
CDOP_MUST enum cdop_err db_previous(struct db_txn *txn, uint64_t from,
    uint64_t *ret_number, struct cdop_bytes *ret_row);

/*
 * A stretch of the map that a walk has read and does not come back to.  It
 * is let go in steps, as to close a map takes 0.5 us for each page of it
 * that was read.  Whoever reads there again reads the file again.
 */
struct db_read {
	const uint8_t *from; /* NULL: nothing yet */
	const uint8_t *to;
};

void db_read_add(struct db_read *read, struct cdop_bytes row);
void db_read_let_go(struct db_read *read);

/*
 * All that db_next() and db_previous() have read in this snapshot: after a
 * walk through everything, whose pages would count as ours for ever.
 */
void db_let_go(struct db_txn *txn);

/*
 * Outside a transaction, when there is nothing to do: a step, of most bytes
 * (whole pages), of giving back the pages of the file that were read since
 * the last time.  They stay in the memory of the system as long as it has
 * room, but are not ours any more.  Does nothing before a walk through
 * everything has shown where they are.
 */
void db_rest(struct db *db, size_t most);

/* How many rows the table says it has. */
CDOP_MUST enum cdop_err db_count(struct db_txn *txn, uint64_t *ret_n);

#endif
