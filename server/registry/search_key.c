/* When the key of search terms turns, and when an old one is destroyed. */
#include "server/registry/search_key.h"

#include <stdlib.h>

#include "cdop/date.h"
#include "cdop/profile.h"
#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/registry.h"
#include "server/store/schema.h"
#include "server/vault/copy.h"
#include "server/vault/rows.h"
#include "server/vault/rows_keys.h"
#include "server/vault/rows_scan.h"
#include "stored.pb-c.h"

#define DAY_MS     86400000ull
#define LOOK_ROWS  4096 /* rows of any kind, by one look */
#define STEP_ROWS  2048 /* the same, by one step of forgetting */
#define STEP_TERMS 64   /* and of them deleted */
#define ARENA      (2u << 20)

/* The oldest row of terms there is. */
struct oldest {
	uint64_t at;      /* there is none of a lower number */
	uint64_t key;     /* of the row at `at`; 0: not known yet */
	uint32_t quarter; /* of that key */
};

struct search_key {
	struct registry *reg;
	struct cdop_arena *arena; /* one row at a time */
	struct oldest oldest;
	uint64_t rest_day; /* nothing more to do on this day */
};

enum cdop_err
search_key_new(struct registry *reg, struct search_key **ret_keys)
{
	struct search_key *keys;
	enum cdop_err err;

	keys = calloc(1, sizeof(*keys));
	if (keys == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	keys->reg = reg;
	if ((err = cdop_arena_new(ARENA, &keys->arena)) != CDOP_OK) {
		free(keys);
		return err;
	}
	*ret_keys = keys;
	return CDOP_OK;
}

void
search_key_free(struct search_key *keys)
{
	if (keys == NULL)
		return;
	cdop_arena_free(keys->arena);
	free(keys);
}

/* ---- quarters ---------------------------------------------------------- */

static uint32_t
quarter_of(uint64_t now_ms)
{
	struct cdop_date date = cdop_date_utc(now_ms);

	return date.year * 4u + (date.month - 1u) / 3u;
}

/* Its last terms are older than the profile allows. */
static bool
is_past(const struct search_key *keys, uint32_t quarter, uint64_t now_ms)
{
	struct cdop_date behind = {
	    .year = (uint16_t)((quarter + 1) / 4),
	    .month = (uint8_t)((quarter + 1) % 4 * 3 + 1),
	    .day = 1,
	};
	uint64_t kept = keys->reg->profile->search_retention_days;

	return now_ms >= ((uint64_t)cdop_date_days(&behind) + kept) * DAY_MS;
}

enum cdop_err
search_key_turn(struct registry *reg, struct cdop_arena *arena, uint64_t now_ms)
{
	Cdop__StoredConfig *config;
	uint32_t quarter = quarter_of(now_ms);
	uint64_t key;
	enum cdop_err err;

	if (quarter == reg->search_quarter || reg->config_row == 0)
		return CDOP_OK;
	if ((err = registry_edit_config(reg, arena, &config)) != CDOP_OK)
		return err;
	/* The first one was made at init. */
	if (config->has_search_quarter) {
		err = rows_keys_epoch_new(reg->rows, SCHEMA_SEARCH, NULL, &key);
		if (err != CDOP_OK)
			return err;
	}
	config->has_search_quarter = true;
	config->search_quarter = quarter;
	return registry_put_config(reg, arena, config);
}

/* ---- looking ----------------------------------------------------------- */

static enum cdop_err
look_at(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct search_key *keys = ctx;
	Cdop__StoredTerms *terms;
	struct cdop_bytes data;
	enum cdop_err err;

	cdop_arena_reset(keys->arena);
	if ((err = rows_item_open(item, keys->arena, &data)) != CDOP_OK)
		return err;
	terms = cdop__stored_terms__unpack(
	    cdop_arena_allocator(keys->arena), data.len, data.data);
	if (terms == NULL)
		return CDOP_DATA_LOSS;
	keys->oldest.key = head->key_id;
	keys->oldest.quarter = quarter_of(terms->at_ms);
	*ret_stop = true;
	return CDOP_OK;
}

static enum cdop_err
look(struct search_key *keys, bool *ret_end)
{
	struct oldest *oldest = &keys->oldest;
	enum cdop_err err;

	*ret_end = false;
	if (oldest->key != 0)
		return CDOP_OK;
	if (oldest->at < keys->reg->search_swept)
		oldest->at = keys->reg->search_swept;
	err = rows_walk_terms(
	    keys->reg->rows, &oldest->at, LOOK_ROWS, look_at, keys, ret_end);
	cdop_arena_reset(keys->arena);
	return err;
}

void
search_key_rename(struct search_key *keys, const struct copy *copy)
{
	keys->oldest.key = copy_key(copy, keys->oldest.key);
}

void
search_key_put_off(struct search_key *keys, uint64_t now_ms)
{
	keys->rest_day = now_ms / DAY_MS;
}

enum cdop_err
search_key_due(struct search_key *keys, uint64_t now_ms, bool *ret_due)
{
	uint64_t day = now_ms / DAY_MS;
	bool end;
	enum cdop_err err;

	*ret_due = false;
	if (keys->rest_day == day)
		return CDOP_OK;
	if ((err = look(keys, &end)) != CDOP_OK) {
		keys->rest_day = day;
		return err;
	}
	if (keys->oldest.key == 0 && !end)
		return CDOP_OK; /* not come to it yet */
	*ret_due = keys->oldest.key != 0 &&
	    is_past(keys, keys->oldest.quarter, now_ms) &&
	    keys->reg->search_forgot_ms / DAY_MS != day;
	if (!*ret_due)
		keys->rest_day = day;
	return CDOP_OK;
}

/* ---- forgetting -------------------------------------------------------- */

struct step {
	struct rows *rows;
	uint64_t key;
	size_t n;  /* rows deleted */
	bool past; /* the next row is of another key */
};

static enum cdop_err
delete_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct step *step = ctx;

	(void)item;
	step->past = head->key_id != step->key;
	*ret_stop = step->past || step->n == STEP_TERMS;
	if (*ret_stop)
		return CDOP_OK;
	step->n++;
	return rows_del(step->rows, head->number);
}

/* The key of which no row is left, and any older one. */
static enum cdop_err
destroy(struct search_key *keys, struct cdop_arena *arena, uint64_t now_ms)
{
	struct registry *reg = keys->reg;
	uint64_t key, last = keys->oldest.key;
	enum cdop_err err;

	/* Nobody has searched since: it is the one in use. */
	if ((err = search_key_turn(reg, arena, now_ms)) != CDOP_OK)
		return err;
	while (rows_keys_oldest(reg->rows, SCHEMA_SEARCH, &key) && key <= last)
		if ((err = rows_keys_epoch_destroy(reg->rows, key)) != CDOP_OK)
			return err;
	return CDOP_OK;
}

static enum cdop_err
append_leaf(struct search_key *keys, struct cdop_arena *arena, uint64_t now_ms)
{
	struct audit_entry entry = {
	    .call = AUDIT_EVENT_FORGOTTEN, .time_ms = now_ms};

	entry.reason = cdop_arena_printf(arena, "%u-Q%u",
	    keys->oldest.quarter / 4, keys->oldest.quarter % 4 + 1);
	if (entry.reason == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return audit_append(keys->reg->audit, arena, &entry, NULL);
}

/* What is kept of it over a restart. */
static enum cdop_err
remember(struct search_key *keys, struct cdop_arena *arena, bool done,
    uint64_t now_ms)
{
	Cdop__StoredConfig *config;
	enum cdop_err err;

	err = registry_edit_config(keys->reg, arena, &config);
	if (err != CDOP_OK)
		return err;
	config->has_search_swept = true;
	config->search_swept = keys->oldest.at;
	if (done) {
		config->has_search_forgot_ms = true;
		config->search_forgot_ms = now_ms;
	}
	return registry_put_config(keys->reg, arena, config);
}

enum cdop_err
search_key_forget(
    struct search_key *keys, struct cdop_arena *arena, uint64_t now_ms)
{
	struct step step = {.rows = keys->reg->rows, .key = keys->oldest.key};
	bool end, done;
	enum cdop_err err;

	CDOP_ASSERT(step.key != 0);
	err = undo_save(keys->reg->undo, &keys->oldest, sizeof(keys->oldest));
	if (err != CDOP_OK)
		return err;
	err = rows_walk_terms(keys->reg->rows, &keys->oldest.at, STEP_ROWS,
	    delete_row, &step, &end);
	if (err != CDOP_OK)
		return err;
	done = end || step.past;
	if (done && (err = destroy(keys, arena, now_ms)) != CDOP_OK)
		return err;
	if (done && (err = append_leaf(keys, arena, now_ms)) != CDOP_OK)
		return err;
	if (done)
		keys->oldest.key = 0;
	return remember(keys, arena, done, now_ms);
}
