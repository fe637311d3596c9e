/*
 * The log key through dispatch: two administrators turn it, and two accept a
 * restore; before that nothing else is served (RECORDS M10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "server/registry/checkpoints.h"
#include "server/registry/people.h"
#include "server/registry/restored.h"
#include "server/registry/statements.h"
#include "tests/unit/server/world.h"

static struct world world;

static char why[] = "a year has passed";

static int
make(void **state)
{
	(void)state;
	world_make(&world);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

static uint32_t
call(enum world_who who, uint32_t method, const ProtobufCMessage *body,
    struct world_answer *answer)
{
	world_call(&world, who, method, body, answer);
	assert_int_equal(answer->failed, CDOP_OK);
	return answer->reply->status;
}

static void
rotate(enum world_who who, struct world_answer *answer)
{
	Cdop__LogKeyRotateRequest request;

	cdop__log_key_rotate_request__init(&request);
	request.reason = why;
	(void)call(who, CDOP_CALL_LogKeyRotate, &request.base, answer);
}

static void
accept(enum world_who who, struct world_answer *answer)
{
	Cdop__RestoreAcceptRequest request;

	cdop__restore_accept_request__init(&request);
	request.reason = why;
	(void)call(who, CDOP_CALL_RestoreAccept, &request.base, answer);
}

static Cdop__ApprovalListReply *
waiting(enum world_who who)
{
	Cdop__ApprovalListRequest request;
	struct world_answer answer;

	cdop__approval_list_request__init(&request);
	assert_int_equal(
	    call(who, CDOP_CALL_ApprovalList, &request.base, &answer), CDOP_OK);
	return world_body(
	    &world, &answer, &cdop__approval_list_reply__descriptor);
}

/* The act that waits, approved as that person's client does it. */
static uint32_t
approve(enum world_who who)
{
	Cdop__ApprovalListReply *list = waiting(who);
	struct world_answer answer;

	assert_int_equal(list->n_approval, 1);
	world_decide(&world, who, list->approval[0], true, NULL, &answer);
	return answer.reply->status;
}

static enum cdop_err
mark_without(const struct restored_suspend *suspend)
{
	const struct restored_mark_args args = {
	    .by = "Olga Operator",
	    .reason = "the disk died",
	    .suspend = suspend,
	    .now_ms = world.now_ms,
	};
	const char *why_not;

	return restored_mark(world.reg, world.arena, &args, &why_not);
}

static enum cdop_err
mark(void)
{
	return mark_without(NULL);
}

static void
the_log_key_turns_with_two_administrators(void **state)
{
	struct world_answer answer;
	uint8_t before[32];

	(void)state;
	memcpy(before, checkpoints_key(world.reg->checkpoints), 32);
	rotate(WORLD_ADMIN_1, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->has_approval);
	assert_int_equal(world.reg->statements->n, 0);
	assert_int_equal(approve(WORLD_ADMIN_1), CDOP_FAILED_PRECONDITION);
	assert_int_equal(world.reg->statements->n, 0);
	assert_int_equal(approve(WORLD_ADMIN_2), CDOP_OK);
	assert_int_equal(world.reg->statements->n, 1);
	assert_memory_not_equal(
	    checkpoints_key(world.reg->checkpoints), before, 32);
}

/* It was asked about the key of then. */
static void
a_turn_in_between_voids_the_turn_that_waits(void **state)
{
	struct world_answer answer;

	(void)state;
	rotate(WORLD_ADMIN_1, &answer);
	assert_true(answer.reply->has_approval);
	{
		const struct statements_args args = {
		    .by = {"1 One", "2 Two"},
		    .n_by = 2,
		    .reason = "in between",
		    .now_ms = world.now_ms,
		};
		struct cdop_bytes note;

		world_begin(&world, 65536, 8);
		assert_int_equal(
		    statements_turn(world.reg, world.arena, &args, &note),
		    CDOP_OK);
		assert_int_equal(registry_commit(world.reg), CDOP_OK);
	}
	assert_int_equal(approve(WORLD_ADMIN_2), CDOP_ABORTED);
	assert_int_equal(world.reg->statements->n, 1);
}

/* Said when it is asked, not when a second person has come for it. */
static void
a_key_that_turned_enough_is_not_asked_for(void **state)
{
	static char reason[4 * CDOP_REASON_MAX + 1];
	const struct statements_args args = {
	    .by = {"1 One", "2 Two"},
	    .n_by = 2,
	    .reason = reason,
	    .now_ms = world.now_ms,
	};
	struct world_answer answer;
	struct cdop_bytes note;
	size_t i;

	(void)state;
	for (i = 0; i < CDOP_REASON_MAX; i++)
		memcpy(reason + 4 * i, "\xf0\x90\x8d\x88", 4);
	while (statements_may_turn(world.reg)) {
		world_begin(&world, 1u << 20, 8);
		assert_int_equal(
		    statements_turn(world.reg, world.arena, &args, &note),
		    CDOP_OK);
		assert_int_equal(registry_commit(world.reg), CDOP_OK);
	}
	rotate(WORLD_ADMIN_1, &answer);
	assert_int_equal(answer.reply->status, CDOP_RESOURCE_EXHAUSTED);
	assert_string_equal(answer.reply->reason, "turned_enough");
	assert_false(answer.reply->has_approval);
}

static void
a_reason_is_one_line(void **state)
{
	struct world_answer answer;
	Cdop__LogKeyRotateRequest request;
	char two[] = "one\atwo", none[] = "";

	(void)state;
	cdop__log_key_rotate_request__init(&request);
	request.reason = two;
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_LogKeyRotate, &request.base, &answer),
	    CDOP_INVALID_ARGUMENT);
	request.reason = none;
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_LogKeyRotate, &request.base, &answer),
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(answer.reply->violation[0]->path, "reason");
}

static void
a_restored_registry_serves_status_and_its_acceptance(void **state)
{
	Cdop__RestoreViewRequest view_request;
	Cdop__CaseListRequest list_request;
	Cdop__StatusRequest status_request;
	Cdop__RestoreViewReply *view;
	struct world_answer answer;

	(void)state;
	assert_int_equal(mark(), CDOP_OK);
	world_reopen(&world);
	cdop__status_request__init(&status_request);
	assert_int_equal(call(WORLD_COORDINATOR, CDOP_CALL_Status,
			     &status_request.base, &answer),
	    CDOP_OK);
	cdop__case_list_request__init(&list_request);
	assert_int_equal(call(WORLD_COORDINATOR, CDOP_CALL_CaseList,
			     &list_request.base, &answer),
	    CDOP_FAILED_PRECONDITION);
	rotate(WORLD_ADMIN_1, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	cdop__restore_view_request__init(&view_request);
	assert_int_equal(call(WORLD_ADMIN_1, CDOP_CALL_RestoreView,
			     &view_request.base, &answer),
	    CDOP_OK);
	view =
	    world_body(&world, &answer, &cdop__restore_view_reply__descriptor);
	assert_string_equal(view->by, "Olga Operator");
	assert_null(view->lost);
	accept(WORLD_ADMIN_1, &answer);
	assert_true(answer.reply->has_approval);
	assert_int_equal(approve(WORLD_ADMIN_1), CDOP_FAILED_PRECONDITION);
	assert_int_equal(world.reg->state, CDOP_STATE_RESTORED);
	assert_int_equal(approve(WORLD_ADMIN_2), CDOP_OK);
	assert_int_equal(world.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(call(WORLD_COORDINATOR, CDOP_CALL_CaseList,
			     &list_request.base, &answer),
	    CDOP_OK);
	accept(WORLD_ADMIN_1, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
}

/* What was asked for in better days waits for them. */
static void
an_older_request_does_not_wait_in_state_restored(void **state)
{
	struct world_answer answer;

	(void)state;
	rotate(WORLD_ADMIN_1, &answer);
	assert_true(answer.reply->has_approval);
	assert_int_equal(mark(), CDOP_OK);
	world_reopen(&world);
	assert_int_equal(waiting(WORLD_ADMIN_2)->n_approval, 0);
	assert_int_equal(world.reg->statements->n, 0);
}

static bool
has_words(const Cdop__Approval *act, const char *words)
{
	size_t i;

	for (i = 0; i < act->n_words; i++)
		if (strcmp(act->words[i], words) == 0)
			return true;
	return false;
}

static Cdop__RestoreViewReply *
view(void)
{
	Cdop__RestoreViewRequest request;
	struct world_answer answer;

	cdop__restore_view_request__init(&request);
	assert_int_equal(
	    call(WORLD_ADMIN_1, CDOP_CALL_RestoreView, &request.base, &answer),
	    CDOP_OK);
	return world_body(
	    &world, &answer, &cdop__restore_view_reply__descriptor);
}

/* Both administrators see who, the dismissed one does not even sign in. */
static void
who_is_left_out_is_shown_to_those_who_accept(void **state)
{
	static const struct restored_suspend suspend = {
	    .whom = {{"13", false}, {"9", true}}, .n = 2};
	struct world_answer answer;
	Cdop__RestoreViewReply *shown;
	Cdop__ApprovalListReply *list;

	(void)state;
	assert_int_equal(WORLD_ADMIN_3, 13);
	assert_int_equal(WORLD_CUSTODIAN, 9);
	assert_int_equal(mark_without(&suspend), CDOP_OK);
	world_reopen(&world);
	shown = view();
	assert_int_equal(shown->n_suspended, 2);
	assert_int_equal(shown->suspended[0]->person, 13);
	assert_string_equal(shown->suspended[0]->name,
	    people_person(world.reg->people, 13)->name);
	assert_false(shown->suspended[0]->has_device);
	assert_int_equal(shown->suspended[1]->person, 9);
	assert_int_equal(shown->suspended[1]->device, 9);
	assert_int_equal(shown->n_administrator, 2);
	assert_int_equal(shown->administrator[0]->person, WORLD_ADMIN_1);
	assert_int_equal(shown->administrator[1]->person, WORLD_ADMIN_2);
	accept(WORLD_ADMIN_3, &answer);
	assert_int_not_equal(answer.reply->status, CDOP_OK);
	accept(WORLD_ADMIN_1, &answer);
	list = waiting(WORLD_ADMIN_2);
	assert_int_equal(list->n_approval, 1);
	assert_true(has_words(list->approval[0],
	    cdop_arena_printf(world.arena,
		"suspended on the host: 13 %s, device 9 of 9 %s",
		people_person(world.reg->people, 13)->name,
		people_person(world.reg->people, 9)->name)));
	assert_true(has_words(list->approval[0],
	    cdop_arena_printf(world.arena, "administrators in it: 1 %s, 2 %s",
		people_person(world.reg->people, 1)->name,
		people_person(world.reg->people, 2)->name)));
	assert_int_equal(approve(WORLD_ADMIN_2), CDOP_OK);
	assert_int_equal(world.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(people_person(world.reg->people, 13)->state,
	    CDOP__PERSON_STATE__PERSON_SUSPENDED);
}

/* Nothing is done to them, and two may lift it without knowing otherwise. */
static void
who_was_suspended_before_is_shown_as_that(void **state)
{
	static const struct restored_suspend suspend = {
	    .whom = {{"13", false}, {"9", true}}, .n = 2};
	struct world_answer answer;
	Cdop__RestoreViewReply *shown;

	(void)state;
	assert_int_equal(mark_without(&suspend), CDOP_OK);
	world_reopen(&world);
	assert_false(view()->suspended[0]->before);
	accept(WORLD_ADMIN_1, &answer);
	assert_int_equal(approve(WORLD_ADMIN_2), CDOP_OK);
	assert_int_equal(world.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(mark_without(&suspend), CDOP_OK);
	world_reopen(&world);
	shown = view();
	assert_int_equal(shown->n_suspended, 2);
	assert_int_equal(shown->suspended[0]->person, 13);
	assert_true(shown->suspended[0]->before);
	assert_int_equal(shown->suspended[1]->device, 9);
	assert_true(shown->suspended[1]->before);
	accept(WORLD_ADMIN_1, &answer);
	assert_true(has_words(waiting(WORLD_ADMIN_2)->approval[0],
	    cdop_arena_printf(world.arena,
		"suspended on the host: 13 %s (suspended before), device 9 "
		"of 9 %s (suspended before)",
		people_person(world.reg->people, 13)->name,
		people_person(world.reg->people, 9)->name)));
}

static void
more_than_can_be_named_are_counted(void **state)
{
	static const struct restored_suspend suspend = {
	    .whom = {{"3", false}, {"4", false}, {"5", false}, {"6", false},
		{"7", false}, {"8", false}, {"9", false}, {"10", false},
		{"13", false}},
	    .n = 9};
	struct world_answer answer;
	Cdop__ApprovalListReply *list;
	const char *words;
	size_t i, found = 0;

	(void)state;
	assert_int_equal(mark_without(&suspend), CDOP_OK);
	world_reopen(&world);
	assert_int_equal(view()->n_suspended, 9);
	accept(WORLD_ADMIN_1, &answer);
	list = waiting(WORLD_ADMIN_2);
	for (i = 0; i < list->approval[0]->n_words; i++) {
		words = list->approval[0]->words[i];
		found += strstr(words, "suspended on the host: 3 ") == words &&
		    strstr(words, " and 1 more") != NULL;
	}
	assert_int_equal(found, 1);
}

static void
that_nobody_is_left_out_is_said(void **state)
{
	struct world_answer answer;

	(void)state;
	assert_int_equal(mark(), CDOP_OK);
	world_reopen(&world);
	assert_int_equal(view()->n_suspended, 0);
	accept(WORLD_ADMIN_1, &answer);
	assert_true(has_words(waiting(WORLD_ADMIN_2)->approval[0],
	    "nobody was suspended on the host"));
}

/* The host leaves out one more: who asked before did not ask for that. */
static void
what_waited_to_be_accepted_is_asked_anew(void **state)
{
	static const struct restored_suspend suspend = {
	    .whom = {{"13", false}}, .n = 1};
	struct world_answer answer;

	(void)state;
	assert_int_equal(mark(), CDOP_OK);
	world_reopen(&world);
	accept(WORLD_ADMIN_3, &answer);
	assert_true(answer.reply->has_approval);
	assert_int_equal(mark_without(&suspend), CDOP_OK);
	world_reopen(&world);
	assert_int_equal(waiting(WORLD_ADMIN_2)->n_approval, 0);
	assert_int_equal(world.reg->state, CDOP_STATE_RESTORED);
	/* And both are told why it was restored to begin with. */
	assert_string_equal(view()->first->by, "Olga Operator");
	assert_string_equal(view()->first->reason, "the disk died");
	accept(WORLD_ADMIN_1, &answer);
	assert_true(has_words(waiting(WORLD_ADMIN_2)->approval[0],
	    "restored on the host first by Olga Operator: the disk died"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_log_key_turns_with_two_administrators),
	    TEST(a_turn_in_between_voids_the_turn_that_waits),
	    TEST(a_key_that_turned_enough_is_not_asked_for),
	    TEST(a_reason_is_one_line),
	    TEST(a_restored_registry_serves_status_and_its_acceptance),
	    TEST(an_older_request_does_not_wait_in_state_restored),
	    TEST(who_is_left_out_is_shown_to_those_who_accept),
	    TEST(who_was_suspended_before_is_shown_as_that),
	    TEST(more_than_can_be_named_are_counted),
	    TEST(that_nobody_is_left_out_is_said),
	    TEST(what_waited_to_be_accepted_is_asked_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
