/*
 * Search terms are forgotten by the quarter, with their key: when, what is
 * left of them on the disk, and what the log says.
 */
#include "server/registry/search_key.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/profile.h"
#include "server/registry/audit.h"
#include "server/vault/rows_core.h"
#include "server/vault/rows_keys.h"
#include "server/vault/rows_scan.h"
#include "server/vault/verify.h"
#include "tests/unit/server/world.h"

#define DAY_MS 86400000ull
#define KEPT   730 /* days, in the profile of the world */

/* The world begins on 23 November 2026. */
#define Q4_2026_ENDS 1798761600000ull /* 2027-01-01 */
#define Q1_2027_ENDS 1806537600000ull /* 2027-04-01 */
#define Q4_2026_PAST (Q4_2026_ENDS + KEPT * DAY_MS)
#define Q1_2027_PAST (Q1_2027_ENDS + KEPT * DAY_MS)

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	assert_int_equal(w.reg->profile->search_retention_days, KEPT);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* ---- searching and forgetting ------------------------------------------ */

/* n searches at that time. */
static void
search(uint64_t at_ms, size_t n)
{
	struct audit_term terms[1] = {{"child.family_name", "Sampleton"}};
	struct audit_entry entry = {.call = CDOP_CALL_CaseFind,
	    .time_ms = at_ms,
	    .terms = terms,
	    .n_terms = 1};
	size_t i;

	for (i = 0; i < n; i++) {
		if (i % 16 == 0)
			world_begin(&w, 1u << 20, 64);
		assert_int_equal(
		    audit_append(w.reg->audit, w.arena, &entry, NULL), CDOP_OK);
		if (i % 16 == 15 || i == n - 1)
			world_commit(&w);
	}
}

static bool
is_due(uint64_t now_ms)
{
	bool due;

	assert_int_equal(
	    search_key_due(w.reg->search_key, now_ms, &due), CDOP_OK);
	return due;
}

/* As the cycle does it; how many steps it took. */
static size_t
forget(uint64_t now_ms)
{
	size_t steps = 0;

	while (is_due(now_ms)) {
		assert_true(++steps < 1000);
		world_begin(&w, 1u << 20, 64);
		assert_int_equal(
		    search_key_forget(w.reg->search_key, w.arena, now_ms),
		    CDOP_OK);
		world_commit(&w);
	}
	return steps;
}

/* ---- what is there ----------------------------------------------------- */

struct terms {
	size_t n;
	uint64_t key[4]; /* that seal any, in order */
	size_t n_keys;
};

static enum cdop_err
count_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct terms *terms = ctx;
	struct cdop_bytes data;

	*ret_stop = false;
	assert_int_equal(head->kind, SCHEMA_KIND_TERMS);
	assert_int_equal(rows_item_open(item, w.arena, &data), CDOP_OK);
	terms->n++;
	if (terms->n_keys == 0 ||
	    terms->key[terms->n_keys - 1] != head->key_id) {
		assert_true(terms->n_keys < 4);
		terms->key[terms->n_keys++] = head->key_id;
	}
	return CDOP_OK;
}

static struct terms
terms_now(void)
{
	struct terms terms = {0};
	uint64_t at = 0;
	bool end;

	assert_int_equal(
	    rows_walk_terms(w.rows, &at, SIZE_MAX, count_row, &terms, &end),
	    CDOP_OK);
	assert_true(end);
	return terms;
}

struct said {
	size_t n;
	char reason[4][16]; /* newest first */
};

static bool
take_leaf(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	struct said *said = ctx;

	if (words->call != AUDIT_EVENT_FORGOTTEN)
		return true;
	assert_true(said->n < 4);
	assert_false(words->has_person);
	(void)snprintf(said->reason[said->n++], sizeof(said->reason[0]), "%s",
	    words->reason);
	return true;
}

/* What the log says was forgotten. */
static struct said
said_now(void)
{
	struct said said = {0};
	uint64_t cursor = 0;

	do
		assert_int_equal(audit_walk(w.reg->audit, w.arena, &cursor, 256,
				     take_leaf, &said),
		    CDOP_OK);
	while (cursor != 0);
	return said;
}

static enum cdop_err
unlock(void *ctx, const struct slots_info *slots, size_t n, size_t *ret_slot,
    uint8_t ret_k[static 32])
{
	(void)ctx;
	(void)slots;
	(void)n;
	*ret_slot = 0;
	memcpy(ret_k, w.k, 32);
	return CDOP_OK;
}

static char lines[4096];

static void
take_line(void *ctx, const char *line)
{
	size_t i, len = strlen(lines);

	(void)ctx;
	for (i = 0; line[i] != '\0' && len + 1 < sizeof(lines); i++)
		lines[len++] = line[i];
	lines[len] = '\0';
}

/* What cdopd verify finds; the world is open again afterwards. */
static uint64_t
findings(void)
{
	const struct verify_args args = {.dir = w.dir,
	    .map_bytes = 256u << 20,
	    .unlock = unlock,
	    .line = take_line};
	struct verify_result result;

	lines[0] = '\0';
	world_close(&w);
	assert_int_equal(verify_dir(&args, &result), CDOP_OK);
	world_open(&w);
	return result.findings;
}

/* ---- when -------------------------------------------------------------- */

static void
a_quarter_goes_when_its_last_day_is_too_old(void **state)
{
	struct terms before, after;

	(void)state;
	search(w.now_ms, 3);
	search(Q4_2026_ENDS, 2); /* the first of the next */
	before = terms_now();
	assert_int_equal(before.n, 5);
	assert_int_equal(before.n_keys, 2);

	assert_int_equal(forget(Q4_2026_PAST - 1), 0);
	assert_int_equal(terms_now().n, 5);
	assert_int_equal(said_now().n, 0);

	assert_int_equal(forget(Q4_2026_PAST), 1);
	after = terms_now();
	assert_int_equal(after.n, 2);
	assert_int_equal(after.key[0], before.key[1]);
	assert_int_equal(said_now().n, 1);
	assert_string_equal(said_now().reason[0], "2026-Q4");
	assert_null(keystore_find(w.ks, before.key[0]));
	assert_null(keystore_key(w.ks, before.key[0]));
	assert_int_equal(findings(), 0);
	assert_int_equal(terms_now().n, 2);
}

/* Kept shorter, or longer, from one day to the next. */
static void
the_profile_in_force_decides(void **state)
{
	struct cdop_profile *profile =
	    (struct cdop_profile *)(uintptr_t)w.reg->profile;

	(void)state;
	search(w.now_ms, 1);
	search(Q4_2026_ENDS, 1);
	profile->search_retention_days = KEPT + 1;
	assert_false(is_due(Q4_2026_PAST));
	profile->search_retention_days = 1;
	assert_false(is_due(Q4_2026_ENDS));
	assert_true(is_due(Q4_2026_ENDS + DAY_MS));
}

/* A clock that is wrong for an hour, or a profile, does not forget them all. */
static void
one_quarter_a_day(void **state)
{
	const uint64_t now_ms = Q1_2027_PAST + 30 * DAY_MS;

	(void)state;
	search(w.now_ms, 1);
	search(Q4_2026_ENDS, 1);
	search(Q1_2027_ENDS, 1);
	assert_int_equal(forget(now_ms), 1);
	assert_int_equal(forget(now_ms + 1), 0);
	world_reopen(&w); /* a start of the same day is no other day */
	assert_int_equal(forget(now_ms + 1), 0);
	assert_int_equal(terms_now().n, 2);
	assert_int_equal(forget(now_ms + DAY_MS), 1);
	assert_int_equal(terms_now().n, 1);
	assert_string_equal(said_now().reason[0], "2027-Q1");
	assert_int_equal(forget(now_ms + 2 * DAY_MS), 0);
}

/* Nobody has searched for two years: the key that goes is the one in use. */
static void
the_key_in_use_turns_first(void **state)
{
	uint64_t key, next;

	(void)state;
	search(w.now_ms, 2);
	assert_true(keystore_epoch(w.ks, SCHEMA_SEARCH, NULL, &key));
	assert_int_equal(forget(Q4_2026_PAST), 1);
	assert_true(keystore_epoch(w.ks, SCHEMA_SEARCH, NULL, &next));
	assert_int_not_equal(next, key);
	assert_null(keystore_find(w.ks, key));
	search(Q4_2026_PAST, 1);
	assert_int_equal(terms_now().n, 1);
	assert_int_equal(terms_now().key[0], next);
	/* And then it is that quarter's. */
	assert_int_equal(forget(Q4_2026_PAST + KEPT * DAY_MS), 0);
	assert_int_equal(findings(), 0);
}

static void
without_a_search_there_is_nothing_to_forget(void **state)
{
	(void)state;
	assert_int_equal(forget(Q4_2026_PAST + 3000 * DAY_MS), 0);
	assert_int_equal(said_now().n, 0);
}

/* ---- by steps ---------------------------------------------------------- */

static void
a_large_quarter_goes_in_steps_and_over_a_restart(void **state)
{
	size_t steps;

	(void)state;
	search(w.now_ms, 300);
	search(Q4_2026_ENDS, 10);
	assert_true(is_due(Q4_2026_PAST));
	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    search_key_forget(w.reg->search_key, w.arena, Q4_2026_PAST),
	    CDOP_OK);
	world_commit(&w);
	assert_in_range(terms_now().n, 11, 309);
	assert_int_equal(said_now().n, 0);
	assert_int_equal(findings(), 0); /* also in the midst of it */

	/* What an abort takes back is done again. */
	assert_true(is_due(Q4_2026_PAST));
	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    search_key_forget(w.reg->search_key, w.arena, Q4_2026_PAST),
	    CDOP_OK);
	world_roll_back(&w);
	steps = forget(Q4_2026_PAST);
	assert_in_range(steps, 3, 6);
	assert_int_equal(terms_now().n, 10);
	assert_int_equal(said_now().n, 1);
	assert_int_equal(findings(), 0);
}

/* Rows of other kinds before it are passed over in bounded looks. */
static void
a_look_is_bounded(void **state)
{
	struct audit_entry entry = {
	    .call = CDOP_CALL_Status, .time_ms = w.now_ms};
	size_t i, looks = 0;

	(void)state;
	for (i = 0; i < 6000; i++) {
		if (i % 60 == 0)
			world_begin(&w, 1u << 20, 64);
		assert_int_equal(
		    audit_append(w.reg->audit, w.arena, &entry, NULL), CDOP_OK);
		if (i % 60 == 59) {
			world_commit(&w);
			cdop_arena_reset(w.arena);
		}
	}
	search(w.now_ms, 1);
	while (!is_due(Q4_2026_PAST))
		assert_true(++looks < 10);
	assert_in_range(looks, 1, 2);
	assert_int_equal(forget(Q4_2026_PAST), 1);
	assert_int_equal(terms_now().n, 0);
	/* What is known to be empty is not looked at again by the next start.
	 */
	search(Q4_2026_PAST, 1);
	world_reopen(&w);
	assert_true(is_due(Q4_2026_PAST + (KEPT + 100) * DAY_MS));
}

/* ---- what is left ------------------------------------------------------ */

#define ROWS_MAX 400

/* A row as it lies on the disk; its bytes in the world's arena. */
struct raw {
	uint64_t number;
	struct cdop_bytes row;
};

static struct raw raws[ROWS_MAX];
static size_t n_raws;

/* Of the closed world. */
static void
read_raws(void)
{
	struct db_args args = {.dir = w.dir, .map_bytes = 256u << 20};
	struct db_txn *txn;
	struct raw *raw;
	uint64_t from = 0;
	uint8_t *copy;
	struct db *db;

	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_begin_read(db, &txn), CDOP_OK);
	for (n_raws = 0; n_raws < ROWS_MAX - 1; n_raws++) {
		raw = &raws[n_raws];
		if (db_next(txn, from, &raw->number, &raw->row) != CDOP_OK)
			break;
		copy = cdop_arena_alloc(w.arena, raw->row.len);
		assert_non_null(copy);
		memcpy(copy, raw->row.data, raw->row.len);
		raw->row.data = copy;
		from = raw->number + 1;
	}
	db_abort(txn);
	db_close(db);
}

/* The file anew, with these rows. */
static void
write_raws(void)
{
	struct db_args args = {
	    .dir = w.dir, .map_bytes = 256u << 20, .create = true};
	struct db_txn *txn;
	char path[128];
	struct db *db;
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/lock.mdb", w.dir);
	(void)unlink(path);
	assert_int_equal(db_open(&args, &db), CDOP_OK);
	assert_int_equal(db_room(db, 1024), CDOP_OK);
	assert_int_equal(db_begin(db, &txn), CDOP_OK);
	for (i = 0; i < n_raws; i++)
		assert_int_equal(
		    db_put(txn, raws[i].number, raws[i].row), CDOP_OK);
	assert_int_equal(db_commit(txn), CDOP_OK);
	db_close(db);
}

static enum cdop_err
find_number(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	uint64_t *number = ctx;

	(void)item;
	*number = head->number;
	*ret_stop = true;
	return CDOP_OK;
}

/* How many live rows open under this key, whatever they say of theirs. */
static size_t
opened_by(struct envelope_key *key, uint64_t id)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	struct envelope_head head;
	struct cdop_bytes row, data;
	uint64_t number, from;
	size_t n = 0;

	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	for (from = layout_number(1, 0);
	     db_next(w.rows->txn, from, &number, &row) == CDOP_OK;
	     from = number + 1) {
		assert_int_equal(envelope_head_parse(
				     keystore_ring(w.ks), row, number, &head),
		    ENVELOPE_FINE);
		if (envelope_unseal(keystore_ring(w.ks), key, &head, row, out,
			&data) == ENVELOPE_FINE)
			n++;
		else
			assert_int_not_equal(head.key_id, id);
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
	return n;
}

/* Whoever saved the key beforehand has the key of nothing. */
static void
the_old_key_opens_nothing_any_more(void **state)
{
	struct envelope_key saved;
	uint64_t key;

	(void)state;
	search(w.now_ms, 5);
	search(Q4_2026_ENDS, 2);
	key = terms_now().key[0];
	saved = *keystore_key(w.ks, key);
	assert_int_equal(opened_by(&saved, key), 5);
	assert_int_equal(forget(Q4_2026_PAST), 1);
	assert_int_equal(opened_by(&saved, key), 0);
	/* Nor does the root have it any more: there is no such key row. */
	world_reopen(&w);
	assert_null(keystore_find(w.ks, key));
	assert_null(keystore_key(w.ks, key));
}

/* Put back on the disk it is a row under an unknown key, and is missed. */
static void
an_old_row_that_comes_back_is_under_an_unknown_key(void **state)
{
	struct raw back = {0};
	uint64_t number, at = 0;
	bool end;
	size_t i;

	(void)state;
	search(w.now_ms, 1);
	search(Q4_2026_ENDS, 1);
	assert_int_equal(
	    rows_walk_terms(w.rows, &at, SIZE_MAX, find_number, &number, &end),
	    CDOP_OK);
	world_close(&w);
	read_raws();
	for (i = 0; i < n_raws; i++)
		if (raws[i].number == number)
			back = raws[i];
	assert_non_null(back.row.data);
	world_open(&w);
	assert_int_equal(forget(Q4_2026_PAST), 1);
	assert_int_equal(findings(), 0);
	world_close(&w);
	read_raws();
	raws[n_raws++] = back;
	write_raws();
	world_open(&w);
	assert_int_equal(findings(), 2);
	assert_non_null(strstr(lines, ": under an unknown key"));
	assert_non_null(strstr(lines, "the digest of the log differs"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_quarter_goes_when_its_last_day_is_too_old),
	    TEST(the_profile_in_force_decides),
	    TEST(one_quarter_a_day),
	    TEST(the_key_in_use_turns_first),
	    TEST(without_a_search_there_is_nothing_to_forget),
	    TEST(a_large_quarter_goes_in_steps_and_over_a_restart),
	    TEST(a_look_is_bounded),
	    TEST(the_old_key_opens_nothing_any_more),
	    TEST(an_old_row_that_comes_back_is_under_an_unknown_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
