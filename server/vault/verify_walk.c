/* Head, seal, key, place, directory, leaf index, digests: of every row. */
#include "server/vault/verify_walk.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/vault/rows_keys.h"
#include "server/vault/rows_start.h"

#define LINE 256

/* The numbers of one directory row, as they were found. */
struct block {
	struct layout_dir log;   /* live rows of LOG and SEARCH */
	struct layout_dir other; /* live rows that a start reads */
};

struct verify {
	struct rows *rows;
	verify_walk_fn *fn;
	void *ctx;
	const struct verify_log *log; /* NULL: nobody looks into it */
	enum cdop_err err;            /* that it had */
	uint64_t n;
	uint64_t fine;
	uint64_t unread; /* rows whose head could not be read */
	bool has_head;
	struct layout_head sum;
	struct block block;
	uint8_t *leaves; /* a bit an index, where there is a head row */
	uint8_t *out;    /* ENVELOPE_ROW_MAX: an opened row, wiped */
};

__attribute__((format(printf, 2, 3))) static void
found(struct verify *v, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	v->fn(v->ctx, true, line);
}

static void
found_row(struct verify *v, uint64_t number, const char *what)
{
	char text[32];

	found(v, "row %s: %s", rows_number_text(number, text), what);
}

/* ---- Directories ---- */

static void
dir_compare(struct verify *v, const struct layout_dir *dir)
{
	const struct block *b;
	uint64_t i, n;

	b = &v->block;
	if (dir->first != b->log.first) {
		found_row(v, dir->first, "no rows where a directory has some");
		return;
	}
	for (i = 0; i < LAYOUT_DIR_ROWS; i++) {
		n = dir->first + i;
		if (layout_dir_has(&b->log, n) && !layout_dir_has(dir, n))
			found_row(v, n, "a log row that its directory lacks");
		if (layout_dir_has(&b->other, n) && layout_dir_has(dir, n))
			found_row(v, n, "hidden by its directory");
	}
}

/*
 * Called with the first row of a new block: the row right behind a full
 * block is its directory.
 */
static void
block_enter(struct verify *v, uint64_t number, const struct layout_dir *dir)
{
	struct block *b;
	uint64_t behind;

	b = &v->block;
	behind = b->log.first + LAYOUT_DIR_ROWS;
	if (dir != NULL)
		dir_compare(v, dir);
	else if (b->log.first != 0 &&
	    layout_incarnation(behind) == layout_incarnation(number))
		found_row(v, behind, "a directory row is missing");
	memset(b, 0, sizeof(*b));
	b->log.first = number - number % LAYOUT_DIR_ROWS;
	b->other.first = b->log.first;
}

/* ---- Leaves ---- */

static void
leaf_take(struct verify *v, const struct envelope_head *head)
{
	uint8_t bit;

	if (v->leaves == NULL)
		return;
	bit = (uint8_t)(1u << head->version % 8);
	if (head->version >= v->rows->s.head.next_leaf)
		found_row(v, head->number,
		    "a leaf index that the head row does not know");
	else if (v->leaves[head->version / 8] & bit)
		found_row(v, head->number, "a leaf index that is there twice");
	else
		v->leaves[head->version / 8] |= bit;
}

static void
leaves_compare(struct verify *v)
{
	uint64_t i, missing, first;

	missing = 0;
	first = 0;
	for (i = 0; v->leaves != NULL && i < v->rows->s.head.next_leaf; i++) {
		if (v->leaves[i / 8] >> i % 8 & 1)
			continue;
		if (missing == 0)
			first = i;
		missing++;
	}
	if (missing > 0)
		found(v, "the log: %llu leaves are missing, the first is %llu",
		    (unsigned long long)missing, (unsigned long long)first);
}

/* ---- Rows ---- */

/* What the key rows say has to be what the table took from them. */
static bool
key_is_entered(const struct verify *v, const struct envelope_head *head,
    struct cdop_bytes data)
{
	const struct keystore_entry *entry;
	struct layout_key key;
	enum cdop_err err;

	err = head->kind == SCHEMA_KIND_CASE_KEY
	    ? layout_case_parse(data, &key)
	    : layout_epoch_parse(data, &key);
	if (err != CDOP_OK)
		return false;
	entry = keystore_find(v->rows->ks, key.id);
	return entry != NULL && entry->row == head->number;
}

/* Opens a row; the finding, or NULL. */
static const char *
row_open(
    struct verify *v, const struct envelope_head *head, struct cdop_bytes row)
{
	struct envelope_key *key;
	enum envelope_verdict verdict;
	struct rows_head row_head;
	struct cdop_bytes data;
	const char *what;

	if (rows_core_key(v->rows, head->key_id, schema_find(head->kind)->scope,
		&key) != CDOP_OK)
		return envelope_verdict_name(ENVELOPE_UNKNOWN_KEY);
	verdict = envelope_unseal(
	    keystore_ring(v->rows->ks), key, head, row, v->out, &data);
	if (verdict != ENVELOPE_FINE)
		return envelope_verdict_name(verdict);
	what = NULL;
	if (v->log != NULL && v->err == CDOP_OK &&
	    schema_find(head->kind)->scope == SCHEMA_LOG) {
		rows_core_describe(v->rows, head, &row_head);
		v->err = v->log->row(v->log->ctx, &row_head, data);
	}
	if ((head->kind == SCHEMA_KIND_CASE_KEY ||
		head->kind == SCHEMA_KIND_EPOCH_KEY) &&
	    !key_is_entered(v, head, data))
		what = "damaged (its key)";
	sodium_memzero(v->out, row.len);
	return what;
}

/* A directory row that opens; false: it is none. */
static bool
dir_read(struct verify *v, const struct envelope_head *head,
    struct layout_dir *ret_dir)
{
	struct envelope_head again;
	struct cdop_bytes data;

	return head->kind == SCHEMA_KIND_DIRECTORY &&
	    rows_core_get(v->rows, head->number, SCHEMA_KIND_DIRECTORY, &again,
		&data) == CDOP_OK &&
	    layout_dir_parse(data, ret_dir) == CDOP_OK;
}

static void
place(struct verify *v, const struct envelope_head *head)
{
	struct layout_dir dir;
	bool is_dir;

	if (head->number - v->block.log.first >= LAYOUT_DIR_ROWS) {
		is_dir = dir_read(v, head, &dir);
		block_enter(v, head->number, is_dir ? &dir : NULL);
	}
	if (schema_find(head->kind)->starts_read)
		layout_dir_set(&v->block.other, head->number);
	else
		layout_dir_set(&v->block.log, head->number);
}

static void
take(struct verify *v, uint64_t number, struct cdop_bytes row)
{
	enum envelope_verdict verdict;
	struct envelope_head head;
	const char *what;

	v->n++;
	verdict =
	    envelope_head_parse(keystore_ring(v->rows->ks), row, number, &head);
	if (verdict == ENVELOPE_FINE && schema_find(head.kind) == NULL)
		verdict = ENVELOPE_UNKNOWN_KIND;
	if (verdict != ENVELOPE_FINE) {
		v->unread++;
		found_row(v, number, envelope_verdict_name(verdict));
		return;
	}
	if (layout_incarnation(number) != 0)
		place(v, &head);
	if (head.kind == SCHEMA_KIND_HEAD &&
	    !(v->has_head && number == v->rows->s.head_row))
		found_row(v, number, "a head row that is not the last row");
	else if (head.kind != SCHEMA_KIND_HEAD)
		rows_core_count(v->rows, number, row,
		    schema_find(head.kind)->scope, &v->sum);
	if (head.kind == SCHEMA_KIND_LEAF)
		leaf_take(v, &head);
	what = row_open(v, &head, row);
	if (what != NULL)
		found_row(v, number, what);
	else
		v->fine++;
}

/* A row of format 2. */
static void
take_low(struct verify *v, uint64_t number, struct cdop_bytes row)
{
	v->n++;
	rows_core_count(v->rows, number, row, SCHEMA_ROOT, &v->sum);
	if (number == v->rows->ring_row || rows_slots_is_fine(v->rows, row))
		v->fine++;
	else
		found_row(v, number, "damaged (a slot)");
}

/* Calls fn for every row; false: the walk could not be ended. */
static bool
each(struct verify *v,
    void (*fn)(struct verify *v, uint64_t number, struct cdop_bytes row))
{
	struct cdop_bytes row;
	uint64_t number, from;
	enum cdop_err err;

	from = 0;
	while ((err = db_next(v->rows->txn, from, &number, &row)) == CDOP_OK) {
		fn(v, number, row);
		if (number == UINT64_MAX)
			return true;
		from = number + 1;
	}
	return err == CDOP_NOT_FOUND;
}

/* Fills the key table; what goes wrong is said by the second pass. */
static void
enter_keys(struct verify *v, uint64_t number, struct cdop_bytes row)
{
	struct envelope_head head;

	if (row.len == 0 || row.data[0] != 1 ||
	    rows_core_head(v->rows, number, row, &head) != CDOP_OK)
		return;
	if (head.kind == SCHEMA_KIND_EPOCH_KEY &&
	    layout_incarnation(number) == 0 &&
	    rows_keys_epoch_load(v->rows, number) != CDOP_OK)
		return;
	if (head.kind == SCHEMA_KIND_CASE_KEY &&
	    rows_keys_case_load(v->rows, &head, row) != CDOP_OK)
		return;
}

static void
take_any(struct verify *v, uint64_t number, struct cdop_bytes row)
{
	if (layout_incarnation(number) == 0 && row.len > 0 && row.data[0] == 2)
		take_low(v, number, row);
	else
		take(v, number, row);
}

static void
digests_compare(struct verify *v)
{
	const struct layout_head *head;
	const char *hint;

	head = &v->rows->s.head;
	hint = v->n == v->fine ? "" : " (or it is one of the rows above)";
	if (sodium_memcmp(v->sum.digest, head->digest, 32) != 0)
		found(v,
		    "the state digest differs: a row is missing or an old one "
		    "is back%s",
		    hint);
	if (sodium_memcmp(v->sum.log_digest, head->log_digest, 32) != 0)
		found(v,
		    "the digest of the log differs: a log row is missing or "
		    "an old one is back%s",
		    hint);
}

static enum cdop_err
begin_log(struct verify *v)
{
	const struct layout_head *head = &v->rows->s.head;
	struct verify_tree tree = {
	    .size = head->next_leaf, .tile_row = head->tile_row};

	if (!v->has_head)
		v->log = NULL;
	if (v->log == NULL)
		return CDOP_OK;
	memcpy(tree.root, head->root, sizeof(tree.root));
	return v->log->begin(v->log->ctx, &tree, v->fn, v->ctx);
}

static enum cdop_err
walk(struct verify *v)
{
	enum cdop_err err;
	uint64_t n;
	bool ended;

	/* Epoch keys stand before what they wrap, case keys where they like. */
	ended = each(v, enter_keys);
	v->has_head = rows_start_head(v->rows) == CDOP_OK;
	if (!v->has_head)
		found(v, "%s", rows_finding(v->rows));
	n = v->rows->s.head.next_leaf;
	if (v->has_head && n <= UINT32_MAX) {
		v->leaves = calloc(n / 8 + 1, 1);
		if (v->leaves == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	if ((err = begin_log(v)) != CDOP_OK)
		return err;
	if (ended)
		ended = each(v, take_any);
	if (v->err != CDOP_OK)
		return v->err;
	if (!ended)
		found(v,
		    "the walk could not be ended: the database file is "
		    "damaged");
	if (v->has_head && ended) {
		leaves_compare(v);
		digests_compare(v);
	}
	if (v->log != NULL && ended)
		v->log->end(v->log->ctx);
	return CDOP_OK;
}

enum cdop_err
verify_walk(struct rows *rows, verify_walk_fn *fn, void *ctx,
    const struct verify_log *log, uint64_t *ret_rows, uint64_t *ret_fine)
{
	struct verify *v;
	enum cdop_err err;

	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	v->rows = rows;
	v->fn = fn;
	v->ctx = ctx;
	v->log = log;
	v->out = malloc(ENVELOPE_ROW_MAX);
	err = v->out == NULL ? CDOP_RESOURCE_EXHAUSTED
			     : db_begin_read(rows->db, &rows->txn);
	if (err == CDOP_OK) {
		err = walk(v);
		db_abort(rows->txn);
		rows->txn = NULL;
	}
	*ret_rows = v->n;
	*ret_fine = v->fine;
	free(v->leaves);
	free(v->out);
	free(v);
	return err;
}
