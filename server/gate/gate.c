/* The gate's loop: what the parent says, and how it stops. */
#include "server/gate/gate.h"

#include <event2/event.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/fds.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "server/gate/hub.h"
#include "server/gate/link.h"
#include "server/gate/listener.h"

#define GATE_DRAIN_MS 3000 /* to write what the vault left behind */

struct gate {
	const struct gate_args *args;
	struct event_base *base;
	struct hub *hub;
	struct event *control;
	struct event *drained; /* the deadline of a stop */
	struct listener *listeners[CONFIG_LISTEN_MAX];
	bool stopping;
	int status;
};

static const struct cdop_bytes nothing = {NULL, 0};

static void
gate_end(struct gate *gate, int status)
{
	gate->status = status;
	event_base_loopbreak(gate->base);
}

/* The vault has finished: everybody gets the rest and a close. */
static void
gate_drain(struct gate *gate)
{
	struct timeval tv = clock_timeval(GATE_DRAIN_MS);
	struct link *link, *next;

	for (link = TAILQ_FIRST(&gate->hub->links); link != NULL; link = next) {
		next = TAILQ_NEXT(link, all);
		link_finish(link);
	}
	if (TAILQ_EMPTY(&gate->hub->links))
		gate_end(gate, 0);
	else if (!event_pending(gate->drained, EV_TIMEOUT, NULL))
		event_add(gate->drained, &tv);
}

/*
 * The parent says stop: nobody new, nothing more from anybody.  The vault
 * finishes what it has and goes; then what it left is written.
 */
static void
gate_stop(struct gate *gate)
{
	struct link *link;
	uint32_t i;

	gate->stopping = true;
	for (i = 0; i < gate->args->n_listen; i++)
		listener_stop(gate->listeners[i]);
	TAILQ_FOREACH(link, &gate->hub->links, all)
		link_mute(link);
	if (gate->hub->lost) /* there is no vault to wait for */
		gate_drain(gate);
}

static void
on_drained(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	gate_end(arg, 0);
}

static void
on_changed(void *ctx)
{
	struct gate *gate = ctx;
	uint32_t i;

	if (gate->hub->lost && gate->stopping)
		gate_drain(gate);
	else if (gate->hub->lost && gate->hub->vault >= 0)
		hub_detach(gate->hub);
	for (i = 0; i < gate->args->n_listen; i++)
		listener_update(gate->listeners[i]);
}

static void
take_config(struct gate *gate, const struct control_msg *msg)
{
	char waiting[200];
	struct config fresh;

	if (msg->len != sizeof(fresh))
		return;
	memcpy(&fresh, msg->body, sizeof(fresh));
	config_reload(&gate->hub->conf, &fresh, waiting, sizeof(waiting));
	log_set_level((enum log_level)gate->hub->conf.log_level);
	on_changed(gate);
}

static void
take_link(struct gate *gate, struct control_msg *msg)
{
	int fd = msg->fd;

	msg->fd = -1; /* the hub's */
	if (fd < 0 || hub_attach(gate->hub, fd) != CDOP_OK)
		gate_end(gate, 1);
}

static void
take_message(struct gate *gate, struct control_msg *msg)
{
	if (msg->kind == CONTROL_LINK)
		take_link(gate, msg);
	else if (msg->kind == CONTROL_STOP)
		gate_stop(gate);
	else if (msg->kind == CONTROL_CONFIG)
		take_config(gate, msg);
	else if (msg->kind == CONTROL_PING &&
	    control_send(gate->args->control, CONTROL_PONG, nothing, -1) !=
		CDOP_OK)
		log_debug("control.full", NULL);
}

static void
on_control(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;
	struct control_msg msg;
	enum cdop_err err;

	(void)what;
	while ((err = control_recv((int)fd, &msg)) == CDOP_OK) {
		take_message(gate, &msg);
		fds_close(msg.fd);
	}
	if (err != CDOP_NOT_FOUND)
		gate_end(gate, 1); /* no parent, no gate */
}

static enum cdop_err
gate_open(struct gate *gate)
{
	const struct gate_args *args = gate->args;
	enum cdop_err err;
	uint32_t i;

	if ((gate->base = event_base_new()) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = hub_new(gate->base, args->conf, args->first_conn, &gate->hub);
	for (i = 0; err == CDOP_OK && i < args->n_listen; i++)
		err = listener_new(
		    gate->hub, args->listen[i], &gate->listeners[i]);
	if (err != CDOP_OK)
		return err;
	gate->control = event_new(
	    gate->base, args->control, EV_READ | EV_PERSIST, on_control, gate);
	gate->drained = event_new(gate->base, -1, 0, on_drained, gate);
	if (gate->control == NULL || gate->drained == NULL ||
	    event_add(gate->control, NULL) < 0)
		return CDOP_RESOURCE_EXHAUSTED;
	gate->hub->changed = on_changed;
	gate->hub->changed_ctx = gate;
	return hub_attach(gate->hub, args->link);
}

static void
gate_close(struct gate *gate)
{
	uint32_t i;

	for (i = 0; i < gate->args->n_listen; i++)
		listener_free(gate->listeners[i]);
	hub_free(gate->hub);
	if (gate->control != NULL)
		event_free(gate->control);
	if (gate->drained != NULL)
		event_free(gate->drained);
	if (gate->base != NULL)
		event_base_free(gate->base);
}

/* Before the first byte of a stranger. */
static enum cdop_err
gate_shut_in(void)
{
	enum cdop_err err;
	bool landlock;

	err = sandbox_enter(SANDBOX_GATE, NULL, 0, &landlock);
	if (err != CDOP_OK)
		log_error("sandbox.failed", "error=%s", cdop_err_name(err));
	else if (!landlock)
		log_warning("sandbox.landlock", "present=no");
	return err;
}

int
gate_main(const struct gate_args *args)
{
	struct gate gate = {.args = args, .status = 1};

	if (gate_open(&gate) == CDOP_OK && gate_shut_in() == CDOP_OK &&
	    control_send(args->control, CONTROL_READY, nothing, -1) == CDOP_OK)
		event_base_dispatch(gate.base);
	if (gate.hub != NULL && gate.hub->broken)
		log_error("gate.broken",
		    "note=\"out of memory or a broken "
		    "vault\"");
	gate_close(&gate);
	return gate.status;
}
