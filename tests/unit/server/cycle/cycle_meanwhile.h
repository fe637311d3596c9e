/*
 * What happens while a batch is run: whenever it writes, which is where these
 * stand in place of LMDB's.
 */
#ifndef CDOP_TESTS_CYCLE_MEANWHILE_H
#define CDOP_TESTS_CYCLE_MEANWHILE_H

#include <stdbool.h>

extern void (*meanwhile)(void);        /* the next time; NULL: it has */
extern void (*meanwhile_always)(void); /* each time */
/* From then on: true, and the write fails, once.  NULL: it has. */
extern bool (*meanwhile_fails)(void);

/* For the next test. */
void meanwhile_over(void);

#endif
