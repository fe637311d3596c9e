/*
 * Packets from the gate, each to its session: announcements, handshake
 * messages, frames of the stream.  Nothing in a header is believed.
 */
#include <string.h>

#include "cdop/limits.h"
#include "cdop/link.h"
#include "server/base/clock.h"
#include "server/cycle/cycle_state.h"
#include "server/cycle/meter.h"
#include "server/registry/audit.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/vault/boot_set.h"

/* Messages of one turn; the next turn takes the rest. */
#define DRAIN_ROUNDS 4

static const struct cdop_bytes nothing;

static void
take_open(
    struct cycle *cycle, const struct ipc_packet *packet, uint64_t boot_ms)
{
	struct session *session;
	enum cdop_err err;

	if (packet->conn <= cycle->last_conn) {
		/* Used before: a gate that does this is broken or worse. */
		cycle->link_dead = true;
		return;
	}
	cycle->last_conn = packet->conn;
	if (cycle->n_sessions >= CDOP_VAULT_SESSIONS_MAX ||
	    cycle->n_half_open >= CDOP_VAULT_HALF_OPEN_MAX) {
		cycle->refused++;
		meter_refused(cycle);
		cycle_send(cycle, packet->conn, IPC_CLOSE, nothing);
		return;
	}
	err = session_new(
	    cycle->args.mem, packet->conn, packet->bytes, boot_ms, &session);
	if (err != CDOP_OK) {
		cycle->refused++;
		meter_refused(cycle);
		cycle_send(cycle, packet->conn, IPC_CLOSE, nothing);
		return;
	}
	session->server_key = packet->arg == 1;
	LIST_INSERT_HEAD(
	    &cycle->bucket[packet->conn % CYCLE_BUCKETS], session, by_conn);
	TAILQ_INSERT_TAIL(&cycle->sessions, session, in_all);
	cycle->n_sessions++;
	cycle->n_half_open++;
}

/* By the time of leaves: what has expired stays so (TRUST S10). */
static struct session_server
server_of(const struct cycle *cycle, uint64_t boot_ms)
{
	const struct boot_set *boot = cycle->args.boot;
	struct session_server server;

	memset(&server, 0, sizeof(server));
	if (cycle->reg == NULL) {
		server.registry_id = cycle->args.registry;
		server.secret[0] = boot->link[0];
		server.secret[1] = boot->n_keys > 1 ? boot->link[1] : NULL;
		server.boot = boot;
		return server;
	}
	server.registry_id = cycle->reg->id;
	server.secret[0] = cycle->reg->link_secret;
	server.secret[1] = cycle->reg->link_secret_next;
	server.public[0] = cycle->reg->link_public[0];
	server.public[1] = cycle->reg->link_public[1];
	server.people = cycle->reg->people;
	server.now_ms = audit_time(cycle->reg->audit, clock_wall_ms(), boot_ms);
	return server;
}

/* Unauthenticated, and worth an exit code and no more. */
static void
hint_sealed(struct cycle *cycle, struct session *session)
{
	static const uint8_t hint = CDOP_LINK_HINT_SEALED;

	cycle_send(
	    cycle, session->conn, IPC_FRAME, (struct cdop_bytes){&hint, 1});
	cycle_close(cycle, session);
}

/* Sealed, all but custodians get the hint, whatever it is they sent. */
static void
take_message1(struct cycle *cycle, struct session *session,
    struct cdop_bytes message, uint64_t boot_ms)
{
	bool is_sealed = cycle->reg == NULL;
	struct session_server server;
	uint8_t out[CDOP_LINK_MESSAGE2_LEN];

	if (is_sealed && (cycle->args.boot == NULL || cycle->budget == 0)) {
		hint_sealed(cycle, session);
		return;
	}
	if (cycle->budget == 0) {
		cycle_refuse(cycle, session);
		return;
	}
	cycle->budget--;
	server = server_of(cycle, boot_ms);
	if (session_message1(session, &server, message, out) != CDOP_OK) {
		if (is_sealed)
			hint_sealed(cycle, session);
		else
			cycle_refuse(cycle, session);
		return;
	}
	cycle_send(cycle, session->conn, IPC_FRAME,
	    (struct cdop_bytes){out, sizeof(out)});
}

_Static_assert(
    PEOPLE_DEVICES_EACH *CDOP_DEVICE_SESSIONS_MAX < CDOP_VAULT_SESSIONS_MAX,
    "one person keeps the others out");

/* Nobody keeps the others out, with one device or with all there may be. */
static void
make_room(struct cycle *cycle, const struct turn *turn)
{
	struct session *session, *oldest = NULL;

	if (turn->n_sessions <= CDOP_DEVICE_SESSIONS_MAX)
		return;
	TAILQ_FOREACH(session, &turn->sessions, in_turn)
		if (oldest == NULL || session->conn < oldest->conn)
			oldest = session;
	cycle_close(cycle, oldest);
}

static void
take_message3(struct cycle *cycle, struct session *session,
    struct cdop_bytes message, uint64_t boot_ms)
{
	struct session_server server = server_of(cycle, boot_ms);
	uint32_t device;

	if (session_message3(session, &server, message) != CDOP_OK) {
		cycle_refuse(cycle, session);
		return;
	}
	cycle->n_half_open--;
	device = session->peer.device;
	if (turns_join(&cycle->turns, session) != CDOP_OK ||
	    (device != 0 && device == cycle->args.held_back &&
		boot_ms < cycle->held_until_ms)) {
		cycle_close(cycle, session);
		return;
	}
	if (cycle->reg == NULL)
		boot_calls_begin(cycle, session);
	make_room(cycle, session->turn);
}

static void
note_active(struct session *session, uint64_t boot_ms)
{
	session->active_ms = boot_ms;
	session->active_us = clock_us();
}

static void
take_frame(struct cycle *cycle, struct session *session,
    struct cdop_bytes message, uint64_t boot_ms)
{
	note_active(session, boot_ms);
	switch (session->state) {
	case SESSION_WAITS_1:
		take_message1(cycle, session, message, boot_ms);
		return;
	case SESSION_WAITS_3:
		if (cycle->reg == NULL && cycle->args.boot == NULL)
			cycle_refuse(cycle, session);
		else
			take_message3(cycle, session, message, boot_ms);
		return;
	case SESSION_OPENING:
	case SESSION_OPEN:
		if (session_frame(session, message) != CDOP_OK)
			cycle_refuse(cycle, session);
		else if (cycle->reg == NULL)
			boot_calls_take(cycle, session);
		else
			session_note_partial(session, boot_ms);
		return;
	case SESSION_ENDING:
		return;
	}
}

static void
take_sent(struct session *session, struct cdop_bytes bytes)
{
	uint64_t sent = bytes.len == 4 ? cdop_get32(bytes.data) : 0;

	session->unconfirmed -=
	    sent < session->unconfirmed ? sent : session->unconfirmed;
}

static void
take_packet(
    struct cycle *cycle, const struct ipc_packet *packet, uint64_t boot_ms)
{
	struct session *session;

	if (packet->kind == IPC_OPEN) {
		take_open(cycle, packet, boot_ms);
		return;
	}
	session = cycle_find(cycle, packet->conn);
	if (session == NULL)
		return; /* closed here while this was on its way */
	switch (packet->kind) {
	case IPC_FRAME:
		if (!session->discarding)
			take_frame(cycle, session, packet->bytes, boot_ms);
		return;
	case IPC_SENT:
		take_sent(session, packet->bytes);
		return;
	case IPC_CLOSED:
	case IPC_DISCARDED:
		cycle_drop(cycle, session);
		return;
	default:
		cycle->link_dead = true;
		return;
	}
}

/* False: nothing has come, and maybe nothing will. */
static bool
receive(struct cycle *cycle)
{
	cycle->inbox_at = 0;
	cycle->inbox_n = 0;
	if (ipc_recv_many(cycle->link, cycle->inbox, IPC_INBOX_MAX,
		&cycle->inbox_n) != CDOP_OK)
		cycle->link_dead = true;
	return cycle->inbox_n > 0;
}

static const struct ipc_packet *
next(const struct cycle *cycle)
{
	return cycle->inbox_at < cycle->inbox_n && !cycle->link_dead
	    ? ipc_inbox_get(cycle->inbox, cycle->inbox_at)
	    : NULL;
}

static void
take_packets(struct cycle *cycle, uint64_t boot_ms)
{
	const struct ipc_packet *packet;

	for (; (packet = next(cycle)) != NULL; cycle->inbox_at++)
		take_packet(cycle, packet, boot_ms);
}

void
intake_drain(struct cycle *cycle, uint64_t boot_ms)
{
	int round;

	take_packets(cycle, boot_ms); /* that a batch has left */
	for (round = 0; round < DRAIN_ROUNDS && !cycle->link_dead; round++) {
		if (!receive(cycle))
			return;
		take_packets(cycle, boot_ms);
		if (cycle->inbox_n < IPC_INBOX_MAX)
			return;
	}
}

/* False: it is not for now. */
static bool
take_meanwhile(
    struct cycle *cycle, const struct ipc_packet *packet, uint64_t boot_ms)
{
	struct session *session = cycle_find(cycle, packet->conn);

	if (session == NULL || session->discarding ||
	    session->state != SESSION_OPEN)
		return false;
	if (packet->kind == IPC_SENT) {
		take_sent(session, packet->bytes);
		return true;
	}
	/* One that does not open is tried again, and ends it then. */
	if (packet->kind != IPC_FRAME ||
	    session_frame(session, packet->bytes) != CDOP_OK)
		return false;
	note_active(session, boot_ms);
	session_note_partial(session, boot_ms);
	return true;
}

bool
intake_join(struct cycle *cycle, uint64_t boot_ms)
{
	const struct ipc_packet *packet;
	bool taken = false;

	if (cycle->link < 0 || cycle->link_dead)
		return false;
	if (next(cycle) == NULL)
		(void)receive(cycle);
	for (; (packet = next(cycle)) != NULL &&
	     take_meanwhile(cycle, packet, boot_ms);
	     cycle->inbox_at++)
		taken = true;
	return taken;
}

bool
intake_waits(const struct cycle *cycle)
{
	return cycle->inbox_at < cycle->inbox_n;
}
