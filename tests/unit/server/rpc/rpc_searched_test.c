/*
 * Was this child searched for?  Nobody hears it alone, and who hears it hears
 * of all that was typed before the approval (RECORDS M11).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/audit.h"
#include "server/registry/duplicates.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;
static uint8_t nonce[16] = {7};
static uint8_t key[16]; /* of the question */

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	world_key(&w, key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* ---- calls --------------------------------------------------------------- */

struct answer {
	const Cdop__Reply *reply;
	const Cdop__AuditSearchedReply *body; /* NULL: it has none */
	struct rpc_cursor next;
};

static Cdop__AuditSearchedRequest
question(const char *family)
{
	Cdop__AuditSearchedRequest request;

	cdop__audit_searched_request__init(&request);
	request.family_name = calls_text(&w, family);
	request.nonce = (ProtobufCBinaryData){sizeof(nonce), nonce};
	return request;
}

/* One message of the answer, of a stream that has come to cursor. */
static struct answer
message(enum world_who who, const Cdop__AuditSearchedRequest *body,
    const struct rpc_cursor *cursor)
{
	static char audit[] = "audit";
	struct dispatch_request request = {.now_ms = w.now_ms};
	struct dispatch_peer peer = {.device = who};
	struct dispatch_result result;
	struct answer answer = {.reply = NULL};
	uint8_t packed[512], *outer = cdop_arena_alloc(w.arena, 1024);
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_AuditSearched;
	call.purpose = audit;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	call.has_body = true;
	call.body.len = cdop__audit_searched_request__pack(body, packed);
	call.body.data = packed;
	request.peer = &peer;
	request.message.len = cdop__call__pack(&call, outer);
	request.message.data = outer;
	if (cursor != NULL)
		request.stream = *cursor;
	world_begin(&w, 8u << 20, 64);
	assert_int_equal(
	    dispatch_call(w.reg, w.arena, &request, &result), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	answer.next = result.next;
	answer.reply = cdop__reply__unpack(
	    cdop_arena_allocator(w.arena), result.reply.len, result.reply.data);
	assert_non_null(answer.reply);
	if (answer.reply->has_body)
		answer.body = cdop__audit_searched_reply__unpack(
		    cdop_arena_allocator(w.arena), answer.reply->body.len,
		    answer.reply->body.data);
	return answer;
}

static void
refused(const struct answer *answer, enum cdop_err want, const char *reason)
{
	assert_int_equal(answer->reply->status, want);
	assert_string_equal(answer->reply->reason, reason);
	assert_true(answer->body == NULL || answer->body->n_entry == 0);
}

static void
waits(const struct answer *answer)
{
	assert_int_equal(answer->reply->status, CDOP_OK);
	assert_string_equal(answer->reply->reason, "second_person");
	assert_true(answer->reply->has_approval);
	assert_null(answer->body);
}

/* The act that waits, as this one is shown it; NULL: none. */
static const Cdop__Approval *
shown(enum world_who who)
{
	static struct world_answer answer;
	Cdop__ApprovalListRequest request;
	Cdop__ApprovalListReply *list;

	cdop__approval_list_request__init(&request);
	world_call(&w, who, CDOP_CALL_ApprovalList, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	list = world_body(&w, &answer, &cdop__approval_list_reply__descriptor);
	return list->n_approval == 0 ? NULL : list->approval[0];
}

static void
decide(enum world_who who, bool yes, enum cdop_err want)
{
	const Cdop__Approval *a = shown(who);
	struct world_answer answer;

	assert_non_null(a);
	world_decide(&w, who, a, yes, NULL, &answer);
	assert_int_equal(answer.reply->status, want);
}

static void
ask(enum world_who who, const char *family, const char *birth)
{
	Cdop__AskRequest request;
	struct world_answer answer;

	cdop__ask_request__init(&request);
	request.family_name = calls_text(&w, family);
	request.birth_date = calls_text(&w, birth);
	world_call(&w, who, CDOP_CALL_Ask, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

/* The newest leaf. */
static const Cdop__AuditEntry *
newest(void)
{
	static struct world_answer answer;
	Cdop__AuditListRequest request;
	Cdop__AuditListReply *list;

	cdop__audit_list_request__init(&request);
	request.has_limit = true;
	request.limit = 1;
	world_call(
	    &w, WORLD_AUDITOR, CDOP_CALL_AuditList, &request.base, &answer);
	list = world_body(&w, &answer, &cdop__audit_list_reply__descriptor);
	return list->entry[0];
}

/* ---- tests --------------------------------------------------------------- */

static void
two_people_hear_who_has_searched(void **state)
{
	Cdop__AuditSearchedRequest request = question("Tarrant");
	const Cdop__AuditEntry *e;
	struct answer answer;

	(void)state;
	ask(WORLD_PARTNER_SEFTON, "tarant", "2026-03-03"); /* and in vain */
	ask(WORLD_PARTNER_WIRRAL, "Osei", "2026-03-03");
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	/* Of what is typed once it was asked, too, until it is approved. */
	(void)calls_find(&w, WORLD_COORDINATOR, "Tarrant", "2026");
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	decide(WORLD_COORDINATOR, true, CDOP_OK);
	ask(WORLD_PARTNER_WIRRAL, "Tarrant", "2026-03-03");

	answer = message(WORLD_AUDITOR, &request, NULL);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->last);
	assert_non_null(answer.body);
	assert_string_equal(answer.body->understood, "family name \"tarrant\"");
	assert_int_equal(answer.body->n_entry, 2);
	assert_string_equal(answer.body->entry[0]->call, "CaseFind");
	e = answer.body->entry[1];
	assert_string_equal(e->call, "Ask");
	assert_int_equal(e->person, WORLD_PARTNER_SEFTON);
	assert_int_equal(e->outcome, CDOP_NOT_FOUND);
	/* That it was answered is a leaf, with both people in it. */
	e = newest();
	assert_string_equal(e->call, "AuditSearched");
	assert_string_equal(e->reason, "answered");
	assert_int_equal(e->person, WORLD_AUDITOR);
	assert_int_equal(e->second_person, WORLD_COORDINATOR);
	/* And it is the same as often as it is wanted. */
	world_reopen(&w);
	request = question("Tarrant");
	answer = message(WORLD_AUDITOR, &request, NULL);
	assert_int_equal(answer.body->n_entry, 2);
}

/* Was it found by this name, and this birth (or NULL), that it was tried? */
static size_t
found_born(const char *family, const char *birth)
{
	Cdop__AuditSearchedRequest request = question(family);
	struct answer answer;

	if (birth != NULL)
		request.birth_date = calls_text(&w, birth);
	world_key(&w, key);
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	decide(WORLD_COORDINATOR_WIRRAL, true, CDOP_OK);
	answer = message(WORLD_AUDITOR, &request, NULL);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return answer.body->n_entry;
}

static size_t
found(const char *family)
{
	return found_born(family, NULL);
}

/*
 * A notification that is only tried says whether there is such a child, by
 * each name that is in it: so it is a search by each of them.
 */
static void
a_form_that_is_tried_is_a_search_by_all_its_names(void **state)
{
	struct calls_tell tell = {
	    .form = world_form(&w, 80, "wirral"), .dry = true};

	(void)state;
	calls_put(&w, tell.form, "other_name.1.family_name", "Osei");
	calls_put(&w, tell.form, "other_name.2.family_name", "Quill-Bramber");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_int_equal(found("Osei"), 1);
	assert_int_equal(found("Quill"), 1);
	assert_int_equal(found("Bramber"), 1);
	assert_int_equal(found("Bramber-Fell"), 0); /* a part alone is shared */
	assert_int_equal(found("Nobody"), 0);
	/* Of one without a number and a name, it is the mother's. */
	tell.form = world_form(&w, 81, "wirral");
	calls_put(&w, tell.form, "mother.family_name", "Tarrant");
	calls_put(&w, tell.form, "child.name_kind", "baby_of");
	tell.form->child->family_name = NULL;
	tell.form->child->first_names = NULL;
	tell.form->child->nhs_number = NULL;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_int_equal(found("Tarrant"), 1);
}

/* A date that is tried on a record is looked for with the record's name. */
static void
an_amendment_is_a_search_by_what_the_record_says(void **state)
{
	char *reference;

	(void)state;
	reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 82, "wirral"));
	assert_int_equal(found_born("Syntheticde", "2024-02-02"), 0);
	(void)calls_amend(
	    &w, reference, 1, "birth.date", "2024-02-02", NULL, CDOP_OK);
	assert_int_equal(found_born("Syntheticde", "2024-02-02"), 1);
}

static void
change_status(const char *reference, uint64_t version, uint32_t method)
{
	Cdop__CaseWithdrawRequest request;

	cdop__case_withdraw_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.reason = calls_text(&w, "a test of the portal");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, method, &request.base, CDOP_OK);
}

/* A case that comes back is looked for by every name that it ever had. */
static void
a_case_that_comes_back_is_a_search_by_its_names(void **state)
{
	char *own = strdup(
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 83, "wirral")));
	size_t one, was, part, is;

	(void)state;
	assert_non_null(own);
	(void)calls_amend(
	    &w, own, 1, "child.family_name", "Quillon-Wyre", NULL, CDOP_OK);
	(void)calls_amend(
	    &w, own, 2, "child.family_name", "Tarrock", NULL, CDOP_OK);
	(void)calls_amend(
	    &w, own, 3, "child.family_name", "Oseibrook", NULL, CDOP_OK);
	change_status(own, 1, CDOP_CALL_CaseWithdraw);
	was = found("Quillon");
	part = found("Wyre");
	one = found("Tarrock");
	is = found("Oseibrook");
	change_status(own, 2, CDOP_CALL_CaseReinstate);
	assert_int_equal(found("Quillon"), was + 1);
	assert_int_equal(found("Wyre"), part + 1);
	assert_int_equal(found("Tarrock"), one + 1);
	assert_int_equal(found("Oseibrook"), is + 1);
	free(own);
}

/* As long as may be, each of two parts, and as many as are kept in mind. */
static void
names_before(const char *reference, uint64_t version, const char *path)
{
	char name[] = "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-"
		      "Bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	unsigned i;

	for (i = 0; i < DUPLICATES_NAMES; i++) {
		name[1] = name[36] = (char)('a' + i);
		(void)calls_amend(
		    &w, reference, version + i, path, name, NULL, CDOP_OK);
	}
}

static void
a_case_of_many_names_comes_back(void **state)
{
	char *own = strdup(
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 84, "wirral")));

	(void)state;
	assert_non_null(own);
	names_before(own, 1, "child.family_name");
	names_before(own, 1 + DUPLICATES_NAMES, "mother.family_name");
	change_status(own, 1, CDOP_CALL_CaseWithdraw);
	change_status(own, 2, CDOP_CALL_CaseReinstate);
	free(own);
}

static void
without_a_yes_there_is_no_answer(void **state)
{
	Cdop__AuditSearchedRequest request = question("Tarrant");
	struct answer answer;

	(void)state;
	ask(WORLD_PARTNER_SEFTON, "Tarrant", "2026-03-03");
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	decide(WORLD_AUDITOR, true, CDOP_FAILED_PRECONDITION);
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	decide(WORLD_COORDINATOR_WIRRAL, false, CDOP_OK);
	answer = message(WORLD_AUDITOR, &request, NULL);
	refused(&answer, CDOP_FAILED_PRECONDITION, "not_approved");
	/* Expired is likewise no yes; and a cut stream begins anew. */
	world_key(&w, key);
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	w.now_ms += 73ull * 3600 * 1000;
	answer = message(WORLD_AUDITOR, &request, NULL);
	refused(&answer, CDOP_FAILED_PRECONDITION, "not_approved");
}

/* A yes is to one request: neither another one's nor another key's. */
static void
a_yes_is_for_one_request(void **state)
{
	Cdop__AuditSearchedRequest request = question("Tarrant");
	Cdop__AuditSearchedRequest other = question("Osei");
	uint8_t first[16];
	struct answer answer;

	(void)state;
	ask(WORLD_PARTNER_SEFTON, "Osei", "2026-03-03");
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	memcpy(first, key, sizeof(first));
	decide(WORLD_COORDINATOR, true, CDOP_OK);
	answer = message(WORLD_AUDITOR, &other, NULL);
	refused(&answer, CDOP_ALREADY_EXISTS, "request_key_reused");
	world_key(&w, key);
	answer = message(WORLD_AUDITOR, &other, NULL);
	waits(&answer);
	memcpy(key, first, sizeof(key));
	answer = message(WORLD_AUDITOR, &request, NULL);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_int_equal(answer.body->n_entry, 0);
	/* A coordinator approves, and asks nothing of the log. */
	answer = message(WORLD_COORDINATOR, &request, NULL);
	refused(&answer, CDOP_PERMISSION_DENIED, "role");
}

static void
the_second_person_is_shown_the_terms(void **state)
{
	Cdop__AuditSearchedRequest request = question("Tarrant");
	const Cdop__Approval *a;
	struct answer answer;

	(void)state;
	request.birth_date = calls_text(&w, "2026-03-03");
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	assert_null(shown(WORLD_ADMIN_1));
	a = shown(WORLD_COORDINATOR);
	assert_non_null(a);
	assert_true(a->you_may);
	assert_non_null(strstr(a->words[0], "family name \"tarrant\", born"));
}

/* The question is a search, and is none that it finds. */
static void
it_does_not_find_itself(void **state)
{
	Cdop__AuditSearchedRequest request = question("Tarrant");
	struct answer answer;
	uint8_t first[16];

	(void)state;
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	assert_int_equal(newest()->n_term_kind, 1);
	memcpy(first, key, sizeof(first));
	world_key(&w, key);
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	decide(WORLD_COORDINATOR, true, CDOP_OK);
	decide(WORLD_COORDINATOR, true, CDOP_OK);
	answer = message(WORLD_AUDITOR, &request, NULL);
	assert_int_equal(answer.body->n_entry, 0);
	memcpy(key, first, sizeof(key));
	answer = message(WORLD_AUDITOR, &request, NULL);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_int_equal(answer.body->n_entry, 0);
}

static void
bad(Cdop__AuditSearchedRequest *request, const char *rule)
{
	struct answer answer = message(WORLD_AUDITOR, request, NULL);

	refused(&answer, CDOP_INVALID_ARGUMENT, "bad_field");
	assert_string_equal(answer.reply->violation[0]->rule, rule);
}

static void
too_little_is_not_asked(void **state)
{
	Cdop__AuditSearchedRequest request = question("");

	(void)state;
	bad(&request, "searched.minimum");
	request.birth_date = calls_text(&w, "2026-03-03");
	bad(&request, "searched.minimum");
	request.birth_date = calls_text(&w, "soon");
	bad(&request, "date.form");
	request = question("Tarrant");
	request.nhs_number = calls_text(&w, "9990000019");
	bad(&request, "nhs.wrong");
	request = question("Tarrant");
	request.nonce.len = 15;
	bad(&request, "nonce.length");
}

static void
grow(size_t n)
{
	struct audit_entry entry;
	size_t i;

	memset(&entry, 0, sizeof(entry));
	entry.call = AUDIT_EVENT_REFUSED;
	entry.time_ms = w.now_ms;
	while (n > 0) {
		world_begin(&w, 8u << 20, 1024);
		for (i = 0; i < 500 && n > 0; i++, n--)
			assert_int_equal(
			    audit_append(w.reg->audit, w.arena, &entry, NULL),
			    CDOP_OK);
		assert_int_equal(registry_commit(w.reg), CDOP_OK);
		cdop_arena_reset(w.arena);
	}
}

/* Far back in a long log, a part at a time; each has its leaf. */
static void
a_long_log_is_looked_through_in_parts(void **state)
{
	Cdop__AuditSearchedRequest request;
	struct rpc_cursor cursor = {0};
	struct answer answer;
	size_t n = 0, parts = 0;
	uint64_t size;

	(void)state;
	ask(WORLD_PARTNER_SEFTON, "Tarrant", "2026-03-03");
	grow(2500);
	request = question("Tarrant");
	answer = message(WORLD_AUDITOR, &request, NULL);
	waits(&answer);
	grow(2500); /* so that the approval is far from the question */
	decide(WORLD_COORDINATOR, true, CDOP_OK);
	grow(2500);
	request = question("Tarrant");
	size = audit_size(w.reg->audit);
	do {
		answer = message(
		    WORLD_AUDITOR, &request, parts == 0 ? NULL : &cursor);
		assert_int_equal(answer.reply->status, CDOP_OK);
		n += answer.body->n_entry;
		cursor = answer.next;
		parts++;
		assert_true(parts < 20);
	} while (!answer.reply->last);
	assert_int_equal(n, 1);
	assert_true(parts > 3);
	assert_int_equal(audit_size(w.reg->audit), size + parts);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(two_people_hear_who_has_searched),
	    TEST(a_form_that_is_tried_is_a_search_by_all_its_names),
	    TEST(an_amendment_is_a_search_by_what_the_record_says),
	    TEST(a_case_that_comes_back_is_a_search_by_its_names),
	    TEST(a_case_of_many_names_comes_back),
	    TEST(without_a_yes_there_is_no_answer),
	    TEST(a_yes_is_for_one_request),
	    TEST(the_second_person_is_shown_the_terms),
	    TEST(it_does_not_find_itself),
	    TEST(too_little_is_not_asked),
	    TEST(a_long_log_is_looked_through_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
