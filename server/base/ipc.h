/*
 * Packets on the link between gate and vault: one SOCK_SEQPACKET message
 * each, header and bytes (server/DESIGN.md, "The link between gate and
 * vault").  Knows sockets and the header, not what the bytes mean.
 */
#ifndef CDOP_BASE_IPC_H
#define CDOP_BASE_IPC_H

#include "cdop/bytes.h"
#include "cdop/err.h"
#include "cdop/limits.h"

#define IPC_HEADER_LEN 16
#define IPC_PACKET_MAX (IPC_HEADER_LEN + CDOP_FRAME_MAX)
#define IPC_INBOX_MAX  16 /* packets of one ipc_recv_many */

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
 * Takes a received packet apart; bytes of *ret_packet point into data.
 * CDOP_INVALID_ARGUMENT: shorter than its header, length that is not what
 * came, unknown kind, reserved bits set.
 */
CDOP_MUST enum cdop_err ipc_parse(
    struct cdop_bytes data, struct ipc_packet *ret_packet);

/*
 * Sends a whole packet or nothing, never waits.  CDOP_RESOURCE_EXHAUSTED:
 * the socket is full, try when it is writable.  CDOP_UNAVAILABLE: the other
 * end is gone.
 */
CDOP_MUST enum cdop_err ipc_send(int fd, const struct ipc_packet *packet);

/*
 * The same with several, at most IPC_SEND_MAX, in their order; *ret_sent, set
 * whatever comes back, are on their way.  As ipc_send() of the first that is
 * not.
 */
#define IPC_SEND_MAX 16

CDOP_MUST enum cdop_err ipc_send_many(
    int fd, const struct ipc_packet *packets, size_t n, size_t *ret_sent);

CDOP_MUST enum cdop_err ipc_inbox_new(struct ipc_inbox **ret_inbox);

/* Wipes and frees; NULL is fine. */
void ipc_inbox_free(struct ipc_inbox *inbox);

/*
 * Receives the packets that wait, at most max (and IPC_INBOX_MAX), without
 * waiting; *ret_n may be 0.  They live until the next call with this inbox.
 * CDOP_UNAVAILABLE: the other end is gone and nothing waits.
 * CDOP_INVALID_ARGUMENT: a packet that does not parse; the other end is
 * broken, drop the link.
 */
CDOP_MUST enum cdop_err ipc_recv_many(
    int fd, struct ipc_inbox *inbox, size_t max, size_t *ret_n);

/* Packet i of the last ipc_recv_many, i < n. */
const struct ipc_packet *ipc_inbox_get(const struct ipc_inbox *inbox, size_t i);

#endif
