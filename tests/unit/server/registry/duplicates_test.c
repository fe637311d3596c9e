/* The duplicate rule: what comes into question, why, and what does not. */
#include "server/registry/duplicates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"

struct bench {
	struct cdop_arena *arena;
	struct undo *undo;
	struct index *index;
	uint64_t next;
};

static int
setup(void **state)
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	if (cdop_arena_new(16u << 20, &bench.arena) != CDOP_OK ||
	    undo_new(1u << 16, &bench.undo) != CDOP_OK ||
	    index_new(bench.undo, &bench.index) != CDOP_OK)
		return -1;
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	index_free(b->index);
	undo_free(b->undo);
	cdop_arena_free(b->arena);
	return 0;
}

/* What is known of a child; "" for nothing. */
struct who {
	const char *nhs, *family, *mother, *birth, *death;
};

static char **
list(struct bench *b, const char *text, size_t *ret_n)
{
	char **v = cdop_arena_calloc(b->arena, 1, sizeof(*v));

	*ret_n = text == NULL ? 0 : 1;
	if (text != NULL)
		v[0] = cdop_arena_strdup(b->arena, text);
	return v;
}

/* A case in the index; its slot. */
static uint32_t
put(struct bench *b, struct who who)
{
	Cdop__StoredSummary s;
	struct index_post *post;
	uint32_t slot;

	cdop__stored_summary__init(&s);
	s.case_id = ++b->next;
	s.reference = cdop_arena_strdup(b->arena, "unused");
	s.owner_area = cdop_arena_strdup(b->arena, "wirral");
	s.status = cdop_arena_strdup(b->arena, "received");
	s.nhs_number = list(b, who.nhs, &s.n_nhs_number);
	s.family_name = list(b, who.family, &s.n_family_name);
	s.mother_name = list(b, who.mother, &s.n_mother_name);
	s.birth_date = list(b, who.birth, &s.n_birth_date);
	s.death_date = list(b, who.death, &s.n_death_date);
	s.has_nameless = s.nameless = who.family == NULL;
	assert_int_equal(
	    index_make_post(b->index, &s, s.case_id, b->arena, &post), CDOP_OK);
	assert_int_equal(index_put(b->index, post, NULL, 0), CDOP_OK);
	assert_true(index_by_case(b->index, s.case_id, &slot));
	return slot;
}

static Cdop__Form *
form(struct bench *b, struct who who)
{
	const char *const field[][2] = {{"child.nhs_number", who.nhs},
	    {"child.family_name", who.family},
	    {"mother.family_name", who.mother}, {"birth.date", who.birth},
	    {"death.date", who.death}};
	struct cdop_violations violations = {0};
	Cdop__Form *f = cdop_form_new(b->arena);
	size_t i;

	for (i = 0; i < 5; i++)
		if (field[i][1] != NULL)
			assert_int_equal(
			    cdop_form_put(f, field[i][0], field[i][1], NULL,
				b->arena, &violations),
			    CDOP_OK);
	return f;
}

static struct duplicates_list
find(struct bench *b, struct who who)
{
	struct duplicates_child child;
	struct duplicates_list found;

	assert_int_equal(
	    duplicates_of_form(form(b, who), b->arena, &child), CDOP_OK);
	assert_int_equal(
	    duplicates_find(b->index, &child, 0, b->arena, &found), CDOP_OK);
	return found;
}

static void
finds(struct bench *b, struct who who, const char *reason)
{
	struct duplicates_list found = find(b, who);

	assert_int_equal(found.n, 1);
	assert_string_equal(found.hit[0].reason[0], reason);
}

static void
finds_nothing(struct bench *b, struct who who)
{
	assert_int_equal(find(b, who).n, 0);
}

static void
a_number_is_enough(void **state)
{
	struct bench *b = *state;

	(void)put(b, (struct who){.nhs = "9990000018", .family = "Smith"});
	finds(b, (struct who){.nhs = "9990000018", .family = "Jones"},
	    "same NHS number");
	finds_nothing(b, (struct who){.nhs = "9990000026"});
	finds_nothing(b, (struct who){.family = "Smith"});
}

static void
a_name_wants_a_date_within_a_day(void **state)
{
	struct bench *b = *state;

	(void)put(b,
	    (struct who){.family = "O'Shea",
		.birth = "2024-05-14",
		.death = "2026-11-21"});
	finds(b, (struct who){.family = "OSHEA", .death = "2026-11-21"},
	    "family name, date of death +0");
	finds(b, (struct who){.family = "o shea", .death = "2026-11-22"},
	    "family name, date of death +1");
	finds(b,
	    (struct who){.family = "O\xe2\x80\x99Shea", .birth = "2024-05-13"},
	    "family name, date of birth +1");
	finds_nothing(
	    b, (struct who){.family = "O'Shea", .death = "2026-11-23"});
	finds_nothing(b, (struct who){.family = "O'Shea"});
	/* Births are not compared with deaths. */
	finds_nothing(
	    b, (struct who){.family = "O'Shea", .birth = "2026-11-21"});
	finds_nothing(b, (struct who){.family = "Shea", .death = "2026-11-21"});
}

static void
any_reading_of_a_partial_date_counts(void **state)
{
	struct bench *b = *state;

	(void)put(b, (struct who){.family = "Vague", .death = "2026-11"});
	finds(b, (struct who){.family = "Vague", .death = "2026-11-30"},
	    "family name, date of death +0");
	finds(b, (struct who){.family = "Vague", .death = "2026-12-01"},
	    "family name, date of death +1");
	finds(b, (struct who){.family = "Vague", .death = "2026"},
	    "family name, date of death +0");
	finds_nothing(
	    b, (struct who){.family = "Vague", .death = "2026-12-02"});
	finds(b, (struct who){.family = "Vague", .death = "~2025"},
	    "family name, date of death +0");
}

static void
the_mothers_name_stands_for_a_nameless_child(void **state)
{
	struct bench *b = *state;
	struct who baby = {.mother = "Tarrant", .birth = "2026-11-21"};

	(void)put(b, baby);
	finds(b, baby, "mother's name, date of birth +0");
	/* Named since: the child bears the mother's name. */
	finds(b, (struct who){.family = "Tarrant", .birth = "2026-11-21"},
	    "mother's name, date of birth +0");
	/* Named since, after the father: the mother's name is the same. */
	finds(b,
	    (struct who){
		.family = "Other", .mother = "Tarrant", .birth = "2026-11-21"},
	    "mother's name, date of birth +0");
}

/* Two children with names are not compared by their mothers. */
static void
mothers_of_named_children_are_not_compared(void **state)
{
	struct bench *b = *state;

	(void)put(b,
	    (struct who){
		.family = "Ash", .mother = "Tarrant", .birth = "2026-11-21"});
	finds_nothing(b,
	    (struct who){
		.family = "Oak", .mother = "Tarrant", .birth = "2026-11-21"});
	finds_nothing(
	    b, (struct who){.family = "Tarrant", .birth = "2026-11-21"});
}

/* The hospital's name and the registrar's; both ways round. */
static void
a_whole_name_may_be_part_of_the_others(void **state)
{
	struct bench *b = *state;

	(void)put(
	    b, (struct who){.family = "Smith-Jones", .death = "2026-11-21"});
	finds(b, (struct who){.family = "Jones", .death = "2026-11-22"},
	    "part of the family name, date of death +1");
	finds(b, (struct who){.family = "SMITH", .death = "2026-11-21"},
	    "part of the family name, date of death +0");
	finds_nothing(b, (struct who){.family = "Jones"});
	finds_nothing(b, (struct who){.family = "Jon", .death = "2026-11-21"});
	(void)put(b, (struct who){.family = "Cruz", .birth = "2024-05-14"});
	finds(b, (struct who){.family = "de la Cruz", .birth = "2024-05-14"},
	    "part of the family name, date of birth +0");
	/* Two names that share a part are two names. */
	finds_nothing(
	    b, (struct who){.family = "Jones-Brown", .death = "2026-11-21"});
	finds_nothing(
	    b, (struct who){.family = "de la Torre", .birth = "2024-05-14"});
}

static void
so_may_the_mothers_of_a_nameless_child(void **state)
{
	struct bench *b = *state;

	(void)put(
	    b, (struct who){.mother = "Ash-Tarrant", .birth = "2026-11-21"});
	finds(b, (struct who){.mother = "Tarrant", .birth = "2026-11-21"},
	    "part of the mother's name, date of birth +0");
	finds(b, (struct who){.family = "Tarrant", .birth = "2026-11-21"},
	    "part of the mother's name, date of birth +0");
	finds_nothing(b,
	    (struct who){
		.family = "Oak", .mother = "Ash-Oak", .birth = "2026-11-21"});
	/* The other way round: the case has the one name, we have two. */
	(void)put(b, (struct who){.mother = "Elm", .birth = "2026-10-01"});
	finds(b, (struct who){.mother = "Yew-Elm", .birth = "2026-10-01"},
	    "part of the mother's name, date of birth +0");
	finds(b, (struct who){.family = "Yew-Elm", .birth = "2026-10-01"},
	    "part of the mother's name, date of birth +0");
}

/* More parts, and more names, than are kept. */
static void
parts_are_bounded(void **state)
{
	struct duplicates_child child;
	struct bench *b = *state;
	char many[400] = "aa";
	const struct index_post *post;
	struct index_term term = {.text = NULL};
	size_t i, n = 0;

	for (i = 1; i < 60; i++)
		(void)snprintf(many + 3 * i - 1, sizeof(many) - 3 * i, " %c%c",
		    (int)('a' + i % 26), (int)('a' + i / 26));
	post = index_at(b->index,
	    put(b, (struct who){.family = many, .death = "2026-11-21"}));
	while (index_post_term(post, &term))
		n += term.kind == INDEX_PART;
	assert_int_equal(n, INDEX_PARTS_MAX);
	assert_int_equal(
	    duplicates_of_form(
		form(b, (struct who){.family = many}), b->arena, &child),
	    CDOP_OK);
	assert_int_equal(child.n_part, INDEX_PARTS_MAX);
}

static void
each_case_is_named_once_with_all_its_reasons(void **state)
{
	struct who who = {.nhs = "9990000018",
	    .family = "Twin",
	    .mother = "Twin",
	    .birth = "2026-11-20",
	    .death = "2026-11-21"};
	struct duplicates_list found;
	struct bench *b = *state;

	(void)put(b, who);
	who.nhs = "9990000026";
	(void)put(b, who);
	found = find(b, who);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.hit[0].n_reason + found.hit[1].n_reason, 3 + 2);
}

static void
children_called_null_are_children(void **state)
{
	struct bench *b = *state;

	(void)put(b, (struct who){.family = "Null", .death = "2026-11-21"});
	finds(b, (struct who){.family = "NULL", .death = "2026-11-21"},
	    "family name, date of death +0");
	(void)put(b, (struct who){.family = "---", .death = "2026-11-21"});
	finds_nothing(b, (struct who){.family = "'", .death = "2026-11-21"});
}

static void
a_form_and_its_case_compare_alike(void **state)
{
	struct who who = {
	    .family = "Mirror", .birth = "2024-05", .death = "2026-11-21"};
	struct duplicates_child child;
	struct duplicates_hit hit;
	struct bench *b = *state;
	uint32_t one = put(b, who), two = put(b, who);

	duplicates_of_post(index_at(b->index, one), &child);
	assert_true(duplicates_compare(&child, index_at(b->index, two), &hit));
	assert_int_equal(hit.n_reason, 2);
}

int
main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    FRESH(a_number_is_enough),
	    FRESH(a_name_wants_a_date_within_a_day),
	    FRESH(any_reading_of_a_partial_date_counts),
	    FRESH(the_mothers_name_stands_for_a_nameless_child),
	    FRESH(mothers_of_named_children_are_not_compared),
	    FRESH(a_whole_name_may_be_part_of_the_others),
	    FRESH(so_may_the_mothers_of_a_nameless_child),
	    FRESH(parts_are_bounded),
	    FRESH(each_case_is_named_once_with_all_its_reasons),
	    FRESH(children_called_null_are_children),
	    FRESH(a_form_and_its_case_compare_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
