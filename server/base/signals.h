/*
 * Signals as events of a libevent loop: nothing runs in a signal handler
 * of ours.
 */
#ifndef CDOP_BASE_SIGNALS_H
#define CDOP_BASE_SIGNALS_H

#include "cdop/err.h"

struct event_base;
struct signals;

typedef void signals_fn(int number, void *ctx);

/*
 * Calls fn from the loop for TERM, INT, HUP and CHLD; ignores PIPE.
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err signals_new(struct event_base *base, signals_fn *fn,
    void *ctx, struct signals **ret_signals);

/* NULL is fine. */
void signals_free(struct signals *signals);

/*
 * For gate and vault: TERM, INT and HUP reach the whole group from a
 * terminal or a service manager, but when to stop is the parent's word.
 */
void signals_ignore(void);

/* For a forked child that runs on its own: everything as at exec. */
void signals_default(void);

#endif
