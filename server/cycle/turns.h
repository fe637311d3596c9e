/*
 * Whose calls are taken next: in turn by device, however many sessions it
 * has, and within a device by session.  Who was served last comes last, so
 * that nobody waits for more than one turn of each of the others.
 *
 * A turn is one call, or as many of them as take a millisecond: who asks for
 * what takes long has fewer.  That is known of what was served before, and
 * where it is wrong the end of a part of the time puts it right.
 */
#ifndef CDOP_CYCLE_TURNS_H
#define CDOP_CYCLE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "cdop/err.h"

struct session;

/* All signed-in sessions of a device, or of an invitation. */
struct turn {
	uint64_t who;
	TAILQ_HEAD(, session) sessions; /* who was served last is last */
	size_t n_sessions;
	uint32_t each; /* calls of a turn */
	uint64_t used_us;
	uint32_t used; /* by so many, since turns_begin() */

	/* What is gathered of it. */
	struct session *next;
	uint32_t asks;   /* items */
	uint32_t leaves; /* that these will be, at least */
	bool dry;        /* it has no more */
	TAILQ_ENTRY(turn) entry;
};

TAILQ_HEAD(turns, turn);

/* A session that has signed in.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err turns_join(
    struct turns *turns, struct session *session);

/* It ends; one that has not joined is fine. */
void turns_leave(struct turns *turns, struct session *session);

/* A batch is gathered: nothing of anybody is in it. */
void turns_begin(struct turns *turns);

/* The session of it to be asked next: round and round. */
struct session *turns_next(struct turn *turn);

/* Something of this session was done, and took so long. */
void turns_served(
    struct turns *turns, struct session *session, uint64_t took_us);

#endif
