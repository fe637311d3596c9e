/* Notes that others have signed, and notes of our own. */
#include "cdop/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "tests/unit/proto/notes.h"

#define DASH "\xe2\x80\x94 "

static const char *const published[] = {"peter", "example", "sumdb", "arche"};

static int
setup(void **state)
{
	(void)state;
	return cdop_secret_init() == CDOP_OK ? 0 : -1;
}

/* ---- of others ----------------------------------------------------------- */

static void
published_notes_verify(void **state)
{
	struct notes_published note;
	size_t i, k;

	(void)state;
	for (i = 0; i < 4; i++) {
		notes_load(&note, published[i]);
		for (k = 0; k < note.n; k++)
			assert_int_equal(
			    notes_verify(note.file, note.len, &note.key[k]),
			    CDOP_OK);
	}
}

/* Only what is not of this key may change. */
static void
published_notes_altered_anywhere_do_not_verify(void **state)
{
	struct notes_published note;
	struct cdop_note parsed;
	const uint8_t *line;
	size_t i, at;

	(void)state;
	for (i = 0; i < 3; i++) {
		notes_load(&note, published[i]);
		assert_int_equal(
		    cdop_note_parse(
			(struct cdop_bytes){note.file, note.len}, &parsed),
		    CDOP_OK);
		line = parsed.signature[0].base64.data +
		    parsed.signature[0].base64.len;
		for (at = 0; note.file + at < line; at++) {
			note.file[at] ^= 1;
			assert_int_not_equal(
			    notes_verify(note.file, note.len, &note.key[0]),
			    CDOP_OK);
			note.file[at] ^= 1;
		}
	}
}

static void
a_published_checkpoint_is_cosigned_by_its_witnesses(void **state)
{
	struct notes_published arche;
	struct cdop_note note;
	uint64_t time_s;
	size_t k;

	(void)state;
	notes_load(&arche, "arche");
	assert_int_equal(arche.n, 5);
	assert_int_equal(
	    cdop_note_parse((struct cdop_bytes){arche.file, arche.len}, &note),
	    CDOP_OK);
	assert_int_equal(note.n, 6);
	for (k = 0; k < arche.n; k++) {
		assert_int_equal(
		    cdop_note_verify(&note, &arche.key[k], &time_s), CDOP_OK);
		assert_int_equal(arche.key[k].type,
		    k == 0 ? CDOP_NOTE_ED25519 : CDOP_NOTE_COSIGNATURE);
		assert_int_equal(time_s, k == 0 ? 0 : 0x6a122120);
	}
}

static void
published_vkeys_are_written_as_they_were_read(void **state)
{
	/* Its base64 has a plus in it. */
	static const char plus[] =
	    "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6";
	char text[CDOP_NOTE_VKEY_MAX];
	struct notes_published note;
	struct cdop_note_key key;
	size_t i, k;

	(void)state;
	assert_int_equal(cdop_note_key_parse(NOTES_TEXT(plus), &key), CDOP_OK);
	cdop_note_key_write(&key, text);
	assert_string_equal(text, plus);
	for (i = 0; i < 4; i++) {
		notes_load(&note, published[i]);
		for (k = 0; k < note.n; k++) {
			cdop_note_key_write(&note.key[k], text);
			assert_int_equal(
			    cdop_note_key_parse(NOTES_TEXT(text), &key),
			    CDOP_OK);
			assert_memory_equal(&key, &note.key[k], sizeof(key));
		}
	}
}

/* Go's package made the same bytes of the same seeds. */
static void
our_signatures_are_those_of_others(void **state)
{
	static const char seed_hex[] =
	    "810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173";
	struct cdop_note_signer peter, enoch;
	uint8_t seed[32], one[1024], both[1024];
	struct notes_published want;
	struct cdop_note note;
	size_t len;

	(void)state;
	notes_load(&want, "peter");
	assert_int_equal(
	    cdop_note_parse((struct cdop_bytes){want.file, want.len}, &note),
	    CDOP_OK);
	assert_int_equal(cdop_secret_unhex(seed_hex, seed, 32), CDOP_OK);
	assert_int_equal(cdop_note_signer_init(
			     &peter, "PeterNeumann", CDOP_NOTE_ED25519, seed),
	    CDOP_OK);
	assert_memory_equal(&peter.key, &want.key[0], sizeof(peter.key));
	notes_signer(&enoch, "EnochRoot", CDOP_NOTE_ED25519, 0);
	assert_int_equal(
	    cdop_note_sign(note.text, &peter, 0, one, sizeof(one), &len),
	    CDOP_OK);
	assert_int_equal(cdop_note_add((struct cdop_bytes){one, len}, &enoch, 0,
			     both, sizeof(both), &len),
	    CDOP_OK);
	assert_int_equal(len, want.len);
	assert_memory_equal(both, want.file, len);
}

/* ---- of ours ------------------------------------------------------------- */

static void
a_note_of_ours_verifies_by_its_key_and_no_other(void **state)
{
	struct cdop_note_signer a, b, same_name, witness;
	uint8_t note[512];
	size_t len;

	(void)state;
	notes_signer(&a, "a/1", CDOP_NOTE_ED25519, 1);
	notes_signer(&b, "b/1", CDOP_NOTE_ED25519, 1);
	notes_signer(&same_name, "a/1", CDOP_NOTE_ED25519, 2);
	notes_signer(&witness, "a/1", CDOP_NOTE_COSIGNATURE, 1);
	assert_int_equal(cdop_note_sign(NOTES_TEXT("x\n\ny\n"), &a, 0, note,
			     sizeof(note), &len),
	    CDOP_OK);
	assert_int_equal(notes_verify(note, len, &a.key), CDOP_OK);
	assert_int_equal(notes_verify(note, len, &b.key), CDOP_NOT_FOUND);
	assert_int_equal(
	    notes_verify(note, len, &same_name.key), CDOP_NOT_FOUND);
	assert_int_equal(notes_verify(note, len, &witness.key), CDOP_NOT_FOUND);
	/* A key that has the same id by chance, or by work. */
	same_name.key.id = a.key.id;
	assert_int_equal(
	    notes_verify(note, len, &same_name.key), CDOP_DATA_LOSS);
}

static void
a_cosignature_binds_its_time_and_the_text(void **state)
{
	struct cdop_note_signer log, witness;
	uint8_t note[512], twice[1024], *at, was;
	struct cdop_note parsed;
	uint64_t time_s;
	size_t len, i;

	(void)state;
	notes_signer(&log, "l/1", CDOP_NOTE_ED25519, 1);
	notes_signer(&witness, "w", CDOP_NOTE_COSIGNATURE, 2);
	assert_int_equal(cdop_note_sign(NOTES_TEXT("l/1\n"), &log, 0, note,
			     sizeof(note), &len),
	    CDOP_OK);
	assert_int_equal(cdop_note_add((struct cdop_bytes){note, len}, &witness,
			     1700000000, twice, sizeof(twice), &len),
	    CDOP_OK);
	assert_int_equal(notes_verify(twice, len, &log.key), CDOP_OK);
	assert_int_equal(
	    cdop_note_parse((struct cdop_bytes){twice, len}, &parsed), CDOP_OK);
	assert_int_equal(
	    cdop_note_verify(&parsed, &witness.key, &time_s), CDOP_OK);
	assert_int_equal(time_s, 1700000000);
	/* Bytes 4 to 11 are the time: characters 6 to 14 have bits of it. */
	at = twice + (parsed.signature[1].base64.data - twice);
	for (i = 6; i < 15; i++) {
		was = at[i];
		at[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(
		    notes_verify(twice, len, &witness.key), CDOP_DATA_LOSS);
		at[i] = was;
	}
	assert_int_equal(notes_verify(twice, len, &witness.key), CDOP_OK);
}

static void
of_two_cosignatures_both_hold_and_the_newer_time_counts(void **state)
{
	struct cdop_note_signer witness;
	uint8_t one[512], two[512];
	struct cdop_note note;
	uint64_t time_s;
	size_t len;

	(void)state;
	notes_signer(&witness, "w", CDOP_NOTE_COSIGNATURE, 2);
	assert_int_equal(cdop_note_sign(NOTES_TEXT("x\n"), &witness, 20, one,
			     sizeof(one), &len),
	    CDOP_OK);
	assert_int_equal(cdop_note_add((struct cdop_bytes){one, len}, &witness,
			     10, two, sizeof(two), &len),
	    CDOP_OK);
	assert_int_equal(
	    cdop_note_parse((struct cdop_bytes){two, len}, &note), CDOP_OK);
	assert_int_equal(
	    cdop_note_verify(&note, &witness.key, &time_s), CDOP_OK);
	assert_int_equal(time_s, 20);
	two[len - 10] ^= 1;
	assert_int_equal(
	    cdop_note_verify(&note, &witness.key, &time_s), CDOP_DATA_LOSS);
}

static void
what_cannot_be_a_note_is_not_signed(void **state)
{
	static const char *const texts[] = {"", "no end", "a\tb\n", "a\r\n",
	    "\xff\n", "\xed\xa0\x80\n", "\x1b[2J\n"};
	char longer[CDOP_NOTE_COSIGNED_MAX + 2];
	struct cdop_note_signer signer;
	uint8_t out[8192];
	size_t i, len, full;

	(void)state;
	notes_signer(&signer, "s", CDOP_NOTE_ED25519, 1);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(cdop_note_sign(NOTES_TEXT(texts[i]), &signer,
				     0, out, sizeof(out), &len),
		    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_note_sign(NOTES_TEXT("x\n"), &signer, 0, out,
			     sizeof(out), &full),
	    CDOP_OK);
	for (i = 0; i < full; i++)
		assert_int_equal(
		    cdop_note_sign(NOTES_TEXT("x\n"), &signer, 0, out, i, &len),
		    CDOP_RESOURCE_EXHAUSTED);
	/* Of a witness: a time that has no spelling, and a long text. */
	notes_signer(&signer, "s", CDOP_NOTE_COSIGNATURE, 1);
	assert_int_equal(cdop_note_sign(NOTES_TEXT("x\n"), &signer,
			     (uint64_t)INT64_MAX + 1, out, sizeof(out), &len),
	    CDOP_INVALID_ARGUMENT);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 2] = '\n';
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(cdop_note_sign(NOTES_TEXT(longer), &signer, 0, out,
			     sizeof(out), &len),
	    CDOP_INVALID_ARGUMENT);
	longer[sizeof(longer) - 3] = '\n';
	longer[sizeof(longer) - 2] = '\0';
	assert_int_equal(cdop_note_sign(NOTES_TEXT(longer), &signer, 0, out,
			     sizeof(out), &len),
	    CDOP_OK);
	assert_int_equal(notes_verify(out, len, &signer.key), CDOP_OK);
}

static void
a_note_takes_as_many_signatures_as_the_bound_says(void **state)
{
	static uint8_t notes[2][16384];
	struct cdop_note_signer signer;
	char name[8];
	size_t len, i;

	(void)state;
	notes_signer(&signer, "s0", CDOP_NOTE_ED25519, 1);
	assert_int_equal(cdop_note_sign(NOTES_TEXT("x\n"), &signer, 0, notes[0],
			     sizeof(notes[0]), &len),
	    CDOP_OK);
	for (i = 1; i < CDOP_NOTE_SIGNATURES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		notes_signer(&signer, name, CDOP_NOTE_ED25519, 1);
		assert_int_equal(
		    cdop_note_add((struct cdop_bytes){notes[~i & 1], len},
			&signer, 0, notes[i & 1], sizeof(notes[0]), &len),
		    CDOP_OK);
	}
	assert_int_equal(
	    notes_verify(notes[~i & 1], len, &signer.key), CDOP_OK);
	assert_int_equal(cdop_note_add((struct cdop_bytes){notes[~i & 1], len},
			     &signer, 0, notes[i & 1], sizeof(notes[0]), &len),
	    CDOP_INVALID_ARGUMENT);
	/* By hand one more. */
	memcpy(notes[~i & 1] + len, DASH "s AAAAAAA=\n", 15);
	assert_int_equal(notes_verify(notes[~i & 1], len + 15, &signer.key),
	    CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_notes_verify),
	    cmocka_unit_test(published_notes_altered_anywhere_do_not_verify),
	    cmocka_unit_test(
		a_published_checkpoint_is_cosigned_by_its_witnesses),
	    cmocka_unit_test(published_vkeys_are_written_as_they_were_read),
	    cmocka_unit_test(our_signatures_are_those_of_others),
	    cmocka_unit_test(a_note_of_ours_verifies_by_its_key_and_no_other),
	    cmocka_unit_test(a_cosignature_binds_its_time_and_the_text),
	    cmocka_unit_test(
		of_two_cosignatures_both_hold_and_the_newer_time_counts),
	    cmocka_unit_test(what_cannot_be_a_note_is_not_signed),
	    cmocka_unit_test(a_note_takes_as_many_signatures_as_the_bound_says),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
