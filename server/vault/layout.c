/* Fixed layouts, big-endian. */
#include "server/vault/layout.h"

#include <string.h>

#include "server/store/schema.h"

uint64_t
layout_number(uint16_t incarnation, uint64_t counter)
{
	return (uint64_t)incarnation << 48 | (counter & LAYOUT_COUNTER_MAX);
}

uint16_t
layout_incarnation(uint64_t number)
{
	return (uint16_t)(number >> 48);
}

uint64_t
layout_counter(uint64_t number)
{
	return number & LAYOUT_COUNTER_MAX;
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* ---- Head row ---- */

void
layout_head_write(
    const struct layout_head *head, uint8_t out[static LAYOUT_HEAD])
{
	memset(out, 0, LAYOUT_HEAD);
	cdop_put64(out, head->next_row);
	cdop_put64(out + 8, head->next_slot_row);
	cdop_put64(out + 16, head->next_leaf);
	cdop_put64(out + 24, head->next_key);
	cdop_put16(out + 32, head->incarnation);
	cdop_put16(out + 34, head->next_slot);
	memcpy(out + 40, head->digest, 32);
	memcpy(out + 72, head->log_digest, 32);
	memcpy(out + 104, head->leaf_hash, 32);
	memcpy(out + 136, head->root, 32);
	cdop_put64(out + 168, head->tile_row);
}

enum cdop_err
layout_head_parse(struct cdop_bytes in, struct layout_head *ret_head)
{
	const uint8_t *p;

	p = in.data;
	if (in.len != LAYOUT_HEAD || cdop_get64(p) > LAYOUT_COUNTER_MAX ||
	    cdop_get64(p + 8) > LAYOUT_COUNTER_MAX ||
	    cdop_get64(p + 24) > LAYOUT_COUNTER_MAX || cdop_get16(p + 32) == 0)
		return CDOP_DATA_LOSS;
	ret_head->next_row = cdop_get64(p);
	ret_head->next_slot_row = cdop_get64(p + 8);
	ret_head->next_leaf = cdop_get64(p + 16);
	ret_head->next_key = cdop_get64(p + 24);
	ret_head->incarnation = cdop_get16(p + 32);
	ret_head->next_slot = cdop_get16(p + 34);
	memcpy(ret_head->digest, p + 40, 32);
	memcpy(ret_head->log_digest, p + 72, 32);
	memcpy(ret_head->leaf_hash, p + 104, 32);
	memcpy(ret_head->root, p + 136, 32);
	ret_head->tile_row = cdop_get64(p + 168);
	return CDOP_OK;
}

/* ---- Directory rows ---- */

void
layout_dir_write(const struct layout_dir *dir, uint8_t out[static LAYOUT_DIR])
{
	cdop_put64(out, dir->first);
	cdop_put64(out + 8, dir->next_leaf);
	memcpy(out + 16, dir->bits, sizeof(dir->bits));
}

enum cdop_err
layout_dir_parse(struct cdop_bytes in, struct layout_dir *ret_dir)
{
	if (in.len != LAYOUT_DIR || cdop_get64(in.data) % LAYOUT_DIR_ROWS != 0)
		return CDOP_DATA_LOSS;
	ret_dir->first = cdop_get64(in.data);
	ret_dir->next_leaf = cdop_get64(in.data + 8);
	memcpy(ret_dir->bits, in.data + 16, sizeof(ret_dir->bits));
	return CDOP_OK;
}

bool
layout_dir_has(const struct layout_dir *dir, uint64_t number)
{
	uint64_t i;

	i = number - dir->first;
	return (dir->bits[i / 8] >> i % 8 & 1) != 0;
}

void
layout_dir_set(struct layout_dir *dir, uint64_t number)
{
	uint64_t i;

	i = number - dir->first;
	dir->bits[i / 8] |= (uint8_t)(1u << i % 8);
}

/* ---- Key rows ---- */

void
layout_epoch_write(
    const struct layout_key *key, uint8_t out[static LAYOUT_EPOCH])
{
	memset(out, 0, LAYOUT_EPOCH);
	cdop_put64(out, key->id);
	out[8] = key->scope;
	memcpy(out + 16, key->area, strnlen(key->area, KEYSTORE_AREA_MAX));
	memcpy(out + 64, key->wrap, ENVELOPE_WRAP);
}

/* Text to its end, zeros behind it, and only where an area belongs. */
static bool
area_is_good(const uint8_t *area, uint8_t scope)
{
	size_t len;

	len = strnlen((const char *)area, KEYSTORE_AREA_MAX + 1);
	if (len > KEYSTORE_AREA_MAX ||
	    !is_zero(area + len, KEYSTORE_AREA_MAX + 1 - len))
		return false;
	return (scope == SCHEMA_AREA) == (len > 0);
}

enum cdop_err
layout_epoch_parse(struct cdop_bytes in, struct layout_key *ret_key)
{
	const uint8_t *p;

	p = in.data;
	if (in.len != LAYOUT_EPOCH || cdop_get64(p) == 0 ||
	    p[8] < SCHEMA_REGISTRY || p[8] > SCHEMA_AREA ||
	    !is_zero(p + 9, 7) || !area_is_good(p + 16, p[8]))
		return CDOP_DATA_LOSS;
	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->id = cdop_get64(p);
	ret_key->scope = p[8];
	memcpy(ret_key->area, p + 16, KEYSTORE_AREA_MAX);
	memcpy(ret_key->wrap, p + 64, ENVELOPE_WRAP);
	return CDOP_OK;
}

void
layout_case_write(const struct layout_key *key, uint8_t out[static LAYOUT_CASE])
{
	cdop_put64(out, key->id);
	cdop_put64(out + 8, key->case_id);
	memcpy(out + 16, key->wrap, ENVELOPE_WRAP);
}

enum cdop_err
layout_case_parse(struct cdop_bytes in, struct layout_key *ret_key)
{
	if (in.len != LAYOUT_CASE || cdop_get64(in.data) == 0)
		return CDOP_DATA_LOSS;
	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->id = cdop_get64(in.data);
	ret_key->scope = SCHEMA_CASE;
	ret_key->case_id = cdop_get64(in.data + 8);
	memcpy(ret_key->wrap, in.data + 16, ENVELOPE_WRAP);
	return CDOP_OK;
}

void
layout_label(uint64_t key, uint64_t wrapped_by, uint8_t scope,
    uint8_t out[static LAYOUT_LABEL])
{
	memcpy(out, "key", 3);
	cdop_put64(out + 3, key);
	cdop_put64(out + 11, wrapped_by);
	out[19] = scope;
}

/* ---- State digest ---- */

void
layout_digest_add(uint8_t a[static 32], const uint8_t b[static 32])
{
	unsigned int i, carry;

	carry = 0;
	for (i = 0; i < 32; i++) {
		carry += (unsigned int)a[i] + b[i];
		a[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

void
layout_digest_sub(uint8_t a[static 32], const uint8_t b[static 32])
{
	unsigned int i, borrow;

	borrow = 0;
	for (i = 0; i < 32; i++) {
		borrow = 0x100u + a[i] - b[i] - borrow;
		a[i] = (uint8_t)borrow;
		borrow = borrow < 0x100u;
	}
}
