/*
 * How often children died in the last minute: past a bound, starting them
 * again helps nobody.
 */
#ifndef CDOP_BASE_DEATHS_H
#define CDOP_BASE_DEATHS_H

#include <stddef.h>
#include <stdint.h>

#define DEATHS_MAX 128 /* more than any bound of the configuration */

struct deaths {
	uint64_t at_ms[DEATHS_MAX];
	size_t n;
};

/* Counts one; returns how many there were in the last minute, with it. */
size_t deaths_count(struct deaths *deaths, uint64_t now_ms);

#endif
