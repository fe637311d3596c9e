/* PROTOCOL.md against the program: its tables and its worked handshake. */
#include <stdlib.h>

#include "cdop/compare.h"
#include "cdop/frame.h"
#include "cdop/limits.h"
#include "cdop/scan.h"
#include "cdop/secret.h"
#include "tests/unit/paper.h"
#include "tests/unit/proto/pair.h"

#define PAGE      "proto/PROTOCOL.md"
#define VALUE_MAX 1024

static char *page;

static int
setup(void **state)
{
	(void)state;
	page = paper_read(PAGE);
	return cdop_secret_init() != CDOP_OK ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(page);
	return 0;
}

/* ---- tables ------------------------------------------------------------ */

static void
expect_line(const char *line)
{
	if (strstr(page, line) == NULL)
		fail_msg("not in " PAGE ": %s", line);
}

static void
limits_are_the_programs(void **state)
{
	static const struct {
		const char *words;
		unsigned long value;
	} rows[] = {
	    {"seconds from the preamble to message 3", CDOP_HANDSHAKE_S},
	    {"seconds from the first byte of a call to its last",
		CDOP_REQUEST_S},
	    {"seconds in which nothing is said, then the session is "
	     "closed",
		CDOP_IDLE_S},
	    {"seconds after which no new call is taken", CDOP_SESSION_S},
	    {"seconds after which the session is closed", CDOP_SESSION_HARD_S},
	    {"calls in flight on one session", CDOP_PIPELINE_MAX},
	    {"longest deadline a call may ask for, milliseconds",
		CDOP_DEADLINE_MS_MAX},
	    {"bytes of a frame", CDOP_FRAME_MAX},
	    {"bytes of a message", CDOP_MESSAGE_MAX},
	    {"bytes that the plaintext of a frame is a multiple of",
		CDOP_PAD_STEP},
	};

	char line[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(line, sizeof(line), "\n| %s | %lu |\n",
		    rows[i].words, rows[i].value);
		expect_line(line);
	}
	(void)snprintf(line, sizeof(line), "more than %d messages within",
	    CDOP_SCAN_DEPTH_MAX);
	expect_line(line);
	(void)snprintf(
	    line, sizeof(line), "more than %d entries", CDOP_SCAN_REPEAT_MAX);
	expect_line(line);
	(void)snprintf(
	    line, sizeof(line), "more than %d fields", CDOP_SCAN_FIELDS_MAX);
	expect_line(line);
}

static void
frames_are_as_long_as_it_says(void **state)
{
	char line[64];

	(void)state;
	(void)snprintf(line, sizeof(line), "\n| 1 | client | %d | %d,",
	    CDOP_LINK_FRAME1_LEN, CDOP_LINK_MESSAGE1_LEN);
	expect_line(line);
	(void)snprintf(line, sizeof(line), "\n| 2 | server | %d | %d |",
	    CDOP_LINK_MESSAGE2_LEN, CDOP_LINK_MESSAGE2_LEN);
	expect_line(line);
	(void)snprintf(line, sizeof(line),
	    "\n| 3 | client | %d | %d | %d:", CDOP_LINK_MESSAGE3_LEN,
	    CDOP_LINK_MESSAGE3_LEN, CDOP_LINK_HELLO_LEN);
	expect_line(line);
	(void)snprintf(line, sizeof(line), "`Hello` of at most %d bytes",
	    CDOP_LINK_HELLO_MAX);
	expect_line(line);
}

/* The word that begins at text and ends before the first end. */
static void
word_at(const char *text, char end, char word[static 32])
{
	size_t i;

	for (i = 0; i < 31 && text[i] != end; i++)
		word[i] = text[i];
	word[i] = '\0';
}

/* Each "wire.x" of the scanner has a row, and no row is left over. */
static void
every_rule_of_the_scanner_has_its_row(void **state)
{
	char word[32], row[64], *source, *at;
	size_t rows;

	(void)state;
	source = paper_read("proto/scan.c");
	for (at = source; (at = strstr(at, "\"wire.")) != NULL; at++) {
		word_at(at + 1, '"', word);
		(void)snprintf(row, sizeof(row), "\n| `%s` |", word);
		expect_line(row);
	}
	rows = 0;
	for (at = page; (at = strstr(at, "\n| `wire.")) != NULL; at++) {
		word_at(at + 4, '`', word);
		(void)snprintf(row, sizeof(row), "\"%s\"", word);
		if (strstr(source, row) == NULL)
			fail_msg("not in the scanner: %s", row);
		rows++;
	}
	assert_true(rows >= 17);
	free(source);
}

/* ---- the worked handshake ---------------------------------------------- */

struct value {
	uint8_t data[VALUE_MAX];
	size_t len;
};

/* The hex behind "name:" in the last section. */
static void
value(const char *name, struct value *ret_value)
{
	char hex[2 * VALUE_MAX + 1], head[64];
	const char *at;
	size_t n;

	(void)snprintf(head, sizeof(head), "\n%s:\n    ", name);
	at = strstr(page, "\n## Worked handshake");
	assert_non_null(at);
	at = strstr(at, head);
	if (at == NULL)
		fail_msg("no %s in " PAGE, name);
	at += strlen(head);
	/* Lines of four blanks and hex; the first other line ends it. */
	for (n = 0; n < sizeof(hex) - 1;) {
		if (strncmp(at, "\n    ", 5) == 0)
			at += 5;
		else if (*at == ' ')
			at++;
		else if (*at != '\0' && strchr("0123456789abcdef", *at) != NULL)
			hex[n++] = *at++;
		else
			break;
	}
	hex[n] = '\0';
	ret_value->len = n / 2;
	unhex(hex, ret_value->data, n / 2);
}

static void
expect_hex(const char *name, const void *data, size_t len)
{
	struct value want;

	value(name, &want);
	assert_int_equal(want.len, len);
	assert_memory_equal(want.data, data, len);
}

static void
the_keys_are_the_ones_the_page_names(void **state)
{
	struct pair_keys keys;

	(void)state;
	pair_keys(&keys);
	expect_hex("client static secret", keys.client_s, CDOP_KEY_LEN);
	expect_hex("client static public", keys.client, CDOP_KEY_LEN);
	expect_hex("server static secret", keys.server_s, CDOP_KEY_LEN);
	expect_hex("server static public", keys.server, CDOP_KEY_LEN);
	expect_hex("client ephemeral secret", keys.client_e, CDOP_KEY_LEN);
	expect_hex("server ephemeral secret", keys.server_e, CDOP_KEY_LEN);
	expect_hex("psk", keys.psk, CDOP_KEY_LEN);
	expect_hex("registry id", keys.registry, CDOP_LINK_REGISTRY_LEN);
}

/* A frame: its length, and the body. */
static void
expect_frame(const char *name, const uint8_t *body, size_t len)
{
	uint8_t frame[CDOP_FRAME_HEAD + VALUE_MAX];

	assert_true(len <= VALUE_MAX);
	cdop_frame_head(frame, len);
	memcpy(frame + CDOP_FRAME_HEAD, body, len);
	expect_hex(name, frame, CDOP_FRAME_HEAD + len);
}

/* The three frames and the split. */
static void
run_worked(struct pair *pair)
{
	struct cdop_link_opening opening = {.kind = CDOP_LINK_ENROLLED};
	uint8_t first[CDOP_LINK_FIRST_LEN], hash[CDOP_NOISE_HASH_LEN];
	struct value hello;

	pair_init(pair);
	assert_int_equal(
	    cdop_link_write1(&pair->client, &opening, first), CDOP_OK);
	expect_hex("first bytes of the client", first, sizeof(first));
	assert_int_equal(
	    pair_read(pair, 0, first + 10, CDOP_LINK_MESSAGE1_LEN), CDOP_OK);

	assert_int_equal(
	    cdop_link_write2(&pair->server, pair->message[1]), CDOP_OK);
	expect_frame(
	    "frame of message 2", pair->message[1], CDOP_LINK_MESSAGE2_LEN);
	assert_int_equal(
	    pair_read(pair, 1, pair->message[1], CDOP_LINK_MESSAGE2_LEN),
	    CDOP_OK);

	value("hello", &hello);
	assert_int_equal(
	    cdop_link_write3(&pair->client,
		(struct cdop_bytes){hello.data, hello.len}, pair->message[2]),
	    CDOP_OK);
	expect_frame(
	    "frame of message 3", pair->message[2], CDOP_LINK_MESSAGE3_LEN);
	assert_int_equal(
	    pair_read(pair, 2, pair->message[2], CDOP_LINK_MESSAGE3_LEN),
	    CDOP_OK);
	assert_int_equal(cdop_noise_split(&pair->client, &pair->client_tx,
			     &pair->client_rx, pair->hash),
	    CDOP_OK);
	assert_int_equal(cdop_noise_split(&pair->server, &pair->server_tx,
			     &pair->server_rx, hash),
	    CDOP_OK);
}

static void
the_worked_handshake_is_what_the_program_does(void **state)
{
	struct pair pair;

	(void)state;
	run_worked(&pair);
	expect_hex("handshake hash", pair.hash, sizeof(pair.hash));
}

static void
expect_sent(
    struct cdop_noise_cipher *tx, const char *message, const char *frame)
{
	static uint8_t out[CDOP_LINK_FRAME_ROOM];
	struct cdop_stream *stream;
	struct value plain;
	size_t len;

	value(message, &plain);
	assert_int_equal(cdop_stream_new(CDOP_MESSAGE_MAX, &stream), CDOP_OK);
	assert_int_equal(
	    cdop_stream_put(stream, (struct cdop_bytes){plain.data, plain.len}),
	    CDOP_OK);
	assert_int_equal(cdop_link_seal(tx, stream, out, &len), CDOP_OK);
	expect_hex(frame, out, len);
	cdop_stream_free(stream);
}

static void
the_first_frames_of_the_stream_are_what_it_sends(void **state)
{
	struct pair pair;

	(void)state;
	run_worked(&pair);
	expect_sent(&pair.client_tx, "call", "first frame of the client");
	expect_sent(&pair.server_tx, "welcome", "first frame of the server");
}

static void
what_is_derived_is_what_it_derives(void **state)
{
	uint8_t id[CDOP_LINK_SESSION_LEN], next[CDOP_KEY_LEN];
	uint8_t bytes[CDOP_COMPARE_LEN];
	char text[CDOP_COMPARE_TEXT], quoted[CDOP_COMPARE_TEXT + 3];
	struct value client, server;
	struct pair pair;

	(void)state;
	run_worked(&pair);
	cdop_link_session_id(id, pair.hash);
	expect_hex("session id", id, sizeof(id));
	cdop_compare_bytes(bytes, pair.hash);
	expect_hex("comparison bytes", bytes, sizeof(bytes));
	cdop_compare_text(text, bytes);
	(void)snprintf(quoted, sizeof(quoted), "`%s`", text);
	expect_line(quoted);
	value("client random", &client);
	value("server random", &server);
	cdop_link_psk_next(
	    next, pair.keys.psk, client.data, server.data, pair.hash);
	expect_hex("next psk", next, sizeof(next));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(limits_are_the_programs),
	    cmocka_unit_test(frames_are_as_long_as_it_says),
	    cmocka_unit_test(every_rule_of_the_scanner_has_its_row),
	    cmocka_unit_test(the_keys_are_the_ones_the_page_names),
	    cmocka_unit_test(the_worked_handshake_is_what_the_program_does),
	    cmocka_unit_test(the_first_frames_of_the_stream_are_what_it_sends),
	    cmocka_unit_test(what_is_derived_is_what_it_derives),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
