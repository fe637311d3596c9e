/*
 * Turns of keys: the one that is under way and those that were, each a
 * ROTATION row.  What has to be done next stands in rotation_step.h.
 *
 * A rotation gives areas new epoch keys, has every case key wrapped by them
 * and destroys the old ones; or it gives the registry a new root.  There is
 * one at a time.
 */
#ifndef CDOP_REGISTRY_ROTATION_H
#define CDOP_REGISTRY_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "server/registry/registry.h"

struct rotation;

#define ROTATION_KEPT      100
#define ROTATION_AREAS_MAX 256                 /* that one request names */
#define ROTATION_WAIT_MS   UINT64_C(259200000) /* for holders: 72 hours */

/* So long one person may hold one, all in all: others wait for its end. */
#define ROTATION_HELD_MS 86400000ull

/* What is kept of each in memory; the row has the rest. */
struct rotation_job {
	uint64_t row;
	uint64_t total; /* case keys to be wrapped anew, once that is known */
	uint64_t floor; /* what it makes has key ids from here on */
	uint64_t until_ms; /* a root that waits for its holders */
	uint32_t number;
	Cdop__KeyWhat what;
	Cdop__KeyPhase phase;
	bool paused;        /* for as long as rotation_is_held() */
	uint64_t paused_ms; /* since when */
	uint64_t held_ms;   /* in pauses before */
	uint64_t ended_ms;  /* 0: not yet */
	bool compromised;
	bool given_up;
};

/* How far it is. */
struct rotation_pace {
	uint64_t since_ms; /* the phase in this vault; 0: none yet */
	uint64_t worked;   /* keys since then */
	size_t at;         /* where in the key table to go on */
};

struct rotation_new {
	Cdop__KeyWhat what;
	char **area;
	size_t n_area;
	const char *reason;
	bool reseal;
	bool compromised; /* with areas: reseal, too */
	uint32_t requester;
	uint32_t approver;
	uint64_t now_ms;
};

/* reg is borrowed.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err rotation_new(
    struct registry *reg, struct rotation **ret_rotation);
/* NULL is fine. */
void rotation_free(struct rotation *rotation);

/* One row, while the registry is opened.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err rotation_load(struct rotation *rotation, uint64_t row,
    const Cdop__StoredRotation *stored);

/* The one under way, paused or not; NULL: none. */
const struct rotation_job *rotation_running(const struct rotation *rotation);

/* It is paused, and the time for which it may be is not over. */
bool rotation_is_held(const struct rotation *rotation);

/* Between batches, and where the time is known: it is that now. */
void rotation_set_now(struct rotation *rotation, uint64_t now_ms);

/* Number i of those kept, newest first; NULL: there are no more. */
const struct rotation_job *rotation_at(
    const struct rotation *rotation, size_t i);

/* All of one, in arena.  Errors of rows_get(). */
CDOP_MUST enum cdop_err rotation_read(const struct rotation *rotation,
    const struct rotation_job *job, struct cdop_arena *arena,
    Cdop__StoredRotation **ret_stored);

/* The one under way is a root that waits for its holders (rotation_renew.h). */
bool rotation_waits(const struct rotation *rotation);

/*
 * Of the roots that somebody had the newest, where it still is the root: no
 * renewal has begun to take its place.  It waits, or was given up.  NULL: none.
 */
const struct rotation_job *rotation_root_had(const struct rotation *rotation);

/* The number of the one that made the root there is; 0: it is the first. */
uint32_t rotation_root(const struct rotation *rotation);

/*
 * The newest root that was made anew because somebody had the one before, and
 * is in use; NULL: none.
 */
const struct rotation_job *rotation_root_renewed(
    const struct rotation *rotation);

/*
 * Begins one, in the open transaction; one that waits for holders is given up
 * for it.  CDOP_FAILED_PRECONDITION: there is one that does not wait.  The
 * areas have to be some that have a key.
 */
CDOP_MUST enum cdop_err rotation_begin(struct rotation *rotation,
    struct cdop_arena *arena, const struct rotation_new *new,
    uint32_t *ret_number);

/*
 * Holds the one under way, or has it go on; nothing where it is so.
 * CDOP_FAILED_PRECONDITION: there is none.  CDOP_RESOURCE_EXHAUSTED, too: it
 * was held for ROTATION_HELD_MS.
 */
CDOP_MUST enum cdop_err rotation_pause(struct rotation *rotation,
    struct cdop_arena *arena, bool paused, uint64_t now_ms);

/*
 * What an act about keys is bound to: the rotations there were and, for a root
 * that somebody had, the slots that there are.
 */
void rotation_target(const struct rotation *rotation,
    const struct rotation_new *new, uint8_t out[static 32]);

/* ---- For the other rotation_*.c only ---- */

struct registry *rotation_registry(struct rotation *rotation);
struct rotation_pace *rotation_pace(struct rotation *rotation);

/* A step failed, or the first one since then did not: shown in status. */
void rotation_set_stalled(struct rotation *rotation, bool stalled);
bool rotation_is_stalled(const struct rotation *rotation);

/* The copy that the registry has under way is this one's. */
void rotation_set_copies(struct rotation *rotation, bool copies);
bool rotation_copies(const struct rotation *rotation);

/* One that waits has waited long enough. */
void rotation_set_late(struct rotation *rotation, bool late);
bool rotation_is_late(const struct rotation *rotation);

/* A leaf of its own, of one of the events of keys. */
CDOP_MUST enum cdop_err rotation_leaf(struct rotation *rotation,
    struct cdop_arena *arena, uint32_t event, const char *reason,
    uint64_t count, uint64_t now_ms);

/* Ends the one that waits, with nothing done. */
CDOP_MUST enum cdop_err rotation_give_up(
    struct rotation *rotation, struct cdop_arena *arena, uint64_t now_ms);

/* Puts the one under way as it is now. */
CDOP_MUST enum cdop_err rotation_put(struct rotation *rotation,
    struct cdop_arena *arena, Cdop__StoredRotation *stored);

#endif
