/*
 * Activation: who makes a device active, in setup and afterwards, and that it
 * takes two persons (TRUST M9).
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

/* ---- setup ------------------------------------------------------------- */

static void
setup_ends_when_two_have_typed_each_other(void **state)
{
	struct house_client one, two;
	struct house house;
	char string[20];

	(void)state;
	house_two(&house, &one, &two);
	assert_int_equal(house_roles(&house, 1), CDOP_ROLE_PENDING);

	house_string(&two, string);
	assert_int_equal(house_activate(&house, 1, true, 2, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	assert_int_equal(house_roles(&house, 2), CDOP_ROLE_PENDING);
	house_reopen(&house);

	house_string(&one, string);
	assert_int_equal(house_activate(&house, 2, true, 1, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(
	    house_roles(&house, 1), CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY);
	assert_int_equal(
	    house_roles(&house, 2), CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(
	    house_roles(&house, 1), CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY);
	house_end(&house);
}

static void
nobody_activates_a_device_of_their_own(void **state)
{
	struct house_client one;
	struct house house;
	char string[20];

	(void)state;
	house_make(&house, 2);
	house_client(&house, &one, 1, house.invitation[0]);
	assert_int_equal(
	    house_enrol(&house, &one, house.invitation[0], false), CDOP_OK);
	house_string(&one, string);
	assert_int_equal(house_activate(&house, 1, true, 1, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "same_person");
	house_end(&house);
}

static void
a_string_that_was_typed_is_void_after_another_enrolment(void **state)
{
	struct house_client one, two;
	struct house house;
	char string[20];

	(void)state;
	house_two(&house, &one, &two);
	house_string(&two, string);
	assert_int_equal(house_activate(&house, 1, true, 2, string), CDOP_OK);
	assert_int_equal(
	    house_enrol(&house, &two, house.invitation[1], false), CDOP_OK);
	house_string(&one, string);
	assert_int_equal(house_activate(&house, 2, true, 1, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	house_end(&house);
}

/*
 * Two keys came with one of the two invitations of init.  Neither is barred
 * half-way: not even where one of the two strings had been typed already.
 */
static void
in_setup_a_second_key_bars_both(void **state)
{
	struct house_client one, two, thief;
	struct house house;
	char string[20];

	(void)state;
	house_make(&house, 2);
	house_client(&house, &one, 1, house.invitation[0]);
	house_client(&house, &two, 2, house.invitation[1]);
	house_client(&house, &thief, 3, house.invitation[0]);
	assert_int_equal(
	    house_enrol(&house, &one, house.invitation[0], false), CDOP_OK);
	assert_int_equal(
	    house_enrol(&house, &two, house.invitation[1], false), CDOP_OK);
	house_string(&one, string);
	assert_int_equal(house_activate(&house, 2, true, 1, string), CDOP_OK);
	assert_int_equal(
	    house_enrol(&house, &thief, house.invitation[0], false),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "invitation_used_twice");
	house_reopen(&house);

	assert_int_equal(house_roles(&house, 1), 0);
	assert_false(house_session(&house, &one));
	assert_int_equal(
	    house_enrol(&house, &thief, house.invitation[0], false),
	    CDOP_UNAUTHENTICATED);
	house_string(&two, string);
	assert_int_equal(
	    house_activate(&house, 1, true, 2, string), CDOP_PERMISSION_DENIED);
	house_string(&one, string);
	assert_int_equal(house_activate(&house, 2, true, 1, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "flagged");
	assert_non_null(strstr(house.act.message, "recover-people"));
	/* Who was not concerned waits as before. */
	assert_true(house_session(&house, &two));
	assert_int_equal(house_roles(&house, 2), CDOP_ROLE_PENDING);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	house_end(&house);
}

/* Pending in an open registry gives no power over anybody. */
static void
after_setup_a_pending_person_activates_nobody(void **state)
{
	struct house_client admins[2], three, four;
	uint8_t i3[16], i4[16];
	struct house house;
	char string[20];

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(
	    house_invite(&house, 1, "Eve", CDOP__ROLE__ADMINISTRATOR, i3),
	    CDOP_OK);
	assert_int_equal(
	    house_invite(&house, 1, "Mal", CDOP__ROLE__ADMINISTRATOR, i4),
	    CDOP_OK);
	house_client(&house, &three, 3, i3);
	house_client(&house, &four, 4, i4);
	assert_int_equal(house_enrol(&house, &three, i3, false), CDOP_OK);
	assert_int_equal(house_enrol(&house, &four, i4, false), CDOP_OK);
	house_string(&four, string);
	assert_int_equal(
	    house_activate(&house, 3, true, 4, string), CDOP_PERMISSION_DENIED);
	assert_int_equal(house_roles(&house, 4), CDOP_ROLE_PENDING);
	house_end(&house);
}

/* Whoever of init comes late is activated like anybody else. */
static void
late_founders_do_not_activate_each_other(void **state)
{
	struct house_client clients[4];
	struct house house;
	char string[20];
	size_t i;

	(void)state;
	house_make(&house, 4);
	for (i = 0; i < 4; i++) {
		house_client(
		    &house, &clients[i], (unsigned)i + 1, house.invitation[i]);
		assert_int_equal(house_enrol(&house, &clients[i],
				     house.invitation[i], false),
		    CDOP_OK);
	}
	house_string(&clients[1], string);
	assert_int_equal(house_activate(&house, 1, true, 2, string), CDOP_OK);
	house_string(&clients[0], string);
	assert_int_equal(house_activate(&house, 2, true, 1, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	house_string(&clients[3], string);
	assert_int_equal(
	    house_activate(&house, 3, true, 4, string), CDOP_PERMISSION_DENIED);
	assert_int_equal(house_activate(&house, 1, false, 4, string), CDOP_OK);
	house_end(&house);
}

/* A recovery opens setup for those it invites, and for nobody who waited. */
static void
in_setup_only_founders_activate_and_are_activated(void **state)
{
	struct house_client admins[2], mal, eve;
	const struct setup_args args = {
	    .admin = {"Eve New", "Fay New"},
	    .n_admin = 2,
	    .by = {"X Example", "Y Example"},
	    .reason = "both are away",
	    .now_ms = HOUSE_START_MS,
	};
	struct setup_result result;
	uint8_t first[16], second[16];
	struct house house;
	char string[20];

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(
	    house_invite(&house, 1, "Mal", CDOP__ROLE__ADMINISTRATOR, first),
	    CDOP_OK);
	house_client(&house, &mal, 3, first);
	assert_int_equal(house_enrol(&house, &mal, first, false), CDOP_OK);
	assert_int_equal(
	    setup_recover(house.reg, house.arena, &args, &result), CDOP_OK);
	memcpy(second, result.invitation[0]->invitation_id, 16);
	house_client(&house, &eve, 4, second);
	assert_int_equal(house_enrol(&house, &eve, second, false), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	house_string(&eve, string);
	assert_int_equal(
	    house_activate(&house, 3, true, 4, string), CDOP_PERMISSION_DENIED);
	house_begin(&house);
	house_act(&house, 4, 4)->pending = true;
	house_string(&mal, string);
	assert_int_equal(
	    people_enrol_activate(&house.act, 3, string, &(bool){false}),
	    CDOP_PERMISSION_DENIED);
	house_abort(&house);
	house_end(&house);
}

/* ---- two people -------------------------------------------------------- */

static void
whoever_invited_does_not_activate(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16];
	struct house house;
	char string[20];

	(void)state;
	house_open(&house, 2, admins);
	house_cora(&house, invitation);
	house_client(&house, &client, 9, invitation);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	house_string(&client, string);
	assert_int_equal(house_activate(&house, 1, false, 3, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "same_person");
	house_end(&house);
}

/* Cora's laptop waits as device 3 for the one who did not invite her. */
static void
cora_waits(struct house *house, struct house_client *cora,
    uint8_t invitation[static 16], char string[static 20])
{
	static struct house_client admins[2];

	house_open(house, 2, admins);
	house_cora(house, invitation);
	house_client(house, cora, 9, invitation);
	assert_int_equal(house_enrol(house, cora, invitation, false), CDOP_OK);
	house_string(cora, string);
}

static void
an_invitation_that_has_served_opens_nothing(void **state)
{
	const struct people_invitation *served;
	struct house_client cora;
	uint8_t invitation[16];
	struct house house;
	char string[20];

	(void)state;
	cora_waits(&house, &cora, invitation, string);
	served = people_invitation(house.reg->people, invitation);
	assert_false(cdop_secret_is_zero(served->psk, sizeof(served->psk)));
	assert_int_equal(house_activate(&house, 2, false, 3, string), CDOP_OK);
	house_reopen(&house);
	served = people_invitation(house.reg->people, invitation);
	assert_true(cdop_secret_is_zero(served->psk, sizeof(served->psk)));
	assert_int_equal(house_enrol(&house, &cora, invitation, false),
	    CDOP_UNAUTHENTICATED);
	house_end(&house);
}

static void
who_was_suspended_meanwhile_is_not_activated(void **state)
{
	struct house_client cora, second;
	uint8_t invitation[16], more[16];
	struct house house;
	char string[20];

	(void)state;
	cora_waits(&house, &cora, invitation, string);
	assert_int_equal(house_activate(&house, 2, false, 3, string), CDOP_OK);
	assert_int_equal(house_invite_more(&house, 1, 3, more), CDOP_OK);
	house_client(&house, &second, 7, more);
	assert_int_equal(house_enrol(&house, &second, more, false), CDOP_OK);
	assert_int_equal(house_suspend(&house, 1, 3, 0), CDOP_OK);
	house_string(&second, string);
	assert_int_equal(house_activate(&house, 2, false, 4, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "not_active");
	house_end(&house);
}

static void
a_laptop_that_has_ended_meanwhile_is_not_activated(void **state)
{
	struct house_client cora;
	uint8_t invitation[16];
	struct house house;
	char string[20];

	(void)state;
	cora_waits(&house, &cora, invitation, string);
	house.now_ms = people_device(house.reg->people, 3)->expires_ms;
	assert_int_equal(house_activate(&house, 2, false, 3, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "expired");
	assert_int_equal(house_roles(&house, 3), 0);
	house_end(&house);
}

static void
a_laptop_that_is_active_ends_on_its_day(void **state)
{
	struct house_client cora;
	uint8_t invitation[16];
	struct house house;
	char string[20];

	(void)state;
	cora_waits(&house, &cora, invitation, string);
	assert_int_equal(house_activate(&house, 2, false, 3, string), CDOP_OK);
	house.now_ms = people_device(house.reg->people, 3)->expires_ms - 1;
	assert_int_not_equal(house_roles(&house, 3), 0);
	house.now_ms++;
	assert_int_equal(house_roles(&house, 3), 0);
	house_end(&house);
}

/* Administrator 1 with a second laptop is still administrator 1. */
static void
two_devices_of_one_person_are_one_person(void **state)
{
	struct house_client admins[2], second, client;
	uint8_t more[16], invitation[16];
	struct people_act *act;
	struct house house;
	char string[20];
	bool open;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite_more(&house, 2, 1, more), CDOP_OK);
	house_client(&house, &second, 7, more);
	assert_int_equal(house_enrol(&house, &second, more, false), CDOP_OK);
	house_string(&second, string);
	/* Neither by its owner nor by the one who invited. */
	assert_int_equal(house_activate(&house, 1, false, 3, string),
	    CDOP_FAILED_PRECONDITION);
	assert_int_equal(house_activate(&house, 2, false, 3, string),
	    CDOP_FAILED_PRECONDITION);
	house_add(&house, 20, "Ann Third", CDOP__ROLE__ADMINISTRATOR, &client);
	house_begin(&house);
	act = house_act(&house, 3, 4);
	assert_int_equal(people_enrol_activate(act, 3, string, &open), CDOP_OK);
	house_commit(&house);
	/* Invited with the first device, activated with the second. */
	house_cora(&house, invitation);
	house_client(&house, &client, 21, invitation);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	house_string(&client, string);
	house_begin(&house);
	act = house_act(&house, 1, 3);
	assert_int_equal(
	    people_enrol_activate(act,
		people_by_key(house.reg->people, client.key)->number, string,
		&open),
	    CDOP_FAILED_PRECONDITION);
	house_abort(&house);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(setup_ends_when_two_have_typed_each_other),
	    cmocka_unit_test(nobody_activates_a_device_of_their_own),
	    cmocka_unit_test(
		a_string_that_was_typed_is_void_after_another_enrolment),
	    cmocka_unit_test(in_setup_a_second_key_bars_both),
	    cmocka_unit_test(after_setup_a_pending_person_activates_nobody),
	    cmocka_unit_test(late_founders_do_not_activate_each_other),
	    cmocka_unit_test(in_setup_only_founders_activate_and_are_activated),
	    cmocka_unit_test(whoever_invited_does_not_activate),
	    cmocka_unit_test(an_invitation_that_has_served_opens_nothing),
	    cmocka_unit_test(who_was_suspended_meanwhile_is_not_activated),
	    cmocka_unit_test(
		a_laptop_that_has_ended_meanwhile_is_not_activated),
	    cmocka_unit_test(a_laptop_that_is_active_ends_on_its_day),
	    cmocka_unit_test(two_devices_of_one_person_are_one_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
