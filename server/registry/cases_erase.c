/* Erasing a case; see cases_erase.h. */
#include "server/registry/cases_erase.h"

#include "server/vault/rows_keys.h"

/* Notifications that came from another case were in a backup of that one. */
static uint64_t
since(const Cdop__StoredCase *state)
{
	size_t i;

	for (i = 0; i < state->n_instance; i++)
		if (state->instance[i]->has_moved_from)
			return 0;
	return state->registered_ms;
}

static enum cdop_err
describe(struct cases_act *act, const Cdop__StoredCase *state,
    struct cases_erase *erase)
{
	const struct index_post *post = index_at(act->index, erase->slot);
	size_t n;

	(void)index_rows(act->index, erase->slot, &n);
	erase->case_id = post->case_id;
	erase->key_id = post->key_id;
	erase->text = cases_reference_text(act, post->case_id);
	erase->area = state->owner_area;
	erase->since_ms = since(state);
	erase->rows = n;
	return erase->text == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

enum cdop_err
cases_erase_check(struct cases_act *act, struct cases_erase *erase)
{
	Cdop__StoredCase *state = NULL;
	enum cdop_err err;

	err = cases_find_reference(act, erase->reference, &erase->slot);
	if (err == CDOP_OK)
		err = cases_read_state(act, erase->slot, &state);
	if (err == CDOP_OK)
		err = describe(act, state, erase);
	if (err != CDOP_OK)
		return err;
	if (state->version != erase->version)
		return cases_refuse(act, CDOP_ABORTED, "changed",
		    "somebody changed it since you read it: look at it again");
	if (state->hold != NULL)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "on_hold",
		    "it is on legal hold: nothing erases it until that is "
		    "lifted");
	return CDOP_OK;
}

enum cdop_err
cases_erase_apply(struct cases_act *act, const struct cases_erase *erase)
{
	const struct index_row *row;
	enum cdop_err err;
	size_t n, i;

	row = index_rows(act->index, erase->slot, &n);
	for (i = 0; i < n; i++) {
		err = rows_del(act->reg->rows, row[i].number);
		if (err != CDOP_OK)
			return err;
	}
	err = rows_keys_case_destroy(act->reg->rows, erase->key_id);
	return err != CDOP_OK ? err : index_remove(act->index, erase->slot);
}
