/*
 * Enrolment, the PSK that turns, activation: nothing that is lost on the way
 * locks anybody out, and nobody gets in who should not (TRUST M9).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "tests/unit/server/registry/house.h"

static uint32_t
roles_of(struct house *house, uint32_t device)
{
	struct actor actor;

	people_actor(house->reg->people, device, house->now_ms, &actor);
	return actor.roles;
}

/* ---- setup ------------------------------------------------------------- */

static void
setup_ends_when_two_have_typed_each_other(void **state)
{
	struct house_client one, two;
	struct house house;
	char string[20];

	(void)state;
	house_make(&house, 2);
	house_client(&house, &one, 1, house.invitation[0]);
	house_client(&house, &two, 2, house.invitation[1]);
	assert_int_equal(
	    house_enrol(&house, &one, house.invitation[0], false), CDOP_OK);
	assert_int_equal(
	    house_enrol(&house, &two, house.invitation[1], false), CDOP_OK);
	assert_int_equal(roles_of(&house, 1), CDOP_ROLE_PENDING);

	house_string(&two, string);
	assert_int_equal(house_activate(&house, 1, true, 2, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_SETUP);
	assert_int_equal(roles_of(&house, 2), CDOP_ROLE_PENDING);
	house_reopen(&house);

	house_string(&one, string);
	assert_int_equal(house_activate(&house, 2, true, 1, string), CDOP_OK);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(
	    roles_of(&house, 1), CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY);
	assert_int_equal(
	    roles_of(&house, 2), CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY);
	house_reopen(&house);
	assert_int_equal(house.reg->state, CDOP_STATE_OPEN);
	assert_int_equal(
	    roles_of(&house, 1), CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_ANY);
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
	house_make(&house, 2);
	house_client(&house, &one, 1, house.invitation[0]);
	house_client(&house, &two, 2, house.invitation[1]);
	assert_int_equal(
	    house_enrol(&house, &one, house.invitation[0], false), CDOP_OK);
	assert_int_equal(
	    house_enrol(&house, &two, house.invitation[1], false), CDOP_OK);
	house_string(&two, string);
	assert_int_equal(house_activate(&house, 1, true, 2, string), CDOP_OK);
	assert_int_equal(
	    house_enrol(&house, &two, house.invitation[1], false), CDOP_OK);
	house_string(&one, string);
	assert_int_equal(house_activate(&house, 2, true, 1, string), CDOP_OK);
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
	assert_int_equal(roles_of(&house, 4), CDOP_ROLE_PENDING);
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

/* ---- replies that are lost --------------------------------------------- */

/*
 * Every way in which replies of Enrol and PskTurn can be lost, in every
 * order, six steps deep: the client that kept both PSKs always gets in.
 */
static void
no_lost_reply_locks_a_client_out(void **state)
{
	struct house_client admins[2];
	struct house house;
	unsigned mask, step;

	(void)state;
	house_open(&house, 2, admins);
	for (mask = 0; mask < 64; mask++) {
		for (step = 0; step < 6; step++) {
			assert_true(house_session(&house, &admins[0]));
			assert_int_equal(house_turn(&house, &admins[0],
					     (mask >> step & 1) != 0),
			    CDOP_OK);
		}
		assert_true(house_session(&house, &admins[0]));
	}
	house_reopen(&house);
	assert_true(house_session(&house, &admins[0]));
	house_end(&house);
}

static void
a_lost_enrol_reply_is_repeated_with_the_same_state(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16];
	struct house house;
	unsigned lost;
	char string[20];

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	for (lost = 0; lost < 3; lost++) {
		assert_int_equal(
		    house_enrol(&house, &client, invitation, true), CDOP_OK);
		assert_int_equal(
		    people_by_key(house.reg->people, client.key)->number, 3);
		/* The invitation's PSK is the current one from now on. */
		assert_true(house_session(&house, &client));
	}
	assert_int_equal(people_last_device(house.reg->people), 3);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	house_string(&client, string);
	assert_int_equal(house_activate(&house, 2, false, 3, string), CDOP_OK);
	assert_true(house_session(&house, &client));
	assert_int_equal(
	    roles_of(&house, 3), CDOP_ROLE_COORDINATOR | CDOP_ROLE_ANY);
	house_end(&house);
}

static void
enrolling_again_starts_from_the_invitation(void **state)
{
	struct house_client admins[2], client, kept;
	uint8_t invitation[16];
	struct house house;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	kept = client;
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	assert_true(house_session(&house, &client)); /* next is current now */
	/* The disk came back from a copy: only the invitation is known. */
	assert_int_equal(
	    house_enrol(&house, &kept, invitation, false), CDOP_OK);
	assert_true(house_session(&house, &kept));
	house_end(&house);
}

/* ---- two sessions at the same time ------------------------------------- */

static void
a_stale_session_turns_no_psk(void **state)
{
	struct house_client admins[2], stale;
	struct house house;

	(void)state;
	house_open(&house, 2, admins);
	assert_true(house_session(&house, &admins[0]));
	stale = admins[0]; /* another program with the same identity file */
	assert_int_equal(house_turn(&house, &admins[0], false), CDOP_OK);
	assert_true(house_session(&house, &admins[0]));
	assert_int_equal(
	    house_turn(&house, &stale, false), CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "psk_turned");
	assert_true(house_session(&house, &admins[0]));
	house_end(&house);
}

/* Proved under a next PSK that was replaced before it counted. */
static void
a_session_under_a_replaced_psk_is_not_opened(void **state)
{
	struct house_client admins[2], other;
	uint8_t psk_id[16];
	struct house house;
	bool turned;

	(void)state;
	house_open(&house, 2, admins);
	assert_true(house_session(&house, &admins[0]));
	assert_int_equal(house_turn(&house, &admins[0], false), CDOP_OK);
	people_psk_id(psk_id, admins[0].next);
	other = admins[0];
	assert_int_equal(house_turn(&house, &other, false), CDOP_OK);
	house_begin(&house);
	assert_int_equal(people_session_opened(house.reg->people, house.arena,
			     1, psk_id, house.now_ms, &turned),
	    CDOP_UNAUTHENTICATED);
	house_abort(&house);
	assert_true(house_session(&house, &other));
	house_end(&house);
}

/* ---- attacks on an invitation ------------------------------------------ */

static void
a_second_key_flags_both_and_neither_is_activated(void **state)
{
	struct house_client admins[2], thief, victim;
	uint8_t invitation[16];
	struct house house;
	char string[20];

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &thief, 8, invitation);
	house_client(&house, &victim, 9, invitation);
	assert_int_equal(
	    house_enrol(&house, &thief, invitation, false), CDOP_OK);
	assert_int_equal(house_enrol(&house, &victim, invitation, false),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "invitation_used_twice");
	house_reopen(&house);
	house_string(&thief, string);
	assert_int_equal(house_activate(&house, 2, false, 3, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "flagged");
	assert_false(house_session(&house, &thief));
	assert_int_equal(house_enrol(&house, &victim, invitation, false),
	    CDOP_UNAUTHENTICATED);
	house_end(&house);
}

static void
an_invitation_ends_after_72_hours(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16];
	struct house house;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	house.now_ms += 3 * HOUSE_DAY_MS;
	assert_int_equal(house_enrol(&house, &client, invitation, false),
	    CDOP_UNAUTHENTICATED);
	house_end(&house);
}

static void
a_key_enrols_once_ever(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16];
	struct house house;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	/* An administrator's device as a coordinator's: one identity. */
	house_client(&house, &client, 1, invitation);
	assert_int_equal(house_enrol(&house, &client, invitation, false),
	    CDOP_ALREADY_EXISTS);
	assert_int_equal(people_last_device(house.reg->people), 2);
	house_end(&house);
}

static void
wrong_strings_are_counted_and_end_in_a_flag(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16];
	struct house house;
	char string[20];
	unsigned i;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	assert_int_equal(house_activate(&house, 2, false, 3, "no string"),
	    CDOP_INVALID_ARGUMENT);
	assert_int_equal(people_device(house.reg->people, 3)->wrong, 0);
	for (i = 0; i < PEOPLE_WRONG_MAX; i++) {
		assert_int_equal(
		    house_activate(&house, 2, false, 3, "AAAA-BBBB-CCCC-DDDD"),
		    CDOP_FAILED_PRECONDITION);
		assert_string_equal(house.act.reason, "comparison_differs");
		house_reopen(&house);
	}
	house_string(&client, string);
	assert_int_equal(house_activate(&house, 2, false, 3, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "flagged");
	house_end(&house);
}

static void
a_string_is_taken_in_any_case_without_dashes(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16];
	struct house house;
	char string[20], typed[20];
	size_t i, n = 0;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	house_string(&client, string);
	for (i = 0; string[i] != '\0'; i++)
		if (string[i] != '-')
			typed[n++] =
			    (char)(string[i] >= 'A' ? string[i] - 'A' + 'a'
						    : string[i]);
	typed[n] = '\0';
	assert_int_equal(house_activate(&house, 2, false, 3, typed), CDOP_OK);
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
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	house_string(&client, string);
	assert_int_equal(house_activate(&house, 1, false, 3, string),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "same_person");
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
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
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

/* ---- what a batch takes back ------------------------------------------- */

static void
an_aborted_enrolment_leaves_no_trace(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16], psks[2][32], random[32];
	uint8_t client_random[32] = {1};
	struct people_enrol_args args;
	struct house house;
	uint32_t device;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	args = (struct people_enrol_args){
	    invitation, client.key, client.handshake, client_random, "laptop"};
	house_begin(&house);
	assert_int_equal(people_enrol_device(
			     house_act(&house, 0, 0), &args, random, &device),
	    CDOP_OK);
	assert_non_null(people_by_key(house.reg->people, client.key));
	house_abort(&house);
	assert_null(people_by_key(house.reg->people, client.key));
	assert_int_equal(people_last_device(house.reg->people), 2);
	people_psks(house.reg->people, client.key, house.now_ms, psks, &device);
	assert_int_equal(device, 0);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	assert_int_equal(
	    people_by_key(house.reg->people, client.key)->number, 3);
	house_reopen(&house);
	assert_true(house_session(&house, &client));
	house_end(&house);
}

static void
cancelling_ends_an_invitation_and_what_came_of_it(void **state)
{
	struct house_client admins[2], client;
	uint8_t invitation[16];
	struct house house;

	(void)state;
	house_open(&house, 2, admins);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_OK);
	house_client(&house, &client, 9, invitation);
	assert_int_equal(
	    house_enrol(&house, &client, invitation, false), CDOP_OK);
	house_begin(&house);
	assert_int_equal(invitations_cancel(house_act(&house, 2, 2), invitation,
			     "sent to the wrong Cora"),
	    CDOP_OK);
	house_commit(&house);
	assert_false(house_session(&house, &client));
	assert_int_equal(house_enrol(&house, &client, invitation, false),
	    CDOP_UNAUTHENTICATED);
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
	    cmocka_unit_test(after_setup_a_pending_person_activates_nobody),
	    cmocka_unit_test(late_founders_do_not_activate_each_other),
	    cmocka_unit_test(in_setup_only_founders_activate_and_are_activated),
	    cmocka_unit_test(no_lost_reply_locks_a_client_out),
	    cmocka_unit_test(
		a_lost_enrol_reply_is_repeated_with_the_same_state),
	    cmocka_unit_test(enrolling_again_starts_from_the_invitation),
	    cmocka_unit_test(a_stale_session_turns_no_psk),
	    cmocka_unit_test(a_session_under_a_replaced_psk_is_not_opened),
	    cmocka_unit_test(a_second_key_flags_both_and_neither_is_activated),
	    cmocka_unit_test(an_invitation_ends_after_72_hours),
	    cmocka_unit_test(a_key_enrols_once_ever),
	    cmocka_unit_test(wrong_strings_are_counted_and_end_in_a_flag),
	    cmocka_unit_test(a_string_is_taken_in_any_case_without_dashes),
	    cmocka_unit_test(whoever_invited_does_not_activate),
	    cmocka_unit_test(two_devices_of_one_person_are_one_person),
	    cmocka_unit_test(an_aborted_enrolment_leaves_no_trace),
	    cmocka_unit_test(cancelling_ends_an_invitation_and_what_came_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
