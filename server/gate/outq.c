/* The output queue of one connection. */
#include "server/gate/outq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "cdop/limits.h"
#include "server/base/fds.h"

#define OUTQ_IOV 16

struct outq_frame {
	STAILQ_ENTRY(outq_frame) next;
	size_t len;
	size_t done;
	uint8_t bytes[];
};

void
outq_init(struct outq *q)
{
	STAILQ_INIT(&q->frames);
	q->queued = 0;
	q->written = 0;
}

bool
outq_is_empty(const struct outq *q)
{
	return STAILQ_EMPTY(&q->frames);
}

static void
drop_first(struct outq *q)
{
	struct outq_frame *frame = STAILQ_FIRST(&q->frames);

	STAILQ_REMOVE_HEAD(&q->frames, next);
	q->queued -= frame->len;
	free(frame);
}

void
outq_clear(struct outq *q)
{
	while (!outq_is_empty(q))
		drop_first(q);
}

enum cdop_err
outq_push(struct outq *q, struct cdop_bytes message)
{
	struct outq_frame *frame;

	CDOP_ASSERT(message.len > 0 && message.len <= CDOP_FRAME_MAX);
	frame = malloc(sizeof(*frame) + OUTQ_HEAD + message.len);
	if (frame == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	frame->len = OUTQ_HEAD + message.len;
	frame->done = 0;
	cdop_put16(frame->bytes, (uint16_t)message.len);
	memcpy(frame->bytes + OUTQ_HEAD, message.data, message.len);
	STAILQ_INSERT_TAIL(&q->frames, frame, next);
	q->queued += frame->len;
	return CDOP_OK;
}

/* n more bytes are written; returns how many frames that completed. */
static size_t
advance(struct outq *q, size_t n)
{
	struct outq_frame *frame;
	size_t left, frames = 0;

	while (n > 0) {
		frame = STAILQ_FIRST(&q->frames);
		left = frame->len - frame->done;
		if (n < left) {
			frame->done += n;
			break;
		}
		n -= left;
		q->written += (uint32_t)(frame->len - OUTQ_HEAD);
		drop_first(q);
		frames++;
	}
	return frames;
}

static ssize_t
write_some(struct outq *q, int fd)
{
	struct iovec iov[OUTQ_IOV];
	struct msghdr msg;
	struct outq_frame *frame;
	size_t n = 0;

	STAILQ_FOREACH(frame, &q->frames, next) {
		if (n == OUTQ_IOV)
			break;
		iov[n].iov_base = frame->bytes + frame->done;
		iov[n].iov_len = frame->len - frame->done;
		n++;
	}
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = iov;
	msg.msg_iovlen = n;
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

enum cdop_err
outq_write(struct outq *q, int fd, size_t *ret_frames)
{
	size_t frames = 0;
	ssize_t n;

	while (!outq_is_empty(q)) {
		n = write_some(q, fd);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && fds_errno() == CDOP_UNAVAILABLE)
			return CDOP_UNAVAILABLE;
		if (n < 0)
			break;
		frames += advance(q, (size_t)n);
	}
	*ret_frames = frames;
	return CDOP_OK;
}
