/*
 * People through dispatch: from an invitation to a session's rights and
 * back, what a lost reply gets again, what status and lists say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/compare.h"
#include "server/registry/checkpoints.h"
#include "server/registry/people.h"
#include "server/registry/people_enrol.h"
#include "tests/unit/server/rpc/calls.h"
#include "tests/unit/server/rpc/people_calls.h"

static struct world world;

static char text[] = "as agreed";

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

/* A call of a session that the world does not know of. */
static void
call_as(const struct dispatch_peer *peer, uint32_t method,
    const ProtobufCMessage *body, const Cdop__Reply **ret_reply)
{
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = 1;
	call.method = method;
	call.has_body = true;
	call.body.len = protobuf_c_message_get_packed_size(body);
	call.body.data = cdop_arena_alloc(world.arena, call.body.len);
	protobuf_c_message_pack(body, call.body.data);
	*ret_reply = people_calls_as(&world, peer, &call);
}

static const Cdop__Reply *
enrol(const Cdop__InviteReply *invitation, uint8_t key)
{
	static char label[] = "office laptop";
	Cdop__EnrolRequest request;
	const Cdop__Reply *reply;
	struct dispatch_peer peer;
	uint8_t random[32] = {3};

	memset(&peer, 0, sizeof(peer));
	memset(peer.public_key, key, sizeof(peer.public_key));
	memset(peer.handshake, key, sizeof(peer.handshake));
	memcpy(peer.invitation, invitation->invitation_id.data, 16);
	cdop__enrol_request__init(&request);
	request.client_random = (ProtobufCBinaryData){32, random};
	request.label = label;
	call_as(&peer, CDOP_CALL_Enrol, &request.base, &reply);
	return reply;
}

static void
activate(enum world_who by, uint32_t device, uint8_t key,
    struct world_answer *answer)
{
	Cdop__PersonActivateRequest request;
	uint8_t hash[64], bytes[CDOP_COMPARE_LEN];
	char string[CDOP_COMPARE_TEXT];

	memset(hash, key, sizeof(hash));
	cdop_compare_bytes(bytes, hash);
	cdop_compare_text(string, bytes);
	cdop__person_activate_request__init(&request);
	request.device = device;
	request.comparison = string;
	world_call(&world, by, CDOP_CALL_PersonActivate, &request.base, answer);
	assert_int_equal(answer->failed, CDOP_OK);
}

/* ---- from invitation to rights ----------------------------------------- */

static void
a_person_is_invited_enrols_and_is_activated(void **state)
{
	Cdop__PersonActivateReply *active;
	Cdop__InviteReply *invitation;
	struct world_answer answer;
	const Cdop__Reply *reply;
	Cdop__EnrolReply *enrolled;
	uint32_t device;

	(void)state;
	invitation =
	    people_calls_invite(&world, WORLD_ADMIN_1, CDOP__ROLE__COORDINATOR);
	assert_int_equal(invitation->person, WORLD_N);
	assert_int_equal(invitation->psk.len, 32);
	assert_int_equal(invitation->n_server_key, 1);
	reply = enrol(invitation, 0x91);
	assert_int_equal(reply->status, CDOP_OK);
	enrolled = cdop__enrol_reply__unpack(cdop_arena_allocator(world.arena),
	    reply->body.len, reply->body.data);
	assert_string_equal(enrolled->name, "Cora Example");
	assert_int_equal(enrolled->n_role, 1);
	assert_int_equal(enrolled->checkpoint_key.len, 32);
	assert_memory_equal(enrolled->checkpoint_key.data,
	    checkpoints_key(world.reg->checkpoints), 32);
	device = enrolled->device;
	activate(WORLD_ADMIN_1, device, 0x91, &answer);
	assert_string_equal(answer.reply->reason, "same_person");
	activate(WORLD_ADMIN_2, device, 0x91, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	active = world_body(
	    &world, &answer, &cdop__person_activate_reply__descriptor);
	assert_int_equal(
	    active->device_state, CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE);
	assert_int_equal(
	    active->person_state, CDOP__PERSON_STATE__PERSON_ACTIVE);
}

/* By whose it is, where one device of that person waits. */
static void
a_person_is_activated_by_number(void **state)
{
	char string[CDOP_COMPARE_TEXT] = "";
	Cdop__PersonActivateRequest request;
	Cdop__PersonActivateReply *active;
	Cdop__InviteReply *invitation;
	uint8_t hash[64], bytes[CDOP_COMPARE_LEN];
	struct world_answer answer;

	(void)state;
	invitation =
	    people_calls_invite(&world, WORLD_ADMIN_1, CDOP__ROLE__COORDINATOR);
	memset(hash, 0x91, sizeof(hash));
	cdop_compare_bytes(bytes, hash);
	cdop_compare_text(string, bytes);
	cdop__person_activate_request__init(&request);
	request.has_person = true;
	request.person = invitation->person;
	request.comparison = string;
	world_call(&world, WORLD_ADMIN_2, CDOP_CALL_PersonActivate,
	    &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_NOT_FOUND);
	assert_int_equal(enrol(invitation, 0x91)->status, CDOP_OK);
	world_call(&world, WORLD_ADMIN_2, CDOP_CALL_PersonActivate,
	    &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	active = world_body(
	    &world, &answer, &cdop__person_activate_reply__descriptor);
	assert_int_equal(active->person, invitation->person);
	/* Now none of them waits. */
	assert_int_equal(
	    people_enrol_waiting(world.reg->people, invitation->person), 0);
}

static void
a_wrong_string_stays_counted_though_refused(void **state)
{
	Cdop__InviteReply *invitation;
	struct world_answer answer;
	uint32_t device = WORLD_N;

	(void)state;
	invitation =
	    people_calls_invite(&world, WORLD_ADMIN_1, CDOP__ROLE__COORDINATOR);
	assert_int_equal(enrol(invitation, 0x91)->status, CDOP_OK);
	activate(WORLD_ADMIN_2, device, 0x92, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(answer.reply->reason, "comparison_differs");
	world_reopen(&world);
	assert_int_equal(people_device(world.reg->people, device)->wrong, 1);
}

static void
a_second_key_is_refused_and_flagged_for_good(void **state)
{
	Cdop__InviteReply *invitation;
	struct world_answer answer;
	const Cdop__Reply *reply;

	(void)state;
	invitation =
	    people_calls_invite(&world, WORLD_ADMIN_1, CDOP__ROLE__COORDINATOR);
	assert_int_equal(enrol(invitation, 0x91)->status, CDOP_OK);
	reply = enrol(invitation, 0x92);
	assert_int_equal(reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(reply->reason, "invitation_used_twice");
	/* Whoever asks what happened to the one who was invited finds it. */
	assert_int_equal(
	    calls_audited(&world, "Enrol")->subject_person, invitation->person);
	world_reopen(&world);
	activate(WORLD_ADMIN_2, WORLD_N, 0x91, &answer);
	assert_string_equal(answer.reply->reason, "flagged");
}

static void
a_lost_invitation_reply_is_given_again(void **state)
{
	Cdop__PersonInviteRequest request;
	Cdop__RoleGrant grant, *grants[1];
	Cdop__InviteReply *one = NULL, *again;
	struct world_answer answer;
	uint8_t key[16], inner[256];
	Cdop__Call call;
	unsigned i;

	(void)state;
	people_calls_fill(&request, &grant, grants, CDOP__ROLE__AUDITOR);
	cdop__call__init(&call);
	call.id = 1;
	call.method = CDOP_CALL_PersonInvite;
	world_key(&world, key);
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	call.has_body = true;
	call.body.len = cdop__person_invite_request__pack(&request, inner);
	call.body.data = inner;
	for (i = 0; i < 3; i++) {
		world_send(&world, WORLD_ADMIN_1, &call, &answer);
		assert_int_equal(answer.reply->status, CDOP_OK);
		again = world_body(
		    &world, &answer, &cdop__invite_reply__descriptor);
		if (one == NULL)
			one = again;
		assert_memory_equal(one->psk.data, again->psk.data, 32);
		assert_memory_equal(
		    one->invitation_id.data, again->invitation_id.data, 16);
		world_reopen(&world);
	}
	assert_int_equal(people_last_person(world.reg->people), WORLD_N);
	/* Once it was used it is not given again. */
	assert_int_equal(enrol(one, 0x91)->status, CDOP_OK);
	world_send(&world, WORLD_ADMIN_1, &call, &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
}

static void
what_is_wrong_with_an_invitation_is_named(void **state)
{
	Cdop__PersonInviteRequest request;
	Cdop__RoleGrant grant, *grants[1];
	struct world_answer answer;
	char bad[] = "Cora\nExample\001", blank[] = "  ", number[] = " 12 ";

	(void)state;
	people_calls_fill(&request, &grant, grants, CDOP__ROLE__COORDINATOR);
	request.name = bad;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_int_equal(answer.reply->n_violation, 1);
	assert_string_equal(answer.reply->violation[0]->path, "name");
	request.name = blank;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_string_equal(answer.reply->violation[0]->path, "name");
	request.name = number;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_string_equal(answer.reply->violation[0]->rule, "name_number");
	people_calls_fill(&request, &grant, grants, CDOP__ROLE__COORDINATOR);
	request.all_areas = false;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_string_equal(answer.reply->violation[0]->rule, "area_needed");
	people_calls_fill(&request, &grant, grants, CDOP__ROLE__COORDINATOR);
	request.label = blank;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_string_equal(answer.reply->violation[0]->path, "label");
	assert_int_equal(people_last_person(world.reg->people), WORLD_N - 1);
}

/* ---- suspend and revoke ------------------------------------------------ */

static void
anybody_suspends_themselves_and_nobody_else(void **state)
{
	Cdop__SuspendRequest request;
	struct world_answer answer;

	(void)state;
	cdop__suspend_request__init(&request);
	request.reason = text;
	request.person = WORLD_PARTNER_SEFTON;
	world_call(&world, WORLD_PARTNER_WIRRAL, CDOP_CALL_Suspend,
	    &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_PERMISSION_DENIED);
	request.person = WORLD_PARTNER_WIRRAL;
	world_call(&world, WORLD_PARTNER_WIRRAL, CDOP_CALL_Suspend,
	    &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_int_equal(answer.result.end_person, WORLD_PARTNER_WIRRAL);
	world_call(&world, WORLD_PARTNER_WIRRAL, CDOP_CALL_Suspend,
	    &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_UNAUTHENTICATED);
}

static void
revoking_counts_for_the_next_call(void **state)
{
	Cdop__RevokeRequest request;
	Cdop__WhoAmIRequest who;
	struct world_answer answer;

	(void)state;
	cdop__who_am_irequest__init(&who);
	world_call(
	    &world, WORLD_COORDINATOR, CDOP_CALL_WhoAmI, &who.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	cdop__revoke_request__init(&request);
	request.person = WORLD_COORDINATOR;
	request.reason = text;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonRevoke, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_int_equal(answer.result.end_person, WORLD_COORDINATOR);
	world_call(
	    &world, WORLD_COORDINATOR, CDOP_CALL_WhoAmI, &who.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_UNAUTHENTICATED);
	request.person = WORLD_ADMIN_2;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonRevoke, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_FAILED_PRECONDITION);
	assert_string_equal(answer.reply->reason, "administrator");
}

/* ---- what is said ------------------------------------------------------ */

static void
whoever_waits_learns_who_they_are_and_little_else(void **state)
{
	Cdop__WhoAmIRequest who;
	Cdop__StatusRequest status;
	Cdop__WhoAmIReply *me;
	Cdop__StatusReply *is;
	struct world_answer answer;

	(void)state;
	cdop__who_am_irequest__init(&who);
	world_call(&world, WORLD_PENDING, CDOP_CALL_WhoAmI, &who.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	me = world_body(&world, &answer, &cdop__who_am_ireply__descriptor);
	assert_int_equal(me->person->number, WORLD_PENDING);
	assert_int_equal(me->person->device[0]->state,
	    CDOP__CREDENTIAL_STATE__CREDENTIAL_PENDING);
	cdop__status_request__init(&status);
	world_call(
	    &world, WORLD_PENDING, CDOP_CALL_Status, &status.base, &answer);
	is = world_body(&world, &answer, &cdop__status_reply__descriptor);
	assert_false(is->has_administrators_active);
	assert_false(is->has_leaves);
	assert_int_equal(is->n_warning, 0);
}

static bool
warns(const Cdop__StatusReply *status, const char *word)
{
	size_t i;

	for (i = 0; i < status->n_warning; i++)
		if (strstr(status->warning[i], word) != NULL)
			return true;
	return false;
}

static void
status_warns_about_people_worst_first(void **state)
{
	Cdop__SuspendRequest suspend;
	Cdop__StatusRequest request;
	Cdop__StatusReply *status;
	struct world_answer answer;

	(void)state;
	cdop__status_request__init(&request);
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_Status, &request.base, &answer);
	status = world_body(&world, &answer, &cdop__status_reply__descriptor);
	assert_int_equal(status->administrators_active, 3);
	assert_true(warns(status, "14 days"));
	assert_false(warns(status, "DEGRADED"));
	cdop__suspend_request__init(&suspend);
	suspend.reason = text;
	suspend.person = WORLD_ADMIN_2;
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_Suspend, &suspend.base, &answer);
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_Status, &request.base, &answer);
	status = world_body(&world, &answer, &cdop__status_reply__descriptor);
	assert_true(warns(status, "two administrators"));
	suspend.person = WORLD_ADMIN_3;
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_Suspend, &suspend.base, &answer);
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_Status, &request.base, &answer);
	status = world_body(&world, &answer, &cdop__status_reply__descriptor);
	assert_non_null(strstr(status->warning[0], "DEGRADED"));
	/* Everybody is told that, and no more than that. */
	world_call(&world, WORLD_COORDINATOR, CDOP_CALL_Status, &request.base,
	    &answer);
	status = world_body(&world, &answer, &cdop__status_reply__descriptor);
	assert_int_equal(status->n_warning, 1);
	assert_false(status->has_administrators_active);
	assert_false(status->has_map_used);
}

/* Access that ends for half the panel is no reason to forget the backup. */
static void
what_is_about_many_comes_last(void **state)
{
	static const uint32_t ends[] = {
	    WORLD_COORDINATOR, WORLD_PARTNER_WIRRAL, WORLD_PARTNER_SEFTON};
	struct people_person *person;
	Cdop__StatusRequest request;
	Cdop__StatusReply *status;
	struct world_answer answer;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		person = (struct people_person *)(uintptr_t)people_person(
		    world.reg->people, ends[i]);
		for (j = 0; j < PEOPLE_GRANTS_MAX; j++) {
			person->grants[j] = person->grants[0];
			person->grants[j].until_ms =
			    world.now_ms + PEOPLE_DAY_MS;
		}
		person->n_grants = PEOPLE_GRANTS_MAX;
	}
	cdop__status_request__init(&request);
	world_call(
	    &world, WORLD_ADMIN_1, CDOP_CALL_Status, &request.base, &answer);
	status = world_body(&world, &answer, &cdop__status_reply__descriptor);
	assert_true(warns(status, " ends on "));
	assert_true(warns(status, "no backup was ever taken"));
	assert_true(warns(status, "nobody has co-signed the log"));
	assert_non_null(strstr(
	    status->warning[status->n_warning - 1], "and more of these"));
}

static Cdop__PeopleListReply *
list(const Cdop__PeopleListRequest *request)
{
	struct world_answer answer;

	world_call(&world, WORLD_AUDITOR, CDOP_CALL_PeopleList, &request->base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return world_body(
	    &world, &answer, &cdop__people_list_reply__descriptor);
}

static void
the_list_leaves_revoked_people_out_unless_asked(void **state)
{
	Cdop__PeopleListRequest request;
	Cdop__PeopleListReply *people;
	Cdop__RevokeRequest revoke;
	struct world_answer answer;

	(void)state;
	cdop__people_list_request__init(&request);
	people = list(&request);
	assert_int_equal(people->n_person, WORLD_N - 1);
	assert_int_equal(people->person[2]->number, 3);
	assert_int_equal(people->person[2]->n_device, 1);
	/* All of them were used. */
	assert_int_equal(people->n_invitation, 0);
	cdop__revoke_request__init(&revoke);
	revoke.person = 3;
	revoke.reason = text;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonRevoke, &revoke.base,
	    &answer);
	people = list(&request);
	assert_int_equal(people->n_person, WORLD_N - 2);
	assert_int_equal(people->person[2]->number, 4);
	request.has_all = true;
	request.all = true;
	people = list(&request);
	assert_int_equal(people->n_person, WORLD_N - 1);
	assert_int_equal(people->n_invitation, WORLD_N - 1);
	assert_int_equal(
	    people->person[2]->state, CDOP__PERSON_STATE__PERSON_REVOKED);
	request.has_after = true;
	request.after = WORLD_N - 2;
	assert_int_equal(list(&request)->n_person, 1);
}

/* ---- profile ----------------------------------------------------------- */

static void
a_proposal_is_compared_in_words_or_refused_by_line(void **state)
{
	Cdop__ProfileGetRequest get;
	Cdop__ProfileGetReply *profile;
	Cdop__ProfileDiffRequest request;
	Cdop__ProfileDiffReply *diff;
	struct world_answer answer;
	char broken[] = "nonsense\n";

	(void)state;
	cdop__profile_get_request__init(&get);
	world_call(&world, WORLD_PARTNER_WIRRAL, CDOP_CALL_ProfileGet,
	    &get.base, &answer);
	profile =
	    world_body(&world, &answer, &cdop__profile_get_reply__descriptor);
	assert_int_equal(profile->version, 1);
	cdop__profile_diff_request__init(&request);
	request.text = profile->text;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_ProfileDiff, &request.base,
	    &answer);
	diff =
	    world_body(&world, &answer, &cdop__profile_diff_reply__descriptor);
	assert_int_equal(diff->n_change, 0);
	assert_memory_equal(diff->hash.data, profile->hash.data, 32);
	request.text =
	    (ProtobufCBinaryData){sizeof(broken) - 1, (uint8_t *)broken};
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_ProfileDiff, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_non_null(strstr(answer.reply->message, "line 1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_person_is_invited_enrols_and_is_activated),
	    TEST(a_person_is_activated_by_number),
	    TEST(a_wrong_string_stays_counted_though_refused),
	    TEST(a_second_key_is_refused_and_flagged_for_good),
	    TEST(a_lost_invitation_reply_is_given_again),
	    TEST(what_is_wrong_with_an_invitation_is_named),
	    TEST(anybody_suspends_themselves_and_nobody_else),
	    TEST(revoking_counts_for_the_next_call),
	    TEST(whoever_waits_learns_who_they_are_and_little_else),
	    TEST(status_warns_about_people_worst_first),
	    TEST(what_is_about_many_comes_last),
	    TEST(the_list_leaves_revoked_people_out_unless_asked),
	    TEST(a_proposal_is_compared_in_words_or_refused_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
