/*
 * One undo log for everything in memory that a batch changes (TRUST M11).
 *
 * Later requests of a batch see what earlier ones changed; a batch that
 * fails is taken back, newest change first; a commit drops the log.  It
 * knows nothing of what it restores, and nothing of the disk.
 *
 * Between undo_begin() and the end, whoever is about to change memory says
 * so first.  Outside (a start that fills the tables) undo_save() and
 * undo_call() do nothing and undo_defer() runs at once, so that the same
 * code serves both.
 *
 * A saved address must stay what it is until the end: grow a table with
 * undo_call(), not by moving what has been saved.  The log is ordinary
 * memory and is wiped; keys do not go into it.
 */
#ifndef CDOP_BASE_UNDO_H
#define CDOP_BASE_UNDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/err.h"

struct undo;

typedef void undo_fn(void *ctx, uint64_t arg);

/* A log that holds at most max_bytes.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err undo_new(size_t max_bytes, struct undo **ret_undo);

/* Not within a batch; NULL is fine. */
void undo_free(struct undo *undo);

/* Not within a batch. */
void undo_begin(struct undo *undo);

bool undo_is_begun(const struct undo *undo);

/*
 * Keeps the len bytes at p as they are now; they come back at a rollback.
 * CDOP_RESOURCE_EXHAUSTED: nothing was kept, so do not change them.
 */
CDOP_MUST enum cdop_err undo_save(struct undo *undo, void *p, size_t len);

/*
 * fn(ctx, arg) takes the next change back.  It cannot fail, and sees memory
 * as it was right after the change.  CDOP_RESOURCE_EXHAUSTED as above.
 */
CDOP_MUST enum cdop_err undo_call(
    struct undo *undo, undo_fn *fn, void *ctx, uint64_t arg);

/*
 * fn(ctx, arg) is run by the commit, oldest first, and never after a
 * rollback: for what is given back only when the change is sure.
 */
CDOP_MUST enum cdop_err undo_defer(
    struct undo *undo, undo_fn *fn, void *ctx, uint64_t arg);

/* Takes everything back, newest first, and ends. */
void undo_rollback(struct undo *undo);

/* Keeps everything, runs what was deferred, and ends. */
void undo_commit(struct undo *undo);

/* Bytes of the log in use. */
size_t undo_used(const struct undo *undo);

#endif
