/*
 * What is kept beside the owner of a case from its first day (RECORDS M3):
 * jurisdiction and basis of the review as they were then, not as the profile
 * of today has them, and every other area that has to do with the child.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/cases.h"
#include "server/registry/profile_act.h"
#include "server/store/schema.h"
#include "server/vault/keystore.h"
#include "server/vault/rows.h"
#include "tests/unit/proto/sample_profile.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void
begin(void)
{
	world_begin(&w, 8u << 20, 64);
}

static void
commit(void)
{
	assert_int_equal(rows_commit(w.rows), CDOP_OK);
	undo_commit(w.undo);
}

/* Wirral joins the Isle of Man, as far as the profile is concerned. */
static void
turn_wirral(void)
{
	static const char basis[] = "review_basis = resident";
	const struct profile_act_by by = {.now_ms = w.now_ms};
	struct profile_act_proposal read;
	char *text = sample_profile_text(w.arena), *at;

	at = strstr(text, "[area wirral]");
	assert_non_null(at);
	at = strstr(at, "jurisdiction = england");
	assert_non_null(at);
	memcpy(at, "jurisdiction = man    ", 22);
	at = strstr(at, basis);
	assert_non_null(at);
	memcpy(at, "review_basis = enquiry ", sizeof(basis) - 1);
	begin();
	assert_int_equal(
	    profile_act_read(w.reg,
		(struct cdop_bytes){(const uint8_t *)text, strlen(text)},
		w.arena, &read),
	    CDOP_OK);
	assert_int_equal(read.diff.n_refusal, 0);
	assert_int_equal(
	    profile_act_apply(w.reg, w.arena, &read, &by), CDOP_OK);
	commit();
}

static Cdop__Case *
show(const char *reference)
{
	return calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
}

/* The newest entry of the log about a case, and what it says of it. */
static const Cdop__Released *
newest(const char *reference)
{
	const Cdop__AuditEntry *entry = calls_newest(&w, reference);

	assert_int_equal(entry->n_released, 1);
	return entry->released[0];
}

static Cdop__ChangeReply *
own(const char *reference, uint64_t version, const char *area)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = version;
	request.area = calls_text(&w, area);
	request.reason = calls_text(&w, "the grandmother's address");
	return calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
}

static void
a_later_profile_changes_no_case_that_is_there(void **state)
{
	char *old, *young;
	Cdop__Case *found;

	(void)state;
	old = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 1, "wirral"));
	turn_wirral();
	young = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 2, "wirral"));
	world_reopen(&w);
	found = show(old);
	assert_string_equal(found->jurisdiction, "england");
	assert_string_equal(found->review_basis, "resident");
	assert_string_equal(newest(old)->jurisdiction, "england");
	found = show(young);
	assert_string_equal(found->jurisdiction, "man");
	assert_string_equal(found->review_basis, "enquiry");
	assert_string_equal(newest(young)->jurisdiction, "man");

	/* Another change of the state takes neither from today's profile. */
	(void)own(old, 1, "sefton");
	(void)own(old, 2, "wirral");
	found = show(old);
	assert_string_equal(found->jurisdiction, "man");
	assert_string_equal(found->review_basis, "enquiry");
}

static void
an_owner_brings_jurisdiction_and_basis(void **state)
{
	char *reference;
	Cdop__Case *found;

	(void)state;
	reference = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 3, "#nk"));
	found = show(reference);
	assert_string_equal(found->owner_area, "holding");
	assert_string_equal(found->review_basis, "enquiry");
	assert_string_equal(found->jurisdiction, "england");
	assert_string_equal(own(reference, 1, "isle-of-man")->word[0],
	    "owner is now Isle of Man");
	assert_string_equal(newest(reference)->jurisdiction, "isle-of-man");
	world_reopen(&w);
	found = show(reference);
	assert_string_equal(found->review_basis, "isle_of_man");
	assert_string_equal(found->jurisdiction, "isle-of-man");
}

/* Case keys that this area's epoch key wraps. */
static size_t
keys_of(const char *area)
{
	const struct keystore_entry *entry;
	uint64_t id, epoch;
	size_t n = 0;

	assert_true(keystore_epoch(w.ks, SCHEMA_AREA, area, &epoch));
	for (id = 1; id < 400; id++) {
		entry = keystore_find(w.ks, (uint64_t)1 << 48 | id);
		if (entry == NULL || entry->scope != SCHEMA_CASE ||
		    entry->wrapped_by != epoch)
			continue;
		assert_string_equal(keystore_area(w.ks, entry->area), area);
		n++;
	}
	return n;
}

/* Whoever has one area's epoch key opens the cases of that area alone. */
static void
the_key_of_a_case_goes_with_its_owner(void **state)
{
	char *reference;

	(void)state;
	reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 7, "wirral"));
	assert_int_equal(keys_of("wirral"), 1);
	assert_int_equal(keys_of("sefton"), 0);
	(void)own(reference, 1, "sefton");
	assert_int_equal(keys_of("wirral"), 0);
	assert_int_equal(keys_of("sefton"), 1);
	world_reopen(&w);
	assert_int_equal(keys_of("wirral"), 0);
	assert_int_equal(keys_of("sefton"), 1);
	assert_string_equal(show(reference)->owner_area, "sefton");
}

static void
what_the_record_states_decides_the_basis(void **state)
{
	Cdop__Form *form = world_form(&w, 4, "liverpool");
	Cdop__ChangeReply *reply;
	char *reference;
	Cdop__Case *found;

	(void)state;
	calls_put(&w, form, "scope.review_basis", "discretion");
	reference = calls_new(&w, WORLD_COORDINATOR, form);
	assert_string_equal(show(reference)->review_basis, "discretion");
	reply = own(reference, 1, "isle-of-man");
	assert_non_null(strstr(reply->word[0], "another basis"));
	found = show(reference);
	assert_string_equal(found->review_basis, "discretion");
	assert_string_equal(found->jurisdiction, "isle-of-man");

	/* Amended, it is an event of the case; emptied, the area's counts. */
	(void)calls_amend(
	    &w, reference, 1, "scope.review_basis", "enquiry", NULL, CDOP_OK);
	found = show(reference);
	assert_string_equal(found->review_basis, "enquiry");
	assert_int_equal(found->version, 3);
	(void)calls_amend(
	    &w, reference, 2, NULL, NULL, "scope.review_basis", CDOP_OK);
	world_reopen(&w);
	found = show(reference);
	assert_string_equal(found->review_basis, "isle_of_man");
	assert_int_equal(found->version, 4);
	/* Other amendments leave the state alone. */
	(void)calls_amend(&w, reference, 3, "child.sex", "2", NULL, CDOP_OK);
	assert_int_equal(show(reference)->version, 4);
}

/* As a program wrote it that kept neither. */
static void
make_old(const char *reference)
{
	const struct actor nobody = {0};
	struct cases_change change;
	struct cases_act act;
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	uint32_t slot;
	Cdop__StoredCase *stored;

	cases_act_init(&act, w.reg->cases, w.arena, &nobody, w.now_ms);
	assert_int_equal(
	    cdop_reference_parse(reference, true, text, &number), CDOP_OK);
	assert_true(index_by_case(act.index, number + 1, &slot));
	begin();
	assert_int_equal(cases_read_state(&act, slot, &stored), CDOP_OK);
	stored->review_basis = NULL;
	stored->jurisdiction = NULL;
	cases_change_init(&act, slot, &change);
	change.state = stored;
	change.keeps_version = true;
	assert_int_equal(cases_store(&act, &change), CDOP_OK);
	commit();
}

static void
a_case_of_an_earlier_version_says_what_is_known(void **state)
{
	char *reference;
	Cdop__Case *found;

	(void)state;
	reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 5, "isle-of-man"));
	make_old(reference);
	world_reopen(&w);
	found = show(reference);
	assert_string_equal(found->jurisdiction, "isle-of-man");
	assert_null(found->review_basis);
	assert_string_equal(newest(reference)->jurisdiction, "isle-of-man");
	(void)own(reference, 1, "sefton");
	found = show(reference);
	assert_string_equal(found->jurisdiction, "england");
	assert_string_equal(found->review_basis, "resident");
}

static void
every_area_of_the_child_is_kept_beside_the_owner(void **state)
{
	static const char *const areas[][2] = {{"area.death", "liverpool"},
	    {"area.event", "halton"}, {"area.registration", "st-helens"},
	    {"area.placing", "knowsley"}};
	Cdop__Form *form = world_form(&w, 6, "wirral");
	Cdop__CaseInterestRequest interest;
	const Cdop__Form *record;
	char *reference;
	Cdop__Case *found;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(areas) / sizeof(*areas); i++)
		calls_put(&w, form, areas[i][0], areas[i][1]);
	reference = calls_new(&w, WORLD_COORDINATOR, form);
	cdop__case_interest_request__init(&interest);
	interest.reference = reference;
	interest.version = 1;
	interest.area = calls_text(&w, "sefton");
	interest.known = true;
	interest.reason = calls_text(&w, "placed by them");
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseInterest,
	    &interest.base, CDOP_OK);
	/* None of them moves the owner, neither now nor amended. */
	(void)calls_amend(
	    &w, reference, 1, "area.placing", "sefton", NULL, CDOP_OK);
	world_reopen(&w);
	found = show(reference);
	assert_string_equal(found->owner_area, "wirral");
	assert_int_equal(found->n_interested, 1);
	assert_string_equal(found->interested[0]->area, "sefton");
	assert_string_equal(found->interested[0]->reason, "placed by them");
	record = found->record->form;
	assert_string_equal(record->area->death, "liverpool");
	assert_string_equal(record->area->event, "halton");
	assert_string_equal(record->area->registration, "st-helens");
	assert_string_equal(record->area->placing, "sefton");
	assert_string_equal(
	    found->notification[0]->form->area->placing, "knowsley");
}

static void
a_neighbours_child_is_taken_and_forwarded(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 7, "halton")};
	Cdop__NotificationRegisterReply *reply;
	Cdop__Case *found;

	(void)state;
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_int_equal(reply->n_forward_to, 2);
	assert_string_equal(reply->forward_to[0], "Pan-Cheshire CDOP");
	assert_string_equal(reply->forward_to[1], "0151 496 0201");
	found = show(reply->reference);
	assert_string_equal(found->owner_area, "holding");
	assert_string_equal(found->owner_reason, "to forward: lived in Halton");
	assert_string_equal(found->record->form->area->residence, "halton");
}

/* Which groups of what is missing a reply has. */
static bool
wants(Cdop__Missing *const *missing, size_t n, const char *when)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(missing[i]->when, when) == 0)
			return true;
	return false;
}

static void
nothing_is_wanted_for_a_return_that_the_area_has_no_part_in(void **state)
{
	static const char *const areas[] = {"wirral", "isle-of-man"};
	struct calls_tell tell = {.n_decision = 0};
	Cdop__NotificationRegisterReply *told;
	Cdop__ChangeReply *changed;
	Cdop__Case *found;
	const char *reference;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		tell.form = world_form(&w, 60 + i, areas[i]);
		told = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
		reference = calls_text(&w, told->reference);
		assert_int_equal(
		    wants(told->missing, told->n_missing, "return"), i == 0);
		changed = calls_amend(&w, reference, 1, "child.first_names",
		    "Other", NULL, CDOP_OK);
		assert_int_equal(
		    wants(changed->missing, changed->n_missing, "return"),
		    i == 0);
		found = show(reference);
		assert_true(
		    wants(found->missing, found->n_missing, "agencies"));
		assert_int_equal(
		    wants(found->missing, found->n_missing, "return"), i == 0);
	}
	/* With a new owner it is another matter. */
	(void)own(reference, 1, "wirral");
	found = show(reference);
	assert_true(wants(found->missing, found->n_missing, "return"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Cases that nobody works now. */
static const Cdop__CaseListReply *
to_hand_over(enum world_who who)
{
	Cdop__CaseListRequest request;
	struct world_answer answer;

	cdop__case_list_request__init(&request);
	request.has_handover = true;
	request.handover = true;
	world_call(&w, who, CDOP_CALL_CaseList, &request.base, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return world_body(&w, &answer, &cdop__case_list_reply__descriptor);
}

/* Whoever was responsible may not see it any more: it says so. */
static void
a_new_owner_leaves_nobody_responsible(void **state)
{
	char *reference =
	    calls_new(&w, WORLD_COORDINATOR, world_form(&w, 77, "wirral"));
	Cdop__CaseResponsibleRequest request;
	Cdop__CaseOwnerRequest owner;

	(void)state;
	cdop__case_responsible_request__init(&request);
	request.reference = reference;
	request.version = 1;
	request.has_person = true;
	request.person = WORLD_COORDINATOR_WIRRAL;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, CDOP_OK);
	assert_false(calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK)
			 ->responsible_gone);
	assert_int_equal(to_hand_over(WORLD_COORDINATOR)->n_case_, 0);
	cdop__case_owner_request__init(&owner);
	owner.reference = reference;
	owner.version = 2;
	owner.area = calls_text(&w, "sefton");
	owner.reason = calls_text(&w, "lived there");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &owner.base, CDOP_OK);
	assert_true(calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK)
			->responsible_gone);
	assert_int_equal(to_hand_over(WORLD_COORDINATOR)->n_case_, 1);
	assert_string_equal(
	    to_hand_over(WORLD_COORDINATOR)->case_[0]->reference, reference);
	assert_int_equal(to_hand_over(WORLD_COORDINATOR_WIRRAL)->n_case_, 0);
	request.version = 3;
	(void)calls_change(&w, WORLD_COORDINATOR, CDOP_CALL_CaseResponsible,
	    &request.base, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "person.unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_later_profile_changes_no_case_that_is_there),
	    TEST(an_owner_brings_jurisdiction_and_basis),
	    TEST(the_key_of_a_case_goes_with_its_owner),
	    TEST(what_the_record_states_decides_the_basis),
	    TEST(a_case_of_an_earlier_version_says_what_is_known),
	    TEST(every_area_of_the_child_is_kept_beside_the_owner),
	    TEST(a_neighbours_child_is_taken_and_forwarded),
	    TEST(a_new_owner_leaves_nobody_responsible),
	    TEST(nothing_is_wanted_for_a_return_that_the_area_has_no_part_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
