/*
 * The inside of a copy, shared by the copy*.c files and nobody else: what it
 * is made of, one row sealed anew, one row opened again.
 */
#ifndef CDOP_VAULT_COPY_CORE_H
#define CDOP_VAULT_COPY_CORE_H

#include "server/vault/copy.h"
#include "server/vault/rows_core.h"

/* A row of format 2 that the new file has and the old one has not. */
struct copy_low {
	uint64_t number;
	size_t len;
	uint8_t bytes[SLOTS_SET];
};

struct copy {
	struct rows *rows;
	struct walk *walk;
	struct db *to;
	struct db_txn *txn; /* of `to`, for writing; NULL: none */
	size_t unsaid;      /* bytes put in it */

	/* The plan. */
	struct copy_epoch *epochs;
	size_t n_epochs;
	uint8_t *anew;      /* by place in the key table: a bit */
	size_t n_anew;      /* places */
	uint64_t first_key; /* the new id of place 0 */
	bool reseals;       /* false: rows are copied as they are */
	bool opens_leaves;  /* for the boxes in them */
	bool renews;        /* root and ring: keystore_next() */
	/* The slots of the new root: of each a slot, and maybe a set. */
	struct copy_low *low;
	size_t n_low;
	size_t slot_at[SLOTS_MAX]; /* where in low */
	size_t n_slots;
	copy_leaf_fn *leaf;
	void (*turned)(void *ctx, const struct copy *copy);
	void *ctx;

	struct cdop_arena *arena; /* for one LEAF */
	uint8_t *plain;           /* ENVELOPE_ROW_MAX: a row, opened */

	/* Digests: of what was put, and of what was opened again. */
	struct layout_head put;
	struct layout_head opened;
	uint64_t cursor; /* every row of `to` below it was opened */
	uint64_t n_put;
	uint64_t n_opened;
	uint64_t n_bytes;

	struct copy_count count[KEYSTORE_EPOCHS_MAX];
	size_t n_count;
	uint64_t case_rows;
	uint64_t case_keys;

	bool begun; /* it is rows->copy */
	bool done;  /* switched, or failed */
	enum cdop_err err;
	char finding[160];
};

/* Says what was found, and is CDOP_DATA_LOSS. */
enum cdop_err copy_core_find(
    struct copy *copy, uint64_t number, const char *what);

/* ---- copy_root.c ------------------------------------------------------- */

/* New root and ring, the slots of the plan, and a pair for each epoch. */
CDOP_MUST enum cdop_err copy_core_renew(
    struct copy *copy, const struct copy_plan *plan);

/* Header key and digest key of the new file. */
const struct envelope_ring *copy_core_ring(const struct copy *copy);

/* As rows_core_head() and rows_core_count(), of the new file. */
CDOP_MUST enum cdop_err copy_core_look(struct copy *copy, uint64_t number,
    struct cdop_bytes row, struct envelope_head *ret_head);
void copy_core_count(struct copy *copy, uint64_t number, struct cdop_bytes row,
    enum schema_scope scope, struct layout_head *head);

/*
 * Of a copy that renews: the key of an id in the new file, of that scope.
 * CDOP_NOT_FOUND: there is none; no old key is one.
 */
CDOP_MUST enum cdop_err copy_core_renewed(struct copy *copy, uint64_t id,
    enum schema_scope scope, struct envelope_key **ret_key);

/*
 * A low row of the old file as the new one has it; len 0: it has none of it.
 */
CDOP_MUST enum cdop_err copy_core_renew_low(struct copy *copy,
    const struct walk_row *row, struct cdop_bytes *ret_bytes);

/* Is a low row of the new file what it has to be? */
CDOP_MUST enum cdop_err copy_core_check_low(
    struct copy *copy, uint64_t number, struct cdop_bytes row);

/* ---- copy_seal.c ------------------------------------------------------- */

/* Does the new file do without this epoch key? */
bool copy_core_drops(const struct copy *copy, uint64_t epoch);

/* Is it the new id of a case key that there is? */
bool copy_core_is_new(const struct copy *copy, uint64_t id);

/* The 32 bytes of such a key. */
void copy_core_new_raw(
    struct copy *copy, uint64_t id, uint8_t k[static ENVELOPE_KEY]);

/* The key of an id in the new file; NULL: there is none. */
struct envelope_key *copy_core_new_key(struct copy *copy, uint64_t id);

/* A row as the new file has it: as it is, or in rows->buf. */
CDOP_MUST enum cdop_err copy_core_seal(struct copy *copy,
    const struct walk_row *row, struct cdop_bytes *ret_bytes);

/* The head row of the new file, in rows->buf. */
void copy_core_head(struct copy *copy, const struct envelope_head *head,
    struct cdop_bytes *ret_bytes);

/* ---- copy_open.c ------------------------------------------------------- */

/*
 * Opens rows of the new file from the cursor on.  *ret_end: it came to the
 * last.
 */
CDOP_MUST enum cdop_err copy_core_open(
    struct copy *copy, const struct walk_budget *budget, bool *ret_end);

/* Opens what copy_core_open() leaves out: incarnation 0, and the head row. */
CDOP_MUST enum cdop_err copy_core_open_last(struct copy *copy);

/* A row of the new file that was opened before goes away. */
CDOP_MUST enum cdop_err copy_core_close(
    struct copy *copy, uint64_t number, struct cdop_bytes bytes);

/* As many rows were opened as were put, and every case has its key. */
CDOP_MUST enum cdop_err copy_core_compare(struct copy *copy);

#endif
