/* Lists from a server, in words: as long as it may send them. */
#include "client/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/limits.h"
#include "tests/unit/client/fixture.h"

static void
names_are_joined_in_their_order(void **state)
{
	struct fixture *f = *state;
	char a[] = "one", b[] = "two", c[] = "";
	char *const words[] = {a, b, c};

	assert_string_equal(show_joined(&f->ctx, words, 3, "; "), "one; two; ");
	assert_string_equal(show_joined(&f->ctx, words, 1, "; "), "one");
	assert_string_equal(show_joined(&f->ctx, words, 0, "; "), "");
}

static void
areas_are_shown_by_label_where_the_profile_is_here(void **state)
{
	struct fixture *f = *state;
	char known[] = "wirral", unknown[] = "atlantis";
	char *const areas[] = {known, unknown};

	assert_string_equal(show_areas(&f->ctx, areas, 2), "wirral, atlantis");
	f->session.profile =
	    (struct cdop_profile *)(uintptr_t)fixture_profile(f);
	f->ctx.session = &f->session;
	assert_string_equal(show_areas(&f->ctx, areas, 2), "Wirral, atlantis");
	assert_string_equal(show_areas(&f->ctx, areas, 0), "");
}

/* The most entries, in the largest message: not their square. */
static void
what_a_server_may_send_has_room(void **state)
{
	enum {
		EACH = CDOP_MESSAGE_MAX / CDOP_SCAN_REPEAT_MAX - 1
	};
	struct fixture *f = *state;
	char *areas[CDOP_SCAN_REPEAT_MAX], area[EACH + 1];
	size_t before = cdop_arena_used(f->ctx.arena), i;

	memset(area, 'x', EACH);
	area[EACH] = '\0';
	for (i = 0; i < CDOP_SCAN_REPEAT_MAX; i++)
		areas[i] = area;
	assert_int_equal(
	    strlen(show_areas(&f->ctx, areas, CDOP_SCAN_REPEAT_MAX)),
	    CDOP_SCAN_REPEAT_MAX * (EACH + 2) - 2);
	assert_true(cdop_arena_used(f->ctx.arena) - before <
	    2 * (size_t)CDOP_MESSAGE_MAX);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(names_are_joined_in_their_order),
	    WITH(areas_are_shown_by_label_where_the_profile_is_here),
	    WITH(what_a_server_may_send_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
