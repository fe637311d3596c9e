/*
 * Packets on the link between gate and vault, header and bytes, one behind
 * the other in a SOCK_SEQPACKET message (server/DESIGN.md, "The link between
 * gate and vault"): each message costs both ends a turn in the kernel.  Knows
 * sockets and the header, not what the bytes mean.
 */
#ifndef CDOP_BASE_IPC_H
#define CDOP_BASE_IPC_H

#include <stdbool.h>

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "cdop/limits.h"

#define IPC_HEADER_LEN 16
#define IPC_PACKET_MAX (IPC_HEADER_LEN + CDOP_FRAME_MAX)
#define IPC_INBOX_MAX  16 /* messages of one ipc_recv_many */
#define IPC_SEND_MAX   32 /* packets of a message, and of ipc_send_many */

enum ipc_kind {
	IPC_OPEN = 1,
	IPC_FRAME = 2,
	IPC_CLOSED = 3,
	IPC_SENT = 4,
	IPC_DISCARDED = 5,
	IPC_CLOSE = 6,
	IPC_DISCARD = 7,
	IPC_KEYS = 8,
	IPC_TAKEN = 9,
};

#define IPC_MAC1_UNCHECKED 255 /* arg of IPC_OPEN */
#define IPC_KEY_LEN        32  /* each key of IPC_KEYS */

struct ipc_packet {
	uint64_t conn;
	uint8_t kind; /* enum ipc_kind */
	uint8_t arg;
	struct cdop_bytes bytes;
};

struct ipc_inbox; /* IPC_INBOX_MAX receive buffers */

/*
 * Both ends of a new link: non-blocking, closed on exec, with the largest
 * buffers the kernel gives.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err ipc_pair(int ret_fds[2]);

void ipc_write_header(
    const struct ipc_packet *packet, uint8_t out[static IPC_HEADER_LEN]);

/*
 * Takes the first packet off a message; bytes of *ret_packet point into it.
 * CDOP_INVALID_ARGUMENT: shorter than its header, length that is more than
 * came, unknown kind, reserved bits set; *data is what it was.
 */
CDOP_MUST enum cdop_err ipc_parse(
    struct cdop_bytes *data, struct ipc_packet *ret_packet);

/*
 * Sends a whole packet or nothing, as a message of its own, never waits.
 * CDOP_RESOURCE_EXHAUSTED: the socket is full, try when it is writable.
 * CDOP_UNAVAILABLE: the other end is gone.
 */
CDOP_MUST enum cdop_err ipc_send(int fd, const struct ipc_packet *packet);

/*
 * The same with several, at most IPC_SEND_MAX, in their order and in as few
 * messages as they fit in; *ret_sent, set whatever comes back, are on their
 * way.  As ipc_send() of the first that is not.
 */
CDOP_MUST enum cdop_err ipc_send_many(
    int fd, const struct ipc_packet *packets, size_t n, size_t *ret_sent);

/* Packets that are to leave together: a copy of them. */
struct ipc_parcel {
	size_t n;
	size_t len;
	uint8_t bytes[IPC_PACKET_MAX];
};

/* False: it is full; an empty one takes any packet. */
bool ipc_parcel_add(struct ipc_parcel *parcel, const struct ipc_packet *packet);

/* Sends and empties it, or leaves it as it is: as ipc_send(). */
CDOP_MUST enum cdop_err ipc_parcel_send(int fd, struct ipc_parcel *parcel);

CDOP_MUST enum cdop_err ipc_inbox_new(struct ipc_inbox **ret_inbox);

/* Wipes and frees; NULL is fine. */
void ipc_inbox_free(struct ipc_inbox *inbox);

/*
 * Receives the packets of the messages that wait, of at most max of these (and
 * IPC_INBOX_MAX), without waiting; 0 of them: there was none.  They live until
 * the next call with this inbox.  CDOP_UNAVAILABLE: the other end is gone and
 * nothing waits.  CDOP_INVALID_ARGUMENT: a message that does not parse, or has
 * more than IPC_SEND_MAX; the other end is broken, drop the link.
 */
CDOP_MUST enum cdop_err ipc_recv_many(
    int fd, struct ipc_inbox *inbox, size_t max, size_t *ret_n);

/* Packet i of the last ipc_recv_many, i < n. */
const struct ipc_packet *ipc_inbox_get(const struct ipc_inbox *inbox, size_t i);

#endif
