/* Forms by path: values, absences, entries, iteration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "tests/unit/proto/sample_form.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static void
every_path_is_read_and_written_back(void **state)
{
	char text[CDOP_FORM_PATH_MAX];
	struct cdop_path path;
	size_t i;

	(void)state;
	for (i = 0; i < cdop_fields_count; i++) {
		path.field = &cdop_fields[i];
		path.entry = 0;
		if (path.field->group_max > 0 &&
		    path.field->kind != CDOP_KIND_ENTRY)
			path.entry = CDOP_FORM_ENTRY_MAX;
		cdop_form_path_write(&path, text);
		memset(&path, 0, sizeof(path));
		assert_int_equal(cdop_form_path_parse(text, &path), CDOP_OK);
		assert_ptr_equal(path.field, &cdop_fields[i]);
	}
}

static void
a_path_that_names_nothing_is_refused(void **state)
{
	static const char *const bad[] = {"", ".", "child", "child.",
	    "child.name", "child.1.family_name", "parent.family_name",
	    "parent.0.family_name", "parent.01.family_name",
	    "parent.10000.family_name", "parent.-1.family_name", "parent.1.",
	    "parent.1", "parent.1.number", "parent.number",
	    "parent.1.2.family_name", "absent", "absent.1.path",
	    "child.family_name ", "Child.family_name",
	    "parent.99999999999999999999.family_name",
	    ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	     "xxxxx.y")};
	struct cdop_path path;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (cdop_form_path_parse(bad[i], &path) !=
		    CDOP_INVALID_ARGUMENT)
			fail_msg("taken: %s", bad[i]);
	}
	sample_refused(*state, "child.nmae", "x", "path.unknown");
}

static void
every_kind_has_a_canonical_text(void **state)
{
	static const char *const values[][3] = {
	    {"child.family_name",
		" O\xe2\x80\x99"
		"Brien ",
		"O\xe2\x80\x99"
		"Brien"},
	    {"child.address", "1 High Street\nLiverpool",
		"1 High Street, Liverpool"},
	    {"circumstances.narrative", "One.\r\nTwo.", "One.\nTwo."},
	    {"birth.date", "14/5/2024", "2024-05-14"},
	    {"birth.time", "7.05", "07:05"},
	    {"child.nhs_number", "999 000 0018", "9990000018"},
	    {"child.postcode", "l18jq", "L1 8JQ"},
	    {"child.sex", "female", "2"},
	    {"child.ethnic_category", "a", "A"},
	    {"child.name_kind", "Baby of", "baby_of"},
	    {"death.expected", "Y", "yes"},
	    {"coroner.told", "false", "no"},
	    {"birth.weight_grams", "0850", "850"},
	    {"area.residence", "St Helens", "st-helens"},
	    {"area.death", "E06000006", "halton"},
	    {"area.event", "Abroad", "abroad"},
	    {"notifier.agency", "rbs", "RBS"},
	    {"place.agency", "Alder Hey Children's NHS Foundation Trust",
		"RBS"},
	    {"scope.decision", "ENQUIRY", "enquiry"},
	    {"parent.3.family_name", "Null", "Null"},
	};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		sample_put(*state, values[i][0], values[i][1]);
		assert_string_equal(
		    sample_text(*state, values[i][0]), values[i][2]);
		/* Typing the canonical text changes nothing. */
		sample_put(*state, values[i][0], values[i][2]);
		assert_string_equal(
		    sample_text(*state, values[i][0]), values[i][2]);
	}
	/* And a message that is sent and received says the same. */
	((struct sample *)*state)->form = cdop_form_copy(
	    ((struct sample *)*state)->form, ((struct sample *)*state)->arena);
	for (i = 0; i < sizeof(values) / sizeof(*values); i++)
		assert_string_equal(
		    sample_text(*state, values[i][0]), values[i][2]);
}

static void
what_is_no_value_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[][3] = {
	    {"birth.date", "20/11/26", "date.form"},
	    {"birth.time", "25:00", "time.form"},
	    {"child.nhs_number", "9990000019", "nhs.check_digit"},
	    {"child.nhs_number", "1111111111", "nhs.repeated"},
	    {"child.nhs_number", "9.99E+09", "nhs.spreadsheet"},
	    {"child.nhs_number", "12", "nhs.form"},
	    {"child.postcode", "L1", "postcode.form"},
	    {"child.sex", "3", "code.unknown"},
	    {"child.name_kind", "perhaps", "choice.unknown"},
	    {"death.expected", "perhaps", "yes_no.form"},
	    {"birth.weight_grams", "850g", "number.form"},
	    {"birth.weight_grams", "0", "number.range"},
	    {"birth.weight_grams", "10000", "number.range"},
	    {"birth.weight_grams", "99999999999999999999", "number.form"},
	    {"birth.gestation_weeks", "9", "number.range"},
	    {"area.residence", "Atlantis", "area.unknown"},
	    {"area.residence", "holding", "area.unknown"},
	    {"notifier.agency", "ZZZ", "agency.unknown"},
	    {"child.family_name", "a\x01", "text.control"},
	    {"child.family_name", "a\xff", "text.utf8"},
	    {"parent", "yes", "value.group"},
	};
	struct sample *s = *state;
	size_t i;

	sample_put(s, "birth.date", "2024");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		sample_refused(s, bad[i][0], bad[i][1], bad[i][2]);
	assert_string_equal(sample_text(s, "birth.date"), "2024");
	assert_int_equal(cdop_form_classes(s->form), CDOP_CLASS_EXACT_DATE);
}

static void
no_message_repeats_the_value(void **state)
{
	static const char *const paths[] = {"birth.date", "birth.time",
	    "child.nhs_number", "child.postcode", "child.sex",
	    "child.name_kind", "death.expected", "birth.weight_grams",
	    "area.residence", "notifier.agency", "parent"};
	struct sample *s = *state;
	struct cdop_violations found = {0};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		assert_int_equal(
		    cdop_form_put(s->form, paths[i], "Canary-Synthetic",
			s->profile, s->arena, &found),
		    CDOP_INVALID_ARGUMENT);
	assert_int_equal(found.n, sizeof(paths) / sizeof(*paths));
	for (i = 0; i < found.n; i++) {
		assert_null(strstr(found.v[i].message, "Canary"));
		assert_true(strlen(found.v[i].message) > 10);
	}
}

static void
only_three_words_mean_absence(void **state)
{
	static const char *const names[] = {"NA", "N/A", "None", "Null", "nil",
	    "Unknown", "Not known", "nk", "#nkk", "# nk", "-", "?", "#12",
	    "undefined", "NaN"};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		sample_put(s, "child.family_name", names[i]);
		assert_string_equal(
		    sample_text(s, "child.family_name"), names[i]);
		assert_true(cdop_form_has(s->form, "child.family_name"));
	}
	sample_put(s, "child.family_name", " #NK ");
	assert_string_equal(sample_text(s, "child.family_name"), "#nk");
	assert_false(cdop_form_has(s->form, "child.family_name"));
	assert_int_equal(s->form->n_absent, 1);
	sample_put(s, "child.family_name", "#ws");
	assert_string_equal(sample_text(s, "child.family_name"), "#ws");
	assert_int_equal(s->form->n_absent, 1);
	sample_put(s, "child.family_name", "Na");
	assert_int_equal(s->form->n_absent, 0);
	sample_put(s, "child.family_name", "#na");
	assert_null(s->form->child->family_name);
	sample_put(s, "child.family_name", "");
	assert_string_equal(sample_text(s, "child.family_name"), "");
	assert_int_equal(s->form->n_absent, 0);
}

static void
a_lists_own_not_known_has_one_spelling(void **state)
{
	static const char *const values[][3] = {
	    /* path, typed, kept */
	    {"child.sex", "0", "#nk"},
	    {"child.sex", "Not known", "#nk"},
	    {"child.ethnic_category", "99", "#nk"},
	    {"child.ethnic_category", "Z", "#ws"},
	    {"child.ethnic_category", "#na", "#na"},
	    {"birth.gestation_weeks", "99", "#nk"},
	    {"child.postcode", "ZZ99 3WZ", "#nk"},
	    {"child.postcode", "ZZ99 3VZ", "ZZ99 3VZ"},
	    {"area.residence", "not_known", "#nk"},
	    {"place.type", "not_known", "#nk"},
	    {"child.family_name", "#nk", "#nk"},
	    {"child.sex", "1", "1"},
	    {"child.sex", "", ""},
	};
	struct sample *s = *state;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		sample_put(s, values[i][0], values[i][1]);
		assert_string_equal(sample_text(s, values[i][0]), values[i][2]);
	}
}

static void
people_read_words(void **state)
{
	static const char *const values[][3] = {
	    {"child.sex", "2", "Female"},
	    {"child.nhs_number", "9990000018", "999 000 0018"},
	    {"birth.date", "~05/2024", "estimated, May 2024"},
	    {"death.date", "20/11/2026", "Fri 20 November 2026"},
	    {"child.name_kind", "baby_of", "baby of"},
	    {"area.residence", "wirral", "Wirral"},
	    {"area.death", "halton", "Halton"},
	    {"area.event", "abroad", "Abroad"},
	    {"notifier.agency", "RBL",
		"Wirral University Teaching Hospital NHS Foundation Trust"},
	    {"child.postcode", "#nk", "not known"},
	    {"mother.family_name", "#ws", "withheld"},
	    {"agency", "#na", "not applicable"},
	};
	struct sample *s = *state;
	struct cdop_path path;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		sample_put(s, values[i][0], values[i][1]);
		assert_int_equal(
		    cdop_form_path_parse(values[i][0], &path), CDOP_OK);
		assert_string_equal(
		    cdop_form_words(s->form, &path, s->profile, s->arena),
		    values[i][2]);
	}
}

static void
text_is_bounded_in_characters_and_narratives_in_bytes(void **state)
{
	char name[CDOP_TEXT_MAX * 4 + 8] = "";
	char *story;
	size_t i;

	/* 200 characters of four bytes fit; one more does not. */
	for (i = 0; i < CDOP_TEXT_MAX; i++)
		memcpy(name + i * 4, "\xf0\x9f\x91\xa9", 5);
	sample_put(*state, "child.family_name", name);
	assert_string_equal(sample_text(*state, "child.family_name"), name);
	memcpy(name + i * 4, "x", 2);
	sample_refused(*state, "child.family_name", name, "text.too_long");
	story = calloc(1, CDOP_NARRATIVE_MAX + 2);
	assert_non_null(story);
	memset(story, 'x', CDOP_NARRATIVE_MAX);
	sample_put(*state, "circumstances.narrative", story);
	story[CDOP_NARRATIVE_MAX] = 'x';
	sample_refused(
	    *state, "circumstances.narrative", story, "text.too_long");
	free(story);
}

static void
an_entry_keeps_its_number(void **state)
{
	struct sample *s = *state;
	uint32_t number;

	sample_put(s, "parent.1.family_name", "First");
	sample_put(s, "parent.2.family_name", "Second");
	sample_put(s, "parent.2.sex", "#nk");
	sample_put(s, "parent.7.family_name", "Seventh");
	assert_int_equal(cdop_form_entries(s->form, "parent"), 3);
	assert_string_equal(sample_text(s, "parent.2.family_name"), "Second");
	assert_string_equal(sample_text(s, "parent.2.sex"), "#nk");
	assert_int_equal(
	    cdop_form_entry_add(s->form, "parent", s->arena, &number), CDOP_OK);
	assert_int_equal(number, 8);
	assert_int_equal(cdop_form_entry_number(s->form, "parent", 0), 1);
	assert_int_equal(cdop_form_entry_number(s->form, "parent", 2), 7);
	assert_int_equal(cdop_form_entry_number(s->form, "parent", 3), 8);
	assert_int_equal(cdop_form_entry_number(s->form, "parent", 4), 0);
	assert_int_equal(
	    cdop_form_entry_add(s->form, "child", s->arena, &number),
	    CDOP_INVALID_ARGUMENT);
}

static void
a_group_takes_no_more_entries_than_it_may(void **state)
{
	struct sample *s = *state;
	char path[CDOP_FORM_PATH_MAX];
	uint32_t number;
	unsigned i;

	for (i = 1; i <= 10; i++) {
		(void)snprintf(path, sizeof(path), "parent.%u.sex", i);
		sample_put(s, path, "1");
	}
	sample_refused(s, "parent.11.sex", "1", "entry.too_many");
	assert_int_equal(
	    cdop_form_entry_add(s->form, "parent", s->arena, &number),
	    CDOP_RESOURCE_EXHAUSTED);
	sample_put(s, "parent.10.sex", "2");
	sample_finds_nothing(s);
}

static void
none_of_a_group_is_said_and_taken_back(void **state)
{
	struct sample *s = *state;

	sample_put(s, "agency", "#na");
	assert_string_equal(sample_text(s, "agency"), "#na");
	sample_finds_nothing(s);
	/* One that is there speaks against "none". */
	sample_put(s, "agency.1.agency", "RBS");
	assert_string_equal(sample_text(s, "agency"), "");
	sample_refused(s, "agency", "#na", "absent.with_value");
	sample_finds_nothing(s);
}

static void
iteration_meets_every_field_once(void **state)
{
	struct sample *s = *state;
	struct cdop_form_iter iter = {.form = s->form};
	struct cdop_path path;
	size_t groups = 0;
	size_t leaves = 0;
	size_t wanted = 0;
	size_t i;

	sample_put(s, "parent.5.family_name", "A");
	sample_put(s, "parent.2.family_name", "B");
	sample_put(s, "review.1.note", "C");
	for (i = 0; i < cdop_fields_count; i++) {
		if (cdop_fields[i].kind == CDOP_KIND_ENTRY)
			continue;
		if (cdop_fields[i].group_max == 0)
			wanted++;
		else
			wanted +=
			    cdop_form_entries(s->form, cdop_fields[i].group);
	}
	while (cdop_form_next(&iter, &path)) {
		if (path.field->kind == CDOP_KIND_ENTRY)
			groups++;
		else
			leaves++;
		if (strcmp(path.field->group, "parent") == 0 &&
		    path.field->kind != CDOP_KIND_ENTRY)
			assert_true(path.entry == 5 || path.entry == 2);
	}
	assert_int_equal(leaves, wanted);
	assert_int_equal(groups, 7);
	assert_false(cdop_form_next(&iter, &path));
}

/* Those of all rows that have a state, in their order, and no others. */
static void
assert_said(const Cdop__Form *form, const Cdop__Form *also, size_t wanted)
{
	struct cdop_form_iter all = {.form = form};
	struct cdop_form_iter said = {.form = form, .also = also};
	struct cdop_path path, found;
	size_t n = 0;

	while (cdop_form_next(&all, &path)) {
		if (cdop_form_state(form, &path) == CDOP_VALUE_NOT_ASKED &&
		    (also == NULL ||
			cdop_form_state(also, &path) == CDOP_VALUE_NOT_ASKED))
			continue;
		assert_true(cdop_form_next_said(&said, &found));
		assert_ptr_equal(found.field, path.field);
		assert_int_equal(found.entry, path.entry);
		n++;
	}
	assert_false(cdop_form_next_said(&said, &found));
	assert_int_equal(n, wanted);
}

static void
iteration_of_what_is_said_leaves_out_the_rest(void **state)
{
	struct sample *s = *state;
	Cdop__Form *other = cdop_form_new(s->arena);
	struct cdop_violations v = {NULL, 0, 0};

	assert_said(s->form, NULL, 0);
	sample_put(s, "child.sex", "2");
	sample_put(s, "child.family_name", "D");
	sample_put(s, "birth.date", "#nk");
	sample_put(s, "parent.5.family_name", "A");
	sample_put(s, "parent.2.family_name", "#ws");
	sample_put(s, "parent.1234.first_names", "B");
	sample_put(s, "agency", "#na");
	assert_said(s->form, NULL, 7);
	assert_int_equal(
	    cdop_form_put(other, "mother.family_name", "C", NULL, s->arena, &v),
	    CDOP_OK);
	/* Between two that the other has, in the same group. */
	assert_int_equal(
	    cdop_form_put(other, "child.first_names", "E", NULL, s->arena, &v),
	    CDOP_OK);
	assert_int_equal(cdop_form_put(other, "parent.5.first_names", "#nk",
			     NULL, s->arena, &v),
	    CDOP_OK);
	assert_said(s->form, other, 10);
	assert_said(other, s->form, 8);
}

/* An absence is one of its path alone, whatever paths begin alike. */
static void
each_absence_is_that_of_its_path(void **state)
{
	static const char *const paths[] = {"birth.date", "death.date",
	    "parent.1.family_name", "parent.11.family_name",
	    "parent.1.first_names", "parent"};
	struct sample *s = *state;
	size_t n = sizeof(paths) / sizeof(*paths), i, k;

	for (i = 0; i < n; i++) {
		s->form = cdop_form_new(s->arena);
		sample_put(s, paths[i], "#nk");
		for (k = 0; k < n; k++)
			assert_string_equal(
			    sample_text(s, paths[k]), k == i ? "#nk" : "");
	}
}

static void
a_full_arena_is_said_and_the_form_stays_whole(void **state)
{
	static const char *const values[][2] = {
	    {"parent.1.family_name", "A"},
	    {"birth.date", "2024"},
	    {"parent.1.sex", "#nk"},
	};
	struct cdop_violations found;
	struct cdop_arena *arena;
	Cdop__Form *form;
	enum cdop_err err;
	size_t max;
	size_t i;

	(void)state;
	for (max = 1024; max < 4096; max += 16) {
		assert_int_equal(cdop_arena_new(max, &arena), CDOP_OK);
		memset(&found, 0, sizeof(found));
		form = cdop_form_new(arena);
		for (i = 0; i < 3 && form != NULL; i++) {
			err = cdop_form_put(form, values[i][0], values[i][1],
			    NULL, arena, &found);
			assert_true(
			    err == CDOP_OK || err == CDOP_RESOURCE_EXHAUSTED);
			/* Fits or not, what is there can be read and sent. */
			(void)cdop_form_classes(form);
			assert_true(cdop__form__get_packed_size(form) < 1000);
		}
		cdop_arena_free(arena);
	}
}

int
main(void)
{
#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)
	const struct CMUnitTest tests[] = {
	    T(every_path_is_read_and_written_back),
	    T(a_path_that_names_nothing_is_refused),
	    T(every_kind_has_a_canonical_text),
	    T(what_is_no_value_is_refused_and_changes_nothing),
	    T(no_message_repeats_the_value),
	    T(only_three_words_mean_absence),
	    T(a_lists_own_not_known_has_one_spelling),
	    T(people_read_words),
	    T(text_is_bounded_in_characters_and_narratives_in_bytes),
	    T(an_entry_keeps_its_number),
	    T(a_group_takes_no_more_entries_than_it_may),
	    T(none_of_a_group_is_said_and_taken_back),

	    T(iteration_meets_every_field_once),
	    T(iteration_of_what_is_said_leaves_out_the_rest),
	    T(each_absence_is_that_of_its_path),
	    T(a_full_arena_is_said_and_the_form_stays_whole),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
