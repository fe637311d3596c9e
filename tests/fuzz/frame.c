/*
 * The cutting of frames and of the stream: however the bytes come in, the
 * same frames and messages come out, or the same refusal.  Lengths are those
 * of cdop_varint_parse().
 */
#include "cdop/frame.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/secret.h"
#include "cdop/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A hash of all that came out, and how it ended. */
struct outcome {
	uint8_t sum[32];
	size_t n;
	enum cdop_err err;
};

static void
add(struct outcome *outcome, struct cdop_bytes bytes)
{
	struct cdop_bytes parts[2] = {{outcome->sum, 32}, bytes};
	uint8_t sum[32];

	cdop_secret_hash(sum, sizeof(sum), NULL, "", parts, 2);
	memcpy(outcome->sum, sum, sizeof(sum));
	outcome->n++;
}

static void
must_be_equal(const struct outcome *a, const struct outcome *b)
{
	CDOP_ASSERT(a->err == b->err && a->n == b->n);
	CDOP_ASSERT(memcmp(a->sum, b->sum, sizeof(a->sum)) == 0);
}

/* Frames out of data, of which step bytes more are shown each time. */
static void
run_frames(
    const uint8_t *data, size_t len, size_t step, struct outcome *outcome)
{
	struct cdop_bytes in = {data, 0};
	struct cdop_frame frame;
	size_t shown;

	for (shown = 0; outcome->err == CDOP_OK;) {
		outcome->err = cdop_frame_peek(in, 1000, &frame);
		if (outcome->err != CDOP_OK)
			break;
		if (frame.used > 0) {
			CDOP_ASSERT(frame.used <= in.len);
			add(outcome, frame.body);
			in.data += frame.used;
			in.len -= frame.used;
			continue;
		}
		CDOP_ASSERT(frame.missing > 0);
		if (shown == len)
			break;
		step = step > len - shown ? len - shown : step;
		shown += step;
		in.len += step;
	}
}

static void
drain(struct cdop_stream *stream, struct outcome *outcome)
{
	struct cdop_bytes message;

	for (;;) {
		outcome->err = cdop_stream_next(stream, &message);
		if (outcome->err != CDOP_OK || message.data == NULL)
			return;
		add(outcome, message);
		cdop_stream_consume(stream);
	}
}

static void
run_stream(
    const uint8_t *data, size_t len, size_t step, struct outcome *outcome)
{
	struct cdop_stream *stream;
	uint8_t *room;
	size_t at;

	if (cdop_stream_new(1u << 22, &stream) != CDOP_OK)
		return;
	for (at = 0; at < len && outcome->err == CDOP_OK; at += step) {
		step = step > len - at ? len - at : step;
		/* More room than bytes, as nobody forbids it. */
		if (cdop_stream_room(stream, step + at % 7, &room) != CDOP_OK)
			break;
		memcpy(room, data + at, step);
		cdop_stream_fill(stream, step);
		drain(stream, outcome);
	}
	cdop_stream_free(stream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct outcome whole = {.err = CDOP_OK}, cut = whole;
	struct outcome whole_s = whole, cut_s = whole;
	size_t step;

	if (len < 1)
		return 0;
	step = 1u + data[0];
	data++;
	len--;
	run_frames(data, len, len, &whole);
	run_frames(data, len, step, &cut);
	must_be_equal(&whole, &cut);
	run_stream(data, len, len, &whole_s);
	run_stream(data, len, step, &cut_s);
	must_be_equal(&whole_s, &cut_s);
	return 0;
}
