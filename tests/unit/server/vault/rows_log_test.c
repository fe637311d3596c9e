/* The log of the row store, walked from its end. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/server/vault/store_fixture.h"

struct back {
	struct store_fixture *f;
	uint32_t expected;
	uint64_t last;
	unsigned int n;
	unsigned int max;
};

static enum cdop_err
walk_back(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct cdop_bytes data;
	struct back *back;
	char text[32];

	back = ctx;
	assert_int_equal(head->kind, SCHEMA_KIND_LEAF);
	assert_int_equal(head->version, back->expected);
	cdop_arena_reset(back->f->arena);
	assert_int_equal(rows_item_open(item, back->f->arena, &data), CDOP_OK);
	(void)snprintf(text, sizeof(text), "leaf %u", back->expected);
	assert_string_equal((const char *)data.data, text);
	back->expected--;
	back->last = head->number;
	back->n++;
	*ret_stop = back->n == back->max;
	return CDOP_OK;
}

static void
the_log_is_walked_backwards_until_told_to_stop(void **state)
{
	struct store_fixture f;
	struct back back;
	char text[32];
	unsigned int i;

	(void)state;
	store_fixture_make(&f);
	for (i = 0; i < 20; i++) {
		store_fixture_begin(&f);
		(void)snprintf(text, sizeof(text), "leaf %u", i);
		(void)store_fixture_put(&f, SCHEMA_KIND_PERSON, 0, "person");
		(void)store_fixture_leaf(&f, text);
		(void)store_fixture_put(&f, SCHEMA_KIND_TERMS, 0, "terms");
		store_fixture_commit(&f);
	}
	back = (struct back){.f = &f, .expected = 19, .max = 7};
	assert_int_equal(rows_scan_log(f.rows, 0, walk_back, &back), CDOP_OK);
	assert_int_equal(back.n, 7);
	/* On from there, within a batch. */
	store_fixture_begin(&f);
	back.n = 0;
	back.max = 100;
	assert_int_equal(
	    rows_scan_log(f.rows, back.last, walk_back, &back), CDOP_OK);
	assert_int_equal(back.n, 13);
	store_fixture_commit(&f);
	store_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_log_is_walked_backwards_until_told_to_stop),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
