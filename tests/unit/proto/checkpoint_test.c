/* Checkpoints: published ones, our own, and what is none. */
#include "cdop/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "tests/unit/proto/notes.h"

#define ROOT   "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define ORIGIN "00112233445566778899aabbccddeeff/1"

static enum cdop_err
parse(const char *text, struct cdop_checkpoint *ret_checkpoint)
{
	return cdop_checkpoint_parse(NOTES_TEXT(text), ret_checkpoint);
}

static void
is_published(
    const char *name, const char *origin, uint64_t size, const char *root)
{
	char text[CDOP_BASE64_LEN(CDOP_MERKLE_HASH) + 1];
	struct cdop_checkpoint checkpoint;
	struct notes_published file;
	struct cdop_note note;

	notes_load(&file, name);
	assert_int_equal(
	    cdop_note_parse((struct cdop_bytes){file.file, file.len}, &note),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_parse(note.text, &checkpoint), CDOP_OK);
	assert_string_equal(checkpoint.origin, origin);
	assert_int_equal(checkpoint.size, size);
	cdop_secret_base64(
	    (struct cdop_bytes){checkpoint.root, CDOP_MERKLE_HASH}, text);
	assert_string_equal(text, root);
}

static void
published_checkpoints_are_read(void **state)
{
	(void)state;
	is_published("sumdb", "go.sum database tree", 30055305,
	    "mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=");
	is_published("arche", "arche2025h1.staging.ct.transparency.dev",
	    1432088532, "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=");
}

static void
lines_behind_the_third_are_tolerated(void **state)
{
	struct cdop_checkpoint c;

	(void)state;
	assert_int_equal(
	    parse("o\n7\n" ROOT "\nmore\nand more\n", &c), CDOP_OK);
	assert_int_equal(c.size, 7);
	assert_int_equal(
	    parse("o\n7\n" ROOT "\n\n", &c), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    parse("o\n7\n" ROOT "\nmore\n\nmore\n", &c), CDOP_INVALID_ARGUMENT);
}

static void
what_is_no_checkpoint_is_refused(void **state)
{
	static const char *const bad[] = {"", "o\n", "o\n7\n", "o\n7\n" ROOT,
	    "\n7\n" ROOT "\n", "o\n\n" ROOT "\n", "o\n07\n" ROOT "\n",
	    "o\n00\n" ROOT "\n", "o\n+7\n" ROOT "\n", "o\n-7\n" ROOT "\n",
	    "o\n7 \n" ROOT "\n", "o\n 7\n" ROOT "\n", "o\n0x7\n" ROOT "\n",
	    "o\n18446744073709551616\n" ROOT "\n",
	    "o\n99999999999999999999999\n" ROOT "\n",
	    "o\n4611686018427387905\n" ROOT "\n", "o\n7\n\n",
	    "o\n7\n" ROOT "=\n", "o\n7\n" ROOT " \n", "o\r\n7\r\n" ROOT "\r\n",
	    /* 31 bytes, 33 bytes, and 32 with a stray bit. */
	    "o\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
	    "o\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2Ia\n",
	    "o\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n"};
	struct cdop_checkpoint checkpoint;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &checkpoint) != CDOP_INVALID_ARGUMENT)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(
	    parse("o\n4611686018427387904\n" ROOT "\n", &checkpoint), CDOP_OK);
	assert_int_equal(parse("o\n0\n" ROOT "\n", &checkpoint), CDOP_OK);
}

/* ---- ours ---------------------------------------------------------------- */

static void
example(struct cdop_checkpoint *checkpoint, struct cdop_note_signer *signer)
{
	memset(checkpoint, 0, sizeof(*checkpoint));
	memcpy(checkpoint->origin, ORIGIN, sizeof(ORIGIN));
	checkpoint->size = 20852163;
	memset(checkpoint->root, 0x5a, sizeof(checkpoint->root));
	notes_signer(signer, ORIGIN, CDOP_NOTE_ED25519, 9);
}

static void
a_signed_checkpoint_opens_and_is_the_same(void **state)
{
	struct cdop_checkpoint checkpoint, got;
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct cdop_note_signer signer;
	size_t len;

	(void)state;
	example(&checkpoint, &signer);
	assert_int_equal(
	    cdop_checkpoint_sign(&checkpoint, &signer, note, &len), CDOP_OK);
	assert_memory_equal(note, ORIGIN "\n20852163\nWlpa",
	    sizeof(ORIGIN "\n20852163\nWlpa") - 1);
	assert_int_equal(cdop_checkpoint_open(
			     (struct cdop_bytes){note, len}, &signer.key, &got),
	    CDOP_OK);
	assert_memory_equal(&got, &checkpoint, sizeof(got));
}

static void
the_longest_checkpoint_fits(void **state)
{
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct cdop_checkpoint checkpoint;
	struct cdop_note_signer signer;
	size_t len;

	(void)state;
	memset(&checkpoint, 0, sizeof(checkpoint));
	memset(checkpoint.origin, 'o', CDOP_NOTE_NAME_MAX);
	checkpoint.size = CDOP_MERKLE_SIZE_MAX;
	notes_signer(&signer, checkpoint.origin, CDOP_NOTE_ED25519, 9);
	assert_int_equal(
	    cdop_checkpoint_sign(&checkpoint, &signer, note, &len), CDOP_OK);
	assert_int_equal(cdop_checkpoint_open((struct cdop_bytes){note, len},
			     &signer.key, &checkpoint),
	    CDOP_OK);
	checkpoint.size++;
	assert_int_equal(cdop_checkpoint_sign(&checkpoint, &signer, note, &len),
	    CDOP_INVALID_ARGUMENT);
}

static void
any_altered_byte_is_refused(void **state)
{
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct cdop_checkpoint checkpoint;
	struct cdop_note_signer signer;
	struct cdop_bytes file = {note, 0};
	size_t i;
	unsigned bit;

	(void)state;
	example(&checkpoint, &signer);
	assert_int_equal(
	    cdop_checkpoint_sign(&checkpoint, &signer, note, &file.len),
	    CDOP_OK);
	for (i = 0; i < file.len; i++)
		for (bit = 0; bit < 8; bit++) {
			note[i] ^= (uint8_t)(1 << bit);
			assert_int_not_equal(cdop_checkpoint_open(file,
						 &signer.key, &checkpoint),
			    CDOP_OK);
			note[i] ^= (uint8_t)(1 << bit);
		}
	for (file.len--; file.len > 0; file.len--)
		assert_int_not_equal(
		    cdop_checkpoint_open(file, &signer.key, &checkpoint),
		    CDOP_OK);
}

static void
only_the_logs_own_key_signs_a_checkpoint(void **state)
{
	struct cdop_note_signer log, other, witness;
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX], text[CDOP_CHECKPOINT_TEXT_MAX];
	struct cdop_checkpoint checkpoint;
	struct cdop_bytes file = {note, 0};
	size_t len;

	(void)state;
	example(&checkpoint, &log);
	notes_signer(&other, "other/1", CDOP_NOTE_ED25519, 9);
	notes_signer(&witness, ORIGIN, CDOP_NOTE_COSIGNATURE, 9);
	assert_int_equal(cdop_checkpoint_sign(&checkpoint, &other, note, &len),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_checkpoint_sign(&checkpoint, &witness, note, &len),
	    CDOP_INVALID_ARGUMENT);
	/* A good signature by a key whose name is not the origin. */
	assert_int_equal(
	    cdop_checkpoint_write(&checkpoint, text, &len), CDOP_OK);
	assert_int_equal(cdop_note_sign((struct cdop_bytes){text, len}, &other,
			     0, note, sizeof(note), &file.len),
	    CDOP_OK);
	assert_int_equal(cdop_checkpoint_open(file, &other.key, &checkpoint),
	    CDOP_NOT_FOUND);
	assert_int_equal(
	    cdop_checkpoint_open(file, &log.key, &checkpoint), CDOP_NOT_FOUND);
}

static void
an_origin_of_ours_is_a_name(void **state)
{
	static const char *const bad[] = {"", "two words", "a+b", "a\nb"};
	uint8_t text[CDOP_CHECKPOINT_TEXT_MAX];
	struct cdop_checkpoint checkpoint;
	size_t i, len;

	(void)state;
	for (i = 0; i < 4; i++) {
		memset(&checkpoint, 0, sizeof(checkpoint));
		memcpy(checkpoint.origin, bad[i], strlen(bad[i]));
		assert_int_equal(cdop_checkpoint_write(&checkpoint, text, &len),
		    CDOP_INVALID_ARGUMENT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_checkpoints_are_read),
	    cmocka_unit_test(lines_behind_the_third_are_tolerated),
	    cmocka_unit_test(what_is_no_checkpoint_is_refused),
	    cmocka_unit_test(a_signed_checkpoint_opens_and_is_the_same),
	    cmocka_unit_test(the_longest_checkpoint_fits),
	    cmocka_unit_test(any_altered_byte_is_refused),
	    cmocka_unit_test(only_the_logs_own_key_signs_a_checkpoint),
	    cmocka_unit_test(an_origin_of_ours_is_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
