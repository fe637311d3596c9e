/* The walk of a start, and the walk back through the log. */
#include "server/vault/rows_scan.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/vault/rows_core.h"
#include "server/vault/rows_keys.h"

#define LATER_FIRST 256

struct scan {
	struct rows *rows;
	rows_scan_fn *fn;
	void *ctx;
	struct layout_head sum; /* digests of what was seen */
	struct layout_dir tail; /* of the numbers taken last */
	bool has_dir;           /* dir tells of the block dir.first */
	struct layout_dir dir;
	uint64_t *later; /* rows whose key was not yet seen */
	size_t n_later;
	size_t max_later;
};

/* ---- Where to look next ---- */

static uint64_t
block_of(uint64_t number)
{
	return number - number % LAYOUT_DIR_ROWS;
}

/* The directory of the block that number lies in, if it has one. */
static enum cdop_err
dir_load(struct rows *rows, uint64_t number, struct layout_dir *ret_dir,
    bool *ret_has)
{
	struct envelope_head head;
	struct cdop_bytes row, data;
	uint64_t at;
	enum cdop_err err;

	ret_dir->first = block_of(number);
	*ret_has = false;
	at = ret_dir->first + LAYOUT_DIR_ROWS;
	err = db_get(rows->txn, at, &row);
	if (err == CDOP_NOT_FOUND)
		return CDOP_OK; /* the tail, or deleted: the digest will tell */
	if (err != CDOP_OK)
		return err;
	err = rows_core_get(rows, at, SCHEMA_KIND_DIRECTORY, &head, &data);
	if (err != CDOP_OK)
		return err;
	if (layout_dir_parse(data, ret_dir) != CDOP_OK ||
	    ret_dir->first != block_of(number))
		return rows_core_find(rows, at, "not the directory");
	*ret_has = true;
	return CDOP_OK;
}

/* The first number from here on that a start has to look at. */
static uint64_t
skip_log(const struct scan *scan, uint64_t number)
{
	uint64_t end;

	end = scan->dir.first + LAYOUT_DIR_ROWS;
	if (!scan->has_dir || number < scan->dir.first)
		return number;
	while (number < end && layout_dir_has(&scan->dir, number))
		number++;
	return number;
}

/* ---- What is done with a row ---- */

static enum cdop_err
keep_for_later(struct scan *scan, uint64_t number)
{
	uint64_t *more;
	size_t max;

	if (scan->n_later == scan->max_later) {
		max = scan->max_later == 0 ? LATER_FIRST : scan->max_later * 2;
		more = malloc(max * sizeof(*more));
		if (more == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (scan->n_later > 0)
			memcpy(
			    more, scan->later, scan->n_later * sizeof(*more));
		free(scan->later);
		scan->later = more;
		scan->max_later = max;
	}
	scan->later[scan->n_later] = number;
	scan->n_later++;
	return CDOP_OK;
}

static enum cdop_err
call(struct scan *scan, const struct envelope_head *head, struct cdop_bytes row)
{
	struct rows_item item = {scan->rows, head, row};
	const struct keystore_entry *entry;
	struct rows_head what;

	entry = keystore_find(scan->rows->ks, head->key_id);
	if (entry == NULL || entry->scope != schema_find(head->kind)->scope)
		return rows_core_find(scan->rows, head->number,
		    envelope_verdict_name(ENVELOPE_UNKNOWN_KEY));
	rows_core_describe(scan->rows, head, &what);
	return scan->fn(scan->ctx, &what, &item);
}

/* A row outside incarnation 0 that no directory hides. */
static enum cdop_err
take(struct scan *scan, uint64_t number, struct cdop_bytes row)
{
	const struct schema_row *kind;
	struct envelope_head head;
	struct layout_dir *tail;
	enum cdop_err err;

	err = rows_core_head(scan->rows, number, row, &head);
	if (err != CDOP_OK)
		return err;
	kind = schema_find(head.kind);
	if (!kind->starts_read)
		return CDOP_OK;
	tail = &scan->tail;
	if (number - tail->first < LAYOUT_DIR_ROWS)
		tail->bits[(number - tail->first) / 8] &=
		    (uint8_t) ~(1u << (number - tail->first) % 8);
	if (head.kind == SCHEMA_KIND_HEAD)
		return number == scan->rows->s.head_row
		    ? CDOP_OK
		    : rows_core_find(scan->rows, number, "a second head row");
	rows_core_count(scan->rows, number, row, kind->scope, &scan->sum);
	switch (head.kind) {
	case SCHEMA_KIND_DIRECTORY:
		return CDOP_OK; /* opened when its block was entered */
	case SCHEMA_KIND_CASE_KEY:
		return rows_keys_case_load(scan->rows, &head, row);
	default:
		if (keystore_find(scan->rows->ks, head.key_id) == NULL)
			return keep_for_later(scan, number);
		return call(scan, &head, row);
	}
}

/* Rows of incarnation 0 were opened before: they are only counted. */
static enum cdop_err
walk(struct scan *scan)
{
	struct cdop_bytes row;
	uint64_t number, next;
	enum cdop_err err;

	number = 0;
	for (;;) {
		err = db_next(scan->rows->txn, number, &next, &row);
		if (err == CDOP_NOT_FOUND)
			return CDOP_OK;
		if (err != CDOP_OK)
			return err;
		number = next;
		if (layout_incarnation(number) == 0) {
			rows_core_count(
			    scan->rows, number, row, SCHEMA_ROOT, &scan->sum);
			number++;
			continue;
		}
		if (block_of(number) != scan->dir.first &&
		    (err = dir_load(scan->rows, number, &scan->dir,
			 &scan->has_dir)) != CDOP_OK)
			return err;
		if (skip_log(scan, number) == number) {
			if ((err = take(scan, number, row)) != CDOP_OK)
				return err;
			if (number == UINT64_MAX)
				return CDOP_OK;
			number++;
		}
		number = skip_log(scan, number);
	}
}

static enum cdop_err
walk_later(struct scan *scan)
{
	struct envelope_head head;
	struct cdop_bytes row;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < scan->n_later; i++) {
		err = db_get(scan->rows->txn, scan->later[i], &row);
		if (err == CDOP_OK)
			err = rows_core_head(
			    scan->rows, scan->later[i], row, &head);
		if (err == CDOP_OK)
			err = call(scan, &head, row);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

static enum cdop_err
compare(struct scan *scan)
{
	struct rows *rows;

	rows = scan->rows;
	if (sodium_memcmp(scan->sum.digest, rows->s.head.digest, 32) == 0)
		return CDOP_OK;
	(void)snprintf(rows->finding, sizeof(rows->finding),
	    "the state digest differs: a row is missing or an old one is back");
	return CDOP_DATA_LOSS;
}

/* All numbers of the last block are dead until they are seen alive. */
static void
tail_init(struct scan *scan)
{
	uint64_t number;

	scan->tail.first = scan->rows->s.dir.first;
	for (number = scan->tail.first; number <= scan->rows->s.head_row;
	     number++)
		layout_dir_set(&scan->tail, number);
}

enum cdop_err
rows_scan(struct rows *rows, rows_scan_fn *fn, void *ctx)
{
	struct scan scan = {.rows = rows, .fn = fn, .ctx = ctx};
	enum cdop_err err;

	if (rows->phase != ROWS_CORE_UNSEALED)
		return CDOP_FAILED_PRECONDITION;
	if ((err = db_begin_read(rows->db, &rows->txn)) != CDOP_OK)
		return err;
	rows->finding[0] = '\0';
	tail_init(&scan);
	err = walk(&scan);
	if (err == CDOP_OK)
		err = walk_later(&scan);
	if (err == CDOP_OK)
		err = compare(&scan);
	db_let_go(rows->txn);
	db_abort(rows->txn);
	rows->txn = NULL;
	rows->seen_row = 0;
	keystore_rest(rows->ks);
	free(scan.later);
	if (err != CDOP_OK)
		return err;
	rows->s.dir = scan.tail;
	rows->phase = ROWS_CORE_READY;
	return CDOP_OK;
}

/* ---- The log, backwards and forwards ---- */

/* Between a leaf and what lies beside it: tiles, a directory, the other. */
#define BESIDE_MAX 12

struct visit {
	rows_scan_log_fn *fn;
	void *ctx;
};

static enum cdop_err
row_take(struct rows *rows, enum schema_scope scope, uint64_t number,
    struct cdop_bytes row, rows_scan_log_fn *fn, void *ctx, bool *ret_stop)
{
	struct rows_item item = {.rows = rows, .row = row};
	struct envelope_head head;
	struct rows_head what;
	enum cdop_err err;

	err = rows_core_head(rows, number, row, &head);
	if (err != CDOP_OK)
		return err;
	if (schema_find(head.kind)->scope != scope)
		return CDOP_OK;
	item.head = &head;
	rows_core_describe(rows, &head, &what);
	return fn(ctx, &what, &item, ret_stop);
}

/* From number downwards, the first that can be one of the log. */
static enum cdop_err
skip_others(
    struct rows *rows, struct layout_dir *dir, bool *has_dir, uint64_t *number)
{
	enum cdop_err err;

	if (block_of(*number) != dir->first) {
		*dir = rows->s.dir;
		*has_dir = block_of(*number) == dir->first;
		if (!*has_dir &&
		    (err = dir_load(rows, *number, dir, has_dir)) != CDOP_OK)
			return err;
	}
	while (
	    *has_dir && *number > dir->first && !layout_dir_has(dir, *number))
		(*number)--;
	return CDOP_OK;
}

/* Four of five rows are no leaves, and are not looked at. */
static enum cdop_err
walk_back(struct rows *rows, uint64_t from, rows_scan_log_fn *fn, void *ctx)
{
	struct layout_dir dir = {.first = UINT64_MAX};
	struct cdop_bytes row;
	uint64_t number, want;
	bool stop = false, has_dir = false;
	enum cdop_err err;

	for (;; from = want - (want == number)) {
		err = db_previous(rows->txn, from, &number, &row);
		if (err != CDOP_OK)
			return err == CDOP_NOT_FOUND ? CDOP_OK : err;
		if (layout_incarnation(number) == 0)
			return CDOP_OK;
		want = number;
		err = skip_others(rows, &dir, &has_dir, &want);
		if (err == CDOP_OK && want == number)
			err = row_take(
			    rows, SCHEMA_LOG, number, row, fn, ctx, &stop);
		if (err != CDOP_OK || stop)
			return err;
	}
}

static enum cdop_err
walk_on(struct rows *rows, uint64_t from, rows_scan_log_fn *fn, void *ctx)
{
	struct cdop_bytes row;
	uint64_t number;
	enum cdop_err err;
	bool stop;

	if (layout_incarnation(from) == 0)
		from = layout_number(1, 0);
	for (stop = false; !stop; from = number + 1) {
		err = db_next(rows->txn, from, &number, &row);
		if (err != CDOP_OK)
			return err == CDOP_NOT_FOUND ? CDOP_OK : err;
		err = row_take(rows, SCHEMA_LOG, number, row, fn, ctx, &stop);
		if (err != CDOP_OK)
			return err;
		if (number == UINT64_MAX)
			return CDOP_OK;
	}
	return CDOP_OK;
}

typedef enum cdop_err way(
    struct rows *rows, uint64_t from, rows_scan_log_fn *fn, void *ctx);

/* Within a batch its transaction, outside a snapshot of its own. */
static enum cdop_err
read_begin(struct rows *rows, bool *ret_mine)
{
	if (rows->phase != ROWS_CORE_READY)
		return CDOP_FAILED_PRECONDITION;
	*ret_mine = rows->txn == NULL;
	return *ret_mine ? db_begin_read(rows->db, &rows->txn) : CDOP_OK;
}

static void
read_end(struct rows *rows, bool mine)
{
	if (!mine)
		return;
	db_let_go(rows->txn);
	db_abort(rows->txn);
	rows->txn = NULL;
}

static enum cdop_err
go(struct rows *rows, way *walk_it, uint64_t from, rows_scan_log_fn *fn,
    void *ctx)
{
	enum cdop_err err;
	bool mine;

	if ((err = read_begin(rows, &mine)) != CDOP_OK)
		return err;
	err = walk_it(rows, from, fn, ctx);
	read_end(rows, mine);
	return err;
}

enum cdop_err
rows_scan_log(
    struct rows *rows, uint64_t before, rows_scan_log_fn *fn, void *ctx)
{
	return go(
	    rows, walk_back, before == 0 ? UINT64_MAX : before - 1, fn, ctx);
}

enum cdop_err
rows_walk_log(struct rows *rows, uint64_t from, rows_scan_log_fn *fn, void *ctx)
{
	return go(rows, walk_on, from, fn, ctx);
}

static enum cdop_err
walk_scope(struct rows *rows, enum schema_scope scope, uint64_t *at,
    size_t budget, struct visit visit, bool *ret_end)
{
	struct cdop_bytes row;
	uint64_t number;
	enum cdop_err err;
	bool stop = false;

	if (layout_incarnation(*at) == 0)
		*at = layout_number(1, 0);
	for (*ret_end = false; budget > 0; budget--) {
		err = db_next(rows->txn, *at, &number, &row);
		*ret_end = err == CDOP_NOT_FOUND;
		if (err != CDOP_OK)
			return *ret_end ? CDOP_OK : err;
		err = row_take(
		    rows, scope, number, row, visit.fn, visit.ctx, &stop);
		if (err != CDOP_OK)
			return err;
		*at = stop ? number : number + 1;
		if (stop)
			return CDOP_OK;
	}
	return CDOP_OK;
}

enum cdop_err
rows_walk_terms(struct rows *rows, uint64_t *at, size_t budget,
    rows_scan_log_fn *fn, void *ctx, bool *ret_end)
{
	enum cdop_err err;
	bool mine;

	if ((err = read_begin(rows, &mine)) != CDOP_OK)
		return err;
	err = walk_scope(
	    rows, SCHEMA_SEARCH, at, budget, (struct visit){fn, ctx}, ret_end);
	read_end(rows, mine);
	return err;
}

enum cdop_err
rows_walk_beside(struct rows *rows, enum schema_scope scope, uint64_t number,
    rows_scan_log_fn *fn, void *ctx)
{
	uint64_t at = number + 1;
	enum cdop_err err;
	bool mine, end;

	if ((err = read_begin(rows, &mine)) != CDOP_OK)
		return err;
	err = walk_scope(
	    rows, scope, &at, BESIDE_MAX, (struct visit){fn, ctx}, &end);
	read_end(rows, mine);
	return err;
}
