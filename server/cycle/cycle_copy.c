/*
 * Copying the store in everybody's pauses: as long as nobody asks for
 * anything, and a small share of the time where somebody always does.
 */
#include <poll.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cycle/cycle_state.h"
#include "server/registry/copying.h"
#include "server/registry/registry.h"
#include "server/registry/rotation_copy.h"

#define ROTATE_AGAIN_MS 60000 /* one that failed */
#define SLICE_US        20000 /* then the timers are looked at */
#define SLICE_ROWS      4096
#define SLICE_BYTES     ((size_t)8 << 20)
/* It has one part in so many, however much is asked for, in pieces of: */
#define SHARE   4
#define MUST_US 1000
/* What it had in pauses counts for so long. */
#define AHEAD_US (8 * MUST_US)

struct slice {
	const struct cycle *cycle;
	uint64_t must_us; /* until then it goes on, whoever waits */
	uint64_t until_us;
};

/* Somebody's call is there and not worked on, or half of it. */
static bool
is_waited_for(const struct cycle *cycle)
{
	struct pollfd link = {.fd = cycle->link, .events = POLLIN};

	return cycle->busy || intake_waits(cycle) ||
	    (cycle->link >= 0 && poll(&link, 1, 0) > 0);
}

static bool
is_over(void *ctx)
{
	const struct slice *slice = ctx;
	uint64_t now_us = clock_us();

	return now_us >= slice->until_us ||
	    (now_us >= slice->must_us && is_waited_for(slice->cycle));
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

/* What it is owed of the time until now, and has had of it. */
static void
account(struct cycle *cycle, uint64_t now_us, uint64_t had_us)
{
	uint64_t passed_us = now_us - cycle->copy_us;

	if (passed_us > SLICE_US)
		passed_us = SLICE_US;
	cycle->copy_us = now_us;
	cycle->copy_owed_us += (int64_t)(passed_us / SHARE) - (int64_t)had_us;
	if (cycle->copy_owed_us > MUST_US)
		cycle->copy_owed_us = MUST_US;
	if (cycle->copy_owed_us < -AHEAD_US)
		cycle->copy_owed_us = -AHEAD_US;
}

enum cdop_err
cycle_copy(struct cycle *cycle)
{
	const uint64_t now_us = clock_us();
	struct slice slice = {
	    .cycle = cycle, .must_us = now_us, .until_us = now_us + SLICE_US};
	const struct walk_budget budget = {.rows = SLICE_ROWS,
	    .bytes = SLICE_BYTES,
	    .spent = is_over,
	    .ctx = &slice};
	enum cdop_err err;

	if (!is_running(cycle))
		return CDOP_OK;
	account(cycle, now_us, 0);
	if (cycle->copy_owed_us == MUST_US)
		slice.must_us += MUST_US;
	else if (is_waited_for(cycle))
		return CDOP_OK;
	err = copying_step(cycle->reg->copying, &budget);
	account(cycle, clock_us(), clock_us() - now_us);
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
