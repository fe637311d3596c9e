/* The check digit of NHS numbers, and the mistakes people type. */
#include "cdop/nhs.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Blanks and hyphens out; false when something else is in the way. */
static bool
squeeze(const char *text, char *out, size_t size, size_t *ret_len)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '-' || *text == '\t')
			continue;
		if (*text < '0' || *text > '9' || len + 1 >= size)
			return false;
		out[len++] = *text;
	}
	out[len] = '\0';
	*ret_len = len;
	return true;
}

/* "9.99E+09": what a spreadsheet makes of ten digits. */
static bool
is_exponent(const char *text)
{
	while (*text == ' ')
		text++;
	if (*text < '0' || *text > '9')
		return false;
	while ((*text >= '0' && *text <= '9') || *text == '.' || *text == ',')
		text++;
	return (*text == 'E' || *text == 'e') &&
	    (text[1] == '+' || (text[1] >= '0' && text[1] <= '9'));
}

static bool
is_repeated(const char *nhs)
{
	return strspn(nhs, (char[]){nhs[0], '\0'}) == 10;
}

static bool
check_digit_is_right(const char *nhs)
{
	unsigned sum = 0;
	unsigned check;
	unsigned i;

	for (i = 0; i < 9; i++)
		sum += (unsigned)(nhs[i] - '0') * (10 - i);
	check = 11 - sum % 11;
	if (check == 11)
		check = 0;
	/* 10: a number that is never issued; no digit equals it. */
	return check == (unsigned)(nhs[9] - '0');
}

enum cdop_nhs
cdop_nhs_parse(const char *text, char out[static CDOP_NHS_TEXT_MAX])
{
	char number[24];
	size_t len;

	if (is_exponent(text))
		return CDOP_NHS_SPREADSHEET;
	if (!squeeze(text, number, sizeof(number), &len))
		return CDOP_NHS_FORM;
	if (len == 9)
		return CDOP_NHS_SPREADSHEET;
	if (len != 10)
		return CDOP_NHS_FORM;
	memcpy(out, number, CDOP_NHS_TEXT_MAX);
	if (is_repeated(number))
		return CDOP_NHS_REPEATED;
	if (!check_digit_is_right(number))
		return CDOP_NHS_CHECK_DIGIT;
	return CDOP_NHS_OK;
}

bool
cdop_nhs_is_test(const char *nhs)
{
	return strncmp(nhs, "999", 3) == 0;
}

bool
cdop_nhs_is_sequence(const char *nhs)
{
	bool up = true;
	bool down = true;
	size_t i;

	/* The check digit is not the typist's choice: eight are enough. */
	for (i = 1; i < 8; i++) {
		up = up && nhs[i] == nhs[i - 1] + 1;
		down = down && nhs[i] == nhs[i - 1] - 1;
	}
	return up || down;
}

bool
cdop_nhs_looks_like_chi(const char *nhs, const struct cdop_date *birth)
{
	const unsigned pairs[] = {birth->day, birth->month, birth->year % 100u};
	size_t i;

	if (!cdop_date_is_valid(birth) || birth->day == 0)
		return false;
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (nhs[2 * i] != (char)('0' + pairs[i] / 10) ||
		    nhs[2 * i + 1] != (char)('0' + pairs[i] % 10))
			return false;
	return true;
}

void
cdop_nhs_words(const char *nhs, char out[static 13])
{
	(void)snprintf(out, 13, "%.3s %.3s %.4s", nhs, nhs + 3, nhs + 6);
}
