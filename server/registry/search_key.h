/*
 * The keys of what was searched for: one for each quarter, so that a quarter
 * can be forgotten by itself when the profile says so (TRUST M3).
 *
 * A TERMS row is sealed by the newest SEARCH epoch key, and that turns with
 * the first terms of another quarter: so rows and keys are in the order of
 * time, and all rows of a key are of its quarter.  Forgetting begins with the
 * oldest row, in small steps between batches; the last step of a quarter
 * destroys the key and logs which quarter it was.
 */
#ifndef CDOP_REGISTRY_SEARCH_KEY_H
#define CDOP_REGISTRY_SEARCH_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/err.h"

struct copy;
struct registry;
struct search_key;

/* reg is borrowed.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err search_key_new(
    struct registry *reg, struct search_key **ret_keys);
/* NULL is fine. */
void search_key_free(struct search_key *keys);

/* In the open transaction: the key in use is that of this quarter. */
CDOP_MUST enum cdop_err search_key_turn(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms);

/*
 * Between batches: whether something is to be forgotten now.  Reads a bounded
 * number of rows, and on the next call goes on.  A quarter is past when its
 * last day is longer ago than search_retention_days; one quarter a day, so
 * that a clock that is wrong for an hour does not forget them all.
 *
 * CDOP_DATA_LOSS: a row on the way is damaged, rows_finding() says which;
 * it is left until another day.
 */
CDOP_MUST enum cdop_err search_key_due(
    struct search_key *keys, uint64_t now_ms, bool *ret_due);

/*
 * Some of what is due, in the open transaction: a bounded number of rows,
 * behind the last of a quarter its key, and then the leaf that says so.
 */
CDOP_MUST enum cdop_err search_key_forget(
    struct search_key *keys, struct cdop_arena *arena, uint64_t now_ms);

/* Keys have got other names. */
void search_key_rename(struct search_key *keys, const struct copy *copy);

/* It could not be done: not again today. */
void search_key_put_off(struct search_key *keys, uint64_t now_ms);

#endif
