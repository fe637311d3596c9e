/* Sockets and the Noise session on them, with absolute deadlines. */
#include "client/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cdop/frame.h"
#include "cdop/limits.h"
#include "client/term.h"

#define RAW_MAX    (CDOP_FRAME_HEAD + CDOP_FRAME_MAX)
#define STREAM_MAX ((size_t)8 << 20)

#define TELL_FIRST_MS 1000
#define TELL_AGAIN_MS 30000

struct conn {
	int fd;
	struct cdop_noise noise;
	struct cdop_noise_cipher tx, rx;
	uint8_t hash[CDOP_NOISE_HASH_LEN];
	struct cdop_stream *in, *out;
	size_t raw_len;
	size_t frame_len, frame_pos;
	/* Sealed, both: from here on nothing is cleared or wiped. */
	uint8_t raw[RAW_MAX]; /* received, not yet a whole frame */
	uint8_t frame[CDOP_LINK_FRAME_ROOM]; /* being sent */
};

uint64_t
conn_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct {
	conn_wait_fn *fn;
	void *arg;
} on_wait;

void
conn_on_wait(conn_wait_fn *fn, void *arg)
{
	on_wait.fn = fn;
	on_wait.arg = arg;
}

/* Waits for events until the deadline, or till somebody stops us. */
static enum conn_end
wait_for(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	uint64_t now = conn_now_ms(), tell = now + TELL_FIRST_MS, until;
	int n;

	for (;; now = conn_now_ms()) {
		if (now >= deadline_ms || term_is_stopped())
			return CONN_TIMEOUT;
		if (now >= tell) {
			tell = now + TELL_AGAIN_MS;
			if (on_wait.fn != NULL)
				on_wait.fn(on_wait.arg);
		}
		until = tell < deadline_ms ? tell : deadline_ms;
		n = poll(&p, 1, (int)(until - now));
		if (n > 0)
			return CONN_OK;
		if (n < 0 && errno != EINTR)
			return CONN_CLOSED;
	}
}

/* ---- connecting -------------------------------------------------- */

static enum conn_end
connect_one(const struct sockaddr *addr, socklen_t len, uint64_t deadline_ms,
    int *ret_fd)
{
	socklen_t size = sizeof(int);
	enum conn_end end;
	int fd, one = 1, error = 0;

	fd = socket(
	    addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return CONN_UNREACHABLE;
	end = CONN_OK;
	if (connect(fd, addr, len) != 0) {
		end = errno == EINPROGRESS || errno == EINTR
		    ? wait_for(fd, POLLOUT, deadline_ms)
		    : CONN_UNREACHABLE;
		if (end == CONN_OK &&
		    (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
			error != 0))
			end = CONN_UNREACHABLE;
	}
	if (end != CONN_OK) {
		(void)close(fd);
		return CONN_UNREACHABLE;
	}
	if (addr->sa_family != AF_UNIX)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*ret_fd = fd;
	return CONN_OK;
}

static enum conn_end
connect_unix(const char *path, uint64_t deadline_ms, int *ret_fd)
{
	struct sockaddr_un addr;
	size_t len = strlen(path);

	memset(&addr, 0, sizeof(addr));
	addr.sun_family = AF_UNIX;
	if (len == 0 || len >= sizeof(addr.sun_path))
		return CONN_ADDRESS;
	memcpy(addr.sun_path, path, len);
	return connect_one(
	    (struct sockaddr *)&addr, sizeof(addr), deadline_ms, ret_fd);
}

/* "host:port" or "[::1]:port" into its parts. */
static bool
split_address(const char *address, char *host, size_t max, const char **port)
{
	const char *end = strrchr(address, ':');
	size_t len;

	if (end == NULL || end[1] == '\0')
		return false;
	len = (size_t)(end - address);
	*port = end + 1;
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (len == 0 || len >= max)
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	return true;
}

/* Only for a name has the system to be asked. */
static struct addrinfo *
look_up(const char *host, const char *port)
{
	struct addrinfo hints, *list;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(host, port, &hints, &list) == 0)
		return list;
	hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
	return getaddrinfo(host, port, &hints, &list) == 0 ? list : NULL;
}

static enum conn_end
connect_tcp(const char *address, uint64_t deadline_ms, int *ret_fd)
{
	struct addrinfo *list, *a;
	enum conn_end end = CONN_UNREACHABLE;
	const char *port;
	char host[256];

	if (!split_address(address, host, sizeof(host), &port))
		return CONN_ADDRESS;
	if ((list = look_up(host, port)) == NULL)
		return CONN_UNREACHABLE;
	for (a = list; a != NULL && end != CONN_OK; a = a->ai_next)
		end =
		    connect_one(a->ai_addr, a->ai_addrlen, deadline_ms, ret_fd);
	freeaddrinfo(list);
	return end;
}

/* ---- bytes ------------------------------------------------------- */

static enum conn_end
write_all(int fd, const uint8_t *data, size_t len, uint64_t deadline_ms)
{
	enum conn_end end;
	ssize_t n;

	while (len > 0) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return CONN_CLOSED;
		end = wait_for(fd, POLLOUT, deadline_ms);
		if (end != CONN_OK)
			return end;
	}
	return CONN_OK;
}

/* Takes what is there; CONN_OK also when that is nothing. */
static enum conn_end
read_some(struct conn *conn)
{
	ssize_t n;

	if (conn->raw_len == sizeof(conn->raw))
		return CONN_OK;
	do
		n = recv(conn->fd, conn->raw + conn->raw_len,
		    sizeof(conn->raw) - conn->raw_len, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		conn->raw_len += (size_t)n;
		return CONN_OK;
	}
	return n < 0 && errno == EAGAIN ? CONN_OK : CONN_CLOSED;
}

static void
drop_raw(struct conn *conn, size_t used)
{
	memmove(conn->raw, conn->raw + used, conn->raw_len - used);
	conn->raw_len -= used;
}

/* ---- the handshake ----------------------------------------------- */

static enum conn_end
read_message2(struct conn *conn, uint64_t deadline_ms)
{
	struct cdop_bytes raw = {conn->raw, 0};
	struct cdop_frame frame = {{NULL, 0}, 0, 0};
	enum conn_end end;
	enum cdop_err err;

	while (frame.used == 0) {
		end = wait_for(conn->fd, POLLIN, deadline_ms);
		if (end != CONN_OK)
			return end;
		if (read_some(conn) != CONN_OK)
			return CONN_PIN;
		raw.len = conn->raw_len;
		err = cdop_frame_peek(raw, CDOP_LINK_MESSAGE2_LEN, &frame);
		if (err != CDOP_OK)
			return CONN_IMPOSTOR;
	}
	err = cdop_link_read2(&conn->noise, frame.body);
	drop_raw(conn, frame.used);
	if (err == CDOP_UNAVAILABLE)
		return CONN_SEALED;
	return err == CDOP_OK ? CONN_OK : CONN_IMPOSTOR;
}

static enum conn_end
handshake(struct conn *conn, const struct conn_args *args)
{
	uint8_t first[CDOP_LINK_FIRST_LEN];
	uint8_t third[CDOP_FRAME_HEAD + CDOP_LINK_MESSAGE3_LEN];
	enum conn_end end;

	if (cdop_link_client(&conn->noise, &args->link) != CDOP_OK ||
	    cdop_link_write1(&conn->noise, &args->opening, first) != CDOP_OK)
		return CONN_IMPOSTOR;
	end = write_all(conn->fd, first, sizeof(first), args->deadline_ms);
	if (end != CONN_OK)
		return end == CONN_CLOSED ? CONN_PIN : end;
	end = read_message2(conn, args->deadline_ms);
	if (end != CONN_OK)
		return end;
	cdop_frame_head(third, CDOP_LINK_MESSAGE3_LEN);
	if (cdop_link_write3(
		&conn->noise, args->hello, third + CDOP_FRAME_HEAD) != CDOP_OK)
		return CONN_IMPOSTOR;
	end = write_all(conn->fd, third, sizeof(third), args->deadline_ms);
	if (end != CONN_OK)
		return end == CONN_CLOSED ? CONN_REFUSED : end;
	if (cdop_noise_split(&conn->noise, &conn->tx, &conn->rx, conn->hash) !=
	    CDOP_OK)
		return CONN_IMPOSTOR;
	return CONN_OK;
}

static enum conn_end
open_socket(const struct conn_args *args, int *ret_fd)
{
	if (strncmp(args->address, "unix:", 5) == 0)
		return connect_unix(
		    args->address + 5, args->connect_by_ms, ret_fd);
	return connect_tcp(args->address, args->connect_by_ms, ret_fd);
}

/* Nobody is there any more, in either direction. */
static bool
is_gone(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

enum conn_end
conn_open(const struct conn_args *args, struct conn **ret_conn, bool *ret_gone)
{
	struct cdop_bytes first;
	struct conn *conn;
	enum conn_end end;

	conn = malloc(sizeof(*conn));
	if (conn == NULL)
		return CONN_MEMORY;
	memset(conn, 0, offsetof(struct conn, raw));
	conn->fd = -1;
	end = CONN_MEMORY;
	if (cdop_stream_new(STREAM_MAX, &conn->in) != CDOP_OK ||
	    cdop_stream_new(STREAM_MAX, &conn->out) != CDOP_OK)
		goto out;
	if ((end = open_socket(args, &conn->fd)) != CONN_OK)
		goto out;
	if ((end = handshake(conn, args)) != CONN_OK)
		goto out;
	end = conn_next(conn, args->deadline_ms, &first);
	if (end != CONN_OK) {
		end = end == CONN_CLOSED ? CONN_REFUSED : end;
		goto out;
	}
	*ret_conn = conn;
	conn = NULL; /* caller's */
out:
	if (end == CONN_PIN || end == CONN_REFUSED)
		*ret_gone = is_gone(conn->fd);
	conn_close(conn);
	return end;
}

void
conn_close(struct conn *conn)
{
	if (conn == NULL)
		return;
	if (conn->fd >= 0)
		(void)close(conn->fd);
	cdop_stream_free(conn->in);
	cdop_stream_free(conn->out);
	cdop_secret_wipe(conn, offsetof(struct conn, raw));
	free(conn);
}

const uint8_t *
conn_hash(const struct conn *conn)
{
	return conn->hash;
}

int
conn_fd(const struct conn *conn)
{
	return conn->fd;
}

/* ---- messages ---------------------------------------------------- */

/* Every whole frame of raw into the stream. */
static enum conn_end
open_frames(struct conn *conn)
{
	struct cdop_frame frame;
	struct cdop_bytes raw;

	for (;;) {
		raw.data = conn->raw;
		raw.len = conn->raw_len;
		if (cdop_frame_peek(raw, CDOP_FRAME_MAX, &frame) != CDOP_OK)
			return CONN_BROKEN;
		if (frame.used == 0)
			return CONN_OK;
		if (cdop_link_open(&conn->rx, frame.body, conn->in) != CDOP_OK)
			return CONN_BROKEN;
		drop_raw(conn, frame.used);
	}
}

/* Seals and sends as long as the socket takes it. */
static enum conn_end
flush_out(struct conn *conn)
{
	ssize_t n;

	for (;;) {
		if (conn->frame_pos == conn->frame_len) {
			conn->frame_pos = 0;
			if (cdop_link_seal(&conn->tx, conn->out, conn->frame,
				&conn->frame_len) != CDOP_OK)
				return CONN_BROKEN;
			if (conn->frame_len == 0)
				return CONN_OK;
		}
		n = send(conn->fd, conn->frame + conn->frame_pos,
		    conn->frame_len - conn->frame_pos, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return CONN_OK;
		if (n < 0 && errno != EINTR)
			return CONN_CLOSED;
		if (n > 0)
			conn->frame_pos += (size_t)n;
	}
}

static bool
has_output(const struct conn *conn)
{
	return conn->frame_pos < conn->frame_len ||
	    cdop_stream_held(conn->out) > 0;
}

enum conn_end
conn_send(struct conn *conn, struct cdop_bytes message)
{
	if (cdop_stream_put(conn->out, message) != CDOP_OK)
		return CONN_MEMORY;
	return flush_out(conn);
}

static enum conn_end
take(struct conn *conn, struct cdop_bytes *ret_message)
{
	return cdop_stream_next(conn->in, ret_message) == CDOP_OK ? CONN_OK
								  : CONN_BROKEN;
}

enum conn_end
conn_next(
    struct conn *conn, uint64_t deadline_ms, struct cdop_bytes *ret_message)
{
	enum conn_end end, got;
	short events;

	for (;;) {
		if ((end = take(conn, ret_message)) != CONN_OK)
			return end;
		if (ret_message->data != NULL)
			return CONN_OK;
		events = (short)(POLLIN | (has_output(conn) ? POLLOUT : 0));
		end = wait_for(conn->fd, events, deadline_ms);
		if (end != CONN_OK)
			return end;
		end = flush_out(conn);
		/* What arrived before the end still counts. */
		got = read_some(conn);
		if (open_frames(conn) != CONN_OK)
			return CONN_BROKEN;
		if (got == CONN_OK && end == CONN_OK)
			continue;
		if ((end = take(conn, ret_message)) != CONN_OK)
			return end;
		return ret_message->data != NULL ? CONN_OK : CONN_CLOSED;
	}
}

enum conn_end
conn_poll(struct conn *conn, struct cdop_bytes *ret_message)
{
	enum conn_end end;

	if ((end = take(conn, ret_message)) != CONN_OK ||
	    ret_message->data != NULL)
		return end;
	if ((end = flush_out(conn)) != CONN_OK)
		return end;
	end = read_some(conn);
	if (open_frames(conn) != CONN_OK)
		return CONN_BROKEN;
	if (end != CONN_OK)
		return end;
	return take(conn, ret_message);
}

void
conn_done(struct conn *conn)
{
	cdop_stream_consume(conn->in);
}
