/* The keys of a file with as many rows as a file may have. */
#include "client/import_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/limits.h"
#include "client/file.h"
#include "client/import_read.h"
#include "tests/unit/client/fixture.h"

/* n rows, each another: "a1", "a2" ... */
static void
read_many(struct fixture *f, char letter, size_t n, struct import_file *file)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	assert_true(fputs("child.family_name\n", to) >= 0);
	for (i = 0; i < n; i++)
		assert_true(fprintf(to, "%c%zu\n", letter, i) > 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(
	    import_read(&f->ctx, fixture_file(f, "many.csv", text, len), file),
	    EXIT_OK);
	assert_int_equal(file->n_rows, n);
	free(text);
}

static void
same_keys(const struct import_file *a, const struct import_file *b)
{
	size_t i;

	assert_int_equal(a->n_rows, b->n_rows);
	for (i = 0; i < a->n_rows; i++)
		assert_memory_equal(
		    a->row[i].n.key, b->row[i].n.key, CDOP_REQUEST_KEY_LEN);
}

/* Or a long file that was cut off could not be gone on with. */
static void
a_file_of_any_length_is_gone_on_with(void **state)
{
	struct fixture *f = *state;
	struct import_file first, again;

	read_many(f, 'a', CDOP_IMPORT_ROWS_MAX, &first);
	assert_int_equal(import_keys_take(&f->ctx, &first), EXIT_OK);
	read_many(f, 'a', CDOP_IMPORT_ROWS_MAX, &again);
	assert_int_equal(import_keys_take(&f->ctx, &again), EXIT_OK);
	same_keys(&first, &again);
}

/* Twice as many: those that were accepted and are not in it now are kept. */
static void
so_is_one_whose_rows_have_all_changed(void **state)
{
	struct fixture *f = *state;
	struct import_file first, other, again;
	size_t i;

	read_many(f, 'a', CDOP_IMPORT_ROWS_MAX, &first);
	assert_int_equal(import_keys_take(&f->ctx, &first), EXIT_OK);
	for (i = 0; i < first.n_rows; i++)
		first.row[i].reference = "T-2222-2222";
	assert_int_equal(import_keys_save(&f->ctx, &first), EXIT_OK);
	read_many(f, 'b', CDOP_IMPORT_ROWS_MAX, &other);
	assert_int_equal(import_keys_take(&f->ctx, &other), EXIT_OK);
	assert_memory_not_equal(
	    first.row[0].n.key, other.row[0].n.key, CDOP_REQUEST_KEY_LEN);
	read_many(f, 'a', CDOP_IMPORT_ROWS_MAX, &again);
	assert_int_equal(import_keys_take(&f->ctx, &again), EXIT_OK);
	same_keys(&first, &again);
	assert_string_equal(
	    again.row[CDOP_IMPORT_ROWS_MAX - 1].reference, "T-2222-2222");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_file_of_any_length_is_gone_on_with),
	    WITH(so_is_one_whose_rows_have_all_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
