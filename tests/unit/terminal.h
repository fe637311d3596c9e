/*
 * A terminal of a child's own, whose driver fails when it is told to.  Whoever
 * uses it has tcsetattr() from here, before the library's.
 */
#ifndef CDOP_TESTS_TERMINAL_H
#define CDOP_TESTS_TERMINAL_H

#include <stdbool.h>

#define TERMINAL_TYPED  "swordfish"
#define TERMINAL_SCREEN 1024

/* Which calls of tcsetattr() fail, counted from bit 0, and with what. */
struct terminal_fails {
	unsigned bits;
	int error;
	void (*with)(void); /* a signal that comes with it; NULL: none */
};

/*
 * Plays it in a child, which asks one question that ends with ": ", and types
 * TERMINAL_TYPED when it is there; *ret_asked: it was.  What ask returned, of
 * which a child's status has 8 bits.  screen: all that was to be seen.
 */
int terminal_play(const struct terminal_fails *fails, int (*ask)(void),
    bool *ret_asked, char screen[static TERMINAL_SCREEN]);

/* Does it show what is typed? */
bool terminal_shows(void);

#endif
