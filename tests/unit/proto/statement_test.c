/* Statements: what is taken for one, and what is not. */
#include "cdop/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

/* Two keys of one registry, and a statement that leads from one to the other.
 */
struct fixture {
	struct cdop_note_signer before, after, stranger;
	struct cdop_statement statement;
	uint8_t note[CDOP_STATEMENT_MAX];
	size_t len;
};

static const uint8_t registry[16] = {0xab, 1, 2, 3};

static struct cdop_bytes
words(const char *text)
{
	return (struct cdop_bytes){(const uint8_t *)text, strlen(text)};
}

static void
make_signer(
    struct cdop_note_signer *signer, uint16_t incarnation, uint8_t seed_byte)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	uint8_t seed[CDOP_NOTE_SEED_LEN];

	memset(seed, seed_byte, sizeof(seed));
	cdop_checkpoint_origin(registry, incarnation, origin);
	assert_int_equal(
	    cdop_note_signer_init(signer, origin, CDOP_NOTE_ED25519, seed),
	    CDOP_OK);
}

static enum cdop_err
sign(struct fixture *f)
{
	f->statement.key = f->after.key;
	return cdop_statement_sign(
	    &f->statement, &f->before, &f->after, f->note, &f->len);
}

static enum cdop_err
open_as(const struct fixture *f, const struct cdop_note_signer *before,
    struct cdop_statement *ret)
{
	return cdop_statement_open(
	    (struct cdop_bytes){f->note, f->len}, registry, &before->key, ret);
}

/* A restore from incarnation 3 to 4, with all there can be. */
static void
setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	make_signer(&f->before, 3, 1);
	make_signer(&f->after, 4, 2);
	make_signer(&f->stranger, 3, 3);
	f->statement.kind = CDOP_STATEMENT_RESTORE;
	memcpy(f->statement.registry, registry, sizeof(registry));
	f->statement.incarnation = 4;
	memcpy(f->statement.from.origin, f->before.key.name,
	    sizeof(f->statement.from.origin));
	f->statement.from.size = 4711;
	memset(f->statement.from.root, 7, CDOP_MERKLE_HASH);
	f->statement.has_lost = true;
	f->statement.lost = f->statement.from;
	f->statement.lost.size = 4790;
	f->statement.time_ms = 1795777777777;
	f->statement.by[0] = words("1 Ada Adminson");
	f->statement.by[1] = words("2 Bob Adminby");
	f->statement.n_by = 2;
	f->statement.reason = words("the disk of the server died");
	assert_int_equal(sign(f), CDOP_OK);
}

static void
what_was_stated_is_read_again(void **state)
{
	struct cdop_statement read;
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(open_as(&f, &f.before, &read), CDOP_OK);
	assert_int_equal(read.kind, CDOP_STATEMENT_RESTORE);
	assert_int_equal(read.incarnation, 4);
	assert_string_equal(read.key.name, f.after.key.name);
	assert_memory_equal(read.key.public, f.after.key.public, 32);
	assert_int_equal(read.from.size, 4711);
	assert_true(read.has_lost);
	assert_int_equal(read.lost.size, 4790);
	assert_int_equal(read.time_ms, 1795777777777);
	assert_int_equal(read.n_by, 2);
	assert_int_equal(read.by[1].len, strlen("2 Bob Adminby"));
	assert_memory_equal(read.by[1].data, "2 Bob Adminby", read.by[1].len);
	assert_memory_equal(
	    read.reason.data, "the disk of the server died", read.reason.len);
}

static void
only_the_key_before_leads_on(void **state)
{
	struct cdop_statement read;
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(open_as(&f, &f.stranger, &read), CDOP_NOT_FOUND);
	/* The new key alone could be anybody's. */
	f.before = f.stranger;
	memcpy(f.statement.from.origin, f.before.key.name,
	    sizeof(f.statement.from.origin));
	assert_int_equal(sign(&f), CDOP_OK);
	make_signer(&f.before, 3, 1);
	assert_int_equal(open_as(&f, &f.before, &read), CDOP_NOT_FOUND);
}

/* The text of a note, line by line. */
struct lines {
	struct cdop_bytes line[16];
	size_t n;
	uint8_t text[CDOP_STATEMENT_MAX];
};

static void
cut(const struct fixture *f, struct lines *lines)
{
	struct cdop_bytes rest;
	struct cdop_note note;

	memset(lines, 0, sizeof(*lines));
	memcpy(lines->text, f->note, f->len);
	assert_int_equal(
	    cdop_note_parse((struct cdop_bytes){lines->text, f->len}, &note),
	    CDOP_OK);
	for (rest = note.text; rest.len > 0; lines->n++) {
		const uint8_t *end = memchr(rest.data, '\n', rest.len);

		assert_non_null(end);
		lines->line[lines->n].data = rest.data;
		lines->line[lines->n].len = (size_t)(end - rest.data) + 1;
		rest.data += lines->line[lines->n].len;
		rest.len -= lines->line[lines->n].len;
	}
}

/* The note of these lines, rightly signed by both. */
static void
sign_lines(
    struct fixture *f, const struct lines *lines, const size_t *at, size_t n)
{
	uint8_t text[CDOP_STATEMENT_MAX], once[CDOP_STATEMENT_MAX];
	size_t i, len = 0, once_len;

	for (i = 0; i < n; i++) {
		memcpy(text + len, lines->line[at[i]].data,
		    lines->line[at[i]].len);
		len += lines->line[at[i]].len;
	}
	assert_int_equal(cdop_note_sign((struct cdop_bytes){text, len},
			     &f->before, 0, once, sizeof(once), &once_len),
	    CDOP_OK);
	assert_int_equal(cdop_note_add((struct cdop_bytes){once, once_len},
			     &f->after, 0, f->note, sizeof(f->note), &f->len),
	    CDOP_OK);
}

#define LOST   6
#define BY_ONE 8
#define BY_TWO 9

static void
no_line_can_be_missing(void **state)
{
	struct cdop_statement read;
	struct fixture f;
	struct lines lines;
	size_t at[16], i, j, n;

	(void)state;
	setup(&f);
	cut(&f, &lines);
	assert_int_equal(lines.n, 11);
	for (i = 0; i < lines.n; i++) {
		for (j = 0, n = 0; j < lines.n; j++)
			if (j != i)
				at[n++] = j;
		sign_lines(&f, &lines, at, n);
		assert_int_equal(open_as(&f, &f.before, &read),
		    i == LOST || i == BY_ONE || i == BY_TWO
			? CDOP_OK
			: CDOP_INVALID_ARGUMENT);
	}
}

static void
no_line_comes_twice_or_in_anothers_place(void **state)
{
	struct cdop_statement read;
	struct fixture f;
	struct lines lines;
	size_t at[16], i, j, n;

	(void)state;
	setup(&f);
	cut(&f, &lines);
	for (i = 0; i < lines.n; i++) {
		for (j = 0, n = 0; j < lines.n; j++) {
			at[n++] = j;
			if (j == i)
				at[n++] = j;
		}
		sign_lines(&f, &lines, at, n);
		assert_int_equal(
		    open_as(&f, &f.before, &read), CDOP_INVALID_ARGUMENT);
	}
	for (i = 0; i + 1 < lines.n; i++) {
		for (j = 0; j < lines.n; j++)
			at[j] = j;
		at[i] = i + 1;
		at[i + 1] = i;
		sign_lines(&f, &lines, at, lines.n);
		/* Two persons are two in either order. */
		assert_int_equal(open_as(&f, &f.before, &read),
		    i == BY_ONE ? CDOP_OK : CDOP_INVALID_ARGUMENT);
	}
}

static void
no_flipped_bit_is_taken(void **state)
{
	struct cdop_statement read;
	struct fixture f;
	size_t i;

	(void)state;
	setup(&f);
	for (i = 0; i < f.len * 8; i++) {
		f.note[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(open_as(&f, &f.before, &read), CDOP_OK);
		f.note[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (i = 0; i < f.len; i++)
		assert_int_not_equal(
		    cdop_statement_open((struct cdop_bytes){f.note, i},
			registry, &f.before.key, &read),
		    CDOP_OK);
}

static void
numbers_have_to_go_on(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	/* A turn of the key stays where it is and loses nothing. */
	f.statement.kind = CDOP_STATEMENT_KEY;
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	f.statement.has_lost = false;
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	make_signer(&f.after, 3, 2);
	f.statement.incarnation = 3;
	assert_int_equal(sign(&f), CDOP_OK);
	/* A restore that stays where it is forks the log. */
	f.statement.kind = CDOP_STATEMENT_RESTORE;
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	make_signer(&f.after, 2, 2);
	f.statement.incarnation = 2;
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	/* Nothing is lost by a recovery of people. */
	setup(&f);
	f.statement.kind = CDOP_STATEMENT_RECOVER;
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	f.statement.has_lost = false;
	assert_int_equal(sign(&f), CDOP_OK);
}

static void
words_are_one_line_and_bounded(void **state)
{
	char long_text[CDOP_REASON_MAX + 2];
	struct fixture f;

	(void)state;
	setup(&f);
	f.statement.reason = words("two\nlines");
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	f.statement.reason = words("a bell \a");
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	f.statement.reason = words("");
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	memset(long_text, 'a', sizeof(long_text));
	f.statement.reason =
	    (struct cdop_bytes){(const uint8_t *)long_text, CDOP_REASON_MAX};
	assert_int_equal(sign(&f), CDOP_OK);
	f.statement.reason.len++;
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
	setup(&f);
	f.statement.n_by = 0;
	assert_int_equal(sign(&f), CDOP_INVALID_ARGUMENT);
}

static void
another_registrys_statement_is_none(void **state)
{
	const uint8_t other[16] = {9};
	struct cdop_statement read;
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(cdop_statement_open((struct cdop_bytes){f.note, f.len},
			     other, &f.before.key, &read),
	    CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_stated_is_read_again),
	    cmocka_unit_test(only_the_key_before_leads_on),
	    cmocka_unit_test(no_line_can_be_missing),
	    cmocka_unit_test(no_line_comes_twice_or_in_anothers_place),
	    cmocka_unit_test(no_flipped_bit_is_taken),
	    cmocka_unit_test(numbers_have_to_go_on),
	    cmocka_unit_test(words_are_one_line_and_bounded),
	    cmocka_unit_test(another_registrys_statement_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
