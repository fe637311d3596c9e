/* Case references: making, checking and reading what was typed. */
#include "cdop/reference.h"

#include <string.h>

#define SYMBOLS 8u
#define BASE    30u
#define MODULUS 31u

static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
static const uint32_t weights[SYMBOLS] = {1, 3, 9, 27, 19, 26, 16, 17};

static uint32_t
weigh(const uint8_t *values, size_t n)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += weights[i] * values[i];
	return sum % MODULUS;
}

static uint32_t
wanted(bool training)
{
	return training ? 2 : 1;
}

static void
write_text(const uint8_t values[static SYMBOLS], bool training,
    char out[static CDOP_REFERENCE_TEXT])
{
	char *p = out;
	size_t i;

	memset(out, 0, CDOP_REFERENCE_TEXT);
	if (training) {
		*p++ = 'T';
		*p++ = '-';
	}
	for (i = 0; i < SYMBOLS; i++) {
		if (i == SYMBOLS / 2)
			*p++ = '-';
		*p++ = alphabet[values[i]];
	}
}

bool
cdop_reference_make(
    uint64_t number, bool training, char out[static CDOP_REFERENCE_TEXT])
{
	uint8_t values[SYMBOLS];
	uint32_t check, sum;
	size_t i;

	if (number >= CDOP_REFERENCE_NUMBERS)
		return false;
	for (i = SYMBOLS - 1; i-- > 0; number /= BASE)
		values[i] = (uint8_t)(number % BASE);

	/* 11 * 17 = 187 = 1 modulo 31: the check symbol's weight undone. */
	sum = weigh(values, SYMBOLS - 1);
	check = (wanted(training) + MODULUS - sum) * 11 % MODULUS;
	if (check >= BASE)
		return false;
	values[SYMBOLS - 1] = (uint8_t)check;
	write_text(values, training, out);
	return true;
}

/*
 * Bytes of a blank or dash at s, 0 for none: ASCII, no-break space, and
 * U+2000 to U+2015 and U+2212, which word processors put in their place.
 */
static size_t
separator(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	if (*u == ' ' || *u == '-' || *u == '\t')
		return 1;
	if (u[0] == 0xc2 && u[1] == 0xa0)
		return 2;
	if (u[0] == 0xe2 && u[1] == 0x80 && u[2] >= 0x80 && u[2] <= 0x95)
		return 3;
	if (u[0] == 0xe2 && u[1] == 0x88 && u[2] == 0x92)
		return 3;
	return 0;
}

/* Place of a symbol in the alphabet, or BASE. */
static uint8_t
value_of(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	at = strchr(alphabet, c);
	return (uint8_t)(at == NULL ? BASE : (size_t)(at - alphabet));
}

/* The symbols of s, without separators; more than max are not stored. */
static size_t
read_symbols(const char *s, uint8_t *values, size_t max)
{
	size_t n = 0, skip;

	for (; *s != '\0' && n <= max; s += skip) {
		if ((skip = separator(s)) != 0)
			continue;
		skip = 1;
		if (n < max)
			values[n] = value_of(*s);
		n++;
	}
	return n;
}

enum cdop_err
cdop_reference_parse(const char *typed, bool training,
    char ret_text[static CDOP_REFERENCE_TEXT], uint64_t *ret_number)
{
	uint8_t all[SYMBOLS + 1], *values = all;
	uint64_t number = 0;
	size_t i, n;

	n = read_symbols(typed, all, sizeof(all));
	if (training && n == SYMBOLS + 1 && all[0] == value_of('T')) {
		values++;
		n--;
	} else if (training) {
		return CDOP_INVALID_ARGUMENT;
	}
	if (n != SYMBOLS)
		return CDOP_INVALID_ARGUMENT;
	for (i = 0; i < SYMBOLS; i++)
		if (values[i] >= BASE)
			return CDOP_INVALID_ARGUMENT;
	if (weigh(values, SYMBOLS) != wanted(training))
		return CDOP_INVALID_ARGUMENT;

	for (i = 0; i < SYMBOLS - 1; i++)
		number = number * BASE + values[i];
	write_text(values, training, ret_text);
	*ret_number = number;
	return CDOP_OK;
}
