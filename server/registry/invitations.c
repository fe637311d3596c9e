/* Inviting and cancelling; see invitations.h. */
#include "server/registry/invitations.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/secret.h"

/* Not at init, where nobody invites. */
static enum cdop_err
check_day(struct people_act *act)
{
	const struct people_invitation *invitation;
	size_t today = 0;
	uint32_t i;

	for (i = 0; i < people_n_invitations(act->people); i++) {
		invitation = people_invitation_at(act->people, i);
		today += invitation->invited_by == act->person &&
		    act->now_ms < invitation->created_ms + PEOPLE_DAY_MS;
	}
	if (act->person != 0 && today >= PEOPLE_INVITATIONS_DAY)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "too_many_invitations",
		    "you invited very many in a day: go on tomorrow");
	return CDOP_OK;
}

/* At init there is nobody to invite: people_act.person is 0. */
static enum cdop_err
make(struct people_act *act, uint32_t person,
    const struct invitations_device *device,
    const struct people_invitation **ret_invitation)
{
	struct people_invitation *from, *invitation;
	enum cdop_err err;

	from = cdop_arena_alloc(act->arena, sizeof(*from));
	if (from == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = people_act_text(act, "label", device->label, CDOP_TEXT_MAX, true,
	    from->label, sizeof(from->label));
	if (err != CDOP_OK)
		return err;
	if (device->expires_ms <= act->now_ms)
		return people_act_bad_field(act, "device_expires_ms",
		    "expiry_past", "the device would have ended already");
	cdop_secret_random(from->invitation_id, sizeof(from->invitation_id));
	cdop_secret_random(from->psk, sizeof(from->psk));
	from->person = person;
	from->created_ms = act->now_ms;
	from->expires_ms = act->now_ms + PEOPLE_INVITATION_MS;
	from->state = CDOP__INVITATION_STATE__INVITATION_WAITING;
	from->invited_by = act->person;
	from->device_expires_ms = device->expires_ms;
	err = people_add_invitation(act->people, from, &invitation);
	if (err != CDOP_OK)
		return err;
	*ret_invitation = invitation;
	return people_act_store_invitation(act, invitation);
}

enum cdop_err
invitations_person(struct people_act *act, const struct people_change *change,
    const struct invitations_device *device,
    const struct people_invitation **ret_invitation)
{
	struct people_person *from, *person;
	enum cdop_err err;

	if ((err = check_day(act)) != CDOP_OK)
		return err;
	from = cdop_arena_alloc(act->arena, sizeof(*from));
	if (from == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (change->name == NULL)
		return people_act_bad_field(
		    act, "name", "text_needed", "is needed");
	if ((err = people_change_fill(act, change, from)) != CDOP_OK)
		return err;
	if (from->n_grants == 0)
		return people_act_bad_field(act, "grant", "role_needed",
		    "say in which role the person is to work");
	/* Checked here, so that nothing is half done when it is refused. */
	err = people_act_text(act, "label", device->label, CDOP_TEXT_MAX, true,
	    from->reason, sizeof(from->reason));
	if (err != CDOP_OK)
		return err;
	if (device->expires_ms <= act->now_ms)
		return people_act_bad_field(act, "device_expires_ms",
		    "expiry_past", "the device would have ended already");
	from->reason[0] = '\0';
	from->state = CDOP__PERSON_STATE__PERSON_INVITED;
	from->created_ms = act->now_ms;
	from->invited_by = act->person;
	if ((err = people_add_person(act->people, from, &person)) != CDOP_OK)
		return err;
	if ((err = people_act_store_person(act, person)) != CDOP_OK)
		return err;
	return make(act, person->number, device, ret_invitation);
}

/* How many wait or are in use: bounds what a revocation has to write. */
static enum cdop_err
check_room(struct people_act *act, uint32_t person)
{
	const struct people_invitation *invitation;
	const struct people_device *device;
	size_t devices = 0, waiting = 0;
	uint32_t i;

	for (i = 1; i <= people_last_device(act->people); i++) {
		device = people_device(act->people, i);
		devices += device->person == person &&
		    device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED;
	}
	for (i = 0; i < people_n_invitations(act->people); i++) {
		invitation = people_invitation_at(act->people, i);
		waiting += invitation->person == person &&
		    invitation->state ==
			CDOP__INVITATION_STATE__INVITATION_WAITING &&
		    act->now_ms < invitation->expires_ms;
	}
	if (waiting >= PEOPLE_INVITATIONS_EACH)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "too_many_invitations",
		    "several invitations wait for that person: cancel one");
	if (devices + waiting >= PEOPLE_DEVICES_EACH)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "too_many_devices",
		    "that person has many devices: revoke one first");
	return CDOP_OK;
}

enum cdop_err
invitations_more(struct people_act *act, uint32_t person,
    const struct invitations_device *device,
    const struct people_invitation **ret_invitation)
{
	const struct people_whom whom = {.person = person};
	const struct people_person *p;
	const struct people_device *none;
	enum cdop_err err;

	if ((err = people_act_find(act, &whom, &p, &none)) != CDOP_OK)
		return err;
	if (p->state != CDOP__PERSON_STATE__PERSON_ACTIVE &&
	    p->state != CDOP__PERSON_STATE__PERSON_INVITED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_active", "that person is suspended or revoked");
	if ((err = check_day(act)) != CDOP_OK)
		return err;
	if ((err = check_room(act, person)) != CDOP_OK)
		return err;
	return make(act, person, device, ret_invitation);
}

/* ---- cancel ------------------------------------------------------------ */

static enum cdop_err
revoke_unused(struct people_act *act, uint32_t number, const char *reason)
{
	struct people_device *device;
	enum cdop_err err;

	err = people_edit_device(act->people, number, &device);
	if (err != CDOP_OK)
		return err;
	device->state = CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED;
	memcpy(device->reason, reason, strlen(reason) + 1);
	cdop_secret_wipe(device->psk, sizeof(device->psk));
	cdop_secret_wipe(device->psk_next, sizeof(device->psk_next));
	device->has_next = false;
	return people_act_store_device(act, device);
}

static enum cdop_err
check_cancel(struct people_act *act, const struct people_invitation *invitation)
{
	const struct people_device *device;

	if (invitation == NULL)
		return people_act_refuse(act, CDOP_NOT_FOUND,
		    "no_such_invitation", "there is no such invitation");
	if (invitation->state == CDOP__INVITATION_STATE__INVITATION_CANCELLED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "already_cancelled", "it is cancelled already");
	device = people_device(act->people, invitation->device);
	if (device != NULL &&
	    device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_PENDING &&
	    device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_FLAGGED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "already_activated",
		    "what came of it is active: suspend or revoke the device");
	return CDOP_OK;
}

enum cdop_err
invitations_cancel(struct people_act *act,
    const uint8_t invitation_id[static 16], const char *reason)
{
	struct people_invitation *invitation;
	char text[PEOPLE_REASON_ROOM];
	enum cdop_err err;

	err = check_cancel(act, people_invitation(act->people, invitation_id));
	if (err != CDOP_OK)
		return err;
	err = people_act_text(
	    act, "reason", reason, CDOP_REASON_MAX, true, text, sizeof(text));
	if (err != CDOP_OK)
		return err;
	if (act->dry)
		return CDOP_OK;
	err = people_edit_invitation(act->people, invitation_id, &invitation);
	if (err != CDOP_OK)
		return err;
	invitation->state = CDOP__INVITATION_STATE__INVITATION_CANCELLED;
	cdop_secret_wipe(invitation->psk, sizeof(invitation->psk));
	if ((err = people_act_store_invitation(act, invitation)) != CDOP_OK)
		return err;
	if (invitation->device == 0)
		return CDOP_OK;
	return revoke_unused(act, invitation->device, text);
}

const char *
invitations_state(const struct people_invitation *invitation, uint64_t now_ms)
{
	if (invitation->state == CDOP__INVITATION_STATE__INVITATION_USED)
		return "used";
	if (invitation->state == CDOP__INVITATION_STATE__INVITATION_CANCELLED)
		return "cancelled";
	if (invitation->state == CDOP__INVITATION_STATE__INVITATION_FLAGGED)
		return "flagged";
	return now_ms >= invitation->expires_ms ? "expired" : "waiting";
}
