/* What the children say, and the words that follow from it. */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server/base/fds.h"
#include "server/base/log.h"
#include "server/base/notify.h"
#include "server/base/parent_core.h"
#include "server/base/sandbox.h"

const char *
parent_role_name(enum parent_role role)
{
	return role == PARENT_GATE ? "gate" : "vault";
}

/* Both ready: once a line for whoever started us, and the manager's word. */
static void
announce(struct parent *parent)
{
	char text[ADDRESS_TEXT_MAX];
	uint32_t i;

	if (!parent->children[PARENT_GATE].watch.ready ||
	    !parent->children[PARENT_VAULT].watch.ready)
		return;
	/* Sealed is ready for a passphrase, and so its slots are known. */
	if (strcmp(parent->state, "sealed") == 0 && !parent->unseal.heard)
		return;
	notify_send("READY=1\nSTATUS=%s", parent->state);
	if (parent->announced)
		return;
	parent->announced = true;
	printf("cdopd: ready state=%s", parent->state);
	for (i = 0; i < parent->setup.n_listen; i++) {
		address_text(parent->setup.listen_fds[i], text);
		printf(" listen=\"%s\"", text);
	}
	putchar('\n');
	fflush(stdout);
}

static void
take_state(struct parent *parent, const struct control_msg *msg)
{
	size_t len = msg->len, i;

	if (len >= sizeof(parent->state))
		len = sizeof(parent->state) - 1;
	for (i = 0; i < len; i++)
		if (msg->body[i] < 'a' || msg->body[i] > 'z')
			return;
	memcpy(parent->state, msg->body, len);
	parent->state[len] = '\0';
	log_info("state", "state=%s", parent->state);
	if (parent->announced)
		notify_send("STATUS=%s", parent->state);
}

static void
take_ready(struct parent_child *child, const struct control_msg *msg)
{
	struct parent *parent = child->parent;

	if (sandbox_is_off(child->pid)) {
		log_error("sandbox.missing", "child=%s",
		    parent_role_name(child->role));
		kill(child->pid, SIGKILL);
		parent_stop(parent, PARENT_EXIT_SYSTEM);
		return;
	}
	child->watch.ready = true;
	if (child->role == PARENT_VAULT)
		take_state(parent, msg);
	log_info("child.ready", "child=%s pid=%d",
	    parent_role_name(child->role), (int)child->pid);
	announce(parent);
}

static void
take_slots(struct parent *parent, const struct control_msg *msg)
{
	unseal_slots(&parent->unseal, msg);
	if (!parent->announced)
		announce(parent);
}

/*
 * The vault has closed its end, because of what the gate said on it.  Only a
 * new gate helps; where it has died of itself that is on its way, and what
 * is said of an earlier link is late.
 */
static void
take_lost(struct parent *parent, const struct control_msg *msg)
{
	const struct parent_child *gate = &parent->children[PARENT_GATE];
	uint64_t number;

	if (msg->len != sizeof(number))
		return;
	memcpy(&number, msg->body, sizeof(number));
	if (number != parent->links || gate->pid == 0 || parent->stopping)
		return;
	log_warning("gate.broken", "pid=%d", (int)gate->pid);
	kill(gate->pid, SIGKILL);
}

static void
take_message(struct parent_child *child, const struct control_msg *msg)
{
	bool from_vault = child->role == PARENT_VAULT;

	if (msg->kind == CONTROL_READY)
		take_ready(child, msg);
	else if (msg->kind == CONTROL_PONG)
		child->watch.answers = true;
	else if (msg->kind == CONTROL_STATE && from_vault)
		take_state(child->parent, msg);
	else if (msg->kind == CONTROL_SLOTS && from_vault)
		take_slots(child->parent, msg);
	else if (msg->kind == CONTROL_LOST && from_vault)
		take_lost(child->parent, msg);
	watch_heard(&child->watch, from_vault && msg->kind == CONTROL_OPENING);
}

void
parent_hear(evutil_socket_t fd, short what, void *arg)
{
	struct parent_child *child = arg;
	struct control_msg msg;
	enum cdop_err err;

	(void)what;
	while ((err = control_recv((int)fd, &msg)) == CDOP_OK) {
		fds_close(msg.fd); /* children pass none */
		take_message(child, &msg);
	}
	if (err == CDOP_NOT_FOUND)
		return;
	/* Its end is closed: it is dying, and SIGCHLD says how. */
	event_del(child->event);
	if (err != CDOP_UNAVAILABLE)
		kill(child->pid, SIGKILL);
}
