/*
 * A link that was wrong is taken back: it stays in the history and silences
 * the duplicate question no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
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

/* Another child of the same name and dates, as was decided. */
static char *
other_child(const char *reference, unsigned n, const char *area)
{
	struct calls_tell tell = {.n_decision = 1};

	tell.form = world_form(&w, n, area);
	calls_put(&w, tell.form, "child.nhs_number", "");
	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__NEW_OTHER, "two of one name");
	return calls_text(
	    &w, calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK)->reference);
}

static Cdop__ChangeReply *
tie(enum world_who who, uint32_t method, const char *one, const char *other,
    const char *kind, enum cdop_err want)
{
	Cdop__CaseLinkRequest request;

	cdop__case_link_request__init(&request);
	request.reference = calls_text(&w, one);
	request.other = calls_text(&w, other);
	request.kind = calls_text(&w, kind);
	request.reason = calls_text(&w, "was a slip");
	return calls_change(&w, who, method, &request.base, want);
}

static Cdop__ChangeReply *
end(const char *one, const char *other, const char *kind, enum cdop_err want)
{
	return tie(WORLD_COORDINATOR, 55, one, other, kind, want);
}

static size_t
pairs(enum world_who who)
{
	Cdop__DuplicatePairsRequest request;
	Cdop__DuplicatePairsReply *reply;
	struct world_answer answer;

	cdop__duplicate_pairs_request__init(&request);
	world_call(&w, who, CDOP_CALL_DuplicatePairs, &request.base, &answer);
	reply =
	    world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
	return reply->n_pair;
}

static Cdop__CaseHistoryReply *
history(enum world_who who, const char *reference)
{
	Cdop__CaseHistoryRequest request;
	struct world_answer answer;

	cdop__case_history_request__init(&request);
	request.reference = calls_text(&w, reference);
	world_call(&w, who, CDOP_CALL_CaseHistory, &request.base, &answer);
	return world_body(&w, &answer, &cdop__case_history_reply__descriptor);
}

static void
a_wrong_link_is_kept_and_asks_again(void **state)
{
	char *one =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	char *two = other_child(one, 1, "wirral");
	const Cdop__HistoryDetail *d;
	Cdop__CaseHistoryReply *events;
	Cdop__ChangeReply *reply;
	Cdop__Case *found;

	(void)state;
	assert_int_equal(pairs(WORLD_COORDINATOR), 0);
	(void)end(two, one, "siblings", CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "not_linked");
	(void)end(two, one, "cousins", CDOP_INVALID_ARGUMENT);
	reply = end(two, one, "not_duplicate", CDOP_OK);
	assert_int_equal(reply->version, 2);
	assert_non_null(strstr(reply->word[0], "may be the same child"));
	(void)end(two, one, "not_duplicate", CDOP_FAILED_PRECONDITION);

	world_reopen(&w);
	assert_int_equal(pairs(WORLD_COORDINATOR), 1);
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_int_equal(found->n_ended_link, 1);
	assert_string_equal(found->ended_link[0]->kind, "not_duplicate");
	assert_string_equal(found->ended_link[0]->reference, one);
	assert_string_equal(found->ended_link[0]->reason, "two of one name");
	assert_string_equal(found->ended_link[0]->ended_reason, "was a slip");
	assert_int_equal(found->ended_link[0]->ended_ms, w.now_ms);
	assert_int_equal(found->n_link, 1);
	assert_string_equal(found->link[0]->kind, "possible_duplicate");
	found = calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK);
	assert_int_equal(found->n_ended_link, 1);
	events = history(WORLD_COORDINATOR, one);
	assert_string_equal(events->entry[2]->what, "link ended");
	assert_string_equal(events->entry[2]->reason, "was a slip");
	d = events->entry[2]->detail[0];
	assert_string_equal(d->what, "link_ended");
	assert_string_equal(d->kind, "not_duplicate");
	assert_string_equal(d->reference, two);

	/* Decided once more, otherwise. */
	(void)tie(WORLD_COORDINATOR, 53, one, two, "not_duplicate", CDOP_OK);
	assert_int_equal(pairs(WORLD_COORDINATOR), 0);
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_int_equal(found->n_link, 1);
	assert_int_equal(found->n_ended_link, 1);
}

static void
an_identity_that_enters_is_asked_about_again(void **state)
{
	char *one =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 2, "wirral"));
	char *two = other_child(one, 2, "wirral");

	(void)state;
	(void)calls_amend(
	    &w, two, 1, "child.family_name", "Strangename", NULL, CDOP_OK);
	(void)end(one, two, "not_duplicate", CDOP_OK);
	(void)calls_amend(&w, two, 2, "child.nhs_number",
	    calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK)
		->record->form->child->nhs_number,
	    NULL, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "possible_duplicate");
}

static void
what_else_tells_them_apart_stays(void **state)
{
	char *one =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 3, "wirral"));
	char *two = other_child(one, 3, "wirral");

	(void)state;
	(void)tie(WORLD_COORDINATOR, 53, one, two, "same_incident", CDOP_OK);
	assert_non_null(strstr(end(one, two, "same_incident", CDOP_OK)->word[0],
	    "another link still says"));
	assert_int_equal(pairs(WORLD_COORDINATOR), 0);
	(void)end(one, two, "not_duplicate", CDOP_OK);
	assert_int_equal(pairs(WORLD_COORDINATOR), 1);
}

/* Nobody who sees one end alone learns of it. */
static void
across_areas_it_is_no_event(void **state)
{
	char *one =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 4, "wirral"));
	char *far = other_child(one, 4, "sefton");
	Cdop__Case *found;

	(void)state;
	(void)tie(WORLD_COORDINATOR_WIRRAL, 55, one, far, "not_duplicate",
	    CDOP_NOT_FOUND);
	w.now_ms += 1000;
	assert_int_equal(end(one, far, "not_duplicate", CDOP_OK)->version, 1);
	found = calls_show(&w, WORLD_COORDINATOR_WIRRAL, one, CDOP_OK);
	assert_int_equal(found->version, 1);
	assert_int_equal(found->n_link, 0);
	assert_int_equal(found->n_ended_link, 0);
	assert_int_equal(
	    history(WORLD_COORDINATOR_WIRRAL, one)->entry[0]->n_detail, 0);
	assert_int_equal(pairs(WORLD_COORDINATOR_WIRRAL), 0);
	assert_int_equal(pairs(WORLD_COORDINATOR), 1);
	found = calls_show(&w, WORLD_COORDINATOR, far, CDOP_OK);
	assert_int_equal(found->n_ended_link, 1);
}

/* A pair that is linked and unlinked for ever does not fill its row. */
static void
forty_can_be_taken_back(void **state)
{
	char one[16], two[16];
	size_t i;

	(void)state;
	(void)snprintf(one, sizeof(one), "%s",
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 5, "wirral")));
	(void)snprintf(two, sizeof(two), "%s",
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 6, "wirral")));
	for (i = 0; i < CDOP_CASE_LINKS_ENDED_MAX; i++) {
		(void)tie(WORLD_COORDINATOR, 53, one, two, "siblings", CDOP_OK);
		(void)end(one, two, "siblings", CDOP_OK);
		cdop_arena_reset(w.arena);
	}
	(void)tie(WORLD_COORDINATOR, 53, one, two, "siblings", CDOP_OK);
	(void)end(two, one, "siblings", CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "link.too_many_ended");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_wrong_link_is_kept_and_asks_again),
	    TEST(an_identity_that_enters_is_asked_about_again),
	    TEST(what_else_tells_them_apart_stays),
	    TEST(across_areas_it_is_no_event),
	    TEST(forty_can_be_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
