/* A person's record, filled and changed; see people_change.h. */
#include "server/registry/people_change.h"

#include <string.h>

#include "cdop/fold.h"
#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/role.h"

/* Roles that exist for later and give nothing yet. */
#define RESERVED                                                               \
	(CDOP_ROLE_CHAIR | CDOP_ROLE_DESIGNATED_DOCTOR |                       \
	    CDOP_ROLE_AGENCY_RESPONDENT)
#define ROLE_MAX CDOP__ROLE__AGENCY_RESPONDENT
#define DAY_MS   86400000u

static const struct cdop_profile *
profile_of(const struct people_act *act)
{
	return people_registry(act->people)->profile;
}

static int32_t
today(const struct people_act *act)
{
	return (int32_t)(act->now_ms / DAY_MS);
}

/* An area that somebody works for: there is one, now, and it is not holding. */
static enum cdop_err
check_area(struct people_act *act, const char *id)
{
	const struct cdop_area *area;

	area = cdop_profile_area(profile_of(act), id);
	if (strlen(id) >= PEOPLE_ID_ROOM || area == NULL)
		return people_act_bad_field(
		    act, "area", "area_unknown", "not an area of the profile");
	if (area->holding)
		return people_act_bad_field(act, "area", "area_holding",
		    "nobody works for the holding area: its cases are seen by "
		    "coordinators of all areas");
	if (!cdop_span_holds(area->when, today(act)))
		return people_act_bad_field(act, "area", "area_ended",
		    "that area is not in force today");
	return CDOP_OK;
}

static enum cdop_err
fill_areas(struct people_act *act, const struct people_change *change,
    struct people_person *person)
{
	enum cdop_err err;
	size_t i;

	if (change->n_areas > PEOPLE_AREAS_MAX)
		return people_act_bad_field(act, "area", "too_many",
		    "too many areas: is it all of them?");
	for (i = 0; i < change->n_areas; i++) {
		if ((err = check_area(act, change->areas[i])) != CDOP_OK)
			return err;
		memcpy(person->area[i], change->areas[i],
		    strlen(change->areas[i]) + 1);
	}
	person->n_areas = change->n_areas;
	return CDOP_OK;
}

static enum cdop_err
fill_agency(
    struct people_act *act, const char *agency, struct people_person *person)
{
	const struct cdop_agency *known;
	size_t len = strlen(agency);

	known = cdop_profile_agency(profile_of(act), agency);
	if (len > 0 && (len >= PEOPLE_ID_ROOM || known == NULL))
		return people_act_bad_field(act, "agency", "agency_unknown",
		    "not an agency of the profile");
	if (len > 0 && !cdop_span_holds(known->when, today(act)))
		return people_act_bad_field(act, "agency", "agency_ended",
		    "that agency is not in force today");
	memcpy(person->agency, agency, len + 1);
	return CDOP_OK;
}

static enum cdop_err
fill_grants(struct people_act *act, const struct people_change *change,
    struct people_person *person)
{
	const struct people_grant *grant;
	size_t i;

	if (change->n_grants > PEOPLE_GRANTS_MAX)
		return people_act_bad_field(
		    act, "grant", "too_many", "too many roles");
	for (i = 0; i < change->n_grants; i++) {
		grant = &change->grants[i];
		if (grant->role == 0 || grant->role > ROLE_MAX)
			return people_act_bad_field(
			    act, "grant", "role_unknown", "not a role");
		if ((1u << grant->role & RESERVED) != 0)
			return people_act_bad_field(act, "grant",
			    "role_reserved",
			    "this role is kept for a later version");
		if (grant->from_ms >= grant->until_ms)
			return people_act_bad_field(act, "grant", "grant_dates",
			    "the last day is before the first");
		if (grant->until_ms <= act->now_ms)
			return people_act_bad_field(act, "grant", "grant_ended",
			    "the last day is past");
		person->grants[i] = *grant;
	}
	person->n_grants = change->n_grants;
	return CDOP_OK;
}

/* What has to be so of the whole, whichever part was changed. */
static enum cdop_err
check_whole(struct people_act *act, const struct people_person *person)
{
	uint32_t roles;

	roles = people_rule_granted(act->people, person, act->now_ms);
	if (people_rule_is_exclusive(roles))
		return people_act_bad_field(act, "grant", "roles_exclusive",
		    "an administrator, custodian or auditor has no role that "
		    "reads cases");
	if ((roles & CDOP_ROLE_COORDINATOR) != 0 && !person->all_areas &&
	    person->n_areas == 0)
		return people_act_bad_field(act, "area", "area_needed",
		    "a coordinator works for areas, or for all of them");
	if ((roles & CDOP_ROLE_PARTNER) != 0 && !person->all_areas &&
	    person->n_areas == 0 && person->agency[0] == '\0')
		return people_act_bad_field(act, "area", "area_needed",
		    "a partner works for an area or an agency");
	return CDOP_OK;
}

static enum cdop_err
fill_name(
    struct people_act *act, const char *name, struct people_person *person)
{
	char folded[CDOP_FOLD_MAX];
	enum cdop_err err;

	err = people_act_text(act, "name", name, CDOP_TEXT_MAX, true,
	    person->name, sizeof(person->name));
	/* Dots, or what nobody sees: who approves would read no name. */
	if (err == CDOP_OK && cdop_fold_name(person->name, folded) == 0)
		return people_act_bad_field(
		    act, "name", "text_needed", "is needed, in letters");
	if (err == CDOP_OK && people_rule_is_number(person->name))
		return people_act_bad_field(act, "name", "name_number",
		    "is a number, and people have one each");
	return err;
}

enum cdop_err
people_change_fill(struct people_act *act, const struct people_change *change,
    struct people_person *person)
{
	enum cdop_err err;

	if (change->name != NULL &&
	    (err = fill_name(act, change->name, person)) != CDOP_OK)
		return err;
	if (change->job_title != NULL) {
		err = people_act_text(act, "job_title", change->job_title,
		    CDOP_TEXT_MAX, false, person->job_title,
		    sizeof(person->job_title));
		if (err != CDOP_OK)
			return err;
	}
	if (change->agency != NULL &&
	    (err = fill_agency(act, change->agency, person)) != CDOP_OK)
		return err;
	if (change->areas_set &&
	    (err = fill_areas(act, change, person)) != CDOP_OK)
		return err;
	if (change->all_areas_set)
		person->all_areas = change->all_areas;
	if (change->grants_set &&
	    (err = fill_grants(act, change, person)) != CDOP_OK)
		return err;
	return check_whole(act, person);
}

/* ---- a change ---------------------------------------------------------- */

static enum cdop_err
check_apply(struct people_act *act, const struct people_person *person,
    const struct people_device *device, const struct people_change *change)
{
	if (person->state == CDOP__PERSON_STATE__PERSON_REVOKED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "already_revoked", "that person is revoked for ever");
	if (change->expiry_set && device == NULL)
		return people_act_bad_field(act, "device", "device_needed",
		    "say which device is to end then");
	if (device != NULL && !change->expiry_set)
		return people_act_bad_field(act, "device_expires_ms",
		    "expiry_needed", "say when the device is to end");
	if (change->expiry_set && change->device_expires_ms <= act->now_ms)
		return people_act_bad_field(act, "device_expires_ms",
		    "expiry_past", "that is past: revoke the device instead");
	return CDOP_OK;
}

static bool
areas_are_among(
    const struct people_person *some, const struct people_person *of)
{
	size_t i, k;

	for (i = 0; i < some->n_areas; i++) {
		for (k = 0; k < of->n_areas; k++)
			if (strcmp(some->area[i], of->area[k]) == 0)
				break;
		if (k == of->n_areas)
			return false;
	}
	return true;
}

static bool
grants_are_among(
    const struct people_person *some, const struct people_person *of)
{
	const struct people_grant *a, *b;
	size_t i, k;

	for (i = 0; i < some->n_grants; i++) {
		a = &some->grants[i];
		for (k = 0; k < of->n_grants; k++) {
			b = &of->grants[k];
			if (a->role == b->role && a->from_ms == b->from_ms &&
			    a->until_ms == b->until_ms)
				break;
		}
		if (k == of->n_grants)
			return false;
	}
	return true;
}

/* In whichever order it was said. */
static bool
is_same(const struct people_person *a, const struct people_person *b)
{
	return strcmp(a->name, b->name) == 0 &&
	    strcmp(a->job_title, b->job_title) == 0 &&
	    strcmp(a->agency, b->agency) == 0 && a->all_areas == b->all_areas &&
	    areas_are_among(a, b) && areas_are_among(b, a) &&
	    grants_are_among(a, b) && grants_are_among(b, a);
}

/* Where the copies take their places in the tables. */
static enum cdop_err
put(struct people_act *act, const struct people_person *to,
    const struct people_device *device_to)
{
	struct people_person *person;
	struct people_device *device;
	enum cdop_err err;
	size_t i;

	err = people_edit_person(act->people, to->number, &person);
	if (err != CDOP_OK)
		return err;
	*person = *to;
	for (i = 0; i < person->n_areas; i++)
		person->areas[i] = person->area[i];
	if ((err = people_act_store_person(act, person)) != CDOP_OK)
		return err;
	if (device_to == NULL)
		return CDOP_OK;
	err = people_edit_device(act->people, device_to->number, &device);
	if (err != CDOP_OK)
		return err;
	device->expires_ms = device_to->expires_ms;
	return people_act_store_device(act, device);
}

enum cdop_err
people_change_apply(struct people_act *act, const struct people_whom *whom,
    const struct people_change *change)
{
	const struct people_person *person;
	const struct people_device *device;
	struct people_person *to;
	struct people_device *device_to = NULL;
	struct people_rule_if what;
	enum cdop_err err;

	err = people_act_find(act, whom, &person, &device);
	if (err != CDOP_OK)
		return err;
	if ((err = check_apply(act, person, device, change)) != CDOP_OK)
		return err;
	to = cdop_arena_alloc(act->arena, sizeof(*to));
	if (to == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*to = *person;
	if (device != NULL) {
		device_to = cdop_arena_alloc(act->arena, sizeof(*device_to));
		if (device_to == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		*device_to = *device;
		device_to->expires_ms = change->device_expires_ms;
	}
	err = people_act_text(act, "reason", whom->reason, CDOP_REASON_MAX,
	    true, to->reason, sizeof(to->reason));
	if (err == CDOP_OK)
		err = people_change_fill(act, change, to);
	if (err != CDOP_OK)
		return err;
	if (is_same(person, to) &&
	    (device == NULL || device->expires_ms == device_to->expires_ms))
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "already_so",
		    "it is so already: there is nothing to change");
	what.person = to;
	what.device = device_to;
	if ((err = people_act_check_admins(act, &what)) != CDOP_OK)
		return err;
	if (act->dry)
		return CDOP_OK;
	if ((err = people_act_settle(act)) != CDOP_OK)
		return err;
	/* What settling has put on record stays. */
	to->lapsed_ms = person->lapsed_ms;
	to->row = person->row;
	return put(act, to, device_to);
}
