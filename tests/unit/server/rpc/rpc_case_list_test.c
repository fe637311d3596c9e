/* Lists, their page tokens, and find, through dispatch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static char *
fresh(unsigned n, const char *residence)
{
	return calls_new(&w, WORLD_COORDINATOR, world_form(&w, n, residence));
}

/* ---- together ---------------------------------------------------------- */

static Cdop__CaseListReply *
list_page(enum world_who who, const ProtobufCBinaryData *page, bool names,
    enum cdop_err want)
{
	Cdop__CaseListRequest request;
	struct world_answer answer;

	cdop__case_list_request__init(&request);
	request.has_limit = true;
	request.limit = 3;
	request.has_names = names;
	request.names = names;
	if (page != NULL) {
		request.has_page = true;
		request.page = *page;
	}
	world_call(&w, who, CDOP_CALL_CaseList, &request.base, &answer);
	assert_int_equal(answer.reply->status, want);
	if (want != CDOP_OK)
		return NULL;
	return world_body(&w, &answer, &cdop__case_list_reply__descriptor);
}

static void
pages_are_whole_and_of_use_to_nobody_else(void **state)
{
	Cdop__CaseListReply *list;
	ProtobufCBinaryData page;
	size_t n = 0, i;
	char *seen[64];

	(void)state;
	for (i = 0; i < 8; i++)
		(void)fresh(30 + (unsigned)i, i % 2 != 0 ? "wirral" : "sefton");
	list = list_page(WORLD_COORDINATOR, NULL, false, CDOP_OK);
	for (;;) {
		for (i = 0; i < list->n_case_; i++)
			seen[n++] = list->case_[i]->reference;
		if (!list->has_next_page)
			break;
		page = list->next_page;
		list = list_page(WORLD_COORDINATOR, &page, false, CDOP_OK);
	}
	assert_true(n >= 8);
	while (n-- > 0)
		for (i = 0; i < n; i++)
			assert_string_not_equal(seen[i], seen[n]);

	(void)list_page(
	    WORLD_COORDINATOR_WIRRAL, &page, false, CDOP_INVALID_ARGUMENT);
	w.session[15] ^= 1; /* the same person's next one */
	(void)list_page(WORLD_COORDINATOR, &page, false, CDOP_INVALID_ARGUMENT);
	w.session[15] ^= 1;
	(void)list_page(WORLD_COORDINATOR, &page, false, CDOP_OK);
	for (i = 0; i < page.len; i++) {
		page.data[i] ^= 1;
		(void)list_page(
		    WORLD_COORDINATOR, &page, false, CDOP_INVALID_ARGUMENT);
		page.data[i] ^= 1;
	}
	page.len--;
	(void)list_page(WORLD_COORDINATOR, &page, false, CDOP_INVALID_ARGUMENT);
}

static void
names_are_listed_only_where_they_are_asked_for(void **state)
{
	Cdop__CaseListReply *list;
	size_t i;

	(void)state;
	(void)fresh(45, "wirral");
	list = list_page(WORLD_COORDINATOR_WIRRAL, NULL, false, CDOP_OK);
	assert_true(list->n_case_ > 0);
	for (i = 0; i < list->n_case_; i++) {
		assert_null(list->case_[i]->name);
		assert_string_equal(list->case_[i]->owner_area, "wirral");
	}
	list = list_page(WORLD_COORDINATOR_WIRRAL, NULL, true, CDOP_OK);
	assert_non_null(list->case_[0]->name);
	assert_string_equal(list->case_[0]->age_band, "1-4 years");
	assert_string_equal(list->case_[0]->death_date, "2026-11-21");
}

/* How many died, or can have died, on one of these days. */
static size_t
died(const char *since, const char *until)
{
	Cdop__CaseListRequest request;
	struct world_answer answer;
	Cdop__CaseListReply *list;

	cdop__case_list_request__init(&request);
	request.since = calls_text(&w, since);
	request.until = calls_text(&w, until);
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	list = world_body(&w, &answer, &cdop__case_list_reply__descriptor);
	return list->n_case_;
}

static void
days_of_a_list_are_both_in_it(void **state)
{
	Cdop__Form *form = world_form(&w, 246, "wirral");

	(void)state;
	calls_put(&w, form, "death.date", "2026-08-14");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	assert_int_equal(died("2026-08-14", "2026-08-14"), 1);
	assert_int_equal(died("2026-08-15", "2026-08-20"), 0);
	assert_int_equal(died("2026-08-01", "2026-08-13"), 0);
	/* Known by its month: it can have been on each of its days. */
	form = world_form(&w, 247, "wirral");
	calls_put(&w, form, "death.date", "2026-07");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	assert_int_equal(died("2026-07-31", "2026-08-13"), 1);
	assert_int_equal(died("2026-06-30", "2026-07-01"), 1);
	assert_int_equal(died("2026-06-01", "2026-06-30"), 0);
}

static void
find_wants_enough_and_finds_no_other_areas(void **state)
{
	static const char *const few[][3] = {{NULL, NULL, NULL},
	    {NULL, "Tarrant", NULL}, {NULL, "Ta", "2024"},
	    {NULL, "---", "2024-05-14"}, {"9990000019", NULL, NULL},
	    {NULL, "Tarrant", "sometime"}};
	Cdop__CaseFindRequest request;
	struct world_answer answer;
	Cdop__Form *form = world_form(&w, 46, "sefton");
	size_t i;

	(void)state;
	calls_put(&w, form, "child.family_name", "Tarrant");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	for (i = 0; i < sizeof(few) / sizeof(*few); i++) {
		cdop__case_find_request__init(&request);
		request.nhs_number = calls_text(&w, few[i][0]);
		request.family_name = calls_text(&w, few[i][1]);
		request.birth_date = calls_text(&w, few[i][2]);
		world_call(&w, WORLD_COORDINATOR, CDOP_CALL_CaseFind,
		    &request.base, &answer);
		assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
		assert_int_equal(answer.reply->n_violation, 1);
	}
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "tarant", "2024-05"), 1);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR_WIRRAL, "tarant", "2024-05"), 0);
}

static void
one_part_of_a_name_of_several_finds_it(void **state)
{
	static const char *const names[] = {"Penrith-Lacewing",
	    "de la Quicksilver", "Ng\xe2\x80\x90Marchbanks"};
	Cdop__Form *form;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		form = world_form(&w, 50 + (unsigned)i, "wirral");
		calls_put(&w, form, "child.family_name", names[i]);
		calls_put(&w, form, "mother.family_name", "Underhill-Brook");
		(void)calls_new(&w, WORLD_COORDINATOR, form);
	}
	world_reopen(&w);
#define FOUND(name, birth) calls_find(&w, WORLD_COORDINATOR, name, birth)
	assert_int_equal(FOUND("lacewing", "2024"), 1);
	assert_int_equal(FOUND("PENRITH", "2024-05"), 1);
	assert_int_equal(FOUND("penrith lacewing", "2024"), 1);
	assert_int_equal(FOUND("Laceweng", "2024"), 1); /* by sound */
	assert_int_equal(FOUND("Quicksilver", "2024"), 1);
	assert_int_equal(FOUND("Marchbanks", "2024"), 1);
	/* The end of a part is none; nor does a date fit that does not. */
	assert_int_equal(FOUND("silver", "2024"), 0);
	assert_int_equal(FOUND("lacewing", "2023"), 0);
	/* A short one wants a whole date, as a short name does. */
	assert_int_equal(FOUND("Ng", "2024-05-14"), 1);
	/* Nobody's sound: "la" is not Lee, and "de" not Dee. */
	assert_int_equal(FOUND("Lee", "2024-05-14"), 0);
	assert_int_equal(FOUND("Dee", "2024-05-14"), 0);
	/* Another area's is nobody's part either. */
	form = world_form(&w, 53, "sefton");
	calls_put(&w, form, "child.family_name", "Thornbury-Wetherlam");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR_WIRRAL, "wetherlam", "2024"), 0);
#undef FOUND
}

static const char *
list_word(const char *area, const char *status, enum cdop_err want)
{
	Cdop__CaseListRequest request;
	struct world_answer answer;

	cdop__case_list_request__init(&request);
	request.area = calls_text(&w, area);
	request.status = calls_text(&w, status);
	world_call(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseList, &request.base, &answer);
	assert_int_equal(answer.reply->status, want);
	return want == CDOP_OK ? "" : answer.reply->violation[0]->rule;
}

/* "0 cases" would read as if there were none. */
static void
a_slip_is_not_none(void **state)
{
	(void)state;
	assert_string_equal(
	    list_word("wirrall", NULL, CDOP_INVALID_ARGUMENT), "owner.unknown");
	assert_string_equal(
	    list_word(NULL, "foo", CDOP_INVALID_ARGUMENT), "status.unknown");
	(void)list_word("knowsley", "entered-in-error", CDOP_OK);
	(void)list_word("wirral", "received", CDOP_OK);
}

/* The index has words of cases that the caller does not see. */
static void
a_word_of_another_area_is_no_status(void **state)
{
	(void)state;
	(void)fresh(70, "sefton");
	assert_string_equal(
	    list_word(NULL, "sefton", CDOP_INVALID_ARGUMENT), "status.unknown");
}

/* "Tarr" is typed by whoever did not hear the end of it. */
static void
the_first_letters_of_a_name_find_it(void **state)
{
	Cdop__Form *form = world_form(&w, 80, "wirral");

	(void)state;
	calls_put(&w, form, "child.family_name", "Quillington Smythe");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	form = world_form(&w, 81, "sefton");
	calls_put(&w, form, "child.family_name", "Quillard");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	assert_int_equal(calls_find(&w, WORLD_COORDINATOR, "Quill", "2024"), 2);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "quillingt", "2024"), 1);
	assert_int_equal(calls_find(&w, WORLD_COORDINATOR, "Smyt", "2024"), 1);
	assert_int_equal(calls_find(&w, WORLD_COORDINATOR, "Quill", "2019"), 0);
	assert_int_equal(calls_find(&w, WORLD_COORDINATOR, "uill", "2024"), 0);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR_WIRRAL, "Quill", "2024"), 1);
	/* Less is no more than before, whatever the date. */
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "Qu", "2024-05-14"), 0);
	/* Whole names come first, and alone. */
	form = world_form(&w, 82, "sefton");
	calls_put(&w, form, "child.family_name", "Quillardovsky");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "Quillar", "2024"), 2);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, "Quillard", "2024"), 1);
}

/* Who is on the telephone says "baby Vanterpool". */
static void
a_baby_without_a_name_is_found_by_its_mothers(void **state)
{
	Cdop__Form *form = world_form(&w, 90, "wirral");

	(void)state;
	calls_put(&w, form, "child.name_kind", "baby_of");
	calls_put(&w, form, "child.family_name", "");
	calls_put(&w, form, "child.first_names", "");
	calls_put(&w, form, "mother.family_name", "Vanterpool-Crake");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	/* A child with a name of its own is not. */
	form = world_form(&w, 91, "wirral");
	calls_put(&w, form, "birth.date", "2024-09-01");
	calls_put(&w, form, "death.date", "2026-05-05");
	calls_put(&w, form, "mother.family_name", "Vanterpool-Crake");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
#define FOUND(name, birth) calls_find(&w, WORLD_COORDINATOR, name, birth)
	assert_int_equal(FOUND("Vanterpool-Crake", "2024"), 1);
	assert_int_equal(FOUND("Vantorpool-Crake", "2024"), 1); /* by sound */
	assert_int_equal(FOUND("Crake", "2024"), 1);
	assert_int_equal(FOUND("Vanter", "2024"), 1);
	assert_int_equal(FOUND("Vanterpool", "2019"), 0);
#undef FOUND
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pages_are_whole_and_of_use_to_nobody_else),
	    cmocka_unit_test(names_are_listed_only_where_they_are_asked_for),
	    cmocka_unit_test(days_of_a_list_are_both_in_it),
	    cmocka_unit_test(find_wants_enough_and_finds_no_other_areas),
	    cmocka_unit_test(one_part_of_a_name_of_several_finds_it),
	    cmocka_unit_test(a_slip_is_not_none),
	    cmocka_unit_test(a_word_of_another_area_is_no_status),
	    cmocka_unit_test(the_first_letters_of_a_name_find_it),
	    cmocka_unit_test(a_baby_without_a_name_is_found_by_its_mothers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
