/*
 * One batch: a few requests, one transaction, one commit.  Every item gets
 * its leaf in it or no answer at all.  What takes long ends it before its
 * end: requests that there was no time for are for another batch.  A commit
 * costs as much as a few requests, so a batch of fewer takes in who came while
 * it was run (adr/0035).
 *
 * When a change fails half-way the whole batch is aborted, memory with it,
 * and each item is run again alone.  Decryption is not repeated.  When the
 * commit itself fails in a way that leaves its outcome unknown, nothing is
 * run again and nothing is answered: the vault leaves.
 */
#ifndef CDOP_CYCLE_BATCH_H
#define CDOP_CYCLE_BATCH_H

#include <stdbool.h>

#include "cdop/limits.h"
#include "server/rpc/dispatch.h"

struct batch;
struct control_note;
struct session;

enum batch_kind {
	BATCH_CALL,   /* a Call from a session */
	BATCH_MORE,   /* the next part of a stream of replies */
	BATCH_OPENED, /* a handshake was completed: Welcome */
	BATCH_EVENT,  /* something to be logged and not answered */
	BATCH_FORGET, /* a step of forgetting old search terms */
	BATCH_RENEW,  /* a step of renewing old summaries */
	BATCH_ROTATE, /* a slice of a rotation of keys */
};

struct batch_item {
	enum batch_kind kind;
	struct session *session;   /* NULL: the vault's own */
	struct cdop_bytes message; /* CALL, MORE: in the batch's arena */
	uint64_t arrived_ms;
	uint64_t arrived_us; /* likewise of a call, by CLOCK_MONOTONIC */
	struct rpc_cursor cursor;
	uint32_t count;
	size_t rows;       /* ROTATE: it changes at most so many */
	uint32_t slice_ms; /* and takes about so long */
	uint32_t event;    /* enum audit_event */
	uint64_t event_count;
	const char *event_reason; /* a literal, or NULL */
	uint16_t event_shares;    /* UNSEALED: bit x - 1 for each share */
	uint16_t event_set;    /* SHARE_GIVEN: of which it is one; 0: of none */
	uint32_t event_device; /* whose doing it was; 0: the vault's */

	/* What came of it. */
	uint64_t took_us; /* also where it made the batch abort */
	bool answered;    /* result.reply may be sent */
	bool failed; /* it made a batch abort: want of room is not its own */
	enum cdop_err why; /* of one of the vault's own that failed, or had
			    * no room */
	bool opened;       /* Welcome is due, once this is durable */
	bool pending;      /* for Welcome: the device waits for activation */
	size_t left;       /* of RENEW: cases that cannot be read */
	struct dispatch_result result;
};

struct batch_times {
	uint64_t now_ms;  /* leaf time */
	uint64_t boot_ms; /* CLOCK_BOOTTIME */
	uint32_t part_ms; /* no request is begun after so long */
	/*
	 * All have been run, and they are few: adds whoever has come by now,
	 * with batch_add(), and frees nothing that an item names.  May be NULL.
	 * It is called before join_ms, which is the end of the batch then.
	 */
	void (*join)(void *ctx);
	void *ctx;
	uint32_t join_ms;
};

/* note: where the parent reads whose request is being worked on; or NULL. */
CDOP_MUST enum cdop_err batch_new(
    struct control_note *note, struct batch **ret_batch);
void batch_free(struct batch *batch);

/*
 * A new item with a copy of message; fill the rest in.  NULL: no room, which
 * a few of the vault's own (session NULL) find behind any number of requests;
 * one that joins finds little.
 * Good until batch_reset().
 */
struct batch_item *batch_add(struct batch *batch, enum batch_kind kind,
    struct session *session, struct cdop_bytes message);

size_t batch_count(const struct batch *batch);
struct batch_item *batch_get(struct batch *batch, size_t i);

/* How many have been run, from the first on. */
size_t batch_done(const struct batch *batch);

/*
 * Runs the items, one at least: requests as long as there is time, and all of
 * the vault's own, which then stand before those that were not run.  CDOP_OK:
 * what is answered is durable.  CDOP_DATA_LOSS: leave, answer nothing.
 */
CDOP_MUST enum cdop_err batch_run(
    struct batch *batch, struct registry *reg, const struct batch_times *times);

/* Wipes everything the items used. */
void batch_reset(struct batch *batch);

#endif
