/*
 * PROTOCOL.md against the program: the rules of a form, and how a case
 * reference is made.  With --print it writes the table PROTOCOL.md holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/form.h"
#include "cdop/reference.h"
#include "tests/unit/paper.h"

#define PAPER    "proto/PROTOCOL.md"
#define BEGIN    "<!-- form rules: compared with the program by a test -->\n"
#define END      "<!-- end of form rules -->\n"
#define LIVE     "K7M4-QX2Q"
#define TRAINING "T-K7M4-QX23"

static void
render(char *out, size_t size)
{
	const struct cdop_rule *rule;
	int at;

	at = snprintf(out, size,
	    "| rule | severity | what it says |\n"
	    "| --- | --- | --- |\n");
	for (rule = cdop_form_rules; rule->id != NULL; rule++) {
		assert_true(at > 0 && (size_t)at < size);
		at += snprintf(out + at, size - (size_t)at,
		    "| `%s` | %s | %s |\n", rule->id,
		    rule->severity == CDOP_SEVERITY_ERROR ? "ERROR" : "WARNING",
		    rule->words);
	}
	assert_true(at > 0 && (size_t)at < size);
}

static void
the_paper_has_the_rules_of_the_program(void **state)
{
	static char table[32768];

	(void)state;
	render(table, sizeof(table));
	paper_has(PAPER, BEGIN, END, table);
}

static void
no_rule_stands_twice(void **state)
{
	const struct cdop_rule *a, *b;

	(void)state;
	for (a = cdop_form_rules; a->id != NULL; a++)
		for (b = a + 1; b->id != NULL; b++)
			assert_string_not_equal(a->id, b->id);
}

/* The check symbol as the paper has it, and not as the program. */
static char
check_of(const char *seven, unsigned want)
{
	static const char list[] = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned weight = 1, sum = 0;
	size_t i;

	for (i = 0; i < 7; i++, weight = weight * 3 % 31)
		sum += weight * (unsigned)(strchr(list, seven[i]) - list);
	return list[11 * (want + 31 - sum % 31) % 31];
}

static void
a_reference_is_made_as_the_paper_says(void **state)
{
	char text[CDOP_REFERENCE_TEXT], other[CDOP_REFERENCE_TEXT], *paper;
	uint64_t number, training;

	(void)state;
	paper = paper_read(PAPER);
	assert_non_null(strstr(paper, "\n    " LIVE " "));
	assert_non_null(strstr(paper, "\n    " TRAINING " "));
	free(paper);
	assert_int_equal(
	    cdop_reference_parse(LIVE, false, text, &number), CDOP_OK);
	assert_int_equal(
	    cdop_reference_parse(TRAINING, true, other, &training), CDOP_OK);
	assert_int_equal(number, training);
	assert_true(cdop_reference_make(number, false, text));
	assert_string_equal(text, LIVE);
	assert_true(cdop_reference_make(number, true, text));
	assert_string_equal(text, TRAINING);
	assert_int_equal(check_of("K7M4QX2", 1), LIVE[8]);
	assert_int_equal(check_of("K7M4QX2", 2), TRAINING[10]);
	assert_int_equal(
	    cdop_reference_parse(&TRAINING[2], false, text, &number),
	    CDOP_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
	static char table[32768];
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_paper_has_the_rules_of_the_program),
	    cmocka_unit_test(no_rule_stands_twice),
	    cmocka_unit_test(a_reference_is_made_as_the_paper_says),
	};

	if (argc > 1 && strcmp(argv[1], "--print") == 0) {
		render(table, sizeof(table));
		(void)fputs(table, stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
