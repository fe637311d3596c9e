/*
 * The second person, through dispatch: who may be it, what it is bound to,
 * and what makes it void (TRUST M13, threat T19).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "server/registry/approvals.h"
#include "server/registry/people.h"
#include "tests/unit/server/rpc/calls.h"
#include "tests/unit/server/rpc/people_calls.h"

static struct world world;

static char why[] = "has left";

static int
make(void **state)
{
	(void)state;
	world_make(&world);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

static void
approve(enum world_who who, const Cdop__Approval *a, bool yes,
    struct world_answer *answer)
{
	world_decide(&world, who, a, yes, NULL, answer);
}

/* The reply says so, with whatever status. */
static void
assert_voided(const struct world_answer *answer)
{
	Cdop__ApproveReply *reply;

	reply = world_body(&world, answer, &cdop__approve_reply__descriptor);
	assert_false(reply->applied);
	assert_true(reply->voided);
}

static void
suspend(enum world_who by, enum world_who whom)
{
	struct world_answer answer;
	Cdop__SuspendRequest request;

	cdop__suspend_request__init(&request);
	request.person = (uint32_t)whom;
	request.reason = why;
	world_call(&world, by, CDOP_CALL_Suspend, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

/* A yes to it, under a request key of its own. */
static void
fill_yes(Cdop__Call *call, const Cdop__Approval *a)
{
	static uint8_t key[16], inner[128];
	Cdop__ApproveRequest request;
	uint8_t hash[32];

	world_hash(&world, a, hash);
	cdop__approve_request__init(&request);
	request.number = a->number;
	request.hash = (ProtobufCBinaryData){sizeof(hash), hash};
	request.approve = true;
	assert_true(
	    cdop__approve_request__get_packed_size(&request) <= sizeof(inner));
	cdop__call__init(call);
	call->id = 1;
	call->method = CDOP_CALL_Approve;
	world_key(&world, key);
	call->has_request_key = true;
	call->request_key = (ProtobufCBinaryData){sizeof(key), key};
	call->has_body = true;
	call->body.len = cdop__approve_request__pack(&request, inner);
	call->body.data = inner;
}

static Cdop__PersonState
state_of(enum world_who who)
{
	return people_person(world.reg->people, (uint32_t)who)->state;
}

/* ---- the good way ------------------------------------------------------ */

static void
an_act_waits_and_is_done_when_another_approves(void **state)
{
	struct world_answer answer;
	Cdop__ApproveReply *reply;
	Cdop__PersonReply *person;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->has_approval);
	assert_false(answer.reply->has_body);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
	world_reopen(&world);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	assert_non_null(a);
	assert_true(a->you_may);
	assert_int_equal(a->method, CDOP_CALL_AdministratorRevoke);
	assert_true(a->n_words >= 2);
	assert_non_null(strstr(a->words[0], "administrator 3"));
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	reply = world_body(&world, &answer, &cdop__approve_reply__descriptor);
	assert_true(reply->applied);
	person =
	    cdop__person_reply__unpack(NULL, reply->body.len, reply->body.data);
	assert_non_null(person);
	assert_int_equal(
	    person->person->state, CDOP__PERSON_STATE__PERSON_REVOKED);
	cdop__person_reply__free_unpacked(person, NULL);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_REVOKED);
	/* Sessions of the one revoked end before the answer is sealed. */
	assert_int_equal(answer.result.end_person, WORLD_ADMIN_3);
	assert_null(calls_waiting(&world, WORLD_ADMIN_2));
	world_reopen(&world);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_REVOKED);
	assert_null(calls_waiting(&world, WORLD_ADMIN_2));
}

static void
declined_it_is_gone(void **state)
{
	struct world_answer answer;
	Cdop__ApproveReply *reply;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	approve(WORLD_ADMIN_2, a, false, &answer);
	reply = world_body(&world, &answer, &cdop__approve_reply__descriptor);
	assert_false(reply->applied);
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_NOT_FOUND);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
}

static void
whoever_asked_may_take_it_back(void **state)
{
	struct world_answer answer;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_1);
	assert_false(a->you_may);
	approve(WORLD_ADMIN_1, a, false, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_null(calls_waiting(&world, WORLD_ADMIN_2));
}

/* ---- attacks ----------------------------------------------------------- */

static void
whoever_asked_cannot_approve(void **state)
{
	struct world_answer answer;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	approve(
	    WORLD_ADMIN_1, calls_waiting(&world, WORLD_ADMIN_1), true, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(answer.reply->reason, "same_person");
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
	assert_non_null(calls_waiting(&world, WORLD_ADMIN_2));
}

/* A second device in the table that belongs to administrator 1. */
static void
whoever_asked_cannot_approve_with_another_device(void **state)
{
	struct people_device from, *made;
	struct dispatch_peer peer;
	struct world_answer answer;
	const Cdop__Reply *reply;
	Cdop__Approval *a;
	Cdop__Call call;

	(void)state;
	from = *people_device(world.reg->people, WORLD_ADMIN_1);
	memset(from.public_key, 0x77, sizeof(from.public_key));
	assert_int_equal(
	    people_add_device(world.reg->people, &from, &made), CDOP_OK);
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	fill_yes(&call, a);
	memset(&peer, 0, sizeof(peer));
	peer.device = made->number;
	reply = people_calls_as(&world, &peer, &call);
	assert_int_equal(reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(reply->reason, "same_person");
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
}

static void
other_roles_neither_see_nor_approve(void **state)
{
	static const enum world_who others[] = {
	    WORLD_COORDINATOR, WORLD_CUSTODIAN};
	struct world_answer answer;
	Cdop__Approval *a;
	size_t i;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	for (i = 0; i < 2; i++) {
		assert_null(calls_waiting(&world, others[i]));
		approve(others[i], a, true, &answer);
		assert_int_equal(answer.reply->status, CDOP_NOT_FOUND);
	}
	approve(WORLD_PARTNER_WIRRAL, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_PERMISSION_DENIED);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
}

/* Each part of what was shown is exchanged in turn. */
static void
what_was_shown_and_what_waits_are_the_same(void **state)
{
	struct world_answer answer;
	uint8_t byte = 0x01;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	a->request.data[1] ^= byte;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_string_equal(answer.reply->reason, "hash_differs");
	a->request.data[1] ^= byte;
	a->request_key.data[0] ^= byte;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_string_equal(answer.reply->reason, "hash_differs");
	a->request_key.data[0] ^= byte;
	a->target_version.data[31] ^= byte;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_string_equal(answer.reply->reason, "hash_differs");
	a->target_version.data[31] ^= byte;
	a->requester ^= byte;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_string_equal(answer.reply->reason, "hash_differs");
	a->requester ^= byte;
	a->method = CDOP_CALL_Resume;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_string_equal(answer.reply->reason, "hash_differs");
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
	a->method = CDOP_CALL_AdministratorRevoke;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

static void
a_target_that_changed_voids_it(void **state)
{
	struct world_answer answer;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	suspend(WORLD_ADMIN_1, WORLD_ADMIN_3);
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_ABORTED);
	assert_string_equal(answer.reply->reason, "target_changed");
	assert_voided(&answer);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_SUSPENDED);
	world_reopen(&world);
	assert_null(calls_waiting(&world, WORLD_ADMIN_2));
}

static void
a_requester_who_lost_the_right_voids_it(void **state)
{
	struct world_answer answer;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	suspend(WORLD_ADMIN_2, WORLD_ADMIN_1);
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(answer.reply->reason, "requester_rights");
	assert_voided(&answer);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
	assert_null(calls_waiting(&world, WORLD_ADMIN_2));
}

/* What was asked in a role that is gone is not done in another one. */
static void
it_is_done_in_the_role_it_was_asked_in(void **state)
{
	struct world_answer answer;
	struct approval *kept;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	kept = (struct approval *)(uintptr_t)approvals_at(
	    world.reg->approvals, 0, world.now_ms);
	kept->role = CDOP_ROLE_AUDITOR;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_string_equal(answer.reply->reason, "requester_rights");
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
}

/* Filed by a later version; whoever asked may take it back all the same. */
static void
what_is_no_call_here_is_taken_back(void **state)
{
	struct world_answer answer;
	struct approval *kept;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	kept = (struct approval *)(uintptr_t)approvals_at(
	    world.reg->approvals, 0, world.now_ms);
	kept->method = UINT32_MAX;
	assert_null(calls_waiting(&world, WORLD_ADMIN_2));
	a = calls_waiting(&world, WORLD_ADMIN_1);
	world_hash(&world, a, kept->hash);
	approve(WORLD_ADMIN_1, a, false, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_null(calls_waiting(&world, WORLD_ADMIN_1));
}

static void
an_approver_who_lost_the_right_is_nobody(void **state)
{
	struct world_answer answer;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	suspend(WORLD_ADMIN_3, WORLD_ADMIN_2);
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_UNAUTHENTICATED);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
}

static void
after_72_hours_it_is_over_whatever_the_clock_says(void **state)
{
	struct world_answer answer;
	Cdop__Approval *a;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	world.now_ms += 72ull * 3600 * 1000;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_NOT_FOUND);
	world.now_ms -= 3600ull * 1000;
	approve(WORLD_ADMIN_2, a, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_NOT_FOUND);
	assert_int_equal(
	    state_of(WORLD_ADMIN_3), CDOP__PERSON_STATE__PERSON_ACTIVE);
}

/* What was right when it was asked is looked at again when it is done. */
static void
of_two_requests_for_one_act_the_second_is_void(void **state)
{
	struct world_answer answer;
	Cdop__Approval *one, *two;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	one = calls_waiting(&world, WORLD_ADMIN_2);
	world.now_ms += 1000;
	people_calls_revoke(&world, WORLD_ADMIN_2, &answer);
	approve(WORLD_ADMIN_2, one, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	two = calls_waiting(&world, WORLD_ADMIN_1);
	assert_true(two->you_may);
	approve(WORLD_ADMIN_1, two, true, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(answer.reply->reason, "already_revoked");
	assert_voided(&answer);
	assert_null(calls_waiting(&world, WORLD_ADMIN_1));
	/* And a third cannot even ask. */
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	assert_false(answer.reply->has_approval);
}

/* ---- lost replies ------------------------------------------------------ */

static void
asking_again_with_the_same_key_files_once(void **state)
{
	struct world_answer answer;
	Cdop__PersonReply *person;
	Cdop__RevokeRequest request;
	uint8_t key[16], inner[128], number[8];
	Cdop__Call call;
	unsigned i;

	(void)state;
	cdop__revoke_request__init(&request);
	request.person = WORLD_ADMIN_3;
	request.reason = why;
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_AdministratorRevoke;
	world_key(&world, key);
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	call.has_body = true;
	call.body.len = cdop__revoke_request__pack(&request, inner);
	call.body.data = inner;
	for (i = 0; i < 3; i++) {
		world_send(&world, WORLD_ADMIN_1, &call, &answer);
		assert_int_equal(answer.reply->status, CDOP_OK);
		assert_true(answer.reply->has_approval);
		if (i > 0)
			assert_memory_equal(
			    number, answer.reply->approval.data, 8);
		memcpy(number, answer.reply->approval.data, 8);
		world_reopen(&world);
	}
	assert_int_equal(
	    approvals_count(world.reg->approvals, world.now_ms), 1);
	/* Once it is done the same key tells how it is now. */
	approve(
	    WORLD_ADMIN_2, calls_waiting(&world, WORLD_ADMIN_2), true, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	world_send(&world, WORLD_ADMIN_1, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->replayed);
	assert_false(answer.reply->has_approval);
	person = world_body(&world, &answer, &cdop__person_reply__descriptor);
	assert_int_equal(
	    person->person->state, CDOP__PERSON_STATE__PERSON_REVOKED);
}

static void
approving_again_with_the_same_key_tells_the_outcome(void **state)
{
	struct world_answer answer;
	Cdop__ApproveReply *reply;
	Cdop__Approval *a;
	Cdop__Call call;
	unsigned i;

	(void)state;
	people_calls_revoke(&world, WORLD_ADMIN_1, &answer);
	a = calls_waiting(&world, WORLD_ADMIN_2);
	fill_yes(&call, a);
	for (i = 0; i < 2; i++) {
		world_send(&world, WORLD_ADMIN_2, &call, &answer);
		assert_int_equal(answer.reply->status, CDOP_OK);
		assert_int_equal(answer.reply->replayed, i > 0);
		reply = world_body(
		    &world, &answer, &cdop__approve_reply__descriptor);
		assert_true(reply->applied);
		assert_int_equal(reply->method, CDOP_CALL_AdministratorRevoke);
		world_reopen(&world);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_act_waits_and_is_done_when_another_approves),
	    TEST(declined_it_is_gone),
	    TEST(whoever_asked_may_take_it_back),
	    TEST(whoever_asked_cannot_approve),
	    TEST(whoever_asked_cannot_approve_with_another_device),
	    TEST(other_roles_neither_see_nor_approve),
	    TEST(what_was_shown_and_what_waits_are_the_same),
	    TEST(a_target_that_changed_voids_it),
	    TEST(a_requester_who_lost_the_right_voids_it),
	    TEST(it_is_done_in_the_role_it_was_asked_in),
	    TEST(what_is_no_call_here_is_taken_back),
	    TEST(an_approver_who_lost_the_right_is_nobody),
	    TEST(after_72_hours_it_is_over_whatever_the_clock_says),
	    TEST(of_two_requests_for_one_act_the_second_is_void),
	    TEST(asking_again_with_the_same_key_files_once),
	    TEST(approving_again_with_the_same_key_tells_the_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
