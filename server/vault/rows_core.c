/* Numbers, seals and digests of the row store. */
#include "server/vault/rows_core.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "server/vault/walk_core.h"

enum cdop_err
rows_core_stick(struct rows *rows, enum cdop_err err)
{
	if (rows->failed == CDOP_OK)
		rows->failed = err;
	return err;
}

enum cdop_err
rows_core_find(struct rows *rows, uint64_t number, const char *what)
{
	char text[32];

	(void)snprintf(rows->finding, sizeof(rows->finding), "row %s is %s",
	    rows_number_text(number, text), what);
	return CDOP_DATA_LOSS;
}

/* ---- Digests ---- */

bool
rows_core_is_log(enum schema_scope scope)
{
	return scope == SCHEMA_LOG || scope == SCHEMA_SEARCH;
}

static uint8_t *
digest_of(struct layout_head *head, enum schema_scope scope)
{
	return rows_core_is_log(scope) ? head->log_digest : head->digest;
}

void
rows_core_count(struct rows *rows, uint64_t number, struct cdop_bytes row,
    enum schema_scope scope, struct layout_head *head)
{
	uint8_t term[32];

	envelope_digest(keystore_ring(rows->ks), number, row, term);
	layout_digest_add(digest_of(head, scope), term);
}

/* And whoever walks over the rows has to know. */
static void
uncount(struct rows *rows, uint64_t number, struct cdop_bytes row,
    enum schema_scope scope)
{
	uint8_t term[32];

	envelope_digest(keystore_ring(rows->ks), number, row, term);
	layout_digest_sub(digest_of(&rows->s.head, scope), term);
	walk_core_note(rows->walks, number, rows_core_is_log(scope), term);
}

/* ---- Numbers ---- */

static bool
in_dir(const struct layout_dir *dir, uint64_t number)
{
	return number - dir->first < LAYOUT_DIR_ROWS;
}

/* The directory of the full numbers, and a new one for those to come. */
static enum cdop_err
dir_write(struct rows *rows, uint64_t number)
{
	uint8_t data[LAYOUT_DIR];
	struct rows_new row = {.kind = SCHEMA_KIND_DIRECTORY,
	    .schema = LAYOUT_SCHEMA,
	    .data = {data, sizeof(data)}};

	/* The head row that stands now is gone when this is durable. */
	if (in_dir(&rows->s.dir, rows->s.head_row))
		layout_dir_set(&rows->s.dir, rows->s.head_row);
	rows->s.dir.next_leaf = rows->s.head.next_leaf;
	layout_dir_write(&rows->s.dir, data);
	memset(&rows->s.dir, 0, sizeof(rows->s.dir));
	rows->s.dir.first = number;
	return rows_core_write(rows, &row, number);
}

enum cdop_err
rows_core_take(struct rows *rows, uint64_t *ret_number)
{
	struct layout_head *head;
	enum cdop_err err;

	head = &rows->s.head;
	/* Room for a directory, this row and the head row. */
	if (head->next_row > LAYOUT_COUNTER_MAX - 3)
		return CDOP_RESOURCE_EXHAUSTED;
	if (head->next_row % LAYOUT_DIR_ROWS == 0) {
		err = dir_write(
		    rows, layout_number(head->incarnation, head->next_row));
		if (err != CDOP_OK)
			return err;
		head->next_row++;
	}
	*ret_number = layout_number(head->incarnation, head->next_row);
	head->next_row++;
	return CDOP_OK;
}

enum cdop_err
rows_core_take_low(struct rows *rows, uint64_t *ret_number)
{
	if (rows->s.head.next_slot_row == LAYOUT_COUNTER_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_number = layout_number(0, rows->s.head.next_slot_row);
	rows->s.head.next_slot_row++;
	return CDOP_OK;
}

/* ---- Writing ---- */

enum cdop_err
rows_core_write(struct rows *rows, const struct rows_new *row, uint64_t number)
{
	const struct schema_row *kind;
	struct envelope_key *key;
	struct envelope_head head;
	struct cdop_bytes sealed;
	uint64_t key_id;
	enum cdop_err err;

	kind = schema_find(row->kind);
	if (kind == NULL || envelope_row_len(row->data.len) == 0)
		return CDOP_INVALID_ARGUMENT;
	key_id = row->key_id;
	if (key_id == 0 && kind->scope != SCHEMA_ROOT &&
	    (kind->scope == SCHEMA_AREA || kind->scope == SCHEMA_CASE ||
		!keystore_epoch(rows->ks, kind->scope, NULL, &key_id)))
		return CDOP_INVALID_ARGUMENT;
	err = rows_core_key(rows, key_id, kind->scope, &key);
	if (err != CDOP_OK)
		return err == CDOP_NOT_FOUND ? CDOP_INVALID_ARGUMENT : err;
	head = (struct envelope_head){.kind = row->kind,
	    .schema = row->schema,
	    .key_id = key_id,
	    .version = row->version,
	    .number = number};
	envelope_seal(
	    keystore_ring(rows->ks), key, &head, row->data, rows->buf);
	sealed =
	    (struct cdop_bytes){rows->buf, envelope_row_len(row->data.len)};
	rows->changes++;
	if ((err = db_put(rows->txn, number, sealed)) != CDOP_OK)
		return err;
	if (row->kind == SCHEMA_KIND_HEAD)
		return CDOP_OK;
	rows_core_count(rows, number, sealed, kind->scope, &rows->s.head);
	if (rows_core_is_log(kind->scope))
		layout_dir_set(&rows->s.dir, number);
	return CDOP_OK;
}

enum cdop_err
rows_core_write_raw(struct rows *rows, struct cdop_bytes row, uint64_t number)
{
	enum cdop_err err;

	rows->changes++;
	if ((err = db_put(rows->txn, number, row)) != CDOP_OK)
		return err;
	rows_core_count(rows, number, row, SCHEMA_ROOT, &rows->s.head);
	return CDOP_OK;
}

enum cdop_err
rows_core_remove(struct rows *rows, uint64_t number, uint8_t kind)
{
	const struct schema_row *known;
	enum schema_scope scope;
	struct envelope_head head;
	struct cdop_bytes row;
	enum cdop_err err;

	if ((err = db_get(rows->txn, number, &row)) != CDOP_OK)
		return err;
	scope = SCHEMA_ROOT;
	if (kind != 0) {
		err = rows_core_head(rows, number, row, &head);
		if (err != CDOP_OK)
			return err;
		known = schema_find(kind);
		if (head.kind != kind || known == NULL)
			return rows_core_find(rows, number, "of another kind");
		scope = known->scope;
	}
	if (kind != SCHEMA_KIND_HEAD)
		uncount(rows, number, row, scope);
	if (in_dir(&rows->s.dir, number))
		layout_dir_set(&rows->s.dir, number);
	rows->changes++;
	return db_del(rows->txn, number);
}

uint64_t
rows_changes(const struct rows *rows)
{
	return rows->changes;
}

/* ---- Keys ---- */

/* What the row of a case key says: that of the entry. */
static enum cdop_err
case_key_read(struct rows *rows, const struct keystore_entry *entry,
    struct layout_key *ret_key)
{
	struct envelope_head head;
	struct cdop_bytes data;
	enum cdop_err err;

	*ret_key = rows->seen;
	if (rows->seen_row == entry->row)
		return CDOP_OK; /* the entry was made of it */
	err =
	    rows_core_get(rows, entry->row, SCHEMA_KIND_CASE_KEY, &head, &data);
	if (err != CDOP_OK)
		return err;
	if (layout_case_parse(data, ret_key) != CDOP_OK ||
	    ret_key->id != entry->id || ret_key->case_id != entry->case_id ||
	    head.key_id != entry->wrapped_by)
		return rows_core_find(rows, entry->row, "not the key it was");
	return CDOP_OK;
}

enum cdop_err
rows_core_case_key(
    struct rows *rows, const struct keystore_entry *entry, uint8_t **ret_k)
{
	uint8_t label[LAYOUT_LABEL];
	struct layout_key key;
	enum cdop_err err;

	if ((err = case_key_read(rows, entry, &key)) != CDOP_OK)
		return err;
	layout_label(key.id, entry->wrapped_by, SCHEMA_CASE, label);
	err = envelope_unwrap(keystore_key(rows->ks, entry->wrapped_by),
	    rows->registry, (struct cdop_bytes){label, sizeof(label)}, key.wrap,
	    keystore_scratch(rows->ks));
	if (err != CDOP_OK)
		return rows_core_find(rows, entry->row, "damaged (its key)");
	*ret_k = keystore_scratch(rows->ks);
	return CDOP_OK;
}

/* Unwraps a case key out of its row, for this batch. */
static enum cdop_err
case_key_load(struct rows *rows, const struct keystore_entry *entry)
{
	uint8_t *k;
	enum cdop_err err;

	if ((err = rows_core_case_key(rows, entry, &k)) != CDOP_OK)
		return err;
	keystore_use(rows->ks, entry->id, k);
	sodium_memzero(k, ENVELOPE_KEY);
	return CDOP_OK;
}

enum cdop_err
rows_core_key(struct rows *rows, uint64_t id, enum schema_scope scope,
    struct envelope_key **ret_key)
{
	const struct keystore_entry *entry;
	struct envelope_key *key;
	enum cdop_err err;

	entry = keystore_find(rows->ks, id);
	if ((id == 0) != (scope == SCHEMA_ROOT) ||
	    (id != 0 && (entry == NULL || entry->scope != scope)))
		return CDOP_NOT_FOUND;
	key = keystore_key(rows->ks, id);
	if (key == NULL && scope == SCHEMA_CASE) {
		if ((err = case_key_load(rows, entry)) != CDOP_OK)
			return err;
		key = keystore_key(rows->ks, id);
	}
	if (key == NULL)
		return CDOP_NOT_FOUND;
	*ret_key = key;
	return CDOP_OK;
}

/* ---- Reading ---- */

enum cdop_err
rows_core_head(struct rows *rows, uint64_t number, struct cdop_bytes row,
    struct envelope_head *ret_head)
{
	enum envelope_verdict verdict;

	verdict =
	    envelope_head_parse(keystore_ring(rows->ks), row, number, ret_head);
	if (verdict == ENVELOPE_FINE && schema_find(ret_head->kind) == NULL)
		verdict = ENVELOPE_UNKNOWN_KIND;
	if (verdict == ENVELOPE_FINE)
		return CDOP_OK;
	return rows_core_find(rows, number, envelope_verdict_name(verdict));
}

enum cdop_err
rows_core_open(struct rows *rows, const struct envelope_head *head,
    struct cdop_bytes row, uint8_t *out, struct cdop_bytes *ret_data)
{
	struct envelope_key *key;
	enum envelope_verdict verdict;
	enum cdop_err err;

	err = rows_core_key(
	    rows, head->key_id, schema_find(head->kind)->scope, &key);
	if (err == CDOP_NOT_FOUND)
		return rows_core_find(rows, head->number,
		    envelope_verdict_name(ENVELOPE_UNKNOWN_KEY));
	if (err != CDOP_OK)
		return err;
	verdict = envelope_unseal(
	    keystore_ring(rows->ks), key, head, row, out, ret_data);
	if (verdict != ENVELOPE_FINE)
		return rows_core_find(
		    rows, head->number, envelope_verdict_name(verdict));
	return CDOP_OK;
}

enum cdop_err
rows_core_get(struct rows *rows, uint64_t number, uint8_t kind,
    struct envelope_head *ret_head, struct cdop_bytes *ret_data)
{
	struct cdop_bytes row;
	enum cdop_err err;

	err = db_get(rows->txn, number, &row);
	if (err == CDOP_NOT_FOUND)
		return rows_core_find(rows, number, "missing");
	if (err != CDOP_OK)
		return err;
	if ((err = rows_core_head(rows, number, row, ret_head)) != CDOP_OK)
		return err;
	if (ret_head->kind != kind || row.len > sizeof(rows->small))
		return rows_core_find(rows, number, "of another kind");
	return rows_core_open(rows, ret_head, row, rows->small, ret_data);
}

void
rows_core_describe(const struct rows *rows, const struct envelope_head *head,
    struct rows_head *ret_head)
{
	const struct keystore_entry *entry;

	entry = keystore_find(rows->ks, head->key_id);
	*ret_head = (struct rows_head){.number = head->number,
	    .key_id = head->key_id,
	    .version = head->version,
	    .kind = head->kind,
	    .schema = head->schema};
	if (entry != NULL && entry->scope == SCHEMA_CASE)
		ret_head->case_id = entry->case_id;
}
