/* Rows that are no notification, and the file that they come back in. */
#include "client/import_rejects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/file.h"
#include "client/import_keys.h"
#include "client/import_read.h"
#include "client/import_row.h"
#include "tests/unit/client/fixture.h"

static enum exit_code
read_text(struct fixture *f, const char *name, const char *text,
    struct import_file *file)
{
	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	return import_read(
	    &f->ctx, fixture_file(f, name, text, strlen(text)), file);
}

static void
read_rows(struct fixture *f, struct import_file *file)
{
	size_t i;

	for (i = 0; i < file->n_rows; i++)
		assert_int_equal(import_row_read(&f->ctx, fixture_profile(f),
				     file, &file->row[i]),
		    EXIT_OK);
}

static const char *
text_of(struct fixture *f, const char *path)
{
	struct cdop_bytes text;

	assert_int_equal(file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
	return (const char *)text.data;
}

/* 2,000 columns of nonsense of 900 bytes, over a row of as many cells. */
static void
a_wide_file_is_told_in_few_words(void **state)
{
	enum {
		COLUMNS = 2000,
		EACH = 900
	};
	struct fixture *f = *state;
	struct import_file file;
	char *text = malloc(COLUMNS * (EACH + 1) + 64), *at = text;
	size_t i;

	assert_non_null(text);
	for (i = 0; i < COLUMNS; i++) {
		memset(at, 'x', EACH);
		(void)snprintf(at, 8, "c_%zu", i);
		at[strlen(at)] = 'x';
		at += EACH;
		*at++ = i + 1 < COLUMNS ? ',' : '\n';
	}
	*at = '\0';
	assert_int_equal(read_text(f, "bad.csv", text, &file), EXIT_INVALID);
	assert_non_null(strstr(f->ctx.error.message, "xxx and 1992 more"));
	assert_true(strlen(f->ctx.error.message) < 1000);

	/* The same as cells that no column is for come back whole. */
	memmove(text + 18, text, (size_t)(at - text) + 1);
	memcpy(text, "child.family_name\n", 18);
	assert_int_equal(read_text(f, "wide.csv", text, &file), EXIT_OK);
	assert_int_equal(file.n_rows, 1);
	assert_int_equal(strlen(file.row[0].beyond) + EACH + 2, at - text);
	free(text);
}

/* Its first row is a child's, and nobody is told what stands there. */
static void
a_file_without_names_is_told_by_numbers(void **state)
{
	struct fixture *f = *state;
	struct import_file file;

	assert_int_equal(
	    read_text(f, "bare.csv",
		"Tarrant,9990000018,10.2.2021,child.famly_name\n", &file),
	    EXIT_INVALID);
	assert_string_equal(strstr(f->ctx.error.message, "no such"),
	    "no such field: column 1, column 2, column 3, child.famly_name");
	assert_int_equal(
	    read_text(f, "bare.csv", "Tarrant,yes,yes\n", &file), EXIT_INVALID);
	assert_non_null(strstr(f->ctx.error.message, "column 3 stands twice"));
	assert_null(strstr(f->ctx.error.message, "yes"));
}

/* Tabs, a column without a name, and one cell more than can be kept. */
static void
columns_are_told_as_they_stand(void **state)
{
	enum {
		TOO_MANY = 2001
	};
	struct fixture *f = *state;
	struct import_file file;
	char text[64 + TOO_MANY];

	assert_int_equal(read_text(f, "tabs.csv",
			     "child.family_name\tchild.sex\nGood\t1\n", &file),
	    EXIT_OK);
	assert_int_equal(file.n_columns, 2);
	assert_int_equal(
	    read_text(f, "nameless.csv", "child.family_name,\nGood,\n", &file),
	    EXIT_OK);
	assert_int_equal(file.n_rows, 1);
	/* As a spreadsheet leaves them beside a table, and fewer of them. */
	assert_int_equal(
	    read_text(f, "nameless.csv",
		"child.family_name,,,\nGood,,,\nAlso,,,,,\n", &file),
	    EXIT_OK);
	read_rows(f, &file);
	assert_int_equal(file.row[0].state, IMPORT_READY);
	assert_int_equal(file.row[1].state, IMPORT_READY);
	(void)snprintf(text, sizeof(text), "child.family_name\n");
	memset(text + strlen(text), ',', TOO_MANY);
	text[18 + TOO_MANY] = '\n';
	text[19 + TOO_MANY] = '\0';
	assert_int_equal(read_text(f, "wide.csv", text, &file), EXIT_INVALID);
	assert_non_null(strstr(f->ctx.error.message, "more than 2000 cells"));
}

/* A comma without quotes moves all that stands behind it. */
static void
a_row_with_too_many_cells_is_rejected_alone(void **state)
{
	struct fixture *f = *state;
	struct import_file file, back;
	const char *path = NULL;

	assert_int_equal(read_text(f, "a.csv",
			     "child.family_name,child.sex\nGood,1\n"
			     "Tarrant,Synthetic,1,x\nAlso,2\n",
			     &file),
	    EXIT_OK);
	read_rows(f, &file);
	assert_int_equal(file.row[0].state, IMPORT_READY);
	assert_int_equal(file.row[2].state, IMPORT_READY);
	assert_int_equal(file.row[1].state, IMPORT_REJECTED);
	assert_string_equal(file.row[1].finding[0].rule, "csv.cells");
	/* With all its cells. */
	assert_int_equal(import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
	assert_non_null(
	    strstr(text_of(f, path), "beyond,row,field,rule,message\r\n"));
	assert_non_null(strstr(text_of(f, path), "\"1,x\",2,"));
	/* Sent as it is it comes back again. */
	assert_int_equal(import_read(&f->ctx, path, &back), EXIT_OK);
	read_rows(f, &back);
	assert_int_equal(back.row[0].state, IMPORT_REJECTED);
	assert_int_equal(import_rejects_write(&f->ctx, &back, &path), EXIT_OK);
	assert_non_null(strstr(text_of(f, path), "\"1,x\",2,"));
	/* Corrected it is a row like any other. */
	assert_int_equal(read_text(f, "a.rejects.csv",
			     "child.family_name,child.sex,beyond,row,field,"
			     "rule,message\n\"Tarrant, Synthetic\",1,,2,,,\n",
			     &back),
	    EXIT_OK);
	read_rows(f, &back);
	assert_int_equal(back.row[0].state, IMPORT_READY);
	assert_int_equal(back.row[0].number, 2);
}

/* What stands in it would be lost, and the row taken as if it were whole. */
static void
a_cell_under_no_name_is_not_lost(void **state)
{
	struct fixture *f = *state;
	struct import_file file;
	const char *path = NULL;

	assert_int_equal(read_text(f, "a.csv",
			     "child.family_name,,child.sex\nGood,,1\n"
			     "Tarrant,seen alive,2\n",
			     &file),
	    EXIT_OK);
	read_rows(f, &file);
	assert_int_equal(file.row[0].state, IMPORT_READY);
	assert_int_equal(file.row[1].state, IMPORT_REJECTED);
	assert_string_equal(file.row[1].finding[0].rule, "csv.cells");
	assert_int_equal(import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
	assert_non_null(strstr(text_of(f, path),
	    "\"child.family_name\",\"child.sex\",beyond,row,"));
	assert_non_null(
	    strstr(text_of(f, path), "\"Tarrant\",\"2\",\"seen alive\",2,"));
}

static void
what_is_wrong_with_a_file_is_said(void **state)
{
	struct fixture *f = *state;
	struct import_file file;
	char *rows = cdop_arena_alloc(f->ctx.arena, 3 * 10001 + 11);

	assert_int_equal(
	    import_read(&f->ctx, "/no/such/file", &file), EXIT_USAGE);
	assert_non_null(strstr(f->ctx.error.message, "No such file"));
	assert_int_equal(import_read(&f->ctx, f->dir, &file), EXIT_USAGE);
	assert_non_null(strstr(f->ctx.error.message, "directory"));
	memcpy(rows, "child.sex\n", 11);
	while (strlen(rows) < 2 * 10001 + 10)
		memcpy(rows + strlen(rows), "1\n", 3);
	assert_int_equal(read_text(f, "b.csv", rows, &file), EXIT_INVALID);
	assert_non_null(strstr(f->ctx.error.message, "more than 10000 rows"));
}

/* Under one number two children would take each other's key. */
static void
a_number_stands_there_once(void **state)
{
	static const char head[] = "child.family_name,row,rule\n";
	struct fixture *f = *state;
	struct import_file file;

	assert_int_equal(
	    read_text(f, "c.rejects.csv",
		cdop_arena_printf(f->ctx.arena, "%sa,7,\nb,7,\n", head), &file),
	    EXIT_INVALID);
	assert_non_null(strstr(f->ctx.error.message, "row 7"));
	/* One that was added has none, and gets its own. */
	assert_int_equal(read_text(f, "c.rejects.csv",
			     cdop_arena_printf(f->ctx.arena,
				 "%sx,,\na,7,\nb,1,\ny,,\n", head),
			     &file),
	    EXIT_OK);
	assert_int_equal(file.row[0].number, 8);
	assert_int_equal(file.row[1].number, 7);
	assert_int_equal(file.row[2].number, 1);
	assert_int_equal(file.row[3].number, 9);
	assert_int_equal(read_text(f, "d.ndjson",
			     "{\"row\": 3, \"findings\": []}\n"
			     "{\"row\": 3, \"findings\": []}\n",
			     &file),
	    EXIT_INVALID);
}

/* As after a run in which row 2 was not taken. */
static const char *
reject_second(struct fixture *f, struct import_file *file)
{
	const char *path = NULL;

	assert_int_equal(
	    read_text(f, "e.csv", "child.family_name\na\nb\n", file), EXIT_OK);
	assert_int_equal(import_keys_take(&f->ctx, file), EXIT_OK);
	assert_int_equal(import_rejects_check(&f->ctx, file), EXIT_OK);
	import_row_reject_word(&f->ctx, &file->row[1], "test.rule", "no");
	assert_int_equal(import_rejects_write(&f->ctx, file, &path), EXIT_OK);
	assert_int_equal(import_keys_save(&f->ctx, file), EXIT_OK);
	return path;
}

/* An hour of corrections, and then the first file is sent once more. */
static void
corrected_rejects_are_not_written_over(void **state)
{
	static const char typed[] =
	    "child.family_name,row,field,rule,message\nB,2,,,\n";
	struct fixture *f = *state;
	struct import_file file, sent;
	const char *path = reject_second(f, &file);

	/* As they were written they are nobody's work. */
	path = reject_second(f, &file);
	assert_int_equal(read_text(f, "e.rejects.csv", typed, &sent), EXIT_OK);
	assert_int_equal(
	    read_text(f, "e.csv", "child.family_name\na\nb\n", &file), EXIT_OK);
	assert_int_equal(import_keys_take(&f->ctx, &file), EXIT_OK);
	assert_int_equal(import_rejects_check(&f->ctx, &file), EXIT_CONFLICT);
	assert_non_null(strstr(f->ctx.error.message, "e.rejects.csv"));
	assert_string_equal(text_of(f, path), typed);
	/* They are sent, and all is taken: then they are done with. */
	assert_int_equal(import_keys_take(&f->ctx, &sent), EXIT_OK);
	assert_int_equal(import_rejects_check(&f->ctx, &sent), EXIT_OK);
	assert_true(import_rejects_is_input(&f->ctx, &sent));
	assert_string_equal(import_rejects_done(&f->ctx, &sent), path);
	assert_int_equal(import_keys_save(&f->ctx, &sent), EXIT_OK);
	assert_int_equal(import_keys_take(&f->ctx, &file), EXIT_OK);
	assert_int_equal(import_rejects_check(&f->ctx, &file), EXIT_OK);
	assert_false(import_rejects_is_input(&f->ctx, &file));
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_row_with_too_many_cells_is_rejected_alone),
	    WITH(a_cell_under_no_name_is_not_lost),
	    WITH(a_wide_file_is_told_in_few_words),
	    WITH(columns_are_told_as_they_stand),
	    WITH(a_file_without_names_is_told_by_numbers),
	    WITH(what_is_wrong_with_a_file_is_said),
	    WITH(a_number_stands_there_once),
	    WITH(corrected_rejects_are_not_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
