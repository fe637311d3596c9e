/*
 * Step 2 of a turn: whole calls of all sessions into the batch, fairly.
 */
#include "cdop/limits.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cycle/cycle_state.h"
#include "server/cycle/meter.h"
#include "server/cycle/pace.h"
#include "server/registry/audit.h"
#include "server/registry/backups.h"
#include "server/registry/cases_renew.h"
#include "server/registry/registry.h"
#include "server/registry/rotation_copy.h"
#include "server/registry/rotation_step.h"
#include "server/registry/scrub.h"
#include "server/registry/search_key.h"
#include "server/vault/rows.h"

#define COUNT_MS        60000
#define SCRUB_MS        1000 /* between two steps */
#define SCRUB_ROWS      200  /* a few milliseconds; 17 million rows a day */
#define SCRUB_AGAIN_MS  (24u * 3600u * 1000u)
#define PACED_MS        3600000    /* it is logged no more often */
#define UNCONFIRMED_MAX (4u << 20) /* given to the gate and not yet sent */
#define CALLS_EACH      4  /* of a session, before it is another's turn */
#define LONG_EVERY      10 /* batches with calls in them */
/* A slice of a rotation, while somebody waits and while nobody does. */
#define SLICE_MS       1
#define SLICE_ROWS     32 /* each a page of its own to be written */
#define SLICE_EVERY_MS 5
#define SLICE_ALONE_MS 20
#define SLICE_ALONE    1024

static const struct cdop_bytes nothing;

/* Whoever asks without an end is slowed, and told of. */
static bool
is_paced(struct cycle *cycle, const struct session *session, uint64_t boot_ms)
{
	if (pace_may(cycle->pace, &session->peer, boot_ms))
		return false;
	cycle->paced = true;
	cycle->reg->paced_device = session->peer.device;
	if (cycle->paced_told_ms == 0 ||
	    boot_ms - cycle->paced_told_ms >= PACED_MS) {
		cycle->paced_told_ms = boot_ms;
		log_warning("device.slowed", "device=%u next=%s",
		    (unsigned)session->peer.device,
		    "a program that asks without an end? cdop people suspend");
	}
	return true;
}

/* A message of a stream that has no leaf costs the log nothing. */
static bool
is_free(const struct session_more *more)
{
	return more != NULL && rpc_cursor_is_covered(&more->cursor);
}

/* An item of a session, which is one leaf or more.  NULL: no room. */
static struct batch_item *
add(struct cycle *cycle, struct session *session, enum batch_kind kind,
    struct cdop_bytes message, uint64_t boot_ms)
{
	struct batch_item *item;

	item = batch_add(cycle->batch, kind, session, message);
	if (item != NULL)
		pace_count(cycle->pace, &session->peer, boot_ms);
	return item;
}

static bool
gather_more(struct cycle *cycle, struct session *session, uint64_t boot_ms)
{
	const struct session_more *more = session_more_next(session, boot_ms);
	struct batch_item *item;

	if (more == NULL)
		return true;
	item = batch_add(cycle->batch, BATCH_MORE, session,
	    (struct cdop_bytes){more->message, more->len});
	if (item == NULL)
		return false;
	if (!is_free(more))
		pace_count(cycle->pace, &session->peer, boot_ms);
	item->arrived_ms = boot_ms;
	item->cursor = more->cursor;
	item->count = more->count;
	session_more_free(session_more_take(session, boot_ms));
	return true;
}

/* Is there something of it that comes first, and has a leaf? */
static bool
waits_first(const struct session *session, uint64_t boot_ms)
{
	const struct session_more *more = session_more_next(session, boot_ms);

	return session->state == SESSION_OPENING ||
	    (more != NULL && !is_free(more));
}

/* What is not a call: it comes once in a turn.  False: the batch is full. */
static bool
gather_first(struct cycle *cycle, struct session *session, uint64_t boot_ms)
{
	if (session->state == SESSION_OPENING &&
	    add(cycle, session, BATCH_OPENED, nothing, boot_ms) == NULL)
		return false;
	return gather_more(cycle, session, boot_ms);
}

/* Some of its calls.  False: the batch is full. */
static bool
gather_calls(struct cycle *cycle, struct session *session, uint64_t boot_ms)
{
	struct cdop_bytes message;
	struct batch_item *item;
	int calls;

	for (calls = 0; calls < CALLS_EACH; calls++) {
		if (is_paced(cycle, session, boot_ms))
			return true;
		if (session_next(session, &message) != CDOP_OK) {
			/* What came before it is still worked on. */
			session->failed = CYCLE_FAILED_MAX;
			return true;
		}
		if (message.data == NULL) {
			session_note_partial(session, boot_ms);
			return true;
		}
		item = add(cycle, session, BATCH_CALL, message, boot_ms);
		if (item == NULL)
			return false;
		/* Or later: its last frame was there by then. */
		item->arrived_ms = session->active_ms;
		item->arrived_us = session->active_us;
		session_consume(session);
		session->partial_ms = 0;
	}
	cycle->busy = true;
	return true;
}

static bool
may_ask(const struct session *session)
{
	if (session->discarding || session->failed >= CYCLE_FAILED_MAX ||
	    (session->state != SESSION_OPENING &&
		session->state != SESSION_OPEN))
		return false;
	/* A slow reader waits; its calls stay where they are. */
	return session->unconfirmed + session_queued(session) <=
	    UNCONFIRMED_MAX;
}

/* False: the batch is full. */
static bool
gather_session(
    struct cycle *cycle, struct session *session, bool first, uint64_t boot_ms)
{
	if (!may_ask(session))
		return true;
	if (first && waits_first(session, boot_ms) &&
	    is_paced(cycle, session, boot_ms))
		return true;
	if (batch_count(cycle->batch) >= cycle->width)
		return false;
	if (first && !gather_first(cycle, session, boot_ms))
		return false;
	/* Streams that go on are calls in flight. */
	return session->n_more >= SESSION_MORE_MAX ||
	    gather_calls(cycle, session, boot_ms);
}

/*
 * A few of everybody, from where the last turn came to: who asks without an
 * end does not keep the others out.  False: the batch is full.
 */
static bool
gather_round(struct cycle *cycle, bool first, uint64_t boot_ms)
{
	struct session *session;
	size_t left;

	for (left = cycle->n_sessions; left > 0; left--) {
		session = TAILQ_FIRST(&cycle->turn);
		if (!gather_session(cycle, session, first, boot_ms))
			return false;
		TAILQ_REMOVE(&cycle->turn, session, in_turn);
		TAILQ_INSERT_TAIL(&cycle->turn, session, in_turn);
	}
	return true;
}

void
gather_tell_kept(enum cdop_err err)
{
	log_error("search.kept", "code=%s next=%s", cdop_err_name(err),
	    "make room, where that is wanting; cdopd verify says what is "
	    "damaged: it is tried again in a day");
}

/* Long work is done in steps, one with each batch, until it is done. */
static void
gather_forget(struct cycle *cycle, uint64_t boot_ms)
{
	struct registry *reg = cycle->reg;
	enum cdop_err err;
	bool due;

	err = search_key_due(reg->search_key,
	    audit_time(reg->audit, clock_wall_ms(), boot_ms), &due);
	if (err != CDOP_OK)
		gather_tell_kept(err);
	else if (due)
		(void)!batch_add(cycle->batch, BATCH_FORGET, NULL, nothing);
}

/* What everybody has; in turn, as far as there is room. */
static void
gather_all(struct cycle *cycle, uint64_t boot_ms)
{
	bool again = true;
	int calls;

	for (calls = 0; again && calls < CDOP_PIPELINE_MAX;
	     calls += CALLS_EACH) {
		cycle->busy = false;
		if (!gather_round(cycle, calls == 0, boot_ms)) {
			cycle->busy = true;
			return;
		}
		again = cycle->busy;
	}
}

/* Where nobody waits, else with one batch in ten. */
static bool
is_time(struct cycle *cycle)
{
	if (batch_count(cycle->batch) > 0 && ++cycle->passed < LONG_EVERY)
		return false;
	cycle->passed = 0;
	return true;
}

static void
add_slice(struct cycle *cycle, bool alone, uint64_t boot_ms)
{
	struct batch_item *item;

	item = batch_add(cycle->batch, BATCH_ROTATE, NULL, nothing);
	if (item == NULL)
		return;
	item->slice_ms = alone ? SLICE_ALONE_MS : SLICE_MS;
	item->rows = (alone ? SLICE_ALONE : SLICE_ROWS) +
	    rotation_step_rows(cycle->reg->rotation);
	cycle->slice_ms = boot_ms;
	cycle->busy = true; /* there may be another one */
}

/* Its copy is begun and looked at here, where no batch is open. */
static void
tend_copy(struct cycle *cycle, uint64_t boot_ms)
{
	struct registry *reg = cycle->reg;
	enum cdop_err err;

	if (boot_ms < cycle->rotate_ms)
		return;
	err = rotation_copy_tend(
	    reg->rotation, audit_time(reg->audit, clock_wall_ms(), boot_ms));
	if (err != CDOP_OK)
		cycle_rotation_failed(cycle, cdop_err_name(err), boot_ms);
}

/*
 * A rotation is in nobody's way: while somebody calls it has a short slice,
 * and then waits.  By the clock, not by batches: where the machine has little
 * time for us there are few of them.
 */
static void
gather_rotate(struct cycle *cycle, uint64_t boot_ms)
{
	bool called = batch_count(cycle->batch) > 0;

	cycle->soon = false;
	if (called)
		cycle->called_ms = boot_ms;
	tend_copy(cycle, boot_ms);
	if (boot_ms < cycle->rotate_ms ||
	    !rotation_step_due(cycle->reg->rotation))
		return;
	if (!cycle_is_called(cycle, boot_ms)) {
		add_slice(cycle, true, boot_ms);
		return;
	}
	cycle->soon = boot_ms - cycle->slice_ms < SLICE_EVERY_MS;
	if (!cycle->soon)
		add_slice(cycle, false, boot_ms);
}

/* A step of other long work, when no rotation is at it. */
static void
gather_renew(struct cycle *cycle, uint64_t boot_ms)
{
	if (boot_ms < cycle->renew_ms || !cases_renew_due(cycle->reg->cases) ||
	    !is_time(cycle))
		return;
	if (batch_add(cycle->batch, BATCH_RENEW, NULL, nothing) != NULL)
		cycle->busy = true; /* there may be another one */
}

/* Likewise, a step a second; the round's end has a leaf. */
static void
gather_scrub(struct cycle *cycle, uint64_t boot_ms)
{
	struct scrub_end end;
	struct batch_item *item;

	if (boot_ms < cycle->scrub_ms)
		return;
	cycle->scrub_ms = boot_ms + SCRUB_MS;
	if (!scrub_step(cycle->reg->scrub, SCRUB_ROWS, &end))
		return;
	cycle->scrub_ms = boot_ms + SCRUB_AGAIN_MS;
	meter_scrubbed(cycle, end.fault != NULL);
	if (end.fault != NULL)
		log_error("log.damaged", "finding=%s next=%s",
		    scrub_finding(cycle->reg->scrub),
		    "run cdopd verify on the data directory");
	item = batch_add(cycle->batch, BATCH_EVENT, NULL, nothing);
	if (item == NULL)
		return;
	item->event = AUDIT_EVENT_SCRUBBED;
	item->event_count = end.leaves;
	item->event_reason = end.fault;
}

/* True: a backup has more to be read at once. */
static bool
gather_backup(struct cycle *cycle, uint64_t boot_ms)
{
	bool ahead = backups_pump(cycle->reg->backups, boot_ms);
	const char *finding = backups_news(cycle->reg->backups);

	if (finding != NULL)
		log_error("backup.failed", "finding=%s next=%s", finding,
		    "run cdopd verify on the data directory");
	return ahead;
}

void
gather_run(struct cycle *cycle, uint64_t boot_ms)
{
	bool ahead = gather_backup(cycle, boot_ms);
	struct batch_item *item;

	cycle->paced = false;
	gather_forget(cycle, boot_ms);
	gather_scrub(cycle, boot_ms);
	if (cycle->refused > 0 && boot_ms - cycle->counted_ms >= COUNT_MS) {
		item = batch_add(cycle->batch, BATCH_EVENT, NULL, nothing);
		if (item != NULL) {
			item->event = AUDIT_EVENT_REFUSED;
			item->event_count = cycle->refused;
			cycle->refused = 0;
			cycle->counted_ms = boot_ms;
		}
	}
	gather_all(cycle, boot_ms);
	gather_rotate(cycle, boot_ms);
	if (!rotation_step_due(cycle->reg->rotation))
		gather_renew(cycle, boot_ms);
	if (ahead)
		cycle->busy = true;
}
