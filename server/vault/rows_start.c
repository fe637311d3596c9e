/* Reads or makes the rows that a start needs before all others. */
#include "server/vault/rows_start.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "server/vault/rows_keys.h"

/* The rows that need no key: ring and slots. */
enum cdop_err
rows_start_slots(struct rows *rows)
{
	struct cdop_bytes row;
	uint64_t number;
	enum cdop_err err;

	rows->n_slots = 0;
	rows->n_sets = 0;
	rows->boot_row = 0;
	rows->boot_len = 0;
	rows->ring_row = 0;
	number = 0;
	while ((err = db_next(rows->txn, number, &number, &row)) == CDOP_OK &&
	    layout_incarnation(number) == 0) {
		if (row.len == SLOTS_RING &&
		    slots_ring_parse(row, rows->registry) == CDOP_OK) {
			memcpy(rows->ring, row.data, SLOTS_RING);
			rows->ring_row = number;
		} else {
			rows_slots_take(rows, number, row);
		}
		number++;
	}
	if (err != CDOP_OK && err != CDOP_NOT_FOUND)
		return err;
	return rows->ring_row == 0 || rows->n_slots == 0 ? CDOP_DATA_LOSS
							 : CDOP_OK;
}

/* ---- Unsealing ---- */

/* Root and ring into the keystore. */
enum cdop_err
rows_start_root(struct rows *rows, size_t slot, const uint8_t k[static 32])
{
	const struct rows_core_slot *mine;
	struct envelope_ring *ring;
	uint8_t *root;
	enum cdop_err err;

	mine = &rows->slots[slot];
	root = keystore_scratch(rows->ks);
	ring = (struct envelope_ring *)(void *)(root + ENVELOPE_KEY);
	memcpy(ring->registry, rows->registry, sizeof(ring->registry));
	err = slots_open((struct cdop_bytes){mine->row, SLOTS_ROW}, k, root);
	if (err == CDOP_OK) {
		err =
		    slots_ring_open((struct cdop_bytes){rows->ring, SLOTS_RING},
			root, ring->header, ring->digest);
		/* The slot was right, so the ring is not. */
		if (err != CDOP_OK)
			err = rows_core_find(
			    rows, rows->ring_row, "damaged (the ring)");
	}
	if (err == CDOP_DATA_LOSS && rows->finding[0] == '\0')
		err = rows_core_find(rows, mine->number, "damaged (a slot)");
	if (err == CDOP_OK)
		keystore_open(rows->ks, root, ring);
	sodium_memzero(root, ENVELOPE_KEY + sizeof(*ring));
	return err;
}

/* Every epoch key stands in incarnation 0 (adr/0003). */
enum cdop_err
rows_start_epochs(struct rows *rows)
{
	struct cdop_bytes row;
	uint64_t number;
	enum cdop_err err;

	number = 0;
	while ((err = db_next(rows->txn, number, &number, &row)) == CDOP_OK &&
	    layout_incarnation(number) == 0) {
		if (row.data[0] == 1) {
			err = rows_keys_epoch_load(rows, number);
			if (err != CDOP_OK)
				return err;
		}
		number++;
	}
	return err == CDOP_NOT_FOUND ? CDOP_OK : err;
}

enum cdop_err
rows_start_head(struct rows *rows)
{
	struct layout_head head;
	struct envelope_head found;
	struct cdop_bytes row, data;
	uint64_t number;
	enum cdop_err err;

	err = db_previous(rows->txn, UINT64_MAX, &number, &row);
	if (err != CDOP_OK)
		return err;
	err = rows_core_get(rows, number, SCHEMA_KIND_HEAD, &found, &data);
	if (err == CDOP_DATA_LOSS) {
		/* The last row is the head row, or the head row is gone. */
		(void)snprintf(rows->finding, sizeof(rows->finding),
		    "the head row is missing or damaged: the last row is not "
		    "a whole head row");
		return err;
	}
	if (err != CDOP_OK)
		return err;
	if (layout_head_parse(data, &head) != CDOP_OK ||
	    number != layout_number(head.incarnation, head.next_row - 1))
		return rows_core_find(rows, number, "not the head row it was");
	memset(&rows->s, 0, sizeof(rows->s));
	rows->s.head = head;
	rows->s.head_row = number;
	rows->s.dir.first = number - layout_counter(number) % LAYOUT_DIR_ROWS;
	return CDOP_OK;
}

/* ---- Making ---- */

void
rows_start_make(struct rows *rows, const uint8_t registry[static 16])
{
	struct envelope_ring *ring;
	uint8_t *root;

	root = keystore_scratch(rows->ks);
	ring = (struct envelope_ring *)(void *)(root + ENVELOPE_KEY);
	randombytes_buf(root, ENVELOPE_KEY);
	randombytes_buf(ring->header, sizeof(ring->header));
	randombytes_buf(ring->digest, sizeof(ring->digest));
	memcpy(ring->registry, registry, sizeof(ring->registry));
	memcpy(rows->registry, registry, sizeof(rows->registry));
	keystore_open(rows->ks, root, ring);
	sodium_memzero(root, ENVELOPE_KEY + sizeof(*ring));
}

static enum cdop_err
ring_write(struct rows *rows)
{
	const struct envelope_ring *ring;
	enum cdop_err err;

	ring = keystore_ring(rows->ks);
	slots_ring_make(rows->registry, keystore_raw(rows->ks, 0), ring->header,
	    ring->digest, rows->ring);
	if ((err = rows_core_take_low(rows, &rows->ring_row)) != CDOP_OK)
		return err;
	return rows_core_write_raw(
	    rows, (struct cdop_bytes){rows->ring, SLOTS_RING}, rows->ring_row);
}

enum cdop_err
rows_start_first(struct rows *rows, const struct slots_new *slots, size_t n)
{
	static const enum schema_scope scopes[] = {
	    SCHEMA_REGISTRY, SCHEMA_LOG, SCHEMA_SEARCH};

	uint8_t row[SLOTS_ROW];
	uint64_t key, number;
	enum cdop_err err;
	size_t i;

	if ((err = ring_write(rows)) != CDOP_OK)
		return err;
	for (i = 0; i < n; i++) {
		err = rows_slots_write(rows, &slots[i], &number, row);
		if (err != CDOP_OK)
			return err;
	}
	for (i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		err = rows_keys_epoch_new(rows, scopes[i], NULL, &key);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}
