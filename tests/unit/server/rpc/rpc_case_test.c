/*
 * Cases through dispatch: amended, corrected, moved, withdrawn, handed over
 * and remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/reference.h"
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

static Cdop__ChangeReply *
change(uint32_t method, const ProtobufCMessage *body, enum cdop_err want)
{
	return calls_change(&w, WORLD_COORDINATOR, method, body, want);
}

static char *
fresh(unsigned n, const char *residence)
{
	return calls_new(&w, WORLD_COORDINATOR, world_form(&w, n, residence));
}

/* A second notification of a case, whatever the form says. */
static void
joined(const char *reference, Cdop__Form *form)
{
	struct calls_tell tell = {.form = form, .n_decision = 1};

	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
}

/* ---- amend ------------------------------------------------------------- */

static void
an_old_spelling_still_finds_the_child(void **state)
{
	Cdop__Form *form = world_form(&w, 1, "wirral");
	Cdop__ChangeReply *reply;
	Cdop__Case *found;
	char *reference;

	(void)state;
	calls_put(&w, form, "child.family_name", "Macdonnell");
	reference = calls_new(&w, WORLD_COORDINATOR, form);
	reply = calls_amend(&w, reference, 1, "child.family_name",
	    "Featherstone", NULL, CDOP_OK);
	assert_int_equal(reply->version, 2);
	world_reopen(&w);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "macdonnell", "2024"), 1);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "FEATHERSTONE", "2024"), 1);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "McDonnel", "2024"), 1);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "macdonnell", "2023"), 0);
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_string_equal(
	    found->record->form->child->family_name, "Featherstone");
	assert_string_equal(
	    found->notification[0]->form->child->family_name, "Macdonnell");
}

static void
an_amendment_names_what_it_saw(void **state)
{
	char *reference = fresh(2, "wirral");
	Cdop__ChangeReply *reply;
	Cdop__Case *found;

	(void)state;
	(void)calls_amend(
	    &w, reference, 1, "birth.date", "2024-05-13", NULL, CDOP_OK);
	(void)calls_amend(
	    &w, reference, 2, "child.sex", "2", "place.type", CDOP_OK);
	reply = calls_amend(
	    &w, reference, 1, "birth.date", "2024-05-12", NULL, CDOP_ABORTED);
	assert_int_equal(reply->version, 3);
	assert_int_equal(reply->n_difference, 3);
	assert_string_equal(reply->difference[0], "child.sex");
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_int_equal(found->record->form->birth->date->day, 13);
	assert_true(found->record->form->place == NULL ||
	    found->record->form->place->type == NULL);
}

static void
each_value_keeps_its_source(void **state)
{
	char *reference = fresh(3, "wirral");
	const Cdop__ValueSource *source;
	Cdop__Case *found;
	size_t i, gp = 0;

	(void)state;
	(void)calls_amend(
	    &w, reference, 1, "birth.date", "2024-05-13", NULL, CDOP_OK);
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	for (i = 0; i < found->record->n_value_source; i++) {
		source = found->record->value_source[i];
		if (strcmp(source->path, "birth.date") != 0) {
			assert_string_equal(source->source, "notification 1");
			continue;
		}
		assert_string_equal(source->source, "telephone, GP");
		assert_string_equal(source->reason, "the GP rang");
		gp++;
	}
	assert_int_equal(gp, 1);
}

static void
an_address_never_moves_a_case(void **state)
{
	char *reference = fresh(4, "liverpool");
	Cdop__ChangeReply *reply;
	Cdop__Case *found;

	(void)state;
	reply = calls_amend(
	    &w, reference, 1, "area.residence", "sefton", NULL, CDOP_OK);
	assert_int_equal(reply->n_word, 1);
	assert_string_equal(
	    reply->word[0], "address now in Sefton, owner still Liverpool");
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_string_equal(found->owner_area, "liverpool");
	(void)calls_show(
	    &w, WORLD_COORDINATOR_WIRRAL, reference, CDOP_NOT_FOUND);
}

static void
an_amendment_may_not_touch_how_it_reached_us(void **state)
{
	char *reference = fresh(5, "liverpool");

	(void)state;
	(void)calls_amend(&w, reference, 1, "notifier.name", "Somebody", NULL,
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "record.not_here");
	(void)calls_amend(&w, reference, 1, NULL, NULL, "child.colour",
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "path.unknown");
	(void)calls_amend(
	    &w, reference, 1, NULL, NULL, NULL, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "amend.nothing");
}

static void
an_amended_identity_is_asked_about(void **state)
{
	Cdop__Form *form = world_form(&w, 6, "liverpool");
	Cdop__ChangeReply *reply;
	char *one = fresh(7, "liverpool"), *two;

	(void)state;
	two = calls_new(&w, WORLD_COORDINATOR, form);
	calls_put(&w, form, "child.family_name", "x");
	reply = calls_amend(&w, two, 1, "child.nhs_number",
	    world_form(&w, 7, "liverpool")->child->nhs_number, NULL,
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "possible_duplicate");
	assert_int_equal(reply->n_candidate, 1);
	assert_string_equal(reply->candidate[0]->reference, one);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK)->record->version,
	    1);
}

/* ---- correct and move -------------------------------------------------- */

static void
a_correction_is_a_new_version_and_leaves_the_record(void **state)
{
	Cdop__NotificationCorrectRequest request;
	Cdop__Form *form = world_form(&w, 8, "wirral");
	char *reference = calls_new(&w, WORLD_COORDINATOR, form);
	Cdop__ChangeReply *reply;
	Cdop__Case *found;

	(void)state;
	cdop__notification_correct_request__init(&request);
	request.reference = reference;
	request.notification = 1;
	request.version = 1;
	calls_put(&w, form, "child.first_names", "Testina");
	request.form = form;
	request.reason = calls_text(&w, "misheard");
	w.now_ms += 1000;
	reply = change(CDOP_CALL_NotificationCorrect, &request.base, CDOP_OK);
	assert_int_equal(reply->version, 2);
	assert_int_equal(reply->n_difference, 1);
	assert_string_equal(reply->difference[0], "child.first_names");
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_string_equal(
	    found->notification[0]->form->child->first_names, "Testina");
	assert_string_equal(found->record->form->child->first_names, "Testa");
	/* Who, with which device, when and by which clock, told by whom. */
	assert_int_equal(found->notification[0]->device, WORLD_COORDINATOR);
	assert_int_equal(found->notification[0]->at_ms, w.now_ms);
	assert_string_equal(found->notification[0]->zone, "Europe/London");
	assert_string_equal(
	    found->notification[0]->source_agency, form->notifier->agency);
	assert_null(found->record->source_agency);
	reply =
	    change(CDOP_CALL_NotificationCorrect, &request.base, CDOP_ABORTED);
	assert_int_equal(reply->version, 2);
	request.notification = 2;
	(void)change(
	    CDOP_CALL_NotificationCorrect, &request.base, CDOP_NOT_FOUND);
}

static Cdop__ChangeReply *
move(const char *from, uint32_t notification, const char *to, uint64_t version,
    enum cdop_err want)
{
	Cdop__NotificationMoveRequest request;

	cdop__notification_move_request__init(&request);
	request.reference = calls_text(&w, from);
	request.notification = notification;
	request.to_reference = calls_text(&w, to);
	request.reason = calls_text(&w, "joined to the wrong child");
	request.version = version;
	return change(CDOP_CALL_NotificationMove, &request.base, want);
}

static void
a_wrong_join_is_mended(void **state)
{
	Cdop__Form *form = world_form(&w, 10, "wirral");
	char *one = fresh(9, "wirral"), *two = fresh(11, "wirral");
	Cdop__ChangeReply *reply;
	Cdop__Case *found;

	(void)state;
	calls_put(&w, form, "child.family_name", "Strangename");
	joined(one, form);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "Strangename", "2024"), 1);
	(void)move(one, 2, two, 1, CDOP_ABORTED);
	(void)move(one, 3, two, 2, CDOP_NOT_FOUND);
	(void)move(one, 2, one, 2, CDOP_INVALID_ARGUMENT);
	reply = move(one, 2, two, 2, CDOP_OK);
	assert_int_equal(reply->version, 3);
	assert_string_equal(reply->to_reference, two);

	world_reopen(&w);
	found = calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK);
	assert_int_equal(found->n_notification, 1);
	assert_string_equal(found->link[0]->reference, two);
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_int_equal(found->n_notification, 2);
	assert_string_equal(
	    found->notification[1]->form->child->family_name, "Strangename");
	/* It finds the other case now, and only that. */
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "Strangename", "2024"), 1);
	(void)move(two, 2, NULL, 2, CDOP_OK);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "Strangename", "2024"), 1);
	(void)move(one, 1, two, 3, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "last_notification");
}

static Cdop__Case *
show_version(const char *reference, uint64_t version)
{
	Cdop__CaseShowRequest request;
	struct world_answer answer;
	Cdop__CaseShowReply *reply;

	cdop__case_show_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.has_version = true;
	request.version = version;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &request.base, &answer);
	if (answer.reply->status != CDOP_OK)
		return NULL;
	reply = world_body(&w, &answer, &cdop__case_show_reply__descriptor);
	return reply->case_;
}

/* It has no row of its own until that notification goes. */
static void
the_first_record_outlives_its_notification(void **state)
{
	Cdop__Form *form = world_form(&w, 12, "wirral");
	char *one = calls_new(&w, WORLD_COORDINATOR, form);
	Cdop__NotificationCorrectRequest request;
	Cdop__Case *found;
	size_t pass;

	(void)state;
	joined(one, form);
	(void)calls_amend(
	    &w, one, 1, "child.first_names", "Amended", NULL, CDOP_OK);
	cdop__notification_correct_request__init(&request);
	request.reference = one;
	request.notification = 1;
	request.version = 1;
	calls_put(&w, form, "child.first_names", "Corrected");
	request.form = form;
	request.reason = calls_text(&w, "misheard");
	(void)change(CDOP_CALL_NotificationCorrect, &request.base, CDOP_OK);
	for (pass = 0; pass < 2; pass++) {
		found = show_version(one, 1);
		assert_non_null(found);
		assert_string_equal(
		    found->record->form->child->first_names, "Testa");
		assert_null(found->record->form->notifier);
		assert_string_equal(
		    found->record->value_source[0]->source, "notification 1");
		assert_int_equal(found->record->person, WORLD_COORDINATOR);
		found = show_version(one, 2);
		assert_string_equal(
		    found->record->form->child->first_names, "Amended");
		assert_null(show_version(one, 3));
		assert_null(show_version(one, 0));
		if (pass == 0)
			(void)move(one, 1, NULL, 2, CDOP_OK);
		world_reopen(&w);
	}
}

/* ---- the state --------------------------------------------------------- */

static Cdop__ChangeReply *
withdraw(uint32_t method, const char *reference, uint64_t version,
    enum cdop_err want)
{
	Cdop__CaseWithdrawRequest request;

	cdop__case_withdraw_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.reason = calls_text(&w, "typed in twice");
	return calls_change(&w, WORLD_COORDINATOR, method, &request.base, want);
}

static void
a_withdrawn_case_is_mentioned_and_does_not_stop(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 20, "wirral")};
	char *reference = calls_new(&w, WORLD_COORDINATOR, tell.form);

	(void)state;
	assert_true(calls_lists(&w, WORLD_COORDINATOR, reference));
	(void)withdraw(48, reference, 9, CDOP_ABORTED);
	(void)withdraw(48, reference, 1, CDOP_OK);
	(void)withdraw(48, reference, 2, CDOP_FAILED_PRECONDITION);
	assert_false(calls_lists(&w, WORLD_COORDINATOR, reference));
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_int_equal(reply->n_candidate, 1);
	assert_true(reply->candidate[0]->withdrawn);
	assert_string_not_equal(reply->reference, reference);
	tell.decision[0] =
	    calls_decision(&w, reference, CDOP__DECISION__JOIN, "why");
	tell.n_decision = 1;
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "withdrawn");
}

/* The child was registered anew meanwhile: one of the two has to go. */
static void
a_reinstated_case_is_asked_about(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 61, "wirral")};
	char *first = calls_new(&w, WORLD_COORDINATOR, tell.form), *anew;
	Cdop__ChangeReply *reply;
	Cdop__CaseLinkRequest link;

	(void)state;
	(void)withdraw(48, first, 1, CDOP_OK);
	(void)withdraw(49, first, 2, CDOP_OK);
	assert_true(calls_lists(&w, WORLD_COORDINATOR, first));
	(void)withdraw(48, first, 3, CDOP_OK);
	anew = calls_new(&w, WORLD_COORDINATOR, tell.form);
	reply = withdraw(49, first, 4, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "possible_duplicate");
	assert_int_equal(reply->n_candidate, 1);
	assert_string_equal(reply->candidate[0]->reference, anew);
	assert_false(calls_lists(&w, WORLD_COORDINATOR, first));

	cdop__case_link_request__init(&link);
	link.reference = first;
	link.other = anew;
	link.kind = calls_text(&w, "not_duplicate");
	link.reason = calls_text(&w, "number mistyped");
	reply = change(CDOP_CALL_CaseLinkAdd, &link.base, CDOP_OK);
	(void)withdraw(49, first, reply->version, CDOP_OK);
	assert_true(calls_lists(&w, WORLD_COORDINATOR, first));
}

static void
the_owner_changes_by_its_own_call(void **state)
{
	char *reference = fresh(21, "#nk");
	Cdop__CaseOwnerRequest request;

	(void)state;
	(void)calls_show(
	    &w, WORLD_COORDINATOR_WIRRAL, reference, CDOP_NOT_FOUND);
	cdop__case_owner_request__init(&request);
	request.reference = reference;
	request.version = 1;
	request.area = calls_text(&w, "wirral");
	request.reason = calls_text(&w, "");
	(void)change(CDOP_CALL_CaseOwner, &request.base, CDOP_INVALID_ARGUMENT);
	request.reason = calls_text(&w, "the grandmother's address");
	(void)change(CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
	world_reopen(&w);
	(void)calls_show(&w, WORLD_COORDINATOR_WIRRAL, reference, CDOP_OK);

	/* And away again, by whom it then belongs to. */
	request.version = 2;
	request.area = calls_text(&w, "sefton");
	(void)calls_change(&w, WORLD_COORDINATOR_WIRRAL, CDOP_CALL_CaseOwner,
	    &request.base, CDOP_OK);
	(void)calls_show(
	    &w, WORLD_COORDINATOR_WIRRAL, reference, CDOP_NOT_FOUND);
	request.version = 3;
	(void)change(CDOP_CALL_CaseOwner, &request.base, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "owner.same");
}

static void
somebody_is_responsible_and_lists_his_own(void **state)
{
	static const enum world_who others[] = {WORLD_ADMIN_1,
	    WORLD_PARTNER_WIRRAL, WORLD_AUDITOR, WORLD_PANEL_MEMBER};

	char *reference = fresh(22, "wirral");
	Cdop__CaseResponsibleRequest request;
	Cdop__CaseHistoryRequest history;
	Cdop__CaseHistoryReply *events;
	Cdop__CaseListRequest mine;
	Cdop__CaseListReply *list;
	struct world_answer answer;
	Cdop__Case *shown;
	size_t i;

	(void)state;
	cdop__case_responsible_request__init(&request);
	request.reference = reference;
	request.version = 1;
	request.has_person = true;
	request.person = 4000;
	(void)change(
	    CDOP_CALL_CaseResponsible, &request.base, CDOP_INVALID_ARGUMENT);
	/* Nobody but a coordinator of the area. */
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		request.person = others[i];
		(void)change(CDOP_CALL_CaseResponsible, &request.base,
		    CDOP_INVALID_ARGUMENT);
		assert_string_equal(calls_rule(), "person.unknown");
	}
	request.person = WORLD_COORDINATOR_WIRRAL;
	request.reason = calls_text(&w, "");
	(void)change(
	    CDOP_CALL_CaseResponsible, &request.base, CDOP_INVALID_ARGUMENT);
	request.reason = calls_text(&w, "takes over");
	(void)change(CDOP_CALL_CaseResponsible, &request.base, CDOP_OK);
	cdop__case_history_request__init(&history);
	history.reference = reference;
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_CaseHistory, &history.base,
	    &answer);
	events = world_body(&w, &answer, &cdop__case_history_reply__descriptor);
	assert_string_equal(
	    events->entry[events->n_entry - 1]->reason, "takes over");
	shown = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_string_equal(
	    shown->responsible_name, world_name(WORLD_COORDINATOR_WIRRAL));
	assert_false(shown->responsible_gone);
	cdop__case_list_request__init(&mine);
	mine.has_mine = true;
	mine.mine = true;
	world_call(&w, WORLD_COORDINATOR_WIRRAL, CDOP_CALL_CaseList, &mine.base,
	    &answer);
	list = world_body(&w, &answer, &cdop__case_list_reply__descriptor);
	assert_int_equal(list->n_case_, 1);
	assert_string_equal(list->case_[0]->reference, reference);
}

/* ---- limits and memory ------------------------------------------------- */

static void
a_wrong_reference_reads_like_somebody_elses(void **state)
{
	char *theirs = fresh(50, "sefton"), none[CDOP_REFERENCE_TEXT];
	const enum world_who me = WORLD_COORDINATOR_WIRRAL;
	const char *one;
	uint64_t i = 1;

	(void)state;
	w.now_ms += 3600000; /* another hour for the limit */
	while (!cdop_reference_make(i++, true, none))
		;
	(void)calls_show(&w, me, theirs, CDOP_NOT_FOUND);
	one = calls_answer()->reply->message;
	(void)calls_show(&w, me, none, CDOP_NOT_FOUND);
	assert_string_equal(one, calls_answer()->reply->message);

	/* The profile allows twenty an hour. */
	for (i = 0; i < 18; i++)
		(void)calls_show(&w, me, none, CDOP_NOT_FOUND);
	(void)calls_show(&w, me, theirs, CDOP_RESOURCE_EXHAUSTED);
	assert_string_equal(calls_reason(), "miss_limit");
	(void)calls_show(&w, WORLD_COORDINATOR, theirs, CDOP_OK);
	w.now_ms += 3600000;
	(void)calls_show(&w, me, none, CDOP_NOT_FOUND);
}

static void
history_says_who_when_and_why(void **state)
{
	Cdop__CaseHistoryRequest request;
	Cdop__CaseHistoryReply *reply;
	char *reference = fresh(51, "wirral");
	struct world_answer answer;

	(void)state;
	w.now_ms += 1000;
	joined(reference, world_form(&w, 51, "wirral"));
	w.now_ms += 1000;
	(void)calls_amend(
	    &w, reference, 1, "birth.date", "2024-05-13", NULL, CDOP_OK);
	w.now_ms += 1000;
	(void)withdraw(48, reference, 2, CDOP_OK);
	cdop__case_history_request__init(&request);
	request.reference = reference;
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_CaseHistory, &request.base,
	    &answer);
	reply = world_body(&w, &answer, &cdop__case_history_reply__descriptor);
	assert_int_equal(reply->n_entry, 4);
	assert_string_equal(reply->entry[0]->what, "registered");
	assert_string_equal(reply->entry[1]->what, "joined");
	assert_string_equal(reply->entry[1]->reason, "the same child");
	assert_string_equal(reply->entry[2]->what, "amended");
	assert_string_equal(reply->entry[2]->source, "telephone, GP");
	assert_int_equal(reply->entry[2]->n_path, 1);
	assert_string_equal(reply->entry[2]->path[0], "birth.date");
	assert_string_equal(reply->entry[3]->what, "withdrawn");
	assert_int_equal(reply->entry[3]->person, WORLD_COORDINATOR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_old_spelling_still_finds_the_child),
	    cmocka_unit_test(an_amendment_names_what_it_saw),
	    cmocka_unit_test(each_value_keeps_its_source),
	    cmocka_unit_test(an_address_never_moves_a_case),
	    cmocka_unit_test(an_amendment_may_not_touch_how_it_reached_us),
	    cmocka_unit_test(an_amended_identity_is_asked_about),
	    cmocka_unit_test(
		a_correction_is_a_new_version_and_leaves_the_record),
	    cmocka_unit_test(a_wrong_join_is_mended),
	    cmocka_unit_test(the_first_record_outlives_its_notification),
	    cmocka_unit_test(a_withdrawn_case_is_mentioned_and_does_not_stop),
	    cmocka_unit_test(a_reinstated_case_is_asked_about),
	    cmocka_unit_test(the_owner_changes_by_its_own_call),
	    cmocka_unit_test(somebody_is_responsible_and_lists_his_own),
	    cmocka_unit_test(a_wrong_reference_reads_like_somebody_elses),
	    cmocka_unit_test(history_says_who_when_and_why),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
