/* A yes in words, for what cannot be undone. */
#ifndef CDOP_SERVER_CONFIRM_H
#define CDOP_SERVER_CONFIRM_H

#include <stdbool.h>

#define CONFIRM_UNDERSTAND "I understand"

/*
 * given is the value of --confirm; NULL: it is asked for on stdout and read
 * from stdin.  False, and said with what was not done ("nothing was made"):
 * it is not CONFIRM_UNDERSTAND.
 */
bool confirm_understood(const char *given, const char *not_done);

#endif
