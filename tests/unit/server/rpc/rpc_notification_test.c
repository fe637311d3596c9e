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

/* ---- kept whole -------------------------------------------------------- */

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

/* ---- whose ------------------------------------------------------------- */

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

/* ---- once, and once only ----------------------------------------------- */

static void
send_twice(const ProtobufCMessage *body, const uint8_t key[16],
    struct world_answer *answer)
{
	*answer = *calls_under(&w, WORLD_COORDINATOR_WIRRAL,
	    CDOP_CALL_NotificationRegister, body, key);
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
	n = calls_count(&w);
	send_twice(&request.base, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->replayed);
	two = world_body(
	    &w, &answer, &cdop__notification_register_reply__descriptor);
	assert_string_equal(one->reference, two->reference);
	assert_string_equal(one->owner_words, two->owner_words);
	assert_int_equal(one->n_missing, two->n_missing);
	assert_int_equal(calls_count(&w), n);

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
	Cdop__Form *form = world_form(&w, 90, "wirral");

	(void)state;
	world_begin(&w, 1u << 20, 64);
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
	world_begin(&w, 1u << 20, 64);
	cases_act_init(&act, w.reg->cases, w.arena, &actor, w.now_ms);
	memset(&reg, 0, sizeof(reg));
	reg.form.form = form;
	assert_int_equal(cases_register(&act, &reg), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
}

/* With what another call was made, to the byte. */
static void
a_key_is_for_one_kind_of_call(void **state)
{
	char reason[] = "left";
	const struct world_answer *answer;
	Cdop__SuspendRequest request;
	uint8_t key[16];

	(void)state;
	cdop__suspend_request__init(&request);
	request.person = WORLD_ANALYST;
	request.reason = reason;
	world_key(&w, key);
	answer = calls_under(
	    &w, WORLD_ADMIN_1, CDOP_CALL_Suspend, &request.base, key);
	assert_int_equal(answer->reply->status, CDOP_OK);
	answer = calls_under(
	    &w, WORLD_ADMIN_1, CDOP_CALL_Resume, &request.base, key);
	assert_int_equal(answer->reply->status, CDOP_ALREADY_EXISTS);
	assert_string_equal(answer->reply->reason, "request_key_reused");
}

/* Also by a daemon that was started since. */
static void
the_same_key_gives_the_same_case_a_month_later(void **state)
{
	Cdop__NotificationRegisterRequest request;
	Cdop__NotificationRegisterReply *reply;
	struct world_answer answer;
	char reference[32];
	uint8_t key[16];

	(void)state;
	cdop__notification_register_request__init(&request);
	request.form = world_form(&w, 5, "wirral");
	world_key(&w, key);
	send_twice(&request.base, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	reply = world_body(
	    &w, &answer, &cdop__notification_register_reply__descriptor);
	snprintf(reference, sizeof(reference), "%s", reply->reference);
	/* A start reads back to the first leaf that is too old. */
	(void)calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	w.now_ms += 29ull * 86400000;
	(void)calls_show(&w, WORLD_COORDINATOR, reference, CDOP_OK);
	world_reopen(&w);
	request.form = world_form(&w, 5, "wirral");
	send_twice(&request.base, key, &answer);
	assert_int_equal(answer.reply->status, CDOP_OK);
	assert_true(answer.reply->replayed);
	reply = world_body(
	    &w, &answer, &cdop__notification_register_reply__descriptor);
	assert_string_equal(reply->reference, reference);
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
	    cmocka_unit_test(the_same_key_gives_the_same_case),
	    cmocka_unit_test(one_batch_does_not_make_two_of_a_child),
	    cmocka_unit_test(a_key_is_for_one_kind_of_call),
	    cmocka_unit_test(the_same_key_gives_the_same_case_a_month_later),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
