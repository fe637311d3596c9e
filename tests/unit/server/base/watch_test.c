/* When silence is a hang, by a clock of the test's own. */
#include "server/base/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/control.h"

#define BEGUN 5000u

static enum watch_verdict
look(const struct watch *watch, uint64_t now_ms)
{
	return watch_look(watch, now_ms, WATCH_HANG_MS);
}

/* Ready, and asked for the first time. */
static struct watch
asked(void)
{
	struct watch watch;

	watch_begin(&watch, BEGUN);
	watch.ready = true;
	assert_int_equal(look(&watch, BEGUN), WATCH_ASK);
	assert_false(watch_is_well(&watch, WATCH_ASK));
	watch_asked(&watch, BEGUN);
	return watch;
}

static void
a_start_has_its_time(void **state)
{
	struct watch watch;

	(void)state;
	watch_begin(&watch, BEGUN);
	assert_int_equal(look(&watch, BEGUN), WATCH_WELL);
	assert_int_equal(look(&watch, BEGUN + CONTROL_OPEN_MS - 1), WATCH_WELL);
	assert_true(watch_is_well(&watch, WATCH_WELL));
	assert_int_equal(look(&watch, BEGUN + CONTROL_OPEN_MS), WATCH_WAIT);
	assert_false(watch_is_well(&watch, WATCH_WAIT));
}

static void
a_first_ping_without_an_answer_is_a_hang(void **state)
{
	struct watch watch = asked();

	(void)state;
	assert_int_equal(look(&watch, BEGUN + WATCH_HANG_MS - 1), WATCH_WAIT);
	assert_int_equal(look(&watch, BEGUN + WATCH_HANG_MS), WATCH_HANGS);
	assert_false(watch_is_well(&watch, WATCH_HANGS));
}

static void
one_that_answers_is_well_and_asked_again(void **state)
{
	struct watch watch = asked();

	(void)state;
	watch.answers = true;
	watch_heard(&watch, false);
	assert_int_equal(look(&watch, BEGUN + 100), WATCH_ASK);
	assert_true(watch_is_well(&watch, WATCH_ASK));
	watch_asked(&watch, BEGUN + 100);
	assert_int_equal(
	    look(&watch, BEGUN + 100 + WATCH_HANG_MS), WATCH_HANGS);
}

static void
one_that_opens_has_the_time_of_a_start(void **state)
{
	struct watch watch = asked();

	(void)state;
	watch_heard(&watch, true);
	assert_int_equal(look(&watch, BEGUN), WATCH_ASK);
	assert_true(watch_is_well(&watch, WATCH_ASK));
	watch_asked(&watch, BEGUN);
	assert_int_equal(look(&watch, BEGUN + WATCH_HANG_MS), WATCH_WELL);
	assert_int_equal(look(&watch, BEGUN + CONTROL_OPEN_MS - 1), WATCH_WELL);
	assert_int_equal(look(&watch, BEGUN + CONTROL_OPEN_MS), WATCH_HANGS);
}

static void
what_is_said_next_ends_the_opening(void **state)
{
	struct watch watch = asked();

	(void)state;
	watch_heard(&watch, true);
	watch_heard(&watch, false);
	watch_asked(&watch, BEGUN);
	assert_int_equal(look(&watch, BEGUN + WATCH_HANG_MS), WATCH_HANGS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_start_has_its_time),
	    cmocka_unit_test(a_first_ping_without_an_answer_is_a_hang),
	    cmocka_unit_test(one_that_answers_is_well_and_asked_again),
	    cmocka_unit_test(one_that_opens_has_the_time_of_a_start),
	    cmocka_unit_test(what_is_said_next_ends_the_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
