/* Open, apply, commit: all of a batch together, or each item alone. */
#include "server/cycle/batch.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/bytes.h"
#include "server/base/clock.h"
#include "server/base/control.h"
#include "server/base/log.h"
#include "server/base/undo.h"
#include "server/cycle/batch_event.h"
#include "server/cycle/receipt.h"
#include "server/cycle/session.h"
#include "server/cycle/welcome.h"
#include "server/registry/audit.h"
#include "server/registry/cases_renew.h"
#include "server/registry/registry.h"
#include "server/registry/rotation_step.h"
#include "server/registry/search_key.h"
#include "server/vault/fresh.h"
#include "server/vault/rows.h"
#include "server/vault/rows_room.h"

/* Address space, not memory: what is touched is bounded per request. */
#define ARENA_MAX   (1ull << 30)
#define SCRATCH_MAX ((size_t)64 << 20)
/* Of rows one request may write, for the check that there is room. */
#define ROWS_EACH 16
#define DATA_EACH (32u << 10)
#define KEY_ROW   254 /* bytes of one that a rotation writes */
#define KEYS_EACH 32  /* between two looks at the clock */
/* Its own work has places that no number of requests takes from it. */
#define OWN_MAX 8
/* So few take in others; their room is asked for before they are known. */
#define FEW        8
#define JOIN_BYTES 8192 /* of a message */
/* Every request finds the memory it may use. */
#define PART_BYTES (ARENA_MAX / 2)

struct batch {
	struct control_note *note;
	struct cdop_arena *arena;   /* messages and answers */
	struct cdop_arena *scratch; /* of one item, the same for the next */
	struct batch_item item[CDOP_BATCH_REQUESTS_MAX + OWN_MAX];
	size_t n;
	size_t done; /* of n */
	size_t bytes;
	size_t mark; /* of the arena, behind the last message */
	bool joins;  /* what is added now has to fit into its room */
};

enum cdop_err
batch_new(struct control_note *note, struct batch **ret_batch)
{
	struct batch *batch;
	enum cdop_err err;

	batch = calloc(1, sizeof(*batch));
	if (batch == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_arena_new(ARENA_MAX, &batch->arena);
	if (err == CDOP_OK)
		err = cdop_arena_new(SCRATCH_MAX, &batch->scratch);
	if (err != CDOP_OK) {
		batch_free(batch);
		return err;
	}
	batch->note = note;
	*ret_batch = batch;
	return CDOP_OK;
}

void
batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	cdop_arena_free(batch->arena);
	cdop_arena_free(batch->scratch);
	free(batch);
}

static bool
has_room(const struct batch *batch, bool own, size_t len)
{
	if (batch->joins && (batch->n >= FEW || len > JOIN_BYTES))
		return false;
	return batch->n < CDOP_BATCH_REQUESTS_MAX + (own ? OWN_MAX : 0u) &&
	    len <= CDOP_BATCH_BYTES_MAX - batch->bytes &&
	    cdop_arena_used(batch->arena) < ARENA_MAX / 2;
}

struct batch_item *
batch_add(struct batch *batch, enum batch_kind kind, struct session *session,
    struct cdop_bytes message)
{
	struct batch_item *item;
	uint8_t *copy;

	if (!has_room(batch, session == NULL, message.len))
		return NULL;
	cdop_arena_set_budget(batch->arena, 0);
	copy = cdop_arena_alloc(batch->arena, message.len);
	if (copy == NULL)
		return NULL;
	if (message.len > 0)
		memcpy(copy, message.data, message.len);
	batch->mark = cdop_arena_used(batch->arena);
	item = &batch->item[batch->n++];
	memset(item, 0, sizeof(*item));
	item->kind = kind;
	item->session = session;
	item->message.data = copy;
	item->message.len = message.len;
	batch->bytes += message.len;
	return item;
}

size_t
batch_count(const struct batch *batch)
{
	return batch->n;
}

struct batch_item *
batch_get(struct batch *batch, size_t i)
{
	return &batch->item[i];
}

size_t
batch_done(const struct batch *batch)
{
	return batch->done;
}

void
batch_reset(struct batch *batch)
{
	cdop_arena_reset(batch->arena);
	memset(batch->item, 0, batch->n * sizeof(batch->item[0]));
	batch->n = 0;
	batch->done = 0;
	batch->bytes = 0;
	batch->mark = 0;
}

static void
fill_request(const struct batch_item *item, const struct batch_times *times,
    struct dispatch_request *request)
{
	memset(request, 0, sizeof(*request));
	request->peer = &item->session->peer;
	request->message = item->message;
	request->arrived_ms = item->arrived_ms;
	request->boot_ms = times->boot_ms;
	request->now_ms = times->now_ms;
	request->stream = item->cursor;
	request->stream_count = item->count;
	/* A stream that goes on was begun in time; a pause is its client's. */
	if (item->kind == BATCH_MORE)
		request->arrived_ms = times->boot_ms;
	else
		request->expired_session =
		    times->boot_ms - item->session->born_ms >
		    CDOP_SESSION_S * 1000ull;
}

/* Steps of it until the slice is over. */
static enum cdop_err
run_rotate(struct batch *batch, struct registry *reg,
    const struct batch_item *item, const struct batch_times *times)
{
	uint64_t until_ms = clock_ms() + item->slice_ms;
	size_t n, all = 0;
	enum cdop_err err;

	do {
		err = rotation_step_run(reg->rotation, batch->scratch,
		    times->now_ms, KEYS_EACH, &n);
		all += n;
	} while (err == CDOP_OK && n > 0 && all + KEYS_EACH <= item->rows &&
	    clock_ms() < until_ms);
	return err;
}

/* The vault's own long work has time until there is room. */
static bool
can_wait(const struct batch_item *item)
{
	return item->kind == BATCH_FORGET || item->kind == BATCH_RENEW ||
	    item->kind == BATCH_ROTATE;
}

/* If this request ends the process, the parent knows whose it was. */
static void
note(const struct batch *batch, const struct batch_item *item)
{
	if (batch->note == NULL)
		return;
	control_note_set(batch->note,
	    item == NULL || item->session == NULL ? 0
						  : item->session->peer.device);
}

/*
 * Some of what a request takes is for cases that its caller does not see.
 * Whoever comes near the bound on purpose is to learn nothing of them from
 * which side it ends on.
 */
static void
set_budget(struct batch *batch)
{
	uint8_t chance[FRESH_LEN];

	fresh_take(chance);
	cdop_arena_set_budget(batch->scratch,
	    CDOP_REQUEST_ARENA + cdop_get32(chance) % CDOP_REQUEST_CHANCE);
}

/*
 * What a client sends ahead may be in one batch with its opening: where that
 * comes to nothing, so does this.
 */
static bool
is_let_in(const struct batch_item *item)
{
	return item->session->state != SESSION_OPENING || item->session->let_in;
}

static enum cdop_err
work_item(struct batch *batch, struct registry *reg, struct batch_item *item,
    const struct batch_times *times)
{
	struct dispatch_request request;

	memset(&item->result, 0, sizeof(item->result));
	item->opened = false;
	set_budget(batch);
	note(batch, item);
	switch (item->kind) {
	case BATCH_CALL:
	case BATCH_MORE:
		if (!is_let_in(item))
			return CDOP_OK; /* and no answer: it closes */
		fill_request(item, times, &request);
		return dispatch_call(
		    reg, batch->scratch, &request, &item->result);
	case BATCH_OPENED:
		return batch_event_opened(batch->scratch, reg, item, times);
	case BATCH_EVENT:
		return batch_event_run(batch->scratch, reg, item, times);
	case BATCH_FORGET:
		return search_key_forget(
		    reg->search_key, batch->scratch, times->now_ms);
	case BATCH_RENEW:
		return cases_renew(
		    reg->cases, batch->scratch, times->now_ms, &item->left);
	case BATCH_ROTATE:
		return run_rotate(batch, reg, item, times);
	}
	return CDOP_INTERNAL;
}

/* All else that it took is wiped at once, and warm for the next. */
static enum cdop_err
keep_answer(struct batch *batch, struct dispatch_result *result)
{
	struct audit_receipt *receipt = NULL;
	uint8_t *reply;

	cdop_arena_set_budget(batch->arena, 0);
	reply = cdop_arena_alloc(batch->arena, result->reply.len);
	if (result->receipt != NULL)
		receipt = cdop_arena_alloc(batch->arena, sizeof(*receipt));
	if (reply == NULL || (result->receipt != NULL && receipt == NULL))
		return CDOP_RESOURCE_EXHAUSTED;
	if (result->reply.len > 0)
		memcpy(reply, result->reply.data, result->reply.len);
	if (receipt != NULL)
		*receipt = *result->receipt;
	result->reply.data = reply;
	result->receipt = receipt;
	cdop_arena_reset(batch->scratch);
	return CDOP_OK;
}

/* Where it fails, take_back() is next. */
static enum cdop_err
run_item(struct batch *batch, struct registry *reg, struct batch_item *item,
    const struct batch_times *times)
{
	enum cdop_err err;

	if ((err = work_item(batch, reg, item, times)) != CDOP_OK)
		return err;
	return keep_answer(batch, &item->result);
}

/* For these, and for so many that may join them. */
static enum cdop_err
begin(struct registry *reg, const struct batch_item *items, size_t n,
    size_t joining, bool last)
{
	size_t bytes = joining * ((size_t)JOIN_BYTES * 4 + DATA_EACH);
	size_t i, changes = (n + joining) * ROWS_EACH;
	enum cdop_err err;

	for (i = 0; i < n; i++) {
		bytes += items[i].message.len * 4 + DATA_EACH +
		    items[i].rows * KEY_ROW;
		changes += items[i].rows;
	}
	undo_begin(reg->undo);
	err = last ? rows_begin_last(reg->rows, bytes, changes)
		   : rows_begin(reg->rows, bytes, changes);
	if (err != CDOP_OK)
		undo_rollback(reg->undo);
	return err;
}

/* Said once, to whoever runs the host: the others see it in status. */
static void
set_room(struct registry *reg, enum registry_room room)
{
	if (room == reg->room)
		return;
	reg->room = room;
	if (room == REGISTRY_ROOM)
		log_info("disk.room", NULL);
	else
		log_error("disk.full", "reserve=%s next=%s",
		    room == REGISTRY_FULL ? "used" : "spent",
		    "make room on the file system of the data directory");
}

/* Where there is no room, what has to be logged takes the last there is. */
static enum cdop_err
begin_alone(struct registry *reg, const struct batch_item *item)
{
	enum cdop_err err;

	err = begin(reg, item, 1, 0, false);
	if (err == CDOP_OK)
		set_room(reg, REGISTRY_ROOM);
	if (err != CDOP_RESOURCE_EXHAUSTED || can_wait(item))
		return err;
	err = begin(reg, item, 1, 0, true);
	set_room(reg, err == CDOP_OK ? REGISTRY_FULL : REGISTRY_SPENT);
	return err;
}

/* And the memory it took: who fails takes none from those who do not. */
static void
take_back(struct batch *batch, struct registry *reg, size_t mark)
{
	rows_abort(reg->rows);
	undo_rollback(reg->undo);
	cdop_arena_rewind(batch->arena, mark);
	cdop_arena_reset(batch->scratch);
}

/* CDOP_DATA_LOSS: the outcome is unknown. */
static enum cdop_err
commit(struct batch *batch, struct registry *reg)
{
	uint64_t before_us = clock_us();
	enum cdop_err err;

	err = registry_commit(reg);
	if (batch->note != NULL) {
		metrics_took(
		    &batch->note->metrics.commit, clock_us() - before_us);
		metrics_add(&batch->note->metrics, METRIC_BATCHES, 1);
	}
	return err == CDOP_OK || err == CDOP_RESOURCE_EXHAUSTED
	    ? err
	    : CDOP_DATA_LOSS;
}

/* What can be said only of a log that is durable: who fails hears nothing. */
static void
finish(struct batch *batch, struct registry *reg, struct batch_item *item,
    const struct batch_times *times)
{
	struct welcome_to to = {.now_ms = times->now_ms};
	enum cdop_err err = CDOP_OK;

	cdop_arena_set_budget(batch->arena, CDOP_ANSWER_ARENA);
	if (item->opened) {
		to.pending = item->pending;
		to.seen_size = item->session->seen_size;
		to.receipt_size = item->session->receipt_size;
		to.seen_statements = item->session->seen_statements;
		err = welcome_pack(reg, batch->arena, &to, &item->result.reply);
	}
	if (item->result.receipt != NULL)
		err = receipt_append(reg, batch->arena, item->result.receipt,
		    &item->result.reply);
	item->answered = err == CDOP_OK;
}

/*
 * Of the items from end to n requests are left where they came from; the
 * vault's own are nowhere else, and take their places.  Behind these.
 */
static size_t
leave_requests(struct batch *batch, size_t end, size_t n)
{
	size_t i;

	for (i = end; i < n; i++)
		if (batch->item[i].session == NULL)
			batch->item[end++] = batch->item[i];
	return end;
}

static bool
is_over(const struct batch *batch, uint64_t now_us, uint64_t until_us)
{
	return now_us >= until_us || cdop_arena_used(batch->arena) > PART_BYTES;
}

/* How many there are with those who have come in the meantime. */
static size_t
join(struct batch *batch, const struct batch_times *times)
{
	note(batch, NULL); /* what comes in now is nobody's request yet */
	batch->joins = true;
	times->join(times->ctx);
	batch->joins = false;
	return batch->n;
}

/* From the first on; *ret_end is behind what is to be run alone. */
static enum cdop_err
run_together(struct batch *batch, struct registry *reg,
    const struct batch_times *times, size_t *ret_end)
{
	uint64_t now_us, last_us = clock_us();
	uint64_t until_us = last_us + times->part_ms * 1000ull;
	uint64_t join_us = last_us + times->join_ms * 1000ull;
	size_t i, n = batch->n, end = 0;
	size_t joining = times->join != NULL && n < FEW ? FEW - n : 0;
	enum cdop_err err;

	err = begin(reg, batch->item, n, joining, false);
	if (err != CDOP_OK) {
		*ret_end = leave_requests(batch, 1, n);
		return err;
	}
	set_room(reg, REGISTRY_ROOM);
	do {
		err = run_item(batch, reg, &batch->item[end++], times);
		now_us = clock_us();
		batch->item[end - 1].took_us = now_us - last_us;
		last_us = now_us;
		if (err != CDOP_OK) {
			*ret_end = leave_requests(batch, end, n);
			take_back(batch, reg, batch->mark);
			/* A row that does not authenticate is no end. */
			return err == CDOP_DATA_LOSS ? CDOP_INTERNAL : err;
		}
		if (is_over(batch, now_us, until_us)) {
			n = leave_requests(batch, end, n);
		} else if (end == n && joining > 0 && n < FEW &&
		    now_us < join_us) {
			n = join(batch, times);
			until_us = join_us;
		}
	} while (end < n);
	*ret_end = end;
	if ((err = commit(batch, reg)) != CDOP_OK)
		return err;
	for (i = 0; i < end; i++)
		finish(batch, reg, &batch->item[i], times);
	return CDOP_OK;
}

/* One item that failed as part of a batch: only its refusal is written. */
static enum cdop_err
refuse_alone(struct batch *batch, struct registry *reg, struct batch_item *item,
    const struct batch_times *times, enum cdop_err status)
{
	size_t mark = cdop_arena_used(batch->arena);
	struct dispatch_request request;
	enum cdop_err err;

	if (item->kind == BATCH_OPENED)
		item->session->let_in = false;
	if ((item->kind != BATCH_CALL && item->kind != BATCH_MORE) ||
	    !is_let_in(item)) {
		item->failed = true;
		item->why = status;
		return CDOP_OK;
	}
	if (begin_alone(reg, item) != CDOP_OK)
		return CDOP_OK; /* no leaf, no answer */
	set_budget(batch);
	fill_request(item, times, &request);
	err = dispatch_refuse(
	    reg, batch->scratch, &request, status, &item->result);
	if (err == CDOP_OK)
		err = keep_answer(batch, &item->result);
	if (err != CDOP_OK) {
		take_back(batch, reg, mark);
		return CDOP_OK;
	}
	err = commit(batch, reg);
	if (err == CDOP_OK)
		finish(batch, reg, item, times);
	return err == CDOP_DATA_LOSS ? err : CDOP_OK;
}

static enum cdop_err
run_alone(struct batch *batch, struct registry *reg, struct batch_item *item,
    const struct batch_times *times)
{
	size_t mark = cdop_arena_used(batch->arena);
	enum cdop_err err;

	if ((err = begin_alone(reg, item)) != CDOP_OK)
		return refuse_alone(batch, reg, item, times, err);
	if ((err = run_item(batch, reg, item, times)) != CDOP_OK) {
		item->failed = true;
		take_back(batch, reg, mark);
		return refuse_alone(batch, reg, item, times, err);
	}
	err = commit(batch, reg);
	if (err == CDOP_RESOURCE_EXHAUSTED) {
		/* It was promised and is not there after all. */
		rows_room_give(reg->rows);
		return refuse_alone(batch, reg, item, times, err);
	}
	if (err == CDOP_OK)
		finish(batch, reg, item, times);
	return err;
}

/*
 * Those up to end, a commit each: as long as there is time, or who makes
 * batches fail would keep the others waiting for a hundred of them.
 */
static enum cdop_err
run_each(struct batch *batch, struct registry *reg,
    const struct batch_times *times, size_t end)
{
	uint64_t until_us = clock_us() + times->part_ms * 1000ull;
	enum cdop_err err = CDOP_OK;

	while (err != CDOP_DATA_LOSS && batch->done < end) {
		err = run_alone(batch, reg, &batch->item[batch->done], times);
		note(batch, NULL);
		if (err != CDOP_DATA_LOSS)
			batch->done++;
		if (is_over(batch, clock_us(), until_us))
			end = leave_requests(batch, batch->done, end);
	}
	return err;
}

enum cdop_err
batch_run(
    struct batch *batch, struct registry *reg, const struct batch_times *times)
{
	size_t end;
	enum cdop_err err;

	reg->batch_ms = times->now_ms;
	err = run_together(batch, reg, times, &end);
	note(batch, NULL);
	if (err == CDOP_OK)
		batch->done = end;
	else if (err != CDOP_DATA_LOSS)
		err = run_each(batch, reg, times, end);
	return err == CDOP_DATA_LOSS ? err : CDOP_OK;
}
