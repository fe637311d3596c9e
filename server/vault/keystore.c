/* The key table, and the life of the keystore. */
#include "server/vault/keystore.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/vault/keystore_inner.h"
#include "server/vault/lockmem.h"

#define NO_ENTRY  UINT32_MAX
#define FIRST_MAP 1024 /* places of the first hash table */

enum cdop_err
keystore_new(struct lockmem *mem, struct undo *undo, struct keystore **ret_ks)
{
	struct keystore *ks;

	ks = calloc(1, sizeof(*ks));
	if (ks == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	ks->secrets = lockmem_alloc(mem, sizeof(*ks->secrets));
	if (ks->secrets == NULL) {
		free(ks);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	ks->mem = mem;
	ks->undo = undo;
	*ret_ks = ks;
	return CDOP_OK;
}

void
keystore_free(struct keystore *ks)
{
	if (ks == NULL)
		return;
	keystore_lock(ks);
	lockmem_free(ks->mem, ks->secrets, sizeof(*ks->secrets));
	free(ks);
}

void
keystore_lock(struct keystore *ks)
{
	size_t i;

	CDOP_ASSERT(!undo_is_begun(ks->undo));
	for (i = 0; i < ks->n_held; i++)
		lockmem_free(ks->mem, ks->held[i], sizeof(*ks->held[i]));
	ks->n_held = 0;
	sodium_memzero(ks->secrets, sizeof(*ks->secrets));
	for (i = 0; i < KEYSTORE_CHUNKS && ks->chunks[i] != NULL; i++) {
		free(ks->chunks[i]);
		ks->chunks[i] = NULL;
	}
	free(ks->map);
	ks->map = NULL;
	ks->map_len = 0;
	ks->n = 0;
	ks->n_live = 0;
	ks->n_areas = 0;
	memset(ks->areas, 0, sizeof(ks->areas));
	memset(ks->newest, 0, sizeof(ks->newest));
	ks->open = false;
}

bool
keystore_is_open(const struct keystore *ks)
{
	return ks->open;
}

void
keystore_open(struct keystore *ks, const uint8_t root[static 32],
    const struct envelope_ring *ring)
{
	envelope_key_init(&ks->secrets->root.key, root);
	ks->secrets->ring = *ring;
	ks->open = true;
}

const struct envelope_ring *
keystore_ring(const struct keystore *ks)
{
	return &ks->secrets->ring;
}

uint8_t *
keystore_scratch(struct keystore *ks)
{
	return ks->secrets->scratch;
}

/* ---- The table ---- */

static struct keystore_entry *
entry_at(const struct keystore *ks, uint32_t i)
{
	return &ks->chunks[i / KEYSTORE_CHUNK][i % KEYSTORE_CHUNK];
}

/* Ids are counters: spread them (Fibonacci hashing). */
static uint32_t
home(const struct keystore *ks, uint64_t id)
{
	return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	    (ks->map_len - 1);
}

/* The place of id, or the free one where it would go. */
static uint32_t
place_of(const struct keystore *ks, uint64_t id)
{
	uint32_t i;

	for (i = home(ks, id); ks->map[i] != NO_ENTRY;
	     i = (i + 1) & (ks->map_len - 1))
		if (entry_at(ks, ks->map[i])->id == id)
			break;
	return i;
}

static struct keystore_entry *
entry_of(const struct keystore *ks, uint64_t id)
{
	uint32_t i;

	if (ks->map_len == 0)
		return NULL;
	i = ks->map[place_of(ks, id)];
	return i == NO_ENTRY ? NULL : entry_at(ks, i);
}

static enum cdop_err
map_grow(struct keystore *ks)
{
	uint32_t *map;
	uint32_t len, i;

	if (ks->map_len != 0 && ks->n < ks->map_len / 2)
		return CDOP_OK;
	len = ks->map_len == 0 ? FIRST_MAP : ks->map_len * 2;
	map = malloc((size_t)len * sizeof(*map));
	if (map == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memset(map, 0xff, (size_t)len * sizeof(*map));
	free(ks->map);
	ks->map = map;
	ks->map_len = len;
	for (i = 0; i < ks->n; i++)
		ks->map[place_of(ks, entry_at(ks, i)->id)] = i;
	return CDOP_OK;
}

/*
 * Takes the last entry away again.  Entries have their places in their order,
 * so that none has been put further on because of this one.
 */
static void
undo_append(void *ctx, uint64_t arg)
{
	struct keystore *ks;

	(void)arg;
	ks = ctx;
	ks->n--;
	ks->map[place_of(ks, entry_at(ks, ks->n)->id)] = NO_ENTRY;
}

static enum cdop_err
append(struct keystore *ks, uint64_t id, struct keystore_entry **ret_entry)
{
	struct keystore_entry **chunk;
	enum cdop_err err;

	if (ks->n == (uint32_t)KEYSTORE_CHUNK * KEYSTORE_CHUNKS - 1)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = map_grow(ks)) != CDOP_OK)
		return err;
	chunk = &ks->chunks[ks->n / KEYSTORE_CHUNK];
	if (*chunk == NULL)
		*chunk = calloc(KEYSTORE_CHUNK, sizeof(**chunk));
	if (*chunk == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = undo_call(ks->undo, undo_append, ks, 0);
	if (err != CDOP_OK)
		return err;
	*ret_entry = entry_at(ks, ks->n);
	memset(*ret_entry, 0, sizeof(**ret_entry));
	(*ret_entry)->id = id;
	ks->map[place_of(ks, id)] = ks->n;
	ks->n++;
	return CDOP_OK;
}

const struct keystore_entry *
keystore_find(const struct keystore *ks, uint64_t id)
{
	const struct keystore_entry *entry;

	entry = entry_of(ks, id);
	return entry == NULL || entry->scope == 0 ? NULL : entry;
}

/* Where the newest key of an epoch key's scope and area is kept. */
static uint64_t *
newest_of(struct keystore *ks, const struct keystore_entry *entry)
{
	if (entry->scope == SCHEMA_AREA)
		return &ks->areas[entry->area - 1].newest;
	return &ks->newest[entry->scope];
}

bool
keystore_is_newest(
    const struct keystore *ks, const struct keystore_entry *entry)
{
	if (entry->scope == SCHEMA_AREA)
		return ks->areas[entry->area - 1].newest == entry->id;
	return ks->newest[entry->scope] == entry->id;
}

/* Whatever the root wraps is not counted. */
static enum cdop_err
count_wrapped(struct keystore *ks, uint64_t by, bool more)
{
	struct keystore_entry *entry;
	enum cdop_err err;

	entry = by == 0 ? NULL : entry_of(ks, by);
	if (entry == NULL)
		return CDOP_OK;
	err = undo_save(ks->undo, &entry->wraps, sizeof(entry->wraps));
	if (err == CDOP_OK)
		entry->wraps += more ? 1 : UINT32_MAX;
	return err;
}

enum cdop_err
keystore_put(struct keystore *ks, const struct keystore_entry *entry)
{
	struct keystore_entry *mine;
	uint64_t *newest;
	uint32_t wraps;
	enum cdop_err err;

	CDOP_ASSERT(entry->id != 0 && entry->scope >= SCHEMA_REGISTRY &&
	    entry->scope <= SCHEMA_CASE && entry->area <= ks->n_areas);
	mine = entry_of(ks, entry->id);
	if (mine == NULL)
		err = append(ks, entry->id, &mine);
	else
		err = undo_save(ks->undo, mine, sizeof(*mine));
	if (err == CDOP_OK)
		err = undo_save(ks->undo, &ks->n_live, sizeof(ks->n_live));
	if (err != CDOP_OK)
		return err;
	if (entry->scope != SCHEMA_CASE) {
		newest = newest_of(ks, entry);
		err = undo_save(ks->undo, newest, sizeof(*newest));
		if (err != CDOP_OK)
			return err;
		if (entry->id > *newest)
			*newest = entry->id;
	}
	if (mine->scope == 0)
		ks->n_live++;
	else
		err = count_wrapped(ks, mine->wrapped_by, false);
	if (err == CDOP_OK)
		err = count_wrapped(ks, entry->wrapped_by, true);
	wraps = mine->wraps;
	*mine = *entry;
	mine->wraps = wraps;
	return err;
}

enum cdop_err
keystore_del(struct keystore *ks, uint64_t id)
{
	struct keystore_entry *entry;
	struct keystore_in_use *use;
	enum cdop_err err;

	entry = entry_of(ks, id);
	if (entry == NULL || entry->scope == 0)
		return CDOP_NOT_FOUND;
	err = undo_save(ks->undo, entry, sizeof(*entry));
	if (err == CDOP_OK)
		err = undo_save(ks->undo, &ks->n_live, sizeof(ks->n_live));
	if (err == CDOP_OK)
		err = undo_defer(ks->undo, keystore_let_go, ks, id);
	if (err == CDOP_OK)
		err = count_wrapped(ks, entry->wrapped_by, false);
	if (err != CDOP_OK)
		return err;
	entry->scope = 0;
	ks->n_live--;
	use = &ks->secrets->in_use[id % KEYSTORE_IN_USE];
	if (use->id == id)
		sodium_memzero(use, sizeof(*use));
	return CDOP_OK;
}

bool
keystore_epoch(const struct keystore *ks, enum schema_scope scope,
    const char *area, uint64_t *ret_id)
{
	uint64_t id;
	size_t i;

	id = 0;
	if (scope != SCHEMA_AREA)
		id = ks->newest[scope];
	for (i = 0; scope == SCHEMA_AREA && i < ks->n_areas; i++)
		if (strcmp(ks->areas[i].id, area) == 0)
			id = ks->areas[i].newest;
	if (id != 0)
		*ret_id = id;
	return id != 0;
}

const char *
keystore_area(const struct keystore *ks, uint16_t area)
{
	if (area == 0 || area > ks->n_areas)
		return "";
	return ks->areas[area - 1].id;
}

uint16_t
keystore_areas(const struct keystore *ks)
{
	return (uint16_t)ks->n_areas;
}

size_t
keystore_count(const struct keystore *ks)
{
	return ks->n_live;
}

enum cdop_err
keystore_area_add(struct keystore *ks, const char *area, uint16_t *ret_area)
{
	enum cdop_err err;
	size_t i, len;

	len = strlen(area);
	if (len == 0 || len > KEYSTORE_AREA_MAX)
		return CDOP_INVALID_ARGUMENT;
	for (i = 0; i < ks->n_areas; i++)
		if (strcmp(ks->areas[i].id, area) == 0)
			break;
	if (i == KEYSTORE_AREAS)
		return CDOP_RESOURCE_EXHAUSTED;
	if (i == ks->n_areas) {
		err = undo_save(ks->undo, &ks->n_areas, sizeof(ks->n_areas));
		if (err != CDOP_OK)
			return err;
		memset(&ks->areas[i], 0, sizeof(ks->areas[i]));
		memcpy(ks->areas[i].id, area, len);
		ks->n_areas++;
	}
	*ret_area = (uint16_t)(i + 1);
	return CDOP_OK;
}

/* ---- Another file with other keys -------------------------------------- */

size_t
keystore_places(const struct keystore *ks)
{
	return ks->n;
}

const struct keystore_entry *
keystore_at(const struct keystore *ks, size_t place)
{
	return entry_at(ks, (uint32_t)place);
}

bool
keystore_place(const struct keystore *ks, uint64_t id, size_t *ret_place)
{
	uint32_t i;

	if (ks->map_len == 0)
		return false;
	i = ks->map[place_of(ks, id)];
	if (i == NO_ENTRY || entry_at(ks, i)->scope == 0)
		return false;
	*ret_place = i;
	return true;
}

uint8_t *
keystore_copying(struct keystore *ks)
{
	return ks->secrets->copying;
}

struct keystore_next *
keystore_next(struct keystore *ks)
{
	return &ks->secrets->next;
}

/* What wraps what has changed throughout. */
static void
recount(struct keystore *ks)
{
	const struct keystore_entry *entry;
	struct keystore_entry *by;
	uint32_t i;

	for (i = 0; i < ks->n; i++)
		entry_at(ks, i)->wraps = 0;
	for (i = 0; i < ks->n; i++) {
		entry = entry_at(ks, i);
		if (entry->scope == 0 || entry->wrapped_by == 0)
			continue;
		if ((by = entry_of(ks, entry->wrapped_by)) != NULL)
			by->wraps++;
	}
}

void
keystore_renew(struct keystore *ks, keystore_renew_fn *fn, void *ctx)
{
	struct keystore_entry *entry;
	uint32_t i;

	CDOP_ASSERT(!undo_is_begun(ks->undo));
	keystore_rest(ks);
	for (i = 0; i < ks->n; i++) {
		entry = entry_at(ks, i);
		if (entry->scope == 0)
			continue;
		fn(ctx, i, entry);
		if (entry->scope != 0)
			continue;
		ks->n_live--;
		keystore_let_go(ks, entry->id);
	}
	memset(ks->map, 0xff, (size_t)ks->map_len * sizeof(*ks->map));
	for (i = 0; i < ks->n; i++)
		ks->map[place_of(ks, entry_at(ks, i)->id)] = i;
	recount(ks);
}
