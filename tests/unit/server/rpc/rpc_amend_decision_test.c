/*
 * What a coordinator decides with an amendment: that the child it now
 * resembles is a sibling or another one.  It joins nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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

static char *
fresh(unsigned n, const char *residence)
{
	return calls_new(&w, WORLD_COORDINATOR, world_form(&w, n, residence));
}

/* What an amendment of the family name says about other cases. */
struct amend {
	const char *reference;
	uint64_t version;
	const char *family; /* NULL: not amended */
	Cdop__DuplicateDecision *decision[9];
	size_t n_decision;
	bool dry;
};

static Cdop__ChangeReply *
amend(const struct amend *a, enum cdop_err want)
{
	Cdop__CaseAmendRequest request;
	Cdop__DuplicateDecision *decision[9];

	memcpy(decision, a->decision, sizeof(decision));
	cdop__case_amend_request__init(&request);
	request.reference = calls_text(&w, a->reference);
	request.version = a->version;
	request.form = cdop_form_new(w.arena);
	request.reason = calls_text(&w, "the GP rang");
	request.source = calls_text(&w, "telephone, GP");
	request.decision = decision;
	request.n_decision = a->n_decision;
	request.has_dry_run = a->dry;
	request.dry_run = a->dry;
	calls_put(&w, request.form,
	    a->family == NULL ? "gp.name" : "child.family_name",
	    a->family == NULL ? "Dr Sample" : a->family);
	return calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseAmend, &request.base, want);
}

/* The family name of child n; its dates are those of every other one. */
static const char *
family(unsigned n)
{
	return world_form(&w, n, "wirral")->child->family_name;
}

static bool
names_case(const Cdop__AuditEntry *entry, const char *reference)
{
	size_t i;

	for (i = 0; i < entry->n_released; i++)
		if (strcmp(entry->released[i]->reference, reference) == 0)
			return true;
	return false;
}

/* ------------------------------------------------------------------------ */

static void
an_undecided_amendment_writes_nothing(void **state)
{
	char *one = fresh(1, "wirral"), *two = fresh(2, "wirral");
	struct amend a = {.reference = two, .version = 1, .family = family(1)};
	Cdop__ChangeReply *reply;

	(void)state;
	reply = amend(&a, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "possible_duplicate");
	assert_int_equal(reply->n_candidate, 1);
	assert_string_equal(reply->candidate[0]->reference, one);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK)->record->version,
	    1);
}

static void
an_amendment_joins_nothing(void **state)
{
	char *one = fresh(3, "wirral"), *two = fresh(4, "wirral");
	struct amend a = {.reference = two,
	    .version = 1,
	    .family = family(3),
	    .n_decision = 1};

	(void)state;
	a.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__JOIN, "the same child");
	(void)amend(&a, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.join");
	/* Nor where no identity is amended. */
	a.family = NULL;
	(void)amend(&a, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.join");
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK)->n_notification, 1);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK)->record->version,
	    1);
}

static void
decided(Cdop__Decision decision, unsigned n, const char *kind)
{
	char *one = fresh(n, "wirral"), *two = fresh(n + 1, "wirral");
	struct amend a = {.reference = two,
	    .version = 1,
	    .family = family(n),
	    .n_decision = 1};
	Cdop__ChangeReply *reply;
	Cdop__Case *found;

	a.decision[0] = calls_decision(&w, one, decision, "twin of the other");
	/* Dry, it says what it would do and does nothing. */
	a.dry = true;
	(void)amend(&a, CDOP_OK);
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK)->n_link, 0);
	a.dry = false;
	reply = amend(&a, CDOP_OK);
	assert_int_equal(reply->version, 2);
	/* Both changed, and the log says both. */
	assert_true(names_case(calls_newest(&w, NULL), one));
	(void)calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	world_reopen(&w);
	found = calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK);
	assert_int_equal(found->n_link, 1);
	assert_string_equal(found->link[0]->kind, kind);
	assert_string_equal(found->link[0]->reference, two);
	assert_string_equal(found->link[0]->reason, "twin of the other");
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_string_equal(found->link[0]->kind, kind);
	assert_string_equal(found->record->form->child->family_name, family(n));

	/* Not asked again. */
	a = (struct amend){.reference = two, .version = 2, .family = "Other"};
	(void)amend(&a, CDOP_OK);
	a.version = 3;
	a.family = family(n);
	(void)amend(&a, CDOP_OK);
}

static void
a_sibling_is_linked_and_not_asked_about_again(void **state)
{
	(void)state;
	decided(CDOP__DECISION__NEW_SIBLING, 5, "multiple_birth");
}

static void
another_child_is_linked_as_no_duplicate(void **state)
{
	(void)state;
	decided(CDOP__DECISION__NEW_OTHER, 7, "not_duplicate");
}

static void
each_decision_is_about_one_other_case(void **state)
{
	char *one = fresh(9, "wirral"), *two = fresh(10, "wirral");
	struct amend a = {.reference = two,
	    .version = 1,
	    .family = family(9),
	    .n_decision = 2};
	size_t i;

	(void)state;
	a.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_OTHER, "cousins");
	a.decision[1] = a.decision[0];
	(void)amend(&a, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.twice");
	a.n_decision = 1;
	a.decision[0] =
	    calls_decision(&w, two, CDOP__DECISION__NEW_OTHER, "cousins");
	(void)amend(&a, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.itself");
	a.decision[0] = calls_decision(&w, one, CDOP__DECISION__NEW_OTHER, " ");
	(void)amend(&a, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "reason.needed");
	a.decision[0] = calls_decision(
	    &w, "T-AAAA-AAAA", CDOP__DECISION__NEW_OTHER, "cousins");
	(void)amend(&a, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "reference.check");
	a.n_decision = 9;
	for (i = 0; i < 9; i++)
		a.decision[i] = calls_decision(
		    &w, one, CDOP__DECISION__NEW_OTHER, "cousins");
	(void)amend(&a, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.too_many");
	assert_int_equal(
	    calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK)->record->version,
	    1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- overrides ----------------------------------------------------------- */

/* One field, and with it what overrides the warning about another. */
static void
amend_over(const char *reference, uint64_t version, const char *path,
    const char *typed, Cdop__Override *over, enum cdop_err want)
{
	Cdop__CaseAmendRequest request;
	Cdop__Override *list[] = {over};

	cdop__case_amend_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.form = cdop_form_new(w.arena);
	request.reason = calls_text(&w, "the GP rang");
	request.source = calls_text(&w, "telephone, GP");
	request.n_override = over != NULL ? 1 : 0;
	request.override = list;
	calls_put(&w, request.form, path, typed);
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseAmend, &request.base, want);
}

static Cdop__Override
light(const char *grams)
{
	Cdop__Override over;

	cdop__override__init(&over);
	over.path = calls_text(&w, "birth.weight_grams");
	over.rule = calls_text(&w, "weight.range");
	over.value = calls_text(&w, grams);
	over.reason = calls_text(&w, "weighed twice");
	return over;
}

/* A warning that was answered once is not asked about again. */
static void
an_override_stays_until_its_value_is_another(void **state)
{
	Cdop__Override over;
	char *reference;

	(void)state;
	reference = fresh(1, "wirral");
	amend_over(reference, 1, "birth.weight_grams", "250", NULL,
	    CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "weight.range");
	over = light("250");
	amend_over(reference, 1, "birth.weight_grams", "250", &over, CDOP_OK);
	amend_over(reference, 2, "gp.name", "Dr Sample", NULL, CDOP_OK);
	/* Of another value; and the one given with it takes its place. */
	amend_over(reference, 3, "birth.weight_grams", "240", NULL,
	    CDOP_INVALID_ARGUMENT);
	over = light("240");
	amend_over(reference, 3, "birth.weight_grams", "240", &over, CDOP_OK);
	amend_over(reference, 4, "gp.name", "Dr Other", NULL, CDOP_OK);
	amend_over(reference, 5, "birth.weight_grams", "250", NULL,
	    CDOP_INVALID_ARGUMENT);
}

static void
turn(uint32_t method, const char *reference, uint64_t version)
{
	Cdop__CaseWithdrawRequest request;

	cdop__case_withdraw_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.reason = calls_text(&w, "a test");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, method, &request.base, CDOP_OK);
}

/* What is typed into it is kept, and counts nowhere until it is back. */
static void
who_amends_a_withdrawn_case_is_told_that_it_is_one(void **state)
{
	char *reference = fresh(62, "wirral");
	Cdop__ChangeReply *reply;

	(void)state;
	reply =
	    calls_amend(&w, reference, 1, "gp.name", "Dr Hale", NULL, CDOP_OK);
	assert_int_equal(reply->n_word, 0);
	turn(CDOP_CALL_CaseWithdraw, reference, 1);
	reply =
	    calls_amend(&w, reference, 2, "gp.name", "Dr Hall", NULL, CDOP_OK);
	assert_int_equal(reply->n_word, 1);
	assert_non_null(strstr(reply->word[0], "entered in error"));
	turn(CDOP_CALL_CaseReinstate, reference, 2);
	reply =
	    calls_amend(&w, reference, 3, "gp.name", "Dr Hill", NULL, CDOP_OK);
	assert_int_equal(reply->n_word, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_undecided_amendment_writes_nothing),
	    TEST(an_amendment_joins_nothing),
	    TEST(a_sibling_is_linked_and_not_asked_about_again),
	    TEST(another_child_is_linked_as_no_duplicate),
	    TEST(each_decision_is_about_one_other_case),
	    TEST(an_override_stays_until_its_value_is_another),
	    TEST(who_amends_a_withdrawn_case_is_told_that_it_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
