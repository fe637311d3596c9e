/*
 * The listening sockets: accept, count the source, hand over to link.c.
 * They rest while there is no room, no vault or no descriptor.
 */
#ifndef CDOP_GATE_LISTENER_H
#define CDOP_GATE_LISTENER_H

#include "server/gate/hub.h"

struct listener;

/* fd stays the caller's.  It rests until listener_update. */
CDOP_MUST enum cdop_err listener_new(
    struct hub *hub, int fd, struct listener **ret_listener);

/* NULL is fine. */
void listener_free(struct listener *listener);

/* Listens or rests, as hub_has_room says. */
void listener_update(struct listener *listener);

/* Never again. */
void listener_stop(struct listener *listener);

#endif
