/* The link's packets: header, whole sends, several receives at a time. */
#include "server/base/ipc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/fds.h"

/* Room for the largest packets; what the kernel allows of it is taken. */
#define IPC_BUFFER (4 << 20)

struct ipc_inbox {
	struct ipc_packet packets[IPC_INBOX_MAX];
	struct mmsghdr msgs[IPC_INBOX_MAX];
	struct iovec iov[IPC_INBOX_MAX];
	uint8_t bytes[IPC_INBOX_MAX][IPC_PACKET_MAX];
};

enum cdop_err
ipc_pair(int ret_fds[2])
{
	return fds_pair(IPC_BUFFER, ret_fds);
}

void
ipc_write_header(
    const struct ipc_packet *packet, uint8_t out[static IPC_HEADER_LEN])
{
	CDOP_ASSERT(packet->bytes.len <= CDOP_FRAME_MAX);
	cdop_put64(out, packet->conn);
	out[8] = packet->kind;
	out[9] = packet->arg;
	cdop_put16(out + 10, 0);
	cdop_put32(out + 12, (uint32_t)packet->bytes.len);
}

enum cdop_err
ipc_parse(struct cdop_bytes data, struct ipc_packet *ret_packet)
{
	if (data.len < IPC_HEADER_LEN || data.len > IPC_PACKET_MAX)
		return CDOP_INVALID_ARGUMENT;
	if (data.data[8] < IPC_OPEN || data.data[8] > IPC_TAKEN)
		return CDOP_INVALID_ARGUMENT;
	if (cdop_get16(data.data + 10) != 0)
		return CDOP_INVALID_ARGUMENT;
	if (cdop_get32(data.data + 12) != data.len - IPC_HEADER_LEN)
		return CDOP_INVALID_ARGUMENT;
	ret_packet->conn = cdop_get64(data.data);
	ret_packet->kind = data.data[8];
	ret_packet->arg = data.data[9];
	ret_packet->bytes.data = data.data + IPC_HEADER_LEN;
	ret_packet->bytes.len = data.len - IPC_HEADER_LEN;
	return CDOP_OK;
}

enum cdop_err
ipc_send(int fd, const struct ipc_packet *packet)
{
	uint8_t header[IPC_HEADER_LEN];
	struct cdop_bytes head = {header, sizeof(header)};

	ipc_write_header(packet, header);
	return fds_send(fd, head, packet->bytes, -1);
}

enum cdop_err
ipc_send_many(
    int fd, const struct ipc_packet *packets, size_t n, size_t *ret_sent)
{
	uint8_t headers[IPC_SEND_MAX][IPC_HEADER_LEN];
	struct iovec iov[IPC_SEND_MAX][2];
	struct mmsghdr msgs[IPC_SEND_MAX];
	size_t i;
	int sent;

	CDOP_ASSERT(n <= IPC_SEND_MAX);
	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < n; i++) {
		ipc_write_header(&packets[i], headers[i]);
		iov[i][0].iov_base = headers[i];
		iov[i][0].iov_len = sizeof(headers[i]);
		/* sendmmsg only reads; iovec has no const form. */
		memcpy(&iov[i][1].iov_base, &packets[i].bytes.data,
		    sizeof(void *));
		iov[i][1].iov_len = packets[i].bytes.len;
		msgs[i].msg_hdr.msg_iov = iov[i];
		msgs[i].msg_hdr.msg_iovlen = 2;
	}
	*ret_sent = 0;
	while (*ret_sent < n) {
		sent = sendmmsg(fd, msgs + *ret_sent, (unsigned)(n - *ret_sent),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return fds_errno();
		/* A packet is sent whole or not at all. */
		*ret_sent += sent < 0 ? 0 : (size_t)sent;
	}
	return CDOP_OK;
}

enum cdop_err
ipc_inbox_new(struct ipc_inbox **ret_inbox)
{
	struct ipc_inbox *inbox;
	size_t i;

	if ((inbox = calloc(1, sizeof(*inbox))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < IPC_INBOX_MAX; i++) {
		inbox->iov[i].iov_base = inbox->bytes[i];
		inbox->iov[i].iov_len = sizeof(inbox->bytes[i]);
	}
	*ret_inbox = inbox;
	return CDOP_OK;
}

void
ipc_inbox_free(struct ipc_inbox *inbox)
{
	if (inbox == NULL)
		return;
	explicit_bzero(inbox, sizeof(*inbox));
	free(inbox);
}

static enum cdop_err
inbox_parse(struct ipc_inbox *inbox, size_t i)
{
	const struct mmsghdr *msg = &inbox->msgs[i];
	struct cdop_bytes data = {inbox->bytes[i], msg->msg_len};

	/* Descriptors are never passed here. */
	if ((msg->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return CDOP_INVALID_ARGUMENT;
	return ipc_parse(data, &inbox->packets[i]);
}

/*
 * An end that was closed with packets unread is reported once, and ahead of
 * those it had sent: they are taken all the same.
 */
static int
receive(int fd, struct ipc_inbox *inbox, unsigned max)
{
	bool reset = false;
	int n;

	for (;;) {
		n = recvmmsg(fd, inbox->msgs, max, MSG_DONTWAIT, NULL);
		if (n >= 0 || (errno != EINTR && errno != ECONNRESET) ||
		    (errno == ECONNRESET && reset))
			return n;
		reset = reset || errno == ECONNRESET;
	}
}

enum cdop_err
ipc_recv_many(int fd, struct ipc_inbox *inbox, size_t max, size_t *ret_n)
{
	enum cdop_err err;
	size_t i;
	int n;

	if (max > IPC_INBOX_MAX)
		max = IPC_INBOX_MAX;
	for (i = 0; i < max; i++) {
		memset(&inbox->msgs[i], 0, sizeof(inbox->msgs[i]));
		inbox->msgs[i].msg_hdr.msg_iov = &inbox->iov[i];
		inbox->msgs[i].msg_hdr.msg_iovlen = 1;
	}
	n = receive(fd, inbox, (unsigned)max);
	if (n < 0 && fds_errno() != CDOP_RESOURCE_EXHAUSTED)
		return CDOP_UNAVAILABLE;
	for (i = 0; n > 0 && i < (size_t)n; i++) {
		if (inbox->msgs[i].msg_len == 0 && i == 0)
			return CDOP_UNAVAILABLE;
		if (inbox->msgs[i].msg_len == 0)
			break;
		if ((err = inbox_parse(inbox, i)) != CDOP_OK)
			return err;
	}
	*ret_n = i;
	return CDOP_OK;
}

const struct ipc_packet *
ipc_inbox_get(const struct ipc_inbox *inbox, size_t i)
{
	return &inbox->packets[i];
}
