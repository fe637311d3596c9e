/* A bounded queue of plain bytes that is wiped as it empties. */
#include "cdop/stream.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "cdop/varint.h"

_Static_assert(CDOP_STREAM_PLAIN_MAX % CDOP_PAD_STEP == 0, "whole steps");
_Static_assert(
    CDOP_STREAM_PLAIN_MAX + CDOP_TAG_LEN <= CDOP_FRAME_MAX, "fits a frame");

#define FIRST_LEN 4096  /* of the buffer */
#define KEEP_MAX  16384 /* a larger one is given back when it is empty */

/* buf[at..end) is held. */
struct cdop_stream {
	uint8_t *buf;
	size_t cap;
	size_t at;
	size_t end;
	size_t max;
	size_t room;    /* behind end, promised by _room */
	size_t head;    /* of the message at the front, once it is whole, */
	size_t message; /* its length; 0: none yet */
	size_t dry;     /* from here to end no look finds one; 0: unknown */
	bool broken;
};

enum cdop_err
cdop_stream_new(size_t max_bytes, struct cdop_stream **ret_stream)
{
	struct cdop_stream *stream;

	stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	stream->max = max_bytes;
	*ret_stream = stream;
	return CDOP_OK;
}

/* Replaces the buffer; never realloc, which would leave the old one as is. */
static void
set_buffer(struct cdop_stream *stream, uint8_t *buf, size_t cap)
{
	if (stream->buf != NULL)
		cdop_secret_wipe(stream->buf, stream->cap);
	free(stream->buf);
	stream->buf = buf;
	stream->cap = cap;
}

void
cdop_stream_free(struct cdop_stream *stream)
{
	if (stream == NULL)
		return;
	set_buffer(stream, NULL, 0);
	free(stream);
}

size_t
cdop_stream_held(const struct cdop_stream *stream)
{
	return stream->end - stream->at;
}

/* Takes what is held to the front of buf, which may be the same one. */
static void
move_to_front(struct cdop_stream *stream, uint8_t *buf)
{
	size_t held;

	held = cdop_stream_held(stream);
	if (held > 0)
		memmove(buf, stream->buf + stream->at, held);
	if (buf == stream->buf && stream->end > held)
		cdop_secret_wipe(buf + held, stream->end - held);
	stream->at = 0;
	stream->end = held;
	stream->dry = 0;
}

static enum cdop_err
grow(struct cdop_stream *stream, size_t need)
{
	uint8_t *buf;
	size_t cap;

	cap = stream->cap < FIRST_LEN ? FIRST_LEN : stream->cap;
	while (cap < need)
		cap *= 2;
	buf = malloc(cap);
	if (buf == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	move_to_front(stream, buf);
	set_buffer(stream, buf, cap);
	return CDOP_OK;
}

enum cdop_err
cdop_stream_room(struct cdop_stream *stream, size_t len, uint8_t **ret_room)
{
	enum cdop_err err;
	size_t held;

	held = cdop_stream_held(stream);
	stream->room = 0;
	if (stream->broken)
		return CDOP_INVALID_ARGUMENT;
	if (len > stream->max || held > stream->max - len)
		return CDOP_RESOURCE_EXHAUSTED;
	if (stream->buf == NULL || held + len > stream->cap) {
		if ((err = grow(stream, held + len)) != CDOP_OK)
			return err;
	} else if (len > stream->cap - stream->end) {
		move_to_front(stream, stream->buf);
	}
	stream->room = len;
	*ret_room = stream->buf + stream->end;
	return CDOP_OK;
}

void
cdop_stream_fill(struct cdop_stream *stream, size_t len)
{
	CDOP_ASSERT(len <= stream->room);
	stream->end += len;
	stream->dry = 0;
	if (stream->room > len)
		cdop_secret_wipe(stream->buf + stream->end, stream->room - len);
	stream->room = 0;
}

/* Wipes and drops len bytes at the front. */
static void
drop(struct cdop_stream *stream, size_t len)
{
	if (len > 0)
		cdop_secret_wipe(stream->buf + stream->at, len);
	stream->at += len;
	if (stream->at < stream->end)
		return;
	stream->at = 0;
	stream->end = 0;
	stream->dry = 0;
	if (stream->cap > KEEP_MAX)
		set_buffer(stream, NULL, 0);
}

static enum cdop_err
broken(struct cdop_stream *stream)
{
	drop(stream, cdop_stream_held(stream));
	stream->broken = true;
	return CDOP_INVALID_ARGUMENT;
}

static size_t
padding(const struct cdop_stream *stream, size_t at)
{
	size_t i;

	for (i = at; i < stream->end && stream->buf[i] == 0; i++)
		;
	return i - at;
}

/*
 * The message that begins at *ret_at or behind padding there.  CDOP_OK and a
 * length of 0: it is not whole.
 */
static enum cdop_err
look(const struct cdop_stream *stream, size_t *ret_at, size_t *ret_head,
    size_t *ret_len)
{
	struct cdop_bytes in;
	uint64_t len;

	*ret_len = 0;
	*ret_at += padding(stream, *ret_at);
	in.len = stream->end - *ret_at;
	if (in.len == 0)
		return CDOP_OK;
	in.data = stream->buf + *ret_at;
	if (cdop_varint_parse(in, CDOP_STREAM_VARINT_MAX, &len, ret_head) !=
	    CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	if (*ret_head == 0)
		return CDOP_OK;
	if (len > CDOP_MESSAGE_MAX)
		return CDOP_INVALID_ARGUMENT;
	if (in.len - *ret_head >= len)
		*ret_len = (size_t)len;
	return CDOP_OK;
}

enum cdop_err
cdop_stream_next(struct cdop_stream *stream, struct cdop_bytes *ret_message)
{
	size_t at = stream->at;

	if (stream->broken)
		return CDOP_INVALID_ARGUMENT;
	*ret_message = (struct cdop_bytes){NULL, 0};
	if (stream->message == 0) {
		if (look(stream, &at, &stream->head, &stream->message) !=
		    CDOP_OK)
			return broken(stream);
		drop(stream, at - stream->at);
		if (stream->message == 0)
			return CDOP_OK;
	}
	ret_message->data = stream->buf + stream->at + stream->head;
	ret_message->len = stream->message;
	return CDOP_OK;
}

bool
cdop_stream_peek(
    struct cdop_stream *stream, size_t *offset, struct cdop_bytes *ret_message)
{
	size_t from = stream->at + *offset, at = from, head = 0, len;

	/* However often it is asked, padding is gone through once. */
	if (stream->broken || (stream->dry != 0 && from >= stream->dry))
		return false;
	if (look(stream, &at, &head, &len) != CDOP_OK || len == 0) {
		stream->dry = from;
		return false;
	}
	ret_message->data = stream->buf + at + head;
	ret_message->len = len;
	*offset = at + head + len - stream->at;
	return true;
}

void
cdop_stream_consume(struct cdop_stream *stream)
{
	CDOP_ASSERT(stream->message > 0);
	drop(stream, stream->head + stream->message);
	stream->message = 0;
	drop(stream, padding(stream, stream->at));
}

enum cdop_err
cdop_stream_put(struct cdop_stream *stream, struct cdop_bytes message)
{
	uint8_t head[CDOP_VARINT_MAX];
	enum cdop_err err;
	uint8_t *room;
	size_t len;

	if (message.len == 0 || message.len > CDOP_MESSAGE_MAX)
		return CDOP_INVALID_ARGUMENT;
	len = cdop_varint_write(head, message.len);
	err = cdop_stream_room(stream, len + message.len, &room);
	if (err != CDOP_OK)
		return err;
	memcpy(room, head, len);
	memcpy(room + len, message.data, message.len);
	cdop_stream_fill(stream, len + message.len);
	return CDOP_OK;
}

size_t
cdop_stream_take(struct cdop_stream *stream, uint8_t *out)
{
	size_t len, padded;

	len = cdop_stream_held(stream);
	if (len == 0)
		return 0;
	if (len > CDOP_STREAM_PLAIN_MAX)
		len = CDOP_STREAM_PLAIN_MAX;
	padded = (len + CDOP_PAD_STEP - 1) / CDOP_PAD_STEP * CDOP_PAD_STEP;
	memcpy(out, stream->buf + stream->at, len);
	memset(out + len, 0, padded - len);
	drop(stream, len);
	return padded;
}
