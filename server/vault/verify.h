/*
 * Looking at every row of a registry that is not running, and saying what
 * each finding is.  Never prints content; changes nothing.
 *
 * The walk runs in a child process: LMDB can end whoever reads a damaged
 * file with a signal, and that is a finding too.
 */
#ifndef CDOP_VAULT_VERIFY_H
#define CDOP_VAULT_VERIFY_H

#include <stdbool.h>

#include "cdop/manifest.h"
#include "server/vault/rows.h"

/* One line; is_finding false: only said. */
typedef void verify_walk_fn(void *ctx, bool is_finding, const char *line);

/* One line of the report, without its newline. */
typedef void verify_line_fn(void *ctx, const char *line);

/*
 * Chooses a slot behind *slot (SIZE_MAX at first) and derives its K (reads
 * the key file, asks for the passphrase); called again while that does not
 * open it, until there is no other: CDOP_NOT_FOUND.  Runs in the child; what
 * is not CDOP_OK ends the walk, and it has said why.
 */
typedef enum cdop_err verify_unlock_fn(void *ctx,
    const struct slots_info *slots, size_t n, size_t *slot,
    uint8_t ret_k[static 32]);

/* What the head row says of the tree. */
struct verify_tree {
	uint64_t size;
	uint8_t root[32];
	uint64_t tile_row;
};

/*
 * Looks into the rows of the log, which the vault only opens.  Runs in the
 * child, and is not called at all where there is no head row.
 */
struct verify_log {
	void *ctx;
	enum cdop_err (*begin)(void *ctx, const struct verify_tree *tree,
	    verify_walk_fn *say, void *say_ctx);
	/* A row of scope LOG that authenticates, in the order of numbers. */
	enum cdop_err (*row)(
	    void *ctx, const struct rows_head *head, struct cdop_bytes data);
	void (*end)(void *ctx);
};

struct verify_args {
	const char *dir;
	uint64_t map_bytes; /* 0: the default */
	verify_unlock_fn *unlock;
	verify_line_fn *line;
	void *ctx;                    /* of both */
	const struct verify_log *log; /* NULL: only the rows themselves */
	struct cdop_bytes manifest;   /* of a backup; empty: it is none */
};

struct verify_result {
	uint64_t rows; /* seen */
	uint64_t fine;
	uint64_t findings; /* 0: the registry is fine */
	/* Of a backup: what only its opened rows give; "": the walk did not
	 * come to its end, or it is none. */
	char proof[CDOP_MANIFEST_PROOF_TEXT];
};

/*
 * CDOP_OK: the walk came to its end, or to the damage that ended it; see
 * findings.  CDOP_UNAUTHENTICATED: the slot did not open.  Otherwise as
 * db_open().
 */
CDOP_MUST enum cdop_err verify_dir(
    const struct verify_args *args, struct verify_result *ret_result);

#endif
