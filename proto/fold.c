/* Folding of names and their sound keys. */
#include "cdop/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct fold_map {
	uint16_t from;
	uint16_t to[3]; /* zeros behind the last */
};

struct fold_range {
	uint32_t first;
	uint32_t last;
};

#include "fold_table.inc"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Hangul syllables decompose by arithmetic (Unicode 3.12). */
#define HANGUL_FIRST 0xac00u
#define HANGUL_LAST  0xd7a3u

struct writer {
	char *out;
	size_t len;
	bool full;
};

/*
 * One character of s, 0 at its end; *ret_len says how many bytes.  What is
 * not UTF-8 comes back as U+FFFD, one byte long.
 */
static uint32_t
decode(const char *s, size_t *ret_len)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c;
	size_t i, n;

	*ret_len = 1;
	if (u[0] < 0x80)
		return u[0];
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0xfffd;
	n = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	c = u[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (u[i] & 0x3fu);
	}
	if (c < smallest[n] || c > 0x10ffff)
		return 0xfffd;
	*ret_len = n;
	return c;
}

static size_t
encode(uint32_t c, char out[static 4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void
put(struct writer *w, uint32_t c)
{
	char bytes[4];
	size_t n = encode(c, bytes);

	if (w->full || w->len + n >= CDOP_FOLD_MAX) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->len, bytes, n);
	w->len += n;
}

static void
put_ascii(struct writer *w, uint32_t c)
{
	if (w->full || w->len + 1 >= CDOP_FOLD_MAX)
		w->full = true;
	else
		w->out[w->len++] = (char)c;
}

static const struct fold_map *
find_map(uint32_t c)
{
	size_t low = 0, high = COUNT(fold_maps), middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (fold_maps[middle].from == c)
			return &fold_maps[middle];
		if (fold_maps[middle].from < c)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool
is_dropped(uint32_t c)
{
	size_t low = 0, high = COUNT(fold_drops), middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (fold_drops[middle].last < c)
			low = middle + 1;
		else
			high = middle;
	}
	return low < COUNT(fold_drops) && fold_drops[low].first <= c;
}

static void
put_hangul(struct writer *w, uint32_t c)
{
	uint32_t i = c - HANGUL_FIRST;

	put(w, 0x1100 + i / 588);
	put(w, 0x1161 + i % 588 / 28);
	if (i % 28 != 0)
		put(w, 0x11a7 + i % 28);
}

static void
put_folded(struct writer *w, uint32_t c)
{
	const struct fold_map *map;
	size_t i;

	if (c >= 'A' && c <= 'Z') {
		put_ascii(w, c - 'A' + 'a');
	} else if (c < 0x80) {
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			put_ascii(w, c);
	} else if (c >= HANGUL_FIRST && c <= HANGUL_LAST) {
		put_hangul(w, c);
	} else if ((map = find_map(c)) != NULL) {
		for (i = 0; i < 3 && map->to[i] != 0; i++)
			put(w, map->to[i]);
	} else if (!is_dropped(c)) {
		put(w, c);
	}
}

size_t
cdop_fold_name(const char *s, char out[static CDOP_FOLD_MAX])
{
	struct writer w = {out, 0, false};
	size_t len;
	uint32_t c;

	while (!w.full && (c = decode(s, &len)) != 0) {
		put_folded(&w, c);
		s += len;
	}
	out[w.len] = '\0';
	return w.len;
}

/* What stands between the parts of a name. */
static bool
divides(uint32_t c)
{
	static const struct fold_range dividers[] = {{0xa0, 0xa0},
	    {0x5be, 0x5be}, {0x1680, 0x1680}, {0x2000, 0x200a},
	    {0x2010, 0x2015}, {0x2028, 0x2029}, {0x202f, 0x202f},
	    {0x205f, 0x205f}, {0x2212, 0x2212}, {0x3000, 0x3000},
	    {0xfe58, 0xfe58}, {0xfe63, 0xfe63}, {0xff0d, 0xff0d}};
	size_t i;

	if (c < 0x80)
		return c == ' ' || c == '-' || c == '/' ||
		    (c >= 0x09 && c <= 0x0d);
	for (i = 0; i < COUNT(dividers); i++)
		if (c >= dividers[i].first && c <= dividers[i].last)
			return true;
	return false;
}

const char *
cdop_fold_part(const char *s, char out[static CDOP_FOLD_MAX])
{
	struct writer w = {out, 0, false};
	size_t len;
	uint32_t c;

	/* A part of which nothing counts is none. */
	while (w.len == 0 && *s != '\0') {
		while ((c = decode(s, &len)) != 0 && divides(c))
			s += len;
		for (; (c = decode(s, &len)) != 0 && !divides(c); s += len)
			put_folded(&w, c);
	}
	out[w.len] = '\0';
	return w.len == 0 ? NULL : s;
}

size_t
cdop_fold_letters(const char *folded)
{
	size_t n = 0;

	for (; *folded != '\0'; folded++)
		n += ((unsigned char)*folded & 0xc0) != 0x80;
	return n;
}

/* ---- sound keys -------------------------------------------------------- */

static bool
is_vowel(char c)
{
	return c != '\0' && strchr("aeiouy", c) != NULL;
}

static bool
begins(const char *s, const char *with)
{
	while (*with != '\0')
		if (*s++ != *with++)
			return false;
	return true;
}

/* The letters of s; false where there is anything else but digits. */
static bool
latin_letters(const char *s, char out[static CDOP_FOLD_MAX], size_t *ret_len)
{
	size_t n = 0;

	for (; *s != '\0' && n + 1 < CDOP_FOLD_MAX; s++) {
		if (*s >= '0' && *s <= '9')
			continue;
		if (*s < 'a' || *s > 'z')
			return false;
		out[n++] = *s;
	}
	out[n] = '\0';
	*ret_len = n;
	return n > 0;
}

static void
mend_ends(char *s, size_t len)
{
	static const char *const first[][2] = {{"mac", "mcc"}, {"kn", "nn"},
	    {"k", "c"}, {"ph", "ff"}, {"pf", "ff"}, {"sch", "sss"},
	    {"wr", "rr"}};
	static const char *const last[] = {"dt", "rt", "rd", "nt", "nd"};
	size_t i;

	for (i = 0; i < COUNT(first); i++)
		if (begins(s, first[i][0])) {
			memcpy(s, first[i][1], strlen(first[i][1]));
			break;
		}
	for (i = 0; len > 2 && i < COUNT(last); i++)
		if (strcmp(s + len - 2, last[i]) == 0) {
			s[len - 2] = 'd';
			s[len - 1] = '\0';
			break;
		}
}

/* Rewrites s from its letter i on; what stands at s[i] is then the sound. */
static void
transcode(char *s, size_t i)
{
	static const char *const plain[][2] = {
	    {"q", "g"}, {"z", "s"}, {"m", "n"}, {"sch", "sss"}, {"ph", "ff"}};
	size_t k;

	if (begins(s + i, "ev")) {
		memcpy(s + i, "af", 2);
	} else if (is_vowel(s[i])) {
		s[i] = 'a';
	} else if (s[i] == 'k') {
		s[i] = s[i + 1] == 'n' ? 'n' : 'c';
	} else if (s[i] == 'h') {
		if (!is_vowel(s[i - 1]) || !is_vowel(s[i + 1]))
			s[i] = s[i - 1];
	} else if (s[i] == 'w') {
		if (is_vowel(s[i - 1]))
			s[i] = 'a';
	} else {
		for (k = 0; k < COUNT(plain); k++)
			if (begins(s + i, plain[k][0])) {
				memcpy(s + i, plain[k][1], strlen(plain[k][1]));
				break;
			}
	}
}

size_t
cdop_fold_sound(const char *folded, char out[static CDOP_SOUND_MAX])
{
	char s[CDOP_FOLD_MAX];
	size_t len, n = 0, i;

	out[0] = '\0';
	if (!latin_letters(folded, s, &len))
		return 0;
	mend_ends(s, len);

	out[n++] = s[0];
	for (i = 1; s[i] != '\0'; i++) {
		transcode(s, i);
		if (s[i] != out[n - 1] && n + 1 < CDOP_SOUND_MAX)
			out[n++] = s[i];
	}
	if (n > 2 && out[n - 1] == 's')
		n--;
	if (n > 2 && out[n - 1] == 'a')
		n--;
	out[n] = '\0';
	return n;
}
