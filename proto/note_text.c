/* Lines, numbers and base64 of the texts around a log; see note_inner.h. */
#include <stdio.h>
#include <string.h>

#include "cdop/err.h"
#include "cdop/secret.h"
#include "cdop/utf8.h"
#include "proto/note_inner.h"

#define BASE64_MOST 1536 /* bytes of one piece */

/* ---- reading ------------------------------------------------------------ */

bool
cdop_note_line(struct cdop_bytes *rest, struct cdop_bytes *ret_line)
{
	const uint8_t *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	if (end == NULL)
		return false;
	ret_line->data = rest->data;
	ret_line->len = (size_t)(end - rest->data);
	rest->data = end + 1;
	rest->len -= ret_line->len + 1;
	return true;
}

bool
cdop_note_word(struct cdop_bytes *line, const char *word)
{
	size_t len = strlen(word);

	if (line->len <= len || memcmp(line->data, word, len) != 0 ||
	    line->data[len] != ' ')
		return false;
	line->data += len + 1;
	line->len -= len + 1;
	return true;
}

bool
cdop_note_decimal(struct cdop_bytes text, uint64_t *ret_number)
{
	uint64_t number = 0;
	unsigned digit;
	size_t i;

	if (text.len == 0 || (text.data[0] == '0' && text.len > 1))
		return false;
	for (i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		digit = (unsigned)(text.data[i] - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = 10 * number + digit;
	}
	*ret_number = number;
	return true;
}

bool
cdop_note_hash(struct cdop_bytes text, uint8_t ret_hash[static 32])
{
	uint8_t hash[32];
	size_t len;

	if (text.len != CDOP_BASE64_LEN(sizeof(hash)) ||
	    cdop_secret_unbase64(text, hash, sizeof(hash), &len) != CDOP_OK ||
	    len != sizeof(hash))
		return false;
	memcpy(ret_hash, hash, sizeof(hash));
	return true;
}

bool
cdop_note_is_text(struct cdop_bytes text)
{
	size_t i;

	if (text.len == 0 || text.data[text.len - 1] != '\n')
		return false;
	for (i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 && text.data[i] != '\n')
			return false;
	return cdop_utf8_is_valid(text);
}

/* ---- writing ------------------------------------------------------------ */

void
cdop_note_put(struct note_out *out, const void *data, size_t len)
{
	if (out->full || len > out->max - out->len) {
		out->full = true;
		return;
	}
	if (len > 0)
		memcpy(out->data + out->len, data, len);
	out->len += len;
}

void
cdop_note_put_text(struct note_out *out, const char *text)
{
	cdop_note_put(out, text, strlen(text));
}

void
cdop_note_put_decimal(struct note_out *out, uint64_t number)
{
	char text[NOTE_DECIMAL_MAX];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	cdop_note_put_text(out, text);
}

void
cdop_note_put_base64(struct note_out *out, struct cdop_bytes data)
{
	char text[CDOP_BASE64_LEN(BASE64_MOST) + 1];

	CDOP_ASSERT(data.len <= BASE64_MOST);
	cdop_secret_base64(data, text);
	cdop_note_put_text(out, text);
}
