/*
 * One connection of a client: preamble, frames, deadlines, what is queued.
 * Opaque bytes go to the vault and come from it; nothing here can read them.
 */
#ifndef CDOP_GATE_LINK_H
#define CDOP_GATE_LINK_H

#include "server/gate/hub.h"
#include "server/gate/outq.h"

/* Why a connection ended, as a word for the log. */
enum link_why {
	LINK_CLIENT,    /* it went away */
	LINK_VAULT,     /* CLOSE, and everything is written */
	LINK_DISCARDED, /* DISCARD */
	LINK_LOST,      /* the vault went away */
	LINK_PREAMBLE,  /* not our protocol */
	LINK_LENGTH,    /* a frame of a length that cannot be */
	LINK_MAC1,      /* does not know the server's public key */
	LINK_HANDSHAKE, /* too slow to shake hands */
	LINK_SLOW_FRAME,
	LINK_IDLE,
	LINK_HARD, /* older than any session */
	LINK_SLOW_READER,
	LINK_BUDGET, /* its address has no handshake left this minute */
	LINK_ROOM,   /* no memory, or it made room for a newer one */
	LINK_STOP,
};

enum link_state {
	LINK_WAIT_PREAMBLE,
	LINK_WAIT_FIRST, /* frame of 81 bytes */
	LINK_WAIT_THIRD, /* frame of 320 bytes */
	LINK_STREAM,
	LINK_CLOSING, /* write what is queued, then */
	LINK_LINGER,  /* everything written; let the client close first */
	LINK_DEAD,
};

#define LINK_IN_SMALL 512 /* enough until the handshake is over */

/* The list entries are hub.c's too, the rest is link.c's alone. */
struct link {
	TAILQ_ENTRY(link) all; /* links, or graves once it is dead */
	TAILQ_ENTRY(link) half;
	TAILQ_ENTRY(link) dirty;
	LIST_ENTRY(link) bucket;
	struct hub *hub;
	uint64_t conn;
	int fd;
	enum link_state state;
	struct limits_source *source;
	struct event *read;
	struct event *write;

	bool is_half_open;
	bool is_dirty;
	bool is_stalled; /* a frame waits: here, or for the vault's socket */
	bool counted;    /* its handshake is paid for */
	bool announced;  /* the vault has its OPEN */
	bool answered;   /* a frame of the stream has come from the vault */
	bool no_word;    /* DISCARDED is said instead of CLOSED */

	uint64_t deadline_ms; /* of the state; 0: none */
	uint64_t hard_ms;
	uint64_t frame_ms; /* when a frame begun must be whole; 0: none is */
	uint64_t heard_ms; /* last whole frame, either way */
	uint64_t
	    stuck_ms; /* when the first frame queued must be out; 0: none */

	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];
	char from[LIMITS_FROM_MAX];

	uint8_t *in; /* small[], or the heap once it streams */
	size_t in_size;
	size_t in_len;
	size_t in_at; /* of it, taken */
	uint8_t small[LINK_IN_SMALL];
	uint32_t given; /* of the stream, to the vault; no TAKEN yet */

	struct outq out; /* written: what SENT has not said yet */
};

/*
 * Takes over an accepted, non-blocking socket, a source and a copy of where
 * it is from.  On failure both stay the caller's.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err link_open(
    struct hub *hub, int fd, struct limits_source *source, const char *from);

/*
 * The only way out, legal in every state, also twice: the socket is closed
 * now, the vault is told, the memory goes later from the loop.
 */
void link_close(struct link *link, enum link_why why);

/*
 * The vault is gone.  A client that has not been answered yet sees that this
 * is no refusal.
 */
void link_lose(struct link *link);

/* From the vault: queues one Noise message, written by link_flush. */
void link_queue(struct link *link, struct cdop_bytes message);

/* From the vault: so many bytes of its frames are not held any more. */
void link_taken(struct link *link, uint32_t len);

/* From the vault: CLOSE and DISCARD. */
void link_finish(struct link *link);
void link_discard(struct link *link);

/* Writes what is queued, as far as the client takes it. */
void link_flush(struct link *link);

/* The vault has room again: says what is owed, reads on. */
void link_resume(struct link *link);

/* Closes it when one of its deadlines has passed. */
void link_check(struct link *link, uint64_t now_ms);

/* Reads no more from the client; what is queued is still written. */
void link_mute(struct link *link);

/* From hub.c alone: forgets a closed one. */
void link_free(struct link *link);

#endif
