/*
 * Those who ask without an end, and those who are there at the same time: a
 * flood is answered, all of it, and takes nothing from the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "server/registry/audit.h"
#include "tests/unit/server/cycle/cycle_fixture.h"

#define GREEDY  4
#define NEVER   1000 /* turns */
#define TICK_MS 5    /* whenever somebody looks: a part is a few calls */

static struct fixture f;

static int
setup(void **state)
{
	(void)state;
	fixture_start(&f, true, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static struct fixture_client *greedy[GREEDY];

static void
greedy_sign_in(size_t n)
{
	while (n > 0)
		greedy[--n] = fixture_sign_in(&f, WORLD_COORDINATOR);
}

/* Each of them always has more in the vault than a turn takes. */
static void
greedy_ask(size_t n, size_t calls)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		while (fixture_reply(&f, greedy[i]) != NULL)
			;
		for (k = 0; k < calls; k++)
			(void)fixture_call(greedy[i], CDOP_CALL_Status, NULL);
		fixture_send(&f, greedy[i]);
	}
}

/* Turns until a call of this one is answered, in the midst of the others. */
static size_t
turns_until_answered(struct fixture_client *client, size_t n, size_t calls)
{
	size_t turns = 0;

	(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
	do {
		if (++turns == NEVER)
			return turns;
		greedy_ask(n, calls);
		f.n_event = 0;
		fixture_turn(&f);
		cdop_arena_reset(f.world.arena);
	} while (fixture_reply(&f, client) == NULL);
	return turns;
}

/* ---- in their turn ----------------------------------------------------- */

/* Whoever came first, and wherever in the turn the flood has got to. */
static void
nobody_waits_for_those_who_always_have_more(void **state)
{
	struct fixture_client *first, *last;
	size_t i;

	(void)state;
	first = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	greedy_sign_in(GREEDY);
	last = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	/* Four times 64 fill a batch. */
	greedy_ask(GREEDY, 200);
	for (i = 0; i < 20; i++) {
		assert_in_range(turns_until_answered(first, GREEDY, 64), 1, 2);
		assert_in_range(turns_until_answered(last, GREEDY, 64), 1, 2);
	}
	for (i = 0; i < GREEDY; i++)
		assert_false(fixture_is_closed(&f, greedy[i]));
}

/* One that floods alone gets all the turns nobody else wants. */
static void
a_flood_alone_is_not_slowed_down(void **state)
{
	(void)state;
	greedy_sign_in(1);
	greedy_ask(1, 640);
	fixture_settle(&f);
	fixture_answers(&f, greedy[0], 1, 640);
}

/* ---- as wide as a part has time for ------------------------------------ */

/* A batch is two of the greedy then: the turn is what brings the others in. */
static void
who_comes_while_calls_take_long_waits_for_a_few(void **state)
{
	struct fixture_client *first, *last;
	size_t i;

	(void)state;
	first = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	greedy_sign_in(GREEDY);
	last = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	greedy_ask(GREEDY, 64);
	fixture_tick(TICK_MS);
	fixture_settle(&f); /* what was begun before anybody knew */
	greedy_ask(GREEDY, 200);
	for (i = 0; i < 20; i++) {
		assert_in_range(turns_until_answered(first, GREEDY, 8), 1, 6);
		assert_in_range(turns_until_answered(last, GREEDY, 8), 1, 6);
	}
}

/* A turn ends while there is work left: 25 ms, and five a call. */
static void
a_turn_has_its_time_and_no_more(void **state)
{
	const Cdop__Reply *reply;
	size_t n = 0;

	(void)state;
	greedy_sign_in(1);
	greedy_ask(1, 64);
	fixture_tick(TICK_MS);
	fixture_turn(&f);
	while ((reply = fixture_reply(&f, greedy[0])) != NULL)
		n++;
	assert_in_range(n, 1, 8);
	assert_int_equal(cycle_sleep_ms(f.cycle), 0);
}

/* And as wide as ever when they do not any more. */
static void
a_batch_grows_again(void **state)
{
	uint64_t done;

	(void)state;
	greedy_sign_in(GREEDY);
	fixture_tick(TICK_MS);
	greedy_ask(GREEDY, 64);
	fixture_settle(&f);
	fixture_tick(0);
	greedy_ask(GREEDY, 200);
	fixture_settle(&f);
	greedy_ask(GREEDY, 200);
	done = greedy[0]->last_id - 200;
	fixture_turn(&f);
	fixture_answers(&f, greedy[0], done + 1, 64);
}

/* ---- more than fits ---------------------------------------------------- */

/* A call of the largest size, and as many as fit behind it, in one go. */
static void
eight_MiB_at_once_are_all_answered(void **state)
{
	struct fixture_client *flood, *modest;
	const Cdop__Reply *reply;
	uint64_t n = 0, got = 0;
	size_t len, sent = 0;

	(void)state;
	flood = fixture_sign_in(&f, WORLD_COORDINATOR);
	modest = fixture_sign_in(&f, WORLD_PARTNER_WIRRAL);
	while (sent < 8u << 20) {
		len = n % 7 == 0 ? CDOP_MESSAGE_MAX : 1000 + 9973 * (n % 7);
		n = fixture_call_of(flood, len);
		sent += len;
	}
	fixture_send(&f, flood);
	/* Its gate waits, and so does the client behind it. */
	assert_true(flood->frame_len > 0);
	while (got < n) {
		assert_in_range(turns_until_answered(modest, 0, 0), 1, 2);
		while ((reply = fixture_reply(&f, flood)) != NULL) {
			assert_int_equal(reply->id, ++got);
			assert_int_equal(reply->status, CDOP_UNIMPLEMENTED);
		}
		assert_false(fixture_is_closed(&f, flood));
		assert_true(modest->last_id < 1000);
	}
	assert_null(fixture_reply(&f, flood));
}

/* A gate that does not wait for the word is broken; others do not feel it. */
static void
more_than_the_window_ends_the_session(void **state)
{
	struct fixture_client *flood, *other;
	size_t i;

	(void)state;
	flood = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	for (i = 0; i < 3; i++) {
		(void)fixture_call_of(flood, 60000);
		flood->given = 0; /* as if it had been told */
		fixture_send(&f, flood);
	}
	fixture_turn(&f);
	assert_true(fixture_is_closed(&f, flood));
	(void)fixture_call(other, CDOP_CALL_Status, NULL);
	fixture_send(&f, other);
	fixture_turn(&f);
	fixture_answers(&f, other, 1, 1);
}

/* The clock of a call stops with its last byte, even if nobody asks for it. */
static void
a_whole_call_that_waits_is_no_drip(void **state)
{
	struct fixture_client *slow;
	size_t i;

	(void)state;
	slow = fixture_sign_in(&f, WORLD_COORDINATOR);
	for (i = 0; i < 190; i++)
		(void)fixture_call(slow, CDOP_CALL_ProfileGet, NULL);
	fixture_send(&f, slow);
	fixture_send_plain(&f, slow, "\x05\x08", 2); /* a call begins */
	fixture_settle(&f);
	/* Now it is a slow reader, and not asked any more. */
	assert_true(slow->got > CDOP_GATE_OUT_MAX);
	fixture_send_plain(&f, slow, "\xbf\x01\x10\x01", 4);
	fixture_turn(&f);
	fixture_pass((CDOP_REQUEST_S + 1) * 1000);
	fixture_turn(&f);
	assert_false(fixture_is_closed(&f, slow));
	fixture_sent(&f, slow);
	fixture_settle(&f);
	fixture_answers(&f, slow, 1, 191);
}

/* ---- without an end ---------------------------------------------------- */

static size_t
answered(struct fixture_client *client)
{
	size_t n = 0;

	fixture_settle(&f);
	while (fixture_reply(&f, client) != NULL)
		n++;
	return n;
}

static void
ask_often(struct fixture_client *client, size_t n)
{
	while (n-- > 0)
		(void)fixture_call(client, CDOP_CALL_Status, NULL);
	fixture_send(&f, client);
}

/* Each call is a leaf, which stays for ever. */
static void
a_device_that_asks_without_an_end_is_slowed(void **state)
{
	struct fixture_client *loop, *other, *again;
	const Cdop__Reply *reply;
	uint64_t leaves;

	(void)state;
	f.calls = 10;
	fixture_restart(&f);
	loop = fixture_sign_in(&f, WORLD_COORDINATOR);
	other = fixture_sign_in(&f, WORLD_ADMIN_1);
	ask_often(loop, 60);
	assert_int_equal(answered(loop), 9); /* and the session */
	assert_in_range(cycle_sleep_ms(f.cycle), 1, 500);
	leaves = audit_size(f.world.reg->audit);
	assert_int_equal(answered(loop), 0);
	assert_int_equal(audit_size(f.world.reg->audit), leaves);
	/* The others do not feel it, and are told. */
	(void)fixture_call(other, CDOP_CALL_Status, NULL);
	fixture_send(&f, other);
	fixture_settle(&f);
	assert_non_null(reply = fixture_reply(&f, other));
	assert_non_null(memmem(reply->body.data, reply->body.len,
	    "at a stretch", strlen("at a stretch")));
	/* Two a second, and none is refused. */
	fixture_pass(2000);
	assert_int_equal(answered(loop), 4);
	fixture_pass(5000);
	assert_int_equal(answered(loop), 10);
	/* Another session is no way round it. */
	leaves = audit_size(f.world.reg->audit);
	again = fixture_greet(
	    &f, WORLD_COORDINATOR, world_keys(WORLD_COORDINATOR).psk);
	fixture_turn(&f);
	fixture_prove(&f, again);
	fixture_settle(&f);
	assert_int_equal(audit_size(f.world.reg->audit), leaves);
}

/* So many leaves there are, in one batch. */
static void
grow(uint64_t size)
{
	struct world *w = &f.world;
	struct audit_entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.call = AUDIT_EVENT_REFUSED;
	entry.time_ms = w->now_ms;
	world_begin(w, 8u << 20, 4096);
	while (audit_size(w->reg->audit) < size) {
		assert_int_equal(
		    audit_append(w->reg->audit, w->arena, &entry, NULL),
		    CDOP_OK);
		cdop_arena_reset(w->arena);
	}
	assert_int_equal(registry_commit(w->reg), CDOP_OK);
}

/* What counts is leaves: many messages of an export have one. */
static void
an_export_is_one_call_to_the_pace(void **state)
{
	struct fixture_client *auditor;

	(void)state;
	f.calls = 3;
	fixture_restart(&f);
	grow(2500);
	auditor = fixture_sign_in(&f, WORLD_AUDITOR);
	(void)fixture_call(auditor, CDOP_CALL_AuditExport, NULL);
	fixture_send(&f, auditor);
	assert_int_equal(answered(auditor), 3);
	(void)fixture_call(auditor, CDOP_CALL_Status, NULL);
	(void)fixture_call(auditor, CDOP_CALL_Status, NULL);
	fixture_send(&f, auditor);
	assert_int_equal(answered(auditor), 1);
}

/* Nor does it wait where calls do. */
static void
an_export_goes_on_while_calls_wait(void **state)
{
	struct fixture_client *auditor;

	(void)state;
	f.calls = 2;
	fixture_restart(&f);
	grow(2500);
	auditor = fixture_sign_in(&f, WORLD_AUDITOR);
	(void)fixture_call(auditor, CDOP_CALL_AuditExport, NULL);
	(void)fixture_call(auditor, CDOP_CALL_Status, NULL);
	fixture_send(&f, auditor);
	assert_int_equal(answered(auditor), 3);
}

/* Some frames of a turn are sealed and find no room: none is lost or turned. */
static void
what_finds_no_room_in_the_link_comes_later(void **state)
{
	const int smallest = IPC_PACKET_MAX / 2 + 64; /* the kernel has two */
	uint64_t first[GREEDY];
	size_t i, k;

	(void)state;
	greedy_sign_in(GREEDY);
	assert_return_code(setsockopt(cycle_link(f.cycle), SOL_SOCKET,
			       SO_SNDBUF, &smallest, sizeof(smallest)),
	    0);
	for (i = 0; i < GREEDY; i++) {
		first[i] = fixture_call(greedy[i], CDOP_CALL_ProfileGet, NULL);
		for (k = 1; k < 8; k++)
			(void)fixture_call(
			    greedy[i], CDOP_CALL_ProfileGet, NULL);
		fixture_send(&f, greedy[i]);
	}
	assert_int_equal(cycle_turn(f.cycle), CDOP_OK);
	assert_true(cycle_wants_write(f.cycle));
	fixture_settle(&f);
	for (i = 0; i < GREEDY; i++)
		fixture_answers(&f, greedy[i], first[i], 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nobody_waits_for_those_who_always_have_more),
	    TEST(a_flood_alone_is_not_slowed_down),
	    TEST(who_comes_while_calls_take_long_waits_for_a_few),
	    TEST(a_turn_has_its_time_and_no_more),
	    TEST(a_batch_grows_again),
	    TEST(eight_MiB_at_once_are_all_answered),
	    TEST(more_than_the_window_ends_the_session),
	    TEST(a_whole_call_that_waits_is_no_drip),
	    TEST(a_device_that_asks_without_an_end_is_slowed),
	    TEST(an_export_is_one_call_to_the_pace),
	    TEST(an_export_goes_on_while_calls_wait),
	    TEST(what_finds_no_room_in_the_link_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
