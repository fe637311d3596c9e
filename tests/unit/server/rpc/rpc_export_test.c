/*
 * The log as it leaves for somebody who trusts nobody: whole, under one
 * checkpoint, and nothing in it but what the tree hashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/checkpoint.h"
#include "cdop/tile.h"
#include "server/registry/audit.h"
#include "server/registry/checkpoints.h"
#include "server/registry/tree_core.h"
#include "tests/unit/server/rpc/calls.h"

#define TILES_MAX  16
#define LEAVES_MAX 4096

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* Leaves in one batch. */
static void
grow(uint64_t size)
{
	struct audit_entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.call = AUDIT_EVENT_REFUSED;
	entry.time_ms = w.now_ms;
	world_begin(&w, 8u << 20, 4096);
	while (audit_size(w.reg->audit) < size) {
		assert_int_equal(
		    audit_append(w.reg->audit, w.arena, &entry, NULL), CDOP_OK);
		cdop_arena_reset(w.arena);
	}
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
}

/* One message, from where the last one ended; its status. */
static uint32_t
next_message(struct rpc_cursor *cursor, Cdop__AuditExportReply **ret_message,
    bool *ret_last)
{
	const Cdop__Reply *reply;
	Cdop__Call call;

	cdop__call__init(&call);
	call.method = CDOP_CALL_AuditExport;
	call.use = CDOP__USE__FILE;
	reply = calls_next(&w, &call, cursor);
	*ret_last = reply->last;
	*ret_message = reply->status != CDOP_OK
	    ? NULL
	    : cdop__audit_export_reply__unpack(cdop_arena_allocator(w.arena),
		  reply->body.len, reply->body.data);
	return reply->status;
}

/* ---- what an auditor makes of it --------------------------------------- */

struct copy {
	struct cdop_checkpoint checkpoint;
	uint8_t leaf[LEAVES_MAX][CDOP_MERKLE_HASH];
	uint64_t n_leaves;
	uint8_t tile[CDOP_TILE_LEVELS][TILES_MAX][CDOP_TILE_LEN];
	size_t width[CDOP_TILE_LEVELS][TILES_MAX];
	size_t messages;
};

static struct copy copy;

static void
take_checkpoint(const Cdop__AuditExportReply *message)
{
	static const char origin[] = "7265676973747279206f662074657374/1";
	struct cdop_note_key key;

	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     checkpoints_key(w.reg->checkpoints)),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_open((struct cdop_bytes){message->checkpoint.data,
				     message->checkpoint.len},
		&key, &copy.checkpoint),
	    CDOP_OK);
}

static void
take_bundle(const Cdop__AuditBundle *bundle)
{
	struct cdop_bytes rest = {bundle->entries.data, bundle->entries.len};
	struct cdop_bytes entry;

	assert_int_equal(bundle->number * CDOP_TILE_WIDTH, copy.n_leaves);
	while (rest.len > 0) {
		assert_int_equal(cdop_tile_entry_next(&rest, &entry), CDOP_OK);
		assert_int_equal(entry.len, CDOP_LEAF_LEN);
		assert_int_equal(cdop_get64(entry.data + 8), copy.n_leaves);
		assert_true(copy.n_leaves < LEAVES_MAX);
		cdop_merkle_leaf(copy.leaf[copy.n_leaves++], entry);
	}
}

static void
take_tile(const Cdop__AuditTile *tile)
{
	assert_true(tile->level < CDOP_TILE_LEVELS && tile->number < TILES_MAX);
	assert_int_equal(copy.width[tile->level][tile->number], 0);
	copy.width[tile->level][tile->number] =
	    tile->hashes.len / CDOP_MERKLE_HASH;
	memcpy(copy.tile[tile->level][tile->number], tile->hashes.data,
	    tile->hashes.len);
}

/* The whole stream; the log grows by `more` leaves between its messages. */
static void export(uint64_t more)
{
	struct rpc_cursor cursor = {0};
	Cdop__AuditExportReply *message;
	bool last = false;
	size_t i;

	memset(&copy, 0, sizeof(copy));
	while (!last) {
		assert_int_equal(
		    next_message(&cursor, &message, &last), CDOP_OK);
		assert_int_equal(message->has_checkpoint, copy.messages == 0);
		if (copy.messages++ == 0)
			take_checkpoint(message);
		for (i = 0; i < message->n_bundle; i++)
			take_bundle(message->bundle[i]);
		for (i = 0; i < message->n_tile; i++)
			take_tile(message->tile[i]);
		cdop_arena_reset(w.arena);
		grow(audit_size(w.reg->audit) + more);
	}
}

static enum cdop_err
leaf_at(void *ctx, unsigned height, uint64_t index, uint8_t *ret_hash)
{
	const struct copy *c = ctx;
	uint8_t right[CDOP_MERKLE_HASH];

	if (height == 0) {
		memcpy(ret_hash, c->leaf[index], CDOP_MERKLE_HASH);
		return CDOP_OK;
	}
	(void)leaf_at(ctx, height - 1, index * 2, ret_hash);
	(void)leaf_at(ctx, height - 1, index * 2 + 1, right);
	cdop_merkle_node(ret_hash, ret_hash, right);
	return CDOP_OK;
}

/* Leaves, tiles and checkpoint are of one log. */
static void
check(uint64_t size)
{
	uint8_t hash[CDOP_MERKLE_HASH];
	uint64_t tile;
	unsigned level, i;

	assert_int_equal(copy.checkpoint.size, size);
	assert_int_equal(copy.n_leaves, size);
	assert_int_equal(cdop_merkle_root(size, leaf_at, &copy, hash), CDOP_OK);
	assert_memory_equal(hash, copy.checkpoint.root, sizeof(hash));
	for (level = 0; level < CDOP_TILE_LEVELS; level++)
		for (tile = 0; tile < TILES_MAX; tile++) {
			assert_int_equal(copy.width[level][tile],
			    cdop_tile_width(level, tile, size));
			for (i = 0; i < copy.width[level][tile]; i++) {
				(void)leaf_at(&copy, level * 8,
				    tile * CDOP_TILE_WIDTH + i, hash);
				assert_memory_equal(hash,
				    copy.tile[level][tile] + i * sizeof(hash),
				    sizeof(hash));
			}
		}
}

static void
what_leaves_is_the_log_of_its_checkpoint(void **state)
{
	static const uint64_t sizes[] = {1, 255, 256, 257, 512, 1100, 2048};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (audit_size(w.reg->audit) > sizes[i])
			continue;
		grow(sizes[i]);
		export(0);
		check(sizes[i]);
		assert_int_equal(copy.messages, (sizes[i] + 1023) / 1024);
	}
}

/* What is appended while it runs belongs to the next one. */
static void
the_size_is_fixed_with_the_first_message(void **state)
{
	(void)state;
	grow(2500);
	export(300);
	check(2500);
	assert_int_equal(copy.messages, 3);
	assert_int_equal(audit_size(w.reg->audit), 2500 + 1 + 3 * 300);
}

/* One leaf says which leaves may leave under it, before the first does. */
static bool
visit(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	size_t *n = ctx;

	if (words->call != CDOP_CALL_AuditExport)
		return *n == 0;
	(*n)++;
	assert_int_equal(words->count, 2500);
	assert_string_equal(words->reason, "0-2499");
	return true;
}

static void
one_leaf_speaks_for_many_messages(void **state)
{
	uint64_t cursor = 0;
	size_t n = 0;

	(void)state;
	grow(2500);
	export(0);
	assert_int_equal(copy.messages, 3);
	assert_int_equal(audit_size(w.reg->audit), 2501);
	assert_int_equal(
	    audit_walk(w.reg->audit, w.arena, &cursor, 2, visit, &n), CDOP_OK);
	assert_int_equal(n, 1);
}

/* Behind what it speaks for there is another one, after a pause. */
static void
a_leaf_speaks_for_so_much_and_no_more(void **state)
{
	struct rpc_cursor cursor = {0};
	Cdop__AuditExportReply *message;
	bool last;

	(void)state;
	grow(2500);
	assert_int_equal(next_message(&cursor, &message, &last), CDOP_OK);
	assert_int_equal(cursor.leaf, 2500);
	assert_false(cursor.pause);
	cursor.covered = 8; /* tiles, as if it were a long log */
	assert_int_equal(next_message(&cursor, &message, &last), CDOP_OK);
	assert_int_equal(audit_size(w.reg->audit), 2501);
	assert_true(cursor.pause);
	assert_int_equal(next_message(&cursor, &message, &last), CDOP_OK);
	assert_true(last);
	assert_int_equal(audit_size(w.reg->audit), 2502);
}

/* Also where the leaf of a message before would speak for it. */
static void
what_is_refused_has_a_leaf_of_its_own(void **state)
{
	struct rpc_cursor cursor = {0};
	Cdop__AuditExportReply *message;
	bool last;
	size_t i;

	(void)state;
	grow(2500);
	assert_int_equal(next_message(&cursor, &message, &last), CDOP_OK);
	assert_true(cursor.given < cursor.covered);
	for (i = 0; i < sizeof(w.reg->tree->kept) / sizeof(*w.reg->tree->kept);
	     i++)
		w.reg->tree->kept[i].is_there = false;
	w.reg->tree->level[1].tile.below[5]++;
	assert_int_equal(
	    next_message(&cursor, &message, &last), CDOP_DATA_LOSS);
	assert_int_equal(audit_size(w.reg->audit), 2502);
}

static void
a_damaged_log_is_said_to_be_one(void **state)
{
	struct rpc_cursor cursor = {0};
	Cdop__AuditExportReply *message;
	bool last;

	(void)state;
	grow(600);
	w.reg->tree->kept[0].is_there = false;
	w.reg->tree->level[1].tile.below[0]++;
	assert_int_equal(
	    next_message(&cursor, &message, &last), CDOP_DATA_LOSS);
	assert_true(last);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_leaves_is_the_log_of_its_checkpoint),
	    TEST(the_size_is_fixed_with_the_first_message),
	    TEST(one_leaf_speaks_for_many_messages),
	    TEST(a_leaf_speaks_for_so_much_and_no_more),
	    TEST(what_is_refused_has_a_leaf_of_its_own),
	    TEST(a_damaged_log_is_said_to_be_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
