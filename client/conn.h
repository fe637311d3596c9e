/*
 * One connection to the registry: socket, handshake, messages in and out.
 * It knows no call; what a message says is call.c's.
 */
#ifndef CDOP_CLIENT_CONN_H
#define CDOP_CLIENT_CONN_H

#include "cdop/link.h"

struct conn;

/* How far it came. */
enum conn_end {
	CONN_OK = 0,
	CONN_ADDRESS,     /* not an address at all */
	CONN_UNREACHABLE, /* nobody answered there */
	CONN_PIN,         /* hung up before message 2: another server key? */
	CONN_IMPOSTOR,    /* message 2 does not authenticate */
	CONN_SEALED,      /* the unauthenticated hint of a closed registry */
	CONN_REFUSED,     /* hung up after message 3: this key or PSK is not
			     one it knows */
	CONN_CLOSED,      /* hung up later */
	CONN_BROKEN,      /* what came does not authenticate or parse */
	CONN_TIMEOUT,
	CONN_MEMORY,
	CONN_UNSEEN, /* not sent: the log is not shown, see call_begin */
};

struct conn_args {
	const char *address; /* "host:port", "[::1]:port", "unix:/path" */
	struct cdop_link_args link;
	struct cdop_link_opening opening;
	struct cdop_bytes hello; /* packed Hello */
	uint64_t connect_by_ms;  /* on conn_now_ms */
	uint64_t deadline_ms;    /* for the handshake and the first message */
};

#define CONN_CONNECT_MS 5000 /* a connection attempt gives up */

/* A clock that only goes forward, also while the computer sleeps. */
uint64_t conn_now_ms(void);

/* Is told when something was waited for a second, and each 30 after that. */
typedef void conn_wait_fn(void *arg);
void conn_on_wait(conn_wait_fn *fn, void *arg);

/*
 * Connects, shakes hands and waits for the first message, which proves that
 * the PSK was the right one.  The message stays for conn_next.
 *
 * *ret_gone, with CONN_PIN and CONN_REFUSED: the other end did not say its
 * end and listen on, as a registry does that refuses: it may have died.
 */
CDOP_MUST enum conn_end conn_open(
    const struct conn_args *args, struct conn **ret_conn, bool *ret_gone);

/* Closes and wipes; NULL is fine. */
void conn_close(struct conn *conn);

/* The handshake hash: names the session. */
const uint8_t *conn_hash(const struct conn *conn);

/* Queues a message and sends as much as goes without waiting. */
CDOP_MUST enum conn_end conn_send(struct conn *conn, struct cdop_bytes message);

/*
 * The next message, good until conn_done.  Sends what is queued meanwhile.
 */
CDOP_MUST enum conn_end conn_next(
    struct conn *conn, uint64_t deadline_ms, struct cdop_bytes *ret_message);
void conn_done(struct conn *conn);

/*
 * For who holds many connections and may wait for none: cdop has one, but the
 * load generator of tests/bench is as many clients as it is told.
 *
 * The next message, as conn_next; *ret_message->data is NULL when none is here.
 */
CDOP_MUST enum conn_end conn_poll(
    struct conn *conn, struct cdop_bytes *ret_message);

/* To poll for reading, before conn_poll. */
int conn_fd(const struct conn *conn);

#endif
