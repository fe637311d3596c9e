/* Suspend, resume, revoke, change; see people_act.h. */
#include "server/registry/people_act.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "cdop/text.h"
#include "server/registry/people_row.h"

enum cdop_err
people_act_refuse(struct people_act *act, enum cdop_err err, const char *reason,
    const char *message)
{
	act->reason = reason;
	act->message = message;
	return err;
}

enum cdop_err
people_act_bad_field(struct people_act *act, const char *path,
    const char *reason, const char *message)
{
	act->path = path;
	return people_act_refuse(act, CDOP_INVALID_ARGUMENT, reason, message);
}

/* ---- text -------------------------------------------------------------- */

enum cdop_err
people_act_text(struct people_act *act, const char *path, const char *text,
    size_t max_chars, bool needed, char *out, size_t room)
{
	enum cdop_text_fault fault;
	const char *clean = "";
	enum cdop_err err;
	size_t len;

	if (text != NULL) {
		err = cdop_text_clean(
		    text, CDOP_TEXT_LINE, act->arena, &clean, &fault);
		if (err == CDOP_INVALID_ARGUMENT)
			return people_act_bad_field(act, path, "text",
			    "has a character that text does not have");
		if (err != CDOP_OK)
			return err;
	}
	if (needed && *clean == '\0')
		return people_act_bad_field(
		    act, path, "text_needed", "is needed");
	len = strlen(clean);
	if (cdop_text_length(clean) > max_chars || len >= room)
		return people_act_bad_field(
		    act, path, "text_long", "is too long");
	memcpy(out, clean, len + 1);
	return CDOP_OK;
}

/* ---- what all acts begin and end with ---------------------------------- */

enum cdop_err
people_act_settle(struct people_act *act)
{
	struct people *people = act->people;
	struct people_person *person;
	enum cdop_err err;
	uint32_t i;

	/*
	 * In any order: an end takes effect by those that outlast it, and
	 * marking one leaves these as they are.
	 */
	for (i = 1; i <= people_last_person(people); i++) {
		if (!people_rule_has_lapsed(people, i, act->now_ms))
			continue;
		if ((err = people_edit_person(people, i, &person)) != CDOP_OK)
			return err;
		person->lapsed_ms = act->now_ms;
		err = people_row_put_person(
		    people_registry(people), act->arena, person);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

enum cdop_err
people_act_find(struct people_act *act, const struct people_whom *whom,
    const struct people_person **ret_person,
    const struct people_device **ret_device)
{
	*ret_person = people_person(act->people, whom->person);
	*ret_device = NULL;
	if (*ret_person == NULL)
		return people_act_refuse(act, CDOP_NOT_FOUND, "no_such_person",
		    "there is no person with that number");
	if (whom->device == 0)
		return CDOP_OK;
	*ret_device = people_device(act->people, whom->device);
	if (*ret_device == NULL || (*ret_device)->person != whom->person)
		return people_act_refuse(act, CDOP_NOT_FOUND, "no_such_device",
		    "that person has no device with that number");
	return CDOP_OK;
}

enum cdop_err
people_act_store_person(struct people_act *act, struct people_person *person)
{
	person->version++;
	return people_row_put_person(
	    people_registry(act->people), act->arena, person);
}

enum cdop_err
people_act_store_device(struct people_act *act, struct people_device *device)
{
	device->version++;
	return people_row_put_device(
	    people_registry(act->people), act->arena, device);
}

enum cdop_err
people_act_store_invitation(
    struct people_act *act, struct people_invitation *invitation)
{
	invitation->version++;
	return people_row_put_invitation(
	    people_registry(act->people), act->arena, invitation);
}

enum cdop_err
people_act_check_admins(
    struct people_act *act, const struct people_rule_if *what)
{
	struct people_rule_admins before, after;

	people_rule_admins(act->people, act->now_ms, NULL, &before);
	people_rule_admins(act->people, act->now_ms, what, &after);
	if (after.n < before.n && after.n < PEOPLE_RULE_ADMINS_MIN)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "too_few_administrators",
		    "that would leave fewer than two administrators: invite "
		    "and activate another one first");
	return CDOP_OK;
}

static enum cdop_err
set_person(struct people_act *act, const struct people_person *was,
    Cdop__PersonState state, const char *reason)
{
	struct people_person *person;
	enum cdop_err err;

	err = people_edit_person(act->people, was->number, &person);
	if (err != CDOP_OK)
		return err;
	person->state = state;
	memcpy(person->reason, reason, strlen(reason) + 1);
	return people_act_store_person(act, person);
}

static enum cdop_err
set_device(struct people_act *act, const struct people_device *was,
    Cdop__CredentialState state, const char *reason)
{
	struct people_device *device;
	enum cdop_err err;

	err = people_edit_device(act->people, was->number, &device);
	if (err != CDOP_OK)
		return err;
	device->state = state;
	memcpy(device->reason, reason, strlen(reason) + 1);
	if (state == CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED) {
		/* Never needed again: a revoked key gets decoys. */
		cdop_secret_wipe(device->psk, sizeof(device->psk));
		cdop_secret_wipe(device->psk_next, sizeof(device->psk_next));
		device->has_next = false;
	}
	return people_act_store_device(act, device);
}

/* Whom it is about, and why as it is kept. */
static enum cdop_err
find_with_reason(struct people_act *act, const struct people_whom *whom,
    const struct people_person **ret_person,
    const struct people_device **ret_device, char reason[PEOPLE_REASON_ROOM])
{
	enum cdop_err err;

	if ((err = people_act_find(act, whom, ret_person, ret_device)) !=
	    CDOP_OK)
		return err;
	return people_act_text(act, "reason", whom->reason, CDOP_REASON_MAX,
	    true, reason, PEOPLE_REASON_ROOM);
}

/* ---- suspend and resume ------------------------------------------------ */

enum cdop_err
people_act_suspend(struct people_act *act, const struct people_whom *whom)
{
	const struct people_person *person;
	const struct people_device *device;
	char reason[PEOPLE_REASON_ROOM];
	enum cdop_err err;

	err = find_with_reason(act, whom, &person, &device, reason);
	if (err != CDOP_OK)
		return err;
	if (person->state != CDOP__PERSON_STATE__PERSON_ACTIVE)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_active", "that person is not active");
	if (device != NULL &&
	    device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_active", "that device is not active");
	if (act->dry)
		return CDOP_OK;
	if ((err = people_act_settle(act)) != CDOP_OK)
		return err;
	if (device != NULL)
		return set_device(act, device,
		    CDOP__CREDENTIAL_STATE__CREDENTIAL_SUSPENDED, reason);
	return set_person(
	    act, person, CDOP__PERSON_STATE__PERSON_SUSPENDED, reason);
}

enum cdop_err
people_act_resume(struct people_act *act, const struct people_whom *whom)
{
	const struct people_person *person;
	const struct people_device *device;
	char reason[PEOPLE_REASON_ROOM];
	enum cdop_err err;

	err = find_with_reason(act, whom, &person, &device, reason);
	if (err != CDOP_OK)
		return err;
	if (device == NULL
		? person->state != CDOP__PERSON_STATE__PERSON_SUSPENDED
		: device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_SUSPENDED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_suspended", "that is not suspended");
	if (people_rule_is_exclusive(
		people_rule_granted(act->people, person, act->now_ms)))
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "roles_exclusive",
		    "that person's roles do not go together any more");
	if (act->dry)
		return CDOP_OK;
	if ((err = people_act_settle(act)) != CDOP_OK)
		return err;
	if (device != NULL)
		return set_device(act, device,
		    CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE, reason);
	return set_person(
	    act, person, CDOP__PERSON_STATE__PERSON_ACTIVE, reason);
}

/* ---- revoke ------------------------------------------------------------ */

/* Has, had or may get an administrator's power by what is to be revoked. */
static bool
is_administrators(struct people_act *act, const struct people_person *person,
    const struct people_device *device)
{
	uint32_t roles;

	roles = people_rule_granted(act->people, person, act->now_ms);
	if ((roles & CDOP_ROLE_ADMINISTRATOR) == 0 ||
	    person->state == CDOP__PERSON_STATE__PERSON_INVITED)
		return false;
	/* What was never active gave no power. */
	return device == NULL ||
	    device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE ||
	    device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_SUSPENDED;
}

static enum cdop_err
check_revoke(struct people_act *act, const struct people_person *person,
    const struct people_device *device, bool administrator)
{
	if (person->state == CDOP__PERSON_STATE__PERSON_REVOKED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "already_revoked", "that person is revoked already");
	if (device != NULL &&
	    device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "already_revoked", "that device is revoked already");
	if (is_administrators(act, person, device) == administrator)
		return CDOP_OK;
	if (administrator)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_administrator",
		    "that is not an administrator's: one person revokes it");
	return people_act_refuse(act, CDOP_FAILED_PRECONDITION, "administrator",
	    "that is an administrator's: suspend it at once, and revoke it "
	    "with a second administrator");
}

/* As it would be, in the arena: for the question what would be left. */
static enum cdop_err
check_revoke_admins(struct people_act *act, const struct people_person *person,
    const struct people_device *device)
{
	struct people_rule_if what = {NULL, NULL};
	struct people_person *p;
	struct people_device *d;

	if (device == NULL) {
		p = cdop_arena_alloc(act->arena, sizeof(*p));
		if (p == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		*p = *person;
		p->state = CDOP__PERSON_STATE__PERSON_REVOKED;
		what.person = p;
	} else {
		d = cdop_arena_alloc(act->arena, sizeof(*d));
		if (d == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		*d = *device;
		d->state = CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED;
		what.device = d;
	}
	return people_act_check_admins(act, &what);
}

static enum cdop_err
revoke_devices(struct people_act *act, uint32_t person, const char *reason)
{
	const struct people_device *device;
	enum cdop_err err;
	uint32_t i;

	for (i = 1; i <= people_last_device(act->people); i++) {
		device = people_device(act->people, i);
		if (device->person != person ||
		    device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED)
			continue;
		err = set_device(act, device,
		    CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED, reason);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

static enum cdop_err
cancel_invitations(struct people_act *act, uint32_t person)
{
	const struct people_invitation *was;
	struct people_invitation *invitation;
	enum cdop_err err;
	uint32_t i;

	for (i = 0; i < people_n_invitations(act->people); i++) {
		was = people_invitation_at(act->people, i);
		if (was->person != person ||
		    was->state != CDOP__INVITATION_STATE__INVITATION_WAITING)
			continue;
		err = people_edit_invitation(
		    act->people, was->invitation_id, &invitation);
		if (err != CDOP_OK)
			return err;
		invitation->state =
		    CDOP__INVITATION_STATE__INVITATION_CANCELLED;
		cdop_secret_wipe(invitation->psk, sizeof(invitation->psk));
		err = people_act_store_invitation(act, invitation);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

enum cdop_err
people_act_revoke(
    struct people_act *act, const struct people_whom *whom, bool administrator)
{
	const struct people_person *person;
	const struct people_device *device;
	char reason[PEOPLE_REASON_ROOM];
	enum cdop_err err;

	err = find_with_reason(act, whom, &person, &device, reason);
	if (err != CDOP_OK)
		return err;
	err = check_revoke(act, person, device, administrator);
	if (err != CDOP_OK)
		return err;
	if ((err = check_revoke_admins(act, person, device)) != CDOP_OK)
		return err;
	if (act->dry)
		return CDOP_OK;
	if ((err = people_act_settle(act)) != CDOP_OK)
		return err;
	if (device != NULL)
		return set_device(act, device,
		    CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED, reason);
	if ((err = revoke_devices(act, person->number, reason)) != CDOP_OK)
		return err;
	if ((err = cancel_invitations(act, person->number)) != CDOP_OK)
		return err;
	return set_person(
	    act, person, CDOP__PERSON_STATE__PERSON_REVOKED, reason);
}
