/* The table of row kinds is the one in server/DESIGN.md. */
#include "server/store/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The directory that the test was started in, or one above it. */
static FILE *
open_design(void)
{
	static const char *const paths[] = {"server/DESIGN.md",
	    "../server/DESIGN.md", "../../server/DESIGN.md",
	    "../../../server/DESIGN.md"};
	FILE *file;
	size_t i;

	file = NULL;
	for (i = 0; file == NULL && i < 4; i++)
		file = fopen(paths[i], "re");
	return file;
}

static void
the_paper_and_the_program_have_the_same_kinds(void **state)
{
	const struct schema_row *rows;
	char line[512], name[32], scope[32];
	unsigned int kind;
	bool inside;
	size_t n, seen;
	FILE *file;

	(void)state;
	file = open_design();
	assert_non_null(file);
	rows = schema_all(&n);
	inside = false;
	seen = 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "## ", 3) == 0)
			inside = strncmp(line, "## Row kinds", 12) == 0;
		if (!inside ||
		    sscanf(line, "| %u | %31[A-Z_] | %31[A-Z_] |", &kind, name,
			scope) != 3)
			continue;
		assert_true(seen < n);
		assert_int_equal(rows[seen].kind, kind);
		assert_string_equal(rows[seen].name, name);
		assert_string_equal(schema_scope_name(rows[seen].scope), scope);
		seen++;
	}
	(void)fclose(file);
	assert_int_equal(seen, n);
}

static void
a_start_passes_over_log_and_search_and_nothing_else(void **state)
{
	const struct schema_row *rows;
	size_t i, n;

	(void)state;
	rows = schema_all(&n);
	for (i = 0; i < n; i++)
		assert_int_equal(rows[i].starts_read,
		    rows[i].scope != SCHEMA_LOG &&
			rows[i].scope != SCHEMA_SEARCH);
}

static void
a_kind_is_found_by_its_number(void **state)
{
	(void)state;
	assert_string_equal(schema_find(SCHEMA_KIND_SUMMARY)->name, "SUMMARY");
	assert_null(schema_find(0));
	assert_null(schema_find(200));
	assert_null(schema_find(255));
	assert_string_equal(schema_scope_name((enum schema_scope)0), "UNKNOWN");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_paper_and_the_program_have_the_same_kinds),
	    cmocka_unit_test(
		a_start_passes_over_log_and_search_and_nothing_else),
	    cmocka_unit_test(a_kind_is_found_by_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
