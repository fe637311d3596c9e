/* Slots and sets: in memory and as rows. */
#include "server/vault/rows_slots.h"

#include <string.h>

#include "server/base/undo.h"
#include "server/vault/rows_core.h"

/* ---- what there is ------------------------------------------------------ */

size_t
rows_slots(const struct rows *rows)
{
	return rows->n_slots;
}

const struct slots_info *
rows_slot(const struct rows *rows, size_t i)
{
	return &rows->slots[i].info;
}

bool
rows_has_shares(const struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows_slots(rows); i++)
		if (rows_slot(rows, i)->kind == SLOTS_KIND_SHARES)
			return true;
	return false;
}

const struct slots_set *
rows_slots_set(const struct rows *rows, uint16_t number)
{
	size_t i;

	for (i = 0; i < rows->n_sets; i++)
		if (rows->sets[i].set.number == number)
			return &rows->sets[i].set;
	return NULL;
}

bool
rows_slots_find(const struct rows *rows, uint16_t number, size_t *ret_slot)
{
	size_t i;

	for (i = 0; i < rows->n_slots; i++) {
		if (rows->slots[i].info.number != number)
			continue;
		*ret_slot = i;
		return true;
	}
	return false;
}

size_t
rows_slots_kinds(const struct rows *rows, uint16_t without)
{
	unsigned seen = 0;
	size_t i, kinds = 0;

	for (i = 0; i < rows->n_slots; i++) {
		if (rows->slots[i].info.number == without ||
		    (seen >> rows->slots[i].info.kind & 1) != 0)
			continue;
		seen |= 1u << rows->slots[i].info.kind;
		kinds++;
	}
	return kinds;
}

/* One that cannot be read is left out: another may open the root. */
void
rows_slots_take(struct rows *rows, uint64_t number, struct cdop_bytes row)
{
	struct rows_core_slot *slot;
	struct rows_core_set *set;

	if (row.len == SLOTS_ROW && rows->n_slots < SLOTS_MAX) {
		slot = &rows->slots[rows->n_slots];
		if (slots_parse(row, &slot->info) != CDOP_OK)
			return;
		slot->number = number;
		memcpy(slot->row, row.data, SLOTS_ROW);
		rows->n_slots++;
	} else if (row.len == SLOTS_SET && rows->n_sets < ROWS_SLOTS_SETS) {
		set = &rows->sets[rows->n_sets];
		if (slots_set_parse(row, &set->set) != CDOP_OK)
			return;
		set->number = number;
		rows->n_sets++;
	} else if (boot_set_is_row(row)) {
		rows->boot_row = number;
		rows->boot_len = row.len;
		memcpy(rows->boot, row.data, row.len);
	}
}

bool
rows_slots_is_fine(const struct rows *rows, struct cdop_bytes row)
{
	const uint8_t *root = keystore_raw(rows->ks, 0);
	size_t slot;

	if (boot_set_is_row(row))
		return true;
	if (row.len != SLOTS_SET)
		return slots_check(row, root) == CDOP_OK;
	return rows_slots_find(rows, cdop_get16(row.data + 2), &slot) &&
	    slots_set_check(row,
		(struct cdop_bytes){rows->slots[slot].row, SLOTS_ROW},
		root) == CDOP_OK;
}

/* ---- changing it -------------------------------------------------------- */

static enum cdop_err
save(struct rows *rows)
{
	enum cdop_err err;

	err = undo_save(rows->undo, rows->slots, sizeof(rows->slots));
	if (err == CDOP_OK)
		err = undo_save(
		    rows->undo, &rows->n_slots, sizeof(rows->n_slots));
	if (err == CDOP_OK)
		err = undo_save(rows->undo, rows->sets, sizeof(rows->sets));
	if (err == CDOP_OK)
		err =
		    undo_save(rows->undo, &rows->n_sets, sizeof(rows->n_sets));
	return err;
}

enum cdop_err
rows_slots_write(struct rows *rows, const struct slots_new *slot,
    uint64_t *ret_row, uint8_t ret_bytes[static SLOTS_ROW])
{
	enum cdop_err err;

	if (rows->s.head.next_slot == UINT16_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	err = slots_make(rows->registry, rows->s.head.next_slot, slot,
	    keystore_raw(rows->ks, 0), ret_bytes);
	if (err != CDOP_OK)
		return err;
	if ((err = rows_core_take_low(rows, ret_row)) != CDOP_OK)
		return err;
	rows->s.head.next_slot++;
	return rows_core_write_raw(
	    rows, (struct cdop_bytes){ret_bytes, SLOTS_ROW}, *ret_row);
}

static enum cdop_err
add(struct rows *rows, const struct slots_new *slot, uint16_t *ret_number)
{
	uint8_t bytes[SLOTS_ROW];
	uint64_t number;
	enum cdop_err err;

	if (rows->n_slots == SLOTS_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = save(rows)) != CDOP_OK)
		return err;
	err = rows_slots_write(rows, slot, &number, bytes);
	if (err != CDOP_OK)
		return err;
	rows_slots_take(rows, number, (struct cdop_bytes){bytes, SLOTS_ROW});
	*ret_number = rows->slots[rows->n_slots - 1].info.number;
	return CDOP_OK;
}

enum cdop_err
rows_slots_add(
    struct rows *rows, const struct slots_new *slot, uint16_t *ret_number)
{
	CDOP_ASSERT(rows->batch && slot->kind != SLOTS_KIND_SHARES);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, add(rows, slot, ret_number));
}

static enum cdop_err
add_set(struct rows *rows, const char *label, const struct slots_set_new *plan,
    uint16_t *ret_number, struct cdop_share *ret_shares)
{
	const struct slots_new slot = {
	    .kind = SLOTS_KIND_SHARES, .label = label};
	uint8_t bytes[SLOTS_SET];
	uint64_t number = 0;
	enum cdop_err err;

	if (rows->n_sets == ROWS_SLOTS_SETS)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = add(rows, &slot, ret_number)) != CDOP_OK)
		return err;
	err = slots_set_make(
	    (struct cdop_bytes){rows->slots[rows->n_slots - 1].row, SLOTS_ROW},
	    keystore_raw(rows->ks, 0), plan, bytes, ret_shares);
	if (err == CDOP_OK)
		err = rows_core_take_low(rows, &number);
	if (err == CDOP_OK)
		err = rows_core_write_raw(
		    rows, (struct cdop_bytes){bytes, SLOTS_SET}, number);
	if (err == CDOP_OK)
		rows_slots_take(
		    rows, number, (struct cdop_bytes){bytes, SLOTS_SET});
	return err;
}

enum cdop_err
rows_slots_add_set(struct rows *rows, const char *label,
    const struct slots_set_new *plan, uint16_t *ret_number,
    struct cdop_share ret_shares[static SHAMIR_MAX])
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(
	    rows, add_set(rows, label, plan, ret_number, ret_shares));
}

static enum cdop_err
remove_set(struct rows *rows, uint16_t number)
{
	size_t i;
	enum cdop_err err;

	for (i = 0; i < rows->n_sets; i++)
		if (rows->sets[i].set.number == number)
			break;
	if (i == rows->n_sets)
		return CDOP_OK;
	err = rows_core_remove(rows, rows->sets[i].number, 0);
	if (err != CDOP_OK)
		return err;
	rows->n_sets--;
	memmove(&rows->sets[i], &rows->sets[i + 1],
	    (rows->n_sets - i) * sizeof(rows->sets[0]));
	return CDOP_OK;
}

static enum cdop_err
remove_slot(struct rows *rows, uint16_t number)
{
	size_t i;
	enum cdop_err err;

	if (!rows_slots_find(rows, number, &i))
		return CDOP_NOT_FOUND;
	if (rows->n_slots == 1)
		return CDOP_FAILED_PRECONDITION;
	if ((err = save(rows)) != CDOP_OK)
		return err;
	err = rows_core_remove(rows, rows->slots[i].number, 0);
	if (err != CDOP_OK)
		return err;
	rows->n_slots--;
	memmove(&rows->slots[i], &rows->slots[i + 1],
	    (rows->n_slots - i) * sizeof(rows->slots[0]));
	return remove_set(rows, number);
}

enum cdop_err
rows_slots_remove(struct rows *rows, uint16_t number)
{
	CDOP_ASSERT(rows->batch);
	if (rows->failed != CDOP_OK)
		return rows->failed;
	return rows_core_stick(rows, remove_slot(rows, number));
}

/* ---- the boot set ------------------------------------------------------- */

struct cdop_bytes
rows_slots_boot(const struct rows *rows)
{
	return (struct cdop_bytes){rows->boot, rows->boot_len};
}

static enum cdop_err
put_boot(struct rows *rows, struct cdop_bytes row)
{
	enum cdop_err err;

	err = undo_save(rows->undo, &rows->boot_row, sizeof(rows->boot_row));
	if (err == CDOP_OK)
		err = undo_save(
		    rows->undo, &rows->boot_len, sizeof(rows->boot_len));
	if (err == CDOP_OK)
		err = undo_save(rows->undo, rows->boot, sizeof(rows->boot));
	if (err == CDOP_OK && rows->boot_row != 0)
		err = rows_core_remove(rows, rows->boot_row, 0);
	if (err != CDOP_OK)
		return err;
	rows->boot_row = 0;
	rows->boot_len = row.len;
	if (row.len == 0)
		return CDOP_OK;
	memcpy(rows->boot, row.data, row.len);
	if ((err = rows_core_take_low(rows, &rows->boot_row)) != CDOP_OK)
		return err;
	return rows_core_write_raw(rows, row, rows->boot_row);
}

enum cdop_err
rows_slots_put_boot(struct rows *rows, struct cdop_bytes row)
{
	CDOP_ASSERT(rows->batch && row.len <= sizeof(rows->boot));
	if (rows->failed != CDOP_OK)
		return rows->failed;
	if (row.len == 0 && rows->boot_row == 0)
		return CDOP_OK;
	return rows_core_stick(rows, put_boot(rows, row));
}
