/* Enrol, turn, activate; see people_enrol.h. */
#include "server/registry/people_enrol.h"

#include <string.h>

#include "cdop/compare.h"
#include "cdop/limits.h"
#include "cdop/link.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/registry/people_row.h"

#define PENDING CDOP__CREDENTIAL_STATE__CREDENTIAL_PENDING
#define FLAGGED CDOP__CREDENTIAL_STATE__CREDENTIAL_FLAGGED
#define ACTIVE  CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE

/* ---- enrol ------------------------------------------------------------- */

static enum cdop_err
flag_device(struct people_act *act, uint32_t number)
{
	struct people_device *device;
	enum cdop_err err;

	err = people_edit_device(act->people, number, &device);
	if (err != CDOP_OK)
		return err;
	device->state = FLAGGED;
	return people_act_store_device(act, device);
}

static enum cdop_err
flag_invitation(struct people_act *act, const uint8_t *invitation_id)
{
	struct people_invitation *invitation;
	enum cdop_err err;

	err = people_edit_invitation(act->people, invitation_id, &invitation);
	if (err != CDOP_OK)
		return err;
	invitation->state = CDOP__INVITATION_STATE__INVITATION_FLAGGED;
	cdop_secret_wipe(invitation->psk, sizeof(invitation->psk));
	return people_act_store_invitation(act, invitation);
}

/*
 * Two keys came with one invitation: one of them belongs to somebody who
 * should not have had it, and nobody here can tell which.  What is active
 * already was compared by voice and stays.
 */
static enum cdop_err
flag_both(struct people_act *act, const struct people_invitation *invitation)
{
	const struct people_device *device;
	enum cdop_err err;

	device = people_device(act->people, invitation->device);
	if (device != NULL && device->state == PENDING &&
	    (err = flag_device(act, device->number)) != CDOP_OK)
		return err;
	err = flag_invitation(act, invitation->invitation_id);
	if (err != CDOP_OK)
		return err;
	act->kept = true;
	return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
	    "invitation_used_twice",
	    "this invitation was used by somebody else: tell whoever invited "
	    "you, by telephone");
}

/* Both PSKs and the comparison string, as of this session. */
static void
set_session(struct people_device *device, const uint8_t *psk,
    const struct people_enrol_args *args, uint8_t *server_random)
{
	cdop_secret_random(server_random, 32);
	memcpy(device->psk, psk, 32);
	cdop_link_psk_next(device->psk_next, psk, args->client_random,
	    server_random, args->handshake);
	device->has_next = true;
	cdop_compare_bytes(device->comparison, args->handshake);
	/* Whoever typed the old string has seen another session. */
	device->activated_by = 0;
}

static enum cdop_err
enrol_again(struct people_act *act, const struct people_invitation *invitation,
    const struct people_enrol_args *args, uint8_t *server_random)
{
	struct people_device *device;
	enum cdop_err err;

	if (people_device(act->people, invitation->device)->state != PENDING)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_pending", "this device does not wait any more");
	err = people_edit_device(act->people, invitation->device, &device);
	if (err != CDOP_OK)
		return err;
	set_session(device, invitation->psk, args, server_random);
	return people_act_store_device(act, device);
}

static enum cdop_err
enrol_first(struct people_act *act, const struct people_invitation *was,
    const struct people_enrol_args *args, uint8_t *server_random,
    uint32_t *ret_device)
{
	struct people_invitation *invitation;
	struct people_device *from, *device;
	enum cdop_err err;

	if (people_by_key(act->people, args->public_key) != NULL)
		return people_act_refuse(act, CDOP_ALREADY_EXISTS, "key_known",
		    "a key enrols once, ever: make a new one");
	from = cdop_arena_alloc(act->arena, sizeof(*from));
	if (from == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = people_act_text(act, "label", args->label, CDOP_TEXT_MAX, true,
	    from->label, sizeof(from->label));
	if (err != CDOP_OK)
		return err;
	from->person = was->person;
	from->state = PENDING;
	from->expires_ms = was->device_expires_ms;
	from->enrolled_ms = act->now_ms;
	memcpy(from->public_key, args->public_key, sizeof(from->public_key));
	memcpy(from->invitation_id, was->invitation_id,
	    sizeof(from->invitation_id));
	set_session(from, was->psk, args, server_random);
	err = people_add_device(act->people, from, &device);
	if (err == CDOP_OK)
		err = people_act_store_device(act, device);
	if (err != CDOP_OK)
		return err;
	err = people_edit_invitation(
	    act->people, was->invitation_id, &invitation);
	if (err != CDOP_OK)
		return err;
	invitation->state = CDOP__INVITATION_STATE__INVITATION_USED;
	invitation->has_key = true;
	memcpy(invitation->public_key, args->public_key,
	    sizeof(invitation->public_key));
	invitation->device = device->number;
	*ret_device = device->number;
	return people_act_store_invitation(act, invitation);
}

enum cdop_err
people_enrol_device(struct people_act *act,
    const struct people_enrol_args *args, uint8_t ret_server_random[static 32],
    uint32_t *ret_device)
{
	const struct people_invitation *invitation;
	const struct people_person *person;
	enum cdop_err err;

	invitation = people_invitation(act->people, args->invitation_id);
	if (invitation == NULL ||
	    !people_rule_is_usable(invitation, act->now_ms))
		return people_act_refuse(act, CDOP_UNAUTHENTICATED,
		    "invitation_ended",
		    "this invitation has ended: ask for a new one");
	person = people_person(act->people, invitation->person);
	if (person->state != CDOP__PERSON_STATE__PERSON_INVITED &&
	    person->state != CDOP__PERSON_STATE__PERSON_ACTIVE)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_active", "the person invited is suspended or revoked");
	if (!invitation->has_key)
		return enrol_first(
		    act, invitation, args, ret_server_random, ret_device);
	if (!cdop_secret_equal(invitation->public_key, args->public_key, 32))
		return flag_both(act, invitation);
	err = enrol_again(act, invitation, args, ret_server_random);
	if (err == CDOP_OK)
		*ret_device = invitation->device;
	return err;
}

enum cdop_err
people_enrol_turn(struct people_act *act,
    const struct people_enrol_turn_args *args,
    uint8_t ret_server_random[static 32])
{
	const struct people_device *was;
	struct people_device *device;
	uint8_t id[16];
	enum cdop_err err;

	was = people_device(act->people, act->device);
	if (was == NULL)
		return people_act_refuse(act, CDOP_NOT_FOUND, "no_such_device",
		    "there is no such device");
	people_psk_id(id, was->psk);
	if (!cdop_secret_equal(id, args->psk_id, sizeof(id)))
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "psk_turned",
		    "another session of this device has turned the key: "
		    "connect again");
	err = people_edit_device(act->people, act->device, &device);
	if (err != CDOP_OK)
		return err;
	cdop_secret_random(ret_server_random, 32);
	cdop_link_psk_next(device->psk_next, device->psk, args->client_random,
	    ret_server_random, args->handshake);
	device->has_next = true;
	/* No act on the device: its version stays, and with it what waits for
	 * a second person. */
	return people_row_put_device(
	    people_registry(act->people), act->arena, device);
}

/* ---- activate ---------------------------------------------------------- */

uint32_t
people_enrol_waiting(const struct people *people, uint32_t person)
{
	const struct people_device *device;
	uint32_t i, found = 0;

	for (i = 1; i <= people_last_device(people); i++) {
		device = people_device(people, i);
		if (device->person != person || device->state != PENDING)
			continue;
		if (found != 0)
			return 0;
		found = i;
	}
	return found;
}

/* Invited at init or by recover-people, to be an administrator. */
static bool
is_founding(const struct people *people,
    const struct people_invitation *invitation, uint64_t now_ms)
{
	const struct people_person *person;

	if (invitation == NULL || invitation->invited_by != 0)
		return false;
	person = people_person(people, invitation->person);
	return person->invited_by == 0 &&
	    (people_rule_granted(people, person, now_ms) &
		CDOP_ROLE_ADMINISTRATOR) != 0;
}

static bool
is_founder(const struct people_act *act, const struct people_device *device)
{
	return is_founding(act->people,
	    people_invitation(act->people, device->invitation_id), act->now_ms);
}

/* Whether an administrator can still come of it. */
static bool
is_open(const struct people *people, const struct people_invitation *invitation,
    uint64_t now_ms)
{
	const struct people_device *device;

	if (people_person(people, invitation->person)->state !=
	    CDOP__PERSON_STATE__PERSON_INVITED)
		return false;
	device = people_device(people, invitation->device);
	return device == NULL
	    ? people_rule_is_usable(invitation, now_ms)
	    : people_rule_roles(people, device, now_ms) == CDOP_ROLE_PENDING;
}

size_t
people_enrol_founders(const struct people *people, uint64_t now_ms)
{
	const struct people_invitation *invitation;
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < people_n_invitations(people); i++) {
		invitation = people_invitation_at(people, i);
		n += is_founding(people, invitation, now_ms) &&
		    is_open(people, invitation, now_ms);
	}
	return n;
}

static enum cdop_err
check_setup(struct people_act *act, const struct people_device *device)
{
	const struct people_device *own;

	own = people_device(act->people, act->device);
	if (people_registry(act->people)->state != CDOP_STATE_SETUP ||
	    own == NULL || own->state != PENDING || !is_founder(act, own))
		return people_act_refuse(act, CDOP_PERMISSION_DENIED, "role",
		    "you wait to be activated yourself");
	if (!is_founder(act, device))
		return people_act_refuse(act, CDOP_PERMISSION_DENIED, "role",
		    "in setup the administrators activate each other, and "
		    "nobody else");
	return CDOP_OK;
}

static enum cdop_err
check_device(struct people_act *act, const struct people_device *device)
{
	const struct people_person *person;

	person = people_person(act->people, device->person);
	if (device->state == FLAGGED)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "flagged",
		    act->pending
			? "its invitation was used twice, or the string was "
			  "wrong too often: another one is made on the server "
			  "(cdopd recover-people)"
			: "its invitation was used twice, or the string was "
			  "wrong too often: revoke it and invite again");
	if (device->state != PENDING)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_pending", "that device does not wait");
	if (act->now_ms >= device->expires_ms)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "expired", "that device has ended already");
	if (person->state != CDOP__PERSON_STATE__PERSON_INVITED &&
	    person->state != CDOP__PERSON_STATE__PERSON_ACTIVE)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "not_active", "that person is suspended or revoked");
	if (people_rule_is_exclusive(
		people_rule_granted(act->people, person, act->now_ms)))
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "roles_exclusive",
		    "that person's roles do not go together");
	return CDOP_OK;
}

/* Persons are compared, never devices. */
static enum cdop_err
check_second(struct people_act *act, const struct people_device *device)
{
	const struct people_invitation *invitation;

	if (device->person == act->person)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "same_person", "nobody activates a device of their own");
	invitation = people_invitation(act->people, device->invitation_id);
	if (invitation == NULL || invitation->invited_by == act->person)
		return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
		    "same_person",
		    "you invited: another administrator activates");
	return CDOP_OK;
}

static enum cdop_err
count_wrong(struct people_act *act, uint32_t number)
{
	struct people_device *device;
	enum cdop_err err;

	err = people_edit_device(act->people, number, &device);
	if (err != CDOP_OK)
		return err;
	act->kept = true;
	if (++device->wrong >= PEOPLE_WRONG_MAX) {
		device->state = FLAGGED;
		err = flag_invitation(act, device->invitation_id);
		if (err != CDOP_OK)
			return err;
	}
	if ((err = people_act_store_device(act, device)) != CDOP_OK)
		return err;
	return people_act_refuse(act, CDOP_FAILED_PRECONDITION,
	    "comparison_differs",
	    "the string is not that of this device: have it read out again; "
	    "if it stays so, somebody else has enrolled");
}

/* The device, its person, and the invitation that has served. */
static enum cdop_err
make_active(struct people_act *act, uint32_t number, uint32_t by)
{
	struct people_invitation *invitation;
	struct people_person *person;
	struct people_device *device;
	enum cdop_err err;

	err = people_edit_device(act->people, number, &device);
	if (err != CDOP_OK)
		return err;
	device->state = ACTIVE;
	device->activated_by = by;
	if ((err = people_act_store_device(act, device)) != CDOP_OK)
		return err;
	err = people_edit_invitation(
	    act->people, device->invitation_id, &invitation);
	if (err != CDOP_OK)
		return err;
	cdop_secret_wipe(invitation->psk, sizeof(invitation->psk));
	err = people_act_store_invitation(act, invitation);
	if (err != CDOP_OK)
		return err;
	err = people_edit_person(act->people, device->person, &person);
	if (err != CDOP_OK)
		return err;
	if (person->state == CDOP__PERSON_STATE__PERSON_INVITED) {
		person->state = CDOP__PERSON_STATE__PERSON_ACTIVE;
		person->activated_by = by;
	}
	return people_act_store_person(act, person);
}

/* Each of two in setup: the second one to type makes both active. */
static enum cdop_err
activate_each_other(struct people_act *act, uint32_t number)
{
	const struct people_device *own;
	struct people_device *device;
	enum cdop_err err;

	err = people_edit_device(act->people, number, &device);
	if (err != CDOP_OK)
		return err;
	device->activated_by = act->person;
	own = people_device(act->people, act->device);
	if (own->activated_by != device->person)
		return people_act_store_device(act, device);
	if ((err = make_active(act, number, act->person)) != CDOP_OK)
		return err;
	return make_active(act, act->device, device->person);
}

static enum cdop_err
leave_setup(struct people_act *act, bool *ret_open)
{
	struct registry *reg = people_registry(act->people);
	struct people_rule_admins admins;
	Cdop__StoredConfig *config;
	enum cdop_err err;

	*ret_open = false;
	if (reg->state != CDOP_STATE_SETUP)
		return CDOP_OK;
	people_rule_admins(act->people, act->now_ms, NULL, &admins);
	if (admins.n < PEOPLE_RULE_ADMINS_MIN)
		return CDOP_OK;
	err = registry_edit_config(reg, act->arena, &config);
	if (err != CDOP_OK)
		return err;
	config->state = CDOP__STATE__OPEN;
	err = registry_put_config(reg, act->arena, config);
	*ret_open = err == CDOP_OK;
	return err;
}

enum cdop_err
people_enrol_activate(
    struct people_act *act, uint32_t device, const char *typed, bool *ret_open)
{
	const struct people_device *d;
	uint8_t bytes[CDOP_COMPARE_LEN];
	enum cdop_err err;

	d = people_device(act->people, device);
	if (d == NULL)
		return people_act_refuse(act, CDOP_NOT_FOUND, "no_such_device",
		    "there is no such device");
	if (act->pending && (err = check_setup(act, d)) != CDOP_OK)
		return err;
	if ((err = check_second(act, d)) != CDOP_OK)
		return err;
	if ((err = check_device(act, d)) != CDOP_OK)
		return err;
	if (cdop_compare_parse(typed, bytes) != CDOP_OK)
		return people_act_bad_field(act, "comparison",
		    "not_a_comparison",
		    "16 letters and digits, as the other one reads them out");
	if (!cdop_secret_equal(bytes, d->comparison, sizeof(bytes)))
		return count_wrong(act, device);
	if ((err = people_act_settle(act)) != CDOP_OK)
		return err;
	err = act->pending ? activate_each_other(act, device)
			   : make_active(act, device, act->person);
	if (err != CDOP_OK)
		return err;
	return leave_setup(act, ret_open);
}
