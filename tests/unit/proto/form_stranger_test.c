/* Overrides, and forms that a stranger's client may send. */
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
#define W CDOP_SEVERITY_WARNING

/* ---- overrides --------------------------------------------------------- */

static void
an_override_answers_one_warning_for_one_value(void **state)
{
	struct sample *s = *state;
	Cdop__Override override;
	Cdop__Override *list[] = {&override};

	cdop__override__init(&override);
	override.path = cdop_arena_strdup(s->arena, "birth.weight_grams");
	override.rule = cdop_arena_strdup(s->arena, "weight.range");
	override.value = cdop_arena_strdup(s->arena, "250");
	override.reason = cdop_arena_strdup(s->arena, "22 weeks");
	s->check.override = list;
	s->check.n_override = 1;
	sample_put(s, "birth.weight_grams", "250");
	sample_finds_nothing(s);
	/* Another value: it is void. */
	sample_put(s, "birth.weight_grams", "251");
	sample_finds(s, "birth.weight_grams", "weight.range", W);
	sample_put(s, "birth.weight_grams", "250");
	override.reason = cdop_arena_strdup(s->arena, "   ");
	sample_finds(s, "birth.weight_grams", "weight.range", W);
	override.reason = cdop_arena_strdup(s->arena, "22 weeks");
	override.rule = cdop_arena_strdup(s->arena, "gestation.range");
	sample_finds(s, "birth.weight_grams", "weight.range", W);
}

static void
no_override_answers_an_error(void **state)
{
	struct sample *s = *state;
	Cdop__Override override;
	Cdop__Override *list[] = {&override};

	cdop__override__init(&override);
	override.path = cdop_arena_strdup(s->arena, "death.date");
	override.rule = cdop_arena_strdup(s->arena, "date.order");
	override.value = cdop_arena_strdup(s->arena, "2026-01-01");
	override.reason = cdop_arena_strdup(s->arena, "because");
	s->check.override = list;
	s->check.n_override = 1;
	sample_put(s, "birth.date", "2026-02-01");
	sample_put(s, "death.date", "2026-01-01");
	sample_finds(s, "death.date", "date.order", E);
}

static void
an_override_of_an_absence_names_the_absence(void **state)
{
	struct sample *s = *state;
	Cdop__Override override;
	Cdop__Override *list[] = {&override};

	cdop__override__init(&override);
	override.path = cdop_arena_strdup(s->arena, "child.nhs_number");
	override.rule = cdop_arena_strdup(s->arena, "absent.reason_missing");
	override.value = cdop_arena_strdup(s->arena, "#nk");
	override.reason = cdop_arena_strdup(s->arena, "being traced");
	s->check.override = list;
	s->check.n_override = 1;
	sample_put(s, "child.nhs_number", "#nk");
	sample_finds_nothing(s);
	sample_put(s, "child.nhs_number", "#ws");
	sample_finds(s, "child.nhs_number", "absent.reason_missing", W);
}

/* ---- what a stranger's client may send --------------------------------- */

static Cdop__Absent *
absent(struct sample *s, const char *path, int kind)
{
	Cdop__Absent *a = cdop_arena_alloc(s->arena, sizeof(*a));

	assert_non_null(a);
	cdop__absent__init(a);
	a->path = cdop_arena_strdup(s->arena, path);
	a->kind = (Cdop__AbsenceKind)kind;
	return a;
}

static void
absences_are_sound(void **state)
{
	struct sample *s = *state;
	Cdop__Absent *list[2];

	s->form->absent = list;
	s->form->n_absent = 1;
	list[0] = absent(s, "child.nothing", 1);
	sample_finds(s, "", "absent.path", E);
	list[0] = absent(s, "parent.3.sex", 1); /* no such entry */
	sample_finds(s, "", "absent.path", E);
	list[0] = absent(s, "child.sex", 9);
	sample_finds(s, "child.sex", "absent.kind", E);
	list[0] = absent(s, "child.sex", 1);
	sample_finds_nothing(s);
	list[1] = absent(s, "child.sex", 2);
	s->form->n_absent = 2;
	sample_finds(s, "child.sex", "absent.twice", E);
	s->form->n_absent = 1;
	s->form->child = cdop_arena_alloc(s->arena, sizeof(Cdop__Child));
	assert_non_null(s->form->child);
	cdop__child__init(s->form->child);
	s->form->child->sex = cdop_arena_strdup(s->arena, "1");
	sample_finds(s, "child.sex", "absent.with_value", E);
}

static void
entries_are_numbered_each_differently(void **state)
{
	struct sample *s = *state;
	uint32_t number;
	size_t i;

	for (i = 0; i < 3; i++)
		assert_int_equal(
		    cdop_form_entry_add(s->form, "parent", s->arena, &number),
		    CDOP_OK);
	sample_finds_nothing(s);
	s->form->parent[2]->number = 1;
	sample_finds(s, "parent", "entry.number", E);
	s->form->parent[2]->number = 0;
	sample_finds(s, "parent", "entry.number", E);
	s->form->parent[2]->number = CDOP_FORM_ENTRY_MAX + 1;
	sample_finds(s, "parent", "entry.number", E);
	s->form->parent[2]->number = 3;
	s->form->parent[2]->has_number = 0;
	sample_finds(s, "parent", "entry.number", E);
}

static void
too_many_entries_are_found(void **state)
{
	struct sample *s = *state;
	Cdop__Parent *list[11];
	Cdop__Parent parents[11];
	uint32_t i;

	for (i = 0; i < 11; i++) {
		cdop__parent__init(&parents[i]);
		parents[i].has_number = 1;
		parents[i].number = i + 1;
		list[i] = &parents[i];
	}
	s->form->parent = list;
	s->form->n_parent = 11;
	sample_finds(s, "parent", "entry.too_many", E);
	s->form->n_parent = 10;
	sample_finds_nothing(s);
}

static void
values_come_in_canonical_text(void **state)
{
	static const struct {
		const char *text;
		const char *rule;
	} names[] = {{" Smith", "value.canonical"},
	    {"Smith\n", "value.canonical"}, {"", "value.empty"},
	    {"#nk", "absent.as_value"}, {"a\x01", "text.control"},
	    {"a\xff", "text.utf8"}, {"\xe2\x80\x8b", "absent.as_value"}};
	struct sample *s = *state;
	size_t i;

	sample_put(s, "child.family_name", "x");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		s->form->child->family_name =
		    cdop_arena_strdup(s->arena, names[i].text);
		sample_finds(s, "child.family_name", names[i].rule, E);
	}
	s->form->child->family_name = cdop_arena_strdup(s->arena, "Smith");
	s->form->child->sex = cdop_arena_strdup(s->arena, "Male");
	sample_finds(s, "child.sex", "value.canonical", E);
	s->form->child->sex = cdop_arena_strdup(s->arena, "0");
	sample_finds(s, "child.sex", "absent.as_value", E);
	s->form->child->sex = NULL;
	s->form->child->postcode = cdop_arena_strdup(s->arena, "l18jq");
	sample_finds(s, "child.postcode", "value.canonical", E);
	s->form->child->postcode = NULL;
	s->form->child->nhs_number =
	    cdop_arena_strdup(s->arena, "999 000 0018");
	sample_finds(s, "child.nhs_number", "value.canonical", E);
	s->form->child->nhs_number = NULL;
	s->form->child->has_estimated_age = 1;
	s->form->child->estimated_age = UINT32_MAX;
	sample_finds(s, "child.estimated_age", "number.form", E);
	s->form->child->estimated_age = 121;
	sample_finds(s, "child.estimated_age", "number.range", E);
	s->form->child->has_estimated_age = 0;
	s->form->child->has_name_kind = 1;
	s->form->child->name_kind = (Cdop__NameKind)77;
	sample_finds(s, "child.name_kind", "choice.unknown", E);
}

static void
what_a_stranger_sends_is_tidied_as_if_typed(void **state)
{
	struct sample *s = *state;
	Cdop__Child child;

	cdop__child__init(&child);
	s->form->child = &child;
	child.family_name = cdop_arena_strdup(s->arena, " Synthetic\r\n");
	child.first_names = cdop_arena_strdup(s->arena, " ");
	child.known_as = cdop_arena_strdup(s->arena, "#nk");
	child.postcode = cdop_arena_strdup(s->arena, "l18jq");
	child.nhs_number = cdop_arena_strdup(s->arena, "999 000 0018");
	child.sex = cdop_arena_strdup(s->arena, "0");
	child.ethnic_category = cdop_arena_strdup(s->arena, "z");
	child.school = cdop_arena_strdup(s->arena, "a\x01");
	assert_int_equal(
	    cdop_form_tidy(s->form, s->profile, s->arena), CDOP_OK);
	assert_string_equal(child.family_name, "Synthetic");
	assert_null(child.first_names);
	assert_string_equal(sample_text(s, "child.known_as"), "#nk");
	assert_string_equal(child.postcode, "L1 8JQ");
	assert_string_equal(child.nhs_number, "9990000018");
	assert_string_equal(sample_text(s, "child.sex"), "#nk");
	assert_string_equal(sample_text(s, "child.ethnic_category"), "#ws");
	/* What cannot be read is left for the rules to name. */
	sample_finds(s, "child.school", "text.control", E);
	assert_int_equal(s->found.n, 1);
	child.school = NULL;
	sample_finds_nothing(s);
}

/* Also where the numbers of entries are none, or twice the same. */
static void
every_entry_is_tidied(void **state)
{
	struct sample *s = *state;
	Cdop__OtherName name[3], *names[3];
	Cdop__Circumstances last;
	size_t i;

	for (i = 0; i < 3; i++) {
		cdop__other_name__init(&name[i]);
		name[i].family_name = cdop_arena_strdup(s->arena, " A ");
		name[i].note = cdop_arena_strdup(s->arena, "b  c");
		names[i] = &name[i];
	}
	name[1].has_number = name[2].has_number = 1;
	name[1].number = name[2].number = 4;
	s->form->other_name = names;
	s->form->n_other_name = 3;
	cdop__circumstances__init(&last);
	last.narrative = cdop_arena_strdup(s->arena, "a\r\nb");
	s->form->circumstances = &last;
	assert_int_equal(
	    cdop_form_tidy(s->form, s->profile, s->arena), CDOP_OK);
	for (i = 0; i < 3; i++) {
		assert_string_equal(name[i].family_name, "A");
		assert_string_equal(name[i].note, "b c");
	}
	assert_string_equal(last.narrative, "a\nb");
	sample_finds(s, "other_name", "entry.number", E);
}

static void
dates_of_no_calendar_are_found(void **state)
{
	static const uint32_t dates[][3] = {{0, 0, 0}, {1849, 1, 1},
	    {2200, 1, 1}, {2026, 13, 1}, {2026, 2, 29}, {2026, 4, 31},
	    {4294967295u, 1, 1}, {2026, 256 + 1, 1}, {2026, 1, 256 + 1}};
	struct sample *s = *state;
	Cdop__Date date;
	size_t i;

	sample_put(s, "birth.date", "2024");
	for (i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		cdop__date__init(&date);
		date.has_year = date.has_month = date.has_day = 1;
		date.year = dates[i][0];
		date.month = dates[i][1];
		date.day = dates[i][2];
		s->form->birth->date = &date;
		sample_finds(s, "birth.date", "date.form", E);
	}
	/* A day without a month is no date either. */
	cdop__date__init(&date);
	date.has_year = date.has_day = 1;
	date.year = 2024;
	date.day = 3;
	sample_finds(s, "birth.date", "date.form", E);
	date.has_day = 0;
	date.has_month = 1;
	date.month = 0;
	sample_finds(s, "birth.date", "date.form", E);
	cdop__date__init(&date);
	sample_finds(s, "birth.date", "date.form", E);
}

static void
awkward_but_true_forms_are_accepted(void **state)
{
	static const char *const names[] = {"Na", "Null", "None", "Unknown",
	    "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf",
	    "\xd7\x93\xd7\xa0\xd7\x99\xd7\x90\xd7\x9c", "O'Neill",
	    "Zoe\xcc\x88", "\xf0\x9f\x91\xb6", "=1+1", "<b>", "N/A"};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		s->form = cdop_form_new(s->arena);
		sample_fill(s);
		sample_put(s, "child.family_name", names[i]);
		sample_put(s, "child.first_names", names[i]);
		sample_put(s, "mother.family_name", names[i]);
		sample_finds_nothing(s);
	}
	/* Twins. */
	sample_put(s, "birth.multiplicity", "2");
	sample_put(s, "birth.order", "1");
	sample_finds_nothing(s);
	/* An unidentified body. */
	s->form = cdop_form_new(s->arena);
	sample_fill(s);
	sample_put(s, "child.name_kind", "unknown");
	sample_put(s, "child.family_name", "");
	sample_put(s, "child.first_names", "");
	sample_put(s, "birth.date", "#nk");
	sample_put(s, "death.date_is_found", "yes");
	sample_put(s, "child.sex", "0");
	sample_put(s, "area.residence", "#nk");
	sample_put(s, "place.name", "Formby beach");
	sample_finds_nothing(s);
}

static void
a_full_arena_is_an_error_and_no_finding(void **state)
{
	struct sample *s = *state;
	struct cdop_violations found;
	struct cdop_arena *arena;
	bool fits = false;
	enum cdop_err err;
	size_t max;

	sample_fill(s);
	sample_put(s, "birth.weight_grams", "1");
	for (max = 64; max < 65536 && !fits; max += 64) {
		assert_int_equal(cdop_arena_new(max, &arena), CDOP_OK);
		memset(&found, 0, sizeof(found));
		err = cdop_form_check(s->form, &s->check, arena, &found);
		assert_true(err == CDOP_OK || err == CDOP_RESOURCE_EXHAUSTED);
		if (err == CDOP_OK) {
			assert_int_equal(found.n, 1);
			fits = true;
		}
		cdop_arena_free(arena);
	}
	assert_true(fits);
}

int
main(void)
{
#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)
	const struct CMUnitTest tests[] = {
	    T(an_override_answers_one_warning_for_one_value),
	    T(no_override_answers_an_error),
	    T(an_override_of_an_absence_names_the_absence),
	    T(absences_are_sound),
	    T(entries_are_numbered_each_differently),
	    T(too_many_entries_are_found),
	    T(values_come_in_canonical_text),
	    T(what_a_stranger_sends_is_tidied_as_if_typed),
	    T(every_entry_is_tidied),
	    T(dates_of_no_calendar_are_found),
	    T(awkward_but_true_forms_are_accepted),
	    T(a_full_arena_is_an_error_and_no_finding),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
