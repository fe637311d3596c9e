/* A secret on a terminal whose driver is interrupted. */
#include "client/term.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/terminal.h"

/* In the child: what came of it, + 16 where the terminal does not show. */
static int
ask(void)
{
	enum term_read got;
	char text[64];

	term_start();
	got = term_secret("Secret: ", text, sizeof(text));
	if (got == TERM_LINE && strcmp(text, TERMINAL_TYPED) != 0)
		return 32;
	return (int)got + (terminal_shows() ? 0 : 16);
}

static void
is_ended(void)
{
	(void)raise(SIGTERM);
}

static int
play(unsigned bits, int error, void (*with)(void), bool *ret_asked)
{
	const struct terminal_fails fails = {bits, error, with};
	char screen[TERMINAL_SCREEN];
	int status = terminal_play(&fails, ask, ret_asked, screen);

	assert_null(strstr(screen, TERMINAL_TYPED));
	return status;
}

/* While it waits for the screen, and while it is given back. */
static void
a_signal_that_stops_nothing_shows_nothing(void **state)
{
	static const unsigned bits[] = {0, 1, 7, 2, 5};
	bool asked;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		assert_int_equal(play(bits[i], EINTR, NULL, &asked), TERM_LINE);
		assert_true(asked);
	}
}

static void
what_would_be_seen_is_not_asked_for(void **state)
{
	bool asked;

	(void)state;
	assert_int_equal(play(1, EIO, NULL, &asked), TERM_NONE);
	assert_false(asked);
	assert_int_equal(play(1, EINTR, is_ended, &asked), TERM_STOPPED);
	assert_false(asked);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signal_that_stops_nothing_shows_nothing),
	    cmocka_unit_test(what_would_be_seen_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
