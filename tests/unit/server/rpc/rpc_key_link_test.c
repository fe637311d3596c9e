/*
 * The link key through dispatch: more devices that have not learnt the next
 * one than an act has words are no reason against its turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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

/* Asks for it; the act as the second person is shown it. */
static Cdop__Approval *
ask(Cdop__KeyWhat what)
{
	Cdop__KeyRotateRequest request;
	struct world_answer answer;
	char why[] = "it was stolen";
	Cdop__Approval *act;

	cdop__key_rotate_request__init(&request);
	request.what = what;
	request.reason = why;
	world_call(
	    &w, WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_string_equal(answer.reply->reason, "second_person");
	act = calls_waiting(&w, WORLD_ADMIN_2);
	assert_non_null(act);
	return act;
}

static void
many_who_have_not_learnt_it_are_counted_and_some_named(void **state)
{
	Cdop__Approval *act;
	unsigned all, more;
	size_t named = 0, i;

	(void)state;
	act = ask(CDOP__KEY_WHAT__KEY_LINK);
	(void)calls_approve(&w, WORLD_ADMIN_2, act, CDOP_OK);
	act = ask(CDOP__KEY_WHAT__KEY_LINK_TURN);
	assert_int_equal(sscanf(act->words[1], "%u devices", &all), 1);
	for (i = 2; i < act->n_words; i++)
		named += strncmp(act->words[i], "not learnt: ", 12) == 0;
	assert_true(named < all);
	assert_int_equal(
	    sscanf(act->words[2 + named], "and %u more", &more), 1);
	assert_int_equal(named + more, all);
	assert_string_equal(
	    act->words[act->n_words - 1], "reason: it was stolen");
	(void)calls_approve(&w, WORLD_ADMIN_2, act, CDOP_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		many_who_have_not_learnt_it_are_counted_and_some_named, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
