/*
 * The tables of people: what an abort takes back is as if it had never been,
 * what a commit keeps is what the disk gives back (TRUST M11), and a row
 * that does not fit is not taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server/registry/house.h"

#define PERSONS     12
#define DEVICES     12
#define INVITATIONS 16

/* All that people.c holds, without what depends on where it lies. */
struct picture {
	uint32_t persons;
	uint32_t devices;
	uint32_t invitations;
	uint32_t state;
	struct people_person person[PERSONS + 1];
	struct people_device device[DEVICES + 1];
	struct people_invitation invitation[INVITATIONS];
};

static int
by_id(const void *a, const void *b)
{
	const struct people_invitation *one = a, *other = b;

	return memcmp(one->invitation_id, other->invitation_id, 16);
}

static struct picture *
take(const struct house *house)
{
	const struct people *people = house->reg->people;
	struct picture *p = calloc(1, sizeof(*p));
	uint32_t i;

	assert_non_null(p);
	p->persons = people_last_person(people);
	p->devices = people_last_device(people);
	p->invitations = people_n_invitations(people);
	p->state = house->reg->state;
	assert_true(p->persons <= PERSONS && p->devices <= DEVICES &&
	    p->invitations <= INVITATIONS);
	for (i = 1; i <= p->persons; i++) {
		p->person[i] = *people_person(people, i);
		memset(p->person[i].areas, 0, sizeof(p->person[i].areas));
	}
	for (i = 1; i <= p->devices; i++) {
		p->device[i] = *people_device(people, i);
		p->device[i].next_of_bucket = 0;
		assert_ptr_equal(people_by_key(people, p->device[i].public_key),
		    people_device(people, i));
	}
	for (i = 0; i < p->invitations; i++)
		p->invitation[i] = *people_invitation_at(people, i);
	qsort(p->invitation, p->invitations, sizeof(p->invitation[0]), by_id);
	return p;
}

/* Field by field: padding says nothing. */
static void
same(struct picture *a, struct picture *b)
{
	uint32_t i;

	assert_int_equal(a->persons, b->persons);
	assert_int_equal(a->devices, b->devices);
	assert_int_equal(a->invitations, b->invitations);
	assert_int_equal(a->state, b->state);
	for (i = 1; i <= a->persons; i++) {
		assert_int_equal(a->person[i].row, b->person[i].row);
		assert_int_equal(a->person[i].version, b->person[i].version);
		assert_int_equal(a->person[i].state, b->person[i].state);
		assert_string_equal(a->person[i].name, b->person[i].name);
		assert_string_equal(a->person[i].reason, b->person[i].reason);
		assert_int_equal(a->person[i].n_areas, b->person[i].n_areas);
		assert_int_equal(a->person[i].n_grants, b->person[i].n_grants);
		assert_int_equal(
		    a->person[i].activated_by, b->person[i].activated_by);
		assert_int_equal(
		    a->person[i].lapsed_ms, b->person[i].lapsed_ms);
	}
	for (i = 1; i <= a->devices; i++) {
		assert_int_equal(a->device[i].row, b->device[i].row);
		assert_int_equal(a->device[i].version, b->device[i].version);
		assert_int_equal(a->device[i].state, b->device[i].state);
		assert_memory_equal(a->device[i].psk, b->device[i].psk, 32);
		assert_int_equal(a->device[i].has_next, b->device[i].has_next);
		if (a->device[i].has_next)
			assert_memory_equal(
			    a->device[i].psk_next, b->device[i].psk_next, 32);
		assert_int_equal(a->device[i].seen_ms, b->device[i].seen_ms);
		assert_int_equal(a->device[i].wrong, b->device[i].wrong);
		assert_int_equal(
		    a->device[i].expires_ms, b->device[i].expires_ms);
		assert_memory_equal(
		    a->device[i].comparison, b->device[i].comparison, 10);
	}
	for (i = 0; i < a->invitations; i++) {
		assert_int_equal(a->invitation[i].row, b->invitation[i].row);
		assert_int_equal(
		    a->invitation[i].state, b->invitation[i].state);
		assert_memory_equal(
		    a->invitation[i].psk, b->invitation[i].psk, 32);
		assert_int_equal(
		    a->invitation[i].device, b->invitation[i].device);
	}
}

/* ---- a day, act by act ------------------------------------------------- */

struct day {
	struct house house;
	struct house_client admins[3];
	uint8_t invitation[16];
	struct house_client cora;
	struct house_client other;
};

static enum cdop_err
do_invite(struct day *day)
{
	const struct people_grant grant = {
	    CDOP__ROLE__COORDINATOR, 0, UINT64_MAX};
	const struct people_change change = {.name = "Cora Example",
	    .all_areas_set = true,
	    .all_areas = true,
	    .grants_set = true,
	    .grants = &grant,
	    .n_grants = 1};
	const struct invitations_device device = {"laptop", UINT64_MAX};
	const struct people_invitation *invitation;
	enum cdop_err err;

	err = invitations_person(
	    house_act(&day->house, 1, 1), &change, &device, &invitation);
	if (err == CDOP_OK)
		memcpy(day->invitation, invitation->invitation_id, 16);
	return err;
}

static enum cdop_err
enrol_key(struct day *day, uint8_t key)
{
	uint8_t public_key[32], hash[64], random[32], out[32];
	const struct people_enrol_args args = {
	    day->invitation, public_key, hash, random, "laptop"};
	uint32_t device;

	memset(public_key, key, sizeof(public_key));
	memset(hash, key, sizeof(hash));
	memset(random, key, sizeof(random));
	return people_enrol_device(
	    house_act(&day->house, 0, 0), &args, out, &device);
}

static enum cdop_err
do_enrol(struct day *day)
{
	return enrol_key(day, 0x91);
}

static enum cdop_err
do_wrong_string(struct day *day)
{
	bool open;
	enum cdop_err err;

	err = people_enrol_activate(
	    house_act(&day->house, 2, 2), 4, "AAAA-BBBB-CCCC-DDDD", &open);
	return err == CDOP_FAILED_PRECONDITION ? CDOP_OK : CDOP_INTERNAL;
}

static enum cdop_err
do_activate(struct day *day)
{
	struct house_client client;
	char string[20];
	bool open;

	memset(&client, 0x91, sizeof(client));
	house_string(&client, string);
	return people_enrol_activate(
	    house_act(&day->house, 2, 2), 4, string, &open);
}

static enum cdop_err
do_change(struct day *day)
{
	static char wirral[] = "wirral", sefton[] = "sefton";
	static char *const areas[] = {wirral, sefton};
	const struct people_whom whom = {4, 4, "fewer areas"};
	const struct people_change change = {.name = "Cora Exemplar",
	    .areas_set = true,
	    .areas = areas,
	    .n_areas = 2,
	    .all_areas_set = true,
	    .expiry_set = true,
	    .device_expires_ms = day->house.now_ms + HOUSE_DAY_MS};

	return people_change_apply(
	    house_act(&day->house, 1, 1), &whom, &change);
}

static enum cdop_err
do_suspend(struct day *day)
{
	const struct people_whom whom = {4, 0, "lost"};

	return people_act_suspend(house_act(&day->house, 1, 1), &whom);
}

static enum cdop_err
do_resume(struct day *day)
{
	const struct people_whom whom = {4, 0, "found"};

	return people_act_resume(house_act(&day->house, 1, 1), &whom);
}

static enum cdop_err
do_revoke(struct day *day)
{
	const struct people_whom whom = {4, 0, "left"};

	return people_act_revoke(house_act(&day->house, 1, 1), &whom, false);
}

static enum cdop_err
do_flag(struct day *day)
{
	enum cdop_err err;

	if ((err = do_invite(day)) != CDOP_OK)
		return err;
	if ((err = enrol_key(day, 0x92)) != CDOP_OK)
		return err;
	err = enrol_key(day, 0x93);
	return err == CDOP_FAILED_PRECONDITION ? CDOP_OK : CDOP_INTERNAL;
}

static enum cdop_err
do_cancel(struct day *day)
{
	enum cdop_err err;

	if ((err = do_invite(day)) != CDOP_OK)
		return err;
	return invitations_cancel(
	    house_act(&day->house, 2, 2), day->invitation, "wrong person");
}

static enum cdop_err
do_turn(struct day *day)
{
	uint8_t psk_id[16], hash[64] = {1}, random[32] = {2}, out[32];
	const struct people_enrol_turn_args args = {psk_id, hash, random};

	people_psk_id(psk_id, people_device(day->house.reg->people, 1)->psk);
	return people_enrol_turn(house_act(&day->house, 1, 1), &args, out);
}

static enum cdop_err
do_open_session(struct day *day)
{
	const struct people_device *device;
	uint8_t psk_id[16];
	bool turned;

	device = people_device(day->house.reg->people, 1);
	people_psk_id(psk_id, device->psk_next);
	return people_session_opened(day->house.reg->people, day->house.arena,
	    1, psk_id, day->house.now_ms + 2 * HOUSE_DAY_MS, &turned);
}

static void
an_abort_leaves_nothing_and_a_commit_is_what_the_disk_says(void **state)
{
	static enum cdop_err (*const acts[])(struct day *) = {do_invite,
	    do_enrol, do_enrol, do_wrong_string, do_activate, do_change,
	    do_suspend, do_resume, do_revoke, do_flag, do_cancel, do_turn,
	    do_open_session};
	struct picture *before, *after;
	static struct day day;
	size_t i;

	(void)state;
	memset(&day, 0, sizeof(day));
	house_open(&day.house, 3, day.admins);
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		before = take(&day.house);
		house_begin(&day.house);
		assert_int_equal(acts[i](&day), CDOP_OK);
		house_abort(&day.house);
		after = take(&day.house);
		same(before, after);
		free(before);
		free(after);
		house_begin(&day.house);
		assert_int_equal(acts[i](&day), CDOP_OK);
		house_commit(&day.house);
		before = take(&day.house);
		house_reopen(&day.house);
		after = take(&day.house);
		same(before, after);
		free(before);
		free(after);
	}
	house_end(&day.house);
}

/* ---- rows that do not fit ---------------------------------------------- */

static void
a_person_that_is_there_twice_is_refused(void **state)
{
	Cdop__StoredPerson stored;
	struct house house;
	char name[] = "again";

	(void)state;
	house_make(&house, 2);
	cdop__stored_person__init(&stored);
	stored.number = 1;
	stored.name = name;
	stored.state = CDOP__PERSON_STATE__PERSON_ACTIVE;
	stored.version = 1;
	assert_int_equal(
	    people_load_person(house.reg->people, 99, &stored), CDOP_DATA_LOSS);
	stored.number = 0;
	assert_int_equal(
	    people_load_person(house.reg->people, 99, &stored), CDOP_DATA_LOSS);
	stored.number = UINT32_MAX;
	assert_int_equal(
	    people_load_person(house.reg->people, 99, &stored), CDOP_DATA_LOSS);
	/* A gap: somebody is missing. */
	stored.number = 9;
	assert_int_equal(
	    people_load_person(house.reg->people, 99, &stored), CDOP_OK);
	assert_int_equal(people_loaded(house.reg->people), CDOP_DATA_LOSS);
	house_end(&house);
}

static void
a_device_without_its_person_or_with_a_known_key_is_refused(void **state)
{
	struct house_client clients[2];
	uint8_t key[32], psk[32] = {0}, compare[10] = {0}, id[16] = {0};
	Cdop__StoredCredential stored;
	struct house house;
	char label[] = "laptop";

	(void)state;
	house_open(&house, 2, clients);
	memcpy(key, clients[0].key, sizeof(key));
	cdop__stored_credential__init(&stored);
	stored.number = 3;
	stored.person = 1;
	stored.label = label;
	stored.public_key = (ProtobufCBinaryData){32, key};
	stored.psk = (ProtobufCBinaryData){32, psk};
	stored.state = CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE;
	stored.comparison = (ProtobufCBinaryData){10, compare};
	stored.invitation_id = (ProtobufCBinaryData){16, id};
	stored.version = 1;
	assert_int_equal(people_load_credential(house.reg->people, 99, &stored),
	    CDOP_DATA_LOSS);
	key[0] ^= 1;
	stored.psk.len = 31;
	assert_int_equal(people_load_credential(house.reg->people, 99, &stored),
	    CDOP_DATA_LOSS);
	stored.psk.len = 32;
	stored.person = 77;
	assert_int_equal(
	    people_load_credential(house.reg->people, 99, &stored), CDOP_OK);
	assert_int_equal(people_loaded(house.reg->people), CDOP_DATA_LOSS);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		an_abort_leaves_nothing_and_a_commit_is_what_the_disk_says),
	    cmocka_unit_test(a_person_that_is_there_twice_is_refused),
	    cmocka_unit_test(
		a_device_without_its_person_or_with_a_known_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
