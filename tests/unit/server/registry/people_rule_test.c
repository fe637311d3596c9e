/*
 * What may not become so: fewer than two administrators, roles that do not
 * go together, an end that comes back (RECORDS M8, M9).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "cdop/secret.h"
#include "tests/unit/server/registry/house.h"

#define ADMIN (CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY)

static size_t
admins(struct house *house)
{
	struct people_rule_admins found;

	people_rule_admins(house->reg->people, house->now_ms, NULL, &found);
	return found.n;
}

/* One role until a day, counted from now. */
static enum cdop_err
grant_until(
    struct house *house, uint32_t person, Cdop__Role role, uint64_t days)
{
	const struct people_grant grant = {
	    role, 0, house->now_ms + days * HOUSE_DAY_MS};
	const struct people_change to = {
	    .grants_set = true, .grants = &grant, .n_grants = 1};

	return house_change(house, person, 0, &to);
}

/* ---- the number of administrators -------------------------------------- */

static void
no_act_leaves_fewer_than_two_administrators(void **state)
{
	struct house_client clients[2];
	const struct people_grant auditor = {
	    CDOP__ROLE__AUDITOR, 0, UINT64_MAX};
	const struct people_change to = {
	    .grants_set = true, .grants = &auditor, .n_grants = 1};
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(
	    house_revoke(&house, 1, 2, 0, true), CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "too_few_administrators");
	/* Their only device is as good as they are. */
	assert_int_equal(
	    house_revoke(&house, 1, 2, 2, true), CDOP_FAILED_PRECONDITION);
	assert_int_equal(
	    house_change(&house, 2, 0, &to), CDOP_FAILED_PRECONDITION);
	assert_int_equal(admins(&house), 2);
	assert_int_equal(house_roles(&house, 2), ADMIN);
	house_end(&house);
}

static void
a_replacement_that_is_active_lets_one_go(void **state)
{
	struct house_client clients[3];
	struct house house;

	(void)state;
	house_open(&house, 3, clients);
	assert_int_equal(house_revoke(&house, 1, 2, 0, true), CDOP_OK);
	assert_int_equal(house_roles(&house, 2), 0);
	assert_false(house_session(&house, &clients[1]));
	house_reopen(&house);
	assert_int_equal(admins(&house), 2);
	assert_int_equal(
	    house_revoke(&house, 1, 3, 0, true), CDOP_FAILED_PRECONDITION);
	house_end(&house);
}

static void
suspension_for_theft_goes_below_two(void **state)
{
	struct house_client clients[2];
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(admins(&house), 1);
	assert_int_equal(house_roles(&house, 2), 0);
	assert_false(house_session(&house, &clients[1]));
	assert_int_equal(house_resume(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(house_roles(&house, 2), ADMIN);
	assert_true(house_session(&house, &clients[1]));
	house_end(&house);
}

static void
an_end_that_leaves_too_few_does_not_take_effect(void **state)
{
	struct house_client clients[2];
	struct people_rule_admins found;
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(
	    grant_until(&house, 2, CDOP__ROLE__ADMINISTRATOR, 10), CDOP_OK);
	house.now_ms += 11 * HOUSE_DAY_MS;
	assert_int_equal(house_roles(&house, 2), ADMIN);
	assert_true(house_session(&house, &clients[1]));
	people_rule_admins(house.reg->people, house.now_ms, NULL, &found);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.n_held, 1);
	assert_int_equal(found.held, 2);
	house_end(&house);
}

static void
the_last_device_is_held_like_the_role(void **state)
{
	struct house_client clients[2];
	struct people_change to = {.expiry_set = true};
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	to.device_expires_ms = house.now_ms + HOUSE_DAY_MS;
	assert_int_equal(house_change(&house, 2, 2, &to), CDOP_OK);
	house.now_ms += 2 * HOUSE_DAY_MS;
	assert_int_equal(house_roles(&house, 2), ADMIN);
	assert_true(house_session(&house, &clients[1]));
	house_end(&house);
}

static void
of_several_ends_the_last_two_are_held(void **state)
{
	struct house_client clients[4];
	struct house house;
	uint32_t i;

	(void)state;
	house_open(&house, 4, clients);
	for (i = 1; i <= 4; i++)
		assert_int_equal(
		    grant_until(&house, i, CDOP__ROLE__ADMINISTRATOR, 10 * i),
		    CDOP_OK);
	house.now_ms += 100 * HOUSE_DAY_MS;
	assert_int_equal(house_roles(&house, 1) & CDOP_ROLE_ADMINISTRATOR, 0);
	assert_int_equal(house_roles(&house, 2) & CDOP_ROLE_ADMINISTRATOR, 0);
	assert_int_equal(house_roles(&house, 3), ADMIN);
	assert_int_equal(house_roles(&house, 4), ADMIN);
	house_end(&house);
}

/* Otherwise a theft would wake whoever left years ago. */
static void
an_end_that_took_effect_never_comes_back(void **state)
{
	struct house_client clients[3];
	struct house house;

	(void)state;
	house_open(&house, 3, clients);
	assert_int_equal(
	    grant_until(&house, 3, CDOP__ROLE__ADMINISTRATOR, 10), CDOP_OK);
	house.now_ms += 11 * HOUSE_DAY_MS;
	assert_int_equal(house_roles(&house, 3) & CDOP_ROLE_ADMINISTRATOR, 0);
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(house_roles(&house, 3) & CDOP_ROLE_ADMINISTRATOR, 0);
	house_reopen(&house);
	assert_int_equal(house_roles(&house, 3) & CDOP_ROLE_ADMINISTRATOR, 0);
	assert_int_equal(admins(&house), 1);
	/* A clock that is set back does not wake them either. */
	house.now_ms -= 5 * HOUSE_DAY_MS;
	assert_int_equal(admins(&house), 1);
	assert_int_equal(house_roles(&house, 3) & CDOP_ROLE_ADMINISTRATOR, 0);
	house_end(&house);
}

static void
a_held_end_takes_effect_once_a_replacement_is_active(void **state)
{
	struct house_client clients[2], fresh;
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(
	    grant_until(&house, 2, CDOP__ROLE__ADMINISTRATOR, 10), CDOP_OK);
	house.now_ms += 11 * HOUSE_DAY_MS;
	assert_int_equal(house_roles(&house, 2), ADMIN);
	house_add(&house, 9, "Gil", CDOP__ROLE__ADMINISTRATOR, &fresh);
	assert_int_equal(house_roles(&house, 2) & CDOP_ROLE_ADMINISTRATOR, 0);
	assert_int_equal(admins(&house), 2);
	house_end(&house);
}

/* ---- revoking ---------------------------------------------------------- */

static void
one_person_revokes_no_administrator(void **state)
{
	struct house_client clients[4], cora;
	struct house house;
	uint32_t person;

	(void)state;
	house_open(&house, 4, clients);
	assert_int_equal(
	    house_revoke(&house, 1, 2, 0, false), CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "administrator");
	/* Not by way of suspending first, nor of one device. */
	assert_int_equal(house_suspend(&house, 1, 2, 0), CDOP_OK);
	assert_int_equal(
	    house_revoke(&house, 1, 2, 0, false), CDOP_FAILED_PRECONDITION);
	assert_int_equal(
	    house_revoke(&house, 1, 3, 3, false), CDOP_FAILED_PRECONDITION);
	person = house_add(&house, 9, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	assert_int_equal(
	    house_revoke(&house, 1, person, 0, true), CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "not_administrator");
	assert_int_equal(house_revoke(&house, 1, person, 0, false), CDOP_OK);
	assert_false(house_session(&house, &cora));
	assert_int_equal(
	    house_resume(&house, 1, person, 0), CDOP_FAILED_PRECONDITION);
	house_end(&house);
}

static void
revoking_ends_devices_and_invitations(void **state)
{
	struct house_client clients[2], cora, other;
	struct house house;
	uint8_t more[16];
	uint32_t person;

	(void)state;
	house_open(&house, 2, clients);
	person = house_add(&house, 9, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	assert_int_equal(house_invite_more(&house, 1, person, more), CDOP_OK);
	house_client(&house, &other, 10, more);
	assert_int_equal(house_revoke(&house, 1, person, 0, false), CDOP_OK);
	house_reopen(&house);
	assert_int_equal(
	    house_enrol(&house, &other, more, false), CDOP_UNAUTHENTICATED);
	assert_false(house_session(&house, &cora));
	assert_true(cdop_secret_is_zero(
	    people_by_key(house.reg->people, cora.key)->psk, 32));
	assert_int_equal(house_invite_more(&house, 1, person, more),
	    CDOP_FAILED_PRECONDITION);
	house_end(&house);
}

static void
one_device_is_suspended_alone(void **state)
{
	struct house_client clients[2], cora, more;
	uint8_t invitation[16];
	struct house house;
	uint32_t person;
	char string[20];

	(void)state;
	house_open(&house, 2, clients);
	person = house_add(&house, 9, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	assert_int_equal(
	    house_invite_more(&house, 1, person, invitation), CDOP_OK);
	house_client(&house, &more, 10, invitation);
	assert_int_equal(
	    house_enrol(&house, &more, invitation, false), CDOP_OK);
	house_string(&more, string);
	assert_int_equal(house_activate(&house, 2, false, 4, string), CDOP_OK);
	assert_int_equal(house_suspend(&house, person, person, 3), CDOP_OK);
	assert_false(house_session(&house, &cora));
	assert_true(house_session(&house, &more));
	/* A device of somebody else under this person's number. */
	assert_int_equal(house_suspend(&house, 1, person, 1), CDOP_NOT_FOUND);
	house_end(&house);
}

/* ---- roles ------------------------------------------------------------- */

static void
keys_and_cases_are_never_in_one_hand(void **state)
{
	/* An auditor sees in the log what a partner is not told. */
	static const Cdop__Role keys[] = {CDOP__ROLE__ADMINISTRATOR,
	    CDOP__ROLE__CUSTODIAN, CDOP__ROLE__AUDITOR};
	static const Cdop__Role cases[] = {CDOP__ROLE__COORDINATOR,
	    CDOP__ROLE__PARTNER, CDOP__ROLE__PANEL_MEMBER, CDOP__ROLE__ANALYST};
	struct house_client clients[3];
	struct people_grant grants[2];
	struct people_change to = {.all_areas_set = true,
	    .all_areas = true,
	    .grants_set = true,
	    .grants = grants,
	    .n_grants = 2};
	struct house house;
	size_t i, j;

	(void)state;
	house_open(&house, 3, clients);
	for (i = 0; i < 3; i++)
		for (j = 0; j < 4; j++) {
			grants[0] =
			    (struct people_grant){keys[i], 0, UINT64_MAX};
			grants[1] =
			    (struct people_grant){cases[j], 0, UINT64_MAX};
			assert_int_equal(house_change(&house, 3, 0, &to),
			    CDOP_INVALID_ARGUMENT);
			assert_string_equal(
			    house.act.reason, "roles_exclusive");
			/* Nor one after the other, agreed today. */
			grants[1].from_ms = house.now_ms + HOUSE_DAY_MS;
			assert_int_equal(house_change(&house, 3, 0, &to),
			    CDOP_INVALID_ARGUMENT);
		}
	house_end(&house);
}

/* Held as administrator, so not yet free to read cases. */
static void
a_held_administrator_gets_no_case_role(void **state)
{
	struct house_client clients[2];
	const struct people_change areas = {
	    .all_areas_set = true, .all_areas = true};
	struct people_grant grants[2];
	struct people_change to = {
	    .grants_set = true, .grants = grants, .n_grants = 2};
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(house_change(&house, 2, 0, &areas), CDOP_OK);
	grants[0] = (struct people_grant){
	    CDOP__ROLE__ADMINISTRATOR, 0, house.now_ms + HOUSE_DAY_MS};
	to.n_grants = 1;
	assert_int_equal(house_change(&house, 2, 0, &to), CDOP_OK);
	house.now_ms += 2 * HOUSE_DAY_MS;
	grants[0].until_ms = UINT64_MAX;
	grants[1] =
	    (struct people_grant){CDOP__ROLE__COORDINATOR, 0, UINT64_MAX};
	to.n_grants = 2;
	assert_int_equal(
	    house_change(&house, 2, 0, &to), CDOP_INVALID_ARGUMENT);
	/* Without the old role there would be one administrator. */
	to.grants = &grants[1];
	to.n_grants = 1;
	assert_int_equal(
	    house_change(&house, 2, 0, &to), CDOP_FAILED_PRECONDITION);
	house_end(&house);
}

static void
roles_begin_and_end_on_their_day(void **state)
{
	struct house_client clients[2], cora;
	struct people_grant grant = {CDOP__ROLE__COORDINATOR, 0, 0};
	const struct people_change to = {
	    .grants_set = true, .grants = &grant, .n_grants = 1};
	struct house house;
	uint32_t person;

	(void)state;
	house_open(&house, 2, clients);
	person = house_add(&house, 9, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	grant.from_ms = house.now_ms + HOUSE_DAY_MS;
	grant.until_ms = house.now_ms + 2 * HOUSE_DAY_MS;
	assert_int_equal(house_change(&house, person, 0, &to), CDOP_OK);
	assert_int_equal(house_roles(&house, 3), CDOP_ROLE_ANY);
	house.now_ms += HOUSE_DAY_MS;
	assert_int_equal(
	    house_roles(&house, 3), CDOP_ROLE_COORDINATOR | CDOP_ROLE_ANY);
	house.now_ms += HOUSE_DAY_MS;
	assert_int_equal(house_roles(&house, 3), CDOP_ROLE_ANY);
	house_end(&house);
}

static void
what_the_profile_does_not_know_is_refused(void **state)
{
	struct house_client clients[2];
	static char unknown[] = "atlantis";
	static char holding[] = "holding";
	static char *const areas[] = {unknown}, *const over[] = {holding};
	struct people_change to = {
	    .areas_set = true, .areas = areas, .n_areas = 1};
	const struct people_grant reserved = {CDOP__ROLE__CHAIR, 0, UINT64_MAX};
	const struct people_change role = {
	    .grants_set = true, .grants = &reserved, .n_grants = 1};
	const struct people_change agency = {.agency = "nobody"};
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(
	    house_change(&house, 2, 0, &to), CDOP_INVALID_ARGUMENT);
	assert_string_equal(house.act.reason, "area_unknown");
	to.areas = over;
	assert_int_equal(
	    house_change(&house, 2, 0, &to), CDOP_INVALID_ARGUMENT);
	assert_string_equal(house.act.reason, "area_holding");
	assert_int_equal(
	    house_change(&house, 2, 0, &agency), CDOP_INVALID_ARGUMENT);
	assert_int_equal(
	    house_change(&house, 2, 0, &role), CDOP_INVALID_ARGUMENT);
	assert_string_equal(house.act.reason, "role_reserved");
	house_end(&house);
}

/* ---- the handshake's two PSKs ------------------------------------------ */

static void
whoever_may_nothing_gets_two_decoys(void **state)
{
	struct house_client clients[3], cora;
	uint8_t psks[2][32], again[2][32], stranger[32];
	struct house house;
	uint32_t device;

	(void)state;
	house_open(&house, 3, clients);
	house_add(&house, 9, "Cora", CDOP__ROLE__COORDINATOR, &cora);
	assert_int_equal(house_suspend(&house, 1, 4, 0), CDOP_OK);
	people_psks(house.reg->people, cora.key, house.now_ms, psks, &device);
	assert_int_equal(device, 0);
	assert_memory_not_equal(psks[0], cora.psk, 32);
	assert_memory_not_equal(psks[1], cora.psk, 32);
	memset(stranger, 0xee, sizeof(stranger));
	people_psks(house.reg->people, stranger, house.now_ms, psks, &device);
	people_psks(house.reg->people, stranger, house.now_ms, again, &device);
	assert_int_equal(device, 0);
	assert_memory_not_equal(psks[0], again[0], 32);
	assert_memory_not_equal(psks[1], again[1], 32);
	assert_memory_not_equal(psks[0], psks[1], 32);
	/* One that is known has a decoy where there is no next. */
	people_psks(
	    house.reg->people, clients[0].key, house.now_ms, psks, &device);
	people_psks(
	    house.reg->people, clients[0].key, house.now_ms, again, &device);
	assert_int_equal(device, 1);
	assert_memory_equal(psks[0], again[0], 32);
	assert_memory_not_equal(psks[1], again[1], 32);
	house_end(&house);
}

/* ---- what an act is bound to ------------------------------------------- */

static void
a_target_changes_with_acts_and_with_nothing_else(void **state)
{
	struct house_client clients[3];
	uint8_t before[32], after[32];
	struct house house;

	(void)state;
	house_open(&house, 3, clients);
	people_rule_target(house.reg->people, 2, before);
	house.now_ms += HOUSE_DAY_MS;
	assert_true(house_session(&house, &clients[1]));
	assert_int_equal(house_turn(&house, &clients[1], false), CDOP_OK);
	assert_true(house_session(&house, &clients[1]));
	people_rule_target(house.reg->people, 2, after);
	assert_memory_equal(before, after, 32);
	house_reopen(&house);
	people_rule_target(house.reg->people, 2, after);
	assert_memory_equal(before, after, 32);
	assert_int_equal(house_suspend(&house, 1, 2, 2), CDOP_OK);
	people_rule_target(house.reg->people, 2, after);
	assert_memory_not_equal(before, after, 32);
	assert_int_equal(house_resume(&house, 1, 2, 2), CDOP_OK);
	people_rule_target(house.reg->people, 2, after);
	assert_memory_not_equal(before, after, 32);
	house_end(&house);
}

/* ---- the same human twice ---------------------------------------------- */

static size_t
similar(const struct house *house, const char *name)
{
	uint32_t found[8];

	return people_rule_similar(house->reg->people, name, "", 0, found, 8);
}

static void
who_looks_like_another_is_named(void **state)
{
	struct house_client clients[2];
	uint8_t invitation[16];
	struct house house;

	(void)state;
	house_open(&house, 2, clients);
	assert_int_equal(
	    house_invite(&house, 1, "Zo\xc3\xab Brandt-M\xc3\xbcller",
		CDOP__ROLE__AUDITOR, invitation),
	    CDOP_OK);
	assert_int_equal(similar(&house, "Zoe Muller"), 1);
	assert_int_equal(similar(&house, "Z. MU\xcc\x88LLER"), 1);
	/* With something in it that nobody sees. */
	assert_int_equal(similar(&house, "Zoe Mul\xe2\x81\xa3ler"), 1);
	assert_int_equal(similar(&house, "Zoe Millard"), 0);
	assert_int_equal(similar(&house, ""), 0);
	house_end(&house);
}

static void
a_name_has_letters(void **state)
{
	static const char *const none[] = {
	    "...", "\xe3\x85\xa4", "\xe2\x80\x8d"};
	struct house_client clients[2];
	uint8_t invitation[16];
	struct house house;
	size_t i;

	(void)state;
	house_open(&house, 2, clients);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(house_invite(&house, 1, none[i],
				     CDOP__ROLE__AUDITOR, invitation),
		    CDOP_INVALID_ARGUMENT);
		assert_string_equal(house.act.reason, "text_needed");
	}
	assert_int_equal(house_invite(&house, 1, "\xe5\xbc\xa0\xe4\xbc\x9f",
			     CDOP__ROLE__AUDITOR, invitation),
	    CDOP_OK);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_act_leaves_fewer_than_two_administrators),
	    cmocka_unit_test(a_replacement_that_is_active_lets_one_go),
	    cmocka_unit_test(suspension_for_theft_goes_below_two),
	    cmocka_unit_test(an_end_that_leaves_too_few_does_not_take_effect),
	    cmocka_unit_test(the_last_device_is_held_like_the_role),
	    cmocka_unit_test(of_several_ends_the_last_two_are_held),
	    cmocka_unit_test(an_end_that_took_effect_never_comes_back),
	    cmocka_unit_test(
		a_held_end_takes_effect_once_a_replacement_is_active),
	    cmocka_unit_test(one_person_revokes_no_administrator),
	    cmocka_unit_test(revoking_ends_devices_and_invitations),
	    cmocka_unit_test(one_device_is_suspended_alone),
	    cmocka_unit_test(keys_and_cases_are_never_in_one_hand),
	    cmocka_unit_test(a_held_administrator_gets_no_case_role),
	    cmocka_unit_test(roles_begin_and_end_on_their_day),
	    cmocka_unit_test(what_the_profile_does_not_know_is_refused),
	    cmocka_unit_test(whoever_may_nothing_gets_two_decoys),
	    cmocka_unit_test(a_target_changes_with_acts_and_with_nothing_else),
	    cmocka_unit_test(who_looks_like_another_is_named),
	    cmocka_unit_test(a_name_has_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
