/* Manifests of backups: what is signed is read back, and nothing else is. */
#include "cdop/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/proto/notes.h"

#define ROOT   "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define ORIGIN "00112233445566778899aabbccddeeff/1"
#define HEAD   ORIGIN "\n7\n" ROOT "\n"
#define BODY                                                                   \
	"cdop-backup/1\nnumber 3\ntaken 5\nrows 6\ncases 2\nbytes "            \
	"77\nsha256 " ROOT "\n"
#define SIGNED                                                                 \
	"\n\xe2\x80\x94 o "                                                    \
	"AAAAAA"                                                               \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"  \
	"AAAAAAAAAAAAAAAAAA"                                                   \
	"=\n"

static struct cdop_arena *arena;

static int
setup(void **state)
{
	(void)state;
	return cdop_arena_new(4u << 20, &arena) == CDOP_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	cdop_arena_free(arena);
	return 0;
}

static struct cdop_manifest_epoch epochs[] = {
    {.id = UINT64_C(1) << 48, .scope = "area", .area = "st-helens", .cases = 3},
    {.id = (UINT64_C(1) << 48) + 9, .scope = "log"},
};

static void
example(struct cdop_manifest *manifest, struct cdop_note_signer *signer)
{
	memset(manifest, 0, sizeof(*manifest));
	memcpy(manifest->checkpoint.origin, ORIGIN, sizeof(ORIGIN));
	manifest->checkpoint.size = 4711;
	memset(manifest->checkpoint.root, 0x5a, 32);
	manifest->number = 3;
	manifest->taken_ms = UINT64_C(1790000000123);
	manifest->rows = 375;
	manifest->cases = 39;
	manifest->bytes = 123456;
	memset(manifest->sha256, 0xa5, 32);
	manifest->epoch = epochs;
	manifest->n_epochs = 2;
	notes_signer(signer, ORIGIN, CDOP_NOTE_ED25519, 9);
}

static void
what_was_signed_is_read_back(void **state)
{
	struct cdop_manifest manifest, got;
	struct cdop_note_signer signer;
	struct cdop_bytes note;

	(void)state;
	example(&manifest, &signer);
	assert_int_equal(
	    cdop_manifest_sign(&manifest, &signer, arena, &note), CDOP_OK);
	assert_int_equal(cdop_manifest_parse(note, arena, &got), CDOP_OK);
	assert_memory_equal(got.epoch, epochs, sizeof(epochs));
	got.epoch = epochs;
	assert_memory_equal(&got, &manifest, sizeof(got));
}

static void
it_is_a_checkpoint_and_opens_as_one(void **state)
{
	struct cdop_checkpoint checkpoint;
	struct cdop_manifest manifest;
	struct cdop_note_signer signer;
	struct cdop_bytes note;

	(void)state;
	example(&manifest, &signer);
	assert_int_equal(
	    cdop_manifest_sign(&manifest, &signer, arena, &note), CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_open(note, &signer.key, &checkpoint), CDOP_OK);
	assert_memory_equal(
	    &checkpoint, &manifest.checkpoint, sizeof(checkpoint));
}

static void
every_altered_byte_of_the_text_breaks_the_signature(void **state)
{
	struct cdop_checkpoint checkpoint;
	struct cdop_manifest manifest;
	struct cdop_note_signer signer;
	struct cdop_bytes note;
	uint8_t copy[2048];
	size_t i;

	(void)state;
	example(&manifest, &signer);
	assert_int_equal(
	    cdop_manifest_sign(&manifest, &signer, arena, &note), CDOP_OK);
	assert_true(note.len <= sizeof(copy));
	for (i = 0; i < note.len; i++) {
		memcpy(copy, note.data, note.len);
		copy[i] ^= 1;
		assert_int_not_equal(
		    cdop_checkpoint_open((struct cdop_bytes){copy, note.len},
			&signer.key, &checkpoint),
		    CDOP_OK);
	}
}

static enum cdop_err
parse(const char *text)
{
	struct cdop_manifest got;

	return cdop_manifest_parse(NOTES_TEXT(text), arena, &got);
}

static void
what_is_no_manifest_is_refused(void **state)
{
	static const char *const bad[] = {
	    HEAD SIGNED,
	    HEAD "cdop-backup/1\n" SIGNED,
	    HEAD "cdop-backups/1\n" SIGNED,
	    HEAD BODY "more\n" SIGNED,
	    HEAD BODY "epoch\n" SIGNED,
	    HEAD BODY "epoch 1 area 2\n" SIGNED,
	    HEAD BODY "epoch 1 area wirral\n" SIGNED,
	    HEAD BODY "epoch 1 area Wirral 2\n" SIGNED,
	    HEAD BODY "epoch 1 log wirral 2\n" SIGNED,
	    HEAD BODY "epoch 01 log 2\n" SIGNED,
	    HEAD BODY "epoch 1 log 2 \n" SIGNED,
	    HEAD BODY "epoch 1 averylongscopethatis 2\n" SIGNED,
	    HEAD "cdop-backup/1\nnumber 3\ntaken 5\nrows 6\ncases 2\nbytes "
		 "x\nsha256 " ROOT "\n" SIGNED,
	    HEAD "cdop-backup/1\nnumber 3\ntaken 5\nrows 6\nbytes 7\ncases "
		 "2\nsha256 " ROOT "\n" SIGNED,
	};
	size_t i;

	(void)state;
	assert_int_equal(parse(HEAD BODY SIGNED), CDOP_OK);
	assert_int_equal(
	    parse(HEAD BODY "epoch 1 area wirral 2\n" SIGNED), CDOP_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]) != CDOP_INVALID_ARGUMENT)
			fail_msg("taken: %s", bad[i]);
}

static void
a_later_format_is_called_so(void **state)
{
	(void)state;
	assert_int_equal(
	    parse(HEAD "cdop-backup/2\nwhatever\n" SIGNED), CDOP_UNIMPLEMENTED);
}

static void
only_the_log_signs_it_and_words_are_words(void **state)
{
	struct cdop_manifest manifest;
	struct cdop_note_signer signer;
	struct cdop_bytes note;

	(void)state;
	example(&manifest, &signer);
	manifest.checkpoint.origin[0] = 'f';
	assert_int_equal(cdop_manifest_sign(&manifest, &signer, arena, &note),
	    CDOP_INVALID_ARGUMENT);
	example(&manifest, &signer);
	manifest.epoch = &(struct cdop_manifest_epoch){.scope = "area"};
	manifest.n_epochs = 1;
	assert_int_equal(cdop_manifest_sign(&manifest, &signer, arena, &note),
	    CDOP_INVALID_ARGUMENT);
	manifest.epoch =
	    &(struct cdop_manifest_epoch){.scope = "log", .area = "a\nb"};
	assert_int_equal(cdop_manifest_sign(&manifest, &signer, arena, &note),
	    CDOP_INVALID_ARGUMENT);
}

static void
as_many_epochs_as_a_registry_has_fit(void **state)
{
	struct cdop_manifest manifest, got;
	struct cdop_note_signer signer;
	struct cdop_bytes note;
	size_t i;

	(void)state;
	example(&manifest, &signer);
	manifest.n_epochs = CDOP_MANIFEST_EPOCHS_MAX;
	manifest.epoch = cdop_arena_calloc(
	    arena, manifest.n_epochs, sizeof(*manifest.epoch));
	assert_non_null(manifest.epoch);
	for (i = 0; i < manifest.n_epochs; i++) {
		manifest.epoch[i] = epochs[0];
		memset(manifest.epoch[i].area, 'a', CDOP_MANIFEST_AREA_MAX);
		manifest.epoch[i].id = UINT64_MAX;
		manifest.epoch[i].cases = UINT64_MAX;
	}
	assert_int_equal(
	    cdop_manifest_sign(&manifest, &signer, arena, &note), CDOP_OK);
	assert_int_equal(cdop_manifest_parse(note, arena, &got), CDOP_OK);
	assert_int_equal(got.n_epochs, CDOP_MANIFEST_EPOCHS_MAX);
	manifest.n_epochs++;
	assert_int_equal(cdop_manifest_sign(&manifest, &signer, arena, &note),
	    CDOP_INVALID_ARGUMENT);
}

static void
a_code_is_read_as_it_was_typed(void **state)
{
	const uint8_t proof[CDOP_MANIFEST_PROOF] = {
	    0, 1, 2, 0x7f, 0x80, 0xff, 0xfe, 9, 8, 7};
	uint8_t got[CDOP_MANIFEST_PROOF];
	char text[CDOP_MANIFEST_PROOF_TEXT];

	(void)state;
	cdop_manifest_proof_write(proof, text);
	assert_string_equal(text, "AAAQ-E74A-777A-SCAH");
	assert_int_equal(cdop_manifest_proof_parse(text, got), CDOP_OK);
	assert_memory_equal(got, proof, sizeof(got));
	assert_int_equal(
	    cdop_manifest_proof_parse("aaaqe74a 777a-scah", got), CDOP_OK);
	assert_memory_equal(got, proof, sizeof(got));
	assert_int_equal(cdop_manifest_proof_parse("AAAQ-E74A-777A-SCA", got),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_manifest_proof_parse("AAAQ-E74A-777A", got),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_manifest_proof_parse("AAAQ-E74A-777A-SCAH-AA", got),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_manifest_proof_parse("1AAQ-E74A-777A-SCAH", got),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    cdop_manifest_proof_parse("", got), CDOP_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_signed_is_read_back),
	    TEST(it_is_a_checkpoint_and_opens_as_one),
	    TEST(every_altered_byte_of_the_text_breaks_the_signature),
	    TEST(what_is_no_manifest_is_refused),
	    TEST(a_later_format_is_called_so),
	    TEST(only_the_log_signs_it_and_words_are_words),
	    TEST(a_code_is_read_as_it_was_typed),
	    TEST(as_many_epochs_as_a_registry_has_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
