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

#include "cdop/bytes.h"
#include "cdop/limits.h"
#include "tests/unit/server/world.h"

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
	call.method = CDOP_CALL_Status;
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

/* A list with this purpose and these words, and where it goes. */
static const char *
refused_for(char *purpose, char *text, bool has_use)
{
	Cdop__CaseListRequest request;
	struct world_answer answer;
	uint8_t body[16];
	Cdop__Call call;

	cdop__case_list_request__init(&request);
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_CaseList;
	call.purpose = purpose;
	call.purpose_text = text;
	call.has_use = has_use;
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

static const char *
refused_as(char *purpose, char *text)
{
	return refused_for(purpose, text, true);
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
	assert_string_equal(refused_for(known, NULL, false), "use_needed");
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
	call.method = CDOP_CALL_Status;
	world.expired = true;
	world_send(&world, WORLD_COORDINATOR, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_UNAUTHENTICATED);
	assert_string_equal(answer.reply->reason, "session_expired");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

/* Of a call that names it as the one to act in; "" where that is fine. */
static const char *
as_role(enum world_who who, uint32_t method, Cdop__Role role)
{
	char purpose[] = "case_work";
	struct world_answer answer;
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = 1;
	call.method = method;
	call.purpose = purpose;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_role = true;
	call.role = role;
	call.has_body = true;
	world.waited_ms = 0;
	world_send(&world, who, &call, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	return answer.reply->status == CDOP_OK ? "" : answer.reply->reason;
}

static void
a_role_that_is_named_has_to_be_ones_own(void **state)
{
	(void)state;
	assert_string_equal(as_role(WORLD_COORDINATOR, CDOP_CALL_CaseList,
				CDOP__ROLE__COORDINATOR),
	    "");
	assert_string_equal(
	    as_role(WORLD_COORDINATOR, CDOP_CALL_CaseList, CDOP__ROLE__PARTNER),
	    "role");
	assert_string_equal(
	    as_role(WORLD_COORDINATOR, CDOP_CALL_CaseList, CDOP__ROLE__AUDITOR),
	    "role");
	/* Where anybody may, it says as whom, and has to be so. */
	assert_string_equal(
	    as_role(WORLD_AUDITOR, CDOP_CALL_Status, CDOP__ROLE__AUDITOR), "");
	assert_string_equal(
	    as_role(WORLD_AUDITOR, CDOP_CALL_Status, CDOP__ROLE__COORDINATOR),
	    "role");
}

/* Of a change under this key, of so many bytes; 0: none. */
static const char *
under_key(uint64_t ms, size_t len)
{
	char purpose[] = "case_work";
	struct world_answer answer;
	uint8_t key[16] = {0};
	Cdop__Call call;

	cdop_put16(key, (uint16_t)(ms >> 32));
	cdop_put32(key + 2, (uint32_t)ms);
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_NotificationRegister;
	call.purpose = purpose;
	call.has_request_key = len > 0;
	call.request_key = (ProtobufCBinaryData){len, key};
	call.has_body = true;
	world_send(&world, WORLD_COORDINATOR, &call, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_not_equal(answer.reply->status, CDOP_OK);
	return answer.reply->reason;
}

static void
a_change_has_a_key_of_these_days(void **state)
{
	const uint64_t day = 86400000, now = world.now_ms;

	(void)state;
	assert_string_equal(under_key(now, 0), "request_key_needed");
	assert_string_equal(under_key(now + 2 * day, 16), "request_key_ahead");
	assert_string_equal(under_key(now - 31 * day, 16), "request_key_old");
	/* Neither is said of one of today, whatever else is. */
	assert_string_not_equal(under_key(now, 16), "request_key_ahead");
	assert_string_not_equal(under_key(now, 16), "request_key_old");
	assert_string_equal(under_key(now, 15), "bad_request_key");
}

/* Kinds of calls: a look, a list, a change, one that takes two people. */
static enum cdop_err
call_kind(unsigned kind)
{
	Cdop__NotificationRegisterRequest request;
	Cdop__PersonChangeRequest change;
	char reason[] = "a new post", title[] = "Nurse";
	struct world_answer answer;

	if (kind == 0) {
		world_call(
		    &world, WORLD_ADMIN_1, CDOP_CALL_Status, NULL, &answer);
	} else if (kind == 1) {
		world_call(&world, WORLD_COORDINATOR, CDOP_CALL_CaseList, NULL,
		    &answer);
	} else if (kind == 2) {
		cdop__notification_register_request__init(&request);
		request.form = world_form(&world, 7, "wirral");
		world_call(&world, WORLD_COORDINATOR,
		    CDOP_CALL_NotificationRegister, &request.base, &answer);
	} else {
		cdop__person_change_request__init(&change);
		change.person = WORLD_PARTNER_WIRRAL;
		change.job_title = title;
		change.reason = reason;
		world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonChange,
		    &change.base, &answer);
	}
	if (answer.failed != CDOP_OK)
		return answer.failed;
	return answer.reply != NULL ? (enum cdop_err)answer.reply->status
				    : answer.packed_status;
}

/* In any room it is done, or refused for the room and for nothing else. */
static void
little_memory_is_enough_or_said_to_be_none(void **state)
{
	unsigned kind, refused, done;
	enum cdop_err err;
	size_t budget;

	(void)state;
	world.waited_ms = 0;
	world.abort = true;
	for (kind = 0; kind < 4; kind++) {
		refused = done = 0;
		for (budget = 128; budget < 96u << 10; budget += 384) {
			world.budget = budget;
			err = call_kind(kind);
			refused += err == CDOP_RESOURCE_EXHAUSTED;
			done += err == CDOP_OK;
			if (err != CDOP_OK && err != CDOP_RESOURCE_EXHAUSTED)
				fail_msg("kind %u, %zu bytes: %d", kind, budget,
				    (int)err);
		}
		assert_true(refused > 0 && done > 0);
	}
	world.budget = 0;
	world.abort = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_call_that_waited_past_its_deadline_is_not_begun),
	    TEST(a_purpose_is_stated_and_said_where_it_has_to_be),
	    TEST(a_session_that_is_over_takes_no_call),
	    TEST(a_role_that_is_named_has_to_be_ones_own),
	    TEST(a_change_has_a_key_of_these_days),
	    TEST(little_memory_is_enough_or_said_to_be_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
