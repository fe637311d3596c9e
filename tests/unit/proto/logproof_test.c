/* Proofs as texts: round trips, what is refused, and what does not hold. */
#include "cdop/logproof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"
#include "tests/unit/proto/notes.h"
#include "tests/unit/proto/rfc6962.h"

#define ORIGIN   "00112233445566778899aabbccddeeff/1"
#define TEXT_MAX CDOP_LOGPROOF_MAX(CDOP_CHECKPOINT_NOTE_MAX)
#define SIZE     13 /* leaves of the example, */
#define INDEX    5  /* of which this one is proved */
#define HASH64   "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="
#define NOTE     "o\n1\n" HASH64 "\n\n\xe2\x80\x94 o AAAAAAA=\n"

struct example {
	struct cdop_note_signer signer;
	struct cdop_logproof logproof;
	uint8_t checkpoint[CDOP_CHECKPOINT_NOTE_MAX];
	uint8_t text[TEXT_MAX];
	size_t len;
};

static void
make(struct example *e, size_t extra_len)
{
	struct cdop_checkpoint checkpoint;
	size_t i, len;

	memset(e, 0, sizeof(*e));
	memset(&checkpoint, 0, sizeof(checkpoint));
	notes_signer(&e->signer, ORIGIN, CDOP_NOTE_ED25519, 3);
	memcpy(checkpoint.origin, ORIGIN, sizeof(ORIGIN));
	checkpoint.size = SIZE;
	memcpy(checkpoint.root, rfc6962_mth(0, SIZE), CDOP_MERKLE_HASH);
	assert_int_equal(
	    cdop_checkpoint_sign(&checkpoint, &e->signer, e->checkpoint, &len),
	    CDOP_OK);
	e->logproof.checkpoint = (struct cdop_bytes){e->checkpoint, len};
	e->logproof.index = INDEX;
	rfc6962_path(INDEX, 0, SIZE, &e->logproof.proof);
	e->logproof.extra_len = extra_len;
	for (i = 0; i < extra_len; i++)
		e->logproof.extra[i] = (uint8_t)(i * 7);
	assert_int_equal(cdop_logproof_write(
			     &e->logproof, e->text, sizeof(e->text), &e->len),
	    CDOP_OK);
}

static enum cdop_err
parse(const char *text)
{
	struct cdop_logproof logproof;

	return cdop_logproof_parse(NOTES_TEXT(text), &logproof);
}

static void
a_proof_written_is_read_back_the_same(void **state)
{
	static const size_t lens[] = {0, 1, 288, CDOP_LOGPROOF_EXTRA_MAX};
	struct cdop_logproof got;
	struct example e;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		make(&e, lens[i]);
		assert_int_equal(cdop_logproof_parse(
				     (struct cdop_bytes){e.text, e.len}, &got),
		    CDOP_OK);
		assert_int_equal(got.extra_len, lens[i]);
		assert_memory_equal(got.extra, e.logproof.extra, lens[i]);
		assert_int_equal(got.index, INDEX);
		assert_int_equal(got.proof.n, e.logproof.proof.n);
		assert_memory_equal(got.proof.hash, e.logproof.proof.hash,
		    got.proof.n * CDOP_MERKLE_HASH);
		assert_int_equal(got.checkpoint.len, e.logproof.checkpoint.len);
		assert_memory_equal(
		    got.checkpoint.data, e.checkpoint, got.checkpoint.len);
		assert_int_equal(
		    cdop_logproof_check(&got, rfc6962_mth(INDEX, INDEX + 1),
			&e.signer.key, NULL),
		    CDOP_OK);
	}
}

static void
the_text_is_the_one_of_the_specification(void **state)
{
	static const char head[] = "c2sp.org/tlog-proof@v1\nextra AAcO\n"
				   "index 5\n";
	struct example e;

	(void)state;
	make(&e, 3);
	assert_memory_equal(e.text, head, sizeof(head) - 1);
	assert_int_equal(e.text[e.len - 1], '\n');
	make(&e, 0);
	assert_memory_equal(e.text, "c2sp.org/tlog-proof@v1\nindex 5\n", 31);
}

static void
any_altered_byte_is_refused(void **state)
{
	struct cdop_logproof got;
	struct cdop_bytes text;
	enum cdop_err err;
	struct example e;
	unsigned bit;
	size_t i;

	(void)state;
	make(&e, 0);
	text = (struct cdop_bytes){e.text, e.len};
	for (i = 0; i < e.len; i++)
		for (bit = 0; bit < 8; bit++) {
			e.text[i] ^= (uint8_t)(1 << bit);
			err = cdop_logproof_parse(text, &got);
			if (err == CDOP_OK)
				err = cdop_logproof_check(&got,
				    rfc6962_mth(INDEX, INDEX + 1),
				    &e.signer.key, NULL);
			assert_int_not_equal(err, CDOP_OK);
			e.text[i] ^= (uint8_t)(1 << bit);
		}
	for (text.len--; text.len > 0; text.len--)
		assert_int_equal(
		    cdop_logproof_parse(text, &got), CDOP_INVALID_ARGUMENT);
}

static void
another_leaf_another_index_and_another_key_do_not_hold(void **state)
{
	struct cdop_checkpoint checkpoint = {.size = 1};
	struct cdop_note_signer other;
	struct example e;

	(void)state;
	make(&e, 0);
	notes_signer(&other, ORIGIN, CDOP_NOTE_ED25519, 4);
	assert_int_equal(cdop_logproof_check(&e.logproof, rfc6962_mth(6, 7),
			     &e.signer.key, &checkpoint),
	    CDOP_DATA_LOSS);
	assert_int_equal(cdop_logproof_check(&e.logproof, rfc6962_mth(5, 6),
			     &other.key, &checkpoint),
	    CDOP_NOT_FOUND);
	e.logproof.index++;
	assert_int_equal(cdop_logproof_check(&e.logproof, rfc6962_mth(5, 6),
			     &e.signer.key, &checkpoint),
	    CDOP_DATA_LOSS);
	assert_int_equal(checkpoint.size, 1);
	e.logproof.index--;
	assert_int_equal(cdop_logproof_check(&e.logproof, rfc6962_mth(5, 6),
			     &e.signer.key, &checkpoint),
	    CDOP_OK);
	assert_int_equal(checkpoint.size, SIZE);
}

static void
the_shape_of_a_proof_is_strict(void **state)
{
	static const char *const bad[] = {
	    "c2sp.org/tlog-proof@v1\n",
	    "c2sp.org/tlog-proof@v2\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1 \nindex 0\n\n" NOTE,
	    " c2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE,
	    "\nc2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n" NOTE,
	    "c2sp.org/tlog-proof@v1\n\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex \n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 00\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 01\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex -1\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex  1\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 1 \n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 18446744073709551616\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 0\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nextra\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nextra AAA\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nextra AAB=\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nextra AA A=\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nextra AAAA\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 0\n" HASH64 "\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 0\n" HASH64 "=\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\nindex 0\n\n",
	    "c2sp.org/tlog-proof@v1\nindex 0\n\no\n1\n" HASH64 "\n",
	    "c2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE "\n",
	    "c2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE "x",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]) != CDOP_INVALID_ARGUMENT)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(
	    parse("c2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE), CDOP_OK);
	assert_int_equal(
	    parse("c2sp.org/tlog-proof@v1\nextra AAAA\nindex 7\n" HASH64
		  "\n\n" NOTE),
	    CDOP_OK);
}

static void
proof_and_extra_are_bounded(void **state)
{
	char hashes[sizeof(HASH64) * (CDOP_MERKLE_PROOF_MAX + 1) + 1];
	char extra[CDOP_BASE64_LEN(CDOP_LOGPROOF_EXTRA_MAX + 1) + 1];
	char text[sizeof(hashes) + sizeof(extra) + sizeof(NOTE) + 64];
	size_t i;

	(void)state;
	for (i = 0; i <= CDOP_MERKLE_PROOF_MAX; i++)
		memcpy(hashes + i * sizeof(HASH64), HASH64 "\n",
		    sizeof(HASH64 "\n"));
	(void)snprintf(text, sizeof(text),
	    "c2sp.org/tlog-proof@v1\nindex 0\n%s\n" NOTE, hashes);
	assert_int_equal(parse(text), CDOP_INVALID_ARGUMENT);
	hashes[CDOP_MERKLE_PROOF_MAX * sizeof(HASH64)] = '\0';
	(void)snprintf(text, sizeof(text),
	    "c2sp.org/tlog-proof@v1\nindex 0\n%s\n" NOTE, hashes);
	assert_int_equal(parse(text), CDOP_OK);
	memset(extra, 'A', sizeof(extra));
	extra[sizeof(extra) - 1] = '\0';
	(void)snprintf(text, sizeof(text),
	    "c2sp.org/tlog-proof@v1\nextra %s\nindex 0\n\n" NOTE, extra);
	assert_int_equal(parse(text), CDOP_INVALID_ARGUMENT);
}

static void
what_could_not_be_read_is_not_written(void **state)
{
	uint8_t out[TEXT_MAX];
	struct example e;
	size_t i, len;

	(void)state;
	make(&e, 288);
	for (i = 0; i < e.len; i++)
		assert_int_equal(cdop_logproof_write(&e.logproof, out, i, &len),
		    CDOP_RESOURCE_EXHAUSTED);
	e.logproof.checkpoint.len--;
	assert_int_equal(
	    cdop_logproof_write(&e.logproof, out, sizeof(out), &len),
	    CDOP_INVALID_ARGUMENT);
	e.logproof.checkpoint.len++;
	e.logproof.extra_len = CDOP_LOGPROOF_EXTRA_MAX + 1;
	assert_int_equal(
	    cdop_logproof_write(&e.logproof, out, sizeof(out), &len),
	    CDOP_INVALID_ARGUMENT);
	e.logproof.extra_len = 0;
	e.logproof.proof.n = CDOP_MERKLE_PROOF_MAX + 1;
	assert_int_equal(
	    cdop_logproof_write(&e.logproof, out, sizeof(out), &len),
	    CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_proof_written_is_read_back_the_same),
	    cmocka_unit_test(the_text_is_the_one_of_the_specification),
	    cmocka_unit_test(any_altered_byte_is_refused),
	    cmocka_unit_test(
		another_leaf_another_index_and_another_key_do_not_hold),
	    cmocka_unit_test(the_shape_of_a_proof_is_strict),
	    cmocka_unit_test(proof_and_extra_are_bounded),
	    cmocka_unit_test(what_could_not_be_read_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
