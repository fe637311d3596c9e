/*
 * One person who begins backups without an end takes nothing from those who
 * need one in years: a bound for each day, and what nobody misses makes room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/actor.h"
#include "server/registry/backups.h"
#include "tests/unit/server/registry/turning.h"

#define DAY_MS (24ull * 60 * 60 * 1000)

static struct world w;
static uint64_t now_ms;
static const struct actor ada = {
    .person = WORLD_ADMIN_1, .device = WORLD_ADMIN_1};
static const struct actor bob = {
    .person = WORLD_ADMIN_2, .device = WORLD_ADMIN_2};

static void
begin_batch(void)
{
	world_begin(&w, 1u << 20, 64);
}

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	now_ms = w.now_ms;
	world_share(&w);
	(void)backups_pump(w.reg->backups, 1000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* One whose client is gone at once. */
static enum backups_fault
begin_as(const struct actor *who, uint32_t *ret_number)
{
	enum backups_fault fault;
	enum cdop_err err;

	begin_batch();
	err = backups_begin(
	    w.reg->backups, w.arena, who, "monday", now_ms, ret_number, &fault);
	if (err != CDOP_OK) {
		assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
		world_roll_back(&w);
		return fault;
	}
	world_commit(&w);
	backups_leave(w.reg->backups, *ret_number);
	(void)backups_pump(w.reg->backups, 2000);
	return fault;
}

static enum backups_fault
begin(uint32_t *ret_number)
{
	return begin_as(&ada, ret_number);
}

static void
so_many_are_begun_within_a_day_and_no_more(void **state)
{
	uint32_t number, i;

	(void)state;
	for (i = 1; i <= BACKUPS_A_DAY; i++) {
		assert_int_equal(
		    begin_as(i % 2 == 0 ? &ada : &bob, &number), BACKUPS_FINE);
		assert_int_equal(number, i);
	}
	assert_int_equal(begin(&number), BACKUPS_OFTEN);
	now_ms += DAY_MS - 1;
	assert_int_equal(begin(&number), BACKUPS_OFTEN);
	now_ms++;
	assert_int_equal(begin(&number), BACKUPS_FINE);
	assert_int_equal(number, BACKUPS_A_DAY + 1);
}

static void
one_person_leaves_some_of_the_day_to_others(void **state)
{
	uint32_t number, i;

	(void)state;
	for (i = 1; i <= BACKUPS_OF_ONE; i++)
		assert_int_equal(begin(&number), BACKUPS_FINE);
	assert_int_equal(begin(&number), BACKUPS_OFTEN);
	assert_int_equal(begin_as(&bob, &number), BACKUPS_FINE);
	assert_int_equal(begin(&number), BACKUPS_OFTEN);
	now_ms += DAY_MS;
	assert_int_equal(begin(&number), BACKUPS_FINE);
}

/* The first is a real one; the others are as a start finds them, and whole. */
static void
fill(void)
{
	char label[] = "x";
	Cdop__StoredBackup stored;
	uint32_t number;

	assert_int_equal(begin(&number), BACKUPS_FINE);
	cdop__stored_backup__init(&stored);
	stored.label = label;
	stored.begun_ms = now_ms;
	stored.has_ended_ms = true;
	stored.ended_ms = now_ms;
	for (number = 2; number <= BACKUPS_MAX; number++) {
		stored.number = number;
		assert_int_equal(
		    backups_load(w.reg->backups, 0, &stored), CDOP_OK);
	}
	(void)backups_pump(w.reg->backups, 3000);
	now_ms += 2 * DAY_MS;
	assert_int_equal(begin(&number), BACKUPS_FULL);
}

/* It made room: in the list, in the file, and for one alone. */
static void
is_gone(uint32_t number)
{
	assert_int_equal(number, BACKUPS_MAX + 1);
	assert_null(backups_find(w.reg->backups, 1));
	assert_int_equal(backups_count(w.reg->backups), BACKUPS_MAX);
	assert_int_equal(backups_at(w.reg->backups, 0)->number, 2);
	assert_int_equal(
	    backups_at(w.reg->backups, BACKUPS_MAX - 1)->number, number);
	now_ms += 2 * DAY_MS;
	assert_int_equal(begin(&number), BACKUPS_FULL);
	world_reopen(&w);
	assert_int_equal(backups_count(w.reg->backups), 1);
	assert_non_null(backups_find(w.reg->backups, BACKUPS_MAX + 1));
}

static void
one_that_was_never_whole_makes_room_after_a_year(void **state)
{
	enum backups_fault fault;
	uint32_t number;

	(void)state;
	fill();
	now_ms += 363 * DAY_MS;
	assert_int_equal(begin(&number), BACKUPS_FULL);
	now_ms += DAY_MS;
	begin_batch();
	assert_int_equal(backups_begin(w.reg->backups, w.arena, &ada, "x",
			     now_ms, &number, &fault),
	    CDOP_OK);
	assert_null(backups_find(w.reg->backups, 1));
	world_roll_back(&w);
	assert_non_null(backups_find(w.reg->backups, 1));
	assert_int_equal(begin(&number), BACKUPS_FINE);
	is_gone(number);
}

static void
one_that_is_said_to_be_destroyed_makes_room(void **state)
{
	struct backups_gone gone = {.number = 1, .by = 4, .second = 9};
	uint32_t number;

	(void)state;
	fill();
	gone.now_ms = now_ms;
	begin_batch();
	assert_int_equal(
	    backups_destroyed(w.reg->backups, w.arena, &gone), CDOP_OK);
	world_commit(&w);
	assert_int_equal(begin(&number), BACKUPS_FINE);
	is_gone(number);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(so_many_are_begun_within_a_day_and_no_more),
	    TEST(one_person_leaves_some_of_the_day_to_others),
	    TEST(one_that_was_never_whole_makes_room_after_a_year),
	    TEST(one_that_is_said_to_be_destroyed_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
