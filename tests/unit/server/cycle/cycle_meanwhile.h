/*
 * What happens while a batch is run: whenever it writes, which is where these
 * stand in place of LMDB's.
 */
#ifndef CDOP_TESTS_CYCLE_MEANWHILE_H
#define CDOP_TESTS_CYCLE_MEANWHILE_H

#include <stdbool.h>

#include "tests/unit/server/cycle/cycle_fixture.h"

extern void (*meanwhile)(void);        /* the next time; NULL: it has */
extern void (*meanwhile_always)(void); /* each time */
/* From then on: true, and the write fails, once.  NULL: it has. */
extern bool (*meanwhile_fails)(void);

/*
 * A turn with what `first` has sent, whose batch `second` joins by fn; with
 * fails both are then run alone.  The first has its answer: the second's.
 */
const Cdop__Reply *meanwhile_joined(struct fixture *f,
    struct fixture_client *first, struct fixture_client *second,
    void (*fn)(void), bool (*fails)(void));

/* For the next test. */
void meanwhile_over(void);

#endif
