/* A short queue in front of the link. */
#include "server/cycle/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cdop/limits.h"
#include "cdop/link.h"
#include "server/cycle/session.h"

/* Closings of every session there can be, and the frames that did not fit. */
#define PACKETS_MAX (4u * CDOP_VAULT_SESSIONS_MAX)

struct waiting {
	STAILQ_ENTRY(waiting) entry;
	uint64_t conn;
	enum ipc_kind kind;
	size_t len;
	uint8_t bytes[];
};

struct outbox {
	int fd;
	size_t n;
	STAILQ_HEAD(, waiting) queue;
	/* Sealed, and on their way with the next push(): in front of the rest.
	 */
	size_t n_sealed;
	struct ipc_packet sealed[IPC_SEND_MAX];
	uint8_t room[IPC_SEND_MAX][CDOP_LINK_FRAME_ROOM];
};

enum cdop_err
outbox_new(struct outbox **ret_outbox)
{
	struct outbox *outbox;

	outbox = calloc(1, sizeof(*outbox));
	if (outbox == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	outbox->fd = -1;
	STAILQ_INIT(&outbox->queue);
	*ret_outbox = outbox;
	return CDOP_OK;
}

static void
drop_first(struct outbox *outbox)
{
	struct waiting *waiting = STAILQ_FIRST(&outbox->queue);

	STAILQ_REMOVE_HEAD(&outbox->queue, entry);
	outbox->n--;
	free(waiting);
}

void
outbox_set_link(struct outbox *outbox, int fd)
{
	while (!STAILQ_EMPTY(&outbox->queue))
		drop_first(outbox);
	outbox->n_sealed = 0;
	outbox->fd = fd;
}

void
outbox_free(struct outbox *outbox)
{
	if (outbox == NULL)
		return;
	outbox_set_link(outbox, -1);
	free(outbox);
}

bool
outbox_waits(const struct outbox *outbox)
{
	return !STAILQ_EMPTY(&outbox->queue);
}

static enum cdop_err
queue(struct outbox *outbox, const struct ipc_packet *packet)
{
	struct waiting *waiting;

	if (outbox->n >= PACKETS_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	waiting = malloc(sizeof(*waiting) + packet->bytes.len);
	if (waiting == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	waiting->conn = packet->conn;
	waiting->kind = (enum ipc_kind)packet->kind;
	waiting->len = packet->bytes.len;
	if (packet->bytes.len > 0)
		memcpy(waiting->bytes, packet->bytes.data, packet->bytes.len);
	STAILQ_INSERT_TAIL(&outbox->queue, waiting, entry);
	outbox->n++;
	return CDOP_OK;
}

/*
 * What does not fit waits.  Whose frame is lost cannot go on: without memory
 * for one the link is given up.
 */
static enum cdop_err
push(struct outbox *outbox)
{
	size_t n = outbox->n_sealed, i;
	enum cdop_err err;

	outbox->n_sealed = 0;
	err = ipc_send_many(outbox->fd, outbox->sealed, n, &i);
	if (err != CDOP_RESOURCE_EXHAUSTED)
		return err;
	for (; i < n; i++)
		if (queue(outbox, &outbox->sealed[i]) != CDOP_OK)
			return CDOP_UNAVAILABLE;
	return CDOP_OK;
}

enum cdop_err
outbox_send(struct outbox *outbox, uint64_t conn, enum ipc_kind kind,
    struct cdop_bytes bytes)
{
	struct ipc_packet packet = {
	    .conn = conn,
	    .kind = (uint8_t)kind,
	    .bytes = bytes,
	};
	enum cdop_err err;

	if (outbox->fd < 0)
		return CDOP_UNAVAILABLE;
	/* How many keys there are stands in the header. */
	if (kind == IPC_KEYS)
		packet.arg = (uint8_t)(bytes.len / IPC_KEY_LEN);
	if ((err = push(outbox)) != CDOP_OK)
		return err;
	if (outbox_waits(outbox))
		return queue(outbox, &packet);
	err = ipc_send(outbox->fd, &packet);
	if (err == CDOP_RESOURCE_EXHAUSTED)
		return queue(outbox, &packet);
	return err;
}

enum cdop_err
outbox_flush(struct outbox *outbox)
{
	const struct waiting *waiting;
	struct ipc_packet packet;
	enum cdop_err err;

	if ((err = push(outbox)) != CDOP_OK)
		return err;
	while ((waiting = STAILQ_FIRST(&outbox->queue)) != NULL) {
		memset(&packet, 0, sizeof(packet));
		packet.conn = waiting->conn;
		packet.kind = (uint8_t)waiting->kind;
		packet.bytes.data = waiting->bytes;
		packet.bytes.len = waiting->len;
		if (waiting->kind == IPC_KEYS)
			packet.arg = (uint8_t)(waiting->len / IPC_KEY_LEN);
		err = ipc_send(outbox->fd, &packet);
		if (err == CDOP_RESOURCE_EXHAUSTED)
			return CDOP_OK;
		if (err != CDOP_OK)
			return err;
		drop_first(outbox);
	}
	return CDOP_OK;
}

enum cdop_err
outbox_session(struct outbox *outbox, struct session *session)
{
	struct ipc_packet *packet;
	enum cdop_err err;

	while (!outbox_waits(outbox) && session_queued(session) > 0) {
		packet = &outbox->sealed[outbox->n_sealed];
		*packet = (struct ipc_packet){
		    .conn = session->conn,
		    .kind = IPC_FRAME,
		};
		err = session_seal(
		    session, outbox->room[outbox->n_sealed], &packet->bytes);
		if (err != CDOP_OK)
			return err;
		if (packet->bytes.len == 0)
			break;
		session->unconfirmed += packet->bytes.len;
		if (++outbox->n_sealed < IPC_SEND_MAX)
			continue;
		if ((err = push(outbox)) != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}
