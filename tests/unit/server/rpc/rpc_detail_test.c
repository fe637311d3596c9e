/*
 * What history says of a change of the state: from what to what, of whom,
 * and never of a case that the reader may not see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/fields.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;
static struct world_answer answer;

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

static char *
fresh(unsigned n, const char *residence)
{
	return calls_new(&w, WORLD_COORDINATOR, world_form(&w, n, residence));
}

static Cdop__CaseHistoryReply *
history(enum world_who who, const char *reference)
{
	Cdop__CaseHistoryRequest request;

	cdop__case_history_request__init(&request);
	request.reference = calls_text(&w, reference);
	world_call(&w, who, CDOP_CALL_CaseHistory, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return world_body(&w, &answer, &cdop__case_history_reply__descriptor);
}

/* The only detail of an entry. */
static const Cdop__HistoryDetail *
only(const Cdop__CaseHistoryReply *reply, size_t entry, const char *what)
{
	assert_true(entry < reply->n_entry);
	assert_int_equal(reply->entry[entry]->n_detail, 1);
	assert_string_equal(reply->entry[entry]->detail[0]->what, what);
	return reply->entry[entry]->detail[0];
}

static bool
names(const Cdop__CaseHistoryReply *reply, const char *reference)
{
	const Cdop__HistoryDetail *d;
	size_t i, k;

	for (i = 0; i < reply->n_entry; i++)
		for (k = 0; k < reply->entry[i]->n_detail; k++) {
			d = reply->entry[i]->detail[k];
			if (d->reference != NULL &&
			    strcmp(d->reference, reference) == 0)
				return true;
		}
	return false;
}

/* How many cases it names. */
static size_t
logged(const char *reference)
{
	return calls_newest(&w, reference)->n_released;
}

/* ---- changes ----------------------------------------------------------- */

static void
own(const char *reference, uint64_t version, const char *area)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.area = calls_text(&w, area);
	request.reason = calls_text(&w, "lived there");
	request.source = calls_text(&w, "telephone,\nschool");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
}

static void
interest(const char *reference, uint64_t version, bool known, bool remove)
{
	Cdop__CaseInterestRequest request;

	cdop__case_interest_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.area = calls_text(&w, "sefton");
	request.known = known;
	request.has_remove = true;
	request.remove = remove;
	request.reason = calls_text(&w, "placed there");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest,
	    &request.base, CDOP_OK);
}

static void
respond(const char *reference, uint64_t version, uint32_t person)
{
	Cdop__CaseResponsibleRequest request;

	cdop__case_responsible_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.has_person = person != 0;
	request.person = person;
	request.reason = calls_text(&w, "takes over");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, CDOP_OK);
}

static void
tie(const char *one, const char *other, const char *kind)
{
	Cdop__CaseLinkRequest request;

	cdop__case_link_request__init(&request);
	request.reference = calls_text(&w, one);
	request.other = calls_text(&w, other);
	request.kind = calls_text(&w, kind);
	request.reason = calls_text(&w, "the same mother");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseLinkAdd,
	    &request.base, CDOP_OK);
}

/* ---- tests ------------------------------------------------------------- */

static void
a_change_says_from_what_to_what(void **state)
{
	char *reference = fresh(1, "wirral");
	const Cdop__HistoryDetail *d;
	Cdop__CaseHistoryReply *reply;

	(void)state;
	interest(reference, 1, true, false);
	interest(reference, 2, false, false);
	interest(reference, 3, false, true);
	respond(reference, 4, WORLD_COORDINATOR_WIRRAL);
	respond(reference, 5, 0);
	own(reference, 6, "sefton");
	world_reopen(&w);
	reply = history(WORLD_COORDINATOR, reference);
	assert_int_equal(reply->n_entry, 7);
	assert_int_equal(reply->entry[0]->n_detail, 0);
	d = only(reply, 1, "interested");
	assert_string_equal(d->area, "sefton");
	assert_null(d->before);
	assert_string_equal(d->after, "known");
	d = only(reply, 2, "interested");
	assert_string_equal(d->before, "known");
	assert_string_equal(d->after, "not_known");
	d = only(reply, 3, "interested");
	assert_string_equal(d->area, "sefton");
	assert_null(d->after);
	d = only(reply, 4, "responsible");
	assert_null(d->before);
	assert_non_null(strstr(d->after, world_name(WORLD_COORDINATOR_WIRRAL)));
	assert_null(only(reply, 5, "responsible")->after);
	d = only(reply, 6, "owner");
	assert_string_equal(d->before, "wirral");
	assert_string_equal(d->after, "sefton");
	assert_string_equal(reply->entry[6]->source, "telephone, school");
	assert_int_equal(logged(reference), 1);
}

static void
a_link_is_told_of_to_whom_may_see_both(void **state)
{
	char *one = fresh(2, "wirral"), *other = fresh(3, "wirral");
	char *far = fresh(4, "sefton");
	const Cdop__HistoryDetail *d;
	Cdop__CaseHistoryReply *reply;

	(void)state;
	tie(one, other, "siblings");
	w.now_ms += 1000;
	tie(one, far, "same_incident");
	reply = history(WORLD_COORDINATOR, one);
	assert_int_equal(reply->n_entry, 2);
	assert_int_equal(reply->entry[1]->n_detail, 2);
	d = reply->entry[1]->detail[0];
	assert_string_equal(d->what, "linked");
	assert_string_equal(d->kind, "siblings");
	assert_string_equal(d->reference, other);
	assert_false(d->has_at_ms);
	/* Across areas it is no version: it says by itself when and why. */
	d = reply->entry[1]->detail[1];
	assert_string_equal(d->reference, far);
	assert_int_equal(d->person, WORLD_COORDINATOR);
	assert_int_equal(d->at_ms, w.now_ms);
	assert_string_equal(d->reason, "the same mother");
	assert_string_equal(d->person_name, world_name(WORLD_COORDINATOR));
	assert_int_equal(logged(one), 3);
	assert_true(names(history(WORLD_COORDINATOR, far), one));

	reply = history(WORLD_COORDINATOR_WIRRAL, one);
	assert_int_equal(reply->n_entry, 2);
	(void)only(reply, 1, "linked");
	assert_false(names(reply, far));
	assert_int_equal(logged(one), 2);
}

/* The other one went to another area since: why is about that child. */
static void
a_link_with_a_case_that_went_away_says_nothing(void **state)
{
	char *one = fresh(11, "wirral"), *other = fresh(12, "wirral");
	Cdop__CaseOwnerRequest owner;
	Cdop__CaseHistoryReply *reply;

	(void)state;
	tie(one, other, "siblings");
	reply = history(WORLD_COORDINATOR_WIRRAL, one);
	assert_string_equal(reply->entry[1]->what, "linked");
	assert_non_null(reply->entry[1]->reason);
	cdop__case_owner_request__init(&owner);
	owner.reference = other;
	owner.version = 2;
	owner.area = calls_text(&w, "sefton");
	owner.reason = calls_text(&w, "the family moved");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &owner.base, CDOP_OK);
	reply = history(WORLD_COORDINATOR_WIRRAL, one);
	assert_int_equal(reply->n_entry, 2);
	assert_string_equal(reply->entry[1]->what, "changed");
	assert_null(reply->entry[1]->reason);
	assert_int_equal(reply->entry[1]->n_detail, 0);
	reply = history(WORLD_COORDINATOR, one);
	assert_string_equal(reply->entry[1]->what, "linked");
	assert_non_null(reply->entry[1]->reason);
}

/* What was named and left as it was: a difference is decided so. */
static void
what_an_amendment_left_is_named(void **state)
{
	Cdop__Form *form = world_form(&w, 13, "wirral");
	Cdop__CaseHistoryReply *reply;
	char *one;

	(void)state;
	calls_put(&w, form, "death.expected", "no");
	one = calls_new(&w, WORLD_COORDINATOR, form);
	(void)calls_amend(&w, one, 1, "death.expected", "no", NULL, CDOP_OK);
	reply = history(WORLD_COORDINATOR, one);
	assert_int_equal(reply->n_entry, 2);
	assert_int_equal(reply->entry[1]->n_path, 0);
	assert_int_equal(reply->entry[1]->n_decided, 1);
	assert_string_equal(reply->entry[1]->decided[0], "death.expected");
}

/* Made by a registration: an event of nothing, until now. */
static void
a_decision_across_areas_is_in_both_histories(void **state)
{
	char *one = fresh(5, "sefton"), *two;
	struct calls_tell tell = {.n_decision = 1};
	Cdop__CaseHistoryReply *reply;
	Cdop__Case *found;

	(void)state;
	tell.form = world_form(&w, 5, "wirral");
	calls_put(&w, tell.form, "child.nhs_number", "");
	tell.decision[0] = calls_decision(
	    &w, one, CDOP__DECISION__NEW_OTHER, "two of one name");
	two = calls_text(
	    &w, calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK)->reference);
	reply = history(WORLD_COORDINATOR, two);
	assert_string_equal(only(reply, 0, "linked")->reference, one);
	assert_string_equal(
	    only(reply, 0, "linked")->reason, "two of one name");
	reply = history(WORLD_COORDINATOR, one);
	assert_int_equal(reply->n_entry, 1);
	assert_string_equal(
	    only(reply, 0, "linked")->reason, "two of one name");
	assert_string_equal(only(reply, 0, "linked")->reference, two);
	reply = history(WORLD_COORDINATOR_WIRRAL, two);
	assert_int_equal(reply->n_entry, 1);
	assert_int_equal(reply->entry[0]->n_detail, 0);
	found = calls_show(&w, WORLD_COORDINATOR_WIRRAL, two, CDOP_OK);
	assert_int_equal(found->n_link, 0);
}

static void
a_move_says_which_and_where(void **state)
{
	char *one = fresh(6, "wirral"), *far = fresh(7, "sefton");
	struct calls_tell tell = {.n_decision = 1};
	Cdop__NotificationMoveRequest move;
	const Cdop__HistoryDetail *d;
	Cdop__CaseHistoryReply *reply;

	(void)state;
	tell.form = world_form(&w, 6, "wirral");
	tell.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	cdop__notification_move_request__init(&move);
	move.reference = one;
	move.notification = 2;
	move.to_reference = far;
	move.version = 2;
	move.reason = calls_text(&w, "joined to the wrong child");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &move.base, CDOP_OK);
	reply = history(WORLD_COORDINATOR, one);
	d = reply->entry[2]->detail[1];
	assert_string_equal(d->what, "moved_away");
	assert_int_equal(d->notification, 2);
	assert_string_equal(d->reference, far);
	reply = history(WORLD_COORDINATOR, far);
	d = reply->entry[1]->detail[1];
	assert_string_equal(d->what, "moved_in");
	assert_string_equal(d->reference, one);
	assert_string_equal(
	    reply->entry[1]->reason, "joined to the wrong child");
	/* That it went is known here; where to and why is not. */
	reply = history(WORLD_COORDINATOR_WIRRAL, one);
	d = only(reply, 2, "moved_away");
	assert_null(d->reference);
	assert_string_equal(reply->entry[2]->what, "notification moved away");
	assert_null(reply->entry[2]->reason);
	assert_int_equal(logged(one), 1);
	/* Nor of the other one, once that is an area's which has not this. */
	own(one, 3, "sefton");
	own(far, 2, "wirral");
	reply = history(WORLD_COORDINATOR_WIRRAL, far);
	assert_string_equal(reply->entry[1]->what, "notification moved in");
	assert_null(reply->entry[1]->detail[0]->reference);
	assert_null(reply->entry[1]->reason);
}

/* Shown without the notifications, a part of one leaves all the same. */
static void
both_values_of_a_difference_leave_and_are_logged(void **state)
{
	char *one = fresh(8, "wirral");
	struct calls_tell tell = {.n_decision = 1};
	const Cdop__Released *left;
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;

	(void)state;
	tell.form = world_form(&w, 8, "wirral");
	calls_put(&w, tell.form, "mother.family_name", "Othername");
	calls_put(&w, tell.form, "mother.first_names", "Ann");
	tell.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	cdop__case_show_request__init(&request);
	request.reference = calls_text(&w, one);
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &request.base, &answer);
	reply = world_body(&w, &answer, &cdop__case_show_reply__descriptor);
	assert_null(reply->case_->notification[1]->form);
	assert_int_equal(reply->case_->n_differing, 2);
	assert_string_equal(
	    reply->case_->record->person_name, world_name(WORLD_COORDINATOR));
	assert_string_equal(reply->case_->record->value_source[0]->person_name,
	    world_name(WORLD_COORDINATOR));
	assert_string_equal(reply->case_->differing[0]->given, "Othername");
	left = calls_newest(&w, one)->released[0];
	assert_int_equal(left->n_instance, 2);
	assert_int_equal(left->instance[1], 2);
	assert_true(left->classes & CDOP_CLASS_FAMILY_IDENTITY);
	assert_int_equal(left->n_living, 1);
	assert_string_equal(left->living[0]->kind, "mother");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_change_says_from_what_to_what),
	    TEST(a_link_is_told_of_to_whom_may_see_both),
	    TEST(a_link_with_a_case_that_went_away_says_nothing),
	    TEST(what_an_amendment_left_is_named),
	    TEST(a_decision_across_areas_is_in_both_histories),
	    TEST(a_move_says_which_and_where),
	    TEST(both_values_of_a_difference_leave_and_are_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
