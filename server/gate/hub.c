/* All connections of the gate, and the one socket to the vault. */
#include "server/gate/hub.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/fds.h"
#include "server/base/log.h"
#include "server/gate/link.h"

#define HUB_ROUNDS   4 /* of IPC_INBOX_MAX messages before others have a turn */
#define HUB_SWEEP_MS 250

static void
on_bury(evutil_socket_t fd, short what, void *arg)
{
	struct hub *hub = arg;
	struct link *link;

	(void)fd;
	(void)what;
	while ((link = TAILQ_FIRST(&hub->graves)) != NULL) {
		TAILQ_REMOVE(&hub->graves, link, all);
		link_free(link);
	}
	hub->changed(hub->changed_ctx);
}

void
hub_bury_later(struct hub *hub)
{
	event_active(hub->bury, EV_TIMEOUT, 0);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct hub *hub = arg;
	uint64_t now = clock_ms();
	struct link *link, *next;

	(void)fd;
	(void)what;
	for (link = TAILQ_FIRST(&hub->links); link != NULL; link = next) {
		next = TAILQ_NEXT(link, all);
		link_check(link, now);
	}
}

static struct link *
find_link(struct hub *hub, uint64_t conn)
{
	struct link *link;

	LIST_FOREACH(link, &hub->buckets[conn % HUB_BUCKETS], bucket) {
		if (link->conn == conn)
			return link;
	}
	return NULL;
}

struct link *
hub_slowest(const struct hub *hub, struct link *link)
{
	struct link *other, *found = link;

	TAILQ_FOREACH(other, &hub->links, all) {
		if (other->stuck_ms != 0 &&
		    (found->stuck_ms == 0 || other->stuck_ms < found->stuck_ms))
			found = other;
	}
	return found;
}

bool
hub_has_room(const struct hub *hub)
{
	return hub->keys_known && hub->n_links < hub->conf.gate_connections;
}

/* ---- to the vault ---- */

static void
post(struct hub *hub)
{
	if (ipc_parcel_send(hub->vault, &hub->parcel) == CDOP_OK)
		return;
	/* Full: wait for room.  Gone: the end of the file will say so. */
	hub->blocked = true;
	event_add(hub->vault_write, NULL);
}

static void
on_post(evutil_socket_t fd, short what, void *arg)
{
	struct hub *hub = arg;

	(void)fd;
	(void)what;
	/* Without a vault there is nothing in it. */
	if (!hub->lost && !hub->blocked)
		post(hub);
}

/* Taken here, and sent with the rest of this turn. */
static bool
send_now(struct hub *hub, uint64_t conn, enum ipc_kind kind, uint8_t arg,
    struct cdop_bytes bytes)
{
	struct ipc_packet packet = {conn, (uint8_t)kind, arg, bytes};

	if (hub->vault < 0 || hub->lost || hub->blocked)
		return false;
	if (!ipc_parcel_add(&hub->parcel, &packet)) {
		post(hub);
		if (hub->blocked)
			return false;
		(void)!ipc_parcel_add(&hub->parcel, &packet);
	}
	/* It comes behind all that are active by now. */
	event_active(hub->post, EV_TIMEOUT, 0);
	return true;
}

bool
hub_send(struct hub *hub, uint64_t conn, enum ipc_kind kind, uint8_t arg,
    struct cdop_bytes bytes)
{
	return STAILQ_EMPTY(&hub->debts) &&
	    send_now(hub, conn, kind, arg, bytes);
}

static void
pay_debts(struct hub *hub)
{
	struct cdop_bytes none = {NULL, 0};
	struct hub_debt *debt;

	while ((debt = STAILQ_FIRST(&hub->debts)) != NULL) {
		if (!send_now(hub, debt->conn, debt->kind, 0, none))
			return;
		STAILQ_REMOVE_HEAD(&hub->debts, next);
		free(debt);
	}
}

static void
forget_debts(struct hub *hub)
{
	struct hub_debt *debt;

	while ((debt = STAILQ_FIRST(&hub->debts)) != NULL) {
		STAILQ_REMOVE_HEAD(&hub->debts, next);
		free(debt);
	}
}

void
hub_owe(struct hub *hub, uint64_t conn, enum ipc_kind kind)
{
	struct hub_debt *debt;

	if (hub->vault < 0 || hub->lost)
		return;
	if ((debt = calloc(1, sizeof(*debt))) == NULL) {
		hub->broken = true;
		event_base_loopbreak(hub->base);
		return;
	}
	debt->conn = conn;
	debt->kind = kind;
	STAILQ_INSERT_TAIL(&hub->debts, debt, next);
	pay_debts(hub);
}

static void
on_vault_write(evutil_socket_t fd, short what, void *arg)
{
	struct hub *hub = arg;
	struct link *link, *next;

	(void)fd;
	(void)what;
	hub->blocked = false;
	post(hub);
	pay_debts(hub);
	for (link = TAILQ_FIRST(&hub->links); link != NULL; link = next) {
		next = TAILQ_NEXT(link, all);
		if (hub->blocked)
			return;
		link_resume(link);
	}
}

/* ---- from the vault ---- */

static void
take_keys(struct hub *hub, const struct ipc_packet *packet)
{
	size_t i;

	if (packet->arg > HUB_KEYS_MAX ||
	    packet->bytes.len != (size_t)packet->arg * IPC_KEY_LEN) {
		log_error("vault.keys", "problem=malformed");
		hub->broken = true;
		event_base_loopbreak(hub->base);
		return;
	}
	for (i = 0; i < packet->arg; i++)
		cdop_link_mac1_key(
		    hub->mac1_keys[i], packet->bytes.data + i * IPC_KEY_LEN);
	hub->n_keys = packet->arg;
	hub->keys_known = true;
	hub->changed(hub->changed_ctx);
}

static void
take_packet(struct hub *hub, const struct ipc_packet *packet)
{
	struct link *link;

	if (packet->kind == IPC_KEYS) {
		take_keys(hub, packet);
		return;
	}
	link = find_link(hub, packet->conn);
	if (packet->kind == IPC_DISCARD) {
		if (link != NULL)
			link_discard(link);
		/* Nothing of an unknown one is held either. */
		hub_owe(hub, packet->conn, IPC_DISCARDED);
	} else if (link != NULL && packet->kind == IPC_FRAME) {
		link_queue(link, packet->bytes);
	} else if (link != NULL && packet->kind == IPC_CLOSE) {
		link_finish(link);
	} else if (link != NULL && packet->kind == IPC_TAKEN &&
	    packet->bytes.len == 4) {
		link_taken(link, cdop_get32(packet->bytes.data));
	}
	/* The rest goes the other way, or its connection has just gone. */
}

/* Written in one go once all packets that wait are taken. */
static void
flush_dirty(struct hub *hub)
{
	struct link *link;

	while ((link = TAILQ_FIRST(&hub->dirty)) != NULL) {
		TAILQ_REMOVE(&hub->dirty, link, dirty);
		link->is_dirty = false;
		link_flush(link);
	}
}

static void
on_vault_read(evutil_socket_t fd, short what, void *arg)
{
	struct hub *hub = arg;
	enum cdop_err err = CDOP_OK;
	size_t n, i, round;

	(void)what;
	for (round = 0; round < HUB_ROUNDS; round++) {
		err = ipc_recv_many((int)fd, hub->inbox, IPC_INBOX_MAX, &n);
		if (err != CDOP_OK)
			break;
		for (i = 0; i < n; i++)
			take_packet(hub, ipc_inbox_get(hub->inbox, i));
		if (n < IPC_INBOX_MAX)
			break;
	}
	flush_dirty(hub);
	if (err == CDOP_OK)
		return;
	hub->lost = true;
	event_del(hub->vault_read);
	event_del(hub->vault_write);
	hub_bury_later(hub); /* whoever looks after us is told from there */
}

/* ---- its life ---- */

static struct event *
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
	return NULL;
}

void
hub_detach(struct hub *hub)
{
	struct link *link;

	hub->vault_read = free_event(hub->vault_read);
	hub->vault_write = free_event(hub->vault_write);
	fds_close(hub->vault);
	hub->vault = -1;
	hub->blocked = false;
	hub->parcel.n = 0;
	hub->parcel.len = 0;
	hub->keys_known = false;
	hub->n_keys = 0;
	while ((link = TAILQ_FIRST(&hub->links)) != NULL)
		link_lose(link);
	forget_debts(hub);
}

enum cdop_err
hub_attach(struct hub *hub, int vault)
{
	hub_detach(hub);
	hub->vault = vault;
	hub->lost = false;
	hub->vault_read = event_new(
	    hub->base, vault, EV_READ | EV_PERSIST, on_vault_read, hub);
	hub->vault_write =
	    event_new(hub->base, vault, EV_WRITE, on_vault_write, hub);
	if (hub->vault_read == NULL || hub->vault_write == NULL ||
	    event_add(hub->vault_read, NULL) < 0)
		return CDOP_RESOURCE_EXHAUSTED;
	hub->changed(hub->changed_ctx);
	return CDOP_OK;
}

static void
nobody(void *ctx)
{
	(void)ctx;
}

enum cdop_err
hub_new(struct event_base *base, const struct config *conf, uint64_t first_conn,
    struct hub **ret_hub)
{
	struct timeval tv = clock_timeval(HUB_SWEEP_MS);
	struct hub *hub;
	enum cdop_err err;

	if ((hub = calloc(1, sizeof(*hub))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	hub->base = base;
	hub->conf = *conf;
	hub->vault = -1;
	hub->next_conn = first_conn;
	hub->changed = nobody;
	STAILQ_INIT(&hub->debts);
	TAILQ_INIT(&hub->links);
	TAILQ_INIT(&hub->half_open);
	TAILQ_INIT(&hub->dirty);
	TAILQ_INIT(&hub->graves);
	err = limits_new(&hub->conf, &hub->limits);
	if (err == CDOP_OK)
		err = ipc_inbox_new(&hub->inbox);
	hub->bury = event_new(base, -1, 0, on_bury, hub);
	hub->post = event_new(base, -1, 0, on_post, hub);
	hub->sweep = event_new(base, -1, EV_PERSIST, on_sweep, hub);
	if (err == CDOP_OK &&
	    (hub->bury == NULL || hub->post == NULL || hub->sweep == NULL ||
		event_add(hub->sweep, &tv) < 0))
		err = CDOP_RESOURCE_EXHAUSTED;
	if (err == CDOP_OK)
		*ret_hub = hub;
	else
		hub_free(hub);
	return err;
}

void
hub_free(struct hub *hub)
{
	if (hub == NULL)
		return;
	hub->changed = nobody;
	hub_detach(hub);
	/* Outside the loop: nothing of a callback is on the stack. */
	on_bury(-1, 0, hub);
	hub->bury = free_event(hub->bury);
	hub->post = free_event(hub->post);
	hub->sweep = free_event(hub->sweep);
	limits_free(hub->limits);
	ipc_inbox_free(hub->inbox);
	free(hub);
}
