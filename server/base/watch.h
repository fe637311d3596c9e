/*
 * Whether a child answers, from what was heard of it and when.  No clock and
 * no process: the caller says what time it is, and does what has to be done.
 */
#ifndef CDOP_BASE_WATCH_H
#define CDOP_BASE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_HANG_MS 60000 /* a ping is unanswered for so long */

struct watch {
	bool ready;
	bool answers;       /* has answered the last ping but one, at least */
	bool opening;       /* a vault that reads its rows, and nothing else */
	uint64_t pinged_ms; /* 0: no ping unanswered */
	uint64_t started_ms;
};

enum watch_verdict {
	WATCH_WELL,  /* it answers, or has the time that a start may take */
	WATCH_ASK,   /* nothing is unanswered: ping it */
	WATCH_WAIT,  /* silent; not for too long yet */
	WATCH_HANGS, /* for too long */
};

void watch_begin(struct watch *watch, uint64_t now_ms);

/* Where WATCH_ASK was done. */
void watch_asked(struct watch *watch, uint64_t now_ms);

/* It said something; opening: that it reads its rows now. */
void watch_heard(struct watch *watch, bool opening);

enum watch_verdict watch_look(
    const struct watch *watch, uint64_t now_ms, uint64_t hang_ms);

/* Whether a service manager may be told that it is well. */
bool watch_is_well(const struct watch *watch, enum watch_verdict verdict);

#endif
