/*
 * Keys turned while the registry serves: what is under what at any moment of
 * it, whatever is done meanwhile, and what the old key is worth afterwards.
 */
#include "server/registry/rotation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/rotation_copy.h"
#include "server/registry/rotation_step.h"
#include "server/store/db.h"
#include "server/vault/rows_core.h"
#include "server/vault/rows_keys.h"
#include "server/vault/rows_rewrap.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

#define WIRRAL 5
#define SEFTON 2

static struct world w;
static char *wirral[WIRRAL], *sefton[SEFTON];

static int
setup(void **state)
{
	unsigned i;

	(void)state;
	world_make(&w);
	for (i = 0; i < WIRRAL; i++)
		wirral[i] = world_register(&w, i, "wirral");
	for (i = 0; i < SEFTON; i++)
		sefton[i] = world_register(&w, WIRRAL + i, "sefton");
	return 0;
}

static int
teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < WIRRAL; i++)
		free(wirral[i]);
	for (i = 0; i < SEFTON; i++)
		free(sefton[i]);
	world_end(&w);
	return 0;
}

static void
has_line(const char *line)
{
	char census[TURNING_TEXT];

	turning_census(&w, census);
	if (strstr(census, line) == NULL)
		fail_msg("no \"%s\" in\n%s", line, census);
}

/* ---- what the log says -------------------------------------------------- */

struct said {
	char words[1024]; /* newest first, one a line */
	size_t len;
};

static bool
take_leaf(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	struct said *said = ctx;

	if (words->call != AUDIT_EVENT_KEYS &&
	    words->call != AUDIT_EVENT_KEY_GONE)
		return true;
	assert_false(words->has_person);
	said->len += (size_t)snprintf(said->words + said->len,
	    sizeof(said->words) - said->len, "%u %s %llu\n", words->call,
	    words->reason, (unsigned long long)words->count);
	assert_true(said->len < sizeof(said->words));
	return true;
}

static struct said
said_now(void)
{
	struct said said = {.len = 0};
	uint64_t cursor = 0;

	do
		assert_int_equal(audit_walk(w.reg->audit, w.arena, &cursor, 256,
				     take_leaf, &said),
		    CDOP_OK);
	while (cursor != 0);
	return said;
}

static uint64_t
counted(const Cdop__StoredRotation *stored, uint64_t key)
{
	size_t i;

	for (i = 0; i < stored->n_census; i++)
		if (stored->census[i]->key == key)
			return stored->census[i]->case_keys;
	return 0;
}

/* ---- tests -------------------------------------------------------------- */

static void
an_area_gets_a_new_key_and_the_old_one_goes(void **state)
{
	uint64_t old = turning_newest(&w, "wirral"), key;
	uint64_t other = turning_newest(&w, "sefton");
	const struct rotation_job *job;
	Cdop__StoredRotation *stored;
	char wanted[256], number[32];
	struct said said;

	(void)state;
	assert_int_equal(turning_begin(&w, "wirral"), 1);
	assert_int_equal(turning_newest(&w, "wirral"), old);
	/* The first step: from now on everything new is under it. */
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	key = turning_newest(&w, "wirral");
	assert_true(key > old);
	has_line("wirral: 2 keys, 5 cases, 5 old");
	assert_int_equal(turning_step(&w, 2), CDOP_OK);
	has_line("wirral: 2 keys, 5 cases, 3 old");
	turning_all_readable(&w);
	(void)turning_finish(&w, 2);
	has_line("wirral: 1 keys, 5 cases, 0 old");
	has_line("sefton: 1 keys, 2 cases, 0 old");
	assert_int_equal(turning_newest(&w, "wirral"), key);
	assert_int_equal(turning_newest(&w, "sefton"), other);
	assert_null(keystore_find(w.ks, old));
	assert_null(rotation_running(w.reg->rotation));

	(void)snprintf(wanted, sizeof(wanted),
	    "1011 wirral:%s 5\n1010 rewrapped 5\n1010 turned 5\n",
	    rows_number_text(old, number));
	said = said_now();
	assert_non_null(strstr(said.words, wanted));
	assert_memory_equal(said.words, "1010 done 5\n1010 copied ", 24);

	world_reopen(&w);
	turning_all_readable(&w);
	has_line("wirral: 1 keys, 5 cases, 0 old");
	job = rotation_at(w.reg->rotation, 0);
	assert_int_equal(
	    rotation_read(w.reg->rotation, job, w.arena, &stored), CDOP_OK);
	assert_int_equal(stored->n_destroyed, 1);
	assert_int_equal(stored->destroyed[0], old);
	assert_int_equal(counted(stored, key), WIRRAL);
	assert_int_equal(counted(stored, old), 0);
	assert_int_equal(counted(stored, other), SEFTON);
	assert_true(stored->has_ended_ms);
}

static void
all_areas_turn_and_again(void **state)
{
	uint64_t first = turning_newest(&w, "liverpool"), second;

	(void)state;
	assert_int_equal(turning_begin(&w, NULL), 1);
	(void)turning_finish(&w, 3);
	second = turning_newest(&w, "liverpool");
	assert_true(second > first);
	has_line("wirral: 1 keys, 5 cases, 0 old");
	has_line("sefton: 1 keys, 2 cases, 0 old");
	has_line("liverpool: 1 keys, 0 cases, 0 old");
	assert_int_equal(turning_begin(&w, NULL), 2);
	(void)turning_finish(&w, 100);
	assert_true(turning_newest(&w, "liverpool") > second);
	world_reopen(&w);
	turning_all_readable(&w);
	has_line("wirral: 1 keys, 5 cases, 0 old");
	assert_int_equal(rotation_at(w.reg->rotation, 0)->number, 2);
	assert_int_equal(rotation_at(w.reg->rotation, 1)->number, 1);
	assert_null(rotation_at(w.reg->rotation, 2));
}

static void
own(const char *reference, uint64_t version, const char *area)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.area = calls_text(&w, area);
	request.reason = calls_text(&w, "the grandmother's address");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
}

/* S18: a case that moves, comes or changes while its area's key turns. */
static void
what_happens_meanwhile_is_under_the_newest_key(void **state)
{
	char *born;
	size_t i;

	(void)state;
	(void)turning_begin(&w, "wirral");
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	assert_int_equal(turning_step(&w, 2), CDOP_OK);
	has_line("wirral: 2 keys, 5 cases, 3 old");
	born = world_register(&w, 50, "wirral");
	has_line("wirral: 2 keys, 6 cases, 3 old");
	/* One that was wrapped anew leaves, one that was not; one comes. */
	own(wirral[0], 1, "sefton");
	own(wirral[WIRRAL - 1], 1, "sefton");
	own(sefton[0], 1, "wirral");
	has_line("wirral: 2 keys, 5 cases, 2 old");
	has_line("sefton: 1 keys, 3 cases, 0 old");
	/* And back again, before its turn would have come. */
	own(wirral[WIRRAL - 1], 2, "wirral");
	has_line("wirral: 2 keys, 6 cases, 2 old");
	for (i = 0; i < WIRRAL; i++)
		(void)calls_amend(
		    &w, wirral[i], 1, "child.sex", "2", NULL, CDOP_OK);
	turning_all_readable(&w);
	world_reopen(&w);
	turning_all_readable(&w);
	has_line("wirral: 2 keys, 6 cases, 2 old");
	(void)turning_finish(&w, 1);
	has_line("wirral: 1 keys, 6 cases, 0 old");
	has_line("sefton: 1 keys, 2 cases, 0 old");
	world_reopen(&w);
	for (i = 0; i < WIRRAL; i++)
		assert_non_null(
		    calls_show(&w, WORLD_COORDINATOR, wirral[i], CDOP_OK));
	assert_non_null(calls_show(&w, WORLD_COORDINATOR, born, CDOP_OK));
	free(born);
}

static void
it_can_be_held_and_goes_on(void **state)
{
	(void)state;
	(void)turning_begin(&w, "wirral");
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	world_begin(&w, 4096, 16);
	assert_int_equal(
	    rotation_pause(w.reg->rotation, w.arena, true, w.now_ms), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	assert_false(rotation_step_due(w.reg->rotation));
	assert_int_equal(turning_step(&w, 5), CDOP_OK);
	has_line("wirral: 2 keys, 5 cases, 4 old");
	world_reopen(&w);
	assert_false(rotation_step_due(w.reg->rotation));
	assert_non_null(rotation_running(w.reg->rotation));
	world_begin(&w, 4096, 16);
	assert_int_equal(
	    rotation_pause(w.reg->rotation, w.arena, false, w.now_ms), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	(void)turning_finish(&w, 5);
	has_line("wirral: 1 keys, 5 cases, 0 old");
}

/* A key that wraps something, or is the one in use, is never destroyed. */
static void
a_key_that_is_needed_is_not_destroyed(void **state)
{
	uint64_t old = turning_newest(&w, "wirral");

	(void)state;
	(void)turning_begin(&w, "wirral");
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	assert_int_equal(turning_step(&w, WIRRAL - 1), CDOP_OK);
	world_begin(&w, 4096, 16);
	assert_int_equal(
	    rows_keys_epoch_destroy(w.rows, old), CDOP_FAILED_PRECONDITION);
	rows_abort(w.rows);
	undo_rollback(w.undo);
	world_begin(&w, 4096, 16);
	assert_int_equal(
	    rows_keys_epoch_destroy(w.rows, turning_newest(&w, "wirral")),
	    CDOP_FAILED_PRECONDITION);
	rows_abort(w.rows);
	undo_rollback(w.undo);
	(void)turning_finish(&w, 1);
}

/* ---- the old key, saved beforehand -------------------------------------- */

/* Key rows that somebody with these 32 bytes opens, and with them the case. */
static size_t
opened_by(const uint8_t raw[static 32])
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	uint8_t label[LAYOUT_LABEL], k[32];
	struct envelope_head head;
	struct envelope_key key;
	struct layout_key parsed;
	struct cdop_bytes row, data;
	uint64_t number = 0;
	size_t n = 0;

	envelope_key_init(&key, raw);
	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	for (; db_next(w.rows->txn, number, &number, &row) == CDOP_OK;
	     number++) {
		if (layout_incarnation(number) == 0)
			continue;
		assert_int_equal(envelope_head_parse(
				     keystore_ring(w.ks), row, number, &head),
		    ENVELOPE_FINE);
		if (envelope_unseal(keystore_ring(w.ks), &key, &head, row, out,
			&data) != ENVELOPE_FINE)
			continue;
		assert_int_equal(head.kind, SCHEMA_KIND_CASE_KEY);
		assert_int_equal(layout_case_parse(data, &parsed), CDOP_OK);
		layout_label(parsed.id, head.key_id, SCHEMA_CASE, label);
		assert_int_equal(envelope_unwrap(&key, w.rows->registry,
				     (struct cdop_bytes){label, sizeof(label)},
				     parsed.wrap, k),
		    CDOP_OK);
		n++;
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
	return n;
}

static void
the_old_key_opens_everything_before_and_nothing_after(void **state)
{
	uint8_t saved[32];

	(void)state;
	memcpy(saved, keystore_raw(w.ks, turning_newest(&w, "wirral")), 32);
	assert_int_equal(opened_by(saved), WIRRAL);
	(void)turning_begin(&w, "wirral");
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	assert_int_equal(turning_step(&w, 2), CDOP_OK);
	assert_int_equal(opened_by(saved), WIRRAL - 2);
	(void)turning_finish(&w, 2);
	assert_int_equal(opened_by(saved), 0);
	assert_int_equal(
	    opened_by(keystore_raw(w.ks, turning_newest(&w, "wirral"))),
	    WIRRAL);
}

/* ---- aborts ------------------------------------------------------------- */

/* As a batch does that fails: at every piece of memory, and at the end. */
static void
aborted_everywhere(size_t n)
{
	char before[TURNING_TEXT], after[TURNING_TEXT];
	size_t budget, done, mark = cdop_arena_used(w.arena);
	bool whole = false;

	turning_census(&w, before);
	for (budget = 64; !whole; budget += budget / 2) {
		world_begin(&w, 1u << 20, 256);
		cdop_arena_set_budget(w.arena, budget);
		whole = rotation_step_run(w.reg->rotation, w.arena, w.now_ms, n,
			    &done) == CDOP_OK;
		cdop_arena_set_budget(w.arena, 0);
		rows_abort(w.rows);
		undo_rollback(w.undo);
		cdop_arena_rewind(w.arena, mark);
		turning_census(&w, after);
		assert_string_equal(after, before);
		turning_all_readable(&w);
	}
}

static void
every_step_can_be_taken_back(void **state)
{
	char memory[TURNING_TEXT], disk[TURNING_TEXT];
	size_t steps;

	(void)state;
	(void)turning_begin(&w, NULL);
	for (steps = 0; rotation_step_due(w.reg->rotation); steps++) {
		aborted_everywhere(2);
		assert_int_equal(turning_step(&w, 2), CDOP_OK);
		turning_census(&w, memory);
		world_reopen(&w);
		turning_census(&w, disk);
		assert_string_equal(memory, disk);
	}
	assert_true(steps >= 5);
	has_line("wirral: 1 keys, 5 cases, 0 old");
	/* The copy, and what is written down of it. */
	while (!rotation_step_due(w.reg->rotation))
		assert_int_equal(turning_pump(&w, 2), CDOP_OK);
	aborted_everywhere(2);
	(void)turning_finish(&w, 2);
	world_reopen(&w);
	assert_null(rotation_running(w.reg->rotation));
}

/* ---- re-seal ------------------------------------------------------------ */

static size_t
epochs_of(enum schema_scope scope, uint64_t *ret_newest)
{
	struct rows_rewrap_epoch epoch;
	size_t i, n = 0;

	for (i = 0; rows_rewrap_epoch(w.rows, i, &epoch); i++) {
		n += epoch.scope == scope;
		if (epoch.scope == scope && epoch.newest)
			*ret_newest = epoch.key;
	}
	return n;
}

static void
every_row_is_sealed_anew(void **state)
{
	uint64_t before[7], after[7];
	const struct keystore_entry *entry;
	enum schema_scope scope;
	uint64_t floor = rows_rewrap_next(w.rows);
	size_t i;

	(void)state;
	for (scope = SCHEMA_REGISTRY; scope <= SCHEMA_SEARCH; scope++)
		assert_int_equal(epochs_of(scope, &before[scope]), 1);
	(void)turning_begin_with(&w, NULL, true);
	(void)turning_finish(&w, 3);
	for (scope = SCHEMA_REGISTRY; scope <= SCHEMA_SEARCH; scope++) {
		assert_int_equal(epochs_of(scope, &after[scope]), 1);
		assert_true(after[scope] >= floor);
		assert_null(keystore_find(w.ks, before[scope]));
	}
	world_reopen(&w);
	for (i = 0; i < keystore_places(w.ks); i++) {
		entry = keystore_at(w.ks, i);
		assert_true(entry->scope == 0 || entry->id >= floor);
	}
	turning_all_readable(&w);
	has_line("wirral: 1 keys, 5 cases, 0 old");
	assert_non_null(strstr(said_now().words, "1010 resealed "));
	assert_non_null(strstr(said_now().words, "1011 registry:"));
	assert_non_null(strstr(said_now().words, "1011 log:"));
	assert_non_null(strstr(said_now().words, "1011 search:"));
	/* And it goes on. */
	(void)calls_amend(&w, wirral[0], 1, "child.sex", "2", NULL, CDOP_OK);
	assert_non_null(calls_show(&w, WORLD_COORDINATOR, sefton[0], CDOP_OK));
}

/* Between the switch and the note of it the vault dies. */
static void
what_the_switch_has_done_is_not_done_twice(void **state)
{
	uint64_t floor;
	const struct keystore_entry *entry;
	size_t i;

	(void)state;
	(void)turning_begin_with(&w, NULL, true);
	do
		assert_int_equal(turning_pump(&w, 100), CDOP_OK);
	while (!rotation_copy_ended(w.reg->rotation));
	world_reopen(&w);
	floor = rows_rewrap_next(w.rows);
	assert_non_null(rotation_running(w.reg->rotation));
	(void)turning_finish(&w, 100);
	for (i = 0; i < keystore_places(w.ks); i++) {
		entry = keystore_at(w.ks, i);
		assert_true(entry->scope == 0 || entry->id < floor);
	}
	world_reopen(&w);
	turning_all_readable(&w);
}

/* ---- history ------------------------------------------------------------ */

/* And a root that somebody had, of which nothing has come yet. */
static void
the_newest_hundred_are_kept(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(turning_begin_renewal(&w), 1);
	for (i = 0; i < ROTATION_KEPT + 3; i++) {
		assert_int_equal(turning_begin(&w, "liverpool"), i + 2);
		(void)turning_finish(&w, 10);
		cdop_arena_reset(w.arena);
	}
	world_reopen(&w);
	assert_int_equal(
	    rotation_at(w.reg->rotation, 0)->number, ROTATION_KEPT + 4);
	assert_int_equal(
	    rotation_at(w.reg->rotation, ROTATION_KEPT - 2)->number, 6);
	assert_int_equal(
	    rotation_at(w.reg->rotation, ROTATION_KEPT - 1)->number, 1);
	assert_non_null(rotation_root_had(w.reg->rotation));
	assert_null(rotation_at(w.reg->rotation, ROTATION_KEPT));
}

static void
load_root(uint32_t number, bool compromised)
{
	static char reason[] = "x";
	Cdop__StoredRotation stored;

	cdop__stored_rotation__init(&stored);
	stored.number = number;
	stored.what = CDOP__KEY_WHAT__KEY_ROOT;
	stored.phase = CDOP__KEY_PHASE__KEY_DONE;
	stored.reason = reason;
	stored.has_ended_ms = true;
	stored.ended_ms = w.now_ms;
	stored.has_compromised = stored.compromised = compromised;
	assert_int_equal(rotation_load(w.reg->rotation, 0, &stored), CDOP_OK);
}

/* Status says of link key and log key that they are older than that. */
static void
a_root_that_was_renewed_is_kept_behind_another(void **state)
{
	size_t i;

	(void)state;
	load_root(1, true);
	load_root(2, false);
	for (i = 0; i < ROTATION_KEPT; i++) {
		assert_int_equal(turning_begin(&w, "liverpool"), i + 3);
		(void)turning_finish(&w, 10);
		cdop_arena_reset(w.arena);
	}
	assert_int_equal(
	    rotation_at(w.reg->rotation, ROTATION_KEPT - 3)->number, 5);
	assert_int_equal(rotation_root(w.reg->rotation), 2);
	assert_non_null(rotation_root_renewed(w.reg->rotation));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_area_gets_a_new_key_and_the_old_one_goes),
	    TEST(all_areas_turn_and_again),
	    TEST(what_happens_meanwhile_is_under_the_newest_key),
	    TEST(it_can_be_held_and_goes_on),
	    TEST(a_key_that_is_needed_is_not_destroyed),
	    TEST(the_old_key_opens_everything_before_and_nothing_after),
	    TEST(every_step_can_be_taken_back),
	    TEST(every_row_is_sealed_anew),
	    TEST(what_the_switch_has_done_is_not_done_twice),
	    TEST(the_newest_hundred_are_kept),
	    TEST(a_root_that_was_renewed_is_kept_behind_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
