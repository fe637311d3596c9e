/* A list ends, whatever its server says. */
#include "client/paged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "tests/unit/client/fixture.h"

static enum exit_code
took(struct fixture *f, struct paged *paged, uint32_t last, bool more)
{
	return paged_took(&f->ctx, paged, &last, more);
}

static void
it_goes_on_behind_the_last(void **state)
{
	struct fixture *f = *state;
	struct paged up = {.of = "people"}, down = {.of = "b", .falls = true};

	assert_int_equal(took(f, &up, 100, true), EXIT_OK);
	assert_true(up.more && up.has_last);
	assert_int_equal(took(f, &up, 101, false), EXIT_OK);
	assert_false(up.more);
	assert_int_equal(up.last, 101);
	assert_int_equal(took(f, &down, 100, true), EXIT_OK);
	assert_int_equal(took(f, &down, 99, true), EXIT_OK);
	assert_true(down.more);
	assert_int_equal(down.last, 99);
}

static void
a_page_that_comes_again_ends_it(void **state)
{
	struct fixture *f = *state;
	struct paged up = {.of = "people"}, down = {.of = "b", .falls = true};

	assert_int_equal(took(f, &up, 100, true), EXIT_OK);
	assert_int_equal(took(f, &up, 100, true), EXIT_INTEGRITY);
	assert_non_null(
	    strstr(f->ctx.error.message, "the list of people does not go on"));
	assert_int_equal(took(f, &up, 99, true), EXIT_INTEGRITY);
	assert_int_equal(took(f, &down, 5, true), EXIT_OK);
	assert_int_equal(took(f, &down, 5, true), EXIT_INTEGRITY);
	assert_int_equal(took(f, &down, 6, true), EXIT_INTEGRITY);
}

static void
an_empty_page_is_the_last(void **state)
{
	struct fixture *f = *state;
	struct paged paged = {.of = "people"};

	assert_int_equal(took(f, &paged, 7, true), EXIT_OK);
	assert_int_equal(paged_took(&f->ctx, &paged, NULL, true), EXIT_OK);
	assert_false(paged.more);
	assert_int_equal(paged.last, 7);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* What the first one brought stays, and the word for the next one. */
static void
a_page_that_was_shown_is_given_back(void **state)
{
	struct fixture *f = *state;
	ProtobufCBinaryData token;
	size_t used = 0, before;
	char *first = cdop_arena_strdup(f->ctx.arena, "the first page");
	int i;

	token = (ProtobufCBinaryData){3, (uint8_t *)first};
	paged_pass(&f->ctx, &used, &token);
	before = cdop_arena_used(f->ctx.arena);
	for (i = 0; i < 5; i++) {
		assert_non_null(cdop_arena_alloc(f->ctx.arena, 100000));
		token = (ProtobufCBinaryData){
		    4, (uint8_t *)cdop_arena_strdup(f->ctx.arena, "next")};
		paged_pass(&f->ctx, &used, &token);
		assert_memory_equal(token.data, "next", 4);
		assert_in_range(
		    cdop_arena_used(f->ctx.arena), before, before + 64);
	}
	assert_string_equal(first, "the first page");
	paged_pass(&f->ctx, &used, NULL);
	assert_int_equal(cdop_arena_used(f->ctx.arena), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(it_goes_on_behind_the_last),
	    WITH(a_page_that_comes_again_ends_it),
	    WITH(an_empty_page_is_the_last),
	    WITH(a_page_that_was_shown_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
