/* Folders of tests; see scratch.h. */
#include "tests/unit/server/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void
scratch_dir(char *path, size_t size, const char *name)
{
	const char *top = getenv("TMPDIR");
	int len;

	len = snprintf(path, size, "%s/cdop-%s.XXXXXX",
	    top == NULL ? P_tmpdir : top, name);
	assert_in_range(len, 1, size - 1);
	assert_non_null(mkdtemp(path));
}
