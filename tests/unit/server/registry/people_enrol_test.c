/*
 * Enrolment and the PSK that turns: nothing that is lost on the way
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
	house_cora(&house, invitation);
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
	    house_roles(&house, 3), CDOP_ROLE_COORDINATOR | CDOP_ROLE_ANY);
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
	house_cora(&house, invitation);
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

/* The tables keep all that ever was: nobody alone fills them. */
static void
one_person_invites_so_many_in_a_day(void **state)
{
	struct house_client admins[2];
	uint8_t invitation[16];
	struct house house;
	unsigned i;

	(void)state;
	house_open(&house, 2, admins);
	for (i = 0; i < PEOPLE_INVITATIONS_DAY; i++)
		assert_int_equal(house_invite(&house, 1, "Cora",
				     CDOP__ROLE__COORDINATOR, invitation),
		    CDOP_OK);
	assert_int_equal(house_invite(&house, 1, "Cora",
			     CDOP__ROLE__COORDINATOR, invitation),
	    CDOP_FAILED_PRECONDITION);
	assert_string_equal(house.act.reason, "too_many_invitations");
	assert_int_equal(house_invite_more(&house, 1, 2, invitation),
	    CDOP_FAILED_PRECONDITION);
	/* Nobody else is hindered, and nobody for long. */
	assert_int_equal(house_invite_more(&house, 2, 1, invitation), CDOP_OK);
	house.now_ms += HOUSE_DAY_MS;
	assert_int_equal(house_invite_more(&house, 1, 2, invitation), CDOP_OK);
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
	house_cora(&house, invitation);
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
	house_cora(&house, invitation);
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
	house_cora(&house, invitation);
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
	house_cora(&house, invitation);
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
	house_cora(&house, invitation);
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
	house_cora(&house, invitation);
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
	house_cora(&house, invitation);
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
	    cmocka_unit_test(no_lost_reply_locks_a_client_out),
	    cmocka_unit_test(
		a_lost_enrol_reply_is_repeated_with_the_same_state),
	    cmocka_unit_test(enrolling_again_starts_from_the_invitation),
	    cmocka_unit_test(one_person_invites_so_many_in_a_day),
	    cmocka_unit_test(a_stale_session_turns_no_psk),
	    cmocka_unit_test(a_session_under_a_replaced_psk_is_not_opened),
	    cmocka_unit_test(a_second_key_flags_both_and_neither_is_activated),
	    cmocka_unit_test(an_invitation_ends_after_72_hours),
	    cmocka_unit_test(a_key_enrols_once_ever),
	    cmocka_unit_test(wrong_strings_are_counted_and_end_in_a_flag),
	    cmocka_unit_test(a_string_is_taken_in_any_case_without_dashes),
	    cmocka_unit_test(an_aborted_enrolment_leaves_no_trace),
	    cmocka_unit_test(cancelling_ends_an_invitation_and_what_came_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
