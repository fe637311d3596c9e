/* The figures of a breach report, counted from entries of the log. */
#include "client/exposure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/fields.h"
#include "client/csv_out.h"

#define PERSON 31

struct bench {
	struct cdop_arena *arena;
	struct exposure x;
};

static int
setup(void **state)
{
	static struct bench b;

	assert_int_equal(cdop_arena_new(16u << 20, &b.arena), CDOP_OK);
	exposure_init(&b.x, b.arena, PERSON);
	*state = &b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	cdop_arena_free(b->arena);
	return 0;
}

static char *
text(struct bench *b, const char *s)
{
	char *copy = s == NULL ? NULL : cdop_arena_strdup(b->arena, s);

	assert_true(s == NULL || copy != NULL);
	return copy;
}

/* One case that left. */
static Cdop__Released *
released(struct bench *b, const char *reference, uint32_t classes,
    const char *area, const char *jurisdiction)
{
	Cdop__Released *r = cdop_arena_alloc(b->arena, sizeof(*r));

	assert_non_null(r);
	cdop__released__init(r);
	r->reference = text(b, reference);
	r->classes = classes;
	r->owner_area = text(b, area);
	r->jurisdiction = text(b, jurisdiction);
	r->living = cdop_arena_calloc(b->arena, 4, sizeof(*r->living));
	assert_non_null(r->living);
	return r;
}

static void
living(struct bench *b, Cdop__Released *r, const char *kind, uint32_t n)
{
	Cdop__LivingCount *count = cdop_arena_alloc(b->arena, sizeof(*count));

	assert_non_null(count);
	cdop__living_count__init(count);
	count->kind = text(b, kind);
	count->n = n;
	r->living[r->n_living++] = count;
}

/* An entry of the person; r NULL: nothing left. */
static void
add(struct bench *b, const char *call, Cdop__Use use, uint64_t at_ms,
    Cdop__Released *r)
{
	Cdop__AuditEntry e;

	cdop__audit_entry__init(&e);
	e.has_person = true;
	e.person = PERSON;
	e.person_name = text(b, "Wendy Wirral");
	e.call = text(b, call);
	e.has_use = use != 0;
	e.use = use;
	e.at_ms = at_ms;
	e.released = &r;
	e.n_released = r != NULL;
	assert_int_equal(exposure_add(&b->x, &e), CDOP_OK);
}

#define SCREEN CDOP__USE__SCREEN
#define PRINT  CDOP__USE__PRINT
#define WHOLE                                                                  \
	(CDOP_CLASS_CHILD_IDENTITY | CDOP_CLASS_FAMILY_IDENTITY |              \
	    CDOP_CLASS_NARRATIVE | CDOP_CLASS_ADMINISTRATIVE)

static const struct exposure_record *
record(const struct bench *b, const char *reference)
{
	size_t i;

	for (i = 0; i < b->x.n; i++)
		if (strcmp(b->x.record[i]->reference, reference) == 0)
			return b->x.record[i];
	fail_msg("no record %s", reference);
	return NULL;
}

static void
a_child_is_counted_once_and_the_most_of_it(void **state)
{
	struct bench *b = *state;
	const struct exposure_record *r;

	add(b, "CaseList", SCREEN, 300,
	    released(b, "A", CDOP_CLASS_ADMINISTRATIVE, "wirral", "england"));
	add(b, "CaseShow", PRINT, 100,
	    released(b, "A", WHOLE, "wirral", "england"));
	add(b, "CaseShow", SCREEN, 200,
	    released(b, "A", WHOLE, "wirral", "england"));
	add(b, "Ask", SCREEN, 250, released(b, "B", 0, "sefton", "england"));
	add(b, "CaseAmend", 0, 400, released(b, "C", 0, "sefton", "england"));
	add(b, "CaseFind", SCREEN, 50,
	    released(b, "D", CDOP_CLASS_CHILD_IDENTITY | CDOP_CLASS_EXACT_DATE,
		"sefton", "england"));
	assert_int_equal(b->x.n, 4);
	r = record(b, "A");
	assert_int_equal(exposure_depth(r), EXPOSURE_CONTENT);
	assert_int_equal(r->times[EXPOSURE_SCREEN], 2);
	assert_int_equal(r->times[EXPOSURE_COPY], 1);
	assert_int_equal(r->first_ms, 100);
	assert_int_equal(r->last_ms, 300);
	assert_int_equal(exposure_depth(record(b, "B")), EXPOSURE_KNOWN);
	assert_int_equal(exposure_depth(record(b, "C")), EXPOSURE_CHANGED);
	assert_int_equal(exposure_depth(record(b, "D")), EXPOSURE_NAMED);
	assert_int_equal(b->x.first_ms, 50);
	assert_int_equal(b->x.last_ms, 400);
	assert_string_equal(b->x.name, "Wendy Wirral");
}

/* Copies are of what was in them, and the screen of what was on it. */
static void
screen_and_copies_are_apart(void **state)
{
	struct bench *b = *state;
	const struct exposure_record *r;

	add(b, "CaseShow", SCREEN, 1,
	    released(b, "A", CDOP_CLASS_CLINICAL, "wirral", "england"));
	add(b, "CaseShow", CDOP__USE__PROGRAM, 2,
	    released(b, "A", CDOP_CLASS_NARRATIVE, "wirral", "england"));
	add(b, "CaseShow", CDOP__USE__FILE, 3,
	    released(b, "A", CDOP_CLASS_LOCATION, "wirral", "england"));
	r = record(b, "A");
	assert_int_equal(r->classes[EXPOSURE_SCREEN], CDOP_CLASS_CLINICAL);
	assert_int_equal(r->classes[EXPOSURE_COPY],
	    CDOP_CLASS_NARRATIVE | CDOP_CLASS_LOCATION);
}

static void
the_living_are_the_most_of_each_kind_at_once(void **state)
{
	struct exposure_kind kind[EXPOSURE_KINDS_MAX];
	struct bench *b = *state;
	Cdop__Released *r;
	size_t n;

	r = released(b, "A", WHOLE, "wirral", "england");
	living(b, r, "parent", 2);
	add(b, "CaseShow", SCREEN, 1, r);
	r = released(b, "A", WHOLE, "wirral", "england");
	living(b, r, "parent", 1);
	living(b, r, "professional", 3);
	add(b, "CaseShow", SCREEN, 2, r);
	r = released(b, "B", WHOLE, "wirral", "england");
	living(b, r, "parent", 4);
	add(b, "CaseShow", SCREEN, 3, r);
	n = exposure_living(&b->x, kind);
	assert_int_equal(n, 2);
	assert_string_equal(kind[0].kind, "parent");
	assert_int_equal(kind[0].n, 2 + 4);
	assert_int_equal(kind[1].n, 3);
	assert_int_equal(exposure_sum(kind, n), 9);
}

/* A case that was given away between two looks is of both. */
static void
jurisdictions_are_those_of_the_time(void **state)
{
	struct bench *b = *state;
	const struct exposure_record *r;

	add(b, "CaseShow", SCREEN, 1,
	    released(b, "A", WHOLE, "wirral", "england"));
	add(b, "CaseShow", SCREEN, 2,
	    released(b, "A", WHOLE, "isle-of-man", "isle-of-man"));
	add(b, "CaseShow", SCREEN, 3, released(b, "B", WHOLE, NULL, NULL));
	r = record(b, "A");
	assert_true(exposure_was_in(r, "england", NULL));
	assert_true(exposure_was_in(r, "isle-of-man", NULL));
	assert_true(exposure_was_in(r, NULL, "wirral"));
	assert_false(exposure_was_in(r, "england", "isle-of-man"));
	assert_true(exposure_was_in(record(b, "B"), "", NULL));
	assert_string_equal(b->x.jurisdiction->word, "england");
	assert_string_equal(b->x.jurisdiction->next->word, "isle-of-man");
	assert_string_equal(b->x.jurisdiction->next->next->word, "");
	assert_null(b->x.jurisdiction->next->next->next);
}

static void
searches_and_refusals_are_counted(void **state)
{
	struct bench *b = *state;
	Cdop__Released *candidate;
	Cdop__AuditEntry e;

	add(b, "Ask", SCREEN, 1, NULL);
	add(b, "CaseFind", SCREEN, 2, NULL);
	add(b, "Ask", SCREEN, 3, released(b, "A", 0, "wirral", "england"));
	cdop__audit_entry__init(&e);
	e.has_person = true;
	e.person = PERSON;
	e.call = text(b, "CaseFind");
	e.answered = CDOP_INVALID_ARGUMENT;
	assert_int_equal(exposure_add(&b->x, &e), CDOP_OK);
	assert_int_equal(b->x.searches, 3);
	assert_int_equal(b->x.searches_empty, 2);
	assert_int_equal(b->x.refused, 1);
	/* Refused with candidates: they were shown. */
	e.call = text(b, "NotificationRegister");
	e.answered = CDOP_FAILED_PRECONDITION;
	candidate =
	    released(b, "Z", CDOP_CLASS_CHILD_IDENTITY, "wirral", "england");
	e.released = &candidate;
	e.n_released = 1;
	assert_int_equal(exposure_add(&b->x, &e), CDOP_OK);
	assert_int_equal(exposure_depth(record(b, "Z")), EXPOSURE_NAMED);
	/* Whoever was only the second person read nothing by that. */
	e.person = PERSON + 1;
	e.has_second_person = true;
	e.second_person = PERSON;
	candidate = released(b, "Y", WHOLE, "wirral", "england");
	e.released = &candidate;
	assert_int_equal(exposure_add(&b->x, &e), CDOP_OK);
	assert_int_equal(b->x.n, 2);
}

static void
many_records_are_kept_apart(void **state)
{
	struct bench *b = *state;
	char reference[16];
	unsigned i, round;

	for (round = 0; round < 2; round++)
		for (i = 0; i < 3000; i++) {
			(void)snprintf(reference, sizeof(reference), "T-%u", i);
			add(b, "CaseShow", SCREEN, 1,
			    released(b, reference, WHOLE, "wirral", "england"));
		}
	assert_int_equal(b->x.n, 3000);
	for (i = 0; i < 3000; i += 500) {
		(void)snprintf(reference, sizeof(reference), "T-%u", i);
		assert_int_equal(
		    record(b, reference)->times[EXPOSURE_SCREEN], 2);
	}
}

/* ---- CSV ---------------------------------------------------------------- */

/* No record is named: all of them are in it. */
static void
backups_are_counted_once_each(void **state)
{
	struct bench *b = *state;
	Cdop__AuditEntry e;
	int i;

	add(b, "BackupCreate", 0, 1, NULL);
	add(b, "BackupList", 0, 2, NULL);
	add(b, "BackupCreate", 0, 3, NULL);
	cdop__audit_entry__init(&e);
	e.has_person = true;
	e.person = PERSON;
	e.call = text(b, "BackupCreate");
	e.has_count = true; /* a piece of one that goes on */
	for (i = 0; i < 5; i++)
		assert_int_equal(exposure_add(&b->x, &e), CDOP_OK);
	e.has_count = false;
	e.answered = CDOP_FAILED_PRECONDITION;
	assert_int_equal(exposure_add(&b->x, &e), CDOP_OK);
	assert_int_equal(b->x.backups, 2);
}

static void
no_cell_begins_a_formula(void **state)
{
	static const char *const cells[] = {"=1+1", "+44", "-2", "@SUM(A1)",
	    "\t=1", "\r=1", "=\"x\"", "plain", "a,b", "a\"b", "", NULL, "'=1",
	    " \xc2\xa0=1", "O'Neill"};
	static const char wanted[] =
	    "\"'=1+1\",\"'+44\",\"'-2\",\"'@SUM(A1)\",\"'\t=1\",\"'\r=1\","
	    "\"'=\"\"x\"\"\",\"plain\",\"a,b\",\"a\"\"b\",\"\",\"\","
	    "\"''=1\",\"' \xc2\xa0=1\",\"O'Neill\"\r\n";
	char *written = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&written, &len);

	(void)state;
	assert_non_null(to);
	csv_out_line(to, cells, sizeof(cells) / sizeof(cells[0]));
	assert_int_equal(fclose(to), 0);
	assert_string_equal(written, wanted);
	free(written);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_child_is_counted_once_and_the_most_of_it),
	    TEST(screen_and_copies_are_apart),
	    TEST(the_living_are_the_most_of_each_kind_at_once),
	    TEST(jurisdictions_are_those_of_the_time),
	    TEST(searches_and_refusals_are_counted),
	    TEST(backups_are_counted_once_each),
	    TEST(many_records_are_kept_apart),
	    cmocka_unit_test(no_cell_begins_a_formula),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
