/* What a client is told of the log, and can check, before anything else. */
#include "server/cycle/welcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/checkpoint.h"
#include "server/registry/audit.h"
#include "server/registry/tree.h"
#include "server/registry/tree_core.h"
#include "tests/unit/server/cycle/cycle_fixture.h"

static struct fixture f;

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	fixture_turn(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static const Cdop__Welcome *
welcome_after_both(uint64_t seen_size, uint64_t receipt_size)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;
	const Cdop__Welcome *welcome;

	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	client->seen_size = seen_size;
	client->receipt_size = receipt_size;
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	welcome = fixture_welcome(&f, client);
	assert_non_null(welcome);
	return welcome;
}

static const Cdop__Welcome *
welcome_after(uint64_t seen_size)
{
	return welcome_after_both(seen_size, 0);
}

/* As a client opens it, with a key it got before. */
static struct cdop_checkpoint
open_checkpoint(const Cdop__Welcome *welcome)
{
	static const char origin[] = "7265676973747279206f662074657374/1";
	struct cdop_checkpoint checkpoint;
	struct cdop_note_key key;

	assert_true(welcome->has_checkpoint);
	assert_true(welcome->has_checkpoint_key);
	assert_int_equal(welcome->checkpoint_key.len, CDOP_NOTE_PUBLIC_LEN);
	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     welcome->checkpoint_key.data),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_open((struct cdop_bytes){welcome->checkpoint.data,
				     welcome->checkpoint.len},
		&key, &checkpoint),
	    CDOP_OK);
	return checkpoint;
}

static void
grow(uint64_t n)
{
	struct world *w = &f.world;
	struct audit_entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.call = AUDIT_EVENT_REFUSED;
	entry.time_ms = w->now_ms;
	world_begin(w, 8u << 20, 1024);
	while (n-- > 0)
		assert_int_equal(
		    audit_append(w->reg->audit, w->arena, &entry, NULL),
		    CDOP_OK);
	assert_int_equal(registry_commit(w->reg), CDOP_OK);
}

static void
the_checkpoint_covers_the_leaf_of_the_session(void **state)
{
	struct cdop_checkpoint checkpoint;
	uint64_t before = audit_size(f.world.reg->audit);
	uint8_t root[CDOP_MERKLE_HASH];

	(void)state;
	checkpoint = open_checkpoint(welcome_after(0));
	assert_int_equal(checkpoint.size, before + 1);
	assert_int_equal(tree_root(f.world.reg->tree, root), CDOP_OK);
	assert_memory_equal(checkpoint.root, root, sizeof(root));
}

static void
take_proof(const Cdop__Welcome *welcome, struct cdop_merkle_proof *proof)
{
	size_t i;

	memset(proof, 0, sizeof(*proof));
	assert_true(welcome->n_consistency <= CDOP_MERKLE_PROOF_MAX);
	for (i = 0; i < welcome->n_consistency; i++) {
		assert_int_equal(welcome->consistency[i].len, CDOP_MERKLE_HASH);
		memcpy(proof->hash[proof->n++], welcome->consistency[i].data,
		    CDOP_MERKLE_HASH);
	}
}

static void
what_was_seen_is_the_beginning_of_what_there_is(void **state)
{
	static const uint64_t steps[] = {0, 1, 4, 250, 300};
	struct cdop_checkpoint old, now;
	struct cdop_merkle_proof proof;
	const Cdop__Welcome *welcome;
	size_t i;

	(void)state;
	old = open_checkpoint(welcome_after(0));
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		grow(steps[i]);
		welcome = welcome_after(old.size);
		now = open_checkpoint(welcome);
		assert_int_equal(now.size, old.size + steps[i] + 1);
		take_proof(welcome, &proof);
		assert_int_equal(cdop_merkle_check_consistency(old.size,
				     old.root, now.size, now.root, &proof),
		    CDOP_OK);
		old.root[0] ^= 1;
		assert_int_equal(cdop_merkle_check_consistency(old.size,
				     old.root, now.size, now.root, &proof),
		    CDOP_DATA_LOSS);
		old = now;
	}
}

/* What a receipt proved, that is later than what was seen. */
static void
a_receipt_is_of_what_there_is(void **state)
{
	struct cdop_checkpoint old, later, now;
	struct cdop_merkle_proof proof = {.n = 0};
	const Cdop__Welcome *welcome;

	(void)state;
	old = open_checkpoint(welcome_after(0));
	grow(20);
	later = open_checkpoint(welcome_after(0));
	grow(300);
	welcome = welcome_after_both(old.size, later.size);
	now = open_checkpoint(welcome);
	for (; proof.n < welcome->n_receipt_consistency; proof.n++)
		memcpy(proof.hash[proof.n],
		    welcome->receipt_consistency[proof.n].data,
		    CDOP_MERKLE_HASH);
	assert_int_equal(cdop_merkle_check_consistency(later.size, later.root,
			     now.size, now.root, &proof),
	    CDOP_OK);
	take_proof(welcome, &proof);
	assert_int_equal(cdop_merkle_check_consistency(
			     old.size, old.root, now.size, now.root, &proof),
	    CDOP_OK);
	assert_int_equal(
	    welcome_after_both(0, UINT64_MAX)->n_receipt_consistency, 0);
}

/* None, of this very log, and of a longer one: nothing to prove (M10). */
static void
a_proof_that_cannot_be_is_empty(void **state)
{
	uint64_t size = audit_size(f.world.reg->audit);

	(void)state;
	assert_int_equal(welcome_after(0)->n_consistency, 0);
	assert_int_equal(welcome_after(size + 2)->n_consistency, 0);
	assert_int_equal(welcome_after(size + 1000)->n_consistency, 0);
	assert_int_equal(welcome_after(UINT64_MAX)->n_consistency, 0);
}

/* The client is not turned away: it sees that nothing is proved. */
static void
a_damaged_tile_stops_the_client_and_not_the_door(void **state)
{
	struct tree *tree = f.world.reg->tree;
	const Cdop__Welcome *welcome;

	(void)state;
	grow(600);
	tree->level[1].tile.below[0] = tree->level[1].tile.below[1];
	welcome = welcome_after(100);
	assert_true(open_checkpoint(welcome).size > 600);
	assert_int_equal(welcome->n_consistency, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_checkpoint_covers_the_leaf_of_the_session),
	    TEST(what_was_seen_is_the_beginning_of_what_there_is),
	    TEST(a_receipt_is_of_what_there_is),
	    TEST(a_proof_that_cannot_be_is_empty),
	    TEST(a_damaged_tile_stops_the_client_and_not_the_door),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
