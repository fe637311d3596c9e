/* Case keys from an old epoch to the newest; see rows_rewrap.h. */
#include "server/vault/rows_rewrap.h"

#include <string.h>

#include "server/vault/rows_core.h"
#include "server/vault/rows_keys.h"

bool
rows_rewrap_epoch(
    const struct rows *rows, size_t i, struct rows_rewrap_epoch *ret_epoch)
{
	const struct keystore_entry *entry;
	uint64_t id;

	/* A key that this batch destroys is held until it is sure. */
	if (!keystore_held(rows->ks, i, &id))
		return false;
	entry = keystore_find(rows->ks, id);
	*ret_epoch = (struct rows_rewrap_epoch){.key = id, .area = ""};
	if (entry == NULL)
		return true;
	ret_epoch->scope = (enum schema_scope)entry->scope;
	ret_epoch->area = keystore_area(rows->ks, entry->area);
	ret_epoch->wraps = entry->wraps;
	ret_epoch->newest = keystore_is_newest(rows->ks, entry);
	return true;
}

const char *
rows_rewrap_area(const struct rows *rows, size_t i)
{
	return i < keystore_areas(rows->ks)
	    ? keystore_area(rows->ks, (uint16_t)(i + 1))
	    : NULL;
}

uint64_t
rows_rewrap_newest(const struct rows *rows, const char *area)
{
	uint64_t key;

	return keystore_epoch(rows->ks, SCHEMA_AREA, area, &key) ? key : 0;
}

bool
rows_rewrap_has(const struct rows *rows, uint64_t key)
{
	return keystore_find(rows->ks, key) != NULL;
}

static bool
is_one_of(const char *area, const char *const *all, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(all[i], area) == 0)
			return true;
	return n == 0;
}

bool
rows_rewrap_has_case(
    const struct rows *rows, const char *const *area, size_t n, uint64_t floor)
{
	const struct keystore_entry *entry;
	size_t i;

	for (i = 0; i < keystore_places(rows->ks); i++) {
		entry = keystore_at(rows->ks, i);
		if (entry->scope == SCHEMA_CASE && entry->id < floor &&
		    is_one_of(keystore_area(rows->ks, entry->area), area, n))
			return true;
	}
	return false;
}

uint64_t
rows_rewrap_next(const struct rows *rows)
{
	return layout_number(rows->s.head.incarnation, rows->s.head.next_key);
}

uint64_t
rows_rewrap_left(const struct rows *rows)
{
	struct rows_rewrap_epoch epoch;
	uint64_t left = 0;
	size_t i;

	for (i = 0; rows_rewrap_epoch(rows, i, &epoch); i++)
		if (epoch.scope == SCHEMA_AREA && !epoch.newest)
			left += epoch.wraps;
	return left;
}

/* Wrapped by a key that is not the newest of its area. */
static bool
is_old(const struct rows *rows, const struct keystore_entry *entry)
{
	const struct keystore_entry *by;

	if (entry->scope != SCHEMA_CASE)
		return false;
	by = keystore_find(rows->ks, entry->wrapped_by);
	return by != NULL && !keystore_is_newest(rows->ks, by);
}

enum cdop_err
rows_rewrap_some(
    struct rows *rows, size_t *at, size_t n, size_t look, size_t *ret_n)
{
	const struct keystore_entry *entry;
	const size_t places = keystore_places(rows->ks);
	enum cdop_err err;

	CDOP_ASSERT(rows->batch);
	*ret_n = 0;
	for (; *at < places && *ret_n < n && look > 0; look--, (*at)++) {
		entry = keystore_at(rows->ks, *at);
		if (!is_old(rows, entry))
			continue;
		err = rows_keys_case_move(
		    rows, entry->id, keystore_area(rows->ks, entry->area));
		if (err != CDOP_OK)
			return err;
		(*ret_n)++;
	}
	if (*at >= places)
		*at = 0;
	return CDOP_OK;
}
