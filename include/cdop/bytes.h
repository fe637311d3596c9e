/*
 * A run of bytes that somebody else owns, and the big-endian numbers that
 * stand in our fixed layouts.
 */
#ifndef CDOP_BYTES_H
#define CDOP_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Borrowed, read-only.  data may be NULL only where len is 0. */
struct cdop_bytes {
	const uint8_t *data;
	size_t len;
};

static inline void
cdop_put16(uint8_t out[static 2], uint16_t v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

static inline void
cdop_put32(uint8_t out[static 4], uint32_t v)
{
	cdop_put16(out, (uint16_t)(v >> 16));
	cdop_put16(out + 2, (uint16_t)v);
}

static inline void
cdop_put64(uint8_t out[static 8], uint64_t v)
{
	cdop_put32(out, (uint32_t)(v >> 32));
	cdop_put32(out + 4, (uint32_t)v);
}

static inline uint16_t
cdop_get16(const uint8_t in[static 2])
{
	return (uint16_t)((uint32_t)in[0] << 8 | in[1]);
}

static inline uint32_t
cdop_get32(const uint8_t in[static 4])
{
	return (uint32_t)cdop_get16(in) << 16 | cdop_get16(in + 2);
}

static inline uint64_t
cdop_get64(const uint8_t in[static 8])
{
	return (uint64_t)cdop_get32(in) << 32 | cdop_get32(in + 4);
}

#endif
