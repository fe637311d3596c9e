/* One row of the old file as the new one has it. */
#include <sodium.h>
#include <string.h>

#include "server/vault/copy_core.h"

/* ---- Which key --------------------------------------------------------- */

static bool
is_anew(const struct copy *copy, size_t place)
{
	return place < copy->n_anew &&
	    (copy->anew[place / 8] & 1u << place % 8) != 0;
}

static const struct copy_epoch *
epoch_of(const struct copy *copy, uint64_t from)
{
	size_t i;

	for (i = 0; i < copy->n_epochs; i++)
		if (copy->epochs[i].from == from)
			return &copy->epochs[i];
	return NULL;
}

bool
copy_core_drops(const struct copy *copy, uint64_t epoch)
{
	return epoch_of(copy, epoch) != NULL;
}

uint64_t
copy_key(const struct copy *copy, uint64_t key)
{
	const struct copy_epoch *epoch = epoch_of(copy, key);
	size_t place;

	if (epoch != NULL)
		return epoch->to;
	if (!keystore_place(copy->rows->ks, key, &place) ||
	    !is_anew(copy, place))
		return key;
	return copy->first_key + place;
}

bool
copy_core_is_new(const struct copy *copy, uint64_t id)
{
	uint64_t place = id - copy->first_key;

	if (copy->renews && place - copy->n_anew < copy->n_epochs)
		return true;
	return id >= copy->first_key && is_anew(copy, (size_t)place) &&
	    keystore_at(copy->rows->ks, (size_t)place)->scope == SCHEMA_CASE;
}

void
copy_core_new_raw(
    struct copy *copy, uint64_t id, uint8_t k[static ENVELOPE_KEY])
{
	envelope_renewed(keystore_copying(copy->rows->ks), id, k);
}

struct envelope_key *
copy_core_new_key(struct copy *copy, uint64_t id)
{
	struct keystore *ks = copy->rows->ks;
	struct envelope_key *key = keystore_key(ks, id);
	uint8_t *k = keystore_scratch(ks);

	if (copy->renews && id == 0)
		return &keystore_next(ks)->key;
	if (key != NULL || !copy_core_is_new(copy, id))
		return key;
	/* Kept until the end of the step, as those of a batch are. */
	copy_core_new_raw(copy, id, k);
	keystore_use(ks, id, k);
	sodium_memzero(k, ENVELOPE_KEY);
	return keystore_key(ks, id);
}

/* ---- Sealing ----------------------------------------------------------- */

static void
seal(struct copy *copy, const struct envelope_head *head,
    struct envelope_key *key, struct cdop_bytes data,
    struct cdop_bytes *ret_bytes)
{
	struct rows *rows = copy->rows;

	envelope_seal(copy_core_ring(copy), key, head, data, rows->buf);
	*ret_bytes = (struct cdop_bytes){rows->buf, envelope_row_len(data.len)};
}

/* The same data under the key that `to` names. */
static enum cdop_err
seal_under(struct copy *copy, const struct envelope_head *head, uint64_t to,
    struct cdop_bytes data, struct cdop_bytes *ret_bytes)
{
	struct envelope_key *key = copy_core_new_key(copy, to);
	struct envelope_head changed = *head;

	if (key == NULL)
		return copy_core_find(copy, head->number,
		    envelope_verdict_name(ENVELOPE_UNKNOWN_KEY));
	if (envelope_row_len(data.len) == 0)
		return CDOP_INTERNAL;
	changed.key_id = to;
	seal(copy, &changed, key, data, ret_bytes);
	return CDOP_OK;
}

/* ---- The kinds --------------------------------------------------------- */

/* The key in it, wrapped by the epoch key that will wrap it. */
static enum cdop_err
rewrap(struct copy *copy, const struct envelope_head *head, uint64_t wraps,
    struct layout_key *key)
{
	struct rows *rows = copy->rows;
	/* First: it may need the scratch memory itself. */
	struct envelope_key *above = copy_core_new_key(copy, wraps);
	uint8_t label[LAYOUT_LABEL], *k = keystore_scratch(rows->ks);
	enum cdop_err err;

	if (above == NULL)
		return copy_core_find(copy, head->number,
		    envelope_verdict_name(ENVELOPE_UNKNOWN_KEY));
	layout_label(key->id, head->key_id, SCHEMA_CASE, label);
	err = envelope_unwrap(keystore_key(rows->ks, head->key_id),
	    rows->registry, (struct cdop_bytes){label, sizeof(label)},
	    key->wrap, k);
	if (err != CDOP_OK)
		return copy_core_find(copy, head->number, "damaged (its key)");
	key->id = copy_key(copy, key->id);
	if (copy_core_is_new(copy, key->id))
		copy_core_new_raw(copy, key->id, k);
	layout_label(key->id, wraps, SCHEMA_CASE, label);
	envelope_wrap(above, rows->registry,
	    (struct cdop_bytes){label, sizeof(label)}, k, key->wrap);
	sodium_memzero(k, ENVELOPE_KEY);
	return CDOP_OK;
}

static enum cdop_err
seal_case_key(
    struct copy *copy, const struct walk_row *row, struct cdop_bytes *ret_bytes)
{
	struct rows *rows = copy->rows;
	uint64_t wraps = copy_key(copy, row->head->key_id);
	uint8_t data[LAYOUT_CASE];
	struct cdop_bytes old;
	struct layout_key key;
	enum cdop_err err;

	err = rows_core_open(rows, row->head, row->bytes, copy->plain, &old);
	if (err != CDOP_OK)
		return err;
	if (layout_case_parse(old, &key) != CDOP_OK)
		return copy_core_find(copy, row->number, "not a key row");
	*ret_bytes = row->bytes;
	if (wraps == row->head->key_id && copy_key(copy, key.id) == key.id)
		return CDOP_OK;
	if ((err = rewrap(copy, row->head, wraps, &key)) != CDOP_OK)
		return err;
	layout_case_write(&key, data);
	return seal_under(copy, row->head, wraps,
	    (struct cdop_bytes){data, sizeof(data)}, ret_bytes);
}

static enum cdop_err
seal_leaf(
    struct copy *copy, const struct walk_row *row, struct cdop_bytes *ret_bytes)
{
	uint64_t to = copy_key(copy, row->head->key_id);
	struct cdop_bytes old, data;
	enum cdop_err err;

	err = rows_core_open(
	    copy->rows, row->head, row->bytes, copy->plain, &old);
	if (err != CDOP_OK)
		return err;
	data = old;
	if (copy->leaf != NULL) {
		cdop_arena_reset(copy->arena);
		err = copy->leaf(copy->ctx, copy, old, copy->arena, &data);
		if (err != CDOP_OK)
			return err;
	}
	*ret_bytes = row->bytes;
	if (to != row->head->key_id || data.data != old.data)
		err = seal_under(copy, row->head, to, data, ret_bytes);
	cdop_arena_reset(copy->arena);
	return err;
}

static enum cdop_err
seal_other(
    struct copy *copy, const struct walk_row *row, struct cdop_bytes *ret_bytes)
{
	uint64_t to = copy_key(copy, row->head->key_id);
	struct cdop_bytes data;
	enum cdop_err err;

	*ret_bytes = row->bytes;
	if (to == row->head->key_id)
		return CDOP_OK;
	err = rows_core_open(
	    copy->rows, row->head, row->bytes, copy->plain, &data);
	if (err != CDOP_OK)
		return err;
	return seal_under(copy, row->head, to, data, ret_bytes);
}

enum cdop_err
copy_core_seal(
    struct copy *copy, const struct walk_row *row, struct cdop_bytes *ret_bytes)
{
	*ret_bytes = row->bytes;
	if (!copy->reseals || row->head == NULL ||
	    row->head->kind == SCHEMA_KIND_EPOCH_KEY)
		return CDOP_OK;
	if (row->head->kind == SCHEMA_KIND_CASE_KEY)
		return seal_case_key(copy, row, ret_bytes);
	if (row->head->kind == SCHEMA_KIND_LEAF && copy->opens_leaves)
		return seal_leaf(copy, row, ret_bytes);
	return seal_other(copy, row, ret_bytes);
}

void
copy_core_head(struct copy *copy, const struct envelope_head *head,
    struct cdop_bytes *ret_bytes)
{
	struct layout_head says = copy->rows->s.head;
	struct envelope_head changed = *head;
	uint8_t data[LAYOUT_HEAD];

	memcpy(says.digest, copy->put.digest, sizeof(says.digest));
	memcpy(says.log_digest, copy->put.log_digest, sizeof(says.log_digest));
	layout_head_write(&says, data);
	changed.key_id = copy_key(copy, head->key_id);
	seal(copy, &changed, copy_core_new_key(copy, changed.key_id),
	    (struct cdop_bytes){data, sizeof(data)}, ret_bytes);
	sodium_memzero(data, sizeof(data));
}

/* ---- Boxes ------------------------------------------------------------- */

enum cdop_err
copy_box(struct copy *copy, uint64_t key, struct cdop_bytes context,
    struct cdop_bytes box, struct cdop_arena *arena, uint64_t *ret_key,
    struct cdop_bytes *ret_box)
{
	struct rows *rows = copy->rows;
	uint64_t to = copy_key(copy, key);
	struct cdop_bytes data;
	uint8_t *out;
	enum cdop_err err;

	if (keystore_find(rows->ks, key) == NULL)
		return CDOP_NOT_FOUND;
	*ret_key = to;
	*ret_box = box;
	if (to == key)
		return CDOP_OK;
	err = rows_box_open(rows, key, context, box, arena, &data);
	if (err != CDOP_OK)
		return err;
	out = cdop_arena_alloc(arena, envelope_box_len(data.len));
	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	envelope_box_seal(
	    copy_core_new_key(copy, to), rows->registry, context, data, out);
	*ret_box = (struct cdop_bytes){out, envelope_box_len(data.len)};
	return CDOP_OK;
}
