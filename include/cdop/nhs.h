/*
 * NHS numbers: ten digits with a check digit (NHS Data Dictionary, "NHS
 * NUMBER"), used in England, Wales and the Isle of Man.
 *
 * It knows the form of a number, not whether it was ever issued.
 */
#ifndef CDOP_NHS_H
#define CDOP_NHS_H

#include <stdbool.h>

#include "cdop/date.h"

#define CDOP_NHS_TEXT_MAX 11 /* ten digits and NUL */

enum cdop_nhs {
	CDOP_NHS_OK = 0,
	CDOP_NHS_FORM,        /* not ten digits */
	CDOP_NHS_SPREADSHEET, /* 9.99E+09, or nine digits: a lost zero */
	CDOP_NHS_CHECK_DIGIT,
	CDOP_NHS_REPEATED, /* one digit ten times: passes the sum */
};

/*
 * Reads a typed number; blanks and hyphens are passed over ("999 000 0018").
 * out is filled for OK, CHECK_DIGIT and REPEATED.
 */
enum cdop_nhs cdop_nhs_parse(
    const char *text, char out[static CDOP_NHS_TEXT_MAX]);

/* Of the range for tests and training, 999 ...?  nhs: ten digits. */
bool cdop_nhs_is_test(const char *nhs);

/* Digits that only count up or down (1234567881): worth a warning. */
bool cdop_nhs_is_sequence(const char *nhs);

/*
 * Does it begin with this birth date as ddmmyy, as a Scottish CHI number
 * does?  False unless the date is whole.
 */
bool cdop_nhs_looks_like_chi(const char *nhs, const struct cdop_date *birth);

/* "999 000 0018" of ten digits, for people. */
void cdop_nhs_words(const char *nhs, char out[static 13]);

#endif
