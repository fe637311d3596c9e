/* The life of the store, and a batch. */
#include "server/vault/rows.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/vault/rows_core.h"
#include "server/vault/rows_room.h"
#include "server/vault/rows_start.h"

#define CREATE_PAGES 256

const char *
rows_number_text(uint64_t number, char buf[static 32])
{
	(void)snprintf(buf, 32, "%u/%llu", layout_incarnation(number),
	    (unsigned long long)layout_counter(number));
	return buf;
}

const char *
rows_finding(const struct rows *rows)
{
	return rows->finding;
}

const uint8_t *
rows_registry(const struct rows *rows)
{
	return rows->registry;
}

uint64_t
rows_next_leaf(const struct rows *rows)
{
	return rows->s.head.next_leaf;
}

const uint8_t *
rows_leaf_hash(const struct rows *rows)
{
	return rows->s.head.leaf_hash;
}

void
rows_set_leaf_hash(struct rows *rows, const uint8_t hash[static 32])
{
	CDOP_ASSERT(rows->batch);
	memcpy(rows->s.head.leaf_hash, hash, 32);
}

const uint8_t *
rows_tree_root(const struct rows *rows)
{
	return rows->s.head.root;
}

uint64_t
rows_tree_tile(const struct rows *rows)
{
	return rows->s.head.tile_row;
}

void
rows_set_tree_root(struct rows *rows, const uint8_t root[static 32])
{
	CDOP_ASSERT(rows->batch);
	memcpy(rows->s.head.root, root, 32);
}

void
rows_set_tree_tile(struct rows *rows, uint64_t number)
{
	CDOP_ASSERT(rows->batch);
	rows->s.head.tile_row = number;
}

uint16_t
rows_incarnation(const struct rows *rows)
{
	return rows->s.head.incarnation;
}

enum cdop_err
rows_next_incarnation(struct rows *rows)
{
	struct layout_head *head = &rows->s.head;

	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	if (head->incarnation == UINT16_MAX)
		return rows_core_stick(rows, CDOP_RESOURCE_EXHAUSTED);
	head->incarnation++;
	/* The block left behind never gets its directory: it is read whole. */
	head->next_row = 1;
	memset(&rows->s.dir, 0, sizeof(rows->s.dir));
	rows->s.dir.first = layout_number(head->incarnation, 0);
	layout_dir_set(&rows->s.dir, rows->s.dir.first); /* never a row */
	return CDOP_OK;
}

void
rows_usage(const struct rows *rows, uint64_t *ret_used, uint64_t *ret_map)
{
	db_usage(rows->db, ret_used, ret_map);
}

/* ---- Opening ---- */

static enum cdop_err
rows_new(const struct rows_args *args, bool create, struct rows **ret_rows)
{
	struct db_args db_args = {.dir = args->dir,
	    .map_bytes = args->map_bytes,
	    .reserve_bytes = args->reserve_bytes,
	    .create = create,
	    .read_only = args->read_only};
	struct rows *rows;
	enum cdop_err err;

	rows = calloc(1, sizeof(*rows));
	if (rows == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	rows->ks = args->ks;
	rows->undo = args->undo;
	rows->read_only = args->read_only;
	rows->buf = malloc(ENVELOPE_ROW_MAX);
	err = rows->buf == NULL ? CDOP_RESOURCE_EXHAUSTED
				: db_open(&db_args, &rows->db);
	if (err != CDOP_OK) {
		rows_close(rows);
		return err;
	}
	*ret_rows = rows;
	return CDOP_OK;
}

void
rows_close(struct rows *rows)
{
	if (rows == NULL)
		return;
	if (rows->txn != NULL)
		db_abort(rows->txn);
	if (rows->phase != ROWS_CORE_SEALED)
		keystore_lock(rows->ks);
	db_close(rows->db);
	if (rows->buf != NULL)
		sodium_memzero(rows->buf, ENVELOPE_ROW_MAX);
	free(rows->buf);
	sodium_memzero(rows, sizeof(*rows));
	free(rows);
}

static void
read_end(struct rows *rows)
{
	db_abort(rows->txn);
	rows->txn = NULL;
}

enum cdop_err
rows_open(const struct rows_args *args, struct rows **ret_rows)
{
	struct rows *rows;
	enum cdop_err err;

	if ((err = rows_new(args, false, &rows)) != CDOP_OK)
		return err;
	err = db_begin_read(rows->db, &rows->txn);
	if (err == CDOP_OK) {
		err = rows_start_slots(rows);
		read_end(rows);
	}
	if (err != CDOP_OK) {
		rows_close(rows);
		return err;
	}
	*ret_rows = rows;
	return CDOP_OK;
}

enum cdop_err
rows_prove(struct rows *rows, size_t slot, const uint8_t k[static 32])
{
	const struct rows_core_slot *mine;
	uint8_t root[ENVELOPE_KEY];
	enum cdop_err err;

	CDOP_ASSERT(slot < rows->n_slots);
	mine = &rows->slots[slot];
	err = slots_open((struct cdop_bytes){mine->row, SLOTS_ROW}, k, root);
	if (err == CDOP_OK && keystore_is_open(rows->ks) &&
	    sodium_memcmp(root, keystore_raw(rows->ks, 0), sizeof(root)) != 0)
		err = CDOP_DATA_LOSS;
	sodium_memzero(root, sizeof(root));
	return err;
}

/* ---- Unsealing ---- */

enum cdop_err
rows_unseal(struct rows *rows, size_t slot, const uint8_t k[static 32])
{
	enum cdop_err err;

	CDOP_ASSERT(slot < rows->n_slots);
	if (rows->phase != ROWS_CORE_SEALED)
		return CDOP_FAILED_PRECONDITION;
	rows->finding[0] = '\0';
	if ((err = rows_start_root(rows, slot, k)) != CDOP_OK)
		return err;
	rows->phase = ROWS_CORE_UNSEALED;
	err = db_begin_read(rows->db, &rows->txn);
	if (err == CDOP_OK) {
		err = rows_start_epochs(rows);
		if (err == CDOP_OK)
			err = rows_start_head(rows);
		read_end(rows);
	}
	if (err != CDOP_OK) {
		keystore_lock(rows->ks);
		rows->phase = ROWS_CORE_SEALED;
	}
	return err;
}

/* ---- Making ---- */

/* What was written is read again, and every slot opened. */
static enum cdop_err
prove_all(struct rows *rows, const struct slots_new *slots, size_t n)
{
	enum cdop_err err;
	size_t i;

	if ((err = db_begin_read(rows->db, &rows->txn)) != CDOP_OK)
		return err;
	err = rows_start_slots(rows);
	read_end(rows);
	if (err == CDOP_OK && rows->n_slots != n)
		err = CDOP_DATA_LOSS;
	for (i = 0; err == CDOP_OK && i < n; i++)
		err = rows_prove(rows, i, slots[i].k);
	return err;
}

enum cdop_err
rows_create(const struct rows_args *args, const uint8_t registry[static 16],
    const struct slots_new *slots, size_t n, struct rows **ret_rows)
{
	struct rows *rows;
	enum cdop_err err;

	if (n == 0 || n > SLOTS_MAX || args->read_only)
		return CDOP_INVALID_ARGUMENT;
	if ((err = rows_new(args, true, &rows)) != CDOP_OK)
		return err;
	rows_start_make(rows, registry);
	rows->phase = ROWS_CORE_READY;
	rows->s.head = (struct layout_head){.next_row = 1,
	    .next_slot_row = 1,
	    .next_key = 1,
	    .incarnation = 1,
	    .next_slot = 1};
	rows->s.dir.first = layout_number(1, 0);
	layout_dir_set(&rows->s.dir, rows->s.dir.first); /* never a row */
	if ((err = db_room(rows->db, CREATE_PAGES)) != CDOP_OK)
		goto out;
	if ((err = db_begin(rows->db, &rows->txn)) != CDOP_OK)
		goto out;
	rows->batch = true;
	err = rows_core_stick(rows, rows_start_first(rows, slots, n));
	if (err != CDOP_OK)
		goto out;
	if ((err = rows_commit(rows)) != CDOP_OK)
		goto out;
	if ((err = prove_all(rows, slots, n)) != CDOP_OK)
		goto out;
	*ret_rows = rows;
	rows = NULL; /* caller's */
out:
	rows_close(rows);
	return err;
}

/* ---- A batch ---- */

static enum cdop_err
batch_begin(struct rows *rows, size_t max_bytes, size_t n, bool last)
{
	enum cdop_err err;

	CDOP_ASSERT(!rows->batch && undo_is_begun(rows->undo));
	if (rows->phase != ROWS_CORE_READY || rows->read_only)
		return CDOP_FAILED_PRECONDITION;
	rows->finding[0] = '\0';
	if ((err = rows_room_take(rows, max_bytes, n, last)) != CDOP_OK)
		return err;
	err = undo_save(rows->undo, &rows->s, sizeof(rows->s));
	if (err == CDOP_OK)
		err = db_begin(rows->db, &rows->txn);
	if (err != CDOP_OK)
		return err;
	rows->batch = true;
	rows->failed = CDOP_OK;
	return CDOP_OK;
}

enum cdop_err
rows_begin(struct rows *rows, size_t max_bytes, size_t n)
{
	return batch_begin(rows, max_bytes, n, false);
}

enum cdop_err
rows_begin_last(struct rows *rows, size_t max_bytes, size_t n)
{
	return batch_begin(rows, max_bytes, n, true);
}

/* The old head row goes, the new one is the highest number. */
static enum cdop_err
head_write(struct rows *rows)
{
	uint8_t data[LAYOUT_HEAD];
	struct rows_new row = {.kind = SCHEMA_KIND_HEAD,
	    .schema = LAYOUT_SCHEMA,
	    .data = {data, sizeof(data)}};
	uint64_t number;
	enum cdop_err err;

	if ((err = rows_core_take(rows, &number)) != CDOP_OK)
		return err;
	if (rows->s.head_row != 0) {
		err =
		    rows_core_remove(rows, rows->s.head_row, SCHEMA_KIND_HEAD);
		if (err != CDOP_OK)
			return err;
	}
	rows->s.head_row = number;
	layout_head_write(&rows->s.head, data);
	err = rows_core_write(rows, &row, number);
	sodium_memzero(data, sizeof(data));
	return err;
}

static void
batch_end(struct rows *rows)
{
	rows->txn = NULL;
	rows->batch = false;
	keystore_rest(rows->ks);
}

enum cdop_err
rows_commit(struct rows *rows)
{
	enum cdop_err err;

	CDOP_ASSERT(rows->batch);
	if (rows->failed == CDOP_OK)
		(void)rows_core_stick(rows, head_write(rows));
	if (rows->failed == CDOP_OK) {
		err = db_commit(rows->txn);
	} else {
		err = rows->failed;
		db_abort(rows->txn);
	}
	batch_end(rows);
	return err;
}

void
rows_abort(struct rows *rows)
{
	if (!rows->batch)
		return;
	db_abort(rows->txn);
	batch_end(rows);
}

/* The vault's own kinds are written by the vault's own functions. */
static bool
is_own(uint8_t kind)
{
	return kind == SCHEMA_KIND_HEAD || kind == SCHEMA_KIND_DIRECTORY ||
	    kind == SCHEMA_KIND_EPOCH_KEY || kind == SCHEMA_KIND_CASE_KEY;
}

static enum cdop_err
put(struct rows *rows, const struct rows_new *row, uint64_t *ret_number)
{
	uint64_t number;
	enum cdop_err err;

	if (is_own(row->kind) ||
	    (row->kind == SCHEMA_KIND_LEAF &&
		row->version != (uint32_t)rows->s.head.next_leaf))
		return CDOP_INVALID_ARGUMENT;
	if ((err = rows_core_take(rows, &number)) != CDOP_OK)
		return err;
	if ((err = rows_core_write(rows, row, number)) != CDOP_OK)
		return err;
	if (row->kind == SCHEMA_KIND_LEAF)
		rows->s.head.next_leaf++;
	*ret_number = number;
	return CDOP_OK;
}

enum cdop_err
rows_put(struct rows *rows, const struct rows_new *row, uint64_t *ret_number)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, put(rows, row, ret_number));
}

static enum cdop_err
del(struct rows *rows, uint64_t number)
{
	struct envelope_head head;
	struct cdop_bytes row;
	enum cdop_err err;

	if ((err = db_get(rows->txn, number, &row)) != CDOP_OK)
		return err;
	if (layout_incarnation(number) == 0)
		return CDOP_INVALID_ARGUMENT;
	if ((err = rows_core_head(rows, number, row, &head)) != CDOP_OK)
		return err;
	if (is_own(head.kind))
		return CDOP_INVALID_ARGUMENT;
	return rows_core_remove(rows, number, head.kind);
}

enum cdop_err
rows_del(struct rows *rows, uint64_t number)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, del(rows, number));
}

enum cdop_err
rows_replace(struct rows *rows, uint64_t old, const struct rows_new *row,
    uint64_t *ret_number)
{
	enum cdop_err err;

	if ((err = rows_del(rows, old)) != CDOP_OK)
		return err;
	return rows_put(rows, row, ret_number);
}

/* ---- Reading ---- */

/* Outside a batch every read has a snapshot of its own. */
static enum cdop_err
read_begin(struct rows *rows, bool *ret_mine)
{
	*ret_mine = rows->txn == NULL;
	return *ret_mine ? db_begin_read(rows->db, &rows->txn) : CDOP_OK;
}

static enum cdop_err
get(struct rows *rows, uint64_t number, struct cdop_arena *arena,
    struct envelope_head *ret_head, struct cdop_bytes *ret_data)
{
	struct cdop_bytes row;
	uint8_t *out;
	enum cdop_err err;

	if ((err = db_get(rows->txn, number, &row)) != CDOP_OK)
		return err;
	if ((err = rows_core_head(rows, number, row, ret_head)) != CDOP_OK)
		return err;
	out = cdop_arena_alloc(arena, row.len);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return rows_core_open(rows, ret_head, row, out, ret_data);
}

enum cdop_err
rows_get(struct rows *rows, uint64_t number, struct cdop_arena *arena,
    struct rows_head *ret_head, struct cdop_bytes *ret_data)
{
	struct envelope_head head;
	enum cdop_err err;
	bool mine;

	if ((err = read_begin(rows, &mine)) != CDOP_OK)
		return err;
	err = get(rows, number, arena, &head, ret_data);
	if (err == CDOP_OK && ret_head != NULL)
		rows_core_describe(rows, &head, ret_head);
	if (mine)
		read_end(rows);
	return err;
}

/* ---- Boxes ---- */

/* The key of any scope that rows have: a box can be under any. */
static enum cdop_err
box_key(struct rows *rows, uint64_t id, struct envelope_key **ret_key)
{
	const struct keystore_entry *entry;
	enum cdop_err err;
	bool mine;

	entry = keystore_find(rows->ks, id);
	if (entry == NULL)
		return CDOP_NOT_FOUND;
	if ((err = read_begin(rows, &mine)) != CDOP_OK)
		return err;
	err = rows_core_key(rows, id, (enum schema_scope)entry->scope, ret_key);
	if (mine)
		read_end(rows);
	return err;
}

enum cdop_err
rows_box_seal(struct rows *rows, uint64_t key_id, struct cdop_bytes context,
    struct cdop_bytes data, struct cdop_arena *arena,
    struct cdop_bytes *ret_box)
{
	struct envelope_key *key;
	uint8_t *out;
	enum cdop_err err;
	size_t len;

	len = envelope_box_len(data.len);
	if (len == 0 || context.len > ROWS_CONTEXT_MAX)
		return CDOP_INVALID_ARGUMENT;
	if ((err = box_key(rows, key_id, &key)) != CDOP_OK)
		return err;
	out = cdop_arena_alloc(arena, len);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	envelope_box_seal(key, rows->registry, context, data, out);
	*ret_box = (struct cdop_bytes){out, len};
	return CDOP_OK;
}

enum cdop_err
rows_box_open(struct rows *rows, uint64_t key_id, struct cdop_bytes context,
    struct cdop_bytes box, struct cdop_arena *arena,
    struct cdop_bytes *ret_data)
{
	struct envelope_key *key;
	uint8_t *out;
	enum cdop_err err;

	if (context.len > ROWS_CONTEXT_MAX)
		return CDOP_INVALID_ARGUMENT;
	if ((err = box_key(rows, key_id, &key)) != CDOP_OK)
		return err;
	out = cdop_arena_alloc(arena, box.len);
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (envelope_box_unseal(key, rows->registry, context, box, out,
		ret_data) != ENVELOPE_FINE)
		return CDOP_DATA_LOSS;
	return CDOP_OK;
}
