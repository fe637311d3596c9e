/* The five steps of a turn, and what ends a session. */
#include "server/cycle/cycle.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cdop/date.h"
#include "cdop/limits.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cycle/cycle_state.h"
#include "server/cycle/meter.h"
#include "server/cycle/pace.h"
#include "server/cycle/refused.h"
#include "server/registry/audit.h"
#include "server/registry/backups.h"
#include "server/registry/leaf_clock.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/registry/rotation.h"
#include "server/registry/search_key.h"
#include "server/vault/boot_set.h"
#include "server/vault/rows.h"
#include "server/vault/rows_room.h"

#define TICK_MS        1000
#define HELD_BACK_MS   60000
#define SCRUB_FIRST_MS (10u * 60u * 1000u) /* a start has other work */
#define LONG_AGAIN_MS  60000               /* long work that failed */
#define SOON_MS        5

static const struct cdop_bytes nothing;

/* It changes when the wall clock is set, and by nothing else. */
static int64_t
wall_since_boot(uint64_t boot_ms)
{
	return (int64_t)(clock_wall_ms() - boot_ms);
}

enum cdop_err
cycle_new(const struct cycle_args *args, struct cycle **ret_cycle)
{
	struct cycle *cycle;
	size_t i;
	enum cdop_err err;

	cycle = calloc(1, sizeof(*cycle));
	if (cycle == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cycle->args = *args;
	cycle->link = -1;
	cycle->budget = CDOP_VAULT_HANDSHAKES_S;
	cycle->wall_ms = wall_since_boot(clock_boot_ms());
	cycle->held_until_ms = clock_boot_ms() + HELD_BACK_MS;
	cycle->counted_ms = clock_boot_ms();
	STAILQ_INIT(&cycle->held);
	TAILQ_INIT(&cycle->sessions);
	TAILQ_INIT(&cycle->turns);
	for (i = 0; i < CYCLE_BUCKETS; i++)
		LIST_INIT(&cycle->bucket[i]);
	err = batch_new(args->note, &cycle->batch);
	if (err == CDOP_OK)
		err = pace_new(args->calls, &cycle->pace);
	if (err == CDOP_OK)
		err = outbox_new(&cycle->outbox);
	if (err == CDOP_OK)
		err = ipc_inbox_new(&cycle->inbox);
	if (err != CDOP_OK) {
		cycle_free(cycle);
		return err;
	}
	*ret_cycle = cycle;
	return CDOP_OK;
}

/* ---- sessions ---------------------------------------------------------- */

struct session *
cycle_find(struct cycle *cycle, uint64_t conn)
{
	struct session *session;

	LIST_FOREACH(session, &cycle->bucket[conn % CYCLE_BUCKETS], by_conn)
		if (session->conn == conn)
			return session;
	return NULL;
}

/* What only this session took is waited for no longer. */
static void
leave_backup(struct cycle *cycle, const struct rpc_cursor *cursor)
{
	if (cursor->backup != 0)
		backups_leave(cycle->reg->backups, cursor->backup);
}

static void
leave_backups(struct cycle *cycle, const struct session *session)
{
	const struct session_more *more;

	for (more = session->more; more != NULL; more = more->next)
		leave_backup(cycle, &more->cursor);
}

void
cycle_drop(struct cycle *cycle, struct session *session)
{
	if (session->state <= SESSION_WAITS_3)
		cycle->n_half_open--;
	if (session->discarding)
		cycle->discards--;
	cycle->n_sessions--;
	leave_backups(cycle, session);
	LIST_REMOVE(session, by_conn);
	TAILQ_REMOVE(&cycle->sessions, session, in_all);
	turns_leave(&cycle->turns, session);
	session_free(session);
}

void
cycle_send(struct cycle *cycle, uint64_t conn, enum ipc_kind kind,
    struct cdop_bytes bytes)
{
	if (outbox_send(cycle->outbox, conn, kind, bytes) != CDOP_OK)
		cycle->link_dead = true;
}

void
cycle_close(struct cycle *cycle, struct session *session)
{
	cycle_send(cycle, session->conn, IPC_CLOSE, nothing);
	cycle_drop(cycle, session);
}

void
cycle_refuse(struct cycle *cycle, struct session *session)
{
	cycle->refused++;
	meter_refused(cycle);
	cycle_close(cycle, session);
}

static void
drop_all(struct cycle *cycle)
{
	cycle_held_drop(cycle);
	while (!TAILQ_EMPTY(&cycle->sessions))
		cycle_drop(cycle, TAILQ_FIRST(&cycle->sessions));
}

void
cycle_free(struct cycle *cycle)
{
	if (cycle == NULL)
		return;
	drop_all(cycle);
	batch_free(cycle->batch);
	pace_free(cycle->pace);
	outbox_free(cycle->outbox);
	ipc_inbox_free(cycle->inbox);
	if (cycle->link >= 0)
		close(cycle->link);
	free(cycle);
}

void
cycle_set_link(struct cycle *cycle, int fd)
{
	drop_all(cycle);
	if (cycle->link >= 0)
		close(cycle->link);
	cycle->link = fd;
	cycle->link_dead = false;
	cycle->inbox_n = 0;
	cycle->inbox_at = 0;
	/* Nothing of the old one is left, and its last id, which may be the
	 * greatest there is, binds no other gate. */
	cycle->last_conn = 0;
	outbox_set_link(cycle->outbox, fd);
	if (fd >= 0)
		cycle_send_keys(cycle);
}

/* 0 where it is no day. */
static uint64_t
day_ms(uint32_t number)
{
	const struct cdop_date date = {
	    .year = (uint16_t)(number / 10000),
	    .month = (uint8_t)(number / 100 % 100),
	    .day = (uint8_t)(number % 100),
	};

	if (date.month == 0 || date.day == 0 || !cdop_date_is_valid(&date) ||
	    cdop_date_days(&date) < 0)
		return 0;
	return (uint64_t)cdop_date_days(&date) * 86400000u;
}

void
cycle_open(
    struct cycle *cycle, struct registry *reg, uint16_t slot, uint16_t shares)
{
	struct batch_item *item;

	cycle->reg = reg;
	audit_say_day(reg->audit, day_ms(cycle->args.clock_day));
	cycle->scrub_ms = clock_boot_ms() + SCRUB_FIRST_MS;
	boot_calls_end(cycle);
	item = batch_add(cycle->batch, BATCH_EVENT, NULL, nothing);
	CDOP_ASSERT(item != NULL); /* the batch of a sealed vault is empty */
	item->event = AUDIT_EVENT_UNSEALED;
	item->event_count = slot;
	item->event_shares = shares;
	if (cycle->link >= 0)
		cycle_send_keys(cycle);
}

int
cycle_link(const struct cycle *cycle)
{
	return cycle->link;
}

bool
cycle_wants_write(const struct cycle *cycle)
{
	return outbox_waits(cycle->outbox);
}

int
cycle_sleep_ms(const struct cycle *cycle)
{
	if ((cycle->busy || intake_waits(cycle) || cycle_copy_waits(cycle)) &&
	    !outbox_waits(cycle->outbox))
		return 0;
	if (cycle->soon)
		return SOON_MS;
	if (cycle->discards > 0)
		return 10;
	return cycle->paced ? CDOP_PACE_MS : TICK_MS;
}

/* ---- 5: answer --------------------------------------------------------- */

/* No byte is sealed for it any more; the gate throws away what it holds. */
static void
end_now(struct cycle *cycle, struct session *session)
{
	if (session->discarding)
		return;
	session->discarding = true;
	cycle->discards++;
	cycle_send(cycle, session->conn, IPC_DISCARD, nothing);
}

static bool
is_of(const struct cycle *cycle, const struct session *session,
    const struct dispatch_result *result)
{
	const struct people_device *device;

	if (session->peer.device == 0)
		return false;
	if (result->end_device != 0)
		return session->peer.device == result->end_device;
	device = people_device(cycle->reg->people, session->peer.device);
	return device != NULL && device->person == result->end_person;
}

static void
end_sessions(struct cycle *cycle, const struct dispatch_result *result)
{
	struct session *session;

	if (result->end_person == 0 && result->end_device == 0)
		return;
	TAILQ_FOREACH(session, &cycle->sessions, in_all)
		if (is_of(cycle, session, result))
			end_now(cycle, session);
}

static enum cdop_err
answer_item(struct cycle *cycle, struct batch_item *item, uint64_t boot_ms)
{
	struct session *session = item->session;
	const struct dispatch_result *result = &item->result;
	enum cdop_err err;

	if (item->failed)
		session->failed++;
	if (!item->answered)
		return CDOP_UNAVAILABLE; /* no leaf, no answer */
	if (result->reply.len == 0)
		return CDOP_UNAUTHENTICATED;
	if (item->kind == BATCH_OPENED)
		session->state = SESSION_OPEN;
	if ((result->end_person != 0 || result->end_device != 0) &&
	    cycle->discards > 0)
		err = cycle_hold(cycle, session, result->reply, boot_ms);
	else
		err = session_put(session, result->reply);
	if (err == CDOP_OK && result->next.at != 0)
		err = session_more_add(session, item->message, result, boot_ms);
	if (result->next.at != 0 && !result->next.pause)
		cycle->busy = true;
	if (result->close)
		session->state = SESSION_ENDING;
	return err;
}

/* Its session ends, and no stream of that has what this item was to go on. */
static void
end_item(struct cycle *cycle, const struct batch_item *item)
{
	leave_backup(cycle, &item->cursor);
	if (item->answered)
		leave_backup(cycle, &item->result.next);
}

/* There may be more of it: at once.  What failed is left for another day. */
static void
forgot(struct cycle *cycle, const struct batch_item *item)
{
	struct registry *reg = cycle->reg;

	if (!item->failed) {
		cycle->busy = true;
		return;
	}
	search_key_put_off(reg->search_key,
	    audit_time(reg->audit, clock_wall_ms(), clock_boot_ms()));
	gather_tell_kept(item->why);
}

/* What could not be written is tried again later. */
static void
renewed(struct cycle *cycle, const struct batch_item *item, uint64_t boot_ms)
{
	if (item->failed)
		cycle->renew_ms = boot_ms + LONG_AGAIN_MS;
	else if (item->left > 0)
		log_error("summary.old", "cases=%zu next=%s", item->left,
		    REFUSED_NEXT_VERIFY);
}

/* Likewise; the keys that it has not come to are good where they are. */
static void
rotated(struct cycle *cycle, const struct batch_item *item, uint64_t boot_ms)
{
	if (item->failed)
		cycle_rotation_failed(
		    cycle, rows_finding(cycle->reg->rows), boot_ms);
	else
		rotation_set_stalled(cycle->reg->rotation, false);
}

/* The items of the batch that were run. */
static void
answer(struct cycle *cycle, uint64_t boot_ms)
{
	struct batch_item *item;
	size_t i, end = batch_done(cycle->batch);

	/* First of all: those who may hear nothing any more. */
	for (i = 0; i < end; i++) {
		item = batch_get(cycle->batch, i);
		if (item->answered)
			end_sessions(cycle, &item->result);
	}
	for (i = 0; i < end; i++) {
		item = batch_get(cycle->batch, i);
		if (item->kind == BATCH_FORGET)
			forgot(cycle, item);
		if (item->kind == BATCH_RENEW)
			renewed(cycle, item, boot_ms);
		if (item->kind == BATCH_ROTATE)
			rotated(cycle, item, boot_ms);
		meter_item(cycle, item);
		if (item->session == NULL)
			continue;
		if (item->session->discarding ||
		    answer_item(cycle, item, boot_ms) != CDOP_OK) {
			item->session->failed = CYCLE_FAILED_MAX;
			end_item(cycle, item);
		}
	}
}

/* The gate may hand over so much more of it. */
static void
say_taken(struct cycle *cycle, struct session *session)
{
	uint8_t bytes[4];
	uint32_t taken;

	if (outbox_waits(cycle->outbox))
		return;
	if ((taken = session_taken(session)) == 0)
		return;
	cdop_put32(bytes, taken);
	cycle_send(cycle, session->conn, IPC_TAKEN,
	    (struct cdop_bytes){bytes, sizeof(bytes)});
}

static void
flush_session(struct cycle *cycle, struct session *session)
{
	enum cdop_err err;

	if (session->discarding)
		return;
	say_taken(cycle, session);
	err = outbox_session(cycle->outbox, session);
	if (err == CDOP_UNAVAILABLE) {
		cycle->link_dead = true;
		return;
	}
	if (err != CDOP_OK ||
	    (session_queued(session) == 0 &&
		(session->failed >= CYCLE_FAILED_MAX ||
		    session->state == SESSION_ENDING)))
		cycle_close(cycle, session);
}

static void
flush(struct cycle *cycle)
{
	struct session *session, *next;

	if (outbox_flush(cycle->outbox) != CDOP_OK) {
		cycle->link_dead = true;
		return;
	}
	for (session = TAILQ_FIRST(&cycle->sessions); session != NULL;
	     session = next) {
		next = TAILQ_NEXT(session, in_all);
		if (session->state >= SESSION_OPENING)
			flush_session(cycle, session);
	}
	if (outbox_flush(cycle->outbox) != CDOP_OK)
		cycle->link_dead = true;
}

/* ---- timers ------------------------------------------------------------ */

static bool
is_over(
    const struct cycle *cycle, const struct session *session, uint64_t boot_ms)
{
	uint64_t age = boot_ms - session->born_ms;

	if (session->state <= SESSION_WAITS_3)
		return age > cycle->args.handshake_s * 1000ull;
	if (session->partial_ms != 0 &&
	    boot_ms - session->partial_ms > CDOP_REQUEST_S * 1000ull)
		return true;
	return age > CDOP_SESSION_HARD_S * 1000ull ||
	    boot_ms - session->active_ms > cycle->args.idle_s * 1000ull;
}

/* Each time: a few days ahead are believed, and stand in every leaf. */
static void
tell_set(struct cycle *cycle, uint64_t boot_ms)
{
	int64_t by_ms = wall_since_boot(boot_ms) - cycle->wall_ms;

	if (by_ms >= -LEAF_CLOCK_BEHIND_MS && by_ms <= LEAF_CLOCK_BEHIND_MS)
		return;
	log_warning("clock.set", "seconds=%lld", (long long)(by_ms / 1000));
	cycle->wall_ms += by_ms;
}

static void
tick(struct cycle *cycle, uint64_t boot_ms)
{
	struct session *session, *next;

	if (boot_ms - cycle->tick_ms < TICK_MS)
		return;
	cycle->tick_ms = boot_ms;
	meter_tick(cycle);
	tell_set(cycle, boot_ms);
	cycle->budget = CDOP_VAULT_HANDSHAKES_S;
	if (cycle->reg != NULL)
		cycle->reg->reserve_short =
		    rows_room_fill(cycle->reg->rows) != CDOP_OK;
	if (cycle->reg != NULL && !cycle_is_called(cycle, boot_ms))
		rows_room_rest(cycle->reg->rows);
	for (session = TAILQ_FIRST(&cycle->sessions); session != NULL;
	     session = next) {
		next = TAILQ_NEXT(session, in_all);
		if (is_over(cycle, session, boot_ms))
			cycle_close(cycle, session);
	}
}

/* ---- a turn ------------------------------------------------------------ */

/* Once, until it is right again. */
static void
tell_clock(struct cycle *cycle)
{
	const struct leaf_clock *clock = audit_clock(cycle->reg->audit);
	bool behind = clock->behind_ms > LEAF_CLOCK_BEHIND_MS;

	if (clock->ahead_ms != 0 && !cycle->ahead_told)
		log_error("clock.ahead", "days=%llu next=%s",
		    clock->ahead_ms / 86400000ull,
		    "set the clock; if it is right, clock_day in cdopd.conf");
	if (behind && !cycle->behind_told)
		log_error("clock.behind", "seconds=%llu next=%s",
		    clock->behind_ms / 1000ull,
		    "set the clock; where it is right, wait");
	cycle->behind_told = behind;
	cycle->ahead_told = clock->ahead_ms != 0;
}

static enum cdop_err
work(struct cycle *cycle, uint64_t boot_ms)
{
	struct batch_times times;
	enum cdop_err err;

	if (cycle->reg == NULL)
		return CDOP_OK;
	if (batch_count(cycle->batch) == 0)
		gather_run(cycle, boot_ms);
	if (batch_count(cycle->batch) == 0)
		return CDOP_OK;
	times.boot_ms = boot_ms;
	times.now_ms = audit_time(cycle->reg->audit, clock_wall_ms(), boot_ms);
	gather_part(cycle, &times);
	tell_clock(cycle);
	if (cycle->paced)
		cycle->reg->paced_ms = times.now_ms;
	cycle->worked = true;
	err = batch_run(cycle->batch, cycle->reg, &times);
	if (batch_done(cycle->batch) < batch_count(cycle->batch))
		cycle->busy = true; /* the rest in the next turn */
	gather_done(cycle, boot_ms);
	if (err == CDOP_OK) {
		cycle_tell_keys(cycle);
		answer(cycle, clock_boot_ms());
	}
	batch_reset(cycle->batch);
	return err;
}

enum cdop_err
cycle_turn(struct cycle *cycle)
{
	uint64_t boot_ms = clock_boot_ms();
	enum cdop_err err;

	cycle->turn_ms = boot_ms;
	cycle->worked = false;
	if (cycle->link >= 0)
		intake_drain(cycle, boot_ms);
	tick(cycle, boot_ms);
	if ((err = work(cycle, boot_ms)) != CDOP_OK)
		return err;
	cycle_held_release(cycle, clock_boot_ms());
	if (cycle->link >= 0)
		flush(cycle);
	if (cycle->link_dead) {
		/* The parent gives both of us a new link. */
		log_warning("link.gone", NULL);
		cycle_set_link(cycle, -1);
	}
	/* Answers are on their way by now. */
	return cycle_copy(cycle);
}
