/* Owner, interest, status, responsible person, links. */
#include "server/registry/cases_state.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/role.h"
#include "server/registry/cases_owner.h"
#include "server/registry/cases_question.h"
#include "server/registry/people.h"
#include "server/registry/people_rule.h"
#include "server/vault/rows_keys.h"

#define INTERESTED_MAX 64
#define RECEIVED       "received"
#define WITHDRAWN      "entered-in-error"

enum cdop_err
cases_state_begin(struct cases_act *act, struct cases_alter *alter, bool reason,
    Cdop__StoredCase **ret_state)
{
	Cdop__StoredCase *state = NULL;
	enum cdop_err err;

	err = cases_find_reference(act, alter->reference, &alter->slot);
	if (err == CDOP_OK && reason)
		err = cases_check_reason(act, "reason", alter->reason);
	if (err == CDOP_OK)
		err = cases_read_state(act, alter->slot, &state);
	if (err != CDOP_OK)
		return err;
	alter->new_version = state->version;
	if (state->version != alter->version)
		return cases_refuse(act, CDOP_ABORTED, "changed",
		    "somebody changed it since you read it: look at it again");
	*ret_state = state;
	return CDOP_OK;
}

enum cdop_err
cases_state_store(struct cases_act *act, struct cases_alter *alter,
    const Cdop__StoredCase *state)
{
	struct cases_change change;

	cases_change_init(act, alter->slot, &change);
	change.state = state;
	alter->new_version = state->version;
	return cases_store(act, &change);
}

/* ---- owner ------------------------------------------------------------- */

/*
 * What the new owner brings with it.  A basis of the review that the case
 * record states stays, and is pointed out where the area has another.
 */
static enum cdop_err
take_owner(struct cases_act *act, struct cases_alter *alter,
    const struct cdop_area *area, Cdop__StoredCase *state)
{
	Cdop__StoredForm *record;
	bool failed = false, states_another;
	enum cdop_err err;

	err = cases_read_form(act, alter->slot, 0, 0, &record);
	if (err != CDOP_OK)
		return err;
	state->owner_area = cases_text(act, area->id, &failed);
	state->owner_reason = cases_text(act, alter->reason, &failed);
	state->source = cases_text(act, alter->source, &failed);
	if (failed)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = cases_owner_keep(act, record->form, state)) != CDOP_OK)
		return err;
	states_another = *area->review_basis != '\0' &&
	    strcmp(state->review_basis, area->review_basis) != 0;
	alter->word = cdop_arena_printf(act->arena, "owner is now %s%s%s",
	    area->name,
	    access_may_see_area(&act->access, area,
		index_at(act->index, alter->slot)->registered_by)
		? ""
		: ": its coordinators go on with it, you may not see it any "
		  "more",
	    states_another ? "; the case record states another basis for the "
			     "review than that area has: amend it where it "
			     "is not right"
			   : "");
	return alter->word == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

enum cdop_err
cases_state_owner(struct cases_act *act, struct cases_alter *alter)
{
	const struct cdop_area *area;
	Cdop__StoredCase *state;
	uint64_t key_id;
	enum cdop_err err;

	err = cases_state_begin(act, alter, true, &state);
	if (err == CDOP_OK)
		err = cases_check_line(act, "source", alter->source);
	if (err != CDOP_OK)
		return err;
	if ((area = cases_owner_area(act, alter->area, true)) == NULL)
		return cases_bad_field(act, "area", "owner.unknown",
		    "not an area of this panel that is in force");
	if (strcmp(area->id, state->owner_area) == 0)
		return cases_bad_field(
		    act, "area", "owner.same", "that area owns it already");
	err = cases_next_state(act, state, "owner changed", alter->reason);
	if (err == CDOP_OK)
		err = take_owner(act, alter, area, state);
	if (err != CDOP_OK)
		return err;

	key_id = index_at(act->index, alter->slot)->key_id;
	if ((err = rows_keys_area(act->reg->rows, area->id)) != CDOP_OK)
		return err;
	err = rows_keys_case_move(act->reg->rows, key_id, area->id);
	return err != CDOP_OK ? err : cases_state_store(act, alter, state);
}

/* ---- interest ---------------------------------------------------------- */

static size_t
find_interest(const Cdop__StoredCase *state, const char *area)
{
	size_t i;

	for (i = 0; i < state->n_interested; i++)
		if (strcmp(state->interested[i]->area, area) == 0)
			break;
	return i;
}

static enum cdop_err
set_interest(struct cases_act *act, const struct cases_alter *alter,
    Cdop__StoredCase *state)
{
	Cdop__InterestedArea *entry, **list;
	size_t at = find_interest(state, alter->area);
	bool failed = false;

	entry = cdop_arena_alloc(act->arena, sizeof(*entry));
	list = cdop_arena_calloc(
	    act->arena, state->n_interested + 1, sizeof(*list));
	if (entry == NULL || list == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__interested_area__init(entry);
	entry->area = cases_text(act, alter->area, &failed);
	entry->reason = cases_text(act, alter->reason, &failed);
	entry->known = alter->known;
	if (failed)
		return CDOP_RESOURCE_EXHAUSTED;
	if (state->n_interested > 0)
		memcpy(list, state->interested,
		    state->n_interested * sizeof(*list));
	list[at] = entry;
	if (at == state->n_interested)
		state->n_interested++;
	state->interested = list;
	return CDOP_OK;
}

/* Another reason is a change: it is kept with the area, and shown. */
static bool
is_interest(const Cdop__InterestedArea *area, const struct cases_alter *alter)
{
	return area->known == alter->known &&
	    strcmp(area->reason, alter->reason) == 0;
}

static enum cdop_err
check_interest(struct cases_act *act, const struct cases_alter *alter,
    const Cdop__StoredCase *state)
{
	size_t at = find_interest(state, alter->area);
	bool there = at < state->n_interested;

	if (alter->remove && !there)
		return cases_bad_field(act, "area", "interest.none",
		    "that area is not marked as interested");
	if (!alter->remove && cases_owner_area(act, alter->area, false) == NULL)
		return cases_bad_field(act, "area", "owner.unknown",
		    "not an area of this panel that is in force");
	if (!alter->remove && !there && state->n_interested >= INTERESTED_MAX)
		return cases_bad_field(act, "area", "interest.too_many",
		    "too many interested areas");
	if (!alter->remove && there &&
	    is_interest(state->interested[at], alter))
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "already_so",
		    "that area is marked so already, for that reason");
	return CDOP_OK;
}

enum cdop_err
cases_state_interest(struct cases_act *act, struct cases_alter *alter)
{
	Cdop__StoredCase *state;
	enum cdop_err err;
	size_t at;

	if ((err = cases_state_begin(act, alter, true, &state)) != CDOP_OK)
		return err;
	if ((err = check_interest(act, alter, state)) != CDOP_OK)
		return err;
	err = cases_next_state(act, state,
	    alter->remove ? "interest removed" : "interest marked",
	    alter->reason);
	if (err != CDOP_OK)
		return err;
	if (alter->remove) {
		at = find_interest(state, alter->area);
		state->interested[at] =
		    state->interested[--state->n_interested];
	} else if ((err = set_interest(act, alter, state)) != CDOP_OK) {
		return err;
	}
	return cases_state_store(act, alter, state);
}

/* ---- status ------------------------------------------------------------ */

static enum cdop_err
begin_status(struct cases_act *act, struct cases_alter *alter,
    const char *status, Cdop__StoredCase **ret_state)
{
	Cdop__StoredCase *state;
	enum cdop_err err;

	if ((err = cases_state_begin(act, alter, true, &state)) != CDOP_OK)
		return err;
	if (strcmp(state->status, status) == 0)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "already_so",
		    "its status is that already");
	*ret_state = state;
	return CDOP_OK;
}

static enum cdop_err
set_status(struct cases_act *act, struct cases_alter *alter, const char *status,
    const char *what, Cdop__StoredCase *state)
{
	bool failed = false;
	enum cdop_err err;

	err = cases_next_state(act, state, what, alter->reason);
	if (err != CDOP_OK)
		return err;
	state->status = cases_text(act, status, &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED
		      : cases_state_store(act, alter, state);
}

enum cdop_err
cases_state_withdraw(struct cases_act *act, struct cases_alter *alter)
{
	Cdop__StoredCase *state;
	enum cdop_err err;

	err = begin_status(act, alter, WITHDRAWN, &state);
	if (err != CDOP_OK)
		return err;
	return set_status(act, alter, WITHDRAWN, "withdrawn", state);
}

/* An identity enters here as it does by a registration. */
enum cdop_err
cases_state_reinstate(struct cases_act *act, struct cases_alter *alter)
{
	struct cases_question *question = &alter->question;
	Cdop__StoredForm *record = NULL;
	Cdop__StoredCase *state;
	enum cdop_err err;

	err = begin_status(act, alter, RECEIVED, &state);
	if (err == CDOP_OK)
		err = cases_read_form(act, alter->slot, 0, 0, &record);
	if (err != CDOP_OK)
		return err;
	alter->sought = record->form;
	duplicates_of_post(index_at(act->index, alter->slot), &question->child);
	question->self = state->case_id;
	if ((err = cases_question_ask(act, question)) != CDOP_OK)
		return err;
	if ((err = cases_question_tie(act, question, state)) != CDOP_OK)
		return err;
	return set_status(act, alter, RECEIVED, "reinstated", state);
}

/* ---- responsible ------------------------------------------------------- */

bool
cases_state_may_respond(
    const struct cases_act *act, const struct index_post *post, uint32_t number)
{
	const char *owner = index_word_text(act->index, post->owner);
	const struct cdop_area *holding =
	    cdop_profile_holding(act->reg->profile);
	const struct people_person *person =
	    people_person(act->reg->people, number);
	size_t i;

	if (person == NULL ||
	    person->state != CDOP__PERSON_STATE__PERSON_ACTIVE ||
	    (people_rule_granted(act->reg->people, person, act->now_ms) &
		CDOP_ROLE_COORDINATOR) == 0)
		return false;
	if (person->all_areas)
		return true;
	if (holding != NULL && strcmp(owner, holding->id) == 0)
		return post->registered_by == number;
	for (i = 0; i < person->n_areas; i++)
		if (strcmp(person->areas[i], owner) == 0)
			return true;
	return false;
}

enum cdop_err
cases_state_responsible(struct cases_act *act, struct cases_alter *alter)
{
	Cdop__StoredCase *state;
	enum cdop_err err;

	/* Clients of an earlier version give no reason. */
	err = cases_state_begin(act, alter, alter->reason != NULL, &state);
	if (err != CDOP_OK)
		return err;
	if (alter->person != 0 &&
	    !cases_state_may_respond(
		act, index_at(act->index, alter->slot), alter->person))
		return cases_bad_field(act, "person", "person.unknown",
		    "no active coordinator who works for the owner of the "
		    "case has that number");
	if (alter->person == (state->has_responsible ? state->responsible : 0))
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "already_so",
		    alter->person == 0 ? "nobody is responsible for it as it is"
				       : "that person is responsible already");
	err = cases_next_state(act, state,
	    alter->person == 0 ? "nobody responsible" : "responsible set",
	    alter->reason);
	if (err != CDOP_OK)
		return err;
	state->has_responsible = alter->person != 0;
	state->responsible = alter->person;
	return cases_state_store(act, alter, state);
}

/* ---- links ------------------------------------------------------------- */

static bool
is_kind(const char *kind)
{
	static const char *const kinds[] = {"not_duplicate", "multiple_birth",
	    "siblings", "same_incident", "same_mother"};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* Both cases of a link, its kind and why. */
static enum cdop_err
begin_link(struct cases_act *act, struct cases_alter *alter)
{
	enum cdop_err err;

	err = cases_find_reference(act, alter->reference, &alter->slot);
	if (err == CDOP_OK)
		err =
		    cases_find_reference(act, alter->other, &alter->other_slot);
	if (err == CDOP_OK)
		err = cases_check_reason(act, "reason", alter->reason);
	if (err != CDOP_OK)
		return err;
	if (!is_kind(alter->kind))
		return cases_bad_field(act, "kind", "link.unknown",
		    "not_duplicate, multiple_birth, siblings, same_incident "
		    "or same_mother");
	if (alter->slot == alter->other_slot)
		return cases_bad_field(
		    act, "other", "link.itself", "that is the case itself");
	return CDOP_OK;
}

enum cdop_err
cases_state_link(struct cases_act *act, struct cases_alter *alter)
{
	const struct index_post *one, *other;
	Cdop__StoredCase *state;
	enum cdop_err err;

	if ((err = begin_link(act, alter)) != CDOP_OK)
		return err;
	one = index_at(act->index, alter->slot);
	other = index_at(act->index, alter->other_slot);
	if ((err = cases_read_state(act, alter->slot, &state)) != CDOP_OK)
		return err;
	if (!cases_may_link(act, one, other->case_id) ||
	    !cases_may_link(act, other, one->case_id))
		return cases_bad_field(act, "other", "link.too_many",
		    "a case is linked to twenty others at most");
	if (cases_link(state, alter->kind, other->case_id) != NULL)
		return cases_refuse(act, CDOP_ALREADY_EXISTS, "linked",
		    "they are linked like that already");
	alter->new_version = state->version +
	    cases_tie_is_event(act, alter->slot, alter->other_slot);
	err = cases_tie_back(
	    act, alter->slot, alter->kind, other->case_id, alter->reason);
	if (err != CDOP_OK)
		return err;
	return cases_tie_back(
	    act, alter->other_slot, alter->kind, one->case_id, alter->reason);
}

/* ---- links that were wrong --------------------------------------------- */

/* Links taken back of which the caller sees the other end. */
static size_t
count_ended(const struct cases_act *act, const Cdop__StoredCase *state)
{
	uint32_t slot;
	size_t i, n = 0;

	for (i = 0; i < state->n_link; i++)
		if (state->link[i]->has_ended_ms &&
		    index_by_case(act->index, state->link[i]->other, &slot) &&
		    access_may_see(&act->access, index_at(act->index, slot)))
			n++;
	return n;
}

/* Does nothing else say that they are two children? */
static bool
tells_apart(const Cdop__StoredCase *state, const char *kind, uint64_t other)
{
	const Cdop__StoredCaseLink *link;
	size_t i;

	for (i = 0; i < state->n_link; i++) {
		link = state->link[i];
		if (link->other == other && !link->has_ended_ms &&
		    is_kind(link->kind) && strcmp(link->kind, kind) != 0)
			return true;
	}
	return false;
}

/* Is there, without this link, a question whether they are one child? */
static bool
asks_again(struct cases_act *act, struct cases_alter *alter,
    const Cdop__StoredCase *state)
{
	const struct index_post *one = index_at(act->index, alter->slot);
	const struct index_post *other =
	    index_at(act->index, alter->other_slot);
	struct duplicates_child child;
	struct duplicates_hit hit;

	if (tells_apart(state, alter->kind, other->case_id)) {
		alter->word = "another link still says that they are two "
			      "children";
		return false;
	}
	duplicates_of_post(one, &child);
	hit.slot = alter->other_slot;
	hit.n_reason = 0;
	if (!duplicates_compare(&child, other, &hit))
		return false;
	alter->word = "they may be the same child: that is to be decided "
		      "again, with the pairs";
	return true;
}

enum cdop_err
cases_state_unlink(struct cases_act *act, struct cases_alter *alter)
{
	struct cases_tie tie = {.kind = alter->kind, .reason = alter->reason};
	Cdop__StoredCase *one = NULL, *other = NULL;
	enum cdop_err err;
	bool ask;

	if ((err = begin_link(act, alter)) != CDOP_OK)
		return err;
	err = cases_read_state(act, alter->slot, &one);
	if (err == CDOP_OK)
		err = cases_read_state(act, alter->other_slot, &other);
	if (err != CDOP_OK)
		return err;
	if (cases_link(one, alter->kind, other->case_id) == NULL)
		return cases_refuse(act, CDOP_FAILED_PRECONDITION, "not_linked",
		    "they are not linked like that: look at the case");
	if (count_ended(act, one) >= CDOP_CASE_LINKS_ENDED_MAX ||
	    count_ended(act, other) >= CDOP_CASE_LINKS_ENDED_MAX)
		return cases_bad_field(act, "other", "link.too_many_ended",
		    "forty links of a case can be taken back");
	ask = asks_again(act, alter, one);
	alter->new_version = one->version +
	    cases_tie_is_event(act, alter->slot, alter->other_slot);
	tie.slot = alter->other_slot;
	if ((err = cases_tie_end(act, alter->slot, &tie, ask)) != CDOP_OK)
		return err;
	tie.slot = alter->slot;
	return cases_tie_end(act, alter->other_slot, &tie, false);
}
