/*
 * How many calls of one device are taken: each has a leaf, and the log is
 * never made smaller.  Messages of a stream that have none are not counted.
 * A device may make CDOP_PACE_CALLS at a stretch, far more than the longest
 * import; then they are taken one every CDOP_PACE_MS, and what it has not
 * used comes back at that speed.  Nothing is refused: a refusal has a leaf
 * too.
 */
#ifndef CDOP_CYCLE_PACE_H
#define CDOP_CYCLE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"

struct pace;

/* calls: at a stretch; 0: CDOP_PACE_CALLS. */
CDOP_MUST enum cdop_err pace_new(uint32_t calls, struct pace **ret_pace);
void pace_free(struct pace *pace);

/*
 * May one more be taken now, besides n that are not counted yet?  who is a
 * device (server/cycle/turns.h).
 */
bool pace_may(struct pace *pace, uint64_t who, uint32_t n, uint64_t boot_ms);

/* One was done. */
void pace_count(struct pace *pace, uint64_t who, uint64_t boot_ms);

#endif
