/*
 * Notifications through dispatch: what is kept, what is asked, who is told
 * what, and which area owns the child.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/form.h"
#include "cdop/role.h"
#include "server/base/undo.h"
#include "server/registry/cases_register.h"
#include "server/registry/index.h"
#include "server/vault/rows.h"
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

static uint32_t
cases_now(void)
{
	return index_count(cases_index(w.reg->cases));
}

/* ---- kept whole ---------------------------------------------------------- */

static void
a_notification_is_kept_and_shown_with_its_sources(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 1, "wirral")};
	Cdop__Case *found;
	size_t i;

	(void)state;
	calls_put(&w, tell.form, "death.time", "08:05");
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_string_equal(reply->owner_area, "wirral");
	assert_string_equal(reply->owner_words, "Wirral");
	assert_string_equal(reply->timing,
	    "told 26 h 10 min after death (24 h asked, 48 h limit in this "
	    "profile)");
	assert_int_equal(reply->notification, 1);
	assert_int_equal(reply->version, 1);
	assert_int_equal(strncmp(reply->reference, "T-", 2), 0);
	assert_true(reply->n_missing > 0);

	found = calls_show(&w, WORLD_COORDINATOR, reply->reference, CDOP_OK);
	assert_string_equal(found->status, "received");
	assert_string_equal(found->jurisdiction, "england");
	assert_int_equal(found->n_notification, 1);
	assert_string_equal(
	    found->notification[0]->form->notifier->name, "Dr Sample");
	assert_null(found->record->form->notifier);
	assert_null(found->record->form->received);
	assert_string_equal(found->record->form->child->first_names, "Testa");
	assert_true(found->record->n_value_source >= 10);
	for (i = 0; i < found->record->n_value_source; i++)
		assert_string_equal(
		    found->record->value_source[i]->source, "notification 1");
	assert_int_equal(found->n_difference, 0);
}

static void
awkward_children_are_taken_as_they_are(void **state)
{
	static const char *const names[][2] = {{"Null", "None"},
	    {"Na", "Unknown"}, {"O\xe2\x80\x99Shea", "Se\xc3\xa1n"},
	    {"\xd9\x85\xd8\xad\xd9\x85\xd8\xaf",
		"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"},
	    {"\xe2\x80\x8f\xd8\xb9\xd9\x84\xd9\x8a", "Ali"}};
	char *references[5];
	Cdop__Form *form;
	Cdop__Case *found;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		form = world_form(&w, 20 + (unsigned)i, "sefton");
		calls_put(&w, form, "child.family_name", names[i][0]);
		calls_put(&w, form, "child.first_names", names[i][1]);
		references[i] = calls_new(&w, WORLD_COORDINATOR, form);
	}
	world_reopen(&w);
	for (i = 0; i < 5; i++) {
		found =
		    calls_show(&w, WORLD_COORDINATOR, references[i], CDOP_OK);
		assert_string_equal(found->record->form->child->family_name,
		    found->notification[0]->form->child->family_name);
		assert_true(calls_find(&w, WORLD_COORDINATOR, names[i][0],
				"2024-05-14") > 0);
	}
	assert_int_equal(calls_find(&w, WORLD_COORDINATOR, "oshea", "2024"), 1);
}

static void
two_hundred_characters_are_a_name(void **state)
{
	char name[801], *p = name;
	Cdop__Form *form = world_form(&w, 30, "wirral");
	size_t i;

	(void)state;
	for (i = 0; i < 200; i++, p += 3)
		memcpy(p, "\xe1\xb8\x81", 3); /* a with a ring below */
	*p = '\0';
	calls_put(&w, form, "child.family_name", name);
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	assert_int_equal(
	    calls_find(&w, WORLD_COORDINATOR, name, "2024-05-14"), 1);
}

static void
a_baby_of_minutes_without_name_or_number(void **state)
{
	Cdop__Form *form = world_form(&w, 31, "wirral");
	struct calls_tell tell = {.form = form};
	Cdop__NotificationRegisterReply *reply;

	(void)state;
	calls_put(&w, form, "child.name_kind", "baby_of");
	calls_put(&w, form, "child.family_name", "#nk");
	calls_put(&w, form, "child.first_names", "");
	calls_put(&w, form, "child.nhs_number", "");
	calls_put(&w, form, "mother.family_name", "Tarrant");
	calls_put(&w, form, "birth.date", "2026-11-21");
	calls_put(&w, form, "birth.time", "08:00");
	calls_put(&w, form, "death.date", "2026-11-21");
	calls_put(&w, form, "death.time", "08:07");
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_non_null(reply->reference);

	/* The same baby by the registrar: the mother's name stands for it. */
	calls_put(&w, form, "mother.family_name", "TARRANT");
	calls_put(&w, form, "death.date", "2026-11-22");
	reply =
	    calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "possible_duplicate");
	assert_int_equal(reply->n_candidate, 1);
	assert_string_equal(
	    reply->candidate[0]->reason[0], "mother's name, date of birth +0");
	assert_string_equal(
	    reply->candidate[0]->reason[1], "mother's name, date of death +1");

	/* And once the child has been named. */
	calls_put(&w, form, "child.name_kind", "known");
	calls_put(&w, form, "child.family_name", "Tarrant");
	calls_put(&w, form, "child.first_names", "Ann");
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
}

/* ---- whose ----------------------------------------------------------------
 */

static void
residence_decides_and_nothing_else_does(void **state)
{
	static const char *const cells[][3] = {
	    {"knowsley", "knowsley", "Knowsley"},
	    {"liverpool", "liverpool", "Liverpool"},
	    {"sefton", "sefton", "Sefton"},
	    {"st-helens", "st-helens", "St Helens"},
	    {"wirral", "wirral", "Wirral"},
	    {"isle-of-man", "isle-of-man", "Isle of Man"},
	    {"#nk", "holding", "Holding (residence not known)"},
	    {"not_known", "holding", "Holding (residence not known)"},
	    {"abroad", "holding", "Holding (Abroad)"},
	    {"no_fixed_abode", "holding", "Holding (No fixed abode)"},
	    {"scotland", "holding", "Holding (Scotland)"},
	    {"halton", "holding", "Holding (to forward: lived in Halton)"},
	};
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {0};
	Cdop__Case *found;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		tell.form = world_form(&w, 40 + (unsigned)i, cells[i][0]);
		/* A postcode of Liverpool says nothing about the owner. */
		calls_put(&w, tell.form, "child.postcode", "L1 8JQ");
		reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
		assert_string_equal(reply->owner_area, cells[i][1]);
		assert_string_equal(reply->owner_words, cells[i][2]);
		assert_int_equal(reply->n_forward_to,
		    strcmp(cells[i][0], "halton") == 0 ? 2 : 0);
		found = calls_show(
		    &w, WORLD_COORDINATOR, reply->reference, CDOP_OK);
		assert_string_equal(found->owner_area, cells[i][1]);
		assert_string_equal(found->jurisdiction,
		    strcmp(cells[i][1], "isle-of-man") == 0 ? "isle-of-man"
							    : "england");
	}
}

static void
an_owner_may_be_stated_only_where_residence_is_silent(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 60, "wirral"),
	    .owner_area = "sefton",
	    .owner_reason = "placed there"};

	(void)state;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "owner.residence");
	tell.form = world_form(&w, 60, "#nk");
	tell.owner_reason = NULL;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "reason.needed");
	tell.owner_area = "atlantis";
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "owner.unknown");
	tell.owner_area = "sefton";
	tell.owner_reason = "placed there";
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_string_equal(reply->owner_area, "sefton");
}

static void
the_holding_area_is_for_all_areas_and_who_registered_it(void **state)
{
	char *mine, *theirs;

	(void)state;
	mine =
	    calls_new(&w, WORLD_COORDINATOR_WIRRAL, world_form(&w, 61, "#nk"));
	theirs = calls_new(&w, WORLD_COORDINATOR, world_form(&w, 62, "#nk"));
	(void)calls_show(&w, WORLD_COORDINATOR_WIRRAL, mine, CDOP_OK);
	(void)calls_show(&w, WORLD_COORDINATOR, mine, CDOP_OK);
	(void)calls_show(&w, WORLD_COORDINATOR_WIRRAL, theirs, CDOP_NOT_FOUND);
	assert_true(calls_lists(&w, WORLD_COORDINATOR_WIRRAL, mine));
	assert_false(calls_lists(&w, WORLD_COORDINATOR_WIRRAL, theirs));
}

static void
a_death_abroad_is_told_in_days(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 63, "wirral")};

	(void)state;
	calls_put(&w, tell.form, "area.death", "abroad");
	calls_put(&w, tell.form, "death.time", "23:50");
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_string_equal(reply->timing, "told 1 day after death");
}

/* ---- the question ---------------------------------------------------------
 */

static void
the_same_number_is_asked_about_and_nothing_is_written(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 70, "wirral")};
	char *first;
	uint32_t n;

	(void)state;
	first = calls_new(&w, WORLD_COORDINATOR, tell.form);
	n = cases_now();
	calls_put(&w, tell.form, "child.family_name", "Otherwise");
	reply =
	    calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	assert_string_equal(calls_reason(), "possible_duplicate");
	assert_int_equal(reply->n_candidate, 1);
	assert_string_equal(reply->candidate[0]->reference, first);
	assert_string_equal(reply->candidate[0]->reason[0], "same NHS number");
	assert_null(reply->reference);
	assert_int_equal(cases_now(), n);
}

static void
joining_changes_nothing_until_somebody_decides(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 71, "wirral")};
	Cdop__Case *found;
	char *first;

	(void)state;
	first = calls_new(&w, WORLD_COORDINATOR, tell.form);
	calls_put(&w, tell.form, "birth.date", "2024-05-15");
	calls_put(&w, tell.form, "notifier.name", "The Registrar");
	tell.decision[0] =
	    calls_decision(&w, first, CDOP__DECISION__JOIN, "the same child");
	tell.n_decision = 1;
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_true(reply->joined);
	assert_string_equal(reply->reference, first);
	assert_int_equal(reply->notification, 2);
	assert_int_equal(reply->version, 1);
	assert_int_equal(reply->n_difference, 1);
	assert_string_equal(reply->difference[0], "birth.date");

	found = calls_show(&w, WORLD_COORDINATOR, first, CDOP_OK);
	assert_int_equal(found->n_notification, 2);
	assert_int_equal(found->record->version, 1);
	assert_int_equal(found->record->form->birth->date->day, 14);
	assert_int_equal(found->n_difference, 1);
	assert_string_equal(found->difference[0], "notification 2 birth.date");

	/* Deciding for what stands there is a decision too. */
	w.now_ms += 1000;
	(void)calls_amend(
	    &w, first, 1, "birth.date", "2024-05-14", NULL, CDOP_OK);
	found = calls_show(&w, WORLD_COORDINATOR, first, CDOP_OK);
	assert_int_equal(found->record->version, 2);
	assert_int_equal(found->n_difference, 0);
}

/* Twins: same family, birth, sex, postcode; only the order differs. */
static void
twins_are_asked_about_once(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {.form = world_form(&w, 72, "wirral")};
	char *one, *two;
	Cdop__Case *found;

	(void)state;
	calls_put(&w, tell.form, "birth.multiplicity", "2");
	calls_put(&w, tell.form, "birth.order", "1");
	one = calls_new(&w, WORLD_COORDINATOR, tell.form);
	calls_put(&w, tell.form, "child.nhs_number", "");
	calls_put(&w, tell.form, "child.first_names", "Testb");
	calls_put(&w, tell.form, "birth.order", "2");
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
	tell.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_SIBLING, "twin");
	tell.n_decision = 1;
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	two = reply->reference;
	assert_string_not_equal(one, two);
	assert_false(reply->joined);

	/* The link has two sides and a kind. */
	found = calls_show(&w, WORLD_COORDINATOR, one, CDOP_OK);
	assert_int_equal(found->n_link, 1);
	assert_string_equal(found->link[0]->kind, "multiple_birth");
	assert_string_equal(found->link[0]->reference, two);
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_string_equal(found->link[0]->reference, one);

	/* A second word about twin two: only one question, not two. */
	tell.decision[0] = calls_decision(
	    &w, two, CDOP__DECISION__JOIN, "the registrar's sheet");
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_string_equal(reply->reference, two);
	found = calls_show(&w, WORLD_COORDINATOR, two, CDOP_OK);
	assert_int_equal(found->n_link, 1);
}

static void
a_decision_needs_a_reason_and_fits_its_case(void **state)
{
	struct calls_tell tell = {.form = world_form(&w, 73, "wirral")};
	char *one;

	(void)state;
	one = calls_new(&w, WORLD_COORDINATOR, tell.form);
	tell.n_decision = 1;
	tell.decision[0] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_OTHER, " \t");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "reason.needed");
	tell.decision[0] =
	    calls_decision(&w, "K7M4", CDOP__DECISION__JOIN, "why");
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "reference.check");
	tell.decision[0] = calls_decision(&w, one, CDOP__DECISION__JOIN, "why");
	tell.decision[1] =
	    calls_decision(&w, one, CDOP__DECISION__NEW_OTHER, "why");
	tell.n_decision = 2;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_INVALID_ARGUMENT);
	assert_string_equal(calls_rule(), "decision.twice");
}

/* TRUST M14: nothing tells a coordinator of another area. */
static void
a_child_known_elsewhere_is_taken_in_silence(void **state)
{
	Cdop__NotificationRegisterReply *reply, *fresh;
	struct calls_tell tell = {.form = world_form(&w, 74, "sefton")};
	struct calls_tell other = {.form = world_form(&w, 75, "wirral")};
	Cdop__DuplicatePairsRequest ask;
	Cdop__DuplicatePairsReply *pairs;
	Cdop__CaseLinkRequest link;
	struct world_answer answer;
	char *sefton, *wirral;
	size_t size;
	Cdop__Case *found;

	(void)state;
	sefton = calls_new(&w, WORLD_COORDINATOR, tell.form);
	fresh = calls_tell(&w, WORLD_COORDINATOR_WIRRAL, &other, CDOP_OK);
	size = calls_answer()->result.reply.len;
	tell.form = world_form(&w, 74, "wirral");
	reply = calls_tell(&w, WORLD_COORDINATOR_WIRRAL, &tell, CDOP_OK);
	assert_int_equal(calls_answer()->result.reply.len, size);
	assert_int_equal(reply->n_candidate, 0);
	assert_int_equal(reply->n_missing, fresh->n_missing);
	assert_string_not_equal(reply->reference, sefton);
	wirral = reply->reference;
	found = calls_show(&w, WORLD_COORDINATOR_WIRRAL, wirral, CDOP_OK);
	assert_int_equal(found->n_link, 0);

	/* The pair is for those who work for both. */
	cdop__duplicate_pairs_request__init(&ask);
	world_call(&w, WORLD_COORDINATOR_WIRRAL, 54, &ask.base, &answer);
	pairs =
	    world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
	assert_int_equal(pairs->n_pair, 0);
	world_call(&w, WORLD_COORDINATOR, 54, &ask.base, &answer);
	pairs =
	    world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
	assert_int_equal(pairs->n_pair, 1);
	assert_string_equal(pairs->pair[0]->one, wirral);
	assert_string_equal(pairs->pair[0]->other, sefton);
	assert_string_equal(pairs->pair[0]->reason[0], "same NHS number");

	/* And gone once it is decided, also after a start. */
	cdop__case_link_request__init(&link);
	link.reference = sefton;
	link.other = wirral;
	link.kind = calls_text(&w, "not_duplicate");
	link.reason = calls_text(&w, "cousins, number mistyped");
	(void)calls_change(&w, WORLD_COORDINATOR, 53, &link.base, CDOP_OK);
	(void)calls_change(
	    &w, WORLD_COORDINATOR, 53, &link.base, CDOP_ALREADY_EXISTS);
	world_reopen(&w);
	world_call(&w, WORLD_COORDINATOR, 54, &ask.base, &answer);
	pairs =
	    world_body(&w, &answer, &cdop__duplicate_pairs_reply__descriptor);
	assert_int_equal(pairs->n_pair, 0);
}

static void
a_dry_run_checks_everything_and_writes_nothing(void **state)
{
	Cdop__NotificationRegisterReply *reply;
	struct calls_tell tell = {
	    .form = world_form(&w, 76, "wirral"), .dry = true};
	uint32_t n = cases_now();

	(void)state;
	reply = calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	assert_true(reply->dry_run);
	assert_null(reply->reference);
	assert_string_equal(reply->owner_area, "wirral");
	assert_true(reply->n_missing > 0);
	assert_int_equal(cases_now(), n);
	tell.dry = false;
	(void)calls_tell(&w, WORLD_COORDINATOR, &tell, CDOP_OK);
	tell.dry = true;
	(void)calls_tell(
	    &w, WORLD_COORDINATOR, &tell, CDOP_FAILED_PRECONDITION);
}

/* ---- once, and once only ---------------------------------------------------
 */

static void
send_twice(const ProtobufCMessage *body, const uint8_t key[16],
    struct world_answer *answer)
{
	char purpose[] = "case_work";
	uint8_t copy[16];
	Cdop__Call call;

	memcpy(copy, key, 16);
	cdop__call__init(&call);
	call.id = 9;
	call.method = 40;
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){16, copy};
	call.purpose = purpose;
	call.has_body = true;
	call.body.len = protobuf_c_message_get_packed_size(body);
	call.body.data = cdop_arena_alloc(w.arena, call.body.len);
	protobuf_c_message_pack(body, call.body.data);
	world_send(&w, WORLD_COORDINATOR_WIRRAL, &call, answer);
}

static void
the_same_key_gives_the_same_case(void **state)
{
	Cdop__NotificationRegisterRequest request;
	Cdop__NotificationRegisterReply *one, *two;
	struct world_answer answer;
	uint8_t key[16];
	uint32_t n;

	(void)state;
	cdop__notification_register_request__init(&request);
	/* Not the caller's area: the answer may not depend on seeing it. */
	request.form = world_form(&w, 77, "sefton");
	world_key(&w, key);
	send_twice(&request.base, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	one = world_body(
	    &w, &answer, &cdop__notification_register_reply__descriptor);
	n = cases_now();
	send_twice(&request.base, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->replayed);
	two = world_body(
	    &w, &answer, &cdop__notification_register_reply__descriptor);
	assert_string_equal(one->reference, two->reference);
	assert_string_equal(one->owner_words, two->owner_words);
	assert_int_equal(one->n_missing, two->n_missing);
	assert_int_equal(cases_now(), n);

	request.form = world_form(&w, 78, "sefton");
	send_twice(&request.base, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_ALREADY_EXISTS);
}

/* Two of one batch: the second sees the first. */
static void
one_batch_does_not_make_two_of_a_child(void **state)
{
	static struct cases_act act;
	struct actor actor = {.person = WORLD_COORDINATOR,
	    .device = WORLD_COORDINATOR,
	    .role = CDOP_ROLE_COORDINATOR,
	    .roles = CDOP_ROLE_COORDINATOR,
	    .all_areas = true};
	struct cases_register reg;
	Cdop__Form *form = world_form(&w, 79, "wirral");

	(void)state;
	undo_begin(w.undo);
	assert_int_equal(rows_begin(w.rows, 1u << 20, 64), CDOP_OK);
	cases_act_init(&act, w.reg->cases, w.arena, &actor, w.now_ms);
	memset(&reg, 0, sizeof(reg));
	reg.form.form = form;
	assert_int_equal(cases_register(&act, &reg), CDOP_OK);
	cases_act_init(&act, w.reg->cases, w.arena, &actor, w.now_ms);
	memset(&reg, 0, sizeof(reg));
	reg.form.form = form;
	assert_int_equal(cases_register(&act, &reg), CDOP_FAILED_PRECONDITION);
	assert_int_equal(reg.question.n_undecided, 1);
	rows_abort(w.rows);
	undo_rollback(w.undo);

	/* And an abort leaves nothing to find. */
	undo_begin(w.undo);
	assert_int_equal(rows_begin(w.rows, 1u << 20, 64), CDOP_OK);
	cases_act_init(&act, w.reg->cases, w.arena, &actor, w.now_ms);
	memset(&reg, 0, sizeof(reg));
	reg.form.form = form;
	assert_int_equal(cases_register(&act, &reg), CDOP_OK);
	assert_int_equal(rows_commit(w.rows), CDOP_OK);
	undo_commit(w.undo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_notification_is_kept_and_shown_with_its_sources),
	    cmocka_unit_test(awkward_children_are_taken_as_they_are),
	    cmocka_unit_test(two_hundred_characters_are_a_name),
	    cmocka_unit_test(a_baby_of_minutes_without_name_or_number),
	    cmocka_unit_test(residence_decides_and_nothing_else_does),
	    cmocka_unit_test(
		an_owner_may_be_stated_only_where_residence_is_silent),
	    cmocka_unit_test(
		the_holding_area_is_for_all_areas_and_who_registered_it),
	    cmocka_unit_test(a_death_abroad_is_told_in_days),
	    cmocka_unit_test(
		the_same_number_is_asked_about_and_nothing_is_written),
	    cmocka_unit_test(joining_changes_nothing_until_somebody_decides),
	    cmocka_unit_test(twins_are_asked_about_once),
	    cmocka_unit_test(a_decision_needs_a_reason_and_fits_its_case),
	    cmocka_unit_test(a_child_known_elsewhere_is_taken_in_silence),
	    cmocka_unit_test(a_dry_run_checks_everything_and_writes_nothing),
	    cmocka_unit_test(the_same_key_gives_the_same_case),
	    cmocka_unit_test(one_batch_does_not_make_two_of_a_child),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
