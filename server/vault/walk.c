/* Steps over the live file, and the list of what has gone behind them. */
#include "server/vault/walk.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/undo.h"
#include "server/vault/rows_core.h"
#include "server/vault/walk_core.h"

#define LOOK_EVERY 8 /* rows, between two looks at who waits */
#define FIRST_GONE 256

struct gone {
	uint64_t number;
	bool is_log;
	uint8_t term[32];
};

struct walk {
	struct rows *rows;
	struct walk *next;
	uint64_t cursor; /* every row below it was handed out, or is gone */
	uint64_t done;
	uint64_t total;
	struct layout_head seen; /* digests of what was handed out */
	struct gone *gone;       /* that the sink has not heard of */
	size_t n_gone;
	size_t max_gone;
	bool lost; /* it does not know what is gone, or who is there */
};

enum cdop_err
walk_begin(struct rows *rows, struct walk **ret_walk)
{
	struct walk *walk;

	CDOP_ASSERT(!rows->batch);
	if (rows->phase != ROWS_CORE_READY)
		return CDOP_FAILED_PRECONDITION;
	walk = calloc(1, sizeof(*walk));
	if (walk == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	walk->rows = rows;
	walk->cursor = layout_number(1, 0);
	walk->next = rows->walks;
	rows->walks = walk;
	*ret_walk = walk;
	return CDOP_OK;
}

void
walk_free(struct walk *walk)
{
	struct walk **at;

	if (walk == NULL)
		return;
	CDOP_ASSERT(!undo_is_begun(walk->rows->undo));
	at = &walk->rows->walks;
	while (*at != walk)
		at = &(*at)->next;
	*at = walk->next;
	free(walk->gone);
	free(walk);
}

void
walk_core_break(const struct rows *rows, const struct walk *but)
{
	struct walk *walk;

	for (walk = rows->walks; walk != NULL; walk = walk->next)
		walk->lost = walk->lost || walk != but;
}

void
walk_progress(const struct walk *walk, uint64_t *ret_done, uint64_t *ret_total)
{
	*ret_done = walk->done;
	*ret_total = walk->total > walk->done ? walk->total : walk->done;
}

/* ---- What goes --------------------------------------------------------- */

static bool
grow(struct walk *walk)
{
	struct gone *more;
	size_t max;

	if (walk->n_gone < walk->max_gone)
		return true;
	if (walk->max_gone >= WALK_GONE_MAX)
		return false;
	max = walk->max_gone == 0 ? FIRST_GONE : walk->max_gone * 2;
	more = malloc(max * sizeof(*more));
	if (more == NULL)
		return false;
	if (walk->n_gone > 0)
		memcpy(more, walk->gone, walk->n_gone * sizeof(*more));
	free(walk->gone);
	walk->gone = more;
	walk->max_gone = max;
	return true;
}

/* It holds nothing from here on: it may be held for a long time. */
static void
lose(struct walk *walk)
{
	walk->lost = true;
	free(walk->gone);
	walk->gone = NULL;
	walk->max_gone = 0;
}

void
walk_core_note(struct walk *first, uint64_t number, bool is_log,
    const uint8_t term[static 32])
{
	struct gone *gone;
	struct walk *walk;

	for (walk = first; walk != NULL; walk = walk->next) {
		if (walk->lost || number >= walk->cursor ||
		    layout_incarnation(number) == 0)
			continue;
		/* What cannot be noted ends the walk, and not the batch. */
		if (undo_save(walk->rows->undo, &walk->n_gone,
			sizeof(walk->n_gone)) != CDOP_OK ||
		    !grow(walk)) {
			lose(walk);
			continue;
		}
		gone = &walk->gone[walk->n_gone++];
		gone->number = number;
		gone->is_log = is_log;
		memcpy(gone->term, term, sizeof(gone->term));
	}
}

static enum cdop_err
tell_gone(struct walk *walk, const struct walk_sink *sink)
{
	const struct gone *gone;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < walk->n_gone; i++) {
		gone = &walk->gone[i];
		if ((err = sink->gone(sink->ctx, gone->number)) != CDOP_OK)
			return err;
		layout_digest_sub(
		    gone->is_log ? walk->seen.log_digest : walk->seen.digest,
		    gone->term);
		walk->done--;
	}
	walk->n_gone = 0;
	return CDOP_OK;
}

/* ---- What is there ----------------------------------------------------- */

static enum cdop_err
hand_out(struct walk *walk, uint64_t number, struct cdop_bytes bytes,
    const struct walk_sink *sink)
{
	struct walk_row row = {.number = number, .bytes = bytes};
	enum schema_scope scope = SCHEMA_ROOT;
	struct envelope_head head;
	enum cdop_err err;

	if (layout_incarnation(number) != 0 || bytes.data[0] == 1) {
		err = rows_core_head(walk->rows, number, bytes, &head);
		if (err != CDOP_OK)
			return err;
		row.head = &head;
		scope = schema_find(head.kind)->scope;
	}
	if ((err = sink->row(sink->ctx, &row)) != CDOP_OK)
		return err;
	if (number == walk->rows->s.head_row)
		return CDOP_OK;
	rows_core_count(walk->rows, number, bytes, scope, &walk->seen);
	walk->done++;
	return CDOP_OK;
}

bool
walk_is_spent(const struct walk_budget *budget, size_t rows, size_t bytes)
{
	return rows >= budget->rows || bytes >= budget->bytes ||
	    (budget->spent != NULL && rows % LOOK_EVERY == 0 &&
		budget->spent(budget->ctx));
}

static enum cdop_err
go_on(struct walk *walk, const struct walk_budget *budget,
    const struct walk_sink *sink, bool *ret_end)
{
	size_t rows = 0, bytes = 0;
	struct cdop_bytes row;
	struct db_read read = {NULL, NULL};
	uint64_t number;
	enum cdop_err err;

	*ret_end = false;
	while (rows == 0 || !walk_is_spent(budget, rows, bytes)) {
		err = db_next(walk->rows->txn, walk->cursor, &number, &row);
		if (err == CDOP_NOT_FOUND ||
		    (err == CDOP_OK && number == walk->rows->s.head_row)) {
			*ret_end = true;
			return CDOP_OK;
		}
		if (err == CDOP_OK)
			err = hand_out(walk, number, row, sink);
		if (err != CDOP_OK)
			return err;
		walk->cursor = number + 1;
		rows++;
		bytes += row.len;
		db_read_add(&read, row);
	}
	db_read_let_go(&read);
	return CDOP_OK;
}

/* Rows change in place here, so all of them are of one commit. */
static enum cdop_err
low_rows(struct walk *walk, const struct walk_sink *sink)
{
	struct cdop_bytes row;
	uint64_t number = 0;
	enum cdop_err err;

	for (;; number++) {
		err = db_next(walk->rows->txn, number, &number, &row);
		if (err != CDOP_OK)
			return err; /* there is a head row behind them */
		if (layout_incarnation(number) != 0)
			return CDOP_OK;
		if ((err = hand_out(walk, number, row, sink)) != CDOP_OK)
			return err;
	}
}

static enum cdop_err
head_row(struct walk *walk, const struct walk_sink *sink)
{
	struct cdop_bytes row;
	enum cdop_err err;

	err = db_get(walk->rows->txn, walk->rows->s.head_row, &row);
	if (err != CDOP_OK)
		return err;
	return hand_out(walk, walk->rows->s.head_row, row, sink);
}

static enum cdop_err
compare(struct walk *walk)
{
	const struct layout_head *head = &walk->rows->s.head;

	if (sodium_memcmp(walk->seen.digest, head->digest, 32) == 0 &&
	    sodium_memcmp(walk->seen.log_digest, head->log_digest, 32) == 0)
		return CDOP_OK;
	(void)snprintf(walk->rows->finding, sizeof(walk->rows->finding),
	    "the state digest differs: a row is missing or an old one is back");
	return CDOP_DATA_LOSS;
}

/* ---- Steps ------------------------------------------------------------- */

static enum cdop_err
step_begin(struct walk *walk)
{
	struct rows *rows = walk->rows;
	uint64_t n;
	enum cdop_err err;

	CDOP_ASSERT(!rows->batch && rows->txn == NULL);
	rows->finding[0] = '\0';
	if (walk->lost)
		return CDOP_ABORTED;
	if ((err = db_begin_read(rows->db, &rows->txn)) != CDOP_OK)
		return err;
	/* The head row is none of those that are handed out in steps. */
	if (db_count(rows->txn, &n) == CDOP_OK)
		walk->total = n - 1;
	return CDOP_OK;
}

static void
step_end(struct walk *walk)
{
	db_abort(walk->rows->txn);
	walk->rows->txn = NULL;
	keystore_rest(walk->rows->ks);
}

enum cdop_err
walk_step(struct walk *walk, const struct walk_budget *budget,
    const struct walk_sink *sink, bool *ret_end)
{
	enum cdop_err err;

	if ((err = step_begin(walk)) != CDOP_OK)
		return err;
	err = tell_gone(walk, sink);
	if (err == CDOP_OK)
		err = go_on(walk, budget, sink, ret_end);
	step_end(walk);
	return err;
}

enum cdop_err
walk_last(struct walk *walk, const struct walk_sink *sink)
{
	const struct walk_budget all = {.rows = SIZE_MAX, .bytes = SIZE_MAX};
	enum cdop_err err;
	bool end;

	if ((err = step_begin(walk)) != CDOP_OK)
		return err;
	err = tell_gone(walk, sink);
	if (err == CDOP_OK)
		err = go_on(walk, &all, sink, &end);
	if (err == CDOP_OK)
		err = low_rows(walk, sink);
	if (err == CDOP_OK)
		err = head_row(walk, sink);
	if (err == CDOP_OK)
		err = compare(walk);
	step_end(walk);
	return err;
}
