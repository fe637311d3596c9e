/*
 * What people typed with a call: the auditor reads the purpose in words and
 * why somebody did something to people or the registry; never why a case was
 * changed; and none of it lies under the key of the log (TRUST M3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/audit.h"
#include "server/vault/rows.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;

static char words[] = "a parent asked who had looked";
static char stolen[] = "laptop stolen";

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
suspend(enum world_who whom, char *reason, uint32_t want)
{
	Cdop__SuspendRequest request;
	struct world_answer answer;

	cdop__suspend_request__init(&request);
	request.person = (uint32_t)whom;
	request.reason = reason;
	world_call(
	    &w, WORLD_ADMIN_1, CDOP_CALL_Suspend, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, want);
}

static void
why_somebody_was_suspended_is_read_by_the_auditor(void **state)
{
	static char other[] = "  another\tdevice ";
	const Cdop__AuditEntry *e;

	(void)state;
	suspend(WORLD_ANALYST, stolen, CDOP_OK);
	assert_string_equal(calls_audited(&w, "Suspend")->reason_text, stolen);
	/* The next one does not write over it. */
	suspend(WORLD_PANEL_MEMBER, other, CDOP_OK);
	world_reopen(&w);
	e = calls_audited(&w, "Suspend");
	assert_int_equal(e->subject_person, WORLD_PANEL_MEMBER);
	assert_string_equal(e->reason_text, "another device");
	/* What is refused keeps nobody's words. */
	suspend(WORLD_PANEL_MEMBER, stolen, CDOP_FAILED_PRECONDITION);
	e = calls_audited(&w, "Suspend");
	assert_int_equal(e->outcome, CDOP_FAILED_PRECONDITION);
	assert_null(e->reason_text);
}

static void
a_purpose_about_a_case_lies_with_it(void **state)
{
	char *reference = world_register(&w, 1, "wirral");
	Cdop__CaseShowRequest show;

	(void)state;
	cdop__case_show_request__init(&show);
	show.reference = reference;
	calls_say(&w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, words);
	assert_string_equal(calls_audited(&w, "CaseShow")->purpose_text, words);
	free(reference);
}

static void
a_purpose_about_no_one_case_lies_with_the_terms(void **state)
{
	Cdop__PeopleListRequest people;
	Cdop__CaseListRequest list;
	char *one = world_register(&w, 1, "wirral");
	char *two = world_register(&w, 2, "sefton");

	(void)state;
	cdop__case_list_request__init(&list);
	calls_say(&w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &list.base, words);
	assert_string_equal(calls_audited(&w, "CaseList")->purpose_text, words);
	cdop__people_list_request__init(&people);
	calls_say(&w, WORLD_ADMIN_1, CDOP_CALL_PeopleList, &people.base, words);
	assert_string_equal(
	    calls_audited(&w, "PeopleList")->purpose_text, words);
	world_reopen(&w);
	assert_string_equal(calls_audited(&w, "CaseList")->purpose_text, words);
	free(one);
	free(two);
}

static void
why_a_case_was_changed_is_not_for_the_auditor(void **state)
{
	char *reference = world_register(&w, 1, "wirral");
	const Cdop__AuditEntry *e;

	(void)state;
	(void)calls_amend(
	    &w, reference, 1, "gp.name", "Dr Sample GP", NULL, CDOP_OK);
	e = calls_audited(&w, "CaseAmend");
	assert_int_equal(e->outcome, CDOP_OK);
	assert_null(e->reason_text);
	(void)calls_amend(&w, "T-ESZX-JH44", 1, "gp.name", "Dr Sample GP", NULL,
	    CDOP_NOT_FOUND);
	assert_null(calls_audited(&w, "CaseAmend")->reason_text);
	free(reference);
}

/* An older program kept a reason as it was typed on the host. */
static void
what_is_no_utf8_does_not_hide_the_page(void **state)
{
	const struct audit_entry entry = {
	    .call = AUDIT_EVENT_SLOT_ADDED,
	    .time_ms = w.now_ms,
	    .keep_reason = true,
	    .reason = "host\xff",
	    .reason_text = "Jos\xe9: Zo\xc3\xab left",
	};
	const Cdop__AuditEntry *e;

	(void)state;
	world_begin(&w, 1u << 20, 16);
	assert_int_equal(
	    audit_append(w.reg->audit, w.arena, &entry, NULL), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	e = calls_audited(&w, "slot added on the host");
	assert_string_equal(e->reason_text, "Jos?: Zo\xc3\xab left");
	assert_string_equal(e->reason, "host?");
}

/* ---- under which key --------------------------------------------------- */

struct last {
	uint32_t call;
	bool has_box;
	uint64_t key;
	bool leaks;
};

/* The words of the log hold nothing that somebody typed. */
static bool
look(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredLeaf *stored = leaf->stored;
	struct last *last = ctx;
	uint8_t packed[4096];
	size_t len;

	if (stored->words->call != last->call)
		return true;
	last->has_box = stored->has_case_box;
	last->key = stored->case_box_key;
	len = cdop__stored_words__get_packed_size(stored->words);
	assert_true(len <= sizeof(packed));
	(void)cdop__stored_words__pack(stored->words, packed);
	last->leaks = memmem(packed, len, words, strlen(words)) != NULL ||
	    memmem(packed, len, stolen, strlen(stolen)) != NULL;
	return false;
}

static struct last
last_of(uint32_t call)
{
	struct last last = {.call = call};
	uint64_t cursor = 0;

	assert_int_equal(
	    audit_walk(w.reg->audit, w.arena, &cursor, 100, look, &last),
	    CDOP_OK);
	assert_false(last.leaks);
	return last;
}

static void
the_log_holds_nothing_that_was_typed(void **state)
{
	Cdop__CaseListRequest list;

	(void)state;
	suspend(WORLD_ANALYST, stolen, CDOP_OK);
	(void)last_of(CDOP_CALL_Suspend);
	cdop__case_list_request__init(&list);
	calls_say(&w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &list.base, words);
	assert_false(last_of(CDOP_CALL_CaseList).has_box);
}

/* A look at a case with a link names both, and is about one. */
static void
words_about_a_case_go_with_it_where_another_is_named(void **state)
{
	char *one = world_register(&w, 1, "wirral");
	char *two = world_register(&w, 2, "wirral");
	Cdop__CaseShowRequest show;
	Cdop__CaseLinkRequest link;
	struct last alone, linked;

	(void)state;
	cdop__case_show_request__init(&show);
	show.reference = one;
	calls_say(&w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, words);
	alone = last_of(CDOP_CALL_CaseShow);
	assert_true(alone.has_box);
	cdop__case_link_request__init(&link);
	link.reference = one;
	link.other = two;
	link.kind = calls_text(&w, "siblings");
	link.reason = calls_text(&w, "one mother");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseLinkAdd, &link.base, CDOP_OK);
	linked = last_of(CDOP_CALL_CaseLinkAdd);
	assert_true(linked.has_box);
	assert_int_equal(linked.key, alone.key);
	calls_say(&w, WORLD_COORDINATOR, CDOP_CALL_CaseShow, &show.base, words);
	linked = last_of(CDOP_CALL_CaseShow);
	assert_true(linked.has_box);
	assert_int_equal(linked.key, alone.key);
	assert_int_equal(calls_audited(&w, "CaseShow")->n_released, 2);
	assert_string_equal(calls_audited(&w, "CaseShow")->purpose_text, words);
	free(one);
	free(two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(why_somebody_was_suspended_is_read_by_the_auditor),
	    TEST(a_purpose_about_a_case_lies_with_it),
	    TEST(a_purpose_about_no_one_case_lies_with_the_terms),
	    TEST(why_a_case_was_changed_is_not_for_the_auditor),
	    TEST(what_is_no_utf8_does_not_hide_the_page),
	    TEST(the_log_holds_nothing_that_was_typed),
	    TEST(words_about_a_case_go_with_it_where_another_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
