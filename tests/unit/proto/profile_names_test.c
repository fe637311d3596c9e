/* A name in a profile is of one thing: what is typed is found by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cdop/profile.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/proto/sample_profile.h"

static const struct cdop_profile *
edited(struct cdop_arena *arena, const char *old, const char *new)
{
	const char *text = sample_profile_with(arena, old, new);
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;

	if (cdop_profile_parse(text, strlen(text), arena, &profile, &error) !=
	    CDOP_OK)
		fail_msg("line %u: %s", error.line, error.text);
	return profile;
}

/* Typed, each of these would be taken for one of two. */
static void
no_name_is_of_two_things(void **state)
{
	static const char *const edits[][3] = {
	    {"code = 1 | Male", "code = 1 | 2", "list sex, code 1: '2' is 2"},
	    {"code = scotland | Scotland", "code = ABROAD | Scotland",
		"list area_other, code ABROAD: 'ABROAD' is abroad"},
	    {"code = scotland | Scotland", "code = scotland | WIRRAL",
		"place wirral: 'WIRRAL' is scotland"},
	    {"code = scotland | Scotland", "code = scotland | E08000015",
		"place wirral: 'E08000015' is scotland"},
	    {"code = 1 | Male",
		"code = 1 | 2 | | 2019-12-31\n"
		"code = 1 | Male | 2020-01-01",
		"list sex, code 1: '2' is 2"},
	    {"code = scotland | Scotland", "code = scotland | Cheshire East",
		NULL}, /* two labels */
	    {"code = 1 | Male",
		"code = 1 | M | | 2019-12-31\n"
		"code = M | Male | 2020-01-01",
		NULL}, /* the one after the other */
	};
	const struct cdop_profile *p;
	struct cdop_profile_diff diff;
	struct cdop_arena *arena;
	size_t i;

	(void)state;
	assert_int_equal(cdop_arena_new(64u << 20, &arena), CDOP_OK);
	for (i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		cdop_arena_reset(arena);
		p = edited(arena, edits[i][0], edits[i][1]);
		assert_int_equal(
		    cdop_profile_diff(p, p, arena, &diff), CDOP_OK);
		assert_int_equal(diff.n_refusal, edits[i][2] != NULL);
		if (edits[i][2] != NULL &&
		    strncmp(
			diff.refusal[0], edits[i][2], strlen(edits[i][2])) != 0)
			fail_msg(
			    "not %s, but %s", edits[i][2], diff.refusal[0]);
	}
	cdop_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_name_is_of_two_things),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
