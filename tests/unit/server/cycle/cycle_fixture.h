/*
 * A vault's cycle over a test's world, with the test as its gate and its
 * clients: real handshakes, real frames, no process, no second thread.
 *
 * The clock is the test's: it stands still, but for fixture_pass().
 */
#ifndef CDOP_TESTS_CYCLE_FIXTURE_H
#define CDOP_TESTS_CYCLE_FIXTURE_H

#include "cdop/link.h"
#include "server/base/ipc.h"
#include "server/cycle/cycle.h"
#include "tests/unit/server/world.h"

#define FIXTURE_CLIENTS 12
#define FIXTURE_EVENTS  4096
#define FIXTURE_SLOT    3 /* that opened the registry */

/* One end of a session, as a client has it. */
struct fixture_client {
	uint64_t conn;
	struct cdop_noise noise;
	struct cdop_noise_cipher tx, rx;
	struct cdop_stream *in, *out;
	uint8_t hash[CDOP_NOISE_HASH_LEN];
	bool open;             /* handshake done: frames are of the stream */
	uint64_t seen_size;    /* for Hello; 0: no checkpoint was seen */
	uint64_t receipt_size; /* likewise, of a receipt */
	bool receipt;          /* its calls ask for one */
	uint64_t got;          /* bytes of FRAMEs */
	uint64_t given; /* bytes of FRAMEs that TAKEN has not confirmed */
	uint8_t frame[CDOP_LINK_FRAME_ROOM]; /* sealed, and waits for that */
	size_t frame_len;
	uint64_t last_id; /* of a call */
	uint64_t key;     /* that its requests have; 0: each its own */
};

/* A packet from the vault, without its bytes. */
struct fixture_event {
	uint64_t conn;
	enum ipc_kind kind;
	uint8_t arg;
	size_t len;
	uint8_t first; /* byte of it; 0: none */
};

struct fixture {
	struct world world;
	struct cycle *cycle;
	int link; /* the gate's end; -1: closed */
	struct ipc_inbox *inbox;
	uint32_t calls; /* of a device at a stretch, from a restart on */
	uint64_t last_conn;
	bool next_key; /* of the server, is what clients know alone */
	struct fixture_client client[FIXTURE_CLIENTS];
	size_t n_client;
	struct fixture_event event[FIXTURE_EVENTS];
	size_t n_event;
};

/* open: false leaves the registry sealed. */
void fixture_start(struct fixture *f, bool open, uint64_t held_back);
/* Open, on a map of that size (0: the world's) of which so much is kept. */
void fixture_start_on(
    struct fixture *f, uint64_t map_bytes, uint64_t reserve_bytes);
void fixture_end(struct fixture *f);

/* Before anybody has come: the store is closed and opened again. */
void fixture_restart(struct fixture *f);

/* A turn of the cycle, then all its packets are taken in. */
void fixture_turn(struct fixture *f);

/* Turns until the cycle has nothing left to do. */
void fixture_settle(struct fixture *f);

/* The clocks go on. */
void fixture_pass(uint64_t ms);

/* The wall clock alone is behind by so much; 0: it is right again. */
void fixture_set_back(uint64_t ms);

/* From now on they go on by so much whenever somebody looks; 0: no more. */
void fixture_tick(uint64_t ms);

/* A packet to the vault. */
void fixture_say(struct fixture *f, uint64_t conn, enum ipc_kind kind,
    const void *data, size_t len);

/* OPEN and message 1. */
struct fixture_client *fixture_greet(
    struct fixture *f, enum world_who who, const uint8_t psk[static 32]);

/* The same under an invitation. */
struct fixture_client *fixture_greet_invited(
    struct fixture *f, const Cdop__InviteReply *invitation);

/* Message 3, once message 2 has come. */
void fixture_prove(struct fixture *f, struct fixture_client *client);

/* A call of len bytes with everything, its body zeros; its id. */
uint64_t fixture_call_to(
    struct fixture_client *client, uint32_t method, size_t len);
/* The same that nobody knows. */
uint64_t fixture_call_of(struct fixture_client *client, size_t len);

/* The whole handshake, and Welcome taken off. */
struct fixture_client *fixture_sign_in(struct fixture *f, enum world_who who);

/* The next PSK of the device, that of who, which its client asks for. */
void fixture_psk_turn(struct fixture *f, struct fixture_client *client,
    enum world_who who, uint8_t ret_next[static 32]);

/* Queues a call; its id. */
uint64_t fixture_call(struct fixture_client *client, uint32_t method,
    const ProtobufCMessage *body);

/*
 * Seals what is queued and hands it to the vault, as far as a gate may; the
 * rest goes with later turns.
 */
void fixture_send(struct fixture *f, struct fixture_client *client);

/* Sends so many calls of the plainest kind. */
void fixture_ask(struct fixture *f, struct fixture_client *client, size_t n);

/* Seals these bytes as they are. */
void fixture_send_plain(struct fixture *f, struct fixture_client *client,
    const void *data, size_t len);

/* The gate has written everything to the client's socket. */
void fixture_sent(struct fixture *f, struct fixture_client *client);

/* The next message that came, in the world's arena; NULL: none. */
Cdop__Reply *fixture_reply(struct fixture *f, struct fixture_client *client);
Cdop__Welcome *fixture_welcome(
    struct fixture *f, struct fixture_client *client);

/* Where in the events the first such packet stands; SIZE_MAX: nowhere. */
size_t fixture_find(const struct fixture *f, uint64_t conn, enum ipc_kind kind);

/* The vault has closed it. */
bool fixture_is_closed(
    const struct fixture *f, const struct fixture_client *client);

/* n good answers have come, ids from first on, and nothing else. */
void fixture_answers(
    struct fixture *f, struct fixture_client *client, uint64_t first, size_t n);

#endif
