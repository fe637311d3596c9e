/*
 * History in pages: every event once and in order, whatever its length, and
 * of nobody else's case or session.
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

#define EVENTS_MAX 1200

static struct world w;
static char reason[2001]; /* the longest, in bytes */

/* What was seen of a history. */
static struct seen {
	uint64_t at_ms, version;
	bool is_form;
	uint32_t instance;
	char what[64];
} seen[EVENTS_MAX];

static size_t n_seen, pages;

static int
setup(void **state)
{
	size_t i;

	(void)state;
	world_make(&w);
	for (i = 0; i + 4 < sizeof(reason); i += 4)
		memcpy(reason + i, "\xf0\x9f\x8c\x8d", 4);
	reason[2000] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static Cdop__CaseHistoryReply *
page(enum world_who who, const char *reference,
    const ProtobufCBinaryData *token, uint32_t limit, enum cdop_err want)
{
	static struct world_answer answer;
	Cdop__CaseHistoryRequest request;

	cdop__case_history_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.has_limit = limit != 0;
	request.limit = limit;
	if (token != NULL) {
		request.has_page = true;
		request.page = *token;
	}
	world_call(&w, who, CDOP_CALL_CaseHistory, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, want);
	return want != CDOP_OK
	    ? NULL
	    : world_body(&w, &answer, &cdop__case_history_reply__descriptor);
}

static void
keep(const Cdop__HistoryEntry *e)
{
	struct seen *s = &seen[n_seen++];

	assert_true(n_seen < EVENTS_MAX);
	s->at_ms = e->at_ms;
	s->version = e->version;
	s->is_form = e->has_instance;
	s->instance = e->instance;
	(void)snprintf(s->what, sizeof(s->what), "%s", e->what);
	assert_string_equal(e->person_name, world_name(e->person));
}

/* All of it, at most limit at a time; within a request's memory. */
static void
read_all(const char *reference, uint32_t limit)
{
	Cdop__CaseHistoryReply *reply;
	ProtobufCBinaryData token = {0, NULL};
	uint8_t bytes[64];
	size_t i;

	n_seen = pages = 0;
	do {
		reply = page(WORLD_COORDINATOR, reference,
		    token.len > 0 ? &token : NULL, limit, CDOP_OK);
		assert_true(reply->n_entry > 0);
		assert_true(limit == 0 || reply->n_entry <= limit);
		assert_true(reply->n_entry <= CDOP_LIST_MAX);
		assert_true(cdop__case_history_reply__get_packed_size(reply) <
		    CDOP_MESSAGE_MAX / 2);
		for (i = 0; i < reply->n_entry; i++)
			keep(reply->entry[i]);
		token = (ProtobufCBinaryData){0, NULL};
		if (reply->has_next_page) {
			assert_true(reply->next_page.len <= sizeof(bytes));
			memcpy(
			    bytes, reply->next_page.data, reply->next_page.len);
			token.data = bytes;
			token.len = reply->next_page.len;
		}
		pages++;
		cdop_arena_reset(w.arena);
	} while (token.len > 0);
}

static void
mark(const char *reference, uint64_t version)
{
	Cdop__CaseInterestRequest request;

	cdop__case_interest_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.area = calls_text(&w, "sefton");
	request.known = version % 2 == 0;
	request.reason = reason;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest,
	    &request.base, CDOP_OK);
}

static void
correct(
    const char *reference, uint32_t notification, uint64_t version, unsigned n)
{
	Cdop__NotificationCorrectRequest request;
	char name[16];

	cdop__notification_correct_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.notification = notification;
	request.version = version;
	request.form = world_form(&w, n, "wirral");
	(void)snprintf(name, sizeof(name), "Name%c", (int)('a' + version % 26));
	calls_put(&w, request.form, "child.first_names", name);
	request.reason = calls_text(&w, "misheard");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationCorrect,
	    &request.base, CDOP_OK);
}

/* Many long reasons: once it was all or nothing. */
static void
a_long_history_is_read_to_its_end(void **state)
{
	char reference[16];
	uint64_t i;

	(void)state;
	(void)snprintf(reference, sizeof(reference), "%s",
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral")));
	w.budget = CDOP_REQUEST_ARENA;
	for (i = 1; i <= 230; i++) {
		mark(reference, i);
		cdop_arena_reset(w.arena);
	}
	read_all(reference, 0);
	assert_int_equal(n_seen, 231);
	assert_true(pages > 2);
	assert_string_equal(seen[0].what, "registered");
	for (i = 0; i < n_seen; i++)
		assert_int_equal(seen[i].version, i + 1);
}

/*
 * States, record and notifications woven together, some at the same
 * instant; every page size says the same.
 */
static void
any_page_size_gives_the_same_history(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 7, 100};
	struct seen whole[EVENTS_MAX];
	char reference[16], other[16];
	struct calls_tell tell = {.n_decision = 1};
	uint64_t v;
	size_t i, n;

	(void)state;
	(void)snprintf(reference, sizeof(reference), "%s",
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 2, "wirral")));
	tell.form = world_form(&w, 2, "wirral");
	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	for (v = 1; v < 9; v++) {
		if (v % 3 == 0)
			w.now_ms += 1000; /* the others at one instant */
		correct(reference, 1, v, 2);
		correct(reference, 2, v, 2);
		(void)calls_amend(&w, reference, v, "child.first_names",
		    v % 2 == 0 ? "Even" : "Odd", NULL, CDOP_OK);
		mark(reference, v + 1);
	}
	read_all(reference, 0);
	n = n_seen;
	memcpy(whole, seen, sizeof(whole));
	assert_int_equal(n, 2 + 8 * 4);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		read_all(reference, sizes[i]);
		assert_int_equal(n_seen, n);
		assert_memory_equal(seen, whole, n * sizeof(*seen));
		assert_int_equal(pages, (n + sizes[i] - 1) / sizes[i]);
	}
	/* What moves away takes its events, and keeps its times. */
	(void)snprintf(other, sizeof(other), "%s",
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 3, "wirral")));
	Cdop__NotificationMoveRequest move;

	cdop__notification_move_request__init(&move);
	move.reference = reference;
	move.notification = 2;
	move.to_reference = other;
	move.version = 10;
	move.reason = calls_text(&w, "joined to the wrong child");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &move.base, CDOP_OK);
	read_all(reference, 3);
	assert_int_equal(n_seen, n - 8 + 1);
	read_all(other, 3);
	assert_int_equal(n_seen, 2 + 8);
	for (i = 1; i < n_seen; i++)
		assert_true(seen[i - 1].at_ms <= seen[i].at_ms);
}

static void
a_page_is_of_one_case_person_and_session(void **state)
{
	char *one =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 4, "wirral"));
	char *two =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 5, "wirral"));
	ProtobufCBinaryData token;
	size_t i;

	(void)state;
	mark(one, 1);
	token = page(WORLD_COORDINATOR, one, NULL, 1, CDOP_OK)->next_page;
	(void)page(WORLD_COORDINATOR, one, &token, 1, CDOP_OK);
	(void)page(WORLD_COORDINATOR, two, &token, 1, CDOP_INVALID_ARGUMENT);
	(void)page(
	    WORLD_COORDINATOR_WIRRAL, one, &token, 1, CDOP_INVALID_ARGUMENT);
	for (i = 0; i < token.len; i++) {
		token.data[i] ^= 1;
		(void)page(
		    WORLD_COORDINATOR, one, &token, 1, CDOP_INVALID_ARGUMENT);
		token.data[i] ^= 1;
	}
	token.len--;
	(void)page(WORLD_COORDINATOR, one, &token, 1, CDOP_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_long_history_is_read_to_its_end),
	    TEST(any_page_size_gives_the_same_history),
	    TEST(a_page_is_of_one_case_person_and_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
