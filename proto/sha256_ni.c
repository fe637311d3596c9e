/* FIPS 180-4, 6.2.2, with the instructions that were made for it. */
#include "proto/sha256_ni.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define SSSE3  (1u << 9)  /* leaf 1, ecx */
#define SSE4_1 (1u << 19) /* likewise */
#define SHA    (1u << 29) /* leaf 7, ebx */

#define WITH_SHA __attribute__((target("sha,ssse3,sse4.1")))

static const uint32_t constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

bool
cdop_sha256_ni_is_there(void)
{
	unsigned a, b, c, d, b7;

	if (__get_cpuid_count(7, 0, &a, &b7, &c, &d) == 0 ||
	    __get_cpuid(1, &a, &b, &c, &d) == 0)
		return false;
	return (b7 & SHA) != 0 && (c & SSSE3) != 0 && (c & SSE4_1) != 0;
}

/* a, b, e, f and c, d, g, h: as the instructions want them. */
struct halves {
	__m128i abef;
	__m128i cdgh;
};

/* Four rounds, with four words of the schedule. */
WITH_SHA static inline void
rounds(struct halves *at, __m128i words, unsigned first)
{
	__m128i sum;

	sum = _mm_add_epi32(
	    words, _mm_loadu_si128((const void *)(constants + first)));
	at->cdgh = _mm_sha256rnds2_epu32(at->cdgh, at->abef, sum);
	sum = _mm_shuffle_epi32(sum, 0x0e);
	at->abef = _mm_sha256rnds2_epu32(at->abef, at->cdgh, sum);
}

/* The next four words, of the sixteen before them. */
WITH_SHA static inline __m128i
next(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
	w0 = _mm_sha256msg1_epu32(w0, w1);
	w0 = _mm_add_epi32(w0, _mm_alignr_epi8(w3, w2, 4));
	return _mm_sha256msg2_epu32(w0, w3);
}

WITH_SHA static inline __m128i
load(const uint8_t *data)
{
	const __m128i order =
	    _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(_mm_loadu_si128((const void *)data), order);
}

WITH_SHA static void
block(struct halves *at, const uint8_t *data)
{
	const struct halves before = *at;
	__m128i w0 = load(data), w1 = load(data + 16), w2 = load(data + 32),
		w3 = load(data + 48);
	unsigned i;

	rounds(at, w0, 0);
	rounds(at, w1, 4);
	rounds(at, w2, 8);
	rounds(at, w3, 12);
	for (i = 16; i < 64; i += 16) {
		w0 = next(w0, w1, w2, w3);
		rounds(at, w0, i);
		w1 = next(w1, w2, w3, w0);
		rounds(at, w1, i + 4);
		w2 = next(w2, w3, w0, w1);
		rounds(at, w2, i + 8);
		w3 = next(w3, w0, w1, w2);
		rounds(at, w3, i + 12);
	}
	at->abef = _mm_add_epi32(at->abef, before.abef);
	at->cdgh = _mm_add_epi32(at->cdgh, before.cdgh);
}

WITH_SHA void
cdop_sha256_ni_blocks(uint32_t state[static 8], const uint8_t *data, size_t n)
{
	struct halves at;
	__m128i low, high;

	/* From the last word on: d c b a, and h g f e. */
	low = _mm_loadu_si128((const void *)state);
	high = _mm_loadu_si128((const void *)(state + 4));
	low = _mm_shuffle_epi32(low, 0xb1);
	high = _mm_shuffle_epi32(high, 0x1b);
	at.abef = _mm_alignr_epi8(low, high, 8);
	at.cdgh = _mm_blend_epi16(high, low, 0xf0);
	for (; n > 0; n--, data += SHA256_BLOCK)
		block(&at, data);
	low = _mm_shuffle_epi32(at.abef, 0x1b);
	high = _mm_shuffle_epi32(at.cdgh, 0xb1);
	_mm_storeu_si128((void *)state, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

#else

bool
cdop_sha256_ni_is_there(void)
{
	return false;
}

void
cdop_sha256_ni_blocks(uint32_t state[static 8], const uint8_t *data, size_t n)
{
	(void)state;
	(void)data;
	(void)n;
}

#endif
