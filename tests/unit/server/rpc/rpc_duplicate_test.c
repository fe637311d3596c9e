/*
 * The duplicate question through dispatch: asked, decided, remembered, and
 * hidden from whom it is not for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "server/registry/cases.h"
#include "server/registry/cases_question.h"
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

/* ---- the question ------------------------------------------------------ */

static void
the_same_number_is_asked_about_and_nothing_is_written(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 70, "wirral")};
	char *first;
	uint32_t n;

	(void)state;
	first = calls_new(&w, WORLD_COORDINATOR, tell.form);
	n = calls_count(&w);
	calls_put(&w, tell.form, "child.family_name", "Otherwise");
	reply =
	    calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "possible_duplicate");
	assert_int_equal(reply->n_candidate, 1);
	assert_string_equal(reply->candidate[0]->reference, first);
	assert_string_equal(reply->candidate[0]->reason[0], "same NHS number");
	assert_null(reply->reference);
	assert_int_equal(calls_count(&w), n);
}

static void
joining_changes_nothing_until_somebody_decides(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 71, "wirral")};
	Cdop__Case *found;
	char *first;

	(void)state;
	first = calls_new(&w, WORLD_COORDINATOR, tell.form);
	calls_put(&w, tell.form, "birth.date", "2024-05-15");
	calls_put(&w, tell.form, "notifier.name", "The Registrar");
	tell.decision[0] =
	    calls_decision(&w, first, CDOP__DECISION__JOIN, "the same child");
	tell.n_decision = 1;
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_true(reply->joined);
	assert_string_equal(reply->reference, first);
	assert_int_equal(reply->notification, 2);
	assert_int_equal(reply->version, 1);
	assert_int_equal(reply->n_difference, 1);
	assert_string_equal(reply->difference[0], "birth.date");

	found = calls_show(&w, WORLD_COORDINATOR, first, CDOP_OK);
	assert_int_equal(found->n_notification, 2);
	assert_int_equal(found->record->version, 1);
	assert_int_equal(found->record->form->birth->date->day, 14);
	assert_int_equal(found->n_difference, 1);
	assert_string_equal(found->difference[0], "notification 2 birth.date");
	assert_int_equal(found->n_differing, 1);
	assert_int_equal(found->differing[0]->notification, 2);
	assert_string_equal(found->differing[0]->path, "birth.date");
	assert_string_equal(found->differing[0]->record, "2024-05-14");
	assert_string_equal(found->differing[0]->given, "2024-05-15");

	/* Deciding for what stands there is a decision too. */
	w.now_ms += 1000;
	(void)calls_amend(
	    &w, first, 1, "birth.date", "2024-05-14", NULL, CDOP_OK);
	found = calls_show(&w, WORLD_COORDINATOR, first, CDOP_OK);
	assert_int_equal(found->record->version, 2);
	assert_int_equal(found->n_difference, 0);
}

/* The one path that is to be decided; "" for none. */
static const char *
to_decide(const char *reference)
{
	Cdop__Case *found =
	    calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);

	assert_true(found->n_difference < 2);
	return found->n_difference == 0 ? "" : found->difference[0];
}

static void
correct(const char *reference, uint64_t version, Cdop__Form *form,
    const char *path, const char *typed)
{
	Cdop__NotificationCorrectRequest request;

	w.now_ms += 1000;
	calls_put(&w, form, path, typed);
	cdop__notification_correct_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.notification = 2;
	request.version = version;
	request.form = form;
	request.reason = calls_text(&w, "a slip");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationCorrect,
	    &request.base, CDOP_OK);
}

static void
a_correction_opens_only_what_it_changes(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 172, "wirral")};
	char *first;

	(void)state;
	first = calls_new(&w, WORLD_COORDINATOR, tell.form);
	calls_put(&w, tell.form, "birth.date", "2024-05-15");
	calls_put(&w, tell.form, "child.first_names", "Other");
	tell.decision[0] =
	    calls_decision(&w, first, CDOP__DECISION__JOIN, "the same child");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	w.now_ms += 1000;
	(void)calls_amend(
	    &w, first, 1, "birth.date", "2024-05-14", NULL, CDOP_OK);
	assert_string_equal(
	    to_decide(first), "notification 2 child.first_names");

	/* Another field: what was decided stays so, what was open too. */
	correct(first, 1, tell.form, "notifier.name", "The Registrar");
	correct(first, 2, tell.form, "notifier.name", "The Coroner");
	assert_string_equal(
	    to_decide(first), "notification 2 child.first_names");
	/* Decided with another version of it, each at its time. */
	w.now_ms += 1000;
	(void)calls_amend(
	    &w, first, 2, "child.first_names", "Testa", NULL, CDOP_OK);
	correct(first, 3, tell.form, "notifier.name", "The Registrar");
	assert_string_equal(to_decide(first), "");

	correct(first, 4, tell.form, "birth.date", "2024-05-16");
	assert_string_equal(to_decide(first), "notification 2 birth.date");
	correct(first, 5, tell.form, "notifier.name", "The Coroner");
	assert_string_equal(to_decide(first), "notification 2 birth.date");
	/* Back at what was decided on. */
	correct(first, 6, tell.form, "birth.date", "2024-05-15");
	assert_string_equal(to_decide(first), "");
}

/* A later notification is not decided by what was said before it came. */
static void
a_later_notification_is_open_through_its_corrections(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 173, "wirral")};
	char *first;

	(void)state;
	first = calls_new(&w, WORLD_COORDINATOR, tell.form);
	w.now_ms += 1000;
	(void)calls_amend(
	    &w, first, 1, "birth.date", "2024-05-14", NULL, CDOP_OK);
	w.now_ms += 1000;
	calls_put(&w, tell.form, "birth.date", "2024-05-15");
	tell.decision[0] =
	    calls_decision(&w, first, CDOP__DECISION__JOIN, "the same child");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	correct(first, 1, tell.form, "notifier.name", "The Registrar");
	assert_string_equal(to_decide(first), "notification 2 birth.date");
}

/* A file that says "twin" of the very child that it registers again. */
static void
no_twin_has_the_same_number(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 79, "wirral")};
	char *first;
	size_t n;

	(void)state;
	first = calls_new(&w, WORLD_COORDINATOR, tell.form);
	n = calls_count(&w);
	tell.decision[0] =
	    calls_decision(&w, first, CDOP__DECISION__NEW_SIBLING, "twin");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_int_equal(calls_count(&w), n);
	/* Somebody else's number, typed wrongly into one of the two. */
	tell.decision[0] = calls_decision(&w, first, CDOP__DECISION__NEW_OTHER,
	    "another child, the number is wrong");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_int_equal(calls_count(&w), n + 1);
}

/* Twins: same family, birth, sex, postcode; only the order differs. */
static void
twins_are_asked_about_once(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 72, "wirral")};
	char *one, *two;
	Cdop__Case *found;

	(void)state;
	calls_put(&w, tell.form, "birth.multiplicity", "2");
	calls_put(&w, tell.form, "birth.order", "1");
	one = calls_new(&w, WORLD_COORDINATOR, tell.form);
	calls_put(&w, tell.form, "child.nhs_number", "");
	calls_put(&w, tell.form, "child.first_names", "Testb");
	calls_put(&w, tell.form, "birth.order", "2");
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	tell.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_SIBLING, "twin");
	tell.n_decision = 1;
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	two = reply->reference;
	assert_string_not_equal(one, two);
	assert_false(reply->joined);

	/* The link has two sides and a kind. */
	found = calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK);
	assert_int_equal(found->n_link, 1);
	assert_string_equal(found->link[0]->kind, "multiple_birth");
	assert_string_equal(found->link[0]->reference, two);
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_string_equal(found->link[0]->reference, one);

	/* A second word about twin two: only one question, not two. */
	tell.decision[0] = calls_decision(
	    &w, two, CDOP__DECISION__JOIN, "the registrar's sheet");
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_string_equal(reply->reference, two);
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_int_equal(found->n_link, 1);
}

static void
a_decision_needs_a_reason_and_fits_its_case(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 73, "wirral")};
	char *one;

	(void)state;
	one = calls_new(&w, WORLD_COORDINATOR, tell.form);
	tell.n_decision = 1;
	tell.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_OTHER, " \t");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "reason.needed");
	tell.decision[0] =
	    calls_decision(&w, "K7M4", CDOP__DECISION__JOIN, "why");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "reference.check");
	tell.decision[0] = calls_decision(&w, one, CDOP__DECISION__JOIN, "why");
	tell.decision[1] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_OTHER, "why");
	tell.n_decision = 2;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.twice");
}

/* TRUST M14: nothing tells a coordinator of another area. */
static void
a_child_known_elsewhere_is_taken_in_silence(void **state)
{
	Cdop__NotificationRegisterReply *reply, *fresh;
	struct calls_tell tell = {.form = world_form(&w, 74, "sefton")};
	struct calls_tell other = {.form = world_form(&w, 75, "wirral")};
	Cdop__DuplicatePairsRequest ask;
	Cdop__DuplicatePairsReply *pairs;
	Cdop__CaseLinkRequest link;
	struct world_answer answer;
	char *sefton, *wirral;
	size_t size;
	Cdop__Case *found;

	(void)state;
	sefton = calls_new(&w, WORLD_COORDINATOR, tell.form);
	fresh = calls_tell(&w, WORLD_COORDINATOR_WIRRAL, &other, CDOP_OK);
	size = calls_answer()->result.reply.len;
	tell.form = world_form(&w, 74, "wirral");
	reply = calls_tell(&w, WORLD_COORDINATOR_WIRRAL, &tell, CDOP_OK);
	assert_int_equal(calls_answer()->result.reply.len, size);
	assert_int_equal(reply->n_candidate, 0);
	assert_int_equal(reply->n_missing, fresh->n_missing);
	assert_string_not_equal(reply->reference, sefton);
	wirral = reply->reference;
	found = calls_show(&w, WORLD_COORDINATOR_WIRRAL, wirral, CDOP_OK);
	assert_int_equal(found->n_link, 0);

	/* The pair is for those who work for both. */
	cdop__duplicate_pairs_request__init(&ask);
	world_call(&w, WORLD_COORDINATOR_WIRRAL, CDOP_CALL_DuplicatePairs,
	    &ask.base, &answer);
	pairs =
	    world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
	assert_int_equal(pairs->n_pair, 0);
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_DuplicatePairs, &ask.base,
	    &answer);
	pairs =
	    world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
	assert_int_equal(pairs->n_pair, 1);
	assert_string_equal(pairs->pair[0]->one, wirral);
	assert_string_equal(pairs->pair[0]->other, sefton);
	assert_string_equal(pairs->pair[0]->reason[0], "same NHS number");

	/* And gone once it is decided, also after a start. */
	cdop__case_link_request__init(&link);
	link.reference = sefton;
	link.other = wirral;
	link.kind = calls_text(&w, "not_duplicate");
	link.reason = calls_text(&w, "cousins, number mistyped");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseLinkAdd, &link.base, CDOP_OK);
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseLinkAdd,
	    &link.base, CDOP_ALREADY_EXISTS);
	world_reopen(&w);
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_DuplicatePairs, &ask.base,
	    &answer);
	pairs =
	    world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
	assert_int_equal(pairs->n_pair, 0);
}

/* How many events its history has, and the version of its state. */
static size_t
history_of(const char *reference, uint64_t *ret_version)
{
	Cdop__CaseHistoryRequest request;
	Cdop__CaseHistoryReply *reply;
	struct world_answer answer;

	cdop__case_history_request__init(&request);
	request.reference = calls_text(&w, reference);
	world_call(&w, WORLD_COORDINATOR_WIRRAL, CDOP_CALL_CaseHistory,
	    &request.base, &answer);
	reply = world_body(&w, &answer, &cdop__case_history_reply__descriptor);
	*ret_version =
	    calls_show(&w, WORLD_COORDINATOR_WIRRAL, reference, CDOP_OK)
		->version;
	return reply->n_entry;
}

/* TRUST M14: neither a version nor an event says that there is another. */
static void
a_pair_of_two_areas_leaves_no_mark_on_either_case(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 80, "sefton")};
	Cdop__NotificationCorrectRequest correct;
	Cdop__CaseLinkRequest link;
	char *sefton, *wirral;
	uint64_t first, now;
	size_t n;

	(void)state;
	sefton = calls_new(&w, WORLD_COORDINATOR, tell.form);
	tell.form = world_form(&w, 81, "wirral");
	wirral = calls_new(&w, WORLD_COORDINATOR_WIRRAL, tell.form);
	assert_int_equal(history_of(wirral, &first), 1);

	/* To a number that nobody has, and to that of the other child. */
	calls_number(&w, wirral, 1, 82);
	n = history_of(wirral, &now);
	assert_int_equal(now, first);
	calls_number(&w, wirral, 2, 80);
	assert_int_equal(history_of(wirral, &now), n + 1);
	assert_int_equal(now, first);

	cdop__notification_correct_request__init(&correct);
	correct.reference = wirral;
	correct.notification = 1;
	correct.version = 1;
	correct.form = world_form(&w, 81, "wirral");
	calls_put(&w, correct.form, "child.nhs_number",
	    cdop_form_text(
		world_form(&w, 80, "wirral"), "child.nhs_number", w.arena));
	correct.reason = calls_text(&w, "two digits were swapped");
	(void)calls_change(&w, WORLD_COORDINATOR_WIRRAL,
	    CDOP_CALL_NotificationCorrect, &correct.base, CDOP_OK);
	assert_int_equal(history_of(wirral, &now), n + 2);
	assert_int_equal(now, first);

	/* Nor does the decision of who works for both. */
	cdop__case_link_request__init(&link);
	link.reference = sefton;
	link.other = wirral;
	link.kind = calls_text(&w, "not_duplicate");
	link.reason = calls_text(&w, "cousins");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseLinkAdd, &link.base, CDOP_OK);
	assert_int_equal(history_of(wirral, &now), n + 2);
	assert_int_equal(now, first);
	world_reopen(&w);
	assert_int_equal(history_of(wirral, &now), n + 2);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, wirral, CDOP_OK)->n_link, 1);
}

/* Whatever is mentioned and decided, it has its place in the leaf. */
static void
many_withdrawn_ones_and_all_decisions_fit_one_leaf(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 90, "wirral")};
	Cdop__NotificationRegisterReply *reply;
	Cdop__CaseWithdrawRequest withdraw;
	char *live[CASES_DECISIONS_MAX];
	unsigned i;

	(void)state;
	for (i = 0; i < CDOP_LIST_MAX; i++) {
		tell.form = world_form(&w, 90, "wirral");
		cdop__case_withdraw_request__init(&withdraw);
		withdraw.reference =
		    calls_new(&w, WORLD_COORDINATOR, tell.form);
		withdraw.version = 1;
		withdraw.reason = calls_text(&w, "a test of the portal");
		(void)calls_change(&w, WORLD_COORDINATOR,
		    CDOP_CALL_CaseWithdraw, &withdraw.base, CDOP_OK);
		cdop_arena_reset(w.arena);
	}
	for (i = 0; i <= CASES_DECISIONS_MAX; i++) {
		tell.form = world_form(&w, 90, "wirral");
		reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
		if (i == CASES_DECISIONS_MAX)
			break;
		live[i] = strdup(reply->reference);
		assert_non_null(live[i]);
		cdop_arena_reset(w.arena);
		for (tell.n_decision = 0; tell.n_decision <= i;
		     tell.n_decision++)
			tell.decision[tell.n_decision] =
			    calls_decision(&w, live[tell.n_decision],
				CDOP__DECISION__NEW_OTHER, "another child");
	}
	for (i = 0; i < CASES_DECISIONS_MAX; i++)
		free(live[i]);
}

static void
a_dry_run_checks_everything_and_writes_nothing(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {
	    .form = world_form(&w, 76, "wirral"), .dry = true};
	uint32_t n = calls_count(&w);

	(void)state;
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_true(reply->dry_run);
	assert_null(reply->reference);
	assert_string_equal(reply->owner_area, "wirral");
	assert_true(reply->n_missing > 0);
	assert_int_equal(calls_count(&w), n);
	tell.dry = false;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	tell.dry = true;
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		the_same_number_is_asked_about_and_nothing_is_written),
	    cmocka_unit_test(joining_changes_nothing_until_somebody_decides),
	    cmocka_unit_test(a_correction_opens_only_what_it_changes),
	    cmocka_unit_test(
		a_later_notification_is_open_through_its_corrections),
	    cmocka_unit_test(no_twin_has_the_same_number),
	    cmocka_unit_test(twins_are_asked_about_once),
	    cmocka_unit_test(a_decision_needs_a_reason_and_fits_its_case),
	    cmocka_unit_test(a_child_known_elsewhere_is_taken_in_silence),
	    cmocka_unit_test(a_pair_of_two_areas_leaves_no_mark_on_either_case),
	    cmocka_unit_test(
		many_withdrawn_ones_and_all_decisions_fit_one_leaf),
	    cmocka_unit_test(a_dry_run_checks_everything_and_writes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
