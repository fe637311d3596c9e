/*
 * The terminal as a place where a person types: whether there is one, a
 * line, a line that is not shown, and what happens when they break off.
 */
#ifndef CDOP_CLIENT_TERM_H
#define CDOP_CLIENT_TERM_H

#include <stdbool.h>
#include <stddef.h>

enum term_read {
	TERM_LINE = 0,
	TERM_END,     /* end of input: Ctrl-D */
	TERM_STOPPED, /* Ctrl-C, or the window was closed */
	TERM_RESUMED, /* Ctrl-Z, and gone on with: ask again */
	TERM_NONE,    /* there is no terminal */
};

#define TERM_LINE_MAX 4096 /* what a terminal gives in one piece */

/* Locale and signals, once. */
void term_start(void);

/* Is somebody there to be asked: are stdin and stderr a terminal? */
bool term_is_person(void);

/* May this descriptor carry colour?  NO_COLOR and TERM=dumb say no. */
bool term_has_colour(int fd, bool no_color);

/* Did somebody ask us to stop since the start? */
bool term_is_stopped(void);

/*
 * Has the terminal say what is pasted and not typed: TERM_PASTE before it
 * and TERM_PASTED behind it.  Nothing where it cannot.
 */
#define TERM_PASTE  "\033[200~"
#define TERM_PASTED "\033[201~"
void term_paste(bool on);

/*
 * One line from stdin without its end, at most max - 1 bytes; what is longer
 * is passed over and *ret_cut set (it may be NULL).  A terminal cuts what is
 * longer than TERM_LINE_MAX - 1 by itself.  prompt goes to stderr.  What was
 * typed before a Ctrl-Z is thrown away by the terminal: TERM_RESUMED.
 */
enum term_read term_line(
    const char *prompt, char *out, size_t max, bool *ret_cut);

/*
 * The same without echo, from the terminal of the session even where stdin
 * is a file.  While it is stopped with Ctrl-Z the terminal is as it was, and
 * when it goes on it asks again.
 */
enum term_read term_secret(const char *prompt, char *out, size_t max);

#endif
