/*
 * What administrators read before they decide about people: the list of them
 * and of invitations, and a change in words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
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

static Cdop__InviteReply *
invite_device(enum world_who whom)
{
	static char label[] = "laptop 2";
	Cdop__DeviceInviteRequest request;
	struct world_answer answer;

	cdop__device_invite_request__init(&request);
	request.person = (uint32_t)whom;
	request.label = label;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_DeviceInvite, &request.base,
	    &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return world_body(&world, &answer, &cdop__invite_reply__descriptor);
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

/* He would see nothing at all, and nobody would know why. */
static void
nobody_works_for_an_area_that_nobody_works_for(void **state)
{
	static char holding[] = "holding", *areas[] = {holding};
	Cdop__PersonInviteRequest request;
	Cdop__RoleGrant grant, *grants[1];
	struct world_answer answer;

	(void)state;
	people_calls_fill(&request, &grant, grants, CDOP__ROLE__COORDINATOR);
	request.all_areas = false;
	request.n_area = 1;
	request.area = areas;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_string_equal(answer.reply->reason, "area_holding");
	assert_string_equal(answer.reply->violation[0]->path, "area");
}

static void
invite_and_cancel(enum world_who whom)
{
	Cdop__InvitationCancelRequest cancel;
	struct world_answer answer;

	cdop__invitation_cancel_request__init(&cancel);
	cancel.invitation_id = invite_device(whom)->invitation_id;
	cancel.reason = text;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_InvitationCancel,
	    &cancel.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	cdop_arena_reset(world.arena);
}

/* Of all pages; *ret_left: that are said to be left out. */
static size_t
invitations(Cdop__PeopleListRequest *request, uint32_t *ret_left)
{
	const Cdop__PeopleListReply *page;
	size_t n = 0;

	*ret_left = 0;
	request->has_after = true;
	request->after = 0;
	do {
		page = list(request);
		n += page->n_invitation;
		*ret_left += page->more_invitations;
		assert_true(page->n_person > 0);
		request->after = page->person[page->n_person - 1]->number;
	} while (page->more);
	return n;
}

/* More that are over than a message holds hide none that waits. */
static void
an_invitation_that_waits_is_always_listed(void **state)
{
	Cdop__PeopleListRequest request;
	Cdop__PeopleListReply *people;
	Cdop__InviteReply *first;
	uint8_t id[16];
	uint32_t i, left;
	size_t n;

	(void)state;
	first = people_calls_invite(&world, WORLD_ADMIN_1, CDOP__ROLE__AUDITOR);
	memcpy(id, first->invitation_id.data, sizeof(id));
	/* With that which was used they fill a message. */
	for (i = 1; i < CDOP_LIST_MAX; i++)
		invite_and_cancel(WORLD_ANALYST);
	cdop__people_list_request__init(&request);
	people = list(&request);
	assert_int_equal(people->n_invitation, 1);
	assert_memory_equal(people->invitation[0]->invitation_id.data, id, 16);
	assert_string_equal(people->invitation[0]->state, "waiting");
	request.has_all = true;
	request.all = true;
	n = invitations(&request, &left);
	assert_true(n > CDOP_LIST_MAX + 1);
	assert_int_equal(left, 0);
	invite_and_cancel(WORLD_ANALYST);
	invite_and_cancel(WORLD_ANALYST);
	assert_int_equal(invitations(&request, &left), n);
	assert_int_equal(left, 2);
}

/* What somebody else reads of the change before it is approved. */
static const Cdop__Approval *
asked(Cdop__PersonChangeRequest *change)
{
	Cdop__ApprovalListRequest request;
	Cdop__ApprovalListReply *waits;
	struct world_answer answer;

	change->person = WORLD_COORDINATOR_WIRRAL;
	change->reason = text;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonChange, &change->base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	cdop__approval_list_request__init(&request);
	world_call(&world, WORLD_ADMIN_2, CDOP_CALL_ApprovalList, &request.base,
	    &answer);
	waits =
	    world_body(&world, &answer, &cdop__approval_list_reply__descriptor);
	assert_int_equal(waits->n_approval, 1);
	return waits->approval[0];
}

static void
the_second_person_reads_what_is_and_what_is_to_be(void **state)
{
	static char area[] = "sefton", *areas[] = {area}, title[] = "deputy";
	Cdop__PersonChangeRequest change;
	Cdop__RoleGrant grant, *grants[] = {&grant};
	const Cdop__Approval *a;

	(void)state;
	cdop__role_grant__init(&grant);
	grant.role = CDOP__ROLE__PARTNER;
	grant.has_from_ms = true;
	/* From the first moment of a day to that behind another, by the clock
	 * of the panel: summer time has begun. */
	grant.from_ms = 1845759600000; /* 2028-06-28 00:00 BST */
	grant.has_until_ms = true;
	grant.until_ms = 1846018800000; /* 2028-07-01 00:00 BST */
	cdop__person_change_request__init(&change);
	change.job_title = title;
	change.has_areas_set = true;
	change.areas_set = true;
	change.n_area = 1;
	change.area = areas;
	change.has_grants_set = true;
	change.grants_set = true;
	change.n_grant = 1;
	change.grant = grants;
	a = asked(&change);
	assert_int_equal(a->n_words, 6);
	assert_string_equal(a->words[1], "roles now: coordinator");
	assert_string_equal(
	    a->words[2], "job title now: none; from now on: deputy");
	assert_string_equal(
	    a->words[3], "areas now: wirral; from now on: sefton");
	assert_string_equal(a->words[4],
	    "roles from now on: partner from 2028-06-28 until 2028-06-30");
	assert_string_equal(a->words[5], "reason: as agreed");
}

/* No instant is so far away that it reads like a near one. */
static void
the_second_person_reads_that_a_role_does_not_end(void **state)
{
	Cdop__PersonChangeRequest change;
	Cdop__RoleGrant grant, *grants[] = {&grant};

	(void)state;
	cdop__role_grant__init(&grant);
	grant.role = CDOP__ROLE__PARTNER;
	grant.has_until_ms = true;
	/* Behind 2028-06-30, and 2^32 days. */
	grant.until_ms = ((UINT64_C(1) << 32) + 21366) * 86400000;
	cdop__person_change_request__init(&change);
	change.has_grants_set = true;
	change.grants_set = true;
	change.n_grant = 1;
	change.grant = grants;
	assert_string_equal(asked(&change)->words[2],
	    "roles from now on: partner until 9999-12-31");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nobody_works_for_an_area_that_nobody_works_for),
	    TEST(an_invitation_that_waits_is_always_listed),
	    TEST(the_second_person_reads_what_is_and_what_is_to_be),
	    TEST(the_second_person_reads_that_a_role_does_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
