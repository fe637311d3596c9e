/*
 * Who may see a case: the one function that decides on objects, for every
 * call that names, finds, lists, counts or compares cases.  What a role may
 * call at all was decided before, by the policy line.
 *
 *	coordinator  cases owned by an area that he or she works for
 *	holding area coordinators of all areas, and whoever registered it
 *	partner      never a case; the restricted question alone: a case is
 *	             known to the areas that own it, or that are marked
 *	             interested and "known".  One in the holding area is known
 *	             to nobody by its owner, and to whom a coordinator has
 *	             marked: that is an act with a reason, made to be answered
 *
 * What is not seen reads exactly as what is not there.
 */
#ifndef CDOP_REGISTRY_ACCESS_H
#define CDOP_REGISTRY_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cdop/err.h"
#include "server/registry/actor.h"
#include "server/registry/index.h"

struct cdop_area;
struct cdop_profile;

#define ACCESS_AREAS 1024 /* of the index's table */

/* What one caller may see now.  Made for a call, never kept. */
struct access {
	const struct actor *actor;
	uint8_t area[ACCESS_AREAS / 8]; /* he or she works for */
	bool all;
	bool has_holding;
	uint16_t holding;
};

void access_init(struct access *access, const struct actor *actor,
    const struct index *index, const struct cdop_profile *profile);

/* Does the caller work for the area of this number? */
bool access_works_for(const struct access *access, uint16_t area);

/* False: the caller sees no case of that area, whatever else there is to it. */
bool access_may_see_some(const struct access *access, uint16_t area);

/* May the caller, a coordinator, see this case? */
bool access_may_see(const struct access *access, const struct index_post *post);

/*
 * May he or she see cases of this area, or of the holding area those that
 * registered_by brought in?  Also where no case has that area yet.
 */
bool access_may_see_area(const struct access *access,
    const struct cdop_area *area, uint32_t registered_by);

/* Is this case known to the caller's areas: the partner's question? */
bool access_may_know(
    const struct access *access, const struct index_post *post);

/* ---- limits ------------------------------------------------------------ */

/*
 * Counts of misses and asks.  They are not part of a batch: one that is
 * aborted and run again counts again, so that nobody guesses for nothing.
 */
struct access_limits;

CDOP_MUST enum cdop_err access_limits_new(struct access_limits **ret_limits);
void access_limits_free(struct access_limits *limits);

/*
 * References that led nowhere, of one device in one hour (TRUST S19).
 * False: the limit is reached, look nothing up.
 */
bool access_limits_may_look(const struct access_limits *limits, uint32_t device,
    uint64_t now_ms, uint32_t per_hour);
void access_limits_miss(
    struct access_limits *limits, uint32_t device, uint64_t now_ms);

/*
 * The partner's questions of one person on one day, UTC.  Counts one and
 * says whether it is still within the limit.
 */
bool access_limits_ask(struct access_limits *limits, uint32_t person,
    uint64_t now_ms, uint32_t per_day);

/*
 * At a start, out of the log: one more of each, at_ms; what an hour or a day
 * had that is over by newest_ms, the last leaf, counts no more.
 */
void access_limits_missed(struct access_limits *limits, uint32_t device,
    uint64_t at_ms, uint64_t newest_ms);
void access_limits_asked(struct access_limits *limits, uint32_t person,
    uint64_t at_ms, uint64_t newest_ms);

#endif
