/*
 * What time it is, mostly in milliseconds.  No part below the cycle asks: the
 * time of a leaf is stamped once for a part of a batch.
 */
#ifndef CDOP_BASE_CLOCK_H
#define CDOP_BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

/* CLOCK_MONOTONIC: deadlines of processes and connections. */
uint64_t clock_ms(void);

/* The same in microseconds, for what may take a part of one. */
uint64_t clock_us(void);

/* CLOCK_BOOTTIME: how old a session is; it goes on while a machine sleeps. */
uint64_t clock_boot_ms(void);

/* UTC since 1970. */
uint64_t clock_wall_ms(void);

/* A span of milliseconds as libevent's timers want it. */
struct timeval clock_timeval(uint64_t ms);

#endif
