/* The minimum to accept, and what is asked for after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/sample_form.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#define E CDOP_SEVERITY_ERROR

static void
the_minimum_is_enough(void **state)
{
	sample_fill(*state);
	sample_finds_nothing(*state);
}

static void
each_part_of_the_minimum_is_asked_for(void **state)
{
	static const struct {
		const char *path;
		const char *at;
		const char *rule;
	} parts[] = {
	    {"received.channel", "received.channel", "accept.channel"},
	    {"received.notified_date", "received.notified_date",
		"accept.notified"},
	    {"received.notified_time", "received.notified_time",
		"accept.notified"},
	    {"notifier.phone", "notifier.phone", "accept.way_back"},
	    {"birth.date", "birth.date", "accept.birth"},
	    {"death.date", "death.date", "accept.death"},
	    {"child.sex", "child.sex", "accept.sex"},
	    {"area.residence", "area.residence", "accept.residence"},
	    {"place.type", "place.type", "accept.place"},
	};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		s->form = cdop_form_new(s->arena);
		sample_fill(s);
		sample_put(s, parts[i].path, "");
		sample_finds(s, parts[i].at, parts[i].rule, E);
	}
}

static void
not_known_is_an_answer_but_does_not_apply_is_none(void **state)
{
	static const char *const paths[] = {"birth.date", "death.date",
	    "child.sex", "area.residence", "place.type",
	    "received.notified_time"};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		s->form = cdop_form_new(s->arena);
		sample_fill(s);
		sample_put(s, paths[i], "#nk");
		sample_finds_nothing(s);
		sample_put(s, paths[i], "#ws");
		sample_finds_nothing(s);
		sample_put(s, paths[i], "#na");
		sample_check(s);
		assert_true(cdop_violation_has_error(&s->found));
	}
	/* When we were told is known to us. */
	s->form = cdop_form_new(s->arena);
	sample_fill(s);
	sample_put(s, "received.notified_date", "#nk");
	sample_finds(s, "received.notified_date", "accept.notified", E);
	sample_put(s, "received.channel", "#nk");
	sample_finds(s, "received.channel", "accept.channel", E);
}

static void
who_told_us_may_be_an_agency_or_a_person(void **state)
{
	struct sample *s = *state;

	sample_fill(s);
	sample_put(s, "notifier.agency", "");
	sample_finds_nothing(s);
	sample_put(s, "notifier.name", "");
	sample_finds(s, "notifier.agency", "accept.notifier", E);
	sample_put(s, "notifier.agency_name", "A practice");
	sample_finds_nothing(s);
	sample_put(s, "notifier.phone", "");
	sample_put(s, "notifier.email", "a@b.example");
	sample_finds_nothing(s);
}

static void
a_registrar_and_a_coroner_are_reached_by_the_profile(void **state)
{
	static const char *const agencies[] = {"registrar-wirral",
	    "coroner-liverpool-wirral", "cdop-pan-cheshire"};
	struct sample *s = *state;
	size_t i;

	sample_fill(s);
	sample_put(s, "notifier.phone", "");
	sample_finds(s, "notifier.phone", "accept.way_back", E);
	for (i = 0; i < sizeof(agencies) / sizeof(*agencies); i++) {
		sample_put(s, "notifier.agency", agencies[i]);
		sample_finds_nothing(s);
	}
	sample_put(s, "notifier.agency", "RBS");
	sample_put(s, "received.channel", "registrar");
	sample_finds_nothing(s);
}

static void
a_name_may_be_one_a_babys_or_unknown(void **state)
{
	struct sample *s = *state;

	sample_fill(s);
	sample_put(s, "child.name_kind", "");
	sample_put(s, "child.family_name", "");
	sample_put(s, "child.first_names", "");
	sample_finds(s, "child.family_name", "accept.name", E);
	sample_put(s, "child.family_name", "#nk");
	sample_finds_nothing(s);
	sample_put(s, "child.family_name", "");
	sample_put(s, "child.name_kind", "unknown");
	sample_finds_nothing(s);
	sample_put(s, "child.name_kind", "baby_of");
	sample_finds(s, "mother.family_name", "accept.baby_of", E);
	sample_put(s, "mother.family_name", "Synthetic");
	sample_finds_nothing(s);
	sample_put(s, "child.name_kind", "one_only");
	sample_put(s, "child.first_names", "Null");
	sample_finds_nothing(s);
}

static void
an_estimated_age_stands_for_the_date_of_birth(void **state)
{
	struct sample *s = *state;

	sample_fill(s);
	sample_put(s, "birth.date", "");
	sample_put(s, "child.estimated_age", "4");
	sample_finds_nothing(s);
}

static void
the_area_of_death_stands_for_the_place(void **state)
{
	struct sample *s = *state;

	sample_fill(s);
	sample_put(s, "place.type", "");
	sample_put(s, "area.death", "wirral");
	sample_finds_nothing(s);
}

static void
two_things_have_to_be_known_of_a_child(void **state)
{
	static const char *const one[] = {"child.nhs_number",
	    "child.family_name", "mother.first_names", "birth.date",
	    "death.date", "place.name"};
	static const char *const typed[] = {
	    "9990000018", "Synthetic", "Mother", "2024", "11/2026", "A house"};
	struct sample *s = *state;
	const struct cdop_violation *found;
	size_t i;
	size_t k;

	for (i = 0; i < 6; i++) {
		s->form = cdop_form_new(s->arena);
		sample_fill(s);
		sample_put(s, "child.name_kind", "unknown");
		sample_put(s, "child.family_name", "#nk");
		sample_put(s, "child.first_names", "");
		sample_put(s, "birth.date", "#nk");
		sample_put(s, "death.date", "#nk");
		sample_put(s, "place.type", "#nk");
		sample_finds(s, "", "accept.identifiers", E);
		sample_put(s, "child.name_kind", "");
		sample_put(s, one[i], typed[i]);
		sample_finds(s, "", "accept.identifiers", E);
		found =
		    cdop_violation_find(&s->found, "", "accept.identifiers");
		assert_non_null(strstr(found->message, "ask for:"));
		for (k = 0; k < 6; k++) {
			if (k == i)
				continue;
			sample_put(s, one[k], typed[k]);
			sample_finds(s, "", "accept.identifiers", 0);
			sample_put(s, one[k], k == 2 || k == 0 ? "" : "#nk");
		}
	}
}

static void
a_case_record_has_no_minimum(void **state)
{
	struct sample *s = *state;

	s->check.use = CDOP_FORM_RECORD;
	sample_finds_nothing(s);
	s->check.use = CDOP_FORM_PART;
	sample_finds_nothing(s);
	s->check.use = CDOP_FORM_NOTIFICATION;
	sample_check(s);
	assert_true(s->found.n > 5);
}

static const struct cdop_missing *
find(const struct cdop_missing_list *list, const char *path)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (strcmp(list->v[i].path, path) == 0)
			return &list->v[i];
	}
	return NULL;
}

static void
what_is_missing_is_named_in_its_order(void **state)
{
	struct sample *s = *state;
	struct cdop_missing_list list;
	size_t i;

	sample_fill(s);
	assert_int_equal(cdop_form_missing(s->form, s->arena, &list), CDOP_OK);
	for (i = 1; i < list.n; i++)
		assert_true(list.v[i - 1].need <= list.v[i].need);
	assert_int_equal(find(&list, "death.expected")->need, CDOP_NEED_TODAY);
	assert_int_equal(find(&list, "jar.started")->need, CDOP_NEED_TODAY);
	assert_int_equal(find(&list, "coroner.told")->need, CDOP_NEED_TODAY);
	assert_int_equal(find(&list, "agency")->need, CDOP_NEED_AGENCIES);
	assert_int_equal(
	    find(&list, "child.nhs_number")->need, CDOP_NEED_RETURN);
	assert_null(find(&list, "child.sex"));
	/* Asked only where there are other children. */
	assert_null(find(&list, "circumstances.children_at_risk"));
	assert_null(find(&list, "birth.time"));
}

static void
what_is_answered_is_not_missing(void **state)
{
	struct sample *s = *state;
	struct cdop_missing_list list;

	sample_fill(s);
	sample_put(s, "death.expected", "#nk");
	sample_put(s, "circumstances.other_children", "yes");
	sample_put(
	    s, "child.nhs_number_absent_reason", "NOT_CURRENTLY_AVAILABLE");
	sample_put(s, "agency", "#na");
	sample_put(s, "birth.date", "18/11/2026");
	assert_int_equal(cdop_form_missing(s->form, s->arena, &list), CDOP_OK);
	assert_null(find(&list, "death.expected"));
	assert_non_null(find(&list, "circumstances.children_at_risk"));
	assert_null(find(&list, "child.nhs_number"));
	assert_null(find(&list, "agency"));
	/* Hours count in the first week. */
	assert_non_null(find(&list, "birth.time"));
	sample_put(s, "circumstances.other_children", "no");
	sample_put(s, "agency", "");
	sample_put(s, "agency.1.name", "A practice");
	assert_int_equal(cdop_form_missing(s->form, s->arena, &list), CDOP_OK);
	assert_null(find(&list, "circumstances.children_at_risk"));
	assert_null(find(&list, "agency"));
}

int
main(void)
{
#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)
	const struct CMUnitTest tests[] = {
	    T(the_minimum_is_enough),
	    T(each_part_of_the_minimum_is_asked_for),
	    T(not_known_is_an_answer_but_does_not_apply_is_none),
	    T(who_told_us_may_be_an_agency_or_a_person),
	    T(a_registrar_and_a_coroner_are_reached_by_the_profile),
	    T(a_name_may_be_one_a_babys_or_unknown),
	    T(an_estimated_age_stands_for_the_date_of_birth),
	    T(the_area_of_death_stands_for_the_place),
	    T(two_things_have_to_be_known_of_a_child),
	    T(a_case_record_has_no_minimum),
	    T(what_is_missing_is_named_in_its_order),
	    T(what_is_answered_is_not_missing),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
