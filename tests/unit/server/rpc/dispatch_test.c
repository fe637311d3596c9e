/*
 * What is the same for every call: deadlines, purposes, sessions that are
 * over.  Roles and states are matrix_test's, request keys are
 * rpc_notification_test's.
 */
#include "server/rpc/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "tests/unit/server/world.h"

#define STATUS    1
#define CASE_LIST 44

static struct world world;

static int
make(void **state)
{
	(void)state;
	world_make(&world);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

/* A Status that has waited so long and asked for this deadline; 0: none. */
static uint32_t
waited(uint64_t waited_ms, uint32_t deadline_ms)
{
	struct world_answer answer;
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = 1;
	call.method = STATUS;
	call.has_deadline_ms = deadline_ms != 0;
	call.deadline_ms = deadline_ms;
	world.waited_ms = waited_ms;
	world_send(&world, WORLD_COORDINATOR, &call, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	if (answer.reply->status == CDOP_DEADLINE_EXCEEDED)
		assert_string_equal(answer.reply->reason, "deadline");
	return answer.reply->status;
}

static void
a_call_that_waited_past_its_deadline_is_not_begun(void **state)
{
	(void)state;
	assert_int_equal(waited(500, 500), CDOP_OK);
	assert_int_equal(waited(501, 500), CDOP_DEADLINE_EXCEEDED);
	/* 60 s is the longest, and what stands where none is named. */
	assert_int_equal(waited(CDOP_DEADLINE_MS_MAX, 0), CDOP_OK);
	assert_int_equal(
	    waited(CDOP_DEADLINE_MS_MAX + 1, 0), CDOP_DEADLINE_EXCEEDED);
	assert_int_equal(waited(CDOP_DEADLINE_MS_MAX, UINT32_MAX), CDOP_OK);
	assert_int_equal(waited(CDOP_DEADLINE_MS_MAX + 1, UINT32_MAX),
	    CDOP_DEADLINE_EXCEEDED);
}

/* A list with this purpose and these words. */
static const char *
refused_as(char *purpose, char *text)
{
	Cdop__CaseListRequest request;
	struct world_answer answer;
	uint8_t body[16];
	Cdop__Call call;

	cdop__case_list_request__init(&request);
	cdop__call__init(&call);
	call.id = 1;
	call.method = CASE_LIST;
	call.purpose = purpose;
	call.purpose_text = text;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_body = true;
	call.body.data = body;
	call.body.len = cdop__case_list_request__pack(&request, body);
	world.waited_ms = 0;
	world_send(&world, WORLD_COORDINATOR, &call, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	if (answer.reply->status == CDOP_OK)
		return "";
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_non_null(answer.reply->reason);
	return answer.reply->reason;
}

static void
a_purpose_is_stated_and_said_where_it_has_to_be(void **state)
{
	char known[] = "case_work", other[] = "other", none[] = "because";
	char words[] = "to see how it works", empty[] = "";
	char text[CDOP_REASON_MAX + 2];

	(void)state;
	assert_string_equal(refused_as(NULL, NULL), "purpose_needed");
	assert_string_equal(refused_as(none, NULL), "purpose_unknown");
	assert_string_equal(refused_as(known, NULL), "");
	assert_string_equal(refused_as(other, NULL), "purpose_text_needed");
	assert_string_equal(refused_as(other, empty), "purpose_text_needed");
	assert_string_equal(refused_as(other, words), "");
	memset(text, 'a', sizeof(text));
	text[CDOP_REASON_MAX + 1] = '\0';
	assert_string_equal(refused_as(other, text), "purpose_text_long");
	text[CDOP_REASON_MAX] = '\0';
	assert_string_equal(refused_as(other, text), "");
}

static void
a_session_that_is_over_takes_no_call(void **state)
{
	struct world_answer answer;
	Cdop__Call call;

	(void)state;
	cdop__call__init(&call);
	call.id = 1;
	call.method = STATUS;
	world.expired = true;
	world_send(&world, WORLD_COORDINATOR, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_UNAUTHENTICATED);
	assert_string_equal(answer.reply->reason, "session_expired");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_call_that_waited_past_its_deadline_is_not_begun),
	    TEST(a_purpose_is_stated_and_said_where_it_has_to_be),
	    TEST(a_session_that_is_over_takes_no_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
