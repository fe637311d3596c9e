/*
 * A walk: what it hands out, less what is gone, is the store at one commit,
 * whatever happened meanwhile.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/vault/rows_core.h"
#include "server/vault/walk_core.h"
#include "tests/unit/server/vault/copy_fixture.h"

#define ROWS_MAX 20000

/* A sink that keeps everything. */
struct kept {
	struct copy_fixture_row row[ROWS_MAX];
	size_t n;
	size_t n_gone;
	uint64_t last; /* number handed out last */
	bool low;      /* rows of incarnation 0 have come */
	bool head;     /* nothing may come any more */
	enum cdop_err answer;
};

static struct copy_fixture c;
static struct kept kept;

static enum cdop_err
keep(void *ctx, const struct walk_row *row)
{
	struct kept *k = ctx;
	bool low = layout_incarnation(row->number) == 0;

	assert_false(k->head);
	assert_true(k->n < ROWS_MAX);
	if (k->answer != CDOP_OK)
		return k->answer;
	k->head = row->number == c.f.rows->s.head_row;
	/* Ahead, then the low ones, then the head row. */
	if (!k->head && low && !k->low)
		k->last = 0;
	assert_true(row->number > k->last && (!k->low || low || k->head));
	k->low = k->low || low;
	k->last = row->number;
	k->row[k->n].number = row->number;
	k->row[k->n].len = row->bytes.len;
	k->row[k->n].bytes = malloc(row->bytes.len);
	assert_non_null(k->row[k->n].bytes);
	memcpy(k->row[k->n].bytes, row->bytes.data, row->bytes.len);
	assert_int_equal(row->head == NULL, row->bytes.data[0] != 1);
	k->n++;
	return CDOP_OK;
}

static enum cdop_err
let_go(void *ctx, uint64_t number)
{
	struct kept *k = ctx;
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->row[i].number == number)
			break;
	assert_true(i < k->n); /* it was handed out before */
	free(k->row[i].bytes);
	k->n--;
	k->n_gone++;
	memmove(&k->row[i], &k->row[i + 1], (k->n - i) * sizeof(k->row[0]));
	return CDOP_OK;
}

static const struct walk_sink sink = {keep, let_go, &kept};

static void
forget(void)
{
	size_t i;

	for (i = 0; i < kept.n; i++)
		free(kept.row[i].bytes);
	memset(&kept, 0, sizeof(kept));
}

static int
setup(void **state)
{
	(void)state;
	copy_fixture_make(&c);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	forget();
	copy_fixture_end(&c);
	return 0;
}

static const struct copy_fixture_row *
kept_row(uint64_t number)
{
	size_t i;

	for (i = 0; i < kept.n; i++)
		if (kept.row[i].number == number)
			return &kept.row[i];
	return NULL;
}

static void
expect_all(void)
{
	const struct copy_fixture_row *row;
	struct copy_fixture_image image;
	size_t i;

	copy_fixture_read(&c, &image);
	assert_int_equal(image.n, kept.n);
	for (i = 0; i < image.n; i++) {
		row = kept_row(image.row[i].number);
		assert_non_null(row);
		assert_int_equal(row->len, image.row[i].len);
		assert_memory_equal(row->bytes, image.row[i].bytes, row->len);
	}
	copy_fixture_drop(&image);
}

static void
a_walk_beside_life_is_of_one_commit(void **state)
{
	static const size_t steps[] = {3, 50, 700};
	struct walk_budget budget;
	struct walk *walk;
	uint64_t done, total;
	unsigned int days;
	bool end;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		budget = copy_fixture_budget(steps[i]);
		assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
		for (end = false, days = 0; !end;) {
			assert_int_equal(
			    walk_step(walk, &budget, &sink, &end), CDOP_OK);
			if (days++ < 30)
				copy_fixture_live(&c);
		}
		copy_fixture_live(&c);
		assert_int_equal(walk_last(walk, &sink), CDOP_OK);
		walk_progress(walk, &done, &total);
		assert_int_equal(done, total);
		walk_free(walk);
		assert_true(kept.head && kept.low && kept.n_gone > 0);
		expect_all();
		forget();
	}
}

/* Each hears of what it has handed out, and of nothing else. */
static void
two_walks_do_not_meet(void **state)
{
	static struct kept other;
	const struct walk_sink aside = {keep, let_go, &other};
	const struct walk_budget budget = copy_fixture_budget(2000);
	struct walk *a, *b;
	bool end;
	size_t i;

	(void)state;
	memset(&other, 0, sizeof(other));
	assert_int_equal(walk_begin(c.f.rows, &a), CDOP_OK);
	assert_int_equal(walk_step(a, &budget, &sink, &end), CDOP_OK);
	assert_int_equal(walk_begin(c.f.rows, &b), CDOP_OK);
	copy_fixture_live(&c);
	assert_int_equal(walk_step(b, &budget, &aside, &end), CDOP_OK);
	copy_fixture_live(&c);
	assert_int_equal(walk_last(a, &sink), CDOP_OK);
	walk_free(a);
	expect_all();
	copy_fixture_live(&c);
	assert_int_equal(walk_last(b, &aside), CDOP_OK);
	walk_free(b);
	forget();
	for (i = 0; i < other.n; i++)
		kept.row[i] = other.row[i];
	kept.n = other.n;
	expect_all();
}

static bool
at_once(void *ctx)
{
	(void)ctx;
	return true;
}

static void
time_and_bytes_end_a_step(void **state)
{
	struct walk_budget budget = copy_fixture_budget(SIZE_MAX);
	struct walk *walk;
	bool end;

	(void)state;
	assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
	budget.spent = at_once;
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	assert_false(end);
	assert_int_equal(kept.n, 8);
	budget = (struct walk_budget){.rows = SIZE_MAX, .bytes = 500};
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	assert_in_range(kept.n, 9, 10);
	walk_free(walk);
}

static void
what_the_sink_says_ends_it(void **state)
{
	const struct walk_budget budget = copy_fixture_budget(100);
	struct walk *walk;
	bool end;

	(void)state;
	assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
	kept.answer = CDOP_UNAVAILABLE;
	assert_int_equal(
	    walk_step(walk, &budget, &sink, &end), CDOP_UNAVAILABLE);
	walk_free(walk);
	copy_fixture_live(&c);
}

/* Somebody holds it, and rows go: it is lost before memory is. */
static void
what_is_noted_has_a_bound(void **state)
{
	const struct walk_budget budget = copy_fixture_budget(2000);
	static const uint8_t term[32];
	struct walk *walk, *fresh;
	size_t i;
	bool end;

	(void)state;
	assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	assert_int_equal(walk_begin(c.f.rows, &fresh), CDOP_OK);
	for (i = 0; i <= WALK_GONE_MAX + 1; i++) {
		if (i % 1000 == 0)
			undo_begin(c.f.rows->undo);
		walk_core_note(
		    c.f.rows->walks, kept.row[0].number, false, term);
		if (i % 1000 == 999)
			undo_commit(c.f.rows->undo);
	}
	undo_rollback(c.f.rows->undo);
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_ABORTED);
	walk_free(walk);
	/* Who has not come there yet is not concerned. */
	forget();
	assert_int_equal(walk_step(fresh, &budget, &sink, &end), CDOP_OK);
	walk_free(fresh);
	copy_fixture_live(&c);
}

/* Nobody hears that a row went who had not heard of it. */
static void
what_comes_next_is_not_gone(void **state)
{
	const struct walk_budget budget = copy_fixture_budget(100);
	static const uint8_t term[32];
	struct walk *walk;
	bool end;

	(void)state;
	assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	undo_begin(c.f.rows->undo);
	walk_core_note(c.f.rows->walks, kept.last + 1, false, term);
	undo_commit(c.f.rows->undo);
	assert_int_equal(walk_step(walk, &budget, &sink, &end), CDOP_OK);
	assert_int_equal(kept.n_gone, 0);
	walk_free(walk);
}

/* Rows of the log have a digest of their own. */
static void
either_digest_that_differs_is_a_loss(void **state)
{
	const struct walk_budget budget = copy_fixture_budget(SIZE_MAX);
	struct layout_head *head = &c.f.rows->s.head;
	uint8_t *const digest[] = {head->digest, head->log_digest};
	struct walk *walk;
	size_t i;
	bool end;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(walk_begin(c.f.rows, &walk), CDOP_OK);
		assert_int_equal(
		    walk_step(walk, &budget, &sink, &end), CDOP_OK);
		digest[i][31] ^= 1;
		assert_int_equal(walk_last(walk, &sink), CDOP_DATA_LOSS);
		digest[i][31] ^= 1;
		walk_free(walk);
		forget();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_walk_beside_life_is_of_one_commit, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		two_walks_do_not_meet, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		time_and_bytes_end_a_step, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_the_sink_says_ends_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_is_noted_has_a_bound, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_comes_next_is_not_gone, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		either_digest_that_differs_is_a_loss, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
