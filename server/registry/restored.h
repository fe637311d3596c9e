/*
 * A registry that goes on from an earlier state: after a restore, or after a
 * rollback that somebody accepts (TRUST M7; RECORDS M10).
 *
 * It is done in two steps.  On the host, with an opened slot, the database is
 * marked: its numbers go on under an incarnation that nobody has used, and it
 * is in state *restored*, in which there is nothing but status, the sign-in
 * of administrators and one act.  Then two administrators, over the link,
 * make that act: they accept, and their signed statement begins the log's new
 * incarnation.  Until then no checkpoint is given out.
 */
#ifndef CDOP_REGISTRY_RESTORED_H
#define CDOP_REGISTRY_RESTORED_H

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/statement.h"
#include "server/registry/registry.h"
#include "server/registry/restored_people.h"

struct restored_mark_args {
	/* The newest checkpoint that is known of the lost log: the anchor.
	 * Believed to be lost, whoever signed it; len 0: none. */
	struct cdop_bytes lost;
	const char *by;     /* who does it on the host */
	const char *reason; /* one line */
	/* Of the backup that it was restored from; len 0: of none. */
	struct cdop_bytes manifest;
	/* Who is left out; NULL: nobody. */
	const struct restored_suspend *suspend;
	uint64_t now_ms;
};

/*
 * Marks a loaded registry, in a batch of its own; durable when this returns.
 * CDOP_INVALID_ARGUMENT, CDOP_FAILED_PRECONDITION: *ret_why.  CDOP_NOT_FOUND:
 * likewise, of whom suspend names.
 */
CDOP_MUST enum cdop_err restored_mark(struct registry *reg,
    struct cdop_arena *arena, const struct restored_mark_args *args,
    const char **ret_why);

/*
 * Whether anything says that the registry is older than it was: args->lost is
 * of more than it has, or it was marked before.  Errors as above.
 */
CDOP_MUST enum cdop_err restored_is_older(struct registry *reg,
    struct cdop_arena *arena, const struct restored_mark_args *args,
    bool *ret_is, const char **ret_why);

/* Who did it on the host, and why. */
struct restored_said {
	const char *by;
	const char *reason;
	uint64_t at_ms;
};

/* What is waited for, in state restored.  Words lie in arena. */
struct restored_view {
	struct cdop_checkpoint from;
	bool has_lost;
	struct cdop_checkpoint lost;
	struct restored_said said;
	bool has_first; /* it was marked again since */
	struct restored_said first;
	struct restored_out out[CDOP_LEFT_OUT_MAX]; /* left out, with a mark */
	size_t n_out;
	uint8_t target[32]; /* changes with any of it */
};

/* CDOP_FAILED_PRECONDITION: not restored. */
CDOP_MUST enum cdop_err restored_view(struct registry *reg,
    struct cdop_arena *arena, struct restored_view *ret_view);

struct restored_accept_args {
	/* A newer checkpoint than the view's, that a client still has. */
	const struct cdop_checkpoint *lost; /* or NULL */
	const char *by[2];
	const char *reason;
	uint64_t now_ms;
};

/*
 * Within a batch: the statement, its leaf, and the state that was before.
 * CDOP_FAILED_PRECONDITION: not restored, or the incarnation of what is lost
 * is not behind: it has to be marked again.
 */
CDOP_MUST enum cdop_err restored_accept(struct registry *reg,
    struct cdop_arena *arena, const struct restored_accept_args *args,
    struct cdop_bytes *ret_note);

/*
 * Whether a is of a later log than b, or of more of the same one.  Both are
 * this registry's (cdop_checkpoint_is_of).
 */
bool restored_is_newer(const struct registry *reg,
    const struct cdop_checkpoint *a, const struct cdop_checkpoint *b);

#endif
