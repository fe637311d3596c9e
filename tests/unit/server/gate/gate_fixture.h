/*
 * A whole gate in a forked child, with the test as its parent, its vault
 * and its clients.  Nothing here knows Noise: to the gate a message is
 * bytes, and mac1 is all it checks.
 */
#ifndef CDOP_TEST_GATE_FIXTURE_H
#define CDOP_TEST_GATE_FIXTURE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "server/base/control.h"
#include "server/base/ipc.h"

#define FIXTURE_FIRST_CONN (7ULL << 40)

struct gate_fixture {
	struct config conf;
	pid_t pid;
	int control; /* the parent's end */
	int link;    /* the vault's end */
	uint16_t port;
	char path[100];
	rlim_t max_fds; /* of the gate; 0: as it is */
	uint8_t keys[2][IPC_KEY_LEN];
	struct ipc_inbox *inbox;
	size_t n_inbox;
	size_t at_inbox;
};

/* Defaults a test can change before it starts. */
void gate_fixture_init(struct gate_fixture *f);

/* Starts it and waits until it says ready. */
void gate_fixture_start(struct gate_fixture *f);

/* The same, with two keys of the vault. */
void gate_fixture_begin(struct gate_fixture *f);

/* What a failed test left behind. */
void gate_fixture_end(struct gate_fixture *f);

/* The vault's word: n keys, 0 to 2. */
void gate_fixture_say_keys(struct gate_fixture *f, uint8_t n);

/* Says stop, as parent and as vault; the gate must end with 0. */
void gate_fixture_stop(struct gate_fixture *f);

/* A client's connection: blocking, with a receive timeout of 5 s. */
int gate_fixture_connect(const struct gate_fixture *f);
int gate_fixture_connect_unix(const struct gate_fixture *f);

/* Preamble and first frame under keys[which], in one write. */
void gate_fixture_greet(const struct gate_fixture *f, int fd, size_t which);

/* One frame of len bytes, each of them fill. */
void gate_fixture_send(int fd, size_t len, uint8_t fill);

/* Greets, passes OPEN and messages 1 and 3, and returns the id. */
uint64_t gate_fixture_handshake(struct gate_fixture *f, int fd);

/* The next packet to the vault; fails the test after 5 s. */
const struct ipc_packet *gate_fixture_next(struct gate_fixture *f);

/* The next one, which must be of that kind and connection. */
const struct ipc_packet *gate_fixture_expect(
    struct gate_fixture *f, enum ipc_kind kind, uint64_t conn);

/* Nothing comes to the vault within ms. */
void gate_fixture_expect_silence(struct gate_fixture *f, int ms);

/* From the vault; waits while the socket is full. */
void gate_fixture_say(struct gate_fixture *f, uint64_t conn, enum ipc_kind kind,
    const void *data, size_t len);

/* From the vault: so many bytes of its frames are not held any more. */
void gate_fixture_taken(struct gate_fixture *f, uint64_t conn, uint32_t len);

/* The client's end is closed, by end of file or reset, within ms. */
bool gate_fixture_is_closed(int fd, int ms);

/* Exactly len bytes for the client. */
void gate_fixture_read(int fd, void *out, size_t len);

#endif
