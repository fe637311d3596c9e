/* Files of the tree; see paper.h. */
#include "tests/unit/paper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAPER_MAX ((size_t)1 << 20)

char *
paper_read(const char *path)
{
	char *text = calloc(1, PAPER_MAX);
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(text);
	assert_non_null(file);
	len = fread(text, 1, PAPER_MAX, file);
	(void)fclose(file);
	assert_in_range(len, 1, PAPER_MAX - 1);
	return text;
}

void
paper_has(
    const char *path, const char *begin, const char *end, const char *text)
{
	char *paper = paper_read(path), *from, *to;

	from = strstr(paper, begin);
	assert_non_null(from);
	from += strlen(begin);
	to = strstr(from, end);
	assert_non_null(to);
	*to = '\0';
	assert_string_equal(from, text);
	free(paper);
}
