/*
 * Whatever way a case leaves, the log names it, with what was told of it:
 * what is missing there is missing in "who has read it" and in a breach
 * report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/fields.h"
#include "cdop/form.h"
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

/* The newest entry of the log that is not of looking at it. */
static const Cdop__AuditEntry *
newest(void)
{
	const Cdop__AuditListReply *list = calls_log(&w, NULL, 0);
	size_t i;

	for (i = 0; i < list->n_entry; i++)
		if (strcmp(list->entry[i]->call, "AuditList") != 0)
			return list->entry[i];
	fail_msg("the log is empty");
	return NULL;
}

/* The case, in the newest entry. */
static const Cdop__Released *
left(const char *reference)
{
	const Cdop__AuditEntry *entry = newest();
	size_t i;

	for (i = 0; i < entry->n_released; i++)
		if (strcmp(entry->released[i]->reference, reference) == 0)
			return entry->released[i];
	fail_msg("%s does not name it", entry->call);
	return NULL;
}

static void
send(enum world_who who, uint32_t method, const ProtobufCMessage *body,
    enum cdop_err want)
{
	struct world_answer answer;

	world_call(&w, who, method, body, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, want);
}

static void
told(const char *reference, uint32_t classes)
{
	const Cdop__Released *r = left(reference);

	assert_int_equal(r->classes & classes, classes);
	assert_string_equal(r->owner_area, "wirral");
	assert_string_equal(r->jurisdiction, "england");
}

static void
looking_at_a_case_names_it(void **state)
{
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	Cdop__CaseHistoryRequest history;
	Cdop__CaseShowRequest show;
	Cdop__CaseListRequest list;

	(void)state;
	cdop__case_show_request__init(&show);
	show.reference = reference;
	send(WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, CDOP_OK);
	told(reference, CDOP_CLASS_CHILD_IDENTITY | CDOP_CLASS_ADMINISTRATIVE);
	assert_int_equal(left(reference)->instance[0], 0);
	show.has_instance = true;
	show.instance = 1;
	send(WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, CDOP_OK);
	told(reference, CDOP_CLASS_CHILD_IDENTITY);
	assert_int_equal(left(reference)->instance[0], 1);

	cdop__case_history_request__init(&history);
	history.reference = reference;
	send(WORLD_COORDINATOR, CDOP_CALL_CaseHistory, &history.base, CDOP_OK);
	told(reference, CDOP_CLASS_NARRATIVE);

	cdop__case_list_request__init(&list);
	send(WORLD_COORDINATOR, CDOP_CALL_CaseList, &list.base, CDOP_OK);
	told(reference, CDOP_CLASS_EXACT_DATE);
	assert_int_equal(
	    left(reference)->classes & CDOP_CLASS_CHILD_IDENTITY, 0);
	list.has_names = list.names = true;
	send(WORLD_COORDINATOR, CDOP_CALL_CaseList, &list.base, CDOP_OK);
	told(reference, CDOP_CLASS_CHILD_IDENTITY);
}

/* Who finds a child by name knows now that it has died, name shown or not. */
static void
what_a_search_matched_is_told(void **state)
{
	Cdop__Form *form = world_form(&w, 2, "wirral");
	Cdop__CaseFindRequest find;
	Cdop__AskRequest ask;
	char *reference;

	(void)state;
	calls_put(&w, form, "mother.family_name", "Tarrant");
	reference = calls_new(&w, WORLD_COORDINATOR, form);
	cdop__case_find_request__init(&find);
	find.nhs_number =
	    calls_text(&w, cdop_form_text(form, "child.nhs_number", w.arena));
	send(WORLD_COORDINATOR, CDOP_CALL_CaseFind, &find.base, CDOP_OK);
	told(reference, CDOP_CLASS_CHILD_IDENTITY);
	assert_int_equal(left(reference)->n_living, 0);

	find.nhs_number = NULL;
	find.mother_name = calls_text(&w, "Tarrant");
	find.death_date =
	    calls_text(&w, cdop_form_text(form, "death.date", w.arena));
	send(WORLD_COORDINATOR, CDOP_CALL_CaseFind, &find.base, CDOP_OK);
	told(reference, CDOP_CLASS_FAMILY_IDENTITY);
	assert_int_equal(left(reference)->n_living, 1);
	assert_string_equal(left(reference)->living[0]->kind, "mother");

	cdop__ask_request__init(&ask);
	ask.nhs_number =
	    calls_text(&w, cdop_form_text(form, "child.nhs_number", w.arena));
	send(WORLD_PARTNER_WIRRAL, CDOP_CALL_Ask, &ask.base, CDOP_OK);
	told(reference, 0);
	/* Another area's partner was told nothing. */
	send(WORLD_PARTNER_SEFTON, CDOP_CALL_Ask, &ask.base, CDOP_OK);
	assert_int_equal(newest()->n_released, 0);
}

static void
candidates_and_pairs_are_named(void **state)
{
	struct calls_tell tell = {.n_decision = 0};
	Cdop__DuplicatePairsRequest pairs;
	Cdop__Form *form = world_form(&w, 3, "sefton");
	char *one =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 3, "wirral"));
	char *two;

	(void)state;
	tell.form = world_form(&w, 3, "wirral");
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	told(one, CDOP_CLASS_CHILD_IDENTITY);
	tell.dry = true;
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	told(one, CDOP_CLASS_CHILD_IDENTITY);

	/* Taken by one who works for Wirral alone, as a case of its own. */
	two = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 4, "sefton"));
	form = world_form(&w, 4, "wirral");
	one = calls_new(&w, WORLD_COORDINATOR_WIRRAL, form);
	cdop__duplicate_pairs_request__init(&pairs);
	send(WORLD_COORDINATOR, CDOP_CALL_DuplicatePairs, &pairs.base, CDOP_OK);
	told(one, CDOP_CLASS_CHILD_IDENTITY);
	assert_int_equal(left(two)->classes & CDOP_CLASS_CHILD_IDENTITY,
	    CDOP_CLASS_CHILD_IDENTITY);
}

static void
the_linked_case_is_named_too(void **state)
{
	char *one =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 5, "wirral"));
	char *two =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 6, "wirral"));
	Cdop__CaseShowRequest show;
	Cdop__CaseLinkRequest link;

	(void)state;
	cdop__case_link_request__init(&link);
	link.reference = one;
	link.other = two;
	link.kind = calls_text(&w, "siblings");
	link.reason = calls_text(&w, "one mother");
	send(WORLD_COORDINATOR, CDOP_CALL_CaseLinkAdd, &link.base, CDOP_OK);
	told(two, 0);
	cdop__case_show_request__init(&show);
	show.reference = one;
	send(WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, CDOP_OK);
	told(two, CDOP_CLASS_ADMINISTRATIVE);
	/* Why they are linked is free text, and stands in this case. */
	told(one, CDOP_CLASS_NARRATIVE);
}

static void
a_change_that_met_another_one_names_the_case(void **state)
{
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 7, "wirral"));

	(void)state;
	(void)calls_amend(&w, reference, 1, "child.sex", "2", NULL, CDOP_OK);
	told(reference, 0);
	(void)calls_amend(
	    &w, reference, 1, "child.sex", "1", NULL, CDOP_ABORTED);
	told(reference, 0);
}

/* What was applied and is sent again tells of the case once more. */
static void
a_repetition_names_the_case(void **state)
{
	Cdop__CaseResponsibleRequest request;
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 8, "wirral"));
	uint8_t key[16];

	(void)state;
	cdop__case_responsible_request__init(&request);
	request.reference = reference;
	request.version = 1;
	request.has_person = true;
	request.person = WORLD_COORDINATOR_WIRRAL;
	world_key(&w, key);
	(void)calls_under(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, key);
	told(reference, 0);
	(void)calls_under(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, key);
	assert_string_equal(newest()->reason, "replayed");
	told(reference, 0);
}

/* An administrator is told whose cases they were, and whose they are. */
static void
cases_to_hand_over_are_named_in_full(void **state)
{
	Cdop__CaseResponsibleRequest request;
	Cdop__RevokeRequest revoke;
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 9, "wirral"));

	(void)state;
	cdop__case_responsible_request__init(&request);
	request.reference = reference;
	request.version = 1;
	request.has_person = true;
	request.person = WORLD_COORDINATOR_WIRRAL;
	send(WORLD_COORDINATOR, CDOP_CALL_CaseResponsible, &request.base,
	    CDOP_OK);
	cdop__revoke_request__init(&revoke);
	revoke.person = WORLD_COORDINATOR_WIRRAL;
	revoke.reason = calls_text(&w, "left the panel");
	send(WORLD_ADMIN_1, CDOP_CALL_PersonRevoke, &revoke.base, CDOP_OK);
	told(reference, CDOP_CLASS_ADMINISTRATIVE);
	assert_string_equal(newest()->reason_text, "left the panel");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(looking_at_a_case_names_it),
	    TEST(what_a_search_matched_is_told),
	    TEST(candidates_and_pairs_are_named),
	    TEST(the_linked_case_is_named_too),
	    TEST(a_change_that_met_another_one_names_the_case),
	    TEST(a_repetition_names_the_case),
	    TEST(cases_to_hand_over_are_named_in_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
