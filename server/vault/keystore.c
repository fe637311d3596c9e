/* Held keys in locked memory; the table in chunks that never move. */
#include "server/vault/keystore.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/vault/lockmem.h"

#define AREAS     1024 /* of one registry, over its life */
#define CHUNK     4096 /* entries */
#define CHUNKS    65536
#define IN_USE    256 /* case keys at a time */
#define NO_ENTRY  UINT32_MAX
#define FIRST_MAP 1024 /* places of the first hash table */

/* A key and what is made of it. */
struct held {
	uint64_t id;
	uint8_t raw[ENVELOPE_KEY];
	struct envelope_key key;
};

/* A case key in use; id 0: none. */
struct in_use {
	uint64_t id;
	struct envelope_key key;
};

/* All of it in locked memory. */
struct secrets {
	struct held root;
	struct held old_root; /* while a batch turns it */
	struct envelope_ring ring;
	struct in_use in_use[IN_USE];
	uint8_t scratch[256];
	uint8_t copying[ENVELOPE_KEY];
};

struct area {
	char id[KEYSTORE_AREA_MAX + 1];
	uint64_t newest;
};

struct keystore {
	struct lockmem *mem;
	struct undo *undo;
	struct secrets *secrets;
	bool open;

	struct held *held[KEYSTORE_EPOCHS_MAX];
	size_t n_held;

	/* Area numbers start at 1; 0 is none. */
	struct area areas[AREAS];
	size_t n_areas;
	uint64_t newest[SCHEMA_CASE + 1]; /* by scope */

	struct keystore_entry *chunks[CHUNKS];
	uint32_t n;
	size_t n_live;
	uint32_t *map;    /* open addressing: id to entry */
	uint32_t map_len; /* power of two, or 0 */
};

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
	for (i = 0; i < CHUNKS && ks->chunks[i] != NULL; i++) {
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
	memcpy(ks->secrets->root.raw, root, ENVELOPE_KEY);
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
	return &ks->chunks[i / CHUNK][i % CHUNK];
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

/* Takes the last entry away again; what stood behind it moves up. */
static void
undo_append(void *ctx, uint64_t arg)
{
	struct keystore *ks;
	uint32_t hole, i, want;

	(void)arg;
	ks = ctx;
	hole = place_of(ks, entry_at(ks, ks->n - 1)->id);
	for (i = (hole + 1) & (ks->map_len - 1); ks->map[i] != NO_ENTRY;
	     i = (i + 1) & (ks->map_len - 1)) {
		want = home(ks, entry_at(ks, ks->map[i])->id);
		if (((i - want) & (ks->map_len - 1)) <
		    ((i - hole) & (ks->map_len - 1)))
			continue;
		ks->map[hole] = ks->map[i];
		hole = i;
	}
	ks->map[hole] = NO_ENTRY;
	ks->n--;
}

static enum cdop_err
append(struct keystore *ks, uint64_t id, struct keystore_entry **ret_entry)
{
	struct keystore_entry **chunk;
	enum cdop_err err;

	if (ks->n == (uint32_t)CHUNK * CHUNKS - 1)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = map_grow(ks)) != CDOP_OK)
		return err;
	chunk = &ks->chunks[ks->n / CHUNK];
	if (*chunk == NULL)
		*chunk = calloc(CHUNK, sizeof(**chunk));
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

enum cdop_err
keystore_put(struct keystore *ks, const struct keystore_entry *entry)
{
	struct keystore_entry *mine;
	uint64_t *newest;
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
	*mine = *entry;
	return CDOP_OK;
}

/* Given back when it is sure that the key is gone. */
static void
let_go(void *ctx, uint64_t id)
{
	struct keystore *ks;
	size_t i;

	ks = ctx;
	for (i = 0; i < ks->n_held; i++)
		if (ks->held[i]->id == id)
			break;
	if (i == ks->n_held)
		return;
	lockmem_free(ks->mem, ks->held[i], sizeof(*ks->held[i]));
	ks->n_held--;
	ks->held[i] = ks->held[ks->n_held];
	ks->held[ks->n_held] = NULL;
}

enum cdop_err
keystore_del(struct keystore *ks, uint64_t id)
{
	struct keystore_entry *entry;
	struct in_use *use;
	enum cdop_err err;

	entry = entry_of(ks, id);
	if (entry == NULL || entry->scope == 0)
		return CDOP_NOT_FOUND;
	err = undo_save(ks->undo, entry, sizeof(*entry));
	if (err == CDOP_OK)
		err = undo_save(ks->undo, &ks->n_live, sizeof(ks->n_live));
	if (err == CDOP_OK)
		err = undo_defer(ks->undo, let_go, ks, id);
	if (err != CDOP_OK)
		return err;
	entry->scope = 0;
	ks->n_live--;
	use = &ks->secrets->in_use[id % IN_USE];
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
	if (i == AREAS)
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

/* ---- The keys ---- */

static struct held *
held_of(const struct keystore *ks, uint64_t id)
{
	size_t i;

	if (id == 0)
		return ks->open ? &ks->secrets->root : NULL;
	for (i = 0; i < ks->n_held; i++)
		if (ks->held[i]->id == id)
			return ks->held[i];
	return NULL;
}

enum cdop_err
keystore_hold(struct keystore *ks, uint64_t id, const uint8_t k[static 32])
{
	struct held *held;
	enum cdop_err err;

	CDOP_ASSERT(id != 0 && held_of(ks, id) == NULL);
	if (ks->n_held == KEYSTORE_EPOCHS_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	held = lockmem_alloc(ks->mem, sizeof(*held));
	if (held == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = undo_call(ks->undo, let_go, ks, id);
	if (err != CDOP_OK) {
		lockmem_free(ks->mem, held, sizeof(*held));
		return err;
	}
	held->id = id;
	memcpy(held->raw, k, ENVELOPE_KEY);
	envelope_key_init(&held->key, k);
	ks->held[ks->n_held] = held;
	ks->n_held++;
	return CDOP_OK;
}

void
keystore_use(struct keystore *ks, uint64_t id, const uint8_t k[static 32])
{
	struct in_use *use;

	use = &ks->secrets->in_use[id % IN_USE];
	use->id = id;
	envelope_key_init(&use->key, k);
}

void
keystore_rest(struct keystore *ks)
{
	sodium_memzero(ks->secrets->in_use, sizeof(ks->secrets->in_use));
}

const struct envelope_key *
keystore_key(const struct keystore *ks, uint64_t id)
{
	const struct in_use *use;
	const struct held *held;

	use = &ks->secrets->in_use[id % IN_USE];
	if (id != 0 && use->id == id)
		return &use->key;
	held = held_of(ks, id);
	return held == NULL ? NULL : &held->key;
}

const uint8_t *
keystore_raw(const struct keystore *ks, uint64_t id)
{
	const struct held *held;

	held = held_of(ks, id);
	return held == NULL ? NULL : held->raw;
}

bool
keystore_held(const struct keystore *ks, size_t i, uint64_t *ret_id)
{
	if (i >= ks->n_held)
		return false;
	*ret_id = ks->held[i]->id;
	return true;
}

static void
root_back(void *ctx, uint64_t arg)
{
	struct keystore *ks;

	(void)arg;
	ks = ctx;
	ks->secrets->root = ks->secrets->old_root;
	sodium_memzero(&ks->secrets->old_root, sizeof(ks->secrets->old_root));
}

static void
root_gone(void *ctx, uint64_t arg)
{
	struct keystore *ks;

	(void)arg;
	ks = ctx;
	sodium_memzero(&ks->secrets->old_root, sizeof(ks->secrets->old_root));
}

enum cdop_err
keystore_turn(struct keystore *ks, const uint8_t root[static 32])
{
	enum cdop_err err;

	err = undo_defer(ks->undo, root_gone, ks, 0);
	if (err == CDOP_OK)
		err = undo_call(ks->undo, root_back, ks, 0);
	if (err != CDOP_OK)
		return err;
	ks->secrets->old_root = ks->secrets->root;
	memcpy(ks->secrets->root.raw, root, ENVELOPE_KEY);
	envelope_key_init(&ks->secrets->root.key, root);
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
		let_go(ks, entry->id);
	}
	memset(ks->map, 0xff, (size_t)ks->map_len * sizeof(*ks->map));
	for (i = 0; i < ks->n; i++)
		ks->map[place_of(ks, entry_at(ks, i)->id)] = i;
}
