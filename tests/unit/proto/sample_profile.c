/* Reads the packaged profile for the tests. */
#include "tests/unit/proto/sample_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

char *
sample_profile_text(struct cdop_arena *arena)
{
	FILE *file = fopen(SAMPLE_PROFILE, "r");
	char *text = cdop_arena_alloc(arena, CDOP_PROFILE_FILE_MAX);

	assert_non_null(file);
	assert_non_null(text);
	/* The arena is zero: the text ends in a NUL. */
	assert_true(fread(text, 1, CDOP_PROFILE_FILE_MAX - 1, file) > 0);
	(void)fclose(file);
	return text;
}

char *
sample_profile_with(struct cdop_arena *arena, const char *old, const char *new)
{
	char *text = sample_profile_text(arena);
	char *at = strstr(text, old);

	if (at == NULL)
		fail_msg("not in the profile: %s", old);
	return cdop_arena_printf(
	    arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

const struct cdop_profile *
sample_profile(struct cdop_arena *arena)
{
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;
	const char *text = sample_profile_text(arena);
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	if (cdop_profile_parse(text, len, arena, &profile, &error) != CDOP_OK)
		fail_msg("%s:%u: %s", SAMPLE_PROFILE, error.line, error.text);
	return profile;
}

int32_t
sample_day(const char *text)
{
	int32_t day = 0;

	if (cdop_date_parse_day(text, &day) != CDOP_OK)
		fail_msg("not a day: %s", text);
	return day;
}
