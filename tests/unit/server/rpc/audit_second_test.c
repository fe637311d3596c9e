/*
 * Acts of two people as the log has them: which act was asked for, approved
 * or declined, whose it was, and what it brought in (RECORDS M14).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/proto/sample_profile.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;

static char why[] = "new post", title[] = "deputy", no[] = "not agreed";

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
ask(struct world_answer *answer)
{
	Cdop__PersonChangeRequest request;

	cdop__person_change_request__init(&request);
	request.person = WORLD_ANALYST;
	request.job_title = title;
	request.reason = why;
	world_call(
	    &w, WORLD_ADMIN_1, CDOP_CALL_PersonChange, &request.base, answer);
	assert_int_equal(answer->failed, CDOP_OK);
	assert_true(answer->reply->has_approval);
}

static void
decide(enum world_who who, const Cdop__Approval *a, bool yes, uint32_t want)
{
	struct world_answer answer;

	world_decide(&w, who, a, yes, yes ? NULL : no, &answer);
	assert_int_equal(answer.reply->status, want);
}

/* The newest entry that is not of looking. */
static const Cdop__AuditEntry *
newest(void)
{
	const Cdop__AuditListReply *list = calls_log(&w, NULL, 0);
	size_t i;

	for (i = 0; i < list->n_entry; i++)
		if (strstr(list->entry[i]->call, "List") == NULL)
			return list->entry[i];
	fail_msg("the log is empty");
	return NULL;
}

static void
assert_decided(const Cdop__AuditEntry *e, const Cdop__Approval *a)
{
	assert_string_equal(e->call, "Approve");
	assert_string_equal(e->approved_call, "PersonChange");
	assert_int_equal(e->second_person, WORLD_ADMIN_1);
	assert_string_equal(e->second_person_name, world_name(WORLD_ADMIN_1));
	assert_int_equal(e->approval.len, 8);
	assert_memory_equal(e->approval.data, a->number.data, 8);
}

static void
what_is_asked_for_is_not_what_is_done(void **state)
{
	const Cdop__AuditEntry *e;
	struct world_answer answer;
	const Cdop__Approval *a;

	(void)state;
	ask(&answer);
	a = calls_waiting(&w, WORLD_ADMIN_2);
	e = newest();
	assert_string_equal(e->call, "PersonChange");
	assert_string_equal(e->reason, "second_person");
	assert_null(e->approved_call);
	assert_memory_equal(e->approval.data, a->number.data, 8);
	/* Why, as whoever asked said: once, where it was said. */
	assert_string_equal(e->reason_text, why);
	decide(WORLD_ADMIN_2, a, true, CDOP_OK);
	e = newest();
	assert_null(e->reason_text);
	assert_decided(e, a);
	assert_null(e->reason);
	assert_int_equal(e->subject_person, WORLD_ANALYST);
}

static void
what_is_declined_or_taken_back_is_named(void **state)
{
	const Cdop__AuditEntry *e;
	struct world_answer answer;
	const Cdop__Approval *a;

	(void)state;
	ask(&answer);
	a = calls_waiting(&w, WORLD_ADMIN_2);
	decide(WORLD_ADMIN_2, a, false, CDOP_OK);
	e = newest();
	assert_decided(e, a);
	assert_string_equal(e->reason, "declined");
	assert_string_equal(e->reason_text, no);
	ask(&answer);
	a = calls_waiting(&w, WORLD_ADMIN_2);
	decide(WORLD_ADMIN_1, a, false, CDOP_OK);
	e = newest();
	assert_string_equal(e->approved_call, "PersonChange");
	assert_false(e->has_second_person);
}

static void
what_could_not_be_approved_is_named(void **state)
{
	Cdop__SuspendRequest suspend;
	const Cdop__AuditEntry *e;
	struct world_answer answer;
	const Cdop__Approval *a;

	(void)state;
	ask(&answer);
	a = calls_waiting(&w, WORLD_ADMIN_2);
	decide(WORLD_ADMIN_1, a, true, CDOP_FAILED_PRECONDITION);
	e = newest();
	assert_string_equal(e->reason, "same_person");
	assert_string_equal(e->approved_call, "PersonChange");
	cdop__suspend_request__init(&suspend);
	suspend.person = WORLD_ANALYST;
	suspend.reason = why;
	world_call(
	    &w, WORLD_ADMIN_3, CDOP_CALL_Suspend, &suspend.base, &answer);
	decide(WORLD_ADMIN_2, a, true, CDOP_ABORTED);
	e = newest();
	assert_decided(e, a);
	assert_string_equal(e->reason, "target_changed");
	assert_int_equal(e->outcome, CDOP_ABORTED);
}

static void
a_new_profile_stands_there_with_its_hash(void **state)
{
	Cdop__ProfileApplyRequest request;
	const Cdop__AuditEntry *e;
	struct world_answer answer;

	(void)state;
	cdop__profile_apply_request__init(&request);
	request.text.data = (uint8_t *)cdop_arena_printf(
	    w.arena, "%s\n# one line more\n", sample_profile_text(w.arena));
	assert_non_null(request.text.data);
	request.text.len = strlen((const char *)request.text.data);
	request.version = 1;
	request.reason = why;
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_ProfileApply, &request.base,
	    &answer);
	assert_true(answer.reply->has_approval);
	e = newest();
	assert_string_equal(e->reason, "second_person");
	assert_int_equal(e->digest.len, 32);
	assert_memory_not_equal(e->digest.data, w.reg->profile_hash, 32);
	decide(WORLD_ADMIN_2, calls_waiting(&w, WORLD_ADMIN_2), true, CDOP_OK);
	e = newest();
	assert_string_equal(e->approved_call, "ProfileApply");
	assert_int_equal(e->second_person, WORLD_COORDINATOR);
	assert_int_equal(e->digest.len, 32);
	assert_memory_equal(e->digest.data, w.reg->profile_hash, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_asked_for_is_not_what_is_done),
	    TEST(what_is_declined_or_taken_back_is_named),
	    TEST(what_could_not_be_approved_is_named),
	    TEST(a_new_profile_stands_there_with_its_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
