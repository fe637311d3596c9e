/*
 * A signal to a command that makes files: it ends in order, as where something
 * fails, and takes away what it has made.  What is committed stands; then it
 * goes on to its end.
 */
#ifndef CDOP_SERVER_ENDED_H
#define CDOP_SERVER_ENDED_H

#include <stdbool.h>

/*
 * From here on these signals are noted, and end the question that a
 * person is asked.  To be called before the first file is made.
 */
void ended_begin(void);

/*
 * INT, TERM, HUP and QUIT to a handler of one's own, with sigaction's flags;
 * but HUP where whoever started us, as nohup, has it ignored.
 */
void ended_on(void (*handler)(int), int flags);

/* One came: nothing more is begun. */
bool ended_was(void);

/* Says, if one came, that this is so for it: "the registry is as it was". */
void ended_tell(const char *so);

/*
 * LMDB believes its file (adr/0006): where a page is damaged that ends the
 * process, and from here on it is said what to do then.
 */
void ended_explain(void);

#endif
