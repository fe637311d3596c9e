/* Which refusals the parent tries again, and what it says of the others. */
#include "server/cycle/refused.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/control.h"

static void
a_registry_that_is_damaged_or_none_is_not_tried_again(void **state)
{
	(void)state;
	assert_int_equal(refused_status(CDOP_DATA_LOSS), CONTROL_EXIT_DATA);
	assert_string_equal(refused_next(CDOP_DATA_LOSS), REFUSED_NEXT_VERIFY);
	assert_int_equal(refused_status(CDOP_NOT_FOUND), CONTROL_EXIT_CONFIG);
	assert_string_equal(refused_next(CDOP_NOT_FOUND),
	    "take the data directory away and run cdopd init");
	assert_int_equal(refused_store("/d", CDOP_DATA_LOSS), 65);
	assert_int_equal(refused_store("/d", CDOP_NOT_FOUND), 78);
}

static void
a_store_that_may_not_be_opened_is_not_tried_again(void **state)
{
	(void)state;
	assert_int_equal(refused_store("/d", CDOP_PERMISSION_DENIED), 78);
}

static void
memory_and_room_come_back(void **state)
{
	(void)state;
	assert_int_equal(refused_status(CDOP_RESOURCE_EXHAUSTED), 1);
	assert_string_equal(
	    refused_next(CDOP_RESOURCE_EXHAUSTED), REFUSED_NEXT_ROOM);
	assert_int_equal(refused_store("/d", CDOP_RESOURCE_EXHAUSTED), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_registry_that_is_damaged_or_none_is_not_tried_again),
	    cmocka_unit_test(a_store_that_may_not_be_opened_is_not_tried_again),
	    cmocka_unit_test(memory_and_room_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
