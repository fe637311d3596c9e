/* NHS numbers: the check digit, and the ten that pass it and are none. */
#include "cdop/nhs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static enum cdop_nhs
parse(const char *text)
{
	char out[CDOP_NHS_TEXT_MAX];

	return cdop_nhs_parse(text, out);
}

static void
true_numbers_are_taken_in_every_grouping(void **state)
{
	static const char *const good[] = {"9434765919", "943 476 5919",
	    " 943-476-5919 ", "9990000018", "9990000026", "9990000034",
	    "9990000042", "9990000050"};
	char out[CDOP_NHS_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(cdop_nhs_parse(good[i], out), CDOP_NHS_OK);
	assert_int_equal(cdop_nhs_parse("943 476 5919", out), CDOP_NHS_OK);
	assert_string_equal(out, "9434765919");
}

static void
every_wrong_check_digit_is_refused(void **state)
{
	char number[] = "943476591x";
	char c;

	(void)state;
	for (c = '0'; c <= '9'; c++) {
		number[9] = c;
		assert_int_equal(parse(number),
		    c == '9' ? CDOP_NHS_OK : CDOP_NHS_CHECK_DIGIT);
	}
}

static void
a_sum_of_ten_is_never_a_number(void **state)
{
	char number[] = "999000000x";
	char c;

	(void)state;
	for (c = '0'; c <= '9'; c++) {
		number[9] = c;
		assert_int_equal(parse(number), CDOP_NHS_CHECK_DIGIT);
	}
	/* And eleven is nought. */
	assert_int_equal(parse("9990000050"), CDOP_NHS_OK);
}

static void
all_ten_repeated_digits_are_refused(void **state)
{
	char number[11] = "";
	char c;

	(void)state;
	for (c = '0'; c <= '9'; c++) {
		memset(number, c, 10);
		assert_int_equal(parse(number), CDOP_NHS_REPEATED);
	}
}

static void
one_wrong_digit_and_one_swap_are_found(void **state)
{
	char number[] = "9434765919";
	char swap;
	size_t i;
	char c;

	(void)state;
	for (i = 0; i < 10; i++) {
		for (c = '0'; c <= '9'; c++) {
			memcpy(number, "9434765919", 11);
			if (number[i] == c)
				continue;
			number[i] = c;
			assert_int_equal(parse(number), CDOP_NHS_CHECK_DIGIT);
		}
	}
	for (i = 0; i + 1 < 10; i++) {
		memcpy(number, "9434765919", 11);
		if (number[i] == number[i + 1])
			continue;
		swap = number[i];
		number[i] = number[i + 1];
		number[i + 1] = swap;
		assert_int_equal(parse(number), CDOP_NHS_CHECK_DIGIT);
	}
}

static void
spreadsheet_damage_is_named(void **state)
{
	(void)state;
	assert_int_equal(parse("9.99E+09"), CDOP_NHS_SPREADSHEET);
	assert_int_equal(parse("9.43477E+09"), CDOP_NHS_SPREADSHEET);
	assert_int_equal(parse("1e9"), CDOP_NHS_SPREADSHEET);
	/* A zero in front is lost. */
	assert_int_equal(parse("434765919"), CDOP_NHS_SPREADSHEET);
}

static void
what_is_not_ten_digits_is_refused(void **state)
{
	static const char *const bad[] = {"", "1", "94347659190", "943476591",
	    "94347659I9", "９４３４７６５９１９", "AA123456B",
	    "9434765919999999999999999999999999999", "943.476.5919",
	    "+943476591"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (parse(bad[i]) == CDOP_NHS_OK)
			fail_msg("taken: %s", bad[i]);
	}
}

static void
the_test_range_is_told_apart(void **state)
{
	(void)state;
	assert_true(cdop_nhs_is_test("9990000018"));
	assert_false(cdop_nhs_is_test("9434765919"));
	assert_false(cdop_nhs_is_test("9980000010"));
}

static void
a_chi_number_looks_like_the_birth_date(void **state)
{
	struct cdop_date birth = {.year = 2019, .month = 3, .day = 7};

	(void)state;
	assert_true(cdop_nhs_looks_like_chi("0703191234", &birth));
	assert_false(cdop_nhs_looks_like_chi("0703201234", &birth));
	assert_false(cdop_nhs_looks_like_chi("9990000018", &birth));
	birth.day = 0;
	assert_false(cdop_nhs_looks_like_chi("0003191234", &birth));
}

static void
counting_digits_are_a_sequence(void **state)
{
	(void)state;
	assert_true(cdop_nhs_is_sequence("1234567881"));
	assert_true(cdop_nhs_is_sequence("9876543210"));
	assert_false(cdop_nhs_is_sequence("9434765919"));
	assert_false(cdop_nhs_is_sequence("9990000018"));
}

static void
words_are_grouped(void **state)
{
	char words[13];

	(void)state;
	cdop_nhs_words("9990000018", words);
	assert_string_equal(words, "999 000 0018");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(true_numbers_are_taken_in_every_grouping),
	    cmocka_unit_test(every_wrong_check_digit_is_refused),
	    cmocka_unit_test(a_sum_of_ten_is_never_a_number),
	    cmocka_unit_test(all_ten_repeated_digits_are_refused),
	    cmocka_unit_test(one_wrong_digit_and_one_swap_are_found),
	    cmocka_unit_test(spreadsheet_damage_is_named),
	    cmocka_unit_test(what_is_not_ten_digits_is_refused),
	    cmocka_unit_test(the_test_range_is_told_apart),
	    cmocka_unit_test(a_chi_number_looks_like_the_birth_date),
	    cmocka_unit_test(counting_digits_are_a_sequence),
	    cmocka_unit_test(words_are_grouped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
