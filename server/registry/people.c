/*
 * The tables of people: loading, looking up, and what a device may now.
 * No rule about changes stands here.
 */
#include "server/registry/people.h"

#include <string.h>

#include "cdop/arena.h"
#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/people_row.h"
#include "server/registry/people_rule.h"

/* Touched only as far as there are people: the mapping is sparse. */
#define ARENA_MAX ((size_t)384 << 20)
#define BUCKETS   4096

struct people {
	struct registry *reg;
	struct cdop_arena *arena; /* nothing in it moves or is given back */
	uint8_t hash_key[32];
	struct people_person **persons; /* by number */
	struct people_device **devices; /* by number */
	struct people_invitation **invitations;
	uint32_t last_person;
	uint32_t last_device;
	uint32_t n_invitations;
	uint32_t buckets[BUCKETS]; /* device numbers by public key */
};

enum cdop_err
people_new(struct registry *reg, struct people **ret_people)
{
	struct cdop_arena *arena;
	struct people *people;
	enum cdop_err err;

	if ((err = cdop_arena_new(ARENA_MAX, &arena)) != CDOP_OK)
		return err;
	people = cdop_arena_alloc(arena, sizeof(*people));
	if (people == NULL)
		goto out;
	people->persons = cdop_arena_calloc(
	    arena, PEOPLE_PERSONS_MAX + 1, sizeof(*people->persons));
	people->devices = cdop_arena_calloc(
	    arena, PEOPLE_DEVICES_MAX + 1, sizeof(*people->devices));
	people->invitations = cdop_arena_calloc(
	    arena, PEOPLE_INVITATIONS_MAX + 1, sizeof(*people->invitations));
	if (people->persons == NULL || people->devices == NULL ||
	    people->invitations == NULL)
		goto out;
	people->reg = reg;
	people->arena = arena;
	cdop_secret_random(people->hash_key, sizeof(people->hash_key));
	*ret_people = people;
	return CDOP_OK;
out:
	cdop_arena_free(arena);
	return CDOP_RESOURCE_EXHAUSTED;
}

void
people_free(struct people *people)
{
	if (people != NULL)
		cdop_arena_free(people->arena);
}

struct registry *
people_registry(const struct people *people)
{
	return people->reg;
}

/* ---- looking up -------------------------------------------------------- */

const struct people_person *
people_person(const struct people *people, uint32_t number)
{
	if (number == 0 || number > people->last_person)
		return NULL;
	return people->persons[number];
}

const struct people_device *
people_device(const struct people *people, uint32_t number)
{
	if (number == 0 || number > people->last_device)
		return NULL;
	return people->devices[number];
}

/* Keyed, so that nobody can choose keys that fall into one bucket. */
static uint32_t
bucket_of(const struct people *people, const uint8_t *key)
{
	struct cdop_bytes part = {key, 32};
	uint8_t hash[16];

	cdop_secret_hash(
	    hash, sizeof(hash), people->hash_key, "people", &part, 1);
	return cdop_get32(hash) % BUCKETS;
}

const struct people_device *
people_by_key(const struct people *people, const uint8_t key[static 32])
{
	const struct people_device *device;
	uint32_t number;

	number = people->buckets[bucket_of(people, key)];
	while (number != 0) {
		device = people->devices[number];
		if (cdop_secret_equal(device->public_key, key, 32))
			return device;
		number = device->next_of_bucket;
	}
	return NULL;
}

const struct people_invitation *
people_invitation(
    const struct people *people, const uint8_t invitation_id[static 16])
{
	uint32_t i;

	for (i = 0; i < people->n_invitations; i++)
		if (cdop_secret_equal(people->invitations[i]->invitation_id,
			invitation_id, 16))
			return people->invitations[i];
	return NULL;
}

uint32_t
people_last_person(const struct people *people)
{
	return people->last_person;
}

uint32_t
people_last_device(const struct people *people)
{
	return people->last_device;
}

uint32_t
people_n_invitations(const struct people *people)
{
	return people->n_invitations;
}

const struct people_invitation *
people_invitation_at(const struct people *people, uint32_t i)
{
	return i < people->n_invitations ? people->invitations[i] : NULL;
}

/* ---- changing ---------------------------------------------------------- */

enum cdop_err
people_edit_person(
    struct people *people, uint32_t number, struct people_person **ret_person)
{
	struct people_person *person;
	enum cdop_err err;

	if (people_person(people, number) == NULL)
		return CDOP_NOT_FOUND;
	person = people->persons[number];
	err = undo_save(people->reg->undo, person, sizeof(*person));
	if (err == CDOP_OK)
		*ret_person = person;
	return err;
}

enum cdop_err
people_edit_device(
    struct people *people, uint32_t number, struct people_device **ret_device)
{
	struct people_device *device;
	enum cdop_err err;

	if (people_device(people, number) == NULL)
		return CDOP_NOT_FOUND;
	device = people->devices[number];
	err = undo_save(people->reg->undo, device, sizeof(*device));
	if (err == CDOP_OK)
		*ret_device = device;
	return err;
}

enum cdop_err
people_edit_invitation(struct people *people,
    const uint8_t invitation_id[static 16],
    struct people_invitation **ret_invitation)
{
	struct people_invitation *invitation;
	enum cdop_err err;
	uint32_t i;

	for (i = 0; i < people->n_invitations; i++)
		if (cdop_secret_equal(people->invitations[i]->invitation_id,
			invitation_id, 16))
			break;
	if (i == people->n_invitations)
		return CDOP_NOT_FOUND;
	invitation = people->invitations[i];
	err = undo_save(people->reg->undo, invitation, sizeof(*invitation));
	if (err == CDOP_OK)
		*ret_invitation = invitation;
	return err;
}

/* The pointers into itself are set for where it lies now. */
static void
place_person(struct people_person *to, const struct people_person *from)
{
	size_t i;

	*to = *from;
	for (i = 0; i < to->n_areas; i++)
		to->areas[i] = to->area[i];
}

/* An aborted batch leaves the room of what it added; it is used again. */
static void *
room(struct people *people, void *present, size_t size)
{
	return present != NULL ? present
			       : cdop_arena_alloc(people->arena, size);
}

static enum cdop_err
put_person(struct people *people, uint32_t number,
    const struct people_person *from, struct people_person **ret_person)
{
	struct people_person *person;

	person = room(people, people->persons[number], sizeof(*person));
	if (person == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	place_person(person, from);
	person->number = number;
	people->persons[number] = person;
	*ret_person = person;
	return CDOP_OK;
}

enum cdop_err
people_add_person(struct people *people, const struct people_person *from,
    struct people_person **ret_person)
{
	uint32_t number = people->last_person + 1;
	enum cdop_err err;

	if (number > PEOPLE_PERSONS_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	err = undo_save(people->reg->undo, &people->last_person,
	    sizeof(people->last_person));
	if (err != CDOP_OK)
		return err;
	if ((err = put_person(people, number, from, ret_person)) != CDOP_OK)
		return err;
	people->last_person = number;
	return CDOP_OK;
}

/* Into the chain of its key's bucket; the caller has saved the head. */
static void
link_device(
    struct people *people, uint32_t bucket, struct people_device *device)
{
	device->next_of_bucket = people->buckets[bucket];
	people->buckets[bucket] = device->number;
}

void
people_fingerprint(uint8_t out[static 32], const uint8_t public_key[static 32])
{
	struct cdop_bytes key = {public_key, 32};

	cdop_secret_hash(out, 32, NULL, "", &key, 1);
}

static enum cdop_err
put_device(struct people *people, uint32_t number,
    const struct people_device *from, struct people_device **ret_device)
{
	struct people_device *device;

	device = room(people, people->devices[number], sizeof(*device));
	if (device == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*device = *from;
	device->number = number;
	people_fingerprint(device->fingerprint, from->public_key);
	people->devices[number] = device;
	link_device(people, bucket_of(people, from->public_key), device);
	*ret_device = device;
	return CDOP_OK;
}

enum cdop_err
people_add_device(struct people *people, const struct people_device *from,
    struct people_device **ret_device)
{
	struct undo *undo = people->reg->undo;
	uint32_t number = people->last_device + 1;
	uint32_t *head;
	enum cdop_err err;

	if (number > PEOPLE_DEVICES_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	if (people_by_key(people, from->public_key) != NULL)
		return CDOP_ALREADY_EXISTS;
	head = &people->buckets[bucket_of(people, from->public_key)];
	if ((err = undo_save(undo, head, sizeof(*head))) != CDOP_OK)
		return err;
	err =
	    undo_save(undo, &people->last_device, sizeof(people->last_device));
	if (err != CDOP_OK)
		return err;
	if ((err = put_device(people, number, from, ret_device)) != CDOP_OK)
		return err;
	people->last_device = number;
	return CDOP_OK;
}

enum cdop_err
people_add_invitation(struct people *people,
    const struct people_invitation *from,
    struct people_invitation **ret_invitation)
{
	struct people_invitation *invitation;
	uint32_t i = people->n_invitations;
	enum cdop_err err;

	if (i > PEOPLE_INVITATIONS_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	if (people_invitation(people, from->invitation_id) != NULL)
		return CDOP_ALREADY_EXISTS;
	err = undo_save(people->reg->undo, &people->n_invitations,
	    sizeof(people->n_invitations));
	if (err != CDOP_OK)
		return err;
	invitation = room(people, people->invitations[i], sizeof(*invitation));
	if (invitation == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*invitation = *from;
	people->invitations[i] = invitation;
	people->n_invitations++;
	*ret_invitation = invitation;
	return CDOP_OK;
}

/* ---- opening the registry ---------------------------------------------- */

enum cdop_err
people_load_person(
    struct people *people, uint64_t row, const Cdop__StoredPerson *stored)
{
	struct people_person person, *placed;
	enum cdop_err err;

	if ((err = people_row_read_person(stored, &person)) != CDOP_OK)
		return err;
	if (person.number == 0 || person.number > PEOPLE_PERSONS_MAX ||
	    people->persons[person.number] != NULL)
		return CDOP_DATA_LOSS;
	person.row = row;
	err = put_person(people, person.number, &person, &placed);
	if (err == CDOP_OK && person.number > people->last_person)
		people->last_person = person.number;
	return err;
}

enum cdop_err
people_load_credential(
    struct people *people, uint64_t row, const Cdop__StoredCredential *stored)
{
	struct people_device device, *placed;
	enum cdop_err err;

	if ((err = people_row_read_device(stored, &device)) != CDOP_OK)
		goto out;
	if (device.number == 0 || device.number > PEOPLE_DEVICES_MAX ||
	    people->devices[device.number] != NULL ||
	    people_by_key(people, device.public_key) != NULL) {
		err = CDOP_DATA_LOSS;
		goto out;
	}
	device.row = row;
	err = put_device(people, device.number, &device, &placed);
	if (err == CDOP_OK && device.number > people->last_device)
		people->last_device = device.number;
out:
	cdop_secret_wipe(&device, sizeof(device));
	return err;
}

enum cdop_err
people_load_invitation(
    struct people *people, uint64_t row, const Cdop__StoredInvitation *stored)
{
	struct people_invitation invitation, *placed;
	enum cdop_err err;

	err = people_row_read_invitation(stored, &invitation);
	invitation.row = row;
	if (err == CDOP_OK)
		err = people_add_invitation(people, &invitation, &placed);
	cdop_secret_wipe(&invitation, sizeof(invitation));
	return err == CDOP_ALREADY_EXISTS ? CDOP_DATA_LOSS : err;
}

enum cdop_err
people_loaded(const struct people *people)
{
	const struct people_invitation *invitation;
	uint32_t i;

	for (i = 1; i <= people->last_person; i++)
		if (people->persons[i] == NULL)
			return CDOP_DATA_LOSS;
	for (i = 1; i <= people->last_device; i++)
		if (people->devices[i] == NULL ||
		    people_person(people, people->devices[i]->person) == NULL)
			return CDOP_DATA_LOSS;
	for (i = 0; i < people->n_invitations; i++) {
		invitation = people->invitations[i];
		if (people_person(people, invitation->person) == NULL)
			return CDOP_DATA_LOSS;
		if (invitation->device != 0 &&
		    people_device(people, invitation->device) == NULL)
			return CDOP_DATA_LOSS;
	}
	return CDOP_OK;
}

/* ---- what a device may ------------------------------------------------- */

void
people_actor(const struct people *people, uint32_t device, uint64_t now_ms,
    struct actor *ret_actor)
{
	const struct people_device *d;
	const struct people_person *person;
	uint32_t named;

	memset(ret_actor, 0, sizeof(*ret_actor));
	d = people_device(people, device);
	person = d == NULL ? NULL : people_person(people, d->person);
	if (person == NULL)
		return;
	ret_actor->person = person->number;
	ret_actor->device = d->number;
	memcpy(ret_actor->public_key, d->public_key, 32);
	memcpy(ret_actor->fingerprint, d->fingerprint, 32);
	ret_actor->roles = people_rule_roles(people, d, now_ms);
	/* Who has one role acts in it, in a refusal too. */
	named = ret_actor->roles & CDOP_ROLES_NAMED;
	ret_actor->role = (named & (named - 1)) == 0 ? named : 0;
	ret_actor->all_areas = person->all_areas;
	ret_actor->areas = person->areas;
	ret_actor->n_areas = person->n_areas;
	ret_actor->agency = person->agency[0] != '\0' ? person->agency : NULL;
}

void
people_psks(const struct people *people, const uint8_t key[static 32],
    uint64_t now_ms, uint8_t ret_psks[static 2][32], uint32_t *ret_device)
{
	const struct people_device *device;

	/* Always made, so that it takes as long where they are not needed. */
	cdop_secret_random(ret_psks, (size_t)2 * 32);
	*ret_device = 0;
	device = people_by_key(people, key);
	if (device == NULL || people_rule_roles(people, device, now_ms) == 0)
		return;
	memcpy(ret_psks[0], device->psk, 32);
	if (device->has_next)
		memcpy(ret_psks[1], device->psk_next, 32);
	*ret_device = device->number;
}

void
people_invitation_psks(const struct people *people,
    const uint8_t invitation_id[static 16], uint64_t now_ms,
    uint8_t ret_psks[static 2][32])
{
	const struct people_invitation *invitation;

	cdop_secret_random(ret_psks, (size_t)2 * 32);
	invitation = people_invitation(people, invitation_id);
	/*
	 * A used one still lets its holder in until it ends, whoever that
	 * is: the one whose reply was lost repeats Enrol, and a second
	 * holder has to be seen to be flagged.
	 */
	if (invitation != NULL && people_rule_is_usable(invitation, now_ms))
		memcpy(ret_psks[0], invitation->psk, 32);
}

/* ---- sessions ---------------------------------------------------------- */

void
people_psk_id(uint8_t out[static 16], const uint8_t psk[static 32])
{
	cdop_secret_hash(out, 16, psk, "cdop-psk-id", NULL, 0);
}

enum cdop_err
people_session_opened(struct people *people, struct cdop_arena *arena,
    uint32_t device, const uint8_t psk_id[static 16], uint64_t now_ms,
    bool *ret_turned)
{
	const struct people_device *was = people_device(people, device);
	struct people_device *d;
	uint64_t today_ms = now_ms - now_ms % PEOPLE_DAY_MS;
	uint8_t id[16];
	bool turned = false;
	enum cdop_err err;

	if (was == NULL)
		return CDOP_NOT_FOUND;
	people_psk_id(id, was->psk);
	if (!cdop_secret_equal(id, psk_id, sizeof(id))) {
		people_psk_id(id, was->psk_next);
		turned =
		    was->has_next && cdop_secret_equal(id, psk_id, sizeof(id));
		if (!turned)
			return CDOP_UNAUTHENTICATED;
	}
	if (!turned && was->seen_ms >= today_ms) {
		*ret_turned = false;
		return CDOP_OK;
	}
	if ((err = people_edit_device(people, device, &d)) != CDOP_OK)
		return err;
	if (turned) {
		memcpy(d->psk, d->psk_next, sizeof(d->psk));
		cdop_secret_wipe(d->psk_next, sizeof(d->psk_next));
		d->has_next = false;
	}
	if (d->seen_ms < today_ms)
		d->seen_ms = today_ms;
	err = people_row_put_device(people->reg, arena, d);
	if (err == CDOP_OK)
		*ret_turned = turned;
	return err;
}
