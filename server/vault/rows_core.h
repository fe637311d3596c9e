/*
 * The inside of the row store, shared by the rows_*.c files and nobody else:
 * taking numbers, sealing and opening, digests, the keys that it needs.
 */
#ifndef CDOP_VAULT_ROWS_CORE_H
#define CDOP_VAULT_ROWS_CORE_H

#include "server/store/db.h"
#include "server/store/schema.h"
#include "server/vault/boot_set.h"
#include "server/vault/keystore.h"
#include "server/vault/layout.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"

struct copy;
struct walk;

enum rows_core_phase {
	ROWS_CORE_SEALED,
	ROWS_CORE_UNSEALED,
	ROWS_CORE_READY, /* scanned, or just made */
};

struct rows_core_slot {
	uint64_t number;
	struct slots_info info;
	uint8_t row[SLOTS_ROW];
};

struct rows_core_set {
	uint64_t number;
	struct slots_set set;
};

/* What a batch changes besides the key table; saved as a whole. */
struct rows_core_state {
	struct layout_head head;
	uint64_t head_row;     /* number of the head row; 0: none yet */
	struct layout_dir dir; /* of the numbers taken last */
};

struct rows {
	struct db *db;
	struct db_txn *txn; /* of a batch, a scan or one rows_get() */
	struct keystore *ks;
	struct undo *undo;
	bool read_only;
	bool batch;
	uint64_t changes;     /* rows_changes() */
	enum cdop_err failed; /* of the batch: the first error */
	enum rows_core_phase phase;

	uint8_t registry[ENVELOPE_REGISTRY];
	uint64_t ring_row;
	uint8_t ring[SLOTS_RING];
	struct rows_core_slot slots[SLOTS_MAX];
	size_t n_slots;
	struct rows_core_set sets[ROWS_SLOTS_SETS];
	size_t n_sets;
	uint64_t boot_row; /* 0: none */
	size_t boot_len;
	uint8_t boot[BOOT_SET_ROW_MAX];

	struct rows_core_state s;
	uint8_t *buf;        /* ENVELOPE_ROW_MAX: a row on its way out */
	uint8_t small[2048]; /* one of the vault's own rows, opened */

	/* During a scan: what the last CASE_KEY row said (0: none), as the
	 * other rows of a new case stand right behind it. */
	uint64_t seen_row;
	struct layout_key seen;

	char finding[160];

	struct walk *walks; /* that hear of every row that goes */
	struct copy *copy;  /* one at a time; NULL: none */
};

/* Keeps the first error of a batch. */
enum cdop_err rows_core_stick(struct rows *rows, enum cdop_err err);

/* Says what was found at a number, and is CDOP_DATA_LOSS. */
enum cdop_err rows_core_find(
    struct rows *rows, uint64_t number, const char *what);

/* The next number of the table; a directory row that is due goes first. */
CDOP_MUST enum cdop_err rows_core_take(struct rows *rows, uint64_t *ret_number);

/* The next number of incarnation 0, for what the root wraps. */
CDOP_MUST enum cdop_err rows_core_take_low(
    struct rows *rows, uint64_t *ret_number);

/* Seals and puts under a number that was taken; counts it in the digest. */
CDOP_MUST enum cdop_err rows_core_write(
    struct rows *rows, const struct rows_new *row, uint64_t number);

/* A row of format 2. */
CDOP_MUST enum cdop_err rows_core_write_raw(
    struct rows *rows, struct cdop_bytes row, uint64_t number);

/* Deletes a row of the given kind (0: of format 2) and uncounts it. */
CDOP_MUST enum cdop_err rows_core_remove(
    struct rows *rows, uint64_t number, uint8_t kind);

/* Is its digest that of the log? */
bool rows_core_is_log(enum schema_scope scope);

/* Adds what a live row adds to the digest it belongs to. */
void rows_core_count(struct rows *rows, uint64_t number, struct cdop_bytes row,
    enum schema_scope scope, struct layout_head *head);

/*
 * The key of a row, loaded where it is a case's.  CDOP_NOT_FOUND: no such
 * key, or not one of the scope that the kind asks for.
 */
CDOP_MUST enum cdop_err rows_core_key(struct rows *rows, uint64_t id,
    enum schema_scope scope, struct envelope_key **ret_key);

/*
 * Unwraps a case key into the keystore's scratch memory, which the caller
 * wipes.
 */
CDOP_MUST enum cdop_err rows_core_case_key(
    struct rows *rows, const struct keystore_entry *entry, uint8_t **ret_k);

/* Parses the head of a row; says and returns what is wrong with it. */
CDOP_MUST enum cdop_err rows_core_head(struct rows *rows, uint64_t number,
    struct cdop_bytes row, struct envelope_head *ret_head);

/* Opens a row whose head was parsed, into out of row.len bytes. */
CDOP_MUST enum cdop_err rows_core_open(struct rows *rows,
    const struct envelope_head *head, struct cdop_bytes row, uint8_t *out,
    struct cdop_bytes *ret_data);

/*
 * Both, for one of the vault's own rows, which has to be of one kind.  The
 * data is good until the next of them is read.
 */
CDOP_MUST enum cdop_err rows_core_get(struct rows *rows, uint64_t number,
    uint8_t kind, struct envelope_head *ret_head, struct cdop_bytes *ret_data);

/* For callbacks: head, and the case its key belongs to. */
void rows_core_describe(const struct rows *rows,
    const struct envelope_head *head, struct rows_head *ret_head);

#endif
