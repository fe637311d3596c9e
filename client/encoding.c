/* UTF-8 with or without mark, and Windows-1252 where it is said. */
#include "client/encoding.h"

#include <string.h>

#include "cdop/utf8.h"

/* 0x80 to 0x9f; the five that stand for nothing become U+FFFD. */
static const uint16_t windows[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e,
    0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd,
    0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
    0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

static size_t
put_utf8(uint8_t *out, uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (uint8_t)(0xc0 | cp >> 6);
		out[1] = (uint8_t)(0x80 | (cp & 0x3f));
		return 2;
	}
	out[0] = (uint8_t)(0xe0 | cp >> 12);
	out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	out[2] = (uint8_t)(0x80 | (cp & 0x3f));
	return 3;
}

static enum exit_code
from_windows(struct cmd_ctx *ctx, struct cdop_bytes *text)
{
	uint8_t *out = cdop_arena_alloc(ctx->arena, text->len * 3 + 1);
	size_t i, n = 0;
	uint8_t c;

	if (out == NULL)
		return cmd_no_memory(ctx);
	for (i = 0; i < text->len; i++) {
		c = text->data[i];
		n += put_utf8(
		    out + n, c >= 0x80 && c < 0xa0 ? windows[c - 0x80] : c);
	}
	out[n] = '\0';
	text->data = out;
	text->len = n;
	return EXIT_OK;
}

enum exit_code
encoding_to_utf8(struct cmd_ctx *ctx, const char *path, const char *encoding,
    struct cdop_bytes *text)
{
	static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};

	if (encoding != NULL && strcmp(encoding, "utf-8") != 0 &&
	    strcmp(encoding, "windows-1252") != 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "utf-8 or windows-1252",
		    "--encoding: not known");
	if (text->len >= 2 &&
	    ((text->data[0] == 0xff && text->data[1] == 0xfe) ||
		(text->data[0] == 0xfe && text->data[1] == 0xff)))
		return cmd_fail(ctx, EXIT_USAGE, "encoding",
		    "save it as \"CSV UTF-8\"",
		    "%s is UTF-16 (\"Unicode text\")", path);
	if (encoding != NULL && encoding[0] == 'w')
		return from_windows(ctx, text);
	if (text->len >= 3 && memcmp(text->data, mark, 3) == 0) {
		text->data += 3;
		text->len -= 3;
	}
	if (memchr(text->data, 0, text->len) != NULL)
		return cmd_fail(ctx, EXIT_USAGE, "encoding",
		    "of a workbook: save it as \"CSV UTF-8\"",
		    "%s is not a text file", path);
	if (!cdop_utf8_is_valid(*text))
		return cmd_fail(ctx, EXIT_USAGE, "encoding",
		    "--encoding windows-1252, or save it as \"CSV UTF-8\"",
		    "%s is not UTF-8; it looks like Windows-1252", path);
	return EXIT_OK;
}
