/*
 * The calls by which a process changes its disk, counted, and one of them cut
 * off: the process dies at it as by SIGKILL, half of a write having arrived,
 * or the call fails.  Writes that only make room count as one.  The program
 * includes cut_calls.h, which has them.
 */
#ifndef CDOP_TESTS_CUT_H
#define CDOP_TESTS_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CUT_DIED 9 /* exit status of who died at a call */

/*
 * From now on calls are counted.  At the at-th (from 1 on; 0: at none) the
 * process dies, or, with a code, the call fails with that errno, once.
 */
void cut_begin(uint32_t at, int code);
void cut_end(void);

/* How many there were since cut_begin(). */
uint32_t cut_calls(void);

/*
 * Runs fn in a child, which hands at to cut_begin().  True where it died at
 * that call, false where fn came to its end.
 */
bool cut_child(uint32_t at, void (*fn)(uint32_t at));

/* ---- For cut_calls.h alone ---- */

/* This write is where the process dies, and half of it arrives. */
bool cut_tears(size_t len);
/* Zeros, and those of the call before were. */
bool cut_is_more_room(const uint8_t *bytes, size_t len);
/* True, with errno, where this call has to fail; at the other it dies. */
bool cut_is(void);
/* The C library's function of this name. */
void cut_next(const char *name, void *ret_fn);

#endif
