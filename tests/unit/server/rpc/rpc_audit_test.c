/*
 * The log as its auditor reads it: whole whatever stands in it, and without
 * an entry that somebody chose the words of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "server/registry/audit.h"
#include "server/vault/rows.h"
#include "tests/unit/server/rpc/calls.h"

#define LISTS 450 /* of 100 cases: rows far over a request's memory */

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

/* One message of AuditList, from where the last one ended. */
static Cdop__AuditListReply *
message_for(struct rpc_cursor *cursor, const char *reference, uint32_t person,
    bool *ret_last)
{
	Cdop__AuditListRequest body;
	Cdop__Call call;
	const Cdop__Reply *reply;
	uint8_t packed[256];

	cdop__audit_list_request__init(&body);
	body.reference = calls_text(&w, reference);
	body.has_person = person != 0;
	body.person = person;
	cdop__call__init(&call);
	call.method = CDOP_CALL_AuditList;
	call.use = CDOP__USE__SCREEN;
	call.has_body = true;
	call.body.len = cdop__audit_list_request__pack(&body, packed);
	call.body.data = packed;
	reply = calls_next(&w, &call, cursor);
	assert_int_equal(reply->status, CDOP_OK);
	*ret_last = reply->last;
	return cdop__audit_list_reply__unpack(
	    cdop_arena_allocator(w.arena), reply->body.len, reply->body.data);
}

static Cdop__AuditListReply *
next_message(struct rpc_cursor *cursor, const char *reference, bool *ret_last)
{
	return message_for(cursor, reference, 0, ret_last);
}

static size_t
entries_about(const char *reference)
{
	struct rpc_cursor cursor = {0};
	bool last = false;
	size_t n = 0;

	while (!last) {
		n += next_message(&cursor, reference, &last)->n_entry;
		cdop_arena_reset(w.arena);
	}
	return n;
}

/* The newest entry that is not of reading the log. */
static const Cdop__AuditEntry *
newest(void)
{
	struct rpc_cursor cursor = {0};
	Cdop__AuditListReply *reply;
	bool last;
	size_t i;

	reply = next_message(&cursor, NULL, &last);
	for (i = 0; i < reply->n_entry; i++)
		if (strcmp(reply->entry[i]->call, "AuditList") != 0)
			return reply->entry[i];
	fail_msg("the log is empty");
	return NULL;
}

static void
nobody_logs_an_event_by_calling_its_number(void **state)
{
	const Cdop__AuditEntry *entry;
	struct world_answer answer;
	uint32_t method;

	(void)state;
	for (method = AUDIT_EVENT_INIT; method < AUDIT_EVENT_INIT + 20;
	     method++) {
		world_call(&w, WORLD_PARTNER_WIRRAL, method, NULL, &answer);
		assert_int_equal(answer.reply->status, CDOP_UNIMPLEMENTED);
		entry = newest();
		assert_string_equal(entry->call, "no such call");
		assert_int_equal(entry->person, WORLD_PARTNER_WIRRAL);
	}
}

static void
what_changed_nothing_does_not_look_like_the_change(void **state)
{
	struct calls_tell tell = {
	    .form = world_form(&w, 500, "wirral"), .dry = true};
	Cdop__CaseInterestRequest interest;
	struct world_answer answer;
	Cdop__Call call;
	uint8_t key[16], body[256];
	char *reference, purpose[] = "case_work";

	(void)state;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_string_equal(newest()->reason, "dry_run");
	reference = calls_new(&w, WORLD_COORDINATOR, tell.form);
	assert_null(newest()->reason);

	cdop__case_interest_request__init(&interest);
	interest.reference = reference;
	interest.version = 1;
	interest.area = calls_text(&w, "sefton");
	interest.reason = calls_text(&w, "school there");
	cdop__call__init(&call);
	world_key(&w, key);
	call.id = 1;
	call.method = CDOP_CALL_CaseInterest;
	call.purpose = purpose;
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	call.has_body = true;
	call.body.len = cdop__case_interest_request__pack(&interest, body);
	call.body.data = body;
	world_send(&w, WORLD_COORDINATOR, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_null(newest()->reason);
	world_send(&w, WORLD_COORDINATOR, &call, &answer);
	assert_true(answer.reply->replayed);
	assert_string_equal(newest()->reason, "replayed");
}

static const Cdop__AuditEntry *
asked(const char *nhs, const char *family, const char *birth)
{
	Cdop__AskRequest ask;
	struct world_answer answer;

	cdop__ask_request__init(&ask);
	ask.nhs_number = nhs == NULL ? NULL : calls_text(&w, nhs);
	ask.family_name = family == NULL ? NULL : calls_text(&w, family);
	ask.birth_date = birth == NULL ? NULL : calls_text(&w, birth);
	world_call(&w, WORLD_PARTNER_WIRRAL, CDOP_CALL_Ask, &ask.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	/* In the reply the three do not differ by a word. */
	assert_null(answer.reply->reason);
	return newest();
}

static void
the_log_tells_the_three_answers_apart(void **state)
{
	char *reference = world_register(&w, 550, "wirral");
	Cdop__Case *c = calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	const Cdop__Form *form = c->record->form;
	const Cdop__AuditEntry *entry;

	(void)state;
	entry = asked(form->child->nhs_number, NULL, NULL);
	assert_string_equal(entry->reason, "known");
	assert_string_equal(entry->released[0]->reference, reference);
	assert_string_equal(
	    asked(NULL, "Nobody", "2024-05-14")->reason, "not_known");
	entry = asked(NULL, form->child->family_name, NULL);
	assert_string_equal(entry->reason, "not_enough");
	assert_int_equal(entry->n_released, 0);
	free(reference);
}

/* Everything in the log that names this person. */
static size_t
entries_of(uint32_t person, const char *call)
{
	struct rpc_cursor cursor = {0};
	Cdop__AuditListReply *reply;
	bool last = false;
	size_t i, n = 0;

	while (!last) {
		reply = message_for(&cursor, NULL, person, &last);
		for (i = 0; i < reply->n_entry; i++)
			n += strcmp(reply->entry[i]->call, call) == 0;
		cdop_arena_reset(w.arena);
	}
	return n;
}

/* A glance and a printed copy do not look alike (RECORDS M11). */
static void
the_log_says_where_an_answer_went(void **state)
{
	Cdop__CaseListRequest request;
	struct world_answer answer;
	char purpose[] = "meeting";
	uint8_t body[16];
	Cdop__Call call;

	(void)state;
	cdop__case_list_request__init(&request);
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_CaseList;
	call.purpose = purpose;
	call.has_use = true;
	call.use = CDOP__USE__PRINT;
	call.has_body = true;
	call.body.data = body;
	call.body.len = cdop__case_list_request__pack(&request, body);
	world_send(&w, WORLD_COORDINATOR, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(newest()->has_use);
	assert_int_equal(newest()->use, CDOP__USE__PRINT);
	assert_string_equal(newest()->purpose, "meeting");
}

static void
what_is_done_to_a_person_is_found_by_the_person(void **state)
{
	Cdop__SuspendRequest suspend;
	struct world_answer answer;
	const Cdop__AuditEntry *entry;

	(void)state;
	assert_int_equal(entries_of(WORLD_ANALYST, "Suspend"), 0);
	cdop__suspend_request__init(&suspend);
	suspend.person = WORLD_ANALYST;
	suspend.reason = calls_text(&w, "left");
	world_call(
	    &w, WORLD_ADMIN_1, CDOP_CALL_Suspend, &suspend.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	entry = newest();
	assert_int_equal(entry->subject_person, WORLD_ANALYST);
	assert_string_equal(
	    entry->subject_person_name, world_name(WORLD_ANALYST));
	assert_int_equal(entries_of(WORLD_ANALYST, "Suspend"), 1);
	assert_int_equal(entries_of(WORLD_ADMIN_1, "Suspend"), 1);
	assert_int_equal(entries_of(WORLD_ADMIN_2, "Suspend"), 0);
}

static void
long_rows_do_not_keep_the_auditor_out(void **state)
{
	char *first, *reference;
	unsigned i;

	(void)state;
	w.budget = CDOP_REQUEST_ARENA;
	first = world_register(&w, 0, "wirral");
	for (i = 1; i < CDOP_LIST_MAX; i++) {
		reference = world_register(&w, i, "wirral");
		free(reference);
		cdop_arena_reset(w.arena);
	}
	for (i = 0; i < LISTS; i++) {
		(void)calls_lists(&w, WORLD_COORDINATOR, "none");
		cdop_arena_reset(w.arena);
	}
	assert_int_equal(entries_about(first), LISTS + 1);
	assert_int_equal(entries_about("T-K7M4-QX23"), 0);
	free(first);
}

/* A member could make the neighbours of a call run again one by one. */
static void
what_takes_too_much_is_refused_and_aborts_nothing(void **state)
{
	Cdop__ProfileDiffRequest diff;
	struct world_answer answer;
	const Cdop__AuditEntry *entry;
	const Cdop__ProfileGetReply *now;
	size_t len = 960000, i;

	(void)state;
	world_call(&w, WORLD_COORDINATOR, CDOP_CALL_ProfileGet, NULL, &answer);
	now = world_body(&w, &answer, &cdop__profile_get_reply__descriptor);
	cdop__profile_diff_request__init(&diff);
	diff.text.len = len;
	diff.text.data = cdop_arena_alloc(w.arena, len);
	memcpy(diff.text.data, now->text.data, now->text.len);
	memset(diff.text.data + now->text.len, '\n', len - now->text.len);
	for (i = now->text.len + 1; i + 3 <= len; i += 3)
		memcpy(diff.text.data + i, "#x\n", 3);
	w.budget = CDOP_REQUEST_ARENA;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_ProfileDiff, &diff.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_RESOURCE_EXHAUSTED);
	assert_string_equal(answer.reply->reason, "too_large");
	entry = newest();
	assert_string_equal(entry->call, "ProfileDiff");
	assert_int_equal(entry->outcome, CDOP_RESOURCE_EXHAUSTED);
}

/* Each look would have left as much as a message holds in the log. */
static void
a_purpose_in_words_is_bounded(void **state)
{
	static char text[CDOP_REASON_MAX * 2 + 2];
	struct world_answer answer;
	Cdop__Call call;

	(void)state;
	memset(text, 'x', CDOP_REASON_MAX + 1);
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_Status;
	call.purpose_text = text;
	world_send(&w, WORLD_PARTNER_WIRRAL, &call, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_string_equal(answer.reply->reason, "purpose_text_long");
	/* Which call it was is in its leaf, as in that of any refusal. */
	assert_string_equal(newest()->call, "Status");
	/* Characters are counted, not bytes. */
	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < CDOP_REASON_MAX; i++)
		memcpy(text + i * 2, "\xc3\xa9", 2);
	world_send(&w, WORLD_PARTNER_WIRRAL, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

/* The same child told of again and again, at length. */
static void
an_answer_that_is_too_long_is_a_refusal(void **state)
{
	static char words[CDOP_NARRATIVE_MAX];
	struct calls_tell tell = {.n_decision = 1};
	Cdop__CaseShowRequest show;
	struct world_answer answer;
	char *reference;
	unsigned i;

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	reference = world_register(&w, 600, "wirral");
	w.budget = CDOP_REQUEST_ARENA;
	for (i = 0; i < 33; i++) {
		cdop_arena_reset(w.arena);
		tell.form = world_form(&w, 600, "wirral");
		calls_put(&w, tell.form, "circumstances.narrative", words);
		tell.decision[0] = calls_decision(
		    &w, reference, CDOP__DECISION__JOIN, "the same child");
		(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	}
	cdop__case_show_request__init(&show);
	show.reference = reference;
	show.has_notifications = true;
	show.notifications = true;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_RESOURCE_EXHAUSTED);
	assert_string_equal(answer.reply->reason, "too_large");
	assert_non_null(strstr(answer.reply->message, "without"));
	assert_false(answer.reply->has_body);
	assert_int_equal(newest()->n_released, 0);
	show.notifications = false;
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	free(reference);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_logs_an_event_by_calling_its_number),
	    cmocka_unit_test(
		what_changed_nothing_does_not_look_like_the_change),
	    cmocka_unit_test(the_log_tells_the_three_answers_apart),
	    cmocka_unit_test(the_log_says_where_an_answer_went),
	    cmocka_unit_test(what_is_done_to_a_person_is_found_by_the_person),
	    cmocka_unit_test(what_takes_too_much_is_refused_and_aborts_nothing),
	    cmocka_unit_test(an_answer_that_is_too_long_is_a_refusal),
	    cmocka_unit_test(a_purpose_in_words_is_bounded),
	    cmocka_unit_test(long_rows_do_not_keep_the_auditor_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
