/* A window of one minute. */
#include "server/base/deaths.h"

#define DEATHS_MINUTE_MS 60000

size_t
deaths_count(struct deaths *deaths, uint64_t now_ms)
{
	size_t i, n = 0;

	for (i = 0; i < deaths->n; i++) {
		if (now_ms - deaths->at_ms[i] < DEATHS_MINUTE_MS)
			deaths->at_ms[n++] = deaths->at_ms[i];
	}
	if (n < DEATHS_MAX)
		deaths->at_ms[n++] = now_ms;
	deaths->n = n;
	return n;
}
