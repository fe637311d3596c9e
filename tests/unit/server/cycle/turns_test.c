/* Whose turn it is: by device, then by session, and how long it is. */
#include "server/cycle/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/cycle/session.h"

#define MS       1000u
#define SESSIONS 6

static struct turns turns;
static struct session session[SESSIONS];

static int
setup(void **state)
{
	(void)state;
	TAILQ_INIT(&turns);
	memset(session, 0, sizeof(session));
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < SESSIONS; i++)
		turns_leave(&turns, &session[i]);
	assert_true(TAILQ_EMPTY(&turns));
	return 0;
}

static void
join(size_t i, uint32_t device)
{
	session[i].peer.device = device;
	assert_int_equal(turns_join(&turns, &session[i]), CDOP_OK);
}

/* The devices, first to last, as digits. */
static unsigned
order(void)
{
	const struct turn *turn;
	unsigned all = 0;

	TAILQ_FOREACH(turn, &turns, entry)
		all = all * 10 + (unsigned)turn->who;
	return all;
}

static void
a_device_has_one_turn_for_all_its_sessions(void **state)
{
	(void)state;
	join(0, 1);
	join(1, 2);
	join(2, 1);
	join(3, 1);
	assert_int_equal(order(), 12);
	assert_int_equal(session[0].turn->n_sessions, 3);
	turns_leave(&turns, &session[0]);
	turns_leave(&turns, &session[0]);
	assert_int_equal(session[3].turn->n_sessions, 2);
	turns_leave(&turns, &session[2]);
	turns_leave(&turns, &session[3]);
	assert_int_equal(order(), 2);
}

/* They have no device yet, and are not all the same one. */
static void
an_invitation_is_a_device_of_its_own(void **state)
{
	(void)state;
	session[0].peer.invitation[7] = 1;
	session[1].peer.invitation[7] = 2;
	session[2].peer.invitation[7] = 1;
	join(0, 0);
	join(1, 0);
	join(2, 0);
	join(3, 1);
	assert_ptr_equal(session[0].turn, session[2].turn);
	assert_ptr_not_equal(session[0].turn, session[1].turn);
	assert_ptr_not_equal(session[0].turn, session[3].turn);
}

static void
who_was_served_last_comes_last(void **state)
{
	struct turn *turn;

	(void)state;
	join(0, 1);
	join(1, 2);
	join(2, 3);
	join(3, 1);
	turns_served(&turns, &session[0], 1);
	assert_int_equal(order(), 231);
	turns_served(&turns, &session[2], 1);
	assert_int_equal(order(), 213);
	/* And of its sessions the same. */
	turn = session[0].turn;
	turns_begin(&turns);
	assert_ptr_equal(turns_next(turn), &session[3]);
	assert_ptr_equal(turns_next(turn), &session[0]);
	assert_ptr_equal(turns_next(turn), &session[3]);
}

/* So many as take a millisecond, of those before; one where that is more. */
static void
a_turn_is_a_time_and_not_a_number(void **state)
{
	const struct turn *turn;
	size_t i;

	(void)state;
	join(0, 1);
	turn = session[0].turn;
	assert_int_equal(turn->each, 1);
	for (i = 0; i < 10; i++)
		turns_served(&turns, &session[0], MS / 10);
	turns_begin(&turns);
	assert_int_equal(turn->each, 10);
	/* Nothing was served: nothing is known that is newer. */
	turns_begin(&turns);
	assert_int_equal(turn->each, 10);
	turns_served(&turns, &session[0], 7 * MS);
	turns_begin(&turns);
	assert_int_equal(turn->each, 1);
	turns_served(&turns, &session[0], 1);
	turns_begin(&turns);
	assert_int_equal(turn->each, 32);
	turns_served(&turns, &session[0], 0);
	turns_begin(&turns);
	assert_int_equal(turn->each, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_device_has_one_turn_for_all_its_sessions),
	    TEST(an_invitation_is_a_device_of_its_own),
	    TEST(who_was_served_last_comes_last),
	    TEST(a_turn_is_a_time_and_not_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
