/*
 * The inside of the database, shared by the db*.c files and nobody else:
 * its handle, its transaction, LMDB's codes.
 */
#ifndef CDOP_STORE_DB_CORE_H
#define CDOP_STORE_DB_CORE_H

#include <lmdb.h>

#include "server/store/db.h"

struct reserve;

/* Of the disk, for the reserve to be filled up, before anything else. */
#define DB_CORE_KEEP ((uint64_t)4 << 20)

/* What LMDB makes of its lock file: two pages, for 126 readers. */
#define DB_CORE_LOCK 8192

struct db_txn {
	struct db *db;
	MDB_txn *mdb;
	MDB_cursor *cursor;
	bool write;
	bool has_last;
	uint64_t last; /* no row stands above it */
	enum cdop_err err;
	struct db_read read; /* by walking, without write */
};

/* What the map is known to cover, and what of it is to be given back. */
struct db_core_rest {
	uintptr_t from; /* of a row's page; 0: not known yet */
	uintptr_t end;  /* behind a row, less the pages of the file then */
	size_t at;      /* a round is under way, and has come to here */
	bool due;       /* something was read since a round began */
};

struct db {
	MDB_env *env;
	MDB_dbi dbi;
	int lock_fd;
	bool read_only;
	bool left_over;          /* a copy.mdb was removed */
	uint64_t map_bytes;      /* not 0 */
	char *dir;               /* NULL: a second file (db_copy.h) */
	int old_fd;              /* a file that was replaced; -1: none */
	struct reserve *reserve; /* NULL: none */
	bool marked;             /* dir_mark() */
	size_t reaches;          /* the file is at least so long */
	struct db_txn txn;       /* one at a time */
	bool in_txn;
	struct db_core_rest rest; /* of env */
};

/* The one map of LMDB's and the system's codes. */
enum cdop_err db_core_error(int rc);

/* Opens the one table.  Also looks at its flags, which could be any. */
int db_core_table(MDB_env *env, MDB_dbi *ret_dbi);

/* Opens DIR/data.mdb as db's environment. */
int db_core_open(struct db *db);

#endif
