/*
 * Copying the store in everybody's pauses: long slices where nobody calls,
 * else short ones, and seldom.
 */
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cycle/cycle_state.h"
#include "server/registry/copying.h"
#include "server/registry/registry.h"
#include "server/registry/rotation_copy.h"

#define ROTATE_AGAIN_MS 60000 /* one that failed */
/* While somebody calls: what a call waits longer for it, and how often. */
#define SLICE_US       1000
#define SLICE_ROWS     128
#define SLICE_EVERY_US 4000
#define SLICE_ALONE_US 20000
#define SLICE_ALONE    4096
#define SLICE_BYTES    ((size_t)8 << 20)

static bool
is_over(void *ctx)
{
	const uint64_t *until_us = ctx;

	return clock_us() >= *until_us;
}

static bool
is_running(const struct cycle *cycle)
{
	return cycle->reg != NULL &&
	    copying_state(cycle->reg->copying) == COPYING_RUNS;
}

/* It has ended, and a rotation has to write that down. */
static bool
has_ended(const struct cycle *cycle)
{
	return cycle->reg != NULL &&
	    rotation_copy_ended(cycle->reg->rotation) &&
	    clock_boot_ms() >= cycle->rotate_ms;
}

bool
cycle_is_called(const struct cycle *cycle, uint64_t boot_ms)
{
	return boot_ms - cycle->called_ms < CYCLE_BUSY_MS;
}

bool
cycle_copy_waits(const struct cycle *cycle)
{
	return (is_running(cycle) && !cycle->copy_rests) || has_ended(cycle);
}

static void
say_end(const struct copying *copying)
{
	const struct copy *copy = copying_copy(copying);
	struct copy_progress progress;

	copy_progress(copy, &progress);
	if (copying_state(copying) == COPYING_DONE)
		log_info("copy.done", "rows=%llu bytes=%llu",
		    (unsigned long long)progress.rows,
		    (unsigned long long)progress.bytes);
	if (copying_state(copying) == COPYING_FAILED)
		log_error("copy.failed", "code=%s finding=%s next=%s",
		    cdop_err_name(copy_error(copy)), copy_finding(copy),
		    "nothing was changed; with a finding, run cdopd verify");
}

enum cdop_err
cycle_copy(struct cycle *cycle)
{
	const uint64_t now_us = clock_us();
	const bool called = cycle_is_called(cycle, clock_boot_ms());
	uint64_t until_us = now_us + (called ? SLICE_US : SLICE_ALONE_US);
	const struct walk_budget budget = {
	    .rows = called ? SLICE_ROWS : SLICE_ALONE,
	    .bytes = SLICE_BYTES,
	    .spent = is_over,
	    .ctx = &until_us};
	enum cdop_err err;

	cycle->copy_rests = is_running(cycle) && called &&
	    now_us - cycle->copy_us < SLICE_EVERY_US;
	if (!is_running(cycle) || cycle->copy_rests)
		return CDOP_OK;
	cycle->copy_us = now_us;
	err = copying_step(cycle->reg->copying, &budget);
	if (err == CDOP_OK)
		say_end(cycle->reg->copying);
	return err;
}

void
cycle_rotation_failed(
    struct cycle *cycle, const char *finding, uint64_t boot_ms)
{
	rotation_set_stalled(cycle->reg->rotation, true);
	cycle->rotate_ms = boot_ms + ROTATE_AGAIN_MS;
	log_error("keys.kept", "finding=%s next=%s", finding,
	    "look for room on the disk, and run cdopd verify");
}
