/*
 * The log key changes hands with itself: each change is a statement that
 * both keys sign, a leaf of its own, and a line in the configuration, from
 * which Welcome tells it to every client (cdop/statement.h; TRUST M7, S21).
 */
#ifndef CDOP_REGISTRY_STATEMENTS_H
#define CDOP_REGISTRY_STATEMENTS_H

#include "cdop/arena.h"
#include "cdop/statement.h"
#include "server/registry/registry.h"

/* One a year for a lifetime, and some to spare. */
#define STATEMENTS_MAX 512
/*
 * And their bytes, behind which the key turns no more: what is left of the row
 * that they stand in, and of Welcome, is for restores and recoveries, without
 * which a registry could not go on.
 */
#define STATEMENTS_TURNS (256u << 10)

/* All there are, oldest first, as the configuration has them. */
struct statements {
	size_t n;
	struct cdop_bytes note[];
};

/*
 * Takes them from the configuration, through the undo log within a batch.
 * CDOP_DATA_LOSS, CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err statements_take(
    struct registry *reg, const Cdop__StoredConfig *config);

/* NULL is fine. */
void statements_free(struct statements *statements);

struct statements_args {
	enum cdop_statement_kind kind;
	const struct cdop_checkpoint *from; /* of statements_from() */
	const struct cdop_checkpoint *lost; /* newest known lost, or NULL */
	const char *by[CDOP_STATEMENT_BY_MAX];
	size_t n_by;
	const char *reason;
	uint64_t now_ms;
};

/*
 * The tree as it is at this moment, under the name the log has now: before
 * anything moves on to another incarnation.  Within a batch or outside.
 */
CDOP_MUST enum cdop_err statements_from(
    struct registry *reg, struct cdop_checkpoint *ret_from);

/*
 * Within a batch, in the incarnation that the new key is for: makes the key,
 * signs, and puts statement and key into config, which the caller puts back.
 * *ret_note lies in arena.  CDOP_INVALID_ARGUMENT: words that are no line of
 * text.  CDOP_RESOURCE_EXHAUSTED: as many as a registry can have.
 */
CDOP_MUST enum cdop_err statements_make(struct registry *reg,
    struct cdop_arena *arena, const struct statements_args *args,
    Cdop__StoredConfig *config, struct cdop_bytes *ret_note);

/* Its leaf, in the same batch, behind the configuration. */
CDOP_MUST enum cdop_err statements_leaf(struct registry *reg,
    struct cdop_arena *arena, struct cdop_bytes note, uint64_t now_ms);

/* Is there room for one turn of the key more? */
bool statements_may_turn(const struct registry *reg);

/*
 * The log goes on under a new key: all three for CDOP_STATEMENT_KEY, and the
 * configuration.  args->kind and ->from are set here.
 * CDOP_RESOURCE_EXHAUSTED: also where it may not turn any more.
 */
CDOP_MUST enum cdop_err statements_turn(struct registry *reg,
    struct cdop_arena *arena, const struct statements_args *args,
    struct cdop_bytes *ret_note);

#endif
