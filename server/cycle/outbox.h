/*
 * What the vault has to say to the gate: packets in order, never waiting.
 * Frames are sealed only when they can be sent, so that ciphertext never
 * piles up here.
 */
#ifndef CDOP_CYCLE_OUTBOX_H
#define CDOP_CYCLE_OUTBOX_H

#include <stdbool.h>

#include "cdop/err.h"
#include "server/base/ipc.h"

struct outbox;
struct session;

CDOP_MUST enum cdop_err outbox_new(struct outbox **ret_outbox);
void outbox_free(struct outbox *outbox);

/* A new link; what was queued for the old one is dropped.  -1: none. */
void outbox_set_link(struct outbox *outbox, int fd);

/*
 * Sends, or queues behind what waits.  CDOP_RESOURCE_EXHAUSTED: the gate
 * does not read at all any more.  CDOP_UNAVAILABLE: it is gone.
 */
CDOP_MUST enum cdop_err outbox_send(struct outbox *outbox, uint64_t conn,
    enum ipc_kind kind, struct cdop_bytes bytes);

/*
 * Sends what waits.  Like outbox_send; also CDOP_OK when the socket is full.
 */
CDOP_MUST enum cdop_err outbox_flush(struct outbox *outbox);

/* Something waits for the socket to become writable. */
bool outbox_waits(const struct outbox *outbox);

/*
 * Seals what a session has queued, as far as the socket takes it.  It is on
 * its way at the latest with the next outbox_flush(), in few system calls for
 * many sessions.  An error that is not CDOP_UNAVAILABLE ends the session.
 */
CDOP_MUST enum cdop_err outbox_session(
    struct outbox *outbox, struct session *session);

#endif
