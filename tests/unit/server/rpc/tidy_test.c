/* Reasons and sources: one line of text, whatever was sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

static void
mark(const char *reference, uint64_t version, const char *reason,
    enum cdop_err want)
{
	Cdop__CaseInterestRequest request;

	cdop__case_interest_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.area = calls_text(&w, "sefton");
	request.known = true;
	request.reason = calls_text(&w, reason);
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest, &request.base, want);
}

static void
a_reason_is_kept_as_one_line(void **state)
{
	char *reference = world_register(&w, 400, "wirral");
	Cdop__Case *found;

	(void)state;
	mark(
	    reference, 1, " lived\r\nthere \xe2\x80\xae until\tMay\n", CDOP_OK);
	found = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	assert_int_equal(found->n_interested, 1);
	assert_string_equal(
	    found->interested[0]->reason, "lived there until May");
	free(reference);
}

static void
what_steers_a_terminal_is_refused(void **state)
{
	char *reference = world_register(&w, 401, "wirral");
	struct calls_tell tell = {.form = world_form(&w, 401, "wirral")};
	const Cdop__Violation *v;

	(void)state;
	mark(reference, 1, "red \x1b[31m", CDOP_INVALID_ARGUMENT);
	v = calls_answer()->reply->violation[0];
	assert_string_equal(v->rule, "text.control");
	assert_string_equal(v->path, "reason");
	tell.decision[0] =
	    calls_decision(&w, reference, CDOP__DECISION__JOIN, "the same\x07");
	tell.n_decision = 1;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	v = calls_answer()->reply->violation[0];
	assert_string_equal(v->rule, "text.control");
	assert_string_equal(v->path, "decision.1.reason");
	free(reference);
}

static void
a_purpose_in_words_is_a_line_too(void **state)
{
	struct world_answer answer;
	Cdop__Call call;
	char text[] = "two\x1b[A";

	(void)state;
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_Status;
	call.purpose_text = text;
	world_send(&w, WORLD_PARTNER_WIRRAL, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_string_equal(answer.reply->reason, "purpose_text_control");
}

/* The words of an act are what its second person decides on. */
static void
a_reason_adds_no_line_to_what_is_approved(void **state)
{
	Cdop__ProfileApplyRequest request;
	Cdop__ApprovalListReply *list;
	struct world_answer answer;
	const Cdop__ProfileGetReply *now;
	const Cdop__Approval *approval;
	size_t i;

	(void)state;
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_ProfileGet, NULL, &answer);
	now = world_body(&w, &answer, &cdop__profile_get_reply__descriptor);
	cdop__profile_apply_request__init(&request);
	request.text.len = now->text.len + 2;
	request.text.data = cdop_arena_alloc(w.arena, request.text.len);
	assert_non_null(request.text.data);
	memcpy(request.text.data, now->text.data, now->text.len);
	memcpy(request.text.data + now->text.len, "#\n", 2);
	request.version = 1;
	request.reason = calls_text(&w, "a slip\n    limits: asks_per_day");
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_ProfileApply, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	world_call(&w, WORLD_ADMIN_1, CDOP_CALL_ApprovalList, NULL, &answer);
	list = world_body(&w, &answer, &cdop__approval_list_reply__descriptor);
	assert_int_equal(list->n_approval, 1);
	approval = list->approval[0];
	for (i = 0; i < approval->n_words; i++)
		assert_null(strchr(approval->words[i], '\n'));
	assert_string_equal(approval->words[approval->n_words - 1],
	    "reason: a slip limits: asks_per_day");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_reason_is_kept_as_one_line),
	    cmocka_unit_test(what_steers_a_terminal_is_refused),
	    cmocka_unit_test(a_purpose_in_words_is_a_line_too),
	    cmocka_unit_test(a_reason_adds_no_line_to_what_is_approved),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
