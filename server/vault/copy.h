/*
 * The store copied into a new file while it serves, and that file put in the
 * place of the old one: compaction, and all that has to be sealed anew
 * (adr/0019).  Rows keep their numbers, kinds and versions; keys, nonces and
 * ciphertext may change.
 *
 *     copy_begin(rows, &plan, &copy);
 *     copy_step(copy, &budget, &state);    between batches, until COPY_READY
 *     copy_finish(copy);                   between batches
 *     copy_give_back(copy, &budget);       until it has nothing to do
 *     copy_free(copy);
 *
 * Until copy_finish() renames it the new file is worth nothing: a process
 * that dies before goes on with the old one, and a start removes what was
 * left over.  A copy that fails changes nothing.
 *
 * Case keys made anew have new ids.  In the old file, and in memory until
 * the switch, a case has its old key and no other: it may be amended, moved
 * and destroyed meanwhile, and the new file follows.
 */
#ifndef CDOP_VAULT_COPY_H
#define CDOP_VAULT_COPY_H

#include "cdop/arena.h"
#include "server/vault/slots_set.h"
#include "server/vault/walk.h"

struct copy;

/*
 * What stands under epoch key `from` stands under `to` in the new file, and
 * from itself is not in it.  Both of one scope (areas: of one area), `to` the
 * newer one.  Rows put under from after the beginning are fine.
 */
struct copy_epoch {
	uint64_t from;
	uint64_t to;
};

/*
 * The plaintext of a LEAF row of this number and version, in which a case
 * box may stand.  *ret_data: the same bytes, or others in arena, made with
 * copy_box().
 */
typedef enum cdop_err copy_leaf_fn(void *ctx, struct copy *copy,
    struct cdop_bytes data, struct cdop_arena *arena,
    struct cdop_bytes *ret_data);

/* A slot of the new file, and of no file before. */
struct copy_slot {
	struct slots_new slot;           /* kind SHARES: label alone counts */
	const struct slots_set_new *set; /* of SHARES */
	struct cdop_share *shares;       /* of SHARES: SHAMIR_MAX, made here */
};

/* All of it zero: rows are copied as they are. */
struct copy_plan {
	const struct copy_epoch *epochs;
	size_t n_epochs;
	/* Every case that lies in one of them now gets a new key; */
	const char *const *areas;
	size_t n_areas;
	bool all_areas;     /* or every case there is. */
	copy_leaf_fn *leaf; /* needed where cases get new keys */
	/*
	 * With all_areas and without epochs: a new root, which these slots
	 * open and no other, a new ring, and new keys for every epoch there
	 * is; what the old root led to opens nothing of the new file
	 * (adr/0025).  No batch may come before copy_finish(), behind which
	 * the store is sealed: close it, and open it with one of these.
	 */
	const struct copy_slot *slots;
	size_t n_slots;
	/* The new file stands; copy_key() tells the new names of keys. */
	void (*turned)(void *ctx, const struct copy *copy);
	void *ctx;
};

/*
 * Between batches; plan and what it points to are not kept, but for ctx.
 * CDOP_RESOURCE_EXHAUSTED: the disk has no room for it (what the old file
 * has in use, and the reserve once more).  CDOP_ALREADY_EXISTS: one runs.
 * CDOP_INVALID_ARGUMENT: the plan names keys that are not there.
 */
CDOP_MUST enum cdop_err copy_begin(
    struct rows *rows, const struct copy_plan *plan, struct copy **ret_copy);

/*
 * Does it open slot i of the plan, in the new file?  Before copy_finish(), so
 * that what was kept is known to be good.
 */
bool copy_slot_opens(struct copy *copy, size_t i, const uint8_t k[static 32]);
/* The number of that slot; sets of shares have its number too. */
uint16_t copy_slot_number(const struct copy *copy, size_t i);
/* Its set: the shares that fit it are those that were made. */
bool copy_slot_set(
    const struct copy *copy, size_t i, struct slots_set *ret_set);

/* A start found one that was not finished, and removed it. */
bool copy_left_over(const struct rows *rows);

/* Gives up what was not finished, file and all.  NULL is fine. */
void copy_free(struct copy *copy);

enum copy_state {
	COPY_MORE,  /* to be done */
	COPY_READY, /* all rows are there, and each was opened again */
};

/*
 * A step, between batches: copies, then opens every row of the new file
 * under the keys that it will have.  After an error only copy_free() is
 * left, and copy_finding() says more than the error.
 */
CDOP_MUST enum cdop_err copy_step(struct copy *copy,
    const struct walk_budget *budget, enum copy_state *ret_state);

enum copy_end {
	COPY_SWITCHED, /* the new file is the store */
	COPY_KEPT,     /* it failed, the old file goes on: copy_error() */
	COPY_LOST,     /* renamed, but not opened again: leave, start anew */
};

/*
 * Between batches: what has come since, low rows, head row; digests and
 * census compared; synced, renamed, opened.  It is long only where much has
 * come since COPY_READY.
 */
CDOP_MUST enum copy_end copy_finish(struct copy *copy);

/*
 * After COPY_SWITCHED, between batches: the old file, which has no name any
 * more, goes back to the file system in steps.  false: all of it has.
 */
bool copy_give_back(struct copy *copy, const struct walk_budget *budget);

/* Of the last step or finish, and in words; "" where there are none. */
enum cdop_err copy_error(const struct copy *copy);
const char *copy_finding(const struct copy *copy);

/*
 * The name that a key has in the new file: itself where the plan does not
 * touch it.
 */
uint64_t copy_key(const struct copy *copy, uint64_t key);

/*
 * For copy_leaf_fn: a box under a case key, sealed anew under the key that
 * the case will have.  *ret_key: which; the same key: *ret_box is box.
 * CDOP_NOT_FOUND: its key is destroyed, nobody opens it.
 */
CDOP_MUST enum cdop_err copy_box(struct copy *copy, uint64_t key,
    struct cdop_bytes context, struct cdop_bytes box, struct cdop_arena *arena,
    uint64_t *ret_key, struct cdop_bytes *ret_box);

struct copy_progress {
	uint64_t rows;   /* copied */
	uint64_t opened; /* of them, opened again */
	uint64_t total;  /* of all that are to be copied */
	uint64_t bytes;  /* of the new file's rows */
};

void copy_progress(const struct copy *copy, struct copy_progress *ret_progress);

/*
 * The census: rows of the new file under each epoch key, counted when they
 * were opened; of an area's, the case keys that it wraps.
 */
struct copy_count {
	uint64_t key;
	uint64_t rows;
	uint8_t scope; /* enum schema_scope */
};

/* Entry i; false: there are no more. */
bool copy_census(
    const struct copy *copy, size_t i, struct copy_count *ret_count);
/* Rows under case keys, and how many such keys there are. */
void copy_cases(
    const struct copy *copy, uint64_t *ret_rows, uint64_t *ret_keys);

#endif
