/* Two forms: differences, conflicts, merging; and redaction by class. */
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

static bool
has_path(const struct cdop_paths *paths, const char *path)
{
	size_t i;

	for (i = 0; i < paths->n; i++) {
		if (strcmp(paths->path[i], path) == 0)
			return true;
	}
	return false;
}

static void
put(struct sample *s, Cdop__Form *form, const char *path, const char *typed)
{
	struct cdop_violations found = {0};

	assert_int_equal(
	    cdop_form_put(form, path, typed, s->profile, s->arena, &found),
	    CDOP_OK);
}

static void
a_copy_differs_in_nothing(void **state)
{
	struct sample *s = *state;
	struct cdop_paths paths;
	Cdop__Form *copy;

	sample_fill(s);
	sample_put(s, "parent.2.family_name", "Second");
	sample_put(s, "child.nhs_number", "#nk");
	sample_put(s, "agency", "#na");
	copy = cdop_form_copy(s->form, s->arena);
	assert_non_null(copy);
	assert_int_equal(
	    cdop_form_diff(s->form, copy, s->arena, &paths), CDOP_OK);
	assert_int_equal(paths.n, 0);
	/* And it shares nothing. */
	put(s, copy, "child.first_names", "Other");
	assert_string_equal(sample_text(s, "child.first_names"), "Ada");
}

static void
a_copy_has_what_a_newer_schema_put_there(void **state)
{
	uint8_t bytes[] = {1, 2, 3};
	ProtobufCMessageUnknownField newer = {.tag = 900,
	    .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
	    .len = sizeof(bytes),
	    .data = bytes};
	struct sample *s = *state;
	uint8_t *packed, *again;
	Cdop__Form *copy;
	size_t len;

	sample_fill(s);
	sample_put(s, "parent.1.family_name", "First");
	sample_put(s, "parent.7.family_name", "Second");
	s->form->parent[1]->base.unknown_fields = &newer;
	s->form->parent[1]->base.n_unknown_fields = 1;
	len = cdop__form__get_packed_size(s->form);
	packed = cdop_arena_alloc(s->arena, len);
	again = cdop_arena_alloc(s->arena, len);
	assert_int_equal(cdop__form__pack(s->form, packed), len);
	copy = cdop_form_copy(s->form, s->arena);
	assert_non_null(copy);
	/* And shares nothing. */
	memset(bytes, 9, sizeof(bytes));
	s->form->parent[0] = NULL;
	s->form->child->first_names[0] = 'X';
	assert_int_equal(cdop__form__get_packed_size(copy), len);
	assert_int_equal(cdop__form__pack(copy, again), len);
	assert_memory_equal(packed, again, len);
}

static void
without_memory_there_is_no_copy(void **state)
{
	uint8_t bytes[] = {1, 2, 3};
	ProtobufCMessageUnknownField newer = {.tag = 900,
	    .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
	    .len = sizeof(bytes),
	    .data = bytes};
	struct sample *s = *state;
	struct cdop_arena *small;
	size_t budget, needed;

	sample_put(s, "child.first_names", "Ada");
	sample_put(s, "birth.date", "2024");
	sample_put(s, "parent.1.family_name", "First");
	s->form->birth->base.unknown_fields = &newer;
	s->form->birth->base.n_unknown_fields = 1;
	assert_int_equal(cdop_arena_new(1u << 20, &small), CDOP_OK);
	assert_non_null(cdop_form_copy(s->form, small));
	needed = cdop_arena_used(small);
	for (budget = 1; budget < needed; budget++) {
		cdop_arena_reset(small);
		cdop_arena_set_budget(small, budget);
		assert_null(cdop_form_copy(s->form, small));
	}
	cdop_arena_free(small);
}

static void
a_difference_is_named_by_its_path(void **state)
{
	struct sample *s = *state;
	struct cdop_paths paths;
	Cdop__Form *other;

	sample_fill(s);
	sample_put(s, "parent.1.family_name", "Same");
	other = cdop_form_copy(s->form, s->arena);
	put(s, other, "birth.date", "~05/2024");
	put(s, other, "child.sex", "#nk");
	put(s, other, "coroner.told", "yes");
	put(s, other, "parent.4.sex", "1");
	sample_put(s, "parent.3.family_name", "Gone");
	assert_int_equal(
	    cdop_form_diff(s->form, other, s->arena, &paths), CDOP_OK);
	assert_int_equal(paths.n, 5);
	assert_true(has_path(&paths, "birth.date"));
	assert_true(has_path(&paths, "child.sex"));
	assert_true(has_path(&paths, "coroner.told"));
	assert_true(has_path(&paths, "parent.3.family_name"));
	assert_true(has_path(&paths, "parent.4.sex"));
}

/* As a record has them that is made of its notification. */
static void
groups_that_are_shared_are_compared_by_what_is_absent(void **state)
{
	struct sample *s = *state;
	struct cdop_paths paths;
	Cdop__Form other;

	sample_fill(s);
	sample_put(s, "parent.1.family_name", "Same");
	sample_put(s, "child.nhs_number", "#nk");
	sample_put(s, "parent.1.first_names", "#nk");
	sample_put(s, "agency", "#na");
	other = *s->form;
	assert_int_equal(
	    cdop_form_diff(s->form, &other, s->arena, &paths), CDOP_OK);
	assert_int_equal(paths.n, 0);
	other.n_absent = 0;
	assert_int_equal(
	    cdop_form_diff(s->form, &other, s->arena, &paths), CDOP_OK);
	assert_int_equal(paths.n, 3);
	assert_true(has_path(&paths, "child.nhs_number"));
	assert_true(has_path(&paths, "parent.1.first_names"));
	assert_true(has_path(&paths, "agency"));
	other.received = NULL;
	other.n_parent = 0;
	put(s, s->form, "received.sender_reference", "S1");
	assert_int_equal(
	    cdop_form_diff(&other, s->form, s->arena, &paths), CDOP_OK);
	assert_true(has_path(&paths, "received.sender_reference"));
	assert_true(has_path(&paths, "parent.1.family_name"));
}

static void
a_merge_changes_what_is_said_and_no_more(void **state)
{
	struct sample *s = *state;
	Cdop__Form *change = cdop_form_new(s->arena);

	sample_fill(s);
	sample_put(s, "mother.phone", "#nk");
	sample_put(s, "agency", "#nk");
	put(s, change, "child.first_names", "Ada Maria");
	put(s, change, "child.sex", "#ws");
	put(s, change, "mother.phone", "0151 496 0999");
	put(s, change, "parent.2.family_name", "New");
	put(s, change, "agency.1.agency", "RBS");
	put(s, change, "birth.weight_grams", "850");
	assert_int_equal(cdop_form_merge(s->form, change, s->arena), CDOP_OK);
	assert_string_equal(sample_text(s, "child.first_names"), "Ada Maria");
	assert_string_equal(sample_text(s, "child.sex"), "#ws");
	assert_string_equal(sample_text(s, "mother.phone"), "0151 496 0999");
	assert_string_equal(sample_text(s, "parent.2.family_name"), "New");
	assert_string_equal(sample_text(s, "agency"), "");
	assert_string_equal(sample_text(s, "birth.weight_grams"), "850");
	assert_string_equal(sample_text(s, "birth.date"), "2024-05-14");
	sample_finds_nothing(s);
	/* The change is not part of it. */
	put(s, change, "child.first_names", "Else");
	assert_string_equal(sample_text(s, "child.first_names"), "Ada Maria");
}

static void
every_field_is_redacted_by_its_class_alone(void **state)
{
	struct sample *s = *state;
	uint32_t bit;
	Cdop__Form *form;

	sample_fill(s);
	sample_put(s, "child.address", "1 High Street");
	sample_put(s, "circumstances.narrative", "Found at six.");
	sample_put(s, "coroner.told", "yes");
	sample_put(s, "jar.started", "yes");
	sample_put(s, "mother.family_name", "Mother");
	sample_put(s, "birth.weight_grams", "850");
	sample_put(s, "child.known_as", "#ws");
	assert_int_equal(cdop_form_classes(s->form), CDOP_CLASS_ALL);
	for (bit = 1; bit <= 10; bit++) {
		form = cdop_form_copy(s->form, s->arena);
		cdop_form_redact(form, CDOP_CLASS_ALL & ~(1u << bit));
		assert_int_equal(
		    cdop_form_classes(form), CDOP_CLASS_ALL & ~(1u << bit));
		form = cdop_form_copy(s->form, s->arena);
		cdop_form_redact(form, 1u << bit);
		assert_int_equal(cdop_form_classes(form), 1u << bit);
		assert_int_equal(
		    form->n_absent, bit == 1 ? 1 : 0); /* known_as */
	}
	form = cdop_form_copy(s->form, s->arena);
	cdop_form_redact(form, 0);
	assert_int_equal(cdop_form_classes(form), 0);
}

static void
a_protected_address_needs_safeguarding_too(void **state)
{
	static const char *const marked[] = {
	    "child.address", "child.school", "parent.2.postcode"};
	struct sample *s = *state;
	Cdop__Form *form;
	size_t i;

	sample_put(s, "child.address", "1 High Street");
	sample_put(s, "child.school", "A school");
	sample_put(s, "child.address_protected", "yes");
	sample_put(s, "parent.1.postcode", "L1 8JQ");
	sample_put(s, "parent.2.postcode", "L1 8JQ");
	sample_put(s, "parent.2.address_protected", "yes");
	form = cdop_form_copy(s->form, s->arena);
	cdop_form_redact(form, CDOP_CLASS_ALL & ~CDOP_CLASS_SAFEGUARDING);
	for (i = 0; i < sizeof(marked) / sizeof(*marked); i++)
		assert_false(cdop_form_has(form, marked[i]));
	assert_true(cdop_form_has(form, "parent.1.postcode"));
	form = cdop_form_copy(s->form, s->arena);
	cdop_form_redact(form, CDOP_CLASS_LOCATION | CDOP_CLASS_SAFEGUARDING);
	for (i = 0; i < sizeof(marked) / sizeof(*marked); i++)
		assert_true(cdop_form_has(form, marked[i]));
}

static void
a_raised_value_needs_both_classes(void **state)
{
	struct sample *s = *state;
	Cdop__Raised *list[1];
	Cdop__Raised mark;
	Cdop__Form *form;

	cdop__raised__init(&mark);
	mark.path = cdop_arena_strdup(s->arena, "mother.phone");
	mark.data_class = CDOP__DATA_CLASS__POLICE_CORONER;
	list[0] = &mark;
	sample_put(s, "mother.phone", "0151 496 0999");
	s->form->raised = list;
	s->form->n_raised = 1;
	assert_int_equal(cdop_form_classes(s->form),
	    CDOP_CLASS_FAMILY_IDENTITY | CDOP_CLASS_POLICE_CORONER);
	form = cdop_form_copy(s->form, s->arena);
	cdop_form_redact(form, CDOP_CLASS_FAMILY_IDENTITY);
	assert_false(cdop_form_has(form, "mother.phone"));
	assert_int_equal(form->n_raised, 0);
	/* A merge keeps the mark, once. */
	form = cdop_form_new(s->arena);
	assert_int_equal(cdop_form_merge(form, s->form, s->arena), CDOP_OK);
	assert_int_equal(cdop_form_merge(form, s->form, s->arena), CDOP_OK);
	assert_int_equal(form->n_raised, 1);
	sample_finds_nothing(s);
	mark.path = cdop_arena_strdup(s->arena, "mother.nothing");
	sample_finds(s, "", "raised.path", CDOP_SEVERITY_ERROR);
}

static enum cdop_err
raise_at(struct sample *s, const char *path)
{
	struct cdop_path at;

	assert_int_equal(cdop_form_path_parse(path, &at), CDOP_OK);
	return cdop_form_raise_at(
	    s->form, &at, CDOP__DATA_CLASS__SAFEGUARDING, s->arena);
}

static void
a_value_is_raised_by_its_path_and_gets_its_entry(void **state)
{
	struct sample *s = *state;
	unsigned max = cdop_fields_group("parent")->group_max, i;
	char path[32];

	assert_int_equal(raise_at(s, "mother.phone"), CDOP_OK);
	assert_int_equal(raise_at(s, "mother.phone"), CDOP_OK);
	assert_int_equal(s->form->n_raised, 1);
	assert_int_equal(raise_at(s, "parent.7.phone"), CDOP_OK);
	assert_int_equal(cdop_form_entry_number(s->form, "parent", 0), 7);
	/* A group as a whole has no class, and only so many entries fit. */
	assert_int_equal(raise_at(s, "parent"), CDOP_INVALID_ARGUMENT);
	for (i = 1; i <= max; i++) {
		(void)snprintf(path, sizeof(path), "parent.%u.phone", 100 + i);
		assert_int_equal(raise_at(s, path),
		    i < max ? CDOP_OK : CDOP_INVALID_ARGUMENT);
	}
	sample_finds_nothing(s);
}

int
main(void)
{
#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)
	const struct CMUnitTest tests[] = {
	    T(a_copy_differs_in_nothing),
	    T(a_copy_has_what_a_newer_schema_put_there),
	    T(without_memory_there_is_no_copy),
	    T(a_difference_is_named_by_its_path),
	    T(groups_that_are_shared_are_compared_by_what_is_absent),
	    T(a_merge_changes_what_is_said_and_no_more),
	    T(every_field_is_redacted_by_its_class_alone),
	    T(a_protected_address_needs_safeguarding_too),
	    T(a_raised_value_needs_both_classes),
	    T(a_value_is_raised_by_its_path_and_gets_its_entry),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
