/* The stream: any cut and any padding in, whole steps of 256 out. */
#include "cdop/stream.h"

#include <stdlib.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "tests/unit/proto/pair.h"

#define MAX (CDOP_MESSAGE_MAX + CDOP_STREAM_VARINT_MAX + CDOP_FRAME_MAX)

static struct cdop_stream *
new_stream(size_t max)
{
	struct cdop_stream *stream;

	assert_int_equal(cdop_stream_new(max, &stream), CDOP_OK);
	return stream;
}

static enum cdop_err
feed(struct cdop_stream *stream, const uint8_t *bytes, size_t len)
{
	enum cdop_err err;
	uint8_t *room;

	if ((err = cdop_stream_room(stream, len, &room)) != CDOP_OK)
		return err;
	if (len > 0)
		memcpy(room, bytes, len);
	cdop_stream_fill(stream, len);
	return CDOP_OK;
}

static void
expect(struct cdop_stream *stream, const void *data, size_t len)
{
	struct cdop_bytes message;

	assert_int_equal(cdop_stream_next(stream, &message), CDOP_OK);
	assert_non_null(message.data);
	assert_int_equal(message.len, len);
	assert_memory_equal(message.data, data, len);
	cdop_stream_consume(stream);
}

static void
expect_nothing(struct cdop_stream *stream)
{
	struct cdop_bytes message;

	assert_int_equal(cdop_stream_next(stream, &message), CDOP_OK);
	assert_null(message.data);
}

static void
any_cut_gives_the_same_messages(void **state)
{
	static const uint8_t wire[] = {
	    0, 0, 2, 'h', 'i', 0, 1, 'x', 3, 'a', 0, 'c', 0, 0, 0};
	struct cdop_stream *stream;
	size_t a, b;

	(void)state;
	for (a = 0; a <= sizeof(wire); a++)
		for (b = a; b <= sizeof(wire); b++) {
			stream = new_stream(MAX);
			assert_int_equal(feed(stream, wire, a), CDOP_OK);
			assert_int_equal(
			    feed(stream, wire + a, b - a), CDOP_OK);
			assert_int_equal(
			    feed(stream, wire + b, sizeof(wire) - b), CDOP_OK);
			expect(stream, "hi", 2);
			expect(stream, "x", 1);
			expect(stream, "a\0c", 3);
			expect_nothing(stream);
			assert_int_equal(cdop_stream_held(stream), 0);
			cdop_stream_free(stream);
		}
}

static void
byte_by_byte_a_message_comes_with_its_last(void **state)
{
	static const uint8_t wire[] = {0, 3, 'a', 'b', 'c'};
	struct cdop_stream *stream;
	size_t i;

	(void)state;
	stream = new_stream(MAX);
	for (i = 0; i < sizeof(wire); i++) {
		expect_nothing(stream);
		assert_int_equal(feed(stream, wire + i, 1), CDOP_OK);
	}
	expect(stream, "abc", 3);
	cdop_stream_free(stream);
}

static void
a_bad_length_is_refused_for_good(void **state)
{
	/* Not minimal (twice), four bytes, one over 1 MiB. */
	static const uint8_t bad[][4] = {{0x80, 0x00}, {0x81, 0x80, 0x00},
	    {0x80, 0x80, 0x80, 0x01}, {0x81, 0x80, 0x40}};
	struct cdop_bytes message;
	struct cdop_stream *stream;
	uint8_t *room;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		stream = new_stream(MAX);
		assert_int_equal(feed(stream, bad[i], 4), CDOP_OK);
		assert_int_equal(
		    cdop_stream_next(stream, &message), CDOP_INVALID_ARGUMENT);
		assert_int_equal(
		    cdop_stream_next(stream, &message), CDOP_INVALID_ARGUMENT);
		assert_int_equal(
		    cdop_stream_room(stream, 1, &room), CDOP_INVALID_ARGUMENT);
		assert_int_equal(cdop_stream_held(stream), 0);
		cdop_stream_free(stream);
	}
}

static void
one_mebibyte_is_the_longest(void **state)
{
	static const uint8_t head[] = {0x80, 0x80, 0x40};
	struct cdop_stream *stream;
	uint8_t *big;
	size_t i;

	(void)state;
	big = calloc(1, CDOP_MESSAGE_MAX);
	assert_non_null(big);
	memset(big, 'm', CDOP_MESSAGE_MAX);
	stream = new_stream(MAX);
	assert_int_equal(feed(stream, head, sizeof(head)), CDOP_OK);
	for (i = 0; i < CDOP_MESSAGE_MAX; i += 65536) {
		expect_nothing(stream);
		assert_int_equal(feed(stream, big + i, 65536), CDOP_OK);
	}
	expect(stream, big, CDOP_MESSAGE_MAX);
	assert_int_equal(
	    cdop_stream_put(stream, (struct cdop_bytes){big, CDOP_MESSAGE_MAX}),
	    CDOP_OK);
	expect(stream, big, CDOP_MESSAGE_MAX);
	assert_int_equal(cdop_stream_put(stream,
			     (struct cdop_bytes){big, CDOP_MESSAGE_MAX + 1}),
	    CDOP_INVALID_ARGUMENT);
	cdop_stream_free(stream);
	free(big);
}

static void
it_never_holds_more_than_it_may(void **state)
{
	static const uint8_t bytes[101] = {100};
	struct cdop_stream *stream;
	uint8_t *room;

	(void)state;
	stream = new_stream(100);
	assert_int_equal(feed(stream, bytes, 60), CDOP_OK);
	assert_int_equal(feed(stream, bytes, 41), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(
	    cdop_stream_room(stream, SIZE_MAX, &room), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(feed(stream, bytes + 1, 40), CDOP_OK);
	assert_int_equal(feed(stream, bytes, 1), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(cdop_stream_held(stream), 100);
	assert_int_equal(cdop_stream_put(stream, (struct cdop_bytes){bytes, 1}),
	    CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(cdop_stream_held(stream), 100);
	cdop_stream_free(stream);
}

static void
what_was_consumed_is_wiped(void **state)
{
	static const uint8_t wire[] = {6, 's', 'e', 'c', 'r', 'e', 't', 1, 'x'};
	struct cdop_bytes message;
	struct cdop_stream *stream;
	const uint8_t *where;
	uint8_t *room;

	(void)state;
	stream = new_stream(MAX);
	assert_int_equal(feed(stream, wire, sizeof(wire)), CDOP_OK);
	assert_int_equal(cdop_stream_next(stream, &message), CDOP_OK);
	where = message.data;
	cdop_stream_consume(stream);
	/* The buffer lives on: another message is in it. */
	assert_true(cdop_secret_is_zero(where - 1, 7));
	/* And so is what was promised to the decryption and not filled. */
	assert_int_equal(cdop_stream_room(stream, 16, &room), CDOP_OK);
	memset(room, 'y', 16);
	cdop_stream_fill(stream, 0);
	assert_true(cdop_secret_is_zero(room, 16));
	expect(stream, "x", 1);
	cdop_stream_free(stream);
}

static void
a_message_stays_while_more_comes_in(void **state)
{
	static const uint8_t wire[] = {2, 'a', 'b'};
	static uint8_t more[60000];
	struct cdop_bytes message;
	struct cdop_stream *stream;

	(void)state;
	stream = new_stream(MAX);
	assert_int_equal(feed(stream, wire, sizeof(wire)), CDOP_OK);
	assert_int_equal(feed(stream, wire, sizeof(wire)), CDOP_OK);
	expect(stream, "ab", 2);
	assert_int_equal(cdop_stream_next(stream, &message), CDOP_OK);
	assert_int_equal(feed(stream, more, sizeof(more)), CDOP_OK);
	expect(stream, "ab", 2);
	expect_nothing(stream);
	assert_int_equal(cdop_stream_held(stream), 0);
	cdop_stream_free(stream);
}

static bool
peeks(struct cdop_stream *stream, size_t *offset, const char *text)
{
	struct cdop_bytes message;

	return cdop_stream_peek(stream, offset, &message) &&
	    message.len == strlen(text) &&
	    memcmp(message.data, text, message.len) == 0;
}

/* Padding or not, and only what is whole. */
static void
a_look_ahead_drops_nothing(void **state)
{
	static const uint8_t wire[] = {
	    0, 2, 'h', 'i', 0, 0, 1, 'x', 3, 'a', 'b'};
	struct cdop_stream *stream;
	struct cdop_bytes message;
	size_t offset = 0, held, i;

	(void)state;
	stream = new_stream(MAX);
	assert_false(cdop_stream_peek(stream, &offset, &message));
	assert_int_equal(feed(stream, wire, sizeof(wire)), CDOP_OK);
	held = cdop_stream_held(stream);
	for (i = 0; i < 2; i++) {
		offset = 0;
		assert_true(peeks(stream, &offset, "hi"));
		assert_true(peeks(stream, &offset, "x"));
		assert_false(cdop_stream_peek(stream, &offset, &message));
		assert_int_equal(cdop_stream_held(stream), held);
	}
	assert_int_equal(feed(stream, (const uint8_t *)"c", 1), CDOP_OK);
	assert_true(peeks(stream, &offset, "abc"));
	expect(stream, "hi", 2);
	offset = 0;
	assert_true(peeks(stream, &offset, "x"));
	expect(stream, "x", 1);
	expect(stream, "abc", 3);
	expect_nothing(stream);
	cdop_stream_free(stream);
}

/* It is found bad when it is at the front, and what is before it is good. */
static void
a_look_ahead_does_not_pass_what_is_bad(void **state)
{
	static const uint8_t wire[] = {2, 'h', 'i', 0x80, 0x00, 1, 'x'};
	struct cdop_stream *stream;
	struct cdop_bytes message;
	size_t offset = 0;

	(void)state;
	stream = new_stream(MAX);
	assert_int_equal(feed(stream, wire, sizeof(wire)), CDOP_OK);
	assert_true(peeks(stream, &offset, "hi"));
	assert_false(cdop_stream_peek(stream, &offset, &message));
	expect(stream, "hi", 2);
	assert_int_equal(
	    cdop_stream_next(stream, &message), CDOP_INVALID_ARGUMENT);
	offset = 0;
	assert_false(cdop_stream_peek(stream, &offset, &message));
	cdop_stream_free(stream);
}

static void
what_is_sent_is_padded_to_whole_steps(void **state)
{
	static uint8_t message[70000], plain[CDOP_STREAM_PLAIN_MAX];
	struct cdop_stream *out, *in;
	size_t len, got;

	(void)state;
	memset(message, 'm', sizeof(message));
	for (len = 1; len < sizeof(message); len = len * 3 / 2 + 1) {
		out = new_stream(MAX);
		in = new_stream(MAX);
		assert_int_equal(
		    cdop_stream_put(out, (struct cdop_bytes){message, len}),
		    CDOP_OK);
		assert_int_equal(
		    cdop_stream_put(out, (struct cdop_bytes){message, 3}),
		    CDOP_OK);
		while ((got = cdop_stream_take(out, plain)) > 0) {
			assert_int_equal(got % CDOP_PAD_STEP, 0);
			assert_true(got <= CDOP_STREAM_PLAIN_MAX);
			assert_int_equal(feed(in, plain, got), CDOP_OK);
		}
		expect(in, message, len);
		expect(in, message, 3);
		expect_nothing(in);
		assert_int_equal(cdop_stream_held(out), 0);
		cdop_stream_free(out);
		cdop_stream_free(in);
	}
}

static void
an_empty_message_is_not_sent(void **state)
{
	uint8_t plain[1];
	struct cdop_stream *stream;

	(void)state;
	stream = new_stream(MAX);
	assert_int_equal(cdop_stream_put(stream, (struct cdop_bytes){NULL, 0}),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(cdop_stream_take(stream, plain), 0);
	cdop_stream_free(stream);
	cdop_stream_free(NULL);
}

static void
random_traffic_comes_out_as_it_went_in(void **state)
{
	static uint8_t plain[CDOP_STREAM_PLAIN_MAX], message[3000];
	struct cdop_stream *out, *in;
	size_t i, put, taken, len, at, cut;
	unsigned seed;

	(void)state;
	out = new_stream(MAX);
	in = new_stream(MAX);
	seed = 1;
	put = taken = 0;
	for (i = 0; i < 3000; i++) {
		seed = seed * 1103515245u + 12345u;
		len = 1 + (seed >> 8) % sizeof(message);
		memset(message, (int)(put++ % 251), len);
		assert_int_equal(
		    cdop_stream_put(out, (struct cdop_bytes){message, len}),
		    CDOP_OK);
		if (seed >> 28 < 12)
			continue;
		while ((len = cdop_stream_take(out, plain)) > 0)
			for (at = 0; at < len; at += cut) {
				seed = seed * 1103515245u + 12345u;
				cut = 1 + (seed >> 8) % 5000;
				cut = cut > len - at ? len - at : cut;
				assert_int_equal(
				    feed(in, plain + at, cut), CDOP_OK);
			}
		for (; taken < put; taken++) {
			struct cdop_bytes got;

			assert_int_equal(cdop_stream_next(in, &got), CDOP_OK);
			assert_non_null(got.data);
			assert_int_equal(got.data[0], taken % 251);
			assert_int_equal(got.data[got.len - 1], taken % 251);
			cdop_stream_consume(in);
		}
	}
	cdop_stream_free(out);
	cdop_stream_free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_cut_gives_the_same_messages),
	    cmocka_unit_test(byte_by_byte_a_message_comes_with_its_last),
	    cmocka_unit_test(a_bad_length_is_refused_for_good),
	    cmocka_unit_test(one_mebibyte_is_the_longest),
	    cmocka_unit_test(it_never_holds_more_than_it_may),
	    cmocka_unit_test(what_was_consumed_is_wiped),
	    cmocka_unit_test(a_message_stays_while_more_comes_in),
	    cmocka_unit_test(a_look_ahead_drops_nothing),
	    cmocka_unit_test(a_look_ahead_does_not_pass_what_is_bad),
	    cmocka_unit_test(what_is_sent_is_padded_to_whole_steps),
	    cmocka_unit_test(an_empty_message_is_not_sent),
	    cmocka_unit_test(random_traffic_comes_out_as_it_went_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
