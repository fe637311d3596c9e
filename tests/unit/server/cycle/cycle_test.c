/*
 * The vault's cycle as a client sees it: what comes first, in which order,
 * and what waits.  What ends a session is in cycle_end_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/registry/link_key.h"
#include "server/registry/people.h"
#include "server/registry/tree_core.h"
#include "server/vault/keystore.h"
#include "server/vault/rows.h"
#include "tests/unit/server/cycle/cycle_fixture.h"

#define UNCONFIRMED_MAX (4u << 20)

static struct fixture f;

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	return 0;
}

static int
setup_sealed(void **state)
{
	(void)state;
	fixture_start(&f, false, 0);
	return 0;
}

static int
setup_held_back(void **state)
{
	(void)state;
	fixture_start(&f, true, WORLD_COORDINATOR);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static uint64_t
leaves(void)
{
	return rows_next_leaf(f.world.rows);
}

/* ---- the beginning ----------------------------------------------------- */

static void
keys_are_the_first_word_of_a_link(void **state)
{
	(void)state;
	fixture_turn(&f);
	/* Of the link, still sealed, and of the registry that then opened. */
	assert_int_equal(f.n_event, 2);
	assert_int_equal(f.event[0].kind, IPC_KEYS);
	assert_int_equal(f.event[0].arg, 0);
	assert_int_equal(f.event[1].kind, IPC_KEYS);
	assert_int_equal(f.event[1].arg, 1);
	assert_int_equal(f.event[1].len, IPC_KEY_LEN);
}

static void
who_knows_the_next_key_alone_is_let_in(void **state)
{
	struct world *w = &f.world;

	(void)state;
	world_begin(w, 1u << 20, 256);
	assert_int_equal(link_key_make(w->reg, w->arena, w->now_ms), CDOP_OK);
	world_commit(w);
	f.next_key = true;
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
	f.next_key = false;
	(void)fixture_sign_in(&f, WORLD_AUDITOR);
}

/* A client need not wait for Welcome, and gets it first all the same. */
static void
welcome_comes_before_any_answer(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;
	Cdop__Welcome *welcome;
	uint64_t before;

	(void)state;
	fixture_turn(&f);
	before = leaves();
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	welcome = fixture_welcome(&f, client);
	assert_non_null(welcome);
	assert_memory_equal(welcome->registry_id.data, f.world.reg->id, 16);
	assert_int_equal(welcome->mode, CDOP__MODE__TRAINING);
	assert_int_equal(welcome->state, CDOP__STATE__OPEN);
	assert_false(welcome->credential_pending);
	fixture_answers(&f, client, 1, 1);
	/* The handshake has a leaf of its own. */
	assert_int_equal(leaves(), before + 2);
}

/* Who opened it is as much a question for the log as who looked. */
static void
the_opening_is_the_first_leaf(void **state)
{
	struct fixture_client *client;
	const Cdop__AuditListReply *body;
	const Cdop__AuditEntry *first;
	const Cdop__Reply *reply;

	(void)state;
	fixture_turn(&f);
	assert_int_equal(leaves(), 1);
	client = fixture_sign_in(&f, WORLD_AUDITOR);
	(void)fixture_call(client, CDOP_CALL_AuditList, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	body =
	    cdop__audit_list_reply__unpack(cdop_arena_allocator(f.world.arena),
		reply->body.len, reply->body.data);
	assert_non_null(body);
	assert_int_equal(body->n_entry, 2);
	first = body->entry[1];
	assert_int_equal(first->index, 0);
	assert_string_equal(first->call, "registry opened");
	assert_int_equal(first->count, FIXTURE_SLOT);
	assert_false(first->has_person);
}

static void
a_sealed_registry_hints_and_closes(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;
	size_t hint;

	(void)state;
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	hint = fixture_find(&f, client->conn, IPC_FRAME);
	assert_int_not_equal(hint, SIZE_MAX);
	assert_int_equal(f.event[hint].len, 1);
	assert_int_equal(f.event[hint].first, CDOP_LINK_HINT_SEALED);
	assert_int_equal(f.event[hint + 1].kind, IPC_CLOSE);
	assert_int_equal(f.event[hint + 1].conn, client->conn);
	assert_int_equal(f.n_event, hint + 2);
}

static void
a_wrong_psk_is_closed_without_a_word(void **state)
{
	static const uint8_t psk[32] = {1};
	struct fixture_client *client;
	uint64_t before;
	size_t n;

	(void)state;
	fixture_turn(&f);
	before = leaves();
	client = fixture_greet(&f, WORLD_COORDINATOR, psk);
	fixture_turn(&f);
	n = f.n_event;
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_int_equal(f.n_event, n + 1);
	assert_true(fixture_is_closed(&f, client));
	/* Counted, and said once a minute. */
	assert_int_equal(leaves(), before);
	fixture_pass(60000);
	fixture_turn(&f);
	assert_int_equal(leaves(), before + 1);
}

/* By the wall clock the device would be good again. */
static void
what_has_expired_stays_so_when_the_clock_is_set_back(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;
	struct people_device *device;

	(void)state;
	device = (struct people_device *)(uintptr_t)people_device(
	    f.world.reg->people, WORLD_COORDINATOR);
	device->expires_ms = clock_wall_ms() + 60000;
	fixture_pass(120000);
	(void)fixture_sign_in(&f, WORLD_ADMIN_1);
	fixture_set_back(600000);
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
	assert_false(client->got > CDOP_LINK_MESSAGE2_LEN);
}

static void
who_ended_the_last_vault_waits_a_minute(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	struct fixture_client *client;

	(void)state;
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
	(void)fixture_sign_in(&f, WORLD_ADMIN_1);
	fixture_pass(59000);
	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
	fixture_pass(1000);
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
}

/* ---- calls ------------------------------------------------------------- */

static void
sixty_four_calls_are_answered_in_one_turn(void **state)
{
	struct fixture_client *client;
	uint64_t before;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	before = leaves();
	for (i = 0; i < 70; i++)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	fixture_answers(&f, client, 1, 64);
	assert_int_equal(leaves(), before + 64);
	/* The rest is not forgotten, and not slept on. */
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	fixture_turn(&f);
	fixture_answers(&f, client, 65, 6);
	assert_int_equal(cycle_sleep_ms(f.cycle), 1000);
}

static void
a_stream_ends_with_last_and_its_count(void **state)
{
	struct fixture_client *client;
	Cdop__AuditListRequest request;
	const Cdop__AuditListReply *body;
	const Cdop__Reply *reply;
	uint64_t id, n = 0, next, before;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_AUDITOR);
	for (i = 0; i < 350; i++)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_settle(&f);
	fixture_answers(&f, client, 1, 350);

	cdop__audit_list_request__init(&request);
	id = fixture_call(client, CDOP_CALL_AuditList, &request.base);
	fixture_send(&f, client);
	before = leaves();
	next = before - 1;
	fixture_settle(&f);
	for (;;) {
		reply = fixture_reply(&f, client);
		assert_non_null(reply);
		assert_int_equal(reply->id, id);
		assert_int_equal(reply->status, CDOP_OK);
		n++;
		body = cdop__audit_list_reply__unpack(
		    cdop_arena_allocator(f.world.arena), reply->body.len,
		    reply->body.data);
		assert_non_null(body);
		for (i = 0; i < body->n_entry; i++)
			assert_int_equal(body->entry[i]->index, next--);
		if (reply->last)
			break;
		assert_false(reply->has_count);
	}
	assert_int_equal(next, UINT64_MAX); /* down to leaf 0 */
	assert_int_equal(n, 4);
	assert_int_equal(reply->count, n);
	assert_null(fixture_reply(&f, client));
	/* Every part that left has its leaf. */
	assert_int_equal(leaves(), before + n);
}

/* 22 KiB a call, and nothing is ever written to the client's socket. */
static void
a_slow_reader_is_not_worked_for_over_4_MiB(void **state)
{
	struct fixture_client *slow, *other;
	uint64_t done, got;
	size_t i;

	(void)state;
	slow = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	for (i = 0; i < 400; i++)
		(void)fixture_call(slow, CDOP_CALL_ProfileGet, NULL);
	fixture_send(&f, slow);
	fixture_settle(&f);
	done = leaves();
	got = slow->got;
	assert_in_range(got, UNCONFIRMED_MAX, UNCONFIRMED_MAX + 64 * 32768);
	for (i = 0; i < 3; i++)
		fixture_turn(&f);
	assert_int_equal(leaves(), done);

	/* That is its own affair. */
	(void)fixture_call(other, CDOP_CALL_Status, NULL);
	fixture_send(&f, other);
	fixture_settle(&f);
	fixture_answers(&f, other, 1, 1);

	fixture_sent(&f, slow);
	fixture_settle(&f);
	assert_true(slow->got > 0);
	fixture_sent(&f, slow);
	fixture_settle(&f);
	fixture_answers(&f, slow, 1, 400);
}

/* ---- what the vault does by itself ------------------------------------- */

static void
search(size_t n)
{
	struct audit_term terms[1] = {{"child.family_name", "Sampleton"}};
	struct audit_entry entry = {.call = CDOP_CALL_CaseFind,
	    .time_ms = f.world.now_ms,
	    .terms = terms,
	    .n_terms = 1};

	undo_begin(f.world.undo);
	assert_int_equal(rows_begin(f.world.rows, 1u << 20, 256), CDOP_OK);
	while (n-- > 0)
		assert_int_equal(audit_append(f.world.reg->audit, f.world.arena,
				     &entry, NULL),
		    CDOP_OK);
	assert_int_equal(registry_commit(f.world.reg), CDOP_OK);
}

/* Two years on: a step with each batch, and calls are answered beside it. */
static void
old_searches_are_forgotten_when_the_day_turns(void **state)
{
	struct fixture_client *client;
	uint64_t key, before;
	size_t turns = 1;

	(void)state;
	fixture_turn(&f);
	search(150);
	assert_true(keystore_epoch(f.world.ks, SCHEMA_SEARCH, NULL, &key));
	fixture_turn(&f);
	fixture_pass(800 * 86400000ull);
	audit_say_day(f.world.reg->audit, clock_wall_ms());
	before = leaves();
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
	assert_non_null(keystore_find(f.world.ks, key));
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	while (cycle_sleep_ms(f.cycle) == 0 && turns++ < 10)
		fixture_turn(&f);
	fixture_answers(&f, client, 1, 1);
	assert_null(keystore_find(f.world.ks, key));
	assert_in_range(turns, 2, 4);
	/* Signed in, asked, forgotten; and the log was looked through. */
	assert_int_equal(leaves(), before + 4);
}

/* ---- the PSK turns ----------------------------------------------------- */

static void
the_next_psk_becomes_current_when_it_was_proved(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	const struct people_device *device =
	    people_device(f.world.reg->people, WORLD_COORDINATOR);
	struct fixture_client *client;
	uint8_t next[32];

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	fixture_psk_turn(&f, client, WORLD_COORDINATOR, next);
	assert_true(device->has_next);
	assert_memory_equal(device->psk, keys.psk, 32);

	/* The old one lets in until the new one was used. */
	(void)fixture_sign_in(&f, WORLD_COORDINATOR);
	client = fixture_greet(&f, WORLD_COORDINATOR, next);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_non_null(fixture_welcome(&f, client));
	assert_false(device->has_next);
	assert_memory_equal(device->psk, next, 32);

	client = fixture_greet(&f, WORLD_COORDINATOR, keys.psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));

	/* On the disk too. */
	cycle_free(f.cycle);
	f.cycle = NULL;
	world_reopen(&f.world);
	device = people_device(f.world.reg->people, WORLD_COORDINATOR);
	assert_memory_equal(device->psk, next, 32);
}

/* Ten minutes after the opening, and then once a day. */
static void
the_log_is_looked_through_and_that_is_logged(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply;
	const Cdop__StatusReply *body;
	uint64_t before;

	(void)state;
	fixture_turn(&f);
	before = leaves();
	fixture_pass(9 * 60 * 1000);
	fixture_turn(&f);
	assert_int_equal(leaves(), before);
	fixture_pass(2 * 60 * 1000);
	fixture_turn(&f);
	assert_int_equal(leaves(), before + 1);
	fixture_pass(23 * 3600 * 1000);
	fixture_turn(&f);
	assert_int_equal(leaves(), before + 1);
	/* The newest leaf is not the one that was hashed. */
	f.world.reg->tree->level[0].tile.hash[before][0] ^= 1;
	fixture_pass(2 * 3600 * 1000);
	fixture_turn(&f);
	assert_int_equal(leaves(), before + 2);
	client = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fixture_turn(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	body = cdop__status_reply__unpack(cdop_arena_allocator(f.world.arena),
	    reply->body.len, reply->body.data);
	assert_non_null(body);
	assert_true(body->n_warning > 0);
	assert_string_equal(body->warning[0],
	    "the audit log is damaged at leaf 1: differs (cdopd verify)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(keys_are_the_first_word_of_a_link),
	    TEST(who_knows_the_next_key_alone_is_let_in),
	    TEST(welcome_comes_before_any_answer),
	    TEST(the_log_is_looked_through_and_that_is_logged),
	    TEST(the_opening_is_the_first_leaf),
	    cmocka_unit_test_setup_teardown(
		a_sealed_registry_hints_and_closes, setup_sealed, teardown),
	    TEST(a_wrong_psk_is_closed_without_a_word),
	    TEST(what_has_expired_stays_so_when_the_clock_is_set_back),
	    cmocka_unit_test_setup_teardown(
		who_ended_the_last_vault_waits_a_minute, setup_held_back,
		teardown),
	    TEST(sixty_four_calls_are_answered_in_one_turn),
	    TEST(a_stream_ends_with_last_and_its_count),
	    TEST(a_slow_reader_is_not_worked_for_over_4_MiB),
	    TEST(old_searches_are_forgotten_when_the_day_turns),
	    TEST(the_next_psk_becomes_current_when_it_was_proved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
