/*
 * The root turned while the registry serves: every kind of slot opens before
 * and after, and what somebody has kept of the old one opens nothing.
 */
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
#include "server/registry/copying.h"
#include "server/registry/rotation_copy.h"
#include "server/registry/rotation_step.h"
#include "server/store/db.h"
#include "server/vault/boot_set.h"
#include "server/vault/rows_core.h"
#include "server/vault/rows_keys.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

#define K 2
#define N 4

static struct world w;
static char *reference;
static uint8_t other_k[2][32]; /* of the credential and the passphrase */
static uint16_t other_slot[2];
static uint16_t share_slot;
static struct cdop_share share[SHAMIR_MAX];

static const uint8_t boot_k[32] = {7};

static void
add_slots(void)
{
	const struct slots_set_new plan = {.k = K, .n = N};
	struct slots_new slot = {
	    .kind = SLOTS_KIND_CREDENTIAL, .label = "the manager's"};
	uint8_t row[BOOT_SET_ROW_MAX];
	struct boot_set set;
	size_t len;

	memset(other_k[0], 0x31, 32);
	memset(other_k[1], 0x32, 32);
	world_begin(&w, 1u << 20, 256);
	slot.k = other_k[0];
	assert_int_equal(
	    rows_slots_add(w.rows, &slot, &other_slot[0]), CDOP_OK);
	slot.kind = SLOTS_KIND_PASSPHRASE;
	slot.k = other_k[1];
	assert_int_equal(
	    slots_kdf_new(1, SLOTS_MEMORY_MIN, &slot.kdf), CDOP_OK);
	assert_int_equal(
	    rows_slots_add(w.rows, &slot, &other_slot[1]), CDOP_OK);
	assert_int_equal(
	    rows_slots_add_set(w.rows, "custodians", &plan, &share_slot, share),
	    CDOP_OK);
	memset(&set, 0, sizeof(set));
	set.n_keys = 1;
	boot_set_seal(&set, w.reg->id, boot_k, row, &len);
	assert_int_equal(
	    rows_slots_put_boot(w.rows, (struct cdop_bytes){row, len}),
	    CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
}

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	reference = world_register(&w, 1, "wirral");
	add_slots();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(reference);
	world_end(&w);
	return 0;
}

/* ---- what opens --------------------------------------------------------- */

static void
opens(uint16_t number, const uint8_t k[static 32])
{
	uint8_t wrong[32];
	size_t slot;

	assert_true(rows_slots_find(w.rows, number, &slot));
	assert_int_equal(rows_prove(w.rows, slot, k), CDOP_OK);
	memcpy(wrong, k, 32);
	wrong[0] ^= 1;
	assert_int_equal(rows_prove(w.rows, slot, wrong), CDOP_UNAUTHENTICATED);
}

static void
every_slot_opens(void)
{
	struct cdop_share two[K];
	struct boot_set set;
	uint8_t s[32];
	size_t a, b;

	opens(1, w.k);
	opens(2, w.k);
	opens(other_slot[0], other_k[0]);
	opens(other_slot[1], other_k[1]);
	for (a = 0; a < N; a++)
		for (b = a + 1; b < N; b++) {
			two[0] = share[a];
			two[1] = share[b];
			assert_int_equal(slots_set_combine(two, K, s), CDOP_OK);
			opens(share_slot, s);
		}
	assert_int_equal(
	    boot_set_open(rows_slots_boot(w.rows), w.reg->id, boot_k, &set),
	    CDOP_OK);
	assert_int_equal(set.n_keys, 1);
}

/* ---- what the old root opens -------------------------------------------- */

static bool
opens_epoch(uint64_t number, struct cdop_bytes row, struct envelope_key *root)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	uint8_t label[LAYOUT_LABEL], k[32];
	struct envelope_head head;
	struct layout_key key;
	struct cdop_bytes data;

	assert_int_equal(
	    envelope_head_parse(keystore_ring(w.ks), row, number, &head),
	    ENVELOPE_FINE);
	if (envelope_unseal(keystore_ring(w.ks), root, &head, row, out,
		&data) != ENVELOPE_FINE)
		return false;
	assert_int_equal(layout_epoch_parse(data, &key), CDOP_OK);
	layout_label(key.id, 0, key.scope, label);
	return envelope_unwrap(root, w.rows->registry,
		   (struct cdop_bytes){label, sizeof(label)}, key.wrap,
		   k) == CDOP_OK;
}

/*
 * Slots, ring and epoch keys that somebody with these 32 bytes opens: all of
 * them, or none.
 */
static bool
opens_all(const uint8_t raw[static 32])
{
	size_t all = 0;
	uint8_t s[32], header[32], digest[32];
	struct envelope_key root;
	struct cdop_bytes row;
	uint64_t number = 0;
	size_t n = 0;

	envelope_key_init(&root, raw);
	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	for (; db_next(w.rows->txn, number, &number, &row) == CDOP_OK &&
	     layout_incarnation(number) == 0;
	     number++) {
		all++;
		if (row.data[0] == 1)
			n += opens_epoch(number, row, &root);
		else if (row.len == SLOTS_ROW)
			n += slots_secret(row, raw, s) == CDOP_OK;
		else if (row.len == SLOTS_RING)
			n += slots_ring_open(row, raw, header, digest) ==
			    CDOP_OK;
		else
			all--; /* set and boot set: not under the root */
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
	assert_true(all > 10 && (n == 0 || n == all));
	return n == all;
}

/* ---- and what its file holds -------------------------------------------- */

#define LOW_MAX 64

/* Rows under the old root, as they lay on the disk. */
static struct {
	uint8_t tail[16];
} low[LOW_MAX];

static size_t n_low;

static void
keep_low(void)
{
	struct cdop_bytes row;
	uint64_t number = 0;

	n_low = 0;
	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	for (; db_next(w.rows->txn, number, &number, &row) == CDOP_OK &&
	     layout_incarnation(number) == 0;
	     number++) {
		if (row.len == SLOTS_SET || boot_set_is_row(row))
			continue;
		assert_true(n_low < LOW_MAX);
		memcpy(low[n_low++].tail, row.data + row.len - 16, 16);
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
}

/* How many of them are anywhere in the file, free pages among it. */
static size_t
found_in_file(void)
{
	char path[128];
	uint8_t *data;
	size_t i, n = 0;
	FILE *file;
	long len;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	len = ftell(file);
	rewind(file);
	data = malloc((size_t)len);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)len, file), len);
	(void)fclose(file);
	for (i = 0; i < n_low; i++)
		n += memmem(data, (size_t)len, low[i].tail, 16) != NULL;
	free(data);
	return n;
}

/* ---- tests -------------------------------------------------------------- */

static void
every_slot_opens_before_and_after(void **state)
{
	(void)state;
	every_slot_opens();
	assert_int_equal(turning_begin_root(&w), 1);
	every_slot_opens();
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	every_slot_opens();
	(void)calls_amend(&w, reference, 1, "child.sex", "2", NULL, CDOP_OK);
	(void)turning_finish(&w, 1);
	every_slot_opens();
	world_reopen(&w);
	every_slot_opens();
	turning_all_readable(&w);
	assert_non_null(calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK));
}

static void
the_old_root_opens_everything_before_and_nothing_after(void **state)
{
	uint8_t saved[32];

	(void)state;
	memcpy(saved, keystore_raw(w.ks, 0), 32);
	assert_true(opens_all(saved));
	keep_low();
	assert_int_equal(found_in_file(), n_low);
	(void)turning_begin_root(&w);
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	assert_false(opens_all(saved));
	/* Its wraps are still in free pages, until the copy. */
	assert_true(found_in_file() > 0);
	(void)turning_finish(&w, 1);
	assert_int_equal(found_in_file(), 0);
	assert_false(opens_all(saved));
	assert_true(opens_all(keystore_raw(w.ks, 0)));
}

/* As a batch does that fails: nothing of it has been. */
static void
a_turn_can_be_taken_back(void **state)
{
	uint8_t saved[32];
	size_t budget, done, mark;
	bool whole = false;

	(void)state;
	memcpy(saved, keystore_raw(w.ks, 0), 32);
	(void)turning_begin_root(&w);
	mark = cdop_arena_used(w.arena);
	for (budget = 64; !whole; budget += budget / 2) {
		world_begin(&w, 1u << 20, 256);
		cdop_arena_set_budget(w.arena, budget);
		whole = rotation_step_run(w.reg->rotation, w.arena, w.now_ms, 1,
			    &done) == CDOP_OK;
		cdop_arena_set_budget(w.arena, 0);
		rows_abort(w.rows);
		undo_rollback(w.undo);
		cdop_arena_rewind(w.arena, mark);
		assert_memory_equal(keystore_raw(w.ks, 0), saved, 32);
		every_slot_opens();
		assert_true(opens_all(saved));
	}
	(void)turning_finish(&w, 1);
	every_slot_opens();
}

/* A thousand areas are a batch that has room asked for them. */
static void
there_is_room_for_every_key(void **state)
{
	char area[16];
	size_t i, rows;

	(void)state;
	assert_int_equal(rotation_step_rows(w.reg->rotation), 0);
	world_begin(&w, 4u << 20, 1024);
	for (i = 0; i < 900; i++) {
		(void)snprintf(area, sizeof(area), "area-%zu", i);
		assert_int_equal(rows_keys_area(w.rows, area), CDOP_OK);
	}
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	(void)turning_begin_root(&w);
	rows = rotation_step_rows(w.reg->rotation);
	assert_true(rows > 900 + 2 * 6);
	world_begin(&w, rows * 254, rows);
	assert_int_equal(
	    rotation_step_run(w.reg->rotation, w.arena, w.now_ms, 1, &i),
	    CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	assert_int_equal(rotation_step_rows(w.reg->rotation), 0);
	(void)turning_finish(&w, 1);
	world_reopen(&w);
	every_slot_opens();
}

static char said[1024]; /* newest first */

static bool
take_leaf(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	size_t *len = ctx;

	if (words->call != AUDIT_EVENT_KEYS &&
	    words->call != AUDIT_EVENT_KEY_GONE)
		return true;
	*len += (size_t)snprintf(said + *len, sizeof(said) - *len, "%u %s\n",
	    words->call, words->reason);
	assert_true(*len < sizeof(said));
	return true;
}

static void
the_log_says_so(void **state)
{
	uint64_t cursor = 0;
	size_t len = 0;

	(void)state;
	(void)turning_begin_root(&w);
	(void)turning_finish(&w, 1);
	do
		assert_int_equal(audit_walk(w.reg->audit, w.arena, &cursor, 256,
				     take_leaf, &len),
		    CDOP_OK);
	while (cursor != 0);
	assert_string_equal(
	    said, "1010 done\n1011 root\n1010 copied\n1010 root\n");
}

static void
pause_it(bool held)
{
	world_begin(&w, 4096, 16);
	assert_int_equal(
	    rotation_pause(w.reg->rotation, w.arena, held, w.now_ms), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	assert_int_equal(
	    rotation_copy_tend(w.reg->rotation, w.now_ms), CDOP_OK);
}

static void
a_pause_holds_the_copy_too(void **state)
{
	struct copy_progress before, after;
	size_t i;

	(void)state;
	(void)turning_begin_root(&w);
	turning_to_copy(&w, 1);
	assert_int_equal(
	    rotation_copy_tend(w.reg->rotation, w.now_ms), CDOP_OK);
	assert_int_equal(copying_state(w.reg->copying), COPYING_RUNS);
	copy_progress(copying_copy(w.reg->copying), &before);
	pause_it(true);
	assert_int_equal(copying_state(w.reg->copying), COPYING_HELD);
	for (i = 0; i < 1000; i++)
		assert_int_equal(turning_pump(&w, 1), CDOP_OK);
	copy_progress(copying_copy(w.reg->copying), &after);
	assert_int_equal(after.rows, before.rows);
	assert_non_null(rotation_running(w.reg->rotation));
	pause_it(false);
	assert_int_equal(copying_state(w.reg->copying), COPYING_RUNS);
	(void)turning_finish(&w, 1);
	every_slot_opens();
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    test(every_slot_opens_before_and_after),
	    test(the_old_root_opens_everything_before_and_nothing_after),
	    test(a_turn_can_be_taken_back),
	    test(there_is_room_for_every_key),
	    test(the_log_says_so),
	    test(a_pause_holds_the_copy_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
