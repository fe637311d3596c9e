/*
 * The partner's question: three answers of one size, and for somebody else's
 * child the same bytes as for none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/profile.h"
#include "cdop/role.h"
#include "server/registry/cases_ask.h"
#include "tests/unit/server/rpc/calls.h"

#define SIZE 1024

static struct world w;
static size_t reply_len;

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

struct terms {
	const char *nhs, *family, *first, *birth, *death;
};

static Cdop__AskReply *
ask(enum world_who who, struct terms terms, Cdop__Answer want)
{
	Cdop__AskRequest request;
	Cdop__AskReply *reply;
	struct world_answer answer;

	cdop__ask_request__init(&request);
	request.nhs_number = calls_text(&w, terms.nhs);
	request.family_name = calls_text(&w, terms.family);
	request.first_name = calls_text(&w, terms.first);
	request.birth_date = calls_text(&w, terms.birth);
	request.death_date = calls_text(&w, terms.death);
	w.now_ms += 3600000; /* the limit is a test of its own */
	world_call(&w, who, CDOP_CALL_Ask, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_int_equal(answer.reply->body.len, SIZE);
	reply = world_body(&w, &answer, &cdop__ask_reply__descriptor);
	assert_int_equal(reply->answer, want);
	reply_len = answer.result.reply.len;
	return reply;
}

static void
mark(char *reference, uint64_t version, const char *area, bool known)
{
	Cdop__CaseInterestRequest request;

	cdop__case_interest_request__init(&request);
	request.reference = reference;
	request.version = version;
	request.area = calls_text(&w, area);
	request.known = known;
	request.reason = calls_text(&w, "a sibling lives there");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest,
	    &request.base, CDOP_OK);
}

/* A child of its own family name, born 2024-05-14, died 2026-11-21. */
static char *
child(unsigned n, const char *family, const char *residence)
{
	Cdop__Form *form = world_form(&w, n, residence);

	calls_put(&w, form, "child.family_name", family);
	return calls_new(&w, WORLD_COORDINATOR, form);
}

static char *
nhs_of(unsigned n)
{
	return world_form(&w, n, "wirral")->child->nhs_number;
}

/* ---- the three answers ------------------------------------------------- */

static void
a_child_of_the_area_is_known(void **state)
{
	char *reference = child(1, "Tarrant", "wirral");
	Cdop__AskReply *reply;

	(void)state;
	reply = ask(WORLD_PARTNER_WIRRAL, (struct terms){.nhs = nhs_of(1)},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->reference, reference);
	assert_string_equal(reply->status, "received");
	assert_string_equal(reply->registered_on, "2026-11-25");
	assert_string_equal(reply->owed, "NOT_KEPT_YET");
	assert_int_equal(reply->n_matched_on, 1);
	assert_string_equal(reply->matched_on[0], "NHS number");
	assert_string_equal(reply->office_contact, "0151 496 0000");

	reply = ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "Tarant", .birth = "14/05/2024"},
	    CDOP__ANSWER__KNOWN);
	assert_int_equal(reply->n_matched_on, 2);
	assert_string_equal(reply->matched_on[0], "family name by sound");
	assert_string_equal(reply->matched_on[1], "date of birth");
	assert_string_equal(
	    reply->understood, "family name \"tarant\", born Tue 14 May 2024");
}

static void
a_part_of_the_name_is_enough_with_a_whole_date(void **state)
{
	Cdop__AskReply *reply;

	(void)state;
	(void)child(70, "Lee-Harkness", "wirral");
	(void)child(71, "Lee-Ottershaw", "sefton");
	reply = ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "harkness", .birth = "14/05/2024"},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->matched_on[0], "part of the family name");
	reply = ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "Lee", .birth = "14/05/2024"},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->matched_on[0], "part of the family name");
	(void)ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "ottershaw", .birth = "14/05/2024"},
	    CDOP__ANSWER__NOT_KNOWN_TO_YOU);
	(void)ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "harkness", .birth = "15/05/2024"},
	    CDOP__ANSWER__NOT_KNOWN_TO_YOU);
}

/* The same request before and after somebody else's child was registered. */
static void
a_foreign_child_reads_as_no_child(void **state)
{
	static const struct terms terms[] = {
	    {.family = "Ferncastle", .birth = "2024-05-14"},
	    {.family = "Ferncastle", .death = "2026-11-21"},
	    {.family = "Ferncastle",
		.first = "Testa",
		.birth = "2024-05-14",
		.death = "2026-11-21"},
	};
	uint8_t before[4][SIZE];
	Cdop__AskReply *reply;
	size_t len[4], i;
	char *nhs = nhs_of(2);

	(void)state;
	for (i = 0; i < 4; i++) {
		reply = ask(WORLD_PARTNER_WIRRAL,
		    i < 3 ? terms[i] : (struct terms){.nhs = nhs},
		    CDOP__ANSWER__NOT_KNOWN_TO_YOU);
		len[i] = reply_len;
		assert_int_equal(cdop__ask_reply__pack(reply, before[i]), SIZE);
	}
	(void)child(2, "Ferncastle", "sefton");
	for (i = 0; i < 4; i++) {
		uint8_t after[SIZE];

		reply = ask(WORLD_PARTNER_WIRRAL,
		    i < 3 ? terms[i] : (struct terms){.nhs = nhs},
		    CDOP__ANSWER__NOT_KNOWN_TO_YOU);
		assert_int_equal(reply_len, len[i]);
		assert_int_equal(cdop__ask_reply__pack(reply, after), SIZE);
		assert_memory_equal(after, before[i], SIZE);
		(void)ask(WORLD_PARTNER_SEFTON,
		    i < 3 ? terms[i] : (struct terms){.nhs = nhs},
		    CDOP__ANSWER__KNOWN);
	}
}

/* What is not certain of it either: a doubt would say that there is one. */
static void
a_foreign_child_that_fits_in_part_reads_as_none(void **state)
{
	const struct terms terms[] = {
	    {.family = "Nearcastle", .first = "Pollux", .birth = "2024-05-14"},
	    {.family = "Nearcastle", .birth = "2024-06", .death = "2026-11-21"},
	    {.nhs = nhs_of(81), .family = "Nearcastle", .birth = "2024-05-14"},
	};
	uint8_t answer[6][SIZE];
	Cdop__AskReply *reply;
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		if (i == 3)
			(void)child(80, "Nearcastle", "sefton");
		reply = ask(WORLD_PARTNER_WIRRAL, terms[i % 3],
		    CDOP__ANSWER__NOT_KNOWN_TO_YOU);
		assert_int_equal(cdop__ask_reply__pack(reply, answer[i]), SIZE);
	}
	assert_memory_equal(answer[0], answer[3], sizeof(answer) / 2);
	for (i = 0; i < 3; i++)
		(void)ask(
		    WORLD_PARTNER_SEFTON, terms[i], CDOP__ANSWER__NOT_ENOUGH);
}

static void
too_little_is_not_enough(void **state)
{
	static const struct terms few[] = {{.nhs = NULL}, {.nhs = "9990000019"},
	    {.nhs = "999"}, {.family = "Tarrant"},
	    {.family = "Tarrant", .birth = "2024"},
	    {.family = "Tarrant", .birth = "~2024-05-14"},
	    {.family = "Tarrant", .birth = "2024-05-14", .death = "soon"},
	    {.family = "---", .birth = "2024-05-14"},
	    {.first = "Testa", .birth = "2024-05-14"}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(few) / sizeof(*few); i++)
		(void)ask(
		    WORLD_PARTNER_WIRRAL, few[i], CDOP__ANSWER__NOT_ENOUGH);
}

/* ---- doubt ------------------------------------------------------------- */

static void
twins_are_told_apart_or_not_at_all(void **state)
{
	struct terms both = {.family = "Geminal", .birth = "2024-05-14"};
	struct calls_tell tell = {.form = world_form(&w, 3, "wirral")};
	char *one, *two;
	Cdop__AskReply *reply;

	(void)state;
	calls_put(&w, tell.form, "child.family_name", "Geminal");
	calls_put(&w, tell.form, "child.first_names", "Castor");
	one = calls_new(&w, WORLD_COORDINATOR, tell.form);

	/* One twin is known; nobody says that the other is. */
	both.first = "Pollux";
	(void)ask(WORLD_PARTNER_WIRRAL, both, CDOP__ANSWER__NOT_ENOUGH);

	calls_put(&w, tell.form, "child.first_names", "Pollux");
	calls_put(&w, tell.form, "child.nhs_number", nhs_of(4));
	tell.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_SIBLING, "twin");
	tell.n_decision = 1;
	two = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK)->reference;
	both.first = NULL;
	(void)ask(WORLD_PARTNER_WIRRAL, both, CDOP__ANSWER__NOT_ENOUGH);
	both.first = "pollux";
	reply = ask(WORLD_PARTNER_WIRRAL, both, CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->reference, two);
}

static void
what_is_not_certain_is_not_said(void **state)
{
	Cdop__Form *form = world_form(&w, 5, "wirral");

	(void)state;
	calls_put(&w, form, "child.family_name", "Doubtful");
	calls_put(&w, form, "birth.date", "05/2024");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	(void)ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "Doubtful", .birth = "2024-05-20"},
	    CDOP__ANSWER__NOT_ENOUGH);
	(void)ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "Doubtful", .birth = "2024-06-01"},
	    CDOP__ANSWER__NOT_KNOWN_TO_YOU);
	(void)ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "Doubtful",
		.birth = "2024-06-01",
		.death = "2026-11-21"},
	    CDOP__ANSWER__NOT_ENOUGH);
	/* Another number than the one that is known. */
	(void)ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){
		.nhs = nhs_of(6), .family = "Doubtful", .death = "2026-11-21"},
	    CDOP__ANSWER__NOT_ENOUGH);
}

/* "I typed it wrongly" is told apart from "there is none" (RECORDS M13). */
static void
a_day_that_is_to_come_is_a_slip(void **state)
{
	const Cdop__AskReply *reply;

	(void)state;
	reply = ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "Doubtful", .birth = "2030-01-01"},
	    CDOP__ANSWER__NOT_ENOUGH);
	assert_string_equal(
	    reply->understood, "family name \"doubtful\", born: in the future");
	reply = ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){
		.family = "Doubtful", .birth = "2024-06-01", .death = "2030"},
	    CDOP__ANSWER__NOT_ENOUGH);
	assert_non_null(strstr(reply->understood, "died: in the future"));
}

static void
a_baby_is_known_by_the_mothers_name(void **state)
{
	Cdop__Form *form = world_form(&w, 7, "wirral");
	Cdop__AskReply *reply;

	(void)state;
	calls_put(&w, form, "child.name_kind", "baby_of");
	calls_put(&w, form, "child.family_name", "#nk");
	calls_put(&w, form, "child.first_names", "");
	calls_put(&w, form, "child.nhs_number", "");
	calls_put(&w, form, "mother.family_name", "Quillfeather");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	reply = ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.family = "Quillfeather", .death = "2026-11-21"},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->matched_on[0], "mother's name");
}

/* ---- who --------------------------------------------------------------- */

static void
interest_makes_known_and_withdrawal_unknown(void **state)
{
	struct terms terms = {.family = "Placement", .birth = "2024-05-14"};
	char *reference = child(8, "Placement", "liverpool");
	Cdop__CaseWithdrawRequest withdraw;

	(void)state;
	(void)ask(WORLD_PARTNER_WIRRAL, terms, CDOP__ANSWER__NOT_KNOWN_TO_YOU);
	mark(reference, 1, "wirral", false);
	(void)ask(WORLD_PARTNER_WIRRAL, terms, CDOP__ANSWER__NOT_KNOWN_TO_YOU);
	mark(reference, 2, "wirral", true);
	world_reopen(&w);
	(void)ask(WORLD_PARTNER_WIRRAL, terms, CDOP__ANSWER__KNOWN);
	(void)ask(WORLD_PARTNER_SEFTON, terms, CDOP__ANSWER__NOT_KNOWN_TO_YOU);

	/* The child turns out to be alive. */
	cdop__case_withdraw_request__init(&withdraw);
	withdraw.reference = reference;
	withdraw.version = 3;
	withdraw.reason = calls_text(&w, "alive");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseWithdraw,
	    &withdraw.base, CDOP_OK);
	(void)ask(WORLD_PARTNER_WIRRAL, terms, CDOP__ANSWER__NOT_KNOWN_TO_YOU);
}

static void
the_holding_area_is_known_to_no_partner(void **state)
{
	struct terms terms = {.family = "Homeward", .birth = "2024-05-14"};

	(void)state;
	(void)child(9, "Homeward", "#nk");
	(void)ask(WORLD_PARTNER_WIRRAL, terms, CDOP__ANSWER__NOT_KNOWN_TO_YOU);
	(void)ask(WORLD_PARTNER_SEFTON, terms, CDOP__ANSWER__NOT_KNOWN_TO_YOU);
}

/* A mark that says "known" is no empty word there either. */
static void
a_marked_case_of_the_holding_area_is_known(void **state)
{
	struct terms terms = {.family = "Awayward", .birth = "2024-05-14"};
	char *reference = child(19, "Awayward", "#nk");

	(void)state;
	mark(reference, 1, "sefton", true);
	(void)ask(WORLD_PARTNER_SEFTON, terms, CDOP__ANSWER__KNOWN);
	(void)ask(WORLD_PARTNER_WIRRAL, terms, CDOP__ANSWER__NOT_KNOWN_TO_YOU);
}

/* She may have a number that was an error: the child is found, and she told. */
static void
a_number_that_is_not_the_records_is_called_so(void **state)
{
	static const char was[] = "9990003017", is[] = "9990003025",
			  joined[] = "9990003033";
	char *reference = child(20, "Numbered", "wirral");
	struct calls_tell tell = {.n_decision = 1};
	Cdop__AskReply *reply;

	(void)state;
	(void)calls_amend(
	    &w, reference, 1, "child.nhs_number", was, NULL, CDOP_OK);
	reply = ask(WORLD_PARTNER_WIRRAL, (struct terms){.nhs = was},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->matched_on[0], "NHS number");
	(void)calls_amend(
	    &w, reference, 2, "child.nhs_number", is, NULL, CDOP_OK);
	tell.form = world_form(&w, 20, "wirral");
	calls_put(&w, tell.form, "child.family_name", "Numbered");
	calls_put(&w, tell.form, "child.nhs_number", joined);
	tell.decision[0] = calls_decision(
	    &w, reference, CDOP__DECISION__JOIN, "the same child");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	world_reopen(&w);
	reply = ask(WORLD_PARTNER_WIRRAL, (struct terms){.nhs = is},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(reply->matched_on[0], "NHS number");
	reply = ask(WORLD_PARTNER_WIRRAL, (struct terms){.nhs = was},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(
	    reply->matched_on[0], "earlier or other NHS number");
	reply = ask(WORLD_PARTNER_WIRRAL, (struct terms){.nhs = joined},
	    CDOP__ANSWER__KNOWN);
	assert_string_equal(
	    reply->matched_on[0], "earlier or other NHS number");
}

/* ---- bounds ------------------------------------------------------------ */

static void
the_longest_words_fit_the_size(void **state)
{
	char name[801];
	Cdop__AskReply *reply;
	size_t i;

	(void)state;
	for (i = 0; i < 800; i += 4)
		memcpy(name + i, "\xf0\x9d\x94\xb8", 4);
	name[800] = '\0';
	reply = ask(WORLD_PARTNER_WIRRAL,
	    (struct terms){.nhs = "9990000018",
		.family = name,
		.first = name,
		.birth = "~30/09/2024",
		.death = "~30/09/2026"},
	    CDOP__ANSWER__NOT_KNOWN_TO_YOU);
	assert_true(strlen(reply->understood) < 420);
}

/* Outside a batch no row can be opened: every answer comes from memory. */
static void
no_row_is_opened_for_any_answer(void **state)
{
	static const char *const family[] = {"Tarrant", "Ferncastle", "Nobody"};

	static const enum cases_answer want[] = {
	    CASES_KNOWN, CASES_NOT_KNOWN, CASES_NOT_KNOWN};

	static const enum cdop_err truth[] = {
	    CDOP_OK, CDOP_PERMISSION_DENIED, CDOP_NOT_FOUND};

	static const char *const areas[] = {"wirral"};
	struct actor actor = {.person = 5,
	    .device = 5,
	    .role = CDOP_ROLE_PARTNER,
	    .roles = CDOP_ROLE_PARTNER,
	    .areas = areas,
	    .n_areas = 1};
	struct cases_ask question;
	struct cases_act act;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		cases_act_init(&act, w.reg->cases, w.arena, &actor,
		    w.now_ms + 10 * 86400000ull);
		memset(&question, 0, sizeof(question));
		question.typed.family_name = family[i];
		question.typed.birth_date = "2024-05-14";
		assert_int_equal(cases_ask(&act, &question), CDOP_OK);
		assert_int_equal(question.answer, want[i]);
		assert_int_equal(act.true_outcome, truth[i]);
	}
}

/* "Not known" of every child would be a false comfort. */
static void
who_works_for_no_area_is_refused(void **state)
{
	static const char *const areas[] = {"holding", "wirral"};
	struct actor actor = {.person = 5,
	    .device = 5,
	    .role = CDOP_ROLE_PARTNER,
	    .roles = CDOP_ROLE_PARTNER,
	    .agency = "merseyside-police",
	    .areas = areas};
	struct cases_ask question;
	struct cases_act act;
	size_t n;

	(void)state;
	for (n = 0; n <= 2; n++) {
		actor.n_areas = n;
		cases_act_init(&act, w.reg->cases, w.arena, &actor,
		    w.now_ms + 20 * 86400000ull);
		memset(&question, 0, sizeof(question));
		question.typed.family_name = "Tarrant";
		question.typed.birth_date = "2024-05-14";
		assert_int_equal(cases_ask(&act, &question),
		    n == 2 ? CDOP_OK : CDOP_FAILED_PRECONDITION);
		if (n < 2)
			assert_string_equal(act.reason, "no_area");
	}
	assert_int_equal(question.answer, CASES_KNOWN);
}

static void
asks_are_counted_by_person_and_day(void **state)
{
	struct terms terms = {.family = "Nobody", .birth = "2024-05-14"};
	Cdop__AskRequest request;
	const uint32_t most = w.reg->profile->asks_per_day;
	const enum world_who me = WORLD_PARTNER_SEFTON;
	struct world_answer answer;
	uint32_t i;

	(void)state;
	w.now_ms += 2 * 86400000ull;
	w.now_ms -= w.now_ms % 86400000ull;
	cdop__ask_request__init(&request);
	request.family_name = calls_text(&w, terms.family);
	request.birth_date = calls_text(&w, terms.birth);
	for (i = 0; i <= most; i++) {
		world_call(&w, me, CDOP_CALL_Ask, &request.base, &answer);
		assert_int_equal(answer.reply->status,
		    i < most ? CDOP_OK : CDOP_RESOURCE_EXHAUSTED);
	}
	assert_string_equal(answer.reply->reason, "ask_limit");
	assert_false(answer.reply->has_body);
	/* The log has them: a restart gives nobody a day anew. */
	world_reopen(&w);
	world_call(&w, me, CDOP_CALL_Ask, &request.base, &answer);
	assert_string_equal(answer.reply->reason, "ask_limit");
	world_call(
	    &w, WORLD_PARTNER_WIRRAL, CDOP_CALL_Ask, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	w.now_ms += 86400000ull;
	world_call(&w, me, CDOP_CALL_Ask, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

/* Nor an hour in which to guess references. */
static void
misses_count_after_a_restart(void **state)
{
	char none[CDOP_REFERENCE_TEXT];
	uint32_t i = 1;

	(void)state;
	w.now_ms += 3600000;
	w.now_ms -= w.now_ms % 3600000;
	while (!cdop_reference_make(i++, true, none))
		;
	for (i = 0; i < w.reg->profile->reference_misses_per_hour; i++)
		(void)calls_show(
		    &w, WORLD_COORDINATOR_WIRRAL, none, CDOP_NOT_FOUND);
	world_reopen(&w);
	(void)calls_show(
	    &w, WORLD_COORDINATOR_WIRRAL, none, CDOP_RESOURCE_EXHAUSTED);
	assert_string_equal(calls_reason(), "miss_limit");
	w.now_ms += 3600000;
	world_reopen(&w);
	(void)calls_show(&w, WORLD_COORDINATOR_WIRRAL, none, CDOP_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_child_of_the_area_is_known),
	    cmocka_unit_test(a_part_of_the_name_is_enough_with_a_whole_date),
	    cmocka_unit_test(a_foreign_child_reads_as_no_child),
	    cmocka_unit_test(a_foreign_child_that_fits_in_part_reads_as_none),
	    cmocka_unit_test(too_little_is_not_enough),
	    cmocka_unit_test(twins_are_told_apart_or_not_at_all),
	    cmocka_unit_test(what_is_not_certain_is_not_said),
	    cmocka_unit_test(a_day_that_is_to_come_is_a_slip),
	    cmocka_unit_test(a_baby_is_known_by_the_mothers_name),
	    cmocka_unit_test(interest_makes_known_and_withdrawal_unknown),
	    cmocka_unit_test(the_holding_area_is_known_to_no_partner),
	    cmocka_unit_test(a_marked_case_of_the_holding_area_is_known),
	    cmocka_unit_test(a_number_that_is_not_the_records_is_called_so),
	    cmocka_unit_test(the_longest_words_fit_the_size),
	    cmocka_unit_test(no_row_is_opened_for_any_answer),
	    cmocka_unit_test(who_works_for_no_area_is_refused),
	    cmocka_unit_test(asks_are_counted_by_person_and_day),
	    cmocka_unit_test(misses_count_after_a_restart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
