/* Two kinds of items of a batch that are no calls; see batch.h. */
#ifndef CDOP_CYCLE_BATCH_EVENT_H
#define CDOP_CYCLE_BATCH_EVENT_H

#include "server/cycle/batch.h"

/* BATCH_OPENED: the handshake's own leaf, and what it proves about the PSK. */
CDOP_MUST enum cdop_err batch_event_opened(struct cdop_arena *arena,
    struct registry *reg, struct batch_item *item,
    const struct batch_times *times);

/* BATCH_EVENT: a leaf about something that happened. */
CDOP_MUST enum cdop_err batch_event_run(struct cdop_arena *arena,
    struct registry *reg, const struct batch_item *item,
    const struct batch_times *times);

#endif
