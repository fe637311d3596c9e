/* Receipts: on every answer that was asked with one, and what they prove. */
#include "server/cycle/receipt.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/logproof.h"
#include "server/registry/audit.h"
#include "server/registry/checkpoints.h"
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

/* As whoever asked checks it: with the log's key and the own request. */
static struct cdop_checkpoint
check(const Cdop__Reply *reply, struct cdop_bytes request)
{
	static const char origin[] = "7265676973747279206f662074657374/1";
	crypto_auth_hmacsha256_state state;
	struct cdop_checkpoint checkpoint;
	struct cdop_logproof proof;
	struct cdop_note_key key;
	uint8_t hash[CDOP_MERKLE_HASH], commitment[32];

	assert_true(reply->has_receipt);
	assert_int_equal(
	    cdop_logproof_parse(
		(struct cdop_bytes){reply->receipt.data, reply->receipt.len},
		&proof),
	    CDOP_OK);
	assert_int_equal(proof.extra_len, CDOP_LEAF_LEN + 32);
	assert_int_equal(proof.index, reply->leaf_index);
	assert_int_equal(cdop_get64(proof.extra + 8), reply->leaf_index);
	assert_int_equal(cdop_get16(proof.extra + 2), reply->status);
	assert_int_equal(cdop_note_key_init(&key, origin, CDOP_NOTE_ED25519,
			     checkpoints_key(f.world.reg->checkpoints)),
	    CDOP_OK);
	cdop_merkle_leaf(hash, (struct cdop_bytes){proof.extra, CDOP_LEAF_LEN});
	assert_int_equal(
	    cdop_logproof_check(&proof, hash, &key, &checkpoint), CDOP_OK);
	crypto_auth_hmacsha256_init(&state, proof.extra + CDOP_LEAF_LEN, 32);
	crypto_auth_hmacsha256_update(&state, request.data, request.len);
	crypto_auth_hmacsha256_final(&state, commitment);
	assert_memory_equal(proof.extra + 80, commitment, 32);
	/* Of another leaf it proves nothing. */
	hash[0] ^= 1;
	assert_int_equal(
	    cdop_logproof_check(&proof, hash, &key, NULL), CDOP_DATA_LOSS);
	return checkpoint;
}

static const Cdop__Reply *
answer_to(struct fixture_client *client, uint32_t method,
    const ProtobufCMessage *body)
{
	const Cdop__Reply *reply;

	(void)fixture_call(client, method, body);
	fixture_send(&f, client);
	fixture_turn(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	return reply;
}

static const struct cdop_bytes nothing = {(const uint8_t *)"", 0};

static void
who_asks_for_one_gets_one_and_nobody_else(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	reply = answer_to(client, CDOP_CALL_Status, NULL);
	assert_int_equal(reply->status, CDOP_OK);
	assert_false(reply->has_receipt);
	client->receipt = true;
	reply = answer_to(client, CDOP_CALL_Status, NULL);
	assert_int_equal(reply->status, CDOP_OK);
	(void)check(reply, nothing);
}

static void
a_refusal_has_its_receipt_like_a_result(void **state)
{
	Cdop__SuspendRequest suspend;
	struct fixture_client *client;
	const Cdop__Reply *reply;
	uint8_t packed[64];
	char reason[] = "lost";
	struct cdop_bytes request = {packed, 0};

	(void)state;
	client = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	client->receipt = true;
	reply = answer_to(client, CDOP_CALL_AuditList, NULL);
	assert_int_equal(reply->status, CDOP_PERMISSION_DENIED);
	(void)check(reply, nothing);
	cdop__suspend_request__init(&suspend);
	suspend.person = WORLD_ADMIN_1;
	suspend.reason = reason;
	request.len = cdop__suspend_request__pack(&suspend, packed);
	reply = answer_to(client, CDOP_CALL_Suspend, &suspend.base);
	assert_int_not_equal(reply->status, CDOP_OK);
	(void)check(reply, request);
	reply = answer_to(client, 4711, NULL);
	assert_int_equal(reply->status, CDOP_UNIMPLEMENTED);
	(void)check(reply, nothing);
}

/* Many calls, one commit: every one has a leaf of its own under one root. */
static void
a_batch_has_one_checkpoint_and_a_proof_each(void **state)
{
	struct cdop_checkpoint first, checkpoint;
	struct fixture_client *client;
	const Cdop__Reply *reply;
	uint64_t index;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	client->receipt = true;
	for (i = 0; i < 20; i++)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	reply = fixture_reply(&f, client);
	index = reply->leaf_index;
	first = check(reply, nothing);
	assert_true(first.size > index);
	while ((reply = fixture_reply(&f, client)) != NULL) {
		assert_int_equal(reply->leaf_index, ++index);
		checkpoint = check(reply, nothing);
		if (index < first.size)
			assert_memory_equal(&first, &checkpoint, sizeof(first));
	}
}

/* times 30 calls, whose answers are checked where they have receipts. */
static uint64_t
ask_many(struct fixture_client *client, size_t times)
{
	const Cdop__Reply *reply;
	uint64_t last = 0;
	size_t i;

	while (times-- > 0) {
		for (i = 0; i < 30; i++)
			(void)fixture_call(client, CDOP_CALL_Status, NULL);
		fixture_send(&f, client);
		fixture_settle(&f);
		fixture_sent(&f, client);
		while ((reply = fixture_reply(&f, client)) != NULL) {
			if (client->receipt)
				(void)check(reply, nothing);
			last = reply->leaf_index;
		}
	}
	return last;
}

/* Over the end of a tile, where the leaf's own tile is no more in memory. */
static void
receipts_hold_over_the_end_of_a_tile(void **state)
{
	struct fixture_client *client;
	uint64_t last;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	client->receipt = true;
	last = ask_many(client, 10);
	assert_true(last > 256);
	assert_int_equal(f.world.reg->tree->size, last + 1);
}

static void
every_message_of_a_stream_has_one(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply;
	Cdop__AuditListRequest list;
	uint8_t packed[16];
	struct cdop_bytes request = {packed, 0};
	size_t n;

	(void)state;
	client = fixture_sign_in(&f, WORLD_AUDITOR);
	ask_many(client, 4);
	client->receipt = true;
	cdop__audit_list_request__init(&list);
	list.has_since_ms = true;
	list.since_ms = 1;
	request.len = cdop__audit_list_request__pack(&list, packed);
	(void)fixture_call(client, CDOP_CALL_AuditList, &list.base);
	fixture_send(&f, client);
	fixture_settle(&f);
	for (n = 0; (reply = fixture_reply(&f, client)) != NULL; n++)
		(void)check(reply, request);
	assert_true(n >= 2);
}

/* The act is done: it is answered, and the client sees what is missing. */
static void
a_damaged_log_keeps_back_the_receipt_and_not_the_answer(void **state)
{
	struct tree *tree = f.world.reg->tree;
	struct fixture_client *client;
	struct audit_receipt receipt;
	struct cdop_bytes reply = {(const uint8_t *)"reply", 5};

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	ask_many(client, 10);
	tree->kept[0].is_there = false;
	tree->level[1].tile.below[0]++;
	memset(&receipt, 0, sizeof(receipt));
	receipt.index = 100;
	assert_int_equal(
	    receipt_append(f.world.reg, f.world.arena, &receipt, &reply),
	    CDOP_OK);
	assert_int_equal(reply.len, 5);
	tree->level[1].tile.below[0]--;
	assert_int_equal(
	    receipt_append(f.world.reg, f.world.arena, &receipt, &reply),
	    CDOP_OK);
	assert_true(reply.len > 5);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_asks_for_one_gets_one_and_nobody_else),
	    TEST(a_refusal_has_its_receipt_like_a_result),
	    TEST(a_batch_has_one_checkpoint_and_a_proof_each),
	    TEST(receipts_hold_over_the_end_of_a_tile),
	    TEST(every_message_of_a_stream_has_one),
	    TEST(a_damaged_log_keeps_back_the_receipt_and_not_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
