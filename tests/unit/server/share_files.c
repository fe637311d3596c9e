/* Shares in files; see share_files.h. */
#include "tests/unit/server/share_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/registry/custody_act.h"

static void
write_share(const struct cdop_share *share, const char *path)
{
	char text[CDOP_SHARE_TEXT];
	FILE *out;

	cdop_share_write(share, text);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

void
share_files_make(
    struct share_files *files, struct world *world, const char *folder)
{
	static const struct slots_set_new plan = {.k = SHARE_FILES, .n = 4};
	const struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "custodians"},
	    .plan = &plan,
	    .by = "Ada",
	    .now_ms = world->now_ms,
	};
	uint16_t number;
	size_t i;

	assert_int_equal(custody_act_add(world->reg, world->arena, &new,
			     &number, files->share),
	    CDOP_OK);
	for (i = 0; i < SHARE_FILES; i++) {
		(void)snprintf(files->path[i], sizeof(files->path[i]),
		    "%s/share-%zu", folder, i);
		write_share(&files->share[i], files->path[i]);
	}
}

void
share_files_remove(const struct share_files *files)
{
	size_t i;

	for (i = 0; i < SHARE_FILES; i++)
		assert_int_equal(unlink(files->path[i]), 0);
}
