/*
 * Legal hold: set by one coordinator, lifted by two who may see the case, and
 * nothing leaves the case meanwhile (RECORDS S8).
 */
#include "server/rpc/rpc_hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static const struct world_answer *
hold(enum world_who who, uint32_t method, const char *reference,
    uint64_t version, const char *reason, enum cdop_err want)
{
	static struct world_answer answer;
	Cdop__HoldRequest request;

	cdop__hold_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.reason = calls_text(&w, reason);
	world_call(&w, who, method, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, want);
	return &answer;
}

static bool
listed_on_hold(void)
{
	Cdop__CaseListRequest request;
	Cdop__CaseListReply *list;
	struct world_answer answer;

	cdop__case_list_request__init(&request);
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &request.base, &answer);
	list = world_body(&w, &answer, &cdop__case_list_reply__descriptor);
	assert_int_equal(list->n_case_, 1);
	return list->case_[0]->has_hold && list->case_[0]->hold;
}

/* The last version that says something of a hold. */
static const Cdop__HistoryDetail *
last_detail(const char *reference)
{
	Cdop__CaseHistoryRequest request;
	Cdop__CaseHistoryReply *events;
	const Cdop__HistoryEntry *last;
	struct world_answer answer;

	cdop__case_history_request__init(&request);
	request.reference = calls_text(&w, reference);
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_CaseHistory, &request.base,
	    &answer);
	events = world_body(&w, &answer, &cdop__case_history_reply__descriptor);
	last = events->entry[events->n_entry - 1];
	assert_int_equal(last->n_detail, 1);
	assert_string_equal(last->detail[0]->what, "hold");
	return last->detail[0];
}

static void
it_is_seen_wherever_the_case_is(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	Cdop__Case *found;

	(void)state;
	assert_false(listed_on_hold());
	(void)hold(WORLD_ADMIN_1, CDOP_CALL_HoldSet, ref, 1, "no",
	    CDOP_PERMISSION_DENIED);
	(void)hold(WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "",
	    CDOP_INVALID_ARGUMENT);
	(void)hold(WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 9, "inquest",
	    CDOP_ABORTED);
	(void)hold(WORLD_COORDINATOR_WIRRAL, CDOP_CALL_HoldSet, ref, 1,
	    "inquest", CDOP_OK);
	(void)hold(WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 2, "again",
	    CDOP_FAILED_PRECONDITION);

	world_reopen(&w);
	found = calls_show(&w, WORLD_COORDINATOR, ref, CDOP_OK);
	assert_string_equal(found->hold, "inquest");
	assert_int_equal(found->version, 2);
	assert_true(listed_on_hold());
	assert_string_equal(last_detail(ref)->after, "inquest");
}

static uint32_t
counted(enum world_who who)
{
	Cdop__StatusRequest request;
	struct world_answer answer;
	Cdop__StatusReply *reply;

	cdop__status_request__init(&request);
	world_call(&w, who, CDOP_CALL_Status, &request.base, &answer);
	reply = world_body(&w, &answer, &cdop__status_reply__descriptor);
	assert_true(reply->has_approvals_waiting);
	return reply->approvals_waiting;
}

static void
two_who_may_see_it_lift_it(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	const struct world_answer *answer;
	Cdop__Approval *a;

	(void)state;
	(void)hold(WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 1, "over",
	    CDOP_FAILED_PRECONDITION);
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "inquest", CDOP_OK);
	answer = hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 2, "over", CDOP_OK);
	assert_true(answer->reply->has_approval);
	assert_true(listed_on_hold());
	(void)calls_approve(&w, WORLD_COORDINATOR,
	    calls_waiting(&w, WORLD_COORDINATOR), CDOP_FAILED_PRECONDITION);
	assert_int_equal(counted(WORLD_COORDINATOR_WIRRAL), 1);
	a = calls_waiting(&w, WORLD_COORDINATOR_WIRRAL);
	assert_non_null(a);
	assert_true(a->you_may);
	assert_null(strstr(a->words[0], "inquest"));
	(void)calls_approve(&w, WORLD_COORDINATOR_WIRRAL, a, CDOP_OK);
	assert_false(listed_on_hold());
	assert_null(calls_show(&w, WORLD_COORDINATOR, ref, CDOP_OK)->hold);
	assert_null(last_detail(ref)->after);
}

static void
make_partner_too(uint32_t person)
{
	Cdop__RoleGrant grant[2], *grants[2] = {&grant[0], &grant[1]};
	Cdop__PersonChangeRequest change;
	struct world_answer answer;

	cdop__role_grant__init(&grant[0]);
	cdop__role_grant__init(&grant[1]);
	grant[0].role = CDOP__ROLE__COORDINATOR;
	grant[1].role = CDOP__ROLE__PARTNER;
	cdop__person_change_request__init(&change);
	change.person = person;
	change.n_grant = 2;
	change.grant = grants;
	change.has_grants_set = true;
	change.grants_set = true;
	change.reason = calls_text(&w, "two posts");
	world_call(
	    &w, WORLD_ADMIN_1, CDOP_CALL_PersonChange, &change.base, &answer);
	(void)calls_approve(
	    &w, WORLD_ADMIN_2, calls_waiting(&w, WORLD_ADMIN_2), CDOP_OK);
}

/* It is done in the role in which it was asked, not in none. */
static void
who_has_two_roles_asks_in_one(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));

	(void)state;
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "inquest", CDOP_OK);
	make_partner_too(WORLD_COORDINATOR_WIRRAL);
	(void)hold(WORLD_COORDINATOR_WIRRAL, CDOP_CALL_HoldLift, ref, 2, "over",
	    CDOP_OK);
	assert_true(listed_on_hold());
	(void)calls_approve(&w, WORLD_COORDINATOR,
	    calls_waiting(&w, WORLD_COORDINATOR), CDOP_OK);
	assert_false(listed_on_hold());
}

/* An act about a case is case work, whoever says yes to it. */
static void
on_a_full_disk_it_waits_on(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	Cdop__Approval *a;

	(void)state;
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "inquest", CDOP_OK);
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 2, "over", CDOP_OK);
	w.reg->room = REGISTRY_FULL;
	a = calls_waiting(&w, WORLD_COORDINATOR_WIRRAL);
	assert_string_equal(calls_approve(&w, WORLD_COORDINATOR_WIRRAL, a,
				CDOP_RESOURCE_EXHAUSTED)
				->reason,
	    "disk_full");
	w.reg->room = REGISTRY_ROOM;
	assert_true(listed_on_hold());
	(void)calls_approve(&w, WORLD_COORDINATOR_WIRRAL, a, CDOP_OK);
	assert_false(listed_on_hold());
}

/* Words of either decision go with the case, and are no row of their own. */
static void
a_decision_says_nothing_that_outlives_the_case(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	const Cdop__AuditEntry *e;
	Cdop__Approval *a;
	bool yes;

	(void)state;
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "inquest", CDOP_OK);
	for (yes = false;; yes = true) {
		(void)hold(WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 2,
		    "over", CDOP_OK);
		a = calls_waiting(&w, WORLD_COORDINATOR_WIRRAL);
		(void)calls_decide(&w, WORLD_COORDINATOR_WIRRAL, a, yes,
		    "the child in the tall house", CDOP_OK);
		e = calls_audited(&w, "Approve");
		assert_null(e->reason_text);
		assert_int_equal(e->n_released, 1);
		assert_int_equal(listed_on_hold(), !yes);
		if (yes)
			break;
	}
}

static void
who_does_not_see_the_case_hears_nothing(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "sefton"));
	Cdop__Approval *a;

	(void)state;
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "inquest", CDOP_OK);
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 2, "over", CDOP_OK);
	assert_null(calls_waiting(&w, WORLD_COORDINATOR_WIRRAL));
	assert_null(calls_waiting(&w, WORLD_ADMIN_1));
	assert_null(calls_waiting(&w, WORLD_CUSTODIAN));
	/* Not even that there is one. */
	assert_int_equal(counted(WORLD_COORDINATOR_WIRRAL), 0);
	a = calls_waiting(&w, WORLD_COORDINATOR);
	assert_string_equal(
	    calls_approve(&w, WORLD_COORDINATOR_WIRRAL, a, CDOP_NOT_FOUND)
		->reason,
	    "no_such_approval");
}

static void
nothing_leaves_a_case_on_hold(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	struct calls_tell tell = {
	    .form = world_form(&w, 1, "wirral"), .n_decision = 1};
	Cdop__NotificationMoveRequest request;

	(void)state;
	tell.decision[0] =
	    calls_decision(&w, ref, CDOP__DECISION__JOIN, "the same");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 2, "inquest", CDOP_OK);
	cdop__notification_move_request__init(&request);
	request.reference = ref;
	request.notification = 2;
	request.version = 3;
	request.reason = calls_text(&w, "another child");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &request.base, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "on_hold");
}

/* What changed meanwhile was not what the second person was shown. */
static void
a_case_that_changed_stays_on_hold(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	Cdop__CaseWithdrawRequest request;
	Cdop__Approval *a;

	(void)state;
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "inquest", CDOP_OK);
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 2, "over", CDOP_OK);
	a = calls_waiting(&w, WORLD_COORDINATOR_WIRRAL);
	cdop__case_withdraw_request__init(&request);
	request.reference = ref;
	request.version = 2;
	request.reason = calls_text(&w, "typed as a test");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseWithdraw,
	    &request.base, CDOP_OK);
	(void)calls_approve(&w, WORLD_COORDINATOR_WIRRAL, a, CDOP_ABORTED);
	assert_null(calls_waiting(&w, WORLD_COORDINATOR_WIRRAL));
	assert_non_null(calls_show(&w, WORLD_COORDINATOR, ref, CDOP_OK)->hold);
}

/* Of each case another one: what is approved is of one, as it is. */
static void
what_waits_is_about_this_case(void **state)
{
	uint8_t first[32] = {0};
	Cdop__Approval *a;
	char *ref;
	unsigned i;

	(void)state;
	for (i = 1; i <= 2; i++) {
		ref = calls_new(
		    &w, WORLD_COORDINATOR, world_form(&w, i, "wirral"));
		(void)hold(WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1,
		    "inquest", CDOP_OK);
		(void)hold(WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 2,
		    "over", CDOP_OK);
		a = calls_waiting(&w, WORLD_COORDINATOR_WIRRAL);
		assert_non_null(a);
		assert_int_equal(a->target_version.len, sizeof(first));
		assert_memory_not_equal(
		    a->target_version.data, first, sizeof(first));
		memcpy(first, a->target_version.data, sizeof(first));
		(void)calls_decide(
		    &w, WORLD_COORDINATOR_WIRRAL, a, false, NULL, CDOP_OK);
	}
}

/* Else an erasure would leave what waits about its case. */
static void
without_memory_nobody_says_what_it_is_about(void **state)
{
	char *ref =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 2, "wirral"));
	struct rpc_ctx ctx = {.reg = w.reg, .arena = w.arena};
	const struct approval *waits = NULL;
	char text[CDOP_REFERENCE_TEXT];
	struct cdop_arena *small;
	uint64_t number;
	size_t i, n;
	bool is;

	(void)state;
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldSet, ref, 1, "inquest", CDOP_OK);
	(void)hold(
	    WORLD_COORDINATOR, CDOP_CALL_HoldLift, ref, 2, "over", CDOP_OK);
	assert_int_equal(
	    cdop_reference_parse(ref, true, text, &number), CDOP_OK);
	n = approvals_count(w.reg->approvals, w.now_ms);
	assert_int_not_equal(n, 0);
	for (i = 0, is = false; i < n && !is; i++) {
		waits = approvals_at(w.reg->approvals, i, w.now_ms);
		assert_int_equal(
		    rpc_hold_is_about(&ctx, waits, number + 1, &is), CDOP_OK);
	}
	assert_true(is);
	assert_int_equal(cdop_arena_new(16, &small), CDOP_OK);
	ctx.arena = small;
	assert_int_equal(rpc_hold_is_about(&ctx, waits, number + 1, &is),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_false(is);
	assert_int_equal(rpc_hold_about(&ctx, waits), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(
	    rpc_hold_release(&ctx, waits), CDOP_RESOURCE_EXHAUSTED);
	cdop_arena_free(small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		it_is_seen_wherever_the_case_is, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		two_who_may_see_it_lift_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		who_has_two_roles_asks_in_one, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		on_a_full_disk_it_waits_on, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_decision_says_nothing_that_outlives_the_case, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		who_does_not_see_the_case_hears_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		nothing_leaves_a_case_on_hold, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_case_that_changed_stays_on_hold, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_waits_is_about_this_case, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		without_memory_nobody_says_what_it_is_about, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
