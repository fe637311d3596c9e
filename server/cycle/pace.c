/*
 * One number for each device: when it will have all its calls again.  Each
 * call puts that off by the time of one, and none is taken while it is
 * further away than a whole stretch lasts.
 */
#include "server/cycle/pace.h"

#include <stdlib.h>

#include "cdop/limits.h"

#define SLOTS 4096

struct slot {
	uint64_t who;
	uint64_t whole_ms; /* CLOCK_BOOTTIME; past: as if it were not here */
};

struct pace {
	uint64_t stretch_ms;
	struct slot slot[SLOTS];
};

enum cdop_err
pace_new(uint32_t calls, struct pace **ret_pace)
{
	struct pace *pace = calloc(1, sizeof(*pace));

	if (pace == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	pace->stretch_ms =
	    (uint64_t)(calls != 0 ? calls : CDOP_PACE_CALLS) * CDOP_PACE_MS;
	*ret_pace = pace;
	return CDOP_OK;
}

void
pace_free(struct pace *pace)
{
	free(pace);
}

/*
 * Its slot, or one that is free.  Where all are taken, which is more devices
 * at their limits than a registry has, one is shared: that slows more.
 */
static struct slot *
slot_of(struct pace *pace, uint64_t who, uint64_t boot_ms)
{
	struct slot *at, *place = NULL;
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		at = &pace->slot[(who + i) % SLOTS];
		if (at->who == who)
			return at;
		if (place == NULL && at->whole_ms <= boot_ms)
			place = at;
		if (at->who == 0)
			break;
	}
	return place != NULL ? place : &pace->slot[who % SLOTS];
}

bool
pace_may(struct pace *pace, uint64_t who, uint32_t n, uint64_t boot_ms)
{
	const struct slot *slot = slot_of(pace, who, boot_ms);
	uint64_t behind_ms = (n + 1ull) * CDOP_PACE_MS;

	if (slot->whole_ms > boot_ms)
		behind_ms += slot->whole_ms - boot_ms;
	return behind_ms <= pace->stretch_ms;
}

void
pace_count(struct pace *pace, uint64_t who, uint64_t boot_ms)
{
	struct slot *slot = slot_of(pace, who, boot_ms);

	if (slot->whole_ms <= boot_ms) {
		slot->who = who;
		slot->whole_ms = boot_ms;
	}
	slot->whole_ms += CDOP_PACE_MS;
}
