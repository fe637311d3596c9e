/* Postcodes: their form, and every pseudo-code. */
#include "cdop/postcode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static void
every_form_of_a_postcode_is_taken(void **state)
{
	static const char *const pairs[][2] = {
	    {"l1 8jq", "L1 8JQ"},
	    {"L18JQ", "L1 8JQ"},
	    {" ch41  5ab ", "CH41 5AB"},
	    {"PR86NJ", "PR8 6NJ"},
	    {"WA10 1HP", "WA10 1HP"},
	    {"IM1 1AA", "IM1 1AA"},
	    {"IM99 9AA", "IM99 9AA"},
	    {"SW1A 1AA", "SW1A 1AA"},
	    {"W1A 0AX", "W1A 0AX"},
	    {"M1 1AE", "M1 1AE"},
	    {"B33 8TH", "B33 8TH"},
	    {"gir0aa", "GIR 0AA"},
	};
	char out[CDOP_POSTCODE_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		assert_int_equal(
		    cdop_postcode_parse(pairs[i][0], out), CDOP_OK);
		assert_string_equal(out, pairs[i][1]);
		assert_int_equal(
		    cdop_postcode_kind(out), CDOP_POSTCODE_ORDINARY);
	}
}

static void
what_is_no_postcode_is_refused(void **state)
{
	static const char *const bad[] = {"", "L", "L1", "L1 8J", "L1 8JQQ",
	    "1L 8JQ", "LL 8JQ", "L1 8IQ", "L1 8CQ", "L1 8JV", "L1 JQ8",
	    "LIVERPOOL", "L1-8JQ", "ABC1 1AA", "L111 1AA", "ZZ99 3V",
	    "ZZ99 3VV", "00000", "L1 8JQ L1 8JQ", "Ł1 8JQ"};
	char out[CDOP_POSTCODE_TEXT_MAX] = "same";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (cdop_postcode_parse(bad[i], out) != CDOP_INVALID_ARGUMENT)
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(out, "same");
	}
}

static void
every_pseudo_postcode_has_its_meaning(void **state)
{
	static const struct {
		const char *text;
		enum cdop_postcode kind;
	} pseudo[] = {
	    {"ZZ99 3VZ", CDOP_POSTCODE_NO_FIXED_ABODE},
	    {"zz993wz", CDOP_POSTCODE_NOT_KNOWN},
	    {"ZZ99 3CZ", CDOP_POSTCODE_UNSPECIFIED},
	    {"ZZ99 1WZ", CDOP_POSTCODE_SCOTLAND},
	    {"ZZ99 2WZ", CDOP_POSTCODE_NORTHERN_IRELAND},
	    {"ZZ99 3GZ", CDOP_POSTCODE_WALES},
	    {"ZZ99 6CZ", CDOP_POSTCODE_COUNTRY},
	    {"ZZ99 0AZ", CDOP_POSTCODE_PSEUDO_UNKNOWN},
	};

	char out[CDOP_POSTCODE_TEXT_MAX];
	char country[] = "ZZ99 nAZ";
	size_t i;
	char n;
	char c;

	(void)state;
	for (i = 0; i < sizeof(pseudo) / sizeof(*pseudo); i++) {
		assert_int_equal(
		    cdop_postcode_parse(pseudo[i].text, out), CDOP_OK);
		assert_int_equal(cdop_postcode_kind(out), pseudo[i].kind);
	}
	/* Countries use letters that no true postcode has. */
	for (n = '1'; n <= '9'; n++) {
		for (c = 'A'; c <= 'Z'; c++) {
			country[5] = n;
			country[6] = c;
			assert_int_equal(
			    cdop_postcode_parse(country, out), CDOP_OK);
			assert_int_not_equal(
			    cdop_postcode_kind(out), CDOP_POSTCODE_ORDINARY);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_form_of_a_postcode_is_taken),
	    cmocka_unit_test(what_is_no_postcode_is_refused),
	    cmocka_unit_test(every_pseudo_postcode_has_its_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
