/* What reaches a terminal or a program, whatever a stranger wrote. */
#include "client/print.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/fields.h"
#include "cdop/limits.h"
#include "client/file.h"
#include "client/json.h"
#include "client/term.h"
#include "tests/unit/client/fixture.h"

static void
safe_is(struct fixture *f, const char *text, bool lines, const char *want)
{
	assert_string_equal(print_safe(f->ctx.arena, text, lines), want);
}

static void
no_control_character_passes(void **state)
{
	struct fixture *f = *state;
	char text[3] = {'a', 0, 0};
	const char *safe;
	int c;

	safe_is(f, "red \x1b[31m", true, "red \\x1b[31m");
	safe_is(f, "bell\a", true, "bell\\x07");
	safe_is(f, "over\rwritten", true, "over\\x0dwritten");
	safe_is(f,
	    "\xc2\x9b"
	    "31m",
	    true, "\\u{9b}31m");
	safe_is(f, "two\nlines", true, "two\nlines");
	safe_is(f, "two\nlines", false, "two\\x0alines");
	assert_string_equal(
	    print_one_line(f->ctx.arena, "two\nlines"), "two\\x0alines");
	for (c = 1; c < 32; c++) {
		text[1] = (char)c;
		safe = print_safe(f->ctx.arena, text, false);
		assert_int_equal(
		    strspn(safe, "ax0123456789abcdef\\"), strlen(safe));
	}
}

static void
no_direction_override_passes(void **state)
{
	struct fixture *f = *state;

	safe_is(f,
	    "a\xe2\x80\xae"
	    "b",
	    true, "a\\u{202e}b");
	safe_is(f, "\xe2\x80\xaa", true, "\\u{202a}");
	safe_is(f, "\xe2\x81\xa6", true, "\\u{2066}");
	safe_is(f, "\xe2\x81\xa9", true, "\\u{2069}");
	safe_is(f, "\xe2\x80\xa8", true, "\\u{2028}");
	safe_is(f, "\xd8\x9c", true, "\\u{61c}");
	safe_is(f, "\xe2\x80\x8f", true, "\\u{200f}");
	safe_is(f, "\xef\xbb\xbf", true, "\\u{feff}");
	/* Names in Hebrew and Arabic stay as they are. */
	safe_is(
	    f, "\xd7\x9b\xd7\x94\xd7\x9f", true, "\xd7\x9b\xd7\x94\xd7\x9f");
}

static void
what_is_not_utf8_is_shown_as_bytes(void **state)
{
	struct fixture *f = *state;

	safe_is(f, "\xff\xfe", true, "\\xff\\xfe");
	safe_is(f, "a\xc3", true, "a\\xc3");
	safe_is(f, "\xe2\x82", true, "\\xe2\\x82");
	safe_is(f, "\xc0\x80", true, "\\xc0\\x80");
}

static void
columns_are_those_of_the_terminal(void **state)
{
	(void)state;
	term_start();
	assert_int_equal(print_columns("abc"), 3);
	assert_int_equal(print_columns("\xc3\xa9"), 1);
	assert_int_equal(print_columns("e\xcc\x81"), 1);
	assert_int_equal(print_columns("\xe6\x9d\x8e"), 2);
	assert_int_equal(print_columns(""), 0);
}

static void
every_object_has_the_same_head(void **state)
{
	struct fixture *f = *state;
	json_t *object;

	f->ctx.request = 7;
	object = print_envelope(&f->ctx, "case.show", true);
	assert_string_equal(
	    json_string_value(json_object_get(object, "schema")),
	    "cdop.case.show/1");
	assert_true(json_is_true(json_object_get(object, "ok")));
	assert_string_equal(
	    json_string_value(json_object_get(object, "mode")), "training");
	assert_string_equal(
	    json_string_value(json_object_get(object, "registry")), "11");
	assert_int_equal(
	    json_integer_value(json_object_get(object, "request")), 7);
	json_decref(object);
	f->ctx.mode = NULL;
	f->ctx.request = 0;
	object = print_envelope(&f->ctx, "error", false);
	assert_true(json_is_null(json_object_get(object, "mode")));
	assert_true(json_is_null(json_object_get(object, "request")));
	assert_true(json_is_false(json_object_get(object, "ok")));
	json_decref(object);
}

/* What left is named in words: a mask says nothing to who has no table. */
static void
classes_are_named_to_programs(void **state)
{
	struct fixture *f = *state;
	Cdop__Released released;
	json_t *object, *classes;

	cdop__released__init(&released);
	released.reference = cdop_arena_strdup(f->ctx.arena, "K7M4-QX2Q");
	released.classes = CDOP_CLASS_NARRATIVE | CDOP_CLASS_EXACT_DATE;
	object = json_message(&f->ctx, &released.base);
	classes = json_object_get(object, "classes");
	assert_int_equal(json_array_size(classes), 2);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(classes, 0), "code")),
	    "EXACT_DATE");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(classes, 1), "label")),
	    "narrative");
	json_decref(object);
}

static void
instants_are_said_in_utc_to_programs(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(
	    print_utc(f->ctx.arena, 0), "1970-01-01T00:00:00.000Z");
	assert_string_equal(
	    print_utc(f->ctx.arena, 1795424707042), "2026-11-23T09:05:07.042Z");
}

/* A profile may be longer than any line. */
static void
a_long_text_is_printed_whole(void **state)
{
	static char text[200000];
	struct fixture *f = *state;
	const char *path = fixture_file(f, "out", "", 0), *printed;
	int out = fixture_catch(path);

	memset(text, 'x', sizeof(text) - 1);
	print_out(&f->ctx, "%s", text);
	printed = fixture_caught(f, path, out);
	assert_int_equal(strlen(printed), sizeof(text));
	assert_memory_equal(printed, text, sizeof(text) - 1);
}

/* A program reads the same; who looks at it sees no other order or colour. */
static void
json_steers_no_terminal(void **state)
{
	static const char name[] =
	    "a\x1b[2J\x7f\xc2\x9b"
	    "31m\xe2\x80\xae\xe2\x80\xa8\xd7\x9b\xc3\xa9";
	struct fixture *f = *state;
	const char *path = fixture_file(f, "out", "", 0), *printed;
	json_t *read;
	int out = fixture_catch(path);

	print_json(json_pack("{s:s}", "name", name));
	printed = fixture_caught(f, path, out);
	assert_string_equal(printed,
	    "{\"name\":\"a\\u001B[2J\\u007F\\u009B31m\\u202E\\u2028"
	    "\xd7\x9b\xc3\xa9\"}\n");
	read = json_loads(printed, 0, NULL);
	assert_string_equal(
	    json_string_value(json_object_get(read, "name")), name);
	json_decref(read);
}

/* A server says what it likes: no arithmetic of ours goes wrong on it. */
static void
any_entry_of_the_log_can_be_printed(void **state)
{
	struct fixture *f = *state;
	json_t *object;

	f->ctx.leaf = (uint64_t)INT64_MAX + 1;
	object = print_envelope(&f->ctx, "x", true);
	assert_int_equal(
	    json_integer_value(json_object_get(object, "leaf")), INT64_MAX);
}

/* In one go: a cell of a whole message would else take minutes. */
static void
a_long_cell_is_cut_between_characters(void **state)
{
	static char cell[CDOP_MESSAGE_MAX];
	const char *const row[] = {cell, "end"};
	struct fixture *f = *state;
	const char *path = fixture_file(f, "out", "", 0), *printed, *end;
	size_t i;
	int out;

	for (i = 0; i + 2 < sizeof(cell); i += 2)
		memcpy(cell + i, "\xc3\xa9", 2);
	out = fixture_catch(path);
	print_table(&f->ctx, NULL, row, 2, 1);
	printed = fixture_caught(f, path, out);
	end = strchr(printed, '~');
	assert_non_null(end);
	assert_int_equal((end - printed) % 2, 0);
	assert_true(end - printed > 20 && end - printed < 200);
	assert_string_equal(end, "~  end\n");
}

/* What is said on stderr of a failure when no memory is left. */
static const char *
failure_without_memory(struct fixture *f, bool json)
{
	const char *path = fixture_file(f, "told", "", 0);
	size_t used = cdop_arena_used(f->ctx.arena);
	struct cdop_bytes text;
	int was = dup(STDERR_FILENO), to = open(path, O_WRONLY | O_TRUNC);

	while (cdop_arena_alloc(f->ctx.arena, 16) != NULL)
		continue;
	(void)cmd_fail(&f->ctx, EXIT_UNEXPECTED, NULL, "cdop retry",
	    "no \"room\" for\n%s", "it");
	f->ctx.g.json = json;
	assert_true(was >= 0 && to >= 0 && dup2(to, STDERR_FILENO) >= 0);
	print_failure(&f->ctx, EXIT_UNEXPECTED);
	(void)fflush(stderr);
	assert_true(dup2(was, STDERR_FILENO) >= 0);
	(void)close(was);
	(void)close(to);
	cdop_arena_rewind(f->ctx.arena, used);
	assert_int_equal(file_read(path, 4096, f->ctx.arena, &text), CDOP_OK);
	return (const char *)text.data;
}

static void
a_failure_without_memory_is_told(void **state)
{
	struct fixture *f = *state;
	json_t *object;

	assert_string_equal(failure_without_memory(f, false),
	    "cdop: no ?room? for?it\nnext: cdop retry\n");
	object = json_loads(failure_without_memory(f, true), 0, NULL);
	assert_non_null(object);
	assert_string_equal(
	    json_string_value(json_object_get(object, "schema")),
	    "cdop.error/1");
	assert_int_equal(json_integer_value(json_object_get(object, "exit")),
	    EXIT_UNEXPECTED);
	assert_string_equal(
	    json_string_value(json_object_get(object, "reason")),
	    exit_reason(EXIT_UNEXPECTED));
	assert_string_equal(
	    json_string_value(json_object_get(object, "message")),
	    "no ?room? for?it");
	assert_string_equal(
	    json_string_value(json_object_get(object, "next")), "cdop retry");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(no_control_character_passes),
	    WITH(no_direction_override_passes),
	    WITH(what_is_not_utf8_is_shown_as_bytes),
	    WITH(columns_are_those_of_the_terminal),
	    WITH(every_object_has_the_same_head),
	    WITH(classes_are_named_to_programs),
	    WITH(instants_are_said_in_utc_to_programs),
	    WITH(a_long_text_is_printed_whole),
	    WITH(json_steers_no_terminal),
	    WITH(any_entry_of_the_log_can_be_printed),
	    WITH(a_long_cell_is_cut_between_characters),
	    WITH(a_failure_without_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
