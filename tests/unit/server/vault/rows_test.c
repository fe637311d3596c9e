/* The row store: batches, starts, keys. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/vault/store_fixture.h"

static void
a_new_store_opens_through_each_slot(void **state)
{
	struct store_fixture f;

	(void)state;
	store_fixture_make(&f);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 0), CDOP_OK);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_open(&f, 1), CDOP_OK);
	store_fixture_close(&f);
	assert_int_equal(store_fixture_verify(&f), 0);
	store_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_store_opens_through_each_slot),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
