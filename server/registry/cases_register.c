/* Registering, and joining. */
#include "server/registry/cases_register.h"

#include <string.h>

#include "cdop/limits.h"
#include "server/registry/cases_time.h"
#include "server/vault/rows_keys.h"

static enum cdop_err
check_kind(struct cases_act *act, const char *kind)
{
	static const char *const kinds[] = {
	    "new", "correction", "no-liability", "coroner", "other"};
	size_t i;

	if (kind == NULL)
		return CDOP_OK;
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return CDOP_OK;
	return cases_bad_field(act, "form_kind", "form_kind.unknown",
	    "new, correction, no-liability, coroner or other");
}

/* What is said of a form whatever becomes of it. */
static enum cdop_err
describe(struct cases_act *act, struct cases_register *reg)
{
	reg->told = cases_time_told(reg->form.form, act->reg->profile,
	    cases_owner_zone(act, reg->owner.area), act->arena);
	if (reg->told == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	return cases_owner_missing(
	    act, reg->form.form, reg->owner.area, &reg->missing);
}

/* ---- a case of its own ------------------------------------------------- */

enum cdop_err
cases_register_add(struct cases_act *act, Cdop__StoredCase *state,
    uint32_t number, uint64_t moved_from)
{
	Cdop__StoredInstanceLink *link, **list;

	link = cdop_arena_alloc(act->arena, sizeof(*link));
	list =
	    cdop_arena_calloc(act->arena, state->n_instance + 1, sizeof(*list));
	if (link == NULL || list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__stored_instance_link__init(link);
	link->number = number;
	link->version = 1;
	link->belongs = true;
	link->has_moved_from = moved_from != 0;
	link->moved_from = moved_from;
	if (state->n_instance > 0)
		memcpy(
		    list, state->instance, state->n_instance * sizeof(*list));
	list[state->n_instance] = link;
	state->instance = list;
	state->n_instance++;
	return CDOP_OK;
}

static enum cdop_err
first_state(struct cases_act *act, const struct cases_register *reg,
    const char *what, Cdop__StoredCase **ret_state)
{
	Cdop__StoredCase *state;
	char reference[CDOP_REFERENCE_TEXT];
	bool failed = false;
	enum cdop_err err;

	state = cdop_arena_alloc(act->arena, sizeof(*state));
	if (state == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__stored_case__init(state);
	cases_reference(act->cases, reg->case_id, reference);
	state->case_id = reg->case_id;
	state->reference = cases_text(act, reference, &failed);
	state->version = 1;
	state->status = cases_text(act, "received", &failed);
	state->owner_area = cases_text(act, reg->owner.area, &failed);
	state->owner_reason = cases_text(act, reg->owner.reason, &failed);
	state->registered_ms = act->now_ms;
	state->at_ms = act->now_ms;
	state->person = act->actor->person;
	state->what = cases_text(act, what, &failed);
	state->reason = cases_text(act, reg->form.reason, &failed);
	state->source = cases_text(act, reg->form.source, &failed);
	state->has_registered_by = true;
	state->registered_by = act->actor->person;
	state->has_next_instance = true;
	state->next_instance = 2;
	if (failed)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = cases_owner_keep(act, reg->form.form, state)) != CDOP_OK)
		return err;
	*ret_state = state;
	return cases_register_add(act, state, 1, reg->moved_from);
}

/*
 * What a new case has: its notification; where that moved in, every version
 * of it, and the record with a row of its own, made of the newest.
 */
static enum cdop_err
first_forms(struct cases_act *act, const struct cases_register *reg,
    struct cases_change *change)
{
	const Cdop__StoredForm **forms;
	Cdop__StoredForm *form = NULL, *record;
	enum cdop_err err;
	size_t i, n = 0;

	forms = cdop_arena_calloc(act->arena, reg->n_moved + 2, sizeof(*forms));
	if (forms == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < reg->n_moved; i++) {
		form = reg->moved[i];
		form->case_id = reg->case_id;
		form->number = 1;
		forms[n++] = form;
	}
	if (form == NULL) {
		err =
		    cases_form_make(act, &reg->form, reg->case_id, 1, 1, &form);
		if (err != CDOP_OK)
			return err;
		forms[n++] = form;
	}
	if ((err = cases_form_record(act, form, &record)) != CDOP_OK)
		return err;
	if (reg->n_moved > 0)
		forms[n++] = record;
	else
		change->derived = record;
	change->form = forms;
	change->n_form = n;
	return CDOP_OK;
}

enum cdop_err
cases_register_new(
    struct cases_act *act, struct cases_register *reg, const char *what)
{
	struct cases_change change = {.is_new = true};
	Cdop__StoredCase *state = NULL;
	enum cdop_err err;

	if ((err = cases_draw(act, &reg->case_id)) != CDOP_OK)
		return err;
	/* They are written as they are, and one shares what is the other's. */
	act->looks = true;
	err = first_forms(act, reg, &change);
	act->looks = false;
	if (err == CDOP_OK)
		err = first_state(act, reg, what, &state);
	if (err == CDOP_OK)
		err = cases_question_tie(act, &reg->question, state);
	if (err == CDOP_OK)
		err = rows_keys_area(act->reg->rows, reg->owner.area);
	if (err == CDOP_OK)
		err = rows_keys_case_new(act->reg->rows, reg->case_id,
		    reg->owner.area, &change.key_id);
	if (err != CDOP_OK)
		return err;
	change.case_id = reg->case_id;
	change.state = state;
	if ((err = cases_store(act, &change)) != CDOP_OK)
		return err;
	reg->notification = 1;
	reg->version = 1;
	if (!index_by_case(act->index, reg->case_id, &reg->slot))
		return CDOP_INTERNAL;
	return cases_question_tie_back(act, &reg->question, reg->case_id);
}

/* ---- another one of a case that is there ------------------------------- */

static enum cdop_err
join(struct cases_act *act, struct cases_register *reg)
{
	Cdop__StoredForm *record, *notification;
	const Cdop__StoredForm *form;
	struct cases_change change;
	Cdop__StoredCase *state;
	enum cdop_err err;

	reg->slot = reg->question.join_slot;
	cases_change_init(act, reg->slot, &change);
	reg->case_id = change.case_id;
	if ((err = cases_read_state(act, reg->slot, &state)) != CDOP_OK)
		return err;
	if (state->n_instance >= CDOP_CASE_NOTIFICATIONS_MAX)
		return cases_bad_field(act, "decision", "join.too_many",
		    "five hundred notifications have been joined to it");
	err = cases_read_form(act, reg->slot, 0, 0, &record);
	if (err != CDOP_OK)
		return err;
	reg->notification = state->next_instance;
	reg->version = record->version;
	err = cases_form_make(
	    act, &reg->form, reg->case_id, reg->notification, 1, &notification);
	if (err == CDOP_OK)
		err = cases_form_differences(
		    act, record, notification, &reg->difference);
	if (err == CDOP_OK)
		err = cases_owner_still_missing(
		    act, record->form, reg->slot, &reg->missing);
	if (err != CDOP_OK || act->dry)
		return err;

	err = cases_next_state(act, state, "joined", reg->question.join_reason);
	if (err == CDOP_OK)
		err = cases_register_add(act, state, reg->notification, 0);
	if (err == CDOP_OK)
		err = cases_question_tie(act, &reg->question, state);
	if (err != CDOP_OK)
		return err;
	state->next_instance++;
	state->source = notification->source;
	form = notification;
	change.state = state;
	change.form = &form;
	change.n_form = 1;
	if ((err = cases_store(act, &change)) != CDOP_OK)
		return err;
	return cases_question_tie_back(act, &reg->question, reg->case_id);
}

/* The owner that a joined one has: that of its case, for whom may see it. */
static enum cdop_err
present_owner(
    struct cases_act *act, uint32_t slot, struct cases_owner *ret_owner)
{
	const struct index_post *post = index_at(act->index, slot);
	const struct cdop_area *area;
	const char *id = index_word_text(act->index, post->owner);

	area = cdop_profile_area(act->reg->profile, id);
	memset(ret_owner, 0, sizeof(*ret_owner));
	ret_owner->area = id;
	ret_owner->words = area == NULL ? id : area->name;
	return CDOP_OK;
}

enum cdop_err
cases_register(struct cases_act *act, struct cases_register *reg)
{
	enum cdop_err err;

	if ((err = check_kind(act, reg->form.kind)) != CDOP_OK)
		return err;
	err = cases_check_line(act, "source", reg->form.source);
	if (err != CDOP_OK)
		return err;
	err = cases_form_check(act, &reg->form, NULL, CDOP_FORM_NOTIFICATION);
	if (err != CDOP_OK)
		return err;
	err = cases_owner_decide(act, reg->form.form, reg->owner_area,
	    reg->owner_reason, &reg->owner);
	if (err == CDOP_OK)
		err = describe(act, reg);
	if (err == CDOP_OK)
		err = duplicates_of_form(
		    reg->form.form, act->arena, &reg->question.child);
	if (err != CDOP_OK)
		return err;
	reg->question.may_join = true;
	if ((err = cases_question_ask(act, &reg->question)) != CDOP_OK)
		return err;
	if (!reg->question.join)
		return act->dry ? CDOP_OK
				: cases_register_new(act, reg, "registered");
	err = present_owner(act, reg->question.join_slot, &reg->owner);
	return err != CDOP_OK ? err : join(act, reg);
}

/* The owner it has now, where that is not the one it began with. */
static enum cdop_err
owner_now(struct cases_act *act, struct cases_register *reg)
{
	struct cases_owner owner;
	enum cdop_err err;

	err = present_owner(act, reg->slot, &owner);
	if (err == CDOP_OK && strcmp(owner.area, reg->owner.area) != 0)
		reg->owner = owner;
	return err;
}

enum cdop_err
cases_register_again(
    struct cases_act *act, struct cases_register *reg, bool seen, bool joined)
{
	Cdop__StoredForm *record, *notification;
	enum cdop_err err;

	err = cases_owner_decide(act, reg->form.form, reg->owner_area,
	    reg->owner_reason, &reg->owner);
	if (err == CDOP_OK && seen)
		err = owner_now(act, reg);
	if (err == CDOP_OK)
		err = describe(act, reg);
	if (err != CDOP_OK || !joined)
		return err;
	reg->question.join = true;
	if (!seen) {
		memset(&reg->owner, 0, sizeof(reg->owner));
		memset(&reg->missing, 0, sizeof(reg->missing));
		return CDOP_OK;
	}
	if ((err = present_owner(act, reg->slot, &reg->owner)) != CDOP_OK)
		return err;
	err = cases_read_form(act, reg->slot, 0, 0, &record);
	if (err == CDOP_OK)
		err = cases_read_form(
		    act, reg->slot, reg->notification, 0, &notification);
	if (err == CDOP_NOT_FOUND)
		return CDOP_OK; /* moved away meanwhile */
	if (err == CDOP_OK)
		err = cases_owner_still_missing(
		    act, record->form, reg->slot, &reg->missing);
	if (err != CDOP_OK)
		return err;
	return cases_form_differences(
	    act, record, notification, &reg->difference);
}
