/* Leaves: their bytes, their commitments, and what is none. */
#include "cdop/leaf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"

static struct cdop_leaf
example(enum cdop_leaf_kind kind)
{
	struct cdop_leaf leaf;

	memset(&leaf, 0, sizeof(leaf));
	leaf.kind = kind;
	leaf.answered = 0x0203;
	leaf.call = 0x04050607;
	leaf.index = 0x08090a0b0c0d0e0f;
	leaf.time_ms = 0x1011121314151617;
	leaf.size_before = 0x18191a1b1c1d1e1f;
	memset(leaf.actor, 0x20, sizeof(leaf.actor));
	memset(leaf.session, 0x40, sizeof(leaf.session));
	memset(leaf.commitment[CDOP_LEAF_REQUEST], 0x50, 32);
	return leaf;
}

static void
the_bytes_are_those_of_the_layout(void **state)
{
	struct cdop_leaf leaf = example(CDOP_LEAF_CALL);
	uint8_t want[CDOP_LEAF_LEN], got[CDOP_LEAF_LEN];
	size_t i;

	(void)state;
	memset(want, 0, sizeof(want));
	for (i = 2; i < 32; i++)
		want[i] = (uint8_t)i;
	want[0] = want[1] = 1;
	memset(want + 32, 0x20, 32);
	memset(want + 64, 0x40, 16);
	for (i = 0; i < CDOP_LEAF_FIELDS; i++) {
		memset(want + 80 + 32 * i, (int)(0x50 + i), 32);
		memset(leaf.commitment[i], (int)(0x50 + i), 32);
	}
	cdop_leaf_write(&leaf, got);
	assert_memory_equal(got, want, sizeof(got));
}

static void
every_kind_is_read_back_the_same(void **state)
{
	struct cdop_leaf leaf, got;
	uint8_t bytes[CDOP_LEAF_LEN], again[CDOP_LEAF_LEN];
	unsigned kind;

	(void)state;
	for (kind = CDOP_LEAF_CALL; kind <= CDOP_LEAF_STATEMENT; kind++) {
		memset(&got, 0, sizeof(got));
		leaf = example((enum cdop_leaf_kind)kind);
		cdop_leaf_write(&leaf, bytes);
		assert_int_equal(
		    cdop_leaf_parse(
			(struct cdop_bytes){bytes, sizeof(bytes)}, &got),
		    CDOP_OK);
		cdop_leaf_write(&got, again);
		assert_memory_equal(again, bytes, sizeof(again));
		assert_int_equal(got.kind, leaf.kind);
	}
}

static enum cdop_err
parse_with(enum cdop_leaf_kind kind, size_t at, uint8_t value)
{
	struct cdop_leaf leaf = example(kind);
	uint8_t bytes[CDOP_LEAF_LEN];

	cdop_leaf_write(&leaf, bytes);
	bytes[at] = value;
	return cdop_leaf_parse(
	    (struct cdop_bytes){bytes, sizeof(bytes)}, &leaf);
}

static void
what_is_no_leaf_is_refused(void **state)
{
	uint8_t bytes[CDOP_LEAF_LEN + 1];
	struct cdop_leaf leaf = example(CDOP_LEAF_CALL);
	size_t at, len;

	(void)state;
	cdop_leaf_write(&leaf, bytes);
	for (len = 0; len <= sizeof(bytes); len++)
		assert_int_equal(
		    cdop_leaf_parse((struct cdop_bytes){bytes, len}, &leaf),
		    len == CDOP_LEAF_LEN ? CDOP_OK : CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    parse_with(CDOP_LEAF_CALL, 0, 0), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    parse_with(CDOP_LEAF_CALL, 0, 2), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    parse_with(CDOP_LEAF_CALL, 1, 0), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    parse_with(CDOP_LEAF_CALL, 1, 4), CDOP_INVALID_ARGUMENT);
	for (at = 240; at < CDOP_LEAF_LEN; at++)
		assert_int_equal(
		    parse_with(CDOP_LEAF_CALL, at, 1), CDOP_INVALID_ARGUMENT);
	/* A statement commits to nothing but its note. */
	for (at = 112; at < 240; at++) {
		assert_int_equal(parse_with(CDOP_LEAF_CALL, at, 1), CDOP_OK);
		assert_int_equal(parse_with(CDOP_LEAF_STATEMENT, at, 1),
		    CDOP_INVALID_ARGUMENT);
	}
	assert_int_equal(parse_with(CDOP_LEAF_STATEMENT, 80, 1), CDOP_OK);
}

static void
a_commitment_is_hmac_sha256(void **state)
{
	/* RFC 4231, test case 2, whose key is filled with zeros to 32. */
	static const char hex[] = "5bdcc146bf60754e6a042426089575c7"
				  "5a003f089d2739839dec58b964ec3843";
	struct cdop_bytes parts[3] = {{(const uint8_t *)"what do ya want ", 16},
	    {NULL, 0}, {(const uint8_t *)"for nothing?", 12}};
	uint8_t salt[CDOP_LEAF_SALT_LEN] = {'J', 'e', 'f', 'e'};
	uint8_t got[32], want[32];

	(void)state;
	assert_int_equal(cdop_secret_unhex(hex, want, 32), CDOP_OK);
	cdop_leaf_commit(got, salt, parts, 3);
	assert_memory_equal(got, want, sizeof(got));
}

static void
a_leaf_is_of_its_request_and_of_no_other(void **state)
{
	struct cdop_bytes request = {(const uint8_t *)"request", 7};
	struct cdop_leaf leaf = example(CDOP_LEAF_CALL);
	uint8_t salt[CDOP_LEAF_SALT_LEN] = {1};

	(void)state;
	cdop_leaf_commit(leaf.commitment[CDOP_LEAF_REQUEST], salt, &request, 1);
	assert_true(cdop_leaf_is_of(&leaf, salt, request));
	request.len--;
	assert_false(cdop_leaf_is_of(&leaf, salt, request));
	request.len++;
	salt[31] = 1;
	assert_false(cdop_leaf_is_of(&leaf, salt, request));
	salt[31] = 0;
	leaf.kind = CDOP_LEAF_STATEMENT;
	assert_false(cdop_leaf_is_of(&leaf, salt, request));
}

static void
a_statements_leaf_has_the_hash_of_its_note(void **state)
{
	static const char hex[] = /* FIPS 180-2: "abc" */
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad";
	struct cdop_leaf leaf = example(CDOP_LEAF_STATEMENT);
	struct cdop_bytes note = {(const uint8_t *)"abc", 3};

	(void)state;
	assert_int_equal(
	    cdop_secret_unhex(hex, leaf.commitment[CDOP_LEAF_REQUEST], 32),
	    CDOP_OK);
	assert_true(cdop_leaf_is_of_statement(&leaf, note));
	note.len = 2;
	assert_false(cdop_leaf_is_of_statement(&leaf, note));
	note.len = 3;
	leaf.kind = CDOP_LEAF_CALL;
	assert_false(cdop_leaf_is_of_statement(&leaf, note));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_bytes_are_those_of_the_layout),
	    cmocka_unit_test(every_kind_is_read_back_the_same),
	    cmocka_unit_test(what_is_no_leaf_is_refused),
	    cmocka_unit_test(a_commitment_is_hmac_sha256),
	    cmocka_unit_test(a_leaf_is_of_its_request_and_of_no_other),
	    cmocka_unit_test(a_statements_leaf_has_the_hash_of_its_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
