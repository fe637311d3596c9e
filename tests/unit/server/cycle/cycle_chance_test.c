/*
 * Days of chance: calls, streams, calls of many frames, sessions that go in
 * the middle and devices that are ended, under a clock that hurries and
 * stands still.  Whoever stays is answered: everything, once, and begun in
 * the order in which it was asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/cycle/cycle_fixture.h"

#define DAYS      12
#define STEPS     40
#define CALLS_MAX 2048

static struct fixture f;
static uint64_t seed;

/* What a client knows of its calls, by id. */
struct asked {
	struct fixture_client *client; /* NULL: it is gone */
	enum world_who who;
	uint64_t begun; /* the last id of which anything has come */
	bool ended[CALLS_MAX];
};

static struct asked asked[FIXTURE_CLIENTS];
static size_t n_asked;

static unsigned
roll(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void
come(enum world_who who)
{
	struct asked *a;

	if (n_asked == FIXTURE_CLIENTS)
		return;
	a = &asked[n_asked++];
	memset(a, 0, sizeof(*a));
	a->who = who;
	a->client = fixture_sign_in(&f, who);
}

/* Nothing twice, nothing left out, nothing of others. */
static void
hear(struct asked *a)
{
	const Cdop__Reply *reply;

	while ((reply = fixture_reply(&f, a->client)) != NULL) {
		assert_in_range(reply->id, 1, a->client->last_id);
		assert_false(a->ended[reply->id]);
		if (reply->id > a->begun)
			assert_int_equal(reply->id, ++a->begun);
		a->ended[reply->id] = reply->last;
	}
	fixture_sent(&f, a->client);
}

static void
hear_all(void)
{
	size_t i;

	for (i = 0; i < n_asked; i++)
		if (asked[i].client != NULL)
			hear(&asked[i]);
}

static void
ask(struct asked *a)
{
	unsigned n = 1 + roll(roll(4) == 0 ? 64 : 4);

	if (a->client->last_id + n >= CALLS_MAX)
		return;
	while (n-- > 0)
		if (roll(12) == 0)
			(void)fixture_call_of(a->client, 1000 + roll(60000));
		else if (roll(6) == 0)
			(void)fixture_call(
			    a->client, CDOP_CALL_AuditList, NULL);
		else
			(void)fixture_call(a->client, CDOP_CALL_Status, NULL);
	fixture_send(&f, a->client);
}

static void
go(struct asked *a)
{
	fixture_say(&f, a->client->conn, IPC_CLOSED, NULL, 0);
	a->client = NULL;
}

/* Every session of the partner ends in the batch this is in. */
static void
suspend(struct asked *admin)
{
	char reason[] = "left";
	Cdop__SuspendRequest request;
	size_t i;

	cdop__suspend_request__init(&request);
	request.person = WORLD_PARTNER_WIRRAL;
	request.reason = reason;
	(void)fixture_call(admin->client, CDOP_CALL_Suspend, &request.base);
	fixture_send(&f, admin->client);
	for (i = 0; i < 400; i++) {
		fixture_turn(&f);
		hear_all();
		if (admin->ended[admin->client->last_id])
			break;
		fixture_pass(100); /* the gate's word may not come */
	}
	assert_true(admin->ended[admin->client->last_id]);
	for (i = 0; i < n_asked; i++)
		if (asked[i].client != NULL &&
		    asked[i].who == WORLD_PARTNER_WIRRAL)
			asked[i].client = NULL;
}

static void
step(void)
{
	static const uint64_t ticks[] = {0, 0, 1, 5, 40};

	static const enum world_who who[] = {
	    WORLD_COORDINATOR, WORLD_PARTNER_WIRRAL, WORLD_AUDITOR};
	struct asked *a = &asked[roll((unsigned)n_asked)];

	fixture_tick(ticks[roll(5)]);
	if (a->client != NULL)
		ask(a);
	if (roll(3) != 0)
		fixture_turn(&f);
	if (roll(12) == 0 && a != asked && a->client != NULL)
		go(a);
	if (roll(12) == 0) {
		fixture_tick(0);
		hear_all();
		come(who[roll(2) == 0 ? 2 : roll(2)]);
	}
	hear_all();
}

static void
a_day(void)
{
	size_t i;
	uint64_t id;

	n_asked = 0;
	come(WORLD_ADMIN_1);
	come(WORLD_PARTNER_WIRRAL);
	come(WORLD_AUDITOR);
	come(WORLD_AUDITOR);
	for (i = 0; i < STEPS; i++)
		step();
	fixture_tick(1);
	suspend(&asked[0]);
	fixture_tick(0);
	for (i = 0; i < 40; i++) {
		fixture_settle(&f);
		hear_all();
	}
	for (i = 0; i < n_asked; i++)
		for (id = 1;
		     asked[i].client != NULL && id <= asked[i].client->last_id;
		     id++)
			assert_true(asked[i].ended[id]);
}

static void
who_stays_is_answered_everything_once_in_order(void **state)
{
	uint64_t day;

	(void)state;
	for (day = 0; day < DAYS; day++) {
		seed = day * 7919 + 1;
		fixture_start(&f, true, 0);
		a_day();
		fixture_end(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_stays_is_answered_everything_once_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
