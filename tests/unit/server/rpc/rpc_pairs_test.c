/*
 * Pairs that may be one child: every one of them is shown, page by page, and
 * each once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/cases_list.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;

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
register_twice(unsigned n)
{
	struct calls_tell tell = {.form = world_form(&w, n, "sefton")};

	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	tell.form = world_form(&w, n, "wirral");
	(void)calls_tell(&w, WORLD_COORDINATOR_WIRRAL, &tell, CDOP_OK);
	cdop_arena_reset(w.arena);
}

/* A page of them; NULL: the first. */
static const Cdop__DuplicatePairsReply *
pairs_page(enum world_who who, const ProtobufCBinaryData *page)
{
	Cdop__DuplicatePairsRequest ask;
	static struct world_answer answer;

	cdop__duplicate_pairs_request__init(&ask);
	ask.has_page = page != NULL;
	if (page != NULL)
		ask.page = *page;
	world_call(&w, who, CDOP_CALL_DuplicatePairs, &ask.base, &answer);
	return answer.reply->status != CDOP_OK
	    ? NULL
	    : world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
}

static const Cdop__DuplicatePairsReply *
pairs_of(enum world_who who)
{
	return pairs_page(who, NULL);
}

/* Whoever has many that look alike hides none behind them. */
static void
pairs_come_page_by_page(void **state)
{
	const Cdop__DuplicatePairsReply *first, *next;
	unsigned n;
	size_t i;

	(void)state;
	for (n = 0; n < CASES_PAIRS_MAX; n++)
		register_twice(200 + n);
	first = pairs_of(WORLD_COORDINATOR);
	assert_int_equal(first->n_pair, CASES_PAIRS_MAX);
	assert_false(first->more);
	assert_false(first->has_next_page);
	for (i = 0; i < 3; i++)
		register_twice(200 + n++);
	first = pairs_of(WORLD_COORDINATOR);
	assert_int_equal(first->n_pair, CASES_PAIRS_MAX);
	assert_true(first->more);
	next = pairs_page(WORLD_COORDINATOR, &first->next_page);
	assert_int_equal(next->n_pair, 3);
	assert_false(next->more);
	for (i = 0; i < first->n_pair; i++)
		assert_string_not_equal(
		    first->pair[i]->one, next->pair[0]->one);
	assert_null(pairs_page(WORLD_COORDINATOR_WIRRAL, &first->next_page));
	assert_false(pairs_of(WORLD_COORDINATOR_WIRRAL)->more);
}

static void
give_to(const char *reference, const char *area)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version =
	    calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK)->version;
	request.area = calls_text(&w, area);
	request.reason = calls_text(&w, "lived there");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
}

/* Asked by whoever saw the one alone, and later the other alone. */
static void
a_pair_that_both_know_of_is_shown_once(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 60, "sefton")};
	char *one, *other;

	(void)state;
	one = strdup(calls_new(&w, WORLD_COORDINATOR, tell.form));
	tell.form = world_form(&w, 60, "wirral");
	other = strdup(calls_new(&w, WORLD_COORDINATOR_WIRRAL, tell.form));
	give_to(one, "wirral");
	give_to(other, "sefton");
	calls_number(&w, one, 1, 61);
	calls_number(&w, one, 2, 60);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK)->n_link, 1);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, other, CDOP_OK)->n_link, 1);
	assert_int_equal(pairs_of(WORLD_COORDINATOR)->n_pair, 1);
	free(one);
	free(other);
}

/* Nine of them live, of which nobody knows enough. */
static char *
live_nine(struct calls_tell *tell)
{
	char *live[9];
	size_t i, k;

	for (i = 0; i < 9; i++) {
		tell->form = world_form(&w, 90, "wirral");
		tell->n_decision = i;
		for (k = 0; k < i; k++)
			tell->decision[k] = calls_decision(&w, live[k],
			    CDOP__DECISION__NEW_OTHER, "another child");
		live[i] = calls_text(&w,
		    calls_tell(&w, WORLD_COORDINATOR, tell, CDOP_OK)
			->reference);
	}
	return live[0];
}

/* What may be more children than one can decide about has a way in. */
static void
where_too_many_are_asked_about_the_others_wait(void **state)
{
	struct calls_tell tell = {.n_decision = 0};
	Cdop__NotificationMoveRequest move;
	char *first = live_nine(&tell);

	(void)state;
	assert_int_equal(pairs_of(WORLD_COORDINATOR)->n_pair, 0);
	tell.decision[8] = tell.decision[7];
	tell.n_decision = 9;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.too_many");
	assert_non_null(strstr(
	    calls_answer()->reply->violation[0]->message, "join one of them"));
	tell.form = world_form(&w, 90, "wirral");
	tell.decision[0] =
	    calls_decision(&w, first, CDOP__DECISION__JOIN, "to be moved");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	cdop__notification_move_request__init(&move);
	move.reference = first;
	move.notification = 2;
	move.version =
	    calls_show(&w, WORLD_COORDINATOR, first, CDOP_OK)->version;
	move.reason = calls_text(&w, "another child");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &move.base, CDOP_OK);
	assert_int_equal(pairs_of(WORLD_COORDINATOR)->n_pair, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		pairs_come_page_by_page, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_pair_that_both_know_of_is_shown_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		where_too_many_are_asked_about_the_others_wait, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
