/* A second tree, made from what lies on the disk. */
#include "server/registry/tree_verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/tile.h"
#include "server/registry/tree_load.h"
#include "server/registry/tree_row.h"
#include "server/store/schema.h"

#define LINE      256
#define ARENA_MAX ((size_t)4 << 20) /* one leaf, unpacked */

/* The complete tiles of a level, as their rows have them. */
struct level {
	uint64_t n;
	uint64_t *row; /* 0: not seen */
	bool *wrong;   /* it has not what its leaves hash to */
	uint8_t (*hash)[CDOP_MERKLE_HASH]; /* 256 of each */
	uint64_t *below;                   /* 256 of each; level 0: NULL */
};

struct tree_verify {
	struct cdop_arena *arena;
	verify_walk_fn *say;
	void *ctx;
	struct verify_tree tree;
	uint8_t (*leaf)[CDOP_MERKLE_HASH];
	bool *seen;
	struct level level[TREE_ROW_LEVELS];
	uint8_t *newest; /* the row of the last tile of level 0 */
	size_t newest_len;
};

enum cdop_err
tree_verify_new(struct tree_verify **ret_verify)
{
	struct tree_verify *v;
	enum cdop_err err;

	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = cdop_arena_new(ARENA_MAX, &v->arena)) != CDOP_OK) {
		free(v);
		return err;
	}
	*ret_verify = v;
	return CDOP_OK;
}

void
tree_verify_free(struct tree_verify *v)
{
	unsigned l;

	if (v == NULL)
		return;
	for (l = 0; l < TREE_ROW_LEVELS; l++) {
		free(v->level[l].row);
		free(v->level[l].wrong);
		free(v->level[l].hash);
		free(v->level[l].below);
	}
	free(v->leaf);
	free(v->seen);
	free(v->newest);
	cdop_arena_free(v->arena);
	free(v);
}

__attribute__((format(printf, 2, 3))) static void
found(const struct tree_verify *v, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	v->say(v->ctx, true, line);
}

static unsigned long long
ull(uint64_t n)
{
	return n;
}

static bool
has_tree(const struct tree_verify *v)
{
	static const uint8_t none[CDOP_MERKLE_HASH];

	return v->tree.size > 0 &&
	    memcmp(v->tree.root, none, sizeof(none)) != 0;
}

/* ---- begin ------------------------------------------------------------- */

static enum cdop_err
begin(void *ctx, const struct verify_tree *tree, verify_walk_fn *say,
    void *say_ctx)
{
	struct tree_verify *v = ctx;
	struct level *level;
	size_t n = (size_t)tree->size;
	unsigned l;

	v->tree = *tree;
	v->say = say;
	v->ctx = say_ctx;
	if (tree->size == 0)
		found(v,
		    "the log: no entry at all: cdopd init was cut off; take "
		    "the directory away and run it again");
	if (!has_tree(v))
		return CDOP_OK;
	if (tree->size > UINT32_MAX) {
		found(v, "the log: too long to be looked at as a whole");
		v->tree.size = 0;
		return CDOP_OK;
	}
	v->leaf = calloc(n, sizeof(*v->leaf));
	v->seen = calloc(n, sizeof(*v->seen));
	if (v->leaf == NULL || v->seen == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (l = 0; l < TREE_ROW_LEVELS; l++) {
		level = &v->level[l];
		n /= TREE_ROW_WIDTH;
		level->n = n;
		level->row = calloc(n + 1, sizeof(*level->row));
		level->wrong = calloc(n + 1, sizeof(*level->wrong));
		level->hash = calloc(n * TREE_ROW_WIDTH + 1, CDOP_MERKLE_HASH);
		level->below = l == 0
		    ? NULL
		    : calloc(n * TREE_ROW_WIDTH + 1, sizeof(*level->below));
		if (level->row == NULL || level->wrong == NULL ||
		    level->hash == NULL || (l > 0 && level->below == NULL))
			return CDOP_RESOURCE_EXHAUSTED;
	}
	return CDOP_OK;
}

/* ---- rows -------------------------------------------------------------- */

static void
take_leaf(struct tree_verify *v, const struct rows_head *head,
    struct cdop_bytes data, const char *number)
{
	uint64_t index;
	uint8_t hash[CDOP_MERKLE_HASH];

	if (tree_load_leaf(data, v->arena, &index, hash) != CDOP_OK)
		found(v, "row %s: not a leaf", number);
	else if ((uint32_t)index != head->version || index >= v->tree.size)
		found(v, "row %s: a leaf under the number of another", number);
	else if (!v->seen[index]) {
		v->seen[index] = true;
		memcpy(v->leaf[index], hash, sizeof(hash));
	}
}

static enum cdop_err
keep_newest(struct tree_verify *v, struct cdop_bytes data)
{
	v->newest = malloc(data.len);
	if (v->newest == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	memcpy(v->newest, data.data, data.len);
	v->newest_len = data.len;
	return CDOP_OK;
}

static enum cdop_err
take_tile(struct tree_verify *v, const struct rows_head *head,
    struct cdop_bytes data, const char *number)
{
	struct level *level;
	struct tree_row row;
	size_t i, at;

	if (tree_row_parse(data, &row) != CDOP_OK) {
		found(v, "row %s: not a tile", number);
		return CDOP_OK;
	}
	level = &v->level[row.level];
	if (row.index >= level->n) {
		found(v, "row %s: a tile that this log does not have", number);
		return CDOP_OK;
	}
	if (level->row[row.index] != 0) {
		found(v, "row %s: tile %u/%llu is there twice", number,
		    row.level, ull(row.index));
		return CDOP_OK;
	}
	level->row[row.index] = head->number;
	at = (size_t)row.index * TREE_ROW_WIDTH;
	memcpy(level->hash[at], row.hash, TREE_ROW_WIDTH * CDOP_MERKLE_HASH);
	for (i = 0; row.below != NULL && i < TREE_ROW_WIDTH; i++)
		level->below[at + i] = cdop_get64(row.below + 8 * i);
	if (row.level == 0 && row.index == level->n - 1)
		return keep_newest(v, data);
	return CDOP_OK;
}

static enum cdop_err
take_row(void *ctx, const struct rows_head *head, struct cdop_bytes data)
{
	struct tree_verify *v = ctx;
	char number[32];

	if (!has_tree(v))
		return CDOP_OK;
	(void)rows_number_text(head->number, number);
	if (head->kind == SCHEMA_KIND_TILE)
		return take_tile(v, head, data, number);
	if (head->kind == SCHEMA_KIND_LEAF)
		take_leaf(v, head, data, number);
	cdop_arena_reset(v->arena);
	return CDOP_OK;
}

/* ---- end --------------------------------------------------------------- */

/* The root of a tile. */
static void
top_of(const struct level *level, uint64_t tile,
    uint8_t out[static CDOP_MERKLE_HASH])
{
	cdop_tile_hash(
	    level->hash[tile * TREE_ROW_WIDTH], CDOP_TILE_HEIGHT, out);
}

/* Hash i of a level by what lies below it; false: that is not there. */
static bool
from_below(const struct tree_verify *v, unsigned l, uint64_t i,
    uint8_t out[static CDOP_MERKLE_HASH])
{
	if (l > 0)
		top_of(&v->level[l - 1], i, out);
	else if (!v->seen[i])
		return false;
	else
		memcpy(out, v->leaf[i], CDOP_MERKLE_HASH);
	return true;
}

/* Rows of the tiles below; after a re-seal they move together. */
static void
check_below(const struct tree_verify *v, unsigned l, uint64_t tile)
{
	const struct level *below = &v->level[l - 1];
	uint64_t i, at = tile * TREE_ROW_WIDTH;
	char number[32];

	for (i = at; i < at + TREE_ROW_WIDTH; i++) {
		if (below->row[i] == 0 || below->row[i] == v->level[l].below[i])
			continue;
		found(v,
		    "row %s: tile %u/%llu names another row for tile "
		    "%u/%llu",
		    rows_number_text(v->level[l].row[tile], number), l,
		    ull(tile), l - 1, ull(i));
		return;
	}
}

static void
say_differs(const struct tree_verify *v, unsigned l, uint64_t i)
{
	uint64_t tile = i / TREE_ROW_WIDTH;
	char number[32];

	(void)rows_number_text(v->level[l].row[tile], number);
	if (l == 0)
		found(v, "row %s: tile 0/%llu has another hash for leaf %llu",
		    number, ull(tile), ull(i));
	else
		found(v,
		    "row %s: tile %u/%llu has another hash for tile %u/%llu",
		    number, l, ull(tile), l - 1, ull(i));
}

/*
 * One line a tile, however much of it differs.  A tile is wrong where what is
 * below it is not; then what is above is looked at without its fault.
 */
static void
check_hashes(struct tree_verify *v, unsigned l, uint64_t tile)
{
	struct level *level = &v->level[l];
	uint64_t i, at = tile * TREE_ROW_WIDTH;
	uint8_t hash[CDOP_MERKLE_HASH];
	bool said = false;

	for (i = at; i < at + TREE_ROW_WIDTH; i++) {
		if (!from_below(v, l, i, hash) ||
		    memcmp(hash, level->hash[i], sizeof(hash)) == 0)
			continue;
		if (!said)
			say_differs(v, l, i);
		said = true;
		if (l > 0 && !v->level[l - 1].wrong[i])
			memcpy(level->hash[i], hash, sizeof(hash));
		else
			level->wrong[tile] = true;
	}
}

/* What is above it is then looked at with what is below. */
static void
fill_missing(struct tree_verify *v, unsigned l, uint64_t tile)
{
	uint64_t i, at = tile * TREE_ROW_WIDTH;

	found(v, "the log: tile %u/%llu is missing", l, ull(tile));
	for (i = at; i < at + TREE_ROW_WIDTH; i++)
		(void)from_below(v, l, i, v->level[l].hash[i]);
}

static void
check_tiles(struct tree_verify *v)
{
	uint64_t tile;
	unsigned l;

	for (l = 0; l < TREE_ROW_LEVELS; l++)
		for (tile = 0; tile < v->level[l].n; tile++) {
			if (v->level[l].row[tile] == 0) {
				fill_missing(v, l, tile);
				continue;
			}
			check_hashes(v, l, tile);
			if (l > 0)
				check_below(v, l, tile);
		}
}

/* The incomplete tiles over the newest tile, as they were before it. */
static bool
edge_is_good(const struct tree_verify *v)
{
	struct tree_row row;
	uint8_t hash[CDOP_MERKLE_HASH], top[CDOP_MERKLE_HASH];
	uint64_t below, at;
	unsigned l, i;

	if (tree_row_parse(
		(struct cdop_bytes){v->newest, v->newest_len}, &row) != CDOP_OK)
		return false;
	for (l = 1; l < TREE_ROW_LEVELS; l++) {
		at = (row.index >> 8 * l) * TREE_ROW_WIDTH;
		for (i = 0; i < tree_row_edge_count(row.index, l); i++) {
			tree_row_edge(&row, l, i, hash, &below);
			top_of(&v->level[l - 1], at + i, top);
			if (memcmp(hash, top, sizeof(hash)) != 0 ||
			    (v->level[l - 1].row[at + i] != 0 &&
				below != v->level[l - 1].row[at + i]))
				return false;
		}
	}
	return true;
}

/* The one that was put last: of the highest level it made complete. */
static uint64_t
last_row(const struct tree_verify *v)
{
	unsigned l = 0;

	if (v->level[0].n == 0)
		return 0;
	while (l + 1 < TREE_ROW_LEVELS && v->level[l + 1].n > 0 &&
	    v->level[l].n % TREE_ROW_WIDTH == 0)
		l++;
	return v->level[l].row[v->level[l].n - 1];
}

static void
check_newest(struct tree_verify *v)
{
	char number[32];
	uint64_t row = last_row(v);

	if (v->newest != NULL && !edge_is_good(v))
		found(v,
		    "row %s: the newest tile has another edge than the "
		    "tree",
		    rows_number_text(
			v->level[0].row[v->level[0].n - 1], number));
	/* One that is missing was said to be. */
	if (row != v->tree.tile_row && (row != 0 || v->level[0].n == 0))
		found(v,
		    "the log: the head row names another tile as the "
		    "newest");
}

/* A cdop_merkle_fetch over tiles, and what is behind them. */
static enum cdop_err
fetch(void *ctx, unsigned height, uint64_t index, uint8_t *ret_hash)
{
	const struct tree_verify *v = ctx;
	uint8_t hashes[TREE_ROW_WIDTH / 2 * CDOP_MERKLE_HASH];
	struct cdop_tile_place place;
	const struct level *level;
	uint64_t i, at;

	cdop_tile_find(height, index, &place);
	level = &v->level[place.level];
	at = place.tile * TREE_ROW_WIDTH + place.first;
	for (i = 0; i < 1ull << place.height; i++) {
		if (place.tile < level->n)
			memcpy(hashes + i * CDOP_MERKLE_HASH,
			    level->hash[at + i], CDOP_MERKLE_HASH);
		else if (!from_below(v, place.level, at + i,
			     hashes + i * CDOP_MERKLE_HASH))
			return CDOP_NOT_FOUND;
	}
	cdop_tile_hash(hashes, place.height, ret_hash);
	return CDOP_OK;
}

static void
end(void *ctx)
{
	struct tree_verify *v = ctx;
	uint8_t root[CDOP_MERKLE_HASH];

	if (!has_tree(v)) {
		if (v->tree.size > 0)
			v->say(v->ctx, false,
			    "the log has no tree yet: it is made at the next "
			    "start");
		return;
	}
	check_tiles(v);
	check_newest(v);
	/* Without a leaf at its end it has none, and that was said. */
	if (cdop_merkle_root(v->tree.size, fetch, v, root) == CDOP_OK &&
	    memcmp(root, v->tree.root, sizeof(root)) != 0)
		found(v, "the log: its root is another than the head row's");
}

struct verify_log
tree_verify_log(struct tree_verify *verify)
{
	return (struct verify_log){
	    .ctx = verify, .begin = begin, .row = take_row, .end = end};
}
