/*
 * What stands under the acts on cases: civil time, search terms, and a
 * summary that can always be made again.
 */
#include "server/registry/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "server/base/undo.h"
#include "server/registry/cases_terms.h"
#include "server/registry/cases_time.h"
#include "server/vault/rows.h"
#include "tests/unit/proto/sample_profile.h"
#include "tests/unit/server/rpc/calls.h"

#define HOUR_MS 3600000ll

static int64_t
utc(const char *day, int hour)
{
	return (int64_t)sample_day(day) * 24 * HOUR_MS + hour * HOUR_MS;
}

/* ---- time -------------------------------------------------------------- */

static void
summer_time_begins_and_ends_at_one_utc(void **state)
{
	static const char *const zones[] = {
	    "Europe/London", "Europe/Isle_of_Man"};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    cases_time_offset(zones[i], utc("2026-03-29", 1) - 1), 0);
		assert_int_equal(
		    cases_time_offset(zones[i], utc("2026-03-29", 1)), 60);
		assert_int_equal(
		    cases_time_offset(zones[i], utc("2026-10-25", 1) - 1), 60);
		assert_int_equal(
		    cases_time_offset(zones[i], utc("2026-10-25", 1)), 0);
		assert_int_equal(
		    cases_time_offset(zones[i], utc("2027-07-01", 12)), 60);
	}
	assert_int_equal(
	    cases_time_offset("Asia/Tokyo", utc("2026-07-01", 1)), 0);
}

static void
a_day_begins_where_the_panel_is(void **state)
{
	(void)state;
	assert_int_equal(cases_time_day("Europe/London",
			     (uint64_t)(utc("2026-07-01", 23) + HOUR_MS / 2)),
	    sample_day("2026-07-02"));
	assert_int_equal(cases_time_day("Europe/London",
			     (uint64_t)(utc("2026-12-01", 23) + HOUR_MS / 2)),
	    sample_day("2026-12-01"));
	assert_true(
	    cases_time_instant("Europe/London", sample_day("2026-07-02"), 30) ==
	    utc("2026-07-01", 23) + HOUR_MS / 2);
}

struct told {
	const char *died, *at, *told, *told_at, *words;
};

static void
how_long_it_took_is_said_in_one_line(void **state)
{
	static const struct told cells[] = {
	    {"2026-11-20", "08:05", "2026-11-21", "10:15",
		"told 26 h 10 min after death (24 h asked, 48 h limit in "
		"this profile)"},
	    {"2026-10-24", "23:00", "2026-10-25", "23:00",
		"told 25 h 00 min after death (24 h asked, 48 h limit in "
		"this profile)"},
	    {"2026-11-01", "09:00", "2026-11-15", "09:00",
		"told 336 h 00 min after death (24 h asked, 48 h limit in "
		"this profile)"},
	    {"2026-11-01", "09:00", "2026-11-15", "09:01",
		"told 14 days after death"},
	    {"2026-11-20", "", "2026-11-21", "10:15", "told 1 day after death"},
	    {"2026-11-20", "", "2026-11-20", "10:15",
		"told on the day of the death"},
	    {"2026-11", "", "2026-11-20", "10:15", ""},
	    {"~2026-11-19", "08:00", "2026-11-20", "10:15", ""},
	    {"2026-11-20", "10:16", "2026-11-20", "10:15", ""},
	    {"2026-11-21", "", "2026-11-20", "10:15", ""},
	};
	struct cdop_violations violations = {0};
	const struct cdop_profile *profile;
	struct cdop_arena *arena;
	Cdop__Form *form;
	size_t i, k;

	(void)state;
	assert_int_equal(cdop_arena_new(16u << 20, &arena), CDOP_OK);
	profile = sample_profile(arena);
	for (i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		const char *const field[][2] = {{"death.date", cells[i].died},
		    {"death.time", cells[i].at},
		    {"received.notified_date", cells[i].told},
		    {"received.notified_time", cells[i].told_at}};

		form = cdop_form_new(arena);
		for (k = 0; k < 4; k++)
			assert_int_equal(
			    cdop_form_put(form, field[k][0], field[k][1],
				profile, arena, &violations),
			    CDOP_OK);
		assert_string_equal(
		    cases_time_told(form, profile, "Europe/London", arena),
		    cells[i].words);
	}
	cdop_arena_free(arena);
}

/* ---- terms ------------------------------------------------------------- */

static void
terms_are_said_back_as_they_were_taken(void **state)
{
	struct cases_typed typed = {.nhs_number = "999 000 0018",
	    .family_name = "  O'Shea ",
	    .birth_date = "3/3/2026",
	    .death_date = "whenever"};
	struct cases_terms terms;
	struct cdop_arena *arena;

	(void)state;
	assert_int_equal(cdop_arena_new(1u << 16, &arena), CDOP_OK);
	cases_terms_read(&typed, &terms);
	assert_string_equal(cases_terms_words(&terms, 100, arena),
	    "NHS number 999 000 0018, family name \"oshea\", "
	    "born Tue 3 March 2026, died: not a date");
	memset(&typed, 0, sizeof(typed));
	cases_terms_read(&typed, &terms);
	assert_string_equal(cases_terms_words(&terms, 100, arena), "nothing");
	typed.family_name = "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf";
	cases_terms_read(&typed, &terms);
	/* Cut at a whole character. */
	assert_string_equal(cases_terms_words(&terms, 5, arena),
	    "family name \"\xd9\x85\xd8\xad\"");
	cdop_arena_free(arena);
}

/* ---- the cache --------------------------------------------------------- */

static bool
same_set(char **a, size_t n, char **b, size_t m)
{
	size_t i, k;

	if (n != m)
		return false;
	for (i = 0; i < n; i++) {
		for (k = 0; k < m && strcmp(a[i], b[k]) != 0; k++)
			;
		if (k == m)
			return false;
	}
	return true;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
assert_same(const Cdop__StoredSummary *a, const Cdop__StoredSummary *b)
{
#define SAME(list)                                                             \
	assert_true(same_set(a->list, a->n_##list, b->list, b->n_##list))
	SAME(nhs_number);
	SAME(family_name);
	SAME(first_name);
	SAME(mother_name);
	SAME(birth_date);
	SAME(death_date);
	SAME(postcode);
#undef SAME
	assert_true(same_text(a->shown_name, b->shown_name));
	assert_true(same_text(a->record_birth, b->record_birth));
	assert_true(same_text(a->record_death, b->record_death));
	assert_true(same_text(a->sex, b->sex));
	assert_true(same_text(a->scope, b->scope));
	assert_true(same_text(a->place, b->place));
	assert_string_equal(a->reference, b->reference);
	assert_string_equal(a->owner_area, b->owner_area);
	assert_string_equal(a->status, b->status);
	assert_int_equal(a->record_version, b->record_version);
	assert_int_equal(a->case_version, b->case_version);
	assert_int_equal(a->notifications, b->notifications);
	assert_int_equal(a->nameless, b->nameless);
	assert_int_equal(a->n_not_duplicate, b->n_not_duplicate);
	assert_int_equal(a->n_open_pair, b->n_open_pair);
}

/* A case to which much has happened; its reference. */
static char *
busy_case(struct world *w)
{
	struct calls_tell tell = {.form = world_form(w, 1, "wirral")};
	Cdop__NotificationMoveRequest move;
	char *one, *two;

	one = calls_new(w, WORLD_COORDINATOR, tell.form);
	two = calls_new(w, WORLD_COORDINATOR, world_form(w, 2, "wirral"));
	calls_put(w, tell.form, "child.family_name", "Second");
	calls_put(w, tell.form, "mother.family_name", "Mother");
	calls_put(w, tell.form, "death.date", "2026-11-20");
	tell.decision[0] =
	    calls_decision(w, one, CDOP__DECISION__JOIN, "the same");
	tell.n_decision = 1;
	(void)calls_tell(w, WORLD_COORDINATOR, &tell, CDOP_OK);
	calls_put(w, tell.form, "child.family_name", "Third");
	(void)calls_tell(w, WORLD_COORDINATOR, &tell, CDOP_OK);
	(void)calls_amend(
	    w, one, 1, "child.family_name", "Fourth", NULL, CDOP_OK);
	(void)calls_amend(
	    w, one, 2, "child.postcode", "L1 8JQ", "child.sex", CDOP_OK);
	cdop__notification_move_request__init(&move);
	move.reference = one;
	move.notification = 2;
	move.version = 3;
	move.to_reference = two;
	move.reason = calls_text(w, "another child");
	(void)calls_change(w, WORLD_COORDINATOR, CDOP_CALL_NotificationMove,
	    &move.base, CDOP_OK);
	return one;
}

static void
a_summary_can_always_be_made_again(void **state)
{
	struct actor actor = {.role = CDOP_ROLE_COORDINATOR, .all_areas = true};
	Cdop__StoredSummary *again, *kept;
	const struct index_row *row;
	struct cases_act act;
	struct world w;
	uint32_t slot;
	size_t n;

	(void)state;
	world_make(&w);
	(void)busy_case(&w);
	world_begin(&w, 1u << 20, 8);
	cases_act_init(&act, w.reg->cases, w.arena, &actor, w.now_ms);
	assert_int_equal(index_count(act.index), 2);
	for (slot = 0; slot < 2; slot++) {
		assert_int_equal(cases_summarise(&act, slot, &again), CDOP_OK);
		row = index_rows(act.index, slot, &n);
		assert_int_equal(cases_read_row(&act, &row[n - 1],
				     &cdop__stored_summary__descriptor, &kept),
		    CDOP_OK);
		assert_same(kept, again);
	}
	rows_abort(w.rows);
	undo_rollback(w.undo);
	world_end(&w);
}

static void
who_goes_leaves_a_list_to_hand_over(void **state)
{
	Cdop__CaseResponsibleRequest request;
	uint32_t out[4] = {99};
	struct world w;
	char *one;

	(void)state;
	world_make(&w);
	one = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	(void)calls_new(&w, WORLD_COORDINATOR, world_form(&w, 2, "wirral"));
	cdop__case_responsible_request__init(&request);
	request.reference = one;
	request.version = 1;
	request.has_person = true;
	request.person = WORLD_COORDINATOR;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, CDOP_OK);
	assert_int_equal(
	    cases_responsible(w.reg->cases, WORLD_COORDINATOR, out, 4), 1);
	assert_int_equal(out[0], calls_slot(&w, one));
	assert_int_equal(cases_responsible(w.reg->cases, 99, out, 4), 0);
	world_end(&w);
}

static void
is_so_already(struct world *w, uint32_t call, const ProtobufCMessage *request)
{
	(void)calls_change(
	    w, WORLD_COORDINATOR, call, request, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "already_so");
}

/* There is no version of which nothing is another than before. */
static void
the_same_again_is_no_change(void **state)
{
	Cdop__CaseResponsibleRequest person;
	Cdop__CaseInterestRequest area;
	struct world w;

	(void)state;
	world_make(&w);
	cdop__case_responsible_request__init(&person);
	person.reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	person.version = 1;
	is_so_already(&w, 52, &person.base);
	person.has_person = true;
	person.person = WORLD_COORDINATOR;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &person.base, CDOP_OK);
	person.version = 2;
	is_so_already(&w, 52, &person.base);
	person.reason = calls_text(&w, "said again");
	is_so_already(&w, 52, &person.base);
	person.person = WORLD_COORDINATOR_WIRRAL;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &person.base, CDOP_OK);
	person.version = 3;
	person.has_person = false;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &person.base, CDOP_OK);

	cdop__case_interest_request__init(&area);
	area.reference = person.reference;
	area.version = 4;
	area.area = calls_text(&w, "sefton");
	area.reason = calls_text(&w, "school there");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest, &area.base, CDOP_OK);
	area.version = 5;
	is_so_already(&w, 51, &area.base);
	/* How it is known, and why it is marked, are parts of it. */
	area.known = true;
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest, &area.base, CDOP_OK);
	area.version = 6;
	area.reason = calls_text(&w, "placed there");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest, &area.base, CDOP_OK);
	area.version = 7;
	is_so_already(&w, 51, &area.base);
	area.has_remove = area.remove = true;
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest, &area.base, CDOP_OK);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(summer_time_begins_and_ends_at_one_utc),
	    cmocka_unit_test(a_day_begins_where_the_panel_is),
	    cmocka_unit_test(how_long_it_took_is_said_in_one_line),
	    cmocka_unit_test(terms_are_said_back_as_they_were_taken),
	    cmocka_unit_test(a_summary_can_always_be_made_again),
	    cmocka_unit_test(who_goes_leaves_a_list_to_hand_over),
	    cmocka_unit_test(the_same_again_is_no_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
