/*
 * A profile file from anybody: it is refused with words, or every look-up
 * in it is sound and it differs from itself in nothing.
 */
#include "cdop/profile.h"

#include <string.h>

#include "cdop/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
look_up(const struct cdop_profile *p, const char *word)
{
	const struct cdop_area *area[2];

	CDOP_ASSERT(cdop_profile_holding(p) != NULL);
	(void)cdop_profile_area_label(p, word);
	(void)cdop_profile_suggest(p, word, area, 2);
	(void)cdop_profile_purpose(p, word, 0);
	(void)cdop_profile_purpose_for(p, word, 0);
}

static void
check(const struct cdop_profile *p, struct cdop_arena *arena)
{
	struct cdop_profile_diff diff;
	size_t i;

	for (i = 0; i < p->n_area; i++) {
		CDOP_ASSERT(cdop_profile_area(p, p->area[i].id) == &p->area[i]);
		CDOP_ASSERT(p->area[i].contact != NULL);
		look_up(p, p->area[i].name);
	}
	for (i = 0; i < p->n_agency; i++)
		CDOP_ASSERT(
		    cdop_profile_agency(p, p->agency[i].id) == &p->agency[i]);
	for (i = 0; i < p->n_list; i++)
		CDOP_ASSERT(
		    cdop_profile_list(p, p->list[i].name) == &p->list[i]);
	for (i = 0; i < p->n_hint; i++)
		look_up(p, p->hint[i].prefix);
	if (cdop_profile_diff(p, p, arena, &diff) == CDOP_OK) {
		CDOP_ASSERT(diff.n_change == 0);
		/* No purpose that goes on, a name that two things have. */
		CDOP_ASSERT(diff.n_refusal <= 2);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct cdop_arena *arena;
	struct cdop_profile_error error = {0};
	struct cdop_profile *profile = NULL;
	const char *text = (const char *)data;
	enum cdop_err err;

	if (arena == NULL && cdop_arena_new(32u << 20, &arena) != CDOP_OK)
		return 0;
	err = cdop_profile_parse(text, len, arena, &profile, &error);
	if (err == CDOP_OK)
		check(profile, arena);
	else if (err == CDOP_INVALID_ARGUMENT)
		CDOP_ASSERT(error.text != NULL && profile == NULL);
	else
		CDOP_ASSERT(err == CDOP_RESOURCE_EXHAUSTED);
	cdop_arena_reset(arena);
	return 0;
}
