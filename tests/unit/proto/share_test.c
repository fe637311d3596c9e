/* Share text: one slip is found, whatever and wherever it is. */
#include "cdop/share.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/secret.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static struct cdop_share
sample(void)
{
	struct cdop_share share = {.set = 3, .x = 5};
	size_t i;

	for (i = 0; i < sizeof(share.registry); i++)
		share.registry[i] = (uint8_t)(0xa0 + i);
	for (i = 0; i < sizeof(share.y); i++)
		share.y[i] = (uint8_t)(i * 7 + 1);
	return share;
}

static enum cdop_err
parse(const char *text, struct cdop_share *ret_share)
{
	return cdop_share_parse(
	    (struct cdop_bytes){(const uint8_t *)text, strlen(text)},
	    ret_share);
}

static void
what_is_written_is_read(void **state)
{
	struct cdop_share share = sample(), got;
	uint8_t bytes[CDOP_SHARE_LEN], again[CDOP_SHARE_LEN];
	char text[CDOP_SHARE_TEXT], odd[400];
	size_t i;

	(void)state;
	cdop_share_write(&share, text);
	assert_int_equal(strlen(text), CDOP_SHARE_TEXT - 1);
	assert_int_equal(parse(text, &got), CDOP_OK);
	cdop_share_pack(&share, bytes);
	cdop_share_pack(&got, again);
	assert_memory_equal(again, bytes, sizeof(again));
	assert_int_equal(cdop_share_count((struct cdop_bytes){
			     (const uint8_t *)text, strlen(text)}),
	    80);
	/* As it comes out of a file and a keyboard. */
	for (i = 0; text[i] != '\0'; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	(void)snprintf(odd, sizeof(odd),
	    "# cdop share 5 of 7 - keep it\r\n#\n\n  %s\n-\n", text);
	assert_int_equal(parse(odd, &got), CDOP_OK);
	cdop_share_pack(&got, again);
	assert_memory_equal(again, bytes, sizeof(again));
}

/* As Python's hashlib and base64 write it. */
static void
the_text_of_the_second_implementation(void **state)
{
	struct cdop_share share = sample();
	uint8_t registry[16], proof[CDOP_SHARE_COMMIT];
	uint8_t commit[CDOP_SHARE_COMMIT];
	char text[CDOP_SHARE_TEXT], hex[2 * CDOP_SHARE_COMMIT + 1];
	size_t i;

	(void)state;
	cdop_share_write(&share, text);
	assert_string_equal(text,
	    "AGQKD IVDUS S2NJY AAMCQ\n"
	    "CCAPC YOSIK ZSHFA EOTSV\n"
	    "LRRWU 4LYP6 DI3FE 3UKU3\n"
	    "BN56Y XGNHW SDGCV PVAH6\n");
	for (i = 0; i < sizeof(registry); i++)
		registry[i] = (uint8_t)(0xa0 + i);
	cdop_share_proof(&share, registry, proof);
	cdop_share_commit(proof, commit);
	cdop_secret_hex((struct cdop_bytes){commit, sizeof(commit)}, hex);
	assert_string_equal(hex,
	    "3c963dfcec476f9dab887d7ed47235655ebef25b8759147b1211011b9bbaae69");
}

static void
every_wrong_character_is_found(void **state)
{
	struct cdop_share share = sample(), got;
	char text[CDOP_SHARE_TEXT], c;
	size_t i, j;

	(void)state;
	cdop_share_write(&share, text);
	for (i = 0; text[i] != '\0'; i++) {
		if (isspace((unsigned char)text[i]))
			continue;
		c = text[i];
		for (j = 0; j < sizeof(letters) - 1; j++) {
			text[i] = letters[j];
			assert_int_equal(parse(text, &got),
			    c == letters[j] ? CDOP_OK : CDOP_DATA_LOSS);
		}
		text[i] = c;
	}
}

static bool
slip(const char *text, unsigned *ret_line, unsigned *ret_group)
{
	return cdop_share_slip(
	    (struct cdop_bytes){(const uint8_t *)text, strlen(text)}, ret_line,
	    ret_group);
}

static void
one_slip_is_told_by_its_place(void **state)
{
	struct cdop_share share = sample();
	char text[CDOP_SHARE_TEXT], c;
	unsigned line, group;
	size_t i, n = 0;

	(void)state;
	cdop_share_write(&share, text);
	for (i = 0; text[i] != '\0'; i++) {
		if (isspace((unsigned char)text[i]))
			continue;
		c = text[i];
		text[i] = c == 'Q' ? 'r' : 'Q';
		assert_true(slip(text, &line, &group));
		assert_int_equal(line, n / 20 + 1);
		assert_int_equal(group, n % 20 / 5 + 1);
		text[i] = c;
		n++;
	}
	c = text[7]; /* neighbours in the second group, then in two lines */
	text[7] = text[8];
	text[8] = c;
	assert_true(slip(text, &line, &group));
	assert_int_equal(line, 1);
	assert_int_equal(group, 2);
	text[8] = text[7];
	text[7] = c;
	c = text[22];
	text[22] = text[24];
	text[24] = c;
	assert_true(slip(text, &line, &group));
	assert_int_equal(line, 1);
	assert_int_equal(group, 4);
}

static void
two_slips_are_more_than_one(void **state)
{
	struct cdop_share share = sample();
	char text[CDOP_SHARE_TEXT];
	unsigned line, group;

	(void)state;
	cdop_share_write(&share, text);
	text[0] = text[0] == 'B' ? 'C' : 'B';
	text[50] = text[50] == 'B' ? 'C' : 'B';
	assert_false(slip(text, &line, &group));
	text[40] = '\0';
	assert_false(slip(text, &line, &group));
	assert_false(slip("", &line, &group));
}

static void
two_groups_that_changed_places_are_found(void **state)
{
	struct cdop_share share = sample(), got;
	char text[CDOP_SHARE_TEXT], group[CDOP_SHARE_GROUP];
	size_t i;

	(void)state;
	for (i = 0; i + 11 < CDOP_SHARE_TEXT - 1; i += 6) {
		cdop_share_write(&share, text);
		memcpy(group, text + i, sizeof(group));
		memcpy(text + i, text + i + 6, sizeof(group));
		memcpy(text + i + 6, group, sizeof(group));
		assert_int_equal(parse(text, &got), CDOP_DATA_LOSS);
	}
}

static void
what_is_no_share_is_said_to_be_none(void **state)
{
	struct cdop_share share = sample(), got;
	uint8_t bytes[CDOP_SHARE_LEN + 1];
	char text[CDOP_SHARE_TEXT + 1];

	(void)state;
	assert_int_equal(parse("", &got), CDOP_INVALID_ARGUMENT);
	assert_int_equal(parse("# only a note", &got), CDOP_INVALID_ARGUMENT);
	cdop_share_write(&share, text);
	text[strlen(text) - 2] = '\0';
	assert_int_equal(parse(text, &got), CDOP_INVALID_ARGUMENT);
	cdop_share_write(&share, text);
	text[CDOP_SHARE_TEXT - 1] = 'A';
	text[CDOP_SHARE_TEXT] = '\0';
	assert_int_equal(parse(text, &got), CDOP_INVALID_ARGUMENT);
	cdop_share_write(&share, text);
	text[3] = '1'; /* in no base32 */
	assert_int_equal(parse(text, &got), CDOP_INVALID_ARGUMENT);
	cdop_share_pack(&share, bytes);
	bytes[CDOP_SHARE_LEN] = 0;
	assert_int_equal(
	    cdop_share_unpack((struct cdop_bytes){bytes, sizeof(bytes)}, &got),
	    CDOP_INVALID_ARGUMENT);
	share.x = 0; /* there stands the secret itself */
	cdop_share_pack(&share, bytes);
	assert_int_equal(
	    cdop_share_unpack((struct cdop_bytes){bytes, CDOP_SHARE_LEN}, &got),
	    CDOP_INVALID_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(the_text_of_the_second_implementation),
	    cmocka_unit_test(every_wrong_character_is_found),
	    cmocka_unit_test(one_slip_is_told_by_its_place),
	    cmocka_unit_test(two_slips_are_more_than_one),
	    cmocka_unit_test(two_groups_that_changed_places_are_found),
	    cmocka_unit_test(what_is_no_share_is_said_to_be_none),
	};

	if (cdop_secret_init() != CDOP_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
