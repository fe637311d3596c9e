/* What is said while something takes long, and a statement as it came. */
#include "client/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/statement.h"
#include "tests/unit/client/fixture.h"

/* Runs it with both streams in a file; what it wrote. */
static const char *
said(struct fixture *f, void (*what)(struct fixture *))
{
	static char text[4096];
	FILE *to = tmpfile();
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(to);
	(void)fflush(stdout);
	assert_true(dup2(fileno(to), STDOUT_FILENO) >= 0);
	assert_true(dup2(fileno(to), STDERR_FILENO) >= 0);
	what(f);
	(void)fflush(stdout);
	(void)fflush(stderr);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	(void)close(out);
	(void)close(err);
	rewind(to);
	len = fread(text, 1, sizeof(text) - 1, to);
	text[len] = '\0';
	(void)fclose(to);
	return text;
}

static void
go_on(struct fixture *f)
{
	progress_say(&f->ctx, "%u of %u rows", 3u, 8u);
}

static void
it_is_one_line_that_is_written_over(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(said(f, go_on), "\r3 of 8 rows ");
}

static void
who_has_it_read_out_hears_a_line_each(void **state)
{
	struct fixture *f = *state;

	f->ctx.g.accessible = true;
	assert_non_null(strstr(said(f, go_on), "still working: 3 of 8 rows\n"));
}

static char note[] = "a note\nof lines\n";
static bool has_note;

static void
state_it(struct fixture *f)
{
	Cdop__StatementReply reply;

	cdop__statement_reply__init(&reply);
	reply.has_statement = has_note;
	reply.statement = (ProtobufCBinaryData){strlen(note), (uint8_t *)note};
	statement_print(&f->ctx, "key.rotate", &reply);
}

static void
a_statement_is_printed_as_it_came(void **state)
{
	struct fixture *f = *state;

	has_note = false;
	assert_string_equal(said(f, state_it), "");
	has_note = true;
	assert_non_null(strstr(said(f, state_it), note));
	f->ctx.g.json = true;
	assert_non_null(strstr(said(f, state_it), "\"cdop.key.rotate/1\""));
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(it_is_one_line_that_is_written_over),
	    WITH(who_has_it_read_out_hears_a_line_each),
	    WITH(a_statement_is_printed_as_it_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
