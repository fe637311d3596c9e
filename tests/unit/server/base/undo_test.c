/* The undo log: newest back first, all or nothing. */
#include "server/base/undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TABLE 64

static char said[64];

static void
say(void *ctx, uint64_t arg)
{
	char *text;
	size_t len;

	text = ctx;
	len = strlen(text);
	text[len] = (char)('a' + arg);
	text[len + 1] = '\0';
}

static struct undo *
make(void)
{
	struct undo *undo;

	assert_int_equal(undo_new(64u << 10, &undo), CDOP_OK);
	memset(said, 0, sizeof(said));
	return undo;
}

static void
a_rollback_takes_back_the_newest_first(void **state)
{
	struct undo *undo;
	int n;

	(void)state;
	undo = make();
	n = 1;
	undo_begin(undo);
	assert_int_equal(undo_save(undo, &n, sizeof(n)), CDOP_OK);
	n = 2;
	assert_int_equal(undo_call(undo, say, said, 0), CDOP_OK);
	assert_int_equal(undo_save(undo, &n, sizeof(n)), CDOP_OK);
	n = 3;
	assert_int_equal(undo_call(undo, say, said, 1), CDOP_OK);
	assert_int_equal(undo_defer(undo, say, said, 2), CDOP_OK);
	undo_rollback(undo);
	assert_int_equal(n, 1);
	assert_string_equal(said, "ba");
	assert_int_equal(undo_used(undo), 0);
	undo_free(undo);
}

static void
a_commit_keeps_and_runs_what_was_deferred_in_order(void **state)
{
	struct undo *undo;
	int n;

	(void)state;
	undo = make();
	n = 1;
	undo_begin(undo);
	assert_true(undo_is_begun(undo));
	assert_int_equal(undo_save(undo, &n, sizeof(n)), CDOP_OK);
	n = 2;
	assert_int_equal(undo_defer(undo, say, said, 3), CDOP_OK);
	assert_int_equal(undo_call(undo, say, said, 1), CDOP_OK);
	assert_int_equal(undo_defer(undo, say, said, 4), CDOP_OK);
	assert_string_equal(said, "");
	undo_commit(undo);
	assert_false(undo_is_begun(undo));
	assert_int_equal(n, 2);
	assert_string_equal(said, "de");
	undo_free(undo);
}

static void
outside_a_batch_nothing_is_kept(void **state)
{
	struct undo *undo;
	int n;

	(void)state;
	undo = make();
	n = 1;
	assert_int_equal(undo_save(undo, &n, sizeof(n)), CDOP_OK);
	n = 2;
	assert_int_equal(undo_call(undo, say, said, 1), CDOP_OK);
	assert_int_equal(undo_defer(undo, say, said, 2), CDOP_OK);
	assert_string_equal(said, "c");
	assert_int_equal(undo_used(undo), 0);
	undo_begin(undo);
	undo_rollback(undo);
	assert_int_equal(n, 2);
	undo_free(undo);
}

static void
a_full_log_refuses_and_still_takes_the_rest_back(void **state)
{
	uint8_t block[4096], before[4096];
	struct undo *undo;
	size_t n;

	(void)state;
	undo = make();
	memset(block, 1, sizeof(block));
	memcpy(before, block, sizeof(block));
	undo_begin(undo);
	for (n = 0; undo_save(undo, block, sizeof(block)) == CDOP_OK; n++)
		memset(block, (int)n + 2, sizeof(block));
	assert_true(n > 10 && n < 16);
	assert_int_equal(
	    undo_save(undo, block, SIZE_MAX - 64), CDOP_RESOURCE_EXHAUSTED);
	undo_rollback(undo);
	assert_memory_equal(block, before, sizeof(block));
	undo_free(undo);
}

static void
any_history_comes_back_whole(void **state)
{
	uint8_t table[TABLE], before[TABLE];
	unsigned int seed, i, at, len;
	struct undo *undo;

	(void)state;
	undo = make();
	for (seed = 1; seed < 200; seed++) {
		memset(table, (int)seed, sizeof(table));
		memcpy(before, table, sizeof(table));
		undo_begin(undo);
		for (i = 0; i < 50; i++) {
			at = (seed * 2654435761u + i * 40503u) >> 7;
			len = at / TABLE % 9;
			at = at % (TABLE - 8);
			assert_int_equal(
			    undo_save(undo, table + at, len), CDOP_OK);
			memset(table + at, (int)i, len);
		}
		undo_rollback(undo);
		assert_memory_equal(table, before, sizeof(table));
	}
	undo_free(undo);
	undo_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rollback_takes_back_the_newest_first),
	    cmocka_unit_test(
		a_commit_keeps_and_runs_what_was_deferred_in_order),
	    cmocka_unit_test(outside_a_batch_nothing_is_kept),
	    cmocka_unit_test(a_full_log_refuses_and_still_takes_the_rest_back),
	    cmocka_unit_test(any_history_comes_back_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
