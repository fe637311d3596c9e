/*
 * The cycle's own state, for cycle.c and cycle_*.c, boot_calls.c, intake.c,
 * gather.c and meter.c only.
 */
#ifndef CDOP_CYCLE_CYCLE_STATE_H
#define CDOP_CYCLE_CYCLE_STATE_H

#include "server/cycle/batch.h"
#include "server/cycle/cycle.h"
#include "server/cycle/outbox.h"
#include "server/cycle/session.h"
#include "server/cycle/turns.h"

#define CYCLE_BUCKETS    256
#define CYCLE_FAILED_MAX 3   /* requests that made a batch abort */
#define CYCLE_BUSY_MS    250 /* who has called so lately is about to again */

/* A reply that waits until the gate has thrown away what it held. */
struct cycle_held {
	STAILQ_ENTRY(cycle_held) entry;
	uint64_t conn;
	uint64_t until_ms;
	size_t len;
	uint8_t reply[];
};

#define CYCLE_GIVEN_MAX 32
#define CYCLE_OWED_MAX  (CYCLE_GIVEN_MAX + 4)

/* A share that came while it was sealed. */
struct cycle_given {
	uint32_t device;
	uint16_t set;
	uint8_t share;
	bool taken;
};

struct cycle {
	struct cycle_args args;
	struct registry *reg; /* NULL: sealed */
	struct batch *batch;
	struct outbox *outbox;
	struct ipc_inbox *inbox;
	size_t inbox_n;  /* packets in it */
	size_t inbox_at; /* of these the next one */
	int link;
	bool link_dead;
	bool ahead_told;  /* that the clock is not gone by */
	bool behind_told; /* that it was set back */
	int64_t wall_ms;  /* at boot, by the wall clock as last told */
	struct pace *pace;
	bool paced; /* a call waits that was not taken for its device */
	uint64_t paced_told_ms;
	bool busy; /* complete calls wait for the next batch */
	bool soon; /* a slice of long work is due in a few milliseconds */
	LIST_HEAD(, session) bucket[CYCLE_BUCKETS]; /* to find one */
	TAILQ_HEAD(, session) sessions;             /* all */
	struct turns turns; /* of those that have signed in */
	size_t n_sessions;
	size_t n_half_open;
	const uint8_t *sent_key[2]; /* the gate has their public halves */
	uint64_t last_conn; /* of this link: ids grow, or the gate is broken */
	uint32_t budget;    /* handshakes left in this second */
	uint64_t turn_ms;   /* when this turn began */
	uint64_t tick_ms;
	uint64_t counted_ms;    /* when the last count was logged */
	uint64_t refused;       /* handshakes that failed since then */
	uint64_t held_until_ms; /* of args.held_back */
	size_t discards;        /* the gate's word is awaited */
	uint64_t scrub_ms;      /* no step of looking through the log before */
	uint64_t renew_ms;      /* no step of renewing before that */
	uint64_t rotate_ms;     /* no slice of a rotation before that */
	uint64_t slice_ms;      /* when the last one was done */
	uint64_t called_ms;     /* of the last turn that had a call */
	uint32_t passed;        /* turns without long work, while called */
	bool worked;            /* this turn had a batch */
	uint64_t copy_us;       /* until then the copy has its share, but for */
	int64_t copy_owed_us;   /* so much */
	STAILQ_HEAD(, cycle_held) held;
	struct cycle_given given[CYCLE_GIVEN_MAX]; /* to be logged */
	size_t n_given;
	/* Likewise, of events for which there was no room. */
	struct batch_item owed[CYCLE_OWED_MAX];
	size_t n_owed;
	uint64_t owed_ms; /* they are tried no sooner */
};

struct session *cycle_find(struct cycle *cycle, uint64_t conn);

/* Tells the gate and forgets the session. */
void cycle_close(struct cycle *cycle, struct session *session);

/* Forgets it: the gate has closed already. */
void cycle_drop(struct cycle *cycle, struct session *session);

/* A handshake, or a frame, that is not what it should be. */
void cycle_refuse(struct cycle *cycle, struct session *session);

/* Sends; a gate that is gone or reads nothing is noticed here. */
void cycle_send(struct cycle *cycle, uint64_t conn, enum ipc_kind kind,
    struct cdop_bytes bytes);

/* The reply of a session that waits for the gate's word on others. */
CDOP_MUST enum cdop_err cycle_hold(struct cycle *cycle,
    const struct session *session, struct cdop_bytes reply, uint64_t boot_ms);
/* Those that have waited, to their sessions. */
void cycle_held_release(struct cycle *cycle, uint64_t boot_ms);
void cycle_held_drop(struct cycle *cycle);

/* A rotation does not go on: said, and tried again later. */
void cycle_rotation_failed(
    struct cycle *cycle, const char *finding, uint64_t boot_ms);

/* The server's public keys, for the gate's mac1. */
void cycle_send_keys(struct cycle *cycle);

/*
 * The same where they have changed: the gate lets those in who know a key, and
 * hears of a turn before anybody.
 */
void cycle_tell_keys(struct cycle *cycle);

/* Step 1: takes the packets that wait, bounded. */
void intake_drain(struct cycle *cycle, uint64_t boot_ms);

/*
 * While a batch is run, whose items name sessions: frames of those who are in.
 * The first packet that is something else, or ends its session, waits for the
 * next drain, and all behind it.  False: nothing was taken.
 */
bool intake_join(struct cycle *cycle, uint64_t boot_ms);

/* There are such: they have been received, and wake nobody. */
bool intake_waits(const struct cycle *cycle);

/*
 * Between batches: a slice of the copy that is under way, if it is its turn.
 * CDOP_DATA_LOSS: the process has to leave.
 */
CDOP_MUST enum cdop_err cycle_copy(struct cycle *cycle);

/* Somebody has called so lately that he is about to call again. */
bool cycle_is_called(const struct cycle *cycle, uint64_t boot_ms);

/* One is under way and wants more, or has ended and waits for a word. */
bool cycle_copy_waits(const struct cycle *cycle);

/* Of a sealed vault: the first message of a session, and its calls. */
void boot_calls_begin(struct cycle *cycle, struct session *session);
void boot_calls_take(struct cycle *cycle, struct session *session);

/* It is open now: what was given is logged, and those sessions end. */
void boot_calls_end(struct cycle *cycle);

/* Step 2: fills the empty batch from all devices in turn. */
void gather_run(struct cycle *cycle, uint64_t boot_ms);

/*
 * So long it may be worked on; others' calls wait less than one's own.  And who
 * has come by then joins it.
 */
void gather_part(struct cycle *cycle, struct batch_times *times);

/* What was done of it is no longer the sessions': the rest still is. */
void gather_done(struct cycle *cycle, uint64_t boot_ms);

/* That terms of searches were not forgotten today, why, and what is next. */
void gather_tell_kept(enum cdop_err err);

#endif
