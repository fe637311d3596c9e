/* The arena: bounded, aligned, zeroed, and wiped when it is given back. */
#include "cdop/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#define MAX       4096u
#define ALIGNMENT _Alignof(max_align_t)

static int
setup(void **state)
{
	struct cdop_arena *arena;

	if (cdop_arena_new(MAX, &arena) != CDOP_OK)
		return -1;
	*state = arena;
	return 0;
}

static int
teardown(void **state)
{
	cdop_arena_free(*state);
	return 0;
}

static void
memory_is_aligned_zeroed_and_does_not_overlap(void **state)
{
	static const size_t lens[] = {1, 16, 17, 0, 3, 100, 33};
	uint8_t *end = NULL, *p;
	size_t i, j;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		p = cdop_arena_alloc(*state, lens[i]);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % ALIGNMENT, 0);
		assert_true(end == NULL || p >= end);
		for (j = 0; j < lens[i]; j++)
			assert_int_equal(p[j], 0);
		if (lens[i] > 0)
			memset(p, 0xa5, lens[i]);
		end = p + lens[i];
	}
}

static void
two_empty_allocations_differ(void **state)
{
	void *first = cdop_arena_alloc(*state, 0);

	assert_non_null(first);
	assert_ptr_not_equal(first, cdop_arena_alloc(*state, 0));
}

static void
budget_is_spent_to_the_last_byte_and_no_further(void **state)
{
	size_t i;

	assert_null(cdop_arena_alloc(*state, MAX + 1));
	assert_int_equal(cdop_arena_used(*state), 0);
	for (i = 0; i < MAX / ALIGNMENT; i++)
		assert_non_null(cdop_arena_alloc(*state, 1));
	assert_int_equal(cdop_arena_used(*state), MAX);
	assert_null(cdop_arena_alloc(*state, 0));
	assert_null(cdop_arena_alloc(*state, 1));
	assert_int_equal(cdop_arena_used(*state), MAX);
	/* What one part of the work may take is less than all. */
	cdop_arena_reset(*state);
	cdop_arena_set_budget(*state, (size_t)2 * ALIGNMENT);
	assert_null(cdop_arena_alloc(*state, (size_t)2 * ALIGNMENT + 1));
	assert_non_null(cdop_arena_alloc(*state, (size_t)2 * ALIGNMENT));
	assert_null(cdop_arena_alloc(*state, 1));
	assert_int_equal(cdop_arena_used(*state), 2 * ALIGNMENT);
}

static void
a_refused_allocation_takes_nothing(void **state)
{
	assert_non_null(cdop_arena_alloc(*state, MAX - ALIGNMENT));
	assert_null(cdop_arena_alloc(*state, ALIGNMENT + 1));
	assert_non_null(cdop_arena_alloc(*state, ALIGNMENT));
}

static void
lengths_that_overflow_are_refused(void **state)
{
	size_t i;

	for (i = 0; i < 2 * ALIGNMENT; i++)
		assert_null(cdop_arena_alloc(*state, SIZE_MAX - i));
	assert_null(cdop_arena_calloc(*state, SIZE_MAX / 8 + 1, 8));
	assert_null(cdop_arena_calloc(*state, 8, SIZE_MAX / 8 + 1));
	assert_null(cdop_arena_calloc(*state, 1u << 31, (size_t)1 << 33));
	assert_null(cdop_arena_strndup(*state, "x", SIZE_MAX));
	assert_null(cdop_arena_strndup(*state, "x", SIZE_MAX - 1));
	assert_int_equal(cdop_arena_used(*state), 0);
}

static void
calloc_gives_the_product_and_takes_zeros(void **state)
{
	uint8_t *p = cdop_arena_calloc(*state, 3, 32);

	assert_non_null(p);
	assert_int_equal(cdop_arena_used(*state), 96);
	assert_non_null(cdop_arena_calloc(*state, 0, SIZE_MAX));
	assert_non_null(cdop_arena_calloc(*state, SIZE_MAX, 0));
}

static void
reset_wipes_every_byte_that_was_handed_out(void **state)
{
	const uint8_t *seen;
	uint8_t *p = cdop_arena_alloc(*state, MAX);
	size_t i;

	memset(p, 0x5a, MAX);
	cdop_arena_reset(*state);
	assert_int_equal(cdop_arena_used(*state), 0);
	seen = cdop_arena_alloc(*state, MAX);
	assert_ptr_equal(seen, p);
	for (i = 0; i < MAX; i++)
		assert_int_equal(seen[i], 0);
}

static void
copies_end_in_nul_and_are_copies(void **state)
{
	char word[] = "Eleanor";
	char *part, *whole;

	part = cdop_arena_strndup(*state, word, 3);
	whole = cdop_arena_strdup(*state, word);
	memset(word, 'x', sizeof(word) - 1);
	assert_string_equal(part, "Ele");
	assert_string_equal(whole, "Eleanor");
	assert_string_equal(cdop_arena_strdup(*state, ""), "");
	assert_string_equal(cdop_arena_strndup(*state, NULL, 0), "");
}

static void
a_copy_with_a_nul_inside_keeps_what_follows(void **state)
{
	const char *p = cdop_arena_strndup(*state, "a\0b", 3);

	assert_non_null(p);
	assert_memory_equal(p, "a\0b", 4);
}

static void
printf_fits_exactly_or_gives_null(void **state)
{
	char *s;

	s = cdop_arena_printf(*state, "%s-%04d", "case", 7);
	assert_string_equal(s, "case-0007");
	assert_string_equal(cdop_arena_printf(*state, "%s", ""), "");
	cdop_arena_reset(*state);
	s = cdop_arena_printf(*state, "%*s", (int)MAX - 1, "x");
	assert_non_null(s);
	assert_int_equal(strlen(s), MAX - 1);
	cdop_arena_reset(*state);
	assert_null(cdop_arena_printf(*state, "%*s", (int)MAX, "x"));
	assert_int_equal(cdop_arena_used(*state), 0);
}

static void
the_unpack_allocator_draws_from_the_arena_and_frees_nothing(void **state)
{
	ProtobufCAllocator *allocator = cdop_arena_allocator(*state);
	char *p;

	p = allocator->alloc(allocator->allocator_data, 8);
	assert_non_null(p);
	memcpy(p, "sealed!", 8);
	allocator->free(allocator->allocator_data, p);
	assert_string_equal(p, "sealed!");
	assert_true(cdop_arena_used(*state) >= 8);
	assert_null(allocator->alloc(allocator->allocator_data, MAX));
}

static void
free_takes_null(void **state)
{
	(void)state;
	cdop_arena_free(NULL);
}

static void
an_arena_too_big_for_the_machine_is_refused_untouched(void **state)
{
	struct cdop_arena *arena = *state;

	assert_int_equal(
	    cdop_arena_new(SIZE_MAX / 2, &arena), CDOP_RESOURCE_EXHAUSTED);
	assert_ptr_equal(arena, *state);
}

static void
that_it_was_spent_is_remembered(void **state)
{
	struct cdop_arena *arena = *state;

	assert_non_null(cdop_arena_alloc(arena, 1));
	assert_false(cdop_arena_was_spent(arena));
	assert_null(cdop_arena_alloc(arena, SIZE_MAX));
	assert_true(cdop_arena_was_spent(arena));
	cdop_arena_reset(arena);
	assert_true(cdop_arena_was_spent(arena));
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_ARENA(memory_is_aligned_zeroed_and_does_not_overlap),
	    WITH_ARENA(two_empty_allocations_differ),
	    WITH_ARENA(budget_is_spent_to_the_last_byte_and_no_further),
	    WITH_ARENA(a_refused_allocation_takes_nothing),
	    WITH_ARENA(lengths_that_overflow_are_refused),
	    WITH_ARENA(calloc_gives_the_product_and_takes_zeros),
	    WITH_ARENA(reset_wipes_every_byte_that_was_handed_out),
	    WITH_ARENA(copies_end_in_nul_and_are_copies),
	    WITH_ARENA(a_copy_with_a_nul_inside_keeps_what_follows),
	    WITH_ARENA(printf_fits_exactly_or_gives_null),
	    WITH_ARENA(
		the_unpack_allocator_draws_from_the_arena_and_frees_nothing),
	    WITH_ARENA(an_arena_too_big_for_the_machine_is_refused_untouched),
	    WITH_ARENA(that_it_was_spent_is_remembered),
	    cmocka_unit_test(free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
