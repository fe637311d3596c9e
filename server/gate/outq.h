/*
 * Frames on their way to one client: a queue that is written as far as the
 * socket takes it and counts what has left whole.  The bound on it is the
 * caller's.
 */
#ifndef CDOP_GATE_OUTQ_H
#define CDOP_GATE_OUTQ_H

#include <stdbool.h>
#include <sys/queue.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

#define OUTQ_HEAD 2 /* the u16 length in front of each frame */

struct outq_frame;
STAILQ_HEAD(outq_frames, outq_frame);

struct outq {
	struct outq_frames frames;
	size_t queued;    /* bytes, heads and all */
	uint32_t written; /* bytes of whole frames, without heads */
};

void outq_init(struct outq *q);

/* Throws everything away. */
void outq_clear(struct outq *q);

bool outq_is_empty(const struct outq *q);

/* A copy of one message, with its length in front.  No memory:
 * CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err outq_push(struct outq *q, struct cdop_bytes message);

/*
 * Writes until the queue is empty or the socket is full; *ret_frames whole
 * frames have left.  CDOP_UNAVAILABLE: the client is gone.
 */
CDOP_MUST enum cdop_err outq_write(struct outq *q, int fd, size_t *ret_frames);

#endif
