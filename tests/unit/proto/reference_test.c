/* Case references: a slip is never another child. */
#include "cdop/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The n-th of a fixed row of numbers spread over the whole range. */
static uint64_t
spread(uint64_t n)
{
	return (n * 0x9e3779b97f4a7c15ull + 12345) % CDOP_REFERENCE_NUMBERS;
}

static bool
is_valid(const char *text)
{
	char canonical[CDOP_REFERENCE_TEXT];
	uint64_t number;

	return cdop_reference_parse(text, false, canonical, &number) == CDOP_OK;
}

/* The next valid reference without its dash. */
static void
next(uint64_t *n, char plain[static 9])
{
	char text[CDOP_REFERENCE_TEXT];

	while (!cdop_reference_make(spread((*n)++), false, text))
		;
	memcpy(plain, text, 4);
	memcpy(plain + 4, text + 5, 5);
}

static void
what_is_made_reads_back(void **state)
{
	char text[CDOP_REFERENCE_TEXT], again[CDOP_REFERENCE_TEXT];
	uint64_t i, number;
	size_t made = 0;
	bool training;

	(void)state;
	for (i = 0; i < 20000; i++) {
		training = i % 2 != 0;
		if (!cdop_reference_make(spread(i), training, text))
			continue;
		made++;
		assert_int_equal(strlen(text), training ? 11 : 9);
		assert_int_equal(
		    cdop_reference_parse(text, training, again, &number),
		    CDOP_OK);
		assert_string_equal(text, again);
		assert_true(number == spread(i));
	}
	assert_in_range(made, 19000, 19900); /* 30 of 31 */
	assert_false(cdop_reference_make(CDOP_REFERENCE_NUMBERS, false, text));
}

/*
 * The sum is linear, so what a substitution or an exchange does to it does
 * not depend on the other symbols: all positions, all pairs, in a few
 * hundred references, is exhaustive.
 */
static void
every_wrong_symbol_is_caught(void **state)
{
	char plain[9], was;
	uint64_t n = 0;
	size_t round, i, c;

	(void)state;
	for (round = 0; round < 500; round++) {
		next(&n, plain);
		for (i = 0; i < 8; i++) {
			was = plain[i];
			for (c = 0; c < 30; c++) {
				plain[i] = alphabet[c];
				assert_true(
				    is_valid(plain) == (alphabet[c] == was));
			}
			plain[i] = was;
		}
	}
}

static void
every_exchange_of_two_is_caught(void **state)
{
	char plain[9], swapped[9];
	uint64_t n = 0;
	size_t round, i, j;

	(void)state;
	for (round = 0; round < 5000; round++) {
		next(&n, plain);
		for (i = 0; i < 8; i++)
			for (j = i + 1; j < 8; j++) {
				memcpy(swapped, plain, sizeof(plain));
				swapped[i] = plain[j];
				swapped[j] = plain[i];
				assert_true(is_valid(swapped) ==
				    (plain[i] == plain[j]));
			}
	}
}

/* All 8 x 7 places and all 30 x 30 pairs, by the weights themselves. */
static void
no_exchange_or_doubling_can_cancel(void **state)
{
	uint32_t w[8], i, j, a, b;

	(void)state;
	for (i = 0, w[0] = 1; i < 7; i++)
		w[i + 1] = w[i] * 3 % 31;
	for (i = 0; i < 8; i++)
		for (j = 0; j < i; j++)
			for (a = 0; a < 30; a++)
				for (b = 0; b < a; b++) {
					assert_true(
					    (w[i] * a + w[j] * b) % 31 !=
					    (w[i] * b + w[j] * a) % 31);
					assert_true((w[i] + w[j]) * a % 31 !=
					    (w[i] + w[j]) * b % 31);
				}
}

static void
it_may_be_typed_in_any_way(void **state)
{
	static const char *const dashes[] = {
	    "", " ", "-", " - ", "\xe2\x80\x93", "\xe2\x88\x92", "\xc2\xa0"};
	char plain[9], typed[32], text[CDOP_REFERENCE_TEXT];
	uint64_t n = 7, number;
	size_t i;

	(void)state;
	next(&n, plain);
	for (i = 0; i < 7; i++) {
		snprintf(typed, sizeof(typed), "%.4s%s%.4s", plain, dashes[i],
		    plain + 4);
		assert_int_equal(
		    cdop_reference_parse(typed, false, text, &number), CDOP_OK);
		assert_int_equal(text[4], '-');
	}
	for (i = 0; i < 8; i++)
		if (plain[i] >= 'A')
			plain[i] = (char)(plain[i] - 'A' + 'a');
	assert_true(is_valid(plain));
}

static void
what_is_no_reference_is_refused(void **state)
{
	static const char *const bad[] = {"", "-", "K7M4", "K7M4-QX2RR",
	    "K7M4-QX2", "00000000", "OOOOOOOO", "\xff\xff\xff\xff",
	    "9990000018", "' OR 1=1", "K7M4-QX2\xc3\x84", "\xe2\x80"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(is_valid(bad[i]));
}

static void
live_and_training_never_meet(void **state)
{
	char text[CDOP_REFERENCE_TEXT], out[CDOP_REFERENCE_TEXT];
	uint64_t i, number;

	(void)state;
	for (i = 0; i < 3000; i++) {
		if (cdop_reference_make(spread(i), true, text)) {
			assert_false(is_valid(text));
			assert_false(is_valid(text + 2));
		}
		if (cdop_reference_make(spread(i), false, text))
			assert_int_equal(
			    cdop_reference_parse(text, true, out, &number),
			    CDOP_INVALID_ARGUMENT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_made_reads_back),
	    cmocka_unit_test(every_wrong_symbol_is_caught),
	    cmocka_unit_test(every_exchange_of_two_is_caught),
	    cmocka_unit_test(no_exchange_or_doubling_can_cancel),
	    cmocka_unit_test(it_may_be_typed_in_any_way),
	    cmocka_unit_test(what_is_no_reference_is_refused),
	    cmocka_unit_test(live_and_training_never_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
