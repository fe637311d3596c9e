/* The form of postcodes, and what ZZ99 codes mean. */
#include "cdop/postcode.h"

#include <stddef.h>
#include <string.h>

static bool
is_letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters that never stand in the inward part: C I K M O V. */
static bool
is_inward_letter(char c)
{
	return is_letter(c) && strchr("CIKMOV", c) == NULL;
}

/* [A-Z]{1,2}[0-9][A-Z0-9]? */
static bool
is_outward(const char *s, size_t len)
{
	size_t i = 1;

	if (len < 2 || len > 4 || !is_letter(s[0]))
		return false;
	if (is_letter(s[i]))
		i++;
	if (i >= len || !is_digit(s[i]))
		return false;
	i++;
	if (i < len && (is_letter(s[i]) || is_digit(s[i])))
		i++;
	return i == len;
}

/* [0-9][ABD-HJLNP-UW-Z]{2}; pseudo-codes have letters of their own. */
static bool
is_inward(const char *s, bool pseudo)
{
	if (!is_digit(s[0]))
		return false;
	if (pseudo)
		return is_letter(s[1]) && s[2] == 'Z';
	return is_inward_letter(s[1]) && is_inward_letter(s[2]);
}

enum cdop_err
cdop_postcode_parse(const char *text, char out[static CDOP_POSTCODE_TEXT_MAX])
{
	char code[8];
	size_t len = 0;
	size_t outward;
	bool pseudo;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '\t')
			continue;
		if (len + 1 >= sizeof(code))
			return CDOP_INVALID_ARGUMENT;
		code[len] = *text;
		if (*text >= 'a' && *text <= 'z')
			code[len] = (char)(*text - 'a' + 'A');
		len++;
	}
	code[len] = '\0';
	if (len < 5)
		return CDOP_INVALID_ARGUMENT;
	outward = len - 3;
	pseudo = strncmp(code, "ZZ99", 4) == 0;
	if (strcmp(code, "GIR0AA") != 0 &&
	    (!is_outward(code, outward) || !is_inward(code + outward, pseudo)))
		return CDOP_INVALID_ARGUMENT;
	memcpy(out, code, outward);
	out[outward] = ' ';
	memcpy(out + outward + 1, code + outward, 4);
	return CDOP_OK;
}

enum cdop_postcode
cdop_postcode_kind(const char *postcode)
{
	static const struct {
		const char *inward;
		enum cdop_postcode kind;
	} pseudo[] = {
	    {"3VZ", CDOP_POSTCODE_NO_FIXED_ABODE},
	    {"3WZ", CDOP_POSTCODE_NOT_KNOWN},
	    {"3CZ", CDOP_POSTCODE_UNSPECIFIED},
	    {"1WZ", CDOP_POSTCODE_SCOTLAND},
	    {"2WZ", CDOP_POSTCODE_NORTHERN_IRELAND},
	    {"3GZ", CDOP_POSTCODE_WALES},
	};

	size_t i;

	if (strncmp(postcode, "ZZ99 ", 5) != 0)
		return CDOP_POSTCODE_ORDINARY;
	postcode += 5;
	for (i = 0; i < sizeof(pseudo) / sizeof(*pseudo); i++) {
		if (strcmp(postcode, pseudo[i].inward) == 0)
			return pseudo[i].kind;
	}
	/*
	 * Countries have the digits 4 to 9 and some of 1 to 3; the table of
	 * countries is revised, so only the series that was never one is told
	 * apart.
	 */
	if (postcode[0] == '0')
		return CDOP_POSTCODE_PSEUDO_UNKNOWN;
	return CDOP_POSTCODE_COUNTRY;
}
