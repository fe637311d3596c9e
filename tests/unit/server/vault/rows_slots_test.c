/* Slots that come and go, and what k of n people open. */
#include "server/vault/rows_slots.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/vault/rows_core.h"
#include "server/vault/shares.h"
#include "tests/unit/server/vault/store_fixture.h"

#define K 3
#define N 5

struct dealt {
	uint16_t number;
	struct cdop_share share[SHAMIR_MAX];
};

static void
deal(struct store_fixture *f, struct dealt *dealt)
{
	const struct slots_set_new plan = {
	    .k = K, .n = N, .holder = {"Dora Director"}};

	store_fixture_begin(f);
	assert_int_equal(rows_slots_add_set(f->rows, "custodians", &plan,
			     &dealt->number, dealt->share),
	    CDOP_OK);
	store_fixture_commit(f);
}

/* S of a subset of them. */
static enum cdop_err
secret_of(const struct dealt *dealt, unsigned subset, uint8_t s[static 32])
{
	struct cdop_share some[N];
	size_t i, n = 0;

	for (i = 0; i < N; i++)
		if ((subset >> i & 1) != 0)
			some[n++] = dealt->share[i];
	return slots_set_combine(some, n, s);
}

static size_t
count(unsigned subset)
{
	size_t n = 0;

	for (; subset != 0; subset >>= 1)
		n += subset & 1;
	return n;
}

static void
check_subsets(struct store_fixture *f, const struct dealt *dealt)
{
	uint8_t s[32];
	unsigned subset;
	size_t slot;

	assert_true(rows_slots_find(f->rows, dealt->number, &slot));
	for (subset = 1; subset < 1u << N; subset++) {
		if (count(subset) < 2)
			continue;
		assert_int_equal(secret_of(dealt, subset, s), CDOP_OK);
		assert_int_equal(rows_prove(f->rows, slot, s),
		    count(subset) >= K ? CDOP_OK : CDOP_UNAUTHENTICATED);
	}
}

static void
every_k_of_n_open_before_and_after_the_root_turns(void **state)
{
	struct store_fixture f;
	struct dealt dealt;
	size_t slot;

	(void)state;
	store_fixture_make(&f);
	deal(&f, &dealt);
	check_subsets(&f, &dealt);
	store_fixture_begin(&f);
	assert_int_equal(rows_keys_root_turn(f.rows), CDOP_OK);
	store_fixture_commit(&f);
	check_subsets(&f, &dealt);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	/* Sealed, and opened by shares alone. */
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	store_fixture_begin(&f);
	assert_int_equal(rows_slots_remove(f.rows, 2), CDOP_OK);
	store_fixture_commit(&f);
	assert_true(rows_slots_find(f.rows, dealt.number, &slot));
	assert_int_equal(slot, 1);
	store_fixture_close(&f);
	assert_int_equal(secret_of(&dealt, 0x1a, f.k[1]), CDOP_OK);
	assert_int_equal(store_fixture_open(&f, slot), CDOP_OK);
	store_fixture_end(&f);
}

static void
shares_come_one_by_one_and_a_bad_one_is_named(void **state)
{
	struct shares_count seen = {0};
	struct store_fixture f;
	struct cdop_share bad;
	struct shares *shares;
	struct dealt dealt;
	uint8_t s[32];
	size_t slot, bit;

	(void)state;
	store_fixture_make(&f);
	deal(&f, &dealt);
	assert_int_equal(shares_new(f.mem, &shares), CDOP_OK);
	assert_true(rows_slots_find(f.rows, dealt.number, &slot));
	for (bit = 0; bit < 256; bit++) {
		bad = dealt.share[0];
		bad.y[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    shares_add(shares, f.rows, &bad, 1, &seen), SHARES_WRONG);
	}
	bad = dealt.share[0];
	bad.x = 2;
	assert_int_equal(
	    shares_add(shares, f.rows, &bad, 1, &seen), SHARES_WRONG);
	bad.x = N + 1;
	assert_int_equal(
	    shares_add(shares, f.rows, &bad, 1, &seen), SHARES_WRONG);
	bad = dealt.share[0];
	bad.set = 1; /* the key file's */
	assert_int_equal(
	    shares_add(shares, f.rows, &bad, 1, &seen), SHARES_NO_SET);
	bad = dealt.share[0];
	bad.registry[3] ^= 1;
	assert_int_equal(
	    shares_add(shares, f.rows, &bad, 1, &seen), SHARES_OTHER);
	assert_int_equal(shares_given(shares, dealt.number), 0);
	assert_int_equal(shares_add(shares, f.rows, &dealt.share[4], 1, &seen),
	    SHARES_TAKEN);
	assert_int_equal(shares_add(shares, f.rows, &dealt.share[4], 2, &seen),
	    SHARES_TWICE);
	assert_int_equal(seen.have, 1);
	assert_int_equal(seen.need, K);
	assert_int_equal(shares_add(shares, f.rows, &dealt.share[0], 3, &seen),
	    SHARES_TAKEN);
	assert_int_equal(
	    shares_secret(shares, dealt.number, s), CDOP_FAILED_PRECONDITION);
	assert_int_equal(shares_add(shares, f.rows, &dealt.share[2], 4, &seen),
	    SHARES_ENOUGH);
	assert_int_equal(shares_secret(shares, dealt.number, s), CDOP_OK);
	assert_int_equal(rows_prove(f.rows, slot, s), CDOP_OK);
	assert_int_equal(shares_given(shares, dealt.number), 0x15);
	shares_free(shares);
	store_fixture_end(&f);
}

/* ---- several schemes ----------------------------------------------------- */

/* The shares of a subset; with the bad one spoilt. */
static size_t
some_of(const struct dealt *dealt, unsigned subset, size_t bad,
    struct cdop_share *out)
{
	size_t i, n = 0;

	for (i = 0; i < SHAMIR_MAX; i++) {
		if ((subset >> i & 1) == 0)
			continue;
		out[n] = dealt->share[i];
		if (i == bad)
			out[n].y[(subset + i) % sizeof(out[n].y)] ^= 0x40;
		n++;
	}
	return n;
}

/* Given one by one: the bad one is named, and the others count. */
static void
expect_named(struct store_fixture *f, const struct cdop_share *some, size_t n,
    uint8_t bad)
{
	struct shares_count seen = {0};
	enum shares_verdict verdict;
	struct shares *shares;
	size_t i;

	assert_int_equal(shares_new(f->mem, &shares), CDOP_OK);
	for (i = 0; i < n; i++) {
		verdict = shares_add(shares, f->rows, &some[i], i + 1, &seen);
		assert_int_equal(verdict == SHARES_WRONG, some[i].x == bad);
		assert_int_equal(shares_look(f->rows, &some[i]) == SHARES_WRONG,
		    some[i].x == bad);
	}
	assert_int_equal(seen.have, n - 1);
	shares_free(shares);
}

static void
check_scheme(struct store_fixture *f, size_t k, size_t n)
{
	const struct slots_set_new plan = {.k = (uint8_t)k, .n = (uint8_t)n};
	struct cdop_share some[SHAMIR_MAX];
	struct dealt dealt;
	unsigned subset;
	size_t slot, bad, given;
	uint8_t s[32];

	store_fixture_begin(f);
	assert_int_equal(rows_slots_add_set(f->rows, "a scheme", &plan,
			     &dealt.number, dealt.share),
	    CDOP_OK);
	store_fixture_commit(f);
	assert_true(rows_slots_find(f->rows, dealt.number, &slot));
	for (subset = 1; subset < 1u << n; subset++) {
		given = some_of(&dealt, subset, SIZE_MAX, some);
		if (given < 2 || given + 1 < k || given > k)
			continue;
		assert_int_equal(slots_set_combine(some, given, s), CDOP_OK);
		assert_int_equal(rows_prove(f->rows, slot, s),
		    given == k ? CDOP_OK : CDOP_UNAUTHENTICATED);
		for (bad = 0; given == k && bad < n; bad++) {
			if ((subset >> bad & 1) == 0)
				continue;
			(void)some_of(&dealt, subset, bad, some);
			assert_int_equal(
			    slots_set_combine(some, k, s), CDOP_OK);
			assert_int_equal(
			    rows_prove(f->rows, slot, s), CDOP_UNAUTHENTICATED);
			expect_named(f, some, k, (uint8_t)(bad + 1));
		}
	}
}

static void
of_every_scheme_k_open_k_less_one_do_not_a_bad_one_is_named(void **state)
{
	static const uint8_t schemes[][2] = {
	    {2, 4}, {2, 6}, {3, 6}, {4, 6}, {5, 8}, {6, 8}};
	struct store_fixture f;
	size_t i;

	(void)state;
	store_fixture_make(&f);
	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		check_scheme(&f, schemes[i][0], schemes[i][1]);
	store_fixture_end(&f);
}

static void
shares_that_wait_too_long_are_forgotten(void **state)
{
	struct shares_count seen = {0};
	struct store_fixture f;
	struct shares *shares;
	struct dealt dealt;

	(void)state;
	store_fixture_make(&f);
	deal(&f, &dealt);
	assert_int_equal(shares_new(f.mem, &shares), CDOP_OK);
	assert_int_equal(
	    shares_add(shares, f.rows, &dealt.share[0], 1000, &seen),
	    SHARES_TAKEN);
	assert_int_equal(shares_add(shares, f.rows, &dealt.share[1],
			     1000 + SHARES_KEPT_MS, &seen),
	    SHARES_TAKEN);
	assert_int_equal(seen.have, 2);
	assert_int_equal(shares_add(shares, f.rows, &dealt.share[2],
			     1001 + 2ull * SHARES_KEPT_MS, &seen),
	    SHARES_TAKEN);
	assert_int_equal(seen.have, 1);
	assert_int_equal(
	    shares_expire(shares, 1001 + 3ull * SHARES_KEPT_MS), 0);
	assert_int_equal(
	    shares_expire(shares, 1002 + 3ull * SHARES_KEPT_MS), 1);
	assert_int_equal(shares_given(shares, dealt.number), 0);
	shares_free(shares);
	store_fixture_end(&f);
}

static void
a_slot_is_added_and_removed_and_never_the_last(void **state)
{
	struct slots_new slot = {
	    .kind = SLOTS_KIND_CREDENTIAL, .label = "credential"};
	uint8_t k[32] = {1, 2, 3};
	struct store_fixture f;
	struct dealt dealt;
	uint16_t number;
	size_t at;

	(void)state;
	store_fixture_make(&f);
	slot.k = k;
	store_fixture_begin(&f);
	assert_int_equal(rows_slots_add(f.rows, &slot, &number), CDOP_OK);
	store_fixture_abort(&f);
	assert_false(rows_slots_find(f.rows, number, &at));
	store_fixture_begin(&f);
	assert_int_equal(rows_slots_add(f.rows, &slot, &number), CDOP_OK);
	store_fixture_commit(&f);
	assert_int_equal(rows_slots_kinds(f.rows, 0), 3);
	assert_int_equal(rows_slots_kinds(f.rows, number), 2);
	assert_true(rows_slots_find(f.rows, number, &at));
	assert_int_equal(rows_prove(f.rows, at, k), CDOP_OK);
	deal(&f, &dealt);
	assert_string_equal(
	    rows_slots_set(f.rows, dealt.number)->holder[0], "Dora Director");
	assert_string_equal(
	    rows_slots_set(f.rows, dealt.number)->holder[1], "share 2");
	store_fixture_begin(&f);
	assert_int_equal(rows_slots_remove(f.rows, dealt.number), CDOP_OK);
	assert_null(rows_slots_set(f.rows, dealt.number));
	store_fixture_abort(&f);
	assert_non_null(rows_slots_set(f.rows, dealt.number));
	store_fixture_begin(&f);
	assert_int_equal(rows_slots_remove(f.rows, dealt.number), CDOP_OK);
	assert_int_equal(rows_slots_remove(f.rows, 1), CDOP_OK);
	assert_int_equal(rows_slots_remove(f.rows, 2), CDOP_OK);
	store_fixture_commit(&f);
	store_fixture_begin(&f);
	assert_int_equal(
	    rows_slots_remove(f.rows, number), CDOP_FAILED_PRECONDITION);
	store_fixture_abort(&f);
	store_fixture_begin(&f);
	assert_int_equal(rows_slots_remove(f.rows, 1), CDOP_NOT_FOUND);
	store_fixture_abort(&f);
	store_fixture_close(&f);
	memcpy(f.k[0], k, sizeof(k));
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	assert_int_equal(rows_slots(f.rows), 1);
	store_fixture_end(&f);
}

/* Written with the set's key, or it is not the set. */
static void
every_flipped_bit_of_a_set_is_found(void **state)
{
	const struct slots_new new = {
	    .kind = SLOTS_KIND_SHARES, .label = "custodians"};
	const struct slots_set_new plan = {.k = K, .n = N};
	uint8_t registry[16] = {9}, root[32] = {8};
	uint8_t slot[SLOTS_ROW], row[SLOTS_SET];
	struct cdop_share shares[SHAMIR_MAX];
	const struct cdop_bytes bytes = {slot, SLOTS_ROW};
	size_t bit;

	(void)state;
	assert_int_equal(slots_make(registry, 7, &new, root, slot), CDOP_OK);
	assert_int_equal(
	    slots_set_make(bytes, root, &plan, row, shares), CDOP_OK);
	for (bit = 0; bit < sizeof(row) * 8; bit++) {
		row[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    slots_set_check(
			(struct cdop_bytes){row, sizeof(row)}, bytes, root),
		    CDOP_DATA_LOSS);
		row[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(
	    slots_set_check((struct cdop_bytes){row, sizeof(row)}, bytes, root),
	    CDOP_OK);
}

static void
what_is_no_plan_is_refused(void **state)
{
	(void)state;
	assert_true(slots_set_is_plan(2, 4));
	assert_true(slots_set_is_plan(14, 16));
	assert_false(slots_set_is_plan(1, 5));
	assert_false(slots_set_is_plan(3, 4));
	assert_false(slots_set_is_plan(15, 16));
	assert_false(slots_set_is_plan(3, 17));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_k_of_n_open_before_and_after_the_root_turns),
	    cmocka_unit_test(shares_come_one_by_one_and_a_bad_one_is_named),
	    cmocka_unit_test(
		of_every_scheme_k_open_k_less_one_do_not_a_bad_one_is_named),
	    cmocka_unit_test(shares_that_wait_too_long_are_forgotten),
	    cmocka_unit_test(a_slot_is_added_and_removed_and_never_the_last),
	    cmocka_unit_test(every_flipped_bit_of_a_set_is_found),
	    cmocka_unit_test(what_is_no_plan_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
