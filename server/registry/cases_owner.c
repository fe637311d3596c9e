/* Residence to owner. */
#include "server/registry/cases_owner.h"

#include <string.h>

#include "cdop/profile.h"
#include "server/registry/cases_time.h"

const char *
cases_owner_zone(const struct cases_act *act, const char *area)
{
	const struct cdop_area *a = cdop_profile_area(act->reg->profile, area);

	if (a == NULL)
		a = cdop_profile_holding(act->reg->profile);
	return a == NULL || a->time_zone == NULL ? "UTC" : a->time_zone;
}

static const char *
jurisdiction_of(const struct cases_act *act, const char *area)
{
	const struct cdop_area *a = cdop_profile_area(act->reg->profile, area);

	return a == NULL || a->jurisdiction == NULL ? "" : a->jurisdiction;
}

const char *
cases_owner_jurisdiction(const struct cases_act *act, uint32_t slot)
{
	const struct index_post *post = index_at(act->index, slot);
	const char *kept = index_word_text(act->index, post->jurisdiction);

	return *kept != '\0'
	    ? kept
	    : jurisdiction_of(act, index_word_text(act->index, post->owner));
}

enum cdop_err
cases_owner_keep_basis(
    struct cases_act *act, const Cdop__Form *form, Cdop__StoredCase *state)
{
	const struct cdop_area *a =
	    cdop_profile_area(act->reg->profile, state->owner_area);
	const char *basis = a == NULL ? "" : a->review_basis;
	bool failed = false;

	if (cdop_form_has(form, "scope.review_basis") &&
	    (basis = cdop_form_text(form, "scope.review_basis", act->arena)) ==
		NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	state->review_basis =
	    *basis == '\0' ? NULL : cases_text(act, basis, &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

enum cdop_err
cases_owner_keep(
    struct cases_act *act, const Cdop__Form *form, Cdop__StoredCase *state)
{
	bool failed = false;

	state->jurisdiction =
	    cases_text(act, jurisdiction_of(act, state->owner_area), &failed);
	return failed ? CDOP_RESOURCE_EXHAUSTED
		      : cases_owner_keep_basis(act, form, state);
}

bool
cases_owner_turns_basis(const Cdop__StoredForm *form)
{
	size_t i;

	for (i = 0; form->number == 0 && i < form->n_changed; i++)
		if (strcmp(form->changed[i], "scope.review_basis") == 0)
			return true;
	return false;
}

int32_t
cases_owner_today(const struct cases_act *act)
{
	const struct cdop_area *a = cdop_profile_holding(act->reg->profile);

	return cases_time_day(
	    a == NULL ? "UTC" : cases_owner_zone(act, a->id), act->now_ms);
}

const struct cdop_area *
cases_owner_area(const struct cases_act *act, const char *id, bool holding)
{
	const struct cdop_area *a = cdop_profile_area(act->reg->profile, id);

	if (a == NULL || (a->holding && !holding) ||
	    !cdop_span_holds(a->when, cases_owner_today(act)))
		return NULL;
	return a;
}

static void
add_line(struct cases_owner *owner, const char *line)
{
	if (line != NULL && *line != '\0')
		owner->forward[owner->n_forward++] = line;
}

/* "holding (why)"; false: no memory. */
static bool
hold(struct cases_act *act, const char *why, struct cases_owner *owner)
{
	const struct cdop_area *a = cdop_profile_holding(act->reg->profile);

	owner->area = a->id;
	owner->reason = why;
	owner->words = cdop_arena_printf(act->arena, "%s (%s)", a->name, why);
	return owner->words != NULL;
}

static bool
hold_neighbour(struct cases_act *act, const struct cdop_neighbour *n,
    struct cases_owner *owner)
{
	const char *why;

	add_line(owner, n->panel);
	add_line(owner, n->phone);
	add_line(owner, n->email);
	why = cdop_arena_printf(act->arena, "to forward: lived in %s", n->name);
	return why != NULL && hold(act, why, owner);
}

/* What residence alone says. */
static bool
by_residence(
    struct cases_act *act, const Cdop__Form *form, struct cases_owner *owner)
{
	const struct cdop_profile *profile = act->reg->profile;
	const struct cdop_neighbour *neighbour;
	const struct cdop_area *area;
	const char *residence, *label;

	memset(owner, 0, sizeof(*owner));
	residence = cdop_form_value(form, "area.residence", act->arena);
	if (residence == NULL)
		return false;
	if (*residence == '\0')
		return hold(act, "residence not known", owner);
	if ((area = cases_owner_area(act, residence, false)) != NULL) {
		owner->area = area->id;
		owner->words = area->name;
		owner->settled = true;
		return true;
	}
	neighbour = cdop_profile_neighbour(profile, residence);
	if (neighbour != NULL)
		return hold_neighbour(act, neighbour, owner);
	label = cdop_profile_area_label(profile, residence);
	return hold(
	    act, label == NULL ? "residence not settled" : label, owner);
}

enum cdop_err
cases_owner_decide(struct cases_act *act, const Cdop__Form *form,
    const char *area, const char *reason, struct cases_owner *ret_owner)
{
	struct cases_owner owner;
	const struct cdop_area *stated;
	enum cdop_err err;

	if (!by_residence(act, form, &owner))
		return CDOP_RESOURCE_EXHAUSTED;
	if (area == NULL || strcmp(area, owner.area) == 0) {
		*ret_owner = owner;
		return CDOP_OK;
	}
	if (owner.settled)
		return cases_bad_field(act, "owner_area", "owner.residence",
		    "the area of residence decides: change the owner "
		    "afterwards, with a reason");
	if ((stated = cases_owner_area(act, area, true)) == NULL)
		return cases_bad_field(act, "owner_area", "owner.unknown",
		    "not an area of this panel that is in force");
	err = cases_check_reason(act, "owner_reason", reason);
	if (err != CDOP_OK)
		return err;
	owner.area = stated->id;
	owner.words = stated->name;
	owner.reason = reason;
	*ret_owner = owner;
	return CDOP_OK;
}

/* ---- what is missing --------------------------------------------------- */

enum cdop_err
cases_owner_missing(struct cases_act *act, const Cdop__Form *form,
    const char *area, struct cdop_missing_list *ret_missing)
{
	const struct cdop_area *a = cdop_profile_area(act->reg->profile, area);
	struct cdop_missing_list all;
	enum cdop_err err;
	size_t i, n = 0;

	if ((err = cdop_form_missing(form, act->arena, &all)) != CDOP_OK)
		return err;
	for (i = 0; i < all.n; i++)
		if (a == NULL || a->national_return ||
		    all.v[i].need != CDOP_NEED_RETURN)
			all.v[n++] = all.v[i];
	all.n = n;
	*ret_missing = all;
	return CDOP_OK;
}

enum cdop_err
cases_owner_still_missing(struct cases_act *act, const Cdop__Form *form,
    uint32_t slot, struct cdop_missing_list *ret_missing)
{
	const struct index_post *post = index_at(act->index, slot);

	return cases_owner_missing(
	    act, form, index_word_text(act->index, post->owner), ret_missing);
}
