/*
 * What the daemon counts about itself, for a monitor of machines: how busy, how
 * slow, how full, how old.  Never who, nor what about, nor which call: of a
 * hundred deaths a year the minute of one registration is one child.
 *
 * The vault counts in a page that it shares with the parent, which writes the
 * file; counters go on over the vault's deaths.  Text as Prometheus reads it
 * (exposition format 0.0.4).
 */
#ifndef CDOP_BASE_METRICS_H
#define CDOP_BASE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "cdop/err.h"

enum metric {
	METRIC_OPEN,
	METRIC_SESSIONS,
	METRIC_HANDSHAKES,
	METRIC_HANDSHAKES_REFUSED,
	METRIC_CALLS,
	METRIC_CALLS_FAILED,
	METRIC_BATCHES,
	METRIC_STREAMS,
	METRIC_MAP_USED,
	METRIC_MAP_SIZE,
	METRIC_RESERVE_SHORT,
	METRIC_DISK_FULL,
	METRIC_LOG_LEAVES,
	METRIC_WITNESSED_MS,
	METRIC_WITNESSED_LEAVES,
	METRIC_BACKUP_MS,
	METRIC_BACKUP_PROVED_MS,
	METRIC_SCRUB_MS,
	METRIC_SCRUB_FINDINGS,
	METRIC_ROTATION,
	METRIC_ROTATION_KEYS,
	METRIC_ROTATION_KEYS_DONE,
	METRIC_GATE_STARTS,
	METRIC_VAULT_STARTS,
	METRIC_WRITTEN_MS,
	METRICS,
};

#define METRICS_BOUNDS 12 /* of a histogram, and one without bound */

struct metrics_times {
	_Atomic uint64_t bucket[METRICS_BOUNDS + 1];
	_Atomic uint64_t sum_us;
};

/* All zero at first. */
struct metrics {
	_Atomic uint64_t value[METRICS];
	struct metrics_times call;   /* from its last byte to its answer */
	struct metrics_times commit; /* of a batch */
};

void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value);
void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n);

uint64_t metrics_get(const struct metrics *metrics, enum metric metric);

/* One more that took so long. */
void metrics_took(struct metrics_times *times, uint64_t us);

/* All that was taken, in microseconds. */
uint64_t metrics_sum(const struct metrics_times *times);

/*
 * The same as a file (0644) that is whole at any moment: written beside path
 * and renamed.  What lies there and was not written here stays as it is.
 * CDOP_PERMISSION_DENIED: it cannot be; errno says why.
 */
CDOP_MUST enum cdop_err metrics_publish(
    const struct metrics *metrics, const char *path);

#endif
