/* The comparison string: bytes, text, and what a person types. */
#include "cdop/compare.h"

#include <string.h>

#include "cdop/secret.h"

#define CHARS CDOP_BASE32_LEN(CDOP_COMPARE_LEN)

_Static_assert(CHARS == 16, "four groups of four");

void
cdop_compare_bytes(uint8_t out[static CDOP_COMPARE_LEN],
    const uint8_t hash[static CDOP_NOISE_HASH_LEN])
{
	struct cdop_bytes part = {hash, CDOP_NOISE_HASH_LEN};
	uint8_t full[32];

	cdop_secret_hash(full, sizeof(full), NULL, "cdop-compare/1", &part, 1);
	memcpy(out, full, CDOP_COMPARE_LEN);
	cdop_secret_wipe(full, sizeof(full));
}

void
cdop_compare_text(char out[static CDOP_COMPARE_TEXT],
    const uint8_t bytes[static CDOP_COMPARE_LEN])
{
	char plain[CHARS + 1];
	size_t i;

	cdop_secret_base32((struct cdop_bytes){bytes, CDOP_COMPARE_LEN}, plain);
	for (i = 0; i < CHARS; i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = '-';
		*out++ = plain[i];
	}
	*out = '\0';
	cdop_secret_wipe(plain, sizeof(plain));
}

/* 0, 1 and 8 are not in the alphabet: what they were meant to be. */
static char
meant(char c)
{
	switch (c) {
	case '0':
		return 'O';
	case '1':
		return 'I';
	case '8':
		return 'B';
	default:
		return c;
	}
}

enum cdop_err
cdop_compare_parse(
    const char *typed, uint8_t ret_bytes[static CDOP_COMPARE_LEN])
{
	uint8_t bytes[CDOP_COMPARE_LEN];
	char plain[CHARS + 1];
	enum cdop_err err;
	size_t n, len;

	n = 0;
	for (; *typed != '\0'; typed++) {
		if (*typed == ' ' || *typed == '-')
			continue;
		if (n == CHARS)
			return CDOP_INVALID_ARGUMENT;
		plain[n++] = meant(*typed);
	}
	plain[n] = '\0';
	if (n != CHARS)
		return CDOP_INVALID_ARGUMENT;
	err = cdop_secret_unbase32(plain, bytes, sizeof(bytes), &len);
	if (err != CDOP_OK)
		return err;
	memcpy(ret_bytes, bytes, sizeof(bytes));
	return CDOP_OK;
}
