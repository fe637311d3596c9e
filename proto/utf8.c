/* UTF-8 by the table of RFC 3629, section 4. */
#include "cdop/utf8.h"

#include <string.h>

/*
 * Length of a character by its first byte, and the bounds of its second:
 * they alone tell overlong forms, surrogates and what is over U+10FFFF.
 */
static size_t
shape(uint8_t first, uint8_t *ret_low, uint8_t *ret_high)
{
	*ret_low = 0x80;
	*ret_high = 0xbf;
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef) {
		if (first == 0xe0)
			*ret_low = 0xa0;
		if (first == 0xed)
			*ret_high = 0x9f;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		if (first == 0xf0)
			*ret_low = 0x90;
		if (first == 0xf4)
			*ret_high = 0x8f;
		return 4;
	}
	return 0;
}

static bool
is_between(uint8_t b, uint8_t low, uint8_t high)
{
	return b >= low && b <= high;
}

/* Most of what comes: it is passed over eight bytes at a time. */
static size_t
ascii_end(struct cdop_bytes in, size_t at)
{
	uint64_t eight;

	for (; in.len - at >= sizeof(eight); at += sizeof(eight)) {
		memcpy(&eight, in.data + at, sizeof(eight));
		if ((eight & 0x8080808080808080u) != 0)
			break;
	}
	return at;
}

bool
cdop_utf8_is_valid(struct cdop_bytes in)
{
	size_t at, len, i;
	uint8_t low, high;

	for (at = ascii_end(in, 0); at < in.len; at += len) {
		len = shape(in.data[at], &low, &high);
		if (len == 0 || len > in.len - at)
			return false;
		if (len > 1 && !is_between(in.data[at + 1], low, high))
			return false;
		for (i = 2; i < len; i++)
			if (!is_between(in.data[at + i], 0x80, 0xbf))
				return false;
	}
	return true;
}
