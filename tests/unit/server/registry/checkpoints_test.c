/* One checkpoint a commit, signed when asked for, and none of what was never
 * durable. */
#include "server/registry/checkpoints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/audit.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"
#include "tests/unit/server/registry/house.h"

static struct house h;

static int
setup(void **state)
{
	(void)state;
	house_make(&h, 2);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	house_end(&h);
	return 0;
}

static void
append(void)
{
	struct audit_entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.call = AUDIT_EVENT_REFUSED;
	entry.time_ms = h.now_ms;
	assert_int_equal(
	    audit_append(h.reg->audit, h.arena, &entry, NULL), CDOP_OK);
}

/* The newest one, opened under the registry's id and this incarnation. */
static struct cdop_checkpoint
newest(unsigned incarnation)
{
	struct cdop_checkpoint checkpoint;
	struct cdop_note_key key;
	char origin[64] = "";
	size_t i;

	for (i = 0; i < 16; i++)
		(void)snprintf(origin + 2 * i, 3, "%02x", h.reg->id[i]);
	(void)snprintf(origin + 32, 16, "/%u", incarnation);
	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     checkpoints_key(h.reg->checkpoints)),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_open(
		checkpoints_note(h.reg->checkpoints), &key, &checkpoint),
	    CDOP_OK);
	assert_int_equal(checkpoint.size, checkpoints_size(h.reg->checkpoints));
	return checkpoint;
}

static void
expect_newest(uint64_t size)
{
	struct cdop_checkpoint checkpoint = newest(1);
	uint8_t root[CDOP_MERKLE_HASH];

	assert_int_equal(checkpoint.size, size);
	assert_int_equal(tree_root(h.reg->tree, root), CDOP_OK);
	assert_memory_equal(checkpoint.root, root, sizeof(root));
	assert_memory_equal(
	    checkpoint.root, rows_tree_root(h.rows), sizeof(root));
}

static void
every_commit_has_what_it_appended(void **state)
{
	(void)state;
	expect_newest(1); /* the leaf of init */
	house_begin(&h);
	append();
	append();
	house_commit(&h);
	expect_newest(3);
	house_begin(&h);
	append();
	house_abort(&h);
	expect_newest(3);
	/* Nor is one that was made and then not committed. */
	house_begin(&h);
	append();
	assert_int_equal(tree_seal(h.reg->tree), CDOP_OK);
	assert_int_equal(checkpoints_set(h.reg->checkpoints), CDOP_OK);
	assert_int_equal(checkpoints_size(h.reg->checkpoints), 4);
	house_abort(&h);
	expect_newest(3);
	house_reopen(&h);
	expect_newest(3);
}

/* Ed25519 has no chance in it: the same state is the same note. */
static void
a_start_signs_the_same_note(void **state)
{
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct cdop_bytes was;

	(void)state;
	was = checkpoints_note(h.reg->checkpoints);
	memcpy(note, was.data, was.len);
	house_reopen(&h);
	assert_int_equal(checkpoints_note(h.reg->checkpoints).len, was.len);
	assert_memory_equal(
	    checkpoints_note(h.reg->checkpoints).data, note, was.len);
}

static void
another_seed_is_another_key_at_once(void **state)
{
	Cdop__StoredConfig *config;
	uint8_t key[CDOP_NOTE_PUBLIC_LEN];

	(void)state;
	memcpy(key, checkpoints_key(h.reg->checkpoints), sizeof(key));
	house_begin(&h);
	assert_int_equal(
	    registry_edit_config(h.reg, h.arena, &config), CDOP_OK);
	config->log_seed.data[0] ^= 1;
	assert_int_equal(registry_put_config(h.reg, h.arena, config), CDOP_OK);
	house_commit(&h);
	assert_memory_not_equal(
	    key, checkpoints_key(h.reg->checkpoints), sizeof(key));
	expect_newest(1);
}

/* What the old key had not signed yet is there when the turn goes back. */
static void
a_seed_that_goes_back_leaves_the_note_of_the_old_one(void **state)
{
	Cdop__StoredConfig *config;

	(void)state;
	house_begin(&h);
	append();
	house_commit(&h); /* nobody has asked for its note */
	house_begin(&h);
	assert_int_equal(
	    registry_edit_config(h.reg, h.arena, &config), CDOP_OK);
	config->log_seed.data[0] ^= 1;
	assert_int_equal(registry_put_config(h.reg, h.arena, config), CDOP_OK);
	append();
	assert_int_equal(tree_seal(h.reg->tree), CDOP_OK);
	assert_int_equal(checkpoints_set(h.reg->checkpoints), CDOP_OK);
	house_abort(&h);
	expect_newest(2);
	/* And the one after it is by the old key again. */
	house_begin(&h);
	append();
	house_commit(&h);
	expect_newest(3);
}

static void
the_next_incarnation_is_another_origin(void **state)
{
	struct cdop_checkpoint before = newest(1), after;

	(void)state;
	house_begin(&h);
	assert_int_equal(rows_next_incarnation(h.rows), CDOP_OK);
	append();
	house_commit(&h);
	after = newest(2);
	assert_int_equal(after.size, before.size + 1);
	assert_string_not_equal(after.origin, before.origin);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_commit_has_what_it_appended),
	    TEST(a_start_signs_the_same_note),
	    TEST(another_seed_is_another_key_at_once),
	    TEST(a_seed_that_goes_back_leaves_the_note_of_the_old_one),
	    TEST(the_next_incarnation_is_another_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
