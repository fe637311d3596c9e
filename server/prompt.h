/*
 * A secret typed by a person, or read from stdin by a program; never argv,
 * never the environment.
 */
#ifndef CDOP_SERVER_PROMPT_H
#define CDOP_SERVER_PROMPT_H

#include <stddef.h>
#include <stdint.h>

#include "cdop/err.h"

/*
 * One line from the terminal without echo; prompt goes to the terminal.
 * Without its newline, at most max bytes; the caller wipes ret_secret.
 * CDOP_FAILED_PRECONDITION: no terminal.  CDOP_INVALID_ARGUMENT: empty or
 * longer than max.  CDOP_ABORTED: the input ended, or Ctrl-C;
 * or what is typed cannot be hidden.
 */
CDOP_MUST enum cdop_err prompt_terminal(
    const char *prompt, uint8_t *ret_secret, size_t max, size_t *ret_len);

/*
 * The terminal of a prompt that is open is as it was before.  For a signal
 * handler.
 */
void prompt_give_back(void);

/*
 * A signal ends the line that is read, like a Ctrl-C, and each that would be
 * read after it.  For a signal handler.
 */
void prompt_end(void);

/* One line from stdin; bytes behind it are left unread or lost. */
CDOP_MUST enum cdop_err prompt_stdin(
    uint8_t *ret_secret, size_t max, size_t *ret_len);

#endif
