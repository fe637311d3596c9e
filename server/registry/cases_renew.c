/* Old summaries, in the order of slots; a case that is new has none. */
#include "server/registry/cases_renew.h"

#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/cases_inner.h"

#define LOOK_MAX 16384u /* cases looked at for one answer */

bool
cases_renew_due(struct cases *cases)
{
	struct cases_renewal *renewal = cases_inner_renewal(cases);
	uint32_t end = index_count(cases_index(cases)), i;

	if (renewal->n_old == 0)
		return false;
	for (i = 0; i < LOOK_MAX && renewal->next < end; i++, renewal->next++)
		if (index_at(cases_index(cases), renewal->next)->is_old)
			return true;
	return false;
}

static enum cdop_err
renew_one(struct cases_act *act, uint32_t slot, size_t *left)
{
	Cdop__StoredSummary *summary;

	/* Nothing is written yet: whatever it is, the others go on. */
	if (cases_summarise(act, slot, &summary) != CDOP_OK) {
		(*left)++;
		return CDOP_OK;
	}
	return cases_store_summary(act, slot, summary);
}

enum cdop_err
cases_renew(struct cases *cases, struct cdop_arena *arena, uint64_t now_ms,
    size_t *ret_left)
{
	static const struct actor nobody;
	struct cases_renewal *renewal = cases_inner_renewal(cases);
	size_t mark = cdop_arena_used(arena), n = 0;
	struct cases_act act;
	enum cdop_err err;

	*ret_left = 0;
	cases_act_init(&act, cases, arena, &nobody, now_ms);
	err = undo_save(act.reg->undo, renewal, sizeof(*renewal));
	if (err != CDOP_OK)
		return err;
	for (; n < CASES_RENEW_STEP && cases_renew_due(cases);
	     n++, renewal->next++) {
		err = renew_one(&act, renewal->next, ret_left);
		cdop_arena_rewind(arena, mark);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}
