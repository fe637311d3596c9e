/*
 * A backup into a new database.  Rows that come in the order of their numbers
 * are committed as they come; from the first record that is out of order
 * (what is gone, what the root wraps, the head row) all is one transaction,
 * as every commit has to raise the highest number (store/db.h).
 */
#include "server/store/backup_load.h"

#include <stdbool.h>
#include <string.h>

#include "server/store/db.h"

#define BATCH_BYTES (4u << 20)
/* Pages of a batch: rows over half a page have pages of their own, and each
 * page of the tree may be copied once. */
#define BATCH_PAGES (2 * (BATCH_BYTES + CDOP_BACKUP_ROW_MAX) / DB_PAGE)

struct load {
	struct db *db;
	struct db_txn *txn;
	size_t bytes;     /* of the transaction */
	uint64_t highest; /* number of what has come in order */
	bool tail;
};

static enum cdop_err
begin(struct load *load)
{
	enum cdop_err err;

	load->bytes = 0;
	if ((err = db_room(load->db, BATCH_PAGES)) != CDOP_OK)
		return err;
	return db_begin(load->db, &load->txn);
}

static enum cdop_err
commit(struct load *load)
{
	struct db_txn *txn = load->txn;

	load->txn = NULL;
	return db_commit(txn);
}

static enum cdop_err
put(struct load *load, const struct cdop_backup_record *record)
{
	struct cdop_bytes row;
	enum cdop_err err;

	if (record->number <= load->highest)
		load->tail = true;
	if (!load->tail && load->bytes > BATCH_BYTES) {
		if ((err = commit(load)) != CDOP_OK ||
		    (err = begin(load)) != CDOP_OK)
			return err;
	}
	if (load->tail && db_get(load->txn, record->number, &row) == CDOP_OK)
		return CDOP_DATA_LOSS;
	if (!load->tail)
		load->highest = record->number;
	load->bytes += record->bytes.len;
	return db_put(load->txn, record->number, record->bytes);
}

static enum cdop_err
drop(struct load *load, uint64_t number)
{
	enum cdop_err err;

	load->tail = true;
	err = db_del(load->txn, number);
	return err == CDOP_NOT_FOUND ? CDOP_DATA_LOSS : err;
}

static enum cdop_err
keep_manifest(struct cdop_bytes manifest, struct cdop_arena *arena,
    struct backup_loaded *loaded)
{
	uint8_t *copy = cdop_arena_alloc(arena, manifest.len);

	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(copy, manifest.data, manifest.len);
	loaded->manifest = (struct cdop_bytes){copy, manifest.len};
	return CDOP_OK;
}

static enum cdop_err
take_all(struct load *load, struct cdop_backup *backup,
    struct cdop_arena *arena, struct backup_loaded *loaded)
{
	struct cdop_backup_record record;
	enum cdop_err err;

	do {
		if ((err = cdop_backup_next(backup, &record)) != CDOP_OK)
			return err;
		if (record.type == CDOP_BACKUP_ROW)
			err = put(load, &record);
		else if (record.type == CDOP_BACKUP_GONE)
			err = drop(load, record.number);
	} while (err == CDOP_OK && record.type != CDOP_BACKUP_END);
	if (err == CDOP_OK)
		err = keep_manifest(record.bytes, arena, loaded);
	if (err == CDOP_OK)
		err = db_count(load->txn, &loaded->rows);
	return err == CDOP_OK ? commit(load) : err;
}

enum cdop_err
backup_load(struct cdop_backup *backup, const struct backup_load_args *args,
    struct cdop_arena *arena, struct backup_loaded *ret_loaded)
{
	const struct db_args db = {
	    .dir = args->dir, .map_bytes = args->map_bytes, .create = true};
	struct load load;
	enum cdop_err err;

	memset(&load, 0, sizeof(load));
	if ((err = db_open(&db, &load.db)) != CDOP_OK)
		return err;
	if ((err = begin(&load)) == CDOP_OK)
		err = take_all(&load, backup, arena, ret_loaded);
	db_abort(load.txn);
	db_close(load.db);
	return err;
}
