/* Connections: what each way of going wrong is called. */
#include "client/conn.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/frame.h"

/* What the other side does. */
enum deed {
	ANSWERS,    /* handshake, one message, then echoes */
	IS_SEALED,  /* the one-byte hint instead of message 2 */
	HANGS_UP_1, /* after message 1 */
	HANGS_UP_3, /* after message 3 */
	REFUSES_1,  /* says its end and listens on, as a gate does */
	REFUSES_3,
	RESETS_3,
	SAYS_NOTHING, /* after message 1 */
	HAS_OTHER_KEY,
	SENDS_NOISE, /* an undecryptable frame after its message */
	DRIPS,       /* its message, byte by byte */
};

struct server {
	char address[80];
	char path[64];
	int fd;
	pid_t pid;
	uint8_t secret[32], public_key[32], client[32], psk[32];
};

static const uint8_t registry[16] = {7};

static bool
read_all(int fd, uint8_t *out, size_t len)
{
	return recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

static void
send_frame(int fd, const uint8_t *body, size_t len, bool drip)
{
	uint8_t frame[2 + 2048];
	size_t i;

	cdop_frame_head(frame, len);
	memcpy(frame + 2, body, len);
	for (i = 0; drip && i < len + 2; i++)
		(void)!write(fd, frame + i, 1);
	if (!drip)
		(void)!write(fd, frame, len + 2);
}

/* One message sealed, as the vault sends it. */
static void
say(int fd, struct cdop_noise_cipher *tx, const char *text, bool drip)
{
	static uint8_t frame[CDOP_LINK_FRAME_ROOM];
	struct cdop_bytes message = {(const uint8_t *)text, strlen(text)};
	struct cdop_stream *out;
	size_t len, i;

	if (cdop_stream_new(4096, &out) != CDOP_OK ||
	    cdop_stream_put(out, message) != CDOP_OK ||
	    cdop_link_seal(tx, out, frame, &len) != CDOP_OK)
		_exit(3);
	for (i = 0; i < len; i += drip ? 1 : len)
		(void)!write(fd, frame + i, drip ? 1 : len);
	cdop_stream_free(out);
}

static void
hear(int fd, struct cdop_noise_cipher *rx, struct cdop_stream *in)
{
	uint8_t frame[2 + 512 + 16];
	struct cdop_bytes body = {frame + 2, 0};

	if (!read_all(fd, frame, 2))
		_exit(0);
	body.len = cdop_get16(frame);
	if (body.len > sizeof(frame) - 2 ||
	    !read_all(fd, frame + 2, body.len) ||
	    cdop_link_open(rx, body, in) != CDOP_OK)
		_exit(4);
}

static void
talk(int fd, struct cdop_noise *noise, enum deed deed)
{
	uint8_t hash[CDOP_NOISE_HASH_LEN], rubbish[64] = {1};
	struct cdop_noise_cipher tx, rx;
	struct cdop_bytes message;
	struct cdop_stream *in;
	char text[64];

	if (cdop_noise_split(noise, &tx, &rx, hash) != CDOP_OK ||
	    cdop_stream_new(65536, &in) != CDOP_OK)
		_exit(5);
	say(fd, &tx, "welcome", deed == DRIPS);
	if (deed == SENDS_NOISE) {
		send_frame(fd, rubbish, sizeof(rubbish), false);
		(void)sleep(2);
		_exit(0);
	}
	for (;;) {
		hear(fd, &rx, in);
		while (cdop_stream_next(in, &message) == CDOP_OK &&
		    message.data != NULL) {
			memset(text, 0, sizeof(text));
			memcpy(text, "echo ", 5);
			if (message.len < sizeof(text) - 6)
				memcpy(text + 5, message.data, message.len);
			cdop_stream_consume(in);
			say(fd, &tx, text, false);
		}
	}
}

/* Until the other side has closed. */
static void
refuse(int fd)
{
	char c;

	(void)shutdown(fd, SHUT_WR);
	while (read(fd, &c, 1) > 0)
		;
	_exit(0);
}

static void
serve(struct server *s, int fd, enum deed deed)
{
	uint8_t first[CDOP_LINK_FIRST_LEN], third[2 + CDOP_LINK_MESSAGE3_LEN];
	uint8_t psks[CDOP_LINK_PSKS][32], hello[CDOP_LINK_HELLO_LEN];
	uint8_t second[CDOP_LINK_MESSAGE2_LEN], hint = CDOP_LINK_HINT_SEALED;
	struct cdop_bytes message, rest, text;
	struct cdop_link_opening opening;
	struct cdop_link_args args;
	const uint8_t *credential;
	struct cdop_noise noise;
	size_t which;

	if (!read_all(fd, first, sizeof(first)))
		_exit(1);
	if (deed == HANGS_UP_1)
		_exit(0);
	if (deed == REFUSES_1)
		refuse(fd);
	if (deed == IS_SEALED) {
		send_frame(fd, &hint, 1, false);
		(void)sleep(1);
		_exit(0);
	}
	if (deed == SAYS_NOTHING) {
		(void)sleep(3);
		_exit(0);
	}
	memset(&args, 0, sizeof(args));
	args.s = s->secret;
	args.registry = registry;
	args.preamble = first;
	message.data = first + CDOP_LINK_PREAMBLE_LEN + 2;
	message.len = CDOP_LINK_MESSAGE1_LEN;
	if (cdop_link_server(&noise, &args) != CDOP_OK ||
	    cdop_link_read1(&noise, message, &opening) != CDOP_OK ||
	    cdop_link_write2(&noise, second) != CDOP_OK)
		_exit(2);
	if (deed == HAS_OTHER_KEY)
		second[40] ^= 1;
	send_frame(fd, second, sizeof(second), false);
	if (!read_all(fd, third, sizeof(third)) || deed == HANGS_UP_3)
		_exit(0);
	if (deed == RESETS_3)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, 8);
	if (deed == RESETS_3)
		_exit(0);
	if (deed == REFUSES_3)
		refuse(fd);
	message.data = third + 2;
	message.len = CDOP_LINK_MESSAGE3_LEN;
	memset(psks, 9, sizeof(psks));
	memcpy(psks[0], s->psk, 32);
	if (cdop_link_read3_begin(&noise, message, &rest, &credential) !=
		CDOP_OK ||
	    cdop_link_read3_finish(&noise, rest,
		(const uint8_t(*)[CDOP_KEY_LEN])psks, hello, &text,
		&which) != CDOP_OK)
		_exit(0);
	talk(fd, &noise, deed);
}

static int
listen_unix(struct server *s)
{
	struct sockaddr_un addr;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(
	    s->path, sizeof(s->path), "/tmp/cdop-conn-%ld", (long)getpid());
	(void)unlink(s->path);
	memset(&addr, 0, sizeof(addr));
	addr.sun_family = AF_UNIX;
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", s->path);
	(void)snprintf(s->address, sizeof(s->address), "unix:%s", s->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static int
listen_tcp(struct server *s)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	(void)snprintf(s->address, sizeof(s->address), "127.0.0.1:%u",
	    ntohs(addr.sin_port));
	return fd;
}

static void
start(struct server *s, enum deed deed, bool tcp)
{
	int fd;

	memset(s, 0, sizeof(*s));
	assert_int_equal(cdop_secret_init(), CDOP_OK);
	cdop_secret_random(s->secret, 32);
	cdop_secret_random(s->client, 32);
	cdop_secret_random(s->psk, 32);
	cdop_secret_public(s->public_key, s->secret);
	s->fd = tcp ? listen_tcp(s) : listen_unix(s);
	assert_int_equal(listen(s->fd, 4), 0);
	s->pid = fork();
	if (s->pid == 0) {
		fd = accept(s->fd, NULL, NULL);
		serve(s, fd, deed);
		_exit(0);
	}
}

static void
stop(struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)close(s->fd);
	(void)unlink(s->path);
}

static bool gone;

static enum conn_end
open_it(struct server *s, unsigned ms, struct conn **ret_conn)
{
	struct conn_args args;

	memset(&args, 0, sizeof(args));
	args.address = s->address;
	args.link.s = s->client;
	args.link.server = s->public_key;
	args.link.psk = s->psk;
	args.link.registry = registry;
	args.opening.kind = CDOP_LINK_ENROLLED;
	args.hello.data = (const uint8_t *)"hi";
	args.hello.len = 2;
	args.connect_by_ms = conn_now_ms() + ms;
	args.deadline_ms = conn_now_ms() + ms;
	gone = false;
	return conn_open(&args, ret_conn, &gone);
}

static void
ends_over(bool tcp, enum deed deed, unsigned ms, enum conn_end want)
{
	struct conn *conn = NULL;
	struct server s;

	start(&s, deed, tcp);
	assert_int_equal(open_it(&s, ms, &conn), want);
	assert_null(conn);
	stop(&s);
}

static void
ends_as(enum deed deed, unsigned ms, enum conn_end want)
{
	ends_over(false, deed, ms, want);
}

static void
next_is(struct conn *conn, const char *want)
{
	struct cdop_bytes message;

	assert_int_equal(
	    conn_next(conn, conn_now_ms() + 5000, &message), CONN_OK);
	assert_int_equal(message.len, strlen(want));
	assert_memory_equal(message.data, want, message.len);
	conn_done(conn);
}

static void
messages_go_both_ways(void **state)
{
	struct cdop_bytes one = {(const uint8_t *)"one", 3};
	struct cdop_bytes two = {(const uint8_t *)"two", 3};
	struct conn *conn = NULL;
	struct server s;

	(void)state;
	start(&s, ANSWERS, false);
	assert_int_equal(open_it(&s, 5000, &conn), CONN_OK);
	next_is(conn, "welcome");
	assert_int_equal(conn_send(conn, one), CONN_OK);
	assert_int_equal(conn_send(conn, two), CONN_OK);
	next_is(conn, "echo one");
	next_is(conn, "echo two");
	conn_close(conn);
	stop(&s);
}

/* By its number, and by its name where this machine knows one. */
static void
a_name_is_looked_up(void **state)
{
	static const struct addrinfo hints = {.ai_family = AF_INET,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_ADDRCONFIG};
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	struct addrinfo *list;
	struct conn *conn = NULL;
	struct server s;
	char port[8];
	size_t i;

	(void)state;
	if (getaddrinfo("localhost", NULL, &hints, &list) != 0)
		skip();
	freeaddrinfo(list);
	for (i = 0; i < 2; i++) {
		start(&s, ANSWERS, true);
		(void)snprintf(
		    port, sizeof(port), "%s", strchr(s.address, ':') + 1);
		(void)snprintf(
		    s.address, sizeof(s.address), "%s:%s", hosts[i], port);
		assert_int_equal(open_it(&s, 5000, &conn), CONN_OK);
		next_is(conn, "welcome");
		conn_close(conn);
		stop(&s);
	}
}

/* Whoever has many connections waits for all of them at once. */
static void
poll_is(struct conn *conn, const char *want)
{
	struct pollfd fd = {.fd = conn_fd(conn), .events = POLLIN};
	struct cdop_bytes message = {NULL, 0};
	unsigned i;

	for (i = 0; i < 100 && message.data == NULL; i++) {
		if (i > 0)
			assert_int_equal(poll(&fd, 1, 5000), 1);
		assert_int_equal(conn_poll(conn, &message), CONN_OK);
	}
	assert_int_equal(message.len, strlen(want));
	assert_memory_equal(message.data, want, message.len);
	conn_done(conn);
	/* It had no more to say, and that is said at once. */
	assert_int_equal(conn_poll(conn, &message), CONN_OK);
	assert_null(message.data);
}

static void
messages_are_taken_without_waiting(void **state)
{
	struct cdop_bytes one = {(const uint8_t *)"one", 3};
	struct cdop_bytes message;
	struct conn *conn = NULL;
	struct server s;

	(void)state;
	start(&s, ANSWERS, false);
	assert_int_equal(open_it(&s, 5000, &conn), CONN_OK);
	poll_is(conn, "welcome");
	assert_int_equal(conn_send(conn, one), CONN_OK);
	poll_is(conn, "echo one");
	stop(&s);
	assert_int_equal(conn_poll(conn, &message), CONN_CLOSED);
	conn_close(conn);
}

static void
any_cut_is_taken(void **state)
{
	struct conn *conn = NULL;
	struct server s;

	(void)state;
	start(&s, DRIPS, false);
	assert_int_equal(open_it(&s, 5000, &conn), CONN_OK);
	next_is(conn, "welcome");
	conn_close(conn);
	stop(&s);
}

static void
each_end_has_its_name(void **state)
{
	(void)state;
	ends_as(IS_SEALED, 5000, CONN_SEALED);
	ends_as(HANGS_UP_1, 5000, CONN_PIN);
	ends_as(HANGS_UP_3, 5000, CONN_REFUSED);
	ends_as(HAS_OTHER_KEY, 5000, CONN_IMPOSTOR);
	ends_as(SAYS_NOTHING, 200, CONN_TIMEOUT);
}

/* Who refuses says its end and listens on; who died does neither. */
static void
a_refusal_is_no_death(void **state)
{
	bool tcp;

	(void)state;
	for (tcp = false;; tcp = true) {
		ends_over(tcp, REFUSES_1, 5000, CONN_PIN);
		assert_false(gone);
		ends_over(tcp, REFUSES_3, 5000, CONN_REFUSED);
		assert_false(gone);
		if (tcp)
			break;
	}
	ends_as(HANGS_UP_1, 5000, CONN_PIN);
	assert_true(gone);
	ends_as(HANGS_UP_3, 5000, CONN_REFUSED);
	assert_true(gone);
	ends_over(true, RESETS_3, 5000, CONN_REFUSED);
	assert_true(gone);
}

static void
the_wrong_psk_or_server_key_gets_nothing(void **state)
{
	struct conn *conn = NULL;
	struct server s;

	(void)state;
	start(&s, ANSWERS, false);
	s.psk[0] ^= 1;
	assert_int_equal(open_it(&s, 5000, &conn), CONN_REFUSED);
	stop(&s);
	start(&s, ANSWERS, false);
	s.public_key[3] ^= 1;
	assert_int_equal(open_it(&s, 5000, &conn), CONN_PIN);
	assert_null(conn);
	stop(&s);
}

static void
what_does_not_authenticate_ends_it(void **state)
{
	struct cdop_bytes message;
	struct conn *conn = NULL;
	struct server s;

	(void)state;
	start(&s, SENDS_NOISE, false);
	/* The bad frame may come along with the good one. */
	if (open_it(&s, 5000, &conn) == CONN_OK) {
		next_is(conn, "welcome");
		assert_int_equal(
		    conn_next(conn, conn_now_ms() + 5000, &message),
		    CONN_BROKEN);
		conn_close(conn);
	}
	stop(&s);
}

static void
a_dead_registry_ends_the_wait(void **state)
{
	struct cdop_bytes message;
	struct conn *conn = NULL;
	struct server s;

	(void)state;
	start(&s, ANSWERS, false);
	assert_int_equal(open_it(&s, 5000, &conn), CONN_OK);
	next_is(conn, "welcome");
	assert_int_equal(
	    conn_next(conn, conn_now_ms() + 50, &message), CONN_TIMEOUT);
	stop(&s);
	assert_int_equal(
	    conn_next(conn, conn_now_ms() + 5000, &message), CONN_CLOSED);
	conn_close(conn);
}

static void
what_is_no_address_is_said(void **state)
{
	static const char *const bad[] = {
	    "", "host", "host:", ":1", "unix:", "unix"};
	struct conn_args args;
	struct conn *conn = NULL;
	size_t i;

	(void)state;
	memset(&args, 0, sizeof(args));
	args.connect_by_ms = conn_now_ms() + 1000;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		args.address = bad[i];
		assert_int_equal(conn_open(&args, &conn, &gone), CONN_ADDRESS);
	}
	args.address = "unix:/nonexistent/socket";
	assert_int_equal(conn_open(&args, &conn, &gone), CONN_UNREACHABLE);
	args.address = "127.0.0.1:1";
	assert_int_equal(conn_open(&args, &conn, &gone), CONN_UNREACHABLE);
	args.address = "[::1]:1";
	assert_int_equal(conn_open(&args, &conn, &gone), CONN_UNREACHABLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_go_both_ways),
	    cmocka_unit_test(messages_are_taken_without_waiting),
	    cmocka_unit_test(any_cut_is_taken),
	    cmocka_unit_test(each_end_has_its_name),
	    cmocka_unit_test(a_refusal_is_no_death),
	    cmocka_unit_test(the_wrong_psk_or_server_key_gets_nothing),
	    cmocka_unit_test(what_does_not_authenticate_ends_it),
	    cmocka_unit_test(a_dead_registry_ends_the_wait),
	    cmocka_unit_test(what_is_no_address_is_said),
	    cmocka_unit_test(a_name_is_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
