/* Every rule, broken and kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/sample_form.h"
#include "tests/unit/proto/sample_profile.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#define E    CDOP_SEVERITY_ERROR
#define W    CDOP_SEVERITY_WARNING
#define FINE 0

/* ---- age --------------------------------------------------------------- */

static void
the_last_day_under_18_is_in_and_the_birthday_is_out(void **state)
{
	struct sample *s = *state;

	sample_put(s, "death.date", "2026-11-20");
	sample_put(s, "birth.date", "2008-11-21"); /* 17 years 364 days */
	sample_finds_nothing(s);
	sample_put(s, "birth.date", "2008-11-20");
	sample_finds(s, "birth.date", "age.over_18", E);
	sample_put(s, "birth.date", "2008-02-29");
	sample_put(s, "death.date", "2026-02-28");
	sample_finds_nothing(s);
	sample_put(s, "death.date", "2026-03-01");
	sample_finds(s, "birth.date", "age.over_18", E);
}

static void
the_leap_day_setting_is_the_profiles(void **state)
{
	struct sample *s = *state;
	struct cdop_profile early = *s->profile;

	early.feb29_early = true;
	s->check.profile = &early;
	sample_put(s, "birth.date", "2008-02-29");
	sample_put(s, "death.date", "2026-02-28");
	sample_finds(s, "birth.date", "age.over_18", E);
}

static void
an_age_is_refused_only_if_no_reading_is_under_18(void **state)
{
	static const struct {
		const char *birth;
		const char *death;
		const char *rule;
		enum cdop_severity severity;
	} ages[] = {
	    {"2008", "2026-11-20", "age.uncertain", W},
	    {"11/2008", "2026-11-20", "age.uncertain", W},
	    {"12/2008", "2026-11-20", "age.uncertain", FINE},
	    {"10/2008", "2026-11-20", "age.over_18", E},
	    {"2007", "2026-11-20", "age.over_18", E},
	    {"~2007", "2026-11-20", "age.uncertain", W},
	    {"~2006", "2026-11-20", "age.over_18", E},
	    {"~2009", "2026-11-20", "age.uncertain", W},
	    {"~2010", "2026-11-20", "age.uncertain", FINE},
	    {"~05/2024", "2026-11-20", "age.uncertain", FINE},
	    {"~20/12/2008", "2026-11-20", "age.uncertain", W},
	    {"2008", "2026", "age.uncertain", W},
	    {"2008", "2025", "age.uncertain", FINE},
	    {"2009", "2026", "age.uncertain", FINE},
	    {"2007", "2026", "age.over_18", E},
	};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
		sample_put(s, "birth.date", ages[i].birth);
		sample_put(s, "death.date", ages[i].death);
		sample_finds(s, "birth.date", ages[i].rule, ages[i].severity);
	}
}

static void
a_found_body_may_have_died_long_before(void **state)
{
	struct sample *s = *state;

	sample_put(s, "birth.date", "2000-01-01");
	sample_put(s, "death.date", "2026-11-20");
	sample_put(s, "death.date_is_found", "yes");
	sample_finds(s, "birth.date", "age.over_18", FINE);
	sample_finds(s, "birth.date", "age.uncertain", W);
}

static void
an_adult_is_recorded_when_the_scope_says_so(void **state)
{
	struct sample *s = *state;

	sample_put(s, "birth.date", "2000-01-01");
	sample_put(s, "death.date", "2026-11-20");
	sample_put(s, "scope.decision", "in");
	sample_finds(s, "birth.date", "age.over_18", E);
	sample_put(s, "scope.decision", "enquiry");
	sample_finds_nothing(s);
	sample_put(s, "scope.decision", "out");
	sample_finds(s, "scope.reason", "scope.reason_missing", E);
	sample_put(s, "scope.reason", "adult");
	sample_finds_nothing(s);
}

static void
an_estimated_age_counts_a_year_either_way(void **state)
{
	struct sample *s = *state;

	sample_put(s, "child.estimated_age", "16");
	sample_finds_nothing(s);
	sample_put(s, "child.estimated_age", "17");
	sample_finds(s, "child.estimated_age", "age.uncertain", W);
	sample_put(s, "child.estimated_age", "18");
	sample_finds(s, "child.estimated_age", "age.uncertain", W);
	sample_put(s, "child.estimated_age", "19");
	sample_finds(s, "child.estimated_age", "age.over_18", E);
	sample_put(s, "birth.date", "2020-01-01");
	sample_put(s, "death.date", "2026-01-02");
	sample_finds(s, "child.estimated_age", "age.conflict", W);
	sample_put(s, "child.estimated_age", "7");
	sample_finds_nothing(s);
}

/* ---- dates ------------------------------------------------------------- */

static void
the_order_of_dates_is_kept(void **state)
{
	static const struct {
		const char *first;
		const char *second;
		enum cdop_severity severity;
	} orders[] = {
	    {"birth.date", "event.date", E},
	    {"event.date", "death.date", E},
	    {"birth.date", "death.date", E},
	    {"death.date", "registration.date", E},
	    {"death.date", "coroner.post_mortem_date", E},
	    {"coroner.inquest_opened", "coroner.inquest_concluded", E},
	    {"death.date", "received.notified_date", W},
	    {"death.date", "received.aware_date", W},
	    {"received.aware_date", "received.notified_date", W},
	    {"death.date", "coroner.told_date", W},
	    {"death.date", "coroner.inquest_opened", W},
	    {"registration.date", "registration.correction_date", W},
	    {"mother.date_of_birth", "birth.date", W},
	};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		s->form = cdop_form_new(s->arena);
		sample_put(s, orders[i].first, "2026-03-02");
		sample_put(s, orders[i].second, "2026-03-02");
		sample_finds_nothing(s);
		sample_put(s, orders[i].second, "2026-03-01");
		sample_finds(
		    s, orders[i].second, "date.order", orders[i].severity);
		/* In some readings only: never more than a warning. */
		sample_put(s, orders[i].second, "03/2026");
		sample_finds(s, orders[i].second, "date.order",
		    orders[i].severity == E ? W : FINE);
		sample_put(s, orders[i].second, "04/2026");
		sample_finds_nothing(s);
		sample_put(s, orders[i].second, "2025");
		sample_finds(
		    s, orders[i].second, "date.order", orders[i].severity);
		sample_put(s, orders[i].second, "#nk");
		sample_finds_nothing(s);
	}
}

static void
a_child_that_lived_minutes_keeps_the_order_of_times(void **state)
{
	struct sample *s = *state;

	sample_put(s, "birth.date", "2026-11-20");
	sample_put(s, "birth.time", "03:10");
	sample_put(s, "death.date", "2026-11-20");
	sample_put(s, "death.time", "03:14");
	sample_finds_nothing(s);
	sample_put(s, "death.time", "03:10");
	sample_finds_nothing(s);
	sample_put(s, "death.time", "03:09");
	sample_finds(s, "death.time", "time.order", E);
	sample_put(s, "death.date", "2026-11-21");
	sample_finds_nothing(s);
	sample_put(s, "death.date", "~2026-11-20");
	sample_finds(s, "death.time", "time.order", FINE);
	sample_put(s, "death.date", "2026-11-20");
	sample_put(s, "death.time", "10:00");
	sample_put(s, "received.notified_date", "2026-11-20");
	sample_put(s, "received.notified_time", "09:00");
	sample_finds(s, "received.notified_time", "time.order", W);
}

/* Born at 01:50 summer time, died twenty minutes later at 01:10. */
static void
the_hour_that_comes_twice_has_no_impossible_order(void **state)
{
	struct sample *s = *state;

	sample_put(s, "birth.date", "2026-10-25");
	sample_put(s, "birth.time", "01:50");
	sample_put(s, "death.date", "2026-10-25");
	sample_put(s, "death.time", "01:10");
	sample_finds(s, "death.time", "time.order", W);
	sample_put(s, "birth.time", "02:00");
	sample_finds(s, "death.time", "time.order", E);
	sample_put(s, "birth.time", "00:59");
	sample_finds_nothing(s);
	sample_put(s, "death.time", "00:58");
	sample_finds(s, "death.time", "time.order", E);
	/* Another Sunday, another day, another month. */
	sample_put(s, "birth.time", "01:50");
	sample_put(s, "death.time", "01:10");
	sample_put(s, "birth.date", "2026-10-18");
	sample_put(s, "death.date", "2026-10-18");
	sample_finds(s, "death.time", "time.order", E);
	sample_put(s, "birth.date", "2026-10-26");
	sample_put(s, "death.date", "2026-10-26");
	sample_finds(s, "death.time", "time.order", E);
	sample_put(s, "birth.date", "2026-03-29");
	sample_put(s, "death.date", "2026-03-29");
	sample_finds(s, "death.time", "time.order", E);
}

static void
nothing_lies_in_the_future_but_an_appointment(void **state)
{
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < cdop_fields_count; i++) {
		if (cdop_fields[i].kind != CDOP_KIND_DATE ||
		    cdop_fields[i].group_max > 0)
			continue;
		s->form = cdop_form_new(s->arena);
		sample_put(s, cdop_fields[i].path, "2026-11-23");
		sample_finds(s, cdop_fields[i].path, "date.future", FINE);
		sample_put(s, cdop_fields[i].path, "2026-11-24");
		sample_finds(s, cdop_fields[i].path, "date.future",
		    strcmp(cdop_fields[i].path, "follow_up.appointment_date") ==
			    0
			? FINE
			: E);
		/* This year, this month: the past of it is meant. */
		sample_put(s, cdop_fields[i].path, "2026");
		sample_finds(s, cdop_fields[i].path, "date.future", FINE);
		sample_put(s, cdop_fields[i].path, "11/2026");
		sample_finds(s, cdop_fields[i].path, "date.future", FINE);
	}
	s->form = cdop_form_new(s->arena);
	sample_put(s, "parent.4.date_of_birth", "2027");
	sample_finds(s, "parent.4.date_of_birth", "date.future", E);
}

/* Where it is today, the registry's own day is behind: where to look. */
static void
what_lies_ahead_points_to_the_registrys_day(void **state)
{
	const struct cdop_violation *found;
	struct sample *s = *state;

	sample_put(s, "death.date", "2026-11-24");
	sample_finds(s, "death.date", "date.future", E);
	found = cdop_violation_find(&s->found, "death.date", "date.future");
	assert_non_null(strstr(found->message, "cdop status"));
}

static void
abroad_it_can_be_tomorrow(void **state)
{
	struct sample *s = *state;

	sample_put(s, "death.date", "2026-11-24");
	sample_finds(s, "death.date", "date.future", E);
	sample_put(s, "place.type", "abroad");
	sample_finds_nothing(s);
	sample_put(s, "place.type", "");
	sample_put(s, "area.death", "abroad");
	sample_finds_nothing(s);
	sample_put(s, "death.date", "2026-11-25");
	sample_finds(s, "death.date", "date.future", E);
	sample_put(s, "area.death", "scotland");
	sample_put(s, "death.date", "2026-11-24");
	sample_finds(s, "death.date", "date.future", E);
}

static void
a_parent_is_older_than_the_child(void **state)
{
	struct sample *s = *state;

	sample_put(s, "birth.date", "2024-05-14");
	sample_put(s, "parent.2.date_of_birth", "2025");
	sample_finds(s, "parent.2.date_of_birth", "date.order", W);
	sample_put(s, "parent.2.date_of_birth", "2024");
	sample_finds_nothing(s);
}

/* ---- numbers and codes ------------------------------------------------- */

static void
training_and_live_take_each_their_own_numbers(void **state)
{
	struct sample *s = *state;

	sample_put(s, "child.nhs_number", "9990000018");
	sample_finds_nothing(s);
	s->check.training = false;
	sample_finds(s, "child.nhs_number", "nhs.live_range", E);
	sample_put(s, "child.nhs_number", "9434765919");
	sample_finds_nothing(s);
	s->check.training = true;
	sample_finds(s, "child.nhs_number", "nhs.training_range", E);
}

static void
numbers_that_look_wrong_are_asked_about(void **state)
{
	struct sample *s = *state;

	s->check.training = false;
	/* A number that begins like this birth date, with a right digit. */
	sample_put(s, "child.nhs_number", "0703191004");
	sample_put(s, "birth.date", "07/03/2019");
	sample_finds(s, "child.nhs_number", "nhs.looks_like_chi", W);
	sample_put(s, "birth.date", "08/03/2019");
	sample_finds_nothing(s);
	sample_put(s, "child.nhs_number", "1234567881");
	sample_finds(s, "child.nhs_number", "nhs.sequence", W);
}

static void
a_missing_number_wants_its_reason(void **state)
{
	struct sample *s = *state;

	sample_put(s, "child.nhs_number", "#nk");
	sample_finds(s, "child.nhs_number", "absent.reason_missing", W);
	sample_put(
	    s, "child.nhs_number_absent_reason", "NOT_CURRENTLY_AVAILABLE");
	sample_finds_nothing(s);
	sample_put(s, "child.nhs_number", "9990000018");
	sample_finds(
	    s, "child.nhs_number_absent_reason", "nhs.reason_with_number", W);
}

static void
a_retired_code_is_read_and_not_entered(void **state)
{
	struct sample *s = *state;
	int32_t today = s->check.today;

	sample_put(s, "place.agency", "RVY");
	sample_finds(s, "place.agency", "agency.retired", E);
	/* It stood there before: whoever amends something else may go on. */
	s->check.before = cdop_form_copy(s->form, s->arena);
	sample_finds_nothing(s);
	sample_put(s, "birth.hospital", "RVY");
	sample_finds(s, "birth.hospital", "agency.retired", E);
	sample_put(s, "birth.hospital", "");
	/* In force on that day. */
	s->check.before = NULL;
	s->check.today = sample_day("2023-06-30");
	sample_finds_nothing(s);
	s->check.today = sample_day("2020-01-01");
	sample_put(s, "place.agency", "");
	sample_put(s, "child.nhs_number_absent_reason", "NON_RESIDENT_ENGLAND");
	sample_finds(s, "child.nhs_number_absent_reason", "code.retired", E);
	sample_put(s, "child.nhs_number_absent_reason", "");
	s->check.today = sample_day("2012-01-01");
	sample_put(s, "area.residence", "knowsley");
	sample_finds(s, "area.residence", "area.retired", E);
	s->check.today = today;
	sample_finds_nothing(s);
}

static void
every_pseudo_postcode_is_taken(void **state)
{
	struct sample *s = *state;
	const struct cdop_code_list *list =
	    cdop_profile_list(s->profile, "pseudo_postcode");
	struct cdop_code ended;
	struct cdop_code_list lists[1];
	struct cdop_profile old = *s->profile;
	size_t i;

	for (i = 0; i < list->n; i++) {
		sample_put(s, "child.postcode", list->code[i].code);
		sample_finds_nothing(s);
	}
	sample_put(s, "child.postcode", "ZZ99 0AZ");
	sample_finds(s, "child.postcode", "postcode.pseudo_unknown", W);
	ended = list->code[0];
	ended.when.last = s->check.today - 1;
	lists[0] = (struct cdop_code_list){
	    .name = "pseudo_postcode", .code = &ended, .n = 1};
	old.list = lists;
	old.n_list = 1;
	s->check.profile = &old;
	sample_put(s, "child.postcode", ended.code);
	sample_finds(s, "child.postcode", "postcode.pseudo_retired", W);
}

static void
birth_is_plausible(void **state)
{
	static const struct {
		const char *path;
		const char *typed;
		const char *rule;
		enum cdop_severity severity;
	} births[] = {
	    {"birth.gestation_weeks", "19", "gestation.range", W},
	    {"birth.gestation_weeks", "20", "gestation.range", FINE},
	    {"birth.gestation_weeks", "43", "gestation.range", FINE},
	    {"birth.gestation_weeks", "44", "gestation.range", W},
	    {"birth.weight_grams", "299", "weight.range", W},
	    {"birth.weight_grams", "300", "weight.range", FINE},
	    {"birth.weight_grams", "6000", "weight.range", FINE},
	    {"birth.weight_grams", "6001", "weight.range", W},
	};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(births) / sizeof(*births); i++) {
		sample_put(s, births[i].path, births[i].typed);
		sample_finds(
		    s, births[i].path, births[i].rule, births[i].severity);
	}
	s->form = cdop_form_new(s->arena);
	sample_put(s, "birth.gestation_weeks", "23");
	sample_put(s, "birth.date", "2026-09-01");
	sample_put(s, "death.date", "2026-09-29");
	sample_finds_nothing(s);
	sample_put(s, "death.date", "2026-09-30");
	sample_finds(s, "birth.gestation_weeks", "gestation.age", W);
	s->form = cdop_form_new(s->arena);
	sample_put(s, "birth.multiplicity", "2");
	sample_put(s, "birth.order", "2");
	sample_finds_nothing(s);
	sample_put(s, "birth.order", "3");
	sample_finds(s, "birth.order", "birth.order", E);
}

static void
a_possible_stillbirth_is_an_enquiry(void **state)
{
	struct sample *s = *state;

	sample_put(s, "birth.possible_stillbirth", "yes");
	sample_finds(s, "birth.possible_stillbirth", "scope.enquiry", W);
	sample_put(s, "scope.decision", "enquiry");
	sample_finds_nothing(s);
}

static void
a_name_agrees_with_what_is_known_of_it(void **state)
{
	static const struct {
		const char *kind;
		const char *family;
		const char *first;
		enum cdop_severity severity;
	} names[] = {
	    {"known", "A", "B", FINE},
	    {"known", "A", "", W},
	    {"one_only", "A", "", FINE},
	    {"one_only", "", "B", FINE},
	    {"one_only", "A", "B", W},
	    {"baby_of", "A", "", FINE},
	    {"baby_of", "", "", FINE},
	    {"baby_of", "A", "B", W},
	    {"unknown", "", "", FINE},
	    {"unknown", "#nk", "", FINE},
	    {"unknown", "A", "", W},
	};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		sample_put(s, "child.name_kind", names[i].kind);
		sample_put(s, "child.family_name", names[i].family);
		sample_put(s, "child.first_names", names[i].first);
		sample_finds(
		    s, "child.name_kind", "name.kind", names[i].severity);
	}
}

static void
ways_back_look_like_ways_back(void **state)
{
	static const char *const phones[] = {"0151 496 0000",
	    "+44 151 496 0000", "(0151) 496 0000 ext 12", "01514960000"};
	static const char *const bad[] = {"ask at the desk", "0151", "999",
	    "0151 496 0000 0000 0000 0000", "1514960000", "1.51496E+09"};
	static const char *const mails[] = {"a.b", "@nhs.example",
	    "a@b@nhs.example", "a.b@nhs", "a@nhs.example.", "a b@nhs.example"};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(phones) / sizeof(*phones); i++) {
		sample_put(s, "notifier.phone", phones[i]);
		sample_finds_nothing(s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		sample_put(s, "notifier.phone", bad[i]);
		sample_finds(s, "notifier.phone", "phone.form", W);
	}
	sample_put(s, "notifier.phone", "");
	sample_put(s, "notifier.email", "a.b@nhs.example");
	sample_finds_nothing(s);
	for (i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		sample_put(s, "notifier.email", mails[i]);
		sample_finds(s, "notifier.email", "email.form", W);
	}
}

/* The last test of the program: what the others have met. */
static void
every_rule_was_met(void **state)
{
	/* Where another program of tests meets them. */
	static const char *const elsewhere[] = {"path.", "entry.", "absent.",
	    "raised.", "value.", "text.", "date.form", "time.form", "nhs.",
	    "postcode.form", "code.unknown", "choice.", "area.unknown",
	    "agency.unknown", "yes_no.", "number.", "accept."};
	const struct cdop_rule *rule;
	size_t n = sizeof(elsewhere) / sizeof(*elsewhere);
	size_t i;

	(void)state;
	for (rule = cdop_form_rules; rule->id != NULL; rule++) {
		for (i = 0; i < n; i++) {
			if (strncmp(rule->id, elsewhere[i],
				strlen(elsewhere[i])) == 0)
				break;
		}
		if (i == n && !sample_has_met(rule->id))
			fail_msg("no test breaks %s", rule->id);
		assert_true(strlen(rule->words) > 5);
	}
}

int
main(void)
{
#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)
	const struct CMUnitTest tests[] = {
	    T(the_last_day_under_18_is_in_and_the_birthday_is_out),
	    T(the_leap_day_setting_is_the_profiles),
	    T(an_age_is_refused_only_if_no_reading_is_under_18),
	    T(a_found_body_may_have_died_long_before),
	    T(an_adult_is_recorded_when_the_scope_says_so),
	    T(an_estimated_age_counts_a_year_either_way),
	    T(the_order_of_dates_is_kept),
	    T(a_child_that_lived_minutes_keeps_the_order_of_times),
	    T(the_hour_that_comes_twice_has_no_impossible_order),
	    T(nothing_lies_in_the_future_but_an_appointment),
	    T(what_lies_ahead_points_to_the_registrys_day),
	    T(abroad_it_can_be_tomorrow),
	    T(a_parent_is_older_than_the_child),
	    T(training_and_live_take_each_their_own_numbers),
	    T(numbers_that_look_wrong_are_asked_about),
	    T(a_missing_number_wants_its_reason),
	    T(a_retired_code_is_read_and_not_entered),
	    T(every_pseudo_postcode_is_taken),
	    T(birth_is_plausible),
	    T(a_possible_stillbirth_is_an_enquiry),
	    T(a_name_agrees_with_what_is_known_of_it),
	    T(ways_back_look_like_ways_back),
	    T(every_rule_was_met),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
