/* The rule for objects, and the two counters that slow a guesser down. */
#include "server/registry/access.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/profile.h"
#include "cdop/role.h"

#define HOUR_MS 3600000u
#define DAY_MS  86400000u
#define SLOTS   4096u /* a power of two, far over the devices there are */

struct count {
	uint32_t who; /* 0: free */
	uint32_t n;
	uint64_t span; /* number of the hour or day */
};

struct access_limits {
	struct count miss[SLOTS];
	struct count ask[SLOTS];
};

static void
set_area(struct access *access, uint16_t area)
{
	if (area < ACCESS_AREAS)
		access->area[area / 8] |= (uint8_t)(1u << area % 8);
}

void
access_init(struct access *access, const struct actor *actor,
    const struct index *index, const struct cdop_profile *profile)
{
	const struct cdop_area *holding = cdop_profile_holding(profile);
	uint16_t number;
	size_t i;

	memset(access, 0, sizeof(*access));
	access->actor = actor;
	access->all = actor->all_areas;
	/* An area that no case has needs no mark. */
	for (i = 0; i < actor->n_areas; i++)
		if (index_word_find(index, actor->areas[i], &number))
			set_area(access, number);
	if (holding != NULL)
		access->has_holding =
		    index_word_find(index, holding->id, &access->holding);
}

static bool
is_holding(const struct access *access, uint16_t area)
{
	return access->has_holding && area == access->holding;
}

bool
access_works_for(const struct access *access, uint16_t area)
{
	if (access->all)
		return true;
	return area < ACCESS_AREAS && !is_holding(access, area) &&
	    (access->area[area / 8] >> area % 8 & 1) != 0;
}

bool
access_may_see_some(const struct access *access, uint16_t area)
{
	return access->actor->role == CDOP_ROLE_COORDINATOR &&
	    (access_works_for(access, area) || is_holding(access, area));
}

bool
access_may_see(const struct access *access, const struct index_post *post)
{
	if (access->actor->role != CDOP_ROLE_COORDINATOR ||
	    post->status == INDEX_ERASED)
		return false;
	if (access_works_for(access, post->owner))
		return true;
	return is_holding(access, post->owner) && post->registered_by != 0 &&
	    post->registered_by == access->actor->person;
}

bool
access_may_see_area(const struct access *access, const struct cdop_area *area,
    uint32_t registered_by)
{
	const struct actor *actor = access->actor;
	size_t i;

	if (actor->role != CDOP_ROLE_COORDINATOR)
		return false;
	if (access->all)
		return true;
	if (area->holding)
		return registered_by != 0 && registered_by == actor->person;
	for (i = 0; i < actor->n_areas; i++)
		if (strcmp(actor->areas[i], area->id) == 0)
			return true;
	return false;
}

bool
access_may_know(const struct access *access, const struct index_post *post)
{
	const struct index_interest *interest = index_post_interests(post);
	size_t i;

	if (access->actor->role != CDOP_ROLE_PARTNER)
		return false;
	if (post->status == INDEX_WITHDRAWN || post->status == INDEX_ERASED)
		return false;
	if (!is_holding(access, post->owner) &&
	    access_works_for(access, post->owner))
		return true;
	for (i = 0; i < post->n_interest; i++)
		if (interest[i].known &&
		    !is_holding(access, interest[i].area) &&
		    access_works_for(access, interest[i].area))
			return true;
	return false;
}

/* ---- limits ------------------------------------------------------------ */

enum cdop_err
access_limits_new(struct access_limits **ret_limits)
{
	struct access_limits *limits = calloc(1, sizeof(*limits));

	if (limits == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_limits = limits;
	return CDOP_OK;
}

void
access_limits_free(struct access_limits *limits)
{
	free(limits);
}

/*
 * The count of somebody, or the place for it: a free one or one of a span
 * that is over.  In a full table, which takes more devices than a registry
 * has, a neighbour's count is shared: it only limits more.
 */
static struct count *
count_of(struct count *table, uint32_t who, uint64_t span)
{
	struct count *place = NULL, *at;
	uint32_t i;

	for (i = 0; i < SLOTS; i++) {
		at = &table[(who + i) % SLOTS];
		if (at->who == who && at->span == span)
			return at;
		if (place == NULL && (at->who == 0 || at->span != span))
			place = at;
		if (at->who == 0)
			break;
	}
	if (place == NULL)
		return &table[who % SLOTS];
	place->who = who;
	place->span = span;
	place->n = 0;
	return place;
}

bool
access_limits_may_look(const struct access_limits *limits, uint32_t device,
    uint64_t now_ms, uint32_t per_hour)
{
	uint64_t hour = now_ms / HOUR_MS;
	const struct count *at;
	uint32_t i;

	for (i = 0; i < SLOTS; i++) {
		at = &limits->miss[(device + i) % SLOTS];
		if (at->who == device && at->span == hour)
			return at->n < per_hour;
		if (at->who == 0)
			break;
	}
	return true;
}

void
access_limits_miss(
    struct access_limits *limits, uint32_t device, uint64_t now_ms)
{
	struct count *count = count_of(limits->miss, device, now_ms / HOUR_MS);

	if (count->n < UINT32_MAX)
		count->n++;
}

bool
access_limits_ask(struct access_limits *limits, uint32_t person,
    uint64_t now_ms, uint32_t per_day)
{
	struct count *count = count_of(limits->ask, person, now_ms / DAY_MS);

	if (count->n >= per_day)
		return false;
	count->n++;
	return true;
}

void
access_limits_missed(struct access_limits *limits, uint32_t device,
    uint64_t at_ms, uint64_t newest_ms)
{
	if (at_ms / HOUR_MS == newest_ms / HOUR_MS)
		access_limits_miss(limits, device, at_ms);
}

void
access_limits_asked(struct access_limits *limits, uint32_t person,
    uint64_t at_ms, uint64_t newest_ms)
{
	if (at_ms / DAY_MS == newest_ms / DAY_MS)
		(void)access_limits_ask(limits, person, at_ms, UINT32_MAX);
}
