/* Two orders of who was served last: of devices, and of their sessions. */
#include "server/cycle/turns.h"

#include <stdlib.h>

#include "cdop/bytes.h"
#include "server/cycle/session.h"

#define TURN_US  1000
#define EACH_MAX 32

/* Of invitations that are tried the first bytes will do. */
static uint64_t
who_is(const struct dispatch_peer *peer)
{
	if (peer->device != 0)
		return peer->device;
	return cdop_get64(peer->invitation) | 1ull << 63;
}

static struct turn *
find(struct turns *turns, uint64_t who)
{
	struct turn *turn;

	TAILQ_FOREACH(turn, turns, entry)
		if (turn->who == who)
			return turn;
	return NULL;
}

enum cdop_err
turns_join(struct turns *turns, struct session *session)
{
	uint64_t who = who_is(&session->peer);
	struct turn *turn = find(turns, who);

	if (turn == NULL) {
		turn = calloc(1, sizeof(*turn));
		if (turn == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		turn->who = who;
		turn->each = 1;
		TAILQ_INIT(&turn->sessions);
		TAILQ_INSERT_TAIL(turns, turn, entry);
	}
	TAILQ_INSERT_TAIL(&turn->sessions, session, in_turn);
	turn->n_sessions++;
	session->turn = turn;
	return CDOP_OK;
}

void
turns_leave(struct turns *turns, struct session *session)
{
	struct turn *turn = session->turn;

	if (turn == NULL)
		return;
	session->turn = NULL;
	TAILQ_REMOVE(&turn->sessions, session, in_turn);
	if (--turn->n_sessions > 0)
		return;
	TAILQ_REMOVE(turns, turn, entry);
	free(turn);
}

/* How many of those it had last fit into a turn. */
static uint32_t
each_of(const struct turn *turn)
{
	uint64_t each;

	if (turn->used_us == 0)
		return EACH_MAX;
	each = (uint64_t)turn->used * TURN_US / turn->used_us;
	if (each > EACH_MAX)
		return EACH_MAX;
	return each > 0 ? (uint32_t)each : 1;
}

void
turns_begin(struct turns *turns)
{
	struct session *session;
	struct turn *turn;

	TAILQ_FOREACH(turn, turns, entry) {
		if (turn->used > 0)
			turn->each = each_of(turn);
		turn->used = 0;
		turn->used_us = 0;
		turn->next = NULL;
		turn->asks = 0;
		turn->leaves = 0;
		turn->dry = false;
		TAILQ_FOREACH(session, &turn->sessions, in_turn) {
			session->taken = 0;
			session->ahead = 0;
		}
	}
}

struct session *
turns_next(struct turn *turn)
{
	struct session *session = turn->next;

	if (session == NULL)
		session = TAILQ_FIRST(&turn->sessions);
	turn->next = TAILQ_NEXT(session, in_turn);
	return session;
}

void
turns_served(struct turns *turns, struct session *session, uint64_t took_us)
{
	struct turn *turn = session->turn;

	turn->used++;
	turn->used_us += took_us;
	TAILQ_REMOVE(&turn->sessions, session, in_turn);
	TAILQ_INSERT_TAIL(&turn->sessions, session, in_turn);
	TAILQ_REMOVE(turns, turn, entry);
	TAILQ_INSERT_TAIL(turns, turn, entry);
}
