/* Variable-length numbers in their one minimal spelling. */
#include "cdop/varint.h"

enum cdop_err
cdop_varint_parse(
    struct cdop_bytes in, size_t max_len, uint64_t *ret_value, size_t *ret_len)
{
	uint64_t value;
	size_t i;
	uint8_t b;

	value = 0;
	for (i = 0; i < max_len && i < CDOP_VARINT_MAX; i++) {
		if (i == in.len) {
			*ret_len = 0;
			return CDOP_OK;
		}
		b = in.data[i];
		/* The tenth byte has room for one bit. */
		if (i == CDOP_VARINT_MAX - 1 && b > 1)
			return CDOP_INVALID_ARGUMENT;
		value |= (uint64_t)(b & 0x7f) << (7 * i);
		if ((b & 0x80) != 0)
			continue;
		/* A last byte of zero could have been left out. */
		if (b == 0 && i > 0)
			return CDOP_INVALID_ARGUMENT;
		*ret_value = value;
		*ret_len = i + 1;
		return CDOP_OK;
	}
	return CDOP_INVALID_ARGUMENT;
}

size_t
cdop_varint_write(uint8_t out[static CDOP_VARINT_MAX], uint64_t value)
{
	size_t len;

	for (len = 0; value >= 0x80; len++) {
		out[len] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[len] = (uint8_t)value;
	return len + 1;
}
