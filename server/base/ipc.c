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
	size_t n; /* of packets */
	struct ipc_packet packets[IPC_INBOX_MAX * IPC_SEND_MAX];
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
ipc_parse(struct cdop_bytes *data, struct ipc_packet *ret_packet)
{
	const uint8_t *at = data->data;
	size_t len;

	if (data->len < IPC_HEADER_LEN)
		return CDOP_INVALID_ARGUMENT;
	if (at[8] < IPC_OPEN || at[8] > IPC_TAKEN || cdop_get16(at + 10) != 0)
		return CDOP_INVALID_ARGUMENT;
	len = cdop_get32(at + 12);
	if (len > data->len - IPC_HEADER_LEN)
		return CDOP_INVALID_ARGUMENT;
	ret_packet->conn = cdop_get64(at);
	ret_packet->kind = at[8];
	ret_packet->arg = at[9];
	ret_packet->bytes = (struct cdop_bytes){at + IPC_HEADER_LEN, len};
	data->data += IPC_HEADER_LEN + len;
	data->len -= IPC_HEADER_LEN + len;
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

/* Room for the headers of packets, and what is to be sent of each. */
struct bundle {
	uint8_t headers[IPC_SEND_MAX][IPC_HEADER_LEN];
	struct iovec iov[IPC_SEND_MAX][2];
	struct mmsghdr msgs[IPC_SEND_MAX];
};

/* Into as few messages as hold them; how many these are. */
static unsigned
bundle_up(struct bundle *bundle, const struct ipc_packet *packets, size_t n)
{
	struct msghdr *msg = NULL;
	unsigned used = 0;
	size_t i, len, all = 0;

	for (i = 0; i < n; i++) {
		ipc_write_header(&packets[i], bundle->headers[i]);
		bundle->iov[i][0].iov_base = bundle->headers[i];
		bundle->iov[i][0].iov_len = IPC_HEADER_LEN;
		/* sendmmsg only reads; iovec has no const form. */
		memcpy(&bundle->iov[i][1].iov_base, &packets[i].bytes.data,
		    sizeof(void *));
		bundle->iov[i][1].iov_len = packets[i].bytes.len;
		len = IPC_HEADER_LEN + packets[i].bytes.len;
		if (msg == NULL || len > IPC_PACKET_MAX - all) {
			bundle->msgs[used] = (struct mmsghdr){0};
			msg = &bundle->msgs[used++].msg_hdr;
			msg->msg_iov = bundle->iov[i];
			all = 0;
		}
		msg->msg_iovlen += 2;
		all += len;
	}
	return used;
}

enum cdop_err
ipc_send_many(
    int fd, const struct ipc_packet *packets, size_t n, size_t *ret_sent)
{
	struct bundle bundle;
	unsigned used, at = 0;
	int sent;

	CDOP_ASSERT(n <= IPC_SEND_MAX);
	used = bundle_up(&bundle, packets, n);
	*ret_sent = 0;
	while (at < used) {
		sent = sendmmsg(fd, bundle.msgs + at, used - at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return fds_errno();
		/* A message is sent whole or not at all. */
		for (; sent > 0; sent--)
			*ret_sent += bundle.msgs[at++].msg_hdr.msg_iovlen / 2;
	}
	return CDOP_OK;
}

bool
ipc_parcel_add(struct ipc_parcel *parcel, const struct ipc_packet *packet)
{
	size_t len = packet->bytes.len;

	if (parcel->n == IPC_SEND_MAX ||
	    IPC_HEADER_LEN + len > sizeof(parcel->bytes) - parcel->len)
		return false;
	ipc_write_header(packet, parcel->bytes + parcel->len);
	parcel->len += IPC_HEADER_LEN;
	if (len > 0)
		memcpy(parcel->bytes + parcel->len, packet->bytes.data, len);
	parcel->len += len;
	parcel->n++;
	return true;
}

enum cdop_err
ipc_parcel_send(int fd, struct ipc_parcel *parcel)
{
	struct cdop_bytes all = {parcel->bytes, parcel->len};
	enum cdop_err err;

	if (parcel->n == 0)
		return CDOP_OK;
	err = fds_send(fd, all, (struct cdop_bytes){NULL, 0}, -1);
	if (err != CDOP_OK)
		return err;
	parcel->n = 0;
	parcel->len = 0;
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
	enum cdop_err err;
	size_t n;

	/* Descriptors are never passed here. */
	if ((msg->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return CDOP_INVALID_ARGUMENT;
	for (n = 0; data.len > 0; n++) {
		if (n == IPC_SEND_MAX)
			return CDOP_INVALID_ARGUMENT;
		err = ipc_parse(&data, &inbox->packets[inbox->n]);
		if (err != CDOP_OK)
			return err;
		inbox->n++;
	}
	return CDOP_OK;
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
	inbox->n = 0;
	for (i = 0; n > 0 && i < (size_t)n; i++) {
		if (inbox->msgs[i].msg_len == 0 && i == 0)
			return CDOP_UNAVAILABLE;
		if (inbox->msgs[i].msg_len == 0)
			break;
		if ((err = inbox_parse(inbox, i)) != CDOP_OK)
			return err;
	}
	*ret_n = inbox->n;
	return CDOP_OK;
}

const struct ipc_packet *
ipc_inbox_get(const struct ipc_inbox *inbox, size_t i)
{
	return &inbox->packets[i];
}
