/* Certificates of destruction: what is signed is read back, whole or not. */
#include "cdop/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ORIGIN "00112233445566778899aabbccddeeff/1"

static struct cdop_arena *arena;

static int
setup(void **state)
{
	(void)state;
	return cdop_arena_new(8u << 20, &arena) == CDOP_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	cdop_arena_free(arena);
	return 0;
}

static struct cdop_certificate_backup backups[CDOP_CERTIFICATE_BACKUPS];
static struct cdop_certificate_range ranges[CDOP_CERTIFICATE_RANGES];
static struct cdop_certificate_count census[1024];
static uint64_t destroyed[1024];

static void
example(struct cdop_certificate *out, struct cdop_note_signer *signer)
{
	static const uint8_t seed[CDOP_NOTE_SEED_LEN] = {7};

	memset(out, 0, sizeof(*out));
	memcpy(out->checkpoint.origin, ORIGIN, sizeof(ORIGIN));
	out->checkpoint.size = 4711;
	out->number = 3;
	out->issued_ms = UINT64_C(1790000000123);
	out->reference = "K7M4-QX2Q";
	out->ground = "court_order";
	out->rows = 17;
	out->destroyed = destroyed;
	out->n_destroyed = 1;
	out->census = census;
	out->n_census = 1;
	out->backup = backups;
	out->n_backup = 3;
	backups[0].label = "a label with blanks";
	backups[1].holds = CDOP_CERTIFICATE_EPOCH;
	backups[1].label = "epoch";
	backups[2].holds = CDOP_CERTIFICATE_UNKNOWN;
	backups[2].label = "cut";
	assert_int_equal(
	    cdop_note_signer_init(signer, ORIGIN, CDOP_NOTE_ED25519, seed),
	    CDOP_OK);
}

static const char *
says(const struct cdop_certificate_line *line, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(line[i].word, word) == 0)
			return line[i].says;
	return NULL;
}

static void
what_is_signed_is_read_back(void **state)
{
	struct cdop_certificate_line *line;
	struct cdop_certificate certificate;
	struct cdop_checkpoint checkpoint;
	struct cdop_note_signer signer;
	struct cdop_bytes note;
	size_t n;

	(void)state;
	example(&certificate, &signer);
	assert_int_equal(
	    cdop_certificate_sign(&certificate, &signer, arena, &note),
	    CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_open(note, &signer.key, &checkpoint), CDOP_OK);
	assert_int_equal(checkpoint.size, 4711);
	assert_int_equal(
	    cdop_certificate_parse(note, arena, &line, &n), CDOP_OK);
	assert_string_equal(says(line, n, "number"), "3");
	assert_string_equal(says(line, n, "erased"), "K7M4-QX2Q");
	assert_string_equal(says(line, n, "census"), "0 0");
	assert_string_equal(
	    says(line, n, "backup"), "0 0 holds a label with blanks");
	assert_null(says(line, n, "more-backups"));
	assert_null(says(line, n, "cause"));
	assert_null(says(line, n, "root"));
	assert_non_null(says(line, n, "outside"));

	/* A line break in a label is no line of its own. */
	backups[0].label = "x\ndestroyed 7";
	certificate.compromised = true;
	certificate.renewed = true;
	certificate.n_destroyed = 0;
	assert_int_equal(
	    cdop_certificate_sign(&certificate, &signer, arena, &note),
	    CDOP_OK);
	assert_int_equal(
	    cdop_certificate_parse(note, arena, &line, &n), CDOP_OK);
	assert_null(says(line, n, "destroyed"));
	assert_string_equal(says(line, n, "cause"), "compromised");
	assert_string_equal(says(line, n, "root"), "renewed");
	assert_string_equal(says(line, n, "backup"), "0 0 holds x destroyed 7");

	/* What a restore has made unknown is not claimed. */
	assert_null(memmem(note.data, note.len, "\noutside lost", 13));
	certificate.incarnation = 2;
	assert_int_equal(
	    cdop_certificate_sign(&certificate, &signer, arena, &note),
	    CDOP_OK);
	assert_non_null(memmem(note.data, note.len,
	    "\noutside lost: before incarnation 2 backups were ", 49));

	certificate.reference = NULL;
	assert_int_equal(
	    cdop_certificate_sign(&certificate, &signer, arena, &note),
	    CDOP_OK);
	assert_int_equal(
	    cdop_certificate_parse(note, arena, &line, &n), CDOP_OK);
	assert_null(says(line, n, "erased"));
	assert_null(says(line, n, "ground"));
}

/* As much as a registry can have: it has to be told, and not to be stuck. */
static void
the_longest_one_fits(void **state)
{
	struct cdop_certificate certificate;
	struct cdop_note_signer signer;
	struct cdop_bytes note;
	char label[4 * 80 + 1];
	size_t i;

	(void)state;
	example(&certificate, &signer);
	for (i = 0; i < sizeof(label) - 1; i += 4)
		memcpy(label + i, "\xf0\x90\x8d\x88", 4);
	label[sizeof(label) - 1] = '\0';
	for (i = 0; i < CDOP_CERTIFICATE_BACKUPS; i++)
		backups[i] = (struct cdop_certificate_backup){
		    .number = UINT16_MAX,
		    .begun_ms = UINT64_C(1) << 45,
		    .holds = CDOP_CERTIFICATE_GONE,
		    .label = label,
		    .said_ms = UINT64_C(1) << 45,
		    .said_by = UINT32_MAX,
		    .said_second = UINT32_MAX,
		};
	for (i = 0; i < 1024; i++) {
		destroyed[i] = UINT64_MAX;
		census[i].key = UINT64_MAX;
		census[i].n = UINT32_MAX;
	}
	certificate.n_backup = CDOP_CERTIFICATE_BACKUPS;
	certificate.n_census = 1024;
	certificate.n_destroyed = 1024;
	for (i = 0; i < CDOP_CERTIFICATE_RANGES; i++)
		ranges[i] = (struct cdop_certificate_range){
		    UINT16_MAX, UINT16_MAX, CDOP_CERTIFICATE_GONE};
	certificate.range = ranges;
	certificate.n_ranges = CDOP_CERTIFICATE_RANGES;
	certificate.more_backups = UINT16_MAX;
	assert_int_equal(
	    cdop_certificate_sign(&certificate, &signer, arena, &note),
	    CDOP_OK);
}

static void
what_is_none_is_refused(void **state)
{
	struct cdop_certificate_line *line;
	struct cdop_certificate certificate;
	struct cdop_note_signer signer;
	struct cdop_bytes note;
	uint8_t *at;
	size_t n;

	(void)state;
	example(&certificate, &signer);
	assert_int_equal(
	    cdop_certificate_sign(&certificate, &signer, arena, &note),
	    CDOP_OK);
	at = memmem(note.data, note.len, "certificate/1", 13);
	assert_non_null(at);
	at[12] = '2';
	assert_int_equal(
	    cdop_certificate_parse(note, arena, &line, &n), CDOP_UNIMPLEMENTED);
	at[0] = 'x';
	assert_int_equal(cdop_certificate_parse(note, arena, &line, &n),
	    CDOP_INVALID_ARGUMENT);
	note.len /= 2;
	assert_int_equal(cdop_certificate_parse(note, arena, &line, &n),
	    CDOP_INVALID_ARGUMENT);
	certificate.checkpoint.origin[0] = 'x';
	assert_int_equal(
	    cdop_certificate_sign(&certificate, &signer, arena, &note),
	    CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_is_signed_is_read_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_longest_one_fits, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		what_is_none_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
