/* Text: what is kept, what goes, what is refused. */
#include "cdop/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static int
setup(void **state)
{
	struct cdop_arena *arena;

	if (cdop_arena_new(1 << 20, &arena) != CDOP_OK)
		return -1;
	*state = arena;
	return 0;
}

static int
teardown(void **state)
{
	cdop_arena_free(*state);
	return 0;
}

static const char *
clean(void **state, const char *text, enum cdop_text_shape shape)
{
	enum cdop_text_fault fault;
	const char *once = NULL;
	const char *twice = NULL;

	if (cdop_text_clean(text, shape, *state, &once, &fault) != CDOP_OK)
		fail_msg("refused: %s", text);
	/* Cleaning what is clean changes nothing. */
	assert_int_equal(
	    cdop_text_clean(once, shape, *state, &twice, &fault), CDOP_OK);
	assert_string_equal(once, twice);
	return once;
}

static void
a_line_is_one_line(void **state)
{
	static const char *const pairs[][2] = {
	    {"  Smith  ", "Smith"},
	    {"Anna\tMaria", "Anna Maria"},
	    {"Anna\xc2\xa0\xe2\x80\xaf Maria", "Anna Maria"},
	    {"Anna\r\nMaria\n", "Anna Maria"},
	    {"\xef\xbb\xbfSmith", "Smith"},
	    {"Sm\xe2\x80\x8bith\xc2\xad", "Smith"},
	    {"\xe2\x80\xaetxt.exe\xe2\x80\xac", "txt.exe"},
	    {"\xe2\x80\x8b \xe2\x80\x8b", ""},
	    /* Each blank, each end of a line, each that nobody sees. */
	    {"a\xe1\x9a\x80\x62\xe2\x80\x83\x63\xe2\x81\x9f\x64"
	     "\xe3\x80\x80\x65",
		"a b c d e"},
	    {"a\xc2\x85\x62\xe2\x80\xa9\x63\xe2\x80\xa8\x64", "a b c d"},
	    {"\xd8\x9c\x61\xe1\xa0\x8e\x62\xe2\x80\x8e\x63\xe2\x80\x8f"
	     "\x64\xe2\x81\xa0\x65\xe2\x81\xa6\x66",
		"abcdef"},
	    {"", ""},
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		assert_string_equal(
		    clean(state, pairs[i][0], CDOP_TEXT_LINE), pairs[i][1]);
}

static void
names_stay_as_they_are_given(void **state)
{
	static const char *const names[] = {"O\xe2\x80\x99\x42rien", "d'Souza",
	    "Zoë", "Zoe\xcc\x88" /* combining */, "Nguy\xe1\xbb\x85n",
	    "\xd7\x93\xd7\xa0\xd7\x99\xd7\x90\xd7\x9c",
	    "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf", "Null", "NA", "None",
	    "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7" /* joiner */,
	    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7" /* family */,
	    "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae" /* non-joiner */,
	    "Smith\xe2\x80\x93Jones", "=cmd", "#12"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_string_equal(
		    clean(state, names[i], CDOP_TEXT_LINE), names[i]);
}

static void
a_narrative_keeps_its_lines(void **state)
{
	assert_string_equal(clean(state,
				"\r\n  Found at 06:10.  \r\n\r\n\tThen\r "
				"moved.\xe2\x80\xa8"
				"End \n\n",
				CDOP_TEXT_LINES),
	    "Found at 06:10.\n\n Then\n moved.\nEnd");
}

static void
an_address_becomes_one_line(void **state)
{
	assert_string_equal(clean(state, "1 High Street\nLiverpool\r\nL1 8JQ",
				CDOP_TEXT_ADDRESS),
	    "1 High Street, Liverpool, L1 8JQ");
	assert_string_equal(
	    clean(state, "1 High Street,\n\n Liverpool", CDOP_TEXT_ADDRESS),
	    "1 High Street, Liverpool");
}

static void
control_characters_and_broken_utf8_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum cdop_text_fault fault;
	} bad[] = {
	    {"a\x01"
	     "b",
		CDOP_TEXT_CONTROL},
	    {"a\x1b[31m", CDOP_TEXT_CONTROL},
	    {"a\x7f", CDOP_TEXT_CONTROL},
	    {"a\xc2\x80", CDOP_TEXT_CONTROL},
	    {"a\xff", CDOP_TEXT_NOT_UTF8},
	    {"a\xc3", CDOP_TEXT_NOT_UTF8},
	    {"a\xe2\x82", CDOP_TEXT_NOT_UTF8},
	    {"\xc0\x80", CDOP_TEXT_NOT_UTF8},
	    {"\xe0\x80\x80", CDOP_TEXT_NOT_UTF8},
	    {"\xed\xa0\x80", CDOP_TEXT_NOT_UTF8},
	    {"\xf4\x90\x80\x80", CDOP_TEXT_NOT_UTF8},
	    {"\xf8\x88\x80\x80\x80", CDOP_TEXT_NOT_UTF8},
	    {"Zo\xeb", CDOP_TEXT_NOT_UTF8} /* Windows-1252 */,
	};
	enum cdop_text_fault fault;
	const char *text = "same";
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		fault = CDOP_TEXT_FINE;
		assert_int_equal(cdop_text_clean(bad[i].text, CDOP_TEXT_LINE,
				     *state, &text, &fault),
		    CDOP_INVALID_ARGUMENT);
		assert_int_equal(fault, bad[i].fault);
		assert_string_equal(text, "same");
	}
}

/* A mark that goes keeps a text from being taken as it stands. */
static void
what_is_clean_already_is_taken_as_it_would_be_made(void **state)
{
	static const enum cdop_text_shape shapes[] = {
	    CDOP_TEXT_LINE, CDOP_TEXT_ADDRESS, CDOP_TEXT_LINES};

	static const char letters[] = {'a', ',', ' ', '\n', '\r'};
	char plain[7], marked[10];
	size_t n, i, k, left;

	for (n = 0; n < 5 * 5 * 5 * 5 * 5; n++) {
		for (left = n, i = 0; left > 0; left /= 5)
			plain[i++] = letters[left % 5];
		plain[i] = '\0';
		(void)snprintf(marked, sizeof(marked), "\xe2\x80\x8b%s", plain);
		for (k = 0; k < 3; k++)
			assert_string_equal(clean(state, plain, shapes[k]),
			    clean(state, marked, shapes[k]));
		cdop_arena_reset(*state);
	}
}

static void
what_is_no_text_is_mended(void **state)
{
	static const char *const cases[][2] = {
	    {"", ""},
	    {"Zo\xc3\xab", "Zo\xc3\xab"},
	    {"Jos\xe9", "Jos?"},
	    {"\xff\xe2\x82 \xe2\x82\xac", "??? \xe2\x82\xac"},
	    {"\xc0\xaf\xed\xa0\x80", "?????"},
	    {"a\xc2\x9b"
	     "2Jb",
		"a??2Jb"}, /* a terminal's ESC [ */
	    {"\xe2\x80\xaekey\x1b", "???key?"},
	};
	char text[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s", cases[i][0]);
		cdop_text_mend(text);
		assert_string_equal(text, cases[i][1]);
	}
}

static void
length_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(cdop_text_length(""), 0);
	assert_int_equal(cdop_text_length("Zo\xc3\xab"), 3);
	assert_int_equal(cdop_text_length("\xf0\x9f\x91\xa9"), 1);
	assert_true(cdop_text_same("#NK", "#nk"));
	assert_false(cdop_text_same("#nk", "#nkk"));
}

static void
a_line_is_text_of_one_line(void **state)
{
	static const char *const none[] = {"", "a\nb", "a\x07", "\x1b[31m",
	    "Jos\xe9", "a\xc2\x9b", "a\xe2\x80\xa8", "a\xc3", "abcde"};
	size_t i;

	(void)state;
	assert_true(cdop_text_is_line("Zo\xc3\xab.", 4));
	assert_false(cdop_text_is_line(NULL, 4));
	for (i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(cdop_text_is_line(none[i], 4));
}

static void
a_passphrase_of_one_keyboard_is_known(void **state)
{
	(void)state;
	assert_null(
	    cdop_text_keyboard((struct cdop_bytes){(const uint8_t *)" a~", 3}));
	assert_null(cdop_text_keyboard((struct cdop_bytes){NULL, 0}));
	/* e with acute, of one character and of two. */
	assert_non_null(cdop_text_keyboard(
	    (struct cdop_bytes){(const uint8_t *)"caf\xc3\xa9", 5}));
	assert_non_null(cdop_text_keyboard(
	    (struct cdop_bytes){(const uint8_t *)"cafe\xcc\x81", 6}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_one_line),
	    cmocka_unit_test(names_stay_as_they_are_given),
	    cmocka_unit_test(a_narrative_keeps_its_lines),
	    cmocka_unit_test(an_address_becomes_one_line),
	    cmocka_unit_test(control_characters_and_broken_utf8_are_refused),
	    cmocka_unit_test(
		what_is_clean_already_is_taken_as_it_would_be_made),
	    cmocka_unit_test(what_is_no_text_is_mended),
	    cmocka_unit_test(length_counts_characters),
	    cmocka_unit_test(a_line_is_text_of_one_line),
	    cmocka_unit_test(a_passphrase_of_one_keyboard_is_known),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
