/* What the vault counts about itself (server/base/metrics.h). */
#ifndef CDOP_CYCLE_METER_H
#define CDOP_CYCLE_METER_H

#include <stdbool.h>

struct batch_item;
struct cycle;

/* Once a second: what stands, of store, log, keys and sessions. */
void meter_tick(struct cycle *cycle);

/* An item of a batch that was run, as it is answered. */
void meter_item(struct cycle *cycle, const struct batch_item *item);

/* A handshake that failed. */
void meter_refused(struct cycle *cycle);

/* All of the log was looked through. */
void meter_scrubbed(struct cycle *cycle, bool found);

#endif
