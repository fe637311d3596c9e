/* Who is left out of what is restored; see restored_people.h. */
#include "server/registry/restored_people.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/role.h"
#include "cdop/text.h"
#include "server/registry/audit.h"
#include "server/registry/invitations.h"
#include "server/registry/people_act.h"

/* ---- whom -------------------------------------------------------------- */

struct finding {
	const struct registry *reg;
	struct cdop_arena *arena;
	const char *why;
};

static enum cdop_err
refuse(struct finding *finding, const char *who, const char *why)
{
	finding->why =
	    cdop_arena_printf(finding->arena, "\"%s\": %s", who, why);
	return finding->why != NULL ? CDOP_NOT_FOUND : CDOP_RESOURCE_EXHAUSTED;
}

/* Digits and nothing else; false: it is a name. */
static bool
read_number(const char *who, uint32_t *ret_number)
{
	unsigned long long n;

	if (!people_rule_is_number(who))
		return false;
	errno = 0;
	n = strtoull(who, NULL, 10);
	/* Nobody has that number. */
	*ret_number = errno != 0 || n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	return true;
}

/* Who is revoked is out for ever, whoever has the name by now. */
static enum cdop_err
find_name(struct finding *finding, const char *who, uint32_t *ret_person)
{
	const struct people *people = finding->reg->people;
	const struct people_person *person;
	uint32_t i, found = 0, revoked = 0;
	enum cdop_text_fault fault;
	const char *name;
	enum cdop_err err;

	err =
	    cdop_text_clean(who, CDOP_TEXT_LINE, finding->arena, &name, &fault);
	if (err == CDOP_INVALID_ARGUMENT)
		return refuse(finding, who, "nobody is called so");
	if (err != CDOP_OK)
		return err;
	for (i = 1; i <= people_last_person(people); i++) {
		person = people_person(people, i);
		if (strcmp(person->name, name) != 0)
			continue;
		if (person->state == CDOP__PERSON_STATE__PERSON_REVOKED)
			revoked = i;
		else if (found != 0)
			return refuse(finding, who,
			    "more than one person is called so: say the "
			    "number");
		else
			found = i;
	}
	*ret_person = found != 0 ? found : revoked;
	return *ret_person != 0 ? CDOP_OK
				: refuse(finding, who, "nobody is called so");
}

/* Names of digits were given once. */
static bool
is_name_of_another(
    const struct people *people, const char *who, uint32_t number)
{
	const struct people_person *person;
	uint32_t i;

	for (i = 1; i <= people_last_person(people); i++) {
		person = people_person(people, i);
		if (i != number && strcmp(person->name, who) == 0 &&
		    person->state != CDOP__PERSON_STATE__PERSON_REVOKED)
			return true;
	}
	return false;
}

static enum cdop_err
find_number(struct finding *finding, const char *who, uint32_t number)
{
	const struct people *people = finding->reg->people;

	if (people_person(people, number) == NULL)
		return refuse(finding, who, "no person has that number");
	if (is_name_of_another(people, who, number))
		return refuse(finding, who,
		    "one person has that number, and another one that name: "
		    "a 0 before it makes it the number");
	return CDOP_OK;
}

static enum cdop_err
find_one(struct finding *finding, const struct restored_whom *whom,
    struct restored_out *ret_out)
{
	const struct people *people = finding->reg->people;
	const struct people_device *device;
	bool is_number;

	ret_out->device = 0;
	is_number = read_number(whom->who, &ret_out->person);
	if (whom->is_device) {
		device =
		    is_number ? people_device(people, ret_out->person) : NULL;
		if (device == NULL)
			return refuse(
			    finding, whom->who, "no device has that number");
		ret_out->device = device->number;
		ret_out->person = device->person;
		return CDOP_OK;
	}
	if (!is_number)
		return find_name(finding, whom->who, &ret_out->person);
	return find_number(finding, whom->who, ret_out->person);
}

static bool
is_in_state(const struct people *people, const struct restored_out *out,
    Cdop__CredentialState of_device, Cdop__PersonState of_person)
{
	if (out->device != 0)
		return people_device(people, out->device)->state == of_device;
	return people_person(people, out->person)->state == of_person;
}

bool
restored_people_is_revoked(
    const struct people *people, const struct restored_out *out)
{
	return is_in_state(people, out,
	    CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED,
	    CDOP__PERSON_STATE__PERSON_REVOKED);
}

static bool
is_suspended(const struct people *people, const struct restored_out *out)
{
	return is_in_state(people, out,
	    CDOP__CREDENTIAL_STATE__CREDENTIAL_SUSPENDED,
	    CDOP__PERSON_STATE__PERSON_SUSPENDED);
}

const char *
restored_people_how(const struct people *people, const struct restored_out *out)
{
	if (restored_people_is_revoked(people, out))
		return " (never active: revoked)";
	return out->before ? " (suspended before)" : "";
}

static bool
is_among(
    const struct restored_out *all, size_t n, const struct restored_out *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (all[i].person == out->person &&
		    all[i].device == out->device)
			return true;
	return false;
}

enum cdop_err
restored_people_find(const struct registry *reg, struct cdop_arena *arena,
    const struct restored_suspend *suspend,
    struct restored_out out[static CDOP_LEFT_OUT_MAX], size_t *n,
    const char **ret_why)
{
	struct finding finding = {.reg = reg, .arena = arena};
	struct restored_out one;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < suspend->n; i++) {
		err = find_one(&finding, &suspend->whom[i], &one);
		if (err != CDOP_OK) {
			*ret_why = finding.why;
			return err;
		}
		if (restored_people_is_revoked(reg->people, &one) ||
		    is_among(out, *n, &one))
			continue;
		if (*n == CDOP_LEFT_OUT_MAX) {
			*ret_why = "so many cannot be left out: the rest is "
				   "suspended when it is accepted";
			return CDOP_INVALID_ARGUMENT;
		}
		one.before = is_suspended(reg->people, &one);
		out[(*n)++] = one;
	}
	return CDOP_OK;
}

/* ---- suspending -------------------------------------------------------- */

struct leaving {
	struct registry *reg;
	const struct restored_people_act *args;
	struct people_act act;
	const char *said;              /* of the log */
	const char *reason;            /* on record about the person */
	const struct restored_out *at; /* whose turn it is */
};

static enum cdop_err
leaf(struct leaving *leaving, const struct restored_out *out, bool revoked)
{
	const struct audit_entry entry = {
	    .call = AUDIT_EVENT_LEFT_OUT,
	    .time_ms = leaving->args->now_ms,
	    .reason = revoked ? "revoked" : "suspended",
	    .reason_text = leaving->said,
	    .keep_reason = true,
	    .subject_person = out->person,
	    .count = out->device,
	};

	return audit_append(
	    leaving->reg->audit, leaving->act.arena, &entry, NULL);
}

/* What was never active gave nobody anything: there is nothing to suspend. */
static bool
was_active(const struct registry *reg, const struct restored_out *out)
{
	return is_in_state(reg->people, out,
	    CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE,
	    CDOP__PERSON_STATE__PERSON_ACTIVE);
}

static enum cdop_err
leave_out(struct leaving *leaving, const struct restored_out *out)
{
	const struct people_whom whom = {
	    .person = out->person,
	    .device = out->device,
	    .reason = leaving->reason,
	};
	bool revoke = !was_active(leaving->reg, out);
	enum cdop_err err;

	leaving->at = out;
	err = revoke ? people_act_revoke(&leaving->act, &whom, false)
		     : people_act_suspend(&leaving->act, &whom);
	return err == CDOP_OK ? leaf(leaving, out, revoke) : err;
}

/* Devices first: of a person who is suspended none can be. */
static enum cdop_err
leave_all_out(struct leaving *leaving)
{
	const struct restored_out *out = leaving->args->out;
	enum cdop_err err;
	size_t i;

	for (i = 0; i < leaving->args->n; i++)
		if (out[i].device != 0 && !out[i].before &&
		    (err = leave_out(leaving, &out[i])) != CDOP_OK)
			return err;
	for (i = 0; i < leaving->args->n; i++)
		if (out[i].device == 0 && !out[i].before &&
		    (err = leave_out(leaving, &out[i])) != CDOP_OK)
			return err;
	return CDOP_OK;
}

/* Which of all: a device, as every person can be left out. */
static const char *
words_of_refusal(const struct leaving *leaving)
{
	const struct restored_out *out = leaving->at;

	return cdop_arena_printf(leaving->act.arena,
	    "not suspended: device %u of %u %s: %s; nothing was done",
	    out->device, out->person,
	    people_person(leaving->reg->people, out->person)->name,
	    leaving->act.message);
}

enum cdop_err
restored_people_suspend(struct registry *reg, struct cdop_arena *arena,
    const struct restored_people_act *args, const char **ret_why)
{
	struct leaving leaving = {
	    .reg = reg,
	    .args = args,
	    .act = {.people = reg->people,
		.arena = arena,
		.now_ms = args->now_ms},
	    .said = cdop_arena_printf(arena, "%s: %s", args->by, args->reason),
	    .reason = cdop_arena_printf(
		arena, "by %s, who restored the registry", args->by),
	};
	enum cdop_err err;

	if (leaving.said == NULL || leaving.reason == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = leave_all_out(&leaving);
	if (err != CDOP_OK && leaving.act.message != NULL)
		*ret_why = words_of_refusal(&leaving);
	return err;
}

/* ---- invitations ------------------------------------------------------- */

static bool
is_waiting(const struct people_invitation *invitation, uint64_t now_ms)
{
	return invitation->invited_by != 0 &&
	    invitation->state == CDOP__INVITATION_STATE__INVITATION_WAITING &&
	    now_ms < invitation->expires_ms;
}

size_t
restored_people_invited(const struct registry *reg, uint64_t now_ms)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < people_n_invitations(reg->people); i++)
		n += is_waiting(people_invitation_at(reg->people, i), now_ms);
	return n;
}

enum cdop_err
restored_people_uninvite(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms)
{
	struct people_act act = {
	    .people = reg->people, .arena = arena, .now_ms = now_ms};
	const struct people_invitation *invitation;
	enum cdop_err err;
	uint32_t i;

	for (i = 0; i < people_n_invitations(reg->people); i++) {
		invitation = people_invitation_at(reg->people, i);
		if (!is_waiting(invitation, now_ms))
			continue;
		err = invitations_cancel(
		    &act, invitation->invitation_id, "by a restore");
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* ---- who is left ------------------------------------------------------- */

size_t
restored_people_accept(const struct registry *reg, uint64_t now_ms,
    struct restored_out *ret_out, size_t max)
{
	const struct people_device *device;
	struct restored_out out;
	uint32_t i, roles;
	size_t n = 0;

	for (i = 1; i <= people_last_device(reg->people) && n < max; i++) {
		device = people_device(reg->people, i);
		roles = people_rule_roles(reg->people, device, now_ms);
		out = (struct restored_out){.person = device->person};
		if ((roles & CDOP_ROLE_ADMINISTRATOR) != 0 &&
		    !is_among(ret_out, n, &out))
			ret_out[n++] = out;
	}
	return n;
}
