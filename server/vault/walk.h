/*
 * A walk over all rows of a running store, a few at a time between batches:
 * what a copy and a backup are made of.
 *
 * There is no long snapshot.  Rows never change and numbers only grow, so
 * each step opens the store as it is, goes on from the last number and lets
 * go again.  What was handed out and is deleted afterwards is told as gone;
 * what is put lies ahead and is met.  At the end all that was handed out,
 * less what is gone, is the store as it stands at one commit (adr/0019).
 */
#ifndef CDOP_VAULT_WALK_H
#define CDOP_VAULT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

/*
 * Rows that may go between two steps: 48 MiB of notes.  One that is held for
 * longer is lost, and whoever wanted it begins again.
 */
#define WALK_GONE_MAX ((size_t)1 << 20)

struct envelope_head;
struct rows;
struct walk;

/* One row as it lies in the file; good within the callback. */
struct walk_row {
	uint64_t number;
	struct cdop_bytes bytes;
	const struct envelope_head *head; /* NULL: of format 2 */
};

/*
 * Who takes the rows.  What a function returns other than CDOP_OK ends the
 * step, which returns it; then the walk is of no more use.
 */
struct walk_sink {
	enum cdop_err (*row)(void *ctx, const struct walk_row *row);
	/* A row that was handed out is deleted. */
	enum cdop_err (*gone)(void *ctx, uint64_t number);
	void *ctx;
};

/* How much one step may do; whatever is spent first ends it. */
struct walk_budget {
	size_t rows;
	size_t bytes;
	bool (*spent)(void *ctx); /* time, by the caller's clock; NULL: any */
	void *ctx;
};

/* After so many in this step: has it done what it may? */
bool walk_is_spent(const struct walk_budget *budget, size_t rows, size_t bytes);

/*
 * Over an unsealed and scanned store, between batches.  More than one may go
 * at a time.  CDOP_FAILED_PRECONDITION: not unsealed and scanned.
 */
CDOP_MUST enum cdop_err walk_begin(struct rows *rows, struct walk **ret_walk);

/* NULL is fine. */
void walk_free(struct walk *walk);

/*
 * Between batches: first what is gone, then rows from where the last step
 * stopped, in the order of their numbers.  Not the head row, and none of
 * incarnation 0.  *ret_end: there is nothing more as it stands.  CDOP_DATA_
 * LOSS: a row is damaged, rows_finding() says which.  CDOP_ABORTED: rows
 * were sealed anew below the walk, or it could not note what is gone.
 */
CDOP_MUST enum cdop_err walk_step(struct walk *walk,
    const struct walk_budget *budget, const struct walk_sink *sink,
    bool *ret_end);

/*
 * Between batches, once: all that is left, as one commit has it: what is
 * gone, the rows behind, those of incarnation 0, the head row last of all.
 * Then what was handed out is compared with the state digests.
 * CDOP_DATA_LOSS: a row is damaged or missing, or an old one is back.
 */
CDOP_MUST enum cdop_err walk_last(
    struct walk *walk, const struct walk_sink *sink);

/* Rows handed out so far, and all that there are, gone ones excepted. */
void walk_progress(
    const struct walk *walk, uint64_t *ret_done, uint64_t *ret_total);

#endif
