/*
 * Copying the store in everybody's pauses: a slice where nobody waits, else
 * with one turn in ten.
 */
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cycle/cycle_state.h"
#include "server/registry/copying.h"
#include "server/registry/registry.h"
#include "server/registry/rotation_copy.h"

#define ROTATE_AGAIN_MS 60000 /* one that failed */
#define SLICE_US        2000
#define SLICE_ROWS      512
#define SLICE_BYTES     ((size_t)2 << 20)
#define EVERY           10 /* turns with a batch in them */

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
cycle_copy_waits(const struct cycle *cycle)
{
	return is_running(cycle) || has_ended(cycle);
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
	uint64_t until_us = clock_us() + SLICE_US;
	const struct walk_budget budget = {.rows = SLICE_ROWS,
	    .bytes = SLICE_BYTES,
	    .spent = is_over,
	    .ctx = &until_us};
	enum cdop_err err;

	if (!is_running(cycle))
		return CDOP_OK;
	if (cycle->worked && ++cycle->copy_passed < EVERY)
		return CDOP_OK;
	cycle->copy_passed = 0;
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
