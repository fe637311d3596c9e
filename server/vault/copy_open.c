/* Every row of the new file, opened again under the key that it has there. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "server/vault/copy_core.h"

/* ---- The census -------------------------------------------------------- */

static struct copy_count *
count_of(struct copy *copy, uint64_t key, uint8_t scope)
{
	size_t i;

	for (i = 0; i < copy->n_count; i++)
		if (copy->count[i].key == key)
			return &copy->count[i];
	CDOP_ASSERT(copy->n_count < KEYSTORE_EPOCHS_MAX);
	copy->count[i] = (struct copy_count){.key = key, .scope = scope};
	copy->n_count++;
	return &copy->count[i];
}

/* One row more, or one less. */
static void
count_row(struct copy *copy, const struct envelope_head *head, bool gone)
{
	uint64_t one = gone ? UINT64_MAX : 1;
	enum schema_scope scope = schema_find(head->kind)->scope;

	copy->n_opened += one;
	if (scope == SCHEMA_CASE)
		copy->case_rows += one;
	else
		count_of(copy, head->key_id, (uint8_t)scope)->rows += one;
	if (head->kind == SCHEMA_KIND_CASE_KEY)
		copy->case_keys += one;
}

bool
copy_census(const struct copy *copy, size_t i, struct copy_count *ret_count)
{
	if (i >= copy->n_count)
		return false;
	*ret_count = copy->count[i];
	return true;
}

void
copy_cases(const struct copy *copy, uint64_t *ret_rows, uint64_t *ret_keys)
{
	*ret_rows = copy->case_rows;
	*ret_keys = copy->case_keys;
}

/* ---- One row ----------------------------------------------------------- */

/* The key that a row of the new file says; it may not be one that goes. */
static enum cdop_err
key_of(struct copy *copy, const struct envelope_head *head,
    struct envelope_key **ret_key)
{
	enum schema_scope scope = schema_find(head->kind)->scope;
	enum cdop_err err = CDOP_NOT_FOUND;

	if (copy->renews) {
		err = copy_core_renewed(copy, head->key_id, scope, ret_key);
	} else if (scope == SCHEMA_CASE &&
	    copy_core_is_new(copy, head->key_id)) {
		*ret_key = copy_core_new_key(copy, head->key_id);
		return CDOP_OK;
	} else if (copy_key(copy, head->key_id) == head->key_id) {
		err = rows_core_key(copy->rows, head->key_id, scope, ret_key);
	}
	if (err != CDOP_NOT_FOUND)
		return err;
	return copy_core_find(
	    copy, head->number, envelope_verdict_name(ENVELOPE_UNKNOWN_KEY));
}

/* The entry of the key table that a key of the new file is of. */
static const struct keystore_entry *
entry_of(const struct copy *copy, uint64_t id)
{
	if (copy_core_is_new(copy, id))
		return keystore_at(
		    copy->rows->ks, (size_t)(id - copy->first_key));
	return keystore_find(copy->rows->ks, id);
}

/* Is what it wraps the key under which the rows of the case were opened? */
static enum cdop_err
check_case_key(
    struct copy *copy, const struct envelope_head *head, struct cdop_bytes data)
{
	uint8_t label[LAYOUT_LABEL], k[ENVELOPE_KEY], *found;
	const struct keystore_entry *entry;
	struct envelope_key *above;
	struct rows *rows = copy->rows;
	struct layout_key key;
	bool same;

	if (layout_case_parse(data, &key) != CDOP_OK)
		return copy_core_find(copy, head->number, "not a key row");
	entry = entry_of(copy, key.id);
	if (entry == NULL || entry->scope != SCHEMA_CASE ||
	    entry->row != head->number || entry->case_id != key.case_id ||
	    copy_key(copy, entry->id) != key.id ||
	    copy_key(copy, entry->wrapped_by) != head->key_id)
		return copy_core_find(copy, head->number, "not the key it was");
	layout_label(key.id, head->key_id, SCHEMA_CASE, label);
	/* First: it may need the scratch memory itself. */
	above = copy_core_new_key(copy, head->key_id);
	found = keystore_scratch(rows->ks);
	if (envelope_unwrap(above, rows->registry,
		(struct cdop_bytes){label, sizeof(label)}, key.wrap,
		found) != CDOP_OK)
		return copy_core_find(copy, head->number, "damaged (its key)");
	copy_core_new_raw(copy, key.id, k);
	same = !copy_core_is_new(copy, key.id) ||
	    sodium_memcmp(k, found, sizeof(k)) == 0;
	sodium_memzero(k, sizeof(k));
	sodium_memzero(found, ENVELOPE_KEY);
	return same ? CDOP_OK
		    : copy_core_find(copy, head->number, "of another key");
}

/* Unseals it into copy->plain. */
static enum cdop_err
unseal(struct copy *copy, uint64_t number, struct cdop_bytes bytes,
    struct envelope_head *ret_head, struct cdop_bytes *ret_data)
{
	struct envelope_key *key;
	enum envelope_verdict verdict;
	enum cdop_err err;

	err = copy_core_look(copy, number, bytes, ret_head);
	if (err != CDOP_OK)
		return err;
	if ((err = key_of(copy, ret_head, &key)) != CDOP_OK)
		return err;
	verdict = envelope_unseal(
	    copy_core_ring(copy), key, ret_head, bytes, copy->plain, ret_data);
	if (verdict == ENVELOPE_FINE)
		return CDOP_OK;
	return copy_core_find(copy, number, envelope_verdict_name(verdict));
}

static enum cdop_err
open_row(struct copy *copy, uint64_t number, struct cdop_bytes bytes)
{
	struct envelope_head head;
	struct cdop_bytes data;
	enum cdop_err err;

	if ((err = unseal(copy, number, bytes, &head, &data)) != CDOP_OK)
		return err;
	if (head.kind == SCHEMA_KIND_CASE_KEY &&
	    (err = check_case_key(copy, &head, data)) != CDOP_OK)
		return err;
	copy_core_count(
	    copy, number, bytes, schema_find(head.kind)->scope, &copy->opened);
	count_row(copy, &head, false);
	return CDOP_OK;
}

enum cdop_err
copy_core_close(struct copy *copy, uint64_t number, struct cdop_bytes bytes)
{
	struct layout_head none = {0};
	struct envelope_head head;
	enum schema_scope scope;
	enum cdop_err err;

	err = copy_core_look(copy, number, bytes, &head);
	if (err != CDOP_OK)
		return err;
	scope = schema_find(head.kind)->scope;
	copy_core_count(copy, number, bytes, scope, &none);
	layout_digest_sub(copy->put.digest, none.digest);
	layout_digest_sub(copy->put.log_digest, none.log_digest);
	copy->n_put--;
	copy->n_bytes -= bytes.len;
	if (number >= copy->cursor)
		return CDOP_OK;
	layout_digest_sub(copy->opened.digest, none.digest);
	layout_digest_sub(copy->opened.log_digest, none.log_digest);
	count_row(copy, &head, true);
	return CDOP_OK;
}

/* ---- All of them ------------------------------------------------------- */

/* Both files are open: case keys that stay are unwrapped out of the old. */
static enum cdop_err
read_begin(struct copy *copy, struct db_txn **ret_txn)
{
	enum cdop_err err;

	CDOP_ASSERT(copy->rows->txn == NULL && copy->txn == NULL);
	if ((err = db_begin_read(copy->to, ret_txn)) != CDOP_OK)
		return err;
	err = db_begin_read(copy->rows->db, &copy->rows->txn);
	if (err != CDOP_OK)
		db_abort(*ret_txn);
	return err;
}

static void
read_end(struct copy *copy, struct db_txn *txn)
{
	db_abort(txn);
	db_abort(copy->rows->txn);
	copy->rows->txn = NULL;
	keystore_rest(copy->rows->ks);
}

static enum cdop_err
go_on(struct copy *copy, struct db_txn *txn, const struct walk_budget *budget,
    bool *ret_end)
{
	size_t rows = 0, bytes = 0;
	struct db_read read = {NULL, NULL};
	struct cdop_bytes row;
	uint64_t number;
	enum cdop_err err;

	*ret_end = false;
	while (rows == 0 || !walk_is_spent(budget, rows, bytes)) {
		err = db_next(txn, copy->cursor, &number, &row);
		if (err == CDOP_NOT_FOUND) {
			*ret_end = true;
			return CDOP_OK;
		}
		if (err == CDOP_OK)
			err = open_row(copy, number, row);
		if (err != CDOP_OK)
			return err;
		copy->cursor = number + 1;
		rows++;
		bytes += row.len;
		db_read_add(&read, row);
	}
	db_read_let_go(&read);
	return CDOP_OK;
}

enum cdop_err
copy_core_open(
    struct copy *copy, const struct walk_budget *budget, bool *ret_end)
{
	struct db_txn *txn;
	enum cdop_err err;

	if ((err = read_begin(copy, &txn)) != CDOP_OK)
		return err;
	err = go_on(copy, txn, budget, ret_end);
	read_end(copy, txn);
	return err;
}

/* What the root wraps; a row of format 2 was copied byte by byte. */
static enum cdop_err
open_low(struct copy *copy, uint64_t number, struct cdop_bytes row)
{
	struct envelope_head head;
	struct layout_key key;
	struct cdop_bytes data;
	enum cdop_err err;

	copy_core_count(copy, number, row, SCHEMA_ROOT, &copy->opened);
	copy->n_opened++;
	if (copy->renews)
		return copy_core_check_low(copy, number, row);
	if (row.data[0] != 1)
		return CDOP_OK;
	if ((err = unseal(copy, number, row, &head, &data)) != CDOP_OK)
		return err;
	if (layout_epoch_parse(data, &key) != CDOP_OK ||
	    keystore_find(copy->rows->ks, key.id) == NULL ||
	    copy_core_drops(copy, key.id))
		return copy_core_find(copy, number, "not a key row");
	return CDOP_OK;
}

static enum cdop_err
open_all_low(struct copy *copy, struct db_txn *txn)
{
	struct cdop_bytes row;
	uint64_t number = 0;
	enum cdop_err err;

	for (;; number++) {
		err = db_next(txn, number, &number, &row);
		if (err != CDOP_OK)
			return err;
		if (layout_incarnation(number) != 0)
			return CDOP_OK;
		if ((err = open_low(copy, number, row)) != CDOP_OK)
			return err;
	}
}

static enum cdop_err
open_head(struct copy *copy, struct db_txn *txn)
{
	uint64_t number = copy->rows->s.head_row;
	struct envelope_head head;
	struct layout_head says;
	struct cdop_bytes row, data;
	enum cdop_err err;

	if ((err = db_get(txn, number, &row)) != CDOP_OK)
		return err;
	if ((err = unseal(copy, number, row, &head, &data)) != CDOP_OK)
		return err;
	if (head.kind != SCHEMA_KIND_HEAD ||
	    layout_head_parse(data, &says) != CDOP_OK ||
	    sodium_memcmp(says.digest, copy->opened.digest, 32) != 0 ||
	    sodium_memcmp(says.log_digest, copy->opened.log_digest, 32) != 0)
		return copy_core_find(copy, number, "not the head row");
	return CDOP_OK;
}

enum cdop_err
copy_core_open_last(struct copy *copy)
{
	struct db_txn *txn;
	enum cdop_err err;

	if ((err = read_begin(copy, &txn)) != CDOP_OK)
		return err;
	err = open_all_low(copy, txn);
	if (err == CDOP_OK)
		err = open_head(copy, txn);
	read_end(copy, txn);
	return err;
}

/* How many case keys the table has: all that are not held. */
static uint64_t
cases_in_table(const struct keystore *ks)
{
	uint64_t id;
	size_t held = 0;

	while (keystore_held(ks, held, &id))
		held++;
	return keystore_count(ks) - held;
}

enum cdop_err
copy_core_compare(struct copy *copy)
{
	if (copy->n_put == copy->n_opened &&
	    copy->case_keys == cases_in_table(copy->rows->ks))
		return CDOP_OK;
	(void)snprintf(copy->finding, sizeof(copy->finding),
	    "the new file has not as many rows or keys as it should");
	return CDOP_DATA_LOSS;
}
