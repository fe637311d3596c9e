/*
 * Sessions of custodians while the registry is sealed: each call is worked
 * as it comes, outside any batch, because there is nothing to be in one.
 */
#include <string.h>

#include "cdop/arena.h"
#include "server/base/clock.h"
#include "server/cycle/cycle_state.h"
#include "server/registry/audit.h"
#include "server/vault/boot_set.h"

#define CALLS_MAX 8 /* in one go; of a share a set has sixteen */
#define ARENA_MAX ((size_t)256 << 10)

static const struct cdop_bytes nothing;

static struct sealed
sealed_of(const struct cycle *cycle)
{
	return (struct sealed){
	    .registry = cycle->args.registry,
	    .mode = cycle->args.boot->mode,
	    .now_ms = clock_wall_ms(),
	    .share = cycle->args.share,
	    .ctx = cycle->args.share_ctx,
	};
}

void
boot_calls_begin(struct cycle *cycle, struct session *session)
{
	const struct sealed sealed = sealed_of(cycle);
	struct cdop_arena *arena;
	struct cdop_bytes message;
	enum cdop_err err;

	if ((err = cdop_arena_new(ARENA_MAX, &arena)) == CDOP_OK) {
		err = sealed_welcome(&sealed, arena, &message);
		if (err == CDOP_OK)
			err = session_put(session, message);
		cdop_arena_free(arena);
	}
	session->state = err == CDOP_OK ? SESSION_OPEN : SESSION_ENDING;
}

static bool
is_same(const struct cycle_given *a, const struct cycle_given *b)
{
	return a->device == b->device && a->set == b->set &&
	    a->share == b->share && a->taken == b->taken;
}

/*
 * For the log, once there is one; twice is once.  Whoever sends many that are
 * wrong pushes out such ones alone: what opens it has its leaf.
 */
static void
keep(struct cycle *cycle, const struct session *session,
    const struct sealed_shared *shared)
{
	const struct cycle_given now = {
	    .device = session->peer.device,
	    .set = shared->set,
	    .share = shared->x,
	    .taken = shared->taken,
	};
	struct cycle_given *given = cycle->given;
	size_t i, wrong = CYCLE_GIVEN_MAX;

	if (shared->x == 0)
		return;
	for (i = 0; i < cycle->n_given; i++) {
		if (is_same(&given[i], &now))
			return;
		if (!given[i].taken && wrong == CYCLE_GIVEN_MAX)
			wrong = i;
	}
	if (cycle->n_given == CYCLE_GIVEN_MAX) {
		if (wrong == CYCLE_GIVEN_MAX)
			return; /* more good ones than there are */
		cycle->n_given--;
		memmove(&given[wrong], &given[wrong + 1],
		    (cycle->n_given - wrong) * sizeof(*given));
	}
	given[cycle->n_given++] = now;
}

/*
 * One call.  The registry may be open when this returns; what was given last
 * is kept by then (boot_calls_end() has run without it).
 */
static enum cdop_err
work(struct cycle *cycle, struct session *session, struct cdop_bytes message)
{
	const struct sealed sealed = sealed_of(cycle);
	struct sealed_shared shared;
	struct cdop_arena *arena;
	struct cdop_bytes reply;
	enum cdop_err err;

	if ((err = cdop_arena_new(ARENA_MAX, &arena)) != CDOP_OK)
		return err;
	err = sealed_call(&sealed, arena, message, &reply, &shared);
	if (err == CDOP_OK)
		err = session_put(session, reply);
	cdop_arena_free(arena);
	keep(cycle, session, &shared);
	if (cycle->reg != NULL)
		boot_calls_end(cycle);
	return err;
}

void
boot_calls_take(struct cycle *cycle, struct session *session)
{
	struct cdop_bytes message;
	enum cdop_err err = CDOP_OK;
	int i;

	for (i = 0; i < CALLS_MAX && session->state == SESSION_OPEN; i++) {
		err = session_next(session, &message);
		if (err != CDOP_OK || message.data == NULL)
			break;
		err = work(cycle, session, message);
		session_consume(session);
		if (err != CDOP_OK)
			break;
	}
	if (err != CDOP_OK || i == CALLS_MAX)
		session->state = SESSION_ENDING;
}

void
boot_calls_end(struct cycle *cycle)
{
	struct session *session;
	struct batch_item *item;
	size_t i;

	for (i = 0; i < cycle->n_given; i++) {
		item = batch_add(cycle->batch, BATCH_EVENT, NULL, nothing);
		CDOP_ASSERT(item != NULL); /* far fewer than fit */
		item->event = AUDIT_EVENT_SHARE_GIVEN;
		item->event_count = cycle->given[i].share;
		item->event_device = cycle->given[i].device;
		item->event_set =
		    cycle->given[i].taken ? cycle->given[i].set : 0;
		item->event_reason =
		    cycle->given[i].taken ? NULL : "share_wrong";
	}
	cycle->n_given = 0;
	TAILQ_FOREACH(session, &cycle->sessions, in_all)
		if (session->boot && session->state >= SESSION_OPENING)
			session->state = SESSION_ENDING;
}
