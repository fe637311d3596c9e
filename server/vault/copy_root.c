/*
 * What a copy makes where nothing that the old root led to may be left: root,
 * ring, slots and epoch keys of the new file (adr/0025).
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/vault/copy_core.h"

const struct envelope_ring *
copy_core_ring(const struct copy *copy)
{
	struct keystore *ks = copy->rows->ks;

	return copy->renews ? &keystore_next(ks)->ring : keystore_ring(ks);
}

enum cdop_err
copy_core_look(struct copy *copy, uint64_t number, struct cdop_bytes row,
    struct envelope_head *ret_head)
{
	enum envelope_verdict verdict;

	verdict =
	    envelope_head_parse(copy_core_ring(copy), row, number, ret_head);
	if (verdict == ENVELOPE_FINE && schema_find(ret_head->kind) == NULL)
		verdict = ENVELOPE_UNKNOWN_KIND;
	if (verdict == ENVELOPE_FINE)
		return CDOP_OK;
	return copy_core_find(copy, number, envelope_verdict_name(verdict));
}

void
copy_core_count(struct copy *copy, uint64_t number, struct cdop_bytes row,
    enum schema_scope scope, struct layout_head *head)
{
	uint8_t term[32];

	envelope_digest(copy_core_ring(copy), number, row, term);
	layout_digest_add(
	    rows_core_is_log(scope) ? head->log_digest : head->digest, term);
}

/* ---- Making ------------------------------------------------------------ */

/*
 * Of the old root nothing goes into it: it rests on the random source alone,
 * as the first one does.
 */
static void
make_root(struct copy *copy)
{
	struct keystore_next *next = keystore_next(copy->rows->ks);
	uint8_t context[8];

	randombytes_buf(next->root, sizeof(next->root));
	randombytes_buf(next->ring.header, sizeof(next->ring.header));
	randombytes_buf(next->ring.digest, sizeof(next->ring.digest));
	memcpy(next->ring.registry, copy->rows->registry, ENVELOPE_REGISTRY);
	envelope_key_init(&next->key, next->root);
	/* The secret of the copy was made under the old one. */
	cdop_put64(context, copy->first_key);
	envelope_fresh(&next->key,
	    (struct cdop_bytes){context, sizeof(context)},
	    keystore_copying(copy->rows->ks));
}

/* In the order of ids. */
static void
insert_epoch(struct copy *copy, uint64_t id)
{
	size_t i = copy->n_epochs++;

	for (; i > 0 && copy->epochs[i - 1].from > id; i--)
		copy->epochs[i] = copy->epochs[i - 1];
	copy->epochs[i].from = id;
}

/* New ids in the order of the old ones: the newest stays the newest. */
static enum cdop_err
pair_epochs(struct copy *copy)
{
	struct layout_head *head = &copy->rows->s.head;
	struct keystore *ks = copy->rows->ks;
	uint64_t id;
	size_t i;

	copy->epochs = calloc(KEYSTORE_EPOCHS_MAX, sizeof(*copy->epochs));
	if (copy->epochs == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; keystore_held(ks, i, &id); i++)
		if (keystore_find(ks, id) != NULL)
			insert_epoch(copy, id);
	if (head->next_key > LAYOUT_COUNTER_MAX - copy->n_epochs)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < copy->n_epochs; i++)
		copy->epochs[i].to = copy->first_key + copy->n_anew + i;
	head->next_key += copy->n_epochs;
	return CDOP_OK;
}

static struct copy_low *
next_low(struct copy *copy, size_t len)
{
	struct copy_low *low = &copy->low[copy->n_low++];
	struct layout_head *head = &copy->rows->s.head;

	low->number = layout_number(0, head->next_slot_row++);
	low->len = len;
	return low;
}

static enum cdop_err
make_slot(struct copy *copy, const struct copy_slot *new)
{
	struct layout_head *head = &copy->rows->s.head;
	const uint8_t *root = keystore_next(copy->rows->ks)->root;
	struct copy_low *slot, *set;
	enum cdop_err err;

	if (head->next_slot == UINT16_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	copy->slot_at[copy->n_slots++] = copy->n_low;
	slot = next_low(copy, SLOTS_ROW);
	err = slots_make(copy->rows->registry, head->next_slot++, &new->slot,
	    root, slot->bytes);
	if (err != CDOP_OK || new->slot.kind != SLOTS_KIND_SHARES)
		return err;
	if (new->set == NULL || new->shares == NULL)
		return CDOP_INVALID_ARGUMENT;
	set = next_low(copy, SLOTS_SET);
	return slots_set_make((struct cdop_bytes){slot->bytes, SLOTS_ROW}, root,
	    new->set, set->bytes, new->shares);
}

/* Every case key there is gets another: there is a secret, and ids. */
static bool
is_whole(const struct copy *copy, const struct copy_plan *plan)
{
	return copy->anew != NULL && plan->all_areas && plan->n_epochs == 0 &&
	    plan->n_slots <= SLOTS_MAX;
}

enum cdop_err
copy_core_renew(struct copy *copy, const struct copy_plan *plan)
{
	enum cdop_err err;
	size_t i, sets = 0;

	if (!is_whole(copy, plan))
		return CDOP_INVALID_ARGUMENT;
	for (i = 0; i < plan->n_slots; i++)
		sets += plan->slots[i].slot.kind == SLOTS_KIND_SHARES;
	if (sets > ROWS_SLOTS_SETS)
		return CDOP_INVALID_ARGUMENT;
	copy->low = calloc(plan->n_slots + sets, sizeof(*copy->low));
	if (copy->low == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	make_root(copy);
	if ((err = pair_epochs(copy)) != CDOP_OK)
		return err;
	for (i = 0; i < plan->n_slots; i++)
		if ((err = make_slot(copy, &plan->slots[i])) != CDOP_OK)
			return err;
	copy->renews = true;
	return CDOP_OK;
}

/* ---- Asked ------------------------------------------------------------- */

static struct cdop_bytes
slot_row(const struct copy *copy, size_t i)
{
	CDOP_ASSERT(copy->renews && i < copy->n_slots);
	return (struct cdop_bytes){
	    copy->low[copy->slot_at[i]].bytes, SLOTS_ROW};
}

bool
copy_slot_opens(struct copy *copy, size_t i, const uint8_t k[static 32])
{
	const uint8_t *next = keystore_next(copy->rows->ks)->root;
	uint8_t *root = keystore_scratch(copy->rows->ks);
	bool good;

	good = !copy->done &&
	    slots_open(slot_row(copy, i), k, root) == CDOP_OK &&
	    sodium_memcmp(root, next, ENVELOPE_KEY) == 0;
	sodium_memzero(root, ENVELOPE_KEY);
	return good;
}

uint16_t
copy_slot_number(const struct copy *copy, size_t i)
{
	return cdop_get16(slot_row(copy, i).data + 2);
}

bool
copy_slot_set(const struct copy *copy, size_t i, struct slots_set *ret_set)
{
	const size_t at = copy->slot_at[i] + 1;

	CDOP_ASSERT(copy->renews && i < copy->n_slots);
	return at < copy->n_low && copy->low[at].len == SLOTS_SET &&
	    slots_set_parse((struct cdop_bytes){copy->low[at].bytes, SLOTS_SET},
		ret_set) == CDOP_OK;
}

enum cdop_err
copy_core_renewed(struct copy *copy, uint64_t id, enum schema_scope scope,
    struct envelope_key **ret_key)
{
	const uint64_t first = copy->first_key + copy->n_anew;
	const struct keystore_entry *entry;
	struct keystore *ks = copy->rows->ks;

	if (scope == SCHEMA_ROOT) {
		*ret_key = &keystore_next(ks)->key;
		return id == 0 ? CDOP_OK : CDOP_NOT_FOUND;
	}
	if (!copy_core_is_new(copy, id))
		return CDOP_NOT_FOUND;
	if (id >= first)
		entry = keystore_find(ks, copy->epochs[id - first].from);
	else
		entry = keystore_at(ks, (size_t)(id - copy->first_key));
	if (entry == NULL || entry->scope != scope)
		return CDOP_NOT_FOUND;
	*ret_key = copy_core_new_key(copy, id);
	return CDOP_OK;
}

/* ---- Low rows ---------------------------------------------------------- */

/* An epoch key of the old file, read out of its row. */
static enum cdop_err
read_epoch(
    struct copy *copy, const struct walk_row *row, struct layout_key *ret_key)
{
	struct cdop_bytes data;
	enum cdop_err err;

	err = rows_core_open(
	    copy->rows, row->head, row->bytes, copy->plain, &data);
	if (err != CDOP_OK)
		return err;
	if (layout_epoch_parse(data, ret_key) != CDOP_OK)
		return copy_core_find(copy, row->number, "not a key row");
	if (!copy_core_drops(copy, ret_key->id))
		return copy_core_find(
		    copy, row->number, "from after the beginning");
	return CDOP_OK;
}

static enum cdop_err
renew_epoch(
    struct copy *copy, const struct walk_row *row, struct cdop_bytes *ret_bytes)
{
	struct rows *rows = copy->rows;
	struct keystore_next *next = keystore_next(rows->ks);
	uint8_t label[LAYOUT_LABEL], data[LAYOUT_EPOCH], *k;
	struct envelope_head head = *row->head;
	struct layout_key key;
	enum cdop_err err;

	if ((err = read_epoch(copy, row, &key)) != CDOP_OK)
		return err;
	key.id = copy_key(copy, key.id);
	k = keystore_scratch(rows->ks);
	copy_core_new_raw(copy, key.id, k);
	layout_label(key.id, 0, key.scope, label);
	envelope_wrap(&next->key, rows->registry,
	    (struct cdop_bytes){label, sizeof(label)}, k, key.wrap);
	sodium_memzero(k, ENVELOPE_KEY);
	layout_epoch_write(&key, data);
	envelope_seal(&next->ring, &next->key, &head,
	    (struct cdop_bytes){data, sizeof(data)}, rows->buf);
	*ret_bytes =
	    (struct cdop_bytes){rows->buf, envelope_row_len(sizeof(data))};
	return CDOP_OK;
}

enum cdop_err
copy_core_renew_low(
    struct copy *copy, const struct walk_row *row, struct cdop_bytes *ret_bytes)
{
	struct rows *rows = copy->rows;
	struct keystore_next *next = keystore_next(rows->ks);

	if (row->head != NULL)
		return renew_epoch(copy, row, ret_bytes);
	/* The boot set is under no root. */
	*ret_bytes = row->bytes;
	if (boot_set_is_row(row->bytes))
		return CDOP_OK;
	*ret_bytes = (struct cdop_bytes){NULL, 0};
	if (row->number != rows->ring_row)
		return CDOP_OK;
	slots_ring_make(rows->registry, next->root, next->ring.header,
	    next->ring.digest, rows->buf);
	*ret_bytes = (struct cdop_bytes){rows->buf, SLOTS_RING};
	return CDOP_OK;
}

static enum cdop_err
check_epoch(struct copy *copy, uint64_t number, struct cdop_bytes row)
{
	struct rows *rows = copy->rows;
	struct keystore_next *next = keystore_next(rows->ks);
	uint8_t label[LAYOUT_LABEL], k[ENVELOPE_KEY], *found;
	struct envelope_key *under;
	struct envelope_head head;
	struct layout_key key;
	struct cdop_bytes data;
	enum cdop_err err;
	bool same;

	if ((err = copy_core_look(copy, number, row, &head)) != CDOP_OK)
		return err;
	if (head.kind != SCHEMA_KIND_EPOCH_KEY || head.key_id != 0 ||
	    envelope_unseal(&next->ring, &next->key, &head, row, copy->plain,
		&data) != ENVELOPE_FINE ||
	    layout_epoch_parse(data, &key) != CDOP_OK ||
	    copy_core_renewed(copy, key.id, key.scope, &under) != CDOP_OK)
		return copy_core_find(copy, number, "not a key row");
	layout_label(key.id, 0, key.scope, label);
	found = keystore_scratch(rows->ks);
	err = envelope_unwrap(&next->key, rows->registry,
	    (struct cdop_bytes){label, sizeof(label)}, key.wrap, found);
	copy_core_new_raw(copy, key.id, k);
	same = err == CDOP_OK && sodium_memcmp(k, found, sizeof(k)) == 0;
	sodium_memzero(k, sizeof(k));
	sodium_memzero(found, ENVELOPE_KEY);
	return same ? CDOP_OK : copy_core_find(copy, number, "of another key");
}

static enum cdop_err
check_ring(struct copy *copy, uint64_t number, struct cdop_bytes row)
{
	const struct keystore_next *next = keystore_next(copy->rows->ks);
	uint8_t header[ENVELOPE_KEY], digest[ENVELOPE_KEY];
	bool same;

	same = slots_ring_open(row, next->root, header, digest) == CDOP_OK &&
	    sodium_memcmp(header, next->ring.header, sizeof(header)) == 0 &&
	    sodium_memcmp(digest, next->ring.digest, sizeof(digest)) == 0;
	sodium_memzero(header, sizeof(header));
	sodium_memzero(digest, sizeof(digest));
	return same ? CDOP_OK : copy_core_find(copy, number, "not the ring");
}

/* A slot or a set: one of those that were made, byte for byte. */
static enum cdop_err
check_slot(struct copy *copy, uint64_t number, struct cdop_bytes row)
{
	const uint8_t *root = keystore_next(copy->rows->ks)->root;
	const struct copy_low *low;
	size_t i;

	for (i = 0; i < copy->n_low; i++) {
		low = &copy->low[i];
		if (low->number != number)
			continue;
		if (low->len != row.len ||
		    memcmp(low->bytes, row.data, row.len) != 0)
			break;
		if (row.len == SLOTS_ROW && slots_check(row, root) != CDOP_OK)
			break;
		return CDOP_OK;
	}
	return copy_core_find(copy, number, "not a slot of the new root");
}

enum cdop_err
copy_core_check_low(struct copy *copy, uint64_t number, struct cdop_bytes row)
{
	if (row.data[0] == 1)
		return check_epoch(copy, number, row);
	if (number == copy->rows->ring_row)
		return check_ring(copy, number, row);
	if (boot_set_is_row(row))
		return CDOP_OK;
	return check_slot(copy, number, row);
}
