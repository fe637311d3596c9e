/* Request keys of the last 30 days: found, undone, forgotten, never twice. */
#include "server/registry/outcomes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/bytes.h"
#include "cdop/limits.h"
#include "server/base/undo.h"

#define DAY_MS 86400000ull
#define NOW_MS (400 * DAY_MS)

struct fixture {
	struct undo *undo;
	struct outcomes *outcomes;
	struct cdop_arena *arena;
};

static int
setup(void **state)
{
	static struct fixture f;

	assert_int_equal(undo_new(1u << 20, &f.undo), CDOP_OK);
	assert_int_equal(outcomes_new(f.undo, &f.outcomes), CDOP_OK);
	assert_int_equal(cdop_arena_new(1u << 16, &f.arena), CDOP_OK);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	outcomes_free(f->outcomes);
	cdop_arena_free(f->arena);
	undo_free(f->undo);
	return 0;
}

static void
key_of(uint64_t n, uint8_t out[static 16])
{
	memset(out, 0, 16);
	cdop_put64(out + 8, n);
}

/* Key number n did thing number `number`. */
static enum cdop_err
add(struct fixture *f, uint32_t person, uint64_t n, uint64_t at_ms,
    uint32_t number)
{
	Cdop__StoredOutcome stored;
	uint8_t key[16], hash[32] = {0};

	key_of(n, key);
	cdop__stored_outcome__init(&stored);
	stored.request_key = (ProtobufCBinaryData){sizeof(key), key};
	stored.request_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	stored.has_number = true;
	stored.number = number;
	return outcomes_add(f->outcomes, person, at_ms, &stored);
}

/* The number that was kept; 0: nothing. */
static uint32_t
found(struct fixture *f, uint32_t person, uint64_t n)
{
	const Cdop__StoredOutcome *stored;
	uint8_t key[16];

	key_of(n, key);
	cdop_arena_reset(f->arena);
	assert_int_equal(
	    outcomes_find(f->outcomes, person, key, f->arena, &stored),
	    CDOP_OK);
	if (stored == NULL)
		return 0;
	assert_memory_equal(stored->request_key.data, key, 16);
	return stored->number;
}

static void
a_key_is_one_persons(void **state)
{
	struct fixture *f = *state;
	uint32_t other;

	assert_int_equal(found(f, 1, 1), 0);
	assert_int_equal(add(f, 1, 1, NOW_MS, 11), CDOP_OK);
	assert_int_equal(add(f, 2, 1, NOW_MS, 21), CDOP_OK);
	assert_int_equal(found(f, 1, 1), 11);
	assert_int_equal(found(f, 2, 1), 21);
	assert_int_equal(found(f, 3, 1), 0);
	assert_int_equal(found(f, 1, 2), 0);
	/* So many that some of them are looked for in the same places. */
	for (other = 3; other < 20000; other++)
		assert_int_equal(found(f, other, 1), 0);
}

static void
the_first_outcome_of_a_key_stays(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, 1, 1, NOW_MS, 11), CDOP_OK);
	assert_int_equal(add(f, 1, 1, NOW_MS + 1, 12), CDOP_OK);
	assert_int_equal(found(f, 1, 1), 11);
	assert_int_equal(outcomes_count(f->outcomes), 1);
}

static void
what_is_taken_back_was_never_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, 1, 1, NOW_MS, 11), CDOP_OK);
	undo_begin(f->undo);
	assert_int_equal(add(f, 1, 2, NOW_MS, 12), CDOP_OK);
	assert_int_equal(add(f, 1, 3, NOW_MS, 13), CDOP_OK);
	/* Later calls of the batch see it. */
	assert_int_equal(found(f, 1, 2), 12);
	undo_rollback(f->undo);
	assert_int_equal(found(f, 1, 1), 11);
	assert_int_equal(found(f, 1, 2), 0);
	assert_int_equal(found(f, 1, 3), 0);
	assert_int_equal(outcomes_count(f->outcomes), 1);

	undo_begin(f->undo);
	assert_int_equal(add(f, 1, 2, NOW_MS, 22), CDOP_OK);
	undo_commit(f->undo);
	assert_int_equal(found(f, 1, 2), 22);
}

/* The same through many sizes of the table, as a start fills it. */
static void
none_is_lost_while_the_table_grows(void **state)
{
	struct fixture *f = *state;
	uint32_t i, n = 10000;

	for (i = n; i > 0; i--)
		assert_int_equal(add(f, i % 7, i, NOW_MS + i, i), CDOP_OK);
	assert_int_equal(outcomes_count(f->outcomes), n);
	for (i = 1; i <= n; i++)
		assert_int_equal(found(f, i % 7, i), i);
	/* Growth inside a batch is taken back with its entries alone. */
	undo_begin(f->undo);
	for (i = n + 1; i <= 2 * n; i++)
		assert_int_equal(add(f, 1, i, NOW_MS + i, i), CDOP_OK);
	undo_rollback(f->undo);
	assert_int_equal(outcomes_count(f->outcomes), n);
	for (i = 1; i <= n; i++)
		assert_int_equal(found(f, i % 7, i), i);
}

/* 30 days from its own date, which may be a day ahead. */
static void
no_key_is_forgotten_while_it_is_good(void **state)
{
	const uint64_t good_ms =
	    CDOP_REQUEST_KEY_DAYS * DAY_MS + CDOP_REQUEST_KEY_AHEAD_S * 1000;
	struct fixture *f = *state;

	assert_int_equal(add(f, 1, 1, NOW_MS, 11), CDOP_OK);
	outcomes_forget(f->outcomes, NOW_MS + good_ms);
	assert_int_equal(found(f, 1, 1), 11);
	outcomes_forget(f->outcomes, NOW_MS + good_ms + 2 * DAY_MS);
	assert_int_equal(found(f, 1, 1), 0);
	assert_int_equal(outcomes_count(f->outcomes), 0);
}

static void
a_few_are_forgotten_at_a_time_oldest_first(void **state)
{
	const uint64_t late_ms = NOW_MS + 40 * DAY_MS;
	struct fixture *f = *state;
	size_t before;
	uint64_t i;

	/* A start reads the log from its newest leaf down. */
	for (i = 20; i > 0; i--)
		assert_int_equal(
		    add(f, 1, i, NOW_MS + i, (uint32_t)i), CDOP_OK);
	assert_int_equal(add(f, 1, 21, late_ms, 21), CDOP_OK);
	do {
		before = outcomes_count(f->outcomes);
		outcomes_forget(f->outcomes, late_ms);
		assert_true(before - outcomes_count(f->outcomes) <= 4);
		/* Whatever is gone is older than whatever is there. */
		for (i = 1; i <= 20; i++)
			assert_int_equal(found(f, 1, i) == 0,
			    i <= 21 - outcomes_count(f->outcomes));
	} while (outcomes_count(f->outcomes) < before);
	assert_int_equal(outcomes_count(f->outcomes), 1);
	assert_int_equal(found(f, 1, 21), 21);
}

static void
a_key_of_another_length_is_no_key(void **state)
{
	struct fixture *f = *state;
	Cdop__StoredOutcome stored;
	uint8_t key[17] = {0}, hash[32] = {0};

	cdop__stored_outcome__init(&stored);
	stored.request_key = (ProtobufCBinaryData){15, key};
	stored.request_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	assert_int_equal(
	    outcomes_add(f->outcomes, 1, NOW_MS, &stored), CDOP_DATA_LOSS);
	stored.request_key.len = 17;
	assert_int_equal(
	    outcomes_add(f->outcomes, 1, NOW_MS, &stored), CDOP_DATA_LOSS);
	assert_int_equal(outcomes_count(f->outcomes), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_key_is_one_persons),
	    TEST(the_first_outcome_of_a_key_stays),
	    TEST(what_is_taken_back_was_never_there),
	    TEST(none_is_lost_while_the_table_grows),
	    TEST(no_key_is_forgotten_while_it_is_good),
	    TEST(a_few_are_forgotten_at_a_time_oldest_first),
	    TEST(a_key_of_another_length_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
