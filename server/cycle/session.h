/*
 * One Noise session as the vault has it: handshake, ciphers, the stream of
 * calls that comes in and the stream of replies that goes out.  It knows the
 * link to the gate by the packets it wants sent, and nothing of what a call
 * means.
 *
 * Every secret of a session lies in locked memory and is wiped when the
 * session ends; session_free() is legal in every state.
 */
#ifndef CDOP_CYCLE_SESSION_H
#define CDOP_CYCLE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "server/rpc/dispatch.h"

/* Streams of replies that may be under way; then no further call is begun. */
#define SESSION_MORE_MAX 8

struct boot_set;
struct cdop_stream;
struct lockmem;
struct people;
struct session_secret;
struct turn;

enum session_state {
	SESSION_WAITS_1, /* preamble seen, message 1 to come */
	SESSION_WAITS_3, /* message 2 sent */
	SESSION_OPENING, /* handshake done, its leaf not yet durable */
	SESSION_OPEN,
	SESSION_ENDING, /* last words queued; nothing more is read */
};

/* A stream of replies that is not finished: the Call, and where it stands. */
struct session_more {
	struct session_more *next;
	struct rpc_cursor cursor;
	uint64_t after_ms; /* CLOCK_BOOTTIME: not before; 0: at once */
	uint32_t count;
	size_t len;
	uint8_t message[];
};

struct session {
	uint64_t conn;
	enum session_state state;
	uint8_t server_key; /* which of the server's keys: 0 or 1 */
	bool invitation;
	bool let_in; /* by its opening, which stands before its calls */
	bool boot;   /* of a custodian, while it is sealed */
	uint8_t preamble[8];
	char said_by_gate[96];
	uint64_t born_ms;         /* CLOCK_BOOTTIME */
	uint64_t active_ms;       /* last whole frame from the client */
	uint64_t active_us;       /* the same by CLOCK_MONOTONIC */
	uint64_t partial_ms;      /* of session_note_partial(); 0: none is */
	uint32_t failed;          /* requests that made a batch abort */
	uint64_t unconfirmed;     /* bytes given to the gate, no SENT yet */
	uint32_t untold;          /* bytes of frames that came, no TAKEN yet */
	uint64_t seen_size;       /* of the client's last checkpoint; 0: none */
	uint64_t receipt_size;    /* of a receipt that is newer; 0: none */
	uint32_t seen_statements; /* that the client has followed */
	struct dispatch_peer peer;
	struct lockmem *mem;
	struct session_secret *secret;
	struct cdop_stream *in;
	struct cdop_stream *out;
	struct session_more *more; /* oldest first */
	size_t n_more;
	bool discarding;   /* waits for the gate's word that it has */
	struct turn *turn; /* of its device; NULL: it has not signed in */
	uint32_t taken;    /* into the batch that is gathered */
	size_t ahead;      /* bytes of its calls there */
	LIST_ENTRY(session) by_conn;
	TAILQ_ENTRY(session) in_all;
	TAILQ_ENTRY(session) in_turn;
};

/* What the server proves itself with; the keystore's or config's memory. */
struct session_server {
	const uint8_t *registry_id; /* 16 */
	const uint8_t *secret[2];   /* current, next or NULL */
	const uint8_t *public[2];   /* of these; NULL: to be worked out */
	const struct people *people;
	uint64_t now_ms;             /* wall, for expiries */
	const struct boot_set *boot; /* instead of people: it is sealed */
};

/*
 * A connection the gate has announced: bytes are preamble (8) and address.
 * CDOP_INVALID_ARGUMENT: not our protocol; CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err session_new(struct lockmem *mem, uint64_t conn,
    struct cdop_bytes opening, uint64_t boot_ms, struct session **ret_session);

/* Wipes and frees; NULL is fine. */
void session_free(struct session *session);

/*
 * Message 1 in, message 2 out (CDOP_LINK_MESSAGE2_LEN bytes).
 * CDOP_UNAVAILABLE: sealed, and nobody of the boot set: the hint, and close.
 * Any other failure: count it and close.
 */
CDOP_MUST enum cdop_err session_message1(struct session *session,
    const struct session_server *server, struct cdop_bytes message,
    uint8_t *out);

/*
 * Message 3 in.  On CDOP_OK the session is SESSION_OPENING and its peer is
 * filled; on failure count it and close.
 */
CDOP_MUST enum cdop_err session_message3(struct session *session,
    const struct session_server *server, struct cdop_bytes message);

/*
 * One transport message in.  Any failure closes, also that of a gate which
 * hands over more than it was told it may.
 */
CDOP_MUST enum cdop_err session_frame(
    struct session *session, struct cdop_bytes message);

/*
 * How many bytes of frames the gate is to be told are TAKEN, once and now;
 * 0: not so many that it is worth a packet, or calls wait that have to be
 * worked on first.
 */
uint32_t session_taken(struct session *session);

/*
 * The next whole Call, in the session's memory until session_consume();
 * data NULL where none is complete.  CDOP_INVALID_ARGUMENT closes.
 */
CDOP_MUST enum cdop_err session_next(
    struct session *session, struct cdop_bytes *ret_message);
void session_consume(struct session *session);

/*
 * The same behind those that `ahead` counts, and none is consumed; `ahead` is
 * *ret_ahead once this one is taken too.
 */
CDOP_MUST enum cdop_err session_look(
    struct session *session, struct cdop_bytes *ret_message, size_t *ret_ahead);

/* Queues one message.  CDOP_RESOURCE_EXHAUSTED closes. */
CDOP_MUST enum cdop_err session_put(
    struct session *session, struct cdop_bytes message);

/*
 * Seals the next frame of what is queued: *ret_frame (without its length)
 * lies in `room` (CDOP_LINK_FRAME_ROOM bytes); len 0 when all is sealed.
 */
CDOP_MUST enum cdop_err session_seal(
    struct session *session, uint8_t *room, struct cdop_bytes *ret_frame);

/*
 * Sets partial_ms: since when the first call that waits is not complete.  It
 * is absolute: a drip of bytes does not renew it.
 */
void session_note_partial(struct session *session, uint64_t boot_ms);

/* Bytes that are queued and not yet sealed. */
size_t session_queued(const struct session *session);

/*
 * Keeps an unfinished stream of replies, behind those there are; one that
 * asks for a pause for a second.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err session_more_add(struct session *session,
    struct cdop_bytes message, const struct dispatch_result *result,
    uint64_t boot_ms);

/* The oldest one whose time has come; NULL: none.  Taken out, the caller's. */
const struct session_more *session_more_next(
    const struct session *session, uint64_t boot_ms);
struct session_more *session_more_take(
    struct session *session, uint64_t boot_ms);
void session_more_free(struct session_more *more);

#endif
