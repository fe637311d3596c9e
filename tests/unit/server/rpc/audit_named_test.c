/*
 * Who tried to see a case and was refused stands in the log with the case's
 * reference, so that it is found by whoever asks about that case.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/rpc/calls.h"
#include "tests/unit/server/rpc/people_calls.h"

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
look(enum world_who who, const char *reference, enum cdop_err want)
{
	Cdop__CaseShowRequest request;
	struct world_answer answer;

	cdop__case_show_request__init(&request);
	request.reference = calls_text(&w, reference);
	world_call(&w, who, CDOP_CALL_CaseShow, &request.base, &answer);
	assert_int_equal(answer.reply->status, want);
}

static void
who_was_refused_a_case_is_found_by_the_case(void **state)
{
	Cdop__Form *form = world_form(&w, 80, "sefton");
	char *sefton = calls_new(&w, WORLD_COORDINATOR, form);
	Cdop__AuditListReply *reply;
	size_t before = calls_log(&w, sefton, 0)->n_entry;

	(void)state;
	look(WORLD_COORDINATOR_WIRRAL, sefton, CDOP_NOT_FOUND);
	look(WORLD_ADMIN_1, sefton, CDOP_PERMISSION_DENIED);
	reply = calls_log(&w, sefton, 0);
	assert_int_equal(reply->n_entry, before + 2);
	assert_string_equal(reply->entry[0]->named, sefton);
	assert_int_equal(reply->entry[0]->person, WORLD_ADMIN_1);
	assert_int_equal(reply->entry[0]->n_released, 0);
	assert_string_equal(reply->entry[1]->named, sefton);
	assert_int_equal(reply->entry[1]->person, WORLD_COORDINATOR_WIRRAL);
	assert_int_equal(reply->entry[1]->answered, CDOP_NOT_FOUND);
	assert_int_equal(reply->entry[1]->outcome, CDOP_PERMISSION_DENIED);
}

/* As a person would type it; and what is none is not "nobody". */
static void
however_a_reference_is_typed_it_is_that_case(void **state)
{
	char *own =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 184, "sefton"));
	char typed[] = " t k7m4 qx2q ";
	Cdop__AuditListRequest request;
	struct world_answer answer;
	size_t n = calls_log(&w, own, 0)->n_entry, i;

	(void)state;
	assert_true(n > 0);
	for (i = 0; i < 4; i++) {
		typed[3 + i] = own[2 + i];
		typed[8 + i] = (char)tolower(own[7 + i]);
	}
	assert_int_equal(calls_log(&w, typed, 0)->n_entry, n);
	typed[8] = typed[8] == 'z' ? 'y' : 'z';
	cdop__audit_list_request__init(&request);
	request.reference = calls_text(&w, typed);
	world_call(
	    &w, WORLD_AUDITOR, CDOP_CALL_AuditList, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_string_equal(
	    answer.reply->violation[0]->rule, "reference.check");
}

static void
link_refused(enum world_who who, const char *own, const char *other)
{
	Cdop__CaseLinkRequest request;

	cdop__case_link_request__init(&request);
	request.reference = calls_text(&w, own);
	request.other = calls_text(&w, other);
	request.kind = calls_text(&w, "siblings");
	request.reason = calls_text(&w, "same mother");
	(void)calls_change(
	    &w, who, CDOP_CALL_CaseLinkAdd, &request.base, CDOP_NOT_FOUND);
}

/* It is the other case that he was refused, and not his own. */
static void
who_was_refused_the_second_case_of_a_call_is_found_by_that(void **state)
{
	Cdop__Form *form = world_form(&w, 81, "sefton");
	char *sefton = calls_new(&w, WORLD_COORDINATOR, form);
	char *wirral =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 82, "wirral"));
	struct calls_tell tell = {.form = world_form(&w, 83, "wirral")};
	size_t before = calls_log(&w, sefton, 0)->n_entry, i;
	Cdop__AuditListReply *reply;

	(void)state;
	link_refused(WORLD_COORDINATOR_WIRRAL, wirral, sefton);
	tell.decision[0] =
	    calls_decision(&w, sefton, CDOP__DECISION__JOIN, "the same");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR_WIRRAL, &tell, CDOP_NOT_FOUND);
	reply = calls_log(&w, sefton, 0);
	assert_int_equal(reply->n_entry, before + 2);
	for (i = 0; i < 2; i++) {
		assert_string_equal(reply->entry[i]->named, sefton);
		assert_int_equal(
		    reply->entry[i]->person, WORLD_COORDINATOR_WIRRAL);
		assert_int_equal(
		    reply->entry[i]->outcome, CDOP_PERMISSION_DENIED);
	}
}

static void
about(const char *call, uint32_t person)
{
	const Cdop__AuditEntry *e = calls_audited(&w, call);

	assert_int_equal(e->has_subject_person, person != 0);
	assert_int_equal(e->subject_person, person);
}

static void
suspend(enum world_who who, uint32_t person)
{
	Cdop__SuspendRequest request;
	struct world_answer answer;

	cdop__suspend_request__init(&request);
	request.person = person;
	request.reason = calls_text(&w, "a test");
	world_call(&w, who, CDOP_CALL_Suspend, &request.base, &answer);
	assert_int_not_equal(answer.reply->status, CDOP_OK);
	about("Suspend", person < WORLD_N ? person : 0);
}

/* A wrong string counts against a device, and five of them bar it. */
static void
a_string_that_was_tried_is_found_by_whose_it_is(void **state)
{
	Cdop__PersonActivateRequest request;
	struct world_answer answer;

	(void)state;
	cdop__person_activate_request__init(&request);
	request.device = WORLD_PENDING;
	request.comparison = calls_text(&w, "0000 0000 0000 0000");
	request.has_person = true;
	request.person = WORLD_ANALYST;
	world_call(&w, WORLD_ADMIN_2, CDOP_CALL_PersonActivate, &request.base,
	    &answer);
	assert_int_not_equal(answer.reply->status, CDOP_OK);
	about("PersonActivate", WORLD_PENDING);
}

static void
what_was_asked_against_a_person_is_found_by_the_person(void **state)
{
	Cdop__RevokeRequest request;
	struct world_answer answer;

	(void)state;
	suspend(WORLD_COORDINATOR, WORLD_ANALYST);
	suspend(WORLD_ADMIN_1, 9999);
	cdop__revoke_request__init(&request);
	request.person = WORLD_ANALYST;
	request.reason = calls_text(&w, "a test");
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_PersonRevoke, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_PERMISSION_DENIED);
	about("PersonRevoke", WORLD_ANALYST);
	/* It waits, and is declined: both are about whoever it was for. */
	people_calls_revoke(&w, WORLD_ADMIN_1, &answer);
	about("AdministratorRevoke", WORLD_ADMIN_3);
	(void)calls_decide(&w, WORLD_ADMIN_2, calls_waiting(&w, WORLD_ADMIN_2),
	    false, NULL, CDOP_OK);
	about("Approve", WORLD_ADMIN_3);
}

/* Who is made responsible for a case, or was tried, is found likewise. */
static void
who_is_made_responsible_is_found_by_the_person(void **state)
{
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 84, "wirral"));
	Cdop__CaseResponsibleRequest request;

	(void)state;
	cdop__case_responsible_request__init(&request);
	request.reference = reference;
	request.version = 1;
	request.reason = calls_text(&w, "a test");
	request.has_person = true;
	request.person = WORLD_ANALYST;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, CDOP_INVALID_ARGUMENT);
	about("CaseResponsible", WORLD_ANALYST);
	request.person = WORLD_COORDINATOR_WIRRAL;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, CDOP_OK);
	about("CaseResponsible", WORLD_COORDINATOR_WIRRAL);
}

/* The log takes no free text: only what is a reference stands in it. */
static void
what_is_no_reference_is_not_named(void **state)
{
	Cdop__AuditListReply *reply;
	size_t i;

	(void)state;
	look(WORLD_ADMIN_1, "Tarrant, born 3 March", CDOP_PERMISSION_DENIED);
	look(WORLD_COORDINATOR, "Tarrant, born 3 March", CDOP_INVALID_ARGUMENT);
	reply = calls_log(&w, NULL, 2);
	assert_int_equal(reply->n_entry, 2);
	for (i = 0; i < reply->n_entry; i++) {
		assert_string_equal(reply->entry[i]->call, "CaseShow");
		assert_null(reply->entry[i]->named);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_was_refused_a_case_is_found_by_the_case),
	    cmocka_unit_test(however_a_reference_is_typed_it_is_that_case),
	    cmocka_unit_test(
		who_was_refused_the_second_case_of_a_call_is_found_by_that),
	    cmocka_unit_test(a_string_that_was_tried_is_found_by_whose_it_is),
	    cmocka_unit_test(
		what_was_asked_against_a_person_is_found_by_the_person),
	    cmocka_unit_test(who_is_made_responsible_is_found_by_the_person),
	    cmocka_unit_test(what_is_no_reference_is_not_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
