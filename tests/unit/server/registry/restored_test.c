/*
 * Going on from an earlier state, and turning the log key: what is marked,
 * who accepts, and what a client can follow (TRUST M7, S21; RECORDS M10).
 */
#include "server/registry/restored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/call.h"
#include "cdop/merkle.h"
#include "cdop/role.h"
#include "server/registry/actor.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/audit_said.h"
#include "server/registry/checkpoints.h"
#include "server/registry/statements.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"
#include "tests/unit/server/registry/house.h"

static struct house_client clients[2];

/* What a client pins when it enrols. */
static struct cdop_note_key
pinned(const struct house *house)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	struct cdop_note_key key;

	cdop_checkpoint_origin(
	    house->reg->id, rows_incarnation(house->rows), origin);
	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     checkpoints_key(house->reg->checkpoints)),
	    CDOP_OK);
	return key;
}

/* The log's word, checked as a client does it. */
static struct cdop_checkpoint
opened(const struct house *house, const struct cdop_note_key *key)
{
	struct cdop_checkpoint checkpoint;

	assert_int_equal(
	    cdop_checkpoint_open(
		checkpoints_note(house->reg->checkpoints), key, &checkpoint),
	    CDOP_OK);
	return checkpoint;
}

/* The i-th statement, followed from this key. */
static struct cdop_statement
followed(
    const struct house *house, size_t i, const struct cdop_note_key *before)
{
	struct cdop_statement statement;

	assert_true(i < house->reg->statements->n);
	assert_int_equal(cdop_statement_open(house->reg->statements->note[i],
			     house->reg->id, before, &statement),
	    CDOP_OK);
	return statement;
}

static enum cdop_err
mark(struct house *house, struct cdop_bytes lost)
{
	const struct restored_mark_args args = {
	    .lost = lost,
	    .by = "Olga Operator",
	    .reason = "the disk died",
	    .now_ms = house->now_ms,
	};
	const char *why;

	return restored_mark(house->reg, house->arena, &args, &why);
}

static enum cdop_err
accept(struct house *house, const struct cdop_checkpoint *lost)
{
	const struct restored_accept_args args = {
	    .lost = lost,
	    .by = {"1 Ada One", "2 Bob Two"},
	    .reason = "we have looked at it",
	    .now_ms = house->now_ms,
	};
	struct cdop_bytes note;
	enum cdop_err err;

	house_begin(house);
	err = restored_accept(house->reg, house->arena, &args, &note);
	if (err == CDOP_OK)
		house_commit(house);
	else
		house_abort(house);
	return err;
}

static enum cdop_err
turn(struct house *house, bool abort)
{
	const struct statements_args args = {
	    .by = {"1 Ada One", "2 Bob Two"},
	    .n_by = 2,
	    .reason = "a year has passed",
	    .now_ms = house->now_ms,
	};
	struct cdop_bytes note;
	enum cdop_err err;

	house_begin(house);
	err = statements_turn(house->reg, house->arena, &args, &note);
	if (err == CDOP_OK && !abort)
		house_commit(house);
	else
		house_abort(house);
	return err;
}

static void
a_turned_key_is_followed_to_the_next_checkpoint(void **state)
{
	struct cdop_statement statement;
	struct cdop_checkpoint before, after;
	struct cdop_merkle_proof proof;
	struct cdop_note_key key;
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	key = pinned(&house);
	before = opened(&house, &key);
	assert_int_equal(turn(&house, false), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(house.reg->statements->n, 1);
	statement = followed(&house, 0, &key);
	assert_int_equal(statement.kind, CDOP_STATEMENT_KEY);
	assert_int_equal(statement.from.size, before.size);
	assert_memory_equal(statement.from.root, before.root, 32);
	assert_string_equal(statement.from.origin, before.origin);
	assert_memory_not_equal(statement.key.public, key.public, 32);
	after = opened(&house, &statement.key);
	assert_int_equal(cdop_merkle_prove_consistency(before.size, after.size,
			     tree_fetch, house.reg->tree, &proof),
	    CDOP_OK);
	assert_int_equal(cdop_merkle_check_consistency(before.size, before.root,
			     after.size, after.root, &proof),
	    CDOP_OK);
	house_end(&house);
}

static void
a_turn_that_is_taken_back_leaves_the_key(void **state)
{
	struct cdop_note_key key;
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	key = pinned(&house);
	assert_int_equal(turn(&house, true), CDOP_OK);
	assert_int_equal(house.reg->statements->n, 0);
	/* The next commit signs with the key that everybody has. */
	assert_true(house_session(&house, &clients[0]));
	(void)opened(&house, &key);
	house_reopen(&house);
	(void)opened(&house, &key);
	house_end(&house);
}

/*
 * However often two administrators turn the key, and whatever they say of it:
 * a restore still has its place among the statements.
 */
static void
turns_leave_room_for_a_restore(void **state)
{
	static char reason[4 * CDOP_REASON_MAX + 1];
	struct statements_args args = {
	    .by = {"1 Ada One", "2 Bob Two"}, .n_by = 2, .reason = reason};
	struct cdop_bytes note;
	struct house house;
	enum cdop_err err = CDOP_OK;
	size_t i;

	(void)state;
	for (i = 0; i < CDOP_REASON_MAX; i++)
		memcpy(reason + 4 * i, "\xf0\x90\x8d\x88", 4);
	house_open(&house, 2, clients);
	args.now_ms = house.now_ms;
	while (err == CDOP_OK) {
		cdop_arena_reset(house.arena);
		house_begin(&house);
		err = statements_turn(house.reg, house.arena, &args, &note);
		if (err == CDOP_OK)
			house_commit(&house);
		else
			house_abort(&house);
	}
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_true(house.reg->statements->n > 0);
	for (i = 0; i < 20; i++) {
		cdop_arena_reset(house.arena);
		assert_int_equal(
		    mark(&house, (struct cdop_bytes){NULL, 0}), CDOP_OK);
		assert_int_equal(accept(&house, NULL), CDOP_OK);
	}
	house_reopen(&house);
	house_end(&house);
}

static bool
is_statement_leaf(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	uint64_t *found = ctx;

	if (words->call != AUDIT_EVENT_STATEMENT)
		return true;
	*found = leaf->index;
	return false;
}

static void
the_statement_is_in_the_tree(void **state)
{
	struct cdop_statement statement;
	struct cdop_note_key key;
	struct house house;
	uint64_t cursor = 0, found = UINT64_MAX;

	(void)state;
	house_open(&house, 2, clients);
	key = pinned(&house);
	assert_int_equal(turn(&house, false), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(audit_walk(house.reg->audit, house.arena, &cursor, 100,
			     is_statement_leaf, &found),
	    CDOP_OK);
	statement = followed(&house, 0, &key);
	assert_int_equal(found, statement.from.size);
	house_end(&house);
}

static bool
take_said(void *ctx, const struct audit_leaf *leaf)
{
	struct house *house = ctx;
	struct audit_said said;

	if (leaf->stored->words->call != AUDIT_EVENT_RESTORED)
		return true;
	assert_int_equal(
	    audit_said_read(house->rows, house->arena, leaf, &said), CDOP_OK);
	assert_string_equal(said.reason, "Olga Operator: the disk died");
	house->now_ms = 0;
	return false;
}

/* Marked, nothing but the state changes for people; then it goes on. */
static void
a_restored_registry_goes_on_when_it_is_accepted(void **state)
{
	struct cdop_statement statement;
	struct restored_view view;
	struct cdop_note_key key;
	struct house house;
	uint64_t size, before, cursor = 0, now_ms;

	(void)state;
	house_open(&house, 2, clients);
	key = pinned(&house);
	size = audit_size(house.reg->audit);
	assert_int_equal(mark(&house, (struct cdop_bytes){NULL, 0}), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_RESTORED);
	assert_int_equal(rows_incarnation(house.rows), 2);
	assert_int_equal(restored_view(house.reg, house.arena, &view), CDOP_OK);
	assert_int_equal(view.from.size, size);
	assert_false(view.has_lost);
	assert_string_equal(view.said.by, "Olga Operator");
	/* The log has who it was and why, for its auditor. */
	now_ms = house.now_ms;
	assert_int_equal(audit_walk(house.reg->audit, house.arena, &cursor, 100,
			     take_said, &house),
	    CDOP_OK);
	assert_int_equal(house.now_ms, 0);
	house.now_ms = now_ms;
	before = audit_size(house.reg->audit);
	assert_int_equal(accept(&house, NULL), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	/* The statement has a leaf of its own. */
	assert_int_equal(audit_size(house.reg->audit), before + 1);
	statement = followed(&house, 0, &key);
	assert_int_equal(statement.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(statement.incarnation, 2);
	assert_int_equal(statement.from.size, size);
	assert_int_equal(statement.n_by, 2);
	(void)opened(&house, &statement.key);
	assert_int_equal(accept(&house, NULL), CDOP_FAILED_PRECONDITION);
	house_end(&house);
}

/* A checkpoint of this registry, of another time. */
static size_t
make_lost(const struct house *house, uint16_t incarnation, uint64_t size,
    uint8_t out[static CDOP_CHECKPOINT_NOTE_MAX])
{
	struct cdop_checkpoint lost = {.size = size};
	const uint8_t seed[32] = {99};
	struct cdop_note_signer signer;
	size_t len;

	cdop_checkpoint_origin(house->reg->id, incarnation, lost.origin);
	assert_int_equal(cdop_note_signer_init(
			     &signer, lost.origin, CDOP_NOTE_ED25519, seed),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_sign(&lost, &signer, out, &len), CDOP_OK);
	return len;
}

static void
no_incarnation_that_was_used_comes_again(void **state)
{
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct cdop_statement statement;
	struct cdop_checkpoint later = {.size = 5000};
	struct cdop_note_key key;
	struct house house;
	size_t len;

	(void)state;
	house_open(&house, 2, clients);
	key = pinned(&house);
	len = make_lost(&house, 4, 4000, note);
	assert_int_equal(mark(&house, (struct cdop_bytes){note, len}), CDOP_OK);
	assert_int_equal(rows_incarnation(house.rows), 5);
	/* A client knows of more than the anchor did. */
	cdop_checkpoint_origin(house.reg->id, 5, later.origin);
	assert_int_equal(accept(&house, &later), CDOP_FAILED_PRECONDITION);
	len = make_lost(&house, 7, 5000, note);
	assert_int_equal(mark(&house, (struct cdop_bytes){note, len}), CDOP_OK);
	assert_int_equal(rows_incarnation(house.rows), 8);
	cdop_checkpoint_origin(house.reg->id, 7, later.origin);
	later.size = 5001;
	assert_int_equal(accept(&house, &later), CDOP_OK);
	house_reopen(&house);
	statement = followed(&house, 0, &key);
	assert_int_equal(statement.incarnation, 8);
	assert_int_equal(statement.lost.size, 5001);
	/* Marked twice, it still goes on from the log that was told. */
	assert_string_equal(strrchr(statement.from.origin, '/'), "/1");
	house_end(&house);
}

/* "Leave her out" is not why it was restored. */
static void
marked_again_it_says_why_it_was_restored(void **state)
{
	struct restored_mark_args args = {.by = "Otto", .reason = "her, too"};
	struct restored_view view;
	struct house house;
	const char *why;
	size_t i;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(mark(&house, (struct cdop_bytes){NULL, 0}), CDOP_OK);
	assert_int_equal(restored_view(house.reg, house.arena, &view), CDOP_OK);
	assert_false(view.has_first);
	for (i = 0; i < 2; i++) {
		args.now_ms = house.now_ms += 1000;
		assert_int_equal(
		    restored_mark(house.reg, house.arena, &args, &why),
		    CDOP_OK);
		house_reopen(&house);
		assert_int_equal(
		    restored_view(house.reg, house.arena, &view), CDOP_OK);
		assert_string_equal(view.said.by, "Otto");
		assert_true(view.has_first);
		assert_string_equal(view.first.by, "Olga Operator");
		assert_string_equal(view.first.reason, "the disk died");
		assert_true(view.first.at_ms < view.said.at_ms);
	}
	house_end(&house);
}

static void
what_is_no_checkpoint_of_this_registry_marks_nothing(void **state)
{
	static const char text[] = "not a note\n";
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct house house, other;
	size_t len;

	(void)state;
	house_open(&house, 2, clients);
	house_make(&other, 2);
	other.reg->id[0] ^= 1;
	len = make_lost(&other, 1, 4000, note);
	assert_int_equal(mark(&house, (struct cdop_bytes){note, len}),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    mark(&house,
		(struct cdop_bytes){(const uint8_t *)text, sizeof(text) - 1}),
	    CDOP_INVALID_ARGUMENT);
	/* One that anybody can write, and that would be the last restore. */
	len = make_lost(&house, UINT16_MAX - 1, 4000, note);
	assert_int_equal(mark(&house, (struct cdop_bytes){note, len}),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(rows_incarnation(house.rows), 1);
	other.reg->id[0] ^= 1;
	house_end(&other);
	house_end(&house);
}

static void
a_registry_in_setup_is_in_setup_again(void **state)
{
	struct house house;

	(void)state;
	house_make(&house, 2);
	assert_int_equal(mark(&house, (struct cdop_bytes){NULL, 0}), CDOP_OK);
	assert_int_equal(accept(&house, NULL), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	house_end(&house);
}

static uint64_t dropped;

static bool
take_dropped(void *ctx, const struct audit_leaf *leaf)
{
	(void)ctx;
	if (leaf->stored->words->call == AUDIT_EVENT_DROPPED)
		dropped += leaf->stored->words->count;
	return true;
}

static void
file_one(struct house *house, uint8_t n)
{
	const struct actor actor = {
	    .person = 1, .device = 1, .role = CDOP_ROLE_ADMINISTRATOR};
	const char *const words = "suspend person 2";
	const uint8_t key[16] = {n}, target[32] = {7};
	const struct approval_ask ask = {
	    .method = CDOP_CALL_AdministratorRevoke,
	    .actor = &actor,
	    .request_key = key,
	    .request = {key, sizeof(key)},
	    .target_version = target,
	    .words = &words,
	    .n_words = 1,
	    .now_ms = house->now_ms,
	    .ttl_s = 3600,
	};
	uint8_t number[8];

	house_begin(house);
	assert_int_equal(
	    approvals_file(house->reg->approvals, house->arena, &ask, number),
	    CDOP_OK);
	house_commit(house);
}

/* On the day of the backup; since then it may have been declined. */
static void
what_waited_is_dropped_and_the_log_says_so(void **state)
{
	struct house house;
	uint64_t cursor = 0;
	uint8_t n;

	(void)state;
	dropped = 0;
	house_open(&house, 2, clients);
	for (n = 1; n <= 3; n++)
		file_one(&house, n);
	house_reopen(&house);
	assert_int_equal(
	    approvals_count(house.reg->approvals, house.now_ms), 3);
	assert_int_equal(mark(&house, (struct cdop_bytes){NULL, 0}), CDOP_OK);
	assert_int_equal(approvals_count(house.reg->approvals, 0), 0);
	house_reopen(&house);
	assert_int_equal(approvals_count(house.reg->approvals, 0), 0);
	assert_int_equal(audit_walk(house.reg->audit, house.arena, &cursor, 100,
			     take_dropped, NULL),
	    CDOP_OK);
	assert_int_equal(dropped, 3);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_turned_key_is_followed_to_the_next_checkpoint),
	    cmocka_unit_test(a_turn_that_is_taken_back_leaves_the_key),
	    cmocka_unit_test(turns_leave_room_for_a_restore),
	    cmocka_unit_test(the_statement_is_in_the_tree),
	    cmocka_unit_test(a_restored_registry_goes_on_when_it_is_accepted),
	    cmocka_unit_test(no_incarnation_that_was_used_comes_again),
	    cmocka_unit_test(marked_again_it_says_why_it_was_restored),
	    cmocka_unit_test(
		what_is_no_checkpoint_of_this_registry_marks_nothing),
	    cmocka_unit_test(a_registry_in_setup_is_in_setup_again),
	    cmocka_unit_test(what_waited_is_dropped_and_the_log_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
