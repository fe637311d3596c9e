/*
 * The profile is changed by two people, or not at all (RECORDS M14).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/profile.h"
#include "server/base/undo.h"
#include "server/registry/profile_act.h"
#include "server/vault/keystore.h"
#include "server/vault/rows.h"
#include "tests/unit/proto/sample_profile.h"
#include "tests/unit/server/world.h"

static struct world world;

static const char more[] = "\n[area man-north]\n"
			   "code = IM-N\n"
			   "name = Man North\n"
			   "jurisdiction = isle-of-man\n"
			   "calendar = isle-of-man\n"
			   "time_zone = Europe/London\n"
			   "legal_basis = a law of Man\n"
			   "contact = somebody\n"
			   "phone = 0151 496 0199\n"
			   "national_return = no\n"
			   "from = 2027-01-01\n";

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

/* The profile in force with one area more. */
static ProtobufCBinaryData
proposal(void)
{
	const char *text = sample_profile_text(world.arena);
	ProtobufCBinaryData out;

	out.data =
	    (uint8_t *)cdop_arena_printf(world.arena, "%s%s", text, more);
	assert_non_null(out.data);
	out.len = strlen((const char *)out.data);
	return out;
}

static void
ask(ProtobufCBinaryData text, uint64_t version, struct world_answer *answer)
{
	static char reason[] = "the north is its own area";
	Cdop__ProfileApplyRequest request;

	cdop__profile_apply_request__init(&request);
	request.text = text;
	request.version = version;
	request.reason = reason;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_ProfileApply, &request.base,
	    answer);
	assert_int_equal(answer->failed, CDOP_OK);
}

static Cdop__ApprovalListReply *
waiting(void)
{
	Cdop__ApprovalListRequest request;
	struct world_answer answer;

	cdop__approval_list_request__init(&request);
	world_call(&world, WORLD_ADMIN_2, CDOP_CALL_ApprovalList, &request.base,
	    &answer);
	return world_body(
	    &world, &answer, &cdop__approval_list_reply__descriptor);
}

static Cdop__Approval *
shown(void)
{
	Cdop__ApprovalListReply *list = waiting();

	assert_int_equal(list->n_approval, 1);
	return list->approval[0];
}

static void
approve(const Cdop__Approval *a, struct world_answer *answer)
{
	world_decide(&world, WORLD_ADMIN_2, a, true, NULL, answer);
}

static void
a_new_area_comes_into_force_with_its_key(void **state)
{
	struct world_answer answer;
	uint8_t hash[32];
	uint64_t key;

	(void)state;
	memcpy(hash, world.reg->profile_hash, 32);
	ask(proposal(), 1, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->has_approval);
	assert_null(cdop_profile_area(world.reg->profile, "man-north"));
	approve(shown(), &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_non_null(cdop_profile_area(world.reg->profile, "man-north"));
	assert_int_equal(world.reg->profile_version, 2);
	assert_memory_not_equal(hash, world.reg->profile_hash, 32);
	assert_true(keystore_epoch(world.ks, SCHEMA_AREA, "man-north", &key));
	world_reopen(&world);
	assert_non_null(cdop_profile_area(world.reg->profile, "man-north"));
	assert_int_equal(world.reg->profile_version, 2);
	assert_true(keystore_epoch(world.ks, SCHEMA_AREA, "man-north", &key));
}

/* An area of next year is no area to work for today. */
static void
nobody_works_for_an_area_that_is_not_in_force(void **state)
{
	static char north[] = "man-north", *areas[] = {north};
	static char name[] = "Nora Example", label[] = "laptop";
	Cdop__PersonInviteRequest request;
	Cdop__RoleGrant grant, *grants[] = {&grant};
	struct world_answer answer;

	(void)state;
	ask(proposal(), 1, &answer);
	approve(shown(), &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	cdop__role_grant__init(&grant);
	grant.role = CDOP__ROLE__COORDINATOR;
	cdop__person_invite_request__init(&request);
	request.name = name;
	request.label = label;
	request.n_area = 1;
	request.area = areas;
	request.n_grant = 1;
	request.grant = grants;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	assert_string_equal(answer.reply->reason, "area_ended");
	world.now_ms += 60 * 86400000ull;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonInvite, &request.base,
	    &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

static const Cdop__ProfileGetReply *
get_as(enum world_who who, uint64_t version, uint32_t want)
{
	Cdop__ProfileGetRequest request;
	struct world_answer answer;

	cdop__profile_get_request__init(&request);
	request.has_version = true;
	request.version = version;
	world_call(&world, who, CDOP_CALL_ProfileGet, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, want);
	return want != CDOP_OK
	    ? NULL
	    : world_body(&world, &answer, &cdop__profile_get_reply__descriptor);
}

static const Cdop__ProfileGetReply *
get(uint64_t version, uint32_t want)
{
	return get_as(WORLD_AUDITOR, version, want);
}

static void
what_was_in_force_before_is_kept(void **state)
{
	const Cdop__ProfileGetReply *one, *two;
	struct world_answer answer;
	uint8_t hash[32];

	(void)state;
	memcpy(hash, world.reg->profile_hash, 32);
	assert_null(get(2, CDOP_NOT_FOUND));
	ask(proposal(), 1, &answer);
	approve(shown(), &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	world_reopen(&world);
	one = get(1, CDOP_OK);
	assert_int_equal(one->version, 1);
	assert_memory_equal(one->hash.data, hash, 32);
	assert_int_equal(one->n_person, 0);
	two = get(2, CDOP_OK);
	assert_memory_equal(two->hash.data, world.reg->profile_hash, 32);
	assert_true(two->text.len > one->text.len);
	assert_string_equal(two->reason, "the north is its own area");
	assert_int_equal(two->n_person, 2);
	assert_int_equal(two->person[0], WORLD_ADMIN_1);
	assert_int_equal(two->person[1], WORLD_ADMIN_2);
	assert_int_equal(two->n_person_name, 2);
	assert_string_equal(two->person_name[0], world_name(WORLD_ADMIN_1));
	assert_string_equal(two->person_name[1], world_name(WORLD_ADMIN_2));
	/* A partner needs the profile, and no names of staff. */
	assert_int_equal(
	    get_as(WORLD_PARTNER_WIRRAL, 2, CDOP_OK)->n_person_name, 0);
	assert_null(get(3, CDOP_NOT_FOUND));
}

static void
what_was_in_force_cannot_be_taken_away(void **state)
{
	struct world_answer answer;
	ProtobufCBinaryData text = proposal();
	char *area;

	(void)state;
	area = strstr((char *)text.data, "[area sefton]");
	assert_non_null(area);
	memcpy(area, "[area seften]", 13);
	ask(text, 1, &answer);
	assert_int_equal(answer.reply->status == CDOP_FAILED_PRECONDITION ||
		answer.reply->status == CDOP_INVALID_ARGUMENT,
	    1);
	assert_true(answer.reply->n_violation > 0);
	assert_false(answer.reply->has_approval);
}

static void
a_proposal_compared_with_an_older_one_is_refused(void **state)
{
	struct world_answer answer;

	(void)state;
	ask(proposal(), 0, &answer);
	assert_int_equal(answer.reply->status, CDOP_ABORTED);
	assert_string_equal(answer.reply->reason, "version");
}

static void
of_two_proposals_the_second_is_void_after_the_first(void **state)
{
	struct world_answer answer;
	Cdop__Approval *one, *two;
	ProtobufCBinaryData other;

	(void)state;
	ask(proposal(), 1, &answer);
	one = shown();
	other = proposal();
	other.data = (uint8_t *)cdop_arena_printf(
	    world.arena, "%s\n# and a word more\n", (char *)other.data);
	other.len = strlen((const char *)other.data);
	world.now_ms += 1000;
	ask(other, 1, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	approve(one, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	two = shown();
	approve(two, &answer);
	assert_int_equal(answer.reply->status, CDOP_ABORTED);
	assert_int_equal(world.reg->profile_version, 2);
}

static void
an_aborted_batch_leaves_the_old_profile(void **state)
{
	const ProtobufCBinaryData text = proposal();
	const struct profile_act_by by = {.now_ms = world.now_ms};
	struct profile_act_proposal read;
	uint8_t hash[32];
	uint64_t key;

	(void)state;
	memcpy(hash, world.reg->profile_hash, 32);
	assert_int_equal(
	    profile_act_read(world.reg,
		(struct cdop_bytes){text.data, text.len}, world.arena, &read),
	    CDOP_OK);
	world_begin(&world, 8u << 20, 64);
	assert_int_equal(
	    profile_act_apply(world.reg, world.arena, &read, &by), CDOP_OK);
	assert_non_null(cdop_profile_area(world.reg->profile, "man-north"));
	rows_abort(world.rows);
	undo_rollback(world.undo);
	assert_null(cdop_profile_area(world.reg->profile, "man-north"));
	assert_int_equal(world.reg->profile_version, 1);
	assert_memory_equal(hash, world.reg->profile_hash, 32);
	assert_null(get(2, CDOP_NOT_FOUND));
	assert_false(keystore_epoch(world.ks, SCHEMA_AREA, "man-north", &key));
}

/* Twenty areas with a long word each; blank lines up to a length. */
static ProtobufCBinaryData
long_words(char letter, size_t len)
{
	char words[901];
	char *text = sample_profile_text(world.arena);
	ProtobufCBinaryData out;
	unsigned i;

	memset(words, letter, 900);
	words[900] = '\0';
	for (i = 0; i < 20; i++) {
		text = cdop_arena_printf(world.arena,
		    "%s\n[area north-%u]\ncode = N-%u\nname = North %u\n"
		    "jurisdiction = isle-of-man\ncalendar = isle-of-man\n"
		    "time_zone = Europe/London\nlegal_basis = %s\n"
		    "contact = somebody\nphone = 0151 496 0199\n"
		    "national_return = no\n",
		    text, i, i, i, words);
		assert_non_null(text);
	}
	out.len = len > strlen(text) ? len : strlen(text);
	out.data = cdop_arena_alloc(world.arena, out.len);
	assert_non_null(out.data);
	memset(out.data, '\n', out.len);
	memcpy(out.data, text, strlen(text));
	return out;
}

/* Else whoever may ask for a profile could keep every act of two waiting. */
static void
what_waits_can_be_listed_however_long_it_is(void **state)
{
	struct world_answer answer;
	size_t i;

	(void)state;
	ask(long_words('a', 0), 1, &answer);
	approve(shown(), &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	cdop_arena_reset(world.arena);
	ask(long_words('b', (size_t)960 << 10), 2, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_int_equal(shown()->n_words, 16);
	cdop_arena_reset(world.arena);
	ask(long_words('b', ((size_t)960 << 10) + 1), 2, &answer);
	assert_int_equal(answer.reply->status, CDOP_INVALID_ARGUMENT);
	for (i = 0; i < 24; i++) {
		cdop_arena_reset(world.arena);
		ask(long_words('c', 1), 2, &answer);
		assert_int_equal(answer.reply->status, CDOP_OK);
	}
	assert_true(waiting()->n_approval > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_new_area_comes_into_force_with_its_key),
	    TEST(nobody_works_for_an_area_that_is_not_in_force),
	    TEST(what_was_in_force_before_is_kept),
	    TEST(what_was_in_force_cannot_be_taken_away),
	    TEST(a_proposal_compared_with_an_older_one_is_refused),
	    TEST(of_two_proposals_the_second_is_void_after_the_first),
	    TEST(an_aborted_batch_leaves_the_old_profile),
	    TEST(what_waits_can_be_listed_however_long_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
