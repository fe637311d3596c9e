/*
 * CLOCK_MONOTONIC in milliseconds, for deadlines of processes and
 * connections.  Not the time of a leaf: that is stamped once per request.
 */
#ifndef CDOP_BASE_CLOCK_H
#define CDOP_BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

uint64_t clock_ms(void);

/* A span of milliseconds as libevent's timers want it. */
struct timeval clock_timeval(uint64_t ms);

#endif
