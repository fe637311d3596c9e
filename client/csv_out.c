/* Writing CSV. */
#include "client/csv_out.h"

#include <csv.h>
#include <string.h>

/* One cell, as it is; NULL writes an empty one. */
static void
plain(FILE *to, const char *text)
{
	if (text == NULL)
		text = "";
	(void)csv_fwrite(to, text, strlen(text));
}

/* A blank, a line's end, or what is not seen; its length. */
static size_t
blank(const char *text)
{
	/* No-break, ideographic, the byte order mark. */
	static const char *const blanks[] = {
	    "\xc2\xa0", "\xe3\x80\x80", "\xef\xbb\xbf"};
	size_t i;

	if ((text[0] > 0 && text[0] <= ' ') || text[0] == 0x7f)
		return 1;
	/* U+2000 to U+207F: thin blanks, joiners, marks of direction. */
	if (strncmp(text, "\xe2\x80", 2) == 0 ||
	    strncmp(text, "\xe2\x81", 2) == 0)
		return strnlen(text, 3);
	for (i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++)
		if (strncmp(text, blanks[i], strlen(blanks[i])) == 0)
			return strlen(blanks[i]);
	return 0;
}

bool
csv_out_is_guarded(const char *cell)
{
	/* The last four are wide, as East Asian keyboards have them. */
	static const char *const begins[] = {"=", "+", "-", "@", "\xef\xbc\x9d",
	    "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
	size_t i, n;

	cell += strspn(cell, "'");
	if (cell[0] != '\0' && strchr("\t\r\n", cell[0]) != NULL)
		return true;
	while ((n = blank(cell)) > 0)
		cell += n;
	for (i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (strncmp(cell, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* csv_fwrite() quotes a whole cell, so the guard goes in by hand. */
void
csv_out_safe(FILE *to, const char *text)
{
	if (text == NULL || !csv_out_is_guarded(text)) {
		plain(to, text);
		return;
	}
	(void)fputs("\"'", to);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			(void)fputc('"', to);
		(void)fputc(*text, to);
	}
	(void)fputc('"', to);
}

void
csv_out_line(FILE *to, const char *const *cell, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0)
			(void)fputc(',', to);
		csv_out_safe(to, cell[i]);
	}
	(void)fputs("\r\n", to);
}
