/* Rules about people; see people_rule.h. */
#include "server/registry/people_rule.h"

#include <string.h>

#include "cdop/fold.h"
#include "cdop/role.h"
#include "cdop/secret.h"

#define SEEN_DAYS 14

/* ---- administrators ---------------------------------------------------- */

static const struct people_person *
person_if(const struct people *people, uint32_t number,
    const struct people_rule_if *what)
{
	if (what != NULL && what->person != NULL &&
	    what->person->number == number)
		return what->person;
	return people_person(people, number);
}

static const struct people_device *
device_if(const struct people *people, uint32_t number,
    const struct people_rule_if *what)
{
	if (what != NULL && what->device != NULL &&
	    what->device->number == number)
		return what->device;
	return people_device(people, number);
}

/* When the role ends by its grants; 0: it is not in force at all. */
static uint64_t
grant_end(const struct people_person *person, uint64_t now_ms)
{
	const struct people_grant *grant;
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < person->n_grants; i++) {
		grant = &person->grants[i];
		if (grant->role == CDOP__ROLE__ADMINISTRATOR &&
		    grant->from_ms <= now_ms && grant->until_ms > end)
			end = grant->until_ms;
	}
	return end;
}

/* When the last active device of a person ends; 0: there is none. */
static uint64_t
device_end(const struct people *people, uint32_t person,
    const struct people_rule_if *what, uint64_t *ret_seen_ms)
{
	const struct people_device *device;
	uint64_t end = 0;
	uint32_t i;

	*ret_seen_ms = 0;
	for (i = 1; i <= people_last_device(people); i++) {
		device = device_if(people, i, what);
		if (device->person != person ||
		    device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE)
			continue;
		if (device->expires_ms > end)
			end = device->expires_ms;
		if (device->seen_ms > *ret_seen_ms)
			*ret_seen_ms = device->seen_ms;
	}
	return end;
}

/*
 * The end of an administrator who counts, or counted until it; 0: does not
 * count, whatever the time.
 */
static uint64_t
admin_end(const struct people *people, const struct people_person *person,
    uint64_t now_ms, const struct people_rule_if *what, uint64_t *ret_seen_ms)
{
	uint64_t by_grant, by_device, end;

	*ret_seen_ms = 0;
	if (person->state != CDOP__PERSON_STATE__PERSON_ACTIVE)
		return 0;
	by_grant = grant_end(person, now_ms);
	if (by_grant == 0)
		return 0;
	by_device = device_end(people, person->number, what, ret_seen_ms);
	end = by_grant < by_device ? by_grant : by_device;
	return end > person->lapsed_ms ? end : 0;
}

/*
 * Ends take effect in their order, each only while it leaves enough; so an
 * end has taken effect when the number of those that outlast it is enough.
 * (Of two at the same instant the lower number is taken to be first.)
 */
static size_t
outlasting(const struct people *people, uint32_t number, uint64_t end,
    uint64_t now_ms, const struct people_rule_if *what)
{
	uint64_t other_end, seen_ms;
	size_t n = 0;
	uint32_t i;

	for (i = 1; i <= people_last_person(people); i++) {
		if (i == number)
			continue;
		other_end = admin_end(
		    people, person_if(people, i, what), now_ms, what, &seen_ms);
		if (other_end > end || (other_end == end && i > number))
			n++;
	}
	return n;
}

enum standing {
	NO_ADMIN,
	IN_FORCE,
	HELD,   /* ended, but it would leave too few */
	LAPSED, /* ended */
};

static enum standing
standing(const struct people *people, const struct people_person *person,
    uint64_t now_ms, const struct people_rule_if *what, uint64_t *ret_end_ms,
    uint64_t *ret_seen_ms)
{
	size_t n;

	*ret_end_ms = admin_end(people, person, now_ms, what, ret_seen_ms);
	if (*ret_end_ms == 0)
		return NO_ADMIN;
	if (*ret_end_ms > now_ms)
		return IN_FORCE;
	n = outlasting(people, person->number, *ret_end_ms, now_ms, what);
	return n >= PEOPLE_RULE_ADMINS_MIN ? LAPSED : HELD;
}

void
people_rule_admins(const struct people *people, uint64_t now_ms,
    const struct people_rule_if *what, struct people_rule_admins *ret_admins)
{
	struct people_rule_admins out = {.next_end_ms = UINT64_MAX};
	enum standing how;
	uint64_t end_ms, seen_ms;
	uint32_t i;

	for (i = 1; i <= people_last_person(people); i++) {
		how = standing(people, person_if(people, i, what), now_ms, what,
		    &end_ms, &seen_ms);
		if (how == NO_ADMIN || how == LAPSED)
			continue;
		out.n++;
		if (how == HELD) {
			out.n_held++;
			out.held = i;
		} else if (end_ms < out.next_end_ms) {
			out.next_end_ms = end_ms;
		}
		if (seen_ms + SEEN_DAYS * (uint64_t)PEOPLE_DAY_MS >= now_ms)
			out.n_seen++;
	}
	*ret_admins = out;
}

bool
people_rule_has_lapsed(
    const struct people *people, uint32_t person, uint64_t now_ms)
{
	const struct people_person *p = people_person(people, person);
	uint64_t end_ms, seen_ms;

	return p != NULL &&
	    standing(people, p, now_ms, NULL, &end_ms, &seen_ms) == LAPSED;
}

/* ---- roles ------------------------------------------------------------- */

/* The administrator's end, of role or device, waits for a replacement. */
static bool
is_held(const struct people *people, const struct people_person *person,
    uint64_t now_ms)
{
	uint64_t end_ms, seen_ms;

	return standing(people, person, now_ms, NULL, &end_ms, &seen_ms) ==
	    HELD;
}

static uint32_t
in_force(const struct people_person *person, uint64_t now_ms)
{
	const struct people_grant *grant;
	uint32_t roles = 0;
	size_t i;

	for (i = 0; i < person->n_grants; i++) {
		grant = &person->grants[i];
		/* An end on record stays, whatever the clock says now. */
		if (grant->role == CDOP__ROLE__ADMINISTRATOR &&
		    grant->until_ms <= person->lapsed_ms)
			continue;
		if (grant->from_ms <= now_ms && now_ms < grant->until_ms)
			roles |= 1u << grant->role;
	}
	return roles;
}

uint32_t
people_rule_roles(const struct people *people,
    const struct people_device *device, uint64_t now_ms)
{
	const struct people_person *person;
	bool has_ended;
	uint32_t roles;

	person = people_person(people, device->person);
	has_ended = now_ms >= device->expires_ms;
	if (device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_PENDING)
		return !has_ended &&
			(person->state == CDOP__PERSON_STATE__PERSON_INVITED ||
			    person->state == CDOP__PERSON_STATE__PERSON_ACTIVE)
		    ? CDOP_ROLE_PENDING
		    : 0;
	if (device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE ||
	    person->state != CDOP__PERSON_STATE__PERSON_ACTIVE)
		return 0;
	roles = has_ended ? 0 : in_force(person, now_ms) | CDOP_ROLE_ANY;
	/* Dear, so asked only of the few it can concern. */
	if ((roles & CDOP_ROLE_ADMINISTRATOR) == 0 &&
	    is_held(people, person, now_ms))
		roles |= CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY;
	return roles;
}

uint32_t
people_rule_granted(const struct people *people,
    const struct people_person *person, uint64_t now_ms)
{
	const struct people_person *present;
	const struct people_grant *grant;
	uint32_t roles = 0;
	size_t i;

	for (i = 0; i < person->n_grants; i++) {
		grant = &person->grants[i];
		if (now_ms < grant->until_ms)
			roles |= 1u << grant->role;
	}
	present = people_person(people, person->number);
	if (present != NULL && is_held(people, present, now_ms) &&
	    grant_end(person, now_ms) != 0)
		roles |= CDOP_ROLE_ADMINISTRATOR;
	return roles;
}

static const char *const role_words[] = {
    [CDOP__ROLE__COORDINATOR] = "coordinator",
    [CDOP__ROLE__PARTNER] = "partner",
    [CDOP__ROLE__PANEL_MEMBER] = "panel member",
    [CDOP__ROLE__ANALYST] = "analyst",
    [CDOP__ROLE__ADMINISTRATOR] = "administrator",
    [CDOP__ROLE__CUSTODIAN] = "custodian",
    [CDOP__ROLE__AUDITOR] = "auditor",
    [CDOP__ROLE__CHAIR] = "chair",
    [CDOP__ROLE__DESIGNATED_DOCTOR] = "designated doctor",
    [CDOP__ROLE__AGENCY_RESPONDENT] = "agency respondent",
};

#define N_ROLES (sizeof(role_words) / sizeof(role_words[0]))

const char *
people_rule_role_words(struct cdop_arena *arena, uint32_t mask)
{
	const char *words = "", *more;
	size_t i;

	for (i = 1; i < N_ROLES; i++) {
		if ((mask & (1u << i)) == 0)
			continue;
		more = cdop_arena_printf(arena, "%s%s%s", words,
		    *words != '\0' ? ", " : "", role_words[i]);
		if (more == NULL)
			break;
		words = more;
	}
	return *words != '\0' ? words : "no role";
}

/*
 * The log says what an answer hides: whoever asks as a partner and reads
 * there as an auditor knows which children of other areas are known.
 */
bool
people_rule_is_exclusive(uint32_t roles)
{
	const uint32_t apart = CDOP_ROLES_KEYS | CDOP_ROLE_AUDITOR;

	return (roles & apart) != 0 && (roles & CDOP_ROLES_CASE) != 0;
}

bool
people_rule_is_usable(
    const struct people_invitation *invitation, uint64_t now_ms)
{
	if (now_ms >= invitation->expires_ms ||
	    cdop_secret_is_zero(invitation->psk, sizeof(invitation->psk)))
		return false;
	return invitation->state ==
	    CDOP__INVITATION_STATE__INVITATION_WAITING ||
	    invitation->state == CDOP__INVITATION_STATE__INVITATION_USED;
}

/* ---- what an act is bound to ------------------------------------------- */

void
people_rule_target(
    const struct people *people, uint32_t person, uint8_t out[static 32])
{
	const struct people_person *p;
	const struct people_device *device;
	uint8_t part[16];
	struct cdop_bytes parts[2];
	uint32_t i;

	memset(out, 0, 32);
	p = people_person(people, person);
	if (p == NULL)
		return;
	/* A chain of hashes, as there is no bound on devices. */
	parts[0].data = out;
	parts[0].len = 32;
	parts[1].data = part;
	parts[1].len = sizeof(part);
	memset(part, 0, sizeof(part));
	cdop_put32(part, p->number);
	cdop_put32(part + 4, p->version);
	cdop_secret_hash(out, 32, NULL, "cdop-target/1 person", parts, 2);
	for (i = 1; i <= people_last_device(people); i++) {
		device = people_device(people, i);
		if (device->person != person)
			continue;
		cdop_put32(part, device->number);
		cdop_put32(part + 4, device->version);
		cdop_put32(part + 8, (uint32_t)device->state);
		cdop_secret_hash(
		    out, 32, NULL, "cdop-target/1 device", parts, 2);
	}
}

/* ---- the same human twice ---------------------------------------------- */

bool
people_rule_is_number(const char *name)
{
	return *name != '\0' && name[strspn(name, "0123456789")] == '\0';
}

/*
 * Names are compared as those of children are: who is to look like another,
 * by what is not seen in a name, does not slip through.
 */
static void
longest_part(const char *name, char ret_part[static CDOP_FOLD_MAX])
{
	char part[CDOP_FOLD_MAX];

	ret_part[0] = '\0';
	while ((name = cdop_fold_part(name, part)) != NULL)
		if (strlen(part) > strlen(ret_part))
			memcpy(ret_part, part, strlen(part) + 1);
}

static bool
has_part(const char *name, const char *wanted)
{
	char part[CDOP_FOLD_MAX];

	while ((name = cdop_fold_part(name, part)) != NULL)
		if (strcmp(part, wanted) == 0)
			return true;
	return false;
}

size_t
people_rule_similar(const struct people *people, const char *name,
    const char *agency, uint32_t but, uint32_t *ret_persons, size_t max)
{
	const struct people_person *person;
	char longest[CDOP_FOLD_MAX];
	size_t n = 0;
	uint32_t i;

	longest_part(name, longest);
	for (i = 1; i <= people_last_person(people) && n < max; i++) {
		person = people_person(people, i);
		if (i == but)
			continue;
		if ((longest[0] != '\0' && has_part(person->name, longest)) ||
		    (agency != NULL && agency[0] != '\0' &&
			strcmp(person->agency, agency) == 0))
			ret_persons[n++] = i;
	}
	return n;
}
