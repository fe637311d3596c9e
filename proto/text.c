/* One pass over a text: read a character, decide, write it. */
#include "cdop/text.h"

#include <string.h>

bool
cdop_text_next(const char **text, uint32_t *ret_char)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)*text;
	uint32_t c = s[0];
	size_t len;
	size_t i;

	if (c == 0)
		return false;
	if (c < 0x80) {
		*ret_char = c;
		*text += 1;
		return true;
	}
	if (c >= 0xf0 && c < 0xf5)
		len = 4;
	else if (c >= 0xe0 && c < 0xf0)
		len = 3;
	else if (c >= 0xc2 && c < 0xe0)
		len = 2;
	else
		return false;
	c &= 0xffu >> (len + 1);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return false; /* a NUL ends here, too */
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return false;
	*ret_char = c;
	*text += len;
	return true;
}

size_t
cdop_text_length(const char *text)
{
	uint32_t c;
	size_t n = 0;

	while (cdop_text_next(&text, &c))
		n++;
	return n;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
cdop_text_same(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++) {
		if (lower(*a) != lower(*b))
			return false;
	}
	return *a == *b;
}

enum deed {
	KEEP,
	BLANK,
	LINE_END,
	DROP,
	REFUSE,
};

static bool
is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == 0xa0 || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f ||
	    c == 0x3000;
}

static bool
is_invisible(uint32_t c)
{
	return c == 0xad || c == 0x61c || c == 0x180e || c == 0x200b ||
	    c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	    c == 0x2060 || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static enum deed
decide(uint32_t c)
{
	if (c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029)
		return LINE_END;
	if (is_blank(c))
		return BLANK;
	if (is_invisible(c))
		return DROP;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return REFUSE;
	return KEEP;
}

/* Steers a screen, or turns what stands around it. */
static bool
is_unfit(uint32_t c)
{
	const enum deed deed = decide(c);

	return deed == REFUSE || deed == DROP;
}

void
cdop_text_mend(char *text)
{
	const char *at = text, *from;
	uint32_t c;

	while (*(from = at) != '\0') {
		if (!cdop_text_next(&at, &c))
			at++;
		else if (!is_unfit(c))
			continue;
		memset(text + (from - text), '?', (size_t)(at - from));
	}
}

bool
cdop_text_is_line(const char *text, size_t max)
{
	enum deed deed;
	uint32_t c;
	size_t n;

	if (text == NULL || *text == '\0')
		return false;
	for (n = 0; n <= max && cdop_text_next(&text, &c); n++)
		if ((deed = decide(c)) == LINE_END || deed == REFUSE)
			return false;
	return n <= max && *text == '\0';
}

/* What has been written, and what waits for the next visible character. */
struct writer {
	char *out;
	size_t len;
	size_t blanks;
	size_t ends;
	enum cdop_text_shape shape;
};

static void
put(struct writer *w, const char *s, size_t len)
{
	memcpy(w->out + w->len, s, len);
	w->len += len;
}

static void
put_gap(struct writer *w)
{
	size_t i;

	if (w->len == 0) {
		/* Nothing stands before it: it is lost. */
	} else if (w->shape == CDOP_TEXT_LINES) {
		for (i = 0; i < w->ends; i++)
			put(w, "\n", 1);
		for (i = 0; i < w->blanks; i++)
			put(w, " ", 1);
	} else if (w->shape == CDOP_TEXT_ADDRESS && w->ends > 0) {
		if (w->out[w->len - 1] == ',')
			put(w, " ", 1);
		else
			put(w, ", ", 2);
	} else if (w->blanks + w->ends > 0) {
		put(w, " ", 1);
	}
	w->blanks = 0;
	w->ends = 0;
}

static void
take(struct writer *w, enum deed deed, const char *s, size_t len)
{
	switch (deed) {
	case KEEP:
		put_gap(w);
		put(w, s, len);
		break;
	case BLANK:
		w->blanks++;
		break;
	case LINE_END:
		/* CR LF is one: the caller passes over the LF. */
		w->ends++;
		w->blanks = 0;
		break;
	case DROP:
	case REFUSE:
		break;
	}
}

/* May this stand behind what is there already? */
static bool
is_clean_gap(const char *text, const char *gap, enum cdop_text_shape shape)
{
	bool lines = shape == CDOP_TEXT_LINES;

	if (gap == text)
		return false;
	if (*gap == ' ')
		return lines || gap[-1] != ' ';
	return *gap == '\n' && lines && gap[-1] != ' ';
}

/* Visible ASCII, and what parts it where it may stand already. */
bool
cdop_text_is_clean(const char *text, enum cdop_text_shape shape)
{
	const char *s = text;

	for (;; s++) {
		while (*s > ' ' && *s < 0x7f)
			s++;
		if (*s == '\0')
			return s == text || s[-1] > ' ';
		if (!is_clean_gap(text, s, shape))
			return false;
	}
}

/* Most of what comes is as it has to be. */
static enum cdop_err
take_clean(const char *text, struct cdop_arena *arena, const char **ret_text,
    enum cdop_text_fault *ret_fault)
{
	const char *copy = cdop_arena_strdup(arena, text);

	if (copy == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_text = copy;
	*ret_fault = CDOP_TEXT_FINE;
	return CDOP_OK;
}

enum cdop_err
cdop_text_clean(const char *text, enum cdop_text_shape shape,
    struct cdop_arena *arena, const char **ret_text,
    enum cdop_text_fault *ret_fault)
{
	struct writer w = {.shape = shape};
	const char *at = text;
	const char *from;
	enum deed deed;
	uint32_t c;

	if (cdop_text_is_clean(text, shape))
		return take_clean(text, arena, ret_text, ret_fault);
	/* A line end becomes at most two characters. */
	w.out = cdop_arena_calloc(arena, strlen(text) + 1, 2);
	if (w.out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (from = at; cdop_text_next(&at, &c); from = at) {
		deed = decide(c);
		if (deed == REFUSE) {
			*ret_fault = CDOP_TEXT_CONTROL;
			return CDOP_INVALID_ARGUMENT;
		}
		if (c == '\r' && *at == '\n')
			at++;
		take(&w, deed, from, (size_t)(at - from));
	}
	if (*at != '\0') {
		*ret_fault = CDOP_TEXT_NOT_UTF8;
		return CDOP_INVALID_ARGUMENT;
	}
	w.out[w.len] = '\0';
	*ret_text = w.out;
	*ret_fault = CDOP_TEXT_FINE;
	return CDOP_OK;
}

const char *
cdop_text_keyboard(struct cdop_bytes passphrase)
{
	size_t i;

	for (i = 0; i < passphrase.len; i++)
		if (passphrase.data[i] >= 0x80)
			return "it has accents or other signs beyond ASCII: "
			       "another keyboard or computer may send them "
			       "otherwise, and then it does not open; plain "
			       "letters are safer";
	return NULL;
}
