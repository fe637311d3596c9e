/*
 * Step 2 of a turn: whole calls of all devices into the batch, fairly.  They
 * stay with their sessions until they are done: what there was no time for is
 * gathered again, behind whoever has waited longer by then.
 */
#include "cdop/limits.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cycle/cycle_state.h"
#include "server/cycle/meter.h"
#include "server/cycle/pace.h"
#include "server/cycle/refused.h"
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
#define LONG_EVERY      10         /* turns, while somebody calls */
#define OWED_MS         1000       /* between two tries */
/* A part of a batch has so long, of one device alone or of several. */
#define PART_MS        25
#define PART_SHARED_MS 10
/* A slice of a rotation, while somebody waits and while nobody does. */
#define SLICE_MS       1
#define SLICE_ROWS     32 /* each a page of its own to be written */
#define SLICE_EVERY_MS 5
#define SLICE_ALONE_MS 20
#define SLICE_ALONE    1024

static const struct cdop_bytes nothing;

/* What asking a session or a device has come to. */
enum took {
	TOOK_NONE,
	TOOK_ONE,
	TOOK_FULL, /* the batch has no room for it */
};

/* Whoever asks without an end is slowed, and told of. */
static bool
is_paced(struct cycle *cycle, const struct session *session, uint64_t boot_ms)
{
	const struct turn *turn = session->turn;

	if (pace_may(cycle->pace, turn->who, turn->leaves, boot_ms))
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
is_free(enum batch_kind kind, const struct rpc_cursor *cursor)
{
	return kind == BATCH_MORE && rpc_cursor_is_covered(cursor);
}

/* An item of a session, which is one leaf or more.  NULL: no room. */
static struct batch_item *
add(struct cycle *cycle, struct session *session, enum batch_kind kind,
    struct cdop_bytes message, const struct rpc_cursor *cursor)
{
	struct batch_item *item;

	item = batch_add(cycle->batch, kind, session, message);
	if (item == NULL)
		return NULL;
	if (cursor != NULL)
		item->cursor = *cursor;
	if (!is_free(kind, &item->cursor))
		session->turn->leaves++;
	session->turn->asks++;
	session->taken++;
	cycle->called_ms = cycle->turn_ms;
	return item;
}

static enum took
gather_more(struct cycle *cycle, struct session *session,
    const struct session_more *more, uint64_t boot_ms)
{
	struct batch_item *item;

	if (!is_free(BATCH_MORE, &more->cursor) &&
	    is_paced(cycle, session, boot_ms))
		return TOOK_NONE;
	item = add(cycle, session, BATCH_MORE,
	    (struct cdop_bytes){more->message, more->len}, &more->cursor);
	if (item == NULL)
		return TOOK_FULL;
	item->arrived_ms = boot_ms;
	item->count = more->count;
	return TOOK_ONE;
}

/* The next call that is whole. */
static enum took
gather_call(struct cycle *cycle, struct session *session, uint64_t boot_ms)
{
	struct cdop_bytes message;
	struct batch_item *item;
	size_t ahead;

	if (session_look(session, &message, &ahead) != CDOP_OK) {
		session->failed = CYCLE_FAILED_MAX;
		return TOOK_NONE;
	}
	if (message.data == NULL || is_paced(cycle, session, boot_ms))
		return TOOK_NONE;
	item = add(cycle, session, BATCH_CALL, message, NULL);
	if (item == NULL)
		return TOOK_FULL; /* and it is the next to be looked at */
	session->ahead = ahead;
	/* Or later: its last frame was there by then. */
	item->arrived_ms = session->active_ms;
	item->arrived_us = session->active_us;
	return TOOK_ONE;
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

/* One thing of it.  What is not a call comes first, and once in a batch. */
static enum took
gather_session(struct cycle *cycle, struct session *session, uint64_t boot_ms)
{
	const struct session_more *more;

	if (!may_ask(session))
		return TOOK_NONE;
	if (session->taken == 0 && session->state == SESSION_OPENING) {
		if (is_paced(cycle, session, boot_ms))
			return TOOK_NONE;
		return add(cycle, session, BATCH_OPENED, nothing, NULL) != NULL
		    ? TOOK_ONE
		    : TOOK_FULL;
	}
	more = session_more_next(session, boot_ms);
	if (session->taken == 0 && more != NULL)
		return gather_more(cycle, session, more, boot_ms);
	/* Streams that go on are calls in flight. */
	if (session->n_more >= SESSION_MORE_MAX)
		return TOOK_NONE;
	if (session->taken < CDOP_PIPELINE_MAX)
		return gather_call(cycle, session, boot_ms);
	cycle->busy = true;
	return TOOK_NONE;
}

/* One thing of a device, of whichever of its sessions is next. */
static enum took
gather_next(struct cycle *cycle, struct turn *turn, uint64_t boot_ms)
{
	enum took took = TOOK_NONE;
	size_t left;

	for (left = turn->n_sessions; left > 0 && took == TOOK_NONE; left--)
		took = gather_session(cycle, turns_next(turn), boot_ms);
	turn->dry = took == TOOK_NONE;
	return took;
}

/* A turn of everybody.  False: the batch is full. */
static bool
gather_round(struct cycle *cycle, uint64_t boot_ms)
{
	struct turn *turn;
	uint32_t n;

	TAILQ_FOREACH(turn, &cycle->turns, entry)
		for (n = 0; n < turn->each && !turn->dry; n++)
			if (gather_next(cycle, turn, boot_ms) == TOOK_FULL)
				return false;
	return true;
}

/* Whoever makes the disk full as he opens it is in the log all the same. */
static void
owe(struct cycle *cycle, const struct batch_item *item, uint64_t boot_ms)
{
	if (item->kind != BATCH_EVENT || !item->failed ||
	    item->why != CDOP_RESOURCE_EXHAUSTED ||
	    cycle->n_owed == CYCLE_OWED_MAX)
		return;
	cycle->owed[cycle->n_owed++] = *item;
	cycle->owed_ms = boot_ms + OWED_MS;
}

/*
 * Before what anybody asks.  A batch that they make fail takes nobody's call:
 * between two tries those have theirs, or all would be tried without an end.
 */
static void
gather_owed(struct cycle *cycle, uint64_t boot_ms)
{
	struct batch_item *item;
	struct cdop_bytes message;
	size_t i;

	if (boot_ms < cycle->owed_ms)
		return;
	for (i = 0; i < cycle->n_owed; i++) {
		item = batch_add(cycle->batch, BATCH_EVENT, NULL, nothing);
		CDOP_ASSERT(item != NULL); /* it is empty, and they are few */
		message = item->message;
		*item = cycle->owed[i];
		item->message = message;
		item->failed = false;
	}
	cycle->n_owed = 0;
}

void
gather_done(struct cycle *cycle, uint64_t boot_ms)
{
	const struct batch_item *item;
	struct session *session;
	size_t i;

	for (i = 0; i < batch_done(cycle->batch); i++) {
		item = batch_get(cycle->batch, i);
		session = item->session;
		owe(cycle, item, boot_ms);
		if (session == NULL)
			continue;
		if (item->kind == BATCH_MORE)
			session_more_free(session_more_take(session, boot_ms));
		if (item->kind == BATCH_CALL) {
			session_consume(session);
			session_note_partial(session, boot_ms);
		}
		if (!is_free(item->kind, &item->cursor))
			pace_count(cycle->pace, session->turn->who, boot_ms);
		turns_served(&cycle->turns, session, item->took_us);
	}
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

/* Somebody has a thing that is not in the batch as it is. */
static bool
is_more(const struct cycle *cycle)
{
	const struct turn *turn;

	TAILQ_FOREACH(turn, &cycle->turns, entry)
		if (!turn->dry)
			return true;
	return false;
}

/* What everybody has; in turn, as far as there is room. */
static void
gather_all(struct cycle *cycle, uint64_t boot_ms)
{
	while (is_more(cycle))
		if (!gather_round(cycle, boot_ms)) {
			cycle->busy = true;
			return;
		}
}

/*
 * Whole calls that have come since, in turn.  To the deadlines all of a turn
 * came at one moment.
 */
static void
gather_join(void *ctx)
{
	struct cycle *cycle = ctx;
	struct turn *turn;

	if (!intake_join(cycle, cycle->turn_ms))
		return;
	TAILQ_FOREACH(turn, &cycle->turns, entry)
		turn->dry = false;
	gather_all(cycle, cycle->turn_ms);
}

void
gather_part(struct cycle *cycle, struct batch_times *times)
{
	const struct turn *turn;
	size_t n = 0;

	TAILQ_FOREACH(turn, &cycle->turns, entry)
		n += turn->asks > 0;
	times->part_ms = n > 1 ? PART_SHARED_MS : PART_MS;
	times->join_ms = PART_SHARED_MS;
	times->join = gather_join;
	times->ctx = cycle;
}

/* Where nobody calls, else in one turn of ten. */
static bool
is_time(struct cycle *cycle, uint64_t boot_ms)
{
	if (cycle_is_called(cycle, boot_ms) && ++cycle->passed < LONG_EVERY)
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
	cycle->soon = false;
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
	if (boot_ms < cycle->renew_ms || !cases_renew_due(cycle->reg->cases))
		return;
	if (!is_time(cycle, boot_ms))
		cycle->soon = true;
	else if (batch_add(cycle->batch, BATCH_RENEW, NULL, nothing) != NULL)
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
		    scrub_finding(cycle->reg->scrub), REFUSED_NEXT_VERIFY);
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
		    REFUSED_NEXT_VERIFY);
	return ahead;
}

void
gather_run(struct cycle *cycle, uint64_t boot_ms)
{
	bool ahead = gather_backup(cycle, boot_ms);
	struct batch_item *item;

	cycle->paced = false;
	gather_owed(cycle, boot_ms);
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
	turns_begin(&cycle->turns);
	cycle->busy = false;
	gather_all(cycle, boot_ms);
	gather_rotate(cycle, boot_ms);
	if (!rotation_step_due(cycle->reg->rotation))
		gather_renew(cycle, boot_ms);
	if (ahead)
		cycle->busy = true;
}
