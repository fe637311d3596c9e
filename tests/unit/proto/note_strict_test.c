/* What is no note, no key and no name, however much it looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/note.h"
#include "cdop/secret.h"
#include "tests/unit/proto/notes.h"

#define DASH "\xe2\x80\x94 "
#define SIG  "AAAAAAA=" /* an id and one byte */

static enum cdop_err
parse(const char *text)
{
	struct cdop_note note;

	return cdop_note_parse(NOTES_TEXT(text), &note);
}

static void
assert_no_note(const char *text)
{
	if (parse(text) != CDOP_INVALID_ARGUMENT)
		fail_msg("taken: %s", text);
}

static void
the_shape_of_a_note_is_strict(void **state)
{
	(void)state;
	assert_int_equal(parse("t\n\n" DASH "n " SIG "\n"), CDOP_OK);
	assert_int_equal(parse("\n\n" DASH "n " SIG "\n"), CDOP_OK);
	assert_int_equal(
	    parse("t\n\n" DASH "n " SIG "\n" DASH "m " SIG "\n"), CDOP_OK);
	/* No text, no empty line, no signature, no end. */
	assert_no_note("");
	assert_no_note("\n");
	assert_no_note("\n\n");
	assert_no_note("\n" DASH "n " SIG "\n");
	assert_no_note(DASH "n " SIG "\n");
	assert_no_note("t\n" DASH "n " SIG "\n");
	assert_no_note("t\n\n");
	assert_no_note("t\n\n" DASH "n " SIG);
	assert_no_note("t\n\n" DASH "n " SIG "\n\n");
	assert_no_note("t\n\n" DASH "n " SIG "\nx");
	assert_no_note("t\n\n" DASH "n " SIG "\nx\n");
	/* Another dash, another blank, blanks where none belong. */
	assert_no_note("t\n\n- n " SIG "\n");
	assert_no_note("t\n\n\xe2\x80\x93 n " SIG "\n");
	assert_no_note("t\n\n\xe2\x80\x94n " SIG "\n");
	assert_no_note("t\n\n\xe2\x80\x94\xc2\xa0n " SIG "\n");
	assert_no_note("t\n\n" DASH " n " SIG "\n");
	assert_no_note("t\n\n" DASH "n  " SIG "\n");
	assert_no_note("t\n\n" DASH "n " SIG " \n");
	assert_no_note("t\n\n" DASH "n\n");
	assert_no_note("t\n\n" DASH "n \n");
	assert_no_note("t\n\n" DASH "+n " SIG "\n");
	assert_no_note("t\n\n" DASH "n\xe2\x80\x83m " SIG "\n");
	/* Line ends of others, control characters, no UTF-8. */
	assert_no_note("t\r\n\r\n" DASH "n " SIG "\r\n");
	assert_no_note("t\r\n\n" DASH "n " SIG "\n");
	assert_no_note("t\n\n" DASH "n " SIG "\r\n");
	assert_no_note("t\tu\n\n" DASH "n " SIG "\n");
	assert_no_note("t\x1bu\n\n" DASH "n " SIG "\n");
	assert_no_note("t\xffu\n\n" DASH "n " SIG "\n");
	assert_no_note("t\xc0\x8au\n\n" DASH "n " SIG "\n");
	assert_no_note("t\n\n" DASH "n\xff " SIG "\n");
}

static void
the_base64_of_a_signature_is_strict(void **state)
{
	static const char *const bad[] = {"AAAA", "AAAAAA==", "AAAAAAA",
	    "AAAAAAA==", "AAAAAAA=A", "AAAAAAB=", "AAAAAAAA=", "AAAAAAAAAAA",
	    "AAAAAA==AAAA", "AAAAAAA=AAAA", "AAAAAAAAAA==AAAA",
	    "AAAA AAA=", "AAAA-AAA", "AAAA_AAA", "AAAAAAA\xc3\xa9",
	    "====", "AAAAAAAA===="};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "t\n\n" DASH "n %s\n", bad[i]);
		assert_no_note(text);
	}
	assert_int_equal(parse("t\n\n" DASH "n AAAAAAAA\n"), CDOP_OK);
	assert_int_equal(parse("t\n\n" DASH "n AAAAAAAAAA==\n"), CDOP_OK);
}

static void
a_nul_is_in_no_note(void **state)
{
	char text[] = "t.u\n\n" DASH "n " SIG "\n";
	struct cdop_note note;

	(void)state;
	assert_int_equal(parse(text), CDOP_OK);
	text[1] = '\0';
	assert_int_equal(
	    cdop_note_parse(
		(struct cdop_bytes){(uint8_t *)text, sizeof(text) - 1}, &note),
	    CDOP_INVALID_ARGUMENT);
}

static void
the_text_ends_before_the_last_empty_line(void **state)
{
	static const char text[] =
	    "a\n\n" DASH "n " SIG "\n\n" DASH "m " SIG "\n";
	struct cdop_note note;

	(void)state;
	assert_int_equal(cdop_note_parse(NOTES_TEXT(text), &note), CDOP_OK);
	assert_int_equal(note.n, 1);
	assert_int_equal(note.signature[0].name.data[0], 'm');
	assert_int_equal(note.text.len, strlen("a\n\n" DASH "n " SIG "\n"));
}

static void
a_note_is_bounded(void **state)
{
	static char text[CDOP_NOTE_MAX + 2];
	static const char tail[] = "\n\n" DASH "n " SIG "\n";
	struct cdop_note note;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + CDOP_NOTE_MAX - strlen(tail), tail, sizeof(tail));
	assert_int_equal(cdop_note_parse(NOTES_TEXT(text), &note), CDOP_OK);
	memset(text, 'x', sizeof(text));
	memcpy(text + CDOP_NOTE_MAX + 1 - strlen(tail), tail, sizeof(tail));
	assert_int_equal(
	    cdop_note_parse(NOTES_TEXT(text), &note), CDOP_INVALID_ARGUMENT);
}

/* ---- names and keys ------------------------------------------------------ */

static void
a_name_has_no_blank_and_no_plus(void **state)
{
	static const char *const bad[] = {"", "a b", "a+b", "a\tb", "a\nb",
	    "a\xc2\x85", "a\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
	    "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
	    "\xe2\x81\x9f", "\xe3\x80\x80", "\xff", "a\xc3"};
	char longest[CDOP_NOTE_NAME_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cdop_note_is_name(bad[i]))
			fail_msg("a name: %s", bad[i]);
	assert_true(cdop_note_is_name("a"));
	assert_true(cdop_note_is_name("example.com/log-1"));
	assert_true(cdop_note_is_name("caf\xc3\xa9"));
	memset(longest, 'n', sizeof(longest));
	longest[CDOP_NOTE_NAME_MAX + 1] = '\0';
	assert_false(cdop_note_is_name(longest));
	longest[CDOP_NOTE_NAME_MAX] = '\0';
	assert_true(cdop_note_is_name(longest));
}

static enum cdop_err
parse_key(const char *text, size_t len)
{
	struct cdop_bytes bytes = {(const uint8_t *)text, len};
	struct cdop_note_key key;

	return cdop_note_key_parse(bytes, &key);
}

static void
no_part_of_a_vkey_and_no_other_byte_in_it_is_a_vkey(void **state)
{
	char vkey[] = "PeterNeumann+c74f20a3+"
		      "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
	size_t len = strlen(vkey), i, k;

	(void)state;
	assert_int_equal(parse_key(vkey, len), CDOP_OK);
	for (i = 0; i <= len; i++)
		for (k = i; k <= len; k++)
			if (i != 0 || k != len)
				assert_int_not_equal(
				    parse_key(vkey + i, k - i), CDOP_OK);
	for (i = 0; i < len; i++)
		for (k = 1; k < 256; k <<= 1) {
			vkey[i] ^= (char)k;
			assert_int_not_equal(parse_key(vkey, len), CDOP_OK);
			vkey[i] ^= (char)k;
		}
}

static void
a_vkey_is_strict(void **state)
{
	static const char *const bad[] = {
	    /* The id in capitals; a newline behind. */
	    "PeterNeumann+C74F20A3+"
	    "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+"
	    "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
	    /* A key that is too long, with the id that follows from it. */
	    "PeterNeumann+5bd6c061+"
	    "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBAA=",
	    "PeterNeumann+c74f20a3+AQ==",
	    "PeterNeumann+c74f20a3+",
	};
	/* Type 7; the id is right. */
	static const char other[] = "PeterNeumann+fb5f42c1+"
				    "Bxpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
				    "LDE4izWy10TW";
	char longest[CDOP_NOTE_VKEY_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    parse_key(bad[i], strlen(bad[i])), CDOP_INVALID_ARGUMENT);
	assert_int_equal(parse_key(other, strlen(other)), CDOP_UNIMPLEMENTED);
	memset(longest, 'n', sizeof(longest));
	assert_int_equal(
	    parse_key(longest, sizeof(longest)), CDOP_INVALID_ARGUMENT);
}

static void
the_longest_name_has_a_vkey(void **state)
{
	char name[CDOP_NOTE_NAME_MAX + 1], text[CDOP_NOTE_VKEY_MAX];
	struct cdop_note_signer signer;
	struct cdop_note_key key;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[CDOP_NOTE_NAME_MAX] = '\0';
	notes_signer(&signer, name, CDOP_NOTE_COSIGNATURE, 1);
	cdop_note_key_write(&signer.key, text);
	assert_int_equal(strlen(text), CDOP_NOTE_VKEY_MAX - 1);
	assert_int_equal(cdop_note_key_parse(NOTES_TEXT(text), &key), CDOP_OK);
	assert_memory_equal(&key, &signer.key, sizeof(key));
}

/* ---- signatures ---------------------------------------------------------- */

/* Points of small order verify anything in a careless verifier. */
static void
a_key_of_small_order_signs_nothing(void **state)
{
	uint8_t point[32] = {1}, blob[68] = {0}, file[512];
	char text[CDOP_BASE64_LEN(sizeof(blob)) + 1];
	struct cdop_note_key key;
	int len;

	(void)state;
	assert_int_equal(
	    cdop_note_key_init(&key, "k", CDOP_NOTE_ED25519, point), CDOP_OK);
	/* R is that point and S is zero: 8SB = 8R + 8hA for every text. */
	cdop_put32(blob, key.id);
	blob[4] = 1;
	cdop_secret_base64((struct cdop_bytes){blob, sizeof(blob)}, text);
	len = snprintf((char *)file, sizeof(file), "t\n\n" DASH "k %s\n", text);
	assert_int_equal(notes_verify(file, (size_t)len, &key), CDOP_DATA_LOSS);
}

static void
a_signature_of_another_length_does_not_hold(void **state)
{
	uint8_t blob[200] = {0}, file[512];
	char text[CDOP_BASE64_LEN(sizeof(blob)) + 1];
	struct cdop_note_signer signer[2];
	size_t i, n;
	int len;

	(void)state;
	notes_signer(&signer[0], "k", CDOP_NOTE_ED25519, 1);
	notes_signer(&signer[1], "k", CDOP_NOTE_COSIGNATURE, 1);
	for (i = 0; i < 2; i++)
		for (n = 5; n < sizeof(blob); n++) {
			cdop_put32(blob, signer[i].key.id);
			cdop_secret_base64((struct cdop_bytes){blob, n}, text);
			len = snprintf((char *)file, sizeof(file),
			    "t\n\n" DASH "k %s\n", text);
			assert_int_equal(
			    notes_verify(file, (size_t)len, &signer[i].key),
			    CDOP_DATA_LOSS);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_shape_of_a_note_is_strict),
	    cmocka_unit_test(the_base64_of_a_signature_is_strict),
	    cmocka_unit_test(a_nul_is_in_no_note),
	    cmocka_unit_test(the_text_ends_before_the_last_empty_line),
	    cmocka_unit_test(a_note_is_bounded),
	    cmocka_unit_test(a_name_has_no_blank_and_no_plus),
	    cmocka_unit_test(
		no_part_of_a_vkey_and_no_other_byte_in_it_is_a_vkey),
	    cmocka_unit_test(a_vkey_is_strict),
	    cmocka_unit_test(the_longest_name_has_a_vkey),
	    cmocka_unit_test(a_key_of_small_order_signs_nothing),
	    cmocka_unit_test(a_signature_of_another_length_does_not_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
