/*
 * Summaries of an earlier version: made again whole, a few at a time, and
 * never worked on as if they were of this one.
 */
#include "server/registry/cases_renew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/summary.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"
#include "tests/unit/server/rpc/calls.h"

#define OLD (2 * CASES_RENEW_STEP + 3)

static struct world w;
static char reference[OLD][16];

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void
begin(void)
{
	world_begin(&w, 1u << 20, 64);
}

/* One step; commits, or takes it back.  How many were left as they are. */
static size_t
step(bool commits)
{
	size_t left = 0;

	begin();
	assert_int_equal(
	    cases_renew(w.reg->cases, w.arena, w.now_ms, &left), CDOP_OK);
	if (commits) {
		assert_int_equal(rows_commit(w.rows), CDOP_OK);
		undo_commit(w.undo);
	} else {
		rows_abort(w.rows);
		undo_rollback(w.undo);
	}
	return left;
}

static void
make_old(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		(void)snprintf(reference[i], sizeof(reference[i]), "%s",
		    calls_new(&w, WORLD_COORDINATOR,
			world_form(&w, (unsigned)i, "isle-of-man")));
		calls_old_summary(&w, reference[i]);
	}
	world_reopen(&w);
}

static bool
is_found(unsigned n)
{
	return calls_find(&w, WORLD_COORDINATOR,
		   world_form(&w, n, "wirral")->child->family_name, "2024") > 0;
}

static void
they_are_made_again_a_few_at_a_time(void **state)
{
	unsigned i;

	(void)state;
	(void)calls_new(&w, WORLD_COORDINATOR, world_form(&w, 500, "wirral"));
	make_old(OLD);
	assert_int_equal(calls_old_left(&w), OLD);
	assert_false(is_found(0));
	/* What is taken back is to be done again. */
	assert_true(cases_renew_due(w.reg->cases));
	assert_int_equal(step(false), 0);
	assert_int_equal(calls_old_left(&w), OLD);
	for (i = 1; i <= 3; i++) {
		assert_true(cases_renew_due(w.reg->cases));
		assert_int_equal(step(true), 0);
		assert_int_equal(
		    calls_old_left(&w), i < 3 ? OLD - i * CASES_RENEW_STEP : 0);
	}
	assert_false(cases_renew_due(w.reg->cases));
	for (i = 0; i < OLD; i++)
		assert_true(is_found(i));
	/* And so they lie on the disk. */
	world_reopen(&w);
	assert_int_equal(calls_old_left(&w), 0);
	assert_false(cases_renew_due(w.reg->cases));
	assert_true(is_found(0));
	assert_true(is_found(500));
}

/* The summary has to be whole before something is added to it. */
static void
a_change_of_an_old_one_makes_it_whole(void **state)
{
	Cdop__CaseInterestRequest interest;
	Cdop__NotificationMoveRequest move;
	struct calls_tell tell = {.n_decision = 1};
	size_t i;

	(void)state;
	make_old(3);
	/* The record alone, the state alone, and both with a form going. */
	(void)calls_amend(
	    &w, reference[0], 1, "child.first_names", "Anew", NULL, CDOP_OK);
	cdop__case_interest_request__init(&interest);
	interest.reference = reference[1];
	interest.version = 1;
	interest.area = calls_text(&w, "sefton");
	interest.reason = calls_text(&w, "school there");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest,
	    &interest.base, CDOP_OK);
	tell.form = world_form(&w, 600, "wirral");
	tell.decision[0] = calls_decision(
	    &w, reference[2], CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	calls_old_summary(&w, reference[2]);
	world_reopen(&w);
	cdop__notification_move_request__init(&move);
	move.reference = reference[2];
	move.notification = 2;
	move.version = 2;
	move.reason = calls_text(&w, "joined to the wrong child");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &move.base, CDOP_OK);
	for (i = 0; i < 2; i++) {
		assert_int_equal(calls_old_left(&w), 0);
		assert_true(is_found(0) && is_found(1) && is_found(2));
		assert_string_equal(index_word_text(cases_index(w.reg->cases),
					index_at(cases_index(w.reg->cases),
					    calls_slot(&w, reference[0]))
					    ->jurisdiction),
		    "isle-of-man");
		assert_int_equal(index_at(cases_index(w.reg->cases),
				     calls_slot(&w, reference[1]))
				     ->n_interest,
		    1);
		world_reopen(&w);
	}
}

/* A form of it is gone: the others go on, and it stays as it is. */
static void
one_that_cannot_be_read_is_left(void **state)
{
	const struct index_row *row;
	size_t n, i;

	(void)state;
	make_old(2);
	row = index_rows(
	    cases_index(w.reg->cases), calls_slot(&w, reference[0]), &n);
	begin();
	for (i = 0; i < n; i++)
		if (row[i].kind == SCHEMA_KIND_FORM)
			assert_int_equal(
			    rows_del(w.rows, row[i].number), CDOP_OK);
	assert_int_equal(rows_commit(w.rows), CDOP_OK);
	undo_commit(w.undo);
	assert_true(cases_renew_due(w.reg->cases));
	assert_int_equal(step(true), 1);
	assert_int_equal(calls_old_left(&w), 1);
	assert_true(is_found(1));
	/* It is not tried for ever. */
	assert_false(cases_renew_due(w.reg->cases));
}

/* What this version does not know it would lose with the next change. */
static void
a_newer_one_is_not_opened(void **state)
{
	const char *why;

	(void)state;
	make_old(1);
	calls_summary_of_schema(&w, reference[0], SUMMARY_SCHEMA + 1);
	world_close(&w);
	assert_int_equal(world_try_open(&w, &why), CDOP_DATA_LOSS);
	assert_non_null(strstr(why, "newer cdopd"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(they_are_made_again_a_few_at_a_time),
	    TEST(a_change_of_an_old_one_makes_it_whole),
	    TEST(one_that_cannot_be_read_is_left),
	    TEST(a_newer_one_is_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
