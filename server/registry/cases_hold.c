/* Legal hold; see cases_hold.h. */
#include "server/registry/cases_hold.h"

static enum cdop_err
set(struct cases_act *act, struct cases_alter *alter, bool held)
{
	Cdop__StoredCase *state;
	bool failed = false;
	enum cdop_err err;

	err = cases_state_begin(act, alter, true, &state);
	if (err != CDOP_OK)
		return err;
	if ((state->hold != NULL) == held)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "already_so",
		    held ? "it is on legal hold already: cdop case show says "
			   "why"
			 : "it is not on legal hold");
	if (act->dry)
		return CDOP_OK;
	err = cases_next_state(act, state,
	    held ? "put on legal hold" : "legal hold lifted", alter->reason);
	if (err != CDOP_OK)
		return err;
	state->hold = held ? cases_text(act, alter->reason, &failed) : NULL;
	return failed ? CDOP_RESOURCE_EXHAUSTED
		      : cases_state_store(act, alter, state);
}

enum cdop_err
cases_hold_set(struct cases_act *act, struct cases_alter *alter)
{
	return set(act, alter, true);
}

enum cdop_err
cases_hold_lift(struct cases_act *act, struct cases_alter *alter)
{
	return set(act, alter, false);
}
