/*
 * The backup that is being taken: what a batch that failed had taken comes
 * again, whoever stops taking is not waited for, and what was begun is known
 * for ever.
 */
#include "server/registry/backups.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/manifest.h"
#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/rotation.h"
#include "server/vault/dump.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/registry/turning.h"

#define PIECE 700 /* so that there are many */

static struct world w;
static uint64_t boot_ms;
static const struct actor ada = {
    .person = WORLD_ADMIN_1, .device = WORLD_ADMIN_1};

static void
begin_batch(void)
{
	world_begin(&w, 1u << 20, 64);
}

static void
commit(void)
{
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
}

static void
back(void)
{
	rows_abort(w.rows);
	undo_rollback(w.undo);
}

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	boot_ms = 1000;
	world_share(&w);
	(void)backups_pump(w.reg->backups, boot_ms);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static enum backups_fault
begin_of(const struct actor *actor, uint32_t *ret_number)
{
	enum backups_fault fault;

	begin_batch();
	if (backups_begin(w.reg->backups, w.arena, actor, "monday", w.now_ms,
		ret_number, &fault) == CDOP_OK)
		commit();
	else
		back();
	return fault;
}

static enum backups_fault
begin(uint32_t *ret_number)
{
	return begin_of(&ada, ret_number);
}

static enum backups_fault
take(uint32_t number, struct backups_piece *piece)
{
	static uint8_t out[PIECE];
	enum backups_fault fault;

	*piece = (struct backups_piece){.out = out, .max = sizeof(out)};
	begin_batch();
	if (backups_take(w.reg->backups, w.arena, number, piece, &fault) ==
	    CDOP_OK)
		commit();
	else
		back();
	return fault;
}

/* All of it; every third batch fails the first time. */
static void
take_all(uint32_t number, uint8_t hash[static 32], uint64_t *ret_len)
{
	crypto_hash_sha256_state state;
	struct backups_piece piece;
	enum backups_fault fault;
	uint8_t out[PIECE];
	unsigned i = 0;

	crypto_hash_sha256_init(&state);
	*ret_len = 0;
	do {
		while (backups_pump(w.reg->backups, ++boot_ms))
			;
		if (i++ % 3 == 0) {
			piece = (struct backups_piece){
			    .out = out, .max = sizeof(out)};
			begin_batch();
			assert_int_equal(backups_take(w.reg->backups, w.arena,
					     number, &piece, &fault),
			    CDOP_OK);
			back();
		}
		assert_int_equal(take(number, &piece), BACKUPS_FINE);
		crypto_hash_sha256_update(&state, piece.out, piece.len);
		*ret_len += piece.len;
	} while (!piece.end);
	crypto_hash_sha256_final(&state, hash);
}

static enum cdop_err
keep(uint32_t number, const struct actor *actor, const uint8_t *manifest)
{
	const struct backups_kept kept = {
	    .number = number,
	    .manifest = manifest,
	    .now_ms = w.now_ms,
	};
	enum cdop_err err;

	begin_batch();
	err = backups_kept(w.reg->backups, w.arena, actor, &kept);
	if (err == CDOP_OK)
		commit();
	else
		back();
	return err;
}

/* code NULL: by word alone. */
static enum backups_fault
prove(uint32_t number, const uint8_t *code)
{
	const struct backups_proof proof = {
	    .number = number, .code = code, .now_ms = w.now_ms + 5};
	enum backups_fault fault;
	enum cdop_err err;

	begin_batch();
	err = backups_prove(w.reg->backups, w.arena, &ada, &proof, &fault);
	if (err == CDOP_OK)
		commit();
	else
		back();
	assert_int_equal(err == CDOP_NOT_FOUND,
	    backups_find(w.reg->backups, number) == NULL);
	return fault;
}

/* The code that opening it gives. */
static const uint8_t *
code_of(uint32_t number)
{
	const struct backups_entry *entry =
	    backups_find(w.reg->backups, number);

	assert_non_null(entry);
	assert_true(entry->has_proof);
	return entry->proof;
}

/* The manifest of what was sent. */
static void
manifest_of(uint32_t number, uint8_t hash[static CDOP_MANIFEST_HASH])
{
	const struct backups_entry *entry =
	    backups_find(w.reg->backups, number);

	assert_non_null(entry);
	assert_true(entry->manifest.len > 0);
	cdop_manifest_hash(hash, entry->manifest);
}

/* What was sent may lie nowhere: a full disk, a client that died. */
static void
it_is_whole_when_its_client_says_so(void **state)
{
	const struct actor bob = {
	    .person = WORLD_ADMIN_1, .device = WORLD_ADMIN_2};
	uint8_t hash[CDOP_MANIFEST_HASH], other[CDOP_MANIFEST_HASH];
	uint32_t number;
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	assert_int_equal(keep(number, &ada, other), CDOP_FAILED_PRECONDITION);
	take_all(number, hash, &len);
	assert_null(backups_newest(w.reg->backups));
	manifest_of(number, hash);
	memcpy(other, hash, sizeof(other));
	other[7] ^= 1;
	assert_int_equal(keep(number, &ada, other), CDOP_ABORTED);
	assert_int_equal(keep(number, &bob, hash), CDOP_NOT_FOUND);
	assert_int_equal(keep(number + 1, &ada, hash), CDOP_NOT_FOUND);
	assert_null(backups_newest(w.reg->backups));
	world_reopen(&w);
	assert_null(backups_newest(w.reg->backups));
	assert_int_equal(keep(number, &ada, hash), CDOP_OK);
	assert_int_equal(backups_newest(w.reg->backups)->number, number);
	w.now_ms += 9;
	assert_int_equal(keep(number, &ada, hash), CDOP_OK);
	assert_int_equal(
	    backups_newest(w.reg->backups)->ended_ms, w.now_ms - 9);
	world_reopen(&w);
	assert_int_equal(backups_newest(w.reg->backups)->number, number);
}

/* Who was sent all of it and did not say so may have it all the same. */
static void
what_was_opened_is_whole(void **state)
{
	uint8_t hash[32];
	uint32_t number;
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	take_all(number, hash, &len);
	assert_int_equal(prove(number, code_of(number)), BACKUPS_FINE);
	assert_int_equal(backups_newest(w.reg->backups)->number, number);
}

/* A copy that ends meanwhile is no damage. */
static void
keys_that_turn_meanwhile_are_no_damage(void **state)
{
	struct backups_piece piece;
	uint32_t number;
	unsigned i;

	(void)state;
	/* More than one step of it. */
	for (i = 1; i <= 150; i++)
		free(world_register(&w, i, "wirral"));
	assert_int_equal(begin(&number), BACKUPS_FINE);
	(void)backups_pump(w.reg->backups, ++boot_ms);
	assert_int_equal(take(number, &piece), BACKUPS_FINE);
	(void)turning_begin_with(&w, NULL, true);
	(void)turning_finish(&w, 8);
	(void)backups_pump(w.reg->backups, ++boot_ms);
	assert_int_equal(take(number, &piece), BACKUPS_TURNED);
	assert_null(backups_news(w.reg->backups));
	backups_leave(w.reg->backups, number);
	assert_int_equal(begin(&number), BACKUPS_FINE);
}

/* Nothing twice, nothing missing: its length is what it says. */
static void
is_whole(uint32_t number, uint64_t len)
{
	const struct backups_entry *entry;
	struct cdop_manifest manifest;

	entry = backups_find(w.reg->backups, number);
	assert_non_null(entry);
	assert_int_equal(
	    cdop_manifest_parse(entry->manifest, w.arena, &manifest), CDOP_OK);
	assert_int_equal(len, manifest.bytes + 13 + entry->manifest.len);
	assert_int_equal(manifest.number, number);
}

static void
what_a_failed_batch_took_comes_again(void **state)
{
	uint8_t hash[32];
	uint32_t number;
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	take_all(number, hash, &len);
	is_whole(number, len);
}

static void
one_at_a_time_and_nobody_is_waited_for(void **state)
{
	struct backups_piece piece;
	uint32_t first, second;

	(void)state;
	assert_int_equal(begin(&first), BACKUPS_FINE);
	assert_int_equal(begin(&second), BACKUPS_BUSY);
	(void)backups_pump(w.reg->backups, boot_ms);
	assert_int_equal(take(first, &piece), BACKUPS_FINE);
	(void)backups_pump(w.reg->backups, boot_ms += 119 * 1000);
	assert_int_equal(begin(&second), BACKUPS_BUSY);
	(void)backups_pump(w.reg->backups, boot_ms += 2 * 120 * 1000);
	assert_int_equal(begin(&second), BACKUPS_FINE);
	assert_int_equal(take(first, &piece), BACKUPS_OVER);
	assert_int_equal(second, first + 1);
	/* Whose session has ended is not waited for at all. */
	backups_leave(w.reg->backups, first);
	assert_int_equal(begin(&first), BACKUPS_BUSY);
	backups_leave(w.reg->backups, second);
	assert_int_equal(begin(&first), BACKUPS_FINE);
	assert_int_equal(take(second, &piece), BACKUPS_OVER);
}

/* A reader who takes a piece now and then is no end of it. */
static void
a_slow_one_gives_way_to_somebody_else_in_the_end(void **state)
{
	const struct actor bob = {
	    .person = WORLD_ADMIN_2, .device = WORLD_ADMIN_2};
	struct backups_piece piece;
	uint32_t first, second;
	uint8_t hash[32];
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&first), BACKUPS_FINE);
	(void)backups_pump(w.reg->backups, ++boot_ms);
	assert_int_equal(take(first, &piece), BACKUPS_FINE);
	(void)backups_pump(w.reg->backups, boot_ms += 119 * 1000);
	w.now_ms += BACKUPS_ALONE_MS - 1;
	assert_int_equal(begin_of(&bob, &second), BACKUPS_BUSY);
	w.now_ms++;
	assert_int_equal(begin(&second), BACKUPS_BUSY);
	assert_int_equal(take(first, &piece), BACKUPS_FINE);
	assert_int_equal(begin_of(&bob, &second), BACKUPS_FINE);
	/* Nothing of the one before is in it. */
	assert_int_equal(take(second, &piece), BACKUPS_FINE);
	assert_int_equal(piece.len, 0);
	assert_int_equal(take(first, &piece), BACKUPS_OVER);
	boot_ms += 119 * 1000;
	take_all(second, hash, &len);
	is_whole(second, len);
}

static void
what_was_begun_is_known_after_a_start(void **state)
{
	const struct backups_entry *entry;
	uint32_t first, second;
	uint8_t hash[32];
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&first), BACKUPS_FINE);
	take_all(first, hash, &len);
	assert_int_equal(prove(first, code_of(first)), BACKUPS_FINE);
	(void)backups_pump(w.reg->backups, ++boot_ms);
	assert_int_equal(begin(&second), BACKUPS_FINE);
	world_reopen(&w);
	assert_int_equal(backups_count(w.reg->backups), 2);
	entry = backups_find(w.reg->backups, first);
	assert_non_null(entry);
	assert_string_equal(entry->label, "monday");
	assert_int_equal(entry->proved_ms, w.now_ms + 5);
	assert_int_equal(entry->proved_by, WORLD_ADMIN_1);
	assert_true(entry->manifest.len > 0 && entry->ended_ms != 0);
	entry = backups_find(w.reg->backups, second);
	assert_non_null(entry);
	assert_true(entry->manifest.len == 0 && entry->ended_ms == 0);
	assert_int_equal(backups_newest(w.reg->backups)->number, first);
	assert_int_equal(backups_proved(w.reg->backups)->number, first);
}

static void
what_was_not_taken_whole_cannot_be_proved(void **state)
{
	uint32_t number;

	(void)state;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	assert_int_equal(prove(number, NULL), BACKUPS_NOT_SENT);
	(void)prove(number + 1, NULL);
	assert_null(backups_newest(w.reg->backups));
	assert_null(backups_proved(w.reg->backups));
}

/* It is the one that its opened rows and its manifest give, and no other. */
static void
it_is_proved_with_what_opening_it_gives(void **state)
{
	uint8_t hash[32], other[CDOP_MANIFEST_PROOF];
	const struct backups_entry *entry;
	uint32_t first, second;
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&first), BACKUPS_FINE);
	take_all(first, hash, &len);
	(void)backups_pump(w.reg->backups, ++boot_ms);
	assert_int_equal(begin(&second), BACKUPS_FINE);
	take_all(second, hash, &len);
	world_reopen(&w);
	entry = backups_find(w.reg->backups, first);
	assert_non_null(entry);
	dump_proof(w.rows, entry->manifest, other);
	assert_memory_equal(other, code_of(first), sizeof(other));
	assert_memory_not_equal(other, code_of(second), sizeof(other));
	assert_int_equal(prove(first, NULL), BACKUPS_CODE_NEEDED);
	assert_int_equal(prove(first, code_of(second)), BACKUPS_CODE_WRONG);
	other[9] ^= 1;
	assert_int_equal(prove(first, other), BACKUPS_CODE_WRONG);
	assert_null(backups_proved(w.reg->backups));
	assert_int_equal(prove(first, code_of(first)), BACKUPS_FINE);
	world_reopen(&w);
	assert_int_equal(backups_proved(w.reg->backups)->number, first);
	assert_true(backups_proved(w.reg->backups)->by_code);
}

/* Who opened it last year has its code still. */
static void
a_code_proves_it_once(void **state)
{
	const struct backups_entry *entry;
	uint8_t hash[32];
	uint32_t number;
	uint64_t len, then;

	(void)state;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	take_all(number, hash, &len);
	assert_int_equal(prove(number, code_of(number)), BACKUPS_FINE);
	then = backups_find(w.reg->backups, number)->proved_ms;
	w.now_ms += 1000;
	assert_int_equal(prove(number, code_of(number)), BACKUPS_CODE_USED);
	world_reopen(&w);
	assert_int_equal(prove(number, code_of(number)), BACKUPS_CODE_USED);
	entry = backups_find(w.reg->backups, number);
	assert_int_equal(entry->proved_ms, then);
}

static enum cdop_err
destroy(uint32_t number)
{
	const struct backups_gone gone = {
	    .number = number,
	    .by = WORLD_ADMIN_1,
	    .second = WORLD_ADMIN_2,
	    .now_ms = w.now_ms,
	};
	enum cdop_err err;

	begin_batch();
	err = backups_destroyed(w.reg->backups, w.arena, &gone);
	if (err == CDOP_OK)
		commit();
	else
		back();
	return err;
}

/* Until somebody opens it all the same. */
static void
what_is_said_to_be_destroyed_counts_for_nothing(void **state)
{
	const struct backups_entry *entry;
	uint32_t first, second;
	uint8_t hash[32];
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&first), BACKUPS_FINE);
	take_all(first, hash, &len);
	assert_int_equal(prove(first, code_of(first)), BACKUPS_FINE);
	(void)backups_pump(w.reg->backups, ++boot_ms);
	assert_int_equal(begin(&second), BACKUPS_FINE);
	take_all(second, hash, &len);
	assert_int_equal(destroy(first), CDOP_OK);
	assert_int_equal(destroy(first), CDOP_FAILED_PRECONDITION);
	assert_int_equal(destroy(second + 1), CDOP_NOT_FOUND);
	assert_null(backups_newest(w.reg->backups));
	assert_null(backups_proved(w.reg->backups));
	world_reopen(&w);
	assert_null(backups_proved(w.reg->backups));
	entry = backups_find(w.reg->backups, first);
	assert_int_equal(entry->destroyed_ms, w.now_ms);
	assert_int_equal(entry->destroyed_by, WORLD_ADMIN_1);
	assert_int_equal(entry->destroyed_second, WORLD_ADMIN_2);
	assert_int_equal(prove(first, code_of(first)), BACKUPS_FINE);
	assert_int_equal(backups_proved(w.reg->backups)->number, first);
	assert_int_equal(prove(first, code_of(first)), BACKUPS_CODE_USED);
	/* One that was sent and is not told of yet is there when it is. */
	assert_int_equal(destroy(second), CDOP_OK);
	manifest_of(second, hash);
	assert_int_equal(keep(second, &ada, hash), CDOP_OK);
	assert_int_equal(backups_newest(w.reg->backups)->number, second);
}

/* A new root takes no older backup from those who have the shares. */
static void
what_opens_it_is_kept(void **state)
{
	const struct backups_opens *opens;
	uint32_t number, before;
	uint8_t hash[32];
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	take_all(number, hash, &len);
	before = rotation_root(w.reg->rotation);
	(void)turning_begin_root(&w);
	(void)turning_finish(&w, 8);
	assert_int_not_equal(rotation_root(w.reg->rotation), before);
	world_reopen(&w);
	opens = &backups_find(w.reg->backups, number)->opens;
	assert_true(opens->known);
	assert_int_equal(opens->root, before);
	assert_int_equal(opens->n, 1);
	assert_int_equal(opens->slot[0].need, 2);
	assert_int_equal(opens->slot[0].of, 4);
	assert_non_null(rows_slots_set(w.rows, opens->slot[0].number));
}

/* A row that an earlier version wrote. */
static void
one_without_a_code_is_proved_by_word(void **state)
{
	struct backups_entry *entry;
	uint32_t number;
	uint8_t hash[32];
	uint64_t len;

	(void)state;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	take_all(number, hash, &len);
	entry = (struct backups_entry *)(uintptr_t)backups_find(
	    w.reg->backups, number);
	entry->has_proof = false;
	assert_int_equal(prove(number, entry->proof), BACKUPS_NO_CODE);
	assert_int_equal(prove(number, NULL), BACKUPS_FINE);
	world_reopen(&w);
	assert_int_equal(backups_proved(w.reg->backups)->number, number);
	assert_false(backups_proved(w.reg->backups)->by_code);
	assert_false(backups_proved(w.reg->backups)->has_proof);
}

static void
a_begin_that_is_taken_back_leaves_nothing(void **state)
{
	enum backups_fault fault;
	uint32_t number;

	(void)state;
	begin_batch();
	assert_int_equal(backups_begin(w.reg->backups, w.arena, &ada, "x",
			     w.now_ms, &number, &fault),
	    CDOP_OK);
	back();
	assert_int_equal(backups_count(w.reg->backups), 0);
	assert_int_equal(begin(&number), BACKUPS_FINE);
	assert_int_equal(number, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_is_whole_when_its_client_says_so),
	    TEST(what_was_opened_is_whole),
	    TEST(keys_that_turn_meanwhile_are_no_damage),
	    TEST(what_a_failed_batch_took_comes_again),
	    TEST(one_at_a_time_and_nobody_is_waited_for),
	    TEST(a_slow_one_gives_way_to_somebody_else_in_the_end),
	    TEST(what_was_begun_is_known_after_a_start),
	    TEST(what_was_not_taken_whole_cannot_be_proved),
	    TEST(it_is_proved_with_what_opening_it_gives),
	    TEST(a_code_proves_it_once),
	    TEST(what_is_said_to_be_destroyed_counts_for_nothing),
	    TEST(what_opens_it_is_kept),
	    TEST(one_without_a_code_is_proved_by_word),
	    TEST(a_begin_that_is_taken_back_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
