/* One session by itself: a real client on the other end, no cycle, no gate. */
#include "server/cycle/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "cdop/link.h"
#include "cdop/secret.h"
#include "server/registry/people.h"
#include "tests/unit/server/world.h"

static struct world w;

struct fixture {
	struct session *session;
	struct session_server server;
	struct cdop_noise noise;
	struct cdop_noise_cipher tx, rx;
	struct cdop_stream *in, *out;
	uint8_t first[CDOP_LINK_FIRST_LEN];
	uint8_t hash[CDOP_NOISE_HASH_LEN];
};

static struct fixture f;

static int
setup_world(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown_world(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static struct cdop_bytes
bytes_of(const void *data, size_t len)
{
	return (struct cdop_bytes){data, len};
}

/* A client of that device, up to message 1, and the session it speaks to. */
static void
greet(enum world_who who, const struct cdop_link_opening *opening)
{
	struct world_keys keys = world_keys(who);
	uint8_t server[CDOP_KEY_LEN];
	struct cdop_link_args args = {
	    .s = keys.secret,
	    .server = server,
	    .psk = keys.psk,
	    .registry = w.reg->id,
	};

	f.server = (struct session_server){
	    .registry_id = w.reg->id,
	    .secret = {w.reg->link_secret, NULL},
	    .people = w.reg->people,
	    .now_ms = w.now_ms,
	};
	cdop_secret_public(server, w.reg->link_secret);
	assert_int_equal(cdop_link_client(&f.noise, &args), CDOP_OK);
	assert_int_equal(cdop_link_write1(&f.noise, opening, f.first), CDOP_OK);
	assert_int_equal(
	    session_new(w.mem, 7, bytes_of(f.first, CDOP_LINK_PREAMBLE_LEN),
		1000, &f.session),
	    CDOP_OK);
}

static int
setup(void **state)
{
	static const struct cdop_link_opening enrolled = {
	    .kind = CDOP_LINK_ENROLLED};

	(void)state;
	memset(&f, 0, sizeof(f));
	greet(WORLD_COORDINATOR, &enrolled);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	session_free(f.session);
	cdop_stream_free(f.in);
	cdop_stream_free(f.out);
	return 0;
}

static enum cdop_err
message1(void)
{
	uint8_t out[CDOP_LINK_MESSAGE2_LEN];
	enum cdop_err err;

	err = session_message1(f.session, &f.server,
	    bytes_of(
		f.first + CDOP_LINK_PREAMBLE_LEN + 2, CDOP_LINK_MESSAGE1_LEN),
	    out);
	if (err == CDOP_OK)
		assert_int_equal(
		    cdop_link_read2(&f.noise, bytes_of(out, sizeof(out))),
		    CDOP_OK);
	return err;
}

static enum cdop_err
message3(struct cdop_bytes hello)
{
	uint8_t message[CDOP_LINK_MESSAGE3_LEN];

	assert_int_equal(cdop_link_write3(&f.noise, hello, message), CDOP_OK);
	assert_int_equal(
	    cdop_noise_split(&f.noise, &f.tx, &f.rx, f.hash), CDOP_OK);
	assert_int_equal(cdop_stream_new(8u << 20, &f.in), CDOP_OK);
	assert_int_equal(cdop_stream_new(8u << 20, &f.out), CDOP_OK);
	return session_message3(
	    f.session, &f.server, bytes_of(message, sizeof(message)));
}

/* schema_level 1, and a checkpoint of 300 leaves was seen. */
static const uint8_t hello[] = {0x08, 0x01, 0x18, 0xac, 0x02};

static void
open_session(void)
{
	assert_int_equal(message1(), CDOP_OK);
	assert_int_equal(message3(bytes_of(hello, sizeof(hello))), CDOP_OK);
}

/* ---- the handshake ----------------------------------------------------- */

static void
only_our_preamble_makes_a_session(void **state)
{
	uint8_t opening[CDOP_LINK_PREAMBLE_LEN];
	struct session *session = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(opening); i++) {
		cdop_link_preamble(opening);
		opening[i] ^= 1;
		assert_int_not_equal(
		    session_new(w.mem, 1, bytes_of(opening, sizeof(opening)), 0,
			&session),
		    CDOP_OK);
		assert_null(session);
	}
	cdop_link_preamble(opening);
	assert_int_equal(
	    session_new(
		w.mem, 1, bytes_of(opening, sizeof(opening) - 1), 0, &session),
	    CDOP_INVALID_ARGUMENT);
	session_free(NULL);
}

/* The address is as long as a broken gate likes. */
static void
what_the_gate_says_is_cut(void **state)
{
	uint8_t opening[CDOP_LINK_PREAMBLE_LEN + 500];
	struct session *session;

	(void)state;
	memset(opening, 'a', sizeof(opening));
	cdop_link_preamble(opening);
	assert_int_equal(session_new(w.mem, 1,
			     bytes_of(opening, sizeof(opening)), 0, &session),
	    CDOP_OK);
	assert_int_equal(strlen(session->peer.said_by_gate), 95);
	session_free(session);
}

/* It stands in the log: what is no text would be shown to no auditor. */
static void
what_the_gate_says_becomes_text(void **state)
{
	static const uint8_t said[] = "tcp 1\xff\xfe\x1b[2J\n\0\x7f";
	uint8_t opening[CDOP_LINK_PREAMBLE_LEN + sizeof(said) - 1];
	struct session *session;

	(void)state;
	cdop_link_preamble(opening);
	memcpy(opening + CDOP_LINK_PREAMBLE_LEN, said, sizeof(said) - 1);
	assert_int_equal(session_new(w.mem, 1,
			     bytes_of(opening, sizeof(opening)), 0, &session),
	    CDOP_OK);
	assert_string_equal(session->peer.said_by_gate, "tcp 1???[2J???");
	session_free(session);
}

static void
the_handshake_says_who_it_is(void **state)
{
	struct world_keys keys = world_keys(WORLD_COORDINATOR);
	uint8_t id[16], psk_id[16];

	(void)state;
	assert_int_equal(f.session->state, SESSION_WAITS_1);
	assert_int_equal(message1(), CDOP_OK);
	assert_int_equal(f.session->state, SESSION_WAITS_3);
	assert_int_equal(f.session->peer.device, 0);
	assert_int_equal(message3(bytes_of(hello, sizeof(hello))), CDOP_OK);
	assert_int_equal(f.session->state, SESSION_OPENING);
	assert_int_equal(f.session->peer.device, WORLD_COORDINATOR);
	assert_memory_equal(f.session->peer.public_key, keys.public_key, 32);
	assert_memory_equal(f.session->peer.handshake, f.hash, sizeof(f.hash));
	cdop_link_session_id(id, f.hash);
	assert_memory_equal(f.session->peer.session, id, sizeof(id));
	people_psk_id(psk_id, keys.psk);
	assert_memory_equal(f.session->peer.psk_id, psk_id, sizeof(psk_id));
	assert_int_equal(f.session->seen_size, 300);
}

static void
the_next_key_of_the_server_is_refused_where_there_is_none(void **state)
{
	(void)state;
	f.session->server_key = 1;
	assert_int_equal(message1(), CDOP_UNAUTHENTICATED);
}

static void
a_revoked_device_is_as_unknown_as_a_strange_key(void **state)
{
	static const struct cdop_link_opening enrolled = {
	    .kind = CDOP_LINK_ENROLLED};

	static const enum world_who who[] = {WORLD_REVOKED, WORLD_N};

	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		(void)teardown(NULL);
		memset(&f, 0, sizeof(f));
		greet(who[i], &enrolled);
		assert_int_equal(message1(), CDOP_OK);
		assert_int_equal(message3(bytes_of(hello, sizeof(hello))),
		    CDOP_UNAUTHENTICATED);
		assert_int_equal(f.session->peer.device, 0);
	}
}

/* An invitation's id that nobody has looks like one that is used up. */
static void
an_unknown_invitation_gets_to_message_3_and_no_further(void **state)
{
	struct cdop_link_opening opening = {.kind = CDOP_LINK_INVITATION};

	(void)state;
	(void)teardown(NULL);
	memset(&f, 0, sizeof(f));
	memset(opening.invitation, 0xee, sizeof(opening.invitation));
	greet(WORLD_COORDINATOR, &opening);
	assert_int_equal(message1(), CDOP_OK);
	assert_int_equal(
	    message3(bytes_of(hello, sizeof(hello))), CDOP_UNAUTHENTICATED);
}

static void
a_hello_that_is_none_is_refused(void **state)
{
	static const uint8_t junk[] = {0xff, 0xff, 0xff};

	(void)state;
	assert_int_equal(message1(), CDOP_OK);
	assert_int_not_equal(message3(bytes_of(junk, sizeof(junk))), CDOP_OK);
}

/* ---- the stream -------------------------------------------------------- */

static void
calls_come_out_whole_and_in_order(void **state)
{
	static uint8_t room[CDOP_LINK_FRAME_ROOM], large[100000];
	static const size_t lens[] = {1, 100000, 300};
	struct cdop_bytes message;
	size_t i, len;

	(void)state;
	open_session();
	memset(large, 'x', sizeof(large));
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    cdop_stream_put(f.out, bytes_of(large, lens[i])), CDOP_OK);
	for (i = 0; i < 3;) {
		assert_int_equal(
		    cdop_link_seal(&f.tx, f.out, room, &len), CDOP_OK);
		if (len > 0)
			assert_int_equal(session_frame(f.session,
					     bytes_of(room + 2, len - 2)),
			    CDOP_OK);
		assert_int_equal(session_next(f.session, &message), CDOP_OK);
		session_note_partial(f.session, 5000 + i);
		if (message.data == NULL) {
			assert_true(f.session->partial_ms >= 5000);
			continue;
		}
		assert_int_equal(f.session->partial_ms, 0);
		assert_int_equal(message.len, lens[i]);
		assert_memory_equal(message.data, large, message.len);
		session_consume(f.session);
		i++;
	}
	assert_int_equal(session_next(f.session, &message), CDOP_OK);
	assert_null(message.data);
	session_note_partial(f.session, 9000);
	assert_int_equal(f.session->partial_ms, 0);
}

/* One frame of len bytes, nothing but `fill`. */
static enum cdop_err
frame_of(uint8_t fill, size_t len)
{
	static uint8_t plain[CDOP_FRAME_MAX], sealed[CDOP_FRAME_MAX];

	memset(plain, fill, len - CDOP_TAG_LEN);
	assert_int_equal(
	    cdop_noise_seal(&f.tx, bytes_of(plain, len - CDOP_TAG_LEN), sealed),
	    CDOP_OK);
	return session_frame(f.session, bytes_of(sealed, len));
}

static void
a_partial_call_keeps_the_time_it_began(void **state)
{
	(void)state;
	open_session();
	assert_int_equal(frame_of(100, 100), CDOP_OK); /* one of 100 begins */
	session_note_partial(f.session, 5000);
	assert_int_equal(frame_of(100, 20), CDOP_OK);
	session_note_partial(f.session, 6000);
	assert_int_equal(f.session->partial_ms, 5000);
}

static void
frames_are_taken_in_steps_and_not_over_the_window(void **state)
{
	size_t i;

	(void)state;
	open_session();
	/* Of padding nothing is held, and still it is counted. */
	for (i = 1; i < 32; i++) {
		assert_int_equal(frame_of(0, 1024), CDOP_OK);
		assert_int_equal(session_taken(f.session), 0);
	}
	assert_int_equal(frame_of(0, 1024), CDOP_OK);
	assert_int_equal(session_taken(f.session), 32768);
	assert_int_equal(session_taken(f.session), 0);

	for (i = 0; i < 2; i++)
		assert_int_equal(frame_of(0, CDOP_FRAME_MAX), CDOP_OK);
	assert_int_equal(frame_of(0, 17), CDOP_RESOURCE_EXHAUSTED);
}

/* A call of 1 MiB becomes whole, however it is cut; then it comes first. */
static void
nothing_is_taken_behind_a_whole_call(void **state)
{
	static const size_t lens[] = {1, 1000, CDOP_FRAME_MAX - CDOP_TAG_LEN};
	static uint8_t large[2 * CDOP_MESSAGE_MAX], sealed[CDOP_FRAME_MAX];
	struct cdop_bytes message;
	size_t i, len, came = 0;

	(void)state;
	open_session();
	memset(large, 'x', sizeof(large));
	memcpy(large, "\x80\x80\x40", 3); /* 1 MiB, then the next call */
	for (i = 0;; i++) {
		len = lens[i % 3];
		(void)session_taken(f.session);
		if (f.session->untold + len + CDOP_TAG_LEN > CDOP_GATE_WINDOW)
			break; /* as a gate that keeps to it */
		assert_int_equal(
		    cdop_noise_seal(&f.tx, bytes_of(large + came, len), sealed),
		    CDOP_OK);
		assert_int_equal(session_frame(f.session,
				     bytes_of(sealed, len + CDOP_TAG_LEN)),
		    CDOP_OK);
		came += len;
	}
	assert_int_equal(session_next(f.session, &message), CDOP_OK);
	assert_int_equal(message.len, CDOP_MESSAGE_MAX);
	assert_true(came > CDOP_MESSAGE_MAX + 3);
	assert_int_equal(session_taken(f.session), 0);
	session_consume(f.session);
	assert_true(session_taken(f.session) > 0);
}

static void
replies_are_sealed_frame_by_frame(void **state)
{
	static uint8_t room[CDOP_LINK_FRAME_ROOM], large[200000];
	struct cdop_bytes frame, message;
	size_t n = 0;

	(void)state;
	open_session();
	memset(large, 'y', sizeof(large));
	assert_int_equal(
	    session_put(f.session, bytes_of(large, sizeof(large))), CDOP_OK);
	assert_true(session_queued(f.session) > sizeof(large));
	for (;; n++) {
		assert_int_equal(
		    session_seal(f.session, room, &frame), CDOP_OK);
		if (frame.len == 0)
			break;
		assert_int_equal(cdop_link_open(&f.rx, frame, f.in), CDOP_OK);
	}
	assert_int_equal(n, 4);
	assert_int_equal(session_queued(f.session), 0);
	assert_int_equal(cdop_stream_next(f.in, &message), CDOP_OK);
	assert_int_equal(message.len, sizeof(large));
	assert_memory_equal(message.data, large, sizeof(large));
}

static void
a_frame_twice_ends_the_session(void **state)
{
	static uint8_t room[CDOP_LINK_FRAME_ROOM];
	size_t len;

	(void)state;
	open_session();
	assert_int_equal(cdop_stream_put(f.out, bytes_of("abc", 3)), CDOP_OK);
	assert_int_equal(cdop_link_seal(&f.tx, f.out, room, &len), CDOP_OK);
	assert_int_equal(
	    session_frame(f.session, bytes_of(room + 2, len - 2)), CDOP_OK);
	assert_int_equal(session_frame(f.session, bytes_of(room + 2, len - 2)),
	    CDOP_UNAUTHENTICATED);
}

static void
more_is_kept_oldest_first(void **state)
{
	struct dispatch_result result = {0};
	struct session_more *more;
	uint8_t message[4] = {0};
	uint8_t i;

	(void)state;
	assert_null(session_more_take(f.session, 0));
	for (i = 1; i <= 3; i++) {
		message[0] = i;
		result.next.at = i;
		result.next.given = 10u * i;
		result.stream_count = 100u * i;
		assert_int_equal(
		    session_more_add(f.session,
			bytes_of(message, sizeof(message)), &result, 0),
		    CDOP_OK);
	}
	for (i = 1; i <= 2; i++) {
		more = session_more_take(f.session, 0);
		assert_non_null(more);
		assert_int_equal(more->len, sizeof(message));
		assert_int_equal(more->message[0], i);
		assert_int_equal(more->cursor.at, i);
		assert_int_equal(more->cursor.given, 10u * i);
		assert_int_equal(more->count, 100u * i);
		session_more_free(more);
	}
	/* The third goes with the session. */
}

static void
one_that_pauses_does_not_hold_up_the_others(void **state)
{
	const struct session_more *next;
	struct dispatch_result result = {.next = {.at = 1, .pause = true}};
	uint8_t message[4] = {0};

	(void)state;
	assert_int_equal(session_more_add(f.session,
			     bytes_of(message, sizeof(message)), &result, 5000),
	    CDOP_OK);
	assert_null(session_more_next(f.session, 5999));
	result.next = (struct rpc_cursor){.at = 2};
	assert_int_equal(session_more_add(f.session,
			     bytes_of(message, sizeof(message)), &result, 5000),
	    CDOP_OK);
	assert_int_equal(session_more_next(f.session, 5000)->cursor.at, 2);
	assert_int_equal(session_more_next(f.session, 6000)->cursor.at, 1);
	session_more_free(session_more_take(f.session, 5000));
	next = session_more_next(f.session, 6000);
	assert_non_null(next);
	assert_int_equal(next->cursor.at, 1);
	assert_int_equal(f.session->n_more, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(only_our_preamble_makes_a_session),
	    TEST(what_the_gate_says_is_cut),
	    TEST(what_the_gate_says_becomes_text),
	    TEST(the_handshake_says_who_it_is),
	    TEST(the_next_key_of_the_server_is_refused_where_there_is_none),
	    TEST(a_revoked_device_is_as_unknown_as_a_strange_key),
	    TEST(an_unknown_invitation_gets_to_message_3_and_no_further),
	    TEST(a_hello_that_is_none_is_refused),
	    TEST(calls_come_out_whole_and_in_order),
	    TEST(a_partial_call_keeps_the_time_it_began),
	    TEST(frames_are_taken_in_steps_and_not_over_the_window),
	    TEST(nothing_is_taken_behind_a_whole_call),
	    TEST(replies_are_sealed_frame_by_frame),
	    TEST(a_frame_twice_ends_the_session),
	    TEST(more_is_kept_oldest_first),
	    TEST(one_that_pauses_does_not_hold_up_the_others),
	};

	return cmocka_run_group_tests(tests, setup_world, teardown_world);
}
