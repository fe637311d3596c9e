/* Key rows: what is written when a key is made, moved or destroyed. */
#include "server/vault/rows_keys.h"

#include <sodium.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/vault/rows_core.h"

/* Wraps k for its key row. */
static void
wrap_key(struct rows *rows, struct layout_key *key, uint64_t wrapped_by,
    const uint8_t k[static ENVELOPE_KEY])
{
	uint8_t label[LAYOUT_LABEL];

	layout_label(key->id, wrapped_by, key->scope, label);
	envelope_wrap(keystore_key(rows->ks, wrapped_by), rows->registry,
	    (struct cdop_bytes){label, sizeof(label)}, k, key->wrap);
}

/* A new key for an id, under the key that will wrap it. */
static void
fresh_key(struct rows *rows, uint64_t id, uint64_t wrapped_by,
    uint8_t k[static ENVELOPE_KEY])
{
	uint8_t context[8];

	cdop_put64(context, id);
	envelope_fresh(keystore_key(rows->ks, wrapped_by),
	    (struct cdop_bytes){context, sizeof(context)}, k);
}

static enum cdop_err
take_id(struct rows *rows, uint64_t *ret_id)
{
	struct layout_head *head;

	head = &rows->s.head;
	if (head->next_key == LAYOUT_COUNTER_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_id = layout_number(head->incarnation, head->next_key);
	head->next_key++;
	return CDOP_OK;
}

/* ---- Epoch keys ---- */

static enum cdop_err
epoch_row_write(
    struct rows *rows, const struct layout_key *key, uint64_t *ret_number)
{
	uint8_t data[LAYOUT_EPOCH];
	struct rows_new row = {.kind = SCHEMA_KIND_EPOCH_KEY,
	    .schema = LAYOUT_SCHEMA,
	    .data = {data, sizeof(data)}};
	enum cdop_err err;

	layout_epoch_write(key, data);
	if ((err = rows_core_take_low(rows, ret_number)) != CDOP_OK)
		return err;
	return rows_core_write(rows, &row, *ret_number);
}

static enum cdop_err
epoch_enter(struct rows *rows, const struct layout_key *key, uint64_t number,
    const uint8_t k[static ENVELOPE_KEY])
{
	struct keystore_entry entry = {
	    .id = key->id, .row = number, .scope = key->scope};
	enum cdop_err err;

	if (key->scope == SCHEMA_AREA) {
		err = keystore_area_add(rows->ks, key->area, &entry.area);
		if (err != CDOP_OK)
			return err;
	}
	if ((err = keystore_put(rows->ks, &entry)) != CDOP_OK)
		return err;
	return keystore_hold(rows->ks, key->id, k);
}

static enum cdop_err
epoch_new(struct rows *rows, enum schema_scope scope, const char *area,
    uint64_t *ret_key)
{
	struct layout_key key = {.scope = (uint8_t)scope};
	uint64_t number;
	uint8_t *k;
	enum cdop_err err;

	if (scope < SCHEMA_REGISTRY || scope > SCHEMA_AREA ||
	    (scope == SCHEMA_AREA) != (area != NULL))
		return CDOP_INVALID_ARGUMENT;
	if (area != NULL) {
		if (area[0] == '\0' || strlen(area) > KEYSTORE_AREA_MAX)
			return CDOP_INVALID_ARGUMENT;
		memcpy(key.area, area, strlen(area));
	}
	if ((err = take_id(rows, &key.id)) != CDOP_OK)
		return err;
	k = keystore_scratch(rows->ks);
	fresh_key(rows, key.id, 0, k);
	wrap_key(rows, &key, 0, k);
	err = epoch_row_write(rows, &key, &number);
	if (err == CDOP_OK)
		err = epoch_enter(rows, &key, number, k);
	sodium_memzero(k, ENVELOPE_KEY);
	if (err == CDOP_OK)
		*ret_key = key.id;
	return err;
}

enum cdop_err
rows_keys_epoch_new(struct rows *rows, enum schema_scope scope,
    const char *area, uint64_t *ret_key)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, epoch_new(rows, scope, area, ret_key));
}

enum cdop_err
rows_keys_area(struct rows *rows, const char *area)
{
	uint64_t key;

	if (keystore_epoch(rows->ks, SCHEMA_AREA, area, &key))
		return CDOP_OK;
	return rows_keys_epoch_new(rows, SCHEMA_AREA, area, &key);
}

enum cdop_err
rows_keys_epoch_load(struct rows *rows, uint64_t number)
{
	uint8_t label[LAYOUT_LABEL], *k;
	struct envelope_head head;
	struct layout_key key;
	struct cdop_bytes data;
	enum cdop_err err;

	err = rows_core_get(rows, number, SCHEMA_KIND_EPOCH_KEY, &head, &data);
	if (err != CDOP_OK)
		return err;
	if (layout_epoch_parse(data, &key) != CDOP_OK ||
	    keystore_find(rows->ks, key.id) != NULL)
		return rows_core_find(rows, number, "not a key row");
	k = keystore_scratch(rows->ks);
	layout_label(key.id, 0, key.scope, label);
	err = envelope_unwrap(keystore_key(rows->ks, 0), rows->registry,
	    (struct cdop_bytes){label, sizeof(label)}, key.wrap, k);
	if (err == CDOP_OK)
		err = epoch_enter(rows, &key, number, k);
	else
		err = rows_core_find(rows, number, "damaged (its key)");
	sodium_memzero(k, ENVELOPE_KEY);
	return err;
}

static enum cdop_err
epoch_destroy(struct rows *rows, uint64_t key)
{
	const struct keystore_entry *entry;
	enum cdop_err err;

	entry = keystore_find(rows->ks, key);
	if (entry == NULL || entry->scope == SCHEMA_CASE)
		return CDOP_NOT_FOUND;
	if (keystore_is_newest(rows->ks, entry) || entry->wraps > 0)
		return CDOP_FAILED_PRECONDITION;
	err = rows_core_remove(rows, entry->row, SCHEMA_KIND_EPOCH_KEY);
	return err == CDOP_OK ? keystore_del(rows->ks, key) : err;
}

enum cdop_err
rows_keys_epoch_destroy(struct rows *rows, uint64_t key)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, epoch_destroy(rows, key));
}

bool
rows_keys_oldest(
    const struct rows *rows, enum schema_scope scope, uint64_t *ret_key)
{
	const struct keystore_entry *entry;
	uint64_t id, oldest = UINT64_MAX;
	size_t i;

	for (i = 0; keystore_held(rows->ks, i, &id); i++) {
		entry = keystore_find(rows->ks, id);
		if (entry != NULL && entry->scope == scope && id < oldest)
			oldest = id;
	}
	if (oldest != UINT64_MAX)
		*ret_key = oldest;
	return oldest != UINT64_MAX;
}

/* ---- Case keys ---- */

/* The key row of a case, under the newest epoch key of an area. */
static enum cdop_err
case_row_write(struct rows *rows, struct keystore_entry *entry,
    const char *area, const uint8_t k[static ENVELOPE_KEY])
{
	uint8_t data[LAYOUT_CASE];
	struct layout_key key = {
	    .id = entry->id, .scope = SCHEMA_CASE, .case_id = entry->case_id};
	struct rows_new row = {.kind = SCHEMA_KIND_CASE_KEY,
	    .schema = LAYOUT_SCHEMA,
	    .data = {data, sizeof(data)}};
	enum cdop_err err;

	if (!keystore_epoch(rows->ks, SCHEMA_AREA, area, &entry->wrapped_by))
		return CDOP_FAILED_PRECONDITION;
	entry->area = keystore_find(rows->ks, entry->wrapped_by)->area;
	wrap_key(rows, &key, entry->wrapped_by, k);
	layout_case_write(&key, data);
	row.key_id = entry->wrapped_by;
	if ((err = rows_core_take(rows, &entry->row)) != CDOP_OK)
		return err;
	return rows_core_write(rows, &row, entry->row);
}

static enum cdop_err
case_new(
    struct rows *rows, uint64_t case_id, const char *area, uint64_t *ret_key)
{
	struct keystore_entry entry = {
	    .case_id = case_id, .scope = SCHEMA_CASE};
	uint64_t above;
	uint8_t *k;
	enum cdop_err err;

	if (!keystore_epoch(rows->ks, SCHEMA_AREA, area, &above))
		return CDOP_FAILED_PRECONDITION;
	if ((err = take_id(rows, &entry.id)) != CDOP_OK)
		return err;
	k = keystore_scratch(rows->ks);
	fresh_key(rows, entry.id, above, k);
	err = case_row_write(rows, &entry, area, k);
	if (err == CDOP_OK)
		err = keystore_put(rows->ks, &entry);
	if (err == CDOP_OK) {
		keystore_use(rows->ks, entry.id, k);
		*ret_key = entry.id;
	}
	sodium_memzero(k, ENVELOPE_KEY);
	return err;
}

enum cdop_err
rows_keys_case_new(
    struct rows *rows, uint64_t case_id, const char *area, uint64_t *ret_key)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, case_new(rows, case_id, area, ret_key));
}

enum cdop_err
rows_keys_case_load(
    struct rows *rows, const struct envelope_head *head, struct cdop_bytes row)
{
	struct keystore_entry entry = {.row = head->number,
	    .wrapped_by = head->key_id,
	    .scope = SCHEMA_CASE};
	const struct keystore_entry *area;
	struct layout_key key;
	struct cdop_bytes data;
	enum cdop_err err;

	if (row.len > sizeof(rows->small))
		return rows_core_find(rows, head->number, "not a key row");
	err = rows_core_open(rows, head, row, rows->small, &data);
	if (err != CDOP_OK)
		return err;
	area = keystore_find(rows->ks, head->key_id);
	if (layout_case_parse(data, &key) != CDOP_OK || area == NULL ||
	    keystore_find(rows->ks, key.id) != NULL)
		return rows_core_find(rows, head->number, "not a key row");
	entry.id = key.id;
	entry.case_id = key.case_id;
	entry.area = area->area;
	rows->seen_row = head->number;
	rows->seen = key;
	return keystore_put(rows->ks, &entry);
}

/* NULL: no such case key. */
static const struct keystore_entry *
case_entry(const struct rows *rows, uint64_t key)
{
	const struct keystore_entry *entry;

	entry = keystore_find(rows->ks, key);
	return entry != NULL && entry->scope == SCHEMA_CASE ? entry : NULL;
}

static enum cdop_err
case_move(struct rows *rows, uint64_t key, const char *area)
{
	const struct keystore_entry *old;
	struct keystore_entry entry;
	uint8_t *k;
	enum cdop_err err;

	old = case_entry(rows, key);
	if (old == NULL)
		return CDOP_NOT_FOUND;
	entry = *old;
	if ((err = rows_core_case_key(rows, old, &k)) != CDOP_OK)
		return err;
	err = case_row_write(rows, &entry, area, k);
	sodium_memzero(k, ENVELOPE_KEY);
	if (err == CDOP_OK)
		err = rows_core_remove(rows, old->row, SCHEMA_KIND_CASE_KEY);
	return err == CDOP_OK ? keystore_put(rows->ks, &entry) : err;
}

enum cdop_err
rows_keys_case_move(struct rows *rows, uint64_t key, const char *area)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, case_move(rows, key, area));
}

static enum cdop_err
case_destroy(struct rows *rows, uint64_t key)
{
	const struct keystore_entry *entry;
	enum cdop_err err;

	entry = case_entry(rows, key);
	if (entry == NULL)
		return CDOP_NOT_FOUND;
	err = rows_core_remove(rows, entry->row, SCHEMA_KIND_CASE_KEY);
	return err == CDOP_OK ? keystore_del(rows->ks, key) : err;
}

enum cdop_err
rows_keys_case_destroy(struct rows *rows, uint64_t key)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, case_destroy(rows, key));
}

/* ---- The root ---- */

/* A row of format 2 in the place of another. */
static enum cdop_err
low_replace(struct rows *rows, uint64_t *number, struct cdop_bytes row)
{
	uint64_t old;
	enum cdop_err err;

	old = *number;
	if ((err = rows_core_take_low(rows, number)) != CDOP_OK)
		return err;
	if ((err = rows_core_write_raw(rows, row, *number)) != CDOP_OK)
		return err;
	return rows_core_remove(rows, old, 0);
}

static enum cdop_err
slots_turn_all(struct rows *rows, const uint8_t root[static ENVELOPE_KEY])
{
	struct rows_core_slot *slot;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < rows->n_slots; i++) {
		slot = &rows->slots[i];
		err = undo_save(rows->undo, slot, sizeof(*slot));
		if (err != CDOP_OK)
			return err;
		err = slots_turn((struct cdop_bytes){slot->row, SLOTS_ROW},
		    keystore_raw(rows->ks, 0), root, slot->row);
		if (err != CDOP_OK)
			return rows_core_find(
			    rows, slot->number, "damaged (a slot)");
		err = low_replace(rows, &slot->number,
		    (struct cdop_bytes){slot->row, SLOTS_ROW});
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

static enum cdop_err
ring_turn(struct rows *rows, const uint8_t root[static ENVELOPE_KEY])
{
	const struct envelope_ring *ring;
	enum cdop_err err;

	ring = keystore_ring(rows->ks);
	err = undo_save(rows->undo, rows->ring, sizeof(rows->ring));
	if (err == CDOP_OK)
		err = undo_save(
		    rows->undo, &rows->ring_row, sizeof(rows->ring_row));
	if (err != CDOP_OK)
		return err;
	slots_ring_make(
	    rows->registry, root, ring->header, ring->digest, rows->ring);
	return low_replace(
	    rows, &rows->ring_row, (struct cdop_bytes){rows->ring, SLOTS_RING});
}

/* An epoch key under the root that is in force now. */
static enum cdop_err
epoch_rewrap(struct rows *rows, uint64_t id)
{
	struct keystore_entry entry;
	struct layout_key key;
	enum cdop_err err;

	entry = *keystore_find(rows->ks, id);
	memset(&key, 0, sizeof(key));
	key.id = id;
	key.scope = entry.scope;
	(void)strncpy(key.area, keystore_area(rows->ks, entry.area),
	    sizeof(key.area) - 1);
	wrap_key(rows, &key, 0, keystore_raw(rows->ks, id));
	err = rows_core_remove(rows, entry.row, SCHEMA_KIND_EPOCH_KEY);
	if (err == CDOP_OK)
		err = epoch_row_write(rows, &key, &entry.row);
	return err == CDOP_OK ? keystore_put(rows->ks, &entry) : err;
}

static enum cdop_err
root_turn(struct rows *rows)
{
	uint8_t *root;
	uint64_t id;
	enum cdop_err err;
	size_t i;

	root = keystore_scratch(rows->ks);
	fresh_key(rows, 0, 0, root);
	err = slots_turn_all(rows, root);
	if (err == CDOP_OK)
		err = ring_turn(rows, root);
	if (err == CDOP_OK)
		err = keystore_turn(rows->ks, root);
	sodium_memzero(root, ENVELOPE_KEY);
	for (i = 0; err == CDOP_OK; i++) {
		if (!keystore_held(rows->ks, i, &id))
			return CDOP_OK;
		if (keystore_find(rows->ks, id) != NULL)
			err = epoch_rewrap(rows, id);
	}
	return err;
}

enum cdop_err
rows_keys_root_turn(struct rows *rows)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, root_turn(rows));
}
