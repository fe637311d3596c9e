/*
 * A full disk as clients see it: case work is refused with a word of its own,
 * what has to go on goes on, and with the last of it gone nobody is answered.
 *
 * The disk is the map here: its last part is for the log, like the reserve
 * file on a real one (tests/unit/server/vault/disk_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/audit.h"
#include "server/store/dir.h"
#include "server/store/schema.h"
#include "server/vault/keystore.h"
#include "server/vault/rows.h"
#include "server/vault/rows_room.h"
#include "tests/unit/server/cycle/cycle_fixture.h"

#define MIB ((uint64_t)1 << 20)

static struct fixture f;

/* From now on all there is is the log's. */
static int
setup(void **state)
{
	(void)state;
	fixture_start_on(&f, WORLD_MAP - MIB / 2, WORLD_MAP - MIB);
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

static const Cdop__Reply *
call(struct fixture_client *client, uint32_t method,
    const ProtobufCMessage *body)
{
	const Cdop__Reply *reply;

	(void)fixture_call(client, method, body);
	fixture_send(&f, client);
	fixture_settle(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	return reply;
}

static void
is_refused(const Cdop__Reply *reply)
{
	assert_int_equal(reply->status, CDOP_RESOURCE_EXHAUSTED);
	assert_string_equal(reply->reason, "disk_full");
	assert_true(reply->last);
}

/* ---- what goes on ------------------------------------------------------ */

static void
status_answers_and_says_so(void **state)
{
	const struct fixture_client *client;
	const Cdop__StatusReply *status;
	const Cdop__Reply *reply;
	uint64_t before;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	before = leaves();
	reply = call(&f.client[0], CDOP_CALL_Status, NULL);
	assert_int_equal(reply->status, CDOP_OK);
	assert_false(fixture_is_closed(&f, client));
	status = cdop__status_reply__unpack(cdop_arena_allocator(f.world.arena),
	    reply->body.len, reply->body.data);
	assert_non_null(status);
	assert_true(status->n_warning > 0);
	assert_non_null(strstr(status->warning[0], "DISK FULL"));
	assert_int_equal(leaves(), before + 1);
	assert_int_equal(f.world.reg->room, REGISTRY_FULL);
}

/* Each refusal has its leaf, and no number of them closes the session. */
static void
case_work_is_refused_and_logged(void **state)
{
	static const uint32_t calls[] = {CDOP_CALL_CaseShow, CDOP_CALL_CaseList,
	    CDOP_CALL_NotificationRegister, CDOP_CALL_CaseFind};
	struct fixture_client *client;
	uint64_t before;
	size_t i;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	before = leaves();
	for (i = 0; i < 8; i++)
		is_refused(call(client, calls[i % 4], NULL));
	assert_int_equal(leaves(), before + 8);
	assert_false(fixture_is_closed(&f, client));
	/* A role that may not do it at all hears that, as ever. */
	client = fixture_sign_in(&f, WORLD_ADMIN_1);
	assert_string_equal(
	    call(client, CDOP_CALL_CaseList, NULL)->reason, "role");
}

static void
the_log_is_read(void **state)
{
	struct fixture_client *client, *auditor;
	const Cdop__AuditListReply *body;
	const Cdop__Reply *reply;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	is_refused(call(client, CDOP_CALL_CaseList, NULL));
	auditor = fixture_sign_in(&f, WORLD_AUDITOR);
	reply = call(auditor, CDOP_CALL_AuditList, NULL);
	assert_int_equal(reply->status, CDOP_OK);
	body =
	    cdop__audit_list_reply__unpack(cdop_arena_allocator(f.world.arena),
		reply->body.len, reply->body.data);
	assert_non_null(body);
	assert_string_equal(body->entry[1]->call, "CaseList");
	assert_string_equal(body->entry[1]->reason, "disk_full");
}

/* Whose laptop is stolen does not wait for the disk. */
static void
people_are_suspended(void **state)
{
	char reason[] = "stolen";
	Cdop__SuspendRequest request;
	struct fixture_client *admin;

	(void)state;
	admin = fixture_sign_in(&f, WORLD_ADMIN_1);
	cdop__suspend_request__init(&request);
	request.person = WORLD_PARTNER_WIRRAL;
	request.reason = reason;
	assert_int_equal(
	    call(admin, CDOP_CALL_Suspend, &request.base)->status, CDOP_OK);
}

static void
nothing_large_goes_on(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	(void)fixture_call_to(client, CDOP_CALL_ProfileDiff, 20000);
	fixture_send(&f, client);
	fixture_settle(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	is_refused(reply);
	(void)fixture_call_to(client, CDOP_CALL_ProfileDiff, 10000);
	fixture_send(&f, client);
	fixture_settle(&f);
	reply = fixture_reply(&f, client);
	assert_non_null(reply);
	assert_string_not_equal(reply->reason, "disk_full");
}

/* Nor anything that has time: old searches are forgotten when there is room. */
static void
what_has_time_waits(void **state)
{
	struct audit_term terms[1] = {{"child.family_name", "Sampleton"}};
	struct audit_entry entry = {.call = CDOP_CALL_CaseFind,
	    .time_ms = f.world.now_ms,
	    .terms = terms,
	    .n_terms = 1};
	struct fixture_client *client;
	uint64_t key;

	(void)state;
	fixture_turn(&f);
	undo_begin(f.world.undo);
	assert_int_equal(rows_begin_last(f.world.rows, 4096, 8), CDOP_OK);
	assert_int_equal(
	    audit_append(f.world.reg->audit, f.world.arena, &entry, NULL),
	    CDOP_OK);
	assert_int_equal(registry_commit(f.world.reg), CDOP_OK);
	assert_true(keystore_epoch(f.world.ks, SCHEMA_SEARCH, NULL, &key));
	fixture_pass(800 * 86400000ull);
	fixture_turn(&f); /* what is due by itself goes first */
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	assert_int_equal(call(client, CDOP_CALL_Status, NULL)->status, CDOP_OK);
	assert_non_null(keystore_find(f.world.ks, key));
	assert_int_equal(f.world.reg->room, REGISTRY_FULL);
}

/* ---- a promise that is not kept ----------------------------------------- */

static int fail_syncs; /* the next so many of a commit */
static int fail_with = ENOSPC;

/* In place of libc's; LMDB calls it before it writes a meta page. */
int
fdatasync(int fd)
{
	if (fail_syncs > 0) {
		fail_syncs--;
		errno = fail_with;
		return -1;
	}
	return fsync(fd);
}

/* Of the batch, and of the one call alone: then its refusal has a step more. */
static void
a_commit_without_room_is_refused_out_of_the_reserve(void **state)
{
	struct fixture_client *client;
	const Cdop__Reply *reply;
	uint64_t have, want;
	size_t i;

	(void)state;
	fixture_end(&f);
	fixture_start_on(&f, 0, 2 * MIB);
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	rows_room_reserve(f.world.rows, &have, &want);
	while (have < want) {
		assert_int_equal(rows_room_fill(f.world.rows), CDOP_OK);
		rows_room_reserve(f.world.rows, &have, &want);
	}
	/* That is not the client's doing, however often. */
	for (i = 0; i < 4; i++) {
		fail_syncs = 2;
		reply = call(client, CDOP_CALL_Status, NULL);
		assert_int_equal(reply->status, CDOP_RESOURCE_EXHAUSTED);
		assert_string_equal(reply->reason, "no_room");
		rows_room_reserve(f.world.rows, &have, &want);
		assert_int_equal(have, i == 0 ? MIB : 0);
	}
	assert_int_equal(call(client, CDOP_CALL_Status, NULL)->status, CDOP_OK);
}

/* Nor is who opened it while there was none left out of the log for ever. */
static void
the_opening_is_logged_when_there_is_room(void **state)
{
	uint64_t had;

	(void)state;
	fixture_end(&f);
	fixture_start(&f, true, 0);
	had = leaves();
	fail_syncs = 4; /* of a batch, and of the event alone */
	fixture_turn(&f);
	fixture_pass(1000);
	fixture_turn(&f);
	assert_int_equal(fail_syncs, 0);
	assert_int_equal(leaves(), had);
	fixture_pass(1000);
	fixture_turn(&f);
	assert_int_equal(leaves(), had + 1);
	fixture_settle(&f);
	assert_int_equal(leaves(), had + 1);
}

/* It may be on the disk or not: nobody hears of it, and nothing goes on. */
static void
after_a_commit_of_unknown_outcome_nothing_is_answered(void **state)
{
	struct fixture_client *client;
	uint64_t had;
	size_t n = 0;

	(void)state;
	client = fixture_sign_in(&f, WORLD_COORDINATOR);
	had = leaves();
	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	fail_syncs = 1;
	fail_with = EIO;
	assert_int_not_equal(cycle_turn(f.cycle), CDOP_OK);
	fail_with = ENOSPC;
	assert_int_equal(fail_syncs, 0);
	assert_false(
	    ipc_recv_many(f.link, f.inbox, IPC_INBOX_MAX, &n) == CDOP_OK &&
	    n > 0);
	cycle_free(f.cycle);
	f.cycle = NULL;
	world_reopen(&f.world);
	assert_in_range(leaves(), had, had + 1);
	assert_true(dir_is_marked(f.world.dir));
	dir_unmark(f.world.dir);
}

/* ---- the last of it ---------------------------------------------------- */

/* Until the map has only so many bytes left. */
static void
fill_up(uint64_t left)
{
	static uint8_t data[30000];
	const struct rows_new row = {.kind = SCHEMA_KIND_TERMS,
	    .schema = 1,
	    .data = {data, sizeof(data)}};
	uint64_t used, map, number;

	for (;;) {
		rows_usage(f.world.rows, &used, &map);
		if (used + left >= map)
			return;
		undo_begin(f.world.undo);
		assert_int_equal(
		    rows_begin_last(f.world.rows, sizeof(data), 1), CDOP_OK);
		assert_int_equal(
		    rows_put(f.world.rows, &row, &number), CDOP_OK);
		assert_int_equal(registry_commit(f.world.reg), CDOP_OK);
	}
}

/* Until a call has no answer; how many leaves there are. */
static uint64_t
spend(struct fixture_client **ret_client)
{
	struct fixture_client *client;
	uint64_t used, map, answered;

	rows_usage(f.world.rows, &used, &map);
	fixture_end(&f);
	fixture_start_on(&f, (used / MIB + 2) * MIB, MIB);
	*ret_client = client = fixture_sign_in(&f, WORLD_COORDINATOR);
	fill_up(MIB);
	for (;;) {
		answered = leaves();
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
		fixture_send(&f, client);
		f.n_event = 0;
		fixture_turn(&f);
		cdop_arena_reset(f.world.arena);
		if (fixture_reply(&f, client) == NULL)
			break;
		assert_int_equal(leaves(), answered + 1);
	}
	assert_int_equal(f.world.reg->room, REGISTRY_SPENT);
	return answered;
}

/* No leaf, no answer; and what was answered is all there. */
static void
without_room_for_a_leaf_nobody_is_answered(void **state)
{
	struct fixture_client *client;
	uint64_t answered;

	(void)state;
	answered = spend(&client);
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, client));
	assert_int_equal(leaves(), answered);
	/* A new one does not get as far as Welcome. */
	client =
	    fixture_greet(&f, WORLD_ADMIN_1, world_keys(WORLD_ADMIN_1).psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	assert_null(fixture_welcome(&f, client));
	assert_true(fixture_is_closed(&f, client));

	/* There is room again. */
	cycle_free(f.cycle);
	f.cycle = NULL;
	f.world.map_bytes = 0;
	f.world.reserve_bytes = 0;
	world_reopen(&f.world);
	assert_int_equal(leaves(), answered);
}

/* Nor does what is owed to the log keep anybody waiting for his end. */
static void
what_is_owed_keeps_nobody_waiting(void **state)
{
	struct fixture_client *client;

	(void)state;
	(void)spend(&client);
	client =
	    fixture_greet(&f, WORLD_ADMIN_1, world_keys(WORLD_COORDINATOR).psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_turn(&f);
	fixture_pass(60000); /* that he was refused is counted */
	fixture_settle(&f);
	client =
	    fixture_greet(&f, WORLD_ADMIN_1, world_keys(WORLD_ADMIN_1).psk);
	fixture_turn(&f);
	fixture_prove(&f, client);
	fixture_settle(&f);
	assert_true(fixture_is_closed(&f, client));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(status_answers_and_says_so),
	    TEST(case_work_is_refused_and_logged),
	    TEST(the_log_is_read),
	    TEST(people_are_suspended),
	    TEST(nothing_large_goes_on),
	    TEST(what_has_time_waits),
	    TEST(a_commit_without_room_is_refused_out_of_the_reserve),
	    TEST(the_opening_is_logged_when_there_is_room),
	    TEST(after_a_commit_of_unknown_outcome_nothing_is_answered),
	    TEST(without_room_for_a_leaf_nobody_is_answered),
	    TEST(what_is_owed_keeps_nobody_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
