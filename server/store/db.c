/* Transactions and rows: the door to LMDB, with db_open.c beside it. */
#include "server/store/db.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "server/store/db_core.h"
#include "server/store/dir.h"

/* The one map of LMDB's and the system's codes. */
enum cdop_err
db_core_error(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return CDOP_OK;
	case MDB_NOTFOUND:
		return CDOP_NOT_FOUND;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case MDB_READERS_FULL:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return CDOP_RESOURCE_EXHAUSTED;
	case MDB_KEYEXIST:
	case MDB_BAD_VALSIZE:
	case MDB_BAD_TXN:
	case MDB_BAD_DBI:
	case EINVAL:
		return CDOP_INTERNAL;
	case EACCES:
	case EPERM:
	case EROFS:
		return CDOP_PERMISSION_DENIED;
	case ENOENT:
		return CDOP_NOT_FOUND;
	default:
		return CDOP_DATA_LOSS;
	}
}

/* ---- Transactions ---- */

static enum cdop_err
begin(struct db *db, bool write, struct db_txn **ret_txn)
{
	MDB_txn *mdb;
	int rc;

	CDOP_ASSERT(!db->in_txn);
	rc = mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &mdb);
	if (rc != 0)
		return db_core_error(rc);
	db->txn = (struct db_txn){.db = db, .mdb = mdb, .write = write};
	db->in_txn = true;
	db->rest.due = true;
	*ret_txn = &db->txn;
	return CDOP_OK;
}

enum cdop_err
db_begin(struct db *db, struct db_txn **ret_txn)
{
	return begin(db, true, ret_txn);
}

enum cdop_err
db_begin_read(struct db *db, struct db_txn **ret_txn)
{
	return begin(db, false, ret_txn);
}

static void
cursor_close(struct db_txn *txn)
{
	if (txn->cursor != NULL)
		mdb_cursor_close(txn->cursor);
	txn->cursor = NULL;
}

/* LMDB refuses every transaction once it failed to write a meta page. */
static bool
is_alive(struct db *db)
{
	MDB_txn *probe;

	if (mdb_txn_begin(db->env, NULL, MDB_RDONLY, &probe) != 0)
		return false;
	mdb_txn_abort(probe);
	return true;
}

enum cdop_err
db_commit(struct db_txn *txn)
{
	enum cdop_err err;
	struct db *db;
	int rc;

	if (txn->err != CDOP_OK) {
		err = txn->err;
		db_abort(txn);
		return err;
	}
	db = txn->db;
	cursor_close(txn);
	rc = mdb_txn_commit(txn->mdb); /* gone, whatever it says */
	db->in_txn = false;
	if (rc == 0 && db->marked) {
		dir_unmark(db->dir);
		db->marked = false;
	}
	if (rc == 0)
		return CDOP_OK;
	if (db_core_error(rc) == CDOP_RESOURCE_EXHAUSTED && is_alive(db))
		return CDOP_RESOURCE_EXHAUSTED;
	if (db->dir != NULL)
		dir_mark(db->dir);
	return CDOP_DATA_LOSS;
}

void
db_abort(struct db_txn *txn)
{
	if (txn == NULL)
		return;
	cursor_close(txn);
	mdb_txn_abort(txn->mdb);
	txn->db->in_txn = false;
}

/* Keeps the first error of a transaction. */
static enum cdop_err
stick(struct db_txn *txn, enum cdop_err err)
{
	if (txn->err == CDOP_OK)
		txn->err = err;
	return txn->err;
}

/* ---- Rows ---- */

static struct cdop_bytes
bytes_of(const MDB_val *val)
{
	return (struct cdop_bytes){val->mv_data, val->mv_size};
}

/* LMDB takes const bytes through a pointer that is not. */
static MDB_val
val_of(struct cdop_bytes bytes)
{
	MDB_val val;

	val.mv_size = bytes.len;
	memcpy(&val.mv_data, &bytes.data, sizeof(val.mv_data));
	return val;
}

static int
cursor_get(struct db_txn *txn, MDB_val *k, MDB_val *v, MDB_cursor_op op)
{
	int rc;

	if (txn->cursor == NULL) {
		rc = mdb_cursor_open(txn->mdb, txn->db->dbi, &txn->cursor);
		if (rc != 0)
			return rc;
	}
	return mdb_cursor_get(txn->cursor, k, v, op);
}

/*
 * By the cursor, which stands where the last row was: those of a case lie side
 * by side, and then there is no way down from the root.
 */
enum cdop_err
db_get(struct db_txn *txn, uint64_t number, struct cdop_bytes *ret_row)
{
	uint8_t key[8];
	MDB_val k, v;
	int rc;

	if (txn->err != CDOP_OK)
		return txn->err;
	cdop_put64(key, number);
	k = val_of((struct cdop_bytes){key, sizeof(key)});
	rc = cursor_get(txn, &k, &v, MDB_SET);
	if (rc == MDB_NOTFOUND)
		return CDOP_NOT_FOUND;
	if (rc != 0)
		return stick(txn, db_core_error(rc));
	*ret_row = bytes_of(&v);
	return CDOP_OK;
}

/* The highest number, before the first put. */
static enum cdop_err
find_last(struct db_txn *txn)
{
	struct cdop_bytes row;
	uint64_t number;
	enum cdop_err err;

	if (txn->has_last)
		return CDOP_OK;
	number = 0;
	err = db_previous(txn, UINT64_MAX, &number, &row);
	if (err != CDOP_OK && err != CDOP_NOT_FOUND)
		return err;
	txn->last = number;
	txn->has_last = true;
	return CDOP_OK;
}

static enum cdop_err
put(struct db_txn *txn, uint64_t number, struct cdop_bytes row,
    unsigned int flags)
{
	uint8_t key[8];
	MDB_val k, v;
	int rc;

	cdop_put64(key, number);
	k = val_of((struct cdop_bytes){key, sizeof(key)});
	v = val_of(row);
	rc = mdb_put(txn->mdb, txn->db->dbi, &k, &v, flags);
	return rc == 0 ? CDOP_OK : stick(txn, db_core_error(rc));
}

enum cdop_err
db_put(struct db_txn *txn, uint64_t number, struct cdop_bytes row)
{
	enum cdop_err err;

	if (txn->err != CDOP_OK || find_last(txn) != CDOP_OK)
		return txn->err;
	if (number <= txn->last)
		return put(txn, number, row, MDB_NOOVERWRITE);
	/* A deleted row may have been the last: LMDB then appends as well. */
	err = put(txn, number, row, MDB_APPEND);
	if (err == CDOP_OK)
		txn->last = number;
	return err;
}

enum cdop_err
db_overwrite(struct db_txn *txn, uint64_t number, struct cdop_bytes row)
{
	struct cdop_bytes old;
	enum cdop_err err;

	err = db_get(txn, number, &old);
	if (err != CDOP_OK)
		return stick(txn, err);
	return put(txn, number, row, 0);
}

enum cdop_err
db_del(struct db_txn *txn, uint64_t number)
{
	uint8_t key[8];
	MDB_val k;
	int rc;

	if (txn->err != CDOP_OK || find_last(txn) != CDOP_OK)
		return txn->err;
	cdop_put64(key, number);
	k = val_of((struct cdop_bytes){key, sizeof(key)});
	rc = mdb_del(txn->mdb, txn->db->dbi, &k, NULL);
	return rc == 0 ? CDOP_OK : stick(txn, db_core_error(rc));
}

/* ---- Walking ---- */

/* What a walk found, or why there is nothing to say. */
static enum cdop_err
found(struct db_txn *txn, int rc, const MDB_val *k, const MDB_val *v,
    uint64_t *ret_number, struct cdop_bytes *ret_row)
{
	if (rc == MDB_NOTFOUND)
		return CDOP_NOT_FOUND;
	if (rc == 0 && k->mv_size != 8)
		rc = MDB_CORRUPTED;
	if (rc != 0)
		return stick(txn, db_core_error(rc));
	*ret_number = cdop_get64(k->mv_data);
	*ret_row = bytes_of(v);
	if (!txn->write)
		db_read_add(&txn->read, *ret_row);
	return CDOP_OK;
}

/* The row at `from`, or the nearest one behind it or before it. */
static enum cdop_err
find_row(struct db_txn *txn, uint64_t from, bool backwards,
    uint64_t *ret_number, struct cdop_bytes *ret_row)
{
	struct cdop_bytes row = {NULL, 0};
	uint8_t key[8];
	uint64_t number = 0;
	enum cdop_err err;
	MDB_val k, v;
	int rc;

	if (txn->err != CDOP_OK)
		return txn->err;
	cdop_put64(key, from);
	k = val_of((struct cdop_bytes){key, sizeof(key)});
	rc = cursor_get(txn, &k, &v, MDB_SET_RANGE);
	if (backwards && rc == MDB_NOTFOUND)
		rc = cursor_get(txn, &k, &v, MDB_LAST);
	else if (backwards && rc == 0 && k.mv_size == 8 &&
	    cdop_get64(k.mv_data) > from)
		rc = cursor_get(txn, &k, &v, MDB_PREV);
	err = found(txn, rc, &k, &v, &number, &row);
	/* In a damaged tree the next row can stand on the wrong side. */
	if (err == CDOP_OK && (backwards ? number > from : number < from))
		err = stick(txn, CDOP_DATA_LOSS);
	if (err != CDOP_OK)
		return err;
	*ret_number = number;
	*ret_row = row;
	return CDOP_OK;
}

enum cdop_err
db_next(struct db_txn *txn, uint64_t from, uint64_t *ret_number,
    struct cdop_bytes *ret_row)
{
	return find_row(txn, from, false, ret_number, ret_row);
}

enum cdop_err
db_previous(struct db_txn *txn, uint64_t from, uint64_t *ret_number,
    struct cdop_bytes *ret_row)
{
	return find_row(txn, from, true, ret_number, ret_row);
}

enum cdop_err
db_count(struct db_txn *txn, uint64_t *ret_n)
{
	MDB_stat stat;
	int rc;

	if (txn->err != CDOP_OK)
		return txn->err;
	rc = mdb_stat(txn->mdb, txn->db->dbi, &stat);
	if (rc != 0)
		return stick(txn, db_core_error(rc));
	*ret_n = stat.ms_entries;
	return CDOP_OK;
}

/* ---- What was read ---- */

#define LET_GO  ((size_t)4 << 20) /* at most: rows of a step lie together */
#define LONGEST ((size_t)1 << 20) /* a damaged page may say any length */

void
db_read_add(struct db_read *read, struct cdop_bytes row)
{
	if (row.len > LONGEST)
		row.len = LONGEST;
	if (read->from == NULL || row.data < read->from)
		read->from = row.data;
	if (read->to == NULL || row.data + row.len > read->to)
		read->to = row.data + row.len;
}

/* Whole pages from the first byte on, so many bytes at most. */
static void
let_go(struct db_read *read, size_t most)
{
	const size_t lead = (uintptr_t)read->from % DB_PAGE;
	size_t len = (size_t)(read->to - read->from) + lead;
	void *from;

	if (read->from == NULL)
		return;
	read->from -= lead; /* of its page */
	memcpy(&from, &read->from, sizeof(from));
	(void)madvise(from, len < most ? len : most, MADV_DONTNEED);
	*read = (struct db_read){NULL, NULL};
}

void
db_read_let_go(struct db_read *read)
{
	let_go(read, LET_GO);
}

static size_t
file_bytes(struct db *db)
{
	MDB_envinfo info;

	return mdb_env_info(db->env, &info) == 0 ? info.me_last_pgno * DB_PAGE
						 : 0;
}

/*
 * LMDB does not say where its map is.  From the first row of a walk to the
 * last one it is ours, and so far behind that as the file has grown since.
 */
static void
remember(struct db *db, const struct db_read *read)
{
	const uintptr_t lead = (uintptr_t)read->from % DB_PAGE;
	const uintptr_t from = (uintptr_t)read->from - lead;
	const uintptr_t end = (uintptr_t)read->to - file_bytes(db);
	struct db_core_rest *rest = &db->rest;

	if (read->from == NULL)
		return;
	if (rest->from == 0 || from < rest->from)
		rest->from = from;
	if (rest->end == 0 || end > rest->end)
		rest->end = end;
}

void
db_let_go(struct db_txn *txn)
{
	CDOP_ASSERT(!txn->write); /* or its rows lie in memory, too */
	remember(txn->db, &txn->read);
	let_go(&txn->read, SIZE_MAX);
}

void
db_rest(struct db *db, size_t most)
{
	struct db_core_rest *rest = &db->rest;
	size_t len, step;

	CDOP_ASSERT(!db->in_txn);
	if (rest->from == 0 || (rest->at == 0 && !rest->due))
		return;
	if (rest->at == 0)
		rest->due = false;
	len = rest->end + file_bytes(db) - rest->from;
	step = len - rest->at < most ? len - rest->at : most;
	(void)madvise((void *)(rest->from + rest->at), step, MADV_DONTNEED);
	rest->at = rest->at + step < len ? rest->at + step : 0;
}
