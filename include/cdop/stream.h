/*
 * One direction of a session's stream: protobuf messages with a varint
 * length in front of each, and zeros between them that mean nothing.  It is
 * a bounded queue of plain bytes on the heap, wiped as it empties; it does
 * no cryptography and does not know what a message says.
 *
 * The receiving side: room, fill, next, consume.  The sending side: put,
 * take.  One object serves one side.
 */
#ifndef CDOP_STREAM_H
#define CDOP_STREAM_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"

/* Longest plaintext we send in one transport message: padded, and its
 * ciphertext still fits a frame. */
#define CDOP_STREAM_PLAIN_MAX 65280
/* Longest length in front of a message, bytes. */
#define CDOP_STREAM_VARINT_MAX 3

struct cdop_stream;

/* A stream that holds at most max_bytes.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_stream_new(
    size_t max_bytes, struct cdop_stream **ret_stream);

/* Wipes and frees; NULL is fine. */
void cdop_stream_free(struct cdop_stream *stream);

/*
 * Bytes held.  On the receiving side, once next has said "incomplete", they
 * are the beginning of a message: a request's clock runs while it is not 0.
 */
size_t cdop_stream_held(const struct cdop_stream *stream);

/*
 * Receiving.  room makes space for len bytes behind what is held, for the
 * decryption to write to; fill says how many of them are now good (the rest
 * is wiped).  The pointer is good until the next call.
 * CDOP_RESOURCE_EXHAUSTED: over max_bytes.
 */
CDOP_MUST enum cdop_err cdop_stream_room(
    struct cdop_stream *stream, size_t len, uint8_t **ret_room);
void cdop_stream_fill(struct cdop_stream *stream, size_t len);

/*
 * The message at the front, without its length; padding before it is
 * dropped.  An incomplete one is no error: ret_message->data is NULL.  It
 * stays until consume and is good until the next call but _held.
 * CDOP_INVALID_ARGUMENT: a length that is not minimal, longer than three
 * bytes or over CDOP_MESSAGE_MAX; the stream then stays in that state.
 */
CDOP_MUST enum cdop_err cdop_stream_next(
    struct cdop_stream *stream, struct cdop_bytes *ret_message);

/*
 * Looks further without dropping anything: the whole message at *offset (0:
 * the front), which is then moved behind it.  False: there is none, or what
 * is there is no message, which next says once it is at the front.
 */
bool cdop_stream_peek(
    struct cdop_stream *stream, size_t *offset, struct cdop_bytes *ret_message);

/* Wipes and drops the message that next gave last, and padding behind it. */
void cdop_stream_consume(struct cdop_stream *stream);

/*
 * Sending.  put queues one message.  An empty message cannot be sent: its
 * length would be padding.  CDOP_INVALID_ARGUMENT: empty or over
 * CDOP_MESSAGE_MAX; CDOP_RESOURCE_EXHAUSTED: over max_bytes, nothing is
 * queued.
 */
CDOP_MUST enum cdop_err cdop_stream_put(
    struct cdop_stream *stream, struct cdop_bytes message);

/*
 * The next plaintext to seal: all that is queued, or as much as fits, and
 * zeros up to a multiple of CDOP_PAD_STEP.  out holds
 * CDOP_STREAM_PLAIN_MAX.  The length, 0 when nothing is queued.
 */
size_t cdop_stream_take(struct cdop_stream *stream, uint8_t *out);

#endif
