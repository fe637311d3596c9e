/*
 * A row store in a directory of its own, with two slots and two areas, and a
 * few rows of each kind.  For the tests of store and vault.
 */
#ifndef CDOP_TESTS_STORE_FIXTURE_H
#define CDOP_TESTS_STORE_FIXTURE_H

#include "cdop/arena.h"
#include "server/base/undo.h"
#include "server/store/schema.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"
#include "server/vault/rows_keys.h"
#include "server/vault/rows_scan.h"
#include "server/vault/verify.h"

#define STORE_FIXTURE_MAP ((uint64_t)64 << 20)

struct store_fixture {
	char dir[64];
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct rows *rows;
	struct cdop_arena *arena;
	uint8_t file[32];             /* key file of slot 0 */
	uint8_t k[2][32];             /* of both slots */
	enum cdop_err last;           /* of the last reopening */
	uint64_t reserve_bytes;       /* of the next opening; 0: none */
	char line[256];               /* the last finding of a verify */
	char lines[4096];             /* all of them */
	const struct verify_log *log; /* of a verify; NULL: none */
};

/* A new store; nothing but its first rows. */
void store_fixture_make(struct store_fixture *f);

/* Ends it and removes the directory. */
void store_fixture_end(struct store_fixture *f);

/* Closes the store and keeps the directory. */
void store_fixture_close(struct store_fixture *f);

/* Opens, unseals by a slot and scans; what that came to. */
enum cdop_err store_fixture_open(struct store_fixture *f, size_t slot);
enum cdop_err store_fixture_open_with(
    struct store_fixture *f, size_t slot, rows_scan_fn *fn, void *ctx);

/* A batch around what a test does. */
void store_fixture_begin(struct store_fixture *f);
void store_fixture_commit(struct store_fixture *f);
void store_fixture_abort(struct store_fixture *f);

/* One row of text within a batch; its number. */
uint64_t store_fixture_put(
    struct store_fixture *f, uint8_t kind, uint64_t key, const char *text);

/* It is there, and says this. */
void store_fixture_expect(
    struct store_fixture *f, uint64_t number, const char *text);

/* What a scan comes to: a rows_scan_fn that opens each row. */
struct store_fixture_seen {
	struct store_fixture *f;
	uint64_t cases[8];
	uint8_t kinds[64];
	size_t n;
};

enum cdop_err store_fixture_see(
    void *ctx, const struct rows_head *head, struct rows_item *item);

/* The next leaf, within a batch. */
uint64_t store_fixture_leaf(struct store_fixture *f, const char *text);

/* A case with key, CASE, FORM and SUMMARY rows, and a leaf; its key. */
uint64_t store_fixture_case(
    struct store_fixture *f, uint64_t case_id, const char *area);

/* Runs verify over the closed store; findings, or -1 where it did not run. */
int store_fixture_verify(struct store_fixture *f);

/* What the directory takes in bytes of data.mdb; whole, for the caller. */
uint8_t *store_fixture_file(const struct store_fixture *f, size_t *ret_len);
void store_fixture_write(
    const struct store_fixture *f, const uint8_t *data, size_t len);

#endif
